//! What is news: it stands against the window before, and against the same hours of the day before.
//!
//! A document is read against the window before. What may be called bad is read again against the other time: what does
//! not stand there is usual, and what stands only there began before the window and is old. It knows rows and rules of
//! definitions, and none of their names; who reads the rows is `collect::again`.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::watch;

use super::{
    document::{SectionAnswer, Status, Total},
    order::with_awaited,
    wanted::compares,
    window::{TimeWindow, stamp},
};
use crate::{
    catalog::ContextEntry,
    definition::{Context, News as Known, Section, Severity},
    source::ColumnType,
    template::{bare, jinja},
};

/// Most names in a sentence.
const NAMED: usize = 4;
/// With what the names of columns of the time before begin.
pub(super) const BEFORE: &str = "prev_";

/// What sections answered against another time.
#[derive(Debug)]
pub(super) struct Again {
    /// The time that was compared with.
    pub window: TimeWindow,
    pub answers: Vec<SectionAnswer>,
    /// How long it took to read them, beside everything else.
    pub took: Duration,
}

/// A place for it, for sections that wait; none within where there is nothing to compare with.
pub(super) type Place = watch::Sender<Option<Option<std::sync::Arc<Again>>>>;

/// What is waited for, once it is known.
pub(super) async fn waited(place: &Place) -> Option<std::sync::Arc<Again>> {
    let mut seen = place.subscribe();
    seen.wait_for(Option::is_some).await.ok()?.clone().flatten()
}

/// The sections that are read again: those of whose rows something bad may be said, and all that they wait for.
pub(super) fn asked_again(entry: &ContextEntry) -> HashSet<&str> {
    let sections = &entry.definition.sections;
    let bad = entry.definition.highlights.iter().filter(|rule| rule.severity != Severity::Info);
    let mut names: Vec<&str> = bad.filter_map(|rule| rule.each.as_deref()).collect();
    names.extend(sections.iter().filter(|(_, section)| section.news.is_some()).map(|(name, _)| name.as_str()));
    // What waits for others or is joined with them compares what these have, unless it says itself that it is news.
    names.retain(|name| {
        let own = |section: &Section| section.after.is_empty() && section.join.is_none() && compares(section);
        sections.get(*name).is_some_and(|section| section.news.is_some() || own(section))
    });
    with_awaited(&entry.definition, names)
}

/// In what the rows of a section are known again, if it says so.
pub(super) fn known<'a>(definition: &'a Context, section: &str) -> Option<&'a Known> {
    definition.sections.get(section)?.news.as_ref()
}

/// Whether a section is only there to say what had data in the other time.
pub(super) fn is_reach(definition: &Context, name: &str) -> bool {
    let known = definition.sections.values().filter_map(|section| section.news.as_ref());
    known.filter_map(|known| known.reach.as_deref()).any(|reach| reach == name)
}

/// In what a row is known again: the columns that its section names, else its texts that are not of the time before.
pub(super) fn key(known: Option<&Known>, answer: &SectionAnswer, row: &[Value]) -> String {
    let named = answer.columns.iter().zip(row).filter(|(column, _)| match known {
        Some(known) => known.of.has(&column.name),
        None => matches!(column.ty, ColumnType::Text | ColumnType::Uuid) && !column.name.starts_with(BEFORE),
    });
    named.map(|(_, value)| value.to_string()).collect::<Vec<_>>().join("\u{1f}")
}

/// The rows of a section by what they are about.
pub(super) struct Rows<'a> {
    answer: &'a SectionAnswer,
    by_key: HashMap<String, usize>,
    records: Vec<minijinja::Value>,
    pub keys: Vec<String>,
}

impl<'a> Rows<'a> {
    pub fn of(known: Option<&Known>, answer: &'a SectionAnswer) -> Self {
        let keys: Vec<String> = answer.rows.iter().map(|row| key(known, answer, row)).collect();
        // Of two rows that are called the same the first counts.
        let by_key = keys.iter().enumerate().rev().map(|(at, key)| (key.clone(), at)).collect();
        let records = jinja(answer.records()).try_iter().map(Iterator::collect).unwrap_or_default();
        Self { answer, by_key, records, keys }
    }

