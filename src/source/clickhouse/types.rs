//! The types that ClickHouse names in the head of an answer, read into the few that decide how a value is written.

use crate::source::ColumnType;

/// What a value is. A type that is not known here is `Any`: its JSON is kept as it comes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum DataType {
    Boolean,
    /// Up to 64 bits.
    Integer,
    /// 128 and 256 bits.
    WideInteger,
    Float,
    /// Digits behind the point.
    Decimal(usize),
    Text,
    /// The zone that the type names.
    Timestamp(Option<String>),
    Date,
    /// The unit, as the type's name ends: `Minute`.
    Interval(String),
    Uuid,
    Array(Box<DataType>),
    Tuple(Vec<DataType>),
    /// A tuple whose elements have names.
    Record(Vec<(String, DataType)>),
    Map(Box<DataType>),
    Json,
    /// States of aggregate functions.
    Binary,
    Any,
}

impl DataType {
    /// Reads a type as ClickHouse prints it, such as `LowCardinality(Nullable(String))`.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        let (name, arguments) = match text.split_once('(') {
            Some((name, rest)) => (name.trim(), rest.strip_suffix(')').unwrap_or(rest)),
            None => (text, ""),
        };
        match name {
            "Nullable" | "LowCardinality" => Self::parse(arguments),
            "SimpleAggregateFunction" => split(arguments).get(1).map_or(Self::Any, |ty| Self::parse(ty)),
            "AggregateFunction" => Self::Binary,
            "Bool" => Self::Boolean,
            "Int8" | "Int16" | "Int32" | "Int64" | "UInt8" | "UInt16" | "UInt32" | "UInt64" => Self::Integer,
            "Int128" | "Int256" | "UInt128" | "UInt256" => Self::WideInteger,
            "Float32" | "Float64" | "BFloat16" => Self::Float,
            "Decimal" | "Decimal32" | "Decimal64" | "Decimal128" | "Decimal256" => {
                Self::Decimal(split(arguments).last().and_then(|scale| scale.parse().ok()).unwrap_or(0))
            }
            "String" | "FixedString" | "Enum8" | "Enum16" | "IPv4" | "IPv6" | "Time" | "Time64" => Self::Text,
            "DateTime" | "DateTime32" | "DateTime64" => Self::Timestamp(
                split(arguments)
                    .into_iter()
                    .find_map(|argument| Some(argument.strip_prefix('\'')?.strip_suffix('\'')?.to_owned())),
            ),
            "Date" | "Date32" => Self::Date,
            "UUID" => Self::Uuid,
            "Array" => Self::Array(Box::new(Self::parse(arguments))),
            "Nested" => Self::Array(Box::new(Self::tuple(arguments))),
            "Tuple" => Self::tuple(arguments),
            "Map" => split(arguments).get(1).map_or(Self::Any, |ty| Self::Map(Box::new(Self::parse(ty)))),
            "Point" => Self::Tuple(vec![Self::Float, Self::Float]),
            "Ring" | "LineString" => Self::Array(Box::new(Self::parse("Point"))),
            "Polygon" | "MultiLineString" => Self::Array(Box::new(Self::parse("Ring"))),
            "MultiPolygon" => Self::Array(Box::new(Self::parse("Polygon"))),
            "JSON" | "Object" => Self::Json,
            _ if name.starts_with("Interval") => Self::Interval(name.trim_start_matches("Interval").to_owned()),
            _ => Self::Any,
        }
    }

    pub(super) fn column(&self) -> ColumnType {
        match self {
            Self::Boolean => ColumnType::Boolean,
            Self::Integer | Self::WideInteger => ColumnType::Integer,
            Self::Float => ColumnType::Float,
            Self::Decimal(_) => ColumnType::Decimal,
            Self::Text | Self::Interval(_) => ColumnType::Text,
            Self::Timestamp(_) => ColumnType::Timestamp,
            Self::Date => ColumnType::Date,
            Self::Uuid => ColumnType::Uuid,
            Self::Array(_) | Self::Tuple(_) => ColumnType::Array,
            Self::Record(_) | Self::Map(_) | Self::Json => ColumnType::Object,
            Self::Binary => ColumnType::Binary,
            Self::Any => ColumnType::Other,
        }
    }

    /// Whether bytes of it must not be repaired to UTF-8 before they are read.
    pub(super) fn holds_binary(&self) -> bool {
        match self {
            Self::Binary => true,
            Self::Array(inner) | Self::Map(inner) => inner.holds_binary(),
            Self::Tuple(items) => items.iter().any(Self::holds_binary),
            Self::Record(items) => items.iter().any(|(_, item)| item.holds_binary()),
            _ => false,
        }
    }

    fn tuple(arguments: &str) -> Self {
        let items = split(arguments);
        let named: Option<Vec<_>> = items
            .iter()
            .map(|item| {
                let (name, ty) = element_name(item)?;
                Some((name, Self::parse(ty)))
            })
            .collect();
        match named {
            Some(items) if !items.is_empty() => Self::Record(items),
            _ => Self::Tuple(items.iter().map(|item| Self::parse(item)).collect()),
        }
    }
}

/// Splits `name Type` of a named tuple. The name may be quoted; a bare type has no name.
fn element_name(item: &str) -> Option<(String, &str)> {
    if let Some(rest) = item.strip_prefix('`') {
        let mut name = String::new();
        let mut characters = rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '`' => return Some((name, rest.get(at + 1..)?.trim_start())),
                '\\' => name.push(characters.next()?.1),
                other => name.push(other),
            }
        }
        return None;
    }
    let end = item.find([' ', '('])?;
    let (name, rest) = item.split_at(end);
    rest.starts_with(' ').then(|| (name.to_owned(), rest.trim_start()))
}

/// Splits arguments at the commas that stand in no parentheses and no quotes.
fn split(arguments: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    let mut quote = None;
    let mut characters = arguments.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (Some(_), '\\') => {
                characters.next();
            }
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '`' | '"') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.extend(arguments.get(start..at).map(str::trim));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(arguments.get(start..).map(str::trim).filter(|part| !part.is_empty()));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_types_with_quoted_names() {
        let ty = DataType::parse(
            r"Array(Tuple(`odd \`name, (` LowCardinality(Nullable(String)), b Map(String, DateTime64(3, 'Europe/Berlin')), e Enum8('a,)\'' = 1)))",
        );
        assert_eq!(
            ty,
            DataType::Array(Box::new(DataType::Record(vec![
                ("odd `name, (".into(), DataType::Text),
                ("b".into(), DataType::Map(Box::new(DataType::Timestamp(Some("Europe/Berlin".into()))))),
                ("e".into(), DataType::Text),
            ])))
        );
        assert_eq!(
            DataType::parse("Tuple(Decimal(10, 2), UInt256, Array(UInt8))"),
            DataType::Tuple(vec![
                DataType::Decimal(2),
                DataType::WideInteger,
                DataType::Array(Box::new(DataType::Integer))
            ])
        );
        assert_eq!(DataType::parse("SimpleAggregateFunction(sum, Float64)"), DataType::Float);
        assert_eq!(DataType::parse("Variant(String, UInt64)"), DataType::Any);
        assert_eq!(DataType::parse(""), DataType::Any);
    }
}
