//! A folder in memory, which can fail.

use super::*;

/// A folder in memory, which can fail.
#[derive(Clone, Default)]
pub(super) struct Memory(pub(super) Arc<Mutex<State>>);

#[derive(Default)]
pub(super) struct State {
    pub(super) files: BTreeMap<String, Content>,
    /// How many changes succeed until one fails.
    left: Option<usize>,
    /// Whether all that come after the failed one fail, too.
    is_down: bool,
    /// Changes so far.
    changes: usize,
}

#[derive(Clone, Default)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// How much of it a crash of the machine leaves at least.
    synced: usize,
}

pub(super) struct MemoryFile {
    state: Arc<Mutex<State>>,
    name: String,
}

impl State {
    /// Counts a change; how much of it is done.
    fn change(&mut self) -> Result<(), io::Error> {
        self.changes += 1;
        match &mut self.left {
            Some(0) => {
                self.left = self.is_down.then_some(0);
                Err(io::Error::other("injected"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Memory {
    pub(super) fn fail_after(&self, changes: usize, is_down: bool) {
        let mut state = self.0.lock().unwrap();
        (state.left, state.is_down) = (Some(changes), is_down);
    }

    /// All works again; of what was not synced so much is left.
    pub(super) fn restart(&self, kept: Option<f64>) {
        let mut state = self.0.lock().unwrap();
        (state.left, state.is_down) = (None, false);
        if let Some(kept) = kept {
            for content in state.files.values_mut() {
                let unsynced = content.bytes.len().saturating_sub(content.synced);
                let len = content.bytes.len() - unsynced + (unsynced as f64 * kept) as usize;
                content.bytes.truncate(len);
            }
        }
    }

    pub(super) fn changes(&self) -> usize {
        self.0.lock().unwrap().changes
    }

    pub(super) fn spool(&self) -> io::Result<(Spool<Self>, Left)> {
        let (mut spool, left) = Spool::open(self.clone(), 100_000, SyncPolicy::Always)?;
        // Several batches in each.
        spool.segment_bytes = 1000;
        Ok((spool, left))
    }
}

impl Folder for Memory {
    type File = MemoryFile;

    fn segments(&self) -> io::Result<Vec<u64>> {
        let state = self.0.lock().unwrap();
        Ok(state.files.keys().filter_map(|name| name.parse().ok()).collect())
    }

    fn create(&self, number: u64) -> io::Result<MemoryFile> {
        let name = format!("{number:020}");
        let mut state = self.0.lock().unwrap();
        state.change()?;
        assert!(state.files.insert(name.clone(), Content::default()).is_none(), "{name} is there");
        Ok(MemoryFile { state: Arc::clone(&self.0), name })
    }

    fn open(&self, number: u64) -> io::Result<MemoryFile> {
        self.open_or_create(&format!("{number:020}"))
    }

    fn open_or_create(&self, name: &str) -> io::Result<MemoryFile> {
        self.0.lock().unwrap().files.entry(name.to_owned()).or_default();
        Ok(MemoryFile { state: Arc::clone(&self.0), name: name.to_owned() })
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.change()?;
        state.files.remove(&format!("{number:020}"));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.0.lock().unwrap().change()
    }
}

impl SegmentFile for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state.lock().unwrap().files.get(&self.name).map_or(0, |content| content.bytes.len() as u64))
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let state = self.state.lock().unwrap();
        let content = &state.files.get(&self.name).ok_or(io::ErrorKind::NotFound)?.bytes;
        let rest = content.get(offset as usize..).unwrap_or_default();
        let read = rest.len().min(bytes.len());
        bytes[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state.lock().unwrap();
        let outcome = state.change();
        // A write that fails has done a part of its work.
        let done = if outcome.is_ok() { bytes.len() } else { bytes.len() / 2 };
        let content = &mut state.files.get_mut(&self.name).ok_or(io::ErrorKind::NotFound)?.bytes;
        let end = offset as usize + done;
        content.resize(content.len().max(end), 0);
        content[offset as usize..end].copy_from_slice(&bytes[..done]);
        outcome.map(|()| done)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.change()?;
        let content = state.files.get_mut(&self.name).ok_or(io::ErrorKind::NotFound)?;
        content.bytes.resize(len as usize, 0);
        content.synced = content.synced.min(len as usize);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.change()?;
        let content = state.files.get_mut(&self.name).ok_or(io::ErrorKind::NotFound)?;
        content.synced = content.bytes.len();
        Ok(())
    }
}
