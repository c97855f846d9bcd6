const cds = require('@sap/cds')

/** Above this, somebody must have approved a customer's credit limit. */
const CREDIT_LIMIT_MAX = 1_000_000_000_000
/** Somebody else has this name. */
const TAKEN = 'Northwind'

module.exports = class Sales extends cds.ApplicationService {
  async init() {
    const { Customers, Accounts, Journal } = this.entities
    const records = [Customers, Accounts]

    this.before(['CREATE', 'UPDATE'], records, req => {
      const { name, creditLimit, employees } = req.data
      if (name === TAKEN) req.reject({ status: 409, code: 'NAME_TAKEN', message: 'Another record has it', target: 'name' })
      if (creditLimit > CREDIT_LIMIT_MAX) {
        req.error({ status: 422, code: 'CREDIT_LIMIT', message: 'Nobody has approved this limit', target: 'creditLimit' })
      }
      if (employees < 0) {
        req.error({ status: 422, code: 'EMPLOYEES', message: 'Must not be negative', target: 'employees' })
      }
    })

    // In the transaction of the write: what is rolled back is not in the journal.
    this.after(['CREATE', 'UPDATE', 'DELETE'], records, async (_, req) => {
      const { seq } = await SELECT.one`max(seq) as seq`.from(Journal)
      const { number } = req.params.at(-1) ?? req.data
      await INSERT.into(Journal).entries({
        seq: (seq ?? 0) + 1, entity: req.target.name.split('.').pop(), number,
        event: req.event, user: req.user.id, data: JSON.stringify(req.data)
      })
    })

    return super.init()
  }
}
