//! `tfo-mcp validate`: everything that is wrong with definitions, in one run.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use super::{Outcome, arguments::SettingsArguments, bootstrap, outcome::hinted, output, packs, stumble};
use crate::{
    check::{self, Checked, Located},
    diagnostic::{self, Code, Diagnostic, Format, Severity},
    engine::{LiveFinding, Unasked},
    host::files::Caller,
    load::Trust,
    settings::FILE_NAME,
    template::counted,
};

/// Check definitions: every mistake of every file, with its place and what to do
///
/// A PATH is a pack (a folder with `definitions/`, `personas/` or `prompts/`), a folder that packs lie below, a folder
/// of definition files, or a definition file. Without one, the built-in pack, the packs of the settings and a pack in the
/// current folder are checked. Warnings are shown but do not count as findings, unless `--strict`.
#[derive(Debug, Args)]
pub struct Arguments {
    paths: Vec<PathBuf>,
    /// How findings are printed; `json` is one object a line, none where nothing is wrong
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Also plan every statement on the sources that are bound in the settings
    #[arg(long)]
    live: bool,
    /// Count warnings as findings
    #[arg(long)]
    strict: bool,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Format::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.as_str()))
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    if let Some(missing) = arguments.paths.iter().find(|path| !path.exists()) {
        return Err(hinted(
            format!("`{}` does not exist", missing.display()),
            "name definition files, folders of them, or packs",
        ));
    }
    let loaded = if arguments.live { bootstrap::settings(common) } else { bootstrap::unattended(common) }?;
    let mut packs = loaded.settings.packs.clone();
    let mut files = Vec::new();
    for path in &arguments.paths {
        match packs::at(path) {
            // Its settings say where the packs are.
            found if found.is_empty() && path.join(FILE_NAME).is_file() && !packs.is_empty() => {}
            found if found.is_empty() => files.push(path.clone()),
            found => packs.extend(found),
        }
    }
    let here = PathBuf::from(".");
    if arguments.paths.is_empty() && packs::is_pack(&here) {
        packs.push(here.clone());
    }
    packs::once(&mut packs);
    // As people write them, which annotations of a workflow and SARIF need too.
    if let Ok(folder) = std::env::current_dir() {
        let short = |pack: PathBuf| match pack.strip_prefix(&folder) {
            Ok(inside) if inside != Path::new("") => inside.to_owned(),
            _ => pack,
        };
        packs = packs.into_iter().map(short).collect();
    }
    // With paths it is these that are in question; the built-in pack was proven by the tests of this version.
    let thorough = arguments.paths.is_empty();
    let mut checked = bootstrap::check(&loaded, packs, files, check::Options { built_in: thorough });
    let mut diagnostics = std::mem::take(&mut checked.diagnostics);
    let count = checked.definitions.len();
    let own = |trust: Trust| trust == Trust::Author;
    let count_own = checked.definitions.iter().filter(|located| own(located.document.trust)).count();
    let own = count_own > 0
        || checked.templates.iter().any(|template| own(template.trust))
        || diagnostics.iter().any(|finding| finding.severity == Severity::Error);
    if arguments.live {
        diagnostics.extend(live(checked, &loaded, thorough)?);
        diagnostic::sort(&mut diagnostics);
    }

    let colour = arguments.format == Format::Text && std::io::stdout().is_terminal();
    let text = arguments.format.print(&diagnostics, colour);
    if !text.is_empty() {
        output::write(&text)?;
    }
    if !own && !thorough {
        let hint = "name definition files, folders of them, packs, or a folder that packs lie below";
        return Err(hinted("nothing was checked: no definition was found there", hint));
    }
    let counts = |finding: &Diagnostic| arguments.strict || finding.severity == Severity::Error;
    if diagnostics.iter().any(counts) {
        return Ok(Outcome::Findings);
    }
    let unread = diagnostics.iter().filter(|finding| finding.code == Code::SqlLint).count();
    if unread > 0 && !arguments.live {
        output::hint_line(&format!(
            "whether a database takes {} that the parser does not read, only it can say: `--live` asks it",
            if unread == 1 { "a statement" } else { "statements" }
        ));
    }
    let (right, built_in) = if count_own > 0 { (count_own, count - count_own) } else { (count, 0) };
    let beside = if built_in > 0 { format!(", beside {built_in} built in") } else { String::new() };
    output::say(&match right {
        1 => format!("the one definition is right{beside}"),
        _ => format!("{right} definitions are right{beside}"),
    });
    if !own && !loaded.settings.packs_only {
        let below = packs::at(&here);
        let paths = below.iter().map(|pack| pack.display().to_string());
        output::hint_line(&match below.is_empty() {
            true => "all of them are built in: no pack is here. Name yours: `tfo-mcp validate PATH`".to_owned(),
            false => format!(
                "all of them are built in. Packs lie below this folder: `tfo-mcp validate {}` checks them",
                paths.collect::<Vec<_>>().join(" ")
            ),
        });
    }
    Ok(Outcome::Done)
}

