//! How many rows of a section are read, how many of them are shown, and what that leaves unsaid.

use super::{
    cut::{Cap, Cut, Limit},
    document::Total,
};
use crate::{
    definition::Section,
    source::{Rows, Truncation},
};

/// Most rows of a tree that are read.
const TREE_ROWS: usize = 10_000;

/// What is read and what is shown of one section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Most rows read; one more proves that there are more.
    pub read: usize,
    /// Most rows shown.
    pub shown: usize,
    /// Why not more are shown.
    why: Cap,
    /// Most rows and bytes that the server reads of anything.
    rows: usize,
    bytes: usize,
    /// Whether no more rows are read of anything.
    most: bool,
}

impl Extent {
    /// `limited` says whether the statement takes `{{ limit }}`; one that does not is shown as it comes.
    pub fn of(section: &Section, limited: bool, max_items: Option<usize>, max_rows: usize, bytes: usize) -> Self {
        let usual = if limited { section.limit as usize } else { max_rows };
        let (wanted, why) = match max_items {
            Some(asked) if section.whole => (asked.max(usual), Cap::Usual),
            Some(asked) => (asked, Cap::Asked),
            None => (usual, Cap::Usual),
        };
        let (shown, why) = if wanted < max_rows { (wanted, why) } else { (max_rows, Cap::SectionRows) };
        if section.tree.is_some() {
            // What is alike becomes one row before anything is shown.
            return Self { read: TREE_ROWS.max(max_rows), shown, why, rows: max_rows, bytes, most: false };
        }
        let read = if section.count_all || !limited { max_rows } else { shown.max(usual).min(max_rows) };
        Self { read, shown, why, rows: max_rows, bytes, most: read == max_rows }
    }

    /// Most rows that are shown, and because of what.
    pub fn room(&self) -> (usize, Cap) {
        (self.shown, self.why)
    }

    /// Why no more rows were read, where that is not why no more are shown.
    pub fn unread(&self, rows: &Rows) -> Option<Cut> {
        let unread = match rows.truncated? {
            Truncation::Bytes => Cap::SectionBytes,
            Truncation::Rows if self.most => Cap::SectionRows,
            Truncation::Rows => return None,
        };
        let shows = self.answered(rows).2.map(|cut| cut.cap);
        (shows != Some(unread)).then(|| Cut::new(unread, self.limit(unread)))
    }

    /// How much one of the caps lets through here.
    fn limit(&self, cap: Cap) -> Limit {
        match cap {
            Cap::SectionRows => Limit::Rows(self.rows),
            Cap::SectionBytes => Limit::Bytes(self.bytes),
            _ => Limit::Rows(self.shown),
        }
    }

    /// How many rows there are, how many are shown, and why not all.
    pub fn answered(&self, rows: &Rows) -> (Total, usize, Option<Cut>) {
        let count = rows.rows.len();
        let total = Total { count, more: rows.truncated.is_some() };
        let cut = match rows.truncated {
            _ if count > self.shown => Some(self.why),
            Some(Truncation::Bytes) => Some(Cap::SectionBytes),
            Some(Truncation::Rows) => Some(self.why),
            None => None,
        };
        (total, count.min(self.shown), cut.map(|cap| Cut::new(cap, self.limit(cap)).seeing(total)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(extra: &str) -> Section {
        let text = format!(
            r#"{{"title": "t", "source": "telemetry", "limit": 30, "priority": 1, "query": [{{"sql": "SELECT 1 AS a"}}]{extra}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn rows(count: usize, truncated: Option<Truncation>) -> Rows {
        Rows { rows: vec![Vec::new(); count], truncated, ..Rows::default() }
    }

    #[test]
    fn what_is_shown_and_what_is_known_are_two_things() {
        let (cut, more) = (Some(Truncation::Rows), r#", "count_all": false"#);
        for (extra, max_items, (count, truncated), total, shown, why) in [
            ("", None, (65, None), "65", 30, Some((Cap::Usual, Limit::Rows(30)))),
            ("", Some(1), (65, None), "65", 1, Some((Cap::Asked, Limit::Rows(1)))),
            ("", Some(500), (65, None), "65", 65, None),
            ("", Some(5000), (1000, cut), "1000 or more", 1000, Some((Cap::SectionRows, Limit::Rows(1000)))),
            ("", None, (1000, cut), "1000 or more", 30, Some((Cap::Usual, Limit::Rows(30)))),
            ("", None, (7, Some(Truncation::Bytes)), "7 or more", 7, Some((Cap::SectionBytes, Limit::Bytes(99)))),
            (more, None, (30, cut), "30 or more", 30, Some((Cap::Usual, Limit::Rows(30)))),
            (more, Some(1), (30, cut), "30 or more", 1, Some((Cap::Asked, Limit::Rows(1)))),
            (r#", "whole": true"#, Some(1), (3, None), "3", 3, None),
        ] {
            let extent = Extent::of(&section(extra), true, max_items, 1000, 99);
            assert!(count <= extent.read, "{extra} {max_items:?}");
            let (known, visible, cut) = extent.answered(&rows(count, truncated));
            assert!(cut.is_none_or(|cut| cut.seen == Some(known)), "{cut:?}");
            let cut = cut.map(|cut| (cut.cap, cut.limit));
            assert_eq!((known.to_string().as_str(), visible, cut), (total, shown, why), "{extra} {max_items:?}");
        }
    }

    #[test]
    fn what_ended_the_reading_is_known_beside_what_ends_the_list() {
        let extent = |max_items| Extent::of(&section(""), true, max_items, 1000, 99);
        for (max_items, count, truncated, unread) in [
            (Some(3), 417, Truncation::Bytes, Some(Cut::new(Cap::SectionBytes, Limit::Bytes(99)))),
            (None, 1000, Truncation::Rows, Some(Cut::new(Cap::SectionRows, Limit::Rows(1000)))),
            (Some(5000), 1000, Truncation::Rows, None),
            (Some(5000), 417, Truncation::Bytes, None),
        ] {
            assert_eq!(extent(max_items).unread(&rows(count, Some(truncated))), unread, "{max_items:?}");
        }
        assert_eq!(extent(Some(3)).unread(&rows(417, None)), None);
    }

    #[test]
    fn a_statement_without_a_limit_of_ours_is_shown_whole_unless_fewer_rows_are_asked_for() {
        let extent = |max_items| Extent::of(&section(""), false, max_items, 1000, 99);
        assert_eq!((extent(None).read, extent(None).shown), (1000, 1000));
        assert_eq!((extent(Some(5)).read, extent(Some(5)).shown), (1000, 5));
    }
}
