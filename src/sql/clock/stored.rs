//! SQLite: times as its tables keep them.
//!
//! They are text, and a time has many: `2026-11-20T10:00:00Z`, `2026-11-20 10:00:00` as SQLite itself writes it,
//! `2026-11-20 11:00:00.000000+01:00`. Nothing says which of them a column or a JSON text holds, and their bytes do not
//! sort as the times do. So what a caller compares with a time is compared by the collation `instant`, which reads them
//! all; texts that are no times are compared as ever.

use std::cmp::Ordering;

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use super::{Bind, Kind, Token, Writer};

/// The collation by which times are compared in SQLite.
pub const INSTANT: &str = "instant";

const COLLATE: &str = " COLLATE instant";

/// The order of two texts: of the times that they are, and of their bytes where one of them is none.
pub fn order(left: &str, right: &str) -> Ordering {
    match (read(left), read(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.cmp(right),
    }
}

/// Whether a text is a time.
pub fn is_time(text: &str) -> bool {
    read(text).is_some()
}

/// The time that a text is: a date and a time of day with a `T` or a blank between them, with or without minutes,
/// seconds, a fraction and a zone. Without a zone it is UTC, as for SQLite's own functions. A date alone is none.
pub(super) fn read(text: &str) -> Option<OffsetDateTime> {
    let mut rest = Rest(text.as_bytes());
    let (year, month, day) = (rest.number(4)?, rest.behind(b"-")?, rest.behind(b"-")?);
    let date = Date::from_calendar_date(year.into(), Month::try_from(u8::try_from(month).ok()?).ok()?, small(day)?);
    rest.one_of(b"Tt ")?;
    let hour = rest.number(2)?;
    let minute = if rest.begins(b":") { rest.behind(b":")? } else { 0 };
    let second = if rest.begins(b":") { rest.behind(b":")? } else { 0 };
    let nanosecond = if rest.one_of(b".").is_some() { rest.fraction()? } else { 0 };
    let time = Time::from_hms_nano(small(hour)?, small(minute)?, small(second)?, nanosecond).ok()?;
    rest.blanks();
    let offset = rest.zone()?;
    rest.0.is_empty().then_some(())?;
    Some(date.ok()?.with_time(time).assume_offset(offset))
}

fn small(number: u16) -> Option<u8> {
    u8::try_from(number).ok()
}

/// What was not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn begins(&self, bytes: &[u8]) -> bool {
        self.0.starts_with(bytes)
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        bytes.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// A number of just so many digits.
    fn number(&mut self, digits: usize) -> Option<u16> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().all(u8::is_ascii_digit).then_some(())?;
        std::str::from_utf8(number).ok()?.parse().ok()
    }

    /// Two digits behind a mark.
    fn behind(&mut self, mark: &[u8]) -> Option<u16> {
        self.one_of(mark)?;
        self.number(2)
    }

    /// Up to nine digits as nanoseconds.
    fn fraction(&mut self) -> Option<u32> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        let text = std::str::from_utf8(fraction).ok().filter(|text| (1..=9).contains(&text.len()))?;
        format!("{text:0<9}").parse().ok()
    }

    fn blanks(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }

    /// `Z`, `+01:00`, `+0100`, `+01`, or nothing.
    fn zone(&mut self) -> Option<UtcOffset> {
        if self.0.is_empty() || self.one_of(b"Zz").is_some() {
            return Some(UtcOffset::UTC);
        }
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.number(2)?;
        self.one_of(b":");
        let minutes = if self.0.is_empty() { 0 } else { self.number(2)? };
        UtcOffset::from_hms(sign * i8::try_from(hours).ok()?, sign * i8::try_from(minutes).ok()?, 0).ok()
    }
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

/// What compares a text with what stands before it, or takes it as one of several.
const COMPARES: [&str; 8] = ["=", "==", "<>", "!=", "<", "<=", ">", ">="];

