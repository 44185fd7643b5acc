//! `http.request`: tools that ask services over HTTP, against servers on loopback that the tests start.

mod bounds;
mod connection;
mod exact;
mod packs;
mod prometheus;
mod reach;
mod requests;
mod secrets;
mod turns;
mod whole;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::StatusCode,
    response::Response,
};
use serde_json::{Map, Value};
use tfo_mcp::{
    catalog::Catalog,
    engine::{Answer, Call, Engine, EngineOptions, Outcome, Sources},
    host::http::{Lookup, Services, system},
    settings::Outgoing,
};

use crate::support::pack::alone;

/// A request as a server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    method: String,
    /// Path and query, as they were sent.
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// A server that answers each request by a function, and keeps what it saw.
struct Server {
    at: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Server {
    async fn new(answer: impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, seen) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let kept = seen.clone();
        let router = Router::new().fallback(move |request: Request| {
            let (answer, kept) = (answer.clone(), kept.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
                let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
                let seen = Seen {
                    method: parts.method.to_string(),
                    target: parts.uri.to_string(),
                    headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
                    body: String::from_utf8_lossy(&body).into_owned(),
                };
                kept.lock().unwrap().push(seen.clone());
                answer(&seen)
            }
        });
        let serving = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Self { at, seen, serving }
    }

    /// One that answers everything with this JSON.
    async fn json(text: &'static str) -> Self {
        Self::new(move |_| json(text)).await
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The only request.
    fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }

    fn url(&self) -> String {
        format!("http://{}/", self.at)
    }
}

fn json(text: impl Into<Body>) -> Response {
    Response::builder().header("content-type", "application/json; charset=utf-8").body(text.into()).unwrap()
}

fn status(code: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::builder().status(StatusCode::from_u16(code).unwrap());
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

/// Settings of one service, `other` lines among them.
fn settings(url: &str, other: &str) -> Outgoing {
    let (url, mut service) = (Value::String(url.to_owned()), Map::new());
    service.insert("url".to_owned(), url);
    let other: Value = serde_json::from_str(&format!("{{{other}}}")).unwrap();
    service.extend(other.as_object().cloned().unwrap());
    let services = Map::from_iter([("other".to_owned(), Value::Object(service))]);
    serde_json::from_value(serde_json::json!({ "services": services })).unwrap()
}

const HERE: &str = r#""allow_private": ["127.0.0.1"]"#;

fn engine_of(catalog: Catalog, settings: &Outgoing, lookup: &Lookup) -> Engine {
    let variable = |name: &str| match name {
        "TOKEN_OF_TEST" => Some(secrets::SECRET.to_owned()),
        "ODD_OF_TEST" => Some(secrets::ODD.to_owned()),
        _ => None,
    };
    let services = Arc::new(Services::new(settings, &variable, lookup));
    Engine::new(catalog, Sources::default(), EngineOptions { services, ..EngineOptions::default() })
}

/// An engine with one tool, `ask`, whose action is written here, over one service.
fn asking(run: &str, settings: &Outgoing) -> Engine {
    asking_through(run, settings, &system())
}

fn asking_through(run: &str, settings: &Outgoing, lookup: &Lookup) -> Engine {
    let lines: String = run.lines().map(|line| format!("  {line}\n")).collect();
    // Those that it reads.
    let parameters: String = [("value", "string"), ("values", "array, items: string"), ("number", "integer")]
        .into_iter()
        .filter(|(name, _)| run.contains(&format!("{{{{ {name} ")))
        .map(|(name, ty)| format!("  {name}: {{ type: {ty}, description: A value. }}\n"))
        .collect();
    let parameters = if parameters.is_empty() { parameters } else { format!("parameters:\n{parameters}") };
    let tool = format!(
        "kind: tool\nname: ask\ntitle: Ask\ndescription: Asks.\ncategory: test\n{parameters}\
         run:\n  action: http.request\n  service: other\n{lines}"
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("definitions/tools")).unwrap();
    std::fs::write(folder.path().join("definitions/tools/ask.yaml"), tool).unwrap();
    engine_of(alone(folder.path().to_owned()), settings, lookup)
}

/// A resolver that gives each of these answers once, and the last one for ever.
fn answers(addresses: &[&str]) -> Lookup {
    let left: Mutex<Vec<IpAddr>> = Mutex::new(addresses.iter().rev().map(|address| address.parse().unwrap()).collect());
    Arc::new(move |_| {
        let mut left = left.lock().unwrap();
        let next = if left.len() > 1 { left.pop().unwrap() } else { left[0] };
        Box::pin(async move { Ok(vec![next]) })
    })
}

async fn answer(engine: &Engine, tool: &str, arguments: Value) -> Result<Answer, String> {
    let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
    let outcome = engine.call_tool(tool, arguments, &Call::default()).await;
    match outcome.map_err(|error| format!("{}: {}", error.kind.as_str(), error.to_text()))? {
        Outcome::Done(answer) => Ok(answer),
        Outcome::Asks(_) => Err("it asks".to_owned()),
    }
}

/// The text of an answer, with its notes in further lines.
async fn call(engine: &Engine, tool: &str, arguments: Value) -> Result<String, String> {
    let answer = answer(engine, tool, arguments).await?;
    Ok([answer.text()].into_iter().chain(answer.notes).collect::<Vec<_>>().join("\n"))
}

/// A body that sends a piece again and again, so often, each after a wait.
fn pieces(piece: &'static str, times: usize, wait: std::time::Duration) -> Body {
    let sent = futures::stream::unfold(0, move |n| async move {
        if n >= times {
            return None;
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Some((Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes())), n + 1))
    });
    Body::from_stream(sent)
}
