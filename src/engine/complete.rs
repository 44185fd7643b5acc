//! Completion of prompt arguments and URI variables: from the catalog, and from what the data hold.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{
    Call, Engine, arguments,
    known::{Asking, Known},
    tenancy,
    window::TimeWindow,
};
use crate::{
    catalog::{Catalog, ValuesEntry},
    definition::{ParameterType, Parameters, Period, ValuesArguments, ValuesFrom, Window},
    template::clean,
};

/// What is being completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion<'a> {
    /// An argument of the prompt of this name.
    Prompt(&'a str),
    /// A variable of the resource whose URI template this is.
    Resource(&'a str),
}

/// Look-backs offered for a time range.
const TIME_RANGES: [&str; 7] = ["15m", "30m", "1h", "3h", "6h", "24h", "7d"];

/// Longest wait for values of the data: somebody is typing.
const WAIT: Duration = Duration::from_secs(2);

/// How far back values are looked for where nothing says it.
const BACK: Period = Period::from_secs(86_400);

impl Engine {
    /// Values that begin with what was typed, then those that contain it. `given` are the arguments that were filled in
    /// before. Unknown names complete to nothing, and so does a database that does not answer soon.
    pub async fn complete(
        &self,
        of: Completion<'_>,
        argument: &str,
        prefix: &str,
        given: &Map<String, Value>,
        call: &Call,
    ) -> Vec<String> {
        let catalog = self.catalog();
        let parameters: Option<&Parameters> = match of {
            Completion::Prompt(name) => catalog.prompts.get(name).map(|entry| &entry.definition.arguments),
            Completion::Resource(uri) => catalog
                .resources
                .values()
                .find(|entry| entry.definition.uri == uri)
                .map(|entry| &entry.definition.parameters),
        };
        let named = parameters.and_then(|parameters| arguments::declared(parameters, argument));
        let Some((name, parameter)) = named else { return Vec::new() };
        // What stands for another name is offered to whoever begins to write it.
        let is_offered = |name: &&str| {
            !prefix.is_empty()
                || parameter.values_from != Some(ValuesFrom::Contexts)
                || catalog.contexts.get(name).is_some()
        };
        let values: Vec<String> = match (&parameter.choices, parameter.ty) {
            (Some(choices), _) => {
                choices.iter().filter_map(Value::as_str).filter(is_offered).map(str::to_owned).collect()
            }
            (None, ParameterType::TimeRange) => {
                let named = given.get("context_type").and_then(Value::as_str);
                let most = named.and_then(|name| catalog.context(name)).map(|entry| entry.definition.window.max);
                let fits =
                    |range: &&str| most.is_none_or(|most| Period::parse(range).is_ok_and(|range| range.0 <= most.0));
                TIME_RANGES.into_iter().filter(fits).map(str::to_owned).collect()
            }
            (None, ParameterType::Boolean) => vec!["true".into(), "false".into()],
            (None, _) => match catalog.values_of(name, parameter) {
                Some(list) => self.existing(&catalog, list, prefix, given, call).await,
                None => Vec::new(),
            },
        };
        // A value that would be masked in an answer is none to offer.
        let values = values.into_iter().filter(|value| self.options.masking.masked(value).1 == 0);
        let typed = prefix.to_lowercase();
        let (mut begins, contains): (Vec<String>, Vec<String>) = values
            .filter(|value| value.to_lowercase().contains(&typed))
            .partition(|value| value.to_lowercase().starts_with(&typed));
        begins.extend(contains);
        begins
    }

    /// Values of the caller's organisation.
    async fn existing(
        &self,
        catalog: &Catalog,
        list: &ValuesEntry,
        prefix: &str,
        given: &Map<String, Value>,
        call: &Call,
    ) -> Vec<String> {
        let _turn = self.turns.take(call.caller.as_ref()).await;
        // Where callers may name none, whoever covers several has none.
        let named =
            given.get("organization_id").and_then(Value::as_str).filter(|_| self.options.tenancy.allow_argument);
        let Ok(organisation) = self.organisation(named, call).await else { return Vec::new() };
        let (workspace_id, user_id) = tenancy::workspace_and_user(&self.options.tenancy, &call.principal);
        let limits = Window { default: BACK, max: Period::from_secs(31 * 86_400), ..Window::default() };
        // Of the names that lists are asked by; what does not fit them was not filled in.
        let bound: ValuesArguments = arguments::typed(given, &IndexMap::new()).unwrap_or_default();
        let (range, start, end) = (bound.time_range.as_deref(), bound.start.as_deref(), bound.end.as_deref());
        // What was understood of a window is said where it is read.
        let unsaid = &mut Vec::new();
        let window = TimeWindow::resolve(self.now(), &limits, range, start, end, unsaid)
            .or_else(|_| TimeWindow::resolve(self.now(), &limits, None, None, None, unsaid));
        let Ok(window) = window else { return Vec::new() };
        let asking = Asking {
            catalog,
            call,
            organization_id: &organisation.id,
            workspace_id,
            user_id,
            window,
            wait: WAIT,
            aside: true,
            since: None,
        };
        let given = &narrowing(given);
        let known = self.known(&asking, list, None, given).await;
        let typed = Some(prefix).filter(|prefix| !prefix.is_empty());
        let known = match typed {
            // There are more than are listed.
            Some(_) if known.cut => self.known(&asking, list, typed, given).await,
            _ => known,
        };
        harmless(&known)
    }
}

/// Values that can be shown as they are. A completion that was cleaned would find nothing.
fn harmless(known: &Known) -> Vec<String> {
    let mut names: Vec<String> = known.names().filter(|name| clean(name) == *name).map(str::to_owned).collect();
    names.sort_unstable();
    names
}

/// Arguments by the names under which lists are narrowed.
fn narrowing(given: &Map<String, Value>) -> Map<String, Value> {
    let mut given = given.clone();
    if let Some(service) = given.get("service_name").cloned() {
        given.entry("service").or_insert(service);
    }
    given
}
