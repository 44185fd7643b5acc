//! What a context type or a tool really runs: its statements as they reach the database, and why these.

use serde_json::{Map, Value};

use super::{
    CallError, CallErrorKind, Engine, Principal,
    arguments::{self, Spelling},
    choose::choose,
    extent::Extent,
    live::statements,
    sampling::Sampling,
    tenancy,
    variables::{EngineVariables, of_statement},
    window::{Baseline, TimeWindow},
};
use crate::{
    catalog::{Catalog, CompiledSql},
    definition::{Alternative, Parameters, SAMPLE_ID, Span, Window},
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
    /// The number of rows above which it reads a sample.
    pub sampled_above: Option<u64>,
    /// Whether it reads sums that were kept, where these are whole.
    pub kept: bool,
    /// The number of rows up to which all of these are read instead of their sums.
    pub kept_above: Option<u64>,
    /// Whether this one runs on the bound source in this window; of those that read sums, if these are whole.
    pub taken: bool,
    /// None: it is not written for the dialect.
    pub statement: Option<Statement>,
    /// What is asked beside it.
    pub beside: Vec<Beside>,
}

/// A statement by which is decided how another is read, or in which form it is.
#[derive(Debug, Clone)]
pub struct Beside {
    /// What it is for, to stand alone.
    pub what: &'static str,
    /// Tables without which it is not asked.
    pub requires: Vec<String>,
    pub statement: Statement,
}

/// What a statement is built of.
struct Asked<'a> {
    catalog: &'a Catalog,
    dialect: Option<Dialect>,
    parameters: &'a Parameters,
    arguments: &'a Map<String, Value>,
    after: &'a [String],
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
            let (mut taken, mut remark) = (Vec::new(), None);
            match &source {
                Ok(source) if shown == bound => {
                    for kept in [false, true] {
                        let (query, ways, name) = (&section.query, &entry.alternatives, &section.source);
                        match choose(query, ways, name, source.as_ref(), wanted.window, kept).await {
                            Ok((way, ..)) => {
                                taken.extend(section.query.iter().position(|other| std::ptr::eq(other, way)));
                            }
                            Err(error) if !kept => remark = Some(error.to_string()),
                            // Nothing but sums is lacking.
                            Err(_) => {}
                        }
                    }
                }
                Ok(_) => {}
                Err(error) => remark = Some(error.to_string()),
            }
            let asked = Asked {
                catalog: &catalog,
                dialect: shown,
                parameters: &wanted.entry.definition.parameters,
                arguments: &wanted.filters,
                after: &section.after.0,
            };
            let mut ways = Vec::new();
            for (n, (way, sql)) in section.query.iter().zip(&entry.alternatives).enumerate() {
                let window = wanted.window.read_by(way);
                let options = &self.options;
                let extent = Extent::of(section, sql.uses_limit, wanted.max_items, options.max_rows, options.max_bytes);
                let statement = self.shown(&asked, sql, None, window, extent.read + 1)?;
                ways.push(Way {
                    requires: way.requires.clone(),
                    span: way.span.clone(),
                    sampled_above: way.sampled.as_ref().map(|sampled| sampled.above),
                    kept: way.kept.is_some(),
                    kept_above: way.kept.as_ref().and_then(|kept| kept.above),
                    taken: taken.contains(&n),
                    beside: self.beside(&asked, way, sql, window, extent.read + 1)?,
                    statement,
                });
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
            let asked = Asked { catalog: &catalog, dialect: shown, parameters, arguments: &checked.values, after: &[] };
            let statement = self.shown(&asked, sql, None, window, self.options.max_rows + 1)?;
            let taken = statement.is_some() && bound.as_ref().is_ok_and(|bound| Some(*bound) == shown);
            let way = Way {
                requires: Vec::new(),
                span: None,
                sampled_above: None,
                kept: false,
                kept_above: None,
                taken,
                statement,
                beside: Vec::new(),
            };
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

    /// What is asked beside a way, by which is decided how it is read, and its form for a sample.
    fn beside(
        &self,
        asked: &Asked<'_>,
        way: &Alternative,
        sql: &CompiledSql,
        window: TimeWindow,
        limit: usize,
    ) -> Result<Vec<Beside>, CallError> {
        let sums = sql.summing.as_ref();
        let sample = Sampling::for_rows(16, 1).map(|sample| sample.by_prefix()).filter(|_| way.sampled.is_some());
        let parts = [
            ("counts its rows by sums", sums.map(|(_, sums)| sums.as_ref()), None),
            ("counts its rows, where sums do not", sql.weighing.as_deref(), None),
            ("proves the sums", sql.proof.as_deref(), None),
            ("the same of a sample, here of 1 of 16 traces", sample.as_ref().map(|_| sql), sample.as_ref()),
        ];
        let mut beside = Vec::new();
        for (what, sql, sample) in parts {
            let Some(sql) = sql else { continue };
            let Some(statement) = self.shown(asked, sql, sample, window, limit)? else { continue };
            let requires = sums.filter(|(_, sums)| std::ptr::eq(sums.as_ref(), sql)).map(|(names, _)| names.clone());
            beside.push(Beside { what, requires: requires.unwrap_or_default(), statement });
        }
        Ok(beside)
    }

    fn shown(
        &self,
        asked: &Asked<'_>,
        sql: &CompiledSql,
        sample: Option<&Sampling>,
        window: TimeWindow,
        limit: usize,
    ) -> Result<Option<Statement>, CallError> {
        let Some((dialect, key)) = asked.dialect.and_then(|dialect| Some((dialect, sql.key(dialect)?))) else {
            return Ok(None);
        };
        let (claims, nobody) = (Claims::sample(), Principal::default());
        let (workspace_id, user_id) = tenancy::workspace_and_user(&self.options.tenancy, &nobody);
        let engine = EngineVariables {
            sample,
            baseline: Baseline::Previous,
            claims: &claims,
            organization_id: SAMPLE_ID,
            workspace_id,
            user_id,
            window,
            around: window,
            now: self.now(),
            limit,
            rows: sample_rows(asked.after, false),
        };
        let variables = of_statement(asked.parameters, asked.arguments, &engine);
        let rendered = asked.catalog.sql.render(dialect, key, variables).map_err(CallError::definition)?;
        Ok(Some(rendered.statement))
    }
}
