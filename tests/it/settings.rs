//! Settings: priority, names, origins, mistakes and secrets.

use std::path::{Path, PathBuf};

use tfo_mcp::settings::{
    Backend, Flag, Inputs, Loaded, NoticeKind, Origin, Problem, Settings, Trust, flat_names, load,
};

/// A folder with a settings file, an empty home and no environment.
struct Case {
    folder: tempfile::TempDir,
    inputs: Inputs,
}

impl Case {
    fn new(yaml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for sub in ["work", "config/tfo-mcp", "data/tfo-mcp"] {
            std::fs::create_dir_all(folder.path().join(sub)).unwrap();
        }
        if !yaml.is_empty() {
            std::fs::write(folder.path().join("work/tfo-mcp.yaml"), yaml).unwrap();
        }
        let inputs = Inputs {
            working_dir: folder.path().join("work"),
            config_home: Some(folder.path().join("config")),
            data_home: Some(folder.path().join("data")),
            ..Inputs::default()
        };
        Self { folder, inputs }
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.inputs.env.insert(name.into(), value.into());
        self
    }

    fn flag(mut self, name: &'static str, key: &'static str, value: serde_json::Value) -> Self {
        self.inputs.flags.push(Flag { name, key, value });
        self
    }

    fn write(self, path: &str, yaml: &str) -> Self {
        std::fs::write(self.folder.path().join(path), yaml).unwrap();
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The file of the working folder is trusted: `trust` tries what is not.
    fn load(&self) -> Result<Loaded, Vec<Problem>> {
        if self.path("work/tfo-mcp.yaml").is_file() {
            Trust::read(self.inputs.config_home.as_deref()).unwrap().add(&self.path("work/tfo-mcp.yaml")).unwrap();
        }
        load(&self.inputs)
    }

    /// Every problem and its help, one a line, without the temporary folder.
    fn problems(&self) -> String {
        let problems = self.load().unwrap_err();
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| match &problem.help {
                Some(help) => format!("{problem}; {help}"),
                None => problem.to_string(),
            })
            .collect();
        lines.join("\n").replace(&format!("{}/work/", self.folder.path().display()), "")
    }
}

#[test]
fn the_stronger_layer_wins() {
    // Each step adds a stronger layer; the value and its origin must be that of the last one.
    let mut case = Case::new("");
    let check = |case: &Case, level: &str, origin: Origin| {
        let loaded = case.load().unwrap();
        assert_eq!((loaded.settings.logging.level.as_str(), loaded.origin("logging.level")), (level, &origin));
    };
    check(&case, "info", Origin::Default);
    case = case.write("data/tfo-mcp/tfo-mcp.yaml", "logging: {level: error}");
    check(&case, "error", Origin::DataFile(case.path("data/tfo-mcp/tfo-mcp.yaml")));
    case = case.write("config/tfo-mcp/tfo-mcp.yaml", "logging: {level: warning}");
    check(&case, "warn", Origin::File(case.path("config/tfo-mcp/tfo-mcp.yaml")));
    case = case.write("work/tfo-mcp.yaml", "logging: {level: info}");
    check(&case, "info", Origin::File(case.path("work/tfo-mcp.yaml")));
    case = case.write("work/other.yaml", "logging: {level: error}");
    case.inputs.config = Some("other.yaml".into());
    check(&case, "error", Origin::File(case.path("work/other.yaml")));
    case = case.env("TELEMETRYFLOW_MCP_LOG_LEVEL", "warn");
    check(&case, "warn", Origin::Env("TELEMETRYFLOW_MCP_LOG_LEVEL".into()));
    case = case.env("TELEMETRYFLOW_MCP_LOGGING__LEVEL", "trace");
    check(&case, "trace", Origin::Env("TELEMETRYFLOW_MCP_LOGGING__LEVEL".into()));
    case = case.flag("--log-level", "logging.level", "debug".into());
    check(&case, "debug", Origin::Flag("--log-level".into()));
}

#[test]
fn layers_add_up_below_a_section() {
    let case = Case::new("limits: {max_rows: 7}\nmcp: {tool_timeout: 10s}\n")
        .env("TELEMETRYFLOW_MCP_LIMITS__CONTEXT_CHARS", "500")
        .env("TELEMETRYFLOW_MCP_ENABLE_TOOLS", "no");
    let settings = case.load().unwrap().settings;
    assert_eq!((settings.limits.max_rows.get(), settings.limits.context_chars.get()), (7, 500));
    assert_eq!((settings.mcp.tool_timeout.to_string().as_str(), settings.mcp.enable_tools), ("10s", false));
}

