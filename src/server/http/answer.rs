//! The form of an answer: an object where nothing but the response is to be said, else a stream of events.
//!
//! rmcp answers with streams. Whoever takes JSON gets it as long as nothing was streamed: a person with curl always, a
//! client that can also read a stream if the answer is there in a moment. A call that lasts longer, or has more to say
//! than its response, is a stream, whose events have ids by which a client can come back for the rest.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use bytes::BytesMut;
use futures::StreamExt as _;
use http::{HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::{
    accept::{Accepted, Wish},
    sessions::Streamed,
};
use crate::masking::Masking;

pub const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: &str = "text/event-stream";
/// Not changed by anything on the way, and not collected by proxies before it is passed on (nginx).
const NO_TRANSFORM: HeaderValue = HeaderValue::from_static("no-cache, no-transform");
const NO_BUFFERING: HeaderValue = HeaderValue::from_static("no");

/// How long a client that also reads streams waits for an object.
pub const MOMENT: Duration = Duration::from_millis(300);

/// Longest error that rmcp writes, in bytes: it quotes what a request says.
const ERROR: usize = 1 << 20;

/// An error that rmcp wrote, without what nobody should read: it quotes headers.
pub async fn masked(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes =
        http_body_util::Limited::new(body, ERROR).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let Ok(mut message) = serde_json::from_slice::<Value>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    if message.get_mut("error").is_none_or(|error| Masking::of_process().mask(error) == 0) {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(message.to_string()))
}

/// The form in which a client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An object, whatever else there was to say.
    Object,
    /// An object, unless there is more to say.
    Either,
    /// An object if it is there in a moment, and there is no more to say.
    Soon,
    Stream,
}

impl Form {
    /// The form for what a client takes. None: it takes neither.
    pub fn of(accepted: Accepted) -> Option<Self> {
        Some(match (accepted.json, accepted.events) {
            (Wish::No, Wish::No) => return None,
            (Wish::No, _) => Self::Stream,
            (_, Wish::No) => Self::Object,
            _ if accepted.rather_events => Self::Stream,
            (_, Wish::Any) => Self::Either,
            (_, Wish::Named) => Self::Soon,
        })
    }
}

/// What could not be said in an object.
#[derive(Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// The server asks the client something.
    Question,
    /// The request was cancelled, and has no answer.
    Nothing,
}

/// The answer in the form that the client wants. `streamed` is told where it is a stream.
///
/// # Errors
/// There is no such form of it.
pub async fn shaped(response: Response, form: Form, streamed: &Streamed) -> Result<Response, Unsaid> {
    if !is_stream(&response) {
        return Ok(response);
    }
    if form == Form::Stream {
        streamed.set();
        return Ok(response);
    }
    let (mut parts, mut body) = response.into_parts();
    let mut read = Read::default();
    let moment = tokio::time::sleep(MOMENT);
    tokio::pin!(moment);
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = moment.as_mut(), if form == Form::Soon => break,
        };
        let Some(Ok(frame)) = frame else {
            if form == Form::Object {
                return Err(Unsaid::Nothing);
            }
            break;
        };
        let Ok(data) = frame.into_data() else { continue };
        read.bytes.extend_from_slice(&data);
        let mut more = false;
        while let Some(message) = read.message() {
            match kind(&message) {
                Kind::Response => {
                    parts.headers.insert(header::CONTENT_TYPE, JSON);
                    parts.headers.remove(header::CACHE_CONTROL);
                    parts.headers.remove("x-accel-buffering");
                    return Ok(Response::from_parts(parts, Body::from(message)));
                }
                Kind::Request if form == Form::Object => return Err(Unsaid::Question),
                Kind::Request | Kind::Notification => more = form != Form::Object,
            }
        }
        if more {
            break;
        }
    }
    streamed.set();
    let begun = futures::stream::iter([Ok::<_, axum::Error>(read.bytes.freeze())]);
    let body = Body::from_stream(begun.chain(body.into_data_stream()));
    Ok(Response::from_parts(parts, body))
}

/// Lets every stream of events through what stands in between, and to whoever reads events that have data only.
pub fn unbuffered(mut response: Response) -> Response {
    if !is_stream(&response) {
        return response;
    }
    response.headers_mut().insert(header::CACHE_CONTROL, NO_TRANSFORM);
    response.headers_mut().insert("x-accel-buffering", NO_BUFFERING);
    response.map(|body| Body::from_stream(body.into_data_stream().map(|piece| piece.map(with_data))))
}

/// An event with a field of data, which an event without message lacks. Readers of events pass over one that has none, and
/// with it over the id from which they would ask for the rest.
fn with_data(piece: Bytes) -> Bytes {
    let is_event =
        piece.ends_with(b"\n\n") && [&b"id:"[..], b"retry:", b"event:"].iter().any(|of| piece.starts_with(of));
    let mut lines = piece.split(|byte| *byte == b'\n');
    match is_event && !lines.any(|line| line.starts_with(b"data:")) {
        true => [b"data: \n", &piece[..]].concat().into(),
        false => piece,
    }
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    response.status() == StatusCode::OK && kind.is_some_and(|kind| kind.as_bytes().starts_with(EVENTS.as_bytes()))
}

/// What was read of a stream, and where its next event begins.
#[derive(Default)]
struct Read {
    bytes: BytesMut,
    next: usize,
    /// Up to where no end of an event was found.
    searched: usize,
}

