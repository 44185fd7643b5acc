//! Author errors: every fixture of `tests/fixtures/bad` holds one mistake and has a reviewed snapshot of what is
//! said about it; the generated schemas and pages are compared with what is committed.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tfo_mcp::{
    check::{self, Checked, Options, generated, schema},
    diagnostic::{self, Code, Diagnostic},
    load::{self, Request},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Checks one file that stands after the built-in pack.
fn check_file(path: &str, text: String) -> Checked {
    check_files(vec![(path.to_owned(), text)])
}

/// Checks files in one go: reading the built-in pack takes most of the time of one.
fn check_files(files: Vec<(String, String)>) -> Checked {
    let request = Request { built_in: true, ..Request::default() };
    let loaded = files.into_iter().fold(load::load(&request), |loaded, (path, text)| loaded.with_text(&path, text));
    check::check(loaded, Options::default())
}

/// Mistakes that are about what other definitions there are: their fixtures are judged alone.
const ALONE: &[&str] = &["TFO0015-next", "TFO0030-", "TFO0035-", "TFO0038-unknown-column-in-next", "TFO0040-next"];

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn bad_definitions_are_explained() {
    let mut silent = Vec::new();
    let folder = root().join("tests/fixtures/bad");
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let text = |name: &String| (format!("definitions/{name}"), std::fs::read_to_string(folder.join(name)).unwrap());
    let is_alone = |name: &String| ALONE.iter().any(|code| name.starts_with(code));
    let (alone, together): (Vec<String>, Vec<String>) = names.partition(is_alone);
    let mut all = check_files(together.iter().map(text).collect()).diagnostics;
    all.extend(alone.iter().flat_map(|name| check_files(vec![text(name)]).diagnostics));
    insta::glob!("../fixtures/bad", "*.yaml", |path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let own = all.iter().filter(|finding| finding.at.file.path == format!("definitions/{name}")).cloned();
        let own: Vec<Diagnostic> = own.collect();
        let code = name.split('-').next().unwrap();
        // Most statements here forget the workspace and the window as well, which is another fixture's mistake.
        let forgotten = [Code::UnboundWorkspace, Code::OpenWindow, Code::UnorderedRows];
        let own: Vec<Diagnostic> =
            own.into_iter().filter(|d| !forgotten.contains(&d.code) || code == d.code.as_str()).collect();
        if !own.iter().any(|d| d.code.as_str() == code) {
            silent.push(name);
        }
        insta::assert_snapshot!(diagnostic::render_all(&own, false));
    });
    assert!(silent.is_empty(), "no finding of the code in the file's name: {silent:?}");
}

/// Trees are as deep as chains are long: one of 60,000 links once ended `validate`, and a running server with it.
#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn chains_without_end_are_findings_and_end_nothing() {
    let tool = |run: String| {
        format!(
            "kind: tool\nname: chain\ntitle: Chain\ndescription: For the test.\ncategory: test\n\
             annotations: {{ read_only: true, destructive: false, idempotent: true, open_world: false }}\nrun:\n  {run}\n"
        )
    };
    let sql = |chain: &str, links: usize| {
        let tenant = "FROM traces WHERE organization_id = {{ organization_id }}";
        tool(format!("action: sql\n  source: telemetry\n  sql: \"SELECT 1{} AS n {tenant}\"", chain.repeat(links)))
    };
    let template = |text: String| tool(format!("action: template\n  text: \"{text}\""));
    let elif = |links: usize| format!("{{% if x %}}x{}{{% endif %}}", "{% elif x %}x".repeat(links));
    for (what, text, finding) in [
        ("operators of the longest statement", sql("+1", 2_950), None),
        ("conditions of the longest statement", sql(" AND 1", 2_950), None),
        ("operators", sql("+1", 60_000), Some("longer than 6000 words and signs")),
        ("conditions", sql(" AND 1=1", 60_000), Some("longer than 6000 words and signs")),
        ("branches", template(elif(30_000)), Some("`elif`")),
        ("branches of a statement", sql(&elif(30_000), 1), Some("`elif`")),
        ("operators of a template", template(format!("{{{{ 1{} }}}}", "+1".repeat(60_000))), Some("in one expression")),
        (
            "filters of a template",
            template(format!("{{{{ 1{} }}}}", "|upper".repeat(60_000))),
            Some("in one expression"),
        ),
        ("blocks", template("{% if 1 %}".repeat(60_000) + &"{% endif %}".repeat(60_000)), Some("recursion")),
    ] {
        let said: Vec<String> =
            check_file("definitions/tools/chain.yaml", text).diagnostics.into_iter().map(|d| d.message).collect();
        let found = finding.is_none_or(|finding| said.iter().any(|said| said.contains(finding)));
        let heads: Vec<String> = said.iter().map(|said| said.chars().take(120).collect()).collect();
        assert!(found, "{what}: {heads:?}");
    }
}

