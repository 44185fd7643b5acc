//! What a line of input becomes: a message for rmcp, an answer given here, or nothing.
//!
//! Called by the line transport with every line. It knows the rules that rmcp leaves open: ids are used once at a
//! time, nothing but a request counts before the handshake, and a request that rmcp would misread is refused with
//! the reason.

use std::collections::VecDeque;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        ClientNotification, ClientRequest, GetMeta as _, JsonRpcMessage, JsonRpcRequest, ProtocolVersion, RequestId,
    },
    service::RxJsonRpcMessage,
};
use serde_json::{Value, json};

use super::{Shared, params, session::Event, wire};

/// Reads lines as messages and answers those that are none.
#[derive(Debug)]
pub struct Gate {
    shared: Shared,
    /// rmcp has left its handshake: notifications and responses cannot end the session any more.
    opened: bool,
    /// A `shutdown` whose answer decides whether more is read.
    shutdown: Option<RequestId>,
    /// Answers given here, as lines.
    pub replies: VecDeque<Vec<u8>>,
}

impl Gate {
    pub fn new(shared: Shared) -> Self {
        Self { shared, opened: false, shutdown: None, replies: VecDeque::new() }
    }

    /// Reads one line as a message; answers what is none.
    pub fn read(&mut self, line: &[u8]) -> Option<RxJsonRpcMessage<RoleServer>> {
        if line.is_empty() {
            return None;
        }
        let Ok(message) = serde_json::from_slice::<RxJsonRpcMessage<RoleServer>>(line) else {
            self.replies.extend(wire::answer_to_garbage(line));
            return None;
        };
        match message {
            JsonRpcMessage::Request(request) => self.admit(request, line).map(JsonRpcMessage::Request),
            JsonRpcMessage::Notification(notification) if self.opened => {
                match &notification.notification {
                    ClientNotification::CancelledNotification(cancelled) => {
                        if let Some(id) = &cancelled.params.request_id {
                            self.shared.in_flight.cancel(id);
                        }
                    }
                    ClientNotification::InitializedNotification(_) => self.shared.session.on(Event::Initialized),
                    _ => {}
                }
                Some(JsonRpcMessage::Notification(notification))
            }
            other => self.opened.then_some(other),
        }
    }

    /// Lets a request in, or answers it here.
    fn admit(&mut self, request: JsonRpcRequest<ClientRequest>, line: &[u8]) -> Option<JsonRpcRequest<ClientRequest>> {
        if !self.shared.in_flight.begin(&request.id) {
            let error = ErrorData::invalid_request("Invalid Request: a request with this id is in flight", None);
            self.refuse(request.id, &error);
            return None;
        }
        let refusal = if self.opened { None } else { self.before_opening(&request.request) };
        if let Some(error) = refusal.or_else(|| bad_cursor(&request.request, line)) {
            self.shared.in_flight.answered(&request.id);
            self.refuse(request.id, &error);
            return None;
        }
        match &request.request {
            ClientRequest::InitializeRequest(_) => {
                self.opened = true;
                self.shared.session.on(Event::Initialize);
            }
            ClientRequest::CustomRequest(custom) if custom.method == "shutdown" => {
                if !self.opened {
                    // Nothing was negotiated, so nobody but the transport can answer.
                    self.shared.in_flight.answered(&request.id);
                    let answer = json!({"jsonrpc": "2.0", "id": request.id, "result": {}});
                    self.replies.extend(wire::line_of(&answer));
                    self.shared.session.on(Event::End);
                    return None;
                }
                self.shutdown = Some(request.id.clone());
            }
            _ => {}
        }
        Some(request)
    }

    /// rmcp answers whatever precedes `initialize` with the wants of 2026-07-28; this says what is really amiss.
    fn before_opening(&mut self, request: &ClientRequest) -> Option<ErrorData> {
        let meta = request.get_meta();
        let later_revision = meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty();
        match request {
            ClientRequest::InitializeRequest(_) | ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => {
                None
            }
            ClientRequest::CustomRequest(custom) if custom.method == "shutdown" && !later_revision => None,
            ClientRequest::CustomRequest(custom) => Some(params::refusal(&custom.method, custom.params.as_ref())),
            _ if !later_revision => Some(params::not_initialized(meta)),
            _ => {
                // An unknown version is refused by rmcp and leaves the handshake open.
                self.opened = meta.protocol_version().is_some_and(|v| ProtocolVersion::KNOWN_VERSIONS.contains(&v));
                None
            }
        }
    }

    /// The `shutdown` that must be answered before more is read.
    pub fn pending_shutdown(&self) -> Option<&RequestId> {
        self.shutdown.as_ref()
    }

    /// A response is on its way; that of a `shutdown` ends the session, unless it is an error.
    pub fn answered(&mut self, id: &RequestId, ok: bool) {
        if self.shutdown.as_ref() == Some(id) {
            self.shutdown = None;
            if ok {
                self.shared.session.on(Event::End);
            }
        }
    }

    /// Answers a request with an error.
    pub fn refuse(&mut self, id: RequestId, error: &ErrorData) {
        self.replies.push_back(wire::error_line(&id.into_json_value(), error));
    }
}

/// rmcp reads a cursor of the wrong type as no cursor at all, which would answer page one for ever.
fn bad_cursor(request: &ClientRequest, line: &[u8]) -> Option<ErrorData> {
    let params = match request {
        ClientRequest::ListToolsRequest(list) => &list.params,
        ClientRequest::ListPromptsRequest(list) => &list.params,
        ClientRequest::ListResourcesRequest(list) => &list.params,
        ClientRequest::ListResourceTemplatesRequest(list) => &list.params,
        _ => return None,
    };
    if params.is_some() {
        return None;
    }
    let message: Value = serde_json::from_slice(line).ok()?;
    message.get("params")?.get("cursor").filter(|cursor| !cursor.is_null()).map(params::unknown_cursor)
}
