//! The public keys of an issuer: fetched when they are needed, kept while the issuer is down.
//!
//! Tokens are anybody's input, so a token must not be able to make us fetch at will: a key that is not known is
//! looked for once in a while, whoever asks and how often.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use jsonwebtoken::{
    Algorithm,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde_json::Value;
use tokio::sync::Mutex;
use url::{Host, Url};

use crate::settings::Auth;

/// Longest wait for the issuer, for its metadata and its keys together.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest document and most keys of an issuer.
const MAX_BYTES: usize = 1 << 20;
const MAX_KEYS: usize = 100;

/// The keys of one issuer.
#[derive(Debug)]
pub struct Jwks {
    issuer: String,
    url: Option<String>,
    times: Times,
    client: reqwest::Client,
    known: ArcSwapOption<Known>,
    /// When the issuer was last asked. The lock is held while it is: one caller asks, the others wait for it.
    asked: Arc<Mutex<Option<Instant>>>,
}

/// How often an issuer is asked.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Shortest time between two attempts.
    pub pause: Duration,
    /// How long keys are used before the issuer is asked again.
    pub fresh: Duration,
    /// How long keys are used at most, where the issuer cannot be asked.
    pub keep: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            pause: Duration::from_secs(10),
            fresh: Duration::from_secs(10 * 60),
            keep: Auth::default().jwks_max_age.0,
        }
    }
}

#[derive(Debug)]
struct Known {
    keys: Vec<Jwk>,
    at: Instant,
}

/// A key that was looked for.
pub enum Found {
    Key(Box<Jwk>),
    /// The issuer has no such key.
    None,
    /// Nothing is known of the issuer's keys, and it cannot be asked now.
    Unavailable,
}

impl Jwks {
    /// # Errors
    /// An address is neither `https` nor this machine, or TLS cannot be set up.
    pub fn new(issuer: &str, url: Option<&str>, times: Times) -> Result<Self, String> {
        safe(issuer)?;
        if let Some(url) = url {
            safe(url)?;
        }
        // Another user of rustls may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("cannot set up HTTPS: {error}"))?;
        let (known, asked) = (ArcSwapOption::empty(), Arc::default());
        Ok(Self { issuer: issuer.to_owned(), url: url.map(str::to_owned), times, client, known, asked })
    }

    /// The key of a token.
    pub async fn find(self: &Arc<Self>, kid: Option<&str>, algorithm: Algorithm) -> Found {
        let known = self.known();
        if let Some(known) = &known
            && let Some(key) = known.key(kid, algorithm)
        {
            if known.at.elapsed() >= self.times.fresh
                && let Ok(mut asked) = self.asked.clone().try_lock_owned()
            {
                // What is known serves while the issuer is asked: nobody waits for that.
                let jwks = self.clone();
                tokio::spawn(async move { jwks.refresh(&mut asked).await });
            }
            return Found::Key(key.into());
        }
        {
            let mut asked = self.asked.clone().lock_owned().await;
            let now = self.known();
            let same = match (&known, &now) {
                (Some(before), Some(now)) => Arc::ptr_eq(before, now),
                (before, now) => before.is_none() && now.is_none(),
            };
            // Somebody else may have asked while this one waited.
            if same {
                // In a task of its own: a caller that leaves would take the answer of all others along.
                let jwks = self.clone();
                let _ = tokio::spawn(async move { jwks.refresh(&mut asked).await }).await;
            }
        }
        match self.known() {
            Some(known) => known.key(kid, algorithm).map_or(Found::None, |key| Found::Key(key.into())),
            None => Found::Unavailable,
        }
    }

    /// The keys that may still be used.
    fn known(&self) -> Option<Arc<Known>> {
        self.known.load_full().filter(|known| known.at.elapsed() < self.times.keep)
    }

