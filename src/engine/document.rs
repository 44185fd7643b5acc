//! Context documents: what was asked, what was found, and how each part of it went.

mod next;
mod told;
mod total;
mod zones;

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{
    absent::Absence,
    cut::{Cap, Cut, Movable},
    narrowed::Narrowed,
    sampling,
    window::{TimeWindow, stamp},
};
use crate::{
    definition::{Keep, Severity},
    source::{ColumnType, SourceErrorKind},
    template::{counted, one_line},
};

pub use next::{NextCall, Opens};
pub use told::{absence, remark, severity_word};
pub use total::Total;
pub use zones::{Zone, zone};

/// Longest text of a cell unless the definition says otherwise, in characters.
const CELL_CHARS: usize = 300;

/// How a section, or a whole document, went. An error is never an empty result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// There are rows.
    Ok,
    /// The query ran and found nothing.
    Empty,
    /// Of a document: some sections answered, others could not. Of a section: only so small a sample could be read that
    /// nothing in it means nothing.
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

    /// Whether nothing at all could be read: such an answer is an error to the caller.
    pub const fn is_failure(self) -> bool {
        matches!(self, Status::Unavailable | Status::Timeout | Status::Error)
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
            | SourceErrorKind::Value
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
    /// The platform shows this server no organisation at all.
    pub unseen: bool,
    /// What the platform says of one that is not in use, to follow "is".
    pub retired: Option<&'static str>,
}

impl Organisation {
    /// `NAME (id)`, to be shown.
    pub fn label(&self) -> String {
        label(self.name.as_deref(), &self.id)
    }

    /// What is to be said beside an answer without anything in it.
    pub fn remark_of_nothing(&self) -> Option<String> {
        self.unseen.then(|| {
            "[SYSTEM] The platform shows this server no organisation at all, so that it may be the wrong database, or one \
             that hides its rows: nothing recorded does not mean that all is well."
                .to_owned()
        })
    }

    /// What is to be said of one that the platform does not list, or that is not in use.
    pub fn remark(&self) -> Option<String> {
        if let Some(retired) = self.retired {
            let label = self.label();
            return Some(format!(
                "[SYSTEM] The organisation {label} is {retired} on the platform: what was recorded for it is shown, and \
                 nothing new may be."
            ));
        }
        let id = one_line(&self.id, 80);
        self.unknown.then(|| {
            format!("[SYSTEM] The platform lists no organisation {id}: nothing recorded for it does not mean that all is well.")
        })
    }
}

/// The workspace whose rows were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workspace {
    pub id: String,
    /// Where the platform's list of workspaces could be read.
    pub name: Option<String>,
    /// The platform lists workspaces of the organisation, and not this one.
    pub unknown: bool,
    /// What the platform says of one that is not in use, to follow "is".
    pub retired: Option<&'static str>,
}

impl Workspace {
    /// What is to be said of one that the platform does not list, or that is not in use.
    pub fn remark(&self) -> Option<String> {
        if let Some(retired) = self.retired {
            let label = self.label();
            return Some(format!(
                "[SYSTEM] The workspace {label} is {retired} on the platform: nothing new may be recorded for it."
            ));
        }
        let id = one_line(&self.id, 80);
        self.unknown.then(|| {
            format!("[SYSTEM] The organisation has no workspace {id}: nothing recorded for it does not mean that all is well.")
        })
    }

    /// `NAME (id)`, to be shown.
    pub fn label(&self) -> String {
        label(self.name.as_deref(), &self.id)
    }
}

