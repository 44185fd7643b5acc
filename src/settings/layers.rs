//! The layers that settings are stacked from: files, single environment variables and single flags.
//!
//! Every layer is a figment provider of its own and knows its origin, so that a mistake names the file, variable or
//! flag that made it.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use figment::{
    Metadata, Profile, Provider,
    value::{Dict, Map, Value},
};
use serde_json::Value as Json;

use super::{
    FILE_NAME,
    convert::{from_text, schema_at, word},
    expand::expand,
    load::{Notice, NoticeKind, Problem, is_secret},
    names::NAMES,
    variables,
};
use crate::written::{self, invisible, odd_blank, trimmed};

/// Start of the environment variables that are settings.
pub const ENV_PREFIX: &str = "TELEMETRYFLOW_MCP_";

/// Between section and key in the name of an environment variable.
pub(super) const NESTING: &str = "__";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The file that the demo leaves in the data directory.
    DataFile(PathBuf),
    /// The settings file.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::DataFile(path) | Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Env(name) => write!(f, "environment variable {name}"),
            Origin::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// One flag that sets a setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    /// As typed: `--log-level`.
    pub name: &'static str,
    /// The setting: `logging.level`.
    pub key: &'static str,
    pub value: Json,
}

/// Everything that settings are read from. Tests fill it in; the program takes it from the process.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    pub env: BTreeMap<String, String>,
    /// The file of `--config`; it must exist.
    pub config: Option<PathBuf>,
    pub flags: Vec<Flag>,
    pub working_dir: PathBuf,
    /// The user's folder for configuration: `tfo-mcp/tfo-mcp.yaml` is looked for in it.
    pub config_home: Option<PathBuf>,
    /// The user's folder for data: `tfo-mcp` in it is the default data directory.
    pub data_home: Option<PathBuf>,
    /// Nobody is asked and nothing is opened: what a working folder's file says about definitions counts although it
    /// is not trusted, without its variables.
    pub unattended: bool,
}

impl Inputs {
    pub fn from_process() -> Self {
        Self {
            // Variables whose name or value is not Unicode cannot be settings.
            env: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            working_dir: std::env::current_dir().unwrap_or_default(),
            config_home: dirs::config_dir(),
            data_home: dirs::data_dir(),
            ..Self::default()
        }
    }

    /// An environment variable, without what stands around its value; an empty one counts as not set.
    pub(super) fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(|value| trimmed(value)).filter(|value| !value.is_empty())
    }

    /// The settings file that was asked for.
    pub(super) fn named_file(&self) -> Option<PathBuf> {
        let named = self.config.as_deref().or_else(|| self.var("TELEMETRYFLOW_MCP_CONFIG").map(Path::new));
        named.map(|path| self.working_dir.join(path))
    }

    /// The settings file of the user.
    pub(super) fn user_file(&self) -> Option<PathBuf> {
        self.config_home.as_ref().map(|home| home.join("tfo-mcp").join(FILE_NAME)).filter(|path| path.is_file())
    }
}

/// Values of one origin.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub origin: Origin,
    pub values: Dict,
}

impl Layer {
    fn single(origin: Origin, path: &[&str], value: Value) -> Self {
        let Some((first, rest)) = path.split_first() else { return Self { origin, values: Dict::new() } };
        let inner = rest.iter().rev().fold(value, |value, key| Value::from(Dict::from([((*key).to_owned(), value)])));
        Self { origin, values: Dict::from([((*first).to_owned(), inner)]) }
    }

    /// Leaves only what says which definitions are checked: nothing that is opened, written or sent.
    pub fn only_definitions(&mut self) {
        self.values.retain(|key, value| match (key.as_str(), value) {
            ("packs" | "packs_only" | "toolsets", _) => true,
            ("tenancy", Value::Dict(_, tenancy)) => {
                tenancy.retain(|key, _| key == "allow_argument");
                true
            }
            _ => false,
        });
    }

    pub fn get(&self, path: &[String]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.values.get(first)?, |value, key| value.as_dict()?.get(key))
    }

    /// Removes a value; says whether there was one.
    pub fn remove(&mut self, path: &[String]) -> bool {
        let Some((last, parents)) = path.split_last() else { return false };
        let mut dict = &mut self.values;
        for key in parents {
            match dict.get_mut(key) {
                Some(Value::Dict(_, inner)) => dict = inner,
                _ => return false,
            }
        }
        dict.remove(last).is_some()
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

/// What reading a layer found besides its values.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub problems: Vec<Problem>,
    pub notices: Vec<Notice>,
}

impl Findings {
    pub fn unreadable(&mut self, origin: Origin, why: &str) {
        let message = format!("cannot be read: {why}");
        self.problems.push(Problem { origin, key: String::new(), message, help: None, position: None });
    }
}

