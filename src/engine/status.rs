//! How this server is, as it tells its clients: settings, health, definitions.
//!
//! Whoever loads definitions hands in what came of it, by [`Engine::replace`] and [`Engine::refuse`]; clients that
//! watch a resource of the action `status` are told when there is news.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use arc_swap::ArcSwap;
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Engine, Event, Events, changes, sources::Told, window::stamp};
use crate::{
    catalog::Catalog,
    definition::{LogLevel, StatusPart},
};

/// The logger of messages about definitions.
const LOGGER: &str = "definitions";
/// Most findings that a log message carries; the resource has all.
const LOGGED: usize = 10;

/// Something that is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `error` or `warning`.
    pub severity: String,
    /// Such as `TFO0011`.
    pub code: String,
    pub message: String,
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What to do, a sentence each.
    pub help: Vec<String>,
}

/// What is known about the definitions that are served.
#[derive(Debug, Clone)]
struct Served {
    /// Grows by one with every replacement.
    generation: u64,
    loaded_at: OffsetDateTime,
    /// Folders that were read, in order.
    packs: Vec<String>,
    attempted_at: OffsetDateTime,
    /// Whether the last attempt was refused, so that an older version is served.
    refused: bool,
    /// Of the last attempt.
    findings: Vec<Finding>,
}

/// Tells how the transport is by which the engine is reached. What it says is shown as it is.
pub type Reached = Box<dyn Fn() -> Value + Send + Sync>;

pub(super) struct Status {
    served: Mutex<Served>,
    began: Instant,
    reached: OnceLock<Reached>,
}

impl Default for Status {
    fn default() -> Self {
        let now = OffsetDateTime::now_utc();
        let served = Served {
            generation: 1,
            loaded_at: now,
            packs: Vec::new(),
            attempted_at: now,
            refused: false,
            findings: Vec::new(),
        };
        Self { served: Mutex::new(served), began: Instant::now(), reached: OnceLock::new() }
    }
}

impl Engine {
    /// Says what came of loading the catalog that it was made with: which packs, and warnings.
    #[must_use]
    pub fn loaded_from(self, packs: Vec<String>, findings: Vec<Finding>) -> Self {
        {
            let mut served = self.served();
            (served.packs, served.findings) = (packs, findings);
        }
        self
    }

    /// Says by what it is reached. The first that serves it is shown.
    pub fn reached_by(&self, reached: Reached) {
        // Two servers over one engine are an affair of tests.
        let _ = self.status.reached.set(reached);
    }

    /// Replaces the catalog whole and tells those who listen what changed; calls in flight keep theirs.
    pub fn replace(&self, catalog: Catalog, findings: Vec<Finding>) {
        let new = std::sync::Arc::new(catalog);
        self.sources.know(&new.tables);
        let old = self.catalog.swap(new.clone());
        // A call that began before keeps what it comes to under the old catalog, which nobody asks for any more.
        self.kept.forget();
        let (generation, mended) = {
            let mut served = self.served();
            let now = OffsetDateTime::now_utc();
            (served.generation, served.loaded_at, served.attempted_at) = (served.generation + 1, now, now);
            served.findings = findings;
            (served.generation, std::mem::take(&mut served.refused))
        };
        for event in changes::between(&old, &new) {
            self.events.send(event);
        }
        self.tell_news(&new, mended);
        let message = match mended {
            true => "The definitions are right again and in force.",
            false => "The definitions were changed and are in force.",
        };
        let data = json!({ "message": message, "generation": generation });
        self.events.send(Event::Log { level: LogLevel::Info, logger: LOGGER.to_owned(), data });
    }

