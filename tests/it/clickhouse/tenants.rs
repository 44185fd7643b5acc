//! A caller's own SQL sees its organisation and nothing else, whatever it writes.
//!
//! Every text that must not be seen contains `CANARY`; so does every row of another organisation.

use serde_json::json;
use tfo_mcp::source::{
    Source, SourceErrorKind,
    clickhouse::{ClickHouse, ClickHouseConfig},
};

use crate::support::clickhouse::{TestClickHouse, clickhouse};

/// An organisation's name that must be escaped twice.
const ME: &str = "o'me\\ \"{}";

async fn database() -> TestClickHouse {
    let db = clickhouse().await;
    let name = &db.database;
    let password = secrecy::ExposeSecret::expose_secret(db.config.password.as_ref().unwrap()).to_owned();
    let row = |n: &str| {
        format!("if({n} % 2 = 0, '{}', 'other') AS organization_id", ME.replace('\\', "\\\\").replace('\'', "\\'"))
    };
    db.execute(&[
        "CREATE TABLE traces (organization_id String, service String, body String, v UInt32, ts DateTime, plain UInt8, `format` UInt8) \
         ENGINE = MergeTree ORDER BY (organization_id, ts)",
        "CREATE TABLE logs (organization_id LowCardinality(String), service String, body String, v UInt32) \
         ENGINE = MergeTree ORDER BY (service, v)",
        "CREATE MATERIALIZED VIEW traces_1m ENGINE = SummingMergeTree ORDER BY (organization_id, service) AS \
         SELECT organization_id, service, any(body) AS body, count() AS n FROM traces GROUP BY organization_id, service",
        "CREATE TABLE rollup (organization_id String, body String, n UInt64) ENGINE = SummingMergeTree ORDER BY (organization_id, body)",
        "CREATE MATERIALIZED VIEW rollup_mv TO rollup AS \
         SELECT organization_id, any(body) AS body, count() AS n FROM traces GROUP BY organization_id",
        "CREATE MATERIALIZED VIEW leaky_1m ENGINE = SummingMergeTree ORDER BY service AS \
         SELECT service, any(body) AS body, count() AS n FROM traces GROUP BY service",
        "CREATE VIEW all_traces AS SELECT * FROM traces",
        "CREATE VIEW bodies AS SELECT body FROM traces",
        "CREATE VIEW of_service AS SELECT * FROM traces WHERE service = {s:String}",
        "CREATE TABLE memory (organization_id String, body String) ENGINE = Memory",
        "CREATE TABLE joined (organization_id String, body String) ENGINE = Join(ANY, LEFT, organization_id)",
        "CREATE TABLE a_set (organization_id String) ENGINE = Set",
        &format!("CREATE TABLE merged AS traces ENGINE = Merge('{name}', '^traces$')"),
        "CREATE TABLE plain (k String, body String) ENGINE = MergeTree ORDER BY k",
        "CREATE TABLE units (unit String, title String) ENGINE = MergeTree ORDER BY unit",
        &format!(
            "CREATE DICTIONARY dict (organization_id String, body String) PRIMARY KEY organization_id \
             SOURCE(CLICKHOUSE(DB '{name}' TABLE 'memory' USER 'tfo' PASSWORD '{password}')) \
             LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(0)"
        ),
        &format!(
            "INSERT INTO traces SELECT {}, 'svc' || toString(number % 3), \
             if(number % 2 = 0, 'mine', 'CANARY') || toString(number), number, now(), 0, 0 FROM numbers(1000)",
            row("number")
        ),
        "INSERT INTO logs SELECT organization_id, service, body, v FROM traces",
        "INSERT INTO memory SELECT organization_id, body FROM traces",
        "INSERT INTO joined SELECT organization_id, body FROM traces",
        "INSERT INTO a_set VALUES ('other')",
        "INSERT INTO plain VALUES ('CANARY', 'CANARY')",
        "INSERT INTO units VALUES ('ms', 'milliseconds')",
    ])
    .await;
    let config = ClickHouseConfig { shared_tables: vec!["units".into()], ..db.config.clone() };
    TestClickHouse { source: ClickHouse::remote(config), config: db.config.clone(), database: name.clone() }
}

