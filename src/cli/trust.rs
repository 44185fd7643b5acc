//! `tfo-mcp trust`: which settings files of working folders count.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{
    Outcome,
    arguments::SettingsArguments,
    outcome::{Reported, hinted},
    output, problems,
};
use crate::settings::{self, FILE_NAME, Inputs, Standing, Trust, settings_file_of};

/// Let the settings file of a folder count for commands that are started in it
///
/// A `tfo-mcp.yaml` in the working folder is ignored until it is trusted: programs that start MCP servers do so in whatever
/// folder is open, and the file says where credentials are sent and which definitions a model is shown. Read it, and the
/// packs that it names, first. It is trusted as it is now: a changed file is ignored again.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file, or its folder
    #[arg(default_value = FILE_NAME)]
    file: PathBuf,
    /// Trust it no more
    #[arg(long)]
    revoke: bool,
    /// List the files that are trusted
    #[arg(long, conflicts_with_all = ["file", "revoke"])]
    list: bool,
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let cannot = |error: std::io::Error| {
        let hint = "the list is `tfo-mcp/trusted.json` in your configuration folder; `--config FILE` needs no trust";
        hinted(format!("the list of trusted files cannot be used: {error}"), hint)
    };
    let mut trust = Trust::read(common.inputs().config_home.as_deref()).map_err(cannot)?;
    if arguments.list {
        let rows: Vec<Vec<String>> = trust.files().map(|(file, standing)| row(file, standing)).collect();
        match rows.is_empty() {
            true => output::say("no file is trusted"),
            false => output::write(&output::columns(&rows))?,
        }
        return Ok(Outcome::Done);
    }
    let file = settings_file_of(&arguments.file);
    let shown = file.display();
    if file.file_name().is_none_or(|name| name != FILE_NAME) {
        let hint =
            format!("only a file called `{FILE_NAME}` is looked for in a working folder; name others with `--config`");
        return Err(hinted(format!("`{shown}` is read by no command of its own accord"), hint));
    }
    if arguments.revoke {
        output::say(&match trust.remove(&file).map_err(cannot)? {
            true => format!("`{shown}` is ignored from now on; a server that runs keeps what it read"),
            false => format!("`{shown}` was not trusted"),
        });
        return Ok(Outcome::Done);
    }
    if !file.is_file() {
        return Err(hinted(format!("there is no `{shown}`"), "`tfo-mcp init-config` writes one"));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // As in CI: its mistakes are told, and no variable of this shell is put in.
    let alone = Inputs { working_dir: folder.to_owned(), unattended: true, ..Inputs::default() };
    if let Err(found) = settings::load(&alone) {
        problems::print(&found);
        output::error(&format!("`{shown}` is not trusted: it has mistakes"), Some("mend it, and trust it then"));
        return Err(Reported(2).into());
    }
    trust.add(&file).map_err(cannot)?;
    output::say(&format!("`{shown}` counts for commands that are started in its folder, until it changes"));
    Ok(Outcome::Done)
}

fn row(file: &std::path::Path, standing: Standing) -> Vec<String> {
    let word = match standing {
        Standing::Trusted => "trusted",
        Standing::Changed => "changed since, ignored",
        Standing::Unknown => "gone",
    };
    vec![file.display().to_string(), word.to_owned()]
}
