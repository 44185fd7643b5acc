//! What a statement may take, and when its slot is free again.

use std::time::Duration;

use serde_json::json;
use tfo_mcp::source::{
    Limits, Source, SourceErrorKind,
    clickhouse::{ClickHouse, ClickHouseConfig},
};

use crate::support::clickhouse::{WIDE, clickhouse, query};

#[tokio::test]
async fn a_callers_statement_ends_at_its_memory_and_not_at_that_of_the_server() {
    let db = clickhouse().await;
    for (sql, why) in [
        ("SELECT length(arrayResize([toUInt64(0)], 200000000)) AS n", "too much memory while it is resolved"),
        ("SELECT length(groupArray(number)) AS n FROM numbers(300000000)", "1.00 GiB"),
    ] {
        let error = db.ask("me", sql).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Exhausted, "{sql}: {error:?}");
        assert!(error.message.contains(why), "{sql}: {error:?}");
    }
}

#[tokio::test]
async fn a_subquery_for_a_value_that_reads_much_is_refused_with_how_to_write_it() {
    let db = clickhouse().await;
    let count = "SELECT count() AS n FROM numbers(1000000)";
    let error = db.ask("me", &format!("SELECT ({count}) AS n")).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Exhausted, "{error:?}");
    assert!(error.message.contains("stands for a value"), "{error:?}");
    assert!(error.hint.unwrap().contains("CROSS JOIN"));
    let joined = format!("SELECT x.n FROM (SELECT 1 AS one) AS t CROSS JOIN ({count}) AS x");
    assert_eq!(db.ask("me", &joined).await.unwrap().rows, [[json!(1_000_000)]]);
    // What must not read much may stand for a value.
    assert_eq!(db.ask("me", "SELECT (SELECT max(number) FROM numbers(10)) AS n").await.unwrap().rows, [[json!(9)]]);
}

#[tokio::test]
async fn a_statement_of_many_parts_is_refused() {
    let db = clickhouse().await;
    let many = vec!["1 + 0"; 2_000].join(", ");
    let deep = "(".repeat(200) + "1" + &" + 0)".repeat(200);
    let nested = (0..40).fold("SELECT 1 AS n".to_owned(), |inner, _| format!("SELECT n FROM ({inner})"));
    for sql in [format!("SELECT [{many}] AS n"), format!("SELECT {deep} AS n"), nested] {
        let error = db.ask("me", &sql).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Exhausted, "{error:?}");
    }
}

#[tokio::test]
async fn definitions_are_bounded_in_memory_disk_and_size() {
    let db = clickhouse().await;
    let sql = "SELECT name, value FROM system.settings WHERE name IN ('max_memory_usage', \
               'max_temporary_data_on_disk_size_for_query', 'max_ast_elements', 'max_subquery_depth') ORDER BY name";
    assert_eq!(
        db.rows(sql).await,
        [
            [json!("max_ast_elements"), json!("50000")],
            [json!("max_memory_usage"), json!((4_u64 << 30).to_string())],
            [json!("max_subquery_depth"), json!("100")],
            [json!("max_temporary_data_on_disk_size_for_query"), json!((8_u64 << 30).to_string())],
        ]
    );
}

fn endless(mark: &str) -> String {
    format!("SELECT count() AS n, '{mark}' AS mark FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))")
}

fn running(mark: &str) -> String {
    format!(
        "SELECT count() AS n FROM system.processes WHERE query LIKE '%{mark}%' AND query NOT LIKE '%system.processes%'"
    )
}

/// It was free as soon as the answer was given, so that statements which do not end added up.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_slot_is_free_when_the_statement_is_gone() {
    let db = clickhouse().await;
    let one = ClickHouse::remote(ClickHouseConfig { max_connections: 1, ..db.config.clone() });
    let short = Limits { timeout: Duration::from_millis(500), ..WIDE };
    for round in 0..3 {
        let mark = format!("only_one_{round}");
        let error = query(&one, &endless(&mark), &[], short).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Timeout);
        assert!(error.message.contains("told to stop"), "{error:?}");
        // It has the one slot, so the other statement is gone.
        assert_eq!(query(&one, &running(&mark), &[], WIDE).await.unwrap().rows, [[json!(0)]]);
    }
}

/// The process could end before the KILL was sent.
#[tokio::test]
async fn closing_waits_until_the_database_was_told() {
    let db = clickhouse().await;
    let other = ClickHouse::remote(db.config.clone());
    let short = Limits { timeout: Duration::from_millis(500), ..WIDE };
    query(&other, &endless("closing"), &[], short).await.unwrap_err();
    other.close().await;
    assert_eq!(db.rows(&running("closing")).await, [[json!(0)]]);
}

#[tokio::test]
async fn an_account_without_settings_is_said_to_have_one_lock() {
    let db = clickhouse().await;
    assert_eq!(db.source.remarks().await.unwrap(), []);
    let plain = ClickHouse::remote(ClickHouseConfig { send_settings: false, ..db.config.clone() });
    let remarks = plain.remarks().await.unwrap();
    assert!(remarks.len() == 1 && remarks[0].found.contains("one lock") && remarks[0].hint.is_some(), "{remarks:?}");
}

#[tokio::test]
async fn a_database_of_many_tables_is_asked_in_short_addresses() {
    let db = clickhouse().await;
    let tables: Vec<String> = (0..300)
        .map(|n| format!("CREATE TABLE a_table_with_a_long_name_{n} (organization_id String) ENGINE = Memory"))
        .collect();
    db.execute(&tables.iter().map(String::as_str).collect::<Vec<_>>()).await;
    db.execute(&["INSERT INTO a_table_with_a_long_name_7 VALUES ('me'), ('other')"]).await;
    let sql = "SELECT count() AS n FROM a_table_with_a_long_name_7";
    assert_eq!(db.ask("me", sql).await.unwrap().rows, [[json!(1)]]);
    // Many of them at once still fit.
    let all: Vec<String> =
        (0..100).map(|n| format!("SELECT organization_id FROM a_table_with_a_long_name_{n}")).collect();
    let sql = format!("SELECT count() AS n FROM ({})", all.join(" UNION ALL "));
    assert_eq!(db.ask("me", &sql).await.unwrap().rows, [[json!(1)]]);
}

#[tokio::test]
async fn definitions_are_planned_without_the_pass_that_looks_below_every_and() {
    let db = clickhouse().await;
    let sql = "SELECT getSetting('optimize_and_compare_chain') AS pass";
    assert_eq!(db.rows(sql).await, [[json!(false)]]);
}
