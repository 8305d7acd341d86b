//! Batches on disk.

use std::fs;
use std::path::{Path, PathBuf};

use pdns_fuzz::{Input, Target, heap};
use pdns_packet::time::Timestamp;
use pdns_record::{Encoding, Format, Layout};
use pdns_sink::fuzz::{Count, Spool};
use pdns_sink::spool::{Settings, SpoolError, SyncPolicy};
use pdns_sink::{Batch, RecordId};

/// A spool that was damaged: it opens, gives back what stands before the damage, counts the rest, and takes more.
pub const SPOOL: Target = Target { name: "spool", check, seeds, mutations: 3000 };

const JSON: Encoding = Encoding::json(Layout::Answer);

const SEGMENT_HEADER: usize = 16;
const FRAME_HEADER: usize = 20;

fn check(input: &[u8]) {
    let folder = tempfile::Builder::new().prefix("spool").tempdir_in(memory()).expect("a folder");
    let settings =
        Settings { folder: folder.path().to_owned(), max_bytes: 1 << 20, sync: SyncPolicy::Never, always: true };
    let mut input = Input::new(input);
    match input.below(3) {
        0 => damaged(&mut input, &settings),
        1 => composed(&mut input, &settings),
        _ => raw(&mut input, &settings),
    }
}

/// Batches that were written whole, and then some bytes are others, or the end is missing.
fn damaged(input: &mut Input<'_>, settings: &Settings) {
    let batches: Vec<_> = (0..1 + input.below(6)).map(|index| batch(index, input)).collect();
    let (mut spool, left) = Spool::open(settings, JSON).expect("a new spool");
    assert_eq!(left, Count::default());
    for batch in &batches {
        assert!(spool.append(batch.clone()).expect("a disk that can be written"));
    }
    drop(spool);
    let segment = segment(&settings.folder, 1);
    let mut bytes = fs::read(&segment).unwrap();
    let sizes = batches.iter().map(|batch| FRAME_HEADER + body_len(batch));
    assert_eq!(bytes.len(), SEGMENT_HEADER + sizes.clone().sum::<usize>());
    let at = usize::from(input.word()) % bytes.len();
    let is_cut = input.byte() & 1 == 1;
    if is_cut {
        bytes.truncate(at);
    } else {
        bytes[at] ^= input.byte().max(1);
    }
    fs::write(&segment, &bytes).unwrap();

    let ends = sizes.scan(SEGMENT_HEADER, |end, size| {
        *end += size;
        Some(*end)
    });
    let whole = if at < SEGMENT_HEADER { 0 } else { ends.clone().filter(|&end| end <= at).count() };
    let kept: usize = ends.take(whole).last().unwrap_or(if at < SEGMENT_HEADER { 0 } else { SEGMENT_HEADER });
    let (spool, left) = Spool::open(settings, JSON).expect("damage is no reason not to start");
    assert_eq!(left.records, batches[..whole].iter().map(Batch::records).sum::<u64>());
    assert_eq!((left.batches, left.lost_bytes), (whole as u64, (bytes.len() - kept) as u64));
    continued(spool, settings, left, &batches[..whole]);
}

/// Frames of any content whose checksums are right, as none but a sensor writes them.
fn composed(input: &mut Input<'_>, settings: &Settings) {
    let mut bytes = segment_header(1);
    while !input.is_empty() {
        let records = u32::from(input.byte() & 7) | u32::from(input.byte() & 1) << 31;
        let len = usize::from(input.byte());
        bytes.extend(frame(records, input.bytes(len)));
    }
    fs::write(segment(&settings.folder, 1), &bytes).unwrap();
    opened(settings, bytes.len());
}

/// Files of any content, the one with the position among them.
fn raw(input: &mut Input<'_>, settings: &Settings) {
    let files = [settings.folder.join("position"), segment(&settings.folder, 1), segment(&settings.folder, u64::MAX)];
    let mut total = 0;
    for file in files {
        let (has_header, len) = (input.byte() & 1 == 1, usize::from(input.byte()));
        let number = if file.ends_with("position") { 0 } else { 1 };
        let mut bytes = if has_header { segment_header(number) } else { Vec::new() };
        bytes.extend_from_slice(input.bytes(len));
        total += bytes.len();
        fs::write(file, bytes).unwrap();
    }
    opened(settings, total);
}

/// Opens what may hold anything, and reads it to its end.
fn opened(settings: &Settings, total: usize) {
    let opened = heap::bounded((64 << 10) + 16 * total, || Spool::open(settings, JSON));
    match opened {
        Ok((spool, left)) => {
            assert!(left.lost_bytes <= total as u64 && left.batches <= total as u64);
            continued(spool, settings, left, &[]);
        }
        Err(SpoolError::Encoding { found, wanted, .. }) => assert_ne!(found, wanted),
        Err(error) => panic!("{error}"),
    }
}

