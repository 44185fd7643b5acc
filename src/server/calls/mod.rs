//! What is told of calls: one record of each that has ended, to all who account for calls.
//!
//! A [`Record`] is opened where a request arrives and becomes a [`CallEnded`] when its call ends, however it ends. Each
//! [`Sink`] takes it once; one that has no room is waited for by whoever answers the call. Arguments, rows, errors' texts
//! and credentials never come here ([ADR 0030](../../../docs/adr/0030-one-record-of-an-ended-call.md)).

mod ended;
mod record;

use std::{sync::Arc, time::Duration};

use futures::future::{BoxFuture, join_all};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

pub use ended::{CallEnded, Caller, Outcome};
pub use record::{Ended, Record, Shown, Subject};

/// How long calls get to end when the server does.
const CLOSING: Duration = Duration::from_secs(5);

/// Whoever accounts for calls.
pub trait Sink: Send + Sync + 'static {
    /// Takes the record of a call. Some: there is no room for it yet, and it is taken when this is over.
    fn take(&self, ended: &CallEnded) -> Option<BoxFuture<'static, ()>>;
}

/// The calls of a server, and all who account for them. Where there is nobody, there are no records.
#[derive(Clone, Default)]
pub struct Calls {
    sinks: Arc<[Arc<dyn Sink>]>,
    /// Calls that have not been told yet.
    open: TaskTracker,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Calls").field("sinks", &self.sinks.len()).field("open", &self.open.len()).finish()
    }
}

impl Calls {
    pub fn told_to(sinks: impl IntoIterator<Item = Arc<dyn Sink>>) -> Self {
        Self { sinks: sinks.into_iter().collect(), open: TaskTracker::new() }
    }

    /// A call that has begun, if anybody accounts for it.
    fn begin(&self) -> Option<TaskTrackerToken> {
        (!self.sinks.is_empty()).then(|| self.open.token())
    }

    /// Tells of a call that has ended. A request that was refused before anybody read what it asks for is one too.
    pub async fn ended(&self, ended: &CallEnded) {
        join_all(self.tell(ended)).await;
    }

    /// The same where nobody can wait: somebody else does.
    fn ended_later(&self, ended: &CallEnded) {
        let waits = self.tell(ended);
        if let (false, Ok(runtime)) = (waits.is_empty(), tokio::runtime::Handle::try_current()) {
            self.open.spawn_on(async move { drop(join_all(waits).await) }, &runtime);
        }
    }

    fn tell(&self, ended: &CallEnded) -> Vec<BoxFuture<'static, ()>> {
        self.sinks.iter().filter_map(|sink| sink.take(ended)).collect()
    }

    /// Waits for the calls that are under way and for those who account for them.
    pub async fn close(&self) {
        self.open.close();
        if tokio::time::timeout(CLOSING, self.open.wait()).await.is_err() {
            let calls = self.open.len();
            tracing::warn!(calls, "Calls did not end with the server: nobody accounts for them.");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use futures::FutureExt as _;

    use super::*;

    /// Takes what it is given at once, or when it is let.
    #[derive(Default)]
    struct Book {
        taken: Arc<AtomicUsize>,
        held: Mutex<Option<tokio::sync::oneshot::Receiver<()>>>,
    }

    impl Sink for Book {
        fn take(&self, _: &CallEnded) -> Option<BoxFuture<'static, ()>> {
            let taken = self.taken.clone();
            let Some(held) = self.held.lock().unwrap().take() else {
                taken.fetch_add(1, Ordering::Relaxed);
                return None;
            };
            let wait = async move {
                let _ = held.await;
                taken.fetch_add(1, Ordering::Relaxed);
            };
            Some(wait.boxed())
        }
    }

    #[tokio::test]
    async fn every_sink_takes_a_record_once_and_one_without_room_is_waited_for() {
        let (free, held) = (Arc::new(Book::default()), Arc::new(Book::default()));
        let (room, full) = tokio::sync::oneshot::channel();
        *held.held.lock().unwrap() = Some(full);
        let calls = Calls::told_to([free.clone() as Arc<dyn Sink>, held.clone()]);
        let ended = CallEnded::of(Caller::over_stdio(None), Outcome { word: "ok", error_kind: None }, Duration::ZERO);
        let counts = || [&free, &held].map(|book| book.taken.load(Ordering::Relaxed));
        calls.ended_later(&ended);
        let mut closed = std::pin::pin!(calls.close());
        assert!(closed.as_mut().now_or_never().is_none(), "the end of the server waits too");
        assert_eq!(counts(), [1, 0]);
        room.send(()).unwrap();
        closed.await;
        assert_eq!(counts(), [1, 1]);
        calls.ended(&ended).await;
        assert_eq!(counts(), [2, 2]);
    }
}
