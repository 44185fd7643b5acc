//! Why a call has no answer. The server converts this, and nothing else, to MCP errors.

use std::time::Duration;

use super::{Ability, Cap, Cut, Limit};
use crate::source::{SourceError, SourceErrorKind};

/// Longest text of a source or a template in an error, in characters.
const MESSAGE: usize = 600;

/// Why a call has no answer, and what to do next.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    pub kind: CallErrorKind,
    /// What happened, one sentence or more, without secrets.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// When a repetition may succeed.
    pub retry_after: Option<Duration>,
    /// What the client would have to be able to do, for `Unable`.
    pub lacking: Vec<Ability>,
    /// All scopes that the definition asks for, where the credential lacks one.
    pub scopes: Vec<String>,
}

/// The kinds that a client or the protocol tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallErrorKind {
    UnknownTool,
    UnknownPrompt,
    UnknownResource,
    /// The arguments violate the definition's parameters.
    InvalidArguments,
    /// The source of the data cannot be reached.
    Unavailable,
    Timeout,
    Cancelled,
    /// The database or a policy refused.
    Forbidden,
    /// The caller called too often.
    Limited,
    /// The client cannot do what the definition asks of it.
    Unable,
    /// The definition ended the call with a protocol error of its own.
    Refused(i32),
    /// The run failed for another reason.
    Failed,
    /// A defect of the server.
    Internal,
}

impl CallErrorKind {
    /// A word for structured answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownTool => "unknown_tool",
            Self::UnknownPrompt => "unknown_prompt",
            Self::UnknownResource => "unknown_resource",
            Self::InvalidArguments => "invalid_arguments",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Forbidden => "forbidden",
            Self::Limited => "rate_limited",
            Self::Unable => "unable",
            Self::Refused(_) => "refused",
            Self::Failed => "failed",
            Self::Internal => "internal",
        }
    }
}

impl CallError {
    pub fn new(kind: CallErrorKind, message: impl Into<String>) -> Self {
        let (lacking, scopes) = (Vec::new(), Vec::new());
        Self { kind, message: message.into(), hint: None, retry_after: None, lacking, scopes }
    }

    /// The credential lacks a scope that a definition asks for.
    pub fn lacking_scope(name: &str, scope: &str) -> Self {
        let message = format!("`{name}` needs the scope `{scope}`, which your credential does not have");
        Self::new(CallErrorKind::Forbidden, message).hint(format!(
            "use a credential with that scope; the operator gives it to a key with `tfo-mcp keys grant NAME --scope {scope}`"
        ))
    }

    /// The client did not declare what the definition asks of it.
    pub fn lacking(abilities: Vec<Ability>) -> Self {
        let names: Vec<&str> = abilities.iter().map(|ability| ability.as_str()).collect();
        let message = format!("this needs a client that can do {}, and yours does not say so", names.join(" and "));
        let hint = "use a client that supports it, or turn it on in the client's settings";
        Self { lacking: abilities, ..Self::new(CallErrorKind::Unable, message) }.hint(hint)
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(CallErrorKind::InvalidArguments, message)
    }

    /// A template or a definition that passed `check` failed at run time: a defect of the definition.
    pub fn definition(message: impl std::fmt::Display) -> Self {
        let message = crate::template::message(&message.to_string(), MESSAGE);
        Self::new(CallErrorKind::Failed, format!("the definition failed: {message}"))
            .hint("this is a mistake in the definition, not in your call; report it to the operator")
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What went wrong after something was made of the arguments: whoever meant something else learns it here.
    #[must_use]
    pub fn after(self, notes: &[String]) -> Self {
        if notes.is_empty() || self.kind == CallErrorKind::Cancelled {
            return self;
        }
        let hint = self.hint.iter().chain(notes).map(String::as_str).collect::<Vec<_>>().join("; ");
        self.hint(hint)
    }

    /// An unknown name, with the nearest known ones, and all of them where they are few.
    pub fn unknown<'a>(kind: CallErrorKind, what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.collect();
        let error = Self::new(kind, format!("unknown {what} {}", span(name, 80)));
        let near = nearest(name, known.iter().copied());
        let meant = near.map(|near| format!("did you mean `{near}`?"));
        let listed = match known.len() {
            0 => None,
            1 => Some(format!("there is only {}", quoted(&known))),
            2..=FEW => Some(format!("there are {}", quoted(&known))),
            n => {
                let more = alike(name, &known, near);
                let are = if more.len() == 1 { "is" } else { "are" };
                let also = if more.is_empty() { String::new() } else { format!("{} {are} like it; ", quoted(&more)) };
                Some(format!("{also}there are {n} in all: {LIST_THEM} {what}"))
            }
        };
        let said: Vec<String> = meant.into_iter().chain(listed).collect();
        if said.is_empty() { error } else { error.hint(said.join(" ")) }
    }

