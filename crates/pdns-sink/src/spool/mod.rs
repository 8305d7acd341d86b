//! Batches on disk, for as long as their receiver does not take them.
//!
//! A folder for each sink, with segments to which batches are appended, a file that says how far they are delivered, and a
//! lock. `docs/spool.md` has the format and what is promised.
//!
//! | | |
//! |---|---|
//! | a segment | 16 MiB at most, unless one batch is larger; deleted when all of it is delivered |
//! | all segments | as many bytes as the settings say; what does not fit is not written |
//! | a batch | with length, number of records, time and checksum |
//! | after a crash | what is torn at the end of a segment is cut off and counted; writing goes on in another segment |
//! | sent twice | at most what was under way, and what was delivered since the position was last written |

mod format;
mod fs;
mod position;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pdns_record::Encoding;

use self::format::{FRAME_HEADER, Frame, SEGMENT_HEADER};
use self::fs::{Disk, Folder, SegmentFile};
use self::position::{Place, Position};
use crate::Batch;
use crate::frame::store::{Append, Damage, Fetched, Left, Store};

/// How large a segment becomes.
const SEGMENT_BYTES: u64 = 16 << 20;

/// Where and how batches are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The folder of this sink alone.
    pub folder: PathBuf,
    /// How many bytes all segments may have.
    pub max_bytes: u64,
    /// When what is written is made to survive a crash of the machine. A crash of the program it always survives.
    pub sync: SyncPolicy,
    /// Whether all records go through the spool, and not only those for which there is no room in memory: then what was
    /// taken survives a crash.
    pub always: bool,
}

/// When written batches are synced to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPolicy {
    /// Before they count as spooled. Those that wait together are synced together.
    Always,
    /// After so long at the latest.
    Every(Duration),
    /// When the system likes.
    Never,
}

/// Why a spool could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// The folder cannot be used.
    #[error("spool {folder}: {source}")]
    Io {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another process uses it.
    #[error("spool {folder}: another process uses it")]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// It holds records that the sink does not take.
    #[error(
        "spool {folder}: it holds {records} records in {found}, and the sink takes {wanted}: have them delivered with the \
         settings they were written with, or remove the folder"
    )]
    Encoding {
        /// The folder.
        folder: PathBuf,
        /// How many records there are.
        records: u64,
        /// How they are encoded.
        found: String,
        /// How the sink wants them.
        wanted: String,
    },
}

/// Opens a spool for records of an encoding, and says what an earlier run has left in it.
pub(crate) fn open(settings: &Settings, encoding: Encoding) -> Result<(Box<dyn Store>, Left), SpoolError> {
    let folder = || settings.folder.clone();
    let disk = Disk::open(&settings.folder).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => SpoolError::InUse { folder: folder() },
        _ => SpoolError::Io { folder: folder(), source: error },
    })?;
    let (spool, left) = Spool::open(disk, settings.max_bytes, settings.sync)
        .map_err(|source| SpoolError::Io { folder: folder(), source })?;
    if let Some(found) = spool.foreign(encoding) {
        let (found, wanted) = (describe(found), describe(encoding));
        return Err(SpoolError::Encoding { folder: folder(), records: left.records, found, wanted });
    }
    Ok((Box::new(spool), left))
}

fn describe(encoding: Encoding) -> String {
    let layout = match encoding.layout {
        pdns_record::Layout::Answer => "answer",
        pdns_record::Layout::Transaction => "transaction",
    };
    format!("layout {layout} as {}", encoding.format.name())
}

/// The segments of one sink.
pub(crate) struct Spool<F: Folder> {
    folder: F,
    max_bytes: u64,
    segment_bytes: u64,
    sync: SyncPolicy,
    /// Oldest first.
    segments: VecDeque<Segment>,
    /// The last segment, while it is written.
    writer: Option<F::File>,
    /// Whether there is something at its end that could not be cut off: nothing may be written behind it.
    is_spoilt: bool,
    /// The number of the last segment that was made.
    last_segment: u64,
    /// The segment that is read, and its file.
    reader: Option<(u64, F::File)>,
    /// Where the next batch is read.
    next: Place,
    /// Batches that have been read and are not forgotten, oldest first.
    read: VecDeque<(u64, Place)>,
    last_number: u64,
    position: Position<F::File>,
    /// When the oldest batch that is not synced was written.
    unsynced: Option<Instant>,
    encodings: Vec<Encoding>,
}

