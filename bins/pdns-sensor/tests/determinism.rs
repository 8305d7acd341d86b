//! Whether the same capture gives the same records on every run and with any number of workers.

use crate::util::{Run, Sample, Scratch, in_parallel, samples, sensor_on};

#[test]
fn every_capture_gives_the_same_records_however_it_is_read() {
    let scratch = Scratch::new();
    in_parallel(samples(&scratch), |Sample { name, path, .. }| {
        for format in ["answer", "transaction"] {
            let with = |workers| Run::of(sensor_on(&path).args(["--format", format, "--numprocs", workers]));
            let once = with("1");
            assert!(once.status < 2, "{name}: {}", once.stderr);
            assert_eq!(once, with("1"), "{name}: the second run differs");
            for workers in ["2", "3", "8"] {
                let spread = with(workers);
                assert_eq!(once.line_set(), spread.line_set(), "{name}: {workers} workers differ from one");
                assert_eq!((once.status, &once.stderr), (spread.status, &spread.stderr), "{name}");
            }
        }
    });
}
