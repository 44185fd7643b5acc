//! `use:`: parameters of the packs' dictionaries and sections of other context types. What is taken over is written into
//! a definition before that is typed, so that nothing later knows of it but where it was written.

use std::{borrow::Cow, collections::HashMap, ops::Range, sync::Arc};

use serde_json::{Map, Value};

use super::{explain::escape, include::Origin, jinja};
use crate::{
    definition::Kind,
    diagnostic::{Code, Diagnostic, did_you_mean, one_of},
    load::Document,
};

/// How often a section that is used may use another.
const DEEPEST: usize = 4;

/// What can be taken over: the definitions that count, in the order of the packs.
#[derive(Default)]
pub(super) struct Donors<'d> {
    contexts: HashMap<&'d str, &'d Arc<Document>>,
    /// Those that a later pack replaced, in the order of packs. Whoever used a section of them still has it.
    replaced: HashMap<&'d str, Vec<&'d Arc<Document>>>,
    parameters: HashMap<&'d str, (&'d Value, &'d Arc<Document>)>,
}

/// A part of a definition that was written elsewhere.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    /// JSON pointer of the part here.
    pub pointer: String,
    /// Where it was written.
    pub document: Arc<Document>,
    pub written: String,
    /// The places that say `use:`, from there to here: a document, a pointer into it and the bytes of the text.
    pub used: Vec<(Arc<Document>, String, Range<usize>)>,
}

impl Taken {
    /// Where a text was written that stands at a pointer here, if it is a part of this.
    pub fn origin(&self, pointer: &str) -> Option<Origin> {
        let below = pointer.strip_prefix(&self.pointer).filter(|below| below.starts_with('/'))?;
        let mut included = None;
        for (document, pointer, range) in self.used.iter().rev() {
            let place = Origin { document: document.clone(), pointer: pointer.clone(), included };
            included = Some(Arc::new((place, range.clone())));
        }
        Some(Origin { document: self.document.clone(), pointer: format!("{}{below}", self.written), included })
    }
}

/// A definition with everything that it uses.
pub(super) struct Whole<'v> {
    pub value: Cow<'v, Value>,
    pub taken: Vec<Taken>,
    /// All files that it comes from besides its own.
    pub documents: Vec<Arc<Document>>,
}

/// A section of a donor, as others take it.
struct Section {
    value: Map<String, Value>,
    /// Parameters that it needs, by name.
    parameters: Map<String, Value>,
    /// Rules about its rows alone.
    highlights: Vec<Value>,
    taken: Taken,
}

impl<'d> Donors<'d> {
    pub fn add(&mut self, kind: Kind, name: &'d str, document: &'d Arc<Document>) {
        match kind {
            Kind::Context => drop(self.contexts.insert(name, document)),
            Kind::Parameters => {
                let entries = document.value.get("parameters").and_then(Value::as_object).into_iter().flatten();
                self.parameters.extend(entries.map(|(name, parameter)| (name.as_str(), (parameter, document))));
            }
            _ => {}
        }
    }

    /// A context type that is not in effect any more.
    pub fn add_replaced(&mut self, kind: Kind, name: &'d str, document: &'d Arc<Document>) {
        if kind == Kind::Context {
            self.replaced.entry(name).or_default().push(document);
        }
    }

