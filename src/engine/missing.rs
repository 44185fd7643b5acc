//! Of which data a window holds none, and how that is said.

use time::OffsetDateTime;

use super::{
    about,
    absent::upper_first,
    document::SectionAnswer,
    recorded::{Recorded, lower_first},
    window::{TimeWindow, stamp},
};
use crate::catalog::SectionEntry;

/// What of a document the window holds no data of. What only says where it lies has no section about it.
pub(super) struct Missing<'a>(Vec<&'a Recorded>);

impl<'a> Missing<'a> {
    /// None where something was recorded of everything.
    pub(super) fn of(recorded: &'a [Recorded]) -> Option<Self> {
        let own: Vec<&Recorded> = recorded.iter().filter(|one| one.is_stream()).collect();
        own.iter().any(|one| one.is_missing()).then_some(Self(own))
    }

    /// Whether something that comes all the time did not come for long.
    pub(super) fn is_gap(&self, now: OffsetDateTime) -> bool {
        self.0.iter().any(|recorded| recorded.is_gap(now))
    }

    /// Whether it was never recorded at all, beside other data that are there: an organisation without Kubernetes.
    pub(super) fn is_nowhere(&self) -> bool {
        let missing = || self.0.iter().filter(|recorded| recorded.is_missing());
        self.0.iter().any(|recorded| !recorded.is_missing()) && missing().all(|one| one.is_nowhere())
    }

    /// `No traces and no logs were recorded`.
    pub(super) fn sentence(&self) -> String {
        let titles = self.0.iter().filter(|recorded| recorded.is_missing());
        format!("{} were recorded", upper_first(&none(titles.copied())))
    }

    /// Whether there are data of nothing.
    pub(super) fn is_all(&self) -> bool {
        self.0.iter().all(|one| one.is_missing())
    }

    /// Whether nothing is there of what is known of the source of a section, whatever its tables are.
    pub(super) fn is_all_of(&self, entry: &SectionEntry) -> bool {
        let mut own = self.0.iter().filter(|recorded| recorded.source == entry.definition.source.0).peekable();
        own.peek().is_some() && own.all(|one| one.is_missing())
    }
}

/// `no traces and no logs`.
fn none<'r>(of: impl Iterator<Item = &'r Recorded>) -> String {
    let titles: Vec<String> = of.map(|recorded| format!("no {}", lower_first(&recorded.title))).collect();
    match titles.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// `No traces were ever recorded here.`, of data that are the reason why nothing is found, events among them.
pub(super) fn never(recorded: &[Recorded]) -> impl Iterator<Item = String> {
    let nowhere = recorded.iter().filter(|one| one.is_nowhere() && !one.tables.is_empty());
    nowhere.map(|one| format!("No {} were ever recorded here.", lower_first(&one.title)))
}

/// Tells every section whether the data that it was read from are missing in the window, end long before it does, or were
/// never recorded at all.
pub(super) fn tell(
    of: &[SectionEntry],
    recorded: &[Recorded],
    (window, now): (TimeWindow, OffsetDateTime),
    sections: &mut [SectionAnswer],
) {
    for section in sections {
        let Some(entry) = of.iter().find(|entry| entry.name == section.name) else { continue };
        let (events, read): (Vec<&Recorded>, Vec<&Recorded>) =
            about::read(entry, section, recorded).into_iter().partition(|one| one.ends_only);
        // One kind of data that is set against another says nothing without it.
        let paired = !entry.definition.paired.is_empty();
        let own = if paired { about::about(entry, recorded) } else { read };
        // What is read from other tables besides may be empty because of these.
        let known = |table: &str| events.iter().chain(&own).any(|one| one.tables.contains(table));
        let is_all = about::tables_of(entry, section).into_iter().all(known);
        let own_is = |is: &dyn Fn(&Recorded) -> bool| match paired {
            true => own.iter().any(|one| is(one)),
            false => !own.is_empty() && own.iter().all(|one| is(one)),
        };
        section.is_missing = own_is(&Recorded::is_missing);
        section.ends_early = own_is(&|one| one.ends_early(window, now));
        let mut why = own.clone();
        if paired {
            why.retain(|one| one.is_missing());
        } else if is_all {
            why.extend(&events);
        }
        section.is_never = !why.is_empty() && why.iter().all(|one| one.is_nowhere());
        if section.is_never {
            section.lacks = Some(format!("{} were ever recorded here", none(why.into_iter())));
        } else if paired && section.is_missing {
            section.lacks = Some(format!("{} were recorded in this window", none(why.into_iter())));
        } else if paired && section.ends_early {
            let end = |one: &&Recorded| {
                let newest = stamp(one.ends_at(window, now)?);
                Some(format!("{} end at {newest} UTC, before the end of this window", upper_first(&one.title)))
            };
            section.besides = own.iter().filter_map(end).collect();
        } else if !section.is_missing && own.iter().any(|one| one.is_missing()) {
            let gone = own.iter().filter(|one| one.is_missing());
            section.besides = vec![format!("{} were recorded in this window", none(gone.copied()))];
        } else if own.is_empty() && is_all && events.iter().all(|one| one.newest_before().is_some()) {
            let last = |one: &&Recorded| {
                let newest = one.newest_before()?;
                Some(format!("the last {} before this window are of {} UTC", lower_first(&one.title), stamp(newest)))
            };
            section.besides = events.iter().filter_map(last).collect();
        }
    }
}
