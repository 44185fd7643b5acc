//! Calls that go on as tasks: polled, answered, cancelled, and settled as what they ended with.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tfo_mcp::{
    server::ServerOptions,
    source::{
        Author, Limits, Query, Source as _,
        postgres::{Postgres, PostgresOptions},
    },
    sql::Statement,
};
use tokio_util::sync::CancellationToken;

use crate::support::{
    client::{Client, DEADLINE, modern, modern_able, serve_command},
    double::{Seen, serve_double, serve_engine},
    eventually::eventually,
    http::{HttpServer, http_client, modern_request},
    pack::conformance,
    postgres,
};

/// A client that knows tasks.
fn able(mut params: Value) -> Value {
    let tasks = json!({"io.modelcontextprotocol/tasks": {}});
    params = modern_able(params, json!({"elicitation": {"form": {}}, "extensions": tasks}));
    params
}

fn served() -> Client {
    serve_engine(conformance(), ServerOptions::default()).0
}

async fn start(client: &mut Client, tool: &str, arguments: Value) -> String {
    let result = client.result("tools/call", able(json!({"name": tool, "arguments": arguments}))).await;
    assert_eq!(result["resultType"], "task", "{result}");
    assert_eq!(result["status"], "working");
    assert!(result["ttlMs"].as_u64().unwrap() > 0 && result["pollIntervalMs"].as_u64().unwrap() > 0);
    result["taskId"].as_str().unwrap().to_owned()
}

/// Polls until the task has one of these states.
async fn until(client: &mut Client, id: &str, states: &[&str]) -> Value {
    eventually(format!("the task is {states:?}"), async || {
        let task = client.result("tasks/get", able(json!({"taskId": id}))).await;
        states.contains(&task["status"].as_str().unwrap()).then_some(task)
    })
    .await
}

const OVER: [&str; 3] = ["completed", "failed", "cancelled"];

#[tokio::test]
async fn a_task_settles_as_what_its_call_ended_with() {
    let mut client = served();
    let id = start(&mut client, "slow_compute", json!({"seconds": 0, "label": "sum"})).await;
    let task = until(&mut client, &id, &OVER).await;
    assert_eq!(task["status"], "completed");
    assert_eq!(task["result"]["content"][0]["text"], "sum: done after 0 s");

    let id = start(&mut client, "failing_job", json!({})).await;
    let task = until(&mut client, &id, &OVER).await;
    assert_eq!((&task["status"], &task["result"]["isError"]), (&json!("completed"), &json!(true)), "{task}");

    let id = start(&mut client, "protocol_error_job", json!({})).await;
    let task = until(&mut client, &id, &OVER).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!(-32603)), "{task}");

    // Arguments that are wrong are a result too.
    let id = start(&mut client, "slow_compute", json!({"seconds": "many"})).await;
    assert_eq!(until(&mut client, &id, &OVER).await["result"]["isError"], true);
}

#[tokio::test]
async fn a_tool_without_task_and_a_client_without_tasks_are_served_as_ever() {
    let mut client = served();
    let result = client.result("tools/call", able(json!({"name": "greet", "arguments": {"name": "Ada"}}))).await;
    assert_eq!(result["resultType"], "complete");
    let params = json!({"name": "slow_compute", "arguments": {"seconds": 0}});
    assert_eq!(client.result("tools/call", modern(params.clone())).await["resultType"], "complete");
    client.initialize("2025-11-25").await;
    assert_eq!(client.result("tools/call", params).await["isError"], false);
}

#[tokio::test]
async fn a_tool_that_must_be_a_task_refuses_clients_that_know_none() {
    let mut client = served();
    let refused = client.request("tools/call", modern(json!({"name": "failing_job"}))).await;
    assert_eq!(refused["error"]["code"], -32021, "{refused}");
    let needed = &refused["error"]["data"]["requiredCapabilities"];
    assert_eq!(*needed, json!({"extensions": {"io.modelcontextprotocol/tasks": {}}}));
    client.initialize("2025-11-25").await;
    let result = client.call("failing_job", json!({})).await;
    assert!(result["isError"] == true && result.to_string().contains("as a task only"), "{result}");
    // The session's revisions know no tasks.
    assert_eq!(client.request("tasks/get", json!({"taskId": "x"})).await["error"]["code"], -32601);
}