fn label(name: Option<&str>, id: &str) -> String {
    let id = one_line(id, 80);
    name.map_or(id.clone(), |name| format!("{} ({id})", one_line(name, 80)))
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
    /// The one workspace of it whose rows were read; none where all are.
    pub workspace: Option<Workspace>,
    /// The filters in force.
    pub filters: IndexMap<String, Value>,
    /// What was made of arguments whose meaning was not plain, a sentence each.
    pub notes: Vec<String>,
    pub collected_at: OffsetDateTime,
    pub status: Status,
    /// What is to be said of filter values that none of the rows shows.
    pub absent: Vec<Absence>,
    /// Starts with `[SYSTEM]` where a data source had a problem.
    pub summary: String,
    /// Sentences of the summary about where the data lie, which are true of other documents of the window as well.
    pub beyond: Vec<String>,
    pub highlights: Vec<Remark>,
    /// Where to look next.
    pub next: Vec<NextCall>,
    /// Where a person opens what it shows.
    pub links: Vec<Opens>,
    /// By priority.
    pub sections: Vec<SectionAnswer>,
    /// What advice may name.
    pub movable: Movable,
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
    /// Sentences about where its rows come from: what it was joined with, and how far that went.
    pub remarks: Vec<String>,
    /// Its rows are records as they stood when they were read, whatever the window.
    pub current: bool,
    /// It is known that nothing was recorded that it could be about: no data of its tables in the window, or none with the
    /// value of a filter that narrows it. Without that, no rows only mean that nothing met its conditions.
    pub unrecorded: bool,
    /// Nothing is known of the time that it is compared with: its data begin later.
    pub incomparable: bool,
    /// No data of the tables that it was read from were recorded in the window.
    pub is_missing: bool,
    /// Which of its data were never recorded, or not in this window where it sets one kind against another: "no logs were
    /// ever recorded here".
    pub lacks: Option<String>,
    /// They were never recorded.
    pub is_never: bool,
    /// What else stands behind that nothing was found: a part of its data is missing, or when the last came of what happens
    /// now and then.
    pub besides: Vec<String>,
    /// Its data end long before the window does: what it counts there is of a part of it.
    pub ends_early: bool,
    /// Tables of the way in which it was answered.
    pub tables: Vec<String>,
    /// Columns that are another section's, beside which it is shown.
    pub lent: Vec<String>,
    /// Filters of the call that narrow that other section.
    pub lent_by: Vec<String>,
    /// It is read for others alone, and no part of the document unless it could not be read.
    pub hidden: bool,
    /// What its rows do not cover, such as "asked about the first 9 rows of …", to stand in a sentence.
    pub partial: Vec<String>,
    /// One trace in so many was read for it, and by those whose rows it reads.
    pub samples: Vec<u32>,
    /// A limit left so small a sample of it that what is first in it, or not in it, may be chance.
    pub is_handful: bool,
    /// Of what deviations were left out as usual: see `news`.
    pub usual: Vec<String>,
    /// Which filters of the document narrow it.
    pub narrowed: Narrowed,
    /// The window that was read, where it differs from that of the document.
    pub window: Option<TimeWindow>,
    pub columns: Vec<Heading>,
    /// All rows that were read until the document is concluded; then those that are shown.
    pub rows: Vec<Vec<Value>>,
    /// How many texts were masked before they were cut.
    pub masked: usize,
    /// How many rows are shown of those that were read.
    pub shown: usize,
    /// Most rows that are shown, and because of what.
    pub room: (usize, Cap),
    /// How many rows there are, shown or not.
    pub total: Total,
    /// Why fewer rows are shown than there are.
    pub cut: Option<Cut>,
    /// Why no more rows were read, where that is another reason.
    pub unread: Option<Cut>,
    /// What ended its statement, if that was a limit of ours.
    pub ended: Option<Cut>,
    pub elapsed: Duration,
}

/// A column and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    pub name: String,
    pub title: String,
    pub unit: Option<String>,
    pub ty: ColumnType,
    /// Of a column of times.
    pub zone: Option<Zone>,
    /// Longest text shown, in characters.
    pub max_chars: usize,
    /// What is shown of more.
    pub keep: Keep,
    /// Decimals of numbers that are no whole ones.
    pub decimals: Option<u8>,
    /// What is told for an empty text.
    pub empty: Option<String>,
    /// The column whose number says how far its texts are moved in.
    pub indent: Option<usize>,
    /// What it has no number of was counted as nought, in a time before the data begin.
    pub forgotten: bool,
}

impl Heading {
    /// A column that is shown as it comes.
    pub fn plain(name: &str, ty: ColumnType) -> Self {
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            unit: None,
            ty,
            zone: None,
            max_chars: CELL_CHARS,
            keep: Keep::Head,
            indent: None,
            forgotten: false,
            decimals: None,
            empty: None,
        }
    }

    /// A column as a definition shows it.
    pub fn of(shown: crate::definition::Column, column: &crate::source::Column, zone: Option<Zone>) -> Self {
        let plain = Self::plain(&column.name, column.ty);
        Self {
            title: shown.title.unwrap_or(plain.title),
            unit: shown.unit,
            zone,
            max_chars: shown.max_length.map_or(CELL_CHARS, |n| n as usize),
            keep: shown.keep.unwrap_or_default(),
            decimals: shown.decimals,
            empty: shown.empty,
            ..plain
        }
    }

    /// `p95 (ms)`, `started_at (UTC)`.
    pub fn label(&self) -> String {
        let zone = self.zone.map(|zone| match zone {
            Zone::Utc => "UTC",
            Zone::Unknown => "no zone",
        });
        match self.unit.as_deref().or(zone) {
            Some(unit) => format!("{} ({unit})", self.title),
            None => self.title.clone(),
        }
    }
}

