//! What clients are told: log messages, progress, changes; who asked for it, and nobody else.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};
use tfo_mcp::{
    definition::LogLevel,
    engine::Event,
    server::{Offers, ServerOptions},
};

use crate::support::{
    client::{Client, DEADLINE, modern, serve_command},
    double::{CHATTER, serve_double, serve_engine},
    eventually::eventually,
    http::{HttpServer, http_client, modern_request},
    pack::conformance,
};

const LOGS: &str = "test_tool_with_logging";

/// The lines up to the answer of a call, without it.
async fn before_answer(client: &mut Client, params: Value) -> Vec<Value> {
    client.send_json(json!({"jsonrpc": "2.0", "id": "call", "method": "tools/call", "params": params})).await;
    let mut lines = Vec::new();
    loop {
        let line = client.line().await.unwrap();
        if line["id"] == "call" {
            assert_eq!(line["result"]["isError"], false, "{line}");
            return lines;
        }
        lines.push(line);
    }
}

async fn session(options: ServerOptions) -> Client {
    let (mut client, _) = serve_engine(conformance(), options);
    client.initialize("2025-11-25").await;
    client
}

#[tokio::test]
async fn a_session_is_told_from_info_on_until_it_says_otherwise() {
    let mut client = session(ServerOptions::default()).await;
    let told = before_answer(&mut client, json!({"name": LOGS})).await;
    assert_eq!(told.len(), 3);
    assert_eq!(told[0]["method"], "notifications/message");
    assert_eq!(told[0]["params"]["level"], "info");
    assert_eq!(told[0]["params"]["data"], "Tool execution started");
    for (level, expected) in [("warning", 0), ("debug", 3), ("emergency", 0), ("info", 3)] {
        client.result("logging/setLevel", json!({"level": level})).await;
        assert_eq!(before_answer(&mut client, json!({"name": LOGS})).await.len(), expected, "{level}");
    }
}

#[tokio::test]
async fn in_2026_07_28_only_a_request_that_asks_is_told() {
    let (mut client, _) = serve_engine(conformance(), ServerOptions::default());
    assert!(before_answer(&mut client, modern(json!({"name": LOGS}))).await.is_empty());
    for (level, expected) in [("info", 3), ("warning", 0), ("debug", 3)] {
        let mut params = modern(json!({"name": LOGS}));
        params["_meta"]["io.modelcontextprotocol/logLevel"] = json!(level);
        assert_eq!(before_answer(&mut client, params).await.len(), expected, "{level}");
    }
}

#[tokio::test]
async fn logging_that_is_switched_off_tells_nobody() {
    let offers = Offers { logging: false, ..Offers::default() };
    let mut client = session(ServerOptions { offers, ..ServerOptions::default() }).await;
    assert!(before_answer(&mut client, json!({"name": LOGS})).await.is_empty());
    assert_eq!(client.request("logging/setLevel", json!({"level": "debug"})).await["error"]["code"], -32601);
    let mut params = modern(json!({"name": LOGS}));
    params["_meta"]["io.modelcontextprotocol/logLevel"] = json!("debug");
    assert!(before_answer(&mut client, params).await.is_empty());
}

#[tokio::test]
async fn progress_is_told_in_order_before_the_answer_and_only_with_a_token() {
    let mut client = serve_double(ServerOptions::default()).client;
    client.initialize("2025-11-25").await;
    assert!(before_answer(&mut client, json!({"name": "restless"})).await.is_empty());
    for params in [json!({"name": "restless"}), modern(json!({"name": "restless"}))] {
        let mut params = params;
        params["_meta"]["progressToken"] = json!("token");
        let told = before_answer(&mut client, params).await;
        assert!(told.iter().all(|line| line["method"] == "notifications/progress"), "{told:?}");
        assert!(told.iter().all(|line| line["params"]["progressToken"] == "token"));
        let progress: Vec<_> = told.iter().map(|line| line["params"]["progress"].as_f64().unwrap()).collect();
        assert_eq!(progress, [10.0, 60.0], "what does not grow is not told");
        assert_eq!(told[0]["params"]["message"], "first");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_client_that_does_not_read_holds_the_call_and_not_the_memory() {
    let mut served = serve_double(ServerOptions::default());
    served.client.initialize("2025-11-25").await;
    served
        .client
        .send_json(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "chatter"}}))
        .await;
    // It stops telling when the pipe and the queue are full, long before it is done.
    let told = || served.double.told.load(Ordering::Relaxed);
    let mut before = usize::MAX;
    while told() == 0 || told() != before {
        before = told();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(before < CHATTER / 4, "{before} messages are kept for nobody");
    served.client.answer_to(1).await;
    assert_eq!(told(), CHATTER, "a client that reads after all gets all of them");
}

