//! Who calls over HTTP: an API key or an access token becomes a [`Principal`].
//!
//! Nothing here knows MCP. The transport asks [`Identity::authenticate`] for every request; there is no session that
//! would remember an answer, so that a revoked key ends with its next request.

mod jwks;
pub mod keys;
mod options;
mod tokens;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

use crate::engine::Principal;
use keys::{Keys, PREFIX};
use tokens::{Rejected, Tokens};

pub use jwks::Times;
pub use tokens::{At, ClaimNames, TokenOptions, public_url};

/// Where the document stands that leads to the issuer (RFC 9728).
pub const METADATA: &str = "/.well-known/oauth-protected-resource";

/// What the operator decides about credentials.
#[derive(Debug, Clone, Default)]
pub struct IdentityOptions {
    /// File of the API keys.
    pub keys_file: Option<PathBuf>,
    /// Nobody is asked until that file exists.
    pub open_until_keys: bool,
    /// Scopes of those whom nobody asks. None: they lack none.
    pub open_scopes: Option<Vec<String>>,
    /// Whose access tokens are accepted.
    pub tokens: Option<TokenOptions>,
}

/// Tells who calls.
#[derive(Debug)]
pub struct Identity {
    /// Nobody is asked yet. Never set again: a file that vanishes lets nobody in.
    open: AtomicBool,
    open_scopes: Option<Vec<String>>,
    keys: Option<Keys>,
    tokens: Option<Tokens>,
}

/// Why a request is not served.
#[derive(Debug, Clone, PartialEq)]
pub struct Denied {
    pub status: StatusCode,
    /// `WWW-Authenticate` of the answer.
    pub challenge: Option<HeaderValue>,
    /// What happened and what to do, without the credential.
    pub message: String,
}

impl Identity {
    /// # Errors
    /// The options about access tokens do not fit together.
    pub fn new(options: IdentityOptions) -> Result<Self, String> {
        let tokens = options.tokens.map(Tokens::new).transpose()?;
        let open = AtomicBool::new(options.open_until_keys && tokens.is_none());
        Ok(Self { open, open_scopes: options.open_scopes, keys: options.keys_file.map(Keys::new), tokens })
    }

