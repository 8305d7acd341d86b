//! Which worker a flow belongs to.

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

use pdns_packet::frame::Flow;

use crate::seed::Quality;

/// Deals flows out to a number of workers, so that both directions of a flow, whatever their VLANs, meet in one.
#[derive(Clone, Debug)]
pub struct Shards {
    count: u64,
    state: Quality,
}

impl Shards {
    /// For `count` workers, at least one.
    pub fn new(count: usize) -> Self {
        Self { count: count.max(1) as u64, state: Quality::default() }
    }

    /// How many workers there are.
    pub const fn count(&self) -> usize {
        self.count as usize
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

    #[test]
    fn clients_that_all_use_one_port_spread_too() {
        let shards = Shards::new(3);
        let mut used = [0; 3];
        for client in 0..3000u32 {
            let src = if client % 2 == 0 { IpAddr::V4(client.into()) } else { IpAddr::V6(u128::from(client).into()) };
            let flow = Flow { src, dst: [10, 0, 0, 53].into(), src_port: 53, dst_port: 53, vlan: VlanTags::NONE };
            used[shards.of(&flow)] += 1;
        }
        assert!(used.iter().all(|&flows| flows > 800), "{used:?}");
    }

    #[test]
    fn flows_chosen_to_meet_in_one_worker_do_not_meet_in_another_run() {
        let flows = (0..8000).map(|port| Flow {
            src: [10, 0, 0, 1].into(),
            dst: [10, 0, 0, 53].into(),
            src_port: port,
            dst_port: 53,
            vlan: VlanTags::NONE,
        });
        let (known, other) = (Shards::new(8), Shards::new(8));
        let mut used = [0; 8];
        flows.filter(|flow| known.of(flow) == 0).for_each(|flow| used[other.of(&flow)] += 1);
        assert!(used.iter().all(|&flows| flows > 40), "{used:?}");
    }

    #[test]
    fn one_worker_gets_everything_and_there_is_always_one() {
        let ends = ([192, 0, 2, 1].into(), [192, 0, 2, 53].into());
        for count in [0, 1] {
            let shards = Shards::new(count);
            for src_port in 0..100 {
                let flow = Flow { src: ends.0, dst: ends.1, src_port, dst_port: 53, vlan: VlanTags::NONE };
                assert_eq!(shards.of(&flow), 0);
            }
        }
    }
}
