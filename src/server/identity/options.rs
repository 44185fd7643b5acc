//! The settings as options of who may call.

use super::{ClaimNames, Times, TokenOptions};
use crate::{
    server::http::sse_path,
    settings::{Auth, Claims, Http},
};

impl TokenOptions {
    /// None: no issuer's tokens are accepted.
    pub fn of(auth: &Auth, http: &Http) -> Option<Self> {
        Some(Self {
            issuer: auth.issuer.clone()?,
            audiences: match auth.audience.as_slice() {
                [] => http.public_url.iter().cloned().collect(),
                audiences => audiences.to_vec(),
            },
            jwks_url: auth.jwks_url.as_ref().map(|url| url.expose().to_owned()),
            required_scopes: auth.required_scopes.clone(),
            algorithms: auth.algorithms.clone(),
            claims: ClaimNames::from(&auth.claims),
            resource: auth.resource.clone().or_else(|| http.public_url.clone()),
            paths: sse_path(http).map(|sse| (http.path.clone(), sse)),
            leeway: auth.leeway.0,
            times: Times { keep: auth.jwks_max_age.0, ..Times::default() },
        })
    }
}

impl From<&Claims> for ClaimNames {
    fn from(claims: &Claims) -> Self {
        Self {
            organizations: claims.organizations.clone(),
            workspace: claims.workspace.clone(),
            user: claims.user.clone(),
            toolsets: claims.toolsets.clone(),
            variables: claims.variables.clone(),
        }
    }
}
