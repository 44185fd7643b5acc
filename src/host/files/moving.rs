//! Moving and renaming, and making folders.

use rustix::fs::RenameFlags;

use super::{FileError, Files, write::sync};

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
        let (from, to) = (self.place(path)?.changeable()?, self.place(destination)?.changeable()?);
        let _alone = self.changing();
        let source = from.entry(&from.path, false)?;
        if source.existing.is_none() {
            return Err(FileError::of(path, &std::io::ErrorKind::NotFound.into()));
        }
        self.refuse_own_entry(path, &source)?;
        let target = to.entry(&to.path, false)?;
        self.refuse_own_entry(destination, &target)?;
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
        let place = self.place(path)?.changeable()?;
        let _alone = self.changing();
        match place.dir.metadata(&place.path) {
            Ok(meta) if meta.is_dir() => return Ok(false),
            Ok(_) => return Err(FileError::failed(format!("`{path}` is there and no folder"))),
            Err(_) => {}
        }
        place.dir.create_dir_all(&place.path).map_err(|error| FileError::of(path, &error))?;
        Ok(true)
    }
}
