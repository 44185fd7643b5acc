//! `tfo-mcp schema`: writes the JSON Schemas of definitions and settings, or proves that they are up to date.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::{Outcome, output};
use crate::{check::schema, settings};

/// The schema of the settings file.
const SETTINGS: &str = "settings.schema.json";

/// Write the JSON Schemas of all definitions and of the settings
#[derive(Debug, Args)]
pub struct Arguments {
    /// Folder to write to
    #[arg(default_value = "schemas")]
    dir: PathBuf,
    /// Write nothing; exit with 1 if a file is missing or not up to date
    #[arg(long)]
    check: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let folder = &arguments.dir;
    let path = folder.join(SETTINGS);
    let text = serde_json::to_string_pretty(&settings::schema())? + "\n";
    let settings_differ = !std::fs::read_to_string(&path).is_ok_and(|found| found == text);
    let drift = if arguments.check { schema::drift(folder) } else { schema::write(folder) };
    let drift = drift.with_context(|| format!("cannot use the folder `{}`", folder.display()))?;
    if settings_differ && !arguments.check {
        std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let stale = |file: &std::path::Path| match (arguments.check, file.exists()) {
        (false, _) => "written",
        (true, true) => "is not up to date",
        (true, false) => "is missing",
    };
    let left_over = if arguments.check { "is of no kind" } else { "removed" };
    let own = settings_differ.then(|| SETTINGS.to_owned());
    for name in drift.stale.iter().chain(&own) {
        let file = folder.join(name);
        output::say(&format!("{}: {}", file.display(), stale(&file)));
    }
    for name in &drift.left_over {
        output::say(&format!("{}: {left_over}", folder.join(name).display()));
    }
    if arguments.check && (settings_differ || !drift.is_none()) {
        output::hint_line(&format!("run `tfo-mcp schema {}`", folder.display()));
        return Ok(Outcome::Findings);
    }
    Ok(Outcome::Done)
}
