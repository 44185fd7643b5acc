//! Settings to the options of the other modules: which database stands behind a logical source, where the log goes.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context;
use secrecy::SecretString;

use super::outcome::hinted;
use crate::{
    engine::Sources,
    settings::{Backend, Clickhouse, EmbeddedClickhouse, Loaded, Origin, Postgres, Sqlite},
    source::{self, Source, postgres::PostgresOptions},
    telemetry,
};

/// The logical sources, in the order in which they are shown.
pub(super) const LOGICAL: [&str; 4] = ["telemetry", "platform", "analytics", "state"];

/// What stands behind a logical source, and the setting that says so (none: the default).
pub(super) fn backend(loaded: &Loaded, name: &str) -> (Backend, Option<String>) {
    let settings = &loaded.settings;
    let sources = &settings.sources;
    let explicit = match name {
        "telemetry" => &sources.telemetry,
        "platform" => &sources.platform,
        "analytics" => &sources.analytics,
        _ => &sources.state,
    };
    if let Some(backend) = explicit {
        return (backend.clone(), Some(format!("sources.{name}")));
    }
    match name {
        "telemetry" | "analytics" => {
            if let Some(url) = &settings.analytics.clickhouse_url {
                let clickhouse =
                    Clickhouse { url: url.clone(), database: None, user: None, password: None, max_connections: None };
                return (Backend::Clickhouse(clickhouse), Some("analytics.clickhouse_url".into()));
            }
        }
        _ => {
            if let Some(url) = &settings.database.postgres_url {
                let postgres = Postgres { url: url.clone(), max_connections: settings.database.postgres_max_conns };
                return (Backend::Postgres(postgres), Some("database.postgres_url".into()));
            }
        }
    }
    match name {
        "telemetry" => (Backend::EmbeddedClickhouse(EmbeddedClickhouse::default()), None),
        _ => (Backend::Sqlite(Sqlite::default()), None),
    }
}

/// The file of an SQLite source.
pub(super) fn sqlite_file(loaded: &Loaded, name: &str, sqlite: &Sqlite) -> PathBuf {
    sqlite.path.clone().unwrap_or_else(|| loaded.data_dir.join(format!("{name}.sqlite")))
}

/// All logical sources, not connected yet. Names with the same backend share it, and its connections.
pub(super) fn sources(loaded: &Loaded) -> anyhow::Result<Sources> {
    let mut bound: Vec<(Backend, Arc<dyn Source>)> = Vec::new();
    let mut sources = Sources::default();
    for name in LOGICAL {
        let (backend, setting) = backend(loaded, name);
        // The default file of an SQLite source carries the name of the source.
        let backend = match backend {
            Backend::Sqlite(sqlite) => Backend::Sqlite(Sqlite { path: Some(sqlite_file(loaded, name, &sqlite)) }),
            other => other,
        };
        if let Some((_, source)) = bound.iter().find(|(known, _)| *known == backend) {
            sources.bind(name, source.clone());
            continue;
        }
        let opened = open(loaded, &backend).map_err(|error| {
            let setting = setting.unwrap_or_else(|| format!("sources.{name}"));
            let origin = origin_below(loaded, &setting);
            hinted(format!("`{setting}` ({origin}): {error}"), "`tfo-mcp init-config -` shows how sources are written")
        })?;
        let Some(source) = opened else { continue };
        sources.bind(name, source.clone());
        bound.push((backend, source));
    }
    Ok(sources)
}

/// The origin of a setting, or of the first setting below it.
pub(super) fn origin_below<'l>(loaded: &'l Loaded, setting: &str) -> &'l Origin {
    let below = format!("{setting}.");
    let first = loaded.origins.iter().find(|(key, _)| *key == setting || key.starts_with(&below));
    first.map_or(&Origin::Default, |(_, origin)| origin)
}

fn open(_loaded: &Loaded, backend: &Backend) -> Result<Option<Arc<dyn Source>>, String> {
    match backend {
        Backend::Postgres(postgres) => {
            let mut options = PostgresOptions::new(SecretString::from(postgres.url.expose()));
            if let Some(connections) = postgres.max_connections {
                options.max_connections = connections as usize;
            }
            let source = source::postgres::Postgres::new(options).map_err(|error| error.to_string())?;
            Ok(Some(Arc::new(source)))
        }
        _ => Ok(None),
    }
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
    let options = telemetry::LogOptions { level, json, file: settings.logging.output.clone() };
    telemetry::init(&options).with_context(|| match &options.file {
        Some(file) => format!("cannot log to `{}`", file.display()),
        None => "cannot start the log".to_owned(),
    })
}
