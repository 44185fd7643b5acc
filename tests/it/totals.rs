//! What a document says is true of what there is, however few rows it shows.

use std::sync::Arc;

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Call, Cap, Document, Engine, EngineOptions, Sources, Status, Tenancy},
};

use crate::{
    answers::{END, collect, engine_of, filled, postgres_source},
    support::{
        pack::catalog,
        scripted::{Reply, Scripted},
    },
};

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_is_said_does_not_depend_on_how_many_rows_are_shown() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let telemetry = tfo_mcp::source::clickhouse::ClickHouse::remote(filled.remote.clone());
    let catalog = catalog(&[], &CatalogOptions::default());
    let engine = engine_of(catalog, telemetry, postgres_source(&filled.postgres), organization);
    let (mut cut, mut whole) = (0, 0);
    let known = engine.catalog();
    for (name, entry) in known.contexts.iter() {
        for range in ["1h", "24h"] {
            let asked = |items: usize| json!({ "time_range": range, "max_items": items });
            let (one, all) = tokio::join!(collect(&engine, name, asked(1)), collect(&engine, name, asked(100_000)));
            let place = format!("{name} {range}");
            assert!(!one.status.is_problem() && one.status == all.status, "{place}: {:?}", one.status);
            assert_eq!(one.summary, all.summary, "{place}");
            assert_eq!(one.highlights, all.highlights, "{place}");
            for ((name, one), all) in
                all.sections.iter().map(|s| (&s.name, s)).zip(&one.sections).map(|(a, b)| ((a.0, b), a.1))
            {
                let place = format!("{place}/{name}");
                // A section of a part stands under the part's name.
                let (of, section) = match (&entry.definition.composes, name.split_once('.')) {
                    (Some(_), Some((part, section))) => (&known.contexts.get(part).unwrap().definition, section),
                    _ => (&entry.definition, name.as_str()),
                };
                let definition = &of.sections[section];
                assert_eq!((all.total.count, all.total.more, all.cut), (all.rows.len(), false, None), "{place}");
                assert!(all.total.count >= one.total.count, "{place}");
                match (one.total.more, definition.count_all) {
                    (true, true) => panic!("{place} has {} and says {}", all.total, one.total),
                    (true, false) => {}
                    (false, _) => assert_eq!(one.total, all.total, "{place}"),
                }
                match definition.whole {
                    true => {
                        assert_eq!(one.rows, all.rows, "{place}");
                        whole += usize::from(!one.rows.is_empty());
                    }
                    false => {
                        assert_eq!(one.rows.as_slice(), &all.rows[..all.rows.len().min(1)], "{place}");
                        cut += usize::from(one.cut.is_some_and(|cut| cut.cap == Cap::Asked));
                    }
                }
            }
        }
    }
    assert!(cut > 60 && whole > 6, "{cut} {whole}");
}

/// 65 active alerts, of which 3 are critical and 1 is acknowledged.
fn alerts() -> Scripted {
    let row = |n: i64| {
        let severity = if n < 3 { "critical" } else { "warning" };
        let acknowledged = if n == 64 { "yes" } else { "no" };
        let since = "2026-11-20T10:00:00.000Z";
        let title = format!("alert {n}");
        json!([severity, "firing", title, "rule", "checkout", 1.0, 0.5, since, 62, acknowledged])
            .as_array()
            .cloned()
            .unwrap()
    };
    let columns = vec![
        "severity",
        "status",
        "title",
        "rule",
        "service_name",
        "current_value",
        "threshold",
        "starts_at",
        "age_min",
        "acknowledged",
    ];
    let counts = vec!["severity", "firing", "acknowledged", "resolved_in_window", "mean_ack_min", "mean_resolve_min"];
    let count = |severity: &str, n: i64| vec![json!(severity), json!(n), json!(0), json!(0), Value::Null, Value::Null];
    let nothing = |columns: &[&'static str]| Reply::Rows(columns.to_vec(), Vec::new());
    ["alert_instances", "alert_rules"]
        .into_iter()
        .fold(Scripted::default(), |source, table| source.table(table, &["id"]))
        .on("FROM organizations", nothing(&["organization_id", "name"]))
        .on("AS age_min", Reply::Rows(columns, (0..65).map(row).collect()))
        .on("mean_ack_min", Reply::Rows(counts, vec![count("critical", 3), count("warning", 62)]))
        .on("AS open_min", nothing(&["resolved_at"]))
        .on("started_before", nothing(&["rule"]))
        .on("AS problem", nothing(&["rule"]))
        .on("AS newest", nothing(&["newest", "newest_before", "oldest_after"]))
}

async fn alert(max_rows: usize, max_items: Option<usize>) -> (Engine, Document) {
    let mut sources = Sources::default();
    sources.bind("platform", Arc::new(alerts()));
    let options = EngineOptions {
        tenancy: Tenancy { organization_id: Some("6f9619ff-8b86-4d01-b42d-00cf4fc964ff".into()), ..Tenancy::default() },
        clock: Arc::new(|| END),
        max_rows,
        ..EngineOptions::default()
    };
    let engine = Engine::new(catalog(&[], &CatalogOptions::default()), sources, options);
    let mut asked = json!({ "context_type": "alert" });
    if let Some(items) = max_items {
        asked["max_items"] = json!(items);
    }
    let document = engine.collect_context(asked.as_object().cloned().unwrap(), &Call::default()).await.unwrap();
    assert_eq!(document.status, Status::Ok, "{document:?}");
    (engine, document)
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn sixty_five_alerts_are_sixty_five_however_many_are_listed() {
    for max_items in [None, Some(1), Some(30), Some(500)] {
        let (_, document) = alert(1000, max_items).await;
        let said = "Active alerts: 65, critical 3, not acknowledged 64, silenced 0.";
        assert!(document.summary.starts_with(said), "{max_items:?}: {}", document.summary);
        let counts = document.sections.iter().find(|section| section.name == "reaction").unwrap();
        assert_eq!(counts.rows.len(), 2, "the table of counts is whole");
        let others: Vec<&str> =
            document.highlights.iter().map(|h| h.text.as_str()).filter(|h| h.starts_with("and ")).collect();
        assert_eq!(others, ["and 57 others like these in \"Active alerts\""]);
    }
    let (engine, document) = alert(1000, None).await;
    let text = engine.render(&document, tfo_mcp::engine::Format::Markdown, None);
    assert!(text.contains("(30 of 65 rows: raise `max_items` to see more)"), "{text}");
}

#[tokio::test]
async fn where_more_rows_are_than_the_server_reads_every_count_says_or_more() {
    let (_, document) = alert(30, None).await;
    let said = "Active alerts: 30 or more, critical 3 or more, not acknowledged 30 or more, silenced 0 or more.";
    assert!(document.summary.starts_with(said), "{}", document.summary);
}
