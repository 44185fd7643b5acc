//! Cookies: of the pairs of a header those that let somebody in.

use std::{ops::Range, sync::LazyLock};

use regex::{Captures, Regex};

use super::{MASK, evidence, extent};

/// Before a list of cookies.
pub(super) const NAMED: &str = r#"(?i)§(?:set-)?cookies?[\\"'\]]{0,6}\s*(?:=>|[=:])\s*[\[{(]?\s*"#;

/// Longest list, in bytes.
const LONGEST: usize = 16 << 10;

static PAIR: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?<n>[A-Za-z0-9_.%-]+)=(?:\\*")?(?<v>[^\s"'\\,;]+)"#).ok());

pub(super) fn places(text: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let Some(found) = found.get(0) else { return (Vec::new(), 0) };
    let from = found.end();
    let most = text.floor_char_boundary(text.len().min(from + LONGEST));
    let rest = text.get(from..most).unwrap_or_default();
    // Another list is looked at in its turn.
    let rest = rest.get(..next(rest)).unwrap_or_default();
    let line = ["\n", "\\n", "\\r"].into_iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    // Quotes end where the header ends, and a list of headers where its bracket does.
    let list = found.as_str().trim_end().ends_with(['[', '{', '(']);
    let quoted = extent::of(text, from).filter(|value| value.quoted && !list).map(|value| value.range.end - from);
    let within = match list {
        true => rest.find([']', '}', ')']).unwrap_or(line),
        false => quoted.unwrap_or(line),
    };
    let within = rest.get(..within.min(line)).unwrap_or_default();
    let mut places = pairs(within);
    places.iter_mut().for_each(|place| *place = from + place.start..from + place.end);
    let end = places.last().map_or(from, |last| last.end);
    (places, end)
}

/// Where the next list begins, or the end.
fn next(text: &str) -> usize {
    let found = text.match_indices(['c', 'C']).map(|(at, _)| at).find(|at| {
        let name = text.get(*at..at + 6).is_some_and(|name| name.eq_ignore_ascii_case("cookie"));
        name && text.get(at + 6..).is_some_and(|rest| {
            let rest = rest.trim_start_matches(['s', 'S', '\\', '"', '\'', ']', ' ']);
            rest.starts_with([':', '='])
        })
    });
    found.unwrap_or(text.len())
}

/// The values of a list that let somebody in.
pub(super) fn pairs(text: &str) -> Vec<Range<usize>> {
    let found = PAIR.iter().flat_map(|pair| pair.captures_iter(text));
    // What follows further on the line of a log is no cookie.
    let mut end = 0;
    let cookies = found.filter_map(|pair| {
        let (name, value) = (pair.name("n")?, pair.name("v")?);
        let between = text.get(end..name.start()).unwrap_or_default();
        if end > 0 && between.contains(|c: char| c.is_alphanumeric()) && !between.contains(';') {
            return None;
        }
        end = value.end();
        lets_in(name.as_str(), value.as_str()).then(|| value.range())
    });
    cookies.collect()
}

fn lets_in(name: &str, value: &str) -> bool {
    const NAMES: [&str; 14] = [
        "sid", "sess", "auth", "token", "jwt", "remember", "csrf", "xsrf", "login", "ticket", "secret", "pass", "key",
        "identity",
    ];
    const ATTRIBUTES: [&str; 9] =
        ["path", "domain", "expires", "max-age", "samesite", "priority", "version", "comment", "port"];
    let name = name.to_ascii_lowercase();
    if value == MASK
        || ATTRIBUTES.contains(&name.as_str())
        || evidence::is_placeholder(value)
        || evidence::is_state(value)
    {
        return false;
    }
    let named = NAMES.iter().any(|part| name.contains(part));
    let plain = evidence::is_words(value) || evidence::is_identifier(value);
    (named && value.len() >= 4) || (value.len() >= 8 && evidence::is_random(value) && !plain)
}
