//! Nouns behind numbers: one of a thing is told in the singular, whatever its author wrote for many.
//!
//! Knows English, and nothing of what is counted. What it does not know for a noun stays as it was written.

use std::fmt::Display;

/// What documents count. A word that is not among them stays as it was written: no rule of English tells `buses` from `bus`, nor
/// what fails in `step 1 fails` from what is counted.
const NOUNS: &str = include_str!("nouns.txt");
/// What does not stand between a number and its noun.
const NO_ADJECTIVES: &[&str] = &[
    "a", "an", "the", "and", "or", "nor", "of", "in", "on", "at", "to", "for", "from", "by", "with", "within", "than",
    "per", "as", "that", "which", "what", "who", "whose", "where", "while", "when", "then", "is", "was", "has", "had",
    "it", "its", "their", "only", "still", "none", "not", "no", "but", "min", "h", "d", "s", "ms", "ns", "percent",
];
/// Before a number that is a name, and counts nothing.
const NAMED: &[&str] = &[
    "attempt",
    "core",
    "generation",
    "level",
    "no",
    "node",
    "number",
    "page",
    "partition",
    "phase",
    "port",
    "priority",
    "rank",
    "release",
    "replica",
    "revision",
    "severity",
    "shard",
    "slot",
    "stage",
    "step",
    "tier",
    "version",
    "zone",
];
/// Nouns whose singular no rule finds.
const IRREGULAR: &[(&str, &str)] = &[
    ("aliases", "alias"),
    ("caches", "cache"),
    ("indexes", "index"),
    ("indices", "index"),
    ("people", "person"),
    ("statuses", "status"),
];

/// Verbs that agree with the noun before them.
const VERBS: &[(&str, &str)] = &[("are", "is"), ("were", "was"), ("have", "has"), ("do", "does")];

/// `1 request`, `2 requests`.
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    if count == N::from(1) { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Whether a number behind this text counts what follows it: in `v1`, `#1` and `step 1` it is a part of a word, or a name.
pub(super) fn counts_behind(before: &str) -> bool {
    let apart = before.chars().next_back().is_none_or(|c| c.is_whitespace() || "([*\"'`".contains(c));
    let last = before.split_whitespace().next_back().unwrap_or_default();
    apart && !NAMED.contains(&last.to_ascii_lowercase().as_str())
}

/// Whether a nought between these texts is a time of less than its unit: `for 0 h`, `0 days ago`.
pub(super) fn is_brief(before: &str, after: &str) -> bool {
    const UNITS: [&str; 5] = ["d", "days", "h", "hours", "min"];
    const BEFORE: [&str; 4] = ["after", "for", "in", "within"];
    const AFTER: [&str; 4] = ["after", "ago", "before", "old"];
    let mut words = after.split_whitespace().map(|word| word.trim_end_matches(|c: char| !c.is_alphanumeric()));
    let is_time = after.starts_with(char::is_whitespace) && words.next().is_some_and(|unit| UNITS.contains(&unit));
    let last = before.split_whitespace().next_back().unwrap_or_default();
    is_time && (BEFORE.contains(&last) || words.next().is_some_and(|word| AFTER.contains(&word)))
}

/// An author's text that follows the number one: its first noun in the singular, if it begins with one, or with a word that
/// may describe one.
pub(super) fn of_one(text: &str) -> String {
    let Some((before, word, after)) = word(text).filter(|(space, ..)| !space.is_empty()) else {
        return text.to_owned();
    };
    if let Some(one) = singular(word) {
        return format!("{before}{one}{}", agreeing(after));
    }
    if NO_ADJECTIVES.contains(&word) {
        return text.to_owned();
    }
    let second = self::word(after).filter(|(between, ..)| !between.is_empty());
    let one = second.and_then(|(between, noun, rest)| Some((between, singular(noun)?, rest)));
    match one {
        Some((between, one, rest)) => format!("{before}{word}{between}{one}{}", agreeing(rest)),
        None => text.to_owned(),
    }
}

/// What follows a noun in the singular, with its verb, where that is the next word.
fn agreeing(text: &str) -> String {
    let found = word(text).filter(|(between, ..)| !between.is_empty());
    let found = found.and_then(|(between, verb, rest)| {
        let (_, one) = VERBS.iter().find(|(many, _)| *many == verb)?;
        Some(format!("{between}{one}{rest}"))
    });
    found.unwrap_or_else(|| text.to_owned())
}

/// The word that a text begins with behind its white space, what stands before it, and what behind it. None where that is
/// no word of small letters alone.
fn word(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.len() - text.trim_start().len();
    let (before, rest) = text.split_at_checked(start)?;
    let end = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
    let (word, after) = rest.split_at_checked(end)?;
    let ends = !after.starts_with(|c: char| c.is_alphanumeric() || "_-/(`'".contains(c));
    (!word.is_empty() && ends).then_some((before, word, after))
}

fn nouns() -> impl Iterator<Item = &'static str> {
    NOUNS.lines()
}

