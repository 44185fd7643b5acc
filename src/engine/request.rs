//! `http.request`: a request of a definition to the host, and the JSON of its answer as rows.
//!
//! What a service says is a stranger's text, as what a database says is: rows go the way of rows, and what is said of a failure
//! is one bounded line.

mod found;

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::{Call, CallError, CallErrorKind, Cap, Engine, Produced, intake, query::answered};
use crate::{
    catalog::{CompiledRequest, RequestJson, RequestValue, Text},
    definition::{HttpFailure, HttpMethod, HttpNote, HttpSaid, HttpState, Period, RowsPointer},
    host::http::{Answered, Asked, Body, HttpError, HttpErrorKind, Method, Unread},
    source::{Limits, Rows},
    template::{counted, message},
};

/// Longest text of a service in an error, in characters.
const SAID: usize = 600;

/// Longest answer that is told because it has no rows, in characters.
const WRONG: usize = 300;

/// Most remarks of a service that are told.
const NOTES: usize = 10;

/// The status of a part of an answer.
const PARTIAL: u16 = 206;
/// Of what was done without an answer.
const NO_CONTENT: u16 = 204;
const RESET_CONTENT: u16 = 205;

/// What is said where a service answers nothing to what it did.
const DONE: &str = "It is done: the service accepted the request and answered nothing.";

/// From which wait on a service is not blamed for the time that it had.
const WAITED: Duration = Duration::from_millis(50);

/// The time that a request has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time {
    /// What is left of it.
    pub left: Duration,
    /// That of the whole call.
    pub whole: Duration,
    /// Steps of the call that may ask the same service at once.
    pub at_once: usize,
}

impl Engine {
    /// Asks a service and answers with its rows. `print` renders a text of the definition.
    pub(super) async fn run_request(
        &self,
        request: &CompiledRequest,
        print: impl Fn(&Text) -> Result<String, CallError>,
        variables: &Map<String, Value>,
        time: Time,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let (asked, left) = (asked(request, print, variables)?, time.left);
        let began = Instant::now();
        // Whoever keeps a service busy waits for itself, and not others for it.
        let turn = tokio::time::timeout(left, self.services.take(&request.service, call.caller.as_ref())).await;
        let _turn = turn.map_err(|_| time.no_turn(&request.service, left))?;
        let (sent, waited) = (Instant::now(), began.elapsed());
        let left = left.saturating_sub(waited);
        // Whoever has next to no time left would blame the service for what it waited.
        if left < waited / 10 {
            return Err(time.no_turn(&request.service, waited));
        }
        let answer = self.options.services.ask(&request.service, &asked, left).await;
        let answer = answer.map_err(|error| match error.kind {
            // It was given the rest, and is not to blame for what went before.
            HttpErrorKind::Timeout if waited > WAITED && sent.elapsed() >= left.mul_f64(0.9) => {
                time.late(&request.service, waited, left)
            }
            _ => error.into(),
        })?;
        if is_done(request.method, &answer) {
            let limits = Limits { timeout: left, max_rows: 1, max_bytes: self.options.max_bytes };
            let rows = Rows { elapsed: sent.elapsed(), ..Rows::default() };
            return Ok(answered(rows, request.output.format, limits, Cap::Rows, None, (DONE, &self.options)));
        }
        let repeated = repeated(&request.service, &answer.repeated);
        let document = document(&request.service, answer)?;
        let max_rows = (request.output.max_rows as usize).min(self.options.max_rows);
        let limits = Limits { timeout: left, max_rows, max_bytes: self.options.max_bytes };
        failed(request, &document)?;
        let found::Read { rows, left_out, foreign, without } = found::rows(request, &document, limits)
            .map_err(|(pointer, why)| missing(request, pointer, &why, &document))?;
        let by = if max_rows < self.options.max_rows { Cap::Tool } else { Cap::Rows };
        let rows = intake::rows(Rows { elapsed: sent.elapsed(), ..rows }, limits);
        let left_out = (left_out > 0).then(|| {
            let more = counted(left_out, "further member");
            format!(
                "{more} of its rows {} left out: the definition names no `columns`",
                if left_out == 1 { "is" } else { "are" }
            )
        });
        let foreign = (foreign > 0).then(|| {
            format!(
                "{} {} nothing of what the definition names: `{}` may be of another version",
                counted(foreign, "row"),
                if foreign == 1 { "has" } else { "have" },
                request.service
            )
        });
        let without = without.map(|(count, why)| {
            let verb = if count == 1 { "has" } else { "have" };
            format!("{} {verb} no rows and {verb} none here: {why}", counted(count, "element"))
        });
        let beside = [repeated, left_out, foreign, without].into_iter().flatten();
        let notes = said_beside(request, &document).into_iter().chain(beside).collect();
        Ok(Produced {
            notes,
            ..answered(rows, request.output.format, limits, by, None, ("The service answered no rows.", &self.options))
        })
    }
}