    async fn refresh(&self, asked: &mut Option<Instant>) {
        if asked.is_some_and(|at| at.elapsed() < self.times.pause) {
            return;
        }
        *asked = Some(Instant::now());
        let fetched = tokio::time::timeout(TIMEOUT, self.fetch()).await;
        match fetched.unwrap_or_else(|_| Err(format!("no answer within {} s", TIMEOUT.as_secs()))) {
            Ok(keys) => self.known.store(Some(Arc::new(Known { keys, at: Instant::now() }))),
            Err(error) => {
                let issuer = &self.issuer;
                match self.known() {
                    Some(known) => {
                        let known_for = known.at.elapsed().as_secs();
                        tracing::warn!(%issuer, %error, known_for, "The keys of the issuer cannot be read; known ones stay.");
                    }
                    None => {
                        tracing::error!(%issuer, %error, "The keys of the issuer cannot be read: no token is accepted.")
                    }
                }
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<Jwk>, String> {
        let url = match &self.url {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        let document = self.get(&url).await?;
        let keys = document.get("keys").and_then(Value::as_array).ok_or_else(|| format!("{url} holds no `keys`"))?;
        // A key of a kind that we do not know is no reason to do without the others.
        Ok(keys.iter().take(MAX_KEYS).filter_map(|key| serde_json::from_value(key.clone()).ok()).collect())
    }

    /// Where the issuer publishes its keys, as its metadata say (RFC 8414, OpenID Connect Discovery).
    async fn discover(&self) -> Result<String, String> {
        let issuer = self.issuer.trim_end_matches('/');
        let url = Url::parse(issuer).map_err(|error| format!("the issuer is no URL: {error}"))?;
        let (origin, path) = (url.origin().ascii_serialization(), url.path().trim_end_matches('/'));
        let places = [
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
            format!("{origin}/.well-known/openid-configuration{path}"),
            format!("{issuer}/.well-known/openid-configuration"),
        ];
        let mut last = String::new();
        for place in places {
            match self.get(&place).await {
                Ok(metadata) if metadata.get("issuer").and_then(Value::as_str) != Some(self.issuer.as_str()) => {
                    last = format!("{place} is about another issuer");
                }
                Ok(metadata) => match metadata.get("jwks_uri").and_then(Value::as_str) {
                    Some(url) => return Ok(url.to_owned()),
                    None => last = format!("{place} names no `jwks_uri`"),
                },
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn get(&self, url: &str) -> Result<Value, String> {
        safe(url)?;
        let failed = |error: reqwest::Error| format!("{url} cannot be read: {}", error.without_url());
        let mut response = self.client.get(url).send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(format!("{url} answered {}", response.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_BYTES {
                return Err(format!("{url} answered too much"));
            }
        }
        serde_json::from_slice(&bytes).map_err(|_| format!("{url} answered no JSON"))
    }
}

impl Known {
    /// The key with this id; for a token without one the only key that fits.
    fn key(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Jwk> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| (kid.is_none() || key.common.key_id.as_deref() == kid) && fits(key, algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Some(key.clone()),
            _ => None,
        }
    }
}

/// Whether a key is for signatures of an algorithm. Never a symmetric one: everybody knows these keys.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let kind = match (&key.algorithm, algorithm) {
        (
            AlgorithmParameters::RSA(_),
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512,
        ) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES384) => key.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(key), Algorithm::EdDSA) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    let named = key.common.key_algorithm.as_ref().is_none_or(|named| named.to_string() == format!("{algorithm:?}"));
    let signs = key.common.public_key_use.as_ref().is_none_or(|r#use| *r#use == PublicKeyUse::Signature);
    let verifies = key.common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
    kind && named && signs && verifies
}

/// Keys come over `https`, or from this machine.
fn safe(url: &str) -> Result<(), String> {
    let parsed = Url::parse(url).map_err(|error| format!("`{url}` is no URL: {error}"))?;
    let local = match parsed.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    };
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if local => Ok(()),
        _ => Err(format!("`{url}` is not `https`, and whoever sits between could put keys of their own in it")),
    }
}
