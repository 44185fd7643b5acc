//! Writing: data to standard output, everything else to standard error. Colour only where a person reads it.

use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const NOTE: Style = AnsiColor::Cyan.on_default();

/// A word of a command line that a person may paste into a shell.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@+".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Writes to standard output; styles are removed unless it is a terminal.
pub(super) fn write(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Writes an indented JSON document to standard output.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    write(&serde_json::to_string_pretty(value)?)?;
    Ok(())
}

/// Writes a line to standard error. Nothing can be done if that fails.
pub(super) fn say(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

pub(super) fn error(message: &str, hint: Option<&str>) {
    say(&format!("{BAD}error{BAD:#}: {message}"));
    if let Some(text) = hint {
        hint_line(text);
    }
}

pub(super) fn warning(message: &str) {
    say(&format!("{WARN}warning{WARN:#}: {message}"));
}

pub(super) fn hint_line(text: &str) {
    say(&format!("{NOTE}hint{NOTE:#}: {text}"));
}

/// Lines of a table whose columns are as wide as their widest cell; the last column is not padded.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
