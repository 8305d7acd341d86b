//! How records wait for a sink: what is said for all, and what a `[[sink]]` table says otherwise.

use std::time::Duration;

use pdns_sink::spool::{self, SyncPolicy};
use pdns_sink::{Settings, WhenFull};

use crate::config::{COMMON, Config, Findings, SinkTable};

/// What holds for all sinks.
pub(super) struct Queues<'a> {
    pub config: &'a Config,
    /// A live capture cannot wait, and a file can.
    pub is_live: bool,
}

impl Queues<'_> {
    /// The settings of a sink of this kind.
    pub(super) fn settings(&self, kind: &'static str, table: Option<&SinkTable>, findings: &mut Findings) -> Settings {
        let of = |flag: &str| {
            debug_assert!(COMMON.contains(&flag), "{flag}");
            table.map(|table| &table.config).filter(|own| own.place(flag).is_some()).unwrap_or(self.config)
        };
        let usual = Settings::new(kind);
        let spool = self.spool(kind, table, of, findings);
        let when_full = of("when-full").text("when-full").map(|policy| policy.to_ascii_lowercase());
        if when_full.as_deref() == Some("spool") && spool.is_none() && !is_local(kind) {
            let place = of("when-full").place("when-full").unwrap_or_default();
            let problem = format!("{place}: 'spool' needs a folder: --spool-dir is needed as well");
            if !findings.problems.contains(&problem) {
                findings.problems.push(problem);
            }
        }
        Settings {
            name: table.map_or_else(|| kind.to_owned(), |table| table.name.clone()),
            when_full: match when_full.as_deref() {
                Some("block") => WhenFull::Block,
                Some("drop") => WhenFull::Drop,
                // What the spool has no room for, either.
                Some("spool") if spool.is_some() => WhenFull::Drop,
                _ if self.is_live => WhenFull::Drop,
                _ => WhenFull::Block,
            },
            queue_bytes: of("queue-size").number::<usize>("queue-size").map_or(usual.queue_bytes, |mib| mib << 20),
            retry_max: of("retry-max").time("retry-max").map_or(usual.retry_max, nanos),
            dead_letters: of("dead-letters").path("dead-letters"),
            spool,
            ..usual
        }
    }

    fn spool<'a>(
        &self,
        kind: &str,
        table: Option<&SinkTable>,
        of: impl Fn(&str) -> &'a Config,
        findings: &mut Findings,
    ) -> Option<spool::Settings> {
        let own = table.filter(|table| table.config.place("spool-dir").is_some());
        // What is written here anyway need not be kept for later here.
        if own.is_none() && is_local(kind) {
            return None;
        }
        let config = of("spool-dir");
        let folder = config.path("spool-dir")?;
        if let Err(error) = folder.read_dir() {
            let place = config.place("spool-dir").unwrap_or_default();
            let problem = format!("{place}: {}: {error}; the folder has to be there", folder.display());
            if !findings.problems.contains(&problem) {
                findings.problems.push(problem);
            }
        }
        let size = of("spool-size").number::<u64>("spool-size").unwrap_or(1024);
        Some(spool::Settings {
            folder: folder.join(table.map_or(kind, |table| &table.name)),
            max_bytes: size << 20,
            sync: sync(of("spool-sync"), findings),
            always: of("spool-always").switch("spool-always"),
        })
    }
}

/// Whether a sink writes on this machine, as its spool would.
fn is_local(kind: &str) -> bool {
    matches!(kind, "stdout" | "file")
}

fn sync(config: &Config, findings: &mut Findings) -> SyncPolicy {
    let text = config.text("spool-sync").unwrap_or_default();
    match text.to_ascii_lowercase().as_str() {
        "" | "always" => return SyncPolicy::Always,
        "never" => return SyncPolicy::Never,
        _ => {}
    }
    humantime::parse_duration(&text).map_or_else(
        |_| {
            let place = config.place("spool-sync").unwrap_or_default();
            let problem = format!("{place}: '{text}' is not always, never, or a time such as 1s");
            if !findings.problems.contains(&problem) {
                findings.problems.push(problem);
            }
            SyncPolicy::Always
        },
        SyncPolicy::Every,
    )
}

const fn nanos(nanos: i64) -> Duration {
    Duration::from_nanos(nanos.unsigned_abs())
}
