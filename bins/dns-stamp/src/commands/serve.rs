//! `serve`: answers Prometheus until it is told to end.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use dns_replication::exporter::{self, Exporter, Settings, TlsSettings, Users, Watched};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::probing::{block_on, concurrency, plan, resolver};
use crate::cli::Line;
use crate::config::options::ServeOptions;
use crate::config::{Config, Findings, Zone};
use crate::exit::Exit;
use crate::log;

/// Where Prometheus and people find it unless somebody says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9543);

/// Serves until SIGTERM or SIGINT; on SIGHUP with settings read anew.
pub(crate) fn run(line: &Line, options: &ServeOptions, zones: &[Zone]) -> Exit {
    let settings = match settings(options, zones) {
        Ok(settings) => settings,
        Err(error) => {
            log::error(&format!("{error:#}"));
            return Exit::Unknown;
        }
    };
    let served = block_on(serve(line, listen(options), settings)).and_then(|served| served);
    match served {
        Ok(()) => Exit::Ok,
        Err(error) => {
            log::error(&error.to_string());
            Exit::Critical
        }
    }
}

async fn serve(line: &Line, address: SocketAddr, settings: Settings) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(named)?;
    let has_tls = settings.tls.is_some();
    let exporter = Arc::new(Exporter::new(settings, concurrency()));
    let mut hangups = signal(SignalKind::hangup())?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let scheme = if has_tls { "https" } else { "http" };
    log::info(&format!("listening on {scheme}://{}/", listener.local_addr()?));
    let end = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let reloads = async {
        while hangups.recv().await.is_some() {
            reload(line, &exporter, address);
        }
    };
    let serving = exporter::serve(listener, Arc::clone(&exporter), end);
    tokio::select! {
        () = serving => {}
        () = reloads => {}
    }
    Ok(())
}

/// Reads all settings anew. When anything is wrong with them the old ones stay.
fn reload(line: &Line, exporter: &Exporter, address: SocketAddr) {
    let mut findings = Findings::default();
    let config = Config::read(line, &mut findings);
    let zones = config.zones(line, &mut findings);
    if findings.problems.is_empty() {
        match settings(&config.serve, &zones) {
            Ok(settings) => exporter.reload(settings),
            Err(error) => findings.problems.push(format!("{error:#}")),
        }
    }
    if !findings.problems.is_empty() {
        exporter.reload_failed();
        findings.problems.iter().for_each(|problem| log::error(&format!("not reloaded: {problem}")));
        return;
    }
    log::info("reloaded");
    if listen(&config.serve) != address {
        log::warn(&format!("still listening on {address}; another address needs a restart"));
    }
}

fn listen(options: &ServeOptions) -> SocketAddr {
    options.listen.map_or(LISTEN, |listen| listen.0)
}

fn settings(options: &ServeOptions, zones: &[Zone]) -> anyhow::Result<Settings> {
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(TlsSettings::read(certificate, key)?),
        (None, None) => None,
        (Some(_), None) => anyhow::bail!("tls-cert needs tls-key"),
        (None, Some(_)) => anyhow::bail!("tls-key needs tls-cert"),
    };
    let users = options.auth_file.as_deref().map(Users::read).transpose().context("auth-file")?;
    let watched = |zone: &Zone| {
        let (plan, resolver) = (plan(zone), resolver(zone)?);
        Ok(Watched { label: zone.label.clone(), plan, sources: zone.sources.clone(), resolver })
    };
    Ok(Settings {
        zones: zones.iter().map(watched).collect::<anyhow::Result<_>>()?,
        allow_any: options.allow_any.is_some_and(|allow| allow.0),
        users,
        tls,
    })
}
