//! Rows as comma-separated values (RFC 4180, one line a row), and the fence around them.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{
    engine::document::Heading,
    source::{ColumnType, Rows},
    template::clean,
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

/// One line a row, each with its line break.
pub fn csv_rows<'a>(columns: &'a [Heading], rows: &'a [Vec<Value>]) -> impl Iterator<Item = String> + 'a {
    rows.iter().map(|row| {
        let mut line = String::with_capacity(row.len() * 12);
        for (i, (column, value)) in columns.iter().zip(row).enumerate() {
            if i > 0 {
                line.push(',');
            }
            cell(&mut line, column, value);
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
        Value::String(text) if column.ty == ColumnType::Timestamp => line.push_str(&shorter_time(text)),
        Value::String(text) if plain(text) && text.len() <= column.max_chars => line.push_str(text),
        Value::String(text) => quoted(line, &cut(clean(text), column.max_chars)),
        Value::Array(_) | Value::Object(_) => quoted(line, &cut(clean(&value.to_string()), column.max_chars)),
    }
}

/// Whether a text stands in a cell as it is.
fn plain(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b',' && b != b'"')
}

/// Times without a fraction that is zero.
fn shorter_time(text: &str) -> String {
    clean(&text.strip_suffix(".000Z").map_or_else(|| text.to_owned(), |seconds| format!("{seconds}Z")))
}

fn cut(mut text: String, max_chars: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(max_chars) {
        text.truncate(end);
        text.push('…');
    }
    text
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

/// The answer of a statement as a fenced table under a line that counts it.
pub fn rows_as_text(rows: &Rows) -> String {
    let columns: Vec<Heading> = headings(rows);
    let header = csv_header(&columns);
    let mut table = String::with_capacity(rows.rows.len() * 64);
    for line in csv_rows(&columns, &rows.rows) {
        table.push_str(&line);
    }
    let fence = fence([header.as_str(), table.as_str()].into_iter());
    let count = rows.rows.len();
    let mut text = match (count, rows.truncated.is_some()) {
        (0, false) => "The statement ran and answered no rows.\n".to_owned(),
        (1, false) => "1 row.\n".to_owned(),
        (n, false) => format!("{n} rows.\n"),
        (n, true) => format!("The first {n} rows; there are more: aggregate, filter or raise `max_rows`.\n"),
    };
    let _ = write!(text, "{fence}csv\n{header}{table}{fence}");
    text
}

/// The answer of a statement as comma-separated values alone.
pub fn csv_text(rows: &Rows) -> String {
    let columns = headings(rows);
    let mut text = csv_header(&columns);
    csv_rows(&columns, &rows.rows).for_each(|line| text.push_str(&line));
    text
}

/// The answer of a statement as JSON: columns once, rows as arrays.
pub fn json_text(rows: &Rows) -> String {
    let columns: Vec<&str> = rows.columns.iter().map(|column| column.name.as_str()).collect();
    serde_json::json!({ "columns": columns, "rows": rows.rows, "truncated": rows.truncated.is_some() }).to_string()
}

/// Columns as they come, for statements without a definition of columns.
pub fn headings(rows: &Rows) -> Vec<Heading> {
    let heading = |column: &crate::source::Column| Heading {
        name: column.name.clone(),
        title: column.name.clone(),
        unit: None,
        ty: column.ty,
        max_chars: usize::MAX,
    };
    rows.columns.iter().map(heading).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn heading(ty: ColumnType) -> Heading {
        Heading { name: "c".into(), title: "c".into(), unit: Some("ms".into()), ty, max_chars: 10 }
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
        ] {
            let rows = [vec![value]];
            assert_eq!(csv_rows(&columns, &rows).collect::<Vec<_>>(), [line]);
        }
        assert_eq!(csv_header(&columns), "c (ms)\n");
        let times = [vec![json!("2026-11-20T10:00:00.000Z")]];
        let stamps = [heading(ColumnType::Timestamp)];
        assert_eq!(csv_rows(&stamps, &times).collect::<Vec<_>>(), ["2026-11-20T10:00:00Z\n"]);
    }

    #[test]
    fn no_data_can_close_the_fence() {
        assert_eq!(fence(["a", "b``c"].into_iter()), "```");
        assert_eq!(fence(["a````b", "```"].into_iter()), "`````");
    }
}
