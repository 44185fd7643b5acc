//! `sql.explain`: what a statement of a caller would read and do, and what that costs, before it runs.
//!
//! What a database estimates is made of everyone's rows, so no estimate is told. The cost is counted instead: how many of
//! the caller's own rows each table holds, asked as a statement of theirs would ask (docs/adr/0063).

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::{Value, json};

use super::{
    Call, CallError, Engine, Produced,
    caller::{Explains, Own, Passed},
    commands,
    cut::head,
    render::fenced,
    samples::{Look, ROWS_COUNTED},
};
use crate::{
    catalog::Catalog,
    definition::ExplainArguments,
    source::{Found, MADE, Plan, RECURSION, Read, TableDescription},
    sql::Dialect,
    template::{bare, clean, counted},
};

/// Most tables whose rows are counted.
const COUNTED: usize = 12;
/// Most steps that are shown.
const STEPS: usize = 120;
/// Longest step, name or key, in characters.
const LONGEST: usize = 200;

impl Engine {
    /// A plan, with the caller's own rows of the tables that it reads.
    pub(super) async fn run_explain(
        &self,
        catalog: &Catalog,
        arguments: ExplainArguments,
        left: Duration,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let ExplainArguments { source, sql, params, organization_id } = arguments;
        let name = source.ok_or_else(|| CallError::invalid("`source` is required"))?;
        let began = Instant::now();
        let passed = Passed { sql: sql.as_ref(), params: params.as_ref(), organization_id: organization_id.as_deref() };
        let own = self.own_statement(&name, passed, self.options.max_rows, left, call).await?;
        let plan = self.ask_own(Explains, &own, catalog, call).await?;
        let described = self.tables_of(&name).await.unwrap_or_default();
        let mut names: Vec<&str> = plan.reads.iter().map(|read| read.table.as_str()).collect();
        names.dedup();
        let tables: Vec<TableDescription> = names
            .into_iter()
            .map(|name| {
                let known = described.iter().find(|table| table.name == name);
                known.cloned().unwrap_or_else(|| TableDescription { name: name.to_owned(), ..Default::default() })
            })
            .collect();
        let wait = left.saturating_sub(began.elapsed()).min(self.options.query_timeout);
        let rows = counts(&own, &tables, wait, call).await;
        let told = Told { dialect: own.source.dialect(), plan: &plan, tables: &tables, rows: &rows };
        let remark = own.organisation.remark().map(|remark| format!("{remark}\n")).unwrap_or_default();
        let members = told.members();
        let produced = commands::output(remark + &told.text(&name), members.clone());
        Ok(Produced { structured: Some(members), ..produced })
    }
}

/// How many rows of each table are the caller's; none where that could not be found out.
async fn counts(own: &Own<'_>, tables: &[TableDescription], wait: Duration, call: &Call) -> BTreeMap<String, usize> {
    let (name, source, organization_id) = (own.name, own.source, &*own.organisation.id);
    let looks: Vec<Look<'_>> =
        tables.iter().take(COUNTED).map(|table| Look { name, source, table, organization_id, wait, call }).collect();
    let found = join_all(looks.iter().map(Look::rows)).await;
    let known = tables.iter().zip(found).filter_map(|(table, rows)| Some((table.name.clone(), rows?)));
    known.collect()
}

/// A plan and what it costs.
struct Told<'a> {
    dialect: Dialect,
    plan: &'a Plan,
    /// The tables that are read.
    tables: &'a [TableDescription],
    rows: &'a BTreeMap<String, usize>,
}

