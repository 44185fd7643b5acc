//! The pack that is embedded in the binary: the folders `definitions`, `personas` and `prompts` of the
//! repository, with an index of their values as JSON that `build.rs` makes, because reading a few hundred YAML
//! files would take most of the time that a server has to start.

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
}

impl BuiltInFile {
    /// The value of a YAML file, from the index.
    pub fn value(&self) -> Option<Value> {
        serde_json::from_str(self.json).ok()
    }
}

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

pub(super) fn read(loaded: &mut Loaded) {
    let index = loaded.begin("built-in", false);
    for built_in in BUILT_IN {
        let file = SourceFile::new(format!("built-in/{}", built_in.path), built_in.text);
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
    fn proven(file: std::sync::Arc<SourceFile>, pack: usize, value: Value) -> Self {
        let stem = pack::stem(&file.path);
        Self { file, pack, trust: Trust::BuiltIn, stem, value, complete: true, root: std::sync::OnceLock::new() }
    }

    pub(super) fn parsed(file: std::sync::Arc<SourceFile>, pack: usize, parsed: yaml::Parsed) -> Self {
        let stem = pack::stem(&file.path);
        let complete = !parsed.faults.iter().any(|fault| fault.kind != yaml::FaultKind::DuplicateKey);
        Self { file, pack, trust: Trust::Author, stem, value: parsed.value, complete, root: parsed.root.into() }
    }
}
