//! The report for people.

use std::fmt::Write as _;

use super::{Finding, Report, SourceReport, State};
use crate::cli::output::{BAD, BOLD, DIM, GOOD, WARN};

pub(super) fn text(report: &Report) -> String {
    let mut out =
        format!("{BOLD}tfo-mcp {}{BOLD:#}  {DIM}data in {}{DIM:#}\n", report.version, report.data_dir.display());
    let files: Vec<String> = report.settings_files.iter().map(|file| file.display().to_string()).collect();
    let files = if files.is_empty() { "no settings file".to_owned() } else { files.join(", ") };
    let _ = writeln!(out, "{DIM}settings: {files}; `tfo-mcp info --all` shows each with its origin{DIM:#}\n");
    let (idle, read): (Vec<_>, Vec<_>) = report.sources.iter().partition(|source| source.state == State::Unused);
    for source in read {
        out += &self::source(source);
    }
    if !idle.is_empty() {
        let names = idle.iter().map(|source| source.name).collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "{DIM}{:28}no definition reads {names}{DIM:#}", "");
    }
    for service in &report.services {
        let name = format!("http.services.{}", service.name);
        out += &line(service.state, &name, &service.found, service.what_to_do.as_deref());
    }
    out.push('\n');
    let machine = report.machine.iter().filter(|finding| finding.state != State::Unused);
    for finding in std::iter::once(&report.organisation).chain(machine) {
        out += &self::finding(finding);
    }
    if !report.notices.is_empty() {
        out.push('\n');
    }
    for notice in &report.notices {
        let _ = writeln!(out, "{WARN}note{WARN:#}     {notice}");
    }
    out
}

fn source(source: &SourceReport) -> String {
    let mut out = format!("{} {BOLD}{:<18}{BOLD:#} {}\n", word(source.state), source.name, source.bound_to);
    let mut line = |text: &str| {
        let _ = writeln!(out, "{:28}{text}", "");
    };
    if let Some(because) = &source.because_of {
        line(&format!("{DIM}set by {because}{DIM:#}"));
    }
    if let (Some(version), Some(latency)) = (&source.version, source.latency_ms) {
        let mut facts = vec![format!("version {version}"), format!("answers in {latency} ms")];
        if source.tables_wanted > 0 {
            facts.push(format!("{} of {} tables that definitions read", source.tables_found, source.tables_wanted));
        }
        if let Some(newest) = &source.newest {
            facts.push(format!("newest row {} ({})", age(newest.age_s), newest.table));
        }
        line(&facts.join(", "));
    }
    for remark in &source.remarks {
        line(&remark.found);
        if let Some(what_to_do) = &remark.what_to_do {
            line(&format!("what to do: {what_to_do}"));
        }
    }
    if let Some(problem) = &source.problem {
        line(problem);
    }
    if !source.tables_missing.is_empty() && !source.sections_without_data.is_empty() {
        line(&format!("missing: {}", some(&source.tables_missing)));
        line(&format!("affected: {}", some(&source.sections_without_data)));
    }
    if let Some(what_to_do) = &source.what_to_do {
        line(&format!("what to do: {what_to_do}"));
    }
    out
}

fn finding(finding: &Finding) -> String {
    line(finding.state, finding.name, &finding.found, finding.what_to_do.as_deref())
}

fn line(state: State, name: &str, found: &str, what_to_do: Option<&str>) -> String {
    let mut out = format!("{} {BOLD}{name:<18}{BOLD:#} {found}\n", word(state));
    if let Some(what_to_do) = what_to_do {
        let _ = writeln!(out, "{:28}what to do: {what_to_do}", "");
    }
    out
}

/// Padded to one width; colour comes on top of the word.
fn word(state: State) -> String {
    let (style, word) = match state {
        State::Ok => (GOOD, "ok"),
        State::Unused => (DIM, "-"),
        State::Warning => (WARN, "warning"),
        State::Broken => (BAD, "broken"),
    };
    format!("{style}{word}{style:#}{:1$}", "", 8 - word.len())
}

/// The first few of a list.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(6).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(6) {
        0 => shown,
        more => format!("{shown} and {more} more (`--format json` lists all)"),
    }
}

fn age(seconds: i64) -> String {
    match seconds {
        ..0 => "from the future".into(),
        0..120 => format!("{seconds} s old"),
        120..7200 => format!("{} min old", seconds / 60),
        7200..172_800 => format!("{} h old", seconds / 3600),
        _ => format!("{} days old", seconds / 86_400),
    }
}
