//! Bound values in PostgreSQL's types.
//!
//! Most values have one type. NULL and the empty list have none: they are declared as unknown, and the server
//! tells what they are once it has seen where they stand.

use std::collections::BTreeSet;

use sqlx::{
    Arguments as _, Encode, Postgres, Type, TypeInfo as _,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo, PgTypeKind, types::Oid},
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    source::{SourceError, SourceErrorKind},
    sql::{
        Bind, Dialect,
        lex::{self, Kind},
    },
};

/// `unknown`, for which the server puts the type that the place demands.
const UNKNOWN: PgTypeInfo = PgTypeInfo::with_oid(Oid(705));

/// The type of each value, and a letter for each. The letters become part of the statement's text, because the
/// driver keeps prepared statements by text alone, and one text may be bound with other types the next time.
pub(super) fn types(binds: &[Bind], untyped: &Untyped) -> Result<(Vec<PgTypeInfo>, String), SourceError> {
    let mut letters = String::with_capacity(binds.len());
    let mut types = Vec::with_capacity(binds.len());
    for (index, bind) in binds.iter().enumerate() {
        let (ty, letter) = match bind {
            Bind::Null if untyped.is_text(index) => (<String as Type<Postgres>>::type_info(), 'x'),
            Bind::Null => (UNKNOWN, 'n'),
            Bind::Bool(_) => (<bool as Type<Postgres>>::type_info(), 'b'),
            Bind::Integer(_) => (<i64 as Type<Postgres>>::type_info(), 'i'),
            Bind::Float(_) => (<f64 as Type<Postgres>>::type_info(), 'f'),
            Bind::Text(_) => (<String as Type<Postgres>>::type_info(), 't'),
            Bind::Timestamp(_) => (<OffsetDateTime as Type<Postgres>>::type_info(), 's'),
            Bind::Uuid(_) => (<Uuid as Type<Postgres>>::type_info(), 'u'),
            Bind::List(items) => match element(items)? {
                Element::None if untyped.is_text(index) => (<Vec<String> as Type<Postgres>>::type_info(), 'X'),
                Element::None => (UNKNOWN, 'N'),
                Element::Bool => (<Vec<bool> as Type<Postgres>>::type_info(), 'B'),
                Element::Integer => (<Vec<i64> as Type<Postgres>>::type_info(), 'I'),
                Element::Float => (<Vec<f64> as Type<Postgres>>::type_info(), 'F'),
                Element::Text => (<Vec<String> as Type<Postgres>>::type_info(), 'T'),
                Element::Timestamp => (<Vec<OffsetDateTime> as Type<Postgres>>::type_info(), 'S'),
                Element::Uuid => (<Vec<Uuid> as Type<Postgres>>::type_info(), 'U'),
            },
        };
        types.push(ty);
        letters.push(letter);
    }
    Ok((types, letters))
}

/// The statement as it is prepared: with the letters of its values' types behind it. In a comment after a line break, so
/// that it also ends a line comment at the end of the statement.
pub(super) fn text(sql: &str, letters: &str) -> String {
    match letters {
        "" => sql.to_owned(),
        letters => format!("{sql}\n/* {letters} */"),
    }
}

/// NULL of the type of each value, as it is written into a statement.
pub(super) fn nulls(binds: &[Bind]) -> Result<Vec<&'static str>, SourceError> {
    let (_, letters) = types(binds, &Untyped::Inferred)?;
    let null = |letter| match letter {
        'b' => "NULL::boolean",
        'i' => "NULL::bigint",
        'f' => "NULL::double precision",
        't' => "NULL::text",
        's' => "NULL::timestamptz",
        'u' => "NULL::uuid",
        'B' => "NULL::boolean[]",
        'I' => "NULL::bigint[]",
        'F' => "NULL::double precision[]",
        'T' => "NULL::text[]",
        'S' => "NULL::timestamptz[]",
        'U' => "NULL::uuid[]",
        _ => "NULL",
    };
    Ok(letters.chars().map(null).collect())
}

/// How a value without a type is declared.
#[derive(Debug)]
pub(super) enum Untyped {
    /// The server finds it out.
    Inferred,
    /// So too, but text at these places, where it cannot.
    TextAt(BTreeSet<usize>),
    /// Text.
    AsText,
}

impl Untyped {
    /// Text where a value is only asked whether it is NULL, which says no type: `$1 IS NULL OR id = $2`.
    pub fn tested(sql: &str) -> Self {
        let tokens = lex::tokens(Dialect::Postgres, sql).unwrap_or_default();
        let places = tokens.windows(2).filter_map(|two| match two {
            [value, is] if value.kind == Kind::Placeholder && is.is_word("IS") => {
                value.text.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)
            }
            _ => None,
        });
        Untyped::TextAt(places.collect())
    }

    fn is_text(&self, index: usize) -> bool {
        match self {
            Untyped::Inferred => false,
            Untyped::TextAt(places) => places.contains(&index),
            Untyped::AsText => true,
        }
    }
}

