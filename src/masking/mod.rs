//! What nobody should read in an answer, a log or the audit log, known by its form: `***` stands there instead.
//!
//! Secrets are masked unless the operator says otherwise, personal data where the operator names their kinds, and forms of
//! the operator's own. It is a net behind the locks, and no lock: what has no form of its own is not recognised, and columns
//! that nobody may see are left out of statements ([`crate::sql::tenancy`]).

mod authorization;
mod bytes;
mod coarse;
mod command;
mod cookies;
mod evidence;
mod extent;
mod hidden;
mod insert;
mod issuers;
mod json;
mod keys;
mod manifests;
mod named;
mod names;
mod pairs;
mod personal;
mod pieces;
mod records;
mod secrets;
mod table;
mod tree;
mod written;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    ops::Range,
    sync::{LazyLock, OnceLock},
};

use regex::{Captures, Regex, RegexBuilder, bytes::RegexSet};
use serde_json::{Map, Value};

pub use bytes::has_mask;
pub use personal::Personal;
pub use pieces::{AROUND, BEHIND, Lines, WHOLE};

/// What stands for what is masked.
pub const MASK: &str = "***";

/// Longest automaton of one form, in bytes: forms of operators are bounded.
const LARGEST: usize = 1 << 20;

/// How many forms are looked for at once, and the memory of one look, in bytes.
const AT_ONCE: usize = 24;
const STATES: usize = 4 << 20;

/// Where a word begins: after what is no part of one, or after an escape of JSON, of an address or of a terminal.
const BOUND: &str =
    r"(?<b>\b|\\+(?:[abfnrtv]|(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|033)(?:\[[0-9;]*m)?)|%[0-9a-fA-F]{2}|\x1b\[[0-9;]*m)";

/// A form whose words are those of ASCII. Where they are those of Unicode, one letter outside of ASCII in a text makes the
/// look at it a hundred times slower.
fn quick(form: &str) -> String {
    form.replace(r"\b", r"(?-u:\b)")
}

/// What has a form, and what stands around it.
struct Seen<'t> {
    value: &'t str,
    before: &'t str,
    after: &'t str,
}

