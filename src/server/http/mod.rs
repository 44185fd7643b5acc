//! Streamable HTTP: MCP at one path, signs of life beside it.
//!
//! rmcp serves the protocol: sessions for the revisions that have them, one handler per request for 2026-07-28, so
//! that such a request may land on any replica. Around it stand our own layers, outermost first: who is asked and from
//! where, who asks, what a body may be. hyper is driven here and not by axum, because only hyper bounds the time that
//! a client may take for its headers.

mod authenticate;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Api, Core, Server, ServerOptions, identity::Identity, session::Session};

/// What the operator decides about the HTTP transport.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Path of the protocol. Default: `/mcp`.
    pub path: String,
    /// Names by which clients may call this server. Default: those of the loopback interface.
    pub allowed_hosts: Vec<String>,
    /// Browser origins that may call. Default: those of the loopback interface, on any port.
    pub allowed_origins: Vec<String>,
    /// Longest wait for the headers of a request. Default: 60 s.
    pub header_timeout: Duration,
    /// How long what is in flight may take when the server is told to stop. Default: 30 s.
    pub drain: Duration,
    /// Asks every caller who they are. Default: nobody is asked.
    pub identity: Option<Arc<Identity>>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        let origins = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];
        Self {
            path: "/mcp".into(),
            allowed_hosts: ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec(),
            allowed_origins: origins.map(str::to_owned).to_vec(),
            header_timeout: Duration::from_secs(60),
            drain: Duration::from_secs(30),
            identity: None,
        }
    }
}

/// Serves until `stop` is cancelled; what is in flight is finished first.
///
/// # Errors
/// The listener failed for good.
pub async fn serve_http<A: Api>(
    api: Arc<A>,
    options: ServerOptions,
    http: HttpOptions,
    listener: TcpListener,
    stop: &CancellationToken,
) -> std::io::Result<()> {
    // Ends the streams that would otherwise stay open for ever.
    let streams = CancellationToken::new();
    let router = router(api, options, &http, &streams);
    let connections = TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, or a client that left: neither is for ever.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        let _ = stream.set_nodelay(true);
        connections.spawn(connection(stream, peer, router.clone(), http.header_timeout, stop.clone()));
    }
    drop(listener);
    connections.close();
    streams.cancel();
    if tokio::time::timeout(http.drain, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections did not end in time");
    }
    Ok(())
}

fn router<A: Api>(api: Arc<A>, options: ServerOptions, http: &HttpOptions, streams: &CancellationToken) -> Router {
    let max = options.limits.max_message_size;
    let core = Core::new(api, options);
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(&http.allowed_hosts)
        .with_allowed_origins(&http.allowed_origins)
        .enforce_origin_validation()
        .with_max_request_body_bytes(max)
        .with_cancellation_token(streams.clone());
    let ending = streams.clone();
    let factory = move || Ok(Server::new(core.clone(), Arc::new(Session::new(&ending))));
    let mcp = StreamableHttpService::new(factory, LocalSessionManager::default().into(), config);
    let mut mcp = Router::new().route_service(&http.path, mcp);
    if let Some(identity) = &http.identity {
        let entrance = authenticate::Entrance::new(identity.clone());
        mcp = mcp.layer(axum::middleware::from_fn_with_state(entrance, authenticate::authenticate));
    }
    mcp.route("/healthz", axum::routing::get(|| async { "ok\n" }))
}

fn connection(
    stream: tokio::net::TcpStream,
    peer: SocketAddr,
    router: Router,
    header_timeout: Duration,
    stop: CancellationToken,
) -> impl Future<Output = ()> {
    async move {
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(header_timeout)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
        let mut connection = std::pin::pin!(connection);
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, %peer, "a connection ended badly");
                    }
                    return;
                }
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}
