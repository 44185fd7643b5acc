//! `http.request`: a request of a definition to the host, and the JSON of its answer as rows.
//!
//! What a service says is a stranger's text, as what a database says is: rows go the way of rows, and what is said of a failure
//! is one bounded line.

use std::time::{Duration, Instant};

use indexmap::IndexMap;
use serde_json::{Map, Number, Value};
use time::OffsetDateTime;

use super::{CallError, CallErrorKind, Cap, Engine, Produced, intake, query::answered, window::stamp};
use crate::{
    catalog::{CompiledRequest, RequestJson, RequestValue, Text},
    definition::{CellPointer, HttpColumn, HttpMethod, HttpReading, RowsPointer},
    host::http::{Answered, Asked, Body, HttpError, HttpErrorKind, Method},
    source::{Column, ColumnType, Limits, Rows, Truncation, text::weight},
    template::message,
};

/// Longest text of a service in an error, in characters.
const SAID: usize = 600;

/// Most remarks of a service that are told.
const NOTES: usize = 10;

/// Most columns of rows whose definition names none.
const COLUMNS: usize = 60;

impl Engine {
    /// Asks a service and answers with its rows. `print` renders a text of the definition.
    pub(super) async fn run_request(
        &self,
        request: &CompiledRequest,
        print: impl Fn(&Text) -> Result<String, CallError>,
        variables: &Map<String, Value>,
        left: Duration,
    ) -> Result<Produced, CallError> {
        let asked = asked(request, print, variables)?;
        let sent = Instant::now();
        let answer = self.options.services.ask(&request.service, &asked, left).await?;
        let document = document(&request.service, answer)?;
        let max_rows = (request.output.max_rows as usize).min(self.options.max_rows);
        let limits = Limits { timeout: left, max_rows, max_bytes: self.options.max_bytes };
        let rows = rows_of(request, &document, limits)?;
        let by = if max_rows < self.options.max_rows { Cap::Tool } else { Cap::Rows };
        let rows = intake::rows(Rows { elapsed: sent.elapsed(), ..rows }, limits);
        let notes = said_beside(request, &document);
        Ok(Produced {
            notes,
            ..answered(rows, request.output.format, limits, by, None, "The service answered no rows.")
        })
    }
}

fn asked(
    request: &CompiledRequest,
    print: impl Fn(&Text) -> Result<String, CallError>,
    variables: &Map<String, Value>,
) -> Result<Asked, CallError> {
    let values = |values: &[(String, RequestValue)]| {
        let mut pairs = Vec::new();
        for (name, value) in values {
            match value {
                RequestValue::One(text) => {
                    pairs.extend(Some(print(text)?).filter(|text| !text.is_empty()).map(|text| (name.clone(), text)));
                }
                RequestValue::Each(text) => {
                    let texts: Option<Vec<String>> = serde_json::from_str(&print(text)?).map_err(|error| {
                        CallError::definition(format!("`{name}` of its request is no list of texts: {error}"))
                    })?;
                    pairs.extend(texts.into_iter().flatten().map(|text| (name.clone(), text)));
                }
            }
        }
        Ok::<_, CallError>(pairs)
    };
    let headers = request.headers.iter().map(|(name, text)| Ok((name.clone(), print(text)?)));
    let body = match (&request.json, &request.form) {
        (Some(json), _) => Some(Body::Json(filled(json, &print, variables)?.unwrap_or_default().to_string())),
        (None, Some(form)) => Some(Body::Form(values(form)?)),
        (None, None) => None,
    };
    Ok(Asked {
        method: match request.method {
            HttpMethod::Get => Method::Get,
            HttpMethod::Post => Method::Post,
            HttpMethod::Put => Method::Put,
            HttpMethod::Patch => Method::Patch,
            HttpMethod::Delete => Method::Delete,
        },
        path: request.path.iter().map(&print).collect::<Result<_, _>>()?,
        query: values(&request.query)?,
        headers: headers
            .collect::<Result<Vec<_>, CallError>>()?
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect(),
        body,
    })
}

/// A body with its values; none in the place of a parameter that is not given.
fn filled(
    json: &RequestJson,
    print: &impl Fn(&Text) -> Result<String, CallError>,
    variables: &Map<String, Value>,
) -> Result<Option<Value>, CallError> {
    Ok(Some(match json {
        RequestJson::Value(value) => value.clone(),
        RequestJson::Text(text) => Value::String(print(text)?),
        RequestJson::Parameter(name) => {
            return Ok(variables.get(name).filter(|value| !value.is_null()).cloned());
        }
        RequestJson::List(items) => {
            let items: Vec<Option<Value>> =
                items.iter().map(|item| filled(item, print, variables)).collect::<Result<_, _>>()?;
            Value::Array(items.into_iter().flatten().collect())
        }
        RequestJson::Object(members) => {
            let mut object = Map::new();
            for (name, item) in members {
                if let Some(value) = filled(item, print, variables)? {
                    object.insert(name.clone(), value);
                }
            }
            Value::Object(object)
        }
    }))
}

