//! Rows as comma-separated values (RFC 4180, one line a row), and the fence around them.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{
    definition::{Keep, OutputFormat},
    engine::{
        cut::{Cut, head},
        document::{Heading, Total, zone},
    },
    source::{ColumnType, Rows, Truncation},
    template::{clean, clean_value, counted as counted_of},
};

/// The header line, with the line break.
pub fn csv_header(columns: &[Heading]) -> String {
    let mut line = String::new();
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            line.push(',');
        }
        quoted(&mut line, &clean(&column.label()));
    }
    line.push('\n');
    line
}

/// How far a row of a tree is moved in for each level, and the level from which on it is not any more.
const STEP: &str = "· ";
const MOST_DEPTH: usize = 20;

/// One line a row, each with its line break.
pub fn csv_rows<'a>(columns: &'a [Heading], rows: &'a [Vec<Value>]) -> impl Iterator<Item = String> + 'a {
    rows.iter().map(|row| {
        let mut line = String::with_capacity(row.len() * 12);
        for (i, (column, value)) in columns.iter().zip(row).enumerate() {
            if i > 0 {
                line.push(',');
            }
            let start = line.len();
            cell(&mut line, column, value);
            if let Some(depth @ 1..) = column.indent.and_then(|at| row.get(at)?.as_u64()) {
                // Within the quotes, where there are any.
                let start = start + usize::from(line.get(start..).is_some_and(|cell| cell.starts_with('"')));
                line.insert_str(start, &STEP.repeat(usize::try_from(depth).unwrap_or(MOST_DEPTH).min(MOST_DEPTH)));
            }
        }
        line.push('\n');
        line
    })
}

fn cell(line: &mut String, column: &Heading, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => line.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => {
            let _ = write!(line, "{number}");
        }
        Value::String(text) if matches!(column.ty, ColumnType::Timestamp | ColumnType::LocalTimestamp) => {
            line.push_str(&shorter_time(text));
        }
        Value::String(text) if plain(text) && text.len() <= column.max_chars => line.push_str(text),
        Value::String(text) => quoted(line, &head(clean(text), column.max_chars)),
        Value::Array(_) | Value::Object(_) => quoted(line, &head(clean_value(value).to_string(), column.max_chars)),
    }
}

/// Whether a text stands in a cell as it is.
fn plain(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b',' && b != b'"')
}

/// Times without a fraction that is zero.
fn shorter_time(text: &str) -> String {
    let (clock, zone) = text.strip_suffix('Z').map_or((text, ""), |clock| (clock, "Z"));
    clean(&format!("{}{zone}", clock.strip_suffix(".000").unwrap_or(clock)))
}

fn quoted(line: &mut String, text: &str) {
    if text.contains([',', '"']) {
        line.push('"');
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(text);
    }
}

