//! The filters of a context type, read from the arguments of a call.

use serde_json::{Map, Value};

use super::{CallError, Engine, Spelling, arguments};
use crate::{
    catalog::{Catalog, MOST_CHOICES},
    definition::{CollectArguments, Context, Parameter, ParameterType},
    template::{trimmed, unseen},
};

/// Under which name every context type takes the service, whatever callers call it.
const SERVICE: (&str, &str) = ("service_name", "service");

impl Engine {
    /// All filters that the context type declares, with the values of the call or their defaults.
    pub(super) fn filters(
        &self,
        catalog: &Catalog,
        name: &str,
        definition: &Context,
        arguments: &CollectArguments,
        notes: &mut Vec<String>,
    ) -> Result<Map<String, Value>, CallError> {
        let said = match &arguments.filters {
            Value::Object(filters) => filters.clone(),
            Value::String(json) if !json.trim().is_empty() => serde_json::from_str(json).map_err(|_| {
                CallError::invalid("`filters` must be a JSON object, such as {\"severity\": \"critical\"}")
            })?,
            _ => Map::new(),
        };
        let beside = SERVICE.0;
        let service = Some(&arguments.service_name).filter(|service| match service {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        });
        // A client that names every filter there is must name every one, and means those of this type.
        let mut others = catalog.filters.keys().filter(|name| *name != SERVICE.1);
        let every = catalog.filters.len() > definition.parameters.len() && others.all(|name| said.contains_key(name));
        let reading = arguments::Reading { spelling: Spelling::Text, now: self.now(), catalog };
        let mut left_out = Vec::new();
        let mut given = Map::with_capacity(said.len() + 1);
        for (written, value) in
            said.iter().map(|(name, value)| (name.as_str(), value)).chain(service.map(|s| (beside, s)))
        {
            let own = |name: &str| arguments::declared(&definition.parameters, name).map(|(_, filter)| filter);
            let (new, old) = SERVICE;
            let taken = if written == new && own(new).is_none() { old } else { written };
            let elsewhere = arguments::declared(&catalog.filters, taken).map(|(_, filter)| filter);
            if own(taken).or(elsewhere).is_some_and(|filter| nothing(filter, value)) {
                notes.extend(own(taken).and_then(|filter| kept_default(taken, filter, value)));
                continue;
            }
            if every && own(taken).is_none() && elsewhere.is_some() {
                left_out.push(taken);
                continue;
            }
            let value = match own(taken).filter(|filter| filter.choices.is_none() && is_text(filter)) {
                Some(filter) => &seen(written, value, catalog.values_of(taken, filter).is_some(), notes),
                None => value,
            };
            match given.get(taken) {
                Some(before)
                    if before != value
                        && !own(taken).is_some_and(|own| arguments::same(taken, own, before, value, &reading)) =>
                {
                    return Err(CallError::invalid(format!("the filter `{taken}` has two values")).hint("pass it once"));
                }
                _ => drop(given.insert(taken.to_owned(), value.clone())),
            }
        }
        preset(name, definition, &mut given, &reading)?;
        if !left_out.is_empty() {
            notes.push(format!(
                "every filter was given; those that `{name}` does not have were left out: {}",
                left_out.join(", ")
            ));
        }
        let checked = arguments::check(&definition.parameters, &given, &reading).map_err(|error| CallError {
            message: format!("context type `{name}`: {}", error.message),
            hint: Some(hint(catalog, definition, &given)),
            ..error
        })?;
        notes.extend(checked.notes);
        Ok(checked.values)
    }
}

