//! The HTTP transport as clients use it that nobody here wrote: what they send, what they stumble over, and what they
//! come back for.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    client::{DEADLINE, initialize_params, serve_command},
    eventually::eventually,
    http::{HttpServer, http_client, messages, modern_request},
};

/// Tools that take a while, one of them telling how far it is.
const TOOLS: [(&str, &str); 2] = [
    (
        "slow",
        "kind: tool\nname: slow\ntitle: Slow\ndescription: Waits.\ncategory: test\nrun:\n  action: pipeline\n  steps:\n    \
         - run: { action: delay, for: 2s }\n    - run: { action: template, text: done }\n",
    ),
    (
        "asks",
        "kind: tool\nname: asks\ntitle: Asks\ndescription: Asks somebody.\ncategory: test\nrun:\n  action: pipeline\n  \
         steps:\n    - run: { action: elicit, message: Who?, schema: { type: object, properties: { name: { type: string } } } }\n      \
         as: answer\n    - run: { action: template, text: done }\n",
    ),
];

async fn serve(settings: Value) -> (HttpServer, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("tfo-mcp.yaml"), settings.to_string()).unwrap();
    let tools = data.path().join("pack/definitions/tools");
    std::fs::create_dir_all(&tools).unwrap();
    for (name, text) in TOOLS {
        std::fs::write(tools.join(format!("{name}.yaml")), text).unwrap();
    }
    let mut command = serve_command(data.path());
    command.arg("--pack").arg(data.path().join("pack"));
    (HttpServer::start(command).await, data)
}

const BOTH: &str = "application/json, text/event-stream";

struct Answer {
    status: u16,
    kind: String,
    body: String,
}

impl Answer {
    fn message(&self) -> Value {
        messages(&self.kind, &self.body).pop().unwrap_or_default()
    }
}

/// A client with a session, or none.
struct Caller<'a> {
    server: &'a HttpServer,
    session: Option<String>,
}

impl<'a> Caller<'a> {
    fn new(server: &'a HttpServer) -> Self {
        Self { server, session: None }
    }

    async fn in_session(server: &'a HttpServer, revision: &str) -> Self {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params(revision)});
        let request = http_client().post(server.url()).header("content-type", "application/json");
        let opened = request.header("accept", BOTH).body(message.to_string()).send().await.unwrap();
        let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let caller = Self { server, session: Some(session) };
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
        assert_eq!(caller.post(Some(BOTH), ready).send().await.unwrap().status(), 202);
        caller
    }

    fn post(&self, accept: Option<&str>, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        let request = http_client().post(self.server.url()).header("content-type", "application/json").body(body);
        let request = accept.into_iter().fold(request, |request, accept| request.header("accept", accept));
        self.session.iter().fold(request, |request, session| request.header("mcp-session-id", session))
    }

    fn get(&self, last_event_id: Option<&str>) -> reqwest::RequestBuilder {
        let request = http_client().get(self.server.url()).header("accept", "text/event-stream");
        let request = self.session.iter().fold(request, |request, session| request.header("mcp-session-id", session));
        last_event_id.into_iter().fold(request, |request, id| request.header("last-event-id", id))
    }

    async fn send(request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        Answer { status, kind: kind.unwrap_or_default(), body: answer.text().await.unwrap() }
    }

    async fn ask(&self, accept: Option<&str>, body: String) -> Answer {
        Self::send(self.post(accept, body)).await
    }
}

fn call(id: impl Into<Value>, tool: &str) -> String {
    let params =
        json!({"name": tool, "arguments": if tool == "echo" { json!({"message": "hello"}) } else { json!({}) }});
    json!({"jsonrpc": "2.0", "id": id.into(), "method": "tools/call", "params": params}).to_string()
}

