//! How far commands are kept in on this machine, and what that means.

use super::{Finding, State};
use crate::{
    engine::Engine,
    host::commands::{self, Confinement},
};

/// What the kernel gives, told also where no tool runs commands: whoever turns them on knows before.
pub(super) fn finding(engine: &Engine) -> Finding {
    let catalog = engine.catalog();
    let runs = engine.options().commands.are_open()
        && catalog.tools.values().any(|tool| tool.definition.run.any(&mut |facts| facts.word == "command.run"));
    let (confined, found) = match commands::probe() {
        Ok(confinement) => (confinement.keeps_files(), told(confinement)),
        Err(why) => (false, format!("cannot be had: {why}")),
    };
    let found = if runs { found } else { format!("{found} (no tool that is offered runs any)") };
    let unconfined = "no command runs here, unless the operator sets `commands.unconfined: true`: then they may read and \
                      change whatever this account may. A kernel from 5.13 on with Landlock turned on confines them";
    Finding {
        state: if runs && !confined { State::Warning } else { State::Ok },
        name: "commands",
        found,
        what_to_do: (runs && !confined).then(|| unconfined.to_owned()),
    }
}

fn told(confinement: Confinement) -> String {
    let files = match confinement.landlock {
        Some(version) => format!("kept in their folders by Landlock {version}"),
        None => "not kept in their folders: this kernel has no Landlock".to_owned(),
    };
    let calls = match confinement.seccomp {
        true => "no network and no dangerous calls to the system (seccomp)",
        false => "all calls to the system and the network (no seccomp for this processor)",
    };
    let rights = if confinement.no_new_privs { "no new rights (no_new_privs)" } else { "no lock on new rights" };
    let signals = match confinement.landlock.is_some() && !confinement.keeps_signals() {
        true => "; they can send signals to other processes of this account, which Landlock 6 (Linux 6.12) prevents",
        false => "",
    };
    format!("{files}, {calls}, {rights}{signals}")
}
