//! The way of a request through the layers, outermost first, written as one function.
//!
//! A stack of layers would be copied for every request, and each of them in each: more than all else that is done for a
//! small call. What stands behind the layers, rmcp among it, is copied for a request that gets there and for no other.

use std::{future::Future, sync::Arc};

use axum::{Router, extract::Request, response::Response};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::{Shared, answer, authenticate, front::front, origin::cors, sse, unambiguous};

/// Routes that stand behind layers.
#[derive(Clone)]
pub struct Next(TowerToHyperService<Router>);

impl Next {
    pub fn new(routes: Router) -> Self {
        Self(TowerToHyperService::new(routes))
    }

    pub fn run(&self, request: Request) -> impl Future<Output = Response> + Send + use<> {
        let answer = self.0.call(request);
        async {
            match answer.await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
    }
}

/// All that is served on connections.
pub struct Door {
    pub shared: Arc<Shared>,
    /// Paths of the protocol.
    pub paths: Vec<String>,
    /// What stands there.
    pub protocol: Next,
    /// What stands everywhere else.
    pub beside: Next,
}

impl Door {
    /// The answer to a request.
    pub async fn answer(self: Arc<Self>, request: Request) -> Response {
        if let Some(refusal) = unambiguous::refused(&request) {
            return refusal;
        }
        match self.paths.iter().any(|path| path == request.uri().path()) {
            true => cors(&self.shared.known, request, |request| self.protocol(request)).await,
            false => self.beside.run(request).await,
        }
    }

    async fn protocol(&self, mut request: Request) -> Response {
        if self.shared.is_sse(&request) {
            sse::name(&mut request);
        }
        let refused = match &self.shared.options.identity {
            Some(identity) => authenticate::refused(&self.shared, identity, &mut request).await,
            None => None,
        };
        answer::unbuffered(match refused {
            Some(refusal) => refusal,
            None => front(&self.shared, request, &self.protocol).await,
        })
    }
}
