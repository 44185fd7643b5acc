//! The official SDKs of other languages as clients: one scripted tour of the conformance pack (`tests/clients/tour.*`)
//! over stdio and HTTP (sessions over HTTP+SSE too), in both protocol eras. What they saw is compared with one transcript an era
//! (`tests/clients/*.json`), so that both SDKs must see the same over both transports.

use std::{path::PathBuf, process::Command};

use serde_json::Value;

use crate::support::{
    node, python,
    served::{Served, conformance_pack},
};

const PYTHON: &str = "mcp==2.3.0";
const TYPESCRIPT: &str = "@modelcontextprotocol/client@2.4.0";

/// Short pages, so that a client that does not follow cursors misses most; and tools may ask the client's model.
const SETTINGS: &str = "mcp: { page_size: 7, enable_sampling: true }\n";

fn clients() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Runs a tour over both transports of an era and compares what it saw.
fn check(era: &str, command: impl Fn() -> Command) {
    let path = clients().join(era).with_extension("json");
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let pack = conformance_pack();
    let data = tempfile::tempdir().unwrap();
    // In a file, because the SDKs do not hand the whole environment on.
    let settings = data.path().join("tour.yaml");
    std::fs::write(&settings, SETTINGS).unwrap();
    let arguments = ["--config", settings.to_str().unwrap(), "--packs-only", "--pack", pack.to_str().unwrap()];

    let mut stdio = command();
    stdio.arg(era).args([env!("CARGO_BIN_EXE_tfo-mcp"), "serve", "--data-dir", data.path().to_str().unwrap()]);
    compare(&format!("{era} over stdio"), stdio.args(arguments), &expected);

    let served = Served::start(&arguments);
    compare(&format!("{era} over HTTP"), command().args([era, &served.url]), &expected);
    if era == "legacy" {
        let url = served.url.replace("/mcp", "/sse");
        compare("legacy over HTTP+SSE", command().args([era, &url]), &expected);
    }
}

fn compare(what: &str, command: &mut Command, expected: &Value) {
    let run = node::run(command);
    assert_eq!(run.code, Some(0), "{what}:\n{}{}", run.stdout, run.stderr);
    let seen: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{what}: {error}: {}", run.stdout));
    let (seen, expected) = (seen.as_object().unwrap(), expected.as_object().unwrap());
    let keys =
        |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(keys(seen), keys(expected), "{what}");
    for (part, wanted) in expected {
        assert_eq!(&seen[part], wanted, "{what}: {part}");
    }
}

fn python() -> Command {
    let mut command = Command::new(python::install("python", &[PYTHON]));
    command.arg(clients().join("tour.py"));
    command
}

fn typescript() -> Command {
    let modules = node::install("clients", &[TYPESCRIPT]);
    let mut command = node::node(&clients().join("tour.mjs"));
    command.env("TOUR_MODULES", modules);
    command
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_python_sdk_sees_it_in_sessions() {
    check("legacy", python);
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_python_sdk_sees_it_without_sessions() {
    check("modern", python);
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_python_sdk_follows_tasks() {
    check("tasks", python);
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_typescript_sdk_sees_it_in_sessions() {
    check("legacy", typescript);
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_typescript_sdk_sees_it_without_sessions() {
    check("modern", typescript);
}
