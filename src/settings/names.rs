//! The names of `names.yaml`: other sections, environment variables, settings that are unused or of the past.

use std::sync::LazyLock;

use indexmap::IndexMap;
use serde::Deserialize;

use crate::load::yaml;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Names {
    pub sections: IndexMap<String, String>,
    pub environment: IndexMap<String, Vec<String>>,
    pub unused: IndexMap<String, String>,
    pub former: IndexMap<String, String>,
    pub other_variables: Vec<String>,
    pub paths: Vec<String>,
    pub words: IndexMap<String, Vec<String>>,
}

/// The table. It is part of the program, and a test reads it, so that the default is never seen.
pub(super) static NAMES: LazyLock<Names> =
    LazyLock::new(|| serde_json::from_value(yaml::parse(include_str!("names.yaml")).value).unwrap_or_default());

/// Whether a setting is a path.
pub(super) fn is_path(key: &str) -> bool {
    let is = |pattern: &str| {
        let alike = pattern.split('.').zip(key.split('.')).all(|(wanted, has)| wanted == "*" || wanted == has);
        alike && pattern.split('.').count() == key.split('.').count()
    };
    NAMES.paths.iter().any(|pattern| is(pattern))
}

/// Environment variables with a name of their own and the keys that they set, for documentation and tests.
pub fn flat_names() -> Vec<(&'static str, &'static str)> {
    let table = &LazyLock::force(&NAMES).environment;
    table.iter().flat_map(|(key, names)| names.iter().map(move |name| (name.as_str(), key.as_str()))).collect()
}

/// The entry of the key itself or of a section that holds it.
pub(super) fn entry_for<'t>(table: &'t IndexMap<String, String>, key: &str) -> Option<(&'t str, &'t str)> {
    let mut prefix = key;
    loop {
        if let Some((name, text)) = table.get_key_value(prefix) {
            return Some((name, text));
        }
        prefix = prefix.rsplit_once('.')?.0;
    }
}

/// Whether a setting, or the section that holds it, changes nothing in this version.
pub fn without_effect(key: &str) -> bool {
    entry_for(&NAMES.unused, key).is_some()
}
