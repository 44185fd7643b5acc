//! Notices of the file system (inotify): which folders are watched, and which notices matter.
//!
//! Folders are watched one by one, as `load` reaches them, together with every link on the way to them: Kubernetes
//! replaces mounted files by swapping one link. When the folders change, new eyes replace the old ones; they are open
//! before anything is read, so that no change falls in between.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, ModifyKind},
};
use tokio::sync::Notify;

use crate::load;

/// Most links that are followed on the way to one file.
const MAX_LINKS: usize = 40;

/// What is watched: folders with their identity, and which names in them matter (none: all).
type Scope = BTreeMap<PathBuf, (u64, u64, Option<BTreeSet<OsString>>)>;

/// Eyes on the folders of packs.
pub(super) struct Eyes {
    scope: Scope,
    seen: Arc<Seen>,
    _watcher: RecommendedWatcher,
}

#[derive(Default)]
struct Seen {
    /// Rings when something was noticed.
    bell: Arc<Notify>,
    /// Files that somebody writes at the moment: not to be read yet.
    open: Mutex<BTreeSet<PathBuf>>,
}

impl Eyes {
    /// Opens eyes on everything that the packs consist of now.
    ///
    /// # Errors
    /// The system has no notices to give, or not for so many folders.
    pub(super) fn on(packs: &[PathBuf], bell: &Arc<Notify>) -> notify::Result<Self> {
        let mut scope = scope(packs);
        loop {
            let seen = Arc::new(Seen { bell: bell.clone(), open: Mutex::default() });
            let (noting, within) = (seen.clone(), scope.clone());
            let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| match event {
                Ok(event) => noting.note(&event, &within),
                // Such as an overflow: something happened.
                Err(_) => noting.bell.notify_one(),
            })?;
            for folder in scope.keys() {
                match watcher.watch(folder, RecursiveMode::NonRecursive) {
                    Ok(()) => {}
                    // It is gone already; the folder above it has told.
                    Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) => {}
                    Err(error) if is_gone(&error) => {}
                    Err(error) => return Err(error),
                }
            }
            let now = self::scope(packs);
            if now == scope {
                return Ok(Self { scope, seen, _watcher: watcher });
            }
            scope = now;
        }
    }

    /// Whether they still look at everything.
    pub(super) fn cover(&self, packs: &[PathBuf]) -> bool {
        self.scope == scope(packs)
    }

    /// Whether somebody is in the middle of writing a file.
    pub(super) fn see_writing(&self) -> bool {
        !self.seen.open.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

fn is_gone(error: &notify::Error) -> bool {
    matches!(&error.kind, notify::ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::NotFound)
}

impl Seen {
    fn note(&self, event: &Event, scope: &Scope) {
        if event.need_rescan() {
            return self.bell.notify_one();
        }
        let matters = |path: &PathBuf| {
            let within = path.parent().and_then(|folder| scope.get(folder));
            let named = |names: &BTreeSet<OsString>| path.file_name().is_some_and(|name| names.contains(name));
            scope.contains_key(path) || within.is_some_and(|(_, _, names)| names.as_ref().is_none_or(named))
        };
        if !event.paths.is_empty() && !event.paths.iter().any(matters) {
            return;
        }
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            match event.kind {
                EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => {
                    open.extend(event.paths.iter().filter(|path| is_read(path)).cloned());
                }
                EventKind::Access(AccessKind::Close(AccessMode::Write))
                | EventKind::Remove(_)
                | EventKind::Modify(ModifyKind::Name(_)) => event.paths.iter().for_each(|path| {
                    open.remove(path);
                }),
                // Our own reading is noticed too.
                EventKind::Access(_) => return,
                _ => {}
            }
        }
        self.bell.notify_one();
    }
}

/// Whether a file of this name is read; editors keep other ones open for long.
fn is_read(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".md.j2"))
}

/// Everything whose change may change what is read.
fn scope(packs: &[PathBuf]) -> Scope {
    let survey = load::survey(packs);
    let mut scope = Scope::new();
    for folder in &survey.folders {
        if let Ok(about) = fs::metadata(folder) {
            scope.insert(absolute(folder), (about.dev(), about.ino(), None));
        }
    }
    let is_link = |path: &&PathBuf| fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
    let mut ways: Vec<(PathBuf, OsString)> = Vec::new();
    for path in packs.iter().chain(survey.folders.iter().filter(is_link)).chain(survey.files.iter().filter(is_link)) {
        links_on_the_way(&absolute(path), &mut ways);
    }
    for pack in packs {
        // The nearest folder that exists tells when the pack, or what leads to it, comes and goes.
        let pack = absolute(pack);
        let above = pack.ancestors().skip(1).zip(pack.ancestors());
        if let Some((folder, child)) = above.into_iter().find(|(folder, _)| folder.is_dir()) {
            ways.extend(child.file_name().map(|name| (folder.to_owned(), name.to_owned())));
        }
    }
    for (folder, name) in ways {
        let Ok(about) = fs::metadata(&folder) else { continue };
        let (_, _, names) = scope.entry(folder).or_insert_with(|| (about.dev(), about.ino(), Some(BTreeSet::new())));
        if let Some(names) = names {
            names.insert(name);
        }
    }
    scope
}

/// The folder and name of every link that is followed to reach a path, and of what each leads to.
fn links_on_the_way(path: &Path, into: &mut Vec<(PathBuf, OsString)>) {
    let mut waiting = vec![path.to_owned()];
    for _ in 0..MAX_LINKS {
        let Some(path) = waiting.pop() else { return };
        let mut walked = PathBuf::new();
        let mut components = path.components();
        while let Some(component) = components.next() {
            match component {
                Component::ParentDir => drop(walked.pop()),
                Component::CurDir => {}
                other => walked.push(other),
            }
            let Ok(target) = fs::read_link(&walked) else { continue };
            let (Some(folder), Some(name)) = (walked.parent(), walked.file_name()) else { continue };
            into.push((folder.to_owned(), name.to_owned()));
            waiting.push(folder.join(target).join(components.as_path()));
            break;
        }
        // The end of the way: a file elsewhere, whose folder tells of its changes.
        if let (Some(folder), Some(name)) = (walked.parent(), walked.file_name())
            && fs::symlink_metadata(&walked).is_ok_and(|about| about.is_file())
        {
            into.push((folder.to_owned(), name.to_owned()));
        }
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
