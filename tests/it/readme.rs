//! The README, taken literally: what it shows can be typed, parsed, and is what the program writes.

use clap::{Parser, error::ErrorKind};
use serde_json::Value;
use tfo_mcp::cli::Cli as Typed;

use crate::cli::{Cli, Run};

const README: &str = include_str!("../../README.md");

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    README.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

fn run(cli: &Cli, arguments: &[&str]) -> Run {
    Run::of(cli.command(arguments).output().unwrap(), cli.folder.path())
}

#[test]
fn every_command_can_be_typed() {
    let joined: Vec<String> = blocks("sh").into_iter().map(|block| block.replace("\\\n", " ")).collect();
    let block_lines = joined.iter().flat_map(|block| block.lines());
    let inline = README.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2));
    let mut seen = 0;
    for line in block_lines.chain(inline).map(str::trim).filter(|line| line.starts_with("tfo-mcp ")) {
        let command = line.split(" #").next().unwrap().trim();
        // Words in capitals and dots stand for something.
        let words = command.split_whitespace().map(|word| match word {
            "NAME=VALUE" => "severity=error",
            "CLIENT" => "cursor",
            "github|sarif" => "github",
            word => word.trim_end_matches('…'),
        });
        let mistake = Typed::try_parse_from(words).err();
        // In prose a command is also called by its name alone.
        let mistake = mistake.filter(|mistake| {
            command.split_whitespace().count() > 2 || mistake.kind() != ErrorKind::MissingRequiredArgument
        });
        assert!(mistake.is_none(), "`{command}` cannot be typed: {}", mistake.unwrap());
        seen += 1;
    }
    assert!(seen > 15, "{seen} commands were found");
}

#[test]
fn every_snippet_of_json_can_be_pasted() {
    let snippets = blocks("json");
    assert!(snippets.len() > 2);
    for snippet in snippets {
        serde_json::from_str::<Value>(snippet).unwrap_or_else(|error| panic!("{error}: {snippet}"));
    }
}

#[test]
fn new_writes_what_is_shown() {
    let cli = Cli::new();
    assert_eq!(run(&cli, &["new", "context", "slow-queries", "--pack", "my-pack"]).code, 0);
    let path = cli.folder.path().join("my-pack/definitions/contexts/slow-queries.yaml");
    let written = std::fs::read_to_string(path).unwrap();
    assert!(blocks("yaml").contains(&written.as_str()), "the README shows another file than\n{written}");
    let valid = run(&cli, &["validate", "my-pack", "--strict"]);
    assert_eq!((valid.code, valid.stdout.as_str()), (0, ""), "{valid:?}");
}

#[test]
fn clients_are_those_that_connect_knows() {
    let list = run(&Cli::new(), &["connect"]).stdout;
    for client in list.lines().filter_map(|line| line.split_whitespace().next()) {
        assert!(README.contains(&format!("`{client}`")), "`{client}` is not in the README");
    }
}
