//! Where the processor's time goes, in the format of pprof: `go tool pprof` and others read it.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The file of a profile: opened when it still may be, and written at the end.
pub(crate) struct ProfileFile {
    path: PathBuf,
    file: File,
}

/// A profile that is being taken.
pub(crate) struct Profile {
    file: ProfileFile,
    sampler: sampler::Sampler,
}

impl ProfileFile {
    /// Makes the file.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), file: File::create(path).with_context(|| unwritable(path))? })
    }

    /// Starts the profile, for all threads there are and will be. `path` is the file's as it is now, beneath a new root; its
    /// folder is where files for the time being are made.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub(crate) fn start(self, path: &Path) -> Result<Profile> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let sampler = sampler::Sampler::start(folder).context("cannot take a CPU profile")?;
        Ok(Profile { file: self, sampler })
    }
}

impl Profile {
    /// Ends it and writes what was found.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn finish(self) -> Result<()> {
        let ProfileFile { path, file } = self.file;
        self.sampler.write(&file).with_context(|| unwritable(&path))
    }
}

fn unwritable(path: &Path) -> String {
    format!("cannot write the CPU profile to {}", path.display())
}

#[cfg(feature = "profile")]
mod sampler {
    use std::fs::File;
    use std::io::Write;
    use std::path::Path;

    use anyhow::Result;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use pprof::protos::Message;
    use pprof::{ProfilerGuard, ProfilerGuardBuilder};

    /// How often a second each busy thread is looked at: as often as Go's profiles do.
    const FREQUENCY: i32 = 100;

    /// Where a thread is not looked at: these hold locks that looking takes.
    const NOT_IN: [&str; 4] = ["libc", "libgcc", "pthread", "vdso"];

    /// Looks at the threads' stacks.
    pub(super) struct Sampler(ProfilerGuard<'static>);

    impl Sampler {
        pub(super) fn start(folder: &Path) -> Result<Self> {
            // Elsewhere none may be made any more. It can be told once, and there is one profile.
            tempfile::env::override_temp_dir(folder).ok();
            Ok(Self(ProfilerGuardBuilder::default().frequency(FREQUENCY).blocklist(&NOT_IN).build()?))
        }

        pub(super) fn write(self, file: &File) -> Result<()> {
            let profile = self.0.report().build()?.pprof()?.encode_to_vec();
            let mut encoder = GzEncoder::new(file, Compression::default());
            encoder.write_all(&profile)?;
            encoder.finish()?;
            Ok(())
        }
    }
}

#[cfg(not(feature = "profile"))]
mod sampler {
    use std::fs::File;
    use std::path::Path;

    use anyhow::{Result, bail};

    /// There is none.
    pub(super) enum Sampler {}

    impl Sampler {
        pub(super) fn start(_: &Path) -> Result<Self> {
            bail!("this program was built without the cargo feature `profile`")
        }

        pub(super) fn write(self, _: &File) -> Result<()> {
            match self {}
        }
    }
}
