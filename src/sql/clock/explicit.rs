//! Times that were copied from an answer, for databases that do not see by themselves that a text is one.

use time::OffsetDateTime;

use super::{Bind, Dialect, Kind, Token, lex, moment, written};
use crate::sql::Statement;

/// A statement in which such texts are times; none if there are none. For statements that a database refused: compared
/// with text they are text.
pub fn explicit(dialect: Dialect, statement: &Statement) -> Option<Statement> {
    if dialect == Dialect::Sqlite {
        return None;
    }
    let tokens = lex::tokens(dialect, &statement.sql).ok()?;
    // A value that is to be a day stays one, or is refused: as a time it would equal none.
    let days: Vec<&str> = tokens.iter().filter(|token| token.kind == Kind::Placeholder).filter_map(day).collect();
    let mut changed = statement.clone();
    let mut moments = Vec::new();
    for (at, bind) in changed.binds.iter_mut().enumerate() {
        let Bind::Text(text) = bind else { continue };
        let name = format!("p{}", at + 1);
        if days.contains(&&*name) {
            continue;
        }
        if let Some(moment) = moment(text).or_else(|| zoneless(text).filter(|_| dialect == Dialect::Postgres)) {
            *bind = Bind::Timestamp(moment);
            moments.push(name);
        } else if let Some(known) = extended(text).filter(|_| dialect == Dialect::Postgres) {
            *text = known;
        }
    }
    let mut edits = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let inner = token.text.trim_matches(['\'', '{', '}']);
        let name = inner.split(':').next().unwrap_or_default().trim();
        let text = match (dialect, token.kind) {
            (Dialect::Postgres, Kind::Text) => extended(inner).map(|known| format!("'{known}'")),
            (Dialect::ClickHouse, Kind::Text) if moment(inner).is_some() => {
                Some(format!("parseDateTime64BestEffort({}, 9, 'UTC')", token.text))
            }
            (Dialect::ClickHouse, Kind::Placeholder) if moments.iter().any(|moment| moment == name) => {
                Some(format!("{{{name}:DateTime64(9, 'UTC')}}"))
            }
            _ => None,
        };
        edits.extend(text.map(|text| (at, at + 1, text)));
    }
    changed.sql = written(&statement.sql, &tokens, edits);
    Some(changed).filter(|changed| changed != statement)
}

/// The name of a value that a placeholder of ClickHouse declares as a day: `{p1:Nullable(Date)}`.
fn day<'a>(token: &Token<'a>) -> Option<&'a str> {
    let (name, ty) = token.text.trim_matches(['{', '}']).split_once(':')?;
    let is_day = ty.split(['(', ')', ',', ' ']).any(|word| ["Date", "Date32"].contains(&word));
    is_day.then_some(name.trim())
}

/// A time without a zone, or a day, as answers print those of columns that have none.
fn zoneless(text: &str) -> Option<OffsetDateTime> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { format!("{text}Z") };
    moment(&whole)
}

/// A day or a time outside the years 1 to 9999, as answers print it, in PostgreSQL's words: `-0043-03-15` is
/// `0044-03-15 BC`.
fn extended(text: &str) -> Option<String> {
    let (years, rest) = text.split_at_checked(text.char_indices().skip(1).find(|(_, c)| *c == '-')?.0)?;
    let digits = years.trim_start_matches(['+', '-']);
    let year = digits.parse::<i64>().ok().filter(|_| digits.len() >= 4)?;
    let shape = rest.get(..6).is_some_and(|day| day.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()));
    let time = rest.get(6..)?;
    let timed = time.is_empty() || (time.starts_with('T') && time.len() > 8);
    let rest = rest.replacen('T', " ", 1).replace('Z', "+00");
    match years.as_bytes().first()? {
        _ if !shape || !timed => None,
        b'-' => Some(format!("{:04}{rest} BC", year + 1)),
        _ if year == 0 => Some(format!("0001{rest} BC")),
        b'+' => Some(format!("{year}{rest}")),
        _ => None,
    }
}
