//! The lists of what is offered, page by page.
//!
//! Called by the handler for each `*/list` method; everything about pages and caching hints is here.

use rmcp::{ErrorData, RoleServer, model::*, service::RequestContext};

use super::{Api, Server, later_revision, offered, params};

impl<A: Api> Server<A> {
    pub(super) fn page_of_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        offered::<ListToolsRequestMethod>(self.options.offers.tools)?;
        first_page(request)?;
        let (ttl_ms, cache_scope) = self.hints(context);
        let tools = self.listing().tools.clone();
        Ok(ListToolsResult { ttl_ms, cache_scope, ..ListToolsResult::with_all_items(tools) })
    }

    pub(super) fn page_of_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        offered::<ListPromptsRequestMethod>(self.options.offers.prompts)?;
        first_page(request)?;
        let (ttl_ms, cache_scope) = self.hints(context);
        let prompts = self.listing().prompts.clone();
        Ok(ListPromptsResult { ttl_ms, cache_scope, ..ListPromptsResult::with_all_items(prompts) })
    }

    pub(super) fn page_of_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        offered::<ListResourcesRequestMethod>(self.options.offers.resources)?;
        first_page(request)?;
        let (ttl_ms, cache_scope) = self.hints(context);
        let resources = self.listing().resources.clone();
        Ok(ListResourcesResult { ttl_ms, cache_scope, ..ListResourcesResult::with_all_items(resources) })
    }

    pub(super) fn page_of_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        offered::<ListResourceTemplatesRequestMethod>(self.options.offers.resources)?;
        first_page(request)?;
        let (ttl_ms, cache_scope) = self.hints(context);
        let templates = self.listing().resource_templates.clone();
        Ok(ListResourceTemplatesResult {
            ttl_ms,
            cache_scope,
            ..ListResourceTemplatesResult::with_all_items(templates)
        })
    }

    /// Caching hints, which only 2026-07-28 and later know.
    pub(super) fn hints(&self, context: &RequestContext<RoleServer>) -> (Option<u64>, Option<CacheScope>) {
        if !later_revision(context) {
            return (None, None);
        }
        let ttl = u64::try_from(self.options.list_ttl.as_millis()).unwrap_or(u64::MAX);
        // Every caller is shown the same lists.
        (Some(ttl), Some(CacheScope::Public))
    }
}

/// Refuses a cursor: every list is one page.
fn first_page(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match request.and_then(|params| params.cursor) {
        None => Ok(()),
        Some(cursor) => Err(params::unknown_cursor(&cursor.into())),
    }
}
