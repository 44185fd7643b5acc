//! Who asks: every request on the path of the protocol is somebody's.
//!
//! The principal goes into the request's extensions, where the server finds it. A session of the revisions that have
//! sessions belongs to whoever opened it: for others it does not exist.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use ::http::{HeaderMap, StatusCode, header};
use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use futures::StreamExt as _;
use serde_json::json;
use tokio::sync::Notify;

use super::{Shared, session, with_and_without_slash};
use crate::{
    engine::Principal,
    server::identity::{At, Denied, Identity, METADATA},
};

/// JSON-RPC code of a refusal: Invalid Request, as of all that is refused before its method is looked at.
const REFUSED: i32 = -32600;

/// Finds out who asks, and says so in the request. Some: it is refused.
pub async fn refused(shared: &Shared, identity: &Identity, request: &mut Request) -> Option<Response> {
    let (arrived, peer) = (Instant::now(), request.extensions().get::<SocketAddr>().copied());
    let on_stream = shared.is_sse(request);
    let at = if on_stream { At::Stream } else { At::Protocol };
    let principal = match identity.authenticate_at(request.headers(), at).await {
        Ok(principal) => principal,
        Err(denied) => {
            if let Some(stream) = session(request.headers()).filter(|_| on_stream) {
                // Its client waits there, and nobody has read for which answer.
                if let Some(pipe) = shared.sessions.pipe(&stream) {
                    pipe.ask_again.notify_one();
                }
            }
            shared.denied(peer, None, denied.status, arrived).await;
            return Some(refusal(denied));
        }
    };
    // Without a credential nobody is asked yet.
    if principal.has_credential()
        && let Some(session) = session(request.headers())
        && !shared.sessions.is_of(&session, &principal.owner())
    {
        let message = "this session does not exist, has ended or is somebody else's; begin a new one".into();
        let denied = Denied { status: StatusCode::NOT_FOUND, challenge: None, message };
        shared.denied(peer, principal.subject, denied.status, arrived).await;
        return Some(refusal(denied));
    }
    request.extensions_mut().insert::<Principal>(principal);
    None
}

/// How often it is asked whether a stream may last.
const ASKED_AGAIN: Duration = Duration::from_secs(5);

/// Ends when the credential that opened a stream opens none any more: it was revoked, or has expired. Asks now and then,
/// and when it is told to.
pub async fn may_stay(identity: Option<Arc<Identity>>, headers: HeaderMap, at: At, ask_again: Arc<Notify>) {
    let Some(identity) = identity else { return std::future::pending().await };
    loop {
        let _ = tokio::time::timeout(ASKED_AGAIN, ask_again.notified()).await;
        let denied = identity.authenticate_at(&headers, at).await.err();
        // What cannot be told at present is asked again.
        if denied.is_some_and(|denied| denied.status.is_client_error()) {
            return;
        }
    }
}

/// An answer that lasts, as long as its caller may come in.
pub fn while_allowed(identity: Option<&Arc<Identity>>, headers: HeaderMap, response: Response) -> Response {
    let Some(identity) = identity.filter(|_| response.status().is_success()) else { return response };
    let may_stay = may_stay(Some(identity.clone()), headers, At::Protocol, Arc::default());
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, Body::from_stream(body.into_data_stream().take_until(Box::pin(may_stay))))
}

/// Tells clients where to get an access token (RFC 9728): where a challenge sends them, and at the places where they look
/// of their own accord.
pub fn describe<S: Clone + Send + Sync + 'static>(
    mut router: Router<S>,
    identity: &Identity,
    path: &str,
    sse_path: Option<&str>,
) -> Router<S> {
    let mut taken: Vec<String> = Vec::new();
    for (at, own) in [(At::Protocol, vec!["", path]), (At::Stream, sse_path.into_iter().collect())] {
        let Some((metadata, resource)) = identity.resource_metadata(at) else { continue };
        let answer = axum::routing::get(move || async move { axum::Json(metadata) });
        let mut places: Vec<String> =
            own.iter().copied().chain([&*resource]).flat_map(with_and_without_slash).collect();
        if at == At::Protocol {
            places.push(String::new());
        }
        // What a router would read as a placeholder.
        places.retain(|place| !place.split('/').any(|part| part.starts_with([':', '*'])));
        for place in places {
            if !taken.contains(&place) {
                router = router.route(&format!("{METADATA}{place}"), answer.clone());
                taken.push(place);
            }
        }
    }
    router
}

/// The answer to a request that is not served: nobody knows its id yet.
fn refusal(denied: Denied) -> Response {
    let error = json!({ "code": REFUSED, "message": denied.message });
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": error });
    let mut response = (denied.status, axum::Json(body)).into_response();
    if let Some(challenge) = denied.challenge {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