    /// Message and hint as one text for a model.
    pub fn to_text(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}\nWhat to do: {hint}", self.message),
            None => self.message.clone(),
        }
    }
}

/// Why there are no rows, and which limit of ours ended the statement.
pub(super) struct Unread {
    pub error: SourceError,
    pub ended: Option<Cut>,
}

impl From<SourceError> for Unread {
    fn from(error: SourceError) -> Self {
        Self { error, ended: None }
    }
}

/// How long a statement took, and how long it could have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Took {
    pub elapsed: Duration,
    pub limit: Duration,
}

impl Took {
    /// Whether no limit of ours can have ended it. Databases look at theirs now and then, and may look early.
    fn is_early(self) -> bool {
        self.elapsed < self.limit.mul_f64(0.9)
    }
}

impl SourceError {
    /// Whether it tells of a statement that a limit of ours ended, `took` after it was sent.
    pub(super) fn is_ended(&self, took: Took) -> bool {
        self.kind == SourceErrorKind::Timeout && !took.is_early()
    }

    /// Of a statement that was ended, `took` after it was sent: which cap did so, and whose it is.
    pub(super) fn ended_by(self, cut: Cut, took: Took) -> Self {
        if self.kind != SourceErrorKind::Timeout {
            return self;
        }
        if took.is_early() {
            return self.hint(format!(
                "it ended after {:.1} s of the {:.1} s that it had here: a limit of the database itself ended it, or somebody \
                 who cancelled it there; ask again, or ask who runs the database",
                took.elapsed.as_secs_f64(),
                took.limit.as_secs_f64()
            ));
        }
        let why = cut.why();
        let hint = self.hint.as_ref().map_or_else(|| why.clone(), |hint| format!("{hint}; {why}"));
        self.hint(hint)
    }
}

impl SourceError {
    /// Of a statement that had what was `left` of the time of the whole document, and no more: that this is why it had so
    /// little. One that had most of it failed by itself.
    pub(super) fn in_what_was_left(self, cut: Cut, left: Duration, took: Took) -> Self {
        let (Cap::Deadline, Limit::Time(whole)) = (cut.cap, cut.limit) else { return self };
        if left >= whole.mul_f64(0.8) {
            return self;
        }
        let had = u64::try_from(took.limit.as_millis()).unwrap_or(u64::MAX);
        if had == 0 {
            return Self { message: cut.used_up(), ..self };
        }
        let message = format!(
            "not finished within {}: of `{}` ({}) no more was left when its turn came",
            Limit::Time(Duration::from_millis(had)),
            cut.cap.name(),
            cut.limit
        );
        Self { message, ..self }
    }
}

impl From<SourceError> for CallError {
    fn from(error: SourceError) -> Self {
        let kind = match error.kind {
            SourceErrorKind::Unavailable => CallErrorKind::Unavailable,
            SourceErrorKind::Timeout => CallErrorKind::Timeout,
            SourceErrorKind::Cancelled => CallErrorKind::Cancelled,
            SourceErrorKind::Forbidden => CallErrorKind::Forbidden,
            SourceErrorKind::Value => CallErrorKind::InvalidArguments,
            SourceErrorKind::Missing
            | SourceErrorKind::Invalid
            | SourceErrorKind::Exhausted
            | SourceErrorKind::Failed => CallErrorKind::Failed,
        };
        let SourceError { message, hint, .. } = told(error);
        Self { hint, ..Self::new(kind, message) }
    }
}

/// What to do where there are too many names for an error.
pub const LIST_THEM: &str = "list them to see every";

/// An error of a source as it may be told: a database quotes values and whatever else it likes.
pub(super) fn told(error: SourceError) -> SourceError {
    let hint = error.hint.map(|hint| crate::template::message(&hint, MESSAGE));
    SourceError { kind: error.kind, message: crate::template::message(&error.message, MESSAGE), hint }
}

/// As many names are listed whole.
const FEW: usize = 24;

/// A name that is not known, for a sentence. What nobody sees of it is named: else the sentence denies the very name that
/// it offers.
pub fn span(name: &str, max_chars: usize) -> String {
    let shown = crate::template::bare(name, max_chars);
    match crate::template::unseen(name) {
        Some(unseen) => format!("`{shown}` ({unseen})"),
        None => format!("`{shown}`"),
    }
}