impl Time {
    /// Who else asked, and what to do about it.
    fn others(self) -> (&'static str, String) {
        match self.at_once > 1 {
            true => (
                "other steps of this call, or other calls,",
                format!(
                    "the definition asks it with {} steps at once, of which one caller has {} at a time: its author sets \
                     a longer `timeout`, or fewer steps `beside`",
                    self.at_once,
                    super::turns::AT_ONCE_EACH
                ),
            ),
            false => ("other calls", "call again when your other calls have ended".to_owned()),
        }
    }

    /// A call waited for others as long as it could.
    fn no_turn(self, service: &str, waited: Duration) -> CallError {
        let ((others, hint), waited, whole) = (self.others(), told(waited), told(self.whole));
        let message =
            format!("`{service}` was not asked: {others} kept it busy for {waited} of the {whole} that this call has");
        CallError::new(CallErrorKind::Timeout, message).hint(hint)
    }

    /// A service had only the rest of the time.
    fn late(self, service: &str, waited: Duration, left: Duration) -> CallError {
        let ((others, hint), waited, left, whole) = (self.others(), told(waited), told(left), told(self.whole));
        let message = format!(
            "`{service}` did not answer whole within {left}: {others} kept it busy for {waited} of the {whole} that this \
             call has"
        );
        CallError::new(CallErrorKind::Timeout, message).hint(hint)
    }
}

