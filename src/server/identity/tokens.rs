//! Access tokens of an issuer (OAuth 2.1): what makes one valid here, and whom it names.
//!
//! A token is a signed JWT for this server's audience. Only asymmetric signatures count, and the algorithm must fit
//! the issuer's key, so that neither `none` nor a public key used as a secret passes.

use std::{collections::BTreeMap, str::FromStr as _, sync::Arc, time::Duration};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, errors::ErrorKind};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use url::Url;

use super::{
    METADATA,
    jwks::{Found, Jwks, Times},
};
use crate::engine::Principal;

/// Largest difference of clocks that can be forgiven.
const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);
/// Longest token that is looked at.
const MAX_TOKEN: usize = 16 << 10;
const ASYMMETRIC: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// What the operator decides about access tokens.
#[derive(Debug, Clone)]
pub struct TokenOptions {
    pub issuer: String,
    /// Of which a token names one. The resource is among them.
    pub audiences: Vec<String>,
    /// Default: as the issuer's metadata say.
    pub jwks_url: Option<String>,
    pub required_scopes: Vec<String>,
    /// Names of signature algorithms. Empty: all asymmetric ones.
    pub algorithms: Vec<String>,
    pub claims: ClaimNames,
    /// Public URL of the path of the protocol. Default: the first audience that is one.
    pub resource: Option<String>,
    /// Path of the protocol, and that of the transport of 2024-11-05: to clients each is a resource with a URL of its own.
    pub paths: Option<(String, String)>,
    /// Difference of clocks that is forgiven.
    pub leeway: Duration,
    /// How often the issuer is asked for its keys.
    pub times: Times,
}

/// Which claim says what; names may be paths with dots.
#[derive(Debug, Clone, Default)]
pub struct ClaimNames {
    pub organizations: String,
    pub workspace: Option<String>,
    pub user: Option<String>,
    pub toolsets: Option<String>,
    /// What statements see as `claims.NAME`.
    pub variables: BTreeMap<String, String>,
}

/// Which URL of this server a client has called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Streamable HTTP.
    Protocol,
    /// The transport of 2024-11-05.
    Stream,
}

/// Checks access tokens.
#[derive(Debug)]
pub struct Tokens {
    options: TokenOptions,
    algorithms: Vec<Algorithm>,
    /// The public URL as it was written, and as it is understood.
    resource: Option<(String, Url)>,
    /// The same of the transport of 2024-11-05.
    stream: Option<(String, Url)>,
    keys: Arc<Jwks>,
}

/// Why a token opens nothing.
#[derive(Debug)]
pub enum Rejected {
    Invalid(&'static str),
    /// It is genuine, and does not cover enough.
    Insufficient(String),
    /// The issuer's keys are not known at present.
    Unavailable,
}

impl Tokens {
    /// # Errors
    /// The options do not fit together.
    pub fn new(mut options: TokenOptions) -> Result<Self, String> {
        let wanted: Vec<&str> = match options.algorithms.as_slice() {
            [] => ASYMMETRIC.to_vec(),
            named => named.iter().map(String::as_str).collect(),
        };
        let algorithm = |name: &&str| match ASYMMETRIC.contains(name) {
            true => Algorithm::from_str(name).map_err(|_| format!("`{name}` is no signature algorithm")),
            false => Err(format!("`{name}` is no asymmetric signature algorithm: write {}", ASYMMETRIC.join(", "))),
        };
        let algorithms = wanted.iter().map(algorithm).collect::<Result<_, _>>()?;
        options.audiences.retain(|audience| !audience.is_empty());
        if options.leeway > MAX_LEEWAY {
            return Err(format!("a leeway of more than {} s would keep expired tokens alive", MAX_LEEWAY.as_secs()));
        }
        let resource = match &options.resource {
            Some(resource) => Some((resource.clone(), public_url(resource)?)),
            // Audiences may have any form: `api://…`, `urn:…`.
            None => options.audiences.iter().find_map(|audience| Some((audience.clone(), public_url(audience).ok()?))),
        };
        // Who asks the issuer for what is advertised gets a token for that.
        let stream = resource.as_ref().zip(options.paths.as_ref());
        let stream = stream.and_then(|((resource, _), (path, stream))| {
            let beside =
                format!("{}{stream}", resource.trim_end_matches('/').strip_suffix(path.trim_end_matches('/'))?);
            let url = public_url(&beside).ok()?;
            Some((beside, url))
        });
        options.audiences.extend(resource.iter().chain(&stream).map(|(resource, _)| resource.clone()));
        if options.audiences.is_empty() {
            return Err("an issuer without an audience would let in tokens that were meant for others".into());
        }
        let twins: Vec<String> = options.audiences.iter().filter_map(|audience| twin(audience)).collect();
        options.audiences.extend(twins);
        let keys = Jwks::new(&options.issuer, options.jwks_url.as_deref(), options.times)?;
        Ok(Self { options, algorithms, resource, stream, keys: Arc::new(keys) })
    }

