//! What is asked for where nothing is.
//!
//! A client that is asked for a credential looks for an issuer, and would register itself with this server: at paths of
//! OAuth, whose errors it reads as JSON and shows. So what is shown says how to authenticate.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde_json::json;

use super::Shared;

/// The last part of the paths at which clients look for an issuer, or take this server for one.
const OAUTH: [&str; 7] = ["register", "authorize", "token", "revoke", "introspect", "oauth", "callback"];

pub async fn elsewhere(State(shared): State<Arc<Shared>>, request: Request) -> impl IntoResponse {
    let at = &shared.options.path;
    let path = request.uri().path();
    let of_oauth = path.split('/').any(|part| part == ".well-known" || OAUTH.contains(&part));
    let identity = shared.options.identity.as_ref();
    let (error, what) = match identity {
        Some(identity) if of_oauth => ("invalid_request", identity.how_to_authenticate().await),
        _ => ("not_found", format!("there is nothing at this path: MCP is served at {at}")),
    };
    (StatusCode::NOT_FOUND, axum::Json(json!({ "error": error, "error_description": what })))
}
