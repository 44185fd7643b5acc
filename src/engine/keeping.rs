//! Which calls are equal, so that one's answer may be another's: the key of a kept answer.
//!
//! It holds whatever decides what an answer says: the catalog, the definition, the arguments as they are understood, and
//! what the caller may read. Times that are named relative to now are compared by how far from now they are: an answer
//! of the last hour stands for the last hour as long as it lives, and says of when it is (docs/adr/0060).

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use time::{OffsetDateTime, macros::datetime};

use super::{
    Call, CallError, CallErrorKind, Document, Engine, Outcome, Produced, Spelling, Status,
    arguments::{self, Reading},
    kept::{Entry, Found, Made, Sought, Thing, Worth},
    only,
    wanted::Wanted,
    window::stamp,
};
use crate::{
    catalog::{Catalog, ToolEntry},
    definition::Period,
};

/// The time at which relative ones are read to compare them. No window lies there.
const AT: OffsetDateTime = datetime!(9000-01-01 0:00:00.123456789 UTC);

/// Member of the `_meta` of an answer from memory: of when it is (`asOf`), and how old (`ageMs`).
const KEPT: &str = "tfo-mcp/kept";

/// How long a run may take beyond the time of its call.
const GRACE: Duration = Duration::from_millis(500);

impl Engine {
    /// What a call of a tool seeks; none where nothing is kept for it.
    pub(super) fn tool_sought(
        &self,
        catalog: &Catalog,
        entry: &ToolEntry,
        given: &Map<String, Value>,
        spelling: Spelling,
        call: &Call,
    ) -> Option<Sought> {
        let lifetime = entry.definition.cache.filter(|_| self.kept.is_on() && call.resume.is_none())?;
        let reading = Reading { spelling, now: AT, catalog };
        let understood = match &entry.own_schema {
            Some(schema) => arguments::check_schema(schema, given, &reading),
            None => arguments::check(&entry.definition.parameters, given, &reading),
        };
        let arguments::Checked { values, notes } = understood.ok()?;
        let what = json!([entry.definition.name, values, notes, call.client.abilities()]);
        Some(sought("tool", catalog, what, call, lifetime))
    }

    fn document_sought(&self, catalog: &Catalog, wanted: &Wanted<'_>, call: &Call) -> Option<Sought> {
        let lifetime = wanted.entry.definition.cache.filter(|_| self.kept.is_on())?;
        let (window, now) = (wanted.window, wanted.now);
        // Windows that end now are equal where they are as long, or begin at the same named time.
        let length = now - window.from;
        let window = match window.to == now {
            true if length.subsec_nanoseconds() == 0 => json!([length.whole_seconds(), "now"]),
            true => json!([window.from.unix_timestamp_nanos().to_string(), "now"]),
            false => json!([window.from, window.to].map(|at| at.unix_timestamp_nanos().to_string())),
        };
        let compared = format!("{:?} {:?} {:?}", wanted.baseline, wanted.second, wanted.asked_baseline);
        let named = [wanted.organization_id, wanted.workspace_id, wanted.user_id];
        let what = json!([wanted.name, window, compared, wanted.filters, wanted.max_items, wanted.notes, named]);
        Some(sought("context", catalog, what, call, lifetime))
    }

    /// Runs a tool, or answers with what an equal call was told.
    pub(super) async fn tool_kept(
        &self,
        sought: &Sought,
        entry: &ToolEntry,
        (notes, timeout): (Vec<String>, Duration),
        call: &Call,
        run: impl Future<Output = Result<Outcome<Vec<Produced>>, CallError>>,
    ) -> Result<Outcome<Vec<Produced>>, CallError> {
        let made = async {
            let Outcome::Done(produced) = run.await? else {
                return Err(CallError::definition("an answer is kept of what asks the client"));
            };
            let mut produced = Produced { rows: None, output: None, ..only(produced) };
            if produced.document.is_none() {
                produced.notes.splice(0..0, notes);
            }
            let promised = entry.output_schema.as_ref().is_none_or(|schema| produced.keeps(schema).is_ok());
            let failed = produced.is_error || produced.wanting || !promised;
            let worth = match produced.document.as_ref().map_or(Worth::Kept, worth) {
                Worth::Kept if failed || call.ledger.has_failures() => Worth::Shared,
                worth => worth,
            };
            Ok(Made { thing: Thing::Answer(Box::new(produced)), worth, organizations: call.ledger.organizations() })
        };
        let found = tokio::time::timeout(timeout + GRACE, self.kept.get(sought, &call.ledger, || self.now(), made));
        let late = || CallError::new(CallErrorKind::Timeout, format!("not finished within {timeout:?}"));
        let found = found.await.unwrap_or_else(|_| Err(late()))?;
        Ok(Outcome::Done(vec![found.answer()?]))
    }

