//! The command line: what it prints where, and how it exits.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tfo_mcp::settings::Trust;

/// A command in an empty folder with an empty home.
pub struct Cli {
    pub folder: tempfile::TempDir,
}

impl Cli {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        if path.parent() == Some(self.folder.path()) && path.ends_with("tfo-mcp.yaml") {
            self.trust();
        }
    }

    /// Lets the settings file of the folder count.
    fn trust(&self) {
        let home = self.folder.path().join(".config");
        Trust::read(Some(&home)).unwrap().add(&self.folder.path().join("tfo-mcp.yaml")).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tfo-mcp"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.folder.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // Where a program with counters leaves them: not in the folder that is looked at.
        command.envs(std::env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap(), self.folder.path())
    }
}

/// How a command ended, its folder replaced by `~`.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(output: Output, folder: &Path) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&folder.display().to_string(), "~");
        Self { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// One text for snapshots.
    fn shown(&self) -> String {
        format!("exit {}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout.trim_end(), self.stderr.trim_end())
    }
}

/// Every command that `--help` lists.
fn commands() -> Vec<String> {
    let help = Cli::new().run(&["--help"]).stdout;
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    lines
        .filter(|line| !line.starts_with("    "))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_has_help() {
    let cli = Cli::new();
    let mut all = vec![("tfo-mcp".to_owned(), cli.run(&["--help"]))];
    for command in commands() {
        if command != "help" {
            all.push((command.clone(), cli.run(&[&command, "--help"])));
        }
    }
    for (name, run) in all {
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{name}");
        insta::assert_snapshot!(format!("help-{name}"), run.stdout);
    }
}

#[test]
fn the_commands_that_are_promised_exist() {
    let all = commands();
    for command in
        "serve connect demo doctor validate schema test list call context prompt info init-config new setup completions trust"
            .split_whitespace()
    {
        assert!(all.iter().any(|known| known == command), "{command}");
    }
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn exit_codes_are_those_of_the_help() {
    let cli = Cli::new();
    cli.write("bad.yaml", "kind: tool\nname: bad\n");
    cli.write("wrong/tfo-mcp.yaml", "logging: {levle: debug}\n");
    for (arguments, code) in [
        (&["list", "tools"][..], 0),
        (&["validate"], 0),
        (&["call", "echo", "message=hi"], 0),
        (&["validate", "bad.yaml"], 1),
        (&["--pack", "missing", "list"], 1),
        (&["schema", "--check", "none"], 1),
        (&["validate", "missing.yaml"], 2),
        (&["call", "no-such-tool"], 2),
        (&["call", "echo"], 2),
        (&["call", "echo", "message"], 2),
        (&["--config", "wrong/tfo-mcp.yaml", "list"], 2),
        (&["--config", "missing.yaml", "list"], 2),
        (&["--toolsets", "nope", "list"], 2),
        (&["test", "no-such-definition"], 2),
        (&["context", "no-such-context"], 2),
        (&["context", "latency", "--max-items", "0"], 2),
        (&["context", "latency", "--max-items", "501"], 2),
        (&["context", "latency", "--max-chars", "10"], 2),
        (&["serve"], 0),
        (&["serve", "--transport", "http", "--host", "0.0.0.0", "--port", "0"], 2),
        (&["no-such-command"], 2),
        (&["list", "--no-such-flag"], 2),
    ] {
        let run = cli.run(arguments);
        assert_eq!(run.code, code, "{arguments:?}: {run:?}");
        // What went wrong is said, and never where a pipe would take it for data.
        assert!(
            code == 0 || !run.stderr.is_empty() || arguments.first() == Some(&"validate"),
            "{arguments:?}: {run:?}"
        );
        assert!(code != 2 || run.stdout.is_empty(), "{arguments:?}: {run:?}");
    }
}

#[test]
fn settings_mistakes_are_shown_where_they_stand() {
    let cli = Cli::new();
    cli.write(
        "tfo-mcp.yaml",
        "logging:\n  levle: debug\nclaude: {api_kye: hunter2}\nsources:\n  telemetry: {type: clickhouse}\n",
    );
    let output = cli.command(&["info"]).env("TELEMETRYFLOW_MCP_SERVER__PROT", "9").output().unwrap();
    let run = Run::of(output, cli.folder.path());
    assert!(!run.stderr.contains("hunter2"), "{run:?}");
    insta::assert_snapshot!(run.shown());
}

#[test]
fn info_shows_origins_and_no_secret() {
    let cli = Cli::new();
    cli.write("tfo-mcp.yaml", "logging: {level: debug}\nsources:\n  telemetry: {type: clickhouse, url: 'http://u:hunter2@ch:8123/t', password: hunter2}\n");
    for format in ["text", "json"] {
        let mut command = cli.command(&["info", "--all", "--format", format, "--log-level", "warn"]);
        command.env("TELEMETRYFLOW_MCP_POSTGRES_URL", "postgres://me:hunter2@db/x").env("ANTHROPIC_API_KEY", "hunter2");
        let run = Run::of(command.output().unwrap(), cli.folder.path());
        assert_eq!(run.code, 0, "{run:?}");
        assert!(!run.stdout.contains("hunter2") && !run.stderr.contains("hunter2"), "{run:?}");
        assert!(run.stdout.contains("postgres://me:***@db/x") && run.stdout.contains("TELEMETRYFLOW_MCP_POSTGRES_URL"));
        assert!(run.stdout.contains("--log-level") && run.stdout.contains("~/tfo-mcp.yaml"), "{run:?}");
    }
}

#[test]
fn the_file_of_init_config_is_right_line_by_line() {
    let cli = Cli::new();
    assert_eq!(cli.run(&["init-config"]).code, 0);
    let text = cli.read("tfo-mcp.yaml");
    cli.trust();
    let run = cli.run(&["info", "--format", "json"]);
    assert_eq!(run.code, 0, "{run:?}");

    // It refuses to overwrite what somebody may have edited.
    let again = cli.run(&["init-config"]);
    assert!(again.code == 2 && again.stderr.contains("--force"), "{again:?}");
    assert_eq!(cli.run(&["init-config", "--force"]).code, 0);
    assert_eq!(cli.run(&["init-config", "-"]).stdout, text);

    // Every setting is valid with its `#` taken away.
    let on: Vec<String> = text.lines().map(uncomment).collect();
    cli.write("tfo-mcp.yaml", &on.join("\n"));
    let mut command = cli.command(&["info", "--format", "json"]);
    command.env("CLICKHOUSE_PASSWORD", "x").env("POSTGRES_PASSWORD", "x").env("GUARD_KEY", "x");
    let run = Run::of(command.output().unwrap(), cli.folder.path());
    assert_eq!(run.code, 0, "{run:?}");
    assert!(on.iter().filter(|line| !line.trim_start().starts_with('#')).count() > 60);
}

/// A setting that is commented out, put in force; prose stays a comment.
fn uncomment(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let Some(rest) = line.trim_start().strip_prefix("# ") else { return line.to_owned() };
    let key = rest.split(':').next().unwrap();
    let is_setting = rest.contains(':') && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_setting { format!("{}{rest}", " ".repeat(indent)) } else { line.to_owned() }
}

#[test]
fn schemas_are_written_once() {
    let cli = Cli::new();
    let first = cli.run(&["schema", "out"]);
    assert!(first.code == 0 && first.stderr.contains("settings.schema.json"), "{first:?}");
    assert_eq!(cli.run(&["schema", "out"]).stderr, "");
    assert_eq!(cli.run(&["schema", "--check", "out"]).code, 0);
    cli.write("out/tool.schema.json", "{}");
    let check = cli.run(&["schema", "--check", "out"]);
    assert!(check.code == 1 && check.stderr.contains("tool.schema.json: is not up to date"), "{check:?}");
    let none = cli.run(&["schema", "--check", "none"]);
    assert!(none.code == 1 && none.stderr.contains("none/tool.schema.json: is missing"), "{none:?}");
    assert!(!none.stderr.contains("up to date"), "{none:?}");
}

/// `docs DIR` and `schema DIR` removed files of others with the same ending.
#[test]
fn what_others_wrote_into_a_folder_of_generated_files_stays() {
    let cli = Cli::new();
    cli.write("out/own.schema.json", "{}");
    let written = cli.run(&["schema", "out"]);
    assert!(
        written.code == 0 && written.stderr.contains("own.schema.json: is of no kind; left as it is"),
        "{written:?}"
    );
    assert_eq!(std::fs::read_to_string(cli.folder.path().join("out/own.schema.json")).unwrap(), "{}");
    let check = cli.run(&["schema", "--check", "out"]);
    assert!(check.code == 1 && check.stderr.contains("own.schema.json: is of no kind"), "{check:?}");
}

#[test]
fn the_committed_settings_schema_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/settings.schema.json");
    let fresh = serde_json::to_string_pretty(&tfo_mcp::settings::schema()).unwrap() + "\n";
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == fresh, "schemas/settings.schema.json is not up to date: run `cargo run -- schema`");
}

#[test]
fn every_setting_is_documented_and_says_its_default() {
    fn walk(path: &str, schema: &serde_json::Value) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let text = property["description"].as_str().unwrap_or_else(|| panic!("{path}{name} has no description"));
            let section = property.get("properties").is_some() || property.get("oneOf").is_some();
            let said = text.matches("Default: ").count();
            assert!(section || said == 1, "{path}{name} does not say its default, once: {text}");
            walk(&format!("{path}{name}."), property);
        }
    }
    walk("", &tfo_mcp::settings::schema().to_value());
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let cli = Cli::new();
    let mut child = cli.command(&["list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[test]
fn no_colour_without_a_terminal() {
    let cli = Cli::new();
    for arguments in [&["info", "--all"][..], &["list", "tools"], &["call", "nope"], &["--help"]] {
        let run = cli.run(arguments);
        assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "{arguments:?}");
    }
}

#[test]
fn answers_come_as_text_and_as_json() {
    let cli = Cli::new();
    assert_eq!(cli.run(&["call", "echo", "message=a=b c"]).stdout, "a=b c\n");
    let json: serde_json::Value =
        serde_json::from_str(&cli.run(&["call", "echo", "--json", r#"{"message": "hi"}"#, "--format", "json"]).stdout)
            .unwrap();
    assert_eq!((&json["text"], &json["is_error"]), (&"hi".into(), &false.into()));
    let lists: serde_json::Value = serde_json::from_str(&cli.run(&["list", "--format", "json"]).stdout).unwrap();
    for what in ["tools", "prompts", "resources", "contexts", "insights", "personas", "toolsets"] {
        let text = cli.run(&["list", what]).stdout;
        for entry in lists[what].as_array().unwrap() {
            assert!(text.contains(entry["name"].as_str().unwrap()), "{what}: {entry}");
        }
    }
}

#[test]
fn list_lists_everything_by_kind() {
    let cli = Cli::new();
    let all = cli.run(&["list"]).stdout;
    for what in ["TOOLS (", "PROMPTS (", "RESOURCES (", "CONTEXTS (", "INSIGHTS (", "PERSONAS (", "TOOLSETS ("] {
        assert!(all.contains(what), "{what}: {all}");
    }
    // Names with their titles, and the list of one kind is a part of it.
    for what in ["tools", "contexts", "personas"] {
        let part = cli.run(&["list", what]).stdout;
        assert!(part.lines().count() > 5 && all.contains(&part), "{what}: {part}");
    }
    assert!(all.contains("Latency of requests") || all.contains("latency"), "{all}");
}

#[test]
fn the_cost_of_each_toolset_is_that_of_the_list_as_it_is_sent() {
    let cli = Cli::new();
    let told: Value =
        serde_json::from_str(&cli.run(&["list", "tools", "--tokens", "--format", "json"]).stdout).unwrap();
    let sets = told["toolsets"].as_array().unwrap();
    let tokens = |set: &Value| set["tokens"].as_u64().unwrap();
    // A tool of two toolsets is there once; each is rounded up.
    let offered = sets.iter().filter(|set| set["offered"] == true).flat_map(|set| set["tools"].as_array().unwrap());
    let offered: BTreeMap<&str, u64> =
        offered.map(|one| (one["name"].as_str().unwrap(), one["tokens"].as_u64().unwrap())).collect();
    let sum: u64 = offered.values().sum();
    assert!(sum.abs_diff(told["tokens"].as_u64().unwrap()) <= offered.len() as u64, "{sum}: {told}");
    // Those that are off by default cost something as well, and it is told before they are switched on.
    let files = sets.iter().find(|set| set["name"] == "files").unwrap();
    assert!(files["offered"] == false && tokens(files) > 500, "{files}");
    let sent: Value = serde_json::from_str(&cli.run(&["list", "tools", "--format", "json"]).stdout).unwrap();
    for tool in sent.as_array().unwrap() {
        let name = &tool["name"];
        let set = sets.iter().find(|set| set["name"] == tool["toolsets"][0]).unwrap();
        let one = set["tools"].as_array().unwrap().iter().find(|one| one["name"] == *name).unwrap();
        let least = tool["input_schema"].to_string().len() as u64 / 4;
        assert!(one["tokens"].as_u64().unwrap() > least, "{one}: {least}");
    }
    let text = cli.run(&["list", "tools", "--tokens"]).stdout;
    assert!(
        text.contains("files") && text.contains("(not offered)") && text.contains("All that are offered: "),
        "{text}"
    );
    let refused = cli.run(&["list", "prompts", "--tokens"]);
    assert!(refused.code != 0 && refused.stderr.contains("list tools --tokens"), "{}", refused.stderr);
}

#[test]
fn info_shows_every_setting_there_is() {
    let cli = Cli::new();
    let all = cli.run(&["info", "--all"]).stdout;
    let shown: Vec<&str> = all.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let missing: Vec<String> =
        tfo_mcp::settings::keys().iter().filter(|key| !shown.contains(&key.as_str())).cloned().collect();
    assert_eq!(missing, Vec::<String>::new());
    // What does nothing says so.
    let vain = all.lines().find(|line| line.trim_start().starts_with("cache.redis_url")).unwrap();
    assert!(vain.contains("without effect"), "{vain}");
}

#[test]
fn init_config_promises_nothing() {
    let text = Cli::new().run(&["init-config", "-"]).stdout;
    assert!(!text.contains("Without effect"), "{text}");
    for section in ["llm:", "telemetry:", "cache:", "queue:"] {
        assert!(!text.lines().any(|line| line == section), "{section}");
    }
}

#[test]
fn an_unknown_name_is_answered_with_what_there_is() {
    let cli = Cli::new();
    for (arguments, said) in [
        (&["context", "latensy"][..], "latency"),
        (&["context", "zzz"], " in all: `tfo-mcp list contexts` lists them"),
        (&["test", "latensy"], "did you mean `latency`?"),
        (&["context", "logs", "--severity", "error"], "`severity=VALUE`"),
        (&["call", "echo", "--message", "hi"], "`message=VALUE`"),
        (&["context", "latency", "--url", "http://h/mcp"], "`tfo-mcp call TOOL KEY=VALUE --url URL`"),
    ] {
        let run = cli.run(arguments);
        assert!(run.code == 2 && run.stdout.is_empty() && run.stderr.contains(said), "{arguments:?}: {run:?}");
    }
    // A list that does not hold the answer is not recommended.
    let period = cli.run(&["context", "latency", "--time-range", "5x"]);
    assert!(period.code == 2 && period.stderr.contains("`15m`") && !period.stderr.contains("hint"), "{period:?}");
}

#[test]
fn a_failed_call_is_json_where_json_was_asked_for() {
    let cli = Cli::new();
    for (arguments, code, text) in [
        (&["call", "ch_query", "sql=SELECT 1"][..], 1, ""),
        (&["call", "echo", "mesage=hi"], 2, "mesage"),
        (&["call", "echo"], 2, "message"),
    ] {
        let run = cli.run(&[arguments, &["--format", "json"]].concat());
        let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
        assert_eq!((run.code, &answer["is_error"], &answer["structured"]), (code, &true.into(), &().into()), "{run:?}");
        assert!(answer["text"].as_str().unwrap().contains(text) && run.stderr.contains("error"), "{run:?}");
    }
    // What is no answer to a call is none here.
    assert_eq!(cli.run(&["call", "ecko", "--format", "json"]).stdout, "");
}

#[test]
fn tests_of_a_pack_are_those_of_the_pack() {
    let cli = Cli::new();
    assert_eq!(cli.run(&["new", "tool", "my-tool", "--pack", "mine"]).code, 0);
    let own = cli.run(&["test", "--pack", "mine"]);
    assert!(own.code == 0 && own.stderr.contains("1 example passed"), "{own:?}");
    // Built-in ones are run where somebody asks for them: by a flag, or by their name.
    for arguments in [&["test", "echo", "--pack", "mine"][..], &["test", "echo"]] {
        let run = cli.run(arguments);
        assert!(run.code == 0 && run.stdout.contains("echo"), "{arguments:?}: {run:?}");
    }
    let both = cli.run(&["test", "my-tool", "--built-in", "--pack", "mine", "--format", "json"]);
    assert_eq!(both.code, 0, "{both:?}");
    // What has no example tests nothing, and a CI must not take that for a success.
    let none = cli.run(&["test", "latency-analyst"]);
    assert!(none.code == 1 && none.stderr.contains("nothing was tested"), "{none:?}");
}

#[test]
fn the_help_says_what_happens_without_a_command() {
    let help = Cli::new().run(&["--help"]).stdout;
    assert!(help.contains("Without a command it serves MCP on standard input and output"), "{help}");
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn every_skeleton_is_right() {
    let cli = Cli::new();
    let kinds = ["tool", "resource", "prompt", "context", "insight", "persona", "provider", "toolset"];
    for kind in kinds {
        let run = cli.run(&["new", kind, &format!("my-{kind}"), "--pack", "mine"]);
        assert!(run.code == 0 && run.stderr.contains("tfo-mcp validate mine"), "{run:?}");
    }
    let run = cli.run(&["validate", "mine"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(cli.run(&["call", "my-tool", "text=hi", "--pack", "mine"]).stdout, "hi\n");
    assert!(cli.run(&["test", "my-tool", "--pack", "mine"]).stdout.starts_with("ok"));
    // Nothing that was just written is complained of, but that nothing names the persona yet, which `new` says.
    let warned: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("warning")).collect();
    assert!(warned.len() == 1 && warned[0].contains("no context type names the persona `my-persona`"), "{warned:?}");

    let again = cli.run(&["new", "tool", "my-tool", "--pack", "mine"]);
    assert!(again.code == 2 && again.stderr.contains("--force"), "{again:?}");
    for bad in ["", "a b", "../x", &"x".repeat(65)] {
        assert_eq!(cli.run(&["new", "tool", bad]).code, 2, "{bad}");
    }
    assert_eq!(cli.run(&["new", "persona", "here"]).code, 0);
    assert!(cli.read("personas/here.yaml").contains("name: here"));
}

#[test]
fn a_broken_pack_ends_every_command_with_all_its_mistakes() {
    let cli = Cli::new();
    cli.write("mine/definitions/tools/one.yaml", "kind: tool\nname: one\n");
    cli.write("mine/definitions/tools/two.yaml", "kind: tool\nname: [\n");
    for command in ["serve", "list"] {
        let run = cli.run(&[command, "--pack", "mine"]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
        assert!(run.stderr.contains("one.yaml:1:1") && run.stderr.contains("two.yaml:2"), "{run:?}");
    }
}

#[test]
fn a_collection_in_which_nothing_could_be_read_fails_every_command() {
    let cli = Cli::new();
    let run = |arguments: &[&str]| {
        let mut command = cli.command(arguments);
        command.env("TELEMETRYFLOW_MCP_POSTGRES_URL", "postgres://127.0.0.1:9/none");
        command.env("TELEMETRYFLOW_MCP_ORGANIZATION", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff");
        Run::of(command.output().unwrap(), cli.folder.path())
    };
    for arguments in [
        &["context", "alert"][..],
        &["call", "collect_telemetry_context", "context_type=alert"][..],
        &["prompt", "root_cause", "context_type=alert"][..],
    ] {
        let run = run(arguments);
        assert!(run.code == 1 && run.stdout.contains("[SYSTEM] Nothing could be read"), "{run:?}");
    }
}

#[test]
fn serve_says_what_is_set_in_vain() {
    let cli = Cli::new();
    cli.write("tfo-mcp.yaml", "cache: {redis_url: 'redis://r'}\nserver: {version: '1'}\n");
    let output =
        cli.command(&["serve"]).env("TELEMETRYFLOW_MCP_LOGLEVEL", "x").env("OPENAI_API_KEY", "x").output().unwrap();
    let run = Run::of(output, cli.folder.path());
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
    for text in ["cache.redis_url", "server.version", "did you mean `TELEMETRYFLOW_MCP_LOG_LEVEL`?"] {
        assert!(run.stderr.contains(text), "{text}: {run:?}");
    }
    // A vendor's key in the environment is no mistake of this server's operator.
    assert!(!run.stderr.contains("openai"), "{run:?}");
}

#[test]
fn the_log_goes_where_the_settings_say() {
    let cli = Cli::new();
    cli.write("tfo-mcp.yaml", "logging: {format: json, output: serve.log, level: debug}\n");
    let run = cli.run(&["serve"]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""), "{run:?}");
    for line in cli.read("serve.log").lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let refused = Cli::new();
    refused.write("tfo-mcp.yaml", "logging: {output: stdout}\n");
    let run = refused.run(&["serve"]);
    assert!(run.code == 2 && run.stderr.contains("carries the protocol"), "{run:?}");
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn doctor_asks_all_sources_at_once_and_shows_no_secret() {
    // Servers that accept, and answer nothing until both have been asked.
    let listen = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = [listen(), listen()];
    let [one, other] = [0, 1].map(|at: usize| silent[at].local_addr().unwrap());
    let cli = Cli::new();
    let mut command = cli.command(&["doctor", "--format", "json", "--timeout", "50"]);
    command
        .env("TELEMETRYFLOW_MCP_CLICKHOUSE_URL", format!("http://u:hunter2@{one}/d"))
        .env("TELEMETRYFLOW_MCP_POSTGRES_URL", format!("postgres://u:hunter2@{other}/d"));
    let together = std::thread::spawn(move || {
        let asked = silent.each_ref().map(|silent| silent.accept().unwrap().0);
        asked.iter().all(is_open)
    });
    let run = Run::of(command.output().unwrap(), cli.folder.path());
    assert!(together.join().unwrap(), "one was given up on before the other was asked");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(!run.stdout.contains("hunter2") && !run.stderr.contains("hunter2"), "{run:?}");
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    for source in report["sources"].as_array().unwrap() {
        assert_eq!(source["state"], "broken", "{source}");
        assert!(source["problem"].is_string() && source["what_to_do"].is_string(), "{source}");
        assert!(source["because_of"].as_str().unwrap().contains("TELEMETRYFLOW_MCP_"), "{source}");
    }
    assert_eq!(report["organisation"]["state"], "broken");
}

/// Whether whoever connected still waits.
fn is_open(mut connection: &std::net::TcpStream) -> bool {
    connection.set_nonblocking(true).unwrap();
    let mut asked = [0; 4096];
    loop {
        match std::io::Read::read(&mut connection, &mut asked) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

#[test]
fn doctor_on_a_fresh_machine_says_what_to_do() {
    let run = Cli::new().run(&["doctor"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
    for text in ["tfo-mcp setup clickhouse", "tfo-mcp demo", "no definition reads analytics, state"] {
        assert!(run.stdout.contains(text), "{text}: {run:?}");
    }
    // Advice to run what is running helps nobody.
    assert!(!run.stdout.contains("tfo-mcp doctor"), "{run:?}");
    let lost = cli_with_dead_sources();
    assert!(lost.stdout.contains("check that it runs") && !lost.stdout.contains("tfo-mcp doctor"), "{lost:?}");
}

/// The report on databases that nobody runs.
fn cli_with_dead_sources() -> Run {
    let cli = Cli::new();
    let mut command = cli.command(&["doctor", "--timeout", "5"]);
    command.env("TELEMETRYFLOW_MCP_CLICKHOUSE_URL", "http://127.0.0.1:9/d");
    command.env("TELEMETRYFLOW_MCP_POSTGRES_URL", "postgres://127.0.0.1:9/d");
    Run::of(command.output().unwrap(), cli.folder.path())
}
