//! What proves who asks, in the value of a header `Authorization`: behind a scheme that stays.

use std::ops::Range;

use super::{MASK, evidence};

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
        // What opened in it closes in it: `${TOKEN}`.
        let mut depth = 0_usize;
        let ends = |c: char| match c {
            '{' | '(' | '[' => {
                depth += 1;
                false
            }
            '}' | ')' | ']' if depth > 0 => {
                depth -= 1;
                false
            }
            c => c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '\\' | '&' | ')' | ']' | '}'),
        };
        start..start + rest.find(ends).unwrap_or(rest.len())
    };
    // Lists of headers, as Go and Python print them, and a sign behind a scheme.
    let inner = value.trim_start_matches(|c: char| c.is_whitespace() || "[(\"'".contains(c));
    let first = word(value.len() - inner.len());
    let scheme = value.get(first.clone()).unwrap_or_default().trim_end_matches(':').to_ascii_lowercase();
    let follows = value.get(first.end..).is_some_and(|rest| rest.starts_with(' ') && rest.trim().len() > 1);
    let oauth = scheme == "oauth" && value.contains("oauth_");
    let parts = oauth || ["digest", "hawk", "signature", "aws4-", "hmac"].iter().any(|known| scheme.starts_with(known));
    if parts && follows {
        let start = first.end + 1;
        let said = value.get(start..).unwrap_or_default().trim_end_matches(['"', '\'', '\\', ' ']);
        let plain = !said.contains('=') || said.starts_with(MASK);
        return if plain { Vec::new() } else { std::iter::once(start..start + said.len()).collect() };
    }
    let second = value.get(word(first.end)).unwrap_or_default();
    // A scheme that nobody knows, and what nobody wrote.
    let unknown = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        && !evidence::is_random(value.get(first.clone()).unwrap_or_default())
        && evidence::is_random(second)
        && !(evidence::is_words(second) && second.contains(['-', '_', '.', '/', ':']))
        && !evidence::is_identifier(second);
    let named = SCHEMES.contains(&scheme.as_str()) || scheme.ends_with("-key") || scheme.ends_with("token");
    let known = follows && (named || unknown);
    let proof = if known { word(first.end) } else { first };
    let said = value.get(proof.clone()).unwrap_or_default();
    let letters = said.bytes().all(|b| b.is_ascii_alphabetic() || b"-_./:,".contains(&b)) && said.len() < 24;
    let written = evidence::is_words(said) && said.len() < 24 && !known;
    let plain = (letters && !evidence::is_random(said)) || written;
    let open =
        evidence::is_placeholder(said) || said == MASK || evidence::is_state(said) || said.starts_with(['{', '$', '<']);
    if plain || open { Vec::new() } else { vec![proof] }
}