#[test]
fn every_flat_variable_sets_its_key() {
    for (name, key) in flat_names() {
        // A value of the right type, different from the default.
        let value = match key {
            "server.transport" => "http",
            "logging.level" => "trace",
            "logging.format" => "json",
            "watch" => "off",
            "watch_interval" => "7s",
            "telemetry.protocol" => "http/json",
            _ if key.ends_with("_id") => "0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a",
            _ if key.ends_with("_ttl") => "77",
            _ if key.ends_with("port") || key.ends_with("_conns") || key.ends_with("_concurrency") => "77",
            _ if key.contains("enable_") => "false",
            _ if ["enabled", "debug", "_only"].iter().any(|end| key.ends_with(end)) => "true",
            _ => "http://host/77",
        };
        let loaded = Case::new("").env(name, value).load().unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        assert_eq!(loaded.origin(key), &Origin::Env(name.into()), "{name}");
        let changed = serde_json::to_value(&loaded.settings).unwrap();
        let default = serde_json::to_value(tfo_mcp::settings::Settings::default()).unwrap();
        let pointer = format!("/{}", key.replace('.', "/"));
        assert!(changed.pointer(&pointer).is_some(), "{name} sets no `{key}`: {changed}");
        assert_ne!(changed.pointer(&pointer), default.pointer(&pointer), "{name}");
        assert!(Case::new("").env(name, "").load().unwrap().origins.is_empty(), "{name}: empty counts as not set");
    }
}

#[test]
fn every_promised_variable_is_in_the_table() {
    let promised = "LOG_LEVEL SERVER_HOST SERVER_PORT SERVER_TRANSPORT DEBUG ENABLE_TOOLS ENABLE_RESOURCES ENABLE_PROMPTS \
        REDIS_URL CACHE_ENABLED CACHE_TTL QUEUE_ENABLED NATS_URL POSTGRES_URL POSTGRES_MAX_CONNS POSTGRES_MIN_CONNS \
        CLICKHOUSE_URL TELEMETRY_ENABLED OTLP_ENDPOINT SERVICE_NAME CLAUDE_API_KEY CLAUDE_BASE_URL \
        CLAUDE_DEFAULT_MODEL DATA_DIR";
    let known = flat_names();
    for name in promised.split_whitespace() {
        let name = format!("TELEMETRYFLOW_MCP_{name}");
        assert!(known.iter().any(|(known, _)| *known == name), "{name}");
    }
    for (_, key) in known {
        assert!(has_key(key), "`{key}` is no setting");
    }
}

/// Whether the schema knows a key.
fn has_key(key: &str) -> bool {
    let mut at = tfo_mcp::settings::schema().to_value();
    key.split('.').all(|part| {
        let next = at.pointer(&format!("/properties/{part}")).or(at.get("additionalProperties")).cloned();
        next.filter(serde_json::Value::is_object).map(|next| at = next).is_some()
    })
}

