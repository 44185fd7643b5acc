//! The client behind a request, as the engine's [`Client`](crate::engine::Client): told things, asked things.
//!
//! Two ways to reach one: [`Waiting`] for the answer to its request, over a session or in 2026-07-28; [`InTask`] inside
//! a task, where the client fetches the questions. Neither keeps anything for a client that does not read: telling waits
//! until the transport has taken the message, for some seconds at most, and the call's timeout goes on counting.

mod in_task;
mod question;
mod telling;
mod waiting;

use indexmap::IndexMap;
use rmcp::model::{ClientCapabilities, TASKS_EXTENSION_ID};

pub use in_task::InTask;
pub use question::input_requests;
pub use telling::{Level, Telling, level_of, log_to};
pub use waiting::Waiting;

use crate::engine::{Abilities, Ability, CallError, CallErrorKind, Elicitation, Question};

/// What a client declared, and what an operator allows.
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    abilities: Abilities,
    /// The client's model could be asked, but the operator does not want it.
    sampling_forbidden: bool,
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
        Self { abilities, sampling_forbidden: sampling && !sampling_allowed }
    }

    pub fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// Refuses questions that the client cannot answer.
    fn check(&self, questions: &IndexMap<String, Question>) -> Result<(), CallError> {
        let needed = questions.values().map(Question::needs);
        let lacking: Vec<Ability> = needed.filter(|ability| !self.abilities.has(*ability)).collect();
        if lacking.is_empty() { Ok(()) } else { Err(CallError::lacking(lacking)) }
    }

    /// The error of a call for want of an ability; what the operator forbids is not the client's fault.
    pub fn explain(&self, error: CallError) -> CallError {
        if error.kind == CallErrorKind::Unable && error.lacking == [Ability::Sampling] && self.sampling_forbidden {
            return CallError::new(CallErrorKind::Forbidden, "this server does not ask the client's model")
                .hint("the operator allows it with `mcp.enable_sampling: true`");
        }
        error
    }
}

/// What a client must declare for abilities.
pub fn capabilities_for(abilities: &[Ability]) -> ClientCapabilities {
    let mut needed = ClientCapabilities::default();
    for ability in abilities {
        match ability {
            Ability::Sampling => needed.sampling = Some(Default::default()),
            Ability::Roots => needed.roots = Some(Default::default()),
            Ability::ElicitationForm => {
                needed.elicitation.get_or_insert_default().form = Some(Default::default());
            }
            Ability::ElicitationUrl => {
                needed.elicitation.get_or_insert_default().url = Some(Default::default());
            }
            Ability::Tasks => {
                let extensions = needed.extensions.get_or_insert_default();
                extensions.insert(TASKS_EXTENSION_ID.to_owned(), Default::default());
            }
        }
    }
    needed
}
