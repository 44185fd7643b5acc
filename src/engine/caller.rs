//! Statements of callers: how each is asked, whether it runs or is only explained, and what is said where it is wrong.
//!
//! One way for both, so that what is explained is what would run, and what may not run is not explained.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use serde_json::Value;
use time::OffsetDateTime;

use super::{
    Call, CallError, Engine, arguments::lost_digits, document::Organisation, error::Took, ledger::Ledger, window,
};
use crate::{
    catalog::Catalog,
    source::{Author, Limits, Plan, Query, Rows, Source, SourceError, SourceErrorKind, TableDescription},
    sql::{
        Bind, Statement,
        clock::{self, Timed},
    },
};

/// What is done with a statement.
pub(super) trait Way: Sync {
    type Answer: Send;

    /// Sends it, entered into the ledger of its call.
    fn ask(
        &self,
        ledger: &Ledger,
        name: &str,
        source: &dyn Source,
        query: Query<'_>,
    ) -> impl Future<Output = Result<Self::Answer, SourceError>> + Send;
}

/// It runs.
pub(super) struct Runs;

impl Way for Runs {
    type Answer = Rows;

    async fn ask(
        &self,
        ledger: &Ledger,
        name: &str,
        source: &dyn Source,
        query: Query<'_>,
    ) -> Result<Rows, SourceError> {
        ledger.ask(name, source, query).await
    }
}

/// It is planned, and does not run.
pub(super) struct Explains;

impl Way for Explains {
    type Answer = Plan;

    async fn ask(
        &self,
        ledger: &Ledger,
        name: &str,
        source: &dyn Source,
        query: Query<'_>,
    ) -> Result<Plan, SourceError> {
        ledger.explain(name, source, query).await
    }
}

/// A caller's statement for its organisation.
pub(super) struct Own<'a> {
    /// What its source is called.
    pub name: &'a str,
    pub source: &'a dyn Source,
    pub organisation: Organisation,
    /// As the caller wrote it.
    sql: &'a str,
    pub timed: Timed,
    statement: Statement,
    /// The time at which the server's clock was set to stand.
    pub set: Option<OffsetDateTime>,
    pub limits: Limits,
    /// The time of its tool.
    tool: Duration,
}

/// What a caller passes.
pub(super) struct Passed<'a> {
    pub sql: Option<&'a String>,
    pub params: Option<&'a Vec<Value>>,
    pub organization_id: Option<&'a str>,
}

impl Engine {
    /// A statement of a caller on a source, for rows up to `max_rows` and within `tool`.
    pub(super) async fn own_statement<'a>(
        &'a self,
        name: &'a str,
        passed: Passed<'a>,
        max_rows: usize,
        tool: Duration,
        call: &Call,
    ) -> Result<Own<'a>, CallError> {
        let Passed { sql, params, organization_id } = passed;
        let sql = sql.ok_or_else(|| CallError::invalid("`sql` is required"))?;
        let source = self.sources.get(name)?.as_ref();
        let organisation = self.organisation(organization_id, call).await?;
        let binds: Vec<Bind> = params.into_iter().flatten().map(bind).collect::<Result<_, _>>()?;
        let (dialect, set) = (source.dialect(), Some(self.now()).filter(|now| window::is_set(*now)));
        let timed = clock::timed(dialect, sql, &binds, set);
        let statement = Statement { sql: timed.sql.clone(), binds };
        let limits = Limits {
            timeout: tool.min(self.options.query_timeout),
            max_rows: max_rows.min(self.options.max_rows),
            max_bytes: self.options.max_bytes,
        };
        Ok(Own { name, source, organisation, sql, timed, statement, set, limits, tool })
    }

    /// Asks a statement of a caller, again where tables were changed or times had to be spelt out.
    pub(super) async fn ask_own<W: Way>(
        &self,
        way: W,
        own: &Own<'_>,
        catalog: &Catalog,
        call: &Call,
    ) -> Result<W::Answer, CallError> {
        let Own { name, source, statement, limits, timed, .. } = own;
        let author = Author::Caller { organization_id: &own.organisation.id };
        let query = Query { statement, limits: *limits, author, cancel: &call.cancel, id: None };
        let sent = Instant::now();
        let mut answer = way.ask(&call.ledger, name, *source, query).await;
        let took = Took { elapsed: sent.elapsed(), limit: limits.timeout };
        if answer.as_ref().is_err_and(|error| error.kind == SourceErrorKind::Missing)
            && let Ok(seen) = source.tables().await
            && source.tables_again(&seen).await.is_ok_and(|tables| tables != seen)
        {
            // The tables were changed since they were looked at.
            answer = way.ask(&call.ledger, name, *source, query).await;
        }
        if answer.as_ref().is_err_and(may_be_about_types)
            && let Some(explicit) = clock::explicit(source.dialect(), statement)
        {
            let again = way.ask(&call.ledger, name, *source, Query { statement: &explicit, ..query }).await;
            // What the statement itself is refused for is told, unless that was all.
            answer = again.or(answer);
        }
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) if timed.sql != own.sql && may_be_about_types(&error) => {
                // Where it is wrong is told of the statement as it was written.
                let written = Statement { sql: own.sql.to_owned(), binds: statement.binds.clone() };
                let query = Query { statement: &written, ..query };
                way.ask(&call.ledger, name, *source, query).await.err().unwrap_or(error)
            }
            Err(error) => error,
        };
        let error = with_names(*source, own.sql, self.ended(error, own.tool, took)).await;
        Err(self.pointing(catalog, name, call, error).await)
    }
}