#[test]
fn mistakes_name_their_source_and_what_was_meant() {
    let case = Case::new(
        "logging:\n  levle: debug\nlimts:\n  max_rows: 5\nsources:\n  telemetry: {type: clickhouse, url: 'http://x', databse: y}\n  \
         platform: {type: postgrs, url: z}\n  state: {type: postgres}\nserver: {port: 70000, log_level: debug}\nlevel: x\n",
    )
    .env("TELEMETRYFLOW_MCP_MCP__ENABLE_TOOL", "true")
    .env("TELEMETRYFLOW_MCP_SERVER_PORT", "abc")
    .env("TELEMETRYFLOW_MCP_LIMITS__MAX_BYTES", "5 MB")
    .flag("--organization", "tenancy.organization_id", "nope".into());
    insta::assert_snapshot!(case.problems(), @"
    tfo-mcp.yaml:10:1: `level` is no setting; did you mean `logging.level`?
    environment variable TELEMETRYFLOW_MCP_LIMITS__MAX_BYTES is wrong: `5 MB` is not a size: write a whole number and a unit, such as `64KiB` or `4MiB`
    tfo-mcp.yaml:3:1: `limts` is no setting; did you mean `limits`?
    tfo-mcp.yaml:2:3: `logging.levle` is no setting; did you mean `logging.level`?
    environment variable TELEMETRYFLOW_MCP_MCP__ENABLE_TOOL is no setting; did you mean `TELEMETRYFLOW_MCP_MCP__ENABLE_TOOLS`?
    tfo-mcp.yaml:9:23: `server.log_level` is no setting; did you mean `logging.level`?
    environment variable TELEMETRYFLOW_MCP_SERVER_PORT must be a whole number from 0 to 65535, not `abc`
    tfo-mcp.yaml:7:20: `sources.platform.type` is `postgrs`, which is none of `clickhouse`, `embedded-clickhouse`, `postgres`, `sqlite`; did you mean `postgres`?
    tfo-mcp.yaml:8:3: `sources.state` needs `url`
    tfo-mcp.yaml:6:50: `sources.telemetry.databse` is no setting; did you mean `sources.telemetry.database`?
    flag --organization must be a UUID such as `0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a`
    ");
}

#[test]
fn a_number_in_quotes_and_a_time_of_nothing_are_told_as_what_they_are() {
    let case = Case::new(
        "server: {port: \"9001\"}\nmcp: {enable_tools: 'true'}\nlimits: {max_rows: \"10\", context_deadline: 0s, \
         query_timeout: 0d, max_bytes: 0MiB, context_chars: 0}\n",
    );
    insta::assert_snapshot!(case.problems(), @"
    tfo-mcp.yaml:3:99: `limits.context_chars` must be a whole number above 0, not `0`
    tfo-mcp.yaml:3:44: `limits.context_deadline` is wrong: `0s` is no time at all: zero is not allowed here, write `1s` or more
    tfo-mcp.yaml:3:78: `limits.max_bytes` is wrong: `0MiB` is nothing at all: zero is not allowed here, write `1MiB` or more
    tfo-mcp.yaml:3:20: `limits.max_rows` must be a whole number above 0, and in quotes it is a text; write it without quotes: `10`
    tfo-mcp.yaml:3:63: `limits.query_timeout` is wrong: `0d` is no time at all: zero is not allowed here, write `1d` or more
    tfo-mcp.yaml:2:21: `mcp.enable_tools` must be `true` or `false`, and in quotes it is a text; write it without quotes: `true`
    tfo-mcp.yaml:1:16: `server.port` must be a whole number from 0 to 65535, and in quotes it is a text; write it without quotes: `9001`
    ");
}

#[test]
fn all_values_that_do_not_fit_are_told_at_once_each_where_it_stands() {
    let case = Case::new(
        "server:\n  port: 70000\n  transport: htpp\n  clock: noon\nmcp: {enable_tools: maybe, page_size: 0}\nlimits:\n  max_rows: -1\n  \
         max_bytes: 5 MB\n  context_deadline: soon\npacks: [a, {b: 1}]\nauth: {required_scopes: read}\n\
         tenancy:\n  organization_id: ours\nlogging: text\nwatch_interval: 0\n",
    )
    .env("TELEMETRYFLOW_MCP_WATCH", "maybe")
    .env("TELEMETRYFLOW_MCP_MCP__TOOL_TIMEOUT", "later")
    .flag("--port", "server.http.max_sessions", "many".into());
    insta::assert_snapshot!(case.problems());
}

#[test]
fn what_yaml_has_words_for_is_read_and_what_it_takes_for_its_own_is_not_repeated() {
    let read =
        Case::new("server: {debug: True, port: +81}\nmcp: {enable_tools: FALSE}\npacks_only: ~\n").load().unwrap();
    assert_eq!((read.settings.server.debug, read.settings.server.port), (true, 81));
    assert!(!read.settings.mcp.enable_tools && !read.settings.packs_only);
    for (secret, begin) in [("*hunter2", '*'), ("!hunter2 x", '!'), ("@hunter2", '@'), ("'hunter2", '\'')] {
        let found = Case::new(&format!("sources:\n  telemetry:\n    password: {secret}\n")).problems();
        assert!(!found.contains("hunter2") && found.contains(" is not valid YAML: "), "{found}");
        // A quote that nobody closed is noticed at the end.
        let line = if begin == '\'' { "4:1" } else { "3:15" };
        assert!(found.starts_with(&format!("tfo-mcp.yaml:{line} ")), "{found}");
    }
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let mut case = Case::new("logging: {level: debug");
    insta::assert_snapshot!(case.problems(), @"tfo-mcp.yaml:1:10 is not valid YAML: `{` is never closed");
    case.inputs.config = Some("missing.yaml".into());
    insta::assert_snapshot!(case.problems(), @"missing.yaml cannot be read: No such file or directory (os error 2)");
    assert!(Case::new("- a\n- b\n").problems().contains("must hold sections"));
    assert!(
        Case::new("logging: {level: debug, level: info}")
            .problems()
            .contains("1:25 is not valid YAML: the key `level` stands twice")
    );
    // A section of which every line is commented out.
    assert!(Case::new("logging:\n  # level: debug\nserver:\n").load().is_ok());
}

#[test]
fn variables_are_put_into_texts() {
    let yaml = "sources:\n  platform: {type: postgres, url: 'postgres://u:${PASSWORD}@${HOST:-db}/x', max_connections: '${N:-3}'}\nanalytics:\n  clickhouse_url: ${UNSET:-}\n";
    let loaded = Case::new(yaml).env("PASSWORD", "hunter2").load().unwrap();
    let Some(Backend::Postgres(postgres)) = &loaded.settings.sources.platform else { panic!() };
    assert_eq!((postgres.url.expose(), postgres.max_connections), ("postgres://u:hunter2@db/x", Some(3)));
    assert_eq!(loaded.settings.analytics.clickhouse_url, None);
    insta::assert_snapshot!(Case::new(yaml).problems(), @"tfo-mcp.yaml:2:35: `sources.platform.url` uses the environment variable `PASSWORD`, which is not set; set it, or give a default: `${PASSWORD:-…}`");
}

#[test]
fn secrets_are_in_no_text_that_is_shown() {
    let mut case = Case::new(
        "claude: {api_key: hunter2-a}\nsources:\n  telemetry: {type: clickhouse, url: 'http://u:hunter2-b@h/d', password: hunter2-c}\n\
         auth: {jwks_url: 'https://u:hunter2-d@h/keys'}\n",
    )
    .env("OPENAI_API_KEY", "hunter2-e")
    .env("TELEMETRYFLOW_MCP_POSTGRES_URL", "postgres://u:hunter2-f@h/d");
    let loaded = case.load().unwrap();
    assert!(!format!("{loaded:?}{}", serde_json::to_string(&loaded.settings).unwrap()).contains("hunter2"));
    let Some(Backend::Clickhouse(clickhouse)) = &loaded.settings.sources.telemetry else { panic!() };
    assert_eq!(clickhouse.password.as_ref().unwrap().expose(), "hunter2-c");

    // Nor in the messages about secrets of a wrong type.
    case = case
        .write("work/tfo-mcp.yaml", "claude: {api_key: [hunter2]}\ndatabase: {postgres_url: {hunter2: 1}}\nsources: {telemetry: {type: clickhouse, url: 'http://h', password: 987654321}}\n")
        .env("TELEMETRYFLOW_MCP_POSTGRES_URL", "");
    let problems = case.problems();
    assert!(!problems.contains("987654321") && !problems.contains("[hunter2"), "{problems}");
    assert!(problems.contains("put the value in quotes"), "{problems}");
}

#[test]
fn another_type_replaces_a_source_whole() {
    let case = Case::new("sources: {telemetry: {type: clickhouse, url: 'http://h'}}")
        .env("TELEMETRYFLOW_MCP_SOURCES__TELEMETRY__TYPE", "embedded-clickhouse");
    assert!(matches!(case.load().unwrap().settings.sources.telemetry, Some(Backend::EmbeddedClickhouse(_))));
}

#[test]
fn paths_of_a_file_are_relative_to_its_folder() {
    let mut case = Case::new("")
        .write(
            "config/my.yaml",
            "data_dir: state\npacks: [a, ~/b, /c]\nlogging: {output: stderr}\nsources: {state: {type: sqlite, path: x.db}}\n\
             server: {http: {tls_certificate: tls/c.pem, tls_key: ~/k.pem}}\n\
             http: {services: {metrics: {url: 'https://metrics.example', ca_file: tls/ca.pem}}}\n\
             files: {roots: [.]}\ncommands: {read_only_roots: [~/.rustup]}",
        )
        .env("HOME", "/home/me");
    case.inputs.config = Some("../config/my.yaml".into());
    let loaded = case.load().unwrap();
    let folder = case.inputs.working_dir.join("../config");
    assert_eq!(loaded.data_dir, folder.join("state"));
    assert_eq!(loaded.settings.packs, [folder.join("a"), "/home/me/b".into(), "/c".into()]);
    assert_eq!(loaded.settings.logging.output, None);
    let Some(Backend::Sqlite(sqlite)) = &loaded.settings.sources.state else { panic!() };
    assert_eq!(sqlite.path.as_deref(), Some(folder.join("x.db").as_path()));
    let Settings { server, http, files, commands, .. } = &loaded.settings;
    assert_eq!(server.http.tls_certificate.as_deref(), Some(folder.join("tls/c.pem").as_path()));
    assert_eq!(server.http.tls_key.as_deref(), Some(Path::new("/home/me/k.pem")));
    assert_eq!(http.services["metrics"].ca_file.as_deref(), Some(folder.join("tls/ca.pem").as_path()));
    assert_eq!(files.roots, [folder.join(".")]);
    assert_eq!(commands.read_only_roots, [Path::new("/home/me/.rustup")]);
}

#[test]
fn files_of_the_earlier_servers_load() {
    for fixture in ["earlier-python.yaml", "earlier-go.yaml"] {
        let yaml = std::fs::read_to_string(Path::new("tests/fixtures/settings").join(fixture)).unwrap();
        let loaded = Case::new(&yaml).load().unwrap_or_else(|problems| panic!("{fixture}: {problems:#?}"));
        assert_eq!(loaded.settings.mcp.tool_timeout.to_string(), "30s", "{fixture}");
        assert_eq!(loaded.settings.llm.timeout.to_string(), "2m", "{fixture}");
        let notices: Vec<String> = loaded.notices.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(fixture, notices.join("\n"));
    }
}

#[test]
fn settings_without_effect_and_unknown_variables_are_noticed() {
    let loaded = Case::new("cache: {redis_url: 'redis://r'}\n")
        .env("TELEMETRYFLOW_MCP_LOGLEVEL", "debug")
        .env("TELEMETRYFLOW_MCP_SERVICE_HOST", "10.0.0.1")
        .env("TELEMETRYFLOW_MCP_PORT_8080_TCP", "tcp://10.0.0.1:8080")
        .load()
        .unwrap();
    let notices: Vec<(NoticeKind, &str)> = loaded.notices.iter().map(|n| (n.kind, n.key.as_str())).collect();
    assert_eq!(
        notices,
        [(NoticeKind::UnknownVariable, "TELEMETRYFLOW_MCP_LOGLEVEL"), (NoticeKind::Unused, "cache.redis_url")]
    );
    assert!(loaded.notices[0].text.contains("TELEMETRYFLOW_MCP_LOG_LEVEL"));
}

/// The rows of the README's table, each variable in full, with the keys beside it.
fn promised_in_the_readme() -> Vec<(String, String)> {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let table = readme.split("| setting | environment | meaning | default |").nth(1).expect("the table of settings");
    let code = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let mut rows = Vec::new();
    for line in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.split('|').collect();
        let (keys, variables) = (code(cells[1]), code(cells[2]));
        assert_eq!(keys.len(), variables.len(), "a variable for each setting: {line}");
        let mut section = String::new();
        for (key, variable) in keys.into_iter().zip(variables) {
            let key = if key.starts_with('.') { format!("{section}{key}") } else { key };
            section = key.split('.').next().unwrap().to_owned();
            rows.push((key, variable.replacen("…_", "TELEMETRYFLOW_MCP_", 1)));
        }
    }
    assert!(rows.len() > 20, "{rows:?}");
    rows
}

#[test]
fn every_variable_of_the_readme_sets_what_stands_beside_it() {
    for (key, variable) in promised_in_the_readme() {
        // A section: some key of it.
        let (key, variable, value) = match key.as_str() {
            "sources.*" => ("sources.state.type".into(), variable.replace('…', "STATE__TYPE"), "sqlite"),
            "limits.tool_rates.*" => ("limits.tool_rates.echo".into(), variable.replace('…', "ECHO"), "7/1m burst 2"),
            "limits.caller_rate" | "limits.tool_rate" => (key, variable, "7/1m"),
            "server.http.*" => ("server.http.path".into(), variable.replace('…', "PATH"), "/x"),
            "auth.*" => ("auth.issuer".into(), variable.replace('…', "ISSUER"), "https://issuer.example.com"),
            "watch" => (key, variable, "off"),
            "logging.level" => (key, variable, "trace"),
            "logging.format" => (key, variable, "json"),
            "server.port" | "limits.context_chars" | "limits.answer_tokens" | "mcp.page_size" => (key, variable, "77"),
            "tenancy.organization_id" => (key, variable, "0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a"),
            "tenancy.allow_argument"
            | "mcp.enable_sampling"
            | "masking.secrets"
            | "commands.enabled"
            | "limits.keep_answers" => (key, variable, "true"),
            "masking.personal" => (key, variable, "email,ip"),
            "mcp.max_message_size" | "limits.kept_bytes" => (key, variable, "7MiB"),
            "watch_interval" | "limits.context_deadline" | "limits.query_timeout" | "mcp.tool_timeout" => {
                (key, variable, "7s")
            }
            _ => (key, variable, "http://host/77"),
        };
        let loaded = Case::new("").env(&variable, value).load().unwrap_or_else(|found| panic!("{variable}: {found:?}"));
        assert_eq!(loaded.origin(&key), &Origin::Env(variable.clone()), "{variable} does not set `{key}`");
        assert!(!loaded.notices.iter().any(|notice| notice.kind == NoticeKind::UnknownVariable), "{variable}");
    }
    // And every setting that stands in no section has one.
    let schema = tfo_mcp::settings::schema().to_value();
    for (key, setting) in schema["properties"].as_object().unwrap() {
        if setting.get("properties").is_none() {
            let variable = format!("TELEMETRYFLOW_MCP_{}", key.to_ascii_uppercase());
            assert!(flat_names().contains(&(variable.as_str(), key.as_str())), "{variable}");
        }
    }
}

#[test]
fn what_editors_and_shells_leave_around_is_no_part_of_a_setting() {
    let id = "0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a";
    for text in
        ["\u{feff}logging:\n  level: debug\n", "logging:\r\n  level: debug\r\n", "\u{feff}logging: {level: DEBUG}\r\n"]
    {
        assert_eq!(Case::new(text).load().unwrap().settings.logging.level.as_str(), "debug", "{text:?}");
    }
    let mut secrets = Case::new("database: {guard_key: '${KEY}'}\n").env("KEY", "hunter2\n");
    assert_eq!(secrets.load().unwrap().settings.database.guard_key.unwrap().expose(), "hunter2");
    secrets = secrets.env("TELEMETRYFLOW_MCP_DATABASE__GUARD_KEY", " \u{feff}hunter3\r\n\u{200b}");
    assert_eq!(secrets.load().unwrap().settings.database.guard_key.unwrap().expose(), "hunter3");
    let loaded = Case::new("")
        .env("TELEMETRYFLOW_MCP_ORGANIZATION", &format!("{id}\n"))
        .env("TELEMETRYFLOW_MCP_SERVER_PORT", " 81 \r\n")
        .env("TELEMETRYFLOW_MCP_ENABLE_TOOLS", "False\n")
        .env("TELEMETRYFLOW_MCP_PACKS", "a , b\n")
        .env("TELEMETRYFLOW_MCP_LOG_FORMAT", "\n")
        .load()
        .unwrap()
        .settings;
    assert_eq!(loaded.tenancy.organization_id.unwrap().to_string(), id);
    assert_eq!((loaded.server.port, loaded.mcp.enable_tools), (81, false));
    assert_eq!(loaded.packs, [PathBuf::from("a"), PathBuf::from("b")]);
}

#[test]
fn words_are_taken_in_any_case() {
    for (name, value, key, expected) in [
        ("LOG_LEVEL", "INFO", "logging.level", "info"),
        ("LOG_LEVEL", "Warning", "logging.level", "warn"),
        ("LOGGING__FORMAT", "JSON", "logging.format", "json"),
        ("SERVER_TRANSPORT", "HTTP", "server.transport", "http"),
        ("WATCH", "Off", "watch", "off"),
        ("AUDIT_OUTPUT", "OFF", "audit.output", "off"),
        ("SOURCES__STATE__TYPE", "SQLite", "sources.state.type", "sqlite"),
    ] {
        let loaded = Case::new("").env(&format!("TELEMETRYFLOW_MCP_{name}"), value).load();
        let set =
            serde_json::to_value(loaded.unwrap_or_else(|found| panic!("{name}={value}: {found:?}")).settings).unwrap();
        assert_eq!(set.pointer(&format!("/{}", key.replace('.', "/"))), Some(&expected.into()), "{name}={value}");
        let section = key.split('.').rev().fold(value.to_owned(), |inner, part| format!("{{{part}: {inner}}}"));
        let loaded = Case::new(&section).load().unwrap_or_else(|found| panic!("{section}: {found:?}"));
        let set = serde_json::to_value(loaded.settings).unwrap();
        assert_eq!(set.pointer(&format!("/{}", key.replace('.', "/"))), Some(&expected.into()), "{section}");
    }
    for (value, says) in [("STDERR", None), ("STDOUT", Some("carries the protocol"))] {
        let case = Case::new("").env("TELEMETRYFLOW_MCP_LOG_OUTPUT", value);
        match says {
            None => assert_eq!(case.load().unwrap().settings.logging.output, None),
            Some(says) => assert!(case.problems().contains(says), "{}", case.problems()),
        }
    }
    assert!(Case::new("").env("TELEMETRYFLOW_MCP_LOG_LEVEL", "LOUD").problems().contains("none of `error`"));
}

#[test]
fn what_nobody_sees_is_named() {
    for (yaml, key, named) in [
        ("logging:\n  le\u{200b}vel: debug\n", "logging.level", "U+200B (zero width space)"),
        ("\u{a0}logging:\n  level: debug\n", "logging", "U+00A0 (no-break space)"),
        (
            "analytics: {clickhouse_url: 'http://lo\u{2060}calhost'}\n",
            "analytics.clickhouse_url",
            "U+2060 (word joiner)",
        ),
        ("server: {host: \"127.0.0.1\u{a0}\"}\n", "server.host", "U+00A0 (no-break space)"),
        ("server: {host: \"127.0.0.1\\t\"}\n", "server.host", "U+0009 (tab)"),
        ("auth: {audience: [\"https://a.example\u{a0}\"]}\n", "auth.audience", "U+00A0 (no-break space)"),
        ("toolsets: [\"tele\u{3000}metry\"]\n", "toolsets", "U+3000 (ideographic space)"),
        ("logging: {output: \"a.log\u{a0}\"}\n", "logging.output", "U+00A0 (no-break space)"),
        (
            "tenancy: {organization_id: \"0d9a1f5e-6c1b-4e8f-9b3a-5f2e7c4d1001\u{a0}\"}\n",
            "tenancy.organization_id",
            "U+00A0 (no-break space)",
        ),
    ] {
        let found = Case::new(yaml).problems();
        assert!(found.contains(key) && found.contains(named), "{found}");
    }
    let found = Case::new("server:\n\tport: 9001\n").problems();
    assert!(found.contains("tfo-mcp.yaml:2:") && found.contains("a tab is used for indentation"), "{found}");
    // Where names of files and secrets may have them, they stay.
    let free = Case::new("logging: {output: \"my\u{a0}log\"}\ndatabase: {guard_key: \"a\u{a0}b\"}\n");
    let free = free.load().unwrap().settings;
    assert!(free.logging.output.unwrap().to_string_lossy().ends_with("my\u{a0}log"));
    assert_eq!(free.database.guard_key.unwrap().expose(), "a\u{a0}b");
    let found = Case::new("").env("TELEMETRYFLOW_MCP_LOG_LEVEL", "in\u{a0}fo").problems();
    assert!(found.contains("TELEMETRYFLOW_MCP_LOG_LEVEL holds U+00A0"), "{found}");
    let found = Case::new("").env("TELEMETRYFLOW_MCP_CLICKHOUSE_URL", "http://u:hunter2\u{200b}x@host").problems();
    assert!(found.contains("TELEMETRYFLOW_MCP_CLICKHOUSE_URL holds U+200B") && !found.contains("hunter2"), "{found}");
    // What is written in another encoding is said to be.
    let case = Case::new("logging: {}");
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("logging: {}".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    std::fs::write(case.path("work/tfo-mcp.yaml"), wide).unwrap();
    assert!(case.problems().contains("UTF-16"), "{}", case.problems());
    std::fs::write(case.path("work/tfo-mcp.yaml"), b"logging:\n  level: \xE4\n").unwrap();
    assert!(case.problems().contains("byte 0xE4 in line 2"), "{}", case.problems());
}

/// Kubernetes sets them for each Service of the namespace, and one of them may be the name of a setting.
#[test]
fn what_kubernetes_sets_is_left_out() {
    let case = || {
        Case::new("server: {port: 81}\n")
            .env("TELEMETRYFLOW_MCP_SERVER_PORT", "tcp://10.0.0.1:8080")
            .env("TELEMETRYFLOW_MCP_SERVER_PORT_8080_TCP", "tcp://10.0.0.1:8080")
            .env("TELEMETRYFLOW_MCP_SERVER_PORT_8080_TCP_PROTO", "tcp")
            .env("TELEMETRYFLOW_MCP_SERVER_PORT_8080_TCP_PORT", "8080")
            .env("TELEMETRYFLOW_MCP_SERVER_PORT_8080_TCP_ADDR", "10.0.0.1")
            .env("TELEMETRYFLOW_MCP_SERVER_SERVICE_HOST", "10.0.0.1")
            .env("TELEMETRYFLOW_MCP_SERVER_SERVICE_PORT", "8080")
            .env("TELEMETRYFLOW_MCP_SERVER_SERVICE_PORT_HTTP", "8080")
            .env("TELEMETRYFLOW_MCP_REDIS_PORT", "udp://10.0.0.2:6379")
            .env("TELEMETRYFLOW_MCP_REDIS_SERVICE_HOST", "10.0.0.2")
            .env("TELEMETRYFLOW_MCP_SERVICE_PORT_HTTP", "8080")
            .env("TELEMETRYFLOW_MCP_PORT", "tcp://10.0.0.3:8080")
    };
    let loaded = case().load().unwrap();
    assert_eq!(loaded.settings.server.port, 81);
    let notices: Vec<(NoticeKind, &str)> = loaded.notices.iter().map(|n| (n.kind, n.key.as_str())).collect();
    assert_eq!(notices, [(NoticeKind::ServiceLink, "TELEMETRYFLOW_MCP_SERVER_PORT")]);
    assert!(loaded.notices[0].to_string().contains("Kubernetes"), "{}", loaded.notices[0]);
    // What an operator sets beside it counts.
    let mut own = case().env("TELEMETRYFLOW_MCP_SERVER_PORT", "82");
    assert_eq!(own.load().unwrap().settings.server.port, 82);
    own = case().env("TELEMETRYFLOW_MCP_SERVER__PORT", "83");
    assert_eq!(own.load().unwrap().settings.server.port, 83);
    let wrong = Case::new("").env("TELEMETRYFLOW_MCP_SERVER_PORT", "http://10.0.0.1").problems();
    assert!(wrong.contains("must be a whole number"), "{wrong}");
}

#[test]
fn an_unknown_variable_is_told_which_was_meant() {
    for (name, meant) in [
        ("LOGLEVEL", "LOG_LEVEL"),
        ("AUTH_ISSUER", "AUTH__ISSUER"),
        ("ISSUER", "AUTH__ISSUER"),
        ("SERVER_HTTP_PUBLIC_URL", "SERVER__HTTP__PUBLIC_URL"),
        ("PUBLIC_URL", "SERVER__HTTP__PUBLIC_URL"),
        ("WATCHINTERVAL", "WATCH_INTERVAL"),
        ("POSTGRE_URL", "POSTGRES_URL"),
        ("LIMITS_MAX_ROWS", "LIMITS__MAX_ROWS"),
    ] {
        let loaded = Case::new("").env(&format!("TELEMETRYFLOW_MCP_{name}"), "x").load().unwrap();
        let said = loaded.notices.first().unwrap_or_else(|| panic!("{name} is not noticed")).to_string();
        assert!(said.contains(&format!("did you mean `TELEMETRYFLOW_MCP_{meant}`?")), "{name}: {said}");
    }
    let loaded = Case::new("").env("TELEMETRYFLOW_MCP_QQQQQ", "x").load().unwrap();
    assert!(!loaded.notices[0].to_string().contains("did you mean"), "{}", loaded.notices[0]);
}

#[test]
fn audiences_are_one_or_several() {
    let several = vec!["api://x".to_owned(), "https://mcp.example.com".to_owned()];
    for (yaml, expected) in [
        ("auth: {audience: 'api://x'}", several[..1].to_vec()),
        ("auth: {audience: 'api://x, https://mcp.example.com'}", several.clone()),
        ("auth: {audience: ['api://x', 'https://mcp.example.com']}", several.clone()),
    ] {
        assert_eq!(Case::new(yaml).load().unwrap().settings.auth.audience, expected, "{yaml}");
    }
    let case = Case::new("").env("TELEMETRYFLOW_MCP_AUTH__AUDIENCE", "api://x,https://mcp.example.com");
    assert_eq!(case.load().unwrap().settings.auth.audience, several);
    assert!(Case::new("auth: {audience: {a: b}}").problems().contains("auth.audience"));
}

#[test]
fn the_file_of_the_demo_never_reaches_other_databases() {
    let id = "0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a";
    let demo = format!("server: {{clock: '2026-11-20T12:00:00Z'}}\ntenancy: {{organization_id: {id}}}\n");
    let case = || Case::new("").write("data/tfo-mcp/tfo-mcp.yaml", &demo);
    let loaded = case().load().unwrap().settings;
    assert!(loaded.tenancy.organization_id.is_some() && loaded.server.clock.is_some());
    for (name, value) in [
        ("TELEMETRYFLOW_MCP_CLICKHOUSE_URL", "http://h"),
        ("TELEMETRYFLOW_MCP_POSTGRES_URL", "postgres://h/d"),
        ("TELEMETRYFLOW_MCP_SOURCES__STATE__TYPE", "sqlite"),
    ] {
        let loaded = case().env(name, value).load().unwrap();
        assert_eq!((loaded.settings.tenancy.organization_id, loaded.settings.server.clock), (None, None), "{name}");
        assert!(loaded.files.is_empty(), "{name}");
    }
}

#[test]
fn every_example_file_is_right_and_changes_nothing_in_vain() {
    for entry in std::fs::read_dir("configs").unwrap() {
        let path = entry.unwrap().path();
        let mut case = Case::new("")
            .env("CLICKHOUSE_PASSWORD", "x")
            .env("POSTGRES_PASSWORD", "x")
            .env("HOME", "/home/me")
            .env("ORGANIZATION_ID", "0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a");
        case.inputs.config = Some(std::path::absolute(&path).unwrap());
        let loaded = case.load().unwrap_or_else(|problems| panic!("{}: {problems:#?}", path.display()));
        assert_eq!(loaded.notices, [], "{}", path.display());
    }
}
