//! What a context type or a tool really runs: its statements as they reach the database, and why these.

use serde_json::{Map, Value};

use super::{
    CallError, CallErrorKind, Engine, Principal,
    arguments::{self, Spelling},
    choose::choose,
    extent::Extent,
    live::statements,
    tenancy,
    variables::{EngineVariables, of_statement},
    window::{Baseline, TimeWindow},
};
use crate::{
    catalog::{Catalog, CompiledSql},
    definition::{Parameters, SAMPLE_ID, Span, Window},
    sql::{Dialect, Statement, claims::Claims, rows::sample_rows},
};

/// A section, or a statement of a tool.
#[derive(Debug, Clone)]
pub struct Explained {
    /// Name of the section; empty for a tool.
    pub name: String,
    pub source: String,
    /// Sections that it waits for; of their rows a sample is bound.
    pub after: Vec<String>,
    /// What the statements are shown in: what was asked for, else what the source is bound to.
    pub dialect: Option<Dialect>,
    pub ways: Vec<Way>,
    /// Why none of them is taken.
    pub remark: Option<String>,
}

/// An alternative of a query.
#[derive(Debug, Clone)]
pub struct Way {
    pub requires: Vec<String>,
    pub span: Option<Span>,
    /// Whether this one runs on the bound source in this window.
    pub taken: bool,
    /// None: it is not written for the dialect.
    pub statement: Option<Statement>,
}

impl Engine {
    /// What a context type asks of its sources with these arguments. Nothing is run.
    ///
    /// # Errors
    /// `InvalidArguments`; `Failed` for a statement that cannot be built.
    pub async fn explain_context(
        &self,
        arguments: Map<String, Value>,
        dialect: Option<Dialect>,
    ) -> Result<Vec<Explained>, CallError> {
        let catalog = self.catalog();
        let arguments = arguments::typed(&arguments, &indexmap::IndexMap::new())?;
        let wanted = self.wanted(&catalog, &arguments, &[])?;
        let mut explained = Vec::new();
        for entry in &wanted.entry.sections {
            let section = &entry.definition;
            let source = self.sources.get(&section.source);
            let bound = source.as_ref().ok().map(|source| source.dialect());
            let shown = dialect.or(bound);
            let (mut taken, mut remark) = (None, None);
            match &source {
                Ok(source) if shown == bound => {
                    let way = choose(
                        &section.query,
                        &entry.alternatives,
                        &section.source,
                        source.as_ref(),
                        wanted.window,
                        false,
                    );
                    match way.await {
                        Ok((way, ..)) => taken = section.query.iter().position(|other| std::ptr::eq(other, way)),
                        Err(error) => remark = Some(error.to_string()),
                    }
                }
                Ok(_) => {}
                Err(error) => remark = Some(error.to_string()),
            }
            let mut ways = Vec::new();
            for (n, (way, sql)) in section.query.iter().zip(&entry.alternatives).enumerate() {
                let window = wanted.window.read_by(way);
                let options = &self.options;
                let extent = Extent::of(section, sql.uses_limit, wanted.max_items, options.max_rows, options.max_bytes);
                let parameters = &wanted.entry.definition.parameters;
                let statement = self.shown(
                    &catalog,
                    sql,
                    shown,
                    parameters,
                    &wanted.filters,
                    &section.after.0,
                    window,
                    extent.read + 1,
                )?;
                let (requires, span) = (way.requires.clone(), way.span.clone());
                ways.push(Way { requires, span, taken: taken == Some(n), statement });
            }
            let (name, source) = (entry.name.clone(), section.source.0.clone());
            let after = section.after.0.clone();
            explained.push(Explained { name, source, after, dialect: shown, ways, remark });
        }
        Ok(explained)
    }

    /// What a tool asks of its sources with these arguments, written as text. Nothing is run.
    ///
    /// # Errors
    /// `UnknownTool`, `InvalidArguments`; `Failed` for a statement that cannot be built.
    pub fn explain_tool(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        dialect: Option<Dialect>,
    ) -> Result<Vec<Explained>, CallError> {
        let catalog = self.catalog();
        let entry = catalog.tools.get(name).ok_or_else(|| {
            CallError::unknown(CallErrorKind::UnknownTool, "tool", name, catalog.tools.keys().map(String::as_str))
        })?;
        let parameters = &entry.definition.parameters;
        let checked = arguments::check(parameters, arguments, &self.reading(&catalog, Spelling::Text))?;
        let window = TimeWindow::resolve(self.now(), &Window::any(), None, None, None, &mut Vec::new())?;
        let mut explained = Vec::new();
        for (_, source, sql) in statements(&entry.action, String::new()) {
            let bound = self.sources.get(source).map(|source| source.dialect());
            let shown = dialect.or(bound.as_ref().ok().copied());
            let statement =
                self.shown(&catalog, sql, shown, parameters, &checked.values, &[], window, self.options.max_rows + 1)?;
            let taken = statement.is_some() && bound.as_ref().is_ok_and(|bound| Some(*bound) == shown);
            let way = Way { requires: Vec::new(), span: None, taken, statement };
            let remark = bound.err().map(|error| error.to_string());
            let source = source.to_owned();
            explained.push(Explained {
                name: String::new(),
                source,
                after: Vec::new(),
                dialect: shown,
                ways: vec![way],
                remark,
            });
        }
        Ok(explained)
    }

    #[allow(clippy::too_many_arguments)]
    fn shown(
        &self,
        catalog: &Catalog,
        sql: &CompiledSql,
        dialect: Option<Dialect>,
        parameters: &Parameters,
        arguments: &Map<String, Value>,
        after: &[String],
        window: TimeWindow,
        limit: usize,
    ) -> Result<Option<Statement>, CallError> {
        let Some((dialect, key)) = dialect.and_then(|dialect| Some((dialect, sql.key(dialect)?))) else {
            return Ok(None);
        };
        let (claims, nobody) = (Claims::sample(), Principal::default());
        let (workspace_id, user_id) = tenancy::workspace_and_user(&self.options.tenancy, &nobody);
        let engine = EngineVariables {
            sample: None,
            baseline: Baseline::Previous,
            claims: &claims,
            organization_id: SAMPLE_ID,
            workspace_id,
            user_id,
            window,
            around: window,
            now: self.now(),
            limit,
            rows: sample_rows(after, false),
        };
        let variables = of_statement(parameters, arguments, &engine);
        let rendered = catalog.sql.render(dialect, key, variables).map_err(CallError::definition)?;
        Ok(Some(rendered.statement))
    }
}
