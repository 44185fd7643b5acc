//! What a database would do with a statement of a caller, in words that mean the same on every backend.
//!
//! A plan is chosen by what is known of all rows of a table, those of other organisations among them. So nothing here is
//! the text of a database: adapters read of its plan what a list names, and have it made where nothing that others hold
//! decides about it (docs/adr/0063).

use std::collections::BTreeMap;

use crate::sql::{
    TableColumns,
    guard::OURS,
    tenancy::{Belongs, TableRules},
};

/// A step that joins without a condition.
pub const CROSSED: &str = "join of every row with every row";

/// A step that reads what a function makes: how many rows that is no table tells.
pub const MADE: &str = "rows of a function";

/// A step that repeats itself until it finds nothing new.
pub const RECURSION: &str = "recursion";

/// A plan. Nothing in it depends on how many rows other organisations have or on what these hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The tables that are read, by name. One that is read in two ways is there twice.
    pub reads: Vec<Read>,
    /// The steps from the last to the first.
    pub steps: Vec<Step>,
    /// Whether a join looks at every row with every row.
    pub crosses: bool,
    /// Whether a row becomes as many as a list of it has elements.
    pub unfolds: bool,
}

/// How a table is read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    pub table: String,
    /// Its rows are everyone's, and no organisation's own.
    pub everyones: bool,
    pub found: Found,
}

/// How the rows of a table are found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// By a key or an index over these columns. ClickHouse: those that conditions of the statement narrow.
    By(Vec<String>),
    /// By going through all of them. ClickHouse: through all of the organisation's own.
    Whole,
    /// There are none of the organisation's.
    Nothing,
    /// The plan does not say.
    Unknown,
}

/// A step, in its place below those that use what it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub depth: usize,
    pub text: String,
}

/// A step with those that it uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node {
    pub text: String,
    pub inside: Vec<Node>,
}

impl Node {
    pub fn of(text: impl Into<String>, inside: Vec<Node>) -> Self {
        Self { text: text.into(), inside }
    }
}

/// The steps of a tree.
pub(super) fn steps(nodes: &[Node]) -> Vec<Step> {
    fn add(nodes: &[Node], depth: usize, steps: &mut Vec<Step>) {
        for node in nodes {
            steps.push(Step { depth, text: node.text.clone() });
            add(&node.inside, depth + 1, steps);
        }
    }
    let mut steps_of = Vec::new();
    add(nodes, 0, &mut steps_of);
    steps_of
}

/// The rows of a table, as a step names them.
pub(super) fn rows_of(table: &str, everyones: bool) -> String {
    match everyones {
        true => format!("rows of `{table}`, which is everyone's"),
        false => format!("your rows of `{table}`"),
    }
}

/// What stands for the tables of a guarded statement: our names for them, whose they are, and how each was found.
pub(super) struct Shadows {
    by_name: BTreeMap<String, (String, bool)>,
    found: BTreeMap<String, Found>,
}

impl Shadows {
    /// Of tables with our names for them.
    pub fn of(shadows: BTreeMap<String, String>, tables: &TableColumns, rules: &TableRules) -> Self {
        let everyones = |table: &str| {
            let columns = tables.get(table).map(Vec::as_slice).unwrap_or_default();
            matches!(rules.belongs(table, columns), Some(Belongs::Global))
        };
        let of = |(table, ours): (String, String)| {
            let everyones = everyones(&table);
            (table, ours, everyones)
        };
        Self::named(shadows.into_iter().map(of))
    }

    /// Of tables with our names for them, and whether each is everyone's.
    pub fn named(tables: impl IntoIterator<Item = (String, String, bool)>) -> Self {
        let by_name = tables.into_iter().map(|(table, ours, everyones)| (ours, (table, everyones))).collect();
        Self { by_name, found: BTreeMap::new() }
    }

    /// The table that a name of ours stands for, and whether it is everyone's.
    pub fn table(&self, ours: &str) -> Option<(&str, bool)> {
        self.by_name.get(ours).map(|(table, everyones)| (table.as_str(), *everyones))
    }

    pub fn found(&mut self, table: &str, found: Found) {
        self.found.insert(table.to_owned(), found);
    }

    pub fn into_reads(self) -> Vec<Read> {
        let Self { by_name, mut found } = self;
        let read = |(table, everyones): (String, bool)| {
            let found = found.remove(&table).unwrap_or(Found::Unknown);
            Read { table, everyones, found }
        };
        let mut reads: Vec<Read> = by_name.into_values().map(read).collect();
        reads.sort();
        reads
    }
}

/// A text with the names that the guard gave as the caller wrote them: `tfo$3_r` is `r`.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OURS) {
        out.push_str(before);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let name = after.get(digits..).and_then(|name| name.strip_prefix('_'));
        rest = name.unwrap_or(after);
        if !rest.starts_with(|c: char| c == '_' || c.is_alphanumeric()) {
            out.push_str("(unnamed)");
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_guard_are_told_as_the_caller_wrote_them() {
        assert_eq!(plain("SCAN tfo$12_alert_rules AS tfo$3_r"), "SCAN alert_rules AS r");
        assert_eq!(plain("SCAN tfo$4_"), "SCAN (unnamed)");
        assert_eq!(plain("nothing of ours"), "nothing of ours");
    }

    #[test]
    fn tables_are_told_by_name_and_one_of_which_the_plan_says_nothing_too() {
        let table = |name: &str, ours: &str, everyones| (name.to_owned(), ours.to_owned(), everyones);
        let mut shadows =
            Shadows::named([table("users", "tfo$2_users", false), table("regions", "tfo$1_regions", true)]);
        assert_eq!(shadows.table("tfo$2_users"), Some(("users", false)));
        shadows.found("users", Found::Whole);
        let reads = shadows.into_reads();
        assert_eq!(reads[0], Read { table: "regions".into(), everyones: true, found: Found::Unknown });
        assert_eq!(reads[1], Read { table: "users".into(), everyones: false, found: Found::Whole });
    }
}
