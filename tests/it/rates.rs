//! How often callers may call: each has its own quota, a refusal is an answer that says how long to wait, and no header,
//! session or made-up answer opens a new one.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{
    client::{Client, serve_command},
    eventually::eventually,
    http::{HttpServer, http_client, messages, modern_request},
    key,
};

const RARE: &str = "
kind: tool
name: rare
title: Rare
description: Seldom called.
category: test
rate_limit: 2/1h
run: { action: template, text: rarely }
";

async fn server(root: &Path, limits: Value) -> HttpServer {
    std::fs::create_dir_all(root.join("pack/definitions")).unwrap();
    std::fs::write(root.join("pack/definitions/rare.yaml"), RARE).unwrap();
    let settings = json!({ "limits": limits, "audit": { "output": root.join("audit.jsonl") } });
    std::fs::write(root.join("own.yaml"), settings.to_string()).unwrap();
    let mut command = serve_command(root);
    command.args(["--config", "own.yaml", "--pack", "pack"]);
    HttpServer::start(command).await
}

/// What a call comes to: the result or the error.
async fn send(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let ty = answer.headers()["content-type"].to_str().unwrap().to_owned();
    messages(&ty, &answer.text().await.unwrap()).pop().unwrap()
}

fn is_refused(answer: &Value) -> bool {
    answer["result"]["isError"] == true && answer.to_string().contains("too many calls")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_over_its_quota_is_told_how_long_to_wait_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name| key::create(folder.path(), name, key::SOME, &[]);
    let (one, two) = (made("one"), made("two"));
    let server = server(folder.path(), json!({ "caller_rate": "3/1h" })).await;
    let (client, url) = (http_client(), server.url());
    let echo = |key: &str| {
        let params = json!({ "name": "echo", "arguments": { "message": "hello" } });
        modern_request(&client, &url, Some(key), 1, "tools/call", params)
    };
    for _ in 0..3 {
        assert!(!is_refused(&send(echo(&one)).await));
    }
    let refused = send(echo(&one)).await["result"].clone();
    let text = refused["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("3/1h (`limits.caller_rate`, which the operator sets)"), "{text}");
    assert!(text.contains("What to do: wait 1") && text.contains(" s and call again"), "{text}");
    let wait = refused["_meta"]["tfo-mcp/retryAfterMs"].as_u64().unwrap();
    assert!((1_000_000..=1_201_000).contains(&wait), "{wait}");
    // Who a caller is says the credential, whatever else a request says.
    for (name, value) in [("x-forwarded-for", "192.0.2.9"), ("forwarded", "for=192.0.2.9"), ("x-real-ip", "192.0.2.9")]
    {
        assert!(is_refused(&send(echo(&one).header(name, value)).await), "{name}");
    }
    let made_up = json!({ "name": "echo", "arguments": { "message": "hello" }, "inputResponses": {} });
    assert!(is_refused(&send(modern_request(&client, &url, Some(&one), 1, "tools/call", made_up)).await));
    assert!(!is_refused(&send(echo(&two)).await), "another caller has its own");
    // Prompts and resources are calls too, and have no flag for it.
    let read = modern_request(&client, &url, Some(&one), 1, "resources/read", json!({ "uri": "catalog://contexts" }));
    let error = send(read).await["error"].clone();
    assert_eq!((&error["code"], &error["data"]["kind"]), (&json!(-32600), &json!("rate_limited")), "{error}");
    assert!(error["data"]["retry_after_ms"].is_u64() && error["data"]["hint"].is_string(), "{error}");
    let arguments = json!({ "name": "analyze", "arguments": { "context_type": "latency" } });
    let error = send(modern_request(&client, &url, Some(&one), 1, "prompts/get", arguments)).await["error"].clone();
    assert_eq!(error["data"]["kind"], "rate_limited", "{error}");
    // Lists cost nothing.
    let list = send(modern_request(&client, &url, Some(&one), 1, "tools/list", json!({}))).await;
    assert!(list["result"]["tools"].is_array(), "{list}");

    let metrics = client.get(format!("{}/metrics", server.origin)).bearer_auth(&two).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let counted = "mcp_server_rate_limited_calls_total{mcp_method_name=\"tools/call\"} 5\n";
    assert!(metrics.contains(counted), "{metrics}");
    let limited = || {
        let text = std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap_or_default();
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.into_iter().filter(|line| line["error_kind"] == "rate_limited").collect::<Vec<_>>()
    };
    eventually("they are in the audit log", async || limited().len() >= 6).await;
    assert!(limited().iter().all(|line| line["outcome"] == "refused" && line["subject"] == "key:one"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_have_quotas_of_their_own_and_a_new_session_is_no_new_caller() {
    let folder = tempfile::tempdir().unwrap();
    let server =
        server(folder.path(), json!({ "tool_rate": "4/1h", "tool_rates": { "list_context_types": "1/1h" } })).await;
    let (client, url) = (http_client(), server.url());
    let call = async |tool: &str, arguments: Value| {
        let params = json!({ "name": tool, "arguments": arguments });
        send(modern_request(&client, &url, None, 1, "tools/call", params)).await
    };
    let refused = async |tool: &str, arguments: Value, most: usize, whose: &str| {
        for _ in 0..most {
            assert!(!is_refused(&call(tool, arguments.clone()).await), "{tool}");
        }
        let answer = call(tool, arguments).await;
        let text = answer["result"]["content"][0]["text"].as_str().unwrap().to_owned();
        assert!(is_refused(&answer) && text.contains(&format!("`{tool}`")) && text.contains(whose), "{text}");
    };
    refused("rare", json!({}), 2, "2/1h (`rate_limit` of its definition)").await;
    refused("list_context_types", json!({}), 1, "1/1h (`limits.tool_rates`").await;
    refused("echo", json!({ "message": "x" }), 4, "4/1h (`limits.tool_rate`").await;
    // Sessions of the earlier revisions, each on a connection of its own.
    for _ in 0..3 {
        let client = http_client();
        let post = |session: Option<String>, body: Value| {
            let request = client.post(&url).header("accept", "application/json, text/event-stream");
            let request = request.header("content-type", "application/json").body(body.to_string());
            session.into_iter().fold(request, |request, id| request.header("mcp-session-id", id))
        };
        let params = crate::support::client::initialize_params("2025-11-25");
        let begin = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
        let begun = post(None, begin).send().await.unwrap();
        let session = begun.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        drop(begun.text().await);
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        post(Some(session.clone()), ready).send().await.unwrap();
        let params = json!({ "name": "rare", "arguments": {} });
        let body = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params });
        assert!(is_refused(&send(post(Some(session), body)).await));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_limited_unless_somebody_says_so_and_a_pipe_is_one_caller() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::spawn(serve_command(folder.path()));
    client.initialize("2025-11-25").await;
    let echo = || json!({ "name": "echo", "arguments": { "message": "hello" } });
    for _ in 0..300 {
        assert_ne!(client.result("tools/call", echo()).await["isError"], true);
    }
    let mut command = serve_command(folder.path());
    command.env("TELEMETRYFLOW_MCP_LIMITS__CALLER_RATE", "5/1h burst 2");
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    for refused in [false, false, true] {
        assert_eq!(client.result("tools/call", echo()).await["isError"] == true, refused);
    }
}