/// G: a client that did not read held its call until the tool's timeout, and with it what others waited for.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_client_that_never_reads_is_not_waited_for() {
    let mut served = serve_double(ServerOptions::default());
    served.client.initialize("2025-11-25").await;
    served
        .client
        .send_json(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "chatter"}}))
        .await;
    let done = async || served.double.told.load(Ordering::Relaxed) >= CHATTER;
    eventually("the call goes on without its client", done).await;
    // What it was told before it stopped, and the answer, are there when it comes back.
    let mut told = 0;
    while served.client.line().await.expect("the server lives").get("method").is_some() {
        told += 1;
    }
    assert!((1..CHATTER).contains(&told), "{told}");
}

async fn announce(client: &mut Client, tool: &str, arguments: Value) {
    client.call(tool, arguments).await;
}

#[tokio::test]
async fn a_session_is_told_of_lists_and_of_the_resources_it_subscribed_to() {
    let mut client = session(ServerOptions::default()).await;
    announce(&mut client, "test_trigger_tool_change", json!({})).await;
    assert_eq!(client.told().await["method"], "notifications/tools/list_changed");
    announce(&mut client, "test_trigger_prompt_change", json!({})).await;
    assert_eq!(client.told().await["method"], "notifications/prompts/list_changed");

    let watched = json!({"uri": "test://watched-resource"});
    announce(&mut client, "test_trigger_resource_update", watched.clone()).await;
    client.expect_silence().await;
    client.result("resources/subscribe", watched.clone()).await;
    announce(&mut client, "test_trigger_resource_update", watched.clone()).await;
    let told = client.told().await;
    assert_eq!(told["method"], "notifications/resources/updated");
    assert_eq!(told["params"]["uri"], "test://watched-resource");
    announce(&mut client, "test_trigger_resource_update", json!({"uri": "test://static-text"})).await;
    client.expect_silence().await;
    client.result("resources/unsubscribe", watched.clone()).await;
    announce(&mut client, "test_trigger_resource_update", watched).await;
    client.expect_silence().await;
    let unknown = client.request("resources/subscribe", json!({"uri": "test://nowhere"})).await;
    assert_eq!(unknown["error"]["code"], -32002);
}

#[tokio::test]
async fn an_update_of_a_template_concerns_its_uris() {
    let mut served = serve_double(ServerOptions::default());
    served.client.initialize("2025-11-25").await;
    served.client.result("resources/subscribe", json!({"uri": "test://item/1"})).await;
    served.double.events.send(Event::ResourceUpdated("test://item/{id}".into()));
    assert_eq!(served.client.told().await["params"]["uri"], "test://item/1");
}

#[tokio::test]
async fn messages_of_the_server_reach_sessions_by_level() {
    let mut served = serve_double(ServerOptions::default());
    served.client.initialize("2025-11-25").await;
    let log = |level| Event::Log { level, logger: "reload".into(), data: json!("a finding") };
    served.client.result("logging/setLevel", json!({"level": "error"})).await;
    served.double.events.send(log(LogLevel::Warning));
    served.double.events.send(log(LogLevel::Error));
    let told = served.client.told().await;
    assert_eq!(told["params"], json!({"level": "error", "logger": "reload", "data": "a finding"}));
    served.client.expect_silence().await;
}