fn singular(word: &str) -> Option<String> {
    if !nouns().any(|noun| noun == word) {
        return None;
    }
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == word) {
        return Some((*one).to_owned());
    }
    if let Some(stem) = word.strip_suffix("ies") {
        return Some(format!("{stem}y"));
    }
    let hissing = ["sses", "shes", "ches"].iter().any(|end| word.ends_with(end));
    let end = if hissing { "es" } else { "s" };
    word.strip_suffix(end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_thing_is_told_in_the_singular() {
        for (many, one) in [
            (" requests", " request"),
            (" declared callers and 2 others", " declared caller and 2 others"),
            ("\n  slow queries.", "\n  slow query."),
            (" addresses, 3 processes", " address, 3 processes"),
            (" times", " time"),
            (" replicas are down", " replica is down"),
            (" old hosts have no agent", " old host has no agent"),
            (" errors, which are", " error, which are"),
            (" databases", " database"),
            (" caches", " cache"),
            (" people", " person"),
            // What is in the singular already, is no noun, or no word.
            (" request", " request"),
            (" is down", " is down"),
            (" of 3 requests", " of 3 requests"),
            (" ms in calls", " ms in calls"),
            (" in pods", " in pods"),
            (" min of calls", " min of calls"),
            (" series", " series"),
            // What nothing here is known of.
            (" bus", " bus"),
            (" gas tanks", " gas tanks"),
            (" buses", " buses"),
            (" sometimes", " sometimes"),
            (" always fails", " always fails"),
            (" status pages", " status page"),
            (" processes data", " process data"),
            (" pass", " pass"),
            (" its-own", " its-own"),
            ("requests", "requests"),
            (" `requests`", " `requests`"),
            ("", ""),
        ] {
            assert_eq!(of_one(many), one, "{many}");
        }
        assert_eq!([counted(0, "row"), counted(1, "row"), counted(2, "row")], ["0 rows", "1 row", "2 rows"]);
    }

    #[test]
    fn a_time_of_nought_is_one_of_less_than_its_unit() {
        for (before, after) in
            [("open for ", " h: it"), ("", " days ago"), ("failed 3 times in ", " h"), ("is ", " min old")]
        {
            assert!(is_brief(before, after), "{before}0{after}");
        }
        for (before, after) in [("took ", " h"), ("for ", " hosts"), ("", " days"), ("in ", "h"), ("for ", "")] {
            assert!(!is_brief(before, after), "{before}0{after}");
        }
    }

    /// A fresh tester's: `step 1 fails` became `step 1 fail`, `v1 requests` became `v1 request`.
    #[test]
    fn a_number_that_is_a_name_or_a_part_of_one_counts_nothing() {
        for before in ["In step ", "Version ", "v", "#", "p", "web-", "1.", "of zone ", "x"] {
            assert!(!counts_behind(before), "{before}");
        }
        for before in ["", "In ", "failed ", "**", "(", "erp-1 has ", "of 3; "] {
            assert!(counts_behind(before), "{before}");
        }
    }

    #[test]
    fn every_noun_has_a_singular_that_is_a_word() {
        assert!(nouns().is_sorted());
        for noun in nouns() {
            let one = singular(noun).unwrap();
            assert!(!one.is_empty() && one != noun && nouns().all(|other| other != one), "{noun}: {one}");
        }
    }
}
