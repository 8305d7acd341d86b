//! `inject`: writes the present time.

use std::time::Duration;

use dns_replication::tsig::{TsigKey, read_key_file};
use dns_replication::update::{self, Injection, Lock, LockError};
use tokio::task::JoinSet;

use crate::config::Zone;
use crate::config::options::{Auth, InjectOptions, WriteOptions};
use crate::exit::Exit;
use crate::log;

/// How long writing may take when nobody says.
const TIMEOUT: Duration = Duration::from_secs(30);
const MIN_INTERVAL: Duration = Duration::from_secs(1700);

/// Stamps every zone, all at once; the worst outcome counts. Says nothing when all is well, for cron.
pub(crate) fn run(_options: &InjectOptions, zones: &[Zone]) -> Exit {
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
    worst = worst.max(runtime.block_on(all(injections)));
    // A look-up of a name may still be on its way, with nobody waiting for it.
    runtime.shutdown_background();
    worst
}

async fn all(injections: Vec<(String, Injection)>) -> Exit {
    let mut runs = JoinSet::new();
    for (label, injection) in injections {
        runs.spawn(async move {
            let exit = one(&injection).await;
            exit.map_err(|(exit, problem)| (exit, format!("zone {label}: {problem}")))
        });
    }
    let mut worst = Exit::Ok;
    while let Some(joined) = runs.join_next().await {
        let (exit, problem) = match joined {
            Ok(Ok(())) => continue,
            Ok(Err(failure)) => failure,
            Err(error) => (Exit::Critical, error.to_string()),
        };
        log::error(&problem);
        worst = worst.max(exit);
    }
    worst
}

/// Stamps one zone.
async fn one(injection: &Injection) -> Result<(), (Exit, String)> {
    let _lock = Lock::take(injection).map_err(|error| match error {
        LockError::Held { .. } => (Exit::Warning, error.to_string()),
        LockError::System { .. } => (Exit::Critical, error.to_string()),
    })?;
    match update::inject(injection, update::system_clock).await {
        Ok(_) => Ok(()),
        Err(error) => Err((Exit::Critical, error.to_string())),
    }
}

/// What is to be written in a zone, with its keys read.
pub(super) fn injection(zone: &Zone) -> Result<Injection, String> {
    let server = zone.primary().ok_or("no server to write to")?.clone();
    let period = |given: Option<Duration>, default| given.unwrap_or(default);
    Ok(Injection {
        server,
        zone: zone.zone.clone(),
        name: zone.record.clone(),
        ttl: zone.write.ttl.map_or(60, |ttl| ttl.0),
        min_interval: period(zone.write.min_interval.map(|word| word.0.0), MIN_INTERVAL),
        max_clock_skew: zone.max_clock_skew,
        deadline: period(zone.write.write_timeout.map(|word| word.0.0), TIMEOUT),
        auth: auth(&zone.write)?,
    })
}

fn auth(write: &WriteOptions) -> Result<update::Auth, String> {
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
        Auth::GssTsig | Auth::SambaTool => Err(format!("this build cannot do --auth {auth}")),
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