    /// Whom a token names.
    ///
    /// # Errors
    /// It is not valid here, or does not cover enough.
    pub async fn principal(&self, token: &str) -> Result<Principal, Rejected> {
        let claims = self.verified(token).await?;
        let scopes = scopes(&claims);
        if let Some(lacking) = self.options.required_scopes.iter().find(|scope| !scopes.contains(scope)) {
            return Err(Rejected::Insufficient(format!("the access token lacks the scope `{lacking}`")));
        }
        let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
        let subject = subject.ok_or(Rejected::Invalid("the access token names no subject"))?;
        let names = &self.options.claims;
        let text = |name: &Option<String>| {
            name.as_deref().and_then(|name| at(&claims, name)).and_then(Value::as_str).map(str::to_owned)
        };
        let organizations = at(&claims, &names.organizations).map(texts).unwrap_or_default();
        let organizations: Result<Vec<String>, _> =
            organizations.iter().map(|id| uuid::Uuid::parse_str(id).map(|id| id.to_string())).collect();
        let organizations = organizations.unwrap_or_default();
        if organizations.is_empty() {
            let message =
                format!("the access token covers no organisation: its claim `{}` names none", names.organizations);
            return Err(Rejected::Insufficient(message));
        }
        let variables = names.variables.iter();
        Ok(Principal {
            organizations: Some(organizations),
            workspace_id: text(&names.workspace),
            user_id: text(&names.user),
            subject: Some(format!("{}{subject}", super::TOKEN)),
            credential: Some(self.options.issuer.clone()),
            scopes: Some(scopes),
            // Where a claim decides, a token without it opens none.
            toolsets: names.toolsets.as_ref().map(|name| at(&claims, name).map(texts).unwrap_or_default()),
            claims: variables.filter_map(|(name, claim)| Some((name.clone(), at(&claims, claim)?.clone()))).collect(),
        })
    }

    async fn verified(&self, token: &str) -> Result<Map<String, Value>, Rejected> {
        const MALFORMED: Rejected = Rejected::Invalid("the credential is neither an API key nor an access token");
        if token.len() > MAX_TOKEN {
            return Err(MALFORMED);
        }
        let header = decode_header(token).map_err(|_| MALFORMED)?;
        if !self.algorithms.contains(&header.alg) {
            return Err(Rejected::Invalid("the access token is signed in a way that is not accepted"));
        }
        let typ = header.typ.as_deref().map(|typ| typ.to_ascii_lowercase());
        if header.crit.is_some() || !matches!(typ.as_deref(), None | Some("jwt" | "at+jwt" | "application/at+jwt")) {
            return Err(Rejected::Invalid("the credential is a token of another kind"));
        }
        let key = match self.keys.find(header.kid.as_deref(), header.alg).await {
            Found::Key(key) => key,
            Found::None => return Err(Rejected::Invalid("the access token is signed with a key that is not known")),
            Found::Unavailable => return Err(Rejected::Unavailable),
        };
        let key = DecodingKey::from_jwk(&key)
            .map_err(|_| Rejected::Invalid("the access token is signed with a key that cannot be used"))?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = self.options.leeway.as_secs();
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.options.issuer]);
        validation.set_audience(&self.options.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let token = decode::<Map<String, Value>>(token, &key, &validation).map_err(|error| {
            Rejected::Invalid(match error.kind() {
                ErrorKind::ExpiredSignature => "the access token has expired",
                ErrorKind::ImmatureSignature => "the access token is not valid yet",
                ErrorKind::InvalidAudience => "the access token is for another audience",
                ErrorKind::InvalidIssuer => "the access token is of another issuer",
                ErrorKind::MissingRequiredClaim(_) => "the access token lacks one of `exp`, `iss`, `aud` and `sub`",
                _ => "the access token is not genuine",
            })
        })?;
        let latest = OffsetDateTime::now_utc().unix_timestamp() as f64 + self.options.leeway.as_secs_f64();
        if token.claims.get("iat").is_some_and(|issued| issued.as_f64().is_none_or(|issued| issued > latest)) {
            return Err(Rejected::Invalid("the access token was issued in the future"));
        }
        if token.claims.contains_key("cnf") {
            // Taken as a bearer token it would be worth the same to whoever stole it (RFC 7800, 8705, 9449).
            let what = "the access token is bound to a key of its client (`cnf`), which is not checked here: ask the \
                        issuer for a bearer token";
            return Err(Rejected::Invalid(what));
        }
        // The library accepts a list that holds the issuer.
        match token.claims.get("iss").and_then(Value::as_str) {
            Some(issuer) if issuer == self.options.issuer => Ok(token.claims),
            _ => Err(Rejected::Invalid("the access token is of another issuer")),
        }
    }