/// Findings of the databases, at the statements that they are about.
fn live(checked: Checked, loaded: &crate::settings::Loaded, thorough: bool) -> anyhow::Result<Vec<Diagnostic>> {
    let all = checked.definitions.clone();
    if std::io::stderr().is_terminal() {
        output::say(&format!(
            "asking the databases about {}: it takes minutes on a slow machine",
            counted(all.len(), "definition")
        ));
    }
    let (catalog, problems) = bootstrap::compile(checked, loaded);
    for problem in &problems {
        output::warning(problem);
    }
    let engine = bootstrap::engine(loaded, catalog, Caller::Here)?;
    let report = bootstrap::block_on(async {
        let report = engine.prepare_all().await;
        for (name, source) in engine.sources().iter() {
            // A source that does not answer has said so at its statements.
            for remark in source.remarks().await.unwrap_or_default() {
                output::say(&format!("{name}: {}", remark.found));
            }
        }
        engine.close().await;
        Ok(report)
    })?;
    let unasked: usize = report.unasked.values().map(|unasked| unasked.statements).sum();
    if report.prepared == 0 && report.findings.is_empty() && unasked > 0 {
        let why = report.unasked.values().next().map(|unasked| &unasked.why);
        return Err(hinted(
            "`--live` asks databases, and of those that the definitions need none is bound",
            why.and_then(|why| why.hint.clone()).unwrap_or_default(),
        ));
    }
    output::say(&format!(
        "{} planned, {} left out",
        counted(report.prepared, "statement"),
        report.skipped.len() + unasked
    ));
    // Of the built-in definitions it is told where they are in question.
    let is_own = |name: &LiveFinding| named(&all, name).is_some_and(|located| located.document.trust == Trust::Author);
    let (told, others): (Vec<_>, Vec<_>) = report.skipped.iter().partition(|skipped| thorough || is_own(skipped));
    for LiveFinding { kind, name, pointer, message } in told {
        output::say(&format!("  left out: {kind} `{name}` {pointer}: {message}"));
    }
    if !others.is_empty() {
        output::say(&format!("  left out: {} of built-in definitions", counted(others.len(), "statement")));
    }
    for (source, Unasked { statements, why }) in &report.unasked {
        output::say(&format!("  left out: {} on `{source}`: {}", counted(*statements, "statement"), why.message));
    }
    let mut found = Vec::new();
    for finding in report.findings {
        match named(&all, &finding) {
            Some(located) => found.push(stumble::finding(located, &finding.pointer, finding.message)),
            None => anyhow::bail!("{} `{}`: {}", finding.kind, finding.name, finding.message),
        }
    }
    Ok(found)
}

/// The definition that a finding is about.
fn named<'a>(all: &'a [Located], finding: &LiveFinding) -> Option<&'a Located> {
    all.iter().find(|located| located.definition.kind() == finding.kind && located.definition.name() == finding.name)
}
