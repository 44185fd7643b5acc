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
    about::{about, compares_all, compares_with, tables},
    document::{SectionAnswer, Status},
    hole::{Holes, Places},
    wanted::compares,
    window::{self, TimeWindow, stamp},
};
use crate::{catalog::SectionEntry, definition::Period};

/// How long it may take at least to find out where the data lie, and which part of the time that is there.
const WHERE_DATA_LIE: Duration = Duration::from_secs(2);
const PART_OF_TIME: f64 = 0.4;
/// The part of a time, as its reciprocal, that may be before the data begin without a comparison with it being false.
const UNCOVERED: u8 = 8;
/// A time before which nothing was recorded.
const NOTHING: OffsetDateTime = datetime!(2000-01-01 0:00 UTC);
/// Of data that come all the time so many intervals may be empty.
pub(super) const INTERVALS: i32 = 3;
/// How far around the window data are looked for at first.
const NEAR: time::Duration = time::Duration::days(30);
/// The times that databases have.
const EVER: TimeWindow = TimeWindow { from: datetime!(1970-01-01 0:00 UTC), to: datetime!(2200-01-01 0:00 UTC) };

/// What was recorded of one kind of data, such as traces.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recorded {
    /// What they are called, in the plural.
    pub title: String,
    pub source: String,
    pub tables: BTreeSet<String>,
    /// They happen now and then, and only say where they lie: that none came is no loss.
    pub ends_only: bool,
    /// How far apart they come, where they come all the time.
    every: Option<Period>,
    lie: Lie,
    begins: Begins,
    /// Where none came though they come all the time.
    holes: Holes,
    /// How long it could take to find that out.
    given: Duration,
}

/// When the first of all was recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Begins {
    /// Before the window, the time that it is compared with and all that sections look back.
    Earlier,
    /// In one of these.
    At(OffsetDateTime),
    /// That could not be found out.
    Untold,
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
    /// Whether there are any in it could not be found out.
    Untold,
}

/// One sentence about all data that something compares and of which could not be found out since when there are any.
pub(super) fn untold(recorded: &[Recorded], of: &[SectionEntry]) -> Option<String> {
    let is_untold = |one: &&Recorded| one.is_stream() && !one.is_missing() && one.begins == Begins::Untold;
    let untold: Vec<_> = recorded.iter().filter(is_untold).filter(|one| compares_with(one, recorded, of)).collect();
    let given = untold.iter().map(|one| one.given).max()?;
    let titles: Vec<String> = untold.iter().map(|one| lower_first(&one.title)).collect();
    let (last, others) = titles.split_last()?;
    let named = if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
    Some(format!(
        "Since when there are {named} could not be found out, for which there were {} s: where nothing was found before, that is \
         unknown.",
        given.as_secs_f64().round()
    ))
}

/// Asks `section` about the window, and with more and more of the time around it. None where that cannot be told.
pub(super) async fn recorded<F>(
    entry: &SectionEntry,
    window: TimeWindow,
    compared: TimeWindow,
    looks_back: Option<Period>,
    of: &[SectionEntry],
    deadline: Instant,
    section: impl Fn(TimeWindow, TimeWindow, Instant) -> F,
) -> Option<Recorded>
where
    F: Future<Output = Option<SectionAnswer>>,
{
    let definition = &entry.definition;
    let given = deadline.saturating_duration_since(Instant::now()).mul_f64(PART_OF_TIME).max(WHERE_DATA_LIE);
    let soon = || deadline.min(Instant::now() + given);
    let own: BTreeSet<&str> = tables(entry).collect();
    let begins = async {
        let is_asked = match definition.ends_only {
            // Of what happens now and then only where the first is told beside a comparison with the time before it.
            true => of.iter().any(|section| compares_all(&own, &definition.source.0, section)),
            false => !own.is_empty(),
        };
        match is_asked {
            false => Begins::Earlier,
            true => begins(window, compared, looks_back, |window, around| section(window, around, soon())).await,
        }
    };
    let is_compared =
        |other: &SectionEntry| compares(&other.definition) && tables(other).any(|table| own.contains(table));
    let before = async {
        definition.every.filter(|_| of.iter().any(is_compared))?;
        Places::of(&section(compared, compared, soon()).await?, compared)
    };
    let (first, begins, before) = tokio::join!(section(window, window, deadline), begins, before);
    let first = first?;
    let within = definition.every.zip(Places::of(&first, window));
    let holes = within.map(|(every, within)| Holes::find(within, before, every, begins == Begins::Earlier));
    let holes = holes.unwrap_or_default();
    let of = |lie| Recorded {
        holes: holes.clone(),
        title: definition.title.clone(),
        source: definition.source.0.clone(),
        every: definition.every,
        tables: tables(entry).map(str::to_owned).collect(),
        ends_only: definition.ends_only,
        lie,
        begins,
        given,
    };
    if is_cut_off(&first) {
        return Some(of(Lie::Untold));
    }
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
            // What is first in the days around the window need not be the first of all.
            Some(Lie::Outside { before: None, after: Some(_) }) if around.from > EVER.from => {}
            Some(found) if found != unknown => return Some(of(found)),
            _ => {}
        }
    }
    Some(of(Lie::Nowhere))
}

