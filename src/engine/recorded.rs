//! Whether anything was recorded in a window, whatever a call filters by, and where the data lie if not.
//!
//! Told by the sections of a context that are no part of its answer (`when_empty`). Rows of the others do not tell it:
//! a comparison with the window before has rows of zeros long after the data end.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use time::{OffsetDateTime, macros::datetime};

use super::{
    absent::upper_first,
    document::{SectionAnswer, Status},
    window::{self, TimeWindow, stamp},
};
use crate::{catalog::SectionEntry, definition::Period};

/// How long it may take to find out where the data lie.
const WHERE_DATA_LIE: Duration = Duration::from_secs(2);
/// How far around the window data are looked for at first.
const NEAR: time::Duration = time::Duration::days(30);
/// The times that databases have.
const EVER: TimeWindow = TimeWindow { from: datetime!(1970-01-01 0:00 UTC), to: datetime!(2200-01-01 0:00 UTC) };

/// What was recorded of one kind of data, such as traces.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recorded {
    /// What they are called, in the plural.
    title: String,
    source: String,
    tables: BTreeSet<String>,
    lie: Lie,
    /// When the first of all was recorded, where that was in the window, or before it as far as sections look.
    begins: Option<OffsetDateTime>,
}

/// Where data lie as seen from a window.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lie {
    /// In it, the newest at this time.
    Within(OffsetDateTime),
    /// Not in it: the newest before and the oldest after it, where they are known.
    Outside { before: Option<OffsetDateTime>, after: Option<OffsetDateTime> },
    /// Nothing was ever recorded.
    Nowhere,
}

/// Asks `section` about the window, and with more and more of the time around it. None where that cannot be told.
pub(super) async fn recorded<F>(
    entry: &SectionEntry,
    window: TimeWindow,
    looks_back: Option<Period>,
    deadline: Instant,
    section: impl Fn(TimeWindow, TimeWindow, Instant) -> F,
) -> Option<Recorded>
where
    F: Future<Output = Option<SectionAnswer>>,
{
    let definition = &entry.definition;
    let soon = || deadline.min(Instant::now() + WHERE_DATA_LIE);
    let (first, begins) = tokio::join!(
        section(window, window, deadline),
        begins(window, looks_back, |window, around| section(window, around, soon()))
    );
    let of = |lie| Recorded {
        title: definition.title.clone(),
        source: definition.source.0.clone(),
        tables: tables(entry).map(str::to_owned).collect(),
        lie,
        begins,
    };
    let first = first?;
    if first.status != Status::Ok {
        return None;
    }
    let unknown = Lie::Outside { before: None, after: None };
    match lie(&first)? {
        found if found != unknown => return Some(of(found)),
        _ => {}
    }
    let soon = soon();
    for around in [near(window), union(EVER, window)] {
        // Where they lie cannot be told, but they do not lie in the window.
        let Some(answer) = section(window, around, soon).await.filter(|answer| answer.status == Status::Ok) else {
            return Some(of(unknown));
        };
        match lie(&answer) {
            Some(found) if found != unknown => return Some(of(found)),
            _ => {}
        }
    }
    Some(of(Lie::Nowhere))
}

/// When the first of all was recorded, if that was in the window, in the one before it, or as far back as sections look.
async fn begins<F>(
    window: TimeWindow,
    looks_back: Option<Period>,
    section: impl Fn(TimeWindow, TimeWindow) -> F,
) -> Option<OffsetDateTime>
where
    F: Future<Output = Option<SectionAnswer>>,
{
    let back = looks_back.and_then(|period| window.from.checked_sub(period.0.try_into().ok()?));
    let from = back.unwrap_or(window.from).min(window.previous().from);
    // Nothing is in it: what is first behind it is the first from there on.
    let start = TimeWindow { from, to: from };
    let outside = async |from, to| {
        let answer = section(start, TimeWindow { from, to }).await.filter(|answer| answer.status == Status::Ok)?;
        if let Lie::Outside { before, after } = lie(&answer)? { Some((before, after)) } else { None }
    };
    // Mostly something was recorded right there.
    let (_, None) = outside(from, from + much(window)).await? else { return None };
    let (_, Some(oldest)) = outside(from, window.to).await? else { return None };
    for earlier in [near(window).from.min(from), EVER.from.min(from)] {
        let (None, _) = outside(earlier, from).await? else { return None };
    }
    Some(oldest)
}

/// How long nothing is recorded before that is told.
fn much(window: TimeWindow) -> time::Duration {
    (window.length() / 8_i32).clamp(time::Duration::minutes(2), time::Duration::minutes(30))
}

/// Whether a section that tells where data lie found some in the window that it was asked about.
pub(super) fn holds(answer: &SectionAnswer) -> bool {
    answer.status == Status::Ok && matches!(lie(answer), Some(Lie::Within(_)))
}

fn lie(answer: &SectionAnswer) -> Option<Lie> {
    let row = answer.rows.first()?;
    let column = |name: &str| answer.columns.iter().position(|column| column.name == name);
    let time = |name: &str| window::parsed(row.get(column(name)?)?.as_str()?);
    column("newest")?;
    Some(match time("newest") {
        Some(newest) => Lie::Within(newest),
        None => Lie::Outside { before: time("newest_before"), after: time("oldest_after") },
    })
}

