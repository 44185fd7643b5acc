//! What a statement of a caller would read and do, told before it runs, on the three real databases: nothing is run,
//! nothing is explained that may not run, and nothing that another organisation records changes a byte of it.

use std::{path::Path, sync::Arc};

use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};
use tfo_mcp::{
    catalog::CatalogOptions,
    demo::schema,
    engine::{Answer, Call, Engine, Outcome},
    source::{
        Source,
        clickhouse::ClickHouse,
        postgres::{Postgres, PostgresOptions},
        sqlite::Sqlite,
    },
};

use crate::{
    answers::engine_of,
    own_rows::OWN,
    support::{
        clickhouse::{TestClickHouse, clickhouse},
        pack::catalog,
        postgres::{Database, database},
    },
};

const OTHER: &str = "bbbbbbbb-0000-4000-8000-000000000002";

fn engine(telemetry: ClickHouse, platform: Arc<dyn Source>) -> Engine {
    let toolsets = ["analytics", "datasource", "schema"].map(str::to_owned).to_vec();
    let options = CatalogOptions { toolsets: Some(toolsets), ..CatalogOptions::default() };
    engine_of(catalog(&[], &options), telemetry, platform, OWN)
}

async fn call(engine: &Engine, tool: &str, arguments: Value) -> Result<Answer, String> {
    let arguments = arguments.as_object().cloned().unwrap();
    match engine.call_tool(tool, arguments, &Call::default()).await.map_err(|error| error.to_text())? {
        Outcome::Done(answer) if answer.is_error => Err(answer.text()),
        Outcome::Done(answer) => Ok(answer),
        Outcome::Asks(_) => panic!("`{tool}` asks nobody"),
    }
}

async fn explained(engine: &Engine, source: &str, sql: &str) -> String {
    let answer = call(engine, "explain_query", json!({ "source": source, "sql": sql })).await;
    let answer = answer.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let told = format!("{}\n{}", answer.text(), answer.structured.as_ref().unwrap());
    for id in [OWN, OTHER, "tfo$", "cost=", "Granules", "organization_id ="] {
        assert!(!told.contains(id), "{id}: {sql}\n{told}");
    }
    told
}

/// ClickHouse that nothing is asked of.
fn nowhere() -> ClickHouse {
    ClickHouse::embedded(tfo_mcp::source::clickhouse::EmbeddedConfig::new(Path::new("/nonexistent"), "telemetry"))
}

/// One rule, one alert and one account of an organisation, with ids that end in `n`.
fn rows_of(organization: &str, n: usize, name: &str) -> Vec<String> {
    let id = |kind: usize| format!("{kind:08}-0000-4000-8000-{n:012}");
    let (rule, alert, user, role) = (id(1), id(2), id(3), id(4));
    vec![
        format!(
            "INSERT INTO alert_rules (id, organization_id, name, severity) VALUES ('{rule}', '{organization}', '{name}{n}', 'critical')"
        ),
        format!(
            "INSERT INTO alert_instances (id, alert_rule_id, organization_id, status, severity, title, starts_at, fingerprint) \
             VALUES ('{alert}', '{rule}', '{organization}', 'firing', 'critical', '{name}', '2026-11-20 11:00:00+00', 'f{n}')"
        ),
        format!(
            "INSERT INTO users (id, email, password, \"firstName\", organization_id) \
             VALUES ('{user}', '{name}{n}@x', 'x', '{name}', '{organization}')"
        ),
        format!("INSERT INTO roles (id, name) VALUES ('{role}', 'role {n}')"),
        format!("INSERT INTO user_roles (id, user_id, role_id) VALUES ('{}', '{user}', '{role}')", id(5)),
    ]
}

/// A hundred thousand rules and alerts of the other organisation, all called alike.
const MANY: [&str; 2] = [
    "INSERT INTO alert_rules (id, organization_id, name, severity) \
     SELECT {id}, '{other}', 'theirs' || (n + 1000), 'critical' FROM {series}",
    "INSERT INTO alert_instances (id, alert_rule_id, organization_id, status, severity, title, starts_at, fingerprint) \
     SELECT {id}, '00000001-0000-4000-8000-000000000099', '{other}', 'firing', 'critical', 'theirs', \
     '2026-11-20 11:00:00+00', 'g' || n FROM {series}",
];

