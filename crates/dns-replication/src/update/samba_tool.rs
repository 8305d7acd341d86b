//! Writing by `samba-tool dns`, over RPC, for zones of Active Directory that take no dynamic updates.
//!
//! ```text
//! kinit -k -t KEYTAB PRINCIPAL
//! samba-tool dns add SERVER ZONE NAME TXT NEW      or      samba-tool dns update SERVER ZONE NAME TXT OLD NEW
//! kdestroy
//! ```
//! No shell is involved. The credential cache is in a directory that only this user can enter, and which is removed.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;

use super::message::Prerequisite;
use crate::gss::CredentialError;
use crate::keytab::{Keytab, Principal};
use crate::stamp::{strings, time};

/// Who writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SambaTool {
    /// The file with the principal's keys.
    pub keytab: PathBuf,
    /// Who writes.
    pub principal: Principal,
}

/// What is to be written, as `samba-tool` is told it.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    pub(super) server: &'a str,
    pub(super) zone: &'a str,
    /// The record's full name.
    pub(super) name: &'a str,
    pub(super) value: u64,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Written,
    /// The record was not there any more.
    Changed,
}

/// Why `samba-tool` did not write.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SambaToolError {
    /// A program cannot be run.
    #[error("cannot run {program}: {source}; install it (Debian: {package})")]
    Run {
        /// The program.
        program: &'static str,
        /// Where it comes from.
        package: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is no place for the credentials.
    #[error("cannot make a directory for the credential cache: {0}")]
    Cache(std::io::Error),
    /// A program says no.
    #[error("{program} says: {message}{}", advice(message))]
    Failed {
        /// The program.
        program: &'static str,
        /// Its last words.
        message: String,
    },
}

impl SambaTool {
    /// Reads the keytab and says whether the principal's key is in it.
    ///
    /// # Errors
    /// It cannot be read, or does not have the principal.
    pub fn check(&self) -> Result<(), CredentialError> {
        let missing = |source| CredentialError::Principal { path: self.keytab.clone(), source };
        Keytab::read(&self.keytab)?.check(&self.principal).map_err(missing)
    }

    /// Writes a record in place of the one that was read. Programs that are running when the future is dropped are killed.
    pub(super) async fn write(&self, record: Record<'_>, read: &Prerequisite) -> Result<Done, SambaToolError> {
        let directory = tempfile::Builder::new().prefix("dns-stamp-").tempdir().map_err(SambaToolError::Cache)?;
        let cache = directory.path().join("ccache");
        let kinit = ["-k", "-t"].map(str::to_owned).into_iter();
        let kinit = kinit.chain([self.keytab.display().to_string(), self.principal.to_string()]);
        let output = self.run("kinit", "krb5-user", &cache, kinit).await?;
        succeeded("kinit", &output)?;

        let output = self.run("samba-tool", "samba-common-bin", &cache, arguments(&record, read).into_iter()).await?;
        // The directory takes the credentials with it, if this should fail.
        self.run("kdestroy", "krb5-user", &cache, std::iter::empty()).await.ok();
        match succeeded("samba-tool", &output) {
            Ok(()) => Ok(Done::Written),
            Err(SambaToolError::Failed { message, .. }) if message.contains("Record or zone does not exist") => {
                Ok(Done::Changed)
            }
            Err(error) => Err(error),
        }
    }

    async fn run(
        &self,
        program: &'static str,
        package: &'static str,
        cache: &Path,
        arguments: impl Iterator<Item = String>,
    ) -> Result<Output, SambaToolError> {
        let mut command = Command::new(program);
        command.args(arguments).env("KRB5CCNAME", cache).env("LC_ALL", "C").stdin(Stdio::null()).kill_on_drop(true);
        command.output().await.map_err(|source| SambaToolError::Run { program, package, source })
    }
}

