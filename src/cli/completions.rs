//! `tfo-mcp completions`: a completion script for a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Outcome, output};

/// Print a completion script
///
/// bash:  tfo-mcp completions bash > ~/.local/share/bash-completion/completions/tfo-mcp
/// zsh:   tfo-mcp completions zsh > "${fpath[1]}/_tfo-mcp"
/// fish:  tfo-mcp completions fish > ~/.config/fish/completions/tfo-mcp.fish
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "tfo-mcp", &mut script);
    output::write(&String::from_utf8(script)?)?;
    Ok(Outcome::Done)
}
