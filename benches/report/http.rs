//! What a call costs over HTTP, beside a bare axum and rmcp: in a session of 2025-11-25, and in 2026-07-28 without one.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use super::{CALLS, IN_FLIGHT, Line, ROUNDS, bare_server, best, client::cpu_seconds, serve};

/// How much more than the bare server a call may cost, in microseconds of CPU.
const MORE: f64 = 20.0;
const ECHO: (&str, &str) = ("echo", "Why is checkout slow?");

/// How a client asks.
#[derive(Clone, Copy, PartialEq)]
enum Revision {
    Session,
    Stateless,
}

/// `echo` over HTTP.
pub fn echo() -> Vec<Line> {
    let data = tempfile::tempdir().unwrap();
    let bare = bare_server();
    let cost =
        |command: &dyn Fn() -> Command, revision| {
            let arguments = json!({ "message": ECHO.1 });
            best((0..ROUNDS).map(|_| {
                Served::start(command(), revision).cpu_micros_per_call(CALLS, |_| (ECHO.0, arguments.clone()))
            }))
        };
    let revisions = [
        (Revision::Session, "echo over HTTP in a session: CPU per call, more than a bare axum and rmcp"),
        (Revision::Stateless, "echo over HTTP in 2026-07-28: CPU per call, more than a bare axum and rmcp"),
    ];
    let line = |(revision, what)| {
        let floor = cost(&|| with(Command::new(&bare), &["http"]), revision);
        let ours = cost(&|| over_http(data.path()), revision);
        Line {
            what,
            measured: ours - floor,
            limit: MORE,
            unit: "µs",
            how: format!(
                "{ours:.1} µs against {floor:.1} µs; {CALLS} calls on {IN_FLIGHT} connections, best of {ROUNDS}"
            ),
        }
    };
    revisions.into_iter().map(line).collect()
}

/// Calls of a tool over HTTP in a session. `command` is one of [`over_http`].
pub fn calls(command: Command, call: impl Fn(usize) -> (&'static str, Value)) -> f64 {
    let mut served = Served::start(command, Revision::Session);
    best((0..ROUNDS).map(|_| served.cpu_micros_per_call(CALLS, &call)))
}

pub fn over_http(data: &Path) -> Command {
    with(serve(data), &["--transport", "http", "--port", "0"])
}

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}

/// A server that listens, and connections to it.
struct Served {
    child: Child,
    connections: Vec<BufReader<TcpStream>>,
    revision: Revision,
    /// What every request has in its head.
    head: String,
    next: usize,
}

impl Served {
    /// Starts a server, which says on one of its streams where it listens.
    fn start(mut command: Command, revision: Revision) -> Self {
        command.env("TELEMETRYFLOW_MCP_LOG_LEVEL", "info").stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (found, address) = std::sync::mpsc::channel();
        let out = [
            Box::new(child.stdout.take().unwrap()) as Box<dyn std::io::Read + Send>,
            Box::new(child.stderr.take().unwrap()),
        ];
        for stream in out {
            let found = found.clone();
            // Read to its end: a server that nobody reads would wait.
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if let Some((_, rest)) = line.split_once("http://") {
                        let address: String =
                            rest.chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
                        let _ = found.send(address);
                    }
                }
            });
        }
        let address = address.recv().unwrap();
        let connect = || {
            let stream = TcpStream::connect(&address).unwrap();
            stream.set_nodelay(true).unwrap();
            BufReader::new(stream)
        };
        let version = if revision == Revision::Session { "2025-11-25" } else { "2026-07-28" };
        let head = format!(
            "POST /mcp HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\nmcp-protocol-version: {version}\r\n"
        );
        let connections = (0..IN_FLIGHT).map(|_| connect()).collect();
        let mut served = Self { child, connections, revision, head, next: 0 };
        if revision == Revision::Session {
            let client = json!({ "name": "bench", "version": "0" });
            let params = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client });
            served.send(0, &json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }));
            let (head, _) = served.receive(0);
            let session =
                head.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).unwrap().trim().to_owned();
            served.head.push_str(&format!("mcp-session-id: {session}\r\n"));
            served.send(0, &json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
            served.receive(0);
        }
        served
    }

    /// CPU time of the server for each of `calls`, one at a time on each connection.
    fn cpu_micros_per_call(&mut self, calls: usize, call: impl Fn(usize) -> (&'static str, Value)) -> f64 {
        let before = cpu_seconds(&self.child);
        for n in 0..calls / IN_FLIGHT {
            for at in 0..IN_FLIGHT {
                let (name, arguments) = call(n * IN_FLIGHT + at);
                self.next += 1;
                let mut params = json!({ "name": name, "arguments": arguments });
                if self.revision == Revision::Stateless {
                    params["_meta"] = json!({
                        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                        "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "0" },
                        "io.modelcontextprotocol/clientCapabilities": {},
                    });
                }
                let request = json!({ "jsonrpc": "2.0", "id": self.next, "method": "tools/call", "params": params });
                self.send(at, &request);
            }
            for at in 0..IN_FLIGHT {
                let (head, body) = self.receive(at);
                let fine = head.starts_with("HTTP/1.1 200")
                    && body.contains(r#""content":["#)
                    && !body.contains(r#""isError":true"#);
                assert!(fine, "{head}\n{body}");
            }
        }
        (cpu_seconds(&self.child) - before) * 1e6 / (calls / IN_FLIGHT * IN_FLIGHT) as f64
    }

    fn send(&mut self, at: usize, message: &Value) {
        let body = message.to_string();
        let standard = match (self.revision, message["params"]["name"].as_str()) {
            (Revision::Stateless, Some(name)) => format!("mcp-method: tools/call\r\nmcp-name: {name}\r\n"),
            _ => String::new(),
        };
        let request = format!("{}{standard}content-length: {}\r\n\r\n{body}", self.head, body.len());
        self.connections[at].get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// Head and body of an answer.
    fn receive(&mut self, at: usize) -> (String, String) {
        let from = &mut self.connections[at];
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(from.read_line(&mut head).unwrap() > 0, "the server closed the connection: {head}");
        }
        let mut body = Vec::new();
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        match length {
            Some(length) => {
                body.resize(length, 0);
                from.read_exact(&mut body).unwrap();
            }
            None if head.to_ascii_lowercase().contains("transfer-encoding: chunked") => loop {
                let mut size = String::new();
                from.read_line(&mut size).unwrap();
                let size = usize::from_str_radix(size.trim(), 16).unwrap();
                let mut chunk = vec![0; size + 2];
                from.read_exact(&mut chunk).unwrap();
                body.extend_from_slice(&chunk[..size]);
                if size == 0 {
                    break;
                }
            },
            None => {}
        }
        (head, String::from_utf8(body).unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
