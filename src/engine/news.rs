//! What is news: it stands against the window before, and against the same hours of the day before.
//!
//! A document is read once against the window before. Where it would say that something is bad, the same statements are
//! asked again against the other time, and what does not stand there is told as usual; what stands only there began before
//! the window, and is told as old. It knows rows and rules of definitions, and none of their names.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use tokio::sync::watch;

use super::{
    document::{SectionAnswer, Status, Total},
    wanted::compares,
    window::{TimeWindow, stamp},
};
use crate::{
    catalog::ContextEntry,
    definition::{Context, News, Severity},
    source::ColumnType,
    template::jinja,
};

/// Most names in a sentence.
const NAMED: usize = 4;

/// What sections answered against another time.
#[derive(Debug)]
pub(super) struct Again {
    /// The time that was compared with.
    pub window: TimeWindow,
    pub answers: Vec<SectionAnswer>,
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
    names.retain(|name| sections.get(*name).is_some_and(|section| compares(section) && section.join.is_none()));
    let mut at = 0;
    while let Some(section) = names.get(at).and_then(|name| sections.get(*name)) {
        let further = section.after.0.iter().chain(section.news.iter().map(|news| &news.reach));
        let further: Vec<&str> = further.map(String::as_str).filter(|name| !names.contains(name)).collect();
        names.extend(further);
        at += 1;
    }
    names.into_iter().collect()
}

/// Whether a section is only there to say what had data in the other time.
pub(super) fn is_reach(definition: &Context, name: &str) -> bool {
    definition.sections.values().any(|section| section.news.as_ref().is_some_and(|news| news.reach == name))
}

impl Again {
    /// `the same hours of the day before (2026-11-19T10:00:00Z to 2026-11-19T11:00:00Z UTC)`.
    pub fn said(&self) -> String {
        format!("the same hours of the day before ({} to {} UTC)", stamp(self.window.from), stamp(self.window.to))
    }

    fn answer(&self, name: &str) -> Option<&SectionAnswer> {
        self.answers.iter().find(|answer| answer.name == name && !answer.status.is_problem())
    }

    /// Leaves the deviations of a section that stand here too, and names the others.
    pub fn leave(&self, news: &News, answer: &mut SectionAnswer) {
        let (Some(then), Some(reach)) = (self.answer(&answer.name), self.answer(&news.reach)) else { return };
        let Some(thing) = reach.columns.first() else { return };
        let column = |of: &SectionAnswer, name: &str| of.columns.iter().position(|column| column.name == name);
        let (Some(key), Some(about)) = (column(answer, &news.of), column(answer, &thing.name)) else { return };
        let cell = |row: &Vec<Value>, at: usize| row.get(at).map(Value::to_string).unwrap_or_default();
        let known: HashSet<String> = reach.rows.iter().map(|row| cell(row, 0)).collect();
        let deviates: HashSet<String> =
            column(then, &news.of).into_iter().flat_map(|at| then.rows.iter().map(move |row| cell(row, at))).collect();
        let all = then.total.more || reach.total.more;
        let here: HashSet<String> = answer.rows.iter().map(|row| cell(row, key)).collect();
        let mut usual = Vec::new();
        answer.rows.retain(|row| {
            let stands = all || deviates.contains(&cell(row, key)) || !known.contains(&cell(row, about));
            if !stands {
                usual.extend(row.get(about).and_then(Value::as_str).map(str::to_owned));
            }
            stands
        });
        let old = column(then, &news.of).zip(column(then, &thing.name)).into_iter().flat_map(|(key, about)| {
            let old = then.rows.iter().filter(|row| !here.contains(&cell(row, key)));
            old.filter_map(move |row| row.get(about)?.as_str().map(str::to_owned)).collect::<Vec<_>>()
        });
        answer.old.extend(old);
        answer.usual.extend(usual);
        answer.total = Total { count: answer.rows.len(), more: answer.total.more };
        answer.shown = answer.shown.min(answer.rows.len());
        if answer.rows.is_empty() {
            answer.status = Status::Empty;
        }
    }

