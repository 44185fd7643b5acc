//! What may be kept: answers of actions that change nothing, tell nothing and would answer the same a moment later.

use super::statements;
use crate::{
    definition::{Changes, Definition, Period, TaskSupport, Tool},
    diagnostic::{Code, Diagnostic},
    load::Document,
};

/// Longest lifetime: what lives longer is a copy of the data, which somebody has to look after.
const LONGEST: Period = Period::from_secs(3600);

/// Where it stands.
const CACHE: &str = "/cache";

pub(super) fn check(document: &Document, definition: &Definition, out: &mut Vec<Diagnostic>) {
    let (cache, why_not) = match definition {
        Definition::Tool(tool) => (tool.cache, tool.cache.and_then(|_| why_not(definition, tool))),
        Definition::Context(context) => (context.cache, None),
        _ => return,
    };
    let mut found = |message: String, help: &str| {
        out.push(document.finding(Code::KeptAnswer, document.span(CACHE), message).help(help));
    };
    if let Some(why) = why_not {
        found(format!("an answer of this tool cannot be kept: {why}"), "Remove `cache`.");
    }
    if let Some(cache) = cache.filter(|cache| *cache > LONGEST) {
        let help = "Write a lifetime of seconds or minutes: callers are told how old what they read is.";
        found(format!("`{cache}` is longer than the {LONGEST} for which an answer may be kept"), help);
    }
}

/// Why an answer of before would not stand for one of now.
fn why_not(definition: &Definition, tool: &Tool) -> Option<String> {
    let actions = statements::actions(definition);
    let facts = || actions.iter().map(|(_, action)| action.facts());
    if let Some(changing) = facts().find(|facts| facts.reach.changes != Changes::Nothing) {
        return Some(format!("`{}` changes something, which would be done once only", changing.word));
    }
    let said = tool.annotations.of(tool.run.reach());
    if said.read_only == Some(false) || said.destructive == Some(true) {
        return Some("its annotations say that it changes something".to_owned());
    }
    if let Some(telling) = facts().find(|facts| facts.tells) {
        return Some(format!("`{}` speaks to the client during the call", telling.word));
    }
    if let Some(fleeting) = facts().find(|facts| facts.fleeting) {
        return Some(format!("`{}` is about the moment or the caller", fleeting.word));
    }
    (tool.task != TaskSupport::None).then(|| "a call of it may go on as a task".to_owned())
}
