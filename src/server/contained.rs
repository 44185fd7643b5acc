//! What surrounds every request: a panic stays inside its request, and its end is reported.
//!
//! rmcp runs a request in a task of its own and never learns that the task panicked: the client would wait for
//! ever. This layer sits between rmcp and the server, so that it covers every method, also those to come.

use std::{borrow::Cow, panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt as _;
use rmcp::{
    ErrorData, RoleServer,
    model::{ClientNotification, ClientRequest, ErrorCode, ProtocolVersion, ServerConfig, ServerResult},
    service::{NotificationContext, RequestContext, Service},
};

use super::{convert, in_flight::InFlight, later_revision, params, wire};
use crate::engine::{CallError, CallErrorKind};

/// The outcome of a call, whose panic is a defect like any other. Over HTTP rmcp wants a handler, around which no
/// service can stand.
pub async fn guarded<T>(call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
    // The panic itself, with file and line, has been written to stderr by the panic hook.
    AssertUnwindSafe(call)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(CallError::new(CallErrorKind::Internal, "the handler panicked")))
}

/// The answer to a request, whose panic is a defect like any other.
pub async fn wholly<T>(work: impl Future<Output = Result<T, ErrorData>>) -> Result<T, ErrorData> {
    let answer = AssertUnwindSafe(work).catch_unwind().await;
    answer.unwrap_or_else(|_| Err(convert::internal_error())).map_err(wire::masked)
}

/// The same of work that waits for nothing.
pub fn at_once<T>(work: impl FnOnce() -> Result<T, ErrorData>) -> Result<T, ErrorData> {
    let answer = std::panic::catch_unwind(AssertUnwindSafe(work));
    answer.unwrap_or_else(|_| Err(convert::internal_error())).map_err(wire::masked)
}

/// A service whose panics are answered as `-32603`.
#[derive(Debug)]
pub struct Contained<S> {
    pub service: S,
    /// Told when a request's handler has ended.
    pub in_flight: Arc<InFlight>,
}

impl<S: Service<RoleServer>> Service<RoleServer> for Contained<S> {
    async fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let _running = self.in_flight.running(context.id.clone());
        let of_tasks = matches!(
            request,
            ClientRequest::GetTaskRequest(_)
                | ClientRequest::UpdateTaskRequest(_)
                | ClientRequest::CancelTaskRequest(_)
        );
        if of_tasks && !later_revision(&context) {
            // rmcp would ask for a capability that these revisions do not know.
            return Err(params::method_not_found(request.method()));
        }
        let answer = AssertUnwindSafe(self.service.handle_request(request, context)).catch_unwind().await;
        // The panic itself, with file and line, has been written to stderr by the panic hook.
        let answer = answer.unwrap_or_else(|_| Err(convert::internal_error()));
        answer.map_err(|error| match error.code {
            // rmcp's own message is the bare name of the method.
            ErrorCode::METHOD_NOT_FOUND if !error.message.contains(' ') => {
                wire::masked(params::method_not_found(&error.message))
            }
            _ => wire::masked(error),
        })
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.service.handle_notification(notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        self.service.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.service.supported_protocol_versions()
    }
}
