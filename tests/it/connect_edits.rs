//! `tfo-mcp connect` and files as people and their editors leave them: what stood there is there afterwards.

use std::{
    fs,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::PathBuf,
};

use serde_json::{Value, json};

use crate::connect::{CLIENTS, Home};

/// Nothing listens there: what is written is the same, and the try of it is over at once.
const NOWHERE: [&str; 2] = ["--url", "http://127.0.0.1:9/mcp"];

/// Writes the entry of a server at an address, which is then tried in vain.
fn connect(home: &Home, client: &str, more: &[&str]) -> String {
    let run = home.run(&[&[client], &NOWHERE[..], more].concat());
    // Nothing is tried with a key for which VS Code asks the person.
    let (code, said) = match client == "vscode" && more.contains(&"--key-env") {
        true => (0, "not tried"),
        false => (1, "does not work yet"),
    };
    assert!(run.code == code && run.stderr.contains(said), "{client} {more:?}: {run:?}");
    run.stderr
}

fn remove(home: &Home, client: &str) {
    let run = home.run(&[client, "--remove"]);
    assert!(run.code == 0 && run.stderr.contains("taken out"), "{client}: {run:?}");
}

fn of_client(name: &str) -> (&'static str, &'static str) {
    let (_, file, before) = CLIENTS.into_iter().find(|(client, ..)| *client == name).unwrap();
    (file, before)
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn what_a_file_held_before_its_only_server_it_holds_after_it() {
    for before in [
        "",
        "model = \"x\"\n",
        "# Mine.\n\nmodel = \"x\" # the good one\n",
        "# Only this.\n",
        "[mcp_servers]\n",
        "[mcp_servers] # none yet\n\n[last]\norder = [1,  2]\n",
        "mcp_servers = {}\n",
        "[a]\nx = 1\n\n# [b]\n# y = 2\n",
        "# Mine.\r\n\r\nmodel = \"x\"\r\n[a]\r\n# why\r\nx = 1\r\n",
        "model = \"x\"\r\n\n[mcp_servers.other] # theirs\ncommand = \"a\"\r\n",
        "\u{feff}model = \"x\"\n",
        "note = \"\"\"\r\none\r\ntwo\"\"\"\r\n",
        BETWEEN,
        "[mcp_servers.other]\ncommand = \"a\"\n# in\n[mcp_servers.other.env]\nA = \"1\"\n\n# of b\n[[b]]\nx = 1\n# bottom\n",
        "[z]\n# in z\n\n[mcp_servers.other]\ncommand = \"a\"\n\n# [mcp_servers.off]\n# command = \"b\"\n",
    ] {
        let home = Home::new();
        home.put(".codex/config.toml", before);
        connect(&home, "codex", &[]);
        let with = home.read(".codex/config.toml");
        assert!(with.contains("telemetryflow"), "{before:?}: {with:?}");
        let kept: Vec<&str> = before.lines().filter(|line| line.starts_with('#')).collect();
        assert!(kept.iter().all(|line| with.find(line) < with.find("telemetryflow")), "{before:?}: {with:?}");
        assert!(before.contains("{}") || in_order(before, &with), "{before:?}: {with:?}");
        assert_eq!(home.run(&["codex", "--remove", "--dry-run"]).code, 0, "{before:?}");
        remove(&home, "codex");
        assert_eq!(home.read(".codex/config.toml"), before);
    }
    // What a person wrote above the entry of before, a blank line apart, is not about it.
    let home = Home::new();
    home.put(
        ".codex/config.toml",
        "# Mine.\n\n# ours\n[mcp_servers.telemetryflow]\ncommand = \"m\"\n\n[last]\nx = 1\n",
    );
    remove(&home, "codex");
    assert_eq!(home.read(".codex/config.toml"), "# Mine.\n\n[last]\nx = 1\n");

    for (client, before) in [
        ("claude", "{}"),
        ("claude", "{ \"mcpServers\": null, \"a\": 1 }"),
        ("claude", "{\n  \"a\": 1 // mine\n}\n"),
        ("opencode", "// Mine.\n{}\n"),
        ("goose", "z: 1\n"),
        ("goose", "my_extensions:\n  a: 1\nextensions:\nz: 1\n"),
        ("goose", "extensions: # none: yet\n  # one day\nz: 1\n"),
        ("goose", "extensions: null\n"),
        ("goose", "extensions: ~ # none\r\nz: 1\r\n"),
    ] {
        let home = Home::new();
        let (file, _) = of_client(client);
        home.put(file, before);
        connect(&home, client, &[]);
        let with = home.read(file);
        assert!(with.contains("telemetryflow"), "{before:?}: {with:?}");
        remove(&home, client);
        let after = home.read(file);
        let said = |text: &str| -> Value {
            let mut said: Value = match client {
                "goose" => serde_saphyr::from_str(text).unwrap(),
                _ => {
                    jsonc_parser::cst::CstRootNode::parse(text, &Default::default()).unwrap().to_serde_value().unwrap()
                }
            };
            let sections = ["mcpServers", "mcp", "extensions"];
            said.as_object_mut().unwrap().retain(|key, _| !sections.contains(&key.as_str()));
            said
        };
        assert_eq!(said(&after), said(before), "{before:?}: {after:?}");
        for comment in ["mine", "Mine.", "none: yet", "one day", "# none"] {
            assert_eq!(after.contains(comment), before.contains(comment), "{before:?}: {after:?}");
        }
    }
}

/// Comments at the end of sections and of the file, with the servers between others.
const BETWEEN: &str =
    "model = \"x\"\n\n[mcp_servers.other] # h\ncommand = \"a\"\n# in\n\n# tail\n[zzz]\na = 1 # end\n# bottom\n";

/// Whether all lines of a text stand in another, as they were and in their order.
fn in_order(before: &str, with: &str) -> bool {
    let mut lines = with.lines();
    before.lines().all(|line| lines.any(|other| other == line))
}

#[test]
fn no_line_of_a_file_changes_its_place() {
    for (client, before) in [
        ("codex", BETWEEN),
        (
            "goose",
            "# top\nextensions: # mine\n  # of a\n  a:\n    cmd: a # h\n    # in a\n\n# tail\nz: 1 # end\n# bottom\n",
        ),
        (
            "opencode",
            "// top\n{\n  \"mcp\": {\n    // of a\n    \"a\": { \"type\": \"local\", \"command\": [\"a\"] } // h\n    // in\n  },\n  // tail\n  \"z\": 1 // end\n  // bottom\n}\n// out\n",
        ),
    ] {
        let home = Home::new();
        let (file, _) = of_client(client);
        home.put(file, before);
        connect(&home, client, &[]);
        let with = home.read(file);
        // A comma may follow what was the last.
        let plain = |text: &str| text.replace(", //", " //").replace("},", "}");
        assert!(in_order(&plain(before), &plain(&with)), "{client}: {with}");
        remove(&home, client);
        assert_eq!(plain(&home.read(file)), plain(before), "{client}");
    }
}

#[test]
fn line_ends_and_marks_of_a_file_stay() {
    for client in ["claude", "vscode", "codex", "goose"] {
        let home = Home::new();
        let (file, before) = of_client(client);
        let before = format!("\u{feff}{}", before.replace('\n', "\r\n"));
        home.put(file, &before);
        connect(&home, client, &[]);
        let with = home.read(file);
        assert!(with.contains("telemetryflow") && with.starts_with('\u{feff}'), "{client}: {with:?}");
        assert_eq!(with.matches('\n').count(), with.matches("\r\n").count(), "{client}: {with:?}");
        assert_eq!(with.matches('\u{feff}').count(), 1, "{client}: {with:?}");
        let again = connect(&home, client, &[]);
        assert!(again.contains("is there already"), "{client}: {again}");
        remove(&home, client);
        let after = home.read(file);
        assert!(after.starts_with('\u{feff}') && !after.replace("\r\n", "").contains('\n'), "{client}: {after:?}");
        if client == "codex" {
            assert_eq!(after, before);
        }

        // What no client would read either is left alone, and named.
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain("{}".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        fs::write(home.path(file), &wide).unwrap();
        let run = home.run(&[&[client], &NOWHERE[..]].concat());
        assert!(run.code == 2 && run.stderr.contains("UTF-16") && run.stderr.contains("--print"), "{client}: {run:?}");
        assert_eq!(fs::read(home.path(file)).unwrap(), wide);
    }
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn what_was_given_before_stays_for_the_same_server_and_goes_to_no_other() {
    let url = "TELEMETRYFLOW_MCP_CLICKHOUSE_URL";
    for (client, file, before) in CLIENTS {
        let home = Home::new();
        home.put(file, before);
        let given = home.run(&[client, "--env", &format!("{url}=http://database.invalid")]);
        assert!(given.code == 0 && home.read(file).contains(url), "{client}: {given:?}");
        let plain = home.run(&[client]);
        assert!(plain.stderr.contains("is there already"), "{client}: {plain:?}");
        let other = home.run(&[client, "--env", "TELEMETRYFLOW_MCP_LOG_LEVEL=error"]);
        assert!(other.code == 0 && home.read(file).contains("database.invalid"), "{client}: {}", home.read(file));

        // The key stays with its server; that of another one, and this program, are not given it.
        connect(&home, client, &["--key", "tfo_one"]);
        let text = home.read(file);
        assert!(text.contains("tfo_one") && !text.contains("database.invalid"), "{client}: {text}");
        let again = connect(&home, client, &[]);
        assert!(again.contains("is there already") && home.read(file) == text, "{client}: {again}");
        connect(&home, client, &["--key", "tfo_two"]);
        let text = home.read(file);
        assert!(text.contains("tfo_two") && !text.contains("tfo_one"), "{client}: {text}");
        assert_eq!(text.matches("Authorization").count(), 1, "{client}: {text}");
        let moved = home.run(&[client, "--url", "http://127.0.0.1:9/other"]);
        assert!(moved.code == 1 && !home.read(file).contains("tfo_"), "{client}: {}", home.read(file));
        connect(&home, client, &["--key", "tfo_three"]);
        assert_eq!(home.run(&[client]).code, 0);
        let text = home.read(file);
        assert!(!text.contains("tfo_three") && !text.contains("AUTHORIZATION"), "{client}: {text}");
    }

    // What a person gave the bridge stays too.
    let home = Home::new();
    let (file, _) = of_client("claude-desktop");
    connect(&home, "claude-desktop", &["--key", "tfo_one"]);
    let mine = home.read(file).replace("\"mcp-remote\",", "\"mcp-remote\", \"--debug\",");
    home.put(file, &mine);
    let again = connect(&home, "claude-desktop", &[]);
    assert!(again.contains("is there already") && home.read(file) == mine, "{again}");
}

#[test]
fn an_entry_that_was_switched_off_is_on_and_what_hides_its_tools_is_named() {
    for (client, before, off, on) in [
        (
            "codex",
            "[mcp_servers.telemetryflow]\ncommand = \"m\"\nenabled = false # later\n",
            "enabled = false",
            "enabled = true # later",
        ),
        (
            "windsurf",
            "{ \"mcpServers\": { \"telemetryflow\": { \"command\": \"m\", \"disabled\": true } } }",
            "\"disabled\": true",
            "\"disabled\": false",
        ),
        (
            "zed",
            "{ \"context_servers\": { \"telemetryflow\": { \"command\": \"m\", \"enabled\": false } } }",
            "\"enabled\": false",
            "\"enabled\": true",
        ),
        ("goose", "extensions:\n  telemetryflow:\n    enabled: false\n    cmd: m\n", "enabled: false", "enabled: true"),
        (
            "opencode",
            "{ \"mcp\": { \"telemetryflow\": { \"enabled\": false } } }",
            "\"enabled\": false",
            "\"enabled\": true",
        ),
    ] {
        let home = Home::new();
        let (file, _) = of_client(client);
        home.put(file, before);
        let said = connect(&home, client, &[]);
        let text = home.read(file);
        assert!(!text.contains(off) && text.contains(on), "{client}: {text}");
        let by_template = ["goose", "opencode"].contains(&client);
        assert!(by_template || said.contains("was switched off there"), "{client}: {said}");
    }
    let home = Home::new();
    home.put(".codex/config.toml", "[mcp_servers.telemetryflow]\ncommand = \"m\"\nenabled_tools = [\"a\"]\n");
    let said = connect(&home, "codex", &[]);
    assert!(
        said.contains("`enabled_tools` there keeps") && home.read(".codex/config.toml").contains("[\"a\"]"),
        "{said}"
    );
    // Words of a file that the client used before do not stay beside those of today.
    home.put(
        ".codeium/windsurf/mcp_config.json",
        "{ \"mcpServers\": { \"telemetryflow\": { \"serverUrl\": \"x\" } } }",
    );
    let run = home.run(&["windsurf"]);
    assert!(run.code == 0 && !home.read(".codeium/windsurf/mcp_config.json").contains("serverUrl"), "{run:?}");
    // A list elsewhere in the file is the person's; that it leaves the server out is said, and nothing else is.
    home.put(".gemini/settings.json", "{ \"mcp\": { \"excluded\": [\"telemetryflow\"] } }");
    let run = home.run(&["gemini"]);
    assert!(run.stderr.contains("`excluded` in the same file names `telemetryflow`"), "{run:?}");
    assert!(!run.stderr.contains("a new session of Gemini CLI has it"), "{run:?}");
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn comments_stay_in_lists_and_inside_the_entry() {
    // What VS Code asks for is a list of the person's too.
    let home = Home::new();
    let (file, _) = of_client("vscode");
    let before = "{\n  \"servers\": {},\n  \"inputs\": [\n    // first\n    { \"id\": \"other\", \"type\": \"promptString\" }, // keep\n    \
                  { \"id\": \"last\",\n      \"type\": \"promptString\" } // this too\n  ]\n}\n";
    home.put(file, before);
    connect(&home, "vscode", &["--key-env", "KK"]);
    let with = home.read(file);
    let inputs = before.lines().skip(2).take(4).collect::<Vec<_>>().join("\n");
    assert!(with.contains(&inputs) && with.contains("telemetryflow-KK"), "{with}");
    // Without the variable nobody asks for it any more.
    assert_eq!(home.run(&["vscode"]).code, 0);
    let without = home.read(file);
    assert!(without.contains(&inputs) && without.contains("// this too") && !without.contains("KK"), "{without}");
    connect(&home, "vscode", &["--key-env", "KK"]);
    remove(&home, "vscode");
    let after = home.read(file);
    assert!(after.contains(&inputs) && after.contains("// this too") && !after.contains("KK"), "{after}");

    for (client, before, kept) in [
        (
            "codex",
            "[mcp_servers.telemetryflow] # ours\n# the old one\ncommand = \"old\" # c\nargs = [\"serve\"] # d\n# more\nstartup_timeout_sec = 9 # e\n",
            &["# ours", "# the old one", "# c", "# d", "# more", "startup_timeout_sec = 9 # e"][..],
        ),
        (
            "goose",
            "extensions:\n  telemetryflow: # ours\n    # my note\n    cmd: old # c\n    args:\n    - serve # d\n    description: a # b\n    # why\n    envs:\n      # level\n      TELEMETRYFLOW_MCP_LOG_LEVEL: error # e\n",
            &["# ours", "# my note", "# c", "description: a # b", "# why", "# level", "LOG_LEVEL: error # e"],
        ),
        (
            "claude",
            "{ \"mcpServers\": { \"telemetryflow\": {\n  // the old one\n  \"command\": \"old\", // c\n  \"args\": [\n    \"serve\" // d\n  ],\n  \"timeout\": 9 // e\n} } }",
            &["// the old one", "// c", "// d", "\"timeout\": 9", "// e"],
        ),
    ] {
        let home = Home::new();
        let (file, _) = of_client(client);
        home.put(file, before);
        for more in [&[][..], &["--toolsets", "telemetry"], &["--env", "TELEMETRYFLOW_MCP_LOG_FORMAT=text"]] {
            let run = home.run(&[&[client], more].concat());
            let text = home.read(file);
            assert!(run.code == 0 && !text.contains("old\""), "{client}: {run:?}\n{text}");
            for comment in kept {
                assert!(text.contains(comment), "{client} {more:?}: `{comment}` is lost in\n{text}");
            }
        }
    }
}

#[test]
fn a_client_that_keeps_its_settings_elsewhere_is_found_there() {
    for (client, variable, value, file) in [
        ("claude", "CLAUDE_CONFIG_DIR", "c", "c/.claude.json"),
        ("vscode", "VSCODE_PORTABLE", "p", "p/user-data/User/mcp.json"),
        ("codex", "CODEX_HOME", "x", "x/config.toml"),
        ("gemini", "GEMINI_CLI_HOME", "g", "g/.gemini/settings.json"),
        ("goose", "GOOSE_PATH_ROOT", "r", "r/config/config.yaml"),
        ("opencode", "OPENCODE_CONFIG", "o/mine.json", "o/mine.json"),
        ("zed", "XDG_CONFIG_HOME", "d", "d/zed/settings.json"),
    ] {
        let home = Home::new();
        // Outside of the home: the person said where.
        let elsewhere = tempfile::tempdir().unwrap();
        let named = elsewhere.path().join(value);
        let arguments = [&[client], &NOWHERE[..]].concat();
        let run = home.run_with(&arguments, &[(variable, named.to_str().unwrap())]);
        let written = fs::read_to_string(elsewhere.path().join(file));
        assert!(written.is_ok_and(|text| text.contains("telemetryflow")), "{client}: {run:?}");
        assert_eq!(home.files(), [], "{client}");
        let list = home.run_with(&[], &[(variable, named.to_str().unwrap())]);
        assert!(list.stdout.contains(elsewhere.path().join(file).to_str().unwrap()), "{client}: {list:?}");
        // Empty counts as not set.
        assert_eq!(home.run_with(&[client, "--dry-run"], &[(variable, "")]).code, 0, "{client}");
    }
}

#[test]
fn every_file_that_was_changed_is_kept_and_one_that_is_read_only_is_not_touched() {
    let home = Home::new();
    let mine = "{ \"a\": 1 }";
    home.put(".claude.json", mine);
    connect(&home, "claude", &[]);
    let first = home.read(".claude.json");
    connect(&home, "claude", &["--key-env", "HOME"]);
    let said = home.run(&["claude", "--remove"]).stderr;
    assert_eq!(home.read(".claude.json.before-tfo-mcp"), mine);
    assert_eq!(home.read(".claude.json.before-tfo-mcp-2"), first);
    assert!(
        home.read(".claude.json.before-tfo-mcp-3").contains("${HOME}") && said.contains("before-tfo-mcp-3"),
        "{said}"
    );

    let home = Home::new();
    let path: PathBuf = home.path(".claude.json");
    fs::OpenOptions::new().write(true).create_new(true).mode(0o444).open(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    for arguments in [&["claude"][..], &["claude", "--scope", "local"]] {
        let run = home.run(arguments);
        assert!(run.code == 2 && run.stderr.contains("is read-only") && run.stderr.contains("--print"), "{run:?}");
    }
    assert_eq!(home.files(), [(path, String::new())]);
}

#[test]
fn what_does_not_work_yet_says_why_and_promises_nothing() {
    let home = Home::new();
    let run = home.run(&["claude", "--pack", "nowhere"]);
    assert!(run.code == 1 && run.stderr.contains("nowhere") && run.stderr.contains("it says:"), "{run:?}");
    assert!(run.stderr.contains("tfo-mcp doctor") && !run.stderr.contains("a new session of"), "{run:?}");
    let said = connect(&home, "cursor", &[]);
    assert!(
        said.contains("cannot be reached") && !said.contains("doctor") && !said.contains("starts it by itself"),
        "{said}"
    );
    // A link that has no place for the key says so.
    for (client, whole) in [("goose", false), ("cursor", true), ("vscode", true), ("lm-studio", true)] {
        let run = home.run(&[client, "--link", "--url", "https://h/mcp", "--key", "tfo_secret"]);
        assert_eq!((run.code, run.stderr.contains("holds no key")), (0, !whole), "{client}: {run:?}");
    }
    let text: Value = serde_json::from_str(&home.read(".cursor/mcp.json")).unwrap();
    assert_eq!(text["mcpServers"]["telemetryflow"], json!({ "url": "http://127.0.0.1:9/mcp" }));
}
