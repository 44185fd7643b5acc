//! Serving over HTTP: where it listens, who tells who calls, how many connections there may be.

use std::sync::Arc;

use anyhow::Context;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio_util::sync::CancellationToken;

use super::{options, told};
use crate::{
    cli::{accounts::Accounts, keys, outcome::hinted},
    engine::Engine,
    server::{
        http::{HttpOptions, LOOPBACK_HOSTS, SPARE, Unfit, serve_http},
        identity::{Identity, IdentityOptions, TokenOptions},
    },
    settings::Loaded,
};

/// Serves over HTTP until `stop`.
pub(super) async fn serve(
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
        } else if http.allowed_hosts == LOOPBACK_HOSTS {
            tracing::warn!(
                "Clients on other machines are refused: `server.http.public_url` or `server.http.allowed_hosts` must \
                 say by which name they call this server."
            );
        }
    }
    raise_descriptors(http.max_connections);
    let scheme = if http.tls.is_some() { "https" } else { "http" };
    told::serving(engine, loaded, &format!("at {scheme}://{address}{}", http.path));
    serve_http(engine.clone(), options(loaded, accounts)?, http, listener, stop).await;
    Ok(())
}

fn http_options(loaded: &Loaded, identity: Arc<Identity>) -> anyhow::Result<HttpOptions> {
    let options = HttpOptions::try_from(&loaded.settings.server.http).map_err(|Unfit { key, message, help }| {
        let key = format!("server.http.{key}");
        hinted(format!("`{key}` ({}): {message}", loaded.place(&key)), help)
    })?;
    Ok(HttpOptions { identity: Some(identity), ..options })
}

/// Descriptors besides those of connections: databases, files, watches.
const OTHER_DESCRIPTORS: u64 = 256;

/// Lets the process have as many descriptors as it takes connections: without one, not even a sign of life is given.
fn raise_descriptors(connections: usize) {
    let wanted = (connections + SPARE) as u64 + OTHER_DESCRIPTORS;
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
    let settings = &loaded.settings;
    let tokens = TokenOptions::of(&settings.auth, &settings.server.http);
    let options = IdentityOptions {
        keys_file: Some(keys::file(loaded)),
        open_until_keys: settings.auth.keys_file.is_none() && tokens.is_none(),
        open_scopes: (!here).then(|| settings.server.unauthenticated_scopes.clone()),
        tokens,
    };
    let identity = Identity::new(options);
    let identity = identity.map_err(|error| {
        hinted(
            format!("the settings in `auth` ({}) do not fit: {error}", loaded.place("auth")),
            "set `auth.issuer` and `auth.audience` (or `server.http.public_url`) right, or neither",
        )
    })?;
    Ok(Arc::new(identity))
}
