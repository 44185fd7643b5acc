//! Tools that run one statement: written in the definition, or by the caller.

use std::{
    collections::{BTreeSet, HashSet},
    time::{Duration, Instant},
};

use serde_json::{Map, Value};

use super::{
    Call, CallError, CallErrorKind, Content, Engine, Produced,
    arguments::{lost_digits, typed},
    cut::{Cap, Cut, Limit, chars_shown},
    document::Organisation,
    error::Took,
    render::{self, Limited},
    structured,
    tenancy::{self, Unresolved},
    variables::{EngineVariables, of_statement},
    window::{self, Baseline, TimeWindow, stamp},
};
use crate::{
    catalog::{Catalog, CompiledSql},
    definition::{Output, OutputFormat, Parameters, QueryArguments, StatementArguments, Window},
    source::{Author, Limits, Query, Rows, Source, SourceError, SourceErrorKind, TableDescription},
    sql::{
        Bind, Dialect, Statement,
        claims::Claims,
        clock,
        lex::{self, Kind},
    },
    template::counted,
};

impl Engine {
    /// `sql`: the definition's own statement.
    #[allow(clippy::too_many_arguments)]
    pub(super) async fn run_sql(
        &self,
        catalog: &Catalog,
        name: &str,
        sql: &CompiledSql,
        parameters: &Parameters,
        output: &Output,
        arguments: &Map<String, Value>,
        timeout: Duration,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let source = self.sources.get(name)?;
        let dialect = source.dialect();
        let key = sql.key(dialect).ok_or_else(|| {
            CallError::definition(format!("it has no statement for {dialect}, to which its source is bound"))
        })?;
        let named: StatementArguments = typed(arguments, &indexmap::IndexMap::new())?;
        let organisation = match sql.tenant {
            true => self.organisation(named.organization_id.as_deref(), call).await?,
            false => Organisation::default(),
        };
        let (now, mut notes) = (self.now(), Vec::new());
        let (range, start, end) = (named.time_range.as_deref(), named.start.as_deref(), named.end.as_deref());
        let window = TimeWindow::resolve(now, &Window::any(), range, start, end, &mut notes)?;
        let shown = (output.max_rows as usize).min(self.options.max_rows);
        let (workspace_id, user_id) = tenancy::workspace_and_user(&self.options.tenancy, &call.principal);
        let claims = Claims::new(tenancy::claims(&self.options.tenancy, &call.principal));
        let variables = EngineVariables {
            sample: None,
            baseline: Baseline::Previous,
            rows: None,
            claims: &claims,
            organization_id: &organisation.id,
            workspace_id,
            user_id,
            window,
            around: window,
            now,
            limit: shown + 1,
        };
        let variables = of_statement(parameters, arguments, &variables);
        let rendered = catalog.sql.render(dialect, key, variables);
        if let Some(claim) = claims.missing() {
            return Err(lacks_claim(&claim).into());
        }
        let rendered = rendered.map_err(CallError::definition)?;
        if sql.tenant && !rendered.binds_tenant {
            return Err(CallError::definition("its statement does not bind the organisation and was not run"));
        }
        let tool = timeout;
        let timeout = timeout.min(self.options.query_timeout);
        let limits = Limits { timeout, max_rows: shown, max_bytes: self.options.max_bytes };
        let (statement, cancel) = (&rendered.statement, &call.cancel);
        let author = Author::Definition { organization_id: sql.tenant.then_some(organisation.id.as_str()) };
        let query = Query { statement, limits, author, cancel, id: None };
        let sent = Instant::now();
        let asked = call.ledger.ask(name, source.as_ref(), query).await;
        let took = Took { elapsed: sent.elapsed(), limit: timeout };
        let rows = asked.map_err(|error| self.ended(error, tool, took))?;
        let by = if shown < self.options.max_rows { Cap::Tool } else { Cap::Rows };
        Ok(Produced { notes, ..answered(rows, output.format, limits, by, named.max_chars, NOTHING) })
    }

