//! What went wrong, from the texts that ClickHouse and the driver give.
//!
//! The driver has no structured code: an exception is the text `Code: N. DB::Exception: … (NAME) (version …)`, and
//! it may follow rows that were already written. Only the last exception of a text is kept, in one line and cut to
//! a length, so that no rows reach a log or a model.

use clickhouse::error::Error;

use crate::source::{SourceError, SourceErrorKind};

/// What the server's condition on a folded table says.
pub(super) const FOLDED: &str = "tfo-mcp: its rows may hold sums over organisations";

/// Longest message kept, in characters.
const MESSAGE: usize = 600;

/// A failure, and whether it is worth asking again over a new connection.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: SourceError,
    /// The server was not reached, or the connection broke: nothing is known about the statement.
    pub(super) connection_lost: bool,
    /// ClickHouse's own number of an exception.
    pub(super) code: Option<u32>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::BadResponse(text) => exception(&text),
            Error::TimedOut => Self {
                error: SourceError::new(SourceErrorKind::Timeout, "ClickHouse did not answer in time"),
                connection_lost: false,
                code: None,
            },
            Error::Network(source) => {
                let mut text = source.to_string();
                let mut cause = source.source();
                while let Some(next) = cause {
                    text = next.to_string();
                    cause = next.source();
                }
                Self {
                    error: SourceError::new(
                        SourceErrorKind::Unavailable,
                        format!("cannot reach ClickHouse: {}", one_line(&text)),
                    )
                    .hint("check that it runs and that {address} names its host and its port for HTTP"),
                    connection_lost: true,
                    code: None,
                }
            }
            Error::InvalidParams(source) => Self {
                error: SourceError::new(SourceErrorKind::Invalid, one_line(&source.to_string())),
                connection_lost: false,
                code: None,
            },
            other => Self {
                error: SourceError::new(SourceErrorKind::Failed, one_line(&other.to_string())),
                connection_lost: false,
                code: None,
            },
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self { error, connection_lost: false, code: None }
    }
}

/// The failure that an exception text means.
pub(super) fn exception(text: &str) -> Failure {
    if text.contains("Field value too long") {
        return SourceError::new(SourceErrorKind::Exhausted, "a bound value is longer than ClickHouse takes over HTTP")
            .hint("pass a shorter value; the server's `http_max_field_value_size` is 128 KiB unless it was changed")
            .into();
    }
    if text.contains(FOLDED) {
        return folded(None).into();
    }
    let Some((code, message)) = last_exception(text) else {
        // A proxy's page or a bare status line; the server itself always gives a code.
        return stranger(text).into();
    };
    let message = without_guess(&one_line(message));
    let error = SourceError::new(kind(code), format!("ClickHouse error {code}: {message}"));
    let error = match hint(code) {
        Some(hint) => error.hint(hint),
        None => error,
    };
    Failure { error, connection_lost: false, code: Some(code) }
}

/// An answer that ClickHouse does not give: of another server at its address, or of a proxy in front of it.
pub(super) fn stranger(text: &str) -> SourceError {
    const SHOWN: usize = 160;
    let line = without_tags(&one_line(text));
    let said = match line.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or_default()),
        None => line,
    };
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    SourceError::new(SourceErrorKind::Failed, format!("an HTTP server answered, and not as ClickHouse does{said}"))
        .hint("check that {address} names ClickHouse and its port for HTTP, or see what stands in front of it")
}

