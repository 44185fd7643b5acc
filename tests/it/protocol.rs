//! The protocol over stdio: what needs a steered engine against a double, the streams against the built binary.

use std::time::Duration;

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};
use tfo_mcp::server::{Limits, Offers, ServerOptions};

use crate::support::{
    client::{Client, DEADLINE, initialize_params, modern, serve_command},
    double::{Seen, Served, serve_double},
};

#[tokio::test]
async fn the_binary_is_served_on_pipes_and_on_sockets() {
    let data = tempfile::tempdir().unwrap();
    for start in [Client::spawn, Client::spawn_on_sockets] {
        let mut client = start(serve_command(data.path()));
        client.initialize("2025-11-25").await;
        let long = "x".repeat(1 << 20);
        assert_eq!(client.call("echo", json!({ "message": long })).await["content"][0]["text"], long);
        for id in 0..500 {
            client.send_json(call(id, "echo", json!({"message": id.to_string()}))).await;
        }
        let (rest, code) = client.finish().await;
        assert_eq!((rest.len(), code), (500, Some(0)));
        for answer in rest {
            assert_eq!(answer["result"]["content"][0]["text"], answer["id"].to_string());
        }
    }
}

#[tokio::test]
async fn the_binary_takes_its_input_from_a_file() {
    let data = tempfile::tempdir().unwrap();
    let input = data.path().join("input.jsonl");
    let initialize =
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params("2025-11-25")});
    std::fs::write(&input, format!("{initialize}\n{}", call(2, "echo", json!({"message": "x"})))).unwrap();
    let mut command = serve_command(data.path());
    command.stdin(std::fs::File::open(&input).unwrap());
    let output = tokio::time::timeout(DEADLINE, command.output()).await.unwrap().unwrap();
    let ids: Vec<_> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone())
        .collect();
    assert_eq!((ids, output.status.code()), (vec![json!(1), json!(2)], Some(0)));
}

