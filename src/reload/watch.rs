//! The watch: waits for changes, lets bursts settle, tries what it finds, and hands the result to the engine.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    task::spawn_blocking,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Definitions, Good,
    eyes::Eyes,
    look::{self, Fingerprint, Stamp},
};
use crate::engine::{Engine, Finding};

/// How long files must be left alone before they are read: an editor writes several, and not at once.
const SETTLE: Duration = Duration::from_millis(100);
/// Longest wait for files to be left alone.
const PATIENCE: Duration = Duration::from_secs(3);
/// With notices, files are looked at this seldom all the same: some file systems tell nothing.
const RECHECK: Duration = Duration::from_secs(30);

/// How changes are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By notices of the file system; where it gives none, by looking.
    Auto,
    /// By looking every interval.
    Poll,
    /// Not at all; only [`Watch::force`] reloads.
    Off,
}

/// What is watched, and how.
pub struct Watch {
    pub definitions: Definitions,
    /// What the files were when the engine's first catalog was read.
    pub seen: Fingerprint,
    pub mode: Mode,
    /// Between two looks where no notices come.
    pub interval: Duration,
    /// Asks for a reload whatever the files say.
    pub force: Arc<Notify>,
    /// Ends the watch.
    pub stop: CancellationToken,
}

/// Keeps the engine's catalog at what the packs say, until stopped.
pub async fn watch(engine: Arc<Engine>, watch: Watch) {
    let Watch { definitions, seen, mode, interval, force, stop } = watch;
    let bell = Arc::new(Notify::new());
    let definitions = Arc::new(definitions);
    let mut state = State { engine, definitions, eyes: None, blind: false, tried: seen, stamp: None };
    if state.definitions.packs.is_empty() || mode == Mode::Off {
        // The built-in pack does not change; asked for, its reload is a reload all the same.
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = force.notified() => state.settle_and_attempt(&bell, true).await,
            }
        }
    }
    state.open(mode, &bell).await;
    // Whatever changed between the start of the server and the opening of the eyes.
    state.settle_and_attempt(&bell, false).await;
    loop {
        let pause = if state.eyes.is_some() { RECHECK } else { interval };
        let forced = tokio::select! {
            () = stop.cancelled() => return,
            () = force.notified() => true,
            () = bell.notified() => false,
            () = sleep(pause) => {
                if !state.looks_changed().await {
                    continue;
                }
                false
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = state.settle_and_attempt(&bell, forced) => {}
        }
        state.open(mode, &bell).await;
    }
}

struct State {
    engine: Arc<Engine>,
    definitions: Arc<Definitions>,
    eyes: Option<Eyes>,
    /// Whether the log says already that the system does not tell of changes.
    blind: bool,
    /// What the files were when they were last tried.
    tried: Fingerprint,
    stamp: Option<Stamp>,
}

/// What one attempt found.
enum Found {
    Unchanged,
    /// Files changed while they were read.
    Moving,
    Good(Box<Good>, Fingerprint),
    Bad(Vec<Finding>, Fingerprint),
}

impl State {
    /// Opens eyes, or opens them anew where the folders have changed; without them, files are looked at.
    async fn open(&mut self, mode: Mode, bell: &Arc<Notify>) {
        if mode != Mode::Auto {
            return;
        }
        let (packs, bell) = (self.packs(), bell.clone());
        let eyes = self.eyes.take();
        let opened = spawn_blocking(move || {
            if packs.iter().any(|pack| remote(pack)) {
                return Ok(None);
            }
            match eyes {
                Some(eyes) if eyes.cover(&packs) => Ok(Some(eyes)),
                // The old ones are closed only after the new ones are open.
                eyes => {
                    let new = Eyes::on(&packs, &bell)?;
                    if eyes.is_some() {
                        // What happened in a new folder before it was watched.
                        bell.notify_one();
                    }
                    Ok::<_, notify::Error>(Some(new))
                }
            }
        })
        .await;
        self.eyes = match opened {
            Ok(Ok(eyes)) => eyes,
            Ok(Err(error)) => {
                if !std::mem::replace(&mut self.blind, true) {
                    tracing::warn!(%error, "The system does not tell of changed files; they are looked at regularly.");
                }
                None
            }
            Err(_) => None,
        };
    }

    async fn looks_changed(&mut self) -> bool {
        let packs = self.packs();
        let Ok(now) = spawn_blocking(move || look::stamp(&packs)).await else { return false };
        !self.stamp.as_ref().is_some_and(|stamp| stamp.proves(&now))
    }

