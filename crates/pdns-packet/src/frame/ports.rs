//! Which ports are DNS.

use std::fmt;

/// The port that RFC 1035 section 4.2 gives to DNS.
const DOMAIN: u16 = 53;

/// The set of UDP and TCP ports on which DNS is expected.
#[derive(Clone, Default)]
pub struct Ports(Set);

/// How a set is kept: the usual one is a single port, and a test of it a single comparison.
#[derive(Clone)]
enum Set {
    /// Every port.
    Any,
    /// One port.
    One(u16),
    /// A bit for each of the 65,536 ports.
    Bits(Box<[u64]>),
}

impl Ports {
    /// Every port: whatever is UDP or TCP is taken for DNS.
    pub const fn any() -> Self {
        Self(Set::Any)
    }

    /// The ports listed.
    pub fn of(ports: &[u16]) -> Self {
        if let &[port] = ports {
            return Self(Set::One(port));
        }
        let mut bits = vec![0_u64; 1 << 10].into_boxed_slice();
        for port in ports {
            if let Some(word) = bits.get_mut(usize::from(port >> 6)) {
                *word |= 1 << (port & 63);
            }
        }
        Self(Set::Bits(bits))
    }

    /// Whether DNS is expected on `port`.
    #[inline]
    pub fn contains(&self, port: u16) -> bool {
        match &self.0 {
            Set::Any => true,
            Set::One(only) => *only == port,
            Set::Bits(bits) => bits.get(usize::from(port >> 6)).is_some_and(|word| word >> (port & 63) & 1 != 0),
        }
    }

    /// Whether every port is DNS.
    pub const fn is_any(&self) -> bool {
        matches!(self.0, Set::Any)
    }

    /// Whether traffic with this port on one side is DNS even if the other side's port belongs to a tunnel. When every
    /// port is DNS only port 53 is that strong a sign.
    #[inline]
    pub(super) fn names(&self, port: u16) -> bool {
        match &self.0 {
            Set::Any => port == DOMAIN,
            _ => self.contains(port),
        }
    }
}

impl Default for Set {
    fn default() -> Self {
        Self::One(DOMAIN)
    }
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            return f.write_str("any");
        }
        f.debug_set().entries((0..=u16::MAX).filter(|port| self.contains(*port))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_holds_exactly_its_ports() {
        assert_eq!(format!("{:?}", Ports::default()), "{53}");
        assert_eq!(format!("{:?}", Ports::of(&[5353, 0, 53, 65535, 53])), "{0, 53, 5353, 65535}");
        assert_eq!(format!("{:?}", Ports::of(&[])), "{}");
        assert_eq!(format!("{:?}", Ports::any()), "any");
        assert!(Ports::any().contains(7) && Ports::any().is_any() && !Ports::of(&[7]).is_any());
    }

    #[test]
    fn among_all_ports_only_53_outweighs_a_tunnel() {
        assert!(Ports::any().names(53) && !Ports::any().names(4789));
        assert!(Ports::of(&[4789, 5]).names(4789) && !Ports::of(&[4789, 5]).names(53));
    }
}
