//! Samples of whole traces: how they are chosen for ids of every kind, that their numbers miss their intervals no more often
//! than they say, and that size ends no statement.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    check,
    definition::Definition,
    diagnostic::Severity,
    engine::{Document, Engine, EngineOptions, SectionAnswer, Sources, Status, Tenancy},
    load,
    source::{SourceErrorKind, clickhouse::ClickHouse},
    sql::Dialect,
};

use crate::{
    answers::{END, collect, engine_of, filled, postgres_source},
    support::{
        clickhouse::{TestClickHouse, clickhouse},
        scripted::{Reply, Scripted, Seen},
    },
};

/// The shipped definitions, of which more than so many rows are read from a sample.
pub fn sampled_above(rows: u64) -> Catalog {
    let loaded = load::load(&load::Request { built_in: true, ..load::Request::default() });
    let (mut definitions, templates) = check::check(loaded, check::Options { built_in: false }).into_parts();
    for definition in &mut definitions {
        let Definition::Context(context) = definition else { continue };
        for way in context.sections.values_mut().flat_map(|section| &mut section.query) {
            way.sampled.iter_mut().for_each(|sampled| sampled.above = rows);
            way.kept.iter_mut().for_each(|kept| kept.above = None);
        }
    }
    let (catalog, problems) = Catalog::compile(definitions, &templates, &CatalogOptions::default());
    assert_eq!(problems, []);
    catalog
}

const KINDS: [(&str, &str, &str); 6] = [
    ("W3C", "lower(hex(sipHash128(number, seed)))", "the first digits of their ids"),
    ("upper case", "hex(sipHash128(number, seed))", "the first digits of their ids"),
    ("UUID", "toString(reinterpretAsUUID(sipHash128(number, seed)))", "the first digits of their ids"),
    ("X-Ray", "concat('1-5759e988-', lower(substring(hex(sipHash128(number, seed)), 1, 24)))", "a hash of their ids"),
    (
        "zero-padded B3",
        "concat('0000000000000000', lower(substring(hex(sipHash128(number, seed)), 1, 16)))",
        "a hash of their ids",
    ),
    ("decimal", "toString(sipHash64(number, seed))", "a hash of their ids"),
];

const TRACES: u64 = 32_000;

/// Organisation `n` of a kind of ids. Services are called by their numbers: service `k` has every `k + 1`th trace, in which it
/// answers one to three requests, and every twentieth of these traces fails in it.
fn organisation(kind: usize, n: usize) -> String {
    format!("0d9a1f5e-6c1b-4e8f-9b3a-{kind:04}{n:08}")
}

async fn filled_with(kind: usize, organisations: usize) -> TestClickHouse {
    let db = clickhouse().await;
    let schema = tfo_mcp::demo::schema::statements(tfo_mcp::demo::schema::CLICKHOUSE);
    let table = schema.iter().find(|text| text.starts_with("CREATE TABLE traces ")).unwrap().clone();
    db.execute(&[&table]).await;
    for n in 0..organisations {
        let (ids, organisation) = (KINDS[kind].1, organisation(kind, n));
        db.execute(&[&format!(
            "INSERT INTO traces (timestamp, trace_id, span_id, parent_span_id, span_name, span_kind, service_name, \
             status_code, duration_ns, organization_id, workspace_id) \
             WITH {n} AS seed, arrayJoin(arrayFilter(k -> number % (k + 1) = 0, range(8))) AS service, \
             arrayJoin(range(1 + intDiv(number, service + 1) % 3)) AS nth \
             SELECT toDateTime64('2026-11-20 11:00:00', 9, 'UTC') + number % 3600, {ids}, \
             hex(sipHash64(number, seed, service, nth)), '', 'GET /', 'SERVER', concat('s', toString(service)), \
             if(intDiv(number, service + 1) % 20 = 0, 'ERROR', 'OK'), 1000000 * (1 + sipHash64(number, nth) % 1000), \
             '{organisation}', '' FROM numbers({TRACES})"
        )])
        .await;
    }
    db
}

