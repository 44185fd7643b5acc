//! Packs as folders: which files belong to one, and reading them with every limit that a hostile or broken
//! folder needs.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{BUILT_IN, Document, Loaded, PackIndex, Survey, TemplateFile, Trust, parallel, short, yaml};
use crate::diagnostic::{Code, Diagnostic, SourceFile};

/// Largest file that is read, in bytes.
pub const MAX_FILE_SIZE: u64 = 1 << 20;

/// Stack on which a file is read: that of other threads.
const STACK: usize = 2 << 20;

/// Deepest folder that is entered.
const MAX_DEPTH: usize = 16;

/// The settings file, which may lie beside definitions and is none.
const SETTINGS: &str = "tfo-mcp.yaml";

/// The folders that make a pack.
const FOLDERS: [&str; 3] = ["definitions", "personas", "prompts"];

/// Whether a folder holds the source of the built-in pack (most of its files), so that it takes its place.
pub(super) fn is_checkout(folder: &Path) -> bool {
    let present = BUILT_IN.iter().filter(|built_in| folder.join(built_in.path).is_file()).count();
    present * 2 > BUILT_IN.len()
}

pub(super) fn read_pack(folder: &Path, loaded: &mut Loaded) {
    let pack = loaded.begin(folder.display().to_string(), false);
    let mut walk = Walk::default();
    walk.pack(folder);
    read_found(walk, pack, loaded);
}

/// What packs consist of, without reading any file.
pub(super) fn survey(folders: &[PathBuf]) -> Survey {
    let mut walk = Walk::default();
    folders.iter().for_each(|folder| walk.pack(folder));
    let findings = walk.diagnostics.iter().map(|finding| format!("{}: {}", finding.at.file.path, finding.message));
    Survey { findings: findings.collect(), files: walk.found, folders: walk.folders }
}

pub(super) fn read_files(paths: &[PathBuf], loaded: &mut Loaded) {
    let pack = loaded.begin("files", true);
    let mut walk = Walk::default();
    for path in paths {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => walk.enter(path, 0),
            Ok(_) => walk.found.push(path.clone()),
            Err(error) => walk.unreadable(path, &error),
        }
    }
    read_found(walk, pack, loaded);
}

/// The value and the places of a definition, in full.
pub(super) fn read(text: &str) -> yaml::Parsed {
    let mut parsed = yaml::parse(text);
    short::write_out(&mut parsed);
    parsed
}

/// Parses one definition.
pub(super) fn parse(file: Arc<SourceFile>, pack: PackIndex) -> (Document, Vec<Diagnostic>) {
    let parsed = read(&file.text);
    let diagnostics = parsed.faults.iter().map(|fault| diagnose(&file, fault)).collect();
    (Document::parsed(file, pack, parsed), diagnostics)
}

/// File name without its extensions.
pub(super) fn stem(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.strip_suffix(".yaml").unwrap_or(name).to_owned()
}

/// The name of a prompt template, for paths that are one.
pub(super) fn template_name(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.strip_suffix(".md.j2").filter(|name| !name.is_empty()).map(str::to_owned)
}

fn diagnose(file: &Arc<SourceFile>, fault: &yaml::Fault) -> Diagnostic {
    let code = match fault.kind {
        yaml::FaultKind::Syntax => Code::YamlSyntax,
        yaml::FaultKind::DuplicateKey => Code::DuplicateKey,
        yaml::FaultKind::Feature => Code::YamlFeature,
    };
    let mut diagnostic = Diagnostic::new(code, file, fault.span.clone(), fault.message.clone());
    if let Some(first) = &fault.first {
        diagnostic = diagnostic.label("again here").related(file, first.clone(), "first here");
    }
    diagnostic.help.extend(fault.help.clone());
    diagnostic
}

/// What a walk through folders found.
#[derive(Default)]
struct Walk {
    found: Vec<PathBuf>,
    /// Folders that were entered.
    folders: Vec<PathBuf>,
    diagnostics: Vec<Diagnostic>,
    /// Real paths of the folders around the current one: entering one of them again would never end.
    around: Vec<PathBuf>,
}

impl Walk {
    fn pack(&mut self, folder: &Path) {
        let before = (self.found.len(), self.diagnostics.len());
        if let Err(error) = fs::read_dir(folder) {
            return self.unreadable(folder, &error);
        }
        self.folders.push(folder.to_owned());
        for name in FOLDERS.map(|name| folder.join(name)).into_iter().filter(|path| path.exists()) {
            self.enter(&name, 0);
        }
        if before == (self.found.len(), self.diagnostics.len()) {
            let file = SourceFile::new(folder.display().to_string(), "");
            self.diagnostics.push(
                Diagnostic::new(Code::EmptyPack, &file, 0..0, "this pack holds no definition")
                    .help("A pack is a folder with `definitions/`, `personas/` or `prompts/` in it."),
            );
        }
    }

