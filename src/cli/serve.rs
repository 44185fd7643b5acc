//! `tfo-mcp serve`: the MCP server on standard input and output, or over HTTP ([`http`]).

mod http;
mod signals;
mod told;

use std::{io::IsTerminal, sync::Arc};

use anyhow::Context;
use clap::{Args, ValueEnum};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;

use super::{Outcome, accounts::Accounts, arguments::SettingsArguments, bind, bootstrap, outcome::hinted, output};
use crate::{
    engine::Engine,
    host::files::Caller,
    masking::Masking,
    reload::{self, Definitions, Fingerprint},
    server::{
        self, ServerOptions,
        audit::{Audit, Output},
    },
    settings::{AuditOutput, Loaded, Server, Transport, Watch},
    telemetry,
};

/// Serve MCP to a client
#[derive(Debug, Default, Args)]
pub struct Arguments {
    #[arg(long, value_enum, ignore_case = true, help = transport_help())]
    transport: Option<Transport>,
    #[arg(long, help = format!("Address on which the HTTP transport listens [default: {}]", Server::default().host))]
    host: Option<String>,
    #[arg(long, help = port_help())]
    port: Option<u16>,
}

fn transport_help() -> String {
    format!("How the client speaks to the server [default: {}]", Server::default().transport.as_str())
}

fn port_help() -> String {
    format!("Port on which the HTTP transport listens; 0 for any free one [default: {}]", Server::default().port)
}

impl ValueEnum for Transport {
    fn value_variants<'a>() -> &'a [Self] {
        &[Transport::Stdio, Transport::Http]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.as_str()))
    }
}

/// Threads of the runtime. One would do for the protocol, but while it renders a large answer nobody would read the
/// next request; more gain nothing, because the databases do the work.
const THREADS: usize = 2;

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let loaded = Arc::new(bootstrap::settings(common)?);
    let over_http = arguments.transport.unwrap_or(loaded.settings.server.transport) == Transport::Http;
    if over_http {
        // For the first line of the log, while everything else is read.
        drop(std::thread::spawn(Masking::prepare));
    }
    bind::logging(&loaded, telemetry::Level::INFO)?;
    let definitions = bootstrap::definitions(&loaded);
    // Taken first, so that an edit while they are read is seen as one.
    let seen = definitions.fingerprint();
    let read = bootstrap::read(&loaded);
    if over_http || read.is_err() {
        told::settings_files(&loaded);
    }
    let (catalog, warnings) = read?;
    let caller = if over_http { Caller::Elsewhere } else { Caller::Here };
    let packs = definitions.packs.iter().map(|pack| pack.display().to_string()).collect();
    let engine = Arc::new(bootstrap::engine(&loaded, catalog, caller)?.loaded_from(packs, warnings));
    told::notices(&loaded);
    let accounts = Accounts::of(audit(&loaded, over_http)?, over_http);
    if std::io::stdin().is_terminal() && !over_http {
        output::say("serving MCP on standard input and output; a client starts this, `tfo-mcp --help` is for people");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    let served = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(signals::stop(stop.clone()));
        watch(&engine, &loaded, definitions, seen, accounts.audit.clone(), &stop);
        let served = match over_http {
            true => {
                let host = arguments.host.as_deref().unwrap_or(&loaded.settings.server.host);
                let port = arguments.port.unwrap_or(loaded.settings.server.port);
                http::serve(&engine, &loaded, &accounts, host, port, &stop).await
            }
            false => serve_stdio(&engine, &loaded, &accounts, &stop).await,
        };
        accounts.close().await;
        engine.close().await;
        served
    });
    // A read of standard input may stay parked on a blocking thread for ever.
    runtime.shutdown_background();
    served.map(|()| Outcome::Done)
}

/// Follows edits of the packs until `stop`.
fn watch(
    engine: &Arc<Engine>,
    loaded: &Loaded,
    definitions: Definitions,
    seen: Fingerprint,
    audit: Option<Audit>,
    stop: &CancellationToken,
) {
    let force = Arc::new(Notify::new());
    // Taken before anything is served: until then the signal would end the process.
    if let Ok(signal) = signal(SignalKind::hangup()) {
        tokio::spawn(signals::reload(signal, force.clone(), audit));
    }
    let settings = &loaded.settings;
    let mode = match settings.watch {
        Watch::Auto => reload::Mode::Auto,
        Watch::Poll => reload::Mode::Poll,
        Watch::Off => reload::Mode::Off,
    };
    let interval = settings.watch_interval.0;
    let watch = reload::Watch { definitions, seen, mode, interval, force, stop: stop.clone() };
    tokio::spawn(reload::watch(engine.clone(), watch));
}

async fn serve_stdio(
    engine: &Arc<Engine>,
    loaded: &Arc<Loaded>,
    accounts: &Accounts,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let options = options(loaded, accounts)?;
    // A client waits for its first answer, and nobody for the log, whose first line waits for the forms of what is masked.
    let begun = tokio::task::spawn_blocking({
        let (engine, loaded) = (engine.clone(), loaded.clone());
        move || {
            told::settings_files(&loaded);
            told::serving(&engine, &loaded, "over stdio");
        }
    });
    let served = server::serve_stdio(engine.clone(), options, stop).await;
    drop(begun.await);
    served.context("the session ended badly")
}

/// The audit log. Over HTTP there is one unless somebody says that there is none.
fn audit(loaded: &Loaded, http: bool) -> anyhow::Result<Option<Audit>> {
    let output = match &loaded.settings.audit.output {
        Some(AuditOutput::Off) => return Ok(None),
        None if !http => return Ok(None),
        None | Some(AuditOutput::Log) => Output::Log,
        Some(AuditOutput::Stderr) => Output::Stderr,
        Some(AuditOutput::File(path)) => Output::File(path.clone()),
    };
    Audit::start(&output).map(Some).map_err(|error| {
        let origin = loaded.place("audit.output");
        hinted(format!("`audit.output` ({origin}): {error}"), "`audit.output` takes `off`, `log`, `stderr` or a file")
    })
}

fn options(loaded: &Loaded, accounts: &Accounts) -> anyhow::Result<ServerOptions> {
    let settings = &loaded.settings;
    let mut options = ServerOptions::from(settings);
    (options.calls, options.metrics) = (accounts.calls.clone(), accounts.metrics.clone());
    if let Some(key) = &settings.mcp.state_key {
        let keys = std::iter::once(key).chain(&settings.mcp.previous_state_keys).map(|key| key.expose());
        options.state_keys = server::StateKeys::new(keys).map_err(|error| {
            let place = loaded.place("mcp.state_key");
            hinted(
                format!("`mcp.state_key` ({place}) or `mcp.previous_state_keys` cannot be used: {error}"),
                "make one with `openssl rand -hex 32`",
            )
        })?;
    }
    Ok(options)
}
