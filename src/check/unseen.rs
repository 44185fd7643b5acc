//! Characters without a picture in what people write: a title that shows something else than it is, a name that is another.
//!
//! Found wherever they stand in a file, comments and keys too, and where an escape of YAML makes them.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    diagnostic::{Code, Diagnostic, SourceFile, invisible, without_mark},
    load::Document,
    template::hidden,
};

/// What stands in a file as it is: one finding a line.
pub(super) fn check_file(file: &Arc<SourceFile>, out: &mut Vec<Diagnostic>) {
    let mut line_start = 0;
    for line in file.text.split_inclusive('\n') {
        let mark = if line_start == 0 { line.len() - without_mark(line).len() } else { 0 };
        if let Some((at, c)) = hidden(line.get(mark..).unwrap_or_default()).next() {
            let start = line_start + mark + at;
            out.push(finding(file, start..start + c.len_utf8(), c));
        }
        line_start += line.len();
    }
}

/// What escapes make.
pub(super) fn check_values(document: &Document, out: &mut Vec<Diagnostic>) {
    if document.file.text.contains('\\') {
        walk(document, &document.value, &mut String::new(), out);
    }
}

fn walk(document: &Document, value: &Value, pointer: &mut String, out: &mut Vec<Diagnostic>) {
    let length = pointer.len();
    match value {
        Value::String(text) => {
            let found = hidden(text).find_map(|(at, c)| {
                let span = document.text_span(pointer, at..at + c.len_utf8());
                let written = document.file.text.get(span.clone()).unwrap_or_default();
                (!written.contains(c)).then(|| finding(&document.file, span, c))
            });
            out.extend(found);
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                walk(document, item, pointer, out);
                pointer.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (key, item) in fields {
                pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1")));
                walk(document, item, pointer, out);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

fn finding(file: &Arc<SourceFile>, span: std::ops::Range<usize>, c: char) -> Diagnostic {
    let named = invisible(&c.to_string()).unwrap_or_else(|| format!("U+{:04X}", u32::from(c)));
    Diagnostic::new(Code::HiddenCharacter, file, span, format!("here stands {named}, which nobody sees"))
}
