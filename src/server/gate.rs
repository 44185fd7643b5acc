//! What a line of input becomes: a message for rmcp, an answer given here, or nothing.
//!
//! Called by the line transport with every line. It knows the rules that rmcp leaves open: ids are used once at a
//! time, nothing overtakes `initialize` or `shutdown`, and a request that rmcp would misread is refused with the
//! reason. rmcp's own handshake is not used: any notification before `initialize` would end it, and a pipe that was
//! opened by a request of 2026-07-28 could never turn to an earlier revision.

use std::collections::{HashSet, VecDeque};

use rmcp::{
    ErrorData, RoleServer,
    model::{
        ClientNotification, ClientRequest, GetMeta as _, JsonRpcMessage, JsonRpcRequest, ProtocolVersion, RequestId,
    },
    service::RxJsonRpcMessage,
};
use serde_json::Value;

use super::{
    Shared,
    connection::{MAX_STREAMS, MAX_SUBSCRIPTIONS},
    params,
    session::Event,
    wire,
};
use crate::template::counted;

/// Reads lines as messages and answers those that are none.
#[derive(Debug)]
pub struct Gate {
    shared: Shared,
    /// `initialize` has been asked; requests without metadata of their own are served from then on.
    initialized: bool,
    /// A request after which nothing is read until it is answered: what follows `initialize` relies on what was
    /// negotiated, and nothing follows `shutdown`.
    barrier: Option<Barrier>,
    /// Streams that were opened; some may be over.
    streams: HashSet<RequestId>,
    /// Most requests that wait for their answers, besides streams.
    max_requests: usize,
    /// Whether the revision of the session has batches.
    batches: bool,
    /// Messages of a batch that have not been read yet.
    pub waiting: VecDeque<Vec<u8>>,
    /// Answers given here, as lines.
    pub replies: VecDeque<Vec<u8>>,
}

#[derive(Debug)]
struct Barrier {
    id: RequestId,
    /// Whether a result ends the session.
    ends: bool,
}

impl Gate {
    pub fn new(shared: Shared, max_requests: usize) -> Self {
        Self {
            shared,
            initialized: false,
            barrier: None,
            streams: HashSet::new(),
            max_requests: max_requests.max(1),
            batches: false,
            waiting: VecDeque::new(),
            replies: VecDeque::new(),
        }
    }

    /// Reads one line as a message; answers what is none.
    pub fn read(&mut self, line: &[u8]) -> Option<RxJsonRpcMessage<RoleServer>> {
        if line.is_empty() {
            return None;
        }
        if let Some(call) = wire::tool_call(line) {
            return self.admit(call, line).map(JsonRpcMessage::Request);
        }
        let Some((line, message)) = wire::message(line) else {
            match wire::taken_apart(line).filter(|_| self.batches) {
                Some(batch) => batch.into_iter().for_each(|element| match element {
                    Ok(line) => self.waiting.push_back(line),
                    Err(refusal) => self.replies.push_back(refusal),
                }),
                None => self.replies.extend(wire::answer_to_garbage(line)),
            }
            return None;
        };
        if let JsonRpcMessage::Notification(notification) = &message {
            match &notification.notification {
                ClientNotification::CancelledNotification(cancelled) => {
                    cancelled.params.request_id.iter().for_each(|id| self.shared.in_flight.cancel(id));
                }
                ClientNotification::InitializedNotification(_) => self.shared.session.on(Event::Initialized),
                ClientNotification::RootsListChangedNotification(_) => self.shared.session.connection.roots.changed(),
                _ => {}
            }
        }
        match message {
            JsonRpcMessage::Request(request) => self.admit(request, &line).map(JsonRpcMessage::Request),
            other => Some(other),
        }
    }

