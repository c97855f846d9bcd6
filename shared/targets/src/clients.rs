//! The HTTP clients. They call only what the guard allows, and use no redirects, proxies or automatic retries.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, redirect, retry};

use crate::{
    guard::Guard,
    limits::{IDLE_CONNECTION, MAX_CLIENTS},
    resolver::GuardedResolver,
};

/// One client for each connect timeout in use, because reqwest has one timeout for each client. Created on first use.
#[derive(Debug)]
pub(crate) struct Clients {
    guard: Guard,
    made: Mutex<BTreeMap<Duration, Client>>,
}

impl Clients {
    pub(crate) fn new(guard: Guard) -> Self {
        Self { guard, made: Mutex::default() }
    }

    pub(crate) fn with_connect_timeout(&self, timeout: Duration) -> Result<Client, reqwest::Error> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(&timeout) {
            return Ok(client.clone());
        }
        let client = make(&self.guard, timeout)?;
        if made.len() >= MAX_CLIENTS {
            made.clear(); // operators have edited timeouts often; calls in flight keep their client
        }
        made.insert(timeout, client.clone());
        Ok(client)
    }
}

/// Creates a client. The choices, and why:
/// - TLS trusts the system's roots, as the AWS SDK does: AL2023 carries them and the runtime updates them; a private
///   authority is added by `SSL_CERT_FILE`. The crypto is aws-lc-rs.
/// - HTTP/1.1 only: one call per connection, so a connection that breaks is one unknown outcome and not a hundred.
/// - No retries by reqwest (its default resends after an HTTP/2 refusal). One retry cannot be switched off:
///   hyper-util resends if a *reused* connection turns out to be closed before it takes the request from
///   hyper's queue. hyper hands such a request back only if not one byte of it was encoded (`TrySendError::message`),
///   so it cannot have had an effect, also on a `plain` side. A connection that breaks later is never resent.
/// - No redirects: they could carry the credentials to a host that is not allowed, and would turn a PATCH into a GET.
/// - No proxy from the environment: the proxy would resolve names itself, past the guard.
fn make(guard: &Guard, connect_timeout: Duration) -> Result<Client, reqwest::Error> {
    Client::builder()
        .user_agent(concat!("tandem/", env!("CARGO_PKG_VERSION")))
        .https_only(!guard.allows_plain_http())
        .http1_only()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        .no_proxy()
        .dns_resolver(GuardedResolver(guard.clone()))
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE_CONNECTION)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_made_once_for_each_timeout_and_their_number_is_bounded() {
        let clients = Clients::new(Guard::new([""; 0], false).unwrap());
        for ms in (100..).take(MAX_CLIENTS + 3) {
            clients.with_connect_timeout(Duration::from_millis(ms)).unwrap();
            clients.with_connect_timeout(Duration::from_millis(ms)).unwrap();
        }
        assert_eq!(clients.made.lock().unwrap().len(), 3);
    }
}
