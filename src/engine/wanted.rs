//! What a call wants to be collected: a context type, its filters, the window and the one that it is compared with.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{
    CallError, CallErrorKind, Engine, arguments,
    arguments::{Reading, current as typed_as},
    cut::Movable,
    document::{Document, Status},
    error::span,
    filters::preset,
    news::Again,
    window::{Baseline, TimeWindow, parsed, stamp},
};
use crate::{
    catalog::{Catalog, ContextEntry},
    definition::{BESIDE_FILTERS, CollectArguments, Context, Period, Section, Sides, SqlText, Window},
};

/// A context to collect, read from the arguments of a call.
pub struct Wanted<'a> {
    /// The name asked for.
    pub name: &'a str,
    pub entry: &'a ContextEntry,
    pub window: TimeWindow,
    /// The time that was now when the window was read.
    pub now: OffsetDateTime,
    pub baseline: Baseline,
    /// What severity asks besides, where data reach back so far.
    pub second: Option<Baseline>,
    /// What the call named to compare with.
    pub asked_baseline: Option<&'a str>,
    /// Declared parameters with their values.
    pub filters: Map<String, Value>,
    pub max_items: Option<usize>,
    /// What was made of the arguments.
    pub notes: Vec<String>,
    pub organization_id: Option<&'a str>,
    pub workspace_id: Option<&'a str>,
    pub user_id: Option<&'a str>,
}

impl Wanted<'_> {
    /// The document before anything is read.
    pub(super) fn document(&self, now: OffsetDateTime) -> Document {
        let definition = &self.entry.definition;
        let filters = self.filters.iter().filter(|(_, value)| !value.is_null());
        Document {
            context_type: self.name.to_owned(),
            title: definition.title.clone(),
            category: definition.category.0.clone(),
            window: self.window,
            organisation: None,
            workspace: None,
            filters: filters.map(|(name, value)| (name.clone(), value.clone())).collect(),
            notes: self.notes.clone(),
            collected_at: now,
            status: Status::Unavailable,
            absent: Vec::new(),
            summary: String::new(),
            beyond: Vec::new(),
            highlights: Vec::new(),
            next: Vec::new(),
            links: Vec::new(),
            sections: Vec::new(),
            movable: Movable::ALL,
            elapsed: Duration::ZERO,
        }
    }
}

impl Catalog {
    /// The arguments of a collection: what its definition has that is a filter of the context type is passed as one. Where the
    /// type is the caller's choice, a filter of any type.
    pub(super) fn with_own_filters(
        &self,
        mut arguments: CollectArguments,
        with: &IndexMap<String, Value>,
        given: &Map<String, Value>,
    ) -> CollectArguments {
        let fixed = with.get(CONTEXT_TYPE).and_then(Value::as_str).and_then(|name| self.context(name));
        let parameters = fixed.map_or(&self.filters, |entry| &entry.definition.parameters);
        let beside = |name: &str| fixed.is_none() && BESIDE_FILTERS.contains(&name);
        let own = given.iter().filter(|(name, value)| {
            !value.is_null() && parameters.contains_key(*name) && typed_as(name) == name.as_str() && !beside(name)
        });
        let mut filters = match arguments.filters {
            Value::Object(filters) => filters,
            _ => Map::new(),
        };
        filters.extend(own.map(|(name, value)| (name.clone(), value.clone())));
        arguments.filters = Value::Object(filters);
        arguments
    }
}

/// The argument that names the type.
const CONTEXT_TYPE: &str = "context_type";

impl Engine {
    /// Reads the arguments that all actions over contexts share; `notes` say what was made of them already.
    pub(super) fn wanted<'a>(
        &self,
        catalog: &'a Catalog,
        arguments: &'a CollectArguments,
        notes: &[String],
    ) -> Result<Wanted<'a>, CallError> {
        let mut notes = notes.to_vec();
        let name = arguments
            .context_type
            .as_deref()
            .ok_or_else(|| CallError::invalid("`context_type` is required").hint("list the context types first"))?;
        let name = catalog.context_name(name).unwrap_or(name);
        let entry = catalog.context(name).ok_or_else(|| {
            CallError::unknown(
                CallErrorKind::InvalidArguments,
                "context type",
                name,
                catalog.listed().map(|context| &*context.name),
            )
        })?;
        let definition = &entry.definition;
        let filters = self.filters(catalog, name, definition, arguments, &mut notes)?;
        let (limits, now) = (&definition.window, self.now());
        let (window, baseline) = match &limits.sides {
            Some(sides) => sides_of(now, limits, sides, &filters, &mut notes)?,
            None => {
                let (range, start, end) = (&arguments.time_range, &arguments.start, &arguments.end);
                let [range, start, end] = [range, start, end].map(Option::as_deref);
                (TimeWindow::resolve(now, limits, range, start, end, &mut notes)?, Baseline::Previous)
            }
        };
        let (baseline, second) = match baseline {
            Baseline::Of(other) => (Baseline::Of(other), None),
            _ => against(definition, window, arguments.baseline.as_deref(), &mut notes)?,
        };
        Ok(Wanted {
            name,
            entry,
            window,
            now,
            baseline,
            second,
            asked_baseline: arguments.baseline.as_deref(),
            filters,
            max_items: arguments.max_items,
            notes,
            organization_id: arguments.organization_id.as_deref(),
            workspace_id: arguments.workspace_id.as_deref(),
            user_id: arguments.user_id.as_deref(),
        })
    }
}

