//! The command line, as typed: its flags come from the table of options, and its values are checked with all others.

use std::ffi::{OsStr, OsString};
use std::iter::Peekable;
use std::os::unix::ffi::OsStrExt;

use clap::builder::OsStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::config::table::{Fallback, Kind, OPTIONS, Spec};
use crate::config::{Layer, by_any_flag};

/// Reads the command line. clap prints help and its own errors, and ends the program then.
pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Layer {
    layer(&command().get_matches_from(normalised(arguments)))
}

/// As [`read`], but mistakes do not end the program.
///
/// # Errors
/// What clap says.
#[cfg(feature = "fuzz")]
pub(crate) fn try_read(arguments: impl Iterator<Item = OsString>) -> Result<Layer, clap::Error> {
    Ok(layer(&command().try_get_matches_from(normalised(arguments))?))
}

fn command() -> Command {
    let command = Command::new("pdns-sensor")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Passive DNS sensor: one record of every DNS transaction, from interfaces or capture files")
        .after_help(
            "Every option can also be given in a file .env in the working directory, in the environment, or in a \
             configuration file; the command line goes before .env, that before the environment, and the file comes \
             last.",
        )
        .max_term_width(100);
    OPTIONS.iter().fold(command, |command, spec| command.arg(argument(spec)))
}

fn argument(spec: &'static Spec) -> Arg {
    // Values of one flag are all kept, so that lists can be given in parts.
    let argument = Arg::new(spec.flag)
        .long(spec.flag)
        .value_name(spec.metavar)
        .value_parser(OsStringValueParser::new())
        .action(ArgAction::Append)
        .help_heading(spec.group)
        .help(format!("{}{}", spec.help, hints(spec)));
    let argument = if spec.more.is_empty() {
        argument
    } else {
        argument.long_help(format!("{}{}\n\n{}", spec.help, hints(spec), spec.more))
    };
    if spec.kind == Kind::Switch {
        argument.num_args(0..=1).require_equals(true).default_missing_value("true")
    } else {
        argument
    }
}

/// What the help says of an option besides its text.
fn hints(spec: &Spec) -> String {
    let mut hints = String::new();
    match spec.default {
        Fallback::Value("false") | Fallback::Unset => {}
        Fallback::Value(words) | Fallback::Words(words) => hints.push_str(&format!(" [default: {words}]")),
    }
    if let Kind::Choice(names) = spec.kind {
        hints.push_str(&format!(" [values: {}]", names.join(", ")));
    }
    if let Some(env) = spec.env {
        hints.push_str(&format!(" [env: {env}]"));
    }
    hints
}

fn layer(matches: &ArgMatches) -> Layer {
    let mut layer = Layer::new("command line");
    for spec in OPTIONS {
        if let Some(words) = matches.get_many::<OsString>(spec.flag) {
            layer.set(spec, words.cloned().collect(), format!("--{}", spec.flag));
        }
    }
    layer
}

/// The arguments with gopassivedns's spellings turned into ours, and each value joined to its flag.
///
/// As in Go's `flag` package, one dash is as good as two, and what follows a flag is its value whatever it looks like:
/// `-gc_age -1m`. Only the name of another flag is no value, so that a value left out is noticed.
fn normalised(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.peekable();
    // The name of the program may be anything.
    let mut out: Vec<_> = arguments.next().into_iter().collect();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            out.push(argument);
            out.extend(arguments);
            break;
        }
        out.push(match Flag::of(&argument) {
            Some(flag) => flag.joined(&mut arguments),
            None => argument,
        });
    }
    out
}

/// An argument that names an option.
struct Flag<'a> {
    spec: &'static Spec,
    value: Option<&'a OsStr>,
}

impl<'a> Flag<'a> {
    /// `None` for what is not the name of an option: `-1m` and the like are values.
    fn of(argument: &'a OsStr) -> Option<Self> {
        let bytes = argument.as_bytes();
        let bytes = bytes.strip_prefix(b"--").or_else(|| bytes.strip_prefix(b"-"))?;
        let mut parts = bytes.splitn(2, |&byte| byte == b'=');
        let name = str::from_utf8(parts.next()?).ok()?;
        Some(Self { spec: by_any_flag(name)?, value: parts.next().map(OsStr::from_bytes) })
    }

