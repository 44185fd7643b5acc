//! Streamable HTTP: MCP at one path, signs of life beside it.
//!
//! rmcp serves the protocol: sessions for the revisions that have them, one handler per request for 2026-07-28, so
//! that such a request may land on any replica. Around it stand our own layers ([`door`]), outermost first: browsers' origins,
//! who asks, what a message may be and how many, and the form of the answer. Connections are driven in [`connections`].
//! The transport of 2024-11-05 stands beside it, in [`sse`].

mod accept;
mod answer;
mod answering;
mod authenticate;
mod batch;
mod body;
mod connections;
mod direct;
mod door;
mod elsewhere;
mod ending;
mod events;
mod front;
mod moving;
mod options;
mod origin;
mod places;
mod scope;
mod sessions;
mod sse;
pub mod tls;
mod turns;
mod unambiguous;

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware,
    response::IntoResponse,
    routing::get,
};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService,
    session::{SessionId, SessionManager as _},
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Api, Core, Server, ServerOptions,
    calls::{CallEnded, Caller, Calls, Ended},
    identity::Identity,
    metrics::Metrics,
    session::Session,
};
use crate::{catalog::Catalog, engine::Principal};
use connections::Connections;
use door::{Door, Next};
use sessions::Sessions;
use turns::Turns;

pub use connections::SPARE;
pub(super) use direct::Opening;
pub use options::{Unfit, sse_path};
pub use origin::{check_host, check_origin};

/// What the operator decides about the HTTP transport.
#[derive(Clone)]
pub struct HttpOptions {
    /// Path of the protocol.
    pub path: String,
    /// Path of the transport of 2024-11-05 (HTTP+SSE). None: it is not offered.
    pub sse_path: Option<String>,
    /// Where clients find the server from outside.
    pub public: Option<Public>,
    /// Names by which clients may call this server.
    pub allowed_hosts: Vec<String>,
    /// Browser origins that may call; `:*` stands for any port.
    pub allowed_origins: Vec<String>,
    /// Speaks HTTPS. None: HTTP.
    pub tls: Option<TlsAcceptor>,
    /// Longest wait for the headers of a request, for its body, between requests, and for a client to read more of an
    /// answer.
    pub idle_timeout: Duration,
    /// Most connections at once; on further ones only signs of life are answered.
    pub max_connections: usize,
    /// Most of them from one address (IPv6: one /64).
    pub max_connections_per_address: usize,
    /// Most requests of one client at once.
    pub max_requests_per_client: usize,
    /// Most sessions at once; then those that are not in use give way to new ones.
    pub max_sessions: usize,
    /// How long a session may be idle.
    pub session_idle: Duration,
    /// How long what is in flight may take when the server is told to stop; then it is cancelled.
    pub drain: Duration,
    /// Asks every caller who they are. None: nobody is asked.
    pub identity: Option<Arc<Identity>>,
}

/// What a proxy in front makes of the paths of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    /// Name by which clients call.
    pub host: String,
    /// What stands before the paths there.
    pub prefix: String,
}

/// Paths that are not for the protocol.
pub const TAKEN: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/.well-known"];
/// Names of the loopback interface.
pub const LOOPBACK_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Origins of pages that the loopback interface serves.
pub const LOOPBACK_ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];

/// What the layers and routes share.
struct Shared {
    options: HttpOptions,
    /// By which names it is called, and by which pages.
    known: origin::Known,
    max_message_size: usize,
    turns: Arc<Turns>,
    sessions: Arc<Sessions>,
    /// The streams of 2024-11-05 that are served.
    pipes: TaskTracker,
    metrics: Arc<Metrics>,
    /// Who answers requests that belong to no session.
    stateless: OnceLock<direct::Answers>,
    /// The definitions that are served at present.
    catalog: Box<dyn Fn() -> Arc<Catalog> + Send + Sync>,
    calls: Calls,
    stop: CancellationToken,
}

