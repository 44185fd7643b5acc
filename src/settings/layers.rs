//! The layers that settings are stacked from: files (read by `file`), single environment variables and single flags.
//!
//! Every layer is a figment provider of its own and knows its origin, so that a mistake names the file, variable or
//! flag that made it, and in a file the line.

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
    convert::{from_text, schema_at},
    file::Places,
    findings::{Findings, Notice, NoticeKind, Place, Problem},
    names::{NAMES, is_path},
    secret::is_secret,
    variables,
};
use crate::written::{invisible, odd_blank, trimmed};

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
    /// Where each of them stands in the file, by key.
    pub places: BTreeMap<String, Places>,
}

impl Layer {
    pub fn empty(origin: Origin) -> Self {
        Self { origin, values: Dict::new(), places: BTreeMap::new() }
    }

    fn single(origin: Origin, path: &[&str], value: Value) -> Self {
        let mut layer = Self::empty(origin);
        if let Some((first, rest)) = path.split_first() {
            let within = |value, key: &&str| Value::from(Dict::from([((*key).to_owned(), value)]));
            layer.values.insert((*first).to_owned(), rest.iter().rev().fold(value, within));
        }
        layer
    }

    /// Where a setting stands, or the section around it; `whole`: its name, not its value.
    pub fn place(&self, path: &[String], whole: bool) -> Option<Place> {
        let mut path = path;
        loop {
            if let Some(places) = self.places.get(&path.join(".")) {
                return Some(if whole { places.key.clone() } else { places.value.clone() });
            }
            path = path.split_last()?.1;
        }
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

/// The text of a setting that is a path, where it is one of its words instead, in any case.
pub(super) fn special(key: &str, text: &str) -> Option<&'static str> {
    NAMES.words.get(key)?.iter().find(|word| word.eq_ignore_ascii_case(text)).map(String::as_str)
}

/// What no value of a setting has on purpose. Within names of files and secrets, blanks of other kinds may be meant, and
/// what joins letters anywhere.
pub(super) fn never_meant(text: &str, key: &str, schema: &Json) -> Option<String> {
    let meant = |c: &char| matches!(c, '\u{a0}' | '\u{200c}' | '\u{200d}' | '\u{202f}' | '\u{3000}');
    let hidden = invisible(&text.chars().filter(|c| !meant(c)).collect::<String>());
    let free = || is_path(key) || is_secret(schema, &key.split('.').collect::<Vec<_>>());
    hidden.or_else(|| odd_blank(text, !free()))
}

/// The mistake of a variable or a flag that holds what nobody sees.
fn copied(origin: Origin, key: String, hidden: &str) -> Problem {
    let message = format!("holds {hidden}, which nobody sees");
    let help = Some("its value was copied with it: type it anew".to_owned());
    Problem { origin, key, message, help, place: None }
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
