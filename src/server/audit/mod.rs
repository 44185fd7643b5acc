//! The audit log: one line of JSON for every call, with who, what, how it ended and what it asked of the databases.
//!
//! A [`Record`] is opened where a request arrives and written when its call ends, however it ends. Lines go through a
//! bounded channel to one thread that writes them: a call waits for room rather than losing its line, and no disk is
//! waited for on a thread that serves. Arguments, rows, errors' texts and credentials never come here.

mod line;
mod record;
mod writer;

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use ::http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::engine::CallErrorKind;
use line::{Caller, Line};
use writer::Message;

pub use record::{Ended, Record, Subject};

/// Lines that wait to be written; calls wait beyond that.
const WAITING: usize = 1024;
/// How long calls and lines get to end when the server does.
const CLOSING: Duration = Duration::from_secs(5);

/// Where the lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// The server's own log.
    Log,
    /// Standard error, without anything around a line.
    Stderr,
    /// A file that they are appended to.
    File(PathBuf),
}

/// The audit log of a server; none where nobody asked for one.
#[derive(Debug, Clone, Default)]
pub struct Audit(Option<Arc<Running>>);

#[derive(Debug)]
struct Running {
    lines: mpsc::Sender<Message>,
    /// Calls that have no line yet.
    open: TaskTracker,
    failures: Counter,
}

impl Audit {
    /// Opens the output and begins to write.
    ///
    /// # Errors
    /// The file cannot be used; the error says why and what to do.
    pub fn start(output: &Output) -> io::Result<Self> {
        let failures = Counter::default();
        let (lines, waiting) = mpsc::channel(WAITING);
        writer::start(output, waiting, failures.clone())?;
        Ok(Self(Some(Arc::new(Running { lines, open: TaskTracker::new(), failures }))))
    }

    /// Lines that could not be written, and files that could not be opened again.
    pub fn failures(&self) -> Counter {
        self.0.as_ref().map(|running| running.failures.clone()).unwrap_or_default()
    }

    /// Opens the file again, because it may have been renamed.
    pub fn reopen(&self) {
        if let Some(running) = &self.0 {
            // A full channel is being written, and every write looks whether the file is still the one of its name.
            let _ = running.lines.try_send(Message::Reopen);
        }
    }

    /// A request was refused before anybody read what it asks for.
    pub async fn denied(&self, from: Option<SocketAddr>, who: Option<String>, status: StatusCode, since: Instant) {
        let Some(running) = &self.0 else { return };
        let caller = Caller::over_http(from, who);
        let (outcome, error_kind) = match status {
            StatusCode::UNAUTHORIZED => ("unauthenticated", None),
            StatusCode::FORBIDDEN => ("forbidden", None),
            StatusCode::NOT_FOUND => ("refused", Some("unknown_session")),
            _ => ("error", Some("unavailable")),
        };
        running.write(Line::of(&caller, since.elapsed()).ended(outcome, error_kind).text()).await;
    }

    /// A request was refused because its credential lacks a scope.
    pub async fn forbidden(
        &self,
        from: Option<SocketAddr>,
        who: Option<String>,
        method: &'static str,
        subject: &Subject,
        since: Instant,
    ) {
        let Some(running) = &self.0 else { return };
        let (outcome, error_kind) = Ended::Failed(CallErrorKind::Forbidden).words();
        let (name, uri) = subject.parts();
        let line = Line::of(&Caller::over_http(from, who), since.elapsed()).ended(outcome, error_kind);
        running.write(line.about(method, name, uri).text()).await;
    }

    /// Waits for the calls that are under way and for their lines.
    pub async fn close(&self) {
        let Some(running) = &self.0 else { return };
        running.open.close();
        if tokio::time::timeout(CLOSING, running.open.wait()).await.is_err() {
            let calls = running.open.len();
            tracing::warn!(calls, "Calls did not end with the server: the audit log has no line of them.");
        }
        let (written, flushed) = oneshot::channel();
        let flush = async {
            if running.lines.send(Message::Flush(written)).await.is_ok() {
                let _ = flushed.await;
            }
        };
        if tokio::time::timeout(CLOSING, flush).await.is_err() {
            tracing::error!("The audit log is not written: its last lines are lost.");
        }
    }
}

impl Running {
    /// Hands a line over; waits while too many wait already.
    async fn write(&self, line: String) {
        if self.lines.send(Message::Line(line)).await.is_err() {
            self.lost();
        }
    }

    /// The same where nobody can wait: somebody else does.
    fn write_later(self: &Arc<Self>, line: String) {
        match (self.lines.try_send(Message::Line(line)), tokio::runtime::Handle::try_current()) {
            (Ok(()), _) => {}
            (Err(mpsc::error::TrySendError::Full(Message::Line(line))), Ok(runtime)) => {
                let running = self.clone();
                self.open.spawn_on(async move { running.write(line).await }, &runtime);
            }
            _ => self.lost(),
        }
    }

    fn lost(&self) {
        self.failures.inc();
        tracing::error!("A line of the audit log is lost: nobody writes it any more.");
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn full() -> (Arc<Running>, mpsc::Receiver<Message>) {
        let (lines, written) = mpsc::channel(1);
        let running = Running { lines, open: TaskTracker::new(), failures: Counter::default() };
        running.lines.try_send(Message::Line("before".into())).unwrap();
        (Arc::new(running), written)
    }

    async fn next(written: &mut mpsc::Receiver<Message>) -> Option<String> {
        match written.recv().await? {
            Message::Line(line) => Some(line),
            _ => None,
        }
    }

    #[tokio::test]
    async fn a_call_waits_for_room_and_loses_no_line() {
        let (running, mut written) = full();
        let mut waits = std::pin::pin!(running.write("waited".into()));
        assert!(waits.as_mut().now_or_never().is_none());
        // A call that was dropped cannot wait; the end of the server waits for its line instead.
        running.write_later("dropped".into());
        running.open.close();
        let mut open = std::pin::pin!(running.open.wait());
        assert!(open.as_mut().now_or_never().is_none());
        assert_eq!(next(&mut written).await.as_deref(), Some("before"));
        waits.await;
        assert_eq!(next(&mut written).await.as_deref(), Some("waited"));
        assert_eq!(next(&mut written).await.as_deref(), Some("dropped"));
        open.await;
        assert_eq!(running.failures.get(), 0);
    }

    #[tokio::test]
    async fn what_nobody_writes_is_counted() {
        let (running, written) = full();
        drop(written);
        running.write("one".into()).await;
        running.write_later("two".into());
        assert_eq!(running.failures.get(), 2);
    }
}