    pub fn has(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    pub fn record(&self, key: &str) -> Option<&minijinja::Value> {
        self.records.get(*self.by_key.get(key)?)
    }

    /// Whether rows may be there that were not read.
    pub fn more(&self) -> bool {
        self.answer.total.more
    }

    /// Whether there is anything of the time before to judge a row by.
    pub fn has_before(&self, key: &str) -> bool {
        let row = self.by_key.get(key).and_then(|at| self.answer.rows.get(*at));
        let before = self.answer.columns.iter().zip(row.into_iter().flatten());
        before
            .filter(|(column, _)| column.name.starts_with(BEFORE))
            .any(|(_, value)| value.as_f64().is_some_and(|number| number != 0.0))
    }
}

/// What is to be said of rows besides, for each rule of a context in order.
#[derive(Debug, Default)]
pub(super) struct News {
    pub usual: Vec<HashSet<String>>,
    pub old: Vec<Vec<Old>>,
}

/// What is bad against the other time and was so in the window before already.
#[derive(Debug)]
pub(super) struct Old {
    pub row: minijinja::Value,
    /// From when on it was found to be so.
    pub since: OffsetDateTime,
}

impl Old {
    /// Behind the sentence about it.
    pub fn said(&self, window: TimeWindow) -> String {
        let hours = (window.to - self.since).whole_minutes() as f64 / 60.0;
        format!(" (old: so since about {} UTC, {} h ago)", stamp(self.since), hours.round())
    }
}

/// Behind what would be bad if it were news.
pub(super) const USUAL: &str = " (no news: so too at these hours of the day before)";

impl Again {
    /// `the same hours of the day before (2026-11-19T10:00:00Z to 2026-11-19T11:00:00Z UTC)`.
    pub fn said(&self) -> String {
        format!("the same hours of the day before ({} to {} UTC)", stamp(self.window.from), stamp(self.window.to))
    }

    /// What a section answered, unless it could not be read.
    pub fn answer(&self, name: &str) -> Option<&SectionAnswer> {
        self.answers.iter().find(|answer| answer.name == name && !answer.status.is_problem())
    }

    /// Leaves the deviations of a section that stand against this time too, or of what had no data then.
    pub fn leave(&self, known: &Known, answer: &mut SectionAnswer) {
        let reach = known.reach.as_deref().and_then(|name| self.answer(name));
        let (Some(then), Some(reach)) = (self.answer(&answer.name), reach) else { return };
        let Some(thing) = reach.columns.first() else { return };
        if then.total.more || reach.total.more {
            return;
        }
        let Some(about) = answer.columns.iter().position(|column| column.name == thing.name) else { return };
        let had_data: HashSet<&Value> = reach.rows.iter().filter_map(|row| row.first()).collect();
        let deviates: HashSet<String> = then.rows.iter().map(|row| key(Some(known), then, row)).collect();
        let mut usual = Vec::new();
        let rows = std::mem::take(&mut answer.rows);
        let stands = |row: &Vec<Value>| {
            deviates.contains(&key(Some(known), answer, row)) || row.get(about).is_none_or(|of| !had_data.contains(of))
        };
        let (stand, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(stands);
        usual.extend(others.iter().filter_map(|row| row.get(about)?.as_str().map(str::to_owned)));
        answer.rows = stand;
        answer.usual = usual;
        answer.total = Total { count: answer.rows.len(), more: answer.total.more };
        answer.shown = answer.shown.min(answer.rows.len());
        if answer.rows.is_empty() && answer.status == Status::Ok {
            answer.status = Status::Empty;
        }
    }
}

/// What sections left out as usual, in a sentence behind the summary.
pub(super) fn left_out(sections: &[SectionAnswer], again: &Again) -> String {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for name in sections.iter().flat_map(|section| &section.usual) {
        *counts.entry(name).or_default() += 1;
    }
    let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let more = names.len().saturating_sub(NAMED);
    let mut said: Vec<String> = names.into_iter().take(NAMED).map(|(name, _)| bare(name, 60)).collect();
    said.extend((more > 0).then(|| format!("{more} more")));
    match said.is_empty() {
        true => String::new(),
        false => {
            format!(" Left out as no news, because it does not differ from {}: {}.", again.said(), said.join(", "))
        }
    }
}
