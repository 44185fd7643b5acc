//! Requests that need nothing but their answer are answered where they arrive.
//!
//! rmcp takes a message of a session through four tasks, and its answer back as a stream of events, because anything may
//! be said on the way. Mostly nothing is: what a definition says is known before it runs (`Facts::tells`). Such a request
//! is given to its handler here, and only where the answer takes longer than a moment becomes a stream, of which its
//! client may come back for the rest. Whatever is out of the ordinary is left to rmcp, with its refusals
//! ([ADR 0029](../../../docs/adr/0029-what-only-answers-is-answered-where-it-arrives.md)).

use std::{
    convert::Infallible,
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use axum::{
    body::Body,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{FutureExt as _, Stream, StreamExt as _, future::BoxFuture, stream};
use http::{HeaderMap, HeaderName, StatusCode, header, request::Parts};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        ClientRequest, ErrorCode, GetExtensions as _, GetMeta as _, JsonRpcRequest, ProtocolVersion, RequestId,
        ServerJsonRpcMessage, ServerResult,
    },
    service::{DynService, Peer, RequestContext, serve_directly},
    transport::streamable_http_server::session::{ServerSseMessage, SessionId},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    Shared,
    answer::{Form, JSON, MOMENT},
    front::{VERSION, refusal},
    sessions::{Running, Sessions},
    sse::SIGN_OF_LIFE,
};
use crate::catalog::Catalog;

/// Whoever answers requests, and the client that they talk to.
#[derive(Clone)]
pub struct Answers {
    service: Arc<dyn DynService<RoleServer>>,
    peer: Peer<RoleServer>,
}

impl Answers {
    /// Those to requests without a session. Nobody can be told anything but the answer.
    pub fn stateless<S: ServerHandler>(service: Arc<S>) -> Self {
        let nobody = (tokio::io::empty(), tokio::io::sink());
        let ended = serve_directly(service.clone(), nobody, None);
        Self { peer: ended.peer().clone(), service }
    }
}

/// Put into a request that opens a session, and told who answers in it.
#[derive(Clone, Default)]
pub struct Opening(Arc<OnceLock<Answers>>);

impl Opening {
    pub fn opened(&self, service: Arc<dyn DynService<RoleServer>>, peer: &Peer<RoleServer>) {
        let _ = self.0.set(Answers { service, peer: peer.clone() });
    }

    pub fn answers(&self) -> Option<Answers> {
        self.0.get().cloned()
    }
}

/// A request that is answered here.
pub struct Direct {
    answers: Answers,
    /// The session that it belongs to.
    within: Option<Running>,
    /// Nobody wants the answer any more: cancelled by the client, or with its session.
    gone: CancellationToken,
}

impl Direct {
    /// The way for a request that can be answered here.
    pub fn of(
        shared: &Shared,
        headers: &HeaderMap,
        within: Option<&SessionId>,
        form: Form,
        request: &JsonRpcRequest<ClientRequest>,
    ) -> Option<Self> {
        let catalog = (shared.catalog)();
        let plain = form != Form::Stream
            && is_json(headers)
            && is_silent(&catalog, &request.request)
            && shared.known.foreign(headers).is_none();
        if !plain {
            return None;
        }
        let revision = headers.get(VERSION).map(|said| said.to_str().unwrap_or_default());
        let said = request.request.get_meta().protocol_version();
        match within {
            Some(id) if said.is_none() && revision.is_none_or(is_earlier) => {
                let gone = CancellationToken::new();
                let (answers, within) = shared.sessions.begin(id, &request.id, gone.clone())?;
                Some(Self { answers, within: Some(within), gone })
            }
            None if said.is_some_and(|said| revision == Some(said.as_str()))
                && revision == Some(ProtocolVersion::V_2026_07_28.as_str())
                && says_the_same(headers, &request.request, &catalog) =>
            {
                let missing = request.request.get_meta().missing_required_keys(&ProtocolVersion::V_2026_07_28);
                let (answers, gone) = (shared.stateless.get()?.clone(), CancellationToken::new());
                missing.is_empty().then_some(Self { answers, within: None, gone })
            }
            _ => None,
        }
    }

    /// The answer in the form that its client wants.
    pub async fn answer(self, request: JsonRpcRequest<ClientRequest>, parts: Parts, form: Form) -> Response {
        let JsonRpcRequest { id, mut request, .. } = request;
        let Self { answers: Answers { service, peer }, within, gone } = self;
        let mut context = RequestContext::new(id.clone(), peer);
        context.ct = gone.child_token();
        mem::swap(&mut context.meta, request.get_meta_mut());
        mem::swap(&mut context.extensions, request.extensions_mut());
        context.extensions.insert(parts);
        let whose = within.as_ref().map(Running::session);
        let shown = id.clone();
        let work = async move {
            let answer = service.handle_request(request, context).await;
            drop(within);
            (answer, id)
        };
        let ends = gone.clone().drop_guard();
        let mut call = Call { work: Some(work.boxed()), ends: Some(ends), goes_on: whose.is_some() };
        let answered = tokio::select! {
            biased;
            answered = &mut call => Some(answered),
            () = gone.cancelled() => None,
            () = tokio::time::sleep(MOMENT), if form == Form::Soon => return lasting(call, whose, gone),
        };
        match answered.filter(|_| !gone.is_cancelled()) {
            Some(answered) => object(answered, whose.is_none()),
            None if form == Form::Object => refusal(StatusCode::OK, &shown.into_json_value(), "the call was cancelled"),
            None => nothing(whose),
        }
    }
}

