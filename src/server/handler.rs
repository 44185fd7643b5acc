//! What is done for each method of the protocol.
//!
//! rmcp calls [`ServerHandler`] for every request of a connection, on every transport. What several methods share is
//! elsewhere; here stands which method does what.

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::*,
    service::{RequestContext, SubscriptionContext},
};
use serde_json::Map;

use super::{Api, Server, contained::guarded, convert, later_revision, offered, params};
use crate::engine::{Completion, Outcome};

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
        self.page_of_tools(request, &context)
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
        let answer =
            guarded(self.api.call_tool(&request.name, arguments, &self.call(&context))).await.and_then(Outcome::done);
        convert::tool_result(&request.name, answer).map(CallToolResponse::from)
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.page_of_prompts(request, &context)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        offered::<GetPromptRequestMethod>(self.options.offers.prompts)?;
        let arguments = request.arguments.unwrap_or_default();
        match guarded(self.api.get_prompt(&request.name, arguments, &self.call(&context))).await.and_then(Outcome::done)
        {
            Ok(answer) => Ok(convert::prompt_result(answer).into()),
            Err(error) => Err(convert::error(&request.name, &error)),
        }
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.page_of_resources(request, &context)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        self.page_of_resource_templates(request, &context)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        offered::<ReadResourceRequestMethod>(self.options.offers.resources)?;
        match guarded(self.api.read_resource(&request.uri, &self.call(&context))).await.and_then(Outcome::done) {
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
