//! Whether files can be reached, and what they are called beneath a new root.

use std::fs;
use std::net::ToSocketAddrs;
use std::path::{self, Component, Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use nix::fcntl::AtFlags;
use nix::unistd::{self, AccessFlags};

use super::Needs;

/// The path as it is beneath `root`, which is absolute.
pub(super) fn inside(root: &Path, path: &Path) -> Result<PathBuf> {
    let whole = path::absolute(path).with_context(|| format!("{}", path.display()))?;
    let rest = whole.strip_prefix(root).ok().filter(|rest| rest.components().all(|part| part != Component::ParentDir));
    let rest = rest
        .ok_or_else(|| anyhow!("{} is not in {}, which is to be the root by then", path.display(), root.display()))?;
    Ok(Path::new("/").join(rest))
}

/// Checks that everything can be opened, by whoever this is by now. Makes folders that are not there.
pub(super) fn check(needs: &Needs) -> Result<()> {
    for path in needs.reads.iter().chain(&needs.rereads) {
        check_access(path, AccessFlags::R_OK, "cannot read")?;
    }
    for folder in &needs.folders {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        check_access(folder, AccessFlags::W_OK | AccessFlags::X_OK, "cannot make files in")?;
    }
    for path in &needs.writes {
        check_access(path, AccessFlags::W_OK, "cannot write")?;
    }
    Ok(())
}

/// Has the C library load what it looks names up with, which it cannot when code can no longer be loaded.
pub(super) fn load_resolver() {
    // Answered by /etc/hosts; an error only means that there is nothing to load.
    drop(("localhost", 0).to_socket_addrs());
}

fn check_access(path: &Path, mode: AccessFlags, what: &str) -> Result<()> {
    // By the effective ids and capabilities, as for an open.
    unistd::faccessat(nix::fcntl::AT_FDCWD, path, mode, AtFlags::AT_EACCESS)
        .map_err(|error| anyhow!("{what} {}: {}", path.display(), error.desc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_named_from_the_new_root() {
        let root = Path::new("/srv/pdns");
        assert_eq!(inside(root, Path::new("/srv/pdns/log/a.json")).unwrap(), Path::new("/log/a.json"));
        assert_eq!(inside(root, Path::new("/srv/pdns/")).unwrap(), Path::new("/"));
        for outside in ["/srv/pdns2/a", "/srv", "/srv/pdns/../x", "relative"] {
            let error = inside(root, Path::new(outside)).unwrap_err().to_string();
            assert_eq!(error, format!("{outside} is not in /srv/pdns, which is to be the root by then"));
        }
    }

    #[test]
    fn what_cannot_be_reached_is_named() {
        let read = Needs { reads: vec!["/no/such".into()], ..Needs::default() };
        assert_eq!(check(&read).unwrap_err().to_string(), "cannot read /no/such: No such file or directory");
        let folder = Needs { folders: vec!["/dev/null/x".into()], ..Needs::default() };
        assert_eq!(check(&folder).unwrap_err().to_string(), "cannot make the folder /dev/null/x");
        let made = tempfile::tempdir().unwrap();
        let folders = vec![made.path().join("a/b")];
        check(&Needs { folders: folders.clone(), ..Needs::default() }).unwrap();
        assert!(folders[0].is_dir());
    }
}
