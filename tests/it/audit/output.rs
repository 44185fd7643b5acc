//! Where the lines go: defaults, files that rotate, files that cannot be written.

use std::{os::unix::fs::PermissionsExt as _, path::Path, process::Stdio, sync::Arc, time::Duration};

use rustix::process::Signal;
use serde_json::{Value, json};
use tfo_mcp::server::{
    ServerOptions,
    audit::{Audit, Output},
    calls::{Calls, Sink},
};
use tokio::process::Command;

use crate::support::{
    client::{Client, DEADLINE, serve_command},
    double::{Seen, serve_double},
    eventually::eventually,
    http::{HttpServer, http_client, modern_request},
};

/// Starts a server whose log goes to a file.
fn spawn(data: &Path, settings: Value) -> Client {
    let mut all = json!({"logging": {"output": "server.log"}});
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    std::fs::write(data.join("tfo-mcp.yaml"), all.to_string()).unwrap();
    Client::spawn(serve_command(data))
}

fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Calls once, and waits until the line of it is in one of the files.
async fn call(client: &mut Client, calls: &mut usize, files: [&Path; 3]) {
    client.call("echo", json!({"message": "x"})).await;
    *calls += 1;
    eventually("the call has its line", async || files.iter().map(|path| read(path).len()).sum::<usize>() == *calls)
        .await;
}

#[tokio::test]
async fn a_file_may_be_rotated_while_it_is_written() {
    let data = tempfile::tempdir().unwrap();
    let (path, first, second) = (data.path().join("a.jsonl"), data.path().join("a.1"), data.path().join("a.2"));
    let mut client = spawn(data.path(), json!({"audit": {"output": "a.jsonl"}}));
    client.initialize("2025-11-25").await;
    let files = [path.as_path(), &first, &second];
    let mut calls = 0;
    for rotated in [&first, &second] {
        // Nothing is under way when the file is renamed, so that what comes later is known to be later.
        call(&mut client, &mut calls, files).await;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::rename(&path, rotated).unwrap();
        // The second time a signal says so, before there is a line.
        if rotated == &second {
            client.signal(Signal::HUP);
            eventually("the file is made anew", async || path.exists()).await;
        }
    }
    for _ in 0..10 {
        client.call("echo", json!({"message": "x"})).await;
    }
    let (_, code) = client.finish().await;
    assert_eq!(code, Some(0));
    assert_eq!(files.map(|path| read(path).len()), [10, 1, 1], "each line once, the last one too");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_stops_the_start() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("target"), "").unwrap();
    std::os::unix::fs::symlink(data.path().join("target"), data.path().join("link")).unwrap();
    std::fs::write(data.path().join("shared"), "").unwrap();
    std::fs::set_permissions(data.path().join("shared"), std::fs::Permissions::from_mode(0o666)).unwrap();
    for (output, why) in [
        ("missing/audit.jsonl", "its folder does not exist; make it"),
        ("link", "it is a symbolic link; name the file itself"),
        ("shared", "run `chmod go-w` on it"),
        ("/dev/null", "it is no ordinary file"),
        ("stdout", "standard output carries the protocol"),
    ] {
        let started = serve_command(data.path())
            .env("TELEMETRYFLOW_MCP_AUDIT_OUTPUT", output)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let said = String::from_utf8(started.stderr).unwrap();
        let named = said.to_lowercase().contains("audit");
        assert!(!started.status.success() && said.contains(why) && named, "{output}: {said}");
    }
}