/// Requests and errors of a service, from the rule by which they were made.
fn made(service: u64) -> (u64, u64) {
    let traces = (0..TRACES).step_by(service as usize + 1).enumerate();
    traces.fold((0, 0), |(requests, errors), (nth, _)| {
        let number = 1 + nth as u64 % 3;
        (requests + number, errors + if nth % 20 == 0 { number } else { 0 })
    })
}

fn section<'d>(document: &'d Document, name: &str) -> &'d SectionAnswer {
    document.sections.iter().find(|section| section.name == name).unwrap()
}

/// The rows of a section by their first value, as numbers by column.
fn numbers(section: &SectionAnswer) -> HashMap<String, HashMap<&str, f64>> {
    let row = |row: &Vec<Value>| {
        let named = section.columns.iter().zip(row);
        let values = named.filter_map(|(column, value)| Some((column.name.as_str(), value.as_f64()?)));
        (row[0].as_str().unwrap().to_owned(), values.collect())
    };
    section.rows.iter().map(row).collect()
}

/// A platform that lists one organisation, and nothing else.
pub fn platform(organisation: &str) -> Scripted {
    let row = vec![organisation.into(), "Test".into()];
    Scripted::default()
        .on("FROM organizations", Reply::Rows(vec!["organization_id", "name"], vec![row]))
        .on("", Reply::Rows(vec!["nothing"], Vec::new()))
}