    /// Who sends a request with these headers.
    ///
    /// # Errors
    /// There is no credential, it is not valid, or it cannot be checked at present.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Principal, Denied> {
        self.authenticate_at(headers, At::Protocol).await
    }

    /// As [`Self::authenticate`], at one of the URLs of this server.
    ///
    /// # Errors
    /// As there; the challenge leads to what is said of that URL.
    pub async fn authenticate_at(&self, headers: &HeaderMap, at: At) -> Result<Principal, Denied> {
        if self.is_open().await {
            return Ok(Principal { scopes: self.open_scopes.clone(), ..Principal::default() });
        }
        let credential = credential(headers).map_err(|message| self.refused(at, false, message))?;
        let Some(credential) = credential else {
            return Err(self.refused(at, false, "no credential was sent; send `Authorization: Bearer …`"));
        };
        match &self.keys {
            Some(keys) if credential.starts_with(PREFIX) => match keys.principal(credential).await {
                Ok(Some(principal)) => Ok(principal),
                Ok(None) => {
                    let message = "the API key is not known, was revoked or has expired; ask for a new one";
                    Err(self.refused(at, true, message))
                }
                Err(error) => {
                    tracing::error!(%error, "The API keys cannot be read: nobody who sends one is let in.");
                    Err(Denied {
                        status: StatusCode::SERVICE_UNAVAILABLE,
                        challenge: None,
                        message: "the API keys cannot be read at present; tell the operator, or try again later".into(),
                    })
                }
            },
            _ => self.token(credential, at).await,
        }
    }

    /// Whether nobody is asked, because there are no keys yet.
    pub async fn is_open(&self) -> bool {
        if !self.open.load(Ordering::Acquire) {
            return false;
        }
        match &self.keys {
            Some(keys) if keys.exist().await => {
                if self.open.swap(false, Ordering::AcqRel) {
                    tracing::info!("There are API keys now: from here on every caller is asked for one.");
                }
                false
            }
            _ => true,
        }
    }

    async fn token(&self, credential: &str, at: At) -> Result<Principal, Denied> {
        let Some(tokens) = &self.tokens else {
            return Err(self.refused(at, true, "the credential is none that this server gives out or accepts"));
        };
        tokens.principal(credential).await.map_err(|rejected| match rejected {
            Rejected::Invalid(message) => self.refused(at, true, message),
            Rejected::Insufficient(message) => self.insufficient(at, &[], &message),
            Rejected::Unavailable => Denied {
                status: StatusCode::SERVICE_UNAVAILABLE,
                challenge: None,
                message: "the issuer's keys cannot be read at present; try again later".into(),
            },
        })
    }

    /// The document below [`METADATA`], and the path of the resource that it describes; none where no access tokens are
    /// accepted.
    pub fn resource_metadata(&self, at: At) -> Option<(Value, String)> {
        self.tokens.as_ref().and_then(|tokens| tokens.metadata(at))
    }

    /// Whether clients that look for the issuer are sent to it: no public URL is known otherwise.
    pub fn leads_to_issuer(&self) -> bool {
        self.tokens.is_none() || self.resource_metadata(At::Protocol).is_some()
    }

    /// What to do, for a client that looks for an issuer here.
    pub async fn how_to_authenticate(&self) -> String {
        let key = "send `Authorization: Bearer tfo_…`, a key that `tfo-mcp keys create` makes";
        match &self.tokens {
            _ if self.is_open().await => "no OAuth here: nobody is asked for a credential".into(),
            None => format!("no OAuth here: {key}"),
            Some(tokens) => {
                format!("this server issues no tokens: get one from {}, or {key}", tokens.issuer())
            }
        }
    }

    /// 403 for want of the scopes that something asks for.
    pub fn insufficient(&self, at: At, scopes: &[String], message: &str) -> Denied {
        let challenge = self.challenge(at, scopes, Some(("insufficient_scope", message)));
        Denied { status: StatusCode::FORBIDDEN, challenge, message: message.to_owned() }
    }

    /// 401. A credential that is wrong is told apart from one that is missing (RFC 6750, 3.1).
    fn refused(&self, at: At, invalid: bool, message: impl Into<String>) -> Denied {
        let message = message.into();
        let challenge = self.challenge(at, &[], invalid.then_some(("invalid_token", message.as_str())));
        Denied { status: StatusCode::UNAUTHORIZED, challenge, message }
    }

    /// `WWW-Authenticate` (RFC 6750, RFC 9728).
    fn challenge(&self, at: At, scopes: &[String], error: Option<(&str, &str)>) -> Option<HeaderValue> {
        let mut parts = match &self.tokens {
            Some(tokens) => tokens.directions(at, scopes),
            None => tokens::scope(&scopes.iter().map(String::as_str).collect::<Vec<_>>()).into_iter().collect(),
        };
        if let Some((error, description)) = error {
            // What RFC 6750 allows in a quoted description.
            let plain = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
            let description: String = description.chars().filter(plain).collect();
            parts.push(format!("error=\"{error}\", error_description=\"{description}\""));
        }
        let text = if parts.is_empty() { "Bearer".to_owned() } else { format!("Bearer {}", parts.join(", ")) };
        HeaderValue::from_str(&text).ok()
    }
}

/// How the subjects of access tokens begin.
const TOKEN: &str = "token:";

/// Whether the client of a caller can ask an issuer for more scopes: one with an API key cannot.
pub fn can_ask_for_more(caller: &Principal) -> bool {
    caller.subject.as_ref().is_some_and(|subject| subject.starts_with(TOKEN))
}

/// The credential of a request; none where it brings none. Several are refused, because two readers of the request
/// could take different ones.
fn credential(headers: &HeaderMap) -> Result<Option<&str>, &'static str> {
    let mut found = None;
    for (name, scheme) in [(header::AUTHORIZATION.as_str(), Some("bearer")), ("x-api-key", None)] {
        for value in headers.get_all(name) {
            let value = value.to_str().map_err(|_| "the credential holds bytes that no credential has")?;
            let value = match (scheme, value.split_once(' ')) {
                (None, _) => value.trim(),
                (Some(scheme), Some((said, rest))) if said.eq_ignore_ascii_case(scheme) => rest.trim(),
                (Some(_), _) => return Err("`Authorization` must be of the form `Bearer …`"),
            };
            if found.replace(value).is_some() {
                return Err("more than one credential was sent; send one");
            }
        }
    }
    Ok(found.filter(|credential| !credential.is_empty()))
}
