//! What the finished sections of a document say together: its status, the highlights, the summary.

use minijinja::context;

use super::{
    collect::Wanted,
    document::{Document, Remark, SectionAnswer, Status},
    render,
    window::stamp,
};
use crate::{
    catalog::Catalog,
    template::{Flavour, jinja, one_line, sentence},
};

/// Status, highlights and summary over the finished sections.
pub(super) fn conclude(catalog: &Catalog, wanted: &Wanted<'_>, document: &mut Document) {
    document.status = overall(&document.sections);
    let value = document.to_value();
    let shared = |key: &str| jinja(value.get(key));
    let (sections, window) = (shared("sections"), shared("window"));
    let parameters = jinja(&wanted.filters);
    for (rule, keys) in wanted.entry.definition.highlights.iter().zip(&wanted.entry.highlights) {
        let records = match &rule.each {
            None => vec![minijinja::Value::from(())],
            Some(name) => match document.sections.iter().find(|section| &section.name == name) {
                Some(section) => jinja(section.records()).try_iter().map(Iterator::collect).unwrap_or_default(),
                None => continue,
            },
        };
        // A rule over all sections says nothing while one of them could not be read.
        if rule.each.is_none() && document.status.is_problem() {
            continue;
        }
        let mut said = 0;
        for row in records {
            if said == rule.max {
                break;
            }
            let variables = context! { row, sections => &sections, window => &window, parameters => &parameters };
            let text = match catalog.templates.holds(&keys.when, variables.clone()) {
                Ok(false) => continue,
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
    if let Some(unknown) = document.organisation.as_ref().filter(|organisation| organisation.unknown) {
        let said = document.summary.trim_start_matches("[SYSTEM] ");
        document.summary = format!(
            "[SYSTEM] The platform lists no organisation {}: nothing recorded for it does not mean that all is well. {said}",
            one_line(&unknown.id, 80)
        );
    }
}

/// The status of a document from those of its sections.
fn overall(sections: &[SectionAnswer]) -> Status {
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
        .map(|section| match section.rows.len() {
            0 => format!("{}: nothing recorded", section.title),
            n => format!("{}: {n}{}", section.title, if section.truncated { " or more" } else { "" }),
        })
        .collect();
    format!("{}.", counts.join("; "))
}
