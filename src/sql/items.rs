//! The items of a select list, in tokens.

use std::ops::Range;

use super::lex::Token;

/// Words that end a select list.
const ENDS: &[&str] =
    &["from", "where", "group", "having", "window", "union", "intersect", "except", "order", "limit", "values"];

/// Where the items of the list lie that begins behind the `SELECT` at `select`.
pub fn items(tokens: &[Token<'_>], select: usize) -> Vec<Range<usize>> {
    let (mut items, mut depth, mut start) = (Vec::new(), 0_usize, None);
    let mut end = select + 1;
    for (at, token) in tokens.iter().enumerate().skip(select + 1) {
        let is_distinct_from =
            token.is_word("from") && tokens.get(at - 1).is_some_and(|before| before.is_word("distinct"));
        let ends = ENDS.iter().any(|word| token.is_word(word)) && !is_distinct_from;
        end = at;
        match token.text {
            "(" => depth += 1,
            ")" if depth == 0 => break,
            ")" => depth -= 1,
            "," if depth == 0 => {
                items.push(start.take().unwrap_or(at)..at);
                continue;
            }
            _ if depth == 0 && ends => break,
            // Before the first item.
            _ if start.is_none() && (token.is_word("distinct") || token.is_word("all")) => continue,
            _ => {}
        }
        start.get_or_insert(at);
        end = at + 1;
    }
    items.push(start.unwrap_or(end)..end);
    items
}

/// The text of an item, without the blanks around it.
pub fn text<'s>(sql: &'s str, tokens: &[Token<'_>], item: &Range<usize>) -> &'s str {
    match (tokens.get(item.start), item.end.checked_sub(1).and_then(|last| tokens.get(last))) {
        (Some(first), Some(last)) if !item.is_empty() => sql.get(first.start..last.end()).unwrap_or_default(),
        _ => "",
    }
}
