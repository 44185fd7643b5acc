//! What the finished sections of a document say together: its status, the highlights, the summary.

use std::collections::HashMap;

use indexmap::IndexMap;
use minijinja::context;

use super::{
    document::{Document, Organisation, Remark, SectionAnswer, Status, Total, Workspace},
    news::{self, Again, News},
    recorded::{Missing, Recorded},
    render,
    scene::Scene,
    wanted::Wanted,
    window::{self, stamp},
};
use crate::{
    catalog::Catalog,
    definition::Severity,
    template::{Flavour, jinja, sentence},
};

/// Highlights and summary over the finished sections.
///
/// All rows that were read are judged and counted, whether they are shown or not. `recorded` tells of which data there
/// are any in the window.
pub(super) fn conclude(
    catalog: &Catalog,
    wanted: &Wanted<'_>,
    recorded: &[Recorded],
    again: Option<(&Again, &News)>,
    document: &mut Document,
) {
    let scene = Scene::of(document, wanted);
    let mut records: HashMap<&str, Vec<minijinja::Value>> = HashMap::new();
    let rules = wanted.entry.definition.highlights.iter().zip(&wanted.entry.highlights);
    for (nth, (rule, keys)) in rules.enumerate() {
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
        let known = news::known(&wanted.entry.definition, each);
        let usual = again.and_then(|(_, news)| news.usual.get(nth)).filter(|usual| !usual.is_empty());
        let is_usual = |at: usize| match (usual, section.and_then(|section| Some((section, section.rows.get(at)?)))) {
            (Some(usual), Some((section, row))) => usual.contains(&news::key(known, section, row)),
            _ => false,
        };
        // What is usual takes no place of what is news.
        let mut order: Vec<(bool, &minijinja::Value)> =
            records.iter().enumerate().map(|(at, row)| (is_usual(at), row)).collect();
        order.sort_by_key(|(usual, _)| *usual);
        let (mut said, mut unsaid) = (0, 0);
        for (is_usual, row) in order {
            let variables = scene.around(row);
            let text = match catalog.templates.holds(&keys.when, variables.clone()) {
                Ok(false) => continue,
                Ok(true) if said == rule.max => {
                    unsaid += u32::from(!is_usual);
                    continue;
                }
                Ok(true) => catalog.templates.render(Flavour::Evidence, &keys.say, variables),
                Err(error) => Err(error),
            };
            match text {
                Ok(text) => {
                    let text = format!("{}{}", sentence(&text, 500), reservation(section));
                    document.highlights.push(match is_usual {
                        false => Remark { severity: rule.severity, text },
                        true => Remark { severity: Severity::Info, text: text + news::USUAL },
                    });
                }
                Err(error) => {
                    // Rows that could not be joined lack the columns of the others, which the section says.
                    if section.is_none_or(|section| section.partial.is_empty()) {
                        tracing::warn!(context = wanted.name, %error, "A highlight could not be evaluated.");
                    }
                    break;
                }
            }
            said += 1;
        }
        for old in again.and_then(|(_, news)| news.old.get(nth)).into_iter().flatten() {
            if let Ok(text) = catalog.templates.render(Flavour::Evidence, &keys.say, scene.around(&old.row)) {
                let text = format!("{}{}{}", sentence(&text, 500), old.said(wanted.window), reservation(section));
                document.highlights.push(Remark { severity: Severity::Info, text });
            }
        }
        if let (1.., 1.., Some(section)) = (said, unsaid, section) {
            let others = Total { count: unsaid as usize, more: section.total.more };
            let noun = if unsaid == 1 && !section.total.more { "other" } else { "others" };
            let text = format!("and {others} {noun} like these in \"{}\"", section.title);
            document.highlights.push(Remark { severity: rule.severity, text: sentence(&text, 500) });
        }
    }
    document.highlights.sort_by_key(|remark| remark.severity);
    let missing = Missing::of(recorded);
    let of_missing = |section: &&SectionAnswer| {
        let entry = wanted.entry.sections.iter().find(|entry| entry.name == section.name);
        entry.is_some_and(|entry| missing.as_ref().is_some_and(|missing| missing.has(entry)))
    };
    let authored = wanted.entry.summary.as_ref().filter(|_| !document.status.is_problem());
    let authored = authored.and_then(|key| {
        let Scene { sections, window, parameters } = &scene;
        let variables = context! { sections, window, parameters };
        catalog
            .templates
            .render(Flavour::Evidence, key, variables)
            .inspect_err(|error| tracing::warn!(context = wanted.name, %error, "The summary could not be rendered."))
            .ok()
            .filter(|text| !text.trim().is_empty())
    });
    document.summary = match &missing {
        // What a definition says of rows would be said of times that are not asked for.
        Some(missing) if document.status == Status::Ok && !missing.is_nowhere() => {
            without(document, missing, of_missing)
        }
        _ => {
            let reservations = reservations(document);
            summary(document, authored) + &reservations
        }
    };
    if let Some((again, _)) = again {
        let left_out = news::left_out(&document.sections, again);
        document.summary.push_str(&left_out);
    }
    let beyond = beyond(document, recorded);
    for said in &beyond {
        document.summary.push(' ');
        document.summary.push_str(said);
    }
    let of_another_time = document.sections.iter().any(|section| of_missing(&section) && !section.rows.is_empty());
    if of_another_time && !document.highlights.is_empty() {
        let text = "Data are missing in this window: what is said to be silent or gone may only not have been recorded";
        document.highlights.insert(0, Remark { severity: Severity::Critical, text: text.to_owned() });
    }
    if !document.absent.is_empty() {
        let texts: Vec<&str> = document.absent.iter().map(|absence| absence.text.as_str()).collect();
        let (mark, said) = match document.summary.strip_prefix("[SYSTEM] ") {
            Some(said) => ("[SYSTEM] ", said),
            None => ("", document.summary.as_str()),
        };
        document.summary = format!("{mark}{} {said}", texts.join(" "));
    }
    if document.status == Status::Empty
        && let Some(remark) = document.organisation.as_ref().and_then(Organisation::remark_of_nothing)
    {
        document.summary = format!("{remark} {}", document.summary);
    }
    let workspace = document.workspace.as_ref().and_then(Workspace::remark);
    for remark in document.organisation.as_ref().and_then(Organisation::remark).into_iter().chain(workspace) {
        let said = document.summary.trim_start_matches("[SYSTEM] ");
        document.summary = format!("{remark} {said}");
    }
}

