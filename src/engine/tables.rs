//! `tables.search`: tables that statements of callers may read, with their columns; one of them whole.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc, time::Duration};

use futures::future::join_all;
use indexmap::IndexMap;
use serde_json::Value;

use super::{
    Call, CallError, CallErrorKind, Engine, Produced,
    cut::head,
    error::{span, told},
    fresh::{Fresh, Keeping},
    render::fenced,
    samples::{Look, ROWS_COUNTED, Sampled},
    search::{Weight, Words},
};
use crate::{
    catalog::Catalog,
    definition::{Action, TablesArguments},
    source::{SourceErrorKind, TableDescription},
    sql::Dialect,
    template::{bare, clean, counted},
};

/// Tables of a page.
const PAGE: usize = 40;
/// Columns that are shown of a table which is one of several.
const COLUMNS: usize = 8;
/// Tables of another source that are named.
const NEAR: usize = 8;
/// Longest comment of a table or a column, in characters.
const COMMENT: usize = 160;
/// Longest key or index, in characters.
const LONGEST_KEY: usize = 200;

/// Descriptions by source.
pub type Described = Fresh<String, Arc<Vec<TableDescription>>>;

pub fn described() -> Described {
    // As often as a statement's own knowledge of tables is looked up again: what one tool reads, another must not deny.
    Fresh::new(Keeping { answers: Duration::from_secs(5), failures: Duration::from_secs(5), most: 16 })
}

/// Maps in whose keys a text stands, as they are told.
#[derive(Default)]
struct Keyed {
    found: String,
    /// What could not be looked through.
    unread: String,
}

impl Engine {
    /// A page of tables, or one table whole.
    pub(super) async fn run_tables(
        &self,
        catalog: &Catalog,
        arguments: TablesArguments,
        left: Duration,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let TablesArguments { source, query, schema, table, page, organization_id } = arguments;
        let name = &source.ok_or_else(|| CallError::invalid("`source` is required"))?;
        let source = self.sources.get(name)?;
        let organisation = self.organisation(organization_id.as_deref(), call).await?;
        let tables = self.tables_of(name).await?;
        // `*` and `%` mean all.
        let query =
            query.as_deref().map(str::trim).filter(|query| query.contains(char::is_alphanumeric)).unwrap_or_default();
        let tables = match schema.as_deref().map(str::trim).filter(|schema| !schema.is_empty()) {
            Some(schema) => Arc::new(of_schema(name, &tables, schema)?),
            None => tables,
        };
        let found = match table.as_deref().map(str::trim) {
            Some(table) => vec![one(name, &tables, table)?],
            None => search(&tables, query),
        };
        let page = page.unwrap_or(1);
        // What names no table may be the key of a map, such as an attribute.
        let keyed = match table.is_none() && page == 1 && !has(&tables, query) && !query.is_empty() {
            true => self.keyed(name, &tables, query, (&organisation.id, left), call).await?,
            false => Keyed::default(),
        };
        let text = match found.as_slice() {
            [] if !keyed.found.is_empty() => format!(
                "Keys of maps have {} in them; as a word it is in no name, column or comment of the {} tables of `{name}`.",
                span(query, 80),
                tables.len()
            ),
            [] => nothing(name, &tables, query, &self.in_others(catalog, name, query, call).await),
            [_] if page != 1 => return Err(no_page(page, 1)),
            [table] => {
                let wait = left.min(self.options.query_timeout);
                let (source, organization_id) = (source.as_ref(), &*organisation.id);
                let look = Look { name, source, table, organization_id, wait, call };
                let (sampled, rows) = tokio::join!(look.samples(self.now()), look.rows());
                let lead = match is_asked_for(table, query) {
                    true => "",
                    false => "No table has all of these words; this one has some of them.\n",
                };
                lead.to_owned() + &whole(table, &sampled, rows)
            }
            found => listed(found, query, page)?,
        };
        let remark = organisation.remark().map(|remark| format!("{remark}\n")).unwrap_or_default();
        let dialect = match source.dialect() {
            Dialect::Sqlite => format!("\n`{}` is SQLite here.", bare(name, 80)),
            Dialect::Postgres | Dialect::ClickHouse => String::new(),
        };
        Ok(Produced::text(remark + text.trim_end() + &dialect + "\n" + &keyed.found + &keyed.unread))
    }