    /// `sql.query`: a statement of the caller, confined by the source to the caller's organisation.
    pub(super) async fn run_caller_sql(
        &self,
        catalog: &Catalog,
        name: &str,
        output: &Output,
        arguments: QueryArguments,
        timeout: Duration,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let QueryArguments { sql, params, max_rows, max_chars, organization_id } = arguments;
        let sql = &sql.ok_or_else(|| CallError::invalid("`sql` is required"))?;
        let source = self.sources.get(name)?;
        let organisation = self.organisation(organization_id.as_deref(), call).await?;
        let binds: Vec<Bind> = params.iter().flatten().map(bind).collect::<Result<_, _>>()?;
        all_have_places(source.dialect(), sql, binds.len())?;
        let (dialect, set) = (source.dialect(), Some(self.now()).filter(|now| window::is_set(*now)));
        let timed = clock::timed(dialect, sql, &binds, set);
        let statement = Statement { sql: timed.sql.clone(), binds };
        let limits = Limits {
            timeout: timeout.min(self.options.query_timeout),
            max_rows: max_rows.unwrap_or(output.max_rows as usize).min(self.options.max_rows),
            max_bytes: self.options.max_bytes,
        };
        let by = if limits.max_rows < self.options.max_rows { Cap::Caller } else { Cap::Rows };
        let author = Author::Caller { organization_id: &organisation.id };
        let query = Query { statement: &statement, limits, author, cancel: &call.cancel, id: None };
        let sent = Instant::now();
        let mut answer = call.ledger.ask(name, source.as_ref(), query).await;
        let took = Took { elapsed: sent.elapsed(), limit: limits.timeout };
        if answer.as_ref().is_err_and(|error| error.kind == SourceErrorKind::Missing)
            && let Ok(seen) = source.tables().await
            && source.tables_again(&seen).await.is_ok_and(|tables| tables != seen)
        {
            // The tables were changed since they were looked at.
            answer = call.ledger.ask(name, source.as_ref(), query).await;
        }
        if answer.as_ref().is_err_and(may_be_about_types)
            && let Some(explicit) = clock::explicit(dialect, &statement)
        {
            let again = call.ledger.ask(name, source.as_ref(), Query { statement: &explicit, ..query }).await;
            // What the statement itself is refused for is told, unless that was all.
            answer = again.or(answer);
        }
        match answer {
            Ok(rows) => {
                let real: Vec<String> = timed.real.iter().map(|word| format!("`'{word}'`")).collect();
                let asked = timed.reads_clock || rows.real_time || !real.is_empty() || rows.rows.is_empty();
                let remark = set.filter(|_| asked).map(|now| {
                    let now = stamp(now);
                    let set = "where `server.clock` is set: write `now()`";
                    match real.as_slice() {
                        _ if rows.real_time => {
                            format!("A part of it reads the database's own present, not {now}, {set}.")
                        }
                        [] => format!("`now()` is {now} here: `server.clock` is set."),
                        real => {
                            let real = real.join(" and ");
                            format!("Read as a time, {real} is the database's own present, not {now}, {set}.")
                        }
                    }
                });
                let answer = answered(rows, output.format, limits, by, max_chars, NOTHING);
                let remarks = remark.into_iter().chain(organisation.remark());
                Ok(remarks.fold(answer, |answer, remark| answer.remarked(&remark)))
            }
            Err(error) => {
                let error = match timed.sql != *sql && may_be_about_types(&error) {
                    // Where it is wrong is told of the statement as it was written.
                    true => {
                        let written = Statement { sql: sql.clone(), ..statement.clone() };
                        let query = Query { statement: &written, ..query };
                        call.ledger.ask(name, source.as_ref(), query).await.err().unwrap_or(error)
                    }
                    false => error,
                };
                let error = self.ended(error, timeout, took);
                let error = with_names(source.as_ref(), sql, error).await;
                Err(self.pointing(catalog, name, call, error).await)
            }
        }
    }

    /// An error of a statement that `tool`, the time of its tool, or the server's own limit may have ended.
    fn ended(&self, error: SourceError, tool: Duration, took: Took) -> SourceError {
        let (cap, time) = match tool < self.options.query_timeout {
            true => (Cap::Timeout, tool),
            false => (Cap::Query, self.options.query_timeout),
        };
        error.ended_by(Cut::new(cap, Limit::Time(time)), took)
    }

    /// The organisation of a call, or the error that says how to choose one.
    pub(super) async fn organisation(&self, argument: Option<&str>, call: &Call) -> Result<Organisation, CallError> {
        let tenancy = &self.options.tenancy;
        let timeout = self.options.context_deadline;
        tenancy::organisation(tenancy, &self.directory, &self.sources, call, argument, timeout).await.map_err(
            |unresolved| {
                let kind = match unresolved {
                    Unresolved::Refused(_) => CallErrorKind::Forbidden,
                    _ => CallErrorKind::Unavailable,
                };
                let (what, hint) = unresolved.explain();
                CallError::new(kind, format!("[SYSTEM] {what}")).hint(hint)
            },
        )
    }
}