#[tokio::test]
async fn nothing_is_lost_between_initialize_and_initialized() {
    let mut served = serve_double(ServerOptions::default());
    served.client.result("initialize", crate::support::client::initialize_params("2025-11-25")).await;
    served.double.events.send(Event::ToolsChanged);
    served.client.expect_silence().await;
    served.client.send_json(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    assert_eq!(served.client.told().await["method"], "notifications/tools/list_changed");
}

#[tokio::test]
async fn a_listener_that_lags_is_told_that_everything_changed() {
    let mut served = serve_double(ServerOptions::default());
    served.client.initialize("2025-11-25").await;
    served.client.result("resources/subscribe", json!({"uri": "test://fixed"})).await;
    let filter = json!({"promptsListChanged": true, "resourceSubscriptions": ["test://fixed"]});
    let listen = modern(json!({"notifications": filter}));
    served
        .client
        .send_json(json!({"jsonrpc": "2.0", "id": "s", "method": "subscriptions/listen", "params": listen}))
        .await;
    assert_eq!(served.client.told().await["method"], "notifications/subscriptions/acknowledged");
    // Nobody else runs in between, so both listeners miss the first ones.
    served.double.events.send(Event::ToolsChanged);
    for _ in 0..1000 {
        served.double.events.send(Event::ResourceUpdated("test://of-no-interest".into()));
    }
    let mut told = Vec::new();
    for _ in 0..6 {
        let line = served.client.told().await;
        let stream = line["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "s";
        told.push((stream, line["method"].as_str().unwrap().replace("notifications/", "")));
    }
    told.sort();
    let expected = [
        (false, "prompts/list_changed"),
        (false, "resources/list_changed"),
        (false, "resources/updated"),
        (false, "tools/list_changed"),
        (true, "prompts/list_changed"),
        (true, "resources/updated"),
    ];
    assert_eq!(told, expected.map(|(stream, method)| (stream, method.to_owned())));
    served.client.expect_silence().await;
}

#[tokio::test]
async fn a_stream_of_2026_07_28_tells_what_was_asked_for_and_nothing_else() {
    let mut served = serve_double(ServerOptions::default());
    let wanted = json!({"toolsListChanged": true, "resourceSubscriptions": ["test://fixed", "test://nowhere"]});
    for id in ["a", "b"] {
        let filter = if id == "a" { wanted.clone() } else { json!({"promptsListChanged": true}) };
        let params = modern(json!({"notifications": filter}));
        let listen = json!({"jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": params});
        served.client.send_json(listen).await;
        let acknowledged = served.client.told().await;
        let mut expected = filter;
        if id == "a" {
            expected["resourceSubscriptions"] = json!(["test://fixed"]);
        }
        assert_eq!(acknowledged["params"]["notifications"], expected, "what does not exist is not promised");
    }
    for (event, id, method) in [
        (Event::ResourcesChanged, "", ""),
        (Event::ToolsChanged, "a", "notifications/tools/list_changed"),
        (Event::ResourceUpdated("test://item/1".into()), "", ""),
        (Event::Log { level: LogLevel::Emergency, logger: "x".into(), data: json!("x") }, "", ""),
        (Event::ResourceUpdated("test://fixed".into()), "a", "notifications/resources/updated"),
        (Event::PromptsChanged, "b", "notifications/prompts/list_changed"),
    ] {
        served.double.events.send(event);
        if !id.is_empty() {
            let told = served.client.told().await;
            assert_eq!(told["method"], method);
            assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id);
        }
    }
    // A stream that is cancelled is told nothing more.
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "a"}});
    served.client.send_json(cancel).await;
    served.client.initialize("2025-11-25").await;
    served.double.events.send(Event::ToolsChanged);
    assert!(served.client.told().await["params"]["_meta"].is_null(), "of the session, not of the stream");
    served.client.expect_silence().await;
}

/// The lines that a server logs while it answers a call carry the call's trace.
#[tokio::test]
async fn what_is_logged_during_a_call_carries_its_trace() {
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("log.jsonl");
    let mut command = serve_command(data.path());
    command.env("TELEMETRYFLOW_MCP_LOG_LEVEL", "debug").env("TELEMETRYFLOW_MCP_LOG_FORMAT", "json");
    command.env("TELEMETRYFLOW_MCP_LOG_OUTPUT", &log);
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for parent in [format!("00-{trace}-00f067aa0ba902b7-01"), "00-nonsense".to_owned()] {
        let params = json!({"name": "echo", "arguments": {"message": "x"}, "_meta": {
            "traceparent": parent, "tracestate": "vendor=1",
        }});
        client.result("tools/call", params).await;
    }
    let _ = tokio::time::timeout(DEADLINE, client.finish()).await.expect("the server ends");
    let logged = std::fs::read_to_string(log).unwrap();
    let spans: Vec<Value> = logged
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["message"] == "answered")
        .map(|line| line["span"].clone())
        .collect();
    assert_eq!(spans.len(), 2, "{logged}");
    assert_eq!((&spans[0]["method"], &spans[0]["of"]), (&json!("tools/call"), &json!("echo")));
    assert_eq!(spans[0]["trace_id"], trace);
    assert_eq!(spans[0]["parent_id"], "00f067aa0ba902b7");
    assert_eq!(spans[0]["tracestate"], "vendor=1");
    let fresh = spans[1]["trace_id"].as_str().unwrap();
    assert!(fresh.len() == 32 && fresh != trace && spans[1]["parent_id"].is_null(), "{fresh}");
}

