//! How a server on pipes ends: in bounded time, whatever runs and whether or not anybody reads, with the databases told.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};
use tfo_mcp::source::embedded::LIBRARY_VARIABLE;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::Child,
    time::timeout,
};

use crate::support::{
    clickhouse::library,
    client::{Client, DEADLINE, initialize_params, serve_command},
    eventually::eventually,
};

/// Far below the five minutes that the calls of these tests take, far above what a busy machine needs to end one.
const SOON: Duration = Duration::from_secs(30);

/// A data folder with a tool that takes five minutes.
fn folder() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let endless = "kind: tool\nname: endless\ntitle: Endless\ndescription: Waits.\ncategory: test\ntimeout: 5m\nrun:\n  \
                   action: pipeline\n  steps:\n    - run: { action: delay, for: 5m }\n";
    write(data.path(), "endless", endless);
    data
}

fn write(data: &Path, tool: &str, text: &str) {
    let tools = data.join("pack/definitions/tools");
    std::fs::create_dir_all(&tools).unwrap();
    std::fs::write(tools.join(format!("{tool}.yaml")), text).unwrap();
}

fn command(data: &Path) -> tokio::process::Command {
    let mut command = serve_command(data);
    command.arg("--pack").arg(data.join("pack"));
    command
}

fn call(id: i64, tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

/// The input may end while something runs; who pipes requests in still gets what is answered soon.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn the_end_of_input_answers_what_is_answered_soon_and_cancels_the_rest() {
    let data = folder();
    for start in [Client::spawn, Client::spawn_on_sockets] {
        let mut command = command(data.path());
        // Longer than a busy machine needs for the first answer.
        command.env("TELEMETRYFLOW_MCP_MCP__DRAIN_TIMEOUT", "6s");
        let mut client = start(command);
        client.initialize("2025-11-25").await;
        client.send_json(call(1, "endless", json!({}))).await;
        for id in 2..200 {
            client.send_json(call(id, "echo", json!({"message": id.to_string()}))).await;
        }
        let ended = Instant::now();
        let (rest, code) = client.finish().await;
        assert!(ended.elapsed() < SOON, "{:?}", ended.elapsed());
        assert_eq!((rest.len(), code), (199, Some(0)));
        for answer in rest {
            match answer["id"].as_i64().unwrap() {
                1 => assert!(answer["error"]["message"].as_str().unwrap().contains("mcp.drain_timeout"), "{answer}"),
                id => assert_eq!(answer["result"]["content"][0]["text"], id.to_string()),
            }
        }
    }
}

/// A call that is given up on is answered too, however many there are: a turn of the runtime had room for 127 of their errors,
/// and the others were lost.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn every_call_that_is_given_up_on_gets_its_error() {
    let data = folder();
    for stop in [false, true] {
        let mut command = command(data.path());
        command.env("TELEMETRYFLOW_MCP_MCP__DRAIN_TIMEOUT", "100ms");
        let mut client = Client::spawn(command);
        client.initialize("2025-11-25").await;
        for id in 1..=900 {
            client.send_json(call(id, "endless", json!({}))).await;
        }
        client.expect_silence().await;
        if stop {
            client.signal(Signal::TERM);
        }
        let (rest, code) = client.finish().await;
        let told = rest.iter().filter(|answer| answer["error"]["message"].is_string()).count();
        assert_eq!((told, rest.len(), code.is_some()), (900, 900, true), "stopped by the operator: {stop}");
    }
}

/// B8: a signal waited for whatever ran, up to its own timeout.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_signal_cancels_what_runs() {
    let data = folder();
    for signal in [Signal::TERM, Signal::INT] {
        let mut client = Client::spawn(command(data.path()));
        client.initialize("2025-11-25").await;
        client.send_json(call(1, "endless", json!({}))).await;
        // It has been read.
        client.expect_silence().await;
        let told = Instant::now();
        client.signal(signal);
        let answer = client.answer_to(1).await;
        assert!(answer["error"]["message"].as_str().unwrap().contains("stopped"), "{answer}");
        assert_eq!(client.line().await, None);
        assert!(told.elapsed() < SOON, "{:?}", told.elapsed());
    }
}

/// Nobody waits for the end of a file: everything in it is answered, however long that takes.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_file_is_answered_whole() {
    let data = folder();
    let slow = "kind: tool\nname: slow\ntitle: Slow\ndescription: Waits.\ncategory: test\nrun:\n  action: pipeline\n  \
                steps:\n    - run: { action: delay, for: 2s }\n    - run: { action: template, text: done }\n";
    write(data.path(), "slow", slow);
    let input = data.path().join("input.jsonl");
    let initialize =
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params("2025-11-25")});
    std::fs::write(&input, format!("{initialize}\n{}\n", call(2, "slow", json!({})))).unwrap();
    let mut command = command(data.path());
    // Shorter than the call.
    command.env("TELEMETRYFLOW_MCP_MCP__DRAIN_TIMEOUT", "100ms").stdin(std::fs::File::open(&input).unwrap());
    let output = timeout(DEADLINE, command.output()).await.unwrap().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\"done\"") && output.status.success(), "{said}");
}

