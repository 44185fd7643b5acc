//! `validate --live`: every statement of the catalog, planned by the database that it is bound to.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{
    Engine,
    sampling::Sampling,
    variables::{EngineVariables, of_statement},
    window::{Baseline, TimeWindow},
};
use crate::{
    catalog::{CONTAINS, CompiledAction, CompiledSql},
    definition::{Kind, Parameters, SAMPLE_ID},
    source::{SourceError, SourceErrorKind},
    sql::{claims::Claims, rows::sample_rows},
};

/// A statement that its database does not accept, or that was not asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveFinding {
    pub kind: Kind,
    pub name: String,
    /// Where in the definition, as a JSON pointer.
    pub pointer: String,
    pub message: String,
}

/// What `validate --live` did.
#[derive(Debug, Clone, Default)]
pub struct LiveReport {
    pub findings: Vec<LiveFinding>,
    /// Statements that were planned.
    pub prepared: usize,
    /// Statements that were left out, with the reason: tables that this installation does not have.
    pub skipped: Vec<LiveFinding>,
    /// Statements of sources that nothing was asked of, by source.
    pub unasked: BTreeMap<String, Unasked>,
}

/// Statements of a source that is bound to no database, or does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unasked {
    pub statements: usize,
    pub why: SourceError,
}

/// One statement to plan.
struct Candidate<'a> {
    kind: Kind,
    name: &'a str,
    pointer: String,
    source: &'a str,
    requires: &'a [String],
    sql: &'a CompiledSql,
    parameters: &'a Parameters,
    /// Sections whose rows it may ask for.
    after: &'a [String],
    /// It may read what only a call knows: outputs of earlier steps, arguments of a JSON Schema.
    open: bool,
}

impl LiveReport {
    fn unasked(&mut self, source: &str, why: SourceError) {
        self.unasked.entry(source.to_owned()).or_insert(Unasked { statements: 0, why }).statements += 1;
    }
}

impl Engine {
    /// Plans every statement of the catalog, with and without optional parameters.
    pub async fn prepare_all(&self) -> LiveReport {
        let catalog = self.catalog();
        let mut candidates: Vec<Candidate<'_>> = Vec::new();
        for entry in catalog.contexts.values() {
            for section in &entry.sections {
                for (i, (alternative, sql)) in section.definition.query.iter().zip(&section.alternatives).enumerate() {
                    candidates.push(Candidate {
                        kind: Kind::Context,
                        name: &entry.definition.name,
                        pointer: format!("/sections/{}/query/{i}/sql", section.name),
                        source: &section.definition.source,
                        requires: &alternative.requires,
                        sql,
                        parameters: &entry.definition.parameters,
                        after: &section.definition.after.0,
                        open: false,
                    });
                }
            }
        }
        for entry in catalog.known_values.values() {
            for place in &entry.places {
                for (i, (alternative, sql)) in place.definition.query.iter().zip(&place.alternatives).enumerate() {
                    candidates.push(Candidate {
                        kind: Kind::Values,
                        name: &entry.definition.name,
                        pointer: format!("/places/{}/query/{i}/sql", place.name),
                        source: &place.definition.source,
                        requires: &alternative.requires,
                        sql,
                        parameters: &entry.definition.parameters,
                        after: &[],
                        open: false,
                    });
                }
            }
        }
        let tools = catalog.tools.values().map(|entry| {
            let definition = &entry.definition;
            (Kind::Tool, &*definition.name, &definition.parameters, "/run".to_owned(), &entry.action)
        });
        let resources = catalog.resources.values().map(|entry| {
            let definition = &entry.definition;
            (Kind::Resource, &*definition.name, &definition.parameters, "/run".to_owned(), &entry.action)
        });
        let prompts = catalog.prompts.values().flat_map(|entry| {
            let definition = &entry.definition;
            let actions = entry.actions.iter().enumerate();
            actions.map(|(n, action)| {
                (Kind::Prompt, &*definition.name, &definition.arguments, format!("/messages/{n}/run"), action)
            })
        });
        for (kind, name, parameters, pointer, action) in tools.chain(resources).chain(prompts) {
            for (pointer, source, sql) in statements(action, pointer) {
                let own_schema = kind == Kind::Tool && catalog.tools.get(name).is_some_and(|e| e.own_schema.is_some());
                let open = own_schema || matches!(action, CompiledAction::Pipeline(_));
                candidates.push(Candidate {
                    kind,
                    name,
                    pointer,
                    source,
                    requires: &[],
                    sql,
                    parameters,
                    after: &[],
                    open,
                });
            }
        }
        let mut report = LiveReport::default();
        for candidate in candidates {
            self.prepare_one(&catalog, &candidate, &mut report).await;
        }
        report
    }

