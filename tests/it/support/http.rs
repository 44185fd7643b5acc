//! The built binary as an HTTP server on a port of its own, and requests of 2026-07-28 to it.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::client::{DEADLINE, modern};

/// A server that runs; killed when dropped.
pub struct HttpServer {
    pub child: Child,
    /// `http://127.0.0.1:PORT`
    pub origin: String,
    /// The lines that it logged since it listens.
    pub log: Arc<Mutex<Vec<String>>>,
}

impl HttpServer {
    /// Starts `serve --transport http` on any free port and waits until it listens. `command` is of `serve_command`.
    pub async fn start(mut command: Command) -> Self {
        command.args(["--transport", "http", "--port", "0"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.env("TELEMETRYFLOW_MCP_LOG_LEVEL", "info").spawn().expect("the server starts");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let origin = tokio::time::timeout(DEADLINE, async {
            let mut said = String::new();
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(origin) = origin(&line) {
                    return origin;
                }
                said += &line;
                said.push('\n');
            }
            panic!("the server ended before it listened:\n{said}")
        })
        .await
        .expect("the server listens");
        // Somebody must read what it logs, or it would wait for us.
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = log.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().unwrap().push(line);
            }
        });
        Self { child, origin, log }
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("the server runs")
    }

    pub fn url(&self) -> String {
        format!("{}/mcp", self.origin)
    }
}

/// `http://127.0.0.1:PORT` in a line of the log.
fn origin(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("://127.0.0.1:").or_else(|| line.split_once("://0.0.0.0:"))?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!port.is_empty()).then(|| format!("http://127.0.0.1:{port}"))
}

/// A client with connections of its own.
pub fn http_client() -> reqwest::Client {
    // Without TLS nothing of the provider is used, but the builder wants one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(DEADLINE).pool_idle_timeout(Duration::from_secs(30)).build().unwrap()
}

/// A request of 2026-07-28, ready to be sent.
pub fn modern_request(
    client: &reqwest::Client,
    url: &str,
    key: Option<&str>,
    id: impl Into<Value>,
    method: &str,
    params: Value,
) -> reqwest::RequestBuilder {
    let name = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str).map(str::to_owned);
    let body = json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": modern(params)});
    let mut request = client
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    if let Some(name) = name {
        request = request.header("mcp-name", name);
    }
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    request.body(body.to_string())
}

/// The messages of an answer, be it JSON or a stream of events.
pub fn messages(content_type: &str, body: &str) -> Vec<Value> {
    if content_type.starts_with("text/event-stream") {
        let data = body.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
        return data.filter(|data| !data.is_empty()).map(|data| serde_json::from_str(data).unwrap()).collect();
    }
    if body.trim().is_empty() {
        return Vec::new();
    }
    vec![serde_json::from_str(body).unwrap_or_else(|error| panic!("{content_type}: {error}: {body}"))]
}
