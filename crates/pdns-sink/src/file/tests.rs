//! Files in temporary folders.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use pdns_record::Layout;
use tempfile::TempDir;

use super::*;

fn quiet() -> Log {
    Arc::new(|_, _| {})
}

fn batch(text: &str) -> Batch {
    let mut batch = Batch::new(Encoding::json(Layout::Answer), false);
    batch.write(|bytes| {
        bytes.extend_from_slice(text.as_bytes());
        text.lines().count() as u64
    });
    batch
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn in_folder(change: impl FnOnce(&mut Config)) -> (TempDir, PathBuf, File) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/dns.log");
    let mut config = Config::new(Layout::Answer, &path);
    change(&mut config);
    (folder, path, File::new(config, quiet()))
}

#[test]
fn folders_and_files_are_made_for_their_owner_and_appended_to() {
    let (_folder, path, mut sink) = in_folder(|_| {});
    assert!(Deliver::start(&mut sink).is_ok());
    assert_eq!(sink.deliver(&batch("one\n")), Outcome::Delivered);
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o755));
    let mut again = File::new(Config::new(Layout::Answer, &path), quiet());
    assert_eq!(again.deliver(&batch("two\n")), Outcome::Delivered);
    assert_eq!(sink.deliver(&batch("three\n")), Outcome::Delivered);
    assert_eq!(fs::read_to_string(path).unwrap(), "one\ntwo\nthree\n");
}

#[test]
fn a_large_file_is_put_aside_and_the_next_has_its_mode() {
    let (_folder, path, mut sink) = in_folder(|config| {
        config.max_size = 10;
        config.max_backups = None;
    });
    assert_eq!(sink.deliver(&batch("1234\n")), Outcome::Delivered);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    for text in ["5678\n", "90\n", "a long line that is too large alone\n", "end\n"] {
        assert_eq!(sink.deliver(&batch(text)), Outcome::Delivered);
    }
    drop(sink);
    assert_eq!(fs::read_to_string(&path).unwrap(), "end\n");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
    let folder = path.parent().unwrap();
    let texts: Vec<_> = names(folder).iter().map(|name| fs::read_to_string(folder.join(name)).unwrap()).collect();
    assert_eq!(texts, ["1234\n5678\n", "90\n", "a long line that is too large alone\n", "end\n"]);
}

#[test]
fn old_files_are_compressed_and_only_so_many_stay() {
    let (_folder, path, mut sink) = in_folder(|config| {
        config.max_size = 1;
        config.max_backups = Some(2);
        config.compress = true;
    });
    for number in 0..6 {
        assert_eq!(sink.deliver(&batch(&format!("{number}\n"))), Outcome::Delivered);
    }
    // It waits for its thread.
    drop(sink);
    let folder = path.parent().unwrap();
    let kept = names(folder);
    assert_eq!(kept.len(), 3, "{kept:?}");
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(folder.join(&kept[1])).unwrap()).read_to_string(&mut text).unwrap();
    assert_eq!(text, "4\n");
}

#[test]
fn names_are_in_the_order_of_what_is_in_them_though_older_ones_go() {
    let (_folder, path, mut sink) = in_folder(|config| {
        config.max_size = 1;
        config.max_backups = None;
    });
    let folder = path.parent().unwrap();
    for number in 10..40 {
        assert_eq!(sink.deliver(&batch(&format!("{number}\n"))), Outcome::Delivered);
        let kept = names(folder);
        // Its name is free again, maybe in the same millisecond.
        if kept.len() > 3 {
            fs::remove_file(folder.join(&kept[0])).unwrap();
        }
    }
    let kept: Vec<_> = names(folder).iter().map(|name| fs::read_to_string(folder.join(name)).unwrap()).collect();
    assert_eq!(kept, ["37\n", "38\n", "39\n"]);
}

#[test]
fn what_was_left_of_compressing_is_done_again() {
    let (_folder, path, sink) = in_folder(|config| config.compress = true);
    let folder = path.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("dns-2026-11-21T19-19-39.123.log"), "old\n").unwrap();
    fs::write(folder.join("dns-2026-11-21T19-19-39.123.log.gz.tmp"), "half").unwrap();
    fs::write(folder.join("dns-other.log"), "not ours\n").unwrap();
    let mut sink = sink;
    Deliver::start(&mut sink).unwrap();
    drop(sink);
    assert_eq!(names(folder), ["dns-2026-11-21T19-19-39.123.log.gz", "dns-other.log", "dns.log"]);
}

