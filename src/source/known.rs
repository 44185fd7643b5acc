//! What was found out about a database, believed for a while.
//!
//! Tables come and go while we run. So knowledge of them has a lifetime, whoever misses something may have it looked
//! up anew before that, but not all the time, and of those who want to know at once one asks and the others wait.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long knowledge is believed.
const LIFETIME: Duration = Duration::from_secs(60);

/// How often doubts have it looked up again: what is not there stays so mostly.
const DOUBTS: Duration = Duration::from_secs(5);

pub(super) struct Known<T> {
    lifetime: Duration,
    doubts: Duration,
    state: Mutex<State<T>>,
    /// Held by the one who asks.
    asking: tokio::sync::Mutex<()>,
}

struct State<T> {
    found: Option<(Arc<T>, Instant)>,
    doubted: Option<Instant>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self::lasting(LIFETIME, DOUBTS)
    }
}

impl<T> Known<T> {
    fn lasting(lifetime: Duration, doubts: Duration) -> Self {
        let state = Mutex::new(State { found: None, doubted: None });
        Self { lifetime, doubts, state, asking: tokio::sync::Mutex::default() }
    }

    /// What is known, if it holds still; else what `ask` finds.
    ///
    /// # Errors
    /// Those of `ask`; nothing is remembered of them.
    pub async fn get<E>(
        &self,
        holds: impl Fn(&T) -> bool,
        ask: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        if let Some(known) = self.fresh(&holds) {
            return Ok(known);
        }
        let _one = self.asking.lock().await;
        // Whoever was before us may have found it.
        match self.fresh(&holds) {
            Some(known) => Ok(known),
            None => ask().await.map(|found| self.keep(found)),
        }
    }

    /// What is known now, for somebody who missed something in `seen`: what another has found since, or what `ask`
    /// finds, or the same if it was doubted a moment ago already.
    ///
    /// # Errors
    /// Those of `ask`.
    pub async fn again<E>(&self, seen: &Arc<T>, ask: impl AsyncFnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let _one = self.asking.lock().await;
        if let Some(newer) = self.fresh(|_| true).filter(|known| !Arc::ptr_eq(known, seen)) {
            return Ok(newer);
        }
        match self.may_doubt() {
            true => ask().await.map(|found| self.keep(found)),
            false => Ok(Arc::clone(seen)),
        }
    }

    /// Something went wrong that out-of-date knowledge may explain: the next one asks, unless that was so a moment ago.
    pub fn doubt(&self) {
        if self.may_doubt() {
            self.forget();
        }
    }

    /// The next one asks.
    pub fn forget(&self) {
        self.state().found = None;
    }

    fn fresh(&self, holds: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        let state = self.state();
        let (known, at) = state.found.as_ref()?;
        (at.elapsed() < self.lifetime && holds(known)).then(|| Arc::clone(known))
    }

    fn keep(&self, found: T) -> Arc<T> {
        let found = Arc::new(found);
        self.state().found = Some((Arc::clone(&found), Instant::now()));
        found
    }

    fn may_doubt(&self) -> bool {
        let mut state = self.state();
        let may = state.doubted.is_none_or(|at| at.elapsed() >= self.doubts);
        if may {
            state.doubted = Some(Instant::now());
        }
        may
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicU32, Ordering},
    };

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    struct Database(AtomicU32);

    impl Database {
        /// How often it was asked.
        async fn ask(&self) -> Result<u32, Infallible> {
            tokio::task::yield_now().await;
            Ok(self.0.fetch_add(1, Ordering::Relaxed) + 1)
        }
    }

    #[tokio::test]
    async fn of_many_who_want_to_know_one_asks() {
        let (known, database) = (Known::lasting(LONG, LONG), Database(AtomicU32::new(0)));
        let all = futures::future::join_all((0..20).map(|_| known.get(|_| true, || database.ask()))).await;
        assert!(all.iter().all(|found| **found.as_ref().unwrap() == 1), "{all:?}");
        // Who misses something has it looked up once; the others get what that found.
        let seen = known.get(|_| true, || database.ask()).await.unwrap();
        let all = futures::future::join_all((0..20).map(|_| known.again(&seen, || database.ask()))).await;
        assert!(all.iter().all(|found| **found.as_ref().unwrap() == 2), "{all:?}");
        let seen = known.get(|_| true, || database.ask()).await.unwrap();
        assert_eq!(*known.again(&seen, || database.ask()).await.unwrap(), 2, "it was doubted a moment ago");
        known.doubt();
        assert_eq!(*known.get(|_| true, || database.ask()).await.unwrap(), 2);
        known.forget();
        assert_eq!(*known.get(|_| true, || database.ask()).await.unwrap(), 3);
    }

    #[tokio::test]
    async fn knowledge_has_a_lifetime_and_has_to_hold() {
        let (known, database) = (Known::lasting(Duration::ZERO, Duration::ZERO), Database(AtomicU32::new(0)));
        assert_eq!(*known.get(|_| true, || database.ask()).await.unwrap(), 1);
        assert_eq!(*known.get(|_| true, || database.ask()).await.unwrap(), 2);
        let (known, database) = (Known::lasting(LONG, Duration::ZERO), Database(AtomicU32::new(0)));
        assert_eq!(*known.get(|_| true, || database.ask()).await.unwrap(), 1);
        assert_eq!(*known.get(|_| true, || database.ask()).await.unwrap(), 1);
        assert_eq!(*known.get(|found| *found == 2, || database.ask()).await.unwrap(), 2);
        known.doubt();
        assert_eq!(*known.get(|_| true, || database.ask()).await.unwrap(), 3);
    }

    #[tokio::test]
    async fn whoever_stops_waiting_leaves_the_question_to_the_next() {
        let (known, database) = (Known::lasting(LONG, LONG), Database(AtomicU32::new(0)));
        let never = known.get(|_| true, async || std::future::pending::<Result<u32, Infallible>>().await);
        assert!(tokio::time::timeout(Duration::from_millis(1), never).await.is_err());
        assert_eq!(*known.get(|_| true, || database.ask()).await.unwrap(), 1);
        assert!(known.again(&known.get(|_| true, || database.ask()).await.unwrap(), async || Err(())).await.is_err());
        assert_eq!(*known.get(|_| true, || database.ask()).await.unwrap(), 1);
    }
}
