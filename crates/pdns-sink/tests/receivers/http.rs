//! The HTTP sink against OpenSearch and ClickHouse.

use pdns_record::{Encoding, Layout};
use pdns_rigs::clickhouse::{ClickHouse, PASSWORD, USER};
use pdns_rigs::opensearch::OpenSearch;
use pdns_rigs::{or_skip, workspace};
use pdns_sink::http::{Config, Http, Login, Protocol};
use pdns_sink::{Outcome, Partly};
use serde_json::json;

use crate::records::{batch, deliver, golden};

fn encoding() -> Encoding {
    Encoding::json(Layout::Transaction)
}

fn config(port: u16, protocol: Protocol) -> Config {
    Config::new(Layout::Transaction, format!("http://127.0.0.1:{port}").parse().unwrap(), protocol)
}

fn bulk(index: &str) -> Protocol {
    Protocol::Bulk { index: index.to_owned() }
}

fn rows(table: &str) -> Protocol {
    Protocol::ClickHouse { table: table.to_owned() }
}

#[test]
fn opensearch_keeps_a_record_once_and_refuses_what_does_not_fit() {
    let home = tempfile::tempdir().unwrap();
    let settings = ["http.max_content_length=1mb", "action.auto_create_index=dns*"];
    let Some(server) = or_skip(OpenSearch::start(home.path(), &settings)) else { return };
    let count = |index: &str| {
        server.request("POST", &format!("/{index}/_refresh"), "");
        server.request("GET", &format!("/{index}/_count"), "")["count"].clone()
    };

    let mut sink = Http::new(config(server.port, bulk("dns")));
    for _ in 0..2 {
        assert_eq!(deliver(&mut sink, batch(encoding(), 0..1000, "a")), Outcome::Delivered);
        assert_eq!(count("dns"), 1000);
    }
    let found = server.request("GET", "/dns/_search?q=id:999", "");
    let hits = &found["hits"]["hits"];
    assert_eq!(
        (&hits[0]["_id"], &hits[0]["_source"]["qname"]),
        (&json!("000000000000000700000000000003e7"), &json!("a.example.com"))
    );

    let mut by_day = Http::new(config(server.port, bulk("dns-{date}")));
    assert_eq!(deliver(&mut by_day, batch(encoding(), 0..10, "a")), Outcome::Delivered);
    assert_eq!(count("dns-2020.04.03"), 10);

    // What the documentation gives fits every record there is.
    for (layout, records) in [(Layout::Transaction, "expected.jsonl"), (Layout::Answer, "expected-answer.jsonl")] {
        let name = if layout == Layout::Answer { "answer" } else { "transaction" };
        let template =
            std::fs::read_to_string(workspace().join(format!("docs/schemas/elasticsearch-{name}.json"))).unwrap();
        server.request("PUT", &format!("/_index_template/{name}"), &template);
        let index = format!("dns-{name}s");
        let mut sink = Http::new(config(server.port, bulk(&index)));
        let records = golden(Encoding::json(layout), records);
        let expected = records.records();
        assert_eq!(deliver(&mut sink, records), Outcome::Delivered);
        assert_eq!(count(&index), expected);
        let mapping = &server.request("GET", &format!("/{index}/_mapping"), "")[&index]["mappings"];
        assert_eq!(mapping["dynamic"], "false", "the template was used");
    }

    // Numbers that the mapping does not take.
    let mapping = r#"{"mappings":{"properties":{"qname":{"type":"long"}}}}"#;
    server.request("PUT", "/dns-narrow", mapping);
    let mut sink = Http::new(config(server.port, bulk("dns-narrow")));
    let outcome = deliver(&mut sink, batch(encoding(), 0..2, "a"));
    let Outcome::Partly(Partly { refused, again, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!((refused.len(), again.len()), (2, 0));
    assert!(refused[0].1.starts_with("mapper_parsing_exception: failed to parse field [qname]"), "{refused:?}");

    // An index that may not be made, and a body that is too long.
    let outcome = deliver(&mut Http::new(config(server.port, bulk("other"))), batch(encoding(), 0..2, "a"));
    let Outcome::Stop(failure) = outcome else { panic!("{outcome:?}") };
    assert!(failure.reason.contains("index_not_found_exception"), "{failure}");
    let plain = Config { gzip: false, ..config(server.port, bulk("dns")) };
    let outcome = deliver(&mut Http::new(plain), batch(encoding(), 0..10_000, "a"));
    assert!(matches!(outcome, Outcome::Split(_)), "{outcome:?}");
}

#[test]
fn clickhouse_takes_rows_and_says_what_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let Some(server) = or_skip(ClickHouse::start(home.path())) else { return };
    server.query(
        "CREATE TABLE dns (record_id String, status String, client String, id UInt16, qname String) \
         ENGINE = MergeTree() PARTITION BY tuple() ORDER BY record_id",
    );
    for gzip in [false, true] {
        let login = Some(Login::Basic { username: USER.to_owned(), password: PASSWORD.to_owned() });
        let mut sink = Http::new(Config { gzip, login, ..config(server.port, rows("dns")) });
        assert_eq!(deliver(&mut sink, batch(encoding(), 0..1000, "a")), Outcome::Delivered);
    }
    assert_eq!(server.query("SELECT count(), uniqExact(record_id), max(id) FROM dns"), "2000\t1000\t999");
    let row = server.query("SELECT record_id, status, client, qname FROM dns WHERE id = 5 LIMIT 1");
    assert_eq!(row, "00000000000000070000000000000005\tunanswered\t192.0.2.1\ta.example.com");

    let login = Some(Login::Basic { username: USER.to_owned(), password: "wrong".to_owned() });
    let stopped = |config, code: &str| {
        let outcome = deliver(&mut Http::new(config), batch(encoding(), 0..2, "a"));
        let Outcome::Stop(failure) = outcome else { panic!("{outcome:?}") };
        assert!(failure.reason.contains(code), "{failure}");
    };
    stopped(Config { login, ..config(server.port, rows("dns")) }, "Code: 193");
    stopped(config(server.port, rows("absent")), "Code: 60");

    // A name is no number: the row cannot be read.
    server.query("CREATE TABLE narrow (qname UInt16) ENGINE = MergeTree() PARTITION BY tuple() ORDER BY qname");
    let outcome = deliver(&mut Http::new(config(server.port, rows("narrow"))), batch(encoding(), 0..2, "a"));
    assert!(matches!(outcome, Outcome::Split(_)), "{outcome:?}");
}
