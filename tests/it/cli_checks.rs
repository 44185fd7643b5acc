//! `validate`, `test` and `new` for packs wherever they lie and whatever databases there are.

use crate::cli::Cli;

/// A statement on a table that there is not, of a source that may be bound.
fn tool(name: &str, source: &str, sql: &str) -> String {
    format!(
        "kind: tool\nname: {name}\ntitle: {name}\ndescription: Answers.\ncategory: custom\nannotations: {{ read_only: true }}\n\
         run: {{ action: sql, source: {source}, sql: \"{sql}\", tenant: {{ none: no tenant's rows }} }}\n"
    )
}

#[test]
fn examples_that_need_a_database_are_left_out_where_none_is() {
    let cli = Cli::new();
    for run in [&["test", "--without-sources"][..], &["test", "--without-sources", "--built-in", "--pack", "p"]] {
        for (name, action) in [
            ("values", "{ action: values.list, with: { of: services } }"),
            ("tables", "{ action: tables.search, with: { source: platform } }"),
            ("steps", "{ action: pipeline, steps: [{ run: { action: values.list } }] }"),
        ] {
            let text = format!(
                "kind: tool\nname: own-{name}\ntitle: Own\ndescription: Own.\ncategory: custom\nannotations: {{ read_only: true }}\nrun: {action}\n\
                 examples: [{{ title: Answers, arguments: {{}}, expect: {{ contains: [checkout] }} }}]\n"
            );
            cli.write(&format!("p/definitions/tools/own-{name}.yaml"), &text);
        }
        let run = cli.run(run);
        assert!(run.code == 0 && run.stderr.contains("need a source and were left out"), "{run:?}");
    }
}

/// It was said that no definition has the name.
#[test]
fn what_cannot_be_read_is_said_where_a_definition_of_it_is_tested() {
    let cli = Cli::new();
    cli.write("p/definitions/tools/own-one.yaml", "kind: tool\nname: own-one\ntitle: \"Own\" one\n");
    let broken = cli.run(&["test", "own-one", "--pack", "p"]);
    assert!(broken.code != 0 && broken.stderr.contains("TFO0004"), "{broken:?}");
    assert!(!broken.stderr.contains("no definition is called"), "{broken:?}");
}

/// What is judged after the settings were read was said without its line.
#[test]
fn a_setting_that_does_not_fit_is_told_with_its_line() {
    let cli = Cli::new();
    for (settings, command, told) in [
        ("logging: {}\ntoolsets: [nope]\n", &["list", "tools"][..], "there is no toolset `nope`", ":2:11)"),
        (
            "server:\n  http:\n    tls_certificate: gone.pem\n    tls_key: gone.pem\n",
            &["serve", "--transport", "http", "--port", "0"][..],
            "`server.http.tls_certificate`",
            ":3:22)",
        ),
        (
            "mcp:\n  state_key: short\n",
            &["serve", "--transport", "http", "--port", "0"][..],
            "`mcp.state_key`",
            ":2:14)",
        ),
    ]
    .map(|(settings, command, told, place)| (settings, command, [told, place]))
    {
        cli.write("tfo-mcp.yaml", settings);
        let run = cli.run(command);
        assert!(run.code != 0 && told.iter().all(|told| run.stderr.contains(told)), "{told:?}: {run:?}");
    }
}