impl Read {
    /// The message of the next whole event that has one.
    fn message(&mut self) -> Option<Bytes> {
        loop {
            let from = self.searched.max(self.next);
            let end = self.bytes.get(from..)?.windows(2).position(|pair| pair == b"\n\n");
            let Some(end) = end.map(|end| from + end) else {
                self.searched = self.bytes.len().saturating_sub(1);
                return None;
            };
            let event = self.bytes.get(self.next..end)?;
            let data: Vec<&[u8]> = event.split(|byte| *byte == b'\n').filter_map(data).collect();
            let message = data.join(&b'\n');
            self.next = end + 2;
            if !message.is_empty() {
                return Some(message.into());
            }
        }
    }
}

/// What stands in a line of data.
fn data(line: &[u8]) -> Option<&[u8]> {
    let data = line.strip_prefix(b"data:")?;
    Some(data.strip_prefix(b" ").unwrap_or(data))
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Response,
    Request,
    Notification,
}

fn kind(message: &[u8]) -> Kind {
    #[derive(Deserialize)]
    struct Message {
        method: Option<IgnoredAny>,
        id: Option<IgnoredAny>,
    }
    match serde_json::from_slice::<Message>(message) {
        Ok(Message { method: None, .. }) => Kind::Response,
        Ok(Message { id: Some(_), .. }) => Kind::Request,
        _ => Kind::Notification,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const NOTE: &str = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#;
    const QUESTION: &str = r#"{"jsonrpc":"2.0","id":0,"method":"sampling/createMessage","params":{}}"#;
    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"method":"x"}}"#;
    const FAILURE: &str = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"x"}}"#;

    fn event(message: &str) -> String {
        format!("data: {message}\nid: 1/1\n\n")
    }

    /// An answer in pieces; a pause stands for a while in which nothing comes.
    fn answer(pieces: Vec<String>) -> Response {
        let pieces = futures::stream::iter(pieces).then(|piece| async move {
            if piece == "pause" {
                tokio::time::sleep(MOMENT * 3).await;
                return Ok::<_, Infallible>(Bytes::new());
            }
            Ok(piece.into())
        });
        Response::builder().header("content-type", EVENTS).body(Body::from_stream(pieces)).unwrap()
    }

    async fn shape(pieces: Vec<String>, form: Form) -> (Result<String, Unsaid>, bool) {
        let streamed = Streamed::default();
        let response = match shaped(answer(pieces), form, &streamed).await {
            Ok(response) => unbuffered(response),
            Err(unsaid) => return (Err(unsaid), false),
        };
        let stream = is_stream(&response);
        assert_eq!(response.headers().contains_key("x-accel-buffering"), stream);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (Ok(String::from_utf8(body.into()).unwrap()), stream)
    }

    #[test]
    fn every_event_has_a_field_of_data() {
        for (event, told) in [
            ("id: 0/1\nretry: 3000\n\n", "data: \nid: 0/1\nretry: 3000\n\n"),
            ("retry: 3000\n\n", "data: \nretry: 3000\n\n"),
            ("id: 1/1\ndata: {}\n\n", "id: 1/1\ndata: {}\n\n"),
            ("data: {}\nid: 1/1\n\n", "data: {}\nid: 1/1\n\n"),
            (": alive\n\n", ": alive\n\n"),
        ] {
            assert_eq!(with_data(event.into()), told);
        }
    }

    #[tokio::test]
    async fn an_answer_is_an_object_where_nothing_was_streamed() {
        let priming = || "data:\nid: 0/1\nretry: 3000\n\n".to_owned();
        let pause = || "pause".to_owned();
        let all = [Form::Object, Form::Either, Form::Soon];
        // Cut anywhere.
        let halves = |text: String| text.chars().map(String::from).collect::<Vec<_>>();
        let both = || halves(priming() + &event(ANSWER));
        for form in all {
            assert_eq!(shape(both(), form).await, (Ok(ANSWER.into()), false), "{form:?}");
            assert_eq!(shape(vec![event(FAILURE)], form).await, (Ok(FAILURE.into()), false), "{form:?}");
        }
        assert_eq!(shape(both(), Form::Stream).await, (Ok(priming() + &event(ANSWER)), true));
        let slow = || vec![priming(), pause(), event(ANSWER)];
        let (soon, either) = tokio::join!(shape(slow(), Form::Soon), shape(slow(), Form::Either));
        assert_eq!((soon, either), ((Ok(priming() + &event(ANSWER)), true), (Ok(ANSWER.into()), false)));
        let more = || vec![event(NOTE), event(ANSWER)];
        for form in [Form::Either, Form::Soon] {
            assert_eq!(shape(more(), form).await, (Ok(event(NOTE) + &event(ANSWER)), true), "{form:?}");
            assert_eq!(shape(vec![event(QUESTION)], form).await, (Ok(event(QUESTION)), true), "{form:?}");
        }
        assert_eq!(shape(more(), Form::Object).await, (Ok(ANSWER.into()), false), "the rest is not said");
        assert_eq!(shape(vec![event(QUESTION)], Form::Object).await, (Err(Unsaid::Question), false));
        assert_eq!(shape(vec![priming()], Form::Object).await, (Err(Unsaid::Nothing), false));
    }
}
