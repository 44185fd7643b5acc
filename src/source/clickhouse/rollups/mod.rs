//! Sums of our own beside the platform's rows: tables and views that `tfo-mcp migrate telemetry` makes, fills and takes away.
//!
//! Rows from a cutoff on come into the sums by views as they are inserted. What is older is filled in day by day, newest first,
//! each by replacing a whole partition, so that whoever is broken off at any point goes on where it was. The platform's tables
//! are only read. Definitions know whether the sums are whole by `tfo_rollups`; here is nothing of how they are used.

mod cluster;
mod sum;

use serde_json::Value;
use time::{Date, OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use super::ClickHouse;
use crate::{
    source::{Author, Limits, Query, Source as _, SourceError},
    sql::Statement,
};

pub use self::{cluster::make_on_cluster, sum::Sum};

/// Everything that is added up.
pub const SUMS: [Sum; 4] = [sum::REQUESTS, sum::SPANS, sum::TEXTS, sum::METRICS];

const STATE: &str = include_str!("state.sql");
const SECONDS: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// What makes tables and views, for rows from `cutoff` on, a whole minute. Whatever is there already stays as it is.
pub fn make(cutoff: OffsetDateTime, kept_forever: bool) -> Vec<String> {
    let sums = SUMS.iter().flat_map(|sum| sum.make(cutoff, kept_forever));
    std::iter::once(STATE.trim_end().to_owned()).chain(sums).collect()
}

/// What takes them away.
pub fn drop() -> Vec<String> {
    let state = "DROP TABLE IF EXISTS tfo_rollups SYNC".to_owned();
    SUMS.iter().flat_map(Sum::drop).chain([state]).collect()
}

/// A day that was filled in, and how many of the same sum are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// What is added up, to stand in a sentence.
    pub what: &'static str,
    pub day: Date,
    pub left: usize,
}

/// What is known of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub cutoff: OffsetDateTime,
    /// From when on nothing is missing.
    pub since: OffsetDateTime,
}

/// Who makes and fills sums: an account that may create tables and insert into them.
pub struct Rollups<'a> {
    clickhouse: &'a ClickHouse,
}

impl<'a> Rollups<'a> {
    pub fn of(clickhouse: &'a ClickHouse) -> Self {
        Self { clickhouse }
    }

    /// Makes those that are not there. One of another version, or of which a part is missing, is made anew: nobody knows what it
    /// missed. One whose rows the platform does not have is left out. Whether anything was made: it must be before `cutoff`, or
    /// rows in between are in no sum.
    pub async fn make(&self, cutoff: OffsetDateTime, kept_forever: bool) -> Result<bool, SourceError> {
        let mut made = false;
        self.clickhouse.execute(STATE).await?;
        for sum in &SUMS {
            if !self.exists(&[sum.of().to_owned()]).await? || self.is_whole(sum).await? {
                continue;
            }
            for statement in sum.drop() {
                self.clickhouse.execute(&statement).await?;
            }
            let forgotten =
                format!("ALTER TABLE tfo_rollups DELETE WHERE rollup = '{}' SETTINGS mutations_sync = 2", sum.table);
            self.clickhouse.execute(&forgotten).await?;
            for statement in sum.make(cutoff, kept_forever) {
                self.clickhouse.execute(&statement).await?;
            }
            made = true;
        }
        Ok(made)
    }

    pub async fn drop(&self) -> Result<(), SourceError> {
        for statement in drop() {
            self.clickhouse.execute(&statement).await?;
        }
        Ok(())
    }

    async fn is_whole(&self, sum: &Sum) -> Result<bool, SourceError> {
        Ok(self.exists(&sum.tables()).await? && self.extent(sum).await?.is_some())
    }

    /// Whether all these tables are there.
    async fn exists(&self, names: &[String]) -> Result<bool, SourceError> {
        let listed: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        let found = format!(
            "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name IN ({})",
            listed.join(", ")
        );
        let rows = self.rows(&found).await?;
        let number = rows.first().and_then(|row| row.first()).and_then(Value::as_u64).unwrap_or_default();
        Ok(number == names.len() as u64)
    }