/// A statement asked for a claim that the caller's credential does not have.
pub(super) fn lacks_claim(claim: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Forbidden, format!("your credential does not have the claim `{claim}`"))
        .hint("use a credential that has it; the operator gives it out")
}

/// ClickHouse does not mind values for which a statement has no place; we do, as the other databases.
fn all_have_places(dialect: Dialect, sql: &str, values: usize) -> Result<(), CallError> {
    let Ok(tokens) = lex::tokens(dialect, sql) else { return Ok(()) };
    if dialect != Dialect::ClickHouse || values == 0 {
        return Ok(());
    }
    let places = tokens.iter().filter(|token| token.kind == Kind::Placeholder);
    let names = places.filter_map(|token| Some(token.text.strip_prefix('{')?.split(':').next()?.trim()));
    let names: BTreeSet<&str> = names.collect();
    let surplus = (1..=values).find(|n| !names.contains(format!("p{n}").as_str()));
    let Some(surplus) = surplus else { return Ok(()) };
    let (has, given) = (counted(names.len(), "placeholder"), counted(values, "value"));
    let what = format!("`params` has {given}, but the statement has {has}: there is no `{{p{surplus}:Type}}`");
    Err(CallError::invalid(what).hint(
        "write `{p1:String}`, `{p2:UInt32}` and so on where the values belong, or leave out those without a place",
    ))
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

/// Longest answer of a statement unless the call asks for another, in characters: what a client can hand to a model.
const ROWS_CHARS: usize = 50_000;

/// What is said where there are none.
const NOTHING: &str = "The statement ran and answered no rows.";

/// Rows in the form that the definition asks for.
pub(super) fn answered(
    rows: Rows,
    format: OutputFormat,
    limits: Limits,
    by: Cap,
    max_chars: Option<usize>,
    nothing: &'static str,
) -> Produced {
    let chars = max_chars.map_or(ROWS_CHARS, chars_shown);
    let by_length = if max_chars.is_some() { Cap::Chars } else { Cap::Length };
    let limited = Limited {
        rows: Cut::new(by, Limit::Rows(limits.max_rows)),
        bytes: Cut::new(Cap::Bytes, Limit::Bytes(limits.max_bytes)),
        chars: Cut::new(by_length, Limit::Chars(chars)),
        max_chars: chars,
        nothing,
    };
    let answer = render::rows(&rows, format, &limited);
    let structured = structured::rows(&rows, &answer);
    Produced { structured: Some(structured), rows: Some(rows), ..Produced::text(answer.text) }
}

impl Produced {
    /// With a sentence behind the line that counts the rows.
    fn remarked(mut self, remark: &str) -> Self {
        if let Some(Content::Text { text }) = self.content.first_mut() {
            let end = text.find('\n').unwrap_or(text.len());
            text.insert_str(end, &format!(" {remark}"));
        }
        self
    }
}

impl Window {
    /// For statements that bring their own bounds.
    pub(super) fn any() -> Self {
        Self { max: crate::definition::Period::from_secs(366 * 86_400), ..Self::default() }
    }
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

    #[test]
    fn values_without_a_place_are_refused() {
        let said = |sql: &str, values| all_have_places(Dialect::ClickHouse, sql, values).map_err(|error| error.message);
        for (sql, values) in [
            ("SELECT 1", 0),
            ("SELECT {p1:String}", 1),
            ("SELECT { p1 : String }, {p2:UInt8}, {p1:String}", 2),
            // What is missing the database says.
            ("SELECT {p1:String}, {p2:String}", 1),
        ] {
            assert_eq!(said(sql, values), Ok(()), "{sql}");
        }
        for (sql, values, place) in [
            ("SELECT 1", 2, "{p1:Type}"),
            ("SELECT {p1:String}", 2, "{p2:Type}"),
            ("SELECT {p2:String}", 2, "{p1:Type}"),
            ("SELECT '{p1:String}' -- {p1:String}", 1, "{p1:Type}"),
        ] {
            assert!(said(sql, values).unwrap_err().contains(place), "{sql}");
        }
        assert_eq!(all_have_places(Dialect::Postgres, "SELECT 1", 2), Ok(()));
    }
}
