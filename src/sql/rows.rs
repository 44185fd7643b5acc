//! Rows of one section as values of another's statement: `{{ rows.objectives | column('service_name') }}`.
//!
//! A column becomes a list of one type that the statement names, so that it is bound alike whatever the rows hold: an
//! empty list too has a type. The lists of one section have an item a row in one order, so that several of them are a
//! relation. The values are those that the database answered, before anything is cleaned, and can only be bound.

use std::{collections::BTreeMap, fmt, sync::Arc};

use minijinja::{
    Error, ErrorKind, Value,
    value::{Enumerator, Object, ObjectRepr},
};
use serde_json::Value as Json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::Bind;

/// Name of the variable.
pub const ROWS: &str = "rows";

/// Name of the filter.
pub const COLUMN: &str = "column";

/// Most rows of a section that others get.
pub const MOST_ROWS: usize = 5_000;

/// Most bytes of a list, as ClickHouse reads it: a field of a form is refused there beyond 128 KiB.
pub const MOST_BYTES: usize = 100 * 1024;

/// The types of items, as the filter names them.
pub const TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "timestamp", "uuid"];

/// The rows of a section for those that wait for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// What it answered: its columns, and their values row by row.
    Rows(Vec<String>, Vec<Vec<Json>>),
    /// Whatever columns, with one row, for statements that are only looked at, or with none.
    Sample { empty: bool },
}

impl Kept {
    /// The first rows of an answer, as many as others may get.
    pub fn first(columns: Vec<String>, rows: &[Vec<Json>]) -> Self {
        let mut bytes = vec![0; columns.len()];
        let fits = |row: &&Vec<Json>| {
            bytes.iter_mut().zip(*row).for_each(|(sum, value)| *sum += written(value));
            bytes.iter().all(|sum| *sum <= MOST_BYTES)
        };
        let rows = rows.iter().take(MOST_ROWS).take_while(fits).cloned().collect();
        Self::Rows(columns, rows)
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Rows(_, rows) => rows.len(),
            Self::Sample { empty } => usize::from(!empty),
        }
    }

    fn column(&self, name: &str, ty: &str) -> Result<Column, String> {
        let like = like(ty).ok_or_else(|| format!("`{ty}` is not a type of items: {}", TYPES.join(", ")))?;
        let items = match self {
            Self::Sample { empty: true } => Vec::new(),
            Self::Sample { empty: false } => vec![like.clone()],
            Self::Rows(columns, rows) => {
                let at = columns.iter().position(|column| column == name);
                let at = at.ok_or_else(|| format!("the rows have no column `{name}`"))?;
                let item = |row: &Vec<Json>| item(row.get(at).unwrap_or(&Json::Null), &like);
                let items: Option<Vec<Bind>> = rows.iter().map(item).collect();
                items.ok_or_else(|| format!("a value of the column `{name}` is no {ty}"))?
            }
        };
        Ok(Column { items, like })
    }
}

/// Bytes of a value in a list that is sent to ClickHouse, at most.
fn written(value: &Json) -> usize {
    let text = |text: &str| text.len() + text.bytes().filter(|byte| b"\\'\t\n\r\0".contains(byte)).count() + 3;
    match value {
        Json::String(value) => text(value),
        other => other.to_string().len() + 3,
    }
}

/// The variable: the sections that a statement may ask for.
pub fn rows(of: impl IntoIterator<Item = (String, Arc<Kept>)>) -> Value {
    let each = of.into_iter().map(|(name, kept)| (name, Value::from_object(Answer(kept))));
    Value::from_object(Sections(each.collect()))
}

/// The variable of a statement that is only looked at, behind sections of these names.
pub fn sample_rows(of: &[String], empty: bool) -> Option<Value> {
    let kept = Arc::new(Kept::Sample { empty });
    (!of.is_empty()).then(|| rows(of.iter().map(|name| (name.clone(), Arc::clone(&kept)))))
}

#[derive(Debug)]
struct Sections(BTreeMap<String, Value>);

impl Object for Sections {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        // No map, or all of it could be bound at once.
        ObjectRepr::Plain
    }
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?).cloned()
    }
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// One section's rows. The filter is the one way to what they hold.
struct Answer(Arc<Kept>);

/// Errors print what they are about, and these are not printed.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the rows of a section")
    }
}

impl Object for Answer {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// A column of rows: a list with the type of its items.
pub(super) struct Column {
    pub(super) items: Vec<Bind>,
    /// A value of the type.
    pub(super) like: Bind,
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column of the rows of a section")
    }
}

