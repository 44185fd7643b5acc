//! SQL templates: minijinja in which every printed value becomes a bound parameter.
//!
//! The environment's formatter sees each value that a template prints, `| safe` included. It writes a placeholder
//! of the dialect and keeps the value in the render's state, so a value cannot become text of the statement. The
//! one exception is `| ident`, whose argument `check` proves to come from a fixed list and which is validated
//! here once more.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use minijinja::{
    Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
    value::{Enumerator, Object, ObjectRepr, ValueKind},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{
    Bind, Dialect, Statement,
    rows::{self, COLUMN, Column},
};

/// Instructions that one rendering may execute; a loop over a caller's list cannot run away.
const FUEL: u64 = 100_000;

/// Variables that the engine sets in every SQL template, beside the declared parameters.
pub const ENGINE_VARIABLES: [&str; 13] = [
    "organization_id",
    "workspace_id",
    "user_id",
    "from",
    "to",
    "prev_from",
    "prev_to",
    "around_from",
    "around_to",
    "now",
    "limit",
    "sample",
    "sample_below",
];

/// The SQL templates of a catalog, compiled once, by dialect and key.
pub struct SqlTemplates {
    environments: [Environment<'static>; 3],
    deferred: DeferredStatements,
}

/// Statements that are compiled when they are first rendered: a server starts before it needs one in a hundred of them.
#[derive(Clone, Default)]
pub struct DeferredStatements([Deferred; 3]);

impl DeferredStatements {
    /// Keeps a template that is known to compile until it is first rendered.
    pub fn add(&self, dialect: Dialect, key: &str, text: &str) {
        let [clickhouse, postgres, sqlite] = &self.0;
        let texts = match dialect {
            Dialect::ClickHouse => clickhouse,
            Dialect::Postgres => postgres,
            Dialect::Sqlite => sqlite,
        };
        texts.write().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), text.to_owned());
    }
}

/// Texts that are compiled when they are first rendered.
pub type Deferred = Arc<RwLock<HashMap<String, String>>>;

/// A rendered statement and what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    pub statement: Statement,
    /// Whether a value made by [`tenant`] was bound.
    pub binds_tenant: bool,
}

/// Why a template cannot be compiled or rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    pub message: String,
    /// Line of the template, from 1, where known.
    pub line: Option<usize>,
    /// Bytes of the template, where known.
    pub range: Option<std::ops::Range<usize>>,
}

impl Default for SqlTemplates {
    fn default() -> Self {
        let deferred = DeferredStatements::default();
        let mut environments = Dialect::ALL.map(environment);
        for (environment, texts) in environments.iter_mut().zip(&deferred.0) {
            load_deferred(environment, texts, str::to_owned);
        }
        Self { environments, deferred }
    }
}

impl SqlTemplates {
    /// Compiles a template under a key that is unique within its dialect.
    pub fn add(&mut self, dialect: Dialect, key: &str, text: &str) -> Result<(), TemplateError> {
        self.environment_mut(dialect).add_template_owned(key.to_owned(), text.to_owned()).map_err(TemplateError::from)
    }

    /// Where statements are kept until they are first rendered.
    pub fn deferred(&self) -> &DeferredStatements {
        &self.deferred
    }

    /// Renders a template that was added under this key.
    pub fn render(&self, dialect: Dialect, key: &str, variables: Value) -> Result<Rendered, TemplateError> {
        let template = self.environment(dialect).get_template(key)?;
        let captured = template.render_captured(variables)?;
        let binds = captured.state().get_extension::<Binds>().cloned().unwrap_or_default();
        let statement = Statement { sql: captured.output().trim().to_owned(), binds: binds.values };
        Ok(Rendered { statement, binds_tenant: binds.tenant })
    }

    fn environment(&self, dialect: Dialect) -> &Environment<'static> {
        let [clickhouse, postgres, sqlite] = &self.environments;
        match dialect {
            Dialect::ClickHouse => clickhouse,
            Dialect::Postgres => postgres,
            Dialect::Sqlite => sqlite,
        }
    }

    fn environment_mut(&mut self, dialect: Dialect) -> &mut Environment<'static> {
        let [clickhouse, postgres, sqlite] = &mut self.environments;
        match dialect {
            Dialect::ClickHouse => clickhouse,
            Dialect::Postgres => postgres,
            Dialect::Sqlite => sqlite,
        }
    }
}

/// Lets an environment compile deferred texts when they are asked for.
pub fn load_deferred(environment: &mut Environment<'static>, texts: &Deferred, compiled: fn(&str) -> String) {
    let texts = texts.clone();
    environment.set_loader(move |key| {
        Ok(texts.read().unwrap_or_else(PoisonError::into_inner).get(key).map(|text| compiled(text)))
    });
}

