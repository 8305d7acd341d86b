//! Files with keys, and what people write beside them.

use dns_replication::tsig::{TsigKey, parse_keys};
use dns_replication::{DomainName, Server};
use pdns_fuzz::{Target, heap};

/// Key files in the forms of BIND, Knot and dig: errors name a line, names read back, and secrets are not shown.
pub const KEY_FILE: Target = Target { name: "key_file", check, seeds, mutations: 50_000 };

/// A secret that no text holds by chance, in base64.
const SECRET: &str = "U0VDUkVUU0VDUkVUU0VDUkVU";

fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    // Each key has at least its name, a known algorithm and a secret.
    let keys = heap::bounded((16 << 10) + 128 * text.len(), || parse_keys(text));
    match keys {
        Ok(keys) => {
            assert!(keys.len() * 14 <= text.len());
            keys.iter().for_each(key);
        }
        Err(error) => {
            assert!((1..=text.lines().count().max(1)).contains(&error.line), "{error}");
            assert!(!error.problem.is_empty());
        }
    }
    if let Ok(name) = text.parse::<DomainName>() {
        assert_eq!(name.to_string().parse(), Ok(name));
    }
    if let Ok(server) = text.parse::<Server>() {
        assert_eq!(server.to_string().parse(), Ok(server));
    }
}

fn key(key: &TsigKey) {
    let name = key.name();
    assert!(!name.is_empty() && !format!("{key:?}").contains(SECRET));
    // The form with colons has no place for a name with one.
    if name.contains(':') {
        return;
    }
    let again: TsigKey =
        format!("{name}:hmac-sha256:{SECRET}").parse().unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(again.name(), name);
}

fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        format!("key \"stamp-key\" {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};"),
        format!(
            "# rndc\nkey a. {{\n  secret {SECRET};\n  algorithm hmac-sha512; }};\noptions {{ x {{ y; }}; }};\nkey b {{ algorithm hmac-sha1; secret \"c2VjcmV0\"; }};"
        ),
        format!("key:\n  - id: stamp-key\n    algorithm: hmac-sha256\n    secret: {SECRET}\n"),
        format!(
            "server:\n    listen: 127.0.0.1@53\nkey:\n  - id: \"k.example.\" # comment\n    algorithm: hmac-sha384\n    secret: \"{SECRET}\"\n"
        ),
        format!("one:hmac-sha256:{SECRET}\n; comment\nhmac-sha512:two:c2VjcmV0\n"),
        "/* nothing */ // here\n".to_owned(),
        "stamp.Local.LAN.".to_owned(),
        "[2001:db8::1]:5353".to_owned(),
        "ns1.example:53".to_owned(),
    ];
    texts.map(String::into_bytes).to_vec()
}
