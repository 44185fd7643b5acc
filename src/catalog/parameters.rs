//! What becomes of declared parameters once the whole catalog is known: choices and properties are filled in, and what
//! is not offered is left out.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Catalog, Compiler, schema::MOST_CHOICES};
use crate::definition::{
    Action, Context, Definition, Name, Parameter, ParameterType, Parameters, PropertiesFrom, Subject, ValuesFrom,
    Visibility,
};

/// Most characters of the descriptions of all filters together. Where authors' own do not fit, each filter names its
/// context types; where that does not fit either, the names speak for themselves.
const DESCRIPTIONS: usize = 250;

/// Most categories that a description lists.
const MOST_CATEGORIES: usize = 12;

impl Catalog {
    /// The name or alias of a context type that is meant, written in any case and joined by any marks.
    pub fn context_name(&self, written: &str) -> Option<&str> {
        let known = || self.contexts.keys().chain(self.aliases.keys()).map(String::as_str);
        known().find(|known| *known == written).or_else(|| meant(written, known()))
    }

    /// Names that `values_from` stands for.
    pub fn values(&self, from: ValuesFrom) -> Vec<String> {
        let mut values: Vec<String> = match from {
            ValuesFrom::Contexts => self
                .listed()
                .flat_map(|context| context.aliases.iter().chain([&context.name]))
                .map(|name| name.0.clone())
                .collect(),
            ValuesFrom::ContextCategories => self.listed().map(|context| context.category.0.clone()).collect(),
            ValuesFrom::Insights => self.insights.keys().cloned().collect(),
            ValuesFrom::Personas => self.personas.keys().cloned().collect(),
            ValuesFrom::Values => self.known_values.keys().cloned().collect(),
        };
        values.sort();
        values.dedup();
        values
    }

    /// The context types that callers may ask for by name.
    pub fn listed(&self) -> impl Iterator<Item = &Context> {
        self.contexts.heads().filter(|context| context.listed)
    }

    /// Where a caller finds all names of a kind, and how many of them it lists: what stands for another name is not counted.
    pub fn place_of(&self, from: ValuesFrom) -> Option<(&str, usize)> {
        self.places.get(&from).map(|place| (place.as_str(), self.listed_of(from)))
    }

    fn listed_of(&self, from: ValuesFrom) -> usize {
        if from == ValuesFrom::Contexts { self.listed().count() } else { self.values(from).len() }
    }

    /// Who collects a context type that callers cannot ask for by name: `the tool `compare` of the toolset `comparison``.
    pub fn collector_of(&self, context: &str) -> Option<String> {
        let Collector { tool, toolset, offered } = self.collectors.get(context)?;
        let of = toolset.as_ref().map(|toolset| format!(" of the toolset `{toolset}`")).unwrap_or_default();
        let off = if *offered { "" } else { ", which this server does not offer now" };
        Some(format!("the tool `{tool}`{of}{off}"))
    }

    /// The tool on offer by which a caller collects a context type, and whether it takes the type's name.
    pub fn tool_for(&self, context: &str) -> Option<(&str, bool)> {
        match self.collectors.get(context).filter(|own| own.offered) {
            Some(own) => Some((&own.tool, false)),
            None if self.context(context)?.definition.listed => Some((self.collects.as_deref()?, true)),
            None => None,
        }
    }
}

/// A tool whose definition fixes the context type that it collects.
pub(super) struct Collector {
    tool: String,
    /// The first of those that it is in.
    toolset: Option<String>,
    offered: bool,
}

/// The known word that is written in another case or joined by other marks; none where two could be meant.
pub fn meant<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = |text: &str| crate::template::trimmed(text).replace(['_', ' ', '.'], "-").to_lowercase();
    let wanted = folded(text);
    let mut fit = known.filter(|known| folded(known) == wanted);
    fit.next().filter(|_| fit.next().is_none())
}

