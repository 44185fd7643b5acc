//! Rules of single kinds: annotations and portable schemas of tools, URIs of resources, windows of contexts,
//! models of providers.

use std::collections::HashMap;

use serde_json::Value;

use super::{explain::escape, statements, templates::suggestion};
use crate::{
    catalog::{UriTemplate, input_schema},
    definition::{
        Annotations, Changes, Context, Data, Definition, ParameterType, Parameters, Provider, Resource, Tool,
    },
    diagnostic::{Code, Diagnostic, did_you_mean},
    load::Document,
};

pub(super) fn check(document: &Document, definition: &Definition, out: &mut Vec<Diagnostic>) {
    parameter_names(document, definition, out);
    match definition {
        Definition::Tool(tool) => {
            long(document, &tool.description, out);
            open_objects(document, &tool.parameters, "/parameters", out);
            annotations(document, definition, tool, out);
            portable(document, &Value::Object(input_schema(&tool.parameters)), "", out);
        }
        Definition::Prompt(prompt) => long(document, &prompt.description, out),
        Definition::Resource(resource) => {
            long(document, &resource.description, out);
            uri(document, resource, out);
        }
        Definition::Context(context) => periods(document, context, out),
        Definition::Provider(provider) => models(document, provider, out),
        _ => {}
    }
}

/// Longest description of a function that the interfaces of OpenAI and Azure take, in characters.
const LONGEST_DESCRIPTION: usize = 1024;

fn long(document: &Document, description: &str, out: &mut Vec<Diagnostic>) {
    let characters = description.trim().chars().count();
    if characters > LONGEST_DESCRIPTION {
        let message = format!("the description has {characters} characters; some clients take {LONGEST_DESCRIPTION}");
        let finding = document.finding(Code::LongDescription, document.key_span("/description"), message);
        out.push(finding.help("Shorten it: say what it does, when to use it and what it answers."));
    }
}

/// Objects that do not say what they hold.
fn open_objects(document: &Document, parameters: &Parameters, pointer: &str, out: &mut Vec<Diagnostic>) {
    for (name, parameter) in parameters.iter().filter(|(_, parameter)| parameter.ty == ParameterType::Object) {
        let pointer = format!("{pointer}/{}", escape(name));
        if parameter.properties.is_empty() && parameter.properties_from.is_none() {
            let message = format!("the object `{name}` does not say what it holds");
            let finding = document.finding(Code::OpenObject, document.key_span(&pointer), message);
            out.push(finding.help("Name what it holds under `properties:`."));
        }
        open_objects(document, &parameter.properties, &format!("{pointer}/properties"), out);
    }
}

/// Clients take property names of this alphabet; templates use parameters as variables, so the first character is
/// no digit and there is no hyphen.
fn parameter_names(document: &Document, definition: &Definition, out: &mut Vec<Diagnostic>) {
    let key = statements::parameters_key(definition);
    for name in statements::parameters(definition).into_iter().flatten().map(|(name, _)| name) {
        if !is_plain(name) {
            let span = document.key_span(&format!("/{key}/{}", escape(name)));
            out.push(
                document
                    .finding(Code::Portability, span, format!("`{name}` is not a name that every client takes"))
                    .help("Use letters, digits and `_`, at most 64, not beginning with a digit."),
            );
        } else if matches!(definition, Definition::Tool(_)) && TAKEN.contains(&name.as_str()) {
            let span = document.key_span(&format!("/{key}/{}", escape(name)));
            out.push(
                document
                    .finding(Code::TakenName, span, format!("`{name}` is a name that some clients cannot pass"))
                    .help("Agents that write Python cannot write its keywords, and frameworks keep some names for themselves.")
                    .help(format!("Call it otherwise, such as `{name}_name`, and let the old name be one of its `aliases:`.")),
            );
        }
    }
}

/// Keywords of Python, and what frameworks of agents keep for themselves.
const TAKEN: [&str; 43] = [
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "arguments",
    "cls",
    "context",
    "ctx",
    "kernel",
    "self",
    "service",
    "service_id",
];

pub(super) fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= 64
}

fn annotations(document: &Document, definition: &Definition, tool: &Tool, out: &mut Vec<Diagnostic>) {
    let Annotations { read_only, destructive, .. } = tool.annotations;
    // What asks a source; the database enforces that it only reads.
    let found = statements::actions(definition).into_iter().find_map(|(pointer, action)| {
        let facts = action.facts();
        (facts.data != Data::None).then_some((facts.word, pointer))
    });
    let action = found.as_ref().map(|(action, _)| *action);
    let place = found.as_ref().map_or("/run", |(_, pointer)| pointer.as_str());
    let changes = tool.run.reach().changes;
    let at = |key: &str| {
        let pointer = format!("/annotations/{key}");
        if document.value.pointer(&pointer).is_some() {
            document.span(&pointer)
        } else if document.value.get("annotations").is_some() {
            document.key_span("/annotations")
        } else {
            document.span(&format!("{place}/action"))
        }
    };
    if let Some(action) = action.filter(|_| read_only == Some(false) && changes == Changes::Nothing) {
        let message = format!("a tool that runs `{action}` only reads, and says that it does not");
        out.push(
            document
                .finding(Code::Annotations, at("read_only"), message)
                .help("Remove `read_only`: it follows from the action, and clients ask a person before anything else."),
        );
    }
    if read_only == Some(true) && changes != Changes::Nothing {
        let message = "a tool whose actions change something says that it only reads";
        out.push(document.finding(Code::Annotations, at("read_only"), message).help("Remove `read_only`."));
    }
    if destructive == Some(false) && changes == Changes::Destroys {
        let message = "a tool whose actions may destroy something says that it does not";
        out.push(document.finding(Code::Annotations, at("destructive"), message).help("Remove `destructive`."));
    }
    if read_only == Some(true) && destructive == Some(true) {
        out.push(
            document
                .finding(Code::Annotations, at("destructive"), "a tool that only reads destroys nothing")
                .help("Write `destructive: false`."),
        );
    }
}

