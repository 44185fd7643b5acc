//! Live editing: packs are watched, an edit is loaded and checked whole, and only a good one is served.
//!
//! [`Definitions`] says what is read and how it is compiled; `serve` starts with it, and [`watch`] repeats it whenever
//! files change or somebody asks. A broken edit never stops anything: the last good catalog goes on, and its findings
//! are told by the engine. Knows files and catalogs, not what clients are shown of them.

mod eyes;
mod look;
mod watch;

use std::path::PathBuf;

use crate::{
    catalog::{Catalog, CatalogOptions},
    check,
    diagnostic::{Diagnostic, Severity},
    engine::Finding,
    load,
};

pub use look::Fingerprint;
pub use watch::{Mode, Watch, watch};

/// What is read, and how it is compiled: the same at start-up and at every reload.
#[derive(Debug, Clone)]
pub struct Definitions {
    pub built_in: bool,
    pub packs: Vec<PathBuf>,
    pub options: CatalogOptions,
}

/// What came of reading definitions that can be served.
pub struct Good {
    pub catalog: Catalog,
    /// Warnings.
    pub findings: Vec<Finding>,
}

impl Definitions {
    /// Loads, checks and compiles everything.
    ///
    /// # Errors
    /// All findings, if one of them is an error.
    pub fn read(&self) -> Result<Good, Vec<Finding>> {
        let request = load::Request { built_in: self.built_in, packs: self.packs.clone(), files: Vec::new() };
        let checked = check::check(load::load(&request), check::Options::default());
        let findings = findings(&checked.diagnostics);
        if checked.has_errors() {
            return Err(findings);
        }
        let (definitions, templates) = checked.into_parts();
        let (catalog, problems) = Catalog::compile(definitions, &templates, &self.options);
        let mut problems: Vec<Finding> =
            problems.iter().map(|problem| whole(problem.to_string(), Vec::new())).collect();
        let missing = |name: &&String| !catalog.toolsets.contains_key(name.as_str());
        problems.extend(self.options.toolsets.iter().flatten().filter(missing).map(|name| {
            let known: Vec<String> = catalog.toolsets.keys().map(|name| format!("`{name}`")).collect();
            whole(format!("there is no toolset `{name}`"), vec![format!("toolsets: {}", known.join(", "))])
        }));
        if problems.is_empty() { Ok(Good { catalog, findings }) } else { Err(problems) }
    }

    /// Equal to an earlier one where no file of the packs has changed. To be taken before reading.
    pub fn fingerprint(&self) -> Fingerprint {
        look::fingerprint(&self.packs)
    }
}

/// Findings as clients are told them.
pub fn findings(diagnostics: &[Diagnostic]) -> Vec<Finding> {
    let finding = |diagnostic: &Diagnostic| {
        let (line, column) = diagnostic.line_column();
        Finding {
            severity: diagnostic.severity.as_str().to_owned(),
            code: diagnostic.code.as_str().to_owned(),
            message: diagnostic.message.clone(),
            file: diagnostic.at.file.path.clone(),
            line,
            column,
            help: diagnostic.hints().map(str::to_owned).collect(),
        }
    };
    diagnostics.iter().map(finding).collect()
}

/// An error of all definitions together, which stands in no file.
fn whole(message: String, help: Vec<String>) -> Finding {
    Finding {
        severity: Severity::Error.as_str().to_owned(),
        code: "catalog".to_owned(),
        message,
        file: String::new(),
        line: 0,
        column: 0,
        help,
    }
}
