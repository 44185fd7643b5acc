//! What documents say of records as they stand now in windows of another time, of windows without data, of filter values
//! that do not exist, and of their own texts that fail. Over scripted sources, and a few rows that a test writes.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    definition::Severity,
    engine::{Call, Document, Engine, EngineOptions, Format, Sources, Status, Tenancy},
    source::{SourceErrorKind, clickhouse::ClickHouse},
    sql::Dialect,
};
use time::macros::datetime;

use crate::{
    answers::{collect, engine_of, filled, postgres_source},
    own_rows::{OWN, over, requests, rows},
    support::{
        pack::catalog,
        scripted::{Reply, Scripted},
    },
};

/// `hosts` are records, `load` is of the window, `made` has a column about the window; `ends` tells whether there are any data.
const PROBE: &str = r#"
kind: context
name: probe
category: test
title: Probe
description: Records beside measurements.
persona: observability-generalist
window: { default: 1h, max: 366d }
sections:
  hosts:
    title: Hosts
    source: platform
    join: { section: load, on: host }
    query:
      - sql: SELECT host, state FROM hosts WHERE organization_id = {{ organization_id }} LIMIT {{ limit }}
  made:
    title: Made
    source: platform
    current: true
    query:
      - sql: SELECT thing, since >= {{ from }} AS is_new FROM made WHERE organization_id = {{ organization_id }}
  load:
    title: Load
    source: telemetry
    query:
      - requires: [load]
        sql: >-
          SELECT host, cpu FROM load WHERE organization_id = {{ organization_id }} AND t >= {{ from }} AND t < {{ to }}
          LIMIT {{ limit }}
  ends:
    title: Measurements
    source: telemetry
    when_empty: true
    query:
      - requires: [load]
        sql: >-
          SELECT newest, newest_before, oldest_after FROM ends WHERE organization_id = {{ organization_id }}
          AND t >= {{ around_from }} AND t < {{ around_to }} AND t >= {{ from }} AND t < {{ to }}
highlights:
  - each: hosts
    when: row.state == 'bad'
    severity: critical
    say: "{{ row.host }} is bad"
  - each: hosts
    when: row.found_in == 'only hosts'
    severity: critical
    say: "{{ row.host }} is silent"
  - each: hosts
    when: row.cpu is not none and row.cpu > 90
    severity: warning
    say: "{{ row.host }} is at {{ row.cpu }}"
  - each: made
    when: row.thing == 'shell'
    severity: warning
    say: "{{ row.thing }} is open"
  - each: load
    when: row.cpu < 5
    severity: warning
    say: "{{ row.host }} does nothing"
summary: "Hosts: {{ sections.hosts.total }}.{% if window.ends_now %} Up to now.{% endif %}"
"#;

/// Two hosts, one of which was measured at `cpu`; none where nothing was recorded.
fn probe(text: &str, cpu: Option<i64>) -> Engine {
    probe_until(text, cpu, cpu.map(|_| "2026-11-20T11:59:59.000Z"))
}

/// The same, with data of which the newest was recorded then.
fn probe_until(text: &str, cpu: Option<i64>, newest: Option<&str>) -> Engine {
    let hosts =
        Reply::Rows(vec!["host", "state"], vec![vec![json!("a"), json!("bad")], vec![json!("b"), json!("good")]]);
    let load = cpu.map(|cpu| vec![json!("a"), json!(cpu)]).into_iter().collect();
    let ends = Reply::Rows(
        vec!["newest", "newest_before", "oldest_after"],
        vec![vec![json!(newest), json!(null), json!(null)]],
    );
    let listed = Reply::Rows(vec!["organization_id", "name"], vec![vec![json!(OWN), json!("Acme")]]);
    let platform = Scripted::default()
        .on("FROM organizations", listed)
        .on("FROM hosts", hosts)
        .on("FROM nowhere", Reply::Fail(SourceErrorKind::Failed))
        .on("FROM made", Reply::Rows(vec!["thing", "is_new"], vec![vec![json!("shell"), json!(0)]]));
    let telemetry = Scripted::default()
        .table("load", &["host"])
        .speaks(Dialect::ClickHouse)
        .on("FROM load", Reply::Rows(vec!["host", "cpu"], load))
        .on("FROM ends", ends);
    let mut sources = Sources::default();
    sources.bind("platform", Arc::new(platform));
    sources.bind("telemetry", Arc::new(telemetry));
    let options = EngineOptions {
        tenancy: Tenancy { organization_id: Some(OWN.into()), ..Tenancy::default() },
        clock: Arc::new(|| datetime!(2026-11-20 12:00 UTC)),
        ..EngineOptions::default()
    };
    Engine::new(catalog(&[("definitions/probe.yaml", text)], &CatalogOptions::default()), sources, options)
}

