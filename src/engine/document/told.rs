//! What a document says of itself, as JSON.

use serde_json::{Value, json};

use super::{
    super::{absent::Absence, sampling},
    Remark, SectionAnswer, Status,
};
use crate::definition::Severity;

/// How a section without rows went of whose data none were recorded. It is no status: the statement ran and found nothing.
const UNRECORDED: &str = "unrecorded";

impl SectionAnswer {
    /// How it went, in a word, for readers and for the texts of definitions: `empty` says that there are data, and that
    /// nothing in them meets its conditions.
    pub fn word(&self) -> &'static str {
        match self.status {
            Status::Empty if self.is_missing || self.lacks.is_some() => UNRECORDED,
            status => status.as_str(),
        }
    }

    /// What is said of it where it has no rows, to follow "the query ran".
    pub fn nothing(&self) -> String {
        let with = self.narrowed.with();
        match (self.unrecorded, self.current) {
            _ if self.lacks.is_some() => self.lacks.clone().unwrap_or_default(),
            (true, true) => format!("nothing{with} is on record"),
            (true, false) => format!("nothing{with} was recorded in this window"),
            (false, _) => match sampling::share(&self.samples) {
                Some(share) => sampling::none_of(&share),
                None => {
                    let besides: String = self.besides.iter().map(|said| format!("; {said}")).collect();
                    format!("nothing{with} was found{besides}")
                }
            },
        }
    }

    /// The same for programs, where an empty section says more than that nothing was found.
    pub fn unsaid(&self) -> Option<String> {
        let says_more = self.unrecorded || self.lacks.is_some() || !self.besides.is_empty();
        (self.status == Status::Empty && says_more).then(|| self.nothing())
    }
}

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
