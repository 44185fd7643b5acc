//! A small MCP client: what `demo` shows, what `connect` tries, and how `call` reaches a running server.
//!
//! Speaks the protocol itself instead of through a library, so that it sees what any client would see.

mod child;
mod http;

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use tokio::{process::Command, time::timeout};

pub(super) use http::address;

/// The revision that is spoken: one with sessions, which every server knows.
const PROTOCOL: &str = "2025-06-18";

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Most pages of a list: a server whose cursor never ends is left.
const PAGES: usize = 1000;

/// A session with a server.
pub(super) struct Client {
    transport: Transport,
    last_id: u64,
}

enum Transport {
    Child(child::Child),
    Http(http::Http),
}

/// How the server introduced itself.
pub(super) struct Greeting {
    pub name: String,
    pub version: String,
    pub protocol: String,
    /// From the start to its answer.
    pub after: Duration,
}

/// A request that the server answered with an error of JSON-RPC.
#[derive(Debug, thiserror::Error)]
#[error("the server refused `{method}`: {message}")]
pub(super) struct Refused {
    pub method: String,
    pub code: i64,
    pub message: String,
    pub hint: Option<String>,
}

/// What a tool answered.
pub(super) struct Answer {
    pub text: String,
    pub structured: Option<Value>,
    pub is_error: bool,
}

impl Client {
    /// Starts a server and shakes hands. Its standard error goes where `command` says.
    pub(super) async fn start(command: Command) -> anyhow::Result<(Self, Greeting)> {
        let started = Instant::now();
        Self::greet(Transport::Child(child::Child::start(command)?), started).await
    }

    /// Shakes hands with the server at an address. `headers` go with every request.
    pub(super) async fn reach(url: &str, headers: &[(String, String)]) -> anyhow::Result<(Self, Greeting)> {
        Self::greet(Transport::Http(http::Http::new(url, headers)?), Instant::now()).await
    }

    async fn greet(transport: Transport, started: Instant) -> anyhow::Result<(Self, Greeting)> {
        let mut client = Self { transport, last_id: 0 };
        let info = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
        let hello = json!({ "protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": info });
        let answer = client.request("initialize", hello).await?;
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned();
        let greeting = Greeting {
            name: text("/serverInfo/name"),
            version: text("/serverInfo/version"),
            protocol: text("/protocolVersion"),
            after: started.elapsed(),
        };
        if let Transport::Http(http) = &mut client.transport {
            http.agreed(&greeting.protocol);
        }
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        match &mut client.transport {
            Transport::Child(child) => child.send(&initialized).await?,
            Transport::Http(http) => drop(http.send(&initialized, None).await?),
        }
        Ok((client, greeting))
    }

    /// Asks and waits for the answer.
    pub(super) async fn request(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let answer = timeout(PATIENCE, async {
            match &mut self.transport {
                Transport::Http(http) => http.send(&message, Some(id)).await,
                Transport::Child(child) => {
                    child.send(&message).await?;
                    loop {
                        match child.next().await? {
                            Some(answer) if answer.get("id").and_then(Value::as_u64) != Some(id) => {}
                            found => return Ok(found),
                        }
                    }
                }
            }
        });
        let answer = answer.await.with_context(|| format!("the server does not answer `{method}`"))??;
        let mut answer = answer.ok_or_else(|| anyhow!("the server ended before it answered `{method}`"))?;
        if let Some(error) = answer.get("error") {
            let text = |pointer: &str| error.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            return Err(Refused {
                method: method.to_owned(),
                code: error.get("code").and_then(Value::as_i64).unwrap_or_default(),
                message: text("/message").unwrap_or_else(|| "it does not say why".into()),
                hint: text("/data/hint"),
            }
            .into());
        }
        Ok(answer.get_mut("result").map(Value::take).unwrap_or_default())
    }

    /// Calls a tool.
    pub(super) async fn call(&mut self, name: &str, arguments: Value) -> anyhow::Result<Answer> {
        let mut answer = self.request("tools/call", json!({ "name": name, "arguments": arguments })).await?;
        let content = answer.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let text = content.iter().map(text_of).collect::<Vec<_>>().join("\n");
        let is_error = answer.get("isError") == Some(&Value::Bool(true));
        Ok(Answer { text, structured: answer.get_mut("structuredContent").map(Value::take), is_error })
    }

    /// Calls a tool that must succeed, and takes the text of its answer.
    pub(super) async fn tool(&mut self, name: &str, arguments: Value) -> anyhow::Result<String> {
        let answer = self.call(name, arguments).await?;
        if answer.is_error {
            bail!("the tool `{name}` failed: {}", answer.text);
        }
        Ok(answer.text)
    }

    /// The entries of a list, all of its pages: `tools` under the key `tools`, and the like.
    pub(super) async fn list(&mut self, what: &str, key: &str) -> anyhow::Result<Vec<Value>> {
        let mut entries = Vec::new();
        let mut params = json!({});
        for _ in 0..PAGES {
            let mut page = self.request(&format!("{what}/list"), params).await?;
            if let Some(Value::Array(more)) = page.get_mut(key).map(Value::take) {
                entries.extend(more);
            }
            match page.get_mut("nextCursor").map(Value::take) {
                Some(Value::String(cursor)) => params = json!({ "cursor": cursor }),
                _ => return Ok(entries),
            }
        }
        bail!("the list of {what} does not end")
    }

    /// Ends the session.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        match self.transport {
            Transport::Child(child) => child.close().await,
            Transport::Http(http) => {
                http.close().await;
                Ok(())
            }
        }
    }
}

/// A piece of content for people.
pub(super) fn text_of(content: &Value) -> String {
    let text = |pointer: &str| content.pointer(pointer).and_then(Value::as_str);
    match text("/text").or_else(|| text("/resource/text")) {
        Some(text) => text.to_owned(),
        None => match (text("/type"), text("/mimeType").or_else(|| text("/resource/mimeType"))) {
            (Some(kind), Some(mime)) => format!("[{kind} {mime}]"),
            (Some(kind), None) => format!("[{kind}]"),
            _ => content.to_string(),
        },
    }
}