/// Whether what has a form is what the form is about.
type IsMeant = fn(&Seen<'_>) -> bool;

/// The places to mask of a text in which an expression has found something, and where to look on.
type Places = fn(&str, &Captures<'_>) -> (Vec<Range<usize>>, usize);

/// What is masked of what an expression finds.
#[derive(Clone, Copy)]
enum Of {
    /// The group `v`, or all behind the group `b`; what looks so by chance is let through.
    Value(IsMeant),
    /// What is read of the text behind it.
    Places(Places),
}

/// A form of what is masked.
struct Form {
    written: String,
    of: Of,
    /// Compiled when something may have the form, which most never have.
    expression: OnceLock<Option<Regex>>,
}

/// Forms that are looked for together.
#[derive(Default)]
struct Forms {
    each: Vec<Form>,
    /// Some of them at once, since most texts have none: all at once would have too many states. Without it every form is looked
    /// for.
    any: OnceLock<Vec<Option<RegexSet>>>,
}

/// The forms of secrets, of which a process needs one.
static SECRETS: LazyLock<Forms> = LazyLock::new(|| Forms::of(secrets::forms().map(|(form, of)| (quick(&form), of))));

/// Those of what the process writes.
static WRITTEN: OnceLock<Masking> = OnceLock::new();

/// The forms in force.
#[derive(Default)]
pub struct Masking {
    /// Whether those of secrets are, and names tell of them.
    secrets: bool,
    further: Forms,
}

impl Masking {
    /// The forms of secrets, if they are wanted, of these kinds of personal data, and those of the operator by name, which
    /// [`check`] has let pass.
    pub fn new(secrets: bool, personal: &[Personal], own: &BTreeMap<String, String>) -> Self {
        let personal = personal.iter().map(|kind| kind.form()).map(|(form, of)| (quick(&form.replace('§', BOUND)), of));
        let own = own.values().map(|form| (form.clone(), Of::Value(always)));
        Self { secrets, further: Forms::of(personal.chain(own)) }
    }

    /// Compiles what looks for forms together, which takes a few milliseconds: on another thread, before the first text.
    pub fn prepare() {
        SECRETS.any();
    }

    /// The forms of secrets alone: for what is masked whatever the operator says.
    pub fn secrets() -> &'static Self {
        static SECRETS: OnceLock<Masking> = OnceLock::new();
        SECRETS.get_or_init(|| Self::new(true, &[], &BTreeMap::new()))
    }

    /// The forms of what this process writes and says of itself, as its log, its audit log and errors of the protocol: those of
    /// secrets, and what [`write_with`](Self::write_with) was told of.
    pub fn of_process() -> &'static Self {
        WRITTEN.get().unwrap_or_else(|| Self::secrets())
    }

    /// Masks these kinds of personal data and these forms of the operator's in all that this process writes from now on. What it
    /// was told first holds.
    pub fn write_with(personal: &[Personal], own: &BTreeMap<String, String>) {
        WRITTEN.get_or_init(|| Self::new(true, personal, own));
    }

    /// The text with what is masked, and how often that was.
    pub fn masked<'t>(&self, text: &'t str) -> (Cow<'t, str>, usize) {
        let places = self.places(text);
        match places.is_empty() {
            true => (Cow::Borrowed(text), 0),
            false => (Cow::Owned(without(text, &places)), places.len()),
        }
    }

    /// Masks the texts of a value where they are, names of members too. Says how many.
    pub fn mask(&self, value: &mut Value) -> usize {
        let names = if self.secrets { tree::names(&*value) } else { BTreeMap::new() };
        self.mask_leaves(&names, &mut 0, value)
    }

    /// Masks the cells of rows, each by itself and by the name of its column. Says how many.
    pub fn rows(&self, columns: &[&str], rows: &mut [Vec<Value>]) -> usize {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let cells = |row: &mut Vec<Value>| {
            let names = if self.secrets { tree::of_row(&columns, row) } else { BTreeMap::new() };
            let mut at = 0;
            let mut count: usize = row.iter_mut().map(|cell| self.mask_leaves(&names, &mut at, cell)).sum();
            for (name, cell) in columns.iter().zip(row).filter(|_| self.secrets) {
                if matches!(cell, Value::Number(number) if named::is_pin(name, number)) {
                    *cell = MASK.into();
                    count += 1;
                }
            }
            count
        };
        rows.iter_mut().map(cells).sum()
    }

    /// Masks the texts of a value below a name. Says how many.
    pub fn named(&self, name: &str, value: &mut Value) -> usize {
        let names = if self.secrets { tree::below(name, &*value) } else { BTreeMap::new() };
        self.mask_leaves(&names, &mut 0, value)
    }

    /// Where a text is masked, in order and apart.
    pub(crate) fn places(&self, text: &str) -> Vec<Range<usize>> {
        match hidden::shown(text) {
            Some((shown, hidden)) => hidden.places(self.places_of(&shown)),
            None => self.places_of(text),
        }
    }

    fn places_of(&self, text: &str) -> Vec<Range<usize>> {
        // A writer of JSON may escape any character, and its names tell: what it says is read, and masked where it is written.
        let mut places = json::places(self, text);
        let mut shown = match places.is_empty() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(without(text, &places)),
        };
        for forms in self.secrets.then(|| &*SECRETS).into_iter().chain([&self.further]) {
            let found: Vec<_> =
                forms.any().iter().map(|any| any.as_ref().map(|any| any.matches(shown.as_bytes()))).collect();
            let looked_for = |at: usize| {
                let some = found.get(at / AT_ONCE).and_then(Option::as_ref);
                some.is_none_or(|found| found.matched(at % AT_ONCE))
            };
            for form in forms.each.iter().enumerate().filter(|(at, _)| looked_for(*at)).map(|(_, form)| form) {
                let new = form.places(&shown);
                if !new.is_empty() {
                    places = joined(&places, &new);
                    shown = Cow::Owned(without(text, &places));
                }
            }
        }
        places
    }

    /// Where a text is masked before which a name stands: `{"password": "hunter2"}` is known by both.
    fn leaf(&self, name: &str, text: &str) -> Vec<Range<usize>> {
        let named = if self.secrets { named::places(name, text) } else { Vec::new() };
        let shown = if named.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(without(text, &named)) };
        match names::is_of_an_identifier(name, &shown) {
            true => named,
            false => joined(&named, &self.places(&shown)),
        }
    }

    /// `at` counts the texts that were passed.
    fn mask_leaves(&self, names: &BTreeMap<usize, String>, at: &mut usize, value: &mut Value) -> usize {
        match value {
            Value::String(text) => {
                let places = self.leaf(names.get(at).map_or("", String::as_str), text);
                *at += 1;
                if !places.is_empty() {
                    *text = without(text, &places);
                }
                places.len()
            }
            Value::Array(items) => items.iter_mut().map(|item| self.mask_leaves(names, at, item)).sum(),
            Value::Object(members) => {
                let values: usize = members.values_mut().map(|value| self.mask_leaves(names, at, value)).sum();
                values + self.mask_names(members)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
    }

    fn mask_names(&self, members: &mut Map<String, Value>) -> usize {
        if members.keys().all(|name| self.places(name).is_empty()) {
            return 0;
        }
        let mut count = 0;
        let mut next: BTreeMap<String, usize> = BTreeMap::new();
        for (name, value) in std::mem::take(members) {
            let (shown, found) = self.masked(&name);
            count += found;
            let mut unique = shown.clone().into_owned();
            while members.contains_key(&unique) {
                let n = next.entry(shown.clone().into_owned()).or_insert(1);
                *n += 1;
                unique = format!("{shown} ({n})");
            }
            members.insert(unique, value);
        }
        count
    }
}

impl std::fmt::Debug for Masking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masking").field("secrets", &self.secrets).field("further", &self.further.each.len()).finish()
    }
}

