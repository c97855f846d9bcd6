//! Decides which hosts Tandem may call: only names on an allow-list, and no address inside our own network.

use std::{fmt, net::IpAddr, sync::Arc};

use url::{Host, Url};

use crate::network::{Reach, reach};

/// Decides whether a side's URL may be called. It checks twice: the URL before each call, and the address when the
/// connection is made, so that nobody can point a name at our own network in between.
#[derive(Clone, Debug)]
pub struct Guard {
    allowed: Arc<[Pattern]>,
    allow_private: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Exact(String),
    /// `.example.com`: any name that ends with it, at any depth. The bare domain does not.
    Under(String),
}

/// The refusal to call a host, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    host: String,
    reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not called: {}", self.host, self.reason)
    }
}

impl std::error::Error for Refusal {}

impl Guard {
    /// Creates a guard that allows the named hosts. A name is exact (`erp.example.com`) or stands for all names below a
    /// domain (`*.example.com`).
    ///
    /// `allow_private` is for local mode. It also allows plain http, and loopback and private addresses, even of hosts
    /// that are not named. Without it, an empty list allows nothing.
    ///
    /// # Errors
    /// A name is not a host name. The text names it.
    pub fn new<T: AsRef<str>>(hosts: impl IntoIterator<Item = T>, allow_private: bool) -> Result<Self, String> {
        let allowed = hosts.into_iter().map(|host| pattern(host.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { allowed, allow_private })
    }

    /// Checks whether this URL may be called, before its name is resolved.
    ///
    /// # Errors
    /// The URL may not be called. The refusal names the host and the reason.
    pub fn check(&self, url: &Url) -> Result<(), Refusal> {
        let host = url.host_str().unwrap_or_default();
        let refuse = |reason: &str| Err(Refusal::new(host, reason));
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            "http" => return refuse("only https is allowed"),
            _ => return refuse("only http(s) is supported"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("its URL contains a user");
        }
        match url.host() {
            None => refuse("its URL has no host"),
            Some(Host::Ipv4(ip)) => self.check_address(host, ip.into()),
            Some(Host::Ipv6(ip)) => self.check_address(host, ip.into()),
            Some(Host::Domain(_)) if self.allow_private || self.names(host) => Ok(()),
            Some(Host::Domain(_)) => refuse("it is not on the list of allowed hosts"),
        }
    }

    /// Checks whether a connection to `ip` may be made for this host.
    pub(crate) fn check_address(&self, host: &str, ip: IpAddr) -> Result<(), Refusal> {
        let refuse = |reason: String| Err(Refusal::new(host, &reason));
        match reach(ip) {
            Reach::Never(what) => refuse(format!("its address is {what}")),
            Reach::Private(what) if !self.allow_private => refuse(format!("its address is {what}")),
            Reach::Private(_) => Ok(()),
            Reach::Public if self.names(host) => Ok(()),
            Reach::Public => refuse("it is not on the list of allowed hosts".to_owned()),
        }
    }

    pub(crate) fn allows_plain_http(&self) -> bool {
        self.allow_private
    }

    fn names(&self, host: &str) -> bool {
        self.allowed.iter().any(|pattern| match pattern {
            Pattern::Exact(name) => host == name,
            Pattern::Under(suffix) => host.strip_suffix(suffix).is_some_and(|label| !label.is_empty()),
        })
    }
}

impl Refusal {
    fn new(host: &str, reason: &str) -> Self {
        Self { host: host.to_owned(), reason: reason.to_owned() }
    }
}

/// Parses a name of the list, and normalizes it as URLs do: lower case, ASCII.
fn pattern(text: &str) -> Result<Pattern, String> {
    let (under, name) = match text.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, text),
    };
    let wrong = || format!("`{text}` is not a host name; allowed are names like erp.example.com and *.example.com");
    if name.is_empty() || name.contains(['*', '/', '@']) {
        return Err(wrong());
    }
    match (Host::parse(name).map_err(|_| wrong())?, under) {
        (Host::Domain(name), true) => Ok(Pattern::Under(format!(".{name}"))),
        (host, false) => Ok(Pattern::Exact(host.to_string())),
        (_, true) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, url: &str) -> Result<(), String> {
        guard.check(&Url::parse(url).unwrap()).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn only_hosts_on_the_list_are_called_and_only_by_https() {
        let guard = Guard::new(["erp.example.com", "*.crm.example", "MÜLLER.example", "203.0.112.7"], false).unwrap();
        for good in [
            "https://erp.example.com/data/",
            "https://ERP.example.com:8443/",
            "https://a.crm.example/",
            "https://a.b.crm.example/",
            "https://müller.example/",
            "https://203.0.112.7/",
        ] {
            assert_eq!(check(&guard, good), Ok(()), "{good}");
        }
        for (wrong, says) in [
            ("http://erp.example.com/", "only https"),
            ("ftp://erp.example.com/", "http(s)"),
            ("https://crm.example/", "not on the list"),
            ("https://evilcrm.example/", "not on the list"),
            ("https://erp.example.com.evil.test/", "not on the list"),
            ("https://erp.example.com@evil.test/", "contains a user"),
            ("https://a:b@erp.example.com/", "contains a user"),
            ("https://203.0.112.8/", "not on the list"),
            ("https://127.0.0.1/", "loopback"),
            ("https://2130706433/", "loopback"),
            ("https://0x7f.1/", "loopback"),
            ("https://[::ffff:10.0.0.1]/", "private"),
        ] {
            let says_why = check(&guard, wrong).unwrap_err();
            assert!(says_why.contains(says), "{wrong}: {says_why}");
        }
    }

    #[test]
    fn an_empty_list_lets_nothing_through() {
        let guard = Guard::new([""; 0], false).unwrap();
        assert!(check(&guard, "https://erp.example.com/").unwrap_err().contains("`erp.example.com`"));
    }

    #[test]
    fn local_mode_opens_private_addresses_but_no_others() {
        let guard = Guard::new([""; 0], true).unwrap();
        assert_eq!(check(&guard, "http://127.0.0.1:8080/"), Ok(()));
        assert_eq!(check(&guard, "http://[::1]:8080/"), Ok(()));
        assert!(check(&guard, "http://169.254.169.254/latest").unwrap_err().contains("link-local"));
        assert!(check(&guard, "https://1.1.1.1/").unwrap_err().contains("not on the list"));
        // A name passes until its address is known.
        assert_eq!(check(&guard, "http://app.test/"), Ok(()));
        assert!(guard.check_address("app.test", [1, 1, 1, 1].into()).is_err());
        assert!(guard.check_address("app.test", [10, 1, 1, 1].into()).is_ok());
    }

    #[test]
    fn a_name_on_the_list_may_not_lead_into_our_own_network() {
        let guard = Guard::new(["erp.example.com"], false).unwrap();
        assert!(guard.check_address("erp.example.com", [93, 184, 215, 14].into()).is_ok());
        assert!(guard.check_address("erp.example.com", [10, 0, 0, 1].into()).is_err());
    }

    #[test]
    fn what_is_not_a_host_name_is_no_entry_of_the_list() {
        for wrong in ["", "*", "*.", "a.*.b", "https://a.b", "a/b", "u@a.b", "*.10.0.0.1", "a b"] {
            assert!(Guard::new([wrong], false).is_err(), "{wrong}");
        }
    }
}
