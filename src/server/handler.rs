//! What is done for each method of the protocol.
//!
//! rmcp calls [`ServerHandler`] for every request of a connection, on every transport. What several methods share is
//! elsewhere; here stands which method does what.

use std::sync::Arc;

use ::http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::*,
    service::{NotificationContext, RequestContext, SubscriptionContext},
};
use serde_json::Map;

use super::{
    Api, Server,
    calls::{Ended, Record, Subject},
    client,
    contained::guarded,
    conversation::{Asked, missing_capability},
    convert,
    http::Opening,
    later_revision, listening, offered, params,
    tasks::Mode,
    trace::Trace,
    wire,
};
use crate::{
    catalog::Access,
    engine::{Ability, CallError, Completion, Outcome, Principal, Resume},
};

impl<A: Api> ServerHandler for Server<A> {
    fn get_info(&self) -> ServerConfig {
        let capabilities = convert::capabilities(self.options.offers);
        let config = ServerConfig::new(capabilities).with_server_info(self.implementation.clone());
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
        self.at_once::<InitializeResultMethod, _>(&context, "", || {
            let mut result = self.negotiate_initialize(&request)?;
            // Extensions belong to the later revisions, but hosts of views speak the earlier ones.
            if let Some(extensions) = &mut result.capabilities.extensions {
                extensions.retain(|name, _| name == convert::UI_EXTENSION);
            }
            result.capabilities.extensions = result.capabilities.extensions.filter(|left| !left.is_empty());
            result.instructions = self.listing_for(&context).instructions.clone();
            self.session.connection.expect(self.api.events());
            // Later requests are of the revision that was agreed on, not of the one that was asked for.
            request.protocol_version = result.protocol_version.clone();
            context.peer.set_peer_info(request);
            if let Some(opening) = context.extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<Opening>())
            {
                opening.opened(Arc::new(self.beside()), &context.peer);
            }
            Ok(result)
        })
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        self.at_once::<DiscoverRequestMethod, _>(&context, "", || {
            let versions = self.supported_protocol_versions().into_owned();
            let mut result = DiscoverResult::from_server_info(versions, self.get_info());
            result.instructions = self.listing_for(&context).instructions.clone();
            if let (Some(ttl_ms), Some(cache_scope)) = self.hints(&context) {
                (result.ttl_ms, result.cache_scope) = (ttl_ms, cache_scope);
            }
            Ok(result)
        })
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.at_once::<ListToolsRequestMethod, _>(&context, "", || {
            let mut page = self.page_of_tools(request, &context)?;
            self.sign(&context, &mut page.meta);
            Ok(page)
        })
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.listing().tool(name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let call = self.record::<CallToolRequestMethod>(&context, Subject::name(&request.name));
        self.recorded(&context, &call, self.tool(request, &context, &call)).await
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.at_once::<ListPromptsRequestMethod, _>(&context, "", || {
            let mut page = self.page_of_prompts(request, &context)?;
            self.sign(&context, &mut page.meta);
            Ok(page)
        })
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let call = self.record::<GetPromptRequestMethod>(&context, Subject::name(&request.name));
        self.recorded(&context, &call, self.prompt(request, &context, &call)).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.at_once::<ListResourcesRequestMethod, _>(&context, "", || {
            let mut page = self.page_of_resources(request, &context)?;
            self.sign(&context, &mut page.meta);
            Ok(page)
        })
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        self.at_once::<ListResourceTemplatesRequestMethod, _>(&context, "", || {
            let mut page = self.page_of_resource_templates(request, &context)?;
            self.sign(&context, &mut page.meta);
            Ok(page)
        })
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let call = self.record::<ReadResourceRequestMethod>(&context, self.defined(&request.uri));
        self.recorded(&context, &call, self.resource(request, &context, &call)).await
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let subject = match &request.r#ref {
            Reference::Prompt(prompt) => Subject::name(&prompt.name),
            Reference::Resource(resource) if self.listing().has_uri(&resource.uri) => {
                Subject::Uri(resource.uri.clone())
            }
            _ => Subject::Unknown,
        };
        let call = self.record::<CompleteRequestMethod>(&context, subject);
        self.recorded(&context, &call, self.completion(&request, &context, &call)).await
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.at_once::<SetLevelRequestMethod, _>(&context, "", || {
            // 2026-07-28 removed it: there the level travels with each request.
            offered::<SetLevelRequestMethod>(self.options.offers.logging && !later_revision(&context))?;
            self.session.connection.set_level(client::level_of(request.level));
            Ok(())
        })
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.at_once::<SubscribeRequestMethod, _>(&context, self.defined(&request.uri).shown(), || {
            offered::<SubscribeRequestMethod>(self.options.offers.resources)?;
            self.may_read(&request.uri, &self.principal(&context))?;
            if self.session.connection.subscribe(&request.uri) { Ok(()) } else { Err(params::too_many_subscriptions()) }
        })
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.at_once::<UnsubscribeRequestMethod, _>(&context, self.defined(&request.uri).shown(), || {
            offered::<UnsubscribeRequestMethod>(self.options.offers.resources)?;
            self.may_read(&request.uri, &self.principal(&context))?;
            self.session.connection.unsubscribe(&request.uri);
            Ok(())
        })
    }

    /// rmcp reduces it to what [`get_info`](Self::get_info) advertises, acknowledges it, and then calls
    /// [`listen`](Self::listen): what happens in between must not be lost, so the events are kept from here on.
    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let mut accepted = requested.clone();
        if let Some(uris) = &mut accepted.resource_subscriptions {
            // Over HTTP what the caller may not read has been left out of the request before.
            let caller = self.of_pipe.as_ref().unwrap_or(&self.options.principal);
            uris.retain(|uri| self.may_read(uri, caller).is_ok());
        }
        self.acknowledging().push(self.api.events());
        Some(accepted)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let events = self.acknowledging().pop().unwrap_or_else(|| self.api.events());
        let request = context.request_context();
        let span = Trace::of(request).span(SubscriptionsListenRequestMethod::VALUE, "", request);
        let principal = self.principal(request);
        let concerned = |uri: &str| self.may_read(uri, &principal).is_ok();
        // Answered when the connection ends, so that the client learns that nothing more will come.
        let until_over = async {
            tokio::select! {
                () = context.cancelled() => {}
                () = self.session.ending().cancelled() => {}
                () = listening::tell(&context, events, concerned) => {}
            }
            Ok(())
        };
        self.answer(request, span, Box::pin(until_over)).await
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        self.at_once::<GetTaskMethod, _>(&context, Subject::name(&request.task_id).shown(), || {
            let mut result = self.tasks.get(&request.task_id, &self.principal(&context))?;
            self.sign(&context, &mut result.meta);
            Ok(result)
        })
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let UpdateTaskParams { task_id, input_responses, .. } = request;
        self.at_once::<UpdateTaskMethod, _>(&context, Subject::name(&task_id).shown(), || {
            self.tasks.update(&task_id, input_responses, &self.principal(&context))
        })
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.at_once::<CancelTaskMethod, _>(&context, Subject::name(&request.task_id).shown(), || {
            self.tasks.cancel(&request.task_id, &self.principal(&context))
        })
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
        let refusal = match context.protocol_version() {
            Some(version) if version.has_initialize() => params::earlier_refusal,
            Some(_) => params::later_refusal,
            None => params::refusal,
        };
        Err(wire::masked(refusal(&request.method, request.params.as_ref())))
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let ends = self.closed.clone();
        self.session.connection.listen(context.peer, self.options.offers, ends);
    }
}

