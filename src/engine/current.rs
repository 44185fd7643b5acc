//! Records as they stand now, in documents whose window does not end now: whatever is said of them says as of when it is.
//!
//! Which sections hold such records their definition says (`current`); what the records are is not known here.

use time::OffsetDateTime;

use super::{
    document::{Document, SectionAnswer, Status},
    wanted::Wanted,
    window::stamp,
};

/// Above the rows of such a section.
pub(super) fn remark(now: OffsetDateTime) -> String {
    format!("Records as they stand at {} (now), not in this window.", stamp(now))
}

/// Behind a sentence about such records. `beside`: it tells values of another section, too, which are of the window.
pub(super) fn mark(document: &Document, beside: bool) -> String {
    if beside {
        return format!(
            " (the record as of now, {}; what stands beside it, of this window)",
            stamp(document.collected_at)
        );
    }
    format!(" (as of now, {}, not of this window)", stamp(document.collected_at))
}

/// Behind a summary with these variables: which sections hold such records, also one that only the summary shows. Empty
/// where the window ends now.
pub(super) fn said(document: &Document, names: &[String]) -> String {
    if document.ends_now() {
        return String::new();
    }
    let of_now = document.sections.iter().filter(|section| section.current && section.status == Status::Ok);
    let titles: Vec<String> = of_now
        .filter(|section| section.is_shown() || reads(names, &section.name))
        .map(|section| format!("\"{}\"", section.title))
        .collect();
    if titles.is_empty() {
        return String::new();
    }
    format!(" As of now, {}, not of this window: {}.", stamp(document.collected_at), titles.join(", "))
}

/// Whether what a rule judges is records alone. `names` are the variables of its condition: one that reads what stands
/// beside the records from another section judges that.
pub(super) fn judges_records(document: &Document, section: Option<&SectionAnswer>, names: &[String]) -> bool {
    match section {
        Some(section) => section.current && !reads_lent(section, names),
        None => {
            let read = |section: &&SectionAnswer| reads(names, &section.name);
            let mut read = document.sections.iter().filter(read).peekable();
            read.peek().is_some() && read.all(|section| section.current)
        }
    }
}

/// Whether a text with these variables reads a column that a section has of another one.
pub(super) fn reads_lent(section: &SectionAnswer, names: &[String]) -> bool {
    let lent = |column: &str| section.lent.iter().any(|lent| lent == column);
    names.iter().filter_map(|name| second(name, "row")).any(lent)
}

/// The section from which a text with these variables reads columns beside those of its own.
pub(super) fn lender<'d>(
    wanted: &Wanted<'_>,
    document: &'d Document,
    section: &SectionAnswer,
    names: &[String],
) -> Option<&'d SectionAnswer> {
    let join = wanted.entry.definition.sections.get(&section.name)?.join.as_ref()?;
    let lender = || document.sections.iter().find(|other| other.name == join.section);
    reads_lent(section, names).then(lender).flatten()
}

/// Whether a condition with these variables reads a section.
pub(super) fn reads(names: &[String], section: &str) -> bool {
    names.iter().any(|name| second(name, "sections") == Some(section))
}

/// `b` of `a.b.c`, where the variable is `a`.
fn second<'n>(name: &'n str, variable: &str) -> Option<&'n str> {
    name.strip_prefix(variable)?.strip_prefix('.')?.split('.').next()
}
