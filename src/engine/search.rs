//! Search by words: which entries answer to what somebody typed, the best ones first.
//!
//! A name that is said whole counts more than a tag that is, and that more than a word inside a longer text; rare words
//! count more than those that every entry has. Words are known in any case and inflection and by their beginnings. A
//! word that no entry knows, such as the name of a service, narrows nothing down. Pure; used by the lists of the catalog
//! and of tables.

use std::collections::BTreeSet;

/// What an entry may be found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// What it is called.
    Name,
    /// What people call it: those that say most of it come first, and this is how many come before.
    Tag(usize),
    Title,
    /// Its parts, such as columns.
    Part,
    Prose,
}

impl Weight {
    /// What a word counts in a text that was said whole, and in one of which it is a part.
    fn counts(self) -> (f64, f64) {
        match self {
            Self::Name => (100.0, 30.0),
            Self::Tag(at) => (60.0 - 0.5 * f64::from(u8::try_from(at.min(20)).unwrap_or(20)), 12.0),
            Self::Title => (10.0, 10.0),
            Self::Part => (4.0, 4.0),
            Self::Prose => (2.0, 2.0),
        }
    }
}

/// Entries with less than this share of the best one's score are no answer.
const WORTH: f64 = 0.2;

/// Words that say nothing of what is looked for.
const SMALL: &str = "a an and any are as at be been but by can cannot could did do does find for from get give has have how i \
if in is it its list me more most much my no not of on or our out please should show so some tell than that the their \
them then there these they this those to up us was we were what when where which why will with would you your";

/// The words of a query.
pub struct Words {
    /// All that were typed.
    said: Vec<String>,
    /// Those that are looked for.
    asked: Vec<String>,
    /// Whether nothing was typed.
    is_blank: bool,
}

/// A text of an entry in words.
type Text = (Weight, Vec<String>);

impl Words {
    pub fn of(query: &str) -> Self {
        let said = split(query);
        let small: BTreeSet<&str> = SMALL.split(' ').collect();
        let mut asked: Vec<String> = said.iter().filter(|word| !small.contains(word.as_str())).cloned().collect();
        if asked.is_empty() {
            asked.clone_from(&said);
        }
        asked.sort_unstable();
        asked.dedup();
        Self { said, asked, is_blank: query.trim().is_empty() }
    }

    /// The entries that have the words, best first, else in their order. All of them where nothing was typed, and none where
    /// what was typed has no word in it.
    pub fn search<'e, T>(&self, entries: Vec<T>, texts: impl Fn(&T) -> Vec<(Weight, &'e str)>) -> Vec<T> {
        if self.is_blank {
            return entries;
        }
        let hits: Vec<Vec<f64>> = entries.iter().map(|entry| self.hits(&known(texts(entry)))).collect();
        let rarity: Vec<f64> = (0..self.asked.len()).map(|word| rarity(&hits, word)).collect();
        let scores = hits.iter().map(|hits| {
            let sum: f64 = hits.iter().zip(&rarity).map(|(hit, rarity)| hit * rarity).sum();
            let found = hits.iter().filter(|hit| **hit > 0.0).count();
            let known = rarity.iter().filter(|rarity| **rarity > 0.0).count().max(1);
            sum * f64::from(u32::try_from(found).unwrap_or(0)) / f64::from(u32::try_from(known).unwrap_or(1))
        });
        let mut found: Vec<(f64, T)> = scores.zip(entries).collect();
        let best = found.iter().map(|(score, _)| *score).fold(0.0, f64::max);
        found.retain(|(score, _)| *score > 0.0 && *score >= best * WORTH);
        found.sort_by(|one, other| other.0.total_cmp(&one.0));
        found.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Whether each of what is looked for is in one of these names.
    pub fn are_among<'n>(&self, names: impl Iterator<Item = &'n str>) -> bool {
        let known: Vec<String> = names.flat_map(split).collect();
        let is_among = |word: &String| known.iter().any(|known| likeness(word, known) > 0.0);
        !self.asked.is_empty() && self.asked.iter().all(is_among)
    }

    /// The query with every word replaced by the most similar one of names and tags; none where no word has one.
    pub fn nearest<'e>(&self, names: impl Iterator<Item = &'e str>) -> Option<String> {
        let known: BTreeSet<String> = names.flat_map(split).filter(|word| word.chars().count() >= 4).collect();
        let near: Vec<&str> = self
            .asked
            .iter()
            .filter(|word| word.chars().count() >= 4)
            .filter_map(|word| {
                super::nearest(word, known.iter().map(String::as_str)).filter(|near| is_slip(word, near))
            })
            .collect();
        (!near.is_empty()).then(|| near.join(" "))
    }

    /// What each word that is looked for counts in an entry.
    fn hits(&self, texts: &[Text]) -> Vec<f64> {
        let hit = |word: &String| {
            let in_texts = texts.iter().filter_map(|(weight, text)| {
                let like = text.iter().map(|known| likeness(word, known)).fold(0.0, f64::max);
                let (whole, part) = weight.counts();
                (like > 0.0).then(|| like * if self.say(text) { whole } else { part })
            });
            in_texts.fold(0.0, f64::max)
        };
        self.asked.iter().map(hit).collect()
    }

    /// Whether a text was said whole.
    fn say(&self, text: &[String]) -> bool {
        text.iter().all(|known| self.said.iter().any(|word| likeness(word, known) >= INFLECTED))
    }
}

