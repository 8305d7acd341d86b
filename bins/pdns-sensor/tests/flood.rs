//! Whether floods are counted to the last frame and let ordinary transactions through, in short versions of those that
//! `make bench-flood` measures. Each fills the table that it aims at, except for that of the messages that wait, of which
//! there may be a million.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::process::Stdio;

use pdns_fixtures::flood::{Flood, Frames, Worst};

use crate::account::Account;
use crate::util::{Scratch, in_parallel, sensor_on};

/// Events of a flood.
const EVENTS: u64 = 100_000;

/// Length of a capture of slow messages, in bytes.
const SLOW: u64 = 500_000;

#[test]
fn floods_are_counted_and_ordinary_transactions_paired() {
    let scratch = Scratch::new();
    in_parallel(Flood::ALL, |flood| {
        let (path, stats) = (scratch.path(&format!("{flood:?}.pcap")), scratch.path(&format!("{flood:?}.json")));
        // Fifty tiny fragments make one entry of 4,096.
        let events = if flood == Flood::TinyFragments { 3 * EVENTS } else { EVENTS };
        let mut frames = Frames::new(BufWriter::new(File::create(&path).unwrap())).unwrap();
        let ordinary = flood.write(events, &mut frames).unwrap();
        let (count, _) = frames.finish().unwrap();

        let (name, account) = (flood.name(), account(&path, "transaction", &stats));
        account.assert_balanced(name);
        assert_eq!(account.count("frames_received"), count, "{name}");
        assert_eq!((account.count("answered"), ordinary), (events / 100, events / 100), "{name}");
        let (counter, least) = match flood {
            Flood::Queries => ("unanswered", EVENTS),
            Flood::Responses => ("orphan", EVENTS),
            Flood::Syns | Flood::Handshakes | Flood::SlowStreams | Flood::Gaps => ("tcp/streams_evicted", 1),
            Flood::FirstFragments | Flood::LastFragments | Flood::TinyFragments => ("fragments_dropped/evicted", 1),
        };
        let counted = account.count(counter);
        assert!(counted >= least, "{name}: {counter} {counted}");
    });
}

#[test]
fn slow_messages_are_counted() {
    let scratch = Scratch::new();
    in_parallel(Worst::ALL.iter().enumerate(), |(number, worst)| {
        let (path, stats) = (scratch.path(&format!("{number}.pcap")), scratch.path(&format!("{number}.json")));
        worst.write(SLOW, BufWriter::new(File::create(&path).unwrap())).unwrap();
        assert!(fs::metadata(&path).unwrap().len() >= SLOW, "{}", worst.name);
        for layout in ["transaction", "answer"] {
            let account = account(&path, layout, &stats);
            account.assert_balanced(worst.name);
            // Two kinds are made of blocks without a frame.
            let is_frames = !worst.name.ends_with("of pcapng");
            assert_eq!(account.count("frames_received") > 0, is_frames, "{}", worst.name);
        }
    });
}

/// The account of a run whose records are made and counted, but not kept.
fn account(capture: &Path, layout: &str, stats: &Path) -> Account {
    let mut command = sensor_on(capture);
    command.args(["--format", layout, "--stats"]).arg(stats).stdout(Stdio::null());
    assert!(command.status().unwrap().success(), "{}", capture.display());
    Account::read(stats)
}
