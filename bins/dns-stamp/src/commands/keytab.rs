//! `keytab`: shows what is in a keytab file.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use dns_replication::keytab::{Entry, Keytab};

use crate::exit::Exit;
use crate::log;

/// Prints the entries of the file, without their keys.
pub(crate) fn run(file: &Path) -> Exit {
    let keytab = match Keytab::read(file) {
        Ok(keytab) => keytab,
        Err(error) => {
            log::error(&error.to_string());
            return Exit::Unknown;
        }
    };
    if keytab.entries.is_empty() {
        log::error(&format!("{} holds no keys", file.display()));
        return Exit::Unknown;
    }
    let lines: String = keytab.entries.iter().map(line).collect();
    log::print(&format!("KVNO  WRITTEN               ENCTYPE                     PRINCIPAL\n{lines}"))
}

fn line(entry: &Entry) -> String {
    let written = match entry.timestamp {
        0 => "-".to_owned(),
        seconds => humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds.into())).to_string(),
    };
    format!("{:<4}  {written:<20}  {:<26}  {}\n", entry.kvno, entry.enctype, entry.principal)
}
