//! The main promise on real databases: the same definitions give the same answers on embedded ClickHouse + SQLite
//! and on ClickHouse over HTTP + PostgreSQL; they equal answers computed in Rust from the generator's events; and
//! nobody sees a row of another organisation or from outside the window.

use std::{path::PathBuf, sync::Arc};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    demo::{
        Generator, Plan, Scenario, canary, load,
        offset::{HOUR, MINUTE},
        oracle::{self, Answers, Requests, Window},
    },
    engine::{Call, Document, Engine, EngineOptions, Format, Sources, Status, Tenancy},
    source::{
        clickhouse::{ClickHouse, ClickHouseConfig, EmbeddedConfig},
        postgres::{Postgres, PostgresOptions},
        sqlite::Sqlite,
    },
};
use time::{OffsetDateTime, macros::datetime};
use tokio::sync::OnceCell;

use crate::support::{clickhouse, pack::catalog, postgres};

pub const END: OffsetDateTime = datetime!(2026-11-20 12:00:00 UTC);
const INCIDENT: &str = "db-pool-exhaustion";

/// Databases filled once for all tests of this module. Connections are made by each test, in its own runtime.
pub struct Filled {
    pub generator: Arc<Generator>,
    pub remote: ClickHouseConfig,
    pub postgres: SecretString,
    pub data_dir: PathBuf,
    /// The same data with canaries planted around [`window`].
    pub canaries: ClickHouseConfig,
    pub canary_postgres: SecretString,
    pub canary_sqlite: PathBuf,
}

/// The window in which the incident is in full swing, away from the data's end.
pub fn window(generator: &Generator) -> Window {
    let to = generator.end() - 5 * MINUTE;
    Window { from: to - HOUR / 2, to }
}

fn embedded(data_dir: &std::path::Path) -> ClickHouse {
    ClickHouse::embedded(EmbeddedConfig {
        executable: Some(clickhouse::executable()),
        library: Some(clickhouse::library()),
        ..EmbeddedConfig::new(data_dir, "telemetry")
    })
}

/// What the databases are filled from.
pub fn generator() -> Generator {
    let scenario = Some(Scenario::embedded(INCIDENT).unwrap());
    Generator::new(Plan { seed: 7, end: END, scale: 0.05, scenario }).unwrap()
}

pub async fn filled() -> &'static Filled {
    static FILLED: OnceCell<Filled> = OnceCell::const_new();
    FILLED
        .get_or_init(|| async {
            let generator = Arc::new(generator());
            let mut remotes = Vec::new();
            for _ in 0..2 {
                let database = clickhouse::clickhouse().await;
                load::telemetry(&generator, &database.source, |_| {}).await.unwrap();
                remotes.push(database.config);
            }
            let mut urls = Vec::new();
            for _ in 0..2 {
                let url = SecretString::from(postgres::database().await.url);
                load::postgres(&generator, &url).await.unwrap();
                urls.push(url);
            }
            let data_dir = clickhouse::fresh_folder("answers");
            std::fs::create_dir_all(&data_dir).unwrap();
            let local = embedded(&data_dir);
            load::telemetry(&generator, &local, |_| {}).await.unwrap();
            tfo_mcp::source::Source::close(&local).await;
            load::sqlite(&generator, &data_dir.join("platform.sqlite")).await.unwrap();
            let canary_sqlite = data_dir.join("canary.sqlite");
            load::sqlite(&generator, &canary_sqlite).await.unwrap();

            let own = &generator.world.organizations[0];
            let planted = canary::canaries(&generator, own, window(&generator));
            let canaries = remotes.pop().unwrap();
            planted.plant_in_clickhouse(&ClickHouse::remote(canaries.clone())).await.unwrap();
            let canary_postgres = urls.pop().unwrap();
            let mut writer = tfo_mcp::source::postgres::Writer::connect(&canary_postgres).await.unwrap();
            planted.plant_in_postgres(&mut writer).await.unwrap();
            writer.close().await;
            let mut writer = tfo_mcp::source::sqlite::Writer::open(&canary_sqlite).await.unwrap();
            planted.plant_in_sqlite(&mut writer).await.unwrap();
            writer.close().await.unwrap();
            Filled {
                remote: remotes.pop().unwrap(),
                postgres: urls.pop().unwrap(),
                generator,
                data_dir,
                canaries,
                canary_postgres,
                canary_sqlite,
            }
        })
        .await
}

