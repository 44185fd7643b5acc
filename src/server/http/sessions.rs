//! The sessions of the revisions before 2026-07-28, and what their clients can come back for.
//!
//! rmcp keeps the sessions. It forgets a call's events when the call ends, and answers whoever comes back for them with
//! an empty stream, for ever; so the streams are kept here, in [`Events`]. What a call ended with stays for a while,
//! bounded in time and in bytes over all sessions. Priming events are for sessions of 2025-11-25 only: earlier clients
//! read an event without a message as a broken one.
//!
//! Clients open sessions and forget them. Where there is no room for another one, the client that has the most loses the
//! one that it used longest ago: who opens too many shuts out nobody but themselves.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ::http::request::Parts;
use futures::{Stream, StreamExt as _};
use rmcp::{
    model::{ClientJsonRpcMessage, GetExtensions as _, ProtocolVersion, ServerJsonRpcMessage, ServerResult},
    transport::streamable_http_server::session::{
        ServerSseMessage, SessionId, SessionManager,
        local::{LocalSessionManager, LocalSessionManagerError, SessionConfig},
    },
};

use serde_json::{Value, json};

use super::events::{Events, Place, STANDALONE};
use crate::server::wire::WITH_BATCHES;

/// How long the events of a call that has ended are kept.
const KEPT: Duration = Duration::from_secs(120);
/// Most bytes of them, over all sessions.
const MAX_BYTES: usize = 16 << 20;

/// The sessions of a server.
pub struct Sessions {
    inner: LocalSessionManager,
    streams: Arc<Mutex<Streams>>,
}

#[derive(Default)]
struct Streams {
    of: HashMap<SessionId, OfSession>,
    /// Calls that have ended, the oldest first, with their bytes.
    ended: VecDeque<(Instant, SessionId, u64, usize)>,
    bytes: usize,
    /// How often a session was used.
    uses: u64,
}

#[derive(Default)]
struct OfSession {
    /// Who opened it; none until it is open.
    client: Option<String>,
    /// The last use of it, among those of all sessions.
    used: u64,
    /// Whether its client knows priming events.
    primed: bool,
    /// Whether its revision has batches.
    batches: bool,
    streams: HashMap<u64, Arc<Events>>,
    last: u64,
}

/// Why a session does not do what is wanted.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Local(#[from] LocalSessionManagerError),
    #[error("the events are not kept any more")]
    Lost,
}

/// Says in a request whether its answer was sent as a stream, of which a client may want the rest.
#[derive(Debug, Clone, Default)]
pub struct Streamed(Arc<AtomicBool>);

impl Streamed {
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn of(message: &ClientJsonRpcMessage) -> Self {
        parts(message).and_then(|parts| parts.extensions.get::<Self>()).cloned().unwrap_or_default()
    }
}

/// The HTTP request that brought a request.
fn parts(message: &ClientJsonRpcMessage) -> Option<&Parts> {
    let ClientJsonRpcMessage::Request(request) = message else { return None };
    request.request.extensions().get::<Parts>()
}

fn locked(streams: &Mutex<Streams>) -> MutexGuard<'_, Streams> {
    streams.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    pub fn new(idle: Duration) -> Self {
        let mut inner = LocalSessionManager::default();
        inner.session_config = SessionConfig::default();
        inner.session_config.keep_alive = Some(idle);
        inner.session_config.sse_retry = None;
        Self { inner, streams: Arc::default() }
    }

    /// How many there are. None: somebody holds them at this moment.
    pub fn try_len(&self) -> Option<usize> {
        self.inner.sessions.try_read().ok().map(|sessions| sessions.len())
    }

    pub async fn len(&self) -> usize {
        self.inner.sessions.read().await.len()
    }

    pub async fn exists(&self, id: &str) -> bool {
        self.inner.sessions.read().await.contains_key(id)
    }

    /// As [`Self::exists`], without a wait, and for a moment longer where it ends.
    pub fn is_open(&self, id: &str) -> bool {
        locked(&self.streams).of.contains_key(id)
    }

    /// Ends a session for one that a client opens, if one has to give way to it.
    pub async fn give_way(&self, client: &str) -> bool {
        let Some(id) = locked(&self.streams).give_way(client) else { return false };
        tracing::debug!("a session that was not in use gave way to a new one");
        if let Err(error) = self.inner.close_session(&id).await {
            tracing::debug!(%error, "the session had ended already");
        }
        true
    }

    pub fn take_batches(&self, id: &str) -> bool {
        locked(&self.streams).of.get(id).is_some_and(|of| of.batches)
    }

    /// Cancels a call whose answer nobody can be given.
    pub async fn cancel(&self, id: &str, call: &Value) {
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
        let mut streams = locked(&self.streams);
        streams.forget();
        streams.touch(id);
        let events = streams.of.get(id)?.streams.get(&place.stream)?.clone();
        events.has_all_after(place.event).then_some((events, place.event))
    }
}

