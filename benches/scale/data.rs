//! Two days of telemetry of ten organisations, made of the demo's day by copying it inside of ClickHouse.

use std::{path::PathBuf, sync::Arc, time::Instant};

use serde_json::Value;
use tfo_mcp::{
    demo::{Generator, Plan, Scenario, load, people, schema},
    source::{
        Author, Limits, Query, Source as _,
        clickhouse::{ClickHouse, ClickHouseConfig, Organisation, rollups::Rollups},
        embedded::{Embedded, Endpoint},
    },
    sql::Statement,
};
use time::{OffsetDateTime, macros::datetime};
use tokio_util::sync::CancellationToken;

use super::clickhouse;

pub const END: OffsetDateTime = datetime!(2026-11-20 12:00:00 UTC);
/// Rows of an insert.
pub const BLOCK: u64 = 20_000;
const INCIDENT: &str = "db-pool-exhaustion";
/// How much of the demo's traffic is copied.
const SCALE: f64 = 0.2;
const OTHERS: u64 = 9;
const DAYS: u64 = 2;
/// Of which table a sum is.
pub const SIGNALS: [&str; 3] = ["traces", "logs", "metrics"];

/// A table as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub table: String,
    pub rows: u64,
    pub bytes: u64,
}

pub struct Database {
    pub clickhouse: ClickHouse,
    pub config: ClickHouseConfig,
    pub platform: PathBuf,
    pub organisation: String,
    /// Whose account is told of.
    pub user: String,
    embedded: Arc<Embedded>,
}

impl Database {
    /// One with so many rows of each signal; made where it is not there.
    pub async fn of(rows: u64) -> Self {
        let folder = clickhouse::cache().join(format!("scale-{rows}"));
        std::fs::create_dir_all(&folder).unwrap();
        let library = tokio::task::spawn_blocking(clickhouse::library).await.unwrap();
        let embedded =
            Arc::new(Embedded::new(folder.clone()).with_executable(clickhouse::executable()).with_library(library));
        let endpoint = embedded.endpoint().await.unwrap();
        let scenario = Some(Scenario::embedded(INCIDENT).unwrap());
        let generator = Arc::new(Generator::new(Plan { seed: 7, end: END, scale: SCALE, scenario }).unwrap());
        let config = of_database(&endpoint, "telemetry");
        let this = Self {
            clickhouse: ClickHouse::remote(config.clone()),
            config,
            platform: folder.join("platform.sqlite"),
            organisation: generator.world.organizations[0].id_text.clone(),
            user: people::people(&generator.world.organizations[0])[0].id.to_string(),
            embedded,
        };
        if !folder.join("complete").exists() {
            this.fill(&generator, &endpoint, rows).await;
            std::fs::write(folder.join("complete"), "").unwrap();
        }
        this
    }

    async fn fill(&self, generator: &Arc<Generator>, endpoint: &Endpoint, rows: u64) {
        let started = Instant::now();
        let say = |what: &str| eprintln!("{:>6.1} s  {what}", started.elapsed().as_secs_f64());
        let admin = ClickHouse::remote(of_database(endpoint, "default"));
        for database in ["seed", "telemetry"] {
            admin.execute(&format!("DROP DATABASE IF EXISTS {database} SYNC")).await.unwrap();
            admin.execute(&format!("CREATE DATABASE {database}")).await.unwrap();
        }
        if !self.platform.exists() {
            load::sqlite(generator, &self.platform).await.unwrap();
        }
        let seed = ClickHouse::remote(of_database(endpoint, "seed"));
        let units = generator.units().filter(|unit| unit.organization == 0).collect();
        load::part(generator, &seed, units, |_| {}).await.unwrap();
        say("the demo's day is loaded");
        self.make_tables(&self.clickhouse).await;
        for table in schema::tables(schema::CLICKHOUSE) {
            let is_view = schema::CLICKHOUSE.contains(&format!("CREATE MATERIALIZED VIEW {table}\n"));
            if !is_view && !SIGNALS.contains(&table) {
                let copied = format!("INSERT INTO {table} SELECT * FROM seed.{table}");
                self.clickhouse.execute(&copied).await.unwrap();
            }
        }
        for table in SIGNALS {
            let day = number(&self.rows(&format!("SELECT count() FROM seed.{table}")).await[0][0]);
            let own = rows as f64 / 4.0 / DAYS as f64 / day as f64;
            let other = rows as f64 * 0.75 / (OTHERS * DAYS) as f64 / day as f64;
            for days_ago in 0..DAYS {
                self.copies(table, &self.organisation, days_ago, own).await;
                for other_one in 1..=OTHERS {
                    let organisation = format!("00000000-0000-4000-8000-00000000000{other_one}");
                    self.copies(table, &organisation, days_ago, other).await;
                }
            }
            say(&format!("{table} is filled"));
            self.clickhouse.execute(&format!("OPTIMIZE TABLE {table} FINAL")).await.unwrap();
            say(&format!("{table} is merged"));
        }
        admin.execute("DROP DATABASE seed SYNC").await.unwrap();
    }