/// The words of a page.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, part) in text.split('<').enumerate() {
        match part.split_once('>') {
            Some((_, words)) if n > 0 => out.extend([" ", words]),
            _ => out.push_str(part),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A statement that reads a table whose engine adds up rows, and not by organisation.
pub(super) fn folded(table: Option<&str>) -> SourceError {
    let table = table.map_or_else(String::new, |table| format!(" (`{table}`)"));
    let message = format!("the statement reads a table{table} whose rows may hold sums over organisations");
    SourceError::new(SourceErrorKind::Forbidden, message)
        .hint("read the table that it is made from, or a rollup that is sorted by `organization_id` too")
}

/// A failure of a statement that we put a line in front of: where it is wrong, in the caller's own.
pub(super) fn behind(line: &str, failure: Failure) -> Failure {
    let less = |message: &str, mark: &str, by: usize| {
        let (before, rest) = message.split_once(mark)?;
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let own = digits.parse::<usize>().ok()?.checked_sub(by).filter(|own| *own > 0)?;
        Some(format!("{before}{mark}{own}{after}"))
    };
    let message = &failure.error.message;
    let moved = less(message, "failed at position ", line.len());
    let moved = moved.map(|message| less(&message, "(line ", line.matches('\n').count()).unwrap_or(message));
    let message = moved.unwrap_or_else(|| message.clone());
    Failure { error: SourceError { message, ..failure.error }, ..failure }
}

/// The code and the message of the last exception in a text.
fn last_exception(text: &str) -> Option<(u32, &str)> {
    text.rmatch_indices("Code: ").find_map(|(start, marker)| {
        let rest = text.get(start + marker.len()..)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (code, rest) = rest.split_at_checked(digits)?;
        let code = code.parse().ok()?;
        let rest = rest.strip_prefix('.').unwrap_or(rest).trim_start();
        let message = rest.strip_prefix("DB::Exception: ").or_else(|| rest.strip_prefix("DB::NetException: "));
        match message {
            Some(message) => Some((code, message)),
            // Only the header was readable.
            None if rest.is_empty() => Some((code, "no message")),
            None => None,
        }
    })
}

/// A message without the names that ClickHouse thinks were meant: it knows tables and columns that nobody may read.
fn without_guess(message: &str) -> String {
    const GUESS: &str = "Maybe you meant";
    let Some((before, guess)) = message.split_once(GUESS) else { return message.to_owned() };
    // Behind it stands the name of the code.
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "_)".contains(c));
    let name = guess.rsplit_once(" (").filter(|(_, name)| name.ends_with(')') && is_name(name));
    let before = before.trim_end().trim_end_matches([',', '.', ';']);
    match name {
        Some((_, name)) => format!("{before}. ({name}"),
        None => format!("{before}."),
    }
}

fn one_line(text: &str) -> String {
    let text = text.rsplit_once(" (version ").map_or(text, |(head, _)| head);
    let text = text.split(" Stack trace:").next().unwrap_or(text);
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !c.is_control()));
    }
    match line.char_indices().nth(MESSAGE) {
        Some((cut, _)) => {
            line.truncate(cut);
            line + "…"
        }
        None => line,
    }
}

/// Codes are those of `src/Common/ErrorCodes.cpp`; they never change their meaning.
fn kind(code: u32) -> SourceErrorKind {
    use SourceErrorKind::*;
    match code {
        // UNKNOWN_TABLE, UNKNOWN_DATABASE, UNKNOWN_IDENTIFIER, NO_SUCH_COLUMN_IN_TABLE, THERE_IS_NO_COLUMN,
        // NOT_FOUND_COLUMN_IN_BLOCK
        60 | 81 | 47 | 16 | 8 | 10 => Missing,
        // TIMEOUT_EXCEEDED, TOO_SLOW, SOCKET_TIMEOUT
        159 | 160 | 209 => Timeout,
        // QUERY_WAS_CANCELLED, QUERY_WAS_CANCELLED_BY_CLIENT
        394 | 735 => Cancelled,
        // READONLY, ACCESS_DENIED, QUERY_IS_PROHIBITED, SETTING_CONSTRAINT_VIOLATION, INTO_OUTFILE_NOT_ALLOWED,
        // TABLE_IS_READ_ONLY, DATABASE_ACCESS_DENIED, DICTIONARY_ACCESS_DENIED, FUNCTION_NOT_ALLOWED,
        // PATH_ACCESS_DENIED, UNACCEPTABLE_URL
        164 | 497 | 392 | 452 | 358 | 242 | 291 | 482 | 446 | 481 | 491 => Forbidden,
        // MEMORY_LIMIT_EXCEEDED, TOO_MANY_ROWS_OR_BYTES, TOO_MANY_ROWS, TOO_MANY_BYTES, SET_SIZE_LIMIT_EXCEEDED,
        // TOO_MANY_SIMULTANEOUS_QUERIES, QUOTA_EXCEEDED, TOO_DEEP_RECURSION, TOO_BIG_AST, NOT_ENOUGH_SPACE,
        // CANNOT_ALLOCATE_MEMORY, TOO_LARGE_ARRAY_SIZE, TOO_LARGE_STRING_SIZE, TOO_DEEP_AST, TOO_DEEP_SUBQUERIES
        241 | 396 | 158 | 307 | 191 | 202 | 201 | 306 | 168 | 243 | 173 | 128 | 131 | 167 | 162 => Exhausted,
        // AUTHENTICATION_FAILED, UNKNOWN_USER, REQUIRED_PASSWORD, WRONG_PASSWORD, IP_ADDRESS_NOT_ALLOWED,
        // NETWORK_ERROR, ABORTED (shutting down), ALL_CONNECTION_TRIES_FAILED, NO_AVAILABLE_REPLICA, UNKNOWN_ROLE
        516 | 192 | 194 | 193 | 195 | 210 | 236 | 279 | 265 | 511 => Unavailable,
        // What a statement can do wrong: syntax, types, functions, aggregation, parameters.
        62 | 43 | 42 | 46 | 53 | 6 | 27 | 36 | 70 | 72 | 41 | 35 | 69 | 153 | 184 | 215 | 206 | 207 | 179 | 352
        | 386 | 403 | 456 | 457 | 50 | 115 | 117 | 130 | 26 | 63 | 44 | 48 | 49 | 190 | 395 | 407 | 441 | 475 | 636
        | 678 => Invalid,
        _ => Failed,
    }
}

