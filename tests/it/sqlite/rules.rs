//! What packs say of tables reaches the guard of callers' SQL, follows edits, and takes nothing away of what is shipped.

use std::sync::Arc;

use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    engine::{Engine, EngineOptions, Sources},
};

use super::*;
use crate::support::pack::{catalog, conformance};

const SCRIPT: &str = "
    CREATE TABLE invoices (id TEXT, organization_id TEXT, iban TEXT, total INTEGER);
    INSERT INTO invoices VALUES ('1', 'own', 'CANARY', 5), ('2', 'other', 'CANARY', 7);
    CREATE TABLE invoice_items (invoice_id TEXT, what TEXT);
    INSERT INTO invoice_items VALUES ('1', 'paper'), ('2', 'CANARY');
    CREATE TABLE currencies (code TEXT);
    INSERT INTO currencies VALUES ('EUR');
    CREATE TABLE vault (organization_id TEXT, what TEXT);
    INSERT INTO vault VALUES ('own', 'CANARY');
    CREATE TABLE auth_tokens (organization_id TEXT, name TEXT);
    INSERT INTO auth_tokens VALUES ('own', 'CANARY');
    CREATE TABLE llm_conversations (id TEXT, organization_id TEXT);
    INSERT INTO llm_conversations VALUES ('c', 'own');
    CREATE TABLE llm_messages (conversation_id TEXT, content TEXT, role TEXT);
    INSERT INTO llm_messages VALUES ('c', 'CANARY', 'user');";

const BILLING: &str = "kind: tables\nname: billing\nsource: platform\nthrough:\n  invoice_items: { column: invoice_id, of: \
    invoices.id }\neveryones: [currencies]\nhidden: [vault]\nprivate: [invoices.iban]\n";

/// A pack that means to forget what is shipped.
const FORGETFUL: &str = "kind: tables\nname: platform\nsource: platform\noverride: true\n";

async fn asked(source: &Sqlite, sql: &str) -> Result<String, SourceError> {
    let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
    let author = Author::Caller { organization_id: "own" };
    let cancel = CancellationToken::new();
    let rows = source.query(Query { statement: &statement, limits: LIMITS, author, cancel: &cancel, id: None }).await?;
    Ok(json!(rows.rows).to_string())
}

fn engine(source: &Arc<Sqlite>, catalog: Catalog) -> Engine {
    let mut sources = Sources::default();
    sources.bind("platform", source.clone());
    Engine::new(catalog, sources, EngineOptions::default())
}

fn with(text: &str) -> Catalog {
    let name = text.lines().find_map(|line| line.strip_prefix("name: ")).unwrap();
    catalog(&[(&format!("definitions/{name}.yaml"), text)], &CatalogOptions::default())
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_pack_hides_its_own_columns_and_forgets_none_of_ours() {
    let File { source, folder: _folder } = File::with(SCRIPT).await;
    let source = Arc::new(source);
    let shipped = async |what: &str| {
        for sql in ["SELECT name FROM auth_tokens", "SELECT content FROM llm_messages", "SELECT * FROM auth_tokens"] {
            assert!(asked(&source, sql).await.is_err(), "{what}: {sql}");
        }
        assert_eq!(asked(&source, "SELECT * FROM llm_messages").await.unwrap(), r#"[["c","user"]]"#, "{what}");
    };
    shipped("nobody told anything").await;
    assert_eq!(asked(&source, "SELECT iban FROM invoices").await.unwrap(), r#"[["CANARY"]]"#);
    assert!(asked(&source, "SELECT what FROM invoice_items").await.is_err());

    let engine = engine(&source, with(BILLING));
    shipped("another pack").await;
    for sql in ["SELECT iban FROM invoices", "SELECT what FROM vault", "SELECT sum(length(iban)) FROM invoices"] {
        assert!(asked(&source, sql).await.is_err(), "{sql}");
    }
    assert_eq!(asked(&source, "SELECT * FROM invoices").await.unwrap(), r#"[["1","own",5]]"#);
    assert_eq!(asked(&source, "SELECT what FROM invoice_items").await.unwrap(), r#"[["paper"]]"#);
    assert_eq!(asked(&source, "SELECT code FROM currencies").await.unwrap(), r#"[["EUR"]]"#);
    let described = source.describe_tables().await.unwrap();
    let described: Vec<&str> = described.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(described, ["currencies", "invoice_items", "invoices", "llm_conversations", "llm_messages"]);

    // An edit counts for the next statement.
    for (what, catalog) in
        [("a definition in the place of ours", with(FORGETFUL)), ("without the built-in pack", conformance())]
    {
        engine.replace(catalog, Vec::new());
        shipped(what).await;
        assert_eq!(asked(&source, "SELECT iban FROM invoices").await.unwrap(), r#"[["CANARY"]]"#);
    }
}
