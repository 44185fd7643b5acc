//! Sums of each minute: they equal the requests that they were made of, also after merges, after a backfill that was killed and
//! with requests that come late; and sums that are not whole are not believed.

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    sync::Arc,
};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tfo_mcp::{
    engine::{Document, Engine, SectionAnswer},
    source::clickhouse::{
        ClickHouse,
        rollups::{self, Extent, Rollups, SUMS},
    },
};
use time::{OffsetDateTime, macros::datetime};

use crate::{
    answers::{Filled, collect, engine_of, filled, postgres_source},
    sampling::{platform, sampled_above},
    support::clickhouse::{TestClickHouse, clickhouse, executable},
};

const ORGANISATION: &str = "0d9a1f5e-6c1b-4e8f-9b3a-5f2e7c4d1001";

fn section<'d>(document: &'d Document, name: &str) -> &'d SectionAnswer {
    document.sections.iter().find(|section| section.name == name).unwrap()
}

fn column(section: &SectionAnswer, name: &str) -> usize {
    section.columns.iter().position(|column| column.name == name).unwrap()
}

/// An engine that reads rows themselves, and one that reads their sums.
fn raw_and_kept(filled: &Filled, organisation: &str) -> [Engine; 2] {
    [u64::MAX, 1].map(|above| {
        let platform = postgres_source(&filled.postgres);
        engine_of(sampled_above(above), ClickHouse::remote(filled.remote.clone()), platform, organisation)
    })
}

