//! `tfo-mcp migrate`: what the server wants made in the databases of the platform.

mod platform;
mod telemetry;

use clap::{Args, ValueEnum};

use super::{Outcome, arguments::SettingsArguments, bind, bootstrap, outcome::hinted};
use crate::telemetry::Level;

/// Make what the server wants in the platform's databases: the guard in PostgreSQL, sums of each minute in ClickHouse
///
/// `platform --guard` makes a second lock between organisations. It prints the SQL, which holds the guard's key; with an
/// administrator's URL it is run instead, and the key is not shown. The guard shows views of the served tables, without secret
/// columns, to one login role; tables, roles and grants of the platform stay as they are. Run it again when the platform got new
/// tables; take it away before a migration of the platform that changes or drops columns, which a view would stand in the way
/// of. A `pg_dump` of the whole database by a role that does not own the guard needs `-N tfo_guard`. The server uses the guard
/// when the source logs in as that role and has the setting `guard_key`.
///
/// `telemetry` makes tables `tfo_…` beside the platform's, and views that add up requests, spans, texts of log lines and metric
/// points by the minute from then on, so that much traffic is read from sums. It prints the SQL; with an administrator's URL it is run. `--backfill` also
/// fills in what is older, a day at a time, and goes on where it was when it is run again; run it once more for rows that came
/// late. The server uses the sums where they are whole and its account may read them; it never writes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// `platform`: the PostgreSQL behind the source of that name; `telemetry`: the ClickHouse
    #[arg(value_enum, hide_possible_values = true)]
    what: What,
    /// Make the guard in PostgreSQL
    #[arg(long, required_if_eq("what", "platform"))]
    guard: bool,
    /// Take away what was made instead
    #[arg(long)]
    drop: bool,
    /// Fill the sums in with what was recorded before
    #[arg(long, conflicts_with_all = ["drop", "guard"])]
    backfill: bool,
    /// Login role that shall read through the guard; made without a password if it is not there [default: the user of the source]
    #[arg(long, value_name = "ROLE")]
    reader: Option<String>,
    /// URL of the database as an administrator; better in the variable than on the command line
    #[arg(long, value_name = "URL", env = "TFO_MCP_ADMIN_URL", hide_env_values = true)]
    url: Option<String>,
    /// Print what makes the sums on each node of this cluster instead; untested, to be read before it is run
    #[arg(long, value_name = "NAME", conflicts_with_all = ["drop", "guard", "backfill"])]
    cluster: Option<String>,
    /// Print the SQL also where an administrator's URL is given
    #[arg(long, visible_alias = "dry-run")]
    print: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    Platform,
    Telemetry,
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let loaded = bootstrap::settings(common)?;
    bind::logging(&loaded, Level::WARN)?;
    match arguments.what {
        What::Platform => platform::run(&loaded, arguments),
        What::Telemetry => telemetry::run(arguments),
    }
}

fn failed(error: crate::source::SourceError) -> anyhow::Error {
    match error.hint {
        Some(hint) => hinted(error.message, hint),
        None => anyhow::anyhow!(error.message),
    }
}
