//! One key: a name, an algorithm and a secret.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use domain::tsig::{Algorithm, Key, KeyName};
use domain::utils::base64;

/// A key that this machine shares with a server. Its secret is never printed.
#[derive(Clone)]
pub struct TsigKey(Arc<Key>);

/// Why something is no key. No message holds the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TsigKeyError {
    /// Not of the form.
    #[error("a key is written as name:algorithm:secret")]
    Form,
    /// The name is no domain name.
    #[error("{name:?} is no name of a key: {problem}")]
    Name {
        /// What was given.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The algorithm is not one of those that are known.
    #[error("{algorithm:?} is not supported; hmac-sha256, hmac-sha384, hmac-sha512 and hmac-sha1 are")]
    Algorithm {
        /// What was given.
        algorithm: String,
    },
    /// The secret cannot be read.
    #[error("the secret of {name:?} is not base64: {problem}")]
    Secret {
        /// Whose secret.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The secret is nothing.
    #[error("the secret of {name:?} is empty")]
    EmptySecret {
        /// Whose secret.
        name: String,
    },
}

impl TsigKey {
    /// Makes a key of its parts; the secret is in base64.
    ///
    /// # Errors
    /// See [`TsigKeyError`].
    pub fn new(name: &str, algorithm: &str, secret: &str) -> Result<Self, TsigKeyError> {
        let key_name = parse_name(name)?;
        let algorithm =
            parse_algorithm(algorithm).ok_or_else(|| TsigKeyError::Algorithm { algorithm: algorithm.to_owned() })?;
        // Long secrets are often written over several lines.
        let secret: String = secret.chars().filter(|character| !character.is_ascii_whitespace()).collect();
        let secret: Vec<u8> = base64::decode(&secret)
            .map_err(|error| TsigKeyError::Secret { name: name.to_owned(), problem: error.to_string() })?;
        if secret.is_empty() {
            return Err(TsigKeyError::EmptySecret { name: name.to_owned() });
        }
        let key = Key::new(algorithm, &secret, key_name, None, None);
        // Only the limits of shortened signatures can be wrong, and none are given.
        let key = key.map_err(|_| TsigKeyError::Form)?;
        Ok(Self(Arc::new(key)))
    }

    /// The name of the key, in lower case and without a final dot.
    pub fn name(&self) -> String {
        self.0.name().to_string().to_ascii_lowercase()
    }

    /// What `domain` signs with.
    pub(crate) fn key(&self) -> Arc<Key> {
        Arc::clone(&self.0)
    }
}

/// `name:algorithm:secret`, or `algorithm:name:secret` as dig, kdig and nsupdate have it.
impl FromStr for TsigKey {
    type Err = TsigKeyError;

    fn from_str(text: &str) -> Result<Self, TsigKeyError> {
        let mut parts = text.trim().splitn(3, ':');
        let (Some(first), Some(second), Some(secret)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(TsigKeyError::Form);
        };
        match (parse_algorithm(first), parse_algorithm(second)) {
            (Some(_), None) => Self::new(second, first, secret),
            _ => Self::new(first, second, secret),
        }
    }
}

impl fmt::Debug for TsigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TsigKey({}, {})", self.name(), self.0.algorithm())
    }
}

fn parse_name(name: &str) -> Result<KeyName, TsigKeyError> {
    let wrong = |problem: String| TsigKeyError::Name { name: name.to_owned(), problem };
    if name.is_empty() || name == "." {
        return Err(wrong("it is empty".to_owned()));
    }
    // RFC 8945 section 4.3.3: it is signed in lower case.
    let lower = name.to_ascii_lowercase();
    KeyName::from_str(&lower).map_err(|error| wrong(error.to_string()))
}

fn parse_algorithm(algorithm: &str) -> Option<Algorithm> {
    let algorithm = algorithm.strip_suffix('.').unwrap_or(algorithm).to_ascii_lowercase();
    algorithm.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_in_either_order() {
        for text in
            ["stamp-key:hmac-sha256:c2VjcmV0", "hmac-sha256:stamp-key:c2VjcmV0", "Stamp-Key.:HMAC-SHA256.:c2Vj cmV0\n"]
        {
            let key: TsigKey = text.parse().unwrap();
            assert_eq!(format!("{key:?}"), "TsigKey(stamp-key, hmac-sha256)");
        }
        for algorithm in ["hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"] {
            assert!(TsigKey::new("x", algorithm, "c2VjcmV0").is_ok(), "{algorithm}");
        }
    }

    #[test]
    fn what_is_no_key_says_why_without_the_secret() {
        let message = |text: &str| text.parse::<TsigKey>().unwrap_err().to_string();
        assert_eq!(message("c2VjcmV0"), "a key is written as name:algorithm:secret");
        assert_eq!(
            message("x:hmac-md5:c2VjcmV0"),
            "\"hmac-md5\" is not supported; hmac-sha256, hmac-sha384, hmac-sha512 and hmac-sha1 are"
        );
        assert!(message("x:hmac-sha256:c2VjcmV0!").starts_with("the secret of \"x\" is not base64: "));
        assert!(!message("x:hmac-sha256:c2VjcmV0!").contains("c2V"));
        assert_eq!(message("x:hmac-sha256:"), "the secret of \"x\" is empty");
        assert_eq!(message(":hmac-sha256:c2VjcmV0"), "\"\" is no name of a key: it is empty");
        assert!(message("a..b:hmac-sha256:c2VjcmV0").starts_with("\"a..b\" is no name of a key: "));
    }
}
