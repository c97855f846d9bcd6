//! Ports on this machine.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;

use crate::blocked::Blocked;

/// A port nobody has now. Somebody may have it a moment later, so whoever starts a server on it must be ready to try again.
pub(crate) fn free() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("this machine gives out no port")?;
    Ok(listener.local_addr().context("a port without an address")?.port())
}

/// Says whether a port that was asked for can be had.
pub(crate) fn check(port: u16) -> anyhow::Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_free) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Err(Blocked::Busy(format!("port {port} is taken by another program; give another one, or none")).into())
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
        // Others take ports at the same time: one that was free may be theirs by now.
        assert!((0..50).any(|_| check(free().unwrap()).is_ok()));
    }
}
