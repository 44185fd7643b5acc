//! 100,000 mutated messages over each transport: the server lives, stays small, and answers each request once.

use std::{collections::HashMap, path::Path};

use futures::StreamExt as _;
use serde_json::{Value, json};

use super::mutation::{Due, Mutations, judge};
use crate::support::{
    client::{Client, initialize_params, serve_command},
    http::{HttpServer, http_client, messages},
};

const MESSAGES: usize = 100_000;
/// Messages that are under way at once.
const WINDOW: usize = 200;
/// What the server may grow by from the first windows to the last: caches fill, nothing piles up.
const GROWTH_KIB: u64 = 48 << 10;

/// Resident memory of a process, in KiB.
pub fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Counts answers against what messages deserve.
#[derive(Default)]
pub struct Ledger {
    due: HashMap<String, (Due, usize, String)>,
    /// Lines that are no JSON: each may be answered with an id that stands in it, once.
    unreadable: Vec<String>,
    /// Answers to them.
    faults: usize,
    waiting: usize,
    pub requests: usize,
}

impl Ledger {
    /// A message is sent.
    pub fn sent(&mut self, line: &[u8]) {
        let due = judge(line);
        if let Ok(Value::Array(batch)) = serde_json::from_slice(line.trim_ascii()) {
            // A message may have begun a session of the revision that has batches: each of one may be answered.
            for element in batch {
                if let Due::One(id) | Due::AtMostOne(id) = judge(element.to_string().as_bytes()) {
                    self.owed(Due::AtMostOne(id.clone()), id, line);
                }
            }
            return;
        }
        if due == Due::Nothing && serde_json::from_slice::<Value>(line.trim_ascii()).is_err() {
            self.unreadable.push(String::from_utf8_lossy(line).into_owned());
        }
        let (Due::One(id) | Due::AtMostOne(id)) = &due else { return };
        let id = id.clone();
        self.owed(due, id, line);
    }

    fn owed(&mut self, due: Due, id: String, line: &[u8]) {
        let one = matches!(due, Due::One(_));
        // Two messages of one id, by chance of the mutation: neither can be told from the other.
        if let Some((before, ..)) = self.due.get_mut(&id) {
            if matches!(before, Due::One(_)) {
                self.waiting -= 1;
            }
            *before = Due::Nothing;
            return;
        }
        self.waiting += usize::from(one);
        self.requests += usize::from(one);
        self.due.insert(id, (due, 0, String::from_utf8_lossy(line).into_owned()));
    }

