//! In front of rmcp: every body is read here first, so that what is no message is answered as over stdio, and every
//! refusal, whoever spoke it, leaves as a JSON-RPC error that says what to do.

use std::{borrow::Cow, net::SocketAddr, sync::Arc, time::Instant};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::BodyExt as _;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        ClientNotification, ClientRequest, ErrorCode, GetMeta as _, JsonRpcError, JsonRpcMessage, ProtocolVersion,
        RequestId,
    },
    service::RxJsonRpcMessage,
    transport::streamable_http_server::session::SessionId,
};
use serde_json::{Value, json};

use super::{
    Shared,
    accept::{Accepted, Wish},
    answer::{Form, JSON, Unsaid, masked, shaped},
    answering::{Answering, CLOSED_BY_CLIENT, notified},
    authenticate::while_allowed,
    batch,
    body::{Unread, encoded, read},
    direct::{Direct, Opening},
    door::Next,
    scope::{self, Lacking},
    session,
    sessions::{Streamed, Taken},
    sse,
    turns::{Guarded, Of, Turn},
};
use crate::{
    engine::{CallErrorKind, Principal},
    server::{
        calls::{CallEnded, Caller, Ended},
        gate,
        identity::{At, can_ask_for_more},
        metrics::known,
        params::{self, LATER},
        wire,
    },
};

/// Longest text of a refusal that is taken over.
const REFUSAL: usize = 4 << 10;
pub const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// Lets in what is a message or asks for a stream, and answers the rest.
pub async fn front(shared: &Arc<Shared>, request: Request, next: &Next) -> Response {
    if request.method() != Method::POST {
        return Box::pin(unposted(shared, request, next)).await;
    }
    let beside = shared.is_sse(&request).then(|| session(request.headers())).flatten();
    let response = posted(shared, request, next).await;
    match beside {
        Some(stream) => sse::on_stream(&shared.sessions, &stream, response).await,
        None => response,
    }
}

