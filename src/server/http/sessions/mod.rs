//! All sessions over HTTP, of the revisions before 2026-07-28: each is one entry that owns who it is of, who answers in it,
//! the ids of its requests, its calls and its streams. Tasks are of no session: 2026-07-28, which has them, has none.
//!
//! Clients open sessions and forget them. Where there is no room for another one, the client that has the most loses the
//! one that it used longest ago: who opens too many shuts out nobody but themselves.

mod kept;
mod manager;

use std::{
    future::Future,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::body::Bytes;
use rmcp::{
    model::{ProtocolVersion, RequestId, ServerJsonRpcMessage},
    transport::streamable_http_server::session::{
        SessionId, SessionManager as _,
        local::{LocalSessionManager, SessionConfig},
    },
};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    direct::Answers,
    events::{Events, Place, Reader},
};
use crate::{engine::Owner, server::wire::WITH_BATCHES};
use kept::{Kept, OfSession};

pub use manager::Streamed;

/// A channel that no session of rmcp has.
const NO_CHANNEL: u64 = u64::MAX;

/// The sessions of a server.
pub struct Sessions {
    inner: LocalSessionManager,
    kept: Arc<Mutex<Kept>>,
    /// How long a session may be idle.
    idle: Duration,
}

/// A call of a session that is answered where it arrived; forgotten when dropped.
pub struct Running {
    sessions: Arc<Sessions>,
    session: SessionId,
    /// Ids of requests are not enough: a client that was cut off may use one again while its call goes on.
    number: u64,
}

impl Running {
    pub fn session(&self) -> (Arc<Sessions>, SessionId) {
        (self.sessions.clone(), self.session.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut kept = locked(&self.sessions.kept);
        kept.touch(&self.session);
        if let Some((_, gone)) = kept.of.get_mut(&self.session).and_then(|of| of.calls.remove(&self.number)) {
            gone.disarm();
        }
    }
}

/// The ends of a session that is one stream (2024-11-05).
#[derive(Debug, Clone)]
pub struct Pipe {
    /// Messages of the client.
    pub inbox: mpsc::Sender<io::Result<Bytes>>,
    /// Lines to the client.
    pub outbox: mpsc::Sender<Vec<u8>>,
    /// Somebody was refused who named this stream.
    pub ask_again: Arc<Notify>,
}

/// A session that is one stream, while it is served; forgotten when dropped.
pub struct Piped {
    sessions: Arc<Sessions>,
    id: SessionId,
}

impl Drop for Piped {
    fn drop(&mut self) {
        locked(&self.sessions.kept).of.remove(&self.id);
    }
}

/// The id of a request that is not answered yet; free again when dropped.
pub struct Taken {
    sessions: Arc<Sessions>,
    session: SessionId,
    id: RequestId,
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(of) = locked(&self.sessions.kept).of.get_mut(&self.session) {
            of.taken.remove(&self.id);
        }
    }
}

