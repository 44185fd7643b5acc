//! Which settings files of working folders are the operator's own: those that he said he trusts, as they were then.
//!
//! A coding agent starts servers in whatever folder is open, and a settings file says where credentials are sent and
//! what a model is told. So a file that merely lies there rules nothing. The list is kept in the user's configuration
//! folder; a file is known by its folder (links resolved), its own name (links not followed, because what it names is
//! looked for beside it), and the SHA-256 of what was read.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::FILE_NAME;

/// Name of the list in the configuration folder of this server.
pub const TRUSTED: &str = "trusted.json";

/// The files that are trusted.
#[derive(Debug, Default)]
pub struct Trust {
    /// Where the list is kept. None: this user has no configuration folder, nothing can be trusted.
    list: Option<PathBuf>,
    files: BTreeMap<PathBuf, String>,
}

/// Whether a file is the operator's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Trusted,
    /// It was trusted, and is not what it was.
    Changed,
    Unknown,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct List {
    /// SHA-256 by path.
    trusted: BTreeMap<PathBuf, String>,
}

impl Trust {
    /// Reads the list of a user; `config_home` is the folder of all programs' configuration.
    ///
    /// # Errors
    /// The list is there and cannot be read.
    pub fn read(config_home: Option<&Path>) -> io::Result<Self> {
        let list = config_home.map(|home| home.join("tfo-mcp").join(TRUSTED));
        let Some(path) = &list else { return Ok(Self::default()) };
        let files = match std::fs::read(path) {
            Ok(text) => serde_json::from_slice::<List>(&text).map_err(io::Error::other)?.trusted,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { list, files })
    }

    /// How a file stands that holds this.
    pub fn standing(&self, file: &Path, contents: &[u8]) -> Standing {
        match self.files.get(&identity(file)) {
            None => Standing::Unknown,
            Some(known) if *known == fingerprint(contents) => Standing::Trusted,
            Some(_) => Standing::Changed,
        }
    }

    /// Trusts a file as it is now.
    ///
    /// # Errors
    /// The file cannot be read, or the list not be written.
    pub fn add(&mut self, file: &Path) -> io::Result<()> {
        let contents = std::fs::read(file)?;
        self.files.insert(identity(file), fingerprint(&contents));
        self.write()
    }

    /// Trusts a file no more; says whether it was.
    ///
    /// # Errors
    /// The list cannot be written.
    pub fn remove(&mut self, file: &Path) -> io::Result<bool> {
        let was = self.files.remove(&identity(file)).is_some();
        if was {
            self.write()?;
        }
        Ok(was)
    }

    /// All files, with how they stand now.
    pub fn files(&self) -> impl Iterator<Item = (&Path, Standing)> {
        self.files.keys().map(|file| {
            let standing = std::fs::read(file).map(|contents| self.standing(file, &contents));
            (file.as_path(), standing.unwrap_or(Standing::Unknown))
        })
    }

    /// Written beside and renamed, so that a server that starts meanwhile reads a whole list.
    fn write(&self) -> io::Result<()> {
        let Some(path) = &self.list else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "this user has no configuration folder"));
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let beside = folder.join(format!("trusted.{}.tmp", std::process::id()));
        let text = serde_json::to_string_pretty(&List { trusted: self.files.clone() })?;
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    }
}

/// The settings file of a folder, or the file itself.
pub fn settings_file_of(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(FILE_NAME) } else { path.to_path_buf() }
}

/// The folder with its links resolved, and the name of the file.
fn identity(file: &Path) -> PathBuf {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().or_else(|_| std::path::absolute(folder)).unwrap_or_else(|_| folder.to_owned());
    folder.join(file.file_name().unwrap_or_default())
}

fn fingerprint(contents: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, contents);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
