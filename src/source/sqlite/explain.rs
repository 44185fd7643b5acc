//! What SQLite would do with a caller's statement: its `EXPLAIN QUERY PLAN`, with the caller's names.
//!
//! Its planner looks at no rows. Only where somebody ran `ANALYZE` does it know something of them, of everyone's: then
//! the statement is planned on an empty copy of the tables, which is how SQLite plans without that.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::source::{
    Rows,
    plan::{Found, MADE, Node, Plan, RECURSION, Shadows, Step, plain, rows_of, steps},
};

/// In front of a statement that was judged and written anew.
pub(super) const EXPLAIN: &str = "EXPLAIN QUERY PLAN ";

/// Whether the planner knows something of rows.
pub(super) const STATISTICS: &str = "SELECT 1 FROM sqlite_schema WHERE name GLOB 'sqlite_stat*' LIMIT 1";

/// What makes an empty copy: tables, then what is made over them.
pub(super) const COPY: &str = "SELECT sql FROM sqlite_schema \
     WHERE sql IS NOT NULL AND type IN ('table', 'index', 'view') AND name NOT GLOB 'sqlite_*' \
     ORDER BY type <> 'table', type = 'view', rowid";

/// Deepest tree that is read.
const DEEPEST: usize = 200;

/// Lines by the line that they belong to, each with its number.
type Lines<'a> = BTreeMap<i64, Vec<(i64, &'a str)>>;

/// Reads the answer to [`EXPLAIN`].
pub(super) fn plan(answer: &Rows, mut shadows: Shadows) -> Plan {
    let mut lines = Lines::new();
    for row in &answer.rows {
        if let [id, parent, _, Value::String(detail)] = &**row {
            let (Some(id), Some(parent)) = (id.as_i64(), parent.as_i64()) else { continue };
            lines.entry(parent).or_default().push((id, detail.as_str()));
        }
    }
    let nodes = below(0, &lines, &mut shadows, 0);
    let steps = steps(&nodes);
    Plan { crosses: crosses(&steps), steps, reads: shadows.into_reads(), unfolds: false }
}

/// Whether loops stand in each other that each go through all of their rows: a condition would have made an index.
fn crosses(steps: &[Step]) -> bool {
    let mut scanned: Vec<usize> = Vec::new();
    for step in steps {
        scanned.retain(|depth| *depth <= step.depth);
        let scans = step.text.starts_with("SCAN ") && step.text != "SCAN CONSTANT ROW";
        if scans && scanned.contains(&step.depth) {
            return true;
        }
        if scans {
            scanned.push(step.depth);
        }
    }
    false
}

fn below(parent: i64, lines: &Lines<'_>, shadows: &mut Shadows, depth: usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    for (id, detail) in lines.get(&parent).into_iter().flatten().filter(|_| depth < DEEPEST) {
        let stands = detail.strip_prefix("MATERIALIZE ").and_then(|name| shadows.table(name));
        match stands.map(|(table, _)| table.to_owned()) {
            Some(table) => {
                let found = found(*id, &table, lines, 0).unwrap_or(Found::Unknown);
                shadows.found(&table, found);
            }
            None => nodes.push(Node::of(told(detail, shadows), below(*id, lines, shadows, depth + 1))),
        }
    }
    nodes
}

/// A line with the tables that the caller knows.
fn told(detail: &str, shadows: &Shadows) -> String {
    let word = |word: &str| match shadows.table(word) {
        Some((table, everyones)) => rows_of(table, everyones),
        None => plain(word),
    };
    if detail == "RECURSIVE STEP" {
        return RECURSION.to_owned();
    }
    if detail.contains(" VIRTUAL TABLE ") {
        return MADE.to_owned();
    }
    detail.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// How the rows of a table are found, by the lines of what stands for it.
fn found(parent: i64, table: &str, lines: &Lines<'_>, depth: usize) -> Option<Found> {
    for (id, detail) in lines.get(&parent).into_iter().flatten().filter(|_| depth < DEEPEST) {
        let (verb, rest) = detail.split_once(' ').unwrap_or((detail, ""));
        let rest = rest.strip_prefix("main.").unwrap_or(rest);
        let reads = rest.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
        match verb {
            "SEARCH" if reads => return Some(Found::By(columns(detail))),
            "SCAN" if reads => return Some(Found::Whole),
            _ => {}
        }
        if let Some(found) = found(*id, table, lines, depth + 1) {
            return Some(found);
        }
    }
    None
}

/// The columns of `… USING INDEX i (organization_id=? AND status>?)`.
fn columns(detail: &str) -> Vec<String> {
    let inside = detail.rsplit_once('(').map_or("", |(_, inside)| inside.trim_end_matches(')'));
    let column = |part: &str| part.split(['=', '<', '>']).next().unwrap_or_default().trim().to_owned();
    inside.split(" AND ").map(column).filter(|column| !column.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_become_steps_and_what_stands_for_a_table_becomes_how_it_is_read() {
        let rows = json!([
            [2, 0, 0, "MATERIALIZE tfo$1_alert_rules"],
            [5, 2, 0, "SEARCH main.alert_rules USING INDEX i1 (organization_id=? AND name>?)"],
            [6, 0, 0, "MATERIALIZE tfo$2_child"],
            [7, 6, 0, "SCAN main.child"],
            [8, 6, 0, "LIST SUBQUERY 3"],
            [9, 8, 0, "SEARCH main.alert_rules USING INDEX i1 (organization_id=?)"],
            [10, 0, 0, "SCAN tfo$3_r"],
            [11, 0, 0, "LIST SUBQUERY 5"],
            [12, 11, 0, "SCAN tfo$1_alert_rules"],
            [13, 0, 0, "USE TEMP B-TREE FOR ORDER BY"],
        ]);
        let answer = Rows { rows: serde_json::from_value(rows).unwrap(), ..Rows::default() };
        let of = |table: &str, ours: &str| (table.to_owned(), ours.to_owned(), false);
        let told = plan(&answer, Shadows::named([of("alert_rules", "tfo$1_alert_rules"), of("child", "tfo$2_child")]));
        assert_eq!(told.reads[0].found, Found::By(vec!["organization_id".into(), "name".into()]));
        assert_eq!(told.reads[1].found, Found::Whole);
        let steps: Vec<String> =
            told.steps.iter().map(|step| format!("{}{}", " ".repeat(step.depth), step.text)).collect();
        let expected =
            ["SCAN r", "LIST SUBQUERY 5", " SCAN your rows of `alert_rules`", "USE TEMP B-TREE FOR ORDER BY"];
        assert_eq!(steps, expected);
    }
}
