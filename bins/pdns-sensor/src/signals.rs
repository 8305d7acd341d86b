//! What the system or a person asks of the running program.
//!
//! - SIGINT, SIGTERM: the run ends as it would at the end of its input. A second one ends the program at once, with exit
//!   status 128 and the signal's number, as a shell would report it: 130 or 143.
//! - SIGHUP: the log file is opened anew.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::{Handle, Signals as Iterator};

/// Whether the run is to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// The signals, once their handlers are in place.
pub(crate) struct Signals {
    stop: Stop,
    hang_ups: Iterator,
}

/// The thread that reacts to signals; it ends when this is dropped.
pub(crate) struct Watch(Handle);

impl Signals {
    /// Takes the signals. From here on none of them ends the program by itself.
    ///
    /// # Errors
    ///
    /// The system has no room for another pipe.
    pub(crate) fn take() -> io::Result<Self> {
        let stop = Stop::default();
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag as it was, and the second finds it set.
            flag::register_conditional_shutdown(signal, 128 + signal, stop.flag())?;
            flag::register(signal, stop.flag())?;
        }
        Ok(Self { stop, hang_ups: Iterator::new([SIGHUP])? })
    }

    /// What the first of the signals to end sets.
    pub(crate) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Calls `hung_up` for each SIGHUP from now on, in a thread of its own.
    ///
    /// # Errors
    ///
    /// There is no thread to be had.
    pub(crate) fn watch(mut self, hung_up: impl Fn() + Send + 'static) -> io::Result<Watch> {
        let handle = self.hang_ups.handle();
        let react = move || self.hang_ups.forever().for_each(|_| hung_up());
        thread::Builder::new().name("signals".to_owned()).spawn(react)?;
        Ok(Watch(handle))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.close();
    }
}