impl Forms {
    fn of(written: impl Iterator<Item = (String, Of)>) -> Self {
        let form = |(written, of)| Form { written, of, expression: OnceLock::new() };
        Self { each: written.map(form).collect(), any: OnceLock::new() }
    }

    fn any(&self) -> &[Option<RegexSet>] {
        self.any.get_or_init(|| {
            let some = self.each.chunks(AT_ONCE);
            some.map(|some| coarse::set(some.iter().map(|form| form.written.as_str()), AT_ONCE * LARGEST, STATES))
                .collect()
        })
    }
}

impl Form {
    /// Where a text is to be masked, in order and apart.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut places: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        // They are known to be right: a test compiles ours, and settings those of the operator.
        let Some(expression) = self.expression.get_or_init(|| compiled(&self.written).ok()) else { return places };
        while let Some(found) = expression.captures_at(text, at) {
            let Some(whole) = found.get(0) else { break };
            let (new, end) = match self.of {
                Of::Places(read) => read(text, &found),
                Of::Value(is_meant) => {
                    let begins = found.name("b").map_or(whole.start(), |bound| bound.end());
                    let value = found.name("v").map_or(begins..whole.end(), |value| value.range());
                    let part = |range: Range<usize>| text.get(range).unwrap_or_default();
                    let (before, after) = (part(0..value.start), part(value.end..text.len()));
                    let seen = Seen { value: part(value.clone()), before, after };
                    let meant = seen.value != MASK && is_meant(&seen);
                    (if meant { vec![value] } else { Vec::new() }, whole.end())
                }
            };
            let last = places.last().map_or(0, |last| last.end);
            places.extend(new.into_iter().filter(|place| place.start >= last && !place.is_empty()));
            // An empty match would be found for ever.
            let least = if whole.is_empty() { text.ceil_char_boundary(whole.end() + 1) } else { whole.end() };
            at = end.max(least);
            if at > text.len() {
                break;
            }
        }
        places
    }
}

