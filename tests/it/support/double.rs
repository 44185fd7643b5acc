//! An engine double: a real catalog of a few tools whose behaviour the test steers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    definition::{CacheScope, Definition, LogLevel, Role, TaskSupport},
    engine::{
        Answer, Body, Call, CallError, CallErrorKind, Completion, Content, Engine, EngineOptions, Events, Outcome,
        PromptAnswer, ResourceAnswer, ResourceContent, Sources,
    },
    server::{Api, ServerOptions, serve},
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::client::Client;

/// What the double reports.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    Started,
    Cancelled,
}

pub struct Double {
    catalog: Arc<Catalog>,
    /// Lets calls of `hold` end, one permit each.
    pub release: Arc<Semaphore>,
    seen: mpsc::UnboundedSender<Seen>,
    pub events: Events,
    /// Messages that `chatter` has got rid of.
    pub told: AtomicUsize,
}

/// Messages of one call of `chatter`.
pub const CHATTER: usize = 20_000;

/// A server over the double, and its only client.
pub struct Served {
    pub client: Client,
    pub double: Arc<Double>,
    pub release: Arc<Semaphore>,
    pub seen: mpsc::UnboundedReceiver<Seen>,
    pub stop: CancellationToken,
    pub server: JoinHandle<Result<(), String>>,
}

/// Serves a catalog with a real engine in this process.
pub fn serve_engine(catalog: Catalog, options: ServerOptions) -> (Client, Arc<Engine>) {
    let engine = Arc::new(Engine::new(catalog, Sources::default(), EngineOptions::default()));
    let (ours, theirs) = (tokio::io::duplex(1 << 16), tokio::io::duplex(1 << 16));
    let served = engine.clone();
    tokio::spawn(async move { serve(served, options, theirs.0, ours.1, &CancellationToken::new()).await });
    (Client::over(ours.0, theirs.1), engine)
}

/// Serves the double in this process.
pub fn serve_double(options: ServerOptions) -> Served {
    let (seen, seeing) = mpsc::unbounded_channel();
    let release = Arc::new(Semaphore::new(0));
    let double = Arc::new(Double {
        catalog: Arc::new(catalog()),
        release: release.clone(),
        seen,
        events: Events::default(),
        told: AtomicUsize::new(0),
    });
    let stop = CancellationToken::new();
    let (ours, theirs) = (tokio::io::duplex(1 << 16), tokio::io::duplex(1 << 16));
    let server = tokio::spawn({
        let (stop, double) = (stop.clone(), double.clone());
        async move { serve(double, options, theirs.0, ours.1, &stop).await.map_err(|error| error.to_string()) }
    });
    Served { client: Client::over(ours.0, theirs.1), double, release, seen: seeing, stop, server }
}

fn catalog() -> Catalog {
    let tool = |name: &str, parameters: Value| {
        Definition::Tool(
            serde_json::from_value(json!({
                "name": name, "title": name, "description": format!("The tool {name}."), "category": "test",
                "parameters": parameters, "run": {"action": "template", "text": "x"},
            }))
            .unwrap(),
        )
    };
    let Definition::Tool(mut job) = tool("job", json!({})) else { unreachable!() };
    job.task = TaskSupport::Optional;
    let message = json!({"message": {"type": "string", "required": true}});
    let prompt = json!({
        "name": "greet", "title": "Greet", "description": "Greets.", "arguments": {"name": {"type": "string"}},
        "messages": [{"run": {"action": "template", "text": "x"}}],
    });
    let resource = |name: &str, uri: &str, parameters: Value| {
        Definition::Resource(
            serde_json::from_value(json!({
                "name": name, "title": name, "description": "x", "uri": uri, "mime_type": "text/plain",
                "parameters": parameters, "run": {"action": "template", "text": "x"},
            }))
            .unwrap(),
        )
    };
    let definitions = [
        Definition::Tool(job),
        tool("echo", message),
        tool("hold", json!({})),
        tool("chatter", json!({})),
        tool("restless", json!({})),
        tool("nap", json!({"ms": {"type": "integer"}})),
        tool("panic", json!({})),
        tool("fail", json!({})),
        tool("defect", json!({})),
        tool("structured", json!({})),
        Definition::Prompt(serde_json::from_value(prompt).unwrap()),
        resource("fixed", "test://fixed", json!({})),
        resource("template", "test://item/{id}", json!({"id": {"type": "string"}})),
    ];
    let (catalog, problems) = Catalog::compile(definitions, &Default::default(), &CatalogOptions::default());
    assert_eq!(problems, []);
    catalog
}

