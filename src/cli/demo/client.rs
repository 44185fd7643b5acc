//! A small MCP client: `tfo-mcp serve` as a child, JSON-RPC over its standard input and output.
//!
//! Speaks the protocol itself instead of through a library, so that the demo shows what any client would see.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::{
    settings::{ENV_PREFIX, FILE_NAME},
    source::embedded::LIBRARY_VARIABLE,
};

/// The revision that the demo speaks.
const PROTOCOL: &str = "2025-06-18";

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a server of our own.
pub(super) struct Client {
    child: Child,
    input: ChildStdin,
    output: tokio::io::Lines<BufReader<ChildStdout>>,
    last_id: u64,
}

/// How the server introduced itself.
pub(super) struct Greeting {
    pub name: String,
    pub version: String,
    pub protocol: String,
    /// From the start of the process to its answer.
    pub after: Duration,
}

impl Client {
    /// Starts a server on a data directory and shakes hands.
    pub(super) async fn start(data_dir: &Path) -> anyhow::Result<(Self, Greeting)> {
        let program = std::env::current_exe().context("cannot find the running program")?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--data-dir").arg(data_dir).arg("--config").arg(data_dir.join(FILE_NAME));
        command.args(["--log-level", "error"]);
        // The tour is about the demo data, whatever the environment binds elsewhere.
        for (name, _) in std::env::vars_os() {
            let ours = name.to_str().is_some_and(|name| name.starts_with(ENV_PREFIX) && name != LIBRARY_VARIABLE);
            if ours {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let started = Instant::now();
        let mut child = command.spawn().context("cannot start `tfo-mcp serve`")?;
        let input = child.stdin.take().context("the server has no standard input")?;
        let output = child.stdout.take().context("the server has no standard output")?;
        let mut client = Self { child, input, output: BufReader::new(output).lines(), last_id: 0 };
        let info = json!({ "name": "tfo-mcp demo", "version": env!("CARGO_PKG_VERSION") });
        let hello = json!({ "protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": info });
        let answer = client.request("initialize", hello).await?;
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned();
        let greeting = Greeting {
            name: text("/serverInfo/name"),
            version: text("/serverInfo/version"),
            protocol: text("/protocolVersion"),
            after: started.elapsed(),
        };
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        Ok((client, greeting))
    }

    /// Asks and waits for the answer.
    pub(super) async fn request(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await?;
        loop {
            let line = timeout(PATIENCE, self.output.next_line()).await;
            let line = line.with_context(|| format!("the server does not answer `{method}`"))??;
            let line = line.ok_or_else(|| anyhow!("the server ended before it answered `{method}`"))?;
            let mut message: Value = serde_json::from_str(&line).context("the server wrote a line that is not JSON")?;
            if message.get("id").and_then(Value::as_u64) != Some(id) {
                continue;
            }
            if let Some(error) = message.get("error") {
                bail!("the server refused `{method}`: {}", error.get("message").and_then(Value::as_str).unwrap_or("?"));
            }
            return Ok(message.get_mut("result").map(Value::take).unwrap_or_default());
        }
    }

    /// Calls a tool and takes the text of its answer.
    pub(super) async fn tool(&mut self, name: &str, arguments: Value) -> anyhow::Result<String> {
        let answer = self.request("tools/call", json!({ "name": name, "arguments": arguments })).await?;
        let text = answer.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default().to_owned();
        if answer.get("isError") == Some(&Value::Bool(true)) {
            bail!("the tool `{name}` failed: {text}");
        }
        Ok(text)
    }

    /// How many entries a list has.
    pub(super) async fn count(&mut self, what: &str) -> anyhow::Result<usize> {
        let answer = self.request(&format!("{what}/list"), json!({})).await?;
        Ok(answer.get(what).and_then(Value::as_array).map_or(0, Vec::len))
    }

    /// Ends the server by closing its input, as clients do.
    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        drop(self.input);
        let ended = timeout(Duration::from_secs(10), self.child.wait()).await;
        ended.context("the server did not end with its input")??;
        Ok(())
    }

    async fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        let line = format!("{message}\n");
        self.input.write_all(line.as_bytes()).await.context("the server does not read")?;
        self.input.flush().await.context("the server does not read")
    }
}