impl Shared {
    /// How busy it is, for those who ask how the server is.
    fn tell(&self) -> serde_json::Value {
        serde_json::json!({
            "name": "http",
            "connections": self.metrics.connections.get(),
            "sessions": self.sessions.len(),
            "requests_in_flight": self.metrics.in_flight.get(),
        })
    }

    /// Whether a request is for the transport of 2024-11-05.
    fn is_sse(&self, request: &Request) -> bool {
        let path = self.options.sse_path.as_deref();
        path.is_some_and(|path| without_slash(path) == without_slash(request.uri().path()))
    }

    /// Whether there is room for another session of a client, made where one has to give way.
    ///
    /// # Errors
    /// Why there is none.
    async fn room_for_a_session(&self, client: &str) -> Result<(), &'static str> {
        match self.sessions.len() < self.options.max_sessions || self.sessions.give_way(client).await {
            true => Ok(()),
            false => Err("all sessions of this server are in use; close one, or try again later \
                          (server.http.max_sessions)"),
        }
    }

    /// Tells of a request that was refused before anybody read what it asks for.
    async fn denied(&self, from: Option<SocketAddr>, who: Option<String>, status: StatusCode, since: Instant) {
        let outcome = Ended::Denied(status).outcome();
        self.calls.ended(&CallEnded::of(Caller::over_http(from, who), outcome, since.elapsed())).await;
    }

    /// Ends a session.
    fn close(&self, session: SessionId) {
        let sessions = self.sessions.clone();
        tokio::spawn(async move {
            if let Err(error) = sessions.close_session(&session).await {
                tracing::debug!(%error, "a session was closed already");
            }
        });
    }
}

/// A path without the slash that some clients and proxies add.
fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

/// A path as it is set, and with a slash at its end or without.
fn with_and_without_slash(path: &str) -> impl Iterator<Item = String> {
    let bare = without_slash(path);
    [bare.to_owned(), format!("{bare}/")].into_iter().filter(|path| !path.is_empty())
}

const SESSION: http::HeaderName = http::HeaderName::from_static("mcp-session-id");

/// The session that a request or an answer names (before 2026-07-28).
fn session(headers: &http::HeaderMap) -> Option<SessionId> {
    headers.get(SESSION).map(|value| String::from_utf8_lossy(value.as_bytes()).into())
}

/// The client of a request: its credential, or its address where there is none.
pub(super) fn client(extensions: &http::Extensions) -> String {
    let subject = extensions.get::<Principal>().and_then(|principal| principal.subject.clone());
    subject
        .or_else(|| extensions.get::<SocketAddr>().map(|peer| places::network(peer.ip()).to_string()))
        .unwrap_or_default()
}

/// Serves until `stop` is cancelled; what is in flight is finished first.
pub async fn serve_http<A: Api>(
    api: Arc<A>,
    options: ServerOptions,
    http: HttpOptions,
    listener: TcpListener,
    stop: &CancellationToken,
) {
    // Ends the streams that would otherwise stay open for ever.
    let streams = CancellationToken::new();
    let drain = http.drain;
    let shared = shared(&api, &options, http, stop);
    let told = Arc::downgrade(&shared);
    api.reached_by(Box::new(move || told.upgrade().map_or(serde_json::Value::Null, |shared| shared.tell())));
    let core = Core::new(api, options);
    let door = door(core.clone(), shared.clone(), &streams);
    // While what is in flight is finished, balancers are still told that nothing new is taken.
    let drained = CancellationToken::new();
    let connections = Connections::new(door, drained.clone());
    let draining = async {
        stop.cancelled().await;
        if tokio::time::timeout(drain, quiet(&shared)).await.is_err() {
            tracing::warn!("gave up on requests that were not finished in time");
        }
        drained.cancel();
    };
    tokio::join!(connections.accept(listener), draining);
    // Nobody can ask for their results any more, and what is not finished by now is not waited for: the databases are
    // told, and clients that still listen are answered that it was cancelled.
    core.end().await;
    // What they are answered is still on its way.
    let _ = tokio::time::timeout(LAST_ANSWERS, quiet(&shared)).await;
    streams.cancel();
    connections.end().await;
}

