//! What the command tools may run. Accepted and checked today, without effect in this version (`names.yaml`).

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::convert;
use crate::definition::{ByteSize, Period};

/// What the command tools may run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Commands {
    /// Let tools run commands at all.
    pub enabled: bool,
    /// Programs that may be run; when given, all others are refused. Default: none.
    pub allow: Vec<String>,
    /// Programs that are refused even if allowed. Default: none.
    pub deny: Vec<String>,
    /// Folders in which commands may run. Default: none.
    pub roots: Vec<PathBuf>,
    /// Environment variables that commands see. Default: none but `PATH`, `HOME` and `LANG`.
    pub environment: Vec<String>,
    /// Longest run.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub timeout: Period,
    /// Most bytes of output that are kept: its head and its tail.
    #[serde(deserialize_with = "convert::size")]
    #[schemars(schema_with = "convert::size_schema")]
    pub max_output: ByteSize,
}

impl Default for Commands {
    fn default() -> Self {
        Self {
            enabled: false,
            allow: Vec::new(),
            deny: Vec::new(),
            roots: Vec::new(),
            environment: Vec::new(),
            timeout: Period::from_secs(60),
            max_output: ByteSize(64 << 10),
        }
    }
}
