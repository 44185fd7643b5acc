//! What of a statement decides whose rows it reads: relations, the comparisons that keep their rows, and what the
//! columns of a subquery are. Two readers make it, `tree` and `words`; `proof` judges it.

use std::ops::Range;

use crate::sql::{Dialect, tenancy::ORGANIZATION};

/// A query with its common table expressions.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) recursive: bool,
    /// Whether a list of columns behind its name gives them other names.
    pub(super) renamed: bool,
    pub(super) ctes: Vec<(String, Query)>,
    /// The parts of a `UNION`, `INTERSECT` or `EXCEPT`; one where there is none.
    pub(super) arms: Vec<Arm>,
    /// Subqueries in what stands around the parts: `ORDER BY`, `LIMIT`, expressions behind `WITH`.
    pub(super) around: Vec<Query>,
}

#[derive(Debug)]
pub(super) enum Arm {
    Select(Box<Select>),
    Query(Box<Query>),
    /// `VALUES`, with the subqueries in it.
    Rows(Vec<Query>),
}

/// One `SELECT` with what it reads by itself.
#[derive(Debug, Default)]
pub(super) struct Select {
    pub(super) relations: Vec<Relation>,
    pub(super) conditions: Vec<Condition>,
    pub(super) outputs: Vec<Output>,
    /// Subqueries in its expressions, which see its relations.
    pub(super) subqueries: Vec<Query>,
}

/// Something in `FROM`.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) item: Item,
    pub(super) alias: Option<String>,
    /// Bytes of the statement.
    pub(super) place: Range<usize>,
    /// Whether an outer join fills it in where it has no row.
    pub(super) filled: bool,
    /// Whether the alias names its columns too.
    pub(super) renamed: bool,
    pub(super) lateral: bool,
}

#[derive(Debug)]
pub(super) enum Item {
    Table { schema: Option<String>, name: String },
    Query(Query),
    Function(String),
}

/// A comparison without which a row is not kept.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) left: Operand,
    pub(super) right: Operand,
    /// Whether rows are kept, too, whose `left` is NULL.
    pub(super) or_null: bool,
    /// The relations whose rows it keeps, as places in `relations`.
    pub(super) of: Range<usize>,
}

/// One side of a comparison, casts taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand {
    /// The bound organisation.
    Organisation,
    /// The bound workspace.
    Workspace,
    Column {
        qualifier: Option<String>,
        name: String,
    },
    /// A column of the relation at a place, as `USING` names it.
    Of(usize, String),
    Other,
}

/// A selected column.
#[derive(Debug)]
pub(super) enum Output {
    /// With the name that others know it by, if it has one.
    Value(Option<String>, Operand),
    /// `*`, or `t.*`.
    All,
}

impl Operand {
    /// Whether it is the organisation's column, of whatever relation.
    pub(super) fn is_organisation_column(&self) -> bool {
        matches!(self, Operand::Column { name, .. } | Operand::Of(_, name) if name == ORGANIZATION)
    }
}

/// How rows come together in a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Inner,
    Left,
    Right,
    Full,
    /// Only the rows of the left that have no partner.
    Anti,
    RightAnti,
}

impl Join {
    /// The relations whose rows `ON` keeps, out of those before and those behind the word.
    pub(super) fn keeps(self, left: Range<usize>, right: Range<usize>) -> Range<usize> {
        match self {
            Join::Inner => left.start..right.end,
            Join::Left | Join::Anti => right,
            Join::Right | Join::RightAnti => left,
            Join::Full => right.end..right.end,
        }
    }

    /// The relations that are filled in where they have no row.
    pub(super) fn fills(self, left: Range<usize>, right: Range<usize>) -> Range<usize> {
        match self {
            Join::Inner => right.end..right.end,
            Join::Left | Join::Anti => right,
            Join::Right | Join::RightAnti => left,
            Join::Full => left.start..right.end,
        }
    }
}

/// A name as the database compares it.
pub(super) fn fold(dialect: Dialect, name: &str, quoted: bool) -> String {
    match dialect {
        Dialect::ClickHouse => name.to_owned(),
        Dialect::Postgres if quoted => name.to_owned(),
        Dialect::Postgres | Dialect::Sqlite => name.to_lowercase(),
    }
}

/// Whether a cast to a type keeps identifiers apart that are not equal.
pub(super) fn keeps_identity(ty: &str) -> bool {
    ["text", "uuid", "string", "varchar", "character varying"].iter().any(|known| known.eq_ignore_ascii_case(ty))
}

/// Whether a function is a cast that keeps identifiers apart.
pub(super) fn is_cast(function: &str) -> bool {
    ["touuid", "tostring"].iter().any(|known| known.eq_ignore_ascii_case(function))
}
