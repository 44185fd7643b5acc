//! What exists, asked of real databases: the lists of known values and the tables, on embedded ClickHouse + SQLite and
//! on ClickHouse over HTTP + PostgreSQL; nobody's secrets and nobody else's rows.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    definition::shipped_rules,
    demo::canary,
    engine::{Call, Completion, Document, Engine, Outcome, Status},
    source::{clickhouse::ClickHouse, sqlite::Sqlite},
};

use crate::{
    answers::{collect, engine_of, filled, on_this_machine, over_http, postgres_source},
    support::pack::catalog,
};

async fn call(engine: &Engine, tool: &str, arguments: Value) -> String {
    let arguments = arguments.as_object().cloned().unwrap();
    match engine.call_tool(tool, arguments, &Call::default()).await.unwrap() {
        Outcome::Done(answer) => {
            assert!(!answer.is_error, "{}", answer.text());
            answer.text()
        }
        Outcome::Asks(_) => panic!("`{tool}` asks nobody"),
    }
}

/// Every page of the tables of a source.
async fn all_pages(engine: &Engine, source: &str) -> String {
    let mut text = call(engine, "search_tables", json!({ "source": source })).await;
    for page in 2.. {
        let arguments = json!({"source": source, "page": page}).as_object().cloned().unwrap();
        match engine.call_tool("search_tables", arguments, &Call::default()).await {
            Ok(Outcome::Done(answer)) if !answer.is_error => text += &answer.text(),
            Err(refused) if refused.message.starts_with("there is no page") => break,
            Ok(_) => panic!("page {page} of `{source}`"),
            Err(refused) => panic!("{}", refused.to_text()),
        }
    }
    text
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn both_stacks_list_the_same_values_and_complete_them() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let (local, remote) = (on_this_machine(filled, organization), over_http(filled, organization));
    let question = json!({"time_range": "3h"});
    // A server on this machine is started first.
    tokio::join!(collect(&local, "uptime", json!({})), collect(&remote, "uptime", json!({})));
    let (a, b) =
        tokio::join!(call(&local, "list_known_values", question.clone()), call(&remote, "list_known_values", question));
    assert_eq!(a, b);
    assert!(!a.contains("[SYSTEM]") && !a.contains("(0)"), "{a}");
    for piece in ["services (", "checkout", "environments (1): production", "hosts (", "operations ("] {
        assert!(a.contains(piece), "{piece}: {a}");
    }
    for engine in [&local, &remote] {
        let resource =
            engine.catalog().resources.values().find(|r| r.definition.name.0 == "telemetry_context").map(|entry| {
                let argument = entry.definition.parameters.keys().find(|name| name.starts_with("service")).cloned();
                (entry.definition.uri.clone(), argument.unwrap())
            });
        let (uri, argument) = resource.unwrap();
        let of = Completion::Resource(&uri);
        let values = engine.complete(of, &argument, "CHECK", &Map::new(), &Call::default()).await;
        assert_eq!(values, ["checkout", "checkout-db"]);
        for (argument, begin, some) in [
            ("operation", "post /check", "POST /checkout"),
            ("host", "", "meridian-prod-fra-node-1"),
            ("metric_name", "http.server", "http.server.request.duration"),
            ("namespace", "", "shop"),
        ] {
            let values = engine.complete(of, argument, begin, &Map::new(), &Call::default()).await;
            assert!(values.iter().any(|value| value == some), "{argument}: {values:?}");
        }
        let read = |uri: &'static str| async move {
            let contents = engine.read_resource(uri, &Call::default()).await.and_then(Outcome::done);
            contents.map(|contents| format!("{contents:?}")).map_err(|error| error.to_text())
        };
        let narrowed = read("telemetry://context/latency?time_range=1h&operation=POST%20%2Fcheckout").await.unwrap();
        assert!(narrowed.contains("operation=POST /checkout"), "{narrowed}");
        let elsewhere = read("telemetry://context/latency?time_range=1h&namespace=shop").await.unwrap_err();
        assert!(elsewhere.contains("`namespace`"), "{elsewhere}");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn every_filter_of_every_type_tells_an_unknown_value_from_nothing_recorded() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let engine = over_http(filled, organization);
    let catalog = engine.catalog();
    let mut checked = 0;
    // What composes others repeats their sentences.
    for (name, entry) in catalog.contexts.iter().filter(|(_, entry)| entry.definition.composes.is_none()) {
        for (filter, parameter) in &entry.definition.parameters {
            let Some(list) = catalog.values_of(filter, parameter) else { continue };
            // A name that stands for a filter takes no other.
            if entry.definition.presets.get(name).is_some_and(|stands_for| stands_for.contains_key(filter)) {
                continue;
            }
            let document = collect(&engine, name, json!({"filters": {filter: "Chekcout"}})).await;
            // Of what has no times nothing is said of a window.
            let place = if list.has_times() { "in this window" } else { "is on record" };
            let begin = format!("No {} `Chekcout` {place}", list.definition.noun);
            assert!(document.summary.starts_with(&begin), "{name} {filter}: {}", document.summary);
            if filter == "service" {
                assert_eq!(document.absent[0].meant.as_deref(), Some("checkout"), "{name}");
            }
            checked += 1;
        }
    }
    assert!(checked >= 28, "{checked} filters take values from the data");
    // A service that exists, of which a type has recorded nothing.
    let quiet = collect(&engine, "uptime", json!({"filters": {"region": "nowhere"}, "time_range": "1h"})).await;
    assert_eq!(quiet.status, Status::Empty);
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn where_the_data_end_is_said_by_every_type_and_all_is_not_said_to_be_well() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let engine = over_http(filled, organization);
    let behind = json!({"start": "2026-11-20T12:00:00Z", "end": "2026-11-20T13:00:00Z"});
    let mut told = 0;
    for (name, entry) in engine.catalog().contexts.iter() {
        let tells = entry.definition.sections.values().filter(|section| section.when_empty).count();
        // Records that stand are told whatever the window, and only events beside them by where they lie.
        let recorded = entry.definition.sections.values().filter(|section| section.when_empty && !section.ends_only);
        let (least, about) = (recorded.clone().count(), recorded.clone().next().is_some());
        // What composes others repeats their sentences, and what compares two sides has a window of each.
        if entry.definition.composes.is_some() || entry.definition.window.sides.is_some() {
            continue;
        }
        let document = collect(&engine, name, behind.clone()).await;
        // Of what happens seldom only the last is told; nothing of it ends.
        let ends = [", before this window.", " before this window are of "];
        let said: usize = ends.iter().map(|end| document.summary.matches(end).count()).sum();
        // What lasts and is not over, such as an alert, is of this window too.
        assert!((least..=tells).contains(&said), "{name}: {}", document.summary);
        if about {
            // A type may have a sentence of its own for it.
            let (first, _) = document.summary.split_once(". ").unwrap_or((&document.summary, ""));
            let begin = document.summary.starts_with("No data was recorded")
                || first.starts_with("No ") && first.ends_with(" in the window")
                || document.summary.contains(" were recorded between")
                || document.summary.starts_with(&format!("Not all that {name} reads was recorded between"));
            assert!(begin, "{name}: {}", document.summary);
            for well in [" failed", "None of them", "No service", "over 1 h"] {
                assert!(!document.summary.contains(well), "{name}: {}", document.summary);
            }
        }
        told += usize::from(tells > 0);
    }
    assert!(told >= 19, "{told} types tell where their data end");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn where_the_data_begin_is_said_where_a_window_or_the_one_before_lacks_them() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let engine = over_http(filled, organization);
    let first = json!({"start": "2026-11-19T11:30:00Z", "end": "2026-11-19T12:30:00Z"});
    let second = json!({"start": "2026-11-19T12:30:00Z", "end": "2026-11-19T13:30:00Z"});
    for name in ["latency", "errors", "throughput", "traces", "dependencies", "service-health", "anomalies", "topology"]
    {
        let summary = collect(&engine, name, first.clone()).await.summary;
        assert!(summary.contains("Traces begin at 2026-11-19T12:0"), "{name}: {summary}");
        assert!(summary.contains(" UTC, within this window: "), "{name}: {summary}");
        let summary = collect(&engine, name, second.clone()).await.summary;
        // Of the window before, a half has data: it would make a rise of every number.
        assert!(summary.contains(" compared with: it is compared with nothing"), "{name}: {summary}");
        let summary = collect(&engine, name, json!({"time_range": "1h"})).await.summary;
        assert!(!summary.contains("Traces begin at "), "{name}: {summary}");
    }
    // Sections may look further back than their window is long.
    for (name, window, further) in [
        ("anomalies", json!({"start": "2026-11-19T13:30:00Z", "end": "2026-11-19T13:40:00Z"}), true),
        ("error-budget", json!({"time_range": "1h"}), true),
        ("latency", json!({"start": "2026-11-19T13:30:00Z", "end": "2026-11-19T13:40:00Z"}), false),
    ] {
        let summary = collect(&engine, name, window).await.summary;
        let said =
            summary.contains("Traces begin at 2026-11-19T12:0") && summary.contains(": figures that look further back");
        assert_eq!(said, further, "{name}: {summary}");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_a_filter_excludes_is_not_said_of_the_whole() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let engine = over_http(filled, organization);
    let post = json!({"service": "cart", "operation": "POST /checkout"});
    for (name, filters, said) in [
        ("saturation", json!({"service": "cart"}), "No connection pool with service=cart reports its use."),
        ("change-events", json!({"kind": "schema"}), "No change with kind=schema was recorded in the window."),
        (
            "change-events",
            json!({"kind": "schema"}),
            "Not narrowed by `kind`: \"When services turned bad, for comparison\"",
        ),
        ("latency", post.clone(), "No request with service=cart, operation=POST /checkout was recorded in the window."),
        ("errors", post.clone(), " with service=cart, operation=POST /checkout"),
        ("throughput", post, " with service=cart, operation=POST /checkout"),
        ("errors", json!({"service": "search"}), " with service=search"),
        (
            "traces",
            json!({"trace_id": "4202c472f0e61e516346a137212a66cf"}),
            " with trace_id=4202c472f0e61e516346a137212a66cf",
        ),
        ("logs", json!({"severity": "fatal"}), "Not narrowed by `severity`: "),
    ] {
        let document = collect(&engine, name, json!({"filters": filters})).await;
        assert!(
            document.summary.replace('`', "").contains(&said.replace('`', "")),
            "{name} {filters}: {}",
            document.summary
        );
        for section in document.sections.iter().filter(|section| !section.rows.is_empty()) {
            let ignored = section.narrowed.not_by.iter().all(|filter| document.summary.contains(filter.as_str()));
            assert!(ignored, "{name}/{}: {}", section.name, document.summary);
        }
    }
    let text = collect(&engine, "logs", json!({"filters": {"contains": "zzzz"}})).await;
    assert_eq!(text.status, Status::Empty, "no count of other lines: {}", text.summary);
    let denied = collect(&engine, "audit", json!({"filters": {"result": "DENIED"}, "time_range": "6h"})).await;
    let cells: Vec<_> = denied.sections.iter().flat_map(|section| &section.rows).flatten().collect();
    assert!(cells.iter().any(|cell| *cell == "DENIED"), "{}", denied.summary);
    assert!(!cells.iter().any(|cell| *cell == "FAILURE"), "{}", denied.summary);
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn an_operation_that_is_listed_is_one_that_the_filter_finds() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let engine = over_http(filled, organization);
    let listed = call(&engine, "list_known_values", json!({"of": "operations"})).await;
    let (_, names) = listed.split_once("operations (").and_then(|(_, rest)| rest.split_once("): ")).unwrap();
    let names: Vec<&str> = names.lines().next().unwrap().split(", ").collect();
    assert!(names.len() >= 10, "{listed}");
    for operation in names {
        let document = collect(&engine, "throughput", json!({"filters": {"operation": operation}})).await;
        assert!(!document.sections[0].rows.is_empty(), "{operation}: {}", document.summary);
    }
}

/// The tables that a listing names.
fn tables(listing: &str) -> Vec<String> {
    let lines = listing.lines().filter_map(|line| line.split_once(": ")).filter(|(_, rest)| rest.contains(" columns"));
    lines.map(|(table, _)| table.to_owned()).collect()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn tables_are_described_without_secrets_and_sampled_from_the_own_organisation() {
    let filled = filled().await;
    let own = &filled.generator.world.organizations[0];
    let telemetry = || ClickHouse::remote(filled.canaries.clone());
    let engines = [
        engine_of(
            catalog(&[], &CatalogOptions::default()),
            telemetry(),
            postgres_source(&filled.canary_postgres),
            &own.id_text,
        ),
        engine_of(
            catalog(&[], &CatalogOptions::default()),
            telemetry(),
            Arc::new(Sqlite::new(&filled.canary_sqlite)),
            &own.id_text,
        ),
    ];
    let foreign = canary::foreign_names(&filled.generator, own);
    for (at, engine) in engines.iter().enumerate() {
        for source in ["telemetry", "platform"].into_iter().skip(at.min(1)) {
            let names = tables(&all_pages(engine, source).await);
            assert!(names.len() >= 10, "{source}: {names:?}");
            for hidden in ["auth_tokens", "invite_tokens", "logs_1h", "tfo_demo"] {
                assert!(!names.iter().any(|name| name == hidden), "{source} offers {hidden}");
            }
            for table in &names {
                let text = call(engine, "search_tables", json!({"source": source, "query": table})).await;
                assert!(text.starts_with(&format!("Table `{table}`")), "{text}");
                assert!(!text.contains("could not be read"), "{source}.{table}: {text}");
                assert!(!text.contains(canary::FOREIGN), "{source}.{table} shows a foreign row: {text}");
                for name in &foreign {
                    assert!(!text.contains(name.as_str()), "{source}.{table} names {name}: {text}");
                }
                let columns = text.lines().filter_map(|line| line.split(' ').next());
                let secret = columns.into_iter().find(|column| shipped_rules().is_secret(table, column));
                assert_eq!(secret, None, "{source}.{table}");
            }
        }
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn one_table_is_shown_with_types_keys_and_samples_on_every_database() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let (local, remote) = (on_this_machine(filled, organization), over_http(filled, organization));
    for engine in [&local, &remote] {
        let traces = call(engine, "search_tables", json!({"query": "traces"})).await;
        for piece in
            ["span_attributes Map(String, String) | keys: ", "http.route", "db.system", "span_kind Enum8", "SERVER"]
        {
            assert!(traces.contains(piece), "{piece}: {traces}");
        }
        assert!(traces.len() < 5_000, "{} characters", traces.len());
        let keyed = call(engine, "search_tables", json!({"query": "HTTP.route"})).await;
        assert!(keyed.contains("\ntraces.span_attributes: http.route\n") && !keyed.contains("db.system"), "{keyed}");
        let none = call(engine, "search_tables", json!({"query": "no.such.key"})).await;
        assert!(none.contains("No table of `telemetry` has any word") && !none.contains("Keys of maps"), "{none}");
        // Of several words all are looked for, wherever they stand.
        let two = call(engine, "search_tables", json!({"query": "trace_id span_id"})).await;
        for piece in ["\ntraces: ", "\nlogs: ", "\nexemplars: "] {
            assert!(two.contains(piece) && !two.contains("tfo_spans"), "{piece}: {two}");
        }
        let keys = call(engine, "search_tables", json!({"query": "k8s pod"})).await;
        assert!(keys.contains("\ntraces.resource_attributes: k8s.pod.name\n"), "{keys}");
        let some = call(engine, "search_tables", json!({"query": "pod name"})).await;
        assert!(
            some.contains("tables come nearest: none has all of these words") && some.contains("k8s.pod.name"),
            "{some}"
        );
        // One that has a part of the words was shown as if it were asked for.
        let one = call(engine, "search_tables", json!({"query": "cpu host"})).await;
        assert!(one.contains("No table has all of these words; this one has some of them.\nTable `"), "{one}");
        // What another source has is named, and what none has is not.
        assert!(!none.contains("`platform` has"), "{none}");
        let other = call(engine, "search_tables", json!({"query": "alert"})).await;
        let told = "`platform` has alert_instances, alert_rules: ask `search_tables` there.";
        assert!(other.contains("No table of `telemetry`") && other.contains(told), "{other}");
        let found = call(engine, "search_tables", json!({"source": "platform", "query": "severity"})).await;
        assert!(found.contains("alert_rules: ") && found.contains("severity "), "{found}");
        let alerts = call(engine, "search_tables", json!({"source": "platform", "query": "alert_instances"})).await;
        // The rows are those of the organisation, as a statement of its caller counts them.
        let counted = call(engine, "pg_query", json!({"sql": "SELECT count(*) AS n FROM alert_instances"})).await;
        let count = counted.lines().find_map(|line| line.parse::<usize>().ok()).unwrap();
        let rows = format!(", {count} rows of your organisation;");
        let (own, leads_to) = ("PRIMARY KEY (id)", "FOREIGN KEY (alert_rule_id) REFERENCES alert_rules(id)");
        let index = "(organization_id, starts_at";
        for piece in ["| keys: service", "severity ", "warning", own, leads_to, index, &rows] {
            assert!(alerts.contains(piece), "{piece}: {alerts}");
        }
        assert!(traces.contains("\nORDER BY (service_name, trace_id, timestamp)"), "{traces}");
        let all = call(engine, "search_tables", json!({"source": "platform"})).await;
        assert!(all.len() < 4_000, "{} characters", all.len());
    }
    assert!(
        call(&remote, "search_tables", json!({"source": "platform", "query": "alert_instances"}))
            .await
            .contains("severity character varying(20) | ")
    );
    // The same for whoever is at home in PostgreSQL.
    let toolsets = Some(["schema", "datasource"].map(str::to_owned).to_vec());
    let offered = catalog(&[], &CatalogOptions { toolsets, ..CatalogOptions::default() });
    let telemetry = ClickHouse::remote(filled.remote.clone());
    let engine = &engine_of(offered, telemetry, postgres_source(&filled.postgres), organization);
    let alerts = call(&remote, "search_tables", json!({"source": "platform", "query": "alert_instances"})).await;
    assert_eq!(call(engine, "pg_describe_table", json!({"table": "public.alert_instances"})).await, alerts);
    let listed = call(engine, "pg_list_tables", json!({"schema": "public", "query": "severity"})).await;
    assert!(listed.contains("alert_instances: 25 columns: severity character varying(20)"), "{listed}");
    for (tool, arguments, hint) in [
        ("pg_describe_table", json!({"table": "alert_instance"}), "did you mean `alert_instances`?"),
        ("pg_describe_table", json!({"table": "severity"}), "list the tables first"),
        ("pg_describe_table", json!({"table": "other.users"}), "did you mean `users`?"),
        ("pg_list_tables", json!({"schema": "tfo_guard"}), "there is `public`"),
    ] {
        let refused = engine.call_tool(tool, arguments.as_object().cloned().unwrap(), &Call::default()).await;
        assert_eq!(refused.map(|_| ()).unwrap_err().hint.as_deref(), Some(hint), "{arguments}");
    }
    // What a statement cannot do, the tool can: the hint names it.
    for (tool, sql) in [
        ("ch_query", "SHOW TABLES"),
        ("ch_query", "DESCRIBE traces"),
        ("ch_query", "INSERT INTO logs VALUES (1)"),
        ("pg_query", "SHOW TABLES"),
        ("pg_query", "SELECT x FROM nowhere"),
    ] {
        for engine in [&local, &remote] {
            let refused = engine
                .call_tool(tool, json!({ "sql": sql }).as_object().cloned().unwrap(), &Call::default())
                .await
                .map(|_| ())
                .unwrap_err();
            let hint = refused.hint.unwrap_or_default();
            assert!(hint.ends_with("`search_tables` shows tables with columns, types and samples"), "{sql}: {hint}");
            // Those that it names can be read.
            let Some((_, named)) = hint.split_once("tables: ") else { continue };
            let source = if tool == "ch_query" { "telemetry" } else { "platform" };
            let listed = all_pages(engine, source).await;
            let listed: Vec<&str> =
                listed.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
            let named: Vec<&str> = named.split("; ").next().unwrap().split(", ").collect();
            assert!(
                named.len() > 10 && named.iter().all(|name| *name == "…" || listed.contains(name)),
                "{sql}: {named:?} {listed:?}"
            );
        }
    }
    // A column is named once.
    for engine in [&local, &remote] {
        let wrong = json!({ "sql": "SELECT nope FROM users" }).as_object().cloned().unwrap();
        let hint = engine.call_tool("pg_query", wrong, &Call::default()).await.map(|_| ()).unwrap_err().hint.unwrap();
        assert_eq!(hint.matches("group_user_id").count(), 1, "{hint}");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_trace_is_found_as_it_was_copied_and_a_database_by_its_name() {
    let filled = filled().await;
    let engine = over_http(filled, &filled.generator.world.organizations[0].id_text);
    let of = |name: &'static str, filters: Value| collect(&engine, name, json!({ "filters": filters }));
    let rows = |document: &Document, section: &str| document.to_value()["sections"][section]["rows"].clone();
    let slow = rows(&of("traces", json!({})).await, "slow");
    let id = slow[0]["trace_id"].as_str().unwrap().to_owned();
    let spans = rows(&of("traces", json!({ "trace_id": id })).await, "spans");
    assert!(!spans.as_array().unwrap().is_empty(), "{id}");
    let uuid: Vec<&str> = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &id[part]).to_vec();
    for copied in [id.to_uppercase(), format!("0x{id}"), uuid.join("-")] {
        let found = rows(&of("traces", json!({ "trace_id": copied })).await, "spans");
        assert_eq!(found, spans, "{copied}");
    }
    let document = of("dependencies", json!({ "service": "checkout-db" })).await;
    let calls = rows(&document, "outbound");
    assert_eq!(calls[0]["target"], "postgresql checkout-db", "{}", document.summary);
    assert!(
        document.summary.contains("system that sends no spans with service=checkout-db: 1."),
        "{}",
        document.summary
    );
}

#[tokio::test]
async fn an_alert_that_was_firing_is_active_in_a_window_of_then() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let sqlite = Sqlite::new(filled.data_dir.join("platform.sqlite"));
    let engine = |platform| {
        let telemetry = ClickHouse::remote(filled.remote.clone());
        engine_of(catalog(&[], &CatalogOptions::default()), telemetry, platform, organization)
    };
    for engine in [engine(Arc::new(sqlite) as Arc<_>), engine(postgres_source(&filled.postgres))] {
        let whole = collect(&engine, "alert", json!({"time_range": "1d"})).await.to_value();
        let resolved = &whole["sections"]["resolved"]["rows"][0];
        let (from, to) = (resolved["starts_at"].as_str().unwrap(), resolved["resolved_at"].as_str().unwrap());
        // A window that ends just before it was over.
        let document = collect(&engine, "alert", json!({"start": from, "end": to})).await;
        let rows = document.to_value()["sections"]["active"]["rows"].clone();
        let titles: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["title"]).collect();
        assert!(titles.contains(&&resolved["title"]), "{rows} {resolved}");
        let health = collect(&engine, "service-health", json!({"start": from, "end": to})).await;
        assert!(!health.summary.contains("Active alerts: 0."), "{}", health.summary);
    }
}
