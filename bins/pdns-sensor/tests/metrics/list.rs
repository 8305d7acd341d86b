//! The list of metrics in `docs/metrics.md`.

use std::fs;

use crate::util::workspace;

/// One metric, as the page on metrics lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// The labels' names.
    pub(crate) labels: Vec<String>,
    /// The counters of the account that it is the sum of, if it is one.
    pub(crate) account: Vec<String>,
}

/// The page.
pub(crate) fn page() -> String {
    fs::read_to_string(workspace().join("docs/metrics.md")).unwrap()
}

/// All metrics on the page: the rows whose first cell is the name of one.
pub(crate) fn listed() -> Vec<Listed> {
    let page = page();
    let rows = page.lines().filter(|line| line.starts_with("| `pdns_") || line.starts_with("| `process_"));
    let rows = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    rows.map(|cells| {
        // There is nothing before the first bar and after the last one.
        assert_eq!(cells.len(), 7, "{cells:?}");
        let code = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        Listed {
            name: code(cells[1]).remove(0),
            kind: cells[2].to_owned(),
            labels: code(cells[3]),
            account: code(cells[4]),
        }
    })
    .collect()
}
