//! Who may see anything: basic authentication (RFC 7617) against a file in the form of htpasswd, hashed by bcrypt.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

use base64::prelude::{BASE64_STANDARD, Engine};
use hyper::header::{AUTHORIZATION, HeaderMap};

/// How many passwords are remembered as good, so that not every scrape costs what bcrypt costs.
const REMEMBERED: usize = 256;

/// What is compared where there is no such user, so that the time taken does not tell who there is: a hash of a random
/// text that nobody has.
const NOBODY: &str = "$2y$10$nJmVCxCVqbRG9ScgAdxAt.m8uYEzqrMX2bXm5Shu3M2S0yRCsIo0S";

/// Names with the hashes of their passwords.
#[derive(Clone)]
pub struct Users {
    hashes: Arc<BTreeMap<String, String>>,
    good: Arc<Mutex<HashSet<[u8; 32]>>>,
}

/// Why a file gives no [`Users`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// It cannot be read.
    #[error("{file}: {error}")]
    Read {
        /// The file.
        file: String,
        /// What the system says.
        error: io::Error,
    },
    /// A line is no name and hash.
    #[error("{file} line {line}: not NAME:HASH with a hash of bcrypt, as `htpasswd -B` writes it")]
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// Nobody is in it, so that nobody could see anything.
    #[error("{file}: nobody is in it")]
    Empty {
        /// The file.
        file: String,
    },
}

impl Users {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn read(path: &Path) -> Result<Self, AccessError> {
        let file = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, file),
            Err(error) => Err(AccessError::Read { file, error }),
        }
    }

    fn parse(text: &str, file: String) -> Result<Self, AccessError> {
        let mut hashes = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = line.split_once(':').filter(|(name, hash)| !name.is_empty() && is_bcrypt(hash));
            let Some((name, hash)) = entry else { return Err(AccessError::Line { file, line: index + 1 }) };
            hashes.insert(name.to_owned(), hash.to_owned());
        }
        if hashes.is_empty() {
            return Err(AccessError::Empty { file });
        }
        Ok(Self { hashes: Arc::new(hashes), good: Arc::default() })
    }

    /// Whether a request comes from one of them. Hashing takes a while, so it is done where nobody waits.
    pub(super) async fn admit(&self, headers: &HeaderMap) -> bool {
        let Some((name, password)) = credentials(headers) else { return false };
        let key = digest(&name, &password);
        if self.good.lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
            return true;
        }
        let hash = self.hashes.get(&name).cloned();
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let verify = move || bcrypt::verify(password, &hash).unwrap_or(false);
        let is_good = is_known & tokio::task::spawn_blocking(verify).await.unwrap_or(false);
        if is_good {
            let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
            if good.len() >= REMEMBERED {
                good.clear();
            }
            good.insert(key);
        }
        is_good
    }
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.hashes.keys()).finish()
    }
}

fn is_bcrypt(hash: &str) -> bool {
    matches!(hash.get(..4), Some("$2a$" | "$2b$" | "$2y$")) && hash.len() == 60
}

/// Name and password of a request.
fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(token.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8(decoded.get(..colon)?.to_vec()).ok()?;
    Some((name, decoded.get(colon + 1..)?.to_vec()))
}

/// What is remembered of a good password: not the password.
fn digest(name: &str, password: &[u8]) -> [u8; 32] {
    let text = [name.as_bytes(), b"\0", password].concat();
    let mut key = [0; 32];
    key.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, &text).as_ref());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Users {
        let hash = bcrypt::hash("open sesame", 4).unwrap();
        Users::parse(&format!("# people\n\nalice:{hash}\n"), "f".to_owned()).unwrap()
    }

    fn admitted(users: &Users, value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(users.admit(&headers))
    }

    #[test]
    fn only_name_and_password_together_are_good() {
        let users = users();
        // The second time from memory.
        for _ in 0..2 {
            assert!(admitted(&users, "Basic YWxpY2U6b3BlbiBzZXNhbWU="));
            assert!(!admitted(&users, "Basic YWxpY2U6b3BlbiBzZXNhbWU/"));
            assert!(!admitted(&users, "Basic Ym9iOm9wZW4gc2VzYW1l"));
        }
        for value in ["", "Basic", "Basic ", "Basic !", "Basic YWxpY2U=", "Bearer YWxpY2U6b3BlbiBzZXNhbWU="] {
            assert!(!admitted(&users, value), "{value}");
        }
        assert_eq!(format!("{users:?}"), "{\"alice\"}");
    }

    #[test]
    fn what_is_no_hash_is_refused_with_its_line() {
        let message = |text: &str| Users::parse(text, "f".to_owned()).unwrap_err().to_string();
        assert_eq!(message("# nobody\n"), "f: nobody is in it");
        for text in ["#\nalice:secret\n", "#\nalice\n", "#\n:$2y$\n", "#\nalice:$apr1$x$y\n"] {
            assert!(message(text).starts_with("f line 2: not NAME:HASH"), "{text}");
        }
    }

    #[test]
    fn nobody_is_a_hash() {
        assert!(is_bcrypt(NOBODY) && bcrypt::verify("x", NOBODY).is_ok());
    }
}
