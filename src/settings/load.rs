//! Stacking the layers: one typed value, the origin of everything in it, and every mistake of the run at once.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    error::{Actual, Kind},
    value::{Dict, Value},
};
use serde_json::Value as Json;

use super::{
    ENV_PREFIX, FILE_NAME, Settings,
    convert::schema_at,
    layers::{self, Findings, Inputs, Layer, Origin, Variables},
    names::{NAMES, entry_for},
    trust::{Standing, Trust},
};
use crate::written::{self, did_you_mean};

/// A mistake in the settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub origin: Origin,
    /// The setting, such as `logging.level`; empty for a whole file.
    pub key: String,
    /// What is wrong, without the value of a secret.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Line and column, where only the reader of the file knows them (a syntax error).
    pub position: Option<(usize, usize)>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::File(_) | Origin::DataFile(_) if self.key.is_empty() => match self.position {
                Some((line, column)) => write!(f, "{}:{line}:{column} {}", self.origin, self.message),
                None => write!(f, "{} {}", self.origin, self.message),
            },
            Origin::Env(_) | Origin::Flag(_) => write!(f, "{} {}", self.origin, self.message),
            _ => write!(f, "{}: `{}` {}", self.origin, self.key, self.message),
        }
    }
}

/// Something worth knowing that does not stop the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub kind: NoticeKind,
    /// The setting or variable.
    pub key: String,
    pub origin: Origin,
    /// What it belongs to (`Unused`) or what to do (the others).
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Set, checked, and without effect in this version; `text` names what it belongs to.
    Unused,
    /// A setting of the earlier servers that is not read any more.
    Former,
    /// An environment variable with our prefix that is no setting.
    UnknownVariable,
    /// An environment variable of a setting that Kubernetes has set for a Service, and that is left out.
    ServiceLink,
    /// A settings file of the working folder that is not known to be the operator's own.
    Untrusted,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            NoticeKind::Unused => write!(f, "`{}` is set but not used by this version ({})", self.key, self.text),
            NoticeKind::Former => write!(f, "`{}` is not a setting any more: {}", self.key, self.text),
            NoticeKind::UnknownVariable => write!(f, "`{}` is set but is no setting: {}", self.key, self.text),
            NoticeKind::ServiceLink => write!(f, "`{}` is not read: {}", self.key, self.text),
            NoticeKind::Untrusted => write!(f, "`{}` {}", self.key, self.text),
        }
    }
}

/// Settings and where they came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub settings: Settings,
    /// Origin of every value that is not a default, by key.
    pub origins: BTreeMap<String, Origin>,
    pub notices: Vec<Notice>,
    /// Files that were read, weakest first.
    pub files: Vec<PathBuf>,
    /// Where embedded databases and downloads live; absolute.
    pub data_dir: PathBuf,
    /// A file that is not trusted says which definitions there are: nothing may be opened for them.
    pub untrusted: bool,
}

impl Loaded {
    /// Where a value came from.
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }
}

/// Reads all layers. `Err` holds every mistake of all of them.
pub fn load(inputs: &Inputs) -> Result<Loaded, Vec<Problem>> {
    let schema = super::schema().to_value();
    let mut findings = Findings::default();
    let mut files = Vec::new();
    let mut layers = Vec::new();
    let mut untrusted = false;
    let local = inputs.working_dir.join(FILE_NAME);
    let found = match inputs.named_file() {
        Some(path) => Some(Found::Own(path)),
        None => folder_file(&local, inputs, &mut findings).or_else(|| inputs.user_file().map(Found::Own)),
    };
    match found {
        None => {}
        Some(Found::Own(path)) => {
            layers.push(layers::from_file(&path, Origin::File(path.clone()), inputs, &schema, &mut findings));
            files.push(path);
        }
        Some(Found::Folder { text, trusted }) => {
            let variables = if trusted { Variables::PutIn } else { Variables::LeftOut };
            let origin = Origin::File(local.clone());
            layers.push(layers::from_text_of(&local, &text, origin, inputs, &schema, &mut findings, variables));
            files.push(local.clone());
            untrusted = !trusted;
        }
    }
    if untrusted && let Some(layer) = layers.first_mut() {
        // Its mistakes are told whole; then only what is checked counts.
        extract(&mut [layer.clone()], &schema, &mut findings.problems);
        layer.only_definitions();
    }
    layers.extend(layers::from_env(inputs, &schema, &mut findings));
    layers.extend(layers::from_flags(inputs, &schema, &mut findings));

    let (data_dir, own) = data_dir(&layers, inputs);
    let left_by_demo = data_dir.join(FILE_NAME);
    if left_by_demo.is_file() && !files.contains(&left_by_demo) && !layers.iter().any(binds_databases) {
        let origin = Origin::DataFile(left_by_demo.clone());
        let layer = match own {
            true => Some(layers::from_file(&left_by_demo, origin, inputs, &schema, &mut findings)),
            false => match folder_file(&left_by_demo, inputs, &mut findings) {
                Some(Found::Folder { text, trusted: true }) => {
                    let put_in = Variables::PutIn;
                    Some(layers::from_text_of(&left_by_demo, &text, origin, inputs, &schema, &mut findings, put_in))
                }
                _ => None,
            },
        };
        if let Some(layer) = layer {
            layers.insert(0, layer);
            files.insert(0, left_by_demo);
        }
    }
    if files.contains(&local) && !untrusted {
        // Named, or left by the demo in a data directory that was named.
        findings.notices.retain(|notice| notice.kind != NoticeKind::Untrusted);
    }
    let settings = extract(&mut layers, &schema, &mut findings.problems);
    if !findings.problems.is_empty() {
        return Err(findings.problems);
    }
    let origins = origins(&layers);
    findings.notices.extend(unused(&settings, &origins));
    Ok(Loaded { settings, origins, notices: findings.notices, files, data_dir, untrusted })
}

