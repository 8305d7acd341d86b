//! Which worker a flow belongs to.

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

use foldhash::fast::RandomState;
use pdns_packet::frame::Flow;

/// Deals flows out to a number of workers, so that both directions of a flow, whatever their VLANs, meet in one.
#[derive(Clone, Debug)]
pub struct Shards {
    count: u64,
    state: RandomState,
}

impl Shards {
    /// For `count` workers, at least one.
    pub fn new(count: usize) -> Self {
        Self { count: count.max(1) as u64, state: RandomState::default() }
    }

    /// The worker for `flow`, from 0 to the count less one.
    pub fn of(&self, flow: &Flow) -> usize {
        let ends = self.end(flow.src, flow.src_port).wrapping_add(self.end(flow.dst, flow.dst_port));
        ((u128::from(ends) * u128::from(self.count)) >> 64) as usize
    }

    fn end(&self, address: IpAddr, port: u16) -> u64 {
        let mut hasher = self.state.build_hasher();
        match address {
            IpAddr::V4(address) => hasher.write_u32(address.to_bits()),
            IpAddr::V6(address) => hasher.write_u128(address.to_bits()),
        }
        hasher.write_u16(port);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdns_packet::frame::VlanTags;

    #[test]
    fn both_directions_meet_and_flows_spread() {
        let shards = Shards::new(4);
        let mut used = [0; 4];
        for port in 1024..2048 {
            let there = Flow {
                src: [10, 0, 0, 1].into(),
                dst: [10, 0, 0, 53].into(),
                src_port: port,
                dst_port: 53,
                vlan: VlanTags::NONE.push(7).unwrap(),
            };
            let back = Flow { src: there.dst, dst: there.src, src_port: 53, dst_port: port, vlan: VlanTags::NONE };
            assert_eq!(shards.of(&there), shards.of(&back));
            used[shards.of(&there)] += 1;
        }
        assert!(used.iter().all(|&flows| flows > 128), "{used:?}");
    }
}