#[test]
fn every_code_has_a_fixture_or_a_test() {
    // Found among files and packs (`check_packs`), or by a database.
    let elsewhere = ["TFO0001", "TFO0002", "TFO0003", "TFO0007", "TFO0008", "TFO0021", "TFO0022", "TFO0072"];
    let fixtures: Vec<String> = std::fs::read_dir(root().join("tests/fixtures/bad"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let codes = diagnostic::Code::ALL.iter().map(|code| code.as_str());
    let bare: Vec<&str> =
        codes.filter(|code| !elsewhere.contains(code) && !fixtures.iter().any(|name| name.starts_with(code))).collect();
    assert_eq!(bare, Vec::<&str>::new());
}

#[test]
fn schemas_are_current() {
    let folder = root().join("schemas");
    let mut files = schema::files();
    let settings = serde_json::to_string_pretty(&tfo_mcp::settings::schema()).unwrap() + "\n";
    files.insert("settings.schema.json".to_owned(), settings);
    if std::env::var_os("UPDATE").is_some() {
        generated::write(&folder, &files, ".schema.json").unwrap();
    }
    let drift = generated::drift(&folder, &files, ".schema.json").unwrap();
    assert!(drift.is_none(), "{drift:?}: run `UPDATE=1 cargo test --test it check::` and commit `schemas/`");
}

#[test]
fn schemas_are_valid_and_every_property_is_described() {
    fn walk(schema: &Value, at: &str, bare: &mut Vec<String>) {
        match schema {
            Value::Object(object) => {
                // A list of properties may have one that is called so.
                let listed = object.get("properties").filter(|_| !at.ends_with("/properties"));
                if let Some(Value::Object(properties)) = listed {
                    // `if: { properties: { kind: { const } } }` is a question, not documentation, and so is what follows.
                    let asks = ["/if", "/then", "/else"].iter().any(|end| at.ends_with(end));
                    for (name, property) in properties.iter().filter(|_| !asks) {
                        if property.get("description").is_none() {
                            bare.push(format!("{at}/{name}"));
                        }
                    }
                }
                object.iter().for_each(|(key, value)| walk(value, &format!("{at}/{key}"), bare));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, at, bare)),
            _ => {}
        }
    }
    let mut bare = Vec::new();
    for (name, text) in schema::files() {
        let schema: Value = serde_json::from_str(&text).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        jsonschema::validator_for(&schema).unwrap();
        walk(&schema, &name, &mut bare);
    }
    assert_eq!(bare, Vec::<String>::new());
}

#[test]
fn the_page_of_diagnostics_is_current() {
    current(&root().join("docs/diagnostics.md"), &diagnostic::reference());
}

/// Compares a generated file, or writes it under `UPDATE=1`.
fn current(path: &Path, text: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == text, "{} is stale: run `UPDATE=1 cargo test --test it check::` and commit it", path.display());
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_built_in_pack_has_no_findings() {
    let loaded = load::load(&Request { built_in: true, ..Request::default() });
    let checked = check::check(loaded, Options { built_in: true });
    assert!(checked.diagnostics.is_empty(), "{}", diagnostic::render_all(&checked.diagnostics, false));
}