/// What a window beyond the present or beyond the data is told.
fn beyond(document: &Document, recorded: &[Recorded]) -> Vec<String> {
    let (window, now) = (document.window, document.collected_at);
    let is_set = if window::is_set(now) { ", where `server.clock` of this server is set" } else { "" };
    let mut said = Vec::new();
    if window.from >= now {
        said.push(format!("The window begins after now, which is {} UTC{is_set}.", stamp(now)));
    }
    said.extend(recorded.iter().flat_map(|recorded| recorded.said(window, now)));
    if let Some(missing) = Missing::of(recorded).filter(Missing::is_nowhere) {
        said.extend(missing.never());
    }
    said
}

/// Behind a sentence about rows of a section: filters of the document that it does not obey, and what it does not cover.
fn reservation(section: Option<&SectionAnswer>) -> String {
    let ignored = section.and_then(|section| section.narrowed.ignored());
    let ignored = ignored.map(|ignored| format!(" (not narrowed by {ignored})")).unwrap_or_default();
    ignored + &section.map(SectionAnswer::limits).unwrap_or_default()
}

/// Which sections with rows do not obey a filter of the document, and what others do not cover.
fn reservations(document: &Document) -> String {
    let mut by: IndexMap<String, Vec<String>> = IndexMap::new();
    for section in document.sections.iter().filter(|section| !section.rows.is_empty()) {
        if let Some(ignored) = section.narrowed.ignored() {
            by.entry(ignored).or_default().push(format!("\"{}\"", section.title));
        }
    }
    let ignored = by.iter().map(|(filters, titles)| format!(" Not narrowed by {filters}: {}.", titles.join(", ")));
    let partial = document.sections.iter().filter(|section| !section.status.is_problem());
    let partial =
        partial.flat_map(|section| section.partial.iter().map(|partial| format!(" \"{}\": {partial}.", section.title)));
    ignored.chain(partial).collect()
}

/// The summary of a window of which some data are missing; `of_missing` says which sections are about them.
fn without(document: &Document, missing: &Missing<'_>, of_missing: impl Fn(&&SectionAnswer) -> bool) -> String {
    let mut text = format!("{} {}.", missing.sentence(), between(document));
    let answered = || document.sections.iter().filter(|section| !section.status.is_problem());
    let others: Vec<&SectionAnswer> = answered().filter(|section| !of_missing(section)).collect();
    if !others.is_empty() {
        text.push(' ');
        text.push_str(&counted(&others));
    }
    let titles = answered().filter(of_missing).filter(|section| !section.rows.is_empty());
    let titles: Vec<String> = titles.map(|section| format!("\"{}\"", section.title)).collect();
    if !titles.is_empty() {
        text.push_str(&format!(" Not of this window: {}.", titles.join(", ")));
    }
    text + &reservations(document)
}

fn between(document: &Document) -> String {
    format!("between {} and {} UTC", stamp(document.window.from), stamp(document.window.to))
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
    let window = between(document);
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
    let answered = document.sections.iter().filter(|section| !section.status.is_problem());
    counted(&answered.collect::<Vec<_>>())
}

fn counted(sections: &[&SectionAnswer]) -> String {
    let counts = sections.iter().map(|section| match section.total.count {
        0 => format!("{}: nothing{} recorded", section.title, section.narrowed.with()),
        _ => format!("{}: {}", section.title, section.total),
    });
    format!("{}.", counts.collect::<Vec<_>>().join("; "))
}
