//! Values of SQLite as JSON.
//!
//! SQLite has five kinds of value and no column types; what a column means is what its declaration says. The
//! driver forgets most declarations, so a column is followed to its table and looked up in the catalog.
//! Expressions have no declaration: their values speak for themselves.

use serde_json::Value;
use sqlx::{Column as _, Decode, Sqlite, TypeInfo as _, ValueRef as _, sqlite::SqliteColumn, sqlite::SqliteValueRef};
use time::{PrimitiveDateTime, UtcOffset, macros::format_description};

use super::catalog::Declarations;
use crate::source::{ColumnType, json, text};

/// How values of one column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoder {
    Boolean,
    Timestamp,
    Date,
    Uuid,
    Json,
    /// Digits, with this many after the point where the declaration says so.
    Decimal(Option<usize>),
    /// Declared with one of SQLite's own kinds; the value decides all the same.
    Plain(ColumnType),
}

impl Decoder {
    /// What the declaration of a table's column says.
    pub fn declared(declaration: &str) -> Self {
        let (name, arguments) = declaration.split_once('(').unwrap_or((declaration, ""));
        match name.trim().to_ascii_uppercase().as_str() {
            "BOOLEAN" | "BOOL" => Decoder::Boolean,
            "TIMESTAMP" | "DATETIME" | "TIMESTAMPTZ" => Decoder::Timestamp,
            "DATE" => Decoder::Date,
            "UUID" => Decoder::Uuid,
            "JSON" | "JSONB" => Decoder::Json,
            "DECIMAL" | "NUMERIC" => {
                let scale =
                    arguments.trim_end_matches(')').split_once(',').and_then(|(_, scale)| scale.trim().parse().ok());
                Decoder::Decimal(scale)
            }
            // The rules of https://sqlite.org/datatype3.html#determination_of_column_affinity
            name if name.contains("INT") => Decoder::Plain(ColumnType::Integer),
            name if name.contains("CHAR") || name.contains("CLOB") || name.contains("TEXT") => {
                Decoder::Plain(ColumnType::Text)
            }
            name if name.contains("BLOB") => Decoder::Plain(ColumnType::Binary),
            name if name.contains("REAL") || name.contains("FLOA") || name.contains("DOUB") => {
                Decoder::Plain(ColumnType::Float)
            }
            _ => Decoder::Plain(ColumnType::Other),
        }
    }

    /// The decoder of a result's column.
    pub fn of(column: &SqliteColumn, declarations: &Declarations) -> Self {
        let origin = column.origin();
        let declaration = origin.table_column().and_then(|origin| declarations.of(&origin.table, &origin.name));
        declaration.map_or(Decoder::Plain(ColumnType::Other), Self::declared)
    }

    pub fn column_type(self) -> ColumnType {
        match self {
            Decoder::Boolean => ColumnType::Boolean,
            Decoder::Timestamp => ColumnType::Timestamp,
            Decoder::Date => ColumnType::Date,
            Decoder::Uuid => ColumnType::Uuid,
            Decoder::Json => ColumnType::Object,
            Decoder::Decimal(_) => ColumnType::Decimal,
            Decoder::Plain(ty) => ty,
        }
    }

    /// Reads one value. A value that is not what its column declares, which SQLite allows, is read as what it is.
    pub fn read(self, raw: SqliteValueRef<'_>) -> Value {
        if raw.is_null() {
            return Value::Null;
        }
        let kind = raw.type_info().into_owned();
        // Decoding a value as the kind that it is cannot fail.
        match kind.name() {
            "INTEGER" => self.integer(<i64 as Decode<Sqlite>>::decode(raw).unwrap_or_default()),
            "REAL" => self.real(<f64 as Decode<Sqlite>>::decode(raw).unwrap_or_default()),
            "BLOB" => Value::String(text::binary(bytes(raw))),
            _ => self.text(String::from_utf8_lossy(bytes(raw)).into_owned()),
        }
    }

    fn integer(self, value: i64) -> Value {
        match self {
            Decoder::Boolean if value == 0 || value == 1 => Value::Bool(value == 1),
            Decoder::Decimal(scale) => Value::String(match scale {
                Some(scale) if scale > 0 => format!("{value}.{}", "0".repeat(scale)),
                _ => value.to_string(),
            }),
            // A column that is declared to hold floats keeps whole ones as integers on disk only.
            #[allow(clippy::cast_precision_loss)]
            Decoder::Plain(ColumnType::Float) => text::float(value as f64),
            _ => text::integer(value),
        }
    }

