//! The audit log: one line of JSON for every call that has ended.
//!
//! Lines go through a bounded channel to one thread that writes them: a call waits for room rather than losing its line,
//! and no disk is waited for on a thread that serves.

mod line;
mod writer;

use std::{io, path::PathBuf, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};

use super::calls::{CallEnded, Sink};
use line::Line;
use writer::Message;

/// Lines that wait to be written; calls wait beyond that.
const WAITING: usize = 1024;
/// How long the last lines may take to be written when the server ends.
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

/// The audit log of a server.
#[derive(Debug, Clone)]
pub struct Audit {
    lines: mpsc::Sender<Message>,
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
        Ok(Self { lines, failures })
    }

    /// Lines that could not be written, and files that could not be opened again.
    pub fn failures(&self) -> Counter {
        self.failures.clone()
    }

    /// Opens the file again, because it may have been renamed.
    pub fn reopen(&self) {
        // A full channel is being written, and every write looks whether the file is still the one of its name.
        let _ = self.lines.try_send(Message::Reopen);
    }

    /// Waits until all lines so far are written.
    pub async fn close(&self) {
        let (written, flushed) = oneshot::channel();
        let flush = async {
            if self.lines.send(Message::Flush(written)).await.is_ok() {
                let _ = flushed.await;
            }
        };
        if tokio::time::timeout(CLOSING, flush).await.is_err() {
            tracing::error!("The audit log is not written: its last lines are lost.");
        }
    }

    /// Hands a line over. Some: too many wait already.
    fn write(&self, line: String) -> Option<BoxFuture<'static, ()>> {
        match self.lines.try_send(Message::Line(line)) {
            Ok(()) => None,
            Err(TrySendError::Full(line)) => {
                let mut waiting = Waiting { audit: self.clone(), sent: false };
                let wait = async move {
                    if waiting.audit.lines.send(line).await.is_ok() {
                        waiting.is_over();
                    }
                };
                Some(wait.boxed())
            }
            Err(TrySendError::Closed(_)) => {
                self.lost();
                None
            }
        }
    }

    fn lost(&self) {
        self.failures.inc();
        tracing::error!("A line of the audit log is lost: nobody writes it any more.");
    }
}

/// A line that waits for room. It is lost where nobody waits any more, too.
struct Waiting {
    audit: Audit,
    sent: bool,
}

impl Waiting {
    fn is_over(&mut self) {
        self.sent = true;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.sent {
            self.audit.lost();
        }
    }
}

impl Sink for Audit {
    fn take(&self, ended: &CallEnded) -> Option<BoxFuture<'static, ()>> {
        self.write(Line::of(ended).text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> (Audit, mpsc::Receiver<Message>) {
        let (lines, written) = mpsc::channel(1);
        let audit = Audit { lines, failures: Counter::default() };
        assert!(audit.write("before".into()).is_none());
        (audit, written)
    }

    async fn next(written: &mut mpsc::Receiver<Message>) -> Option<String> {
        match written.recv().await? {
            Message::Line(line) => Some(line),
            _ => None,
        }
    }

    #[tokio::test]
    async fn a_call_waits_for_room_and_loses_no_line() {
        let (audit, mut written) = full();
        let mut waits = audit.write("waited".into()).unwrap();
        assert!(waits.as_mut().now_or_never().is_none());
        assert_eq!(next(&mut written).await.as_deref(), Some("before"));
        waits.await;
        assert_eq!(next(&mut written).await.as_deref(), Some("waited"));
        assert_eq!(audit.failures.get(), 0);
    }

    #[tokio::test]
    async fn what_nobody_writes_is_counted() {
        let (audit, written) = full();
        let waits = ["one", "two"].map(|line| audit.write(line.into()).unwrap());
        drop(written);
        let [waits, given_up] = waits;
        waits.await;
        drop(given_up);
        assert!(audit.write("three".into()).is_none());
        assert_eq!(audit.failures.get(), 3);
    }
}
