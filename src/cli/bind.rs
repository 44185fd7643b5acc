//! Settings to the options of the other modules: which database stands behind a logical source, where the log goes.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context;
use secrecy::SecretString;

use super::{
    connect,
    outcome::hinted,
    own::{Program, own},
};
use crate::{
    definition::LogicalSource,
    engine::Sources,
    host::{
        commands::Commands,
        files::{Caller, Files},
        http::{self, Services},
    },
    masking::Masking,
    settings::{Backend, Clickhouse, EmbeddedClickhouse, Loaded, Postgres, Sqlite},
    source::{
        self, SettingNames, Source, SourceError, SourceErrorKind,
        clickhouse::{ClickHouse, ClickHouseConfig, EmbeddedConfig, Organisation},
        postgres::PostgresOptions,
    },
    sql::Dialect,
    telemetry,
};

/// What stands behind a logical source, and the setting that says so (none: the default).
pub(super) fn backend(loaded: &Loaded, name: LogicalSource) -> (Backend, Option<String>) {
    let settings = &loaded.settings;
    if let Some(backend) = settings.sources.of(name) {
        return (backend.clone(), Some(format!("sources.{name}")));
    }
    match (name.facts().url, &settings.analytics.clickhouse_url, &settings.database.postgres_url) {
        (Dialect::ClickHouse, Some(url), _) => {
            let backend = Backend::Clickhouse(Clickhouse::at(url.clone()));
            return (backend, Some("analytics.clickhouse_url".into()));
        }
        (Dialect::Postgres, _, Some(url)) => {
            let postgres = Postgres {
                url: url.clone(),
                max_connections: settings.database.postgres_max_conns,
                guard_key: settings.database.guard_key.clone(),
            };
            return (Backend::Postgres(postgres), Some("database.postgres_url".into()));
        }
        _ => {}
    }
    match name.facts().embedded {
        Dialect::ClickHouse => (Backend::EmbeddedClickhouse(EmbeddedClickhouse::default()), None),
        Dialect::Postgres | Dialect::Sqlite => (Backend::Sqlite(Sqlite::default()), None),
    }
}

/// Why a source is bound to nothing although it has a default: that is the demo's data, which are those of the sources that
/// hold tenants, and they never stand in beside a database that the operator named.
pub(super) fn left_out(loaded: &Loaded, name: LogicalSource) -> Option<SourceError> {
    if !name.facts().tenants || backend(loaded, name).1.is_some() {
        return None;
    }
    // Whichever it is: the demo's settings, and so its clock, are left out then, too.
    let real = LogicalSource::ALL.into_iter().find_map(|other| {
        let (backend, setting) = backend(loaded, other);
        setting.filter(|_| match backend {
            Backend::Clickhouse(_) | Backend::Postgres(_) => true,
            Backend::EmbeddedClickhouse(embedded) => embedded.path.is_some(),
            Backend::Sqlite(sqlite) => sqlite.path.is_some(),
        })
    })?;
    let url = match name.facts().url {
        Dialect::ClickHouse => "analytics.clickhouse_url",
        Dialect::Postgres | Dialect::Sqlite => "database.postgres_url",
    };
    let message =
        format!("the source `{name}` is bound to no database, and `{real}` is set: demo data do not stand in");
    let hint = format!("the operator sets `{url}`, or binds the source in the settings under `sources.{name}`");
    Some(SourceError::new(SourceErrorKind::Unavailable, message).hint(hint))
}

/// The file of an SQLite source.
pub(super) fn sqlite_file(loaded: &Loaded, name: LogicalSource, sqlite: &Sqlite) -> PathBuf {
    sqlite.path.clone().unwrap_or_else(|| loaded.data_dir.join(format!("{name}.sqlite")))
}

