//! A settings file as a layer: names of sections made canonical, variables put in, keys of the past left out.
//!
//! It is read by the parser of definitions, so that every key and value has its place in the file.

use std::{collections::BTreeMap, ops::Range, path::Path};

use figment::value::{Dict, Value};
use serde_json::Value as Json;

use super::{
    convert::{from_text, schema_at, takes, word},
    expand::expand,
    findings::{Findings, Notice, NoticeKind, Place, Problem},
    layers::{Inputs, Layer, Origin, never_meant, special},
    names::{NAMES, is_path},
};
use crate::{
    load::yaml::{self, Children, Fault, FaultKind, Node, Style},
    written::{self, invisible},
};

/// The places of a setting in its file.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub key: Place,
    pub value: Place,
}

/// What becomes of `${NAME}` in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variables {
    PutIn,
    /// A value with a variable counts as not set.
    LeftOut,
}

/// Reads a settings file.
pub(super) fn from_file(path: &Path, origin: Origin, inputs: &Inputs, schema: &Json, findings: &mut Findings) -> Layer {
    let text = std::fs::read(path).map_err(|error| error.to_string()).and_then(written::text);
    match text {
        Ok(text) => from_text_of(path, &text, origin, inputs, schema, findings, Variables::PutIn),
        Err(why) => {
            findings.unreadable(origin.clone(), &why);
            Layer::empty(origin)
        }
    }
}

/// As [`from_file`], of a text that was read already: what was judged is what is used.
pub(super) fn from_text_of(
    path: &Path,
    text: &str,
    origin: Origin,
    inputs: &Inputs,
    schema: &Json,
    findings: &mut Findings,
    variables: Variables,
) -> Layer {
    let text = written::without_mark(text);
    let mut layer = Layer::empty(origin.clone());
    let parsed = yaml::parse(text);
    if !parsed.faults.is_empty() {
        findings.problems.extend(parsed.faults.iter().map(|fault| broken(fault, text, &origin)));
        return layer;
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let places = BTreeMap::new();
    let mut reader = Reader { origin, folder, text, inputs, schema, findings, variables, places };
    match (&parsed.value, &parsed.root.children) {
        (Json::Null, _) => {}
        (Json::Object(_), Children::Entries(_)) => layer.values = reader.mapping(&parsed.value, &parsed.root, &[]),
        _ => reader.problem(&[], &parsed.root.span, "must hold sections such as `logging:`".into(), None),
    }
    layer.places = reader.places;
    layer
}

/// A mistake of the file as YAML. What stands there is not repeated: nobody knows whether it is a secret.
fn broken(fault: &Fault, text: &str, origin: &Origin) -> Problem {
    let place = Place::of(text, fault.span.clone());
    let line = text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
    let what = match (fault.kind, text.get(fault.span.clone()).and_then(|at| at.chars().next())) {
        (FaultKind::DuplicateKey, _) => fault.message.clone(),
        (_, Some(begin @ ('*' | '!' | '&'))) => {
            format!("a value begins with `{begin}`, which means something in YAML: put it in quotes")
        }
        _ => fault.message.clone(),
    };
    let hidden = invisible(line).map(|hidden| format!("in this line stands {hidden}, which nobody sees"));
    let help = hidden.or_else(|| fault.help.clone().filter(|_| what == fault.message));
    let message = format!("is not valid YAML: {what}");
    Problem { origin: origin.clone(), key: String::new(), message, help, place: Some(place) }
}

struct Reader<'a> {
    origin: Origin,
    folder: &'a Path,
    text: &'a str,
    inputs: &'a Inputs,
    schema: &'a Json,
    findings: &'a mut Findings,
    variables: Variables,
    places: BTreeMap<String, Places>,
}

