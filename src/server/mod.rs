//! The MCP edge: the only module that knows rmcp.
//!
//! [`Server`] answers every method from an [`Api`], which is the engine (tests bring a double). It is served over
//! [`LineTransport`](stdio::LineTransport) by [`serve_stdio`]. All revisions that rmcp speaks are spoken, those
//! with a session and those without, on one pipe; nothing here depends on the session but its end.

// rmcp marks what the later revisions deprecate; the earlier ones are served all the same.
#![allow(deprecated)]

mod contained;
mod convert;
mod gate;
mod in_flight;
mod params;
mod session;
mod standard;
mod stdio;
mod wire;

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::*,
    service::{QuitReason, RequestContext, SubscriptionContext, serve_directly_with_ct},
};
use serde_json::Map;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::{
    catalog::Catalog,
    engine::{Answer, Call, CallError, Completion, Engine, Outcome, Principal, PromptAnswer, ResourceAnswer},
};

use contained::Contained;
use convert::Listing;
use in_flight::InFlight;
use session::Session;

pub use session::{Event, Phase};
pub use stdio::Limits;

/// What the server needs of the engine.
pub trait Api: Send + Sync + 'static {
    fn catalog(&self) -> Arc<Catalog>;

    fn call_tool(
        &self,
        name: &str,
        arguments: JsonObject,
        call: &Call,
    ) -> impl Future<Output = Result<Outcome<Answer>, CallError>> + Send;

    fn get_prompt(
        &self,
        name: &str,
        arguments: JsonObject,
        call: &Call,
    ) -> impl Future<Output = Result<Outcome<PromptAnswer>, CallError>> + Send;

    fn read_resource(
        &self,
        uri: &str,
        call: &Call,
    ) -> impl Future<Output = Result<Outcome<ResourceAnswer>, CallError>> + Send;

    fn complete(&self, of: Completion<'_>, argument: &str, prefix: &str) -> Vec<String>;
}

impl Api for Engine {
    fn catalog(&self) -> Arc<Catalog> {
        Engine::catalog(self)
    }

    async fn call_tool(&self, name: &str, arguments: JsonObject, call: &Call) -> Result<Outcome<Answer>, CallError> {
        Engine::call_tool(self, name, arguments, call).await
    }

    async fn get_prompt(
        &self,
        name: &str,
        arguments: JsonObject,
        call: &Call,
    ) -> Result<Outcome<PromptAnswer>, CallError> {
        Engine::get_prompt(self, name, arguments, call).await
    }

    async fn read_resource(&self, uri: &str, call: &Call) -> Result<Outcome<ResourceAnswer>, CallError> {
        Engine::read_resource(self, uri, call).await
    }

    fn complete(&self, of: Completion<'_>, argument: &str, prefix: &str) -> Vec<String> {
        Engine::complete(self, of, argument, prefix)
    }
}

/// What the operator decides about the MCP edge.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Name in `serverInfo` (`server.name`).
    pub name: String,
    /// Which parts of the protocol are offered (`mcp.enable_*`).
    pub offers: Offers,
    /// What bounds a connection.
    pub limits: Limits,
    /// How long clients may keep the lists. They change only when the catalog is replaced.
    pub list_ttl: Duration,
    /// Who calls where the transport carries no credential.
    pub principal: Principal,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            offers: Offers::default(),
            limits: Limits::default(),
            list_ttl: Duration::from_secs(300),
            principal: Principal::default(),
        }
    }
}

/// The parts of the protocol that are offered. Default: all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    pub tools: bool,
    pub resources: bool,
    pub prompts: bool,
    pub logging: bool,
}

impl Default for Offers {
    fn default() -> Self {
        Self { tools: true, resources: true, prompts: true, logging: true }
    }
}