impl<A: Api> Server<A> {
    async fn tool(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
        record: &Arc<Record>,
    ) -> Result<CallToolResponse, ErrorData> {
        offered::<CallToolRequestMethod>(self.options.offers.tools)?;
        let (name, arguments) = (request.name, request.arguments.unwrap_or_default());
        let later = later_revision(context);
        let knows_tasks = later && context.client_capabilities().is_some_and(|client| client.supports_tasks());
        let mode = self.mode(&name, knows_tasks, &self.principal(context));
        let (responses, state) = (request.input_responses, request.request_state);
        let asked =
            Asked { method: CallToolRequestMethod::VALUE, subject: &name, arguments: &arguments, responses, state };
        let conversation = self.conversation(context, record, asked, mode == Mode::Later)?;
        let outcome = match mode {
            Mode::Refused => {
                let mut error = CallError::lacking(vec![Ability::Tasks]);
                error.message = format!("`{name}` runs as a task only, and your client does not know tasks");
                error.hint = Some("use a client of 2026-07-28 with the extension io.modelcontextprotocol/tasks".into());
                if later {
                    record.saw(Ended::Failed(error.kind));
                    return Err(missing_capability(&error));
                }
                Err(error)
            }
            Mode::Task => match self.core.start_task(&name, arguments, &conversation, None) {
                Ok(task) => return Ok(self.created(context, task)),
                Err(error) => Err(error),
            },
            Mode::Plain | Mode::Later => {
                // Only a call that may become a task needs them once more.
                let again = if mode == Mode::Later { arguments.clone() } else { JsonObject::new() };
                // Boxed: what is made of this future is moved about.
                let outcome = guarded(Box::pin(self.api.call_tool(&name, arguments, &conversation.call))).await;
                match conversation.ended(outcome)? {
                    Ok(Outcome::Asks(pending)) if mode == Mode::Later && pending.questions.is_empty() => {
                        let resume = Some(Resume { state: pending.state, ..Resume::default() });
                        match self.core.start_task(&name, again, &conversation, resume) {
                            Ok(task) => return Ok(self.created(context, task)),
                            Err(error) => Err(error),
                        }
                    }
                    Ok(Outcome::Asks(pending)) => {
                        return Ok(self.pending(context, &conversation, &pending)?.into());
                    }
                    Ok(Outcome::Done(answer)) => Ok(answer),
                    Err(error) => Err(error),
                }
            }
        };
        record.saw(Ended::of_tool(&outcome));
        let mut result = convert::tool_result(&name, outcome)?;
        self.sign(context, &mut result.meta);
        Ok(result.into())
    }

