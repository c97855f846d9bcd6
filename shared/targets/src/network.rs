//! Classifies an address: public internet, private network, or a range that no business app uses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kind of network that an address is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Public,
    /// Loopback or private: allowed only in local mode.
    Private(&'static str),
    /// Instance metadata, multicast or reserved: never allowed.
    Never(&'static str),
}

use Reach::{Never, Private, Public};

/// Classifies an address by IANA's special-purpose registries. An IPv6 address that contains an IPv4 address is
/// classified by that one. Otherwise `::ffff:127.0.0.1` or a NAT64 gateway would lead around the guard.
pub(crate) fn reach(ip: IpAddr) -> Reach {
    match ip {
        IpAddr::V4(ip) => v4(ip),
        IpAddr::V6(ip) => v6(ip),
    }
}

fn v4(ip: Ipv4Addr) -> Reach {
    match ip.octets() {
        [0, ..] => Never("unspecified"),
        [127, ..] => Private("loopback"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Private("private"),
        [100, 64..=127, ..] => Private("shared (carrier NAT)"),
        [169, 254, ..] => Never("link-local"),
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Never("reserved")
        }
        [224..=239, ..] => Never("multicast"),
        [240..=255, ..] => Never("reserved"),
        _ => Public,
    }
}

fn v6(ip: Ipv6Addr) -> Reach {
    let last = |high: u16, low: u16| v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Never("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Private("loopback"),
        [0, 0, 0, 0, 0, 0xffff, high, low] => last(high, low), // IPv4-mapped
        [0, 0, 0, 0, 0, 0, _, _] => Never("reserved"),         // IPv4-compatible, long obsolete
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => last(high, low), // NAT64: how IPv6-only subnets reach IPv4
        [0x64, 0xff9b, 1, ..] => Private("a local NAT64 prefix"),
        [0x2002, high, low, ..] => last(high, low), // 6to4
        [0xfd00, 0xec2, ..] => Never("link-local"), // instance metadata over IPv6
        [0xfc00..=0xfdff, ..] => Private("private"),
        [0xfe80..=0xfebf, ..] => Never("link-local"),
        [0xff00..=0xffff, ..] => Never("multicast"),
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Never("reserved"), // Teredo, examples
        [0x2000..=0x3fff, ..] => Public,
        _ => Never("reserved"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_address_is_known() {
        for (text, wanted) in [
            ("1.1.1.1", Public),
            ("100.63.255.255", Public),
            ("100.128.0.1", Public),
            ("172.15.0.1", Public),
            ("172.32.0.1", Public),
            ("192.0.1.1", Public),
            ("223.255.255.255", Public),
            ("0.0.0.0", Never("unspecified")),
            ("0.1.2.3", Never("unspecified")),
            ("10.0.0.1", Private("private")),
            ("172.16.0.1", Private("private")),
            ("172.31.255.255", Private("private")),
            ("192.168.1.1", Private("private")),
            ("127.0.0.1", Private("loopback")),
            ("127.255.255.254", Private("loopback")),
            ("100.64.0.1", Private("shared (carrier NAT)")),
            ("100.127.255.255", Private("shared (carrier NAT)")),
            ("169.254.169.254", Never("link-local")),
            ("169.254.170.2", Never("link-local")),
            ("192.0.0.170", Never("reserved")),
            ("192.0.2.1", Never("reserved")),
            ("192.88.99.1", Never("reserved")),
            ("198.18.0.1", Never("reserved")),
            ("198.51.100.1", Never("reserved")),
            ("203.0.113.1", Never("reserved")),
            ("224.0.0.1", Never("multicast")),
            ("239.255.255.250", Never("multicast")),
            ("240.0.0.1", Never("reserved")),
            ("255.255.255.255", Never("reserved")),
            ("2606:4700:4700::1111", Public),
            ("2a00:1450:4001::1", Public),
            ("::", Never("unspecified")),
            ("::1", Private("loopback")),
            ("::ffff:127.0.0.1", Private("loopback")),
            ("::ffff:169.254.169.254", Never("link-local")),
            ("::ffff:1.1.1.1", Public),
            ("::7f00:1", Never("reserved")),
            ("64:ff9b::1.1.1.1", Public),
            ("64:ff9b::10.0.0.1", Private("private")),
            ("64:ff9b::169.254.169.254", Never("link-local")),
            ("64:ff9b:1::a00:1", Private("a local NAT64 prefix")),
            ("2002:0a00:0001::1", Private("private")),
            ("2002:7f00:0001::1", Private("loopback")),
            ("2001:0:1::1", Never("reserved")),
            ("2001:db8::1", Never("reserved")),
            ("2001:4860:4860::8888", Public),
            ("3fff::1", Never("reserved")),
            ("fc00::1", Private("private")),
            ("fdff::1", Private("private")),
            ("fd00:ec2::254", Never("link-local")),
            ("fe80::1", Never("link-local")),
            ("febf::1", Never("link-local")),
            ("fec0::1", Never("reserved")),
            ("ff02::1", Never("multicast")),
            ("100::1", Never("reserved")),
            ("5f00::1", Never("reserved")),
        ] {
            assert_eq!(reach(text.parse().unwrap()), wanted, "{text}");
        }
    }
}