/// The JSON of an answer, or what it says of a failure.
fn document(service: &str, answer: Answered) -> Result<Value, CallError> {
    if !answer.is_success() {
        let (kind, hint) = match answer.status {
            400 | 422 => (CallErrorKind::InvalidArguments, "read what it says and change the arguments".to_owned()),
            401 | 403 => {
                let hint = format!("the operator gives this server other credentials in `http.services.{service}`");
                (CallErrorKind::Forbidden, hint)
            }
            404 => (CallErrorKind::Failed, "what was named may not exist there".to_owned()),
            429 | 500.. => (CallErrorKind::Unavailable, "try again later, or ask for less".to_owned()),
            _ => (CallErrorKind::Failed, format!("the operator looks at `http.services.{service}`")),
        };
        let status = format!("{} {}", answer.status, answer.reason);
        let text = match intake::said(&answer.text) {
            text if text.is_empty() => format!("`{service}` answered {}", status.trim()),
            text => format!("`{service}` answered {}: {text}", status.trim()),
        };
        return Err(CallError::new(kind, text).hint(hint));
    }
    let no_json = |why: String| {
        CallError::new(CallErrorKind::Failed, format!("`{service}` answered no JSON: {why}")).hint(format!(
            "the operator looks whether `http.services.{service}.url` is the address of its API, and not of its pages"
        ))
    };
    match answer.document {
        Some(document) => document.map_err(no_json),
        None => {
            let media_type = if answer.media_type.is_empty() { "no media type" } else { answer.media_type.as_str() };
            Err(no_json(format!("its answer has {}", intake::said(media_type))))
        }
    }
}

/// A value, and what it stands in from the outside in, each with the key below which it stands there.
#[derive(Clone)]
struct Found<'v> {
    value: &'v Value,
    /// The key of the value, and of what holds it.
    key: Option<String>,
    above: Option<Box<Found<'v>>>,
}

fn rows_of(request: &CompiledRequest, document: &Value, limits: Limits) -> Result<Rows, CallError> {
    let fits = |(pointer, text): (&String, &String)| document.pointer(pointer).and_then(Value::as_str) == Some(text);
    let shape = request.shapes.iter().find(|shape| shape.when.iter().all(fits));
    let (pointer, columns) = shape.map_or((&request.rows, &request.columns), |shape| (&shape.rows, &shape.columns));
    let mut found = Vec::new();
    // One more proves that there are more.
    let most = limits.max_rows + 1;
    find(Found { value: document, key: None, above: None }, pointer.tokens(), most, &mut found)
        .map_err(|why| missing(&request.service, pointer, &why))?;
    let truncated = (found.len() > limits.max_rows).then_some(Truncation::Rows);
    found.truncate(limits.max_rows);
    let own = columns.is_empty().then(|| members(&found));
    let columns = own.as_ref().unwrap_or(columns);
    let (mut rows, mut bytes, mut cut) = (Vec::new(), 0, truncated);
    for one in &found {
        let row: Vec<Value> = columns.values().map(|column| cell(one, column)).collect();
        bytes += row.iter().map(|value| weight(value) + 1).sum::<usize>();
        if bytes > limits.max_bytes {
            cut = Some(Truncation::Bytes);
            break;
        }
        rows.push(row);
    }
    let typed = columns.iter().enumerate().map(|(n, (name, column))| Column {
        name: name.clone(),
        ty: match column.reading() {
            Some(HttpReading::UnixSeconds) => ColumnType::Timestamp,
            None => ColumnType::seen(rows.iter().filter_map(|row| row.get(n))).unwrap_or(ColumnType::Text),
        },
    });
    Ok(Rows { columns: typed.collect(), rows, truncated: cut, ..Rows::default() })
}

/// What a service says beside the rows, in its name.
fn said_beside(request: &CompiledRequest, document: &Value) -> Vec<String> {
    let found = request.notes.iter().filter_map(|pointer| document.pointer(&pointer.to_string()));
    let texts = found.flat_map(|value| match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    });
    let texts = texts.filter_map(Value::as_str).filter(|text| !text.is_empty()).take(NOTES);
    texts.map(|text| format!("`{}` says: {}", request.service, intake::said(text))).collect()
}

fn missing(service: &str, pointer: &RowsPointer, why: &str) -> CallError {
    CallError::new(CallErrorKind::Failed, format!("the answer of `{service}` has no rows at `{pointer}`: {why}"))
        .hint("the service may be of another version than the definition expects; report it to the operator")
}

