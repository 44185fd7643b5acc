//! Next steps of context types: that they lead to another document, by a call that answers; and their texts, beside those of
//! highlights, for whoever reads these.

use std::collections::HashMap;

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Located, explain::escape, templates::suggestion};
use crate::{
    catalog::exact_schema,
    definition::{Context, Definition, Next},
    diagnostic::{Code, Diagnostic, one_of},
    load::Document,
};

/// A text: its pointer, itself, and whether it is an expression.
type Text<'c> = (String, &'c str, bool);

/// The section and the texts of every highlight and of every next step.
pub(super) fn rules(context: &Context) -> impl Iterator<Item = (Option<&str>, Vec<Text<'_>>)> {
    let highlights = context.highlights.iter().enumerate().map(|(n, rule)| {
        let at = |key: &str| format!("/highlights/{n}/{key}");
        (rule.each.as_deref(), vec![(at("when"), &*rule.when, true), (at("say"), &*rule.say, false)])
    });
    let steps = context.next.iter().enumerate().map(|(n, step)| {
        let at = |key: &str| format!("/next/{n}/{key}");
        let mut texts = vec![(at("why"), &*step.why, false)];
        texts.extend(step.around.iter().map(|text| (at("around"), &**text, false)));
        texts.extend(step.when.iter().map(|text| (at("when"), &**text, true)));
        texts
            .extend(step.filters.iter().map(|(name, text)| (at(&format!("filters/{}", escape(name))), &**text, false)));
        (step.each.as_deref(), texts)
    });
    highlights.chain(steps)
}

/// Steps that could never be told, or whose call would be an error.
pub(super) fn check(all: &[&Located], out: &mut Vec<Diagnostic>) {
    let mut known: HashMap<&str, &Context> = HashMap::new();
    let mut units: Vec<&str> = Vec::new();
    for located in all {
        match &located.definition {
            Definition::Context(context) => {
                known.extend(context.aliases.iter().chain([&context.name]).map(|name| (&*name.0, context)));
            }
            Definition::Columns(columns) => {
                let measured = columns.suffixes.iter().filter(|(_, column)| column.unit.is_some());
                units.extend(measured.map(|(suffix, _)| suffix.as_str()));
            }
            _ => {}
        }
    }
    for located in all {
        let (Definition::Context(context), document) = (&located.definition, &located.document) else { continue };
        for (n, step) in context.next.iter().enumerate() {
            let pointer = format!("/next/{n}");
            around(document, &pointer, step, &units, out);
            let Some(target) = known.get(&*step.context.0) else { continue };
            if target.name == context.name && step.filters.is_empty() && step.around.is_none() {
                let message = "this step leads to the document that tells it";
                let span = document.span(&format!("{pointer}/context"));
                let finding = document.finding(Code::InvalidValue, span, message);
                out.push(finding.help("give it `filters:` or `around:`, or another context type"));
            }
            let schema = exact_schema(&target.parameters);
            for (filter, text) in &step.filters {
                let at = format!("{pointer}/filters/{}", escape(filter));
                let property = schema.get("properties").and_then(|properties| properties.get(filter));
                match property {
                    None => out.push(unknown(document, &at, step, target, filter)),
                    Some(property) => out.extend(constant(document, &at, filter, text, property)),
                }
            }
        }
    }
}

/// A filter that the type does not take.
fn unknown(document: &Document, at: &str, step: &Next, target: &Context, filter: &str) -> Diagnostic {
    let message = format!("`{}` has no filter `{filter}`", step.context);
    let mut finding = document.finding(Code::UnknownReference, document.key_span(at), message);
    let names = target.parameters.keys().map(String::as_str);
    finding.help = match filter {
        "service_name" if target.parameters.contains_key("service") => {
            vec!["it is called `service` here, and `service_name` in the call that is told".to_owned()]
        }
        "time_range" | "start" | "end" => {
            vec!["the window is that of the document, or `around:` a moment".to_owned()]
        }
        _ => suggestion(filter, names, "its filters are"),
    };
    finding
}

/// A filter that is always the same: nothing, or what the type would refuse.
fn constant(document: &Document, at: &str, filter: &str, text: &str, schema: &Value) -> Option<Diagnostic> {
    if !is_constant(text) {
        return None;
    }
    let text = text.trim();
    if text.is_empty() {
        let finding = document.finding(Code::InvalidValue, document.key_span(at), "this step is never told");
        return Some(finding.help(format!("`{filter}` is always empty: leave it out, or give it a value of the row")));
    }
    // As a call has it: numbers and truth are read from text, choices in any case.
    let typed = serde_json::from_str::<Value>(text).ok().filter(|value| !value.is_string() && !value.is_null());
    let read = [Some(json!(text)), Some(json!(text.to_lowercase())), Some(json!(text.to_uppercase())), typed];
    let validator = jsonschema::options().should_validate_formats(true).build(schema).ok()?;
    if read.into_iter().flatten().any(|value| validator.is_valid(&value)) {
        return None;
    }
    let message = format!("`{text}` does not fit `{filter}`, so the call would be an error");
    let mut finding = document.finding(Code::ValueMismatch, document.span(at), message);
    if let Some(name) = schema.get("type").and_then(Value::as_str) {
        finding = finding.help(format!("it takes a value of type {name}"));
    }
    let choices: Vec<&str> =
        schema.get("enum").and_then(Value::as_array).into_iter().flatten().flat_map(Value::as_str).collect();
    if !choices.is_empty() {
        finding = finding.help(format!("it takes {}", one_of(choices, 12)));
    }
    Some(finding)
}

/// A moment that is none.
fn around(document: &Document, pointer: &str, step: &Next, units: &[&str], out: &mut Vec<Diagnostic>) {
    let Some(text) = step.around.as_deref() else { return };
    let at = format!("{pointer}/around");
    let text = text.trim();
    let help = "write a time of the row: `around: \"{{ row.began_at }}\"`";
    let message = if is_constant(text) {
        if OffsetDateTime::parse(text, &Rfc3339).is_ok() {
            return;
        }
        format!("`{text}` is no time, so this step is never told")
    } else {
        let bare = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim);
        let Some(column) = bare.and_then(|name| name.strip_prefix("row.")) else { return };
        let measured = units.iter().any(|unit| column.ends_with(unit));
        if !measured && !["_name", "_id"].iter().any(|end| column.ends_with(end)) {
            return;
        }
        format!("`{column}` is no time, so this step is never told")
    };
    let finding = document.finding(Code::InvalidValue, document.span(&at), message);
    let meant = is_constant(text) && text.starts_with("row.");
    out.push(finding.help(if meant {
        format!("put braces around it: `around: \"{{{{ {text} }}}}\"`")
    } else {
        help.to_owned()
    }));
}

/// Whether a template always says the same.
fn is_constant(text: &str) -> bool {
    !text.contains("{{") && !text.contains("{%")
}
