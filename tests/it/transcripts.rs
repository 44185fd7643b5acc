//! What every line of input becomes: transcripts of clients, played to the built binary, with reviewed answers.
//!
//! A new case is a line, or a file, in `tests/fixtures/transcripts`.

use serde_json::{Value, json};

use crate::support::{
    client::{Client, serve_command},
    http::{HttpServer, http_client, messages},
};

/// Plays what a client wrote, line by line, and writes down what came back.
///
/// Replies are in the order of the lines: a line with a readable id is waited for, any other is followed by a
/// ping, whose answer proves that the server has said what it has to say.
async fn play(client: &mut Client, transcript: &[u8]) -> String {
    let mut written = String::new();
    let (lines, end) = match transcript.strip_suffix(b"\n") {
        Some(lines) => (lines, None),
        None => match transcript.rsplit_once_newline() {
            Some((lines, end)) => (lines, Some(end)),
            None => (&b""[..], Some(transcript)),
        },
    };
    for (number, line) in lines.split(|byte| *byte == b'\n').enumerate() {
        written += &format!("> {}\n", String::from_utf8_lossy(line).escape_debug().to_string().replace("\\\"", "\""));
        client.send(line).await;
        let text = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
        let request = serde_json::from_slice::<Value>(text).ok();
        let id =
            request.as_ref().map(|request| &request["id"]).filter(|id| id.is_string() || id.is_i64() || id.is_u64());
        match id.filter(|_| request.as_ref().is_some_and(|r| r.get("result").is_none() && r.get("error").is_none())) {
            Some(id) => {
                let answer = client.answer_to(id.clone()).await;
                written += &format!("< {}\n", normalised(answer));
            }
            None => {
                let sync = json!(format!("sync {number}"));
                client.send_json(json!({"jsonrpc": "2.0", "id": sync, "method": "ping"})).await;
                loop {
                    let line = client.line().await.expect("an answer to the ping");
                    if line["id"] == sync {
                        break;
                    }
                    written += &format!("< {}\n", normalised(line));
                }
            }
        }
    }
    if let Some(end) = end {
        written += &format!("> {} (no newline)\n", String::from_utf8_lossy(end));
        client.send_bytes(end).await;
    }
    written
}

trait RsplitOnceNewline {
    fn rsplit_once_newline(&self) -> Option<(&[u8], &[u8])>;
}

impl RsplitOnceNewline for [u8] {
    fn rsplit_once_newline(&self) -> Option<(&[u8], &[u8])> {
        let at = self.iter().rposition(|byte| *byte == b'\n')?;
        Some((&self[..at], &self[at + 1..]))
    }
}

/// Volatile are the version of the package and the wording of the instructions.
fn normalised(mut line: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(object) => {
                if object.contains_key("name") && object.get("version").is_some_and(|v| v == env!("CARGO_PKG_VERSION"))
                {
                    object.insert("version".into(), "[version]".into());
                }
                if object.contains_key("instructions") {
                    object.insert("instructions".into(), "[instructions]".into());
                }
                object.values_mut().for_each(walk);
            }
            Value::Array(array) => array.iter_mut().for_each(walk),
            // The catalogue grows.
            Value::String(text) => {
                if let Some((before, after)) = text.split_once("lists all ") {
                    *text = format!("{before}lists all [n]{}", after.trim_start_matches(|c: char| c.is_ascii_digit()));
                }
            }
            _ => {}
        }
    }
    walk(&mut line);
    line
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn transcripts() {
    insta::glob!("../fixtures/transcripts", "*.jsonl", |path| {
        let transcript = std::fs::read(path).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let written = runtime.block_on(async {
            let data = tempfile::tempdir().unwrap();
            let mut client = Client::spawn(serve_command(data.path()));
            let mut written = play(&mut client, &transcript).await;
            let (rest, code) = client.finish().await;
            for line in rest {
                written += &format!("< {}\n", normalised(line));
            }
            written + &format!("exit {}\n", code.unwrap())
        });
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(written);
        });
    });
}