    /// The definition with what it uses.
    ///
    /// # Errors
    /// What cannot be used, at the place that uses it.
    pub fn whole<'v>(
        &self,
        document: &Arc<Document>,
        kind: Kind,
        value: Cow<'v, Value>,
    ) -> Result<Whole<'v>, Vec<Diagnostic>> {
        let key = if kind == Kind::Prompt { "arguments" } else { "parameters" };
        let sections = value.get("sections").and_then(Value::as_object).filter(|_| kind == Kind::Context);
        let uses_sections = sections.is_some_and(|sections| sections.values().any(|section| used(section).is_some()));
        let uses_parameters = kind != Kind::Parameters && value.get(key).is_some_and(|own| names(own).is_some());
        let mut whole = Whole { value, taken: Vec::new(), documents: Vec::new() };
        if !uses_sections && !uses_parameters {
            return Ok(whole);
        }
        let mut faults = Vec::new();
        let Value::Object(fields) = whole.value.to_mut() else { return Ok(whole) };
        let mut parameters = self.parameters(document, key, fields, &mut whole.documents, &mut faults);
        if uses_sections {
            let mut highlights = Vec::new();
            if let Some(Value::Object(sections)) = fields.get_mut("sections") {
                for (name, section) in sections.iter_mut().filter(|(_, section)| used(section).is_some()) {
                    match self.section(document, name, &mut Vec::new()) {
                        Ok(found) => {
                            *section = Value::Object(found.value);
                            for (name, parameter) in found.parameters {
                                parameters.entry(name).or_insert(parameter);
                            }
                            highlights.extend(found.highlights);
                            whole.documents.extend(found.taken.used.iter().map(|(document, ..)| document.clone()));
                            whole.documents.push(found.taken.document.clone());
                            whole.taken.push(found.taken);
                        }
                        Err(fault) => faults.push(*fault),
                    }
                }
            }
            if let Value::Array(own) = fields.entry("highlights").or_insert_with(|| Value::Array(Vec::new())) {
                own.extend(highlights);
            }
        }
        fields.insert(key.to_owned(), Value::Object(parameters));
        if faults.is_empty() { Ok(whole) } else { Err(faults) }
    }

    /// The parameters that a definition declares, those of dictionaries first.
    fn parameters(
        &self,
        document: &Arc<Document>,
        key: &str,
        fields: &Map<String, Value>,
        documents: &mut Vec<Arc<Document>>,
        faults: &mut Vec<Diagnostic>,
    ) -> Map<String, Value> {
        let Some(declared) = fields.get(key) else { return Map::new() };
        let mut found = Map::new();
        for (n, name) in names(declared).into_iter().flatten().enumerate() {
            match self.parameters.get(name) {
                Some((parameter, dictionary)) => {
                    found.insert(name.to_owned(), (*parameter).clone());
                    documents.push((*dictionary).clone());
                }
                None => {
                    let message = format!("no dictionary has a parameter `{name}`");
                    let span = document.span(&format!("/{key}/use/{n}"));
                    faults.push(suggest(
                        document.finding(Code::UnknownUse, span, message),
                        name,
                        self.parameters.keys().copied().collect(),
                        "No pack has a dictionary of `kind: parameters`.",
                    ));
                }
            }
        }
        let own = declared.as_object().into_iter().flatten().filter(|(name, _)| *name != "use");
        found.extend(own.map(|(name, parameter)| (name.clone(), parameter.clone())));
        found
    }

    /// A section of a document with what it uses. `around`: the sections that use it.
    fn section(
        &self,
        document: &Arc<Document>,
        name: &str,
        around: &mut Vec<(String, String)>,
    ) -> Result<Section, Box<Diagnostic>> {
        let pointer = format!("/sections/{}", escape(name));
        let section = document.value.pointer(&pointer).and_then(Value::as_object).cloned().unwrap_or_default();
        let Some(text) = section.get("use").and_then(Value::as_str) else {
            return Ok(self.original(document, name, section, pointer));
        };
        let place = format!("{pointer}/use");
        let refuse = |message: String| document.finding(Code::UnknownUse, document.span(&place), message);
        let Some((context, wanted)) = text.rsplit_once('.') else {
            let finding = refuse(format!("`{text}` names no section of another context type"));
            return Err(Box::new(finding.help("Write `context.section`, such as `service-health.alerts`.")));
        };
        let Some(donor) = self.contexts.get(context) else {
            let finding = refuse(format!("there is no context type `{context}`"));
            let known = self.contexts.keys().copied().collect();
            return Err(Box::new(suggest(finding, context, known, "No pack has another context type.")));
        };
        let sections = donor.value.get("sections").and_then(Value::as_object);
        let has = |donor: &Arc<Document>| donor.value.pointer(&format!("/sections/{}", escape(wanted))).is_some();
        let replaced = self.replaced.get(context).into_iter().flatten().rev();
        let donor = std::iter::once(donor).chain(replaced).find(|donor| has(donor));
        let Some(donor) = donor else {
            let known: Vec<&str> = sections.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let finding = refuse(format!("the context type `{context}` has no section `{wanted}`"));
            return Err(Box::new(suggest(finding, wanted, known, "It has none.")));
        };
        let here = (document.file.path.clone(), name.to_owned());
        if around.contains(&here) {
            return Err(Box::new(refuse(format!("the section `{name}` uses itself")).help("Write one of them out.")));
        }
        if around.len() >= DEEPEST {
            let message = format!("sections use each other more than {DEEPEST} deep here");
            return Err(Box::new(refuse(message).help("Use the last of them.")));
        }
        around.push(here);
        let mut found = self.section(donor, wanted, around)?;
        around.pop();
        found.taken.used.push((document.clone(), place, 0..text.len()));
        found.taken.pointer = pointer;
        found.overlay(section, name);
        // What the definition that is written out says itself stands there already.
        if !around.is_empty() {
            found.highlights.extend(rules(document, name));
        }
        let own = self.declared(document);
        for (parameter, declared) in &mut found.parameters {
            if let Some(own) = own.get(parameter) {
                *declared = own.clone();
            }
        }
        Ok(found)
    }

    /// A section that was written out.
    fn original(&self, document: &Arc<Document>, name: &str, value: Map<String, Value>, pointer: String) -> Section {
        let highlights: Vec<Value> = rules(document, name).collect();
        let read = read(&value, &highlights);
        let declared = self.declared(document).into_iter();
        let parameters = declared.filter(|(name, _)| read.contains(name)).collect();
        let taken = Taken { pointer: pointer.clone(), document: document.clone(), written: pointer, used: Vec::new() };
        Section { value, parameters, highlights, taken }
    }

    /// The parameters of a context type, those that it uses included.
    fn declared(&self, document: &Arc<Document>) -> Map<String, Value> {
        let fields = document.value.as_object();
        // What is wrong with them is said of that definition.
        fields.map(|f| self.parameters(document, "parameters", f, &mut Vec::new(), &mut Vec::new())).unwrap_or_default()
    }
}

