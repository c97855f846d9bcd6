//! TCP ports of this machine.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;

use crate::blocked::Blocked;

/// Finds a port that is free now. Another program may take it a moment later, so the caller must be ready to try again.
pub(crate) fn free() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port can be found")?;
    Ok(listener.local_addr().context("the number of a free port cannot be read")?.port())
}

/// Fails if the port cannot be used; with [`Blocked::Busy`] if another program has it.
pub(crate) fn check(port: u16) -> anyhow::Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_free) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Err(Blocked::Busy(format!("port {port} is taken by another program; choose another one, or leave it out"))
                .into())
        }
        Err(error) => Err(error).with_context(|| format!("port {port} cannot be used")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let refused = check(port).unwrap_err();
        assert!(refused.to_string().contains(&port.to_string()), "{refused}");
        assert_eq!(refused.downcast_ref::<Blocked>().unwrap().exit_code(), 4);
        // Other programs take ports at the same time, so a port that was free may be taken by now.
        assert!((0..50).any(|_| check(free().unwrap()).is_ok()));
    }
}
