//! `tfo-mcp demo`: demo data in the embedded databases, and a look at them through the eyes of an LLM client.
//!
//! `prepare` fills the data directory, `tour` starts `tfo-mcp serve` as a child, speaks MCP with it and shows what comes
//! back, `chart` draws; `story` finds the scenario. What the tour asks for stands in `demo/tour.yaml` and in the incident scenario.

mod chart;
mod prepare;
mod story;
mod tour;

use anyhow::Context;
use clap::Args;

use super::{Outcome, arguments::SettingsArguments, bind, bootstrap, output};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::telemetry;

/// Load demo data, play an incident, and show what an LLM sees of it
///
/// Needs no server: ClickHouse and SQLite are embedded. Afterwards `tfo-mcp serve` without settings serves the data. Data that
/// are there already are used again; they keep their own time, so that the last hour stays the last hour.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Amount of data; 1 is about two million rows
    #[arg(long, default_value_t = 1.0, value_parser = scale)]
    scale: f64,
    /// Same as `--scale 0.1`
    #[arg(long, conflicts_with = "scale")]
    quick: bool,
    /// Incident to play: a name of `--list`, the path of a file, or `none` for an uneventful day
    #[arg(long, value_name = "NAME|PATH")]
    scenario: Option<String>,
    /// Ask which incident to play; needs a terminal
    #[arg(long, conflicts_with = "scenario")]
    choose: bool,
    /// Print the incidents that can be played, and load nothing
    #[arg(long)]
    list: bool,
    /// Seed of the generator: the same seed gives the same data
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// End of the data in RFC 3339, for the same story at any time of the day [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    end: Option<OffsetDateTime>,
    /// Load the data again although they are there
    #[arg(long)]
    reset: bool,
    /// Only load the data, without the tour
    #[arg(long)]
    no_tour: bool,
}

fn time(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| format!("`{text}` is not a time such as 2026-11-20T12:00:00Z"))
}

fn scale(text: &str) -> Result<f64, String> {
    let scale: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if (0.01..=100.0).contains(&scale) { Ok(scale) } else { Err("a scale lies between 0.01 and 100".into()) }
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    if arguments.list {
        story::list()?;
        return Ok(Outcome::Done);
    }
    let story = story::wanted(arguments)?;
    let loaded = bootstrap::settings(common)?;
    bind::logging(&loaded, telemetry::Level::WARN)?;
    let wanted = prepare::Wanted {
        data_dir: loaded.data_dir.clone(),
        seed: arguments.seed,
        scale: if arguments.quick { 0.1 } else { arguments.scale },
        scenario: story.scenario,
        end: arguments.end,
        reset: arguments.reset || story.from_file,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    runtime.block_on(async {
        let prepared = prepare::run(&wanted).await?;
        let shown = if arguments.no_tour { Ok(()) } else { tour::run(&wanted, &prepared).await };
        prepared.close().await;
        shown
    })?;
    if arguments.no_tour {
        output::say(&format!("`{}` serves the data now", tour::typed(&wanted.data_dir, "serve")));
    }
    Ok(Outcome::Done)
}
