//! Values of several parts that callers pass: `['a','b']` for `Array(String)`, `(300,'2026-11-20')` for `Tuple(UInt16, Date)`.
//!
//! They are read by their type, so that each part is judged as a value alone is, and times as answers print them are written
//! as ClickHouse reads them there. What is not read here is left to ClickHouse as it stands.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{placeholders::inner, request::moment_text};

/// A literal, and the first part of it that is no value of its type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) text: String,
    pub(super) misfit: Option<Misfit>,
}

/// A part that does not fit, and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) part: String,
    pub(super) what: String,
}

/// Whether values of a type are literals of several parts.
pub(super) fn is_composed(ty: &str) -> bool {
    const COMPOSED: [&str; 9] =
        ["Array", "Map", "Tuple", "Nested", "Point", "Ring", "Polygon", "MultiPolygon", "LineString"];
    let base = ty.split('(').next().unwrap_or_default().trim();
    COMPOSED.iter().any(|composed| base.eq_ignore_ascii_case(composed))
}

/// Reads a literal of a type; `judge` says what a part is that is no value of its type.
pub(super) fn read(ty: &str, text: &str, judge: impl Fn(&str, &str) -> Option<String>) -> Option<Literal> {
    let mut reader = Reader { text, at: 0, written: String::new(), misfit: None, judge };
    reader.value(ty)?;
    reader.blank();
    (reader.at == text.len()).then_some(Literal { text: reader.written, misfit: reader.misfit })
}

struct Reader<'t, J> {
    text: &'t str,
    at: usize,
    written: String,
    misfit: Option<Misfit>,
    judge: J,
}

impl<J: Fn(&str, &str) -> Option<String>> Reader<'_, J> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blank(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn next(&mut self, mark: char) -> Option<()> {
        self.blank();
        self.rest().starts_with(mark).then(|| {
            self.at += mark.len_utf8();
            self.written.push(mark);
        })
    }

    fn value(&mut self, ty: &str) -> Option<()> {
        let ty = inner(ty);
        let (base, arguments) = match ty.split_once('(') {
            Some((base, arguments)) => (base.trim(), split(arguments.strip_suffix(')')?)),
            None => (ty, Vec::new()),
        };
        match (base, arguments.as_slice()) {
            ("Array", [item]) => {
                self.next('[')?;
                while self.next(']').is_none() {
                    if !self.written.ends_with('[') {
                        self.next(',')?;
                    }
                    self.value(item)?;
                }
            }
            ("Map", [key, value]) => {
                self.next('{')?;
                while self.next('}').is_none() {
                    if !self.written.ends_with('{') {
                        self.next(',')?;
                    }
                    self.value(key)?;
                    self.next(':')?;
                    self.value(value)?;
                }
            }
            ("Tuple", [_, ..]) => {
                self.next('(')?;
                for (at, item) in arguments.iter().enumerate() {
                    if at > 0 {
                        self.next(',')?;
                    }
                    self.value(unnamed(item))?;
                }
                self.next(')')?;
            }
            _ if is_composed(ty) => return None,
            _ => self.part(ty)?,
        }
        Some(())
    }

    /// A value of one part.
    fn part(&mut self, ty: &str) -> Option<()> {
        self.blank();
        let rest = self.text.get(self.at..)?;
        let (length, value) = match rest.strip_prefix('\'') {
            Some(quoted) => {
                let (length, value) = unquoted(quoted)?;
                (length + 1, value)
            }
            None => {
                let length = rest.find([',', ']', ')', '}', ':']).unwrap_or(rest.len());
                (length, rest.get(..length)?.trim_end().to_owned())
            }
        };
        if value.is_empty() && !rest.starts_with('\'') {
            return None;
        }
        if !value.eq_ignore_ascii_case("null") && self.misfit.is_none() {
            self.misfit = (self.judge)(ty, &value).map(|what| Misfit { part: value.clone(), what });
        }
        // A type with a zone reads times in it.
        let is_time = ty == "DateTime" || (ty.starts_with("DateTime64") && !ty.contains('\''));
        let moment = is_time.then(|| OffsetDateTime::parse(&value, &Rfc3339).ok()).flatten();
        match moment {
            Some(moment) => {
                let text = moment_text(moment);
                let text = if ty == "DateTime" { text.split('.').next().unwrap_or_default() } else { &text };
                self.written.push_str(&format!("'{text}'"));
            }
            None => self.written.push_str(rest.get(..length)?.trim_end()),
        }
        self.at += length;
        Some(())
    }
}

/// What stands before the quote that ends a text, and how many bytes that is with the quote.
fn unquoted(text: &str) -> Option<(usize, String)> {
    let mut value = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.push(letters.next()?.1),
            '\'' if letters.peek().is_some_and(|(_, next)| *next == '\'') => {
                letters.next();
                value.push('\'');
            }
            '\'' => return Some((at + 1, value)),
            other => value.push(other),
        }
    }
    None
}

/// What stands between the commas of no parenthesis.
fn split(arguments: &str) -> Vec<&str> {
    let (mut found, mut depth, mut from) = (Vec::new(), 0_usize, 0);
    for (at, letter) in arguments.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.extend(arguments.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    found.extend(arguments.get(from..).filter(|last| !last.trim().is_empty()));
    found
}

/// The type of `name Type`.
fn unnamed(item: &str) -> &str {
    let item = item.trim();
    match item.split_once(char::is_whitespace) {
        Some((name, ty)) if !name.contains('(') => ty.trim(),
        _ => item,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(ty: &str, text: &str) -> Option<String> {
        read(ty, text, |_, _| None).map(|literal| literal.text)
    }

    #[test]
    fn times_in_literals_are_written_as_clickhouse_reads_them() {
        for (ty, text, expected) in [
            (
                "Array(DateTime)",
                "['2026-11-20T11:00:00Z', '2026-11-20 10:00:00']",
                "['2026-11-20 11:00:00','2026-11-20 10:00:00']",
            ),
            (
                "Tuple(a UInt8, b DateTime64(3))",
                "(1, '2026-11-20T12:00:00.250+01:00')",
                "(1,'2026-11-20 11:00:00.250000000')",
            ),
            (
                "Map(String, Nullable(DateTime))",
                "{'2026-11-20T11:00:00Z': '2026-11-20T11:00:00Z', 'b': NULL}",
                "{'2026-11-20T11:00:00Z':'2026-11-20 11:00:00','b':NULL}",
            ),
            ("Array(DateTime64(3, 'Asia/Tokyo'))", "['2026-11-20T11:00:00Z']", "['2026-11-20T11:00:00Z']"),
            ("Array(String)", r"['it\'s', 'a''b', ']', '']", r"['it\'s','a''b',']','']"),
            ("Array(Array(UInt8))", "[[1, 2], []]", "[[1,2],[]]"),
        ] {
            assert_eq!(written(ty, text).as_deref(), Some(expected), "{ty} {text}");
        }
        for (ty, text) in [
            ("Array(String)", "['a"),
            ("Array(UInt8)", "[1"),
            ("Tuple(UInt8, UInt8)", "(1)"),
            ("Point", "(1, 2)"),
            ("Array(UInt8)", "[1] x"),
        ] {
            assert_eq!(written(ty, text), None, "{ty} {text}");
        }
    }
}
