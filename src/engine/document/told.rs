//! What a document says of itself, as JSON.

use serde_json::{Value, json};

use super::{super::absent::Absence, Remark};
use crate::definition::Severity;

/// A value that does not exist as JSON.
pub fn absence(absence: &Absence) -> Value {
    json!({ "parameter": absence.parameter, "value": absence.value, "did_you_mean": absence.meant, "text": absence.text })
}

/// A highlight as JSON.
pub fn remark(remark: &Remark) -> Value {
    json!({ "severity": severity_word(remark.severity), "text": remark.text })
}

pub const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}
