//! Landlock: which files and ports the program can still open.

use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd, RestrictionStatus, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use super::Needs;

/// The newest rights that are asked for. An older kernel does what it can.
const NEWEST: ABI = ABI::V6;

/// The process's own figures.
const OWN: &str = "/proc/self";

/// What the C library and the certificate checks read when something is sent to other hosts. What is not there is left out.
/// Folders, for `resolv.conf` is replaced whenever the network changes, and a rule holds for a file and not for its name.
const NETWORK: [&str; 8] = [
    "/etc",
    "/run/systemd/resolve",
    "/run/NetworkManager",
    "/run/resolvconf",
    "/usr/lib/ssl",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/var/lib/ca-certificates",
];

/// What points the certificate checks elsewhere.
const CERTIFICATE_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Where libpcap reads how many frames an interface dropped: links from the first folder to the second.
const INTERFACES: [&str; 2] = ["/sys/class/net", "/sys/devices"];

/// Where shared libraries are, whose symbols a profile names.
const LIBRARIES: [&str; 3] = ["/lib", "/lib64", "/usr/lib"];

/// Restricts this thread, and those that it starts, to the files in `needs`. Says what the kernel did.
pub(super) fn restrict(needs: &Needs) -> String {
    match apply(needs) {
        Ok(status) => describe(&status),
        Err(error) => format!("unrestricted ({error})"),
    }
}

/// A rule holds for an inode, and `/proc` makes a new one for a process once nobody has the old one open and memory is short.
static OWN_FIGURES: OnceLock<Option<File>> = OnceLock::new();

fn apply(needs: &Needs) -> Result<RestrictionStatus, RulesetError> {
    OWN_FIGURES.get_or_init(|| File::open(OWN).ok());
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        // Listening sockets are open by now.
        .handle_access(AccessNet::BindTcp)?
        .scope(Scope::from_all(NEWEST))?;
    if !needs.network {
        ruleset = ruleset.handle_access(AccessNet::ConnectTcp)?;
    }
    let mut ruleset = ruleset.create()?;
    for (path, access) in rules(needs) {
        // What is not there by now is not needed.
        if let Ok(opened) = PathFd::new(&path) {
            ruleset = ruleset.add_rule(PathBeneath::new(opened, fitting(&path, access)))?;
        }
    }
    ruleset.restrict_self()
}

/// What may be done, and where.
fn rules(needs: &Needs) -> Vec<(PathBuf, BitFlags<AccessFs>)> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
    let make = read
        | write
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer;
    let of = |paths: &[PathBuf], access| paths.iter().cloned().map(move |path| (path, access)).collect::<Vec<_>>();
    let mut rules = [of(&needs.reads, read), of(&needs.folders, make), of(&needs.writes, write)].concat();
    let beside = needs.rereads.iter().flat_map(|path| folders_of(path));
    rules.extend(beside.chain(system_files(needs)).map(|path| (path, read)));
    rules
}

/// Where a file's name is, and where the file is.
fn folders_of(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let folder = |path: &Path| {
        let parent = path.parent()?;
        Some(if parent.as_os_str().is_empty() { Path::new(".") } else { parent }.to_owned())
    };
    let target = path.canonicalize().ok();
    [folder(path), target.and_then(|target| folder(&target))].into_iter().flatten()
}

/// What is read without being asked for by name.
fn system_files(needs: &Needs) -> Vec<PathBuf> {
    let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
    let mut files = paths(&[OWN]);
    // A panic names its functions by the program's own file.
    files.extend(env::current_exe());
    if needs.live {
        files.extend(paths(&INTERFACES));
    }
    if needs.network {
        files.extend(paths(&NETWORK));
        files.extend(
            CERTIFICATE_VARIABLES
                .iter()
                .filter_map(env::var_os)
                .flat_map(|value| env::split_paths(&value).collect::<Vec<_>>()),
        );
    }
    if needs.profile {
        files.extend(paths(&LIBRARIES));
    }
    files
}

/// The rights that make sense for what the path is: the kernel refuses those of folders on files.
fn fitting(path: &Path, access: BitFlags<AccessFs>) -> BitFlags<AccessFs> {
    if path.is_dir() { access } else { access & AccessFs::from_file(NEWEST) }
}

fn describe(status: &RestrictionStatus) -> String {
    let version = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => format!("Landlock version {}", effective_abi as i32),
        LandlockStatus::NotEnabled => return "unrestricted (Landlock is not turned on in this kernel)".to_owned(),
        LandlockStatus::NotImplemented => return "unrestricted (this kernel has no Landlock)".to_owned(),
    };
    match status.ruleset {
        RulesetStatus::FullyEnforced => version,
        RulesetStatus::PartiallyEnforced => format!("{version}, which restricts a part"),
        RulesetStatus::NotEnforced => format!("unrestricted ({version} does nothing of what was asked for)"),
    }
}