/// A call that is waited for. One of a session goes on without whoever waited, as the revisions with sessions want it:
/// a connection that breaks cancels nothing.
struct Call {
    work: Option<BoxFuture<'static, Answered>>,
    /// Cancels it where it does not go on.
    ends: Option<DropGuard>,
    goes_on: bool,
}

type Answered = (Result<ServerResult, ErrorData>, RequestId);

impl Future for Call {
    type Output = Answered;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answered> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let answered = std::task::ready!(work.as_mut().poll(context));
        self.work = None;
        self.ends.take().map(DropGuard::disarm);
        Poll::Ready(answered)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Some(work) = self.work.take().filter(|_| self.goes_on) else { return };
        self.ends.take().map(DropGuard::disarm);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(work);
        }
    }
}

/// The answer as an object. `states`: whether errors have a status of their own.
fn object((answer, id): Answered, states: bool) -> Response {
    let status = match &answer {
        Err(error) if states => status(error.code),
        _ => StatusCode::OK,
    };
    let body = serde_json::to_vec(&message((answer, id))).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

fn message((answer, id): Answered) -> ServerJsonRpcMessage {
    match answer {
        Ok(result) => ServerJsonRpcMessage::response(result, id),
        Err(error) => ServerJsonRpcMessage::error(error, Some(id)),
    }
}

/// The status of an error of 2026-07-28.
fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::UNSUPPORTED_PROTOCOL_VERSION
        | ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY
        | ErrorCode::HEADER_MISMATCH => StatusCode::BAD_REQUEST,
        ErrorCode::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    }
}

/// The answer of a call that lasts, as a stream.
fn lasting(call: Call, whose: Option<(Arc<Sessions>, SessionId)>, gone: CancellationToken) -> Response {
    match whose {
        Some((sessions, id)) => {
            let reader = sessions.follow(&id, async move {
                let answered = tokio::select! {
                    answered = call => answered,
                    () = gone.cancelled() => return None,
                };
                (!gone.is_cancelled()).then(|| message(answered))
            });
            events(reader)
        }
        None => events(stream::once(async move { ServerSseMessage::from_message(message(call.await)) })),
    }
}

/// The stream of a call that has no answer.
fn nothing(whose: Option<(Arc<Sessions>, SessionId)>) -> Response {
    match whose {
        Some((sessions, id)) => events(sessions.follow(&id, async { None })),
        None => events(stream::empty()),
    }
}

fn events(messages: impl Stream<Item = ServerSseMessage> + Send + 'static) -> Response {
    let events = messages.map(|message| {
        let data = message.message.map(|message| serde_json::to_string(&*message).unwrap_or_default());
        let mut event = Event::default().data(data.unwrap_or_default());
        if let Some(id) = message.event_id {
            event = event.id(id);
        }
        if let Some(retry) = message.retry {
            event = event.retry(retry);
        }
        Ok::<_, Infallible>(event)
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response()
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Whether nothing but its answer is said to a request.
fn is_silent(catalog: &Catalog, request: &ClientRequest) -> bool {
    match request {
        ClientRequest::CallToolRequest(call) => {
            catalog.tools.get(&*call.params.name).is_none_or(|entry| !entry.definition.run.tells())
        }
        ClientRequest::PingRequest(_)
        | ClientRequest::ListToolsRequest(_)
        | ClientRequest::ListPromptsRequest(_)
        | ClientRequest::ListResourcesRequest(_)
        | ClientRequest::ListResourceTemplatesRequest(_) => true,
        _ => false,
    }
}

fn is_earlier(revision: &str) -> bool {
    revision < ProtocolVersion::V_2026_07_28.as_str()
}

/// Whether the headers that repeat a request for those on the way (SEP-2243) say the same, in the plainest way.
fn says_the_same(headers: &HeaderMap, request: &ClientRequest, catalog: &Catalog) -> bool {
    let is = |name: HeaderName, value: &str| headers.get(name).is_some_and(|said| said.as_bytes() == value.as_bytes());
    let named = match request {
        ClientRequest::CallToolRequest(call) => {
            let name = &*call.params.name;
            // Tools may want arguments repeated too.
            let repeats = catalog.tools.get(name).is_some_and(|entry| entry.own_schema.is_some());
            !repeats && is(HeaderName::from_static("mcp-name"), name)
        }
        _ => true,
    };
    named && is(HeaderName::from_static("mcp-method"), request.method())
}