/// All logical sources, not connected yet. Names with the same backend share it, and its connections.
pub(super) fn sources(loaded: &Loaded) -> anyhow::Result<Sources> {
    let mut bound: Vec<(Backend, Arc<dyn Source>)> = Vec::new();
    let mut sources = Sources::default();
    for name in LogicalSource::ALL {
        if let Some(why) = left_out(loaded, name) {
            sources.leave_out(name.as_str(), why);
            continue;
        }
        let (backend, setting) = backend(loaded, name);
        // The default file of an SQLite source carries the name of the source.
        let backend = match backend {
            Backend::Sqlite(sqlite) => Backend::Sqlite(Sqlite { path: Some(sqlite_file(loaded, name, &sqlite)) }),
            other => other,
        };
        if let Some((_, source)) = bound.iter().find(|(known, _)| *known == backend) {
            sources.bind(name.as_str(), source.clone());
            continue;
        }
        let source = open(loaded, &backend, name, setting.as_deref()).map_err(|error| {
            let setting = setting.unwrap_or_else(|| format!("sources.{name}"));
            let place = loaded.place(&setting);
            let hint = error.hint.unwrap_or_else(|| "`tfo-mcp init-config -` shows how sources are written".to_owned());
            hinted(format!("`{setting}` ({place}): {}", error.message), hint)
        })?;
        sources.bind(name.as_str(), source.clone());
        bound.push((backend, source));
    }
    Ok(sources)
}

/// What the settings of a source are called: those below `sources`, or the one-line forms.
fn names(name: LogicalSource, setting: Option<&str>) -> SettingNames {
    let below = |part: &str| format!("`sources.{name}.{part}`");
    let all = |address: &str| SettingNames {
        address: address.to_owned(),
        max_connections: below("max_connections"),
        guard_key: below("guard_key"),
    };
    match setting {
        Some("database.postgres_url") => SettingNames {
            address: "`database.postgres_url`".to_owned(),
            max_connections: "`database.postgres_max_conns`".to_owned(),
            guard_key: "`database.guard_key`".to_owned(),
        },
        Some("analytics.clickhouse_url") => all("`analytics.clickhouse_url`"),
        _ => all(&below("url")),
    }
}

/// What to do when the file of an SQLite source is not there.
fn absent(name: LogicalSource, setting: Option<&str>) -> String {
    match (setting, name) {
        (Some(_), _) => format!("check `sources.{name}.path`, or make the file with `tfo-mcp demo`"),
        (None, LogicalSource::Platform) => "run `tfo-mcp demo` or set `database.postgres_url`".to_owned(),
        (None, _) => format!("bind it in the settings under `sources.{name}`"),
    }
}

fn open(
    loaded: &Loaded,
    backend: &Backend,
    name: LogicalSource,
    setting: Option<&str>,
) -> Result<Arc<dyn Source>, SourceError> {
    let names = names(name, setting);
    Ok(match backend {
        Backend::Clickhouse(clickhouse) => Arc::new(ClickHouse::remote(remote(clickhouse, names)?)),
        Backend::EmbeddedClickhouse(embedded) => Arc::new(ClickHouse::embedded(EmbeddedConfig {
            folder: embedded.path.clone(),
            library: embedded.library.clone(),
            max_connections: connections(embedded.max_connections, ClickHouseConfig::DEFAULT_CONNECTIONS),
            shared_tables: embedded.shared_tables.clone(),
            organisation: Organisation::of(
                embedded.organization_expression.as_deref(),
                embedded.organization_id.as_deref(),
            )?,
            ..EmbeddedConfig::new(
                &loaded.data_dir,
                embedded.database.as_deref().unwrap_or(ClickHouseConfig::DEFAULT_DATABASE),
            )
        })),
        Backend::Postgres(postgres) => {
            let mut options = PostgresOptions::new(SecretString::from(postgres.url.expose()));
            options.max_connections = connections(postgres.max_connections, options.max_connections);
            options.guard_key = postgres.guard_key.as_ref().map(|key| SecretString::from(key.expose()));
            options.names = names;
            Arc::new(source::postgres::Postgres::new(options)?)
        }
        Backend::Sqlite(sqlite) => {
            let file = source::sqlite::Sqlite::new(sqlite.path.clone().unwrap_or_default());
            Arc::new(file.absent(&absent(name, setting)).at(loaded.settings.server.clock))
        }
    })
}

