//! Words, literals and punctuation of a statement, in each dialect's own lexical rules.
//!
//! Ours instead of sqlparser's tokenizer, for two reasons. ClickHouse statements that sqlparser does not know
//! still have to be split and linted; and the tenant guard may only trust a text that both our parser and the
//! database cut into the same tokens, which takes rules that are the database's, not an approximation.

use super::Dialect;

/// A piece of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: Kind,
    /// As written.
    pub text: &'a str,
    /// Where it begins, in bytes of the statement.
    pub start: usize,
    /// Whether white space or a comment stands before it.
    pub spaced: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in quotes.
    Quoted,
    /// A string in single quotes without a prefix.
    Text,
    /// PostgreSQL's `$tag$…$tag$`, ClickHouse's heredoc.
    Dollar,
    /// A literal with a prefix that changes its meaning: `E'…'`, `U&"…"`, `x'…'`.
    Prefixed,
    Number,
    /// `$1`, `?1`, `?`, `:name`, `{name:Type}`.
    Placeholder,
    /// One operator of one or more characters.
    Operator,
    /// A single punctuation mark, and `::`.
    Symbol,
}

impl Token<'_> {
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub fn is(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// Whether it is this keyword, however written.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// A quote or a comment that does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} does not end")]
pub struct Unclosed {
    pub what: &'static str,
    pub start: usize,
}

/// Cuts a statement into tokens; comments and white space fall away.
pub fn tokens(dialect: Dialect, sql: &str) -> Result<Vec<Token<'_>>, Unclosed> {
    let mut lexer = Lexer { dialect, sql, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let before = lexer.at;
        lexer.skip_blank()?;
        let start = lexer.at;
        if start >= sql.len() {
            return Ok(tokens);
        }
        let kind = lexer.token()?;
        let text = sql.get(start..lexer.at).unwrap_or_default();
        tokens.push(Token { kind, text, start, spaced: start > before });
    }
}

/// The tokens of each statement. Statements without tokens, such as what follows the last semicolon, are left out.
pub fn statements<'a, 't>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    tokens.split(|token| token.is(";")).filter(|statement| !statement.is_empty()).collect()
}

struct Lexer<'a> {
    dialect: Dialect,
    sql: &'a str,
    at: usize,
}

const NEVER_ENDS: &str = "a string";

