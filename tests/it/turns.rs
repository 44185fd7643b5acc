//! Turns: what one caller asks never keeps others waiting, and the end of an engine no call.

use std::sync::Arc;

use serde_json::{Map, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Call, CallErrorKind, Engine, EngineOptions, Sources},
};
use tokio::time::timeout;

use crate::support::{
    client::DEADLINE,
    eventually::eventually,
    pack::catalog,
    scripted::{Reply, Scripted},
};

fn tool(name: &str, run: &str) -> (String, String) {
    let head = format!("kind: tool\nname: {name}\ntitle: T\ndescription: Does.\ncategory: test\n");
    (format!("definitions/{name}.yaml"), format!("{head}annotations: {{ read_only: true }}\nrun: {run}\n"))
}

fn of(caller: &str) -> Call {
    Call { caller: Some(caller.into()), ..Call::default() }
}

/// G: one client may have 256 requests, four times all turns, and a database that hangs holds each for its timeout.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_caller_that_takes_all_it_can_get_leaves_the_others_theirs() {
    let sql = |table: &str| {
        format!(
            "{{ action: sql, source: telemetry, tenant: {{ none: no rows of anybody }}, sql: \"SELECT a FROM {table}\" }}"
        )
    };
    let files =
        [tool("hangs", &sql("hanging")), tool("reads", &sql("rows")), tool("says", "{ action: template, text: said }")];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let source = Scripted::default()
        .on("hanging", Reply::Hang)
        .on("rows", Reply::Rows(vec!["a"], vec![vec![json!("row")]]))
        .table("hanging", &["a"])
        .table("rows", &["a"]);
    let seen = source.seen.clone();
    let mut sources = Sources::default();
    sources.bind("telemetry", Arc::new(source));
    let options = EngineOptions { concurrent_calls: 8, ..EngineOptions::default() };
    let engine = Arc::new(Engine::new(catalog(&files, &CatalogOptions::default()), sources, options));

    let hostile = of("hostile");
    let calls: Vec<_> = (0..40)
        .map(|_| {
            let (engine, call) = (engine.clone(), hostile.clone());
            tokio::spawn(async move { engine.call_tool("hangs", Map::new(), &call).await.map(|_| ()) })
        })
        .collect();
    let asked = || seen.lock().unwrap().iter().filter(|(sql, _)| sql.contains("hanging")).count();
    eventually("it gets its share", async || asked() >= 2).await;
    // Well before the first of its statements ends by itself.
    let soon = EngineOptions::default().query_timeout / 2;
    for _ in 0..20 {
        let answer = timeout(soon, engine.call_tool("reads", Map::new(), &of("honest"))).await;
        answer.expect("another caller is served at once").unwrap();
    }
    // What asks no database is nobody's turn, whoever calls it.
    timeout(soon, engine.call_tool("says", Map::new(), &hostile)).await.expect("it is answered").unwrap();
    assert_eq!(asked(), 2, "a quarter of eight");
    hostile.cancel.cancel();
    for call in calls {
        assert!(timeout(soon, call).await.expect("it ends").unwrap().is_err());
    }
}

/// What runs is given up first, then the sources close: databases that are told of it are still there.
#[tokio::test]
async fn an_engine_ends_what_runs_before_it_closes_its_sources() {
    let (path, text) =
        tool("hangs", "{ action: sql, source: telemetry, tenant: { none: nobody's }, sql: \"SELECT a FROM hanging\" }");
    let source = Scripted::default().on("hanging", Reply::Hang).table("hanging", &["a"]);
    let (seen, ends) = (source.seen.clone(), source.ends.clone());
    let mut sources = Sources::default();
    sources.bind("telemetry", Arc::new(source));
    let catalog = catalog(&[(&path, &text)], &CatalogOptions::default());
    let engine = Arc::new(Engine::new(catalog, sources, EngineOptions::default()));
    let running = engine.clone();
    let call = tokio::spawn(async move { running.call_tool("hangs", Map::new(), &Call::default()).await.map(|_| ()) });
    let asked = || seen.lock().unwrap().len();
    eventually("it asks", async || asked() > 0).await;
    timeout(DEADLINE, engine.close()).await.expect("it ends");
    assert_eq!(*ends.lock().unwrap(), ["given up", "closed"]);
    assert_eq!(call.await.unwrap().unwrap_err().kind, CallErrorKind::Cancelled);
    // What comes too late asks nothing.
    let late = engine.call_tool("hangs", Map::new(), &Call::default()).await.map(|_| ());
    assert_eq!((late.unwrap_err().kind, asked()), (CallErrorKind::Cancelled, 1));
}