/// Reads what is left, of which the first are `known`; takes one more batch, and gives it back after it was opened again.
fn continued(mut spool: Spool, settings: &Settings, left: Count, known: &[Batch]) {
    let mut read = Count::default();
    let mut last = None;
    while let Some(fetched) = spool.fetch() {
        let (batch, number) = fetched.expect("what was whole a moment ago");
        if let Some(expected) = known.get(read.batches as usize) {
            assert_eq!(batch, *expected);
        }
        read.batches += 1;
        read.records += batch.records();
        assert!(batch.iter().map(|record| record.bytes.len()).sum::<usize>() <= batch.bytes().len());
        last = Some(number);
    }
    assert_eq!((read.batches, read.records), (left.batches, left.records));
    if let Some(number) = last {
        spool.forget(number);
    }
    let more = batch(9, &mut Input::new(b"\x01\x03more"));
    match spool.append(more.clone()) {
        Ok(is_taken) => assert!(is_taken),
        // Segments are numbered, and a damaged name or position may claim the last number there is.
        Err(error) => return assert!(error.starts_with("no number is left"), "{error}"),
    }
    drop(spool);
    let (mut spool, left) = Spool::open(settings, JSON).expect("nothing was damaged since");
    assert_eq!(left, Count { batches: 1, records: more.records(), lost_bytes: 0 });
    assert_eq!(spool.fetch().and_then(Result::ok).map(|(batch, _)| batch), Some(more));
}

/// A batch of some lines, with or without details.
fn batch(index: usize, input: &mut Input<'_>) -> Batch {
    let (records, len) = (1 + input.below(4), input.below(64));
    let mut batch = Batch::new(JSON, index % 2 == 1);
    let line = [input.bytes(len), b"\n"].concat();
    if batch.is_detailed() {
        let id = RecordId::first(index as u64, 1);
        batch.write_each(Timestamp::new(index as i64, 0), [192, 0, 2, 1].into(), id, |out, ended| {
            for _ in 0..records {
                out.extend_from_slice(&line);
                ended(out.len());
            }
        });
    } else {
        batch.write(|out| {
            out.extend_from_slice(&line.repeat(records));
            records as u64
        });
    }
    batch
}

fn body_len(batch: &Batch) -> usize {
    4 + batch.bytes().len() + if batch.is_detailed() { 45 * batch.records() as usize } else { 0 }
}

/// `docs/spool.md`: the format of a frame.
fn frame(records: u32, body: &[u8]) -> Vec<u8> {
    let mut header = (body.len() as u32).to_le_bytes().to_vec();
    header.extend(records.to_le_bytes());
    header.extend([0; 8]);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header);
    hasher.update(body);
    header.extend(hasher.finalize().to_le_bytes());
    [header.as_slice(), body].concat()
}

fn segment_header(number: u64) -> Vec<u8> {
    [b"PDNSSPL1".as_slice(), &number.to_le_bytes()].concat()
}

fn segment(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:016x}.seg"))
}

/// A folder in memory, where there is one.
fn memory() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

fn seeds() -> Vec<Vec<u8>> {
    let format = |format| Format::ALL.iter().position(|&of| of == format).unwrap() as u8;
    let plain = [0, format(Format::Json), 0, 0, b'{', b'}', b'\n'];
    let detail = [&[3, 0, 0, 0][..], &[0; 8], &[4], &[0; 10], &[0xff, 0xff, 192, 0, 2, 1], &[7; 16]].concat();
    let detailed = [&[0, format(Format::Json), 1, 0][..], &detail, b"{}\n"].concat();
    let avro = [1, format(Format::Avro), 0, 0, 1, 2, 3];
    let with_len = |records: u8, body: &[u8]| [&[records, 0, body.len() as u8], body].concat();
    let position = |segment: u64, offset: u64| {
        let place = [1, segment, offset].map(u64::to_le_bytes).concat();
        [&[0, 32][..], &place, &crc32fast::hash(&place).to_le_bytes(), &[0; 4]].concat()
    };
    let raw = |position: &[u8]| [&[2][..], position, &[1, 30], &frame(1, &plain), &[0, 4, 1, 2, 3, 4]].concat();
    vec![
        b"\x00\x03\x02\x10first batch line\x01\x08second b\x03\x01x\x01\x10\x00\x20\x01".to_vec(),
        b"\x00\x01\x02\x05first\x00\x18\x01".to_vec(),
        b"\x00\x02\x02\x05first\x01\x05again\x00\x03\x00\x40".to_vec(),
        [&[1][..], &with_len(1, &plain), &with_len(1, &detailed), &with_len(2, &plain)].concat(),
        [&[1][..], &with_len(1, &avro), &with_len(1, &plain)].concat(),
        raw(&[0, 0]),
        raw(&position(1, 16)),
        raw(&position(1, 40)),
        raw(&position(u64::MAX, u64::MAX)),
    ]
}
