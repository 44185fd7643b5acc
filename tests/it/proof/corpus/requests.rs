//! The requests of `tests/attacks/requests`: each is sent as bytes to a server with two keys, or as a line to one
//! over stdio. It is refused or answered with the caller's own, and the server, and the session of the other key,
//! are there afterwards.
//!
//! ```text
//! call TOOL {arguments} {headers}     tools/call of 2026-07-28; a header that is null is left out, a list repeated
//! rpc METHOD {params} {headers}       any request of 2026-07-28
//! body TEXT {headers}                 any body
//! http METHOD TARGET {headers} TEXT   any request line
//! raw BYTES                           with escapes
//! stdio LINE                          with escapes
//! ```

use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    compare,
    judge::Outcome,
    text::{Attack, Lines, lines, unescape},
    worlds::{Admin, Twins},
};
use crate::{
    answers::END,
    support::{
        client::{Client, initialize_params, modern, serve_command},
        http::HttpServer,
        key,
    },
};

/// Longest wait for the end of an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// A stream of events does not end; what comes in this time is judged.
const GLANCE: Duration = Duration::from_millis(700);

struct Site {
    _server: HttpServer,
    stdio: Client,
    words: Vec<(&'static str, String)>,
    forbidden: Vec<String>,
    telemetry: Twins,
    platform: Twins,
    _data: tempfile::TempDir,
}

/// The JSON values at the beginning of a text, and what follows them.
fn values(text: &str, most: usize) -> (Vec<Value>, &str) {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let (mut found, mut end) = (Vec::new(), 0);
    while found.len() < most {
        let Some(Ok(value)) = stream.next() else { break };
        found.push(value);
        end = stream.byte_offset();
    }
    (found, text[end..].trim_start())
}

impl Site {
    async fn start() -> Self {
        let (telemetry, platform) = (Twins::clickhouse().await, Twins::sqlite().await);
        let data = tempfile::tempdir().unwrap();
        let (Admin::ClickHouse(clickhouse), Admin::Sqlite(sqlite)) = (&telemetry.admin, &platform.admin) else {
            panic!("twins of both kinds")
        };
        let settings = json!({
            "server": {"clock": END.format(&Rfc3339).unwrap()},
            "tenancy": {"organization_id": platform.organization_id},
            // What is counted as refused is not what a busy machine had no time for.
            "limits": {"context_deadline": "60s", "query_timeout": "60s"},
            "mcp": {"tool_timeout": "90s"},
            "sources": {
                "telemetry": {
                    "type": "clickhouse", "url": clickhouse.url, "database": clickhouse.database,
                    "user": clickhouse.user,
                    "password": clickhouse.password.as_ref().map(|password| password.expose_secret().to_owned()),
                },
                "platform": {"type": "sqlite", "path": sqlite},
            },
        });
        let config = data.path().join("settings.yaml");
        std::fs::write(&config, settings.to_string()).unwrap();
        let serve = || {
            let mut command = serve_command(data.path());
            command.arg("--config").arg(&config);
            command
        };
        let mut stdio = Client::spawn(serve());
        stdio.initialize("2025-06-18").await;
        let foreign = platform.both.words["foreign"].clone();
        let more = ["--scope", "sql.query"];
        let own_key = key::create(data.path(), "own", &platform.organization_id, &more);
        let other_key = key::create(data.path(), "other", &foreign, &more);
        let server = HttpServer::start(serve()).await;
        let port = server.origin.rsplit(':').next().unwrap().to_owned();
        let from = (END - Duration::from_secs(3600)).format(&Rfc3339).unwrap();
        let mut forbidden = platform.forbidden.clone();
        forbidden.push(other_key.clone());
        let words = vec![
            ("own", platform.organization_id.clone()),
            ("foreign", foreign),
            ("port", port),
            ("from", from),
            ("to", END.format(&Rfc3339).unwrap()),
            ("key", own_key),
            ("otherkey", other_key),
        ];
        let mut site = Self { _server: server, stdio, words, forbidden, telemetry, platform, _data: data };
        for (word, key) in [("session", "key"), ("othersession", "otherkey")] {
            let session = site.open(key).await;
            site.words.push((word, session));
        }
        site
    }

    fn word(&self, name: &str) -> &str {
        &self.words.iter().find(|(word, _)| *word == name).unwrap().1
    }

    fn fill(&self, text: &str) -> String {
        // An argument of one table may bring the words of the site.
        self.words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(&format!("<<{word}>>"), value))
    }

