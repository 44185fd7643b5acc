//! `tfo-mcp connect`: the files of clients, changed in place in a home of their own, and what was written tried.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::{
    cli::{Cli, Run},
    support::{key, served::Served},
};

/// Every client whose file is written, the file in its home, and a file as a person left it there.
pub const CLIENTS: [(&str, &str, &str); 11] = [
    ("claude", ".claude.json", JSON),
    ("claude-desktop", ".config/Claude/claude_desktop_config.json", JSON),
    ("cursor", ".cursor/mcp.json", JSON),
    ("vscode", ".config/Code/User/mcp.json", JSONC),
    ("windsurf", ".config/devin/mcp_config.json", JSON),
    ("zed", ".config/zed/settings.json", JSONC),
    ("codex", ".codex/config.toml", TOML),
    ("gemini", ".gemini/settings.json", JSON),
    ("goose", ".config/goose/config.yaml", YAML),
    ("opencode", ".config/opencode/opencode.json", JSONC),
    ("lm-studio", ".lmstudio/mcp.json", JSON),
];

const JSON: &str = r#"{
    "zoom": 1.25,
    "mcpServers": {
        "theirs": { "command": "other", "args": ["--x"], "env": { "TOKEN": "hunter2" } }
    },
    "last": [1, 2, 3]
}
"#;

const JSONC: &str = r#"// Settings of mine.
{
  "zoom": 1.25, // large
  /* what I use */
  "servers": {
    "theirs": { "command": "other" }, // keep
  },
  "mcp": {
    // theirs is slow
    "theirs": { "type": "local", "command": ["other"] }
  },
  "context_servers": {},
  "last": [1, 2, 3],
}
"#;

const TOML: &str = r#"# Settings of mine.
model = "large" # the good one

[mcp_servers.theirs] # keep
command = "other"
args = ["--x"]

[last]
order = [ 1, 2,  3 ]
"#;

const YAML: &str = "\
# Settings of mine.
model: large   # the good one
extensions:
  # theirs is slow
  theirs:
    type: stdio
    cmd: other
    envs: {}

  developer:
    enabled: true

# the end
last: [1, 2, 3]
";

pub struct Home(Cli);

impl Home {
    pub fn new() -> Self {
        Self(Cli::new())
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.0.folder.path().join(file)
    }

    pub fn put(&self, file: &str, text: &str) {
        fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs::write(self.path(file), text).unwrap();
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[])
    }

    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let mut command = self.0.command(&[&["connect"], arguments].concat());
        command.envs(environment.iter().copied());
        Run::of(command.output().unwrap(), self.0.folder.path())
    }

    /// All files below the home and what is in them.
    pub fn files(&self) -> Vec<(PathBuf, String)> {
        fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
            let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            paths.sort();
            for path in paths {
                match path.is_dir() {
                    true => walk(&path, found),
                    false => found.push((path.clone(), fs::read_to_string(&path).unwrap())),
                }
            }
        }
        let mut found = Vec::new();
        walk(self.0.folder.path(), &mut found);
        found
    }

    pub fn mode(&self, file: &str) -> u32 {
        fs::metadata(self.path(file)).unwrap().permissions().mode() & 0o777
    }
}

