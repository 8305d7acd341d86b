//! The kernel filter of an interface for which none was given.

use pdns_packet::frame::LinkType;

/// The kernel filter, in the language of pcap-filter(7), that passes DNS on an interface of LINKTYPE_ number `link` and
/// little else:
///
/// - UDP and TCP from or to one of `ports`, over IPv4 and IPv6;
/// - every fragment of IPv4, as only the first has ports, and every IPv6 packet with an extension header that may stand in
///   front of the transport's, as libpcap's `port` does not look behind one: hop-by-hop options, routing, fragment,
///   destination options;
/// - on Ethernet all of these behind one or two VLAN tags too. Linux takes the outer tag out of the frame before the filter
///   sees it, and libpcap puts it back: the filter's `vlan` knows both places. It shifts what follows it, hence the nesting;
/// - on `any` all of these behind the one tag that Linux takes out, and whatever has a second tag, as libpcap has no `vlan`
///   for cooked frames. Linux 6.11 and later give cooked frames of two tags the protocol behind both and leave the inner tag
///   in front of it, so that they cannot be decoded: where there are such, the interface is better named.
///
/// What travels in tunnels does not pass: those who watch them give a filter, such as `udp port 4789`.
pub fn default_filter(link: u16, ports: &[u16]) -> String {
    let port = |port: &u16| format!("udp port {port} or tcp port {port} or ");
    let dns = ports.iter().map(port).collect::<String>() + FRAGMENTS;
    match LinkType(link) {
        LinkType::ETHERNET => format!("{dns} or (vlan and ({dns} or (vlan and ({dns}))))"),
        LinkType::LINUX_SLL => format!("{dns} or {TAGGED_COOKED}"),
        _ => dns,
    }
}

/// What may be DNS, and does not show its ports, in a frame without tags.
const FRAGMENTS: &str = "ip[6:2] & 0x3fff != 0 or ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 60";

/// A tag in a cooked frame, by its EtherType in the header's protocol field: 802.1Q, 802.1ad, and the older one.
const TAGGED_COOKED: &str = "link[14:2] = 0x8100 or link[14:2] = 0x88a8 or link[14:2] = 0x9100";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Filter;

    #[test]
    fn it_is_a_filter_for_every_link_type_that_is_decoded() {
        for (link, name) in LinkType::SUPPORTED {
            // Not all of them have IP in libpcap's eyes.
            if Filter::compile("ip", link.0).is_ok() {
                Filter::compile(&default_filter(link.0, &[53, 5353]), link.0)
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }

    /// An Ethernet frame of these tags and this IP packet.
    fn frame(tags: &[u16], ip: &[u8]) -> Vec<u8> {
        let mut frame = vec![2; 12];
        for tag in tags {
            frame.extend(tag.to_be_bytes());
            frame.extend([0, 7]);
        }
        frame.extend(if ip[0] >> 4 == 4 { [8, 0] } else { [0x86, 0xdd] });
        [frame, ip.to_vec()].concat()
    }

    fn v4(fragment: u16, protocol: u8, port: u8) -> Vec<u8> {
        let [high, low] = fragment.to_be_bytes();
        let header = [0x45, 0, 0, 28, 0, 1, high, low, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
        [&header[..], &[4, 0, 0, port, 0, 8, 0, 0]].concat()
    }

    fn v6(next: u8, port: u8) -> Vec<u8> {
        [&[0x60, 0, 0, 0, 0, 8, next, 64][..], &[0x20; 32], &[4, 0, 0, port, 0, 8, 0, 0]].concat()
    }

    #[test]
    fn dns_and_fragments_pass_tagged_or_not() {
        let filter = Filter::compile(&default_filter(1, &[53, 5353]), 1).unwrap();
        let passes = |frame: &[u8]| filter.matches(frame, frame.len() as u32);
        for tags in [&[][..], &[0x8100], &[0x88a8, 0x8100], &[0x8100, 0x8100]] {
            for ip in [v4(0, 17, 53), v4(0, 6, 53), v4(0x2000, 17, 53), v4(3, 17, 9), v4(0x2001, 1, 9)] {
                assert!(passes(&frame(tags, &ip)), "{tags:x?} {ip:x?}");
            }
            for ip in [v6(17, 53), v6(6, 53), v6(44, 9), v6(0, 9), v6(60, 9), v6(43, 9)] {
                assert!(passes(&frame(tags, &ip)), "{tags:x?} {ip:x?}");
            }
            // The flag "don't fragment" makes no fragment.
            for ip in [v4(0x4000, 17, 54), v4(0, 6, 80), v4(0, 1, 53), v6(17, 54), v6(58, 53)] {
                assert!(!passes(&frame(tags, &ip)), "{tags:x?} {ip:x?}");
            }
        }
        assert!(!passes(&frame(&[0x8100; 3], &v4(0, 17, 53))));
        assert!(!passes(&[&[2; 12][..], &[8, 6, 0, 1, 8, 0], &[53; 40]].concat()));
    }
}
