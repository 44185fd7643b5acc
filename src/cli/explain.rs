//! `tfo-mcp explain`: what a context type answers, and what it or a tool really runs.

use std::fmt::Write as _;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::{
    Outcome,
    arguments::SettingsArguments,
    bootstrap,
    call::{failed, pairs},
    names,
    output::{self, BOLD, DIM},
};
use crate::{
    catalog::page,
    definition::{BESIDE_FILTERS, Kind, Span},
    engine::{Beside, Explained, Way},
    sql::{Bind, Dialect, Statement},
};

/// Show what a context type answers, and which statements a definition runs and why these
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The sections of a context type
    Context {
        /// Its name: see `tfo-mcp list contexts`
        #[arg(add = names::of(Kind::Context))]
        name: String,
        #[command(flatten)]
        shown: Shown,
    },
    /// The statements of a tool
    Tool {
        /// Its name: see `tfo-mcp list tools`
        #[arg(add = names::of(Kind::Tool))]
        name: String,
        #[command(flatten)]
        shown: Shown,
    },
}

#[derive(Debug, Args)]
struct Shown {
    /// Arguments of the call as `key=value`; without them optional conditions are left out
    #[arg(value_name = "KEY=VALUE")]
    arguments: Vec<String>,
    /// Show the statements with their fragments written out, and the types of the values bound in them
    #[arg(long)]
    sql: bool,
    /// Show them in this dialect. Default: that of the database to which the source is bound
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
}

impl ValueEnum for Dialect {
    fn value_variants<'a>() -> &'a [Self] {
        &Dialect::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.as_str()))
    }
}

/// Arguments of a context type that are not filters, beside [`BESIDE_FILTERS`].
const OF_THE_CALL: [&str; 3] = ["service_name", "from", "to"];

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let (What::Context { name, shown } | What::Tool { name, shown }) = &arguments.what;
    let is_tool = matches!(arguments.what, What::Tool { .. });
    let given = pairs(&shown.arguments)?;
    bootstrap::with_engine(common, async |engine| {
        let explained = match is_tool {
            true => engine.explain_tool(name, &given, shown.dialect),
            false => {
                let (mut call, filters): (Map<String, Value>, Map<String, Value>) = given
                    .into_iter()
                    .partition(|(name, _)| BESIDE_FILTERS.iter().chain(&OF_THE_CALL).any(|own| own == name));
                call.insert("context_type".to_owned(), json!(name));
                call.insert("filters".to_owned(), filters.into());
                engine.explain_context(call, shown.dialect).await
            }
        };
        let list = if is_tool { "tfo-mcp list tools" } else { "tfo-mcp list contexts" };
        let explained = explained.map_err(|error| failed(error, list))?;
        if explained.is_empty() {
            output::say(&format!("`{name}` runs no statement of its own"));
        }
        let catalog = engine.catalog();
        if let Some(entry) = catalog.context(name).filter(|_| !is_tool && !shown.sql) {
            output::write(&page(&entry.definition))?;
            output::write("\n## Statements here\n")?;
        }
        output::write(&explained.iter().map(|part| text(part, shown.sql)).collect::<String>())?;
        Ok(Outcome::Done)
    })
}

fn text(part: &Explained, with_sql: bool) -> String {
    let dialect = part.dialect.map_or("not bound", Dialect::as_str);
    let name = if part.name.is_empty() { "statement" } else { &part.name };
    let after = if part.after.is_empty() { String::new() } else { format!(", after {}", part.after.join(", ")) };
    let mut out = format!("{BOLD}{name}{BOLD:#} {DIM}{}, {dialect}{after}{DIM:#}\n", part.source);
    let none = !part.ways.iter().any(|way| way.taken);
    for (n, way) in part.ways.iter().enumerate() {
        let mark = match (way.taken, way.kept) {
            (true, false) => "runs",
            (true, true) => "sums",
            (false, _) => "    ",
        };
        let _ = writeln!(out, "  {mark} {}. {}", n + 1, terms(way));
        if let Some(statement) = way.statement.as_ref().filter(|_| with_sql && (way.taken || none)) {
            let _ = writeln!(out, "\n{}", written(statement));
            for Beside { what, requires, statement } in &way.beside {
                let needs =
                    if requires.is_empty() { String::new() } else { format!("; needs {}", requires.join(", ")) };
                let _ = writeln!(out, "{DIM}-- {what}{needs}:{DIM:#}\n{}", written(statement));
            }
        }
    }
    if let Some(remark) = &part.remark {
        let _ = writeln!(out, "  {DIM}{remark}{DIM:#}");
    }
    out
}

/// A statement and the types of its values.
fn written(statement: &Statement) -> String {
    // Conditions that are left out leave empty lines.
    let lines = statement.sql.lines().filter(|line| !line.trim().is_empty());
    format!("{}\n{DIM}{}{DIM:#}\n", lines.collect::<Vec<_>>().join("\n"), values(statement))
}

/// Under which conditions an alternative is taken.
fn terms(way: &Way) -> String {
    let mut terms = Vec::new();
    if !way.requires.is_empty() {
        terms.push(format!("needs {}", way.requires.join(", ")));
    }
    match &way.span {
        Some(Span { min: Some(min), max: Some(max) }) => terms.push(format!("windows of {min} to {max}")),
        Some(Span { min: Some(min), max: None }) => terms.push(format!("windows of {min} and longer")),
        Some(Span { min: None, max: Some(max) }) => terms.push(format!("windows up to {max}")),
        _ => {}
    }
    if let Some(above) = way.sampled_above {
        terms.push(format!("a sample of more than {} rows", above));
    }
    match (way.kept, way.kept_above) {
        (true, Some(above)) => terms.push(format!("where sums are whole, in place of more than {} rows", above)),
        (true, None) => terms.push("where sums are whole, in place of a sample".to_owned()),
        (false, _) => {}
    }
    if way.statement.is_none() {
        terms.push("not written for this dialect".to_owned());
    }
    if terms.is_empty() { "always".to_owned() } else { terms.join("; ") }
}

/// The types of the bound values by number.
fn values(statement: &Statement) -> String {
    let each = statement.binds.iter().enumerate().map(|(n, bind)| format!("{}: {}", n + 1, ty(bind)));
    format!("-- bound: {}", each.collect::<Vec<_>>().join(", "))
}

fn ty(bind: &Bind) -> String {
    match bind {
        Bind::Null => "null".to_owned(),
        Bind::Bool(_) => "boolean".to_owned(),
        Bind::Integer(_) => "integer".to_owned(),
        Bind::Float(_) => "number".to_owned(),
        Bind::Text(_) => "string".to_owned(),
        Bind::Timestamp(_) => "timestamp".to_owned(),
        Bind::Uuid(_) => "uuid".to_owned(),
        Bind::List(items) => format!("array of {}", items.first().map_or_else(|| "nothing".to_owned(), ty)),
    }
}