fn ping(id: impl Into<Value>) -> String {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": "ping"}).to_string()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn whatever_a_client_takes_it_is_answered_in_that_form() {
    let (server, _data) = serve(json!({})).await;
    let initialize =
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params("2025-06-18")});
    let caller = Caller::in_session(&server, "2025-11-25").await;
    for (accept, json) in [
        (Some(BOTH), true),
        (Some("*/*"), true),
        (Some("application/*, text/*"), true),
        (Some("application/json"), true),
        (Some("Application/JSON;q=0.9"), true),
        (None, true),
        (Some(""), true),
        (Some("text/event-stream"), false),
        (Some("text/event-stream, application/json"), false),
    ] {
        let opened = Caller::new(&server).ask(accept, initialize.to_string()).await;
        assert_eq!(opened.status, 200, "{accept:?}: {}", opened.body);
        assert_eq!(opened.message()["result"]["protocolVersion"], "2025-06-18", "{accept:?}");
        let echoed = caller.ask(accept, call(2, "echo")).await;
        assert_eq!((echoed.status, echoed.kind == "application/json"), (200, json), "{accept:?}: {}", echoed.kind);
        assert_eq!(echoed.message()["result"]["content"][0]["text"], "hello", "{accept:?}");
        // As the README writes it, for `jq`.
        let listed = modern_request(&http_client(), &server.url(), None, 3, "tools/list", json!({}));
        let (client, request) = listed.build_split();
        let mut request = request.unwrap();
        request.headers_mut().remove("accept");
        if let Some(accept) = accept {
            request.headers_mut().insert("accept", accept.parse().unwrap());
        }
        let listed = client.execute(request).await.unwrap();
        assert_eq!(listed.status(), 200, "{accept:?}");
        assert_eq!(listed.headers()["content-type"] == "application/json", json, "{accept:?}");
    }
    // A call that lasts is a stream for those who read one, and an object for those who do not.
    for (accept, kind) in [
        (BOTH, "text/event-stream"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/event-stream", "text/event-stream"),
    ] {
        let answer = caller.ask(Some(accept), call(4, "slow")).await;
        assert_eq!((answer.kind.as_str(), &answer.message()["result"]["content"][0]["text"]), (kind, &json!("done")));
    }
    let stream = caller.get(None).send().await.unwrap();
    assert_eq!(stream.headers()["cache-control"], "no-cache, no-transform");
    assert_eq!(stream.headers()["x-accel-buffering"], "no");
    for (accept, status) in [("*/*", 200), ("text/*", 200), ("application/json", 406)] {
        let request = http_client().get(server.url()).header("mcp-session-id", caller.session.as_ref().unwrap());
        assert_eq!(request.header("accept", accept).send().await.unwrap().status(), status, "{accept}");
    }
}

#[tokio::test]
async fn a_question_to_a_client_that_takes_no_stream_is_refused_and_nothing_hangs() {
    let (server, _data) = serve(json!({})).await;
    let mut params = initialize_params("2025-11-25");
    params["capabilities"] = json!({"elicitation": {}});
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let opened = Caller::new(&server).post(Some(BOTH), initialize.to_string()).send().await.unwrap();
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let caller = Caller { server: &server, session: Some(session) };
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
    assert_eq!(caller.post(Some(BOTH), ready).send().await.unwrap().status(), 202);
    let refused = caller.ask(Some("application/json"), call(2, "asks")).await.message();
    assert_eq!(refused["id"], 2, "{refused}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("text/event-stream"), "{refused}");
    // Whoever takes anything is asked.
    let asked = async {
        let mut answer = caller.post(Some("*/*"), call(3, "asks")).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        String::from_utf8(answer.chunk().await.unwrap().unwrap().to_vec()).unwrap()
    };
    let asked = tokio::time::timeout(DEADLINE, asked).await.unwrap();
    assert!(asked.contains("elicitation/create"), "{asked}");
    let listen =
        modern_request(&http_client(), &server.url(), None, 4, "subscriptions/listen", json!({"notifications": {}}));
    let (client, request) = listen.build_split();
    let mut request = request.unwrap();
    request.headers_mut().insert("accept", "application/json".parse().unwrap());
    let refused = client.execute(request).await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("text/event-stream"));
}

/// Clients before 2025-11-25 read an event without a message as a broken one (Python SDK 1.9, TypeScript SDK 1.12).
#[tokio::test]
async fn only_sessions_of_2025_11_25_are_primed() {
    let (server, _data) = serve(json!({})).await;
    for (revision, primed) in
        [("2024-11-05", false), ("2025-03-26", false), ("2025-06-18", false), ("2025-11-25", true)]
    {
        let caller = Caller::in_session(&server, revision).await;
        let answer = caller.ask(Some("text/event-stream"), call(2, "echo")).await;
        let events: Vec<&str> = answer.body.split("\n\n").filter(|event| !event.trim().is_empty()).collect();
        assert_eq!(events.len(), 1 + usize::from(primed), "{revision}: {}", answer.body);
        assert!(events.iter().all(|event| event.lines().any(|line| line.starts_with("id:"))), "{}", answer.body);
        let empty = |event: &&&str| event.lines().any(|line| line.trim_end() == "data:");
        assert_eq!(events.iter().filter(empty).count(), usize::from(primed), "{revision}: {}", answer.body);
        assert_eq!(events[0].contains("retry:"), primed, "{revision}: {}", answer.body);
    }
}

