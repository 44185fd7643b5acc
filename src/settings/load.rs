//! Stacking the layers: one typed value, the origin of everything in it, and every mistake of the run at once.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    error::Kind,
    value::{Dict, Value},
};
use serde_json::Value as Json;

use super::{
    FILE_NAME, SCHEMA, Settings,
    explain::explain,
    file::{self, Variables},
    findings::{Findings, Notice, NoticeKind, Place, Problem},
    layers::{self, Inputs, Layer, Origin},
    names::{NAMES, entry_for},
    trust::{Standing, Trust},
};
use crate::written;

/// Settings and where they came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub settings: Settings,
    /// Origin of every value that is not a default, by key.
    pub origins: BTreeMap<String, Origin>,
    /// Where values and sections that come from a file stand in it, by key.
    places: BTreeMap<String, (Origin, Place)>,
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

    /// Where a value or a section came from, with line and column where that is a file, to stand in a sentence.
    pub fn place(&self, key: &str) -> String {
        if let Some((origin, place)) = self.places.get(key) {
            return format!("{origin}:{}:{}", place.line, place.column);
        }
        self.origin_below(key).to_string()
    }

    /// The origin of a setting, or of the first setting below it.
    pub fn origin_below(&self, key: &str) -> &Origin {
        let below = format!("{key}.");
        let first = self.origins.iter().find(|(other, _)| *other == key || other.starts_with(&below));
        first.map_or(&Origin::Default, |(_, origin)| origin)
    }
}

/// Reads all layers. `Err` holds every mistake of all of them.
pub fn load(inputs: &Inputs) -> Result<Loaded, Vec<Problem>> {
    let schema = &*SCHEMA;
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
            layers.push(file::from_file(&path, Origin::File(path.clone()), inputs, schema, &mut findings));
            files.push(path);
        }
        Some(Found::Folder { text, trusted }) => {
            let variables = if trusted { Variables::PutIn } else { Variables::LeftOut };
            let origin = Origin::File(local.clone());
            layers.push(file::from_text_of(&local, &text, origin, inputs, schema, &mut findings, variables));
            files.push(local.clone());
            untrusted = !trusted;
        }
    }
    if untrusted && let Some(layer) = layers.first_mut() {
        // Its mistakes are told whole; then only what is checked counts.
        extract(&mut [layer.clone()], schema, &mut findings.problems);
        layer.only_definitions();
    }
    layers.extend(layers::from_env(inputs, schema, &mut findings));
    layers.extend(layers::from_flags(inputs, schema, &mut findings));

    let (data_dir, own) = data_dir(&layers, inputs);
    let left_by_demo = data_dir.join(FILE_NAME);
    if left_by_demo.is_file() && !files.contains(&left_by_demo) && !layers.iter().any(binds_databases) {
        let origin = Origin::DataFile(left_by_demo.clone());
        let layer = match own {
            true => Some(file::from_file(&left_by_demo, origin, inputs, schema, &mut findings)),
            false => match folder_file(&left_by_demo, inputs, &mut findings) {
                Some(Found::Folder { text, trusted: true }) => {
                    let put_in = Variables::PutIn;
                    Some(file::from_text_of(&left_by_demo, &text, origin, inputs, schema, &mut findings, put_in))
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
    let settings = extract(&mut layers, schema, &mut findings.problems);
    if !findings.problems.is_empty() {
        return Err(findings.problems);
    }
    let origins = origins(&layers);
    let places = places(&layers, &origins);
    findings.notices.extend(unused(&settings, &origins));
    Ok(Loaded { settings, origins, places, notices: findings.notices, files, data_dir, untrusted })
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
    // An item of a list is taken out with its list.
    let mut path = path;
    while let Some((last, list)) = path.split_last()
        && last.parse::<usize>().is_ok()
        && !layers.iter().any(|layer| layer.get(path).is_some())
    {
        path = list;
    }
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
                let place = layer.place(path, matches!(kind, Kind::UnknownField(..) | Kind::MissingField(..)));
                problems.push(Problem { origin: layer.origin.clone(), key, message, help, place });
            }
        }
        found = true;
    }
    if !found {
        let (message, help) = explain(path, kind, schema, &Origin::Default);
        problems.push(Problem { origin: Origin::Default, key: path.join("."), message, help, place: None });
    }
    found
}

/// All keys of the settings that are not sections.
pub fn keys() -> Vec<String> {
    keys_of(&SCHEMA)
}

pub(super) fn keys_of(schema: &Json) -> Vec<String> {
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

/// Where what a file says stands in it, as far as it counts.
fn places(layers: &[Layer], origins: &BTreeMap<String, Origin>) -> BTreeMap<String, (Origin, Place)> {
    let all = layers.iter().flat_map(|layer| layer.places.iter().map(|(key, at)| (key, &layer.origin, at)));
    let counts = |key: &String, origin: &Origin| origins.get(key).is_none_or(|counts| counts == origin);
    let counting = all.filter(|(key, origin, _)| counts(key, origin));
    counting.map(|(key, origin, at)| (key.clone(), (origin.clone(), at.value.clone()))).collect()
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
