//! `examples:` of definitions as tests: the call is made, and all that is expected must hold.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::{
    Abilities, Asked, Call, CallError, CallErrorKind, Client, Document, Engine, Nobody, Of, Produced, Question,
    Spelling, arguments, conclude::LACKING, only, texts,
};
use crate::{
    catalog::Catalog,
    definition::{BESIDE_FILTERS, Example, Kind, LogLevel},
    template::{evaluate, jinja},
};

/// How one example went.
#[derive(Debug, Clone)]
pub struct ExampleOutcome {
    pub kind: Kind,
    pub name: String,
    pub title: String,
    /// What did not hold; empty where the example passed.
    pub failures: Vec<String>,
    /// The answer's text, to show with a failure.
    pub text: String,
    /// What it needs and has not, so that it was not run: a source, where none is bound; commands, where they are off.
    pub left_out: Option<&'static str>,
}

impl Engine {
    /// Runs the examples of the definitions that are wanted, one after the other.
    pub async fn run_examples(&self, wanted: impl Fn(Kind, &str) -> bool, call: &Call) -> Vec<ExampleOutcome> {
        let catalog = self.catalog();
        let mut outcomes = Vec::new();
        for (kind, name, example) in examples(&catalog).filter(|(kind, name, _)| wanted(*kind, name)) {
            let source = (self.sources.is_empty() && needs_source(&catalog, kind, name)).then_some("a source");
            let commands = || !self.options.commands.are_open() && needs_commands(&catalog, kind, name);
            let needs = source.or_else(|| commands().then_some("commands"));
            if needs.is_some() {
                let (name, title) = (name.to_owned(), example.title.clone());
                let (failures, text) = (Vec::new(), String::new());
                outcomes.push(ExampleOutcome { kind, name, title, failures, text, left_out: needs });
                continue;
            }
            let given = given(example);
            let replies = &example.replies;
            let answering = (!replies.is_empty()).then(|| {
                let replies = replies.iter().map(|(name, reply)| (name.clone(), reply.clone())).collect();
                Call { client: Arc::new(Replying { replies }), ..call.clone() }
            });
            let result = self.run_example(&catalog, kind, name, given, answering.as_ref().unwrap_or(call)).await;
            let (failures, text) = judge(example, result);
            let (name, title) = (name.to_owned(), example.title.clone());
            outcomes.push(ExampleOutcome { kind, name, title, failures, text, left_out: None });
        }
        outcomes
    }

    /// The document that the example of a context type asks for.
    pub async fn collect_example(&self, name: &str, example: &Example, call: &Call) -> Result<Document, CallError> {
        self.collect_context(context_arguments(name, given(example)), call).await
    }

    async fn run_example(
        &self,
        catalog: &Catalog,
        kind: Kind,
        name: &str,
        given: Map<String, Value>,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let timeout = self.options.tool_timeout;
        match kind {
            Kind::Tool => self.run_tool(catalog, name, &given, Spelling::Json, call).await?.done(),
            Kind::Prompt => {
                let answer = self.get_prompt(name, given, call).await?.done()?;
                Ok(Produced::text(texts(answer.messages.iter().map(|(_, content)| content))))
            }
            Kind::Resource => {
                let Some(entry) = catalog.resources.get(name) else { return Err(missing(kind, name)) };
                let reading = self.reading(catalog, Spelling::Json);
                let checked = arguments::check(&entry.definition.parameters, &given, &reading)?;
                let of = Of::Resource(entry, &entry.definition.uri);
                self.perform(catalog, of, &given, checked, timeout, (call, None)).await?.done().map(only)
            }
            Kind::Context => {
                let document = self.collect_context(context_arguments(name, given), call).await?;
                let text = self.render(&document, super::Format::Markdown, None);
                Ok(Produced { document: Some(document), ..Produced::text(text) })
            }
            Kind::Insight
            | Kind::Persona
            | Kind::Provider
            | Kind::Toolset
            | Kind::Values
            | Kind::Fragment
            | Kind::Columns
            | Kind::Tables
            | Kind::Parameters => Err(missing(kind, name)),
        }
    }
}

/// A client that answers what an example says.
struct Replying {
    replies: Map<String, Value>,
}

#[async_trait::async_trait]
impl Client for Replying {
    fn abilities(&self) -> Abilities {
        Abilities::ALL
    }

    async fn log(&self, level: LogLevel, logger: &str, data: Value) {
        Nobody.log(level, logger, data).await;
    }

    async fn progress(&self, _: f64, _: Option<f64>, _: Option<&str>) {}

    async fn ask(&self, questions: &IndexMap<String, Question>) -> Result<Asked, CallError> {
        if let Some(name) = questions.keys().find(|name| !self.replies.contains_key(*name)) {
            let message = format!("the example has no reply to the question `{name}`");
            return Err(CallError::new(CallErrorKind::Failed, message).hint(format!("add `{name}:` to its `replies:`")));
        }
        Ok(Asked::Replies(self.replies.clone()))
    }
}