impl Object for Column {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// `| column('name')` and `| column('name', 'number')`.
pub(super) fn column(value: &Value, name: &str, ty: Option<&str>) -> Result<Value, Error> {
    let refused = |message: String| Error::new(ErrorKind::InvalidOperation, message);
    let Some(Answer(kept)) = value.downcast_object_ref() else {
        return Err(refused(format!("`{COLUMN}` takes the rows of a section: `rows.objectives`")));
    };
    kept.column(name, ty.unwrap_or("string")).map(Value::from_object).map_err(refused)
}

/// A value of a type.
fn like(ty: &str) -> Option<Bind> {
    Some(match ty {
        "string" => Bind::Text("x".to_owned()),
        "integer" => Bind::Integer(1),
        "number" => Bind::Float(1.5),
        "boolean" => Bind::Bool(true),
        "timestamp" => Bind::Timestamp(OffsetDateTime::UNIX_EPOCH),
        "uuid" => Bind::Uuid(Uuid::nil()),
        _ => return None,
    })
}

/// A value as one of the type of `like`; none where it is not. NULL is of every type.
fn item(value: &Json, like: &Bind) -> Option<Bind> {
    Some(match (like, value) {
        (_, Json::Null) => Bind::Null,
        (Bind::Text(_), Json::String(text)) => Bind::Text(text.clone()),
        (Bind::Text(_), Json::Number(_) | Json::Bool(_)) => Bind::Text(value.to_string()),
        (Bind::Integer(_), Json::String(digits)) => Bind::Integer(digits.parse().ok()?),
        (Bind::Integer(_), Json::Number(number)) => Bind::Integer(number.as_i64()?),
        // Decimals are answered as digits.
        (Bind::Float(_), Json::String(digits)) => Bind::Float(digits.parse().ok()?),
        (Bind::Float(_), Json::Number(number)) => Bind::Float(number.as_f64()?),
        (Bind::Bool(_), Json::Bool(flag)) => Bind::Bool(*flag),
        // SQLite has no booleans.
        (Bind::Bool(_), Json::Number(number)) => Bind::Bool(number.as_i64()? != 0),
        (Bind::Timestamp(_), Json::String(text)) => Bind::Timestamp(OffsetDateTime::parse(text, &Rfc3339).ok()?),
        (Bind::Uuid(_), Json::String(text)) => Bind::Uuid(Uuid::parse_str(text).ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use minijinja::context;
    use serde_json::json;

    use super::*;
    use crate::sql::{
        Dialect,
        template::{Rendered, SqlTemplates, TemplateError},
    };

    fn render(dialect: Dialect, text: &str, kept: Kept) -> Result<Rendered, TemplateError> {
        let mut templates = SqlTemplates::default();
        templates.add(dialect, "q", text)?;
        templates.render(dialect, "q", context! { rows => rows([("objectives".to_owned(), Arc::new(kept))]) })
    }

    fn objectives(rows: Vec<Vec<Json>>) -> Kept {
        Kept::Rows(["name", "target", "at", "id"].map(str::to_owned).to_vec(), rows)
    }

    const ID: &str = "00000000-0000-4000-8000-000000000007";

    #[test]
    fn columns_are_lists_of_the_type_that_the_statement_names() {
        let text = "{{ rows.objectives | column('name') }} {{ rows.objectives | column('target', 'number') }} \
                    {{ rows.objectives | column('at', 'timestamp') }} {{ rows.objectives | column('id', 'uuid') }}";
        let rows = vec![
            vec![json!("a\u{200b}'b"), json!("99.90"), json!("2026-11-20T10:00:00.000Z"), json!(ID)],
            vec![json!(null), json!(99), json!(null), json!(null)],
        ];
        let list = render(Dialect::ClickHouse, text, objectives(rows)).unwrap().statement;
        assert_eq!(
            list.sql,
            "{p1:Array(Nullable(String))} {p2:Array(Float64)} {p3:Array(Nullable(DateTime64(9, 'UTC')))} \
             {p4:Array(Nullable(String))}"
        );
        assert_eq!(list.binds[0], Bind::List(vec![Bind::Text("a\u{200b}'b".into()), Bind::Null]));
        assert_eq!(list.binds[1], Bind::List(vec![Bind::Float(99.9), Bind::Float(99.0)]));
        let empty = render(Dialect::ClickHouse, text, objectives(Vec::new())).unwrap().statement;
        assert!(empty.sql.starts_with("{p1:Array(String)} {p2:Array(Float64)} {p3:Array(DateTime64"), "{}", empty.sql);
        let sample = render(Dialect::Postgres, text, Kept::Sample { empty: false }).unwrap().statement;
        assert_eq!((sample.sql.as_str(), sample.binds.len()), ("$1 $2 $3 $4", 4));
    }

    #[test]
    fn rows_can_be_bound_and_nothing_else() {
        let kept = || objectives(vec![vec![json!("secret"), json!("x"), json!(null), json!(null)]]);
        for (text, said) in [
            ("{{ rows }}", "cannot be bound"),
            ("{{ rows.objectives }}", "cannot be bound"),
            ("{{ rows.objectives.name }}", "undefined"),
            ("{{ rows.objectives[0] }}", "undefined"),
            ("{% for row in rows.objectives %}{{ row }}{% endfor %}", "not iterable"),
            ("{% for row in rows.objectives | column('name') %}{{ row }}{% endfor %}", "not iterable"),
            ("{{ rows.objectives | column('name') | ident }}", "not a plain identifier"),
            ("{{ rows.others | column('name') }}", "takes the rows of a section"),
            ("{{ rows.objectives | column('nam') }}", "no column `nam`"),
            ("{{ rows.objectives | column('target', 'number') }}", "a value of the column `target` is no number"),
            ("{{ rows.objectives | column('target', 'money') }}", "not a type"),
            ("{{ 'x' | column('name') }}", "takes the rows of a section"),
        ] {
            let error = render(Dialect::Sqlite, text, kept()).unwrap_err();
            assert!(error.message.contains(said), "{text}: {}", error.message);
            assert!(!error.message.contains("secret"), "{text}: {}", error.message);
        }
    }

    #[test]
    fn no_more_rows_are_handed_on_than_a_form_takes() {
        let columns = || vec!["a".to_owned()];
        let few = vec![vec![json!("x")]; 3];
        assert_eq!(Kept::first(columns(), &few).count(), 3);
        assert_eq!(Kept::first(columns(), &vec![vec![json!(1)]; 6_000]).count(), MOST_ROWS);
        let long = vec![vec![json!("'".repeat(500))]; 1_000];
        assert_eq!(Kept::first(columns(), &long).count(), MOST_BYTES / 1_003);
    }
}
