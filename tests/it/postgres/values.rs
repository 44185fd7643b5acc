//! Values on their way in and out: every type, every bind, and the same from PostgreSQL and SQLite.

use super::*;

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
        ("'2026-11-20 10:00:00.000001'::timestamp", ColumnType::LocalTimestamp, json!("2026-11-20T10:00:00.000001")),
        ("'1969-12-31 23:59:59.25'::timestamp", ColumnType::LocalTimestamp, json!("1969-12-31T23:59:59.250")),
        (
            "'2026-11-20 10:00:00+00'::timestamptz AT TIME ZONE 'Asia/Shanghai'",
            ColumnType::LocalTimestamp,
            json!("2026-11-20T18:00:00.000"),
        ),
        ("'2026-03-29 02:30:00'::timestamp", ColumnType::LocalTimestamp, json!("2026-03-29T02:30:00.000")),
        ("'infinity'::timestamptz", ColumnType::Timestamp, infinity.clone()),
        ("'-infinity'::timestamp", ColumnType::LocalTimestamp, json!("-infinity")),
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
        (
            "'{\"n\": 12345678901234567890.123456789, \"i\": [9007199254740993, 7]}'::jsonb",
            ColumnType::Object,
            json!({"i": ["9007199254740993", 7], "n": "12345678901234567890.123456789"}),
        ),
        (
            "'{\"n\": 0.1, \"e\": 1e-400, \"t\": \"99999999999999999999\"}'::json",
            ColumnType::Object,
            json!({"n": 0.1, "e": "1e-400", "t": "99999999999999999999"}),
        ),
        ("ARRAY['18446744073709551615'::jsonb]", ColumnType::Array, json!(["18446744073709551615"])),
        ("ARRAY[1, NULL, 3]", ColumnType::Array, json!([1, null, 3])),
        ("ARRAY[[1, 2], [3, 4]]", ColumnType::Array, json!([[1, 2], [3, 4]])),
        ("'{}'::text[]", ColumnType::Array, json!([])),
        ("'[5:6]={1,2}'::int[]", ColumnType::Array, json!([1, 2])),
        ("ARRAY['a,b', 'c\"d']", ColumnType::Array, json!(["a,b", "c\"d"])),
        ("ARRAY[1.50, 2]::numeric[]", ColumnType::Array, json!(["1.50", "2"])),
        ("ARRAY['calm'::mood]", ColumnType::Array, json!(["calm"])),
        ("ARRAY['{\"a\":1}'::jsonb]", ColumnType::Array, json!([{"a": 1}])),
        ("ARRAY['2026-11-20'::timestamp]", ColumnType::Array, json!(["2026-11-20T00:00:00.000"])),
        ("ARRAY['2026-11-20'::timestamptz]", ColumnType::Array, json!(["2026-11-20T00:00:00.000Z"])),
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
        (
            "'[2026-11-20 10:00, 2026-11-20 11:00)'::tsrange",
            ColumnType::Text,
            json!("[2026-11-20T10:00:00.000,2026-11-20T11:00:00.000)"),
        ),
        ("'[2026-11-20 10:00+00,)'::tstzrange", ColumnType::Text, json!("[2026-11-20T10:00:00.000Z,)")),
        ("ROW('2026-11-20 10:00'::timestamp)", ColumnType::Array, json!(["2026-11-20T10:00:00.000"])),
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
async fn a_type_that_is_not_read_comes_as_the_text_that_postgresql_writes() {
    let database = database().await;
    database
        .execute(
            "CREATE TYPE span AS (during int4multirange, note text); CREATE DOMAIN office AS tsmultirange;
             CREATE TYPE mood AS ENUM ('calm', 'busy');
             CREATE TABLE t (id int, m int4multirange, mood mood, spot point);
             INSERT INTO t VALUES (2, '{[1,3),[7,9)}', 'busy', '(1,2)'), (1, '{}', 'calm', NULL);",
        )
        .await;
    let source = source(&database);
    for (expression, expected) in [
        ("'{[1,3),[7,9)}'::int4multirange", "{[1,3),[7,9)}"),
        ("ARRAY['{[1,3)}'::int4multirange]", "{\"{[1,3)}\"}"),
        ("ROW('{[1,3)}', 'x')::span", "(\"{[1,3)}\",x)"),
        ("'{[2026-11-20 10:00, 2026-11-20 11:00)}'::office", "{[\"2026-11-20 10:00:00\",\"2026-11-20 11:00:00\")}"),
        ("'(1,2)'::point", "(1,2)"),
        ("'12.34'::money", "$12.34"),
        ("to_tsvector('simple', 'b a')", "'a':2 'b':1"),
        ("ARRAY['(1,2)'::point]", "{\"(1,2)\"}"),
    ] {
        let rows = ask(&source, &format!("SELECT {expression} AS v, 1 AS one -- the end")).await;
        let rows = rows.unwrap_or_else(|error| panic!("{expression}: {error}"));
        let expected = if expression.contains("money") { rows.rows[0][0].clone() } else { json!(expected) };
        assert_eq!(rows.rows, [[expected, json!(1)]], "{expression}");
        assert_eq!((rows.columns[0].ty, rows.columns[0].name.as_str()), (ColumnType::Text, "v"));
    }
    // Names that stand twice, values, the order of rows, and what the other columns are stay as they were.
    let sql = "SELECT id, m, mood AS id, $1 AS given, spot FROM t WHERE id < $2 ORDER BY t.id LIMIT $3;";
    let binds = || vec![Bind::Null, Bind::Integer(5), Bind::Integer(10)];
    for _ in 0..2 {
        let rows = ask_with(&source, sql, binds(), LIMITS).await.unwrap();
        assert_eq!(
            json!(rows.rows),
            json!([[1, "{}", "calm", null, null], [2, "{[1,3),[7,9)}", "busy", null, "(1,2)"]])
        );
        let names: Vec<&str> = rows.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "m", "id", "given", "spot"]);
    }
    source.prepare(&statement("SELECT * FROM t", Vec::new())).await.unwrap();
    // What the driver prepared before it gave up does not pile up in the session.
    let left = "SELECT count(*)::int4 AS n FROM pg_prepared_statements WHERE statement LIKE 'SELECT id, m, mood%'";
    assert_eq!(ask(&source, left).await.unwrap().rows, [[json!(0)]]);
    let error = ask(&source, "SELECT ROW(1, '(1,2)'::point) AS pair").await.unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("cast it: `pair::text`"), "{error:?}");
}

