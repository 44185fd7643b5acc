//! The record of a call that has ended.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::Subject;
use crate::engine::{Entry, Ledger, Use};

/// Who calls, and from where.
#[derive(Debug, Clone)]
pub struct Caller {
    pub transport: &'static str,
    pub address: Option<IpAddr>,
    pub subject: Option<String>,
}

impl Caller {
    pub fn over_http(from: Option<SocketAddr>, subject: Option<String>) -> Self {
        Self { transport: "http", address: from.map(|from| from.ip().to_canonical()), subject }
    }

    pub fn over_stdio(subject: Option<String>) -> Self {
        Self { transport: "stdio", address: None, subject }
    }
}

/// How a call ended, in the words of docs/audit.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    pub word: &'static str,
    pub error_kind: Option<&'static str>,
}

/// A call that has ended: who, what, for how long, how, and what was asked and answered.
#[derive(Debug, Clone)]
pub struct CallEnded {
    pub caller: Caller,
    /// None: nobody has read what was asked for.
    pub method: Option<&'static str>,
    pub subject: Subject,
    pub trace_id: Option<String>,
    /// The task that it became.
    pub task_id: Option<String>,
    /// From its arrival until now, with all waiting for the client.
    pub took: Duration,
    pub outcome: Outcome,
    /// The organisations whose rows it could read.
    pub organizations: Vec<String>,
    /// What was asked of the databases.
    pub statements: Vec<Entry>,
    /// How the answers came about that may be kept.
    pub uses: Vec<Use>,
    /// Bytes of what it showed: texts, images, contents of resources. None: it ended without an answer.
    pub bytes: Option<usize>,
}

impl CallEnded {
    pub fn of(caller: Caller, outcome: Outcome, took: Duration) -> Self {
        Self {
            caller,
            method: None,
            subject: Subject::Unknown,
            trace_id: None,
            task_id: None,
            took,
            outcome,
            organizations: Vec::new(),
            statements: Vec::new(),
            uses: Vec::new(),
            bytes: None,
        }
    }

    pub fn about(mut self, method: &'static str, subject: Subject) -> Self {
        (self.method, self.subject) = (Some(method), subject);
        self
    }

    pub fn asked(mut self, ledger: &Ledger) -> Self {
        (self.organizations, self.statements) = (ledger.organizations(), ledger.entries());
        self.uses = ledger.uses();
        self
    }
}
