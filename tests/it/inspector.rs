//! The MCP Inspector, somebody else's client, against the built binary: both protocol eras over both transports,
//! with the shipped catalogue and the conformance pack.

use serde_json::{Value, json};

use crate::support::{
    node::{self, Run},
    served::{Served, conformance_pack},
};

const ERAS: [&str; 2] = ["legacy", "modern"];

/// How the Inspector reaches a server.
enum Reach {
    /// It starts the binary, which finds an empty data folder, so that nothing of this machine takes part.
    Stdio {
        arguments: Vec<String>,
        data: tempfile::TempDir,
    },
    Http(Served),
}

struct Session<'a> {
    reach: &'a Reach,
    era: &'static str,
}

impl Reach {
    fn stdio(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self::Stdio { arguments, data: tempfile::tempdir().unwrap() }
    }

    /// Both transports of a server that is started with these arguments.
    fn both(arguments: &[&str]) -> [Self; 2] {
        [Self::stdio(arguments), Self::Http(Served::start(arguments))]
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Stdio { .. } => "stdio",
            Self::Http(_) => "http",
        }
    }
}

impl Session<'_> {
    fn run(&self, method: &str, arguments: &[&str]) -> Run {
        let mut line: Vec<String> = Vec::new();
        match self.reach {
            Reach::Stdio { arguments, data } => {
                line.extend([env!("CARGO_BIN_EXE_tfo-mcp").to_owned(), "serve".to_owned()]);
                line.extend(arguments.iter().cloned());
                for name in ["TELEMETRYFLOW_MCP_DATA_DIR", "HOME"] {
                    line.extend(["-e".to_owned(), format!("{name}={}", data.path().display())]);
                }
            }
            Reach::Http(served) => line.extend(["--server-url", &served.url, "--transport", "http"].map(str::to_owned)),
        }
        line.extend(["--protocol-era", self.era, "--method", method].map(str::to_owned));
        line.extend(arguments.iter().map(|&argument| argument.to_owned()));
        node::inspector(&line.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn result(&self, method: &str, arguments: &[&str]) -> Value {
        let arguments: Vec<_> = arguments.iter().chain(&["--format", "json", "-q"]).copied().collect();
        let run = self.run(method, &arguments);
        assert_eq!(run.code, Some(0), "{self} {method}: {}{}", run.stdout, run.stderr);
        let mut answer: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}: {}", run.stdout));
        answer["result"].take()
    }

    fn call(&self, tool: &str, arguments: &Value) -> Value {
        let arguments = arguments.to_string();
        self.result("tools/call", &["--tool-name", tool, "--tool-args-json", &arguments])
    }
}

impl std::fmt::Display for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} over {}", self.era, self.reach.name())
    }
}

/// In both eras, over both transports.
fn everywhere(arguments: &[&str], check: impl Fn(&Session<'_>)) {
    for reach in &Reach::both(arguments) {
        for era in ERAS {
            check(&Session { reach, era });
        }
    }
}

/// The values of a key in a list.
fn column<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap()).collect()
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn it_lists_what_the_pack_defines() {
    everywhere(&[], |session| {
        let tools = session.result("tools/list", &[]);
        let names = column(&tools["tools"], "name");
        for name in ["build_insight_prompt", "build_system_prompt", "ch_query", "collect_telemetry_context", "echo"] {
            assert!(names.contains(&name), "{session}: {names:?}");
        }
        assert!(names.is_sorted(), "{session}: {names:?}");
        let prompts = session.result("prompts/list", &[]);
        let names = column(&prompts["prompts"], "name");
        for name in ["analyze", "chronology", "pattern", "prediction", "recommendation", "root_cause"] {
            assert!(names.contains(&name), "{session}: {names:?}");
        }
        let resources = session.result("resources/list", &[]);
        let uris = column(&resources["resources"], "uri");
        assert!(uris.contains(&"catalog://contexts") && uris.contains(&"catalog://personas"), "{session}: {uris:?}");
        let templates = session.result("resources/templates/list", &[]);
        let uris = column(&templates["resourceTemplates"], "uriTemplate");
        assert!(
            uris.contains(&"telemetry://context/{context_type}{?time_range,start,end,service_name,operation,host,metric_name,namespace}"),
            "{session}: {uris:?}"
        );
    });
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn it_calls_gets_and_reads() {
    everywhere(&[], |session| {
        let message = "Grüße, 世界! {{ 1 + 1 }}";
        let result = session.call("echo", &json!({ "message": message }));
        assert_eq!(result["content"], json!([{"type": "text", "text": message}]), "{session}");
        assert_eq!(result["isError"], false, "{session}");
        let result = session.result(
            "prompts/get",
            &["--prompt-name", "root_cause", "--prompt-args", "context_type=latency", "time_range=1h"],
        );
        assert_eq!(result["messages"][0]["role"], "user", "{session}: {result}");
        assert!(result["messages"][0]["content"]["text"].as_str().unwrap().contains("latency"), "{session}: {result}");
        let result = session.result("resources/read", &["--uri", "catalog://contexts"]);
        assert_eq!(result["contents"][0]["uri"], "catalog://contexts", "{session}");
        assert!(result["contents"][0]["text"].as_str().unwrap().contains("latency"), "{session}: {result}");
    });
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn it_shows_every_kind_of_content() {
    everywhere(&["--packs-only", "--pack", conformance_pack().to_str().unwrap()], |session| {
        let kinds = |result: &Value| column(&result["content"], "type").join(" ");
        let result = session.call("test_multiple_content_types", &json!({}));
        assert_eq!(kinds(&result), "text image resource", "{session}: {result}");
        assert_eq!(kinds(&session.call("test_audio_content", &json!({}))), "audio", "{session}");
        assert_eq!(kinds(&session.call("test_resource_link", &json!({}))), "resource_link", "{session}");
        let result = session.result("resources/read", &["--uri", "test://static-binary"]);
        let content = &result["contents"][0];
        assert_eq!(content["mimeType"], "image/png", "{session}: {result}");
        assert!(content["blob"].as_str().unwrap().starts_with("iVBOR"), "{session}: {result}");
        let result = session.result("resources/read", &["--uri", "test://template/42/data"]);
        assert!(result["contents"][0]["text"].as_str().unwrap().contains("Data for ID: 42"), "{session}: {result}");
        let result = session.result(
            "prompts/get",
            &["--prompt-name", "test_prompt_with_arguments", "--prompt-args", "arg1=one", "arg2=two"],
        );
        let text = "Prompt with arguments: arg1='one', arg2='two'";
        assert_eq!(result["messages"][0]["content"]["text"], text, "{session}: {result}");
        if session.era == "legacy" {
            assert_eq!(session.result("logging/setLevel", &["--log-level", "debug"]), json!({}), "{session}");
        }
    });
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn its_lint_of_tool_schemas_finds_nothing() {
    everywhere(&[], |session| {
        let run = session.run("tools/list", &["--strict"]);
        assert_eq!(run.code, Some(0), "{session}: {}{}", run.stdout, run.stderr);
    });
}
