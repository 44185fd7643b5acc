//! Settings: priority, names, origins, mistakes and secrets.

use std::path::{Path, PathBuf};

use tfo_mcp::settings::{Backend, Flag, Inputs, Loaded, NoticeKind, Origin, Problem, Trust, flat_names, load};

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
    assert_eq!((settings.limits.max_rows, settings.limits.context_chars), (7, 500));
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
    tfo-mcp.yaml: `level` is no setting; did you mean `logging.level`?
    environment variable TELEMETRYFLOW_MCP_LIMITS__MAX_BYTES is wrong: `5 MB` is not a size: write a whole number and a unit, such as `64KiB` or `4MiB`
    tfo-mcp.yaml: `limts` is no setting; did you mean `limits`?
    tfo-mcp.yaml: `logging.levle` is no setting; did you mean `logging.level`?
    environment variable TELEMETRYFLOW_MCP_MCP__ENABLE_TOOL is no setting; did you mean `TELEMETRYFLOW_MCP_MCP__ENABLE_TOOLS`?
    tfo-mcp.yaml: `server.log_level` is no setting; did you mean `logging.level`?
    environment variable TELEMETRYFLOW_MCP_SERVER_PORT must be a whole number from 0 to 65535, not `abc`
    tfo-mcp.yaml: `sources.platform.type` is `postgrs`, which is none of `clickhouse`, `embedded-clickhouse`, `postgres`, `sqlite`; did you mean `postgres`?
    tfo-mcp.yaml: `sources.state` needs `url`
    tfo-mcp.yaml: `sources.telemetry.databse` is no setting; did you mean `sources.telemetry.database`?
    flag --organization must be a UUID such as `0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a`
    ");
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let mut case = Case::new("logging: {level: debug");
    insta::assert_snapshot!(case.problems(), @"tfo-mcp.yaml:2:1 is not valid YAML: did not find expected ',' or '}' at line 2 column 1, while parsing a flow mapping at line 1 column 10");
    case.inputs.config = Some("missing.yaml".into());
    insta::assert_snapshot!(case.problems(), @"missing.yaml cannot be read: No such file or directory (os error 2)");
    assert!(Case::new("- a\n- b\n").problems().contains("must hold sections"));
    assert!(Case::new("logging: {level: debug, level: info}").problems().contains("duplicate"));
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
    insta::assert_snapshot!(Case::new(yaml).problems(), @"tfo-mcp.yaml: `sources.platform.url` uses the environment variable `PASSWORD`, which is not set; set it, or give a default: `${PASSWORD:-…}`");
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
        .write("config/my.yaml", "data_dir: state\npacks: [a, ~/b, /c]\nlogging: {output: stderr}\nsources: {state: {type: sqlite, path: x.db}}")
        .env("HOME", "/home/me");
    case.inputs.config = Some("../config/my.yaml".into());
    let loaded = case.load().unwrap();
    let folder = case.inputs.working_dir.join("../config");
    assert_eq!(loaded.data_dir, folder.join("state"));
    assert_eq!(loaded.settings.packs, [folder.join("a"), "/home/me/b".into(), "/c".into()]);
    assert_eq!(loaded.settings.logging.output, None);
    let Some(Backend::Sqlite(sqlite)) = &loaded.settings.sources.state else { panic!() };
    assert_eq!(sqlite.path.as_deref(), Some(folder.join("x.db").as_path()));
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
