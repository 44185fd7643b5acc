//! Violations of a JSON Schema in words: the branch of a tagged union is chosen before anything is said, unknown
//! fields get suggestions, and a missing field is not mentioned when a misspelt one stands for it.

use jsonschema::{ValidationError, error::ValidationErrorKind};
use regex::Regex;
use serde_json::{Value, json};

use super::schema;
use crate::{
    definition::Kind,
    diagnostic::{Code, Diagnostic, did_you_mean, lower_first, one_of},
    load::Document,
};

/// What is wrong with a document by the schema of its kind.
pub(super) struct Explained {
    pub(super) diagnostics: Vec<Diagnostic>,
    /// JSON pointers of the unknown fields, and what each was probably meant to be: put right, the rest of the
    /// document can still be looked at.
    pub(super) unknown: Vec<(String, Option<String>)>,
    /// JSON pointers of values that are wrong or missing, and what can stand there while the rest is looked at.
    pub(super) wrong: Vec<(String, Value)>,
    /// The first finding for which nothing can stand: what depends on it cannot be looked at.
    pub(super) blocking: Option<usize>,
}

/// Explains every violation; nothing for a valid document.
pub(super) fn explain(document: &Document, kind: Kind) -> Explained {
    let mut explained = Explained { diagnostics: Vec::new(), unknown: Vec::new(), wrong: Vec::new(), blocking: None };
    let Some(validator) = schema::validator(kind) else { return explained };
    if validator.is_valid(&document.value) {
        return explained;
    }
    let mut writer = Writer { document, root: schema::of(kind), out: &mut explained, suggested: Vec::new() };
    let errors: Vec<_> = validator.iter_errors(&document.value).collect();
    writer.errors(&errors);
    explained
}

struct Writer<'a> {
    document: &'a Document,
    root: &'static Value,
    out: &'a mut Explained,
    /// Fields that a misspelt one stands for, with the pointer of the mapping that lacks them.
    suggested: Vec<(String, String)>,
}

