//! The binary with a settings file: variables by name, proxies of the environment, and a log that tells everything.

use super::{Server, json, secrets::SECRET};
use crate::cli::{Cli, Run};

const TOOL: &str = "kind: tool
name: ask_other
title: Ask
description: Asks.
category: test
run:
  action: http.request
  service: other
  path: /rows
";

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_the_environment_reaches_its_service_and_nothing_else() {
    let server =
        Server::new(|seen| json(format!("[{{\"said\": \"{}\"}}]", seen.header("x-key").unwrap_or("none")))).await;
    // Whoever asks through it is seen here.
    let proxy = Server::json("[]").await;
    let cli = Cli::new();
    cli.write("pack/definitions/tools/ask_other.yaml", TOOL);
    cli.write(
        "tfo-mcp.yaml",
        &format!(
            "packs: [pack]\nhttp:\n  services:\n    other:\n      url: {}\n      allow_private: [127.0.0.1]\n      \
             headers_env: {{ X-Key: KEY_OF_OTHER }}\n",
            server.url()
        ),
    );
    let run = |arguments: &[&str]| {
        let mut command = cli.command(arguments);
        command.env("KEY_OF_OTHER", SECRET).env("TELEMETRYFLOW_MCP_LOG_LEVEL", "trace");
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
            command.env(name, proxy.url());
        }
        Run::of(command.output().unwrap(), cli.folder.path())
    };
    let called = run(&["call", "ask_other"]);
    assert_eq!(called.code, 0, "{called:?}");
    assert!(called.stdout.contains("***"), "{called:?}");
    assert_eq!(server.only().header("x-key"), Some(SECRET));
    assert_eq!(proxy.seen(), []);
    let info = run(&["info"]);
    for shown in [&called, &info] {
        assert!(!shown.stdout.contains(SECRET) && !shown.stderr.contains(SECRET), "{shown:?}");
    }
    // A variable that is not set is told by its name, when it is missed.
    let called = Run::of(cli.command(&["call", "ask_other"]).output().unwrap(), cli.folder.path());
    assert!(called.code != 0 && called.stderr.contains("`KEY_OF_OTHER`"), "{called:?}");
}
