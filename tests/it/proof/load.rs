//! 200 HTTP clients for a minute, and what a dead replica costs.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{balancer, fuzz::resident};
use crate::support::{
    client::serve_command,
    http::{HttpServer, http_client, messages, modern_request},
};

const CLIENTS: usize = 200;
const MINUTE: Duration = Duration::from_secs(60);
/// What the server may grow by from the tenth second to the last.
const GROWTH_KIB: u64 = 64 << 10;

/// What clients ask, and a piece of the answer.
fn question(n: usize) -> (&'static str, Value, &'static str) {
    match n % 5 {
        0 => ("tools/call", json!({"name": "list_context_types", "arguments": {"query": "latency"}}), "latency"),
        1 => ("tools/list", json!({}), "collect_telemetry_context"),
        2 => ("resources/read", json!({"uri": "catalog://personas"}), "analyst"),
        3 => (
            "tools/call",
            json!({"name": "build_system_prompt", "arguments": {"context_type": "latency"}}),
            "IMPORTANT",
        ),
        _ => ("prompts/list", json!({}), "root_cause"),
    }
}

/// Asks, and says what was wrong with the answer.
async fn ask(client: &reqwest::Client, url: &str, n: usize) -> Result<(), String> {
    let (method, params, piece) = question(n);
    let id = format!("load-{n}");
    let answer = modern_request(client, url, None, id.clone(), method, params).send().await;
    let answer = answer.map_err(|error| format!("{error:?}"))?;
    let status = answer.status();
    let content_type = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let body = answer.text().await.map_err(|error| format!("{error:?}"))?;
    let messages = messages(&content_type.unwrap_or_default(), &body);
    let Some(answer) = messages.iter().find(|message| message["id"] == id) else {
        return Err(format!("{status}: no answer in {body}"));
    };
    let result = answer["result"].to_string();
    match status.is_success() && answer["result"]["isError"] != true && result.contains(piece) {
        true => Ok(()),
        false => Err(format!("{status}: {method} was answered {answer}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn two_hundred_clients_for_a_minute() {
    let data = tempfile::tempdir().unwrap();
    let server = HttpServer::start(serve_command(data.path())).await;
    let (answered, next) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let end = Instant::now() + MINUTE;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (url, answered, next) = (server.url(), answered.clone(), next.clone());
            tokio::spawn(async move {
                let client = http_client();
                while Instant::now() < end {
                    ask(&client, &url, next.fetch_add(1, Ordering::Relaxed)).await?;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<(), String>(())
            })
        })
        .collect();
    tokio::time::sleep_until((end - MINUTE + Duration::from_secs(10)).into()).await;
    let small = resident(server.pid());
    for client in clients {
        client.await.unwrap().unwrap();
    }
    let (large, answered) = (resident(server.pid()), answered.load(Ordering::Relaxed));
    println!("{CLIENTS} clients, {answered} answers in a minute, no error; {small} KiB grew to {large} KiB");
    assert!(answered > CLIENTS * 10, "{answered}");
    assert!(large < small + GROWTH_KIB, "{small} KiB grew to {large} KiB");
}

/// One replica of a service: same settings, nothing shared.
async fn replica(data: &Path) -> HttpServer {
    let mut command = serve_command(data);
    command.env("TELEMETRYFLOW_MCP_MCP__STATE_KEY", "0123456789abcdef0123456789abcdef");
    HttpServer::start(command).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_killed_replica_costs_a_retry() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (mut first, second) = (replica(folders[0].path()).await, replica(folders[1].path()).await);
    let backend = |server: &HttpServer| server.origin.trim_start_matches("http://").to_owned();
    let url = balancer::start(vec![backend(&first), backend(&second)]).await + "/mcp";
    let (stop, killed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..20)
        .map(|n| {
            let (url, stop, killed) = (url.clone(), stop.clone(), killed.clone());
            tokio::spawn(async move {
                let (mut client, mut retries, mut after) = (http_client(), 0, 0);
                let mut at = n;
                while !stop.load(Ordering::Relaxed) || after < 20 {
                    let before_kill = !killed.load(Ordering::Relaxed);
                    let mut attempt = 0;
                    while let Err(error) = ask(&client, &url, at).await {
                        assert!(!before_kill || killed.load(Ordering::Relaxed), "nobody was killed yet: {error}");
                        assert!(attempt == 0, "a retry failed too: {error}");
                        attempt += 1;
                        // On a connection of its own: others in the pool may lead to the same replica.
                        client = http_client();
                    }
                    retries += attempt;
                    after += usize::from(!before_kill);
                    at += 20;
                }
                (at / 20, retries)
            })
        })
        .collect();
    // Both have answered, so both are in the middle of something.
    for _ in 0..40 {
        ask(&http_client(), &url, 0).await.unwrap();
    }
    killed.store(true, Ordering::Relaxed);
    first.child.start_kill().unwrap();
    first.child.wait().await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let (mut calls, mut retries) = (0, 0);
    for client in clients {
        let (asked, again) = client.await.unwrap();
        assert!(again <= 1, "a client had to ask again {again} times");
        (calls, retries) = (calls + asked, retries + again);
    }
    println!("{calls} calls of 20 clients over two replicas, one killed: {retries} asked again, none failed");
    drop(second);
}
