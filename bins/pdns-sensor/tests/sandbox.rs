//! Gives privileges up in a process of its own for each case, and tries what is and what is not allowed afterwards.
//!
//! Has its own `main`, for privileges are given up before there is a second thread, and a test harness starts one. The
//! program starts itself again with a case's name; that process prints what happened.

#![expect(clippy::print_stdout, reason = "a test harness of its own")]

#[allow(dead_code, unused_imports, reason = "the program's own module, of which this uses a part")]
#[path = "../src/privileges/mod.rs"]
mod privileges;

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;

use privileges::{Group, Needs, Privileges, User, give_up};
use rustix::net::{AddressFamily, SocketType};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// What a child is told.
const CASE: &str = "SANDBOX_CASE";
const FOLDER: &str = "SANDBOX_FOLDER";
const PORT: &str = "SANDBOX_PORT";

fn main() -> ExitCode {
    match std::env::var(CASE) {
        Ok(case) => {
            inside(&case);
            ExitCode::SUCCESS
        }
        Err(_) => run_tests(),
    }
}

const TESTS: [(&str, fn()); 9] = [
    ("files", files),
    ("hostile_calls_end_the_program", hostile_calls),
    ("needless_calls_fail", needless_calls),
    ("sockets", sockets),
    ("threads", threads),
    ("ids", ids),
    ("root_keeps_what_its_files_take", files_of_others),
    ("kernels_that_lack_something", older_kernels),
    ("mistakes", mistakes),
];

fn run_tests() -> ExitCode {
    let names: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let chosen = TESTS.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|part| name.contains(part)));
    let mut failed = 0;
    for (name, test) in chosen {
        let ok = std::panic::catch_unwind(test).is_ok();
        println!("test {name} ... {}", if ok { "ok" } else { "FAILED" });
        failed += u32::from(!ok);
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

//---- The tests

fn files() {
    let folder = Folder::new();
    folder.file("read.txt");
    folder.file("other.txt");
    fs::create_dir(folder.0.path().join("logs")).unwrap();
    let run = Child::run("files", &folder);
    run.prints(&[
        "read read.txt: ok",
        "write read.txt: PermissionDenied",
        "read other.txt: PermissionDenied",
        "write other.txt: PermissionDenied",
        "read /etc/passwd: PermissionDenied",
        "list /: PermissionDenied",
        "write logs/a: ok",
        "rename logs/a: ok",
        "list logs: ok",
        "delete logs/b: ok",
        "write new.txt: PermissionDenied",
        "read /proc/self/stat: ok",
        "read /proc/1/stat: PermissionDenied",
    ]);
    fs::create_dir(folder.0.path().join("archive")).unwrap();
    folder.file("archive/one.pem");
    std::os::unix::fs::symlink("archive/one.pem", folder.0.path().join("cert.pem")).unwrap();
    let lines = ["read cert.pem: ok", "read archive/two.pem: ok", "write cert.pem: PermissionDenied"];
    Child::run("replaced file", &folder).prints(&lines);
}

fn hostile_calls() {
    for case in ["execve", "chroot", "unshare"] {
        let run = Child::run(case, &Folder::new());
        assert_eq!((run.signal, run.stdout.as_str()), (Some(libc::SIGSYS), ""), "{case}: {}", run.stderr);
    }
}

fn needless_calls() {
    Child::run("needless", &Folder::new()).prints(&[
        "start another program: PermissionDenied",
        "leave the session: Unsupported",
        "signal the parent: PermissionDenied",
        "raise a limit: PermissionDenied",
    ]);
}

fn sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let run = |case| Child::run_with(case, &Folder::new(), |command| command.env(PORT, &port));
    run("no network").prints(&[
        "packet socket: PermissionDenied",
        "unix socket: ok",
        "udp socket: PermissionDenied",
        "connect: PermissionDenied",
        "listen: PermissionDenied",
        "look up localhost: error",
    ]);
    run("network").prints(&[
        "packet socket: PermissionDenied",
        "unix socket: ok",
        "udp socket: ok",
        "connect: ok",
        "listen: PermissionDenied",
        "look up localhost: ok",
    ]);
}

fn threads() {
    let run = Child::run("threads", &Folder::new());
    run.prints(&["8 threads: ok", "each has no_new_privs: true", "each has filters: true"]);
}

