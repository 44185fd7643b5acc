//! Diagnostics as people read them: rustc's look, through annotate-snippets.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, renderer::DecorStyle};

use super::{Diagnostic, Label, Severity};

/// Lines of an excerpt are cut to this width.
const WIDTH: usize = 140;

/// One diagnostic with its excerpt. `colour` adds ANSI sequences, which the caller wants only on a terminal.
pub fn render(diagnostic: &Diagnostic, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.as_str());
    let mut group = Group::with_title(title);
    group = place(group, &diagnostic.at, AnnotationKind::Primary, &diagnostic.related);
    for label in diagnostic.related.iter().filter(|label| label.file != diagnostic.at.file) {
        group = place(group, label, AnnotationKind::Context, &[]);
    }
    for sentence in &diagnostic.help {
        group = group.element(Level::HELP.message(sentence.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).term_width(WIDTH).render(&[group])
}

/// All diagnostics, a blank line between them, and a closing count. Empty for none.
pub fn render_all(diagnostics: &[Diagnostic], colour: bool) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&render(diagnostic, colour));
        text.push_str("\n\n");
    }
    let count = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if !diagnostics.is_empty() {
        let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let _ = writeln!(text, "{}, {}", plural(errors, "error"), plural(warnings, "warning"));
    }
    text
}

fn place<'a>(group: Group<'a>, label: &'a Label, kind: AnnotationKind, related: &'a [Label]) -> Group<'a> {
    let file = &label.file;
    if file.text.is_empty() {
        return group.element(Origin::path(file.path.as_str()).line(1).char_column(1));
    }
    let annotate = |label: &'a Label, kind: AnnotationKind| {
        let annotation = kind.span(label.span.clone());
        if label.text.is_empty() { annotation } else { annotation.label(label.text.as_str()) }
    };
    let beside =
        related.iter().filter(|other| other.file == *file).map(|other| annotate(other, AnnotationKind::Context));
    group.element(
        Snippet::source(file.text.as_ref())
            .path(file.path.as_str())
            .annotation(annotate(label, kind))
            .annotations(beside),
    )
}
