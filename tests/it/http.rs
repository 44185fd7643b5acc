//! The HTTP transport: who may reach it, what it refuses and how, how it ends.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use crate::support::{
    client::{DEADLINE, initialize_params, serve_command},
    eventually::eventually,
    http::{HttpServer, http_client, messages, modern_request},
    key,
};

/// A server with settings of its own.
async fn serve(settings: Value) -> (HttpServer, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("tfo-mcp.yaml"), settings.to_string()).unwrap();
    // A tool that takes its time.
    let tools = data.path().join("pack/definitions/tools");
    std::fs::create_dir_all(&tools).unwrap();
    let slow = "kind: tool\nname: slow\ntitle: Slow\ndescription: Waits.\ncategory: test\nrun:\n  action: pipeline\n  \
                steps:\n    - run: { action: delay, for: 2s }\n    - run: { action: template, text: done }\n";
    std::fs::write(tools.join("slow.yaml"), slow).unwrap();
    let mut command = serve_command(data.path());
    command.arg("--pack").arg(data.path().join("pack"));
    (HttpServer::start(command).await, data)
}

fn post(server: &HttpServer, message: &Value) -> reqwest::RequestBuilder {
    http_client()
        .post(server.url())
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(message.to_string())
}

/// The status of an answer and its only message.
async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let ty = answer.headers().get("content-type").map(|ty| ty.to_str().unwrap().to_owned()).unwrap_or_default();
    (status, messages(&ty, &answer.text().await.unwrap()).pop().unwrap_or_default())
}

async fn open(server: &HttpServer) -> String {
    let params = initialize_params("2025-11-25");
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let answer = post(server, &message).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.headers()["mcp-session-id"].to_str().unwrap().to_owned()
}

fn ping(id: i64) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

fn call_slow(server: &HttpServer, id: i64) -> reqwest::RequestBuilder {
    modern_request(&http_client(), &server.url(), None, id, "tools/call", json!({"name": "slow", "arguments": {}}))
}

#[tokio::test]
async fn refusals_are_json_rpc_errors() {
    let (server, _data) = serve(json!({"mcp": {"max_message_size": "2KiB"}})).await;
    let session = open(&server).await;
    let oversized = json!({"jsonrpc": "2.0", "id": 7, "method": "ping", "params": {"x": "x".repeat(3000)}});
    let with = |name: &str, value: &str| post(&server, &ping(5)).header(name, value);
    for (what, request, status, id, says) in [
        ("a foreign host", with("host", "evil.example"), 403, json!(5), "server.http.public_url"),
        ("a foreign origin", with("origin", "http://evil.example"), 403, json!(5), "server.http.allowed_origins"),
        ("an unknown session", with("mcp-session-id", "nope"), 404, json!(5), "initialize"),
        ("no session", post(&server, &ping(5)), 400, json!(5), "initialize"),
        ("too many bytes", post(&server, &oversized), 413, json!(7), "max_message_size"),
        (
            "no accepted type",
            http_client()
                .post(server.url())
                .header("content-type", "application/json")
                .header("accept", "text/html, application/json;q=0")
                .body(ping(5).to_string()),
            406,
            Value::Null,
            "application/json, text/event-stream",
        ),
        (
            "another type of content",
            http_client()
                .post(server.url())
                .header("content-type", "text/plain")
                .header("accept", "application/json, text/event-stream")
                .body(ping(5).to_string()),
            415,
            json!(5),
            "application/json",
        ),
        ("another verb", http_client().put(server.url()), 405, Value::Null, "POST"),
    ] {
        let (got, message) = answer(request).await;
        assert_eq!((got, &message["id"]), (status, &id), "{what}: {message}");
        assert_eq!(message["error"]["code"], -32600, "{what}: {message}");
        assert!(message["error"]["message"].as_str().unwrap().contains(says), "{what}: {message}");
    }
    assert_eq!(answer(post(&server, &ping(6)).header("mcp-session-id", session)).await.0, 200);
}

