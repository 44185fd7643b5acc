//! The client behind a request, as the engine's [`Client`](crate::engine::Client): told things, asked things.
//!
//! Three ways to reach one: [`Awaiting`] over a session, whose requests are answered while the call waits;
//! [`Retrying`] in 2026-07-28, where the call ends with its questions; [`InTask`] inside a task, where the client
//! fetches the questions. None of them keeps anything for a client that does not read: telling waits until the
//! transport has taken the message, and the call's timeout goes on counting.

mod awaiting;
mod in_task;
mod question;
mod retrying;
mod telling;

use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use rmcp::model::ClientCapabilities;

pub use awaiting::Awaiting;
pub use in_task::InTask;
pub use question::input_requests;
pub use retrying::Retrying;
pub use telling::{Level, Telling, level_of, log_to};

use crate::engine::{Abilities, CallError, CallErrorKind, Elicitation, Question};

/// What a client declared, and what an operator allows; remembers what was missing.
#[derive(Debug, Clone)]
pub struct Declared {
    abilities: Abilities,
    /// The client's model could be asked, but the operator does not want it.
    sampling_forbidden: bool,
    missing: Arc<OnceLock<ClientCapabilities>>,
}

impl Declared {
    /// Of capabilities as a client declares them. `tasks`: whether the call may go on as a task.
    pub fn new(capabilities: &ClientCapabilities, sampling_allowed: bool, tasks: bool) -> Self {
        let elicitation = match &capabilities.elicitation {
            None => Elicitation::default(),
            // Before there were URLs, nothing was said about forms.
            Some(modes) if modes.form.is_none() && modes.url.is_none() => Elicitation { form: true, url: false },
            Some(modes) => Elicitation { form: modes.form.is_some(), url: modes.url.is_some() },
        };
        let sampling = capabilities.sampling.is_some();
        let abilities = Abilities {
            sampling: sampling && sampling_allowed,
            elicitation,
            roots: capabilities.roots.is_some(),
            tasks: tasks && capabilities.supports_tasks(),
        };
        Self { abilities, sampling_forbidden: sampling && !sampling_allowed, missing: Arc::default() }
    }

    pub fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// What a question needed that the client did not declare, for the error of the call.
    pub fn missing(&self) -> ClientCapabilities {
        self.missing.get().cloned().unwrap_or_default()
    }

    /// Refuses questions that the client cannot answer.
    fn check(&self, questions: &IndexMap<String, Question>) -> Result<(), CallError> {
        questions.iter().try_for_each(|(name, question)| self.check_one(name, question))
    }

    fn check_one(&self, name: &str, question: &Question) -> Result<(), CallError> {
        let mut needed = ClientCapabilities::default();
        let (able, what) = match question {
            Question::Form { .. } => {
                needed.elicitation.get_or_insert_default().form = Some(Default::default());
                (self.abilities.elicitation.form, "elicitation with forms")
            }
            Question::Url { .. } => {
                needed.elicitation.get_or_insert_default().url = Some(Default::default());
                (self.abilities.elicitation.url, "elicitation with URLs")
            }
            Question::Sample { .. } if self.sampling_forbidden => {
                let message = format!("`{name}` asks the client's model, which this server does not do");
                return Err(CallError::new(CallErrorKind::Forbidden, message)
                    .hint("the operator allows it with `mcp.enable_sampling: true`"));
            }
            Question::Sample { .. } => {
                needed.sampling = Some(Default::default());
                (self.abilities.sampling, "sampling")
            }
            Question::Roots => {
                needed.roots = Some(Default::default());
                (self.abilities.roots, "roots")
            }
        };
        if able {
            return Ok(());
        }
        let _ = self.missing.set(needed);
        let message = format!("`{name}` cannot be asked: the client does not support {what}");
        Err(CallError::new(CallErrorKind::Unable, message).hint(format!("use a client that supports {what}")))
    }
}
