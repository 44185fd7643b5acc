//! Whether an answer does harm: it shows what nobody but others may know, or it is another one where the others'
//! rows and the secrets are different, so that something of them can be learnt from it.

use serde_json::{Value, json};
use tfo_mcp::source::{Rows, SourceError, SourceErrorKind};

use super::text::Attack;

pub type Answer = Result<Rows, SourceError>;

/// What became of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Refused,
    Answered,
    /// It ended at a limit of time, memory or size.
    Bounded,
}

pub fn outcome(answer: &Answer) -> Outcome {
    use SourceErrorKind::{Cancelled, Exhausted, Timeout};
    match answer {
        Ok(_) => Outcome::Answered,
        Err(error) if matches!(error.kind, Timeout | Exhausted | Cancelled) => Outcome::Bounded,
        Err(_) => Outcome::Refused,
    }
}

/// Everything that an answer says, in an order of its own, without the names of the test's databases.
pub fn said(answer: &Answer, names: &[String]) -> String {
    let text = match answer {
        Ok(rows) => {
            let mut lines: Vec<String> = rows.rows.iter().map(|row| Value::from(row.clone()).to_string()).collect();
            lines.sort();
            let columns: Vec<&str> = rows.columns.iter().map(|column| column.name.as_str()).collect();
            json!({"columns": columns, "rows": lines, "truncated": rows.truncated.is_some()}).to_string()
        }
        Err(error) => format!("{} {} {}", error.kind.as_str(), error.message, error.hint.as_deref().unwrap_or("")),
    };
    names.iter().fold(text, |text, name| text.replace(name.as_str(), "DATABASE"))
}

/// The first forbidden word in an answer that the attack did not bring itself.
pub fn forbidden<'w>(attack: &Attack, said: &str, words: &'w [String]) -> Option<&'w str> {
    // A database of the server itself, `template0`, ends like one of the words.
    let said = said.to_lowercase().replace("template0", "");
    let asked = format!("{} {}", attack.sql, attack.params.join(" ")).to_lowercase();
    let shown = |word: &&String| {
        let word = word.to_lowercase();
        said.contains(&word) && !asked.contains(&word)
    };
    words.iter().find(shown).map(String::as_str)
}

/// Whether an answer was given before anything was read: nothing of the rows can be learnt from it.
pub fn unread(answer: &Answer) -> bool {
    matches!(answer, Err(error) if matches!(error.kind, SourceErrorKind::Forbidden | SourceErrorKind::Missing))
}

/// Whether two answers to one attack can be compared: neither ended at a limit, where chance has a say.
pub fn comparable(attack: &Attack, first: &Answer, second: &Answer) -> bool {
    !attack.loose && !attack.cost && outcome(first) != Outcome::Bounded && outcome(second) != Outcome::Bounded
}
