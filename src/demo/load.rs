//! The loader: schema and data into ClickHouse and into PostgreSQL or SQLite.
//!
//! It only ever touches a database that is empty or that it made itself, known by the table `tfo_demo`; anything
//! else is refused. A load that was broken off is simply repeated: the tables are dropped and made again.
//! Events are generated and encoded on worker threads and stored as they come, so memory stays bounded.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use futures::{StreamExt as _, stream::FuturesUnordered};
use secrecy::SecretString;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    generate::{Generator, Plan, Unit},
    platform::{self, Table},
    rowbinary::{Rows, TARGETS, Target},
    schema,
};
use crate::{
    source::{
        Author, Limits, Query, Source, SourceError, Tables,
        clickhouse::{ClickHouse, InsertFormat, rollups::Rollups},
        postgres, sqlite,
    },
    sql::{Bind, Statement},
};

/// Bytes gathered for a table before they are stored: large enough that ClickHouse makes few parts.
const BLOCK: usize = 16 << 20;

/// Inserts that run at the same time.
const INSERTS: usize = 2;

/// How far a load is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Units of generation done, of `units`.
    pub done: usize,
    pub units: usize,
    /// Rows and bytes handed to the database.
    pub rows: u64,
    pub bytes: u64,
}

/// What a database says about its demo data.
#[derive(Debug, Clone, PartialEq)]
pub struct Marker {
    pub seed: u64,
    pub end: OffsetDateTime,
    pub scale: f64,
    /// Name of the scenario; empty for an uneventful day.
    pub scenario: String,
    /// False while a load is under way, or after one that was broken off.
    pub complete: bool,
}

impl Marker {
    /// Whether the data are those of `plan`.
    pub fn holds(&self, plan: &Plan) -> bool {
        let scenario = plan.scenario.as_ref().map_or("", |scenario| &scenario.name);
        let same_end = self.end.unix_timestamp() == plan.end.unix_timestamp();
        self.complete && self.seed == plan.seed && same_end && self.scale == plan.scale && self.scenario == scenario
    }

    fn rows(plan: &Plan) -> anyhow::Result<Vec<Vec<Bind>>> {
        let scenario = plan.scenario.as_ref().map_or(String::new(), |scenario| scenario.name.clone());
        let pairs = [
            ("seed", plan.seed.to_string()),
            ("end", plan.end.format(&Rfc3339)?),
            ("scale", plan.scale.to_string()),
            ("scenario", scenario),
        ];
        Ok(pairs.into_iter().map(|(key, value)| vec![Bind::Text(key.to_owned()), Bind::Text(value)]).collect())
    }

    fn complete() -> Vec<Vec<Bind>> {
        vec![vec![Bind::Text("complete".to_owned()), Bind::Text("true".to_owned())]]
    }
}

/// What a database says about its demo data; none if it holds none.
pub async fn marker(source: &dyn Source) -> anyhow::Result<Option<Marker>> {
    if !source.tables().await.map_err(told)?.has(schema::MARKER) {
        return Ok(None);
    }
    let mut values = std::collections::BTreeMap::new();
    for row in ask(source, &format!("SELECT key, value FROM {} ORDER BY key", schema::MARKER)).await? {
        if let [serde_json::Value::String(key), serde_json::Value::String(value)] = row.as_slice() {
            values.insert(key.clone(), value.clone());
        }
    }
    let value = |key: &str| values.get(key).map(String::as_str);
    Ok(Some(Marker {
        seed: value("seed").and_then(|text| text.parse().ok()).unwrap_or_default(),
        end: value("end")
            .and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH),
        scale: value("scale").and_then(|text| text.parse().ok()).unwrap_or_default(),
        scenario: value("scenario").unwrap_or_default().to_owned(),
        complete: value("complete") == Some("true"),
    }))
}

/// Loads the telemetry. The database must exist; the embedded server makes it by itself.
pub async fn telemetry(
    generator: &Arc<Generator>,
    clickhouse: &ClickHouse,
    progress: impl FnMut(Progress),
) -> anyhow::Result<Progress> {
    part(generator, clickhouse, generator.units().collect(), progress).await
}

