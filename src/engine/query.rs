//! Tools that run one statement: written in the definition, or by the caller.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::{
    Call, CallError, CallErrorKind, Content, Engine, EngineOptions, Produced,
    arguments::typed,
    caller::{Own, Passed, Runs},
    cut::{Cap, Cut, Limit, Reach},
    document::Organisation,
    error::Took,
    render::{self, Limited},
    structured,
    tenancy::{self, Unresolved},
    variables::{EngineVariables, of_statement},
    window::{Baseline, TimeWindow, stamp},
};
use crate::{
    catalog::{Catalog, CompiledSql},
    definition::{Output, OutputFormat, Parameters, QueryArguments, StatementArguments, Window},
    source::{Author, Limits, Query, Rows, SourceError, SourceErrorKind},
    sql::claims::Claims,
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
        Ok(Produced { notes, ..answered(rows, output.format, limits, by, named.max_chars, (NOTHING, &self.options)) })
    }

    /// `sql.query`: a statement of the caller, confined by the source to the caller's organisation.
    pub(super) async fn run_caller_sql(
        &self,
        catalog: &Catalog,
        (name, reach): (&str, Reach),
        output: &Output,
        arguments: QueryArguments,
        timeout: Duration,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let QueryArguments { sql, params, max_rows, max_chars, organization_id } = arguments;
        let organization_id = organization_id.as_deref();
        let passed = Passed { sql: sql.as_ref(), params: params.as_ref(), organization_id };
        let max_rows = max_rows.unwrap_or(output.max_rows as usize);
        let own = self.own_statement(name, passed, max_rows, timeout, call).await?;
        let rows = self.ask_own(Runs, &own, catalog, call).await?;
        let Own { organisation, timed, set, limits, .. } = own;
        let by = match reach {
            _ if limits.max_rows >= self.options.max_rows => Cap::Rows,
            Reach::More => Cap::Caller,
            Reach::Most | Reach::Beyond | Reach::No => Cap::CallerMost,
        };
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
        let answer = answered(rows, output.format, limits, by, max_chars, (NOTHING, &self.options));
        let remarks = remark.into_iter().chain(organisation.remark());
        Ok(remarks.fold(answer, |answer, remark| answer.remarked(&remark)))
    }

    /// An error of a statement that `tool`, the time of its tool, or the server's own limit may have ended.
    pub(super) fn ended(&self, error: SourceError, tool: Duration, took: Took) -> SourceError {
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
    (nothing, options): (&'static str, &EngineOptions),
) -> Produced {
    let (asked, masking) = (max_chars.unwrap_or(ROWS_CHARS), &options.masking);
    let chars = asked.min(options.most_chars);
    let by_length = match max_chars {
        _ if chars < asked => Cap::Tokens,
        Some(_) => Cap::Chars,
        None => Cap::Length,
    };
    let limited = Limited {
        rows: Cut::new(by, Limit::Rows(limits.max_rows)),
        bytes: Cut::new(Cap::Bytes, Limit::Bytes(limits.max_bytes)),
        chars: Cut::new(by_length, Limit::Chars(chars)),
        max_chars: chars,
        nothing,
    };
    // Later steps compare what was recorded.
    let (shown, masked) = rows.shown(masking);
    let answer = render::rows(&shown, format, &limited);
    let structured = structured::rows(&shown, &answer, options.most_chars);
    let content = vec![Content::of_masked(answer.text)];
    Produced { content, structured: Some(structured), rows: Some(rows), masked, ..Produced::default() }
}

impl Produced {
    /// With a sentence behind the line that counts the rows.
    fn remarked(mut self, remark: &str) -> Self {
        if let Some(Content::Text { text, .. }) = self.content.first_mut() {
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
