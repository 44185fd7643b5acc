//! What the columns of an answer are called when the caller does not say.
//!
//! PostgreSQL makes a name from the expression, SQLite takes its text. A statement that is written anew has other
//! texts, so names that would change are said (`AS`).

use std::collections::HashMap;

use sqlparser::{
    ast::{AccessExpr, Expr, Ident, ObjectNamePart, Query, Select, SelectItem, SetExpr, TrimWhereField},
    tokenizer::Location,
};

use super::types;
use crate::sql::{
    Dialect,
    items::{self, items},
    lex,
};

/// PostgreSQL's name for a column that has none.
pub(super) const NAMELESS: &str = "?column?";

/// PostgreSQL's name for the column of an expression, and whether a cast keeps it (`FigureColname` there).
pub(super) fn figure(expression: &Expr) -> Option<(String, bool)> {
    let strong = |name: &str| Some((name.to_owned(), true));
    let weak = |name: &str| Some((name.to_owned(), false));
    match expression {
        Expr::Identifier(ident) => Some((folded(ident), true)),
        Expr::CompoundIdentifier(parts) => parts.last().map(|ident| (folded(ident), true)),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => figure(inner),
        Expr::CompoundFieldAccess { root, access_chain } => match access_chain.first() {
            Some(AccessExpr::Dot(column)) => figure(column),
            _ => figure(root),
        },
        Expr::Function(function) => match function.name.0.last() {
            Some(ObjectNamePart::Identifier(ident)) => Some((folded(ident), true)),
            _ => None,
        },
        Expr::Substring { shorthand, .. } => strong(if *shorthand { "substr" } else { "substring" }),
        Expr::Trim { trim_where, .. } => strong(match trim_where {
            Some(TrimWhereField::Leading) => "ltrim",
            Some(TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        }),
        Expr::Extract { .. } => strong("extract"),
        Expr::Position { .. } => strong("position"),
        Expr::Overlay { .. } => strong("overlay"),
        Expr::Ceil { .. } => strong("ceil"),
        Expr::Floor { .. } => strong("floor"),
        Expr::AtTimeZone { .. } => strong("timezone"),
        Expr::Array(_) => strong("array"),
        Expr::Exists { .. } => strong("exists"),
        Expr::Tuple(_) => strong("row"),
        Expr::Subquery(query) => Some((first_name(query), true)),
        Expr::Cast { expr, data_type, .. } => {
            figure(expr).filter(|(_, strong)| *strong).or_else(|| Some((types::internal_name(data_type), false)))
        }
        Expr::TypedString(typed) => Some((types::internal_name(&typed.data_type), false)),
        Expr::Interval(_) => weak("interval"),
        Expr::Case { else_result, .. } => {
            else_result.as_deref().and_then(figure).filter(|(_, strong)| *strong).or_else(|| weak("case"))
        }
        _ => None,
    }
}

/// The name of a scalar subquery's column.
fn first_name(query: &Query) -> String {
    fn of(body: &SetExpr) -> Option<String> {
        match body {
            SetExpr::Select(select) => match select.projection.first() {
                Some(SelectItem::UnnamedExpr(expression)) => figure(expression).map(|(name, _)| name),
                Some(SelectItem::ExprWithAlias { alias, .. }) => Some(folded(alias)),
                _ => None,
            },
            SetExpr::Query(query) => of(&query.body),
            SetExpr::SetOperation { left, .. } => of(left),
            SetExpr::Values(_) => Some("column1".to_owned()),
            _ => None,
        }
    }
    of(&query.body).unwrap_or_else(|| NAMELESS.to_owned())
}

fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_ascii_lowercase() }
}

/// An expression that is nothing but a column.
pub(super) enum Plain<'a> {
    /// SQLite calls it by the column's name.
    Column(&'a Ident),
    /// Merged by a join: if that is an outer one, SQLite calls it by its text.
    Merged(&'a Ident),
    /// SQLite calls it by the column's name in a subquery, by its text in an answer.
    Collated(&'a Ident),
}

pub(super) fn plain_column(expression: &Expr) -> Option<Plain<'_>> {
    match expression {
        Expr::Identifier(ident) => Some(Plain::Merged(ident)),
        Expr::CompoundIdentifier(parts) => parts.last().map(Plain::Column),
        Expr::Nested(inner) => plain_column(inner),
        Expr::Collate { expr, .. } => match plain_column(expr)? {
            Plain::Column(ident) | Plain::Merged(ident) | Plain::Collated(ident) => Some(Plain::Collated(ident)),
        },
        _ => None,
    }
}

/// The texts of select lists as the caller wrote them, by the place of their SELECT.
#[derive(Default)]
pub(super) struct Titles(HashMap<(u64, u64), Vec<String>>);

impl Titles {
    pub fn of(dialect: Dialect, text: &str) -> Self {
        if dialect != Dialect::Sqlite {
            return Self::default();
        }
        let tokens = lex::tokens(dialect, text).unwrap_or_default();
        let lists = tokens.iter().enumerate().filter(|(_, token)| token.is_word("select")).map(|(at, token)| {
            let place = location(text, token.start);
            let texts = items(&tokens, at).into_iter().map(|item| items::text(text, &tokens, &item).to_owned());
            ((place.line, place.column), texts.collect())
        });
        Self(lists.collect())
    }

    /// The text of one item, if all of the list were told apart.
    pub fn item(&self, select: &Select, index: usize) -> Option<&str> {
        let place = select.select_token.0.span.start;
        let list = self.0.get(&(place.line, place.column)).filter(|list| list.len() == select.projection.len())?;
        list.get(index).map(String::as_str)
    }
}

fn location(text: &str, at: usize) -> Location {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
    Location { line, column }
}
