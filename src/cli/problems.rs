//! Mistakes in the settings for people: those of a file with line, column and excerpt, as `validate` shows them.

use std::{io::IsTerminal, ops::Range, path::PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, renderer::DecorStyle};

use super::output;
use crate::{
    load::yaml,
    settings::{self, Origin, Problem},
    written::without_mark,
};

/// Prints all of them to standard error.
pub(super) fn print(problems: &[Problem]) {
    let colour = std::io::stderr().is_terminal();
    for problem in problems {
        match excerpt(problem, colour) {
            Some(text) => output::say(&format!("{text}\n")),
            None => output::error(&problem.to_string(), problem.help.as_deref()),
        }
    }
}

/// The mistake where it stands, for those of a file that can still be read. The excerpt shows no secrets, not even
/// those that stand beside the mistake; a file that is not YAML is not shown, because nobody knows what in it is one.
fn excerpt(problem: &Problem, colour: bool) -> Option<String> {
    let (Origin::File(path) | Origin::DataFile(path)) = &problem.origin else { return None };
    let span = problem.place.as_ref().filter(|_| !problem.key.is_empty())?.span.clone();
    let text = std::fs::read_to_string(path).ok()?;
    let (text, span) = without_secrets(without_mark(&text), span)?;
    let title = format!("`{}` {}", problem.key, problem.message);
    let shown = shorten(path).display().to_string();
    let snippet = Snippet::source(text.as_str()).path(shown).annotation(AnnotationKind::Primary.span(span));
    let mut group = Level::ERROR.primary_title(title.as_str()).element(snippet);
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    Some(renderer.decor_style(DecorStyle::Ascii).term_width(140).render(&[group]))
}

/// The text with every value replaced that is a secret, or that nobody knows: a misspelt key may hold one. With the place
/// of a mistake in it.
fn without_secrets(text: &str, mut at: Range<usize>) -> Option<(String, Range<usize>)> {
    const MASK: &str = "***";
    fn walk(node: &yaml::Node, key: &str, hidden: &mut Vec<Range<usize>>) {
        match &node.children {
            yaml::Children::None if !settings::may_show(key) => hidden.push(node.span.clone()),
            yaml::Children::None => {}
            yaml::Children::Items(items) => items.iter().for_each(|item| walk(item, key, hidden)),
            yaml::Children::Entries(entries) => {
                for entry in entries {
                    let dot = if key.is_empty() { "" } else { "." };
                    walk(&entry.node, &format!("{key}{dot}{}", entry.key), hidden);
                }
            }
        }
    }
    let mut hidden = Vec::new();
    walk(&yaml::parse(text).root, "", &mut hidden);
    hidden.retain(|span| !span.is_empty() && text.get(span.clone()).is_some());
    hidden.sort_by_key(|span| std::cmp::Reverse(span.start));
    let mut shown = text.to_owned();
    for span in hidden {
        let moved = |end: usize| if end >= span.end { end + MASK.len() - span.len() } else { end };
        at = moved(at.start)..moved(at.end);
        shown.replace_range(span, MASK);
    }
    shown.get(at.clone()).is_some().then_some((shown, at))
}

/// The path as a person would type it from here.
fn shorten(path: &std::path::Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).map_or_else(|_| path.to_path_buf(), PathBuf::from)
}
