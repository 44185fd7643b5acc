//! What is wrong with the documents, and the typed definitions of those with which nothing is.
//!
//! Every stage looks at everything that the stages before it could make sense of, so that one run finds all
//! mistakes of all files. Pure: files come from `load`, and what a database would say is asked elsewhere.

mod explain;
pub mod schema;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::{
    definition::{Definition, Kind},
    diagnostic::{self, Code, Diagnostic, Severity, SourceFile, did_you_mean, one_of},
    load::{Document, Loaded, TemplateFile, Trust},
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
}

impl Located {
    pub fn file(&self) -> &Arc<SourceFile> {
        &self.document.file
    }
}

/// Checks everything that was loaded.
pub fn check(loaded: Loaded, options: Options) -> Checked {
    let Loaded { packs: _, documents, templates, mut diagnostics } = loaded;
    let mut definitions = Vec::with_capacity(documents.len());
    for document in documents {
        let trusted = document.trust == Trust::BuiltIn && !options.built_in;
        let read = read(&document, trusted);
        diagnostics.extend(read.diagnostics);
        if let Some(definition) = read.definition {
            definitions.push(Located { definition, document: Arc::new(document) });
        }
    }
    diagnostic::sort(&mut diagnostics);
    Checked { definitions, templates, diagnostics }
}

/// A document as a definition, as far as it is one.
struct Read {
    definition: Option<Definition>,
    diagnostics: Vec<Diagnostic>,
}

fn read(document: &Document, trusted: bool) -> Read {
    if !document.complete {
        return Read { definition: None, diagnostics: Vec::new() };
    }
    let kind = match kind(document) {
        Ok(kind) => kind,
        Err(diagnostic) => return Read { definition: None, diagnostics: vec![*diagnostic] },
    };
    let mut value = document.value.clone();
    let mut diagnostics = Vec::new();
    if !trusted {
        let explained = explain::explain(document, kind);
        diagnostics = explained.diagnostics;
        for pointer in &explained.unknown {
            remove(&mut value, pointer);
        }
    }
    match typed(kind, value) {
        Ok(definition) => Read { definition: Some(definition), diagnostics },
        Err(error) => {
            if diagnostics.is_empty() {
                // The schema lets a value through that the type does not take.
                let span = explain::first_line(document);
                diagnostics.push(document.finding(
                    Code::InvalidValue,
                    span,
                    format!("this {kind} cannot be read: {error}"),
                ));
            }
            Read { definition: None, diagnostics }
        }
    }
}

fn kind(document: &Document) -> Result<Kind, Box<Diagnostic>> {
    let words = Kind::ALL.map(Kind::as_str);
    let help = format!("`kind:` is {}", one_of(words, 8));
    let Some(object) = document.value.as_object() else {
        let message = format!("expected a definition, found {}", explain::describe(&document.value));
        return Err(Box::new(document.finding(Code::UnknownKind, document.span(""), message).help(help)));
    };
    let Some(word) = object.get("kind") else {
        let span = explain::first_line(document);
        return Err(Box::new(document.finding(Code::UnknownKind, span, "missing field `kind`").help(help)));
    };
    word.as_str().and_then(Kind::parse).ok_or_else(|| {
        let message = format!("{} is not a kind of definition", explain::describe(word).replace("the text ", ""));
        let mut finding = document.finding(Code::UnknownKind, document.span("/kind"), message);
        if let Some(meant) = word.as_str().and_then(|word| did_you_mean(word, words)) {
            finding = finding.label(format!("did you mean `{meant}`?"));
        }
        Box::new(finding.help(help))
    })
}

fn typed(kind: Kind, mut value: Value) -> Result<Definition, serde_json::Error> {
    if let Value::Object(object) = &mut value {
        object.shift_remove("kind");
    }
    use serde_json::from_value;
    Ok(match kind {
        Kind::Tool => Definition::Tool(from_value(value)?),
        Kind::Resource => Definition::Resource(from_value(value)?),
        Kind::Prompt => Definition::Prompt(from_value(value)?),
        Kind::Context => Definition::Context(from_value(value)?),
        Kind::Insight => Definition::Insight(from_value(value)?),
        Kind::Persona => Definition::Persona(from_value(value)?),
        Kind::Provider => Definition::Provider(from_value(value)?),
        Kind::Toolset => Definition::Toolset(from_value(value)?),
    })
}

fn remove(value: &mut Value, pointer: &str) {
    let Some((above, key)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(object)) = value.pointer_mut(above) {
        object.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
    }
}
