//! Values of PostgreSQL's binary format as JSON.
//!
//! A [`Decoder`] is chosen once per column from its type, then runs once per value. A column of a type without a
//! decoder is asked for as text ([`super::as_text`]). The formats are those of the `*_send`
//! functions in PostgreSQL's `src/backend/utils/adt`.

use serde_json::{Map, Value};
use sqlx::{
    TypeInfo as _,
    postgres::{PgTypeInfo, PgTypeKind},
};

use super::scalar;
use crate::source::{ColumnType, json, text};

/// How values of one type are read.
#[derive(Debug, Clone)]
pub(super) enum Decoder {
    Bool,
    Int2,
    Int4,
    Int8,
    Unsigned4,
    Unsigned8,
    Float4,
    Float8,
    Numeric,
    Text,
    /// Text behind a version byte.
    Versioned,
    Json,
    Jsonb,
    Timestamp,
    LocalTimestamp,
    Date,
    Time,
    TimeTz,
    Interval,
    Uuid,
    Bytes,
    Bits,
    Network,
    MacAddress,
    Lsn,
    Void,
    Hstore,
    Array(Box<Decoder>),
    Range(Box<Decoder>),
    /// A row type: its fields by name.
    Composite(Vec<(String, Decoder)>),
    /// `ROW(…)`: fields without names, each with the number of its type.
    Record,
}

impl Decoder {
    /// The decoder of a type, if it has one.
    pub fn of(ty: &PgTypeInfo) -> Option<Self> {
        match ty.kind() {
            PgTypeKind::Domain(base) => Self::of(base),
            PgTypeKind::Array(element) => Some(Decoder::Array(Box::new(Self::of(element)?))),
            PgTypeKind::Range(element) => Some(Decoder::Range(Box::new(Self::of(element)?))),
            PgTypeKind::Enum(_) => Some(Decoder::Text),
            PgTypeKind::Composite(fields) => {
                let fields = fields.iter().map(|(name, ty)| Some((name.clone(), Self::of(ty)?)));
                fields.collect::<Option<Vec<_>>>().map(Decoder::Composite)
            }
            PgTypeKind::Simple | PgTypeKind::Pseudo => {
                let number = ty.oid().map_or(0, |oid| oid.0);
                Self::builtin(number).or_else(|| Self::extension(ty.name()))
            }
        }
    }

    /// Types with fixed numbers: PostgreSQL's `pg_type.dat`.
    pub fn builtin(oid: u32) -> Option<Self> {
        Some(match oid {
            16 => Decoder::Bool,
            21 => Decoder::Int2,
            23 => Decoder::Int4,
            20 => Decoder::Int8,
            // oid, xid, cid and the reg* types, which travel as the number of what they name.
            26 | 28 | 29 | 24 | 2202 | 2203 | 2204 | 2205 | 2206 | 3734 | 3769 | 4089 | 4096 | 4191 => {
                Decoder::Unsigned4
            }
            5069 => Decoder::Unsigned8,
            700 => Decoder::Float4,
            701 => Decoder::Float8,
            1700 => Decoder::Numeric,
            // text, varchar, bpchar, name, "char", unknown, cstring, xml, refcursor
            25 | 1043 | 1042 | 19 | 18 | 705 | 2275 | 142 | 1790 => Decoder::Text,
            4072 => Decoder::Versioned,
            114 => Decoder::Json,
            3802 => Decoder::Jsonb,
            1114 => Decoder::LocalTimestamp,
            1184 => Decoder::Timestamp,
            1082 => Decoder::Date,
            1083 => Decoder::Time,
            1266 => Decoder::TimeTz,
            1186 => Decoder::Interval,
            2950 => Decoder::Uuid,
            17 => Decoder::Bytes,
            1560 | 1562 => Decoder::Bits,
            869 | 650 => Decoder::Network,
            829 | 774 => Decoder::MacAddress,
            3220 => Decoder::Lsn,
            2278 => Decoder::Void,
            2249 => Decoder::Record,
            _ => return None,
        })
    }

    /// Types of extensions have no fixed numbers.
    fn extension(name: &str) -> Option<Self> {
        let bare = name.rsplit('.').next().unwrap_or(name).trim_matches('"');
        match bare.to_ascii_lowercase().as_str() {
            "citext" => Some(Decoder::Text),
            "ltree" | "lquery" | "ltxtquery" => Some(Decoder::Versioned),
            "hstore" => Some(Decoder::Hstore),
            _ => None,
        }
    }

