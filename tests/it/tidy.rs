//! The rules of the house that a compiler does not know: which module may use which, how long a file may be, what
//! every file says at its top, and which words do not stand in Rust.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

use tfo_mcp::{
    check,
    definition::{Definition, Kind},
    load::{self, Request},
};

/// What each module may use. Data flows from the top to the bottom; nothing looks back up.
const EDGES: [(&str, &[&str]); 20] = [
    ("written", &[]),
    ("masking", &[]),
    ("arithmetic", &[]),
    ("definition", &["sql"]),
    ("diagnostic", &["written"]),
    ("sql", &[]),
    // The error of a template is the same for SQL and for text.
    ("template", &["sql"]),
    // Durations and sizes are written alike in definitions and in settings.
    // The settings file is read by the parser that knows where everything stands.
    ("settings", &["definition", "written", "load", "masking"]),
    ("telemetry", &["masking"]),
    ("load", &["definition", "diagnostic"]),
    // The input schemas and URI templates that are checked are those that the catalog builds.
    ("check", &["load", "definition", "diagnostic", "sql", "template", "catalog", "arithmetic"]),
    ("catalog", &["definition", "sql", "template"]),
    ("source", &["definition", "sql"]),
    // Rooms whose first inhabitants are on their way (docs/adr/0032): each is made when one moves in.
    ("host", &["definition", "settings", "masking"]),
    ("store", &["definition", "settings"]),
    ("llm", &["definition", "settings"]),
    // Options of the engine and of the server are made of the settings beside them.
    (
        "engine",
        &[
            "catalog",
            "definition",
            "source",
            "host",
            "store",
            "llm",
            "sql",
            "template",
            "arithmetic",
            "settings",
            "masking",
        ],
    ),
    // What a client is shown of a definition is written in its types.
    (
        "server",
        &[
            "engine",
            "catalog",
            "telemetry",
            "definition",
            "template",
            "written",
            "settings",
            "load",
            "store",
            "masking",
        ],
    ),
    // An edit goes the whole way from files to the engine.
    ("reload", &["load", "check", "catalog", "diagnostic", "engine"]),
    ("lib", &[]),
];

/// Modules that may use anything: the command line, and what acts like it.
const FREE: [&str; 3] = ["cli", "demo", "main"];

/// Crates that only some modules may know.
const CRATES: [(&str, &[&str]); 17] = [
    // docs/adr/0009: the keys of an issuer of access tokens; `cli` calls servers that run. `llm` will talk to providers,
    // `host` to addresses that definitions name.
    ("reqwest", &["server", "cli", "llm", "host"]),
    ("cap_std", &["host"]),
    ("landlock", &["host"]),
    ("seccompiler", &["host"]),
    ("nix", &["host"]),
    ("sysinfo", &["host"]),
    // docs/adr/0060, docs/adr/0061: answers and quotas in memory.
    ("moka", &["engine"]),
    ("governor", &["engine"]),
    ("num_rational", &["arithmetic"]),
    ("rmcp", &["server"]),
    ("notify", &["reload"]),
    ("sqlx", &["source", "store"]),
    ("libsqlite3_sys", &["source"]),
    ("clickhouse", &["source"]),
    ("serde_saphyr", &["load", "demo", "cli"]),
    ("clap", &["cli", "main", "demo"]),
    ("annotate_snippets", &["diagnostic", "cli"]),
];

/// Most lines of a file, its unit tests apart.
const MAX_LINES: usize = 500;

/// Longer files, and why.
const LONG: [(&str, &str); 0] = [];

struct Source {
    /// Path below `src`, with `/`.
    path: String,
    /// The text without unit tests and without comments.
    code: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, extension, found);
        } else if extension.is_empty() || path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    files(&root().join("src"), "rs", &mut paths);
    let source = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(root().join("src")).unwrap().to_string_lossy().replace('\\', "/");
        let own = if path.ends_with("/tests.rs") { "" } else { text.as_str() };
        let code = own.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code = code.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
        Source { path, code: code.collect::<Vec<_>>().join("\n"), text }
    };
    paths.into_iter().map(source).collect()
}

