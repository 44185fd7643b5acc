//! The sessions as rmcp sees them.
//!
//! rmcp keeps its part of the sessions. It forgets a call's events when the call ends, and answers whoever comes back for
//! them with an empty stream, for ever; so the streams are kept here, in [`Events`]. Priming events are for sessions of
//! 2025-11-25 only: earlier clients read an event without a message as a broken one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use ::http::request::Parts;
use futures::{Stream, StreamExt as _};
use rmcp::{
    model::{ClientJsonRpcMessage, GetExtensions as _, ProtocolVersion, ServerJsonRpcMessage, ServerResult},
    transport::streamable_http_server::session::{
        ServerSseMessage, SessionId, SessionManager,
        local::{LocalSessionManager, LocalSessionManagerError},
    },
};

use super::{
    super::{
        client,
        direct::Opening,
        events::{Events, STANDALONE},
    },
    Sessions,
    kept::OfSession,
    locked,
};
use crate::{engine::Principal, server::wire::WITH_BATCHES};

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
        locked(&self.kept).of.insert(id.clone(), OfSession::default());
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, SessionError> {
        let caller = parts(&message).map(|parts| client(&parts.extensions));
        let principal = parts(&message).and_then(|parts| parts.extensions.get::<Principal>());
        let owner = principal.filter(|principal| principal.has_credential()).map(Principal::owner);
        let opening = parts(&message).and_then(|parts| parts.extensions.get::<Opening>()).cloned();
        let answer = self.inner.initialize_session(id, message).await?;
        locked(&self.kept).touch(id);
        if let ServerJsonRpcMessage::Response(response) = &answer
            && let ServerResult::InitializeResult(result) = &response.result
            && let Some(of) = locked(&self.kept).of.get_mut(id)
        {
            (of.client, of.owner) = (Some(caller.unwrap_or_default()), owner);
            of.answers = opening.and_then(|opening| opening.answers());
            of.primed = result.protocol_version.as_str() >= ProtocolVersion::V_2025_11_25.as_str();
            of.batches = result.protocol_version == WITH_BATCHES;
        }
        Ok(answer)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, SessionError> {
        Ok(self.inner.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), SessionError> {
        locked(&self.kept).of.remove(id);
        Ok(self.inner.close_session(id).await?)
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let streamed = Streamed::of(&message);
        let inner = self.inner.create_stream(id, message).await?;
        let (events, primed) = locked(&self.kept).open(id, None);
        let reader = events.reader(primed);
        let (kept, id) = (self.kept.clone(), id.clone());
        tokio::spawn(async move {
            follow(inner, &events).await;
            // What has been cancelled ends without an answer: whoever came back for one would come for ever.
            let wanted = streamed.0.load(Ordering::Acquire) && events.is_answered();
            let size = wanted.then(|| events.size());
            locked(&kept).end(&id, events.stream, size);
        });
        Ok(reader)
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), SessionError> {
        locked(&self.kept).touch(id);
        Ok(self.inner.accept_message(id, message).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let (followed, (events, primed)) = {
            let mut kept = locked(&self.kept);
            let followed = kept.of.get(id).is_some_and(|of| of.streams.contains_key(&STANDALONE));
            (followed, kept.open(id, Some(STANDALONE)))
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