/// The first event id of a call that lasts, whose connection then breaks.
async fn broken_off(caller: &Caller<'_>, id: i64) -> String {
    let mut answer = caller.post(Some(BOTH), call(id, "slow")).send().await.unwrap();
    let first = String::from_utf8(answer.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    first.lines().find_map(|line| line.strip_prefix("id: ")).expect("an id to come back with").to_owned()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_was_not_delivered_is_replayed_while_the_call_runs_and_after_its_end() {
    let (server, _data) = serve(json!({})).await;
    let caller = Caller::in_session(&server, "2025-11-25").await;
    for wait in [Duration::ZERO, Duration::from_millis(3000)] {
        let last = broken_off(&caller, 7).await;
        tokio::time::sleep(wait).await;
        for again in ["once", "and once more"] {
            let answer = tokio::time::timeout(DEADLINE, Caller::send(caller.get(Some(&last)))).await.unwrap();
            assert_eq!(answer.status, 200, "{again} after {wait:?}: {}", answer.body);
            let message = answer.message();
            assert_eq!((&message["id"], &message["result"]["content"][0]["text"]), (&json!(7), &json!("done")));
        }
    }
    // What is not kept any more, never was, or belongs to somebody else is refused: with an empty stream a client would
    // come back for ever.
    let last = broken_off(&caller, 8).await;
    let (_, stream) = last.split_once('/').unwrap();
    let another = Caller::in_session(&server, "2025-11-25").await;
    for (caller, id) in [
        (&caller, "9/9".to_owned()),
        (&caller, format!("99/{stream}")),
        (&caller, "nonsense".into()),
        (&caller, "-1/0".into()),
        (&another, last.clone()),
    ] {
        let refused = Caller::send(caller.get(Some(&id))).await;
        assert_eq!(refused.status, 400, "{id}");
        assert!(refused.message()["error"]["message"].as_str().unwrap().contains("again"), "{}", refused.body);
    }
    // An answer that was an object has no events to come back for.
    assert_eq!(caller.ask(Some(BOTH), call(9, "echo")).await.kind, "application/json");
    let next = stream.parse::<u64>().unwrap() + 1;
    assert_eq!(Caller::send(caller.get(Some(&format!("0/{next}")))).await.status, 400);
}

/// An empty stream would have SDKs come back for ever: what is cancelled has no answer.
#[tokio::test]
async fn a_cancelled_call_is_nothing_to_come_back_for() {
    let (server, _data) = serve(json!({})).await;
    let caller = Caller::in_session(&server, "2025-11-25").await;
    let mut answer = caller.post(Some(BOTH), call(7, "slow")).send().await.unwrap();
    let first = String::from_utf8(answer.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let last = first.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}});
    assert_eq!(caller.post(Some(BOTH), cancelled.to_string()).send().await.unwrap().status(), 202);
    let ended = async { while answer.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(DEADLINE, ended).await.expect("the stream ends");
    // The stream ends a moment before it is forgotten.
    eventually("it is forgotten", async || Caller::send(caller.get(Some(last))).await.status == 400).await;
}

#[tokio::test]
async fn what_belongs_to_no_call_is_replayed_too() {
    let (server, data) = serve(json!({})).await;
    let caller = Caller::in_session(&server, "2025-11-25").await;
    let edit = |n: i32| {
        let (_, text) = TOOLS[0];
        let text = text.replace("description: Waits.", &format!("description: Waits {n}."));
        std::fs::write(data.path().join("pack/definitions/tools/slow.yaml"), text).unwrap();
    };
    let mut stream = caller.get(None).send().await.unwrap();
    let mut read = String::new();
    let mut until = async |stream: &mut reqwest::Response, wanted: &str| {
        read.clear();
        let found = async {
            while !read.contains(wanted) {
                read += str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, found).await.unwrap_or_else(|_| panic!("`{wanted}` is never told"));
        read.lines().rfind(|line| line.starts_with("id: ")).unwrap().trim_start_matches("id: ").to_owned()
    };
    let first = until(&mut stream, "retry:").await;
    edit(1);
    let told = until(&mut stream, "tools/list_changed").await;
    drop(stream);
    edit(2);
    let mut again = caller.get(Some(&told)).send().await.unwrap();
    assert_ne!(until(&mut again, "tools/list_changed").await, told, "only what came after it");
    let mut whole = caller.get(Some(&first)).send().await.unwrap();
    until(&mut whole, "tools/list_changed").await;
}

#[tokio::test]
async fn a_newer_client_is_negotiated_with_by_its_body() {
    let (server, _data) = serve(json!({})).await;
    for (header, body, agreed) in [
        ("2099-01-01", "2099-01-01", "2025-11-25"),
        ("2099-01-01", "2025-06-18", "2025-06-18"),
        ("2026-07-28", "2025-03-26", "2025-03-26"),
        ("1999-01-01", "1999-01-01", "2025-11-25"),
        ("\u{fc}", "2025-11-25", "2025-11-25"),
    ] {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params(body)});
        let request = Caller::new(&server).post(Some(BOTH), message.to_string());
        let header = reqwest::header::HeaderValue::from_bytes(header.as_bytes()).unwrap();
        let answer = Caller::send(request.header("mcp-protocol-version", header)).await;
        assert_eq!((answer.status, &answer.message()["result"]["protocolVersion"]), (200, &json!(agreed)), "{body}");
    }
    // Every other request is told which there are.
    let caller = Caller::in_session(&server, "2025-11-25").await;
    let session = caller.session.clone().unwrap();
    let of = |method: reqwest::Method| http_client().request(method, server.url()).header("accept", BOTH);
    for request in [
        caller.post(Some(BOTH), ping(2)),
        caller.post(Some(BOTH), json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string()),
        of(reqwest::Method::GET).header("mcp-session-id", &session),
        of(reqwest::Method::DELETE).header("mcp-session-id", &session),
    ] {
        let refused = Caller::send(request.header("mcp-protocol-version", "2099-01-01")).await;
        let error = refused.message()["error"].clone();
        assert_eq!((refused.status, &error["code"]), (400, &json!(-32022)), "{}", refused.body);
        let supported = error["data"]["supported"].as_array().unwrap();
        assert!(supported.contains(&json!("2025-11-25")) && supported.contains(&json!("2026-07-28")), "{error}");
    }
    assert_eq!(caller.ask(Some(BOTH), ping(3)).await.status, 200, "the session is still there");
}