/// In whole milliseconds.
pub(super) fn told(time: Duration) -> Period {
    Period(Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
}

/// Whether a service did what it was asked, and has nothing to say. Whoever only reads was promised an answer.
fn is_done(method: HttpMethod, answer: &Answered) -> bool {
    let says_nothing = matches!(answer.status, NO_CONTENT | RESET_CONTENT) || answer.is_empty;
    method != HttpMethod::Get && answer.is_success() && answer.status != PARTIAL && says_nothing
}

fn asked(
    request: &CompiledRequest,
    print: impl Fn(&Text) -> Result<String, CallError>,
    variables: &Map<String, Value>,
) -> Result<Asked, CallError> {
    let values = |values: &[(String, RequestValue)]| {
        let mut pairs = Vec::new();
        for (name, value) in values {
            match value {
                RequestValue::One(text) => {
                    pairs.extend(Some(print(text)?).filter(|text| !text.is_empty()).map(|text| (name.clone(), text)));
                }
                RequestValue::Each(text) => {
                    let texts: Option<Vec<String>> = serde_json::from_str(&print(text)?).map_err(|error| {
                        CallError::definition(format!("`{name}` of its request is no list of texts: {error}"))
                    })?;
                    pairs.extend(texts.into_iter().flatten().map(|text| (name.clone(), text)));
                }
            }
        }
        Ok::<_, CallError>(pairs)
    };
    let headers = request.headers.iter().map(|(name, text)| Ok((name.clone(), print(text)?)));
    let body = match (&request.json, &request.form) {
        (Some(json), _) => Some(Body::Json(filled(json, &print, variables)?.unwrap_or_default().to_string())),
        (None, Some(form)) => Some(Body::Form(values(form)?)),
        (None, None) => None,
    };
    Ok(Asked {
        method: match request.method {
            HttpMethod::Get => Method::Get,
            HttpMethod::Post => Method::Post,
            HttpMethod::Put => Method::Put,
            HttpMethod::Patch => Method::Patch,
            HttpMethod::Delete => Method::Delete,
        },
        path: request.path.iter().map(&print).collect::<Result<_, _>>()?,
        query: values(&request.query)?,
        headers: headers
            .collect::<Result<Vec<_>, CallError>>()?
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect(),
        body,
    })
}

/// A body with its values; none in the place of a parameter that is not given.
fn filled(
    json: &RequestJson,
    print: &impl Fn(&Text) -> Result<String, CallError>,
    variables: &Map<String, Value>,
) -> Result<Option<Value>, CallError> {
    Ok(Some(match json {
        RequestJson::Value(value) => value.clone(),
        RequestJson::Text(text) => Value::String(print(text)?),
        RequestJson::Parameter(name) => {
            return Ok(variables.get(name).filter(|value| !value.is_null()).cloned());
        }
        RequestJson::List(items) => {
            let items: Vec<Option<Value>> =
                items.iter().map(|item| filled(item, print, variables)).collect::<Result<_, _>>()?;
            Value::Array(items.into_iter().flatten().collect())
        }
        RequestJson::Object(members) => {
            let mut object = Map::new();
            for (name, item) in members {
                if let Some(value) = filled(item, print, variables)? {
                    object.insert(name.clone(), value);
                }
            }
            Value::Object(object)
        }
    }))
}

/// The JSON of an answer, or what it says of a failure.
fn document(service: &str, answer: Answered) -> Result<Value, CallError> {
    // Nobody asked for a part, and what is kept of it would stand for the whole.
    if answer.status == PARTIAL {
        let message = format!("`{service}` answered a part of what was asked ({PARTIAL} {})", answer.reason);
        return Err(CallError::new(CallErrorKind::Failed, message)
            .hint(format!("the operator looks at what answers at `http.services.{service}.url`")));
    }
    if !answer.is_success() {
        let (kind, hint) = match answer.status {
            400 | 422 => (CallErrorKind::InvalidArguments, "read what it says and change the arguments".to_owned()),
            401 | 403 => {
                let hint = format!("the operator gives this server other credentials in `http.services.{service}`");
                (CallErrorKind::Forbidden, hint)
            }
            404 => (CallErrorKind::Failed, "what was named may not exist there".to_owned()),
            429 | 500.. => (CallErrorKind::Unavailable, "try again later, or ask for less".to_owned()),
            _ => (CallErrorKind::Failed, format!("the operator looks at `http.services.{service}`")),
        };
        let status = format!("{} {}", answer.status, answer.reason);
        let text = match intake::said(&answer.text) {
            text if text.is_empty() => format!("`{service}` answered {}", status.trim()),
            text => format!("`{service}` answered {}: {text}", status.trim()),
        };
        return Err(CallError::new(kind, text).hint(hint));
    }
    let no_json = |why: String| {
        CallError::new(CallErrorKind::Failed, format!("`{service}` answered no JSON: {why}")).hint(format!(
            "the operator looks whether `http.services.{service}.url` is the address of its API, and not of its pages"
        ))
    };
    match answer.document {
        Some(Ok(document)) => Ok(document),
        Some(Err(Unread::NoJson(why))) => Err(no_json(why)),
        Some(Err(Unread::Refused(why))) => {
            let message = format!("the JSON that `{service}` answered is not read: {why}");
            Err(CallError::new(CallErrorKind::Failed, message).hint("ask for less, or for another part of it"))
        }
        None => {
            let media_type = if answer.media_type.is_empty() { "no media type" } else { answer.media_type.as_str() };
            Err(no_json(format!("its answer has {}", intake::said(media_type))))
        }
    }
}

/// What stands where a pointer leads, as texts: of `true` its name.
fn told_at<'d>(pointer: &'d RowsPointer, document: &'d Value) -> impl Iterator<Item = String> + 'd {
    let values = found::standing(document, pointer.tokens()).into_iter().flat_map(|value| match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    });
    let texts = values.filter_map(|value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Bool(false) => None,
        Value::Bool(true) => pointer.tokens().last().cloned(),
        other => Some(other.to_string()),
    });
    texts.filter(|text| !text.is_empty()).take(NOTES)
}

