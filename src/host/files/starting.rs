//! By what the next start of this server comes about, beside its program: files of clients that say how it is started, and folders in
//! which its libraries are looked for. No tool changes those, or puts something there.

use std::{ffi::OsStr, io, path::PathBuf, sync::Arc};

use cap_std::fs::Dir;

use super::{
    super::own::{Inode, Own, Seen, way},
    FileError, Files,
    place::Target,
    root::Root,
    zone::{inode, seen, step},
};

/// Folders below those of libraries in which a loader looks first.
const OF_MACHINES: [&str; 8] =
    ["glibc-hwcaps", "tls", "x86_64", "haswell", "avx512_1", "xeon_phi", "aarch64", "atomics"];

#[derive(Clone, Default)]
pub(super) struct Starting {
    /// Paths of files of clients, below any folder that is open or the working one.
    clients: Arc<Vec<PathBuf>>,
    /// The same in these folders.
    files: Own,
    /// Folders of libraries.
    libraries: Arc<Vec<PathBuf>>,
}

impl Starting {
    /// The same where these folders are open.
    pub(super) fn within(&self, roots: &[Arc<Root>]) -> Self {
        let folders = roots.iter().map(|root| root.real.clone()).chain(std::env::current_dir());
        let mut files: Vec<PathBuf> =
            folders.flat_map(|folder| self.clients.iter().map(move |file| folder.join(file))).collect();
        files.sort();
        files.dedup();
        Self { files: Own::named(files), ..self.clone() }
    }
}

impl Files {
    /// The same, where `clients` are files by which clients start this server, those of a project by their path in it, and
    /// `libraries` folders in which its libraries are looked for. None of them need be there.
    #[must_use]
    pub fn keeping_start(&self, clients: Vec<PathBuf>, libraries: Vec<PathBuf>) -> Self {
        let starting = Starting { clients: Arc::new(clients), files: Own::default(), libraries: Arc::new(libraries) };
        Self { starting: starting.within(&self.roots), ..self.clone() }
    }

    /// Refuses to change or to make what the next start reads or loads.
    pub(super) fn refuse_starting(&self, said: &str, target: &Target) -> Result<(), FileError> {
        let known = self.starting.files.now();
        let is_it = target.existing.as_ref().is_some_and(|found| known.is(&seen(found)));
        let folder = inode(&target.parent).map_err(|error| FileError::of(said, &error))?;
        if is_it || known.names(folder, &target.name) {
            return Err(of_a_client(said));
        }
        self.refuse_library(said, &target.parent, &target.name)
    }

    /// The same of names one below the other that are made in a folder.
    pub(super) fn refuse_to_start(&self, said: &str, dir: &Dir, names: &[&OsStr]) -> Result<(), FileError> {
        let known = self.starting.files.now();
        let folder = inode(dir).map_err(|error| FileError::of(said, &error))?;
        if known.would_be(folder, names) || names.first().is_some_and(|name| known.names(folder, name)) {
            return Err(of_a_client(said));
        }
        names.iter().try_for_each(|name| self.refuse_library(said, dir, name))
    }

    /// Whether a name in a folder leads to what starts this server.
    pub(super) fn leads_to_starting(&self, folder: Inode, name: &OsStr) -> bool {
        let is_on = |path: &PathBuf| way(path).0.iter().any(|step| step.folder == folder && step.name == name);
        self.starting.files.now().leads(folder, name) || self.starting.libraries.iter().any(is_on)
    }

    fn refuse_library(&self, said: &str, dir: &Dir, name: &OsStr) -> Result<(), FileError> {
        if self.starting.libraries.is_empty() || !is_loaded(name) {
            return Ok(());
        }
        let found = self.starting.libraries.iter().filter_map(|folder| std::fs::metadata(folder).ok());
        let folders: Vec<Inode> = found.map(|found| Seen::of(&found).inode).collect();
        match lies_in(dir, &folders).map_err(|error| FileError::of(said, &error))? {
            false => Ok(()),
            true => Err(FileError::forbidden(format!(
                "`{said}` stands where this server looks for its libraries, and would be loaded into it"
            ))
            .hint(
                "write it elsewhere, or the operator takes that folder, or the empty part, out of `LD_LIBRARY_PATH`",
            )),
        }
    }
}

fn of_a_client(said: &str) -> FileError {
    FileError::forbidden(format!("`{said}` says how a client starts this server, and stays as it is"))
        .hint("whoever works here changes it by other means, as `tfo-mcp connect` does")
}

/// Whether a loader takes it for a library, or looks into it for some.
fn is_loaded(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.ends_with(".so") || name.contains(".so.") || OF_MACHINES.contains(&name.as_ref())
}

/// Whether a folder is one of these, or lies in one.
fn lies_in(dir: &Dir, folders: &[Inode]) -> io::Result<bool> {
    let mut at = step(dir, ".")?;
    let mut here = Seen::of(&at.metadata()?).inode;
    loop {
        if folders.contains(&here) {
            return Ok(true);
        }
        at = step(&at, "..")?;
        let above = Seen::of(&at.metadata()?).inode;
        if above == here {
            return Ok(false);
        }
        here = above;
    }
}
