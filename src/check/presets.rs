//! What names of a context type stand for: names and filters that there are, and values that the filters take.

use serde_json::Value;

use super::{explain::escape, templates};
use crate::{
    catalog::exact_schema,
    definition::Context,
    diagnostic::{Code, Diagnostic, one_of},
    load::Document,
};

pub(super) fn check(document: &Document, context: &Context, out: &mut Vec<Diagnostic>) {
    let names: Vec<&str> = std::iter::once(&context.name).chain(&context.aliases).map(|name| &**name).collect();
    let schema = exact_schema(&context.parameters);
    for (name, filters) in &context.presets {
        let at = format!("/presets/{}", escape(name));
        if !names.contains(&name.as_str()) {
            let message = format!("`{name}` is no name of this context type");
            let finding = document.finding(Code::UnknownReference, document.key_span(&at), message);
            out.push(finding.help(format!("its names are {}", one_of(names.iter().copied(), 12))));
        }
        for (filter, value) in filters {
            let span = format!("{at}/{}", escape(filter));
            let Some(property) = schema.get("properties").and_then(|properties| properties.get(filter)) else {
                let message = format!("there is no parameter `{filter}`");
                let mut finding = document.finding(Code::UnknownArgument, document.key_span(&span), message);
                let known = context.parameters.keys().map(String::as_str);
                finding.help = templates::suggestion(filter, known, "parameters are");
                out.push(finding);
                continue;
            };
            if !fits(property, value) {
                let message = format!("{} does not fit `{filter}`", super::explain::describe(value));
                out.push(document.finding(Code::ValueMismatch, document.span(&span), message));
            }
        }
    }
}

fn fits(schema: &Value, value: &Value) -> bool {
    jsonschema::options().should_validate_formats(true).build(schema).is_ok_and(|validator| validator.is_valid(value))
}
