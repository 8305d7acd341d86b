//! Capture files as packets: all of them as one capture, read a turn at a time by whoever has the time.

use std::path::{Path, PathBuf};
use std::vec;

use pdns_capture::{CaptureFile, FilterError, FilterSet, OpenError, ReadError};
use pdns_packet::frame::{Decoder, Discard, LinkType, Ports};
use pdns_packet::time::Timestamp;
use pdns_track::reassembly::FragmentConfig;
use pdns_track::{Dissected, Ingest};

use super::Outcome;
use crate::board::{Counters, Slot};
use crate::log;
use crate::progress::Progress;
use crate::signals::Stop;

/// After how many frames a turn ends with what is buffered: whoever reads has other things to do, too.
const FRAMES_PER_TURN: u32 = 1024;

/// What frames go through before workers see them.
pub(crate) struct Source {
    paths: vec::IntoIter<PathBuf>,
    first: Option<Result<CaptureFile, OpenError>>,
    file: Option<Open>,
    ingest: Ingest,
    filter: Option<FilterSet>,
    snaplen: usize,
    stop: Stop,
    slot: Slot,
    outcome: Outcome,
    debug: bool,
}

/// What a source is made of.
pub(super) struct Setup {
    pub paths: Vec<PathBuf>,
    /// The first one, open; the others are opened when their turn comes.
    pub first: Option<Result<CaptureFile, OpenError>>,
    pub filter: Option<FilterSet>,
    pub ports: Ports,
    pub snaplen: Option<u32>,
    pub stop: Stop,
    pub slot: Slot,
    pub debug: bool,
}

/// The file that is being read.
struct Open {
    file: CaptureFile,
    progress: Progress,
    is_pipe: bool,
}

/// What whoever takes a packet has to say about more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    More,
    /// What is buffered already, and no more.
    Buffered,
    Nothing,
}

/// How a turn has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// There is more at hand.
    Enough,
    /// Whatever there is has been handed out: the next turn may have to wait for more.
    Dry,
    /// There is no more, or it is not wanted.
    Ended,
}

/// Why a file was left before its end.
enum Left {
    /// The run is to end.
    Stopped,
    /// It is cut off or damaged.
    Damaged(ReadError),
    /// It cannot be read as a capture at all, or not with this filter.
    Unusable(anyhow::Error),
}

