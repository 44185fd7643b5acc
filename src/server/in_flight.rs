//! The requests of a connection that are not answered yet.
//!
//! Three parties report here: the transport (arrived, cancelled, answered), and the handler's guard (finished).
//! The transport asks two questions: is this id taken, and is everything answered, so that the end of input
//! cuts nobody off. An id stays taken until its handler has really ended, cancelled or not: rmcp routes answers
//! by id alone and would hand the late answer of a cancelled request to a second one with the same id.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rmcp::model::RequestId;
use tokio::{sync::Notify, time::Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Running,
    /// The handler has ended; its answer is on the way to the transport.
    Finished,
    /// The client wants no answer; the handler still runs.
    Cancelled,
}

/// The requests that are not answered yet.
#[derive(Debug, Default)]
pub struct InFlight {
    requests: Mutex<HashMap<RequestId, Stage>>,
    last_answer: Mutex<Option<Instant>>,
    changed: Notify,
}

impl InFlight {
    /// A request arrived. False: its id is taken.
    pub fn begin(&self, id: &RequestId) -> bool {
        let mut requests = self.lock();
        if requests.contains_key(id) {
            return false;
        }
        requests.insert(id.clone(), Stage::Running);
        true
    }

    /// The client wants no answer any more.
    pub fn cancel(&self, id: &RequestId) {
        let mut requests = self.lock();
        match requests.get_mut(id) {
            Some(stage @ Stage::Running) => *stage = Stage::Cancelled,
            Some(Stage::Finished) => drop(requests.remove(id)),
            Some(Stage::Cancelled) | None => return,
        }
        drop(requests);
        self.changed.notify_waiters();
    }

    /// How many there are, with those that are cancelled and still run.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Waits until there are fewer than `max`.
    pub async fn until_fewer(&self, max: usize) {
        self.until(|requests| requests.len() < max).await;
    }

    /// Reports, when dropped, that the handler of a request ended.
    pub fn running(&self, id: RequestId) -> Running<'_> {
        Running { requests: self, id }
    }

    /// Whether a request with this id has not ended yet.
    pub fn is_taken(&self, id: &RequestId) -> bool {
        self.lock().contains_key(id)
    }

    /// Whether the client still waits for an answer.
    pub fn awaits(&self, id: &RequestId) -> bool {
        matches!(self.lock().get(id), Some(Stage::Running | Stage::Finished))
    }

    /// The answer is on its way out.
    pub fn answered(&self, id: &RequestId) {
        self.lock().remove(id);
        *self.last_answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.changed.notify_waiters();
    }

    /// When an answer was last on its way out.
    pub fn last_answer(&self) -> Option<Instant> {
        *self.last_answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request is answered.
    pub async fn until_answered(&self, id: &RequestId) {
        self.until(|requests| !requests.contains_key(id)).await;
    }

    /// Waits until every request is answered or cancelled.
    pub async fn until_idle(&self) {
        self.until(|requests| requests.values().all(|stage| *stage == Stage::Cancelled)).await;
    }

    /// Gives up on every request that is not answered yet.
    pub fn give_up(&self) -> Vec<RequestId> {
        let mut given_up = Vec::new();
        for (id, stage) in self.lock().iter_mut() {
            if *stage != Stage::Cancelled {
                *stage = Stage::Cancelled;
                given_up.push(id.clone());
            }
        }
        given_up
    }

    async fn until(&self, holds: impl Fn(&HashMap<RequestId, Stage>) -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Registered before looking, or a change in between would be missed.
            changed.as_mut().enable();
            if holds(&self.lock()) {
                return;
            }
            changed.await;
        }
    }

    fn finish(&self, id: &RequestId) {
        let mut requests = self.lock();
        match requests.get_mut(id) {
            Some(stage @ Stage::Running) => *stage = Stage::Finished,
            Some(Stage::Cancelled) => {
                requests.remove(id);
                self.changed.notify_waiters();
            }
            Some(Stage::Finished) | None => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RequestId, Stage>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handler that runs.
#[derive(Debug)]
pub struct Running<'a> {
    requests: &'a InFlight,
    id: RequestId,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.requests.finish(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn an_id_is_taken_until_it_is_answered() {
        let requests = InFlight::default();
        let id = RequestId::Number(1);
        assert!(requests.begin(&id));
        assert!(!requests.begin(&id));
        assert!(requests.begin(&RequestId::String("1".into())), "the text 1 is another id");
        drop(requests.running(id.clone()));
        assert!(requests.awaits(&id) && !requests.begin(&id));
        requests.answered(&id);
        assert!(requests.begin(&id));
    }

    #[test]
    fn a_cancelled_id_is_taken_until_its_handler_ends() {
        let requests = InFlight::default();
        let id = RequestId::Number(1);
        requests.begin(&id);
        let running = requests.running(id.clone());
        requests.cancel(&id);
        assert!(!requests.awaits(&id) && !requests.begin(&id));
        assert!(requests.until_idle().now_or_never().is_some(), "nobody waits for it");
        drop(running);
        assert!(requests.begin(&id));
    }

    #[test]
    fn a_request_cancelled_after_its_handler_ended_leaves_nothing_behind() {
        let requests = InFlight::default();
        let id = RequestId::Number(1);
        requests.begin(&id);
        drop(requests.running(id.clone()));
        requests.cancel(&id);
        assert!(requests.until_answered(&id).now_or_never().is_some());
        assert!(requests.begin(&id));
    }

    #[test]
    fn waiting_for_idle_sees_every_way_to_end() {
        let requests = InFlight::default();
        assert!(requests.until_idle().now_or_never().is_some());
        requests.begin(&RequestId::Number(1));
        requests.begin(&RequestId::Number(2));
        let mut idle = std::pin::pin!(requests.until_idle());
        assert!(idle.as_mut().now_or_never().is_none());
        requests.answered(&RequestId::Number(1));
        assert!(idle.as_mut().now_or_never().is_none());
        requests.cancel(&RequestId::Number(2));
        assert!(idle.now_or_never().is_some());
        requests.begin(&RequestId::Number(3));
        assert_eq!(requests.give_up(), [RequestId::Number(3)]);
        assert!(requests.give_up().is_empty());
    }
}