/// When the first of all was recorded, as seen from the window, the one that it is compared with and as far back as sections
/// look.
async fn begins<F>(
    window: TimeWindow,
    compared: TimeWindow,
    looks_back: Option<Period>,
    section: impl Fn(TimeWindow, TimeWindow) -> F,
) -> Begins
where
    F: Future<Output = Option<SectionAnswer>>,
{
    let back = looks_back.and_then(|period| window.from.checked_sub(period.0.try_into().ok()?));
    let from = back.unwrap_or(window.from).min(window.previous().from).min(compared.from);
    // Nothing is in it: what is first behind it is the first from there on.
    let start = TimeWindow { from, to: from };
    let outside = async |from, to| match section(start, TimeWindow { from, to }).await {
        Some(answer) if is_cut_off(&answer) => Err(Begins::Untold),
        Some(answer) if answer.status == Status::Ok => match lie(&answer) {
            Some(Lie::Outside { before, after }) => Ok((before, after)),
            _ => Err(Begins::Earlier),
        },
        _ => Err(Begins::Earlier),
    };
    let found = async {
        // Mostly something was recorded right there.
        let (_, None) = outside(from, from + window.much()).await? else { return Err(Begins::Earlier) };
        let (_, Some(oldest)) = outside(from, window.to).await? else { return Err(Begins::Earlier) };
        for earlier in [near(window).from.min(from), EVER.from.min(from)] {
            let (None, _) = outside(earlier, from).await? else { return Err(Begins::Earlier) };
        }
        Ok(Begins::At(oldest))
    };
    found.await.unwrap_or_else(|begins| begins)
}

/// Whether an answer says nothing because it did not come in time, or was not to be had.
fn is_cut_off(answer: &SectionAnswer) -> bool {
    matches!(answer.status, Status::Timeout | Status::Error)
}

