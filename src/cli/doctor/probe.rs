//! Asking the sources: all at once, each with its own deadline, so that a dead one delays nobody.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio_util::sync::CancellationToken;

use super::State;
use crate::{
    catalog::Catalog,
    cli::bind,
    definition::{Action, Data, LogicalSource},
    engine::Engine,
    settings::{Backend, Loaded, Origin},
    source::{Author, Limits, Query, Source, SourceError, Tables},
    sql::Statement,
};

/// How one logical source is.
#[derive(Debug, Serialize)]
pub(super) struct SourceReport {
    pub state: State,
    /// Its logical name.
    pub name: &'static str,
    /// What stands behind it, without secrets.
    pub bound_to: String,
    /// The setting that says so and where it was made; none: the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because_of: Option<String>,
    #[serde(skip)]
    pub embedded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Tables that definitions name, and how many of them exist.
    pub tables_wanted: usize,
    pub tables_found: usize,
    pub tables_missing: Vec<String>,
    /// Sections of contexts (`context/section`) that cannot be answered without the missing tables.
    pub sections_without_data: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Newest>,
    /// What the source says of its account and its connection.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what_to_do: Option<String>,
}

/// Something about the account or the connection, and what to do where something is.
#[derive(Debug, Serialize)]
pub(super) struct Remark {
    pub found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what_to_do: Option<String>,
}

/// The youngest row of a source.
#[derive(Debug, Serialize)]
pub(super) struct Newest {
    pub table: String,
    pub at: String,
    pub age_s: i64,
}

/// The column that says when something happened, in every table of the platform that has such a time.
const TIME_COLUMN: &str = "timestamp";

/// What definitions want of a source.
#[derive(Debug, Default)]
struct Wants {
    /// By section, the tables of each way to answer it.
    sections: BTreeMap<String, Vec<Vec<String>>>,
    /// Definitions that read it without saying which tables.
    others: usize,
}

impl Wants {
    fn is_none(&self) -> bool {
        self.sections.is_empty() && self.others == 0
    }

    fn tables(&self) -> BTreeSet<&str> {
        let requirements = self.sections.values().flatten().flatten();
        requirements.map(|requirement| requirement.split('.').next().unwrap_or(requirement)).collect()
    }
}

/// Asks every logical source.
pub(super) async fn sources(engine: &Engine, loaded: &Loaded, patience: Duration) -> Vec<SourceReport> {
    let catalog = engine.catalog();
    let asked = LogicalSource::ALL.into_iter().map(|name| {
        let wants = wants(&catalog, name.as_str());
        let source = engine.sources().get(name.as_str()).cloned();
        async move { report(loaded, name, source, wants, engine.now(), patience).await }
    });
    futures::future::join_all(asked).await
}

async fn report(
    loaded: &Loaded,
    name: LogicalSource,
    source: Result<Arc<dyn Source>, SourceError>,
    wants: Wants,
    now: OffsetDateTime,
    patience: Duration,
) -> SourceReport {
    let (backend, setting) = bind::backend(loaded, name);
    let because_of = setting.map(|setting| match loaded.origin_below(&setting) {
        Origin::Default => format!("`{setting}`"),
        origin => format!("`{setting}` ({origin})"),
    });
    let mut report = SourceReport {
        state: State::Ok,
        name: name.as_str(),
        bound_to: source.as_ref().map_or_else(|_| "nothing".to_owned(), |source| source.describe()),
        because_of,
        embedded: source.is_ok() && matches!(backend, Backend::EmbeddedClickhouse(_)),
        version: None,
        latency_ms: None,
        tables_wanted: wants.tables().len(),
        tables_found: 0,
        tables_missing: Vec::new(),
        sections_without_data: Vec::new(),
        newest: None,
        remarks: Vec::new(),
        problem: None,
        what_to_do: None,
    };
    let asked = async {
        let source = source?;
        let ping = source.ping().await?;
        report.version = Some(ping.version);
        report.latency_ms = Some((ping.latency.as_secs_f64() * 1e5).round() / 100.0);
        let tables = source.tables().await?;
        judge_tables(&mut report, &wants, &tables);
        report.newest = newest(&*source, &wants, &tables, now).await;
        let remarks = source.remarks().await?.into_iter();
        report.remarks = remarks.map(|remark| Remark { found: remark.found, what_to_do: remark.hint }).collect();
        if report.state == State::Ok && report.remarks.iter().any(|remark| remark.what_to_do.is_some()) {
            report.state = State::Warning;
        }
        Ok::<(), SourceError>(())
    };
    let failed = match tokio::time::timeout(patience, asked).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some((error.message, error.hint)),
        Err(_) => Some((format!("does not answer within {} s", patience.as_secs()), None)),
    };
    if let Some((problem, hint)) = failed {
        report.state = State::Broken;
        report.problem = Some(problem);
        let hint = hint.map(|hint| without_doctor(&hint));
        report.what_to_do = hint.or_else(|| Some("check the address, the login and the network".into()));
    }
    // Nothing reads it: that it is not there is worth a line, not an alarm.
    if wants.is_none() && report.because_of.is_none() {
        report.state = State::Unused;
        report.problem = None;
        report.what_to_do = None;
    }
    report
}

