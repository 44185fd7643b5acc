//! The state of a run that waits for its client: what it needs to go on at its step without running earlier ones
//! again, bound to the definition, the arguments and the caller that it began with.
//!
//! Whoever hands it out seals it against changes. It is not hidden from the client, which is shown the answer of the
//! same call anyway.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    super::{Call, CallError, CallErrorKind, Content, Produced, Question},
    Of, Waits,
};

/// What became of the steps before the one that waits, or of a whole message.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Before {
    pub(super) shown: Vec<Content>,
    pub(super) structured: Option<Value>,
    pub(super) meta: Option<Map<String, Value>>,
    pub(super) notes: Vec<String>,
    pub(super) is_error: bool,
    pub(super) wanting: bool,
    pub(super) ended: Ended,
}

/// What became of the steps of a pipeline.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Ended {
    /// Those that asked something, whether or not they may fail, and had an answer.
    pub(super) answered: usize,
    /// Those that failed without the others.
    pub(super) failed: usize,
}

impl From<Produced> for Before {
    fn from(produced: Produced) -> Self {
        let Produced { content: shown, structured, meta, notes, is_error, wanting, .. } = produced;
        Self { shown, structured, meta, notes, is_error, wanting, ended: Ended::default() }
    }
}

impl From<Before> for Produced {
    fn from(before: Before) -> Self {
        let Before { shown, structured, meta, notes, is_error, wanting, .. } = before;
        Self { structured, meta, notes, is_error, wanting, ..Self::of(shown) }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Fingerprint of what it belongs to.
    of: String,
    /// What became of the actions before the current one: messages of a prompt.
    pub(super) done: Vec<Before>,
    pub(super) step: usize,
    pub(super) before: Before,
    pub(super) kept: Map<String, Value>,
    /// Answers that the current step has already got.
    pub(super) answers: Map<String, Value>,
    /// It goes on as a task.
    pub(super) as_task: bool,
}

pub(super) fn write(
    waits: Waits,
    done: Vec<Before>,
    kept: Map<String, Value>,
    of: Of<'_>,
    arguments: &Map<String, Value>,
    call: &Call,
) -> Result<(IndexMap<String, Question>, Value), CallError> {
    let Waits { questions, answers, step, before, as_task } = waits;
    let of = fingerprint(of, arguments, call)?;
    let saved = Saved { of, done, step, before, kept, answers, as_task };
    Ok((questions, serde_json::to_value(saved).map_err(|error| broken(&error))?))
}

/// The state of a repeated call; none where the client answers what it was never asked.
pub(super) fn read(
    state: &Value,
    of: Of<'_>,
    arguments: &Map<String, Value>,
    call: &Call,
) -> Result<Option<Saved>, CallError> {
    if state.is_null() {
        return Ok(None);
    }
    let refused = |what: &str| {
        CallError::invalid(what)
            .hint("call again without `requestState` and `inputResponses`, to start from the beginning")
    };
    let saved = Saved::deserialize(state).map_err(|_| refused("the state of this call cannot be read"))?;
    if saved.of != fingerprint(of, arguments, call)? {
        let what =
            "the call cannot go on: since the client was asked, the definition, the arguments or the caller changed";
        return Err(refused(what));
    }
    Ok(Some(saved))
}

/// What a state must not be moved away from: a confirmation is given to one definition, for one set of arguments, by
/// one caller.
fn fingerprint(of: Of<'_>, arguments: &Map<String, Value>, call: &Call) -> Result<String, CallError> {
    let definition = match of {
        Of::Tool(entry) => serde_json::to_vec(&("tool", &entry.definition)),
        Of::Prompt(entry) => serde_json::to_vec(&("prompt", &entry.definition)),
        Of::Resource(entry, uri) => serde_json::to_vec(&("resource", uri, &entry.definition)),
    };
    // Arguments in the order of their names, whatever order the client wrote them in.
    let sorted: std::collections::BTreeMap<_, _> = arguments.iter().collect();
    let rest = serde_json::to_vec(&(call.principal.owner(), sorted));
    let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
    digest.update(&definition.map_err(|error| broken(&error))?);
    digest.update(&rest.map_err(|error| broken(&error))?);
    let digest = digest.finish();
    Ok(base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, digest.as_ref()))
}

fn broken(error: &serde_json::Error) -> CallError {
    CallError::new(CallErrorKind::Internal, format!("the state of the call cannot be written: {error}"))
}
