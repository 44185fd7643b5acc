//! Statements as they are compiled: by which key, and for which dialects. Their texts are kept by `sql`.

use crate::sql::Dialect;

/// A statement compiled for each dialect it is written for.
#[derive(Debug, Clone, Default)]
pub struct CompiledSql {
    pub(super) key: String,
    pub(super) dialects: Vec<Dialect>,
    /// Whether the statement prints `{{ limit }}`.
    pub uses_limit: bool,
    /// Whether the statement must bind the organisation.
    pub tenant: bool,
    /// The statement that counts its rows, where it may be read from a sample.
    pub weighing: Option<Box<CompiledSql>>,
    /// The statement that counts them by sums, and the tables that it needs.
    pub summing: Option<(Vec<String>, Box<CompiledSql>)>,
    /// The statement that proves the sums that it reads to be whole, where it reads sums.
    pub proof: Option<Box<CompiledSql>>,
}

impl CompiledSql {
    /// Key of the statement in [`Catalog::sql`], if it is written for the dialect.
    pub fn key(&self, dialect: Dialect) -> Option<&str> {
        self.dialects.contains(&dialect).then_some(self.key.as_str())
    }

    /// Dialects for which the statement is written.
    pub fn dialects(&self) -> &[Dialect] {
        &self.dialects
    }
}
