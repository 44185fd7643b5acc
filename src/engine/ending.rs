//! The end of an engine: what runs is cancelled and waited for, then the sources are closed.

use std::{future::Future, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Engine;

/// How long calls that were cancelled, and connections, get to end. Each by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether an engine ends, and what has not ended with it.
#[derive(Debug, Default)]
pub(super) struct Ending {
    begun: CancellationToken,
    running: TaskTracker,
}

impl Ending {
    /// Over when the engine ends.
    pub(super) async fn begun(&self) {
        self.begun.cancelled().await;
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Work that the engine waits for when it ends.
    pub(super) fn waits_for<W: Future>(&self, work: W) -> impl Future<Output = W::Output> + use<W> {
        self.running.track_future(work)
    }
}

impl Engine {
    /// Ends everything in order: what runs is cancelled, and what comes now too; then it is waited for, so that its
    /// statements have been given up; then the commands in the background are ended; then the sources tell their databases and close. Nothing is waited for without
    /// end.
    pub async fn close(&self) {
        self.ending.begun.cancel();
        self.ending.running.close();
        if tokio::time::timeout(PATIENCE, self.ending.running.wait()).await.is_err() {
            tracing::warn!(running = self.ending.running.len(), "Calls did not end in time.");
        }
        self.options.commands.close().await;
        if tokio::time::timeout(PATIENCE, self.sources.close()).await.is_err() {
            tracing::warn!("Connections did not end in time.");
        }
    }
}
