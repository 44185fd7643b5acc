//! Times in a caller's statement: what `now()` means where the server's clock is set, and times as answers print them.
//!
//! Pure text to text, before any guard looks at the statement. Where `server.clock` is set, contexts end at that time,
//! and so must what a caller asks: `now()` and its like are replaced by it, and columns keep the names that they would
//! have without a clock. What cannot be replaced is told. SQLite keeps times as text, so that what is compared with
//! them is compared as a time ([`stored`]), and `now() - INTERVAL '1 hour'` is written as it knows it.

mod clickhouse;
mod explicit;
mod postgres;
mod sqlite;
mod stored;

use std::collections::BTreeSet;

use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339};

pub use explicit::explicit;
pub use stored::{INSTANT, is_time, order};

use super::{
    Bind, Dialect,
    lex::{self, Kind, Token},
};

/// A statement with its times written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timed {
    pub sql: String,
    /// Whether it asked for the present time.
    pub reads_clock: bool,
    /// What in it may still be the database's own present, though the clock is set, as it is written.
    pub real: BTreeSet<&'static str>,
}

/// Writes the times of a statement anew. `binds` are its values, `set` the time at which the server's clock was set to
/// stand.
pub fn timed(dialect: Dialect, sql: &str, binds: &[Bind], set: Option<OffsetDateTime>) -> Timed {
    // What cannot be cut into tokens is refused by the guard, with the reason.
    let tokens = lex::tokens(dialect, sql).unwrap_or_default();
    let mut writer = Writer {
        dialect,
        tokens: &tokens,
        binds,
        numbers: stored::numbers(&tokens),
        set,
        edits: Vec::new(),
        reads_clock: false,
        real: BTreeSet::new(),
        named: BTreeSet::new(),
    };
    writer.named = writer.names();
    let mut at = 0;
    while at < tokens.len() {
        at += writer.token(at).max(1);
    }
    if dialect == Dialect::Sqlite {
        writer.titles();
    }
    if set.is_some() {
        let texts = binds.iter().filter_map(|bind| if let Bind::Text(text) = bind { Some(text) } else { None });
        writer.real.extend(texts.filter_map(|text| relative(dialect, text)));
    }
    Timed { reads_clock: writer.reads_clock, real: writer.real, sql: written(sql, &tokens, writer.edits) }
}

/// A text that a database may read as its own present, such as `now` or PostgreSQL's `today`, or that holds one, as a
/// list or a JSON text does: which one.
fn relative(dialect: Dialect, text: &str) -> Option<&'static str> {
    let known: &[&'static str] = match dialect {
        // SQLite is opened with the time that is set for its present.
        Dialect::ClickHouse | Dialect::Sqlite => &[],
        Dialect::Postgres => &postgres::RELATIVE,
    };
    text.split([',', '[', ']', '(', ')', '{', '}', '"']).find_map(|part| {
        let found = |word: &str| known.iter().find(|known| known.eq_ignore_ascii_case(word));
        let word = part.split_whitespace().find_map(found)?;
        // `today 10:00 UTC`, and no sentence.
        let beside = |other: &str| {
            other.bytes().all(|byte| byte.is_ascii_digit() || b":.+-".contains(&byte))
                || other.contains('/')
                || (other.len() <= 5 && other.bytes().all(|byte| byte.is_ascii_uppercase()))
        };
        part.split_whitespace().all(|other| found(other).is_some() || beside(other)).then_some(*word)
    })
}

/// The time that a text is, as answers print times.
fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok().filter(|_| text.as_bytes().get(10) == Some(&b'T'))
}

