//! A folder with settings and a pack, a ClickHouse and a PostgreSQL with rows, and the audit log that is written there.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{
    clickhouse::{self, TestClickHouse},
    client::serve_command,
    eventually::eventually,
    http::http_client,
    key, postgres,
};

/// The organisation that is asked about.
pub const ONE: &str = "0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a";
/// An argument, a literal of a statement (part of every row as well), and an answer of a person.
pub const CANARIES: [&str; 3] = ["canary-argument", "canary_literal", "canary-answer"];
/// What only rows hold.
pub const ROW: &str = "canary-row";

pub struct Site {
    pub data: tempfile::TempDir,
    clickhouse: TestClickHouse,
    seen: Seen,
}

/// By what names statements were sent to ClickHouse, and by what names it answered them.
pub type Seen = Arc<Mutex<(BTreeSet<String>, BTreeSet<String>)>>;

impl Site {
    /// `settings` are added to those of the databases.
    pub async fn new(settings: Value) -> Self {
        let clickhouse = clickhouse::clickhouse().await;
        let (service, note) = (CANARIES[0], format!("{ROW} {}", CANARIES[1]));
        let insert = format!(
            "INSERT INTO probe SELECT '{ONE}', '{service}', '{note} ' || toString(number), now() - number FROM numbers(2)"
        );
        clickhouse
            .execute(&[
                "CREATE TABLE probe (organization_id String, service String, note String, at DateTime) \
                 ENGINE = MergeTree ORDER BY at",
                &insert,
            ])
            .await;
        let postgres = postgres::database().await;
        postgres
            .execute(&format!(
                "CREATE TABLE people (organization_id uuid, name text); INSERT INTO people VALUES ('{ONE}', '{ROW}');"
            ))
            .await;
        let seen = Seen::default();
        let password = clickhouse.config.password.as_ref().unwrap().expose_secret().to_owned();
        let telemetry = json!({
            "type": "clickhouse", "url": witness(clickhouse.config.url.clone(), seen.clone()).await,
            "database": clickhouse.database, "user": clickhouse.config.user, "password": password,
        });
        let data = tempfile::tempdir().unwrap();
        let mut all = json!({
            "packs": [PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audit")],
            "server": {"debug": true},
            "tenancy": {"organization_id": ONE},
            "sources": {"telemetry": telemetry, "platform": {"type": "postgres", "url": postgres.url}},
        });
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        std::fs::write(data.path().join("tfo-mcp.yaml"), all.to_string()).unwrap();
        Self { data, clickhouse, seen }
    }

    pub fn command(&self) -> Command {
        serve_command(self.data.path())
    }

    /// Makes an API key of the organisation.
    pub fn key(&self, name: &str, more: &[&str]) -> String {
        key::create(self.data.path(), name, ONE, more)
    }

    pub fn audit(&self) -> PathBuf {
        self.data.path().join("audit.jsonl")
    }

    /// All that the audit log and a log in a file say.
    pub fn text(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.data.path().join(name)).unwrap_or_default();
        read("audit.jsonl") + &read("server.log")
    }

    /// The lines, as soon as there are so many.
    pub async fn lines(&self, count: usize) -> Vec<Value> {
        eventually(format!("the log has {count} lines"), async || {
            let text = std::fs::read_to_string(self.audit()).unwrap_or_default();
            // The last one may be half written.
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            (whole.lines().count() >= count).then(|| whole.lines().map(read).collect())
        })
        .await
    }

    /// The name of the endless statement that the database works on, as soon as it does.
    pub async fn running(&self) -> Value {
        let sql = format!(
            "SELECT query_id FROM system.processes WHERE current_database = '{}' AND query LIKE '%sipHash64(number)%' \
             AND query NOT LIKE '%system.processes%'",
            self.clickhouse.database
        );
        eventually("the statement runs", async || {
            self.clickhouse.rows(&sql).await.into_iter().next().map(|row| row[0].clone())
        })
        .await
    }

    pub fn query_ids(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        self.seen.lock().unwrap().clone()
    }

    /// Nothing that callers, people or databases said stands in a log.
    pub fn holds_no_secret(&self, more: &str) {
        let text = self.text() + more;
        let password = self.clickhouse.config.password.as_ref().unwrap().expose_secret().to_owned();
        for canary in CANARIES.into_iter().chain([ROW, password.as_str()]) {
            if let Some(line) = text.lines().find(|line| line.contains(canary)) {
                panic!("{canary} stands in: {line}");
            }
        }
    }
}

/// Stands in front of ClickHouse and remembers by what name it knows each statement.
async fn witness(url: String, seen: Seen) -> String {
    type Witness = (reqwest::Client, String, Seen);
    async fn pass(State((client, url, seen)): State<Witness>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let query = parts.uri.query().unwrap_or_default();
        let id = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "query_id");
        seen.lock().unwrap().0.extend(id.map(|(_, id)| id.into_owned()));
        let mut headers = parts.headers.clone();
        headers.remove("host");
        let sent = client.request(parts.method, format!("{url}/?{query}")).headers(headers).body(body).send().await;
        let Ok(answer) = sent else { return StatusCode::BAD_GATEWAY.into_response() };
        let status = answer.status();
        if let Some(own) = answer.headers().get("x-clickhouse-query-id") {
            seen.lock().unwrap().1.insert(own.to_str().unwrap().to_owned());
        }
        let headers = answer.headers().clone();
        let mut response = Response::new(Body::from_stream(answer.bytes_stream()));
        *response.status_mut() = status;
        for (name, value) in headers.iter().filter(|(name, _)| name.as_str().starts_with("x-clickhouse")) {
            response.headers_mut().insert(name, value.clone());
        }
        response
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(pass).with_state((http_client(), url, seen));
    tokio::spawn(async move { axum::serve(listener, router).await });
    own
}
