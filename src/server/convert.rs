//! From the engine's vocabulary to MCP's: lists, answers and errors.
//!
//! The one place that decides which failure becomes which JSON-RPC code. A model reads tool results and never
//! sees protocol errors, so whatever it can do something about becomes a result with `isError`.

use std::{collections::HashMap, sync::Arc};

use rmcp::{
    ErrorData,
    model::{
        self as mcp, CallToolResult, CompleteResult, CompletionInfo, ContentBlock, ErrorCode, GetPromptResult,
        PromptMessage, PromptsCapability, ReadResourceResult, ResourceContents, ResourcesCapability,
        ServerCapabilities, TASKS_EXTENSION_ID, ToolAnnotations, ToolsCapability,
    },
};
use serde_json::{Map, Value, json};

use super::Offers;
use crate::{
    catalog::{Access, Catalog, PromptEntry, ResourceEntry, ToolEntry, prompt_template_key},
    definition::{CacheScope, Parameter, Role, ValuesFrom, Visibility},
    engine::{Answer, Body, CallError, CallErrorKind, Content, PromptAnswer, ResourceAnswer, ResourceContent, noted},
    template::Flavour,
};

/// Codes of the project for names that are not known; where a revision prescribes `-32602`, they travel in `data`.
const TOOL_NOT_FOUND: i32 = -32001;
const RESOURCE_NOT_FOUND: i32 = -32002;
const PROMPT_NOT_FOUND: i32 = -32003;

/// Member of the `_meta` of a prompt whose messages say that nothing could be read.
pub const IS_ERROR: &str = "tfo-mcp/isError";

/// Member of the `_meta` of a refused call: the milliseconds after which another may be let through.
const RETRY_AFTER: &str = "tfo-mcp/retryAfterMs";

/// The extension of views (MCP Apps, SEP-1865). Every revision is told of it: hosts of views speak the earlier ones.
pub const UI_EXTENSION: &str = "io.modelcontextprotocol/ui";

/// Most values of one completion that the protocol allows.
const MAX_COMPLETIONS: usize = 100;

/// The prompt template that becomes the server's instructions, if a pack has it.
const INSTRUCTIONS: &str = "instructions";

/// The lists of a catalog, in its order, in rmcp's types.
#[derive(Debug)]
pub struct Listing {
    pub tools: Vec<mcp::Tool>,
    pub prompts: Vec<mcp::Prompt>,
    pub resources: Vec<mcp::Resource>,
    pub resource_templates: Vec<mcp::ResourceTemplate>,
    pub instructions: Option<String>,
    positions: HashMap<String, usize>,
}

impl Listing {
    /// What a caller sees who may use what `sees` says. Arguments that choose an organisation are for whoever `chooses` one.
    pub fn new(catalog: &Catalog, sees: impl Fn(Access<'_>) -> bool, chooses: bool) -> Self {
        let tools = catalog.tools.values().filter(|entry| sees(entry.access()));
        let tools: Vec<_> = tools.map(|entry| tool(entry, chooses)).collect();
        let positions = tools.iter().enumerate().map(|(i, tool)| (tool.name.clone().into_owned(), i)).collect();
        let prompts = catalog.prompts.values().filter(|entry| sees(entry.access()));
        let prompts: Vec<_> = prompts.map(|entry| prompt(entry, chooses)).collect();
        let resources = catalog.resources.values().filter(|entry| sees(entry.access()));
        let (templates, fixed): (Vec<_>, Vec<_>) = resources.partition(|entry| entry.uri.is_template());
        Self {
            instructions: instructions(catalog, &tools, &prompts),
            tools,
            positions,
            prompts,
            resources: fixed.into_iter().map(resource).collect(),
            resource_templates: templates.into_iter().map(resource_template).collect(),
        }
    }

    pub fn tool(&self, name: &str) -> Option<&mcp::Tool> {
        self.tools.get(*self.positions.get(name)?)
    }

    /// Whether a URI, or a URI template as it is listed, is offered.
    pub fn has_uri(&self, uri: &str) -> bool {
        self.resource_templates.iter().any(|template| template.uri_template == uri)
            || self.resources.iter().any(|resource| resource.uri == uri)
    }
}

/// The tools of a catalog as `tools/list` lists them, each with the bytes that it takes there.
pub fn listed_tools(catalog: &Catalog) -> Vec<(String, usize)> {
    let listed = catalog.tools.values().map(|entry| tool(entry, true));
    listed.map(|tool| (tool.name.to_string(), json!(tool).to_string().len())).collect()
}

fn instructions(catalog: &Catalog, tools: &[mcp::Tool], prompts: &[mcp::Prompt]) -> Option<String> {
    let variables = minijinja::Value::from(minijinja::value::Serde(json!({
        "contexts": catalog.listed().map(|context| &context.name).collect::<Vec<_>>(),
        "categories": catalog.values(ValuesFrom::ContextCategories),
        "tools": tools.iter().map(|tool| &tool.name).collect::<Vec<_>>(),
        "prompts": prompts.iter().map(|prompt| &prompt.name).collect::<Vec<_>>(),
    })));
    match catalog.templates.render(Flavour::Plain, &prompt_template_key(INSTRUCTIONS), variables) {
        Ok(text) => Some(text.trim().to_owned()),
        Err(error) => {
            tracing::debug!(%error, "no instructions");
            None
        }
    }
}

/// The schema of the arguments; for who has no choice of organisations, without what chooses one.
fn input_schema(entry: &ToolEntry, chooses: bool) -> Map<String, Value> {
    let mut schema = entry.input_schema.clone();
    let hidden = entry.definition.parameters.iter().filter(|(_, parameter)| !chooses && is_choice(parameter));
    for (name, _) in hidden {
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.shift_remove(name);
        }
    }
    schema
}

