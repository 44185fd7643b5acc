//! The schema of an elicitation: what MCP lets a client be asked to show as a form.
//!
//! The specification: <https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation>, with the shapes
//! of choices of SEP-1330.

use serde_json::{Map, Value};

use super::{explain::escape, templates::suggestion};
use crate::{
    catalog::compile_schema,
    diagnostic::{Code, Diagnostic, one_of},
    load::Document,
};

const TOP: [&str; 6] = ["$schema", "type", "properties", "required", "title", "description"];
const EVERY: [&str; 4] = ["type", "title", "description", "default"];
const TEXT: [&str; 6] = ["minLength", "maxLength", "format", "enum", "enumNames", "oneOf"];
const NUMBER: [&str; 2] = ["minimum", "maximum"];
const LIST: [&str; 3] = ["items", "minItems", "maxItems"];
const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];
const TYPES: [&str; 5] = ["string", "number", "integer", "boolean", "array"];

/// Everything that MCP does not allow in the schema at a JSON pointer.
pub(super) fn check(document: &Document, pointer: &str, schema: &Map<String, Value>, out: &mut Vec<Diagnostic>) {
    let mut form = Form { document, out };
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        form.at(pointer, "type", "a form is an object", "Write `type: object` at the top of the schema.");
        return;
    }
    form.unknown(pointer, schema, &TOP, "a form");
    let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|fields| !fields.is_empty())
    else {
        form.at(pointer, "properties", "a form without fields asks nothing", "Add `properties:`.");
        return;
    };
    let before = form.out.len();
    for (name, property) in properties {
        form.field(&format!("{pointer}/properties/{}", escape(name)), property);
    }
    for (n, name) in schema.get("required").and_then(Value::as_array).into_iter().flatten().enumerate() {
        if name.as_str().is_none_or(|name| !properties.contains_key(name)) {
            let help =
                suggestion(name.as_str().unwrap_or_default(), properties.keys().map(String::as_str), "fields are");
            form.say(
                &format!("{pointer}/required/{n}"),
                format!("the form has no field `{}`", name.as_str().unwrap_or_default()),
                help,
            );
        }
    }
    if form.out.len() == before
        && let Err(message) = compile_schema(schema)
    {
        form.say(pointer, format!("the schema is not valid: {message}"), Vec::new());
    }
}

struct Form<'a> {
    document: &'a Document,
    out: &'a mut Vec<Diagnostic>,
}

