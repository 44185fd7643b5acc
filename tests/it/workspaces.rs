//! Workspaces: an organisation's rows of one do not count in another, and the lists of their tables are true.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    check,
    definition::Definition,
    demo::schema,
    engine::{Call, Engine, EngineOptions, Sources, Tenancy},
    load::{self, Request},
    source::sqlite::{Sqlite, Writer},
};

use crate::support::pack::catalog;

const ORGANIZATION: &str = "10000000-0000-4000-8000-000000000001";
const OWN: &str = "20000000-0000-4000-8000-000000000001";

/// `shop` of the own workspace is called by a service of another one, which is unhealthy.
const ROWS: &str = "
INSERT INTO service_map_services (id, organization_id, workspace_id, name, type, status) VALUES
  ('30000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', 'shop', 'service', 'degraded'),
  ('30000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000002', 'other', 'service', 'down');
INSERT INTO service_map_dependencies (id, organization_id, workspace_id, source_service_id, target_service_id, type, status) VALUES
  ('40000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000002',
   '30000000-0000-4000-8000-000000000002', '30000000-0000-4000-8000-000000000001', 'http', 'active');
";

#[tokio::test]
async fn rows_of_another_workspace_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("platform.sqlite");
    let mut writer = Writer::open(&path).await.unwrap();
    writer.execute_script(schema::SQLITE).await.unwrap();
    writer.execute_script(ROWS).await.unwrap();
    writer.close().await.unwrap();
    let platform = Arc::new(Sqlite::new(path));
    let unhealthy = async |workspace: Option<&str>| {
        let mut sources = Sources::default();
        sources.bind("platform", platform.clone());
        let tenancy = Tenancy {
            organization_id: Some(ORGANIZATION.to_owned()),
            workspace_id: workspace.map(str::to_owned),
            ..Tenancy::default()
        };
        let options = EngineOptions { tenancy, ..EngineOptions::default() };
        let engine = Engine::new(catalog(&[], &CatalogOptions::default()), sources, options);
        let arguments: Map<String, Value> = [("context_type".to_owned(), json!("topology"))].into_iter().collect();
        let document = engine.collect_context(arguments, &Call::default()).await.unwrap();
        let section = document.sections.iter().find(|section| section.name == "unhealthy").unwrap();
        let shown = ["service_name", "declared_callers", "finding", "unhealthy_neighbour"];
        let at = shown.map(|name| section.columns.iter().position(|column| column.name == name).unwrap());
        section.rows.iter().map(|row| Value::from(at.map(|at| row[at].clone()).to_vec())).collect::<Vec<_>>()
    };
    assert_eq!(
        unhealthy(None).await,
        [json!(["shop", 1, "unhealthy", "other"]), json!(["other", 0, "unhealthy", "shop"])]
    );
    assert_eq!(unhealthy(Some(OWN)).await, [json!(["shop", 0, "orphan", null])]);
}

#[test]
fn the_lists_of_tables_with_a_workspace_are_those_of_the_schema() {
    let checked =
        check::check(load::load(&Request { built_in: true, ..Request::default() }), check::Options::default());
    for (source, script) in
        [("telemetry", schema::CLICKHOUSE), ("platform", schema::POSTGRES), ("platform", schema::SQLITE)]
    {
        let listed: BTreeSet<&str> = checked
            .definitions
            .iter()
            .filter_map(|located| match &located.definition {
                Definition::Tables(tables) if *tables.source == *source => Some(tables.workspace.iter()),
                _ => None,
            })
            .flatten()
            .map(String::as_str)
            .collect();
        let tables = schema::tables(script);
        // What starts so are sums that `migrate telemetry` makes, which are no part of the platform's schema.
        let is_ours = |table: &str| table.starts_with("tfo_");
        assert!(listed.iter().all(|table| tables.contains(table) || is_ours(table)), "{source}: {listed:?}");
        for (table, columns) in schema::columns(script) {
            // A workspace itself belongs to no other.
            let has = table != "workspaces" && columns.iter().any(|column| column.name == "workspace_id");
            assert_eq!(listed.contains(table), has, "{source}: {table}");
        }
    }
}