/// Whether a parameter chooses an organisation.
fn is_choice(parameter: &Parameter) -> bool {
    parameter.visible == Visibility::TenancyArgument
}

fn tool(entry: &ToolEntry, chooses: bool) -> mcp::Tool {
    let definition = &entry.definition;
    let hints = &definition.annotations;
    // The title stands beside the name: a second time it costs every reader of the list.
    let annotations =
        ToolAnnotations::from_raw(None, hints.read_only, hints.destructive, hints.idempotent, hints.open_world);
    let mut tool =
        mcp::Tool::new(definition.name.0.clone(), definition.description.clone(), input_schema(entry, chooses))
            .with_title(definition.title.clone())
            .with_annotations(annotations);
    tool.meta = definition.meta.clone().map(mcp::MetaObject::from);
    match &definition.output_schema {
        Some(schema) => tool.with_raw_output_schema(Arc::new(schema.clone())),
        None => tool,
    }
}

fn prompt(entry: &PromptEntry, chooses: bool) -> mcp::Prompt {
    let definition = &entry.definition;
    let arguments = definition
        .arguments
        .iter()
        .filter(|(_, parameter)| chooses || !is_choice(parameter))
        .map(|(name, parameter)| {
            let argument = mcp::PromptArgument::new(name.clone()).with_required(parameter.required);
            match &parameter.description {
                Some(description) => argument.with_description(description.clone()),
                None => argument,
            }
        })
        .collect();
    mcp::Prompt::new(definition.name.0.clone(), Some(definition.description.clone()), Some(arguments))
        .with_title(definition.title.clone())
}

fn resource(entry: &ResourceEntry) -> mcp::Resource {
    let definition = &entry.definition;
    let mut resource = mcp::Resource::new(definition.uri.clone(), definition.name.0.clone())
        .with_title(definition.title.clone())
        .with_description(definition.description.clone())
        .with_mime_type(definition.mime_type.clone());
    resource.meta = definition.meta.clone().map(mcp::MetaObject::from);
    resource
}

fn resource_template(entry: &ResourceEntry) -> mcp::ResourceTemplate {
    let definition = &entry.definition;
    let mut template = mcp::ResourceTemplate::new(definition.uri.clone(), definition.name.0.clone())
        .with_title(definition.title.clone())
        .with_description(definition.description.clone())
        .with_mime_type(definition.mime_type.clone());
    template.meta = definition.meta.clone().map(mcp::MetaObject::from);
    template
}