/// Whether a template prints a variable, as itself or through filters.
pub fn prints(text: &str, variable: &str) -> bool {
    let word = |c: char| c == '_' || c.is_ascii_alphanumeric();
    // By one character, which is found much faster than a text: it is asked of every statement when a server starts.
    text.split('{').skip(1).zip(text.split('{').skip(2)).any(|(between, tag)| {
        between.is_empty()
            && tag
                .trim_start_matches(['-', '+'])
                .trim_start()
                .strip_prefix(variable)
                .is_some_and(|rest| !rest.starts_with(word))
    })
}

/// Whether a tag of a statement, which may be a condition, has the variable.
pub fn mentions(text: &str, variable: &str) -> bool {
    mentions_any(text, &[variable])
}

/// As [`mentions`], one of several.
pub fn mentions_any(text: &str, variables: &[&str]) -> bool {
    let inside = |open: &str, close: &str| {
        text.split(open).skip(1).filter_map(|rest| rest.split(close).next()).any(|tag| {
            tag.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).any(|word| variables.contains(&word))
        })
    };
    inside("{{", "}}") || inside("{%", "%}")
}

/// An environment with the filters of SQL templates and the formatter that binds.
fn environment(dialect: Dialect) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_debug(true);
    env.add_filter("floor", |value: &Value, width: &str| moment_of(value)?.floor(width));
    env.add_filter("minus", |value: &Value, period: &str| moment_of(value)?.shift(period, -1));
    env.add_filter("plus", |value: &Value, period: &str| moment_of(value)?.shift(period, 1));
    env.add_filter("ident", ident);
    env.add_filter(COLUMN, rows::column);
    env.set_formatter(move |out, state, value| write_placeholder(dialect, out, state, value));
    env
}

/// The values that a rendering has bound so far.
#[derive(Debug, Clone, Default)]
struct Binds {
    values: Vec<Bind>,
    tenant: bool,
}

fn write_placeholder(dialect: Dialect, out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if let Some(Identifier(name)) = value.downcast_object_ref() {
        return write(out, format_args!("{name}"));
    }
    let bind = bind_of(value)?;
    let binds = state.get_or_insert_extension_with(Binds::default);
    binds.tenant |= value.downcast_object_ref::<Identity>().is_some_and(|id| id.tenant);
    let ty = (dialect == Dialect::ClickHouse).then(|| {
        let of_rows = value.downcast_object_ref::<Column>();
        match (of_rows, value.downcast_object_ref::<NoItems>()) {
            (Some(Column { items, like }), _) => list_type(items, like),
            (None, Some(NoItems { like })) => list_type(&[], like),
            (None, None) => clickhouse_type(&bind),
        }
    });
    binds.values.push(bind);
    let n = binds.values.len();
    match (dialect, ty) {
        (Dialect::Postgres, _) => write(out, format_args!("${n}")),
        (Dialect::Sqlite, _) => write(out, format_args!("?{n}")),
        (Dialect::ClickHouse, ty) => write(out, format_args!("{{p{n}:{}}}", ty.unwrap_or_default())),
    }
}

fn write(out: &mut Output, text: fmt::Arguments<'_>) -> Result<(), Error> {
    fmt::Write::write_fmt(out, text).map_err(|_| Error::new(ErrorKind::WriteFailure, "the statement cannot be written"))
}

fn clickhouse_type(bind: &Bind) -> String {
    match bind {
        Bind::Null => "Nullable(String)".into(),
        Bind::Bool(_) => "Bool".into(),
        Bind::Integer(_) => "Int64".into(),
        Bind::Float(_) => "Float64".into(),
        Bind::Text(_) | Bind::Uuid(_) => "String".into(),
        Bind::Timestamp(_) => "DateTime64(9, 'UTC')".into(),
        Bind::List(items) => {
            let said = items.iter().find(|item| **item != Bind::Null);
            list_type(items, said.unwrap_or(&Bind::Text(String::new())))
        }
    }
}

/// The type of a list whose items are NULL or like this one.
fn list_type(items: &[Bind], like: &Bind) -> String {
    let said = clickhouse_type(like);
    match items.contains(&Bind::Null) {
        true => format!("Array(Nullable({said}))"),
        false => format!("Array({said})"),
    }
}