/// # Errors
/// What the service says in place of rows, or beside some of them, because it failed.
fn failed(request: &CompiledRequest, document: &Value) -> Result<(), CallError> {
    let pointers = request.fails.iter().filter_map(|failure| match failure {
        HttpFailure::At(at) => Some(at),
        HttpFailure::Unless(_) => None,
    });
    let told = pointers.flat_map(|at| told_at(at, document)).take(NOTES);
    let mut said: Vec<String> = told.map(|text| intake::said(&text)).collect();
    if said.is_empty() {
        let states = request.fails.iter().flat_map(|failure| match failure {
            HttpFailure::At(_) => Vec::new(),
            HttpFailure::Unless(HttpState { at, unless }) => {
                found::standing(document, at.tokens()).into_iter().map(|state| (at, state, unless)).collect()
            }
        });
        let failed = states.filter(|(_, state, unless)| state.as_str() != Some(unless));
        said.extend(
            failed.take(NOTES).map(|(at, state, _)| format!("`{at}` is {}", message(&state.to_string(), WRONG))),
        );
    }
    if said.is_empty() {
        return Ok(());
    }
    let text = format!("`{}` says that it failed: {}", request.service, said.join(": "));
    Err(CallError::new(CallErrorKind::Failed, text).hint("read what it says; ask for less, or try again later"))
}

/// What a service says beside the rows, in its name, and what the definition says of them.
fn said_beside(request: &CompiledRequest, document: &Value) -> Vec<String> {
    let notes = request.notes.iter().flat_map(|note| match note {
        HttpNote::At(at) => {
            let says = |text: String| format!("`{}` says: {}", request.service, intake::said(&text));
            told_at(at, document).map(says).collect::<Vec<_>>()
        }
        // One is enough: what stands there may be long.
        HttpNote::Says(HttpSaid { at, says }) => told_at(at, document).take(1).map(|_| says.clone()).collect(),
    });
    notes.take(NOTES).collect()
}

/// What is said of members that an object has more than once.
fn repeated(service: &str, keys: &[String]) -> Option<String> {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{}`", intake::said(key))).collect();
    let members = if keys.len() == 1 { "the member" } else { "the members" };
    let keys = (!keys.is_empty()).then(|| keys.join(", "))?;
    Some(format!("`{service}` wrote {members} {keys} more than once in one object, of which the last is read"))
}

fn missing(request: &CompiledRequest, pointer: &RowsPointer, why: &str, document: &Value) -> CallError {
    let answer = message(&document.to_string(), WRONG);
    let at = match pointer.tokens() {
        [] => String::new(),
        _ => format!(" at `{pointer}`"),
    };
    let message = format!("the answer of `{}` has no rows{at}: {why}; it is {answer}", request.service);
    let hint = match said_beside(request, document) {
        said if said.is_empty() => {
            "the service may be of another version than the definition expects; report it to the operator".to_owned()
        }
        said => said.join("; "),
    };
    CallError::new(CallErrorKind::Failed, message).hint(hint)
}

impl From<HttpError> for CallError {
    fn from(error: HttpError) -> Self {
        let kind = match error.kind {
            HttpErrorKind::Invalid => CallErrorKind::InvalidArguments,
            HttpErrorKind::Unavailable => CallErrorKind::Unavailable,
            HttpErrorKind::Forbidden => CallErrorKind::Forbidden,
            HttpErrorKind::Timeout => CallErrorKind::Timeout,
            HttpErrorKind::Failed => CallErrorKind::Failed,
        };
        Self { hint: Some(error.hint), ..Self::new(kind, message(&error.message, SAID)) }
    }
}