/// What is known of a segment.
#[derive(Debug)]
struct Segment {
    number: u64,
    /// Up to where it is whole.
    len: u64,
    /// Batches and records that have not been read.
    batches: u64,
    records: u64,
}

impl<F: Folder> Spool<F> {
    pub(crate) fn open(folder: F, max_bytes: u64, sync: SyncPolicy) -> io::Result<(Self, Left)> {
        let position = Position::open(folder.open_or_create("position")?)?;
        let start = position.place();
        let mut spool = Self {
            folder,
            max_bytes,
            segment_bytes: SEGMENT_BYTES.min(max_bytes / 4).max(1),
            sync,
            segments: VecDeque::new(),
            writer: None,
            is_spoilt: false,
            last_segment: start.segment,
            reader: None,
            next: start,
            read: VecDeque::new(),
            last_number: 0,
            position,
            unsynced: None,
            encodings: Vec::new(),
        };
        let mut left = Left::default();
        for number in spool.folder.segments()? {
            spool.last_segment = spool.last_segment.max(number);
            let from = if number == start.segment { start.offset } else { 0 };
            if number < start.segment || !spool.scan(number, from, &mut left)? {
                spool.folder.remove(number)?;
            }
        }
        if let Some(first) = spool.segments.front() {
            let offset = if first.number == start.segment { start.offset } else { SEGMENT_HEADER };
            spool.next = Place { segment: first.number, offset: offset.max(SEGMENT_HEADER) };
        }
        Ok((spool, left))
    }

    /// An encoding other than this one that records in the spool have.
    fn foreign(&self, encoding: Encoding) -> Option<Encoding> {
        self.encodings.iter().copied().find(|&other| other != encoding)
    }

    /// Reads a segment of an earlier run from a place on, and cuts off what is torn; whether there is anything to deliver.
    fn scan(&mut self, number: u64, from: u64, left: &mut Left) -> io::Result<bool> {
        let mut file = self.folder.open(number)?;
        let size = file.len()?;
        let mut segment = Segment { number, len: SEGMENT_HEADER, batches: 0, records: 0 };
        if !format::is_segment(&file, number)? {
            left.cut_bytes += size;
            return Ok(false);
        }
        segment.len = from.clamp(SEGMENT_HEADER, size.max(SEGMENT_HEADER));
        while let Ok(Some(frame)) = Frame::read(&file, segment.len, size) {
            segment.batches += 1;
            segment.records += frame.batch.records();
            segment.len = frame.end;
            if !self.encodings.contains(&frame.batch.encoding()) {
                self.encodings.push(frame.batch.encoding());
            }
        }
        if segment.len < size {
            left.cut_bytes += size - segment.len;
            // Where that fails it is cut when it is next opened: nothing is ever written behind it.
            file.set_len(segment.len).ok();
        }
        left.batches += segment.batches;
        left.records += segment.records;
        let has_any = segment.batches > 0;
        if has_any {
            // A process that was killed may not have come to it.
            if self.sync != SyncPolicy::Never {
                file.sync()?;
            }
            self.segments.push_back(segment);
        }
        Ok(has_any)
    }

    fn total(&self) -> u64 {
        self.segments.iter().map(|segment| segment.len).sum()
    }

