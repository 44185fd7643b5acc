//! What a credential lacks for a request, found out before it is served: HTTP tells it in its own way (403,
//! `insufficient_scope`), so that a client can ask the issuer for more and come again.

use rmcp::model::{
    CallToolRequestMethod, ClientRequest, ConstString as _, GetPromptRequestMethod, ReadResourceRequestMethod,
    SubscribeRequestMethod,
};

use crate::{
    catalog::Catalog,
    engine::{CallError, Principal},
    server::audit::Subject,
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
