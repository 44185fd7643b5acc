//! What a client would see differently in another catalog: as events, and no more of them than needed.
//!
//! A list has changed where its entries as clients are shown them have. A resource may have changed where its
//! definition has, or a part of the catalog that it reads; telemetry behind a resource changes all the time, of which
//! nobody tells.

use crate::{
    catalog::{Catalog, PROMPT_TEMPLATES, PromptEntry, ResourceEntry, ToolEntry},
    definition::{Action, Part, StatusPart},
};

use super::Event;

/// The events that tell clients of the step from one catalog to the next, in a fixed order.
pub(super) fn between(old: &Catalog, new: &Catalog) -> Vec<Event> {
    let mut events = Vec::new();
    if !same(old.tools.values(), new.tools.values(), same_tool) {
        events.push(Event::ToolsChanged);
    }
    if !same(old.prompts.values(), new.prompts.values(), same_prompt) {
        events.push(Event::PromptsChanged);
    }
    if !same(old.resources.values(), new.resources.values(), same_resource) {
        events.push(Event::ResourcesChanged);
    }
    let parts = Parts::between(old, new);
    for entry in old.resources.values() {
        let uri = &entry.definition.uri;
        let now = new.resources.get(&*entry.definition.name).filter(|now| now.definition.uri == *uri);
        let now = now.or_else(|| new.resources.values().find(|now| now.definition.uri == *uri));
        let changed = match now {
            Some(now) => {
                let (was, is) = (&entry.definition, &now.definition);
                was.run != is.run
                    || was.mime_type != is.mime_type
                    || was.parameters != is.parameters
                    || reads(&is.run, &parts)
            }
            // Whoever reads it again learns that it is gone, or what another template answers now.
            None => true,
        };
        if changed {
            events.push(Event::ResourceUpdated(uri.clone()));
        }
    }
    events
}

/// URIs of the resources that show a part of the server's state.
pub(super) fn showing(catalog: &Catalog, part: StatusPart) -> Vec<Event> {
    let shows = |entry: &&ResourceEntry| entry.definition.run.any(&mut |facts| facts.status == Some(part));
    catalog.resources.values().filter(shows).map(|entry| Event::ResourceUpdated(entry.definition.uri.clone())).collect()
}

fn same<'a, T: 'a>(
    old: impl ExactSizeIterator<Item = &'a T>,
    new: impl ExactSizeIterator<Item = &'a T>,
    same: fn(&T, &T) -> bool,
) -> bool {
    old.len() == new.len() && old.zip(new).all(|(old, new)| same(old, new))
}

/// Whether a tool is listed as before, and to the same callers; so are prompts and resources compared below.
fn same_tool(old: &ToolEntry, new: &ToolEntry) -> bool {
    let (was, is) = (&old.definition, &new.definition);
    (&old.input_schema, &was.output_schema) == (&new.input_schema, &is.output_schema)
        && (&was.name, &was.title, &was.description, &was.annotations, was.task)
            == (&is.name, &is.title, &is.description, &is.annotations, is.task)
        && (&was.category, &was.toolsets, &was.scopes) == (&is.category, &is.toolsets, &is.scopes)
}

fn same_prompt(old: &PromptEntry, new: &PromptEntry) -> bool {
    let (was, is) = (&old.definition, &new.definition);
    (&was.name, &was.title, &was.description) == (&is.name, &is.title, &is.description)
        && (&was.toolsets, &was.scopes) == (&is.toolsets, &is.scopes)
        && was.arguments.len() == is.arguments.len()
        && was.arguments.iter().zip(&is.arguments).all(|((name, was), (now, is))| {
            name == now && was.description == is.description && was.required == is.required
        })
}

fn same_resource(old: &ResourceEntry, new: &ResourceEntry) -> bool {
    let (was, is) = (&old.definition, &new.definition);
    (&was.name, &was.title, &was.description, &was.uri, &was.mime_type, &was.toolsets, &was.scopes)
        == (&is.name, &is.title, &is.description, &is.uri, &is.mime_type, &is.toolsets, &is.scopes)
}

/// Which parts of a catalog that resources read have changed.
struct Parts<'a> {
    old: &'a Catalog,
    new: &'a Catalog,
    contexts: bool,
    personas: bool,
    insights: bool,
    /// One of the templates from which prompts are built.
    templates: bool,
    anything: bool,
}

impl<'a> Parts<'a> {
    fn between(old: &'a Catalog, new: &'a Catalog) -> Self {
        let contexts = !same(old.contexts.values(), new.contexts.values(), |a, b| a.definition == b.definition);
        let template = |catalog: &'a Catalog, name: &str| catalog.prompt_templates.get(name);
        let personas = old.personas != new.personas;
        let insights = old.insights != new.insights;
        let templates = PROMPT_TEMPLATES.iter().any(|name| template(old, name) != template(new, name));
        let lists = old.tools.len() != new.tools.len()
            || old.prompts.len() != new.prompts.len()
            || old.resources.len() != new.resources.len();
        Self { old, new, contexts, personas, insights, templates, anything: contexts || personas || insights || lists }
    }

    /// Whether a context type, or any where it is chosen by the caller, is defined otherwise.
    fn context(&self, fixed: Option<&serde_json::Value>) -> bool {
        let Some(name) = fixed.and_then(serde_json::Value::as_str) else { return self.contexts };
        let of = |catalog: &'a Catalog| catalog.context(name).map(|entry| &entry.definition);
        of(self.old) != of(self.new)
    }
}

/// Whether an action shows a part that has changed.
fn reads(action: &Action, parts: &Parts<'_>) -> bool {
    action.any(&mut |facts| {
        facts.shows.iter().any(|part| match part {
            Part::Context => parts.context(facts.fixed.and_then(|fixed| fixed.get("context_type"))),
            Part::Contexts => parts.contexts,
            Part::Personas => parts.personas,
            Part::Insights => parts.insights,
            Part::Templates => parts.templates,
            Part::Anything => parts.anything,
        })
    })
}
