//! Answers that are kept for a moment: each is asked for once, however many want it at the same time.
//!
//! Whoever comes first asks; the others wait for the answer, each within its own time. Who asked and went away leaves
//! the asking to the next. Failures are kept, too, for a shorter time, or a database that is down would be asked anew
//! by everybody.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::source::{SourceError, SourceErrorKind};

/// How long answers are good for, and how many are kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    pub answers: Duration,
    pub failures: Duration,
    pub most: usize,
}

/// Answers by what was asked.
pub struct Fresh<K, V> {
    keeping: Keeping,
    slots: Mutex<HashMap<K, Arc<Slot<V>>>>,
}

struct Slot<V> {
    made: Instant,
    answer: tokio::sync::Mutex<Option<(Instant, Result<V, SourceError>)>>,
}

impl<K: Hash + Eq + Clone, V: Clone> Fresh<K, V> {
    pub fn new(keeping: Keeping) -> Self {
        Self { keeping, slots: Mutex::default() }
    }

    /// The answer, from memory or by asking. Where `since` is told, an answer from memory was asked for since then.
    pub async fn get(
        &self,
        key: &K,
        since: Option<Instant>,
        ask: impl Future<Output = Result<V, SourceError>>,
    ) -> Result<V, SourceError> {
        let slot = self.slot(key);
        let mut answer = slot.answer.lock().await;
        if let Some((at, known)) = &*answer
            && at.elapsed() < if known.is_ok() { self.keeping.answers } else { self.keeping.failures }
            // A database that is down is spared all the same.
            && (known.is_err() || since.is_none_or(|since| *at >= since))
        {
            return known.clone();
        }
        // What came after the question is not in the answer.
        let at = Instant::now();
        let asked = ask.await;
        // That somebody had no patience says nothing to the next.
        let of_all = !asked.as_ref().is_err_and(|error| error.kind == SourceErrorKind::Cancelled);
        *answer = of_all.then(|| (at, asked.clone()));
        asked
    }

    fn slot(&self, key: &K) -> Arc<Slot<V>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(key) {
            return slot.clone();
        }
        if slots.len() >= self.keeping.most {
            let lifetime = self.keeping.answers;
            slots.retain(|_, slot| slot.made.elapsed() < lifetime);
        }
        while slots.len() >= self.keeping.most
            && let Some(oldest) = slots.iter().min_by_key(|(_, slot)| slot.made).map(|(key, _)| key.clone())
        {
            slots.remove(&oldest);
        }
        let slot = Arc::new(Slot { made: Instant::now(), answer: tokio::sync::Mutex::default() });
        slots.insert(key.clone(), slot.clone());
        slot
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const KEEPING: Keeping = Keeping { answers: Duration::from_secs(60), failures: Duration::ZERO, most: 2 };

    async fn counted(asked: &AtomicUsize, answer: Result<usize, SourceErrorKind>) -> Result<usize, SourceError> {
        asked.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        answer.map_err(|kind| SourceError::new(kind, "no"))
    }

    #[tokio::test]
    async fn everybody_gets_the_answer_of_one_question() {
        let (fresh, asked) = (Fresh::new(KEEPING), AtomicUsize::new(0));
        let ask = || fresh.get(&"a", None, counted(&asked, Ok(1)));
        let (one, two, three) = tokio::join!(ask(), ask(), ask());
        assert_eq!((one, two, three), (Ok(1), Ok(1), Ok(1)));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn who_wants_an_answer_of_now_gets_none_of_before() {
        let (fresh, asked) = (Fresh::new(KEEPING), AtomicUsize::new(0));
        assert_eq!(fresh.get(&"a", None, counted(&asked, Ok(1))).await, Ok(1));
        let since = Some(Instant::now());
        assert_eq!(fresh.get(&"a", None, counted(&asked, Ok(2))).await, Ok(1));
        assert_eq!(fresh.get(&"a", since, counted(&asked, Ok(3))).await, Ok(3));
        assert_eq!(fresh.get(&"a", since, counted(&asked, Ok(4))).await, Ok(3), "it was asked for since");
    }

    #[tokio::test]
    async fn what_failed_or_was_given_up_is_asked_again_and_the_oldest_gives_way() {
        let (fresh, asked) = (Fresh::new(KEEPING), AtomicUsize::new(0));
        assert!(fresh.get(&"a", None, counted(&asked, Err(SourceErrorKind::Unavailable))).await.is_err());
        let mut given_up = Box::pin(fresh.get(&"a", None, counted(&asked, Ok(7))));
        assert!(futures::poll!(&mut given_up).is_pending());
        drop(given_up);
        assert_eq!(fresh.get(&"a", None, counted(&asked, Ok(2))).await, Ok(2));
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        for key in ["b", "c"] {
            assert_eq!(fresh.get(&key, None, counted(&asked, Ok(3))).await, Ok(3));
        }
        assert_eq!(fresh.slots.lock().unwrap().len(), 2);
        assert_eq!(fresh.get(&"a", None, counted(&asked, Ok(4))).await, Ok(4), "it gave way");
    }
}