fn locked(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    pub fn new(idle: Duration) -> Self {
        let mut inner = LocalSessionManager::default();
        inner.session_config = SessionConfig::default();
        inner.session_config.keep_alive = Some(idle);
        inner.session_config.sse_retry = None;
        Self { inner, kept: Arc::default(), idle }
    }

    /// Begins a call that is answered where it arrived; `gone` is cancelled when its client does not want it any more.
    /// None: there is no such session, or its client is not known yet.
    pub fn begin(
        self: &Arc<Self>,
        id: &SessionId,
        call: &RequestId,
        gone: CancellationToken,
    ) -> Option<(Answers, Running)> {
        let mut kept = locked(&self.kept);
        kept.touch(id);
        let number = kept.uses;
        let of = kept.of.get_mut(id)?;
        let answers = of.answers.clone()?;
        of.calls.insert(number, (call.clone(), gone.drop_guard()));
        if of.told.is_none_or(|told| told.elapsed() > self.idle / 8) {
            of.told = Some(Instant::now());
            tokio::spawn(self.clone().is_used(id.clone()));
        }
        Some((answers, Running { sessions: self.clone(), session: id.clone(), number }))
    }

    /// Lets rmcp know that a session is used, which it would end otherwise: it sees no more than passes through it.
    async fn is_used(self: Arc<Self>, id: SessionId) {
        let handle = self.inner.sessions.read().await.get(&id).cloned();
        if let Some(handle) = handle
            && let Err(error) = handle.close_request_wise_channel(NO_CHANNEL).await
        {
            tracing::debug!(%error, "a session ended while it was used");
        }
    }

    /// The stream of a call that brings its answer later, or none.
    pub fn follow(
        &self,
        id: &SessionId,
        answer: impl Future<Output = Option<ServerJsonRpcMessage>> + Send + 'static,
    ) -> Reader {
        let (events, primed) = locked(&self.kept).open(id, None);
        let reader = events.reader(primed);
        let (kept, id) = (self.kept.clone(), id.clone());
        tokio::spawn(async move {
            if let Some(message) = answer.await {
                events.push(Arc::new(message)).await;
            }
            events.end();
            let size = events.is_answered().then(|| events.size());
            locked(&kept).end(&id, events.stream, size);
        });
        reader
    }

    /// Cancels a call that is answered where it arrived, if it is one.
    pub fn cancel(&self, id: &str, call: &RequestId) {
        if let Some(of) = locked(&self.kept).of.get_mut(id) {
            of.calls.retain(|_, (running, _)| running != call);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        locked(&self.kept).of.len()
    }

    /// Whether there is a session of Streamable HTTP: one in which a refusal is an answer like any other.
    pub fn exists(&self, id: &str) -> bool {
        locked(&self.kept).of.get(id).is_some_and(|of| of.pipe.is_none())
    }

    /// Whether a session exists for a caller with a credential.
    pub fn is_of(&self, id: &str, caller: &Owner) -> bool {
        locked(&self.kept).of.get(id).is_some_and(|of| of.owner.as_ref() == Some(caller))
    }

    /// Takes the id of a request within its session. `Ok(None)`: there is no such session, which others say.
    ///
    /// # Errors
    /// It is taken.
    pub fn take(self: &Arc<Self>, session: &SessionId, id: &RequestId) -> Result<Option<Taken>, ()> {
        let mut kept = locked(&self.kept);
        let Some(of) = kept.of.get_mut(session) else { return Ok(None) };
        match of.taken.insert(id.clone()) {
            true => Ok(Some(Taken { sessions: self.clone(), session: session.clone(), id: id.clone() })),
            false => Err(()),
        }
    }

    /// Opens a session that is one stream.
    pub fn open_pipe(self: &Arc<Self>, id: &str, pipe: Pipe, owner: Option<Owner>) -> Piped {
        let id: SessionId = id.into();
        let of = OfSession { owner, pipe: Some(pipe), ..OfSession::default() };
        locked(&self.kept).of.insert(id.clone(), of);
        Piped { sessions: self.clone(), id }
    }

    /// The ends of a session that is one stream.
    pub fn pipe(&self, id: &str) -> Option<Pipe> {
        locked(&self.kept).of.get(id)?.pipe.clone()
    }

    /// The client of a session that is one stream has asked for a revision.
    pub fn begins(&self, id: &str, revision: &ProtocolVersion) {
        if let Some(of) = locked(&self.kept).of.get_mut(id) {
            of.batches = *revision == WITH_BATCHES;
        }
    }

    /// Ends a session for one that a client opens, if one has to give way to it.
    pub async fn give_way(&self, client: &str) -> bool {
        let Some(id) = locked(&self.kept).give_way(client) else { return false };
        tracing::debug!("a session that was not in use gave way to a new one");
        if let Err(error) = self.inner.close_session(&id).await {
            tracing::debug!(%error, "the session had ended already");
        }
        true
    }

    pub fn take_batches(&self, id: &str) -> bool {
        locked(&self.kept).of.get(id).is_some_and(|of| of.batches)
    }

    /// Cancels a call whose answer nobody can be given.
    pub async fn take_back(&self, id: &str, call: &Value) {
        let params = json!({ "requestId": call, "reason": "its answer has no form that the client takes" });
        let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
        if let Ok(cancelled) = serde_json::from_value(cancelled)
            && let Err(error) = self.accept_message(&id.into(), cancelled).await
        {
            tracing::debug!(%error, "a session ended before its call was cancelled");
        }
    }

    /// Whether a client can be given all that came after an event.
    pub fn can_resume(&self, id: &str, last_event_id: &str) -> bool {
        self.after(id, last_event_id).is_some()
    }

    fn after(&self, id: &str, last_event_id: &str) -> Option<(Arc<Events>, u64)> {
        let place: Place = last_event_id.trim().parse().ok()?;
        let mut kept = locked(&self.kept);
        kept.forget();
        kept.touch(id);
        let events = kept.of.get(id)?.streams.get(&place.stream)?.clone();
        events.has_all_after(place.event).then_some((events, place.event))
    }
}
