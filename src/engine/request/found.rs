//! The rows in the JSON of an answer: where they are, what stands above them, and the cells of their columns.
//!
//! Rows borrow what they show and share what stands above them: a service decides how deep and how long its keys are. What a
//! row takes is counted before it is copied.

use std::rc::Rc;

use indexmap::IndexMap;
use serde_json::{Number, Value};
use time::OffsetDateTime;

use crate::{
    catalog::CompiledRequest,
    definition::{CellPointer, HttpColumn, HttpReading, RowsPointer},
    engine::window::stamp,
    source::{Column, ColumnType, Limits, Rows, Truncation, text::weight},
    template::message,
};

/// Most columns of rows whose definition names none.
const COLUMNS: usize = 60;

/// Rows, and what of the answer they do not show.
pub(super) struct Read {
    pub rows: Rows,
    /// Members that have no column because there are too many.
    pub left_out: usize,
    /// Rows that have nothing of what the definition names.
    pub foreign: usize,
    /// How many elements have nothing where others have rows, and what one lacks.
    pub without: Option<(usize, String)>,
}

/// What is found on the way.
#[derive(Default)]
struct Gathered<'v> {
    rows: Vec<Found<'v>>,
    without: Option<(usize, String)>,
}

/// A value, and what it stands in from the outside in, each with the key below which it stands there.
#[derive(Clone)]
struct Found<'v> {
    value: &'v Value,
    /// The key of the value in what holds it.
    key: Key<'v>,
    above: Option<Rc<Found<'v>>>,
}

#[derive(Clone, Copy)]
enum Key<'v> {
    /// It is the whole answer.
    None,
    Name(&'v str),
    Place(usize),
}

/// What a cell shows.
enum Shown<'v> {
    Nothing,
    Key(Key<'v>),
    Value(&'v Value),
}

/// # Errors
/// The pointer that leads to no rows, and why.
pub(super) fn rows<'r>(
    request: &'r CompiledRequest,
    document: &Value,
    limits: Limits,
) -> Result<Read, (&'r RowsPointer, String)> {
    let fits = |(pointer, text): (&String, &String)| document.pointer(pointer).and_then(Value::as_str) == Some(text);
    let shape = request.shapes.iter().find(|shape| shape.when.iter().all(fits));
    let (pointer, columns) = shape.map_or((&request.rows, &request.columns), |shape| (&shape.rows, &shape.columns));
    let mut gathered = Gathered::default();
    // One more proves that there are more.
    let most = limits.max_rows + 1;
    let whole = Found { value: document, key: Key::None, above: None };
    find(whole, pointer.tokens(), most, &mut gathered).map_err(|why| (pointer, why))?;
    let Gathered { rows: mut found, without } = gathered;
    // Nothing of an object tells whether it is a row, where a row is a column.
    let bare = |column: &HttpColumn| column.at() == &CellPointer::default();
    let is_bare = !columns.is_empty() && columns.values().all(bare);
    let in_list = |one: &Found<'_>| one.above.as_ref().is_some_and(|above| above.value.is_array());
    if is_bare && !found.iter().all(in_list) {
        return Err((pointer, "there is no list".to_owned()));
    }
    let kind = found.first().map(|one| std::mem::discriminant(one.value));
    let truncated = (found.len() > limits.max_rows).then_some(Truncation::Rows);
    found.truncate(limits.max_rows);
    let (own, left_out) = if columns.is_empty() { members(&found) } else { (IndexMap::new(), 0) };
    let columns = if columns.is_empty() { &own } else { columns };
    let (mut rows, mut bytes, mut cut, mut foreign) = (Vec::new(), 0, truncated, 0);
    'rows: for one in &found {
        let mut row = Vec::with_capacity(columns.len());
        // What a row is known by is in itself.
        let (mut named, mut there) = (false, false);
        for column in columns.values() {
            let mut places = column.places().map(|at| shown(one, at));
            let shown = places.find(|shown| !matches!(shown, Shown::Nothing)).unwrap_or(Shown::Nothing);
            let of_row = column.at().up == 0 && !column.at().key;
            named |= of_row;
            there |= of_row && matches!(shown, Shown::Value(_));
            bytes += shown.weight() + 1;
            if bytes > limits.max_bytes {
                cut = Some(Truncation::Bytes);
                break 'rows;
            }
            row.push(shown.read(column.reading()));
        }
        let other = is_bare && kind != Some(std::mem::discriminant(one.value));
        foreign += usize::from(named && !there || other);
        rows.push(row);
    }
    if foreign > 0 && foreign == rows.len() {
        return Err((pointer, "what stands there has none of the columns of the definition".to_owned()));
    }
    let typed = columns.iter().enumerate().map(|(n, (name, column))| Column {
        name: name.clone(),
        ty: match column.reading() {
            Some(HttpReading::UnixSeconds) => ColumnType::Timestamp,
            None => ColumnType::seen(rows.iter().filter_map(|row| row.get(n))).unwrap_or(ColumnType::Text),
        },
    });
    let rows = Rows { columns: typed.collect(), rows, truncated: cut, ..Rows::default() };
    Ok(Read { rows, left_out, foreign, without })
}

