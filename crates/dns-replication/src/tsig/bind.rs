//! Keys in BIND's form, as `tsig-keygen` writes them: `key "name" { algorithm hmac-sha256; secret "..."; };`.
//!
//! Other statements may stand beside them, as in a whole `named.conf` or `rndc.conf`; they are passed over.

use super::TsigKey;
use super::keyfile::{SyntaxError, in_line};

/// Reads all keys of a text.
pub(super) fn parse(text: &str) -> Result<Vec<TsigKey>, SyntaxError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, last_line: text.lines().count().max(1) };
    let mut keys = Vec::new();
    while let Some(token) = parser.next() {
        match token.kind {
            Kind::Word("key") => {
                if let Some(key) = parser.key()? {
                    keys.push(key);
                }
            }
            Kind::Mark(';') => {}
            Kind::Mark('}') => return Err(SyntaxError::new(token.line, "a } without its {")),
            _ => parser.skip_statement(token)?,
        }
    }
    Ok(keys)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token<'a> {
    line: usize,
    kind: Kind<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind<'a> {
    Word(&'a str),
    Quoted(&'a str),
    /// One of `{`, `}` and `;`.
    Mark(char),
}

struct Parser<'a, 'b> {
    tokens: &'b [Token<'a>],
    last_line: usize,
}

impl<'a> Parser<'a, '_> {
    fn next(&mut self) -> Option<Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(*first)
    }

    fn expect(&mut self, what: &str) -> Result<Token<'a>, SyntaxError> {
        self.next().ok_or_else(|| SyntaxError::new(self.last_line, format!("the file ends where {what} should follow")))
    }

    fn mark(&mut self, mark: char) -> Result<(), SyntaxError> {
        let token = self.expect(&format!("a {mark}"))?;
        if token.kind == Kind::Mark(mark) {
            return Ok(());
        }
        Err(SyntaxError::new(token.line, format!("{} stands where a {mark} should", token.kind.show())))
    }

    /// A word, quoted or not, and its line.
    fn value(&mut self, what: &str) -> Result<(usize, &'a str), SyntaxError> {
        let token = self.expect(what)?;
        match token.kind {
            Kind::Word(value) | Kind::Quoted(value) => Ok((token.line, value)),
            Kind::Mark(mark) => Err(SyntaxError::new(token.line, format!("a {mark} stands where {what} should"))),
        }
    }

    /// What follows the word `key`; none when it only names a key that stands elsewhere.
    fn key(&mut self) -> Result<Option<TsigKey>, SyntaxError> {
        let (line, name) = self.value("the name of a key")?;
        if self.tokens.first().is_some_and(|token| token.kind == Kind::Mark(';')) {
            return Ok(None);
        }
        self.mark('{')?;
        let (mut algorithm, mut secret) = (None, None);
        loop {
            let token = self.expect("a }")?;
            let field = match token.kind {
                Kind::Mark('}') => break,
                Kind::Word("algorithm") => &mut algorithm,
                Kind::Word("secret") => &mut secret,
                other => {
                    let problem = format!("{} stands where algorithm, secret or a }} should", other.show());
                    return Err(SyntaxError::new(token.line, problem));
                }
            };
            *field = Some(self.value("a value")?.1);
            self.mark(';')?;
        }
        let missing = |what: &str| SyntaxError::new(line, format!("key {name:?} has no {what}"));
        let algorithm = algorithm.ok_or_else(|| missing("algorithm"))?;
        let secret = secret.ok_or_else(|| missing("secret"))?;
        TsigKey::new(name, algorithm, secret).map(Some).map_err(|error| in_line(line, &error))
    }

    /// Passes over a statement whose first token is `first`, up to its `;` outside of all braces.
    fn skip_statement(&mut self, first: Token<'_>) -> Result<(), SyntaxError> {
        let mut depth = usize::from(first.kind == Kind::Mark('{'));
        while let Some(token) = self.next() {
            match token.kind {
                Kind::Mark('{') => depth += 1,
                Kind::Mark('}') if depth == 0 => return Err(SyntaxError::new(token.line, "a } without its {")),
                Kind::Mark('}') => depth -= 1,
                Kind::Mark(';') if depth == 0 => return Ok(()),
                _ => {}
            }
        }
        Err(SyntaxError::new(first.line, format!("no ; ends what {} begins", first.kind.show())))
    }
}

impl Kind<'_> {
    /// The token for a message; what is quoted may be a secret.
    fn show(self) -> String {
        match self {
            Self::Word(word) => format!("{word:?}"),
            Self::Quoted(_) => "a quoted text".to_owned(),
            Self::Mark(mark) => format!("a {mark}"),
        }
    }
}

/// Cuts a text into tokens, without comments of the three kinds.
fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '\n' => {
                line += 1;
                1
            }
            _ if first.is_whitespace() => first.len_utf8(),
            '{' | '}' | ';' => {
                tokens.push(Token { line, kind: Kind::Mark(first) });
                1
            }
            '#' => line_len(rest),
            '/' if rest.starts_with("//") => line_len(rest),
            '/' if rest.starts_with("/*") => {
                let end = rest.find("*/").ok_or_else(|| SyntaxError::new(line, "no */ ends the comment"))?;
                line += rest[..end].matches('\n').count();
                end + 2
            }
            '"' => {
                let inside = &rest[1..];
                let end = inside.find(['"', '\n']).filter(|&end| inside[end..].starts_with('"'));
                let end = end.ok_or_else(|| SyntaxError::new(line, "no quotation mark ends the text"))?;
                tokens.push(Token { line, kind: Kind::Quoted(&inside[..end]) });
                end + 2
            }
            _ => {
                let is_end = |character: char| character.is_whitespace() || matches!(character, '{' | '}' | ';' | '"');
                let end = rest.find(is_end).unwrap_or(rest.len());
                tokens.push(Token { line, kind: Kind::Word(&rest[..end]) });
                end
            }
        };
        rest = &rest[len..];
    }
    Ok(tokens)
}

/// How many bytes there are before the end of the line.
fn line_len(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_among_comments_and_other_statements() {
        let text = "// a file\n/* of\nBIND */ include \"x\"; options { a { b; }; };\n\
            key \"stamp-key\" {\n\talgorithm hmac-sha256; # good\n\tsecret \"c2VjcmV0\";\n};\n\
            key two. { secret c2VjcmV0; algorithm HMAC-SHA512; };\ncontrols { inet 127.0.0.1 keys { two; }; };\n";
        let names: Vec<String> = parse(text).unwrap().iter().map(TsigKey::name).collect();
        assert_eq!(names, ["stamp-key", "two"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_without_secrets() {
        let message = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(message("key \"x\" {\n algorithm hmac-sha256;\n};"), "line 1: key \"x\" has no secret");
        assert_eq!(message("key x { secret \"c2Vj\"; };"), "line 1: key \"x\" has no algorithm");
        assert_eq!(message("\nkey x { secret \"c2Vj\" };"), "line 2: a } stands where a ; should");
        assert_eq!(
            message("key x { \"c2Vj\"; };"),
            "line 1: a quoted text stands where algorithm, secret or a } should"
        );
        assert_eq!(message("key x {\n secret \"c2Vj\n\";"), "line 2: no quotation mark ends the text");
        assert_eq!(message("key x { secret"), "line 1: the file ends where a value should follow");
        assert_eq!(message("/* key"), "line 1: no */ ends the comment");
        assert_eq!(message("options { };\n}"), "line 2: a } without its {");
        assert_eq!(message("options {"), "line 1: no ; ends what \"options\" begins");
    }
}
