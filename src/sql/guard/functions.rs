//! Which functions and types a caller's statement may name.
//!
//! An allow list, because a deny list is never complete: PostgreSQL alone has functions that run SQL from a text
//! (`query_to_xml`, `ts_stat`), read files and large objects, change settings, signal other sessions or wait.
//! Left out on purpose besides those: functions whose result can be made huge by a number (`repeat`, `lpad`,
//! `format`, `printf`, `zeroblob`).

use crate::sql::Dialect;

/// Known to both databases, and harmless.
const SHARED: &[&str] = &[
    // aggregates
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "string_agg",
    // windows
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "nth_value",
    // numbers
    "abs",
    "ceil",
    "ceiling",
    "floor",
    "round",
    "trunc",
    "sign",
    "sqrt",
    "exp",
    "ln",
    "log",
    "log10",
    "power",
    "pow",
    "mod",
    "degrees",
    "radians",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "atan2",
    "pi",
    // text
    "lower",
    "upper",
    "length",
    "octet_length",
    "substr",
    "substring",
    "trim",
    "ltrim",
    "rtrim",
    "replace",
    "concat",
    "concat_ws",
    // choice
    "coalesce",
    "nullif",
    // time
    "date",
    "current_date",
    "current_time",
    "current_timestamp",
];

const POSTGRES: &[&str] = &[
    // aggregates
    "array_agg",
    "bool_and",
    "bool_or",
    "every",
    "bit_and",
    "bit_or",
    "json_agg",
    "jsonb_agg",
    "json_object_agg",
    "jsonb_object_agg",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "variance",
    "var_pop",
    "var_samp",
    "corr",
    "covar_pop",
    "covar_samp",
    "regr_slope",
    "regr_intercept",
    "regr_r2",
    "regr_count",
    "percentile_cont",
    "percentile_disc",
    "mode",
    "grouping",
    // numbers
    "cbrt",
    "div",
    "greatest",
    "least",
    "width_bucket",
    "gcd",
    "lcm",
    "to_number",
    "to_hex",
    // text
    "char_length",
    "character_length",
    "bit_length",
    "left",
    "right",
    "btrim",
    "translate",
    "position",
    "strpos",
    "split_part",
    "reverse",
    "initcap",
    "ascii",
    "chr",
    "starts_with",
    "regexp_replace",
    "regexp_match",
    "regexp_count",
    "regexp_like",
    "regexp_substr",
    "regexp_instr",
    "overlay",
    "md5",
    "encode",
    "string_to_array",
    "to_char",
    // time
    "now",
    "localtime",
    "localtimestamp",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "date_trunc",
    "date_part",
    "date_bin",
    "extract",
    "age",
    "to_date",
    "to_timestamp",
    "make_date",
    "make_time",
    "make_timestamp",
    "make_timestamptz",
    "make_interval",
    "justify_days",
    "justify_hours",
    "justify_interval",
    "isfinite",
    "timezone",
    // JSON
    "json_array_length",
    "jsonb_array_length",
    "json_build_object",
    "jsonb_build_object",
    "json_build_array",
    "jsonb_build_array",
    "to_json",
    "to_jsonb",
    "row_to_json",
    "json_typeof",
    "jsonb_typeof",
    "json_extract_path",
    "json_extract_path_text",
    "jsonb_extract_path",
    "jsonb_extract_path_text",
    "jsonb_path_exists",
    "jsonb_path_match",
    "jsonb_path_query_array",
    "jsonb_path_query_first",
    "jsonb_set",
    "jsonb_strip_nulls",
    "json_strip_nulls",
    "jsonb_pretty",
    "jsonb_object",
    "json_object",
    // arrays
    "array",
    "array_length",
    "array_lower",
    "array_upper",
    "array_ndims",
    "array_position",
    "array_positions",
    "array_append",
    "array_prepend",
    "array_cat",
    "array_remove",
    "array_to_string",
    "cardinality",
    // addresses
    "host",
    "family",
    "masklen",
    "network",
    "abbrev",
];

const SQLITE: &[&str] = &[
    // aggregates
    "total",
    "group_concat",
    "json_group_array",
    "json_group_object",
    "median",
    "percentile",
    // numbers and text
    "log2",
    "instr",
    "typeof",
    "hex",
    "unicode",
    "char",
    "ifnull",
    "iif",
    "quote",
    "unhex",
    // time
    "time",
    "datetime",
    "julianday",
    "unixepoch",
    "strftime",
    "timediff",
    // JSON
    "json",
    "json_array",
    "json_array_length",
    "json_extract",
    "json_object",
    "json_type",
    "json_valid",
    "json_quote",
];

/// Functions that return rows.
const POSTGRES_ROWS: &[&str] = &[
    "generate_series",
    "unnest",
    "json_array_elements",
    "json_array_elements_text",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "json_each",
    "json_each_text",
    "jsonb_each",
    "jsonb_each_text",
    "json_object_keys",
    "jsonb_object_keys",
    "jsonb_path_query",
    "string_to_table",
    "regexp_split_to_table",
    "regexp_matches",
];

