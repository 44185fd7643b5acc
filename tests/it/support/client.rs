//! A raw MCP client: writes bytes, reads lines, never waits without a deadline.
//!
//! It talks to the built binary as a child, or to a server in this process over a pipe. It knows nothing of rmcp,
//! so that what it sees is what a client sees.

use std::{
    collections::VecDeque,
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Longest wait for anything. Generous: the machine may be busy; nothing waits this long when all is well.
pub const DEADLINE: Duration = Duration::from_secs(60);

pub struct Client {
    write: Option<Box<dyn AsyncWrite + Unpin + Send>>,
    read: BufReader<Box<dyn AsyncRead + Unpin + Send>>,
    /// Replies that were read while another one was awaited.
    early: VecDeque<Value>,
    next_id: i64,
    child: Option<Child>,
}

impl Client {
    pub fn over(
        read: impl AsyncRead + Unpin + Send + 'static,
        write: impl AsyncWrite + Unpin + Send + 'static,
    ) -> Self {
        let read: Box<dyn AsyncRead + Unpin + Send> = Box::new(read);
        Self {
            write: Some(Box::new(write)),
            read: BufReader::new(read),
            early: VecDeque::new(),
            next_id: 1000,
            child: None,
        }
    }

    /// Starts a server on pipes; a child that is left over is killed when the client is dropped.
    pub fn spawn(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("the server starts");
        let (read, write) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        Self { child: Some(child), ..Self::over(read, write) }
    }

    /// Starts a server on socket pairs, as clients written for Node do.
    pub fn spawn_on_sockets(mut command: Command) -> Self {
        let (read, stdout) = UnixStream::pair().unwrap();
        let (write, stdin) = UnixStream::pair().unwrap();
        let child = command
            .stdin(OwnedFd::from(stdin))
            .stdout(OwnedFd::from(stdout))
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        // The command still holds the server's ends; the output ends only when every copy is closed.
        drop(command);
        let ours = |socket: UnixStream| {
            socket.set_nonblocking(true).unwrap();
            tokio::net::UnixStream::from_std(socket).unwrap()
        };
        Self { child: Some(child), ..Self::over(ours(read), ours(write)) }
    }

    /// Writes bytes as they are.
    pub async fn send_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        let write = self.write.as_mut().expect("the input is open");
        timeout(DEADLINE, async {
            write.write_all(bytes.as_ref()).await?;
            write.flush().await
        })
        .await
        .expect("the server reads")
        .expect("the server lives");
    }

    /// Writes one line.
    pub async fn send(&mut self, line: impl AsRef<[u8]>) {
        let mut bytes = line.as_ref().to_vec();
        bytes.push(b'\n');
        self.send_bytes(bytes).await;
    }

    pub async fn send_json(&mut self, message: Value) {
        self.send(message.to_string()).await;
    }

    /// The next line that the server writes; none at the end of its output.
    pub async fn line(&mut self) -> Option<Value> {
        if let Some(early) = self.early.pop_front() {
            return Some(early);
        }
        self.fresh_line().await
    }

    async fn fresh_line(&mut self) -> Option<Value> {
        let mut line = Vec::new();
        let read = timeout(DEADLINE, self.read.read_until(b'\n', &mut line)).await.expect("the server answers");
        if read.expect("the output can be read") == 0 {
            return None;
        }
        let text = String::from_utf8(line).expect("output is UTF-8");
        Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("output is JSON only: {error}: {text}")))
    }

    /// The answer to a request; what comes before it is kept for [`line`](Self::line).
    pub async fn answer_to(&mut self, id: impl Into<Value>) -> Value {
        let id = id.into();
        if let Some(at) = self.early.iter().position(|line| line["id"] == id && line.get("method").is_none()) {
            return self.early.remove(at).unwrap();
        }
        loop {
            let line = self.fresh_line().await.unwrap_or_else(|| panic!("no answer to {id} before the end of output"));
            if line["id"] == id && line.get("method").is_none() {
                return line;
            }
            self.early.push_back(line);
        }
    }

    /// Sends a request and waits for its answer.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        self.send_json(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        self.answer_to(id).await
    }

    /// The result of a request that must succeed.
    pub async fn result(&mut self, method: &str, params: Value) -> Value {
        let mut answer = self.request(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// Opens a session of a legacy revision; answers the result of `initialize`.
    pub async fn initialize(&mut self, revision: &str) -> Value {
        let result = self.result("initialize", initialize_params(revision)).await;
        self.send_json(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        result
    }

    /// Opens a session of a client that can do something.
    pub async fn initialize_able(&mut self, revision: &str, capabilities: Value) -> Value {
        let mut params = initialize_params(revision);
        params["capabilities"] = capabilities;
        let result = self.result("initialize", params).await;
        self.send_json(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        result
    }

    /// The next line with a method: a request or a notification of the server.
    pub async fn told(&mut self) -> Value {
        if let Some(at) = self.early.iter().position(|line| line.get("method").is_some()) {
            return self.early.remove(at).unwrap();
        }
        loop {
            let line = self.fresh_line().await.expect("the server lives");
            if line.get("method").is_some() {
                return line;
            }
            self.early.push_back(line);
        }
    }

    /// Answers a request of the server.
    pub async fn reply(&mut self, request: &Value, result: Value) {
        self.send_json(json!({"jsonrpc": "2.0", "id": request["id"], "result": result})).await;
    }

    /// Calls a tool of a legacy session; answers its result.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// Proves that the server has nothing more to say: the answer to a ping is the next line.
    pub async fn expect_silence(&mut self) {
        self.next_id += 1;
        let id = self.next_id;
        self.send_json(json!({"jsonrpc": "2.0", "id": id, "method": "ping"})).await;
        let line = self.line().await.expect("the server lives");
        assert_eq!(line["id"], id, "an unexpected line: {line}");
    }

    /// Stops reading, as a client that died.
    pub fn stop_reading(&mut self) {
        self.read = BufReader::new(Box::new(tokio::io::empty()));
    }

    /// Process id of the child.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("a child that runs")
    }

    /// Sends a signal to the child.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = self.child.as_ref().and_then(Child::id).expect("a child that lives");
        let id = rustix::process::Pid::from_raw(id.try_into().unwrap()).unwrap();
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Ends the input.
    pub fn end_input(&mut self) {
        self.write = None;
    }

    /// Ends the input, reads the rest of the output, and the exit code of a child.
    pub async fn finish(mut self) -> (Vec<Value>, Option<i32>) {
        self.end_input();
        let mut rest = Vec::new();
        while let Some(line) = self.line().await {
            rest.push(line);
        }
        let code = match &mut self.child {
            Some(child) => timeout(DEADLINE, child.wait()).await.expect("the server ends").unwrap().code(),
            None => None,
        };
        (rest, code)
    }
}

/// The built binary as a server that takes part in nothing of this machine: its data folder is empty.
pub fn serve_command(data: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tfo-mcp"));
    command.arg("serve").current_dir(data).env("TELEMETRYFLOW_MCP_DATA_DIR", data).env("HOME", data);
    command.env("TELEMETRYFLOW_MCP_LOG_LEVEL", "error");
    command
}

/// A session with a server whose working folder is the new folder `work` beside its data, with one toolset.
pub async fn in_working_folder(folder: &std::path::Path, toolset: &str) -> Client {
    let (data, work) = (folder.join("data"), folder.join("work"));
    std::fs::create_dir_all(&data).unwrap();
    std::fs::create_dir_all(&work).unwrap();
    let mut command = serve_command(&data);
    command.env("HOME", folder).current_dir(&work).args(["--toolsets", toolset]);
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    client
}

pub fn initialize_params(revision: &str) -> Value {
    json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "it", "version": "1"}})
}

/// The `_meta` that a request of 2026-07-28 carries.
pub fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "it", "version": "1"},
    });
    params
}

/// The `_meta` of a client of 2026-07-28 that can do something.
pub fn modern_able(mut params: Value, capabilities: Value) -> Value {
    params = modern(params);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    params
}