    /// Collects a context, or answers with what an equal call was told. `turn`: whether it needs one of the turns, which
    /// what is in memory does not. Whoever runs has its turn before others wait for it: nobody waits in a circle.
    pub(super) async fn collect_kept(
        &self,
        catalog: &Catalog,
        wanted: Wanted<'_>,
        call: &Call,
        turn: bool,
    ) -> Result<Document, CallError> {
        let sought = self.document_sought(catalog, &wanted, call);
        if let Some(found) = sought.as_ref().and_then(|sought| self.kept.remembered(sought, &call.ledger)) {
            return found.document();
        }
        let _turn = match turn {
            true => self.turns.take(call.caller.as_ref()).await,
            false => None,
        };
        // Waiting for another's run is its own time.
        let run = Box::pin(self.collect_from(catalog, wanted, call, Instant::now()));
        let Some(sought) = sought else { return run.await };
        let made = async {
            let document = run.await?;
            let organizations = document.organisation.iter().map(|organisation| organisation.id.clone()).collect();
            let worth = worth(&document);
            Ok(Made { thing: Thing::Document(Box::new(document)), worth, organizations })
        };
        self.kept.get(&sought, &call.ledger, || self.now(), made).await?.document()
    }
}

impl Found {
    fn document(self) -> Result<Document, CallError> {
        let Thing::Document(document) = &self.entry.thing else { return Err(other()) };
        let mut document = (**document).clone();
        document.notes.extend(self.age.map(|age| self.entry.told(age)));
        Ok(document)
    }

    fn answer(self) -> Result<Produced, CallError> {
        let Thing::Answer(produced) = &self.entry.thing else { return Err(other()) };
        let mut produced = (**produced).clone();
        if let Some(age) = self.age {
            produced.notes.push(self.entry.told(age));
            produced.meta.get_or_insert_default().insert(KEPT.to_owned(), self.entry.meta(age));
        }
        Ok(produced)
    }
}

impl Entry {
    /// Of when it is, to be told beside it.
    fn told(&self, age: Duration) -> String {
        format!("from memory: this was answered {:.1} s ago, at {} UTC", age.as_secs_f64(), stamp(self.as_of))
    }

    fn meta(&self, age: Duration) -> Value {
        let as_of = self.as_of.format(&time::format_description::well_known::Rfc3339);
        json!({ "asOf": as_of.unwrap_or_default(), "ageMs": u64::try_from(age.as_millis()).unwrap_or(u64::MAX) })
    }
}

fn sought(kind: &str, catalog: &Catalog, what: Value, call: &Call, lifetime: Period) -> Sought {
    let mut key = json!([kind, catalog.revision, what, call.principal.rights()]);
    key.sort_all_objects();
    Sought { key: key.to_string(), lifetime }
}

/// Whoever collects shows what could be read; what could not is asked again by the next.
fn worth(document: &Document) -> Worth {
    let went = || document.sections.iter().map(|section| section.status).chain([document.status]);
    match went().any(Status::is_problem) {
        true if went().any(|status| status == Status::Timeout) => Worth::Own,
        true => Worth::Shared,
        false => Worth::Kept,
    }
}

/// Keys begin with what they are of.
fn other() -> CallError {
    CallError::new(CallErrorKind::Internal, "what was kept is of another kind")
}
