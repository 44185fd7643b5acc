//! Where the statements and actions of a definition are, so that whoever looks at them can say where they stand.

use crate::{
    catalog::{CONTAINS, property_names},
    definition::{
        Action, Alternative, CLIENT, Context, Definition, Fragment, Inside, LogicalSource, Parameters, SqlText,
        Statement, Step, Tenant, Tool, Values,
    },
    sql::Dialect,
};

/// One text of a statement.
#[derive(Debug, Clone)]
pub struct StatementSite<'d> {
    /// JSON pointer of the text.
    pub pointer: String,
    /// JSON pointer of what the statement belongs to: a section's alternative or an action.
    pub owner: String,
    pub source: &'d str,
    /// The dialect that it is written in; none for a text that serves all of the source's.
    pub dialect: Option<Dialect>,
    pub text: &'d str,
    pub tenant: Option<&'d Tenant>,
    /// Parameters that it may use.
    pub parameters: &'d Parameters,
    /// The context type of a section's statement.
    pub context: Option<&'d Context>,
    /// Sections whose rows it may ask for.
    pub after: &'d [String],
    /// Whether it is a fragment, which may be less than a statement.
    pub piece: bool,
    /// Further names that it may use: what earlier steps keep, arguments of a JSON Schema, `client`.
    pub names: Vec<String>,
}

impl StatementSite<'_> {
    /// The dialects in which the text has to be valid.
    pub fn dialects(&self) -> &[Dialect] {
        self.dialect.as_ref().map_or_else(|| LogicalSource::dialects_of(self.source), std::slice::from_ref)
    }
}

/// Every statement of a definition.
pub fn statements(definition: &Definition) -> Vec<StatementSite<'_>> {
    match definition {
        Definition::Context(context) => return sections(context).collect(),
        Definition::Values(values) => return places(values).collect(),
        Definition::Fragment(fragment) => return pieces(fragment).collect(),
        _ => {}
    }
    let Some(parameters) = parameters(definition) else { return Vec::new() };
    let mut found = Vec::new();
    for site in sites(definition) {
        let owner = &site.pointer;
        if let Some(Statement { source, sql, tenant }) = site.action.facts().statement {
            let mut names: Vec<String> = site.kept.iter().map(|(name, _)| (*name).to_owned()).collect();
            if !matches!(site.within, Within::Definition) {
                names.push(CLIENT.to_owned());
            }
            names.extend(argument_names(definition).into_iter().filter(|name| !parameters.contains_key(name)));
            found.extend(texts(sql, &format!("{owner}/sql")).map(|(pointer, dialect, text)| StatementSite {
                pointer,
                owner: owner.clone(),
                source,
                dialect,
                text,
                tenant,
                parameters,
                context: None,
                after: &[],
                piece: false,
                names: names.clone(),
            }));
        }
    }
    found
}

/// An action and where it stands.
#[derive(Debug, Clone)]
pub struct ActionSite<'d> {
    /// JSON pointer of the action.
    pub pointer: String,
    pub action: &'d Action,
    pub within: Within<'d>,
    /// What earlier steps keep, and by which action.
    pub kept: Vec<(&'d str, &'d Step)>,
}

/// What an action stands in.
#[derive(Debug, Clone, Copy)]
pub enum Within<'d> {
    /// The definition itself.
    Definition,
    /// A step of a pipeline.
    Step(&'d Step),
    /// A question of `ask`.
    Question(&'d Step),
}

impl<'d> ActionSite<'d> {
    /// The step or question around the action, and its JSON pointer.
    pub fn around(&self) -> Option<(&'d Step, &str)> {
        match self.within {
            Within::Definition => None,
            Within::Step(step) | Within::Question(step) => {
                Some((step, self.pointer.strip_suffix("/run").unwrap_or(&self.pointer)))
            }
        }
    }
}

/// Every action of a definition, with those inside pipelines and questions.
pub fn sites(definition: &Definition) -> Vec<ActionSite<'_>> {
    let mut found = Vec::new();
    let mut begin = |pointer: String, action| descend(pointer, action, Within::Definition, &mut Vec::new(), &mut found);
    match definition {
        Definition::Tool(tool) => begin("/run".to_owned(), &tool.run),
        Definition::Resource(resource) => begin("/run".to_owned(), &resource.run),
        Definition::Prompt(prompt) => {
            for (n, message) in prompt.messages.iter().enumerate() {
                begin(format!("/messages/{n}/run"), &message.run);
            }
        }
        _ => {}
    }
    found
}

