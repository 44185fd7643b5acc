//! The process that becomes a command: it makes a session of its own, confines itself, and then is the command.
//!
//! Run as `tfo-mcp internal-command becomes` by [`super::keeper`], which writes what is to be run to its input, and reads what came
//! of it from its output. Its other output is that of the command.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::{fd::AsFd as _, unix::process::CommandExt as _},
    process::{Command, ExitCode, Stdio},
};

use super::{
    confine,
    spoken::{Begun, Spec},
};

/// Becomes the command. Whoever comes back from here could not.
pub(super) fn run() -> ExitCode {
    // Closed by the kernel when it is the command. Its own first output is that of the command by then, also if it comes back.
    let Ok(keeper) = std::io::stdout().as_fd().try_clone_to_owned() else { return ExitCode::FAILURE };
    let keeper = File::from(keeper);
    let why = become_command(&keeper).unwrap_or_else(Begun::Failed);
    say(&keeper, &why);
    ExitCode::FAILURE
}

/// A line for the keeper.
fn say(mut keeper: &File, begun: &Begun) {
    if let Ok(mut text) = serde_json::to_string(begun) {
        text.push('\n');
        let _ = keeper.write_all(text.as_bytes());
    }
}

fn become_command(keeper: &File) -> Result<Begun, String> {
    let mut line = String::new();
    std::io::stdin().lock().read_to_string(&mut line).map_err(|error| error.to_string())?;
    let spec: Spec =
        serde_json::from_str(&line).map_err(|_| "this is for the server to start, not for people".to_owned())?;
    // Not that of the keeper: the kernel shares the processor out among sessions, and the keeper needs its turn.
    let session = rustix::process::setsid().map_err(|error| format!("no session can be made: {error}"))?;
    confine::limit(&spec)?;
    let confinement = confine::enter(&spec)?;
    // Last, since a change of the account takes it away. It ends with its keeper, whatever ends that.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|error| format!("it cannot be tied to its keeper: {error}"))?;
    if !confinement.keeps_files() && !spec.unconfined {
        return Ok(Begun::Unconfined);
    }
    if let (Err(error), Some((account, _))) = (std::env::set_current_dir(&spec.folder), spec.account) {
        let folder = spec.folder.display();
        return Err(format!(
            "the folder `{folder}` cannot be entered as account {account}, to whom it belongs: {error}"
        ));
    }
    // What it says and what it complains about come in the order in which it did.
    let output = std::io::stderr().as_fd().try_clone_to_owned().map_err(|error| error.to_string())?;
    let mut command = Command::new(&spec.program);
    command
        .arg0(&spec.name)
        .args(&spec.arguments)
        .current_dir(&spec.folder)
        .env_clear()
        .env("HOME", &spec.own)
        .envs(spec.environment.iter().map(|(name, value)| (name, value)))
        .env("TMPDIR", &spec.own)
        .stdin(Stdio::null())
        .stdout(output);
    say(keeper, &Begun::Runs { confinement, session: session.as_raw_nonzero().get() });
    let error = command.exec();
    Ok(Begun::Failed(match error.kind() {
        std::io::ErrorKind::PermissionDenied => format!(
            "`{}` cannot be started: it is `{}`, which commands may not run; the operator names its folder in \
             `commands.read_only_roots`",
            spec.name,
            spec.program.display()
        ),
        std::io::ErrorKind::NotFound => format!(
            "`{}` cannot be started: the program that its first line or the system names to run it is not there",
            spec.name
        ),
        _ => format!("`{}` cannot be started: {error}", spec.name),
    }))
}