impl Source {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            paths: setup.paths.into_iter(),
            first: setup.first,
            file: None,
            ingest: Ingest::new(Decoder::new(setup.ports), FragmentConfig::default()),
            filter: setup.filter,
            snaplen: setup.snaplen.map_or(usize::MAX, |bytes| bytes as usize),
            stop: setup.stop,
            slot: setup.slot,
            outcome: Outcome::default(),
            debug: setup.debug,
        }
    }

    /// One that has ended before it began.
    #[cfg(test)]
    pub(crate) fn empty() -> Self {
        Self::new(Setup {
            paths: Vec::new(),
            first: None,
            filter: None,
            ports: Ports::default(),
            snaplen: None,
            stop: Stop::default(),
            slot: Slot::default(),
            debug: false,
        })
    }

    /// Reads on for as long as `take`, which gets the packets, wants more, or for a while.
    pub(crate) fn turn(&mut self, take: impl FnMut(&Dissected<'_>) -> Wants) -> Turn {
        let left = match self.read(take) {
            Ok(turn) => return turn,
            Err(left) => left,
        };
        self.file = None;
        match left {
            Left::Damaged(error) => {
                self.outcome.incomplete = true;
                log::warn(&format!("{error}; the records up to there are complete"));
                return Turn::Dry;
            }
            // What was read of earlier files is still reported, and stands in the account.
            Left::Unusable(error) => self.outcome.unusable = Some(error),
            Left::Stopped => {}
        }
        self.give_up();
        Turn::Ended
    }

    /// Whether the next turn may have to wait for whoever writes what is read, for as long as it takes.
    pub(crate) fn may_wait(&self) -> bool {
        self.file.as_ref().is_none_or(|open| open.is_pipe)
    }

    /// Leaves the rest unread.
    pub(crate) fn give_up(&mut self) {
        self.file = None;
        self.first = None;
        self.paths = Vec::new().into_iter();
    }

    /// What timers see.
    pub(crate) const fn now(&self) -> Timestamp {
        self.ingest.clock().now()
    }

    /// The end of the capture: fragments that still wait will wait in vain.
    pub(crate) fn finish(&mut self) {
        self.ingest.finish();
        self.put_up();
    }

    /// Puts up what was counted.
    pub(crate) fn put_up(&self) {
        self.put_up_with(|_| ());
    }

    /// Puts up what was counted here, and what `count` writes down.
    pub(crate) fn put_up_with(&self, count: impl FnOnce(&mut Counters)) {
        self.slot.put_up(|counters| {
            counters.frames(&self.ingest);
            count(counters);
        });
    }

    /// What became of the files.
    pub(crate) fn into_outcome(self) -> Outcome {
        self.outcome
    }

    /// Reads from another buffer; see [`CaptureFile::exchange_buffer`].
    pub(crate) fn exchange_buffer(&mut self, buffer: &mut Vec<u8>) {
        if let Some(open) = &mut self.file {
            open.file.exchange_buffer(buffer);
        }
    }

    fn read(&mut self, mut take: impl FnMut(&Dissected<'_>) -> Wants) -> Result<Turn, Left> {
        if self.stop.is_set() {
            return Err(Left::Stopped);
        }
        if self.file.is_none() {
            let Some(path) = self.paths.next() else { return Ok(Turn::Ended) };
            self.file = Some(self.open(&path)?);
        }
        let Self { file: Some(Open { file, progress, is_pipe }), ingest, filter, .. } = self else {
            return Ok(Turn::Ended);
        };
        let (mut frames, mut is_enough, mut supported) = (0, false, None);
        loop {
            progress.update(file);
            let frame = match file.next_buffered()? {
                Some(frame) => frame,
                // What a pipe has delivered is not kept back until it speaks again.
                None if *is_pipe && frames > 0 => return Ok(Turn::Dry),
                None if is_enough || frames >= FRAMES_PER_TURN => return Ok(Turn::Enough),
                None => match file.next()? {
                    Some(frame) => frame,
                    None => {
                        self.file = None;
                        return Ok(Turn::Dry);
                    }
                },
            };
            frames += 1;
            let link = LinkType(frame.link);
            if supported != Some(link) && !link.is_supported() {
                ingest.discard(frame.time, Discard::LinkType);
                if !file.links().any(|link| LinkType(link).is_supported()) {
                    return Err(Left::Unusable(file.unsupported(link.0).into()));
                }
                continue;
            }
            supported = Some(link);
            if let Some(filter) = filter
                && !filter.matches(frame.link, frame.data, frame.wire_len)?
            {
                ingest.discard(frame.time, Discard::Filtered);
                continue;
            }
            let data = &frame.data[..frame.data.len().min(self.snaplen)];
            let mut wants = Wants::More;
            ingest.frame(frame.time, link, data, frame.wire_len, |packet| wants = take(packet));
            match wants {
                Wants::More => {}
                Wants::Buffered => is_enough = true,
                Wants::Nothing => return Ok(Turn::Enough),
            }
        }
    }

    fn open(&mut self, path: &Path) -> Result<Open, OpenError> {
        let file = self.first.take().unwrap_or_else(|| CaptureFile::open_until(path, self.stop.flag()))?;
        log::debug(self.debug, || format!("reading {}", path.display()));
        Ok(Open { progress: Progress::start(&file), is_pipe: file.size().is_none(), file })
    }
}

impl From<OpenError> for Left {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Read(ReadError::Stopped { .. }) => Self::Stopped,
            error => Self::Unusable(error.into()),
        }
    }
}

impl From<ReadError> for Left {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Stopped { .. } => Self::Stopped,
            error => Self::Damaged(error),
        }
    }
}

impl From<FilterError> for Left {
    fn from(error: FilterError) -> Self {
        Self::Unusable(error.into())
    }
}
