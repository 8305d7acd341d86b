//! `inject`: writes the present time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dns_replication::exposition::Exposition;
use dns_replication::gss::{Helper, Settings};
use dns_replication::keytab::{Keytab, Principal};
use dns_replication::tsig::{TsigKey, read_key_file};
use dns_replication::update::{self, Injection, Lock, LockError, Outcome, SambaTool};
use dns_replication::{Host, Server};

use super::probing::resolver;
use crate::config::Zone;
use crate::config::options::{Auth, InjectOptions, WriteOptions};
use crate::exit::Exit;
use crate::log;

/// How long writing may take when nobody says.
const TIMEOUT: Duration = Duration::from_secs(30);
const MIN_INTERVAL: Duration = Duration::from_secs(1700);

/// How a run ended; with the status to end with, and why, if not well.
type Ending = Result<Outcome, (Exit, String)>;

/// Stamps every zone, all at once; the worst outcome counts. Says nothing when all is well, for cron.
pub(crate) fn run(options: &InjectOptions, zones: &[Zone]) -> Exit {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            log::error(&format!("cannot start: {error}"));
            return Exit::Unknown;
        }
    };
    let endings = runtime.block_on(all(zones));
    // A look-up of a name may still be on its way, with nobody waiting for it.
    runtime.shutdown_background();
    let is_verbose = options.verbose.is_some_and(|verbose| verbose.0);
    let runs = || zones.iter().zip(&endings);
    let said = runs().map(|(zone, ending)| say(zone, ending, is_verbose)).max().unwrap_or_default();
    said.max(options.textfile.as_deref().map_or(Exit::Ok, |path| textfile(path, runs())))
}

async fn all(zones: &[Zone]) -> Vec<Ending> {
    let run = |zone: Zone| async move {
        let injection = injection(&zone).map_err(|problem| (Exit::Unknown, problem))?;
        one(&injection).await
    };
    let tasks: Vec<_> = zones.iter().cloned().map(|zone| tokio::spawn(run(zone))).collect();
    let mut endings = Vec::with_capacity(tasks.len());
    for task in tasks {
        endings.push(task.await.unwrap_or_else(|error| Err((Exit::Critical, error.to_string()))));
    }
    endings
}

fn say(zone: &Zone, ending: &Ending, is_verbose: bool) -> Exit {
    match ending {
        Err((exit, problem)) => {
            log::error(&format!("zone {}: {problem}", zone.label));
            *exit
        }
        Ok(outcome) if is_verbose => log::print(&format!("{} at {} {outcome}\n", zone.record, primary(zone))),
        Ok(_) => Exit::Ok,
    }
}

fn textfile<'a>(path: &Path, runs: impl Iterator<Item = (&'a Zone, &'a Ending)>) -> Exit {
    let runs: Vec<_> = runs
        .map(|(zone, ending)| update::Run {
            zone: zone.zone.to_string(),
            record: zone.record.to_string(),
            server: primary(zone),
            outcome: ending.as_ref().ok().copied(),
        })
        .collect();
    let mut out = Exposition::default();
    update::metrics(&runs, update::system_clock(), &mut out);
    match out.write_file(path) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            log::error(&format!("{}: {error}", path.display()));
            Exit::Unknown
        }
    }
}

/// The server that is written to, as it is written.
fn primary(zone: &Zone) -> String {
    zone.primary().map(ToString::to_string).unwrap_or_default()
}

/// Stamps one zone.
async fn one(injection: &Injection) -> Result<Outcome, (Exit, String)> {
    let _lock = Lock::take(injection).map_err(|error| match error {
        LockError::Held { .. } => (Exit::Warning, error.to_string()),
        LockError::System { .. } => (Exit::Critical, error.to_string()),
    })?;
    update::inject(injection, update::system_clock).await.map_err(|error| (Exit::Critical, error.to_string()))
}