    /// The rows of a section against this time.
    pub fn rows(&self, section: &SectionAnswer) -> Option<Then<'_>> {
        let answer = self.answer(&section.name).filter(|answer| {
            answer.columns.len() == section.columns.len() && answer.usual.is_empty() && section.usual.is_empty()
        })?;
        let keys = answer.rows.iter().map(|row| key(answer, row)).collect();
        Some(Then { answer, keys })
    }
}

/// The rows of one section against another time.
pub(super) struct Then<'a> {
    pub answer: &'a SectionAnswer,
    pub keys: Vec<String>,
}

/// Behind what would be bad if it were news.
pub(super) const USUAL: &str = " (so too at these hours of the day before, and no news)";
/// Behind what began before the window.
pub(super) const OLD: &str = " (against these hours of the day before; it was so in the window before already)";

impl Then<'_> {
    /// The rows of which a rule would say it here as well, by what they are about.
    pub fn firing(&self, fires: impl Fn(&minijinja::Value) -> bool) -> HashMap<String, minijinja::Value> {
        let records = jinja(self.answer.records());
        let records = records.try_iter().into_iter().flatten();
        self.keys.iter().zip(records).filter(|(_, row)| fires(row)).map(|(key, row)| (key.clone(), row)).collect()
    }

    /// Whether what is said of a row does not stand here.
    pub fn is_usual(&self, key: &str, firing: &HashMap<String, minijinja::Value>) -> bool {
        let unread = self.answer.total.more && !self.keys.iter().any(|known| known == key);
        !(firing.contains_key(key) || unread)
    }

    /// Rows that are bad against this time and not against the window before, whose rows are `here` and say it of `fire`.
    pub fn old<'f>(
        &self,
        firing: &'f HashMap<String, minijinja::Value>,
        here: &HashSet<String>,
        fire: &HashSet<String>,
    ) -> impl Iterator<Item = minijinja::Value> + use<'f> {
        let mut old: Vec<&str> = Vec::new();
        for key in self.keys.iter().filter(|key| here.contains(*key) && !fire.contains(*key)) {
            old.extend(firing.get_key_value(key).map(|(key, _)| key.as_str()));
        }
        old.into_iter().filter_map(|key| firing.get(key).cloned())
    }
}

/// What a row is about: its texts that are not of the time before.
pub(super) fn key(answer: &SectionAnswer, row: &[Value]) -> String {
    let named = answer.columns.iter().zip(row).filter(|(column, _)| {
        matches!(column.ty, ColumnType::Text | ColumnType::Uuid) && !column.name.starts_with(BEFORE)
    });
    named.map(|(_, value)| value.to_string()).collect::<Vec<_>>().join("\u{1f}")
}

/// With what columns of the time before begin.
const BEFORE: &str = "prev_";

/// What sections left out as usual or found to be old, in sentences behind the summary.
pub(super) fn said(sections: &[SectionAnswer], again: Option<&Again>) -> String {
    let Some(again) = again else { return String::new() };
    let names = |of: fn(&SectionAnswer) -> &Vec<String>| {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let all: Vec<&str> = sections.iter().flat_map(of).map(String::as_str).collect();
        all.iter().for_each(|name| *counts.entry(name).or_default() += 1);
        let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
        names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let more = names.len().saturating_sub(NAMED);
        let mut text: Vec<String> =
            names.into_iter().take(NAMED).map(|(name, _)| crate::template::bare(name, 60)).collect();
        text.extend((more > 0).then(|| format!("{more} more")));
        text.join(", ")
    };
    let (usual, old) = (names(|section| &section.usual), names(|section| &section.old));
    let mut text = String::new();
    if !usual.is_empty() {
        text.push_str(&format!(" Deviations that are so in {} too, and no news: {usual}.", again.said()));
    }
    if !old.is_empty() {
        text.push_str(&format!(" Not new, but since less than a day: {old} differ from {}.", again.said()));
    }
    text
}
