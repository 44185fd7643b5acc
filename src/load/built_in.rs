//! The pack that is embedded in the binary: the folders `definitions`, `personas` and `prompts` of the
//! repository, with an index of their values as JSON that `build.rs` makes, because reading a few hundred YAML
//! files would take most of the time that a server has to start.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Document, Loaded, TemplateFile, Trust, pack, yaml};
use crate::diagnostic::SourceFile;

/// A file of the built-in pack.
#[derive(Debug, Clone, Copy)]
pub struct BuiltInFile {
    /// Path inside the pack, such as `personas/latency-analyst.yaml`.
    pub path: &'static str,
    pub text: &'static str,
    /// The value of a YAML file; empty where the text is broken, so that reading it says why.
    json: &'static str,
    /// Kind and name of its definition; empty where there is none.
    pub kind: &'static str,
    pub name: &'static str,
    /// A context type without its sections, rules, next steps, summary and examples, as JSON, with all of its
    /// parameters: what lists show of it. Empty for everything else.
    head: &'static str,
    /// The files from which its definition is put together, by their places in [`BUILT_IN`], besides itself and the
    /// dictionaries of parameters: fragments, and context types whose sections it uses.
    pub parts: &'static [usize],
}

impl BuiltInFile {
    /// The value of a YAML file, from the index.
    pub fn value(&self) -> Option<Value> {
        serde_json::from_str(self.json).ok()
    }

    /// The head of a context type.
    pub fn head<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.head).ok()
    }

    /// The document of a YAML file, alone.
    pub fn document(&self) -> Option<Document> {
        Some(Document::proven(self.source(), 0, self.value()?))
    }

    fn source(&self) -> Arc<SourceFile> {
        SourceFile::new(format!("built-in/{}", self.path), self.text)
    }
}

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// The prompt templates of the built-in pack: names and texts.
pub fn built_in_templates() -> impl Iterator<Item = (String, String)> {
    BUILT_IN.iter().filter_map(|file| Some((pack::template_name(file.path)?, file.text.to_owned())))
}

pub(super) fn read(loaded: &mut Loaded) {
    let index = loaded.begin("built-in", false);
    for built_in in BUILT_IN {
        let file = built_in.source();
        if let Some(name) = pack::template_name(built_in.path) {
            loaded.templates.push(TemplateFile { file, pack: index, trust: Trust::BuiltIn, name });
            continue;
        }
        let (mut document, diagnostics) = match built_in.value() {
            Some(value) => (Document::proven(file, index, value), Vec::new()),
            None => pack::parse(file, index),
        };
        document.trust = Trust::BuiltIn;
        loaded.add((document, diagnostics));
    }
}

impl Document {
    fn proven(file: Arc<SourceFile>, pack: usize, value: Value) -> Self {
        let stem = pack::stem(&file.path);
        Self { file, pack, trust: Trust::BuiltIn, stem, value, complete: true, root: std::sync::OnceLock::new() }
    }

    pub(super) fn parsed(file: Arc<SourceFile>, pack: usize, parsed: yaml::Parsed) -> Self {
        let stem = pack::stem(&file.path);
        let complete = !parsed.faults.iter().any(|fault| fault.kind != yaml::FaultKind::DuplicateKey);
        Self { file, pack, trust: Trust::Author, stem, value: parsed.value, complete, root: parsed.root.into() }
    }
}