impl Lexer<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        self.sql.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &str {
        self.sql.get(self.at..).unwrap_or_default()
    }

    fn ended(&self) -> bool {
        self.at >= self.sql.len()
    }

    fn skip_blank(&mut self) -> Result<(), Unclosed> {
        loop {
            match (self.byte(0), self.byte(1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, _) => self.at += 1,
                (b'-', b'-') => self.skip_line(),
                (b'#', b' ' | b'!') if self.dialect == Dialect::ClickHouse => self.skip_line(),
                (b'/', b'*') => self.skip_comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) {
        // PostgreSQL ends a line comment at a carriage return too.
        let ends: &[char] = if self.dialect == Dialect::Postgres { &['\n', '\r'] } else { &['\n'] };
        self.at += self.rest().find(ends).unwrap_or(self.rest().len());
    }

    /// Comments nest in PostgreSQL and ClickHouse. In SQLite the first end ends them, or the end of the text.
    fn skip_comment(&mut self) -> Result<(), Unclosed> {
        let start = self.at;
        let mut depth = 0_usize;
        while !self.ended() {
            match (self.byte(0), self.byte(1)) {
                (b'/', b'*') if depth == 0 || self.dialect != Dialect::Sqlite => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => self.at += 1,
            }
        }
        Err(Unclosed { what: "a comment", start })
    }

    fn token(&mut self) -> Result<Kind, Unclosed> {
        let first = self.byte(0);
        match first {
            b'\'' => self.quoted(b'\'', self.dialect == Dialect::ClickHouse).map(|()| Kind::Text),
            b'"' => self.quoted(b'"', self.dialect == Dialect::ClickHouse).map(|()| Kind::Quoted),
            b'`' if self.dialect != Dialect::Postgres => {
                self.quoted(b'`', self.dialect == Dialect::ClickHouse).map(|()| Kind::Quoted)
            }
            b'[' if self.dialect == Dialect::Sqlite => self.until(']', "a name in brackets").map(|()| Kind::Quoted),
            b'0'..=b'9' => Ok(self.number()),
            b'.' if self.byte(1).is_ascii_digit() => Ok(self.number()),
            b'$' => self.dollar(),
            b'?' if self.dialect == Dialect::Sqlite => Ok(self.placeholder()),
            b':' | b'@' if self.dialect == Dialect::Sqlite && is_word(self.byte(1)) => Ok(self.placeholder()),
            b'{' if self.dialect == Dialect::ClickHouse && self.rest().contains('}') => {
                self.until('}', "a placeholder").map(|()| Kind::Placeholder)
            }
            _ if is_word_start(first) => self.word(),
            b':' if self.byte(1) == b':' => {
                self.at += 2;
                Ok(Kind::Symbol)
            }
            _ if self.is_operator(first) => Ok(self.operator()),
            _ => {
                self.at += self.rest().chars().next().map_or(1, char::len_utf8);
                Ok(Kind::Symbol)
            }
        }
    }

    /// Past a quoted text whose quote is written twice inside, or, where backslashes escape, behind one.
    fn quoted(&mut self, quote: u8, backslash: bool) -> Result<(), Unclosed> {
        let start = self.at;
        self.at += 1;
        while !self.ended() {
            match self.byte(0) {
                b'\\' if backslash => self.at += 2,
                byte if byte == quote && self.byte(1) == quote => self.at += 2,
                byte if byte == quote => {
                    self.at += 1;
                    return Ok(());
                }
                _ => self.at += 1,
            }
        }
        self.at = self.sql.len();
        Err(Unclosed { what: if quote == b'\'' { NEVER_ENDS } else { "a quoted name" }, start })
    }

    fn until(&mut self, end: char, what: &'static str) -> Result<(), Unclosed> {
        match self.rest().find(end) {
            Some(length) => {
                self.at += length + end.len_utf8();
                Ok(())
            }
            None => Err(Unclosed { what, start: self.at }),
        }
    }

    /// Letters are taken along, so that `1from` is one odd token rather than two that parsers disagree about.
    fn number(&mut self) -> Kind {
        while is_word(self.byte(0)) || self.byte(0) == b'.' {
            let exponent = matches!(self.byte(0), b'e' | b'E');
            self.at += 1;
            if exponent && matches!(self.byte(0), b'+' | b'-') && self.byte(1).is_ascii_digit() {
                self.at += 1;
            }
        }
        Kind::Number
    }

    /// `$1`, `$name`, `$tag$…$tag$`.
    fn dollar(&mut self) -> Result<Kind, Unclosed> {
        let start = self.at;
        if self.byte(1).is_ascii_digit() || self.dialect == Dialect::Sqlite {
            return Ok(self.placeholder());
        }
        let tag = self.rest().get(1..).unwrap_or_default();
        let length = tag.bytes().take_while(|byte| is_word(*byte) && *byte != b'$').count();
        if tag.as_bytes().get(length) != Some(&b'$') {
            self.at += 1;
            return Ok(Kind::Symbol);
        }
        let tag = self.sql.get(start..start + length + 2).unwrap_or_default();
        self.at += tag.len();
        match self.rest().find(tag) {
            Some(length) => {
                self.at += length + tag.len();
                Ok(Kind::Dollar)
            }
            None => Err(Unclosed { what: "a dollar-quoted string", start }),
        }
    }

    fn placeholder(&mut self) -> Kind {
        self.at += 1;
        while is_word(self.byte(0)) {
            self.at += 1;
        }
        Kind::Placeholder
    }

    fn word(&mut self) -> Result<Kind, Unclosed> {
        let start = self.at;
        while is_word(self.byte(0)) {
            self.at += 1;
        }
        let word = self.sql.get(start..self.at).unwrap_or_default();
        let is_prefix = |prefixes: &[&str]| prefixes.iter().any(|prefix| word.eq_ignore_ascii_case(prefix));
        match (self.dialect, self.byte(0), self.byte(1), self.byte(2)) {
            (Dialect::Postgres, b'\'', ..) if is_prefix(&["e"]) => self.quoted(b'\'', true).map(|()| Kind::Prefixed),
            (Dialect::Postgres, b'\'', ..) if is_prefix(&["b", "x", "n"]) => {
                self.quoted(b'\'', false).map(|()| Kind::Prefixed)
            }
            (Dialect::Postgres, b'&', quote @ (b'\'' | b'"'), _) if is_prefix(&["u"]) => {
                self.at += 1;
                self.quoted(quote, false).map(|()| Kind::Prefixed)
            }
            (Dialect::Sqlite, b'\'', ..) if is_prefix(&["x"]) => self.quoted(b'\'', false).map(|()| Kind::Prefixed),
            (Dialect::ClickHouse, b'\'', ..) if is_prefix(&["x", "b"]) => {
                self.quoted(b'\'', true).map(|()| Kind::Prefixed)
            }
            _ => Ok(Kind::Word),
        }
    }

    fn is_operator(&self, byte: u8) -> bool {
        match self.dialect {
            Dialect::Postgres => b"+-*/<>=~!@#%^&|?`".contains(&byte),
            Dialect::Sqlite => b"+-*/<>=~!%&|".contains(&byte),
            Dialect::ClickHouse => b"+-*/<>=!%|?".contains(&byte),
        }
    }

    /// The longest run of operator characters, as PostgreSQL reads it, but not into a comment.
    fn operator(&mut self) -> Kind {
        while self.is_operator(self.byte(0)) {
            if matches!((self.byte(0), self.byte(1)), (b'-', b'-') | (b'/', b'*')) {
                break;
            }
            self.at += 1;
        }
        Kind::Operator
    }
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_word(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(dialect: Dialect, sql: &str) -> Vec<&str> {
        tokens(dialect, sql).unwrap().into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn semicolons_inside_quotes_and_comments_separate_nothing() {
        use Dialect::{ClickHouse, Postgres, Sqlite};
        let cases = [
            (Postgres, "SELECT ';' ; SELECT 1", 2),
            (Postgres, "SELECT $a$ ; $b$ ; $a$", 1),
            (Postgres, "SELECT E'\\';' ; x", 2),
            (Postgres, "SELECT '\\'; SELECT 1", 2),
            (Postgres, "SELECT 1 /* ; /* ; */ ; */ -- ;\n;", 1),
            (Postgres, "SELECT \";\" ;", 1),
            (Sqlite, "SELECT 1 /* ; /* ; */ ; x", 2),
            (Sqlite, "SELECT [a;b], `c;d` ;", 1),
            (Sqlite, "SELECT '\\'; SELECT 1", 2),
            (ClickHouse, "SELECT '\\';' ; # ;\n", 1),
            (ClickHouse, "SELECT {p:String}, $$ ; $$", 1),
            (ClickHouse, ";;", 0),
        ];
        for (dialect, sql, count) in cases {
            let tokens = tokens(dialect, sql).unwrap();
            assert_eq!(statements(&tokens).len(), count, "{sql}");
        }
    }

    #[test]
    fn tokens_of_each_dialect() {
        assert_eq!(
            texts(Dialect::Postgres, "a.b->>'x'::text=$1"),
            ["a", ".", "b", "->>", "'x'", "::", "text", "=", "$1"]
        );
        assert_eq!(texts(Dialect::Postgres, "1.5e-3-2"), ["1.5e-3", "-", "2"]);
        assert_eq!(texts(Dialect::Postgres, "U&\"d\\0061t\" u & 1"), ["U&\"d\\0061t\"", "u", "&", "1"]);
        assert_eq!(texts(Dialect::Sqlite, "?12+:name"), ["?12", "+", ":name"]);
        assert_eq!(texts(Dialect::ClickHouse, "x ? {p1:UInt8} : 0"), ["x", "?", "{p1:UInt8}", ":", "0"]);
    }

    #[test]
    fn what_does_not_end_is_said() {
        for sql in ["SELECT 'a", "SELECT \"a", "SELECT /* a", "SELECT $x$ a $y$"] {
            assert!(tokens(Dialect::Postgres, sql).is_err(), "{sql}");
        }
    }
}
