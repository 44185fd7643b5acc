//! Known values: what of one kind exists in a window, for one organisation.
//!
//! The statements are those of `kind: values`, proved and bound to the organisation as any other. What is kept for a
//! moment is the answer of a statement as it was sent, with its values and the organisation (docs/adr/0014): whatever
//! tells two callers apart tells two answers apart.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Call, Engine,
    choose::choose,
    fresh::{Fresh, Keeping},
    tenancy,
    variables::{EngineVariables, bound},
    window::{Baseline, TimeWindow},
};
use crate::{
    catalog::{CONTAINS, Catalog, PlaceEntry, Reach, ValuesEntry},
    source::{Author, Limits, Query, Rows, SourceError, SourceErrorKind},
    sql::{Statement, claims::Claims},
};

/// Most values of one place.
const MOST: usize = 1000;
/// Most bytes of an answer that is kept.
const BYTES: usize = 128 << 10;
/// What a statement may take beyond its own time limit, which says why it ended.
const GRACE: Duration = Duration::from_millis(250);
/// Longest value, in characters; longer ones are no names.
const LONGEST: usize = 300;

/// Answers of statements as they were sent.
pub type Answers = Fresh<Sent, Arc<Rows>>;

/// A statement as it was sent: where to, for whom, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sent {
    source: String,
    organization_id: Option<String>,
    sql: String,
    /// The bound values, written out.
    binds: String,
}

pub fn answers() -> Answers {
    Fresh::new(Keeping { answers: Duration::from_secs(60), failures: Duration::from_secs(10), most: 256 })
}

/// Who asks, and about which time.
pub struct Asking<'a> {
    pub catalog: &'a Catalog,
    pub call: &'a Call,
    pub organization_id: &'a str,
    pub workspace_id: Option<&'a str>,
    pub user_id: Option<&'a str>,
    pub window: TimeWindow,
    /// Longest wait.
    pub wait: Duration,
    /// The engine asks on its own behalf.
    pub aside: bool,
    /// Answers of before then are asked for anew: nothing is said to be absent because it was so a minute ago.
    pub since: Option<Instant>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Known {
    /// The most frequent of the first place first.
    pub values: Vec<KnownValue>,
    /// A place has more of them.
    pub cut: bool,
    /// By source: when the newest record of any of them was made, as far as its places say it.
    pub newest: HashMap<String, OffsetDateTime>,
    /// Places that answered.
    pub answered: usize,
    /// A source that could not be asked, and why.
    pub failed: Option<(String, SourceError)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownValue {
    pub value: String,
    /// Other names under which it may be asked for, such as its id.
    pub ids: Vec<String>,
    /// When it was first recorded in the window, where the list says it.
    pub first_seen: Option<OffsetDateTime>,
    /// When it was last recorded in the window; none where it is on record without a time.
    pub last_seen: Option<OffsetDateTime>,
    /// Whether a place says that it was recorded in the window, whatever other places have it on record.
    pub recorded: bool,
    /// Which time it is of, by the place that says most of that.
    pub reach: Reach,
}

impl Sent {
    pub fn new(source: &str, organization_id: Option<&str>, statement: &Statement) -> Self {
        Self {
            source: source.to_owned(),
            organization_id: organization_id.map(str::to_owned),
            sql: statement.sql.clone(),
            binds: format!("{:?}", statement.binds),
        }
    }
}

impl Known {
    pub fn find(&self, value: &str) -> Option<&KnownValue> {
        self.values.iter().find(|known| known.value == value || known.ids.iter().any(|id| id == value))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|known| known.value.as_str())
    }

    /// Whether there are no others.
    pub fn is_whole(&self) -> bool {
        self.answered > 0 && !self.cut && self.failed.is_none()
    }

    fn add(&mut self, source: &str, reach: Reach, found: &Rows) {
        let column = |name: &str| found.columns.iter().position(|column| column.name == name);
        let Some(value) = column("value") else { return };
        let (first_seen, last_seen, id) = (column("first_seen"), column("last_seen"), column("id"));
        self.answered += 1;
        self.cut |= found.truncated.is_some();
        for row in &found.rows {
            let Some(text) = row.get(value).and_then(Value::as_str) else { continue };
            if text.is_empty() || text.chars().count() > LONGEST {
                continue;
            }
            let time = |column: Option<usize>| column.and_then(|at| moment(row.get(at)?.as_str()?));
            let (first, seen) = (time(first_seen), time(last_seen));
            if let Some(seen) = seen {
                let newest = self.newest.entry(source.to_owned()).or_insert(seen);
                *newest = seen.max(*newest);
            }
            let id = id.and_then(|at| row.get(at)?.as_str()).map(str::to_owned);
            match self.values.iter_mut().find(|known| known.value == text) {
                Some(known) => {
                    known.recorded |= seen.is_some();
                    known.reach = known.reach.min(reach);
                    // On record without a time is as good as seen now.
                    known.last_seen = known.last_seen.zip(seen).map(|(a, b)| a.max(b));
                    known.first_seen = known.first_seen.zip(first).map(|(a, b)| a.min(b));
                    known.ids.extend(id);
                }
                None => {
                    let ids = id.into_iter().collect();
                    let (value, recorded) = (text.to_owned(), seen.is_some());
                    self.values.push(KnownValue { value, ids, first_seen: first, last_seen: seen, recorded, reach });
                }
            }
        }
    }
}

/// Times without a zone are meant in UTC.
fn moment(text: &str) -> Option<OffsetDateTime> {
    let at = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    at(text).or_else(|| at(&format!("{}Z", text.replacen(' ', "T", 1))))
}