    fn enter(&mut self, folder: &Path, depth: usize) {
        let real = match fs::canonicalize(folder) {
            Ok(real) => real,
            Err(error) => return self.unreadable(folder, &error),
        };
        if self.around.contains(&real) {
            return self.refuse(folder, "links lead in a circle");
        }
        if depth > MAX_DEPTH {
            return self.refuse(folder, &format!("folders are nested deeper than {MAX_DEPTH}"));
        }
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut paths: Vec<PathBuf> = match entries {
            Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
            Err(error) => return self.unreadable(folder, &error),
        };
        paths.sort();
        self.around.push(real);
        self.folders.push(folder.to_owned());
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || name == SETTINGS {
                continue;
            }
            match fs::metadata(&path) {
                Ok(found) if found.is_dir() => self.enter(&path, depth + 1),
                Ok(_) if name.ends_with(".yaml") || name.ends_with(".md.j2") => self.found.push(path),
                Ok(_) if name.ends_with(".yml") || name.ends_with(".j2") || name.ends_with(".json") => {
                    let file = SourceFile::new(path.display().to_string(), "");
                    self.diagnostics.push(
                        Diagnostic::new(Code::IgnoredFile, &file, 0..0, format!("`{name}` is not read"))
                            .help("Definitions end in `.yaml`, prompt templates in `.md.j2`."),
                    );
                }
                Ok(_) => {}
                Err(error) => self.unreadable(&path, &error),
            }
        }
        self.around.pop();
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.refuse(path, &reason(error));
    }

    fn refuse(&mut self, path: &Path, why: &str) {
        self.diagnostics.push(unreadable(path, why));
    }
}

fn unreadable(path: &Path, why: &str) -> Diagnostic {
    let file = SourceFile::new(path.display().to_string(), "");
    Diagnostic::new(Code::Unreadable, &file, 0..0, format!("cannot be read: {why}"))
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// What one file turned out to be.
enum Read {
    Document(Document, Vec<Diagnostic>),
    Template(TemplateFile),
    Nothing(Diagnostic),
}

fn read_found(walk: Walk, pack: PackIndex, loaded: &mut Loaded) {
    loaded.diagnostics.extend(walk.diagnostics);
    let read = parallel::map(STACK, walk.found, |path| read_one(&path, pack));
    for one in read {
        match one {
            Read::Document(document, diagnostics) => loaded.add((document, diagnostics)),
            Read::Template(template) => loaded.templates.push(template),
            Read::Nothing(diagnostic) => loaded.diagnostics.push(diagnostic),
        }
    }
}

fn read_one(path: &Path, pack: PackIndex) -> Read {
    let shown = path.display().to_string();
    let text = match read_text(path, &shown) {
        Ok(text) => text,
        Err(diagnostic) => return Read::Nothing(*diagnostic),
    };
    if let Some(name) = template_name(&shown) {
        // A byte order mark would be printed; of YAML it is no part.
        let file = SourceFile::new(shown, text.trim_start_matches('\u{feff}').to_owned());
        return Read::Template(TemplateFile { file, pack, trust: Trust::Author, name });
    }
    let (document, diagnostics) = parse(SourceFile::new(shown, text), pack);
    Read::Document(document, diagnostics)
}

fn read_text(path: &Path, shown: &str) -> Result<String, Box<Diagnostic>> {
    let empty = || SourceFile::new(shown, "");
    let unreadable = |error: io::Error| Box::new(unreadable(path, &reason(&error)));
    let about = fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        // Opening a pipe would wait for ever.
        return Err(Box::new(self::unreadable(path, "it is not a file")));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len().min(MAX_FILE_SIZE)).unwrap_or_default() + 1);
    fs::File::open(path).and_then(|file| file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_SIZE {
        let message = format!("larger than {} KiB", MAX_FILE_SIZE >> 10);
        return Err(Box::new(
            Diagnostic::new(Code::TooLarge, &empty(), 0..0, message)
                .help("Data does not belong into a folder of definitions."),
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let wrong = error.as_bytes().get(at).copied().unwrap_or_default();
        Box::new(
            Diagnostic::new(Code::NotUtf8, &SourceFile::new(shown, text), at..at + 3, "not UTF-8 text")
                .label(format!("byte 0x{wrong:02X}"))
                .help("Save the file as UTF-8."),
        )
    })
}
