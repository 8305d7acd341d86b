//! What is answered to whom.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use pdns_rigs::wait::poll;

use super::Server;
use crate::check::Trio;

/// A zone with these servers.
fn config(trio: &Trio) -> String {
    let servers = trio.servers().map(|server| format!("\"{server}\"")).join(", ");
    format!("[zones.\"example.test\"]\nrecord = \"stamp\"\ntimeout = \"5s\"\nserver = [{servers}]\n")
}

#[test]
fn probes_tell_all_there_is_to_know_of_a_server() {
    let Some(trio) = Trio::start() else { return };
    let server = Server::start(&config(&trio));
    let page = server.get(&format!("/probe?target={}&module=example.test", trio.primary.address));
    assert_eq!(page.status, 200, "{}", page.body);
    assert_eq!(page.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(page.value("probe_success"), Some(1.0));
    assert!(page.value("probe_duration_seconds").unwrap() < 5.0);
    assert!(page.only("dns_stamp_timestamp_seconds") > 1_500_000_000.0);
    assert!((-60.0..2000.0).contains(&page.only("dns_stamp_age_seconds")));
    assert!(page.only("dns_stamp_soa_serial") >= 1.0);
    assert!(page.only("dns_stamp_response_seconds") < 5.0);
    assert_eq!(page.only("dns_stamp_rcode"), 0.0);
    assert!(page.body.contains("nsid=\"machine-1\"} 1"));
    // The zone is known by its server, or by being the only one.
    assert_eq!(server.get(&format!("/probe?target={}", trio.primary.address)).status, 200);
    let all = server.get("/probe");
    assert_eq!(all.body.matches("dns_stamp_age_seconds{").count(), 3);
}

#[test]
fn old_scrapes_get_the_old_metrics() {
    let Some(trio) = Trio::start() else { return };
    let server = Server::start(&config(&trio));
    let address = trio.primary.address;
    let page = server.get(&format!("/metrics?server={address}"));
    let age = page.body.strip_prefix(&format!("dns_stamp_age{{server=\"{address}\"}} ")).unwrap();
    assert!((-60..2000).contains(&age.trim_end().parse::<i64>().unwrap()));
    let missing = Server::start(&config(&trio).replace("\"stamp\"", "\"none\""));
    let body = missing.get(&format!("/metrics?server={address}")).body;
    assert_eq!(body, format!("dns_stamp_not_found{{server=\"{address}\"}} 1\n"));
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    let nobody = Server::start(&format!("[zones.'example.test']\nserver = '{silent}'\ntimeout = '200ms'\n"));
    let body = nobody.get(&format!("/metrics?server={silent}")).body;
    assert_eq!(body, format!("dns_stamp_timeout{{server=\"{silent}\"}} 1\n"));
}

#[test]
fn only_what_is_configured_is_asked() {
    let Some(trio) = Trio::start() else { return };
    let server = Server::start(&config(&trio));
    for path in ["/probe?target=192.0.2.1", "/probe?target=192.0.2.1&module=example.test", "/metrics?server=192.0.2.1"]
    {
        let page = server.get(path);
        assert_eq!((page.status, page.body.as_str()), (403, "192.0.2.1 is none of the configured servers\n"), "{path}");
    }
    assert_eq!(server.get("/probe?target=a%20b").status, 400);
    let page = server.get("/probe?module=other");
    assert_eq!((page.status, page.body.as_str()), (400, "there is no module \"other\"; there are: example.test\n"));
    let open = Server::start("[zones.'example.test']\nrecord = 'stamp'\n[serve]\nallow-any = true\n");
    let page = open.get(&format!("/probe?target={}", trio.primary.address));
    assert_eq!((page.status, page.value("probe_success")), (200, Some(1.0)), "{}", page.body);
}

#[test]
fn the_scrape_timeout_is_kept() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    let server = Server::start(&format!("[zones.'example.test']\nserver = '{silent}'\ntimeout = '300s'\n"));
    let start = Instant::now();
    let page = server.request("/probe", "X-Prometheus-Scrape-Timeout-Seconds: 2\r\n");
    assert_eq!((page.status, page.value("probe_success")), (200, Some(0.0)));
    assert!(page.body.contains(",state=\"timeout\"} 1"), "{}", page.body);
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_millis(1500) && elapsed < Duration::from_secs(60), "{elapsed:?}");
}

#[test]
fn slow_resolvers_do_not_keep_scrapes_waiting() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    let server = Server::start(&format!(
        "[zones.'example.test']\nserver = 'nobody.example.test'\nresolver = '{silent}'\ntimeout = '100s'\n"
    ));
    let start = Instant::now();
    let page = server.request("/probe", "X-Prometheus-Scrape-Timeout-Seconds: 1.5\r\n");
    let message = "the addresses of the servers are still being looked up\n";
    assert_eq!((page.status, page.body.as_str()), (503, message));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn the_page_shows_every_server() {
    let Some(trio) = Trio::start() else { return };
    let server = Server::start(&config(&trio));
    let page = server.get("/");
    assert_eq!((page.status, page.headers["content-type"].as_str()), (200, "text/html; charset=utf-8"));
    assert!(page.headers["content-security-policy"].contains("default-src 'none'"));
    for server in trio.servers() {
        assert!(page.body.contains(&format!("<td data-label=\"Server\">{server}</td>")), "{}", page.body);
    }
    assert!(page.body.contains("3 of 3 servers fresh") && page.body.contains("<form"));
}

#[test]
fn the_program_counts_what_it_does() {
    let Some(trio) = Trio::start() else { return };
    let server = Server::start(&config(&trio));
    server.get("/probe");
    server.get("/nothing");
    let page = server.get("/metrics");
    assert_eq!(page.value("dns_stamp_probes_total{state=\"fresh\"}"), Some(3.0), "{}", page.body);
    assert_eq!(page.value("dns_stamp_http_requests_total{path=\"/probe\",code=\"200\"}"), Some(1.0));
    assert_eq!(page.value("dns_stamp_http_requests_total{path=\"other\",code=\"404\"}"), Some(1.0));
    assert_eq!(page.value("dns_stamp_http_requests_in_flight"), Some(1.0));
    assert_eq!(page.value("dns_stamp_discovery_failures_total{module=\"example.test\"}"), Some(0.0));
    assert_eq!(server.get("/-/healthy").body, "ok\n");
}

#[test]
fn settings_are_read_anew_unless_they_are_wrong() {
    let server = Server::start("[zones.'a.test']\nserver = '127.0.0.1:9'\n");
    let reload = |config: &str| {
        std::fs::write(server.config(), config).unwrap();
        server.process.signal("HUP").unwrap();
    };
    reload("[zones.'b.test']\nserver = '127.0.0.1:9'\n");
    poll("the new zone", || server.get("/").body.contains("b.test").then_some(()));
    reload("[zones.'b.test']\nservr = '127.0.0.1:9'\n");
    poll("the refusal", || server.process.output().contains("not reloaded: servr in ").then_some(()));
    assert!(server.get("/").body.contains("b.test"));
    assert_eq!(server.get("/metrics").value("dns_stamp_config_last_reload_successful"), Some(0.0));
}