/// Where the input is read on a blocking thread, that thread is still parked in `read` when the session ends.
#[tokio::test]
async fn the_binary_ends_after_shutdown_although_its_input_stays_open() {
    let data = tempfile::tempdir().unwrap();
    let output = data.path().join("output.jsonl");
    let mut command = serve_command(data.path());
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::fs::File::create(&output).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let shutdown = json!({"jsonrpc": "2.0", "id": 1, "method": "shutdown"}).to_string() + "\n";
    tokio::io::AsyncWriteExt::write_all(&mut input, shutdown.as_bytes()).await.unwrap();
    let status = tokio::time::timeout(DEADLINE, child.wait()).await.unwrap().unwrap();
    drop(input);
    assert_eq!(status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
}

fn double() -> Served {
    serve_double(ServerOptions::default())
}

async fn ready(mut served: Served) -> Served {
    served.client.initialize("2025-11-25").await;
    served
}

/// Ends the input and the server; answers what it still said.
async fn finish(served: Served) -> Vec<Value> {
    let (rest, _) = served.client.finish().await;
    served.server.await.unwrap().unwrap();
    rest
}

fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> Value {
    let id = id.into();
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

#[tokio::test]
async fn every_revision_is_negotiated_and_lists_in_a_fixed_order() {
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut served = double();
        let result = served.client.initialize(revision).await;
        assert_eq!(result["protocolVersion"], revision);
        assert_eq!(result["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
        let tools = served.client.result("tools/list", json!({})).await;
        let names: Vec<_> = tools["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
        assert_eq!(
            names,
            ["chatter", "defect", "echo", "fail", "hold", "job", "nap", "panic", "restless", "structured"]
        );
        assert!(tools.get("ttlMs").is_none() && tools.get("resultType").is_none(), "{tools}");
        finish(served).await;
    }
    let mut served = double();
    for (method, list) in [
        ("tools/list", "tools"),
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ] {
        let result = served.client.result(method, modern(json!({}))).await;
        assert!(!result[list].as_array().unwrap().is_empty());
        assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(300_000), &json!("public")), "{method}");
        assert_eq!(result["resultType"], "complete");
    }
    finish(served).await;
}

#[tokio::test]
async fn both_eras_share_a_pipe() {
    let mut served = ready(double()).await;
    assert_eq!(served.client.call("echo", json!({"message": "a"})).await["content"][0]["text"], "a");
    let result =
        served.client.result("tools/call", modern(json!({"name": "echo", "arguments": {"message": "b"}}))).await;
    assert_eq!((&result["content"][0]["text"], &result["resultType"]), (&json!("b"), &json!("complete")));
    assert_eq!(served.client.call("echo", json!({"message": "c"})).await["content"][0]["text"], "c");
    finish(served).await;
}

#[tokio::test]
async fn results_and_failures_of_tools() {
    let mut served = ready(double()).await;
    let result = served.client.call("structured", json!({})).await;
    assert_eq!(
        result,
        json!({"content": [{"type": "text", "text": "1 row"}], "structuredContent": {"rows": 1}, "isError": false})
    );
    let result = served.client.call("fail", json!({})).await;
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(result["isError"] == true && text.contains("the source is away") && text.contains("start it"), "{text}");
    let result = served.client.call("echo", json!({})).await;
    assert!(result["isError"] == true && result["content"][0]["text"].as_str().unwrap().contains("`message`"));
    let answer = served.client.request("tools/call", json!({"name": "ecko"})).await;
    assert_eq!(answer["error"]["code"], -32602);
    assert_eq!(
        answer["error"]["data"],
        json!({"code": -32001, "kind": "tool", "name": "ecko", "hint": "did you mean `echo`? there are `chatter`, `defect`, `echo`, `fail`, `hold`, `job`, `nap`, `panic`, `restless`, `structured`"})
    );
    finish(served).await;
}

#[tokio::test]
async fn prompts_resources_and_completions() {
    let mut served = ready(double()).await;
    let client = &mut served.client;
    let result = client.result("prompts/get", json!({"name": "greet", "arguments": {"name": "Ada"}})).await;
    assert_eq!(result["messages"][0], json!({"role": "user", "content": {"type": "text", "text": "Hello, Ada!"}}));
    let answer = client.request("prompts/get", json!({"name": "great"})).await;
    assert_eq!((&answer["error"]["code"], &answer["error"]["data"]["code"]), (&json!(-32602), &json!(-32003)));
    let result = client.result("resources/read", json!({"uri": "test://item/7"})).await;
    assert_eq!(
        result,
        json!({"contents": [{"uri": "test://item/7", "mimeType": "text/plain", "text": "the content of test://item/7"}]})
    );
    let result = client.result("resources/read", modern(json!({"uri": "test://fixed"}))).await;
    assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(0), &json!("private")));
    for (params, code) in [(json!({"uri": "test://no"}), -32002), (modern(json!({"uri": "test://no"})), -32602)] {
        let error = client.request("resources/read", params).await["error"].take();
        assert_eq!((&error["code"], &error["data"]["uri"]), (&json!(code), &json!("test://no")));
        assert_eq!((&error["data"]["code"], &error["data"]["kind"]), (&json!(-32002), &json!("resource")));
    }
    assert_eq!(client.result("resources/subscribe", json!({"uri": "test://fixed"})).await, json!({}));
    assert_eq!(client.result("resources/unsubscribe", json!({"uri": "test://fixed"})).await, json!({}));
    let reference = json!({"type": "ref/prompt", "name": "greet"});
    let params = json!({"ref": reference, "argument": {"name": "name", "value": "name-1"}});
    let completion = client.result("completion/complete", params).await["completion"].take();
    assert_eq!((&completion["total"], &completion["hasMore"]), (&json!(61), &json!(false)));
    let reference = json!({"type": "ref/resource", "uri": "test://item/{id}"});
    let params = json!({"ref": reference, "argument": {"name": "id", "value": ""}});
    let completion = client.result("completion/complete", params).await["completion"].take();
    assert_eq!(completion["values"].as_array().unwrap().len(), 100);
    assert_eq!((&completion["total"], &completion["hasMore"]), (&json!(150), &json!(true)));
    finish(served).await;
}

#[tokio::test]
async fn a_panic_and_a_defect_are_internal_errors_that_tell_nothing() {
    let mut served = ready(double()).await;
    for tool in ["panic", "defect"] {
        let answer = served.client.request("tools/call", json!({"name": tool})).await;
        assert_eq!(answer["error"]["code"], -32603);
        assert!(!answer.to_string().contains("secret"), "{answer}");
    }
    served.client.expect_silence().await;
    finish(served).await;
}

