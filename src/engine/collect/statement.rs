//! The statement of one section: which way it is written, from all rows or a sample, and within which limits it runs.
//!
//! How many rows a statement goes through is known before it runs, so that size alone never ends it; one that a limit ends
//! all the same is asked once more of less. Knows nothing of how sections wait for each other or what is said of them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use minijinja::Value;
use serde_json::json;

use super::Run;
use crate::{
    catalog::{CompiledSql, SectionEntry},
    definition::Alternative,
    engine::{
        choose::choose,
        cut::{Cap, Cut, Limit},
        error::{Took, Unread},
        extent::Extent,
        known::{Sent, minutes},
        order::Handed,
        sampling::{Sampling, Weight},
        tenancy,
        variables::{EngineVariables, bound},
        window::TimeWindow,
    },
    source::{Author, Limits, Query, Rows, Source, SourceError, SourceErrorKind},
    sql::{Statement, claims::Claims},
    template::sentence,
};

/// How often a statement that a limit ended is asked again of less.
const AGAIN: usize = 2;
/// Which part of the time a statement gets that may be asked again of less, which is then quick.
const FIRST: f64 = 0.75;
/// With less time than that left, a statement is not asked any more.
const LEAST: Duration = Duration::from_millis(5);
/// Most parts whose rows are counted.
const PARTS: usize = 5_000;
/// Most bytes of the counts.
const BYTES: usize = 1 << 20;

/// What a section's query found.
pub(super) struct Found<'a> {
    pub rows: Rows,
    pub extent: Extent,
    pub alternative: &'a Alternative,
    pub window: TimeWindow,
    pub sample: Option<Sampling>,
    /// What is to be said of where the rows come from.
    pub remarks: Vec<String>,
}

/// What counts the rows through which a statement goes.
struct Weighing<'a> {
    rows: &'a CompiledSql,
    /// The same by sums, where there are some.
    sums: Option<&'a CompiledSql>,
}

impl<'a> Weighing<'a> {
    async fn of(rows: &'a CompiledSql, sql: &'a CompiledSql, source: &dyn Source) -> Self {
        let sums = match &sql.summing {
            Some((requires, sums)) => match source.tables().await {
                Ok(tables) if requires.iter().all(|table| tables.has(table)) => Some(sums.as_ref()),
                _ => None,
            },
            None => None,
        };
        Self { rows, sums }
    }
}

/// What the proof of sums answers.
struct Proved {
    /// Whether they are whole for the window.
    holds: bool,
    /// How many rows they are of; where that is not known, too many to read them all.
    rows: Option<u64>,
    /// The sentence about them.
    said: String,
}

/// A statement that is about to be asked.
struct Asking<'a> {
    entry: &'a SectionEntry,
    source: &'a Arc<dyn Source>,
    rows: Option<Value>,
    window: TimeWindow,
    around: TimeWindow,
    extent: Extent,
    deadline: Instant,
}

