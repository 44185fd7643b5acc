//! Every scenario is told by one document: the origin first, and every fact that its file states, on cells of rows and
//! not on wording. Beside it stands what the same sections keep as pretty-printed JSON that is cut.
//!
//! `TFO_PROOF=full` plays three seeds, three times of the day and fifty quiet days, and once more without each of what the
//! document is made of (`scripts/proof.sh`).

mod ablation;

use std::{fmt::Write as _, sync::Arc};

use serde_json::{Map, Value};
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    definition::Severity,
    demo::{
        Generator, Plan, Scenario, load,
        offset::{HOUR, MINUTE, Offset},
        scenario::{Fact, FactKind},
    },
    engine::{Call, Document, Engine, EngineOptions, Format, SectionAnswer, Sources, Status, Tenancy},
    source::{clickhouse::ClickHouse, sqlite::Sqlite},
};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};

use crate::support::{
    clickhouse::{self, TestClickHouse},
    pack::catalog,
};

const END: OffsetDateTime = datetime!(2026-11-20 12:00:00 UTC);

/// The document, and what cut JSON is compared with.
const CONTEXT: &str = "ai-root-cause";
const CHARS: usize = 10_000;

/// Enough traffic for the rarest operation of a scenario to be asked some dozen times an hour.
const SCALE: f64 = 0.3;

/// The window, the one before it, and where changes are looked for.
const KEPT: i64 = 3 * HOUR;

/// What is not told yet: scenario, and the fact as [`label`] prints it. A line that is told after all must go.
const MISSES: &[(&str, &str)] = &[];

/// Types that say what the document says, without a ranking across them: what they hold as pretty-printed JSON, cut, is the
/// measure that a document about the cause has to beat.
const CORE: &[&str] = &["errors", "latency", "logs", "metrics", "change-events", "dependencies"];

/// A scenario in databases of its own, which takes the time.
struct Stage {
    scenario: Scenario,
    end: OffsetDateTime,
    start: OffsetDateTime,
    organization_id: String,
    database: TestClickHouse,
    /// Holds `platform.sqlite`.
    folder: tempfile::TempDir,
}

/// What the organisation of a scenario, one of three, is told of it.
struct Played {
    scenario: Scenario,
    document: Document,
    /// The sections of [`CORE`] as pretty-printed JSON, cut; empty where nobody asked.
    core: String,
    /// The document as it is answered, at most [`CHARS`] characters.
    answer: Value,
    start: OffsetDateTime,
}

impl Stage {
    async fn load(name: &str, seed: u64, end: OffsetDateTime) -> Self {
        let scenario = Scenario::embedded(name).unwrap();
        let plan = Plan { seed, end, scale: SCALE, scenario: Some(scenario.clone()) };
        let generator = Arc::new(Generator::new(plan).unwrap());
        let first = (generator.end() - KEPT - generator.start()) / (5 * MINUTE);
        let units = generator.units().filter(|unit| unit.slot as i64 >= first).collect();
        let database = clickhouse::clickhouse().await;
        load::part(&generator, &database.source, units, |_| {}).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        load::sqlite(&generator, &folder.path().join("platform.sqlite")).await.unwrap();
        let organization_id = generator.world.organization(&scenario.organization).unwrap().id_text.clone();
        let start = end + Duration::nanoseconds(scenario.start.0);
        Self { scenario, end, start, organization_id, database, folder }
    }

    fn engine(&self, catalog: Catalog) -> Engine {
        let mut sources = Sources::default();
        sources.bind("telemetry", Arc::new(ClickHouse::remote(self.database.config.clone())));
        sources.bind("platform", Arc::new(Sqlite::new(self.folder.path().join("platform.sqlite"))));
        let end = self.end;
        let options = EngineOptions {
            tenancy: Tenancy { organization_id: Some(self.organization_id.clone()), ..Tenancy::default() },
            clock: Arc::new(move || end),
            context_deadline: std::time::Duration::from_secs(120),
            query_timeout: std::time::Duration::from_secs(60),
            ..EngineOptions::default()
        };
        Engine::new(catalog, sources, options)
    }

    async fn ask(&self, engine: &Engine, range: &str) -> Played {
        let document = document(engine, CONTEXT, range).await;
        assert_eq!(document.status, Status::Ok, "{}: {}", self.scenario.name, document.summary);
        let answer = engine.render(&document, Format::Json, Some(CHARS));
        assert!(answer.chars().count() <= CHARS);
        let answer = serde_json::from_str(&answer).unwrap();
        Played { scenario: self.scenario.clone(), document, core: String::new(), answer, start: self.start }
    }

    async fn clear(self) {
        let database = &self.database;
        database.source.execute(&format!("DROP DATABASE {} SYNC", database.database)).await.unwrap();
    }
}

