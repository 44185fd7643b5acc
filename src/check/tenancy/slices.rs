//! Parts of a list of tokens: clauses, joins, what stands between parentheses.

use super::query::Join;
use crate::sql::lex::{Kind, Token};

/// Words that begin a clause, in their order. Out of order they are something else: a column, `WITH FILL FROM`.
const CLAUSES: [&str; 14] = [
    "select", "from", "prewhere", "where", "group", "having", "window", "qualify", "order", "limit", "offset", "fetch",
    "settings", "format",
];

/// Words before `JOIN`.
const JOINS: [&str; 16] = [
    "join", "global", "local", "any", "all", "asof", "semi", "anti", "inner", "left", "right", "full", "outer",
    "cross", "natural", "paste",
];

/// Words behind which an operand or another part of an expression has to follow.
const OPERATORS: [&str; 18] = [
    "and", "or", "xor", "not", "in", "like", "ilike", "is", "between", "on", "by", "when", "then", "else", "case",
    "where", "prewhere", "select",
];

pub(super) type Tokens<'a, 't> = &'a [Token<'t>];

/// The clauses of a `SELECT`, each with the word it begins with.
pub(super) fn clauses<'a, 't>(tokens: Tokens<'a, 't>) -> Option<Vec<(&'static str, Tokens<'a, 't>)>> {
    let mut begins: Vec<(usize, usize)> = Vec::new();
    for at in top(tokens, 0) {
        let Some(rank) = CLAUSES.iter().position(|word| is_word(tokens, at, word)) else {
            if is_word(tokens, at, "join") && begins.last().is_none_or(|(rank, _)| *rank != 1) {
                return None;
            }
            continue;
        };
        // Behind an operator the word is a column, and what follows it belongs to the same expression.
        let operand = rank > 1 && at.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(awaits_operand);
        let later = !operand && begins.last().is_none_or(|(last, _)| rank > *last);
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let column = before.is_some_and(|before| before.is(".") || before.is_word("as"));
        // A column may be called like these, until a table is named.
        let early = rank > 1 && begins.last().is_some_and(|(last, _)| *last == 0);
        let by = ["group", "order"].iter().all(|word| !is_word(tokens, at, word)) || is_word(tokens, at + 1, "by");
        if later && !column && by && !(early && tokens.get(at + 1..)?.iter().any(|token| token.is_word("from"))) {
            begins.push((rank, at));
        } else if rank == 1 {
            let known = before.is_some_and(|before| before.is_word("fill") || before.is_word("distinct"));
            known.then_some(())?;
        }
    }
    let ends = begins.iter().skip(1).map(|(_, at)| *at).chain([tokens.len()]);
    begins.iter().zip(ends).map(|((rank, at), end)| Some((*CLAUSES.get(*rank)?, tokens.get(at + 1..end)?))).collect()
}

/// The words of a join, `JOIN` the last of them.
pub(super) fn joining<'a, 't>(tokens: Tokens<'a, 't>, at: usize) -> Option<Tokens<'a, 't>> {
    let rest = tokens.get(at..)?;
    let count = rest.iter().take_while(|token| JOINS.iter().any(|word| token.is_word(word))).count();
    let words = rest.get(..count)?;
    words.last().is_some_and(|last| last.is_word("join")).then_some(words)
}

/// How many words of `[LEFT|INNER] ARRAY JOIN` stand at a place.
pub(super) fn array_join(tokens: Tokens<'_, '_>, at: usize) -> Option<usize> {
    let kind = is_word(tokens, at, "left") || is_word(tokens, at, "inner");
    let array = at + usize::from(kind);
    (is_word(tokens, array, "array") && is_word(tokens, array + 1, "join")).then_some(array + 2 - at)
}

