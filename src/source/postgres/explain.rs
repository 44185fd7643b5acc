//! What PostgreSQL would do with a caller's statement.
//!
//! Its planner chooses by statistics over everyone's rows: how a join is done, in which order, with which key. Which of
//! the ways it takes would tell whether a text is frequent among rows of others. So the choice is taken from it while it
//! explains ([`FIXED`]), and of what it answers only kinds of steps and names of tables are read, in an order of our own.

use serde_json::Value;

use crate::source::plan::{CROSSED, Found, MADE, Node, Plan, RECURSION, Shadows, plain, rows_of, steps};

/// In front of a statement that was judged and written anew.
pub(super) const EXPLAIN: &str = "EXPLAIN (COSTS OFF, FORMAT JSON) ";

/// Leaves the planner one way of doing each thing, for the transaction. A key is used wherever one can be; joins keep the
/// order in which they are written. Servers that do not know a setting have nothing for it to turn off.
pub(super) const FIXED: &str = "SELECT pg_catalog.set_config(s.name, f.value, true) FROM pg_catalog.pg_settings AS s \
     JOIN (VALUES ('enable_seqscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), ('enable_material', 'off'), \
     ('enable_memoize', 'off'), ('enable_hashagg', 'off'), ('enable_incremental_sort', 'off'), ('enable_nestloop', 'on'), \
     ('enable_sort', 'on'), ('enable_indexscan', 'on'), ('enable_bitmapscan', 'on'), ('join_collapse_limit', '1'), \
     ('from_collapse_limit', '1'), ('max_parallel_workers_per_gather', '0')) AS f(name, value) ON f.name = s.name";

/// Steps that are there only because of how another is done, or that hand rows on.
const HAND_ON: [&str; 7] = ["Gather", "Gather Merge", "Hash", "Materialize", "Memoize", "Sort", "Incremental Sort"];

/// What gives rows for each row of another side by itself.
const MAKES_ROWS: [&str; 5] = ["Function Scan", "Table Function Scan", "Values Scan", "Result", "ProjectSet"];

/// Reads the answer to [`EXPLAIN`]; none if it is no plan.
pub(super) fn plan(answer: &Value, shadows: Shadows) -> Option<Plan> {
    let top = answer.get(0)?.get("Plan")?;
    let mut reader = Reader { shadows, crosses: false };
    let nodes = reader.node(top);
    let steps = steps(&nodes);
    let crosses = reader.crosses || steps.iter().any(|step| step.text == CROSSED);
    Some(Plan { steps, reads: reader.shadows.into_reads(), crosses, unfolds: false })
}

struct Reader {
    shadows: Shadows,
    /// A join that keeps rows without a match has no condition that leads to those that match.
    crosses: bool,
}