impl Writer<'_> {
    /// Looks at a text, a value or a list.
    pub(super) fn compared(&mut self, at: usize) {
        if self.is_time(at) {
            self.instant(at, at + 1);
        }
        if self.is_word(at, "in") && self.is(at + 1, "(") {
            self.listed(at);
        }
    }

    /// Has a time from this token up to that one compared by what it is, where it is compared.
    pub(super) fn instant(&mut self, at: usize, until: usize) {
        let (mut from, mut to) = (at, until);
        while from > 0 && self.is(from - 1, "(") && self.is(to, ")") {
            (from, to) = (from - 1, to + 1);
        }
        let compares = |at: Option<usize>, words: &[&str]| {
            at.and_then(|at| self.get(at)).is_some_and(|token| match token.kind {
                Kind::Operator => COMPARES.contains(&token.text),
                _ => words.iter().any(|word| token.is_word(word)),
            })
        };
        let before = ["between", "and", "is", "not", "from", "when"];
        if compares(from.checked_sub(1), &before) || compares(Some(to), &["is", "not", "between", "in"]) {
            self.edits.push((until, until, COLLATE.to_owned()));
        }
    }

    /// `x IN (time, …)`, which compares by the collation of `x`.
    fn listed(&mut self, at: usize) {
        let Some(end) = self.closing(at + 1) else { return };
        let alone = |item: usize| {
            ["(", ","].iter().any(|mark| self.is(item - 1, mark))
                && [")", ","].iter().any(|mark| self.is(item + 1, mark))
        };
        if !(at + 2..end).any(|item| self.is_time(item) && alone(item)) {
            return;
        }
        let not = at.checked_sub(1).is_some_and(|before| self.is_word(before, "not"));
        let behind = at - usize::from(not);
        let collated =
            self.edits.iter().any(|(from, until, text)| (*from, *until) == (behind, behind) && text == COLLATE);
        if !collated && !self.is_row(behind) {
            self.edits.push((behind, behind, COLLATE.to_owned()));
        }
    }

    /// Whether what ends before this token is several values: `(a, b)`.
    fn is_row(&self, end: usize) -> bool {
        let Some(last) = end.checked_sub(1).filter(|last| self.is(*last, ")")) else { return false };
        let open = (0..last).rev().find(|at| self.is(*at, "(") && self.closing(*at) == Some(last));
        let Some(open) = open else { return false };
        let call = open.checked_sub(1).and_then(|before| self.get(before)).is_some_and(|token| {
            token.kind == Kind::Quoted
                || (token.kind == Kind::Word && !super::BEFORE.iter().any(|word| token.is_word(word)))
        });
        let mut depth = 0_usize;
        !call
            && (open + 1..last).any(|at| {
                depth += usize::from(self.is(at, "("));
                depth = depth.saturating_sub(usize::from(self.is(at, ")")));
                depth == 0 && self.is(at, ",")
            })
    }

    fn is_time(&self, at: usize) -> bool {
        let Some(token) = self.get(at) else { return false };
        match token.kind {
            Kind::Text => read(token.text.trim_matches('\'')).is_some(),
            Kind::Placeholder => {
                let number = self.numbers.get(at).copied().unwrap_or(0);
                let bound = number.checked_sub(1).and_then(|index| self.binds.get(index));
                matches!(bound, Some(Bind::Text(text)) if read(text).is_some())
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_time_is_the_same_time() {
        let forms = [
            "2026-11-20T11:00:00Z",
            "2026-11-20t11:00:00z",
            "2026-11-20 11:00:00",
            "2026-11-20 11:00",
            "2026-11-20T11:00Z",
            "2026-11-20T11:00:00.000Z",
            "2026-11-20 11:00:00.000000+00:00",
            "2026-11-20T12:00:00+01:00",
            "2026-11-20 05:30:00 -0530",
            "2026-11-20T12:00:00+01",
            "2026-11-20T11",
        ];
        for (left, right) in forms.iter().flat_map(|left| forms.iter().map(move |right| (left, right))) {
            assert_eq!(order(left, right), Ordering::Equal, "{left} {right}");
            assert_eq!(order(left, "2026-11-20 11:00:00.5"), Ordering::Less, "{left}");
            assert_eq!(order("2026-11-20 10:59:59.999999999", right), Ordering::Less, "{right}");
        }
    }

    #[test]
    fn what_is_no_time_is_compared_by_its_bytes() {
        for text in [
            "",
            "2026-11-20",
            "2026-13-20T11:00:00Z",
            "2026-11-20T24:00:00Z",
            "2026-11-20T11:00:00 Europe",
            "x",
            "2026-11-20T11:00:00.Z",
            "2026-11-20T11:00:00+1",
            "2026-11-20T11:00:00Zz",
            "20261120T110000Z",
            "ä026-11-20 11:00",
        ] {
            assert_eq!(read(text), None, "{text}");
            assert_eq!(order(text, "2026-11-20T11:00:00Z"), text.cmp("2026-11-20T11:00:00Z"), "{text}");
        }
    }
}