/// What comes back over HTTP for the lines of a transcript, each line a POST.
async fn post(server: &HttpServer, transcript: &[u8]) -> Vec<Vec<Value>> {
    let client = http_client();
    let (mut session, mut answers) = (None::<String>, Vec::new());
    for line in transcript.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let text = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
        let message = serde_json::from_slice::<Value>(text).unwrap_or_default();
        let meta = &message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"];
        let mut request = client
            .post(server.url())
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(line.to_vec());
        if let Some(version) = meta.as_str() {
            request = request
                .header("mcp-protocol-version", version)
                .header("mcp-method", message["method"].as_str().unwrap());
            let name = ["name", "uri", "taskId"].iter().find_map(|key| message["params"][key].as_str());
            request = name.into_iter().fold(request, |request, name| request.header("mcp-name", name));
        } else if let Some(session) = &session {
            request = request.header("mcp-session-id", session);
        }
        let answer = request.send().await.unwrap();
        if let Some(opened) = answer.headers().get("mcp-session-id") {
            session = Some(opened.to_str().unwrap().to_owned());
        }
        let content_type = answer.headers().get("content-type").map(|ty| ty.to_str().unwrap().to_owned());
        let body = answer.text().await.unwrap();
        answers.push(messages(&content_type.unwrap_or_default(), &body).into_iter().map(normalised).collect());
    }
    answers
}

/// What came back over stdio, by line, out of the reviewed transcript.
fn reviewed(name: &str) -> Vec<(String, Vec<Value>)> {
    let snapshot = std::fs::read_to_string(format!("tests/it/snapshots/transcripts@{name}.snap")).unwrap();
    let mut lines: Vec<(String, Vec<Value>)> = Vec::new();
    for line in snapshot.lines() {
        if let Some(sent) = line.strip_prefix("> ") {
            lines.push((sent.to_owned(), Vec::new()));
        } else if let Some(came) = line.strip_prefix("< ") {
            lines.last_mut().unwrap().1.push(serde_json::from_str(came).unwrap());
        }
    }
    lines.retain(|(sent, _)| !sent.replace("\\t", " ").trim().is_empty());
    lines
}

/// The same messages get the same answers over HTTP, but for the differences that `over_http.yaml` names with reasons.
#[tokio::test]
async fn http_answers_as_stdio_does() {
    let data = tempfile::tempdir().unwrap();
    let server = HttpServer::start(serve_command(data.path())).await;
    let known: Vec<Difference> =
        serde_saphyr::from_str(&std::fs::read_to_string("tests/fixtures/over_http.yaml").unwrap()).unwrap();
    let mut found = Vec::new();
    let mut names: Vec<_> =
        std::fs::read_dir("tests/fixtures/transcripts").unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    for path in names {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let answers = post(&server, &std::fs::read(&path).unwrap()).await;
        for (n, ((sent, stdio), http)) in reviewed(&name).into_iter().zip(answers).enumerate() {
            if stdio != http {
                let known = known.iter().find(|known| known.file == name && known.line == n + 1);
                let known = known.unwrap_or_else(|| {
                    panic!("{name}:{} {sent}\nstdio: {}\nhttp:  {}", n + 1, json!(stdio), json!(http))
                });
                assert!(!known.why.is_empty());
                assert_eq!(http.len(), 1, "{name}:{} {http:?}", n + 1);
                assert_eq!(http[0]["error"]["code"], known.code, "{name}:{} {http:?}", n + 1);
                found.push((name.clone(), n + 1));
            }
        }
    }
    let listed: Vec<_> = known.iter().map(|known| (known.file.clone(), known.line)).collect();
    assert_eq!(listed, found, "listed are differences that are no longer there");
}

/// A line that HTTP answers otherwise.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    file: String,
    line: usize,
    /// Error code over HTTP.
    code: i64,
    why: String,
}
