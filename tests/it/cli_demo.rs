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
#[ignore = "slow: scripts/test.sh runs it"]
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
#[ignore = "slow: scripts/test.sh runs it"]
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

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn stories_are_listed_and_a_file_of_ones_own_is_explained_with_its_place() {
    let cli = Cli::new();
    let list = run(&cli, &["demo", "--list"]);
    let first: Vec<&str> = list.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(list.code == 0 && first.len() >= 10 && first.contains(&"quiet-day") && first.contains(&"none"), "{list:?}");
    let nobody = run(&cli, &["demo", "--choose"]);
    assert!(
        nobody.code != 0 && nobody.stderr.contains("no terminal") && nobody.stderr.contains("--list"),
        "{nobody:?}"
    );

    let text = include_str!("../../src/demo/scenarios/lost-index.yaml").replace("name: lost-index", "name: mine");
    let write = |text: &str| std::fs::write(cli.folder.path().join("mine.yaml"), text).unwrap();
    // All that it names and the world has not, each with its place and what was meant.
    write(
        &text
            .replace(
                "service: order\n    operation: Order/ListOrders",
                "service: order\n    operation: Order/ListOrder",
            )
            .replace("name: order-db", "name: orders-db"),
    );
    let wrong = run(&cli, &["demo", "--scenario", "mine.yaml"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    for said in [
        "mine.yaml:15:16",
        "operation of `order` `Order/ListOrder`",
        "`Order/ListOrders`?",
        "mine.yaml:16:20",
        "`order-db`?",
    ] {
        assert!(wrong.stderr.contains(said), "{said}: {}", wrong.stderr);
    }
    for (from, to, said) in [
        ("name: mine", "name: yours", "calls itself `yours`"),
        ("duration: 3h", "duration: 3h\nblast: wide", "mine.yaml:10:1"),
        ("kind: origin, service: order", "kind: origin", "needs `service`"),
        ("severity: WARN", "severity: LOUD", "write INFO, WARN, ERROR or FATAL"),
        ("start: -27m", "start: -27m\nstart: -28m", "start"),
    ] {
        write(&text.replacen(from, to, 1));
        let wrong = run(&cli, &["demo", "--scenario", "mine.yaml"]);
        assert!(wrong.code == 2 && wrong.stderr.contains(said), "{said}: {wrong:?}");
    }
    write(&text);
    let played = run(&cli, &["demo", "--scenario", "./mine.yaml", "--scale", "0.1", "--end", END]);
    assert!(played.code == 0 && played.stdout.contains('✓') && !played.stdout.contains('✗'), "{played:?}");
}
