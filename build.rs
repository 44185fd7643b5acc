//! Embeds the built-in pack: the text of every file, and the value of every YAML file as JSON, so that a server
//! starts without parsing YAML. Uses the same reader as the server, so both see the same values.
//!
//! Of a context type it embeds the head too, which is all that lists show, and of everything the files that it is put
//! together from: so a server puts a type together when somebody asks for it.

#[path = "src/load/short.rs"]
mod short;
#[path = "src/load/yaml.rs"]
#[allow(dead_code)]
mod yaml;

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/load/short.rs");
    println!("cargo::rerun-if-changed=src/load/yaml.rs");
    println!("cargo::rerun-if-changed=src/load/yaml");
    let mut files = Vec::new();
    for folder in ["definitions", "personas", "prompts"] {
        if Path::new(folder).is_dir() {
            println!("cargo::rerun-if-changed={folder}");
            walk(Path::new(folder), &mut files)?;
        }
    }
    files.sort();
    let root = std::env::current_dir()?;
    let mut code = String::from(
        "/// Every file of the built-in pack, sorted by path.\npub static BUILT_IN: &[BuiltInFile] = &[\n",
    );
    let shown: Vec<String> = files.iter().map(|path| path.to_string_lossy().replace('\\', "/")).collect();
    let read = |shown: &String| match shown.ends_with(".yaml") {
        true => fs::read_to_string(shown).map(|text| index(&text)),
        false => Ok(None),
    };
    let shelf = Shelf::new(shown.iter().map(read).collect::<io::Result<_>>()?);
    // What is known of tables counts for a server whatever it loads.
    let mut tables = Vec::new();
    for (at, (path, shown)) in files.iter().zip(&shown).enumerate() {
        let value = shelf.value(at);
        if shown.starts_with("definitions/tables/") {
            tables.extend(value.map(without_kind));
        }
        let text = root.join(path);
        let word = |key: &str| value.and_then(|value| value[key].as_str()).unwrap_or_default();
        let json = value.map(Value::to_string).unwrap_or_default();
        let head = shelf.head(at).map(|head| head.to_string()).unwrap_or_default();
        let (kind, name) = (word("kind"), word("name"));
        let parts: Vec<usize> = shelf.parts(at).into_iter().collect();
        let _ = writeln!(
            code,
            "    BuiltInFile {{ path: {shown:?}, text: include_str!({text:?}), json: {json:?}, kind: {kind:?}, name: {name:?}, \
             head: {head:?}, parts: &{parts:?} }},"
        );
    }
    code.push_str("];\n");
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(out.join("tables.json"), format!("[{}]", tables.join(",")))?;
    fs::write(out.join("built_in.rs"), code)
}

/// Nothing for a broken file: the server then reads the text and says what is wrong with it.
fn index(text: &str) -> Option<Value> {
    let mut parsed = yaml::parse(text);
    short::write_out(&mut parsed);
    parsed.faults.is_empty().then_some(parsed.value)
}

/// A definition as the type of its kind has it.
fn without_kind(value: &Value) -> String {
    let mut value = value.clone();
    value.as_object_mut().map(|value| value.remove("kind"));
    value.to_string()
}

/// The values of all files, in their order, and what is found in them.
#[derive(Default)]
struct Shelf {
    values: Vec<Option<Value>>,
    /// By file: the fragments that it includes.
    included: Vec<Vec<String>>,
    contexts: HashMap<String, usize>,
    /// By name: a fragment and those that add to it.
    fragments: HashMap<String, Vec<usize>>,
    /// The parameters of all dictionaries.
    parameters: HashMap<String, Value>,
}

/// What the head of a context type lacks, and what its sections lack there.
const BODY: [&str; 4] = ["highlights", "next", "summary", "examples"];
const BODY_OF_SECTION: [&str; 4] = ["query", "when", "after", "join"];