    /// In our spelling, with the value that follows.
    fn joined(self, rest: &mut Peekable<impl Iterator<Item = OsString>>) -> OsString {
        let mut out = OsString::from(format!("--{}", self.spec.flag));
        if let Some(value) = self.value {
            out.push("=");
            out.push(value);
        } else if self.spec.kind != Kind::Switch
            && let Some(value) = rest.next_if(|next| next != "--" && Flag::of(next).is_none())
        {
            out.push("=");
            out.push(value);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::by_flag;

    fn normalise(arguments: &[&str]) -> Vec<OsString> {
        normalised(["pdns-sensor"].iter().chain(arguments).map(OsString::from)).split_off(1)
    }

    fn words(arguments: &[&str], flag: &str) -> Vec<String> {
        let arguments = normalised(["pdns-sensor"].iter().chain(arguments).map(OsString::from));
        let layer = layer(&command().try_get_matches_from(arguments).unwrap());
        let given = layer.given(by_flag(flag).unwrap());
        given.into_iter().flat_map(|given| &given.words).map(|word| word.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn clap_accepts_the_definitions() {
        command().debug_assert();
    }

    #[test]
    fn the_docs_have_the_man_page() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist/pdns-sensor.8");
        let mut page = Vec::new();
        clap_mangen::Man::new(command()).section("8").date("").render(&mut page).unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let written = std::fs::read(&path).unwrap();
        assert!(written == page, "if the change is meant: UPDATE_DOCS=1 cargo test -p pdns-sensor the_docs_have");
    }

    #[test]
    fn old_spellings_become_ours() {
        assert_eq!(
            normalise(&["-pcap", "a_b.pcap", "-gc_age=-1m", "--gc_age", "-1m", "-quiet", "-", "-h"]),
            ["--pcap=a_b.pcap", "--gc-age=-1m", "--gc-age=-1m", "--quiet", "-", "-h"]
        );
        assert_eq!(
            normalise(&["-dev", "eth0", "-kafka_brokers=a,b", "-logMaxAge", "28", "-quiet=false"]),
            ["--dev=eth0", "--kafka-brokers=a,b", "--log-max-age=28", "--quiet=false"]
        );
        assert_eq!(normalise(&["--bpf=udp_x=1"]), ["--bpf=udp_x=1"]);
    }

    #[test]
    fn only_known_names_are_rewritten() {
        assert_eq!(
            normalise(&["-devx", "-1m", "-d", "--no-such", "-=x", "stray"]),
            ["-devx", "-1m", "-d", "--no-such", "-=x", "stray"]
        );
        assert_eq!(normalise(&["-quiet", "--", "-pcap", "x"]), ["--quiet", "--", "-pcap", "x"]);
    }

    #[test]
    fn what_follows_is_the_value_unless_it_is_a_flag() {
        assert_eq!(normalise(&["-name", "-x", "-numprocs", "-1"]), ["--name=-x", "--numprocs=-1"]);
        assert_eq!(normalise(&["-stats", "-quiet"]), ["--stats", "--quiet"]);
        assert_eq!(normalise(&["-stats", "--", "x"]), ["--stats", "--", "x"]);
        assert_eq!(normalise(&["-bpf", ""]), ["--bpf="]);
        assert_eq!(normalise(&["-stats"]), ["--stats"]);
    }

    #[test]
    fn switches_are_on_off_or_given_a_value() {
        assert_eq!(words(&["-quiet"], "quiet"), ["true"]);
        assert_eq!(words(&["-quiet=false", "--quiet=1"], "quiet"), ["false", "1"]);
        assert!(words(&[], "quiet").is_empty());
    }

    #[test]
    fn empty_values_are_values() {
        assert_eq!(words(&["--bpf", ""], "bpf"), [""]);
        assert_eq!(words(&["--bpf="], "bpf"), [""]);
        assert_eq!(words(&["-pcap", "a,b", "-pcap", "c"], "pcap"), ["a,b", "c"]);
    }
}