/// Loads some units of the telemetry, such as the last hours of one organisation.
pub async fn part(
    generator: &Arc<Generator>,
    clickhouse: &ClickHouse,
    units: Vec<Unit>,
    mut progress: impl FnMut(Progress),
) -> anyhow::Result<Progress> {
    ours(&*clickhouse.tables().await.map_err(told)?, &clickhouse.describe())?;
    let rollups = Rollups::of(clickhouse);
    rollups.drop().await.map_err(told)?;
    for table in schema::tables(schema::CLICKHOUSE).into_iter().rev() {
        clickhouse.execute(&format!("DROP TABLE IF EXISTS {table} SYNC")).await.map_err(told)?;
    }
    let lenient = "SELECT count() AS known FROM system.merge_tree_settings \
                   WHERE name = 'allow_dimensions_outside_sorting_key'";
    let lenient = ask(clickhouse, lenient).await?.iter().flatten().any(|known| known.as_u64() == Some(1));
    for statement in schema::statements(schema::CLICKHOUSE) {
        let statement = if lenient {
            statement
        } else {
            statement.replace(" SETTINGS allow_dimensions_outside_sorting_key = 1", "")
        };
        clickhouse.execute(&statement).await.map_err(told)?;
    }
    // All rows are still to come.
    rollups.make(OffsetDateTime::UNIX_EPOCH, true).await.map_err(told)?;
    mark(clickhouse, Marker::rows(generator.plan())?).await?;
    let loaded = fill(generator, clickhouse, units, &mut progress).await?;
    mark(clickhouse, Marker::complete()).await?;
    Ok(loaded)
}

/// Loads the relational tables into a PostgreSQL database that exists.
pub async fn postgres(generator: &Generator, url: &SecretString) -> anyhow::Result<u64> {
    let source = postgres::Postgres::new(postgres::PostgresOptions::new(url.clone())).map_err(told)?;
    let checked = source.tables().await.map_err(told).and_then(|tables| ours(&tables, &source.describe()));
    source.close().await;
    checked?;
    let mut writer = postgres::Writer::connect(url).await.map_err(told)?;
    for table in schema::tables(schema::POSTGRES) {
        writer.execute_script(&format!("DROP TABLE IF EXISTS {table} CASCADE")).await.map_err(told)?;
    }
    writer.execute_script("DROP TYPE IF EXISTS api_key_type").await.map_err(told)?;
    writer.execute_script(schema::POSTGRES).await.map_err(told)?;
    let mut rows = 0;
    for Table { name, columns, rows: values } in everything(generator)? {
        rows +=
            writer.copy_in(name, &columns, values).await.map_err(told).with_context(|| format!("loading `{name}`"))?;
    }
    writer.close().await;
    Ok(rows)
}