/// Statements that work, and see 500 of 1000 rows.
const HONEST: &[(&str, i64)] = &[
    ("SELECT count() AS n FROM traces", 500),
    ("select count(*) as n from DB.traces;", 500),
    ("SELECT count() AS n FROM `DB`.`traces` AS t WHERE t.body != ''", 500),
    ("SELECT count() AS n FROM \"traces\" FINAL_ WHERE 1", 500),
    ("SELECT count() AS n FROM traces AS plain", 500),
    ("SELECT count() AS n FROM logs AS `DB.traces`", 500),
    ("SELECT count() AS n FROM (SELECT * FROM traces)", 500),
    ("WITH x AS (SELECT * FROM logs) SELECT count() AS n FROM x -- done", 500),
    ("SELECT (SELECT count() FROM traces) AS n", 500),
    ("SELECT count() AS n FROM traces AS a INNER JOIN logs AS b ON a.v = b.v", 500),
    ("SELECT count() AS n FROM traces AS a, logs AS b WHERE a.v = b.v", 500),
    ("SELECT count() AS n FROM traces WHERE v IN (SELECT v FROM logs)", 500),
    ("SELECT sum(n) AS n FROM (SELECT count() AS n FROM traces UNION ALL SELECT 0 AS n)", 500),
    ("SELECT toUInt64(sum(n)) AS n FROM traces_1m", 500),
    ("SELECT sum(n) AS n FROM rollup", 500),
    ("SELECT sum(n) AS n FROM rollup_mv", 500),
    ("SELECT count() AS n FROM all_traces", 500),
    ("SELECT count() AS n FROM memory", 500),
    ("SELECT count() AS n FROM merged", 500),
    ("SELECT count() AS n FROM units", 1),
    ("SELECT count() AS n FROM numbers(7)", 7),
    ("SELECT uniqExact(organization_id) AS n FROM traces", 1),
    ("SELECT uniqExactIf(organization_id, v >= 0) AS n FROM logs", 1),
    ("SELECT countIf(organization_id = 'other') AS n FROM logs", 0),
    ("SELECT sum(plain) + max(`format`) AS n FROM traces", 0),
    ("SELECT toInt64(quantileExact(0.5)(v)) AS n FROM traces", 500),
    ("SELECT arraySum(arrayMap(x -> x * 2, [1, 2])) AS n", 6),
    ("SELECT map('a', 5)['a'] AS n", 5),
    ("SELECT CASE WHEN count() BETWEEN (1) AND (900) THEN (3) ELSE (4) END AS n FROM traces", 3),
    (
        "SELECT toUInt8(row_number() OVER (PARTITION BY (organization_id) ORDER BY v)) AS n FROM traces ORDER BY v LIMIT 1",
        1,
    ),
    ("SELECT CAST(5, 'UInt8')::Decimal(9, 2)::UInt8 + (INTERVAL 1 DAY IS NULL) AS n", 5),
    ("SELECT count() AS n FROM traces WHERE organization_id = 'other' OR 1", 500),
    ("SELECT count() AS n FROM (SELECT 'other' AS organization_id, body FROM traces)", 500),
];

