//! One value against its parameter: read as leniently as its meaning is certain, then held to the declared bounds.

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{
    Spelling, time as written,
    words::{not_a_choice, short, text_of},
};
use crate::{
    catalog::{ANY, Catalog, meant, offers_any},
    definition::{Parameter, ParameterType, ValuesFrom},
    engine::window::stamp,
    template::{counted, trimmed},
};

/// How arguments are read.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    pub spelling: Spelling,
    /// What `now` stands for.
    pub now: OffsetDateTime,
    /// Says where names are listed that are too many for an error.
    pub catalog: &'a Catalog,
}

/// A value as the rest of the engine takes it, and what was made of it where its meaning was not plain.
pub(super) struct Read {
    pub value: Value,
    /// Goes on after the name of the parameter.
    pub note: Option<String>,
}

/// Whether a value stands for an argument that was left out: null, and a text of nothing but blanks where that is no value of
/// its own, which `min_length: 0` says.
pub fn absent(parameter: &Parameter, value: &Value) -> bool {
    let Value::String(text) = value else { return value.is_null() };
    if is_any(parameter, value) {
        return true;
    }
    let free = parameter.ty == ParameterType::String && parameter.choices.is_none();
    let word = trimmed(text);
    let same = |choice: &Value| choice.as_str().is_some_and(|choice| choice.eq_ignore_ascii_case(word));
    let chosen = || parameter.choices.iter().flatten().any(same);
    // A character that is no blank and shows nothing was not written for nothing.
    if word.is_empty() && text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return false;
    }
    match word {
        "" => !(free && parameter.min_length == Some(0) || chosen()),
        // What languages print for nothing.
        "null" | "None" | "undefined" => !free && !chosen(),
        _ => false,
    }
}

/// Whether a value says of a closed list that nothing was chosen, as clients do that must name every parameter.
pub fn is_any(parameter: &Parameter, value: &Value) -> bool {
    value.as_str().is_some_and(|text| trimmed(text).eq_ignore_ascii_case(ANY)) && offers_any(parameter)
}

pub(super) fn read(parameter: &Parameter, value: &Value, reading: &Reading<'_>) -> Result<Read, String> {
    // Only a text of any form may have something at its ends that nobody sees, and mean it.
    let free = parameter.ty == ParameterType::String && parameter.choices.is_none();
    // Nor is what shows nothing and is no blank made into nothing.
    let bare = value.as_str().filter(|_| !free).map(trimmed).filter(|text| !text.is_empty()).map(Value::from);
    let value = bare.as_ref().unwrap_or(value);
    let plain = |value| Ok(Read { value, note: None });
    let Read { value, note } = match parameter.ty {
        ParameterType::String => text(value),
        ParameterType::Integer => plain(integer(value)?),
        ParameterType::Number => plain(number(value)?),
        ParameterType::Boolean => plain(boolean(value)?),
        ParameterType::Array => array(parameter, value, reading),
        ParameterType::Object => object(parameter, value, reading),
        ParameterType::TimeRange => time_range(value),
        ParameterType::Timestamp => timestamp(value, reading.now),
        ParameterType::Uuid => plain(uuid(value)?),
    }?;
    let Read { value, note } = match &parameter.choices {
        Some(choices) => choice(value, choices, parameter, reading)?,
        None => Read { value, note },
    };
    bounds(parameter, &value)?;
    Ok(Read { value, note })
}

/// Whether two values say the same: as they are written, or as they are read.
pub fn same(name: &str, parameter: &Parameter, one: &Value, other: &Value, reading: &Reading<'_>) -> bool {
    let listed = reading.catalog.values_of(name, parameter).is_some();
    let understood = |value: &Value| {
        let read = self::read(parameter, value, reading).ok()?.value;
        Some(if listed { super::seen(name, &read, &mut Vec::new()) } else { read })
    };
    one == other || understood(one).is_some_and(|one| understood(other) == Some(one))
}

fn refused(expected: &str, value: &Value) -> String {
    format!("must be {expected}, not `{}`", short(&text_of(value)))
}

fn text(value: &Value) -> Result<Read, String> {
    match value {
        Value::String(_) => Ok(Read { value: value.clone(), note: None }),
        Value::Bool(flag) => {
            let note = format!("was `{flag}` and is read as a text");
            Ok(Read { value: flag.to_string().into(), note: Some(note) })
        }
        // An identifier of digits, written as a number.
        Value::Number(number) if !number.is_f64() => {
            let note = format!("was a number and is read as the text `{number}`");
            Ok(Read { value: number.to_string().into(), note: Some(note) })
        }
        Value::Number(number) if lost_digits(number) => Err(format!(
            "must be text, and the number that was given has more digits than a JSON number keeps (it came as {number}): \
             write it in quotes"
        )),
        Value::Number(number) => {
            // `1.10` is a version and 1.1 a number: which zeros were written is not known any more.
            let text = number.to_string();
            let note =
                format!("was a number and is read as the text `{text}`; write it in quotes if it ended in zeros");
            Ok(Read { value: text.into(), note: Some(note) })
        }
        _ => Err(refused("text", value)),
    }
}

