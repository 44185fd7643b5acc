//! What a client is told during a call: log messages and progress, as far as it asked for them.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rmcp::{
    RoleServer, ServiceError,
    model::{LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam, ProgressToken},
    service::Peer,
};
use serde_json::Value;

use crate::{definition::LogLevel, server::connection::Connection};

/// From which level on a client wants log messages.
#[derive(Debug, Clone)]
pub enum Level {
    /// Before 2026-07-28: what the session was set to, looked up with every message.
    Session(Arc<Connection>),
    /// Since then: what the request says; nothing at all if it says nothing.
    Request(LogLevel),
    Never,
}

impl Level {
    fn wants(&self, level: LogLevel) -> bool {
        match self {
            Level::Session(connection) => level >= connection.level(),
            Level::Request(least) => level >= *least,
            Level::Never => false,
        }
    }
}

/// How long is waited for a client to take what it is told. One that does not read is told nothing more by this call,
/// which goes on without: it may hold things that others wait for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells one request's client.
#[derive(Debug)]
pub struct Telling {
    pub peer: Peer<RoleServer>,
    pub level: Level,
    token: Option<ProgressToken>,
    /// What was told last: progress grows.
    last: Mutex<f64>,
    /// It did not read.
    deaf: AtomicBool,
}

impl Telling {
    pub fn new(peer: Peer<RoleServer>, level: Level, token: Option<ProgressToken>) -> Self {
        Self { peer, level, token, last: Mutex::new(f64::NEG_INFINITY), deaf: AtomicBool::new(false) }
    }

    pub async fn log(&self, level: LogLevel, logger: &str, data: Value) {
        if self.level.wants(level) {
            self.tell("a log message", log_to(&self.peer, level, logger, data)).await;
        }
    }

    pub async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let Some(token) = &self.token else { return };
        {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            // The protocol wants it to grow with every notification.
            if progress.is_nan() || progress <= *last {
                tracing::debug!(progress, last = *last, "progress that does not grow is not told");
                return;
            }
            *last = progress;
        }
        let mut progress = ProgressNotificationParam::new(token.clone(), progress);
        (progress.total, progress.message) = (total, message.map(str::to_owned));
        self.tell("progress", self.peer.notify_progress(progress)).await;
    }

    /// A client that cannot be told anything is gone, which ends the call soon enough.
    async fn tell(&self, what: &str, sending: impl Future<Output = Result<(), ServiceError>>) {
        if self.deaf.load(Ordering::Relaxed) {
            return;
        }
        match tokio::time::timeout(PATIENCE, sending).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "{what} did not reach the client"),
            Err(_) => {
                tracing::debug!("the client does not read {what}; it is told nothing more by this call");
                self.deaf.store(true, Ordering::Relaxed);
            }
        }
    }
}

fn logging_level(level: LogLevel) -> LoggingLevel {
    match level {
        LogLevel::Debug => LoggingLevel::Debug,
        LogLevel::Info => LoggingLevel::Info,
        LogLevel::Notice => LoggingLevel::Notice,
        LogLevel::Warning => LoggingLevel::Warning,
        LogLevel::Error => LoggingLevel::Error,
        LogLevel::Critical => LoggingLevel::Critical,
        LogLevel::Alert => LoggingLevel::Alert,
        LogLevel::Emergency => LoggingLevel::Emergency,
    }
}

pub fn level_of(level: LoggingLevel) -> LogLevel {
    match level {
        LoggingLevel::Debug => LogLevel::Debug,
        LoggingLevel::Info => LogLevel::Info,
        LoggingLevel::Notice => LogLevel::Notice,
        LoggingLevel::Warning => LogLevel::Warning,
        LoggingLevel::Error => LogLevel::Error,
        LoggingLevel::Critical => LogLevel::Critical,
        LoggingLevel::Alert => LogLevel::Alert,
        LoggingLevel::Emergency => LogLevel::Emergency,
    }
}

/// A message of the server itself, to a session.
pub async fn log_to(peer: &Peer<RoleServer>, level: LogLevel, logger: &str, data: Value) -> Result<(), ServiceError> {
    let message = LoggingMessageNotificationParam::new(logging_level(level), data).with_logger(logger);
    peer.notify_logging_message(message).await
}
