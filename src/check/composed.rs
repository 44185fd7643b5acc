//! Parameters that a context type is about: what names the types that one is made of is a bounded list, beside which nothing
//! is said, and what names an account is there.

use super::{explain::escape, templates::suggestion};
use crate::{
    definition::{Context, ParameterType},
    diagnostic::{Code, Diagnostic},
    load::Document,
};

/// More types would not fit into a document.
const MOST: u64 = 8;

pub(super) fn check(document: &Document, context: &Context, out: &mut Vec<Diagnostic>) {
    if let Some(name) = context.of_account.as_ref().filter(|name| !context.parameters.contains_key(*name)) {
        out.push(lacking(document, context, name, "/of_account"));
    }
    let Some(name) = &context.composes else {
        if context.sections.is_empty() {
            let message = "a context type has sections, or is made of others".to_owned();
            let finding = document.finding(Code::MissingField, document.span(""), message);
            out.push(finding.help("Add `sections:`."));
        }
        return;
    };
    let own = [
        ("sections", !context.sections.is_empty()),
        ("highlights", !context.highlights.is_empty()),
        ("next", !context.next.is_empty()),
        ("summary", context.summary.is_some()),
    ];
    for (key, _) in own.into_iter().filter(|(_, said)| *said) {
        let message = format!("what is made of other context types has no `{key}` of its own");
        let finding = document.finding(Code::InvalidValue, document.span(&format!("/{key}")), message);
        out.push(finding.help("Remove it, or `composes:`."));
    }
    let Some(parameter) = context.parameters.get(name) else {
        return out.push(lacking(document, context, name, "/composes"));
    };
    let texts = parameter.ty == ParameterType::Array && parameter.items == Some(ParameterType::String);
    let bounded = parameter.max_length.is_some_and(|most| (1..=MOST).contains(&most));
    if !(texts && bounded) {
        let span = document.span(&format!("/parameters/{}", escape(name)));
        let message = format!("`{name}` has to be a list of texts, at most {MOST}");
        let finding = document.finding(Code::InvalidValue, span, message);
        out.push(finding.help("Write `type: array`, `items: string` and `max_length: 5`."));
    }
}

/// What names a parameter names one that is not there.
fn lacking(document: &Document, context: &Context, name: &str, pointer: &str) -> Diagnostic {
    let message = format!("there is no parameter `{name}`");
    let mut finding = document.finding(Code::InvalidValue, document.span(pointer), message);
    finding.help = suggestion(name, context.parameters.keys().map(String::as_str), "the parameters are");
    finding
}
