//! The transport of 2024-11-05: a stream of events, and messages posted beside it. The SDKs take their tour over it too.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    client::{DEADLINE, initialize_params, serve_command},
    eventually::eventually,
    http::{HttpServer, http_client, modern_request},
    key,
};

const SLOW: &str = "
kind: tool
name: slow
title: Slow
description: Waits.
category: test
run:
  action: pipeline
  steps:
    - run: { action: delay, for: 2s }
    - run: { action: template, text: done }
";

async fn serve(settings: Value) -> (HttpServer, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("tfo-mcp.yaml"), settings.to_string()).unwrap();
    let tools = data.path().join("pack/definitions/tools");
    std::fs::create_dir_all(&tools).unwrap();
    std::fs::write(tools.join("slow.yaml"), SLOW).unwrap();
    let mut command = serve_command(data.path());
    command.arg("--pack").arg(data.path().join("pack"));
    (HttpServer::start(command).await, data)
}

/// A client of one stream.
struct Stream {
    response: reqwest::Response,
    read: String,
    /// Where messages are posted.
    endpoint: reqwest::Url,
}

impl Stream {
    async fn open(server: &HttpServer) -> Self {
        let url = reqwest::Url::parse(&format!("{}/sse", server.origin)).unwrap();
        let response = http_client().get(url.clone()).header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no", "no proxy holds it back");
        assert_eq!(response.headers()["cache-control"], "no-cache, no-transform");
        let mut stream = Self { response, read: String::new(), endpoint: url };
        let (event, data) = stream.event().await.unwrap();
        assert_eq!(event, "endpoint", "the first event says where to post");
        assert!(data.starts_with("/sse?sessionId="), "{data}: some clients resolve nothing else right");
        stream.endpoint = stream.endpoint.join(&data).unwrap();
        stream
    }

    async fn initialized(server: &HttpServer) -> Self {
        Self::of(server, "2024-11-05").await
    }

    async fn of(server: &HttpServer, revision: &str) -> Self {
        let mut stream = Self::open(server).await;
        let params = initialize_params(revision);
        stream.post(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).to_string()).await;
        assert_eq!(stream.message().await["result"]["protocolVersion"], revision);
        stream.post(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string()).await;
        stream
    }

    /// The next event; none at the end of the stream.
    async fn event(&mut self) -> Option<(String, String)> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                let found = field("event").zip(field("data")).map(|(event, data)| (event.to_owned(), data.to_owned()));
                self.read = rest.to_owned();
                if found.is_some() {
                    return found;
                }
                continue;
            }
            let chunk = tokio::time::timeout(DEADLINE, self.response.chunk()).await.expect("an event in time").unwrap();
            self.read += std::str::from_utf8(&chunk?).unwrap();
        }
    }

    async fn message(&mut self) -> Value {
        let (event, data) = self.event().await.expect("a message");
        assert_eq!(event, "message");
        serde_json::from_str(&data).unwrap()
    }

    async fn try_post(&self, body: String) -> (u16, String) {
        let request = http_client().post(self.endpoint.clone()).header("content-type", "application/json").body(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn post(&self, body: String) {
        assert_eq!(self.try_post(body).await, (202, String::new()));
    }

    async fn call(&self, id: i64, tool: &str, arguments: Value) {
        let params = json!({"name": tool, "arguments": arguments});
        self.post(json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).to_string()).await;
    }
}