impl<'a> Writer<'a> {
    fn errors(&mut self, errors: &[ValidationError<'_>]) {
        // Misspelt fields first: what they suggest silences the complaint about a missing one.
        let unknown =
            |error: &&ValidationError<'_>| matches!(error.kind(), ValidationErrorKind::AdditionalProperties { .. });
        for error in errors.iter().filter(unknown) {
            self.error(error);
        }
        for error in errors.iter().filter(|error| !unknown(error)) {
            self.error(error);
        }
    }

    fn error(&mut self, error: &ValidationError<'_>) {
        let mended = |out: &Explained| out.unknown.len() + out.wrong.len();
        let (found, before) = (self.out.diagnostics.len(), mended(self.out));
        self.say(error);
        if self.out.diagnostics.len() > found && mended(self.out) == before {
            self.out.blocking.get_or_insert(found);
        }
    }

    fn say(&mut self, error: &ValidationError<'_>) {
        let pointer = error.instance_path().as_str().to_owned();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for field in unexpected {
                    self.unknown_field(&pointer, field);
                }
            }
            ValidationErrorKind::Required { property } => {
                self.missing_field(&pointer, property.as_str().unwrap_or_default());
            }
            ValidationErrorKind::AnyOf { context } => {
                // What is of the kind of a branch was meant for that.
                let is_other = |branch: &&Vec<ValidationError<'_>>| {
                    let is_of_it = |one: &ValidationError<'_>| one.instance_path().as_str() == pointer;
                    branch.iter().any(|one| is_of_it(one) && matches!(one.kind(), ValidationErrorKind::Type { .. }))
                };
                let branches = || context.iter().filter(|branch| !is_null_branch(branch));
                match branches().find(|branch| !is_other(branch)).or_else(|| branches().next()) {
                    Some(branch) => self.errors(branch),
                    None => self.invalid(&pointer, &error.to_string()),
                }
            }
            ValidationErrorKind::OneOfNotValid { context } => self.union(&pointer, context),
            ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => self.choice(&pointer),
            ValidationErrorKind::Type { .. } => self.wrong_type(&pointer),
            ValidationErrorKind::Pattern { pattern } => {
                let text = self.value(&pointer).as_str().unwrap_or_default().to_owned();
                let rule = self.rule(&pointer);
                let key = key_of(&pointer);
                let mut finding = self.at(Code::InvalidValue, &pointer, format!("`{text}` does not fit `{key}`"));
                finding.help.extend(rule);
                // A JSON pointer or a path without the slash that it begins with.
                let slashed = format!("/{text}");
                let fits =
                    !text.starts_with('/') && Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(&slashed));
                if fits {
                    finding.help.push(format!("it begins with `/`: `{slashed}`"));
                    self.out.wrong.push((pointer.clone(), slashed.into()));
                }
                self.out.diagnostics.push(finding);
                if !fits {
                    self.another_stands(&pointer);
                }
            }
            ValidationErrorKind::Minimum { limit } => {
                self.invalid(&pointer, &format!("{} is less than {limit}", error.instance()));
                self.out.wrong.push((pointer, limit.clone()));
            }
            ValidationErrorKind::Maximum { limit } => {
                self.invalid(&pointer, &format!("{} is more than {limit}", error.instance()));
                self.out.wrong.push((pointer, limit.clone()));
            }
            ValidationErrorKind::MinProperties { .. } | ValidationErrorKind::MinItems { .. } => {
                self.invalid(&pointer, "must not be empty");
            }
            // A list of ways beside the only one.
            ValidationErrorKind::FalseSchema => {
                let message = format!("`{}` and `sql` cannot both stand here", key_of(&pointer));
                let finding = self.at(Code::InvalidValue, &pointer, message);
                self.out
                    .diagnostics
                    .push(finding.help("Put the statement into the list, as one more way, or leave the list out."));
            }
            ValidationErrorKind::MinLength { .. } => self.invalid(&pointer, "must not be an empty text"),
            _ => self.invalid(&pointer, &error.to_string()),
        }
    }

    fn unknown_field(&mut self, pointer: &str, field: &str) {
        let schema = schema::at(self.root, &self.document.value, pointer);
        let known: Vec<&str> = schema.map(fields).unwrap_or_default();
        let present = self.value(pointer);
        let at = format!("{pointer}/{}", escape(field));
        let span = self.document.key_span(&at);
        let mut finding = self.document.finding(Code::UnknownField, span, format!("unknown field `{field}`"));
        let meant = did_you_mean(field, known.iter().copied());
        if let Some(meant) = meant {
            finding = finding.label(format!("did you mean `{meant}`?"));
            if present.get(meant).is_none() {
                self.suggested.push((pointer.to_owned(), meant.to_owned()));
            }
        } else if let Some(elsewhere) = self.elsewhere(pointer, field, schema) {
            finding = finding.help(elsewhere);
        } else {
            let open: Vec<&str> = known.iter().copied().filter(|name| present.get(name).is_none()).collect();
            finding = match open.is_empty() {
                true => finding.help("remove it: nothing more can stand here"),
                false => finding.help(format!("here can also stand {}", one_of(open, 12))),
            };
        }
        self.out.diagnostics.push(finding);
        let meant = meant.filter(|meant| present.get(meant).is_none()).map(str::to_owned);
        self.out.unknown.push((at, meant));
    }

    /// Whether the field is known further out, further in, or in another branch of a union.
    fn elsewhere(&self, pointer: &str, field: &str, schema: Option<&'static Value>) -> Option<String> {
        if let Some(union) = self.unresolved(pointer)
            && let (Some((tag, words)), Some(branches)) =
                (schema::tagged(union), union.get("oneOf").and_then(Value::as_array))
        {
            let of =
                words.iter().zip(branches).filter(|(_, branch)| fields(branch).contains(&field)).map(|(word, _)| *word);
            let of: Vec<&str> = of.collect();
            if !of.is_empty() {
                return Some(format!("`{field}` is for `{tag}: {}`", of.join("` and `")));
            }
        }
        let mut inner = pointer;
        while let Some((outer, key)) = inner.rsplit_once('/') {
            let around = schema::at(self.root, &self.document.value, outer);
            if around.map(fields).unwrap_or_default().contains(&field) {
                return Some(format!("`{field}` stands further out, beside `{key}:`"));
            }
            inner = outer;
        }
        let properties = schema?.get("properties")?.as_object()?;
        let inner = properties.iter().find(|(name, property)| {
            let value = self.value(pointer).get(name.as_str()).unwrap_or(&Value::Null);
            schema::resolve(self.root, property, value).map(fields).unwrap_or_default().contains(&field)
        })?;
        Some(format!("`{field}` stands further in, under `{}:`", inner.0))
    }

    fn missing_field(&mut self, pointer: &str, field: &str) {
        if self.suggested.iter().any(|(at, meant)| at == pointer && meant == field) {
            return;
        }
        let meaning = schema::at(self.root, &self.document.value, pointer)
            .and_then(|schema| schema.get("properties")?.get(field)?.get("description")?.as_str())
            .map(|text| format!("`{field}`: {}", lower_first(text.lines().next().unwrap_or_default())));
        let mut finding = self.at(Code::MissingField, pointer, format!("missing field `{field}`"));
        if let Some(meaning) = meaning {
            finding = finding.help(meaning);
        }
        self.out.diagnostics.push(finding);
        let property = schema::at(self.root, &self.document.value, pointer)
            .and_then(|schema| schema.get("properties")?.get(field));
        if property.is_some_and(is_free_text) {
            self.out.wrong.push((format!("{pointer}/{}", escape(field)), json!(NO_TEXT)));
        }
    }

    fn union(&mut self, pointer: &str, context: &[Vec<ValidationError<'static>>]) {
        let schema = self.unresolved(pointer);
        let Some((tag, words)) = schema.and_then(schema::tagged) else { return self.choice(pointer) };
        let value = self.value(pointer);
        if !value.is_object() {
            let message = format!("expected a mapping with `{tag}:`, found {}", describe(value));
            let finding = self.at(Code::WrongType, pointer, message).help(format!("`{tag}:` is {}", one_of(words, 16)));
            return self.out.diagnostics.push(finding);
        }
        let Some(word) = value.get(tag) else {
            let suggested = value.as_object().and_then(|object| {
                let known: Vec<&str> = object.keys().map(String::as_str).collect();
                did_you_mean(tag, known).map(str::to_owned)
            });
            let message = format!("missing field `{tag}`");
            let mut finding = self.at(Code::MissingField, pointer, message);
            if let Some(misspelt) = suggested {
                let span = self.document.key_span(&format!("{pointer}/{}", escape(&misspelt)));
                finding = self
                    .document
                    .finding(Code::UnknownField, span, format!("unknown field `{misspelt}`"))
                    .label(format!("did you mean `{tag}`?"));
            }
            return self.out.diagnostics.push(finding.help(format!("`{tag}:` is {}", one_of(words, 16))));
        };
        match words.iter().position(|known| word.as_str() == Some(known)).and_then(|index| context.get(index)) {
            Some(branch) => self.errors(branch),
            None => {
                let at = format!("{pointer}/{tag}");
                self.unknown_word(&at, &words);
            }
        }
    }

    fn choice(&mut self, pointer: &str) {
        let words = self.unresolved(pointer).and_then(schema::choices).unwrap_or_default();
        self.unknown_word(pointer, &words);
    }

    fn unknown_word(&mut self, pointer: &str, words: &[&str]) {
        let value = self.value(pointer);
        let Some(word) = value.as_str() else {
            let message = format!("expected a word, found {}", describe(value));
            let finding = self
                .at(Code::WrongType, pointer, message)
                .help(format!("one of {}", one_of(words.iter().copied(), 20)));
            return self.out.diagnostics.push(finding);
        };
        let key = key_of(pointer);
        let mut finding = self.at(Code::UnknownChoice, pointer, format!("`{word}` is not a value of `{key}`"));
        if let Some(meant) = did_you_mean(word, words.iter().copied()) {
            finding = finding.label(format!("did you mean `{meant}`?"));
            self.out.wrong.push((pointer.to_owned(), json!(meant)));
        }
        finding = finding.help(format!("`{key}:` is {}", one_of(words.iter().copied(), 20)));
        self.out.diagnostics.push(finding);
    }

    fn wrong_type(&mut self, pointer: &str) {
        let value = self.value(pointer);
        let schema = schema::at(self.root, &self.document.value, pointer);
        let expected = match schema.and_then(|schema| schema.get("type")) {
            Some(Value::String(one)) => type_name(one).to_owned(),
            Some(Value::Array(several)) => {
                let names: Vec<&str> =
                    several.iter().filter_map(Value::as_str).filter(|t| *t != "null").map(type_name).collect();
                names.join(" or ")
            }
            _ => "something else".to_owned(),
        };
        let message = format!("expected {expected}, found {}", describe(value));
        let rule = self.rule(pointer);
        let mut finding = self.at(Code::WrongType, pointer, message);
        finding.help.extend(rule);
        let free_text = schema.is_some_and(|schema| schema.get("pattern").is_none());
        finding = match (value, expected.as_str()) {
            (Value::Number(_) | Value::Bool(_), "text") if free_text => finding.help("put it in quotes"),
            (Value::String(text), "a list") => finding.help(format!("write a list: `[{text}]`")),
            (Value::String(text), "`true` or `false`") => match text.to_lowercase().as_str() {
                "yes" | "on" | "true" => finding.help("write `true`"),
                "no" | "off" | "false" => finding.help("write `false`"),
                _ => finding,
            },
            _ => finding,
        };
        self.out.diagnostics.push(finding);
        let meant = match (value, expected.as_str()) {
            (Value::Number(_) | Value::Bool(_), "text") if free_text => Some(json!(value.to_string())),
            (Value::Null, "text") if free_text => Some(json!(NO_TEXT)),
            (Value::String(text), "a list") => Some(json!([text])),
            (Value::String(text), "`true` or `false`") => match text.to_lowercase().as_str() {
                "yes" | "on" | "true" => Some(json!(true)),
                "no" | "off" | "false" => Some(json!(false)),
                _ => None,
            },
            _ => None,
        };
        match meant {
            Some(meant) => self.out.wrong.push((pointer.to_owned(), meant)),
            None => self.another_stands(pointer),
        }
    }

    /// Lets the first part of a wrong text that fits stand for it (`1h` for `1 hour`), or an example.
    fn another_stands(&mut self, pointer: &str) {
        let Some(schema) = schema::at(self.root, &self.document.value, pointer) else { return };
        let another = self.value(pointer).as_str().and_then(|text| beginning(text, schema));
        let another = another.or_else(|| schema.get("examples")?.get(0).cloned());
        self.out.wrong.extend(another.map(|another| (pointer.to_owned(), another)));
    }

    fn invalid(&mut self, pointer: &str, message: &str) {
        let rule = self.rule(pointer);
        let mut finding = self.at(Code::InvalidValue, pointer, message.to_owned());
        finding.help.extend(rule);
        self.out.diagnostics.push(finding);
        self.another_stands(pointer);
    }

    /// What the schema says about the value at a pointer, with an example.
    fn rule(&self, pointer: &str) -> Option<String> {
        let schema = schema::at(self.root, &self.document.value, pointer)?;
        let text = first_sentence(schema.get("description").and_then(Value::as_str)?);
        let text = text.trim_end_matches('.');
        let example = schema.get("examples").and_then(|examples| examples.get(0)).and_then(Value::as_str);
        Some(match example {
            Some(example) => format!("{}, such as `{example}`", lower_first(text)),
            None => lower_first(text),
        })
    }

    fn at(&self, code: Code, pointer: &str, message: String) -> Diagnostic {
        let span = if pointer.is_empty() { first_line(self.document) } else { self.document.span(pointer) };
        self.document.finding(code, span, message)
    }

    fn value(&self, pointer: &str) -> &'a Value {
        self.document.value.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The schema at a pointer before the branch of a union is picked.
    fn unresolved(&self, pointer: &str) -> Option<&'static Value> {
        let (above, key) = pointer.rsplit_once('/')?;
        let outer = schema::at(self.root, &self.document.value, above)?;
        let key = key.replace("~1", "/").replace("~0", "~");
        let mut schema = match self.value(above) {
            Value::Array(_) => outer.get("items")?,
            _ => outer.get("properties").and_then(|p| p.get(&key)).or_else(|| outer.get("additionalProperties"))?,
        };
        loop {
            if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
                schema = self.root.pointer(reference.strip_prefix('#')?)?;
            } else if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
                schema = schema::one_of_type(self.root, branches, self.value(pointer))?;
            } else if let Some(branch) = schema::branch(schema, self.value(pointer)) {
                schema = branch;
            } else {
                return Some(schema);
            }
        }
    }
}