/// What `samba-tool` is called with.
fn arguments(record: &Record<'_>, read: &Prerequisite) -> Vec<String> {
    let old = match read {
        Prerequisite::Exactly(records) => newest(records),
        Prerequisite::Absent => None,
    };
    let verb = if old.is_some() { "update" } else { "add" };
    let name = match record.name.strip_suffix(record.zone) {
        Some("") => "@",
        Some(relative) => relative.trim_end_matches('.'),
        None => record.name,
    };
    let mut arguments = ["dns", verb, record.server, record.zone, name, "TXT"].map(str::to_owned).to_vec();
    arguments.extend(old);
    arguments.extend([record.value.to_string(), "--use-kerberos=required".to_owned()]);
    arguments
}

/// The record with the newest time, as `samba-tool` wants to be told it: it can replace one record, not several.
fn newest(records: &[Vec<u8>]) -> Option<String> {
    let time = |rdata: &&Vec<u8>| strings(rdata).into_iter().filter_map(time).max();
    let newest = records.iter().filter(|rdata| time(rdata).is_some()).max_by_key(time)?;
    let strings: Vec<String> = strings(newest).into_iter().map(quoted).collect();
    Some(strings.join(" "))
}

/// A string in the quotation marks that Python's `shlex` takes off.
fn quoted(string: &[u8]) -> String {
    let text = String::from_utf8_lossy(string);
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn succeeded(program: &'static str, output: &Output) -> Result<(), SambaToolError> {
    if output.status.success() {
        return Ok(());
    }
    let text = [&output.stderr[..], &output.stdout[..]].map(String::from_utf8_lossy).concat();
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    // What comes after it may be where in its source it happened.
    let error = lines().rfind(|line| line.starts_with("ERROR")).or_else(|| lines().next_back());
    let message = error.map_or_else(|| output.status.to_string(), str::to_owned);
    Err(SambaToolError::Failed { program, message })
}

/// What is to be done about a message.
fn advice(message: &str) -> &'static str {
    if message.contains("WERR_ACCESS_DENIED") {
        "; the account has to be a member of DnsAdmins"
    } else if message.contains("ZONE_DOES_NOT_EXIST") {
        "; the server does not have the zone"
    } else if message.contains("while getting initial credentials") {
        "; does the keytab fit the account, and is a KDC reachable?"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, read: &Prerequisite) -> String {
        let record = Record { server: "dc1.local.lan", zone: "local.lan", name, value: 1_585_917_601 };
        arguments(&record, read).join(" ")
    }

    #[test]
    fn a_missing_record_is_added_and_the_newest_replaced() {
        assert_eq!(
            told("stamp.local.lan", &Prerequisite::Absent),
            "dns add dc1.local.lan local.lan stamp TXT 1585917601 --use-kerberos=required"
        );
        let records = [&b"\x03old"[..], b"\x011", b"\x0212\x05\"\\ \xc3\xa9"].map(<[u8]>::to_vec);
        assert_eq!(
            told("local.lan", &Prerequisite::Exactly(records.to_vec())),
            "dns update dc1.local.lan local.lan @ TXT \"12\" \"\\\"\\\\ é\" 1585917601 --use-kerberos=required"
        );
        assert_eq!(
            told("a.b.local.lan", &Prerequisite::Exactly(records[..1].to_vec())),
            "dns add dc1.local.lan local.lan a.b TXT 1585917601 --use-kerberos=required"
        );
    }

    #[test]
    fn the_last_words_say_what_to_do() {
        let failed = |text: &str| {
            let status = std::os::unix::process::ExitStatusExt::from_raw(256);
            let output = Output { status, stdout: Vec::new(), stderr: text.as_bytes().to_vec() };
            succeeded("samba-tool", &output).unwrap_err().to_string()
        };
        assert_eq!(
            failed(
                "WARNING: x\nERROR(runtime): uncaught exception - (5, 'WERR_ACCESS_DENIED')\n  File \"x\", line 1\n"
            ),
            "samba-tool says: ERROR(runtime): uncaught exception - (5, 'WERR_ACCESS_DENIED'); the account has to be a \
             member of DnsAdmins"
        );
        assert_eq!(failed(""), "samba-tool says: exit status: 1");
    }
}