/// A settings file that counts.
enum Found {
    /// The operator named it, or keeps it in his configuration folder.
    Own(PathBuf),
    /// It lies in the working folder; with what was read of it, which is what was judged.
    Folder { text: String, trusted: bool },
}

/// The file of a working folder, if it counts; else a notice says why it does not.
fn folder_file(path: &Path, inputs: &Inputs, findings: &mut Findings) -> Option<Found> {
    if !path.is_file() {
        return None;
    }
    // Whoever works in his configuration folder works with his own file.
    let same = |own: PathBuf| own.canonicalize().is_ok_and(|own| path.canonicalize().is_ok_and(|path| own == path));
    if let Some(own) = inputs.user_file().filter(|own| same(own.clone())) {
        return Some(Found::Own(own));
    }
    let bytes = std::fs::read(path).unwrap_or_default();
    let trust = Trust::read(inputs.config_home.as_deref()).unwrap_or_default();
    let standing = trust.standing(path, &bytes);
    let text = match written::text(bytes) {
        Ok(text) => text,
        Err(why) => {
            if standing == Standing::Trusted || inputs.unattended {
                findings.unreadable(Origin::File(path.to_path_buf()), &why);
            }
            String::new()
        }
    };
    let (counts, why) = match (standing, inputs.unattended) {
        (Standing::Trusted, _) => return Some(Found::Folder { text, trusted: true }),
        (_, true) => ("counts only for which definitions are checked, without its variables and sources", ""),
        (Standing::Changed, false) => ("is ignored", ": it has changed since it was trusted"),
        (Standing::Unknown, false) => ("is ignored", ": it lies in the working folder and is not known to be yours"),
    };
    findings.notices.push(Notice {
        kind: NoticeKind::Untrusted,
        key: path.display().to_string(),
        origin: Origin::File(path.to_path_buf()),
        text: format!("{counts}{why}; read it, then `tfo-mcp trust` makes it count, or name it with `--config`"),
    });
    inputs.unattended.then_some(Found::Folder { text, trusted: false })
}

/// Whether a layer names databases of its own. The file of the demo is about the embedded databases, its organisation
/// and its clock: none of that may reach an operator's own data.
fn binds_databases(layer: &Layer) -> bool {
    let keys: [&[&str]; 3] = [&["sources"], &["database", "postgres_url"], &["analytics", "clickhouse_url"]];
    keys.iter().any(|key| layer.get(&key.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>()).is_some())
}

/// The data directory has to be known before the weakest layer, which lies in it, can be read; and whether it is the
/// operator's own, which that of whoever has no home is not: it is the working folder's.
fn data_dir(layers: &[Layer], inputs: &Inputs) -> (PathBuf, bool) {
    let key = ["data_dir".to_owned()];
    let set = layers.iter().rev().find_map(|layer| layer.get(&key)?.as_str().map(PathBuf::from));
    let own = set.is_some() || inputs.data_home.is_some();
    let path = set.unwrap_or_else(|| match &inputs.data_home {
        Some(home) => home.join("tfo-mcp"),
        None => PathBuf::from(".tfo-mcp"),
    });
    (inputs.working_dir.join(path), own)
}

