//! The settings as options of the HTTP transport, and what is wrong with them.

use super::{HttpOptions, LOOPBACK_HOSTS, LOOPBACK_ORIGINS, Public, TAKEN, check_host, check_origin, tls};
use crate::{server::identity::public_url, settings::Http};

/// A setting with which the transport cannot serve.
#[derive(Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Which of `server.http`.
    pub key: &'static str,
    pub message: String,
    pub help: &'static str,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self::plain(&Http::default())
    }
}

impl HttpOptions {
    /// What clients need not agree with: numbers and times, and the names of the loopback interface.
    fn plain(settings: &Http) -> Self {
        Self {
            path: settings.path.clone(),
            sse_path: sse_path(settings),
            public: None,
            allowed_hosts: LOOPBACK_HOSTS.map(str::to_owned).to_vec(),
            allowed_origins: LOOPBACK_ORIGINS.map(str::to_owned).to_vec(),
            tls: None,
            idle_timeout: settings.idle_timeout.0,
            max_connections: settings.max_connections,
            max_connections_per_address: settings.max_connections_per_address.unwrap_or(settings.max_connections / 2),
            max_requests_per_client: settings.max_requests_per_client,
            max_sessions: settings.max_sessions,
            session_idle: settings.session_idle.0,
            drain: settings.drain_timeout.0,
            identity: None,
        }
    }
}

impl TryFrom<&Http> for HttpOptions {
    type Error = Unfit;

    fn try_from(settings: &Http) -> Result<Self, Unfit> {
        let unfit = |key, help| move |message| Unfit { key, message, help };
        let nobody = "such an entry would let nobody in";
        let mut options = Self::plain(settings);
        if !settings.allowed_hosts.is_empty() {
            let hosts = settings.allowed_hosts.iter().map(|host| check_host(host));
            options.allowed_hosts = hosts.collect::<Result<_, _>>().map_err(unfit("allowed_hosts", nobody))?;
        }
        if let Some(url) = &settings.public_url {
            let parsed = public_url(url).map_err(unfit("public_url", "clients call the server by it"))?;
            let host = parsed.host_str().unwrap_or_default().to_owned();
            options.allowed_hosts.push(host.clone());
            let prefix = parsed.path().trim_end_matches('/').strip_suffix(settings.path.trim_end_matches('/'));
            options.public = prefix.map(|prefix| Public { host, prefix: prefix.to_owned() });
        }
        if !settings.allowed_origins.is_empty() {
            for origin in &settings.allowed_origins {
                check_origin(origin).map_err(unfit("allowed_origins", nobody))?;
            }
            options.allowed_origins.clone_from(&settings.allowed_origins);
        }
        options.tls = match (&settings.tls_certificate, &settings.tls_key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                let help = "give the files of one certificate, both in PEM";
                Some(tls::acceptor(certificate, key).map_err(unfit("tls_certificate", help))?)
            }
            _ => {
                let message = "it and `server.http.tls_key` belong together, and one is missing".to_owned();
                return Err(unfit("tls_certificate", "set both, or none")(message));
            }
        };
        path(&settings.path, options.sse_path.as_deref()).map_err(|why| {
            unfit("path", "write it as `/mcp`, without placeholders")(format!("`{}` {why}", settings.path))
        })?;
        Ok(options)
    }
}

/// Whether the protocol can stand at a path.
fn path(path: &str, sse_path: Option<&str>) -> Result<(), &'static str> {
    if !path.starts_with('/') || path.contains(['{', '}', '*', '?', '#']) || path.contains("/:") {
        return Err("is no path");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()+,;=:@".contains(&byte);
    if !path.bytes().all(plain) || path.split('/').any(|part| matches!(part, "." | "..")) {
        return Err("is one that clients write in another way, so that nothing would reach it");
    }
    if TAKEN.iter().any(|taken| path.starts_with(taken)) {
        return Err("is one that the server needs itself");
    }
    if sse_path == Some(path) {
        return Err("is that of the transport of 2024-11-05 (`server.http.sse`)");
    }
    Ok(())
}

/// The path of the transport of 2024-11-05: beside that of the protocol. None: it is not offered.
pub fn sse_path(settings: &Http) -> Option<String> {
    settings.sse.then(|| format!("{}/sse", settings.path.rsplit_once('/').map_or("", |(folder, _)| folder)))
}