/// How long the answers to calls that were cancelled may take to go out.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Waits until no request is being worked on but the streams that never end.
async fn quiet(shared: &Shared) {
    shared.pipes.close();
    shared.pipes.wait().await;
    while shared.metrics.in_flight.get() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn shared<A: Api>(api: &Arc<A>, options: &ServerOptions, http: HttpOptions, stop: &CancellationToken) -> Arc<Shared> {
    let api = api.clone();
    Arc::new(Shared {
        max_message_size: options.limits.max_message_size,
        turns: Turns::new(http.max_requests_per_client),
        sessions: Arc::new(Sessions::new(http.session_idle)),
        pipes: TaskTracker::new(),
        metrics: options.metrics.clone(),
        catalog: Box::new(move || api.catalog()),
        calls: options.calls.clone(),
        stop: stop.clone(),
        stateless: OnceLock::new(),
        known: origin::Known::new(&http.allowed_hosts, &http.allowed_origins),
        options: http,
    })
}

fn door<A: Api>(core: Arc<Core<A>>, shared: Arc<Shared>, streams: &CancellationToken) -> Door {
    let http = &shared.options;
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(&http.allowed_hosts)
        .with_allowed_origins(http.allowed_origins.iter().map(|origin| origin::canonical(origin)))
        .enforce_origin_validation()
        .with_max_request_body_bytes(core.options.limits.max_message_size)
        // Only some clients know priming events: the sessions send them.
        .with_sse_retry(None)
        .with_cancellation_token(streams.clone());
    let ending = streams.clone();
    let factory = {
        let core = core.clone();
        move || Ok(Server::new(core.clone(), Arc::new(Session::new(&ending))))
    };
    let stateless = Server::new(core.clone(), Arc::new(Session::new(streams)));
    let _ = shared.stateless.set(direct::Answers::stateless(Arc::new(stateless)));
    let mcp = StreamableHttpService::new(factory, shared.sessions.clone(), config);
    let mut paths: Vec<String> = with_and_without_slash(&http.path).collect();
    let mut protocol = paths.iter().fold(Router::new(), |router, path| router.route_service(path, mcp.clone()));
    if let Some(path) = &http.sse_path {
        protocol = protocol.merge(sse::route(path, core, shared.clone()));
        paths.extend(with_and_without_slash(path));
    }
    let mut beside = Router::new();
    if let Some(identity) = &http.identity {
        beside = authenticate::describe(beside, identity, &http.path, http.sse_path.as_deref());
    }
    // Around what is elsewhere too: a browser's client looks for an issuer there, and reads why there is none.
    let cors = async |State(shared): State<Arc<Shared>>, request: Request, next: middleware::Next| {
        origin::cors(&shared.known, request, |request| next.run(request)).await
    };
    let beside = beside
        .fallback(elsewhere::elsewhere)
        .layer(middleware::from_fn_with_state(shared.clone(), cors))
        .merge(health())
        .route("/metrics", get(metrics_text))
        .with_state(shared.clone());
    Door { protocol: Next::new(protocol), beside: Next::new(beside), paths, shared }
}

/// Signs of life.
fn health() -> Router<Arc<Shared>> {
    Router::new().route("/healthz", get(|| async { "alive\n" })).route("/readyz", get(ready))
}

/// Whether a balancer should send requests here. Databases are not asked: an answer that names a dead database is worth
/// more to a client than none.
async fn ready(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    match shared.stop.is_cancelled() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        false => (StatusCode::OK, "ready\n"),
    }
}

async fn metrics_text(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    shared.metrics.sessions.set(i64::try_from(shared.sessions.len()).unwrap_or(i64::MAX));
    let catalog = (shared.catalog)();
    let definitions = [
        ("tool", catalog.tools.len()),
        ("prompt", catalog.prompts.len()),
        ("resource", catalog.resources.len()),
        ("context", catalog.contexts.len()),
    ];
    let text = shared.metrics.text(&definitions);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
