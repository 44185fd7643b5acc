//! A folder of files that are written from what the program knows, such as schemas and pages: compared, or put right.

use std::{collections::BTreeMap, path::Path};

/// What has to happen to a folder so that it holds the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Files that are missing or differ.
    pub stale: Vec<String>,
    /// Files with the same ending that are none of them.
    pub left_over: Vec<String>,
}

impl Drift {
    pub fn is_none(&self) -> bool {
        self.stale.is_empty() && self.left_over.is_empty()
    }
}

/// Compares a folder with the files, given by name; those in it that end otherwise than `ending` are somebody else's.
pub fn drift(folder: &Path, files: &BTreeMap<String, String>, ending: &str) -> std::io::Result<Drift> {
    let mut stale = Vec::new();
    for (name, text) in files {
        match std::fs::read_to_string(folder.join(name)) {
            Ok(found) if found == *text => {}
            Ok(_) => stale.push(name.clone()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => stale.push(name.clone()),
            Err(error) => return Err(error),
        }
    }
    let mut left_over = Vec::new();
    if folder.is_dir() {
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(ending) && !files.contains_key(&name) {
                left_over.push(name);
            }
        }
    }
    left_over.sort();
    Ok(Drift { stale, left_over })
}

/// Writes what is stale. What is left over stays as it is: somebody else may have written it.
pub fn write(folder: &Path, files: &BTreeMap<String, String>, ending: &str) -> std::io::Result<Drift> {
    let drift = drift(folder, files, ending)?;
    std::fs::create_dir_all(folder)?;
    for name in &drift.stale {
        std::fs::write(folder.join(name), files.get(name).map_or("", String::as_str))?;
    }
    Ok(drift)
}