async fn engine(db: &TestClickHouse, catalog: Catalog, organisation: &str) -> Engine {
    engine_of(catalog, ClickHouse::remote(db.config.clone()), Arc::new(platform(organisation)), organisation)
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn ids_that_are_no_random_digits_are_sampled_by_a_hash_and_all_kinds_give_right_numbers() {
    for (kind, (name, _, how)) in KINDS.iter().enumerate() {
        let db = filled_with(kind, 1).await;
        let engine = engine(&db, sampled_above(12_000), &organisation(kind, 0)).await;
        let document = collect(&engine, "traces", json!({})).await;
        let services = section(&document, "services");
        assert_eq!(services.covered(), ["from 1 of 16 traces"], "{name}");
        assert!(services.remarks[0].starts_with(&format!("Whole traces by {how}.")), "{name}: {:?}", services.remarks);
        for (service, row) in numbers(services) {
            let (requests, errors) = made(service[1..].parse().unwrap());
            assert!(row["requests"] % 16.0 == 0.0, "{name} {row:?}");
            // Four times as wide as 99 %: never by chance.
            for (column, truth) in [("requests", requests), ("errors", errors)] {
                let (number, within) = (row[column], row[format!("{column}_within").as_str()]);
                assert!(
                    (number - truth as f64).abs() <= 2.0 * within,
                    "{name} {service} {column} {number} ± {within} {truth}"
                );
                assert!(
                    within <= 400.0 + 40.0 * (truth as f64).sqrt(),
                    "{name} {service} {column} ± {within} of {truth}"
                );
            }
        }
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn sampled_numbers_miss_their_intervals_no_more_often_than_they_say() {
    for kind in [0, 5] {
        let db = filled_with(kind, 20).await;
        let (mut intervals, mut missed, mut off) = (0, Vec::new(), 0);
        for seed in 0..20 {
            let engine = engine(&db, sampled_above(10_000), &organisation(kind, seed)).await;
            let document = collect(&engine, "traces", json!({})).await;
            for (service, row) in numbers(section(&document, "services")) {
                let (requests, errors) = made(service[1..].parse().unwrap());
                for (column, truth) in [("requests", requests), ("errors", errors)] {
                    let (number, within) = (row[column], row[format!("{column}_within").as_str()]);
                    intervals += 1;
                    off += usize::from(number != truth as f64);
                    if (number - truth as f64).abs() > within {
                        missed.push(format!("{seed} {service} {column}: {number} ± {within}, {truth}"));
                    }
                }
            }
        }
        assert_eq!(intervals, 320);
        assert!(off > 300, "they are estimates: {off}");
        // 3.2 are expected; ten or more have a probability below 0.2 % even if all were independent.
        assert!(missed.len() < 10, "{missed:#?}");
        println!("{} ids: {} of {intervals} intervals of 99 % missed the number", KINDS[kind].0, missed.len());
    }
}

/// What a sample must not change: which services and operations there are, and what share of what fails, but for chance.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn every_sampled_section_shows_the_number_within_its_interval() {
    let filled = filled().await;
    let organisation = &filled.generator.world.organizations[0].id_text;
    let engine = |catalog| {
        let platform = postgres_source(&filled.postgres);
        engine_of(catalog, ClickHouse::remote(filled.remote.clone()), platform, organisation)
    };
    let (whole, sample) = (engine(sampled_above(u64::MAX)), engine(sampled_above(5_000)));
    let (mut compared, mut missed, mut seen) = (0, Vec::new(), Vec::new());
    for (name, entry) in whole.catalog().contexts.iter() {
        let sampled = |section: &tfo_mcp::definition::Section| section.query.iter().any(|way| way.sampled.is_some());
        if !entry.definition.sections.values().any(sampled) {
            continue;
        }
        let extra = json!({"time_range": "6h"});
        let (all, some) = (collect(&whole, name, extra.clone()).await, collect(&sample, name, extra).await);
        for (all, some) in all.sections.iter().zip(&some.sections) {
            assert_eq!((&all.name, all.status.is_problem()), (&some.name, false), "{name} {:?}", some.message);
            if some.remarks.is_empty() {
                continue;
            }
            seen.push(format!("{name}.{}", some.name));
            let keys: Vec<&str> = some.columns.iter().map(|column| column.name.as_str()).collect();
            let (withins, others): (Vec<&str>, Vec<&str>) = keys.iter().partition(|key| key.ends_with("_within"));
            assert!(!all.columns.iter().any(|column| column.name.ends_with("_within")));
            let columns: Vec<&str> = all.columns.iter().map(|column| column.name.as_str()).collect();
            assert_eq!(others, columns, "{name} {}", all.name);
            let index = |section: &SectionAnswer, name: &str| {
                section.columns.iter().position(|column| column.name == name).unwrap()
            };
            // Rows are of one thing where their texts are the same.
            let of = |section: &SectionAnswer, row: &Vec<Value>| -> Vec<Value> {
                row.iter()
                    .zip(&section.columns)
                    .filter(|(value, column)| {
                        value.is_string() && !matches!(column.name.as_str(), "top_error" | "edge" | "grade")
                    })
                    .map(|(value, _)| value.clone())
                    .collect()
            };
            for row in &some.rows {
                let Some(exact) = all.rows.iter().find(|other| of(all, other) == of(some, row)) else { continue };
                for within in &withins {
                    let column = within.trim_end_matches("_within");
                    let (exact, number) = (exact[index(all, column)].as_f64(), row[index(some, column)].as_f64());
                    let (Some(exact), Some(number)) = (exact, number) else { continue };
                    compared += 1;
                    if (exact - number).abs() > row[index(some, within)].as_f64().unwrap() {
                        missed.push(format!("{name}.{} {row:?} {exact}", some.name));
                    }
                }
            }
        }
    }
    println!("{compared} numbers of {} sections, {} outside of their interval: {seen:?}", seen.len(), missed.len());
    assert!(compared > 100, "{compared}");
    assert!(missed.len() * 50 <= compared, "{} of {compared}: {missed:#?}", missed.len());
}

fn scripted(source: Scripted, deadline: Duration) -> (Engine, Seen) {
    let seen = source.seen.clone();
    let mut sources = Sources::default();
    sources.bind("telemetry", Arc::new(source.speaks(Dialect::ClickHouse).table("traces", &[])));
    sources.bind("platform", Arc::new(platform(&organisation(0, 0))));
    let options = EngineOptions {
        tenancy: Tenancy { organization_id: Some(organisation(0, 0)), ..Tenancy::default() },
        clock: Arc::new(|| END),
        context_deadline: deadline,
        ..EngineOptions::default()
    };
    let catalog = crate::support::pack::catalog(&[("definitions/few.yaml", FEW)], &CatalogOptions::default());
    (Engine::new(catalog, sources, options), seen)
}

const FEW: &str = "
kind: context
name: few
category: observability
title: Requests
description: For the test, how many requests there were of each service.
persona: latency-analyst
sections:
  requests:
    title: Requests
    source: telemetry
    query:
      - sampled: { weigh: request_weight, above: 1000000 }
        sql: |
          SELECT service_name, count() * {% include \"one_of\" %} AS requests
          FROM ({% include \"requests\" %})
          GROUP BY service_name
          ORDER BY service_name
          LIMIT {{ limit }}
highlights:
  - when: not sections.requests.rows
    say: Nobody was asked
summary: >-
  {% if sections.requests.rows %}Most was asked of {{ sections.requests.rows[0].service_name }}.
  {%- else %}Nobody was asked.{% endif %}
";

/// Weighed as so many rows, but more than the database can read at once; of a sample it reads `sampled`.
fn heavy(rows: u64, sampled: Vec<Vec<Value>>, why: Reply) -> Scripted {
    Scripted::default()
        .on("AS part", Reply::Rows(vec!["part", "number"], vec![vec!["web".into(), rows.into()]]))
        .on("% {p", Reply::Rows(vec!["service_name", "requests"], sampled))
        .on("AS requests", why)
}

fn heavier_than_it_seems(why: Reply) -> Scripted {
    heavy(200_000, vec![vec!["web".into(), 1_600.into()]], why)
}

#[tokio::test]
async fn a_statement_that_a_limit_ends_is_answered_from_a_sample_within_the_same_call() {
    for why in [Reply::Fail(SourceErrorKind::Exhausted), Reply::Fail(SourceErrorKind::Timeout), Reply::Late] {
        let (engine, seen) = scripted(heavier_than_it_seems(why), Duration::from_millis(400));
        let document = collect(&engine, "few", json!({})).await;
        let requests = section(&document, "requests");
        assert_eq!(requests.status, Status::Ok, "{:?}", requests.message);
        assert_eq!(requests.covered(), ["from 1 of 16 traces"]);
        assert!(requests.remarks[0].contains("(more were too much to read)"), "{:?}", requests.remarks);
        assert_eq!(document.status, Status::Ok);
        assert_eq!(document.summary, "Most was asked of web. \"Requests\": from 1 of 16 traces.");
        let seen = seen.lock().unwrap();
        assert_eq!(seen.iter().filter(|(sql, _)| sql.contains("AS requests")).count(), 2, "{seen:#?}");
    }
}

#[tokio::test]
async fn nothing_in_a_sample_that_a_limit_left_is_not_told_as_nothing() {
    let why = Reply::Fail(SourceErrorKind::Timeout);
    let (engine, _) = scripted(heavy(200_000, Vec::new(), why), Duration::from_secs(5));
    let document = collect(&engine, "few", json!({})).await;
    assert_eq!((section(&document, "requests").status, document.status), (Status::Partial, Status::Partial));
    let said = "nothing was found in a sample of 1 of 16 traces, which does not mean that there is none";
    assert!(document.summary.contains(said), "{}", document.summary);
    assert!(!document.summary.contains("Nobody"), "{}", document.summary);
    assert!(document.highlights.is_empty(), "{:?}", document.highlights);
    let text = engine.render(&document, tfo_mcp::engine::Format::Markdown, None);
    assert!(text.contains(&format!("Too little could be read: {said}.")), "{text}");
}

#[tokio::test]
async fn the_first_of_a_few_that_a_limit_left_is_not_told_as_the_first() {
    let rows = vec![vec!["web".into(), 32.into()], vec!["cart".into(), 16.into()]];
    let (engine, _) = scripted(heavy(200_000, rows, Reply::Fail(SourceErrorKind::Timeout)), Duration::from_secs(5));
    let document = collect(&engine, "few", json!({})).await;
    assert_eq!((section(&document, "requests").status, document.status), (Status::Ok, Status::Ok));
    assert!(!document.summary.contains("Most"), "{}", document.summary);
    assert!(document.summary.contains("fewer than 15 of what is counted were read"), "{}", document.summary);
}

#[tokio::test]
async fn what_takes_too_long_is_sampled_as_long_as_enough_is_left_of_it() {
    let rows = vec![vec!["web".into(), 8_000.into()]];
    let (engine, _) = scripted(heavy(104_000, rows, Reply::Fail(SourceErrorKind::Timeout)), Duration::from_secs(5));
    let document = collect(&engine, "few", json!({})).await;
    assert_eq!(section(&document, "requests").covered(), ["from 1 of 8 traces"]);
}

#[tokio::test]
async fn little_data_that_take_too_long_are_said_to_take_too_long_and_not_sampled() {
    let why = Reply::Fail(SourceErrorKind::Timeout);
    let (engine, seen) = scripted(heavy(19_000, Vec::new(), why), Duration::from_secs(5));
    let document = collect(&engine, "few", json!({})).await;
    assert_eq!(section(&document, "requests").status, Status::Timeout);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.iter().filter(|(sql, _)| sql.contains("AS requests")).count(), 1, "{seen:#?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_statement_is_told_and_not_asked_again_of_less() {
    let (engine, seen) =
        scripted(heavier_than_it_seems(Reply::Fail(SourceErrorKind::Invalid)), Duration::from_millis(400));
    let document = collect(&engine, "few", json!({})).await;
    assert_eq!(section(&document, "requests").status, Status::Error);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.iter().filter(|(sql, _)| sql.contains("AS requests")).count(), 1, "{seen:#?}");
}

#[tokio::test]
async fn rows_that_cannot_even_be_counted_in_time_are_sampled_and_samples_shrink_until_one_is_read() {
    let source = Scripted::default()
        .on("AS part", Reply::Fail(SourceErrorKind::Timeout))
        .on("AS requests", Reply::Fail(SourceErrorKind::Exhausted));
    let (engine, seen) = scripted(source, Duration::from_secs(5));
    let document = collect(&engine, "few", json!({})).await;
    assert_eq!(section(&document, "requests").status, Status::Error, "there is no end to it");
    let seen = seen.lock().unwrap();
    let asked: Vec<_> = seen.iter().filter(|(sql, _)| sql.contains("AS requests")).map(|(_, binds)| binds).collect();
    assert_eq!(asked.len(), 3);
    for (binds, of) in asked.iter().zip([16, 256, 4096]) {
        assert!(binds.contains(&tfo_mcp::sql::Bind::Integer(of)), "{of} {binds:?}");
    }
}

#[test]
fn a_sampled_statement_that_reads_all_rows_all_the_same_is_a_mistake() {
    let unsampled = FEW
        .replace("({% include \"requests\" %})", "traces WHERE organization_id = {{ organization_id }}")
        .replace("{% include \"one_of\" %}", "1");
    let unknown = FEW.replace("request_weight", "request_wait");
    let found = |text: &str| -> Vec<String> {
        let loaded = load::load(&load::Request { built_in: true, ..load::Request::default() });
        let loaded = loaded.with_text("definitions/few.yaml", text.to_owned());
        let checked = check::check(loaded, check::Options { built_in: false });
        checked
            .diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error)
            .map(|f| f.message.clone())
            .collect()
    };
    assert_eq!(found(FEW), Vec::<String>::new());
    let unsampled = found(&unsampled);
    assert!(
        unsampled.contains(&"the statement reads all rows: it has no condition on `sample`".to_owned()),
        "{unsampled:?}"
    );
    assert_eq!(found(&unknown), ["there is no fragment `request_wait`, which this statement needs beside it"]);
}
