//! Which types a value may be cast to, and what PostgreSQL calls them.

use sqlparser::ast::{DataType, DateTimeField};

use super::{Checked, forbidden, functions, refuse};

pub(super) fn known_type(ty: &DataType) -> Checked {
    if functions::is_type(&plain(ty).unwrap_or_default()) {
        return Ok(());
    }
    Err(forbidden(format!("a cast to `{}`", ty.to_string().to_ascii_lowercase()))
        .hint("cast to a common type such as text, numeric or timestamptz"))
}

/// `timestamp(3) with time zone` and `numeric(10,2)[]` without their numbers and brackets.
fn plain(ty: &DataType) -> Option<String> {
    let text = ty.to_string().to_ascii_lowercase();
    let element = text.trim_end_matches("[]");
    let (Some(open), Some(close)) = (element.find('('), element.find(')')) else {
        return Some(element.trim().to_owned());
    };
    let numbers = element.get(open + 1..close)?;
    let digits = numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b',' || byte == b' ');
    let name = format!("{}{}", element.get(..open)?.trim_end(), element.get(close + 1..)?);
    digits.then(|| name.trim().to_owned())
}

/// The name under which PostgreSQL knows a type, after which it calls the column of a cast.
pub(super) fn internal_name(ty: &DataType) -> String {
    let name = plain(ty).unwrap_or_default();
    let internal = match name.as_str() {
        "character varying" => "varchar",
        "char" | "character" => "bpchar",
        "smallint" => "int2",
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "real" => "float4",
        "float" | "double" | "double precision" => "float8",
        "decimal" => "numeric",
        "boolean" => "bool",
        "time without time zone" => "time",
        "time with time zone" => "timetz",
        "timestamp without time zone" => "timestamp",
        "timestamp with time zone" => "timestamptz",
        other => other,
    };
    internal.to_owned()
}

/// What may be taken out of a time: a word that is one of SQL's own.
pub(super) fn field(field: &DateTimeField) -> Checked {
    match field {
        DateTimeField::Week(Some(_)) => Err(refuse("a week that begins on a day")),
        DateTimeField::Custom(ident) if !ident.value.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Err(refuse("this field of a time"))
        }
        _ => Ok(()),
    }
}

/// The unit of an interval.
pub(super) fn unit(unit: Option<&DateTimeField>) -> Checked {
    match unit {
        None
        | Some(
            DateTimeField::Year
            | DateTimeField::Month
            | DateTimeField::Day
            | DateTimeField::Hour
            | DateTimeField::Minute
            | DateTimeField::Second,
        ) => Ok(()),
        Some(_) => Err(refuse("this unit of an interval")),
    }
}
