//! References between definitions: every name leads somewhere, and nothing leads in a circle.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{Located, explain::escape, parameters::EARLIER, statements, templates::suggestion};
use crate::{
    definition::{
        Action, CollectArguments, Context, Data, Definition, Kind, LogicalSource, Name, Parameter, Persona, Provider,
        Tool, ValuesFrom, argument_names,
    },
    diagnostic::{Code, Diagnostic, did_you_mean},
    load::Document,
};

/// Names of everything that is in effect, broken definitions included, so that one mistake is said once.
#[derive(Default)]
pub(super) struct Known {
    names: HashMap<Kind, BTreeSet<String>>,
    aliases: BTreeSet<String>,
    categories: BTreeSet<String>,
}

impl Known {
    pub(super) fn add(&mut self, kind: Kind, name: &str, document: &Document) {
        self.names.entry(kind).or_default().insert(name.to_owned());
        if kind == Kind::Context {
            let list = document.value.get("aliases").and_then(Value::as_array);
            self.aliases.extend(list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
            self.categories.extend(document.value.get("category").and_then(Value::as_str).map(str::to_owned));
        }
    }

    fn has(&self, kind: Kind, name: &str) -> bool {
        self.names.get(&kind).is_some_and(|names| names.contains(name))
            || kind == Kind::Context && self.aliases.contains(name)
    }

    /// Another kind of which something has this name.
    fn other(&self, kind: Kind, name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|other| *other != kind && self.has(*other, name))
    }

    /// Their own names.
    fn own(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.names.get(&kind).into_iter().flatten().map(String::as_str)
    }

    /// All names that mean one of them.
    fn all(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let aliases = if kind == Kind::Context { Some(&self.aliases) } else { None };
        self.names.get(&kind).into_iter().chain(aliases).flatten().map(String::as_str)
    }
}

/// Everything that is about more than one definition. `all` are the definitions in effect.
pub(super) fn check(all: &[&Located], known: &Known, out: &mut Vec<Diagnostic>) {
    for located in all {
        let mut links = Links { document: &located.document, known, out };
        match &located.definition {
            Definition::Context(context) => links.context(context),
            Definition::Tool(tool) => links.toolsets(&tool.toolsets),
            Definition::Prompt(prompt) => links.toolsets(&prompt.toolsets),
            Definition::Resource(resource) => links.toolsets(&resource.toolsets),
            Definition::Insight(insight) => {
                if let Some(provider) = &insight.provider {
                    links.name(Kind::Provider, provider, "/provider");
                }
            }
            Definition::Provider(provider) => {
                if let Some(fallback) = &provider.fallback {
                    links.name(Kind::Provider, fallback, "/fallback");
                }
            }
            Definition::Values(values) => {
                for (name, place) in &values.places {
                    links.source(&place.source, &format!("/places/{}/source", escape(name)));
                }
            }
            Definition::Fragment(fragment) => links.source(&fragment.source, "/source"),
            Definition::Tables(tables) => links.source(&tables.source, "/source"),
            _ => {}
        }
        links.actions(&located.definition);
        links.parameters(&located.definition);
    }
    personas(all, out);
    fallback_loops(all, out);
    uris(all, out);
    lists(all, out);
    views(all, out);
    super::next::check(all, out);
    own_filters(all, out);
}

/// Parameters of a definition that collects a context type, and that this type does not have, or no type where the caller
/// chooses it.
fn own_filters(all: &[&Located], out: &mut Vec<Diagnostic>) {
    for located in all {
        let (run, parameters) = match &located.definition {
            Definition::Tool(tool) => (&tool.run, &tool.parameters),
            Definition::Resource(resource) => (&resource.run, &resource.parameters),
            _ => continue,
        };
        let Action::ContextCollect { with } = run else { continue };
        let fixed = with.get("context_type").and_then(Value::as_str);
        let contexts = all.iter().filter_map(|other| match &other.definition {
            Definition::Context(context) => Some(context),
            _ => None,
        });
        let is =
            |context: &&Context, name: &str| *context.name == *name || context.aliases.iter().any(|a| **a == *name);
        let fitting = contexts.filter(|context| fixed.is_none_or(|name| is(context, name)));
        let filters: Vec<&str> = fitting.flat_map(|context| context.parameters.keys().map(String::as_str)).collect();
        // That there is no such type is said elsewhere.
        if fixed.is_some() && filters.is_empty() {
            continue;
        }
        let mut read = argument_names::<CollectArguments>();
        read.extend(EARLIER.map(str::to_owned));
        read.extend(filters.iter().map(|name| (*name).to_owned()));
        for parameter in parameters.keys().filter(|parameter| !read.contains(parameter)) {
            let document = &located.document;
            let span = document.key_span(&format!("/parameters/{}", escape(parameter)));
            let message = format!("nothing reads the parameter `{parameter}`");
            let mut finding = document.finding(Code::UnreadParameter, span, message);
            finding.help = match fixed {
                Some(_) => suggestion(parameter, filters.iter().copied(), "its filters are"),
                None => {
                    let names = argument_names::<CollectArguments>();
                    suggestion(parameter, names.iter().map(String::as_str), "beside filters the action reads")
                }
            };
            out.push(finding);
        }
    }
}

