//! Filter values that do not exist, told from values of which nothing was recorded.
//!
//! Asked after the sections have answered, and only about values that none of their rows shows: an ordinary call asks
//! nothing. The wait is bounded, and what could not be asked is said to be unknown, not to be absent.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::{
    Engine,
    document::{Document, Status},
    error::{nearest, span},
    known::{self, Asking, Known, KnownValue},
    wanted::Wanted,
    window::{TimeWindow, stamp},
};
use crate::{
    catalog::{Catalog, ValuesEntry},
    definition::{Action, Parameter},
    template::bare,
};

/// The shortest and the longest wait, beyond what the collection left of its time.
const WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));
/// How far around the window a value is looked for that it does not hold.
const AROUND: time::Duration = time::Duration::days(30);
/// As many values are listed whole.
const FEW: usize = 20;
/// So many names are said in which a word stands.
const WITHIN: usize = 6;
/// Longest name in a sentence, in characters.
const NAME: usize = 80;
/// What stands between names in a list of words.
const BLANKS: &[char] = &[' ', '\t'];

/// A filter value that does not exist in the window, or is not known to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    pub parameter: String,
    pub value: String,
    /// Whether there is no such value, so that what is narrowed by it is about nothing.
    pub nowhere: bool,
    /// The value that was probably meant.
    pub meant: Option<String>,
    /// A sentence that says so.
    pub text: String,
}

impl Engine {
    /// What is to be said of the filters of a document whose sections have answered. `deadline` is that of the
    /// collection, `asking` holds its window and the rest of the time is set here.
    pub(super) async fn absent(
        &self,
        wanted: &Wanted<'_>,
        document: &Document,
        deadline: Instant,
        asking: Asking<'_>,
    ) -> Vec<Absence> {
        let wait = deadline.saturating_duration_since(Instant::now()).clamp(WAIT.0, WAIT.1);
        let definition = &wanted.entry.definition;
        let mut found = Vec::new();
        if document.sections.iter().all(|section| section.status.is_problem()) {
            return found;
        }
        for (name, parameter) in &definition.parameters {
            let of_b = definition.window.sides.as_ref().is_some_and(|sides| sides.b == *name);
            let window = if of_b { wanted.baseline.of(asking.window) } else { asking.window };
            // Sections compare with the window before: what was there and is gone is no unknown name.
            let before = TimeWindow { from: window.previous().from, to: window.to };
            let asking = Asking { window: before, wait, ..asking };
            let said = wanted.filters.get(name);
            for (property, list, value) in named(asking.catalog, name, parameter, said) {
                if is_shown(document, value) {
                    continue;
                }
                let absence = self.absence(&asking, list, property.unwrap_or(name), value, window, document.status);
                found.extend(absence.await.map(|absence| match property {
                    // The other properties of the object narrow as well: what it finds is not about nothing.
                    Some(property) => Absence {
                        parameter: name.clone(),
                        nowhere: false,
                        text: format!("`{name}.{property}`: {}", absence.text),
                        ..absence
                    },
                    None => absence,
                }));
            }
        }
        found
    }

    /// What is to be said of one value; nothing where it exists.
    pub(super) async fn absence(
        &self,
        asking: &Asking<'_>,
        list: &ValuesEntry,
        parameter: &str,
        value: &str,
        window: TimeWindow,
        status: Status,
    ) -> Option<Absence> {
        if asking.catalog.columns.stands_for_nothing(value) {
            let text = format!(
                "{} stands for rows that name no {}, which no filter finds: leave `{parameter}` out.",
                span(value, NAME),
                list.definition.noun
            );
            return Some(Absence {
                parameter: parameter.to_owned(),
                value: value.to_owned(),
                meant: None,
                nowhere: false,
                text,
            });
        }
        let mut known = self.looked_up(asking, list, value).await;
        let (noun, shown) = (&list.definition.noun, span(value, NAME));
        let mut absence = Absence {
            parameter: parameter.to_owned(),
            value: value.to_owned(),
            meant: None,
            nowhere: false,
            text: String::new(),
        };
        let elsewhere = match known.find(value) {
            None if known.answered > 0 && !known.cut => self.elsewhere(asking, list, value).await,
            _ => None,
        };
        absence.text = match known.find(value) {
            // Spelt right, and nothing of its own was recorded: it may be a name that others alone use.
            Some(found) if status == Status::Empty && !found.recorded && known.failed.is_none() => {
                format!("{} {shown} is known, but {}.", upper_first(noun), list.definition.silent.as_deref()?)
            }
            Some(found) => {
                found.last_seen.filter(|at| *at < window.from)?;
                format!("{} {shown} was {}.", upper_first(noun), lies(found, window)?)
            }
            None if elsewhere.is_some() => {
                format!("{} {shown} was {}.", upper_first(noun), lies(elsewhere.as_ref()?, window)?)
            }
            None if known.answered > 0 && !known.cut => {
                known.values.retain(|other| other.last_seen.is_none_or(|at| at >= window.from));
                let meant = match nearest(value, known.names()) {
                    // Several have the text in them: none of them is nearer.
                    Some(_) if list.definition.by_name && known.values.len() > 1 => None,
                    Some(name) => Some((name.to_owned(), None)),
                    None => self.silent(asking, list, value, window).await,
                };
                let rest = rest(asking, list, &known, value, meant.as_ref());
                absence.meant = meant.map(|(name, _)| name);
                let asked = match &known.failed {
                    Some((source, error)) => {
                        format!(", as far as could be asked (the source `{source}`: {})", error.kind.as_str())
                    }
                    None => String::new(),
                };
                absence.nowhere = true;
                let place = if list.has_times() { "in this window" } else { "is on record" };
                format!("No {noun} {shown} {place}{asked}{rest}")
            }
            // Rows without it leave open whether there is any.
            None if status == Status::Empty && (known.cut || known.failed.is_some()) => {
                format!("Whether there is a {noun} {shown} could not be found out.")
            }
            None => return None,
        };
        Some(absence)
    }