    /// Appends one batch; `false` when there is no room.
    fn append_one(&mut self, batch: &Batch) -> io::Result<bool> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let frame = format::frame(batch, now.as_millis() as u64);
        let is_large = frame.len() as u64 + SEGMENT_HEADER + self.total() > self.max_bytes;
        if is_large && !self.segments.is_empty() || frame.len() as u64 > self.max_bytes {
            return Ok(false);
        }
        self.make_segment(frame.len() as u64)?;
        let (Some(writer), Some(segment)) = (&mut self.writer, self.segments.back_mut()) else {
            return Err(io::Error::other("there is no segment"));
        };
        if let Err(error) = fs::write_all_at(writer, segment.len, &frame) {
            let end = segment.len;
            self.cut_back(end);
            return Err(error);
        }
        segment.len += frame.len() as u64;
        segment.batches += 1;
        segment.records += batch.records();
        self.unsynced.get_or_insert_with(Instant::now);
        Ok(true)
    }

    /// Has a segment to write to that has room.
    fn make_segment(&mut self, bytes: u64) -> io::Result<()> {
        let is_full = |segment: &Segment| segment.len > SEGMENT_HEADER && segment.len + bytes > self.segment_bytes;
        if self.writer.is_some() && !self.is_spoilt && self.segments.back().is_some_and(|segment| !is_full(segment)) {
            return Ok(());
        }
        self.sync_now()?;
        self.writer = None;
        // A segment's number is never used again, so that the position never means another one.
        let used_up = || io::Error::other("no number is left for a segment: move the folder away");
        let number = self.last_segment.checked_add(1).ok_or_else(used_up)?;
        self.last_segment = number;
        let mut file = self.folder.create(number)?;
        let made = fs::write_all_at(&mut file, 0, &format::segment_header(number));
        let made = made.and_then(|()| if self.sync == SyncPolicy::Never { Ok(()) } else { self.folder.sync() });
        if let Err(error) = made {
            // Where that fails as well it is found empty when the spool is next opened.
            self.folder.remove(number).ok();
            return Err(error);
        }
        self.is_spoilt = false;
        if self.segments.is_empty() {
            self.next = Place { segment: number, offset: SEGMENT_HEADER };
        }
        self.segments.push_back(Segment { number, len: SEGMENT_HEADER, batches: 0, records: 0 });
        self.writer = Some(file);
        Ok(())
    }

    /// Cuts the segment that is written back to an end; where that is not possible another one is begun.
    fn cut_back(&mut self, end: u64) {
        let cut = self.writer.as_mut().map(|writer| writer.set_len(end));
        self.is_spoilt |= !matches!(cut, Some(Ok(())));
    }

    fn sync_now(&mut self) -> io::Result<()> {
        if let (Some(writer), Some(_), true) = (&mut self.writer, self.unsynced, self.sync != SyncPolicy::Never) {
            writer.sync()?;
        }
        self.unsynced = None;
        Ok(())
    }

    fn sync_when_due(&mut self) -> io::Result<()> {
        let is_due = match (self.sync, self.unsynced) {
            (SyncPolicy::Always, Some(_)) => true,
            (SyncPolicy::Every(most), Some(since)) => since.elapsed() >= most,
            _ => false,
        };
        if is_due { self.sync_now() } else { Ok(()) }
    }

    /// The segment that is read next and where, unless all has been read.
    fn unread(&mut self) -> Option<(usize, u64)> {
        loop {
            let place = self.segments.iter().position(|segment| segment.number >= self.next.segment)?;
            let segment = &self.segments[place];
            if segment.number > self.next.segment {
                self.next = Place { segment: segment.number, offset: SEGMENT_HEADER };
            }
            if self.next.offset < segment.len {
                return Some((place, self.next.offset));
            }
            let following = self.segments.get(place + 1)?;
            self.next = Place { segment: following.number, offset: SEGMENT_HEADER };
        }
    }

    fn read_frame(&mut self, number: u64, offset: u64, len: u64) -> io::Result<Frame> {
        if self.reader.as_ref().is_none_or(|(open, _)| *open != number) {
            self.reader = Some((number, self.folder.open(number)?));
        }
        let Some((_, file)) = &self.reader else { return Err(io::Error::other("there is no segment")) };
        Frame::read(file, offset, len)?.ok_or_else(|| io::Error::other("the checksum does not fit"))
    }

    /// Deletes segments that are delivered.
    fn remove_delivered(&mut self, done: Place) {
        while let Some(first) = self.segments.front() {
            let is_written = self.writer.is_some() && self.segments.len() == 1;
            let is_done = first.number < done.segment || (first.number == done.segment && first.len <= done.offset);
            if !is_done || is_written || self.folder.remove(first.number).is_err() {
                break;
            }
            if self.reader.as_ref().is_some_and(|(open, _)| *open == first.number) {
                self.reader = None;
            }
            self.segments.pop_front();
        }
    }
}

