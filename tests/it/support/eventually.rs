//! Waiting for what another process or task does in its own time: the one place that polls, with one patience.

use std::fmt::Display;
use std::time::{Duration, Instant};

use super::client::DEADLINE;

/// What a probe says: `true` and `Some` end the waiting.
pub trait Probed {
    type Value;
    fn value(self) -> Option<Self::Value>;
}

impl Probed for bool {
    type Value = ();
    fn value(self) -> Option<()> {
        self.then_some(())
    }
}

impl<T> Probed for Option<T> {
    type Value = T;
    fn value(self) -> Option<T> {
        self
    }
}

/// Asks until the probe says yes, and gives what it found. Panics with `what`, a sentence of what is waited for, when that
/// takes longer than anything does that works.
pub async fn eventually<P: Probed>(what: impl Display, mut probe: impl AsyncFnMut() -> P) -> P::Value {
    let begun = Instant::now();
    loop {
        if let Some(value) = probe().await.value() {
            return value;
        }
        assert!(begun.elapsed() < DEADLINE, "still not: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
