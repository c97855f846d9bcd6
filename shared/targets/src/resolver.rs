//! Name resolution that returns only addresses that the guard allows.

use std::io;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::guard::Guard;

/// The system's resolver behind the guard. The client connects to the addresses that it returns: there is no second
/// look-up, which could return others (DNS rebinding).
pub(crate) struct GuardedResolver(pub(crate) Guard);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, host) = (self.0.clone(), name.as_str().to_owned());
        Box::pin(async move {
            let mut refused = None;
            let mut allowed = Vec::new();
            for address in tokio::net::lookup_host((host.as_str(), 0)).await? {
                match guard.check_address(&host, address.ip()) {
                    Ok(()) => allowed.push(address),
                    Err(refusal) => refused = Some(refusal),
                }
            }
            match (allowed.is_empty(), refused) {
                (false, _) => Ok(Box::new(allowed.into_iter()) as Addrs),
                (true, Some(refusal)) => Err(refusal.into()),
                (true, None) => Err(io::Error::other("the name has no address").into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::guard::Refusal;

    async fn resolve(guard: Guard, name: &str) -> Result<Vec<SocketAddr>, String> {
        match GuardedResolver(guard).resolve(name.parse().unwrap()).await {
            Ok(addresses) => Ok(addresses.collect()),
            Err(error) => Err(error.downcast::<Refusal>().unwrap().to_string()),
        }
    }

    #[tokio::test]
    async fn a_listed_name_that_leads_to_loopback_has_no_address() {
        let error = resolve(Guard::new(["localhost"], false).unwrap(), "localhost").await.unwrap_err();
        assert_eq!(error, "`localhost` is not called: its address is loopback");
        assert!(!resolve(Guard::new([""; 0], true).unwrap(), "localhost").await.unwrap().is_empty());
    }
}
