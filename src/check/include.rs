//! Fragments: they are written into the statements that include them before anything reads those, and every byte keeps
//! the place where somebody wrote it.
//!
//! One fragment means the same wherever it stands in a statement. Its alternatives make alternatives of the query, in
//! order: the query's first with each of the fragment's, then the query's second.

mod beside;
mod origins;
mod tags;
mod ways;

use std::sync::Arc;

use indexmap::IndexMap;

pub use self::origins::Origins;
pub(super) use self::{origins::INCLUDED, origins::Origin, ways::Fragments};
use self::{
    origins::{Written, pointer},
    tags::{includes, tags},
};
use super::{explain::escape, reuse::Taken};
use crate::{
    definition::{Action, Alternative, Definition, LogicalSource, Parameters, Span, SqlText},
    diagnostic::{Code, Diagnostic, did_you_mean, one_of},
    load::Document,
    sql::Dialect,
};

/// Most alternatives that one of a query becomes.
const MOST: usize = 16;
/// How deep fragments include others.
const DEEPEST: usize = 6;

/// Writes the fragments into all statements of a definition, of which parts may be `taken` from others.
///
/// # Errors
/// What cannot be included, at the place that includes it.
pub(super) fn expand(
    definition: &mut Definition,
    document: &Arc<Document>,
    taken: &[Taken],
    fragments: &Fragments,
) -> Result<Origins, Vec<Diagnostic>> {
    let mut work =
        Work { fragments, document, taken, origins: Origins::default(), used: Vec::new(), faults: Vec::new() };
    match definition {
        Definition::Context(context) => {
            for (name, section) in &mut context.sections {
                let base = format!("/sections/{}/query", escape(name));
                work.query(&mut section.query, &base, &section.source);
            }
            work.parameters(&mut context.parameters);
        }
        Definition::Values(values) => {
            for (name, place) in &mut values.places {
                work.query(&mut place.query, &format!("/places/{}/query", escape(name)), &place.source);
            }
            work.parameters(&mut values.parameters);
        }
        Definition::Fragment(fragment) => {
            work.query(&mut fragment.query, "/query", &fragment.source);
            work.parameters(&mut fragment.parameters);
        }
        Definition::Tool(tool) => {
            work.action(&mut tool.run, "/run");
            work.parameters(&mut tool.parameters);
        }
        Definition::Resource(resource) => {
            work.action(&mut resource.run, "/run");
            work.parameters(&mut resource.parameters);
        }
        Definition::Prompt(prompt) => {
            for (n, message) in prompt.messages.iter_mut().enumerate() {
                work.action(&mut message.run, &format!("/messages/{n}/run"));
            }
            work.parameters(&mut prompt.arguments);
        }
        Definition::Insight(_)
        | Definition::Persona(_)
        | Definition::Provider(_)
        | Definition::Toolset(_)
        | Definition::Columns(_)
        | Definition::Tables(_)
        | Definition::Parameters(_) => {}
    }
    if work.faults.is_empty() { Ok(work.origins) } else { Err(work.faults) }
}

struct Work<'a> {
    fragments: &'a Fragments,
    document: &'a Arc<Document>,
    taken: &'a [Taken],
    origins: Origins,
    /// Fragments in the order in which they were met.
    used: Vec<String>,
    faults: Vec<Diagnostic>,
}

/// Which alternative of a fragment stands in a statement.
type Chosen = IndexMap<String, usize>;

