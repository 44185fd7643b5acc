//! Questions to the client: asked at once, answers checked, what is missing or does not fit asked again.

use std::{collections::HashMap, time::Duration};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::{
    super::{Ability, Asked, CallError, CallErrorKind, Produced, Question, arguments},
    Flow, Run, Waits,
};
use crate::catalog::{Asks, CompiledQuestion, Schema};

/// Longest wait for the answers of a person, which does not count against the timeout of the tool.
const PATIENCE: Duration = Duration::from_secs(600);

/// How often a client that answers at once is asked before its answers are taken for unusable.
const ROUNDS: usize = 2;

impl Run<'_> {
    /// Asks the questions whose conditions hold. `single`: the output is the one answer itself.
    pub(super) async fn ask(
        &mut self,
        all: &[(&str, &CompiledQuestion)],
        single: bool,
        mut answers: Map<String, Value>,
    ) -> Result<Flow, CallError> {
        let mut asked: Vec<(&str, &Asks)> = Vec::with_capacity(all.len());
        for (key, question) in all {
            if self.holds(question.when.as_deref())? {
                asked.push((key, &question.asks));
            }
        }
        // Further questions are answered by further replies.
        let mut replies = std::mem::take(&mut self.replies);
        let mut complaints: HashMap<&str, String> = HashMap::new();
        let mut rounds = 0;
        loop {
            for (key, asks) in &asked {
                let Some(reply) = replies.remove(*key).filter(|_| !answers.contains_key(*key)) else { continue };
                match read(asks, reply) {
                    Ok(answer) => drop(answers.insert((*key).to_owned(), answer)),
                    Err(complaint) => drop(complaints.insert(*key, complaint)),
                }
            }
            let mut open = IndexMap::new();
            for (key, asks) in asked.iter().filter(|(key, _)| !answers.contains_key(*key)) {
                let complaint = complaints.get(*key).map(String::as_str);
                open.insert((*key).to_owned(), self.question(asks, complaint)?);
            }
            if open.is_empty() {
                break;
            }
            if rounds == ROUNDS {
                return Err(unanswered(open.keys(), &complaints));
            }
            self.able(&open)?;
            let reply = tokio::time::timeout(PATIENCE, self.call.client.ask(&open)).await;
            let reply = reply.map_err(|_| {
                CallError::new(CallErrorKind::Timeout, format!("the client did not answer within {PATIENCE:?}"))
                    .hint("call again when somebody is there to answer")
            })?;
            match reply? {
                Asked::Later => {
                    return Ok(Flow::Waits(Box::new(Waits { questions: open, answers, ..Waits::default() })));
                }
                Asked::Replies(more) => replies = more,
            }
            rounds += 1;
        }
        let mut ordered = Map::with_capacity(asked.len());
        for (key, _) in &asked {
            ordered.extend(answers.remove(*key).map(|answer| ((*key).to_owned(), answer)));
        }
        let output = match single {
            true => ordered.into_iter().next().map_or(Value::Null, |(_, answer)| answer),
            false => Value::Object(ordered),
        };
        Ok(Flow::Done(Produced { output: Some(output.clone()), ..Produced::text(format!("{output:#}")) }))
    }

    /// The question as the client sees it.
    fn question(&self, asks: &Asks, complaint: Option<&str>) -> Result<Question, CallError> {
        let said = |message: String| match complaint {
            Some(complaint) => format!("{message}\n\nThe last answer could not be used: {complaint}."),
            None => message,
        };
        Ok(match asks {
            Asks::Form { message, schema } => {
                Question::Form { message: said(self.said(message)?), schema: schema.source.clone() }
            }
            Asks::Url { message, url } => Question::Url { message: said(self.said(message)?), url: self.text(url)? },
            Asks::Sample { messages, system_prompt, max_tokens, temperature } => Question::Sample {
                messages: messages
                    .iter()
                    .map(|(role, text)| Ok((*role, self.said(text)?)))
                    .collect::<Result<_, CallError>>()?,
                system_prompt: system_prompt.as_ref().map(|text| self.said(text)).transpose()?,
                max_tokens: *max_tokens,
                temperature: *temperature,
            },
            Asks::Roots => Question::Roots,
        })
    }

    /// Whether the client said that it can answer.
    fn able(&self, questions: &IndexMap<String, Question>) -> Result<(), CallError> {
        let abilities = self.call.client.abilities();
        let mut lacking: Vec<Ability> = questions.values().map(Question::needs).collect();
        lacking.retain(|ability| !abilities.has(*ability));
        lacking.sort_unstable();
        lacking.dedup();
        if lacking.is_empty() { Ok(()) } else { Err(CallError::lacking(lacking)) }
    }
}

