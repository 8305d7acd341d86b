//! Kerberos keytabs: what is in one, without its secrets.
//!
//! The Kerberos library has one sentence for a keytab that is missing, one that lacks the principal and one of another
//! realm: "No credentials cache found". So the file is read here first. The format is MIT's version 0x0502, which MIT,
//! Heimdal, Samba and Windows' `ktpass` write.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A longer file is no keytab; one of a large host has some kilobytes.
const MAX_FILE_LEN: u64 = 1 << 20;

/// The entries of a keytab, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keytab {
    /// The keys that are in use; holes of deleted ones are left out.
    pub entries: Vec<Entry>,
}

/// One key of a principal, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose key it is.
    pub principal: Principal,
    /// When it was written here, in Unix seconds; 0 when the writer did not say.
    pub timestamp: u32,
    /// The key's version number, which rises with each change of the password.
    pub kvno: u32,
    /// What the key is for.
    pub enctype: Enctype,
}

/// A principal as Kerberos prints it: `dns@LOCAL.LAN`, `DNS/dc1.local.lan@LOCAL.LAN`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    /// What stands before the `@`, escaped as Kerberos does.
    pub name: String,
    /// What stands after it.
    pub realm: String,
}

/// The number of an encryption type: IANA's Kerberos parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Enctype(pub u16);

/// Why a file is no keytab that can be read.
#[derive(Debug, thiserror::Error)]
pub enum KeytabError {
    /// There is none, or it may not be read.
    #[error("cannot read the keytab {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not in the format.
    #[error("{} is no keytab: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: FormatError,
    },
}

/// What is wrong with the bytes of a keytab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It does not start as a keytab does.
    #[error("it does not start with the bytes 05 02")]
    Magic,
    /// It is of the format that was in use before 1993.
    #[error("it is of the old format 0x0501; write it anew with ktutil")]
    Version1,
    /// It is longer than a keytab may be.
    #[error("it is longer than {MAX_FILE_LEN} bytes")]
    Long,
    /// An entry says to be longer than the file.
    #[error("the entry at byte {offset} runs past the end of the file")]
    Truncated {
        /// Where the entry's length stands.
        offset: usize,
    },
    /// A part of an entry says to be longer than the entry.
    #[error("the entry at byte {offset} is shorter than what it holds")]
    Entry {
        /// Where the entry's length stands.
        offset: usize,
    },
}

impl Keytab {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is no keytab.
    pub fn read(path: &Path) -> Result<Self, KeytabError> {
        let read = || -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            File::open(path)?.take(MAX_FILE_LEN + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|source| KeytabError::Read { path: path.to_owned(), source })?;
        Self::parse(&bytes).map_err(|source| KeytabError::Format { path: path.to_owned(), source })
    }

    /// Reads the bytes of a file.
    ///
    /// ```
    /// use dns_replication::keytab::Keytab;
    ///
    /// let bytes = b"\x05\x02\0\0\0\x23\0\x01\0\x01R\0\x03dns\0\0\0\x01\x65\0\0\0\x02\0\x12\0\x04key!\0\0\0\x02\0\0\0\0";
    /// let keytab = Keytab::parse(bytes)?;
    /// assert_eq!(keytab.entries[0].principal.to_string(), "dns@R");
    /// assert_eq!(keytab.entries[0].enctype.to_string(), "aes256-cts-hmac-sha1-96");
    /// # Ok::<(), dns_replication::keytab::FormatError>(())
    /// ```
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() as u64 > MAX_FILE_LEN {
            return Err(FormatError::Long);
        }
        let mut file = match bytes {
            [5, 2, rest @ ..] => Bytes(rest),
            [5, 1, ..] => return Err(FormatError::Version1),
            _ => return Err(FormatError::Magic),
        };
        let mut entries = Vec::new();
        while !file.0.is_empty() {
            let offset = bytes.len() - file.0.len();
            let truncated = FormatError::Truncated { offset };
            let len = file.i32().ok_or(truncated)?;
            if len == 0 {
                break;
            }
            let entry = file.take(len.unsigned_abs() as usize).ok_or(truncated)?;
            // A negative length is a hole where an entry was.
            if len > 0 {
                entries.push(Entry::parse(entry).ok_or(FormatError::Entry { offset })?);
            }
        }
        Ok(Self { entries })
    }

    /// The principals in it, each once.
    pub fn principals(&self) -> Vec<&Principal> {
        let mut principals: Vec<&Principal> = Vec::new();
        for entry in &self.entries {
            if !principals.contains(&&entry.principal) {
                principals.push(&entry.principal);
            }
        }
        principals
    }

    /// Whether a principal's key is here.
    ///
    /// # Errors
    /// It is not; and what is instead.
    pub fn check(&self, principal: &Principal) -> Result<(), MissingPrincipal> {
        let principals = self.principals();
        if principals.contains(&principal) {
            return Ok(());
        }
        let wanted = principal.clone();
        if let Some(other) = principals.iter().find(|other| other.name == principal.name) {
            return Err(MissingPrincipal::Realm { wanted, realm: other.realm.clone() });
        }
        let held = principals.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Err(if held.is_empty() { MissingPrincipal::Empty { wanted } } else { MissingPrincipal::Name { wanted, held } })
    }
}

