//! Values on their way in and out.

use super::*;

#[tokio::test]
async fn declarations_decide_what_values_mean() {
    let file = File::with(
        "CREATE TABLE t (b BOOLEAN, at TIMESTAMP, d DATE, id UUID, doc JSON, price DECIMAL(10, 2), exact DECIMAL,
                         n INTEGER, big BIGINT, r REAL, s TEXT, v VARCHAR(10), x BLOB);
         INSERT INTO t VALUES (1, '2026-11-20T10:00:00.000Z', '2026-11-20', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
                               '{\"a\": [1, null]}', 1.5, 0.125, 7, 9007199254740992, 9e999, 'text', 'v', x'00ff');
         INSERT INTO t VALUES (0, '2026-11-20 10:00:00', NULL, NULL, '[]', 2, 3, -9223372036854775808, 1, -9e999,
                               CAST(x'66ff6f' AS TEXT), '', x'');
         INSERT INTO t VALUES (NULL, 'yesterday', 'soon', 'no uuid', 'no json', 'ten', NULL, 'seven', NULL, 3, 5, 6, 'x');",
    )
    .await;
    let rows = file.ask("SELECT * FROM t").await.unwrap();
    let types: Vec<ColumnType> = rows.columns.iter().map(|column| column.ty).collect();
    assert_eq!(
        types,
        [
            ColumnType::Boolean,
            // One of its values has no zone.
            ColumnType::LocalTimestamp,
            ColumnType::Date,
            ColumnType::Uuid,
            ColumnType::Object,
            ColumnType::Decimal,
            ColumnType::Decimal,
            ColumnType::Integer,
            ColumnType::Integer,
            ColumnType::Float,
            ColumnType::Text,
            ColumnType::Text,
            ColumnType::Binary
        ]
    );
    let rows: Vec<Value> = rows.rows.into_iter().map(Value::Array).collect();
    assert_eq!(
        rows,
        [
            json!([
                true,
                "2026-11-20T10:00:00.000Z",
                "2026-11-20",
                "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                {"a": [1, null]},
                "1.50",
                "0.125",
                7,
                "9007199254740992",
                "Infinity",
                "text",
                "v",
                "\\x00ff"
            ]),
            json!([
                false,
                "2026-11-20 10:00:00",
                null,
                null,
                [],
                "2.00",
                "3",
                "-9223372036854775808",
                1,
                "-Infinity",
                "f\u{fffd}o",
                "",
                "\\x"
            ]),
            json!([null, "yesterday", "soon", "no uuid", "no json", "ten", null, "seven", null, 3.0, "5", "6", "x"]),
        ]
    );
}

#[tokio::test]
async fn declarations_are_followed_through_subqueries_views_and_aliases() {
    let file = File::with(
        "CREATE TABLE t (ok BOOLEAN, at TIMESTAMP); INSERT INTO t VALUES (1, '2026-11-20 10:00:00');
         CREATE VIEW v AS SELECT ok AS fine, at FROM t;",
    )
    .await;
    let sql = "WITH c AS (SELECT * FROM v) SELECT x.fine AS renamed, at FROM (SELECT * FROM c) AS x";
    let rows = file.ask(sql).await.unwrap();
    assert_eq!(rows.rows, [[json!(true), json!("2026-11-20 10:00:00")]]);
}

#[tokio::test]
async fn a_time_without_a_zone_gets_none_and_one_with_a_zone_becomes_utc() {
    for (stored, shown) in [
        ("2026-11-20T10:00:00.000Z", "2026-11-20T10:00:00.000Z"),
        ("2026-11-20 10:00:00Z", "2026-11-20T10:00:00.000Z"),
        ("2026-11-20 12:00:00+02:00", "2026-11-20T10:00:00.000Z"),
        ("2026-11-20 12:00:00.25+02", "2026-11-20T10:00:00.250Z"),
        ("2026-11-20T04:30:00 -0530", "2026-11-20T10:00:00.000Z"),
        ("2026-11-20 18:00:00", "2026-11-20 18:00:00"),
        ("2026-11-20T18:00:00.123456", "2026-11-20T18:00:00.123456"),
        ("2026-11-20 18:00", "2026-11-20 18:00"),
        ("2026-11-20 18:00:00 CST", "2026-11-20 18:00:00 CST"),
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20 18:00:00+", "2026-11-20 18:00:00+"),
        ("2026-11-20 18:00:00+99:99", "2026-11-20 18:00:00+99:99"),
    ] {
        for declared in ["TIMESTAMP", "DATETIME", "TIMESTAMPTZ"] {
            let script = format!("CREATE TABLE t (at {declared}); INSERT INTO t VALUES ('{stored}'), (NULL);");
            let rows = File::with(&script).await.ask("SELECT at FROM t").await.unwrap();
            assert_eq!(rows.rows, [[json!(shown)], [Value::Null]], "{declared}");
            let ty = if shown.ends_with('Z') { ColumnType::Timestamp } else { ColumnType::LocalTimestamp };
            assert_eq!(rows.columns[0].ty, ty, "{stored}");
        }
    }
}

#[tokio::test]
async fn numbers_inside_json_keep_every_digit() {
    let file = File::with(
        "CREATE TABLE t (doc JSON);
         INSERT INTO t VALUES ('{\"id\": 12345678901234567890, \"list\": [9007199254740993, 1.5, 0.1234567890123456789]}');",
    )
    .await;
    let rows = file.ask("SELECT doc FROM t").await.unwrap();
    let expected = json!({"id": "12345678901234567890", "list": ["9007199254740993", 1.5, "0.1234567890123456789"]});
    assert_eq!(rows.rows, [[expected]]);
}

