//! Definitions' statements on a database without a guard: confined once more, whatever they say themselves, and without
//! a price.

use tfo_mcp::{
    definition::shipped_rules,
    demo::schema,
    source::sqlite::{self, Sqlite},
    sql::{
        Dialect,
        guard::{Scope, confine},
    },
};

use super::{
    guard::{OTHER, OWN, ROWS, ask_as, definition, platform},
    *,
};

/// Statements that `check` should have refused, with what is left of them.
fn wrong() -> [(&'static str, Value); 8] {
    [
        ("SELECT name FROM organizations", json!(["own"])),
        ("SELECT \"firstName\" FROM users ORDER BY 1", json!(["own"])),
        ("SELECT name FROM retention_policies ORDER BY 1", json!(["default", "own"])),
        ("SELECT u.email FROM roles r LEFT JOIN users u ON true OR u.id = r.id", json!(["own@x"])),
        ("WITH everyone AS (SELECT email FROM users) SELECT email FROM everyone", json!(["own@x"])),
        ("SELECT name FROM roles WHERE (SELECT count(*) FROM user_roles) = 1", json!(["viewer"])),
        ("SELECT email FROM users WHERE false UNION ALL SELECT email FROM users ORDER BY 1", json!(["own@x"])),
        ("SELECT 1 FROM auth_tokens", json!([])),
    ]
}

#[tokio::test]
async fn a_definition_that_forgets_its_organisation_sees_only_its_rows_all_the_same() {
    let database = platform().await;
    database.execute(&format!("INSERT INTO auth_tokens VALUES (1, '{OWN}', 'x')")).await;
    let source = source(&database);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("platform.sqlite");
    let mut writer = sqlite::Writer::open(&path).await.unwrap();
    writer.execute_script(schema::SQLITE).await.unwrap();
    writer.execute_script("CREATE TABLE auth_tokens (id int, organization_id text, token_hash text)").await.unwrap();
    writer.execute_script(ROWS).await.unwrap();
    writer.close().await.unwrap();
    let sqlite = Sqlite::new(path);
    for (sql, left) in wrong() {
        for (name, source) in [("PostgreSQL", &source as &dyn Source), ("SQLite", &sqlite)] {
            for _ in 0..2 {
                assert_eq!(json!(ask_as(source, definition(OWN), sql).await.unwrap()), left, "{name}: {sql}");
            }
            let other = json!(ask_as(source, definition(OTHER), sql).await.unwrap()).to_string();
            assert_eq!(other, left.to_string().replace("own", "other"), "{name}: {sql}");
        }
    }
    for (source, sql) in [
        (&source as &dyn Source, "SELECT name FROM public.organizations"),
        (&source, "SELECT password FROM users"),
        (&sqlite, "SELECT name FROM main.organizations"),
        (&sqlite, "SELECT mfa_secret FROM users"),
    ] {
        assert!(ask_as(source, definition(OWN), sql).await.is_err(), "{sql}");
    }
    // Exempt statements are the operator's affair.
    let all = ask_as(&source, Author::UNBOUND, "SELECT name FROM public.organizations ORDER BY 1").await.unwrap();
    assert_eq!(all, [json!("other"), json!("own")]);
}

#[tokio::test]
async fn what_is_withheld_from_a_statement_when_it_runs_is_found_when_it_is_planned() {
    let database = platform().await;
    database.execute("CREATE TABLE links (organization_id uuid, encrypted boolean, private_key text)").await;
    let source = source(&database);
    let confined = async |column: &str, table: &str| {
        let sql = format!("SELECT {column} FROM {table} WHERE organization_id = $1::uuid");
        let statement = Statement { sql, binds: vec![Bind::Text(OWN.into())] };
        // The database itself has all of them.
        source.prepare(&statement).await.unwrap();
        source.confined(&statement).await
    };
    confined("email", "users").await.unwrap();
    // A flag is no secret for its name.
    confined("encrypted", "links").await.unwrap();
    for (column, table) in [("password", "users"), ("mfa_secret", "users"), ("private_key", "links")] {
        let error = confined(column, table).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Missing, "{column}: {error:?}");
    }
}

#[tokio::test]
async fn the_second_lock_of_a_definition_leaves_its_keys_in_use() {
    let database = platform().await;
    let many = format!(
        "INSERT INTO users (id, email, password, organization_id)
         SELECT gen_random_uuid(), i || '@many', '', CASE i % 2 WHEN 0 THEN '{OTHER}' ELSE '{OWN}' END::uuid FROM generate_series(1, 20000) i;
         CREATE INDEX by_organization ON users (organization_id, email); ANALYZE"
    );
    database.execute(&many).await;
    let source = source(&database);
    for (sql, key) in [
        (
            format!("SELECT email FROM users WHERE organization_id = '{OWN}' AND id = '{OTHER}'"),
            "Index Scan using users_pkey",
        ),
        (format!("SELECT 1 FROM users WHERE organization_id = '{OWN}' AND email = 'x'"), "using by_organization"),
        (
            format!(
                "SELECT a.email FROM users a JOIN users b ON b.id = a.id WHERE a.organization_id = '{OWN}' AND a.id = '{OTHER}'"
            ),
            "Index Scan using users_pkey",
        ),
    ] {
        let tables = source.tables().await.unwrap();
        let schemas = tables.0.keys().map(|table| (table.clone(), "public".to_owned())).collect();
        let scope = Scope {
            values: 0,
            organization_type: Some("uuid"),
            tables: &tables.0,
            withheld: &tables.1,
            declared: &Default::default(),
            schemas: &schemas,
            rules: &shipped_rules(),
        };
        let confined = confine(Dialect::Postgres, &sql, &scope).unwrap().unwrap();
        assert!(confined.binds_organization);
        let explain = format!("EXPLAIN (COSTS OFF) {}", confined.sql);
        let plan = ask_with(&source, &explain, vec![Bind::Text(OWN.into())], LIMITS).await.unwrap();
        let plan = json!(plan.rows).to_string();
        assert!(plan.contains(key) && !plan.contains("CTE Scan"), "{sql}\n{plan}");
    }
}
