//! `tfo-mcp doctor`: whether everything that answers need is there, and what to do if not.

mod confinement;
mod probe;
mod services;
mod show;

use std::{path::PathBuf, time::Duration};

use clap::Args;
use serde::Serialize;

use super::{
    Outcome,
    arguments::{Form, SettingsArguments},
    bind, bootstrap, output, vain,
};
use crate::{
    definition::LogicalSource,
    engine::{Call, Engine, listed},
    host::files::Caller,
    settings::Loaded,
    source::embedded,
    telemetry,
};
use probe::SourceReport;
use services::ServiceReport;

/// Check sources, settings and tools of this machine, and say what to do
///
/// Sources are asked at the same time. Exit code 1 if something that definitions need is broken.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Longest wait for a source, in seconds
    #[arg(long, default_value_t = 20, value_name = "SECONDS")]
    timeout: u64,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    /// Not there, and nothing needs it.
    Unused,
    /// Works, but not for everything.
    Warning,
    Broken,
}

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    data_dir: PathBuf,
    settings_files: Vec<PathBuf>,
    sources: Vec<SourceReport>,
    services: Vec<ServiceReport>,
    organisation: Finding,
    machine: Vec<Finding>,
    /// What is set in vain.
    notices: Vec<String>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    state: State,
    name: &'static str,
    /// What was found.
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    what_to_do: Option<String>,
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let loaded = bootstrap::settings(common)?;
    bind::logging(&loaded, telemetry::Level::ERROR)?;
    let catalog = bootstrap::catalog(&loaded)?;
    let engine = bootstrap::engine(&loaded, catalog, Caller::Here)?;
    let patience = Duration::from_secs(arguments.timeout.max(1));
    let report = bootstrap::block_on(async {
        let sources = probe::sources(&engine, &loaded, patience).await;
        // Only now: a source that does not answer would be waited for twice.
        let organisation = organisation(&engine, &sources, patience).await;
        let services = services::reports(&engine, patience).await;
        let confinement = confinement::finding(&engine);
        let _ = tokio::time::timeout(patience, engine.close()).await;
        Ok(Report {
            version: env!("CARGO_PKG_VERSION"),
            data_dir: loaded.data_dir.clone(),
            settings_files: loaded.files.clone(),
            machine: clock(&loaded).into_iter().chain(machine(&loaded, &sources)).chain([confinement]).collect(),
            sources,
            services,
            organisation,
            notices: loaded
                .notices
                .iter()
                .map(ToString::to_string)
                .chain(vain::told(&engine.catalog(), &loaded))
                .collect(),
        })
    })?;
    match arguments.format {
        Form::Json => output::json(&report)?,
        Form::Text => output::write(&show::text(&report))?,
    }
    let services = report.services.iter().map(|service| service.state);
    let sources = report.sources.iter().map(|source| source.state);
    let broken = sources.chain(services).chain([report.organisation.state]).max();
    Ok(if broken >= Some(State::Broken) { Outcome::Findings } else { Outcome::Done })
}

/// Whose data a call without a credential reads.
async fn organisation(engine: &Engine, sources: &[SourceReport], patience: Duration) -> Finding {
    let finding = |state, found: String, what_to_do| Finding { state, name: "organisation", found, what_to_do };
    let silent =
        sources.iter().find(|source| source.name == LogicalSource::Platform.as_str() && source.version.is_none());
    if let (Some(_), None) = (silent, &engine.options().tenancy.organization_id) {
        let found = "cannot be told while the source `platform` does not answer".to_owned();
        return finding(State::Broken, found, Some("put that source right, or set `tenancy.organization_id`".into()));
    }
    match tokio::time::timeout(patience, engine.organisation_of(&Call::default())).await {
        Err(_) => finding(State::Broken, "could not be found out in time".into(), None),
        Ok(Ok(organisation)) if organisation.unknown => {
            let known = engine.organisations().await.map(|known| listed(&known)).unwrap_or_default();
            let found = format!("the platform lists no organisation {}: its data are empty", organisation.id);
            finding(State::Broken, found, Some(format!("set `tenancy.organization_id` to one of: {known}")))
        }
        Ok(Ok(organisation)) if organisation.unseen => {
            let found = "the platform shows this server no organisation at all".to_owned();
            let what_to_do =
                "see whether `platform` is the right database, and whether its account may read `organizations`";
            finding(State::Broken, found, Some(what_to_do.into()))
        }
        Ok(Ok(organisation)) => {
            let name = organisation.name.unwrap_or_else(|| "its name cannot be looked up".into());
            finding(State::Ok, format!("{name} ({})", organisation.id), None)
        }
        Ok(Err(unresolved)) => {
            let (found, what_to_do) = unresolved.explain();
            finding(State::Broken, found, Some(what_to_do))
        }
    }
}

/// A clock that stands still explains answers that never change.
fn clock(loaded: &Loaded) -> Option<Finding> {
    let now = loaded.settings.server.clock?;
    let found = format!("stands at {} ({})", crate::engine::stamp(now), loaded.origin("server.clock"));
    Some(Finding { state: State::Ok, name: "clock", found, what_to_do: None })
}

/// What the embedded ClickHouse needs of this machine.
fn machine(loaded: &Loaded, sources: &[SourceReport]) -> Vec<Finding> {
    let embedded = sources.iter().find(|source| source.embedded);
    let explicit = LogicalSource::ALL.into_iter().find_map(|name| match bind::backend(loaded, name).0 {
        crate::settings::Backend::EmbeddedClickhouse(embedded) => embedded.library,
        _ => None,
    });
    let library = embedded::find_library(&loaded.data_dir, explicit.as_deref());
    let npm = on_path("npm");
    let install = library.is_none() && embedded.is_some();
    vec![
        Finding {
            state: match (&library, embedded) {
                (Some(_), _) => State::Ok,
                (None, Some(_)) => State::Broken,
                (None, None) => State::Unused,
            },
            name: "ClickHouse library",
            found: library.map_or("not found".into(), |path| path.display().to_string()),
            what_to_do: install.then(|| "`tfo-mcp setup clickhouse` fetches it".into()),
        },
        Finding {
            // Only to fetch the library is it needed.
            state: match (&npm, install) {
                (Some(_), true) => State::Ok,
                (None, true) => State::Warning,
                (_, false) => State::Unused,
            },
            name: "npm",
            what_to_do: (npm.is_none() && install)
                .then(|| "install it: `tfo-mcp setup clickhouse` fetches the library through it".into()),
            found: npm.map_or("not found".into(), |path| format!("{}, which fetches that library", path.display())),
        },
    ]
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}
