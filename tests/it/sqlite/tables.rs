//! What is known of the tables, and when it is looked at anew.

use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Call, Engine, EngineOptions, Sources, Status, Tenancy},
};

use super::*;
use crate::support::pack::catalog;

#[tokio::test]
async fn tables_are_known_and_a_replaced_file_is_noticed() {
    let file = File::with("CREATE TABLE t (a INTEGER, \"b c\" TEXT); CREATE VIEW v AS SELECT a FROM t").await;
    let tables = file.source.tables().await.unwrap();
    assert_eq!(tables.0.keys().collect::<Vec<_>>(), ["t", "v"]);
    assert!(tables.has("t.b c") && tables.has("v.a") && !tables.has("t.z"));
    let ping = file.source.ping().await.unwrap();
    assert!(ping.version.starts_with("SQLite 3."), "{ping:?}");

    let fresh = file.folder.path().join("fresh.sqlite");
    write(&fresh, "CREATE TABLE t (z BOOLEAN); INSERT INTO t VALUES (1)").await;
    std::fs::rename(&fresh, file.path()).unwrap();
    assert_eq!(file.ask("SELECT z FROM t").await.unwrap().rows, [[json!(true)]]);
    assert!(file.source.tables().await.unwrap().has("t.z"));
}

#[tokio::test]
async fn a_table_that_is_made_later_is_found_when_it_is_missed() {
    let file = File::with("CREATE TABLE t (id INTEGER, organization_id TEXT)").await;
    let seen = file.source.tables().await.unwrap();
    write(&file.path(), "CREATE TABLE late (id INTEGER, organization_id TEXT)").await;
    assert!(!file.source.tables().await.unwrap().has("late"), "nobody missed it");
    assert!(file.source.tables_again(&seen).await.unwrap().has("late"));

    let fresh = File { source: Sqlite::new(file.path()), folder: tempfile::tempdir().unwrap() };
    fresh.source.tables().await.unwrap();
    write(&file.path(), "CREATE TABLE latest (id INTEGER, organization_id TEXT)").await;
    let answer = ask_as_caller(&fresh, "SELECT id FROM latest", Vec::new(), LIMITS.timeout).await;
    assert!(answer.unwrap().rows.is_empty());
}

#[tokio::test]
async fn a_column_that_was_renamed_is_missed_and_no_text() {
    let file = File::with("CREATE TABLE t (organization_id TEXT, x INTEGER); INSERT INTO t VALUES ('a', 1)").await;
    file.source.tables().await.unwrap();
    write(&file.path(), "ALTER TABLE t RENAME x TO z").await;
    let refused = file.ask("SELECT \"x\" FROM t").await.unwrap_err();
    assert!(refused.message.contains("no such column"), "{refused:?}");
    let refused = ask_as_caller(&file, "SELECT sum(x) FROM t", Vec::new(), LIMITS.timeout).await.unwrap_err();
    assert!(refused.message.contains("x"), "{refused:?}");
    let answer = ask_as_caller(&file, "SELECT * FROM t", Vec::new(), LIMITS.timeout).await.unwrap();
    assert_eq!(answer.columns.last().unwrap().name, "z");
}

#[tokio::test]
async fn a_section_whose_table_is_made_later_is_answered_from_then_on() {
    const LATE: &str = "\
kind: context
name: lately
category: test
title: Lately
description: What came later.
persona: observability-generalist
sections:
  rows:
    title: Rows
    source: state
    query:
      - requires: [late.n]
        sql: SELECT n FROM late ORDER BY n LIMIT {{ limit }}
";
    let file = File::with("CREATE TABLE t (n INTEGER)").await;
    let mut sources = Sources::default();
    sources.bind("state", std::sync::Arc::new(Sqlite::new(file.path())));
    let catalog = catalog(&[("definitions/lately.yaml", LATE)], &CatalogOptions::default());
    let options = EngineOptions {
        tenancy: Tenancy { organization_id: Some("6f9619ff-8b86-4d01-b42d-00cf4fc964ff".into()), ..Tenancy::default() },
        ..EngineOptions::default()
    };
    let engine = Engine::new(catalog, sources, options);
    // As every other call does, this one looks at the tables.
    engine.sources().get("state").unwrap().tables().await.unwrap();
    write(&file.path(), "CREATE TABLE late (n INTEGER); INSERT INTO late VALUES (7)").await;
    let arguments = json!({"context_type": "lately"}).as_object().cloned().unwrap();
    let document = engine.collect_context(arguments, &Call::default()).await.unwrap();
    let section = &document.sections[0];
    assert_eq!((section.status, &section.rows), (Status::Ok, &vec![vec![json!(7)]]), "{:?}", section.message);
}
