//! The record of one call, from its arrival to its line.
//!
//! Whoever answers the call tells the record what it learns: how the call ended, that it goes on as a task. A record
//! that nobody ended is written when it is dropped, so that a call whose handler was dropped has its line too.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use rmcp::{
    ErrorData, RoleServer,
    model::{ConstString, ErrorCode},
    service::RequestContext,
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{
    Audit, Running,
    line::{Caller, Line},
};
use crate::{
    engine::{Answer, CallError, CallErrorKind, Ledger, Principal},
    server::trace::Trace,
};

/// What a call is about, as far as it may be told: what a caller made up may be anything, also what it wanted to keep
/// to itself.
#[derive(Debug, Clone)]
pub enum Subject {
    /// What looks like a name, known or not.
    Name(String),
    /// URI or URI template of the definition.
    Uri(String),
    Unknown,
}

impl Subject {
    pub fn name(name: &str) -> Self {
        let like = (1..=128).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./:".contains(&byte));
        if like { Self::Name(name.to_owned()) } else { Self::Unknown }
    }

    /// As a name, or as a URI.
    pub(super) fn parts(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Name(name) => (Some(name.as_str()), None),
            Self::Uri(uri) => (None, Some(uri.as_str())),
            Self::Unknown => (None, None),
        }
    }

    /// For the span; empty where nothing may be told.
    pub fn shown(&self) -> &str {
        match self {
            Self::Name(text) | Self::Uri(text) => text,
            Self::Unknown => "",
        }
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Answered,
    /// It waits for answers; the client calls again with them.
    Asks,
    /// Its tool answered that it failed.
    ToolError,
    Failed(CallErrorKind),
    /// With an error of the protocol.
    Protocol(ErrorCode),
}

impl Ended {
    pub fn of_tool(outcome: &Result<Answer, CallError>) -> Self {
        match outcome {
            Ok(answer) if answer.is_error => Self::ToolError,
            Ok(_) => Self::Answered,
            Err(error) => Self::Failed(error.kind),
        }
    }

    /// `outcome` and `error_kind`.
    pub(super) fn words(self) -> (&'static str, Option<&'static str>) {
        use CallErrorKind::*;
        match self {
            Self::Answered => ("ok", None),
            Self::Asks => ("asks", None),
            Self::ToolError => ("error", Some("tool_error")),
            Self::Failed(Timeout) => ("timeout", None),
            Self::Failed(Cancelled) => ("cancelled", None),
            Self::Failed(kind @ (Unavailable | Failed | Internal)) => ("error", Some(kind.as_str())),
            Self::Failed(
                kind @ (UnknownTool | UnknownPrompt | UnknownResource | InvalidArguments | Forbidden | Unable
                | Refused(_)),
            ) => ("refused", Some(kind.as_str())),
            Self::Protocol(ErrorCode::METHOD_NOT_FOUND) => ("refused", Some("not_offered")),
            Self::Protocol(ErrorCode::INVALID_PARAMS) => ("refused", Some("invalid_params")),
            Self::Protocol(_) => ("error", Some("internal")),
        }
    }
}

/// A call of which there will be a line, if there is an audit log.
pub struct Record {
    pub trace: Trace,
    pub subject: Subject,
    pub method: &'static str,
    /// What the call asks of the databases.
    pub ledger: Arc<Ledger>,
    open: Mutex<Option<Open>>,
}

/// What is known of a call that has no line yet.
struct Open {
    audit: Arc<Running>,
    caller: Caller,
    started: Instant,
    ended: Option<Ended>,
    task_id: Option<String>,
    _counted: TaskTrackerToken,
}

impl Record {
    /// Opens the record of a request.
    pub fn of<M: ConstString>(
        audit: &Audit,
        context: &RequestContext<RoleServer>,
        principal: &Principal,
        subject: Subject,
    ) -> Arc<Self> {
        let open = audit.0.as_ref().map(|audit| {
            let who = principal.subject.clone();
            let caller = match context.extensions.get::<::http::request::Parts>() {
                Some(parts) => Caller::over_http(parts.extensions.get::<SocketAddr>().copied(), who),
                None => Caller::over_stdio(who),
            };
            let (_counted, audit) = (audit.open.token(), audit.clone());
            Open { audit, caller, started: Instant::now(), ended: None, task_id: None, _counted }
        });
        let (trace, ledger) = (Trace::of(context), Arc::default());
        Arc::new(Self { trace, subject, method: M::VALUE, ledger, open: Mutex::new(open) })
    }

    /// Tells how the call ended, as far as is known; the last one that tells is right.
    pub fn saw(&self, ended: Ended) {
        if let Some(open) = self.open().as_mut() {
            open.ended = Some(ended);
        }
    }

    /// The call goes on as a task: its line comes when the task ends.
    pub fn goes_on(&self, task_id: &str) {
        if let Some(open) = self.open().as_mut() {
            open.task_id = Some(task_id.to_owned());
        }
    }

    /// The request is answered; so is the call, if no task goes on with it.
    pub async fn answered(&self, error: Option<&ErrorData>) {
        let open = self.open().take_if(|open| open.task_id.is_none());
        self.close(open, error).await;
    }

    /// The task has ended.
    pub async fn task_ended(&self) {
        let open = self.open().take();
        self.close(open, None).await;
    }

    async fn close(&self, open: Option<Open>, error: Option<&ErrorData>) {
        let Some(open) = open else { return };
        let told = open.ended.or(error.map(|error| Ended::Protocol(error.code)));
        let line = self.line(&open, told.unwrap_or(Ended::Answered));
        open.audit.write(line).await;
    }

    fn line(&self, open: &Open, ended: Ended) -> String {
        let (outcome, error_kind) = ended.words();
        let (name, uri) = self.subject.parts();
        let line = Line::of(&open.caller, open.started.elapsed()).ended(outcome, error_kind);
        line.traced(&self.trace.id)
            .about(self.method, name, uri)
            .task(open.task_id.as_deref())
            .asked(&self.ledger)
            .text()
    }

    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let Some(open) = self.open().take() else { return };
        let ended = open.ended.unwrap_or(Ended::Failed(CallErrorKind::Cancelled));
        let line = self.line(&open, ended);
        open.audit.write_later(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_name_is_told() {
        for (name, told) in [
            ("collect_telemetry_context", true),
            ("a.b/c-d:e", true),
            ("", false),
            ("SELECT secret FROM t", false),
            ("naïve", false),
            ("two\nlines", false),
            (&"x".repeat(129), false),
        ] {
            assert_eq!(Subject::name(name).shown(), if told { name } else { "" });
        }
    }
}
