//! The client of a call, as far as a definition can reach it: told things, asked things.
//!
//! The server implements [`Client`] for each way in which a client is reached: over a session, whose requests are
//! awaited; over 2026-07-28, where the call ends with its questions and is called again with the answers; and inside a
//! task. The engine knows none of the three: it asks, and either gets replies or suspends the call.

use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{CallError, CallErrorKind, folders::Opened};
use crate::definition::{LogLevel, Role};

/// Whom a call talks to.
#[async_trait::async_trait]
pub trait Client: Send + Sync {
    /// What the client declared that it can do.
    fn abilities(&self) -> Abilities;

    /// Sends a log message, if the client asked for this level.
    async fn log(&self, level: LogLevel, logger: &str, data: Value);

    /// Tells how far the call is, if the client asked to be told.
    async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>);

    /// The folders that the client works in, where that is known of it and they are folders of this machine. They are asked
    /// when a call needs them, and again after the client said that they changed.
    async fn roots(&self) -> Option<Arc<ClientRoots>> {
        None
    }

    /// Asks all questions at once.
    ///
    /// # Errors
    /// `Unable` where the client did not declare the ability, `Failed` where it answered with an error, `Cancelled`.
    async fn ask(&self, questions: &IndexMap<String, Question>) -> Result<Asked, CallError>;
}

/// What a client answered when it was asked for its folders.
#[derive(Default)]
pub struct ClientRoots {
    /// As it wrote them: `file:///…`.
    pub addresses: Vec<String>,
    /// They are opened once, whatever comes to stand at their names later.
    pub(super) opened: OnceLock<Opened>,
}

impl ClientRoots {
    pub fn new(addresses: Vec<String>) -> Self {
        Self { addresses, ..Self::default() }
    }
}

impl std::fmt::Debug for ClientRoots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ClientRoots").field(&self.addresses).finish()
    }
}

/// What a client can do for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Abilities {
    pub sampling: bool,
    pub elicitation: Elicitation,
    pub roots: bool,
    pub tasks: bool,
}

/// The kinds of elicitation that a client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Elicitation {
    pub form: bool,
    pub url: bool,
}

/// One of the things that a client may be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ability {
    Sampling,
    ElicitationForm,
    ElicitationUrl,
    Roots,
    Tasks,
}

impl Ability {
    /// As definitions write it behind `client.`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sampling => "sampling",
            Self::ElicitationForm => "elicitation.form",
            Self::ElicitationUrl => "elicitation.url",
            Self::Roots => "roots",
            Self::Tasks => "tasks",
        }
    }
}

impl Abilities {
    pub const fn has(self, ability: Ability) -> bool {
        match ability {
            Ability::Sampling => self.sampling,
            Ability::ElicitationForm => self.elicitation.form,
            Ability::ElicitationUrl => self.elicitation.url,
            Ability::Roots => self.roots,
            Ability::Tasks => self.tasks,
        }
    }

    /// Everything there is.
    pub const ALL: Self =
        Self { sampling: true, elicitation: Elicitation { form: true, url: true }, roots: true, tasks: true };
}

/// Something that a client is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// To let the person fill in a form.
    Form { message: String, schema: Map<String, Value> },
    /// To let the person visit a URL.
    Url { message: String, url: String },
    /// To let its model answer.
    Sample { messages: Vec<(Role, String)>, system_prompt: Option<String>, max_tokens: u32, temperature: Option<f32> },
    /// In which folders it works.
    Roots,
}

impl Question {
    /// What a client must be able to do for it.
    pub const fn needs(&self) -> Ability {
        match self {
            Self::Form { .. } => Ability::ElicitationForm,
            Self::Url { .. } => Ability::ElicitationUrl,
            Self::Sample { .. } => Ability::Sampling,
            Self::Roots => Ability::Roots,
        }
    }
}

/// What became of questions.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// MCP results by question: `ElicitResult`, `CreateMessageResult` or `ListRootsResult` as JSON.
    Replies(Map<String, Value>),
    /// The client answers by calling again: the call ends with its questions and its state.
    Later,
}

/// The end of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<T> {
    Done(T),
    /// The client has to answer first and call again.
    Asks(Pending),
}

/// A call that waits for answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// None of them: the call reached a `task` step and goes on as a task, resumed at once without replies.
    pub questions: IndexMap<String, Question>,
    /// What the call needs to go on, for [`Resume::state`]. Whoever hands it to a client seals it.
    pub state: Value,
}

/// What a repeated call brings along.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resume {
    /// Of [`Pending::state`], unsealed. Null: the client answers what it was never asked.
    pub state: Value,
    /// MCP results by question.
    pub replies: Map<String, Value>,
}

impl<T> Outcome<T> {
    /// The result, for callers whose client never suspends.
    ///
    /// # Errors
    /// `Unable` where the call waits for answers.
    pub fn done(self) -> Result<T, CallError> {
        match self {
            Self::Done(result) => Ok(result),
            Self::Asks(pending) => {
                let names: Vec<&str> = pending.questions.keys().map(String::as_str).collect();
                Err(unable(&format!("the call asks for {}", names.join(", "))))
            }
        }
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(result) => Outcome::Done(f(result)),
            Self::Asks(pending) => Outcome::Asks(pending),
        }
    }
}

/// Nobody to talk to: the command line, examples.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

#[async_trait::async_trait]
impl Client for Nobody {
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    async fn log(&self, level: LogLevel, logger: &str, data: Value) {
        tracing::debug!(?level, logger, %data, "a definition logs");
    }

    async fn progress(&self, _: f64, _: Option<f64>, _: Option<&str>) {}

    async fn ask(&self, _: &IndexMap<String, Question>) -> Result<Asked, CallError> {
        Err(unable("nobody can be asked here"))
    }
}

/// A client that nobody is behind.
pub(super) fn nobody() -> Arc<dyn Client> {
    Arc::new(Nobody)
}

fn unable(what: &str) -> CallError {
    CallError::new(CallErrorKind::Unable, what).hint("use a client that supports elicitation, sampling or roots")
}