/// The windows of two sides that are compared.
fn sides_of(
    now: OffsetDateTime,
    limits: &Window,
    sides: &Sides,
    filters: &Map<String, Value>,
    notes: &mut Vec<String>,
) -> Result<(TimeWindow, Baseline), CallError> {
    let side = |name: &String| filters.get(name).and_then(Value::as_object);
    let said = |side: Option<&Map<String, Value>>, key: &str| Some(side?.get(key)?.as_str()?.to_owned());
    let mut window = |name: &String, limits: &Window| {
        let (start, end) = (said(side(name), START), said(side(name), END));
        let wrong = |error: CallError| CallError { message: format!("`{name}`: {}", error.message), ..error };
        TimeWindow::resolve(now, limits, None, start.as_deref(), end.as_deref(), notes).map_err(wrong)
    };
    let a = window(&sides.a, limits)?;
    let b = side(&sides.b);
    if said(b, START).is_some() || said(b, END).is_some() {
        // As long as the other, where only one end is said.
        let end = match (said(b, START).and_then(|start| parsed(&start)), said(b, END)) {
            (Some(start), None) => start.checked_add(a.length()),
            _ => None,
        };
        let other = match end {
            Some(end) => TimeWindow { from: end - a.length(), to: end },
            None => {
                let default = Period(a.length().try_into().unwrap_or(limits.default.0));
                window(&sides.b, &Window { default, ..limits.clone() })?
            }
        };
        return Ok((a, Baseline::Of(other)));
    }
    let differs = b.is_some_and(|b| b.values().any(|value| !is_nothing(value)));
    Ok((a, if differs { Baseline::Of(a) } else { Baseline::Previous }))
}

impl<'a> Wanted<'a> {
    /// The same of another context type, with those of the filters that it has too.
    ///
    /// # Errors
    /// `InvalidArguments`: the window is longer than that type allows, or it does not take the value of a filter.
    pub(super) fn of_other(
        &self,
        name: &'a str,
        entry: &'a ContextEntry,
        reading: &Reading<'_>,
    ) -> Result<Self, CallError> {
        let definition = &entry.definition;
        let most = definition.window.max;
        if self.window.length() > most.0 {
            let message = format!("`{name}` looks back {most} at most, and the window is {}", self.window.label());
            return Err(CallError::invalid(message).hint("ask for a shorter window, or leave the type out"));
        }
        let given =
            self.filters.iter().filter(|(name, value)| !value.is_null() && definition.parameters.contains_key(*name));
        let mut given = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        preset(name, definition, &mut given, reading)?;
        let checked = arguments::check(&definition.parameters, &given, reading).map_err(|error| {
            let message = format!("context type `{name}`: {}", error.message);
            CallError { message, ..error }
        })?;
        let mut notes = checked.notes;
        let (baseline, second) = against(definition, self.window, self.asked_baseline, &mut notes)?;
        Ok(Self { name, entry, baseline, second, filters: checked.values, notes, ..*self })
    }
}

impl Wanted<'_> {
    /// Which time is compared with, where that is not the window before alone.
    pub(super) fn compared(&self, again: Option<&Again>) -> Option<String> {
        match (self.baseline, again) {
            (Baseline::Earlier(by), _) => {
                let other = self.baseline.of(self.window);
                let days = by.whole_days();
                let before = if days == 1 { "the day before".to_owned() } else { format!("{days} days before") };
                let (from, to) = (stamp(other.from), stamp(other.to));
                Some(format!("\"before\" is the same hours of {before}, {from} to {to} UTC"))
            }
            (Baseline::Previous, Some(again)) => Some(format!(
                "\"before\" is the window before; what is called bad stands against {} as well",
                again.said()
            )),
            _ => None,
        }
    }
}

/// What a window is compared with, and what severity asks besides.
fn against(
    definition: &Context,
    window: TimeWindow,
    asked: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<(Baseline, Option<Baseline>), CallError> {
    let day = Baseline::days(1, window);
    let found = match asked {
        None | Some("auto") => (Baseline::Previous, Some(day).filter(|day| day.of(window) != window.previous())),
        Some("previous") => (Baseline::Previous, None),
        Some("day") => (day, None),
        Some("week") => (Baseline::days(7, window), None),
        Some(other) => {
            return Err(CallError::invalid(format!(
                "`baseline` takes `auto`, `previous`, `day` or `week`, not {}",
                span(other, 40)
            )));
        }
    };
    if definition.sections.values().any(compares) && definition.window.sides.is_none() {
        return Ok(found);
    }
    if asked.is_some_and(|asked| asked != "auto") {
        notes.push(format!("`{}` compares its window with no other: `baseline` changes nothing here", definition.name));
    }
    Ok((Baseline::Previous, None))
}

/// Whether a section reads of another time than its window.
pub(super) fn compares(section: &Section) -> bool {
    section.query.iter().any(|alternative| match &alternative.sql {
        SqlText::Any(text) => text.contains(PREVIOUS),
        SqlText::PerDialect(texts) => texts.values().any(|text| text.contains(PREVIOUS)),
    })
}

/// With what the variables of the window begin that one is compared with.
const PREVIOUS: &str = "prev_from";

/// The ends of a side.
const START: &str = "start";
const END: &str = "end";

/// Whether a property says nothing.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value.as_str() == Some("")
}
