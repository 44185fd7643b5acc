//! Services over HTTP: whether each is set up and answers at its address.

use std::time::Duration;

use futures::future::join_all;
use serde::Serialize;

use super::State;
use crate::{
    engine::Engine,
    host::http::{Asked, Method},
};

/// A service of the settings.
#[derive(Debug, Serialize)]
pub(super) struct ServiceReport {
    pub state: State,
    pub name: String,
    /// What was found.
    pub found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what_to_do: Option<String>,
}

/// Asks each service for what lies at its address, all at the same time. Any answer shows that it is there; what paths below it
/// answer is for definitions to find out.
pub(super) async fn reports(engine: &Engine, patience: Duration) -> Vec<ServiceReport> {
    let services = &engine.options().services;
    let reports = services.names().map(async |name| {
        let asked = Asked { method: Method::Get, path: Vec::new(), query: Vec::new(), headers: Vec::new(), body: None };
        let (state, found, what_to_do) = match services.ask(name, &asked, patience).await {
            Err(error) => (State::Broken, error.message, Some(error.hint)),
            Ok(answer) => {
                let found = format!("answers {} {}", answer.status, answer.reason);
                let found = found.trim_end().to_owned();
                match answer.status {
                    401 | 403 => {
                        let what = format!("see whether the credentials of `http.services.{name}` are those it wants");
                        (State::Warning, found, Some(what))
                    }
                    500.. => (State::Warning, found, Some("see what the service itself logs".to_owned())),
                    _ => (State::Ok, found, None),
                }
            }
        };
        ServiceReport { state, name: name.to_owned(), found, what_to_do }
    });
    join_all(reports).await
}