fn bind_of(value: &Value) -> Result<Bind, Error> {
    if let Some(Moment(at)) = value.downcast_object_ref() {
        return Ok(Bind::Timestamp(*at));
    }
    if let Some(id) = value.downcast_object_ref::<Identity>() {
        return Ok(Uuid::parse_str(&id.text).map_or_else(|_| Bind::Text(id.text.clone()), Bind::Uuid));
    }
    if let Some(column) = value.downcast_object_ref::<Column>() {
        return Ok(Bind::List(column.items.clone()));
    }
    Ok(match value.kind() {
        ValueKind::None => Bind::Null,
        ValueKind::Bool => Bind::Bool(value.is_true()),
        ValueKind::Number if value.is_integer() => Bind::Integer(i64::try_from(value.clone())?),
        ValueKind::Number => Bind::Float(f64::try_from(value.clone())?),
        ValueKind::String => Bind::Text(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Seq => Bind::List(value.try_iter()?.map(|item| bind_of(&item)).collect::<Result<_, _>>()?),
        // An object is its JSON: databases read that, and a statement needs one place for all that callers leave out.
        ValueKind::Map => Bind::Text(serde_json::to_string(value).map_err(|error| {
            Error::new(ErrorKind::BadSerialization, format!("an object cannot be written as JSON: {error}"))
        })?),
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        kind => return Err(Error::new(ErrorKind::InvalidOperation, format!("a value of type {kind} cannot be bound"))),
    })
}

/// A time as a template variable: prints as RFC 3339, binds as a timestamp, takes `floor`, `minus` and `plus`.
pub fn moment(at: OffsetDateTime) -> Value {
    Value::from_object(Moment(at))
}

/// The organisation of a call as a template variable; a statement that prints it is bound to the tenant.
pub fn tenant(id: &str) -> Value {
    Value::from_object(Identity { text: id.to_owned(), tenant: true })
}

/// Another identifier (workspace, user, a `uuid` parameter): binds as UUID where the dialect has one.
pub fn identity(id: &str) -> Value {
    Value::from_object(Identity { text: id.to_owned(), tenant: false })
}

/// A list without items, which would be like this one: no item says of what type it is.
pub fn no_items(like: Bind) -> Value {
    Value::from_object(NoItems { like })
}

#[derive(Debug)]
struct NoItems {
    like: Bind,
}

impl Object for NoItems {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(0)
    }
}

#[derive(Debug)]
struct Moment(OffsetDateTime);

impl Moment {
    fn floor(&self, width: &str) -> Result<Value, Error> {
        let width = nanos(width)?;
        let at = self.0.unix_timestamp_nanos();
        from_nanos(at - at.rem_euclid(width))
    }

    fn shift(&self, period: &str, sign: i128) -> Result<Value, Error> {
        from_nanos(self.0.unix_timestamp_nanos() + sign * nanos(period)?)
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

#[derive(Debug)]
struct Identity {
    text: String,
    tenant: bool,
}

impl Object for Identity {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A name that may stand in a statement as it is.
#[derive(Debug)]
struct Identifier(String);

impl Object for Identifier {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// `| ident`: a plain identifier of all three dialects. Quoting is not offered: a list of choices has no need of it.
fn ident(value: &Value) -> Result<Value, Error> {
    let name = value.as_str().unwrap_or_default();
    let plain =
        name.bytes().enumerate().all(|(i, b)| b == b'_' || b.is_ascii_alphabetic() || (i > 0 && b.is_ascii_digit()));
    if name.is_empty() || !plain {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("{value:?} is not a plain identifier: letters, digits and `_`, not starting with a digit"),
        ));
    }
    Ok(Value::from_object(Identifier(name.to_owned())))
}

fn moment_of(value: &Value) -> Result<&Moment, Error> {
    value.downcast_object_ref::<Moment>().ok_or_else(|| {
        Error::new(ErrorKind::InvalidOperation, "`floor`, `minus` and `plus` take a time, such as `from` or `to`")
    })
}

/// `5m`, `1h`, `1d`: the units of a definition's durations, in nanoseconds.
fn nanos(text: &str) -> Result<i128, Error> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let factor: i128 = match text.get(digits..) {
        Some("ms") => 1_000_000,
        Some("s") => 1_000_000_000,
        Some("m") => 60_000_000_000,
        Some("h") => 3_600_000_000_000,
        Some("d") => 86_400_000_000_000,
        _ => 0,
    };
    let number: i128 = text.get(..digits).and_then(|d| d.parse().ok()).unwrap_or(0);
    match number.checked_mul(factor) {
        Some(nanos) if nanos > 0 => Ok(nanos),
        _ => Err(Error::new(ErrorKind::InvalidOperation, format!("`{text}` is not a duration, such as `5m` or `1h`"))),
    }
}

fn from_nanos(nanos: i128) -> Result<Value, Error> {
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .map(moment)
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "the time is out of range"))
}

