//! How a command ends: exit codes, and errors with a hint.

use std::{fmt, io, process::ExitCode};

use super::output;

/// How a command ended that could run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0.
    Done,
    /// Something is wrong with what was looked at; it has been said. Exit code 1.
    Findings,
}

/// An error that knows what to do about it.
#[derive(Debug)]
pub(super) struct Hinted {
    message: String,
    hint: String,
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Hinted {}

/// An error and what to do about it.
pub(super) fn hinted(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Hinted { message: message.into(), hint: hint.into() }.into()
}

/// What to do about an error, where somebody said so.
pub(super) fn hint_of(error: &anyhow::Error) -> Option<&str> {
    error.chain().find_map(|cause| cause.downcast_ref()).map(|hinted: &Hinted| &*hinted.hint)
}

/// An error that has been printed already; only the exit code is left.
#[derive(Debug, thiserror::Error)]
#[error("see above")]
pub(super) struct Reported(pub u8);

/// Turns the end of a command into an exit code and says what went wrong.
pub(super) fn exit_code(result: anyhow::Result<Outcome>) -> ExitCode {
    let error = match result {
        Ok(Outcome::Done) => return ExitCode::SUCCESS,
        Ok(Outcome::Findings) => return ExitCode::from(1),
        Err(error) => error,
    };
    if let Some(Reported(code)) = error.downcast_ref() {
        return ExitCode::from(*code);
    }
    // The reader of a pipe that has seen enough, such as `head`, is no failure.
    let closed = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(closed) {
        return ExitCode::SUCCESS;
    }
    output::error(&format!("{error:#}"), hint_of(&error));
    ExitCode::from(2)
}