    async fn prepare_one(&self, catalog: &crate::catalog::Catalog, candidate: &Candidate<'_>, report: &mut LiveReport) {
        let finding = |message: String| LiveFinding {
            kind: candidate.kind,
            name: candidate.name.to_owned(),
            pointer: candidate.pointer.clone(),
            message,
        };
        let source = match self.sources.get(candidate.source) {
            Ok(source) => source,
            // What a database would say of a statement is not known where there is none.
            Err(why) => return report.unasked(candidate.source, why),
        };
        if report.unasked.contains_key(candidate.source) {
            return report.unasked(candidate.source, SourceError::new(SourceErrorKind::Unavailable, ""));
        }
        let Some(key) = candidate.sql.key(source.dialect()) else {
            return report.skipped.push(finding(format!("not written for {}", source.dialect())));
        };
        match source.tables().await {
            Ok(tables) => {
                if let Some(missing) = candidate.requires.iter().find(|requirement| !tables.has(requirement)) {
                    return report.skipped.push(finding(format!("the source lacks `{missing}`")));
                }
            }
            // Said once, at the first statement.
            Err(error) => {
                report.findings.push(finding(error.to_string()));
                return report.unasked(candidate.source, error);
            }
        }
        for filled in [false, true] {
            let values = candidate.parameters.iter().map(|(name, parameter)| (name.clone(), parameter.sample(filled)));
            let mut arguments: Map<String, Value> = values.collect();
            let now = OffsetDateTime::now_utc();
            let claims = Claims::sample();
            let window = TimeWindow { from: now - Duration::from_secs(3600), to: now };
            let sample = Sampling::for_rows(2, 1).map(|sample| sample.by_prefix());
            let engine = EngineVariables {
                sample: sample.as_ref().filter(|_| filled && candidate.sql.weighing.is_some()),
                baseline: Baseline::Previous,
                claims: &claims,
                organization_id: SAMPLE_ID,
                workspace_id: filled.then_some(SAMPLE_ID),
                user_id: filled.then_some(SAMPLE_ID),
                window,
                around: window,
                now,
                limit: 2,
                rows: sample_rows(candidate.after, !filled),
            };
            if candidate.kind == Kind::Values {
                arguments.insert(CONTAINS.into(), if filled { "x".into() } else { Value::Null });
            }
            let variables = of_statement(candidate.parameters, &arguments, &engine);
            let statement = catalog.sql.render(source.dialect(), key, variables);
            let rendered = statement.is_ok();
            let outcome = match statement {
                Ok(rendered) => {
                    let mut planned = source.prepare(&rendered.statement).await;
                    if planned.is_ok() && candidate.sql.tenant {
                        planned = source.confined(&rendered.statement).await;
                    }
                    planned.map_err(|error| error.to_string())
                }
                Err(error) => Err(error.to_string()),
            };
            let outcome = match outcome {
                Err(_) if candidate.open && !rendered => {
                    return report.skipped.push(finding("it reads what only a call knows".to_owned()));
                }
                outcome => outcome,
            };
            report.prepared += 1;
            if let Err(message) = outcome {
                let how = if filled { "with all parameters" } else { "without optional parameters" };
                return report.findings.push(finding(format!("{message} ({how}, on {})", source.dialect())));
            }
        }
    }
}

/// The statements of an action and of its steps, with their JSON pointers.
pub(super) fn statements(action: &CompiledAction, pointer: String) -> Vec<(String, &str, &CompiledSql)> {
    match action {
        CompiledAction::Leaf(leaf) => {
            leaf.statement().map(|(source, sql)| (format!("{pointer}/sql"), source, sql)).into_iter().collect()
        }
        CompiledAction::Pipeline(steps) => {
            let steps = steps.iter().enumerate();
            steps.flat_map(|(n, step)| statements(&step.run, format!("{pointer}/steps/{n}/run"))).collect()
        }
        // Questions read nothing.
        CompiledAction::AskOne(_) | CompiledAction::AskSeveral(_) | CompiledAction::Task => Vec::new(),
    }
}
