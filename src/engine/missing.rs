//! Of which data a window holds none, and how that is said.

use time::OffsetDateTime;

use super::{
    absent::upper_first,
    recorded::{Recorded, lower_first},
};
use crate::catalog::SectionEntry;

/// What of a document the window holds no data of. What only says where it lies has no section about it.
pub(super) struct Missing<'a>(Vec<&'a Recorded>);

impl<'a> Missing<'a> {
    /// None where something was recorded of everything.
    pub(super) fn of(recorded: &'a [Recorded]) -> Option<Self> {
        let own: Vec<&Recorded> = recorded.iter().filter(|one| !one.tables.is_empty()).collect();
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
