//! What the program gives up once its capture is open: the user, capabilities, files and system calls it no longer needs.
//!
//! [`give_up`] is called once, before there is a second thread: ids and filters are the calling thread's, and those that it
//! starts inherit them. What is kept is what [`Needs`] names. `docs/decisions/0009-privileges.md` has the reasons.

mod calls;
mod capabilities;
mod files;
mod identity;
mod paths;
mod system_calls;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use self::capabilities::CapabilitySet;
pub(crate) use self::identity::{Group, User};

/// What is asked for.
#[derive(Debug, Default)]
pub(crate) struct Privileges {
    pub user: Option<User>,
    pub group: Option<Group>,
    /// An absolute path without `..`.
    pub chroot: Option<PathBuf>,
    /// Whether an interface that was removed and made anew can be opened again.
    pub keep_net_raw: bool,
    /// Whether files and system calls are restricted.
    pub sandbox: bool,
}

/// What a run still needs afterwards. Paths are those from before the root is changed.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// Files that are read once, as they are now.
    pub reads: Vec<PathBuf>,
    /// Files that are read again and again, and may be replaced meanwhile, as certificates are: what stands beside them can be
    /// read as well.
    pub rereads: Vec<PathBuf>,
    /// Folders in which files are made, written, renamed and deleted. They are made if they are not there.
    pub folders: Vec<PathBuf>,
    /// Files that are written where they are, such as pipes and devices.
    pub writes: Vec<PathBuf>,
    /// Whether interfaces are captured from.
    pub live: bool,
    /// Whether something is sent to other hosts: their names are looked up, and their certificates checked.
    pub network: bool,
    /// Whether the program looks at its own stack, for which it reads its own code.
    pub profile: bool,
}

/// What is in force.
#[derive(Debug)]
pub(crate) struct State {
    identity: String,
    root: Option<PathBuf>,
    kept: CapabilitySet,
    sandbox: Option<Sandbox>,
    /// What the operator should know of.
    pub warnings: Vec<String>,
}

/// What the kernel did of what the sandbox asked for.
#[derive(Debug)]
struct Sandbox {
    files: String,
    system_calls: String,
}

/// Gives up everything but `needs`, for good.
///
/// # Errors
///
/// The ids, the root or the capabilities cannot be changed as asked for; a file that is needed is out of reach of the new
/// user; or there are other threads, which would keep everything. What the kernel does not have is no error: the
/// returned [`State`] tells of it.
pub(crate) fn give_up(privileges: &Privileges, needs: &Needs) -> Result<State> {
    check_threads()?;
    load_parameters();
    if needs.network && privileges.sandbox {
        paths::load_resolver();
    }
    let change = identity::Change::new(privileges.user.as_ref(), privileges.group.as_ref())?;
    if let Some(root) = &privileges.chroot {
        identity::change_root(root)?;
    }
    let wanted = wanted_capabilities(privileges, needs);
    let before = capabilities::prepare(wanted, change.is_some())?;
    if let Some(change) = &change {
        change.make()?;
    }
    let inside = needs.inside(privileges)?;
    let kept = (wanted & before) | for_files(&inside)?;
    capabilities::keep_only(kept)?;
    inside.check(change.as_ref())?;
    let sandbox = if privileges.sandbox { Some(restrict(&inside, kept)?) } else { None };
    Ok(State {
        identity: identity::current(),
        root: privileges.chroot.clone(),
        kept,
        sandbox,
        warnings: warnings(privileges),
    })
}

impl Privileges {
    /// A path as it is after the root has changed.
    ///
    /// # Errors
    ///
    /// It is not beneath the new root.
    pub(crate) fn inside(&self, path: &Path) -> Result<PathBuf> {
        match &self.chroot {
            Some(root) => paths::inside(root, path),
            None => Ok(path.to_owned()),
        }
    }
}

impl Needs {
    fn inside(&self, privileges: &Privileges) -> Result<Self> {
        let all = |paths: &[PathBuf]| paths.iter().map(|path| privileges.inside(path)).collect::<Result<Vec<_>>>();
        Ok(Self {
            reads: all(&self.reads)?,
            rereads: all(&self.rereads)?,
            folders: all(&self.folders)?,
            writes: all(&self.writes)?,
            ..*self
        })
    }

    /// Whether everything can be reached.
    fn check(&self, change: Option<&identity::Change>) -> Result<()> {
        paths::check(self).with_context(|| match change {
            Some(change) => format!("{change} is to continue, and has to reach what is read and written"),
            None => "not everything that is read and written can be reached".to_owned(),
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "running as {}", self.identity)?;
        if let Some(root) = &self.root {
            write!(formatter, " beneath {}", root.display())?;
        }
        write!(formatter, " with {}", capabilities::names(self.kept))?;
        match &self.sandbox {
            Some(sandbox) => write!(formatter, "; files: {}; system calls: {}", sandbox.files, sandbox.system_calls),
            None => formatter.write_str("; no sandbox, as asked for"),
        }
    }
}

/// Refuses to leave threads behind that keep everything.
fn check_threads() -> Result<()> {
    // Without /proc nobody can tell.
    let threads = fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    ensure!(threads <= 1, "{threads} threads are running where privileges are to be given up; there may be one");
    Ok(())
}

/// Has rustix read the process's auxiliary vector, which a process that has changed its user cannot, and which rustix cannot do
/// without.
fn load_parameters() {
    rustix::param::page_size();
}

/// What is kept of the capabilities there are.
fn wanted_capabilities(privileges: &Privileges, needs: &Needs) -> CapabilitySet {
    // Root that was not told to become somebody else still captures from an interface that is made anew.
    let stays_root = privileges.user.is_none() && identity::is_root();
    if needs.live && (privileges.keep_net_raw || stays_root) {
        return CapabilitySet::NET_RAW;
    }
    CapabilitySet::empty()
}

/// Root owns what it does not own by a capability alone, which it keeps if there is such a file.
fn for_files(needs: &Needs) -> Result<CapabilitySet> {
    if !identity::is_root() || !capabilities::permitted()?.contains(CapabilitySet::DAC_OVERRIDE) {
        return Ok(CapabilitySet::empty());
    }
    capabilities::without(CapabilitySet::all(), || match paths::check(needs) {
        Ok(()) => CapabilitySet::empty(),
        Err(_) => CapabilitySet::DAC_OVERRIDE,
    })
}

fn restrict(needs: &Needs, kept: CapabilitySet) -> Result<Sandbox> {
    let files = files::restrict(needs);
    let system_calls = system_calls::restrict(&system_calls::Purposes {
        raw_sockets: kept.contains(CapabilitySet::NET_RAW),
        internet: needs.network || needs.live,
        profile: needs.profile,
    });
    Ok(Sandbox { files, system_calls })
}

fn warnings(privileges: &Privileges) -> Vec<String> {
    let mut warnings = Vec::new();
    if privileges.user.is_none() && identity::is_root() {
        warnings.push("still root: give a user to continue as with --user".to_owned());
    }
    warnings
}