/// Adds the filters that the name of the call stands for.
///
/// # Errors
/// `InvalidArguments`: the call says something else of one of them.
pub(super) fn preset(
    name: &str,
    definition: &Context,
    given: &mut Map<String, Value>,
    reading: &arguments::Reading<'_>,
) -> Result<(), CallError> {
    for (filter, value) in definition.presets.get(name).into_iter().flatten() {
        let Some((filter, declared)) = arguments::declared(&definition.parameters, filter) else { continue };
        let said = given.iter().find(|(written, _)| {
            arguments::declared(&definition.parameters, written).is_some_and(|(name, _)| name == filter)
        });
        match said {
            Some((_, said)) if !arguments::same(filter, declared, said, value, reading) => {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let message = format!("`{name}` stands for {filter}={value} and takes no other `{filter}`");
                let hint = match answering(definition, filter, |value| {
                    arguments::same(filter, declared, said, value, reading)
                }) {
                    Some(other) => format!("leave `{filter}` out, or ask for `{other}`"),
                    None => format!("leave `{filter}` out"),
                };
                return Err(CallError::invalid(message).hint(hint));
            }
            Some(_) => {}
            None => drop(given.insert(filter.to_owned(), value.clone())),
        }
    }
    Ok(())
}

/// The name of a context type that answers for a value of a filter: one that stands for it, or one that leaves it open.
fn answering<'a>(definition: &'a Context, filter: &str, is_it: impl Fn(&Value) -> bool) -> Option<&'a str> {
    let stands = definition.presets.iter().find(|(_, preset)| preset.get(filter).is_some_and(&is_it));
    let open = |name: &&str| definition.presets.get(*name).is_none_or(|preset| !preset.contains_key(filter));
    let mut names = std::iter::once(&definition.name).chain(&definition.aliases).map(|name| name.0.as_str());
    stands.map(|(name, _)| name.as_str()).or_else(|| names.find(open))
}

/// Whether the values of a filter are texts.
fn is_text(filter: &Parameter) -> bool {
    matches!(
        (filter.ty, filter.items),
        (ParameterType::String, _) | (ParameterType::Array, Some(ParameterType::String) | None)
    )
}

/// A value of a filter without what nobody sees around it, where that cannot be meant; where it can, that it counts is
/// said: the heading does not show it.
fn seen(name: &str, value: &Value, listed: bool, notes: &mut Vec<String>) -> Value {
    let digits = |c: char| c.is_ascii_hexdigit() || c == '-';
    let identifier = |text: &str| text.len() > 15 && trimmed(text).chars().all(digits);
    if let Value::String(text) = value
        && !listed
        && !identifier(text)
        && !trimmed(text).is_empty()
    {
        notes.extend(unseen(text).map(|unseen| format!("`{name}` came {unseen}, and is looked for as it came")));
        return value.clone();
    }
    arguments::seen(name, value, notes)
}

/// What is to be said to who wants any value of a filter that has one by default.
fn kept_default(name: &str, filter: &Parameter, value: &Value) -> Option<String> {
    let shown = Parameter { default: None, required: false, ..filter.clone() };
    let default = filter.default.as_ref().filter(|_| arguments::is_any(&shown, value))?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let choices: Vec<String> = filter.choices.iter().flatten().map(|choice| format!("`{}`", text(choice))).collect();
    Some(format!(
        "`{name}` has no `{}` here and stays `{}`; it takes {}",
        crate::catalog::ANY,
        text(default),
        choices.join(", ")
    ))
}

/// Whether a value says that a filter is not set.
fn nothing(filter: &Parameter, value: &Value) -> bool {
    // A default does not keep a caller from saying so: the list that clients are shown has none.
    let shown = Parameter { default: None, required: false, ..filter.clone() };
    arguments::absent(&shown, value)
}

/// The filters that there are, and which context types have those that were meant for this one.
fn hint(catalog: &Catalog, definition: &Context, given: &Map<String, Value>) -> String {
    let own: Vec<&str> = definition.parameters.keys().map(String::as_str).collect();
    let mut hint = match own.is_empty() {
        true => "this context type takes no filters".to_owned(),
        false => format!("its filters are: {}", own.join(", ")),
    };
    for name in given.keys().filter(|name| arguments::declared(&definition.parameters, name).is_none()) {
        let with = catalog.listed().filter(|context| context.parameters.contains_key(name));
        let with: Vec<&str> = with.map(|context| &*context.name).collect();
        if (1..=MOST_CHOICES / 4).contains(&with.len()) {
            hint.push_str(&format!("; `{name}` is a filter of {}", with.join(", ")));
        }
    }
    hint
}
