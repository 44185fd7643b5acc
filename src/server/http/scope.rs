//! What a credential lacks for a request, found out before it is served: of an access token HTTP tells it in its own way
//! (403, `insufficient_scope`), so that a client can ask the issuer for more and come again.

use rmcp::model::{
    CallToolRequestMethod, ClientRequest, ConstString as _, GetPromptRequestMethod, ReadResourceRequestMethod,
    SubscribeRequestMethod,
};
use serde_json::Value;

use crate::{
    catalog::Catalog,
    engine::{CallError, Principal},
    server::calls::Subject,
};

/// A request that wants more than its credential has.
pub struct Lacking {
    pub method: &'static str,
    pub subject: Subject,
    /// All scopes that the definition asks for.
    pub scopes: Vec<String>,
    /// As the engine would say it.
    pub error: CallError,
}

/// The request for a stream without the resources that its caller may not read: for it they do not exist. None: there
/// are no such resources in it.
pub fn narrowed(catalog: &Catalog, request: &ClientRequest, caller: &Principal, line: &[u8]) -> Option<Vec<u8>> {
    let ClientRequest::SubscriptionsListenRequest(listen) = request else { return None };
    let uris = listen.params.notifications.resource_subscriptions.as_ref()?;
    if uris.iter().all(|uri| may_hear_of(catalog, uri, caller)) {
        return None;
    }
    let mut message: Value = serde_json::from_slice(line).ok()?;
    let uris = message.pointer_mut("/params/notifications/resourceSubscriptions")?.as_array_mut()?;
    uris.retain(|uri| uri.as_str().is_some_and(|uri| may_hear_of(catalog, uri, caller)));
    serde_json::to_vec(&message).ok()
}

/// Whether a caller may be told that a resource has changed.
pub fn may_hear_of(catalog: &Catalog, uri: &str, caller: &Principal) -> bool {
    let resource = catalog.resource(uri, caller.toolsets.as_deref());
    resource.is_some_and(|(entry, _)| entry.access().lacking(caller.scopes.as_deref()).is_none())
}

/// What the caller of a request lacks. None: nothing, or what it asks for does not exist for the caller.
pub fn lacking(catalog: &Catalog, request: &ClientRequest, caller: &Principal) -> Option<Lacking> {
    let covered = caller.toolsets.as_deref();
    let resource = |uri: &str| {
        let (entry, _) = catalog.resource(uri, covered)?;
        Some((entry.access(), Subject::Uri(entry.definition.uri.clone())))
    };
    let (method, named, (access, subject)) = match request {
        ClientRequest::CallToolRequest(call) => {
            let name = call.params.name.as_ref();
            (CallToolRequestMethod::VALUE, name, (catalog.tools.get(name)?.access(), Subject::name(name)))
        }
        ClientRequest::GetPromptRequest(get) => {
            let name = get.params.name.as_str();
            (GetPromptRequestMethod::VALUE, name, (catalog.prompts.get(name)?.access(), Subject::name(name)))
        }
        ClientRequest::ReadResourceRequest(read) => {
            let uri = read.params.uri.as_str();
            (ReadResourceRequestMethod::VALUE, uri, resource(uri)?)
        }
        ClientRequest::SubscribeRequest(subscribe) => {
            let uri = subscribe.params.uri.as_str();
            (SubscribeRequestMethod::VALUE, uri, resource(uri)?)
        }
        _ => return None,
    };
    if !access.within(covered) {
        return None;
    }
    let error = caller.permits(named, access).err()?;
    Some(Lacking { method, subject, scopes: access.scopes.to_vec(), error })
}