    /// The word for the column.
    pub fn column_type(&self) -> ColumnType {
        match self {
            Decoder::Bool => ColumnType::Boolean,
            Decoder::Int2 | Decoder::Int4 | Decoder::Int8 | Decoder::Unsigned4 | Decoder::Unsigned8 => {
                ColumnType::Integer
            }
            Decoder::Float4 | Decoder::Float8 => ColumnType::Float,
            Decoder::Numeric => ColumnType::Decimal,
            Decoder::Text
            | Decoder::Versioned
            | Decoder::Time
            | Decoder::TimeTz
            | Decoder::Interval
            | Decoder::Bits
            | Decoder::Network
            | Decoder::MacAddress
            | Decoder::Lsn
            | Decoder::Range(_) => ColumnType::Text,
            Decoder::Timestamp => ColumnType::Timestamp,
            Decoder::LocalTimestamp => ColumnType::LocalTimestamp,
            Decoder::Date => ColumnType::Date,
            Decoder::Uuid => ColumnType::Uuid,
            Decoder::Bytes => ColumnType::Binary,
            Decoder::Array(_) | Decoder::Record => ColumnType::Array,
            Decoder::Json | Decoder::Jsonb | Decoder::Hstore | Decoder::Composite(_) => ColumnType::Object,
            Decoder::Void => ColumnType::Other,
        }
    }

    /// Reads one value that is not NULL. `None` when the bytes are not of this type.
    pub fn read(&self, bytes: &[u8]) -> Option<Value> {
        Some(match self {
            Decoder::Bool => Value::Bool(*bytes.first()? != 0),
            Decoder::Int2 => Value::Number(i16::from_be_bytes(bytes.try_into().ok()?).into()),
            Decoder::Int4 => Value::Number(i32::from_be_bytes(bytes.try_into().ok()?).into()),
            Decoder::Int8 => text::integer(i64::from_be_bytes(bytes.try_into().ok()?)),
            Decoder::Unsigned4 => Value::Number(u32::from_be_bytes(bytes.try_into().ok()?).into()),
            Decoder::Unsigned8 => text::unsigned(u64::from_be_bytes(bytes.try_into().ok()?)),
            Decoder::Float4 => scalar::float4(f32::from_be_bytes(bytes.try_into().ok()?)),
            Decoder::Float8 => text::float(f64::from_be_bytes(bytes.try_into().ok()?)),
            Decoder::Numeric => Value::String(scalar::numeric(bytes)?),
            Decoder::Text => string(bytes),
            Decoder::Versioned => string(bytes.get(1..)?),
            Decoder::Json => json(bytes),
            Decoder::Jsonb => json(bytes.get(1..)?),
            Decoder::Timestamp => Value::String(scalar::timestamp(i64::from_be_bytes(bytes.try_into().ok()?))),
            Decoder::LocalTimestamp => {
                Value::String(scalar::local_timestamp(i64::from_be_bytes(bytes.try_into().ok()?)))
            }
            Decoder::Date => Value::String(scalar::date(i32::from_be_bytes(bytes.try_into().ok()?))),
            Decoder::Time => Value::String(scalar::time(i64::from_be_bytes(bytes.try_into().ok()?))),
            Decoder::TimeTz => Value::String(scalar::time_with_zone(bytes)?),
            Decoder::Interval => Value::String(scalar::interval(bytes)?),
            Decoder::Uuid => Value::String(uuid::Uuid::from_slice(bytes).ok()?.hyphenated().to_string()),
            Decoder::Bytes => Value::String(text::binary(bytes)),
            Decoder::Bits => Value::String(scalar::bits(bytes)?),
            Decoder::Network => Value::String(scalar::network(bytes)?),
            Decoder::MacAddress => Value::String(scalar::mac_address(bytes)),
            Decoder::Lsn => {
                let position = u64::from_be_bytes(bytes.try_into().ok()?);
                Value::String(format!("{:X}/{:X}", position >> 32, position & 0xffff_ffff))
            }
            Decoder::Void => Value::Null,
            Decoder::Hstore => hstore(bytes)?,
            Decoder::Array(element) => array(element, bytes)?,
            Decoder::Range(element) => Value::String(range(element, bytes)?),
            Decoder::Composite(fields) => composite(fields, bytes)?,
            Decoder::Record => record(bytes)?,
        })
    }
}

