//! What can be asked for and is not in this version yet.

use super::Settings;

/// One line for each function that is asked for and not there. What is built is taken off this list.
pub(super) fn not_yet(settings: &Settings) -> Vec<String> {
    let asked: [(&str, &str, bool); 2] = [
        ("--fluentd-socket", "sending records to Fluentd", settings.fluentd.is_some()),
        ("--syslog-facility", "sending records to syslog", settings.syslog.is_some()),
    ];
    let missing = asked.into_iter().filter(|&(.., asked)| asked);
    missing.map(|(flag, function, _)| format!("{flag}: {function} is not in this version yet")).collect()
}
