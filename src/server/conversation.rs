//! One request as a call of the engine: who calls, whom it talks to, where it left off; and its end as a result.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer,
    model::{InputRequiredResult, InputResponses, JsonObject},
    service::RequestContext,
};

use super::{
    Api, Core, Server,
    calls::{Ended, Record, Shown},
    client::{self, Declared, Level, Telling, Waiting},
    convert, later_revision, state,
};
use crate::engine::{Call, CallError, CallErrorKind, Outcome, Pending, Resume};

/// What a client asks for, as far as an interrupted call is found again by it.
pub struct Asked<'a> {
    pub method: &'static str,
    /// Name or URI.
    pub subject: &'a str,
    pub arguments: &'a JsonObject,
    pub responses: Option<InputResponses>,
    pub state: Option<String>,
}

/// A call and what is needed to end it.
pub struct Conversation {
    pub call: Call,
    pub declared: Declared,
    /// Whether the request is of 2026-07-28 or later.
    pub later: bool,
    pub record: Arc<Record>,
    bound_to: Vec<u8>,
}

impl<A: Api> Server<A> {
    /// Begins or goes on with a call. `tasks`: whether it may go on as a task.
    ///
    /// # Errors
    /// `-32602` of a state that is not one of this call.
    pub(super) fn conversation(
        &self,
        context: &RequestContext<RoleServer>,
        record: &Arc<Record>,
        asked: Asked<'_>,
        tasks: bool,
    ) -> Result<Conversation, ErrorData> {
        let later = later_revision(context);
        let capabilities = context.client_capabilities().unwrap_or_default();
        let declared = Declared::new(&capabilities, self.options.offers.sampling, tasks && later);
        let telling = Telling::new(context.peer.clone(), self.level(context), context.meta.get_progress_token());
        // On a pipe of this machine, in a session. 2026-07-28 has no sessions in which folders could be remembered, and whoever is
        // on the other side of a network works in folders of another machine.
        let here = context.extensions.get::<::http::request::Parts>().is_none();
        let tells_roots = here && !later && declared.abilities().roots;
        let roots = tells_roots.then(|| self.session.connection.clone());
        let client = Arc::new(Waiting { telling, declared, later, roots });
        let principal = self.principal(context);
        let mut bound_to = Vec::new();
        let mut resume = None;
        if later {
            bound_to = state::binding(asked.method, asked.subject, asked.arguments, &principal);
            let state = asked.state.map(|sealed| self.options.state_keys.open(&sealed, &bound_to)).transpose()?;
            let replies = asked.responses.map(|responses| responses.into_iter().collect());
            if state.is_some() || replies.is_some() {
                resume = Some(Resume { state: state.unwrap_or_default(), replies: replies.unwrap_or_default() });
            }
        }
        let call = Call {
            cancel: context.ct.clone(),
            caller: context
                .extensions
                .get::<::http::request::Parts>()
                .map(|parts| super::http::client(&parts.extensions).into()),
            principal,
            client,
            resume,
            trace_id: record.trace.id.clone(),
            ledger: record.ledger.clone(),
        };
        Ok(Conversation { call, declared, later, bound_to, record: record.clone() })
    }

    /// From which level on the client of a request wants log messages.
    fn level(&self, context: &RequestContext<RoleServer>) -> Level {
        if !self.options.offers.logging {
            return Level::Never;
        }
        match context.meta.log_level() {
            _ if !later_revision(context) => Level::Session(self.session.connection.clone()),
            Some(level) => Level::Request(client::level_of(level)),
            // "The server MUST NOT send log messages for a request that does not carry a level."
            None => Level::Never,
        }
    }
}

impl<A: Api> Core<A> {
    /// The result of a call that waits for answers.
    pub(super) fn pending(
        &self,
        context: &RequestContext<RoleServer>,
        of: &Conversation,
        pending: &Pending,
    ) -> Result<InputRequiredResult, ErrorData> {
        let requests = client::input_requests(&pending.questions).map_err(|error| convert::error("", &error))?;
        let sealed = self.options.state_keys.seal(&pending.state, &of.bound_to)?;
        let mut result = InputRequiredResult::new(Some(requests), Some(sealed));
        self.sign(context, &mut result.meta);
        Ok(result)
    }
}

impl Conversation {
    /// The end of a call: done, or waiting.
    ///
    /// # Errors
    /// What the call failed with, as a protocol error where that does not depend on the method.
    pub fn ended<T: Shown>(
        &self,
        outcome: Result<Outcome<T>, CallError>,
    ) -> Result<Result<Outcome<T>, CallError>, ErrorData> {
        let ended = match outcome {
            Err(error) => match self.declared.explain(error) {
                // Only there it has a code of its own.
                error if self.later && error.kind == CallErrorKind::Unable => {
                    self.record.saw(Ended::Failed(error.kind));
                    return Err(missing_capability(&error));
                }
                error => Err(error),
            },
            // Nobody can be asked later in a session, and a call without questions waits for nothing.
            Ok(Outcome::Asks(pending)) if !self.later => Outcome::Asks(pending).done().map(Outcome::Done),
            ok => ok,
        };
        self.record.saw(match &ended {
            Ok(Outcome::Done(answer)) => {
                self.record.shows(answer);
                Ended::Answered
            }
            Ok(Outcome::Asks(_)) => Ended::Asks,
            Err(error) => Ended::Failed(error.kind),
        });
        Ok(ended)
    }
}

/// `-32021` with what the call says about it.
pub fn missing_capability(error: &CallError) -> ErrorData {
    let needed = client::capabilities_for(&error.lacking);
    let mut refusal = ErrorData::missing_required_client_capability(needed);
    refusal.message = format!("{}: {}", refusal.message, error.message).into();
    if let (Some(data), Some(hint)) = (refusal.data.as_mut().and_then(|data| data.as_object_mut()), &error.hint) {
        data.insert("hint".to_owned(), hint.clone().into());
    }
    refusal
}
