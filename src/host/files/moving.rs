//! Moving and renaming, and making folders.

use std::io::ErrorKind;

use rustix::fs::RenameFlags;

use super::{FileError, Files, place::kept, write::sync};

/// What is moved where.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    pub path: &'a str,
    pub destination: &'a str,
    /// Whether a file that stands there is replaced.
    pub overwrite: bool,
}

impl Files {
    /// Moves a file, a folder or a link, which stays one.
    pub fn rename(&self, wanted: Move<'_>) -> Result<(), FileError> {
        let Move { path, destination, overwrite } = wanted;
        if destination.is_empty() {
            return Err(FileError::invalid("`destination` is required"));
        }
        let (from, to) = (self.place(path)?, self.place(destination)?);
        let _alone = self.alone()?;
        let known = self.own.now();
        let source = from.entry(&from.path, self, &known, false)?.changeable(path, self)?;
        if source.existing.is_none() {
            return Err(FileError::of(path, &ErrorKind::NotFound.into()));
        }
        let target = to.entry(&to.path, self, &known, false)?.changeable(destination, self)?;
        for (said, end) in [(path, &source), (destination, &target)] {
            Self::refuse_own(said, end, &known)?;
            self.refuse_way(said, end, &known)?;
        }
        if let Some(there) = &target.existing {
            if !overwrite {
                return Err(FileError::failed(format!("`{destination}` exists already"))
                    .hint("`overwrite: true` replaces it, or name another destination"));
            }
            if there.is_dir() {
                return Err(FileError::failed(format!("`{destination}` is a folder, which is not replaced"))
                    .hint("name the destination with the new name in that folder"));
            }
        }
        let flags = if overwrite { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        rustix::fs::renameat_with(&source.parent, &source.name, &target.parent, &target.name, flags).map_err(
            |error| match error {
                rustix::io::Errno::XDEV => FileError::failed(format!(
                    "`{path}` and `{destination}` are on different file systems, between which nothing is moved at once"
                ))
                .hint("write the content to the destination"),
                rustix::io::Errno::INVAL => {
                    FileError::invalid(format!("`{path}` cannot be moved into itself, to `{destination}`"))
                }
                error => FileError::of(destination, &error.into()),
            },
        )?;
        sync(&source.parent);
        sync(&target.parent);
        Ok(())
    }

    /// Makes a folder and those above it. False: it was there.
    pub fn create_directory(&self, path: &str) -> Result<bool, FileError> {
        let place = self.place(path)?;
        let _alone = self.alone()?;
        let known = self.own.now();
        match place.dir.open_dir(&place.path) {
            Ok(there) if self.is_read_only(&there, &place, &known)? => return Err(kept(path)),
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                return Err(FileError::failed(format!("`{path}` is there and no folder")));
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(FileError::of(path, &error)),
            Err(_) => {}
        }
        place.make(&place.path, None, self, &known)?;
        Ok(true)
    }
}