#[tokio::test]
async fn lines_that_cannot_be_written_are_counted_and_told() {
    let data = tempfile::tempdir().unwrap();
    let settings = json!({"audit": {"output": "a.jsonl"}, "logging": {"level": "error"}});
    std::fs::write(data.path().join("tfo-mcp.yaml"), settings.to_string()).unwrap();
    // The system writes no file beyond one block, as if the disk were full.
    let mut command = Command::new("sh");
    let inner = serve_command(data.path());
    let inner = inner.as_std();
    command
        .args(["-c", r#"trap "" XFSZ; ulimit -f 1; exec "$0" "$@""#])
        .arg(inner.get_program())
        .args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(data.path());
    let server = HttpServer::start(command).await;
    let client = http_client();
    for n in 0..20 {
        let params = json!({"name": "echo", "arguments": {"message": "x"}});
        let answer = modern_request(&client, &server.url(), None, n, "tools/call", params).send().await.unwrap();
        assert_eq!(answer.status(), 200, "calls are answered all the same");
        answer.text().await.unwrap();
    }
    let count = eventually("what is lost is counted", async || {
        let metrics = client.get(format!("{}/metrics", server.origin)).send().await.unwrap().text().await.unwrap();
        let line = metrics.lines().find(|line| line.starts_with("mcp_server_audit_failures_total ")).unwrap();
        let count: usize = line.rsplit(' ').next().unwrap().parse().unwrap();
        let text = std::fs::read_to_string(data.path().join("a.jsonl")).unwrap();
        (count > 0 && text.matches("\"time\"").count() + count >= 20).then_some(count)
    })
    .await;
    let said = server.log.lock().unwrap().join("\n");
    let complaints = said.matches("cannot be written and is lost").count();
    assert!(complaints == 1 && count > 10, "{count} lost, told {complaints} times: {said}");
}

#[tokio::test]
async fn lines_go_to_the_log_over_http_and_nowhere_over_stdio() {
    let data = tempfile::tempdir().unwrap();
    let server = HttpServer::start(serve_command(data.path())).await;
    let client = http_client();
    let echo = json!({"name": "echo", "arguments": {"message": "canary"}});
    modern_request(&client, &server.url(), None, 1, "tools/call", echo).send().await.unwrap().text().await.unwrap();
    let line = eventually("the log has a line of the call", async || {
        let said = server.log.lock().unwrap();
        said.iter().find(|line| line.contains(r#""method":"tools/call""#)).cloned()
    })
    .await;
    let (head, json) = line.split_once('{').unwrap();
    assert!(head.contains("audit") && !line.contains("canary"), "{line}");
    let line: Value = serde_json::from_str(&format!("{{{json}")).unwrap();
    assert_eq!((&line["name"], &line["outcome"], &line["transport"]), (&json!("echo"), &json!("ok"), &json!("http")));

    for (settings, lines) in [
        (json!({}), 0),
        (json!({"audit": {"output": "log"}, "logging": {"output": "server.log", "level": "error"}}), 1),
        (json!({"audit": {"output": "off"}}), 0),
    ] {
        let data = tempfile::tempdir().unwrap();
        let mut client = spawn(data.path(), settings);
        client.initialize("2025-11-25").await;
        client.call("echo", json!({"message": "x"})).await;
        client.finish().await;
        let said = std::fs::read_to_string(data.path().join("server.log")).unwrap();
        assert_eq!(said.matches(r#""method":"tools/call""#).count(), lines, "{said}");
    }
}

/// Nothing awaits the call any more; its future is dropped where it stands.
#[test]
fn a_call_whose_handler_is_dropped_has_its_line() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("a.jsonl");
    let audit = Audit::start(&Output::File(path.clone())).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let served = runtime.block_on(async {
        let calls = Calls::told_to([Arc::new(audit) as Arc<dyn Sink>]);
        let mut served = serve_double(ServerOptions { calls, ..ServerOptions::default() });
        let hold = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "hold"}});
        served.client.initialize("2025-11-25").await;
        served.client.send_json(hold).await;
        assert_eq!(served.seen.recv().await, Some(Seen::Started));
        served
    });
    assert!(read(&path).is_empty());
    drop(runtime);
    drop(served);
    let deadline = std::time::Instant::now() + DEADLINE;
    while read(&path).is_empty() {
        assert!(std::time::Instant::now() < deadline, "no line");
        std::thread::sleep(Duration::from_millis(5));
    }
    let lines = read(&path);
    assert_eq!((lines.len(), &lines[0]["name"], &lines[0]["outcome"]), (1, &json!("hold"), &json!("cancelled")));
}