#[tokio::test]
async fn a_session_ends_when_it_is_deleted_or_told_to_shut_down() {
    let (server, _data) = serve(json!({})).await;
    let session = open(&server).await;
    let delete = http_client().delete(server.url()).header("mcp-session-id", &session).send().await.unwrap();
    assert_eq!(delete.status(), 204, "some clients take 202 for a failure");
    assert_eq!(answer(post(&server, &ping(2)).header("mcp-session-id", &session)).await.0, 404);
    let session = open(&server).await;
    let shutdown = json!({"jsonrpc": "2.0", "id": 3, "method": "shutdown"});
    let (status, message) = answer(post(&server, &shutdown).header("mcp-session-id", &session)).await;
    assert_eq!((status, &message["result"]), (200, &json!({})), "{message}");
    eventually("the session ends", async || {
        answer(post(&server, &ping(4)).header("mcp-session-id", &session)).await.0 == 404
    })
    .await;
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn an_id_is_taken_while_it_is_in_flight_and_a_client_has_so_many_turns() {
    let (server, _data) = serve(json!({"server": {"http": {"max_requests_per_client": 2}}})).await;
    let session = open(&server).await;
    let call = json!({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "slow", "arguments": {}}});
    let first = tokio::spawn(answer(post(&server, &call).header("mcp-session-id", &session)));
    let in_flight = || async {
        let text = http_client().get(format!("{}/metrics", server.origin)).send().await.unwrap().text().await.unwrap();
        let line = text.lines().find(|line| line.starts_with("mcp_server_requests_in_flight ")).unwrap().to_owned();
        line.rsplit(' ').next().unwrap().parse::<i64>().unwrap()
    };
    let until = async |count: i64| {
        eventually(format!("{count} requests are in flight"), async || in_flight().await == count).await;
    };
    until(1).await;
    let (status, message) = answer(post(&server, &call).header("mcp-session-id", &session)).await;
    assert_eq!((status, &message["error"]["code"], &message["id"]), (200, &json!(-32600), &json!(9)), "{message}");
    assert!(message["error"]["message"].as_str().unwrap().contains("in flight"), "{message}");
    let second = tokio::spawn(answer(call_slow(&server, 10)));
    until(2).await;
    let refused = call_slow(&server, 11).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!((first.0, second.0), (200, 200));
    assert_eq!(first.1["result"]["content"][0]["text"], "done");
    until(0).await;
    assert_eq!(answer(call_slow(&server, 11)).await.0, 200);
}

/// A stream lasts: it must not take the turns of the client's calls, and its own turn comes back when it is closed.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn streams_are_bounded_apart_from_calls() {
    let (server, _data) = serve(json!({"server": {"http": {"max_requests_per_client": 2}}})).await;
    let listen = async |id: i64| {
        let filter = json!({"notifications": {"toolsListChanged": true}});
        let client = http_client();
        modern_request(&client, &server.url(), None, id, "subscriptions/listen", filter).send().await.unwrap()
    };
    let (first, second) = (listen(1).await, listen(2).await);
    assert_eq!((first.status(), second.status()), (200.try_into().unwrap(), 200.try_into().unwrap()));
    let refused = listen(3).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    let said = refused.text().await.unwrap();
    assert!(said.contains("close one") && said.contains("max_requests_per_client"), "{said}");
    let calls = futures::future::join_all((10..12).map(|id| answer(call_slow(&server, id)))).await;
    assert!(calls.iter().all(|(status, _)| *status == 200), "{calls:?}");
    drop(first);
    eventually("a closed stream gives its turn back", async || listen(4).await.status() == 200).await;
}

#[tokio::test]
async fn sessions_are_bounded() {
    let (server, _data) = serve(json!({"server": {"http": {"max_sessions": 2}}})).await;
    let pinged = async |session: &str| answer(post(&server, &ping(2)).header("mcp-session-id", session)).await.0;
    let sessions = [open(&server).await, open(&server).await];
    assert_eq!(pinged(&sessions[0]).await, 200);
    let third = open(&server).await;
    let found = [pinged(&sessions[0]).await, pinged(&sessions[1]).await, pinged(&third).await];
    assert_eq!(found, [200, 404, 200], "the one that was used longest ago gave way");
    // What is in use stays, and further ones are refused.
    let read = async |session: &str| {
        let stream = http_client().get(server.url()).header("accept", "text/event-stream");
        let stream = stream.header("mcp-session-id", session).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        stream
    };
    let _streams = [read(&sessions[0]).await, read(&third).await];
    let params = initialize_params("2025-11-25");
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let (status, message) = answer(post(&server, &message)).await;
    assert_eq!((status, &message["id"]), (503, &json!(1)), "{message}");
    assert!(message["error"]["message"].as_str().unwrap().contains("server.http.max_sessions"), "{message}");
}