/// Lines of the first text in their order, each of which must stand in the second.
fn is_kept(old: &str, new: &str) {
    let mut lines = new.lines();
    for line in old.lines().filter(|line| !line.trim().is_empty()) {
        // A comma may have to follow what was the last entry.
        let same = |other: &str| other == line || other.strip_suffix(',') == Some(line);
        assert!(lines.any(same), "`{line}` is lost or moved in\n{new}");
    }
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn a_file_keeps_its_comments_and_order_and_a_second_run_changes_nothing() {
    for (client, file, before) in CLIENTS {
        let home = Home::new();
        home.put(file, before);
        let first = home.run(&[client]);
        assert_eq!(first.code, 0, "{client}: {first:?}");
        assert!(first.stderr.contains("tried: tfo-mcp"), "what was written is tried once: {first:?}");
        assert_eq!(first.stdout, "", "{client}");
        let written = home.read(file);
        assert!(written.contains("telemetryflow") && written.contains(env!("CARGO_BIN_EXE_tfo-mcp")), "{written}");
        // An empty object that is filled, and a last entry that gets a comma, are the only lines that change.
        is_kept(&before.replace("  \"context_servers\": {},\n", ""), &written);
        assert_eq!(home.read(&format!("{file}.before-tfo-mcp")), before, "{client}: the copy");

        let files = home.files();
        let second = home.run(&[client]);
        assert!(second.code == 0 && second.stderr.contains("is there already"), "{client}: {second:?}");
        assert_eq!(home.files(), files, "{client}: a second run");

        let gone = home.run(&[client, "--remove"]);
        assert_eq!(gone.code, 0, "{client}: {gone:?}");
        assert!(!home.read(file).contains("telemetryflow"), "{}", home.read(file));
        is_kept(before, &home.read(file));
        let again = home.run(&[client, "--remove"]);
        assert!(again.code == 0 && again.stderr.contains("there is no `telemetryflow`"), "{client}: {again:?}");
    }
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn a_client_without_a_file_gets_one_and_what_is_printed_is_what_is_written() {
    let mut shown = String::new();
    for (client, file, _) in CLIENTS {
        let home = Home::new();
        let printed = home.run(&[client, "--print"]);
        assert_eq!(printed.code, 0, "{client}: {printed:?}");
        assert_eq!(home.files(), [], "{client}: nothing is written");
        assert_eq!(home.run(&[client, "--dry-run"]).code, 0);
        assert_eq!(home.files(), [], "{client}: nothing is written");
        let run = home.run(&[client]);
        assert_eq!(run.code, 0, "{client}: {run:?}");
        assert_eq!(home.read(file), printed.stdout, "{client}");
        let http = home.run(&[client, "--print", "--url", "https://mcp.example.com/mcp", "--key", "tfo_secret"]);
        assert_eq!(http.code, 0, "{client}: {http:?}");
        shown += &format!("== {client}: {file}\n{}\n{}\n", printed.stdout.trim_end(), http.stdout.trim_end());
    }
    let shown = shown.replace(env!("CARGO_BIN_EXE_tfo-mcp"), "/bin/tfo-mcp");
    insta::assert_snapshot!("connect-entries", shown);
}

#[test]
fn a_client_without_a_file_of_its_own_is_told_what_to_paste() {
    let home = Home::new();
    let run = home.run(&["jetbrains"]);
    assert_eq!(run.code, 0, "{run:?}");
    let pasted: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(pasted["mcpServers"]["telemetryflow"]["args"], json!(["serve"]));
    assert!(run.stderr.contains("Settings, Tools, AI Assistant"), "{run:?}");
    assert_eq!(home.files(), []);
    let junie = home.run(&["jetbrains", "--scope", "project"]);
    assert_eq!(junie.code, 0, "{junie:?}");
    assert!(home.read(".junie/mcp/mcp.json").contains("telemetryflow"));
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn scopes_write_files_of_their_own() {
    let home = Home::new();
    for (client, scope, file) in [
        ("claude", "project", ".mcp.json"),
        ("claude", "local", ".claude.json"),
        ("cursor", "project", ".cursor/mcp.json"),
        ("vscode", "project", ".vscode/mcp.json"),
        ("windsurf", "project", ".devin/mcp_config.json"),
        ("zed", "project", ".zed/settings.json"),
        ("codex", "project", ".codex/config.toml"),
        ("gemini", "project", ".gemini/settings.json"),
        ("opencode", "project", "opencode.json"),
    ] {
        let run = home.run(&[client, "--scope", scope]);
        assert!(run.code == 0 && home.read(file).contains("telemetryflow"), "{client} {scope}: {run:?}");
        // What a project's file holds is not in force before a person allows it.
        let (asks, allowed) = (run.stderr.contains("asks everybody"), run.stderr.contains("folders that it trusts"));
        let expected = (client == "claude", ["codex", "gemini"].contains(&client));
        assert!(scope != "project" || (asks, allowed) == expected, "{client} {scope}: {run:?}");
    }
    let local: Value = serde_json::from_str(&home.read(".claude.json")).unwrap();
    let folder = home.0.folder.path().display().to_string();
    assert_eq!(local["projects"][&folder]["mcpServers"]["telemetryflow"]["type"], "stdio");
    let none = home.run(&["goose", "--scope", "project"]);
    assert!(none.code == 2 && none.stderr.contains("scopes: `user`"), "{none:?}");
}

#[test]
fn another_folder_of_settings_is_found() {
    let home = Home::new();
    let elsewhere = home.path("elsewhere");
    let run = home.run_with(&["zed"], &[("XDG_CONFIG_HOME", elsewhere.to_str().unwrap())]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(home.read("elsewhere/zed/settings.json").contains("telemetryflow"));
    // The names of before count where a client still uses them.
    home.put(".codeium/windsurf/mcp_config.json", "{}");
    home.put(".config/opencode/opencode.jsonc", "{} // mine\n");
    assert_eq!(home.run(&["windsurf", "--url", "https://mcp.example.com/mcp", "--dry-run"]).code, 0);
    for (client, file) in
        [("windsurf", ".codeium/windsurf/mcp_config.json"), ("opencode", ".config/opencode/opencode.jsonc")]
    {
        let run = home.run(&[client]);
        assert!(run.code == 0 && home.read(file).contains("telemetryflow"), "{client}: {run:?}");
    }
    let old = home.run(&["windsurf", "--print", "--url", "https://mcp.example.com/mcp"]);
    assert!(old.stdout.contains("serverUrl"), "{old:?}");
}

#[test]
fn the_entry_says_what_was_typed() {
    let home = Home::new();
    home.put("mine/definitions/tools/none.txt", "");
    let run = home.run(&[
        "cursor",
        "--name",
        "mine",
        "--pack",
        "mine",
        "--packs-only",
        "--toolsets",
        "a,b",
        "--data-dir",
        "data",
        "--print",
        "--env",
        "TELEMETRYFLOW_MCP_POSTGRES_URL",
        "--env",
        "TELEMETRYFLOW_MCP_LOG_LEVEL=error",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    let entry: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        entry["mcpServers"]["mine"],
        json!({
            "command": env!("CARGO_BIN_EXE_tfo-mcp"),
            "args": ["serve", "--pack", "~/mine", "--toolsets", "a,b", "--data-dir", "~/data", "--packs-only"],
            "env": {
                "TELEMETRYFLOW_MCP_POSTGRES_URL": "${env:TELEMETRYFLOW_MCP_POSTGRES_URL}",
                "TELEMETRYFLOW_MCP_LOG_LEVEL": "error",
            },
        })
    );
}

#[test]
fn each_client_reads_variables_in_its_own_words() {
    let home = Home::new();
    for (client, stdio, http) in [
        ("claude", "\"P\": \"${P}\"", "\"Bearer ${K}\""),
        ("cursor", "\"P\": \"${env:P}\"", "\"Bearer ${env:K}\""),
        ("vscode", "\"P\": \"${input:telemetryflow-P}\"", "\"Bearer ${input:telemetryflow-K}\""),
        ("windsurf", "\"P\": \"${env:P}\"", "\"Bearer ${env:K}\""),
        ("codex", "env_vars = [\"P\"]", "bearer_token_env_var = \"K\""),
        ("gemini", "\"P\": \"${P}\"", "\"Bearer ${K}\""),
        ("goose", "env_keys: [\"P\"]", "env_keys: [\"K\"]"),
        ("opencode", "\"P\": \"{env:P}\"", "\"Bearer {env:K}\""),
    ] {
        let run = home.run(&[client, "--print", "--env", "P"]);
        assert!(run.code == 0 && run.stdout.contains(stdio), "{client}: {run:?}");
        let run = home.run(&[client, "--print", "--url", "https://h/mcp", "--key-env", "K"]);
        assert!(run.code == 0 && run.stdout.contains(http), "{client}: {run:?}");
    }
    // Those that read none say so instead of writing a text that nobody fills in.
    for client in ["claude-desktop", "zed", "lm-studio"] {
        let run = home.run(&[client, "--print", "--env", "P"]);
        assert!(run.code == 2 && run.stderr.contains("--env NAME=VALUE"), "{client}: {run:?}");
    }
    // What VS Code asks for is asked once, and goes with the entry.
    home.put(
        ".config/Code/User/mcp.json",
        "{\n  \"inputs\": [{ \"id\": \"theirs\", \"type\": \"promptString\" }]\n}\n",
    );
    for _ in 0..2 {
        home.run(&["vscode", "--env", "P"]);
    }
    let with: Value = serde_json::from_str(&home.read(".config/Code/User/mcp.json")).unwrap();
    assert_eq!(with["inputs"].as_array().unwrap().len(), 2, "{with}");
    assert_eq!((&with["inputs"][1]["id"], &with["inputs"][1]["password"]), (&json!("telemetryflow-P"), &json!(true)));
    assert_eq!(home.run(&["vscode", "--remove"]).code, 0);
    let without: Value = serde_json::from_str(&home.read(".config/Code/User/mcp.json")).unwrap();
    assert_eq!(without["inputs"], json!([{ "id": "theirs", "type": "promptString" }]));
}

#[test]
fn what_a_person_added_to_the_entry_stays_but_no_key_goes_to_another_server() {
    let home = Home::new();
    assert_eq!(home.run(&["gemini", "--env", "TELEMETRYFLOW_MCP_LOG_LEVEL=error"]).code, 0);
    let with = home.read(".gemini/settings.json").replace("\"command\"", "\"trust\": true, // mine\n      \"command\"");
    home.put(".gemini/settings.json", &with);
    let again = home.run(&["gemini"]);
    assert!(again.code == 0 && again.stderr.contains("is there already"), "{again:?}");
    assert_eq!(home.read(".gemini/settings.json"), with);

    for (url, key, kept) in [
        ("http://127.0.0.1:9/a", Some("tfo_one"), true),
        ("http://127.0.0.1:9/a", None, true),
        ("http://127.0.0.1:9/b", None, false),
    ] {
        let arguments = ["gemini", "--url", url].into_iter().chain(key.into_iter().flat_map(|key| ["--key", key]));
        let run = home.run(&arguments.collect::<Vec<_>>());
        // Nothing listens there, which is said, and does not undo what was written.
        assert!(run.code == 1 && run.stderr.contains("does not work yet"), "{run:?}");
        let text = home.read(".gemini/settings.json");
        assert_eq!(text.contains("tfo_one"), kept, "{url}: {text}");
        assert!(text.contains("\"trust\": true, // mine") && !text.contains("\"command\""), "{text}");
    }
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn secrets_stand_in_files_of_ones_own_alone() {
    let home = Home::new();
    let secret = ["--url", "http://127.0.0.1:9/mcp", "--key", "tfo_secret"];
    for (client, file, before) in CLIENTS {
        home.put(file, before);
        fs::set_permissions(home.path(file), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(home.run(&[client]).code, 0);
        assert_eq!(home.mode(file), 0o644, "{client}: without a secret the mode is the person's");
        let run = home.run(&[&[client][..], &secret].concat());
        assert!(!run.stderr.contains("tfo_secret") && !run.stdout.contains("tfo_secret"), "{run:?}");
        assert!(home.read(file).contains("tfo_secret"), "{client}: {run:?}");
        assert_eq!((home.mode(file), home.mode(&format!("{file}.before-tfo-mcp-2"))), (0o600, 0o600), "{client}");
    }
    let shared = home.run(&[&["claude", "--scope", "project"][..], &secret].concat());
    assert!(shared.code == 2 && shared.stderr.contains("--key-env"), "{shared:?}");
    assert!(!home.path(".mcp.json").exists());
    // What would change is shown without the lines around it: they hold secrets of others.
    let shown = home.run(&["cursor", "--dry-run", "--remove"]);
    assert!(shown.code == 0 && !shown.stdout.contains("hunter2") && shown.stdout.contains("- "), "{shown:?}");
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn a_running_server_is_called_with_the_key_that_is_written() {
    let data = tempfile::tempdir().unwrap();
    let key = key::create(data.path(), "connect", key::SOME, &[]);
    let served = Served::start(&["--data-dir", data.path().to_str().unwrap()]);
    let home = Home::new();
    let good = home.run(&["cursor", "--url", &served.url, "--key", &key]);
    assert!(good.code == 0 && good.stderr.contains("tried: tfo-mcp") && good.stderr.contains(" tools"), "{good:?}");
    let wrong = home.run(&["cursor", "--url", &served.url, "--key", "tfo_wrong"]);
    assert!(wrong.code == 1 && wrong.stderr.contains("401"), "{wrong:?}");
    let none = home.run(&["zed", "--url", &served.url]);
    assert!(none.code == 1 && none.stderr.contains("it wants a credential"), "{none:?}");
    let named = home.run_with(&["codex", "--url", &served.url, "--key-env", "MY_KEY"], &[("MY_KEY", &key)]);
    assert_eq!(named.code, 0, "{named:?}");
    assert!(!home.read(".codex/config.toml").contains(&key), "the client reads the variable itself");

    // What is tried is the entry as it stands in the file: with the key that it keeps, wherever the client reads it.
    for client in ["cursor", "claude", "claude-desktop", "codex", "zed", "goose"] {
        let given = home.run(&[client, "--url", &served.url, "--key", &key]);
        let again = home.run(&[client, "--url", &served.url]);
        assert_eq!((given.code, again.code), (0, 0), "{client}: {given:?} {again:?}");
        assert!(again.stderr.contains("is there already") && again.stderr.contains(" tools"), "{client}: {again:?}");
    }
    for client in ["claude", "cursor", "vscode", "codex", "goose", "opencode"] {
        let set = [("MY_KEY", key.as_str())];
        let given = home.run_with(&[client, "--url", &served.url, "--key-env", "MY_KEY"], &set);
        let again = home.run_with(&[client, "--url", &served.url], &set);
        assert_eq!((given.code, again.code), (0, 0), "{client}: {given:?} {again:?}");
        let unset = home.run(&[client, "--url", &served.url]);
        // VS Code asks the person for it, so the entry is whole without.
        let code = if client == "vscode" { 0 } else { 1 };
        assert!(unset.code == code && unset.stderr.contains("`MY_KEY` is not set here"), "{client}: {unset:?}");
    }
}

#[test]
fn links_hold_the_whole_entry() {
    let home = Home::new();
    for (client, lead) in [
        ("cursor", "cursor://anysphere.cursor-deeplink/mcp/install?name=telemetryflow&config="),
        ("lm-studio", "lmstudio://add_mcp?name=telemetryflow&config="),
    ] {
        let run = home.run(&[client, "--link"]);
        let config = run.stdout.trim().strip_prefix(lead).unwrap_or_else(|| panic!("{run:?}"));
        let config = percent_encoding::percent_decode_str(config).decode_utf8().unwrap();
        let entry = base64::engine::general_purpose::STANDARD.decode(config.as_bytes()).unwrap();
        let entry: Value = serde_json::from_slice(&entry).unwrap();
        assert_eq!(entry["command"], env!("CARGO_BIN_EXE_tfo-mcp"));
    }
    let vscode = home.run(&["vscode", "--link", "--url", "https://h/mcp"]).stdout;
    let entry = percent_encoding::percent_decode_str(vscode.trim().strip_prefix("vscode:mcp/install?").unwrap());
    let entry: Value = serde_json::from_str(&entry.decode_utf8().unwrap()).unwrap();
    assert_eq!(entry, json!({ "name": "telemetryflow", "type": "http", "url": "https://h/mcp" }));
    let goose = home.run(&["goose", "--link", "--url", "https://h/mcp"]).stdout;
    assert!(goose.starts_with("goose://extension?type=streamable_http&url=https%3A%2F%2Fh%2Fmcp"), "{goose}");
    for client in ["goose", "claude"] {
        let none = home.run(&[client, "--link"]);
        assert!(none.code == 2 && none.stderr.contains("these do: `cursor`"), "{client}: {none:?}");
    }
    assert_eq!(home.files(), []);
}

#[test]
fn what_cannot_be_changed_safely_is_left_alone() {
    for (client, file, broken) in [
        ("cursor", ".cursor/mcp.json", "{ \"mcpServers\": "),
        ("cursor", ".cursor/mcp.json", "[1]"),
        ("cursor", ".cursor/mcp.json", "{ \"mcpServers\": [] }"),
        ("codex", ".codex/config.toml", "mcp_servers = 1\n"),
        ("codex", ".codex/config.toml", "[broken\n"),
        ("goose", ".config/goose/config.yaml", "extensions: [a\n"),
        // Right, and written in a way in which lines cannot be put in.
        ("goose", ".config/goose/config.yaml", "extensions: { theirs: { type: stdio } }\n"),
        ("goose", ".config/goose/config.yaml", "extensions: &all\n  theirs: {}\nmore: *all\n"),
    ] {
        let home = Home::new();
        home.put(file, broken);
        let files = home.files();
        let run = home.run(&[client]);
        let right = broken.contains("&all");
        assert!(right || (run.code == 2 && run.stderr.contains("--print")), "{client} {broken}: {run:?}");
        if run.code != 0 {
            assert_eq!(home.files(), files, "{client}: {broken}");
        }
    }
}

#[test]
fn nothing_is_written_outside_of_the_home_and_the_project() {
    let outside = tempfile::tempdir().unwrap();
    let home = Home::new();
    fs::write(outside.path().join("mcp.json"), "{}").unwrap();
    fs::create_dir_all(home.path(".cursor")).unwrap();
    symlink(outside.path().join("mcp.json"), home.path(".cursor/mcp.json")).unwrap();
    let run = home.run(&["cursor"]);
    assert!(run.code == 2 && run.stderr.contains("outside of the folders"), "{run:?}");
    assert_eq!(fs::read_to_string(outside.path().join("mcp.json")).unwrap(), "{}");
    symlink(outside.path(), home.path(".lmstudio")).unwrap();
    assert_eq!(home.run(&["lm-studio"]).code, 2);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);

    // Files that lie elsewhere in the home, as with managers of dotfiles, are changed where they lie.
    home.put("dotfiles/claude.json", JSON);
    symlink(home.path("dotfiles/claude.json"), home.path(".claude.json")).unwrap();
    let run = home.run(&["claude"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(fs::symlink_metadata(home.path(".claude.json")).unwrap().is_symlink());
    assert!(home.read("dotfiles/claude.json").contains("telemetryflow"));
}

#[test]
fn mistakes_are_explained() {
    let home = Home::new();
    let list = home.run(&[]);
    for (client, _, _) in CLIENTS {
        assert!(list.stdout.contains(client), "{list:?}");
    }
    for (arguments, said) in [
        (&["cusror"][..], "did you mean `cursor`?"),
        (&["cursor", "--url", "ftp://x"], "is not an address of HTTP"),
        (&["cursor", "--url", "https://user:hunter2@h/mcp"], "give the key with `--key`"),
        (&["cursor", "--key", "x"], "--url"),
        (&["cursor", "--name", "a b"], "a name has letters"),
        (&["cursor", "--env", "1=2"], "a variable has letters"),
    ] {
        let run = home.run(arguments);
        assert!(
            run.code == 2 && run.stderr.contains(said) && !run.stderr.contains("hunter2"),
            "{arguments:?}: {run:?}"
        );
    }
    let unseen = home.run_with(&["cursor"], &[("TELEMETRYFLOW_MCP_POSTGRES_URL", "postgres://h/d")]);
    assert!(unseen.stderr.contains("unknown to the client: TELEMETRYFLOW_MCP_POSTGRES_URL"), "{unseen:?}");
    assert_eq!(home.read(".cursor/mcp.json").matches("postgres").count(), 0);
}
