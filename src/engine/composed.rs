//! A document that is made of those of other context types, which a call lists in order of importance.
//!
//! Each part is collected as if it had been asked for, with the window of the whole. Sections stand by their priority and
//! then by the rank of their type, so that the budget of characters goes to what matters most in each before it goes to
//! the rest of one; what does not fit is told by its title, which names the type.

use std::time::Instant;

use futures::future::join_all;
use serde_json::Value;

use super::{
    Call, CallError, CallErrorKind, Engine, Spelling,
    arguments::Reading,
    document::{Document, Remark, SectionAnswer, Status},
    links, next,
    wanted::Wanted,
};
use crate::{catalog::Catalog, definition::Severity};

/// Highlights that a part contributes at most.
const HIGHLIGHTS: usize = 6;

impl Engine {
    /// Collects the types that the parameter lists, all at once, and makes one document of theirs.
    pub(super) async fn compose(
        &self,
        catalog: &Catalog,
        wanted: Wanted<'_>,
        parameter: &str,
        call: &Call,
    ) -> Result<Document, CallError> {
        let started = Instant::now();
        let reading = Reading { spelling: Spelling::Json, now: self.now(), catalog };
        let mut parts: Vec<Wanted<'_>> = Vec::new();
        for name in listed(&wanted, parameter)? {
            let part = other(catalog, &wanted, name, &reading)?;
            // Two names of one type may stand for different filters.
            let asks = |known: &Wanted<'_>| {
                (&known.entry.definition.name, &known.filters) == (&part.entry.definition.name, &part.filters)
            };
            if !parts.iter().any(asks) {
                parts.push(part);
            }
        }
        let known: Vec<(&str, Vec<String>)> =
            parts.iter().map(|part| (part.name, unread(&wanted, part, parameter))).collect();
        let documents = join_all(parts.into_iter().map(|part| self.collect(catalog, part, call))).await;
        let documents = documents.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(made_of(&wanted, known.iter().map(|(_, unread)| unread.as_slice()).zip(documents).collect(), self, started))
    }
}

/// The names that a call lists.
fn listed<'a>(wanted: &'a Wanted<'_>, parameter: &str) -> Result<Vec<&'a str>, CallError> {
    let names = wanted.filters.get(parameter).and_then(Value::as_array);
    let names: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).map(str::trim).collect();
    if names.is_empty() {
        let message = format!("`{parameter}` has to name at least one context type");
        return Err(CallError::invalid(message).hint("list the context types first"));
    }
    Ok(names)
}

/// One of the types, if it can be a part.
fn other<'a>(
    catalog: &'a Catalog,
    wanted: &Wanted<'a>,
    name: &str,
    reading: &Reading<'_>,
) -> Result<Wanted<'a>, CallError> {
    let found = catalog.context_name(name).and_then(|name| Some((name, catalog.context(name)?)));
    let unknown = || {
        let known = catalog.listed().map(|context| context.name.0.as_str());
        CallError::unknown(CallErrorKind::InvalidArguments, "context type", name, known)
    };
    let (name, entry) = found.ok_or_else(unknown)?;
    if !entry.definition.listed {
        let collector = catalog.collector_of(name).unwrap_or_else(|| "a tool of its own".to_owned());
        return Err(CallError::invalid(format!("`{name}` cannot be a part: it is collected by {collector}"))
            .hint("call that tool, or leave the type out"));
    }
    if entry.definition.composes.is_some() {
        return Err(CallError::invalid(format!("`{name}` cannot be a part: it is made of others itself"))
            .hint("list the types that it would be made of"));
    }
    wanted.of_other(name, entry, reading)
}

/// Filters of the whole that a part does not have.
fn unread(wanted: &Wanted<'_>, part: &Wanted<'_>, parameter: &str) -> Vec<String> {
    let asked = wanted.filters.iter().filter(|(name, value)| *name != parameter && !value.is_null());
    asked.filter(|(name, _)| !part.filters.contains_key(*name)).map(|(name, _)| name.clone()).collect()
}

