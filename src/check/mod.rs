//! What is wrong with the documents, and the typed definitions of those with which nothing is.
//!
//! Every stage looks at everything that the stages before it could make sense of, so that one run finds all
//! mistakes of all files. Pure: files come from `load`, and what a database would say is asked elsewhere.

mod absent;
mod argv;
mod bounds;
mod broken;
mod composed;
mod culprit;
mod explain;
mod expression;
mod form;
pub mod generated;
mod include;
mod jinja;
mod kept;
mod kinds;
mod methods;
mod names;
mod next;
mod parameters;
mod presets;
mod references;
mod request;
mod reuse;
mod sample;
mod scan;
pub mod schema;
mod sections;
mod select;
mod shipped;
mod sql;
pub mod statements;
mod steps;
mod templates;
pub mod tenancy;
mod tool_schemas;
mod unseen;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use indexmap::IndexMap;
use serde::{Deserialize, de::value::MapDeserializer};
use serde_json::Value;

pub use include::Origins;
pub use shipped::{Shipped, shipped};

use crate::{
    definition::{Definition, Fragment, Kind, shipped_rules},
    diagnostic::{self, Code, Diagnostic, Severity, SourceFile, did_you_mean, one_of},
    load::{Document, Loaded, TemplateFile, Trust, parallel},
    sql::{parse, tenancy::TableRules},
};

/// How thoroughly it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Check the definitions of the binary too. They were checked by its tests, so a server does not; how they
    /// fit together with other packs is always checked.
    pub built_in: bool,
}

/// Definitions that can be served, and everything that is wrong with the others.
#[derive(Debug, Default)]
pub struct Checked {
    /// Definitions without errors, in the order of packs and paths, overridden ones left out.
    pub definitions: Vec<Located>,
    /// Prompt templates without errors by name, overridden ones left out.
    pub templates: Vec<TemplateFile>,
    /// All findings of all files, sorted.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// What a catalog is compiled from: the definitions, and the prompt templates by name.
    pub fn into_parts(self) -> (Vec<Definition>, IndexMap<String, String>) {
        let definitions = self.definitions.into_iter().map(|located| located.definition).collect();
        let templates = self.templates.into_iter().map(|t| (t.name, t.file.text.clone().into_owned())).collect();
        (definitions, templates)
    }
}

/// A definition and where it comes from.
#[derive(Debug, Clone)]
pub struct Located {
    pub definition: Definition,
    /// Its file and the place of everything in it, for findings that come later.
    pub document: Arc<Document>,
    /// Where its statements come from, which hold their fragments now.
    pub origins: Origins,
}

impl Located {
    pub fn file(&self) -> &Arc<SourceFile> {
        &self.document.file
    }

    /// A finding about a part of a statement, where that part was written; about its beginning if there is none.
    pub fn finding(&self, code: Code, pointer: &str, part: Option<Range<usize>>, message: String) -> Diagnostic {
        match part {
            Some(part) => self.origins.finding(&self.document, pointer, part, code, message),
            None => self.document.finding(code, self.document.span(&self.origins.written(pointer)), message),
        }
    }
}

