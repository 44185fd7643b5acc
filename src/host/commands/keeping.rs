//! What commands leave as it is beside what their own settings say: what file tools may not change, the program of this server, and what
//! its next start reads and loads.

use std::{path::PathBuf, sync::Arc};

use super::{Commands, Folders, folders::ReadOnly};
use crate::settings;

impl Commands {
    /// Changes nothing in the folders that file tools may not change either, but in those that they may change inside of them; and
    /// runs in none to which a link in a folder of theirs leads.
    #[must_use]
    pub fn beside(self, files: &settings::Files) -> Self {
        let by_default = files.roots.is_empty() && files.read_only_roots.is_empty();
        let here = std::env::current_dir().ok();
        let of_files = here.iter().filter(|_| by_default);
        let changeable: Vec<PathBuf> =
            self.settings.roots.iter().chain(&files.roots).chain(of_files).cloned().collect();
        let kept: Vec<PathBuf> = self.settings.read_only_roots.iter().chain(&files.read_only_roots).cloned().collect();
        let folders = self.folders.without_links_in(&self.settings, &changeable, &kept);
        let of_files = ReadOnly::new("files.read_only_roots", &files.read_only_roots, &files.roots);
        // Whoever put a link in its place would have the next start open what that leads to.
        let named = [&files.roots, &files.read_only_roots, &self.settings.roots, &self.settings.read_only_roots];
        let opens_here = by_default || named.into_iter().flatten().any(|path| path.is_relative());
        let working = here.filter(|_| opens_here).map(ReadOnly::working);
        let read_only: Vec<ReadOnly> = self.read_only.into_iter().chain([of_files]).chain(working).collect();
        // Whoever names folders of commands says that they change those.
        let only_read = files.read_only == Some(true) && self.settings.roots.is_empty();
        let folders = Arc::new(folders.only_read(only_read).keeping(&read_only));
        Self { folders, read_only, only_read, ..self }
    }

    /// Keeps the program of this server as it is, where it lies in the folders of commands, links by which it was started, and the
    /// folders of what would be started in its place (`before`): the next start runs it, and unconfined.
    #[must_use]
    pub fn keeping_program(self, names: &[PathBuf], before: &[PathBuf]) -> Self {
        let program = [ReadOnly::program(names), ReadOnly::looked_through(before)];
        let read_only: Vec<ReadOnly> = self.read_only.into_iter().chain(program).collect();
        let folders = Arc::new(Folders::clone(&self.folders).keeping(&read_only));
        Self { folders, read_only, ..self }
    }

    /// Keeps what the next start reads and loads beside its program: files by which clients start it (`clients`, those of a project
    /// by their path in it), folders of libraries, and files that are loaded before all others.
    #[must_use]
    pub fn keeping_start(self, clients: Vec<PathBuf>, libraries: &[PathBuf], preloaded: &[PathBuf]) -> Self {
        let read_only: Vec<ReadOnly> =
            self.read_only.into_iter().chain(ReadOnly::loaded(libraries, preloaded)).collect();
        let folders = Arc::new(Folders::clone(&self.folders).keeping(&read_only));
        Self { folders, read_only, clients, ..self }
    }
}
