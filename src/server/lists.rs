//! The lists of what is offered, page by page.
//!
//! Called by the handler for each `*/list` method; everything about pages and caching hints is here. What a credential
//! cannot use is not listed: some clients read all that is. Lists are made once per catalog and kind of credential; a page
//! only copies entries, whose schemas are shared.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use rmcp::{ErrorData, RoleServer, model::*, service::RequestContext};

use super::{
    Api, Server,
    convert::Listing,
    cursor::{self, List},
    later_revision, offered, params,
};
use crate::{catalog::Catalog, engine::Principal};

/// Most kinds of credentials whose lists are kept: credentials are many, what they cover is not.
const KEPT: usize = 64;

/// The lists of one catalog in rmcp's types, made when they are first asked for.
#[derive(Default)]
pub struct Lists(Mutex<Made>);

#[derive(Default)]
struct Made {
    /// Of which catalog. Weak: a replaced catalog goes when its last call ends.
    of: Weak<Catalog>,
    /// All scopes that its definitions ask for.
    asked: HashSet<String>,
    all: Option<Arc<Listing>>,
    some: HashMap<Covered, Arc<Listing>>,
}

/// What of a credential decides what it is shown.
#[derive(PartialEq, Eq, Hash)]
struct Covered {
    toolsets: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    /// Whether it may choose an organisation.
    chooses: bool,
}

impl Covered {
    fn of(caller: &Principal, asked: &HashSet<String>) -> Self {
        let sorted = |names: &Vec<String>| {
            let mut names = names.clone();
            names.sort();
            names.dedup();
            names
        };
        let scopes = caller.scopes.as_ref().map(|scopes| {
            let mut scopes = sorted(scopes);
            scopes.retain(|scope| asked.contains(scope));
            scopes
        });
        Self { toolsets: caller.toolsets.as_ref().map(sorted), scopes, chooses: caller.may_choose() }
    }
}

impl Lists {
    /// Everything that is offered.
    pub fn all(&self, catalog: &Arc<Catalog>) -> Arc<Listing> {
        self.made(catalog).all.get_or_insert_with(|| Arc::new(Listing::new(catalog, |_| true, true))).clone()
    }

    /// What a caller sees.
    pub fn of(&self, catalog: &Arc<Catalog>, caller: &Principal) -> Arc<Listing> {
        if sees_all(caller) {
            return self.all(catalog);
        }
        let mut made = self.made(catalog);
        let covered = Covered::of(caller, &made.asked);
        if let Some(listing) = made.some.get(&covered) {
            return listing.clone();
        }
        if made.some.len() >= KEPT {
            made.some.clear();
        }
        let listing = Arc::new(Listing::new(catalog, |access| caller.sees(access), caller.may_choose()));
        made.some.insert(covered, listing.clone());
        listing
    }

    fn made(&self, catalog: &Arc<Catalog>) -> MutexGuard<'_, Made> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = Arc::downgrade(catalog);
        if !made.of.ptr_eq(&of) {
            *made = Made { of, asked: catalog.scopes().map(str::to_owned).collect(), ..Made::default() };
        }
        made
    }
}

/// Whether nothing about a caller decides what it is shown.
fn sees_all(caller: &Principal) -> bool {
    caller.toolsets.is_none() && caller.scopes.is_none() && caller.may_choose()
}

impl<A: Api> Server<A> {
    pub(super) fn page_of_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        offered::<ListToolsRequestMethod>(self.options.offers.tools)?;
        let listing = self.listing_for(context);
        let (tools, next_cursor) = self.page(List::Tools, &listing.tools, |tool| &tool.name, request)?;
        let (ttl_ms, cache_scope) = self.hints(context);
        Ok(ListToolsResult { ttl_ms, cache_scope, next_cursor, ..ListToolsResult::with_all_items(tools) })
    }

    pub(super) fn page_of_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        offered::<ListPromptsRequestMethod>(self.options.offers.prompts)?;
        let listing = self.listing_for(context);
        let (prompts, next_cursor) = self.page(List::Prompts, &listing.prompts, |prompt| &prompt.name, request)?;
        let (ttl_ms, cache_scope) = self.hints(context);
        Ok(ListPromptsResult { ttl_ms, cache_scope, next_cursor, ..ListPromptsResult::with_all_items(prompts) })
    }

    pub(super) fn page_of_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        offered::<ListResourcesRequestMethod>(self.options.offers.resources)?;
        let listing = self.listing_for(context);
        let (resources, next_cursor) = self.page(List::Resources, &listing.resources, |entry| &entry.name, request)?;
        let (ttl_ms, cache_scope) = self.hints(context);
        Ok(ListResourcesResult { ttl_ms, cache_scope, next_cursor, ..ListResourcesResult::with_all_items(resources) })
    }

    pub(super) fn page_of_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        offered::<ListResourceTemplatesRequestMethod>(self.options.offers.resources)?;
        let listing = self.listing_for(context);
        let templates = &listing.resource_templates;
        let (templates, next_cursor) = self.page(List::ResourceTemplates, templates, |entry| &entry.name, request)?;
        let (ttl_ms, cache_scope) = self.hints(context);
        let all = ListResourceTemplatesResult::with_all_items(templates);
        Ok(ListResourceTemplatesResult { ttl_ms, cache_scope, next_cursor, ..all })
    }

    /// The lists that the caller of a request may see.
    pub(super) fn listing_for(&self, context: &RequestContext<RoleServer>) -> Arc<Listing> {
        self.lists.of(&self.api.catalog(), &self.principal(context))
    }

    /// One page of a list that is sorted by name, and the cursor of the next one.
    fn page<T: Clone>(
        &self,
        list: List,
        all: &[T],
        name: impl Fn(&T) -> &str,
        request: Option<PaginatedRequestParams>,
    ) -> Result<(Vec<T>, Option<String>), ErrorData> {
        // Clients whose texts are never absent send an empty one for none; no cursor of ours is empty.
        let cursor = request.and_then(|params| params.cursor).filter(|cursor| !cursor.is_empty());
        let rest = match cursor {
            None => all,
            Some(cursor) => {
                let Some(last) = cursor::open(list, &cursor) else {
                    return Err(params::unknown_cursor(&cursor.into()));
                };
                let begin = all.partition_point(|entry| name(entry) <= last.as_str());
                all.get(begin..).unwrap_or_default()
            }
        };
        let page = rest.get(..self.options.page_size.max(1)).unwrap_or(rest);
        let next = page.last().filter(|_| page.len() < rest.len()).map(|last| cursor::seal(list, name(last)));
        Ok((page.to_vec(), next))
    }

    /// Caching hints, which only 2026-07-28 and later know.
    pub(super) fn hints(&self, context: &RequestContext<RoleServer>) -> (Option<u64>, Option<CacheScope>) {
        if !later_revision(context) {
            return (None, None);
        }
        let ttl = u64::try_from(self.options.list_ttl.as_millis()).unwrap_or(u64::MAX);
        let scope = match sees_all(&self.principal(context)) {
            // Every such caller is shown the same lists.
            true => CacheScope::Public,
            false => CacheScope::Private,
        };
        (Some(ttl), Some(scope))
    }
}
