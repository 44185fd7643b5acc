//! `tfo-mcp setup`: fetches what is not part of the binary.

use std::path::Path;

use clap::{Args, ValueEnum};

use super::{Outcome, arguments::SettingsArguments, bind, bootstrap, outcome::hinted, output};
use crate::{
    source::embedded::{self, Installed},
    telemetry,
};

/// Fetch what is not part of the program
#[derive(Debug, Args)]
pub struct Arguments {
    /// `clickhouse`: the library of the embedded ClickHouse, 178 MB through npm, checked against a pinned SHA-512
    #[arg(value_enum, hide_possible_values = true)]
    what: What,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    Clickhouse,
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let loaded = bootstrap::settings(common)?;
    bind::logging(&loaded, telemetry::Level::WARN)?;
    let What::Clickhouse = arguments.what;
    let installed = clickhouse(&loaded.data_dir)?;
    output::say(if installed.was_there { "it is there already" } else { "installed" });
    output::write(&installed.path.display().to_string())?;
    Ok(Outcome::Done)
}

/// Installs the library unless it is there, with a progress bar.
pub(super) fn clickhouse(data_dir: &Path) -> anyhow::Result<Installed> {
    embedded::install(data_dir, &mut embedded::progress_bar()).map_err(|error| hinted(error.to_string(), error.hint()))
}
