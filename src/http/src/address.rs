//! Which addresses lie on the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one that any host on the internet can have: not this machine, not a
/// private, shared or link-local network, not multicast, not set aside for documentation, tests or
/// translation. From the special-purpose address registries (RFC 6890 and its updates).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // This network; private; loopback; multicast; reserved, with broadcast.
        [0 | 10 | 127 | 224..=255, ..]
        // Shared by carriers behind their NAT.
        | [100, 64..=127, ..]
        // Link-local: cloud metadata services live here.
        | [169, 254, ..]
        // Private.
        | [172, 16..=31, ..] | [192, 168, ..]
        // Protocol assignments; documentation; the retired 6to4 relay.
        | [192, 0, 0 | 2, _] | [192, 88, 99, _]
        // Benchmarks; documentation.
        | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // NAT64: the host meant is the IPv4 one at the end. A network with IPv6 alone reaches every
        // IPv4 provider through this prefix.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [[a, b], [c, d]] = [high, low].map(u16::to_be_bytes);
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Protocol assignments, with Teredo and ORCHID; documentation; 6to4, which can hide any
        // IPv4 address; documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Global unicast. All else is loopback, IPv4-mapped, unique-local, link-local, multicast or
        // not given out.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn addresses_inside_a_network_are_not_public() {
        for inside in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.254",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::10.1.2.3",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address(inside)), "{inside}");
        }
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for outside in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.0.0.1",
            "128.0.0.1",
            "169.253.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "203.0.112.1",
            "223.255.255.255",
            "2001:200::1",
            "2400:cb00::1",
            "2606:4700:4700::1111",
            "2a03:2880::1",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(is_public(address(outside)), "{outside}");
        }
    }

    proptest! {
        /// The standard library's own knowledge of special ranges is never contradicted.
        #[test]
        fn what_the_standard_library_calls_special_is_not_public(bits: u32, wide: u128) {
            let four = Ipv4Addr::from_bits(bits);
            let special = four.is_private() || four.is_loopback() || four.is_link_local()
                || four.is_multicast() || four.is_broadcast() || four.is_documentation()
                || four.is_unspecified();
            prop_assert!(!(special && is_public(four.into())));
            let six = Ipv6Addr::from_bits(wide);
            let special = six.is_loopback() || six.is_multicast() || six.is_unicast_link_local()
                || six.is_unique_local() || six.is_unspecified() || six.to_ipv4_mapped().is_some();
            prop_assert!(!(special && is_public(six.into())));
        }

        /// However an inner IPv4 address is wrapped in an IPv6 one, it stays inside.
        #[test]
        fn a_wrapped_inner_address_stays_inside(bits: u32) {
            let inner = Ipv4Addr::from_bits(0x7f00_0000 | bits & 0x00ff_ffff);
            let low = u128::from(inner.to_bits());
            for wrapped in [
                Ipv6Addr::from_bits(low),
                inner.to_ipv6_mapped(),
                Ipv6Addr::from_bits(0x64_ff9b << 96 | low),
                Ipv6Addr::from_bits(0x2002 << 112 | low << 80),
            ] {
                prop_assert!(!is_public(wrapped.into()), "{wrapped}");
            }
        }
    }
}
