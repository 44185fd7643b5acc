//! Names for completion in a shell: of definitions, of keys, of clients.
//!
//! Asked at every press of a key, with a command line that is not finished: what cannot be found out is no name, and
//! nothing is printed.

use std::path::PathBuf;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use super::{bootstrap, connect, keys};
use crate::{
    definition::Kind,
    server::identity::keys as stored,
    settings::{self, Flag, Inputs, Loaded},
};

/// Names of definitions of a kind.
pub(super) fn of(kind: Kind) -> ArgValueCandidates {
    ArgValueCandidates::new(move || candidates(|named| named.kind == kind))
}

/// Names of definitions that may have examples.
pub(super) fn definitions() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        candidates(|named| matches!(named.kind, Kind::Tool | Kind::Context | Kind::Prompt | Kind::Resource))
    })
}

/// Names of API keys.
pub(super) fn of_keys() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let keys = typed().and_then(|loaded| stored::read(&keys::file(&loaded)).ok()).unwrap_or_default();
        keys.into_iter().map(|key| CompletionCandidate::new(key.name)).collect()
    })
}

/// Names of clients.
pub(super) fn of_clients() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let known = connect::titles().unwrap_or_default();
        known.into_iter().map(|(name, title)| CompletionCandidate::new(name).help(Some(title.into()))).collect()
    })
}

fn candidates(wanted: impl Fn(&bootstrap::Named) -> bool) -> Vec<CompletionCandidate> {
    let Some(loaded) = typed() else { return Vec::new() };
    let names = bootstrap::names(&loaded).into_iter().filter(wanted);
    names.map(|named| CompletionCandidate::new(named.name)).collect()
}

/// The settings that are in force for what was typed so far.
fn typed() -> Option<Loaded> {
    let words: Vec<String> = std::env::args().collect();
    let values = |flag: &str| -> Vec<PathBuf> {
        let behind = words.windows(2).filter_map(|pair| match pair {
            [name, value] if name == flag => Some(PathBuf::from(value)),
            _ => None,
        });
        let joined = words.iter().filter_map(|word| Some(PathBuf::from(word.strip_prefix(flag)?.strip_prefix('=')?)));
        behind.chain(joined).collect()
    };
    let mut inputs = Inputs { config: values("--config").pop(), ..Inputs::from_process() };
    let packs: Vec<String> =
        values("--pack").iter().map(|pack| inputs.working_dir.join(pack).to_string_lossy().into_owned()).collect();
    let working_dir = inputs.working_dir.clone();
    let mut flag = |name, key, value| inputs.flags.push(Flag { name, key, value });
    if !packs.is_empty() {
        flag("--pack", "packs", packs.into());
    }
    if let Some(data_dir) = values("--data-dir").pop() {
        flag("--data-dir", "data_dir", working_dir.join(data_dir).to_string_lossy().into_owned().into());
    }
    if words.iter().any(|word| word == "--packs-only") {
        flag("--packs-only", "packs_only", true.into());
    }
    settings::load(&inputs).ok()
}
