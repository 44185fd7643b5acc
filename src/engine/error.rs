//! Why a call has no answer. The server converts this, and nothing else, to MCP errors.

use std::time::Duration;

use serde_json::{Value, json};

use super::Ability;
use crate::source::{SourceError, SourceErrorKind};

/// Longest text of a source or a template in an error, in characters.
const MESSAGE: usize = 600;

/// Why a call has no answer, and what to do next.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    pub kind: CallErrorKind,
    /// What happened, one sentence or more, without secrets.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// When a repetition may succeed.
    pub retry_after: Option<Duration>,
    /// What the client would have to be able to do, for `Unable`.
    pub lacking: Vec<Ability>,
    /// All scopes that the definition asks for, where the credential lacks one.
    pub scopes: Vec<String>,
}

/// The kinds that a client or the protocol tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallErrorKind {
    UnknownTool,
    UnknownPrompt,
    UnknownResource,
    /// The arguments violate the definition's parameters.
    InvalidArguments,
    /// The source of the data cannot be reached.
    Unavailable,
    Timeout,
    Cancelled,
    /// The database or a policy refused.
    Forbidden,
    /// The client cannot do what the definition asks of it.
    Unable,
    /// The definition ended the call with a protocol error of its own.
    Refused(i32),
    /// The run failed for another reason.
    Failed,
    /// A defect of the server.
    Internal,
}

impl CallErrorKind {
    /// A word for structured answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownTool => "unknown_tool",
            Self::UnknownPrompt => "unknown_prompt",
            Self::UnknownResource => "unknown_resource",
            Self::InvalidArguments => "invalid_arguments",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Forbidden => "forbidden",
            Self::Unable => "unable",
            Self::Refused(_) => "refused",
            Self::Failed => "failed",
            Self::Internal => "internal",
        }
    }
}

impl CallError {
    pub fn new(kind: CallErrorKind, message: impl Into<String>) -> Self {
        let (lacking, scopes) = (Vec::new(), Vec::new());
        Self { kind, message: message.into(), hint: None, retry_after: None, lacking, scopes }
    }

    /// The credential lacks a scope that a definition asks for.
    pub fn lacking_scope(name: &str, scope: &str) -> Self {
        let message = format!("`{name}` needs the scope `{scope}`, which your credential does not have");
        Self::new(CallErrorKind::Forbidden, message).hint(format!(
            "use a credential with that scope; the operator gives it to a key with `tfo-mcp keys grant NAME --scope {scope}`"
        ))
    }

    /// The client did not declare what the definition asks of it.
    pub fn lacking(abilities: Vec<Ability>) -> Self {
        let names: Vec<&str> = abilities.iter().map(|ability| ability.as_str()).collect();
        let message = format!("this needs a client that can do {}, and yours does not say so", names.join(" and "));
        let hint = "use a client that supports it, or turn it on in the client's settings";
        Self { lacking: abilities, ..Self::new(CallErrorKind::Unable, message) }.hint(hint)
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(CallErrorKind::InvalidArguments, message)
    }

    /// A template or a definition that passed `check` failed at run time: a defect of the definition.
    pub fn definition(message: impl std::fmt::Display) -> Self {
        let message = crate::template::message(&message.to_string(), MESSAGE);
        Self::new(CallErrorKind::Failed, format!("the definition failed: {message}"))
            .hint("this is a mistake in the definition, not in your call; report it to the operator")
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// An unknown name, with the nearest known one.
    pub fn unknown<'a>(kind: CallErrorKind, what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let error = Self::new(kind, format!("unknown {what} `{}`", crate::template::bare(name, 80)));
        match nearest(name, known) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        }
    }

    /// Message and hint as one text for a model.
    pub fn to_text(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}\nWhat to do: {hint}", self.message),
            None => self.message.clone(),
        }
    }

    /// The structured form, as `data` of a JSON-RPC error.
    pub fn to_data(&self) -> Value {
        let mut data = json!({ "kind": self.kind.as_str() });
        if let (Some(object), Some(hint)) = (data.as_object_mut(), &self.hint) {
            object.insert("hint".into(), json!(hint));
        }
        data
    }
}

impl From<SourceError> for CallError {
    fn from(error: SourceError) -> Self {
        let kind = match error.kind {
            SourceErrorKind::Unavailable => CallErrorKind::Unavailable,
            SourceErrorKind::Timeout => CallErrorKind::Timeout,
            SourceErrorKind::Cancelled => CallErrorKind::Cancelled,
            SourceErrorKind::Forbidden => CallErrorKind::Forbidden,
            SourceErrorKind::Missing
            | SourceErrorKind::Invalid
            | SourceErrorKind::Exhausted
            | SourceErrorKind::Failed => CallErrorKind::Failed,
        };
        let SourceError { message, hint, .. } = told(error);
        Self { hint, ..Self::new(kind, message) }
    }
}

/// An error of a source as it may be told: a database quotes values and whatever else it likes.
pub(super) fn told(error: SourceError) -> SourceError {
    let hint = error.hint.map(|hint| crate::template::message(&hint, MESSAGE));
    SourceError { kind: error.kind, message: crate::template::message(&error.message, MESSAGE), hint }
}

/// The known word that a misspelt one most likely stands for.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::normalized_damerau_levenshtein(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