    /// The tables of other sources that have a text, where a tool shows them to this caller. One that cannot be read
    /// is left out: nobody asked about it.
    async fn in_others(&self, catalog: &Catalog, asked: &str, query: &str, call: &Call) -> String {
        let (mut told, words) = (String::new(), Words::of(query));
        for (name, _) in self.sources.iter().filter(|(name, _)| *name != asked && !query.is_empty()) {
            let Some(tool) = shown_by(catalog, name, call) else { continue };
            let Ok(tables) = self.tables_of(name).await else { continue };
            let found: Vec<&TableDescription> = tables.iter().filter(|table| has_all(&words, table)).collect();
            if !found.is_empty() {
                let names: Vec<String> = found.iter().take(NEAR).map(|table| clean(&table.name)).collect();
                let more = if found.len() > NEAR { ", …" } else { "" };
                let _ = write!(told, " `{}` has {}{more}: ask `{tool}` there.", bare(name, 80), names.join(", "));
            }
        }
        told
    }

    /// The maps of a source in whose keys a text stands.
    async fn keyed(
        &self,
        name: &str,
        tables: &[TableDescription],
        query: &str,
        (organization_id, left): (&str, Duration),
        call: &Call,
    ) -> Result<Keyed, CallError> {
        let (source, now) = (self.sources.get(name)?.as_ref(), self.now());
        let wait = left.min(self.options.query_timeout);
        let looks = tables.iter().map(|table| Look { name, source, table, organization_id, wait, call });
        let found =
            join_all(looks.map(|look| async move { (&look.table.name, look.keys_with(query, now).await) })).await;
        let (mut lines, mut unread) = (String::new(), String::new());
        for (table, keys) in found {
            match keys {
                Ok(keys) => {
                    for (column, keys) in keys {
                        let _ = writeln!(lines, "{}.{}: {}", clean(table), clean(&column), written(&keys));
                    }
                }
                Err(error) => unread = format!("Keys of maps were not all looked through: {}.\n", told(error).message),
            }
        }
        let found = match lines.is_empty() {
            true => String::new(),
            false => format!("Keys of maps in the last day, by table and column:\n{}", fenced("text", &lines)),
        };
        Ok(Keyed { found, unread })
    }

    pub(super) async fn tables_of(&self, name: &str) -> Result<Arc<Vec<TableDescription>>, CallError> {
        let source = self.sources.get(name)?;
        let ask = async { source.describe_tables().await.map(Arc::new) };
        Ok(self.described.get(&name.to_owned(), None, ask).await?)
    }

    /// An error about a caller's statement that names the tool which knows the tables, where it would show any.
    pub(super) async fn pointing(&self, catalog: &Catalog, source: &str, call: &Call, error: CallError) -> CallError {
        let about = matches!(error.kind, CallErrorKind::Failed | CallErrorKind::Forbidden);
        let Some(tool) = shown_by(catalog, source, call).filter(|_| about) else { return error };
        if self.tables_of(source).await.is_ok_and(|tables| tables.is_empty()) {
            return error;
        }
        let hint = error.hint.as_deref().map(|hint| format!("{hint}; ")).unwrap_or_default();
        let hint = format!("{hint}`{tool}` shows tables with columns, types and samples");
        error.hint(hint)
    }
}

/// The tool that shows the tables of a source to this caller.
fn shown_by<'c>(catalog: &'c Catalog, source: &str, call: &Call) -> Option<&'c str> {
    let shows = |with: &IndexMap<String, Value>| with.get("source").is_none_or(|fixed| fixed == source);
    call.principal.tool_that(catalog, |action| matches!(action, Action::TablesSearch { with } if shows(with)))
}