fn ids() {
    if !rustix::process::geteuid().is_root() {
        return skip("no root");
    }
    Child::run("user", &Folder::new()).prints(&[
        "running as uid 65534 gid 65534 with no capability",
        "Uid 65534 65534 65534 65534",
        "Gid 65534 65534 65534 65534",
        "Groups",
        "CapInh 0000000000000000",
        "CapPrm 0000000000000000",
        "CapEff 0000000000000000",
        "CapBnd 0000000000000000",
        "CapAmb 0000000000000000",
        "NoNewPrivs 1",
        "Seccomp 2",
    ]);
    Child::run("keep net raw", &Folder::new()).prints(&[
        "running as uid 65534 gid 1 with CAP_NET_RAW",
        "CapInh 0000000000000000",
        "CapPrm 0000000000002000",
        "CapEff 0000000000002000",
        "CapBnd 0000000000000000",
        "CapAmb 0000000000000000",
        "packet socket: ok",
    ]);
    let root = Folder::new();
    fs::create_dir(root.0.path().join("logs")).unwrap();
    Child::run("new root", &root).prints(&["list /: logs", "write /logs/a: ok", "write /a: PermissionDenied"]);
}

fn files_of_others() {
    if !rustix::process::geteuid().is_root() {
        return skip("no root");
    }
    let folder = Folder::new();
    let locked = folder.0.path().join("locked");
    fs::create_dir(&locked).unwrap();
    std::os::unix::fs::chown(&locked, Some(65534), Some(65534)).unwrap();
    fs::set_permissions(&locked, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    Child::run("locked folder", &folder)
        .prints(&["running as uid 0 gid 0 with CAP_DAC_OVERRIDE", "write locked/a: ok"]);
    let refused = Child::run("locked folder of another user", &folder);
    refused.prints(&[&format!(
        "user 'daemon' is to continue, and has to reach what is read and written: cannot make files in {}: Permission denied",
        locked.display()
    )]);
}

fn older_kernels() {
    let folder = Folder::new();
    folder.file("other.txt");
    Child::run("no landlock", &folder).prints(&[
        "files: unrestricted (this kernel has no Landlock); system calls: seccomp",
        "read other.txt: ok",
        "leave the session: Unsupported",
    ]);
    let run = Child::run("no seccomp", &folder);
    assert!(
        run.stdout.contains("; system calls: unrestricted (this kernel has no seccomp: ")
            && run.stdout.ends_with("read other.txt: PermissionDenied\n"),
        "{}",
        run.stdout
    );
    Child::run("no sandbox", &folder).prints(&[
        "no sandbox, as asked for",
        "read other.txt: ok",
        "NoNewPrivs 1",
        "Seccomp 0",
    ]);
}

fn mistakes() {
    let folder = Folder::new();
    Child::run("second thread", &folder)
        .prints(&["2 threads are running where privileges are to be given up; there may be one"]);
    if rustix::process::geteuid().is_root() {
        let run = Child::run_with("no right to change", &folder, |command| command.uid(65534).gid(65534));
        run.prints(&[
            "cannot continue as user 'daemon': it takes root, or the capabilities CAP_SETUID and CAP_SETGID; this is uid 65534 \
             gid 65534",
            "cannot make / the root: it takes root, or the capability CAP_SYS_CHROOT; this is uid 65534 gid 65534",
            "nobody stays nobody: ok",
        ]);
    }
}

//---- What the children do

fn inside(case: &str) {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let at = |name: &str| folder.join(name);
    let sandbox = Privileges { sandbox: true, ..Privileges::default() };
    let nobody = || Some(User::find("65534").unwrap());
    match case {
        "files" => {
            let needs = Needs { reads: vec![at("read.txt")], folders: vec![at("logs")], ..Needs::default() };
            give_up(&sandbox, &needs).unwrap();
            for name in ["read.txt", "other.txt"] {
                tell(&format!("read {name}"), fs::read(at(name)));
                tell(&format!("write {name}"), File::options().append(true).open(at(name)));
            }
            tell("read /etc/passwd", fs::read("/etc/passwd"));
            tell("list /", fs::read_dir("/"));
            tell("write logs/a", fs::write(at("logs/a"), "a"));
            tell("rename logs/a", fs::rename(at("logs/a"), at("logs/b")));
            tell("list logs", fs::read_dir(at("logs")));
            tell("delete logs/b", fs::remove_file(at("logs/b")));
            tell("write new.txt", fs::write(at("new.txt"), "a"));
            tell("read /proc/self/stat", fs::read("/proc/self/stat"));
            tell("read /proc/1/stat", fs::read("/proc/1/stat"));
        }
        "replaced file" => {
            fs::write(at("archive/two.pem"), "two").unwrap();
            give_up(&sandbox, &Needs { rereads: vec![at("cert.pem")], ..Needs::default() }).unwrap();
            tell("read cert.pem", fs::read(at("cert.pem")));
            tell("read archive/two.pem", fs::read(at("archive/two.pem")));
            tell("write cert.pem", fs::write(at("cert.pem"), "x"));
        }
        "execve" => {
            give_up(&sandbox, &Needs::default()).unwrap();
            tell("execve", Err::<(), _>(Command::new("/bin/true").exec()));
        }
        "chroot" => {
            give_up(&sandbox, &Needs::default()).unwrap();
            tell("chroot", nix::unistd::chroot("/").map_err(io::Error::from));
        }
        "unshare" => {
            give_up(&sandbox, &Needs::default()).unwrap();
            tell("unshare", nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER).map_err(io::Error::from));
        }
        "needless" => {
            let parent = rustix::process::getppid().unwrap();
            give_up(&sandbox, &Needs::default()).unwrap();
            tell("start another program", Command::new("/bin/true").status());
            tell("leave the session", leave_session());
            tell("signal the parent", rustix::process::test_kill_process(parent).map_err(io::Error::from));
            let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
            tell(
                "raise a limit",
                rustix::process::setrlimit(rustix::process::Resource::Core, limit).map_err(io::Error::from),
            );
        }
        "no network" | "network" => {
            give_up(&sandbox, &Needs { network: case == "network", ..Needs::default() }).unwrap();
            tell("packet socket", packet_socket());
            tell("unix socket", UnixDatagram::unbound());
            tell("udp socket", UdpSocket::bind("127.0.0.1:0"));
            let port: u16 = std::env::var(PORT).unwrap().parse().unwrap();
            tell("connect", TcpStream::connect(("127.0.0.1", port)));
            tell("listen", TcpListener::bind("127.0.0.1:0"));
            let found = ("localhost", 0).to_socket_addrs().is_ok();
            println!("look up localhost: {}", if found { "ok" } else { "error" });
        }
        "threads" => {
            give_up(&sandbox, &Needs::default()).unwrap();
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let named = thread::Builder::new().name(format!("thread {number}"));
                    named.spawn(|| fs::read_to_string("/proc/thread-self/status").unwrap()).unwrap()
                })
                .collect();
            let all: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
            println!("{} threads: ok", all.len());
            println!("each has no_new_privs: {}", all.iter().all(|status| status.contains("NoNewPrivs:\t1\n")));
            println!("each has filters: {}", all.iter().all(|status| status.contains("Seccomp:\t2\n")));
        }
        "user" => {
            let state = give_up(&Privileges { user: nobody(), ..sandbox }, &Needs::default()).unwrap();
            println!("{}", state.to_string().split(';').next().unwrap());
            tell_status(&["Uid", "Gid", "Groups", "Cap", "NoNewPrivs", "Seccomp"]);
        }
        "keep net raw" => {
            let group = Some(Group::find("1").unwrap());
            let privileges = Privileges { user: nobody(), group, keep_net_raw: true, ..sandbox };
            let state = give_up(&privileges, &Needs { live: true, ..Needs::default() }).unwrap();
            println!("{}", state.to_string().split(';').next().unwrap());
            tell_status(&["Cap"]);
            tell("packet socket", packet_socket());
        }
        "new root" => {
            let privileges = Privileges { chroot: Some(folder.clone()), ..sandbox };
            give_up(&privileges, &Needs { folders: vec![at("logs")], reads: vec![folder.clone()], ..Needs::default() })
                .unwrap();
            let names: Vec<_> = fs::read_dir("/").unwrap().map(|entry| entry.unwrap().file_name()).collect();
            println!("list /: {}", names.iter().map(|name| name.to_str().unwrap()).collect::<String>());
            tell("write /logs/a", fs::write("/logs/a", "a"));
            tell("write /a", fs::write("/a", "a"));
        }
        "locked folder" => {
            let state = give_up(&sandbox, &Needs { folders: vec![at("locked")], ..Needs::default() }).unwrap();
            println!("{}", state.to_string().split(';').next().unwrap());
            tell("write locked/a", fs::write(at("locked/a"), "a"));
        }
        "locked folder of another user" => {
            let privileges = Privileges { user: Some(User::find("daemon").unwrap()), ..sandbox };
            tell_error(&privileges, &Needs { folders: vec![at("locked")], ..Needs::default() });
        }
        "no landlock" | "no seccomp" => {
            let (call, error) = match case {
                "no landlock" => (libc::SYS_landlock_create_ruleset, libc::ENOSYS),
                _ => (libc::SYS_seccomp, libc::EINVAL),
            };
            refuse(call, error);
            let state = give_up(&sandbox, &Needs::default()).unwrap().to_string();
            println!("{}", state.split_once("; ").unwrap().1);
            tell("read other.txt", fs::read(at("other.txt")));
            if case == "no landlock" {
                tell("leave the session", leave_session());
            }
        }
        "no sandbox" => {
            let state = give_up(&Privileges::default(), &Needs::default()).unwrap().to_string();
            println!("{}", state.split_once("; ").unwrap().1);
            tell("read other.txt", fs::read(at("other.txt")));
            tell_status(&["NoNewPrivs", "Seccomp"]);
        }
        "second thread" => {
            let waiting = thread::spawn(thread::park);
            tell_error(&sandbox, &Needs::default());
            waiting.thread().unpark();
            waiting.join().unwrap();
        }
        "no right to change" => {
            let daemon = Some(User::find("daemon").unwrap());
            tell_error(&Privileges { user: daemon, ..Privileges::default() }, &Needs::default());
            tell_error(&Privileges { chroot: Some("/".into()), ..Privileges::default() }, &Needs::default());
            let same = give_up(&Privileges { user: nobody(), ..sandbox }, &Needs::default());
            println!("nobody stays nobody: {}", if same.is_ok() { "ok" } else { "error" });
        }
        _ => unreachable!("no case {case}"),
    }
}