#[tokio::test]
async fn what_stands_beside_a_record_is_as_void_as_the_section_that_it_is_from() {
    for (newest, said) in [(Some("2026-11-20T11:59:59.000Z"), true), (None, false)] {
        let document = ask(&probe_until(PROBE, Some(95), newest), json!({})).await;
        assert_eq!(highlights(&document).contains("a is at 95"), said, "{}", highlights(&document));
        assert!(highlights(&document).contains("a is bad"), "{}", highlights(&document));
    }
}

async fn ask(engine: &Engine, window: Value) -> Document {
    let mut arguments: Map<String, Value> = window.as_object().cloned().unwrap();
    arguments.insert("context_type".into(), "probe".into());
    engine.collect_context(arguments, &Call::default()).await.unwrap()
}

fn told(document: &Document) -> Vec<(Severity, &str)> {
    document.highlights.iter().map(|remark| (remark.severity, remark.text.as_str())).collect()
}

fn highlights(document: &Document) -> String {
    document.highlights.iter().map(|remark| remark.text.as_str()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn nothing_found_is_told_from_nothing_recorded() {
    let said = async |newest: Option<&str>, expected: &str| {
        let text = PROBE.replace("    join: { section: load, on: host }\n", "");
        let text = text.replace("row.found_in == 'only hosts'", "row.state == 'gone'");
        let text = text.replace("row.cpu is not none and row.cpu > 90", "row.state == 'gone'");
        let text = text.replace("{{ row.host }} is at {{ row.cpu }}", "{{ row.host }} is gone");
        let document = ask(&probe_until(&text, None, newest), json!({ "time_range": "1h" })).await;
        let load = document.sections.iter().find(|section| section.name == "load").unwrap();
        assert!(load.rows.is_empty(), "{load:?}");
        assert_eq!(load.nothing(), expected);
    };
    // Something was recorded, and a condition of the section left it out.
    said(Some("2026-11-20T11:59:59.000Z"), "nothing was found").await;
    said(None, "no measurements were ever recorded here").await;
}

#[tokio::test]
async fn records_of_now_are_no_alarm_of_another_window_and_say_as_of_when_they_are() {
    use Severity::{Critical, Info, Warning};
    let engine = probe(PROBE, Some(95));
    // Five minutes ago is now for an hour.
    for window in
        [json!({ "time_range": "1h" }), json!({ "start": "2026-11-20T10:55:00Z", "end": "2026-11-20T11:55:00Z" })]
    {
        let now = ask(&engine, window).await;
        let said =
            [(Critical, "a is bad"), (Critical, "b is silent"), (Warning, "a is at 95"), (Warning, "shell is open")];
        assert_eq!(told(&now), said);
        assert_eq!(now.summary, "Hosts: 2. Up to now.");
    }
    let past = ask(&engine, json!({ "start": "2026-11-20T08:00:00Z", "end": "2026-11-20T09:00:00Z" })).await;
    let mark = " (as of now, 2026-11-20T12:00:00Z, not of this window)";
    let records = ["a is bad", "b is silent", "shell is open"].map(|said| format!("{said}{mark}"));
    // What was measured is of the window.
    let said: Vec<(Severity, &str)> =
        [(Warning, "a is at 95")].into_iter().chain(records.iter().map(|said| (Info, said.as_str()))).collect();
    assert_eq!(told(&past), said);
    assert_eq!(past.summary, "Hosts: 2. As of now, 2026-11-20T12:00:00Z, not of this window: \"Hosts\", \"Made\".");
    let shown = engine.render(&past, Format::Markdown, None);
    assert_eq!(shown.matches("Records as they stand at 2026-11-20T12:00:00Z (now), not in this window.").count(), 2);
    // Nothing is of a window that has not begun.
    let ahead = ask(&engine, json!({ "start": "2026-11-21T08:00:00Z", "end": "2026-11-21T09:00:00Z" })).await;
    assert!(
        told(&ahead).iter().all(|(severity, said)| *severity == Info && said.ends_with(mark)),
        "{:?}",
        told(&ahead)
    );
}

#[tokio::test]
async fn of_a_window_to_come_is_said_what_stands_now_and_what_is_of_before() {
    let section = |name: &str, title: &str, bound: &str| {
        format!(
            "  {name}:\n    title: {title}\n    source: platform\n    query:\n      - sql: SELECT thing FROM made WHERE \
             organization_id = {{{{ organization_id }}}} AND since < {{{{ {bound} }}}}\n"
        )
    };
    let more = section("open", "Open at the end", "to") + &section("moved", "Against before", "prev_from");
    let text = PROBE.replace("  load:\n", &format!("{more}  load:\n"));
    let text = text.replace("highlights:\n", "highlights:\n  - { each: moved, when: row.thing, say: It stopped }\n");
    let engine = probe(&text, Some(95));
    let ahead = ask(&engine, json!({ "start": "2026-11-21T08:00:00Z", "end": "2026-11-21T09:00:00Z" })).await;
    for said in
        ["not of this window: \"Hosts\", \"Made\", \"Open at the end\"", "Not of this window: \"Against before\"."]
    {
        assert!(ahead.summary.contains(said), "{said}: {}", ahead.summary);
    }
    assert!(!highlights(&ahead).contains("It stopped"), "{:?}", told(&ahead));
    let past = ask(&engine, json!({ "start": "2026-11-20T08:00:00Z", "end": "2026-11-20T09:00:00Z" })).await;
    assert!(!past.summary.contains("Open at the end") && highlights(&past).contains("It stopped"), "{}", past.summary);
}

#[tokio::test]
async fn what_is_of_before_is_so_where_something_could_not_be_read_too() {
    let broken = "  broken:\n    title: Broken\n    source: platform\n    query:\n      - sql: SELECT x FROM nowhere WHERE \
                  organization_id = {{ organization_id }}\n";
    let text = PROBE.replace("  load:\n", &format!("{broken}  load:\n"));
    // Rows of before alone: nothing was recorded in the window.
    let document = ask(&probe_until(&text, Some(95), None), json!({ "time_range": "1h" })).await;
    assert_eq!(document.status, Status::Partial, "{}", document.summary);
    let said = &document.summary;
    assert!(said.contains("Not of this window: \"Load\".") && !said.contains("Load: 1"), "{said}");
}

#[tokio::test]
async fn what_is_made_of_records_of_now_is_of_now() {
    let text = PROBE.replace(
        "  load:\n",
        "  kept:\n    title: Kept\n    source: platform\n    after: [hosts]\n    query:\n      - sql: >-\n          \
         SELECT thing, since FROM made WHERE organization_id = {{ organization_id }} AND host IN \
         (SELECT value FROM json_each({{ rows.hosts | column('host') }})) ORDER BY thing LIMIT {{ limit }}\n  load:\n",
    );
    let engine = probe(&text, Some(95));
    let past = ask(&engine, json!({ "start": "2026-11-20T08:00:00Z", "end": "2026-11-20T09:00:00Z" })).await;
    let kept = past.sections.iter().find(|section| section.name == "kept").unwrap();
    assert!(kept.current, "what waits for records of now alone, and binds no end of the window, is of now: {kept:?}");
}

#[tokio::test]
async fn what_is_compared_with_is_called_what_it_is() {
    let at = "{{ row.host }} is at {{ row.cpu }}";
    let text = PROBE.replace(at, &format!("{at}, not in the {{{{ window.before }}}}"));
    let text = text.replace(
        "t >= {{ from }} AND t < {{ to }}\n          LIMIT",
        "t >= {{ prev_from }} AND t < {{ to }}\n          LIMIT",
    );
    let engine = probe(&text, Some(95));
    for (baseline, called) in [
        ("previous", "window before"),
        ("day", "same hours of the day before"),
        ("week", "same hours of the week before"),
    ] {
        let said = highlights(&ask(&engine, json!({ "time_range": "1h", "baseline": baseline })).await);
        assert!(said.contains(&format!("a is at 95, not in the {called}")), "{baseline}: {said}");
    }
}

#[tokio::test]
async fn where_nothing_at_all_was_recorded_nothing_is_silent() {
    let engine = probe(PROBE, None);
    for (window, severity) in [
        (json!({ "time_range": "1h" }), Severity::Critical),
        (json!({ "start": "2025-11-20T08:00:00Z", "end": "2025-11-20T09:00:00Z" }), Severity::Info),
    ] {
        let document = ask(&engine, window).await;
        let found: Vec<Value> = rows(&document, "hosts").iter().map(|row| row["found_in"].clone()).collect();
        assert_eq!(found, [json!("not known"), json!("not known")]);
        let said = highlights(&document);
        assert!(!said.contains("is silent") && !said.contains("does nothing"), "{said}");
        assert!(said.contains("a is bad") && said.contains("shell is open"), "records are what they are: {said}");
        assert_eq!(document.highlights[0].severity, severity, "{said}");
    }
}

#[tokio::test]
async fn a_text_of_a_definition_that_fails_is_told() {
    let broken = PROBE
        .replace("when: row.thing == 'shell'", "when: row.thing | int > 5")
        .replace("Hosts: {{ sections.hosts.total }}.", "Hosts: {{ sections.hosts.total | first }}.");
    let document = ask(&probe(&broken, Some(1)), json!({ "time_range": "1h" })).await;
    for said in [
        "[SYSTEM] A rule about \"Made\" could not be evaluated (",
        "[SYSTEM] The summary of this type could not be rendered (",
        "Hosts: 2",
    ] {
        assert!(document.summary.contains(said), "{said}: {}", document.summary);
    }
    assert!(highlights(&document).contains("a is bad"), "the other rules go on");
    // An example that meets it does not pass.
    let example =
        "examples:\n  - { title: Two, arguments: { time_range: 1h }, expect: { contains: [\"Hosts: 2\"] } }\n";
    for (text, failures) in [(PROBE, 0), (&broken, 1)] {
        let engine = probe(&format!("{text}{example}"), Some(1));
        let outcomes = engine.run_examples(|_, name| name == "probe", &Call::default()).await;
        assert_eq!(outcomes[0].failures.len(), failures, "{:?}", outcomes[0]);
    }
}

const NODES: &str = "
INSERT INTO kubernetes_clusters (id, organization_id, name, status) VALUES
    ('c0000000-0000-4000-8000-000000000001', 'OWN', 'prod', 'healthy');
INSERT INTO kubernetes_namespaces (id, organization_id, cluster_id, name, status) VALUES
    ('c0000000-0000-4000-8000-000000000002', 'OWN', 'c0000000-0000-4000-8000-000000000001', 'edge', 'Active');
INSERT INTO kubernetes_nodes (id, organization_id, cluster_id, name, status, conditions) VALUES
    ('c0000000-0000-4000-8000-000000000003', 'OWN', 'c0000000-0000-4000-8000-000000000001', 'n1', 'Ready',
     '[{\"type\":\"Ready\",\"status\":\"True\"},{\"type\":\"MemoryPressure\",\"status\":\"True\"}]'),
    ('c0000000-0000-4000-8000-000000000004', 'OWN', 'c0000000-0000-4000-8000-000000000001', 'n2', 'Ready', '[]');
INSERT INTO kubernetes_services (id, organization_id, cluster_id, namespace_id, name, type, ports, endpoint_count, created_at)
    VALUES ('c0000000-0000-4000-8000-000000000005', 'OWN', 'c0000000-0000-4000-8000-000000000001',
     'c0000000-0000-4000-8000-000000000002', 'admin', 'LoadBalancer', '[{\"port\":8443}]', 1, '2026-11-20T06:00:00.000Z');
INSERT INTO network_map_nodes (id, organization_id, name, type, status, created_at) VALUES
    ('c0000000-0000-4000-8000-000000000006', 'OWN', 'gw', 'gateway', 'healthy', '2026-11-01T10:00:00.000Z'),
    ('c0000000-0000-4000-8000-000000000007', 'OWN', 'lb', 'load_balancer', 'degraded', '2026-11-01T10:00:00.000Z');
INSERT INTO users (id, email, password, organization_id, \"lastLoginAt\") VALUES
    ('c0000000-0000-4000-8000-000000000011', 'grant@x', '', 'OWN', '2026-11-20T10:00:00.000Z'),
    ('c0000000-0000-4000-8000-000000000012', 'session@x', '', 'OWN', '2026-01-01T10:00:00.000Z'),
    ('c0000000-0000-4000-8000-000000000013', 'away@x', '', 'OWN', '2026-01-01T10:00:00.000Z');
INSERT INTO permissions (id, name, resource, action) VALUES
    ('c0000000-0000-4000-8000-000000000021', 'role:update', 'role', 'update');
INSERT INTO user_permissions (id, user_id, permission_id, granted_at) VALUES
    ('c0000000-0000-4000-8000-000000000031', 'c0000000-0000-4000-8000-000000000011',
     'c0000000-0000-4000-8000-000000000021', '2026-11-01T10:00:00.000Z');
INSERT INTO user_sessions (id, user_id, session_token, last_activity_at, expires_at) VALUES
    ('c0000000-0000-4000-8000-000000000041', 'c0000000-0000-4000-8000-000000000012', 't',
     '2026-11-20T11:00:00.000Z', '2026-12-20T11:00:00.000Z');
";

#[tokio::test]
async fn what_a_fresh_tester_found_is_told_right() {
    // A request that waits for a connection in vain: the step fails, and the entry with it, in the same words.
    let refused = |span: &str, kind: &str| {
        requests("shop", "v1", 600, 0, 60, true)
            .replace("'OK'", "'ERROR'")
            .replace("'SERVER'", kind)
            .replace("span_id, span_name", "span_id, status_message, span_name")
            .replace("', 'GET /'", &format!("{span}', 'no free connection in the pool', 'GET /'"))
    };
    let rows_of = [refused("a", "'SERVER'"), refused("b", "'INTERNAL'")];
    let (engine, _kept) = over(&rows_of, &[&NODES.replace("OWN", OWN)]).await;

    let failures = collect(&engine, "db-connections", json!({ "time_range": "1h" })).await;
    let told = &rows(&failures, "failures")[0];
    assert_eq!((&told["failed_requests"], &told["failed_steps"]), (&json!(10), &json!(10)), "{}", failures.summary);

    let said = highlights(&collect(&engine, "infra-overview", json!({ "time_range": "1h" })).await);
    assert!(said.contains("Node n1 of prod reports MemoryPressure") && !said.contains("n2"), "{said}");

    let said = highlights(&collect(&engine, "kubernetes-services", json!({ "time_range": "1h" })).await);
    assert!(said.contains("edge/admin was opened to the outside 6 h ago, port 8443"), "{said}");

    let document = collect(&engine, "network-map", json!({})).await;
    let said = highlights(&document);
    assert!(
        said.contains("The only node of the type load_balancer is not well") && !said.contains("gateway"),
        "{said}"
    );

    // One meaning of privileged and of being away, whichever type tells it.
    let document = collect(&engine, "iam", json!({})).await;
    let standing = &rows(&document, "standing")[0];
    assert_eq!((&standing["privileged"], &standing["dormant"]), (&json!(1), &json!(1)), "{standing}");
    let said = highlights(&document);
    assert!(
        said.contains("grant@x` (no role, beside them role:update) is privileged and has no second factor"),
        "{said}"
    );
    let reach = rows(&collect(&engine, "iam-matrix", json!({})).await, "reach");
    let deciding: Vec<&Value> = reach.iter().filter(|row| row["deciding"] == json!("yes")).collect();
    assert_eq!(deciding.len(), 1, "{reach:?}");
    let checks = rows(&collect(&engine, "security-compliance", json!({})).await, "checks");
    let of = |control: &str| checks.iter().find(|row| row["control"] == json!(control)).unwrap()["broken"].clone();
    assert_eq!(of("privileged accounts have a second factor"), json!(1));
    assert_eq!(of("no account is away for more than 90 days or was never used"), json!(1));
}

#[tokio::test]
async fn of_a_name_that_does_not_exist_no_totals_are_told() {
    let (engine, _kept) = over(&[], &[&NODES.replace("OWN", OWN)]).await;
    for context_type in ["iam-permissions", "iam-roles", "iam-matrix", "iam"] {
        let document = collect(&engine, context_type, json!({ "filters": { "user": "nope" } })).await;
        let summary = &document.summary;
        assert!(summary.contains("No account `nope` is on record"), "{context_type}: {summary}");
        // All of them, whenever they were there last.
        for person in ["grant@x", "session@x", "away@x"] {
            assert!(summary.contains(person), "{context_type}: {summary}");
        }
        assert!(!summary.contains("in this window") && !summary.contains("nobody has"), "{context_type}: {summary}");
        assert!(document.highlights.is_empty(), "{context_type}: {}", highlights(&document));
    }
    let nodes = collect(&engine, "network-map", json!({ "filters": { "node": "nope" } })).await;
    assert!(nodes.summary.contains("No node `nope` is on record. Nodes: `gw`, `lb`."), "{}", nodes.summary);
    assert!(nodes.summary.contains("Nothing is on record for network-map with node=nope."), "{}", nodes.summary);
}

#[tokio::test]
async fn what_an_inventory_keeps_is_told_as_of_now_in_another_window() {
    let server = format!(
        "INSERT INTO database_instances (id, organization_id, name, type, status, created_at, last_seen_at) VALUES \
         ('a', '{OWN}', 'ledger-3', 'cockroachdb', 'offline', '2026-01-01T00:00:00.000Z', '2026-11-20T11:30:00.000Z');"
    );
    let (engine, _kept) = over(&[], &[&server]).await;
    let now = collect(&engine, "db-monitoring-inventory", json!({ "time_range": "1h" })).await;
    assert_eq!(now.highlights[0].severity, Severity::Critical, "{:?}", now.highlights);
    let past = json!({ "start": "2026-11-20T03:00:00Z", "end": "2026-11-20T03:30:00Z" });
    let document = collect(&engine, "db-monitoring-inventory", past).await;
    assert!(document.summary.contains("As of now, 2026-11-20T12:00:00Z, not of this window"), "{}", document.summary);
    for said in &document.highlights {
        assert!(said.severity == Severity::Info && said.text.contains("as of now"), "{said:?}");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_stands_beside_a_record_is_of_the_window_and_narrowed_as_it_is() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let telemetry = ClickHouse::remote(filled.remote.clone());
    let platform = postgres_source(&filled.postgres);
    let engine = engine_of(catalog(&[], &CatalogOptions::default()), telemetry, platform, organization);
    let past = json!({ "start": "2026-11-20T11:24:00Z", "end": "2026-11-20T11:40:00Z" });
    let document = collect(&engine, "service-map", past).await;
    let said: Vec<&str> = document.highlights.iter().map(|highlight| highlight.text.as_str()).collect();
    let measured = said.iter().find(|text| text.contains("; measured: ")).expect("an unwell component was measured");
    assert!(
        measured.ends_with("(the record as of now, 2026-11-20T12:00:00Z; what stands beside it, of this window)"),
        "{measured}"
    );
    let alone =
        said.iter().filter(|text| text.contains("on the map") && !text.contains("measured")).collect::<Vec<_>>();
    assert!(alone.iter().all(|text| !text.contains("stands beside it")), "{alone:?}");
    let narrowed = json!({ "time_range": "1h", "filters": { "operation": "GET /cart" } });
    let document = collect(&engine, "service-map", narrowed).await;
    let said: Vec<&str> = document.highlights.iter().map(|highlight| highlight.text.as_str()).collect();
    let measured: Vec<&&str> = said.iter().filter(|text| text.contains("% errors") || text.contains("% of ")).collect();
    assert!(!measured.is_empty() && measured.iter().all(|text| !text.contains("not narrowed by")), "{said:?}");
}