    fn created(&self, context: &RequestContext<RoleServer>, task: Task) -> CallToolResponse {
        let mut result = CreateTaskResult::new(task);
        self.sign(context, &mut result.meta);
        result.into()
    }

    async fn prompt(
        &self,
        request: GetPromptRequestParams,
        context: &RequestContext<RoleServer>,
        record: &Arc<Record>,
    ) -> Result<GetPromptResponse, ErrorData> {
        offered::<GetPromptRequestMethod>(self.options.offers.prompts)?;
        let (name, arguments) = (request.name, request.arguments.unwrap_or_default());
        let (responses, state) = (request.input_responses, request.request_state);
        let asked =
            Asked { method: GetPromptRequestMethod::VALUE, subject: &name, arguments: &arguments, responses, state };
        let conversation = self.conversation(context, record, asked, false)?;
        let outcome = guarded(self.api.get_prompt(&name, arguments, &conversation.call)).await;
        match conversation.ended(outcome)? {
            Ok(Outcome::Done(answer)) => {
                let mut result = convert::prompt_result(answer);
                self.sign(context, &mut result.meta);
                Ok(result.into())
            }
            Ok(Outcome::Asks(pending)) => Ok(self.pending(context, &conversation, &pending)?.into()),
            Err(error) => Err(convert::error(&name, &error)),
        }
    }

    async fn resource(
        &self,
        request: ReadResourceRequestParams,
        context: &RequestContext<RoleServer>,
        record: &Arc<Record>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        offered::<ReadResourceRequestMethod>(self.options.offers.resources)?;
        let (uri, arguments) = (request.uri, JsonObject::new());
        let (responses, state) = (request.input_responses, request.request_state);
        let asked =
            Asked { method: ReadResourceRequestMethod::VALUE, subject: &uri, arguments: &arguments, responses, state };
        let conversation = self.conversation(context, record, asked, false)?;
        let outcome = guarded(self.api.read_resource(&uri, &conversation.call)).await;
        match conversation.ended(outcome)? {
            Ok(Outcome::Done(answer)) => {
                let mut result = convert::resource_result(answer, conversation.later);
                self.sign(context, &mut result.meta);
                Ok(result.into())
            }
            Ok(Outcome::Asks(pending)) => Ok(self.pending(context, &conversation, &pending)?.into()),
            Err(error) => Err(convert::resource_error(&uri, &error)),
        }
    }

    async fn completion(
        &self,
        request: &CompleteRequestParams,
        context: &RequestContext<RoleServer>,
        record: &Arc<Record>,
    ) -> Result<CompleteResult, ErrorData> {
        offered::<CompleteRequestMethod>(self.options.offers.prompts || self.options.offers.resources)?;
        let listing = self.listing_for(context);
        let (catalog, principal) = (self.api.catalog(), self.principal(context));
        let covered = |access: Access<'_>| access.within(principal.toolsets.as_deref());
        let (of, name, access) = match &request.r#ref {
            Reference::Prompt(prompt) => {
                let (name, entry) = (&prompt.name, catalog.prompts.get(&prompt.name));
                let entry = entry.filter(|entry| covered(entry.access()));
                let access = entry.ok_or_else(|| convert::unknown_prompt(name, &listing))?.access();
                (Completion::Prompt(name), name, access)
            }
            Reference::Resource(resource) => {
                let uri = &resource.uri;
                let entry = catalog.resources.values().find(|entry| entry.definition.uri == *uri);
                let entry = entry.filter(|entry| covered(entry.access()));
                let access = entry.ok_or_else(|| convert::unknown_template(uri, &listing))?.access();
                (Completion::Resource(uri), uri, access)
            }
            _ => return Err(params::refusal(CompleteRequestMethod::VALUE, None)),
        };
        principal.permits(name, access).map_err(|error| convert::error(name, &error))?;
        let given = request.context.as_ref().and_then(|context| context.arguments.as_ref());
        let given: JsonObject = given.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone().into())).collect();
        let arguments = JsonObject::new();
        let asked = Asked {
            method: CompleteRequestMethod::VALUE,
            subject: name,
            arguments: &arguments,
            responses: None,
            state: None,
        };
        let call = self.conversation(context, record, asked, false)?.call;
        let (argument, typed) = (&request.argument.name, &request.argument.value);
        let values = guarded(async { Ok(self.api.complete(of, argument, typed, &given, &call).await) }).await;
        let mut result = convert::completion(values.map_err(|error| convert::error(name, &error))?);
        self.sign(context, &mut result.meta);
        Ok(result)
    }

    /// A subscription is accepted for a resource that exists, and that the caller may read.
    fn may_read(&self, uri: &str, caller: &Principal) -> Result<(), ErrorData> {
        let catalog = self.api.catalog();
        match catalog.resource(uri, caller.toolsets.as_deref()) {
            None => Err(convert::unknown_resource(uri, std::iter::empty())),
            Some((entry, _)) => {
                caller.permits(uri, entry.access()).map_err(|error| convert::resource_error(uri, &error))
            }
        }
    }
}