/// Whether a number may have been written with digits that it has no more: as a float it keeps about fifteen.
pub fn lost_digits(number: &serde_json::Number) -> bool {
    const KEPT: usize = 15;
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else { return false };
    let shown = format!("{float:e}");
    let digits = shown.split('e').next().unwrap_or_default().bytes().filter(u8::is_ascii_digit).count();
    digits > KEPT || float.fract() == 0.0 && float.abs() >= 9_007_199_254_740_992.0
}

/// A text of digits, with sign, fraction or exponent; nothing else that a parser of numbers takes.
fn numeric(value: &Value) -> Option<&str> {
    let text = trimmed(value.as_str()?);
    text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)).then_some(text)
}

fn integer(value: &Value) -> Result<Value, String> {
    let text = numeric(value);
    let whole = value.as_i64().or_else(|| text?.parse().ok());
    if let Some(whole) = whole {
        return Ok(whole.into());
    }
    let float = value.as_f64().or_else(|| text?.parse::<f64>().ok());
    match float {
        // Beyond that not every whole number has a floating-point one.
        Some(float) if float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0 => Ok((float as i64).into()),
        Some(float) if float.fract() != 0.0 => Err(refused("a whole number", value)),
        Some(_) => Err(refused("a whole number of 64 bits", value)),
        None => Err(refused("a whole number", value)),
    }
}

fn number(value: &Value) -> Result<Value, String> {
    if value.is_number() {
        return Ok(value.clone());
    }
    let text = numeric(value);
    if let Some(whole) = text.and_then(|text| text.parse::<i64>().ok()) {
        return Ok(whole.into());
    }
    let float = text.and_then(|text| text.parse::<f64>().ok()).filter(|float| float.is_finite());
    float.map(Value::from).ok_or_else(|| refused("a number", value))
}

fn boolean(value: &Value) -> Result<Value, String> {
    match trimmed(&text_of(value)).to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true.into()),
        "false" | "0" => Ok(false.into()),
        _ => Err(refused("`true` or `false`", value)),
    }
}

fn array(parameter: &Parameter, value: &Value, reading: &Reading<'_>) -> Result<Read, String> {
    let mut is_one = matches!(value, Value::Number(_) | Value::Bool(_) | Value::Object(_));
    let items = match value {
        Value::Array(items) => items.clone(),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Array(items)) => items,
            _ if reading.spelling == Spelling::Text => text.split(',').map(|item| trimmed(item).into()).collect(),
            // Where commas separate nothing, a text with one may be one item or several.
            _ if text.contains(',') => return Err(refused("a list such as `[\"a\", \"b\"]`", value)),
            _ => {
                is_one = true;
                vec![value.clone()]
            }
        },
        Value::Number(_) | Value::Bool(_) => vec![value.clone()],
        Value::Object(_) if parameter.items == Some(ParameterType::Object) => vec![value.clone()],
        Value::Null | Value::Object(_) => return Err(refused("a list", value)),
    };
    let properties = parameter.properties.clone();
    let of = Parameter { properties, ..Parameter::of(parameter.items.unwrap_or(ParameterType::String)) };
    let (mut values, mut notes) = (Vec::with_capacity(items.len()), Vec::new());
    if is_one {
        notes.push("it was one value and is read as a list of it".to_owned());
    }
    for (n, item) in items.iter().enumerate().map(|(n, item)| (n + 1, item)) {
        let read = read(&of, item, reading).map_err(|mistake| format!("item {n} {mistake}"))?;
        notes.extend(read.note.map(|note| format!("item {n} {note}")));
        values.push(read.value);
    }
    Ok(Read { value: values.into(), note: within(&notes) })
}

fn object(parameter: &Parameter, value: &Value, reading: &Reading<'_>) -> Result<Read, String> {
    let expected = "a JSON object, such as `{\"key\": \"value\"}`";
    let object = match value {
        Value::Object(object) => object.clone(),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Object(object)) => object,
            _ => return Err(refused(expected, value)),
        },
        // What languages whose maps are lists write for an empty one.
        Value::Array(items) if items.is_empty() => Map::new(),
        _ => return Err(refused(expected, value)),
    };
    // Properties from the catalog are checked by who reads them: it knows more of them.
    if parameter.properties.is_empty() || parameter.properties_from.is_some() {
        return Ok(Read { value: object.into(), note: None });
    }
    let checked = super::check(&parameter.properties, &object, reading).map_err(|error| {
        let message = error.message.strip_prefix(super::INVALID).unwrap_or(&error.message);
        let unknown = object.keys().any(|name| super::declared(&parameter.properties, name).is_none());
        let known: Vec<String> = parameter.properties.keys().map(|name| format!("`{name}`")).collect();
        let takes = if unknown { format!("; it takes {}", known.join(", ")) } else { String::new() };
        format!("is not right: {message}{takes}")
    })?;
    Ok(Read { value: checked.values.into(), note: within(&checked.notes) })
}