const SQLITE_ROWS: &[&str] = &["json_each", "json_tree"];

/// Types that a value may be cast to. Those that look names up (`regclass`) are not among them.
const TYPES: &[&str] = &[
    "text",
    "varchar",
    "character varying",
    "char",
    "character",
    "bpchar",
    "smallint",
    "int",
    "integer",
    "bigint",
    "int2",
    "int4",
    "int8",
    "real",
    "float",
    "float4",
    "float8",
    "double",
    "double precision",
    "numeric",
    "decimal",
    "boolean",
    "bool",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "time with time zone",
    "time without time zone",
    "timestamp with time zone",
    "timestamp without time zone",
    "interval",
    "uuid",
    "json",
    "jsonb",
    "inet",
    "cidr",
    "bytea",
    "blob",
];

/// Keywords behind which a parenthesis opens something else than a call.
const SYNTAX: &[&str] = &[
    "select",
    "distinct",
    "from",
    "join",
    "lateral",
    "where",
    "and",
    "or",
    "not",
    "in",
    "exists",
    "any",
    "some",
    "all",
    "on",
    "using",
    "by",
    "having",
    "case",
    "when",
    "then",
    "else",
    "as",
    "materialized",
    "over",
    "filter",
    "group",
    "union",
    "intersect",
    "except",
    "values",
    "limit",
    "offset",
    "between",
    "like",
    "ilike",
    "to",
    "escape",
    "row",
    "cast",
    "sets",
    "cube",
    "rollup",
    "fetch",
    "first",
    "next",
    "is",
];

/// Keywords behind which a text is a value of its own, beside those in [`SYNTAX`]. `zone`, `precision` and `varying`
/// end the names of types.
const BEFORE_TEXT: &[&str] = &[
    "similar",
    "both",
    "leading",
    "trailing",
    "for",
    "placing",
    "glob",
    "regexp",
    "match",
    "symmetric",
    "range",
    "zone",
    "precision",
    "varying",
];

/// Columns of the functions that return rows, where they have names of their own. What the others return is named
/// after their alias.
const OWN_COLUMNS: &[(Dialect, &str, &[&str])] = &[
    (Dialect::Postgres, "json_array_elements", &["value"]),
    (Dialect::Postgres, "json_array_elements_text", &["value"]),
    (Dialect::Postgres, "jsonb_array_elements", &["value"]),
    (Dialect::Postgres, "jsonb_array_elements_text", &["value"]),
    (Dialect::Postgres, "json_each", &["key", "value"]),
    (Dialect::Postgres, "json_each_text", &["key", "value"]),
    (Dialect::Postgres, "jsonb_each", &["key", "value"]),
    (Dialect::Postgres, "jsonb_each_text", &["key", "value"]),
    (Dialect::Sqlite, "json_each", SQLITE_JSON),
    (Dialect::Sqlite, "json_tree", SQLITE_JSON),
];

const SQLITE_JSON: &[&str] = &["key", "value", "type", "atom", "id", "parent", "fullkey", "path"];

/// The columns of a function in FROM; `None` where its only column is named after the alias.
pub(super) fn own_columns(dialect: Dialect, name: &str) -> Option<&'static [&'static str]> {
    OWN_COLUMNS.iter().find(|(of, function, _)| *of == dialect && *function == name).map(|(.., columns)| *columns)
}

/// Whether a text behind the word `name`, in lower case, is read as a value or a known cast.
pub(super) fn may_precede_text(name: &str) -> bool {
    SYNTAX.contains(&name) || BEFORE_TEXT.contains(&name) || TYPES.contains(&name)
}

/// Whether `name`, in lower case, is a function that may be called for a value.
pub(super) fn is_allowed(dialect: Dialect, name: &str) -> bool {
    let own = if dialect == Dialect::Postgres { POSTGRES } else { SQLITE };
    SHARED.contains(&name) || own.contains(&name) || (dialect == Dialect::Postgres && returns_rows(dialect, name))
}

/// Whether `name`, in lower case, is a function that may stand in FROM.
pub(super) fn returns_rows(dialect: Dialect, name: &str) -> bool {
    let own = if dialect == Dialect::Postgres { POSTGRES_ROWS } else { SQLITE_ROWS };
    own.contains(&name)
}

/// Whether `name`, in lower case and without its arguments, is a type that a value may be cast to.
pub(super) fn is_type(name: &str) -> bool {
    TYPES.contains(&name)
}

/// Whether a parenthesis behind `name` is harmless by itself.
pub(super) fn may_precede_parenthesis(dialect: Dialect, name: &str) -> bool {
    SYNTAX.contains(&name) || TYPES.contains(&name) || is_allowed(dialect, name) || returns_rows(dialect, name)
}