impl Section {
    /// What the section that uses this one says itself.
    fn overlay(&mut self, own: Map<String, Value>, name: &str) {
        for (key, value) in own {
            match value {
                _ if key == "use" => {}
                Value::Bool(along) if key == "highlights" => self.highlights.retain(|_| along),
                Value::Object(columns) if key == "columns" => {
                    if let Value::Object(all) = self.value.entry(key).or_insert_with(|| Value::Object(Map::new())) {
                        all.extend(columns);
                    }
                }
                value => drop(self.value.insert(key, value)),
            }
        }
        for highlight in self.highlights.iter_mut().filter_map(Value::as_object_mut) {
            highlight.insert("each".to_owned(), name.into());
        }
    }
}

/// What a section says it uses.
fn used(section: &Value) -> Option<&str> {
    section.get("use")?.as_str()
}

/// The parameters that are taken from dictionaries.
fn names(parameters: &Value) -> Option<Vec<&str>> {
    parameters.get("use")?.as_array()?.iter().map(Value::as_str).collect()
}

/// The highlights of a definition that are about the rows of a section alone.
fn rules(document: &Document, section: &str) -> impl Iterator<Item = Value> {
    let all = document.value.get("highlights").and_then(Value::as_array).into_iter().flatten();
    let alone = |rule: &&Value| {
        rule.get("each").and_then(Value::as_str) == Some(section)
            && texts(rule).all(|found| found.variables.iter().all(|variable| variable.name != "sections"))
    };
    all.filter(alone).cloned().collect::<Vec<_>>().into_iter()
}

/// The texts of a highlight.
fn texts(rule: &Value) -> impl Iterator<Item = jinja::Analysis> {
    let text = |key: &str| rule.get(key).and_then(Value::as_str);
    let when = text("when").and_then(|text| jinja::expression(text).ok());
    when.into_iter().chain(text("say").and_then(|text| jinja::template(text).ok()))
}

/// The names of the parameters that a section and the rules about it read.
fn read(section: &Map<String, Value>, rules: &[Value]) -> Vec<String> {
    let mut names = Vec::new();
    let mut all = |found: jinja::Analysis| names.extend(found.variables.into_iter().map(|variable| variable.name));
    let when = section.get("when").and_then(Value::as_str);
    when.and_then(|text| jinja::expression(text).ok()).into_iter().for_each(&mut all);
    for sql in section.get("query").and_then(Value::as_array).into_iter().flatten().filter_map(|way| way.get("sql")) {
        let by_dialect = sql.as_object().into_iter().flatten().filter_map(|(_, text)| text.as_str());
        for text in sql.as_str().into_iter().chain(by_dialect) {
            jinja::template(text).ok().into_iter().for_each(&mut all);
        }
    }
    let variables = rules.iter().flat_map(texts).flat_map(|found| found.variables);
    names.extend(variables.filter(|v| v.name == "parameters").filter_map(|v| v.attributes.into_iter().next()));
    names
}

fn suggest(finding: Diagnostic, word: &str, mut known: Vec<&str>, none: &str) -> Diagnostic {
    known.sort_unstable();
    match did_you_mean(word, known.iter().copied()) {
        Some(meant) => finding.label(format!("did you mean `{meant}`?")),
        None if known.is_empty() => finding.help(none),
        None => finding.help(format!("there are {}", one_of(known, 16))),
    }
}
