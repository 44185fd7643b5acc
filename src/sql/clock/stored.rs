//! SQLite: times as its tables keep them.
//!
//! They are text, and a time has more than one: `2026-11-20T10:00:00Z` and `2026-11-20T10:00:00.000Z`. What a caller
//! compares is compared with each of them, since nothing says which of them a column or a JSON text holds. A time that is
//! not compared stays what it is.

use time::{OffsetDateTime, UtcOffset};

use super::{Bind, Kind, Token, Writer, instant, moment};

/// A time in the statement: a text of it, or a value.
struct Written {
    /// As it may be written once more.
    again: String,
    /// What it is compared by: with a fraction, which is less than any other form of the same time.
    least: String,
    /// Every form of it.
    all: String,
}

/// Which value each token stands for, counted from one; zero for what is no placeholder. A bare `?` is the one behind
/// the highest so far.
pub(super) fn numbers(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut highest = 0;
    let number = |token: &Token<'_>| {
        if token.kind != Kind::Placeholder {
            return 0;
        }
        let number = match token.text.get(1..) {
            Some("") | None => highest + 1,
            Some(digits) => digits.parse().unwrap_or(0),
        };
        highest = highest.max(number);
        number
    };
    tokens.iter().map(number).collect()
}

impl Writer<'_> {
    /// Looks at what compares.
    pub(super) fn compared(&mut self, at: usize) {
        let Some(token) = self.get(at).copied() else { return };
        match token.text {
            "=" | "==" | "<>" | "!=" | "<" | "<=" | ">" | ">=" if token.kind == Kind::Operator => {
                let Some(before) = at.checked_sub(1) else { return };
                let (left, right) = (self.written(before), self.written(at + 1));
                if let Some(time) = right.filter(|_| self.ends(at + 2)) {
                    self.beside(at, token.text, &time);
                } else if let (Some(time), Some(end)) = (left, self.column(at + 1))
                    && self.ends(end)
                    && self.begins(before)
                {
                    let column = self.text(at + 1, end);
                    let text = comparison(&column, turned(token.text), &time);
                    self.edits.push((before, end, text));
                }
            }
            _ if token.is_word("between") && self.is_word(at + 2, "and") => self.between(at),
            // The upper end of a range whose lower one is no text.
            _ if token.is_word("and") && !self.is_edited(at + 1) && self.ends(at + 2) => {
                let compares = self.get(at + 2).is_some_and(|next| next.kind == Kind::Operator);
                if let Some(time) = self.written(at + 1).filter(|_| !compares) {
                    self.edits.push((at + 1, at + 2, time.least));
                }
            }
            _ if token.is_word("in") && self.is(at + 1, "(") => {
                let Some(end) = self.closing(at + 1) else { return };
                for item in at + 2..end {
                    let alone = |at: usize| ["(", ",", ")"].iter().any(|mark| self.is(at, mark));
                    if let Some(time) = self.written(item).filter(|_| alone(item - 1) && alone(item + 1)) {
                        self.edits.push((item, item + 1, time.all));
                    }
                }
            }
            _ => {}
        }
    }

    /// `x > time`.
    fn beside(&mut self, at: usize, operator: &str, time: &Written) {
        match operator {
            "=" | "==" => self.edits.push((at, at + 2, format!("IN ({})", time.all))),
            "<>" | "!=" => self.edits.push((at, at + 2, format!("NOT IN ({})", time.all))),
            ">" | "<=" if let Some(start) = self.column_before(at) => {
                let text = comparison(&self.text(start, at), operator, time);
                self.edits.push((start, at + 2, text));
            }
            _ => self.edits.push((at + 1, at + 2, time.least.clone())),
        }
    }

    fn between(&mut self, at: usize) {
        let (Some(low), Some(high)) = (self.written(at + 1), self.written(at + 3)) else {
            if let Some(low) = self.written(at + 1) {
                self.edits.push((at + 1, at + 2, low.least));
            }
            return;
        };
        let negated = at.checked_sub(1).is_some_and(|before| self.is_word(before, "not"));
        let Some(start) = self.column_before(at - usize::from(negated)) else {
            self.edits.push((at + 1, at + 2, low.least));
            self.edits.push((at + 3, at + 4, high.least));
            return;
        };
        let column = self.text(start, at - usize::from(negated));
        let (from, to) = (comparison(&column, ">=", &low), comparison(&column, "<=", &high));
        let not = if negated { "NOT " } else { "" };
        self.edits.push((start, at + 4, format!("{not}({from} AND {to})")));
    }

    /// The time at a token, if it is one.
    fn written(&self, at: usize) -> Option<Written> {
        let token = self.get(at)?;
        let number = self.numbers.get(at).copied().unwrap_or(0);
        let text = match token.kind {
            Kind::Text => token.text.trim_matches('\''),
            Kind::Placeholder => match number.checked_sub(1).and_then(|index| self.binds.get(index))? {
                Bind::Text(text) => text,
                _ => return None,
            },
            _ => return None,
        };
        let time = moment(text)?.to_offset(UtcOffset::UTC);
        let least = format!("'{}'", instant(time));
        let again = if number > 0 { format!("?{number}") } else { token.text.to_owned() };
        let mut all = vec![token.text.to_owned(), least.clone()];
        all.extend(whole(time));
        all.dedup();
        // A value that is not used would have no place.
        let least = if number > 0 { format!("coalesce({least}, {})", token.text) } else { least };
        let all = all.into_iter().enumerate().filter(|(at, form)| *at == 0 || *form != token.text);
        let all = all.map(|(_, form)| form).collect::<Vec<_>>().join(", ");
        Some(Written { again, least, all })
    }

    /// The last token behind a column that begins here, and one more.
    fn column(&self, at: usize) -> Option<usize> {
        let mut end = at;
        while self.is_named(end) && self.is(end + 1, ".") {
            end += 2;
        }
        (self.is_named(end) && !self.is(end + 1, "(")).then_some(end + 1)
    }

    /// Where the column, or the call, begins that ends before this token.
    fn column_before(&self, end: usize) -> Option<usize> {
        let mut start = end.checked_sub(1)?;
        if self.is(start, ")") {
            let mut depth = 0_usize;
            start = (0..end).rev().find(|at| {
                depth += usize::from(self.is(*at, ")"));
                depth = depth.saturating_sub(usize::from(self.is(*at, "(")));
                depth == 0
            })?;
            start = start.checked_sub(1)?;
        }
        while self.is_named(start) && start >= 2 && self.is(start - 1, ".") {
            start -= 2;
        }
        let edited = self.edits.iter().any(|(at, until, _)| *at < end && *until > start);
        (self.is_named(start) && !edited && self.begins(start)).then_some(start)
    }

    /// Whether a token may be a part of a column's name.
    fn is_named(&self, at: usize) -> bool {
        self.get(at).is_some_and(|token| match token.kind {
            Kind::Word => !super::BEFORE.iter().any(|word| token.is_word(word)),
            kind => kind == Kind::Quoted,
        })
    }

    /// Whether nothing before this token takes it as a part of its own.
    fn begins(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1).and_then(|before| self.get(before)) else { return true };
        match before.kind {
            Kind::Word => super::BEFORE.iter().any(|word| before.is_word(word)),
            Kind::Symbol => ["(", ","].contains(&before.text),
            _ => false,
        }
    }

    /// Whether an operand ends before this token.
    fn ends(&self, at: usize) -> bool {
        let Some(next) = self.get(at) else { return true };
        match next.kind {
            Kind::Symbol => [")", ",", ";"].contains(&next.text),
            Kind::Word => !next.is_word("collate"),
            Kind::Operator => ["=", "==", "<>", "!=", "<", "<=", ">", ">="].contains(&next.text),
            _ => false,
        }
    }

    fn is_edited(&self, at: usize) -> bool {
        self.edits.iter().any(|(from, until, _)| (*from..*until).contains(&at))
    }

    fn text(&self, start: usize, end: usize) -> String {
        let (first, last) = (self.get(start), end.checked_sub(1).and_then(|last| self.get(last)));
        let text = first.zip(last).and_then(|(first, last)| self.sql.get(first.start..last.end()));
        text.unwrap_or_default().to_owned()
    }
}

fn comparison(column: &str, operator: &str, time: &Written) -> String {
    let Written { again, least, all } = time;
    // A placeholder without a number may stand once only.
    let listed = all.split_once(", ").map_or_else(|| again.clone(), |(_, others)| format!("{again}, {others}"));
    match operator {
        "=" | "==" => format!("{column} IN ({all})"),
        "<>" | "!=" => format!("{column} NOT IN ({all})"),
        ">" => format!("({column} > {least} AND {column} NOT IN ({listed}))"),
        "<=" => format!("({column} <= {least} OR {column} IN ({listed}))"),
        _ => format!("{column} {operator} {least}"),
    }
}

fn turned(operator: &str) -> &str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    }
}

/// A time without a fraction, if it has none.
fn whole(time: OffsetDateTime) -> Option<String> {
    (time.nanosecond() == 0).then(|| format!("'{}T{}Z'", time.date(), super::clock(time)))
}
