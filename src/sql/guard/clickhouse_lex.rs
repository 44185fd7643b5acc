//! Tokens of a caller's statement for ClickHouse, stricter than ClickHouse itself.
//!
//! A text passes only if it can be cut in one way: anything on which versions or lexers disagree (escapes in quoted
//! names, nested comments, heredocs, Unicode quotes, prefixed strings) is refused.

use super::{GuardError, forbidden, invalid};

/// A piece of a statement. Comments and blanks are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or an unquoted name.
    Word(String),
    /// A name in backticks or double quotes, without them.
    Quoted(String),
    Text,
    Number,
    Symbol(char),
}

impl Token {
    pub(super) fn is(&self, symbol: &str) -> bool {
        matches!(self, Token::Symbol(own) if symbol.chars().eq([*own]))
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Token::Word(own) if own.eq_ignore_ascii_case(word))
    }

    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Token::Word(name) | Token::Quoted(name) => Some(name),
            _ => None,
        }
    }
}

pub(super) fn tokens(sql: &str) -> Result<Vec<Token>, GuardError> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            ' ' | '\t' | '\n' | '\r' => (None, 1),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, comment(rest)?),
            '\'' => (Some(Token::Text), text(rest)?),
            '`' | '"' => {
                let (name, length) = quoted(rest, first)?;
                (Some(Token::Quoted(name)), length)
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(length);
                if after.starts_with(['\'', '$']) {
                    return Err(odd(&format!("`{word}` directly before a quote or `$`")));
                }
                (Some(Token::Word(word.to_owned())), length)
            }
            '0'..='9' => (Some(Token::Number), number(rest)?),
            '+' | '-' | '*' | '/' | '%' | '=' | '<' | '>' | '!' | '|' | ',' | '.' | '(' | ')' | '[' | ']' | '{'
            | '}' | ':' | '?' | '^' | ';' => (Some(Token::Symbol(first)), 1),
            '$' | '@' => {
                return Err(forbidden(format!("the character `{first}` is not allowed here")).hint(
                    "placeholders are written `{p1:String}`, `{p2:UInt32}` and so on, one for each value of `params`",
                ));
            }
            other => return Err(odd(&format!("the character `{}`", other.escape_default()))),
        };
        tokens.extend(token);
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(tokens)
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn comment(rest: &str) -> Result<usize, GuardError> {
    let length = rest.get(2..).and_then(|inner| inner.find("*/")).map(|inner| inner + 4);
    let length = length.ok_or_else(|| invalid("a comment does not end"))?;
    match rest.get(2..length) {
        Some(inner) if !inner.contains("/*") => Ok(length),
        _ => Err(odd("a comment inside a comment")),
    }
}

/// The length of a string in single quotes: a quote inside is doubled or behind a backslash.
fn text(rest: &str) -> Result<usize, GuardError> {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '\'' if characters.peek().is_some_and(|(_, next)| *next == '\'') => drop(characters.next()),
            '\'' => return Ok(at + 1),
            _ => {}
        }
    }
    Err(invalid("a string does not end"))
}

fn quoted(rest: &str, quote: char) -> Result<(String, usize), GuardError> {
    let inner = rest.get(1..).unwrap_or_default();
    let end = inner.find(quote).ok_or_else(|| invalid("a quoted name does not end"))?;
    let (name, after) = inner.split_at(end);
    if name.contains('\\') || after.get(1..).is_some_and(|after| after.starts_with(quote)) {
        return Err(odd("a quoted name with a quote or a backslash in it"));
    }
    if name.chars().any(char::is_control) {
        return Err(odd("a quoted name with a control character in it"));
    }
    Ok((name.to_owned(), end + 2))
}

fn number(rest: &str) -> Result<usize, GuardError> {
    let digits = |from: usize, is: fn(&u8) -> bool| {
        from + rest.as_bytes().get(from..).unwrap_or_default().iter().take_while(|byte| is(byte)).count()
    };
    let byte = |at: usize| rest.as_bytes().get(at).copied().unwrap_or(0);
    let end = match byte(1) {
        b'x' | b'X' if byte(0) == b'0' => digits(2, u8::is_ascii_hexdigit),
        b'b' | b'B' if byte(0) == b'0' => digits(2, u8::is_ascii_digit),
        _ => {
            let mut end = digits(0, u8::is_ascii_digit);
            if byte(end) == b'.' && byte(end + 1).is_ascii_digit() {
                end = digits(end + 1, u8::is_ascii_digit);
            }
            if matches!(byte(end), b'e' | b'E') {
                let sign = usize::from(matches!(byte(end + 1), b'+' | b'-'));
                end = digits(end + 1 + sign, u8::is_ascii_digit);
            }
            end
        }
    };
    match rest.get(end..).and_then(|after| after.chars().next()) {
        Some(next) if is_word(next) || next == '$' => Err(odd("a number with letters behind it")),
        _ => Ok(end),
    }
}

fn odd(what: &str) -> GuardError {
    forbidden(format!("{what} is not allowed here")).hint("write it more plainly: only what has one reading is run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_could_be_cut_in_two_ways_are_refused() {
        for sql in [
            "SELECT 1 /* a /* b */ c */",
            "SELECT `a\\`b`",
            "SELECT `a``b`",
            "SELECT \"a\\x62\"",
            "SELECT $a$ b $a$",
            "SELECT \u{2018}a\u{2019}",
            "SELECT x'00'",
            "SELECT 1a",
            "SELECT @@version",
            "SELECT 1 # comment",
            "SELECT\u{a0}1",
            "SELECT 'a",
            "SELECT \"a",
            "SELECT 1 /* a",
            "SELECT 1\0",
            "SELECT a$b",
        ] {
            assert!(tokens(sql).is_err(), "{sql}");
        }
        for sql in ["SELECT $1", "SELECT a FROM t WHERE b = @service"] {
            assert!(tokens(sql).unwrap_err().hint.unwrap().contains("`{p1:String}`"), "{sql}");
        }
        let plain = "SELECT a.1, 1.5e-3, 0xFF, 'it''s \\'', `x y`, {p1:String}, {'k': 1}['k'] -- 'end\n/* ' */ FROM t";
        assert_eq!(tokens(plain).unwrap().iter().filter(|token| matches!(token, Token::Text)).count(), 3);
    }
}
