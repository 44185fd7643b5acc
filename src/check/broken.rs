//! What is said of a template or an expression that cannot be parsed, and how it is put right. Knows the texts alone, and not what
//! they may name.

use super::jinja::Broken;
use crate::{
    diagnostic::{Code, Diagnostic},
    load::Document,
};

/// A template that cannot be parsed.
pub(super) fn syntax(document: &Document, pointer: &str, text: &str, expression: bool, broken: Broken) -> Diagnostic {
    if expression && (text.contains("{{") || text.contains("{%")) {
        let span = document.text_span(pointer, 0..text.trim_end().len());
        let finding = document.finding(Code::TemplateSyntax, span, "an expression has no braces around it");
        let bare = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim);
        return match bare.filter(|bare| !bare.contains(['{', '}', '\n'])) {
            Some(bare) => finding.help(format!("write it as it is: `{bare}`")),
            None => finding.help("write the condition alone, without `{{ }}` and `{% %}`"),
        };
    }
    let unclosed = if expression { assigned(text, &broken) } else { unclosed(text, &broken) };
    let span = document.text_span(pointer, broken.range);
    unclosed.into_iter().fold(document.finding(Code::TemplateSyntax, span, broken.message), Diagnostic::help)
}

/// What to do about an expression that assigns where it should compare.
fn assigned(text: &str, broken: &Broken) -> Option<&'static str> {
    let end = broken.range.end.min(text.len());
    let rest = text.get(broken.range.start..end).unwrap_or_default().trim_start();
    let compares = rest.starts_with('=') && !rest.starts_with("==");
    compares.then_some("`==` compares: `row.state == 'failed'`")
}

/// What to do about a template that ends too early.
pub(super) fn unclosed(text: &str, broken: &Broken) -> Option<&'static str> {
    if broken.message.contains("end of input") && text.contains("{%") {
        return Some("close every block: `{% if %}` with `{% endif %}`, `{% for %}` with `{% endfor %}`");
    }
    if broken.message.contains("expected end of variable block") {
        return Some("close it with `}}`: `{{ row.service_name }}`");
    }
    let inside = broken.message.contains("expected end of block");
    inside.then_some("close it with `%}`: `{% if row.errors %}`")
}
