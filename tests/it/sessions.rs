//! Sessions of clients and bridges that many people use and that install quickly: `tests/clients/sessions/*`. Those that
//! take longer to install are run by `scripts/clients.sh`.
//!
//! Each must end with `fine`, and with nothing on standard error: what a client complains of there, its user reads.

use std::{path::PathBuf, process::Command};

use crate::support::{key, node, python, served::Served};

/// With the newest of what they need that they still work with.
const OLD_SDK: [&str; 2] = ["mcp==1.9.4", "pydantic==2.10.6"];
const SDK: [&str; 1] = ["mcp==1.30.0"];
const LANGCHAIN: [&str; 1] = ["langchain-mcp-adapters==0.3.2"];
const PROXY: [&str; 1] = ["mcp-proxy==0.13.0"];
const REMOTE: &str = "mcp-remote@0.15.0";
const AI_SDK: &str = "@ai-sdk/mcp@1.0.102";

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients/sessions").join(name)
}

/// A server that wants a key, and a key as the README makes one for somebody who may ask for telemetry alone.
struct Keyed {
    served: Served,
    key: String,
    _data: tempfile::TempDir,
}

impl Keyed {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let key = key::create(data.path(), "session", key::SOME, &[]);
        let served = Served::start(&["--data-dir", data.path().to_str().unwrap()]);
        Self { served, key, _data: data }
    }

    /// How, where and with which key.
    fn both(&self) -> [[String; 3]; 2] {
        let sse = self.served.url.replace("/mcp", "/sse");
        [("http", self.served.url.clone()), ("sse", sse)].map(|(how, url)| [how.to_owned(), url, self.key.clone()])
    }
}

fn check(what: &str, command: &mut Command) {
    let home = tempfile::tempdir().unwrap();
    let run = node::run(command.env("HOME", home.path()));
    assert_eq!((run.code, run.stdout.trim(), run.stderr.trim()), (Some(0), "fine", ""), "{what}");
}

fn with_python(name: &str, packages: &[&str], file: &str) {
    let python = python::install(name, packages);
    let keyed = Keyed::start();
    for arguments in keyed.both() {
        check(&format!("{name} over {}", arguments[0]), Command::new(&python).arg(script(file)).args(&arguments));
    }
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_python_sdk_of_2025_03() {
    with_python("sdk-1.9", &OLD_SDK, "sdk.py");
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_python_sdk_of_2025_11() {
    with_python("sdk-1.30", &SDK, "sdk.py");
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn langchain_takes_all_tools_and_resources() {
    with_python("langchain", &LANGCHAIN, "langchain_tools.py");
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_bridge_mcp_proxy_lives_through_refusals() {
    let sdk = python::install("sdk-1.30", &SDK);
    let proxy = python::install("mcp-proxy", &PROXY).with_file_name("mcp-proxy");
    let keyed = Keyed::start();
    let authorization = format!("Bearer {}", keyed.key);
    let mut command = Command::new(sdk);
    command.arg(script("sdk.py")).arg("bridge").arg(proxy);
    command.args(["--transport", "streamablehttp", "--headers", "Authorization", &authorization, &keyed.served.url]);
    check("mcp-proxy", &mut command);
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_bridge_mcp_remote_lives_through_refusals() {
    let sdk = python::install("sdk-1.30", &SDK);
    let modules = node::install("mcp-remote", &[REMOTE]);
    let node = node::node(&modules.join("mcp-remote/dist/proxy.js"));
    let keyed = Keyed::start();
    let authorization = format!("Authorization:Bearer {}", keyed.key);
    let mut command = Command::new(sdk);
    command.arg(script("sdk.py")).arg("bridge").arg(node.get_program()).args(node.get_args());
    command.args([&keyed.served.url, "--allow-http", "--header", &authorization]);
    check("mcp-remote", &mut command);
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_ai_sdk_of_version_1() {
    let modules = node::install("ai-sdk", &[AI_SDK]);
    let keyed = Keyed::start();
    for arguments in keyed.both() {
        let mut command = node::node(&script("ai_sdk.mjs"));
        check(&format!("ai-sdk over {}", arguments[0]), command.args(&arguments).env("SESSION_MODULES", &modules));
    }
}