impl Reader<'_> {
    fn problem(&mut self, path: &[String], span: &Range<usize>, message: String, help: Option<String>) {
        let place = Some(Place::of(self.text, span.clone()));
        self.findings.problems.push(Problem { origin: self.origin.clone(), key: path.join("."), message, help, place });
    }

    fn hidden(&mut self, path: &[String], span: &Range<usize>, of: &str, hidden: &str) {
        let help = format!("{of}was copied with it: type it anew");
        self.problem(path, span, format!("holds {hidden}, which nobody sees"), Some(help));
    }

    fn mapping(&mut self, mapping: &Json, node: &Node, parents: &[String]) -> Dict {
        let mut dict = Dict::new();
        let Children::Entries(entries) = &node.children else { return dict };
        for entry in entries {
            let Some(value) = mapping.get(&entry.key) else { continue };
            let key = entry.key.as_str();
            if let Some(hidden) = invisible(key) {
                let seen: String = key.chars().filter(|c| invisible(&c.to_string()).is_none()).collect();
                let path = [parents, std::slice::from_ref(&seen)].concat();
                self.hidden(&path, &entry.key_span, "its name ", &hidden);
                continue;
            }
            let section = NAMES.sections.get(key).filter(|_| parents.is_empty());
            let key = section.map_or(key, String::as_str).to_owned();
            let path = [parents, std::slice::from_ref(&key)].concat();
            let dotted = path.join(".");
            if let Some(instead) = NAMES.former.get(&dotted) {
                let (origin, text) = (self.origin.clone(), instead.clone());
                self.findings.notices.push(Notice { kind: NoticeKind::Former, key: dotted, origin, text });
                continue;
            }
            let place = |span: &Range<usize>| Place::of(self.text, span.clone());
            let places = Places { key: place(&entry.key_span), value: place(&entry.node.span) };
            self.places.insert(dotted, places);
            // A section whose lines are all commented out is null, and an empty text is a value left blank.
            let Some(value) = self.value(value, &entry.node, &path) else { continue };
            if dict.insert(key, value).is_some() {
                let message = "is given twice, under two names of its section";
                self.problem(&path, &entry.key_span, message.into(), None);
            }
        }
        dict
    }

    fn value(&mut self, value: &Json, node: &Node, path: &[String]) -> Option<Value> {
        match value {
            Json::Null => None,
            Json::Bool(value) => Some(Value::from(*value)),
            Json::Number(number) => Some(match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => Value::from(number),
                (_, Some(number)) => Value::from(number),
                _ => Value::from(number.as_f64().unwrap_or_default()),
            }),
            Json::String(text) => self.text(text, node, path),
            Json::Array(items) => {
                let nodes = match &node.children {
                    Children::Items(nodes) => nodes.as_slice(),
                    _ => &[],
                };
                let items = items.iter().zip(nodes);
                Some(items.filter_map(|(item, node)| self.value(item, node, path)).collect::<Vec<Value>>().into())
            }
            Json::Object(_) => Some(self.mapping(value, node, path).into()),
        }
    }

    fn text(&mut self, text: &str, node: &Node, path: &[String]) -> Option<Value> {
        if self.variables == Variables::LeftOut && text.replace("$${", "").contains("${") {
            return None;
        }
        let expanded = match expand(text, &|name| self.inputs.var(name).map(str::to_owned)) {
            Ok(expanded) => expanded,
            Err(message) => {
                self.problem(path, &node.span, message, None);
                return None;
            }
        };
        for name in &expanded.missing {
            let message = format!("uses the environment variable `{name}`, which is not set");
            self.problem(path, &node.span, message, Some(format!("set it, or give a default: `${{{name}:-…}}`")));
        }
        if !expanded.missing.is_empty() {
            // Kept, so that nobody is told that the value is missing as well.
            return Some(Value::from(text));
        }
        if expanded.text.is_empty() {
            return None;
        }
        let key = path.join(".");
        if let Some(hidden) = never_meant(&expanded.text, &key, self.schema) {
            self.hidden(path, &node.span, "its value ", &hidden);
            return None;
        }
        if let Some(word) = special(&key, &expanded.text) {
            return Some(Value::from(word));
        }
        if is_path(&key) {
            return Some(self.path(&expanded.text));
        }
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let schema = schema_at(self.schema, &path);
        // Items of a list carry the path of the list.
        let schema = schema.map(|schema| schema.get("items").unwrap_or(schema));
        // YAML writes `True` and `+5` too, which are no JSON.
        let bare = || node.style == Style::Plain && schema.is_some_and(is_bare);
        Some(match expanded.changed || bare() {
            true => from_text(&expanded.text, schema),
            false => Value::from(word(&expanded.text, schema).unwrap_or(expanded.text)),
        })
    }

    fn path(&self, text: &str) -> Value {
        let home = text.strip_prefix("~/").and_then(|rest| Some(Path::new(self.inputs.var("HOME")?).join(rest)));
        let path = home.unwrap_or_else(|| self.folder.join(text));
        Value::from(path.to_string_lossy().into_owned())
    }
}

/// Whether a setting takes a word or a number and no text.
fn is_bare(schema: &Json) -> bool {
    !takes(schema, "string") && ["boolean", "integer", "number"].iter().any(|ty| takes(schema, ty))
}