async fn sessions(server: &HttpServer) -> String {
    let metrics = http_client().get(format!("{}/metrics", server.origin)).send().await.unwrap().text().await.unwrap();
    let count = metrics.lines().find_map(|line| line.strip_prefix("mcp_server_sessions "));
    count.expect("sessions are counted").to_owned()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_stream_answers_what_is_posted_beside_it() {
    let (server, _data) = serve(json!({})).await;
    let mut stream = Stream::initialized(&server).await;
    stream.call(2, "slow", json!({})).await;
    // A message over several lines, as a person would write it.
    stream.post("{\r\n  \"jsonrpc\": \"2.0\",\n  \"id\": 3,\n  \"method\": \"ping\"\n}\n".into()).await;
    assert_eq!(stream.message().await, json!({"jsonrpc": "2.0", "id": 3, "result": {}}), "nothing waits for the slow");
    assert_eq!(stream.message().await["result"]["content"][0]["text"], "done");
    for (body, code) in [("{", -32700), ("[]", -32600)] {
        let (got, answer) = stream.try_post(body.into()).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((got, &answer["error"]["code"]), (400, &json!(code)), "{body}: {answer}");
    }
    // Of what has an id the client waits for an answer on the stream.
    for (body, id, code) in [
        (r#"{"id": 4}"#, 4, -32600),
        (r#"{"jsonrpc": "2.0", "id": 5, "method": "tools/list", "params": {"cursor": 5}}"#, 5, -32602),
        (r#"{"jsonrpc": "2.0", "method": "x", "params": {"a": 1e999}, "id": 6}"#, 6, -32700),
    ] {
        stream.post(body.into()).await;
        let refused = stream.message().await;
        assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(id), &json!(code)), "{body}: {refused}");
    }
    let cut = r#"{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "echo", "arguments": {"message": "cut \ud83d"}}}"#;
    stream.post(cut.into()).await;
    assert_eq!(stream.message().await["result"]["content"][0]["text"], "cut \u{fffd}");
    stream.call(5, "echo", json!({"message": "two\nlines"})).await;
    assert_eq!(stream.message().await["result"]["content"][0]["text"], "two\nlines");
    stream.post(json!({"jsonrpc": "2.0", "id": 6, "method": "shutdown"}).to_string()).await;
    assert_eq!(stream.message().await["id"], 6);
    assert_eq!(stream.event().await, None, "the session is over, and so is its stream");
    assert_eq!(stream.try_post(json!({"jsonrpc": "2.0", "id": 7, "method": "ping"}).to_string()).await.0, 404);
    // The one revision that has batches is answered message by message.
    let mut stream = Stream::of(&server, "2025-03-26").await;
    let ping = |id: i64| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    let unknown = json!({"jsonrpc": "2.0", "id": 3, "method": "tools/list", "params": {"cursor": 5}});
    stream.post(json!([ping(2), {"jsonrpc": "2.0", "method": "notifications/x"}, unknown, ping(4)]).to_string()).await;
    let mut answers = [stream.message().await, stream.message().await, stream.message().await];
    answers.sort_by_key(|answer| answer["id"].as_i64());
    assert_eq!(answers.each_ref().map(|answer| answer["id"].clone()), [json!(2), json!(3), json!(4)]);
    assert_eq!(answers.each_ref().map(|answer| answer.get("error").is_some()), [false, true, false], "{answers:?}");
}

#[tokio::test]
async fn a_stream_is_for_those_who_may_call() {
    let (server, _data) = serve(json!({"server": {"http": {"max_sessions": 1}}})).await;
    let url = format!("{}/sse", server.origin);
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    let json = |request: reqwest::RequestBuilder| request.header("content-type", "application/json").body(ping.clone());
    let client = http_client();
    for (what, request, status) in [
        ("a foreign host", client.get(&url).header("host", "evil.example"), 403),
        ("a foreign page", client.get(&url).header("origin", "http://evil.example"), 403),
        ("a foreign page that posts", json(client.post(&url)).header("origin", "http://evil.example"), 403),
        ("no stream", json(client.post(format!("{url}?sessionId=nope"))), 404),
        ("no stream that is named where the other transport does", json(client.post(&url)), 404),
    ] {
        let answer = request.header("mcp-session-id", "nope").send().await.unwrap();
        assert_eq!(answer.status(), status, "{what}");
        assert!(answer.json::<Value>().await.unwrap()["error"]["message"].is_string(), "{what}");
    }
    let only = Stream::initialized(&server).await;
    let second = client.get(&url).send().await.unwrap();
    assert_eq!(second.status(), 503, "there is room for one");
    drop(only);
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_stream_belongs_to_whoever_opened_it() {
    let data = tempfile::tempdir().unwrap();
    let [mine, other] = ["mine", "other"].map(|name| key::create(data.path(), name, key::SOME, &[]));
    let server = HttpServer::start(serve_command(data.path())).await;
    let url = format!("{}/sse", server.origin);
    let client = http_client();
    assert_eq!(client.get(&url).send().await.unwrap().status(), 401);
    let mut stream = client.get(&url).bearer_auth(&mine).send().await.unwrap();
    let first = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let endpoint = first.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let endpoint = reqwest::Url::parse(&url).unwrap().join(endpoint).unwrap();
    let post = |key: Option<&str>| {
        let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
        let request = client.post(endpoint.clone()).header("content-type", "application/json").body(ping);
        key.into_iter().fold(request, |request, key| request.bearer_auth(key)).send()
    };
    assert_eq!(post(None).await.unwrap().status(), 401);
    assert_eq!(post(Some(&other)).await.unwrap().status(), 404, "for others it does not exist");
    assert_eq!(post(Some(&mine)).await.unwrap().status(), 202);
    // Streams of the other transport, which last as well: of a session, and of a request of 2026-07-28.
    let open = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params("2025-06-18")});
    let opened = client.post(server.url()).bearer_auth(&mine).header("content-type", "application/json");
    let opened = opened.header("accept", "application/json").body(open.to_string()).send().await.unwrap();
    let session = client.get(server.url()).bearer_auth(&mine).header("accept", "text/event-stream");
    let mut session = session.header("mcp-session-id", &opened.headers()["mcp-session-id"]).send().await.unwrap();
    let listen = json!({"notifications": {"toolsListChanged": true}});
    let listen = modern_request(&client, &server.url(), Some(&mine), 1, "subscriptions/listen", listen);
    let mut listen = listen.send().await.unwrap();
    assert_eq!((session.status().as_u16(), listen.status().as_u16()), (200, 200));
    // A key that was revoked is refused, and whoever waits for an answer is told by the end of the stream.
    let revoke = |name: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tfo-mcp"));
        let command = command.args(["keys", "revoke", name]).current_dir(data.path()).env("HOME", data.path());
        let done = command.env("TELEMETRYFLOW_MCP_DATA_DIR", data.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    revoke("other");
    eventually("the other key is refused", async || post(Some(&other)).await.unwrap().status() == 401).await;
    assert_eq!(post(Some(&mine)).await.unwrap().status(), 202, "what another is refused ends nobody's stream");
    revoke("mine");
    eventually("the key is refused", async || post(Some(&mine)).await.unwrap().status() == 401).await;
    let ended = async { while stream.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(DEADLINE, ended).await.expect("the stream ends with its key");
    let others = async {
        while session.chunk().await.unwrap().is_some() {}
        while listen.chunk().await.unwrap().is_some() {}
    };
    tokio::time::timeout(DEADLINE, others).await.expect("they end with their key");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_stream_that_its_client_leaves_is_forgotten() {
    let (server, _data) = serve(json!({})).await;
    let stream = Stream::initialized(&server).await;
    assert_eq!(sessions(&server).await, "1");
    stream.call(2, "slow", json!({})).await;
    drop(stream);
    eventually("the session ends with its stream", async || sessions(&server).await == "0").await;
}

#[tokio::test]
async fn a_client_that_leaves_no_room_is_refused_and_can_still_cancel() {
    let (server, _data) = serve(json!({"server": {"http": {"max_requests_per_client": 2}}})).await;
    let mut stream = Stream::initialized(&server).await;
    for id in 2..5 {
        stream.call(id, "slow", json!({})).await;
    }
    let refused = stream.message().await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(4), &json!(-32600)), "{refused}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("wait for one"), "{refused}");
    for id in 2..4 {
        let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
        stream.post(cancelled.to_string()).await;
    }
    stream.call(5, "echo", json!({"message": "room"})).await;
    assert_eq!(stream.message().await["result"]["content"][0]["text"], "room");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_stopped_server_answers_what_is_in_flight_on_its_streams() {
    let (mut server, _data) = serve(json!({})).await;
    let mut stream = Stream::initialized(&server).await;
    stream.call(2, "slow", json!({})).await;
    let pid = rustix::process::Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(stream.message().await["result"]["content"][0]["text"], "done");
    assert_eq!(stream.event().await, None);
    let ended = tokio::time::timeout(DEADLINE, server.child.wait()).await.expect("the server ends").unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test]
async fn the_transport_can_be_switched_off_and_stands_beside_the_other() {
    let (server, _data) = serve(json!({"server": {"http": {"sse": false}}})).await;
    assert_eq!(http_client().get(format!("{}/sse", server.origin)).send().await.unwrap().status(), 404);
    let (server, _data) = serve(json!({"server": {"http": {"path": "/tools/mcp"}}})).await;
    assert_eq!(http_client().get(format!("{}/tools/sse", server.origin)).send().await.unwrap().status(), 200);
    for (settings, says) in [
        (json!({"path": "/sse"}), "transport of 2024-11-05"),
        (json!({"path": "mcp"}), "is no path"),
        (json!({"path": "/metrics"}), "needs itself"),
    ] {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("tfo-mcp.yaml"), json!({"server": {"http": settings}}).to_string()).unwrap();
        let mut command = serve_command(data.path());
        command.args(["--transport", "http", "--port", "0"]).stdin(std::process::Stdio::null());
        let output = tokio::time::timeout(DEADLINE, command.output()).await.unwrap().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(says), "{settings}: {said}");
    }
}

/// Each refusal of the layers in front is said on the stream, or the client would wait for ever.
#[tokio::test]
async fn what_is_refused_is_said_on_the_stream() {
    let settings = json!({"mcp": {"max_message_size": "2KiB"}, "server": {"http": {"max_requests_per_client": 1}}});
    let (server, _data) = serve(settings).await;
    let mut stream = Stream::initialized(&server).await;
    let long = json!({"jsonrpc": "2.0", "id": "long", "method": "ping", "params": {"x": "x".repeat(3000)}});
    stream.post(long.to_string()).await;
    let refused = stream.message().await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!("long"), &json!(-32600)), "{refused}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("max_message_size"), "{refused}");
    // A turn that another request of the client has: of Streamable HTTP, which lasts.
    let slow = || {
        let params = json!({"name": "slow", "arguments": {}});
        modern_request(&http_client(), &server.url(), None, 1, "tools/call", params).send()
    };
    let other = loop {
        let other = tokio::spawn(slow());
        tokio::time::sleep(Duration::from_millis(200)).await;
        if !other.is_finished() {
            break other;
        }
    };
    stream.post(json!({"jsonrpc": "2.0", "id": 9, "method": "ping"}).to_string()).await;
    let refused = stream.message().await;
    assert_eq!(refused["id"], 9);
    assert!(refused["error"]["message"].as_str().unwrap().contains("max_requests_per_client"), "{refused}");
    assert_eq!(other.await.unwrap().unwrap().status(), 200);
}
