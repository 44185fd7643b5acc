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
mod escapes;
mod evidence;
mod extent;
mod heads;
mod hidden;
mod insert;
mod issuers;
mod json;
mod keys;
mod lines;
mod manifests;
mod messages;
mod named;
mod names;
mod numbers;
mod opened;
mod pairs;
mod personal;
mod pieces;
mod places;
mod reading;
mod records;
mod secrets;
mod table;
mod tree;
mod turns;
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
pub use opened::Opened;
pub use personal::Personal;
pub use pieces::{AROUND, BEHIND, Lines, Sides, WHOLE};

use places::{apart, joined, shown, without};

/// What stands for what is masked.
pub const MASK: &str = "***";

/// Longest automaton of one form, in bytes: forms of operators are bounded.
const LARGEST: usize = 1 << 20;

/// How many forms are looked for at once, and the memory of one look, in bytes.
const AT_ONCE: usize = 24;
const STATES: usize = 4 << 20;

/// How often a text is read otherwise than it is written, one time upon the other: an entity may stand in a remark.
const READINGS: usize = 2;

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

/// Which forms are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum All {
    Forms,
    /// Those of what several lines say, or how a line begins.
    OverLines,
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
    /// How many of those are of kinds of personal data; the others are the operator's.
    kinds: usize,
}

impl Masking {
    /// The forms of secrets, if they are wanted, of these kinds of personal data, and those of the operator by name, which
    /// [`check`] has let pass.
    pub fn new(secrets: bool, personal: &[Personal], own: &BTreeMap<String, String>) -> Self {
        let kinds = personal.len();
        let personal = personal.iter().map(|kind| kind.form()).map(|(form, of)| (quick(&form.replace('§', BOUND)), of));
        let own = own.values().map(|form| (form.clone(), Of::Value(always)));
        Self { secrets, further: Forms::of(personal.chain(own)), kinds }
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
            count += columns.iter().zip(row).map(|(name, cell)| self.number(name, cell)).sum::<usize>();
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
        self.read(text, 0)
    }

    /// The same of a text that was read so often otherwise than it is written.
    fn read(&self, text: &str, often: usize) -> Vec<Range<usize>> {
        match hidden::shown(text) {
            Some((shown, hidden, colours)) => {
                let mut places = hidden.places(self.readings(&shown, often, All::Forms));
                // A word begins behind a colour.
                if colours {
                    places.extend(self.readings(text, often, All::Forms));
                }
                apart(places)
            }
            None => self.readings(text, often, All::Forms),
        }
    }

    /// Where a text is masked as it is written, and as it is read otherwise.
    fn readings(&self, text: &str, often: usize, forms: All) -> Vec<Range<usize>> {
        let mut places = self.places_of(text, often, forms);
        if often == READINGS {
            // What stands before lines may stand before others: each is taken off after the one before it.
            places.extend(self.behind(text, turns::HEADS));
            return apart(places);
        }
        // Of the text as it is written: a mask may stand where a value only seems to end.
        for reading in lines::readings(text) {
            places.extend(reading.written(&self.readings(reading.text(), often + 1, All::OverLines)));
        }
        for reading in if forms == All::Forms { escapes::readings(text) } else { Vec::new() } {
            places.extend(reading.written(&self.read(reading.text(), often + 1)));
        }
        apart(places)
    }

    fn places_of(&self, text: &str, often: usize, all: All) -> Vec<Range<usize>> {
        // A writer of JSON may escape any character, and its names tell: what it says is read, and masked where it is written.
        let mut places = json::places(self, text, often);
        let mut shown = shown(text, &places);
        for forms in self.secrets.then(|| &*SECRETS).into_iter().chain([&self.further]) {
            // What lies in one line was found where it is written.
            let most = match all {
                All::Forms => forms.each.len(),
                All::OverLines if self.secrets && std::ptr::eq(forms, &*SECRETS) => secrets::OVER_LINES,
                All::OverLines => 0,
            };
            let found = forms.any().iter().take(most.div_ceil(AT_ONCE));
            let found: Vec<_> = found.map(|any| any.as_ref().map(|any| any.matches(shown.as_bytes()))).collect();
            let looked_for = |at: usize| {
                let some = found.get(at / AT_ONCE).and_then(Option::as_ref);
                some.is_none_or(|found| found.matched(at % AT_ONCE))
            };
            let some = forms.each.iter().take(most).enumerate().filter(|(at, _)| looked_for(*at));
            for (_, form) in some {
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
    fn leaf(&self, name: &str, text: &str, often: usize) -> Vec<Range<usize>> {
        let named = if self.secrets { named::places(name, text) } else { Vec::new() };
        let shown = shown(text, &named);
        match names::is_of_an_identifier(name, &shown) {
            true => named,
            false => joined(&named, &self.read(&shown, often)),
        }
    }

    /// `at` counts the texts that were passed.
    fn mask_leaves(&self, names: &BTreeMap<usize, String>, at: &mut usize, value: &mut Value) -> usize {
        match value {
            Value::String(text) => {
                let places = self.leaf(names.get(at).map_or("", String::as_str), text, 0);
                *at += 1;
                if !places.is_empty() {
                    *text = without(text, &places);
                }
                places.len()
            }
            Value::Array(items) => {
                let item = |item: &mut Value| self.mask_leaves(names, at, item) + self.number("", item);
                items.iter_mut().map(item).sum()
            }
            Value::Object(members) => {
                let value = |(name, value): (&String, &mut Value)| {
                    // Texts are counted as they were.
                    self.mask_leaves(names, at, value) + self.number(name, value)
                };
                let values: usize = members.iter_mut().map(value).sum();
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
            // An empty match would be found for ever, the one at the end of the text too.
            let next = text.get(whole.end()..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            at = end.max(whole.end() + if whole.is_empty() { next } else { 0 });
            if at > text.len() {
                break;
            }
        }
        places
    }
}

/// Whether a form of an operator can be used.
///
/// # Errors
/// It is no regular expression, is too large, or matches the empty text; says which.
pub fn check(form: &str) -> Result<(), String> {
    // Also where it does so at the border of a word alone.
    let least = |form: &str| regex_syntax::parse(form).ok().and_then(|form| form.properties().minimum_len());
    match compiled(form) {
        Err(error) => Err(format!("is no regular expression that can be used: {error}")),
        Ok(_) if least(form).unwrap_or(0) == 0 => {
            Err("matches the empty text, so that it would mask everything".into())
        }
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
            "+password: |\n+  x\n",
            "12:00:00 INFO a.b - password\n",
            "{\"msg\":\"a password \"}\n",
            "@@ -1 +1 @@\n password:\n-  x\n",
            "# a\n# token\n## b\n",
            "  (password: x\n",
            "{&#34;password&#34;:&quot;x ",
            "msg=\"a \\\" password ",
            ",\"a \"\"password\"\" ",
            "='it''s password ",
            "a%20password%3Dx ",
            "&m=a+password+x",
            "='it\\'s password ",
            "a password\\nx\t",
            "\u{1b}[1mpassword\u{1b}[m=x ",
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
    fn a_form_that_matches_nothing_at_the_border_of_a_word_is_refused_and_ends() {
        for form in [r"\b[0-9]*", r"\b", "a*", "^", "", r"(?m)^\s*|x"] {
            assert!(check(form).unwrap_err().contains("the empty text"), "{form}");
            let own = BTreeMap::from([("own".to_owned(), form.to_owned())]);
            assert!(Masking::new(false, &[], &own).places("12+1 é").len() < 3, "{form}");
        }
        assert_eq!(check(r"\bEMP-[0-9]*"), Ok(()));
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