/// A fence that no run of back-quotes in the texts can close.
pub fn fence<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let longest = texts.map(longest_run).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for byte in text.bytes() {
        run = if byte == b'`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// A text in a fence that nothing in it can close.
pub fn fenced(language: &str, text: &str) -> String {
    let fence = fence(std::iter::once(text));
    let line_break = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{line_break}{fence}")
}

/// What an answer is cut to.
#[derive(Debug, Clone, Copy)]
pub struct Limited {
    pub rows: Cut,
    pub bytes: Cut,
    pub chars: Cut,
    /// As `chars` says.
    pub max_chars: usize,
    /// What is said of an answer without rows.
    pub nothing: &'static str,
}

/// The answer of a statement, and what it does not show.
pub struct Answered {
    pub text: String,
    /// How many of the rows that were read stand in the text.
    pub shown: usize,
    /// Which limit left rows unread.
    pub unread: Option<Cut>,
    /// The limit on the text.
    pub chars: Cut,
}

/// The answer of a statement: a line that counts its rows, and a fence with those of them that fit.
pub fn rows(rows: &Rows, format: OutputFormat, limited: &Limited) -> Answered {
    let columns = headings(rows, format);
    let lines: Vec<String> = match format {
        OutputFormat::Table | OutputFormat::Csv => csv_rows(&columns, &rows.rows).collect(),
        OutputFormat::Json => rows.rows.iter().map(|row| json_row(row)).collect(),
    };
    let header = csv_header(&columns);
    let mut left = limited.max_chars.saturating_sub(header.chars().count());
    let fits = |line: &&String| {
        let rest = left.checked_sub(line.chars().count() + 1);
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    let kept = lines.iter().take_while(fits).count();
    let shown = lines.get(..kept).unwrap_or_default();
    let seen = Total { count: rows.rows.len(), more: rows.truncated.is_some() };
    let unread = rows.truncated.map(|cut| match cut {
        Truncation::Rows => limited.rows.seeing(seen),
        Truncation::Bytes => limited.bytes.seeing(seen),
    });
    let cut = (kept < rows.rows.len()).then(|| limited.chars.seeing(seen)).or(unread);
    let text = match format {
        OutputFormat::Table | OutputFormat::Csv => fenced("csv", &(header + &shown.concat())),
        OutputFormat::Json => fenced("json", &json_text(&columns, shown, cut)),
    };
    let text = format!("{}\n{text}", counted(rows, kept, limited, unread));
    Answered { text, shown: kept, unread, chars: limited.chars }
}

/// How many rows there are, which limits left some out, and what to do about it.
fn counted(rows: &Rows, kept: usize, limited: &Limited, unread: Option<Cut>) -> String {
    let (chars, nothing) = (limited.chars, limited.nothing);
    let read = rows.rows.len();
    let who = match (kept, read) {
        (0, 1) => "it does",
        (0, _) => "they do",
        _ => "the others do",
    };
    let too_long = || format!("{who} not fit into {} (`{}`)", chars.limit, chars.cap.name());
    let (why, what_to_do) = match unread {
        Some(unread) if kept < read => (format!("{}, and {}", too_long(), unread.why()), chars.cap.what_to_do()),
        None if kept < read => (too_long(), chars.cap.what_to_do()),
        Some(unread) => (unread.why(), unread.cap.what_to_do()),
        None => {
            return match read {
                0 => nothing.to_owned(),
                1 => "1 row.".to_owned(),
                n => format!("{n} rows."),
            };
        }
    };
    let first = match (kept, unread) {
        (0, None) if read == 1 => "The one row is not shown".to_owned(),
        (0, None) => format!("None of {read} rows is shown"),
        (0, Some(_)) if read == 0 => "No row is shown".to_owned(),
        (0, Some(_)) => format!("None of more than {read} rows is shown"),
        (kept, None) => format!("The first {kept} of {read} rows"),
        (kept, Some(_)) if kept < read => format!("The first {kept} of more than {read} rows"),
        (kept, Some(_)) => format!("The first {}", counted_of(kept, "row")),
    };
    format!("{first}; {why}: {what_to_do}.")
}

fn json_row(row: &[Value]) -> String {
    Value::Array(row.iter().map(clean_value).collect()).to_string()
}

/// Columns once, rows as arrays.
fn json_text(columns: &[Heading], shown: &[String], cut: Option<Cut>) -> String {
    let names: Vec<String> = columns.iter().map(|column| clean(&column.name)).collect();
    let (names, truncated) = (Value::from(names), cut.is_some());
    let cut = cut.map(|cut| format!(",\"cut\":{}", cut.to_value())).unwrap_or_default();
    format!("{{\"columns\":{names},\"rows\":[{}],\"truncated\":{truncated}{cut}}}", shown.join(","))
}

/// Columns as they come, for statements without a definition of columns.
fn headings(rows: &Rows, format: OutputFormat) -> Vec<Heading> {
    let heading = |(at, column): (usize, &crate::source::Column)| Heading {
        name: column.name.clone(),
        title: column.name.clone(),
        unit: None,
        ty: column.ty,
        // Programs look for the name alone.
        zone: zone(rows, at).filter(|_| format == OutputFormat::Table),
        max_chars: usize::MAX,
        keep: Keep::Head,
        indent: None,
        forgotten: false,
        decimals: None,
        empty: None,
    };
    rows.columns.iter().enumerate().map(heading).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn heading(ty: ColumnType) -> Heading {
        Heading {
            name: "c".into(),
            title: "c".into(),
            unit: Some("ms".into()),
            ty,
            zone: None,
            max_chars: 10,
            keep: Keep::Head,
            indent: None,
            forgotten: false,
            decimals: None,
            empty: None,
        }
    }

    #[test]
    fn cells_are_one_line_quoted_where_needed_and_cut_at_characters() {
        let columns = [heading(ColumnType::Text)];
        for (value, line) in [
            (json!("plain"), "plain\n"),
            (json!("a,b"), "\"a,b\"\n"),
            (json!("say \"x\""), "\"say \"\"x\"\"\"\n"),
            (json!("a\nb\u{1b}[0m\u{202e}"), "a b[0m\n"),
            (json!("éééééééééééé"), "éééééééééé…\n"),
            (json!(null), "\n"),
            (json!(12.5), "12.5\n"),
            (json!({"a": 1}), "\"{\"\"a\"\":1}\"\n"),
            (json!(["a\u{200b}\nb"]), "\"[\"\"a\\nb\"\"]\"\n"),
        ] {
            let rows = [vec![value]];
            assert_eq!(csv_rows(&columns, &rows).collect::<Vec<_>>(), [line]);
        }
        assert_eq!(csv_header(&columns), "c (ms)\n");
        for (ty, time, line) in [
            (ColumnType::Timestamp, "2026-11-20T10:00:00.000Z", "2026-11-20T10:00:00Z\n"),
            (ColumnType::Timestamp, "2026-11-20T10:00:00.120Z", "2026-11-20T10:00:00.120Z\n"),
            (ColumnType::LocalTimestamp, "2026-11-20T10:00:00.000", "2026-11-20T10:00:00\n"),
        ] {
            assert_eq!(csv_rows(&[heading(ty)], &[vec![json!(time)]]).collect::<Vec<_>>(), [line]);
        }
    }

    #[test]
    fn no_data_can_close_the_fence() {
        assert_eq!(fence(["a", "b``c"].into_iter()), "```");
        assert_eq!(fence(["a````b", "```"].into_iter()), "`````");
    }
}
