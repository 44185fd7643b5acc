//! Texts that every lexer reads alike: the caller's, before our parser reads it, and ours, before the database does.
//!
//! What one takes for a string the other must not take for SQL. So comments go, dollar quotes become plain ones, and
//! literals with escapes are refused. What is printed from the tree is looked at once more.

use std::collections::BTreeSet;

use super::{GuardError, OURS, forbidden, functions, invalid};
use crate::sql::{
    Dialect,
    lex::{self, Kind, Token},
};

/// Longest statement of a caller, in bytes. Longer ones are made by programs, not by people or models.
const LONGEST: usize = 64 * 1024;

/// Longest statement that is printed: columns of subqueries are declared in it.
const LONGEST_PRINTED: usize = 1 << 20;

/// Most tokens. A chain of operators is parsed into a tree as deep as it is long, and trees are walked and freed
/// by recursion.
const MOST_TOKENS: usize = 4_000;

/// Deepest nesting of parentheses.
const DEEPEST: usize = 50;

/// PostgreSQL cuts longer names off, in bytes: to it two of ours would be one.
const LONGEST_NAME: usize = 63;

/// Beginnings of names that belong to the database itself.
const SYSTEM: &[&str] = &["pg_", "sqlite_", "pragma_", "information_schema", OURS];

pub(super) fn canonical(dialect: Dialect, sql: &str, values: usize) -> Result<String, GuardError> {
    if sql.len() > LONGEST {
        return Err(invalid(format!("the statement is longer than {LONGEST} bytes")));
    }
    let tokens = lex::tokens(dialect, sql).map_err(|error| invalid(error.to_string()))?;
    let statements = lex::statements(&tokens);
    let [statement] = statements.as_slice() else {
        return Err(match statements.len() {
            0 => invalid("the statement is empty"),
            count => forbidden(format!("{count} statements in one text")).hint("send them one by one"),
        });
    };
    if statement.len() > MOST_TOKENS {
        return Err(invalid(format!("the statement has more than {MOST_TOKENS} words and signs")));
    }
    let mut text = String::with_capacity(sql.len());
    let (mut depth, mut highest) = (0_usize, 0_usize);
    for (index, token) in statement.iter().enumerate() {
        if token.spaced && !text.is_empty() {
            text.push(' ');
        }
        match token.kind {
            Kind::Word | Kind::Quoted => {
                check_name(dialect, token)?;
                // SQLite takes a table's name behind IN.
                if dialect == Dialect::Sqlite
                    && token.is_word("in")
                    && !statement.get(index + 1).is_some_and(|next| next.is("("))
                {
                    return Err(forbidden("`IN` without parentheses"));
                }
                text.push_str(token.text);
            }
            Kind::Text | Kind::Dollar | Kind::Prefixed => {
                check_before_text(index.checked_sub(1).and_then(|before| statement.get(before)))?;
                match token.kind {
                    Kind::Text => text.push_str(token.text),
                    Kind::Dollar => push_plain(&mut text, token.text),
                    _ => push_prefixed(&mut text, dialect, token)?,
                }
            }
            Kind::Number => {
                check_number(token)?;
                text.push_str(token.text);
            }
            Kind::Placeholder => push_placeholder(&mut text, dialect, token, values, &mut highest)?,
            Kind::Operator => text.push_str(token.text),
            Kind::Symbol => {
                match token.text {
                    // `:name`, as other tools write it.
                    ":" if is_named(statement, index) => {
                        let name = statement.get(index + 1).map_or("", |next| next.text);
                        return Err(invalid(format!("unexpected `:{name}`")).hint(placeholders(values)));
                    }
                    "{" => return Err(invalid("unexpected `{`").hint(placeholders(values))),
                    "(" | "[" => depth += 1,
                    ")" | "]" => depth = depth.saturating_sub(1),
                    "," | "." | ":" | "::" => {}
                    other => return Err(invalid(format!("unexpected `{other}`"))),
                }
                if depth > DEEPEST {
                    return Err(invalid(format!("parentheses are nested more than {DEEPEST} deep")));
                }
                text.push_str(token.text);
            }
        }
    }
    if text.contains('\0') {
        return Err(invalid("the statement contains a NUL character"));
    }
    Ok(text)
}

