//! What the locks of PostgreSQL cost a point query: the second lock in its text, a pooler in front, the guard behind.

use secrecy::SecretString;
use serde_json::json;
use tfo_mcp::{
    definition::shipped_rules,
    source::postgres::{
        GuardKey,
        migration::{self, Platform},
    },
};

use super::{CALLS, Client, IN_FLIGHT, Line, ORGANISATION, ROUNDS, best, pooler, postgres, serve};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const READER: &str = "bench_reader";

/// The same query, exempt from tenancy and with it.
const TOOLS: [(&str, &str, bool); 2] = [
    ("exempt", "SELECT id, note FROM orders WHERE id = {{ id }}", false),
    ("bound", "SELECT id, note FROM orders WHERE id = {{ id }} AND organization_id = {{ organization_id }}", true),
];

pub async fn locks() -> Vec<Line> {
    let database = postgres::database().await;
    database
        .execute(&format!(
            "CREATE TABLE orders (id bigint PRIMARY KEY, organization_id uuid, note text);
             INSERT INTO orders SELECT i, '{ORGANISATION}', 'note of order ' || i FROM generate_series(1, 100000) i; ANALYZE orders"
        ))
        .await;
    let (data, pack) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::create_dir_all(pack.path().join("definitions")).unwrap();
    for (name, sql, tenant) in TOOLS {
        let mut tool = json!({
            "kind": "tool", "name": name, "title": name, "description": "For the benchmark.", "category": "bench",
            "parameters": { "id": { "type": "integer", "description": "Number of the order.", "required": true } },
            "annotations": { "read_only": true, "destructive": false, "idempotent": true, "open_world": false },
            "run": { "action": "sql", "source": "platform", "sql": sql },
        });
        if !tenant {
            tool["run"]["tenant"] = json!({ "none": "a table of the benchmark" });
        }
        std::fs::write(pack.path().join(format!("definitions/{name}.yaml")), tool.to_string()).unwrap();
    }
    let measure = |url: &str, key: Option<&str>, tool: &'static str| {
        let mut command = serve(data.path());
        command.arg("--pack").arg(pack.path()).env("TELEMETRYFLOW_MCP_POSTGRES_URL", url);
        if let Some(key) = key {
            command.env("TELEMETRYFLOW_MCP_DATABASE__GUARD_KEY", key);
        }
        let mut client = Client::start(command);
        let id = |i: usize| json!({ "id": 1 + i % 90_000 });
        assert!(client.call(tool, id(6)).contains("note of order 7"));
        best((0..ROUNDS).map(|_| client.cpu_micros_per_call(CALLS / 4, IN_FLIGHT, |i| (tool, id(i)))))
    };
    let direct = measure(&database.url, None, "exempt");
    let bound = measure(&database.url, None, "bound");
    let front = pooler::pooler(&database, "transaction", pooler::Startup::Dropped, "postgres").await;
    let pooled = measure(&front.url(), None, "exempt");
    let admin = SecretString::from(database.url.clone());
    let platform = Platform::read(&admin).await.unwrap();
    let guard = platform.guard(&GuardKey::new(&SecretString::from(KEY)).unwrap(), READER, &shipped_rules());
    migration::apply(&admin, &guard.sql).await.unwrap();
    let guarded = measure(&database.url_for(READER, "none"), Some(KEY), "bound");
    let line = |what, measured: f64, limit| Line {
        what,
        measured: measured / direct,
        limit,
        unit: "×",
        how: format!("{measured:.1} µs against {direct:.1} µs; server process, {} calls, best of {ROUNDS}", CALLS / 4),
    };
    vec![
        line("point query confined in its text: CPU per call, ratio to an exempt one", bound, 1.5),
        line("point query behind a transaction pooler: CPU per call, ratio to a direct connection", pooled, 6.0),
        line("point query through the guard: CPU per call, ratio to one without", guarded, 5.0),
    ]
}
