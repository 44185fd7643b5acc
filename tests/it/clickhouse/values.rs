//! The table of values in `source/mod.rs`, type by type, and bound values that mean harm.

use serde_json::{Value, json};
use tfo_mcp::{
    source::{
        ColumnType, Source, SourceErrorKind,
        clickhouse::{ClickHouse, ClickHouseConfig},
    },
    sql::Bind,
};
use time::macros::datetime;
use uuid::Uuid;

use crate::support::clickhouse::{WIDE, clickhouse, query};

/// An expression, the type of its column, and its value.
fn table() -> Vec<(&'static str, ColumnType, Value)> {
    use ColumnType::*;
    vec![
        ("NULL", Other, json!(null)),
        ("NULL::Nullable(String)", Text, json!(null)),
        ("true", Boolean, json!(true)),
        ("false::Nullable(Bool)", Boolean, json!(false)),
        ("1::UInt8", Integer, json!(1)),
        ("-128::Int8", Integer, json!(-128)),
        ("9007199254740991::Int64", Integer, json!(9_007_199_254_740_991_i64)),
        ("9007199254740992::Int64", Integer, json!("9007199254740992")),
        ("-9007199254740991::Int64", Integer, json!(-9_007_199_254_740_991_i64)),
        ("-9007199254740992::Int64", Integer, json!("-9007199254740992")),
        ("18446744073709551615::UInt64", Integer, json!("18446744073709551615")),
        ("toInt64('-9223372036854775808')", Integer, json!("-9223372036854775808")),
        (
            "toInt128('170141183460469231731687303715884105727')",
            Integer,
            json!("170141183460469231731687303715884105727"),
        ),
        ("toInt128(-5)", Integer, json!(-5)),
        (
            "toUInt256('115792089237316195423570985008687907853269984665640564039457584007913129639935')",
            Integer,
            json!("115792089237316195423570985008687907853269984665640564039457584007913129639935"),
        ),
        ("toIntervalSecond(5)", Text, json!("PT5S")),
        ("1.5::Float64", Float, json!(1.5)),
        ("1::Float64", Float, json!(1.0)),
        ("1e300::Float64", Float, json!(1e300)),
        ("0.1::Float32", Float, json!(0.1)),
        ("nan", Float, json!("NaN")),
        ("-nan", Float, json!("NaN")),
        ("inf", Float, json!("Infinity")),
        ("-inf::Nullable(Float64)", Float, json!("-Infinity")),
        ("NULL::Nullable(Float64)", Float, json!(null)),
        ("toDecimal64('1.50', 4)", Decimal, json!("1.5000")),
        ("toDecimal32('-0.5', 2)", Decimal, json!("-0.50")),
        ("toDecimal128('7', 0)", Decimal, json!("7")),
        (
            "toDecimal256('12345678901234567890123456789012345678.123456789', 9)",
            Decimal,
            json!("12345678901234567890123456789012345678.123456789"),
        ),
        ("'plain'", Text, json!("plain")),
        ("''", Text, json!("")),
        (
            r#"'quote " back \\ tab \t line \n nul \0 snow ☃ 🦀'"#,
            Text,
            json!("quote \" back \\ tab \t line \n nul \0 snow ☃ 🦀"),
        ),
        (r"'a\xFF\xFEb\xC3'", Text, json!("a\u{fffd}\u{fffd}b\u{fffd}")),
        ("toLowCardinality('low')", Text, json!("low")),
        ("toLowCardinality(NULL::Nullable(String))", Text, json!(null)),
        ("toFixedString('abc', 3)", Text, json!("abc")),
        ("CAST('b', 'Enum8(\\'a\\' = -1, \\'b\\' = 2)')", Text, json!("b")),
        ("CAST('x)y', 'Nullable(Enum16(\\'x)y\\' = 1, \\', (\\' = 2))')", Text, json!("x)y")),
        ("toIPv4('10.1.2.3')", Text, json!("10.1.2.3")),
        ("toIPv6('2001:DB8::1')", Text, json!("2001:db8::1")),
        ("toDateTime('2026-11-20 10:00:00', 'UTC')", Timestamp, json!("2026-11-20T10:00:00.000Z")),
        ("toDateTime('2026-11-20 10:00:00')", Timestamp, json!("2026-11-20T10:00:00.000Z")),
        ("toDateTime('2026-11-20 10:00:00', 'Asia/Kolkata')", Timestamp, json!("2026-11-20T04:30:00.000Z")),
        ("toDateTime64('2026-11-20 10:00:00.5', 1, 'UTC')", Timestamp, json!("2026-11-20T10:00:00.500Z")),
        ("toDateTime64('2026-11-20 10:00:00', 0, 'UTC')", Timestamp, json!("2026-11-20T10:00:00.000Z")),
        (
            "toDateTime64('2026-11-20 10:00:00.120', 3, 'America/New_York')",
            Timestamp,
            json!("2026-11-20T15:00:00.120Z"),
        ),
        ("toDateTime64('2026-11-20 10:00:00.1234', 4, 'UTC')", Timestamp, json!("2026-11-20T10:00:00.123400Z")),
        ("toDateTime64('2026-11-20 10:00:00.120000', 6, 'UTC')", Timestamp, json!("2026-11-20T10:00:00.120Z")),
        ("toDateTime64('2026-11-20 10:00:00.123456789', 9, 'UTC')", Timestamp, json!("2026-11-20T10:00:00.123456789Z")),
        ("toDateTime64('1969-12-31 23:59:59.999', 3, 'UTC')", Timestamp, json!("1969-12-31T23:59:59.999Z")),
        ("toDateTime64('1900-01-01 00:00:00.000', 3, 'UTC')", Timestamp, json!("1900-01-01T00:00:00.000Z")),
        ("toDate('2026-11-20')", Date, json!("2026-11-20")),
        ("toDate32('1925-01-01')", Date, json!("1925-01-01")),
        ("toUUID('61F0C404-5CB3-11E7-907B-A6006AD3DBA0')", Uuid, json!("61f0c404-5cb3-11e7-907b-a6006ad3dba0")),
        ("[1, 2]::Array(UInt64)", Array, json!([1, 2])),
        ("[]::Array(String)", Array, json!([])),
        ("[NULL, 9007199254740993]::Array(Nullable(Int64))", Array, json!([null, "9007199254740993"])),
        ("[[toDateTime64('2026-11-20 10:00:00.12', 2, 'UTC')]]", Array, json!([["2026-11-20T10:00:00.120Z"]])),
        ("(1, 'a', 1.0::Float64)", Array, json!([1, "a", 1.0])),
        ("(toDecimal64(1, 2), nan)", Array, json!(["1.00", "NaN"])),
        (
            "CAST((1, 'a', [nan]), 'Tuple(id UInt64, `odd name` String, list Array(Float64))')",
            Object,
            json!({"id": 1, "odd name": "a", "list": ["NaN"]}),
        ),
        ("map('a', 1::UInt64, 'b', 9007199254740993::UInt64)", Object, json!({"a": 1, "b": "9007199254740993"})),
        ("map(5::UInt8, [inf])", Object, json!({"5": ["Infinity"]})),
        ("map('at', toDateTime('2026-11-20 10:00:00', 'UTC'))", Object, json!({"at": "2026-11-20T10:00:00.000Z"})),
        (
            r#"'{"text": "1", "number": 1, "big": 9007199254740993, "float": 1.5, "list": [1, "1"], "deep": {"no": false}}'::JSON"#,
            Object,
            json!({"big": "9007199254740993", "deep": {"no": false}, "float": 1.5, "list": [1, "1"], "number": 1, "text": "1"}),
        ),
        ("'a'::Variant(String, UInt64)", Other, json!("a")),
        ("9007199254740993::Variant(String, UInt64)", Other, json!("9007199254740993")),
        ("1.5::Variant(String, Float64)", Other, json!(1.5)),
        ("18446744073709551615::UInt64::Dynamic", Other, json!("18446744073709551615")),
        (
            "toInt128('170141183460469231731687303715884105727')::Dynamic",
            Other,
            json!("170141183460469231731687303715884105727"),
        ),
        (
            "toInt256('-12345678901234567890123456789012345678901234567890')::Variant(String, Int256)",
            Other,
            json!("-12345678901234567890123456789012345678901234567890"),
        ),
        ("toDecimal128('12345678901234567890.123', 3)::Dynamic", Other, json!("12345678901234567890.123")),
        ("[toDecimal128('0.1234567890123456789', 19)]::Dynamic", Other, json!(["0.1234567890123456789"])),
        ("map('a', toUInt128('99999999999999999999'))::Dynamic", Other, json!({"a": "99999999999999999999"})),
        ("[18446744073709551615::UInt64::Dynamic]", Array, json!(["18446744073709551615"])),
        (r#"'{"a": {"b": [9007199254740993, 7]}}'::JSON"#, Object, json!({"a": {"b": ["9007199254740993", 7]}})),
        (
            r#"'{"d": "12345678901234567890.123", "i": "170141183460469231731687303715884105727"}'::JSON(d Decimal(38, 3), i Int128)"#,
            Object,
            json!({"d": "12345678901234567890.123", "i": "170141183460469231731687303715884105727"}),
        ),
        ("[toDateTime('2026-11-20 10:00:00', 'Asia/Tokyo')]", Array, json!(["2026-11-20T01:00:00.000Z"])),
        (
            "map('at', toDateTime64('2026-11-20 10:00:00.5', 3, 'America/New_York'))",
            Object,
            json!({"at": "2026-11-20T15:00:00.500Z"}),
        ),
        ("(toDateTime('2026-11-20 10:00:00', 'Asia/Tokyo'), 1)", Array, json!(["2026-11-20T01:00:00.000Z", 1])),
        ("toDate32('2099-01-01')", Date, json!("2099-01-01")),
        ("toTypeName(initializeAggregation('sumState', 1))", Text, json!("AggregateFunction(sum, UInt8)")),
        ("initializeAggregation('sumState', 255::UInt8)", Binary, json!("\\xff00000000000000")),
        ("initializeAggregation('groupArrayState', 'ÿ\\xFF\"')", Binary, json!("\\x0104c3bfff22")),
        ("toTime64('10:00:00.5', 1)", Text, json!("10:00:00.5")),
    ]
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn every_type_has_its_value() {
    let db = clickhouse().await;
    let mut wrong = Vec::new();
    for (expression, ty, value) in table() {
        let answer = db.query(&format!("SELECT {expression} AS x"), &[]).await;
        let found = answer.map(|rows| (rows.columns[0].ty, rows.rows[0][0].clone()));
        if found != Ok((ty, value.clone())) {
            wrong.push(format!("{expression}\n  expected ({ty:?}, {value:?})\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn nested_columns_of_a_table() {
    let db = clickhouse().await;
    db.execute(&[
        "CREATE TABLE t (id UInt8, n Nested(a UInt64, b Nullable(String))) ENGINE = Memory SETTINGS flatten_nested = 0",
    ])
    .await;
    db.execute(&["INSERT INTO t VALUES (1, [(9007199254740993, NULL), (2, 'x')])"]).await;
    let rows = db.rows("SELECT n FROM t").await;
    assert_eq!(json!(rows), json!([[[{"a": "9007199254740993", "b": null}, {"a": 2, "b": "x"}]]]));
}

#[tokio::test]
async fn a_time_range_meets_columns_of_every_zone() {
    let db = clickhouse().await;
    db.execute(&[
        "CREATE TABLE t (id UInt8, tokyo DateTime('Asia/Tokyo'), wide DateTime64(6, 'America/New_York'), plain DateTime,
                         day Date32) ENGINE = Memory",
        "INSERT INTO t SELECT number, at, at, at, toDate32('2026-11-18') + number FROM
         (SELECT number, toDateTime('2026-11-20 10:00:00', 'UTC') + INTERVAL number HOUR AS at FROM numbers(5))",
    ])
    .await;
    for column in ["tokyo", "wide", "plain"] {
        let binds =
            [Bind::Timestamp(datetime!(2026-11-20 11:00 UTC)), Bind::Timestamp(datetime!(2026-11-20 13:00 UTC))];
        let sql = format!(
            "SELECT id FROM t WHERE {column} >= {{p1:DateTime64(9, 'UTC')}} AND {column} < {{p2:DateTime64(9, 'UTC')}} ORDER BY id"
        );
        assert_eq!(json!(db.query(&sql, &binds).await.unwrap().rows), json!([[1], [2]]), "{column}");
    }
    let binds = [Bind::Timestamp(datetime!(2026-11-19 00:00 UTC)), Bind::Timestamp(datetime!(2026-11-21 00:00 UTC))];
    let sql = "SELECT id FROM t WHERE day >= {p1:DateTime64(9, 'UTC')} AND day < {p2:DateTime64(9, 'UTC')} ORDER BY id";
    assert_eq!(json!(db.query(sql, &binds).await.unwrap().rows), json!([[1], [2]]));
}

#[tokio::test]
async fn columns_have_names_and_empty_answers_have_columns() {
    let db = clickhouse().await;
    let rows = db.query("SELECT 1 AS a, 'x' AS `odd \"name`, 2 AS a2 WHERE 0", &[]).await.unwrap();
    let names: Vec<_> = rows.columns.iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["a", "odd \"name", "a2"]);
    assert_eq!((rows.rows.len(), rows.truncated), (0, None));
}

const HOSTILE: [&str; 18] = [
    "",
    "'",
    "\\",
    "\\'",
    "'; DROP TABLE t; --",
    "\\N",
    "NULL",
    "\t",
    "\n",
    "\r\n",
    "a\0b",
    "{p1:String}",
    "`",
    "\"",
    "☃ 🦀 ÿ",
    "\u{fffd}\u{202e}",
    "--\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT 2",
    "%27 %00 + & = ;",
];

#[tokio::test]
async fn hostile_text_comes_back_as_it_went() {
    let db = clickhouse().await;
    for text in HOSTILE {
        let binds = [Bind::Text(text.into()), Bind::List(vec![Bind::Text(text.into()), Bind::Text("b".into())])];
        let rows = db.query("SELECT {p1:String} AS a, {p2:Array(String)} AS b", &binds).await.unwrap();
        assert_eq!(json!(rows.rows), json!([[text, [text, "b"]]]), "{text:?}");
    }
    let long = "x'\\".repeat(20_000);
    let binds = [Bind::Text(long.clone()), Bind::List(vec![Bind::Text(long.clone())])];
    let rows = db.query("SELECT {p1:String} AS a, length({p2:Array(String)}[1]) AS b", &binds);
    assert_eq!(json!(rows.await.unwrap().rows), json!([[long, long.len()]]));
    let error = db.query("SELECT {p1:String} AS a", &[Bind::Text("x".repeat(200_000))]).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Exhausted, "{error:?}");
}

#[tokio::test]
async fn every_kind_of_bind() {
    let db = clickhouse().await;
    let uuid = Uuid::from_u128(0x61f0_c404_5cb3_11e7_907b_a600_6ad3_dba0);
    let moment = datetime!(2026-11-20 12:00:00.123456789 +2);
    for (ty, bind, expected) in [
        ("Nullable(String)", Bind::Null, json!(null)),
        ("Bool", Bind::Bool(true), json!(true)),
        ("Int64", Bind::Integer(i64::MIN), json!("-9223372036854775808")),
        ("Float64", Bind::Float(0.1), json!(0.1)),
        ("Float64", Bind::Float(1e300), json!(1e300)),
        ("Float64", Bind::Float(f64::NAN), json!("NaN")),
        ("Float64", Bind::Float(f64::NEG_INFINITY), json!("-Infinity")),
        ("DateTime64(9, 'UTC')", Bind::Timestamp(moment), json!("2026-11-20T10:00:00.123456789Z")),
        (
            "DateTime64(9, 'UTC')",
            Bind::Timestamp(datetime!(1969-12-31 23:59:59 UTC)),
            json!("1969-12-31T23:59:59.000Z"),
        ),
        ("String", Bind::Uuid(uuid), json!(uuid.to_string())),
        ("UUID", Bind::Uuid(uuid), json!(uuid.to_string())),
        ("Array(String)", Bind::List(vec![]), json!([])),
        ("Array(Int64)", Bind::List(vec![Bind::Integer(1), Bind::Integer(-2)]), json!([1, -2])),
        ("Array(Float64)", Bind::List(vec![Bind::Float(1.0), Bind::Float(f64::INFINITY)]), json!([1.0, "Infinity"])),
        ("Array(Bool)", Bind::List(vec![Bind::Bool(false)]), json!([false])),
        ("Array(Nullable(String))", Bind::List(vec![Bind::Null, Bind::Text("NULL".into())]), json!([null, "NULL"])),
        (
            "Array(DateTime64(9, 'UTC'))",
            Bind::List(vec![Bind::Timestamp(moment)]),
            json!(["2026-11-20T10:00:00.123456789Z"]),
        ),
        ("Array(UUID)", Bind::List(vec![Bind::Uuid(uuid)]), json!([uuid.to_string()])),
    ] {
        let rows = db.query(&format!("SELECT {{p1:{ty}}} AS x"), std::slice::from_ref(&bind)).await;
        let rows = rows.unwrap_or_else(|error| panic!("{bind:?}: {error:?}"));
        assert_eq!(rows.rows[0][0], expected, "{ty} {bind:?}");
    }
    let error = db.query("SELECT {service:String} AS x", &[]).await.unwrap_err();
    assert!(error.hint.as_deref().unwrap_or_default().contains("`{p1:Type}`"), "{error:?}");
}

#[tokio::test]
async fn twelve_binds_keep_their_places() {
    let db = clickhouse().await;
    let binds: Vec<_> = (1..=12).map(Bind::Integer).collect();
    let sql: Vec<_> = (1..=12).map(|n| format!("{{p{n}:Int64}}")).collect();
    let rows = db.query(&format!("SELECT [{}] AS x", sql.join(", ")), &binds).await.unwrap();
    assert_eq!(rows.rows[0][0], json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
}

/// An account whose profile is read-only refuses every setting; what the settings would do is made up for.
#[tokio::test]
async fn an_account_without_settings_gets_the_same_values() {
    let db = clickhouse().await;
    let plain = ClickHouse::remote(ClickHouseConfig { send_settings: false, ..db.config.clone() });
    let sql = "SELECT 18446744073709551615 AS big, toDecimal64('1.5', 3) AS price, \
               toDateTime64('2026-11-20 10:00:00.12', 6) AS at, toDateTime('2026-11-20 10:00:00', 'UTC') AS at2, \
               CAST((1, 2.5), 'Tuple(a UInt64, b Float64)') AS pair";
    let with = db.query(sql, &[]).await.unwrap();
    let without = query(&plain, sql, &[], WIDE).await.unwrap();
    assert_eq!(without.rows, with.rows);
    let zoned = query(&plain, "SELECT toDateTime('2026-11-20 10:00:00', 'Asia/Tokyo') AS at", &[], WIDE).await;
    let error = zoned.unwrap_err();
    assert!(error.hint.as_deref().unwrap_or_default().contains("date_time_output_format"), "{error:?}");
    plain.close().await;
}