impl SectionAnswer {
    /// Leaves the rows that are shown.
    pub fn trim(&mut self) {
        self.rows.truncate(self.shown);
    }

    /// Whether readers see it.
    pub fn is_shown(&self) -> bool {
        !self.hidden || self.status.is_problem()
    }

    /// What its rows do not cover, a sentence each.
    pub fn covered(&self) -> Vec<String> {
        // Without rows it is said instead of them.
        let share = sampling::share(&self.samples).filter(|_| !self.rows.is_empty());
        let handful = self.is_handful.then(sampling::handful);
        share
            .map(|share| format!("from {share}"))
            .into_iter()
            .chain(handful)
            .chain(self.partial.iter().cloned())
            .collect()
    }

    /// How many rows of how many are shown, and why not more; none where all are.
    pub fn shortfall(&self) -> Option<String> {
        let cut = self.cut?;
        let rows = match (self.shown, self.total) {
            (shown, Total { count, more: true }) if shown == count => {
                format!("the first {} of more", counted(shown, "row"))
            }
            (shown, total) => format!("{shown} of {total} rows"),
        };
        let to_do = cut.cap.what_to_do();
        let text = match cut.cap {
            Cap::Asked | Cap::AskedMost => format!("{rows}, as `max_items` asks: {to_do}"),
            Cap::Usual => format!("{rows}: {to_do}"),
            _ => format!("{rows}: {}; {to_do}", cut.why()),
        };
        Some(text + &self.limited())
    }

    /// ` (asked about the first 9 rows of "Hosts" only, of 12)`, to follow a sentence about its rows.
    pub fn limits(&self) -> String {
        let covered = self.covered();
        if covered.is_empty() { String::new() } else { format!(" ({})", covered.join("; ")) }
    }

    /// What ended the reading, to stand behind a sentence about rows that are not shown.
    pub fn limited(&self) -> String {
        self.unread.map(|cut| format!("; {}; {}", cut.why(), cut.cap.what_to_do())).unwrap_or_default()
    }

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
    /// Leaves advice out that names an argument which the call does not have.
    pub(super) fn bounded(&mut self, movable: Movable) {
        self.movable = movable;
        for cut in self.sections.iter_mut().filter_map(|section| section.cut.as_mut()) {
            cut.cap = movable.rows(cut.cap);
        }
    }

    /// Whether records that are of now are those of the window's end.
    pub fn ends_now(&self) -> bool {
        self.window.ends_now(self.collected_at)
    }

    /// The document with rows as objects; the form that `holds:` of an example and templates see.
    pub fn to_value(&self) -> Value {
        let sections: Map<String, Value> = self
            .sections
            .iter()
            .map(|section| {
                let value = json!({
                    "title": section.title,
                    "status": section.word(),
                    "message": section.message,
                    "count": section.rows.len(),
                    "total": section.total.to_value(),
                    "truncated": section.cut.is_some(),
                    "rows": section.records(),
                    "filtered": section.narrowed.with(),
                    "compared": !section.incomparable,
                    "ends_early": section.ends_early,
                });
                (section.name.clone(), value)
            })
            .collect();
        let highlights: Vec<Value> = self.highlights.iter().map(remark).collect();
        json!({
            "context_type": self.context_type,
            "status": self.status.as_str(),
            "summary": self.summary,
            "window": {
                "from": stamp(self.window.from),
                "to": stamp(self.window.to),
                "hours": self.window.hours(),
                "ends_now": self.ends_now(),
            },
            "organization_id": self.organisation.as_ref().map(|organisation| &organisation.id),
            "workspace_id": self.workspace.as_ref().map(|workspace| &workspace.id),
            "absent": self.absent.iter().map(absence).collect::<Vec<_>>(),
            "highlights": highlights,
            "next": self.next.iter().map(NextCall::to_value).collect::<Vec<_>>(),
            "links": self.links.iter().map(Opens::to_value).collect::<Vec<_>>(),
            "sections": sections,
        })
    }
}