/// Types the stacked layers. A value that does not fit is noted and taken out, until the rest fits: so one run
/// reports every mistake.
fn extract(layers: &mut [Layer], schema: &Json, problems: &mut Vec<Problem>) -> Settings {
    loop {
        drop_backends_of_another_type(layers);
        let figment = layers.iter().fold(Figment::new(), |figment, layer| figment.merge(layer));
        let error = match figment.extract::<Settings>() {
            Ok(settings) => return settings,
            Err(error) => error,
        };
        let mut removed = false;
        for error in error {
            let mut path = error.path.clone();
            // Below a `type` figment gives the path of the parent of an unknown key, elsewhere that of the key.
            if let Kind::UnknownField(name, _) = &error.kind {
                let below = [path.as_slice(), std::slice::from_ref(name)].concat();
                if path.last() != Some(name) || layers.iter().any(|layer| layer.get(&below).is_some()) {
                    path = below;
                }
            }
            removed |= note(layers, &path, &error.kind, schema, problems);
        }
        if !removed {
            return Settings::default();
        }
    }
}

/// Notes a mistake for the strongest layer that has the value and removes the value from all.
fn note(layers: &mut [Layer], path: &[String], kind: &Kind, schema: &Json, problems: &mut Vec<Problem>) -> bool {
    let mut found = false;
    // Without its `type` nothing more can be said of a backend.
    let whole = match (path, kind) {
        ([parents @ .., last], Kind::UnknownVariant(..)) if last == "type" => parents,
        _ => path,
    };
    for layer in layers.iter_mut().rev() {
        if layer.get(path).is_none() || !layer.remove(whole) {
            continue;
        }
        // A value that does not fit is the mistake of the layer that wins; an unknown key is one of every layer.
        if !found || matches!(kind, Kind::UnknownField(..)) {
            let (message, help) = explain(path, kind, schema, &layer.origin);
            let key = path.join(".");
            if !problems.iter().any(|problem| problem.key == key && problem.origin == layer.origin) {
                problems.push(Problem { origin: layer.origin.clone(), key, message, help, position: None });
            }
        }
        found = true;
    }
    if !found {
        let (message, help) = explain(path, kind, schema, &Origin::Default);
        problems.push(Problem { origin: Origin::Default, key: path.join("."), message, help, position: None });
    }
    found
}

fn explain(path: &[String], kind: &Kind, schema: &Json, origin: &Origin) -> (String, Option<String>) {
    let keys: Vec<&str> = path.iter().map(String::as_str).collect();
    match kind {
        Kind::UnknownField(name, siblings) => {
            let parents = keys.split_last().map_or(&[][..], |(_, parents)| parents);
            let near = did_you_mean(name, siblings.iter().copied()).map(|near| [parents, &[near]].concat().join("."));
            let near = near.or_else(|| elsewhere(path, schema));
            let help = match (near, origin) {
                (Some(near), Origin::Env(_)) => Some(format!("did you mean `{}`?", env_name(&near))),
                (Some(near), _) => Some(format!("did you mean `{near}`?")),
                (None, _) if siblings.is_empty() => None,
                (None, _) => Some(format!("here belong {}", list(siblings))),
            };
            ("is no setting".into(), help)
        }
        Kind::UnknownVariant(value, choices) => {
            let help = did_you_mean(value, choices.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            (format!("is `{value}`, which is none of {}", list(choices)), help)
        }
        Kind::MissingField(name) => (format!("needs `{name}`"), None),
        Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
            let shown = schema_at(schema, &keys).is_some_and(|schema| schema.get("type").is_some_and(Json::is_string))
                && !is_secret(schema, &keys);
            let found = if shown { describe(actual) } else { kind_of(actual).to_owned() };
            let help = (expected.contains("string") && !matches!(actual, Actual::Map | Actual::Seq))
                .then(|| "put the value in quotes".to_owned());
            (format!("must be {}, not {found}", wanted(expected)), help.filter(|_| !matches!(origin, Origin::Env(_))))
        }
        Kind::Message(_) if is_secret(schema, &keys) => ("does not have the right form".into(), None),
        Kind::Message(_)
            if schema_at(schema, &keys).is_some_and(|schema| schema.get("format") == Some(&"uuid".into())) =>
        {
            ("must be a UUID such as `0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a`".into(), None)
        }
        Kind::Message(_)
            if schema_at(schema, &keys).is_some_and(|schema| schema.get("format") == Some(&"date-time".into())) =>
        {
            ("must be a time such as `2026-11-20T10:00:00Z`".into(), None)
        }
        Kind::Message(text) => (format!("is wrong: {text}"), None),
        other => (format!("is wrong: {other}"), None),
    }
}

pub(super) fn is_secret(schema: &Json, path: &[&str]) -> bool {
    let marked = |schema: &Json| schema.get("writeOnly") == Some(&Json::Bool(true));
    schema_at(schema, path).is_some_and(|schema| {
        marked(schema)
            || schema.get("items").is_some_and(marked)
            || schema.get("anyOf").and_then(Json::as_array).is_some_and(|branches| branches.iter().any(marked))
    })
}