/// Names for a sentence.
fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The next nearest names after the nearest.
fn alike<'a>(name: &str, known: &[&'a str], near: Option<&str>) -> Vec<&'a str> {
    let folded = fold(name);
    let mut found: Vec<(f64, &str)> = known.iter().map(|known| (likeness(&folded, known), *known)).collect();
    found.retain(|(likeness, known)| *likeness >= 0.4 && Some(*known) != near);
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().take(5).map(|(_, known)| known).collect()
}

/// Longest word that may be a misspelt name, in bytes.
const LONGEST_NAME: usize = 256;

/// The known word that a misspelt one most likely stands for: in another case, with another hyphen, with a letter
/// wrong, or a part of it.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing takes time and memory by the length of both: what is longer than any name is like none.
    if word.len() > LONGEST_NAME {
        return None;
    }
    let folded = fold(word);
    known
        .map(|candidate| (likeness(&folded, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

fn fold(word: &str) -> String {
    crate::template::trimmed(word).to_lowercase().replace(['-', ' '], "_")
}

/// Of a folded word and a known one, between 0 and 1.
fn likeness(folded: &str, known: &str) -> f64 {
    let known = fold(known);
    let likeness = strsim::normalized_damerau_levenshtein(folded, &known);
    let (short, long) = if folded.len() < known.len() { (folded, &*known) } else { (&*known, folded) };
    let within = short.chars().count() >= 4 && long.contains(short);
    if within { likeness.max(0.6 + likeness / 10.0) } else { likeness }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_recognised_in_another_spelling() {
        let known = ["checkout", "payment-service", "root-cause", "web"];
        for (word, meant) in [
            ("Checkout", Some("checkout")),
            ("CHECKOUT", Some("checkout")),
            ("checkouts", Some("checkout")),
            ("chekout", Some("checkout")),
            ("payment", Some("payment-service")),
            ("root_cause", Some("root-cause")),
            ("we", Some("web")),
            ("inventory", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), meant, "{word}");
        }
    }

    #[test]
    fn what_took_too_long_names_the_limit_that_ended_it() {
        let late_again = || SourceError::new(SourceErrorKind::Timeout, "late").hint("ask for less");
        let late = late_again();
        let (limit, full) = (Duration::from_secs(5), Duration::from_millis(4990));
        let took = |elapsed| Took { elapsed, limit };
        let cut = Cut::new(Cap::Deadline, Limit::Time(limit));
        let told = late.clone().ended_by(cut, took(full)).hint;
        let expected = "ask for less; what ended it is `limits.context_deadline` (5s), which the operator sets";
        assert_eq!(told.as_deref(), Some(expected));
        assert!(late.is_ended(took(full)) && !late.is_ended(took(Duration::from_millis(800))));
        let early = late.ended_by(cut, took(Duration::from_millis(800))).hint.unwrap();
        assert!(
            early.starts_with("it ended after 0.8 s of the 5.0 s ") && !early.contains("context_deadline"),
            "{early}"
        );
        let short = Took { elapsed: Duration::from_millis(40), limit: Duration::from_millis(40) };
        let message = |left| late_again().in_what_was_left(cut, left, short).message;
        assert_eq!(
            message(Duration::from_millis(40)),
            "not finished within 40ms: of `limits.context_deadline` (5s) no more was left when its turn came"
        );
        let none = Took { elapsed: Duration::ZERO, limit: Duration::from_micros(900) };
        assert_eq!(
            late_again().in_what_was_left(cut, none.limit, none).message,
            "its turn came when `limits.context_deadline` (5s) was used up"
        );
        assert_eq!(message(full), "late", "it had nearly all of it");
        let other = SourceError::new(SourceErrorKind::Failed, "broken");
        assert!(!other.is_ended(took(full)));
        assert_eq!(other.clone().ended_by(cut, took(full)), other);
    }

    #[test]
    fn unknown_names_list_all_where_they_are_few_and_the_nearest_where_not() {
        let kind = CallErrorKind::UnknownTool;
        let blank = CallError::unknown(kind, "tool", "echo ", ["echo"].into_iter());
        assert_eq!(blank.message, "unknown tool `echo` (with white space around it)");
        let few = CallError::unknown(kind, "tool", "ecko", ["echo", "calculate"].into_iter());
        assert_eq!(few.hint.as_deref(), Some("did you mean `echo`? there are `echo`, `calculate`"));
        let names: Vec<String> = (0..140).map(|n| format!("pod-{n}")).collect();
        let many = CallError::unknown(kind, "tool", "pot-12", names.iter().map(String::as_str));
        let hint = many.hint.unwrap();
        assert!(hint.starts_with("did you mean `pod-12`?") && hint.contains("there are 140 in all"), "{hint}");
        assert!(hint.len() < 300, "{hint}");
        assert_eq!(CallError::unknown(kind, "tool", "x", std::iter::empty()).hint, None);
    }
}
