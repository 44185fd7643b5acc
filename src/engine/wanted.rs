//! What a call wants to be collected: a context type, its filters, the window and the one that it is compared with.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{
    CallError, CallErrorKind, Engine,
    arguments::current as typed_as,
    window::{Baseline, TimeWindow, parsed},
};
use crate::{
    catalog::{Catalog, ContextEntry},
    definition::{CollectArguments, Period, Sides, Window},
};

/// A context to collect, read from the arguments of a call.
pub struct Wanted<'a> {
    /// The name asked for.
    pub name: &'a str,
    pub entry: &'a ContextEntry,
    pub window: TimeWindow,
    pub baseline: Baseline,
    /// Declared parameters with their values.
    pub filters: Map<String, Value>,
    pub max_items: Option<usize>,
    /// What was made of the arguments.
    pub notes: Vec<String>,
    pub organization_id: Option<&'a str>,
    pub workspace_id: Option<&'a str>,
    pub user_id: Option<&'a str>,
}

impl Catalog {
    /// The arguments of a collection whose definition fixes the context type: what it has that is a filter of that type
    /// is passed as one.
    pub(super) fn with_own_filters(
        &self,
        mut arguments: CollectArguments,
        with: &IndexMap<String, Value>,
        given: &Map<String, Value>,
    ) -> CollectArguments {
        let fixed = with.get(CONTEXT_TYPE).and_then(Value::as_str).and_then(|name| self.context(name));
        let Some(parameters) = fixed.map(|entry| &entry.definition.parameters) else { return arguments };
        let own = given.iter().filter(|(name, value)| {
            !value.is_null() && parameters.contains_key(*name) && typed_as(name) == name.as_str()
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
                catalog.contexts.keys().map(String::as_str),
            )
        })?;
        let definition = &entry.definition;
        let filters = self.filters(catalog, name, definition, arguments, &mut notes)?;
        let limits = &definition.window;
        let (window, baseline) = match &limits.sides {
            Some(sides) => self.sides(limits, sides, &filters, &mut notes)?,
            None => {
                let (range, start, end) = (&arguments.time_range, &arguments.start, &arguments.end);
                (self.window(limits, [range, start, end].map(Option::as_deref), &mut notes)?, Baseline::Previous)
            }
        };
        Ok(Wanted {
            name,
            entry,
            window,
            baseline,
            filters,
            max_items: arguments.max_items,
            notes,
            organization_id: arguments.organization_id.as_deref(),
            workspace_id: arguments.workspace_id.as_deref(),
            user_id: arguments.user_id.as_deref(),
        })
    }

    fn window(
        &self,
        limits: &Window,
        [range, start, end]: [Option<&str>; 3],
        notes: &mut Vec<String>,
    ) -> Result<TimeWindow, CallError> {
        TimeWindow::resolve(self.now(), limits, range, start, end, notes)
    }

    /// The windows of two sides that are compared.
    fn sides(
        &self,
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
            self.window(limits, [None, start.as_deref(), end.as_deref()], notes).map_err(wrong)
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
}

/// The ends of a side.
const START: &str = "start";
const END: &str = "end";

/// Whether a property says nothing.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value.as_str() == Some("")
}
