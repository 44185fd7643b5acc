//! Behind nginx with its defaults, which speaks HTTP/1.0 to servers, collects answers before it passes them on, and takes
//! a part off the path.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    client::{DEADLINE, initialize_params, serve_command},
    http::{HttpServer, http_client, messages},
};

/// A private nginx in front of a server; ended when dropped.
struct Nginx {
    child: Child,
    /// `http://127.0.0.1:PORT/tools`
    origin: String,
    _folder: tempfile::TempDir,
}

impl Nginx {
    async fn start(server: &HttpServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {}/{name}; ", folder.path().display()))
            .concat();
        // As whoever runs the tests: the folder is theirs.
        let user = if rustix::process::getuid().is_root() { "user root; " } else { "" };
        let conf = format!(
            "{user}daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n\
             http {{ access_log off; {temporary}server {{ listen 127.0.0.1:{port};\n\
             location /tools/ {{ proxy_pass {upstream}/; }} }} }}\n",
            folder = folder.path().display(),
            upstream = server.origin,
        );
        std::fs::write(folder.path().join("nginx.conf"), conf).unwrap();
        let mut command = Command::new(program());
        command.arg("-p").arg(folder.path()).arg("-c").arg(folder.path().join("nginx.conf"));
        command.arg("-e").arg(folder.path().join("error.log"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + DEADLINE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || std::fs::read_to_string(folder.path().join("error.log")).unwrap_or_default();
            assert!(child.try_wait().unwrap().is_none(), "nginx ended: {}", log());
            assert!(Instant::now() < deadline, "nginx does not start: {}", log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { child, origin: format!("http://127.0.0.1:{port}/tools"), _folder: folder }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In the search path, or where Debian keeps it.
fn program() -> &'static str {
    let debian = "/usr/sbin/nginx";
    if Path::new(debian).exists() { debian } else { "nginx" }
}

#[tokio::test]
async fn both_transports_work_behind_nginx_with_its_defaults() {
    let data = tempfile::tempdir().unwrap();
    let tools = data.path().join("pack/definitions/tools");
    std::fs::create_dir_all(&tools).unwrap();
    let slow = "kind: tool\nname: slow\ntitle: Slow\ndescription: Waits.\ncategory: test\nrun:\n  action: pipeline\n  \
                steps:\n    - run: { action: delay, for: 1s }\n    - run: { action: template, text: done }\n";
    std::fs::write(tools.join("slow.yaml"), slow).unwrap();
    let mut command = serve_command(data.path());
    command.arg("--pack").arg(data.path().join("pack"));
    let server = HttpServer::start(command).await;
    let nginx = Nginx::start(&server).await;
    let message = |id: i64, method: &str, params: Value| {
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
    };
    let post = |url: &str, body: String| http_client().post(url).header("content-type", "application/json").body(body);

    // HTTP+SSE: the address of the stream is found, and nothing on it waits for more to come.
    let url = reqwest::Url::parse(&format!("{}/sse", nginx.origin)).unwrap();
    let mut stream = http_client().get(url.clone()).send().await.unwrap();
    let mut read = String::new();
    let mut until = async |wanted: &str| {
        let found = async {
            while !read.contains(wanted) {
                read += str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(10), found).await.unwrap_or_else(|_| panic!("no {wanted} in time"));
        read.clone()
    };
    let endpoint = until("sessionId=").await;
    let endpoint = endpoint.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let endpoint = url.join(endpoint).unwrap();
    assert!(endpoint.path() == "/tools/sse", "{endpoint}");
    for body in [message(1, "initialize", initialize_params("2024-11-05")), message(2, "ping", json!({}))] {
        assert_eq!(post(endpoint.as_str(), body).send().await.unwrap().status(), 202);
    }
    until("\"id\":2").await;

    // Streamable HTTP: an answer in one piece, and a stream whose first event comes before its last.
    let mcp = format!("{}/mcp", nginx.origin);
    let accept = "application/json, text/event-stream";
    let opened = post(&mcp, message(1, "initialize", initialize_params("2025-11-25")));
    let opened = opened.header("accept", accept).send().await.unwrap();
    assert_eq!(opened.headers()["content-type"], "application/json");
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let slow = post(&mcp, message(2, "tools/call", json!({"name": "slow", "arguments": {}})));
    let mut slow = slow.header("accept", accept).header("mcp-session-id", session).send().await.unwrap();
    let first = String::from_utf8(slow.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(!first.contains("done"), "the first event is not held back: {first}");
    let rest = slow.text().await.unwrap();
    assert_eq!(messages("text/event-stream", &(first + &rest)).pop().unwrap()["result"]["content"][0]["text"], "done");
}
