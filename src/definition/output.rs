//! How rows of an action are answered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How rows are answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The form of the text. Default: `table`.
    #[serde(default)]
    pub format: OutputFormat,
    /// Most rows answered; one more is read to prove that there are more. Default: 200.
    #[serde(default = "Output::default_rows")]
    pub max_rows: u32,
}

impl Output {
    fn default_rows() -> u32 {
        200
    }
}

impl Default for Output {
    fn default() -> Self {
        Self { format: OutputFormat::default(), max_rows: Self::default_rows() }
    }
}

/// The form of a text that shows rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    /// A compact table.
    #[default]
    Table,
    /// Comma-separated values (RFC 4180).
    Csv,
    /// JSON.
    Json,
}