impl Told<'_> {
    fn text(&self, source: &str) -> String {
        let mut out = format!("Nothing was run. The statement reads {} of `{}`", self.number(), bare(source, 80));
        if self.plan.reads.is_empty() {
            out.push('.');
        } else {
            let lines: Vec<String> = self.plan.reads.iter().map(|read| self.line(read)).collect();
            out = format!("{out}:\n{}", fenced("text", &lines.join("\n")));
        }
        let steps = self.steps();
        if !steps.is_empty() {
            out = format!("{out}\nSteps, the last first:\n{}", fenced("text", &steps.join("\n")));
        }
        self.advice().into_iter().fold(out, |out, advice| format!("{out}\n- {advice}"))
    }

    fn number(&self) -> String {
        match self.tables.len() {
            0 => "no table".to_owned(),
            tables => counted(tables, "table"),
        }
    }

    /// `alert_rules: 42 rows of yours; reads all of them, by an index on organization_id`.
    fn line(&self, read: &Read) -> String {
        let whose = if read.everyones { "that are everyone's" } else { "of yours" };
        let rows = match self.rows.get(&read.table) {
            None => "rows not counted in time".to_owned(),
            Some(rows) if *rows > ROWS_COUNTED => format!("more than {ROWS_COUNTED} rows {whose}"),
            Some(rows) => format!("{} {whose}", counted(*rows, "row")),
        };
        let how = match (&read.found, self.dialect) {
            (Found::Nothing, _) => "there is nothing to read".to_owned(),
            (Found::By(columns), Dialect::ClickHouse) => {
                format!("reads those that conditions on its key leave: {}", listed(columns))
            }
            (Found::By(columns), _) => format!("reads all of them, by an index on {}", listed(columns)),
            (Found::Whole, Dialect::ClickHouse) => "reads all of them: no condition narrows its key".to_owned(),
            (Found::Whole, _) if read.everyones => "reads all of them".to_owned(),
            (Found::Whole, _) => {
                "reads all of them, by going through the whole table: no index leads to them".to_owned()
            }
            (Found::Unknown, _) => "reads at most all of them: the plan does not say how".to_owned(),
        };
        format!("{}: {rows}; {how}", head(clean(&read.table), LONGEST))
    }

    fn steps(&self) -> Vec<String> {
        let steps = &self.plan.steps;
        let shown =
            |step: &crate::source::Step| format!("{}{}", "  ".repeat(step.depth), head(clean(&step.text), LONGEST));
        let more = steps.len().saturating_sub(STEPS);
        let more = (more > 0).then(|| format!("… {}", counted(more, "further step")));
        steps.iter().take(STEPS).map(shown).chain(more).collect()
    }

    /// What to do so that it costs less.
    fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        let own = || self.plan.reads.iter().filter(|read| !read.everyones);
        if self.dialect == Dialect::ClickHouse {
            for read in own().filter(|read| read.found == Found::Whole) {
                let keys = self.tables.iter().find(|table| table.name == read.table).map(|table| &table.keys);
                let keys: Vec<String> =
                    keys.into_iter().flatten().map(|key| format!("`{}`", bare(key, LONGEST))).collect();
                if !keys.is_empty() {
                    advice.push(format!(
                        "It reads all of your rows of `{}`. Fewer are read under conditions on the columns of {}.",
                        bare(&read.table, LONGEST),
                        keys.join(" and ")
                    ));
                }
            }
        } else if own().next().is_some() {
            advice.push(
                "Your rows of each table are read before your conditions narrow them: fewer tables cost less, more \
                 conditions do not."
                    .to_owned(),
            );
        }
        let is_large = |read: &&Read| self.rows.get(&read.table).is_some_and(|rows| *rows > ROWS_COUNTED);
        let mut large: Vec<String> = own()
            .filter(is_large)
            .filter(|read| self.dialect != Dialect::ClickHouse || read.found == Found::Whole)
            .map(|read| format!("`{}`", bare(&read.table, LONGEST)))
            .collect();
        large.dedup();
        if !large.is_empty() {
            advice.push(format!(
                "Of {} so many rows are yours that it may not end in time: try a context type or a tool that is made for \
                 the question first.",
                large.join(", ")
            ));
        }
        if self.plan.crosses {
            let pairs = "A join has no condition that leads from a row to its others: it looks at as many pairs as the rows of \
                         its sides multiplied.";
            advice.push(pairs.to_owned());
        }
        if self.plan.unfolds {
            let many = "Each row becomes as many as its list has elements, which is not known before it runs: bound the list, or \
                        narrow what is unfolded.";
            advice.push(many.to_owned());
        }
        let has = |what: &str| self.plan.steps.iter().any(|step| step.text.starts_with(what));
        for (step, makes) in [(MADE, "a function makes"), (RECURSION, "the recursion finds")] {
            if has(step) {
                advice.push(format!(
                    "How many rows {makes} is not known before it runs, and may be any number: bound it."
                ));
            }
        }
        advice
    }

    fn members(&self) -> Value {
        let table = |read: &Read| {
            let rows = self.rows.get(&read.table);
            let (reads, by) = match &read.found {
                Found::By(columns) if self.dialect == Dialect::ClickHouse => ("part", Some(columns)),
                Found::By(columns) => ("all", Some(columns)),
                Found::Whole => ("all", None),
                Found::Nothing => ("nothing", None),
                Found::Unknown => ("unknown", None),
            };
            json!({
                "table": read.table,
                "rows": rows.map(|rows| (*rows).min(ROWS_COUNTED)),
                "more_rows": rows.is_some_and(|rows| *rows > ROWS_COUNTED),
                "everyones": read.everyones,
                "reads": reads,
                "by": by.cloned().unwrap_or_default(),
            })
        };
        let tables: Vec<Value> = self.plan.reads.iter().map(table).collect();
        json!({ "tables": tables, "steps": self.steps(), "advice": self.advice() })
    }
}