#[tokio::test]
async fn a_ping_is_not_blocked_behind_a_call() {
    let mut served = ready(double()).await;
    for id in 1..=100 {
        served.client.send_json(call(id, "hold", json!({}))).await;
        assert_eq!(served.seen.recv().await, Some(Seen::Started));
    }
    served.client.expect_silence().await;
    assert_eq!(served.client.call("echo", json!({"message": "x"})).await["isError"], false);
    served.release.add_permits(100);
    for id in 1..=100 {
        assert_eq!(served.client.answer_to(id).await["result"]["content"][0]["text"], "held");
    }
    assert_eq!(finish(served).await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_id_is_used_once_at_a_time() {
    let mut served = ready(double()).await;
    served.client.send_json(call("x", "hold", json!({}))).await;
    assert_eq!(served.seen.recv().await, Some(Seen::Started));
    served.client.send_json(call("x", "echo", json!({"message": "second"}))).await;
    let answer = served.client.answer_to("x").await;
    assert_eq!(answer["error"]["code"], -32600);
    served.release.add_permits(1);
    assert_eq!(served.client.answer_to("x").await["result"]["content"][0]["text"], "held");
    served.client.send_json(call("x", "echo", json!({"message": "third"}))).await;
    assert_eq!(served.client.answer_to("x").await["result"]["content"][0]["text"], "third");
    finish(served).await;
}

#[tokio::test]
async fn a_cancelled_call_ends_and_is_not_answered() {
    let mut served = ready(double()).await;
    served.client.send_json(call(7, "hold", json!({}))).await;
    assert_eq!(served.seen.recv().await, Some(Seen::Started));
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}});
    served.client.send_json(cancelled).await;
    assert_eq!(served.seen.recv().await, Some(Seen::Cancelled));
    served.client.expect_silence().await;
    // The session lives on.
    assert_eq!(served.client.call("echo", json!({"message": "x"})).await["content"][0]["text"], "x");
    assert_eq!(finish(served).await, Vec::<Value>::new());
}

