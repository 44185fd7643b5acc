//! Bytes to documents: walks packs, reads files, parses YAML, and says what could not be read.
//!
//! Never fails: what goes wrong with a file is a diagnostic beside the documents of all others. Knows folders
//! and YAML, not what a definition means; that is the business of `check`.

mod built_in;
mod pack;
pub mod parallel;
mod plain;
mod short;
pub mod yaml;

use std::{
    ops::Range,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, SourceFile};

pub use built_in::{BUILT_IN, BuiltInFile, built_in_templates};
pub use pack::MAX_FILE_SIZE;
pub use plain::{Misread, plain};

/// What is read.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The pack that is embedded in the binary. Left out when one of `packs` is a checkout of it.
    pub built_in: bool,
    /// Folders of further packs; later ones may override earlier ones.
    pub packs: Vec<PathBuf>,
    /// Lone definition files (`*.yaml`) and templates (`*.md.j2`), and folders of such. They form one last pack,
    /// whose definitions stand in for those of the same name.
    pub files: Vec<PathBuf>,
}

/// A pack that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// The folder as given, or `built-in`.
    pub name: String,
    /// Whether its definitions replace others without saying `override: true`.
    pub stands_in: bool,
}

/// Everything that was read.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    pub packs: Vec<Pack>,
    /// Definitions of all packs, pack by pack, sorted by path within a pack.
    pub documents: Vec<Document>,
    /// Prompt templates (`prompts/*.md.j2`) in the same order.
    pub templates: Vec<TemplateFile>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Whether a document was proven by the tests of this repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trust {
    /// Part of the binary: its tests have checked every definition.
    BuiltIn,
    /// Written by somebody else.
    Author,
}

/// The place of a pack in the order of overlays; 0 is the first.
pub type PackIndex = usize;

/// A parsed definition file.
#[derive(Debug, Clone)]
pub struct Document {
    pub file: Arc<SourceFile>,
    pub pack: PackIndex,
    pub trust: Trust,
    /// The stem of the file name.
    pub stem: String,
    pub value: Value,
    /// Whether the text parsed to its end; if not, nothing more is said about the document.
    pub complete: bool,
    /// Where everything stands. Documents of the binary come from an index made at build time; their positions
    /// are found out when somebody asks.
    root: OnceLock<yaml::Node>,
}

impl Document {
    /// The bytes of the key at a JSON pointer; of the value for items of a sequence.
    pub fn key_span(&self, pointer: &str) -> Range<usize> {
        let (key, node) = self.nearest(pointer);
        key.unwrap_or_else(|| node.span.clone())
    }

    /// The bytes to show for a value: scalars themselves, of mappings and sequences the key that leads there.
    pub fn span(&self, pointer: &str) -> Range<usize> {
        let (key, node) = self.nearest(pointer);
        match key {
            Some(key) if node.style == yaml::Style::Collection || node.span.is_empty() => key,
            _ => {
                // Many lines in carets help nobody: the first does.
                let text = self.file.text.get(node.span.clone()).unwrap_or_default();
                node.span.start..node.span.start + text.lines().next().unwrap_or_default().trim_end().len()
            }
        }
    }

    /// The bytes of the file that hold `part` of the text at a JSON pointer, block scalars and escapes included.
    pub fn text_span(&self, pointer: &str, part: Range<usize>) -> Range<usize> {
        let (Some(value), Some((_, node))) = (self.value.pointer(pointer), self.root().find(pointer)) else {
            return self.span(pointer);
        };
        let Some(value) = value.as_str() else { return self.span(pointer) };
        let start = node.locate(&self.file.text, value, part.start);
        // The end is found from its last character, so that it never runs into the next line's indentation.
        let last = value.get(part.clone()).and_then(|text| text.char_indices().next_back());
        let end = last.map_or(start, |(at, c)| node.locate(&self.file.text, value, part.start + at) + c.len_utf8());
        start..end.max(start)
    }

    /// Whether something was written at a JSON pointer.
    pub fn has(&self, pointer: &str) -> bool {
        self.value.pointer(pointer).is_some()
    }

    /// A finding at a JSON pointer.
    pub fn finding(&self, code: Code, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, &self.file, span, message)
    }

    fn root(&self) -> &yaml::Node {
        self.root.get_or_init(|| pack::read(&self.file.text).root)
    }

    fn nearest(&self, pointer: &str) -> (Option<Range<usize>>, &yaml::Node) {
        let mut pointer = pointer;
        loop {
            if let Some(found) = self.root().find(pointer) {
                return found;
            }
            match pointer.rfind('/') {
                Some(at) => pointer = pointer.get(..at).unwrap_or_default(),
                None => return (None, self.root()),
            }
        }
    }
}

/// A prompt template file.
#[derive(Debug, Clone)]
pub struct TemplateFile {
    pub file: Arc<SourceFile>,
    pub pack: PackIndex,
    pub trust: Trust,
    /// File name without `.md.j2`, such as `system`.
    pub name: String,
}

/// Reads everything that is asked for.
pub fn load(request: &Request) -> Loaded {
    let mut loaded = Loaded::default();
    if request.built_in && !request.packs.iter().any(|folder| pack::is_checkout(folder)) {
        built_in::read(&mut loaded);
    }
    for folder in &request.packs {
        pack::read_pack(folder, &mut loaded);
    }
    if !request.files.is_empty() {
        pack::read_files(&request.files, &mut loaded);
    }
    loaded
}

/// What packs consist of: for whoever watches them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Files that [`load`] reads, in its order.
    pub files: Vec<PathBuf>,
    /// Folders that were entered, as they were reached.
    pub folders: Vec<PathBuf>,
    /// What could not be entered, a line each.
    pub findings: Vec<String>,
}

/// Looks through the folders of packs as [`load`] does, and reads no file.
pub fn survey(packs: &[PathBuf]) -> Survey {
    pack::survey(packs)
}

impl Loaded {
    /// Adds one definition from its text, as if it stood alone in a file after all packs.
    #[must_use]
    pub fn with_text(mut self, path: &str, text: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        let pack = self.begin("text", true);
        self.add(pack::parse(SourceFile::new(path, text), pack));
        self
    }

    fn begin(&mut self, name: impl Into<String>, stands_in: bool) -> PackIndex {
        self.packs.push(Pack { name: name.into(), stands_in });
        self.packs.len() - 1
    }

    fn add(&mut self, (document, diagnostics): (Document, Vec<Diagnostic>)) {
        self.documents.push(document);
        self.diagnostics.extend(diagnostics);
    }
}