#[tokio::test]
async fn a_time_range_meets_columns_without_a_zone_where_the_statement_says_their_zone() {
    let database = database().await;
    database
        .execute(
            "CREATE TABLE t (id int, utc timestamp, shanghai timestamp, instant timestamptz);
             INSERT INTO t SELECT n, at AT TIME ZONE 'UTC', at AT TIME ZONE 'Asia/Shanghai', at
             FROM (SELECT n, timestamptz '2026-11-20 10:00+00' + n * interval '1 hour' AS at FROM generate_series(0, 9) n) s",
        )
        .await;
    let source = source(&database);
    let window = || {
        vec![
            Bind::Timestamp(time::macros::datetime!(2026-11-20 12:00 UTC)),
            Bind::Timestamp(time::macros::datetime!(2026-11-20 14:00 UTC)),
        ]
    };
    // What says no zone is taken for UTC, whatever the zone of the server.
    for column in ["instant", "utc", "utc AT TIME ZONE 'UTC'", "shanghai AT TIME ZONE 'Asia/Shanghai'"] {
        let sql = format!("SELECT id FROM t WHERE {column} >= $1 AND {column} < $2 ORDER BY id");
        let rows = ask_with(&source, &sql, window(), LIMITS).await.unwrap();
        assert_eq!(rows.rows, [[json!(2)], [json!(3)]], "{column}");
    }
}

#[tokio::test]
async fn every_kind_of_value_binds() {
    let database = database().await;
    let source = source(&database);
    let id = uuid::Uuid::from_u128(7);
    let at = time::macros::datetime!(2026-11-20 12:00:00.5 +2);
    let text = |text: &str| Bind::Text(text.to_owned());
    let binds = vec![
        Bind::Bool(true),
        Bind::Integer(i64::MAX),
        Bind::Float(1.5),
        text("'; DROP TABLE t; --"),
        Bind::Timestamp(at),
        Bind::Uuid(id),
        Bind::List(vec![text("a"), Bind::Null]),
        Bind::List(vec![Bind::Integer(1), Bind::Float(2.5)]),
        Bind::List(vec![Bind::Uuid(id)]),
        Bind::Null,
    ];
    let sql = "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 -- a comment at the end";
    let rows = ask_with(&source, sql, binds, LIMITS).await.unwrap();
    assert_eq!(
        rows.rows,
        [[
            json!(true),
            json!(i64::MAX.to_string()),
            json!(1.5),
            json!("'; DROP TABLE t; --"),
            json!("2026-11-20T10:00:00.500Z"),
            json!(id.to_string()),
            json!(["a", null]),
            json!([1.0, 2.5]),
            json!([id.to_string()]),
            Value::Null
        ]]
    );
}