impl Source {
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// Modules of the crate that the code names: behind `crate::`, and in the groups of `use crate::{…}`.
    fn uses(&self) -> BTreeSet<String> {
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        let mut found = BTreeSet::new();
        for (at, _) in self.code.match_indices("crate::") {
            let rest = &self.code[at + "crate::".len()..];
            let Some(group) = rest.strip_prefix('{') else {
                found.insert(word(rest));
                continue;
            };
            let mut depth = 0;
            let mut begins = true;
            for (at, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => begins = true,
                    c if begins && c.is_alphabetic() => {
                        found.insert(word(&group[at..]));
                        begins = false;
                    }
                    _ => {}
                }
            }
        }
        found.remove("");
        found
    }
}

#[test]
fn modules_use_only_what_lies_before_them() {
    let mut broken = Vec::new();
    for source in sources() {
        let module = source.module();
        if FREE.contains(&module) {
            continue;
        }
        let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == module) else {
            broken.push(format!("src/{}: the module `{module}` is not in the table of tests/it/tidy.rs", source.path));
            continue;
        };
        for used in source.uses().iter().filter(|used| *used != module && !allowed.contains(&used.as_str())) {
            broken.push(format!("src/{}: `{module}` may not use `{used}`", source.path));
        }
    }
    assert!(broken.is_empty(), "{}\nSee ARCHITECTURE.md for who may use whom, and why.", broken.join("\n"));
}

#[test]
fn the_table_of_modules_has_no_circle() {
    fn reaches(from: &str, to: &str) -> bool {
        let of = EDGES.iter().find(|(name, _)| *name == from).map_or(&[][..], |(_, uses)| uses);
        of.iter().any(|next| *next == to || reaches(next, to))
    }
    for (module, _) in EDGES {
        assert!(!reaches(module, module), "`{module}` uses itself through others");
    }
}