    pub fn issuer(&self) -> &str {
        &self.options.issuer
    }

    fn resource(&self, at: At) -> Option<&(String, Url)> {
        match at {
            At::Protocol => self.resource.as_ref(),
            At::Stream => self.stream.as_ref(),
        }
    }

    /// The document of RFC 9728, and the path of the resource that it describes.
    pub fn metadata(&self, at: At) -> Option<(Value, String)> {
        let (resource, url) = self.resource(at)?;
        let mut metadata = json!({
            "resource": resource,
            "authorization_servers": [self.options.issuer],
            "bearer_methods_supported": ["header"],
        });
        if let (Some(metadata), false) = (metadata.as_object_mut(), self.options.required_scopes.is_empty()) {
            metadata.insert("scopes_supported".into(), json!(self.options.required_scopes));
        }
        Some((metadata, url.path().to_owned()))
    }

    /// Parameters of `WWW-Authenticate` that say where to get a token, of which scopes at least.
    pub fn directions(&self, at: At, scopes: &[String]) -> Vec<String> {
        let mut directions = Vec::new();
        if let Some((_, url)) = self.resource(at).or(self.resource.as_ref()) {
            let (origin, path) = (url.origin().ascii_serialization(), url.path().trim_end_matches('/'));
            directions.push(format!("resource_metadata=\"{origin}{METADATA}{path}\""));
        }
        let further = scopes.iter().filter(|scope| !self.options.required_scopes.contains(scope));
        let scopes: Vec<&str> = self.options.required_scopes.iter().chain(further).map(String::as_str).collect();
        directions.extend(scope(&scopes));
        directions
    }
}

/// A URL under which a server can be reached.
///
/// # Errors
/// It is none, or holds what no such URL has.
pub fn public_url(text: &str) -> Result<Url, String> {
    let wrong = |what: &str| Err(format!("`{text}` {what}; write it as `https://mcp.example.com/mcp`"));
    match Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => wrong("is no URL of http or https"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => wrong("names a user"),
        Ok(url) if url.query().is_some() || url.fragment().is_some() => wrong("has a query or a fragment"),
        Ok(url) => Ok(url),
        Err(error) => wrong(&format!("is no URL ({error})")),
    }
}

/// The same audience with the slash of an empty path, or without: libraries differ in which they write.
fn twin(audience: &str) -> Option<String> {
    public_url(audience).ok().filter(|url| url.path() == "/")?;
    Some(audience.strip_suffix('/').map_or_else(|| format!("{audience}/"), str::to_owned))
}

/// `scope` of `WWW-Authenticate` (RFC 6750, 3).
pub fn scope(scopes: &[&str]) -> Option<String> {
    (!scopes.is_empty()).then(|| format!("scope=\"{}\"", scopes.join(" ")))
}

/// A claim by name, or else by a path with dots. Names with dots are common: they are URLs.
fn at<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let found = match claims.get(path) {
        Some(found) => found,
        None => {
            let (first, rest) = path.split_once('.')?;
            return at(claims.get(first)?.as_object()?, rest);
        }
    };
    Some(found).filter(|found| !found.is_null())
}

/// A text, or a list of texts.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// `scope` of RFC 9068, `scp` as some issuers write it (Entra ID a text, Okta a list), or both: some put into one what a
/// user allowed, and into the other what the client may do.
fn scopes(claims: &Map<String, Value>) -> Vec<String> {
    let said = ["scope", "scp"].into_iter().filter_map(|name| claims.get(name)).flat_map(texts);
    let mut scopes = Vec::new();
    for text in said {
        for scope in text.split_ascii_whitespace() {
            if !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
    }
    scopes
}
