//! Search by words: which entries answer to what somebody typed, the best ones first.
//!
//! Whole words or their beginnings, in any case, singular or plural. A word that no entry knows, such as the name of a
//! service, narrows nothing down. Pure; used by the lists of the catalog and of tables.

use std::collections::BTreeSet;

/// How much a word counts where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Names and tags: what an entry is called.
    Name = 8,
    Title = 4,
    /// Its parts, such as columns.
    Part = 2,
    Prose = 1,
}

/// The words of a query.
pub struct Words(Vec<String>);

/// What one entry has of the words.
struct Hits {
    words: usize,
    score: usize,
}

impl Words {
    pub fn of(query: &str) -> Self {
        Self(split(query).into_iter().collect())
    }

    /// The entries that have most of the words, best first, else in their order. All of them where there are no words.
    pub fn search<'e, T>(&self, entries: Vec<T>, texts: impl Fn(&T) -> Vec<(Weight, &'e str)>) -> Vec<T> {
        if self.0.is_empty() {
            return entries;
        }
        let judged: Vec<(Hits, T)> = entries.into_iter().map(|entry| (self.hits(&texts(&entry)), entry)).collect();
        let most = judged.iter().map(|(hits, _)| hits.words).max().unwrap_or(0);
        let mut found: Vec<(Hits, T)> = judged.into_iter().filter(|(hits, _)| most > 0 && hits.words == most).collect();
        found.sort_by_key(|(hits, _)| std::cmp::Reverse(hits.score));
        found.into_iter().map(|(_, entry)| entry).collect()
    }

    fn hits(&self, texts: &[(Weight, &str)]) -> Hits {
        let known: Vec<(usize, BTreeSet<String>)> =
            texts.iter().map(|(weight, text)| (*weight as usize, split(text))).collect();
        let mut hits = Hits { words: 0, score: 0 };
        for word in &self.0 {
            let best = known.iter().filter_map(|(weight, tokens)| Some(weight * likeness(word, tokens)?)).max();
            hits.words += usize::from(best.is_some());
            hits.score += best.unwrap_or(0);
        }
        hits
    }
}

/// Twice as much for the word itself as for a longer one that begins with it.
fn likeness(word: &str, tokens: &BTreeSet<String>) -> Option<usize> {
    if tokens.contains(word) {
        return Some(2);
    }
    (word.chars().count() >= 3 && tokens.iter().any(|token| token.starts_with(word))).then_some(1)
}

fn split(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| singular(word.to_lowercase())).collect()
}

fn singular(mut word: String) -> String {
    let hissing = ["sses", "shes", "xes"].iter().any(|ending| word.ends_with(ending));
    if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
        word.truncate(word.len() - if hissing { 2 } else { 1 });
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRIES: [(&str, &str, &str); 3] = [
        ("latency", "slow, response time", "How long requests take."),
        ("errors", "5xx, crash", "Which services fail requests."),
        ("saturation", "cpu, k8s", "Pools and disks that run out."),
    ];

    fn found(query: &str) -> Vec<&'static str> {
        let texts = |entry: &&(&'static str, &'static str, &'static str)| {
            vec![(Weight::Name, entry.0), (Weight::Name, entry.1), (Weight::Prose, entry.2)]
        };
        let found = Words::of(query).search(ENTRIES.iter().collect(), texts);
        found.into_iter().map(|entry| entry.0).collect()
    }

    #[test]
    fn words_are_found_in_any_form_and_the_best_come_first() {
        for (query, names) in [
            ("cpu", vec!["saturation"]),
            ("K8S", vec!["saturation"]),
            ("5xx", vec!["errors"]),
            ("crashes", vec!["errors"]),
            ("error", vec!["errors"]),
            ("slow checkout", vec!["latency"]),
            ("response-time requests", vec!["latency"]),
            ("request", vec!["latency", "errors"]),
            ("satur", vec!["saturation"]),
            ("zzz", vec![]),
            ("", vec!["latency", "errors", "saturation"]),
            ("  ", vec!["latency", "errors", "saturation"]),
        ] {
            assert_eq!(found(query), names, "{query}");
        }
    }
}
