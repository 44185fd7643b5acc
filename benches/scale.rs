//! What the context types cost over millions of rows, with kept sums and without: `cargo bench --bench scale` writes
//! `benches/SCALE.md`.
//!
//! Data are the demo's, copied inside of ClickHouse until there are so many spans, log lines and metric points: over two days,
//! a quarter of them of the asked organisation, the others of nine whose services have the same names. They stay in
//! `target/tfo-test-cache`, so that another run measures at once. `-- 1000000` measures so many rows alone, `-- --only
//! errors,logs` some types alone, of which it shows each section; both write no report. `-- --patient` waits for every statement,
//! for machines that have something else to do: then seconds of CPU count.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

#[path = "../tests/it/support/clickhouse.rs"]
#[allow(dead_code)]
mod clickhouse;
#[path = "scale/data.rs"]
mod data;
#[path = "scale/report.rs"]
mod report;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use data::{Database, END};
use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    check,
    engine::{Call, Document, Engine, EngineOptions, Format, Sources, Status, Tenancy},
    load,
    source::{
        clickhouse::{ClickHouse, rollups::Rollups},
        sqlite::Sqlite,
    },
};
use time::Duration;

/// Rows of each signal, in all.
const SIZES: [u64; 2] = [1_000_000, 10_000_000];
const WINDOWS: [&str; 2] = ["1h", "24h"];

/// What a collection cost.
#[derive(Debug, Clone)]
pub struct Cost {
    pub context_type: String,
    pub window: &'static str,
    /// Whether there were kept sums.
    pub kept: bool,
    pub rows: u64,
    pub bytes: u64,
    pub seconds: f64,
    /// Seconds of CPU that ClickHouse took, which other programs on the machine hardly change.
    pub cpu: f64,
    /// Sections that were not read.
    pub failed: Vec<String>,
    /// Of one trace in how many the section with the smallest sample was read; 1 where all were.
    pub sample: u32,
    pub from_sums: bool,
}