impl Compiler<'_> {
    /// Finds out which tool or resource lists which names, and which tools collect one context type alone.
    pub(super) fn places(&mut self, definitions: &[Definition]) {
        for definition in definitions {
            self.collector(definition);
            let (action, toolsets, place): (&Action, &[Name], String) = match definition {
                Definition::Tool(tool) => (&tool.run, &tool.toolsets, format!("`{}`", tool.name)),
                Definition::Resource(resource) => {
                    (&resource.run, &resource.toolsets, format!("the resource `{}`", resource.uri))
                }
                _ => continue,
            };
            let Action::CatalogList { of, .. } = action else { continue };
            if !self.offered(toolsets) {
                continue;
            }
            let from = match of {
                Subject::Contexts => ValuesFrom::Contexts,
                Subject::Personas => ValuesFrom::Personas,
                Subject::Insights => ValuesFrom::Insights,
            };
            // A model can call a tool; of a resource it only hears.
            if matches!(definition, Definition::Tool(_)) || !self.catalog.places.contains_key(&from) {
                self.catalog.places.insert(from, place);
            }
        }
    }

    fn collector(&mut self, definition: &Definition) {
        let Definition::Tool(tool) = definition else { return };
        let Action::ContextCollect { with } = &tool.run else { return };
        let Some(context) = with.get("context_type").and_then(Value::as_str) else {
            if self.offered(&tool.toolsets) {
                self.catalog.collects.get_or_insert_with(|| tool.name.0.clone());
            }
            return;
        };
        let collector = Collector {
            tool: tool.name.0.clone(),
            toolset: tool.toolsets.first().map(|name| name.0.clone()),
            offered: self.offered(&tool.toolsets),
        };
        self.catalog.collectors.insert(context.to_owned(), collector);
    }

    /// Removes parameters that are not offered, and turns `values_from` into choices and `properties_from` into
    /// properties.
    pub(super) fn resolve(&self, parameters: &mut Parameters) {
        parameters.retain(|_, p| p.visible == Visibility::Always || self.options.allow_tenancy_argument);
        let names: Vec<String> =
            parameters.iter().flat_map(|(name, p)| p.aliases.iter().chain([name])).cloned().collect();
        for parameter in parameters.values_mut() {
            if let Some(from) = parameter.values_from {
                let values = self.catalog.values(from);
                if values.len() > MOST_CHOICES {
                    parameter.description = Some(self.without_names(parameter.description.as_deref(), from, &values));
                }
                parameter.choices = Some(values.into_iter().map(Value::String).collect());
            }
            if let Some(PropertiesFrom::Contexts) = parameter.properties_from {
                // What the tool takes by itself is not offered twice.
                let filters = self.catalog.filters.iter().filter(|(name, _)| !names.contains(*name));
                parameter.properties = filters.map(|(name, filter)| (name.clone(), filter.clone())).collect();
            }
        }
        // Nothing can be passed in an object without properties, and some clients refuse it.
        parameters.retain(|_, p| p.properties_from.is_none() || !p.properties.is_empty());
    }

    /// A description that stands in for a list of names: how many there are, of which kind, and where they are listed.
    fn without_names(&self, description: Option<&str>, from: ValuesFrom, values: &[String]) -> String {
        let mut text = description.unwrap_or_default().trim().to_owned();
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&format!("One of {} names", self.catalog.listed_of(from)));
        if from == ValuesFrom::Contexts {
            let categories = self.catalog.values(ValuesFrom::ContextCategories);
            let more = if categories.len() > MOST_CATEGORIES { ", …" } else { "" };
            let listed: Vec<&str> = categories.iter().take(MOST_CATEGORIES).map(String::as_str).collect();
            text.push_str(&format!(" in {}{more}", listed.join(", ")));
        }
        if !values.iter().any(|name| description.is_some_and(|text| text.contains(&format!("`{name}`")))) {
            let some: Vec<String> = values.iter().take(3).map(|name| format!("`{name}`")).collect();
            text.push_str(&format!(", such as {}", some.join(", ")));
        }
        if let Some((place, _)) = self.catalog.place_of(from) {
            text.push_str(&format!("; {place} lists them"));
        }
        text.push('.');
        text
    }
}

/// A context type by name, and the parameter as it declares it.
type Declared<'d> = (&'d str, &'d Parameter);

/// What is said of a filter, where something is.
type Describe<'f> = &'f dyn Fn(&[Declared<'_>]) -> Option<String>;

/// The parameters of all context types as properties of one object. What types say differently of a name is widened
/// until it holds for all of them; what holds for one only is left to the check of that type.
pub(super) fn union<'d>(contexts: impl Iterator<Item = &'d Context>) -> Parameters {
    let mut found: IndexMap<&str, Vec<Declared<'_>>> = IndexMap::new();
    for context in contexts {
        for (name, parameter) in &context.parameters {
            found.entry(name).or_default().push((&context.name, parameter));
        }
    }
    found.sort_keys();
    let authored = |all: &[Declared<'_>]| {
        let first = all.first().and_then(|(_, parameter)| parameter.description.clone());
        first.filter(|first| all.iter().all(|(_, parameter)| parameter.description.as_ref() == Some(first)))
    };
    let types = |all: &[Declared<'_>]| {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        (names.len() <= 4).then(|| format!("Of {}.", names.join(", ")))
    };
    let length = |describe: Describe<'_>| -> usize {
        found.values().filter_map(|all| describe(all)).map(|text| text.chars().count()).sum()
    };
    let describe: Describe<'_> = if length(&authored) <= DESCRIPTIONS {
        &authored
    } else if length(&types) <= DESCRIPTIONS {
        &types
    } else {
        &|_| None
    };
    let merge = |all: &Vec<Declared<'_>>| Parameter { description: describe(all), ..merged(all) };
    found.iter().map(|(name, all)| ((*name).to_owned(), merge(all))).collect()
}

