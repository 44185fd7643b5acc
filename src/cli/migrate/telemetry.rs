//! `tfo-mcp migrate telemetry`: sums of each minute in the platform's ClickHouse, by an account of its administrator.

use time::{Duration, OffsetDateTime};

use super::{
    super::{Outcome, bootstrap, outcome::hinted, output},
    Arguments, failed,
};
use crate::source::{
    Source as _,
    clickhouse::{
        ClickHouse, ClickHouseConfig,
        rollups::{self, Filled, Rollups, SUMS},
    },
};

/// How far ahead the views begin: until then they are made.
const AHEAD: Duration = Duration::minutes(1);

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let url = arguments.url.as_deref().filter(|url| !url.is_empty() && !arguments.print);
    let cutoff = whole_minute(OffsetDateTime::now_utc() + AHEAD + Duration::minutes(1));
    if let Some(cluster) = &arguments.cluster {
        output::write(&format!("{};\n", rollups::make_on_cluster(cutoff, cluster).join(";\n\n")))?;
        output::say(
            "nothing was run, and this was never run: it takes rows of each node to be in `traces_local` and `logs_local`",
        );
        return Ok(Outcome::Done);
    }
    let Some(url) = url else {
        let sql = if arguments.drop { rollups::drop() } else { rollups::make(cutoff, false) };
        output::write(&format!("{};\n", sql.join(";\n\n")))?;
        output::say("nothing was run: give the URL of an administrator with `--url` or in TFO_MCP_ADMIN_URL");
        return Ok(Outcome::Done);
    };
    let config = ClickHouseConfig::parse(url).map_err(failed)?;
    bootstrap::block_on(async {
        let clickhouse = ClickHouse::remote(config);
        let done = work(&Rollups::of(&clickhouse), arguments, cutoff).await;
        clickhouse.close().await;
        done
    })?;
    Ok(Outcome::Done)
}

async fn work(rollups: &Rollups<'_>, arguments: &Arguments, cutoff: OffsetDateTime) -> anyhow::Result<()> {
    if arguments.drop {
        rollups.drop().await.map_err(failed)?;
        output::say("the sums are gone");
        return Ok(());
    }
    let made = rollups.make(cutoff, false).await.map_err(failed)?;
    if made && OffsetDateTime::now_utc() >= cutoff {
        rollups.drop().await.map_err(failed)?;
        return Err(hinted("the views were not made in time, and rows may be missing in the sums", "run it again"));
    }
    let mut last = OffsetDateTime::UNIX_EPOCH;
    for sum in &SUMS {
        if let Some(extent) = rollups.extent(sum).await.map_err(failed)? {
            output::say(&format!("{} are added up by the minute from {} on", sum.what, extent.cutoff));
            last = last.max(extent.cutoff);
        }
    }
    if last == OffsetDateTime::UNIX_EPOCH {
        return Err(hinted("no sums were made", "give the URL of the database that holds the platform's telemetry"));
    }
    if !arguments.backfill {
        output::say("what is older is not filled in: run it with `--backfill`");
        return Ok(());
    }
    let wait = last - OffsetDateTime::now_utc();
    if wait.is_positive() {
        output::say(&format!("waiting for {} s, until the views take over", wait.whole_seconds() + 1));
        tokio::time::sleep(wait.unsigned_abs()).await;
    }
    let told = |Filled { what, day, left }| output::say(&format!("{what}: {day} is filled in, {left} days are left"));
    let days = rollups.fill(told).await.map_err(failed)?;
    output::say(&format!("{days} days were filled in; nothing is missing"));
    Ok(())
}

fn whole_minute(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_second(0).and_then(|at| at.replace_nanosecond(0)).unwrap_or(at)
}
