//! Answers in memory, for as long as their definition says, within a number of bytes; and equal calls at one time, of
//! which one runs and the others wait for its answer, each within its own time.
//!
//! Whose answer it is and what tells two calls apart is the key, which is made where calls are (`keeping`). Failures are
//! not kept. Whoever runs and goes away leaves the run to the next (docs/adr/0060).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use moka::{Expiry, policy::EvictionPolicy, sync::Cache};
use serde_json::Value;
use time::OffsetDateTime;

use super::{CallError, CallErrorKind, Document, Ledger, Produced};
use crate::definition::Period;

/// The part of all bytes that one answer may have.
const SHARE: usize = 8;
/// What an answer takes besides its texts and values, in bytes.
const FRAME: usize = 1024;

/// What is kept.
#[derive(Clone)]
pub enum Thing {
    Answer(Box<Produced>),
    Document(Box<Document>),
}

/// For whom an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// For all who ask while it lives.
    Kept,
    /// For those who wait for it already: something in it failed.
    Shared,
    /// For the call that ran alone, whose time was over.
    Own,
}

/// What a run came to.
pub struct Made {
    pub thing: Thing,
    pub worth: Worth,
    /// Organisations whose rows it may hold.
    pub organizations: Vec<String>,
}

/// An answer and when it was asked for.
pub struct Entry {
    pub thing: Thing,
    /// What came after that is not in it.
    began: Instant,
    /// The same by the engine's clock.
    pub as_of: OffsetDateTime,
    lifetime: Duration,
    organizations: Vec<String>,
}

/// What a call asks for.
pub struct Sought {
    pub key: String,
    pub lifetime: Period,
}

/// What it gets.
pub struct Found {
    pub entry: Arc<Entry>,
    /// Of an answer from memory: how old it is.
    pub age: Option<Duration>,
}

/// How an answer came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Use {
    /// It was in memory.
    Hit,
    /// The call ran.
    Miss,
    /// Another call ran, and this one waited for it.
    Wait,
}

impl Use {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Wait => "wait",
        }
    }
}

/// The answers of an engine.
pub struct Kept {
    /// None: nothing is kept, and every call runs.
    store: Option<Cache<String, Arc<Entry>>>,
    /// Largest answer that is kept, in bytes.
    largest: usize,
    flights: Mutex<HashMap<String, Arc<Flight>>>,
}

/// The outcome of a run, for those who wait for it: whoever holds the lock runs. None: it has no outcome for others.
type Flight = tokio::sync::Mutex<Option<Result<Arc<Entry>, CallError>>>;

struct Lifetimes;

impl Expiry<String, Arc<Entry>> for Lifetimes {
    fn expire_after_create(&self, _: &String, entry: &Arc<Entry>, _: Instant) -> Option<Duration> {
        Some(entry.lifetime.saturating_sub(entry.began.elapsed()))
    }

    fn expire_after_update(&self, _: &String, entry: &Arc<Entry>, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(entry.lifetime.saturating_sub(entry.began.elapsed()))
    }
}

impl Kept {
    /// `bytes`: how many all answers may have together; none keeps nothing.
    pub fn new(bytes: Option<usize>) -> Self {
        let store = bytes.map(|bytes| {
            Cache::builder()
                .max_capacity(bytes as u64)
                .weigher(|key: &String, entry: &Arc<Entry>| {
                    u32::try_from(key.len() + entry.thing.bytes()).unwrap_or(u32::MAX)
                })
                .eviction_policy(EvictionPolicy::lru())
                .expire_after(Lifetimes)
                .build()
        });
        Self { store, largest: bytes.unwrap_or_default() / SHARE, flights: Mutex::default() }
    }

    pub fn is_on(&self) -> bool {
        self.store.is_some()
    }

    /// Forgets all answers.
    pub fn forget(&self) {
        if let Some(store) = &self.store {
            store.invalidate_all();
        }
    }

