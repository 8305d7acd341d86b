//! Between whom a packet travels.

use std::fmt;
use std::net::IpAddr;

/// How many VLAN tags a frame may carry.
pub const MAX_VLANS: usize = 5;

/// The VLAN ids of a frame, outermost first; five ids of twelve bits and their number in one word.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct VlanTags(u64);

impl VlanTags {
    /// A frame without tags.
    pub const NONE: Self = Self(0);

    /// The tags with `id` (its low twelve bits) as the new innermost; `None` when there are already [`MAX_VLANS`].
    #[must_use]
    pub const fn push(self, id: u16) -> Option<Self> {
        let len = self.len();
        if len == MAX_VLANS {
            return None;
        }
        let ids = self.0 & !0xf | ((id & 0xfff) as u64) << (4 + 12 * len);
        Some(Self(ids | (len as u64 + 1)))
    }

    /// How many tags there are.
    pub const fn len(self) -> usize {
        (self.0 & 0xf) as usize
    }

    /// Whether the frame is untagged.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The ids, outermost first.
    pub fn iter(self) -> impl Iterator<Item = u16> {
        (0..self.len()).map(move |index| (self.0 >> (4 + 12 * index) & 0xfff) as u16)
    }

    /// All tags as one number, equal only for equal tags.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for VlanTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Source, destination and VLANs of a packet: the innermost addresses when it came through a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// VLAN ids of all Ethernet headers on the way in, outermost first.
    pub vlan: VlanTags,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_keep_their_order_and_are_bounded() {
        let tags = VlanTags::NONE.push(0).unwrap().push(4095).unwrap().push(7).unwrap();
        assert_eq!(tags.iter().collect::<Vec<_>>(), [0, 4095, 7]);
        assert_ne!(VlanTags::NONE.push(0), Some(VlanTags::NONE));
        let full = tags.push(1).unwrap().push(2).unwrap();
        assert_eq!((full.len(), full.push(3)), (MAX_VLANS, None));
    }
}
