//! Sections shown beside each other: the rows of one with the columns of another that have the same key.
//!
//! Joined once both have answered, over the values as the databases answered them. Rows without a partner are kept, of
//! both, and each says where it was found. What was not read, or was narrowed in another way, is not said to be missing.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{
    cut::{Cap, Cut, Limit},
    document::{Heading, SectionAnswer, Status, Total},
    window::stamp,
};
use crate::{catalog::ContextEntry, definition::Join, source::ColumnType, template::counted};

/// Joins the sections that are shown beside others. None has more than `most` rows after that. What those lack of which
/// nothing was recorded in the window may be there all the same.
pub(super) fn join(entry: &ContextEntry, most: usize, sections: &mut [SectionAnswer]) {
    let joined = entry.sections.iter().filter_map(|section| {
        let join = section.definition.join.as_ref()?;
        let at = sections.iter().position(|here| here.name == section.name && !here.status.is_problem())?;
        let (here, there) = (sections.get(at)?, sections.iter().find(|there| there.name == join.section));
        let definition = entry.definition.sections.get(&join.section)?;
        let answer = match there {
            Some(there) if !there.status.is_problem() => {
                // One that looks back further than the window has rows all the same.
                let known = |side: &SectionAnswer| !side.rows.is_empty() || !side.is_missing;
                let known = [known(there), known(here)];
                beside(here, there, join, known, definition.show, most)
            }
            Some(_) => alone(here, &definition.title, "could not be read"),
            None => alone(here, &definition.title, "was not asked for"),
        };
        Some((at, answer))
    });
    for (at, answer) in joined.collect::<Vec<_>>() {
        if let Some(place) = sections.get_mut(at) {
            *place = answer;
        }
    }
}

fn alone(here: &SectionAnswer, title: &str, why: &str) -> SectionAnswer {
    let mut answer = here.clone();
    answer.partial.push(format!("not joined with \"{title}\", which {why}"));
    answer
}

/// How many rows were found where.
#[derive(Default)]
struct Found {
    both: usize,
    here: usize,
    there: usize,
    unknown: usize,
}

