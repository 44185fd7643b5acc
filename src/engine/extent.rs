//! How many rows of a section are read, how many of them are shown, and what that leaves unsaid.

use super::document::{Cut, Total};
use crate::{
    definition::Section,
    source::{Rows, Truncation},
};

/// What is read and what is shown of one section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Most rows read; one more proves that there are more.
    pub read: usize,
    /// Most rows shown.
    pub shown: usize,
    /// Why not more are shown.
    why: Cut,
    /// Most bytes read.
    bytes: usize,
    /// Whether no more rows are read of anything.
    most: bool,
}

impl Extent {
    /// `limited` says whether the statement takes `{{ limit }}`; one that does not is shown as it comes.
    pub fn of(section: &Section, limited: bool, max_items: Option<usize>, max_rows: usize, bytes: usize) -> Self {
        let usual = if limited { section.limit as usize } else { max_rows };
        let (wanted, why) = match max_items {
            Some(asked) if section.whole => (asked.max(usual), Cut::Usual),
            Some(asked) => (asked, Cut::Asked),
            None => (usual, Cut::Usual),
        };
        let (shown, why) = if wanted < max_rows { (wanted, why) } else { (max_rows, Cut::Rows) };
        let read = if section.count_all || !limited { max_rows } else { shown.max(usual).min(max_rows) };
        Self { read, shown, why, bytes, most: read == max_rows }
    }

    /// Most rows that are shown, and because of what.
    pub fn room(&self) -> (usize, Cut) {
        (self.shown, self.why)
    }

    /// Why no more rows were read, where that is not why no more are shown.
    pub fn unread(&self, rows: &Rows) -> Option<Cut> {
        let unread = match rows.truncated? {
            Truncation::Bytes => Cut::Bytes(self.bytes),
            Truncation::Rows if self.most => Cut::Rows,
            Truncation::Rows => return None,
        };
        (self.answered(rows).2 != Some(unread)).then_some(unread)
    }

    /// How many rows there are, how many are shown, and why not all.
    pub fn answered(&self, rows: &Rows) -> (Total, usize, Option<Cut>) {
        let count = rows.rows.len();
        let total = Total { count, more: rows.truncated.is_some() };
        let cut = match rows.truncated {
            _ if count > self.shown => Some(self.why),
            Some(Truncation::Bytes) => Some(Cut::Bytes(self.bytes)),
            Some(Truncation::Rows) => Some(self.why),
            None => None,
        };
        (total, count.min(self.shown), cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(extra: &str) -> Section {
        let text = format!(
            r#"{{"title": "t", "source": "telemetry", "limit": 30, "query": [{{"sql": "SELECT 1 AS a"}}]{extra}}}"#
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
            ("", None, (65, None), "65", 30, Some(Cut::Usual)),
            ("", Some(1), (65, None), "65", 1, Some(Cut::Asked)),
            ("", Some(500), (65, None), "65", 65, None),
            ("", Some(5000), (1000, cut), "1000 or more", 1000, Some(Cut::Rows)),
            ("", None, (1000, cut), "1000 or more", 30, Some(Cut::Usual)),
            ("", None, (7, Some(Truncation::Bytes)), "7 or more", 7, Some(Cut::Bytes(99))),
            (more, None, (30, cut), "30 or more", 30, Some(Cut::Usual)),
            (more, Some(1), (30, cut), "30 or more", 1, Some(Cut::Asked)),
            (r#", "whole": true"#, Some(1), (3, None), "3", 3, None),
        ] {
            let extent = Extent::of(&section(extra), true, max_items, 1000, 99);
            assert!(count <= extent.read, "{extra} {max_items:?}");
            let (known, visible, cut) = extent.answered(&rows(count, truncated));
            assert_eq!((known.to_string().as_str(), visible, cut), (total, shown, why), "{extra} {max_items:?}");
        }
    }

    #[test]
    fn what_ended_the_reading_is_known_beside_what_ends_the_list() {
        let extent = |max_items| Extent::of(&section(""), true, max_items, 1000, 99);
        for (max_items, count, truncated, unread) in [
            (Some(3), 417, Truncation::Bytes, Some(Cut::Bytes(99))),
            (None, 1000, Truncation::Rows, Some(Cut::Rows)),
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