/// One key that opened sessions and ended none had all of them, and every other client, of any organisation, got 503.
#[tokio::test]
async fn whoever_opens_too_many_sessions_shuts_out_nobody_else() {
    let data = tempfile::tempdir().unwrap();
    let settings = json!({"server": {"http": {"max_sessions": 4}}});
    std::fs::write(data.path().join("tfo-mcp.yaml"), settings.to_string()).unwrap();
    let [greedy, other] = ["greedy", "other"].map(|name| key::create(data.path(), name, key::SOME, &[]));
    let server = HttpServer::start(serve_command(data.path())).await;
    let open = async |key: &str| {
        let params = initialize_params("2025-11-25");
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
        let answer = post(&server, &message).bearer_auth(key).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        answer.headers()["mcp-session-id"].to_str().unwrap().to_owned()
    };
    let pinged = async |key: &str, session: &str| {
        answer(post(&server, &ping(2)).bearer_auth(key).header("mcp-session-id", session)).await.0
    };
    let mut greedys = Vec::new();
    for _ in 0..6 {
        greedys.push(open(&greedy).await);
    }
    assert_eq!((pinged(&greedy, &greedys[1]).await, pinged(&greedy, &greedys[2]).await), (404, 200));
    let others = open(&other).await;
    greedys.push(open(&greedy).await);
    assert_eq!(pinged(&other, &others).await, 200, "whoever has the most gives way");
    assert_eq!(pinged(&greedy, greedys.last().unwrap()).await, 200);
}

/// Clients that trickle their headers or their body, or say nothing at all, are not waited for.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_slow_client_does_not_keep_its_connection() {
    let (server, _data) = serve(json!({"server": {"http": {"idle_timeout": "1s"}}})).await;
    let address = server.origin.trim_start_matches("http://").to_owned();
    for sent in [
        "",
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-",
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{\"json",
    ] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "after {sent:?} the connection stays open: {}", String::from_utf8_lossy(&rest));
    }
}