/// The longest beginning of a text, without blanks, that fits a schema.
fn beginning(text: &str, schema: &Value) -> Option<Value> {
    let validator = jsonschema::validator_for(schema).ok()?;
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).take(64).collect::<String>().to_lowercase();
    let beginnings = (1..=plain.len()).rev().filter_map(|end| plain.get(..end)).map(Value::from);
    beginnings.into_iter().find(|beginning| validator.is_valid(beginning))
}

/// Stands for a text that is missing.
const NO_TEXT: &str = "-";

/// Whether a schema takes every text.
fn is_free_text(schema: &Value) -> bool {
    schema.get("type") == Some(&json!("string")) && schema.get("pattern").is_none() && schema.get("enum").is_none()
}

/// The place of a finding about a document as a whole: its first key.
pub(super) fn first_line(document: &Document) -> std::ops::Range<usize> {
    match document.value.as_object().and_then(|object| object.keys().next()) {
        Some(key) => document.key_span(&format!("/{}", escape(key))),
        None => document.span(""),
    }
}

/// The nearest key on the way to a value: of an item of a list that of the list.
fn key_of(pointer: &str) -> &str {
    pointer.rsplit('/').find(|token| token.parse::<usize>().is_err()).unwrap_or_default()
}

/// A token of a JSON pointer.
pub(super) fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

fn fields(schema: &Value) -> Vec<&str> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

fn is_null_branch(branch: &[ValidationError<'_>]) -> bool {
    use jsonschema::{JsonType, error::TypeKind};
    matches!(branch, [error] if matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(JsonType::Null) }))
}

fn type_name(name: &str) -> &str {
    match name {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a mapping",
        other => other,
    }
}

/// A value in words, short.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(value) => format!("the number {value}"),
        Value::String(text) if text.chars().count() <= 40 && !text.contains('\n') => format!("the text `{text}`"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}
/// The first line of a description, and what follows of its last sentence.
fn first_sentence(description: &str) -> String {
    let (first, rest) = description.split_once('\n').unwrap_or((description, ""));
    let rest = rest.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    if first.ends_with('.') || rest.is_empty() {
        return first.to_owned();
    }
    let rest = rest.split_once(". ").map_or(rest.as_str(), |(sentence, _)| sentence);
    format!("{first} {rest}")
}
