//! Parameters of tools in PostgreSQL, which compares no `uuid` with a text: a call binds what `validate --live` plans.

use std::sync::Arc;

use serde_json::Map;
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Call, Engine, EngineOptions, Outcome, Sources},
};

use super::*;
use crate::support::pack::catalog;

const TOOL: &str = "\
kind: tool
name: by_type
title: By type
description: Finds by values of every type.
category: test
annotations: { read_only: true }
parameters:
  id: { type: uuid, description: Id., required: true }
  ids: { type: array, items: uuid, description: Ids., required: true }
  at: { type: timestamp, description: Moment., required: true }
  share: { type: number, description: Share., required: true }
  shares: { type: array, items: number, description: Shares., required: true }
  absent: { type: uuid, description: Nothing. }
run:
  action: sql
  source: state
  output: { format: json }
  sql:
    postgres: |
      SELECT name FROM t
      WHERE id = {{ id }} AND id = ANY ({{ ids }}) AND at = {{ at }} AND share = {{ share }}
        AND share = ANY ({{ shares }}) AND ({{ absent }} IS NULL OR id = {{ absent }})
    sqlite: |
      SELECT 1 AS name WHERE {{ id }} IS NULL
";

#[tokio::test]
async fn a_call_binds_the_types_that_validate_live_plans() {
    let database = database().await;
    database
        .execute(
            "CREATE TABLE t (name text, id uuid, at timestamptz, share float8);
             INSERT INTO t VALUES ('found', '00000000-0000-4000-8000-000000000007', '2026-11-20 10:00+00', 2)",
        )
        .await;
    let catalog = catalog(&[("definitions/tools/by_type.yaml", TOOL)], &CatalogOptions::default());
    let mut sources = Sources::default();
    sources.bind("state", Arc::new(source(&database)));
    let engine = Engine::new(catalog, sources, EngineOptions::default());
    let live = engine.prepare_all().await;
    let mut of_tool = live.findings.iter().filter(|finding| finding.name == "by_type");
    assert_eq!(of_tool.next(), None);
    let id = "00000000-0000-4000-8000-000000000007";
    let arguments = json!({
        "id": id, "ids": [id, "00000000-0000-4000-8000-000000000008"], "at": "2026-11-20T10:00:00Z",
        "share": 2, "shares": [1, 2],
    });
    let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
    let outcome = engine.call_tool("by_type", arguments, &Call::default()).await.unwrap();
    let Outcome::Done(answer) = outcome else { panic!("it asks") };
    assert!(answer.text().contains("found"), "{answer:?}");
}
