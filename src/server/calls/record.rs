//! The record of one call, from its arrival to its end.
//!
//! Whoever answers the call tells the record what it learns: how the call ended, that it goes on as a task. A record
//! that nobody ended is told of when it is dropped, so that a call whose handler was dropped is accounted for too.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use ::http::StatusCode;
use rmcp::{
    ErrorData, RoleServer,
    model::{ConstString, ErrorCode},
    service::RequestContext,
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{CallEnded, Caller, Calls, Outcome};
use crate::{
    engine::{Answer, CallError, CallErrorKind, Content, Ledger, Principal, PromptAnswer, ResourceAnswer},
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
    pub fn parts(&self) -> (Option<&str>, Option<&str>) {
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

/// What a call shows, in bytes.
pub trait Shown {
    fn bytes(&self) -> usize;
}

impl Shown for Answer {
    fn bytes(&self) -> usize {
        self.content.iter().map(Content::bytes).sum()
    }
}

impl Shown for PromptAnswer {
    fn bytes(&self) -> usize {
        self.messages.iter().map(|(_, content)| content.bytes()).sum()
    }
}

impl Shown for ResourceAnswer {
    fn bytes(&self) -> usize {
        self.contents.iter().map(|content| content.bytes()).sum()
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
    /// Refused with a status of HTTP, before anybody read what it asks for.
    Denied(StatusCode),
}

impl Ended {
    pub fn of_tool(outcome: &Result<Answer, CallError>) -> Self {
        match outcome {
            Ok(answer) if answer.is_error => Self::ToolError,
            Ok(_) => Self::Answered,
            Err(error) => Self::Failed(error.kind),
        }
    }

    pub fn outcome(self) -> Outcome {
        let (word, error_kind) = self.words();
        Outcome { word, error_kind }
    }

    fn words(self) -> (&'static str, Option<&'static str>) {
        use CallErrorKind::*;
        match self {
            Self::Answered => ("ok", None),
            Self::Asks => ("asks", None),
            Self::ToolError => ("error", Some("tool_error")),
            Self::Failed(Timeout) => ("timeout", None),
            Self::Failed(Cancelled) => ("cancelled", None),
            Self::Failed(kind @ (Unavailable | Failed | Internal)) => ("error", Some(kind.as_str())),
            Self::Failed(
                kind @ (UnknownTool | UnknownPrompt | UnknownResource | InvalidArguments | Forbidden | Limited | Unable
                | Refused(_)),
            ) => ("refused", Some(kind.as_str())),
            Self::Protocol(ErrorCode::METHOD_NOT_FOUND) => ("refused", Some("not_offered")),
            Self::Protocol(ErrorCode::INVALID_PARAMS) => ("refused", Some("invalid_params")),
            Self::Protocol(_) => ("error", Some("internal")),
            Self::Denied(StatusCode::UNAUTHORIZED) => ("unauthenticated", None),
            Self::Denied(StatusCode::FORBIDDEN) => ("forbidden", None),
            Self::Denied(StatusCode::NOT_FOUND) => ("refused", Some("unknown_session")),
            Self::Denied(_) => ("error", Some("unavailable")),
        }
    }
}

/// A call that will be told of, if anybody accounts for calls.
pub struct Record {
    pub trace: Trace,
    pub subject: Subject,
    pub method: &'static str,
    /// What the call asks of the databases.
    pub ledger: Arc<Ledger>,
    open: Mutex<Option<Open>>,
}

/// What is known of a call that has not been told of.
struct Open {
    calls: Calls,
    caller: Caller,
    started: Instant,
    ended: Option<Ended>,
    bytes: Option<usize>,
    task_id: Option<String>,
    _counted: TaskTrackerToken,
}

impl Record {
    /// Opens the record of a request.
    pub fn of<M: ConstString>(
        calls: &Calls,
        context: &RequestContext<RoleServer>,
        principal: &Principal,
        subject: Subject,
    ) -> Arc<Self> {
        let open = calls.begin().map(|_counted| {
            let who = principal.subject.clone();
            let caller = match context.extensions.get::<::http::request::Parts>() {
                Some(parts) => Caller::over_http(parts.extensions.get::<SocketAddr>().copied(), who),
                None => Caller::over_stdio(who),
            };
            let (calls, started) = (calls.clone(), Instant::now());
            Open { calls, caller, started, ended: None, bytes: None, task_id: None, _counted }
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

    /// Tells what the call shows.
    pub fn shows(&self, answer: &impl Shown) {
        if let Some(open) = self.open().as_mut() {
            open.bytes = Some(answer.bytes());
        }
    }

    /// The call goes on as a task: it is told of when the task ends.
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
        open.calls.ended(&self.ended(&open, told.unwrap_or(Ended::Answered))).await;
    }

    fn ended(&self, open: &Open, ended: Ended) -> CallEnded {
        let about = CallEnded::of(open.caller.clone(), ended.outcome(), open.started.elapsed());
        CallEnded {
            trace_id: Some(self.trace.id.clone()),
            task_id: open.task_id.clone(),
            bytes: open.bytes,
            ..about.about(self.method, self.subject.clone()).asked(&self.ledger)
        }
    }

    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let Some(open) = self.open().take() else { return };
        let ended = open.ended.unwrap_or(Ended::Failed(CallErrorKind::Cancelled));
        open.calls.ended_later(&self.ended(&open, ended));
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