/// Whether somebody who wrote one word may have meant the other: `chekout` for `checkout`, not `cart` for `part`.
fn is_slip(written: &str, meant: &str) -> bool {
    let most = 1 + written.chars().count() / 8;
    written.chars().next() == meant.chars().next() && strsim::damerau_levenshtein(written, meant) <= most
}

fn known(texts: Vec<(Weight, &str)>) -> Vec<Text> {
    texts.into_iter().map(|(weight, text)| (weight, split(text))).collect()
}

/// More for a word that few entries have; nothing for one that none has.
fn rarity(hits: &[Vec<f64>], word: usize) -> f64 {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    match hits.iter().filter(|hits| hits.get(word).is_some_and(|hit| *hit > 0.0)).count() {
        0 => 0.0,
        with => 0.5 + (1.0 + number(hits.len()) / number(with)).ln() / (1.0 + number(hits.len())).ln(),
    }
}

/// How much of a word another form of it is.
const INFLECTED: f64 = 0.8;

/// Of a word to one that is known: the same, another form of it, or the beginning of it.
fn likeness(word: &str, known: &str) -> f64 {
    let length = word.chars().count();
    if word == known {
        1.0
    } else if length >= 4 && known.chars().count() >= 4 && stem(word) == stem(known) {
        INFLECTED
    } else if length >= 3 && known.starts_with(word) {
        0.5
    } else {
        0.0
    }
}

fn split(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| singular(word.to_lowercase())).collect()
}

/// The word in the singular, and in full where everybody shortens it.
fn singular(mut word: String) -> String {
    if word == "k8s" {
        return "kubernetes".into();
    }
    if word.len() > 4 && word.ends_with("ies") {
        word.truncate(word.len() - 3);
        return word + "y";
    }
    let hissing = ["sses", "shes", "ches", "xes"].iter().any(|ending| word.ends_with(ending));
    let whole = ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending));
    if word.len() > 3 && word.ends_with('s') && !whole {
        word.truncate(word.len() - if hissing { 2 } else { 1 });
    }
    word
}

/// What the forms of a word have in common, such as `deploy` of deployed and `throttl` of throttling.
fn stem(word: &str) -> &str {
    const ENDINGS: [&str; 10] = ["ations", "ation", "ings", "ing", "tion", "ed", "ly", "e", "y", "s"];
    let cut = ENDINGS.iter().find_map(|ending| word.strip_suffix(ending).filter(|rest| rest.len() >= 4));
    let stem = cut.unwrap_or(word);
    let mut ends = stem.char_indices().rev();
    match (ends.next(), ends.next()) {
        (Some((at, last)), Some((_, before))) if last == before && stem.len() > 4 => stem.get(..at).unwrap_or(stem),
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRIES: [(&str, &str, &str); 3] = [
        ("latency", "response time", "How long slow requests take."),
        ("errors", "crash", "Which services fail requests."),
        ("saturation", "k8s", "Pools and disks that run out: cpu."),
    ];

    fn found(query: &str) -> Vec<&'static str> {
        let texts = |entry: &&(&'static str, &'static str, &'static str)| {
            vec![(Weight::Name, entry.0), (Weight::Tag(0), entry.1), (Weight::Prose, entry.2)]
        };
        let found = Words::of(query).search(ENTRIES.iter().collect(), texts);
        found.into_iter().map(|entry| entry.0).collect()
    }

    #[test]
    fn words_are_found_in_any_form_and_the_best_come_first() {
        for (query, names) in [
            ("cpu", vec!["saturation"]),
            ("K8S", vec!["saturation"]),
            ("kubernetes", vec!["saturation"]),
            ("crashes", vec!["errors"]),
            ("crashed", vec!["errors"]),
            ("why is it crashing", vec!["errors"]),
            ("error", vec!["errors"]),
            ("latencies", vec!["latency"]),
            ("slow checkout", vec!["latency"]),
            ("response-time requests", vec!["latency"]),
            ("request", vec!["latency", "errors"]),
            ("satur", vec!["saturation"]),
            ("zzz", vec![]),
            ("🙂", vec![]),
            ("%", vec![]),
            ("---", vec![]),
            ("", vec!["latency", "errors", "saturation"]),
            ("  ", vec!["latency", "errors", "saturation"]),
        ] {
            assert_eq!(found(query), names, "{query}");
        }
    }

    #[test]
    fn a_misspelt_word_has_a_nearest_one() {
        let nearest = |query| Words::of(query).nearest(ENTRIES.iter().map(|entry| entry.0));
        assert_eq!(nearest("high latancy").as_deref(), Some("latency"));
        assert_eq!(nearest("erors").as_deref(), Some("error"));
        assert_eq!(nearest("zzz"), None);
        // Words that resemble one without being meant for it.
        let among = |query, names: &[&'static str]| Words::of(query).nearest(names.iter().copied());
        assert_eq!(among("checkout", &["checkpoint"]), None);
        assert_eq!(among("cart", &["part"]), None);
        assert_eq!(among("chekpoint", &["checkpoint"]).as_deref(), Some("checkpoint"));
    }
}