/// Reads a settings file: names of sections made canonical, variables put in, keys of the past left out.
pub(super) fn from_file(path: &Path, origin: Origin, inputs: &Inputs, schema: &Json, findings: &mut Findings) -> Layer {
    let text = std::fs::read(path).map_err(|error| error.to_string()).and_then(written::text);
    match text {
        Ok(text) => from_text_of(path, &text, origin, inputs, schema, findings, Variables::PutIn),
        Err(why) => {
            findings.unreadable(origin.clone(), &why);
            Layer { origin, values: Dict::new() }
        }
    }
}

/// What becomes of `${NAME}` in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variables {
    PutIn,
    /// A value with a variable counts as not set.
    LeftOut,
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
    let empty = Layer { origin: origin.clone(), values: Dict::new() };
    let text = written::without_mark(text);
    let yaml: serde_yaml::Value = match serde_yaml::from_str(text) {
        Ok(yaml) => yaml,
        Err(error) => {
            let position = error.location().map(|at| (at.line(), at.column()));
            let line = position.and_then(|(line, _)| text.lines().nth(line.saturating_sub(1)));
            let message = format!("is not valid YAML: {error}");
            let help = line.and_then(|line| match invisible(line) {
                Some(hidden) => Some(format!("in this line stands {hidden}, which nobody sees")),
                // YAML takes tabs behind values, and nowhere before them.
                None => line.contains('\t').then(|| "in this line stands a tab: indent with spaces".to_owned()),
            });
            let (origin, key) = (origin.clone(), String::new());
            findings.problems.push(Problem { origin, key, message, help, position });
            return empty;
        }
    };
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let mut reader = FileReader { origin: origin.clone(), folder, inputs, schema, findings, variables };
    match yaml {
        serde_yaml::Value::Null => empty,
        serde_yaml::Value::Mapping(mapping) => Layer { origin, values: reader.mapping(mapping, &[]) },
        _ => {
            reader.problem(&[], "must hold sections such as `logging:`".into(), None);
            empty
        }
    }
}

struct FileReader<'a> {
    origin: Origin,
    folder: PathBuf,
    inputs: &'a Inputs,
    schema: &'a Json,
    findings: &'a mut Findings,
    variables: Variables,
}