#[tokio::test]
async fn an_id_that_can_be_read_is_answered() {
    let (server, _data) = serve(json!({"mcp": {"max_message_size": "2KiB"}})).await;
    let caller = Caller::in_session(&server, "2025-06-18").await;
    let cut = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"message":"cut \ud83d"}}}"#;
    let served = caller.ask(Some(BOTH), cut.into()).await;
    assert_eq!(served.message()["result"]["content"][0]["text"], "cut \u{fffd}", "{}", served.body);
    for (body, id) in [
        (&b"{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\",\"params\":{\"a\":\"\xff\"}}"[..], json!(8)),
        (b"{\"method\":\"ping\",\"params\":{\"a\":\"\xff\"},\"jsonrpc\":\"2.0\",\"id\":\"last\"}", json!("last")),
        (b"{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\",\"params\":{\"a\":\"b\nc\"}}", json!(9)),
        (b"{\"jsonrpc\":\"2.0\",\"id\":10,\"method\":\"ping\"", json!(10)),
        (b"{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"a\":\"\xff\"}}", Value::Null),
    ] {
        let refused = Caller::send(caller.post(Some(BOTH), body)).await;
        let message = refused.message();
        assert_eq!((refused.status, &message["id"]), (400, &id), "{}: {message}", String::from_utf8_lossy(body));
    }
}