/// Why serving ended badly.
#[derive(Debug, thiserror::Error)]
#[error("the MCP service loop failed: {0}")]
pub struct ServeError(#[from] tokio::task::JoinError);

/// Serves one client over standard input and output until the input ends, the client says `shutdown`, or `stop` is
/// cancelled; everything in flight is answered first.
///
/// A read of standard input may stay parked on a blocking thread: end the runtime with `shutdown_background`.
pub async fn serve_stdio<A: Api>(
    api: Arc<A>,
    options: ServerOptions,
    stop: &CancellationToken,
) -> Result<(), ServeError> {
    let (read, write) = standard::streams();
    serve(api, options, read, write, stop).await
}

/// Serves one client over a pair of byte streams.
pub async fn serve<A: Api>(
    api: Arc<A>,
    options: ServerOptions,
    read: impl AsyncRead + Unpin + Send + 'static,
    write: impl AsyncWrite + Unpin + Send + 'static,
    stop: &CancellationToken,
) -> Result<(), ServeError> {
    let limits = options.limits;
    let shared = Shared {
        session: Arc::new(Session::new(stop)),
        in_flight: Arc::new(InFlight::default()),
        abort: CancellationToken::new(),
    };
    let (outbox, writing) = stdio::writer(write);
    let transport = stdio::LineTransport::new(read, outbox, shared.clone(), limits);
    let service =
        Contained { service: Server::new(api, options, shared.session.clone()), in_flight: shared.in_flight.clone() };
    // `initialize` is a request like any other to the server; rmcp's handshake in front of it is not needed.
    let running = serve_directly_with_ct(service, transport, None, shared.abort);
    let served = running.waiting().await;
    // The writer ends with the last sender; a client that does not read must not keep the process.
    if tokio::time::timeout(limits.drain, writing).await.is_err() {
        tracing::warn!("the client did not read the last answers");
    }
    match served? {
        QuitReason::JoinError(error) => Err(error.into()),
        _ => Ok(()),
    }
}

/// What the tasks of one connection share.
#[derive(Debug, Clone)]
struct Shared {
    session: Arc<Session>,
    in_flight: Arc<InFlight>,
    /// Cancels every handler.
    abort: CancellationToken,
}

/// Answers MCP requests from an [`Api`].
pub struct Server<A> {
    api: Arc<A>,
    options: ServerOptions,
    session: Arc<Session>,
    /// The lists of the catalog that was asked last, in rmcp's types.
    listing: Mutex<Option<(Arc<Catalog>, Arc<Listing>)>>,
}

impl<A: Api> Server<A> {
    fn new(api: Arc<A>, options: ServerOptions, session: Arc<Session>) -> Self {
        Self { api, options, session, listing: Mutex::new(None) }
    }

    /// The lists of the current catalog, built once per catalog.
    fn listing(&self) -> Arc<Listing> {
        let catalog = self.api.catalog();
        let mut cached = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cached {
            Some((of, listing)) if Arc::ptr_eq(of, &catalog) => listing.clone(),
            _ => {
                let listing = Arc::new(Listing::new(&catalog));
                *cached = Some((catalog, listing.clone()));
                listing
            }
        }
    }

    fn call(&self, context: &RequestContext<RoleServer>) -> Call {
        Call { cancel: context.ct.clone(), principal: self.options.principal.clone(), ..Call::default() }
    }

    /// Caching hints, which only 2026-07-28 and later know.
    fn hints(&self, context: &RequestContext<RoleServer>) -> (Option<u64>, Option<CacheScope>) {
        if !later_revision(context) {
            return (None, None);
        }
        let ttl = u64::try_from(self.options.list_ttl.as_millis()).unwrap_or(u64::MAX);
        // Every caller is shown the same lists.
        (Some(ttl), Some(CacheScope::Public))
    }
}

/// Whether a request is of 2026-07-28 or later.
fn later_revision(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| !version.has_initialize())
}

/// Refuses a method that is not offered.
fn offered<M: ConstString>(offered: bool) -> Result<(), ErrorData> {
    if offered { Ok(()) } else { Err(params::method_not_found(M::VALUE)) }
}

/// Refuses a cursor: every list is one page.
fn first_page(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match request.and_then(|params| params.cursor) {
        None => Ok(()),
        Some(cursor) => Err(params::unknown_cursor(&cursor.into())),
    }
}

impl<A: Api> ServerHandler for Server<A> {
    fn get_info(&self) -> ServerConfig {
        let info = Implementation::new(self.options.name.clone(), env!("CARGO_PKG_VERSION"))
            .with_title("TelemetryFlow MCP")
            .with_description(env!("CARGO_PKG_DESCRIPTION"));
        let config = ServerConfig::new(convert::capabilities(self.options.offers)).with_server_info(info);
        match &self.listing().instructions {
            Some(instructions) => config.with_instructions(instructions.clone()),
            None => config,
        }
    }