fn made_of(wanted: &Wanted<'_>, parts: Vec<(&[String], Document)>, engine: &Engine, started: Instant) -> Document {
    let status = together(parts.iter().map(|(_, part)| part.status));
    let mut whole = Document { status, elapsed: started.elapsed(), ..wanted.document(engine.now()) };
    let mut summaries = Vec::with_capacity(parts.len());
    let mut broken = Vec::new();
    for (unread, part) in parts {
        let name = part.context_type;
        if part.status.is_problem() {
            broken.push(format!("`{name}` ({})", part.status.as_str()));
        }
        let unread: Vec<String> = unread.iter().map(|filter| format!("`{filter}`")).collect();
        let unread = if unread.is_empty() { String::new() } else { format!(", not narrowed by {}", unread.join(", ")) };
        // What is true of all of them is said once, behind the last.
        let mut said = part.summary.trim_start_matches("[SYSTEM] ").to_owned();
        for absent in &part.absent {
            said = said.replacen(&format!("{} ", absent.text), "", 1);
        }
        for beyond in part.beyond {
            said = said.replacen(&format!(" {beyond}"), "", 1);
            if !whole.beyond.contains(&beyond) {
                whole.beyond.push(beyond);
            }
        }
        summaries.push(format!("{} (`{name}`, {}{unread}): {said}", part.title, part.status.as_str()));
        whole.highlights.extend(first_ones(&name, part.highlights));
        whole.next.extend(part.next);
        for link in part.links {
            if whole.links.iter().all(|known| known.name != link.name) {
                whole.links.push(link);
            }
        }
        whole.sections.extend(part.sections.into_iter().map(|section| of_part(&name, &part.title, section)));
        whole.notes.extend(part.notes.into_iter().filter(|note| !wanted.notes.contains(note)));
        whole.absent.extend(part.absent);
        whole.organisation = whole.organisation.or(part.organisation);
        whole.workspace = whole.workspace.or(part.workspace);
    }
    whole.notes.dedup();
    whole.next.truncate(next::MOST);
    whole.links.truncate(links::MOST);
    let mut told: Vec<(String, String)> = Vec::new();
    whole.absent.retain(|absent| {
        let key = (absent.parameter.clone(), absent.value.clone());
        let is_new = !told.contains(&key);
        if is_new {
            told.push(key);
        }
        is_new
    });
    summaries.splice(0..0, whole.absent.iter().map(|absent| absent.text.clone()));
    summaries.extend(whole.beyond.iter().cloned());
    whole.summary = match broken.is_empty() {
        true => summaries.join(" "),
        false => format!("[SYSTEM] Not all could be read of {}. {}", broken.join(", "), summaries.join(" ")),
    };
    // Stable sorts: what is alike keeps the rank of its type.
    whole.highlights.sort_by_key(|remark| remark.severity);
    whole.sections.sort_by_key(|section| section.priority);
    whole
}

/// The status of a whole from those of its parts.
fn together(parts: impl Iterator<Item = Status> + Clone) -> Status {
    let any = |wanted: fn(Status) -> bool| parts.clone().any(wanted);
    if !any(Status::is_problem) {
        return if any(|status| status == Status::Ok) { Status::Ok } else { Status::Empty };
    }
    if parts.clone().all(Status::is_failure) {
        let all = |wanted| parts.clone().all(|status| status == wanted);
        return [Status::Unavailable, Status::Timeout].into_iter().find(|status| all(*status)).unwrap_or(Status::Error);
    }
    Status::Partial
}

/// The first highlights of a part, which are its most severe ones, and how many others it has.
fn first_ones(name: &str, highlights: Vec<Remark>) -> Vec<Remark> {
    let unsaid = highlights.len().saturating_sub(HIGHLIGHTS);
    let of_part = |remark: Remark| Remark { text: format!("`{name}`: {}", remark.text), ..remark };
    let mut said: Vec<Remark> = highlights.into_iter().take(HIGHLIGHTS).map(of_part).collect();
    if unsaid > 0 {
        let text = format!("`{name}`: and {unsaid} more; collect it alone to see them");
        said.push(Remark { severity: Severity::Info, text });
    }
    said
}

fn of_part(name: &str, title: &str, section: SectionAnswer) -> SectionAnswer {
    SectionAnswer { name: format!("{name}.{}", section.name), title: format!("{title}: {}", section.title), ..section }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_is_as_well_as_its_parts() {
        use Status::{Empty, Error, Ok, Partial, Timeout, Unavailable};
        for (parts, whole) in [
            (vec![Ok, Empty], Ok),
            (vec![Empty, Empty], Empty),
            (vec![Ok, Error], Partial),
            (vec![Ok, Partial], Partial),
            (vec![Empty, Timeout], Partial),
            (vec![Timeout, Timeout], Timeout),
            (vec![Unavailable, Timeout], Error),
        ] {
            assert_eq!(together(parts.iter().copied()), whole, "{parts:?}");
        }
    }

    #[test]
    fn what_a_part_has_to_say_is_cut_and_counted() {
        let remark = |n: usize| Remark { severity: Severity::Warning, text: n.to_string() };
        let said = first_ones("alert", (0..9).map(remark).collect());
        let texts: Vec<&str> = said.iter().map(|remark| remark.text.as_str()).collect();
        assert_eq!(texts.len(), HIGHLIGHTS + 1);
        assert_eq!(texts.first(), Some(&"`alert`: 0"));
        assert_eq!(texts.last(), Some(&"`alert`: and 3 more; collect it alone to see them"));
        assert_eq!(first_ones("alert", vec![remark(1)]).len(), 1);
    }
}