/// A request without a message: it opens a stream, goes on with one, or ends a session.
async fn unposted(shared: &Shared, mut request: Request, next: &Next) -> Response {
    let headers = request.headers();
    if let Some(error) = unsupported(headers) {
        return reply(StatusCode::BAD_REQUEST, wire::error_line(&Value::Null, &error));
    }
    if request.method() == Method::GET && !shared.is_sse(&request) {
        if Accepted::of(headers).events == Wish::No {
            let what = "this is a stream of events, which `Accept` rules out: add `text/event-stream`";
            return refusal(StatusCode::NOT_ACCEPTABLE, &Value::Null, what);
        }
        let last = headers.get("last-event-id").and_then(|last| last.to_str().ok());
        if let Some((session, last)) = session(headers).zip(last)
            && shared.sessions.exists(&session)
            && !shared.sessions.can_resume(&session, last)
        {
            // With an empty stream the client would come back for ever.
            let what = "what came after this event is not kept any more, or there never was such an event; make the \
                        call again";
            return refusal(StatusCode::BAD_REQUEST, &Value::Null, what);
        }
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
    }
    let ends = request.method() == Method::DELETE;
    let lasts = (request.method() == Method::GET && !shared.is_sse(&request)).then(|| request.headers().clone());
    let mut response = spoken(next.run(request).await, Value::Null).await;
    if let Some(headers) = lasts {
        response = while_allowed(shared.options.identity.as_ref(), headers, response);
    }
    if ends && response.status() == StatusCode::ACCEPTED {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

/// A request with a message.
pub async fn posted(shared: &Arc<Shared>, request: Request, next: &Next) -> Response {
    let started = Instant::now();
    if shared.stop.is_cancelled() {
        let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE, &Value::Null, "the server is stopping; ask again");
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return response;
    }
    let on_stream = shared.is_sse(&request);
    let Some(form) = Form::of(Accepted::of(request.headers())).or(on_stream.then_some(Form::Stream)) else {
        let what = "answers are JSON or a stream of events, and `Accept` rules out both: send \
                    `Accept: application/json, text/event-stream`";
        return refusal(StatusCode::NOT_ACCEPTABLE, &Value::Null, what);
    };
    if let Some(response) = encoded(request.headers()) {
        return response;
    }
    let (mut parts, body) = request.into_parts();
    let within = session(&parts.headers);
    let bytes = match read(body, shared).await {
        Ok(bytes) => bytes,
        Err(Unread::Oversized(id)) => {
            let error = ErrorData::invalid_request(wire::oversized(shared.max_message_size), None);
            let mut response = refuse(shared, within.as_deref(), StatusCode::PAYLOAD_TOO_LARGE, &id, &error);
            // The rest of it is not read: the connection is of no further use.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
        Err(Unread::Refused(response)) => return response,
    };
    let Some((mut line, message)) = message(&bytes) else {
        if let Some(within) = &within
            && let Some(batch) = wire::taken_apart(wire::trimmed(&bytes))
        {
            match on_stream {
                true if shared.sessions.take_batches(within) => {
                    return batch::served_on_stream(shared.clone(), parts, batch, next.clone()).await;
                }
                false if shared.sessions.take_batches(within) => {
                    return batch::served(shared.clone(), parts, batch, form, next.clone()).await;
                }
                false if !shared.sessions.exists(within) => {
                    // Its client begins anew.
                    let what = "Session not found; send `initialize` to open a session";
                    return refusal(StatusCode::NOT_FOUND, &Value::Null, what);
                }
                _ => {}
            }
        }
        shared.metrics.answered("", 400, started.elapsed().as_secs_f64());
        return match wire::answer_to_garbage(wire::trimmed(&bytes)) {
            Some(answer) => reply(StatusCode::BAD_REQUEST, answer),
            None => refusal(StatusCode::BAD_REQUEST, &Value::Null, "the notification or response cannot be read"),
        };
    };
    let (id, method) = match &message {
        JsonRpcMessage::Request(request) => (Some(request.id.clone()), known(request.request.method())),
        JsonRpcMessage::Notification(notification) => (None, notified(&notification.notification)),
        JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => (None, ""),
    };
    let shown = id.clone().map_or(Value::Null, RequestId::into_json_value);
    let wrong = match &message {
        JsonRpcMessage::Request(request) if matches!(request.request, ClientRequest::InitializeRequest(_)) => {
            // Its body negotiates.
            parts.headers.remove(VERSION);
            if let (true, ClientRequest::InitializeRequest(initialize)) = (on_stream, &request.request) {
                let stream = within.as_deref().unwrap_or_default();
                shared.sessions.begins(stream, &initialize.params.protocol_version);
            }
            None
        }
        JsonRpcMessage::Request(request) if request.request.get_meta().protocol_version().is_some() => None,
        _ => unsupported(&parts.headers),
    };
    if let Some(error) = wrong {
        shared.metrics.answered(method, 400, started.elapsed().as_secs_f64());
        return reply(StatusCode::BAD_REQUEST, wire::error_line(&shown, &error));
    }
    if let JsonRpcMessage::Request(request) = &message
        && let Some(error) = gate::unserved(&request.request, &line)
            .or_else(|| misplaced(&parts.headers, within.is_some(), &request.request))
            .or_else(|| no_object(form, &request.request))
    {
        let status = match error.code {
            ErrorCode::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        let response = refuse(shared, within.as_deref(), status, &shown, &error);
        shared.metrics.answered(method, response.status().as_u16(), started.elapsed().as_secs_f64());
        return response;
    }
    if let JsonRpcMessage::Request(request) = &message
        && let Some(caller) = parts.extensions.get::<Principal>()
    {
        let catalog = (shared.catalog)();
        // Elsewhere the client cannot ask its issuer for more, or would take the status for the end of its session: it
        // is told in the answer.
        if can_ask_for_more(caller)
            && within.is_none()
            && let Some(lacking) = scope::lacking(&catalog, &request.request, caller)
        {
            let (from, who) = (parts.extensions.get::<SocketAddr>().copied(), caller.subject.clone());
            let ended = Ended::Failed(CallErrorKind::Forbidden).outcome();
            let ended = CallEnded::of(Caller::over_http(from, who), ended, started.elapsed());
            shared.calls.ended(&ended.about(lacking.method, lacking.subject.clone())).await;
            shared.metrics.answered(method, 403, started.elapsed().as_secs_f64());
            return forbidden(shared, &lacking, &shown);
        }
        if let Some(narrowed) = scope::narrowed(&catalog, &request.request, caller, &line) {
            line = narrowed.into();
        }
    }
    let turn = match admit(shared, &parts, within.as_ref(), id.as_ref(), &message).await {
        Ok(turn) => turn,
        Err((status, message)) => {
            shared.metrics.refused.inc();
            let error = ErrorData::invalid_request(format!("Invalid Request: {message}"), None);
            let mut response = refuse(shared, within.as_deref(), status, &shown, &error);
            if !matches!(response.status(), StatusCode::BAD_REQUEST | StatusCode::OK) {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            return response;
        }
    };
    // A session that is told to shut down ends with the answer.
    let ends = within.clone().filter(|_| method == "shutdown");
    let unfinished = !is_stream(method);
    let lasts = is_stream(method).then(|| parts.headers.clone());
    if unfinished {
        shared.metrics.in_flight.inc();
    }
    let mut answering =
        Answering { shared: shared.clone(), method, started, status: CLOSED_BY_CLIENT, unfinished, ends, _turn: turn };
    let direct = match &message {
        JsonRpcMessage::Request(request) if !on_stream => {
            Direct::of(shared, &parts.headers, within.as_ref(), form, request)
        }
        _ => None,
    };
    let response = match (direct, message) {
        (Some(direct), JsonRpcMessage::Request(request)) => {
            spoken(direct.answer(request, parts, form).await, shown).await
        }
        (_, message) => {
            if let (Some(session), Some(call)) = (&within, cancelled(&message)) {
                shared.sessions.cancel(session, call);
            }
            opening(&message, &mut parts);
            Box::pin(by_rmcp(shared, parts, line, form, shown, next)).await
        }
    };
    let response = match lasts {
        Some(headers) => while_allowed(shared.options.identity.as_ref(), headers, response),
        None => response,
    };
    let (parts, body) = response.into_parts();
    answering.status = parts.status.as_u16();
    Response::from_parts(parts, Body::new(Guarded::new(body, answering)))
}

/// The answer of rmcp, in the form that the client wants.
async fn by_rmcp(shared: &Shared, mut parts: Parts, line: Bytes, form: Form, id: Value, next: &Next) -> Response {
    let within = session(&parts.headers);
    let streamed = Streamed::default();
    parts.extensions.insert(streamed.clone());
    parts.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    let response = next.run(Request::from_parts(parts, Body::from(line))).await;
    let response = spoken(response, id.clone()).await;
    let unsaid = match shaped(response, form, &streamed).await {
        Ok(response) => return response,
        Err(unsaid) => unsaid,
    };
    if let Some(session) = within {
        shared.sessions.take_back(&session, &id).await;
    }
    let what = match unsaid {
        Unsaid::Question => {
            "the call asks its client something, which takes a stream: send \
             `Accept: application/json, text/event-stream`"
        }
        Unsaid::Nothing => "the call was cancelled",
    };
    refusal(StatusCode::OK, &id, what)
}

/// The request that a message cancels.
fn cancelled(message: &RxJsonRpcMessage<RoleServer>) -> Option<&RequestId> {
    let JsonRpcMessage::Notification(notification) = message else { return None };
    let ClientNotification::CancelledNotification(cancelled) = &notification.notification else { return None };
    cancelled.params.request_id.as_ref()
}

/// Has a session that is opened say who answers in it.
fn opening(message: &RxJsonRpcMessage<RoleServer>, parts: &mut Parts) {
    if let JsonRpcMessage::Request(request) = message
        && matches!(request.request, ClientRequest::InitializeRequest(_))
    {
        parts.extensions.insert(Opening::default());
    }
}

/// The body as a message, mended where that makes it one.
fn message(body: &Bytes) -> Option<(Bytes, RxJsonRpcMessage<RoleServer>)> {
    let line = wire::trimmed(body);
    if let Some(call) = wire::tool_call(line) {
        return Some((body.slice_ref(line), JsonRpcMessage::Request(call)));
    }
    let (line, message) = wire::message(line)?;
    let line = match line {
        Cow::Borrowed(line) => body.slice_ref(line),
        Cow::Owned(line) => line.into(),
    };
    Some((line, message))
}

/// What is wrong with the revision that the headers name. The refusal says which there are.
fn unsupported(headers: &HeaderMap) -> Option<ErrorData> {
    let said = String::from_utf8_lossy(headers.get(VERSION)?.as_bytes()).into_owned();
    let known = ProtocolVersion::KNOWN_VERSIONS;
    if known.iter().any(|known| known.as_str() == said) {
        return None;
    }
    let names: Vec<&str> = known.iter().map(ProtocolVersion::as_str).collect();
    let said = crate::template::bare(&said, 100);
    let message =
        format!("Unsupported protocol version {said} (`MCP-Protocol-Version`); send one of {}", names.join(", "));
    let data = json!({ "supported": names, "requested": said });
    Some(ErrorData::new(ErrorCode::UNSUPPORTED_PROTOCOL_VERSION, message, Some(data)))
}

/// What is wrong with a request for a stream by a client that takes none.
fn no_object(form: Form, request: &ClientRequest) -> Option<ErrorData> {
    let what = "Invalid Request: the answer is a stream of events, which `Accept` rules out: add `text/event-stream`";
    (form == Form::Object && is_stream(request.method())).then(|| ErrorData::invalid_request(what, None))
}

/// The refusal of a message. In a session it is an answer like any other: clients of those revisions take a status for
/// the end of the session, or of themselves.
fn refuse(shared: &Shared, within: Option<&str>, status: StatusCode, id: &Value, error: &ErrorData) -> Response {
    let within = match within {
        Some(session) if !id.is_null() => shared.sessions.exists(session),
        _ => false,
    };
    reply(if within { StatusCode::OK } else { status }, wire::error_line(id, error))
}

/// 403, and which scopes to ask the issuer for.
fn forbidden(shared: &Shared, lacking: &Lacking, id: &Value) -> Response {
    let data = json!({ "kind": "forbidden", "scopes": lacking.scopes, "hint": lacking.error.hint });
    let error = ErrorData::invalid_request(lacking.error.message.clone(), Some(data));
    let mut response = reply(StatusCode::FORBIDDEN, wire::error_line(id, &error));
    let identity = shared.options.identity.as_ref();
    if let Some(challenge) = identity
        .and_then(|identity| identity.insufficient(At::Protocol, &lacking.scopes, &lacking.error.message).challenge)
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Streams stay open until somebody stops: they are nobody's unfinished business.
fn is_stream(method: &str) -> bool {
    method == "subscriptions/listen"
}

/// What is wrong with a request that belongs to no revision: rmcp would only miss a session.
fn misplaced(headers: &HeaderMap, within: bool, request: &ClientRequest) -> Option<ErrorData> {
    if within && matches!(request, ClientRequest::CallToolRequest(_)) {
        return None;
    }
    let missing = request.get_meta().missing_required_keys(&ProtocolVersion::V_2026_07_28);
    let version = headers.get(VERSION).and_then(|version| version.to_str().ok());
    let later = version.is_some_and(|version| version >= ProtocolVersion::V_2026_07_28.as_str());
    if missing.is_empty() || later || request.get_meta().protocol_version().is_some() {
        return None;
    }
    match request {
        // rmcp would ask for a capability that these revisions do not know.
        _ if within && LATER.contains(&request.method()) => Some(params::method_not_found(request.method())),
        ClientRequest::CustomRequest(custom) if custom.method == "shutdown" => None,
        ClientRequest::CustomRequest(custom) => Some(params::refusal(&custom.method, custom.params.as_ref())),
        ClientRequest::InitializeRequest(_) | ClientRequest::PingRequest(_) => None,
        _ if within => None,
        _ => Some(params::not_initialized(&missing)),
    }
}

/// A turn for the message, or why there is none.
async fn admit(
    shared: &Arc<Shared>,
    parts: &Parts,
    within: Option<&SessionId>,
    id: Option<&RequestId>,
    message: &RxJsonRpcMessage<RoleServer>,
) -> Result<(Turn, Option<Taken>), (StatusCode, String)> {
    let client = super::client(&parts.extensions);
    if let JsonRpcMessage::Request(request) = message
        && matches!(request.request, ClientRequest::InitializeRequest(_))
        && within.is_none()
        && let Err(why) = shared.room_for_a_session(&client).await
    {
        return Err((StatusCode::SERVICE_UNAVAILABLE, why.into()));
    }
    let most = shared.options.max_requests_per_client;
    let of = match message {
        JsonRpcMessage::Request(request) if is_stream(request.request.method()) => Of::Stream,
        _ => Of::Request,
    };
    let turn = shared.turns.begin(client, of).ok_or_else(|| {
        let what = match of {
            Of::Request => "requests in flight; wait for one to be answered",
            Of::Stream => "streams of subscriptions/listen open; close one of them",
        };
        let message = format!("this client has {most} {what} (server.http.max_requests_per_client)");
        (StatusCode::TOO_MANY_REQUESTS, message)
    })?;
    let taken = match within.zip(id) {
        Some((session, id)) => shared.sessions.take(session, id),
        None => Ok(None),
    };
    match taken {
        Ok(taken) => Ok((turn, taken)),
        Err(()) => Err((StatusCode::BAD_REQUEST, "a request with this id is in flight".into())),
    }
}

/// A refusal that rmcp spoke as plain text, as a JSON-RPC error.
async fn spoken(response: Response, id: Value) -> Response {
    let status = response.status();
    let typed = response.headers().get(header::CONTENT_TYPE);
    let json =
        typed.is_some_and(|ty| ty.as_bytes().starts_with(b"application/json")) && status != StatusCode::NOT_FOUND;
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    if json {
        return masked(response).await;
    }
    let (mut parts, body) = response.into_parts();
    let text = http_body_util::Limited::new(body, REFUSAL).collect().await.map(|body| body.to_bytes());
    let text = text.ok().and_then(|bytes| String::from_utf8(bytes.into()).ok()).unwrap_or_default();
    if let Ok(error) = serde_json::from_str::<JsonRpcError>(&text) {
        // rmcp's own message is the bare name of the method.
        let error = match error.error.code {
            ErrorCode::METHOD_NOT_FOUND if !error.error.message.contains(' ') => {
                params::method_not_found(&error.error.message)
            }
            _ => error.error,
        };
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::from(wire::error_line(&id, &error)));
    }
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::warn!(error = crate::template::bare(&text, 300), "A request failed in the transport.");
    }
    let what = match text.trim() {
        "" => status.canonical_reason().unwrap_or("refused"),
        text => {
            status.canonical_reason().and_then(|reason| text.strip_prefix(reason)?.strip_prefix(": ")).unwrap_or(text)
        }
    };
    let hint = match status {
        StatusCode::NOT_FOUND => "; send `initialize` to open a session",
        StatusCode::METHOD_NOT_ALLOWED => "; send messages with POST",
        StatusCode::FORBIDDEN if what.starts_with("Host ") => "; see `server.http.public_url` and `allowed_hosts`",
        StatusCode::FORBIDDEN if what.starts_with("Origin ") => "; see `server.http.allowed_origins`",
        StatusCode::BAD_REQUEST if what.ends_with("Session ID is required") => "; send `initialize` to open a session",
        _ => "",
    };
    let error = ErrorData::new(ErrorCode::INVALID_REQUEST, format!("Invalid Request: {what}{hint}"), None);
    parts.headers.insert(header::CONTENT_TYPE, JSON);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(wire::error_line(&id, &error)))
}

/// A JSON-RPC error of our own.
pub fn refusal(status: StatusCode, id: &Value, message: &str) -> Response {
    let error = ErrorData::new(ErrorCode::INVALID_REQUEST, format!("Invalid Request: {message}"), None);
    reply(status, wire::error_line(id, &error))
}

pub fn reply(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}