/// Places of a text, and further ones that were found in it when those were masked.
fn joined(places: &[Range<usize>], new: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut all = places.to_vec();
    // How many of the first are passed, and what they took and gave until there.
    let (mut passed, mut taken, mut given) = (0, 0, 0);
    let mut original = |at: usize, is_end: bool| {
        while let Some(place) = places.get(passed) {
            let begins = place.start - taken + given;
            if at < begins || (at == begins && is_end) {
                break;
            }
            if at < begins + MASK.len() {
                return if is_end { place.end } else { place.start };
            }
            passed += 1;
            taken += place.len();
            given += MASK.len();
        }
        at + taken - given
    };
    for place in new {
        let start = original(place.start, false);
        all.push(start..original(place.end, true).max(start));
    }
    all.sort_by_key(|place| (place.start, place.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(all.len());
    for place in all {
        match apart.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => apart.push(place),
        }
    }
    apart
}

/// The text with a mask in each of these places.
fn without(text: &str, places: &[Range<usize>]) -> String {
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for place in places {
        shown.push_str(text.get(at..place.start).unwrap_or_default());
        shown.push_str(MASK);
        at = place.end;
    }
    shown + text.get(at..).unwrap_or_default()
}

/// Whether a form of an operator can be used.
///
/// # Errors
/// It is no regular expression, is too large, or matches the empty text; says which.
pub fn check(form: &str) -> Result<(), String> {
    match compiled(form) {
        Err(error) => Err(format!("is no regular expression that can be used: {error}")),
        Ok(form) if form.is_match("") => Err("matches the empty text, so that it would mask everything".into()),
        Ok(_) => Ok(()),
    }
}

fn compiled(form: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(form).size_limit(LARGEST).build()
}

fn always(_: &Seen<'_>) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nanoseconds for which this thread was at work, whatever else the machine does.
    fn worked() -> u128 {
        let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        said.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// A text of four times the length takes four times the work; each look from a value to the end of its line made that sixteen.
    #[test]
    fn the_work_of_masking_grows_as_the_text_does() {
        let masking = Masking::secrets();
        drop(masking.masked("password=hunter2X9"));
        for piece in [
            r#"{"id":1,"token":"aB3dE5gH7jK9mN1p"},"#,
            "password=x1y2 ",
            "password='x1y2 ",
            "cookie: lang=en; ",
            "insert into t (a, password) values ('x', 1), ",
            "password:x1y2,",
            "authorization: x ",
            "cookie: a=b ",
            "password=[x ",
            "secret: | ",
            "<password>x</password>",
            "-----BEGIN RSA PRIVATE KEY-----\nabc\n",
            "password,x,",
            "a:hunter2X9@b ",
            "  kind: Secret\n",
            "password=';x1y2 ",
            "password=[[a ",
            "copy a (b, password) from stdin\n",
        ] {
            let work = |length: usize| {
                let text = piece.repeat(length / piece.len());
                let took = |_| {
                    let before = worked();
                    std::hint::black_box(masking.masked(&text));
                    worked() - before
                };
                (0..2).map(took).min().unwrap()
            };
            let (short, long) = (work(50 << 10), work(200 << 10));
            // Some machines count that by ticks of 4 ms.
            assert!(long < 9 * short.max(4_000_000), "{piece}: {short} and {long} ns");
        }
    }

    #[test]
    fn no_form_of_ours_looks_for_words_of_unicode() {
        let personal = [Personal::Email, Personal::Card, Personal::Iban, Personal::Phone, Personal::Ip];
        let all = Masking::new(true, &personal, &BTreeMap::new());
        assert!(SECRETS.any().iter().chain(all.further.any()).all(Option::is_some));
        for Form { written: form, .. } in SECRETS.each.iter().chain(&all.further.each) {
            let slow = form.replace(r"(?-u:\b)", "");
            assert!(!slow.contains(r"\b") && !slow.contains(r"\B"), "{form}");
            assert!(compiled(form).is_ok(), "{form}");
        }
    }
}
