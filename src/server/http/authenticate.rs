//! Who asks: every request on the path of the protocol is somebody's.
//!
//! The principal goes into the request's extensions, where the server finds it. A session of the revisions that have
//! sessions belongs to whoever opened it: for others it does not exist.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use ::http::{StatusCode, header};
use axum::{
    Router,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{session, with_and_without_slash};
use crate::{
    engine::{Owner, Principal},
    server::{
        audit::Audit,
        identity::{Denied, Identity, METADATA},
    },
};

/// JSON-RPC code of a refusal: Invalid Request, as of all that is refused before its method is looked at.
const REFUSED: i32 = -32600;
/// How long a session that nobody used is remembered; rmcp ends it long before.
const KEEP: Duration = Duration::from_secs(3600);
/// From how many sessions on the old ones are looked for.
const MANY: usize = 1024;

/// Asks for credentials, and remembers whose the sessions are.
pub struct Entrance {
    identity: Arc<Identity>,
    audit: Audit,
    owners: Mutex<Owners>,
}

#[derive(Default)]
struct Owners {
    by_session: HashMap<String, (Owner, Instant)>,
    /// Number of sessions at which old ones are looked for next.
    sweep_at: usize,
}

impl Entrance {
    pub fn new(identity: Arc<Identity>, audit: Audit) -> Arc<Self> {
        Arc::new(Self { identity, audit, owners: Mutex::default() })
    }

    fn owners(&self) -> std::sync::MutexGuard<'_, Owners> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Owners {
    fn open(&mut self, session: String, owner: Owner) {
        if self.by_session.len() >= self.sweep_at.max(MANY) {
            self.by_session.retain(|_, (_, used)| used.elapsed() < KEEP);
            self.sweep_at = self.by_session.len() * 2;
        }
        self.by_session.insert(session, (owner, Instant::now()));
    }

    /// Whether a session exists for its caller.
    fn is_of(&mut self, session: &str, caller: &Owner) -> bool {
        match self.by_session.get_mut(session) {
            Some((owner, used)) if owner == caller => {
                *used = Instant::now();
                true
            }
            _ => false,
        }
    }
}

/// The layer around the path of the protocol.
pub async fn authenticate(State(entrance): State<Arc<Entrance>>, mut request: Request, next: Next) -> Response {
    let (arrived, peer) = (Instant::now(), request.extensions().get::<SocketAddr>().copied());
    let principal = match entrance.identity.authenticate(request.headers()).await {
        Ok(principal) => principal,
        Err(denied) => {
            entrance.audit.denied(peer, None, denied.status, arrived).await;
            return refusal(denied);
        }
    };
    if !principal.has_credential() {
        // Nobody is asked yet.
        request.extensions_mut().insert::<Principal>(principal);
        return next.run(request).await;
    }
    let owner = principal.owner();
    let asked = session(request.headers());
    if let Some(session) = &asked
        && !entrance.owners().is_of(session, &owner)
    {
        let message = "this session does not exist, has ended or is somebody else's; begin a new one".into();
        let denied = Denied { status: StatusCode::NOT_FOUND, challenge: None, message };
        entrance.audit.denied(peer, principal.subject, denied.status, arrived).await;
        return refusal(denied);
    }
    request.extensions_mut().insert::<Principal>(principal);
    let ends = request.method() == ::http::Method::DELETE;
    let response = next.run(request).await;
    match (asked, session(response.headers())) {
        (None, Some(opened)) => entrance.owners().open(opened, owner),
        (Some(session), _) if response.status() == StatusCode::NOT_FOUND || ends && response.status().is_success() => {
            entrance.owners().by_session.remove(&session);
        }
        _ => {}
    }
    response
}

/// Tells clients where to get an access token (RFC 9728): where a challenge sends them, and at the places where they look
/// of their own accord.
pub fn describe<S: Clone + Send + Sync + 'static>(router: Router<S>, identity: &Identity, path: &str) -> Router<S> {
    let Some((metadata, resource)) = identity.resource_metadata() else { return router };
    let answer = axum::routing::get(move || async move { axum::Json(metadata) });
    let mut places: Vec<String> = ["", path, &resource].into_iter().flat_map(with_and_without_slash).collect();
    places.push(String::new());
    // What a router would read as a placeholder.
    places.retain(|place| !place.split('/').any(|part| part.starts_with([':', '*'])));
    places.sort();
    places.dedup();
    places.into_iter().fold(router, |router, place| router.route(&format!("{METADATA}{place}"), answer.clone()))
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