impl FileReader<'_> {
    fn problem(&mut self, path: &[String], message: String, help: Option<String>) {
        let key = path.join(".");
        self.findings.problems.push(Problem { origin: self.origin.clone(), key, message, help, position: None });
    }

    fn hidden(&mut self, path: &[String], of: &str, hidden: &str) {
        let help = format!("{of}was copied with it: type it anew");
        self.problem(path, format!("holds {hidden}, which nobody sees"), Some(help));
    }

    fn mapping(&mut self, mapping: serde_yaml::Mapping, parents: &[String]) -> Dict {
        let mut dict = Dict::new();
        for (key, value) in mapping {
            let Some(key) = key.as_str() else {
                self.problem(parents, "has a key that is not a text".into(), None);
                continue;
            };
            if let Some(hidden) = invisible(key) {
                let seen: String = key.chars().filter(|c| invisible(&c.to_string()).is_none()).collect();
                let path = [parents, std::slice::from_ref(&seen)].concat();
                self.hidden(&path, "its name ", &hidden);
                continue;
            }
            let section = NAMES.sections.get(key).filter(|_| parents.is_empty());
            let key = section.map_or(key, String::as_str).to_owned();
            let path = [parents, std::slice::from_ref(&key)].concat();
            if let Some(instead) = NAMES.former.get(&path.join(".")) {
                self.findings.notices.push(Notice {
                    kind: NoticeKind::Former,
                    key: path.join("."),
                    origin: self.origin.clone(),
                    text: instead.clone(),
                });
                continue;
            }
            // A section whose lines are all commented out is null, and an empty text is a value left blank.
            let Some(value) = self.value(value, &path) else { continue };
            if dict.insert(key, value).is_some() {
                self.problem(&path, "is given twice, under two names of its section".into(), None);
            }
        }
        dict
    }

    fn value(&mut self, value: serde_yaml::Value, path: &[String]) -> Option<Value> {
        match value {
            serde_yaml::Value::Null => None,
            serde_yaml::Value::Bool(value) => Some(Value::from(value)),
            serde_yaml::Value::Number(number) => Some(match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => Value::from(number),
                (_, Some(number)) => Value::from(number),
                _ => Value::from(number.as_f64().unwrap_or_default()),
            }),
            serde_yaml::Value::String(text) => self.text(&text, path),
            serde_yaml::Value::Sequence(items) => {
                Some(items.into_iter().filter_map(|item| self.value(item, path)).collect::<Vec<Value>>().into())
            }
            serde_yaml::Value::Mapping(mapping) => Some(self.mapping(mapping, path).into()),
            serde_yaml::Value::Tagged(_) => {
                self.problem(path, "has a YAML tag, which settings do not use".into(), None);
                None
            }
        }
    }

    fn text(&mut self, text: &str, path: &[String]) -> Option<Value> {
        if self.variables == Variables::LeftOut && text.replace("$${", "").contains("${") {
            return None;
        }
        let expanded = match expand(text, &|name| self.inputs.var(name).map(str::to_owned)) {
            Ok(expanded) => expanded,
            Err(message) => {
                self.problem(path, message, None);
                return None;
            }
        };
        for name in &expanded.missing {
            self.problem(
                path,
                format!("uses the environment variable `{name}`, which is not set"),
                Some(format!("set it, or give a default: `${{{name}:-…}}`")),
            );
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
            self.hidden(path, "its value ", &hidden);
            return None;
        }
        if let Some(word) = special(&key, &expanded.text) {
            return Some(Value::from(word));
        }
        if NAMES.paths.contains(&key) {
            return Some(self.path(&expanded.text));
        }
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let schema = schema_at(self.schema, &path);
        // Items of a list carry the path of the list.
        let schema = schema.map(|schema| schema.get("items").unwrap_or(schema));
        Some(match expanded.changed {
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

/// The text of a setting that is a path, where it is one of its words instead, in any case.
fn special(key: &str, text: &str) -> Option<&'static str> {
    NAMES.words.get(key)?.iter().find(|word| word.eq_ignore_ascii_case(text)).map(String::as_str)
}

/// What no value of a setting has on purpose. Within names of files and secrets, blanks of other kinds may be meant, and
/// what joins letters anywhere.
fn never_meant(text: &str, key: &str, schema: &Json) -> Option<String> {
    let meant = |c: &char| matches!(c, '\u{a0}' | '\u{200c}' | '\u{200d}' | '\u{202f}' | '\u{3000}');
    let hidden = invisible(&text.chars().filter(|c| !meant(c)).collect::<String>());
    let free = || NAMES.paths.iter().any(|path| path == key) || is_secret(schema, &key.split('.').collect::<Vec<_>>());
    hidden.or_else(|| odd_blank(text, !free()))
}

/// The mistake of a variable or a flag that holds what nobody sees.
fn copied(origin: Origin, key: String, hidden: &str) -> Problem {
    let message = format!("holds {hidden}, which nobody sees");
    let help = Some("its value was copied with it: type it anew".to_owned());
    Problem { origin, key, message, help, position: None }
}

/// One layer for each environment variable that is a setting, weakest first.
pub(super) fn from_env(inputs: &Inputs, schema: &Json, findings: &mut Findings) -> Vec<Layer> {
    let mut layers = Vec::new();
    let mut push = |name: &str, path: &[&str], text: &str, findings: &mut Findings| {
        let (origin, key) = (Origin::Env(name.to_owned()), path.join("."));
        if let Some(hidden) = never_meant(text, &key, schema) {
            findings.problems.push(copied(origin, key, &hidden));
            return;
        }
        let value = special(&key, text).map_or_else(|| from_text(text, schema_at(schema, path)), Value::from);
        layers.push(Layer::single(origin, path, value));
    };
    for (key, names) in &NAMES.environment {
        let mut set = names.iter().filter_map(|name| Some((name, inputs.var(name)?)));
        let Some((name, text)) = set.find(|(name, _)| !variables::is_service_link(inputs, name)) else { continue };
        push(name, &key.split('.').collect::<Vec<_>>(), text, findings);
    }
    // Nested names say most exactly what they mean, so they win over the flat ones.
    for name in inputs.env.keys() {
        let Some(rest) = name.strip_prefix(ENV_PREFIX) else { continue };
        let Some(text) = inputs.var(name) else { continue };
        if !rest.contains(NESTING) {
            findings.notices.extend(variables::notice(inputs, name));
            continue;
        }
        let lower = rest.to_ascii_lowercase();
        let mut path: Vec<&str> = lower.split(NESTING).collect();
        if let Some(section) = path.first_mut()
            && let Some(canonical) = NAMES.sections.get(*section)
        {
            *section = canonical;
        }
        if let Some(instead) = NAMES.former.get(&path.join(".")) {
            findings.notices.push(Notice {
                kind: NoticeKind::Former,
                key: path.join("."),
                origin: Origin::Env(name.clone()),
                text: instead.clone(),
            });
            continue;
        }
        push(name, &path, text, findings);
    }
    layers
}

/// One layer for each flag.
pub(super) fn from_flags(inputs: &Inputs, schema: &Json, findings: &mut Findings) -> Vec<Layer> {
    inputs
        .flags
        .iter()
        .filter_map(|flag| {
            if let Some(hidden) = flag.value.as_str().and_then(|text| never_meant(text, flag.key, schema)) {
                let origin = Origin::Flag(flag.name.to_owned());
                findings.problems.push(copied(origin, flag.key.to_owned(), &hidden));
                return None;
            }
            let value = Value::serialize(&flag.value).ok()?;
            let path: Vec<&str> = flag.key.split('.').collect();
            Some(Layer::single(Origin::Flag(flag.name.to_owned()), &path, value))
        })
        .collect()
}
