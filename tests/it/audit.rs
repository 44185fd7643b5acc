//! The audit log of real servers over real databases: one line for every call, however it ends, and nothing in it that
//! is the caller's or the databases' own.

mod ends;
mod output;
mod site;

use serde_json::{Value, json};

use crate::support::{
    client::{Client, DEADLINE, modern, modern_able},
    http::{HttpServer, http_client, messages, modern_request},
};
use site::{CANARIES, ONE, ROW, Site};

/// What a test compares of a line.
fn brief(line: &Value) -> Value {
    let statements: Vec<Value> = line["statements"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|statement| statement["aside"] != true)
        .map(|statement| json!([statement["source"], statement["rows"], statement["outcome"]]))
        .collect();
    let about = [&line["name"], &line["uri"]].into_iter().find(|value| !value.is_null()).unwrap_or(&Value::Null);
    json!([line["method"], about, line["outcome"], line["error_kind"], line["rows"], statements])
}

fn call(tool: &str, arguments: Value) -> (&'static str, Value) {
    ("tools/call", json!({"name": tool, "arguments": arguments}))
}

/// Every method and every end in one session, one call after the other, and the line that each leaves.
fn calls() -> Vec<((&'static str, Value), Value)> {
    let read = |uri: &str| ("resources/read", json!({"uri": uri}));
    let get = |name: &str| ("prompts/get", json!({"name": name, "arguments": {"who": CANARIES[0]}}));
    let complete = |reference: Value| {
        ("completion/complete", json!({"ref": reference, "argument": {"name": "context_type", "value": CANARIES[0]}}))
    };
    let template =
        "telemetry://context/{context_type}{?time_range,start,end,service_name,operation,host,metric_name,namespace}";
    let (t, p, r, c) = ("tools/call", "prompts/get", "resources/read", "completion/complete");
    let found = json!([["telemetry", 2, "ok"]]);
    vec![
        (call("probe", json!({"service": CANARIES[0]})), json!([t, "probe", "ok", null, 2, found])),
        (call("probe", json!({"service": "nobody"})), json!([t, "probe", "ok", null, 0, [["telemetry", 0, "ok"]]])),
        (call("session", json!({})), json!([t, "session", "ok", null, 1, [["platform", 1, "ok"]]])),
        (
            call("ch_query", json!({"sql": format!("SELECT note FROM probe WHERE note LIKE '%{}%'", CANARIES[1])})),
            json!([t, "ch_query", "ok", null, 2, found]),
        ),
        (
            call("ch_query", json!({"sql": format!("SELECT {} FROM probe", CANARIES[1])})),
            json!([t, "ch_query", "error", "failed", 0, [["telemetry", 0, "missing"]]]),
        ),
        (
            call("ch_query", json!({"sql": format!("DROP TABLE {}", CANARIES[1])})),
            json!([t, "ch_query", "refused", "forbidden", 0, [["telemetry", 0, "forbidden"]]]),
        ),
        (
            call("pg_query", json!({"sql": format!("SELECT '{}' AS x FROM people", CANARIES[1])})),
            json!([t, "pg_query", "ok", null, 1, [["platform", 1, "ok"]]]),
        ),
        (call("broken", json!({})), json!([t, "broken", "error", "failed", 0, [["platform", 0, "invalid"]]])),
        (call("late", json!({})), json!([t, "late", "timeout", null, 0, [["telemetry", 0, "timeout"]]])),
        (call("late_session", json!({})), json!([t, "late_session", "timeout", null, 0, [["platform", 0, "timeout"]]])),
        (call("declared", json!({})), json!([t, "declared", "error", "failed", 0, []])),
        (call("probe", json!({})), json!([t, "probe", "refused", "invalid_arguments", 0, []])),
        (call("no_such_tool", json!({})), json!([t, "no_such_tool", "refused", "unknown_tool", 0, []])),
        // What looks like no name is not repeated.
        (call(&format!("no {}", CANARIES[0]), json!({})), json!([t, null, "refused", "unknown_tool", 0, []])),
        (
            call("collect_telemetry_context", json!({"context_type": "probe_context"})),
            json!([
                t,
                "collect_telemetry_context",
                "ok",
                null,
                3,
                [["platform", 0, "invalid"], ["platform", 1, "ok"], ["telemetry", 2, "ok"]]
            ]),
        ),
        (get("hello"), json!([p, "hello", "ok", null, 0, []])),
        (get("no_such_prompt"), json!([p, "no_such_prompt", "refused", "unknown_prompt", 0, []])),
        (read(&format!("probe://notes/{}", CANARIES[0])), json!([r, "probe://notes/{service}", "ok", null, 2, found])),
        (read(&format!("nowhere://{}", CANARIES[0])), json!([r, null, "refused", "unknown_resource", 0, []])),
        (complete(json!({"type": "ref/resource", "uri": template})), json!([c, template, "ok", null, 0, []])),
        (
            complete(json!({"type": "ref/prompt", "name": "no_such_prompt"})),
            json!([c, "no_such_prompt", "refused", "invalid_params", 0, []]),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn every_call_leaves_one_line() {
    let site = Site::new(json!({"audit": {"output": "audit.jsonl"}, "logging": {"output": "server.log"}})).await;
    let mut client = Client::spawn(site.command());
    let mut expected = Vec::new();
    let mut answers = Vec::new();
    // A revision with a session first, then one without, over one pipe.
    client.initialize_able("2025-11-25", json!({"elicitation": {}})).await;
    for (n, ((method, params), line)) in calls().into_iter().enumerate() {
        let params = if n % 2 == 0 { params } else { modern(params) };
        answers.push(client.request(method, params).await);
        expected.push(line);
    }
    // Asked within a call, and by a call that ends and begins again.
    let word = json!({"action": "accept", "content": {"word": CANARIES[2]}});
    client.send_json(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "ask"}})).await;
    let asked = client.told().await;
    client.reply(&asked, word.clone()).await;
    assert!(client.answer_to(1).await.to_string().contains(CANARIES[2]));
    expected.push(json!(["tools/call", "ask", "ok", null, 0, []]));
    let ask = || modern_able(json!({"name": "ask"}), json!({"elicitation": {"form": {}}}));
    let waits = client.result("tools/call", ask()).await;
    expected.push(json!(["tools/call", "ask", "asks", null, 0, []]));
    let key = waits["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
    let mut again = ask();
    (again["requestState"], again["inputResponses"]) = (waits["requestState"].clone(), json!({key: word}));
    assert!(client.result("tools/call", again).await.to_string().contains(CANARIES[2]));
    expected.push(json!(["tools/call", "ask", "ok", null, 0, []]));
    let mut forged = ask();
    (forged["requestState"], forged["inputResponses"]) = (json!(CANARIES[1]), json!({}));
    assert!(client.request("tools/call", forged).await["error"].is_object());
    expected.push(json!(["tools/call", "ask", "refused", "invalid_params", 0, []]));
    assert_eq!(client.request("tools/call", modern(json!({"name": "ask"}))).await["error"]["code"], -32021);
    expected.push(json!(["tools/call", "ask", "refused", "unable", 0, []]));
    // A task has its line when it ends; to look at it is no call.
    assert_eq!(client.request("tools/call", modern(json!({"name": "task_only"}))).await["error"]["code"], -32021);
    expected.push(json!(["tools/call", "task_only", "refused", "unable", 0, []]));
    let tasks = |params| modern_able(params, json!({"extensions": {"io.modelcontextprotocol/tasks": {}}}));
    let job = json!({"name": "job", "arguments": {"service": CANARIES[0]}});
    let task = client.result("tools/call", tasks(job)).await["taskId"].clone();
    let lines = site.lines(expected.len() + 1).await;
    // The line is written when the call has ended, a moment before its task says so.
    let ended = tokio::time::Instant::now() + DEADLINE;
    loop {
        let status = client.result("tasks/get", tasks(json!({"taskId": task}))).await["status"].clone();
        if status != "working" || tokio::time::Instant::now() > ended {
            assert_eq!(status, "completed");
            break;
        }
    }
    expected.push(json!(["tools/call", "job", "ok", null, 2, [["telemetry", 2, "ok"]]]));
    assert_eq!(lines.last().unwrap()["task_id"], task);
    // Lists, pings and subscriptions are no calls.
    for (method, params) in [("tools/list", json!({})), ("ping", json!({})), ("tasks/cancel", json!({"taskId": "x"}))] {
        client.request(method, tasks(params)).await;
    }
    let (_, code) = client.finish().await;
    assert_eq!(code, Some(0));

    let lines = site.lines(expected.len()).await;
    for ((n, line), expected) in lines.iter().enumerate().zip(&expected) {
        let mut brief = brief(line);
        // Sections end in any order.
        brief[5].as_array_mut().unwrap().sort_by_key(Value::to_string);
        assert_eq!(brief, *expected, "line {n}: {line}");
        assert_eq!((&line["transport"], line.get("subject")), (&json!("stdio"), None), "{line}");
        assert_eq!(line["trace_id"].as_str().unwrap().len(), 32, "{line}");
        assert!(time(line) <= time::OffsetDateTime::now_utc() && line["duration_ms"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(lines.len(), expected.len());
    // Those that read rows say whose.
    assert_eq!(lines[0]["organization_id"], ONE);
    assert_eq!(lines[2].get("organization_id"), None, "{}", lines[2]);
    // PostgreSQL's own name of the session, as the session itself says.
    let pid = lines[2]["statements"][0]["query_id"].as_str().unwrap();
    assert!(answers[2]["result"]["content"].to_string().contains(pid), "{pid}: {}", answers[2]);
    assert!(lines[8]["statements"][0]["query_id"].is_string(), "a statement that was too late has its name too");
    // ClickHouse answered each statement by the name that stands in its line, or was sent it by that name.
    let (sent, answered) = site.query_ids();
    let mut named = 0;
    for line in &lines {
        for statement in line["statements"].as_array().unwrap().iter().filter(|s| s["source"] == "telemetry") {
            let Some(id) = statement["query_id"].as_str() else {
                assert_eq!(statement["outcome"], "forbidden", "only what is not sent has no name: {line}");
                continue;
            };
            let known = if statement["outcome"] == "timeout" { &sent } else { &answered };
            assert!(known.contains(id), "{id} of {line} is none of {known:?}");
            named += 1;
        }
    }
    assert_eq!(named, 8);
    site.holds_no_secret("");
}

fn time(line: &Value) -> time::OffsetDateTime {
    let format = &time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::parse(line["time"].as_str().unwrap(), format).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_cancelled_call_has_its_line_and_the_name_of_its_statement() {
    let site = Site::new(json!({"audit": {"output": "audit.jsonl"}, "logging": {"output": "server.log"}})).await;
    let mut client = Client::spawn(site.command());
    client.initialize("2025-11-25").await;
    let endless = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "endless"}});
    client.send_json(endless.clone()).await;
    let running = site.running().await;
    client.send_json(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})).await;
    let lines = site.lines(1).await;
    let expected = json!(["tools/call", "endless", "cancelled", null, 0, [["telemetry", 0, "cancelled"]]]);
    assert_eq!(brief(&lines[0]), expected);
    assert_eq!(lines[0]["statements"][0]["query_id"], running);
    client.expect_silence().await;
    // A task that is still under way when the server ends.
    let tasks = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let params = modern_able(json!({"name": "endless_job"}), tasks);
    let task = client.result("tools/call", params).await["taskId"].clone();
    site.running().await;
    client.finish().await;
    let lines = site.lines(2).await;
    assert_eq!((&lines[1]["outcome"], &lines[1]["task_id"]), (&json!("cancelled"), &task), "{}", lines[1]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn over_http_a_line_says_who_and_from_where() {
    let site = Site::new(json!({"audit": {"output": "audit.jsonl"}, "server": {"debug": true}})).await;
    let (key, weak) = (site.key("mine", &["--scope", "probe.write"]), site.key("weak", &[]));
    let mut server = HttpServer::start(site.command()).await;
    let client = http_client();
    let wrong = format!("tfo_{}_{}", "0".repeat(12), "f".repeat(64));
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJDQU5BUlkifQ.";
    let expected = json!([["tools/call", "probe", "ok", null, 2, [["telemetry", 2, "ok"]]]]);
    for (n, (credential, tool, status)) in [
        (Some(key.as_str()), "probe", 200),
        (None, "probe", 401),
        (Some(&wrong), "probe", 401),
        (Some(token), "probe", 401),
        (Some(&key), "scoped", 200),
    ]
    .into_iter()
    .enumerate()
    {
        let params = json!({"name": tool, "arguments": if tool == "probe" { json!({"service": CANARIES[0]}) } else { json!({}) }});
        let request = modern_request(&client, &server.url(), credential, n, "tools/call", params);
        let traced = request.header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let answer = traced.send().await.unwrap();
        assert_eq!(answer.status(), status, "{n}");
        let ty = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let answer = messages(&ty, &answer.text().await.unwrap()).pop().unwrap();
        assert_eq!(answer.to_string().contains(ROW), n == 0, "{answer}");
    }
    // A scope that the credential lacks, wherever that is found out.
    let params = json!({"name": "scoped", "arguments": {}});
    let refused = modern_request(&client, &server.url(), Some(&weak), 9, "tools/call", params).send().await.unwrap();
    assert_eq!(refused.status(), 200);
    let lines = site.lines(6).await;
    assert_eq!(json!([brief(&lines[0])]), expected);
    assert_eq!((&lines[0]["subject"], &lines[0]["transport"]), (&json!("key:mine"), &json!("http")));
    assert_eq!((&lines[0]["client_address"], &lines[0]["organization_id"]), (&json!("127.0.0.1"), &json!(ONE)));
    assert_eq!(lines[0]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    for line in &lines[1..4] {
        assert_eq!(
            (&line["outcome"], &line["client_address"]),
            (&json!("unauthenticated"), &json!("127.0.0.1")),
            "{line}"
        );
        assert!(line.get("subject").is_none() && line.get("method").is_none(), "{line}");
    }
    assert_eq!(lines[4]["outcome"], "ok");
    let refused = &lines[5];
    assert!(refused["outcome"] == "refused" && refused["error_kind"] == "forbidden", "{refused}");
    assert_eq!((&refused["subject"], &refused["name"]), (&json!("key:weak"), &json!("scoped")));
    // A client that leaves takes its call along; a server that stops writes what is left.
    let endless = modern_request(&client, &server.url(), Some(&key), 10, "tools/call", json!({"name": "endless"}));
    let left = tokio::spawn(endless.send());
    let running = site.running().await;
    left.abort();
    let lines = site.lines(7).await;
    assert_eq!((&lines[6]["outcome"], &lines[6]["statements"][0]["query_id"]), (&json!("cancelled"), &running));
    let metrics = client.get(format!("{}/metrics", server.origin)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("mcp_server_audit_failures_total 0"), "{metrics}");
    // The same calls, counted.
    for (method, outcome, count) in [
        ("tools/call", "ok", 2),
        ("other", "unauthenticated", 3),
        ("tools/call", "refused", 1),
        ("tools/call", "cancelled", 1),
    ] {
        let name = "mcp_server_call_duration_seconds_count";
        let line = format!("{name}{{mcp_method_name=\"{method}\",outcome=\"{outcome}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
    let statements = r#"mcp_server_statement_duration_seconds_count{source="telemetry",outcome="cancelled"} 1"#;
    assert!(metrics.contains(statements) && metrics.contains("mcp_server_answer_size_bytes_total{"), "{metrics}");
    let pid = rustix::process::Pid::from_raw(server.pid().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    tokio::time::timeout(DEADLINE, server.child.wait()).await.unwrap().unwrap();
    assert_eq!(site.lines(7).await.len(), 7);
    let said = server.log.lock().unwrap().join("\n");
    assert!(said.contains("DEBUG"), "{said}");
    for secret in [key.as_str(), &weak, &wrong, token] {
        let secret =
            secret.rsplit_once(['_', '.']).map_or(secret, |(head, tail)| if tail.is_empty() { head } else { tail });
        assert!(!said.contains(secret) && !site.text().contains(secret), "{secret}");
    }
    site.holds_no_secret(&said);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn concurrent_calls_share_the_file_and_lose_nothing() {
    const CALLS: usize = 3000;
    let site = Site::new(json!({"audit": {"output": "audit.jsonl"}, "logging": {"output": "server.log"}})).await;
    let mut client = Client::spawn(site.command());
    client.initialize("2025-11-25").await;
    let lines: String = (0..CALLS)
        .map(|n| json!({"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {"name": "scoped"}}))
        .map(|call| format!("{call}\n"))
        .collect();
    let (answers, _) = {
        client.send_bytes(lines).await;
        client.finish().await
    };
    assert_eq!(answers.len(), CALLS);
    let lines = site.lines(CALLS).await;
    assert_eq!(lines.len(), CALLS);
    let traces: std::collections::HashSet<&str> = lines.iter().map(|line| line["trace_id"].as_str().unwrap()).collect();
    assert_eq!(traces.len(), CALLS, "each call has its own line");
}
