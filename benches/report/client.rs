//! A small pipelining MCP client over stdio that reads the server's CPU time and memory from `/proc`.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

pub struct Client {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    next: usize,
}

impl Client {
    /// Starts a server and waits for its reply to `initialize`.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let to = child.stdin.take().unwrap();
        let from = BufReader::with_capacity(1 << 20, child.stdout.take().unwrap());
        let mut client = Self { child, to, from, next: 0 };
        let info = json!({ "name": "bench", "version": "0" });
        client.send("initialize", json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info }));
        let reply = client.receive();
        assert!(reply["result"]["serverInfo"].is_object(), "{reply}");
        client.to.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n").unwrap();
        client
    }

    /// The text of one tool call.
    pub fn call(&mut self, tool: &str, arguments: Value) -> String {
        self.send("tools/call", json!({ "name": tool, "arguments": arguments }));
        let reply = self.receive();
        assert_eq!(reply["result"]["isError"], json!(false), "{reply}");
        reply["result"]["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// CPU time of the server for each of `calls` tool calls, with so many in flight.
    pub fn cpu_micros_per_call(
        &mut self,
        calls: usize,
        in_flight: usize,
        call: impl Fn(usize) -> (&'static str, Value),
    ) -> f64 {
        let before = self.cpu_seconds();
        let (mut sent, mut received) = (0, 0);
        while received < calls {
            while sent < calls && sent - received < in_flight {
                let (tool, arguments) = call(sent);
                self.send("tools/call", json!({ "name": tool, "arguments": arguments }));
                sent += 1;
            }
            let mut line = Vec::new();
            self.from.read_until(b'\n', &mut line).unwrap();
            assert!(
                !line.windows(14).any(|w| w == b"\"isError\":true") && !line.is_empty(),
                "{}",
                String::from_utf8_lossy(&line)
            );
            received += 1;
        }
        (self.cpu_seconds() - before) * 1e6 / calls as f64
    }

    /// CPU time of the server for each page of `tools/list`, over all pages; how many pages and tools there are.
    pub fn cpu_micros_per_page(&mut self) -> (f64, usize, usize) {
        let before = self.cpu_seconds();
        let (mut pages, mut tools, mut params) = (0, 0, json!({}));
        loop {
            self.send("tools/list", params);
            let reply = self.receive();
            pages += 1;
            tools += reply["result"]["tools"].as_array().unwrap().len();
            match reply["result"].get("nextCursor") {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return ((self.cpu_seconds() - before) * 1e6 / pages as f64, pages, tools),
            }
        }
    }

    /// A line of what the kernel tells of the server's memory, such as `VmRSS:`.
    pub fn mib(&self, what: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    fn cpu_seconds(&self) -> f64 {
        cpu_seconds(&self.child)
    }

    fn send(&mut self, method: &str, params: Value) {
        self.next += 1;
        let mut line = json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params }).to_string();
        line.push('\n');
        self.to.write_all(line.as_bytes()).unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time of a process so far.
pub fn cpu_seconds(process: &Child) -> f64 {
    // Nanoseconds on a CPU by thread: finer than the ticks of /proc/PID/stat.
    let tasks = std::fs::read_dir(format!("/proc/{}/task", process.id())).unwrap();
    let nanos: f64 = tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .sum();
    nanos / 1e9
}