#[test]
fn a_source_without_a_database_is_left_out_of_what_is_asked() {
    let cli = Cli::new();
    cli.write("platform.sqlite", "");
    cli.write("tfo-mcp.yaml", "sources: { platform: { type: sqlite, path: platform.sqlite } }\n");
    cli.write("p/definitions/tools/right.yaml", &tool("right", "platform", "SELECT 1 AS one"));
    cli.write("p/definitions/tools/other.yaml", &tool("other", "telemetry", "SELECT 1 AS one"));
    let right = cli.run(&["validate", "p", "--live"]);
    assert_eq!(right.code, 0, "{right:?}");
    assert!(
        right.stderr.contains("statements on `telemetry`: the source `telemetry` is bound to no database"),
        "{right:?}"
    );
    let of_telemetry = right.stderr.lines().filter(|line| line.contains("`telemetry`")).count();
    assert!(of_telemetry == 1 && right.stdout.is_empty(), "{right:?}");
    // What the database refuses is one all the same.
    cli.write("p/definitions/tools/wrong.yaml", &tool("wrong", "platform", "SELECT nope AS one FROM nowhere"));
    let wrong = cli.run(&["validate", "p", "--live"]);
    assert!(wrong.code == 1 && wrong.stdout.matches("TFO0072").count() == 1, "{wrong:?}");
    // A database that does not answer is said once, not for each of its statements.
    cli.write("tfo-mcp.yaml", "sources: { platform: { type: sqlite, path: gone.sqlite } }\n");
    let silent = cli.run(&["validate", "p", "--live"]);
    assert!(silent.code == 1 && silent.stdout.matches("TFO0072").count() == 1, "{silent:?}");
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn packs_are_found_where_they_lie_and_none_is_no_success() {
    let cli = Cli::new();
    let nothing = cli.run(&["validate", "."]);
    assert!(nothing.code == 2 && nothing.stderr.contains("nothing was checked"), "{nothing:?}");
    let nothing = cli.run(&["test", "--without-sources", "--in", "."]);
    assert!(nothing.code == 2 && nothing.stderr.contains("is no pack"), "{nothing:?}");
    let built_in = cli.run(&["validate"]);
    assert!(built_in.code == 0 && built_in.stderr.contains("no pack is here"), "{built_in:?}");

    cli.write("teams/x/definitions/tools/broken.yaml", "kind: tool\nname: broken\n");
    cli.write("node_modules/y/prompts/z.yaml", "kind: tool\n");
    cli.write("prompts-of-others/prompts/readme.txt", "");
    let below = cli.run(&["validate"]);
    assert!(below.code == 0 && below.stderr.contains("`tfo-mcp validate teams/x` checks them"), "{below:?}");
    // Named by its settings as well, it is read once; and these are no definition.
    for settings in ["", "packs: [teams/x]\n"] {
        cli.write("tfo-mcp.yaml", settings);
        let found = cli.run(&["validate", "."]);
        assert!(found.code == 1 && found.stdout.contains("broken.yaml:1:1"), "{found:?}");
        assert!(!found.stdout.contains("TFO0021") && !found.stdout.contains("tfo-mcp.yaml"), "{found:?}");
    }
    let tested = cli.run(&["test", "--without-sources", "--in", "."]);
    assert!(tested.code == 1 && tested.stderr.contains("broken.yaml"), "{tested:?}");
}

#[test]
fn a_name_that_is_taken_is_not_given_again_unless_it_shall_be_replaced() {
    let cli = Cli::new();
    for (arguments, said) in [
        (&["new", "context", "latency", "--pack", "p"][..], "there is a context `latency` already: it is built in"),
        (&["new", "tool", "echo"], "there is a tool `echo` already"),
        (&["new", "tool", "brand-new", "--override"], "no pack has a tool `brand-new`"),
    ] {
        let run = cli.run(arguments);
        assert!(run.code == 2 && run.stderr.contains(said), "{arguments:?}: {run:?}");
    }
    assert!(!cli.folder.path().join("p").exists());
    let replaced = cli.run(&["new", "context", "latency", "--pack", "p", "--override"]);
    assert_eq!(replaced.code, 0, "{replaced:?}");
    let right = cli.run(&["validate", "p"]);
    assert_eq!(right.code, 0, "{right:?}");
    // A misspelt category founds one, which is said.
    for (name, said) in
        [("databse/nw-x", "did you mean `database`?"), ("wxyzq/nw-y", "`wxyzq` is a new category; there are `")]
    {
        let new = cli.run(&["new", "context", name, "--pack", "p"]);
        assert!(new.code == 0 && new.stderr.contains(said), "{new:?}");
    }
    let known = cli.run(&["new", "context", "database/nw-z", "--pack", "p"]);
    assert!(known.code == 0 && !known.stderr.contains("category"), "{known:?}");
    let twice = cli.run(&["new", "tool", "mine", "--pack", "p"]);
    assert_eq!(twice.code, 0, "{twice:?}");
    let other = cli.run(&["--pack", "q", "new", "tool", "mine"]);
    assert_eq!(other.code, 0, "packs that are not in force take no names: {other:?}");
}

/// A newcomer's: `new` and `validate` knew of a type that `context` did not, and an edited type was answered as it was built.
#[test]
fn what_the_working_folder_defines_and_nothing_reads_is_told() {
    let cli = Cli::new();
    assert_eq!(cli.run(&["new", "context", "slow-things"]).code, 0);
    let said =
        "`definitions/contexts/slow-things.yaml` and what else this folder defines are not read: `--pack .` reads them";
    for command in
        [&["context", "slow-things"][..], &["test", "slow-things"], &["explain", "context", "latency"], &["list"]]
    {
        let run = cli.run(command);
        assert_eq!(run.stderr.matches(said).count(), 1, "{command:?}: {run:?}");
        let read = cli.run(&[command, &["--pack", "."]].concat());
        assert!(!read.stderr.contains("are not read"), "{command:?}: {read:?}");
    }
}

#[test]
fn a_definition_may_go_into_a_folder_of_its_category() {
    let cli = Cli::new();
    let made = cli.run(&["new", "context", "network/slow-things", "--pack", "p"]);
    assert!(
        made.code == 0 && made.stderr.contains("p/definitions/contexts/network/slow-things.yaml: written"),
        "{made:?}"
    );
    let text =
        std::fs::read_to_string(cli.folder.path().join("p/definitions/contexts/network/slow-things.yaml")).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema=../../../schemas/context.schema.json\n"), "{text}");
    assert!(text.contains("\nname: slow-things\ncategory: network\n"), "{text}");
    let right = cli.run(&["validate", "p"]);
    assert!(right.code == 0 && right.stderr.contains("the one definition is right, beside "), "{right:?}");
    for name in ["../up", "a/b/c", "/a", "a/"] {
        let refused = cli.run(&["new", "context", name, "--pack", "p"]);
        assert!(refused.code == 2 && refused.stderr.contains("is not a name"), "{refused:?}");
    }
}

/// A newcomer's: a pack of one file was told with 260 lines about built-in statements.
#[test]
fn statements_of_built_in_definitions_that_are_left_out_are_counted() {
    let cli = Cli::new();
    cli.write("platform.sqlite", "");
    cli.write("tfo-mcp.yaml", "packs: [p]\nsources: { platform: { type: sqlite, path: platform.sqlite } }\n");
    let own = tool("right", "platform", "SELECT 1 AS one");
    cli.write("p/definitions/tools/right.yaml", &own);
    let live = cli.run(&["validate", "p", "--live"]);
    let left_out: Vec<&str> = live.stderr.lines().filter(|line| line.starts_with("  left out: ")).collect();
    assert!(live.code == 0 && left_out.iter().all(|line| !line.contains("the source lacks")), "{live:?}");
    assert_eq!(left_out.iter().filter(|line| line.ends_with("of built-in definitions")).count(), 1, "{left_out:?}");
    // The settings name the pack by a whole path; what is printed leads there from here.
    cli.write("p/definitions/tools/wrong.yaml", "kind: tool\nname: wrong\n");
    let found = cli.run(&["validate", "p", "--format", "github"]);
    assert!(found.code == 1 && found.stdout.contains("file=p/definitions/tools/wrong.yaml,"), "{found:?}");
}

#[test]
fn every_setting_that_has_effect_stands_in_the_file_of_init_config() {
    let text = Cli::new().run(&["init-config", "-"]).stdout;
    // The sections that a line stands in, by their indent.
    let mut path: Vec<(usize, &str)> = Vec::new();
    let mut shown = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let (word, commented) = match line.trim_start().strip_prefix("# ") {
            Some(rest) => (rest, true),
            None => (line.trim_start(), false),
        };
        let Some((key, _)) = word.split_once(':') else { continue };
        if !key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') || key.is_empty() {
            continue;
        }
        path.retain(|(outer, _)| *outer < indent);
        let whole: Vec<&str> = path.iter().map(|(_, key)| *key).chain([key]).collect();
        shown.push(whole.join("."));
        if !commented {
            path.push((indent, key));
        }
    }
    let effective = tfo_mcp::settings::keys().into_iter().filter(|key| !tfo_mcp::settings::without_effect(key));
    let missing: Vec<String> = effective.filter(|key| !shown.contains(key)).collect();
    assert_eq!(missing, Vec::<String>::new());
    for key in ["server.http.tls_certificate", "server.http.public_url", "auth.claims.toolsets"] {
        assert!(shown.iter().any(|known| known == key), "{key}");
    }
}

