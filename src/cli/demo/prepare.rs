//! Filling the data directory: the library, the telemetry, the relational tables, and the settings that go with them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    cli::{
        output::{self, BOLD, DIM, GOOD},
        setup,
    },
    demo::{Generator, Plan, Scenario, load, world::World},
    settings::FILE_NAME,
    source::{
        Source,
        clickhouse::{ClickHouse, ClickHouseConfig, EmbeddedConfig},
        embedded, sqlite,
    },
};

/// What the data directory shall hold.
pub(super) struct Wanted {
    pub data_dir: PathBuf,
    pub seed: u64,
    pub scale: f64,
    pub scenario: Option<Scenario>,
    /// End of the data. None: that of the data that are there, else now.
    pub end: Option<OffsetDateTime>,
    pub reset: bool,
}

/// A data directory that is ready.
pub(super) struct Prepared {
    /// Kept until the tour is over, so that the server joins the running ClickHouse instead of starting it again.
    clickhouse: ClickHouse,
    /// End of the data.
    pub end: OffsetDateTime,
}

impl Prepared {
    pub(super) async fn close(self) {
        self.clickhouse.close().await;
    }
}

pub(super) async fn run(wanted: &Wanted) -> anyhow::Result<Prepared> {
    let folder = &wanted.data_dir;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    headline(wanted);
    if embedded::find_library(folder, None).is_none() {
        step("ClickHouse", "fetching the library (178 MB, once)");
        // npm is waited for with blocking calls.
        tokio::task::block_in_place(|| setup::clickhouse(folder))?;
    }
    let clickhouse = ClickHouse::embedded(EmbeddedConfig::new(folder, ClickHouseConfig::DEFAULT_DATABASE));
    let filled = fill(wanted, &clickhouse).await;
    if filled.is_err() {
        clickhouse.close().await;
    }
    Ok(Prepared { clickhouse, end: filled? })
}

async fn fill(wanted: &Wanted, clickhouse: &ClickHouse) -> anyhow::Result<OffsetDateTime> {
    let started = Instant::now();
    let ping = clickhouse.ping().await.map_err(|error| match &error.hint {
        Some(hint) => crate::cli::outcome::hinted(error.message.clone(), hint.clone()),
        None => anyhow::anyhow!("{error}"),
    })?;
    done("ClickHouse", &format!("{} embedded, ready after {}", ping.version, seconds(started.elapsed())));

    let platform = wanted.data_dir.join("platform.sqlite");
    let (generator, there) = plan(wanted, clickhouse, &platform).await?;
    let generator = Arc::new(generator);
    let end = generator.plan().end;
    if there {
        done("Telemetry", &format!("the data of {} are there; `--reset` loads new ones", minute(end)));
    } else {
        telemetry(&generator, clickhouse).await?;
        let started = Instant::now();
        let rows = load::sqlite(&generator, &platform).await?;
        done(
            "Platform",
            &format!("{} rows of inventory, alerts and changes in {}", group(rows), seconds(started.elapsed())),
        );
    }
    let world = World::embedded()?;
    let code = wanted.scenario.as_ref().map(|scenario| scenario.organization.as_str());
    let organization = code.and_then(|code| world.organization(code)).or_else(|| world.organizations.first());
    let organization = organization.context("the demo has no organisation")?;
    write_settings(&wanted.data_dir, end, &organization.id_text, &organization.spec.name)?;
    Ok(end)
}

/// The plan of the data that are there, if they are what is wanted; else one that ends now.
async fn plan(wanted: &Wanted, clickhouse: &ClickHouse, platform: &Path) -> anyhow::Result<(Generator, bool)> {
    let at = |end| Plan { seed: wanted.seed, end, scale: wanted.scale, scenario: wanted.scenario.clone() };
    if !wanted.reset
        && let Some(marker) = load::marker(clickhouse).await?
        && platform.is_file()
    {
        let there = at(wanted.end.unwrap_or(marker.end));
        let sqlite = sqlite::Sqlite::new(platform);
        let second = load::marker(&sqlite).await;
        sqlite.close().await;
        if marker.holds(&there) && second?.is_some_and(|second| second.holds(&there)) {
            return Ok((Generator::new(there)?, true));
        }
    }
    let end = wanted.end.unwrap_or_else(OffsetDateTime::now_utc);
    let whole = end.to_offset(time::UtcOffset::UTC).replace_nanosecond(0)?;
    Ok((Generator::new(at(whole))?, false))
}

async fn telemetry(generator: &Arc<Generator>, clickhouse: &ClickHouse) -> anyhow::Result<()> {
    let started = Instant::now();
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
    bar.set_style(ProgressStyle::with_template("  {spinner} Telemetry     {bar:40}  {msg}")?);
    let loaded = load::telemetry(generator, clickhouse, |progress| {
        bar.set_length(progress.units as u64);
        bar.set_position(progress.done as u64);
        bar.set_message(format!("{} rows", group(progress.rows)));
    })
    .await;
    bar.finish_and_clear();
    let loaded = loaded?;
    let facts = format!("{} rows of 24 hours in {}", group(loaded.rows), seconds(started.elapsed()));
    done("Telemetry", &facts);
    Ok(())
}

/// The settings that make `serve` without settings answer from these data.
fn write_settings(data_dir: &Path, end: OffsetDateTime, id: &str, name: &str) -> anyhow::Result<()> {
    let path = data_dir.join(FILE_NAME);
    let text = format!(
        "# Written by `tfo-mcp demo` and read with the lowest priority. It is ignored as soon as other settings name\n\
         # databases; delete it to start over.\n\
         server:\n  clock: \"{}\"  # the end of the demo data\n\
         tenancy:\n  organization_id: {id}  # {name}\n",
        end.format(&Rfc3339)?
    );
    std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

fn headline(wanted: &Wanted) {
    let title = match &wanted.scenario {
        Some(scenario) => scenario.title.clone(),
        None => "An uneventful day".to_owned(),
    };
    output::say(&format!("{BOLD}{title}{BOLD:#}\n{DIM}data in {}{DIM:#}\n", wanted.data_dir.display()));
}

/// Something begins that takes a while.
fn step(what: &str, text: &str) {
    output::say(&format!("  … {what:<12}  {text}"));
}

/// Something is there.
pub(super) fn done(what: &str, text: &str) {
    output::say(&format!("  {GOOD}✓{GOOD:#} {what:<12}  {text}"));
}

pub(super) fn seconds(elapsed: Duration) -> String {
    match elapsed.as_secs_f64() {
        short if short < 1.0 => format!("{:.0} ms", short * 1e3),
        long => format!("{long:.1} s"),
    }
}

/// `2,013,442`.
pub(super) fn group(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `2026-11-20 10:30 UTC`.
fn minute(at: OffsetDateTime) -> String {
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}