/// rmcp itself gives handlers five seconds after the end of input; this takes as long as it must to pass them.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn everything_in_flight_is_answered_at_the_end_of_input() {
    let limits = Limits { drain: DEADLINE, ..Limits::default() };
    let mut served = ready(serve_double(ServerOptions { limits, ..ServerOptions::default() })).await;
    for id in 1..=50 {
        served.client.send_json(call(id, "nap", json!({"ms": 5200 + id % 3 * 100}))).await;
    }
    // The last line has no newline.
    served.client.send_bytes(call(51, "echo", json!({"message": "last"})).to_string()).await;
    let mut answered: Vec<_> = finish(served).await.iter().map(|answer| answer["id"].as_i64().unwrap()).collect();
    answered.sort_unstable();
    assert_eq!(answered, (1..=51).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_outlasts_the_drain_is_answered_with_an_error_and_cancelled() {
    let limits = Limits { drain: Duration::from_secs(1), ..Limits::default() };
    let mut served = ready(serve_double(ServerOptions { limits, ..ServerOptions::default() })).await;
    served.client.send_json(call(1, "hold", json!({}))).await;
    served.client.send_json(call(2, "nap", json!({"ms": 10}))).await;
    for _ in 0..2 {
        assert_eq!(served.seen.recv().await, Some(Seen::Started));
    }
    served.client.end_input();
    let answer = served.client.answer_to(1).await;
    assert_eq!(answer["error"]["code"], -32603, "{answer}");
    assert_eq!(served.client.answer_to(2).await["result"]["content"][0]["text"], "slept");
    assert_eq!(served.seen.recv().await, Some(Seen::Cancelled));
    assert_eq!(finish(served).await, Vec::<Value>::new());
}

#[tokio::test]
async fn shutdown_waits_for_what_was_asked_before_and_reads_nothing_after() {
    let mut served = ready(double()).await;
    served.client.send_json(call(1, "hold", json!({}))).await;
    assert_eq!(served.seen.recv().await, Some(Seen::Started));
    // One write, so that all of it could be read at once.
    let shutdown = json!({"jsonrpc": "2.0", "id": 2, "method": "shutdown"});
    let after = json!({"jsonrpc": "2.0", "id": 3, "method": "ping"});
    served.client.send_bytes(format!("{shutdown}\n{after}\n")).await;
    assert_eq!(served.client.answer_to(2).await["result"], json!({}));
    served.release.add_permits(1);
    assert_eq!(served.client.answer_to(1).await["result"]["content"][0]["text"], "held");
    assert_eq!(served.client.line().await, None, "the output ends although the input does not");
    served.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_operators_stop_answers_what_is_in_flight() {
    let mut served = ready(double()).await;
    served.client.send_json(call(1, "hold", json!({}))).await;
    assert_eq!(served.seen.recv().await, Some(Seen::Started));
    served.stop.cancel();
    served.release.add_permits(1);
    assert_eq!(served.client.answer_to(1).await["result"]["content"][0]["text"], "held");
    assert_eq!(served.client.line().await, None);
    served.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_no_longer_reads_ends_the_server_and_its_calls() {
    let mut served = ready(double()).await;
    served.client.send_json(call(1, "hold", json!({}))).await;
    assert_eq!(served.seen.recv().await, Some(Seen::Started));
    served.client.stop_reading();
    served.client.send_json(json!({"jsonrpc": "2.0", "id": 2, "method": "ping"})).await;
    tokio::time::timeout(DEADLINE, served.server).await.unwrap().unwrap().unwrap();
    assert_eq!(served.seen.recv().await, Some(Seen::Cancelled));
}

#[tokio::test]
async fn a_message_may_arrive_byte_by_byte_between_answers() {
    let mut served = ready(double()).await;
    let line = call("slow", "echo", json!({"message": "in pieces"})).to_string() + "\n";
    for id in 1..=line.len() {
        served.client.send_json(call(id as i64, "hold", json!({}))).await;
        assert_eq!(served.seen.recv().await, Some(Seen::Started));
    }
    for (i, byte) in line.bytes().enumerate() {
        // Each answer makes rmcp drop its half-done read.
        served.release.add_permits(1);
        served.client.send_bytes([byte]).await;
        let early = served.client.line().await.unwrap();
        assert!(early["result"]["content"][0]["text"] == "held" || i + 1 == line.len(), "{early}");
        if early["id"] == "slow" {
            served.client.line().await.unwrap();
            finish(served).await;
            return;
        }
    }
    assert_eq!(served.client.answer_to("slow").await["result"]["content"][0]["text"], "in pieces");
    finish(served).await;
}

/// Bytes that are close to messages, and bytes that are not.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let messages = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {"message": "ü"}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}),
        json!({"jsonrpc": "2.0", "id": "x", "result": {"a": [1, 2.5, null, true]}}),
        json!({"jsonrpc": "2.0", "id": 3, "method": "resources/read", "params": modern(json!({"uri": "test://fixed"}))}),
    ];
    let damaged =
        (0..messages.len(), vec((any::<Index>(), any::<u8>(), 0..3u8), 0..6)).prop_map(move |(i, damages)| {
            let mut line = messages[i].to_string().into_bytes();
            for (at, byte, kind) in damages {
                let at = at.index(line.len());
                match kind {
                    0 => line[at] = byte,
                    1 => line.insert(at, byte),
                    _ => drop(line.remove(at)),
                }
            }
            line
        });
    prop_oneof![damaged, vec(any::<u8>(), 0..200)]
}

#[test]
fn no_noise_ends_a_session() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(before in vec(noise(), 0..5), after in vec(noise(), 0..20))| {
        runtime.block_on(async {
            let mut served = double();
            for line in &before {
                served.client.send(line).await;
            }
            served.client.send_json(json!({"jsonrpc": "2.0", "id": "open", "method": "initialize", "params": initialize_params("2025-11-25")})).await;
            served.client.answer_to("open").await;
            for line in &after {
                served.client.send(line).await;
            }
            served.client.send_json(call("last", "echo", json!({"message": "alive"}))).await;
            assert_eq!(served.client.answer_to("last").await["result"]["content"][0]["text"], "alive");
            finish(served).await;
        });
    });
}

#[tokio::test]
async fn a_subscription_is_acknowledged_and_ends_with_the_connection() {
    let mut served = double();
    let params = modern(json!({"notifications": {"toolsListChanged": true}}));
    let listen = json!({"jsonrpc": "2.0", "id": "sub", "method": "subscriptions/listen", "params": params});
    served.client.send_json(listen).await;
    let acknowledged = served.client.line().await.unwrap();
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"]["notifications"], json!({"toolsListChanged": true}));
    let rest = finish(served).await;
    assert_eq!(rest.iter().map(|line| &line["id"]).collect::<Vec<_>>(), ["sub"]);
}