impl From<Error> for TemplateError {
    fn from(error: Error) -> Self {
        let detail = error.detail().map(str::to_owned);
        let message = match (error.kind(), detail) {
            (kind, Some(detail)) => format!("{kind}: {detail}"),
            (kind, None) => kind.to_string(),
        };
        Self { message, line: error.line(), range: error.range() }
    }
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn render(dialect: Dialect, text: &str, variables: Value) -> Result<Rendered, TemplateError> {
        let mut templates = SqlTemplates::default();
        templates.add(dialect, "q", text)?;
        templates.render(dialect, "q", variables)
    }

    fn at(text: &str) -> OffsetDateTime {
        OffsetDateTime::parse(text, &Rfc3339).unwrap()
    }

    #[test]
    fn every_printed_value_is_bound_and_never_text() {
        let hostile = "'; DROP TABLE traces; --";
        for (dialect, expected) in [
            (Dialect::ClickHouse, "SELECT {p1:String} AS a, {p2:Int64} AS b"),
            (Dialect::Postgres, "SELECT $1 AS a, $2 AS b"),
            (Dialect::Sqlite, "SELECT ?1 AS a, ?2 AS b"),
        ] {
            for text in ["SELECT {{ a }} AS a, {{ b }} AS b", "SELECT {{ a | safe }} AS a, {{ b }} AS b"] {
                let rendered = render(dialect, text, context! { a => hostile, b => 7 }).unwrap();
                assert_eq!(rendered.statement.sql, expected);
                assert_eq!(rendered.statement.binds, [Bind::Text(hostile.into()), Bind::Integer(7)]);
                assert!(!rendered.binds_tenant);
            }
        }
    }

    #[test]
    fn blocks_shape_the_statement_and_lists_bind_item_by_item() {
        let text = "SELECT 1{% if service %} AND service = {{ service }}{% endif %}\
                    {% for level in levels %} OR level = {{ level }}{% endfor %}";
        let rendered =
            render(Dialect::Postgres, text, context! { service => Value::from(()), levels => ["a", "b"] }).unwrap();
        assert_eq!(rendered.statement.sql, "SELECT 1 OR level = $1 OR level = $2");
        let list = render(Dialect::ClickHouse, "SELECT {{ levels }} AS x", context! { levels => ["a"] }).unwrap();
        assert_eq!(list.statement.sql, "SELECT {p1:Array(String)} AS x");
    }

    #[test]
    fn times_bind_typed_and_take_arithmetic() {
        let from = moment(at("2026-11-20T10:07:30.5Z"));
        let rendered = render(
            Dialect::ClickHouse,
            "{{ from }} {{ from | floor('1h') }} {{ from | minus('5m') }} {{ from | plus('30s') }}",
            context! { from },
        )
        .unwrap();
        let expected =
            ["2026-11-20T10:07:30.5Z", "2026-11-20T10:00:00Z", "2026-11-20T10:02:30.5Z", "2026-11-20T10:08:00.5Z"];
        assert_eq!(rendered.statement.binds, expected.map(|text| Bind::Timestamp(at(text))));
        assert!(rendered.statement.sql.starts_with("{p1:DateTime64(9, 'UTC')} {p2:"));
    }

    #[test]
    fn the_tenant_is_seen_when_bound_and_only_then() {
        let id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
        let bound =
            render(Dialect::Postgres, "{{ organization_id }}", context! { organization_id => tenant(id) }).unwrap();
        assert!(bound.binds_tenant);
        assert_eq!(bound.statement.binds, [Bind::Uuid(Uuid::parse_str(id).unwrap())]);
        let text = "{% if organization_id %}1{% endif %}{{ user }}";
        let unbound =
            render(Dialect::Postgres, text, context! { organization_id => tenant("o"), user => identity("u") })
                .unwrap();
        assert!(!unbound.binds_tenant);
        assert_eq!(unbound.statement.binds, [Bind::Text("u".into())]);
    }

    #[test]
    fn identifiers_are_spliced_only_when_plain() {
        assert_eq!(
            render(Dialect::Sqlite, "{{ c | ident }}", context! { c => "p95_ms" }).unwrap().statement.sql,
            "p95_ms"
        );
        for bad in ["", "a b", "a;b", "1a", "a\"b", "a.b", "é"] {
            assert!(render(Dialect::Sqlite, "{{ c | ident }}", context! { c => bad }).is_err(), "{bad}");
        }
    }

    #[test]
    fn undefined_names_and_runaway_loops_are_errors() {
        assert!(render(Dialect::Sqlite, "{{ nope }}", context! {}).is_err());
        assert!(
            render(
                Dialect::Sqlite,
                "{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}",
                context! {}
            )
            .is_err()
        );
        assert_eq!(render(Dialect::Sqlite, "a\n{% if %}", context! {}).unwrap_err().line, Some(2));
    }
}