/// A client that asks and asks, and after the first answer reads nothing, until it can write no more.
async fn stuck(data: &Path) -> (Child, tokio::process::ChildStdin, BufReader<tokio::process::ChildStdout>) {
    let mut command = command(data);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let initialize =
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": initialize_params("2025-11-25")});
    input.write_all(format!("{initialize}\n").as_bytes()).await.unwrap();
    // A server that still starts would be ended by the signal itself.
    let mut output = BufReader::new(child.stdout.take().unwrap());
    assert!(timeout(DEADLINE, output.read_line(&mut String::new())).await.unwrap().unwrap() > 0);
    input.write_all((call(1, "endless", json!({})).to_string() + "\n").as_bytes()).await.unwrap();
    let long = "x".repeat(10_000);
    let mut id = 1;
    loop {
        id += 1;
        let line = call(id, "echo", json!({"message": long})).to_string() + "\n";
        if timeout(Duration::from_secs(2), input.write_all(line.as_bytes())).await.is_err() {
            return (child, input, output);
        }
    }
}

/// S11: with its output full a server lived on after the end of its input, and after a signal.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_client_that_stopped_reading_does_not_keep_the_server() {
    let data = folder();
    for signal in [None, Some(Signal::TERM)] {
        let (mut child, input, _output) = stuck(data.path()).await;
        let told = Instant::now();
        let kept = match signal {
            None => {
                drop(input);
                None
            }
            Some(signal) => {
                let pid = rustix::process::Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
                rustix::process::kill_process(pid, signal).unwrap();
                Some(input)
            }
        };
        let ended = timeout(SOON, child.wait()).await.unwrap_or_else(|_| panic!("{signal:?}: it lives on")).unwrap();
        assert_eq!(ended.code(), Some(0), "{signal:?} after {:?}", told.elapsed());
        drop(kept);
    }
}

/// The embedded ClickHouse ends with its server, also when a statement ran and nobody reads.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn an_embedded_clickhouse_does_not_stay_behind() {
    let data = folder();
    let counts = "kind: tool\nname: counts\ntitle: Counts\ndescription: Counts for long.\ncategory: test\n\
                  annotations: { read_only: true }\nrun:\n  action: sql\n  source: telemetry\n  tenant: { none: numbers }\n  \
                  sql: SELECT sum(sipHash64(number)) AS n FROM numbers(1000000000000)\n";
    write(data.path(), "counts", counts);
    for end in ["input", "signal", "full"] {
        let mut command = command(data.path());
        command.env(LIBRARY_VARIABLE, library());
        let mut client = Client::spawn(command);
        client.initialize("2025-11-25").await;
        client.send_json(call(1, "counts", json!({}))).await;
        let pid = eventually("ClickHouse starts", async || {
            let found = std::fs::read(data.path().join("clickhouse/endpoint.json")).ok()?;
            serde_json::from_slice::<Value>(&found).ok()?["pid"].as_u64()
        })
        .await;
        if end == "full" {
            let long = "x".repeat(100_000);
            for id in 2..40 {
                client.send_json(call(id, "echo", json!({"message": long}))).await;
            }
        }
        match end {
            "signal" => client.signal(Signal::TERM),
            _ => client.end_input(),
        }
        let alive = || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        eventually(format!("{end}: ClickHouse ends too"), async || !alive()).await;
    }
}

/// Clients write texts that were cut inside a character; nobody would answer their request until their own timeout.
#[tokio::test]
async fn a_request_that_cannot_be_read_is_answered_with_its_id() {
    let data = folder();
    let mut command = command(data.path());
    command.env("TELEMETRYFLOW_MCP_MCP__MAX_MESSAGE_SIZE", "1KiB");
    let mut client = Client::spawn(command);
    client.initialize("2025-06-18").await;
    let cut = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"message":"cut \ud83d"}}}"#;
    client.send(cut).await;
    assert_eq!(client.answer_to(7).await["result"]["content"][0]["text"], "cut \u{fffd}");
    let long = json!({"method": "ping", "params": {"x": "x".repeat(5000)}, "jsonrpc": "2.0", "id": 12}).to_string();
    for (line, id, code) in [
        (&b"{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\",\"params\":{\"a\":\"\xff\"}}"[..], json!(8), -32700),
        (
            b"{\"method\":\"ping\",\"params\":{\"a\":\"\xff\"},\"jsonrpc\":\"2.0\",\"id\":\"last\"}",
            json!("last"),
            -32700,
        ),
        (b"{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\",\"params\":{\"a\":1e999}}", json!(9), -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":10,\"method\":\"ping\"", json!(10), -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":11,\"method\":\"ping\",\"params\":{\"a\":\"\\x\"}}", json!(11), -32700),
        (long.as_bytes(), json!(12), -32600),
        (b"{\"id\":13,\"params\":{\"id\":14", json!(13), -32700),
    ] {
        client.send(line).await;
        let shown = String::from_utf8_lossy(line);
        let answer = client.answer_to(id.clone()).await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{shown}: {answer}");
    }
    // A response that cannot be read is none of ours: an error with its id would end a request of the client.
    client.send(b"{\"jsonrpc\":\"2.0\",\"id\":15,\"result\":{\"a\":\"\xff\"}}").await;
    client.send_json(json!({"jsonrpc": "2.0", "id": 16, "method": "ping"})).await;
    assert_eq!(client.line().await.unwrap()["id"], 16);
    client.finish().await;
}