#[test]
fn crates_stay_behind_their_edge() {
    let mut broken = Vec::new();
    for source in sources() {
        // `use crate::source::{clickhouse::…}` names a module of ours.
        let own = |part: &str| part.trim_start().starts_with("use crate::") || part.contains("\nuse crate::");
        let outside: String = source.code.split(';').filter(|part| !own(part)).collect::<Vec<_>>().join(";");
        for (name, modules) in CRATES {
            let known = outside
                .match_indices(&format!("{name}::"))
                .any(|(at, _)| !outside[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'));
            if known && !modules.contains(&source.module()) {
                broken.push(format!("src/{}: `{name}` may be known only to {modules:?}", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_are_short() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|source| !LONG.iter().any(|(path, _)| *path == source.path))
        .map(|source| (source.text.split("#[cfg(test)]\nmod tests").next().unwrap().lines().count(), &source.path))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, path)| {
            format!("src/{path}: {lines} lines; split it by idea, or give a reason in tests/it/tidy.rs")
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn unsafe_stays_in_its_three_files() {
    let found: Vec<String> = sources()
        .into_iter()
        .filter(|source| source.code.contains("allow(unsafe_code)"))
        .map(|source| source.path)
        .collect();
    assert_eq!(found, ["source/embedded/ffi.rs", "source/sqlite/bounds.rs", "source/sqlite/present.rs"]);
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = sources()
        .iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| format!("src/{}: begins without `//!`", source.path))
        .collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

/// Rust knows kinds; YAML knows things.
#[test]
fn no_name_of_a_definition_stands_in_rust() {
    let checked =
        check::check(load::load(&Request { built_in: true, ..Request::default() }), check::Options::default());
    let mut names = BTreeSet::new();
    for located in &checked.definitions {
        let definition = &located.definition;
        if matches!(definition.kind(), Kind::Tool | Kind::Context | Kind::Persona | Kind::Provider) {
            names.insert(definition.name().to_owned());
        }
        if let Definition::Context(context) = definition {
            names.extend(context.aliases.iter().map(|alias| alias.0.clone()));
        }
    }
    assert!(names.len() > 20, "the catalogue is empty");
    let mut broken = Vec::new();
    // The demo plays a client, so it names what it asks for.
    for source in sources().iter().filter(|source| source.module() != "demo") {
        for literal in literals(&source.code).filter(|literal| names.contains(*literal)) {
            if !WORDS.contains(&literal) {
                broken.push(format!("src/{}: \"{literal}\" is the name of a definition", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Names of definitions that are also ordinary words, and where they mean something else.
const WORDS: [&str; 6] = [
    // What a shell does itself.
    "echo",
    // A level of log messages in MCP.
    "alert",         // The log of this server's own calls.
    "audit",         // What MCP calls messages that are not answered.
    "notifications", // A section of the settings.
    "tenancy",       // A level of this server's own log.
    "trace",
];

/// The contents of plain string literals.
fn literals(code: &str) -> impl Iterator<Item = &str> {
    code.split('"').enumerate().filter(|(n, _)| n % 2 == 1).map(|(_, literal)| literal)
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // Put together here, so that this file does not find itself.
    let words = ["wt/", "main/", "shared/", ".library"].map(|part| format!("/work/{part}"));
    let words: Vec<String> =
        words.into_iter().chain(["shared/", ".library/"].map(|part| format!("../{part}"))).collect();
    let mut paths = Vec::new();
    for folder in ["src", "tests", "benches", "definitions", "personas", "prompts", "schemas", "docs", ".ci", ".github"]
    {
        files(&root().join(folder), "", &mut paths);
    }
    paths.extend(fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        path.is_file() && matches!(extension, Some("md" | "toml" | "rs"))
    }));
    let mut broken = Vec::new();
    for path in paths {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (n, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word.as_str())) {
                broken.push(format!("{}:{}: {}", path.display(), n + 1, line.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The longest line of a definition that people read, and how many lines of statements make a part that wants a name.
const MAX_WIDTH: usize = 120;
const PART: usize = 6;

/// What statements share is a fragment with a name (docs/adr/0020), not a copy that drifts.
#[test]
fn statements_are_written_once_and_in_short_lines() {
    let mut paths = Vec::new();
    for folder in ["contexts", "fragments"] {
        files(&root().join("definitions").join(folder), "yaml", &mut paths);
    }
    let texts: Vec<(String, String)> = paths
        .into_iter()
        .map(|path| (path.strip_prefix(root()).unwrap().display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect();
    let mut broken = Vec::new();
    let mut parts: HashMap<Vec<&str>, String> = HashMap::new();
    for (path, text) in &texts {
        let wide = text.lines().enumerate().filter(|(_, line)| line.chars().count() > MAX_WIDTH);
        broken.extend(wide.map(|(n, _)| format!("{path}:{}: more than {MAX_WIDTH} characters", n + 1)));
        for statement in statements(text) {
            for part in statement.windows(PART) {
                let place = format!("{path}:{}", part[0].0);
                let lines = part.iter().map(|(_, line)| *line).collect();
                if let Some(first) = parts.insert(lines, place.clone()) {
                    broken.push(format!(
                        "{place}: {PART} lines that stand at {first} too; make a fragment of what they say"
                    ));
                }
            }
        }
    }
    assert!(parts.len() > 1000, "no statement was found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The lines of each statement of a file as they are written, with their numbers.
fn statements(text: &str) -> Vec<Vec<(usize, &str)>> {
    let mut found = Vec::new();
    let mut within = None;
    for (n, line) in text.lines().enumerate() {
        let (width, line) = (line.len() - line.trim_start().len(), line.trim());
        if line.is_empty() {
            continue;
        }
        if within.is_some_and(|outside| width <= outside) {
            within = None;
        }
        match (within, found.last_mut()) {
            (Some(_), Some(statement)) => Vec::push(statement, (n + 1, line)),
            _ if ["sql: |", "postgres: |", "sqlite: |"].iter().any(|key| line.ends_with(key)) => {
                found.push(Vec::new());
                within = Some(width);
            }
            _ => {}
        }
    }
    found
}

/// Programs that every Debian has, however small.
const ESSENTIAL: [&str; 2] = ["bash", "sh"];

#[test]
fn tests_start_only_programs_that_their_script_installs() {
    let script = fs::read_to_string(root().join("scripts/test.sh")).unwrap();
    let needed: Vec<&str> = script.lines().filter_map(|line| line.strip_prefix("need ")?.split(' ').next()).collect();
    let python = script.lines().any(|line| line == "need_python").then_some("python3");
    let mut paths = Vec::new();
    files(&root().join("tests"), "rs", &mut paths);
    files(&root().join("src"), "rs", &mut paths);
    let mut broken = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        for program in text.split("Command::new(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            if !needed.iter().chain(&ESSENTIAL).chain(&python).any(|known| *known == program) {
                broken.push(format!("{}: `{program}` is not installed by scripts/test.sh", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A place that is named leads somewhere.
#[test]
fn the_places_that_architecture_names_are_there() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let table = text.split("## Where is").nth(1).unwrap().split("\n## ").next().unwrap();
    let paths: Vec<&str> =
        table.split('`').filter(|word| word.starts_with("src/") || word.starts_with("definitions/")).collect();
    assert!(paths.len() > 20, "{paths:?}");
    let missing: Vec<_> = paths.into_iter().filter(|path| !root().join(path).is_file()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn no_sentence_says_nought_of_a_time_before_of_which_nothing_is_known() {
    let mut paths = Vec::new();
    ["definitions", "packs"].iter().for_each(|folder| files(&root().join(folder), "yaml", &mut paths));
    assert!(paths.len() > 300, "{}", paths.len());
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let printed = text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
        let wrong: Vec<&str> = printed.filter(|said| said.contains("prev_") && said.contains(" or 0")).collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", path.display());
    }
}

/// The tests that `docs/safety.md` names: code spans of `Tests:` paragraphs, and of the last column of tables that say `shown by`.
fn named_tests(page: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let (mut in_table, mut in_tests) = (false, false);
    let spans = |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    for line in page.lines() {
        in_table = line.starts_with('|') && (in_table || line.ends_with("| shown by |"));
        in_tests = !line.is_empty() && (in_tests || line.starts_with("Tests: "));
        if in_table {
            named.extend(spans(line.trim_end_matches('|').rsplit('|').next().unwrap_or_default()));
        } else if in_tests {
            named.extend(spans(line).into_iter().filter(|span| !span.contains('/')));
        }
        named.extend(spans(line).into_iter().filter(|span| span.contains("::") && !span.contains(' ')));
    }
    named
}

#[test]
fn what_is_said_of_safety_names_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/safety.md")).unwrap();
    let named = named_tests(&page);
    let exists = |name: &str| {
        let parts: Vec<&str> = name.split("::").collect();
        let module =
            |parts: &[&str]| fs::read_to_string(root().join("tests/it").join(parts.join("/")).with_extension("rs"));
        let (last, before) = parts.split_last().unwrap();
        let is_test = module(before).is_ok_and(|text| {
            let text = text.split("#[test]").skip(1).chain(text.split("#[tokio::test").skip(1));
            text.map(|test| test.split('{').next().unwrap_or_default())
                .any(|head| head.contains(&format!("fn {last}()")))
        });
        is_test || module(&parts).is_ok() || root().join("src").join(name).is_dir()
    };
    let missing: Vec<_> = named.iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "docs/safety.md names tests that are not there: {missing:?}");
    let tests = named.iter().filter(|name| name.contains("::") && name.len() > 40).count();
    assert!(tests > 30, "{tests}");
    // A row without a test shows nothing.
    let rows = page.lines().skip_while(|line| !line.ends_with("| shown by |"));
    for row in rows.skip(2).take_while(|line| line.starts_with('|')) {
        assert!(row.trim_end_matches([' ', '|']).ends_with('`'), "no test: {row}");
    }
}