/// Checks everything that was loaded.
pub fn check(loaded: Loaded, options: Options) -> Checked {
    let Loaded { packs, documents, templates, mut diagnostics } = loaded;
    let trusted = |trust: Trust| trust == Trust::BuiltIn && !options.built_in;
    let documents: Vec<Arc<Document>> = documents.into_iter().map(Arc::new).collect();

    // What is called what, broken definitions included.
    let known: Vec<(usize, names::Named<'_>)> = documents
        .iter()
        .enumerate()
        .filter_map(|(index, document)| {
            let name = document.value.get("name")?.as_str()?;
            Some((index, names::Named { document, kind: kind(document).ok()?, name, trusted: trusted(document.trust) }))
        })
        .collect();
    let (indices, known): (Vec<usize>, Vec<names::Named<'_>>) = known.into_iter().unzip();
    let settled = names::settle(&known, &packs, &mut diagnostics);
    let mut effective = vec![false; documents.len()];
    let mut named = references::Known::default();
    let mut donors = reuse::Donors::default();
    for ((index, known), on) in indices.iter().zip(&known).zip(settled) {
        if let Some(slot) = effective.get_mut(*index).filter(|_| on) {
            *slot = true;
            named.add(known.kind, known.name, known.document);
            documents.get(*index).into_iter().for_each(|document| donors.add(known.kind, known.name, document));
        } else if let Some(document) = documents.get(*index) {
            donors.add_replaced(known.kind, known.name, document);
        }
    }
    let templates = names::settle_templates(templates, &mut diagnostics);
    templates.iter().filter(|t| !trusted(t.trust)).for_each(|t| templates::check_file(t, &mut diagnostics));

    templates.iter().filter(|t| !trusted(t.trust)).for_each(|t| unseen::check_file(&t.file, &mut diagnostics));
    for document in documents.iter().filter(|document| !trusted(document.trust)) {
        unseen::check_file(&document.file, &mut diagnostics);
        unseen::check_values(document, &mut diagnostics);
    }

    let read = put_together(&documents, &effective, &donors, trusted, &mut diagnostics);
    let tables = known_tables(read.iter().zip(&effective).filter(|(_, on)| **on).map(|(read, _)| read));
    // Nothing more is said of a value that stands for a wrong one: nobody wrote it.
    let misread: HashSet<_> =
        read.iter().flat_map(|read| &read.diagnostics).filter(|f| by_schema(f)).map(place).collect();
    let mut read = judge_all(read, &tables, trusted);
    consequences(&mut read);
    let (mut definitions, mut found) = (Vec::with_capacity(read.len()), Vec::new());
    for (read, on) in read.into_iter().zip(effective) {
        found.extend(read.diagnostics);
        if let Some(definition) = read.definition.filter(|_| on) {
            definitions.push(Located { definition, document: read.document, origins: read.origins });
        }
    }
    once(&mut found);
    let all: Vec<&Located> = definitions.iter().collect();
    references::check(&all, &named, &mut found);
    found.retain(|found| !misread.contains(&place(found)) || by_schema(found));
    diagnostics.extend(found);

    diagnostics.iter_mut().for_each(Diagnostic::name_hidden);
    diagnostic::sort(&mut diagnostics);
    let broken: HashSet<&str> =
        diagnostics.iter().filter(|d| d.severity == Severity::Error).map(|d| d.at.file.path.as_str()).collect();
    definitions.retain(|located| !broken.contains(located.file().path.as_str()));
    let templates = templates.into_iter().filter(|t| !broken.contains(t.file.path.as_str())).collect();
    Checked { definitions, templates, diagnostics }
}

/// Reads documents, and writes those that are `effective` fragments into the statements of all.
fn put_together(
    documents: &[Arc<Document>],
    effective: &[bool],
    donors: &reuse::Donors<'_>,
    trusted: impl Fn(Trust) -> bool + Sync,
    out: &mut Vec<Diagnostic>,
) -> Vec<Read> {
    let mut read = read_all(documents, donors, trusted);
    let fragments: Vec<_> = read.iter().zip(effective).filter(|(_, on)| **on).filter_map(fragment).collect();
    let fragments = include::Fragments::new(&fragments, out);
    read.iter_mut().for_each(|read| read.include(&fragments));
    read
}

/// A document as a definition, as far as it is one.
struct Read {
    document: Arc<Document>,
    kind: Option<Kind>,
    definition: Option<Definition>,
    diagnostics: Vec<Diagnostic>,
    origins: Origins,
    /// Parts of it that were written in other definitions.
    taken: Vec<reuse::Taken>,
    /// Whether its statements could be put together.
    whole: bool,
}

impl Read {
    /// Writes the fragments into its statements.
    fn include(&mut self, fragments: &include::Fragments) {
        let Some(definition) = &mut self.definition else { return };
        match include::expand(definition, &self.document, &self.taken, fragments) {
            Ok(origins) => self.origins = origins.besides(std::mem::take(&mut self.origins.others)),
            Err(faults) => {
                self.diagnostics.extend(faults);
                self.whole = false;
            }
        }
    }

    /// Looks at everything in it that needs no other definition. Of statements that could not be put together that is
    /// all there is to say.
    fn judge(mut self, tables: &KnownTables) -> Self {
        if let Some(definition) = self.definition.as_ref().filter(|_| self.whole) {
            let (document, out) = (&self.document, &mut self.diagnostics);
            parameters::check(document, definition, out);
            templates::check(document, definition, out);
            expression::check(document, definition, out);
            request::check(document, definition, out);
            argv::check(document, definition, out);
            sql::check(document, definition, &self.origins, tables, out);
            if let Definition::Context(context) = definition {
                presets::check(document, context, out);
                sections::check(document, context, out);
                composed::check(document, context, out);
            }
            kinds::check(document, definition, out);
            kept::check(document, definition, out);
            steps::check(document, definition, out);
        }
        self
    }
}

fn fragment<'r>((read, _): (&'r Read, &bool)) -> Option<(&'r Fragment, &'r Arc<Document>)> {
    match &read.definition {
        Some(Definition::Fragment(fragment)) => Some((fragment, &read.document)),
        _ => None,
    }
}

/// What packs say of tables.
struct KnownTables {
    /// Those whose rows belong to workspaces, by source.
    in_workspaces: HashMap<String, HashSet<String>>,
    rules: TableRules,
}

