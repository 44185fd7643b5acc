//! Where the texts of definitions go when they are compiled: templates, conditions and statements, each under a key.

use super::{CompiledSql, Compiler};
use crate::{
    definition::{Alternative, Kind, LogicalSource, SqlText},
    sql::{
        Dialect,
        template::{DeferredStatements, prints},
    },
    template::{DeferredTexts, Flavour},
};

/// Takes texts of a definition.
pub(super) trait Texts {
    fn text(&mut self, flavour: Flavour, kind: Kind, name: &str, key: &str, text: &str);
    fn condition(&mut self, kind: Kind, name: &str, key: &str, expression: &str);
    /// Whether it could be compiled.
    fn statement(&mut self, kind: Kind, name: &str, dialect: Dialect, key: &str, text: &str) -> bool;

    /// A statement for each dialect that it is written for.
    fn sql(&mut self, kind: Kind, name: &str, key: &str, text: &SqlText, tenant: bool) -> CompiledSql {
        let mut compiled = CompiledSql { key: key.to_owned(), tenant, ..CompiledSql::default() };
        for dialect in Dialect::ALL {
            let text = match text {
                SqlText::Any(text) => text,
                SqlText::PerDialect(texts) => match texts.get(dialect.as_str()) {
                    Some(text) => text,
                    None => continue,
                },
            };
            if self.statement(kind, name, dialect, key, text) {
                compiled.dialects.push(dialect);
                compiled.uses_limit = compiled.uses_limit || prints(text, "limit");
            }
        }
        compiled
    }

    /// A way of a query, with the statements beside it.
    fn alternative(&mut self, kind: Kind, name: &str, key: &str, source: &str, way: &Alternative) -> CompiledSql {
        let tenant = way.tenant.is_none() && LogicalSource::holds_tenants(source);
        let weighs = way.sampled.as_ref().and_then(|sampled| sampled.sql.as_ref());
        let weighing = weighs.map(|text| Box::new(self.sql(kind, name, &format!("{key}/weigh"), text, tenant)));
        let sums = way.sampled.as_ref().and_then(|sampled| sampled.summed.as_ref());
        let summing = sums.map(|sums| {
            (sums.requires.clone(), Box::new(self.sql(kind, name, &format!("{key}/sums"), &sums.sql, tenant)))
        });
        let proves = way.kept.as_ref().and_then(|kept| kept.sql.as_ref());
        let proof = proves.map(|text| Box::new(self.sql(kind, name, &format!("{key}/proof"), text, tenant)));
        CompiledSql { weighing, summing, proof, ..self.sql(kind, name, key, &way.sql, tenant) }
    }
}

impl Texts for Compiler<'_> {
    fn text(&mut self, flavour: Flavour, kind: Kind, name: &str, key: &str, text: &str) {
        if self.options.lazy {
            self.catalog.templates.deferred().add(flavour, key, text);
        } else if let Err(error) = self.catalog.templates.add(flavour, key, text) {
            self.problem(kind, name, error.to_string());
        }
    }

    fn condition(&mut self, kind: Kind, name: &str, key: &str, expression: &str) {
        if self.options.lazy {
            self.catalog.templates.deferred().add_condition(key, expression);
        } else if let Err(error) = self.catalog.templates.add_condition(key, expression) {
            self.problem(kind, name, error.to_string());
        }
    }

    fn statement(&mut self, kind: Kind, name: &str, dialect: Dialect, key: &str, text: &str) -> bool {
        if self.options.lazy {
            self.catalog.sql.deferred().add(dialect, key, text);
        } else if let Err(error) = self.catalog.sql.add(dialect, key, text) {
            self.problem(kind, name, error.to_string());
            return false;
        }
        true
    }
}

/// Where texts are kept that are known to compile, until they are first rendered.
#[derive(Clone, Default)]
pub(super) struct Deferred {
    pub texts: DeferredTexts,
    pub statements: DeferredStatements,
}

impl Texts for Deferred {
    fn text(&mut self, flavour: Flavour, _: Kind, _: &str, key: &str, text: &str) {
        self.texts.add(flavour, key, text);
    }

    fn condition(&mut self, _: Kind, _: &str, key: &str, expression: &str) {
        self.texts.add_condition(key, expression);
    }

    fn statement(&mut self, _: Kind, _: &str, dialect: Dialect, key: &str, text: &str) -> bool {
        self.statements.add(dialect, key, text);
        true
    }
}