#[tokio::test]
async fn a_browser_of_this_machine_may_call_and_read() {
    let (server, _data) = serve(json!({})).await;
    let asks = |origin: &str| {
        http_client()
            .request(reqwest::Method::OPTIONS, server.url())
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .send()
    };
    let allowed = asks("http://localhost:6274").await.unwrap();
    assert_eq!(allowed.status(), 204);
    assert_eq!(allowed.headers()["access-control-allow-origin"], "http://localhost:6274");
    assert!(allowed.headers()["access-control-allow-headers"].to_str().unwrap().contains("mcp-session-id"));
    let foreign = asks("https://evil.example").await.unwrap();
    assert!(foreign.status().is_client_error());
    assert!(!foreign.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_server_that_stops_finishes_what_it_began_and_says_so() {
    let (mut server, _data) = serve(json!({})).await;
    let get = |path: &str| http_client().get(format!("{}{path}", server.origin)).send();
    assert_eq!(get("/healthz").await.unwrap().status(), 200);
    assert_eq!(get("/readyz").await.unwrap().status(), 200);
    let slow = tokio::spawn(answer(call_slow(&server, 1)));
    let metrics = async || get("/metrics").await.unwrap().text().await.unwrap();
    eventually("the call begins", async || metrics().await.contains("mcp_server_requests_in_flight 1")).await;
    let pid = rustix::process::Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    eventually("balancers are told", async || get("/readyz").await.unwrap().status() == 503).await;
    assert_eq!(answer(call_slow(&server, 2)).await.0, 503);
    let (status, message) = slow.await.unwrap();
    assert_eq!((status, &message["result"]["content"][0]["text"]), (200, &json!("done")));
    let ended = tokio::time::timeout(DEADLINE, server.child.wait()).await.expect("the server ends").unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test]
async fn another_path_is_not_there_whoever_asks() {
    let (server, _data) = serve(json!({})).await;
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("keys.yaml"), "keys: []\n").unwrap();
    let guarded = HttpServer::start(serve_command(data.path())).await;
    for server in [server, guarded] {
        for path in ["/", "/mcp/x", "/tools/mcp"] {
            let answer = http_client().get(format!("{}{path}", server.origin)).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{path}");
            let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            assert!(said["error_description"].as_str().unwrap().ends_with("MCP is served at /mcp"), "{said}");
        }
    }
}

#[tokio::test]
async fn its_health_tells_of_connections_and_sessions() {
    let (server, _data) = serve(json!({})).await;
    let health = async || {
        let client = http_client();
        let uri = json!({"uri": "status://health"});
        let (_, message) = answer(modern_request(&client, &server.url(), None, 1, "resources/read", uri)).await;
        let text = message["result"]["contents"][0]["text"].as_str().unwrap().to_owned();
        serde_json::from_str::<Value>(&text).unwrap()["transport"].take()
    };
    let before = health().await;
    assert_eq!(
        (&before["name"], &before["sessions"], &before["requests_in_flight"]),
        (&json!("http"), &json!(0), &json!(1))
    );
    assert!(before["connections"].as_u64().unwrap() >= 1, "{before}");
    open(&server).await;
    open(&server).await;
    assert_eq!(health().await["sessions"], 2);
}

#[tokio::test]
async fn metrics_count_by_method_and_never_by_what_clients_invent() {
    let (server, _data) = serve(json!({})).await;
    let call =
        |id: i64, method: &str| answer(modern_request(&http_client(), &server.url(), None, id, method, json!({})));
    assert_eq!(call(1, "tools/list").await.0, 200);
    assert_eq!(call(2, "no/such/thing").await.0, 404);
    let metrics = http_client().get(format!("{}/metrics", server.origin)).send().await.unwrap().text().await.unwrap();
    let count = "mcp_server_operation_duration_seconds_count";
    for line in [
        format!("{count}{{mcp_method_name=\"tools/list\",http_response_status_code=\"200\"}} 1"),
        format!("{count}{{mcp_method_name=\"other\",http_response_status_code=\"404\"}} 1"),
    ] {
        assert!(metrics.contains(&line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains("no/such/thing") && metrics.ends_with("# EOF\n"), "{metrics}");
}

#[tokio::test]
async fn tls_speaks_with_the_given_certificate() {
    let data = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
    let (certificate, key) = (data.path().join("cert.pem"), data.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let http = json!({"tls_certificate": certificate, "tls_key": key});
    std::fs::write(data.path().join("tfo-mcp.yaml"), json!({"server": {"http": http}}).to_string()).unwrap();
    let server = HttpServer::start(serve_command(data.path())).await;
    http_client();
    let trusted = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([trusted]).build().unwrap();
    let url = server.origin.replace("http://127.0.0.1", "https://localhost");
    assert_eq!(client.get(format!("{url}/healthz")).send().await.unwrap().status(), 200);
    std::fs::write(&key, "no key").unwrap();
    let failed = serve_command(data.path()).args(["--transport", "http", "--port", "0"]).output().await.unwrap();
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success() && said.contains("key.pem"), "{said}");
}

#[tokio::test]
async fn nobody_listens_for_other_machines_without_asking_who_they_are() {
    let data = tempfile::tempdir().unwrap();
    let mut command = serve_command(data.path());
    let failed = command.args(["--transport", "http", "--port", "0", "--host", "0.0.0.0"]).output().await.unwrap();
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(
        !failed.status.success() && said.contains("keys create") && said.contains("allow_unauthenticated"),
        "{said}"
    );
}

#[tokio::test]
async fn a_server_for_other_machines_says_that_it_must_know_its_name() {
    for (http, warned) in [(json!({}), true), (json!({"public_url": "https://mcp.example.com/mcp"}), false)] {
        let data = tempfile::tempdir().unwrap();
        let settings = json!({"server": {"allow_unauthenticated": true, "http": http}});
        std::fs::write(data.path().join("tfo-mcp.yaml"), settings.to_string()).unwrap();
        let mut command = serve_command(data.path());
        command.args(["--transport", "http", "--port", "0", "--host", "0.0.0.0"]).kill_on_drop(true);
        command.env("TELEMETRYFLOW_MCP_LOG_LEVEL", "info").stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        while !said.contains("Serving MCP") {
            let line = tokio::time::timeout(DEADLINE, lines.next_line()).await.expect("it listens").unwrap();
            said += &line.expect("it goes on");
        }
        assert_eq!(said.contains("server.http.public_url"), warned, "{said}");
    }
}