    /// Something came back.
    pub fn came(&mut self, answer: &Value) {
        assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
        if answer.get("method").is_some() {
            return;
        }
        assert!(answer.get("result").is_some() != answer.get("error").is_some(), "{answer}");
        let id = match &answer["id"] {
            Value::Null => return assert!(answer["error"]["code"].is_i64(), "{answer}"),
            Value::String(id) => format!("{id:?}"),
            id => id.to_string(),
        };
        if answer["error"]["code"] == -32700 {
            self.faults += 1;
            assert!(self.faults <= self.unreadable.len(), "nobody sent a line that is no JSON for {answer}");
            // What may be written in several ways is not looked for.
            let id = answer["id"].to_string();
            let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || "\"-".contains(c));
            let stands = |line: &String| !plain || line.contains(&id);
            assert!(self.unreadable.iter().any(stands), "the id of {answer} stands in no line that is no JSON");
            return;
        }
        let Some((due, count, line)) = self.due.get_mut(&id) else { panic!("nobody asked for {answer}") };
        *count += 1;
        match due {
            Due::One(_) => {
                assert_eq!(*count, 1, "a second answer {answer} to {line}");
                self.waiting -= 1;
            }
            Due::AtMostOne(_) => assert_eq!(*count, 1, "a second answer {answer} to {line}"),
            Due::Nothing => {}
        }
    }

    pub fn settled(&self) -> bool {
        self.waiting == 0
    }

    pub fn unanswered(&self) -> Vec<&str> {
        let open = self.due.values().filter(|(due, count, _)| matches!(due, Due::One(_)) && *count == 0);
        open.map(|(_, _, line)| line.as_str()).collect()
    }

    /// Forgets what is settled; late answers to it would be found out as answers that nobody asked for.
    pub fn forget(&mut self) {
        self.due.retain(|_, (due, ..)| !matches!(due, Due::One(_)));
        self.unreadable.clear();
        self.faults = 0;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_hundred_thousand_mutated_messages_over_stdio() {
    let data = tempfile::tempdir().unwrap();
    let mut client = Client::spawn(serve_command(data.path()));
    client.initialize("2025-11-25").await;
    let mut mutations = Mutations::new(20_261_121);
    let mut ledger = Ledger::default();
    let mut small = 0;
    for window in 0..MESSAGES / WINDOW {
        for _ in 0..WINDOW {
            let line = mutations.next();
            ledger.sent(&line);
            client.send(&line).await;
        }
        let sync = format!("sync-{window}");
        client.send_json(json!({"jsonrpc": "2.0", "id": sync, "method": "ping"})).await;
        let mut synced = false;
        while !synced || !ledger.settled() {
            let line = tokio::time::timeout(crate::support::client::DEADLINE, client.line())
                .await
                .unwrap_or_else(|_| panic!("no answer to {:#?}", ledger.unanswered()))
                .expect("the server lives");
            if line["id"] == sync { synced = true } else { ledger.came(&line) }
        }
        ledger.forget();
        if window == 50 {
            small = resident(client.pid());
        }
    }
    let large = resident(client.pid());
    println!("{MESSAGES} messages, {} requests answered once each; {small} KiB grew to {large} KiB", ledger.requests);
    assert!(large < small + GROWTH_KIB, "{small} KiB grew to {large} KiB");
    let (_, code) = client.finish().await;
    assert_eq!(code, Some(0));
}

/// Posts a message as a client would, as far as a broken message lets it; answers the status and what came back.
async fn post(client: &reqwest::Client, url: &str, session: &str, line: Vec<u8>) -> Result<(u16, Vec<Value>), String> {
    let message = serde_json::from_slice::<Value>(&line).unwrap_or_default();
    let mut request = client
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    let header = |value: &Value| value.as_str().and_then(|text| reqwest::header::HeaderValue::from_str(text).ok());
    match header(&message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"]) {
        Some(version) => {
            request = request.header("mcp-protocol-version", version);
            let named = message["params"].get("name").or_else(|| message["params"].get("uri"));
            request = header(&message["method"]).into_iter().fold(request, |r, method| r.header("mcp-method", method));
            request = named.and_then(header).into_iter().fold(request, |r, name| r.header("mcp-name", name));
        }
        None => request = request.header("mcp-session-id", session),
    }
    let answer = request.body(line).send().await.map_err(|error| format!("{error:?}"))?;
    let status = answer.status().as_u16();
    let content_type = answer.headers().get("content-type").map(|ty| ty.to_str().unwrap().to_owned());
    let body = answer.text().await.map_err(|error| format!("{status}: {error:?}"))?;
    Ok((status, messages(&content_type.unwrap_or_default(), &body)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_hundred_thousand_mutated_messages_over_http() {
    let data = tempfile::tempdir().unwrap();
    let server = HttpServer::start(serve_command(data.path())).await;
    let client = http_client();
    let params = initialize_params("2025-11-25");
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).to_string();
    let opened = client
        .post(server.url())
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(body)
        .send()
        .await
        .unwrap();
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let mut mutations = Mutations::new(20_261_122);
    // A subscription stays open until somebody ends it; those have tests of their own.
    let mut lines = std::iter::from_fn(|| Some(mutations.next()))
        .filter(|line| !line.windows(13).any(|bytes| bytes == b"subscriptions"))
        .take(MESSAGES);
    let (mut small, mut requests, mut refused) = (0, 0, 0);
    for window in 0..MESSAGES / WINDOW {
        let posts = lines.by_ref().take(WINDOW).map(|line| {
            let (client, url, session) = (client.clone(), server.url(), session.clone());
            async move {
                let answer = post(&client, &url, &session, line.clone()).await;
                (line, answer)
            }
        });
        let answers: Vec<_> = futures::stream::iter(posts).buffer_unordered(32).collect().await;
        for (line, answer) in answers {
            let shown = String::from_utf8_lossy(&line).into_owned();
            let (status, messages) = answer.unwrap_or_else(|error| panic!("{error}\nto {shown}"));
            assert!(status < 500 || status == 503, "{status} {messages:?} to {shown}");
            refused += usize::from(status >= 400);
            let mut ledger = Ledger::default();
            ledger.sent(&line);
            messages.iter().for_each(|message| ledger.came(message));
            assert!(ledger.settled(), "{status} {messages:?}, no answer to {shown}");
            requests += ledger.requests;
        }
        if window == 100 {
            small = resident(server.pid());
        }
    }
    let large = resident(server.pid());
    println!(
        "{MESSAGES} messages, {requests} requests answered once each, {refused} refused; {small} KiB grew to {large} KiB"
    );
    assert!(large < small + GROWTH_KIB, "{small} KiB grew to {large} KiB");
    let ping = json!({"jsonrpc": "2.0", "id": "alive", "method": "ping"}).to_string().into_bytes();
    let (status, messages) = post(&client, &server.url(), &session, ping).await.unwrap();
    assert_eq!((status, &messages[0]["id"]), (200, &json!("alive")));
}
