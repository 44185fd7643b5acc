//! Which of the data of a context a section is about, reads, and compares with another time.

use std::collections::BTreeSet;

use super::{document::SectionAnswer, recorded::Recorded, wanted::compares};
use crate::catalog::SectionEntry;

/// The data that a section is about, as it says what it judges by; of one that does not say what it reads, all of its
/// source.
pub(super) fn about<'r>(entry: &SectionEntry, recorded: &'r [Recorded]) -> Vec<&'r Recorded> {
    let named: Vec<&str> = entry.definition.paired.iter().map(String::as_str).collect();
    let mut about = match named.is_empty() {
        true => of_tables(entry, tables(entry), recorded),
        false => of_tables(entry, named.into_iter(), recorded),
    };
    about.retain(|one| !one.ends_only);
    // What happens now and then is not what it compares.
    if about.is_empty() { of_source(entry, recorded).filter(|one| !one.ends_only).collect() } else { about }
}

fn of_source<'r>(entry: &SectionEntry, recorded: &'r [Recorded]) -> impl Iterator<Item = &'r Recorded> {
    recorded.iter().filter(|recorded| recorded.source == entry.definition.source.0)
}

/// The data of some tables of a section's source.
fn of_tables<'r, 't>(
    entry: &SectionEntry,
    tables: impl Iterator<Item = &'t str>,
    recorded: &'r [Recorded],
) -> Vec<&'r Recorded> {
    let tables: Vec<&str> = tables.collect();
    of_source(entry, recorded).filter(|one| tables.iter().any(|table| one.tables.contains(*table))).collect()
}

/// Whether a section that is about some data compares its window with another time.
pub(super) fn compares_with(one: &Recorded, all: &[Recorded], of: &[SectionEntry]) -> bool {
    let mut comparing = of.iter().filter(|entry| compares(&entry.definition));
    comparing.any(|entry| about(entry, all).contains(&one))
}

/// The data that a section was read from, in the way that was chosen; what any way reads, where nothing is known of that.
pub(super) fn read<'r>(entry: &SectionEntry, answer: &SectionAnswer, recorded: &'r [Recorded]) -> Vec<&'r Recorded> {
    let chosen = of_tables(entry, answer.tables.iter().map(|name| table(name)), recorded);
    if chosen.is_empty() { of_tables(entry, tables(entry), recorded) } else { chosen }
}

/// The tables that a section was read from.
pub(super) fn tables_of<'t>(entry: &'t SectionEntry, answer: &'t SectionAnswer) -> BTreeSet<&'t str> {
    match answer.tables.is_empty() {
        true => tables(entry).collect(),
        false => answer.tables.iter().map(|name| table(name)).collect(),
    }
}

/// Whether a section compares its window with another time and reads all of some tables.
pub(super) fn compares_all(of: &BTreeSet<&str>, source: &str, entry: &SectionEntry) -> bool {
    let read: BTreeSet<&str> = tables(entry).collect();
    compares(&entry.definition) && entry.definition.source.0 == source && of.is_subset(&read)
}

/// Tables that any way to answer a section requires.
pub(super) fn tables(entry: &SectionEntry) -> impl Iterator<Item = &str> {
    entry.definition.tables()
}

/// `traces` of `traces.status_code`.
fn table(requirement: &str) -> &str {
    requirement.split('.').next().unwrap_or(requirement)
}
