//! How little the program keeps of memory that it no longer needs.

use procfs::process::{MMPermissions, MMapPath, Process};

use pdns_rigs::network::{Sender, in_namespace, pair};

use super::{Sensor, exchange, live};

/// How much address space glibc sets aside for a thread's own arena, which begins at a multiple of it.
const ARENA: u64 = 64 << 20;

#[cfg_attr(not(target_env = "gnu"), ignore = "arenas are glibc's")]
#[test]
fn no_thread_has_an_arena_of_its_own() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut sender = Sender::new("far0");
        let mut sensor = Sensor::start(live(&["cap0"]).args(["--numprocs", "3"]));
        exchange(&mut sender, 1, 50);
        (0..50).for_each(|_| drop(sensor.record()));
        let maps = Process::new(sensor.pid()).unwrap().maps().unwrap();
        // The part in use, and behind it what is set aside.
        let arenas = maps.0.windows(2).filter(|maps| {
            let (used, rest) = (&maps[0], &maps[1]);
            used.address.0 % ARENA == 0
                && rest.address == (used.address.1, used.address.0 + ARENA)
                && rest.perms == MMPermissions::PRIVATE
        });
        assert_eq!(arenas.count(), 0);
        assert!(maps.0.iter().any(|map| map.pathname == MMapPath::Heap));
        sensor.end();
    });
}