/// Whether a section was read from sums.
fn is_kept(section: &SectionAnswer) -> bool {
    section.remarks.iter().any(|said| said.starts_with("From sums kept of each minute"))
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn sections_from_sums_equal_those_from_requests_and_percentiles_are_of_nearly_the_same_rank() {
    let filled = filled().await;
    let organisation = &filled.generator.world.organizations[0].id_text;
    let [raw, kept] = raw_and_kept(filled, organisation);
    let database = ClickHouse::remote(filled.remote.clone());
    let mut compared = 0;
    for optimised in [false, true] {
        if optimised {
            for sum in &SUMS {
                database.execute(&format!("OPTIMIZE TABLE {} FINAL", sum.table)).await.unwrap();
            }
        }
        for extra in [
            json!({}),
            json!({"time_range": "6h", "service": "checkout"}),
            json!({"start": "2026-11-20T10:17:21.250Z", "end": "2026-11-20T11:41:07.500Z"}),
        ] {
            for (context, name) in [
                ("latency", "services"),
                ("latency", "operations"),
                ("errors", "services"),
                ("service-health", "services"),
                ("errors", "trend"),
                ("errors", "log_errors"),
                ("throughput", "operations"),
                ("throughput", "trend"),
                ("error-budget", "budget"),
                ("error-budget", "spend"),
                ("service-map-traffic", "inflow"),
            ] {
                let (all, sums) =
                    (collect(&raw, context, extra.clone()).await, collect(&kept, context, extra.clone()).await);
                let (all, sums) = (section(&all, name), section(&sums, name));
                assert!(is_kept(sums), "{context} {extra}: {:?} {:?}", sums.remarks, sums.message);
                assert!(!is_kept(all));
                let key = |section: &SectionAnswer, row: &Vec<Value>| -> Vec<Value> {
                    let names = ["service_name", "operation_name", "slot_start", "interval_start", "newest_text"];
                    section
                        .columns
                        .iter()
                        .zip(row)
                        .filter(|(c, _)| names.contains(&c.name.as_str()))
                        .map(|(_, v)| v.clone())
                        .collect()
                };
                let found: HashMap<String, &Vec<Value>> =
                    sums.rows.iter().map(|row| (format!("{:?}", key(sums, row)), row)).collect();
                // The window of sums begins with a whole minute.
                let aligned = extra.get("start").is_none();
                assert!(!aligned || found.len() == all.rows.len(), "{context} {name} {extra}");
                for row in &all.rows {
                    let Some(other) = found.get(&format!("{:?}", key(all, row))) else {
                        assert!(!aligned, "{context} {name} {extra}: {row:?}");
                        continue;
                    };
                    for (at, heading) in all.columns.iter().enumerate() {
                        let (exact, sum) = (&row[at], &other[column(sums, &heading.name)]);
                        let sketched =
                            heading.name.ends_with("_ms") && heading.name != "max_ms" || heading.name == "p95_ratio";
                        if aligned && !sketched && heading.name != "grade" {
                            assert_eq!(exact, sum, "{context} {name} {extra} {} {row:?}", heading.name);
                            compared += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(compared > 500, "{compared}");
    // Percentiles against all durations of the services, as the database has them.
    let rows = database_rows(
        &database,
        &format!(
            "SELECT service_name, arraySort(groupArray(duration_ns)) FROM traces WHERE organization_id = '{organisation}' \
             AND span_kind IN ('SERVER', 'CONSUMER') AND timestamp >= '2026-11-20 11:00:00' AND timestamp < '2026-11-20 12:00:00' \
             GROUP BY service_name"
        ),
    )
    .await;
    let document = collect(&kept, "latency", json!({})).await;
    let services = section(&document, "services");
    for row in &services.rows {
        let of = rows.iter().find(|other| other[0] == row[0]).unwrap();
        let durations: Vec<f64> = of[1].as_array().unwrap().iter().map(|ns| ns.as_f64().unwrap() / 1e6).collect();
        for (name, level) in [("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)] {
            let sketch = row[column(services, name)].as_f64().unwrap();
            let share =
                |below: f64| durations.iter().filter(|ms| **ms <= below).count() as f64 / durations.len() as f64;
            let slack = 0.01 + 1.5 / durations.len() as f64;
            let (low, high) = (share(sketch * 0.999 - 0.01), share(sketch * 1.001 + 0.01));
            assert!(
                low <= level + slack && high >= level - slack,
                "{row:?} {name}: {sketch} is between {low} and {high} of {}",
                durations.len()
            );
        }
    }
}

/// Texts of every severity, in the slots of a long window.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn texts_that_came_grew_or_stopped_are_the_same_from_sums_as_from_lines() {
    let filled = filled().await;
    let organisation = &filled.generator.world.organizations[0].id_text;
    let [raw, kept] = raw_and_kept(filled, organisation);
    let database = ClickHouse::remote(filled.remote.clone());
    let mut severities = HashSet::new();
    for optimised in [false, true] {
        if optimised {
            database.execute("OPTIMIZE TABLE tfo_texts_1m FINAL").await.unwrap();
        }
        for (extra, name) in [(json!({"time_range": "6h"}), "shifts"), (json!({"time_range": "12h"}), "shifts")] {
            let (all, sums) = (collect(&raw, "logs", extra.clone()).await, collect(&kept, "logs", extra.clone()).await);
            let (all, sums) = (section(&all, name), section(&sums, name));
            assert!(is_kept(sums) && !is_kept(all), "{extra}: {:?} {:?}", sums.remarks, sums.message);
            assert_eq!(all.rows, sums.rows, "{extra}");
            let severity = column(all, "severity");
            severities.extend(all.rows.iter().map(|row| row[severity].as_str().unwrap().to_owned()));
        }
    }
    assert!(severities.len() > 1, "{severities:?}");
}

async fn database_rows(database: &ClickHouse, sql: &str) -> Vec<Vec<Value>> {
    crate::support::clickhouse::query(database, sql, &[], crate::support::clickhouse::WIDE).await.unwrap().rows
}

const CUTOFF: OffsetDateTime = datetime!(2026-11-20 09:30:00 UTC);

/// Four days of requests up to the cutoff, 600 an hour.
async fn four_days() -> TestClickHouse {
    let db = clickhouse().await;
    let schema = tfo_mcp::demo::schema::statements(tfo_mcp::demo::schema::CLICKHOUSE);
    db.execute(&[schema.iter().find(|text| text.starts_with("CREATE TABLE traces ")).unwrap().as_str()]).await;
    insert(&db, "2026-11-17 12:00:00", 0, 69 * 600 + 300).await;
    db
}

/// Requests from a time on, one each six seconds; every tenth fails.
async fn insert(db: &TestClickHouse, from: &str, first: u64, number: u64) {
    db.execute(&[&format!(
        "INSERT INTO traces (timestamp, trace_id, span_id, span_name, span_kind, service_name, status_code, duration_ns, \
         organization_id) SELECT toDateTime64('{from}', 9, 'UTC') + toIntervalSecond(6 * number), \
         lower(hex(sipHash128(number))), '1', 'GET /', 'SERVER', 'web', if(number % 10 = 0, 'ERROR', 'OK'), \
         1000000 * (1 + number % 100), '{ORGANISATION}' FROM numbers({first}, {number})"
    )])
    .await;
}

async fn engine(db: &TestClickHouse) -> Engine {
    engine_of(sampled_above(300), ClickHouse::remote(db.config.clone()), Arc::new(platform(ORGANISATION)), ORGANISATION)
}

/// The only service of `latency`: its requests now and before, and what is said of where they come from.
async fn web(db: &TestClickHouse, extra: Value) -> (f64, f64, Vec<String>) {
    let document = collect(&engine(db).await, "latency", extra).await;
    let services = section(&document, "services");
    let row = services.rows.first().unwrap_or_else(|| panic!("{:?}", services.message));
    let number = |name| row[column(services, name)].as_f64().unwrap();
    (number("requests"), number("prev_requests"), services.remarks.clone())
}

async fn sums_by_day(db: &TestClickHouse) -> Vec<Vec<Value>> {
    db.rows("SELECT toString(toDate(minute)), sum(number), sum(failures) FROM tfo_requests_1m GROUP BY 1 ORDER BY 1")
        .await
}

const WHOLE: [(&str, u64); 4] =
    [("2026-11-17", 7200), ("2026-11-18", 14400), ("2026-11-19", 14400), ("2026-11-20", 7200)];

fn whole() -> Vec<Vec<Value>> {
    WHOLE.iter().map(|(day, number)| vec![json!(day), json!(number), json!(number / 10)]).collect()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_backfill_that_was_killed_goes_on_where_it_was_and_counts_nothing_twice() {
    let db = four_days().await;
    let source = ClickHouse::remote(db.config.clone());
    let sums = Rollups::of(&source);
    sums.make(CUTOFF, true).await.unwrap();
    sums.make(CUTOFF, true).await.unwrap();
    assert_eq!(sums_by_day(&db).await, Vec::<Vec<Value>>::new());
    let (_, _, remarks) = web(&db, json!({"start": "2026-11-20T08:00:00Z", "end": "2026-11-20T09:00:00Z"})).await;
    assert!(
        remarks.iter().any(|said| said.contains("they are whole only since 2026-11-20 09:30:00 UTC")),
        "{remarks:?}"
    );
    // As an operator runs it, killed behind the first day.
    let config = &db.config;
    let password = config.password.as_ref().map(|p| p.expose_secret()).unwrap_or_default();
    let login = format!("//{}:{password}@", config.user.as_deref().unwrap_or("default"));
    let url = format!("{}/{}", config.url.replacen("//", &login, 1), config.database);
    let mut child = Command::new(executable())
        .args(["migrate", "telemetry", "--backfill"])
        .env("TFO_MCP_ADMIN_URL", &url)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.find(|line| line.as_ref().unwrap().contains("is filled in")).unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(first, "requests: 2026-11-20 is filled in, 3 days are left");
    let mut left = 0;
    sums.fill(|filled| left += usize::from(filled.what == "requests")).await.unwrap();
    assert!(left <= 3, "{left} days were filled in anew");
    let mut filled = whole();
    filled[3] = vec![json!("2026-11-20"), json!(5700), json!(570)];
    assert_eq!(sums_by_day(&db).await, filled);
    assert_eq!(
        sums.extent(&SUMS[0]).await.unwrap(),
        Some(Extent { cutoff: CUTOFF, since: OffsetDateTime::UNIX_EPOCH })
    );
    assert_eq!(sums.fill(|_| {}).await.unwrap(), 0, "nothing is left");
    db.execute(&["OPTIMIZE TABLE tfo_requests_1m FINAL"]).await;
    assert_eq!(sums_by_day(&db).await, filled);
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn views_take_what_comes_late_rows_are_counted_and_another_backfill_takes_them_in() {
    let db = clickhouse().await;
    let schema = tfo_mcp::demo::schema::statements(tfo_mcp::demo::schema::CLICKHOUSE);
    db.execute(&[schema.iter().find(|text| text.starts_with("CREATE TABLE traces ")).unwrap().as_str()]).await;
    // What is older than the cutoff is there before the views are, the rest comes after.
    insert(&db, "2026-11-17 12:00:00", 0, 69 * 600 + 300).await;
    let source = ClickHouse::remote(db.config.clone());
    let sums = Rollups::of(&source);
    sums.make(CUTOFF, true).await.unwrap();
    insert(&db, "2026-11-17 12:00:00", 69 * 600 + 300, 1500).await;
    sums.fill(|_| {}).await.unwrap();
    assert_eq!(sums_by_day(&db).await, whole());
    let spans = "SELECT toString(toDate(minute)), sum(number), sum(failures) FROM tfo_spans_1m GROUP BY 1 ORDER BY 1";
    assert_eq!(db.rows(spans).await, whole());
    let (now, before, remarks) = web(&db, json!({})).await;
    assert_eq!((now, before), (600.0, 600.0));
    assert!(remarks[0].starts_with("From sums kept of each minute"), "{remarks:?}");
    let (now, before, _) = web(&db, json!({"time_range": "24h"})).await;
    assert_eq!((now, before), (14400.0, 14400.0));

    // Eleven of a day's requests come late: too few to give the sums up, and said.
    insert(&db, "2026-11-18 01:00:00", 0, 11).await;
    let day = json!({"start": "2026-11-19T00:00:00Z", "end": "2026-11-20T00:00:00Z"});
    let (_, before, remarks) = web(&db, day.clone()).await;
    assert_eq!(before, 14400.0);
    assert!(remarks[0].contains("11 requests came too late for them."), "{remarks:?}");
    // A thousand are too many.
    insert(&db, "2026-11-18 02:00:00", 0, 1000).await;
    let (_, _, remarks) = web(&db, day.clone()).await;
    assert!(remarks.iter().any(|said| said.contains("Sums were not read: 1011 requests came too late")), "{remarks:?}");
    assert!(sums.fill(|_| {}).await.unwrap() >= 1);
    // Arrivals are kept by the minute: what came in that of the backfill is called late until the next one, for caution.
    assert_eq!(sums_by_day(&db).await[1][1], json!(15411));
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn sums_that_are_broken_or_stale_are_not_believed() {
    let db = clickhouse().await;
    let schema = tfo_mcp::demo::schema::statements(tfo_mcp::demo::schema::CLICKHOUSE);
    db.execute(&[schema.iter().find(|text| text.starts_with("CREATE TABLE traces ")).unwrap().as_str()]).await;
    let source = ClickHouse::remote(db.config.clone());
    let sums = Rollups::of(&source);
    sums.make(OffsetDateTime::UNIX_EPOCH, true).await.unwrap();
    insert(&db, "2026-11-17 12:00:00", 0, 72 * 600).await;
    assert_eq!(sums_by_day(&db).await, whole());
    db.execute(&[
        "ALTER TABLE tfo_requests_1m DELETE WHERE minute >= '2026-11-20 11:40:00' SETTINGS mutations_sync = 1",
    ])
    .await;
    let (_, _, remarks) = web(&db, json!({})).await;
    assert!(remarks.iter().any(|said| said.contains("they end at 2026-11-20 11:39:00 UTC")), "{remarks:?}");
    db.execute(&["INSERT INTO tfo_rollups SELECT * REPLACE (2 AS version) FROM tfo_rollups"]).await;
    db.execute(&["ALTER TABLE tfo_rollups DELETE WHERE version = 1 SETTINGS mutations_sync = 1"]).await;
    let (_, _, remarks) = web(&db, json!({})).await;
    assert!(remarks.iter().any(|said| said.contains("another version of the server")), "{remarks:?}");
    db.execute(&["DROP TABLE tfo_requests_1m_view SYNC"]).await;
    let (_, _, remarks) = web(&db, json!({})).await;
    assert!(!remarks.iter().any(|said| said.contains("sums")), "{remarks:?}");
    // Whoever runs it again has them made anew, for nobody knows what they missed.
    sums.make(CUTOFF, true).await.unwrap();
    assert_eq!(sums_by_day(&db).await, Vec::<Vec<Value>>::new());
    sums.drop().await.unwrap();
    let left = db.rows("SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name").await;
    assert_eq!(left, [[json!("traces")]]);
}

/// How much is read is known from sums, so that nothing is counted; and from rows where sums are not whole.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn samples_are_chosen_by_kept_numbers_of_spans_and_by_rows_where_these_are_not_whole() {
    let db = four_days().await;
    let source = ClickHouse::remote(db.config.clone());
    let sampled = async || {
        let document = collect(&engine(&db).await, "latency", json!({"time_range": "24h"})).await;
        section(&document, "own_time").samples.clone()
    };
    // 28,500 spans in two days, of which at most 300 are read.
    assert_eq!(sampled().await, [128], "counted");
    let sums = Rollups::of(&source);
    sums.make(CUTOFF, true).await.unwrap();
    assert_eq!(sampled().await, [128], "sums are not whole yet");
    insert(&db, "2026-11-17 12:00:00", 69 * 600 + 300, 1500).await;
    sums.fill(|_| {}).await.unwrap();
    assert_eq!(sampled().await, [128], "summed");
    // Were rows counted, the sample would not change.
    db.execute(&[&format!(
        "INSERT INTO tfo_spans_1m SELECT '{ORGANISATION}', '', 'web', 'SERVER', '2026-11-20 05:00:00', 0, 100000, 0"
    )])
    .await;
    assert_eq!(sampled().await, [512], "summed");
    db.execute(&[
        "INSERT INTO tfo_late_spans SELECT organization_id, '', '2026-11-19', now(), 99999 FROM traces LIMIT 1",
    ])
    .await;
    assert_eq!(sampled().await, [128], "spans that came too late are missing");
}

/// Bodies of which an expression might stumble, in SQL.
const ODD: [&str; 9] = [
    "''",
    "unhex('fffe8080c0')",
    "concat('bad ', unhex('c3'), repeat('x', 400))",
    "repeat('é', 3000)",
    "concat('nul ', char(0), ' inside')",
    "repeat('9', 5000)",
    "repeat(' ', 5000)",
    "concat(repeat('a1', 1000), ' ', repeat('deadbeef', 600))",
    "'\\\\1 $1 \\n {p1:String} <n><id>'",
];

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn no_line_breaks_an_insert_and_texts_of_lines_equal_the_lines_with_late_ones_counted() {
    let db = clickhouse().await;
    let schema = tfo_mcp::demo::schema::statements(tfo_mcp::demo::schema::CLICKHOUSE);
    db.execute(&[schema.iter().find(|text| text.starts_with("CREATE TABLE logs ")).unwrap().as_str()]).await;
    let insert = async |from: &str, body: &str, level: u8| {
        db.execute(&[&format!(
            "INSERT INTO logs (timestamp, trace_id, service_name, severity_number, body, organization_id) \
             SELECT toDateTime64('{from}', 9, 'UTC') + toIntervalSecond(number), if(number % 2 = 0, '', hex(number)), 'web', \
             {level}, {body}, '{ORGANISATION}' FROM numbers(100)"
        )])
        .await;
    };
    let source = ClickHouse::remote(db.config.clone());
    let sums = Rollups::of(&source);
    let lines = SUMS.iter().find(|sum| sum.of() == "logs").unwrap();
    // One half is there before the views are, and is filled in; the other comes after.
    for body in ODD {
        insert("2026-11-19 10:00:30", body, 17).await;
    }
    assert!(sums.make(datetime!(2026-11-20 00:00 UTC), true).await.unwrap());
    for body in ODD {
        insert("2026-11-20 10:00:30", body, 13).await;
    }
    sums.fill(|_| {}).await.unwrap();
    let equal = async || {
        let kept = db
            .rows(
                "SELECT severity, toString(minute), sum(number), toString(min(first_at)), toString(max(last_at)), \
                 hex(argMaxMerge(newest)), argMaxIfMerge(newest_trace) FROM tfo_texts_1m GROUP BY severity, minute ORDER BY 1, 2",
            )
            .await;
        let rows = db
            .rows(
                "SELECT multiIf(severity_number >= 17, 'error', severity_number >= 13, 'warn', 'info') AS severity, \
                 toString(toStartOfMinute(timestamp, 'UTC')) AS minute, count(), toString(min(timestamp)), \
                 toString(max(timestamp)), hex(argMax(shown, (timestamp, shown))), \
                 argMaxIf(trace_id, (timestamp, trace_id), trace_id != '') FROM (SELECT *, \
                 if(lengthUTF8(body) > 2000, concat(substringUTF8(body, 1, 1000), ' … ', substringUTF8(body, -1000)), body) AS shown \
                 FROM logs) GROUP BY severity, minute ORDER BY 1, 2",
            )
            .await;
        assert_eq!(kept, rows);
        assert!(kept.len() >= 4, "{kept:?}");
    };
    equal().await;
    db.execute(&["OPTIMIZE TABLE tfo_texts_1m FINAL"]).await;
    equal().await;
    let longest = db.rows("SELECT max(lengthUTF8(text)) <= 2000, uniqExact(text) <= 9 FROM tfo_texts_1m").await;
    assert_eq!(longest, [[json!(1), json!(1)]]);
    assert_eq!(sums.extent(lines).await.unwrap().unwrap().since, OffsetDateTime::UNIX_EPOCH);
    // What comes late is counted, and taken in by another backfill.
    insert("2026-11-19 11:00:00", "'late 17'", 17).await;
    assert_eq!(db.rows("SELECT sum(number) FROM tfo_late_lines").await, [[json!(100)]]);
    assert_eq!(sums.fill(|_| {}).await.unwrap(), 1);
    equal().await;
}

#[test]
fn what_is_made_is_reviewed() {
    insta::assert_snapshot!("sums", rollups::make(CUTOFF, false).join(";\n\n"));
    // Read and not run: there is no Keeper.
    insta::assert_snapshot!("sums_on_a_cluster", rollups::make_on_cluster(CUTOFF, "it's").join(";\n\n"));
}