/// Over HTTP the headers carry a trace too; what `_meta` says comes first.
#[tokio::test]
async fn a_trace_comes_from_the_headers_where_the_request_has_none() {
    let data = tempfile::tempdir().unwrap();
    let mut command = serve_command(data.path());
    command.args(["--log-level", "debug"]).env("TELEMETRYFLOW_MCP_LOG_FORMAT", "json");
    let server = HttpServer::start(command).await;
    let (ours, theirs) = ("4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c");
    let parent = |trace: &str| format!("00-{trace}-00f067aa0ba902b7-01");
    let mut asked = 0;
    let mut ask = |header: String, meta: Option<String>| {
        asked += 1;
        let mut params = modern(json!({"name": "echo", "arguments": {"message": "x"}}));
        if let Some(meta) = meta {
            params["_meta"]["traceparent"] = json!(meta);
        }
        let body = json!({"jsonrpc": "2.0", "id": asked, "method": "tools/call", "params": params});
        modern_request(&http_client(), &server.url(), None, asked, "tools/call", json!({"name": "echo"}))
            .header("traceparent", header)
            .header("tracestate", "vendor=1")
            .body(body.to_string())
            .send()
    };
    for (header, meta) in [
        (parent(theirs), None),
        (parent(theirs), Some(parent(ours))),
        (parent(theirs), Some("00-nonsense".to_owned())),
        ("00-nonsense".to_owned(), None),
    ] {
        assert_eq!(ask(header, meta).await.unwrap().status(), 200);
    }
    let answered = || {
        let log = server.log.lock().unwrap();
        let lines = log.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["message"] == "answered").map(|line| line["span"].clone()).collect::<Vec<_>>()
    };
    eventually("all calls are logged", async || answered().len() >= 4).await;
    let spans = answered();
    let traces: Vec<&str> = spans.iter().map(|span| span["trace_id"].as_str().unwrap()).collect();
    assert_eq!(traces[..3], [theirs, ours, theirs]);
    assert!(traces[3].len() == 32 && traces[3] != ours && traces[3] != theirs, "{traces:?}");
    assert_eq!((&spans[0]["parent_id"], &spans[0]["tracestate"]), (&json!("00f067aa0ba902b7"), &json!("vendor=1")));
    assert!(spans[1]["tracestate"].is_null(), "a state belongs to the parent that it came with: {}", spans[1]);
    assert!(spans[3]["parent_id"].is_null(), "{}", spans[3]);
}

/// Streams and what they listen to are bounded; a stream that is over makes room.
#[tokio::test]
async fn a_pipe_has_so_many_streams_and_a_stream_so_many_resources() {
    let mut served = serve_double(ServerOptions::default());
    let listen = |id: &str, notifications: Value| {
        let params = modern(json!({"notifications": notifications}));
        json!({"jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": params})
    };
    let tools = || json!({"toolsListChanged": true});
    for n in 0..100 {
        served.client.send_json(listen(&format!("s{n}"), tools())).await;
        assert_eq!(served.client.told().await["method"], "notifications/subscriptions/acknowledged");
    }
    served.client.send_json(listen("more", tools())).await;
    let refused = served.client.answer_to("more").await;
    assert_eq!(refused["error"]["code"], -32600, "{refused}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("cancel one"), "{refused}");
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "s0"}});
    served.client.send_json(cancel).await;
    // The id is free as soon as the stream has ended.
    tokio::time::timeout(DEADLINE, async {
        loop {
            served.client.send_json(listen("more", tools())).await;
            let line = served.client.line().await.unwrap();
            if line["method"] == "notifications/subscriptions/acknowledged" {
                break;
            }
            assert_eq!(line["error"]["code"], -32600, "{line}");
        }
    })
    .await
    .expect("there is room again");

    let uris: Vec<String> = (0..1001).map(|n| format!("test://item/{n}")).collect();
    served.client.send_json(listen("s0", json!({"resourceSubscriptions": uris}))).await;
    let refused = served.client.answer_to("s0").await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
}
