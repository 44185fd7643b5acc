//! Why no command was run, in words that say what to do next.

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandError {
    pub kind: CommandErrorKind,
    /// One sentence. It may quote the caller.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// The kinds that a caller can do something different about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandErrorKind {
    /// The arguments make no sense.
    Invalid,
    /// A rule, a folder or the operator is against it.
    Forbidden,
    Failed,
}

impl CommandError {
    fn new(kind: CommandErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(CommandErrorKind::Invalid, message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(CommandErrorKind::Forbidden, message)
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(CommandErrorKind::Failed, message)
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