    async fn make_tables(&self, database: &ClickHouse) {
        for statement in schema::statements(schema::CLICKHOUSE) {
            database.execute(&statement).await.unwrap();
        }
    }

    /// So many copies of the day, each with traces, hosts and times of its own.
    async fn copies(&self, table: &str, organisation: &str, days_ago: u64, number: f64) {
        for copy in 0..number.ceil() as u64 {
            let share = ((number - copy as f64) * 1000.0) as u64;
            let select = select(table, &format!("seed.{table}"), organisation, days_ago, copy);
            let some = if share >= 1000 { String::new() } else { format!(" WHERE {} % 1000 < {share}", one(table)) };
            self.clickhouse.execute(&format!("INSERT INTO {table} {select}{some}")).await.unwrap();
        }
    }

    /// Milliseconds of an insert of a block: without our views, and with them.
    pub async fn inserts(&self) -> Vec<(&'static str, f64, f64)> {
        const ROUNDS: u64 = 9;
        self.clickhouse.execute("DROP DATABASE IF EXISTS inserts SYNC").await.unwrap();
        self.clickhouse.execute("CREATE DATABASE inserts").await.unwrap();
        let database = ClickHouse::remote(ClickHouseConfig { database: "inserts".into(), ..self.config.clone() });
        self.make_tables(&database).await;
        for table in SIGNALS {
            // What is inserted is at hand, so that no more than the insert is measured.
            let day = "timestamp >= toDateTime64('2026-11-20 06:00:00', 9, 'UTC')";
            let blocks = format!(
                "CREATE TABLE of_{table} ENGINE = Memory AS SELECT * FROM telemetry.{table} \
                 WHERE organization_id = '{}' AND {day} ORDER BY timestamp LIMIT {}",
                self.organisation,
                BLOCK * ROUNDS
            );
            database.execute(&blocks).await.unwrap();
        }
        let mut measured = [Vec::new(), Vec::new()];
        for kept in [false, true] {
            if kept {
                Rollups::of(&database).make(OffsetDateTime::UNIX_EPOCH, true).await.unwrap();
            }
            for table in SIGNALS {
                let mut taken = Vec::new();
                for round in 0..ROUNDS {
                    let started = Instant::now();
                    let block = format!(
                        "INSERT INTO {table} SELECT * FROM of_{table} LIMIT {BLOCK} OFFSET {}",
                        round * BLOCK / 2
                    );
                    database.execute(&block).await.unwrap();
                    taken.push(started.elapsed().as_secs_f64() * 1e3);
                }
                taken.sort_by(f64::total_cmp);
                measured[usize::from(kept)].push(taken[taken.len() / 2]);
            }
        }
        self.clickhouse.execute("DROP DATABASE inserts SYNC").await.unwrap();
        (0..SIGNALS.len()).map(|at| (SIGNALS[at], measured[0][at], measured[1][at])).collect()
    }