/// Documents and hints write arguments as a call names them.
#[test]
fn what_a_call_names_beside_its_filters_a_context_takes_too() {
    let cli = Cli::new();
    let window = ["start=2026-11-20T11:00:00Z", "end=2026-11-20T12:00:00Z"];
    let flags = ["--start", "2026-11-20T11:00:00Z", "--end", "2026-11-20T12:00:00Z"];
    let pairs =
        cli.run(&[&["context", "latency", "max_items=3", "max_chars=1500", "format=csv"], &window[..]].concat());
    let typed = ["context", "latency", "--max-items", "3", "--max-chars", "1500", "--format", "csv"];
    let typed = cli.run(&[&typed[..], &flags].concat());
    assert!(typed.stdout.starts_with("# latency from=2026-11-20T11:00:00Z"), "{typed:?}");
    assert_eq!((pairs.code, pairs.stdout), (typed.code, typed.stdout));
    for (wrong, said) in [
        (&["max_items=many"][..], "`many` is no value of `max_items`"),
        (&["format=xml"], "`xml` is no value of `format`"),
        (&["max_items=3", "--max-items", "4"], "`max_items` is given twice"),
        (&["time_range=1h", "--time-range", "2h"], "`time_range` is given twice"),
    ] {
        let run = cli.run(&[&["context", "latency"], wrong].concat());
        assert!(run.code == 2 && run.stderr.contains(said) && run.stderr.contains("as `--"), "{wrong:?}: {run:?}");
    }
}