fn listed(columns: &[String]) -> String {
    columns.iter().map(|column| head(clean(column), LONGEST)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Step;

    fn read(table: &str, everyones: bool, found: Found) -> Read {
        Read { table: table.into(), everyones, found }
    }

    #[test]
    fn the_cost_is_that_of_own_rows_and_says_how_they_are_found() {
        let by = Found::By(vec!["organization_id".into()]);
        let reads =
            vec![read("big", false, Found::Whole), read("regions", true, Found::Whole), read("small", false, by)];
        let steps =
            ["join of every row with every row", "your rows of `big`", "rows of a function, filtered", RECURSION];
        let steps = steps.into_iter().enumerate().map(|(depth, text)| Step { depth, text: text.into() }).collect();
        let plan = Plan { reads, steps, crosses: true, unfolds: true };
        let tables: Vec<TableDescription> = ["big", "regions", "small"]
            .map(|name| TableDescription {
                name: name.into(),
                keys: vec!["ORDER BY (a, b)".into()],
                ..Default::default()
            })
            .into();
        let rows = BTreeMap::from([("big".to_owned(), ROWS_COUNTED + 1), ("small".to_owned(), 1)]);
        let told = |dialect| Told { dialect, plan: &plan, tables: &tables, rows: &rows }.text("platform");
        let text = told(Dialect::Postgres);
        for part in [
            "Nothing was run. The statement reads 3 tables of `platform`:",
            "big: more than 100000 rows of yours; reads all of them, by going through the whole table",
            "regions: rows not counted in time; reads all of them\n",
            "small: 1 row of yours; reads all of them, by an index on organization_id",
            "join of every row with every row\n  your rows of `big`",
            "fewer tables cost less",
            "Of `big` so many rows are yours",
            "A join has no condition",
            "How many rows a function makes is not known",
            "How many rows the recursion finds is not known",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let text = told(Dialect::ClickHouse);
        assert!(text.contains("small: 1 row of yours; reads those that conditions on its key leave: organization_id"));
        assert!(text.contains(
            "It reads all of your rows of `big`. Fewer are read under conditions on the columns of `ORDER BY (a, b)`."
        ));
    }

    #[test]
    fn many_steps_are_cut_and_say_so() {
        let step = |n: usize| Step { depth: 0, text: format!("step {n}") };
        let plan =
            Plan { reads: Vec::new(), steps: (0..STEPS + 2).map(step).collect(), crosses: false, unfolds: false };
        let told = Told { dialect: Dialect::Sqlite, plan: &plan, tables: &[], rows: &BTreeMap::new() };
        let text = told.text("platform");
        assert!(text.contains("reads no table of `platform`.") && text.contains("… 2 further steps"), "{text}");
        assert_eq!(told.members()["tables"], json!([]));
    }
}