/// What a parameter says that takes no known values.
const NO_VALUES: &str = "none";

struct Links<'a> {
    document: &'a Document,
    known: &'a Known,
    out: &'a mut Vec<Diagnostic>,
}

impl Links<'_> {
    fn toolsets(&mut self, toolsets: &[Name]) {
        for (n, name) in toolsets.iter().enumerate() {
            self.name(Kind::Toolset, name, &format!("/toolsets/{n}"));
        }
    }

    fn name(&mut self, kind: Kind, name: &str, pointer: &str) {
        let well_formed = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if self.known.has(kind, name) || !well_formed {
            return;
        }
        let message = format!("there is no {} `{name}`", noun(kind));
        let mut finding = self.document.finding(Code::UnknownReference, self.document.span(pointer), message);
        finding.help = match (did_you_mean(name, self.known.all(kind)), self.known.other(kind, name)) {
            (Some(meant), _) => vec![format!("did you mean `{meant}`?")],
            (None, Some(other)) => vec![format!("`{name}` is a {}; a {} is named here", noun(other), noun(kind))],
            (None, None) => suggestion(name, self.known.own(kind), "there are"),
        };
        if finding.help.is_empty() {
            finding = finding.help(format!("no pack defines a {}", noun(kind)));
        }
        self.out.push(finding);
    }

    fn source(&mut self, source: &str, pointer: &str) {
        let sources = LogicalSource::ALL.map(LogicalSource::as_str);
        if !sources.contains(&source) && self.document.has(pointer) {
            let message = format!("there is no source `{source}`");
            let mut finding = self.document.finding(Code::UnknownSource, self.document.span(pointer), message);
            finding.help = suggestion(source, sources, "sources are");
            self.out.push(finding);
        }
    }

    fn context(&mut self, context: &Context) {
        self.name(Kind::Persona, &context.persona, "/persona");
        self.composed(context);
        for (name, section) in &context.sections {
            self.source(&section.source, &format!("/sections/{}/source", escape(name)));
        }
        let highlights =
            context.highlights.iter().enumerate().map(|(n, rule)| (format!("/highlights/{n}"), &rule.each));
        let steps = context.next.iter().enumerate().map(|(n, step)| (format!("/next/{n}"), &step.each));
        for (pointer, each) in highlights.chain(steps) {
            if let Some(each) = each.as_ref().filter(|each| !context.sections.contains_key(*each)) {
                let span = self.document.span(&format!("{pointer}/each"));
                let mut finding =
                    self.document.finding(Code::UnknownSection, span, format!("there is no section `{each}`"));
                finding.help = suggestion(each, context.sections.keys().map(String::as_str), "the sections are");
                self.out.push(finding);
            }
        }
        for (n, step) in context.next.iter().enumerate() {
            self.name(Kind::Context, &step.context, &format!("/next/{n}/context"));
        }
    }

    /// The context types that one is made of where a call names none.
    fn composed(&mut self, context: &Context) {
        let Some(name) = &context.composes else { return };
        let default = context.parameters.get(name).and_then(|parameter| parameter.default.as_ref()?.as_array());
        for (n, other) in default.into_iter().flatten().enumerate() {
            if let Some(other) = other.as_str() {
                self.name(Kind::Context, other, &format!("/parameters/{}/default/{n}", escape(name)));
            }
        }
    }

    /// Sources, and literal names among the fixed arguments.
    fn actions(&mut self, definition: &Definition) {
        for (pointer, action) in statements::actions(definition) {
            let facts = action.facts();
            if let Data::Source(source) = facts.data {
                self.source(source, &format!("{pointer}/source"));
            }
            for (name, value) in facts.fixed.into_iter().flatten() {
                let kind = match name.as_str() {
                    "context_type" => Kind::Context,
                    "insight_type" => Kind::Insight,
                    "persona" => Kind::Persona,
                    _ => continue,
                };
                if let Some(text) = value.as_str() {
                    self.name(kind, text, &format!("{pointer}/with/{name}"));
                }
            }
        }
    }

    /// Defaults and examples of parameters whose values are names of the catalog.
    fn parameters(&mut self, definition: &Definition) {
        let key = statements::parameters_key(definition);
        for (name, parameter) in statements::parameters(definition).into_iter().flatten() {
            if let Some(list) = parameter.known_values.as_deref().filter(|list| *list != NO_VALUES) {
                self.name(Kind::Values, list, &format!("/{key}/{}/known_values", escape(name)));
            }
            let Parameter { values_from: Some(from), .. } = parameter else { continue };
            let pointer = format!("/{key}/{}", escape(name));
            let default = parameter.default.iter().map(|value| (format!("{pointer}/default"), value));
            let examples =
                parameter.examples.iter().enumerate().map(|(n, value)| (format!("{pointer}/examples/{n}"), value));
            for (pointer, value) in default.chain(examples) {
                let Some(text) = value.as_str() else { continue };
                match from {
                    ValuesFrom::Contexts => self.name(Kind::Context, text, &pointer),
                    ValuesFrom::Insights => self.name(Kind::Insight, text, &pointer),
                    ValuesFrom::Personas => self.name(Kind::Persona, text, &pointer),
                    ValuesFrom::Values => self.name(Kind::Values, text, &pointer),
                    ValuesFrom::ContextCategories if self.known.categories.contains(text) => {}
                    ValuesFrom::ContextCategories => {
                        let message = format!("no context type is of the category `{text}`");
                        let mut finding =
                            self.document.finding(Code::UnknownReference, self.document.span(&pointer), message);
                        finding.help =
                            suggestion(text, self.known.categories.iter().map(String::as_str), "categories are");
                        self.out.push(finding);
                    }
                }
            }
        }
    }
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Context => "context type",
        Kind::Values => "list of known values",
        Kind::Columns => "dictionary of columns",
        Kind::Tables => "list of tables",
        Kind::Parameters => "dictionary of parameters",
        other => other.as_str(),
    }
}