    /// The answer: from memory, of an equal call that runs already, or by running.
    ///
    /// # Errors
    /// Those of the run, of this call or of the one that it waited for. That another's call was cancelled or late is
    /// nobody else's error.
    pub async fn get(
        &self,
        sought: &Sought,
        ledger: &Ledger,
        now: impl Fn() -> OffsetDateTime,
        run: impl Future<Output = Result<Made, CallError>>,
    ) -> Result<Found, CallError> {
        if let Some(found) = self.remembered(sought, ledger) {
            return Ok(found);
        }
        let joined = Joined::new(&self.flights, &sought.key);
        let mut outcome = joined.flight.lock().await;
        if let Some(outcome) = &*outcome {
            ledger.used(Use::Wait);
            let entry = outcome.clone()?;
            entry.enter(ledger);
            return Ok(Found { entry, age: None });
        }
        // Somebody may have run between the look into memory and the turn of this call.
        if let Some(found) = self.remembered(sought, ledger) {
            return Ok(found);
        }
        ledger.used(Use::Miss);
        let (began, as_of) = (Instant::now(), now());
        let (ended, worth) = match run.await {
            Ok(Made { thing, worth, organizations }) => {
                let lifetime = sought.lifetime.0;
                (Ok(Arc::new(Entry { thing, began, as_of, lifetime, organizations })), worth)
            }
            Err(error) if matches!(error.kind, CallErrorKind::Cancelled | CallErrorKind::Timeout) => {
                (Err(error), Worth::Own)
            }
            Err(error) => (Err(error), Worth::Shared),
        };
        if let (Some(store), Worth::Kept, Ok(entry)) = (&self.store, worth, &ended)
            && entry.thing.bytes() <= self.largest
        {
            store.insert(sought.key.clone(), entry.clone());
        }
        if worth != Worth::Own {
            *outcome = Some(ended.clone());
            joined.is_over();
        }
        Ok(Found { entry: ended?, age: None })
    }

    /// The answer, if it is in memory.
    pub fn remembered(&self, sought: &Sought, ledger: &Ledger) -> Option<Found> {
        let entry = self.store.as_ref()?.get(&sought.key)?;
        ledger.used(Use::Hit);
        entry.enter(ledger);
        let age = Some(entry.began.elapsed());
        Some(Found { entry, age })
    }
}

impl Entry {
    /// Whoever is told it has read these organisations' rows.
    fn enter(&self, ledger: &Ledger) {
        self.organizations.iter().for_each(|organization_id| ledger.may_read(organization_id));
    }
}

/// A call that runs, or waits for one that does.
struct Joined<'a> {
    flights: &'a Mutex<HashMap<String, Arc<Flight>>>,
    key: &'a str,
    flight: Arc<Flight>,
}

impl<'a> Joined<'a> {
    fn new(flights: &'a Mutex<HashMap<String, Arc<Flight>>>, key: &'a str) -> Self {
        let flight = locked(flights).entry(key.to_owned()).or_default().clone();
        Self { flights, key, flight }
    }

    /// Whoever comes now waits for nothing of it any more.
    fn is_over(&self) {
        self.leave(usize::MAX);
    }

    /// Forgets the flight unless more than so many hold it, the list of flights among them.
    fn leave(&self, most: usize) {
        let mut flights = locked(self.flights);
        if flights
            .get(self.key)
            .is_some_and(|flight| Arc::ptr_eq(flight, &self.flight) && Arc::strong_count(flight) <= most)
        {
            flights.remove(self.key);
        }
    }
}

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        self.leave(2);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Thing {
    /// About how much memory it takes.
    fn bytes(&self) -> usize {
        FRAME
            + match self {
                Self::Answer(produced) => produced.bytes(),
                Self::Document(document) => document.bytes(),
            }
    }
}

impl Produced {
    fn bytes(&self) -> usize {
        let content: usize = self.content.iter().map(|content| FRAME / 8 + content.bytes()).sum();
        let notes: usize = self.notes.iter().map(String::len).sum();
        let values = self.structured.iter().chain(&self.output).map(weight).sum::<usize>();
        let meta: usize = self.meta.iter().flatten().map(|(key, value)| key.len() + weight(value)).sum();
        content + notes + values + meta + self.document.as_ref().map_or(0, Document::bytes)
    }
}

impl Document {
    fn bytes(&self) -> usize {
        let said: usize = self.highlights.iter().map(|remark| remark.text.len()).sum();
        let sections = self.sections.iter().map(|section| {
            let rows: usize = section.rows.iter().flatten().map(weight).sum();
            FRAME + section.columns.len() * FRAME / 4 + rows
        });
        FRAME + self.summary.len() + said + sections.sum::<usize>()
    }
}

/// About how much memory a value takes, in bytes.
fn weight(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(weight).sum(),
            Value::Object(members) => {
                members.iter().map(|(key, value)| size_of::<(String, usize)>() + key.len() + weight(value)).sum()
            }
        }
}

#[cfg(test)]
mod tests;