/// All that was measured at one size.
pub struct Measured {
    pub rows: u64,
    pub costs: Vec<Cost>,
    pub stored: Vec<data::Stored>,
    pub backfill_seconds: f64,
    /// Milliseconds of an insert of [`data::BLOCK`] rows of each signal: without our views, and with them.
    pub inserts: Vec<(&'static str, f64, f64)>,
    pub load: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` and `cargo clippy` only want it to build.
    if arguments.iter().any(|argument| argument == "--test") {
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sizes: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let only = arguments.iter().position(|argument| argument == "--only").and_then(|at| arguments.get(at + 1));
    let only: Option<Vec<&str>> = only.map(|names| names.split(',').collect());
    let patient = arguments.iter().any(|argument| argument == "--patient");
    let all = sizes.is_empty() && only.is_none();
    let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
    let measured: Vec<Measured> =
        sizes.into_iter().map(|rows| runtime.block_on(measure(rows, only.as_deref(), patient))).collect();
    let report = report::render(&measured);
    if all {
        std::fs::write(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/SCALE.md"), &report).unwrap();
    }
    println!("{report}");
    let slow = measured.iter().flat_map(|of| &of.costs).any(|cost| !cost.failed.is_empty());
    if slow { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn measure(rows: u64, only: Option<&[&str]>, patient: bool) -> Measured {
    let database = Database::of(rows).await;
    let rollups = Rollups::of(&database.clickhouse);
    let mut costs = Vec::new();
    rollups.drop().await.unwrap();
    costs.extend(collections(&database, false, only, patient).await);
    rollups.make(END + Duration::minutes(10), true).await.unwrap();
    let started = Instant::now();
    let told = |filled| eprintln!("{filled:?} after {:.1} s", started.elapsed().as_secs_f64());
    rollups.fill(told).await.unwrap();
    let backfill_seconds = started.elapsed().as_secs_f64();
    costs.extend(collections(&database, true, only, patient).await);
    let inserts = if only.is_some() { Vec::new() } else { database.inserts().await };
    let stored = database.stored().await;
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default();
    database.close().await;
    Measured { rows, costs, stored, backfill_seconds, inserts, load }
}

/// One collection of each type and window, of which none finds counts of another.
async fn collections(database: &Database, kept: bool, only: Option<&[&str]>, patient: bool) -> Vec<Cost> {
    let late = Arc::new(AtomicI64::new(0));
    let engine = engine(database, Arc::clone(&late), patient);
    let mut types: Vec<String> = engine.catalog().contexts.keys().cloned().collect();
    types.retain(|name| only.is_none_or(|only| only.contains(&name.as_str())));
    types.sort();
    let _ = collect(&engine, &types[0], "1h").await;
    let mut costs = Vec::new();
    for window in WINDOWS {
        for name in &types {
            // What exists and how much there is, is known for a minute: another minute is another question.
            late.store((late.load(Ordering::Relaxed) + 1) % 100, Ordering::Relaxed);
            let before = database.read().await;
            let started = Instant::now();
            let (document, call) = collect(&engine, name, window).await;
            let seconds = started.elapsed().as_secs_f64();
            let after = database.read().await;
            if only.is_some() {
                show(&document, &call, kept);
            }
            let cost = cost(&document, name, window, kept, seconds, [0, 1, 2].map(|at| after[at] - before[at]));
            eprintln!(
                "{name} {window} {kept}: {:.2} s, {:.2} s of CPU, {} rows, 1/{} {} {:?}",
                cost.seconds, cost.cpu, cost.rows, cost.sample, cost.from_sums, cost.failed
            );
            costs.push(cost);
        }
    }
    costs
}

fn cost(
    document: &Document,
    name: &str,
    window: &'static str,
    kept: bool,
    seconds: f64,
    [rows, bytes, micros]: [u64; 3],
) -> Cost {
    let sections = &document.sections;
    let failed = sections.iter().filter(|section| section.status.is_failure());
    Cost {
        context_type: name.to_owned(),
        window,
        kept,
        rows,
        bytes,
        seconds,
        cpu: micros as f64 / 1e6,
        failed: failed.map(|section| format!("{} {}", section.name, section.status.as_str())).collect(),
        sample: sections.iter().flat_map(|section| section.samples.iter().copied()).max().unwrap_or(1),
        from_sums: sections.iter().flat_map(|of| &of.remarks).any(|said| said.starts_with("From sums kept")),
    }
}

fn show(document: &Document, call: &Call, kept: bool) {
    let sums = if kept { "sums" } else { "no sums" };
    println!("{} {} {sums}: {:?}", document.context_type, document.window.label(), document.status);
    let mut asked: Vec<(f64, usize, bool)> =
        call.ledger.entries().iter().map(|of| (of.elapsed.as_secs_f64(), of.rows, of.aside)).collect();
    asked.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("  {} statements, {} aside; the longest {:?}", asked.len(), asked.iter().filter(|of| of.2).count(), {
        asked.truncate(8);
        &asked
    });
    for section in &document.sections {
        println!(
            "  {:<24} {:>8.3} s  {:?} {} rows, samples {:?} {}",
            section.name,
            section.elapsed.as_secs_f64(),
            section.status,
            section.total.count,
            section.samples,
            section.remarks.join(" | ")
        );
    }
}

fn engine(database: &Database, late: Arc<AtomicI64>, patient: bool) -> Engine {
    let loaded = load::load(&load::Request { built_in: true, ..load::Request::default() });
    let (definitions, templates) = check::check(loaded, check::Options { built_in: true }).into_parts();
    let (catalog, problems) = Catalog::compile(definitions, &templates, &CatalogOptions::default());
    assert!(problems.is_empty(), "{problems:?}");
    let mut sources = Sources::default();
    sources.bind("telemetry", Arc::new(ClickHouse::remote(database.config.clone())));
    sources.bind("platform", Arc::new(Sqlite::new(&database.platform)));
    let options = EngineOptions {
        tenancy: Tenancy {
            organization_id: Some(database.organisation.clone()),
            user_id: Some(database.user.clone()),
            ..Tenancy::default()
        },
        clock: Arc::new(move || END - Duration::minutes(late.load(Ordering::Relaxed))),
        ..EngineOptions::default()
    };
    let long = std::time::Duration::from_secs(600);
    let options = match patient {
        true => EngineOptions { context_deadline: long, query_timeout: long, ..options },
        false => options,
    };
    Engine::new(catalog, sources, options)
}

async fn collect(engine: &Engine, name: &str, window: &str) -> (Document, Call) {
    let mut arguments: Map<String, Value> = Map::new();
    arguments.insert("context_type".into(), name.into());
    arguments.insert("time_range".into(), window.into());
    let catalog = engine.catalog();
    let parameters = catalog.context(name).map(|entry| &entry.definition.parameters);
    if parameters.and_then(|of| of.get("service")).is_some_and(|service| service.required) {
        arguments.insert("service".into(), json!("checkout"));
    }
    let call = Call::default();
    let document = engine.collect_context(arguments, &call).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let text = engine.render(&document, Format::Markdown, None);
    assert!(document.status != Status::Ok || !text.is_empty());
    (document, call)
}
