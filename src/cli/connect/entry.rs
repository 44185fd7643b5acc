//! The entry of this server in a client's file: from what was asked for, and from what stands there already.

use serde_json::{Map, Value, json};

use super::table::Known;
use crate::cli::outcome::hinted;

/// What the client shall connect to.
#[derive(Debug)]
pub(super) struct Wanted {
    pub name: String,
    pub target: Target,
}

#[derive(Debug)]
pub(super) enum Target {
    Stdio { command: String, args: Vec<String>, env: Vec<Variable> },
    Http { url: String, key: Option<Key> },
}

/// A variable of the server's environment: its value, or only its name for the client to fill in.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    pub name: String,
    pub value: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Key {
    Literal(String),
    /// The variable that holds it.
    Named(String),
}

/// An entry as it shall be written.
#[derive(Debug)]
pub(super) struct Entry {
    pub value: Map<String, Value>,
    /// What the client asks a person for: identifiers and what is asked.
    pub inputs: Vec<(String, String)>,
    /// What stood there and is otherwise now, or stays and hides something, for the person.
    pub remarks: Vec<String>,
}

impl Wanted {
    /// Whether the entry holds what others must not read.
    pub(super) fn secret(&self) -> bool {
        match &self.target {
            Target::Stdio { env, .. } => env.iter().any(|variable| variable.value.is_some()),
            Target::Http { key, .. } => matches!(key, Some(Key::Literal(_))),
        }
    }

    /// The entry in the words of a client. `existing` is what stands under the name already: what a person added to it
    /// stays, and so do variables and headers that were not given anew for the same server.
    pub(super) fn entry(
        &self,
        known: &Known,
        http: Option<&Map<String, Value>>,
        existing: Option<&Map<String, Value>>,
    ) -> anyhow::Result<Entry> {
        let http = http.unwrap_or(&known.http);
        let template = if matches!(self.target, Target::Http { .. }) { http } else { &known.stdio };
        let mut inputs = Vec::new();
        let mut filled = Map::new();
        for (key, marker) in template {
            let value = self.fill(marker, template, known, &mut inputs)?;
            let empty = value.is_null()
                || value.as_object().is_some_and(Map::is_empty)
                || (marker != "$args" && value.as_array().is_some_and(Vec::is_empty));
            if !empty {
                filled.insert(key.clone(), value);
            }
        }
        let Some(existing) = existing else { return Ok(Entry { value: filled, inputs, remarks: Vec::new() }) };
        let mut merged = existing.clone();
        let same = same_server(existing, &filled, template);
        // A key may stand in several templates, with another meaning in each: only that of this one counts.
        for key in known.words().chain(http.keys()) {
            let kept = same && template.get(key).is_some_and(is_addition);
            match (filled.get(key), merged.get_mut(key)) {
                (Some(Value::Object(new)), Some(Value::Object(old))) if kept => old.extend(new.clone()),
                (Some(Value::Array(new)), Some(Value::Array(old))) if kept => *old = bridged(old, new),
                (Some(new), _) => drop(merged.insert(key.clone(), new.clone())),
                (None, Some(_)) if !kept => drop(merged.shift_remove(key)),
                (None, _) => {}
            }
        }
        if matches!(&self.target, Target::Http { key: Some(_), .. }) {
            one_key(&mut merged, &filled, template);
        }
        let remarks = switched(&mut merged, template);
        Ok(Entry { value: merged, inputs, remarks })
    }

    fn fill(
        &self,
        marker: &Value,
        template: &Map<String, Value>,
        known: &Known,
        inputs: &mut Vec<(String, String)>,
    ) -> anyhow::Result<Value> {
        let Some(marker) = marker.as_str() else { return Ok(marker.clone()) };
        let uses = |other: &str| template.values().any(|value| value == other);
        Ok(match (marker, &self.target) {
            ("$name", _) => json!(self.name),
            ("$command", Target::Stdio { command, .. }) => json!(command),
            ("$args", Target::Stdio { args, .. }) => json!(args),
            ("$line", Target::Stdio { command, args, .. }) => {
                json!(std::iter::once(command).chain(args).collect::<Vec<_>>())
            }
            ("$env", Target::Stdio { env, .. }) => {
                let mut values = Map::new();
                for variable in env {
                    let value = match &variable.value {
                        Some(value) => value.clone(),
                        None if uses("$env_names") => continue,
                        None => self.reference(&variable.name, &variable.name, known, inputs)?,
                    };
                    values.insert(variable.name.clone(), value.into());
                }
                values.into()
            }
            ("$env_names", Target::Stdio { env, .. }) => {
                json!(env.iter().filter(|v| v.value.is_none()).map(|v| &v.name).collect::<Vec<_>>())
            }
            ("$env_names", Target::Http { key: Some(Key::Named(name)), .. }) => json!([name]),
            ("$url", Target::Http { url, .. }) => json!(url),
            ("$key_env", Target::Http { key: Some(Key::Named(name)), .. }) => json!(name),
            ("$headers", Target::Http { key, .. }) => {
                let key = match key {
                    None => return Ok(json!({})),
                    Some(Key::Named(_)) if uses("$key_env") => return Ok(json!({})),
                    Some(Key::Named(name)) => self.reference(name, "the API key", known, inputs)?,
                    Some(Key::Literal(key)) => key.clone(),
                };
                json!({ "Authorization": format!("Bearer {key}") })
            }
            // The bridge reads the header from its environment: a space in an argument is split by some clients.
            ("$bridge_args", Target::Http { url, key }) => {
                let mut args = vec!["-y".to_owned(), BRIDGE.to_owned(), url.clone()];
                if url.starts_with("http://") {
                    args.push("--allow-http".to_owned());
                }
                if key.is_some() {
                    args.extend(["--header".to_owned(), "Authorization:${AUTHORIZATION}".to_owned()]);
                }
                json!(args)
            }
            ("$bridge_env", Target::Http { key, .. }) => match key {
                None => json!({}),
                Some(Key::Literal(key)) => json!({ "AUTHORIZATION": format!("Bearer {key}") }),
                Some(Key::Named(name)) => {
                    let reference = self.reference(name, "the API key", known, inputs)?;
                    json!({ "AUTHORIZATION": format!("Bearer {reference}") })
                }
            },
            (marker, _) if marker.starts_with('$') => Value::Null,
            (word, _) => json!(word),
        })
    }

