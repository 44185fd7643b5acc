//! What reading the settings finds: mistakes, with the place where they stand, and what is worth knowing.

use std::{fmt, ops::Range};

use super::layers::Origin;

/// A mistake in the settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub origin: Origin,
    /// The setting, such as `logging.level`; empty for a whole file.
    pub key: String,
    /// What is wrong, without the value of a secret.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where it stands, if it is one of a file.
    pub place: Option<Place>,
}

/// A place in a settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// From 1, the column in characters.
    pub line: usize,
    pub column: usize,
    /// Bytes of the file, without a byte order mark.
    pub span: Range<usize>,
}

impl Place {
    pub(super) fn of(text: &str, span: Range<usize>) -> Self {
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Self { line, column: before.get(line_start..).map_or(0, |rest| rest.chars().count()) + 1, span }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.origin, &self.place) {
            (Origin::Env(_) | Origin::Flag(_), _) => return write!(f, "{} {}", self.origin, self.message),
            (origin, Some(Place { line, column, .. })) => write!(f, "{origin}:{line}:{column}")?,
            (origin, None) => write!(f, "{origin}")?,
        }
        match self.key.as_str() {
            "" => write!(f, " {}", self.message),
            key => write!(f, ": `{key}` {}", self.message),
        }
    }
}

/// Something worth knowing that does not stop the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub kind: NoticeKind,
    /// The setting or variable.
    pub key: String,
    pub origin: Origin,
    /// What it belongs to (`Unused`) or what to do (the others).
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Set, checked, and without effect in this version; `text` names what it belongs to.
    Unused,
    /// A setting of the earlier servers that is not read any more.
    Former,
    /// An environment variable with our prefix that is no setting.
    UnknownVariable,
    /// An environment variable of a setting that Kubernetes has set for a Service, and that is left out.
    ServiceLink,
    /// A settings file of the working folder that is not known to be the operator's own.
    Untrusted,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            NoticeKind::Unused => write!(f, "`{}` is set but not used by this version ({})", self.key, self.text),
            NoticeKind::Former => write!(f, "`{}` is not a setting any more: {}", self.key, self.text),
            NoticeKind::UnknownVariable => write!(f, "`{}` is set but is no setting: {}", self.key, self.text),
            NoticeKind::ServiceLink => write!(f, "`{}` is not read: {}", self.key, self.text),
            NoticeKind::Untrusted => write!(f, "`{}` {}", self.key, self.text),
        }
    }
}

/// Both of a run.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub problems: Vec<Problem>,
    pub notices: Vec<Notice>,
}

impl Findings {
    pub fn unreadable(&mut self, origin: Origin, why: &str) {
        let message = format!("cannot be read: {why}");
        self.problems.push(Problem { origin, key: String::new(), message, help: None, place: None });
    }
}
