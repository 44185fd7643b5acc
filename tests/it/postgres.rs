//! PostgreSQL as a source, against a real server.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::{Value, json};
use tfo_mcp::{
    source::{
        Author, ColumnType, Limits, Query, Rows, Source, SourceError, SourceErrorKind, Truncation,
        postgres::{Postgres, PostgresOptions},
    },
    sql::{Bind, Statement},
};
use tokio_util::sync::CancellationToken;

use crate::support::postgres::{Database, database};

const LIMITS: Limits = Limits { timeout: Duration::from_secs(20), max_rows: 10_000, max_bytes: 64 << 20 };

fn source(database: &Database) -> Postgres {
    connect(&database.url)
}

fn connect(url: &str) -> Postgres {
    Postgres::new(PostgresOptions::new(SecretString::from(url.to_owned()))).unwrap()
}

fn statement(sql: &str, binds: Vec<Bind>) -> Statement {
    Statement { sql: sql.to_owned(), binds }
}

async fn ask_with(source: &Postgres, sql: &str, binds: Vec<Bind>, limits: Limits) -> Result<Rows, SourceError> {
    let cancel = CancellationToken::new();
    let statement = statement(sql, binds);
    source.query(Query { statement: &statement, limits, author: Author::Definition, cancel: &cancel }).await
}

async fn ask(source: &Postgres, sql: &str) -> Result<Rows, SourceError> {
    ask_with(source, sql, Vec::new(), LIMITS).await
}