    /// Opens a session of an older revision; answers its name.
    async fn open(&self, key: &str) -> String {
        let body =
            json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params("2025-06-18")});
        let headers = json!({"authorization": format!("Bearer {}", self.word(key)), "mcp-protocol-version": null});
        let answer = self.send(&self.post("POST", "/mcp", &headers, &body.to_string())).await;
        let name =
            answer.lines().find_map(|line| line.to_lowercase().strip_prefix("mcp-session-id: ").map(str::to_owned));
        name.unwrap_or_else(|| panic!("no session: {answer}"))
    }

    fn post(&self, method: &str, target: &str, more: &Value, body: &str) -> Vec<u8> {
        let mut headers = Map::from_iter([
            ("host".to_owned(), json!(format!("127.0.0.1:{}", self.word("port")))),
            ("authorization".to_owned(), json!(format!("Bearer {}", self.word("key")))),
            ("content-type".to_owned(), json!("application/json")),
            ("accept".to_owned(), json!("application/json, text/event-stream")),
            ("mcp-protocol-version".to_owned(), json!("2026-07-28")),
            ("connection".to_owned(), json!("close")),
            ("content-length".to_owned(), json!(body.len().to_string())),
        ]);
        headers.extend(more.as_object().unwrap().clone());
        let mut text = format!("{method} {target} HTTP/1.1\r\n");
        for (name, value) in headers {
            let all = match value {
                Value::Null => Vec::new(),
                Value::Array(values) => values,
                value => vec![value],
            };
            for value in all {
                text += &format!("{name}: {}\r\n", value.as_str().unwrap());
            }
        }
        (text + "\r\n" + body).into_bytes()
    }

    /// The bytes that a line of the corpus stands for.
    fn bytes(&self, line: &str) -> Vec<u8> {
        let (kind, rest) = line.split_once(' ').unwrap();
        let with = |method: &str, params: Value, more: Option<&Value>| {
            let mut headers = json!({"mcp-method": method});
            if let Some(name) = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str) {
                let plain = name.chars().all(|c| matches!(c, ' '..='~'));
                headers["mcp-name"] = if plain { name.into() } else { Value::Null };
            }
            let meta = params.get("_meta").cloned();
            let mut params = modern(params);
            if let (Some(own), Some(Value::Object(meta))) = (params["_meta"].as_object_mut(), meta) {
                own.extend(meta);
            }
            if let Some(Value::Object(more)) = more {
                headers.as_object_mut().unwrap().extend(more.clone());
            }
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
            self.post("POST", "/mcp", &headers, &body.to_string())
        };
        match kind {
            "call" | "rpc" => {
                let (name, rest) = rest.split_once(" {").unwrap();
                let rest = format!("{{{rest}");
                let (values, _) = values(&rest, 2);
                // What is no JSON for us is sent as it is.
                let Some(first) = values.first().cloned() else {
                    return self.post("POST", "/mcp", &json!({"mcp-method": "tools/call"}), &rest);
                };
                if kind == "rpc" {
                    return with(name, first, values.get(1));
                }
                with("tools/call", json!({"name": name, "arguments": first}), values.get(1))
            }
            "body" => {
                let (body, headers) = match rest.rfind(" {\"mcp-") {
                    Some(at) => (&rest[..at], serde_json::from_str(&rest[at..]).unwrap()),
                    None => (rest, json!({"mcp-method": "ping"})),
                };
                self.post("POST", "/mcp", &printable(headers), body)
            }
            "http" => {
                let (method, rest) = rest.split_once(' ').unwrap();
                let (target, rest) = rest.split_once(' ').unwrap();
                let (values, body) = values(rest, 1);
                self.post(method, target, &values[0], body)
            }
            // One byte a character, so that every byte can be written.
            "raw" => unescape(rest).chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
            other => panic!("no kind of request: {other}"),
        }
    }

    /// Sends bytes; answers what comes until the end, or a glance of what does not end.
    async fn send(&self, bytes: &[u8]) -> String {
        self.sent(bytes, GLANCE).await
    }

    /// As [`Self::send`], for a request whose stream may stay silent so long before it ends.
    async fn sent(&self, bytes: &[u8], silence: Duration) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.word("port").parse().unwrap())).await.unwrap();
        // A server may close before it has read all.
        let _ = stream.write_all(bytes).await;
        let (mut answer, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let wait = if answer.is_empty() { PATIENCE } else { GLANCE.max(PATIENCE / 4) };
            let streamed = answer.windows(17).any(|part| part == b"text/event-stream");
            let wait = if streamed { silence } else { wait };
            let read = tokio::time::timeout(wait, stream.read(&mut buffer)).await;
            let Ok(Ok(count @ 1..)) = read else { break };
            answer.extend_from_slice(&buffer[..count]);
            if tokio::time::Instant::now() > end {
                break;
            }
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Writes a line to the server over stdio; answers all that it says until it has answered that, if it is a
    /// request, and a ping.
    async fn say(&mut self, line: &str, number: usize) -> String {
        let line = unescape(line);
        let mut awaited = vec![json!(format!("after-{number}"))];
        // Over several lines it is several messages. A byte order mark is skipped by the server.
        let whole = if line.contains('\n') { "" } else { line.trim_start_matches('\u{feff}') };
        let request = serde_json::from_str::<Value>(whole).unwrap_or_default();
        if request["method"].is_string() && (request["id"].is_number() || request["id"].is_string()) {
            awaited.push(request["id"].clone());
        }
        self.stdio.send(&line).await;
        self.stdio.send_json(json!({"jsonrpc": "2.0", "id": awaited[0], "method": "ping"})).await;
        let (ping, mut said) = (awaited[0].clone(), String::new());
        // What is no request is refused beside the requests, so a second ping is sent behind the answer to the first.
        let last = json!(format!("last-{number}"));
        while !awaited.is_empty() {
            let answer = self.stdio.line().await.unwrap_or_else(|| panic!("the server ended after {line}"));
            awaited.retain(|id| *id != answer["id"]);
            if answer["id"] == ping {
                self.stdio.send_json(json!({"jsonrpc": "2.0", "id": last, "method": "ping"})).await;
                awaited.push(last.clone());
            } else if answer["id"] != last {
                said += &format!("{answer}\n");
            }
        }
        said
    }
}

