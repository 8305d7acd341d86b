//! Capabilities: capabilities(7).

use std::io;

use anyhow::{Context, Result, ensure};
pub(super) use rustix::thread::CapabilitySet;
use rustix::thread::{self, CapabilitySets};

/// Empties the bounding set, which takes a capability that is gone later, and returns what may be kept. When ids are about
/// to change, `wanted` is to survive that.
pub(super) fn prepare(wanted: CapabilitySet, ids_change: bool) -> Result<CapabilitySet> {
    let permitted = permitted()?;
    for capability in CapabilitySet::all() {
        // Without the right to it, or in a kernel that does not know it, it stays; no new privileges come of it.
        thread::remove_capability_from_bounding_set(capability).ok();
    }
    if ids_change && !(permitted & wanted).is_empty() {
        thread::set_keep_capabilities(true).context("cannot keep capabilities")?;
    }
    Ok(permitted)
}

/// Gives up all others, and the way to new ones.
pub(super) fn keep_only(kept: CapabilitySet) -> Result<()> {
    thread::set_no_new_privs(true).context("cannot rule out new privileges")?;
    // Where there is no ambient set, nothing is in it.
    thread::clear_ambient_capability_set().ok();
    set(kept, kept).with_context(|| format!("cannot give up capabilities but for {}", names(kept)))?;
    let left = thread::capabilities(None).context("cannot read capabilities")?;
    ensure!(
        (left.effective | left.permitted | left.inheritable) == kept,
        "there are still {} after giving up capabilities",
        names(left.permitted)
    );
    Ok(())
}

/// Does something without the effect of some capabilities.
pub(super) fn without<T>(some: CapabilitySet, act: impl FnOnce() -> T) -> Result<T> {
    let before = thread::capabilities(None).context("cannot read capabilities")?;
    set(before.permitted, before.effective - some).context("cannot lower capabilities")?;
    let result = act();
    set(before.permitted, before.effective).context("cannot raise capabilities")?;
    Ok(result)
}

pub(super) fn permitted() -> Result<CapabilitySet> {
    Ok(thread::capabilities(None).context("cannot read capabilities")?.permitted)
}

/// Their names, for people.
pub(super) fn names(set: CapabilitySet) -> String {
    if set.is_empty() {
        return "no capability".to_owned();
    }
    set.iter_names().map(|(name, _)| format!("CAP_{name}")).collect::<Vec<_>>().join(" and ")
}

fn set(permitted: CapabilitySet, effective: CapabilitySet) -> io::Result<()> {
    let sets = CapabilitySets { effective, permitted, inheritable: CapabilitySet::empty() };
    Ok(thread::set_capabilities(None, sets)?)
}