/// The Python SDK takes a status for the end of the session, or of itself.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn within_a_session_a_refusal_is_an_answer() {
    let (server, _data) =
        serve(json!({"mcp": {"max_message_size": "2KiB"}, "server": {"http": {"max_requests_per_client": 1}}})).await;
    let caller = Caller::in_session(&server, "2025-06-18").await;
    let long = json!({"jsonrpc": "2.0", "id": 5, "method": "ping", "params": {"x": "x".repeat(3000)}});
    let cursor = |cursor: Value| {
        json!({"jsonrpc": "2.0", "id": 5, "method": "tools/list", "params": {"cursor": cursor}}).to_string()
    };
    for (what, body) in [
        ("too long", long.to_string()),
        ("a cursor of no list", cursor(json!("x"))),
        ("a cursor of another type", cursor(json!(5))),
        ("no such method", json!({"jsonrpc": "2.0", "id": 5, "method": "no/such"}).to_string()),
        (
            "a method of later revisions",
            json!({"jsonrpc": "2.0", "id": 5, "method": "tasks/get", "params": {"taskId": "x"}}).to_string(),
        ),
        (
            "wrong parameters",
            json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": 5}}).to_string(),
        ),
        (
            "no such resource",
            json!({"jsonrpc": "2.0", "id": 5, "method": "resources/read", "params": {"uri": "x://y"}}).to_string(),
        ),
    ] {
        let refused = caller.ask(Some(BOTH), body).await;
        let message = refused.message();
        assert_eq!((refused.status, &message["id"]), (200, &json!(5)), "{what}: {}", refused.body);
        assert!(message["error"]["code"].is_i64(), "{what}: {message}");
    }
    // What was answered before may have its turn for a moment more.
    let slow = loop {
        let slow = tokio::spawn(Caller::send(caller.post(Some(BOTH), call(6, "slow"))));
        tokio::time::sleep(Duration::from_millis(200)).await;
        if !slow.is_finished() {
            break slow;
        }
    };
    let busy = caller.ask(Some(BOTH), ping(7)).await;
    assert_eq!((busy.status, &busy.message()["id"]), (200, &json!(7)), "{}", busy.body);
    assert!(busy.body.contains("max_requests_per_client"), "{}", busy.body);
    assert_eq!(slow.await.unwrap().message()["result"]["content"][0]["text"], "done");
    // A session that is no more is still told by its status.
    let gone = Caller { server: &server, session: Some("nope".into()) };
    assert_eq!(gone.ask(Some(BOTH), cursor(json!(5))).await.status, 400);
    assert_eq!(gone.ask(Some(BOTH), ping(8)).await.status, 404);
}

#[tokio::test]
async fn a_slash_behind_a_path_is_harmless() {
    let (server, _data) = serve(json!({})).await;
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params("2025-06-18")});
    let request = http_client().post(format!("{}/", server.url())).header("content-type", "application/json");
    let answer = Caller::send(request.header("accept", BOTH).body(message.to_string())).await;
    assert_eq!((answer.status, &answer.message()["id"]), (200, &json!(1)), "{}", answer.body);
    let stream = http_client().get(format!("{}/sse/", server.origin)).send().await.unwrap();
    assert_eq!(stream.status(), 200);
}

/// Clients leave in the middle of calls; that is no error of ours.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_client_that_leaves_leaves_no_error_in_the_log() {
    let (server, _data) = serve(json!({})).await;
    for revision in ["2025-06-18", "2025-11-25"] {
        let caller = Caller::in_session(&server, revision).await;
        let left = tokio::time::timeout(Duration::from_millis(600), caller.post(Some(BOTH), call(2, "slow")).send());
        drop(left.await);
        let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}});
        assert_eq!(caller.post(Some(BOTH), cancelled.to_string()).send().await.unwrap().status(), 202);
        let left = tokio::spawn(caller.post(Some(BOTH), call(3, "slow")).send());
        tokio::time::sleep(Duration::from_millis(100)).await;
        let session = caller.session.as_ref().unwrap();
        let delete = http_client().delete(server.url()).header("mcp-session-id", session).send().await.unwrap();
        assert_eq!(delete.status(), 204);
        drop(left.await);
    }
    let modern =
        modern_request(&http_client(), &server.url(), None, 1, "tools/call", json!({"name": "slow", "arguments": {}}));
    drop(tokio::time::timeout(Duration::from_millis(100), modern.send()).await);
    let mut stream = http_client().get(format!("{}/sse", server.origin)).send().await.unwrap();
    stream.chunk().await.unwrap();
    drop(stream);
    // The calls would have ended by now.
    tokio::time::sleep(Duration::from_millis(2300)).await;
    let log = server.log.lock().unwrap().join("\n");
    assert!(!log.contains("ERROR"), "{log}");
}