/// What a kernel or a container would do to a system call.
fn refuse(call: i64, error: i32) {
    let refused = SeccompAction::Errno(error.cast_unsigned());
    let machine = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new([(call, Vec::new())].into(), SeccompAction::Allow, refused, machine).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

fn packet_socket() -> io::Result<impl Sized> {
    Ok(rustix::net::socket(AddressFamily::PACKET, SocketType::RAW, None)?)
}

fn leave_session() -> io::Result<impl Sized> {
    Ok(nix::unistd::setsid()?)
}

fn tell<T>(what: &str, result: io::Result<T>) {
    match result {
        Ok(_) => println!("{what}: ok"),
        Err(error) => println!("{what}: {:?}", error.kind()),
    }
}

fn tell_error(privileges: &Privileges, needs: &Needs) {
    println!("{:#}", give_up(privileges, needs).unwrap_err());
}

fn tell_status(fields: &[&str]) {
    for line in fs::read_to_string("/proc/self/status").unwrap().lines() {
        let (name, value) = line.split_once(':').unwrap();
        if name != "Seccomp_filters" && fields.iter().any(|field| name.starts_with(field)) {
            println!("{}", format!("{name} {}", value.split_whitespace().collect::<Vec<_>>().join(" ")).trim_end());
        }
    }
}

//---- Running them

struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder that everyone may enter.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) {
        fs::write(self.0.path().join(name), name).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

struct Child {
    signal: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Child {
    fn run(case: &str, folder: &Folder) -> Self {
        Self::run_with(case, folder, |command| command)
    }

    fn run_with(case: &str, folder: &Folder, prepare: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        // Through /proc, for a file that only root can reach is still the child's program.
        let mut command = Command::new("/proc/self/exe");
        command.env(CASE, case).env(FOLDER, folder.path());
        let output = prepare(&mut command).output().unwrap();
        Self {
            signal: output.status.signal(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn prints(&self, lines: &[&str]) {
        let expected: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(self.stdout, expected, "{}", self.stderr);
    }
}

/// Says why a test does nothing.
fn skip(reason: &str) {
    assert!(std::env::var_os("PDNS_REQUIRE_RIGS").is_none_or(|value| value != "1"), "cannot be skipped: {reason}");
    writeln!(io::stderr(), "skipped: {reason}").ok();
}
