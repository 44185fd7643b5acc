//! YAML that is no definition: tables of the program, and files that the program wrote itself.

use serde::de::DeserializeOwned;

use super::yaml;

/// Why a text is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Misread {
    pub message: String,
    /// The line where it goes wrong, where that is known.
    pub line: Option<usize>,
}

/// Reads a typed value.
///
/// # Errors
/// The text is not YAML, or says something else.
pub fn plain<T: DeserializeOwned>(text: &str) -> Result<T, Misread> {
    let parsed = yaml::parse(text);
    if let Some(fault) = parsed.faults.first() {
        let line = text.bytes().take(fault.span.start).filter(|byte| *byte == b'\n').count() + 1;
        return Err(Misread { message: format!("{} (line {line})", fault.message), line: Some(line) });
    }
    serde_json::from_value(parsed.value).map_err(|error| Misread { message: error.to_string(), line: None })
}