fn connections(set: Option<u32>, default: usize) -> usize {
    set.map_or(default, |connections| usize::try_from(connections).unwrap_or(usize::MAX).max(1))
}

fn remote(clickhouse: &Clickhouse, names: SettingNames) -> Result<ClickHouseConfig, SourceError> {
    let mut config = ClickHouseConfig { names, ..ClickHouseConfig::parse(clickhouse.url.expose())? };
    let Clickhouse { database, user, password, max_connections, send_settings, shared_tables, .. } = clickhouse;
    config.max_connections = connections(*max_connections, config.max_connections);
    if let Some(database) = database {
        config.database.clone_from(database);
    }
    if user.is_some() {
        config.user.clone_from(user);
    }
    if let Some(password) = password {
        config.password = Some(SecretString::from(password.expose()));
    }
    config.send_settings = send_settings.unwrap_or(config.send_settings);
    config.shared_tables.clone_from(shared_tables);
    config.organisation =
        Organisation::of(clickhouse.organization_expression.as_deref(), clickhouse.organization_id.as_deref())?;
    Ok(config)
}

/// The files that callers may touch. What this server is set up with is not among them.
pub(super) fn files(loaded: &Loaded, caller: Caller, program: &Program) -> Files {
    let Program { names, before, libraries, preloaded } = program;
    // A folder that has its name is no program, and stays where it is.
    let programs = names.iter().chain(before.iter().filter(|path| !path.is_dir())).chain(preloaded).cloned();
    let own = own(loaded).into_iter().chain(programs).collect();
    let changed = Commands::changed(&loaded.settings.commands, caller);
    let held: Vec<PathBuf> = loaded.settings.commands.read_only_roots.iter().chain(before).cloned().collect();
    let files = Files::beside(&loaded.settings.files, caller, own, &changed, &held)
        .keeping_start(connect::starting(), libraries.clone());
    files.problems().for_each(|problem| tracing::warn!("{problem}"));
    files
}

/// The commands that callers may run, where none of them could read what this server is set up with.
pub(super) fn commands(loaded: &Loaded, caller: Caller, program: &Program) -> Commands {
    Commands::new(&loaded.settings.commands, caller, &own(loaded))
        .beside(&loaded.settings.files)
        .keeping_program(&program.names, &program.before)
        .keeping_start(connect::starting(), &program.libraries, &program.preloaded)
}

/// The services that definitions may ask over HTTP.
pub(super) fn services(loaded: &Loaded) -> Services {
    let services = Services::new(&loaded.settings.http, &|name| std::env::var(name).ok(), &http::system());
    services.problems().for_each(|problem| tracing::warn!("{problem}"));
    services
}

/// Starts the log. A command for people logs less than a server, unless somebody asks.
pub(super) fn logging(loaded: &Loaded, default: telemetry::Level) -> anyhow::Result<()> {
    let settings = &loaded.settings;
    let set = ["logging.level", "server.debug"].iter().any(|key| loaded.origins.contains_key(*key));
    let level = match () {
        () if !set => default,
        () if settings.server.debug => telemetry::Level::DEBUG,
        () => settings.logging.level.as_str().parse().unwrap_or(default),
    };
    let json = settings.logging.format == crate::settings::LogFormat::Json;
    Masking::write_with(&settings.masking.personal, &settings.masking.patterns);
    let options = telemetry::LogOptions { level, json, file: settings.logging.output.clone() };
    telemetry::init(&options).with_context(|| match &options.file {
        Some(file) => format!("cannot log to `{}`", file.display()),
        None => "cannot start the log".to_owned(),
    })
}
