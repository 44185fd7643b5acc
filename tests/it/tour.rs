//! The official SDKs of other languages as clients: one scripted tour of the conformance pack (`tests/clients/tour.*`)
//! over stdio and HTTP, in both protocol eras. What they saw is compared with one transcript an era
//! (`tests/clients/*.json`), so that both SDKs must see the same over both transports.

use std::{path::PathBuf, process::Command};

use serde_json::Value;

use crate::support::{
    node, python,
    served::{Served, conformance_pack},
};

const PYTHON: &str = "mcp==2.3.0";
const TYPESCRIPT: &str = "@modelcontextprotocol/client@2.4.0";

/// Short pages, so that a client that does not follow cursors misses most.
const PAGE_SIZE: (&str, &str) = ("TELEMETRYFLOW_MCP_MCP__PAGE_SIZE", "7");

fn clients() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Runs a tour over both transports of an era and compares what it saw.
fn check(era: &str, command: impl Fn() -> Command) {
    let path = clients().join(era).with_extension("json");
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let pack = conformance_pack();
    let arguments = ["--packs-only", "--pack", pack.to_str().unwrap()];

    let data = tempfile::tempdir().unwrap();
    let mut stdio = command();
    stdio.arg(era).args([env!("CARGO_BIN_EXE_tfo-mcp"), "serve", "--data-dir", data.path().to_str().unwrap()]);
    // The page size goes into a settings file: the SDKs do not hand the whole environment on.
    let settings = data.path().join("tfo-mcp.yaml");
    std::fs::write(&settings, "mcp: { page_size: 7 }\n").unwrap();
    stdio.args(["--config", settings.to_str().unwrap()]).args(arguments);
    compare(&format!("{era} over stdio"), &mut stdio, &expected);

    let served = Served::start_with(&arguments, &[PAGE_SIZE]);
    compare(&format!("{era} over HTTP"), command().args([era, &served.url]), &expected);
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
fn the_python_sdk_sees_it_in_sessions() {
    check("legacy", python);
}

#[test]
fn the_python_sdk_sees_it_without_sessions() {
    check("modern", python);
}

#[test]
fn the_typescript_sdk_sees_it_in_sessions() {
    check("legacy", typescript);
}

#[test]
fn the_typescript_sdk_sees_it_without_sessions() {
    check("modern", typescript);
}
