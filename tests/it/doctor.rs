//! What `tfo-mcp doctor` says of this machine.

use serde_json::{Value, json};

use crate::{
    cli::{Cli, Run},
    support::client::in_working_folder,
};

fn commands(run: &Run) -> Value {
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let machine = report["machine"].as_array().unwrap().iter();
    machine.clone().find(|finding| finding["name"] == "commands").unwrap_or_else(|| panic!("{report}")).clone()
}

#[tokio::test]
async fn the_level_of_confinement_is_told_and_is_that_of_a_command() {
    let cli = Cli::new();
    let arguments = ["doctor", "--timeout", "2", "--format", "json"];
    let told = commands(&cli.run(&arguments));
    let found = told["found"].as_str().unwrap();
    assert_eq!(told["state"], "ok", "{told}");
    assert!(found.contains("no tool that is offered runs any") && found.contains("no_new_privs"), "{told}");
    let told = commands(&cli.run(&[&arguments[..], &["--toolsets", "system"]].concat()));
    let found = told["found"].as_str().unwrap();
    assert!(!found.contains("no tool that is offered"), "{told}");
    // A command that runs says the same of the same kernel.
    let data = tempfile::tempdir().unwrap();
    let mut client = in_working_folder(data.path(), "system").await;
    let result = client.call("execute_command", json!({"command": "true"})).await;
    let texts: Vec<&str> =
        result["content"].as_array().unwrap().iter().filter_map(|one| one["text"].as_str()).collect();
    let said = texts.join("\n");
    match found.split_once("Landlock ").and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next()) {
        Some(version) if !version.is_empty() => {
            assert!(said.contains(&format!("Landlock {version}")), "{told}: {said}");
            assert_eq!(told["state"], "ok");
        }
        _ => {
            assert!(result["isError"] == true, "{told}: {said}");
            assert_eq!(told["state"], "warning");
            assert!(told["what_to_do"].as_str().unwrap().contains("commands.unconfined"), "{told}");
        }
    }
    let shown = cli.run(&["doctor", "--timeout", "2"]).stdout;
    assert!(shown.contains("commands") && shown.contains("Landlock"), "{shown}");
}

#[test]
fn a_look_at_what_is_not_installed_leaves_nothing_behind() {
    let cli = Cli::new();
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let run = cli.run(&["--data-dir", data.to_str().unwrap(), "doctor", "--timeout", "2"]);
    assert!(run.stdout.contains("the embedded ClickHouse is not installed"), "{run:?}");
    assert!(!data.exists(), "{:?}", std::fs::read_dir(&data).unwrap().collect::<Vec<_>>());
}

/// Each of these is right by itself, and none of them does anything.
#[test]
fn what_is_set_for_nobody_and_asked_of_nobody_is_told() {
    let cli = Cli::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tfo-mcp.yaml");
    let text = "http: { services: { promethues: { url: 'https://prometheus.example' } } }\n\
                limits: { tool_rates: { pg_qery: 10/1m } }\n";
    std::fs::write(&file, text).unwrap();
    let pack = format!("{}/packs/prometheus", env!("CARGO_MANIFEST_DIR"));
    let arguments =
        ["--config", file.to_str().unwrap(), "--pack", &pack, "doctor", "--timeout", "1", "--format", "json"];
    let report: Value = serde_json::from_str(&cli.run(&arguments).stdout).unwrap();
    let notices: Vec<&str> = report["notices"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let told = |part: &str| assert!(notices.iter().any(|notice| notice.contains(part)), "{part}: {notices:#?}");
    told("asks `http.services.promethues`");
    told("did you mean `prometheus`?");
    told("cannot work: the operator has not said where `prometheus` is, which is `http.services.prometheus.url`");
    told("`limits.tool_rates` limits `pg_qery`, a tool that is not on offer");
    told("did you mean `pg_query`?");
}