impl Run<'_> {
    pub(super) async fn query<'s>(
        &self,
        entry: &'s SectionEntry,
        handed: &Handed,
        window: TimeWindow,
        around: TimeWindow,
        deadline: Instant,
    ) -> Result<Found<'s>, Unread> {
        let section = &entry.definition;
        let source = self.engine.sources.get(&section.source)?;
        let (query, alternatives, asked) = (&section.query, &entry.alternatives, self.wanted.window);
        let (alternative, sql, _) = choose(query, alternatives, &section.source, source.as_ref(), asked, false).await?;
        let asking = self.asking(entry, source, handed, (window, around), alternative, sql, deadline);
        let weighing = sql.weighing.as_deref().zip(alternative.sampled.as_ref().map(|sampled| sampled.above));
        let weighing = match weighing {
            Some((rows, above)) => Some((Weighing::of(rows, sql, source.as_ref()).await, above)),
            None => None,
        };
        let mut remarks = Vec::new();
        // Sums know how many rows they are of: what is read of them costs the same however many these are.
        let kept = match &weighing {
            Some(_) => choose(query, alternatives, &section.source, source.as_ref(), asked, true).await.ok(),
            None => None,
        };
        let mut known = None;
        if let Some((way, sums, _)) = kept
            && let (Some(proof), Some((_, above))) = (sums.proof.as_deref(), &weighing)
        {
            let asking = self.asking(entry, source, handed, (window, around), way, sums, deadline);
            let Proved { holds, rows, said } = self.proved(&asking, proof).await;
            let above = way.kept.as_ref().and_then(|kept| kept.above).unwrap_or(*above);
            match holds.then(|| rows.unwrap_or(u64::MAX)) {
                Some(rows) if rows <= above => known = Some(rows),
                Some(_) => match self.ask(&asking, sums, None, true).await {
                    Ok(rows) => return found(rows, asking, way, None, vec![said]),
                    Err(unread) => remarks.push(format!("Sums were not read: {}.", unread.error.message)),
                },
                None => remarks.push(format!("Sums were not read: {said}.")),
            }
        }
        let (mut sample, weight) = match (&weighing, known) {
            (Some((weighing, above)), None) => self.sample(&asking, weighing, *above).await,
            (_, known) => (None, known),
        };
        // All rows are exact, whatever is known of sums.
        if sample.is_none() {
            remarks.clear();
        }
        let mut left = if weighing.is_some() { AGAIN } else { 0 };
        let rows = loop {
            // What is little is not too much: a sample of it would tell nothing, and it gets all the time.
            let less = Sampling::after(sample.as_ref(), weight).filter(|_| left > 0);
            match (self.ask(&asking, sql, sample.as_ref(), less.is_some()).await, &weighing, less) {
                (Ok(rows), ..) => break rows,
                (Err(unread), Some((weighing, _)), Some(less)) if is_size(&unread.error) => {
                    sample = Some(self.chosen(&asking, weighing, less).await);
                    left -= 1;
                }
                (Err(unread), ..) => return Err(unread),
            }
        };
        remarks.splice(0..0, sample.as_ref().map(Sampling::remark));
        found(rows, asking, alternative, sample, remarks)
    }

    #[allow(clippy::too_many_arguments)]
    fn asking<'s>(
        &self,
        entry: &'s SectionEntry,
        source: &'s Arc<dyn Source>,
        handed: &Handed,
        (window, around): (TimeWindow, TimeWindow),
        way: &Alternative,
        sql: &CompiledSql,
        deadline: Instant,
    ) -> Asking<'s> {
        let window = window.read_by(way);
        let (max_rows, max_bytes) = (self.engine.options.max_rows, self.engine.options.max_bytes);
        let extent = Extent::of(&entry.definition, sql.uses_limit, self.wanted.max_items, max_rows, max_bytes);
        Asking { entry, source, rows: handed.rows.clone(), window, around, extent, deadline }
    }

    /// What is known of sums for the window.
    async fn proved(&self, asking: &Asking<'_>, proof: &CompiledSql) -> Proved {
        match self.aside(asking, proof, None).await {
            Ok(rows) => {
                let value = |name: &str| {
                    let at = rows.columns.iter().position(|column| column.name == name)?;
                    rows.rows.first()?.get(at)
                };
                let holds = value("holds").is_some_and(|holds| holds == &json!(true) || holds == &json!(1));
                let said = value("said").and_then(serde_json::Value::as_str).unwrap_or("nothing is known of them");
                let of = value("rows");
                let of = of.and_then(|of| of.as_u64().or_else(|| of.as_str()?.parse().ok()));
                Proved { holds, rows: of, said: sentence(said, 300) }
            }
            Err(error) => {
                let said = format!("they could not be proved ({})", error.kind.as_str());
                Proved { holds: false, rows: None, said }
            }
        }
    }

    /// The sample of which a statement is read, none for all rows, and of how many rows, where that could be counted.
    async fn sample(
        &self,
        asking: &Asking<'_>,
        weighing: &Weighing<'_>,
        above: u64,
    ) -> (Option<Sampling>, Option<u64>) {
        let (sample, rows) = match self.weight(asking, weighing, None).await {
            Ok(weight) => (Sampling::for_rows(weight.total(), above), Some(weight.total())),
            // Too much to count is too much to read.
            Err(error) if is_size(&error) => (Sampling::after(None, None), None),
            // The statement itself tells what is wrong.
            Err(_) => (None, None),
        };
        match sample {
            Some(sample) => (Some(self.chosen(asking, weighing, sample).await), rows),
            None => (None, rows),
        }
    }

    /// A sample by the first digits of the ids, where these are spread evenly; else by a hash.
    async fn chosen(&self, asking: &Asking<'_>, weighing: &Weighing<'_>, sample: Sampling) -> Sampling {
        let prefix = sample.by_prefix();
        let all = self.weight(asking, weighing, None).await;
        let some = self.weight(asking, weighing, Some(&prefix)).await;
        match (all, some) {
            (Ok(all), Ok(some)) if prefix.is_even(&all, &some) => prefix,
            _ => sample,
        }
    }

    /// How many rows the statement goes through, counted at most once a minute for all who ask; by sums where these are whole.
    async fn weight(
        &self,
        asking: &Asking<'_>,
        weighing: &Weighing<'_>,
        sample: Option<&Sampling>,
    ) -> Result<Weight, SourceError> {
        if sample.is_none()
            && let Some(sums) = weighing.sums
            && let Ok(rows) = self.aside(asking, sums, None).await
        {
            let weight = Weight::of(&rows);
            if weight.total() > 0 {
                return Ok(weight);
            }
        }
        Ok(Weight::of(&*self.aside(asking, weighing.rows, sample).await?))
    }

    /// What a statement about the rows or sums of a section answers, asked at most once a minute for all who ask.
    async fn aside(
        &self,
        asking: &Asking<'_>,
        sql: &CompiledSql,
        sample: Option<&Sampling>,
    ) -> Result<Arc<Rows>, SourceError> {
        let statement = self.built(asking, sql, sample, minutes(asking.window), PARTS)?;
        let organization_id = sql.tenant.then_some(self.organisation.id.as_str());
        let (name, call) = (&asking.entry.definition.source, self.call);
        let timeout = self.engine.options.query_timeout.min(asking.remaining() / 2).max(Duration::from_millis(1));
        let query = Query {
            statement: &statement,
            limits: Limits { timeout, max_rows: PARTS, max_bytes: BYTES },
            author: Author::Definition { organization_id },
            cancel: &call.cancel,
            id: None,
        };
        let asked = async { Ok(Arc::new(call.ledger.ask_aside(name, asking.source.as_ref(), query).await?)) };
        self.engine.answers.get(&Sent::new(name, organization_id, &statement), None, asked).await
    }

    /// Asks for the rows; `again` keeps time to ask of less.
    async fn ask(
        &self,
        asking: &Asking<'_>,
        sql: &CompiledSql,
        sample: Option<&Sampling>,
        again: bool,
    ) -> Result<Rows, Unread> {
        let statement = &self.built(asking, sql, sample, asking.window, asking.extent.read + 1)?;
        let options = &self.engine.options;
        let left = asking.remaining();
        if left < LEAST {
            return Err(self.unasked());
        }
        let remaining = if again { left.mul_f64(FIRST) } else { left };
        let limits = Limits {
            timeout: remaining.clamp(Duration::from_millis(1), options.query_timeout.max(Duration::from_millis(1))),
            max_rows: asking.extent.read,
            max_bytes: options.max_bytes,
        };
        let author = Author::Definition { organization_id: sql.tenant.then_some(self.organisation.id.as_str()) };
        let query = Query { statement, limits, author, cancel: &self.call.cancel, id: None };
        let sent = Instant::now();
        let asked = self.call.ledger.ask(&asking.entry.definition.source, asking.source.as_ref(), query).await;
        let took = Took { elapsed: sent.elapsed(), limit: limits.timeout };
        let cut = match limits.timeout < options.query_timeout {
            true => self.deadline(),
            false => Cut::new(Cap::Query, Limit::Time(options.query_timeout)),
        };
        asked.map_err(|error| {
            let ended = error.is_ended(took).then_some(cut);
            let error = error.ended_by(cut, took);
            let error = if ended.is_some() { error.in_what_was_left(cut, left, took) } else { error };
            Unread { error, ended }
        })
    }

    /// A statement with its values.
    fn built(
        &self,
        asking: &Asking<'_>,
        sql: &CompiledSql,
        sample: Option<&Sampling>,
        window: TimeWindow,
        limit: usize,
    ) -> Result<Statement, SourceError> {
        let claims = Claims::new(tenancy::claims(&self.engine.options.tenancy, &self.call.principal));
        let variables = EngineVariables {
            claims: &claims,
            organization_id: &self.organisation.id,
            workspace_id: self.workspace_id,
            user_id: self.user_id,
            window,
            baseline: self.baseline_of(asking.entry),
            around: asking.around,
            now: self.engine.now(),
            limit,
            rows: asking.rows.clone(),
            sample,
        };
        let parameters = &self.wanted.entry.definition.parameters;
        bound(self.catalog, asking.source.dialect(), sql, parameters, &self.wanted.filters, &variables)
    }
}

impl Asking<'_> {
    fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// The rows of a section, unless not even the first fits.
fn found<'s>(
    rows: Rows,
    asking: Asking<'_>,
    alternative: &'s Alternative,
    sample: Option<Sampling>,
    remarks: Vec<String>,
) -> Result<Found<'s>, Unread> {
    if rows.rows.is_empty() && rows.truncated.is_some() {
        // Something was recorded, so that this is not empty.
        return Err(SourceError::new(
            SourceErrorKind::Exhausted,
            "the first row alone is longer than `limits.max_bytes`",
        )
        .hint("use a narrower filter, or let the operator raise it")
        .into());
    }
    Ok(Found { rows, extent: asking.extent, alternative, window: asking.window, sample, remarks })
}

/// Whether it was too much: rows, bytes, memory or time.
fn is_size(error: &SourceError) -> bool {
    matches!(error.kind, SourceErrorKind::Timeout | SourceErrorKind::Exhausted)
}