impl Form<'_> {
    fn say(&mut self, pointer: &str, message: String, help: Vec<String>) {
        let mut finding = self.document.finding(Code::FormSchema, self.document.span(pointer), message);
        finding.help = help;
        self.out.push(finding);
    }

    /// About a key, or where it is missing about the mapping that lacks it.
    fn at(&mut self, pointer: &str, key: &str, message: &str, help: &str) {
        let inner = format!("{pointer}/{key}");
        let span = match self.document.value.pointer(&inner) {
            Some(_) => self.document.span(&inner),
            None => self.document.key_span(pointer),
        };
        self.out.push(self.document.finding(Code::FormSchema, span, message).help(help));
    }

    fn unknown(&mut self, pointer: &str, schema: &Map<String, Value>, known: &[&str], whose: &str) {
        for key in schema.keys().filter(|key| !known.contains(&key.as_str())) {
            let span = self.document.key_span(&format!("{pointer}/{}", escape(key)));
            let mut finding = self.document.finding(Code::FormSchema, span, format!("{whose} has no `{key}`"));
            finding.help = suggestion(key, known.iter().copied(), "it has");
            self.out.push(finding);
        }
    }

    fn field(&mut self, pointer: &str, property: &Value) {
        let Some(schema) = property.as_object() else {
            return self.say(pointer, "a field is a mapping with `type:`".to_owned(), Vec::new());
        };
        let ty = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        let (own, whose): (&[&str], _) = match ty {
            "string" => (&TEXT, "a text"),
            "number" | "integer" => (&NUMBER, "a number"),
            "boolean" => (&[], "a boolean"),
            "array" => (&LIST, "a choice of several"),
            _ => {
                let message = match ty {
                    "object" => "a form is flat: no objects in objects".to_owned(),
                    _ => "the type of a field is not one that a form has".to_owned(),
                };
                let help = format!("it is {}", one_of(TYPES, 5));
                return self.at(pointer, "type", &message, &help);
            }
        };
        let known: Vec<&str> = EVERY.iter().chain(own).copied().collect();
        let before = self.out.len();
        self.unknown(pointer, schema, &known, whose);
        if let Some(format) = schema.get("format")
            && !format.as_str().is_some_and(|format| FORMATS.contains(&format))
        {
            let help = format!("formats are {}", one_of(FORMATS, 4));
            self.say(&format!("{pointer}/format"), format!("{format} is not a format of a form"), vec![help]);
        }
        self.choices(pointer, schema);
        if ty == "array" {
            self.items(pointer, schema);
        }
        if self.out.len() > before {
            return;
        }
        match compile_schema(schema) {
            Err(message) => self.say(pointer, format!("the schema is not valid: {message}"), Vec::new()),
            Ok(validator) => {
                let default = schema.get("default").filter(|default| !validator.is_valid(default));
                if let Some(default) = default {
                    self.say(&format!("{pointer}/default"), format!("{default} does not fit the field"), Vec::new());
                }
            }
        }
    }

    /// `enum` with or without `enumNames`, or `oneOf` with titles.
    fn choices(&mut self, pointer: &str, schema: &Map<String, Value>) {
        if let Some(values) = schema.get("enum") {
            let words = values.as_array().filter(|words| !words.is_empty() && words.iter().all(Value::is_string));
            match (words, schema.get("enumNames").map(|names| names.as_array().map(Vec::len))) {
                (None, _) => self.say(&format!("{pointer}/enum"), "choices are texts".to_owned(), Vec::new()),
                (Some(words), Some(names)) if names != Some(words.len()) => {
                    let message = "there is not one name for each choice".to_owned();
                    self.say(&format!("{pointer}/enumNames"), message, Vec::new());
                }
                _ => {}
            }
        } else if schema.contains_key("enumNames") {
            self.at(pointer, "enumNames", "there is nothing to name", "Add `enum:`.");
        }
        if let Some(branches) = schema.get("oneOf") {
            self.titled(&format!("{pointer}/oneOf"), branches);
        }
    }

    fn titled(&mut self, pointer: &str, branches: &Value) {
        let fits = |branch: &Value| {
            let text = |key: &str| branch.get(key).is_some_and(Value::is_string);
            text("const") && text("title") && branch.as_object().is_some_and(|object| object.len() == 2)
        };
        if !branches.as_array().is_some_and(|branches| !branches.is_empty() && branches.iter().all(fits)) {
            let help = "write each as `{ const: value, title: What people see }`".to_owned();
            self.say(pointer, "a choice with a title is a `const` and a `title`".to_owned(), vec![help]);
        }
    }

    /// `items.enum` or `items.anyOf`.
    fn items(&mut self, pointer: &str, schema: &Map<String, Value>) {
        let below = format!("{pointer}/items");
        let Some(items) = schema.get("items").and_then(Value::as_object) else {
            let help = "Add `items: { type: string, enum: [a, b] }`.";
            return self.at(pointer, "items", "a list in a form is a choice of several", help);
        };
        match items.get("anyOf") {
            Some(branches) => {
                self.unknown(&below, items, &["anyOf"], "a choice with titles");
                self.titled(&format!("{below}/anyOf"), branches);
            }
            None => {
                self.unknown(&below, items, &["type", "enum"], "a choice");
                if items.get("type").and_then(Value::as_str) != Some("string") || !items.contains_key("enum") {
                    let help = "write `items: { type: string, enum: [a, b] }`".to_owned();
                    self.say(&below, "a list in a form is a choice of several".to_owned(), vec![help]);
                }
                self.choices(&below, items);
            }
        }
    }
}
