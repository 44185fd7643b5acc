//! Context documents: what was asked, what was found, and how each part of it went.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::window::{TimeWindow, stamp};
use crate::{
    definition::Severity,
    source::{ColumnType, SourceErrorKind},
};

/// How a section, or a whole document, went. An error is never an empty result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// There are rows.
    Ok,
    /// The query ran and nothing was recorded.
    Empty,
    /// Of a document only: some sections answered, others could not.
    Partial,
    /// The source cannot be reached, or a table is missing.
    Unavailable,
    /// Not finished within the deadline.
    Timeout,
    /// The query failed.
    Error,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Empty => "empty",
            Status::Partial => "partial",
            Status::Unavailable => "unavailable",
            Status::Timeout => "timeout",
            Status::Error => "error",
        }
    }

    /// Whether the data source had a problem.
    pub const fn is_problem(self) -> bool {
        matches!(self, Status::Unavailable | Status::Timeout | Status::Error | Status::Partial)
    }
}

impl From<SourceErrorKind> for Status {
    fn from(kind: SourceErrorKind) -> Self {
        match kind {
            SourceErrorKind::Unavailable | SourceErrorKind::Missing => Status::Unavailable,
            SourceErrorKind::Timeout => Status::Timeout,
            SourceErrorKind::Cancelled
            | SourceErrorKind::Forbidden
            | SourceErrorKind::Invalid
            | SourceErrorKind::Exhausted
            | SourceErrorKind::Failed => Status::Error,
        }
    }
}

/// The organisation whose rows were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organisation {
    pub id: String,
    /// Where the platform's list of organisations could be read.
    pub name: Option<String>,
    /// The platform lists its organisations, and not this one.
    pub unknown: bool,
}

/// The evidence of one context type for one window.
#[derive(Debug, Clone)]
pub struct Document {
    /// The name that was asked for, which may be an alias.
    pub context_type: String,
    pub title: String,
    pub category: String,
    pub window: TimeWindow,
    /// None where no organisation could be told.
    pub organisation: Option<Organisation>,
    /// The filters in force.
    pub filters: IndexMap<String, Value>,
    pub collected_at: OffsetDateTime,
    pub status: Status,
    /// Starts with `[SYSTEM]` where a data source had a problem.
    pub summary: String,
    pub highlights: Vec<Remark>,
    /// By priority.
    pub sections: Vec<SectionAnswer>,
    pub elapsed: Duration,
}

/// A sentence worth reading first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    pub severity: Severity,
    pub text: String,
}

/// What one section found.
#[derive(Debug, Clone)]
pub struct SectionAnswer {
    pub name: String,
    pub title: String,
    pub source: String,
    pub priority: u8,
    pub status: Status,
    /// What went wrong, and what to do about it.
    pub message: Option<String>,
    pub hint: Option<String>,
    /// What the definition says about how the rows were made.
    pub note: Option<String>,
    /// The window that was read, where it differs from that of the document.
    pub window: Option<TimeWindow>,
    pub columns: Vec<Heading>,
    pub rows: Vec<Vec<Value>>,
    /// Whether there are more rows than were read.
    pub truncated: bool,
    pub elapsed: Duration,
}

/// A column and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    pub name: String,
    pub title: String,
    pub unit: Option<String>,
    pub ty: ColumnType,
    /// Longest text shown, in characters.
    pub max_chars: usize,
}

impl Heading {
    /// `p95 (ms)`.
    pub fn label(&self) -> String {
        match &self.unit {
            Some(unit) => format!("{} ({unit})", self.title),
            None => self.title.clone(),
        }
    }
}

impl SectionAnswer {
    /// Rows as objects, for templates and for structured answers.
    pub fn records(&self) -> Value {
        let record = |row: &Vec<Value>| {
            let fields = self.columns.iter().zip(row).map(|(column, value)| (column.name.clone(), value.clone()));
            Value::Object(fields.collect())
        };
        Value::Array(self.rows.iter().map(record).collect())
    }
}

impl Document {
    /// The document with rows as objects; the form that `holds:` of an example and templates see.
    pub fn to_value(&self) -> Value {
        let sections: Map<String, Value> = self
            .sections
            .iter()
            .map(|section| {
                let value = json!({
                    "title": section.title,
                    "status": section.status.as_str(),
                    "message": section.message,
                    "count": section.rows.len(),
                    "truncated": section.truncated,
                    "rows": section.records(),
                });
                (section.name.clone(), value)
            })
            .collect();
        let highlights: Vec<Value> = self.highlights.iter().map(remark).collect();
        json!({
            "context_type": self.context_type,
            "status": self.status.as_str(),
            "summary": self.summary,
            "window": { "from": stamp(self.window.from), "to": stamp(self.window.to), "hours": self.window.hours() },
            "organization_id": self.organisation.as_ref().map(|organisation| &organisation.id),
            "highlights": highlights,
            "sections": sections,
        })
    }
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