/// Text in the session's encoding, which is UTF-8 unless the database keeps bytes as they come (`SQL_ASCII`).
fn string(bytes: &[u8]) -> Value {
    Value::String(String::from_utf8_lossy(bytes).into_owned())
}

/// A document that is nested too deeply to be read stays text.
fn json(bytes: &[u8]) -> Value {
    let document = String::from_utf8_lossy(bytes);
    json::read(&document).unwrap_or_else(|| Value::String(document.into_owned()))
}

/// Takes fixed-width numbers and length-prefixed values off the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn int(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A length and that many bytes; a length of −1 is NULL.
    fn value(&mut self) -> Option<Option<&'a [u8]>> {
        match self.int()? {
            -1 => Some(None),
            length => Some(Some(self.take(usize::try_from(length).ok()?)?)),
        }
    }
}

fn read_or_null(decoder: &Decoder, bytes: Option<&[u8]>) -> Option<Value> {
    bytes.map_or(Some(Value::Null), |bytes| decoder.read(bytes))
}

/// Arrays of several dimensions become arrays of arrays. Where their indexes begin is lost.
fn array(element: &Decoder, bytes: &[u8]) -> Option<Value> {
    fn level(reader: &mut Reader<'_>, element: &Decoder, lengths: &[usize]) -> Option<Value> {
        let (length, inner) = lengths.split_first()?;
        let items = (0..*length).map(|_| match inner {
            [] => read_or_null(element, reader.value()?),
            _ => level(reader, element, inner),
        });
        items.collect::<Option<Vec<_>>>().map(Value::Array)
    }
    let mut reader = Reader(bytes);
    let dimensions = usize::try_from(reader.int()?).ok()?;
    reader.take(8)?;
    let mut lengths = Vec::with_capacity(dimensions);
    for _ in 0..dimensions {
        lengths.push(usize::try_from(reader.int()?).ok()?);
        reader.int()?;
    }
    if lengths.is_empty() {
        return Some(Value::Array(Vec::new()));
    }
    level(&mut reader, element, &lengths)
}

/// A range in PostgreSQL's own notation, such as `[2026-11-20,2026-11-21)`.
fn range(element: &Decoder, bytes: &[u8]) -> Option<String> {
    const EMPTY: u8 = 1;
    const LOWER_INCLUSIVE: u8 = 2;
    const UPPER_INCLUSIVE: u8 = 4;
    const LOWER_INFINITE: u8 = 8;
    const UPPER_INFINITE: u8 = 16;
    let mut reader = Reader(bytes);
    let flags = *reader.take(1)?.first()?;
    if flags & EMPTY != 0 {
        return Some("empty".into());
    }
    let mut bound = |infinite: u8| -> Option<String> {
        if flags & infinite != 0 {
            return Some(String::new());
        }
        Some(match element.read(reader.value()??)? {
            Value::String(text) => text,
            other => other.to_string(),
        })
    };
    let (lower, upper) = (bound(LOWER_INFINITE)?, bound(UPPER_INFINITE)?);
    let open = if flags & LOWER_INCLUSIVE != 0 { '[' } else { '(' };
    let close = if flags & UPPER_INCLUSIVE != 0 { ']' } else { ')' };
    Some(format!("{open}{lower},{upper}{close}"))
}

fn composite(fields: &[(String, Decoder)], bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader(bytes);
    let count = usize::try_from(reader.int()?).ok()?;
    if count != fields.len() {
        return None;
    }
    let mut object = Map::with_capacity(count);
    for (name, decoder) in fields {
        reader.take(4)?;
        object.insert(name.clone(), read_or_null(decoder, reader.value()?)?);
    }
    Some(Value::Object(object))
}

/// Fields of types that have no fixed number cannot be told apart here; their rows are refused.
fn record(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader(bytes);
    let count = reader.int()?;
    let mut items = Vec::new();
    for _ in 0..count {
        let number = u32::from_be_bytes(reader.take(4)?.try_into().ok()?);
        let field = reader.value()?;
        items.push(match field {
            None => Value::Null,
            Some(bytes) => Decoder::builtin(number)?.read(bytes)?,
        });
    }
    Some(Value::Array(items))
}

fn hstore(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader(bytes);
    let mut object = Map::new();
    for _ in 0..reader.int()? {
        let key = String::from_utf8_lossy(reader.value()??).into_owned();
        let value = reader.value()?.map_or(Value::Null, string);
        object.insert(key, value);
    }
    Some(Value::Object(object))
}
