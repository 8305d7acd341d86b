//! Keys in Knot's form, as `keymgr tsig generate` writes them: a `key:` section in a YAML of Knot's own.
//!
//! ```yaml
//! key:
//!   - id: stamp-key
//!     algorithm: hmac-sha256
//!     secret: c2VjcmV0
//! ```

use super::TsigKey;
use super::keyfile::{SyntaxError, in_line};

/// Whether a text's first statement is a section of Knot's.
pub(super) fn is_knot(text: &str) -> bool {
    text.lines().map(without_comment).find(|line| !line.trim().is_empty()).is_some_and(|line| section(line).is_some())
}

/// Reads all keys of a text; other sections are passed over.
pub(super) fn parse(text: &str) -> Result<Vec<TsigKey>, SyntaxError> {
    let mut keys = Vec::new();
    let mut inside = false;
    let mut item: Option<Item<'_>> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = without_comment(line);
        if line.trim().is_empty() {
            continue;
        }
        if !line.starts_with([' ', '\t', '-']) {
            let name =
                section(line).ok_or_else(|| SyntaxError::new(number, "a section should begin here, such as `key:`"))?;
            keys.extend(item.take().map(Item::key).transpose()?);
            inside = name == "key";
            continue;
        }
        if !inside {
            continue;
        }
        let line = line.trim();
        let property = match line.strip_prefix('-') {
            Some(rest) => {
                keys.extend(item.take().map(Item::key).transpose()?);
                item = Some(Item { line: number, ..Item::default() });
                rest
            }
            None => line,
        };
        let item = item.as_mut().ok_or_else(|| SyntaxError::new(number, "a key begins with `- id: NAME`"))?;
        item.set(number, property)?;
    }
    keys.extend(item.map(Item::key).transpose()?);
    Ok(keys)
}

/// One entry of the section.
#[derive(Default)]
struct Item<'a> {
    line: usize,
    id: Option<&'a str>,
    algorithm: Option<&'a str>,
    secret: Option<&'a str>,
}

impl<'a> Item<'a> {
    fn set(&mut self, line: usize, property: &'a str) -> Result<(), SyntaxError> {
        let (name, value) =
            property.split_once(':').ok_or_else(|| SyntaxError::new(line, "a property is written as `name: value`"))?;
        let field = match name.trim() {
            "id" => &mut self.id,
            "algorithm" => &mut self.algorithm,
            "secret" => &mut self.secret,
            "comment" => return Ok(()),
            _ => return Err(SyntaxError::new(line, "a key has the properties id, algorithm, secret and comment")),
        };
        if field.replace(unquoted(value)).is_some() {
            return Err(SyntaxError::new(line, format!("the key's {} is there twice", name.trim())));
        }
        Ok(())
    }

    fn key(self) -> Result<TsigKey, SyntaxError> {
        let missing = |what: &str| SyntaxError::new(self.line, format!("the key has no {what}"));
        let id = self.id.ok_or_else(|| missing("id"))?;
        let algorithm = self.algorithm.ok_or_else(|| missing("algorithm"))?;
        let secret = self.secret.ok_or_else(|| missing("secret"))?;
        TsigKey::new(id, algorithm, secret).map_err(|error| in_line(self.line, &error))
    }
}

/// The name of the section that a line at the left edge begins.
fn section(line: &str) -> Option<&str> {
    let name = line.trim_end().strip_suffix(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_name.then_some(name)
}

/// A line up to a `#` that stands outside of quotation marks.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (index, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '#' if !quoted => return &line[..index],
            _ => {}
        }
    }
    line
}

fn unquoted(value: &str) -> &str {
    let value = value.trim();
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_among_other_sections() {
        let text = "# hmac-sha256:stamp-key:c2VjcmV0\nserver:\n    listen: 127.0.0.1@5310\nkey:\n  - id: stamp-key\n    \
            algorithm: hmac-sha256\n    secret: c2VjcmV0=\n- id: \"two.\" # second\n  secret: \"c2VjcmV0\"\n  algorithm: hmac-sha1\nacl:\n  - id: upd\n    key: stamp-key\n";
        // One `=` too many.
        assert!(is_knot(text) && parse(text).is_err());
        let names: Vec<String> = parse(&text.replace("0=", "0")).unwrap().iter().map(TsigKey::name).collect();
        assert_eq!(names, ["stamp-key", "two"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_without_secrets() {
        let message = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(message("key:\n  - id: x\n    algorithm: hmac-sha256\n"), "line 2: the key has no secret");
        assert_eq!(message("key:\n  - id: x\n    id: y\n"), "line 3: the key's id is there twice");
        assert_eq!(message("key:\n    id: x\n"), "line 2: a key begins with `- id: NAME`");
        assert_eq!(message("key:\n  - c2VjcmV0\n"), "line 2: a property is written as `name: value`");
        assert_eq!(
            message("key:\n  - id: x\n    key: c2VjcmV0\n"),
            "line 3: a key has the properties id, algorithm, secret and comment"
        );
        assert_eq!(message("key:\nc2VjcmV0\n"), "line 2: a section should begin here, such as `key:`");
    }
}
