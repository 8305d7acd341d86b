//! `inject`: writes the present time.

use std::path::Path;
use std::time::Duration;

use dns_replication::gss::{Helper, Settings};
use dns_replication::keytab::{Keytab, Principal};
use dns_replication::tsig::{TsigKey, read_key_file};
use dns_replication::update::{self, Injection, Lock, LockError, Outcome};
use dns_replication::{Host, Server};
use tokio::task::JoinSet;

use crate::config::Zone;
use crate::config::options::{Auth, InjectOptions, WriteOptions};
use crate::exit::Exit;
use crate::log;

/// How long writing may take when nobody says.
const TIMEOUT: Duration = Duration::from_secs(30);
const MIN_INTERVAL: Duration = Duration::from_secs(1700);

/// Stamps every zone, all at once; the worst outcome counts. Says nothing when all is well, for cron.
pub(crate) fn run(options: &InjectOptions, zones: &[Zone]) -> Exit {
    let mut injections = Vec::new();
    let mut worst = Exit::Ok;
    for zone in zones {
        match injection(zone) {
            Ok(injection) => injections.push((zone.label.clone(), injection)),
            Err(problem) => {
                log::error(&format!("zone {}: {problem}", zone.label));
                worst = worst.max(Exit::Unknown);
            }
        }
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            log::error(&format!("cannot start: {error}"));
            return Exit::Unknown;
        }
    };
    worst = worst.max(runtime.block_on(all(injections, options.verbose.is_some_and(|verbose| verbose.0))));
    // A look-up of a name may still be on its way, with nobody waiting for it.
    runtime.shutdown_background();
    worst
}

async fn all(injections: Vec<(String, Injection)>, is_verbose: bool) -> Exit {
    let mut runs = JoinSet::new();
    for (label, injection) in injections {
        runs.spawn(async move {
            let outcome = one(&injection).await;
            let outcome = outcome.map(|outcome| format!("{} at {} {outcome}\n", injection.name, injection.server));
            outcome.map_err(|(exit, problem)| (exit, format!("zone {label}: {problem}")))
        });
    }
    let mut worst = Exit::Ok;
    while let Some(joined) = runs.join_next().await {
        let (exit, problem) = match joined {
            Ok(Ok(done)) => {
                if is_verbose {
                    worst = worst.max(log::print(&done));
                }
                continue;
            }
            Ok(Err(failure)) => failure,
            Err(error) => (Exit::Critical, error.to_string()),
        };
        log::error(&problem);
        worst = worst.max(exit);
    }
    worst
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
    let period = |given: Option<Duration>, default| given.unwrap_or(default);
    Ok(Injection {
        server: server.clone(),
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
        Auth::SambaTool => Err(format!("this build cannot do --auth {auth}")),
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

fn kerberos(write: &WriteOptions, server: &Server) -> Result<Settings, String> {
    let keytab = write.keytab.clone().ok_or("--auth gss-tsig needs a keytab; give --keytab FILE")?;
    let principal = match &write.principal {
        Some(principal) => principal.0.parse().map_err(|error| format!("principal: {error}"))?,
        None => only_principal(&keytab)?,
    };
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