fn engine(telemetry: ClickHouse, platform: Arc<dyn tfo_mcp::source::Source>, organization: &str) -> Engine {
    engine_of(catalog(&[], &CatalogOptions::default()), telemetry, platform, organization)
}

pub fn engine_of(
    catalog: Catalog,
    telemetry: ClickHouse,
    platform: Arc<dyn tfo_mcp::source::Source>,
    organization: &str,
) -> Engine {
    let mut sources = Sources::default();
    sources.bind("telemetry", Arc::new(telemetry));
    sources.bind("platform", platform);
    let options = EngineOptions {
        tenancy: Tenancy {
            organization_id: Some(organization.to_owned()),
            user_id: known_user(organization),
            ..Tenancy::default()
        },
        clock: Arc::new(|| END),
        context_deadline: std::time::Duration::from_secs(120),
        max_rows: 100_000,
        max_bytes: 64 << 20,
        ..EngineOptions::default()
    };
    Engine::new(catalog, sources, options)
}

/// Whose account is told of in an organisation of the demo.
fn known_user(organization: &str) -> Option<String> {
    let world = tfo_mcp::demo::world::World::embedded().ok()?;
    let found = world.organizations.iter().find(|known| known.id_text == organization)?;
    let people = tfo_mcp::demo::people::people(found);
    people.get(11).or(people.first()).map(|person| person.id.to_string())
}

pub fn postgres_source(url: &SecretString) -> Arc<dyn tfo_mcp::source::Source> {
    Arc::new(Postgres::new(PostgresOptions::new(SecretString::from(url.expose_secret().to_owned()))).unwrap())
}

pub fn over_http(filled: &Filled, organization: &str) -> Engine {
    engine(ClickHouse::remote(filled.remote.clone()), postgres_source(&filled.postgres), organization)
}

pub fn on_this_machine(filled: &Filled, organization: &str) -> Engine {
    let sqlite = Arc::new(Sqlite::new(filled.data_dir.join("platform.sqlite")));
    engine(embedded(&filled.data_dir), sqlite, organization)
}

/// Whether a type is about one service, and is asked about one.
pub fn wants_service(engine: &Engine, context_type: &str) -> bool {
    let catalog = engine.catalog();
    let parameters = catalog.context(context_type).map(|entry| &entry.definition.parameters);
    parameters.and_then(|of| of.get("service")).is_some_and(|service| service.required)
}

pub async fn collect(engine: &Engine, context_type: &str, extra: Value) -> Document {
    let mut arguments: Map<String, Value> = extra.as_object().cloned().unwrap();
    arguments.insert("context_type".into(), context_type.into());
    arguments.entry("max_items").or_insert(json!(500));
    if wants_service(engine, context_type)
        && !arguments.contains_key("service")
        && extra["filters"]["service"].is_null()
    {
        arguments.insert("service".into(), json!("checkout"));
    }
    engine.collect_context(arguments, &Call::default()).await.unwrap()
}