    /// Notes that an edit cannot be served: the catalog stays, and those who listen are told why.
    pub fn refuse(&self, findings: Vec<Finding>) {
        let (generation, before) = {
            let mut served = self.served();
            served.attempted_at = OffsetDateTime::now_utc();
            if served.refused && served.findings == findings {
                return;
            }
            let before = std::mem::replace(&mut served.refused, true);
            served.findings.clone_from(&findings);
            (served.generation, before)
        };
        self.tell_news(&self.catalog(), !before);
        let errors = findings.iter().filter(|finding| finding.severity == "error");
        let data = json!({
            "message": "The edited definitions cannot be served; the last good ones stay in force.",
            "generation": generation,
            "findings": errors.clone().take(LOGGED).collect::<Vec<_>>(),
            "error_count": errors.count(),
        });
        self.events.send(Event::Log { level: LogLevel::Warning, logger: LOGGER.to_owned(), data });
    }

    /// Tells of what came of an edit, and of a state of the server that is another one now.
    fn tell_news(&self, catalog: &Catalog, other_state: bool) {
        let health = if other_state { changes::showing(catalog, StatusPart::Health) } else { Vec::new() };
        for event in changes::showing(catalog, StatusPart::Definitions).into_iter().chain(health) {
            self.events.send(event);
        }
    }

    fn served(&self) -> std::sync::MutexGuard<'_, Served> {
        self.status.served.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part of the state as indented JSON.
    pub(super) fn tell_status(&self, catalog: &Catalog, of: StatusPart) -> String {
        let value = match of {
            StatusPart::Config => (self.options.config)(),
            StatusPart::Health => self.health(catalog),
            StatusPart::Definitions => self.definitions(catalog),
        };
        format!("{value:#}")
    }

    fn health(&self, catalog: &Catalog) -> Value {
        let sources: serde_json::Map<String, Value> = self
            .sources
            .heard()
            .map(|(name, source, heard)| {
                let mut about = json!({ "bound_to": source.describe(), "dialect": source.dialect().as_str() });
                let known = match heard {
                    None => json!({ "state": "not_asked_yet" }),
                    Some(heard) => match heard.error {
                        None => json!({
                            "state": "ok", "at": stamp(heard.at), "latency_ms": millis(heard.took),
                        }),
                        Some(error) => json!({
                            "state": "failed", "at": stamp(heard.at), "message": error.message, "hint": error.hint,
                        }),
                    },
                };
                if let (Value::Object(about), Value::Object(mut known)) = (&mut about, known) {
                    about.append(&mut known);
                }
                (name.to_owned(), about)
            })
            .collect();
        let (generation, refused) = {
            let served = self.served();
            (served.generation, served.refused)
        };
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_seconds": self.status.began.elapsed().as_secs(),
            "sources": sources,
            "definitions": {
                "generation": generation,
                "state": if refused { "last_good" } else { "current" },
                "served": counts(catalog),
            },
            "transport": self.status.reached.get().map(|reached| reached()),
            "calls": { "running": self.turns.taken() },
        })
    }

    fn definitions(&self, catalog: &Catalog) -> Value {
        let served = self.served().clone();
        json!({
            "generation": served.generation,
            "loaded_at": stamp(served.loaded_at),
            "packs": served.packs,
            "served": counts(catalog),
            "last_attempt": {
                "at": stamp(served.attempted_at),
                "result": if served.refused { "refused: the last good definitions stay in force" } else { "in force" },
            },
            "findings": served.findings,
        })
    }
}

/// Tells those who watch the health of the server that it is another.
pub(super) fn tells_health(catalog: &Arc<ArcSwap<Catalog>>, events: &Events) -> Told {
    let (catalog, events) = (catalog.clone(), events.clone());
    Arc::new(move || {
        changes::showing(&catalog.load(), StatusPart::Health).into_iter().for_each(|event| events.send(event));
    })
}

fn counts(catalog: &Catalog) -> Value {
    json!({
        "tools": catalog.tools.len(),
        "prompts": catalog.prompts.len(),
        "resources": catalog.resources.len(),
        "contexts": catalog.contexts.len(),
        "insights": catalog.insights.len(),
        "personas": catalog.personas.len(),
        "providers": catalog.providers.len(),
        "toolsets": catalog.toolsets.len(),
    })
}

/// Milliseconds with one digit behind the point.
fn millis(period: std::time::Duration) -> f64 {
    (period.as_secs_f64() * 1e4).round() / 10.0
}