    /// Lets a request in, or answers it here.
    fn admit(&mut self, request: JsonRpcRequest<ClientRequest>, line: &[u8]) -> Option<JsonRpcRequest<ClientRequest>> {
        if self.shared.in_flight.len() >= self.most() {
            let (waiting, verb) =
                (counted(self.max_requests, "request"), if self.max_requests == 1 { "waits" } else { "wait" });
            let what = format!("{waiting} {verb} for an answer; wait for one, or cancel some");
            self.refuse(request.id, &ErrorData::invalid_request(format!("Invalid Request: {what}"), None));
            return None;
        }
        if !self.shared.in_flight.begin(&request.id) {
            let error = ErrorData::invalid_request("Invalid Request: a request with this id is in flight", None);
            self.refuse(request.id, &error);
            return None;
        }
        let refused = self.too_early(&request.request).or_else(|| unserved(&request.request, line));
        if let Some(error) = refused.or_else(|| self.too_many_streams(&request)) {
            self.shared.in_flight.answered(&request.id);
            self.refuse(request.id, &error);
            return None;
        }
        match &request.request {
            ClientRequest::InitializeRequest(initialize) => {
                self.initialized = true;
                // What is known is agreed to.
                self.batches = initialize.params.protocol_version == wire::WITH_BATCHES;
                self.shared.session.on(Event::Initialize);
                self.shared.session.connection.roots.changed();
                self.barrier = Some(Barrier { id: request.id.clone(), ends: false });
            }
            ClientRequest::CustomRequest(custom) if custom.method == "shutdown" => {
                self.barrier = Some(Barrier { id: request.id.clone(), ends: true });
            }
            _ => {}
        }
        Some(request)
    }

    /// Refuses a request that belongs to no revision: before `initialize`, and without what 2026-07-28 has instead.
    fn too_early(&self, request: &ClientRequest) -> Option<ErrorData> {
        let anytime = matches!(
            request,
            ClientRequest::InitializeRequest(_)
                | ClientRequest::DiscoverRequest(_)
                | ClientRequest::PingRequest(_)
                | ClientRequest::CustomRequest(_)
        );
        if self.initialized || anytime {
            return None;
        }
        let missing = request.get_meta().missing_required_keys(&ProtocolVersion::V_2026_07_28);
        (!missing.is_empty()).then(|| params::not_initialized(&missing))
    }

    /// Most requests in flight. Streams last, and do not take the room of others.
    pub fn most(&mut self) -> usize {
        if self.shared.in_flight.len() >= self.max_requests {
            self.streams.retain(|id| self.shared.in_flight.is_taken(id));
        }
        self.max_requests + self.streams.len()
    }

    /// Refuses a stream beyond those that one pipe may have open: each keeps what it listens to.
    fn too_many_streams(&mut self, request: &JsonRpcRequest<ClientRequest>) -> Option<ErrorData> {
        self.streams.remove(&request.id);
        if !matches!(request.request, ClientRequest::SubscriptionsListenRequest(_)) {
            return None;
        }
        if self.streams.len() >= MAX_STREAMS {
            self.streams.retain(|id| self.shared.in_flight.is_taken(id));
        }
        if self.streams.len() >= MAX_STREAMS {
            return Some(params::too_many_streams());
        }
        self.streams.insert(request.id.clone());
        None
    }

    /// The request that must be answered before more is read.
    pub fn barrier(&self) -> Option<&RequestId> {
        self.barrier.as_ref().map(|barrier| &barrier.id)
    }

    /// A response is on its way.
    pub fn answered(&mut self, id: &RequestId, ok: bool) {
        if let Some(barrier) = self.barrier.take_if(|barrier| barrier.id == *id)
            && barrier.ends
            && ok
        {
            self.shared.session.on(Event::End);
        }
    }

    /// Answers a request with an error.
    pub fn refuse(&mut self, id: RequestId, error: &ErrorData) {
        self.replies.push_back(wire::error_line(&id.into_json_value(), error));
    }
}

/// What is wrong with a request that rmcp would serve all the same.
pub fn unserved(request: &ClientRequest, line: &[u8]) -> Option<ErrorData> {
    if let ClientRequest::SubscriptionsListenRequest(listen) = request {
        let uris = listen.params.notifications.resource_subscriptions.as_ref().map_or(0, Vec::len);
        return (uris > MAX_SUBSCRIPTIONS).then(params::too_many_subscriptions);
    }
    bad_cursor(request, line)
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