impl Work<'_> {
    /// Makes the alternatives of a query of those that were written.
    fn query(&mut self, query: &mut Vec<Alternative>, base: &str, source: &str) {
        let taken = self.taken.iter().any(|taken| taken.origin(base).is_some());
        let writes = |way: &Alternative| {
            way.sampled.is_some() || way.kept.is_some() || texts(&way.sql).any(|(_, text)| includes(text))
        };
        if !taken && !query.iter().any(writes) {
            return;
        }
        for (n, written) in std::mem::take(query).into_iter().enumerate() {
            let owner = format!("{base}/{n}");
            for (made, texts) in self.alternatives(&written, &owner, source) {
                let now = format!("{base}/{}", query.len());
                self.keep(&now, texts);
                self.origins.owners.insert(now, owner.clone());
                query.push(made);
            }
        }
    }

    fn action(&mut self, action: &mut Action, pointer: &str) {
        match action {
            Action::Sql { source, sql, .. } if texts(sql).any(|(_, text)| includes(text)) => {
                let written = Alternative::of(sql.clone());
                let made = self.alternatives(&written, pointer, source);
                if made.len() > 1 {
                    let message = "a fragment of this statement has several ways to be written";
                    let span = self.document.key_span(&format!("{pointer}/sql"));
                    self.faults.push(
                        self.document
                            .finding(Code::FragmentUse, span, message)
                            .help("A statement of an action has no alternatives: include a fragment with one way."),
                    );
                }
                let Some((Alternative { sql: one, .. }, texts)) = made.into_iter().next() else { return };
                (*sql, _) = (one, self.keep(pointer, texts));
            }
            Action::Pipeline { steps } => steps
                .iter_mut()
                .enumerate()
                .for_each(|(n, step)| self.action(&mut step.run, &format!("{pointer}/steps/{n}/run"))),
            Action::Ask { questions } => {
                for (name, step) in questions {
                    self.action(&mut step.run, &format!("{pointer}/questions/{}/run", escape(name)));
                }
            }
            Action::Template { .. }
            | Action::Json { .. }
            | Action::Meta { .. }
            | Action::Expression { .. }
            | Action::Sql { .. }
            | Action::SqlQuery { .. }
            | Action::SqlExplain { .. }
            | Action::ContextCollect { .. }
            | Action::CatalogList { .. }
            | Action::ValuesList { .. }
            | Action::TablesSearch { .. }
            | Action::PromptBuild { .. }
            | Action::FileRead { .. }
            | Action::FileWrite { .. }
            | Action::FileEdit { .. }
            | Action::FileList { .. }
            | Action::FileCreateDirectory { .. }
            | Action::FileMove { .. }
            | Action::FileInfo { .. }
            | Action::FileSearch { .. }
            | Action::CommandRun { .. }
            | Action::CommandSessions {}
            | Action::CommandOutput { .. }
            | Action::CommandTerminate { .. }
            | Action::SystemInfo { .. }
            | Action::SystemProcesses { .. }
            | Action::SystemKill { .. }
            | Action::SystemWatch { .. }
            | Action::HttpRequest { .. }
            | Action::Image { .. }
            | Action::Audio { .. }
            | Action::Embed { .. }
            | Action::Link { .. }
            | Action::Log { .. }
            | Action::Progress { .. }
            | Action::Delay { .. }
            | Action::Task {}
            | Action::Elicit { .. }
            | Action::ElicitUrl { .. }
            | Action::Sample { .. }
            | Action::Roots {}
            | Action::Announce { .. }
            | Action::Fail { .. }
            | Action::Status { .. } => {}
        }
    }

    /// Parameters of fragments come along.
    fn parameters(&self, parameters: &mut Parameters) {
        for ways in self.used.iter().filter_map(|name| self.fragments.get(name)) {
            for (name, parameter) in &ways.parameters {
                parameters.entry(name.clone()).or_insert_with(|| parameter.clone());
            }
        }
    }

    fn keep(&mut self, owner: &str, texts: Vec<(&'static str, Written)>) {
        for (dialect, written) in texts {
            self.origins.texts.insert(pointer(owner, dialect), written.pieces);
        }
    }

    /// What one alternative becomes; itself, where something cannot be included.
    fn alternatives(&mut self, written: &Alternative, owner: &str, source: &str) -> Vec<Made> {
        let mut found = Vec::new();
        match self.choose(written, owner, source, Chosen::new(), &mut found) {
            Ok(()) => {
                let made: Vec<Made> =
                    found.iter().filter_map(|chosen| self.make(written, owner, source, chosen)).collect();
                if made.is_empty() {
                    let message = "no alternative of the fragments fits this statement";
                    let span = self.document.key_span(owner);
                    self.faults.push(
                        self.document
                            .finding(Code::FragmentUse, span, message)
                            .help("Their spans exclude each other, or they are written for other dialects."),
                    );
                }
                made
            }
            Err(fault) => {
                self.faults.push(*fault);
                vec![(written.clone(), Vec::new())]
            }
        }
    }

    /// All ways to choose alternatives of the fragments, in order.
    fn choose(
        &mut self,
        written: &Alternative,
        owner: &str,
        source: &str,
        mut chosen: Chosen,
        found: &mut Vec<Chosen>,
    ) -> Result<(), Box<Diagnostic>> {
        let mut next = None;
        for (dialect, text) in texts(&written.sql) {
            let origin = self.origin(owner, dialect);
            next = self.unchosen(text, &origin, source, &mut chosen, &mut self.outermost())?;
            if next.is_some() {
                break;
            }
        }
        for beside in self.beside(written, &chosen) {
            if next.is_some() {
                break;
            }
            if self.fragments.get(&beside).is_none() {
                let message = format!("there is no fragment `{beside}`, which this statement needs beside it");
                let span = self.document.key_span(owner);
                return Err(Box::new(self.document.finding(Code::FragmentUse, span, message)));
            }
            let origin = self.origin(owner, "");
            next = self.unchosen(&including(&beside), &origin, source, &mut chosen, &mut Vec::new())?;
        }
        let Some(name) = next else {
            let met = chosen.keys().filter(|name| !self.used.contains(*name));
            let met: Vec<String> = met.cloned().collect();
            self.used.extend(met);
            found.push(chosen);
            if found.len() > MOST {
                let message = format!("the fragments of this query make more than {MOST} alternatives of it");
                let span = self.document.key_span(owner);
                let finding = self.document.finding(Code::FragmentUse, span, message);
                return Err(Box::new(finding.help("Include fewer fragments that have alternatives in one statement.")));
            }
            return Ok(());
        };
        let ways = self.fragments.get(&name).map_or(0, |ways| ways.all.len());
        for way in 0..ways {
            let mut chosen = chosen.clone();
            chosen.insert(name.clone(), way);
            self.choose(written, owner, source, chosen, found)?;
        }
        Ok(())
    }

    /// The first fragment of a text of which no alternative is chosen yet. Those that are written in one way are chosen as
    /// they are met.
    fn unchosen(
        &self,
        text: &str,
        origin: &Origin,
        source: &str,
        chosen: &mut Chosen,
        around: &mut Vec<String>,
    ) -> Result<Option<String>, Box<Diagnostic>> {
        for tag in tags(text) {
            let (name, range) = (tag.name, tag.range);
            let refuse = |message: String| Box::new(origin.finding(Code::FragmentUse, range.clone(), message));
            let Some(ways) = self.fragments.get(name) else {
                let known: Vec<&str> = self.fragments.names().collect();
                let finding = *refuse(format!("there is no fragment `{name}`"));
                return Err(Box::new(match did_you_mean(name, known.iter().copied()) {
                    Some(meant) => finding.label(format!("did you mean `{meant}`?")),
                    None if known.is_empty() => finding.help("No pack defines a fragment."),
                    None => {
                        let mut known = known;
                        known.sort_unstable();
                        finding.help(format!("there are {}", one_of(known, 16)))
                    }
                }));
            };
            if around.iter().any(|outer| outer == name) {
                return Err(Box::new(
                    refuse(format!("the fragment `{name}` includes itself")).help("Write out what repeats."),
                ));
            }
            if around.len() >= DEEPEST {
                let message = format!("fragments stand in each other more than {DEEPEST} deep here");
                return Err(Box::new(refuse(message).help("Write one of them out.")));
            }
            if ways.source != source {
                let message = format!("the fragment `{name}` is of `{}`, and this reads `{source}`", ways.source);
                return Err(Box::new(refuse(message).help("Include fragments of the same source.")));
            }
            let way = match chosen.get(name) {
                Some(way) => *way,
                None if ways.all.len() == 1 => *chosen.entry(name.to_owned()).or_insert(0),
                None => return Ok(Some(name.to_owned())),
            };
            around.push(name.to_owned());
            if let Some(way) = ways.all.get(way) {
                for (dialect, text) in texts(&way.part.sql) {
                    let inner = Origin::of_fragment(way, dialect, Some((origin.clone(), range.clone())));
                    if let Some(next) = self.unchosen(text, &inner, source, chosen, around)? {
                        return Ok(Some(next));
                    }
                }
            }
            around.pop();
        }
        Ok(None)
    }

    /// One alternative with its fragments. None: their spans exclude each other, or no dialect is left.
    fn make(&self, written: &Alternative, owner: &str, source: &str, chosen: &Chosen) -> Option<Made> {
        let counts = self.counts(written, chosen);
        let parts = chosen.iter().filter(|(name, _)| counts != Some(name.as_str()));
        let parts: Vec<&Alternative> =
            parts.filter_map(|(name, way)| Some(&self.fragments.way(name, *way)?.part)).collect();
        let mut made = written.clone();
        for part in &parts {
            for needed in &part.requires {
                if !made.requires.contains(needed) {
                    made.requires.push(needed.clone());
                }
            }
            made.span = within(made.span, part.span.as_ref())?;
            made.align = made.align.or(part.align);
            made.note = made.note.or_else(|| part.note.clone());
        }
        made.sampled = self.said(written, chosen, |way| way.sampled.as_ref()).cloned();
        made.kept = self.said(written, chosen, |way| way.kept.as_ref()).cloned();
        self.write_beside(&mut made, owner, source, chosen)?;
        let one_text = |sql: &SqlText| matches!(sql, SqlText::Any(_));
        let mut texts = Vec::new();
        if one_text(&written.sql) && parts.iter().all(|part| one_text(&part.sql)) {
            let text = self.text(written, owner, None, chosen)?;
            made.sql = SqlText::Any(text.sql.clone());
            texts.push(("", text));
        } else {
            let mut by_dialect = IndexMap::new();
            for dialect in LogicalSource::dialects_of(source) {
                let Some(text) = self.text(written, owner, Some(*dialect), chosen) else { continue };
                by_dialect.insert(dialect.as_str().to_owned(), text.sql.clone());
                texts.push((dialect.as_str(), text));
            }
            made.sql = SqlText::PerDialect(by_dialect);
        }
        (!texts.is_empty()).then_some((made, texts))
    }

    fn text(&self, from: &Alternative, owner: &str, dialect: Option<Dialect>, chosen: &Chosen) -> Option<Written> {
        let (written, text) = text_for(&from.sql, dialect)?;
        let mut out = Written::default();
        self.write(text, &self.origin(owner, written), dialect, chosen, &mut out).then_some(out)
    }

    /// Whether a text could be written for the dialect.
    fn write(&self, text: &str, origin: &Origin, dialect: Option<Dialect>, chosen: &Chosen, out: &mut Written) -> bool {
        let mut copied = 0;
        for tag in tags(text) {
            out.copy(text, copied..tag.range.start, origin);
            copied = tag.range.end;
            let way = chosen.get(tag.name).and_then(|way| self.fragments.way(tag.name, *way));
            let Some((way, (written, inner))) = way.and_then(|way| Some((way, text_for(&way.part.sql, dialect)?)))
            else {
                return false;
            };
            let inner_origin = Origin::of_fragment(way, written, Some((origin.clone(), tag.range)));
            let inner = inner.trim_end();
            if !self.write(inner, &inner_origin, dialect, chosen, out) {
                return false;
            }
            // What follows must not become part of a comment.
            if inner.lines().next_back().is_some_and(|line| line.contains("--")) {
                out.sql.push('\n');
            }
        }
        out.copy(text, copied..text.len(), origin);
        true
    }

    fn origin(&self, owner: &str, dialect: &str) -> Origin {
        let pointer = pointer(owner, dialect);
        let taken = self.taken.iter().find_map(|taken| taken.origin(&pointer));
        taken.unwrap_or_else(|| Origin { document: self.document.clone(), pointer, included: None })
    }

    /// What an alternative says of itself, else the outermost of its fragments. A fragment alone is never run.
    fn said<'w, T>(
        &'w self,
        written: &'w Alternative,
        chosen: &Chosen,
        of: impl Fn(&'w Alternative) -> Option<&'w T>,
    ) -> Option<&'w T> {
        if !self.outermost().is_empty() {
            return None;
        }
        let mut parts = chosen.iter().filter_map(|(name, way)| of(&self.fragments.way(name, *way)?.part));
        of(written).or_else(|| parts.next())
    }

    /// A fragment stands inside itself.
    fn outermost(&self) -> Vec<String> {
        let name = |document: &Document| document.value.get("name")?.as_str().map(str::to_owned);
        let own = self.document.value.get("kind").and_then(|kind| kind.as_str()) == Some("fragment");
        own.then(|| name(self.document)).flatten().into_iter().collect()
    }
}

