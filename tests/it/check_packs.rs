//! Packs as folders: what is read, what cannot be, and how packs lie over each other.

use std::{collections::BTreeMap, fs, path::Path};

use proptest::prelude::*;
use serde_json::Value;
use tfo_mcp::{
    check::{self, Checked, Options},
    definition::{Context, Definition, Kind},
    diagnostic::{self, Code, Diagnostic, Format},
    load::{self, Request},
};

use crate::support::generated;

const TOOL: &str = "kind: tool\nname: NAME\ntitle: A tool\ndescription: Does something.\ncategory: utility\nrun: { action: template, text: hello }\n";

fn tool(name: &str) -> String {
    TOOL.replace("NAME", name)
}

/// Writes files under a folder, `definitions/tools/a.yaml` style.
fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn check_packs(built_in: bool, packs: &[&Path]) -> Checked {
    let packs = packs.iter().map(|path| path.to_path_buf()).collect();
    check::check(load::load(&Request { built_in, packs, files: Vec::new() }), Options::default())
}

/// Codes and file names, in order.
fn found(checked: &Checked) -> Vec<String> {
    let name = |d: &Diagnostic| d.at.file.path.rsplit('/').next().unwrap_or_default().to_owned();
    checked.diagnostics.iter().map(|d| format!("{} {}", d.code, name(d))).collect()
}

#[test]
fn files_that_cannot_be_read_are_findings_and_the_rest_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join("definitions").join(name);
    write(
        folder.path(),
        &[("definitions/good.yaml", &tool("good")), ("definitions/old.yml", "x: 1"), ("definitions/README.md", "#")],
    );
    fs::write(at("latin.yaml"), b"kind: tool\ntitle: caf\xe9\n").unwrap();
    fs::write(at("huge.yaml"), vec![b'#'; (load::MAX_FILE_SIZE + 1) as usize]).unwrap();
    fs::write(at("nul.yaml"), b"kind: to\0ol\n").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path().join("definitions"), at("circle")).unwrap();
        std::os::unix::fs::symlink(at("loop.yaml"), at("loop.yaml")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("dangling.yaml")).unwrap();
        std::os::unix::net::UnixListener::bind(at("pipe.yaml")).unwrap();
    }
    let checked = check_packs(false, &[folder.path()]);
    assert_eq!(
        found(&checked),
        [
            "TFO0001 circle",
            "TFO0001 dangling.yaml",
            "TFO0002 huge.yaml",
            "TFO0003 latin.yaml",
            "TFO0001 loop.yaml",
            "TFO0004 nul.yaml",
            "TFO0007 old.yml",
            "TFO0001 pipe.yaml",
        ]
    );
    let names: Vec<&str> = checked.definitions.iter().map(|located| located.definition.name()).collect();
    assert_eq!(names, ["good"]);
    let latin = checked.diagnostics.iter().find(|d| d.code == Code::NotUtf8).unwrap();
    assert_eq!(latin.line_column(), (2, 11));
}

#[test]
fn packs_that_are_none_are_findings() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("latency.yaml", "x: 1")]);
    let missing = folder.path().join("missing");
    let file = folder.path().join("latency.yaml");
    let checked = check_packs(false, &[folder.path(), &missing, &file]);
    let codes: Vec<Code> = checked.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, [Code::EmptyPack, Code::Unreadable, Code::Unreadable]);
}

#[test]
fn later_packs_override_earlier_ones_when_they_say_so() {
    // Findings are sorted by path: the two need names of their own, not random ones.
    let folder = tempfile::tempdir().unwrap();
    let (base, over) = (folder.path().join("base"), folder.path().join("over"));
    write(
        &base,
        &[
            ("definitions/a.yaml", &tool("a")),
            ("definitions/b.yaml", &tool("b")),
            ("definitions/deeper/a.yaml", &tool("a")),
            ("prompts/system.md.j2", "{{ persona }}"),
        ],
    );
    write(
        &over,
        &[
            ("definitions/a.yaml", &(tool("a") + "override: true\n")),
            ("definitions/b.yaml", &tool("b")),
            ("definitions/deeper/b.yaml", &tool("b")),
            ("definitions/c.yaml", &(tool("c") + "override: true\n")),
            ("prompts/system.md.j2", "{{ persona }} and {{ title }}"),
            ("prompts/sistem.md.j2", "{{ persona }}"),
            ("prompts/insight.md.j2", "{% if insight %}{{ insigt }}{% endif %}"),
        ],
    );
    let checked = check_packs(false, &[&base, &over]);
    let text = diagnostic::render_all(&checked.diagnostics, false);
    let text = text.replace(&over.display().to_string(), "over").replace(&base.display().to_string(), "base");
    insta::assert_snapshot!(text);
    let from = |name: &str| {
        let located = checked.definitions.iter().find(|located| located.definition.name() == name);
        located.map(|located| located.file().path.starts_with(&over.display().to_string()))
    };
    assert_eq!((from("a"), from("b"), from("c")), (Some(true), Some(false), None));
    let templates: Vec<_> = checked.templates.iter().map(|t| (t.name.as_str(), t.file.text.as_ref())).collect();
    assert_eq!(templates, [("system", "{{ persona }} and {{ title }}"), ("sistem", "{{ persona }}")]);
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn a_checkout_takes_the_place_of_the_built_in_pack() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checked = check_packs(true, &[checkout]);
    assert!(checked.diagnostics.is_empty(), "{}", diagnostic::render_all(&checked.diagnostics, false));
    assert!(checked.definitions.iter().all(|located| !located.file().path.starts_with("built-in/")));
}

