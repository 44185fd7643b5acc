//! Two quiet days, one after the other: a job of every night and the cycle of the day are no news, and what a window is
//! compared with is what was recorded then.

use std::{collections::HashMap, ops::Range, sync::Arc};

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    definition::Severity,
    demo::{
        Generator, Plan, Scenario, load,
        offset::{HOUR, MINUTE},
    },
    engine::{Document, Engine, EngineOptions, Sources, Tenancy},
    source::{
        clickhouse::{ClickHouse, ClickHouseConfig},
        sqlite::Sqlite,
    },
};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    answers::{END, collect},
    sampling::sampled_above,
    support::{clickhouse, pack::catalog},
};

/// Hours before the end of each day of which data are loaded. The job runs from ten hours before the end for 45 minutes.
const LOADED: Range<i64> = 4..11;

/// Types that compare over what is loaded.
const TYPES: [&str; 12] = [
    "ai-root-cause",
    "latency",
    "errors",
    "logs",
    "metrics",
    "traces",
    "throughput",
    "service-health",
    "dependencies",
    "change-events",
    "anomalies",
    "saturation",
];

struct TwoDays {
    telemetry: ClickHouseConfig,
    platform: std::path::PathBuf,
    organisation: String,
    _kept: tempfile::TempDir,
}

impl TwoDays {
    /// Loading makes its tables anew, so that the days are put together behind it; views fill what is derived.
    async fn load() -> Self {
        let scenario = Scenario::embedded("quiet-day").unwrap();
        let mut database: Option<clickhouse::TestClickHouse> = None;
        let kept = tempfile::tempdir().unwrap();
        let platform = kept.path().join("platform.sqlite");
        let mut organisation = String::new();
        for (seed, end) in [(7, END), (8, END - Duration::days(1))] {
            let plan = Plan { seed, end, scale: 0.3, scenario: Some(scenario.clone()) };
            let generator = Arc::new(Generator::new(plan).unwrap());
            let slot = |hours: i64| (generator.end() - hours * HOUR - generator.start()) / (5 * MINUTE);
            let slots = slot(LOADED.end)..slot(LOADED.start);
            let units = generator.units().filter(|unit| slots.contains(&(unit.slot as i64))).collect();
            let day = clickhouse::clickhouse().await;
            load::part(&generator, &day.source, units, |_| {}).await.unwrap();
            match &database {
                None => {
                    load::sqlite(&generator, &platform).await.unwrap();
                    organisation = generator.world.organization(&scenario.organization).unwrap().id_text.clone();
                    database = Some(day);
                }
                Some(both) => {
                    for table in ["logs", "metrics", "traces", "kubernetes_metrics", "vm_metrics"] {
                        let (to, from) = (&both.database, &day.database);
                        let copy = format!("INSERT INTO {to}.{table} SELECT * FROM {from}.{table}");
                        day.source.execute(&copy).await.unwrap();
                    }
                }
            }
        }
        Self { telemetry: database.unwrap().config, platform, organisation, _kept: kept }
    }

    fn engine(&self, catalog: Catalog) -> Engine {
        let mut sources = Sources::default();
        sources.bind("telemetry", Arc::new(ClickHouse::remote(self.telemetry.clone())));
        sources.bind("platform", Arc::new(Sqlite::new(self.platform.clone())));
        let options = EngineOptions {
            tenancy: Tenancy { organization_id: Some(self.organisation.clone()), ..Tenancy::default() },
            clock: Arc::new(|| END),
            context_deadline: std::time::Duration::from_secs(120),
            ..EngineOptions::default()
        };
        Engine::new(catalog, sources, options)
    }
}

fn stamp(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap()
}

/// The hour that ends so many hours before the end.
async fn hour(engine: &Engine, context: &str, baseline: &str, ended: i64) -> Document {
    let end = END - Duration::hours(ended);
    let arguments = json!({ "start": stamp(end - Duration::HOUR), "end": stamp(end), "baseline": baseline });
    let document = collect(engine, context, arguments).await;
    assert!(!document.status.is_problem(), "{context}: {}", document.summary);
    document
}

/// Figures that say what they were before, by section, texts of the row and name: now and before.
fn figures(document: &Document) -> HashMap<String, [Option<f64>; 2]> {
    let mut figures = HashMap::new();
    for section in &document.sections {
        let at = |name: &str| section.columns.iter().position(|column| column.name == name);
        for row in &section.rows {
            let texts: Vec<&str> = row.iter().filter_map(Value::as_str).collect();
            for (before, column) in section.columns.iter().enumerate() {
                let Some(now) = column.name.strip_prefix("prev_").and_then(at) else { continue };
                let key = format!("{} {texts:?} {}", section.name, column.name);
                figures.insert(key, [row[now].as_f64(), row[before].as_f64()]);
            }
        }
    }
    figures
}

/// One load of two days for all that is asked of it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_quiet_day_after_a_quiet_day_raises_nothing_and_is_compared_with_it() {
    let days = TwoDays::load().await;
    let engine = days.engine(catalog(&[], &CatalogOptions::default()));
    let mut said = [Vec::new(), Vec::new()];
    // While the job runs, behind it, and in the morning.
    for ended in [9, 8, 5] {
        for context in TYPES {
            for (at, baseline) in ["previous", "auto"].into_iter().enumerate() {
                let document = hour(&engine, context, baseline, ended).await;
                let bad = document.highlights.iter().filter(|said| said.severity != Severity::Info);
                said[at].extend(bad.map(|said| format!("{ended} hours before the end, {context}: {}", said.text)));
            }
        }
    }
    assert!(said[0].iter().any(|said| said.contains("throughput: worker: traffic rose")), "{:#?}", said[0]);
    assert!(said[0].iter().any(|said| said.contains("ai-root-cause: worker turned bad")), "{:#?}", said[0]);
    assert_eq!(said[1], [""; 0]);

    // What was before is what the hour was that it is compared with.
    let mut compared = 0;
    for context in TYPES {
        let (now, then) = (hour(&engine, context, "day", 9).await, hour(&engine, context, "previous", 9 + 24).await);
        let (now, then) = (figures(&now), figures(&then));
        for (key, [_, before]) in &now {
            let Some([recorded, _]) = then.get(key) else { continue };
            assert_eq!(before, recorded, "{context}: {key}");
            compared += usize::from(before.is_some());
        }
    }
    assert!(compared > 200, "{compared}");

    // Sums leave out what lies between as well.
    let sums = days.engine(sampled_above(1));
    for context in ["latency", "errors", "service-health"] {
        let (raw, kept) = (hour(&engine, context, "day", 9).await, hour(&sums, context, "day", 9).await);
        let section = kept.sections.iter().find(|section| section.name == "services").unwrap();
        let from_sums = |said: &String| said.starts_with("From sums kept of each minute");
        assert!(section.remarks.iter().any(from_sums), "{context}: {:?}", section.remarks);
        let (raw, kept) = (figures(&raw), figures(&kept));
        let counts = raw.iter().filter(|(key, _)| key.starts_with("services ") && !key.ends_with("_ms"));
        let counts: Vec<_> = counts.collect();
        assert!(!counts.is_empty());
        for (key, figure) in counts {
            assert_eq!(kept.get(key), Some(figure), "{context}: {key}");
        }
    }
}