fn text<'p>(plan: &'p Value, key: &str) -> &'p str {
    plan.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn children(plan: &Value) -> &[Value] {
    plan.get("Plans").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn is_join(kind: &str) -> bool {
    matches!(kind, "Nested Loop" | "Hash Join" | "Merge Join")
}

impl Reader {
    /// A step, or a subquery that is attached to one.
    fn node(&mut self, plan: &Value) -> Vec<Node> {
        let name = text(plan, "Subplan Name");
        if let Some(name) = name.strip_prefix("CTE ") {
            if let Some((table, _)) = self.shadows.table(name) {
                let (table, found) = (table.to_owned(), found(plan, table));
                self.shadows.found(&table, found);
                return Vec::new();
            }
            return vec![Node::of(format!("with `{}`", plain(name)), self.step(plan))];
        }
        let step = self.step(plan);
        if name.is_empty() { step } else { vec![Node::of("subquery", step)] }
    }

    fn inside(&mut self, plan: &Value) -> Vec<Node> {
        children(plan).iter().flat_map(|child| self.node(child)).collect()
    }

    /// Those of a step that sorts for itself.
    fn inside_unsorted(&mut self, plan: &Value) -> Vec<Node> {
        let sorts = |child: &Value| text(child, "Node Type") == "Sort" && text(child, "Subplan Name").is_empty();
        let under = |child| if sorts(child) { self.inside(child) } else { self.node(child) };
        children(plan).iter().flat_map(under).collect()
    }

    fn step(&mut self, plan: &Value) -> Vec<Node> {
        let kind = text(plan, "Node Type");
        let filtered = plan.get("Filter").is_some();
        let narrowed = |text: String| if filtered { format!("{text}, filtered") } else { text };
        let named = |text: &str| narrowed(text.to_owned());
        let node = match kind {
            "CTE Scan" => {
                let name = text(plan, "CTE Name");
                let rows = self.shadows.table(name).map(|(table, everyones)| rows_of(table, everyones));
                Node::of(narrowed(rows.unwrap_or_else(|| format!("rows of `{}`", plain(name)))), self.inside(plan))
            }
            "WorkTable Scan" => Node::of(named("what the recursion has found"), self.inside(plan)),
            "Function Scan" | "Table Function Scan" | "ProjectSet" => Node::of(named(MADE), self.inside(plan)),
            "Values Scan" => Node::of(named("written rows"), self.inside(plan)),
            "Result" if !children(plan).iter().any(|child| text(child, "Subplan Name").is_empty()) => {
                Node::of("one row", self.inside(plan))
            }
            "Subquery Scan" if filtered => Node::of("filter", self.inside(plan)),
            "Aggregate" if text(plan, "Strategy") == "Plain" => {
                Node::of(named("aggregate"), self.inside_unsorted(plan))
            }
            "Aggregate" | "Group" => Node::of(named("group"), self.inside_unsorted(plan)),
            "Unique" => Node::of("distinct", self.inside_unsorted(plan)),
            "WindowAgg" => Node::of(named("window"), self.inside_unsorted(plan)),
            "SetOp" => Node::of("intersect or except", self.inside_unsorted(plan)),
            "Append" | "Merge Append" => Node::of("union", self.inside(plan)),
            "Recursive Union" => Node::of(RECURSION, self.inside(plan)),
            "Sort" | "Incremental Sort" => Node::of("sort", self.inside(plan)),
            "Limit" => Node::of("limit", self.inside(plan)),
            kind if is_join(kind) => self.join(plan, text(plan, "Join Type")),
            "Result" | "Subquery Scan" | "Gather" | "Gather Merge" | "Hash" | "Materialize" | "Memoize" => {
                return self.inside(plan);
            }
            _ => Node::of("another step", self.inside(plan)),
        };
        vec![node]
    }

    fn join(&mut self, plan: &Value, join: &str) -> Node {
        match join {
            "Inner" | "Semi" => {
                let (mut parts, crossed) = self.parts(plan);
                // In which order they are joined is the planner's choice.
                parts.sort();
                Node::of(if crossed { CROSSED } else { "join" }, parts)
            }
            other => {
                self.crosses |= multiplies(plan);
                let kept = match other {
                    "Full" => "full join",
                    "Anti" | "Right Anti" => "join that keeps what has no match",
                    _ => "outer join",
                };
                Node::of(kept, self.inside(plan))
            }
        }
    }

    /// What is joined by a join and by those that it joins, and whether two of these have no condition.
    fn parts(&mut self, plan: &Value) -> (Vec<Node>, bool) {
        let mut crossed = text(plan, "Join Type") == "Inner" && multiplies(plan);
        let mut parts = Vec::new();
        for child in children(plan) {
            let mut child = child;
            while text(child, "Subplan Name").is_empty() {
                // That each is there once is one way to see whether there is a match.
                let kind = text(child, "Node Type");
                match children(child) {
                    [only] if kind == "Unique" || HAND_ON.contains(&kind) => child = only,
                    _ => break,
                }
            }
            let merges = is_join(text(child, "Node Type")) && matches!(text(child, "Join Type"), "Inner" | "Semi");
            if merges && text(child, "Subplan Name").is_empty() {
                let (more, also) = self.parts(child);
                parts.extend(more);
                crossed |= also;
            } else {
                parts.extend(self.node(child));
            }
        }
        (parts, crossed)
    }
}

/// Whether no equation of a join leads from a row to its others, and its sides do not follow from each other.
fn multiplies(plan: &Value) -> bool {
    let conditions = ["Join Filter", "Hash Cond", "Merge Cond"];
    let makes = |side: &&Value| MAKES_ROWS.contains(&text(side, "Node Type"));
    let mut sides = children(plan).iter().filter(|child| text(child, "Subplan Name").is_empty()).peekable();
    let equates = conditions.iter().any(|condition| equates(text(plan, condition)));
    let both_make = sides.clone().all(|side| makes(&side));
    !equates && sides.peek().is_some() && (both_make || !sides.any(|side| makes(&side)))
}

/// Whether a condition has an equation of what two sides have: what is compared with a text leads from no row to another.
fn equates(condition: &str) -> bool {
    // Without the texts in it.
    let plain: String = condition.split('\'').step_by(2).collect::<Vec<_>>().join("''");
    let side = |depth: &mut i32, c: char, opens: char| {
        *depth += i32::from(c == opens) - i32::from("()".contains(c) && c != opens);
        *depth >= 0
    };
    plain.match_indices(" = ").any(|(at, sign)| {
        let (before, after) = (plain.get(..at).unwrap_or_default(), plain.get(at + sign.len()..).unwrap_or_default());
        let before = [" AND ", " OR "].iter().fold(before, |before, word| before.rsplit(word).next().unwrap_or(before));
        let mut depth = 0;
        let left: String = before.chars().rev().take_while(|c| side(&mut depth, *c, ')')).collect();
        let left: String = left.chars().rev().collect();
        depth = 0;
        let after = [" AND ", " OR "].iter().fold(after, |after, word| after.split(word).next().unwrap_or(after));
        let right: String = after.chars().take_while(|c| side(&mut depth, *c, '(')).collect();
        matches!((of_a_side(&left), of_a_side(&right)), (Some(left), Some(right)) if left != right)
    })
}

/// What a side of an equation is of: the name before the first dot, or that of the column. None: it has no column.
fn of_a_side(side: &str) -> Option<String> {
    const NONE: [&str; 7] = ["ANY", "ALL", "ROW", "ARRAY", "true", "false", "NULL"];
    let is_of_name = |c: char| c == '_' || c == '"' || c == '$' || c.is_alphanumeric();
    let mut rest = side;
    while let Some(at) = rest.find(|c: char| c == ':' || is_of_name(c)) {
        rest = rest.get(at..).unwrap_or_default();
        if let Some(of_type) = rest.strip_prefix(':') {
            // What it is read as, such as `character varying`, names no column.
            rest = of_type.trim_start_matches([':', '"']).trim_start_matches(|c| c == ' ' || is_of_name(c));
            continue;
        }
        let length = rest.find(|c: char| !is_of_name(c)).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(length);
        let is_column = !name.starts_with(|c: char| c.is_ascii_digit() || c == '$');
        if is_column && !NONE.contains(&name) && !behind.starts_with('(') {
            return Some(name.to_owned());
        }
        rest = behind;
    }
    None
}

/// How the organisation's rows of a table are found: in the plan of what stands for it.
fn found(plan: &Value, table: &str) -> Found {
    let mut scans = Vec::new();
    scanned(plan, &mut scans);
    let own: Vec<&Value> = scans.iter().copied().filter(|scan| text(scan, "Relation Name") == table).collect();
    // Parts of a partitioned table have names of their own.
    let scans = if own.is_empty() { scans } else { own };
    let by = |scan: &&Value| {
        let condition = ["Index Cond", "Recheck Cond"].iter().find_map(|key| scan.get(key)?.as_str());
        condition.and_then(first_column)
    };
    let columns: Option<Vec<String>> = scans.iter().map(by).collect();
    match columns {
        Some(mut columns) if !columns.is_empty() => {
            columns.sort();
            columns.dedup();
            Found::By(columns)
        }
        _ if scans.is_empty() => Found::Unknown,
        _ => Found::Whole,
    }
}

fn scanned<'p>(plan: &'p Value, scans: &mut Vec<&'p Value>) {
    if plan.get("Relation Name").is_some() {
        scans.push(plan);
    }
    children(plan).iter().for_each(|child| scanned(child, scans));
}