fn known_tables<'r>(read: impl Iterator<Item = &'r Read>) -> KnownTables {
    let mut in_workspaces = HashMap::<String, HashSet<String>>::new();
    let mut rules = (*shipped_rules()).clone();
    for read in read {
        if let Some(Definition::Tables(tables)) = &read.definition {
            in_workspaces.entry(tables.source.0.clone()).or_default().extend(tables.workspace.iter().cloned());
            rules = rules.with(&tables.rules());
        }
    }
    KnownTables { in_workspaces, rules }
}

/// Judges what the tests of this binary have not: somebody's definitions, and those that include somebody's fragments.
fn judge_all(read: Vec<Read>, tables: &KnownTables, trusted: impl Fn(Trust) -> bool + Sync) -> Vec<Read> {
    let proven =
        |read: &Read| trusted(read.document.trust) && read.origins.documents().all(|document| trusted(document.trust));
    if read.iter().all(proven) {
        return read;
    }
    parallel::map(parse::STACK, read, |read| if proven(&read) { read } else { read.judge(tables) })
}

/// A fragment that does not confine its rows makes a statement of everyone that includes it that does not: it is said of
/// the fragment.
fn consequences(read: &mut [Read]) {
    let about_rows = |found: &Diagnostic| {
        matches!(
            found.code,
            Code::UnboundTenant | Code::UnboundPart | Code::UnprovenTenant | Code::FoldedRollup | Code::SecretColumn
        )
    };
    let leaking: HashSet<Arc<SourceFile>> = read
        .iter()
        .filter(|read| read.kind == Some(Kind::Fragment) && read.diagnostics.iter().any(about_rows))
        .map(|read| read.document.file.clone())
        .collect();
    for read in read {
        let own = &read.document.file;
        if read.origins.documents().any(|document| document.file != *own && leaking.contains(&document.file)) {
            read.diagnostics.retain(|found| !about_rows(found));
        }
    }
}

/// What is wrong in a fragment is found in it and in every definition that includes it: it is said once.
fn once(diagnostics: &mut Vec<Diagnostic>) {
    let key = |found: &Diagnostic| (found.code, found.at.file.clone(), found.at.span.clone(), found.message.clone());
    let alone: HashSet<_> = diagnostics.iter().filter(|found| found.related.is_empty()).map(key).collect();
    let mut said = HashSet::new();
    diagnostics.retain(|found| {
        let included = found.related.iter().any(|place| place.text == include::INCLUDED);
        !included || (!alone.contains(&key(found)) && said.insert(key(found)))
    });
}

fn read_all(
    documents: &[Arc<Document>],
    donors: &reuse::Donors<'_>,
    trusted: impl Fn(Trust) -> bool + Sync,
) -> Vec<Read> {
    let one = |document: Arc<Document>| {
        let trust = trusted(document.trust);
        read(document, donors, trust)
    };
    // Trusted documents are only made typed; handing them to threads would cost more than that.
    if documents.iter().all(|document| trusted(document.trust)) {
        return documents.iter().cloned().map(one).collect();
    }
    parallel::map(parse::STACK, documents.to_vec(), one)
}

fn read(document: Arc<Document>, donors: &reuse::Donors<'_>, trusted: bool) -> Read {
    let nothing = |kind, diagnostics| Read {
        document: document.clone(),
        kind,
        definition: None,
        diagnostics,
        origins: Origins::default(),
        taken: Vec::new(),
        whole: true,
    };
    if !document.complete {
        return nothing(kind(&document).ok(), Vec::new());
    }
    let kind = match kind(&document) {
        Ok(kind) => kind,
        Err(diagnostic) => return nothing(None, vec![*diagnostic]),
    };
    let mut value = Cow::Borrowed(&document.value);
    let (mut diagnostics, mut blocking) = (Vec::new(), None);
    if !trusted {
        let explained = explain::explain(&document, kind);
        diagnostics = explained.diagnostics;
        for (pointer, meant) in &explained.unknown {
            put_right(value.to_mut(), pointer, meant.as_deref());
        }
        for (pointer, stand_in) in explained.wrong {
            put(value.to_mut(), &pointer, stand_in);
        }
        blocking = explained.blocking;
    }
    let whole = match donors.whole(&document, kind, value) {
        Ok(whole) => whole,
        Err(faults) => {
            diagnostics.extend(faults);
            return nothing(Some(kind), diagnostics);
        }
    };
    match typed(kind, &whole.value) {
        Ok(definition) => {
            let origins = Origins::default().besides(whole.documents);
            let read = nothing(Some(kind), diagnostics);
            Read { definition: Some(definition), origins, taken: whole.taken, ..read }
        }
        Err(error) => {
            if diagnostics.is_empty() {
                // The schema lets a value through that the type does not take.
                let at =
                    culprit::pointer(&whole.value, |value| typed(kind, value).err().map(|error| error.to_string()));
                // What was written in from elsewhere has no place in this file.
                let span = match at.is_empty() || document.value.pointer(&at).is_none() {
                    true => explain::first_line(&document),
                    false => document.span(&at),
                };
                let message = format!("this {kind} cannot be read: {error}");
                diagnostics.push(document.finding(Code::InvalidValue, span, message));
            }
            if let Some(finding) = blocking.and_then(|at| diagnostics.get_mut(at)) {
                finding.help.push("what else is wrong in this file is found when this is put right".to_owned());
            }
            nothing(Some(kind), diagnostics)
        }
    }
}