/// What was made of values that lie in another.
fn within(notes: &[String]) -> Option<String> {
    const MOST: usize = 3;
    let more =
        if notes.len() > MOST { format!("; and {}", counted(notes.len() - MOST, "other")) } else { String::new() };
    let said = notes.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join("; ");
    (!notes.is_empty()).then(|| format!("was not taken as it stands: {said}{more}"))
}

fn time_range(value: &Value) -> Result<Read, String> {
    let Value::String(text) = value else { return Err(refused(written::RANGE, value)) };
    let period = written::range(text)?;
    if crate::definition::Period::parse(text).is_ok() {
        return Ok(Read { value: value.clone(), note: None });
    }
    Ok(Read { value: period.to_string().into(), note: Some(format!("`{}` was read as {period}", short(text))) })
}

fn timestamp(value: &Value, now: OffsetDateTime) -> Result<Read, String> {
    if !(value.is_string() || value.is_number()) {
        return Err(refused(written::MOMENT, value));
    }
    let text = text_of(value);
    let moment = written::moment(&text, now)?;
    let at = moment.at.format(&time::format_description::well_known::Rfc3339).map_err(|error| error.to_string())?;
    Ok(Read { value: at.into(), note: moment.note(&text) })
}

impl written::Moment {
    /// What was made of the text, for the caller.
    pub fn note(&self, text: &str) -> Option<String> {
        let how = match self.taken? {
            written::Taken::AsUtc => " (it names no zone)".to_owned(),
            written::Taken::SinceEpoch(unit) => format!(" ({unit} since 1970)"),
            written::Taken::Relative => String::new(),
        };
        Some(format!("`{}` was read as {}{how}", short(text), stamp(self.at)))
    }
}

fn uuid(value: &Value) -> Result<Value, String> {
    let read = value.as_str().and_then(|text| uuid::Uuid::parse_str(trimmed(text)).ok());
    read.map(|id| id.to_string().into()).ok_or_else(|| refused("a UUID", value))
}

/// The allowed value that is meant: in any case, and with any of the marks that join words.
fn choice(value: Value, choices: &[Value], parameter: &Parameter, reading: &Reading<'_>) -> Result<Read, String> {
    if choices.contains(&value) {
        return Ok(Read { value, note: None });
    }
    let place = parameter.values_from.and_then(|from| reading.catalog.place_of(from));
    let refused = || {
        // One that exists, and that no caller asks for by name.
        let collector = (parameter.values_from == Some(ValuesFrom::Contexts)).then(|| {
            let name = reading.catalog.context_name(value.as_str()?)?;
            Some((name, reading.catalog.collector_of(name)?))
        });
        match collector.flatten() {
            Some((name, collector)) => format!("`{name}` is not asked for here: it is collected by {collector}"),
            None => not_a_choice(&value, choices, place),
        }
    };
    let text = value.as_str().ok_or_else(refused)?;
    let meant = meant(text, choices.iter().filter_map(Value::as_str)).ok_or_else(refused)?;
    let note = (!meant.eq_ignore_ascii_case(text)).then(|| format!("`{}` was read as `{meant}`", short(text)));
    Ok(Read { value: meant.into(), note })
}

fn bounds(parameter: &Parameter, value: &Value) -> Result<(), String> {
    if let Some(number) = value.as_f64() {
        if let Some(minimum) = parameter.minimum.filter(|minimum| number < *minimum) {
            return Err(format!("must be at least {minimum}"));
        }
        if let Some(maximum) = parameter.maximum.filter(|maximum| number > *maximum) {
            return Err(format!("must be at most {maximum}"));
        }
    }
    let length = match value {
        Value::String(text) => Some((text.chars().count() as u64, "character")),
        Value::Array(items) => Some((items.len() as u64, "item")),
        _ => None,
    };
    if let Some((length, unit)) = length {
        if let Some(least) = parameter.min_length.filter(|least| length < *least) {
            return Err(format!("must have at least {}", counted(least, unit)));
        }
        if let Some(most) = parameter.max_length.filter(|most| length > *most) {
            return Err(format!("must have at most {}", counted(most, unit)));
        }
    }
    if let (Some(pattern), Value::String(text)) = (&parameter.pattern, value)
        && !pattern.matches(text)
    {
        return Err(format!("must match the pattern `{pattern}`"));
    }
    Ok(())
}