/// The values, encoded for a prepared statement whose parameters the server has described.
pub(super) fn arguments(binds: &[Bind], parameters: &[PgTypeInfo]) -> Result<PgArguments, SourceError> {
    if binds.len() != parameters.len() {
        let message = format!("the statement has {} placeholders, but {} values", parameters.len(), binds.len());
        return Err(SourceError::new(SourceErrorKind::Invalid, message));
    }
    let mut arguments = PgArguments::default();
    for (bind, parameter) in binds.iter().zip(parameters) {
        let added = match bind {
            Bind::Null => arguments.add(Null),
            Bind::Bool(value) => arguments.add(*value),
            Bind::Integer(value) => arguments.add(*value),
            Bind::Float(value) => arguments.add(*value),
            Bind::Text(value) => arguments.add(value.as_str()),
            Bind::Timestamp(value) => arguments.add(*value),
            Bind::Uuid(value) => arguments.add(*value),
            Bind::List(items) => match element(items)? {
                Element::None => arguments.add(EmptyList(element_type(parameter)?)),
                Element::Bool => arguments.add(list(items, |bind| match bind {
                    Bind::Bool(value) => Some(*value),
                    _ => None,
                })),
                Element::Integer => arguments.add(list(items, |bind| match bind {
                    Bind::Integer(value) => Some(*value),
                    _ => None,
                })),
                Element::Float => arguments.add(list(items, |bind| match bind {
                    Bind::Float(value) => Some(*value),
                    #[allow(clippy::cast_precision_loss)]
                    Bind::Integer(value) => Some(*value as f64),
                    _ => None,
                })),
                Element::Text => arguments.add(list(items, |bind| match bind {
                    Bind::Text(value) => Some(value.as_str()),
                    _ => None,
                })),
                Element::Timestamp => arguments.add(list(items, |bind| match bind {
                    Bind::Timestamp(value) => Some(*value),
                    _ => None,
                })),
                Element::Uuid => arguments.add(list(items, |bind| match bind {
                    Bind::Uuid(value) => Some(*value),
                    _ => None,
                })),
            },
        };
        added.map_err(|error| {
            SourceError::new(SourceErrorKind::Invalid, format!("a bound value does not fit: {error}"))
        })?;
    }
    Ok(arguments)
}

fn list<'a, T>(items: &'a [Bind], value: impl Fn(&'a Bind) -> Option<T>) -> Vec<Option<T>> {
    items.iter().map(value).collect()
}

/// The type of a list's values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    /// No value says it.
    None,
    Bool,
    Integer,
    Float,
    Text,
    Timestamp,
    Uuid,
}

fn element(items: &[Bind]) -> Result<Element, SourceError> {
    let mut found = Element::None;
    for item in items {
        let next = match item {
            Bind::Null => continue,
            Bind::Bool(_) => Element::Bool,
            Bind::Integer(_) => Element::Integer,
            Bind::Float(_) => Element::Float,
            Bind::Text(_) => Element::Text,
            Bind::Timestamp(_) => Element::Timestamp,
            Bind::Uuid(_) => Element::Uuid,
            Bind::List(_) => return Err(mixed("a list inside a list cannot be bound")),
        };
        found = match (found, next) {
            (Element::None, next) => next,
            (found, next) if found == next => found,
            (Element::Integer, Element::Float) | (Element::Float, Element::Integer) => Element::Float,
            _ => return Err(mixed("a bound list has values of more than one type")),
        };
    }
    if found == Element::None && !items.is_empty() {
        // Only NULLs: any type does.
        return Ok(Element::Text);
    }
    Ok(found)
}

fn mixed(message: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Invalid, message)
}

/// The element type of the array that the server expects.
fn element_type(parameter: &PgTypeInfo) -> Result<Oid, SourceError> {
    let element = match parameter.kind() {
        PgTypeKind::Array(element) => element.oid(),
        _ => None,
    };
    element.ok_or_else(|| {
        let message = format!("an empty list is bound where the statement wants `{}`", parameter.name());
        SourceError::new(SourceErrorKind::Invalid, message)
    })
}

/// NULL of a type that the statement was prepared with.
struct Null;

impl Type<Postgres> for Null {
    fn type_info() -> PgTypeInfo {
        UNKNOWN
    }
}

impl Encode<'_, Postgres> for Null {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

/// An array without elements: no dimensions, no NULLs, the type of the elements that it has not.
struct EmptyList(Oid);

impl Type<Postgres> for EmptyList {
    fn type_info() -> PgTypeInfo {
        UNKNOWN
    }
}

impl Encode<'_, Postgres> for EmptyList {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&[0; 8]);
        buffer.extend_from_slice(&self.0.0.to_be_bytes());
        Ok(IsNull::No)
    }
}
