//! What the file tools may touch. Accepted and checked today, without effect in this version (`names.yaml`).

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::convert;
use crate::definition::ByteSize;

/// What the file tools may touch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// Folders that file tools may read and write; nothing outside of them exists for the tools. Default: none.
    pub roots: Vec<PathBuf>,
    /// Refuse every change.
    pub read_only: bool,
    /// Most bytes that one call reads.
    #[serde(deserialize_with = "convert::size")]
    #[schemars(schema_with = "convert::size_schema")]
    pub max_read: ByteSize,
}

impl Default for Files {
    fn default() -> Self {
        Self { roots: Vec::new(), read_only: true, max_read: ByteSize(1 << 20) }
    }
}