/// A hint without the advice to do what is being done.
fn without_doctor(hint: &str) -> String {
    let hint = hint.replace(": `tfo-mcp doctor`", "");
    hint.replace("run `tfo-mcp doctor`; ", "")
}

fn judge_tables(report: &mut SourceReport, wants: &Wants, tables: &Tables) {
    let (found, missing): (Vec<&str>, Vec<&str>) = wants.tables().into_iter().partition(|table| tables.has(table));
    report.tables_found = found.len();
    report.tables_missing = missing.into_iter().map(str::to_owned).collect();
    report.sections_without_data = wants
        .sections
        .iter()
        .filter(|(_, ways)| !ways.iter().any(|way| way.iter().all(|requirement| tables.has(requirement))))
        .map(|(section, _)| section.clone())
        .collect();
    if report.sections_without_data.is_empty() {
        return;
    }
    report.state = State::Warning;
    let all = report.sections_without_data.len() == wants.sections.len();
    report.problem = Some(match all {
        true => "no section of any context can be answered from it".into(),
        false => {
            format!("{} of {} sections cannot be answered", report.sections_without_data.len(), wants.sections.len())
        }
    });
    let withheld: Vec<&str> =
        report.tables_missing.iter().map(String::as_str).filter(|table| tables.1.contains(*table)).collect();
    if !withheld.is_empty() {
        report.what_to_do = Some(format!(
            "they are there, but the account may not read them: `GRANT SELECT ON {} TO …` its role",
            withheld.join(", ")
        ));
        return;
    }
    report.what_to_do = Some(match (all, report.embedded || report.because_of.is_none()) {
        (true, true) => "`tfo-mcp demo` fills it with demo data".into(),
        (true, false) => "check that the URL names the platform's database".into(),
        (false, _) => "run the migrations of the platform; until then these sections say `unavailable`".into(),
    });
}

/// The youngest row of the tables that have a time. Best effort: a table that takes too long is left out.
async fn newest(source: &dyn Source, wants: &Wants, tables: &Tables, now: OffsetDateTime) -> Option<Newest> {
    let timed = wants.tables().into_iter().filter(|table| tables.has(&format!("{table}.{TIME_COLUMN}")));
    let statements: Vec<(String, Statement)> = timed
        .map(|table| {
            let sql = format!("SELECT max({TIME_COLUMN}) AS newest FROM {table}");
            (table.to_owned(), Statement { sql, binds: Vec::new() })
        })
        .collect();
    let cancel = CancellationToken::new();
    let limits = Limits { timeout: Duration::from_secs(3), max_rows: 1, max_bytes: 1 << 10 };
    let asked = statements.iter().map(|(table, statement)| {
        let query = Query { statement, limits, author: Author::UNBOUND, cancel: &cancel, id: None };
        async move { Some((source.query(query).await.ok()?.rows.first()?.first()?.as_str()?.to_owned(), table)) }
    });
    let found = futures::future::join_all(asked).await;
    let dated = found.into_iter().flatten().filter_map(|(at, table)| {
        let moment = OffsetDateTime::parse(&at, &Rfc3339).ok()?;
        // An empty table answers with the beginning of time.
        (moment.unix_timestamp() > 0).then_some((moment, at, table))
    });
    let (moment, at, table) = dated.max_by_key(|(moment, _, _)| *moment)?;
    Some(Newest { table: table.clone(), at, age_s: (now - moment).whole_seconds() })
}

fn wants(catalog: &Catalog, name: &str) -> Wants {
    let mut wants = Wants::default();
    for context in catalog.contexts.values() {
        for section in &context.sections {
            if &*section.definition.source == name {
                let ways = section.definition.query.iter().map(|way| way.requires.clone()).collect();
                wants.sections.insert(format!("{}/{}", context.definition.name, section.name), ways);
            }
        }
    }
    let reads =
        |action: &Action| action.any(&mut |facts| matches!(facts.data, Data::Source(source) if **source == *name));
    let tools = catalog.tools.values().map(|tool| &tool.definition.run);
    let resources = catalog.resources.values().map(|resource| &resource.definition.run);
    let prompts = catalog.prompts.values().flat_map(|prompt| prompt.definition.messages.iter().map(|m| &m.run));
    wants.others = tools.chain(resources).chain(prompts).filter(|action| reads(action)).count();
    wants
}