/// Whether a statement may have been refused because a text stands where a time is wanted.
fn may_be_about_types(error: &SourceError) -> bool {
    matches!(error.kind, SourceErrorKind::Invalid | SourceErrorKind::Missing | SourceErrorKind::Failed)
}

fn bind(value: &Value) -> Result<Bind, CallError> {
    Ok(match value {
        Value::Null => Bind::Null,
        Value::Bool(flag) => Bind::Bool(*flag),
        Value::Number(number) if lost_digits(number) && number.as_f64().is_some_and(|float| float.fract() == 0.0) => {
            return Err(CallError::invalid(format!(
                "`params` holds a number with more digits than a JSON number keeps (it came as {number})"
            ))
            .hint("pass its digits as a text, and cast the placeholder"));
        }
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(integer), _, _) => Bind::Integer(integer),
            (None, None, Some(float)) => Bind::Float(float),
            // A float would be another number.
            _ => {
                return Err(CallError::invalid(format!("`params` holds {number}, which no signed 64 bits hold"))
                    .hint("pass its digits as a text, and cast the placeholder"));
            }
        },
        Value::String(text) => Bind::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => {
            return Err(CallError::invalid("`params` holds a list or an object")
                .hint("pass texts, numbers, true, false or null"));
        }
    })
}

/// Most names that a hint lists.
const NAMES: usize = 60;

/// An error about a caller's statement with the names that it could have used: the columns of the tables that it
/// names, else the tables.
async fn with_names(source: &dyn Source, sql: &str, error: SourceError) -> CallError {
    let about_names =
        matches!(error.kind, SourceErrorKind::Missing | SourceErrorKind::Invalid | SourceErrorKind::Forbidden);
    let error = CallError::from(error);
    if !about_names {
        return error;
    }
    // Those alone that the caller may read.
    let Ok(tables) = source.describe_tables().await else { return error };
    if tables.is_empty() {
        return error;
    }
    let listed = |names: &mut dyn Iterator<Item = &str>| {
        let names: Vec<&str> = names.collect();
        let more = if names.len() > NAMES { ", …" } else { "" };
        format!("{}{more}", names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", "))
    };
    let unknown = |table: &&TableDescription| error.message == format!("there is no table `{}`", table.name);
    if let Some(new) = tables.iter().find(unknown) {
        return error.hint(format!("`{}` was made a moment ago: call again in a few seconds", new.name));
    }
    let words_of = |text: &str| text.split(|c: char| c != '_' && !c.is_alphanumeric()).map(str::to_owned).collect();
    let (words, said): (HashSet<String>, HashSet<String>) =
        (words_of(sql), words_of(error.hint.as_deref().unwrap_or_default()));
    let named: Vec<&TableDescription> = tables.iter().filter(|table| words.contains(&table.name)).collect();
    let new = |table: &&TableDescription| table.columns.iter().any(|column| !said.contains(&column.name));
    let columns: Vec<String> = named
        .iter()
        .copied()
        .filter(new)
        .map(|table| {
            format!("{}({})", table.name, listed(&mut table.columns.iter().map(|column| column.name.as_str())))
        })
        .collect();
    let names = match (named.is_empty(), columns.is_empty()) {
        (true, _) => format!("tables: {}", listed(&mut alike_first(&tables, &error.message).into_iter())),
        (false, false) => format!("columns: {}", columns.join("; ")),
        (false, true) => return error,
    };
    // A list that was cut says less than the names here.
    let whole = error.hint.as_ref().filter(|hint| !hint.ends_with('…'));
    let hint = whole.map_or_else(|| names.clone(), |hint| format!("{hint}; {names}"));
    error.hint(hint)
}

/// The tables by name, those first whose names hold a name of the message, in the singular too: `alert_instances` for `alerts`.
fn alike_first<'t>(tables: &'t [TableDescription], message: &str) -> Vec<&'t str> {
    let missing = message.split('`').skip(1).step_by(2).map(|name| name.trim_end_matches('s').to_lowercase());
    let missing: Vec<String> = missing.filter(|name| name.chars().count() >= 3).collect();
    let alike = |name: &str| missing.iter().any(|missing| name.to_lowercase().contains(missing.as_str()));
    let (mut first, others): (Vec<&str>, Vec<&str>) =
        tables.iter().map(|table| table.name.as_str()).partition(|name| alike(name));
    first.extend(others);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_table_is_answered_with_those_that_have_its_name_in_theirs() {
        let of = |name: &str| TableDescription { name: name.into(), ..TableDescription::default() };
        let tables = ["agents", "alert_instances", "alert_rules", "users"].map(of);
        let named = alike_first(&tables, "there is no table `alerts`");
        assert_eq!(named, ["alert_instances", "alert_rules", "agents", "users"]);
        assert_eq!(alike_first(&tables, "there is no table `x`")[0], "agents");
    }
}