/// An alternative and, by dialect, where its texts come from.
type Made = (Alternative, Vec<(&'static str, Written)>);

/// The text that includes a fragment.
fn including(name: &str) -> String {
    format!("{{% include \"{name}\" %}}")
}

/// The windows that both want. None: there are none.
fn within(span: Option<Span>, part: Option<&Span>) -> Option<Option<Span>> {
    let Some(part) = part else { return Some(span) };
    let Some(span) = span else { return Some(Some(part.clone())) };
    let min = span.min.max(part.min);
    let max = match (span.max, part.max) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    match (min, max) {
        (Some(min), Some(max)) if min > max => None,
        _ => Some(Some(Span { min, max })),
    }
}

/// The texts of a statement with their dialects; one for all has none.
fn texts(sql: &SqlText) -> impl Iterator<Item = (&str, &str)> {
    let (any, by_dialect) = match sql {
        SqlText::Any(text) => (Some(("", text.as_str())), None),
        SqlText::PerDialect(texts) => (None, Some(texts)),
    };
    let by_dialect = by_dialect.into_iter().flatten().map(|(dialect, text)| (dialect.as_str(), text.as_str()));
    any.into_iter().chain(by_dialect)
}

/// The text for a dialect, and under which it was written.
fn text_for(sql: &SqlText, dialect: Option<Dialect>) -> Option<(&'static str, &str)> {
    match (sql, dialect) {
        (SqlText::Any(text), _) => Some(("", text)),
        (SqlText::PerDialect(texts), Some(dialect)) => Some((dialect.as_str(), texts.get(dialect.as_str())?)),
        (SqlText::PerDialect(_), None) => None,
    }
}
