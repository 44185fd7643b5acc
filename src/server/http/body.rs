//! The bodies of requests: read whole, within the limits of size and time, and only as they stand.

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::{Shared, front::refusal};
use crate::server::ids::IdScanner;

/// Why a body is not read.
pub enum Unread {
    /// It is too long; with the id of its message.
    Oversized(Value),
    Refused(Response),
}

/// The whole body, within the limits of size and time.
pub async fn read(mut body: Body, shared: &Shared) -> Result<Bytes, Unread> {
    let mut bytes = Bytes::new();
    // For all of it: one byte a second would otherwise do for hours.
    let deadline = tokio::time::Instant::now() + shared.options.idle_timeout;
    loop {
        let frame = match tokio::time::timeout_at(deadline, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => return Ok(bytes),
            Ok(Some(Err(error))) => {
                let message = format!("the body cannot be read: {error}");
                return Err(Unread::Refused(refusal(StatusCode::BAD_REQUEST, &Value::Null, &message)));
            }
            Err(_) => {
                let what = "the body did not arrive in time (server.http.idle_timeout)";
                let mut response = refusal(StatusCode::REQUEST_TIMEOUT, &Value::Null, what);
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                return Err(Unread::Refused(response));
            }
        };
        let Ok(data) = frame.into_data() else { continue };
        // Mostly it comes in one piece, which is not copied.
        bytes = match bytes.is_empty() {
            true => data,
            false => {
                let mut more = BytesMut::from(bytes);
                more.extend_from_slice(&data);
                more.freeze()
            }
        };
        if bytes.len() > shared.max_message_size {
            return Err(Unread::Oversized(IdScanner::of(&bytes).id()));
        }
        if body.is_end_stream() {
            return Ok(bytes);
        }
    }
}

/// The refusal of a body that is compressed (RFC 9110, 15.5.16): read as it stands it would be no JSON.
pub fn encoded(headers: &HeaderMap) -> Option<Response> {
    if !headers.contains_key(header::CONTENT_ENCODING) {
        return None;
    }
    let said = headers.get_all(header::CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let said = said.filter(|said| !said.trim().is_empty() && !said.trim().eq_ignore_ascii_case("identity"));
    let said = crate::template::bare(&said.collect::<Vec<_>>().join(", "), 60);
    if said.is_empty() {
        return None;
    }
    let what = format!("the body is encoded (`Content-Encoding: {said}`), which is not read here: send it as it is");
    let mut response = refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, &Value::Null, &what);
    response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    // What was sent is not read.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Some(response)
}
