//! What the finished sections of a document say together: its status, the highlights, the summary.

use std::collections::HashMap;

use minijinja::context;

use super::{
    collect::Wanted,
    document::{Document, Remark, SectionAnswer, Status, Total},
    render,
    window::{self, stamp},
};
use crate::{
    catalog::Catalog,
    template::{Flavour, jinja, one_line, sentence},
};

/// Highlights and summary over the finished sections.
///
/// All rows that were read are judged and counted, whether they are shown or not. `bounds` are what sections answered
/// that tell where the data lie.
pub(super) fn conclude(catalog: &Catalog, wanted: &Wanted<'_>, bounds: &[SectionAnswer], document: &mut Document) {
    let value = document.to_value();
    let shared = |key: &str| jinja(value.get(key));
    let (sections, window) = (shared("sections"), shared("window"));
    let parameters = jinja(&wanted.filters);
    let mut records: HashMap<&str, Vec<minijinja::Value>> = HashMap::new();
    for (rule, keys) in wanted.entry.definition.highlights.iter().zip(&wanted.entry.highlights) {
        let each = rule.each.as_deref().unwrap_or_default();
        let section = document.sections.iter().find(|section| section.name == each);
        if rule.each.is_some() && section.is_none() {
            continue;
        }
        let records = records.entry(each).or_insert_with(|| match section {
            Some(section) => jinja(section.records()).try_iter().map(Iterator::collect).unwrap_or_default(),
            None => vec![minijinja::Value::from(())],
        });
        // A rule over all sections says nothing while one of them could not be read, or of what does not exist.
        if rule.each.is_none() && (document.status.is_problem() || !document.absent.is_empty()) {
            continue;
        }
        let (mut said, mut unsaid) = (0, 0);
        for row in records.iter() {
            let variables = context! { row, sections => &sections, window => &window, parameters => &parameters };
            let text = match catalog.templates.holds(&keys.when, variables.clone()) {
                Ok(false) => continue,
                Ok(true) if said == rule.max => {
                    unsaid += 1;
                    continue;
                }
                Ok(true) => catalog.templates.render(Flavour::Evidence, &keys.say, variables),
                Err(error) => Err(error),
            };
            match text {
                Ok(text) => document.highlights.push(Remark { severity: rule.severity, text: sentence(&text, 500) }),
                Err(error) => {
                    tracing::warn!(context = wanted.name, %error, "A highlight could not be evaluated.");
                    break;
                }
            }
            said += 1;
        }
        if let (1.., 1.., Some(section)) = (said, unsaid, section) {
            let others = Total { count: unsaid, more: section.total.more };
            let text = format!("and {others} others like these in \"{}\"", section.title);
            document.highlights.push(Remark { severity: rule.severity, text: sentence(&text, 500) });
        }
    }
    document.highlights.sort_by_key(|remark| remark.severity);
    let authored = wanted.entry.summary.as_ref().filter(|_| !document.status.is_problem());
    let authored = authored.and_then(|key| {
        let variables = context! { sections, window, parameters };
        catalog
            .templates
            .render(Flavour::Evidence, key, variables)
            .inspect_err(|error| tracing::warn!(context = wanted.name, %error, "The summary could not be rendered."))
            .ok()
    });
    document.summary = summary(document, authored);
    for said in beyond(document, bounds) {
        document.summary.push(' ');
        document.summary.push_str(&said);
    }
    if !document.absent.is_empty() {
        let texts: Vec<&str> = document.absent.iter().map(|absence| absence.text.as_str()).collect();
        let (mark, said) = match document.summary.strip_prefix("[SYSTEM] ") {
            Some(said) => ("[SYSTEM] ", said),
            None => ("", document.summary.as_str()),
        };
        document.summary = format!("{mark}{} {said}", texts.join(" "));
    }
    if let Some(unknown) = document.organisation.as_ref().filter(|organisation| organisation.unknown) {
        let said = document.summary.trim_start_matches("[SYSTEM] ");
        document.summary = format!(
            "[SYSTEM] The platform lists no organisation {}: nothing recorded for it does not mean that all is well. {said}",
            one_line(&unknown.id, 80)
        );
    }
}

