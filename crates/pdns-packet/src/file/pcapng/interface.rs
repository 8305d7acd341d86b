//! Interface Description Blocks: link type, snap length, and the clock of the timestamps.

use crate::file::order::Order;
use crate::time::Timestamp;

/// An interface of a section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interface {
    /// Its LINKTYPE_ number.
    pub(super) link: u16,
    /// How much of a frame is captured at most; 0 is without limit.
    pub(super) snaplen: u32,
    scale: Scale,
    /// What is to be added to all times, in nanoseconds.
    offset: i128,
}

impl Interface {
    /// Reads a block's body: draft-ietf-opsawg-pcapng section 4.2. `None` when it is too short.
    pub(super) fn parse(order: Order, body: &[u8]) -> Option<Self> {
        let (head, options) = body.split_first_chunk::<8>()?;
        let link = order.u16([head[0], head[1]]);
        let mut interface = Self { link, snaplen: order.word(head, 1), scale: Scale::MICROS, offset: 0 };
        for (code, value) in (Options { order, rest: options }) {
            match (code, value) {
                (IF_TSRESOL, &[resolution]) => interface.scale = Scale::new(resolution),
                (IF_TSOFFSET, _) => {
                    interface.offset = value.first_chunk().map_or(0, |bytes| seconds(order, bytes)) * NANOS_PER_SECOND;
                }
                _ => {}
            }
        }
        Some(interface)
    }

    /// The moment of `ticks` of the interface's clock.
    #[inline]
    pub(super) fn time(&self, ticks: u64) -> Timestamp {
        let nanos = self.scale.nanos(ticks) + self.offset;
        Timestamp::from_nanos(nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
}

/// How ticks become nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    Multiply(u32),
    Divide(u64),
    /// Ticks are seconds divided by two to this power, which is at most 127.
    Binary(u8),
}

impl Scale {
    /// Microseconds, without an if_tsresol option.
    const MICROS: Self = Self::Multiply(1000);

    /// The option if_tsresol: a negative power of ten, or with the top bit set of two.
    fn new(resolution: u8) -> Self {
        let power = u32::from(resolution & 0x7f);
        if resolution & 0x80 != 0 {
            return Self::Binary(resolution & 0x7f);
        }
        match power {
            0..=9 => Self::Multiply(10_u32.pow(9 - power)),
            // 64 bits of ticks do not add up to a nanosecond when it takes more than 64 bits of them.
            _ => 10_u64.checked_pow(power - 9).map_or(Self::Multiply(0), Self::Divide),
        }
    }

    #[inline]
    fn nanos(self, ticks: u64) -> i128 {
        match self {
            Self::Multiply(factor) => i128::from(ticks) * i128::from(factor),
            Self::Divide(divisor) => i128::from(ticks / divisor),
            Self::Binary(power) => (i128::from(ticks) * NANOS_PER_SECOND) >> power,
        }
    }
}

/// A block's options, code and value: section 3.5. One whose length reaches past the block ends them.
struct Options<'a> {
    order: Order,
    rest: &'a [u8],
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[c0, c1, l0, l1], rest) = self.rest.split_first_chunk()?;
        let length = usize::from(self.order.u16([l0, l1]));
        let value = rest.get(..length)?;
        self.rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        match self.order.u16([c0, c1]) {
            OPT_ENDOFOPT => None,
            code => Some((code, value)),
        }
    }
}

fn seconds(order: Order, bytes: &[u8; 8]) -> i128 {
    i128::from(match order {
        Order::Little => i64::from_le_bytes(*bytes),
        Order::Big => i64::from_be_bytes(*bytes),
    })
}

const OPT_ENDOFOPT: u16 = 0;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
const NANOS_PER_SECOND: i128 = 1_000_000_000;