/// Exactly one fallback, and nobody idle.
fn personas(all: &[&Located], out: &mut Vec<Diagnostic>) {
    let personas: Vec<(&Located, &Persona)> = all
        .iter()
        .filter_map(|located| match &located.definition {
            Definition::Persona(persona) => Some((*located, persona)),
            _ => None,
        })
        .collect();
    let contexts = || {
        all.iter().filter_map(|located| match &located.definition {
            Definition::Context(context) => Some((&located.document, context)),
            _ => None,
        })
    };
    let mut fallbacks = personas.iter().filter(|(_, persona)| persona.fallback);
    match (fallbacks.next(), fallbacks.next_back()) {
        (Some((first, _)), Some((last, persona))) => {
            let (first, last) = (&first.document, &last.document);
            let message = format!("`{}` is a second fallback persona", persona.name);
            out.push(
                last.finding(Code::FallbackPersona, last.key_span("/fallback"), message)
                    .related(&first.file, first.key_span("/fallback"), "the first")
                    .help("Keep `fallback: true` in one of them."),
            );
        }
        (None, _) => {
            let place = personas.first().map(|(located, _)| (&located.document, "/name"));
            if let Some((document, pointer)) =
                place.or_else(|| contexts().next().map(|(document, _)| (document, "/persona")))
            {
                out.push(
                    document
                        .finding(Code::FallbackPersona, document.span(pointer), "no persona is the fallback")
                        .help("Set `fallback: true` on one persona: it stands in where a persona is asked for that the catalog lacks."),
                );
            }
        }
        _ => {}
    }
    let used: BTreeSet<&str> = contexts().map(|(_, context)| &*context.persona).collect();
    for (located, persona) in personas.iter().filter(|(_, persona)| !persona.fallback && !used.contains(&*persona.name))
    {
        let document = &located.document;
        let message = format!("no context type names the persona `{}`", persona.name);
        out.push(
            document
                .finding(Code::UnusedPersona, document.span("/name"), message)
                .help("Name it in the context type that it reads best, or delete it."),
        );
    }
}

