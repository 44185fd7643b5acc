//! The client that waits for the answer to its request: it is told things on the way.
//!
//! In a session (before 2026-07-28) it is asked by requests, and the call waits for the answers; in 2026-07-28 it
//! answers by calling again. A call waits until its own timeout, which is the tool's. A question that nobody waits for
//! any more, because the call ended or was cancelled, is cancelled at the client too.

use std::{sync::Arc, time::Duration};

use futures::future::try_join_all;
use indexmap::IndexMap;
use rmcp::{
    RoleServer, ServiceError,
    model::{CancelledNotificationParam, InputRequest, RequestId, ServerRequest},
    service::{Peer, PeerRequestOptions},
};
use serde_json::Value;

use super::{Declared, Telling, question};
use crate::{
    definition::LogLevel,
    engine::{Abilities, Asked, CallError, CallErrorKind, Client, ClientRoots, Question},
    server::connection::Connection,
};

pub struct Waiting {
    pub telling: Telling,
    pub declared: Declared,
    /// Whether it answers by calling again.
    pub later: bool,
    /// Where its folders are kept, if it can tell them and they are folders of this machine.
    pub roots: Option<Arc<Connection>>,
}

/// How long a client is waited for that is asked for its folders.
const ROOTS: Duration = Duration::from_secs(5);

#[async_trait::async_trait]
impl Client for Waiting {
    fn abilities(&self) -> Abilities {
        self.declared.abilities()
    }

    async fn log(&self, level: LogLevel, logger: &str, data: Value) {
        self.telling.log(level, logger, data).await;
    }

    async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        self.telling.progress(progress, total, message).await;
    }

    async fn roots(&self) -> Option<Arc<ClientRoots>> {
        self.roots.as_ref()?.roots.known(self.list_roots()).await
    }

    async fn ask(&self, questions: &IndexMap<String, Question>) -> Result<Asked, CallError> {
        self.declared.check(questions)?;
        if self.later {
            return Ok(Asked::Later);
        }
        let answers = try_join_all(questions.iter().map(|(name, question)| self.answer(name, question))).await?;
        Ok(Asked::Replies(questions.keys().cloned().zip(answers).collect()))
    }
}

impl Waiting {
    /// Asks for the folders. A client that says it has some and then does not tell is served as one that never said so.
    async fn list_roots(&self) -> Option<Arc<ClientRoots>> {
        let answer = tokio::time::timeout(ROOTS, self.answer("roots/list", &Question::Roots)).await;
        let failed = match answer {
            Ok(Ok(answer)) => {
                let roots = answer.get("roots").and_then(Value::as_array).into_iter().flatten();
                let addresses = roots.filter_map(|root| root.get("uri")?.as_str().map(str::to_owned)).collect();
                return Some(Arc::new(ClientRoots::new(addresses)));
            }
            Ok(Err(error)) => error.message,
            Err(_) => format!("the client did not answer `roots/list` within {} s", ROOTS.as_secs()),
        };
        let told = format!("{failed}; the folders of this server's settings are used instead of the client's");
        tracing::warn!("{told}");
        self.telling.log(LogLevel::Warning, "roots", Value::String(told)).await;
        None
    }

    async fn answer(&self, name: &str, question: &Question) -> Result<Value, CallError> {
        let request = match question::input_request(name, question)? {
            InputRequest::CreateMessage(request) => ServerRequest::CreateMessageRequest(request),
            InputRequest::Elicitation(request) => ServerRequest::ElicitRequest(request),
            InputRequest::ListRoots(request) => ServerRequest::ListRootsRequest(request),
            _ => return Err(CallError::new(CallErrorKind::Internal, "a question of an unknown kind")),
        };
        let peer = &self.telling.peer;
        // rmcp's own methods for this do not tell the id, without which a question cannot be taken back.
        let sent = peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
        let sent = sent.map_err(|error| failed(name, error))?;
        let mut open = Open { peer: peer.clone(), id: Some(sent.id.clone()) };
        let answer = sent.await_response().await;
        open.id = None;
        let answer = serde_json::to_value(answer.map_err(|error| failed(name, error))?);
        let answer = answer.map_err(|error| CallError::new(CallErrorKind::Internal, error.to_string()))?;
        question::reply(name, question, answer)
    }
}

fn failed(name: &str, error: ServiceError) -> CallError {
    match error {
        ServiceError::McpError(error) => {
            let said = crate::template::one_line(&error.message, 200);
            let message = format!("the client answered `{name}` with an error: {said} ({})", error.code.0);
            CallError::new(CallErrorKind::Failed, message).hint("try again, or use another client")
        }
        ServiceError::TransportClosed | ServiceError::Cancelled { .. } => {
            CallError::new(CallErrorKind::Cancelled, format!("the client is gone before it answered `{name}`"))
        }
        error => CallError::new(CallErrorKind::Failed, format!("`{name}` could not be asked: {error}")),
    }
}

/// A question without an answer yet: taken back when dropped.
struct Open {
    peer: Peer<RoleServer>,
    id: Option<RequestId>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let (peer, Ok(runtime)) = (self.peer.clone(), tokio::runtime::Handle::try_current()) else { return };
        runtime.spawn(async move {
            let reason = Some("the call no longer waits for it".to_owned());
            let _ = peer.notify_cancelled(CancelledNotificationParam::new(Some(id), reason)).await;
        });
    }
}