/// What widespread clients refuse in an input schema. Most of it cannot be written; this proves the rest.
fn portable(document: &Document, schema: &Value, pointer: &str, out: &mut Vec<Diagnostic>) {
    let Some(object) = schema.as_object() else { return };
    for word in ["$ref", "oneOf", "anyOf", "allOf", "not", "if"] {
        if object.contains_key(word) {
            let message = format!("the input schema uses `{word}`, which many clients refuse");
            out.push(document.finding(Code::Portability, document.key_span("/parameters"), message));
        }
    }
    if object.get("type").and_then(Value::as_str) == Some("array") && !object.contains_key("items") {
        let span = document.key_span(&format!("/parameters{pointer}"));
        out.push(document.finding(Code::Portability, span, "an array without items is refused by many clients"));
    }
    for (name, property) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
        portable(document, property, &format!("{pointer}/{}", escape(name)), out);
    }
}

fn uri(document: &Document, resource: &Resource, out: &mut Vec<Diagnostic>) {
    let span = document.span("/uri");
    let scheme = resource.uri.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && !rest.is_empty()
    });
    if !scheme || resource.uri.contains(char::is_whitespace) {
        let message = format!("`{}` is not a URI", resource.uri);
        out.push(
            document.finding(Code::UriTemplate, span, message).help("Write a scheme and a path: `catalog://contexts`."),
        );
        return;
    }
    let template = match UriTemplate::parse(&resource.uri) {
        Ok(template) => template,
        Err(message) => return out.push(document.finding(Code::UriTemplate, span, message)),
    };
    let variables = template.variables();
    for variable in variables.iter().filter(|variable| !resource.parameters.contains_key(**variable)) {
        let mut uses = resource.uri.match_indices(*variable).map(|(at, _)| at);
        let behind_brace = |at: &usize| resource.uri.get(..*at).is_some_and(|text| text.ends_with(['{', '?', ',']));
        let at = uses.find(behind_brace).unwrap_or_default();
        let span = document.text_span("/uri", at..at + variable.len());
        let mut finding =
            document.finding(Code::UriTemplate, span, format!("`{variable}` is not a declared parameter"));
        finding.help = suggestion(variable, resource.parameters.keys().map(String::as_str), "parameters are");
        if finding.help.is_empty() {
            finding = finding.help(format!("declare `{variable}` under `parameters:`"));
        }
        out.push(finding);
    }
    let undeclared = || variables.iter().copied().filter(|variable| !resource.parameters.contains_key(*variable));
    for name in resource.parameters.keys().filter(|name| !variables.contains(&name.as_str())) {
        if did_you_mean(name, undeclared()).is_some() {
            // Said already, at the variable.
            continue;
        }
        let span = document.key_span(&format!("/parameters/{}", escape(name)));
        out.push(
            document
                .finding(Code::UriTemplate, span, format!("the URI has no variable `{name}`"))
                .help(format!("Add it to the URI: `{}{{?{name}}}`, or remove the parameter.", resource.uri)),
        );
    }
}

fn periods(document: &Document, context: &Context, out: &mut Vec<Diagnostic>) {
    if context.window.default > context.window.max {
        let key = if document.value.pointer("/window/default").is_some() { "/window/default" } else { "/window/max" };
        let message = format!(
            "the default window of {} is longer than the longest of {}",
            context.window.default, context.window.max
        );
        out.push(
            document.finding(Code::PeriodOrder, document.span(key), message).help("Lower `default:` or raise `max:`."),
        );
    }
    for (name, section) in &context.sections {
        for (n, alternative) in section.query.iter().enumerate() {
            let Some(span) = &alternative.span else { continue };
            if let (Some(min), Some(max)) = (span.min, span.max)
                && min > max
            {
                let at = document.span(&format!("/sections/{}/query/{n}/span/min", escape(name)));
                let message = format!("no window is at least {min} and at most {max}");
                out.push(document.finding(Code::PeriodOrder, at, message).help("Swap them."));
            }
        }
    }
}

fn models(document: &Document, provider: &Provider, out: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (n, model) in provider.models.iter().enumerate() {
        if let Some(first) = seen.insert(&model.id, n) {
            let message = format!("the model `{}` stands twice", model.id);
            out.push(
                document
                    .finding(Code::ModelList, document.span(&format!("/models/{n}/id")), message)
                    .label("again here")
                    .related(&document.file, document.span(&format!("/models/{first}/id")), "first here"),
            );
        }
    }
    if !seen.contains_key(provider.default_model.as_str()) {
        let message = format!("the default model `{}` is not among the models", provider.default_model);
        let mut finding = document.finding(Code::ModelList, document.span("/default_model"), message);
        finding.help =
            suggestion(&provider.default_model, provider.models.iter().map(|model| model.id.as_str()), "models are");
        out.push(finding);
    }
}