/// `known` says of either whether a row that is only there is known to lack its partner.
fn beside(
    here: &SectionAnswer,
    there: &SectionAnswer,
    join: &Join,
    [here_known, there_known]: [bool; 2],
    shown: bool,
    most: usize,
) -> SectionAnswer {
    let key = |answer: &SectionAnswer| answer.columns.iter().position(|column| column.name == join.on);
    let (own, other) = (key(here), key(there));
    let lacks = |answer: &SectionAnswer, key: Option<usize>| key.is_none() && !answer.rows.is_empty();
    if lacks(here, own) || lacks(there, other) {
        return alone(here, &there.title, "has no such column");
    }
    let taken: HashSet<&str> = here.columns.iter().map(|column| column.name.as_str()).collect();
    let added: Vec<usize> = there
        .columns
        .iter()
        .enumerate()
        .filter(|(at, column)| Some(*at) != other && !taken.contains(column.name.as_str()))
        .map(|(at, _)| at)
        .collect();
    let of_there = |row: Option<&Vec<Value>>| -> Vec<Value> {
        added.iter().map(|at| row.and_then(|row| row.get(*at)).cloned().unwrap_or_default()).collect()
    };
    let mut partners: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, row) in there.rows.iter().enumerate() {
        if let Some(key) = text(row, other) {
            partners.entry(key).or_default().push(at);
        }
    }
    let names = [format!("only {}", here.name), format!("only {}", there.name)];
    let [only_here, only_there] = &names;
    let here_word = if here_known && covers(there, here) { only_here } else { UNKNOWN };
    let there_word = if there_known && covers(here, there) { only_there } else { UNKNOWN };
    let (mut rows, mut found, mut capped) = (Vec::new(), Found::default(), false);
    let mut push = |own: &[Value], other: Vec<Value>, word: &str| match rows.len() < most {
        true => rows.push(own.iter().cloned().chain(other).chain([Value::from(word)]).collect::<Vec<_>>()),
        false => capped = true,
    };
    let mut met = HashSet::new();
    for row in &here.rows {
        let fitting = text(row, own).and_then(|key| partners.get(&key)).map(Vec::as_slice).unwrap_or_default();
        if fitting.is_empty() {
            push(row, of_there(None), here_word);
            *(if here_word == UNKNOWN { &mut found.unknown } else { &mut found.here }) += 1;
            continue;
        }
        for at in fitting {
            found.both += 1;
            met.insert(*at);
            push(row, of_there(there.rows.get(*at)), BOTH);
        }
    }
    for (_, row) in there.rows.iter().enumerate().filter(|(at, _)| !met.contains(at)) {
        let mut blank = vec![Value::Null; here.columns.len()];
        if let (Some(place), Some(key)) = (own.and_then(|at| blank.get_mut(at)), other.and_then(|at| row.get(at))) {
            place.clone_from(key);
        }
        push(&blank, of_there(Some(row)), there_word);
        *(if there_word == UNKNOWN { &mut found.unknown } else { &mut found.there }) += 1;
    }
    let mut answer = here.clone();
    answer.lent_by = there.narrowed.by.keys().cloned().collect();
    answer.lent = added.iter().filter_map(|at| Some(there.columns.get(*at)?.name.clone())).collect();
    answer.columns.extend(added.iter().filter_map(|at| there.columns.get(*at)).cloned());
    answer.columns.push(Heading::plain(Join::FOUND_IN, ColumnType::Text));
    answer.status = if rows.is_empty() { Status::Empty } else { Status::Ok };
    let (room, why) = here.room;
    answer.shown = rows.len().min(room);
    answer.total = Total { count: rows.len(), more: capped || here.total.more || there.total.more };
    let cut = Cut::new(why, Limit::Rows(room)).seeing(answer.total);
    answer.cut = if rows.len() > room { Some(cut) } else { here.cut };
    answer.unread = if capped { Some(Cut::new(Cap::SectionRows, Limit::Rows(most))) } else { here.unread };
    answer.rows = rows;
    let title = &there.title;
    if there.total.more {
        answer
            .partial
            .push(format!("joined with the first {} of \"{title}\", of more", counted(there.rows.len(), "row")));
    }
    answer.partial.extend(there.partial.iter().cloned());
    answer.samples.extend(&there.samples);
    answer.is_handful |= there.is_handful;
    answer.remarks.push(found.said(title, &join.on, &names));
    if !shown {
        answer.remarks.extend(about(there));
    }
    answer
}

/// A row that was found in both sections.
const BOTH: &str = "both";
/// A row of which it is not known whether the other section has it.
const UNKNOWN: &str = "not known";

/// Whether a row of `asker` would be among those of `other` if it existed there: all were read, and no filter left out
/// any that did not leave out its own.
fn covers(other: &SectionAnswer, asker: &SectionAnswer) -> bool {
    let narrower = other.narrowed.by.keys().any(|name| !asker.narrowed.by.contains_key(name));
    !other.total.more && other.covered().is_empty() && !narrower
}

fn text(row: &[Value], key: Option<usize>) -> Option<String> {
    match row.get(key?)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

impl Found {
    fn said(&self, title: &str, on: &str, [only_here, only_there]: &[String; 2]) -> String {
        let Self { both, here, there, unknown } = self;
        let mut text = format!("Joined with \"{title}\" on {on}; rows in both: {both}");
        for (count, word) in [(here, only_here.as_str()), (there, only_there.as_str()), (unknown, UNKNOWN)] {
            if *count > 0 {
                text.push_str(&format!(", {word}: {count}"));
            }
        }
        text + "."
    }
}

/// What stands above the rows of a section that is only shown beside another.
fn about(there: &SectionAnswer) -> Vec<String> {
    let title = &there.title;
    let ignored = there.narrowed.ignored().map(|ignored| format!("\"{title}\" is not narrowed by {ignored}."));
    let read = there.window.map(|window| {
        format!("\"{title}\" was read from {} to {} UTC (whole buckets).", stamp(window.from), stamp(window.to))
    });
    let note = there.note.as_ref().map(|note| format!("\"{title}\": {note}"));
    [ignored, read, note].into_iter().flatten().collect()
}