#[test]
fn the_index_of_the_build_holds_what_the_texts_say() {
    for file in load::BUILT_IN.iter().filter(|file| file.path.ends_with(".yaml")) {
        let parsed = load::yaml::parse(file.text);
        assert_eq!(parsed.faults, [], "{}", file.path);
        let loaded = load::load(&Request::default()).with_text(file.path, file.text);
        assert_eq!(file.value().unwrap(), loaded.documents.last().unwrap().value, "{}", file.path);
    }
}

#[test]
fn lone_files_stand_in_for_definitions_of_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("echo.yaml", &tool("echo"))]);
    let files = vec![folder.path().join("echo.yaml")];
    let checked = check::check(load::load(&Request { built_in: true, packs: Vec::new(), files }), Options::default());
    assert!(checked.diagnostics.is_empty(), "{}", diagnostic::render_all(&checked.diagnostics, false));
    let echoes = checked.definitions.iter().filter(|located| located.definition.name() == "echo");
    assert_eq!(echoes.map(|located| located.definition.kind().as_str()).collect::<Vec<_>>(), ["tool"]);
}

#[test]
fn reports_are_stable() {
    let text = "kind: tool\nname: x\ntitel: \"é, 100%: yes\"\n";
    let checked =
        check::check(load::load(&Request::default()).with_text("definitions/x,y.yaml", text), Options::default());
    for format in [Format::Json, Format::Github, Format::Sarif] {
        insta::assert_snapshot!(format!("report-{}", format.as_str()), format.print(&checked.diagnostics, false));
    }
    assert!(Format::Text.print(&checked.diagnostics, true).contains('\u{1b}'));
    assert!(!Format::Text.print(&checked.diagnostics, false).contains('\u{1b}'));
    assert_eq!(Format::Text.print(&[], false), "");
}

/// What SARIF 2.1.0 requires (its schema, the parts that we write): consumers refuse a log without it.
#[test]
fn sarif_has_what_its_schema_requires() {
    let text = "kind: context\nname: latency\naliases: [errors]\ntitel: x\n";
    let request = Request { built_in: true, ..Request::default() };
    let checked = check::check(load::load(&request).with_text("definitions/latency.yaml", text), Options::default());
    let log: serde_json::Value = serde_json::from_str(&Format::Sarif.print(&checked.diagnostics, false)).unwrap();
    let schema = serde_json::json!({
        "type": "object", "required": ["version", "runs"],
        "properties": {
            "version": { "const": "2.1.0" },
            "$schema": { "type": "string", "format": "uri" },
            "runs": { "type": "array", "items": {
                "type": "object", "required": ["tool", "results"],
                "properties": {
                    "columnKind": { "enum": ["utf16CodeUnits", "unicodeCodePoints"] },
                    "tool": { "type": "object", "required": ["driver"], "properties": { "driver": {
                        "type": "object", "required": ["name", "rules"],
                        "properties": { "rules": { "type": "array", "uniqueItems": true, "items": {
                            "type": "object", "required": ["id", "shortDescription", "defaultConfiguration"],
                            "properties": { "shortDescription": { "required": ["text"] },
                                "defaultConfiguration": { "properties": { "level": { "enum": ["none", "note", "warning", "error"] } } } } } } } } } },
                    "results": { "type": "array", "minItems": 2, "items": {
                        "type": "object", "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
                        "properties": {
                            "level": { "enum": ["none", "note", "warning", "error"] },
                            "message": { "type": "object", "required": ["text"] },
                            "locations": { "items": { "$ref": "#/$defs/location" }, "minItems": 1 },
                            "relatedLocations": { "items": { "$ref": "#/$defs/location" }, "uniqueItems": true } } } } } } } },
        "$defs": { "location": { "type": "object", "required": ["physicalLocation"], "properties": {
            "id": { "type": "integer", "minimum": -1 },
            "physicalLocation": { "type": "object", "required": ["artifactLocation", "region"], "properties": {
                "artifactLocation": { "properties": { "uri": { "type": "string", "format": "uri-reference" } } },
                "region": { "required": ["startLine"], "properties": {
                    "startLine": { "type": "integer", "minimum": 1 }, "startColumn": { "type": "integer", "minimum": 1 },
                    "endLine": { "type": "integer", "minimum": 1 }, "endColumn": { "type": "integer", "minimum": 1 } } } } } } } }
    });
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
}

