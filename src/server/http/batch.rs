//! Batches of JSON-RPC over HTTP, which one revision demands (`wire::taken_apart`): each message is served as if it had
//! come alone, and their answers leave together.
//!
//! What needs a stream of its own, such as a question to the client, has no place in a batch.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use futures::future::join_all;
use http::{HeaderValue, StatusCode, header, request::Parts};
use serde_json::Value;

use super::{
    Shared,
    answer::{Form, JSON},
    door::Next,
    front, session, sse,
};
use crate::server::wire::Element;

/// What becomes of a batch.
pub type Served = Pin<Box<dyn Future<Output = Response> + Send>>;

/// Serves the messages of a batch at once. `form` is that of all the answers together.
pub fn served(shared: Arc<Shared>, parts: Parts, batch: Vec<Element>, form: Form, next: Next) -> Served {
    Box::pin(async move {
        let each = batch.into_iter().map(|element| alone(&shared, &parts, element, JSON, &next));
        let (mut messages, mut refused) = (Vec::new(), None);
        for answer in join_all(each).await {
            let status = answer.status();
            let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap_or_default();
            messages.extend(serde_json::from_slice::<Value>(&body));
            refused = match (refused, status) {
                (_, status) if status.is_success() => Some(StatusCode::OK),
                (None, status) => Some(status),
                (Some(before), _) => Some(before),
            };
        }
        if messages.is_empty() {
            return StatusCode::ACCEPTED.into_response();
        }
        let (kind, body) = match form {
            Form::Stream => {
                let event = |message: &Value| format!("event: message\ndata: {message}\n\n");
                (HeaderValue::from_static("text/event-stream"), messages.iter().map(event).collect::<String>())
            }
            Form::Object | Form::Either | Form::Soon => (JSON, Value::from(messages).to_string()),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = refused.unwrap_or(StatusCode::OK);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    })
}

/// As [`served`], where every answer goes to the stream of the session: one message after the other, as they stand.
pub fn served_on_stream(shared: Arc<Shared>, parts: Parts, batch: Vec<Element>, next: Next) -> Served {
    Box::pin(async move {
        let stream = session(&parts.headers).unwrap_or_default();
        let mut last = StatusCode::ACCEPTED.into_response();
        for element in batch {
            let answer = alone(&shared, &parts, element, HeaderValue::from_static("*/*"), &next).await;
            let answer = sse::on_stream(&shared.sessions, &stream, answer).await;
            if !answer.status().is_success() {
                last = answer;
            }
        }
        last
    })
}

async fn alone(shared: &Arc<Shared>, parts: &Parts, element: Element, accept: HeaderValue, next: &Next) -> Response {
    match element {
        Ok(line) => {
            let mut parts = parts.clone();
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.insert(header::ACCEPT, accept);
            front::posted(shared, Request::from_parts(parts, Body::from(line)), next).await
        }
        Err(refusal) => front::reply(StatusCode::BAD_REQUEST, refusal),
    }
}