    /// The signals and our sums as they are stored, merged.
    pub async fn stored(&self) -> Vec<Stored> {
        for table in self.names("name LIKE 'tfo\\_%' AND engine LIKE '%MergeTree'").await {
            self.clickhouse.execute(&format!("OPTIMIZE TABLE {table} FINAL")).await.unwrap();
        }
        let rows = self
            .rows(
                "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts \
                 WHERE active AND database = 'telemetry' AND (table IN ('traces', 'logs', 'metrics') OR table LIKE 'tfo\\_%') \
                 GROUP BY table ORDER BY table",
            )
            .await;
        let stored = |row: &Vec<Value>| Stored {
            table: row[0].as_str().unwrap().to_owned(),
            rows: number(&row[1]),
            bytes: number(&row[2]),
        };
        rows.iter().map(stored).collect()
    }

    async fn names(&self, which: &str) -> Vec<String> {
        let found = format!("SELECT name FROM system.tables WHERE database = 'telemetry' AND {which} ORDER BY name");
        self.rows(&found).await.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
    }

    /// Rows, bytes and microseconds of CPU that statements took so far.
    pub async fn read(&self) -> [u64; 3] {
        let rows = self
            .rows(
                "SELECT sumIf(value, event = 'SelectedRows'), sumIf(value, event = 'SelectedBytes'), \
                 sumIf(value, event IN ('UserTimeMicroseconds', 'SystemTimeMicroseconds')) FROM system.events",
            )
            .await;
        [0, 1, 2].map(|at| number(&rows[0][at]))
    }

    async fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
        let limits = Limits { max_rows: 10_000, ..clickhouse::WIDE };
        let cancel = CancellationToken::new();
        let query = Query { statement: &statement, limits, author: Author::UNBOUND, cancel: &cancel, id: None };
        self.clickhouse.query(query).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).rows
    }

    pub async fn close(self) {
        self.clickhouse.close().await;
        self.embedded.close().await;
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{value}"))
}

fn of_database(endpoint: &Endpoint, database: &str) -> ClickHouseConfig {
    ClickHouseConfig {
        url: endpoint.url(),
        database: database.to_owned(),
        user: Some(Endpoint::USER.to_owned()),
        password: Some(endpoint.password.clone()),
        send_settings: true,
        max_connections: ClickHouseConfig::DEFAULT_CONNECTIONS,
        shared_tables: Vec::new(),
        organisation: Organisation::default(),
        names: Default::default(),
    }
}

/// By what a part of a copy is chosen: whole traces, and lines and points by their time.
fn one(table: &str) -> &'static str {
    match table {
        "traces" => "cityHash64(trace_id)",
        _ => "cityHash64(toUnixTimestamp64Nano(timestamp), service_name)",
    }
}

/// A copy of the day; the first one is the day itself.
fn select(table: &str, from: &str, organisation: &str, days_ago: u64, copy: u64) -> String {
    let id = match copy + days_ago {
        0 => "trace_id".to_owned(),
        _ => format!("if(trace_id = '', '', lower(hex(sipHash128(trace_id, {copy}, {days_ago}, '{organisation}'))))"),
    };
    let apart = match copy {
        0 => "0".to_owned(),
        _ if table == "metrics" => format!("{copy} * 700 % 15000"),
        _ => format!("cityHash64(trace_id, {copy}) % 30000"),
    };
    let replica = |column: &str| {
        format!(
            "mapApply((k, v) -> (k, if(k IN ('host.name', 'k8s.pod.name', 'service.instance.id', 'pod', 'host', 'instance'), \
             concat(v, '-{copy}'), v)), {column}) AS {column}"
        )
    };
    let own = match table {
        "metrics" if copy > 0 => format!(", {}, {}", replica("resource_attributes"), replica("metric_attributes")),
        "metrics" => String::new(),
        _ => format!(", {id} AS trace_id"),
    };
    format!(
        "SELECT * REPLACE (timestamp - toIntervalDay({days_ago}) - toIntervalMillisecond({apart}) AS timestamp, \
         '{organisation}' AS organization_id{own}) FROM {from}"
    )
}