/// RFC 3339 of nanoseconds since 1970.
pub fn stamp(nanos: i64) -> Value {
    tfo_mcp::engine::stamp(OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanos)).unwrap()).into()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn both_stacks_answer_every_context_type_row_by_row_the_same() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let (local, remote) = (on_this_machine(filled, organization), over_http(filled, organization));
    let (mut rows, mut wrong) = (0, Vec::new());
    for name in local.catalog().contexts.keys() {
        for extra in [json!({}), json!({"time_range": "24h"}), json!({"service": "checkout"})] {
            let takes_service =
                local.catalog().contexts.get(name).unwrap().definition.parameters.contains_key("service");
            if extra.get("service").is_some() && !takes_service {
                continue;
            }
            let (a, b) = tokio::join!(collect(&local, name, extra.clone()), collect(&remote, name, extra.clone()));
            assert_eq!(a.sections.len(), b.sections.len());
            for (a, b) in a.sections.iter().zip(&b.sections) {
                let place = format!("{name}/{} {extra}", a.name);
                let columns = |section: &tfo_mcp::engine::SectionAnswer| -> Vec<String> {
                    section.columns.iter().map(|column| column.name.clone()).collect()
                };
                if a.status.is_problem() || a.status != b.status {
                    let messages = [&a.message, &b.message];
                    wrong.push(format!("{place}: {:?} and {:?} {messages:?}", a.status, b.status));
                } else if columns(a) != columns(b) || a.rows.len() != b.rows.len() {
                    wrong.push(format!(
                        "{place}: {:?} {} rows and {:?} {}",
                        columns(a),
                        a.rows.len(),
                        columns(b),
                        b.rows.len()
                    ));
                } else if let Some((a, b)) = a.rows.iter().zip(&b.rows).find(|(a, b)| a != b) {
                    wrong.push(format!("{place}: {} and {}", json!(a), json!(b)));
                }
                rows += a.rows.len();
            }
            if a.summary != b.summary || a.highlights != b.highlights {
                wrong.push(format!(
                    "{name} {extra}: {}\n{:?}\nand {}\n{:?}",
                    a.summary, a.highlights, b.summary, b.highlights
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows > 1000, "{rows}");
}

/// Rows of a section by the values of its key columns.
struct Table<'a>(&'a Document, &'static str);

impl Table<'_> {
    fn section(&self) -> &tfo_mcp::engine::SectionAnswer {
        self.0.sections.iter().find(|section| section.name == self.1).unwrap()
    }

    fn get(&self, keys: &[(&str, &str)], column: &str) -> Value {
        let section = self.section();
        let index = |name: &str| {
            section.columns.iter().position(|c| c.name == name).unwrap_or_else(|| panic!("no column {name}"))
        };
        let fits = |row: &&Vec<Value>| keys.iter().all(|(name, value)| row[index(name)] == json!(value));
        let mut found = section.rows.iter().filter(fits);
        let row = found.next().unwrap_or_else(|| panic!("no row {keys:?} in {}", self.1));
        assert!(found.next().is_none(), "{keys:?} is not unique in {}", self.1);
        row[index(column)].clone()
    }

    fn number(&self, keys: &[(&str, &str)], column: &str) -> f64 {
        let value = self.get(keys, column);
        value.as_f64().unwrap_or_else(|| panic!("{column} of {keys:?} is {value}"))
    }

    /// Compares a value that the statement rounds to two digits.
    fn near(&self, keys: &[(&str, &str)], column: &str, expected: f64) {
        let found = self.number(keys, column);
        assert!(
            (found - expected).abs() <= 0.0051,
            "{} {keys:?} {column}: {found}, but {expected} was computed",
            self.1
        );
    }
}

fn millis(requests: &Requests, level: f64) -> f64 {
    requests.percentile(level) as f64 / 1e6
}

fn answers(generator: &Generator) -> [Vec<Answers>; 2] {
    let window = Window::last(generator, HOUR);
    oracle::answers(generator, &[window, window.previous()]).try_into().unwrap()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn requests_errors_and_percentiles_equal_those_computed_from_the_events() {
    let filled = filled().await;
    let [now, before] = answers(&filled.generator);
    for organization in &filled.generator.world.organizations {
        let engine = over_http(filled, &organization.id_text);
        let (now, before) = (&now[organization.index], &before[organization.index]);
        let latency = collect(&engine, "latency", json!({ "time_range": "1h" })).await;
        let errors = collect(&engine, "errors", json!({ "time_range": "1h" })).await;
        let (latency, errors) = (Table(&latency, "services"), Table(&errors, "services"));
        assert_eq!(latency.section().rows.len(), now.services.len());
        for (service, requests) in &now.services {
            let key = [("service_name", service.as_str())];
            assert_eq!(latency.number(&key, "requests"), requests.count as f64, "{service}");
            for (column, level) in
                [("p50_ms", 0.5), ("p75_ms", 0.75), ("p90_ms", 0.9), ("p95_ms", 0.95), ("p99_ms", 0.99)]
            {
                latency.near(&key, column, millis(requests, level));
            }
            let earlier = before.services.get(service);
            assert_eq!(latency.number(&key, "prev_requests"), earlier.map_or(0.0, |earlier| earlier.count as f64));
            if let Some(earlier) = earlier {
                latency.near(&key, "prev_p95_ms", millis(earlier, 0.95));
            }
            if requests.errors > 0 {
                assert_eq!(errors.number(&key, "errors"), requests.errors as f64);
                errors.near(&key, "error_pct", requests.error_percent());
            }
        }
        let failing = now.services.iter().filter(|(name, requests)| {
            requests.errors > 0 || before.services.get(*name).is_some_and(|earlier| earlier.errors > 0)
        });
        assert_eq!(errors.section().rows.len(), failing.count());
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn edges_logs_audit_and_uptime_equal_those_computed_from_the_events() {
    let filled = filled().await;
    let [now, before] = answers(&filled.generator);
    for organization in &filled.generator.world.organizations {
        let engine = over_http(filled, &organization.id_text);
        let (now, before) = (&now[organization.index], &before[organization.index]);

        let document = collect(&engine, "dependencies", json!({ "time_range": "1h" })).await;
        let edges = Table(&document, "edges");
        for ((caller, callee), calls) in &now.edges {
            let key = [("caller", caller.as_str()), ("callee", callee.as_str())];
            assert_eq!(edges.number(&key, "calls"), calls.count as f64, "{caller} to {callee}");
            edges.near(&key, "error_pct", calls.error_percent());
            edges.near(&key, "p95_ms", millis(calls, 0.95));
            let earlier = before.edges.get(&(caller.clone(), callee.clone()));
            assert_eq!(edges.number(&key, "prev_calls"), earlier.map_or(0.0, |earlier| earlier.count as f64));
        }
        let total: f64 = now.edges.values().map(|calls| calls.count as f64).sum();
        let shown: f64 = edges.section().rows.iter().map(|row| row[2].as_f64().unwrap()).sum();
        assert_eq!(shown, total);

        let document = collect(&engine, "logs", json!({ "time_range": "1h" })).await;
        let logs = Table(&document, "services");
        let mut lines = std::collections::BTreeMap::<&str, u64>::new();
        for ((service, _), count) in &now.logs {
            *lines.entry(service).or_default() += count;
        }
        for (service, count) in lines {
            assert_eq!(logs.number(&[("service_name", service)], "lines"), count as f64, "{service}");
            let errors = now.logs.get(&(service.to_owned(), "ERROR".to_owned())).copied().unwrap_or(0);
            assert_eq!(logs.number(&[("service_name", service)], "error"), errors as f64, "{service}");
        }

        let document = collect(&engine, "audit", json!({ "time_range": "1h" })).await;
        let audit = Table(&document, "kinds");
        for ((kind, outcome), events) in &now.audits {
            assert_eq!(
                audit.number(&[("kind", kind), ("outcome", outcome)], "events"),
                *events as f64,
                "{kind} {outcome}"
            );
        }

        let document = collect(&engine, "uptime", json!({ "time_range": "1h" })).await;
        let uptime = Table(&document, "monitors");
        assert_eq!(uptime.section().rows.len(), now.uptime.len());
        for monitor in now.uptime.values() {
            let key = [("monitor_label", monitor.name.as_str())];
            assert_eq!(uptime.number(&key, "checks"), monitor.checks as f64, "{}", monitor.name);
            uptime.near(&key, "availability_pct", monitor.availability());
        }
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_callers_statement_with_wrong_names_is_told_the_right_ones() {
    let filled = filled().await;
    let engine = on_this_machine(filled, &filled.generator.world.organizations[0].id_text);
    for (tool, sql, piece) in [
        ("pg_query", "SELECT * FROM alerts", "alert_instances"),
        ("pg_query", "SELECT nope FROM change_events", "change_events.id,"),
        ("ch_query", "SELECT * FROM trace", "traces"),
        ("ch_query", "SELECT nope FROM traces", "duration_ns"),
    ] {
        let arguments = json!({ "sql": sql }).as_object().cloned().unwrap();
        let error = engine.call_tool(tool, arguments, &Call::default()).await.unwrap_err();
        assert!(error.hint.as_ref().is_some_and(|hint| hint.contains(piece)), "{sql}: {error:?}");
    }
}

/// Windows, filters and forms in which canaries are looked for.
fn questions(engine: &Engine, name: &str, window: Window) -> Vec<Value> {
    let bounds = json!({ "from": stamp(window.from), "to": stamp(window.to) });
    let mut questions = vec![bounds.clone()];
    let catalog = engine.catalog();
    let parameters = &catalog.contexts.get(name).unwrap().definition.parameters;
    for (parameter, values) in [
        ("service", vec!["checkout", "edge-gateway", canary::FOREIGN]),
        ("severity", vec!["critical", "warning", "ERROR"]),
        ("status", vec!["firing"]),
    ] {
        let Some(declared) = parameters.get(parameter) else { continue };
        for value in values {
            if declared.choices.as_ref().is_none_or(|choices| choices.contains(&json!(value))) {
                let mut question = bounds.clone();
                question["filters"] = json!({ parameter: value });
                questions.push(question);
            }
        }
    }
    questions
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn no_context_type_shows_another_organisation_or_an_event_outside_its_window() {
    let filled = filled().await;
    let generator = &filled.generator;
    let own = &generator.world.organizations[0];
    let window = window(generator);
    let names = canary::foreign_names(generator, own);
    let telemetry = || ClickHouse::remote(filled.canaries.clone());
    let engines = [
        engine(telemetry(), postgres_source(&filled.canary_postgres), &own.id_text),
        engine(telemetry(), Arc::new(Sqlite::new(&filled.canary_sqlite)), &own.id_text),
    ];
    let (mut documents, mut narrow) = (0, 0);
    for engine in &engines {
        for name in engine.catalog().contexts.keys() {
            for question in questions(engine, name, window) {
                let document = collect(engine, name, question.clone()).await;
                assert!(!document.status.is_problem(), "{name} {question}: {}", document.summary);
                let text = engine.render(&document, Format::Json, Some(50_000_000));
                assert!(
                    !text.contains(canary::FOREIGN) || question["filters"]["service"] == json!(canary::FOREIGN),
                    "{name} {question} shows a foreign row: {}",
                    around(&text, canary::FOREIGN)
                );
                assert!(
                    !text.contains(canary::AFTER),
                    "{name} {question} shows a later row: {}",
                    around(&text, canary::AFTER)
                );
                for section in &document.sections {
                    let rows = json!(section.rows).to_string();
                    let early = rows.contains(canary::BEFORE);
                    assert!(
                        !early || looks_back(engine, name, &section.name),
                        "{name}/{} {question} shows an earlier row: {}",
                        section.name,
                        around(&rows, canary::BEFORE)
                    );
                    narrow += usize::from(!looks_back(engine, name, &section.name));
                }
                for foreign in &names {
                    assert!(
                        !text.contains(foreign.as_str()),
                        "{name} {question} names {foreign}: {}",
                        around(&text, foreign)
                    );
                }
                documents += 1;
            }
        }
    }
    assert!(documents > 80, "{documents}");
    assert!(narrow > 80, "{narrow} sections whose lower bound was tested");
    // The canaries are there, and the organisation that owns them does see them.
    let other = &generator.world.organizations[1];
    let theirs = engine(telemetry(), postgres_source(&filled.canary_postgres), &other.id_text);
    let document = collect(&theirs, "latency", json!({ "from": stamp(window.from), "to": stamp(window.to) })).await;
    assert!(theirs.render(&document, Format::Json, Some(50_000_000)).contains(canary::FOREIGN));
}

/// Whether a section is meant to read before the window: to compare, to align to buckets, or from a fixed look-back.
fn looks_back(engine: &Engine, context: &str, section: &str) -> bool {
    let catalog = engine.catalog();
    let definition = &catalog.contexts.get(context).unwrap().definition;
    if let Some((part, section)) = section.split_once('.').filter(|_| definition.composes.is_some()) {
        return looks_back(engine, part, section);
    }
    let sections = &definition.sections;
    let joined = sections[section].join.as_ref().map(|join| &sections[&join.section].query);
    let text = serde_json::to_string(&(&sections[section].query, joined)).unwrap();
    ["prev_from", "| minus", "| floor", "\"align\":\""].iter().any(|word| text.contains(word))
}

fn around(text: &str, piece: &str) -> String {
    let at = text.find(piece).unwrap_or(0);
    let clip = |mut i: usize| {
        while !text.is_char_boundary(i) {
            i -= 1;
        }
        i
    };
    text[clip(at.saturating_sub(200))..clip((at + 200).min(text.len()))].to_owned()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn the_evidence_of_the_incident_is_visible() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let engine = on_this_machine(filled, organization);
    let scenario = Scenario::embedded(INCIDENT).unwrap();
    assert!(!scenario.evidence.is_empty());
    for evidence in &scenario.evidence {
        let document = collect(&engine, &evidence.context, json!({ "time_range": "1h" })).await;
        assert_eq!(document.status, Status::Ok, "{}: {}", evidence.context, document.summary);
        let text = engine.render(&document, Format::Markdown, Some(1_000_000));
        for piece in &evidence.shows {
            assert!(
                text.contains(piece.as_str()),
                "{} lacks `{piece}` ({}):\n{text}",
                evidence.context,
                evidence.statement
            );
        }
    }
}
