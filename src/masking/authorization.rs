//! `Authorization`: a scheme, which stays, and what proves who asks.

use std::ops::Range;

use super::{MASK, evidence, extent};

/// Longest value, in bytes.
const LONGEST: usize = 8 << 10;

/// Schemes of `Authorization` that are not masked, and behind which parts follow of which each proves something.
const SCHEMES: [&str; 15] = [
    "apikey-v1",
    "bearer",
    "basic",
    "token",
    "apikey",
    "api-key",
    "negotiate",
    "ntlm",
    "oauth",
    "jwt",
    "key",
    "ssws",
    "splunk",
    "geniekey",
    "bot",
];

/// What proves who asks, in the value of `Authorization`.
pub(super) fn proofs(value: &str) -> Vec<Range<usize>> {
    let word = |from: usize| {
        let rest = value.get(from..).unwrap_or_default();
        let start = from + rest.len() - rest.trim_start().len();
        let rest = value.get(start..).unwrap_or_default();
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '\\' | '&' | ')' | ']' | '}');
        start..start + rest.find(ends).unwrap_or(rest.len())
    };
    let first = word(0);
    let scheme = value.get(first.clone()).unwrap_or_default().to_ascii_lowercase();
    let follows = value.get(first.end..).is_some_and(|rest| rest.starts_with(' ') && rest.trim().len() > 1);
    let parts = (scheme == "oauth" && value.contains("oauth_")) || ["digest", "hawk", "signature", "aws4-", "hmac"].iter().any(|known| scheme.starts_with(known));
    if parts && follows {
        let start = first.end + 1;
        let said = value.get(start..).unwrap_or_default().trim_end_matches(['"', '\'', '\\', ' ']);
        let plain = !said.contains('=') || said.starts_with(MASK);
        return if plain { Vec::new() } else { std::iter::once(start..start + said.len()).collect() };
    }
    let second = value.get(word(first.end)).unwrap_or_default();
    // A scheme that nobody knows, and what nobody wrote.
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        && !evidence::is_random(value.get(first.clone()).unwrap_or_default())
        && evidence::is_random(second)
        && !evidence::is_words(second)
        && !evidence::is_identifier(second);
    let known = follows && (named || SCHEMES.contains(&scheme.as_str()));
    let proof = if known { word(first.end) } else { first };
    let said = value.get(proof.clone()).unwrap_or_default();
    let letters = said.bytes().all(|b| b.is_ascii_alphabetic() || b"-_./:,".contains(&b)) && said.len() < 24;
    let written = evidence::is_words(said) && said.len() < 24 && !known;
    let plain = (letters && !evidence::is_random(said)) || written;
    let open =
        evidence::is_placeholder(said) || said.contains(MASK) || evidence::is_state(said) || said.starts_with(['{', '$', '<']);
    if plain || open { Vec::new() } else { vec![proof] }
}

/// Where the value is masked that begins at a place, and where to look on.
pub(super) fn places(text: &str, at: usize) -> (Vec<Range<usize>>, usize) {
    // A list of one, as headers are in maps.
    let rest = text.get(at..).unwrap_or_default();
    let at = at + rest.len() - rest.trim_start_matches(['[', '(']).len();
    let Some(value) = extent::of(text, at) else { return (Vec::new(), at) };
    let within = match value.quoted {
        true => value.range,
        false => {
            let rest = text.get(at..text.floor_char_boundary(at + LONGEST)).unwrap_or_default();
            let rest = rest.split('\n').next().unwrap_or_default();
            at..at + rest.split("\\n").next().map_or(0, str::len)
        }
    };
    let places = proofs(text.get(within.clone()).unwrap_or_default());
    let places: Vec<_> = places.into_iter().map(|place| within.start + place.start..within.start + place.end).collect();
    let end = places.last().map_or(at, |last| last.end);
    (places, end)
}