impl Streams {
    fn touch(&mut self, id: &str) {
        self.uses += 1;
        if let Some(of) = self.of.get_mut(id) {
            of.used = self.uses;
        }
    }

    /// Takes out the session that gives way to a new one of a client: of those in which nothing goes on and whose client
    /// has more than this one, or is this one, that of the client with the most that was used longest ago.
    fn give_way(&mut self, client: &str) -> Option<SessionId> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for client in self.of.values().filter_map(|of| of.client.as_deref()) {
            *counts.entry(client).or_default() += 1;
        }
        let count = |client: &str| counts.get(client).copied().unwrap_or_default();
        let least = count(client);
        let idle = self.of.iter().filter(|(_, of)| !of.streams.values().any(|events| events.is_in_use()));
        let found = idle.filter_map(|(id, of)| {
            let whose = of.client.as_deref()?;
            let own = whose == client;
            (own || count(whose) > least).then(|| ((count(whose), own, Reverse(of.used)), id))
        });
        let id = found.max_by_key(|(rank, _)| *rank).map(|(_, id)| id.clone())?;
        self.of.remove(&id);
        Some(id)
    }

    /// A stream of a session, a new one where none is named; and whether the session is primed. Nothing is kept of a
    /// session that has just been closed.
    fn open(&mut self, id: &SessionId, stream: Option<u64>) -> (Arc<Events>, bool) {
        self.touch(id);
        let Some(of) = self.of.get_mut(id) else { return (Events::new(STANDALONE), false) };
        let stream = stream.unwrap_or_else(|| {
            of.last += 1;
            of.last
        });
        (of.streams.entry(stream).or_insert_with(|| Events::new(stream)).clone(), of.primed)
    }

    /// A call has ended: its events are kept where a client may come back for them.
    fn end(&mut self, id: &SessionId, stream: u64, size: Option<usize>) {
        self.touch(id);
        match size {
            Some(size) if size <= MAX_BYTES => {
                self.bytes += size;
                self.ended.push_back((Instant::now(), id.clone(), stream, size));
                self.forget();
            }
            _ => self.close(id, stream),
        }
    }

    fn close(&mut self, id: &SessionId, stream: u64) {
        if let Some(of) = self.of.get_mut(id) {
            of.streams.remove(&stream);
        }
    }

    /// Forgets the calls that ended too long ago, and the oldest where there are too many bytes.
    fn forget(&mut self) {
        while let Some((ended, ..)) = self.ended.front()
            && (self.bytes > MAX_BYTES || ended.elapsed() > KEPT)
            && let Some((_, id, stream, size)) = self.ended.pop_front()
        {
            self.bytes -= size;
            self.close(&id, stream);
        }
    }
}

/// Keeps the events of a stream as they come.
async fn follow(inner: impl Stream<Item = ServerSseMessage>, events: &Events) {
    let mut inner = std::pin::pin!(inner);
    while let Some(event) = inner.next().await {
        if let Some(message) = event.message {
            events.push(message).await;
        }
    }
    events.end();
}