/// The column of a condition such as `((organization_id)::text = '…')`.
fn first_column(condition: &str) -> Option<String> {
    let name = condition.trim_start_matches('(');
    let name = match name.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => name.split(|c: char| c != '_' && !c.is_alphanumeric()).next()?,
    };
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::source::Read;

    fn shown(plan: &Plan) -> String {
        plan.steps.iter().map(|step| format!("{}{}\n", " ".repeat(step.depth), step.text)).collect()
    }

    fn shadows() -> Shadows {
        let of = |table: &str, ours: &str| (table.to_owned(), ours.to_owned(), false);
        Shadows::named([of("a", "tfo$1_a"), of("b", "tfo$2_b")])
    }

    fn scan(name: &str) -> Value {
        json!({ "Node Type": "CTE Scan", "CTE Name": name, "Alias": "tfo$9_x" })
    }

    fn table(name: &str, relation: &str, condition: Value) -> Value {
        json!({
            "Node Type": "Index Scan", "Subplan Name": format!("CTE {name}"), "Relation Name": relation,
            "Index Name": "secret_index", "Index Cond": condition,
        })
    }

    #[test]
    fn a_plan_is_told_without_what_statistics_decide() {
        let one = |kind: &str, inner: Value, outer: Value| {
            json!([{ "Plan": {
                "Node Type": "Aggregate", "Strategy": "Sorted", "Plans": [
                    table("tfo$1_a", "a", json!("((organization_id)::text = 'o'::text)")),
                    table("tfo$2_b", "b", json!("(\"Org\" = 'o'::text)")),
                    { "Node Type": kind, "Join Type": "Inner", "Join Filter": "(x = y)", "Plans": [outer, inner] },
                ],
            } }])
        };
        let hashed = json!({ "Node Type": "Hash", "Plans": [scan("tfo$2_b")] });
        let unique = json!({ "Node Type": "Unique", "Plans": [{ "Node Type": "Sort", "Plans": [scan("tfo$2_b")] }] });
        let first = plan(&one("Hash Join", hashed, scan("tfo$1_a")), shadows()).unwrap();
        assert_eq!(shown(&first), "group\n join\n  your rows of `a`\n  your rows of `b`\n");
        assert_eq!(first.reads[0].found, Found::By(vec!["organization_id".into()]));
        assert_eq!(first.reads[1].found, Found::By(vec!["Org".into()]));
        assert_eq!(plan(&one("Nested Loop", scan("tfo$1_a"), unique), shadows()).unwrap(), first);
    }

    #[test]
    fn joins_without_a_condition_and_whole_tables_are_named() {
        let answer = json!([{ "Plan": {
            "Node Type": "Nested Loop", "Join Type": "Inner", "Plans": [
                { "Node Type": "Seq Scan", "Subplan Name": "CTE tfo$1_a", "Relation Name": "a", "Filter": "x" },
                { "Node Type": "Result", "Subplan Name": "InitPlan 1 (returns $0)", "Plans": [] },
                { "Node Type": "CTE Scan", "CTE Name": "tfo$1_a", "Filter": "(n > 'hunter2')" }, scan("tfo$7_mine"),
            ],
        } }]);
        let told = plan(&answer, shadows()).unwrap();
        let expected =
            "join of every row with every row\n rows of `mine`\n subquery\n  one row\n your rows of `a`, filtered\n";
        assert_eq!(shown(&told), expected);
        let read = |table: &str, found| Read { table: table.into(), everyones: false, found };
        assert_eq!(told.reads, [read("a", Found::Whole), read("b", Found::Unknown)]);
        assert!(plan(&json!([]), shadows()).is_none());
    }

    #[test]
    fn a_join_of_any_kind_multiplies_where_no_equation_leads_from_side_to_side() {
        let made = json!({ "Node Type": "Function Scan", "Alias": "a" });
        for (kind, condition, sides, multiplies) in [
            ("Left", None, [scan("tfo$1_a"), scan("tfo$2_b")], true),
            ("Full", None, [scan("tfo$1_a"), scan("tfo$2_b")], true),
            ("Left", Some("(a.x = b.y)"), [scan("tfo$1_a"), scan("tfo$2_b")], false),
            ("Left", Some("((a.severity)::text = 'x = b.y'::text)"), [scan("tfo$1_a"), scan("tfo$2_b")], true),
            (
                "Left",
                Some("((a.severity)::character varying = 'x'::character varying)"),
                [scan("tfo$1_a"), scan("tfo$2_b")],
                true,
            ),
            ("Left", Some("(a.x = 4)"), [scan("tfo$1_a"), scan("tfo$2_b")], true),
            ("Left", Some("((a.x = 4) AND (b.y < 5))"), [scan("tfo$1_a"), scan("tfo$2_b")], true),
            ("Left", Some("(a.x = ANY ('{1,2}'::integer[]))"), [scan("tfo$1_a"), scan("tfo$2_b")], true),
            ("Left", Some("(lower((a.x)::text) = (b.y)::text)"), [scan("tfo$1_a"), scan("tfo$2_b")], false),
            ("Left", Some("((a.x = 4) AND ((a.k)::text = (b.k)::text))"), [scan("tfo$1_a"), scan("tfo$2_b")], false),
            ("Left", Some("(a.x <> b.y)"), [scan("tfo$1_a"), scan("tfo$2_b")], true),
            ("Inner", Some("(a.x < b.y)"), [scan("tfo$1_a"), scan("tfo$2_b")], true),
            ("Inner", Some("((a.x < b.y) AND (a.k = b.k))"), [scan("tfo$1_a"), scan("tfo$2_b")], false),
            ("Inner", None, [made.clone(), made.clone()], true),
            ("Inner", None, [scan("tfo$1_a"), made.clone()], false),
            ("Semi", None, [scan("tfo$1_a"), scan("tfo$2_b")], false),
        ] {
            let mut join = json!({ "Node Type": "Nested Loop", "Join Type": kind, "Plans": sides });
            if let Some(condition) = condition {
                join["Join Filter"] = condition.into();
            }
            let told = plan(&json!([{ "Plan": join }]), shadows()).unwrap();
            assert_eq!(told.crosses, multiplies, "{kind} {condition:?}");
        }
    }
}
