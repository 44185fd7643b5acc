//! What ClickHouse would do with a caller's statement.
//!
//! Its plan counts the parts and granules that hold everyone's rows, tells how many rows a join is taken to have, and shows
//! the condition that binds the statement to its organisation. So only kinds of steps, names of tables and columns of
//! keys are read of it, and joins keep the order in which they are written ([`FIXED`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use super::{
    ClickHouse,
    bounds::Setting,
    catalog::Catalog,
    error::Failure,
    request::Slot,
    takes_no_settings,
    tenant::{self, Asked},
};
use crate::{
    source::{
        Query, SourceError, SourceErrorKind,
        plan::{Found, MADE, Node, Plan, RECURSION, Read, rows_of, steps},
    },
    sql::{guard::clickhouse::Access, tenancy::ORGANIZATION},
};

/// In front of a statement that was judged, and whose names were resolved and judged.
pub(super) const EXPLAIN: &str = "EXPLAIN PLAN json = 1, indexes = 1\n";

/// Settings that let no row decide: joins keep their order, nothing is counted from keys where these say that all rows of a
/// part are the organisation's, and the lists behind IN are not made for the plan.
pub(super) const FIXED: [(&str, &str); 6] = [
    ("optimize_use_projections", "0"),
    ("optimize_use_implicit_projections", "0"),
    ("optimize_trivial_count_query", "0"),
    ("query_plan_join_swap_table", "false"),
    ("query_plan_optimize_join_order_limit", "0"),
    ("use_index_for_in_with_subqueries", "0"),
];

/// Those that a server has and lets be set.
pub(super) fn fixed(known: &BTreeMap<String, Setting>) -> impl Iterator<Item = (&'static str, String)> {
    let settable = |name: &str| known.get(name).is_some_and(|setting| !setting.constant);
    FIXED.iter().filter(move |(name, _)| settable(name)).map(|(name, value)| (*name, (*value).to_owned()))
}

/// What a limit means that is met while the statement is planned. The server's own text counts everyone's rows.
pub(super) fn too_much(failure: Failure) -> Failure {
    match failure.code {
        // TOO_MANY_ROWS, TOO_MANY_BYTES
        Some(158 | 307) => {
            let message = "the statement would read more than one statement may";
            let error = SourceError::new(SourceErrorKind::Exhausted, message);
            Failure { error: error.hint("narrow it by the key of its table, such as a shorter time"), ..failure }
        }
        _ => failure,
    }
}

/// Whether a resolved statement makes several rows of one with a list.
pub(super) fn unfolds<'t>(mut lines: impl Iterator<Item = &'t str>) -> bool {
    lines.any(|line| line.trim_start().starts_with("ARRAY_JOIN ") || line.contains("function_name: arrayJoin,"))
}

/// Whether a resolved statement has a join that no equation leads from a row to its others. A plan names no condition of a join.
pub(super) fn crosses<'t>(lines: impl Iterator<Item = &'t str>) -> bool {
    let depth = |line: &str| line.len() - line.trim_start().len();
    // Where the conditions begin in whose lines this one stands, and whether an equation of two sides was among them.
    let mut conditions: Vec<(usize, bool)> = Vec::new();
    // The equation in whose lines this one stands, and of what its columns are: what is compared with a constant, as `1=1`, or with
    // what is of the same side leads nowhere.
    let mut equation: Option<(usize, BTreeSet<&str>)> = None;
    for line in lines {
        let (depth, text) = (depth(line), line.trim_start());
        equation = equation.filter(|(begins, _)| depth > *begins);
        while let Some((_, equates)) = conditions.pop_if(|(begins, _)| depth <= *begins) {
            if !equates {
                return true;
            }
        }
        let crossed = ["CROSS", "COMMA"].iter().any(|kind| text.contains(&format!("kind: {kind}")));
        if text.starts_with("CROSS JOIN ") || text.starts_with("JOIN ") && crossed {
            return true;
        }
        if text == "JOIN EXPRESSION" {
            conditions.push((depth, false));
        } else if let Some((begins, equates)) = conditions.last_mut() {
            // What `USING` names is a list.
            *equates |= depth == *begins + INDENT && text.starts_with("LIST ");
            if EQUATIONS.iter().any(|name| text.contains(&format!("function_name: {name},"))) {
                equation = Some((depth, BTreeSet::new()));
            }
            let source = text.strip_prefix("COLUMN ").and_then(|column| column.split_once("source_id: "));
            if let (Some((_, sides)), Some((_, source))) = (&mut equation, source) {
                sides.insert(source.split(',').next().unwrap_or_default());
                *equates |= sides.len() > 1;
            }
        }
    }
    conditions.iter().any(|(_, equates)| !equates)
}