async fn document(engine: &Engine, context: &str, range: &str) -> Document {
    let arguments = [("context_type", context), ("time_range", range)];
    let arguments = arguments.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    engine.collect_context(arguments, &Call::default()).await.unwrap()
}

async fn play(name: &str, seed: u64, end: OffsetDateTime) -> Played {
    let stage = Stage::load(name, seed, end).await;
    let engine = stage.engine(catalog(&[], &CatalogOptions::default()));
    let mut played = stage.ask(&engine, "1h").await;
    if std::env::var_os("TFO_PROOF_SHOW").is_some() {
        eprintln!("==== {name}\n{}", engine.render(&played.document, Format::Markdown, Some(CHARS)));
    }
    let mut core = Map::new();
    for context in CORE {
        core.insert((*context).to_owned(), sections(&document(&engine, context, "1h").await).into());
    }
    played.core = serde_json::to_string_pretty(&core).unwrap().chars().take(CHARS).collect();
    stage.clear().await;
    played
}

/// The rows of an answer, each with the name of its section.
fn rows(answer: &Value) -> Vec<(&str, Vec<&Value>)> {
    let sections = answer["sections"].as_object().into_iter().flatten();
    let rows = sections.flat_map(|(name, section)| {
        let rows = section["rows"].as_array().into_iter().flatten();
        rows.map(move |row| (name.as_str(), row.as_array().into_iter().flatten().collect()))
    });
    rows.collect()
}

fn holds(row: &[&Value], piece: &str) -> bool {
    row.iter().any(|cell| cell.as_str().map_or_else(|| cell.to_string().contains(piece), |text| text.contains(piece)))
}

/// Whether a row names a service: as a cell of its own, or as one of the words of a cell.
fn names(row: &[&Value], service: &str) -> bool {
    let words =
        |text: &str| text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).any(|word| word == service);
    row.iter().any(|cell| words(&cell.as_str().map_or_else(|| cell.to_string(), str::to_owned)))
}

/// What the first column of the first row of the suspects says.
fn first_suspect(answer: &Value) -> Option<&str> {
    let section = &answer["sections"]["suspects"];
    section["rows"].get(0)?.get(place(section, "suspect")?)?.as_str()
}

/// Which of its columns is called so.
fn place(section: &Value, name: &str) -> Option<usize> {
    section["columns"].as_array()?.iter().position(|column| column["name"] == name)
}

fn told(fact: &Fact, played: &Played) -> bool {
    let service = fact.service.as_deref().unwrap_or_default();
    let piece = fact.is.as_deref().unwrap_or_default();
    let rows = rows(&played.answer);
    let own = |row: &[&Value]| service.is_empty() || names(row, service);
    match fact.kind {
        FactKind::Origin => first_suspect(&played.answer) == Some(service),
        FactKind::Host => first_suspect(&played.answer) == Some(piece),
        FactKind::Quiet => played.document.highlights.iter().all(|said| said.severity == Severity::Info),
        FactKind::Time => {
            let (Some(at), Some(within)) = (fact.at, fact.within) else { return false };
            let expected = played.start + Duration::nanoseconds(at.0);
            let near = |text: &str| {
                OffsetDateTime::parse(text, &Rfc3339)
                    .is_ok_and(|found| (found - expected).abs() <= Duration::nanoseconds(within.0))
            };
            rows.iter().any(|(_, row)| own(row) && row.iter().any(|cell| cell.as_str().is_some_and(near)))
        }
        FactKind::Stopped => rows.iter().any(|(name, row)| {
            let at = |column| row.get(place(&played.answer["sections"][*name], column)?)?.as_f64();
            let left = at("requests_since").zip(at("requests_due"));
            own(row) && holds(row, piece) && left.is_some_and(|(since, due)| since <= due / 7.0)
        }),
        FactKind::Operation
        | FactKind::Step
        | FactKind::Target
        | FactKind::Text
        | FactKind::Change
        | FactKind::Metric
        | FactKind::Event => rows.iter().any(|(_, row)| own(row) && holds(row, piece)),
    }
}

/// The rows of a document by section, the columns named.
fn sections(document: &Document) -> Map<String, Value> {
    let of = |section: &SectionAnswer| {
        let rows = section.rows.iter().map(|row| {
            let cells = section.columns.iter().zip(row);
            cells.map(|(column, cell)| (column.name.clone(), cell.clone())).collect::<Map<_, _>>()
        });
        (section.name.clone(), rows.collect::<Vec<_>>().into())
    };
    document.sections.iter().map(of).collect()
}