/// Words behind which an expression begins, so that the next one is no name of what stands before.
const BEFORE: [&str; 46] = [
    "select",
    "distinct",
    "all",
    "where",
    "prewhere",
    "having",
    "and",
    "or",
    "not",
    "xor",
    "between",
    "in",
    "like",
    "ilike",
    "is",
    "then",
    "else",
    "when",
    "case",
    "on",
    "by",
    "limit",
    "offset",
    "interval",
    "from",
    "with",
    "union",
    "except",
    "intersect",
    "values",
    "set",
    "return",
    "div",
    "mod",
    "any",
    "array",
    "escape",
    "for",
    "glob",
    "match",
    "qualify",
    "regexp",
    "some",
    "step",
    "symmetric",
    "to",
];

struct Writer<'a> {
    dialect: Dialect,
    tokens: &'a [Token<'a>],
    binds: &'a [Bind],
    /// Which value a placeholder stands for, counted from one; zero of what is none.
    numbers: Vec<usize>,
    set: Option<OffsetDateTime>,
    /// From this token up to that one, and what stands there instead.
    edits: Vec<(usize, usize, String)>,
    reads_clock: bool,
    real: BTreeSet<&'static str>,
    /// Words that the statement itself gives a meaning.
    named: BTreeSet<String>,
}

impl<'a> Writer<'a> {
    fn get(&self, at: usize) -> Option<&'a Token<'a>> {
        self.tokens.get(at)
    }

    fn is(&self, at: usize, symbol: &str) -> bool {
        self.get(at).is_some_and(|token| token.is(symbol))
    }

    /// Looks at a token; how many were dealt with.
    fn token(&mut self, at: usize) -> usize {
        let Some(token) = self.get(at).copied() else { return 1 };
        if self.dialect == Dialect::Sqlite {
            self.compared(at);
        }
        if token.kind == Kind::Text && self.dialect == Dialect::Sqlite {
            let written = self.edits.iter().any(|(from, until, _)| (*from..*until).contains(&at));
            let real = relative(self.dialect, token.text.trim_matches('\''));
            self.real.extend(real.filter(|_| self.set.is_some() && !written));
            return 1;
        }
        if matches!(token.kind, Kind::Text | Kind::Dollar) && self.dialect == Dialect::Postgres {
            self.postgres_text(at);
            return 1;
        }
        let named = |at: Option<usize>, what: &str| at.and_then(|at| self.get(at)).is_some_and(|t| t.is(what));
        let call = self.is(at + 1, "(");
        // A function may be written in quotes, of ClickHouse without brackets, too.
        let quoted = token.kind == Kind::Quoted && (call || self.dialect == Dialect::ClickHouse);
        let readable = token.kind == Kind::Word || quoted;
        if !readable || named(at.checked_sub(1), ".") || named(Some(at + 1), ".") || (!call && self.is_name(at)) {
            return 1;
        }
        let word = bare(&token);
        let end = if self.is(at + 1, "(") { self.closing(at + 1) } else { Some(at) };
        let Some(end) = end else { return 1 };
        match self.dialect {
            Dialect::ClickHouse => self.clickhouse(&word, at, end),
            Dialect::Postgres => self.postgres(&word, at, end),
            Dialect::Sqlite => {
                let done = self.sqlite(&word, at, end);
                if ["now", "current_timestamp", "datetime", "strftime"].contains(&word.as_str()) {
                    self.instant(at, (at + done).max(end + 1));
                }
                done
            }
        }
    }

    /// Whether a word names something: what stands before it (`max(t) AS now`, `max(t) now`), or a part of the statement
    /// (`WITH now AS (…)`).
    fn is_name(&self, at: usize) -> bool {
        let named = |at: usize| {
            self.is_word(at + 1, "as") && self.is(at + 2, "(")
                // `now -> now + 1`
                || self.get(at + 1).is_some_and(|next| next.text == "->")
                || at.checked_sub(1).and_then(|at| self.get(at)).is_some_and(|before| match before.kind {
                    Kind::Word => !BEFORE.iter().any(|word| before.is_word(word)),
                    Kind::Symbol => before.text == ")",
                    Kind::Operator => false,
                    _ => true,
                })
        };
        // Only ClickHouse takes such a name for what it was given to; elsewhere the word keeps its meaning.
        let given = self.get(at).is_some_and(|token| self.named.contains(&bare(token)));
        named(at) || (self.dialect == Dialect::ClickHouse && given)
    }

