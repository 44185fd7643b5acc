//! Services that definitions ask over HTTP, by the names that the settings give them.
//!
//! The settings say where a service lies; a call adds segments of a path, a query, headers and a body, each of which is encoded
//! where it stands. A call never chooses a host. Names are resolved here and judged before they are connected to, redirects lead
//! to the same server or nowhere, proxies of the environment are not used, and an answer is bounded in time and size.

mod address;
mod error;
mod exchange;
mod hidden;
mod reading;
mod resolve;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use base64::Engine as _;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::Value;
use url::{Host, Url};

pub use error::{HttpError, HttpErrorKind};
pub use reading::Unread;
pub use resolve::{Lookup, system};

use crate::settings;

/// The services that calls may ask.
#[derive(Default)]
pub struct Services {
    services: BTreeMap<String, Result<Service, String>>,
}

/// A service that is set up.
struct Service {
    name: String,
    base: Url,
    client: reqwest::Client,
    open: Arc<[settings::Network]>,
    headers: HeaderMap,
    /// What must not be seen in an answer.
    hidden: hidden::Hidden,
    timeout: Duration,
    max_bytes: usize,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub method: Method,
    /// Below the address of the service, not encoded.
    pub path: Vec<String>,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Option<Body>,
}

/// What is sent with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Json(String),
    Form(Vec<(String, String)>),
}

/// What is done with what the path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What a service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    /// What the status means; empty if it is not a known one.
    pub reason: &'static str,
    /// Media type, in lower case and without parameters; empty if none was said.
    pub media_type: String,
    /// The text, without the secrets that were sent. Of an answer that tells of a failure its beginning; empty where there is
    /// a document.
    pub text: String,
    /// The JSON of an answer that tells of no failure, without the secrets that were sent, or why it is none.
    pub document: Option<Result<Value, Unread>>,
    /// It has no content at all.
    pub is_empty: bool,
    /// The first members of the document that an object has twice.
    pub repeated: Vec<String>,
}

impl Answered {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the media type is that of JSON.
    pub fn is_json(&self) -> bool {
        is_json(&self.media_type)
    }
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type.ends_with("+json")
}

impl Services {
    /// The services of the settings. `variable` reads environment variables.
    pub fn new(settings: &settings::Outgoing, variable: &dyn Fn(&str) -> Option<String>, lookup: &Lookup) -> Self {
        let made = |(name, settings): (&String, &settings::Service)| {
            (name.clone(), Service::new(name, settings, variable, lookup.clone()))
        };
        Self { services: settings.services.iter().map(made).collect() }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }

    /// Why services of the settings cannot be asked, for the log of the server.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        self.services.iter().filter_map(|(name, service)| {
            let why = service.as_ref().err()?;
            Some(format!("HTTP tools cannot ask `{name}`: {why}"))
        })
    }

    /// Asks a service, for at most `left`. How many ask it at once is decided by whoever knows who asks.
    ///
    /// # Errors
    /// Why there is no answer. One that tells of a failure is an answer.
    pub async fn ask(&self, name: &str, asked: &Asked, left: Duration) -> Result<Answered, HttpError> {
        let service = match self.services.get(name) {
            Some(Ok(service)) => service,
            Some(Err(why)) => {
                let message = format!("`{name}` is not set up: {why}");
                let hint = format!("the operator looks at `http.services.{name}` of the settings");
                return Err(HttpError::new(HttpErrorKind::Unavailable, message, hint));
            }
            None => {
                let message = format!("`{name}` is not set up on this server");
                let hint = format!("the operator says where it is with `http.services.{name}.url` of the settings");
                return Err(HttpError::new(HttpErrorKind::Unavailable, message, hint));
            }
        };
        let limit = service.timeout.min(left);
        tokio::time::timeout(limit, service.exchange(asked)).await.unwrap_or_else(|_| {
            let cap = if service.timeout <= left {
                format!("`http.services.{name}.timeout`")
            } else {
                "the time of this call".to_owned()
            };
            let limit = crate::definition::Period(limit);
            let message = format!("`{name}` did not answer whole within {limit}, which is {cap}");
            Err(HttpError::new(HttpErrorKind::Timeout, message, "ask for less, or try again later"))
        })
    }
}

impl Service {
    fn new(
        name: &str,
        settings: &settings::Service,
        variable: &dyn Fn(&str) -> Option<String>,
        lookup: Lookup,
    ) -> Result<Self, String> {
        let open: Arc<[settings::Network]> = settings.allow_private.as_slice().into();
        let mut headers = HeaderMap::new();
        let mut secrets = Vec::new();
        let mut secret = |key: &str, name: &str| {
            let value = variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| format!("the environment variable `{name}` (`{key}`) is not set"))?;
            secrets.push(value.clone());
            Ok::<_, String>(value)
        };
        for (header, name) in &settings.headers_env {
            let key = format!("headers_env.{header}");
            let value = sensitive(&secret(&key, name)?, &key)?;
            let header =
                HeaderName::try_from(header.as_str()).map_err(|_| format!("`{header}` is no name of a header"))?;
            headers.insert(header, value);
        }
        let password = settings.basic_password_env.as_deref();
        let password = password.map(|name| secret("basic_password_env", name)).transpose()?;
        let token = settings.bearer_env.as_deref().map(|name| secret("bearer_env", name)).transpose()?;
        let authorization = match (token, &settings.basic_user, password) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                return Err("it has both `bearer_env` and basic authentication: keep one".to_owned());
            }
            (None, None, Some(_)) => return Err("`basic_password_env` needs `basic_user`".to_owned()),
            (Some(token), None, None) => Some(format!("Bearer {token}")),
            (None, Some(user), password) => {
                let pair = format!("{user}:{}", password.unwrap_or_default());
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                secrets.push(pair.clone());
                Some(format!("Basic {pair}"))
            }
            (None, None, None) => None,
        };
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, sensitive(&value, "bearer_env")?);
        }
        // Another user of rustls may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = reqwest::Client::builder()
            .no_proxy()
            .referer(false)
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(resolve::Resolver { lookup, open: open.clone() }))
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        if let Some(file) = &settings.ca_file {
            let told = |error: &dyn std::fmt::Display| format!("`{}` (`ca_file`): {error}", file.display());
            let pem = std::fs::read(file).map_err(|error| told(&error))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| told(&error))?;
            if certificates.is_empty() {
                return Err(told(&"it holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)"));
            }
            // What is in PEM and no certificate would be told without its file when the client is made.
            let mut store = rustls::RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| told(&error))?;
                store.add(certificate).map_err(|error| told(&error))?;
            }
            client = client.tls_certs_merge(certificates);
        }
        let client = client.build().map_err(|error| format!("cannot set up HTTP: {error}"))?;
        Ok(Self {
            name: name.to_owned(),
            base: settings.url.0.clone(),
            client,
            open,
            headers,
            hidden: hidden::Hidden::new(secrets),
            timeout: settings.timeout.0,
            max_bytes: settings.max_bytes.as_usize(),
        })
    }

    /// An address that is written as a number is not resolved by anybody: it is judged here.
    fn judge(&self, url: &Url) -> Result<(), HttpError> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        match address::refused(address, &self.open) {
            Some(what) => {
                let host = url.host_str().unwrap_or_default().to_owned();
                Err(error::Refused { host, address, what }.told(&self.name))
            }
            None => Ok(()),
        }
    }
}

fn sensitive(value: &str, key: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| format!("the value of the variable of `{key}` holds what no header may"))?;
    value.set_sensitive(true);
    Ok(value)
}
