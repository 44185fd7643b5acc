//! `tfo-mcp completions`: completion in a shell. Its script asks this program what fits, so that names are known too.

use std::path::Path;

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::{CompleteEnv, Shell, env::Shells};

use super::{Cli, Outcome, output};

/// Variable by which a script asks.
const VARIABLE: &str = "_TFO_MCP_COMPLETE";

/// What the program is called.
const PROGRAM: &str = "tfo-mcp";

/// Print a completion script
///
/// bash:  echo 'source <(tfo-mcp completions bash)' >> ~/.bashrc
/// zsh:   echo 'source <(tfo-mcp completions zsh)' >> ~/.zshrc
/// fish:  echo 'tfo-mcp completions fish | source' > ~/.config/fish/completions/tfo-mcp.fish
///
/// Commands, flags and names are completed: of context types, tools, prompts, keys and clients, those of packs among them.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let shells = Shells::builtins();
    let name = arguments.shell.to_string();
    let shell = shells.completer(&name).with_context(|| format!("nothing is known about {name}"))?;
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, PROGRAM, PROGRAM, &program()?, &mut script)?;
    output::write(&String::from_utf8(script)?)?;
    Ok(Outcome::Done)
}

/// How the script calls this program: by name where the shell finds it so, else by its path.
fn program() -> anyhow::Result<String> {
    let own = std::env::current_exe().context("cannot find the running program")?;
    let found = std::env::var_os("PATH")
        .and_then(|path| std::env::split_paths(&path).map(|folder| folder.join(PROGRAM)).find(|path| path.is_file()));
    let same = |path: &Path| path.canonicalize().is_ok_and(|path| own.canonicalize().is_ok_and(|own| own == path));
    match found {
        Some(path) if same(&path) => Ok(PROGRAM.to_owned()),
        _ => own.into_os_string().into_string().map_err(|path| anyhow::anyhow!("{} is not UTF-8", path.display())),
    }
}

/// Answers a script that asks what fits; whether one did.
pub(super) fn answer() -> bool {
    let asked = CompleteEnv::with_factory(Cli::command).var(VARIABLE).bin(PROGRAM);
    let folder = std::env::current_dir().ok();
    // A shell shows nothing rather than an error in the middle of a line.
    std::env::var_os(VARIABLE).is_some() && asked.try_complete(std::env::args_os(), folder.as_deref()).unwrap_or(true)
}