fn accept(content: Value) -> Value {
    json!({"action": "accept", "content": content})
}

#[tokio::test]
async fn a_task_asks_and_goes_on_with_the_answer() {
    let mut client = served();
    let id = start(&mut client, "confirm_delete", json!({"filename": "a.txt"})).await;
    let task = until(&mut client, &id, &["input_required"]).await;
    let requests = task["inputRequests"].as_object().unwrap();
    let (key, request) = requests.iter().next().unwrap();
    assert_eq!(request["params"]["message"], "Delete a.txt?");
    let answers = json!({key: accept(json!({"confirm": true})), "unknown": {}});
    client.result("tasks/update", able(json!({"taskId": id, "inputResponses": answers}))).await;
    let task = until(&mut client, &id, &OVER).await;
    assert_eq!(task["result"]["content"][0]["text"], "a.txt would be deleted");
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_asked_for_again_under_a_new_key() {
    let mut client = served();
    let id = start(&mut client, "confirm_delete", json!({"filename": "a.txt"})).await;
    let task = until(&mut client, &id, &["input_required"]).await;
    let first = task["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
    let answers = json!({&first: accept(json!({"confirm": "perhaps"}))});
    client.result("tasks/update", able(json!({"taskId": id, "inputResponses": answers}))).await;
    let task = until(&mut client, &id, &["input_required"]).await;
    let second = task["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
    assert_ne!(first, second);
    let answers = json!({second: {"action": "decline"}});
    client.result("tasks/update", able(json!({"taskId": id, "inputResponses": answers}))).await;
    assert_eq!(until(&mut client, &id, &OVER).await["result"]["content"][0]["text"], "a.txt stays");
}

#[tokio::test]
async fn a_task_asks_several_things_at_once_and_takes_the_answers_one_by_one() {
    let mut client = served();
    let id = start(&mut client, "multi_input", json!({})).await;
    let task = until(&mut client, &id, &["input_required"]).await;
    let keys: Vec<String> = task["inputRequests"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys.len(), 2);
    let answer = |key: &str| json!({key: accept(json!({"name": "Ada"}))});
    client.result("tasks/update", able(json!({"taskId": id, "inputResponses": answer(&keys[0])}))).await;
    let task = until(&mut client, &id, &["input_required"]).await;
    assert_eq!(task["inputRequests"].as_object().unwrap().keys().collect::<Vec<_>>(), [&keys[1]]);
    client.result("tasks/update", able(json!({"taskId": id, "inputResponses": answer(&keys[1])}))).await;
    let task = until(&mut client, &id, &OVER).await;
    assert_eq!(task["result"]["content"][0]["text"], "accept and accept");
}

#[tokio::test]
async fn a_call_asks_first_and_becomes_a_task_at_its_step() {
    let mut client = served();
    let call = || able(json!({"name": "test_tool_with_task", "arguments": {}}));
    let asks = client.result("tools/call", call()).await;
    assert_eq!(asks["resultType"], "input_required", "{asks}");
    let mut again = call();
    again["requestState"] = asks["requestState"].clone();
    again["inputResponses"] = json!({"user_name": accept(json!({"name": "Ada"}))});
    let task = client.result("tools/call", again).await;
    assert_eq!(task["resultType"], "task", "{task}");
    let id = task["taskId"].as_str().unwrap();
    assert_eq!(until(&mut client, id, &OVER).await["result"]["content"][0]["text"], "Hello, Ada!");
}

#[tokio::test]
async fn cancelling_a_task_cancels_its_call() {
    let mut served = serve_double(ServerOptions::default());
    let id = start(&mut served.client, "job", json!({})).await;
    assert_eq!(served.seen.recv().await, Some(Seen::Started));
    served.client.result("tasks/cancel", able(json!({"taskId": id}))).await;
    assert_eq!(served.seen.recv().await, Some(Seen::Cancelled));
    assert_eq!(until(&mut served.client, &id, &OVER).await["status"], "cancelled");
}

#[tokio::test]
async fn a_task_that_waits_for_an_answer_can_be_cancelled() {
    let mut client = served();
    let id = start(&mut client, "confirm_delete", json!({"filename": "a.txt"})).await;
    until(&mut client, &id, &["input_required"]).await;
    client.result("tasks/cancel", able(json!({"taskId": id}))).await;
    assert_eq!(until(&mut client, &id, &OVER).await["status"], "cancelled");
}

#[tokio::test]
async fn the_call_of_a_task_ends_with_the_server() {
    let mut served = serve_double(ServerOptions::default());
    start(&mut served.client, "job", json!({})).await;
    assert_eq!(served.seen.recv().await, Some(Seen::Started));
    served.client.end_input();
    let cancelled = tokio::time::timeout(DEADLINE, served.seen.recv()).await.expect("the call ends");
    assert_eq!(cancelled, Some(Seen::Cancelled));
}

#[tokio::test]
async fn unknown_tasks_and_clients_without_the_extension_are_refused() {
    let mut client = served();
    for (method, params) in [
        ("tasks/get", json!({"taskId": "nope"})),
        ("tasks/cancel", json!({"taskId": "nope"})),
        ("tasks/update", json!({"taskId": "nope", "inputResponses": {}})),
    ] {
        assert_eq!(client.request(method, able(params.clone())).await["error"]["code"], -32602, "{method}");
        assert_eq!(client.request(method, modern(params)).await["error"]["code"], -32021, "{method}");
    }
}

/// A server that ends lets no query of a task run on, though no connection waits for it.
#[tokio::test]
async fn a_server_over_http_ends_the_queries_of_its_tasks() {
    let database = postgres::database().await;
    let data = tempfile::tempdir().unwrap();
    let tools = data.path().join("pack/definitions/tools");
    std::fs::create_dir_all(&tools).unwrap();
    let tool = json!({
        "kind": "tool", "name": "brood", "title": "Brood", "description": "Broods.", "category": "test",
        "task": "required", "timeout": "10m", "annotations": {"read_only": true},
        "run": {
            "action": "sql", "source": "platform", "tenant": {"none": "no table is read"},
            "sql": "SELECT pg_sleep(600) AS brooding",
        },
    });
    std::fs::write(tools.join("brood.yaml"), tool.to_string()).unwrap();
    let settings = json!({"database": {"postgres_url": database.url}});
    std::fs::write(data.path().join("tfo-mcp.yaml"), settings.to_string()).unwrap();
    let mut command = serve_command(data.path());
    command.arg("--pack").arg(data.path().join("pack"));
    let mut server = HttpServer::start(command).await;
    let params = able(json!({"name": "brood", "arguments": {}}));
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let request = modern_request(&http_client(), &server.url(), None, 1, "tools/call", json!({"name": "brood"}));
    let answer = request.body(body.to_string()).send().await.unwrap().text().await.unwrap();
    assert!(answer.contains("working"), "{answer}");

    let observer = Postgres::new(PostgresOptions::new(SecretString::from(database.url.clone()))).unwrap();
    let broods = async |count: i64, within: Duration| {
        let sql = "SELECT count(*) AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%brood%' \
                   AND pid <> pg_backend_pid()";
        let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
        let limits = Limits { timeout: DEADLINE, max_rows: 1, max_bytes: 1 << 20 };
        let cancel = CancellationToken::new();
        tokio::time::timeout(within, async {
            loop {
                let query = Query { statement: &statement, limits, author: Author::UNBOUND, cancel: &cancel, id: None };
                let rows = observer.query(query).await.unwrap();
                if rows.rows[0][0] == json!(count) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{count} queries of the task"));
    };
    broods(1, DEADLINE).await;
    let pid = rustix::process::Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ended = tokio::time::timeout(DEADLINE, server.child.wait()).await.expect("the server ends").unwrap();
    assert_eq!(ended.code(), Some(0));
    // Long before its own timeout would end it.
    broods(0, Duration::from_secs(5)).await;
}