    fn names(&self) -> BTreeSet<String> {
        let words = self
            .tokens
            .iter()
            .enumerate()
            .filter(|(at, token)| matches!(token.kind, Kind::Word | Kind::Quoted) && !self.is(at + 1, "("))
            // `current_date AS current_date` is the present under its own name.
            .filter(|(at, token)| {
                let own = at.checked_sub(2).and_then(|at| self.get(at)).is_some_and(|own| bare(own) == bare(token));
                self.is_name(*at) && !(own && self.is_word(at - 1, "as"))
            });
        words.map(|(_, token)| bare(token)).collect()
    }

    fn is_word(&self, at: usize, word: &str) -> bool {
        self.get(at).is_some_and(|token| token.is_word(word))
    }

    /// The parenthesis that closes the one at `at`.
    fn closing(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (index, token) in self.tokens.iter().enumerate().skip(at) {
            depth += usize::from(token.is("("));
            if token.is(")") {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index);
                }
            }
        }
        None
    }

    /// Replaces a call, or a word that stands for one.
    fn replace(&mut self, at: usize, end: usize, text: Option<String>) -> usize {
        self.reads_clock = true;
        let Some(text) = text else { return 1 };
        self.edits.push((at, end + 1, text));
        end + 1 - at
    }

    /// The arguments of a call, each as it is written.
    fn arguments(&self, at: usize, end: usize) -> Vec<String> {
        let (mut parts, mut depth) = (Vec::<String>::new(), 0_usize);
        for token in self.tokens.get(at + 2..end).unwrap_or_default() {
            depth += usize::from(["(", "["].contains(&token.text));
            depth = depth.saturating_sub(usize::from([")", "]"].contains(&token.text)));
            match parts.last_mut() {
                _ if depth == 0 && token.is(",") => parts.push(String::new()),
                None => parts.push(token.text.to_owned()),
                Some(part) => {
                    if (token.spaced || part.ends_with(',')) && !part.is_empty() {
                        part.push(' ');
                    }
                    part.push_str(token.text);
                }
            }
        }
        parts
    }
}

/// A word without its quotes, in lower case.
fn bare(token: &Token<'_>) -> String {
    token.text.trim_matches(['"', '`']).to_ascii_lowercase()
}

/// The statement with the edits: from this token up to that one, and what stands there instead. What stands instead of
/// nothing follows the token before.
fn written(sql: &str, tokens: &[Token<'_>], mut edits: Vec<(usize, usize, String)>) -> String {
    edits.sort_by_key(|(at, until, _)| (*at, *until));
    let (mut out, mut done) = (String::with_capacity(sql.len() + 64), 0);
    for (at, until, text) in &edits {
        let end = until.checked_sub(1).and_then(|last| tokens.get(last)).map_or(0, Token::end);
        let start = if until > at { tokens.get(*at).map_or(sql.len(), |token| token.start) } else { end };
        // Inside another.
        if start < done {
            continue;
        }
        out.push_str(sql.get(done..start).unwrap_or_default());
        out.push_str(text);
        done = end;
    }
    out.push_str(sql.get(done..).unwrap_or_default());
    out
}

/// `10:00:00`, UTC.
fn clock(at: OffsetDateTime) -> String {
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

/// `2026-11-20T10:00:00.000Z`, with as many digits as lose nothing.
fn instant(at: OffsetDateTime) -> String {
    let nanos = at.nanosecond();
    let fraction = match nanos {
        _ if nanos.is_multiple_of(1_000_000) => format!("{:03}", nanos / 1_000_000),
        _ if nanos.is_multiple_of(1_000) => format!("{:06}", nanos / 1_000),
        _ => format!("{nanos:09}"),
    };
    format!("{}T{}.{fraction}Z", at.date(), clock(at))
}

#[cfg(test)]
mod tests;