/// The table of this name, with or without its schema.
fn one<'t>(source: &str, tables: &'t [TableDescription], name: &str) -> Result<&'t TableDescription, CallError> {
    let (schema, bare_name) = name.rsplit_once('.').map_or((None, name), |(schema, name)| (Some(schema), name));
    let fits = |table: &&TableDescription| {
        let of = |schema: &str| table.schema.as_deref().is_none_or(|known| known.eq_ignore_ascii_case(schema));
        table.name.eq_ignore_ascii_case(name) || table.name.eq_ignore_ascii_case(bare_name) && schema.is_some_and(of)
    };
    tables.iter().find(fits).ok_or_else(|| {
        let near = super::nearest(bare_name, tables.iter().map(|table| table.name.as_str()));
        let near = near.map(|near| format!("did you mean `{}`?", bare(near, 80)));
        let error =
            CallError::invalid(format!("`{}` has no table {} that you may read", bare(source, 80), span(name, 80)));
        error.hint(near.unwrap_or_else(|| "list the tables first".into()))
    })
}

/// The tables of a schema.
fn of_schema(source: &str, tables: &[TableDescription], schema: &str) -> Result<Vec<TableDescription>, CallError> {
    let is_in = |table: &&TableDescription| table.schema.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(schema));
    let found: Vec<TableDescription> = tables.iter().filter(is_in).cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let schemas: BTreeSet<&str> = tables.iter().filter_map(|table| table.schema.as_deref()).collect();
    let error = CallError::invalid(format!(
        "`{}` has no schema {} with tables that you may read",
        bare(source, 80),
        span(schema, 80)
    ));
    Err(error.hint(match schemas.is_empty() {
        true => "this database has no schemas; leave `schema` out".to_owned(),
        false => {
            let schemas: Vec<String> = schemas.into_iter().map(|schema| format!("`{}`", bare(schema, 80))).collect();
            format!("there is {}", schemas.join(", "))
        }
    }))
}

/// The table of this name, else those that have most of the words.
fn search<'t>(tables: &'t [TableDescription], query: &str) -> Vec<&'t TableDescription> {
    let name = query.rsplit_once('.').map_or(query, |(before, name)| if has(tables, name) { name } else { before });
    if let Some(table) = tables.iter().find(|table| table.name.eq_ignore_ascii_case(name)) {
        return vec![table];
    }
    let words = Words::of(query);
    let mut found = words.search(tables.iter().collect(), |table| {
        let columns = table.columns.iter().flat_map(|column| {
            let comment = column.comment.as_deref().map(|comment| (Weight::Prose, comment));
            std::iter::once((Weight::Part, column.name.as_str())).chain(comment)
        });
        let comment = table.comment.as_deref().map(|comment| (Weight::Title, comment));
        std::iter::once((Weight::Name, table.name.as_str())).chain(comment).chain(columns).collect()
    });
    // Where tables have all of the words, those that lack one are no answer, and none of the others hides another.
    let all: Vec<&TableDescription> = tables.iter().filter(|table| has_all(&words, table)).collect();
    if all.is_empty() {
        return found;
    }
    found.retain(|table| words.are_among(texts(table)));
    let is_found = |table: &&TableDescription| found.iter().any(|known| std::ptr::eq(*known, *table));
    let lost: Vec<&TableDescription> = all.into_iter().filter(|table| !is_found(table)).collect();
    found.extend(lost);
    found
}

/// Whether each word is in the name of a table or of one of its columns.
fn has_all(words: &Words, table: &TableDescription) -> bool {
    let columns = table.columns.iter().map(|column| column.name.as_str());
    words.are_among(std::iter::once(table.name.as_str()).chain(columns))
}

/// Whether a table is what a query asks for, and has not just a part of its words.
fn is_asked_for(table: &TableDescription, query: &str) -> bool {
    let name = query.rsplit('.').next().unwrap_or(query);
    query.is_empty() || table.name.eq_ignore_ascii_case(name) || Words::of(query).are_among(texts(table))
}

/// All texts of a table.
fn texts(table: &TableDescription) -> impl Iterator<Item = &str> {
    let columns =
        table.columns.iter().flat_map(|column| std::iter::once(column.name.as_str()).chain(column.comment.as_deref()));
    std::iter::once(table.name.as_str()).chain(table.comment.as_deref()).chain(columns)
}

fn has(tables: &[TableDescription], name: &str) -> bool {
    tables.iter().any(|table| table.name.eq_ignore_ascii_case(name))
}

