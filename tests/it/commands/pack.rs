//! The pack of tools for developers: commands as definitions, with no word of Rust about them.

use std::{path::PathBuf, sync::Arc};

use serde_json::json;
use tfo_mcp::{
    engine::{Call, Engine, EngineOptions, Outcome, Sources},
    host::{commands::Commands, files::Caller},
    settings,
};

use super::{Room, keeper};
use crate::support::pack::with_packs;

async fn call(engine: &Engine, tool: &str, arguments: serde_json::Value) -> Result<String, String> {
    let outcome = engine.call_tool(tool, arguments.as_object().cloned().unwrap(), &Call::default()).await;
    match outcome.map_err(|error| error.to_text())? {
        Outcome::Done(answer) => Ok([answer.text()].into_iter().chain(answer.notes).collect::<Vec<_>>().join("\n")),
        Outcome::Asks(_) => Err("it asks".to_owned()),
    }
}

#[tokio::test]
async fn a_pack_makes_tools_of_commands() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        settings::Commands { roots: vec![folder.path().to_owned()], unconfined: true, ..settings::Commands::default() };
    let commands = Arc::new(Commands::new(&settings, Caller::Here, &[]).kept_by(keeper()));
    let catalog = with_packs(vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("packs/developer")]);
    for tool in ["git_status", "run_tests", "lint_code", "format_code", "analyze_code", "check_dependencies"] {
        assert!(catalog.tools.contains_key(tool), "{tool}");
    }
    let engine = Engine::new(catalog, Sources::default(), EngineOptions { commands, ..EngineOptions::default() });
    let git = |arguments: &[&str]| {
        let mut git = std::process::Command::new("git");
        assert!(git.args(arguments).current_dir(folder.path()).output().unwrap().status.success(), "{arguments:?}");
    };
    git(&["-c", "init.defaultBranch=main", "init", "-q"]);
    std::fs::write(folder.path().join("new file"), "x").unwrap();
    std::fs::write(folder.path().join("other"), "x").unwrap();
    let text = call(&engine, "git_status", json!({})).await.unwrap();
    assert!(text.starts_with("exit code 0") && text.contains("## No commits yet on main"), "{text}");
    assert!(text.contains("?? \"new file\"") && text.contains("?? other"), "{text}");
    let text = call(&engine, "git_status", json!({"path": "new file"})).await.unwrap();
    assert!(text.contains("?? \"new file\"") && !text.contains("?? other"), "{text}");
    std::fs::write(folder.path().join("other"), "x\n// TODO: y\n").unwrap();
    let text = call(&engine, "analyze_code", json!({})).await.unwrap();
    assert!(text.contains("new file:1") && text.contains("other:2"), "{text}");
    let text = call(&engine, "analyze_code", json!({"what": "notes"})).await.unwrap();
    assert!(text.contains("other:2:// TODO: y") && !text.contains("new file"), "{text}");
    let text = call(&engine, "analyze_code", json!({"path": "--open-files-in-pager=touch pwned"})).await.unwrap();
    assert!(text.starts_with("exit code 1"), "{text}");
    // What a caller writes is one argument, never an option or another command.
    for path in ["--help", "; touch pwned", "$(touch pwned)", "--output=pwned"] {
        let text = call(&engine, "git_status", json!({"path": path})).await.unwrap();
        assert!(text.starts_with("exit code 0") && !text.contains("usage"), "{path}: {text}");
    }
    assert!(!folder.path().join("pwned").exists());
    // What the repository's own settings would run.
    let settings = "[core]\n\tfsmonitor = \"touch pwned; id; #\"\n\thooksPath = hooks\n";
    let config = folder.path().join(".git/config");
    std::fs::write(&config, std::fs::read_to_string(&config).unwrap() + settings).unwrap();
    let text = call(&engine, "git_status", json!({})).await.unwrap();
    assert!(text.contains("?? other") && !folder.path().join("pwned").exists(), "{text}");
    git(&["status"]);
    assert!(folder.path().join("pwned").exists(), "without that it is run");
    std::fs::write(folder.path().join("Makefile"), "test:\n\t@echo tests ran; exit 2\n").unwrap();
    let text = call(&engine, "run_tests", json!({"tool": "make"})).await.unwrap();
    assert!(text.starts_with("exit code 2") && text.contains("tests ran"), "{text}");
    let error = call(&engine, "run_tests", json!({"tool": "bazel"})).await.unwrap_err();
    assert!(error.contains("tool"), "{error}");
}

const SHELL: &str = "kind: tool\nname: by_shell\ntitle: T\ndescription: D\ncategory: system\ntoolsets: [system]\nparameters:\n  \
    args: { type: array, items: string, description: A }\nrun:\n  \
    action: command.run\n  with: { shell: true, command: 'echo \"$1\" | tr a b' }\n";

const FREE: &str = "kind: tool\nname: free\ntitle: T\ndescription: D\ncategory: system\ntoolsets: [system]\nparameters:\n  \
    command: { type: string, description: C }\n  shell: { type: boolean, description: S }\nrun: { action: command.run }\n";

#[tokio::test]
async fn a_shell_is_the_authors_decision() {
    let files = [("definitions/tools/by_shell.yaml", SHELL), ("definitions/tools/free.yaml", FREE)];
    let room = Room::offering(&files, |_| {});
    let text = room.call("by_shell", json!({"args": ["aaa; id"]})).await.unwrap();
    assert!(text.contains("\nbbb; id\n"), "{text}");
    // A parameter of this name does not make one.
    let error = room.error("free", json!({"command": "echo a | tr a b", "shell": true})).await;
    assert!(error.contains("no line for a shell"), "{error}");
}