impl SessionManager for Sessions {
    type Error = SessionError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), SessionError> {
        let (id, transport) = self.inner.create_session().await?;
        locked(&self.streams).of.insert(id.clone(), OfSession::default());
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, SessionError> {
        let client = parts(&message).map(|parts| super::client(&parts.extensions));
        let answer = self.inner.initialize_session(id, message).await?;
        locked(&self.streams).touch(id);
        if let ServerJsonRpcMessage::Response(response) = &answer
            && let ServerResult::InitializeResult(result) = &response.result
            && let Some(of) = locked(&self.streams).of.get_mut(id)
        {
            of.client = Some(client.unwrap_or_default());
            of.primed = result.protocol_version.as_str() >= ProtocolVersion::V_2025_11_25.as_str();
            of.batches = result.protocol_version == WITH_BATCHES;
        }
        Ok(answer)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, SessionError> {
        Ok(self.inner.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), SessionError> {
        locked(&self.streams).of.remove(id);
        Ok(self.inner.close_session(id).await?)
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let streamed = Streamed::of(&message);
        let inner = self.inner.create_stream(id, message).await?;
        let (events, primed) = locked(&self.streams).open(id, None);
        let reader = events.reader(primed);
        let (streams, id) = (self.streams.clone(), id.clone());
        tokio::spawn(async move {
            follow(inner, &events).await;
            // What has been cancelled ends without an answer: whoever came back for one would come for ever.
            let kept = streamed.0.load(Ordering::Acquire) && events.is_answered();
            let size = kept.then(|| events.size());
            locked(&streams).end(&id, events.stream, size);
        });
        Ok(reader)
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), SessionError> {
        locked(&self.streams).touch(id);
        Ok(self.inner.accept_message(id, message).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let (followed, (events, primed)) = {
            let mut streams = locked(&self.streams);
            let followed = streams.of.get(id).is_some_and(|of| of.streams.contains_key(&STANDALONE));
            (followed, streams.open(id, Some(STANDALONE)))
        };
        if !followed {
            // From the first time on that somebody wants it; rmcp has kept what came before.
            let inner = self.inner.create_standalone_stream(id).await?;
            let events = events.clone();
            tokio::spawn(async move { follow(inner, &events).await });
        }
        Ok(events.reader(primed))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let (events, event) = self.after(id, &last_event_id).ok_or(SessionError::Lost)?;
        Ok(events.reader_after(event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(streams: &mut Streams, id: &str, client: &str) {
        streams.of.insert(id.into(), OfSession { client: Some(client.into()), ..OfSession::default() });
        streams.touch(id);
    }

    #[test]
    fn whoever_has_the_most_sessions_gives_way_and_nobody_to_the_greedy() {
        let mut streams = Streams::default();
        let mut open = |id: &str, client: &str| opened(&mut streams, id, client);
        ["g1", "g2", "g3", "g4"].into_iter().for_each(|id| open(id, "greedy"));
        ["a1", "a2"].into_iter().for_each(|id| open(id, "a"));
        streams.of.insert("opening".into(), OfSession::default());
        streams.touch("g1");
        // A call that goes on, and one that has ended.
        let (call, _) = streams.open(&"g3".into(), None);
        let mut gives_way = |client: &str| streams.give_way(client).map(|id| id.to_string());
        assert_eq!(gives_way("greedy").as_deref(), Some("g2"), "its own, the one used longest ago");
        assert_eq!(gives_way("b").as_deref(), Some("g4"), "in g3 a call goes on, and g1 was used since");
        assert_eq!(gives_way("a").as_deref(), Some("a1"), "both have two: it is its own");
        assert_eq!(gives_way("b").as_deref(), Some("g1"));
        assert_eq!(gives_way("greedy").as_deref(), None, "another has no more than it has");
        assert_eq!(gives_way("b").as_deref(), Some("a2"));
        assert_eq!(gives_way("b").as_deref(), None, "what is in use stays, and what is being opened");
        call.end();
        assert_eq!(gives_way("greedy").as_deref(), Some("g3"));
        opened(&mut streams, "s", "c");
        let (standalone, _) = streams.open(&"s".into(), Some(STANDALONE));
        let reader = standalone.reader(false);
        assert_eq!(streams.give_way("c"), None, "its stream is read");
        drop(reader);
        assert_eq!(streams.give_way("c").as_deref(), Some("s"));
    }

    #[test]
    fn what_is_kept_is_bounded_in_bytes() {
        let mut streams = Streams::default();
        let id: SessionId = "a".into();
        streams.of.insert(id.clone(), OfSession::default());
        let numbers: Vec<u64> = (0..5).map(|_| streams.open(&id, None).0.stream).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5]);
        streams.end(&id, 1, Some(MAX_BYTES / 2));
        streams.end(&id, 2, Some(MAX_BYTES / 2));
        streams.end(&id, 3, Some(1));
        streams.end(&id, 4, None);
        streams.end(&id, 5, Some(MAX_BYTES + 1));
        let mut kept: Vec<u64> = streams.of[&id].streams.keys().copied().collect();
        kept.sort_unstable();
        assert_eq!(kept, [2, 3], "the oldest goes first; nothing is kept of what was no stream, or is too large");
        assert_eq!(streams.bytes, MAX_BYTES / 2 + 1);
    }
}
