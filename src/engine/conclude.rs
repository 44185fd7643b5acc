//! What the finished sections of a document say together: its status, the highlights, the summary.

use std::collections::HashMap;

use indexmap::IndexMap;
use minijinja::context;

use super::{
    about, current,
    document::{Document, Organisation, Remark, SectionAnswer, Status, Total, Workspace},
    forgotten,
    missing::{Missing, never},
    news::{self, Again, News},
    next,
    recorded::{self, Recorded},
    render,
    scene::{Scene, values},
    wanted::{Wanted, compares},
    window::{self, stamp},
};
use crate::{
    catalog::Catalog,
    definition::Severity,
    template::{Flavour, TemplateError, counted as of, message, sentence},
};

/// Highlights and summary over the finished sections.
///
/// All rows that were read are judged and counted, whether they are shown or not. `recorded` tells of which data there
/// are any in the window, and `of_b` of which there are in that of a second side.
pub(super) fn conclude(
    catalog: &Catalog,
    wanted: &Wanted<'_>,
    recorded: &[Recorded],
    of_b: &[Recorded],
    again: Option<(&Again, &News)>,
    document: &mut Document,
) {
    let missing = Missing::of(recorded);
    let entry_of = |name: &str| wanted.entry.sections.iter().find(|entry| entry.name == name);
    // In a window to come there is nothing yet: what has rows of it compares it with the time before.
    let is_to_come = document.window.from >= document.collected_at;
    let of_earlier = |section: &&SectionAnswer| {
        section.is_missing || is_to_come && entry_of(&section.name).is_some_and(|entry| compares(&entry.definition))
    };
    let all_is_missing = |name: &str| {
        entry_of(name).is_some_and(|entry| missing.as_ref().is_some_and(|missing| missing.is_all_of(entry)))
    };
    let about_nothing: Vec<bool> = document
        .sections
        .iter()
        .map(|section| {
            section.is_missing
                || section.lacks.is_some()
                || of_nothing(document, section)
                || all_is_missing(&section.name)
        })
        .collect();
    for (section, unrecorded) in document.sections.iter_mut().zip(about_nothing) {
        section.unrecorded = unrecorded;
    }
    let scene = Scene::of(document, wanted);
    let faults = highlights(catalog, wanted, &scene, again, of_earlier, document);
    document.highlights.sort_by_key(|remark| remark.severity);
    document.next = next::steps(catalog, wanted, &scene, document);
    let mut unrendered = None;
    // What a definition says of the first of a few, and of what is not among them, would be said of chance.
    let by_chance = |key: &String| {
        let names = catalog.templates.variables(Flavour::Evidence, key);
        document.sections.iter().any(|section| section.is_handful && current::reads(&names, &section.name))
    };
    let authored = wanted.entry.summary.as_ref().filter(|key| !document.status.is_problem() && !by_chance(key));
    let authored = authored.and_then(|key| {
        let Scene { sections, window, parameters } = &scene;
        let variables = context! { sections, window, parameters };
        catalog
            .templates
            .render(Flavour::Evidence, key, variables)
            .inspect_err(|error| {
                tracing::warn!(context = wanted.name, %error, "The summary could not be rendered.");
                unrendered = Some(fault("The summary of this type could not be rendered", error));
            })
            .ok()
            .filter(|text| !text.trim().is_empty())
    });
    let of_none = |section: &SectionAnswer| section.is_missing || of_nothing(document, section);
    let about_nothing = |section: &SectionAnswer| !section.hidden && !section.rows.is_empty() && of_none(section);
    // Of nothing that the document could be about there are data in the window.
    let is_dark = missing.as_ref().is_some_and(Missing::is_all);
    document.summary = match &missing {
        // What a definition says of rows would be said of times that are not asked for.
        Some(missing) if document.status == Status::Ok && !missing.is_nowhere() => {
            without(document, missing, of_earlier)
        }
        // What a definition says of totals would be said of nothing.
        _ if document.status == Status::Ok && document.sections.iter().any(about_nothing) => {
            let others = document.sections.iter().filter(|section| !of_none(section));
            counted(&others.collect::<Vec<_>>()) + &earlier(document, of_earlier) + &reservations(document)
        }
        _ => {
            let reservations = earlier(document, of_earlier) + &reservations(document);
            summary(document, authored, is_dark, of_earlier) + &reservations
        }
    };
    let read = wanted.entry.summary.as_ref().map(|key| catalog.templates.variables(Flavour::Evidence, key));
    document.summary.push_str(&current::said(document, &read.unwrap_or_default()));
    for fault in faults.iter().chain(&unrendered) {
        document.summary.push(' ');
        document.summary.push_str(fault);
    }
    if let Some((again, _)) = again {
        let left_out = news::left_out(&document.sections, again);
        document.summary.push_str(&left_out);
    }
    let beyond = beyond(wanted, document, recorded, of_b);
    for said in &beyond {
        document.summary.push(' ');
        document.summary.push_str(said);
    }
    document.beyond = beyond;
    let of_another_time = document.sections.iter().any(|section| section.is_missing && !section.rows.is_empty());
    if of_another_time {
        let is_gap = missing.as_ref().is_some_and(|missing| missing.is_gap(document.collected_at));
        let begin = match (is_gap, &missing) {
            (true, _) | (_, None) => "Data are missing in this window".to_owned(),
            (false, Some(missing)) => format!("{} in this window", missing.sentence()),
        };
        let text = format!("{begin}: what seems to be silent or gone in it is not judged");
        // Of an hour of last year, or of tomorrow, nobody is woken up, nor where what is rare did not happen.
        let severity = if is_gap && document.ends_now() { Severity::Critical } else { Severity::Info };
        document.highlights.insert(0, Remark { severity, text });
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

/// Says what the rules of a context find in its sections, and returns what is to be said of rules that could not be
/// evaluated. Of sections `of_earlier`, of which no data were recorded in the window, nothing is said: their rows are of another
/// time, and what they lack may only not have been recorded.
fn highlights(
    catalog: &Catalog,
    wanted: &Wanted<'_>,
    scene: &Scene,
    again: Option<(&Again, &News)>,
    of_earlier: impl Fn(&&SectionAnswer) -> bool,
    document: &mut Document,
) -> Vec<String> {
    let mut faults = Vec::new();
    let (ends_now, is_to_come) = (document.ends_now(), document.window.from >= document.collected_at);
    let mut records: HashMap<&str, Vec<(minijinja::Value, minijinja::Value)>> = HashMap::new();
    let rules = wanted.entry.definition.highlights.iter().zip(&wanted.entry.highlights);
    for (nth, (rule, keys)) in rules.enumerate() {
        let each = rule.each.as_deref().unwrap_or_default();
        let section = document.sections.iter().find(|section| section.name == each);
        if rule.each.is_some() && section.is_none() {
            continue;
        }
        let records = records.entry(each).or_insert_with(|| match section {
            Some(section) => {
                let told = values(section.records());
                let judged = forgotten::judged(section).map_or_else(|| told.clone(), values);
                judged.into_iter().zip(told).collect()
            }
            None => vec![(().into(), ().into())],
        });
        let names = catalog.templates.variables(Flavour::Plain, &keys.when);
        let asks = |section: &SectionAnswer| section.name == each || current::reads(&names, &section.name);
        // What is in no small sample may be there all the same.
        let is_unseen =
            |section: &SectionAnswer| section.status == Status::Partial || section.is_handful && rule.each.is_none();
        let is_void =
            |section: &SectionAnswer| of_earlier(&section) || of_nothing(document, section) || is_unseen(section);
        // What stands beside a record is as void as the section that it is from.
        let lender = section.and_then(|section| current::lender(wanted, document, section, &names));
        if document.sections.iter().any(|section| asks(section) && is_void(section)) || lender.is_some_and(is_void) {
            continue;
        }
        // Of records as they stand now a window of another time makes no alarm, and before one began there is nothing else.
        let of_now = is_to_come || !ends_now && current::judges_records(document, section, &names);
        // What the sentence says beside a record may be of this window, and narrowed where the record is not.
        let told = catalog.templates.variables(Flavour::Evidence, &keys.say);
        let lent = section.filter(|section| current::reads_lent(section, &told));
        let mark = of_now.then(|| current::mark(document, lent.is_some() && !is_to_come));
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
        let mut order: Vec<_> = records.iter().enumerate().map(|(at, row)| (is_usual(at), row)).collect();
        order.sort_by_key(|(usual, _)| *usual);
        let (mut said, mut unsaid) = (0, 0);
        for (is_usual, (judged, row)) in order {
            let text = match catalog.templates.holds(&keys.when, scene.around(judged)) {
                Ok(false) => continue,
                Ok(true) if said == rule.max => {
                    unsaid += u32::from(!is_usual);
                    continue;
                }
                Ok(true) => catalog.templates.render(Flavour::Evidence, &keys.say, scene.around(row)),
                Err(error) => Err(error),
            };
            match text {
                Ok(text) => {
                    let text = format!("{}{}", sentence(&text, 500), reservation(section, lent.is_some()));
                    document.highlights.push(match (is_usual, &mark) {
                        (_, Some(mark)) => Remark { severity: Severity::Info, text: text + mark },
                        (true, None) => Remark { severity: Severity::Info, text: text + news::USUAL },
                        (false, None) => Remark { severity: rule.severity, text },
                    });
                }
                Err(error) => {
                    // Rows that could not be joined lack the columns of the others, which the section says.
                    if section.is_none_or(|section| section.covered().is_empty()) {
                        tracing::warn!(context = wanted.name, %error, "A highlight could not be evaluated.");
                        let about = section
                            .map_or_else(|| "all sections".to_owned(), |section| format!("\"{}\"", section.title));
                        faults.push(fault(&format!("A rule about {about} could not be evaluated"), &error));
                    }
                    break;
                }
            }
            said += 1;
        }
        for old in again.and_then(|(_, news)| news.old.get(nth)).into_iter().flatten() {
            if let Ok(text) = catalog.templates.render(Flavour::Evidence, &keys.say, scene.around(&old.row)) {
                let text = format!(
                    "{}{}{}",
                    sentence(&text, 500),
                    old.said(wanted.window),
                    reservation(section, lent.is_some())
                );
                document.highlights.push(Remark { severity: Severity::Info, text });
            }
        }
        if let (1.., 1.., Some(section)) = (said, unsaid, section) {
            let others = Total { count: unsaid as usize, more: section.total.more };
            let noun = if unsaid == 1 && !section.total.more { "other" } else { "others" };
            let text = format!("and {others} {noun} like these in \"{}\"", section.title);
            let severity = if mark.is_some() { Severity::Info } else { rule.severity };
            document.highlights.push(Remark { severity, text: sentence(&text, 500) });
        }
    }
    faults
}

/// Whether a section is narrowed by what does not exist: its rows, such as totals, are about nothing.
fn of_nothing(document: &Document, section: &SectionAnswer) -> bool {
    document.absent.iter().any(|absence| absence.nowhere && section.narrowed.by.contains_key(&absence.parameter))
}

/// How that ends what the document says of a text of its definition that failed.
pub(super) const LACKING: &str = "so that something may be missing here";

/// What the document says of a text of its definition that failed: it says less than it should.
fn fault(what: &str, error: &TemplateError) -> String {
    format!("[SYSTEM] {what} ({}), {LACKING}.", message(&error.to_string(), 200))
}

/// What a window beyond the present or beyond the data is told.
fn beyond(wanted: &Wanted<'_>, document: &Document, recorded: &[Recorded], of_b: &[Recorded]) -> Vec<String> {
    let (window, now) = (document.window, document.collected_at);
    let is_set = if window::is_set(now) { ", where `server.clock` of this server is set" } else { "" };
    let mut said = Vec::new();
    if window.from >= now {
        said.push(format!("The window begins after now, which is {} UTC{is_set}.", stamp(now)));
    }
    let sections = &wanted.entry.sections;
    let of = |one: &Recorded| about::compares_with(one, recorded, sections);
    let compared = wanted.baseline.of(window);
    match &wanted.entry.definition.window.sides {
        Some(sides) => {
            let (a, b) = (format!("the window of `{}`", sides.a), format!("the window of `{}`", sides.b));
            said.extend(recorded.iter().flat_map(|one| one.said_of_sides((window, &a), compared, now)));
            said.extend(of_b.iter().flat_map(|one| one.lacks(compared, &b, now)));
        }
        None => said.extend(recorded.iter().flat_map(|one| one.said(window, compared, of(one), now))),
    }
    said.extend(recorded::untold(recorded, sections));
    said.extend(never(recorded));
    said
}

/// Behind a sentence about rows of a section: filters of the document that it does not obey, and what it does not cover.
/// `lent`: it is about columns of another section, too.
fn reservation(section: Option<&SectionAnswer>, lent: bool) -> String {
    let ignored = section.and_then(|section| match lent {
        true => section.narrowed.without(&section.lent_by).ignored(),
        false => section.narrowed.ignored(),
    });
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
    let mut uncovered: IndexMap<String, Vec<String>> = IndexMap::new();
    for section in document.sections.iter().filter(|section| section.is_shown() && !section.status.is_problem()) {
        let missed = (section.status == Status::Empty && !section.samples.is_empty()).then(|| section.nothing());
        for said in missed.into_iter().chain(section.covered()) {
            uncovered.entry(said).or_default().push(format!("\"{}\"", section.title));
        }
    }
    let uncovered = uncovered.iter().map(|(said, titles)| format!(" {}: {said}.", titles.join(", ")));
    ignored.chain(uncovered).collect()
}

/// The summary of a window of which some data are missing; `of_missing` says which sections are about them.
fn without(document: &Document, missing: &Missing<'_>, of_missing: impl Fn(&&SectionAnswer) -> bool) -> String {
    let mut text = format!("{} {}.", missing.sentence(), between(document));
    let answered = || document.sections.iter().filter(|section| !section.status.is_problem());
    let others: Vec<&SectionAnswer> = answered().filter(|section| section.is_shown() && !of_missing(section)).collect();
    if !others.is_empty() {
        text.push(' ');
        text.push_str(&counted(&others));
    }
    text + &earlier(document, of_missing) + &reservations(document)
}

/// Which sections are shown with rows that are all of the time before the window.
fn earlier(document: &Document, of_earlier: impl Fn(&&SectionAnswer) -> bool) -> String {
    let shown = document.sections.iter().filter(|section| section.is_shown() && !section.rows.is_empty());
    let titles: Vec<String> = shown.filter(of_earlier).map(|section| format!("\"{}\"", section.title)).collect();
    if titles.is_empty() { String::new() } else { format!(" Not of this window: {}.", titles.join(", ")) }
}

fn between(document: &Document) -> String {
    format!("between {} and {} UTC", stamp(document.window.from), stamp(document.window.to))
}

/// The status of a document from those of its sections: rows that nobody is shown are nothing found.
pub(super) fn overall(sections: &[SectionAnswer]) -> Status {
    let any = |wanted: fn(&SectionAnswer) -> bool| sections.iter().any(wanted);
    let failed = any(|section| section.status.is_problem());
    let read = any(|section| !section.status.is_problem() && section.is_shown());
    match (any(|s| s.status == Status::Ok && s.is_shown()), read, failed) {
        (true, _, true) | (false, true, true) => Status::Partial,
        (true, _, false) => Status::Ok,
        (false, _, false) => Status::Empty,
        (false, false, true) if any(|section| section.status == Status::Partial) => Status::Partial,
        (false, false, true) => {
            let shown = || sections.iter().filter(|section| section.is_shown());
            let all = |status| shown().all(|section| section.status == status);
            [Status::Unavailable, Status::Timeout].into_iter().find(|status| all(*status)).unwrap_or(Status::Error)
        }
    }
}

/// The summary of a document. Sections that are all of the time before, as `of_earlier` says, are not counted.
fn summary(
    document: &Document,
    authored: Option<String>,
    is_dark: bool,
    of_earlier: impl Fn(&&SectionAnswer) -> bool,
) -> String {
    let window = between(document);
    let filters = match document.filters.is_empty() {
        true => String::new(),
        false => format!(" with {}", render::filters(&document.filters)),
    };
    let shown = document.sections.iter().filter(|section| section.is_shown());
    // Data that were never there are none that got lost.
    let is_lost = |section: &SectionAnswer| section.is_missing && !section.is_never;
    let cramped: Vec<String> = shown
        .clone()
        .filter(|section| section.status == Status::Partial)
        .map(|section| format!("Of \"{}\" {}.", section.title, section.nothing()))
        .collect();
    let problems: Vec<String> = shown
        .clone()
        .filter(|section| section.status.is_failure())
        .map(|section| {
            format!(
                "{} ({}: {})",
                section.name,
                section.status.as_str(),
                sentence(section.message.as_deref().unwrap_or("no reason given"), 160)
            )
        })
        .collect();
    let counts = || {
        let of_window = |section: &&SectionAnswer| section.rows.is_empty() || !of_earlier(section);
        let answered = document.sections.iter().filter(|section| !section.status.is_problem());
        counted(&answered.filter(of_window).collect::<Vec<_>>())
    };
    match document.status {
        Status::Ok => authored.unwrap_or_else(counts),
        // What is read for others alone was found, and the definition knows what it means that they are not.
        Status::Empty
            if document.sections.iter().any(|section| section.status == Status::Ok)
                && !shown.clone().all(|section| section.unrecorded)
                && !document.sections.iter().any(|section| section.is_shown() && of_nothing(document, section))
                && authored.is_some() =>
        {
            authored.unwrap_or_default()
        }
        Status::Empty if shown.clone().any(is_lost) && !shown.clone().all(|section| section.unrecorded) => {
            format!("Not all that {} reads was recorded {window}{filters}. {}", document.context_type, counts())
        }
        Status::Empty => {
            let all = |is: fn(&SectionAnswer) -> bool| document.sections.iter().all(is);
            let (unrecorded, current) = (
                all(|section| !section.is_shown() || section.unrecorded),
                all(|section| !section.is_shown() || section.current),
            );
            let (begin, window) = match (unrecorded, current) {
                _ if is_dark => ("No data was recorded for", format!(" {window}")),
                (true, true) => ("Nothing is on record for", String::new()),
                (true, false) => ("No data was recorded for", format!(" {window}")),
                (false, true) => ("Nothing was found for", String::new()),
                (false, false) => ("Nothing was found for", format!(" {window}")),
            };
            format!("{begin} {}{window}{filters}.", document.context_type)
        }
        Status::Partial => {
            let all = shown.count();
            let mut text = "[SYSTEM]".to_owned();
            if !problems.is_empty() {
                let (number, all) = (problems.len(), of(all, "section"));
                text.push_str(&format!(" {number} of {all} could not be read: {}.", problems.join("; ")));
            }
            for said in &cramped {
                text.push_str(&format!(" {said}"));
            }
            let counts = counts();
            let said = if counts.is_empty() { ".".to_owned() } else { format!(": {counts}") };
            match all - problems.len() - cramped.len() {
                0 => {}
                1 => text.push_str(&format!(" The other one answered{said}")),
                answered => text.push_str(&format!(" The other {answered} answered{said}")),
            }
            text
        }
        Status::Unavailable | Status::Timeout | Status::Error => {
            format!("[SYSTEM] Nothing could be read {window}: {}.", problems.join("; "))
        }
    }
}

/// How many rows each of some sections has.
fn counted(sections: &[&SectionAnswer]) -> String {
    let counts = sections.iter().filter(|section| section.is_shown()).map(|section| match section.total.count {
        0 => {
            let done = if section.unrecorded { "recorded" } else { "found" };
            format!("{}: nothing{} {done}", section.title, section.narrowed.with())
        }
        _ => format!("{}: {}", section.title, section.total),
    });
    let counts = counts.collect::<Vec<_>>().join("; ");
    if counts.is_empty() { counts } else { format!("{counts}.") }
}
