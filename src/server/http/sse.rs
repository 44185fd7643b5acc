//! HTTP+SSE, the transport of 2024-11-05: a stream of events to the client, and messages posted beside it.
//!
//! rmcp has none. Each stream is served as a pipe is, line by line, so that everything that holds over stdio holds
//! here too; the layers of this folder stand around it as they do around Streamable HTTP. The stream and its messages
//! have one address: the `endpoint` event names a session as a query to it, which every proxy lets through. Clients wait
//! for answers on the stream alone, so that what the layers refuse is said there.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use futures::stream;
use http::{HeaderValue, StatusCode, Version, request::Parts, uri::Authority};
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio_util::io::StreamReader;

use super::{
    Public, SESSION, Shared,
    authenticate::may_stay,
    front::refusal,
    session as session_of,
    sessions::{Pipe, Sessions},
    with_and_without_slash, without_slash,
};
use crate::{
    engine::Principal,
    server::{
        Api, Core, Limits, converse,
        identity::At,
        session::{self, Session},
    },
};

/// Messages that were posted and not yet read; further posts wait.
const INBOX: usize = 16;
/// Lines that wait for the client to read them; what sends more waits.
const OUTBOX: usize = 64;
/// How often a stream on which nothing happens shows that it is open.
pub(super) const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Longest refusal that is passed on.
const REFUSAL: usize = 64 << 10;

struct Served<A> {
    core: Arc<Core<A>>,
    shared: Arc<Shared>,
}

impl<A> Clone for Served<A> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone(), shared: self.shared.clone() }
    }
}

/// The route of the transport.
pub fn route<A: Api, S: Clone + Send + Sync + 'static>(
    path: &str,
    core: Arc<Core<A>>,
    shared: Arc<Shared>,
) -> Router<S> {
    let served = Served { core, shared: shared.clone() };
    let route = get(open::<A>).post(post::<A>).layer(middleware::from_fn_with_state(shared, known));
    let paths = with_and_without_slash(path);
    paths.fold(Router::new(), |router, path| router.route(&path, route.clone())).with_state(served)
}

/// Refuses what was meant for another server, or comes from a foreign page (DNS rebinding).
async fn known(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    match shared.known.foreign(request.headers()) {
        Some(what) => refusal(StatusCode::FORBIDDEN, &Value::Null, what),
        None => next.run(request).await,
    }
}

/// Puts the session where the other transport has it, for all that looks for it there.
pub fn name(request: &mut Request) {
    let query = request.uri().query().unwrap_or_default();
    let id = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "sessionId");
    let id = id.and_then(|(_, id)| HeaderValue::from_str(&id).ok());
    let headers = request.headers_mut();
    match id {
        Some(id) => headers.insert(SESSION, id),
        None => headers.remove(SESSION),
    };
}

/// Opens a stream.
async fn open<A: Api>(State(Served { core, shared }): State<Served<A>>, request: Request) -> Response {
    if shared.stop.is_cancelled() {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, &Value::Null, "the server is stopping");
    }
    if let Err(why) = shared.room_for_a_session(&super::client(request.extensions())).await {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, &Value::Null, why);
    }
    let id = uuid::Uuid::new_v4().simple().to_string();
    let (inbox, mut posted) = mpsc::channel(INBOX);
    let (outbox, mut answers) = mpsc::channel::<Vec<u8>>(OUTBOX);
    let ask_again = Arc::new(Notify::new());
    let pipe = Pipe { inbox, outbox: outbox.clone(), ask_again: ask_again.clone() };
    let principal = request.extensions().get::<Principal>().filter(|principal| principal.has_credential());
    let open = shared.sessions.open_pipe(&id, pipe, principal.map(Principal::owner));
    let lines = StreamReader::new(stream::poll_fn(move |context| posted.poll_recv(context)));
    let limits = Limits {
        max_requests: shared.options.max_requests_per_client,
        stop: shared.options.drain,
        ..core.options.limits
    };
    let conversation = Arc::new(Session::new(&shared.stop));
    let address = address(&request, shared.options.public.as_ref());
    let may_stay = may_stay(shared.options.identity.clone(), request.headers().clone(), At::Stream, ask_again);
    let caller = caller(request);
    shared.pipes.spawn(async move {
        // Forgotten when it has ended.
        let _open = open;
        let served = converse(core, lines, outbox, limits, Some(caller), conversation.clone());
        tokio::pin!(served);
        let served = tokio::select! {
            served = served.as_mut() => served,
            () = may_stay => {
                // Whoever waits for an answer is told nothing else.
                conversation.on(session::Event::End);
                served.await
            }
        };
        if let Err(error) = served {
            tracing::warn!(%error, "a stream ended badly");
        }
    });
    let mut endpoint = Some(Event::default().event("endpoint").data(format!("{address}?sessionId={id}")));
    let events = stream::poll_fn(move |context| {
        if let Some(endpoint) = endpoint.take() {
            return std::task::Poll::Ready(Some(Ok::<_, Infallible>(endpoint)));
        }
        answers.poll_recv(context).map(|line| line.map(|line| Ok(message(&line))))
    });
    let alive = KeepAlive::new().interval(SIGN_OF_LIFE);
    let mut response = Sse::new(events).keep_alive(alive).into_response();
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(SESSION, id);
    }
    response
}