/// Loads the relational tables into a SQLite file, which appears complete or not at all.
pub async fn sqlite(generator: &Generator, path: &Path) -> anyhow::Result<u64> {
    if path.exists() {
        let source = sqlite::Sqlite::new(path);
        let checked = source.tables().await.map_err(told).and_then(|tables| ours(&tables, &source.describe()));
        source.close().await;
        checked?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(".loading");
    let draft = Path::new(&draft);
    if draft.exists() {
        std::fs::remove_file(draft).with_context(|| format!("cannot remove `{}`", draft.display()))?;
    }
    let mut writer = sqlite::Writer::open(draft).await.map_err(told)?;
    writer.execute_script(schema::SQLITE).await.map_err(told)?;
    let mut rows = 0;
    for Table { name, columns, rows: values } in everything(generator)? {
        rows +=
            writer.copy_in(name, &columns, values).await.map_err(told).with_context(|| format!("loading `{name}`"))?;
    }
    writer.close().await.map_err(told)?;
    std::fs::rename(draft, path).with_context(|| format!("cannot replace `{}`", path.display()))?;
    Ok(rows)
}

/// The relational tables and, around them, the marker.
fn everything(generator: &Generator) -> anyhow::Result<Vec<Table>> {
    let columns = vec!["key", "value"];
    let begun = Table { name: schema::MARKER, columns: columns.clone(), rows: Marker::rows(generator.plan())? };
    let complete = Table { name: schema::MARKER, columns, rows: Marker::complete() };
    let mut tables = vec![begun];
    tables.extend(platform::tables(generator));
    tables.push(complete);
    Ok(tables)
}

/// Refuses a database that holds something that the demo did not make.
fn ours(tables: &Tables, place: &str) -> anyhow::Result<()> {
    if tables.0.is_empty() || tables.has(schema::MARKER) {
        return Ok(());
    }
    let some: Vec<&str> = tables.0.keys().take(3).map(String::as_str).collect();
    bail!(
        "{place} holds tables that the demo did not make ({}…); nothing was changed\nhint: name an empty database",
        some.join(", ")
    )
}

/// One unit, encoded: rows for each of the targets.
type Encoded = Vec<Rows>;

async fn fill(
    generator: &Arc<Generator>,
    clickhouse: &ClickHouse,
    units: Vec<Unit>,
    progress: &mut impl FnMut(Progress),
) -> anyhow::Result<Progress> {
    let units = Arc::new(units);
    let mut state = Progress { units: units.len(), ..Progress::default() };
    let mut encoded = start_workers(generator, &units);
    let mut gathered: Vec<(Target, Rows)> = TARGETS.into_iter().map(|target| (target, Rows::default())).collect();
    let mut inserts = FuturesUnordered::new();
    while let Some(unit) = encoded.recv().await {
        state.done += 1;
        for ((target, block), mut rows) in gathered.iter_mut().zip(unit) {
            block.bytes.append(&mut rows.bytes);
            block.count += rows.count;
            if block.bytes.len() >= BLOCK {
                inserts.push(insert(clickhouse, *target, std::mem::take(block)));
            }
        }
        while inserts.len() >= INSERTS {
            tally(&mut state, inserts.next().await)?;
        }
        progress(state);
    }
    if state.done != state.units {
        bail!("the generator ended after {} of {} units", state.done, state.units);
    }
    for (target, block) in gathered.into_iter().filter(|(_, block)| block.count > 0) {
        inserts.push(insert(clickhouse, target, block));
        while inserts.len() >= INSERTS {
            tally(&mut state, inserts.next().await)?;
            progress(state);
        }
    }
    while let Some(stored) = inserts.next().await {
        tally(&mut state, Some(stored))?;
        progress(state);
    }
    Ok(state)
}

fn tally(state: &mut Progress, stored: Option<anyhow::Result<(usize, usize)>>) -> anyhow::Result<()> {
    if let Some(stored) = stored {
        let (rows, bytes) = stored?;
        state.rows += rows as u64;
        state.bytes += bytes as u64;
    }
    Ok(())
}

/// Generates and encodes on threads of their own until all units are taken or nobody listens any more.
fn start_workers(generator: &Arc<Generator>, units: &Arc<Vec<Unit>>) -> mpsc::Receiver<Encoded> {
    let (sender, receiver) = mpsc::channel(16);
    let next = Arc::new(AtomicUsize::new(0));
    let workers = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(4));
    for _ in 0..workers {
        let (generator, units, sender, next) =
            (Arc::clone(generator), Arc::clone(units), sender.clone(), Arc::clone(&next));
        tokio::task::spawn_blocking(move || {
            while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
                let fleet = generator.fleets().get(unit.organization).map(|(fleet, _)| fleet);
                let (Some(batch), Some(fleet)) = (generator.batch(*unit), fleet) else { return };
                let encoded: Encoded = TARGETS.iter().map(|target| target.encode(&batch, fleet)).collect();
                if sender.blocking_send(encoded).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

async fn insert(clickhouse: &ClickHouse, target: Target, rows: Rows) -> anyhow::Result<(usize, usize)> {
    let columns: Vec<&str> = target.columns.split(',').map(str::trim).collect();
    let counts = (rows.count, rows.bytes.len());
    let mut insert = clickhouse.insert(target.table, &columns, InsertFormat::RowBinary).await.map_err(told)?;
    insert.write(rows.bytes).await.map_err(told).with_context(|| format!("loading `{}`", target.table))?;
    insert.finish().await.map_err(told).with_context(|| format!("loading `{}`", target.table))?;
    Ok(counts)
}

async fn mark(clickhouse: &ClickHouse, rows: Vec<Vec<Bind>>) -> anyhow::Result<()> {
    let mut lines = String::new();
    for row in rows {
        let [Bind::Text(key), Bind::Text(value)] = row.as_slice() else { continue };
        lines.push_str(&serde_json::json!({ "key": key, "value": value }).to_string());
        lines.push('\n');
    }
    let mut insert =
        clickhouse.insert(schema::MARKER, &["key", "value"], InsertFormat::JsonEachRow).await.map_err(told)?;
    insert.write(lines).await.map_err(told)?;
    insert.finish().await.map_err(told)
}

async fn ask(source: &dyn Source, sql: &str) -> anyhow::Result<Vec<Vec<serde_json::Value>>> {
    let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
    let limits = Limits { timeout: Duration::from_secs(30), max_rows: 1000, max_bytes: 1 << 20 };
    let cancel = CancellationToken::new();
    let query = Query { statement: &statement, limits, author: Author::UNBOUND, cancel: &cancel, id: None };
    Ok(source.query(query).await.map_err(told)?.rows)
}

fn told(error: SourceError) -> anyhow::Error {
    match error.hint {
        Some(hint) => anyhow!("{}\nhint: {hint}", error.message),
        None => anyhow!("{}", error.message),
    }
}