fn near(window: TimeWindow) -> TimeWindow {
    let from = window.from.checked_sub(NEAR).unwrap_or(EVER.from);
    let to = window.to.checked_add(NEAR).unwrap_or(EVER.to);
    union(window, TimeWindow { from: from.max(EVER.from), to: to.min(EVER.to) })
}

fn union(one: TimeWindow, other: TimeWindow) -> TimeWindow {
    TimeWindow { from: one.from.min(other.from), to: one.to.max(other.to) }
}

/// Tables that any way to answer a section requires.
fn tables(entry: &SectionEntry) -> impl Iterator<Item = &str> {
    let required = entry.definition.query.iter().flat_map(|alternative| &alternative.requires);
    required.map(|name| name.split('.').next().unwrap_or(name))
}

impl Recorded {
    fn is_nowhere(&self) -> bool {
        self.lie == Lie::Nowhere
    }

    fn is_missing(&self) -> bool {
        matches!(self.lie, Lie::Outside { .. } | Lie::Nowhere)
    }

    /// Sentences about data that begin or end within the window, or lie beyond it.
    pub(super) fn said(&self, window: TimeWindow, now: OffsetDateTime) -> impl Iterator<Item = String> {
        let begins = self.begins.filter(|_| !self.is_missing()).map(|begins| {
            let (title, at) = (&self.title, stamp(begins));
            match (begins < window.previous().from, begins < window.from) {
                (true, _) => format!("{title} begin at {at} UTC: figures that look further back have only what came then."),
                (_, true) => format!(
                    "{title} begin at {at} UTC, in the window before: what is compared with it is compared with a part of it."
                ),
                (_, false) => format!(
                    "{title} begin at {at} UTC, within this window: there is nothing before to compare with, and rates are \
                     of the whole window."
                ),
            }
        });
        begins.into_iter().chain(self.ends(window, now))
    }

    fn ends(&self, window: TimeWindow, now: OffsetDateTime) -> Option<String> {
        let title = &self.title;
        Some(match self.lie {
            Lie::Within(newest) => {
                let end = window.to.min(now);
                let silent = end - newest;
                if silent < much(window) {
                    return None;
                }
                let silent = Period(Duration::from_secs(silent.whole_minutes().unsigned_abs() * 60));
                let end = if end < window.to { "the present" } else { "its end" };
                let (what, newest) = (lower_first(title), stamp(newest));
                format!("The newest {what} of this window are of {newest} UTC, {silent} before {end}.")
            }
            Lie::Outside { before: Some(newest), after: None } => {
                format!("{title} end at {} UTC, before this window.", stamp(newest))
            }
            Lie::Outside { before: None, after: Some(oldest) } => {
                format!("{title} begin again at {} UTC, after this window.", stamp(oldest))
            }
            Lie::Outside { before: Some(newest), after: Some(oldest) } => {
                format!("{title} are missing between {} and {} UTC.", stamp(newest), stamp(oldest))
            }
            Lie::Outside { before: None, after: None } | Lie::Nowhere => return None,
        })
    }
}

/// What of a document the window holds no data of.
pub(super) struct Missing<'a>(&'a [Recorded]);

impl<'a> Missing<'a> {
    /// None where something was recorded of everything.
    pub(super) fn of(recorded: &'a [Recorded]) -> Option<Self> {
        recorded.iter().any(Recorded::is_missing).then_some(Self(recorded))
    }

    /// Whether it was never recorded at all, beside other data that are there: an organisation without Kubernetes.
    pub(super) fn is_nowhere(&self) -> bool {
        let missing = || self.0.iter().filter(|recorded| recorded.is_missing());
        self.0.iter().any(|recorded| !recorded.is_missing()) && missing().all(Recorded::is_nowhere)
    }

    /// `No traces were ever recorded here.`
    pub(super) fn never(&self) -> impl Iterator<Item = String> {
        let nowhere = self.0.iter().filter(|recorded| recorded.is_nowhere());
        nowhere.map(|recorded| format!("No {} were ever recorded here.", lower_first(&recorded.title)))
    }

    /// `No traces and no logs were recorded`.
    pub(super) fn sentence(&self) -> String {
        let titles = self.0.iter().filter(|recorded| recorded.is_missing());
        let titles: Vec<String> = titles.map(|recorded| format!("no {}", lower_first(&recorded.title))).collect();
        let text = match titles.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        };
        format!("{} were recorded", upper_first(&text))
    }

    /// Whether a section is about data that are missing, and about no others.
    pub(super) fn has(&self, entry: &SectionEntry) -> bool {
        let source = &entry.definition.source.0;
        let own = || self.0.iter().filter(|recorded| recorded.source == *source);
        let about = || own().filter(|recorded| tables(entry).any(|table| recorded.tables.contains(table)));
        about().next().is_some() && about().all(Recorded::is_missing)
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