fn kind(document: &Document) -> Result<Kind, Box<Diagnostic>> {
    let words = Kind::ALL.map(Kind::as_str);
    // Made for whoever is told something.
    let help = || format!("`kind:` is {}", one_of(words, words.len()));
    let Some(object) = document.value.as_object() else {
        let message = format!("expected a definition, found {}", explain::describe(&document.value));
        return Err(Box::new(document.finding(Code::UnknownKind, document.span(""), message).help(help())));
    };
    let Some(word) = object.get("kind") else {
        let span = explain::first_line(document);
        return Err(Box::new(document.finding(Code::UnknownKind, span, "missing field `kind`").help(help())));
    };
    word.as_str().and_then(Kind::parse).ok_or_else(|| {
        let message = format!("{} is not a kind of definition", explain::describe(word).replace("the text ", ""));
        let mut finding = document.finding(Code::UnknownKind, document.span("/kind"), message);
        if let Some(meant) = word.as_str().and_then(|word| did_you_mean(word, words)) {
            finding = finding.label(format!("did you mean `{meant}`?"));
        }
        Box::new(finding.help(help()))
    })
}

fn typed(kind: Kind, value: &Value) -> Result<Definition, serde_json::Error> {
    // Read from a reference: a server starts with hundreds of definitions, and copying them first takes as long.
    let fields = value.as_object().into_iter().flatten().filter(|(key, _)| *key != "kind");
    let fields = MapDeserializer::new(fields.map(|(key, value)| (key.as_str(), value)));
    Ok(match kind {
        Kind::Tool => Definition::Tool(Deserialize::deserialize(fields)?),
        Kind::Resource => Definition::Resource(Deserialize::deserialize(fields)?),
        Kind::Prompt => Definition::Prompt(Deserialize::deserialize(fields)?),
        Kind::Context => Definition::Context(Deserialize::deserialize(fields)?),
        Kind::Insight => Definition::Insight(Deserialize::deserialize(fields)?),
        Kind::Persona => Definition::Persona(Deserialize::deserialize(fields)?),
        Kind::Provider => Definition::Provider(Deserialize::deserialize(fields)?),
        Kind::Toolset => Definition::Toolset(Deserialize::deserialize(fields)?),
        Kind::Values => Definition::Values(Deserialize::deserialize(fields)?),
        Kind::Fragment => Definition::Fragment(Deserialize::deserialize(fields)?),
        Kind::Columns => Definition::Columns(Deserialize::deserialize(fields)?),
        Kind::Tables => Definition::Tables(Deserialize::deserialize(fields)?),
        Kind::Parameters => Definition::Parameters(Deserialize::deserialize(fields)?),
    })
}

/// Puts a value where a wrong one stands, or none.
fn put(value: &mut Value, pointer: &str, stand_in: Value) {
    if let Some(place) = value.pointer_mut(pointer) {
        *place = stand_in;
    } else if let Some((above, key)) = pointer.rsplit_once('/')
        && let Some(Value::Object(object)) = value.pointer_mut(above)
    {
        object.insert(key.replace("~1", "/").replace("~0", "~"), stand_in);
    }
}

/// Whether a finding says that a value is missing or is none that can stand there.
fn by_schema(found: &Diagnostic) -> bool {
    matches!(found.code, Code::MissingField | Code::WrongType | Code::UnknownChoice | Code::InvalidValue)
}

fn place(found: &Diagnostic) -> (Arc<SourceFile>, Range<usize>) {
    (found.at.file.clone(), found.at.span.clone())
}

/// Gives a misspelt field the name that was meant, or removes it.
fn put_right(value: &mut Value, pointer: &str, meant: Option<&str>) {
    let Some((above, key)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(object)) = value.pointer_mut(above) {
        let held = object.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
        if let (Some(held), Some(meant)) = (held, meant) {
            object.insert(meant.to_owned(), held);
        }
    }
}