    /// How the client writes the value of a variable.
    fn reference(
        &self,
        name: &str,
        asked: &str,
        known: &Known,
        inputs: &mut Vec<(String, String)>,
    ) -> anyhow::Result<String> {
        let Some(reference) = &known.reference else {
            return Err(hinted(
                format!("{} does not put variables of the environment into its entries", known.title),
                "give the value itself, with `--env NAME=VALUE` or `--key KEY`: the file is then yours alone to read",
            ));
        };
        if known.inputs.is_none() {
            return Ok(reference.replace("NAME", name));
        }
        let id = format!("{}-{name}", self.name);
        inputs.push((id.clone(), format!("{}: {asked}", self.name)));
        Ok(reference.replace("NAME", &id))
    }
}

/// Members to which people add what only they know.
fn is_addition(marker: &Value) -> bool {
    ["$env", "$env_names", "$headers", "$bridge_args", "$bridge_env", "$key_env"]
        .iter()
        .any(|addition| marker == addition)
}

/// Takes away a key that was given in another way before: one is enough.
fn one_key(entry: &mut Map<String, Value>, new: &Map<String, Value>, template: &Map<String, Value>) {
    for (member, marker) in template {
        let given = new.get(member);
        if marker == "$key_env" && given.is_none() {
            entry.shift_remove(member);
        }
        let headers = entry.get_mut(member).filter(|_| marker == "$headers").and_then(Value::as_object_mut);
        let Some(headers) = headers else { continue };
        let is_new = |name: &str| given.and_then(Value::as_object).is_some_and(|given| given.contains_key(name));
        headers.retain(|name, _| !name.eq_ignore_ascii_case("authorization") || is_new(name));
        if headers.is_empty() {
            entry.shift_remove(member);
        }
    }
}

/// The program that bridges to an address, in arguments of `npx`.
const BRIDGE: &str = "mcp-remote";

/// Arguments of the bridge to the same address: those of before, and what is new in those that were asked for.
fn bridged(old: &[Value], new: &[Value]) -> Vec<Value> {
    let header = |word: &Value| word.as_str().is_some_and(|word| word.starts_with("Authorization:"));
    let mut words = old.to_vec();
    if new.iter().any(header) {
        // One key is enough, wherever the other one was written.
        while let Some(at) = words.iter().position(header) {
            words.remove(at);
            if let Some(flag) = at.checked_sub(1).filter(|flag| words.get(*flag) == Some(&json!("--header"))) {
                words.remove(flag);
            }
        }
    }
    let missing: Vec<Value> =
        match new.iter().position(header).and_then(|at| new.split_at_checked(at.saturating_sub(1))) {
            Some((before, pair)) => before.iter().filter(|word| !words.contains(word)).chain(pair).cloned().collect(),
            None => new.iter().filter(|word| !words.contains(word)).cloned().collect(),
        };
    words.extend(missing);
    words
}

/// Switches on what a person asks for now, and tells what of the entry keeps tools from the client.
fn switched(entry: &mut Map<String, Value>, template: &Map<String, Value>) -> Vec<String> {
    let mut remarks = Vec::new();
    for (key, off) in [("enabled", false), ("disabled", true)] {
        if !template.contains_key(key) && entry.get(key) == Some(&json!(off)) {
            entry.insert(key.to_owned(), json!(!off));
            remarks.push(format!("it was switched off there (`{key}`: {off}), and is on now"));
        }
    }
    for key in ["enabled_tools", "disabled_tools", "disabledTools", "includeTools", "excludeTools", "available_tools"] {
        if entry.get(key).and_then(Value::as_array).is_some_and(|tools| !tools.is_empty()) {
            remarks.push(format!("`{key}` there keeps some of its tools from the client, and stays as it is"));
        }
    }
    remarks
}

/// Whether an entry already reaches the server that it shall reach: only then may its credentials stay.
fn same_server(existing: &Map<String, Value>, filled: &Map<String, Value>, template: &Map<String, Value>) -> bool {
    let address = template.iter().find(|(_, marker)| *marker == "$url" || *marker == "$bridge_args");
    match address {
        // What is started is this program, wherever it lies now, and no bridge to another.
        None => {
            let started = template.iter().find(|(_, marker)| *marker == "$command" || *marker == "$line");
            let mut words = existing.values().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
            started.is_some_and(|(key, _)| existing.contains_key(key)) && !words.any(|word| word.starts_with(BRIDGE))
        }
        Some((key, _)) => match (existing.get(key), filled.get(key)) {
            (Some(Value::Array(old)), Some(Value::Array(new))) => new.get(2).is_some_and(|url| old.contains(url)),
            (old, new) => old == new,
        },
    }
}
