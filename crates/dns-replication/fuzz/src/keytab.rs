//! Kerberos keytabs.

use dns_replication::keytab::{FormatError, Keytab, MissingPrincipal, Principal};
use pdns_fuzz::{Target, heap};

/// Keytabs: errors name a place in the file, a shorter file has fewer of the same entries, principals read back.
pub const KEYTAB: Target = Target { name: "keytab", check, seeds, mutations: 50_000 };

fn check(bytes: &[u8]) {
    // The shortest entry has 21 bytes; broken UTF-8 becomes three bytes for one.
    let keytab = heap::bounded(4096 + 64 * bytes.len(), || Keytab::parse(bytes));
    let keytab = match keytab {
        Ok(keytab) => keytab,
        Err(FormatError::Truncated { offset } | FormatError::Entry { offset }) => {
            assert!((2..bytes.len()).contains(&offset));
            let before = Keytab::parse(&bytes[..offset]).expect("what stands before the error");
            return assert!(before.entries.len() * 21 <= offset);
        }
        Err(FormatError::Magic | FormatError::Version1) => return assert!(!bytes.starts_with(&[5, 2])),
        Err(FormatError::Long) => return assert!(bytes.len() > 1 << 20),
    };
    assert!(keytab.entries.len() * 21 <= bytes.len());
    for entry in &keytab.entries {
        let principal = &entry.principal;
        assert_eq!(keytab.check(principal), Ok(()));
        let text = principal.to_string();
        let reads_back = !principal.name.is_empty() && !principal.realm.is_empty() && !principal.realm.contains('@');
        if reads_back {
            assert_eq!(Principal::parse(&text).as_ref(), Ok(principal));
        }
        assert!(!entry.enctype.to_string().is_empty());
    }
    let stranger = Principal { name: "\0".to_owned(), realm: "\0".to_owned() };
    if !keytab.principals().contains(&&stranger) {
        let missing = keytab.check(&stranger).unwrap_err();
        assert_eq!(matches!(missing, MissingPrincipal::Empty { .. }), keytab.entries.is_empty());
    }
    if let Some(shorter) = bytes.len().checked_sub(1).and_then(|end| Keytab::parse(&bytes[..end]).ok()) {
        assert!(keytab.entries.starts_with(&shorter.entries));
    }
}

fn entry(components: &[&str], realm: &str, key: &[u8], tail: &[u8]) -> Vec<u8> {
    let counted = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
    let mut entry = [&(components.len() as u16).to_be_bytes(), counted(realm.as_bytes()).as_slice()].concat();
    components.iter().for_each(|component| entry.extend(counted(component.as_bytes())));
    entry.extend([0, 0, 0, 1, 0x65, 0, 0, 0, 2, 0, 18]);
    entry.extend(counted(key));
    entry.extend(tail);
    [&(entry.len() as i32).to_be_bytes(), entry.as_slice()].concat()
}

fn seeds() -> Vec<Vec<u8>> {
    let dns = entry(&["dns"], "LOCAL.LAN", &[7; 32], &[0, 0, 1, 0]);
    let host = entry(&["DNS", "dc1.local.lan"], "LOCAL.LAN", &[7; 16], &[]);
    let odd = entry(&["a/b", "c@d\\", "\u{e9}"], "R", b"", &[0; 9]);
    let hole = [&(-8_i32).to_be_bytes()[..], &[0; 8]].concat();
    let file = |entries: &[&[u8]]| [&[5, 2][..], &entries.concat()].concat();
    vec![
        file(&[]),
        file(&[&dns]),
        file(&[&dns, &hole, &host, &odd]),
        file(&[&host, &[0; 4], &dns]),
        b"\x05\x01".to_vec(),
    ]
}
