//! Expressions of actions: that they can be computed, and that their names are set.

use super::{statements, templates::suggestion};
use crate::{
    arithmetic::Expression,
    definition::Definition,
    diagnostic::{Code, Diagnostic},
    load::Document,
};

pub(super) fn check(document: &Document, definition: &Definition, out: &mut Vec<Diagnostic>) {
    let arguments = statements::argument_names(definition);
    for site in statements::sites(definition) {
        let Some(text) = site.action.facts().expression else { continue };
        let pointer = format!("{}/expression", site.pointer);
        let expression = match Expression::parse(text) {
            Ok(expression) => expression,
            Err(mistake) => {
                let span = mistake.at.map_or_else(|| document.span(&pointer), |at| document.text_span(&pointer, at));
                let mut finding = document.finding(Code::TemplateSyntax, span, mistake.message);
                finding.help.extend(mistake.help);
                out.push(finding);
                continue;
            }
        };
        let kept = site.kept.iter().map(|(name, _)| *name);
        let known: Vec<&str> = arguments.iter().map(String::as_str).chain(kept).collect();
        for (name, range) in expression.named().filter(|(name, _)| !known.contains(name)) {
            let span = document.text_span(&pointer, range);
            let message = format!("undefined variable `{name}`");
            let mut finding = document.finding(Code::UndefinedVariable, span, message);
            finding.help = suggestion(name, known.iter().copied(), "variables are");
            out.push(finding);
        }
    }
}