fn merged(all: &[Declared<'_>]) -> Parameter {
    let each = || all.iter().map(|(_, parameter)| *parameter);
    let same = |ty: ParameterType| each().all(|parameter| parameter.ty == ty);
    let ty = match all.first() {
        Some((_, first)) if same(first.ty) => first.ty,
        _ if each().all(|p| matches!(p.ty, ParameterType::Integer | ParameterType::Number)) => ParameterType::Number,
        // Text is read as whatever the type of context takes.
        _ => ParameterType::String,
    };
    let mut merged = Parameter::of(ty);
    merged.aliases = each().flat_map(|parameter| parameter.aliases.iter().cloned()).collect();
    if !same(ty) && ty == ParameterType::String {
        return merged;
    }
    // A bound holds for all only where all have one. Those of texts are left to the check of a type: no client needs them
    // to choose a value, and every model would read them.
    let widest = |of: fn(&Parameter) -> Option<f64>, wider: fn(f64, f64) -> f64| {
        each().map(of).collect::<Option<Vec<f64>>>().and_then(|bounds| bounds.into_iter().reduce(wider))
    };
    merged.minimum = widest(|p| p.minimum, f64::min);
    merged.maximum = widest(|p| p.maximum, f64::max);
    // The list is closed only where it is for all.
    if each().all(|parameter| parameter.choices.is_some()) {
        let mut choices: Vec<Value> = Vec::new();
        for choice in each().flat_map(|parameter| parameter.choices.iter().flatten()) {
            if !choices.contains(choice) {
                choices.push(choice.clone());
            }
        }
        merged.choices = Some(choices).filter(|choices| choices.len() <= MOST_CHOICES);
    }
    let first = all.first().map(|(_, first)| *first);
    let agreed = |agree: fn(&Parameter, &Parameter) -> bool| first.filter(|first| each().all(|p| agree(first, p)));
    merged.pattern = agreed(|a, b| a.pattern == b.pattern).and_then(|p| p.pattern.clone());
    merged.items = agreed(|a, b| a.items == b.items).map_or(Some(ParameterType::String), |p| p.items);
    merged.items = merged.items.filter(|_| ty == ParameterType::Array);
    merged.properties = agreed(|a, b| a.properties == b.properties).map(|p| p.properties.clone()).unwrap_or_default();
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::input_schema;

    /// The property of a filter that several context types declare.
    fn of(declared: &[Value]) -> Value {
        let parameters: Vec<Parameter> = declared.iter().map(|p| serde_json::from_value(p.clone()).unwrap()).collect();
        let all: Vec<Declared<'_>> = parameters.iter().map(|parameter| ("x", parameter)).collect();
        let schema = input_schema(&Parameters::from([("x".to_owned(), merged(&all))]));
        schema["properties"]["x"].clone()
    }

    #[test]
    fn what_holds_for_one_type_only_is_not_demanded_of_all() {
        for (declared, property) in [
            (
                vec![json!({"type": "string", "enum": ["a", "b"]}), json!({"type": "string", "enum": ["b", "c"]})],
                json!({"type": "string", "enum": ["a", "b", "c", "any"]}),
            ),
            (vec![json!({"type": "string", "enum": ["a"]}), json!({"type": "string"})], json!({"type": "string"})),
            (
                vec![json!({"type": "integer", "minimum": 1, "maximum": 5}), json!({"type": "number", "minimum": 0})],
                json!({"type": "number", "minimum": 0.0}),
            ),
            (vec![json!({"type": "integer"}), json!({"type": "string", "max_length": 5})], json!({"type": "string"})),
            (
                vec![json!({"type": "string", "max_length": 5}), json!({"type": "string", "max_length": 9})],
                json!({"type": "string"}),
            ),
            (vec![json!({"type": "string", "default": "a", "required": true})], json!({"type": "string"})),
            (
                vec![json!({"type": "array", "items": "integer"}), json!({"type": "array", "items": "string"})],
                json!({"type": "array", "items": {"type": "string"}}),
            ),
        ] {
            assert_eq!(of(&declared), property);
        }
    }
}