fn nothing(source: &str, tables: &[TableDescription], query: &str, elsewhere: &str) -> String {
    if tables.is_empty() {
        return format!(
            "The source `{source}` has no table that your statements may read: none has a column `organization_id`, which \
             says whose its rows are."
        );
    }
    let names = tables.iter().map(|table| table.name.as_str());
    let near = super::nearest(query, names.clone());
    let near = near.map(|near| format!("; did you mean `{}`?", bare(near, 80))).unwrap_or_else(|| ".".into());
    let all: Vec<String> = names.take(PAGE).map(clean).collect();
    let more = if tables.len() > PAGE { ", …" } else { "" };
    format!(
        "No table of `{source}` has any word of {} in its name, columns or comments{near}{elsewhere} `{source}` has {}:\n{}",
        span(query, 80),
        tables.len(),
        fenced("text", &format!("{}{more}\n", all.join(", "))),
    )
}

fn no_page(page: usize, pages: usize) -> CallError {
    let hint = match pages {
        1 => "there is one page; leave `page` out".to_owned(),
        _ => format!("there are {pages}, from 1"),
    };
    CallError::invalid(format!("there is no page {page}")).hint(hint)
}

fn listed(found: &[&TableDescription], query: &str, page: usize) -> Result<String, CallError> {
    let pages = found.len().div_ceil(PAGE);
    let first = page.saturating_sub(1).saturating_mul(PAGE);
    if page == 0 || page > pages {
        return Err(no_page(page, pages));
    }
    let words = Words::of(query);
    let mut lines = String::new();
    for table in found.iter().skip(first).take(PAGE) {
        let _ = write!(lines, "{}: {}", clean(&table.name), counted(table.columns.len(), "column"));
        // Those that were looked for, or the first.
        let columns = match query.is_empty() {
            true => Vec::new(),
            false => words.search(table.columns.iter().collect(), |column| {
                let comment = column.comment.as_deref().map(|comment| (Weight::Prose, comment));
                std::iter::once((Weight::Name, column.name.as_str())).chain(comment).collect()
            }),
        };
        let shown: Vec<String> = columns.iter().take(COLUMNS).map(|c| clean(&format!("{} {}", c.name, c.ty))).collect();
        if !shown.is_empty() {
            let more = if columns.len() > COLUMNS { ", …" } else { "" };
            let _ = write!(lines, ": {}{more}", shown.join(", "));
        }
        lines.push_str(&comment(table.comment.as_deref()));
        lines.push('\n');
    }
    let more = match pages {
        1 => String::new(),
        _ => format!(", page {page} of {pages}"),
    };
    let is_whole = || found.iter().any(|table| words.are_among(texts(table)));
    let what = match query.is_empty() {
        true => "tables",
        false if is_whole() => "tables match",
        false => "tables come nearest: none has all of these words",
    };
    Ok(format!(
        "{} {what}{more}. `query` with the name of one shows its columns, types and samples.\n{}",
        found.len(),
        fenced("text", &lines)
    ))
}

fn whole(table: &TableDescription, sampled: &Sampled, rows: Option<usize>) -> String {
    let mut lines = String::new();
    for column in &table.columns {
        let _ = write!(lines, "{} {}", clean(&column.name), clean(&column.ty));
        if let Some(keys) = sampled.keys.get(&column.name).filter(|keys| !keys.is_empty()) {
            let _ = write!(lines, " | keys: {}", written(keys));
        } else if let Some(values) = sampled.values.get(&column.name).filter(|values| !values.is_empty()) {
            // One point in time is as good as another.
            let most = if is_time(&column.ty) { 1 } else { values.len() };
            let _ = write!(lines, " | {}", written(values.get(..most).unwrap_or_default()));
        }
        lines.push_str(&comment(column.comment.as_deref()));
        lines.push('\n');
    }
    for key in &table.keys {
        let _ = writeln!(lines, "{}", head(clean(key), LONGEST_KEY));
    }
    let about = comment(table.comment.as_deref());
    let rows = rows.filter(|rows| *rows > 0).map(|rows| match rows > ROWS_COUNTED {
        true => format!(", over {ROWS_COUNTED} rows of your organisation"),
        false => format!(", {} of your organisation", counted(rows, "row")),
    });
    let mut out = format!(
        "Table `{}`, {}{}; behind `|` samples.",
        bare(&table.name, 80),
        counted(table.columns.len(), "column"),
        rows.unwrap_or_default()
    );
    if let Some(remark) = &sampled.remark {
        let _ = write!(out, " {remark}");
    }
    let about = about.trim_start().to_owned();
    let text = if about.is_empty() { lines } else { format!("{about}\n{lines}") };
    format!("{out}\n{}", fenced("text", &text))
}

