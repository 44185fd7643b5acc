//! Whose the rows are of tables that have no column `organization_id`, by what the operator says of the source: an
//! expression over their columns, or that all of them are one organisation's (docs/adr/0027).
//!
//! Statements of definitions call the organisation `organization_id`, whatever a source calls it: `named` puts in front of
//! them, for each such table, an expression of its name that has this column too. What the server's own filter compares
//! does not depend on that.

use std::{borrow::Cow, collections::BTreeSet};

use super::{catalog::Catalog, load::identifier, request::quote};
use crate::{
    source::{Remark, SourceError, SourceErrorKind},
    sql::{
        Dialect,
        guard::clickhouse::Access,
        lex::{self, Kind, Token},
        tenancy::ORGANIZATION,
    },
};

/// What says whose a row is where no column `organization_id` does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Organisation {
    /// Nothing.
    #[default]
    Unknown,
    Expression(Expression),
    /// All rows of the source are this organisation's.
    One(String),
}

/// An expression over the columns of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    text: String,
    columns: BTreeSet<String>,
}

impl Organisation {
    /// What was set for a source.
    ///
    /// # Errors
    /// `Invalid` if it is both, or no expression.
    pub fn of(expression: Option<&str>, one: Option<&str>) -> Result<Self, SourceError> {
        let wrong = |message: &str, hint: &str| SourceError::new(SourceErrorKind::Invalid, message).hint(hint);
        match (expression, one) {
            (None, None) => Ok(Self::Unknown),
            (Some(_), Some(_)) => Err(wrong(
                "`organization_expression` says whose each row is, and `organization_id` that all are one organisation's",
                "leave one of them out",
            )),
            (None, Some(one)) => Ok(Self::One(one.to_owned())),
            (Some(text), None) => Expression::read(text).map(Self::Expression).ok_or_else(|| {
                wrong(
                    "`organization_expression` is no expression over columns of a table",
                    "write a column such as `tenant_id`, or `ResourceAttributes['tenant.id']`",
                )
            }),
        }
    }

    /// What to compare with an organisation to keep its rows of a table with these columns; none if nothing says whose
    /// they are.
    pub(super) fn compared(&self, columns: &[String]) -> Option<Cow<'_, str>> {
        if columns.iter().any(|column| column == ORGANIZATION) {
            return Some(Cow::Borrowed(ORGANIZATION));
        }
        match self {
            Self::Unknown => None,
            Self::Expression(expression) => {
                let all = expression.columns.iter().all(|column| columns.contains(column));
                all.then(|| Cow::Owned(format!("({})", expression.text)))
            }
            Self::One(one) => Some(Cow::Owned(quote(one))),
        }
    }

    /// Whether an element of a sorting key keeps rows of organisations apart.
    pub(super) fn is_kept_by(&self, element: &[Token<'_>]) -> bool {
        let same = |text: &str| {
            let tokens = lex::tokens(Dialect::ClickHouse, text).unwrap_or_default();
            tokens.len() == element.len() && tokens.iter().zip(element).all(|(one, other)| one.text == other.text)
        };
        match self {
            Self::Expression(expression) => same(&expression.text),
            Self::Unknown | Self::One(_) => false,
        }
    }

    /// What to say of it to whoever looks at the source.
    pub(super) fn remark(&self) -> Option<Remark> {
        let found = match self {
            Self::Unknown => return None,
            Self::Expression(Expression { text, .. }) => {
                format!("where a table has no `{ORGANIZATION}`, `{text}` says whose its rows are")
            }
            Self::One(one) => format!("where a table has no `{ORGANIZATION}`, its rows are those of `{one}` alone"),
        };
        Some(Remark { found, hint: None })
    }

    /// Refuses whoever is not the one organisation of the source.
    pub(super) fn admit(&self, organization_id: &str) -> Result<(), SourceError> {
        match self {
            Self::One(one) if one != organization_id => {
                let message = "this source holds the rows of one organisation, and the call is made for another";
                Err(SourceError::new(SourceErrorKind::Forbidden, message)
                    .hint("the operator says with `organization_id` below `sources` whose the rows are"))
            }
            _ => Ok(()),
        }
    }

    /// Whether all rows are one organisation's, those that were added up too.
    pub(super) fn is_one(&self) -> bool {
        matches!(self, Self::One(_))
    }

    /// A statement of a definition in which the tables of this source have a column `organization_id`.
    pub(super) fn named<'s>(&self, catalog: &Catalog, sql: &'s str) -> Named<'s> {
        if *self == Self::Unknown {
            return Named::from(sql);
        }
        let tokens = lex::tokens(Dialect::ClickHouse, sql).unwrap_or_default();
        let expressions = Self::expressions(catalog, &tokens);
        let ahead = |joint: &str| format!("WITH {}{joint}\n", expressions.join(", "));
        match tokens.as_slice() {
            _ if expressions.is_empty() => Named::from(sql),
            [first, second, ..] if first.is_word("with") && !second.is_word("recursive") => {
                let (ahead, rest) = (ahead(","), sql.get(first.end()..).unwrap_or_default());
                Named { sql: Cow::Owned(format!("{ahead}{:1$}{rest}", "", first.end())), ahead }
            }
            [first, ..] if first.is_word("select") => {
                let ahead = ahead("");
                Named { sql: Cow::Owned(format!("{ahead}{sql}")), ahead }
            }
            // What begins in another way keeps its text, and the server says that there is no such column.
            _ => Named::from(sql),
        }
    }

    /// For each table that a statement names and that lacks the column: an expression of its name that has it.
    fn expressions(catalog: &Catalog, tokens: &[Token<'_>]) -> Vec<String> {
        let words: BTreeSet<&str> = tokens.iter().map(|token| token.text.trim_matches(['`', '"'])).collect();
        let own = |table: &str| words.contains(table) && catalog.access.get(table) == Some(&Access::Own);
        let of = |(table, columns): (&String, &Vec<String>)| {
            let compared = catalog.compared.get(table).filter(|compared| own(table) && *compared != ORGANIZATION)?;
            let columns: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
            let (name, columns) = (identifier(table), columns.join(", "));
            Some(format!("{name} AS (SELECT {columns}, {compared} AS {ORGANIZATION} FROM {name})"))
        };
        catalog.tables.0.iter().filter_map(of).collect()
    }
}

