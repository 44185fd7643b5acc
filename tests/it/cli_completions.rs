//! Completion in shells: the scripts, and what this program answers them.

use std::process::Command;

use crate::{
    cli::{Cli, Run},
    support::key,
};

/// What is offered for the last of these words, asked as the script of bash asks.
fn offered(cli: &Cli, words: &[&str]) -> Vec<String> {
    let mut command = cli.command(&["--", "tfo-mcp"]);
    command.args(words).env("_TFO_MCP_COMPLETE", "bash").env("_CLAP_IFS", "\n");
    command.env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    let run = Run::of(command.output().unwrap(), cli.folder.path());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{words:?}: {run:?}");
    run.stdout.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn names_are_offered() {
    let cli = Cli::new();
    let made = cli.command(&["new", "context", "my-context", "--pack", "mine"]).output().unwrap();
    assert!(made.status.success());
    std::fs::create_dir(cli.folder.path().join("keys")).unwrap();
    key::create(&cli.folder.path().join("keys"), "alice", key::SOME, &[]);
    for (words, wanted, unwanted) in [
        (&["context", "late"][..], "latency", "echo"),
        (&["call", "ec"], "echo", "latency"),
        (&["call", ""], "echo", "latency"),
        (&["prompt", "root"], "root_cause", "echo"),
        (&["--pack", "mine", "context", "my"], "my-context", "latency"),
        (&["--pack=mine", "test", "my"], "my-context", "latency"),
        (&["connect", "cl"], "claude-desktop", "codex"),
        (&["keys", "--data-dir", "keys", "revoke", ""], "alice", "latency"),
        (&["list", "con"], "contexts", "tools"),
        (&["init"], "init-config", "info"),
    ] {
        let found = offered(&cli, words);
        assert!(found.iter().any(|name| name == wanted), "{words:?}: {found:?}");
        assert!(!found.iter().any(|name| name == unwanted), "{words:?}: {found:?}");
    }
}

#[test]
fn a_broken_pack_offers_nothing_and_says_nothing() {
    let cli = Cli::new();
    std::fs::write(cli.folder.path().join("broken.yaml"), "logging: [").unwrap();
    assert_eq!(offered(&cli, &["--config", "broken.yaml", "context", "late"]), Vec::<String>::new());
}

#[test]
fn every_shell_has_a_script_and_bash_runs_it() {
    let cli = Cli::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = Run::of(cli.command(&["completions", shell]).output().unwrap(), cli.folder.path());
        assert!(run.code == 0 && run.stdout.contains("_TFO_MCP_COMPLETE"), "{shell}: {run:?}");
    }
    let script = format!(
        "source <({} completions bash); COMP_WORDS=(tfo-mcp context late); COMP_CWORD=2; COMP_TYPE=9; \
         _clap_complete_tfo_mcp tfo-mcp late context; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        env!("CARGO_BIN_EXE_tfo-mcp")
    );
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-c", &script]).current_dir(cli.folder.path()).env("HOME", cli.folder.path());
    let run = Run::of(bash.output().unwrap(), cli.folder.path());
    assert_eq!(run.stdout.trim(), "latency", "{run:?}");
}
