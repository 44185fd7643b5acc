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
    // Quotes end where the header ends, and a list of headers where its bracket does.
    let list = found.as_str().trim_end().ends_with(['[', '{', '(']);
    let quoted = extent::of(text, from).filter(|value| value.quoted && !list).map(|value| value.range.end - from);
    let within = rest.get(..quoted.unwrap_or(rest.len())).unwrap_or_default();
    let (mut places, end) = read(within, list);
    places.iter_mut().for_each(|place| *place = from + place.start..from + place.end);
    (places, from + end)
}

/// The values of a list that let somebody in.
pub(super) fn pairs(text: &str) -> Vec<Range<usize>> {
    read(text, false).0
}

/// The same to the end of the line, or of the list, and how far that is.
fn read(text: &str, list: bool) -> (Vec<Range<usize>>, usize) {
    let found = PAIR.iter().flat_map(|pair| pair.captures_iter(text));
    // What follows further on the line of a log is no cookie.
    let mut end = 0;
    let cookies = found.map_while(|pair| {
        let (name, value) = (pair.name("n")?, pair.name("v")?);
        let between = text.get(end..name.start()).unwrap_or_default();
        let other = end > 0 && between.contains(|c: char| c.is_alphanumeric()) && !between.contains(';');
        let line = between.contains('\n') || between.contains("\\n") || between.contains("\\r");
        if other || line || (list && between.contains([']', '}', ')'])) {
            return None;
        }
        end = value.end();
        Some(lets_in(name.as_str(), value.as_str()).then(|| value.range()))
    });
    let places = cookies.flatten().collect();
    (places, end)
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