/// What is advertised.
pub fn capabilities(offers: Offers) -> ServerCapabilities {
    let mut capabilities = ServerCapabilities::default();
    let (mut tools, mut prompts) = (ToolsCapability::default(), PromptsCapability::default());
    let mut resources = ResourcesCapability::default();
    for announced in [&mut tools.list_changed, &mut prompts.list_changed, &mut resources.list_changed] {
        *announced = Some(true);
    }
    resources.subscribe = Some(true);
    capabilities.tools = offers.tools.then_some(tools);
    capabilities.prompts = offers.prompts.then_some(prompts);
    capabilities.resources = offers.resources.then_some(resources);
    capabilities.completions = (offers.prompts || offers.resources).then(Default::default);
    capabilities.logging = offers.logging.then(Default::default);
    if offers.tools {
        let extensions = capabilities.extensions.get_or_insert_default();
        extensions.insert(TASKS_EXTENSION_ID.to_owned(), Default::default());
        // A view is a resource.
        if offers.resources {
            extensions.insert(UI_EXTENSION.to_owned(), Default::default());
        }
    }
    capabilities
}

/// The result of a tool; a protocol error only where the call itself was wrong or the server is.
pub fn tool_result(name: &str, answer: Result<Answer, CallError>) -> Result<CallToolResult, ErrorData> {
    match answer {
        Ok(answer) => {
            let notes = noted(&answer.notes).map(Content::text);
            let content = answer.content.into_iter().chain(notes).map(content).collect();
            let mut result =
                if answer.is_error { CallToolResult::error(content) } else { CallToolResult::success(content) };
            result.structured_content = answer.structured;
            result.meta = answer.meta.map(mcp::MetaObject::from);
            Ok(result)
        }
        Err(failed) => match failed.kind {
            CallErrorKind::UnknownTool | CallErrorKind::Refused(_) | CallErrorKind::Internal => {
                Err(error(name, &failed))
            }
            _ => {
                let mut result = CallToolResult::error(vec![ContentBlock::text(failed.to_text())]);
                result.meta = failed.retry_after.map(|after| {
                    let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                    mcp::MetaObject::from(serde_json::Map::from_iter([(RETRY_AFTER.to_owned(), json!(after))]))
                });
                Ok(result)
            }
        },
    }
}

fn content(content: Content) -> ContentBlock {
    match content {
        Content::Text { text, .. } => ContentBlock::text(text),
        Content::Image { data, mime_type } => ContentBlock::image(data, mime_type),
        Content::Audio { data, mime_type } => ContentBlock::audio(data, mime_type),
        Content::Embedded(resource) => ContentBlock::resource(resource_contents(resource)),
        Content::Link { uri, name, title, description, mime_type, meta } => {
            let mut link = mcp::Resource::new(uri, name);
            link.meta = meta.map(mcp::MetaObject::from);
            (link.title, link.description, link.mime_type) = (title, description, mime_type);
            ContentBlock::resource_link(link)
        }
    }
}

fn resource_contents(content: ResourceContent) -> ResourceContents {
    let meta = content.meta.map(mcp::MetaObject::from);
    let contents = match content.body {
        Body::Text(text) => ResourceContents::text(text, content.uri),
        Body::Blob(blob) => ResourceContents::blob(blob, content.uri),
    };
    let contents = meta.into_iter().fold(contents, ResourceContents::with_meta);
    match content.mime_type {
        Some(mime_type) => contents.with_mime_type(mime_type),
        None => contents,
    }
}

pub fn prompt_result(answer: PromptAnswer) -> GetPromptResult {
    let messages = answer.messages.into_iter().map(|(role, shown)| {
        let role = match role {
            Role::User => mcp::Role::User,
            Role::Assistant => mcp::Role::Assistant,
        };
        PromptMessage::new(role, content(shown))
    });
    let mut result = GetPromptResult::new(messages.collect()).with_description(answer.description);
    let mut meta = answer.meta;
    if answer.is_error {
        // The protocol has no flag for it, as results of tools have.
        meta.get_or_insert_default().insert(IS_ERROR.to_owned(), true.into());
    }
    result.meta = meta.map(mcp::MetaObject::from);
    result
}

/// The content of a resource, with caching hints for the revisions that know them.
pub fn resource_result(answer: ResourceAnswer, hints: bool) -> ReadResourceResult {
    let mut result = ReadResourceResult::new(answer.contents.into_iter().map(resource_contents).collect());
    result.meta = answer.meta.map(mcp::MetaObject::from);
    if !hints {
        return result;
    }
    let scope = match answer.cache_scope {
        CacheScope::Private => mcp::CacheScope::Private,
        CacheScope::Public => mcp::CacheScope::Public,
    };
    result.with_ttl_ms(answer.ttl.map_or(0, |ttl| ttl.millis())).with_cache_scope(scope)
}