/// Whatever stands in a file, every stage returns, and every finding lies inside its file.
fn survives(text: &str) -> Result<(), TestCaseError> {
    let loaded = load::load(&Request::default()).with_text("definitions/x.yaml", text.to_owned());
    let checked = check::check(loaded, Options::default());
    for diagnostic in &checked.diagnostics {
        for label in std::iter::once(&diagnostic.at).chain(&diagnostic.related) {
            prop_assert!(label.file.text.get(label.span.clone()).is_some(), "{diagnostic:?}");
        }
    }
    for format in Format::ALL {
        format.print(&checked.diagnostics, true);
    }
    Ok(())
}

/// A definition of the repository or a fixture with one piece replaced.
fn mutated() -> impl Strategy<Value = String> {
    let mut texts: Vec<String> = load::BUILT_IN.iter().map(|file| file.text.to_owned()).collect();
    let bad = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bad");
    texts.extend(fs::read_dir(bad).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()));
    texts.retain(|text| text.len() < 6000);
    texts.sort();
    let piece = prop_oneof![
        Just(String::new()),
        "[ -~\n\t]{1,4}",
        "\\PC{1,3}",
        prop::sample::select(vec![
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "'",
            "\"",
            "`",
            "$$",
            "--",
            "/*",
            "*/",
            "(",
            ")",
            ";",
            "|",
            "| ident",
            ">",
            "|-",
            "&a ",
            "*a",
            "<<: ",
            "- ",
            ": ",
            "? ",
            "---\n",
            "\r\n",
            "\u{feff}",
            "é",
            "\0",
            "!!str ",
            "{% if x %}",
            "{% endif %}",
            "{% set x %}",
        ])
        .prop_map(str::to_owned),
    ];
    (prop::sample::select(texts), any::<prop::sample::Index>(), 0usize..20, piece).prop_map(|(text, at, cut, piece)| {
        let start = text.floor_char_boundary(at.index(text.len().max(1)));
        let end = text.floor_char_boundary((start + cut).min(text.len())).max(start);
        format!("{}{piece}{}", &text[..start], &text[end..])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text_is_survived(text in "(kind: (tool|context|prompt)\n)?\\PC{0,200}") {
        survives(&text)?;
    }

    #[test]
    fn mutated_definitions_are_survived(text in mutated()) {
        survives(&text)?;
    }
}

#[test]
fn a_generated_pack_has_no_findings() {
    let folder = tempfile::tempdir().unwrap();
    generated::write(folder.path(), 200);
    let checked = check_packs(true, &[folder.path()]);
    assert!(checked.diagnostics.is_empty(), "{}", diagnostic::render_all(&checked.diagnostics, false));
    assert!(checked.definitions.len() > 200);
}

/// A server that has no other pack puts its context types together when they are asked for, and knows their heads before.
#[test]
fn what_is_put_together_later_is_what_the_check_finds() {
    let request = Request { built_in: true, ..Request::default() };
    let checked = check::check(load::load(&request), Options::default());
    let (found, templates) = checked.into_parts();
    let shipped = check::shipped().expect("no file is broken");
    assert_eq!(shipped.templates, templates);
    let named = |definitions: Vec<Definition>| -> BTreeMap<(&str, String), Definition> {
        let key = |definition: &Definition| (definition.kind().as_str(), definition.name().to_owned());
        definitions.into_iter().map(|definition| (key(&definition), definition)).collect()
    };
    let (found, mut now) = (named(found), named(shipped.definitions));
    let mut differ = Vec::new();
    for later in &shipped.contexts {
        let whole = (later.whole)().unwrap_or_else(|| panic!("{} cannot be put together", later.head.name));
        let (known, then) = (head(&later.head), head(&whole));
        for (key, value) in then.as_object().unwrap() {
            if known.get(key) != Some(value) {
                differ.push(format!("{} {key}: {:?} is {value}", whole.name, known.get(key)));
            }
        }
        now.insert(("context", whole.name.0.clone()), Definition::Context(whole));
    }
    assert!(differ.is_empty(), "heads differ from what is put together:\n{}", differ.join("\n"));
    let parts = [Kind::Fragment, Kind::Parameters];
    assert!(shipped.contexts.len() > 100 && now.len() > 200);
    for (name, definition) in &found {
        if !parts.contains(&definition.kind()) {
            assert!(now.get(name) == Some(definition), "{name:?} differs, or is missing");
        }
    }
}

/// What lists show of a context type.
fn head(context: &Context) -> Value {
    let mut head = serde_json::to_value(context).unwrap();
    let fields = head.as_object_mut().unwrap();
    fields.retain(|key, _| !["highlights", "next", "summary", "examples"].contains(&key.as_str()));
    for section in
        fields.get_mut("sections").and_then(Value::as_object_mut).into_iter().flat_map(|all| all.values_mut())
    {
        section.as_object_mut().unwrap().retain(|key, _| !["query", "when", "after", "join"].contains(&key.as_str()));
    }
    head
}
