//! The MCP edge: the only module that knows rmcp.
//!
//! [`Server`] answers every method from an [`Api`], which is the engine (tests bring a double), over a pipe (`stdio`) and over
//! HTTP (`http`). All revisions that rmcp speaks are spoken, those with a session and those without, on one transport.

// rmcp marks what the later revisions deprecate; the earlier ones are served all the same.
#![allow(deprecated)]

pub mod audit;
pub mod calls;
mod client;
mod connection;
mod contained;
mod conversation;
mod convert;
mod cursor;
mod gate;
mod handler;
pub mod http;
pub mod identity;
mod ids;
mod in_flight;
mod listening;
mod lists;
pub mod metrics;
mod options;
mod params;
mod session;
mod standard;
mod state;
mod stdio;
mod tasks;
mod trace;
mod wire;

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use rmcp::{
    ErrorData, RoleServer,
    model::*,
    service::{QuitReason, RequestContext, serve_directly_with_ct},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{broadcast, mpsc},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use tracing::Instrument as _;

use crate::{
    catalog::Catalog,
    engine::{self, Answer, Call, CallError, Completion, Engine, Outcome, Principal, PromptAnswer, ResourceAnswer},
};

use calls::{Calls, Record, Subject};
use contained::Contained;
use convert::Listing;
pub use convert::{IS_ERROR, listed_tools};
use in_flight::InFlight;
use lists::Lists;
use metrics::Metrics;
use session::Session;
use tasks::Tasks;
use trace::Trace;

pub use session::{Event, Phase};
pub use state::{KeyTooShort, StateKeys};
pub use stdio::Limits;

/// What the server needs of the engine.
pub trait Api: Send + Sync + 'static {
    fn catalog(&self) -> Arc<Catalog>;

    fn call_tool(
        &self,
        name: &str,
        arguments: JsonObject,
        call: &Call,
    ) -> impl Future<Output = Result<Outcome<Answer>, CallError>> + Send;

    fn get_prompt(
        &self,
        name: &str,
        arguments: JsonObject,
        call: &Call,
    ) -> impl Future<Output = Result<Outcome<PromptAnswer>, CallError>> + Send;

    fn read_resource(
        &self,
        uri: &str,
        call: &Call,
    ) -> impl Future<Output = Result<Outcome<ResourceAnswer>, CallError>> + Send;

    fn complete(
        &self,
        of: Completion<'_>,
        argument: &str,
        prefix: &str,
        given: &JsonObject,
        call: &Call,
    ) -> impl Future<Output = Vec<String>> + Send;

    /// Told by what it is reached, for those who ask how the server is.
    fn reached_by(&self, _: engine::Reached) {}

    /// What happens from now on.
    fn events(&self) -> broadcast::Receiver<engine::Event>;
}

impl Api for Engine {
    fn catalog(&self) -> Arc<Catalog> {
        Engine::catalog(self)
    }

    async fn call_tool(&self, name: &str, arguments: JsonObject, call: &Call) -> Result<Outcome<Answer>, CallError> {
        Engine::call_tool(self, name, arguments, call).await
    }

    async fn get_prompt(
        &self,
        name: &str,
        arguments: JsonObject,
        call: &Call,
    ) -> Result<Outcome<PromptAnswer>, CallError> {
        Engine::get_prompt(self, name, arguments, call).await
    }

    async fn read_resource(&self, uri: &str, call: &Call) -> Result<Outcome<ResourceAnswer>, CallError> {
        Engine::read_resource(self, uri, call).await
    }

    async fn complete(
        &self,
        of: Completion<'_>,
        argument: &str,
        prefix: &str,
        given: &JsonObject,
        call: &Call,
    ) -> Vec<String> {
        Engine::complete(self, of, argument, prefix, given, call).await
    }

    fn reached_by(&self, reached: engine::Reached) {
        Engine::reached_by(self, reached);
    }

    fn events(&self) -> broadcast::Receiver<engine::Event> {
        Engine::events(self).listen()
    }
}