impl Shelf {
    fn new(values: Vec<Option<Value>>) -> Self {
        let mut shelf = Self::default();
        for (at, value) in values.iter().enumerate() {
            let value = value.as_ref().unwrap_or(&Value::Null);
            shelf.included.push(included(value));
            let word = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            match value["kind"].as_str() {
                Some("context") => drop(shelf.contexts.insert(word("name"), at)),
                Some("fragment") => {
                    let added = Some(word("adds_to")).filter(|name| !name.is_empty());
                    for name in added.into_iter().chain([word("name")]) {
                        shelf.fragments.entry(name).or_default().push(at);
                    }
                }
                Some("parameters") => {
                    let all = value["parameters"].as_object().into_iter().flatten();
                    shelf.parameters.extend(all.map(|(name, parameter)| (name.clone(), parameter.clone())));
                }
                _ => {}
            }
        }
        Self { values, ..shelf }
    }

    fn value(&self, at: usize) -> Option<&Value> {
        self.values.get(at)?.as_ref()
    }

    fn included(&self, at: usize) -> &[String] {
        self.included.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    fn fragment(&self, name: &str) -> impl Iterator<Item = usize> {
        self.fragments.get(name).into_iter().flatten().copied()
    }

    /// The files from which one is put together, besides itself and the dictionaries of parameters.
    fn parts(&self, at: usize) -> BTreeSet<usize> {
        let (mut found, mut open) = (BTreeSet::new(), vec![at]);
        while let Some(one) = open.pop() {
            let fragments = self.included(one).iter().flat_map(|name| self.fragment(name));
            let sections = self.value(one).and_then(|value| value["sections"].as_object()).into_iter().flatten();
            let donors = sections.filter_map(|(_, section)| self.contexts.get(donor(section)?.0).copied());
            for part in fragments.chain(donors) {
                if part != at && found.insert(part) {
                    open.push(part);
                }
            }
        }
        found
    }

    /// A context type without its body, with the parameters that its body brings along.
    fn head(&self, at: usize) -> Option<Value> {
        let value = self.value(at).filter(|value| value["kind"] == "context")?;
        let mut parameters = self.declared(value);
        let mut sections = Map::new();
        for (name, section) in value["sections"].as_object().into_iter().flatten() {
            sections.insert(name.clone(), self.section(value, name, section, &mut parameters, 0));
        }
        let mut met = BTreeSet::new();
        sections.values().flat_map(included).for_each(|name| self.along(&name, &mut met, &mut parameters));
        let mut head = value.as_object()?.clone();
        head.retain(|key, _| key != "kind" && !BODY.contains(&key.as_str()));
        for section in sections.values_mut().filter_map(Value::as_object_mut) {
            section.retain(|key, _| !BODY_OF_SECTION.contains(&key.as_str()));
            section.insert("query".to_owned(), Value::Array(Vec::new()));
        }
        head.insert("sections".to_owned(), Value::Object(sections));
        head.insert("parameters".to_owned(), Value::Object(parameters));
        Some(Value::Object(head))
    }

    /// The parameters that a fragment brings along, and those that it includes, in the order in which they stand.
    fn along(&self, name: &str, met: &mut BTreeSet<usize>, parameters: &mut Map<String, Value>) {
        let new: Vec<usize> = self.fragment(name).filter(|part| met.insert(*part)).collect();
        for fragment in new.iter().filter_map(|part| self.value(*part)) {
            for (name, parameter) in self.declared(fragment) {
                parameters.entry(name).or_insert(parameter);
            }
        }
        new.iter().flat_map(|part| self.included(*part)).for_each(|name| self.along(name, met, parameters));
    }

    /// A section as it is written out. What it needs comes along with it, unless the type that uses it says it itself.
    fn section(&self, of: &Value, name: &str, section: &Value, needed: &mut Map<String, Value>, depth: usize) -> Value {
        let found = donor(section).and_then(|(context, wanted)| {
            let context = self.contexts.get(context).filter(|_| depth < 8).and_then(|at| self.value(*at))?;
            Some((context, wanted, context["sections"].get(wanted)?))
        });
        let Some((context, wanted, written)) = found else {
            if depth > 0 {
                let texts = read(of, name, section);
                for (name, parameter) in self.declared(of) {
                    if texts.iter().any(|text| has_word(text, &name)) {
                        needed.entry(name).or_insert(parameter);
                    }
                }
            }
            return section.clone();
        };
        let Value::Object(mut whole) = self.section(context, wanted, written, needed, depth + 1) else {
            return Value::Null;
        };
        for (key, value) in section.as_object().into_iter().flatten() {
            match (key.as_str(), value, whole.get_mut("columns")) {
                ("use" | "highlights", ..) => {}
                ("columns", Value::Object(columns), Some(Value::Object(all))) => all.extend(columns.clone()),
                _ => drop(whole.insert(key.clone(), value.clone())),
            }
        }
        Value::Object(whole)
    }

    /// The parameters of a definition, those of the dictionaries that it uses first.
    fn declared(&self, value: &Value) -> Map<String, Value> {
        let used =
            value.pointer("/parameters/use").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let mut found: Map<String, Value> =
            used.filter_map(|name| Some((name.to_owned(), self.parameters.get(name)?.clone()))).collect();
        let own = value["parameters"].as_object().into_iter().flatten().filter(|(name, _)| *name != "use");
        found.extend(own.map(|(name, parameter)| (name.clone(), parameter.clone())));
        found
    }
}

/// The context type and the section that a section uses.
fn donor(section: &Value) -> Option<(&str, &str)> {
    section["use"].as_str()?.rsplit_once('.')
}

/// The texts of a section and of the rules about its rows that may read a parameter.
fn read(of: &Value, name: &str, section: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    let mut add = |value: &Value| strings(value, &mut |_, text| texts.push(text.to_owned()));
    add(&section["when"]);
    section["query"].as_array().into_iter().flatten().for_each(|way| add(&way["sql"]));
    let rules = of["highlights"].as_array().into_iter().flatten().filter(|rule| rule["each"] == name);
    for rule in rules {
        let mut about = |value: &Value| {
            strings(value, &mut |_, text| {
                texts.extend(text.split("parameters.").skip(1).map(str::to_owned));
            });
        };
        about(&rule["when"]);
        about(&rule["say"]);
    }
    texts
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c == '_' || c.is_alphanumeric();
    let tags = text.split('{').skip(1).filter_map(|tag| tag.split('}').next());
    tags.chain((!text.contains('{')).then_some(text)).any(|tag| tag.split(|c| !is_part(c)).any(|found| found == word))
}

/// The fragments that the texts of a value include, or that it names beside them.
fn included(value: &Value) -> Vec<String> {
    let (mut names, mut beside) = (Vec::new(), Vec::new());
    strings(value, &mut |key, text| {
        if matches!(key, "weigh" | "sums" | "proof") {
            beside.push(text.to_owned());
        }
        for tag in text.split("{%").skip(1).filter_map(|rest| rest.split("%}").next()) {
            let name = tag.trim_matches(['-', '+']).trim().strip_prefix("include").map(str::trim);
            names.extend(name.map(|name| name.trim_matches(['"', '\'']).to_owned()));
        }
    });
    names.extend(beside);
    names
}

/// All texts of a value, with the key under which each stands.
fn strings(value: &Value, found: &mut impl FnMut(&str, &str)) {
    fn walk(key: &str, value: &Value, found: &mut dyn FnMut(&str, &str)) {
        match value {
            Value::String(text) => found(key, text),
            Value::Array(items) => items.iter().for_each(|item| walk(key, item, found)),
            Value::Object(fields) => fields.iter().for_each(|(key, value)| walk(key, value, found)),
            _ => {}
        }
    }
    walk("", value, found);
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            walk(&path, files)?;
        } else if !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".md.j2")) {
            files.push(path);
        }
    }
    Ok(())
}
