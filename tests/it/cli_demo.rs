//! The demo from an empty folder to an answer, as a person on a fresh machine runs it.

use crate::{
    cli::{Cli, Run},
    support::clickhouse,
};

/// Traffic follows the time of the day: at night a tenth of it is too little to show every piece of evidence.
const END: &str = "2026-11-20T12:00:00Z";

fn run(cli: &Cli, arguments: &[&str]) -> Run {
    let mut command = cli.command(arguments);
    command.env("TELEMETRYFLOW_MCP_LIBCHDB", clickhouse::library());
    Run::of(command.output().unwrap(), cli.folder.path())
}

/// A command line as a shell in another folder takes it.
fn typed(cli: &Cli, line: &str) -> Run {
    let line = line.replace('~', &cli.folder.path().display().to_string());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &line]).current_dir("/").env("HOME", cli.folder.path());
    shell.env("TELEMETRYFLOW_MCP_LIBCHDB", clickhouse::library());
    Run::of(shell.output().unwrap(), cli.folder.path())
}

#[test]
fn the_demo_plays_and_its_data_are_served_without_settings() {
    let cli = Cli::new();
    let first = run(&cli, &["demo", "--scale", "0.1", "--end", END]);
    assert_eq!(first.code, 0, "{first:?}");
    // Everything that the scenario promises was found through the server, and nothing was not.
    assert!(first.stdout.contains('✓') && !first.stdout.contains('✗'), "{}", first.stdout);
    assert!(first.stdout.contains('█') && first.stdout.contains("mcpServers"), "{}", first.stdout);
    assert!(first.stdout.lines().count() < 75, "about two screens: {}", first.stdout.lines().count());
    assert!(!first.stdout.contains('\u{1b}') && !first.stderr.contains('\u{1b}'), "no colour without a terminal");

    // The command that it shows can be typed in any folder.
    let shown = first.stdout.split("all of it: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    let prompt = typed(&cli, shown);
    assert!(prompt.code == 0 && prompt.stdout.contains("checkout"), "{shown}: {prompt:?}");

    // The data are used again, and tell the same story however much later.
    let again = run(&cli, &["demo", "--scale", "0.1", "--end", END]);
    assert!(again.code == 0 && again.stderr.contains("are there"), "{again:?}");
    assert_eq!(again.stdout, first.stdout);

    let doctor = run(&cli, &["doctor"]);
    assert!(doctor.code == 0 && doctor.stdout.contains("Meridian Outfitters"), "{doctor:?}");
    let alert = run(&cli, &["context", "alert"]);
    assert!(alert.code == 0 && alert.stdout.contains("Connection pool of checkout is at 50 of 50"), "{alert:?}");

    // The embedded server's own database names no UUID of its views, so that every rollup once counted as one that mixes
    // organisations. Those that do are refused all the same.
    let live = run(&cli, &["validate", "--live"]);
    assert_eq!(live.code, 0, "{live:?}");
    for (table, code) in [("metrics_1h", 0), ("logs_1h", 1)] {
        let sql = format!("sql=SELECT count() AS n FROM {table}");
        assert_eq!(run(&cli, &["call", "ch_query", &sql]).code, code, "{table}");
    }

    // A server of an operator's own never inherits the demo's organisation and clock.
    let mut own = cli.command(&["info", "--format", "json"]);
    own.env("TELEMETRYFLOW_MCP_POSTGRES_URL", "postgres://h/d");
    let own = Run::of(own.output().unwrap(), cli.folder.path());
    assert!(!own.stdout.contains("2026-") && own.stdout.contains(r#""settings_files": []"#), "{own:?}");
}

#[test]
fn an_uneventful_day_and_an_unknown_scenario() {
    let cli = Cli::new();
    let calm = run(&cli, &["demo", "--scale", "0.02", "--scenario", "none", "--data-dir", "my data"]);
    assert!(calm.code == 0 && calm.stdout.contains("What a model reads"), "{calm:?}");
    let shown = calm.stdout.lines().find_map(|line| line.trim().strip_prefix("Claude Code")).unwrap().trim();
    let entry = typed(&cli, &format!("{shown} --print"));
    assert!(entry.code == 0 && entry.stdout.contains("\"~/my data\""), "{shown}: {entry:?}");
    let unknown = run(&cli, &["demo", "--scenario", "no-such"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("scenarios: "), "{unknown:?}");
    let scale = run(&cli, &["demo", "--scale", "0"]);
    assert!(scale.code == 2 && scale.stderr.contains("between"), "{scale:?}");
}
