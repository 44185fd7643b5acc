//! Situations that the demo's data do not hold, made of a few rows that a test writes itself.

use std::sync::Arc;

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    demo::schema,
    engine::{Call, Completion, Document, Engine, Format, Outcome, Principal},
    source::{
        clickhouse::ClickHouse,
        sqlite::{Sqlite, Writer},
    },
};

use crate::{
    answers::{collect, engine_of},
    support::{clickhouse, pack::catalog},
};

pub const OWN: &str = "aaaaaaaa-0000-4000-8000-000000000001";
/// The end of the data in seconds since 1970: noon of 2026-11-20, which is "now" too.
pub const NOON: i64 = 1_795_176_000;

/// An engine over tables of ClickHouse that hold `rows` (statements), and over an empty platform database.
pub async fn over(rows: &[String], platform: &[&str]) -> (Engine, tempfile::TempDir) {
    let database = clickhouse::clickhouse().await;
    for statement in schema::statements(schema::CLICKHOUSE) {
        database.source.execute(&statement).await.unwrap();
    }
    for statement in rows {
        database.source.execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("platform.sqlite");
    let mut writer = Writer::open(&file).await.unwrap();
    for script in [schema::SQLITE].iter().chain(platform) {
        writer.execute_script(script).await.unwrap_or_else(|error| panic!("{script}: {error:?}"));
    }
    writer.close().await.unwrap();
    let telemetry = ClickHouse::remote(database.config);
    // All of them, also what is off by default.
    let toolsets = ["telemetry", "comparison", "analytics", "datasource", "core"].map(str::to_owned).to_vec();
    let options = CatalogOptions { toolsets: Some(toolsets), ..CatalogOptions::default() };
    (engine_of(catalog(&[], &options), telemetry, Arc::new(Sqlite::new(file)), OWN), folder)
}

pub fn rows(document: &Document, section: &str) -> Vec<Value> {
    document.to_value()["sections"][section]["rows"].as_array().cloned().unwrap_or_default()
}

pub fn insert(into: &str, values: &[String]) -> String {
    format!("INSERT INTO {into} VALUES {}", values.join(","))
}

/// Entry spans of a service and version, one each `every` seconds from `from` to `to` before noon.
pub fn requests(service: &str, version: &str, from: i64, to: i64, every: usize, failed: bool) -> String {
    let mut values = Vec::new();
    let into = "traces (timestamp, trace_id, span_id, span_name, span_kind, service_name, status_code, duration_ns, \
         organization_id, resource_attributes)";
    let status = if failed { "ERROR" } else { "OK" };
    for at in (NOON - from..NOON - to).step_by(every) {
        values.push(format!(
            "(fromUnixTimestamp64Milli({at}000), '{version}{at}', '{at}', 'GET /', 'SERVER', '{service}', '{status}', \
             20000000, '{OWN}', {{'service.version': '{version}'}})"
        ));
    }
    insert(into, &values)
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn versions_that_answer_side_by_side_are_no_new_version() {
    let hour = 3600;
    let (engine, _kept) = over(
        &[
            requests("canary", "v1.0", 24 * hour, 0, 60, true),
            requests("canary", "v2.0", 24 * hour - 7, 0, 70, false),
            requests("shop", "v1.0", 24 * hour, hour, 60, false),
            requests("shop", "v2.0", hour, 0, 30, true),
            // First seen in an environment of its own.
            requests("canary", "v3-rc", hour, 0, 30, true)
                .replace("{'service.version'", "{'deployment.environment': 'staging', 'service.version'"),
        ],
        &[],
    )
    .await;
    for window in ["1h", "2h", "3h", "6h"] {
        let document = collect(&engine, "deployment", json!({ "time_range": window })).await;
        let new: Vec<Value> = rows(&document, "comparison").iter().map(|row| row["service_name"].clone()).collect();
        assert_eq!(new, ["shop"], "{window}: {}", document.summary);
        assert!(document.summary.contains("Services with a new version: 1,"), "{}", document.summary);
    }
    // Where none is new, none is said to be worse.
    let document = collect(&engine, "deployment", json!({ "time_range": "20m" })).await;
    assert_eq!(rows(&document, "comparison").len(), 0, "{}", document.summary);
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_counter_that_counts_evenly_has_the_rate_before() {
    let mut values = Vec::new();
    let into = "metrics (timestamp, metric_name, metric_type, value, service_name, organization_id)";
    for minute in 0..120_i64 {
        let at = NOON - minute * 60 - 30;
        let value = 1000 - 3 * minute;
        values.push(format!("(fromUnixTimestamp64Milli({at}000), 'jobs.total', 'counter', {value}, 'shop', '{OWN}')"));
    }
    let (engine, _kept) = over(&[insert(into, &values)], &[]).await;
    for window in ["2m", "5m", "10m", "30m"] {
        let document = collect(&engine, "metrics", json!({ "time_range": window })).await;
        let row = &rows(&document, "counters")[0];
        assert_eq!(row["rate_per_s"], json!(0.05), "{window}: {row}");
        assert_eq!(row["prev_rate_per_s"], json!(0.05), "{window}: {row}");
    }
    // Before the first sample there is nothing to count from.
    let document = collect(&engine, "metrics", json!({ "time_range": "1h" })).await;
    let row = &rows(&document, "counters")[0];
    assert_eq!(row["prev_rate_per_s"], json!(0.0492), "59 increments of an hour: {row}");
}

#[tokio::test]
async fn an_outage_lasts_as_long_as_it_was_seen() {
    let mut values = Vec::new();
    let into = "uptime_checks (monitor_id, monitor_name, region, status, status_code, response_time, error, \
         ssl_days_remaining, checked_at, organization_id)";
    // Paused while it failed: six failed checks in the sixth hour before the end, then none.
    for minute in 0..60_i64 {
        let at = NOON - 7 * 3600 + minute * 60;
        let (status, days) = if minute < 54 { ("success", 20) } else { ("failure", -1) };
        values.push(format!(
            "('m1', 'paused', 'eu', '{status}', 200, 12, '', {days}, fromUnixTimestamp64Milli({at}000), '{OWN}')"
        ));
    }
    // Not reached for ten minutes, and again since; its certificate is over.
    for minute in 0..60_i64 {
        let at = NOON - 3600 + minute * 60;
        let status = if (20..30).contains(&minute) { "failure" } else { "success" };
        values.push(format!(
            "('m2', 'shop', 'eu', '{status}', 200, 12, 'refused', -3, fromUnixTimestamp64Milli({at}000), '{OWN}')"
        ));
    }
    let (engine, _kept) = over(&[insert(into, &values)], &[]).await;
    let document = collect(&engine, "uptime", json!({ "time_range": "8h" })).await;
    let outages = rows(&document, "outages");
    let told: Vec<(&Value, &Value, &Value)> =
        outages.iter().map(|row| (&row["monitor_label"], &row["length_min"], &row["is_over"])).collect();
    assert_eq!(told, [(&json!("paused"), &json!(5.0), &json!("no")), (&json!("shop"), &json!(10.0), &json!("yes"))]);
    assert!(document.summary.contains("Longest outage: shop from eu, 10 minutes since"), "{}", document.summary);
    let said: Vec<&str> = document.highlights.iter().map(|highlight| highlight.text.as_str()).collect();
    let said = said.join("\n");
    assert!(said.lines().any(|line| line.ends_with("its last check in the window, 2026-11-20T05:59:00Z")), "{said}");
    assert!(said.contains("certificate of shop expired 3 days ago"), "{said}");
}

#[tokio::test]
async fn an_action_that_changes_things_may_have_a_reading_word_inside() {
    let actions = ["budget.update", "widget.create", "thread.delete", "allowlist.add", "review.create", "user.list"];
    let mut values = Vec::new();
    let into = "audit_logs (id, timestamp, user_email, event_type, action, result, organization_id)";
    for action in actions {
        let at = NOON - 60;
        values.push(format!(
            "(generateUUIDv4(), fromUnixTimestamp64Milli({at}000), 'mallory@x', 'DATA', '{action}', 'SUCCESS', '{OWN}')"
        ));
    }
    let (engine, _kept) = over(&[insert(into, &values)], &[]).await;
    let document = collect(&engine, "audit", json!({ "time_range": "1h" })).await;
    assert_eq!(rows(&document, "accounts")[0]["changes"], json!(5));
    let document = collect(&engine, "change-events", json!({ "time_range": "1h" })).await;
    assert_eq!(rows(&document, "audit").len(), 5, "{}", document.summary);
}

#[tokio::test]
async fn an_objective_that_is_not_measured_here_is_not_judged() {
    let objective = |id: u8, kind: &str, target: u8| {
        format!(
            "INSERT INTO slo_definitions (id, organization_id, service_name, name, sli_type, target_pct, window_days, enabled) \
             VALUES ('00000000-0000-4000-8000-0000000000b{id}', '{OWN}', 'shop', 'o{id}', '{kind}', {target}, 1, 1)"
        )
    };
    let objectives = [objective(1, "throughput", 95), objective(2, "latency", 95), objective(3, "availability", 100)];
    let objectives: Vec<&str> = objectives.iter().map(String::as_str).collect();
    let (engine, _kept) = over(&[requests("shop", "v1", 3600, 0, 10, true)], &objectives).await;
    let document = collect(&engine, "slo", json!({ "time_range": "1h", "service_name": "shop" })).await;
    let told: Vec<(Value, Value)> = rows(&document, "objectives")
        .iter()
        .map(|row| (row["counted_as_bad"].clone(), row["verdict"].clone()))
        .collect();
    let unmeasured = (json!("not measured here"), Value::Null);
    assert_eq!(told, [unmeasured.clone(), unmeasured, (json!("failed"), json!("missed"))]);
    assert!(!document.summary.contains("Not narrowed by"), "{}", document.summary);
    let budget = collect(&engine, "error-budget", json!({ "time_range": "1h" })).await;
    assert!(
        budget.highlights.iter().any(|h| h.text.contains("of 100 %: 360 requests failed")),
        "{:?}",
        budget.highlights
    );
}

#[tokio::test]
async fn accounts_without_an_address_are_told_apart() {
    let mut values = Vec::new();
    let into = "audit_logs (id, timestamp, user_id, user_email, event_type, action, result, ip_address, \
         organization_id)";
    for user in 1..=9 {
        let at = NOON - 60 * user;
        values.push(format!(
            "(generateUUIDv4(), fromUnixTimestamp64Milli({at}000), 'user-{user}', '', 'AUTH', 'login', 'FAILURE', \
             '10.0.0.{user}', '{OWN}')"
        ));
    }
    let (engine, _kept) = over(&[insert(into, &values)], &[]).await;
    let document = collect(&engine, "audit", json!({ "time_range": "1h" })).await;
    assert!(document.summary.contains("Accounts that acted: 9;"), "{}", document.summary);
    assert_eq!(rows(&document, "accounts").len(), 9);
    let addresses = document.highlights.iter().find(|highlight| highlight.text.contains("different addresses"));
    assert!(addresses.is_none(), "{addresses:?}");
}

#[tokio::test]
async fn silenced_alerts_are_active() {
    let alert = |id: u8, until: &str| {
        format!(
            "INSERT INTO alert_instances (id, alert_rule_id, organization_id, status, severity, title, labels, starts_at, \
             fingerprint, silenced_until) VALUES ('00000000-0000-4000-8000-00000000000{id}', \
             '00000000-0000-4000-8000-0000000000aa', '{OWN}', 'silenced', 'critical', 'alert {id}', '{{}}', \
             '2026-11-20T11:00:00.000000Z', 'f{id}', '{until}')"
        )
    };
    let rule = format!(
        "INSERT INTO alert_rules (id, organization_id, name, severity, enabled) VALUES \
         ('00000000-0000-4000-8000-0000000000aa', '{OWN}', 'rule', 'critical', 1)"
    );
    let alerts = [alert(1, "2026-11-20T13:00:00.000000Z"), alert(2, "2026-11-20T11:30:00.000000Z")];
    let (engine, _kept) = over(&[], &[&rule, &alerts[0], &alerts[1]]).await;
    let document = collect(&engine, "alert", json!({ "time_range": "1h" })).await;
    let states: Vec<Value> = rows(&document, "active").iter().map(|row| row["status"].clone()).collect();
    assert_eq!(states, ["silenced", "firing"], "the silence of the second is over");
    assert!(document.summary.contains("Active alerts: 2,"), "{}", document.summary);
    assert!(document.summary.contains("silenced 1."), "{}", document.summary);
    let counts = &rows(&document, "reaction")[0];
    assert_eq!((&counts["firing"], &counts["silenced"]), (&json!(1), &json!(1)));
    let health = collect(&engine, "service-health", json!({ "time_range": "1h" })).await;
    assert_eq!(rows(&health, "alerts").len(), 2, "{}", health.summary);
}

#[tokio::test]
async fn one_host_that_reports_percent_is_scaled_by_itself() {
    let mut values = Vec::new();
    let into = "vm_metrics (timestamp, vm_id, metric_name, value, unit, labels, organization_id)";
    let hosts = [("ratio", 1, 0.97, "1"), ("percent", 2, 45.0, "%"), ("idle", 3, 1.2, "%")];
    for (name, id, value, unit) in hosts {
        for minute in 1..30 {
            let at = NOON - 60 * minute;
            values.push(format!("(fromUnixTimestamp64Milli({at}000), '00000000-0000-4000-8000-00000000000{id}', 'system.cpu.utilization', \
                 {value}, '{unit}', {{'host.name': '{name}'}}, '{OWN}')"));
        }
    }
    let (engine, _kept) = over(&[insert(into, &values)], &[]).await;
    for window in ["1h", "6h"] {
        let document = collect(&engine, "saturation", json!({ "time_range": window })).await;
        let told: Vec<(Value, Value)> = rows(&document, "hosts")
            .iter()
            .map(|row| (row["host_name"].clone(), row["used_max_pct"].clone()))
            .collect();
        let wanted = [("ratio", 97.0), ("percent", 45.0), ("idle", 1.2)];
        assert_eq!(told, wanted.map(|(name, pct)| (json!(name), json!(pct))), "{window}");
        // Nobody here has Kubernetes: that is said, and does not take the place of the rest.
        assert!(document.summary.contains("Fullest host resource: cpu of ratio, up to 97 %"), "{}", document.summary);
        assert!(document.summary.contains("No metrics of Kubernetes were ever recorded here."), "{}", document.summary);
    }
    let hosts = collect(&engine, "infra-hosts", json!({ "time_range": "1h" })).await;
    let used: Vec<Value> = rows(&hosts, "hosts").iter().map(|row| row["cpu_max_pct"].clone()).collect();
    assert_eq!(used, [json!(97.0), json!(45.0), json!(1.2)]);
}

#[tokio::test]
async fn ratios_are_made_of_what_was_measured() {
    let spans = |from: i64, to: i64, nanos: u64| {
        requests("cache", "v1", from, to, 30, false).replace("20000000,", &format!("{nanos},"))
    };
    let (engine, _kept) = over(&[spans(7200, 3600, 14_900), spans(3600, 0, 15_100)], &[]).await;
    let document = collect(&engine, "latency", json!({ "time_range": "1h" })).await;
    assert_eq!(rows(&document, "services")[0]["p95_ratio"], json!(1.01), "{}", document.summary);
    assert!(document.highlights.is_empty(), "{:?}", document.highlights);
}

#[tokio::test]
async fn a_caller_s_statement_is_read_in_utc_and_strictly() {
    let (engine, _kept) = over(&[requests("shop", "v1", 3600, 0, 60, true)], &[]).await;
    let ask = async |sql: &str| {
        let given = json!({ "sql": sql }).as_object().cloned().unwrap();
        match engine.call_tool("ch_query", given, &Call::default()).await {
            Ok(Outcome::Done(answer)) => answer.text(),
            Ok(Outcome::Asks(_)) => panic!("nobody is asked"),
            Err(error) => error.to_text(),
        }
    };
    assert!(ask("SELECT count() AS n FROM traces WHERE status_code = 'ERROR'").await.contains("\n60\n"));
    let wrong = ask("SELECT count() AS n FROM traces WHERE status_code = 'Error'").await;
    assert!(wrong.contains("UNKNOWN_ELEMENT_OF_ENUM") && wrong.contains("`SELECT DISTINCT` of the column"), "{wrong}");
    let missing = "SELECT count() AS n FROM traces AS a LEFT JOIN (SELECT trace_id FROM traces WHERE trace_id = 'x') AS b \
                   ON a.trace_id = b.trace_id WHERE b.trace_id IS NULL";
    assert!(ask(missing).await.contains("\n60\n"));
    assert!(ask("SELECT timezone() AS server, toString(toDateTime(0)) AS zero").await.contains("1970-01-01 00:00:00"));
}

#[tokio::test]
async fn a_host_that_died_in_the_window_is_known_by_its_name() {
    let into = "vm_metrics (timestamp, vm_id, metric_name, value, unit, labels, organization_id)";
    let values: Vec<String> = (60..12 * 60)
        .map(|minute| {
            let at = NOON - 60 * minute;
            format!(
                "(fromUnixTimestamp64Milli({at}000), '00000000-0000-4000-8000-000000000009', 'system.cpu.utilization', \
                 0.97, '1', {{'host.name': 'dead-host'}}, '{OWN}')"
            )
        })
        .collect();
    let (engine, _kept) = over(&[insert(into, &values)], &[]).await;
    for window in ["3h", "6h", "12h"] {
        let asked = json!({ "time_range": window, "filters": { "host": "dead-host" } });
        let document = collect(&engine, "saturation", asked).await;
        let hosts = rows(&document, "hosts");
        assert_eq!(
            (&hosts[0]["host_name"], &hosts[0]["used_max_pct"]),
            (&json!("dead-host"), &json!(97.0)),
            "{window}"
        );
    }
}

#[tokio::test]
async fn checks_that_all_failed_have_no_response_time() {
    let into = "uptime_checks (monitor_id, monitor_name, region, status, status_code, response_time, error, \
                ssl_days_remaining, checked_at, organization_id)";
    let values: Vec<String> = (1..30)
        .map(|minute| {
            let at = NOON - 60 * minute;
            format!("('m', 'shop', 'eu', 'timeout', 0, 0, '', -1, fromUnixTimestamp64Milli({at}000), '{OWN}')")
        })
        .collect();
    let (engine, _kept) = over(&[insert(into, &values)], &[]).await;
    for (name, section) in [("sli", "uptime"), ("uptime", "monitors")] {
        let document = collect(&engine, name, json!({ "time_range": "1h" })).await;
        assert_eq!(rows(&document, section)[0]["p95_ms"], Value::Null, "{name}");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_platform_that_shows_no_organisation_is_no_all_clear() {
    let (empty, _kept) = over(&[], &[]).await;
    let summary = collect(&empty, "alert", json!({ "time_range": "1h" })).await.summary;
    assert!(summary.starts_with("[SYSTEM] The platform shows this server no organisation at all"), "{summary}");
    let (filled, _kept) = over(&[requests("shop", "v1", 3600, 0, 60, false)], &[]).await;
    let summary = collect(&filled, "latency", json!({ "time_range": "1h" })).await.summary;
    assert!(!summary.contains("[SYSTEM]"), "what is there is told: {summary}");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_document_names_the_workspace_that_it_is_of() {
    let (known, unknown) = ("bbbbbbbb-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002");
    let organisation =
        format!("INSERT INTO organizations (organization_id, name, code) VALUES ('{OWN}', 'Acme', 'acme')");
    let workspace = format!(
        "INSERT INTO workspaces (workspace_id, name, code, organization_id) VALUES ('{known}', 'Shop', 'shop', '{OWN}')"
    );
    let (engine, _kept) = over(&[requests("shop", "v1", 3600, 0, 60, false)], &[&organisation, &workspace]).await;
    let ask = async |workspace: Option<&str>| {
        let principal = Principal {
            organizations: Some(vec![OWN.into()]),
            workspace_id: workspace.map(str::to_owned),
            ..Principal::default()
        };
        let call = Call { principal, ..Call::default() };
        let asked = json!({ "context_type": "latency", "time_range": "1h" });
        let document = engine.collect_context(asked.as_object().cloned().unwrap(), &call).await.unwrap();
        [Format::Markdown, Format::Csv, Format::Json].map(|format| engine.render(&document, format, None))
    };
    let [markdown, csv, json] = ask(Some(known)).await;
    assert!(markdown.contains(&format!(" · Workspace: Shop ({known})")), "{markdown}");
    assert!(
        csv.contains(&format!(" workspace_id={known}"))
            && json.replace(' ', "").contains(&format!("\"workspace_id\":\"{known}\""))
    );
    assert!(!markdown.contains("[SYSTEM] The organisation has no workspace"), "{markdown}");
    let [markdown, _, json] = ask(Some(unknown)).await;
    assert!(markdown.contains(&format!("[SYSTEM] The organisation has no workspace {unknown}")), "{markdown}");
    assert!(json.contains("has no workspace"), "{json}");
    let [markdown, csv, json] = ask(None).await;
    assert!(
        ![markdown, csv, json].iter().any(|text| text.to_lowercase().contains("workspace")),
        "nobody asked for one"
    );
}

#[tokio::test]
async fn only_windows_that_a_type_allows_are_offered() {
    let (engine, _kept) = over(&[], &[]).await;
    let offered = async |context_type: &str| {
        let given = json!({ "context_type": context_type }).as_object().cloned().unwrap();
        engine.complete(Completion::Prompt("analyze"), "time_range", "", &given, &Call::default()).await
    };
    assert_eq!(offered("dependencies").await.last().map(String::as_str), Some("24h"), "at most a day");
    assert_eq!(offered("latency").await.last().map(String::as_str), Some("7d"));
}