/// The time that a section is compared with in place of one of which a part is before the data begin, or is lost, or where so
/// much of the window is, so that a rise or a fall is told that is none: one without any. None where nothing of that kind is known.
pub(super) fn without_part(
    entry: &SectionEntry,
    recorded: &[Recorded],
    window: TimeWindow,
    compared: TimeWindow,
) -> Option<TimeWindow> {
    let about = about(entry, recorded);
    let begins = about.iter().filter_map(|recorded| recorded.begins_within(compared)).min();
    let to = match begins {
        Some(begins) => begins.min(window.from),
        None => about.iter().any(|recorded| recorded.is_no_measure()).then_some(NOTHING)?,
    };
    Some(TimeWindow { from: to.checked_sub(window.length())?, to })
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

impl Recorded {
    pub(super) fn is_nowhere(&self) -> bool {
        self.lie == Lie::Nowhere
    }

    /// Where data that come all the time end, if that is long before the window does.
    pub(super) fn ends_at(&self, window: TimeWindow, now: OffsetDateTime) -> Option<OffsetDateTime> {
        match self.lie {
            Lie::Within(newest) if self.ends_early(window, now) => Some(newest),
            _ => None,
        }
    }

    /// Whether data that come all the time end long before the window does.
    pub(super) fn ends_early(&self, window: TimeWindow, now: OffsetDateTime) -> bool {
        self.every.is_some() && self.silent(window, now).is_some()
    }

    /// The newest of all before a window without any.
    pub(super) fn newest_before(&self) -> Option<OffsetDateTime> {
        match self.lie {
            Lie::Outside { before, .. } => before,
            _ => None,
        }
    }

    /// Whether sections are about them, so that they may be missing.
    pub(super) fn is_stream(&self) -> bool {
        !self.ends_only && !self.tables.is_empty()
    }

    /// Whether nothing can be said of a time: the first of all is of after its begin, or nobody knows.
    pub(super) fn is_unknown_before(&self, compared: TimeWindow) -> bool {
        let is_known = match self.begins {
            Begins::Earlier => true,
            Begins::At(begins) => begins < compared.to && self.begins_within(compared).is_none(),
            Begins::Untold => false,
        };
        let has_hole = self.holes.lacks(usize::from(UNCOVERED)) || self.is_no_measure();
        !self.ends_only && !self.is_missing() && (!is_known || has_hole)
    }

    /// Whether so much of the window or of the time that it is compared with is lost that they cannot be compared.
    fn is_no_measure(&self) -> bool {
        !self.is_missing() && self.holes.is_no_measure()
    }

    /// When the data begin, where so much of a time is before that what was counted in the rest of it is no measure of it.
    fn begins_within(&self, compared: TimeWindow) -> Option<OffsetDateTime> {
        let Begins::At(begins) = self.begins else { return None };
        let little = compared.length() / i32::from(UNCOVERED);
        let is_within = begins > compared.from + little && begins < compared.to;
        (!self.ends_only && !self.is_missing() && is_within).then_some(begins)
    }

    /// When the first came of what happens now and then, where that is not before the time that the window is compared with:
    /// whether anybody would have recorded one then is not known.
    pub(super) fn first_within(&self, compared: TimeWindow) -> Option<OffsetDateTime> {
        let Begins::At(first) = self.begins else { return None };
        (self.ends_only && first > compared.from + compared.length() / i32::from(UNCOVERED)).then_some(first)
    }

    pub(super) fn is_first_for(&self, entry: &SectionEntry, compared: TimeWindow) -> bool {
        let tables = self.tables.iter().map(String::as_str).collect();
        self.first_within(compared).is_some() && compares_all(&tables, &self.source, entry)
    }

    pub(super) fn is_missing(&self) -> bool {
        matches!(self.lie, Lie::Outside { .. } | Lie::Nowhere)
    }

    /// Sentences about data that begin or end within the window, or lie beyond it.
    pub(super) fn said(
        &self,
        window: TimeWindow,
        compared: TimeWindow,
        compares: bool,
        now: OffsetDateTime,
    ) -> impl Iterator<Item = String> {
        let is_of_use = !self.is_missing() && (compares || self.begins != Begins::Untold);
        let begins = is_of_use.then(|| self.begun(window, compared)).flatten();
        let title = lower_first(&self.title);
        let within = self.holes.said_within(&title);
        let is_of_use = is_of_use && compares && self.begins_within(compared).is_none();
        let before = self.holes.said_before(&title).filter(|_| is_of_use);
        begins.into_iter().chain(within).chain(before).chain(self.ends(window, now, "this window"))
    }

    /// Sentences about data that begin within one of two windows that a caller compares, have a hole in it, or end before one does.
    pub(super) fn said_of_sides(
        &self,
        (window, called): (TimeWindow, &str),
        other: TimeWindow,
        now: OffsetDateTime,
    ) -> impl Iterator<Item = String> {
        let begins = match self.begins {
            Begins::At(begins) if begins > window.from.min(other.from) && !self.is_missing() => {
                Some(format!("{} begin at {} UTC: before that there is nothing to compare.", self.title, stamp(begins)))
            }
            _ => None,
        };
        begins.into_iter().chain(self.lacks(window, called, now))
    }

    /// Sentences about what is missing of one of two windows that a caller compares.
    pub(super) fn lacks(&self, window: TimeWindow, called: &str, now: OffsetDateTime) -> impl Iterator<Item = String> {
        let hole = self.holes.said_of_side(&lower_first(&self.title), called);
        hole.into_iter().chain(self.ends(window, now, called))
    }

    fn begun(&self, window: TimeWindow, compared: TimeWindow) -> Option<String> {
        let title = &self.title;
        let begins = match self.begins {
            Begins::Earlier => return None,
            Begins::At(begins) => begins,
            // Said of all such data at once.
            Begins::Untold => return None,
        };
        let at = stamp(begins);
        if self.ends_only {
            let (first, what) = (self.first_within(compared)?, lower_first(title));
            let first = stamp(first);
            return Some(format!(
                "The first {what} on record are of {first} UTC: nothing is known of the time before that."
            ));
        }
        Some(match (begins < window.previous().from.min(compared.from), begins < window.from) {
            (false, true) if begins >= compared.to => format!(
                "{title} begin at {at} UTC, after the time that this window is compared with: there is nothing before to \
                 compare with."
            ),
            (false, true) if self.begins_within(compared).is_some() => format!(
                "{title} begin at {at} UTC, in the time that this window would be compared with: it is compared with nothing."
            ),
            // As good as all of it is there.
            (false, true) if begins >= compared.from => return None,
            (_, true) => format!("{title} begin at {at} UTC: figures that look further back have only what came then."),
            (_, false) => format!(
                "{title} begin at {at} UTC, within this window: there is nothing before to compare with, and rates are of \
                 the whole window."
            ),
        })
    }

    /// Whether data that come all the time did not come for long, as seen from a window without any.
    pub(super) fn is_gap(&self, now: OffsetDateTime) -> bool {
        let (Some(every), Lie::Outside { before: Some(newest), after }) = (self.every, self.lie) else { return false };
        let every = time::Duration::try_from(every.0).unwrap_or(time::Duration::MAX);
        after.unwrap_or(now) - newest > every.saturating_mul(INTERVALS)
    }

    /// How long before the end of the window, or the present, its data end, where that is long.
    fn silent(&self, window: TimeWindow, now: OffsetDateTime) -> Option<time::Duration> {
        let Lie::Within(newest) = self.lie else { return None };
        let silent = window.to.min(now) - newest;
        // Where events only say where they lie, that none came is nothing.
        let is_long = silent >= window.much() && (self.every.is_some() || self.is_stream());
        is_long.then_some(silent)
    }

    /// Where its data end, or lie instead, as seen from a window that is `called` so.
    pub(super) fn ends(&self, window: TimeWindow, now: OffsetDateTime, called: &str) -> Option<String> {
        let title = &self.title;
        Some(match self.lie {
            Lie::Within(newest) => {
                let silent = self.silent(window, now)?;
                let silent = Period(Duration::from_secs(silent.whole_minutes().unsigned_abs() * 60));
                let end = if now < window.to { "the present" } else { "its end" };
                let (what, newest) = (lower_first(title), stamp(newest));
                let rates = if self.every.is_some() { "; rates are of the whole window" } else { "" };
                format!("The newest {what} of {called} are of {newest} UTC, {silent} before {end}{rates}.")
            }
            Lie::Outside { before: Some(newest), after: None } if self.is_gap(now) => {
                format!("{title} end at {} UTC, before {called}.", stamp(newest))
            }
            Lie::Outside { before: Some(newest), after: Some(oldest) } if self.is_gap(now) => {
                format!("{title} are missing between {} and {} UTC.", stamp(newest), stamp(oldest))
            }
            Lie::Outside { before: None, after: Some(oldest) } => {
                format!("{title} begin at {} UTC, after {called}.", stamp(oldest))
            }
            // What happens now and then is not missing where it did not happen.
            Lie::Outside { before: Some(newest), after } => {
                let next = after.map(|oldest| format!(", the next after it of {} UTC", stamp(oldest)));
                format!(
                    "The last {} before {called} are of {} UTC{}.",
                    lower_first(title),
                    stamp(newest),
                    next.unwrap_or_default()
                )
            }
            Lie::Outside { before: None, after: None } | Lie::Nowhere | Lie::Untold => return None,
        })
    }
}

pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