/// Whether the fact's words stand anywhere in a text, which is more than can be asked of its rows.
fn said(fact: &Fact, text: &str, start: OffsetDateTime) -> bool {
    let words = [fact.service.as_deref(), fact.is.as_deref()];
    let words = words.into_iter().flatten().all(|word| text.contains(word));
    let time = |at: Offset| (start + Duration::nanoseconds(at.0)).format(&Rfc3339).unwrap();
    // To ten minutes.
    words && fact.at.is_none_or(|at| text.contains(&time(at)[..15]))
}

fn label(fact: &Fact) -> String {
    let words = [fact.service.as_deref(), fact.is.as_deref()].into_iter().flatten();
    format!("{:?} {}", fact.kind, words.collect::<Vec<_>>().join(" ")).trim().to_owned()
}

/// Facts told and stated, those kept by cutting, and what is missing.
struct Score {
    told: usize,
    all: usize,
    cut: usize,
    missing: Vec<String>,
}

fn score(played: &Played) -> Score {
    let facts = &played.scenario.facts;
    let missing: Vec<String> = facts.iter().filter(|fact| !told(fact, played)).map(label).collect();
    let cut = facts.iter().filter(|fact| said(fact, &played.core, played.start)).count();
    Score { told: facts.len() - missing.len(), all: facts.len(), cut, missing }
}

/// Plays all scenarios and gives what is missing, with a table.
async fn proof(seeds: &[u64], ends: &[OffsetDateTime]) -> (Vec<(String, String)>, String) {
    let only = std::env::var("TFO_PROOF_ONLY").ok();
    let (mut missing, mut table) =
        (Vec::new(), String::from("scenario              seed  end    told  cut JSON  not told\n"));
    let (mut told, mut all, mut cut) = (0, 0, 0);
    for name in
        Scenario::names().into_iter().filter(|name| only.as_ref().is_none_or(|only| only.contains(name.as_str())))
    {
        for (seed, end) in seeds.iter().flat_map(|seed| ends.iter().map(move |end| (*seed, *end))) {
            let played = play(&name, seed, end).await;
            let score = score(&played);
            let quiet = played.scenario.facts.iter().any(|fact| fact.kind == FactKind::Quiet);
            let counts = if quiet { (0, 0, 0) } else { (score.told, score.all, score.cut) };
            (told, all, cut) = (told + counts.0, all + counts.1, cut + counts.2);
            let facts = format!("{}/{}", score.told, score.all);
            let not = score.missing.join("; ");
            writeln!(table, "{name:<20}  {seed:>4}  {:02}:00  {facts:>4}  {:>8}  {not}", end.hour(), counts.2).unwrap();
            missing.extend(score.missing.into_iter().map(|fact| (name.clone(), fact)));
        }
    }
    writeln!(table, "recall {told} of {all}; cut JSON {cut} of {all}").unwrap();
    (missing, table)
}

#[test]
fn what_a_story_asks_for_is_there() {
    let catalog = catalog(&[], &CatalogOptions::default());
    for name in Scenario::names() {
        for told in &Scenario::embedded(&name).unwrap().evidence {
            assert!(catalog.context(&told.context).is_some(), "{name}: {}", told.context);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn one_document_tells_every_fact_of_every_scenario() {
    let full = std::env::var("TFO_PROOF").is_ok_and(|word| word == "full");
    let hours = |hours: &[i64]| hours.iter().map(|hours| END - Duration::hours(*hours)).collect::<Vec<_>>();
    let (seeds, ends) = if full { (vec![7, 8, 9], hours(&[0, 4, -6])) } else { (vec![7], hours(&[0])) };
    let (missing, table) = proof(&seeds, &ends).await;
    println!("{table}");
    let known = |miss: &(String, String)| MISSES.contains(&(miss.0.as_str(), miss.1.as_str()));
    let new: Vec<_> = missing.iter().filter(|miss| !known(miss)).collect();
    assert!(new.is_empty(), "not told: {new:#?}\n{table}");
    if !full && std::env::var_os("TFO_PROOF_ONLY").is_none() {
        let told: Vec<_> =
            MISSES.iter().filter(|(name, fact)| !missing.contains(&((*name).to_owned(), (*fact).to_owned()))).collect();
        assert!(told.is_empty(), "told by now, take it off the list: {told:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn quiet_days_raise_nothing() {
    if std::env::var("TFO_PROOF").is_ok_and(|word| word == "full") {
        let mut loud = Vec::new();
        for seed in 100..150 {
            let played = play("quiet-day", seed, END - Duration::hours((seed % 5) as i64)).await;
            let said: Vec<_> =
                played.document.highlights.iter().filter(|said| said.severity != Severity::Info).cloned().collect();
            if !said.is_empty() {
                loud.push((seed, said));
            }
        }
        println!("{} of 50 quiet days say something", loud.len());
        assert!(loud.is_empty(), "{loud:#?}");
    }
}