/// What callers' clocks may be ahead of ours.
const SKEW: time::Duration = time::Duration::minutes(1);

/// What a window beyond the present or beyond the data is told.
fn beyond(document: &Document, bounds: &[SectionAnswer]) -> Vec<String> {
    let (window, now) = (document.window, document.collected_at);
    let is_set = if window::is_set(now) { ", where `server.clock` of this server is set" } else { "" };
    let mut said = Vec::new();
    if window.from >= now {
        said.push(format!("The window begins after now, which is {} UTC{is_set}.", stamp(now)));
    } else if window.to > now + SKEW {
        said.push(format!("The window ends after now, which is {} UTC{is_set}.", stamp(now)));
    }
    for section in bounds {
        let time = |name: &str| {
            let at = section.columns.iter().position(|column| column.name == name)?;
            window::parsed(section.rows.first()?.get(at)?.as_str()?)
        };
        let title = &section.title;
        match (time("newest_before"), time("oldest_after")) {
            (Some(newest), None) => said.push(format!("{title} end at {} UTC, before this window.", stamp(newest))),
            (None, Some(oldest)) => {
                said.push(format!("{title} begin again at {} UTC, after this window.", stamp(oldest)));
            }
            (Some(newest), Some(oldest)) => {
                said.push(format!("{title} are missing between {} and {} UTC.", stamp(newest), stamp(oldest)));
            }
            (None, None) => {}
        }
    }
    said
}

/// The status of a document from those of its sections.
pub(super) fn overall(sections: &[SectionAnswer]) -> Status {
    let any = |wanted: fn(Status) -> bool| sections.iter().any(|section| wanted(section.status));
    let failed = any(Status::is_problem);
    match (any(|s| s == Status::Ok), any(|s| s == Status::Empty), failed) {
        (true, _, true) | (false, true, true) => Status::Partial,
        (true, _, false) => Status::Ok,
        (false, _, false) => Status::Empty,
        (false, false, true) => {
            let all = |status| sections.iter().all(|section| section.status == status);
            [Status::Unavailable, Status::Timeout].into_iter().find(|status| all(*status)).unwrap_or(Status::Error)
        }
    }
}

fn summary(document: &Document, authored: Option<String>) -> String {
    let window = format!("between {} and {} UTC", stamp(document.window.from), stamp(document.window.to));
    let filters = match document.filters.is_empty() {
        true => String::new(),
        false => format!(" with {}", render::filters(&document.filters)),
    };
    let problems: Vec<String> = document
        .sections
        .iter()
        .filter(|section| section.status.is_problem())
        .map(|section| {
            format!(
                "{} ({}: {})",
                section.name,
                section.status.as_str(),
                sentence(section.message.as_deref().unwrap_or("no reason given"), 160)
            )
        })
        .collect();
    match document.status {
        Status::Ok => authored.unwrap_or_else(|| counts(document)),
        Status::Empty => format!("No data was recorded for {} {window}{filters}.", document.context_type),
        Status::Partial => {
            let answered = document.sections.len() - problems.len();
            format!(
                "[SYSTEM] {} of {} sections could not be read: {}. The other {answered} answered: {}",
                problems.len(),
                document.sections.len(),
                problems.join("; "),
                counts(document),
            )
        }
        Status::Unavailable | Status::Timeout | Status::Error => {
            format!("[SYSTEM] Nothing could be read {window}: {}.", problems.join("; "))
        }
    }
}

/// How many rows each section that answered has.
fn counts(document: &Document) -> String {
    let counts: Vec<String> = document
        .sections
        .iter()
        .filter(|section| !section.status.is_problem())
        .map(|section| match section.total.count {
            0 => format!("{}: nothing recorded", section.title),
            _ => format!("{}: {}", section.title, section.total),
        })
        .collect();
    format!("{}.", counts.join("; "))
}