/// How much further what stands below a line begins.
const INDENT: usize = 2;
/// Functions by which a row leads to its others.
const EQUATIONS: [&str; 2] = ["equals", "isNotDistinctFrom"];

/// Steps that only hand rows on, and the server's own condition.
const HAND_ON: [&str; 3] = ["Expression", "CreatingSets", "DelayedCreatingSets"];

/// Reads the answer to [`EXPLAIN`] of a statement that reads the tables of `named`; none if it is no plan.
///
/// A table in which nobody has rows is not read at all, and which one that is the plan does not say. So where the organisation
/// has none in one of them (`without`), no step tells which table it reads.
pub(super) fn plan(
    text: &str,
    named: &BTreeSet<String>,
    without: &BTreeMap<String, Found>,
    database: &str,
    catalog: &Catalog,
) -> Option<Plan> {
    let answer: Value = serde_json::from_str(text).ok()?;
    let is_told = without.is_empty();
    let mut reader = Reader { named, is_told, database, catalog, found: BTreeMap::new(), behind: BTreeSet::new() };
    let nodes = reader.node(answer.get(0)?.get("Plan")?);
    let Reader { mut found, behind, .. } = reader;
    // A view reads tables of other names. Where one alone is asked, what is read so is read for it.
    if !is_told {
        found.extend(without.iter().map(|(table, found)| (table.clone(), BTreeSet::from([found.clone()]))));
    }
    let mut unseen = named.iter().filter(|table| !found.contains_key(*table));
    if let (Some(view), None, true) = (unseen.next(), unseen.next(), is_told && !behind.is_empty()) {
        found.insert(view.clone(), behind);
    }
    let everyones = |table: &str| catalog.access.get(table) == Some(&Access::Shared);
    let mut reads = Vec::new();
    for table in named {
        let ways = found.remove(table).unwrap_or_else(|| BTreeSet::from([Found::Unknown]));
        reads.extend(ways.into_iter().map(|found| Read { table: table.clone(), everyones: everyones(table), found }));
    }
    Some(Plan { reads, steps: steps(&nodes), crosses: false, unfolds: false })
}

impl ClickHouse {
    /// A plan, made anew if the embedded server went away meanwhile.
    pub(super) async fn planned(&self, query: Query<'_>, organization_id: &str) -> Result<Plan, SourceError> {
        if !self.send_settings {
            return Err(takes_no_settings());
        }
        self.organisation.admit(organization_id)?;
        let slot = self.slot(true).await?;
        let mut begun = 1;
        loop {
            match self.explain_once(query, organization_id, &slot).await {
                Err(failure) if self.begins_anew(&failure, &mut begun) => {}
                result => return result.map_err(|failure| failure.error),
            }
        }
    }

    async fn explain_once(&self, query: Query<'_>, organization_id: &str, slot: &Arc<Slot>) -> Result<Plan, Failure> {
        let connection = self.connection().await?;
        let explained = async {
            let catalog = self.catalog_for(&connection, &query.statement.sql).await?;
            let (connection, catalog, database) = (&*connection, &*catalog, self.database.as_str());
            tenant::explain(Asked { connection, catalog, database, organization_id, query, slot: Some(slot) }).await
        };
        let answer = explained.await;
        self.ended(&connection, answer).await
    }
}