/// The only value of the only row.
async fn value(source: &Postgres, sql: &str) -> Value {
    let rows = ask(source, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.rows[0][0].clone()
}

#[tokio::test]
async fn every_type_becomes_the_json_of_the_value_table() {
    let database = database().await;
    database
        .execute(
            "CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS hstore;
             CREATE TYPE mood AS ENUM ('calm', 'busy');
             CREATE DOMAIN percent AS numeric(5, 2) CHECK (VALUE <= 100);
             CREATE TYPE place AS (name text, at timestamptz, level mood);",
        )
        .await;
    let source = source(&database);
    let infinity = json!("infinity");
    let cases: Vec<(&str, ColumnType, Value)> = vec![
        ("NULL::int", ColumnType::Integer, Value::Null),
        ("true", ColumnType::Boolean, json!(true)),
        ("(-32768)::int2", ColumnType::Integer, json!(-32768)),
        ("2147483647::int4", ColumnType::Integer, json!(2147483647)),
        ("9007199254740991::int8", ColumnType::Integer, json!(9007199254740991_i64)),
        ("9007199254740992::int8", ColumnType::Integer, json!("9007199254740992")),
        ("'-9223372036854775808'::int8", ColumnType::Integer, json!("-9223372036854775808")),
        ("4000000000::oid", ColumnType::Integer, json!(4000000000_u32)),
        ("'pg_class'::regclass", ColumnType::Integer, json!(1259)),
        ("0.1::float4", ColumnType::Float, json!(0.1)),
        ("0.1::float8", ColumnType::Float, json!(0.1)),
        ("'NaN'::float8", ColumnType::Float, json!("NaN")),
        ("'-Infinity'::float4", ColumnType::Float, json!("-Infinity")),
        ("12.340::numeric(10,3)", ColumnType::Decimal, json!("12.340")),
        ("0::numeric(10,2)", ColumnType::Decimal, json!("0.00")),
        ("'-0.000000000000000001'::numeric", ColumnType::Decimal, json!("-0.000000000000000001")),
        ("'123456789012345678901234567890.5'::numeric", ColumnType::Decimal, json!("123456789012345678901234567890.5")),
        ("100000000::numeric", ColumnType::Decimal, json!("100000000")),
        ("'NaN'::numeric", ColumnType::Decimal, json!("NaN")),
        ("'Infinity'::numeric", ColumnType::Decimal, json!("Infinity")),
        ("99.5::percent", ColumnType::Decimal, json!("99.50")),
        ("'grüße'::text", ColumnType::Text, json!("grüße")),
        ("'a'::char(3)", ColumnType::Text, json!("a  ")),
        ("'v'::varchar(10)", ColumnType::Text, json!("v")),
        ("'n'::name", ColumnType::Text, json!("n")),
        ("'c'::\"char\"", ColumnType::Text, json!("c")),
        ("'CI'::citext", ColumnType::Text, json!("CI")),
        ("'busy'::mood", ColumnType::Text, json!("busy")),
        ("'2026-11-20 10:00:00+00'::timestamptz", ColumnType::Timestamp, json!("2026-11-20T10:00:00.000Z")),
        ("'2026-11-20 12:00:00.5+02'::timestamptz", ColumnType::Timestamp, json!("2026-11-20T10:00:00.500Z")),
        ("'2026-11-20 10:00:00.000001'::timestamp", ColumnType::Timestamp, json!("2026-11-20T10:00:00.000001Z")),
        ("'1969-12-31 23:59:59.25'::timestamp", ColumnType::Timestamp, json!("1969-12-31T23:59:59.250Z")),
        ("'infinity'::timestamptz", ColumnType::Timestamp, infinity.clone()),
        ("'-infinity'::timestamp", ColumnType::Timestamp, json!("-infinity")),
        ("'0044-03-15 BC'::date", ColumnType::Date, json!("-0043-03-15")),
        ("'12026-01-01'::date", ColumnType::Date, json!("+12026-01-01")),
        ("'2024-02-29'::date", ColumnType::Date, json!("2024-02-29")),
        ("'infinity'::date", ColumnType::Date, infinity),
        ("'10:20:30.5'::time", ColumnType::Text, json!("10:20:30.500")),
        ("'24:00'::time", ColumnType::Text, json!("24:00:00.000")),
        ("'10:20:30-05:30'::timetz", ColumnType::Text, json!("10:20:30.000-05:30")),
        ("'1 year 2 months 3 days 04:05:06.789'::interval", ColumnType::Text, json!("P1Y2M3DT4H5M6.789S")),
        ("'0'::interval", ColumnType::Text, json!("PT0S")),
        ("'-1 day -00:00:00.5'::interval", ColumnType::Text, json!("P-1DT-0.5S")),
        (
            "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid",
            ColumnType::Uuid,
            json!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ),
        ("'{\"b\": 1, \"a\": [null, \"x\"]}'::json", ColumnType::Object, json!({"b": 1, "a": [null, "x"]})),
        ("'{\"a\": {\"n\": 1.5}}'::jsonb", ColumnType::Object, json!({"a": {"n": 1.5}})),
        ("'1e400'::json", ColumnType::Object, json!("1e400")),
        ("ARRAY[1, NULL, 3]", ColumnType::Array, json!([1, null, 3])),
        ("ARRAY[[1, 2], [3, 4]]", ColumnType::Array, json!([[1, 2], [3, 4]])),
        ("'{}'::text[]", ColumnType::Array, json!([])),
        ("'[5:6]={1,2}'::int[]", ColumnType::Array, json!([1, 2])),
        ("ARRAY['a,b', 'c\"d']", ColumnType::Array, json!(["a,b", "c\"d"])),
        ("ARRAY[1.50, 2]::numeric[]", ColumnType::Array, json!(["1.50", "2"])),
        ("ARRAY['calm'::mood]", ColumnType::Array, json!(["calm"])),
        ("ARRAY['{\"a\":1}'::jsonb]", ColumnType::Array, json!([{"a": 1}])),
        ("ARRAY['2026-11-20'::timestamp]", ColumnType::Array, json!(["2026-11-20T00:00:00.000Z"])),
        ("'\\x00ff'::bytea", ColumnType::Binary, json!("\\x00ff")),
        ("'192.168.0.1'::inet", ColumnType::Text, json!("192.168.0.1")),
        ("'192.168.0.1/24'::inet", ColumnType::Text, json!("192.168.0.1/24")),
        ("'10.0.0.0/8'::cidr", ColumnType::Text, json!("10.0.0.0/8")),
        ("'2001:db8::1'::inet", ColumnType::Text, json!("2001:db8::1")),
        ("'08:00:2b:01:02:03'::macaddr", ColumnType::Text, json!("08:00:2b:01:02:03")),
        ("B'101'", ColumnType::Text, json!("101")),
        ("'16/B374D848'::pg_lsn", ColumnType::Text, json!("16/B374D848")),
        ("'[1,5)'::int4range", ColumnType::Text, json!("[1,5)")),
        ("'empty'::int4range", ColumnType::Text, json!("empty")),
        ("'[2026-11-20,)'::daterange", ColumnType::Text, json!("[2026-11-20,)")),
        (
            "ROW('hall', '2026-11-20Z', 'busy')::place",
            ColumnType::Object,
            json!({"name": "hall", "at": "2026-11-20T00:00:00.000Z", "level": "busy"}),
        ),
        ("ROW(1, 'a'::text, NULL)", ColumnType::Array, json!([1, "a", null])),
        ("'a=>1, b=>NULL'::hstore", ColumnType::Object, json!({"a": "1", "b": null})),
    ];
    for (expression, ty, expected) in cases {
        let sql = format!("SELECT {expression} AS v");
        let rows = ask(&source, &sql).await.unwrap_or_else(|error| panic!("{expression}: {error}"));
        assert_eq!(rows.rows, [[expected]], "{expression}");
        assert_eq!(rows.columns[0].ty, ty, "{expression}");
        assert_eq!(rows.columns[0].name, "v");
    }
}

#[tokio::test]
async fn a_type_that_is_not_read_is_refused_with_the_cast_that_helps() {
    let database = database().await;
    let error = ask(&source(&database), "SELECT '(1,2)'::point AS spot").await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Invalid);
    assert!(error.message.contains("spot"), "{error:?}");
    assert!(error.hint.unwrap().contains("::text"));
}