impl Engine {
    /// What exists of a kind, with `contains` only what has that text in it.
    pub(super) async fn known(
        &self,
        asking: &Asking<'_>,
        entry: &ValuesEntry,
        contains: Option<&str>,
        narrowed: &Map<String, Value>,
    ) -> Known {
        let places = entry.places.iter().map(|place| self.place(asking, entry, place, contains, narrowed));
        let found = join_all(places.map(|place| tokio::time::timeout(asking.wait + GRACE, place))).await;
        let mut known = Known::default();
        for (place, outcome) in entry.places.iter().zip(found) {
            let mut failed = |error| known.failed = Some((place.definition.source.0.clone(), error));
            match outcome {
                Ok(Ok(rows)) => known.add(&place.definition.source, place.reach(), &rows),
                // An installation without the table records nothing there.
                Ok(Err(error)) if error.kind == SourceErrorKind::Missing => {}
                Ok(Err(error)) => failed(error),
                Err(_) => {
                    let message = format!("not finished within {:?}", asking.wait);
                    failed(SourceError::new(SourceErrorKind::Timeout, message));
                }
            }
        }
        known
    }

    async fn place(
        &self,
        asking: &Asking<'_>,
        entry: &ValuesEntry,
        place: &PlaceEntry,
        contains: Option<&str>,
        narrowed: &Map<String, Value>,
    ) -> Result<Arc<Rows>, SourceError> {
        let source = self.sources.get(&place.definition.source)?;
        let (query, compiled) = (&place.definition.query, &place.alternatives);
        let (alternative, sql, _) =
            choose(query, compiled, &place.definition.source, source.as_ref(), asking.window, false).await?;
        let window = minutes(asking.window.read_by(alternative));
        let claims = Claims::new(tenancy::claims(&self.options.tenancy, &asking.call.principal));
        let variables = EngineVariables {
            sample: None,
            baseline: Baseline::Previous,
            rows: None,
            claims: &claims,
            organization_id: asking.organization_id,
            workspace_id: asking.workspace_id,
            user_id: asking.user_id,
            window,
            around: window,
            now: window.to,
            limit: MOST + 1,
        };
        let parameters = &entry.definition.parameters;
        let mut arguments: Map<String, Value> =
            parameters.keys().map(|name| (name.clone(), narrowed.get(name).cloned().unwrap_or_default())).collect();
        arguments.insert(CONTAINS.into(), contains.map_or(Value::Null, Value::from));
        let statement = &bound(asking.catalog, source.dialect(), sql, parameters, &arguments, &variables)?;
        let organization_id = sql.tenant.then_some(asking.organization_id);
        let sent = Sent::new(&place.definition.source, organization_id, statement);
        let limits = Limits { timeout: asking.wait, max_rows: MOST, max_bytes: BYTES };
        let author = Author::Definition { organization_id };
        let query = Query { statement, limits, author, cancel: &asking.call.cancel, id: None };
        let (name, ledger) = (&*place.definition.source, &asking.call.ledger);
        let asked = async {
            let rows = match asking.aside {
                true => ledger.ask_aside(name, source.as_ref(), query).await?,
                false => ledger.ask(name, source.as_ref(), query).await?,
            };
            Ok(Arc::new(rows))
        };
        self.answers.get(&sent, asking.since, asked).await
    }
}

/// The window in whole minutes, so that calls of one minute ask the same.
pub(super) fn minutes(window: TimeWindow) -> TimeWindow {
    let whole = |at: OffsetDateTime| at.replace_second(0).and_then(|at| at.replace_nanosecond(0)).unwrap_or(at);
    let to = whole(window.to);
    let to = if to < window.to { to + time::Duration::MINUTE } else { to };
    TimeWindow { from: whole(window.from), to }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::source::{Column, ColumnType, Truncation};

    fn rows(rows: Value) -> Rows {
        let column = |name: &str| Column { name: name.into(), ty: ColumnType::Text };
        let rows = serde_json::from_value(rows).unwrap();
        Rows { columns: vec![column("value"), column("last_seen")], rows, ..Rows::default() }
    }

    #[test]
    fn places_are_one_list_and_the_newest_time_counts() {
        let mut known = Known::default();
        known.add(
            "telemetry",
            Reach::Window,
            &rows(json!([["web", "2026-11-27T00:00:00.000Z"], ["cart", "2026-11-27T00:00:00Z"], ["", null]])),
        );
        known.add(
            "telemetry",
            Reach::Window,
            &rows(json!([["web", "2026-11-27 01:00:00"], ["cart", null], ["edge", "2026-11-27T00:00:00Z"]])),
        );
        assert_eq!(known.names().collect::<Vec<_>>(), ["web", "cart", "edge"]);
        assert_eq!(known.find("web").unwrap().last_seen, moment("2026-11-27T01:00:00Z"));
        assert_eq!(known.find("cart").unwrap().last_seen, None, "it is on record");
        assert!(known.is_whole());
        known.add("telemetry", Reach::Always, &Rows { truncated: Some(Truncation::Rows), ..rows(json!([])) });
        assert!(!known.is_whole());
    }

    #[test]
    fn calls_of_one_minute_ask_the_same() {
        let at = |text: &str| OffsetDateTime::parse(text, &Rfc3339).unwrap();
        let window = |from, to| minutes(TimeWindow { from: at(from), to: at(to) });
        let first = window("2026-11-27T00:00:01Z", "2026-11-27T01:00:01Z");
        assert_eq!(first, window("2026-11-27T00:00:59.5Z", "2026-11-27T01:00:59.5Z"));
        assert_eq!((first.from, first.to), (at("2026-11-27T00:00:00Z"), at("2026-11-27T01:01:00Z")));
    }
}