/// What is to be written in a zone, with its keys read.
pub(super) fn injection(zone: &Zone) -> Result<Injection, String> {
    let server = zone.primary().ok_or("no server to write to")?;
    let resolver =
        if zone.resolvers.is_empty() { None } else { Some(resolver(zone).map_err(|error| format!("{error:#}"))?) };
    let period = |given: Option<Duration>, default| given.unwrap_or(default);
    Ok(Injection {
        server: server.clone(),
        resolver,
        zone: zone.zone.clone(),
        name: zone.record.clone(),
        ttl: zone.write.ttl.map_or(60, |ttl| ttl.0),
        min_interval: period(zone.write.min_interval.map(|word| word.0.0), MIN_INTERVAL),
        max_clock_skew: zone.thresholds.max_clock_skew,
        deadline: period(zone.write.write_timeout.map(|word| word.0.0), TIMEOUT),
        auth: auth(&zone.write, server)?,
    })
}

fn auth(write: &WriteOptions, server: &Server) -> Result<update::Auth, String> {
    let has_key = write.tsig_key.is_some() || write.tsig_key_file.is_some();
    let auth = match write.auth {
        Some(auth) => auth.0,
        None if has_key => Auth::Tsig,
        None if write.keytab.is_some() => Auth::GssTsig,
        None => {
            return Err(
                "it is not clear how to authenticate; give --auth gss-tsig, tsig, none or samba-tool".to_owned()
            );
        }
    };
    match auth {
        Auth::None => Ok(update::Auth::None),
        Auth::Tsig => tsig_key(write).map(update::Auth::Tsig),
        Auth::GssTsig => kerberos(write, server).map(update::Auth::GssTsig),
        Auth::SambaTool => samba_tool(write).map(update::Auth::SambaTool),
    }
}

fn tsig_key(write: &WriteOptions) -> Result<TsigKey, String> {
    match (&write.tsig_key_file, &write.tsig_key) {
        (Some(path), None) => {
            let name = write.tsig_key_name.as_ref().map(|name| name.0.as_str());
            read_key_file(path, name).map_err(|error| error.to_string())
        }
        (None, Some(key)) => key.0.0.parse().map_err(|error| format!("tsig-key: {error}")),
        (Some(_), Some(_)) => Err("give tsig-key-file or tsig-key, not both".to_owned()),
        (None, None) => Err("--auth tsig needs a key; give --tsig-key-file FILE".to_owned()),
    }
}

fn samba_tool(write: &WriteOptions) -> Result<SambaTool, String> {
    let (keytab, principal) = credentials(write, Auth::SambaTool)?;
    let tool = SambaTool { keytab, principal };
    tool.check().map_err(|error| error.to_string())?;
    Ok(tool)
}

fn credentials(write: &WriteOptions, auth: Auth) -> Result<(PathBuf, Principal), String> {
    let keytab = write.keytab.clone().ok_or_else(|| format!("--auth {auth} needs a keytab; give --keytab FILE"))?;
    let principal = match &write.principal {
        Some(principal) => principal.0.parse().map_err(|error| format!("principal: {error}"))?,
        None => only_principal(&keytab)?,
    };
    Ok((keytab, principal))
}

fn kerberos(write: &WriteOptions, server: &Server) -> Result<Settings, String> {
    let (keytab, principal) = credentials(write, Auth::GssTsig)?;
    let service = match (&write.service, &server.host) {
        (Some(service), _) => service.0.parse().map_err(|error| format!("service: {error}"))?,
        (None, Host::Name(host)) => Principal { name: format!("DNS/{host}"), realm: principal.realm.clone() },
        (None, Host::Address(address)) => {
            return Err(format!(
                "Kerberos knows servers by name; give the name of {address}, or --service DNS/HOST@{}",
                principal.realm
            ));
        }
    };
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let helper = Helper { program, arguments: vec![crate::GSS_HELPER.into()] };
    let settings = Settings { keytab, principal, service, helper };
    settings.check().map_err(|error| error.to_string())?;
    Ok(settings)
}

fn only_principal(path: &Path) -> Result<Principal, String> {
    let keytab = Keytab::read(path).map_err(|error| error.to_string())?;
    match keytab.principals()[..] {
        [only] => Ok(only.clone()),
        [] => Err(format!("{} holds no keys", path.display())),
        _ => Err(format!("{} holds keys of several principals; give --principal", path.display())),
    }
}