    /// Waits until files are left alone, then tries them.
    async fn settle_and_attempt(&mut self, bell: &Notify, forced: bool) {
        let began = Instant::now();
        loop {
            self.settle(bell, began).await;
            match self.attempt_once(forced).await {
                Found::Moving if began.elapsed() < PATIENCE * 2 => {}
                Found::Moving => {
                    tracing::warn!("The definitions change faster than they can be read; they are tried again.");
                    return bell.notify_one();
                }
                found => return self.take(found, forced),
            }
        }
    }

    async fn settle(&self, bell: &Notify, began: Instant) {
        match &self.eyes {
            Some(eyes) => {
                while began.elapsed() < PATIENCE {
                    let disturbed = timeout(SETTLE, bell.notified()).await.is_ok();
                    if !disturbed && !eyes.see_writing() {
                        return;
                    }
                }
            }
            None => {
                let mut before: Option<Stamp> = None;
                while began.elapsed() < PATIENCE {
                    let packs = self.packs();
                    let Ok(now) = spawn_blocking(move || look::stamp(&packs)).await else { return };
                    if before.is_some_and(|before| !before.differs(&now)) {
                        return;
                    }
                    before = Some(now);
                    sleep(SETTLE * 2).await;
                }
            }
        }
    }

    /// Reads everything, away from the threads that serve.
    async fn attempt_once(&mut self, forced: bool) -> Found {
        let (packs, definitions) = (self.packs(), self.definitions.clone());
        let (tried, known) = (self.tried, self.stamp.take());
        let read = spawn_blocking(move || {
            let stamp = look::stamp(&packs);
            if !forced && known.is_some_and(|known| known.proves(&stamp)) {
                return (stamp, Found::Unchanged);
            }
            let before = look::fingerprint(&packs);
            if !forced && tried == before {
                return (stamp, Found::Unchanged);
            }
            let result = definitions.read();
            if look::fingerprint(&packs) != before {
                return (stamp, Found::Moving);
            }
            let found = match result {
                Ok(good) => Found::Good(Box::new(good), before),
                Err(findings) => Found::Bad(findings, before),
            };
            (stamp, found)
        });
        match read.await {
            Ok((stamp, found)) => {
                self.stamp = Some(stamp);
                found
            }
            Err(error) => {
                // A defect of ours must not end the watch.
                tracing::error!(%error, "Reading the definitions met a defect; the last good ones stay in force.");
                Found::Unchanged
            }
        }
    }

    /// Hands the result to the engine and the log.
    fn take(&mut self, found: Found, forced: bool) {
        match found {
            Found::Unchanged | Found::Moving => {}
            Found::Good(good, fingerprint) => {
                self.tried = fingerprint;
                let (catalog, warnings) = (good.catalog, good.findings.len());
                tracing::info!(
                    forced,
                    warnings,
                    tools = catalog.tools.len(),
                    contexts = catalog.contexts.len(),
                    prompts = catalog.prompts.len(),
                    resources = catalog.resources.len(),
                    "The definitions were reloaded."
                );
                self.engine.replace(catalog, good.findings);
            }
            Found::Bad(findings, fingerprint) => {
                self.tried = fingerprint;
                let errors = || findings.iter().filter(|finding| finding.severity == "error");
                tracing::warn!(
                    forced,
                    errors = errors().count(),
                    "The edited definitions cannot be served; the last good ones stay in force."
                );
                for Finding { file, line, column, code, message, .. } in errors().take(10) {
                    tracing::warn!("{file}:{line}:{column}: {code} {message}");
                }
                self.engine.refuse(findings);
            }
        }
    }

    fn packs(&self) -> Vec<PathBuf> {
        self.definitions.packs.clone()
    }
}

/// Whether a folder lies on a file system that other machines change without our kernel hearing of it.
fn remote(path: &std::path::Path) -> bool {
    // From `linux/magic.h`: NFS, SMB, CIFS, SMB2, Ceph, AFS, Plan 9 (virtual machines' shared folders), FUSE.
    const REMOTE: [u64; 8] =
        [0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x00C3_6400, 0x5346_414F, 0x0102_1997, 0x6573_5546];
    rustix::fs::statfs(path).is_ok_and(|about| REMOTE.contains(&((about.f_type as u64) & 0xFFFF_FFFF)))
}