/// The principal that is wanted is not in the keytab.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MissingPrincipal {
    /// It is there, of another realm; realms are compared with case.
    #[error("the keytab holds {} of realm {realm}, not of {}", wanted.name, wanted.realm)]
    Realm {
        /// Who is not there.
        wanted: Principal,
        /// The realm that is.
        realm: String,
    },
    /// Others are there.
    #[error("the keytab has no key of {wanted}; it has keys of {held}")]
    Name {
        /// Who is not there.
        wanted: Principal,
        /// Some who are.
        held: String,
    },
    /// There is none.
    #[error("the keytab has no key of {wanted}; it is empty")]
    Empty {
        /// Who is not there.
        wanted: Principal,
    },
}

impl Entry {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        let components = bytes.u16()?;
        let realm = String::from_utf8_lossy(bytes.counted()?).into_owned();
        let mut name = String::new();
        for index in 0..components {
            if index > 0 {
                name.push('/');
            }
            escape(&String::from_utf8_lossy(bytes.counted()?), &mut name);
        }
        let _name_type = bytes.u32()?;
        let timestamp = bytes.u32()?;
        let kvno = u32::from(bytes.u8()?);
        let enctype = Enctype(bytes.u16()?);
        bytes.counted()?;
        // A longer number follows where eight bits are too few; older writers leave it out or zero.
        let kvno = bytes.u32().filter(|&kvno| kvno != 0).unwrap_or(kvno);
        Some(Self { principal: Principal { name, realm }, timestamp, kvno, enctype })
    }
}

/// Appends a part of a principal; `/`, `@` and `\` inside it get a backslash.
fn escape(component: &str, name: &mut String) {
    for character in component.chars() {
        if matches!(character, '/' | '@' | '\\') {
            name.push('\\');
        }
        name.push(character);
    }
}

impl Principal {
    /// Reads `name@REALM`; the last `@` counts.
    ///
    /// # Errors
    /// The text, when it has no realm or no name.
    pub fn parse(text: &str) -> Result<Self, PrincipalError> {
        match text.rsplit_once('@') {
            Some((name, realm)) if !name.is_empty() && !realm.is_empty() => {
                Ok(Self { name: name.to_owned(), realm: realm.to_owned() })
            }
            _ => Err(PrincipalError { text: text.to_owned() }),
        }
    }
}

/// A principal without a realm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no principal with its realm, such as dns@LOCAL.LAN")]
pub struct PrincipalError {
    text: String,
}

impl std::str::FromStr for Principal {
    type Err = PrincipalError;

    fn from_str(text: &str) -> Result<Self, PrincipalError> {
        Self::parse(text)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.realm)
    }
}

impl fmt::Display for Enctype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self.0 {
            1 => "des-cbc-crc",
            3 => "des-cbc-md5",
            16 => "des3-cbc-sha1",
            17 => "aes128-cts-hmac-sha1-96",
            18 => "aes256-cts-hmac-sha1-96",
            19 => "aes128-cts-hmac-sha256-128",
            20 => "aes256-cts-hmac-sha384-192",
            23 => "arcfour-hmac",
            25 => "camellia128-cts-cmac",
            26 => "camellia256-cts-cmac",
            other => return write!(f, "enctype {other}"),
        })
    }
}

