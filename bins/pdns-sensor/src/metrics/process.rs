//! What the program itself uses, by the names that Prometheus's own libraries give it.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use procfs::process::{LimitValue, Process};

use super::family::{Family, Kind, Value};

/// How much memory is in use, as the allocator has it.
static HEAP: OnceLock<fn() -> usize> = OnceLock::new();

/// Has the memory in use asked of the program's allocator from now on. The first one to be named stays.
pub(crate) fn count_heap_by(heap: fn() -> usize) {
    HEAP.get_or_init(|| heap);
}

/// The running program, as `/proc` shows it. It is opened once: later its path may be out of reach.
#[derive(Debug)]
pub(crate) struct Usage {
    start: f64,
    process: Option<Process>,
}

impl Usage {
    /// Looks itself up. The program starts now, as far as metrics are concerned.
    pub(crate) fn new() -> Self {
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        Self { start, process: Process::myself().ok() }
    }

    /// What can be found out; where `/proc` cannot be read, only when the program started.
    pub(crate) fn families(&self) -> Vec<Family> {
        const START: &str = "Start of the program, in seconds since 1970";
        let mut families =
            vec![Family::single(Kind::Gauge, "process_start_time_seconds", START, Value::Amount(self.start))];
        if let Some(process) = &self.process {
            families.extend(memory_and_time(process).into_iter().flatten());
            families.extend(descriptors(process).into_iter().flatten());
        }
        if let Some(heap) = HEAP.get() {
            const HELP: &str = "Memory that the program has asked for and not given back, without rings";
            families.push(Family::single(Kind::Gauge, "process_heap_bytes", HELP, Value::Count(heap() as u64)));
        }
        families
    }
}

fn memory_and_time(process: &Process) -> Option<[Family; 4]> {
    let stat = process.stat().ok()?;
    let seconds = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
    let gauge = |name, help, value| Family::single(Kind::Gauge, name, help, Value::Count(value));
    Some([
        Family::single(Kind::Counter, "process_cpu_seconds", "Time on processors, in seconds", Value::Amount(seconds)),
        gauge("process_resident_memory_bytes", "Memory in use", stat.rss * procfs::page_size()),
        gauge("process_virtual_memory_bytes", "Memory mapped", stat.vsize),
        gauge("process_threads", "Threads", u64::try_from(stat.num_threads).unwrap_or_default()),
    ])
}

fn descriptors(process: &Process) -> Option<[Family; 2]> {
    let open = process.fd_count().ok()? as u64;
    let limit = match process.limits().ok()?.max_open_files.soft_limit {
        LimitValue::Value(limit) => limit,
        LimitValue::Unlimited => u64::MAX,
    };
    Some([
        Family::single(Kind::Gauge, "process_open_fds", "Open file descriptors", Value::Count(open)),
        Family::single(Kind::Gauge, "process_max_fds", "How many may be open", Value::Count(limit)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_make_sense() {
        count_heap_by(|| 4711);
        let families = Usage::new().families();
        let value = |name| match families.iter().find(|family| family.name == name).unwrap().samples[0].value {
            Value::Count(count) => count as f64,
            Value::Amount(amount) => amount,
            _ => unreachable!("a number"),
        };
        // After this was written, and before 2200.
        assert!((1_760_000_000.0..7_300_000_000.0).contains(&value("process_start_time_seconds")));
        assert!(value("process_resident_memory_bytes") > 100_000.0);
        assert!(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"));
        assert!(value("process_open_fds") >= 3.0 && value("process_open_fds") <= value("process_max_fds"));
        assert!(value("process_threads") >= 2.0, "the test has its own");
        assert_eq!(value("process_heap_bytes"), 4711.0);
    }
}
