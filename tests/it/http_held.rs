//! What a client of the HTTP server can hold without a credential: connections, by not reading, not ending, not
//! agreeing with itself; and what a stopping server is held up by.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::support::{
    client::{DEADLINE, initialize_params, modern, serve_command},
    eventually::eventually,
    http::{HttpServer, http_client, messages, modern_request},
};

async fn serve(http: Value) -> (HttpServer, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("tfo-mcp.yaml"), json!({"server": {"http": http}}).to_string()).unwrap();
    let tools = data.path().join("pack/definitions/tools");
    std::fs::create_dir_all(&tools).unwrap();
    let endless = "kind: tool\nname: endless\ntitle: Endless\ndescription: Waits.\ncategory: test\ntimeout: 5m\nrun:\n  \
                   action: pipeline\n  steps:\n    - run: { action: delay, for: 4m }\n";
    std::fs::write(tools.join("endless.yaml"), endless).unwrap();
    let mut command = serve_command(data.path());
    command.arg("--pack").arg(data.path().join("pack"));
    (HttpServer::start(command).await, data)
}

fn address(server: &HttpServer) -> std::net::SocketAddr {
    server.origin.trim_start_matches("http://").parse().unwrap()
}

/// The status of an answer on a connection of its own; none where there is none.
async fn status(server: &HttpServer, path: &str) -> Option<u16> {
    let answer = http_client().get(format!("{}{path}", server.origin)).send().await;
    answer.ok().map(|answer| answer.status().as_u16())
}

/// Waits until the server works on as many requests.
async fn until_in_flight(server: &HttpServer, count: usize) {
    let metrics = async || reqwest::get(format!("{}/metrics", server.origin)).await.unwrap().text().await.unwrap();
    let said = format!("mcp_server_requests_in_flight {count}");
    eventually(&said, async || metrics().await.contains(&said)).await;
}

async fn until(server: &HttpServer, path: &str, wanted: u16) {
    eventually(format!("{path} is answered {wanted}"), async || status(server, path).await == Some(wanted)).await;
}

/// Asks and asks on a connection, and reads nothing, until the server no longer takes anything.
async fn ask_without_reading(address: std::net::SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(address).await.unwrap();
    let requests = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200);
    let mut sent = 0_usize;
    while sent < 64 << 20 {
        match stream.try_write(requests.as_bytes()) {
            Ok(count) => sent += count,
            Err(_) if timeout(Duration::from_millis(500), stream.writable()).await.is_err() => return stream,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            // It was ended already.
            Err(_) => return stream,
        }
    }
    panic!("the server reads on although nobody reads its answers");
}

/// S5: connections that never read their answers kept their places for ever, without a credential, and nobody was served.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn clients_that_never_read_lose_their_connections_and_signs_of_life_are_given_all_the_time() {
    let most = 4;
    let limits = json!({"idle_timeout": "3s", "max_connections": most, "max_connections_per_address": most});
    let (server, _data) = serve(limits).await;
    let held = join_all((0..most).map(|_| ask_without_reading(address(&server)))).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(status(&server, path).await, Some(200), "{path}");
    }
    until(&server, "/metrics", 200).await;
    drop(held);
}

/// A balancer must know whether the server lives, just when it has too much to do.
#[tokio::test]
async fn when_all_places_are_taken_signs_of_life_are_given_and_others_are_told_to_come_again() {
    let (server, _data) = serve(json!({"max_connections": 2, "max_connections_per_address": 2})).await;
    let held =
        [TcpStream::connect(address(&server)).await.unwrap(), TcpStream::connect(address(&server)).await.unwrap()];
    until(&server, "/metrics", 503).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(status(&server, path).await, Some(200), "{path}");
    }
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    let refused = http_client().post(server.url()).body(ping).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    assert_eq!(refused.headers()["connection"], "close");
    let body: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    assert!(body["error"]["message"].as_str().unwrap().contains("max_connections"), "{body}");
    // Nobody can hold what is left for signs of life: however many come, they are let go.
    let crowd = join_all((0..100).map(|_| TcpStream::connect(address(&server)))).await;
    until(&server, "/healthz", 200).await;
    drop(crowd);
    drop(held);
    until(&server, "/metrics", 200).await;
}