impl<F: Folder> Store for Spool<F> {
    fn append(&mut self, batches: &[Arc<Batch>]) -> Append {
        let mut append = Append::default();
        let before =
            self.segments.back().map(|segment| (segment.number, segment.len, segment.batches, segment.records));
        for batch in batches {
            match self.append_one(batch) {
                Ok(true) => {
                    append.batches += 1;
                    append.records += batch.records();
                }
                Ok(false) => {
                    append.is_full = true;
                    break;
                }
                Err(error) => {
                    append.failure = Some(error.to_string());
                    break;
                }
            }
        }
        if let Err(error) = self.sync_when_due() {
            return self.take_back(before, &error);
        }
        append
    }

    fn fetch(&mut self) -> Fetched {
        let Some((place, offset)) = self.unread() else { return Fetched::Nothing };
        let Segment { number, len, .. } = self.segments[place];
        match self.read_frame(number, offset, len) {
            Ok(frame) => {
                self.next.offset = frame.end;
                self.last_number += 1;
                self.read.push_back((self.last_number, self.next));
                let segment = &mut self.segments[place];
                segment.batches = segment.batches.saturating_sub(1);
                segment.records = segment.records.saturating_sub(frame.batch.records());
                Fetched::Batch(frame.batch, self.last_number, age(frame.millis))
            }
            Err(error) => {
                self.next.offset = len;
                let segment = &mut self.segments[place];
                let (batches, records) = (std::mem::take(&mut segment.batches), std::mem::take(&mut segment.records));
                Fetched::Damaged(Damage { batches, records, bytes: len - offset, reason: error.to_string() })
            }
        }
    }

    fn forget(&mut self, number: u64) {
        let mut done = None;
        while let Some(&(first, place)) = self.read.front()
            && first <= number
        {
            done = Some(place);
            self.read.pop_front();
        }
        let Some(done) = done else { return };
        // Where it cannot be written more is sent twice after a crash, and nothing is lost.
        self.position.write(done).ok();
        self.remove_delivered(done);
    }

    fn bytes(&self) -> u64 {
        self.total()
    }

    fn tick(&mut self) -> Result<(), String> {
        self.sync_when_due().map_err(|error| error.to_string())
    }
}

impl<F: Folder> Spool<F> {
    /// What was written and could not be synced does not count: nobody knows whether it is there.
    fn take_back(&mut self, before: Option<(u64, u64, u64, u64)>, error: &io::Error) -> Append {
        let (number, len, batches, records) = before.unwrap_or_default();
        while self.segments.back().is_some_and(|segment| segment.number > number) {
            if let Some(segment) = self.segments.pop_back() {
                self.folder.remove(segment.number).ok();
            }
            self.writer = None;
        }
        if let Some(segment) = self.segments.back_mut()
            && segment.number == number
        {
            (segment.len, segment.batches, segment.records) = (len, batches, records);
            self.cut_back(len);
        }
        // After a failed sync the system may have forgotten what was not written.
        self.writer = None;
        self.unsynced = None;
        Append { failure: Some(error.to_string()), ..Append::default() }
    }
}

impl<F: Folder> Drop for Spool<F> {
    fn drop(&mut self) {
        // The program ends in good order: nothing is to be left to chance.
        self.sync_now().ok();
    }
}

fn age(millis: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(Duration::from_millis(millis))
}

/// The least that a batch takes on disk.
const _: () = assert!(FRAME_HEADER == 20);
