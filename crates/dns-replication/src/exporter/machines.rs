//! Which machines have answered behind each address, so that a server that makes up identifiers does not fill a database
//! of metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use crate::discover::MAX_TARGETS;
use crate::probe::Probe;

/// How many machines behind one address are told apart.
const MACHINES: usize = 64;

/// What stands for all others.
const OTHER: &str = "other";

/// The identifiers seen.
#[derive(Debug, Default)]
pub(super) struct Machines(Mutex<BTreeMap<SocketAddr, BTreeSet<String>>>);

impl Machines {
    /// Notes the machine that answered; one that is too many loses its name.
    pub(super) fn note(&self, probe: &mut Probe) {
        let (Ok(address), Some(answer)) = (&probe.target.address, &mut probe.answer) else { return };
        let Some(nsid) = &mut answer.nsid else { return };
        // What was noted is whole whatever happened to the thread that noted.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_TARGETS && !seen.contains_key(address) {
            OTHER.clone_into(nsid);
            return;
        }
        let seen = seen.entry(*address).or_default();
        if seen.len() < MACHINES {
            seen.insert(nsid.clone());
        } else if !seen.contains(nsid) {
            OTHER.clone_into(nsid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    #[test]
    fn identifiers_beyond_the_limit_are_one() {
        let machines = Machines::default();
        let noted = |nsid: &str| {
            let mut probe = report().probes.remove(1);
            if let Some(answer) = &mut probe.answer {
                answer.nsid = Some(nsid.to_owned());
            }
            machines.note(&mut probe);
            probe.answer.unwrap().nsid.unwrap()
        };
        let names: BTreeSet<_> = (0..1000).map(|number| noted(&format!("m{number}"))).collect();
        assert_eq!(names.len(), MACHINES + 1);
        assert_eq!((noted("m0").as_str(), noted("m999").as_str()), ("m0", OTHER));
    }
}
