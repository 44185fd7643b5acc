//! Filter values that do not exist, told from values of which nothing was recorded.
//!
//! Asked after the sections have answered, and only about values that none of their rows shows: an ordinary call asks
//! nothing. The wait is bounded, and what could not be asked is said to be unknown, not to be absent.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{
    Engine,
    document::{Absence, Document, Status},
    error::{nearest, span},
    known::{Asking, Known},
    window::{TimeWindow, stamp},
};
use crate::{
    catalog::{ContextEntry, ValuesEntry},
    definition::Action,
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

impl Engine {
    /// What is to be said of the filters of a document whose sections have answered. `deadline` is that of the
    /// collection, `asking` holds its window and the rest of the time is set here.
    pub(super) async fn absent(
        &self,
        entry: &ContextEntry,
        filters: &Map<String, Value>,
        document: &Document,
        deadline: Instant,
        asking: Asking<'_>,
    ) -> Vec<Absence> {
        let window = asking.window;
        let wait = deadline.saturating_duration_since(Instant::now()).clamp(WAIT.0, WAIT.1);
        // Sections compare with the window before: what was there and is gone is no unknown name.
        let before = TimeWindow { from: window.previous().from, to: window.to };
        let asking = Asking { window: before, wait, ..asking };
        let mut found = Vec::new();
        if document.sections.iter().all(|section| section.status.is_problem()) {
            return found;
        }
        for (name, parameter) in &entry.definition.parameters {
            let Some(list) = asking.catalog.values_of(name, parameter) else { continue };
            for value in texts(filters.get(name)).filter(|value| !is_shown(document, value)) {
                found.extend(self.absence(&asking, list, name, value, window, document.status).await);
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
        let nothing = Map::new();
        let mut known = self.known(asking, list, None, &nothing).await;
        if known.find(value).is_none() && known.cut {
            // There are more than are listed: whether this one is among them is asked by its name.
            let like = self.known(asking, list, Some(value), &nothing).await;
            known.values.extend(like.values);
            known = Known { cut: like.cut, answered: like.answered, failed: like.failed, ..known };
        }
        let (noun, shown) = (&list.definition.noun, span(value, NAME));
        let mut absence =
            Absence { parameter: parameter.to_owned(), value: value.to_owned(), meant: None, text: String::new() };
        let elsewhere = match known.find(value) {
            None if known.answered > 0 && !known.cut => self.elsewhere(asking, list, value).await,
            _ => None,
        };
        absence.text = match known.find(value) {
            Some(found) => {
                let gone = found.last_seen.filter(|at| *at < window.from)?;
                let gone = stamp(gone);
                format!("{} {shown} was last recorded at {gone}, before this window.", upper_first(noun))
            }
            None if elsewhere.is_some() => {
                let seen = elsewhere?;
                let (side, seen) = (if seen < window.from { "before" } else { "not in" }, stamp(seen));
                format!("{} {shown} was last recorded at {seen}, {side} this window.", upper_first(noun))
            }
            None if known.answered > 0 && !known.cut => {
                known.values.retain(|other| other.last_seen.is_none_or(|at| at >= window.from));
                let meant = match nearest(value, known.names()) {
                    Some(name) => Some((name.to_owned(), None)),
                    None => self.silent(asking, list, value).await,
                };
                let rest = rest(asking, list, &known, value, meant.as_ref());
                absence.meant = meant.map(|(name, _)| name);
                let asked = match &known.failed {
                    Some((source, error)) => {
                        format!(", as far as could be asked (the source `{source}`: {})", error.kind.as_str())
                    }
                    None => String::new(),
                };
                format!("No {noun} {shown} in this window{asked}{rest}")
            }
            // Rows without it leave open whether there is any.
            None if status == Status::Empty && (known.cut || known.failed.is_some()) => {
                format!("Whether there is a {noun} {shown} could not be found out.")
            }
            None => return None,
        };
        Some(absence)
    }

    /// When a value was last recorded in the days around the window. What fell silent long ago is no misspelt name.
    async fn elsewhere(&self, asking: &Asking<'_>, list: &ValuesEntry, value: &str) -> Option<OffsetDateTime> {
        let asking = Asking { window: self.around(asking.window), ..*asking };
        self.known(&asking, list, Some(value), &Map::new()).await.find(value)?.last_seen
    }

    /// The name that was probably meant, of one that fell silent in the days around the window, and when it did.
    async fn silent(&self, asking: &Asking<'_>, list: &ValuesEntry, value: &str) -> Option<Meant> {
        let asking = Asking { window: self.around(asking.window), ..*asking };
        let known = self.known(&asking, list, None, &Map::new()).await;
        let name = nearest(value, known.names())?;
        Some((name.to_owned(), known.find(name)?.last_seen))
    }

    /// The days around a window, as far as there are any.
    fn around(&self, TimeWindow { from, to }: TimeWindow) -> TimeWindow {
        TimeWindow {
            from: from.checked_sub(AROUND).unwrap_or(from),
            to: to.checked_add(AROUND).unwrap_or(to).min(self.now()).max(to),
        }
    }
}

/// A name that was probably meant, and when it was last recorded where that is outside of the window.
type Meant = (String, Option<OffsetDateTime>);

/// What there is instead.
fn rest(asking: &Asking<'_>, list: &ValuesEntry, known: &Known, value: &str, meant: Option<&Meant>) -> String {
    let quoted = |names: &mut dyn Iterator<Item = &str>| {
        names.map(|name| format!("`{}`", bare(name, NAME))).collect::<Vec<_>>().join(", ")
    };
    let meant = meant.map(|(name, seen)| {
        let seen = seen.map(|at| format!(", which was last recorded at {}", stamp(at))).unwrap_or_default();
        format!("; did you mean `{}`{seen}?", bare(name, NAME))
    });
    if known.values.is_empty() {
        return format!(": none at all was recorded in it{}", meant.unwrap_or_else(|| ".".to_owned()));
    }
    let several = value.split(',').filter(|_| value.contains(','));
    let parts: Vec<&str> = several.map(str::trim).filter(|part| known.find(part).is_some()).collect();
    if !parts.is_empty() {
        return format!("; it takes one value: ask for {} one by one.", quoted(&mut parts.into_iter()));
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
