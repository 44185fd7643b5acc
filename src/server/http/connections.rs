//! Connections: who gets one, what may be asked on it, and when it ends.
//!
//! hyper is driven here and not by axum, because only hyper bounds the time that a client may take for its headers, and
//! only around the stream itself can be seen that a client does not read. Whoever comes when all places are taken, or
//! its own share of them, is answered at once: signs of life, which a balancer must get from a busy server too, and
//! otherwise that it should come again.

use std::{convert::Infallible, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Shared,
    door::{Door, Next},
    ending::{Answers, Ending},
    front::refusal,
    moving::Moving,
    places::{Place, Places, Spare},
    turns::Guarded,
};

/// Connections beyond `max_connections`, on which only signs of life are answered.
pub const SPARE: usize = 32;
/// Most of them from one address.
const SPARE_OF_ONE: usize = 8;
/// How long one of them lives: nobody can hold them.
const SPARE_LIFE: Duration = Duration::from_secs(5);
/// How long connections get to end when the server does.
const ENDING: Duration = Duration::from_secs(2);

/// The connections of one listener.
pub struct Connections {
    shared: Arc<Shared>,
    door: Arc<Door>,
    /// What is answered when all places are taken.
    full: Next,
    places: Arc<Places>,
    spare: Arc<Spare>,
    /// Nothing new is begun from then on.
    drained: CancellationToken,
    /// Ends those that did not end by themselves.
    cut: CancellationToken,
    open: TaskTracker,
}

impl Connections {
    pub fn new(door: Door, drained: CancellationToken) -> Arc<Self> {
        let shared = door.shared.clone();
        let options = &shared.options;
        Arc::new(Self {
            places: Places::new(options.max_connections, options.max_connections_per_address),
            spare: Spare::new(SPARE, SPARE_OF_ONE),
            full: Next::new(super::health().fallback(full).with_state(shared.clone())),
            door: Arc::new(door),
            drained,
            cut: CancellationToken::new(),
            open: TaskTracker::new(),
            shared,
        })
    }

    /// Accepts connections until nothing new is begun.
    pub async fn accept(self: &Arc<Self>, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.drained.cancelled() => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, or a client that left: neither is for ever.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            if let Some(place) = self.places.take(peer.ip()) {
                self.open.spawn(self.clone().serve(stream, peer, place));
                continue;
            }
            self.shared.metrics.turned_away.inc();
            let place = self.spare.take(peer.ip());
            self.open.spawn(self.clone().turn_away(stream, peer, place));
        }
    }

    /// Waits a moment for connections to end, then ends them.
    pub async fn end(&self) {
        self.open.close();
        if tokio::time::timeout(ENDING, self.open.wait()).await.is_err() {
            tracing::warn!(open = self.open.len(), "connections did not end in time");
            self.cut.cancel();
            self.open.wait().await;
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, _place: Place) {
        self.shared.metrics.connections.inc();
        tokio::select! {
            () = self.connection(stream, peer, |request| self.door.clone().answer(request), true) => {}
            () = self.cut.cancelled() => {}
        }
        self.shared.metrics.connections.dec();
    }

    async fn turn_away(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, place: CancellationToken) {
        let answered =
            tokio::time::timeout(SPARE_LIFE, self.connection(stream, peer, |request| self.full.run(request), false));
        let _ = place.run_until_cancelled(answered).await;
        place.cancel();
    }

    /// `answers`: what is served on it; `lasts`: whether for more than one request.
    async fn connection<F: Future<Output = Response>>(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        answers: impl Fn(Request) -> F,
        lasts: bool,
    ) {
        let _ = stream.set_nodelay(true);
        let patience = self.shared.options.idle_timeout;
        let stream = Moving::new(stream, patience);
        match &self.shared.options.tls {
            None => self.speak(stream, peer, answers, lasts).await,
            Some(tls) => match tokio::time::timeout(patience, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.speak(stream, peer, answers, lasts).await,
                Ok(Err(error)) => tracing::debug!(%error, %peer, "no TLS connection"),
                Err(_) => tracing::debug!(%peer, "no TLS connection in time"),
            },
        }
    }

    async fn speak<F: Future<Output = Response>>(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        answers: impl Fn(Request) -> F,
        lasts: bool,
    ) {
        let begun = Answers::default();
        let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
            // Before hyper looks whether the client has ended what it sends.
            let answer = begun.begin();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            // Boxed: hyper moves it about.
            let response = Box::pin(answers(request));
            async move { Ok::<_, Infallible>(response.await.map(|body| Guarded::new(body, answer))) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.shared.options.idle_timeout)
            .keep_alive(lasts)
            .serve_connection(TokioIo::new(Ending::new(stream, begun.clone())), service);
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
                () = self.drained.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// What is answered when there is no place.
async fn full(State(shared): State<Arc<Shared>>) -> Response {
    let (all, one) = (shared.options.max_connections, shared.options.max_connections_per_address);
    let what = format!(
        "the server has {all} connections, or {one} from this address; close some, or come again \
         (server.http.max_connections, max_connections_per_address)"
    );
    let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE, &Value::Null, &what);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response.into_response()
}