struct Reader<'a> {
    named: &'a BTreeSet<String>,
    /// Whether steps tell which table they read.
    is_told: bool,
    database: &'a str,
    catalog: &'a Catalog,
    /// How tables are read that the statement names.
    found: BTreeMap<String, BTreeSet<Found>>,
    /// How others are, which stand behind views.
    behind: BTreeSet<Found>,
}

fn text<'p>(plan: &'p Value, key: &str) -> &'p str {
    plan.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'p>(plan: &'p Value, key: &str) -> &'p [Value] {
    plan.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

impl Reader<'_> {
    fn inside(&mut self, plan: &Value) -> Vec<Node> {
        list(plan, "Plans").iter().flat_map(|child| self.node(child)).collect()
    }

    fn node(&mut self, plan: &Value) -> Vec<Node> {
        let (kind, about) = (text(plan, "Node Type"), text(plan, "Description"));
        let step = match kind {
            kind if HAND_ON.contains(&kind) => return self.inside(plan),
            "Filter" if about == "additional filter" => return self.inside(plan),
            // It is said of the step that it is made for, and of others by the sort itself.
            "Sorting" if about.starts_with("Sorting for window") => return self.inside(plan),
            "Distinct" if about.starts_with("Preliminary") => return self.inside(plan),
            "Limit" if about.starts_with("preliminary") && is_below_limit(plan) => return self.inside(plan),
            "Filter" => "filter",
            "Aggregating" | "MergingAggregated" | "CreatingGroupingSets" => "group",
            "Rollup" | "Cube" | "TotalsHaving" => "totals",
            "Sorting" => "sort",
            "Limit" | "Offset" => "limit",
            "LimitBy" => "limit by",
            "Distinct" => "distinct",
            "Window" => "window",
            "Union" => "union",
            "IntersectOrExcept" => "intersect or except",
            "ArrayJoin" => "array join",
            "Filling" => "fill",
            "CreatingSet" => "list for IN",
            kind if kind.contains("Join") => "join",
            kind if kind.starts_with("Read") => return vec![self.read(plan, kind, about)],
            _ => "another step",
        };
        vec![Node::of(step, self.inside(plan))]
    }

    fn read(&mut self, plan: &Value, kind: &str, about: &str) -> Node {
        let inside = self.inside(plan);
        let table = about.strip_prefix(self.database).and_then(|rest| rest.strip_prefix('.'));
        let made = table.is_none() && kind != "ReadFromMergeTree" && kind != "ReadNothing";
        match table {
            None if made && kind.contains("One") => Node::of("one row", inside),
            None if kind.contains("Recursive") => Node::of(RECURSION, inside),
            None if made => Node::of(MADE, inside),
            _ if !self.is_told => {
                if let Some(table) = table.filter(|table| self.named.contains(*table)) {
                    let found = self.keys(plan, table);
                    self.found.entry(table.to_owned()).or_default().insert(found);
                }
                Node::of("rows of a table", inside)
            }
            Some(table) if self.named.contains(table) => {
                let found = self.keys(plan, table);
                self.found.entry(table.to_owned()).or_default().insert(found);
                Node::of(rows_of(table, self.catalog.access.get(table) == Some(&Access::Shared)), inside)
            }
            Some(table) => {
                let found = self.keys(plan, table);
                self.behind.insert(found);
                Node::of("your rows behind a view", inside)
            }
            None => Node::of("your rows behind a view", inside),
        }
    }

    /// The columns of keys by which conditions narrow what is read. What says whose rows are is none of the statement's.
    fn keys(&self, plan: &Value, table: &str) -> Found {
        let compared = self.catalog.compared.get(table).map_or(ORGANIZATION, String::as_str);
        let narrows = |index: &&Value| matches!(text(index, "Type"), "PrimaryKey" | "Min-Max" | "MinMax");
        let keys = list(plan, "Indexes").iter().filter(narrows).flat_map(|index| list(index, "Keys"));
        let mut columns = Vec::new();
        for key in keys.filter_map(Value::as_str) {
            let own = key == compared || key == ORGANIZATION || format!("({key})") == compared;
            if !own && !columns.iter().any(|known| known == key) {
                columns.push(key.to_owned());
            }
        }
        columns.sort();
        if columns.is_empty() { Found::Whole } else { Found::By(columns) }
    }
}