/// Looks at a text that was printed from a judged tree as the database will: what stands before a parenthesis is a
/// listed function, a keyword or a relation of ours, and a text is no cast.
pub(super) fn check_printed(dialect: Dialect, text: &str) -> Result<(), GuardError> {
    if text.len() > LONGEST_PRINTED {
        return Err(invalid("the statement is too large once all its columns are named")
            .hint("name the columns that are needed instead of `*`"));
    }
    let tokens = lex::tokens(dialect, text).map_err(|error| invalid(error.to_string()))?;
    let mut before: Option<&Token<'_>> = None;
    for token in &tokens {
        match (token.kind, before) {
            (Kind::Text | Kind::Dollar | Kind::Prefixed, _) => check_before_text(before)?,
            (Kind::Symbol, Some(before)) if token.is("(") => check_before_parenthesis(dialect, before)?,
            _ => {}
        }
        before = Some(token);
    }
    Ok(())
}

fn check_before_parenthesis(dialect: Dialect, before: &Token<'_>) -> Result<(), GuardError> {
    let fine = match before.kind {
        Kind::Word => functions::may_precede_parenthesis(dialect, &before.text.to_ascii_lowercase()),
        Kind::Quoted => before.text.strip_prefix('"').is_some_and(|name| name.starts_with(OURS)),
        _ => true,
    };
    if fine { Ok(()) } else { Err(forbidden(format!("a parenthesis behind `{}`", before.text))) }
}

fn check_name(dialect: Dialect, token: &Token<'_>) -> Result<(), GuardError> {
    let bare = match token.kind {
        Kind::Quoted => {
            let inner = token.text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            let inner = inner.ok_or_else(|| {
                forbidden(format!("the name {} is quoted in an uncommon way", token.text)).hint("use double quotes")
            })?;
            if inner.is_empty() || inner.chars().any(|letter| letter == '"' || letter.is_control()) {
                return Err(forbidden(format!("the name {} has quotes or control characters inside", token.text)));
            }
            inner
        }
        _ if !token.text.is_ascii() => {
            return Err(forbidden(format!("the name `{}` has letters outside ASCII", token.text))
                .hint("put it in double quotes"));
        }
        _ => token.text,
    };
    if dialect == Dialect::Postgres && bare.len() > LONGEST_NAME {
        return Err(forbidden(format!("the name `{bare}` is longer than {LONGEST_NAME} bytes"))
            .hint("PostgreSQL would cut it off: choose a shorter one"));
    }
    let folded = bare.to_ascii_lowercase();
    if SYSTEM.iter().any(|prefix| folded.starts_with(prefix)) {
        return Err(forbidden(format!("`{bare}` belongs to the database itself"))
            .hint("use the tables of this database; an unknown name is answered with those there are"));
    }
    Ok(())
}

/// `name 'text'` is a cast to any type for PostgreSQL, and a column with an alias for our parser. Behind a keyword
/// the text is a value, and behind a listed type the parser makes it a cast too.
fn check_before_text(before: Option<&Token<'_>>) -> Result<(), GuardError> {
    let fine = before.is_none_or(|before| match before.kind {
        Kind::Word => functions::may_precede_text(&before.text.to_ascii_lowercase()),
        Kind::Symbol => before.text != ")" && before.text != "]",
        Kind::Operator => true,
        Kind::Quoted | Kind::Text | Kind::Dollar | Kind::Prefixed | Kind::Number | Kind::Placeholder => false,
    });
    let Some(before) = before.filter(|_| !fine) else { return Ok(()) };
    Err(forbidden(format!("a text directly behind `{}`", before.text))
        .hint("cast with `CAST('…' AS type)`; names of columns stand in double quotes, behind `AS`"))
}