/// What the operator decides about the MCP edge.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Name in `serverInfo` (`server.name`).
    pub name: String,
    /// Which parts of the protocol are offered (`mcp.enable_*`).
    pub offers: Offers,
    /// What bounds a connection.
    pub limits: Limits,
    /// Most entries of one page of a list (`mcp.page_size`).
    pub page_size: usize,
    /// How long clients may keep the lists. They change only when the catalog is replaced.
    pub list_ttl: Duration,
    /// Who calls where the transport carries no credential.
    pub principal: Principal,
    /// What seals the state of a call that waits for answers (`mcp.state_key`).
    pub state_keys: StateKeys,
    /// Who is told how calls ended.
    pub calls: Calls,
    /// What is counted, for `/metrics`.
    pub metrics: Arc<Metrics>,
}

/// The parts of the protocol that are offered. Default: all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    pub tools: bool,
    pub resources: bool,
    pub prompts: bool,
    pub logging: bool,
    /// Not a part that a client sees: whether tools may ask its model.
    pub sampling: bool,
}

impl Default for Offers {
    fn default() -> Self {
        Self { tools: true, resources: true, prompts: true, logging: true, sampling: true }
    }
}

/// Why serving ended badly.
#[derive(Debug, thiserror::Error)]
#[error("the MCP service loop failed: {0}")]
pub struct ServeError(#[from] tokio::task::JoinError);

/// Serves one client over standard input and output until the input ends, the client says `shutdown`, or `stop` is
/// cancelled; what is in flight is answered first, if that does not take long ([`Limits`]). Where the input is a file
/// everything is answered: nobody waits for the end.
///
/// A read of standard input may stay parked on a blocking thread: end the runtime with `shutdown_background`.
pub async fn serve_stdio<A: Api>(
    api: Arc<A>,
    mut options: ServerOptions,
    stop: &CancellationToken,
) -> Result<(), ServeError> {
    let (read, write) = standard::streams();
    if standard::input_is_a_file() {
        options.limits.drain = WHOLE_FILE;
    }
    serve_until(api, options, read, write, stop, standard::hung_up()).await
}

/// As good as for ever: each call has a timeout of its own.
const WHOLE_FILE: Duration = Duration::from_secs(24 * 3600);
/// How long a client that reads slowly gets for the last answers.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// Serves one client over a pair of byte streams.
pub async fn serve<A: Api>(
    api: Arc<A>,
    options: ServerOptions,
    read: impl AsyncRead + Unpin + Send + 'static,
    write: impl AsyncWrite + Unpin + Send + 'static,
    stop: &CancellationToken,
) -> Result<(), ServeError> {
    serve_until(api, options, read, write, stop, CancellationToken::new()).await
}

/// `hung_up`: the client has closed its end of the input, whatever of it is still to be read.
async fn serve_until<A: Api>(
    api: Arc<A>,
    options: ServerOptions,
    read: impl AsyncRead + Unpin + Send + 'static,
    write: impl AsyncWrite + Unpin + Send + 'static,
    stop: &CancellationToken,
    hung_up: CancellationToken,
) -> Result<(), ServeError> {
    let limits = options.limits;
    let core = Core::new(api, options);
    let session = Arc::new(Session::new(stop));
    let leaving = session.ending().child_token();
    let (outbox, writing) = stdio::writer(write, leaving.clone());
    let watching = tokio::spawn(async move {
        hung_up.cancelled().await;
        leaving.cancel();
    });
    let served = converse(core.clone(), read, outbox, limits, None, session).await;
    watching.abort();
    core.end().await;
    // The writer ends with the last sender; a client that does not read must not keep the process.
    if tokio::time::timeout(LAST_ANSWERS, writing).await.is_err() {
        tracing::warn!("the client did not read the last answers");
    }
    served
}

/// Serves one client whose messages are lines, and to whom `outbox` takes lines. `caller`: the HTTP request that
/// every message belongs to, where there is one.
async fn converse<A: Api>(
    core: Arc<Core<A>>,
    read: impl AsyncRead + Unpin + Send + 'static,
    outbox: mpsc::Sender<Vec<u8>>,
    limits: Limits,
    caller: Option<::http::request::Parts>,
    session: Arc<Session>,
) -> Result<(), ServeError> {
    let shared = Shared { session, in_flight: Arc::new(InFlight::default()), abort: CancellationToken::new() };
    if caller.is_none() {
        let session = shared.session.clone();
        let tell = move || serde_json::json!({ "name": "stdio", "session": session.phase().as_str() });
        core.api.reached_by(Box::new(tell));
    }
    let of_pipe = caller.as_ref().and_then(|caller| caller.extensions.get::<Principal>()).cloned();
    let server = Server { of_pipe, ..Server::new(core, shared.session.clone()) };
    let transport = stdio::LineTransport::new(read, outbox, shared.clone(), limits, caller);
    let service = Contained { service: server, in_flight: shared.in_flight.clone() };
    // `initialize` is a request like any other to the server; rmcp's handshake in front of it is not needed.
    match serve_directly_with_ct(service, transport, None, shared.abort).waiting().await? {
        QuitReason::JoinError(error) => Err(error.into()),
        _ => Ok(()),
    }
}

/// What the tasks of one connection share.
#[derive(Debug, Clone)]
struct Shared {
    session: Arc<Session>,
    in_flight: Arc<InFlight>,
    /// Cancels every handler.
    abort: CancellationToken,
}

/// How long calls that were cancelled may take to end when the server does.
const ENDING: Duration = Duration::from_secs(5);

/// What all connections of a server share.
pub struct Core<A> {
    api: Arc<A>,
    options: ServerOptions,
    lists: Lists,
    tasks: Tasks,
    /// Name and version of this server.
    implementation: Implementation,
    /// The same, as it stands in results.
    signature: Option<serde_json::Value>,
    /// Cancels all calls, those of tasks too, which no connection waits for.
    ending: CancellationToken,
    /// Those that have not ended yet.
    running: TaskTracker,
}

impl<A: Api> Core<A> {
    pub fn new(api: Arc<A>, options: ServerOptions) -> Arc<Self> {
        let (lists, tasks, ending) = (Lists::default(), Tasks::default(), CancellationToken::new());
        let implementation = Implementation::new(options.name.clone(), env!("CARGO_PKG_VERSION"))
            .with_title("TelemetryFlow MCP")
            .with_description(env!("CARGO_PKG_DESCRIPTION"));
        let signature = serde_json::to_value(&implementation).ok();
        Arc::new(Self { api, options, lists, tasks, implementation, signature, ending, running: TaskTracker::new() })
    }

    /// Ends what still runs, and waits until its queries have been given up, so that they can be cancelled in the
    /// databases before the process ends.
    pub async fn end(&self) {
        self.ending.cancel();
        self.running.close();
        if tokio::time::timeout(ENDING, self.running.wait()).await.is_err() {
            tracing::warn!(running = self.running.len(), "calls did not end in time");
        }
    }

    /// Says who answers, where the revision wants that with every result.
    fn sign(&self, context: &RequestContext<RoleServer>, meta: &mut Option<MetaObject>) {
        if later_revision(context)
            && let Some(signature) = &self.signature
        {
            meta.get_or_insert_default().insert("io.modelcontextprotocol/serverInfo".to_owned(), signature.clone());
        }
    }

    /// All lists of the current catalog, built once per catalog.
    fn listing(&self) -> Arc<Listing> {
        self.lists.all(&self.api.catalog())
    }

    /// Who calls: whom the transport found in the request's credential, else whom the operator named.
    fn principal(&self, context: &RequestContext<RoleServer>) -> Principal {
        let parts = context.extensions.get::<::http::request::Parts>();
        let found = parts.and_then(|parts| parts.extensions.get::<Principal>());
        found.unwrap_or(&self.options.principal).clone()
    }
}

/// Answers the MCP requests of one connection, or, over HTTP, of one request, from an [`Api`].
pub struct Server<A> {
    core: Arc<Core<A>>,
    session: Arc<Session>,
    /// Who calls on this pipe, where all of it is one caller's and not the operator's.
    of_pipe: Option<Principal>,
    /// Events for streams that are being acknowledged.
    acknowledging: Mutex<Vec<broadcast::Receiver<engine::Event>>>,
    /// Cancelled when the connection is no more, whatever ended it.
    closed: CancellationToken,
    _closes: Option<DropGuard>,
}

impl<A> std::ops::Deref for Server<A> {
    type Target = Core<A>;
    fn deref(&self) -> &Core<A> {
        &self.core
    }
}

impl<A: Api> Server<A> {
    fn new(core: Arc<Core<A>>, session: Arc<Session>) -> Self {
        let closed = session.ending().child_token();
        let _closes = Some(closed.clone().drop_guard());
        Self { core, session, of_pipe: None, acknowledging: Mutex::default(), closed, _closes }
    }

    /// Another one for the same session, which ends with the first.
    fn beside(&self) -> Self {
        let (core, session, closed) = (self.core.clone(), self.session.clone(), self.closed.clone());
        Self { core, session, of_pipe: None, acknowledging: Mutex::default(), closed, _closes: None }
    }

    fn acknowledging(&self) -> MutexGuard<'_, Vec<broadcast::Receiver<engine::Event>>> {
        self.acknowledging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the work on a request that waits for nothing, inside its span. A panic stays inside too.
    fn at_once<M: ConstString, T>(
        &self,
        context: &RequestContext<RoleServer>,
        name: &str,
        work: impl FnOnce() -> Result<T, ErrorData>,
    ) -> Result<T, ErrorData> {
        let span = Trace::of(context).span(M::VALUE, name, context);
        span.in_scope(|| contained::at_once(work))
    }

    /// Opens the record of a call.
    fn record<M: ConstString>(&self, context: &RequestContext<RoleServer>, subject: Subject) -> Arc<Record> {
        Record::of::<M>(&self.options.calls, context, &self.principal(context), subject)
    }

    /// The resource that a URI reads, by the URI or template of its definition.
    fn defined(&self, uri: &str) -> Subject {
        let catalog = self.api.catalog();
        catalog.resource(uri, None).map_or(Subject::Unknown, |(entry, _)| Subject::Uri(entry.definition.uri.clone()))
    }

    /// Does the work on a call inside its span, and sees to it that it is told of. Boxed: rmcp makes one future of
    /// those of all methods and moves it about, on the stack.
    fn recorded<'a, T: Send + Sync>(
        &'a self,
        context: &'a RequestContext<RoleServer>,
        record: &'a Record,
        work: impl Future<Output = Result<T, ErrorData>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, ErrorData>> {
        Box::pin(self.running.track_future(async move {
            let span = record.trace.span(record.method, record.subject.shown(), context);
            let mut answering = std::pin::pin!(self.answer(context, span, work));
            let answer = tokio::select! {
                answer = answering.as_mut() => answer,
                () = self.ending.cancelled() => {
                    context.ct.cancel();
                    answering.await
                }
            };
            record.answered(answer.as_ref().err()).await;
            answer
        }))
    }

    /// Does the work on a request inside its span. A panic stays inside too.
    async fn answer<T>(
        &self,
        context: &RequestContext<RoleServer>,
        span: tracing::Span,
        work: impl Future<Output = Result<T, ErrorData>>,
    ) -> Result<T, ErrorData> {
        let started = Instant::now();
        async {
            let answer = contained::wholly(work).await;
            let (elapsed, cancelled) = (started.elapsed(), context.ct.is_cancelled());
            match &answer {
                Ok(_) => tracing::debug!(?elapsed, cancelled, "answered"),
                Err(error) => tracing::debug!(?elapsed, cancelled, code = error.code.0, "answered with an error"),
            }
            answer
        }
        .instrument(span)
        .await
    }
}

/// Whether a request is of 2026-07-28 or later.
fn later_revision(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| !version.has_initialize())
}

/// Refuses a method that is not offered.
fn offered<M: ConstString>(offered: bool) -> Result<(), ErrorData> {
    if offered { Ok(()) } else { Err(params::method_not_found(M::VALUE)) }
}