#[tokio::test]
async fn expressions_are_what_their_values_are() {
    let file = File::with("CREATE TABLE t (n INTEGER)").await;
    let rows = file.ask("SELECT 1 AS i, 1.5 AS f, 'a' AS s, x'01' AS b, NULL AS n, 1 = 1 AS t").await.unwrap();
    assert_eq!(rows.rows, [[json!(1), json!(1.5), json!("a"), json!("\\x01"), Value::Null, json!(1)]]);
    let types: Vec<ColumnType> = rows.columns.iter().map(|column| column.ty).collect();
    use ColumnType::{Float, Integer, Other, Text};
    assert_eq!(types, [Integer, Float, Text, Text, Other, Integer]);
}

#[tokio::test]
async fn every_kind_of_value_binds() {
    let file = File::with("CREATE TABLE t (n INTEGER)").await;
    let id = uuid::Uuid::from_u128(7);
    let at = time::macros::datetime!(2026-11-20 12:00:00.5 +2);
    let binds = vec![
        Bind::Null,
        Bind::Bool(true),
        Bind::Integer(i64::MAX),
        Bind::Float(1.5),
        Bind::Text("'; DROP TABLE t; --".into()),
        Bind::Timestamp(at),
        Bind::Uuid(id),
        Bind::List(vec![Bind::Text("a".into()), Bind::Null]),
    ];
    let rows = file.ask_with("SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8", binds, LIMITS).await.unwrap();
    assert_eq!(
        rows.rows,
        [[
            Value::Null,
            json!(1),
            json!(i64::MAX.to_string()),
            json!(1.5),
            json!("'; DROP TABLE t; --"),
            json!("2026-11-20T10:00:00.500Z"),
            json!(id.to_string()),
            json!("[\"a\",null]")
        ]]
    );
    let error = file.ask_with("SELECT ?1, ?2", vec![Bind::Null], LIMITS).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Invalid, "{error:?}");
}

#[tokio::test]
async fn a_time_range_meets_times_without_a_zone_where_the_statement_says_how() {
    let file = File::with(
        "CREATE TABLE t (id INTEGER, at DATETIME);
         INSERT INTO t VALUES (1, '2026-11-20 11:59:59'), (2, '2026-11-20 12:00:00'), (3, '2026-11-20 13:59:59'),
                              (4, '2026-11-20 14:00:00'), (5, '2026-11-20T12:30:00.000Z');",
    )
    .await;
    let window = vec![
        Bind::Timestamp(time::macros::datetime!(2026-11-20 12:00 UTC)),
        Bind::Timestamp(time::macros::datetime!(2026-11-20 14:00 UTC)),
    ];
    for condition in [
        "datetime(at) >= datetime(?1) AND datetime(at) < datetime(?2)",
        "at >= ?1 COLLATE instant AND at < ?2 COLLATE instant",
    ] {
        let sql = format!("SELECT id FROM t WHERE {condition} ORDER BY id");
        let rows = file.ask_with(&sql, window.clone(), LIMITS).await.unwrap().rows;
        assert_eq!(rows, [[json!(2)], [json!(3)], [json!(5)]], "{condition}");
    }
}

#[tokio::test]
async fn placeholders_of_callers_are_written_as_in_postgresql_too() {
    let file = File::with("CREATE TABLE t (id INTEGER, organization_id TEXT)").await;
    let binds = || vec![Bind::Integer(1), Bind::Integer(2)];
    for sql in ["SELECT ?1 AS a, ?2 AS b", "SELECT $1 AS a, $2 AS b", "SELECT ? AS a, ? AS b"] {
        let rows = ask_as_caller(&file, sql, binds(), LIMITS.timeout).await.unwrap();
        assert_eq!(rows.rows, [[json!(1), json!(2)]], "{sql}");
    }
    let error = ask_as_caller(&file, "SELECT $3 AS a", binds(), LIMITS.timeout).await.unwrap_err();
    assert!(error.message.contains("`$3` has no value"), "{error:?}");
}

#[tokio::test]
async fn postgresqls_order_of_bytes_and_plain_labels_of_json_are_understood() {
    let file = File::with(
        "CREATE TABLE t (s TEXT, labels TEXT);
         INSERT INTO t VALUES ('b', '{\"a.b\": 1}'), ('é', NULL), ('B', '{}'), ('a', '{\"a.b\": 2}'), (CAST(x'C3' AS TEXT), NULL);",
    )
    .await;
    let sql = "SELECT s FROM t WHERE s < 'é' COLLATE \"C\" ORDER BY s COLLATE \"C\" DESC";
    assert_eq!(file.ask(sql).await.unwrap().rows, [[json!("b")], [json!("a")], [json!("B")]]);
    let sql =
        "SELECT max(s COLLATE \"C\") AS last FROM t WHERE labels->>'a.b' = 2 OR labels->>'a.b' IS NULL AND s < 'C'";
    assert_eq!(file.ask(sql).await.unwrap().rows, [[json!("a")]]);
    let caller = ask_as_caller(&file, "SELECT 'a' < 'B' COLLATE \"C\" AS less", Vec::new(), LIMITS.timeout).await;
    assert_eq!(caller.unwrap().rows, [[json!(0)]]);
}