/// Whether what a limit limits is limited already.
fn is_below_limit(plan: &Value) -> bool {
    list(plan, "Plans").iter().any(|child| text(child, "Node Type") == "Limit")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::source::Tables;

    fn catalog() -> Catalog {
        let access = [("traces", Access::Own), ("units", Access::Shared), ("view", Access::Own)];
        Catalog {
            tables: Arc::new(Tables::default()),
            access: access.into_iter().map(|(table, access)| (table.to_owned(), access)).collect(),
            views: BTreeMap::new(),
            fillers: BTreeSet::new(),
            compared: BTreeMap::from([("traces".to_owned(), ORGANIZATION.to_owned())]),
            databases: BTreeSet::new(),
            settings: BTreeMap::new(),
        }
    }

    #[test]
    fn a_join_multiplies_where_no_equation_leads_from_side_to_side() {
        let join = |kind: &str, condition: &str| {
            format!(
                "QUERY id: 0\n  JOIN TREE\n    JOIN id: 3, strictness: ALL, kind: {kind}\n      LEFT TABLE EXPRESSION\n        \
                 TABLE id: 4, table_name: traces\n      RIGHT TABLE EXPRESSION\n        TABLE id: 5, table_name: logs\n{condition}  \
                 WHERE\n    FUNCTION id: 20, function_name: equals, function_type: ordinary\n"
            )
        };
        let on = |inside: &str| format!("      JOIN EXPRESSION\n        {inside}\n");
        let function = |name: &str| on(&format!("FUNCTION id: 6, function_name: {name}, function_type: ordinary"));
        let column = |source: u32| {
            format!("              COLUMN id: 8, column_name: x, result_type: String, source_id: {source}\n")
        };
        let equation = |name: &str, sides: [String; 2]| {
            function(name) + "          ARGUMENTS\n            LIST id: 7, nodes: 2\n" + &sides.concat()
        };
        let constant = || "              CONSTANT id: 8, constant_value: UInt64_1\n".to_owned();
        for (kind, condition, multiplies) in [
            ("INNER", equation("equals", [column(4), column(5)]), false),
            ("INNER", equation("isNotDistinctFrom", [column(4), column(5)]), false),
            ("INNER", equation("equals", [constant(), constant()]), true),
            ("FULL", equation("equals", [column(4), constant()]), true),
            ("LEFT", equation("equals", [column(4), column(4)]), true),
            ("INNER", equation("equals", [column(4), constant()]) + &equation("less", [column(4), column(5)]), true),
            ("LEFT", on("LIST id: 6, nodes: 1"), false),
            (
                "INNER",
                function("and")
                    + "          ARGUMENTS\n            FUNCTION id: 9, function_name: equals, x\n"
                    + &[column(4), column(5)].concat(),
                false,
            ),
            ("INNER", function("less"), true),
            ("FULL", on("CONSTANT id: 6, constant_value: UInt64_1"), true),
            ("CROSS", String::new(), true),
            ("COMMA", String::new(), true),
        ] {
            assert_eq!(crosses(join(kind, &condition).lines()), multiplies, "{kind} {condition}");
        }
        let inside = join("INNER", &equation("equals", [column(4), column(5)])) + &join("LEFT", &function("less"));
        assert!(unfolds("  FUNCTION id: 3, function_name: arrayJoin, x\n".lines()) && !unfolds(inside.lines()));
        assert!(crosses(inside.lines()) && !crosses("QUERY id: 0\n  JOIN TREE\n    TABLE id: 1\n".lines()));
    }

    fn told(plan_: Value, named: &[&str]) -> (Vec<Read>, String) {
        told_without(plan_, named, &BTreeMap::new())
    }

    fn told_without(plan_: Value, named: &[&str], without: &BTreeMap<String, Found>) -> (Vec<Read>, String) {
        let text = json!([{ "Plan": plan_ }]).to_string();
        let named = named.iter().map(|name| (*name).to_owned()).collect();
        let plan = plan(&text, &named, without, "db", &catalog()).unwrap();
        let steps = plan.steps.iter().map(|step| format!("{}{}\n", " ".repeat(step.depth), step.text)).collect();
        (plan.reads, steps)
    }

    fn read(table: &str, keys: Value) -> Value {
        json!({
            "Node Type": "ReadFromMergeTree", "Description": table,
            "Indexes": [
                { "Type": "Min-Max", "Keys": ["timestamp"], "Condition": "(timestamp in ('1', +Inf))", "Initial Parts": 9 },
                { "Type": "PrimaryKey", "Keys": keys, "Condition": "(organization_id in ['abc', 'abc'])", "Selected Granules": 35 },
                { "Type": "Skip", "Name": "idx_organization_id", "Selected Granules": 5 },
            ],
        })
    }

    #[test]
    fn a_plan_is_told_without_counts_and_conditions() {
        let own = json!({ "Node Type": "Filter", "Description": "additional filter", "Plans": [
            read("db.traces", json!(["organization_id", "service_name", "timestamp"])),
        ] });
        let join = json!({ "Node Type": "Join", "Description": "JOIN FillRightFirst a[501487]", "Plans": [
            own, { "Node Type": "ReadFromMergeTree", "Description": "db.units" },
        ] });
        let all = json!({ "Node Type": "Expression", "Plans": [{ "Node Type": "Aggregating", "Plans": [join] }] });
        let (reads, steps) = told(all, &["traces", "units"]);
        assert_eq!(steps, "group\n join\n  your rows of `traces`\n  rows of `units`, which is everyone's\n");
        assert_eq!(reads[0].found, Found::By(vec!["service_name".into(), "timestamp".into()]));
        assert_eq!((reads[1].everyones, &reads[1].found), (true, &Found::Whole));
    }

    #[test]
    fn that_nobody_has_rows_is_told_as_that_the_caller_has_none() {
        let join = |first: Value| json!({ "Node Type": "Join", "Plans": [first, read("db.units", json!(["unit"]))] });
        let without = BTreeMap::from([("traces".to_owned(), Found::Nothing)]);
        let nobody = json!({ "Node Type": "ReadNothing", "Description": "Read from NullSource" });
        let empty = told_without(join(nobody), &["traces", "units"], &without);
        let theirs = told_without(join(read("db.traces", json!(["service_name"]))), &["traces", "units"], &without);
        assert_eq!(empty, theirs);
        assert_eq!(
            (&empty.0[0].found, empty.1.as_str()),
            (&Found::Nothing, "join\n rows of a table\n rows of a table\n")
        );
        assert_eq!(empty.0[1].found, Found::By(vec!["timestamp".into(), "unit".into()]));
    }

    #[test]
    fn what_stands_behind_a_view_is_read_for_it() {
        let inner = || read("db..inner_id.8d57", json!([]));
        let (reads, steps) = told(inner(), &["view"]);
        assert_eq!(steps, "your rows behind a view\n");
        assert_eq!(reads[0].found, Found::By(vec!["timestamp".into()]));
        // Of two it is not known which.
        let (reads, _) = told(inner(), &["view", "traces"]);
        assert!(reads.iter().all(|read| read.found == Found::Unknown));
    }
}
