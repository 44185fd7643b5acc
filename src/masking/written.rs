//! What is to be written in the place of a text that answers mask: `***` from an answer stands for a secret, and would destroy it.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::{MASK, Masking, without};

/// How much of what stands before a mask tells which one it is, in bytes, and how far that is looked for.
const KEY: usize = 24;
const NEAR: usize = 4 << 10;

impl Masking {
    /// Whether a text that is to take the place of another one says `***` where that has what answers mask: in front of the mask
    /// stands what stands in front of a secret, or the mask was not there before. Asterisks of emphasis and of a rule across a
    /// page are none. Whether a secret stays is not asked: the answer would tell which of many guesses it is.
    pub(super) fn loses_a_secret(&self, was: &str, new: &str) -> bool {
        let now = marks(new);
        if now.is_empty() {
            return false;
        }
        let places = self.places(was);
        if places.is_empty() {
            return false;
        }
        // By what is shown of both: a secret before a mask would be compared with a guess.
        let of_new = self.places(new);
        let (shown, shown_new) = (without(was, &places), without(new, &of_new));
        let secrets: HashSet<String> = places.iter().map(|place| key(&shown, shown_at(&places, place.start))).collect();
        let mut had: HashMap<String, usize> = HashMap::new();
        for at in marks(was) {
            *had.entry(key(&shown, shown_at(&places, at))).or_default() += 1;
        }
        now.into_iter().any(|at| {
            let key = key(&shown_new, shown_at(&of_new, at));
            // Each mask that was there before may be there again.
            let was_there = had.get_mut(&key).filter(|left| **left > 0).map(|left| *left -= 1).is_some();
            secrets.contains(&key) || (!was_there && !is_rule(new, at))
        })
    }
}

/// Where something stands when these places are masked; what is in one stands where that begins.
fn shown_at(places: &[Range<usize>], at: usize) -> usize {
    let count = places.partition_point(|place| place.end <= at);
    let taken: usize = places.iter().take(count).map(Range::len).sum();
    let at = places.get(count).map_or(at, |place| at.min(place.start));
    at - taken + count * MASK.len()
}

/// Whether a text holds a mask where a value stands.
pub(super) fn has_mask(text: &str) -> bool {
    marks(text).into_iter().any(|at| !is_rule(text, at))
}

/// Where three asterisks stand that may be a mask: not those around a word, as Markdown writes `***bold***`.
fn marks(text: &str) -> Vec<usize> {
    let mut marks = Vec::new();
    let mut opened: Option<(usize, usize)> = None;
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(MASK)) {
        let begins = at + found;
        let length = text.bytes().skip(begins).take_while(|byte| *byte == b'*').count();
        let between = text.get(at..begins).unwrap_or_default();
        let (before, after) = (text.get(..begins).unwrap_or_default(), text.get(begins + length..).unwrap_or_default());
        at = begins + length;
        if !length.is_multiple_of(MASK.len()) {
            opened = None;
            continue;
        }
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let closes = word(before.chars().next_back()) || before.ends_with(['.', '!', '?', ')']);
        if let Some((from, count)) = opened.take()
            && closes
            && !between.contains('\n')
            && !word(after.chars().next())
        {
            marks.retain(|mark| !(from..from + count * MASK.len()).contains(mark));
            continue;
        }
        marks.extend((0..length / MASK.len()).map(|n| begins + n * MASK.len()));
        let starts = before.chars().next_back().is_none_or(|c| c.is_whitespace() || "([>\"'_-".contains(c));
        opened = (starts && word(after.chars().next())).then_some((begins, length / MASK.len()));
    }
    marks
}

/// What stands before a mask in its line; where nothing does, the line before it.
fn key(text: &str, at: usize) -> String {
    let begins = text.ceil_char_boundary(at.saturating_sub(NEAR));
    let before = text.get(begins..at).unwrap_or_default().trim_end_matches(MASK);
    let (above, line) = before.rsplit_once('\n').unwrap_or(("", before));
    let own = line.trim_start();
    let (said, end) = match own.is_empty() {
        true => (above.trim(), "\n"),
        false => (own, ""),
    };
    let said = said.rsplit('\n').next().unwrap_or_default().trim_start();
    let near = said.get(said.ceil_char_boundary(said.len().saturating_sub(KEY))..).unwrap_or_default();
    format!("{near}{end}")
}

/// Whether it is a rule across a page: three asterisks alone in a line below an empty one.
fn is_rule(text: &str, at: usize) -> bool {
    let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + MASK.len()..).unwrap_or_default());
    (before.is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n"))
        && (after.is_empty() || after.starts_with(['\n', '\r']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_in_the_place_of_a_secret_is_known_wherever_it_stands_and_emphasis_is_none() {
        let env = "# *** generated ***\nDB_PASSWORD=hunter2X9\nLOG=info\n";
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq3\n-----END RSA PRIVATE KEY-----\n";
        for (was, new) in [
            (env, "DB_PASSWORD=***\nLOG=info\n"),
            (env, "# *** generated ***\nDB_PASSWORD=***\n"),
            (env, "LOG=info\n  DB_PASSWORD=***\n"),
            (env, "db: { password: \"***\" }\n"),
            // It stays, and another line of its name comes.
            (env, "DB_PASSWORD=hunter2X9\nDB_PASSWORD=***\n"),
            (pem, "-----BEGIN RSA PRIVATE KEY-----\n***\n-----END RSA PRIVATE KEY-----\n"),
            ("# DB_PASSWORD=***\nDB_PASSWORD=hunter2X9\n", "# DB_PASSWORD=***\nDB_PASSWORD=***\n"),
            (r#"{"password":"hunter2X9","n":1}"#, r#"{"password":"***","n":2}"#),
            ("url: https://a:hunter2X9@b/ ***bold***\n", "url: https://a:***@b/ ***bold***\n"),
        ] {
            assert!(Masking::secrets().loses_a_secret(was, new), "{was} -> {new}");
        }
        let readme = "Set `password=hunter2X9`.\n";
        for (was, new) in [
            (readme, "Set `password=hunter2X9`. This is ***bold***.\n"),
            (readme, "This is ***very bold***, and ***this***!\n\n***\n\nNothing else.\n"),
            (readme, "Nothing is said of it.\n"),
            (env, "# *** generated ***\nDB_PASSWORD=hunter2X9\nLOG=debug\n"),
            (env, "# *** generated ***\nLOG=info\n"),
            ("LOG=info\n", "DB_PASSWORD=***\n"),
            ("a\n***\n", "b\n***\n***\n"),
        ] {
            assert!(!Masking::secrets().loses_a_secret(was, new), "{was} -> {new}");
        }
        assert!(has_mask("a=***") && has_mask("***@b") && !has_mask("a\n\n***\n") && !has_mask("a ***b*** c ****"));
    }
}