/// What both databases of the platform are asked, of every shape that a planner has a choice for. `theirs` is what the
/// other organisation calls everything.
const ASKED: [&str; 14] = [
    "SELECT name FROM alert_rules WHERE severity = 'critical' ORDER BY name LIMIT 3",
    "SELECT count(*) FROM alert_instances WHERE title = 'theirs'",
    "SELECT r.name, count(*) FROM alert_rules r JOIN alert_instances i ON i.alert_rule_id = r.id GROUP BY r.name",
    "SELECT r.name FROM alert_rules r JOIN alert_instances i ON i.alert_rule_id = r.id WHERE i.title = 'theirs'",
    "SELECT 1 FROM alert_instances i, users u, alert_rules r WHERE i.alert_rule_id = r.id AND u.\"firstName\" = r.name",
    "SELECT 1 FROM alert_rules r, alert_instances i, roles",
    "SELECT name FROM alert_rules WHERE id IN (SELECT alert_rule_id FROM alert_instances WHERE title = 'theirs')",
    "SELECT name FROM alert_rules r WHERE EXISTS (SELECT 1 FROM alert_instances i WHERE i.alert_rule_id = r.id)",
    "SELECT name FROM alert_rules r WHERE NOT EXISTS (SELECT 1 FROM alert_instances i WHERE i.alert_rule_id = r.id)",
    "SELECT r.name, i.title FROM alert_rules r LEFT JOIN alert_instances i ON i.alert_rule_id = r.id ORDER BY 1, 2",
    "SELECT DISTINCT title, row_number() OVER (PARTITION BY status ORDER BY title) FROM alert_instances",
    "SELECT name FROM alert_rules UNION SELECT title FROM alert_instances",
    "WITH mine AS (SELECT * FROM alert_rules WHERE name <> 'theirs') SELECT a.name FROM mine a JOIN mine b ON a.id = b.id",
    "SELECT u.email, r.name FROM users u JOIN user_roles x ON x.user_id = u.id JOIN roles r ON r.id = x.role_id",
];

struct Platform {
    postgres: Database,
    _folder: tempfile::TempDir,
    sqlite: std::path::PathBuf,
}

impl Platform {
    async fn new() -> Self {
        let (postgres, folder) = (database().await, tempfile::tempdir().unwrap());
        let sqlite = folder.path().join("platform.sqlite");
        let mut writer = tfo_mcp::source::sqlite::Writer::open(&sqlite).await.unwrap();
        writer.execute_script(schema::SQLITE).await.unwrap();
        writer.close().await.unwrap();
        postgres.execute(schema::POSTGRES).await;
        let new = Self { postgres, _folder: folder, sqlite };
        let organization = |id: &str| {
            format!("INSERT INTO organizations (organization_id, name, code) VALUES ('{id}', 'o{id}', '{id}')")
        };
        let mut statements = vec![organization(OWN), organization(OTHER)];
        (1..=3).for_each(|n| statements.extend(rows_of(OWN, n, "own")));
        statements.extend(rows_of(OTHER, 99, "theirs"));
        new.execute(&statements, &statements).await;
        new
    }

    async fn execute(&self, postgres: &[String], sqlite: &[String]) {
        let mut connection = PgConnection::connect(&self.postgres.url).await.unwrap();
        for sql in postgres {
            sqlx::raw_sql(AssertSqlSafe(sql.as_str())).execute(&mut connection).await.expect(sql);
        }
        let mut connection = SqliteConnection::connect(&format!("sqlite://{}", self.sqlite.display())).await.unwrap();
        for sql in sqlite {
            sqlx::raw_sql(AssertSqlSafe(sql.as_str())).execute(&mut connection).await.expect(sql);
        }
        connection.close().await.unwrap();
    }

    async fn many(&self) {
        let of = |id: &str, series: &str| {
            MANY.map(|sql| sql.replace("{id}", id).replace("{series}", series).replace("{other}", OTHER))
        };
        let postgres = of("gen_random_uuid()", "generate_series(1, 100000) AS s(n)");
        let numbers =
            "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 100000) SELECT n FROM s)";
        let sqlite = of("printf('%032d', n)", numbers);
        self.execute(&postgres, &sqlite).await;
    }

