//! What is asked of files: the verbs, and the arguments that they read by name.
//!
//! Names and types alone; what a path may reach is the host's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is done with files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileVerb {
    Read,
    Write,
    Edit,
    List,
    CreateDirectory,
    Move,
    Info,
    Search,
}

/// What `offset` and `limit` count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileUnit {
    /// Lines; the first is 1.
    #[default]
    Lines,
    /// Bytes; the first is 0.
    Bytes,
}

/// Arguments of `file.read`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FileReadArguments {
    pub path: Option<String>,
    pub encoding: Option<String>,
    pub unit: Option<FileUnit>,
    pub offset: Option<u64>,
    pub limit: Option<u64>,
}

/// Arguments of `file.write`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FileWriteArguments {
    pub path: Option<String>,
    pub content: Option<String>,
    pub encoding: Option<String>,
    pub create_dirs: Option<bool>,
}

/// Arguments of `file.edit`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FileEditArguments {
    pub path: Option<String>,
    pub old_text: Option<String>,
    pub new_text: Option<String>,
    pub expected_replacements: Option<usize>,
    pub dry_run: Option<bool>,
}

/// Arguments of `file.list`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FileListArguments {
    pub path: Option<String>,
    pub recursive: Option<bool>,
    pub include_hidden: Option<bool>,
}

/// Arguments of `file.create_directory` and `file.info`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FilePathArguments {
    pub path: Option<String>,
}

/// Arguments of `file.move`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FileMoveArguments {
    pub path: Option<String>,
    pub destination: Option<String>,
    pub overwrite: Option<bool>,
}

/// Arguments of `file.search`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FileSearchArguments {
    pub path: Option<String>,
    pub pattern: Option<String>,
    pub content: Option<String>,
    pub context_lines: Option<usize>,
    pub include_hidden: Option<bool>,
    pub max_results: Option<usize>,
}
