//! The command line, as typed: nothing is opened or checked against another flag here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Parser, ValueEnum};
use pdns_record::Layout;
use pdns_track::Status;

/// Passive DNS sensor: one record of every DNS transaction, from capture files.
#[derive(Debug, Parser)]
// Where a flag is given twice the last one counts, as in gopassivedns.
#[command(name = "pdns-sensor", version, max_term_width = 100, args_override_self = true)]
pub(crate) struct Cli {
    /// Capture file to read, `-` for standard input; repeat for more. pcap or pcapng, plain, gzip or zstd
    ///
    /// The format is recognised by content. Several files are read as one run, in the order given.
    #[arg(long, value_name = "FILE", required = true)]
    pub pcap: Vec<PathBuf>,

    /// What the records look like: a line for each answer, or for each transaction
    #[arg(long, value_name = "LAYOUT", value_enum, default_value_t = Format::Answer)]
    pub format: Format,

    /// Capture filter in libpcap's language; '' is none
    ///
    /// A filter is used exactly as given, on frames as they are in the file.
    #[arg(long, value_name = "FILTER")]
    pub bpf: Option<String>,

    /// UDP and TCP ports that are DNS, as a list [default: 53; any port when --bpf is given]
    #[arg(long, value_name = "PORTS", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    pub ports: Vec<u16>,

    /// Worker threads; 1 does everything in one thread [default: the machine's cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub numprocs: Option<u16>,

    /// How long a query waits for its response, such as 30s or 1m
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = timeout, allow_hyphen_values = true)]
    pub gc_age: i64,

    /// How long after its answer further responses to a query are duplicates
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    pub duplicate_window: i64,

    /// Pair queries and responses whatever their VLAN ids: some mirrors tag the two directions differently
    #[arg(long)]
    pub ignore_vlan: bool,

    /// Name of this sensor in the records [default: the host name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Statuses that are written, as a list; the others are still counted
    #[arg(long, value_name = "STATUSES", value_delimiter = ',', default_value = "answered,unanswered,orphan,duplicate",
          value_parser = status)]
    pub statuses: Vec<Status>,

    /// Use only the first BYTES of each frame [default: all that was captured]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(64..))]
    pub snaplen: Option<u32>,

    /// Write the account of frames, messages and records to FILE at the end, as a JSON object
    #[arg(long, value_name = "FILE")]
    pub stats: Option<PathBuf>,

    /// Write no records to standard output
    #[arg(long, action = ArgAction::SetTrue)]
    pub quiet: bool,

    /// Log what is done, to standard error
    #[arg(long, action = ArgAction::SetTrue)]
    pub debug: bool,
}

/// A record layout, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line for each answer record, with gopassivedns's fields
    Answer,
    /// A line for each transaction, with everything its messages hold
    Transaction,
}

impl From<Format> for Layout {
    fn from(format: Format) -> Self {
        match format {
            Format::Answer => Self::Answer,
            Format::Transaction => Self::Transaction,
        }
    }
}

/// The arguments with gopassivedns's spellings turned into ours: one dash before a long name, underscores inside it.
pub(crate) fn normalised(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut after_separator = false;
    arguments
        .map(|argument| {
            after_separator |= argument == "--";
            match argument.to_str() {
                Some(text) if !after_separator => long_flag(text).map_or(argument, OsString::from),
                _ => argument,
            }
        })
        .collect()
}

/// `-gc_age=-1m` as `--gc-age=-1m`; `None` for what is not the name of a long flag.
fn long_flag(argument: &str) -> Option<String> {
    let name_and_value = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-'))?;
    let (name, value) = match name_and_value.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (name_and_value, None),
    };
    let is_name = name.len() > 1
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'));
    // `-1m` and the like are values.
    if !is_name {
        return None;
    }
    let name = name.replace('_', "-");
    Some(value.map_or_else(|| format!("--{name}"), |value| format!("--{name}={value}")))
}

fn status(text: &str) -> Result<Status, String> {
    Status::ALL
        .into_iter()
        .find(|status| status.name() == text)
        .ok_or_else(|| format!("not one of {}", Status::ALL.map(Status::name).join(", ")))
}

/// A time in nanoseconds. gopassivedns wanted its time-out negative, so a sign is taken and ignored.
fn timeout(text: &str) -> Result<i64, String> {
    match time(text.strip_prefix('-').unwrap_or(text))? {
        0 => Err("must be longer than 0".to_owned()),
        nanos => Ok(nanos),
    }
}

/// A time in nanoseconds, up to a year.
fn time(text: &str) -> Result<i64, String> {
    const YEAR: u64 = 366 * 86_400;
    let duration = humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 30s, 1m or 1m30s"))?;
    if duration.as_secs() > YEAR {
        return Err("longer than a year".to_owned());
    }
    i64::try_from(duration.as_nanos()).map_err(|_| "longer than a year".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn normalise(arguments: &[&str]) -> Vec<OsString> {
        normalised(arguments.iter().map(OsString::from))
    }

    #[test]
    fn clap_accepts_the_definitions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn old_spellings_become_ours() {
        assert_eq!(
            normalise(&["-pcap", "a_b.pcap", "-gc_age=-1m", "--gc_age", "-1m", "-quiet", "-", "-h"]),
            ["--pcap", "a_b.pcap", "--gc-age=-1m", "--gc-age", "-1m", "--quiet", "-", "-h"]
        );
        assert_eq!(normalise(&["--", "-pcap"]), ["--", "-pcap"]);
        assert_eq!(normalise(&["--bpf=udp_x=1"]), ["--bpf=udp_x=1"]);
    }

    #[test]
    fn the_old_negative_timeout_is_accepted() {
        let cli = Cli::parse_from(normalise(&["pdns-sensor", "-pcap", "x", "-gc_age", "-1m"]));
        assert_eq!(cli.gc_age, 60_000_000_000);
        assert_eq!(timeout("1m30s"), Ok(90_000_000_000));
        assert!(timeout("0s").is_err() && timeout("soon").is_err() && timeout("3000000000s").is_err());
    }

    #[test]
    fn the_last_of_several_counts_but_for_inputs() {
        let cli = Cli::parse_from(normalise(&[
            "pdns-sensor",
            "-pcap",
            "x",
            "-name=a",
            "-name=b",
            "-pcap",
            "y",
            "-quiet",
            "-quiet",
        ]));
        assert_eq!((cli.name.as_deref(), cli.pcap.len(), cli.quiet), (Some("b"), 2, true));
    }

    #[test]
    fn statuses_are_checked() {
        let parse = |list| Cli::try_parse_from(["pdns-sensor", "--pcap", "x", "--statuses", list]);
        assert_eq!(parse("orphan,answered").unwrap().statuses, [Status::Orphan, Status::Answered]);
        assert!(parse("lost").unwrap_err().to_string().contains("not one of answered, unanswered, orphan, duplicate"));
    }
}