/// At most as many values as the protocol allows, and whether there are more.
pub fn completion(mut values: Vec<String>) -> CompleteResult {
    let total = u32::try_from(values.len()).ok();
    let has_more = values.len() > MAX_COMPLETIONS;
    values.truncate(MAX_COMPLETIONS);
    CompleteResult::new(CompletionInfo::with_pagination(values, total, has_more).unwrap_or_default())
}

/// A failed call as a JSON-RPC error. `subject` is the name or URI that was asked for.
pub fn error(subject: &str, failed: &CallError) -> ErrorData {
    let mut data = match failed.kind {
        CallErrorKind::UnknownTool => json!({"code": TOOL_NOT_FOUND, "kind": "tool", "name": subject}),
        CallErrorKind::UnknownPrompt => json!({"code": PROMPT_NOT_FOUND, "kind": "prompt", "name": subject}),
        CallErrorKind::UnknownResource => json!({"code": RESOURCE_NOT_FOUND, "kind": "resource", "uri": subject}),
        // What went wrong inside is for the log, not for the client.
        CallErrorKind::Internal => {
            tracing::error!(error = %failed, "a call met a defect");
            return internal_error();
        }
        _ => json!({"kind": failed.kind.as_str()}),
    };
    if let Value::Object(data) = &mut data {
        if !failed.scopes.is_empty() {
            data.insert("scopes".to_owned(), json!(failed.scopes));
        }
        data.extend(failed.hint.iter().map(|hint| ("hint".to_owned(), json!(hint))));
        let retry = failed.retry_after.map(|after| ("retry_after_ms".to_owned(), json!(after.as_millis())));
        data.extend(retry);
    }
    // Many clients show a model the message alone.
    let message = match (&failed.kind, &failed.hint) {
        (CallErrorKind::UnknownTool | CallErrorKind::UnknownPrompt | CallErrorKind::UnknownResource, Some(hint)) => {
            format!("{}; {hint}", failed.message)
        }
        _ => failed.message.clone(),
    };
    match failed.kind {
        // rmcp turns this code into -32602 for 2026-07-28 and later, as the revision demands.
        CallErrorKind::UnknownResource => ErrorData::resource_not_found(message, Some(data)),
        CallErrorKind::UnknownTool | CallErrorKind::UnknownPrompt | CallErrorKind::InvalidArguments => {
            ErrorData::invalid_params(message, Some(data))
        }
        CallErrorKind::Forbidden | CallErrorKind::Limited => ErrorData::invalid_request(message, Some(data)),
        CallErrorKind::Refused(code) => ErrorData::new(ErrorCode(code), message, Some(data)),
        _ => ErrorData::internal_error(message, Some(data)),
    }
}

/// A failed read: the error says of which URI.
pub fn resource_error(uri: &str, failed: &CallError) -> ErrorData {
    let mut error = error(uri, failed);
    if let Some(Value::Object(data)) = &mut error.data {
        data.entry("uri").or_insert_with(|| json!(uri));
    }
    error
}

/// `-32603` of a defect.
pub fn internal_error() -> ErrorData {
    ErrorData::internal_error("Internal error: the server's log says more", None)
}

pub fn unknown_prompt(name: &str, listing: &Listing) -> ErrorData {
    let known = listing.prompts.iter().map(|prompt| prompt.name.as_str());
    error(name, &CallError::unknown(CallErrorKind::UnknownPrompt, "prompt", name, known))
}

/// A URI template that completions were asked for: it is a parameter, not a resource, hence `-32602` everywhere.
pub fn unknown_template(uri: &str, listing: &Listing) -> ErrorData {
    let known = listing.resource_templates.iter().map(|template| template.uri_template.as_str());
    ErrorData { code: ErrorCode::INVALID_PARAMS, ..unknown_resource(uri, known) }
}

pub fn unknown_resource<'a>(uri: &str, known: impl Iterator<Item = &'a str>) -> ErrorData {
    error(uri, &CallError::unknown(CallErrorKind::UnknownResource, "resource", uri, known))
}