    async fn analyze(&self) {
        let analyze = ["ANALYZE".to_owned()];
        self.execute(&analyze, &analyze).await;
    }

    fn engines(&self) -> [(&'static str, Engine); 2] {
        let postgres = PostgresOptions::new(SecretString::from(self.postgres.url.clone()));
        let postgres: Arc<dyn Source> = Arc::new(Postgres::new(postgres).unwrap());
        [
            ("PostgreSQL", engine(nowhere(), postgres)),
            ("SQLite", engine(nowhere(), Arc::new(Sqlite::new(&self.sqlite)))),
        ]
    }

    /// What PostgreSQL itself would say, to whoever may ask it.
    async fn plain(&self, sql: &str) -> String {
        let mut connection = PgConnection::connect(&self.postgres.url).await.unwrap();
        let sql = format!("EXPLAIN (COSTS OFF) {sql}");
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_record_changes_no_byte_of_a_plan_of_the_platform() {
    let platform = Platform::new().await;
    platform.analyze().await;
    let engines = platform.engines();
    let probe = format!("SELECT * FROM alert_instances WHERE organization_id = '{OWN}'");
    let chosen = platform.plain(&probe).await;
    let mut before = Vec::new();
    for (place, engine) in &engines {
        for sql in ASKED {
            let told = explained(engine, "platform", sql).await;
            assert!(
                told.contains("Nothing was run. The statement reads ") && !told.contains("theirs"),
                "{place}: {told}"
            );
            before.push(told);
        }
    }
    assert!(before[0].contains("alert_rules: 3 rows of yours; reads all of them"), "{}", before[0]);
    assert!(
        before[2].contains("join\n    your rows of `alert_instances`\n    your rows of `alert_rules`"),
        "{}",
        before[2]
    );
    assert!(before[5].contains("join of every row with every row") && before[5].contains("A join has no condition"));
    assert!(before[5].contains("roles: 4 rows that are everyone's"), "{}", before[5]);

    platform.many().await;
    // First as it is before somebody has counted, then with all that the databases know of everyone's rows.
    for analyzed in [false, true] {
        if analyzed {
            platform.analyze().await;
            assert_ne!(platform.plain(&probe).await, chosen, "the planner's own choice shows what others have");
        }
        // Those that have kept their plans, and new ones.
        for engines in [&engines, &platform.engines()] {
            let mut known = before.iter();
            for (place, engine) in engines {
                for sql in ASKED {
                    let told = explained(engine, "platform", sql).await;
                    assert_eq!(&told, known.next().unwrap(), "{place}, analyzed: {analyzed}: {sql}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_run_and_nothing_is_explained_that_may_not_run() {
    let platform = Platform::new().await;
    for (place, engine) in &platform.engines() {
        let ask = async |tool: &str, sql: &str| {
            let mut arguments = json!({ "sql": sql });
            if tool == "explain_query" {
                arguments["source"] = json!("platform");
            }
            call(engine, tool, arguments).await
        };
        // It fails while it runs, or would take a day.
        let ids = "abs(-9223372036854775805 - (SELECT count(*) FROM alert_rules))";
        let fails = if *place == "SQLite" { ids } else { "CAST(name AS integer)" };
        let fails = format!("SELECT {fails} FROM alert_rules");
        assert!(ask("pg_query", &fails).await.is_err(), "{place}");
        ask("explain_query", &fails).await.unwrap_or_else(|error| panic!("{place}: {error}"));
        let of = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"];
        let all: Vec<String> = of.iter().map(|alias| format!("alert_rules AS t{alias}")).collect();
        let slow = format!("SELECT count(*) FROM {} WHERE ta.name || tt.name = 'x'", all.join(" CROSS JOIN "));
        let told = ask("explain_query", &slow).await.unwrap_or_else(|error| panic!("{place}: {error}")).text();
        assert!(told.contains("reads 1 table of `platform`"), "{place}: {told}");
        assert!(told.contains("as many pairs as the rows of its sides multiplied"), "{place}: {told}");
        let joined = "SELECT a.name FROM alert_rules AS a JOIN alert_rules AS b ON a.id = b.id";
        let told = ask("explain_query", joined).await.unwrap_or_else(|error| panic!("{place}: {error}")).text();
        assert!(!told.contains("as many pairs") && !told.contains("is not known before it runs"), "{place}: {told}");
        if *place != "SQLite" {
            let one_sided = "SELECT count(*) FROM alert_rules AS a LEFT JOIN alert_rules AS b ON a.name = 'x = b.name'";
            let told = ask("explain_query", one_sided).await.unwrap().text();
            assert!(told.contains("as many pairs"), "{place}: {told}");
        }
        let endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r";
        let told = ask("explain_query", endless).await.unwrap_or_else(|error| panic!("{place}: {error}")).text();
        assert!(told.contains("How many rows the recursion finds is not known"), "{place}: {told}");
        let made = if *place == "SQLite" { "json_each('[1]')" } else { "generate_series(1, 1000000000)" };
        let made = format!("SELECT count(*) FROM {made}");
        let told = ask("explain_query", &made).await.unwrap_or_else(|error| panic!("{place}: {error}")).text();
        assert!(told.contains("How many rows a function makes is not known"), "{place}: {told}");

        for refused in [
            "DELETE FROM alert_rules",
            "SELECT pg_sleep(10)",
            "EXPLAIN SELECT 1",
            "ANALYZE",
            "SELECT 1; SELECT 2",
            "SELECT 1 FROM pg_stats",
            "SELECT * FROM sqlite_stat1",
            "SELECT * FROM pg_catalog.pg_class",
            "SELECT password FROM users",
            "SELECT nope FROM alert_rules",
            "SELECT * FROM nosuch",
            "SELECT $2",
            "VALUES (1) ANALYZE",
            "(ANALYZE) SELECT 1",
        ] {
            let (run, told) = (ask("pg_query", refused).await, ask("explain_query", refused).await);
            let (run, told) = (run.map(|_| ()), told.map(|answer| answer.text()));
            assert_eq!(told.as_ref().err(), run.as_ref().err(), "{place}: {refused}: {told:?}");
            assert!(run.is_err(), "{place}: {refused}");
        }
    }
    let [(_, postgres), _] = platform.engines();
    // PostgreSQL computes constants while it plans, and says what is wrong with them.
    let arguments = json!({ "source": "platform", "sql": "SELECT 1 / 0" });
    let error = call(&postgres, "explain_query", arguments).await.map(|answer| answer.text()).unwrap_err();
    assert!(error.contains("a number is divided by zero"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_bound_and_wrong_arguments_are_named() {
    let platform = Platform::new().await;
    for (place, engine) in &platform.engines() {
        let sql = "SELECT name FROM alert_rules WHERE name = $1 AND id IS NOT NULL AND CAST($2 AS integer) > 1 LIMIT 2";
        let given = json!({ "source": "platform", "sql": sql, "params": ["hunter2", "5"] });
        let answer = call(engine, "explain_query", given).await.unwrap_or_else(|error| panic!("{place}: {error}"));
        assert!(!answer.text().contains("hunter2"), "{place}: {}", answer.text());
        let table = &answer.structured.as_ref().unwrap()["tables"][0];
        assert_eq!(
            (&table["table"], &table["rows"], &table["reads"]),
            (&json!("alert_rules"), &json!(3), &json!("all"))
        );
        assert_eq!((&table["more_rows"], &table["everyones"]), (&json!(false), &json!(false)), "{place}");
        for (given, named) in [
            (json!({ "source": "platform" }), "sql"),
            (json!({ "source": "platform", "sql": sql, "params": ["one"] }), "$2"),
            (json!({ "source": "platform", "sql": 5 }), "sql"),
            (json!({ "source": "elsewhere", "sql": sql }), "telemetry"),
            (json!({ "source": "platform", "sql": sql, "params": [["list"], "5"] }), "params"),
            (json!({ "source": "platform", "sql": "SELECT nme FROM alert_rules" }), "severity"),
        ] {
            let error = call(engine, "explain_query", given.clone()).await.map(|answer| answer.text()).unwrap_err();
            assert!(error.contains(named), "{place}: {given}: {error}");
        }
    }
}

async fn telemetry() -> (TestClickHouse, Engine) {
    let database = clickhouse().await;
    database
        .execute(&[
            "CREATE TABLE spans (timestamp DateTime, organization_id String, service String, body String, \
             INDEX body_of body TYPE bloom_filter) ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp) \
             ORDER BY (service, timestamp)",
            "CREATE TABLE calls (organization_id String, service String, n UInt32) ENGINE = MergeTree \
             ORDER BY (organization_id, service)",
            "CREATE TABLE theirs (organization_id String, service String) ENGINE = MergeTree ORDER BY service",
            "CREATE VIEW slow AS SELECT * FROM spans WHERE service = 'shop'",
            "CREATE MATERIALIZED VIEW sums ENGINE = SummingMergeTree ORDER BY (organization_id, service) AS \
             SELECT organization_id, service, count() AS n FROM spans GROUP BY organization_id, service",
            &spans(OWN, 5),
            &format!("INSERT INTO calls VALUES ('{OWN}', 'shop', 1), ('{OTHER}', 'shop', 1)"),
        ])
        .await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(ClickHouse::remote(database.config.clone()), Arc::new(Sqlite::new(folder.path().join("none"))));
    (database, engine)
}

fn spans(organization: &str, rows: usize) -> String {
    format!(
        "INSERT INTO spans SELECT toDateTime('2026-11-20 11:00:00') + number % 600, '{organization}', 'shop', \
         'body ' || toString(number) FROM numbers({rows})"
    )
}

const OF_SPANS: [&str; 14] = [
    "SELECT count() FROM spans WHERE service = 'shop' AND timestamp > '2026-11-20 10:00:00'",
    "SELECT count() FROM spans WHERE timestamp > '2026-11-20 10:00:00'",
    "SELECT count() FROM spans WHERE timestamp > '2030-01-01 00:00:00' AND service = 'nobody'",
    "SELECT count() FROM spans WHERE body = 'body 1' ORDER BY 1 LIMIT 5",
    "SELECT count() FROM spans WHERE service = 'shop' OR body = 'body 1'",
    "SELECT a.body FROM spans a JOIN calls b ON a.service = b.service WHERE b.n > 0",
    "SELECT a.body FROM calls b JOIN spans a ON a.service = b.service LEFT JOIN sums c ON c.service = a.service",
    "SELECT count() FROM calls, spans",
    "SELECT count() FROM spans WHERE service IN (SELECT service FROM calls)",
    "SELECT count() FROM spans WHERE timestamp > (SELECT toDateTime(min(number)) FROM numbers(3))",
    "SELECT DISTINCT service, row_number() OVER (ORDER BY body) FROM spans UNION ALL SELECT service, n FROM calls",
    "SELECT count() FROM slow",
    "SELECT sum(n) FROM sums WHERE service = 'shop'",
    // In this one nobody has a row at first.
    "SELECT count() FROM theirs JOIN spans ON theirs.service = spans.service WHERE theirs.service = 'shop'",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_record_changes_no_byte_of_a_plan_of_clickhouse() {
    let (database, engine) = telemetry().await;
    let plain = async || {
        let explain =
            format!("EXPLAIN indexes = 1 SELECT body FROM {}.spans WHERE service = 'shop'", database.database);
        format!("{:?}", database.rows(&explain).await)
    };
    let counted = plain().await;
    let mut before = Vec::new();
    for sql in OF_SPANS {
        before.push(explained(&engine, "telemetry", sql).await);
    }
    let told = |at: usize, part: &str| assert!(before[at].contains(part), "{part}: {}\n{}", OF_SPANS[at], before[at]);
    told(0, "spans: 5 rows of yours; reads those that conditions on its key leave: service, timestamp");
    told(1, "spans: 5 rows of yours; reads those that conditions on its key leave: timestamp");
    told(3, "spans: 5 rows of yours; reads all of them: no condition narrows its key");
    told(3, "It reads all of your rows of `spans`");
    told(3, "`PARTITION BY toYYYYMM(timestamp)` and `ORDER BY (service, timestamp)`");
    told(4, "spans: 5 rows of yours; reads all of them");
    told(5, "calls: 1 row of yours; reads all of them");
    told(7, "as many pairs as the rows of its sides multiplied");
    assert!(!before[6].contains("as many pairs"), "{}", before[6]);
    told(8, "list for IN\n  your rows of `calls`");
    told(11, "slow: 5 rows of yours; reads those that conditions on its key leave: service");

    told(13, "theirs: 0 rows of yours; there is nothing to read");
    database
        .execute(&[
            &format!("INSERT INTO theirs VALUES ('{OTHER}', 'shop')"),
            &spans(OTHER, 100_000),
            &format!("INSERT INTO calls SELECT '{OTHER}', toString(number), 1 FROM numbers(100000)"),
        ])
        .await;
    assert_ne!(plain().await, counted, "ClickHouse itself counts what others have");
    for (sql, before) in OF_SPANS.iter().zip(&before) {
        assert_eq!(&explained(&engine, "telemetry", sql).await, before, "{sql}");
    }
    database.execute(&[&spans(OWN, 100_001)]).await;
    let after = explained(&engine, "telemetry", OF_SPANS[3]).await;
    assert!(
        after.contains("spans: more than 100000 rows of yours") && after.contains("may not end in time"),
        "{after}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clickhouse_runs_nothing_and_explains_nothing_that_may_not_run() {
    let (_database, engine) = telemetry().await;
    let ask =
        async |tool: &str, sql: &str| call(&engine, tool, json!({ "sql": sql })).await.map(|answer| answer.text());
    let fails = "SELECT toUInt8(body) FROM spans";
    assert!(ask("ch_query", fails).await.is_err());
    ask("explain_query", fails).await.unwrap();
    let slow = "SELECT count() FROM numbers(100000000000) AS a WHERE cityHash64(number) = 1;";
    let told = ask("explain_query", slow).await.unwrap();
    assert!(told.contains("reads no table of `telemetry`") && told.contains("rows of a function"), "{told}");
    // An equation leads from a row to others if it is of both sides.
    for (from, multiplies) in [
        ("spans a JOIN calls b ON 1 = 1", true),
        ("spans a FULL JOIN calls b ON 1 = 1", true),
        ("spans a JOIN calls b ON a.service < b.service", true),
        ("spans a JOIN calls b ON a.service = b.service AND a.body = 'x'", false),
        ("spans a JOIN calls b USING (service)", false),
        ("spans a LEFT JOIN (SELECT service FROM calls) b ON a.service = lower(b.service)", false),
    ] {
        let told = ask("explain_query", &format!("SELECT count() FROM {from}")).await.unwrap();
        assert_eq!(told.contains("as many pairs"), multiplies, "{from}: {told}");
        assert!(!told.contains("as its list has elements"), "{from}: {told}");
    }
    for unfolded in ["SELECT arrayJoin(range(1000000)) FROM spans", "SELECT r FROM spans ARRAY JOIN range(1000) AS r"] {
        let told = ask("explain_query", unfolded).await.unwrap();
        assert!(told.contains("Each row becomes as many as its list has elements"), "{unfolded}: {told}");
    }
    // The list behind IN is not made either, however large it is.
    let listed = "SELECT count() FROM spans WHERE service IN (SELECT toString(number) FROM numbers(100000000000))";
    ask("explain_query", listed).await.unwrap();
    for refused in [
        "DROP TABLE spans",
        "EXPLAIN SELECT 1",
        "SELECT 1 FROM system.parts",
        "SELECT _part FROM spans",
        "SELECT count() FROM spans SETTINGS max_threads = 1",
        "SELECT count() FROM spans FORMAT JSON",
        "SELECT sleep(1)",
        "SELECT file('/etc/passwd')",
        "SELECT nope FROM spans",
        "SELECT * FROM nosuch",
        "json = 1 SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT {p1:UInt8}",
        "SELECT toUInt8('abc')",
    ] {
        let (run, told) = (ask("ch_query", refused).await, ask("explain_query", refused).await);
        assert!(run.is_err(), "{refused}");
        assert_eq!(told.err(), run.err(), "{refused}");
    }
    let bound = json!({ "sql": "SELECT count() FROM spans WHERE service = {p1:String}", "params": ["hunter2"] });
    let answer = call(&engine, "explain_query", bound).await.unwrap();
    assert!(!answer.text().contains("hunter2"), "{}", answer.text());
    assert_eq!(answer.structured.unwrap()["tables"][0]["by"], json!(["service"]));
}