/// A statement, and what was put in front of it.
pub(super) struct Named<'s> {
    pub(super) sql: Cow<'s, str>,
    pub(super) ahead: String,
}

impl<'s> From<&'s str> for Named<'s> {
    fn from(sql: &'s str) -> Self {
        Self { sql: Cow::Borrowed(sql), ahead: String::new() }
    }
}

impl Expression {
    /// The expression, if it reads as one: one at least of its words is a column, nothing ends it early, and no comment
    /// hides what follows.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let tokens = lex::tokens(Dialect::ClickHouse, text).ok()?;
        let mut open = Vec::new();
        let mut end = 0;
        for token in &tokens {
            text.get(end..token.start)?.trim().is_empty().then_some(())?;
            end = token.end();
            match token.text {
                "(" => open.push(")"),
                "[" => open.push("]"),
                ")" | "]" => (open.pop() == Some(token.text)).then_some(())?,
                ";" | "{" | "}" => return None,
                "," if open.is_empty() => return None,
                _ if token.kind == Kind::Placeholder => return None,
                _ if ["select", "as", "from"].iter().any(|word| token.is_word(word)) => return None,
                _ => {}
            }
        }
        let is_column = |(at, token): (usize, &Token<'_>)| {
            let behind = |text: &str| tokens.get(at + 1).is_some_and(|next| next.is(text));
            let named = matches!(token.kind, Kind::Word | Kind::Quoted) && !behind("(");
            named.then(|| token.text.trim_matches(['`', '"']).to_owned())
        };
        let columns: BTreeSet<String> = tokens.iter().enumerate().filter_map(is_column).collect();
        (open.is_empty() && end == text.len() && !columns.is_empty()).then(|| Self { text: text.to_owned(), columns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_of_one_organisation_or_says_of_each_row_whose_it_is() {
        assert_eq!(Organisation::of(None, None).unwrap(), Organisation::Unknown);
        assert!(Organisation::of(Some("tenant_id"), Some("3f")).is_err());
        assert!(Organisation::of(Some("tenant_id; DROP"), None).is_err());
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let by = Organisation::of(Some("Attributes['tenant.id']"), None).unwrap();
        assert_eq!(by.compared(&columns(&["Attributes"])).unwrap(), "(Attributes['tenant.id'])");
        assert_eq!(by.compared(&columns(&["Attributes", "organization_id"])).unwrap(), "organization_id");
        assert_eq!(by.compared(&columns(&["attributes"])), None);
        let one = Organisation::of(None, Some("o'me")).unwrap();
        assert!(one.compared(&columns(&["a"])).is_some() && one.admit("o'me").is_ok() && one.admit("other").is_err());
    }

    #[test]
    fn an_expression_names_columns_and_ends_nothing() {
        let columns = |text: &str| Expression::read(text).map(|read| read.columns.into_iter().collect::<Vec<_>>());
        let one = |name: &str| Some(vec![name.to_owned()]);
        assert_eq!(columns("tenant_id"), one("tenant_id"));
        assert_eq!(columns(" ResourceAttributes['tenant.id'] "), one("ResourceAttributes"));
        assert_eq!(columns("transform(`Tenant`, ['acme'], ['3f'], '')"), one("Tenant"));
        for text in [
            "",
            "'x'",
            "1",
            "f(1)",
            "a, b",
            "a) OR (1",
            "a; b",
            "(SELECT a)",
            "a AS b",
            "a]",
            "{a:String}",
            "a -- b",
            "a /* b */",
            "/* b */ a",
        ] {
            assert_eq!(columns(text), None, "{text}");
        }
    }
}