/// A balancer has the address of those who flood the server, where they come through it.
#[tokio::test]
async fn signs_of_life_are_given_to_an_address_that_holds_all_it_can() {
    let (server, _data) = serve(json!({"max_connections": 8})).await;
    let held = join_all((0..60).map(|_| TcpStream::connect(address(&server)))).await;
    for path in ["/healthz", "/readyz", "/healthz"] {
        // Well before those who say nothing are let go by themselves.
        assert_eq!(timeout(Duration::from_secs(3), status(&server, path)).await, Ok(Some(200)), "{path}");
    }
    drop(held);
}

#[tokio::test]
async fn one_address_has_a_share_of_the_connections() {
    let (server, _data) = serve(json!({"max_connections": 8})).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(TcpStream::connect(address(&server)).await.unwrap());
    }
    until(&server, "/metrics", 503).await;
    let other = reqwest::Client::builder().local_address(Some("127.0.0.2".parse().unwrap())).timeout(DEADLINE);
    let answer = other.build().unwrap().get(format!("{}/metrics", server.origin)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "another address has a share of its own");
    let text = answer.text().await.unwrap();
    let turned_away = text.lines().find_map(|line| line.strip_prefix("http_server_turned_away_connections_total "));
    assert!(turned_away.is_some_and(|count| count != "0"), "{text}");
}

/// Each piece came in time, so that a body of one byte a second was waited for as long as anybody liked.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_body_that_trickles_is_not_waited_for() {
    let (server, _data) = serve(json!({"idle_timeout": "2s"})).await;
    let (mut read, mut write) = TcpStream::connect(address(&server)).await.unwrap().into_split();
    let head =
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n";
    write.write_all(head.as_bytes()).await.unwrap();
    let trickle = async {
        while write.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let mut answer = String::new();
    let answered = async {
        let mut bytes = Vec::new();
        // A reset after the answer is an end as well.
        let _ = read.read_to_end(&mut bytes).await;
        answer = String::from_utf8_lossy(&bytes).into_owned();
    };
    timeout(DEADLINE, async {
        tokio::select! { () = answered => {}, () = trickle => {} }
    })
    .await
    .expect("an end");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

/// A stream on which nothing happens is quiet, and its client reads: it is not what the deadlines are for.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_quiet_stream_stays_open() {
    let (server, _data) = serve(json!({"idle_timeout": "1s"})).await;
    let mut stream = http_client().get(format!("{}/sse", server.origin)).send().await.unwrap();
    let first = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let (_, endpoint) = first.split_once("data: ").unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params("2024-11-05")});
    let post = http_client().post(format!("{}{}", server.origin, endpoint.trim())).body(body.to_string());
    assert_eq!(post.header("content-type", "application/json").send().await.unwrap().status(), 202);
    let answer = timeout(DEADLINE, stream.chunk()).await.unwrap().unwrap().expect("the stream is open");
    assert!(String::from_utf8_lossy(&answer).contains("serverInfo"), "{answer:?}");
}