#[tokio::test]
async fn null_and_the_empty_list_take_the_type_of_their_place() {
    let database = database().await;
    database
        .execute(
            "CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE t (id uuid, n int, m mood);
             INSERT INTO t VALUES (gen_random_uuid(), 1, 'calm')",
        )
        .await;
    let source = source(&database);
    for (sql, bind, count) in [
        ("SELECT n FROM t WHERE id = $1", Bind::Null, 0),
        ("SELECT n FROM t WHERE $1 IS NULL", Bind::Null, 1),
        ("SELECT n FROM t WHERE coalesce($1, $1) IS NULL", Bind::Null, 1),
        ("SELECT n FROM t WHERE $1::timestamptz IS NULL OR n = 2", Bind::Null, 1),
        ("SELECT n FROM t WHERE id = ANY ($1)", Bind::List(vec![]), 0),
        ("SELECT n FROM t WHERE NOT n = ANY ($1)", Bind::List(vec![]), 1),
        ("SELECT n FROM t WHERE NOT m = ANY ($1)", Bind::List(vec![]), 1),
        ("SELECT n FROM t WHERE n = ANY ($1)", Bind::List(vec![Bind::Integer(1), Bind::Null]), 1),
        ("SELECT n FROM t WHERE cardinality($1::text[]) = 0", Bind::List(vec![]), 1),
    ] {
        let rows = ask_with(&source, sql, vec![bind], LIMITS).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(rows.rows.len(), count, "{sql}");
    }
    // As a template writes an optional parameter: each mention is a placeholder of its own.
    let (sql, absent) = ("SELECT n FROM t WHERE $1 IS NULL OR id = $2", vec![Bind::Null, Bind::Null]);
    assert_eq!(ask_with(&source, sql, absent, LIMITS).await.unwrap().rows.len(), 1);
    // The same text with values of other types, on the session that has prepared it already.
    for bind in [Bind::Integer(1), Bind::Float(1.0), Bind::Null, Bind::Text("1".into())] {
        let rows = ask_with(&source, "SELECT $1 AS v", vec![bind], LIMITS).await.unwrap();
        assert_eq!(rows.rows.len(), 1);
    }
    let error = ask_with(&source, "SELECT $1 AS a, $2 AS b", vec![Bind::Null], LIMITS).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Invalid, "{error:?}");
    let mixed = Bind::List(vec![Bind::Integer(1), Bind::Text("a".into())]);
    let error = ask_with(&source, "SELECT $1 AS a", vec![mixed], LIMITS).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Invalid, "{error:?}");
}

/// The same logical values, written by both writers and read by both sources, are the same JSON.
#[tokio::test]
async fn postgresql_and_sqlite_give_equal_answers() {
    let database = database().await;
    database
        .execute(
            "CREATE TABLE t (n int8, f float8, b boolean, s text, at timestamptz, id uuid, doc jsonb, tags text[],
                             price numeric(12, 2), d date)",
        )
        .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.sqlite");
    let mut sqlite = tfo_mcp::source::sqlite::Writer::open(&path).await.unwrap();
    sqlite
        .execute_script(
            "CREATE TABLE t (n INTEGER, f REAL, b BOOLEAN, s TEXT, at TIMESTAMP, id UUID, doc JSON, tags JSON,
                             price DECIMAL(12, 2), d DATE)",
        )
        .await
        .unwrap();
    let text = |text: &str| Bind::Text(text.to_owned());
    let row = |n: i64, f: f64, s: &str, at: time::OffsetDateTime, doc: &str, price: &str| {
        let tags = Bind::List(vec![text(s), text("a,b\"{}\\"), Bind::Null]);
        vec![
            Bind::Integer(n),
            Bind::Float(f),
            Bind::Bool(n % 2 == 0),
            text(s),
            Bind::Timestamp(at),
            Bind::Uuid(uuid::Uuid::from_u128(n.unsigned_abs().into())),
            text(doc),
            tags,
            text(price),
            text("2026-11-20"),
        ]
    };
    let at = time::macros::datetime!(2026-11-20 10:00:00 UTC);
    let rows = vec![
        row(0, 0.0, "", at, "{}", "0"),
        row(-1, -0.5, "tab\tline\nreturn\rback\\slash \\N", at + Duration::from_millis(1), "[1, 2.5, null]", "1.5"),
        row((1 << 53) - 1, 1e300, "grüße 🎉", at - Duration::from_secs(1 << 33), "{\"a\": {\"b\": [true]}}", "99.99"),
        row(1 << 53, 0.1, "'quotes\"", at, "\"text\"", "-123456.78"),
        row(i64::MAX, f64::INFINITY, "\u{1}", at, "null", "0.01"),
        row(i64::MIN, f64::NEG_INFINITY, "\u{7f}", at, "{\"n\": 12345678901}", "1234567890.12"),
        vec![Bind::Null; 10],
    ];
    let columns = ["n", "f", "b", "s", "at", "id", "doc", "tags", "price", "d"];
    let mut postgres = database.writer().await;
    assert_eq!(postgres.copy_in("t", &columns, rows.clone()).await.unwrap(), 7);
    assert_eq!(sqlite.copy_in("t", &columns, rows).await.unwrap(), 7);
    sqlite.close().await.unwrap();

    let sqlite = tfo_mcp::source::sqlite::Sqlite::new(path);
    let statement = statement("SELECT * FROM t ORDER BY n IS NULL, n", Vec::new());
    let cancel = CancellationToken::new();
    let query = Query { statement: &statement, limits: LIMITS, author: Author::UNBOUND, cancel: &cancel, id: None };
    let (a, b) = (source(&database).query(query).await.unwrap(), sqlite.query(query).await.unwrap());
    for (row, other) in a.rows.iter().zip(&b.rows) {
        assert_eq!(row, other);
    }
    assert_eq!(a.rows.len(), 7);
    for (column, other) in a.columns.iter().zip(&b.columns) {
        // SQLite keeps an array as JSON.
        assert!(column == other || column.name == "tags", "{column:?} {other:?}");
    }
}