fn given(example: &Example) -> Map<String, Value> {
    example.arguments.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Arguments of `context.collect` from those of a context's example, where filters stand beside the rest.
fn context_arguments(name: &str, given: Map<String, Value>) -> Map<String, Value> {
    let (own, filters): (Map<_, _>, Map<_, _>) =
        given.into_iter().partition(|(name, _)| BESIDE_FILTERS.contains(&arguments::current(name)));
    let mut arguments = own;
    arguments.insert("context_type".into(), name.into());
    arguments.insert("filters".into(), Value::Object(filters));
    arguments
}

fn missing(kind: Kind, name: &str) -> CallError {
    CallError::invalid(format!("{kind} `{name}` has no executable examples"))
}

fn examples(catalog: &Catalog) -> impl Iterator<Item = (Kind, &str, &Example)> {
    let tools = catalog.tools.values().map(|e| (Kind::Tool, &*e.definition.name, &e.definition.examples));
    let prompts = catalog.prompts.values().map(|e| (Kind::Prompt, &*e.definition.name, &e.definition.examples));
    let resources = catalog.resources.values().map(|e| (Kind::Resource, &*e.definition.name, &e.definition.examples));
    let contexts = catalog.contexts.values().map(|e| (Kind::Context, &*e.definition.name, &e.definition.examples));
    let all = tools.chain(prompts).chain(resources).chain(contexts);
    all.flat_map(|(kind, name, examples)| examples.iter().map(move |example| (kind, name, example)))
}

/// Whether a definition runs commands.
fn needs_commands(catalog: &Catalog, kind: Kind, name: &str) -> bool {
    kind == Kind::Tool && catalog.tools.get(name).is_some_and(|tool| tool.definition.run.runs_commands())
}

/// Whether a definition reads a database.
fn needs_source(catalog: &Catalog, kind: Kind, name: &str) -> bool {
    match kind {
        Kind::Context => true,
        Kind::Tool => catalog.tools.get(name).is_some_and(|tool| tool.definition.run.asks_data()),
        Kind::Resource => catalog.resources.get(name).is_some_and(|resource| resource.definition.run.asks_data()),
        Kind::Prompt => {
            catalog.prompts.get(name).is_some_and(|p| p.definition.messages.iter().any(|m| m.run.asks_data()))
        }
        Kind::Insight
        | Kind::Persona
        | Kind::Provider
        | Kind::Toolset
        | Kind::Values
        | Kind::Fragment
        | Kind::Columns
        | Kind::Tables
        | Kind::Parameters => false,
    }
}

/// The sections of a document that have no answer, with why.
fn unanswered(document: &Value) -> Vec<String> {
    let sections = document.get("sections").and_then(Value::as_object);
    let status = document.get("status").and_then(Value::as_str).unwrap_or("ok");
    if sections.is_none_or(serde_json::Map::is_empty) && !["ok", "empty"].contains(&status) {
        let why = document.get("summary").and_then(Value::as_str).unwrap_or_default();
        return vec![format!("nothing was answered: {why}")];
    }
    let sections = sections.into_iter().flatten();
    let text = |section: &Value, key: &str| section.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    sections
        .filter(|(_, section)| !["ok", "empty", "unrecorded"].contains(&text(section, "status").as_str()))
        .map(|(name, section)| format!("the section `{name}` was not answered: {}", text(section, "message")))
        .collect()
}

fn judge(example: &Example, result: Result<Produced, CallError>) -> (Vec<String>, String) {
    let expect = &example.expect;
    let (text, document, structured, is_error) = match result {
        Ok(produced) => {
            let document = produced.document.map(|document| document.to_value());
            (texts(&produced.content), document, produced.structured, produced.is_error)
        }
        Err(error) => (error.to_text(), None, None, true),
    };
    let mut failures = Vec::new();
    if is_error != expect.error {
        failures.push(match is_error {
            true => format!("the call failed: {text}"),
            false => "the call succeeded, but an error was expected".to_owned(),
        });
    }
    if let Some(whole) = expect.text.as_ref().filter(|whole| whole.trim_end() != text.trim_end()) {
        failures.push(format!("the text is not `{whole}`"));
    }
    failures.extend(
        expect.contains.iter().filter(|piece| !text.contains(*piece)).map(|piece| format!("the text lacks `{piece}`")),
    );
    failures.extend(
        expect.lacks.iter().filter(|piece| text.contains(*piece)).map(|piece| format!("the text contains `{piece}`")),
    );
    let summary = document.as_ref().and_then(|document| document["summary"].as_str());
    if summary.is_some_and(|summary| summary.contains(LACKING)) {
        failures.push("its summary or a rule of it fails on these rows: see `[SYSTEM]`".to_owned());
    }
    let variables = jinja(json!({ "text": text, "document": document.as_ref().or(structured.as_ref()) }));
    for condition in &expect.holds {
        match evaluate(condition, variables.clone()) {
            Ok(true) => {}
            Ok(false) => failures.push(format!("`{condition}` does not hold")),
            Err(error) => failures.push(format!("`{condition}` cannot be evaluated: {error}")),
        }
    }
    // What was not answered could hold nothing of what was expected, and a sum over nothing may hold by chance.
    if !expect.error {
        failures.splice(0..0, document.iter().flat_map(unanswered));
    }
    (failures, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_without_an_answer_is_named_before_what_does_not_hold() {
        let document = json!({ "sections": {
            "origins": { "status": "timeout", "message": "ClickHouse did not answer within 5 s" },
            "graph": { "status": "ok" }, "calm": { "status": "empty" },
        } });
        let said = ["the section `origins` was not answered: ClickHouse did not answer within 5 s"];
        assert_eq!(unanswered(&document), said);
        assert_eq!(unanswered(&json!({ "total": 1 })), [""; 0]);
        let nothing = json!({ "status": "unavailable", "summary": "Nothing was read: no data.", "sections": {} });
        assert_eq!(unanswered(&nothing), ["nothing was answered: Nothing was read: no data."]);
    }
}
