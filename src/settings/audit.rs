//! Where the audit log goes.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The audit log: a line of JSON for every call, with who, what, how it ended, how long it took, and the databases'
/// own names of its statements. It never holds arguments, rows, texts of errors or credentials. docs/audit.md.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// Where the lines go: `off`, `log` (the server's own log, whatever its level), `stderr`, or a file that they are
    /// appended to, which may be rotated. Default: `log` over HTTP, `off` over stdio.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub output: Option<AuditOutput>,
}

/// Where the lines of the audit log go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AuditOutput {
    Off,
    Log,
    Stderr,
    File(PathBuf),
}

impl TryFrom<String> for AuditOutput {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "off" => Ok(Self::Off),
            "log" => Ok(Self::Log),
            "stderr" => Ok(Self::Stderr),
            "stdout" => Err("standard output carries the protocol: write `stderr` or a file"),
            _ => Ok(Self::File(text.into())),
        }
    }
}

impl From<AuditOutput> for String {
    fn from(output: AuditOutput) -> Self {
        match output {
            AuditOutput::Off => "off".into(),
            AuditOutput::Log => "log".into(),
            AuditOutput::Stderr => "stderr".into(),
            AuditOutput::File(path) => path.to_string_lossy().into_owned(),
        }
    }
}
