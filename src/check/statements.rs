//! Where the statements and actions of a definition are, so that whoever looks at them can say where they stand.

use crate::{
    definition::{Action, Context, Definition, Parameters, SqlText, Tenant},
    sql::Dialect,
};

/// The logical sources and the dialects of the backends that they may be bound to.
pub const SOURCES: [(&str, &[Dialect]); 4] = [
    ("telemetry", &[Dialect::ClickHouse]),
    ("platform", &[Dialect::Postgres, Dialect::Sqlite]),
    ("analytics", &[Dialect::ClickHouse, Dialect::Sqlite]),
    ("state", &[Dialect::Postgres, Dialect::Sqlite]),
];

/// The dialects of a source; none for a source that does not exist.
pub fn dialects(source: &str) -> &'static [Dialect] {
    SOURCES.iter().find(|(name, _)| *name == source).map_or(&[], |(_, dialects)| dialects)
}

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
}

impl StatementSite<'_> {
    /// The dialects in which the text has to be valid.
    pub fn dialects(&self) -> &[Dialect] {
        self.dialect.as_ref().map_or_else(|| dialects(self.source), std::slice::from_ref)
    }
}

/// Every statement of a definition.
pub fn statements(definition: &Definition) -> Vec<StatementSite<'_>> {
    if let Definition::Context(context) = definition {
        return sections(context).collect();
    }
    let Some(parameters) = parameters(definition) else { return Vec::new() };
    let mut found = Vec::new();
    for (owner, action) in actions(definition) {
        if let Action::Sql { source, sql, tenant, .. } = action {
            found.extend(texts(sql, &format!("{owner}/sql")).map(|(pointer, dialect, text)| StatementSite {
                pointer,
                owner: owner.clone(),
                source,
                dialect,
                text,
                tenant: tenant.as_ref(),
                parameters,
            }));
        }
    }
    found
}

/// Every action of a definition with its JSON pointer.
pub fn actions(definition: &Definition) -> Vec<(String, &Action)> {
    match definition {
        Definition::Tool(tool) => vec![("/run".to_owned(), &tool.run)],
        Definition::Resource(resource) => vec![("/run".to_owned(), &resource.run)],
        Definition::Prompt(prompt) => {
            let messages = prompt.messages.iter().enumerate();
            messages.map(|(n, message)| (format!("/messages/{n}/run"), &message.run)).collect()
        }
        _ => Vec::new(),
    }
}

/// What callers of a definition may pass.
pub fn parameters(definition: &Definition) -> Option<&Parameters> {
    match definition {
        Definition::Tool(tool) => Some(&tool.parameters),
        Definition::Resource(resource) => Some(&resource.parameters),
        Definition::Prompt(prompt) => Some(&prompt.arguments),
        Definition::Context(context) => Some(&context.parameters),
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
        section.query.iter().enumerate().flat_map(move |(n, alternative)| {
            let owner = format!("{base}/{n}");
            texts(&alternative.sql, &format!("{owner}/sql")).map(move |(pointer, dialect, text)| StatementSite {
                pointer,
                owner: owner.clone(),
                source: &section.source,
                dialect,
                text,
                tenant: alternative.tenant.as_ref(),
                parameters: &context.parameters,
            })
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