/// Two readers of one request, a proxy and this server, must not be able to understand it differently.
#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused() {
    let (server, _data) = serve(json!({})).await;
    let port = address(&server).port();
    let absolute = format!("http://localhost:{port}");
    let host = format!("Host: localhost:{port}");
    for (target, headers, refused) in [
        ("", vec![host.as_str()], false),
        (absolute.as_str(), vec![&host], false),
        ("", vec![], true),
        ("", vec![&host, &host], true),
        ("", vec![&host, "Host: evil.example"], true),
        ("", vec!["Host: evil.example@127.0.0.1"], true),
        ("http://evil.example", vec![&host], true),
        ("http://evil.example@localhost", vec!["Host: localhost"], true),
        ("", vec![&host, "Authorization: Bearer a", "Authorization: Bearer b"], true),
        ("", vec![&host, "X-API-Key: a", "X-API-Key: b"], true),
        ("", vec![&host, "Origin: http://localhost:1", "Origin: http://localhost:1"], true),
        ("", vec![&host, "Mcp-Session-Id: a", "Mcp-Session-Id: b"], true),
        ("", vec![&host, "MCP-Protocol-Version: 2025-06-18", "MCP-Protocol-Version: 2025-11-25"], true),
        ("", vec![&host, "Mcp-Method: ping", "Mcp-Method: ping"], true),
        ("", vec![&host, "Content-Length: 2", "Content-Length: 3"], true),
        ("", vec![&host, "Transfer-Encoding: chunked", "Content-Length: 3"], true),
    ] {
        let body =
            json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params("2025-11-25")});
        let body = body.to_string();
        let mut request =
            format!("POST {target}/mcp HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\n");
        request += "Accept: application/json, text/event-stream\r\n";
        if !headers.iter().any(|header| header.starts_with("Content-Length") || header.starts_with("Transfer")) {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        headers.iter().for_each(|header| request += &format!("{header}\r\n"));
        let mut stream = TcpStream::connect(address(&server)).await.unwrap();
        stream.write_all(format!("{request}\r\n{body}").as_bytes()).await.unwrap();
        let mut head = [0; 12];
        timeout(DEADLINE, stream.read_exact(&mut head)).await.unwrap().unwrap();
        let head = String::from_utf8_lossy(&head).into_owned();
        assert_eq!(head == "HTTP/1.1 400", refused, "{target} {headers:?}: {head}");
        assert!(refused || head == "HTTP/1.1 200", "{target} {headers:?}: {head}");
    }
}

/// B8: a server that was told to stop waited for as long as its slowest tool may take.
#[tokio::test]
async fn a_server_that_is_told_to_stop_cancels_what_is_not_finished_in_time() {
    let (mut server, _data) = serve(json!({"drain_timeout": "1s"})).await;
    let call = modern_request(&http_client(), &server.url(), None, 1, "tools/call", json!({"name": "endless"}));
    let call = tokio::spawn(async move {
        let answer = call.send().await?;
        Ok::<_, reqwest::Error>((answer.headers()["content-type"].to_str().unwrap().to_owned(), answer.text().await?))
    });
    until_in_flight(&server, 1).await;
    let (pid, told) = (rustix::process::Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap(), Instant::now());
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ended = timeout(DEADLINE, server.child.wait()).await.expect("the server ends").unwrap();
    assert_eq!(ended.code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(30), "{:?}", told.elapsed());
    let (content_type, text) = call.await.unwrap().expect("the client is answered");
    let answer = messages(&content_type, &text).pop().unwrap();
    assert!(answer.to_string().contains("cancelled"), "{answer}");
}

/// A client that has ended what it sends, and waits (`nc -N`), got nothing, most of the time. One that has left looks the
/// same, and is not worked for.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_client_that_ends_what_it_sends_is_answered_and_not_waited_for() {
    let (server, _data) = serve(json!({})).await;
    let asked = async |line: &str, headers: &str, body: &str| {
        let mut stream = TcpStream::connect(address(&server)).await.unwrap();
        let length = body.len();
        let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let (mut answer, sent) = (String::new(), Instant::now());
        let read = timeout(DEADLINE, stream.read_to_string(&mut answer)).await.expect("the server ends it, too");
        read.unwrap();
        (answer, sent.elapsed())
    };
    let call = async |tool: &str, arguments: Value| {
        let params = modern(json!({"name": tool, "arguments": arguments}));
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
        let headers = format!(
            "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
             MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
        );
        asked("POST /mcp", &headers, &body).await
    };
    for _ in 0..3 {
        let (answer, _) = asked("GET /healthz", "", "").await;
        assert!(answer.contains("alive"), "{answer:?}");
        let (answer, took) = call("echo", json!({"message": "still here"})).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("still here"), "{answer:?}");
        assert!(took < Duration::from_millis(1500), "nothing is waited for once it is answered: {took:?}");
    }
    let (answer, _) = call("endless", json!({})).await;
    assert!(!answer.contains("\"result\""), "{answer:?}");
    until_in_flight(&server, 0).await;
}