fn descend<'d>(
    pointer: String,
    action: &'d Action,
    within: Within<'d>,
    kept: &mut Vec<(&'d str, &'d Step)>,
    found: &mut Vec<ActionSite<'d>>,
) {
    found.push(ActionSite { pointer: pointer.clone(), action, within, kept: kept.clone() });
    match action.facts().inside {
        Inside::Nothing => {}
        Inside::Steps(steps) => {
            // Steps that run together see nothing of each other.
            for (first, together) in groups(steps) {
                for (n, step) in together.iter().enumerate() {
                    let pointer = format!("{pointer}/steps/{}/run", first + n);
                    descend(pointer, &step.run, Within::Step(step), kept, found);
                }
                kept.extend(together.iter().filter_map(|step| Some((&**step.keep.as_ref()?, step))));
            }
        }
        Inside::Questions(questions) => {
            for (name, step) in questions {
                let pointer = format!("{pointer}/questions/{}/run", super::explain::escape(name));
                descend(pointer, &step.run, Within::Question(step), &mut kept.clone(), found);
            }
        }
    }
}

/// Steps that run together, with the place of the first.
pub(super) fn groups(steps: &[Step]) -> impl Iterator<Item = (usize, &[Step])> {
    let mut first = 0;
    steps.chunk_by(|_, next| next.beside).map(move |together| {
        let at = first;
        first += together.len();
        (at, together)
    })
}

/// Every action of a definition with its JSON pointer.
pub fn actions(definition: &Definition) -> Vec<(String, &Action)> {
    sites(definition).into_iter().map(|site| (site.pointer, site.action)).collect()
}

/// The arguments of a definition by name, whether declared or named by a JSON Schema of its own.
pub fn argument_names(definition: &Definition) -> Vec<String> {
    match definition {
        Definition::Tool(Tool { input_schema: Some(schema), .. }) => property_names(schema),
        _ => parameters(definition).into_iter().flat_map(|parameters| parameters.keys().cloned()).collect(),
    }
}

/// What callers of a definition may pass.
pub fn parameters(definition: &Definition) -> Option<&Parameters> {
    match definition {
        Definition::Tool(tool) => Some(&tool.parameters),
        Definition::Resource(resource) => Some(&resource.parameters),
        Definition::Prompt(prompt) => Some(&prompt.arguments),
        Definition::Context(context) => Some(&context.parameters),
        Definition::Values(values) => Some(&values.parameters),
        Definition::Fragment(fragment) => Some(&fragment.parameters),
        Definition::Parameters(set) => Some(&set.parameters),
        _ => None,
    }
}

/// The key under which a kind declares its parameters.
pub fn parameters_key(definition: &Definition) -> &'static str {
    if matches!(definition, Definition::Prompt(_)) { "arguments" } else { "parameters" }
}

fn sections(context: &Context) -> impl Iterator<Item = StatementSite<'_>> {
    context.sections.iter().flat_map(move |(name, section)| {
        let base = format!("/sections/{}/query", super::explain::escape(name));
        let sites = alternatives(base, &section.source, &section.query, &context.parameters, &[]);
        sites.map(|site| StatementSite { context: Some(context), after: &section.after.0, ..site })
    })
}

fn places(values: &Values) -> impl Iterator<Item = StatementSite<'_>> {
    values.places.iter().flat_map(move |(name, place)| {
        let base = format!("/places/{}/query", super::explain::escape(name));
        alternatives(base, &place.source, &place.query, &values.parameters, &[CONTAINS])
    })
}

fn pieces(fragment: &Fragment) -> impl Iterator<Item = StatementSite<'_>> {
    alternatives("/query".to_owned(), &fragment.source, &fragment.query, &fragment.parameters, &[CONTAINS])
        .map(|site| StatementSite { piece: true, ..site })
}

fn alternatives<'d>(
    base: String,
    source: &'d str,
    query: &'d [Alternative],
    parameters: &'d Parameters,
    names: &'static [&'static str],
) -> impl Iterator<Item = StatementSite<'d>> {
    query.iter().enumerate().flat_map(move |(n, alternative)| {
        let owner = format!("{base}/{n}");
        texts(&alternative.sql, &format!("{owner}/sql")).map(move |(pointer, dialect, text)| StatementSite {
            pointer,
            owner: owner.clone(),
            source,
            dialect,
            text,
            tenant: alternative.tenant.as_ref(),
            parameters,
            context: None,
            after: &[],
            piece: false,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        })
    })
}

fn texts<'d>(sql: &'d SqlText, pointer: &str) -> std::vec::IntoIter<(String, Option<Dialect>, &'d str)> {
    let found = match sql {
        SqlText::Any(text) => vec![(pointer.to_owned(), None, text.as_str())],
        SqlText::PerDialect(texts) => Dialect::ALL
            .into_iter()
            .filter_map(|dialect| {
                let text = texts.get(dialect.as_str())?;
                Some((format!("{pointer}/{dialect}"), Some(dialect), text.as_str()))
            })
            .collect(),
    };
    found.into_iter()
}