fn fallback_loops(all: &[&Located], out: &mut Vec<Diagnostic>) {
    let providers: HashMap<&str, (&Located, &Provider)> = all
        .iter()
        .filter_map(|located| match &located.definition {
            Definition::Provider(provider) => Some((&*provider.name, (*located, provider))),
            _ => None,
        })
        .collect();
    let mut names: Vec<&str> = providers.keys().copied().collect();
    names.sort_unstable();
    let mut reported: BTreeSet<&str> = BTreeSet::new();
    for start in names {
        let mut path = vec![start];
        let mut current = start;
        while let Some(next) = providers.get(current).and_then(|(_, provider)| provider.fallback.as_deref()) {
            if let Some(from) = path.iter().position(|name| *name == next) {
                let circle = path.get(from..).unwrap_or_default();
                if !circle.iter().any(|name| reported.contains(name))
                    && let Some((located, _)) = circle.first().and_then(|name| providers.get(name))
                {
                    let shown: Vec<String> = circle.iter().chain([&next]).map(|name| format!("`{name}`")).collect();
                    let document = &located.document;
                    let message = format!("the fallbacks lead in a circle: {}", shown.join(" → "));
                    let finding = document.finding(Code::FallbackLoop, document.span("/fallback"), message);
                    out.push(finding.help("remove `fallback:` from one of them"));
                    reported.extend(circle);
                }
                break;
            }
            path.push(next);
            current = next;
        }
    }
}

/// A tool whose view does not exist shows nothing, and no host says why.
fn views(all: &[&Located], out: &mut Vec<Diagnostic>) {
    let uris = all.iter().filter_map(|located| match &located.definition {
        Definition::Resource(resource) => Some(resource.uri.as_str()),
        _ => None,
    });
    let uris: Vec<&str> = uris.collect();
    for located in all {
        let Definition::Tool(Tool { meta: Some(meta), .. }) = &located.definition else { continue };
        let named = meta.get("ui").and_then(|ui| Some(("/_meta/ui/resourceUri", ui.get("resourceUri")?)));
        for (pointer, view) in
            named.into_iter().chain(meta.get("ui/resourceUri").map(|uri| ("/_meta/ui~1resourceUri", uri)))
        {
            let document = &located.document;
            let message = match view.as_str() {
                Some(uri) if uris.contains(&uri) => continue,
                Some(uri) => format!("there is no resource `{uri}`"),
                None => "the URI of a view is a text".to_owned(),
            };
            let mut finding = document.finding(Code::UnknownReference, document.span(pointer), message);
            finding.help = suggestion(view.as_str().unwrap_or_default(), uris.iter().copied(), "there are");
            out.push(finding);
        }
    }
}

fn uris(all: &[&Located], out: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, &Document> = HashMap::new();
    for located in all {
        let Definition::Resource(resource) = &located.definition else { continue };
        let document = &located.document;
        match seen.get(resource.uri.as_str()) {
            None => drop(seen.insert(&resource.uri, document)),
            Some(first) => out.push(
                document
                    .finding(
                        Code::DuplicateUri,
                        document.span("/uri"),
                        format!("a second resource is at `{}`", resource.uri),
                    )
                    .related(&first.file, first.span("/uri"), "first here"),
            ),
        }
    }
}

/// A parameter of a name takes its values from one list.
fn lists(all: &[&Located], out: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, (&str, &Document, String)> = HashMap::new();
    for located in all {
        let Definition::Values(values) = &located.definition else { continue };
        let document = &located.document;
        for (n, parameter) in values.for_parameters.iter().enumerate() {
            let pointer = format!("/for_parameters/{n}");
            match seen.get(parameter.as_str()) {
                None => drop(seen.insert(parameter, (&values.name, document, pointer))),
                Some((other, first, place)) => out.push(
                    document
                        .finding(
                            Code::Constraints,
                            document.span(&pointer),
                            format!("parameters `{parameter}` take their values from `{other}` already"),
                        )
                        .related(&first.file, first.span(place), "first here")
                        .help("Remove it here, and write `known_values:` at the parameters that mean this list."),
                ),
            }
        }
    }
}
