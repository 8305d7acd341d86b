//! Who gets in: methods, heads that are too large, passwords, TLS.

use std::fs;
use std::process::Command;

use super::{Server, exchange};

const ZONE: &str = "[zones.'a.test']\nserver = '127.0.0.1:9'\ntimeout = '100ms'\n";

#[test]
fn only_reading_is_possible() {
    let server = Server::start(ZONE);
    for method in ["POST", "PUT", "DELETE"] {
        let page = exchange(server.address, &format!("{method} / HTTP/1.0\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!((page.status, page.headers["allow"].as_str()), (405, "GET, HEAD"), "{method}");
    }
    let page = exchange(server.address, "HEAD /metrics HTTP/1.0\r\n\r\n");
    assert_eq!((page.status, page.body.as_str()), (200, ""));
    for path in ["/%2e%2e/etc/passwd", "//", "/probe/", "/metrics/x"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn heads_that_are_too_large_are_refused() {
    let server = Server::start(ZONE);
    let head = format!("X: {}\r\n", "x".repeat(15_000)).repeat(2);
    assert_eq!(server.request("/", &head).status, 431);
    assert_eq!(server.get("/-/healthy").status, 200);
}

#[test]
fn passwords_are_asked_for_when_there_are_some() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    fs::write(&users, format!("alice:{HASH}\n")).unwrap();
    let server = Server::start(&format!("{ZONE}[serve]\nauth-file = '{}'\n", users.display()));
    let page = server.get("/");
    assert_eq!((page.status, page.headers["www-authenticate"].starts_with("Basic realm=")), (401, true));
    assert_eq!(server.get("/metrics").status, 401);
    assert_eq!(server.request("/", "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n").status, 401);
    assert_eq!(server.request("/", "Authorization: Basic YWxpY2U6b3BlbiBzZXNhbWU=\r\n").status, 200);
    assert_eq!(server.get("/-/healthy").status, 200);
}

/// Of "open sesame", by crypt(3) of glibc's libcrypt.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy";

#[test]
fn connections_are_encrypted_when_there_is_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]);
    openssl.arg("-keyout").arg(&key).arg("-out").arg(&cert);
    if pdns_rigs::or_skip(pdns_rigs::run(&mut openssl)).is_none() {
        return;
    }
    let server =
        Server::start(&format!("{ZONE}[serve]\ntls-cert = '{}'\ntls-key = '{}'\n", cert.display(), key.display()));
    let url = format!("https://{}/-/healthy", server.address);
    let mut curl = Command::new("curl");
    let curl =
        pdns_rigs::run(curl.args(["--silent", "--show-error", "--max-time", "60", "--cacert"]).arg(&cert).arg(&url));
    assert_eq!(curl.as_deref(), Ok("ok\n"));
    assert!(server.process.output().contains("listening on https://"));
}
