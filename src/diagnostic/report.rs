//! Diagnostics as machines read them: JSON lines, GitHub workflow commands, SARIF 2.1.0.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Code, Diagnostic, Label, Severity};

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Excerpts with carets, for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
    /// Annotations of a GitHub pull request.
    Github,
    /// SARIF 2.1.0, for code-scanning services.
    Sarif,
}

impl Format {
    pub const ALL: [Format; 4] = [Format::Text, Format::Json, Format::Github, Format::Sarif];

    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Github => "github",
            Format::Sarif => "sarif",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// The whole output of `validate` for stdout, with a line break at its end unless it is empty.
    pub fn print(self, diagnostics: &[Diagnostic], colour: bool) -> String {
        match self {
            Format::Text => super::render_all(diagnostics, colour),
            Format::Json => json(diagnostics),
            Format::Github => github(diagnostics),
            Format::Sarif => sarif(diagnostics),
        }
    }
}

/// One object a line. The members are stable: `code`, `rule`, `severity`, `message`, `file`, `line`, `column`,
/// `end_line`, `end_column` (from 1, columns in characters, the end exclusive), `start`, `end` (bytes from 0),
/// `label`, `help` (an array of sentences) and `related` (places with a label).
pub fn json(diagnostics: &[Diagnostic]) -> String {
    let mut lines = String::new();
    for diagnostic in diagnostics {
        let mut object = location(&diagnostic.at);
        let head = json!({
            "code": diagnostic.code.as_str(),
            "rule": diagnostic.code.rule().name,
            "severity": diagnostic.severity.as_str(),
            "message": diagnostic.message,
        });
        if let (Value::Object(object), Value::Object(mut head)) = (&mut object, head) {
            head.append(object);
            head.insert("help".to_owned(), json!(diagnostic.help));
            head.insert("related".to_owned(), diagnostic.related.iter().map(location).collect());
            *object = head;
        }
        let _ = writeln!(lines, "{object}");
    }
    lines
}

fn location(label: &Label) -> Value {
    let (line, column) = label.file.line_column(label.span.start);
    let (end_line, end_column) = label.file.line_column(label.span.end);
    json!({
        "file": label.file.path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "start": label.span.start,
        "end": label.span.end,
        "label": label.text,
    })
}

/// Workflow commands that GitHub shows as annotations of a pull request.
///
/// Escapes as the runner unescapes them: <https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>.
pub fn github(diagnostics: &[Diagnostic]) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut lines = String::new();
    for diagnostic in diagnostics {
        let (line, column) = diagnostic.line_column();
        let (end_line, end_column) = diagnostic.at.file.line_column(diagnostic.at.span.end);
        let mut message = diagnostic.message.clone();
        for sentence in diagnostic.hints() {
            let _ = write!(message, "\nhelp: {sentence}");
        }
        let _ = write!(
            lines,
            "::{} file={},line={line},endLine={end_line},col={column}",
            diagnostic.severity.as_str(),
            property(&diagnostic.at.file.path)
        );
        if end_line == line {
            // The runner ignores an end column on another line.
            let _ = write!(lines, ",endColumn={}", end_column.saturating_sub(1).max(column));
        }
        let rule = diagnostic.code.rule();
        let title = property(&format!("{} {}", diagnostic.code.as_str(), rule.name));
        let _ = writeln!(lines, ",title={title}::{}", data(&message));
    }
    lines
}

/// A SARIF 2.1.0 log of one run, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>.
pub fn sarif(diagnostics: &[Diagnostic]) -> String {
    let mut codes: Vec<Code> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort();
    codes.dedup();
    let rules: Vec<Value> = codes
        .iter()
        .map(|code| {
            let rule = code.rule();
            json!({
                "id": code.as_str(),
                "name": rule.name,
                "shortDescription": { "text": rule.meaning },
                "help": { "text": rule.fix },
                "defaultConfiguration": { "level": rule.severity.as_str() },
            })
        })
        .collect();
    let results: Vec<Value> = diagnostics
        .iter()
        .map(|diagnostic| {
            let mut message = diagnostic.message.clone();
            for sentence in diagnostic.hints() {
                let _ = write!(message, "\n{sentence}");
            }
            json!({
                "ruleId": diagnostic.code.as_str(),
                "ruleIndex": codes.binary_search(&diagnostic.code).unwrap_or_default(),
                "level": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
                "message": { "text": message },
                "locations": [physical(&diagnostic.at, None)],
                "relatedLocations": diagnostic.related.iter().enumerate()
                    .map(|(id, label)| physical(label, Some(id))).collect::<Vec<_>>(),
            })
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tfo-mcp",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn physical(label: &Label, id: Option<usize>) -> Value {
    let (line, column) = label.file.line_column(label.span.start);
    let (end_line, end_column) = label.file.line_column(label.span.end);
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&label.file.path) },
            "region": { "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column },
        },
    });
    if let (Value::Object(location), Some(id)) = (&mut location, id) {
        location.insert("id".to_owned(), json!(id));
        location.insert("message".to_owned(), json!({ "text": label.text }));
    }
    location
}

/// A relative URI reference (RFC 3986): `/` between segments, everything unusual percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