    async fn initialize(
        &self,
        mut request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let result = self.negotiate_initialize(&request)?;
        // Later requests are of the revision that was agreed on, not of the one that was asked for.
        request.protocol_version = result.protocol_version.clone();
        context.peer.set_peer_info(request);
        Ok(result)
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        let mut result = DiscoverResult::from_server_info(versions, self.get_info());
        if let (Some(ttl_ms), Some(cache_scope)) = self.hints(&context) {
            (result.ttl_ms, result.cache_scope) = (ttl_ms, cache_scope);
        }
        Ok(result)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        offered::<ListToolsRequestMethod>(self.options.offers.tools)?;
        first_page(request)?;
        let (ttl_ms, cache_scope) = self.hints(&context);
        let tools = self.listing().tools.clone();
        Ok(ListToolsResult { ttl_ms, cache_scope, ..ListToolsResult::with_all_items(tools) })
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.listing().tool(name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        offered::<CallToolRequestMethod>(self.options.offers.tools)?;
        let arguments = request.arguments.unwrap_or_default();
        let answer = self.api.call_tool(&request.name, arguments, &self.call(&context)).await.and_then(Outcome::done);
        convert::tool_result(&request.name, answer).map(CallToolResponse::from)
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        offered::<ListPromptsRequestMethod>(self.options.offers.prompts)?;
        first_page(request)?;
        let (ttl_ms, cache_scope) = self.hints(&context);
        let prompts = self.listing().prompts.clone();
        Ok(ListPromptsResult { ttl_ms, cache_scope, ..ListPromptsResult::with_all_items(prompts) })
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        offered::<GetPromptRequestMethod>(self.options.offers.prompts)?;
        let arguments = request.arguments.unwrap_or_default();
        match self.api.get_prompt(&request.name, arguments, &self.call(&context)).await.and_then(Outcome::done) {
            Ok(answer) => Ok(convert::prompt_result(answer).into()),
            Err(error) => Err(convert::error(&request.name, &error)),
        }
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        offered::<ListResourcesRequestMethod>(self.options.offers.resources)?;
        first_page(request)?;
        let (ttl_ms, cache_scope) = self.hints(&context);
        let resources = self.listing().resources.clone();
        Ok(ListResourcesResult { ttl_ms, cache_scope, ..ListResourcesResult::with_all_items(resources) })
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        offered::<ListResourceTemplatesRequestMethod>(self.options.offers.resources)?;
        first_page(request)?;
        let (ttl_ms, cache_scope) = self.hints(&context);
        let templates = self.listing().resource_templates.clone();
        Ok(ListResourceTemplatesResult {
            ttl_ms,
            cache_scope,
            ..ListResourceTemplatesResult::with_all_items(templates)
        })
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        offered::<ReadResourceRequestMethod>(self.options.offers.resources)?;
        match self.api.read_resource(&request.uri, &self.call(&context)).await.and_then(Outcome::done) {
            Ok(answer) => Ok(convert::resource_result(answer, later_revision(&context)).into()),
            Err(error) => Err(convert::error(&request.uri, &error)),
        }
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        offered::<CompleteRequestMethod>(self.options.offers.prompts || self.options.offers.resources)?;
        let listing = self.listing();
        let of = match &request.r#ref {
            Reference::Prompt(prompt) if listing.has_prompt(&prompt.name) => Completion::Prompt(&prompt.name),
            Reference::Prompt(prompt) => return Err(convert::unknown_prompt(&prompt.name)),
            Reference::Resource(resource) if listing.has_uri(&resource.uri) => Completion::Resource(&resource.uri),
            Reference::Resource(resource) => return Err(convert::unknown_template(&resource.uri)),
            _ => return Err(params::refusal(CompleteRequestMethod::VALUE, None)),
        };
        Ok(convert::completion(self.api.complete(of, &request.argument.name, &request.argument.value)))
    }

    async fn set_level(&self, _: SetLevelRequestParams, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        // 2026-07-28 removed it: there the level travels with each request.
        offered::<SetLevelRequestMethod>(self.options.offers.logging && !later_revision(&context))
    }

    async fn subscribe(&self, request: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        offered::<SubscribeRequestMethod>(self.options.offers.resources)?;
        self.known_resource(&request.uri)
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        offered::<UnsubscribeRequestMethod>(self.options.offers.resources)?;
        self.known_resource(&request.uri)
    }

    /// rmcp reduces it to what [`get_info`](Self::get_info) advertises.
    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        // Answered when the connection ends, so that the client learns that nothing more will come.
        tokio::select! {
            () = context.cancelled() => {}
            () = self.session.ending().cancelled() => {}
        }
        Ok(())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method == "shutdown" && !later_revision(&context) {
            // The transport ends the session when this answer passes.
            return Ok(CustomResult::new(Map::new().into()));
        }
        Err(params::refusal(&request.method, request.params.as_ref()))
    }

    async fn on_initialized(&self, _: rmcp::service::NotificationContext<RoleServer>) {}
}

impl<A: Api> Server<A> {
    /// Contents change with the data behind them, of which nobody tells us: a subscription is accepted for a
    /// resource that exists, and nothing is announced.
    fn known_resource(&self, uri: &str) -> Result<(), ErrorData> {
        if self.api.catalog().resource(uri).is_some() { Ok(()) } else { Err(convert::unknown_resource(uri)) }
    }
}