    fn real(self, value: f64) -> Value {
        match self {
            Decoder::Decimal(scale) if value.is_finite() => Value::String(match scale {
                Some(scale) => format!("{value:.scale$}"),
                None => value.to_string(),
            }),
            _ => text::float(value),
        }
    }

    fn text(self, value: String) -> Value {
        match self {
            Decoder::Json => json::read(&value).unwrap_or(Value::String(value)),
            Decoder::Timestamp => Value::String(timestamp(value)),
            Decoder::Uuid => Value::String(uuid::Uuid::parse_str(&value).map_or(value, |uuid| uuid.to_string())),
            _ => Value::String(value),
        }
    }
}

fn bytes(raw: SqliteValueRef<'_>) -> &[u8] {
    <&[u8] as Decode<Sqlite>>::decode(raw).unwrap_or_default()
}

/// The canonical text passes through. Other offsets become canonical; what has no offset (`2026-11-20 10:00:00`), since
/// nobody recorded which clock it was read from, and anything else stays as it is.
fn timestamp(value: String) -> String {
    if is_canonical(value.as_bytes()) {
        return value;
    }
    let Some((clock, zone)) = split_zone(&value) else { return value };
    let Some(clock) = reading(clock) else { return value };
    // Copied into a statement, a time without a zone is compared with the text that is stored.
    let Some(offset) = zone else { return value };
    let moment = clock.assume_offset(offset).to_offset(UtcOffset::UTC);
    text::timestamp(moment.unix_timestamp(), moment.nanosecond())
}

/// What stands before the zone, and the zone, if there is one; none where what stands there is none.
fn split_zone(value: &str) -> Option<(&str, Option<UtcOffset>)> {
    let value = value.trim();
    if let Some(clock) = value.strip_suffix(['Z', 'z']) {
        return Some((clock.trim_end(), Some(UtcOffset::UTC)));
    }
    // The hyphens of the date come first.
    let Some(at) = value.rfind(['+', '-']).filter(|at| *at > 10) else { return Some((value, None)) };
    let (clock, zone) = value.split_at_checked(at)?;
    let digits: Vec<i8> = zone.bytes().filter(u8::is_ascii_digit).filter_map(|b| i8::try_from(b - b'0').ok()).collect();
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = match digits.as_slice() {
        [a, b] => (a * 10 + b, 0),
        [a, b, c, d] => (a * 10 + b, c * 10 + d),
        _ => return None,
    };
    let plain = zone.bytes().skip(1).all(|byte| byte.is_ascii_digit() || byte == b':');
    let offset = UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok().filter(|_| plain)?;
    Some((clock.trim_end(), Some(offset)))
}

/// A date and a time as SQLite's own functions take them; seconds and their fraction may be left out.
fn reading(clock: &str) -> Option<PrimitiveDateTime> {
    let plain = clock.replacen(['T', 't'], " ", 1);
    let with_fraction = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond]");
    let whole = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let minutes = format_description!("[year]-[month]-[day] [hour]:[minute]");
    PrimitiveDateTime::parse(&plain, with_fraction)
        .or_else(|_| PrimitiveDateTime::parse(&plain, whole))
        .or_else(|_| PrimitiveDateTime::parse(&plain, minutes))
        .ok()
}

/// Whether every value of a column of timestamps says its zone.
pub(super) fn all_zoned<'a>(mut values: impl Iterator<Item = &'a Value>) -> bool {
    values.all(|value| value.as_str().is_none_or(|text| text.ends_with('Z')))
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`, with 3, 6 or 9 fraction digits.
fn is_canonical(value: &[u8]) -> bool {
    let shape = |at: usize, expected: u8| value.get(at) == Some(&expected);
    matches!(value.len(), 24 | 27 | 30)
        && shape(4, b'-')
        && shape(7, b'-')
        && shape(10, b'T')
        && shape(13, b':')
        && shape(16, b':')
        && shape(19, b'.')
        && value.last() == Some(&b'Z')
}