/// Decimal numbers with at most one point and one exponent; what else a lexer might take for a number is where
/// lexers differ.
fn check_number(token: &Token<'_>) -> Result<(), GuardError> {
    let (mantissa, exponent) = token.text.split_once(['e', 'E']).unwrap_or((token.text, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let fine = digits(whole) && digits(fraction) && digits(exponent) && !exponent.is_empty() && mantissa != ".";
    if fine { Ok(()) } else { Err(invalid(format!("`{}` is no number", token.text))) }
}

/// The content of `$tag$…$tag$` in plain quotes.
fn push_plain(text: &mut String, dollar: &str) {
    let tag = dollar.get(1..).and_then(|rest| rest.find('$')).map_or(0, |end| end + 2);
    let content = dollar.get(tag..dollar.len().saturating_sub(tag)).unwrap_or_default();
    text.push('\'');
    text.push_str(&content.replace('\'', "''"));
    text.push('\'');
}

fn push_prefixed(text: &mut String, dialect: Dialect, token: &Token<'_>) -> Result<(), GuardError> {
    let digits = token.text.get(2..token.text.len().saturating_sub(1)).unwrap_or_default();
    if dialect == Dialect::Sqlite && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        text.push_str(token.text);
        return Ok(());
    }
    Err(forbidden("a literal with escapes, such as `E'…'` or `U&'…'`").hint("write it in plain quotes, or bind it"))
}

/// Whether a colon begins a name that stands for a value.
fn is_named(statement: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| statement.get(before));
    let name = statement.get(at + 1).filter(|next| !next.spaced && next.kind == Kind::Word);
    name.is_some() && before.is_some_and(|before| before.kind == Kind::Operator || before.is("(") || before.is(","))
}

/// How values are bound.
fn placeholders(values: usize) -> String {
    let given = match values {
        0 => "no value was".to_owned(),
        1 => "1 value was".to_owned(),
        n => format!("{n} values were"),
    };
    format!("placeholders are written `$1`, `$2` and so on, one for each value of `params`; {given} given")
}

/// Refuses values for which a statement has no placeholder: one in quotes is a text, and finds nothing without a word.
pub(super) fn all_have_places(dialect: Dialect, sql: &str, values: usize) -> Result<(), GuardError> {
    // What cannot be cut into tokens is refused with the reason elsewhere.
    let tokens = lex::tokens(dialect, sql).unwrap_or_default();
    let (mut numbers, mut highest) = (BTreeSet::new(), 0);
    for token in tokens.iter().filter(|token| token.kind == Kind::Placeholder) {
        let number = match token.text.get(1..).unwrap_or_default() {
            "" => highest + 1,
            digits => digits.parse().unwrap_or(0),
        };
        highest = highest.max(number);
        numbers.insert(number);
    }
    let Some(surplus) = (1..=values).find(|number| !numbers.contains(number)) else { return Ok(()) };
    Err(invalid(format!("the statement has no placeholder `${surplus}` for the value {surplus} of `params`"))
        .hint(format!("{}; in quotes it is a text", placeholders(values))))
}

/// Placeholders count from one and stay within the values that the caller gave: the next one is ours.
fn push_placeholder(
    text: &mut String,
    dialect: Dialect,
    token: &Token<'_>,
    values: usize,
    highest: &mut usize,
) -> Result<(), GuardError> {
    let (mark, rest) = token.text.split_at(1);
    let expected = if dialect == Dialect::Postgres { "$" } else { "?" };
    let number = match rest {
        // SQLite numbers a bare `?` after the highest so far.
        "" if dialect == Dialect::Sqlite => *highest + 1,
        _ => rest.parse().unwrap_or(0),
    };
    // One way to write them for all databases that a tool may be bound to.
    let known = mark == expected || (dialect == Dialect::Sqlite && mark == "$");
    if !known || number == 0 || number > values {
        return Err(invalid(format!("the placeholder `{}` has no value", token.text)).hint(placeholders(values)));
    }
    *highest = (*highest).max(number);
    text.push_str(expected);
    text.push_str(&number.to_string());
    Ok(())
}
