//! Which addresses a service may have: public ones, and the networks that its operator opened.
//!
//! An address of version 6 that stands for one of version 4 is judged as that one, so that there is no second way to write it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::settings::Network;

/// Networks that are not the public internet (registries of special-purpose addresses, RFC 6890), and what each is.
const NOT_PUBLIC: [(&str, &str); 27] = [
    ("0.0.0.0/8", "of this host"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "behind a carrier"),
    ("127.0.0.0/8", "of this host"),
    ("169.254.0.0/16", "of the local link"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "for documentation"),
    ("192.88.99.0/24", "reserved"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "for measurements"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("224.0.0.0/4", "of a group"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "of this host"),
    ("::1/128", "of this host"),
    ("64:ff9b:1::/48", "a private translation"),
    ("100::/64", "discarded"),
    ("2001::/23", "reserved"),
    ("2001:db8::/32", "for documentation"),
    ("3fff::/20", "for documentation"),
    ("5f00::/16", "of a segment"),
    ("fc00::/7", "private"),
    ("fe80::/10", "of the local link"),
    ("fec0::/10", "of a site"),
    ("ff00::/8", "of a group"),
];

/// Where clouds answer whoever asks with credentials of the machine.
const METADATA: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Why an address is not asked, as what it is; none if it may be.
pub(super) fn refused(address: IpAddr, open: &[Network]) -> Option<&'static str> {
    let address = plain(address);
    if is_metadata(address) {
        return (!open.iter().any(|network| network.is(address))).then_some("where a cloud answers with credentials");
    }
    let inside = |text: &str| Network::parse(text).is_ok_and(|network| network.contains(address));
    let known = NOT_PUBLIC.iter().find(|(network, _)| inside(network)).map(|(_, what)| *what);
    // Of version 6 nothing else is given to anybody (RFC 4291).
    let what = known.or_else(|| (address.is_ipv6() && !inside("2000::/3")).then_some("reserved"))?;
    (!open.iter().any(|network| network.contains(address))).then_some(what)
}

/// Whether a cloud answers there with credentials.
pub(super) fn is_metadata(address: IpAddr) -> bool {
    METADATA.contains(&plain(address))
}

/// The address of version 4 that one of version 6 stands for.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let bits = six.to_bits();
    let (low, begin) = (bits as u32, (bits >> 96) as u32);
    let four = match () {
        // Mapped (::ffff:0:0/96), translated (::ffff:0:0:0/96), compatible (::/96).
        () if bits >> 32 == 0xffff || bits >> 32 == 0xffff_0000 => low,
        () if bits >> 32 == 0 && low > 1 => low,
        // NAT64, 64:ff9b::/96.
        () if bits >> 32 == 0x0064_ff9b_u128 << 64 => low,
        // 6to4, 2002::/16.
        () if begin >> 16 == 0x2002 => (bits >> 80) as u32,
        () => return address,
    };
    IpAddr::V4(Ipv4Addr::from_bits(four))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, open: &[&str]) -> bool {
        let open: Vec<Network> = open.iter().map(|network| Network::parse(network).unwrap()).collect();
        super::refused(address.parse().unwrap(), &open).is_some()
    }

    #[test]
    fn every_table_row_is_a_network() {
        assert!(NOT_PUBLIC.iter().all(|(network, _)| Network::parse(network).is_ok()));
    }

    #[test]
    fn what_is_not_public_is_refused_however_it_is_written() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.0.3",
            "169.254.169.254",
            "172.31.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.19.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001:0:1::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100.100.100.200",
            "169.254.170.2",
            "100::1",
            "4000::1",
            "9000::1",
        ] {
            assert!(refused(address, &[]), "{address}");
        }
        for address in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(!refused(address, &[]), "{address}");
        }
    }

    #[test]
    fn a_network_is_opened_and_metadata_only_by_its_own_address() {
        assert!(!refused("10.1.2.3", &["10.1.0.0/16"]) && refused("10.2.0.1", &["10.1.0.0/16"]));
        assert!(!refused("::ffff:10.1.2.3", &["10.1.0.0/16"]));
        assert!(refused("169.254.169.254", &["169.254.0.0/16"]) && refused("169.254.169.254", &["0.0.0.0/0"]));
        assert!(!refused("169.254.169.254", &["169.254.169.254"]));
        assert!(refused("fd00:ec2::254", &["fd00::/8"]) && !refused("fd00:ec2::254", &["fd00:ec2::254"]));
    }
}