/// Where messages are posted: the path of the stream itself. From its root, because not every client resolves another
/// form (Java's `URI.resolve` drops the last part of a path before a query alone). What a proxy in front has taken off the
/// path is known from the public URL, or said by the proxy; where it is neither, only what is relative survives.
fn address(request: &Request, public: Option<&Public>) -> String {
    let (headers, path) = (request.headers(), without_slash(request.uri().path()));
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let plain = |prefix: &&str| {
        prefix.starts_with('/') && !prefix.starts_with("//") && prefix.bytes().all(|byte| byte.is_ascii_graphic())
    };
    // What proxies speak by default (nginx), and clients do not.
    let passed_on = request.version() < Version::HTTP_11 || PASSED_ON.iter().any(|name| headers.contains_key(*name));
    let host = text("host").and_then(|host| host.parse::<Authority>().ok());
    let by_name = |public: &&Public| {
        passed_on || host.as_ref().is_some_and(|host| host.host().eq_ignore_ascii_case(&public.host))
    };
    let known = text("x-forwarded-prefix").filter(plain).or(public.filter(by_name).map(|public| &*public.prefix));
    match known {
        Some(prefix) => format!("{}{path}", without_slash(prefix)),
        None if passed_on => path.rsplit('/').next().unwrap_or_default().to_owned(),
        None => path.to_owned(),
    }
}

/// Headers that a proxy adds.
const PASSED_ON: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// Says a refusal of a message on its stream, where the client waits for it. One that belongs to no message is said as
/// it is.
pub async fn on_stream(sessions: &Sessions, id: &str, response: Response) -> Response {
    if !(response.status().is_client_error() || response.status().is_server_error()) {
        return response;
    }
    let Some(ends) = sessions.pipe(id) else { return response };
    let (parts, body) = response.into_parts();
    let Ok(line) = axum::body::to_bytes(body, REFUSAL).await else {
        return refusal(parts.status, &Value::Null, "the message is refused");
    };
    let message: Value = serde_json::from_slice(&line).unwrap_or_default();
    let whose = message.get("id").is_some_and(|id| !id.is_null());
    if whose && let Ok(()) = ends.outbox.send_timeout(line.to_vec(), SIGN_OF_LIFE).await {
        return StatusCode::ACCEPTED.into_response();
    }
    Response::from_parts(parts, line.into())
}

fn message(line: &[u8]) -> Event {
    Event::default().event("message").data(String::from_utf8_lossy(line).trim_end())
}

/// What the requests of a stream know of the request that opened it: who it is of, and from where.
fn caller(request: Request) -> Parts {
    let (mut parts, _) = request.into_parts();
    parts.headers.clear();
    parts
}

/// Takes a message to its stream, where it is answered.
async fn post<A: Api>(State(Served { shared, .. }): State<Served<A>>, request: Request) -> Response {
    let pipe = session_of(request.headers()).and_then(|id| shared.sessions.pipe(&id));
    let Some(Pipe { inbox, .. }) = pipe else {
        return refusal(StatusCode::NOT_FOUND, &Value::Null, "there is no such stream; open one with GET");
    };
    let Ok(body) = axum::body::to_bytes(request.into_body(), shared.max_message_size).await else {
        return refusal(StatusCode::BAD_REQUEST, &Value::Null, "the body cannot be read");
    };
    // A message may be written over several lines; within its texts there is no end of line.
    let line: Vec<u8> = body.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
    let sent = inbox.send(Ok([&line, b"\n".as_slice()].concat().into()));
    match tokio::time::timeout(shared.options.idle_timeout, sent).await {
        Ok(Ok(())) => StatusCode::ACCEPTED.into_response(),
        Ok(Err(_)) => refusal(StatusCode::NOT_FOUND, &Value::Null, "the stream has ended; open one with GET"),
        Err(_) => {
            let what = "the client does not read the answers of this stream";
            refusal(StatusCode::SERVICE_UNAVAILABLE, &Value::Null, what)
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn the_address_of_a_stream_is_found_by_clients_of_every_kind() {
        let gateway = Public { host: "gw.example.com".into(), prefix: "/tools".into() };
        for (uri, version, headers, public, expected) in [
            ("/sse", Version::HTTP_11, &[("host", "localhost:8080")][..], None, "/sse"),
            ("/sse/", Version::HTTP_11, &[("host", "localhost:8080")], None, "/sse"),
            ("/a/sse", Version::HTTP_11, &[("host", "localhost:8080")], None, "/a/sse"),
            ("/a/sse", Version::HTTP_10, &[("host", "localhost:8080")], None, "sse"),
            ("/sse", Version::HTTP_11, &[("x-forwarded-for", "10.0.0.1")], None, "sse"),
            ("/sse", Version::HTTP_11, &[("x-forwarded-prefix", "/tools/")], None, "/tools/sse"),
            ("/sse", Version::HTTP_11, &[("x-forwarded-prefix", "//evil.example")], None, "/sse"),
            ("/sse", Version::HTTP_11, &[("x-forwarded-prefix", "https://evil.example")], None, "/sse"),
            ("/sse", Version::HTTP_11, &[("host", "GW.example.com:443")], Some(&gateway), "/tools/sse"),
            ("/sse", Version::HTTP_11, &[("host", "localhost:8080")], Some(&gateway), "/sse"),
            ("/sse", Version::HTTP_10, &[("host", "localhost:8080")], Some(&gateway), "/tools/sse"),
        ] {
            let request = http::Request::builder().uri(uri).version(version);
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let request = request.body(Body::empty()).unwrap();
            assert_eq!(address(&request, public), expected, "{uri} {version:?} {headers:?}");
        }
    }
}
