//! Rules of the JSON Schemas that a tool brings along: of its arguments, and of what it answers.

use serde_json::{Map, Value};

use crate::{
    catalog::compile_schema,
    definition::Tool,
    diagnostic::{Code, Diagnostic},
    load::Document,
};

pub(super) fn check(document: &Document, tool: &Tool, out: &mut Vec<Diagnostic>) {
    if let Some(source) = &tool.input_schema {
        if !tool.parameters.is_empty() {
            let span = document.key_span("/input_schema");
            let finding = document.finding(Code::InputSchema, span, "the arguments are described twice");
            let there = document.key_span("/parameters");
            out.push(finding.related(&document.file, there, "here too").help("Keep one of the two."));
        }
        schema(document, Code::InputSchema, "/input_schema", "the arguments of a tool are", source, out);
    }
    if let Some(source) = &tool.output_schema {
        schema(document, Code::OutputSchema, "/output_schema", "the structured content of a tool is", source, out);
        if !tool.run.facts().structured {
            let span = document.key_span("/output_schema");
            let finding = document.finding(Code::OutputSchema, span, "nothing here answers with structured content");
            out.push(finding.help(
                "Let `run:` be `json`, `expression`, `sql`, `sql.query` or `context.collect` with `format: json`, or show one in a step \
                 without `as:`.",
            ));
        }
    }
}

/// A JSON Schema of an object.
fn schema(
    document: &Document,
    code: Code,
    at: &str,
    what: &str,
    source: &Map<String, Value>,
    out: &mut Vec<Diagnostic>,
) {
    if source.get("type").and_then(Value::as_str) != Some("object") {
        let ty = source.contains_key("type").then(|| document.span(&format!("{at}/type")));
        let span = ty.unwrap_or_else(|| document.key_span(at));
        let finding = document.finding(code, span, format!("{what} an object"));
        return out.push(finding.help("Write `type: object` at the top of the schema."));
    }
    // With its place, where the schema of schemas says what is wrong.
    let value = Value::Object(source.clone());
    if let Err(error) = jsonschema::meta::validate(&value) {
        let span = document.span(&format!("{at}{}", error.instance_path().as_str()));
        return out.push(document.finding(code, span, format!("this is not a JSON Schema: {error}")));
    }
    if let Err(message) = compile_schema(source) {
        let message = format!("the schema cannot be compiled: {message}");
        let finding = document.finding(code, document.key_span(at), message);
        out.push(finding.help("References lead into the schema itself: `$ref: '#/$defs/name'`."));
    }
}
