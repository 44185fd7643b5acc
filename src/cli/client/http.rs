//! A server at an address: Streamable HTTP in a session.

use std::{error::Error, time::Duration};

use anyhow::{Context, bail};
use reqwest::{
    StatusCode, Url,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;

use crate::cli::outcome::hinted;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Most bytes of an answer; a server that says more is not taken seriously.
const MOST: usize = 64 << 20;

const SESSION: &str = "mcp-session-id";

pub(super) struct Http {
    client: reqwest::Client,
    url: Url,
    /// What goes with every request: credentials, and what a gateway wants.
    headers: HeaderMap,
    session: Option<String>,
    /// The revision, once it was agreed on.
    protocol: Option<String>,
}

impl Http {
    pub(super) fn new(url: &str, headers: &[(String, String)]) -> anyhow::Result<Self> {
        let url = address(url)?;
        let headers = headers.iter().map(|(name, value)| sent(name, value)).collect::<anyhow::Result<_>>()?;
        // Another user of rustls may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("cannot set up HTTPS")?;
        Ok(Self { client, url, headers, session: None, protocol: None })
    }

    /// What the session speaks from now on.
    pub(super) fn agreed(&mut self, protocol: &str) {
        self.protocol = Some(protocol.to_owned());
    }

    /// Sends a message; the answer to it if it is the request `id`.
    pub(super) async fn send(&mut self, message: &Value, id: Option<u64>) -> anyhow::Result<Option<Value>> {
        let request = self.request(reqwest::Method::POST).body(message.to_string());
        let response = request.header(header::CONTENT_TYPE, "application/json").send().await;
        let mut response = response.map_err(|error| self.unreachable(error))?;
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        if let Some(session) = response.headers().get(SESSION).and_then(|value| value.to_str().ok()) {
            self.session = Some(session.to_owned());
        }
        let Some(id) = id else { return Ok(None) };
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let stream = kind.is_some_and(|kind| kind.starts_with("text/event-stream"));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST {
                bail!("the answer of {} is longer than {MOST} bytes", self.url);
            }
            if stream && let Some(answer) = event(&body, id) {
                return Ok(Some(answer));
            }
        }
        if stream {
            return Ok(event(&body, id));
        }
        let text = String::from_utf8_lossy(&body);
        let answer = serde_json::from_str(&text).with_context(|| format!("{} answers no JSON", self.url));
        answer.map(Some).map_err(|error| error.context(beginning(&text)))
    }

    /// Ends the session. A server that has none, or keeps it, is no failure.
    pub(super) async fn close(self) {
        if self.session.is_some() {
            let _ = self.request(reqwest::Method::DELETE).send().await;
        }
    }

    fn request(&self, method: reqwest::Method) -> reqwest::RequestBuilder {
        let mut request = self.client.request(method, self.url.clone());
        request = request.headers(self.headers.clone());
        request = request.header(header::ACCEPT, "application/json, text/event-stream");
        if let Some(session) = &self.session {
            request = request.header(SESSION, session);
        }
        match &self.protocol {
            Some(protocol) => request.header("mcp-protocol-version", protocol),
            None => request,
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        let error = error.without_url();
        let mut causes = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(deeper) = cause {
            causes.push(deeper.to_string());
            cause = deeper.source();
        }
        let cause = causes.pop().unwrap_or_default();
        hinted(format!("{} cannot be reached: {cause}", self.url), "check the address, and that the server runs")
    }

    async fn refused(&self, response: reqwest::Response) -> anyhow::Error {
        let status = response.status();
        let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
        let body = response.text().await.unwrap_or_default();
        let said = crate::template::message(&beginning(body.trim()), 300);
        let hint = match (status, !self.headers.is_empty()) {
            (StatusCode::UNAUTHORIZED, false) => {
                "it wants a credential: `--key KEY`, or the variable TFO_MCP_KEY".into()
            }
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, true) => {
                "the key may have ended or be another server's: `tfo-mcp keys list` there shows its keys".into()
            }
            (StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, _) => {
                "MCP is usually served at `/mcp`: write the whole address".into()
            }
            (status, _) if status.is_redirection() => match to {
                Some(to) => format!("it sends to {to}: use that address if you trust it"),
                None => "it sends elsewhere without saying where".into(),
            },
            _ => "see the log of the server".to_owned(),
        };
        hinted(format!("{} answers {status}: {said}", self.url), hint)
    }
}

/// A header that nothing prints.
fn sent(name: &str, value: &str) -> anyhow::Result<(HeaderName, HeaderValue)> {
    let cannot =
        || hinted(format!("the header `{name}` cannot be sent"), "a key is written in letters, digits and signs");
    let named = name.parse::<HeaderName>().map_err(|_| cannot())?;
    let mut value = value.parse::<HeaderValue>().map_err(|_| cannot())?;
    value.set_sensitive(true);
    Ok((named, value))
}

/// An address that MCP may be served at.
pub(in crate::cli) fn address(text: &str) -> anyhow::Result<Url> {
    let hint = "write it as `https://mcp.example.com/mcp`";
    let url = Url::parse(text).map_err(|error| hinted(format!("`{text}` is no URL: {error}"), hint))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(hinted(format!("`{text}` is not an address of HTTP"), hint));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(hinted("an address of MCP holds no user and no password", "give the key with `--key`"));
    }
    Ok(url)
}

/// The answer to a request in the events that have come whole.
fn event(body: &[u8], id: u64) -> Option<Value> {
    let text = String::from_utf8_lossy(body).replace("\r\n", "\n");
    let whole = text.rfind("\n\n")?;
    let events = text.get(..whole)?.split("\n\n");
    events.filter_map(data).find(|message| message.get("id").and_then(Value::as_u64) == Some(id))
}

fn data(event: &str) -> Option<Value> {
    let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
    serde_json::from_str(&lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")).ok()
}

fn beginning(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(300).collect()
}