/// Header values that can be sent.
fn printable(mut headers: Value) -> Value {
    for value in headers.as_object_mut().unwrap().values_mut() {
        if value.as_str().is_some_and(|text| text.chars().any(|c| !matches!(c, ' '..='~'))) {
            *value = Value::Null;
        }
    }
    headers
}

/// What an answer is.
fn told(answer: &str) -> Outcome {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
    let refused = match status {
        Some(status) if answer.starts_with("HTTP/") => status >= 400,
        _ => answer.is_empty(),
    };
    if refused || answer.contains("\"error\":") || answer.contains("\"isError\":true") {
        Outcome::Refused
    } else {
        Outcome::Answered
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn attacking_requests_do_no_harm() {
    let mut site = Site::start().await;
    let only = std::env::var("TFO_ATTACKS").ok().filter(|only| only != "all");
    let before = (site.telemetry.admin.fingerprint().await, site.platform.admin.fingerprint().await);
    let (mut rows, mut harm, mut number) = (Vec::new(), Vec::new(), 0);
    for Lines { name, why, lines } in lines("requests") {
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let mut refused = 0;
        for line in &lines {
            let line = site.fill(&site.fill(line));
            number += 1;
            let answer = match line.strip_prefix("stdio ") {
                Some(line) => site.say(line, number).await,
                None => site.send(&site.bytes(&line)).await,
            };
            let attack = Attack { sql: line.clone(), params: Vec::new(), loose: false, cost: false };
            if let Some(word) = super::judge::forbidden(&attack, &answer, &site.forbidden) {
                harm.push(format!("[{name}] {line}\n    shows {word}: {answer:.1000}"));
            }
            if ["HTTP/1.1 500", "panicked"].iter().any(|word| answer.contains(word)) {
                harm.push(format!("[{name}] {line}\n    breaks: {answer:.500}"));
            }
            let outcome = told(&answer);
            if only.is_some() {
                println!("{outcome:?} {line}\n    {answer:.900}");
            }
            refused += usize::from(outcome == Outcome::Refused);
        }
        rows.push((format!("{name}: {why}"), lines.len(), refused));
    }
    assert!(harm.is_empty(), "{} requests did harm:\n{}", harm.len(), harm.join("\n"));
    // Everybody is served as before: the attacked session too.
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    for (key, session) in [("key", "session"), ("otherkey", "othersession")] {
        let headers = json!({
            "authorization": format!("Bearer {}", site.word(key)), "mcp-session-id": site.word(session),
            "mcp-protocol-version": "2025-06-18",
        });
        let answer = site.send(&site.post("POST", "/mcp", &headers, &list)).await;
        assert!(answer.contains("collect_telemetry_context"), "{session} is gone: {answer}");
    }
    // The other key sees what its owner may see, so that the words that were looked for could have been found.
    let theirs = json!({"authorization": format!("Bearer {}", site.word("otherkey")), "mcp-method": "tools/call",
        "mcp-name": "collect_telemetry_context"});
    let arguments = json!({"context_type": "logs", "from": site.word("from"), "to": site.word("to"), "format": "json",
        "max_items": 500, "max_chars": 100_000});
    let params = modern(json!({"name": "collect_telemetry_context", "arguments": arguments}));
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
    let answer = site.sent(&site.post("POST", "/mcp", &theirs, &body), PATIENCE).await;
    assert!(answer.contains("LEAK2"), "the owner does not see its rows: {answer:.2000}");
    let after = (site.telemetry.admin.fingerprint().await, site.platform.admin.fingerprint().await);
    assert!(before == after, "a request changed a database");
    if only.is_none() {
        let mut text = "# Requests\n\nWritten by `tests/it/proof/corpus/requests.rs` (`UPDATE=1`). No answer showed a row of \
                        another organisation, a secret or\nanother key; the server, all sessions and both databases \
                        were afterwards what they had been.\n\n| shape | requests | refused | answered |\n|---|---|---|---|\n"
            .to_owned();
        let (mut all, mut no) = (0, 0);
        for (shape, count, refused) in &rows {
            text += &format!("| {shape} | {count} | {refused} | {} |\n", count - refused);
            (all, no) = (all + count, no + refused);
        }
        text += &format!("| **{} shapes** | {all} | {no} | {} |\n", rows.len(), all - no);
        compare("requests", &text);
    }
}
