//! How far a long file has been read, for a person who watches.

use std::io::{IsTerminal, stderr, stdout};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pdns_capture::CaptureFile;

/// A file shorter than this is read before anybody could look.
const LONG_FILE: u64 = 64 << 20;

/// How many frames are read between two looks at the file's position.
const FRAMES_PER_UPDATE: u32 = 8192;

/// A progress display on standard error; nothing when that is no terminal, or when the records themselves go to one.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    frames: u32,
}

impl Progress {
    pub(crate) fn start(file: &CaptureFile) -> Self {
        let bar = file
            .size()
            .filter(|&size| size >= LONG_FILE && stderr().is_terminal() && !stdout().is_terminal())
            .map(|size| bar(size, file.path().display().to_string()));
        Self { bar, frames: 0 }
    }

    /// Called for each frame.
    pub(crate) fn update(&mut self, file: &CaptureFile) {
        let Some(bar) = &self.bar else { return };
        self.frames += 1;
        if self.frames >= FRAMES_PER_UPDATE {
            self.frames = 0;
            bar.set_position(file.position());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(size: u64, name: String) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg} {bar:30} {percent}% {bytes}/{total_bytes} {bytes_per_sec} ETA {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr_with_hz(4))
        .with_style(style)
        .with_message(name)
}