#[tokio::test]
async fn honest_statements_see_their_organisation() {
    let db = database().await;
    for (sql, expected) in HONEST {
        let sql = sql.replace("DB", &db.database);
        let rows = db.ask(ME, &sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_eq!(rows.rows, [[json!(expected)]], "{sql}");
    }
    let other = db.ask("other", "SELECT count() AS n, min(body) AS b FROM traces").await.unwrap();
    assert_eq!(other.rows, [[json!(500), json!("CANARY1")]]);
    let nobody = db.ask("nobody", "SELECT count() AS n FROM traces").await.unwrap();
    assert_eq!(nobody.rows, [[json!(0)]]);
}

/// Statements that must be refused before a row is read.
const REFUSED: &str = "
    SELECT * FROM system.tables
    SELECT * FROM SYSTEM.processes
    SELECT * FROM `system`.`tables`
    SELECT * FROM \"system\" . \"tables\"
    SELECT * FROM /* a */ system /* b */ . /* c */ tables
    SELECT * FROM system -- comment
    SELECT * FROM numbers(1) AS a, system.tables AS b
    SELECT * FROM numbers(1) AS a, (SELECT * FROM system.tables) AS b
    SELECT 1 WHERE 'x' IN (SELECT name FROM system.users)
    SELECT 1 WHERE ('x', 'y') IN system.tables
    SELECT (SELECT groupArray(query) FROM system.processes)
    WITH x AS (SELECT * FROM system.databases) SELECT * FROM x
    SELECT * FROM information_schema.tables
    SELECT * FROM INFORMATION_SCHEMA.TABLES
    SELECT * FROM default.traces
    SELECT * FROM `.inner_id.1`
    SELECT * FROM traces AS t JOIN system.one AS o ON 1
    SELECT * FROM merge('DB', 'traces')
    SELECT * FROM merge('traces')
    SELECT * FROM merge(DB, '.*')
    SELECT * FROM `merge`('DB', '.*')
    SELECT * FROM cluster('default', DB.traces)
    SELECT * FROM clusterAllReplicas('default', DB.traces)
    SELECT * FROM remote('127.0.0.1', DB.traces)
    SELECT * FROM remoteSecure('127.0.0.1', DB.traces)
    SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')
    SELECT * FROM file('/etc/passwd', 'LineAsString')
    SELECT * FROM s3('http://127.0.0.1:1/', 'LineAsString')
    SELECT * FROM mergeTreeIndex('DB', 'traces')
    SELECT * FROM mergeTreeProjection('DB', 'traces', 'p')
    SELECT * FROM mergeTreeAnalyzeIndexes('DB', 'traces')
    SELECT * FROM loop('DB', 'traces')
    SELECT * FROM view(SELECT * FROM traces)
    SELECT * FROM viewIfPermitted(SELECT * FROM traces ELSE null('body String'))
    SELECT * FROM viewExplain('EXPLAIN', '', (SELECT * FROM traces))
    SELECT * FROM dictionary('DB.dict')
    SELECT * FROM input('a String')
    SELECT * FROM executable('x', 'TSV', 'a String')
    SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')
    SELECT * FROM eval('SELECT 1')
    SELECT dictGet('DB.dict', 'body', tuple('other'))
    SELECT dictGetOrDefault('DB.dict', 'body', tuple('other'), '')
    SELECT `dictGet`('DB.dict', 'body', tuple('other'))
    SELECT dictGet /* x */ ('DB.dict', 'body', tuple('other'))
    SELECT dictHas('DB.dict', tuple('other'))
    SELECT joinGet('DB.joined', 'body', 'other')
    SELECT joinGetOrNull(DB.joined, 'body', 'other')
    SELECT arrayMap(x -> joinGet('DB.joined', 'body', x), ['other'])
    SELECT a.*, b.* FROM (SELECT 'other' AS organization_id) AS a ANY LEFT JOIN joined AS b USING organization_id
    SELECT a.*, b.* FROM (SELECT 'other' AS organization_id) AS a ANY LEFT JOIN `DB`.`joined` AS b USING (organization_id)
    SELECT a.*, b.* FROM (SELECT 'other' AS organization_id) AS a LEFT JOIN dict AS b USING organization_id
    SELECT 1 WHERE 'other' IN a_set
    SELECT 1 WHERE 'other' IN (a_set)
    SELECT 1 WHERE 'other' GLOBAL NOT IN DB.a_set
    SELECT in('other', a_set)
    SELECT * FROM plain
    SELECT * FROM DB.plain
    SELECT * FROM numbers(1) AS a, plain
    SELECT 1 WHERE ('CANARY', 'CANARY') IN plain
    SELECT * FROM leaky_1m
    SELECT * FROM bodies
    SELECT * FROM of_service(s = 'svc1')
    SELECT file('/etc/passwd')
    SELECT * APPLY(file) FROM values('a String', '/etc/passwd')
    SELECT * APPLY file FROM values('a String', '/etc/passwd')
    SELECT {'a': file('/etc/passwd')}
    SELECT getSetting('additional_table_filters')
    SELECT getServerSetting('x')
    SELECT getMacro('x')
    SELECT hostName()
    SELECT currentUser()
    SELECT hasColumnInTable('DB', 'plain', 'body')
    SELECT sleep(3)
    SELECT sleepEachRow(3) FROM numbers(1000)
    SELECT aiGenerate('x', 'y')
    SELECT throwIf(1)
    SELECT somethingNew(1)
    SELECT count() FROM traces SETTINGS additional_table_filters = {}
    SELECT count() FROM traces SETTINGS max_threads = 1
    SELECT count() FROM (SELECT * FROM traces SETTINGS max_threads = 1)
    SELECT * FROM traces FORMAT CSV
    SELECT * FROM traces format Native
    SELECT * FROM traces INTO OUTFILE '/tmp/x'
    SELECT body FROM traces PREWHERE body LIKE 'CANARY%'
    SELECT 1; SELECT 2
    SELECT 1;; SELECT 2
    SELECT 1; DROP TABLE traces
    INSERT INTO traces SELECT * FROM traces
    DROP TABLE traces
    SET readonly = 0
    EXPLAIN SELECT * FROM traces
    EXPLAIN ESTIMATE SELECT * FROM traces
    SELECT * FROM (EXPLAIN SELECT * FROM traces)
    SELECT * FROM (EXPLAIN indexes = 1 SELECT * FROM traces WHERE organization_id = 'other')
    SELECT * FROM (DESCRIBE traces)
    SELECT * FROM (DESC traces)
    SELECT * FROM (SHOW TABLES)
    SHOW TABLES
    SHOW CREATE TABLE traces
    DESCRIBE TABLE traces
    DESC traces
    EXISTS TABLE traces
    CHECK TABLE traces
    USE default
    KILL QUERY WHERE 1
    SELECT 1 PARALLEL WITH KILL QUERY WHERE 1
    SELECT 1 PARALLEL WITH SELECT 2
    SELECT _part_offset FROM traces
    SELECT `_part_offset` FROM traces
    SELECT t.\"_part_offset\" FROM traces AS t
    SELECT max(_part_offset) - min(_part_offset) + 1 - count() FROM logs GROUP BY _part
    SELECT max(_part_starting_offset) FROM logs
    SELECT count() FROM logs WHERE _part_granule_offset > 0
    SELECT _block_number, _block_offset FROM traces
    SELECT _table, _database FROM merged
    SELECT 1 FROM logs ORDER BY _part_data_version
    SELECT x FROM (SELECT _partition_id AS x FROM traces)
    SELECT _row_exists, _sample_factor, _disk_name, _shard_num FROM traces
    SELECT a._part_uuid FROM traces AS a JOIN logs AS b ON a.v = b.v
    SELECT arrayFold((acc, x) -> acc + x, range(30000000), toUInt64(0))
    SELECT editDistance(repeat('a', 60000), repeat('b', 60000))
    SYSTEM FLUSH LOGS
    TABLE traces
    FROM traces SELECT *
    SELECT * FROM {p1:Identifier}
    SELECT * FROM {p1 : /* x */ Identifier}
    SELECT * FROM $$system.tables$$
    SELECT @@version
    SELECT 1 /* /* */ FROM system.tables */
    SELECT * FROM `sys\\x74em`.`tables`
    SELECT * FROM \u{201c}system\u{201d}.tables
    SELECT * FROM catalogs.x.y
    (SELECT * FROM system.one)
    SELECT 1 UNION ALL SELECT name FROM system.tables
    SELECT 1 INTERSECT SELECT 1 FROM system.one
    VALUES (1)
";

#[tokio::test]
async fn escapes_are_refused() {
    let db = database().await;
    let mut wrong = Vec::new();
    let refused = REFUSED.lines().map(str::trim).filter(|line| !line.is_empty());
    for sql in refused {
        let sql = sql.replace("DB", &db.database);
        match db.ask(ME, &sql).await {
            Err(error) if error.kind == SourceErrorKind::Forbidden && error.hint.is_some() => {
                assert!(!format!("{error:?}").contains("CANARY") || sql.contains("CANARY"), "{sql}: {error:?}");
            }
            // A bare word is a table of this database, of which there is none.
            Err(error) if error.kind == SourceErrorKind::Missing && sql.contains("-- comment") => {}
            other => wrong.push(format!("{sql}\n    {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Statements that may run or not, but show nothing of others: neither in rows nor in errors.
const SILENT: &str = "
    SELECT * FROM traces WHERE body LIKE 'CAN%' OR organization_id = 'other'
    SELECT DISTINCT organization_id FROM logs ORDER BY organization_id DESC
    SELECT min(body), max(body), min(organization_id), max(organization_id) FROM traces
    SELECT groupUniqArray(body) FROM merged
    SELECT any(body), anyLast(body) FROM traces_1m GROUP BY service
    SELECT * FROM rollup ORDER BY body LIMIT 10
    SELECT body FROM all_traces LIMIT 1 BY service
    SELECT COLUMNS('body') FROM traces
    SELECT t.* FROM traces AS t ARRAY JOIN [1, 2] AS x
    SELECT b.body FROM traces AS a LEFT JOIN memory AS b ON b.organization_id = 'other'
    SELECT a.body, b.body FROM traces AS a FULL OUTER JOIN logs AS b ON a.v + 1 = b.v
    SELECT a.body FROM traces AS a ASOF JOIN logs AS b ON a.service = b.service AND a.v <= b.v
    SELECT (SELECT max(body) FROM logs), (SELECT groupArray(body) FROM memory)
    SELECT body FROM logs WHERE v IN (SELECT v + 1 FROM logs)
    WITH RECURSIVE r AS (SELECT body, v FROM traces WHERE v < 2 UNION ALL SELECT t.body, t.v FROM traces AS t INNER JOIN r ON t.v = r.v + 1) SELECT * FROM r
    SELECT body, lagInFrame(body) OVER (ORDER BY v) FROM traces
    SELECT * FROM traces AS `DB.plain`
    SELECT * FROM traces AS `DB.logs`
    SELECT * FROM traces AS units
    SELECT * FROM traces AS `DB.units`
    WITH traces AS (SELECT * FROM logs) SELECT * FROM traces
    WITH ME AS organization_id SELECT body, organization_id FROM traces
    SELECT 1 FROM traces WHERE toUInt8(replaceAll(body, 'mine', '')) > 1000
    SELECT 1 FROM logs WHERE toUInt8(replaceAll(body, 'mine', '')) > 1000
    SELECT 1 FROM memory WHERE toUInt16(replaceAll(body, 'mine', '')) > 1000
    SELECT 1 FROM merged WHERE toUInt16(replaceAll(body, 'mine', '')) > 1000
    SELECT 1 FROM all_traces WHERE toUInt16(replaceAll(body, 'mine', '')) > 1000
    SELECT 1 FROM traces_1m WHERE toUInt16(replaceAll(body, 'mine', '')) > 1000
    SELECT 1 FROM rollup_mv WHERE toUInt16(replaceAll(body, 'mine', '')) > 1000
    SELECT 1 FROM (SELECT * FROM traces) WHERE toUInt16(replaceAll(body, 'mine', '')) > 1000
    SELECT 1 FROM traces AS a JOIN traces AS b ON a.v = b.v WHERE toUInt16(replaceAll(b.body, 'mine', '')) > 1000
    SELECT 1 FROM traces AS a JOIN traces AS b ON a.v = b.v AND toUInt16(replaceAll(b.body, 'mine', '')) > 1000
    SELECT 1 FROM traces AS a LEFT JOIN memory AS b ON toUInt16(replaceAll(b.body, 'mine', '')) = a.v WHERE b.body = 'x'
    SELECT 1 FROM traces WHERE intDiv(1, if(organization_id = 'other', 0, 1)) = 5
    SELECT intDiv(1, if(organization_id = 'other', 0, 1)) AS x FROM traces GROUP BY x HAVING x = 5
    SELECT 1 FROM traces WHERE organization_id = 'other' AND intDiv(1, v - v) = 0
    SELECT 1 FROM traces ORDER BY toUInt16(replaceAll(body, 'mine', '')) DESC LIMIT 1
    SELECT sum(toUInt16(replaceAll(body, 'mine', ''))) FROM traces GROUP BY organization_id
    SELECT 1 FROM traces QUALIFY max(toUInt16(replaceAll(body, 'mine', ''))) OVER () > 5000
";

#[tokio::test]
async fn nothing_of_others_shows() {
    let db = database().await;
    let mut wrong = Vec::new();
    for sql in SILENT.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let sql = sql.replace("DB", &db.database).replace("ME", "'other'");
        match db.ask(ME, &sql).await {
            Ok(rows) if !format!("{rows:?}").contains("CANARY") => {}
            // An error may only come from the statement's form: on the caller's own rows none of these fails.
            Err(error) if matches!(error.kind, SourceErrorKind::Forbidden) => {}
            Err(error) if error.message.contains("SYNTAX") || error.message.contains("INVALID_JOIN") => {}
            other => wrong.push(format!("{sql}\n    {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An expression that fails on rows of others and on no row of the caller, everywhere an expression may stand.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn rows_of_others_are_not_even_computed_with() {
    const TABLES: [&str; 8] =
        ["traces", "logs", "memory", "merged", "all_traces", "traces_1m", "rollup_mv", "(SELECT * FROM logs)"];
    const PLACES: &str = "
        SELECT 1 FROM <T> AS t WHERE <E> > 1
        SELECT 1 FROM <T> AS t WHERE body != '' AND <E> > 1 AND body != 'x'
        SELECT 1 FROM <T> AS t WHERE organization_id = 'other' AND <E> = 1
        SELECT count() FROM <T> AS t WHERE organization_id = 'other' OR <E> = 1
        SELECT <E> AS e, count() FROM <T> AS t GROUP BY e HAVING e > 1
        SELECT sum(<E>) FROM <T> AS t GROUP BY organization_id
        SELECT sumIf(<E>, body = 'x') FROM <T> AS t
        SELECT body FROM <T> AS t ORDER BY <E>, body LIMIT 1
        SELECT body FROM <T> AS t LIMIT 1 BY <E>
        SELECT DISTINCT <E> FROM <T> AS t
        SELECT max(<E>) OVER (PARTITION BY organization_id) FROM <T> AS t
        SELECT body FROM <T> AS t QUALIFY max(<E>) OVER () > 1
        SELECT x FROM <T> AS t ARRAY JOIN [<E>] AS x WHERE x > 1
        SELECT 1 WHERE 5 IN (SELECT <E> FROM <T> AS t)
        SELECT (SELECT max(<E>) FROM <T> AS t) AS m
        SELECT m FROM (SELECT max(<E>) AS m FROM <T> AS t WHERE body = 'x')
        SELECT 1 FROM traces AS a INNER JOIN (SELECT <E> AS e, body FROM <T> AS t) AS b ON a.v = b.e WHERE b.body = 'x'
        SELECT 1 FROM traces AS a INNER JOIN <T> AS t ON a.v = <E> WHERE t.body = 'x'
        SELECT 1 FROM traces AS a LEFT JOIN <T> AS t ON a.v = <E> WHERE t.body = 'x'
        SELECT 1 FROM traces AS a LEFT JOIN <T> AS t ON a.v = <E>
        SELECT 1 FROM traces AS a RIGHT JOIN <T> AS t ON a.v = <E> WHERE a.body = 'x'
        SELECT 1 FROM traces AS a FULL JOIN <T> AS t ON a.v = <E>
        SELECT 1 FROM <T> AS t INNER JOIN traces AS a ON <E> = a.v WHERE a.body = 'x' AND t.body = 'y'
        SELECT 1 FROM <T> AS t LEFT SEMI JOIN traces AS a ON <E> = a.v
        SELECT 1 FROM <T> AS t LEFT ANTI JOIN traces AS a ON <E> = a.v
        SELECT 1 FROM <T> AS t, traces AS a WHERE <E> = a.v AND a.body = 'x'
        SELECT 1 FROM (SELECT * FROM <T> UNION ALL SELECT * FROM <T>) AS t WHERE <E> > 1
        WITH c AS (SELECT * FROM <T>) SELECT 1 FROM c AS t INNER JOIN c AS u ON t.body = u.body WHERE <E> > 1
    ";
    let db = database().await;
    let (mut wrong, mut ran) = (Vec::new(), 0);
    for place in PLACES.lines().map(str::trim).filter(|line| !line.is_empty()) {
        for table in TABLES {
            for failing in
                ["intDiv(1, t.organization_id != 'other')", "toUInt16(replaceRegexpOne(t.body, '^mine', ''))"]
            {
                let sql = place.replace("<T>", table).replace("<E>", failing);
                match db.ask(ME, &sql).await {
                    Ok(_) => ran += 1,
                    // Not every kind of table can stand everywhere.
                    Err(error)
                        if ["48)", "INVALID_JOIN_ON_EXPRESSION", "NOT_IMPLEMENTED"]
                            .iter()
                            .any(|code| error.message.contains(code)) => {}
                    Err(error) => wrong.push(format!("{sql}\n    {error:?}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran > 400, "{ran}");
}

#[tokio::test]
async fn mistakes_are_explained_and_values_are_not_told() {
    let db = database().await;
    let error = db.ask(ME, "SELECT nothing FROM traces").await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Missing, "{error:?}");
    assert!(error.message.contains("nothing"), "{error:?}");
    let error = db.ask(ME, "SELECT toUInt8(body) AS x FROM traces").await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Invalid, "{error:?}");
    assert!(!error.message.contains("mine") && error.message.contains("CANNOT_PARSE_TEXT"), "{error:?}");
    assert!(error.hint.unwrap().contains("OrNull"));
}

#[tokio::test]
async fn a_table_made_later_is_bound_too() {
    let db = database().await;
    db.ask(ME, "SELECT count() AS n FROM traces").await.unwrap();
    // Through another source, so that this one is not told.
    let admin = ClickHouse::remote(db.config.clone());
    admin.execute("CREATE TABLE later (organization_id String) ENGINE = Memory").await.unwrap();
    admin.execute("INSERT INTO later VALUES ('other'), ('CANARY')").await.unwrap();
    let first = db.ask(ME, "SELECT * FROM later").await.unwrap_err();
    assert_eq!(first.kind, SourceErrorKind::Forbidden, "{first:?}");
    assert_eq!(db.ask(ME, "SELECT count() AS n FROM later").await.unwrap().rows, [[json!(0)]]);
}

#[tokio::test]
async fn an_account_without_settings_runs_no_statements_of_callers() {
    let db = database().await;
    let config = ClickHouseConfig { send_settings: false, ..db.config.clone() };
    let plain = TestClickHouse { source: ClickHouse::remote(config.clone()), config, database: db.database.clone() };
    let error = plain.ask(ME, "SELECT count() AS n FROM traces").await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Forbidden);
    plain.source.close().await;
}