fn is_time(ty: &str) -> bool {
    let ty = ty.to_lowercase();
    ty.contains("date") || ty.contains("time")
}

fn written(values: &[String]) -> String {
    let quoted = |value: &String| match value.contains([',', '|', '"']) {
        true => Value::String(clean(value)).to_string(),
        false => clean(value),
    };
    values.iter().map(quoted).collect::<Vec<_>>().join(", ")
}

fn comment(text: Option<&str>) -> String {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| format!(" -- {}", head(clean(text), COMMENT))).unwrap_or_default()
}

/// What to say of samples that could not be read.
pub(super) fn unsampled(error: crate::source::SourceError) -> String {
    let why = match error.kind {
        SourceErrorKind::Timeout => "it took too long".to_owned(),
        _ => told(error).message,
    };
    format!("Samples could not be read: {why}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ColumnDescription;

    fn table(name: &str, comment: &str, columns: &[&str]) -> TableDescription {
        let column = |name: &&str| ColumnDescription { name: (*name).into(), ty: "text".into(), comment: None };
        let columns = columns.iter().map(column).collect();
        TableDescription { name: name.into(), comment: Some(comment.into()), columns, ..Default::default() }
    }

    #[test]
    fn a_name_means_the_table_and_words_those_that_have_them() {
        let tables = [
            table("alert_rules", "Rules", &["id", "severity"]),
            table("alert_instances", "Alerts that fired", &["id", "severity", "labels"]),
            table("users", "", &["email"]),
        ];
        let names = |query: &str| search(&tables, query).iter().map(|table| table.name.clone()).collect::<Vec<_>>();
        assert_eq!(names("users"), ["users"]);
        assert_eq!(names("ALERT_RULES"), ["alert_rules"]);
        assert_eq!(names("public.users"), ["users"]);
        assert_eq!(names("users.email"), ["users"]);
        assert_eq!(names("severity"), ["alert_rules", "alert_instances"]);
        let traces =
            [table("traces", "", &["trace_id"]), table("logs", "", &["trace_id"]), table("users", "", &["id"])];
        let of = |query: &str| search(&traces, query).iter().map(|table| table.name.as_str()).collect::<Vec<_>>();
        assert_eq!((of("trace_id"), of("trace id")), (vec!["traces", "logs"], vec!["traces", "logs"]));
        let named =
            [table("tfo_spans", "", &["n"]), table("logs", "", &["id", "span_kind"]), table("users", "", &["id"])];
        let of = |query: &str| search(&named, query).iter().map(|table| table.name.as_str()).collect::<Vec<_>>();
        assert_eq!(of("span"), ["tfo_spans", "logs"], "a name that matches hides no column that does");
        assert_eq!(of("spans kind"), of("span_kind"));
        assert_eq!(names("fired alerts"), ["alert_instances", "alert_rules"], "what has most of the words comes first");
        assert_eq!(names("").len(), 3);
        assert!(names("zzz").is_empty());
        assert!(nothing("platform", &tables, "user_s", "").contains("did you mean `users`?"));
    }

    #[test]
    fn pages_are_counted_from_one_and_end() {
        let tables: Vec<_> = (0..PAGE + 1).map(|n| table(&format!("t{n}"), "", &["id"])).collect();
        let found: Vec<_> = tables.iter().collect();
        assert!(listed(&found, "", 1).unwrap().contains("41 tables, page 1 of 2"));
        assert!(listed(&found, "", 2).unwrap().contains("t40: 1 column"));
        assert!(listed(&found, "", 3).is_err() && listed(&found, "", 0).is_err());
        let one = listed(&found[..1], "", 2).unwrap_err().hint;
        assert_eq!(one.as_deref(), Some("there is one page; leave `page` out"));
    }
}
