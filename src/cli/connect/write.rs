//! A file of somebody else, replaced whole: a copy of what was there, the right mode, never half a file.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{cli::outcome::hinted, written};

/// Mode of a file that nobody else may read.
const PRIVATE: u32 = 0o600;

const OWNER_WRITES: u32 = 0o200;

/// What some editors begin a file with.
const MARK: &str = "\u{feff}";

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

/// The text of a file, and whether it begins with a byte order mark, which is put back.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub text: String,
    mark: bool,
}

impl Text {
    /// Another text for the same file.
    pub(super) fn with(&self, text: String) -> Self {
        Self { text, mark: self.mark }
    }
}

/// Reads a file; one that is not there is empty.
pub(super) fn read(path: &Path) -> anyhow::Result<Text> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Text::default()),
        Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    };
    let mark = bytes.starts_with(MARK.as_bytes());
    let text = written::text(bytes).map_err(|why| {
        let hint = "save it anew in that encoding, or add the entry by hand: `--print` shows it";
        hinted(format!("cannot read `{}`: {why}", path.display()), hint)
    })?;
    Ok(Text { text, mark })
}

/// Replaces a file; answers where the copy of the old one is. `private`: only its owner may read it from now on.
pub(super) fn replace(path: &Path, text: &Text, private: bool) -> anyhow::Result<Option<PathBuf>> {
    let old = fs::metadata(path).ok();
    if old.as_ref().is_some_and(|old| old.permissions().mode() & OWNER_WRITES == 0) {
        let hint = "let its owner write it (`chmod u+w`), or add the entry by hand: `--print` shows it";
        return Err(hinted(format!("`{}` is read-only", path.display()), hint));
    }
    put(path, text, old, private).with_context(|| format!("cannot write `{}`", path.display()))
}

fn put(path: &Path, text: &Text, old: Option<fs::Metadata>, private: bool) -> io::Result<Option<PathBuf>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let backup = match &old {
        None => None,
        Some(_) => {
            let backup = copy(path)?;
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
        file.write_all(if text.mark { MARK } else { "" }.as_bytes())?;
        file.write_all(text.text.as_bytes())?;
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

/// Copies what is there beside it. Copies of earlier changes stay: the first is the person's own.
fn copy(path: &Path) -> io::Result<PathBuf> {
    let now = fs::read(path)?;
    for n in 1.. {
        let copy = beside(path, &if n == 1 { BACKUP.to_owned() } else { format!("{BACKUP}-{n}") });
        match fs::read(&copy) {
            Ok(kept) if kept == now => return Ok(copy),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::copy(path, &copy)?;
                return Ok(copy);
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}