/// Whether the value of a key may be shown: it is a setting and no secret.
pub fn may_show(key: &str) -> bool {
    let schema = super::schema().to_value();
    let path: Vec<&str> = key.split('.').collect();
    schema_at(&schema, &path).is_some() && !is_secret(&schema, &path)
}

/// Rust's name of a type in words.
fn wanted(expected: &str) -> String {
    match expected {
        "u16" => "a whole number from 0 to 65535".into(),
        "u32" | "u64" | "usize" => "a whole number that is not negative".into(),
        "f64" => "a number".into(),
        "a boolean" => "`true` or `false`".into(),
        "a string" | "string" => "a text".into(),
        "a sequence" => "a list".into(),
        other if other.starts_with("struct ") || other.contains("a map") => "a section with keys of its own".into(),
        other => other.into(),
    }
}

fn describe(actual: &Actual) -> String {
    match actual {
        Actual::Bool(value) => format!("`{value}`"),
        Actual::Unsigned(value) => format!("`{value}`"),
        Actual::Signed(value) => format!("`{value}`"),
        Actual::Float(value) => format!("`{value}`"),
        Actual::Str(value) => format!("`{value}`"),
        other => kind_of(other).to_owned(),
    }
}

fn kind_of(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "a boolean",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Str(_) | Actual::Char(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a section",
        _ => "something else",
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A setting of the same name in another section, such as `logging.level` for `level` or `log_level`.
fn elsewhere(path: &[String], schema: &Json) -> Option<String> {
    let last = path.last()?;
    let flat = format!("{ENV_PREFIX}{}", last.to_ascii_uppercase());
    let flat = NAMES.environment.iter().find(|(_, names)| names.contains(&flat)).map(|(key, _)| key.clone());
    flat.or_else(|| keys_of(schema).into_iter().find(|key| key.rsplit('.').next() == Some(last)))
}

/// All keys of the settings that are not sections.
pub fn keys() -> Vec<String> {
    keys_of(&super::schema().to_value())
}

fn keys_of(schema: &Json) -> Vec<String> {
    fn walk(schema: &Json, prefix: &str, into: &mut Vec<String>) {
        let properties = schema.get("properties").and_then(Json::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match property.get("properties") {
                Some(_) => walk(property, &key, into),
                None => into.push(key),
            }
        }
    }
    let mut all = Vec::new();
    walk(schema, "", &mut all);
    all.retain(|key| !NAMES.sections.contains_key(key.split('.').next().unwrap_or_default()));
    all
}

/// The nested environment variable of a key.
pub(super) fn env_name(key: &str) -> String {
    format!("{ENV_PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// A stronger layer that gives a source another `type` replaces the source whole: the keys of the old type would not
/// be keys of the new one.
fn drop_backends_of_another_type(layers: &mut [Layer]) {
    let mut types: BTreeMap<String, String> = BTreeMap::new();
    for layer in layers.iter_mut().rev() {
        let Some(Value::Dict(_, sources)) = layer.values.get_mut("sources") else { continue };
        sources.retain(|name, source| {
            let ty = source.as_dict().and_then(|source| source.get("type")?.as_str().map(str::to_owned));
            match (types.get(name), ty) {
                (Some(stronger), Some(ty)) => *stronger == ty,
                (None, Some(ty)) => {
                    types.insert(name.clone(), ty);
                    true
                }
                _ => true,
            }
        });
    }
}

fn origins(layers: &[Layer]) -> BTreeMap<String, Origin> {
    fn walk(dict: &Dict, prefix: &str, origin: &Origin, into: &mut BTreeMap<String, Origin>) {
        for (key, value) in dict {
            let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            match value {
                Value::Dict(_, inner) => walk(inner, &key, origin, into),
                _ => {
                    into.insert(key, origin.clone());
                }
            }
        }
    }
    let mut all = BTreeMap::new();
    for layer in layers {
        walk(&layer.values, "", &layer.origin, &mut all);
    }
    all
}

/// Settings that somebody changed and that change nothing.
fn unused(settings: &Settings, origins: &BTreeMap<String, Origin>) -> Vec<Notice> {
    let json = |settings| serde_json::to_value(settings).unwrap_or_default();
    let (set, default) = (json(settings), json(&Settings::default()));
    let notice = |(key, origin): (&String, &Origin)| {
        let (_, text) = entry_for(&NAMES.unused, key)?;
        let pointer = format!("/{}", key.replace('.', "/"));
        (set.pointer(&pointer) != default.pointer(&pointer)).then(|| Notice {
            kind: NoticeKind::Unused,
            key: key.clone(),
            origin: origin.clone(),
            text: text.to_owned(),
        })
    };
    origins.iter().filter_map(notice).collect()
}