    /// How far a sum reaches; none where it was not made, or by another version.
    pub async fn extent(&self, sum: &Sum) -> Result<Option<Extent>, SourceError> {
        if !self.exists(&["tfo_rollups".to_owned()]).await? {
            return Ok(None);
        }
        let rows = self
            .rows(&format!(
                "SELECT toInt64(max(toUnixTimestamp(cutoff))), toInt64(min(toUnixTimestamp(since))) FROM tfo_rollups \
                 WHERE rollup = '{}' AND version = {} HAVING count() > 0",
                sum.table, sum.version
            ))
            .await?;
        let at = |value: Option<&Value>| OffsetDateTime::from_unix_timestamp(value?.as_i64()?).ok();
        Ok(rows.first().and_then(|row| Some(Extent { cutoff: at(row.first())?, since: at(row.get(1))? })))
    }

    /// Fills in what is older than the cutoff, and anew the days to which rows came after they were filled. `told` hears of
    /// each day. How many days were filled in, of all sums.
    pub async fn fill(&self, mut told: impl FnMut(Filled)) -> Result<usize, SourceError> {
        let mut filled = 0;
        for sum in &SUMS {
            let Some(extent) = self.extent(sum).await? else { continue };
            let days = self.rows(&sum.days(extent.cutoff, extent.since)).await?;
            let days: Vec<Date> = days.iter().filter_map(|row| Date::parse(row.first()?.as_str()?, DAY).ok()).collect();
            let gathered = sum.gathered();
            self.clickhouse.execute(&format!("CREATE TABLE IF NOT EXISTS {gathered} AS {}", sum.table)).await?;
            for (nth, day) in days.iter().enumerate() {
                self.fill_day(sum, *day, extent).await?;
                told(Filled { what: sum.what, day: *day, left: days.len() - nth - 1 });
            }
            // Before the oldest row nothing is missing.
            let oldest = OffsetDateTime::UNIX_EPOCH;
            self.note(sum, oldest.date(), Extent { since: oldest, ..extent }, "now64(3)").await?;
            self.clickhouse.execute(&format!("DROP TABLE IF EXISTS {gathered} SYNC")).await?;
            filled += days.len();
        }
        Ok(filled)
    }

    async fn fill_day(&self, sum: &Sum, day: Date, extent: Extent) -> Result<(), SourceError> {
        let begun = self.rows("SELECT toString(now64(3, 'UTC'))").await?;
        let begun = begun.first().and_then(|row| row.first()).and_then(Value::as_str).unwrap_or_default().to_owned();
        for statement in sum.fill(day, extent.cutoff) {
            self.clickhouse.execute(&statement).await?;
        }
        let since = extent.since.min(day.midnight().assume_utc());
        self.note(sum, day, Extent { since, ..extent }, &format!("toDateTime64('{begun}', 3, 'UTC')")).await
    }

    async fn note(&self, sum: &Sum, day: Date, extent: Extent, at: &str) -> Result<(), SourceError> {
        let [cutoff, since] = [extent.cutoff, extent.since].map(|at| at.format(SECONDS).unwrap_or_default());
        let (table, version, day) = (sum.table, sum.version, day.format(DAY).unwrap_or_default());
        self.clickhouse
            .execute(&format!(
                "INSERT INTO tfo_rollups SELECT '{table}', {version}, toDateTime('{cutoff}', 'UTC'), \
                 toDate('{day}'), toDateTime('{since}', 'UTC'), {at}"
            ))
            .await
    }

    async fn rows(&self, sql: &str) -> Result<Vec<Vec<Value>>, SourceError> {
        let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
        let limits = Limits { timeout: std::time::Duration::from_secs(3600), max_rows: 100_000, max_bytes: 16 << 20 };
        let cancel = tokio_util::sync::CancellationToken::new();
        let query = Query { statement: &statement, limits, author: Author::UNBOUND, cancel: &cancel, id: None };
        Ok(self.clickhouse.query(query).await?.rows)
    }
}
