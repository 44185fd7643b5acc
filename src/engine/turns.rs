//! Turns: how many runs reach outside at once, all together and of one caller.
//!
//! Only what asks a database or a service takes one, and only while it does. A caller waits for its own share first, holding nothing
//! that others wait for: whoever asks a lot, or asks for what takes long, makes itself wait.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most exchanges with one service at once.
const AT_ONCE: usize = 8;
/// The part of all turns that one caller may have.
const SHARE: usize = 4;
/// Most exchanges of one caller with one service at once.
pub(super) const AT_ONCE_EACH: usize = AT_ONCE / SHARE;
/// From how many callers on those that are gone are looked for.
const MANY: usize = 64;

/// The turns of an engine.
#[derive(Debug)]
pub struct Turns {
    all: Arc<Semaphore>,
    most: usize,
    shares: Mutex<HashMap<Arc<str>, Weak<Semaphore>>>,
}

/// A turn; given back when dropped.
#[derive(Debug)]
pub struct Turn {
    _of_all: OwnedSemaphorePermit,
    /// Keeps the caller's share alive, too.
    _of_caller: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { all: Arc::new(Semaphore::new(most)), most, shares: Mutex::default() }
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.most.saturating_sub(self.all.available_permits())
    }

    /// Waits for a turn. None, which does not happen: there are none any more.
    pub async fn take(&self, caller: Option<&Arc<str>>) -> Option<Turn> {
        let _of_caller = match caller {
            Some(caller) => Some(self.share(caller).acquire_owned().await.ok()?),
            None => None,
        };
        let _of_all = self.all.clone().acquire_owned().await.ok()?;
        Some(Turn { _of_all, _of_caller })
    }

    /// The share of a caller: it is there as long as somebody holds or awaits a turn of it.
    fn share(&self, caller: &Arc<str>) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(caller).and_then(Weak::upgrade) {
            return share;
        }
        if shares.len() >= MANY {
            shares.retain(|_, share| share.strong_count() > 0);
        }
        let share = Arc::new(Semaphore::new((self.most / SHARE).max(1)));
        shares.insert(caller.clone(), Arc::downgrade(&share));
        share
    }
}

/// Turns at services over HTTP, each with its own.
#[derive(Debug, Default)]
pub struct ServiceTurns(BTreeMap<String, Turns>);

impl ServiceTurns {
    pub fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self(names.map(|name| (name.to_owned(), Turns::new(AT_ONCE))).collect())
    }

    /// Waits for a turn at a service; none where it is not set up, so that nobody is waited for.
    pub async fn take(&self, service: &str, caller: Option<&Arc<str>>) -> Option<Turn> {
        self.0.get(service)?.take(caller).await
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn a_caller_has_a_share_and_who_is_not_told_apart_has_all() {
        let turns = Turns::new(8);
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        let take = |caller| turns.take(caller).now_or_never().flatten();
        let first = take(Some(&one)).unwrap();
        let _second = take(Some(&one)).unwrap();
        assert!(take(Some(&one)).is_none(), "its share is taken");
        let mut waits = std::pin::pin!(turns.take(Some(&one)));
        assert!(waits.as_mut().now_or_never().is_none());
        assert_eq!(turns.taken(), 2, "whoever waits for its share holds nothing");
        let _other = take(Some(&other)).unwrap();
        drop(first);
        let _third = waits.now_or_never().flatten().unwrap();
        let rest: Vec<_> = std::iter::from_fn(|| take(None)).collect();
        assert_eq!((rest.len(), turns.taken()), (5, 8));
    }

    #[test]
    fn callers_that_are_gone_are_forgotten() {
        let turns = Turns::new(1);
        for n in 0..MANY * 3 {
            let caller: Arc<str> = n.to_string().into();
            assert!(turns.take(Some(&caller)).now_or_never().flatten().is_some());
        }
        assert!(turns.shares.lock().unwrap().len() <= MANY);
    }
}