/// Bytes that are read from the front, as far as they go.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    /// Bytes behind their number.
    fn counted(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A key's entry with its length.
    fn entry(realm: &str, components: &[&str], kvno: u32, enctype: u16) -> Vec<u8> {
        let mut body = (components.len() as u16).to_be_bytes().to_vec();
        let counted = |bytes: &[u8], body: &mut Vec<u8>| {
            body.extend((bytes.len() as u16).to_be_bytes());
            body.extend(bytes);
        };
        counted(realm.as_bytes(), &mut body);
        for component in components {
            counted(component.as_bytes(), &mut body);
        }
        body.extend(1_u32.to_be_bytes());
        body.extend(1_700_000_000_u32.to_be_bytes());
        body.push(kvno as u8);
        body.extend(enctype.to_be_bytes());
        counted(b"0123456789abcdef", &mut body);
        if kvno > 255 {
            body.extend(kvno.to_be_bytes());
        }
        let mut entry = (body.len() as i32).to_be_bytes().to_vec();
        entry.extend(body);
        entry
    }

    fn file(entries: &[Vec<u8>]) -> Vec<u8> {
        [vec![5, 2], entries.concat()].concat()
    }

    fn principal(text: &str) -> Principal {
        text.parse().unwrap()
    }

    #[test]
    fn entries_are_read_and_holes_left_out() {
        let hole = [&(-5_i32).to_be_bytes()[..], b"wiped"].concat();
        let bytes =
            file(&[entry("LOCAL.LAN", &["dns"], 2, 18), hole, entry("LOCAL.LAN", &["DNS", "dc1.local.lan"], 300, 23)]);
        let keytab = Keytab::parse(&bytes).unwrap();
        let [first, second] = &keytab.entries[..] else { panic!("{keytab:?}") };
        assert_eq!(
            (first.principal.to_string().as_str(), first.kvno, first.timestamp),
            ("dns@LOCAL.LAN", 2, 1_700_000_000)
        );
        assert_eq!(first.enctype.to_string(), "aes256-cts-hmac-sha1-96");
        assert_eq!((second.principal.to_string().as_str(), second.kvno), ("DNS/dc1.local.lan@LOCAL.LAN", 300));
        assert_eq!(second.enctype.to_string(), "arcfour-hmac");
        // What is zero is the end, whatever follows.
        assert_eq!(Keytab::parse(&[&bytes[..], &[0; 4], b"rest"].concat()).unwrap(), keytab);
    }

    #[test]
    fn what_is_no_keytab_says_why() {
        let message = |bytes: &[u8]| Keytab::parse(bytes).unwrap_err().to_string();
        assert_eq!(message(b""), "it does not start with the bytes 05 02");
        assert_eq!(message(b"key \"x\" {"), "it does not start with the bytes 05 02");
        assert_eq!(message(&[5, 1, 0, 0]), "it is of the old format 0x0501; write it anew with ktutil");
        assert_eq!(message(&[5, 2, 0, 0]), "the entry at byte 2 runs past the end of the file");
        assert_eq!(message(&[5, 2, 0x7f, 255, 255, 255, 1]), "the entry at byte 2 runs past the end of the file");
        assert_eq!(message(&[5, 2, 0x80, 0, 0, 0, 1]), "the entry at byte 2 runs past the end of the file");
        assert_eq!(message(&[5, 2, 0, 0, 0, 2, 255, 255]), "the entry at byte 2 is shorter than what it holds");
        assert_eq!(message(&vec![5; 2 << 20]), "it is longer than 1048576 bytes");
    }

    #[test]
    fn a_principal_that_is_not_there_is_told_apart_by_what_is() {
        let keytab =
            Keytab::parse(&file(&[entry("LOCAL.LAN", &["dns"], 1, 18), entry("LOCAL.LAN", &["dns"], 1, 17)])).unwrap();
        assert_eq!(keytab.check(&principal("dns@LOCAL.LAN")), Ok(()));
        let message = |text: &str| keytab.check(&principal(text)).unwrap_err().to_string();
        assert_eq!(message("dns@OTHER.LAN"), "the keytab holds dns of realm LOCAL.LAN, not of OTHER.LAN");
        assert_eq!(
            message("stamp@LOCAL.LAN"),
            "the keytab has no key of stamp@LOCAL.LAN; it has keys of dns@LOCAL.LAN"
        );
        let empty = Keytab::parse(&[5, 2]).unwrap();
        assert_eq!(
            empty.check(&principal("dns@LOCAL.LAN")).unwrap_err().to_string(),
            "the keytab has no key of dns@LOCAL.LAN; it is empty"
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Keytab::read(Path::new("/nonexistent/dns.keytab")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read the keytab /nonexistent/dns.keytab: No such file or directory (os error 2)"
        );
    }

    #[test]
    fn principals_are_printed_with_escapes() {
        let keytab = Keytab::parse(&file(&[entry("R", &["a/b", "c@d"], 1, 18)])).unwrap();
        assert_eq!(keytab.entries[0].principal.to_string(), "a\\/b/c\\@d@R");
        assert!("dns".parse::<Principal>().is_err() && "@R".parse::<Principal>().is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300), keytab in any::<bool>()) {
            let mut bytes = bytes;
            if keytab {
                bytes.splice(0..0, [5, 2]);
            }
            if let Ok(keytab) = Keytab::parse(&bytes) {
                // Each entry takes bytes of its own.
                prop_assert!(keytab.entries.len() * 17 <= bytes.len());
            }
        }

        #[test]
        fn what_is_written_is_read(
            realm in "[A-Z.]{1,20}",
            components in proptest::collection::vec("[a-z0-9.]{1,20}", 1..4),
            kvno in 1_u32..100_000,
            enctype: u16,
            cut in any::<proptest::sample::Index>(),
        ) {
            let components: Vec<&str> = components.iter().map(String::as_str).collect();
            let bytes = file(&[entry(&realm, &components, kvno, enctype)]);
            let keytab = Keytab::parse(&bytes).unwrap();
            prop_assert_eq!(&keytab.entries, &[Entry {
                principal: Principal { name: components.join("/"), realm },
                timestamp: 1_700_000_000,
                kvno,
                enctype: Enctype(enctype),
            }]);
            // Any part of it is an error or has nothing in it.
            let part = &bytes[..cut.index(bytes.len())];
            prop_assert!(Keytab::parse(part).is_ok_and(|keytab| keytab.entries.is_empty()) || Keytab::parse(part).is_err());
        }
    }
}
