//! A file of somebody else, replaced whole: a copy of what was there, the right mode, never half a file.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Mode of a file that nobody else may read.
const PRIVATE: u32 = 0o600;

/// Ending of the copy of what was there before.
const BACKUP: &str = "before-tfo-mcp";

/// The file behind links, whether it is there or not.
pub(super) fn target(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        Ok(target) => Ok(target),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The nearest folder that is there, links followed, and the rest as it is written.
            let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Err(error) };
            if fs::symlink_metadata(path).is_ok() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "it is a link that leads nowhere"));
            }
            Ok(target(folder)?.join(name))
        }
        Err(error) => Err(error),
    }
}

/// Replaces a file; answers where the copy of the old one is. `private`: only its owner may read it from now on.
pub(super) fn replace(path: &Path, text: &str, private: bool) -> io::Result<Option<PathBuf>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let old = fs::metadata(path).ok();
    let backup = match &old {
        None => None,
        Some(_) => {
            let backup = beside(path, BACKUP);
            fs::copy(path, &backup)?;
            if private {
                fs::set_permissions(&backup, fs::Permissions::from_mode(PRIVATE))?;
            }
            Some(backup)
        }
    };
    let new = beside(path, &format!("new-{}", std::process::id()));
    let written = (|| {
        let mut file = fs::OpenOptions::new();
        file.write(true).create_new(true);
        if private || old.is_some() {
            file.mode(PRIVATE);
        }
        let mut file = file.open(&new)?;
        file.write_all(text.as_bytes())?;
        if let Some(old) = old.filter(|_| !private) {
            file.set_permissions(old.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&new, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written.map(|()| backup)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}