#[tokio::test]
async fn a_line_that_is_too_long_is_refused_by_its_id() {
    let limits = Limits { max_message_size: 1000, ..Limits::default() };
    let mut served = ready(serve_double(ServerOptions { limits, ..ServerOptions::default() })).await;
    let fits = |id: &str, bytes: usize| {
        let empty = call(id, "echo", json!({"message": ""})).to_string().len();
        call(id, "echo", json!({"message": "x".repeat(bytes - empty)}))
    };
    served.client.send_json(fits("whole", 1000)).await;
    assert_eq!(served.client.answer_to("whole").await["result"]["isError"], false);
    served.client.send_json(fits("long", 1001)).await;
    let answer = served.client.answer_to("long").await;
    assert_eq!(answer["error"]["code"], -32600);
    assert!(answer["error"]["message"].as_str().unwrap().contains("1000 bytes"), "{answer}");
    served.client.send("x".repeat(1 << 20)).await;
    let answer = served.client.line().await.unwrap();
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &Value::Null));
    served.client.expect_silence().await;
    finish(served).await;
}

#[tokio::test]
async fn requests_that_wait_are_bounded_and_small_ones_are_only_slowed_down() {
    let limits = Limits { max_requests: 2, ..Limits::default() };
    let mut served = ready(serve_double(ServerOptions { limits, ..ServerOptions::default() })).await;
    for id in 0..500 {
        served.client.send_json(call(id, "echo", json!({"message": "x"}))).await;
    }
    for id in 0..500 {
        assert_eq!(served.client.answer_to(id).await["result"]["isError"], false);
    }
    for id in [1, 2] {
        served.client.send_json(call(id, "hold", json!({}))).await;
        assert_eq!(served.seen.recv().await, Some(Seen::Started));
    }
    for id in 3..50 {
        served.client.send_json(call(id, "hold", json!({}))).await;
        let refused = served.client.answer_to(id).await;
        assert_eq!(refused["error"]["code"], -32600);
        assert!(refused["error"]["message"].as_str().unwrap().contains("2 requests wait"), "{refused}");
    }
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    served.client.send_json(cancelled).await;
    assert_eq!(served.seen.recv().await, Some(Seen::Cancelled), "what is no request is read all the time");
    served.client.send_json(call(50, "echo", json!({"message": "room"}))).await;
    assert_eq!(served.client.answer_to(50).await["result"]["content"][0]["text"], "room");
    served.release.add_permits(1);
    assert_eq!(served.client.answer_to(2).await["result"]["content"][0]["text"], "held");
    finish(served).await;
}

#[tokio::test]
async fn what_is_switched_off_is_not_there() {
    let offers = Offers { tools: true, resources: false, prompts: false, logging: false, sampling: false };
    let mut served = serve_double(ServerOptions { offers, ..ServerOptions::default() });
    let result = served.client.initialize("2025-11-25").await;
    assert_eq!(result["capabilities"], json!({"tools": {"listChanged": true}}));
    for (method, params) in [
        ("prompts/list", json!({})),
        ("prompts/get", json!({"name": "greet"})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({"uri": "test://fixed"})),
        ("logging/setLevel", json!({"level": "info"})),
    ] {
        assert_eq!(served.client.request(method, params).await["error"]["code"], -32601, "{method}");
    }
    assert_eq!(served.client.call("echo", json!({"message": "x"})).await["isError"], false);
    finish(served).await;
}

#[tokio::test]
async fn input_that_ends_before_a_session_is_no_failure() {
    let served = double();
    assert_eq!(finish(served).await, Vec::<Value>::new());
    let mut served = double();
    served.client.send_json(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"})).await;
    assert_eq!(served.client.answer_to(1).await["error"]["code"], -32602);
    served
        .client
        .send_json(
            json!({"jsonrpc": "2.0", "id": 2, "method": "initialize", "params": initialize_params("2025-11-25")}),
        )
        .await;
    served.client.answer_to(2).await;
    assert_eq!(finish(served).await, Vec::<Value>::new());
}