/// The rows below a value.
fn find<'v>(at: Found<'v>, tokens: &[String], most: usize, found: &mut Vec<Found<'v>>) -> Result<(), String> {
    if found.len() >= most {
        return Ok(());
    }
    let value = at.value;
    let below = |value: &'v Value, key: String| Found { value, key: Some(key), above: Some(Box::new(at.clone())) };
    match (tokens.split_first(), value) {
        (None, Value::Array(items)) => {
            let room = most.saturating_sub(found.len());
            found.extend(items.iter().enumerate().take(room).map(|(n, item)| below(item, n.to_string())));
            Ok(())
        }
        (None, Value::Null) => Err("there is nothing".to_owned()),
        (None, _) => {
            found.push(at);
            Ok(())
        }
        (Some((token, [])), Value::Array(_)) if token == "*" => find(at, &[], most, found),
        (Some((token, rest)), Value::Array(items)) if token == "*" => {
            items.iter().enumerate().try_for_each(|(n, item)| find(below(item, n.to_string()), rest, most, found))
        }
        (Some((token, rest)), Value::Object(members)) if token == "*" => {
            members.iter().try_for_each(|(key, item)| find(below(item, key.clone()), rest, most, found))
        }
        (Some((token, rest)), _) => {
            let next = match value {
                Value::Object(members) => members.get(token),
                Value::Array(items) => token.parse().ok().and_then(|n: usize| items.get(n)),
                _ => None,
            };
            let next = next.ok_or_else(|| format!("there is no `{}`", message(token, 80)))?;
            find(below(next, token.clone()), rest, most, found)
        }
    }
}

/// Columns of rows whose definition names none: their members, in the order of their first appearance.
fn members(found: &[Found<'_>]) -> IndexMap<String, HttpColumn> {
    let at = |key: &str| HttpColumn::At(CellPointer { below: vec![key.to_owned()], ..CellPointer::default() });
    let mut columns = IndexMap::new();
    for one in found {
        match one.value {
            Value::Object(members) => {
                for key in members.keys().take(COLUMNS) {
                    if columns.len() < COLUMNS && !columns.contains_key(key) {
                        columns.insert(key.clone(), at(key));
                    }
                }
            }
            _ => {
                columns.entry("value".to_owned()).or_insert_with(|| HttpColumn::At(CellPointer::default()));
            }
        }
    }
    columns
}

fn cell(row: &Found<'_>, column: &HttpColumn) -> Value {
    let pointer = column.at();
    let mut at = row;
    for _ in 0..pointer.up {
        match &at.above {
            Some(above) => at = above,
            None => return Value::Null,
        }
    }
    if pointer.key {
        return at.key.clone().map_or(Value::Null, Value::String);
    }
    let mut value = at.value;
    for token in &pointer.below {
        let next = match value {
            Value::Object(members) => members.get(token),
            Value::Array(items) => token.parse().ok().and_then(|n: usize| items.get(n)),
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => return Value::Null,
        }
    }
    match column.reading() {
        Some(HttpReading::UnixSeconds) => unix_seconds(value).unwrap_or_else(|| value.clone()),
        None => exact(value),
    }
}

/// Seconds since 1970 as a time, to the millisecond. What is none stays as it is.
fn unix_seconds(value: &Value) -> Option<Value> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    let milliseconds = (seconds * 1000.0).round();
    if !milliseconds.is_finite() || milliseconds.abs() > 2.5e14 {
        return None;
    }
    let at = OffsetDateTime::from_unix_timestamp_nanos(milliseconds as i128 * 1_000_000).ok()?;
    Some(Value::String(stamp(at)))
}

/// Whole numbers that a double does not hold are their digits, as those of databases are.
fn exact(value: &Value) -> Value {
    const MOST: u64 = (1 << 53) - 1;
    let large = |number: &Number| {
        number.as_u64().is_some_and(|n| n > MOST) || number.as_i64().is_some_and(|n| n.unsigned_abs() > MOST)
    };
    match value {
        Value::Number(number) if large(number) => Value::String(number.to_string()),
        _ => value.clone(),
    }
}

impl From<HttpError> for CallError {
    fn from(error: HttpError) -> Self {
        let kind = match error.kind {
            HttpErrorKind::Invalid => CallErrorKind::InvalidArguments,
            HttpErrorKind::Unavailable => CallErrorKind::Unavailable,
            HttpErrorKind::Forbidden => CallErrorKind::Forbidden,
            HttpErrorKind::Timeout => CallErrorKind::Timeout,
            HttpErrorKind::Failed => CallErrorKind::Failed,
        };
        Self { hint: error.hint, ..Self::new(kind, message(&error.message, SAID)) }
    }
}