    /// A list, and with it whether it has a value now: what is kept may be older than the value, and a long list is cut.
    async fn looked_up(&self, asking: &Asking<'_>, list: &ValuesEntry, value: &str) -> Known {
        let (nothing, by_name) = (Map::new(), list.definition.by_name);
        let anew = Asking { since: Some(Instant::now()), ..*asking };
        let known = if by_name { Known::default() } else { self.known(asking, list, None, &nothing).await };
        if known.find(value).is_some() {
            return known;
        }
        let mut like = self.known(&anew, list, Some(value), &nothing).await;
        like.values.retain(|other| known.find(&other.value).is_none());
        like.values.splice(0..0, known.values);
        like.failed = known.failed.or(like.failed);
        like.answered = if by_name { like.answered } else { like.answered.min(known.answered) };
        like
    }

    /// A value of the days around the window. What fell silent long ago is no misspelt name.
    async fn elsewhere(&self, asking: &Asking<'_>, list: &ValuesEntry, value: &str) -> Option<KnownValue> {
        let asking = Asking { window: self.around(asking.window), ..*asking };
        let known = self.known(&asking, list, Some(value), &Map::new()).await;
        known.find(value).filter(|known| known.last_seen.is_some()).cloned()
    }

    /// The name that was probably meant, of one that fell silent in the days around the window, and when that was.
    async fn silent(&self, asking: &Asking<'_>, list: &ValuesEntry, value: &str, window: TimeWindow) -> Option<Meant> {
        let asking = Asking { window: self.around(asking.window), ..*asking };
        let part = list.definition.by_name.then_some(value);
        let known = self.known(&asking, list, part, &Map::new()).await;
        let name = nearest(value, known.names())?;
        Some((name.to_owned(), known.find(name).and_then(|known| lies(known, window))))
    }

    /// The days around a window, as far as there are any.
    fn around(&self, TimeWindow { from, to }: TimeWindow) -> TimeWindow {
        TimeWindow {
            from: from.checked_sub(AROUND).unwrap_or(from),
            to: to.checked_add(AROUND).unwrap_or(to).min(self.now()).max(to),
        }
    }
}

/// A name that was probably meant, and when it was recorded where that is outside of the window.
type Meant = (String, Option<String>);

/// When a value was recorded, as seen from a window that does not hold it, and where its begin is known how to ask for it.
fn lies(known: &KnownValue, window: TimeWindow) -> Option<String> {
    let last = known.last_seen?;
    let side = if last < window.from { "before" } else { "not in" };
    let last_at = stamp(last);
    let Some(first) = known.first_seen else { return Some(format!("last recorded at {last_at}, {side} this window")) };
    let TimeWindow { from, to } = known::minutes(TimeWindow { from: first, to: last + time::Duration::SECOND });
    let when = match stamp(first) {
        first if first == last_at => format!("at {last_at}"),
        first => format!("from {first} to {last_at}"),
    };
    let (start, end) = (stamp(from), stamp(to));
    Some(format!("recorded {when}, {side} this window: ask for that time with `start: {start}`, `end: {end}`"))
}

