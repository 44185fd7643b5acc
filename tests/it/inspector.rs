//! The MCP Inspector, somebody else's client, against the built binary over stdio, in both protocol eras.

use serde_json::{Value, json};

use crate::support::node::{Inspector, Run};

const ERAS: [&str; 2] = ["legacy", "modern"];

struct Session {
    inspector: Inspector,
    era: &'static str,
    /// An empty data folder, so that nothing of this machine takes part.
    data: tempfile::TempDir,
}

impl Session {
    fn new(era: &'static str) -> Self {
        Self { inspector: Inspector::install(), era, data: tempfile::tempdir().unwrap() }
    }

    fn run(&self, method: &str, arguments: &[&str]) -> Run {
        let data = self.data.path().to_str().unwrap();
        let arguments: Vec<_> =
            ["--protocol-era", self.era, "--method", method].iter().chain(arguments).copied().collect();
        self.inspector.run(
            &[env!("CARGO_BIN_EXE_tfo-mcp"), "serve"],
            &[("TELEMETRYFLOW_MCP_DATA_DIR", data), ("HOME", data)],
            &arguments,
        )
    }

    fn result(&self, method: &str, arguments: &[&str]) -> Value {
        let arguments: Vec<_> = arguments.iter().chain(&["--format", "json", "-q"]).copied().collect();
        let run = self.run(method, &arguments);
        assert_eq!(run.code, Some(0), "{} {method}: {}{}", self.era, run.stdout, run.stderr);
        let mut answer: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}: {}", run.stdout));
        answer["result"].take()
    }
}

/// The values of a key in a list.
fn column<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap()).collect()
}

#[test]
fn it_lists_what_the_pack_defines() {
    for era in ERAS {
        let session = Session::new(era);
        let tools = session.result("tools/list", &[]);
        let names = column(&tools["tools"], "name");
        for name in ["build_insight_prompt", "build_system_prompt", "ch_query", "collect_telemetry_context", "echo"] {
            assert!(names.contains(&name), "{era}: {names:?}");
        }
        assert!(names.is_sorted(), "{era}: {names:?}");
        let prompts = session.result("prompts/list", &[]);
        let names = column(&prompts["prompts"], "name");
        for name in ["analyze", "chronology", "pattern", "prediction", "recommendation", "root_cause"] {
            assert!(names.contains(&name), "{era}: {names:?}");
        }
        let resources = session.result("resources/list", &[]);
        let uris = column(&resources["resources"], "uri");
        assert!(uris.contains(&"catalog://contexts") && uris.contains(&"catalog://personas"), "{era}: {uris:?}");
        let templates = session.result("resources/templates/list", &[]);
        let uris = column(&templates["resourceTemplates"], "uriTemplate");
        assert!(uris.contains(&"telemetry://context/{context_type}{?time_range,service}"), "{era}: {uris:?}");
    }
}

#[test]
fn it_calls_gets_and_reads() {
    for era in ERAS {
        let session = Session::new(era);
        let message = "Grüße, 世界! {{ 1 + 1 }}";
        let arguments = json!({ "message": message }).to_string();
        let result = session.result("tools/call", &["--tool-name", "echo", "--tool-args-json", &arguments]);
        assert_eq!(result["content"], json!([{"type": "text", "text": message}]), "{era}");
        assert_eq!(result["isError"], false, "{era}");
        let result = session.result(
            "prompts/get",
            &["--prompt-name", "root_cause", "--prompt-args", "context_type=latency", "time_range=1h"],
        );
        assert_eq!(result["messages"][0]["role"], "user", "{era}: {result}");
        assert!(result["messages"][0]["content"]["text"].as_str().unwrap().contains("latency"), "{era}: {result}");
        let result = session.result("resources/read", &["--uri", "catalog://contexts"]);
        assert_eq!(result["contents"][0]["uri"], "catalog://contexts", "{era}");
        assert!(result["contents"][0]["text"].as_str().unwrap().contains("latency"), "{era}: {result}");
    }
}

#[test]
fn its_lint_of_tool_schemas_finds_nothing() {
    for era in ERAS {
        let run = Session::new(era).run("tools/list", &["--strict"]);
        assert_eq!(run.code, Some(0), "{era}: {}{}", run.stdout, run.stderr);
    }
}