#[test]
fn a_file_that_was_moved_is_written_until_it_is_opened_anew() {
    let (_folder, path, mut sink) = in_folder(|_| {});
    let moved = path.with_extension("1");
    assert_eq!(sink.deliver(&batch("one\n")), Outcome::Delivered);
    fs::rename(&path, &moved).unwrap();
    assert_eq!(sink.deliver(&batch("two\n")), Outcome::Delivered);
    Deliver::reopen(&mut sink).unwrap();
    assert_eq!(sink.deliver(&batch("three\n")), Outcome::Delivered);
    assert_eq!(fs::read_to_string(moved).unwrap(), "one\ntwo\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
    // Others cut it: it goes on at its new end.
    fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    assert_eq!(sink.deliver(&batch("four\n")), Outcome::Delivered);
    assert_eq!(fs::read_to_string(path).unwrap(), "four\n");
}

#[test]
fn what_a_crash_has_left_is_cut_off_and_told() {
    let (_folder, path, _) = in_folder(|_| {});
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for (before, after) in [("one\ntw", "one\nnew\n"), ("half", "new\n"), ("one\n", "one\nnew\n")] {
        fs::write(&path, before).unwrap();
        let told = Arc::new(Mutex::new(String::new()));
        let to_tell = Arc::clone(&told);
        let log: Log = Arc::new(move |_, text| to_tell.lock().unwrap().push_str(text));
        let mut sink = File::new(Config::new(Layout::Answer, &path), log);
        assert_eq!(sink.deliver(&batch("new\n")), Outcome::Delivered);
        assert_eq!(fs::read_to_string(&path).unwrap(), after);
        assert_eq!(told.lock().unwrap().is_empty(), before == "one\n", "{}", told.lock().unwrap());
    }
}

#[test]
fn what_cannot_be_opened_is_tried_again() {
    let (folder, path, mut sink) = in_folder(|_| {});
    fs::write(folder.path().join("logs"), "in the way").unwrap();
    assert!(matches!(sink.deliver(&batch("one\n")), Outcome::Retry(_)));
    fs::remove_file(folder.path().join("logs")).unwrap();
    assert_eq!(sink.deliver(&batch("one\n")), Outcome::Delivered);
    assert_eq!(fs::read_to_string(path).unwrap(), "one\n");
}

#[test]
fn a_pipe_is_written_and_never_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let reader = std::thread::spawn({
        let path = path.clone();
        move || fs::read_to_string(path).unwrap()
    });
    let mut config = Config::new(Layout::Answer, &path);
    config.max_size = 1;
    let mut sink = File::new(config, quiet());
    for _ in 0..3 {
        assert_eq!(sink.deliver(&batch("line\n")), Outcome::Delivered);
    }
    drop(sink);
    assert_eq!(reader.join().unwrap(), "line\nline\nline\n");
    assert_eq!(names(folder.path()), ["pipe"]);
}

#[test]
fn a_full_disk_is_waited_for_and_no_record_is_cut_or_lost() {
    let Some(disk) = pdns_rigs::or_skip(pdns_rigs::tmpfs::Tmpfs::mount(64)) else { return };
    let path = disk.path().join("dns.log");
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, [0; 20 << 10]).unwrap();
    let config = Config::new(Layout::Answer, &path);
    let mut settings = crate::Settings::new("file");
    settings.retry_min = Duration::from_millis(5);
    settings.retry_max = Duration::from_millis(20);
    settings.linger = Duration::from_millis(1);
    let told = Arc::new(Mutex::new(Vec::new()));
    let to_tell = Arc::clone(&told);
    let log: Log = Arc::new(move |level, text| to_tell.lock().unwrap().push((level, text.to_owned())));
    let sink = Box::new(File::new(config, quiet()));
    let tee = crate::Tee::start(vec![crate::Setup { settings, sink }], log, 1).unwrap();
    let mut expected = String::new();
    for number in 0..500 {
        let line = format!("{number:>99}\n");
        expected.push_str(&line);
        tee.offer(&mut batch(&line)).unwrap();
    }
    let failing = |tee: &crate::Tee| tee.reports()[0].stats.failing_since.is_some();
    let start = Instant::now();
    while !failing(&tee) {
        assert!(start.elapsed() < Duration::from_secs(60), "the disk does not become full");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Nothing but whole lines, as many as there is room for.
    let written = fs::read_to_string(&path).unwrap();
    assert!(expected.starts_with(&written) && written.ends_with('\n') && written.len() > 30_000, "{}", written.len());
    assert!(!tee.reports()[0].stats.last_error.as_ref().unwrap().text.is_empty());
    fs::remove_file(ballast).unwrap();
    tee.shutdown(Duration::from_secs(60));
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    let stats = &tee.reports()[0].stats;
    assert_eq!((stats.offered, stats.delivered, stats.dropped_total()), (500, 500, 0));
    let told = told.lock().unwrap();
    let (level, text) = &told[0];
    assert_eq!(*level, Level::Warning);
    assert!(text.starts_with(&format!("file ({}): No space left on device", path.display())), "{text}");
    assert!(told.last().unwrap().1.contains("takes records again"), "{told:?}");
}