/// The rows below a value.
fn find<'v>(at: Found<'v>, tokens: &[String], most: usize, found: &mut Gathered<'v>) -> Result<(), String> {
    if found.rows.len() >= most {
        return Ok(());
    }
    let value = at.value;
    let Some((token, rest)) = tokens.split_first() else {
        match value {
            Value::Array(items) => {
                let (room, above) = (most.saturating_sub(found.rows.len()), Rc::new(at));
                let below = |(n, value)| Found { value, key: Key::Place(n), above: Some(above.clone()) };
                found.rows.extend(items.iter().enumerate().take(room).map(below));
            }
            Value::Null => return Err("there is nothing".to_owned()),
            _ => found.rows.push(at),
        }
        return Ok(());
    };
    match value {
        // Its elements are the rows, as they are without the star.
        Value::Array(_) if token == "*" && rest.is_empty() => find(at, rest, most, found),
        Value::Array(items) if token == "*" => {
            let above = Some(Rc::new(at));
            let below = |(n, value)| Found { value, key: Key::Place(n), above: above.clone() };
            each(items.iter().enumerate().map(below), rest, most, found)
        }
        Value::Object(members) if token == "*" => {
            let above = Some(Rc::new(at));
            let below = |(key, value): (&'v String, _)| Found { value, key: Key::Name(key), above: above.clone() };
            each(members.iter().map(below), rest, most, found)
        }
        _ => {
            let next = match value {
                Value::Object(members) => members.get_key_value(token).map(|(key, value)| (Key::Name(key), value)),
                _ => below(value, token).map(|value| (Key::Place(token.parse().unwrap_or_default()), value)),
            };
            let (key, value) = next.ok_or_else(|| format!("there is no `{}`", message(token, 80)))?;
            find(Found { value, key, above: Some(Rc::new(at)) }, rest, most, found)
        }
    }
}

/// The rows below each of several elements. One that has none is told where others have some.
fn each<'v>(
    elements: impl Iterator<Item = Found<'v>>,
    rest: &[String],
    most: usize,
    found: &mut Gathered<'v>,
) -> Result<(), String> {
    let (mut some, mut none) = (false, None::<(usize, String)>);
    for element in elements {
        match find(element, rest, most, found) {
            Ok(()) => some = true,
            Err(why) => none.get_or_insert((0, why)).0 += 1,
        }
    }
    match none {
        Some((_, why)) if !some => Err(why),
        Some((count, why)) => {
            found.without.get_or_insert((0, why)).0 += count;
            Ok(())
        }
        None => Ok(()),
    }
}

/// All that stands where a pointer leads, in which `*` stands for every element.
pub(super) fn standing<'v>(at: &'v Value, tokens: &[String]) -> Vec<&'v Value> {
    let Some((token, rest)) = tokens.split_first() else { return vec![at] };
    match at {
        Value::Array(items) if token == "*" => items.iter().flat_map(|item| standing(item, rest)).collect(),
        Value::Object(members) if token == "*" => members.values().flat_map(|item| standing(item, rest)).collect(),
        _ => below(at, token).map(|at| standing(at, rest)).unwrap_or_default(),
    }
}

/// What a part of a JSON pointer leads to.
fn below<'v>(value: &'v Value, token: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(token),
        Value::Array(items) => token.parse().ok().and_then(|n: usize| items.get(n)),
        _ => None,
    }
}

/// Columns of rows whose definition names none: their members, in the order of their first appearance, and how many more
/// there are.
fn members(found: &[Found<'_>]) -> (IndexMap<String, HttpColumn>, usize) {
    let at = |key: &str| HttpColumn::At(CellPointer { below: vec![key.to_owned()], ..CellPointer::default() });
    let mut columns = IndexMap::new();
    let mut more = std::collections::HashSet::new();
    for one in found {
        match one.value {
            Value::Object(members) => {
                for key in members.keys() {
                    match columns.contains_key(key) {
                        true => {}
                        false if columns.len() < COLUMNS => drop(columns.insert(key.clone(), at(key))),
                        false => drop(more.insert(key.as_str())),
                    }
                }
            }
            _ => {
                columns.entry("value".to_owned()).or_insert_with(|| HttpColumn::At(CellPointer::default()));
            }
        }
    }
    (columns, more.len())
}

fn shown<'v>(row: &Found<'v>, pointer: &CellPointer) -> Shown<'v> {
    let mut at = row;
    for _ in 0..pointer.up {
        match &at.above {
            Some(above) => at = above,
            None => return Shown::Nothing,
        }
    }
    if pointer.key {
        return Shown::Key(at.key);
    }
    pointer.below.iter().try_fold(at.value, |value, token| below(value, token)).map_or(Shown::Nothing, Shown::Value)
}

impl Shown<'_> {
    /// Bytes that it takes, as limits count them.
    fn weight(&self) -> usize {
        match self {
            Self::Nothing | Self::Key(Key::None) => weight(&Value::Null),
            Self::Key(Key::Name(key)) => key.len() + 2,
            Self::Key(Key::Place(_)) => weight(&Value::from(0)),
            Self::Value(value) => weight(value),
        }
    }

    fn read(&self, reading: Option<HttpReading>) -> Value {
        match self {
            Self::Nothing | Self::Key(Key::None) => Value::Null,
            Self::Key(Key::Name(key)) => Value::String((*key).to_owned()),
            Self::Key(Key::Place(n)) => Value::String(n.to_string()),
            Self::Value(value) => match reading {
                Some(HttpReading::UnixSeconds) => unix_seconds(value).unwrap_or_else(|| (*value).clone()),
                None => exact(value),
            },
        }
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
