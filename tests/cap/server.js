const fs = require('node:fs')
const cds = require('@sap/cds')

const { PORT_FILE } = process.env

// For this machine only: its passwords are known to everybody.
cds.once('bootstrap', app => {
  const listen = app.listen.bind(app)
  app.listen = port => listen(port, '127.0.0.1')
})

// The tables, once: what was written must be there after a restart.
cds.once('served', async () => {
  const tables = await cds.db.run(`select 1 from sqlite_master where name = 'Sales_Customers'`)
  if (!tables.length) await cds.deploy('*').to(cds.db)
})

// Renamed when it is complete: the test may read it at any moment.
cds.once('listening', ({ server }) => {
  fs.writeFileSync(`${PORT_FILE}.new`, String(server.address().port))
  fs.renameSync(`${PORT_FILE}.new`, PORT_FILE)
})

// The test holds the other end: it ends with the test, however that ends.
process.stdin.on('end', () => process.exit()).resume()

module.exports = cds.server
