//! `tfo-mcp serve`: the MCP server on standard input and output, or over HTTP with its keys, audit log and certificates.

use std::{io::IsTerminal, sync::Arc};

use anyhow::Context;
use clap::{Args, ValueEnum};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Outcome, accounts::Accounts, arguments::SettingsArguments, bind, bootstrap, outcome::hinted, output};
use crate::{
    engine::Engine,
    reload::{self, Definitions, Fingerprint},
    server::{
        self,
        audit::{Audit, Output},
        identity::{ClaimNames, Identity, IdentityOptions, Times, TokenOptions},
    },
    settings::{AuditOutput, Http, Loaded, NoticeKind, Origin, Transport, Watch},
    telemetry,
};

/// Serve MCP to a client
#[derive(Debug, Default, Args)]
pub struct Arguments {
    /// How the client speaks to the server [default: stdio]
    #[arg(long, value_enum, ignore_case = true)]
    transport: Option<Transport>,
    /// Address on which the HTTP transport listens [default: 127.0.0.1]
    #[arg(long)]
    host: Option<String>,
    /// Port on which the HTTP transport listens; 0 for any free one [default: 8080]
    #[arg(long)]
    port: Option<u16>,
}

impl ValueEnum for Transport {
    fn value_variants<'a>() -> &'a [Self] {
        &[Transport::Stdio, Transport::Http]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(match self {
            Transport::Stdio => "stdio",
            Transport::Http => "http",
        }))
    }
}

