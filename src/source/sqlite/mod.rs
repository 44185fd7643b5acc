//! SQLite as a source.

mod binds;
mod error;
mod write;

use std::path::PathBuf;

pub use write::Writer;

/// A SQLite database file, opened read-only when first asked.
pub struct Sqlite {
    #[allow(dead_code)]
    path: PathBuf,
}

impl Sqlite {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

/// A name as SQLite reads it literally.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
