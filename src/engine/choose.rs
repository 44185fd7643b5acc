//! Alternatives of a query: the first whose dialect, window and requirements fit the bound source.

use super::window::TimeWindow;
use crate::{
    catalog::CompiledSql,
    definition::Alternative,
    source::{Source, SourceError, SourceErrorKind, Tables},
};

/// An alternative, its statement and the key of that.
pub type Way<'s> = (&'s Alternative, &'s CompiledSql, &'s str);

/// The way that is taken; `kept` says whether it is one of those that read sums.
///
/// # Errors
/// `Missing` where none fits: what the source `name` lacks.
pub async fn choose<'s>(
    alternatives: &'s [Alternative],
    compiled: &'s [CompiledSql],
    name: &str,
    source: &dyn Source,
    window: TimeWindow,
    kept: bool,
) -> Result<Way<'s>, SourceError> {
    let length = window.length();
    let fits = |alternative: &Alternative| {
        alternative.kept.is_some() == kept
            && alternative.span.as_ref().is_none_or(|span| {
                span.min.is_none_or(|min| length >= min.0) && span.max.is_none_or(|max| length <= max.0)
            })
    };
    let ways: Vec<Way<'s>> = alternatives
        .iter()
        .zip(compiled)
        .filter(|(alternative, _)| fits(alternative))
        .filter_map(|(alternative, sql)| Some((alternative, sql, sql.key(source.dialect())?)))
        .collect();
    let lacks = |alternative: &'s Alternative, tables: &Tables| -> Vec<&'s str> {
        alternative.requires.iter().map(String::as_str).filter(|requirement| !tables.has(requirement)).collect()
    };
    let mut missing: Vec<&str> = Vec::new();
    let mut withheld = Vec::new();
    if let Some(first) = ways.first() {
        if first.0.requires.is_empty() {
            return Ok(*first);
        }
        let possible = |tables: &Tables| ways.iter().find(|(way, ..)| lacks(way, tables).is_empty()).copied();
        let mut tables = source.tables().await?;
        if let Some(way) = possible(&tables) {
            return Ok(way);
        }
        // What is missed may have been made since the tables were looked at.
        tables = source.tables_again(&tables).await?;
        if let Some(way) = possible(&tables) {
            return Ok(way);
        }
        for name in ways.iter().flat_map(|(way, ..)| lacks(way, &tables)) {
            let table = name.split('.').next().unwrap_or_default();
            if tables.1.contains(table) && !withheld.contains(&table) {
                withheld.push(table);
            }
            if !missing.contains(&name) {
                missing.push(name);
            }
        }
    }
    let listed = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let told = |message: String, hint: String| SourceError::new(SourceErrorKind::Missing, message).hint(hint);
    Err(match (missing.is_empty(), withheld.is_empty()) {
        (true, _) => told(
            format!("no statement of the section fits {} and a window of {}", source.dialect(), window.label()),
            "ask for a longer or shorter window".into(),
        ),
        (false, true) => told(
            format!("the source `{name}` lacks {}", listed(&missing)),
            "this installation does not record it; use another context type".into(),
        ),
        (false, false) => told(
            format!("the account of the source `{name}` may not read {}", listed(&withheld)),
            format!("the operator lets its role: `GRANT SELECT ON {} TO …`", withheld.join(", ")),
        ),
    })
}