pub(super) fn kind(words: Tokens<'_, '_>) -> Join {
    let has = |word: &str| words.iter().any(|token| token.is_word(word));
    match (has("left"), has("right"), has("full"), has("anti")) {
        (_, _, true, _) => Join::Full,
        (_, true, _, true) => Join::RightAnti,
        (_, _, _, true) => Join::Anti,
        // The rows of a semi join have their partners.
        _ if has("semi") => Join::Inner,
        (true, ..) => Join::Left,
        (_, true, ..) => Join::Right,
        _ => Join::Inner,
    }
}

pub(super) fn is_word(tokens: Tokens<'_, '_>, at: usize, word: &str) -> bool {
    tokens.get(at).is_some_and(|token| token.is_word(word))
}

/// Places from one on that are in no parenthesis or bracket.
pub(super) fn top<'a>(tokens: Tokens<'a, '_>, from: usize) -> impl Iterator<Item = usize> + 'a {
    let mut depth = 0_i32;
    tokens.iter().enumerate().skip(from).filter_map(move |(at, token)| {
        let closes = token.is(")") || token.is("]");
        depth -= i32::from(closes);
        let outside = depth == 0;
        depth += i32::from(token.is("(") || token.is("["));
        (outside && !closes).then_some(at)
    })
}

pub(super) fn split<'a, 't>(tokens: Tokens<'a, 't>, at: impl Fn(&Token<'t>) -> bool) -> Vec<Tokens<'a, 't>> {
    let mut parts = Vec::new();
    let mut start = 0;
    for place in top(tokens, 0) {
        if tokens.get(place).is_some_and(&at) {
            parts.extend(tokens.get(start..place));
            start = place + 1;
        }
    }
    parts.extend(tokens.get(start..));
    parts
}

/// What is between the parenthesis at a place and its partner.
pub(super) fn inside<'a, 't>(tokens: Tokens<'a, 't>, open: usize) -> Option<Tokens<'a, 't>> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return tokens.get(open + 1..at);
            }
        }
    }
    None
}

/// What is inside, if all of it stands in one pair of parentheses.
pub(super) fn within_parentheses<'a, 't>(tokens: Tokens<'a, 't>) -> Option<Tokens<'a, 't>> {
    let inner = tokens.first().filter(|first| first.is("(")).and_then(|_| inside(tokens, 0))?;
    (inner.len() + 2 == tokens.len() && !begins_query(inner)).then_some(inner)
}

pub(super) fn begins_query(tokens: Tokens<'_, '_>) -> bool {
    let first = tokens.iter().find(|token| !token.is("("));
    first.is_some_and(|first| ["select", "with", "values"].iter().any(|word| first.is_word(word)))
}

/// Whether an expression cannot end with a token.
pub(super) fn awaits_operand(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Operator => true,
        Kind::Symbol => !(token.is(")") || token.is("]")),
        Kind::Word => OPERATORS.iter().any(|word| token.is_word(word)),
        _ => false,
    }
}

/// The parts between the `AND`s of a condition; that of `BETWEEN`, and those inside `CASE`, are none.
pub(super) fn and_parts<'a, 't>(tokens: Tokens<'a, 't>) -> Vec<Tokens<'a, 't>> {
    let count = |word: &str| top(tokens, 0).filter(|at| is_word(tokens, *at, word)).count();
    if count("case") != count("end") {
        // A column is called like one of them.
        return vec![tokens];
    }
    let mut parts = Vec::new();
    let (mut start, mut cases, mut betweens) = (0, 0_usize, 0_usize);
    for at in top(tokens, 0) {
        if is_word(tokens, at, "case") {
            cases += 1;
        } else if is_word(tokens, at, "end") {
            cases = cases.saturating_sub(1);
        } else if cases == 0 && is_word(tokens, at, "between") {
            betweens += 1;
        } else if cases == 0 && is_word(tokens, at, "and") {
            if betweens > 0 {
                betweens -= 1;
                continue;
            }
            parts.extend(tokens.get(start..at));
            start = at + 1;
        }
    }
    parts.extend(tokens.get(start..));
    parts
}
