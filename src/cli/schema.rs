//! `tfo-mcp schema`: writes the JSON Schemas of definitions and settings, or proves that they are up to date.

use std::path::PathBuf;

use clap::Args;

use super::{Outcome, generated::Folder};
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
    let mut files = schema::files();
    files.insert(SETTINGS.to_owned(), serde_json::to_string_pretty(&settings::schema())? + "\n");
    let folder = Folder {
        path: &arguments.dir,
        files,
        ending: ".schema.json",
        left_over: "is of no kind",
        remedy: format!("run `tfo-mcp schema {}`", arguments.dir.display()),
    };
    folder.run(arguments.check)
}
