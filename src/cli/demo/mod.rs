//! `tfo-mcp demo`: demo data in the embedded databases, and a look at them through the eyes of an LLM client.
//!
//! `prepare` fills the data directory, `tour` starts `tfo-mcp serve` as a child, speaks MCP with it and shows what comes
//! back, `chart` draws. What the tour asks for stands in `demo/tour.yaml` and in the incident scenario.

mod chart;
mod prepare;
mod tour;

use anyhow::Context;
use clap::Args;

use super::{Outcome, arguments::SettingsArguments, bind, bootstrap, outcome::hinted, output};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{demo::Scenario, telemetry};

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
    /// Incident to play, or `none` for an uneventful day [default: the first there is]
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
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
    let loaded = bootstrap::settings(common)?;
    bind::logging(&loaded, telemetry::Level::WARN)?;
    let wanted = prepare::Wanted {
        data_dir: loaded.data_dir.clone(),
        seed: arguments.seed,
        scale: if arguments.quick { 0.1 } else { arguments.scale },
        scenario: scenario(arguments.scenario.as_deref())?,
        end: arguments.end,
        reset: arguments.reset,
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

fn scenario(name: Option<&str>) -> anyhow::Result<Option<Scenario>> {
    let names = Scenario::names();
    let name = match name {
        Some("none") => return Ok(None),
        Some(name) => name,
        None => match names.first() {
            Some(first) => first,
            None => return Ok(None),
        },
    };
    if !names.iter().any(|known| known == name) {
        let known: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        return Err(hinted(
            format!("there is no scenario `{name}`"),
            format!("scenarios: {}, `none`", known.join(", ")),
        ));
    }
    Scenario::embedded(name).map(Some)
}
