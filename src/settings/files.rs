//! What the file tools may touch.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::convert;
use crate::definition::ByteSize;

/// What the file tools may touch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// Folders that file tools may read and write; nothing outside of them exists for the tools. A relative path of a caller
    /// is looked for in the first. A client that says where it works (MCP roots) narrows them. Default: on stdio the client's
    /// folders, else the working folder, unless it is `/` or the home folder; none over HTTP.
    pub roots: Vec<PathBuf>,
    /// Folders that file tools may read and not change. Default: none.
    pub read_only_roots: Vec<PathBuf>,
    /// Refuse every change. If it is set to true, commands change nothing either in folders that `commands.roots` does not name.
    /// Default: true over HTTP, false on stdio.
    pub read_only: Option<bool>,
    /// Most bytes of a file that one call answers.
    #[serde(deserialize_with = "convert::size")]
    #[schemars(schema_with = "convert::size_schema")]
    pub max_read: ByteSize,
    /// Read files that have several names (hard links): one of them may lie outside of the folders.
    pub hard_links: bool,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            read_only_roots: Vec::new(),
            read_only: None,
            max_read: ByteSize(64 << 10),
            hard_links: false,
        }
    }
}