fn hint(code: u32) -> Option<&'static str> {
    Some(match code {
        516 | 192..=195 => "check the user and the password of {address}",
        60 | 47 | 16 => "check the names; they are case-sensitive",
        81 => "check the name of the database in {address}",
        159 => "ask for a shorter window or fewer groups",
        241 | 396 | 158 | 307 => "ask for a shorter window, fewer groups or fewer rows",
        168 | 167 | 162 => "write a shorter statement with fewer parts",
        394 => "somebody cancelled it in ClickHouse; ask again",
        202 => "try again in a moment",
        456 => "placeholders are `{p1:Type}`, `{p2:Type}` and so on, in the order of the values that are given",
        164 | 358 | 497 => "only reading statements are allowed: one SELECT without SETTINGS, FORMAT or INTO OUTFILE",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_exception_is_kept_and_no_rows() {
        let rows = "[\"secret\",1]\n".repeat(1000);
        let text = format!(
            "{rows}Code: 396. DB::Exception: Limit for result exceeded,\nmax rows: 10. (TOO_MANY_ROWS_OR_BYTES) (version 26.7.2.1 (official build))\n"
        );
        let error = exception(&text).error;
        assert_eq!(error.kind, SourceErrorKind::Exhausted);
        assert_eq!(
            error.message,
            "ClickHouse error 396: Limit for result exceeded, max rows: 10. (TOO_MANY_ROWS_OR_BYTES)"
        );
    }

    /// It guesses among tables of others, its own and columns that are not offered.
    #[test]
    fn what_clickhouse_guesses_is_not_told() {
        for (text, told) in [
            (
                "Unknown table expression identifier 'tfo_dem' in scope SELECT * FROM tfo_dem. Maybe you meant default.tfo_demo?. (UNKNOWN_TABLE) (version 26.7.2.1 (official build))",
                "Unknown table expression identifier 'tfo_dem' in scope SELECT * FROM tfo_dem. (UNKNOWN_TABLE)",
            ),
            (
                "Unknown expression identifier `_par` in scope SELECT _par FROM traces (a). Maybe you meant: ['_part']. (UNKNOWN_IDENTIFIER)",
                "Unknown expression identifier `_par` in scope SELECT _par FROM traces (a). (UNKNOWN_IDENTIFIER)",
            ),
            ("There is no user x, maybe. Maybe you meant: ['y (Z)']", "There is no user x, maybe."),
            ("Plain. (SYNTAX_ERROR)", "Plain. (SYNTAX_ERROR)"),
        ] {
            let error = exception(&format!("Code: 60. DB::Exception: {text}")).error;
            assert_eq!(error.message, format!("ClickHouse error 60: {told}"));
        }
    }

    #[test]
    fn places_are_those_of_the_callers_statement() {
        let told = |text: &str| behind("EXPLAIN QUERY TREE\n", exception(text)).error.message;
        let wrong = "Code: 62. DB::Exception: Syntax error: failed at position 36 (logs) (line 2, col 17): logs. (SYNTAX_ERROR)";
        assert!(told(wrong).contains("failed at position 17 (logs) (line 1, col 17): logs"), "{}", told(wrong));
        let ended = "Code: 62. DB::Exception: Syntax error: failed at position 26 (end of query) (line 2, col 7): .";
        assert!(told(ended).contains("failed at position 7 (end of query) (line 1, col 7)"));
        assert!(told("Code: 47. DB::Exception: no (line 2) here").contains("no (line 2) here"));
    }

    #[test]
    fn a_text_without_code_is_cut() {
        let error = exception(&"<html>bad gateway</html>\n".repeat(1000)).error;
        assert_eq!(error.kind, SourceErrorKind::Failed);
        assert!(error.message.chars().count() < 650 && !error.message.contains('\n'));
        let page = exception("<!DOCTYPE HTML>\n<html><h1>Error response</h1>\n<p>Error code: 501</p></html>").error;
        assert_eq!(page.message, "an HTTP server answered, and not as ClickHouse does: Error response Error code: 501");
        assert!(page.hint.unwrap().starts_with("check that {address} names ClickHouse"));
    }
}