/// Threads of the runtime. One would do for the protocol, but while it renders a large answer nobody would read the
/// next request; more gain nothing, because the databases do the work.
const THREADS: usize = 2;

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let loaded = bootstrap::settings(common)?;
    let http = arguments.transport.unwrap_or(loaded.settings.server.transport) == Transport::Http;
    bind::logging(&loaded, telemetry::Level::INFO)?;
    settings_files(&loaded);
    let definitions = bootstrap::definitions(&loaded);
    // Taken first, so that an edit while they are read is seen as one.
    let seen = definitions.fingerprint();
    let (catalog, warnings) = bootstrap::read(&loaded)?;
    let packs = definitions.packs.iter().map(|pack| pack.display().to_string()).collect();
    let engine = Arc::new(bootstrap::engine(&loaded, catalog)?.loaded_from(packs, warnings));
    notices(&loaded);
    let accounts = Accounts::of(audit(&loaded, http)?, http);
    if std::io::stdin().is_terminal() && !http {
        output::say("serving MCP on standard input and output; a client starts this, `tfo-mcp --help` is for people");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    let served = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(stop_on_signal(stop.clone()));
        watch(&engine, &loaded, definitions, seen, accounts.audit.clone(), &stop);
        let served = match http {
            true => {
                let host = arguments.host.as_deref().unwrap_or(&loaded.settings.server.host);
                let port = arguments.port.unwrap_or(loaded.settings.server.port);
                serve_http(&engine, &loaded, &accounts, host, port, &stop).await
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

/// Says which file rules.
fn settings_files(loaded: &Loaded) {
    let files: Vec<String> = loaded.files.iter().map(|file| file.display().to_string()).collect();
    match files.is_empty() {
        true => tracing::info!("No settings file is read."),
        false => tracing::info!(files = files.join(", "), "Settings are read from files."),
    }
}

/// Says what is served, and where.
fn serving(engine: &Engine, loaded: &Loaded, place: &str) {
    let catalog = engine.catalog();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        tools = catalog.tools.len(),
        contexts = catalog.contexts.len(),
        prompts = catalog.prompts.len(),
        resources = catalog.resources.len(),
        "Serving MCP {place}."
    );
    if let Some(clock) = loaded.settings.server.clock {
        let clock = crate::engine::stamp(clock);
        tracing::info!(%clock, origin = %loaded.origin("server.clock"), "The clock stands still: these are demo data.");
    }
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
    if let Ok(signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
        tokio::spawn(reload_on_signal(signal, force.clone(), audit));
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
    loaded: &Loaded,
    accounts: &Accounts,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    serving(engine, loaded, "over stdio");
    let served = server::serve_stdio(engine.clone(), options(loaded, accounts)?, stop).await;
    served.context("the session ended badly")
}

async fn serve_http(
    engine: &Arc<Engine>,
    loaded: &Loaded,
    accounts: &Accounts,
    host: &str,
    port: u16,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind((host, port)).await.map_err(|error| {
        hinted(
            format!("cannot listen on {host}:{port}: {error}"),
            "choose another address with `--host` and `--port`, or end what listens there",
        )
    })?;
    let address = listener.local_addr().context("cannot tell the address")?;
    let identity = identity(loaded, address.ip().is_loopback())?;
    if !address.ip().is_loopback() && identity.is_open().await && !loaded.settings.server.allow_unauthenticated {
        return Err(hinted(
            format!("{address} can be reached from other machines, and nobody is asked who they are"),
            "make a key with `tfo-mcp keys create`, listen on 127.0.0.1, or, where something else asks in front of the \
             server, set `server.allow_unauthenticated: true`",
        ));
    }
    if !identity.leads_to_issuer() {
        tracing::warn!(
            "Clients cannot find the issuer of access tokens until `server.http.public_url` says by which URL they call \
             this server."
        );
    }
    let mut http = http_options(loaded, identity)?;
    if !address.ip().is_loopback() {
        if !address.ip().is_unspecified() {
            http.allowed_hosts.push(address.ip().to_string());
        } else if http.allowed_hosts == server::http::LOOPBACK_HOSTS {
            tracing::warn!(
                "Clients on other machines are refused: `server.http.public_url` or `server.http.allowed_hosts` must \
                 say by which name they call this server."
            );
        }
    }
    raise_descriptors(http.max_connections);
    let scheme = if http.tls.is_some() { "https" } else { "http" };
    serving(engine, loaded, &format!("at {scheme}://{address}{}", http.path));
    server::http::serve_http(engine.clone(), options(loaded, accounts)?, http, listener, stop).await;
    Ok(())
}

fn http_options(loaded: &Loaded, identity: Arc<Identity>) -> anyhow::Result<server::http::HttpOptions> {
    let settings = &loaded.settings.server.http;
    let entry = |key: &str| {
        let named = format!("`server.http.{key}` ({})", loaded.origin(&format!("server.http.{key}")));
        move |error: String| hinted(format!("{named}: {error}"), "such an entry would let nobody in")
    };
    let hosts =
        settings.allowed_hosts.iter().map(|host| server::http::check_host(host).map_err(entry("allowed_hosts")));
    let mut allowed_hosts: Vec<String> = hosts.collect::<anyhow::Result<_>>()?;
    if allowed_hosts.is_empty() {
        allowed_hosts = server::http::LOOPBACK_HOSTS.map(str::to_owned).to_vec();
    }
    let mut public = None;
    if let Some(url) = &settings.public_url {
        let parsed = server::identity::public_url(url)
            .map_err(|error| hinted(format!("`server.http.public_url`: {error}"), "clients call the server by it"))?;
        let host = parsed.host_str().unwrap_or_default().to_owned();
        allowed_hosts.push(host.clone());
        let prefix = parsed.path().trim_end_matches('/').strip_suffix(settings.path.trim_end_matches('/'));
        public = prefix.map(|prefix| server::http::Public { host, prefix: prefix.to_owned() });
    }
    let mut allowed_origins = settings.allowed_origins.clone();
    for origin in &allowed_origins {
        server::http::check_origin(origin).map_err(entry("allowed_origins"))?;
    }
    if allowed_origins.is_empty() {
        allowed_origins = server::http::LOOPBACK_ORIGINS.map(str::to_owned).to_vec();
    }
    let tls = match (&settings.tls_certificate, &settings.tls_key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            let acceptor = server::http::tls::acceptor(certificate, key);
            Some(acceptor.map_err(|error| hinted(error, "give the files of one certificate, both in PEM"))?)
        }
        _ => {
            return Err(hinted(
                "`server.http.tls_certificate` and `server.http.tls_key` belong together, and one is missing",
                "set both, or none",
            ));
        }
    };
    let path = &settings.path;
    let told =
        |what: &str| hinted(format!("`server.http.path` {what}: {path}"), "write it as `/mcp`, without placeholders");
    if !path.starts_with('/') || path.contains(['{', '}', '*', '?', '#']) || path.contains("/:") {
        return Err(told("is no path"));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()+,;=:@".contains(&byte);
    if !path.bytes().all(plain) || path.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(told("is one that clients write in another way, so that nothing would reach it"));
    }
    if server::http::TAKEN.iter().any(|taken| path.starts_with(taken)) {
        return Err(told("is one that the server needs itself"));
    }
    let sse_path = sse_path(settings);
    if sse_path.as_ref() == Some(path) {
        return Err(told("is that of the transport of 2024-11-05 (`server.http.sse`)"));
    }
    Ok(server::http::HttpOptions {
        path: settings.path.clone(),
        sse_path,
        public,
        allowed_hosts,
        allowed_origins,
        tls,
        idle_timeout: settings.idle_timeout.0,
        max_connections: settings.max_connections,
        max_connections_per_address: settings.max_connections_per_address.unwrap_or(settings.max_connections / 2),
        max_requests_per_client: settings.max_requests_per_client,
        max_sessions: settings.max_sessions,
        session_idle: settings.session_idle.0,
        drain: settings.drain_timeout.0,
        identity: Some(identity),
    })
}

/// The path of the transport of 2024-11-05: beside that of the protocol. None: it is not offered.
fn sse_path(settings: &Http) -> Option<String> {
    settings.sse.then(|| format!("{}/sse", settings.path.rsplit_once('/').map_or("", |(folder, _)| folder)))
}

/// Descriptors besides those of connections: databases, files, watches.
const OTHER_DESCRIPTORS: u64 = 256;

/// Lets the process have as many descriptors as it takes connections: without one, not even a sign of life is given.
fn raise_descriptors(connections: usize) {
    let wanted = (connections + server::http::SPARE) as u64 + OTHER_DESCRIPTORS;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    limit.current = Some(limit.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
    let raised = setrlimit(Resource::Nofile, limit);
    if raised.is_err() || limit.current.is_some_and(|current| current < wanted) {
        tracing::warn!(
            wanted,
            allowed = limit.current,
            "The process may open fewer files than `server.http.max_connections` needs: raise the limit (`ulimit -n`)."
        );
    }
}

/// Who tells who calls. `here`: only this machine can.
fn identity(loaded: &Loaded, here: bool) -> anyhow::Result<Arc<Identity>> {
    let auth = &loaded.settings.auth;
    let public_url = &loaded.settings.server.http.public_url;
    let tokens = auth.issuer.as_ref().map(|issuer| TokenOptions {
        issuer: issuer.clone(),
        audiences: match auth.audience.as_slice() {
            [] => public_url.iter().cloned().collect(),
            audiences => audiences.to_vec(),
        },
        jwks_url: auth.jwks_url.as_ref().map(|url| url.expose().to_owned()),
        required_scopes: auth.required_scopes.clone(),
        algorithms: auth.algorithms.clone(),
        claims: ClaimNames {
            organizations: auth.claims.organizations.clone(),
            workspace: auth.claims.workspace.clone(),
            user: auth.claims.user.clone(),
            toolsets: auth.claims.toolsets.clone(),
            variables: auth.claims.variables.clone(),
        },
        resource: auth.resource.clone().or_else(|| public_url.clone()),
        paths: sse_path(&loaded.settings.server.http).map(|sse| (loaded.settings.server.http.path.clone(), sse)),
        leeway: auth.leeway.0,
        times: Times { keep: auth.jwks_max_age.0, ..Times::default() },
    });
    let options = IdentityOptions {
        keys_file: Some(super::keys::file(loaded)),
        open_until_keys: auth.keys_file.is_none() && tokens.is_none(),
        open_scopes: (!here).then(|| loaded.settings.server.unauthenticated_scopes.clone()),
        tokens,
    };
    let identity = Identity::new(options);
    let identity = identity.map_err(|error| {
        hinted(
            format!("the settings in `auth` do not fit: {error}"),
            "set `auth.issuer` and `auth.audience` (or `server.http.public_url`) right, or neither",
        )
    })?;
    Ok(Arc::new(identity))
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
        let origin = loaded.origin("audit.output");
        hinted(format!("`audit.output` ({origin}): {error}"), "`audit.output` takes `off`, `log`, `stderr` or a file")
    })
}

fn options(loaded: &Loaded, accounts: &Accounts) -> anyhow::Result<server::ServerOptions> {
    let settings = &loaded.settings;
    let mut options = server::ServerOptions { name: settings.server.name.clone(), ..Default::default() };
    (options.calls, options.metrics) = (accounts.calls.clone(), accounts.metrics.clone());
    options.page_size = settings.mcp.page_size.get();
    options.limits.max_message_size = settings.mcp.max_message_size.as_usize();
    options.limits.drain = settings.mcp.drain_timeout.0;
    options.offers = server::Offers {
        tools: settings.mcp.enable_tools,
        resources: settings.mcp.enable_resources,
        prompts: settings.mcp.enable_prompts,
        logging: settings.mcp.enable_logging,
        sampling: settings.mcp.enable_sampling,
    };
    if let Some(key) = &settings.mcp.state_key {
        let keys = std::iter::once(key).chain(&settings.mcp.previous_state_keys).map(|key| key.expose());
        options.state_keys = server::StateKeys::new(keys).map_err(|error| {
            hinted(
                format!("`mcp.state_key` or `mcp.previous_state_keys` cannot be used: {error}"),
                "make one with `openssl rand -hex 32`",
            )
        })?;
    }
    Ok(options)
}

/// Says once what was set in vain. Variables of other programs, such as a vendor's key, are nobody's mistake.
fn notices(loaded: &Loaded) {
    let ours = |origin: &Origin| !matches!(origin, Origin::Env(name) if !name.starts_with(crate::settings::ENV_PREFIX));
    for kind in [NoticeKind::Unused, NoticeKind::Former] {
        let keys: Vec<&str> = loaded
            .notices
            .iter()
            .filter(|notice| notice.kind == kind && ours(&notice.origin))
            .map(|notice| notice.key.as_str())
            .collect();
        let keys = keys.join(", ");
        match kind {
            _ if keys.is_empty() => {}
            NoticeKind::Unused => tracing::warn!(%keys, "Settings are set but not used by this version."),
            _ => {
                tracing::warn!(%keys, "Settings of an earlier server are not read any more; `tfo-mcp info` says more.")
            }
        }
    }
    for notice in &loaded.notices {
        match notice.kind {
            NoticeKind::UnknownVariable => tracing::warn!("{notice}"),
            NoticeKind::ServiceLink => tracing::info!("{notice}"),
            _ => {}
        }
    }
}

/// `SIGHUP` reloads the definitions, whatever is watched, and opens the audit log anew.
async fn reload_on_signal(mut signal: tokio::signal::unix::Signal, force: Arc<Notify>, audit: Option<Audit>) {
    while signal.recv().await.is_some() {
        tracing::info!("Reloading the definitions: a signal asked for it.");
        force.notify_one();
        if let Some(audit) = &audit {
            audit.reopen();
        }
    }
}

async fn stop_on_signal(stop: CancellationToken) {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
    tracing::info!("Stopping: a signal asked for it.");
    stop.cancel();
}