fn unanswered<'a>(open: impl Iterator<Item = &'a String>, complaints: &HashMap<&str, String>) -> CallError {
    let why = open.map(|key| match complaints.get(key.as_str()) {
        Some(complaint) => format!("`{key}`: {complaint}"),
        None => format!("`{key}`: no answer"),
    });
    let why: Vec<String> = why.collect();
    CallError::new(
        CallErrorKind::Failed,
        format!("the client was asked twice and did not answer usably: {}", why.join("; ")),
    )
    .hint("call again and answer as the form says")
}

/// An MCP result as the output of its question, or why it is none.
fn read(asks: &Asks, reply: Value) -> Result<Value, String> {
    match asks {
        Asks::Form { schema, .. } => form(schema, &reply),
        Asks::Url { .. } => Ok(json!({ "action": action(&reply)? })),
        Asks::Sample { .. } => sampled(reply),
        Asks::Roots => roots(&reply),
    }
}

fn action(reply: &Value) -> Result<&str, String> {
    let action = reply.get("action").and_then(Value::as_str).unwrap_or_default();
    match action {
        "accept" | "decline" | "cancel" => Ok(action),
        _ => Err("`action` must be `accept`, `decline` or `cancel`".to_owned()),
    }
}

fn form(schema: &Schema, reply: &Value) -> Result<Value, String> {
    let action = action(reply)?;
    let content = reply.get("content").filter(|content| !content.is_null()).cloned().unwrap_or_else(|| json!({}));
    if action != "accept" {
        return Ok(json!({ "action": action, "content": {} }));
    }
    let validator = schema.validator().map_err(|error| format!("the form is broken: {error}"))?;
    let mistakes = arguments::violations(validator, &schema.source, &content);
    match mistakes.is_empty() {
        true => Ok(json!({ "action": action, "content": content })),
        false => Err(mistakes.join("; ")),
    }
}

fn sampled(mut reply: Value) -> Result<Value, String> {
    let content = match reply.get_mut("content").map(Value::take) {
        Some(Value::Array(blocks)) => blocks,
        Some(block @ Value::Object(_)) => vec![block],
        _ => return Err("the message has no `content`".to_owned()),
    };
    let text: Vec<&str> = content.iter().filter_map(|block| block.get("text")?.as_str()).collect();
    let text = text.join("\n\n");
    let member = |name: &str| reply.get(name).cloned().unwrap_or_default();
    Ok(json!({
        "text": text,
        "content": content,
        "role": member("role"),
        "model": member("model"),
        "stop_reason": member("stopReason"),
    }))
}

fn roots(reply: &Value) -> Result<Value, String> {
    let Some(roots) = reply.get("roots").and_then(Value::as_array) else {
        return Err("the list has no `roots`".to_owned());
    };
    let each = |root: &Value| {
        let uri = root.get("uri").and_then(Value::as_str).ok_or("a root has no `uri`")?;
        Ok(json!({ "uri": uri, "name": root.get("name") }))
    };
    let roots = roots.iter().map(each).collect::<Result<Vec<_>, &str>>()?;
    Ok(json!({ "roots": roots }))
}