/// What there is instead.
fn rest(asking: &Asking<'_>, list: &ValuesEntry, known: &Known, value: &str, meant: Option<&Meant>) -> String {
    let quoted =
        |names: &mut dyn Iterator<Item = &str>| names.map(|name| span(name, NAME)).collect::<Vec<_>>().join(", ");
    let parts = parts(known, value);
    if !parts.is_empty() {
        return format!("; it takes one value: ask for {} one by one.", quoted(&mut parts.into_iter()));
    }
    let meant = meant.map(|(name, seen)| match seen {
        Some(seen) => format!("; did you mean {}, which was {seen}?", span(name, NAME)),
        None => format!("; did you mean {}?{}", span(name, NAME), spelt(name)),
    });
    if list.definition.by_name && known.values.is_empty() {
        let (days, noun) = (AROUND.whole_days(), &list.definition.noun);
        return meant
            .unwrap_or_else(|| format!(", nor a {noun} that begins or ends so, nor in {days} days around it."));
    }
    if known.values.is_empty() {
        let none = if list.has_times() { "none at all was recorded in it" } else { "there is none at all" };
        return format!(": {none}{}", meant.unwrap_or_else(|| ".".to_owned()));
    }
    let within = known.names().filter(|name| name.to_lowercase().contains(&value.to_lowercase()));
    let within: Vec<&str> = within.take(WITHIN).collect();
    let meant = match meant {
        Some(meant) => Some(meant),
        None if within.is_empty() => None,
        None => Some(format!("; those with that in their name: {}.", quoted(&mut within.into_iter()))),
    };
    let name = &list.definition.name;
    let all = match known.values.len() {
        _ if list.definition.by_name => String::new(),
        n if n <= FEW => format!(" {}: {}.", upper_first(name), quoted(&mut known.names())),
        n => {
            match asking.call.principal.tool_that(asking.catalog, |action| matches!(action, Action::ValuesList { .. }))
            {
                Some(tool) if known.cut => format!(" `{tool}` lists {name}, of which there are {n} or more."),
                Some(tool) => format!(" `{tool}` lists the {n} {name} that there are."),
                None if known.cut => format!(" There are {n} {name} or more."),
                None => format!(" There are {n} {name}."),
            }
        }
    };
    format!("{}{all}", meant.unwrap_or_else(|| ".".to_owned()))
}

/// The names that a text is made of, where it names several.
fn parts<'v>(known: &Known, value: &'v str) -> Vec<&'v str> {
    let found = |separators: &[char]| -> Vec<&'v str> {
        let all: Vec<&str> = value.split(separators).map(str::trim).filter(|part| !part.is_empty()).collect();
        let names: Vec<&str> = all.iter().copied().filter(|part| known.find(part).is_some()).collect();
        // Words of a misspelt name may be names by themselves.
        let several = all.len() > 1 && (separators != BLANKS || names.len() == all.len());
        if several { names } else { Vec::new() }
    };
    let separated = found(&[',', ';', '|', '\n', '&', '+']);
    if separated.is_empty() { found(BLANKS) } else { separated }
}

/// How a name is passed from which white space around it would be taken. More than one blank no sentence shows.
fn spelt(name: &str) -> String {
    let inner = name.trim();
    let pad = |end: &str| matches!(end, "" | " ").then(|| end.to_owned());
    let ends = name.split_once(inner).and_then(|(before, after)| Some((pad(before)?, pad(after)?)));
    match ends.filter(|_| inner != name && !name.contains('"')) {
        Some((before, after)) => format!(" Ask for it in quotes, as `\"{before}{}{after}\"`.", bare(inner, NAME)),
        None => String::new(),
    }
}

/// The values of a parameter that are taken from a list, and of which property they are where it is an object.
fn named<'v>(
    catalog: &'v Catalog,
    name: &'v str,
    parameter: &'v Parameter,
    said: Option<&'v Value>,
) -> Vec<(Option<&'v str>, &'v ValuesEntry, &'v str)> {
    let own = catalog.values_of(name, parameter);
    let own = own.into_iter().flat_map(|list| texts(said).map(move |value| (None, list, value)));
    let within = parameter.properties.iter().filter(|_| said.is_some_and(Value::is_object));
    let within = within.filter_map(|(name, parameter)| Some((name, catalog.values_of(name, parameter)?)));
    let within = within.flat_map(|(property, list)| {
        texts(said.and_then(|said| said.get(property))).map(move |value| (Some(property.as_str()), list, value))
    });
    own.chain(within).collect()
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let several = value.and_then(Value::as_array).into_iter().flatten();
    value.into_iter().chain(several).filter_map(Value::as_str).filter(|text| !text.is_empty())
}

/// Whether a row shows the value: then there is no question whether it exists.
fn is_shown(document: &Document, value: &str) -> bool {
    let rows = document.sections.iter().flat_map(|section| &section.rows);
    rows.flatten().any(|cell| cell.as_str() == Some(value))
}

pub(super) fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