impl Api for Double {
    fn catalog(&self) -> Arc<Catalog> {
        self.catalog.clone()
    }

    async fn call_tool(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        call: &Call,
    ) -> Result<Outcome<Answer>, CallError> {
        let text = match name {
            "echo" => match arguments.get("message").and_then(Value::as_str) {
                Some(message) => message.to_owned(),
                None => return Err(CallError::invalid("`message` is missing").hint("pass `message`")),
            },
            "hold" | "job" => {
                let _ = self.seen.send(Seen::Started);
                tokio::select! {
                    permit = self.release.acquire() => permit.unwrap().forget(),
                    () = call.cancel.cancelled() => {
                        let _ = self.seen.send(Seen::Cancelled);
                        return Err(CallError::new(CallErrorKind::Cancelled, "the call was cancelled"));
                    }
                }
                "held".to_owned()
            }
            "nap" => {
                let _ = self.seen.send(Seen::Started);
                tokio::time::sleep(Duration::from_millis(arguments["ms"].as_u64().unwrap())).await;
                "slept".to_owned()
            }
            "chatter" => {
                for _ in 0..CHATTER {
                    call.client.log(LogLevel::Error, "chatter", json!("x".repeat(100))).await;
                    self.told.fetch_add(1, Ordering::Relaxed);
                }
                "told".to_owned()
            }
            "restless" => {
                for (progress, message) in
                    [(10.0, Some("first")), (5.0, None), (10.0, None), (f64::NAN, None), (60.0, None)]
                {
                    call.client.progress(progress, Some(100.0), message).await;
                }
                "done".to_owned()
            }
            "panic" => panic!("secret of the inside"),
            "fail" => return Err(CallError::new(CallErrorKind::Failed, "the source is away").hint("start it")),
            "defect" => return Err(CallError::new(CallErrorKind::Internal, "secret of the inside")),
            "structured" => {
                let structured = Some(json!({"rows": 1}));
                return Ok(Outcome::Done(Answer {
                    content: vec![Content::text("1 row")],
                    structured,
                    notes: Vec::new(),
                    meta: None,
                    is_error: false,
                }));
            }
            _ => {
                let known = self.catalog.tools.keys().map(String::as_str);
                return Err(CallError::unknown(CallErrorKind::UnknownTool, "tool", name, known));
            }
        };
        Ok(Outcome::Done(Answer {
            content: vec![Content::text(text)],
            structured: None,
            notes: Vec::new(),
            meta: None,
            is_error: false,
        }))
    }

    async fn get_prompt(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        _: &Call,
    ) -> Result<Outcome<PromptAnswer>, CallError> {
        if name != "greet" {
            let known = self.catalog.prompts.keys().map(String::as_str);
            return Err(CallError::unknown(CallErrorKind::UnknownPrompt, "prompt", name, known));
        }
        let text = format!("Hello, {}!", arguments.get("name").and_then(Value::as_str).unwrap_or("nobody"));
        let messages = vec![(Role::User, Content::text(text))];
        Ok(Outcome::Done(PromptAnswer { description: "Greets.".into(), messages, meta: None, is_error: false }))
    }

    async fn read_resource(&self, uri: &str, _: &Call) -> Result<Outcome<ResourceAnswer>, CallError> {
        if self.catalog.resource(uri, None).is_none() {
            return Err(CallError::unknown(CallErrorKind::UnknownResource, "resource", uri, std::iter::empty()));
        }
        let body = Body::Text(format!("the content of {uri}"));
        let contents =
            vec![ResourceContent { uri: uri.into(), mime_type: Some("text/plain".into()), body, meta: None }];
        Ok(Outcome::Done(ResourceAnswer { contents, meta: None, ttl: None, cache_scope: CacheScope::Private }))
    }

    async fn complete(
        &self,
        _: Completion<'_>,
        argument: &str,
        prefix: &str,
        _: &Map<String, Value>,
        _: &Call,
    ) -> Vec<String> {
        (0..150).map(|i| format!("{argument}-{i}")).filter(|value| value.starts_with(prefix)).collect()
    }

    fn events(&self) -> tokio::sync::broadcast::Receiver<tfo_mcp::engine::Event> {
        self.events.listen()
    }
}
