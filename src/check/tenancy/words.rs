//! Reads a statement from its tokens, where the parser does not know what its database does.
//!
//! Knows the order of clauses, how relations are joined, and nothing of expressions but the comparisons that matter.
//! Whatever is not seen in this shape confines nothing; a `FROM`, `JOIN` or `SELECT` in an unexpected place makes the
//! whole statement unreadable.

use std::ops::Range;

use super::{
    super::jinja::{ORGANISATION, WORKSPACE},
    query::{Arm, Condition, Item, Join, Operand, Output, Query, Relation, Select, fold, is_cast, keeps_identity},
    slices::{
        Tokens, and_parts, array_join, begins_query, clauses, inside, is_word, joining, kind, split, top,
        within_parentheses,
    },
    tree::using,
};
use crate::sql::{
    Dialect,
    lex::{Kind, Token},
};

/// The statement, if all of it is understood. `selects` is how often the text says `SELECT`.
pub(super) fn read(dialect: Dialect, tokens: &[Token<'_>], selects: usize) -> Option<Query> {
    let mut reader = Reader { dialect, selects: 0 };
    let query = reader.query(tokens)?;
    (reader.selects == selects).then_some(query)
}

struct Reader {
    dialect: Dialect,
    /// Parts met so far.
    selects: usize,
}

impl Reader {
    fn name(&self, token: &Token<'_>) -> Option<String> {
        match token.kind {
            Kind::Word => Some(fold(self.dialect, token.text, false)),
            Kind::Quoted => {
                let inner = token.text.get(1..token.text.len().saturating_sub(1))?;
                // A doubled or escaped quote would have to be undone first.
                (!inner.contains(['"', '`', '\\'])).then(|| fold(self.dialect, inner, true))
            }
            _ => None,
        }
    }

    fn query(&mut self, tokens: Tokens<'_, '_>) -> Option<Query> {
        let mut query = Query::default();
        let mut rest = tokens;
        if let [with, behind @ ..] = rest
            && with.is_word("with")
        {
            rest = behind;
            if let [recursive, behind @ ..] = rest
                && recursive.is_word("recursive")
            {
                query.recursive = true;
                rest = behind;
            }
            let body = top(rest, 0).find(|at| is_word(rest, *at, "select") || is_word(rest, *at, "values"))?;
            // The statement itself may stand in parentheses; what is before it is the list.
            for item in split(rest.get(..body)?, |token| token.is(",")) {
                self.expression(item, &mut query)?;
            }
            rest = rest.get(body..)?;
        }
        let set = |token: &Token<'_>| ["union", "intersect", "except"].iter().any(|word| token.is_word(word));
        for (n, arm) in split(rest, set).into_iter().enumerate() {
            let arm = match arm {
                [word, arm @ ..] if n > 0 && (word.is_word("all") || word.is_word("distinct")) => arm,
                arm => arm,
            };
            self.arm(arm, &mut query)?;
        }
        Some(query)
    }

    /// `name AS (…)`, or `expression AS name`.
    fn expression(&mut self, item: Tokens<'_, '_>, query: &mut Query) -> Option<()> {
        let open = top(item, 0).find(|at| item.get(*at).is_some_and(|token| token.is("(")) && *at >= 2);
        let before = open.and_then(|open| item.get(..open));
        if let (Some(open), Some([name, middle @ ..])) = (open, before)
            && let Some(inner) = inside(item, open)
            && begins_query(inner)
            && middle.iter().any(|token| token.is_word("as"))
            && let Some(name) = self.name(name)
        {
            let plain = matches!(middle, [_] | [_, _] | [_, _, _])
                && middle.iter().all(|t| ["as", "not", "materialized"].iter().any(|word| t.is_word(word)));
            if !plain || open + inner.len() + 2 != item.len() {
                return None;
            }
            let inner = self.query(inner)?;
            query.ctes.push((name, inner));
            return Some(());
        }
        // A list of columns behind the name would need to be followed.
        if let [_, open, ..] = item
            && open.is("(")
            && item.iter().any(|token| token.is_word("select"))
            && item.last().is_some_and(|last| last.is(")"))
        {
            return None;
        }
        self.subqueries(item, &mut query.around)?;
        // `expression AS name` may be meant by a bare name anywhere.
        let output = self.output(item);
        let select = Select { outputs: vec![output], ..Select::default() };
        query.around.push(Query { arms: vec![Arm::Select(Box::new(select))], ..Query::default() });
        Some(())
    }

    fn arm(&mut self, tokens: Tokens<'_, '_>, query: &mut Query) -> Option<()> {
        match tokens {
            [first, ..] if first.is("(") => {
                let inner = inside(tokens, 0)?;
                let arm = Arm::Query(Box::new(self.query(inner)?));
                query.arms.push(arm);
                let behind = tokens.get(inner.len() + 2..)?;
                let ends = ["order", "limit", "offset", "settings", "format"];
                if behind.first().is_some_and(|first| !ends.iter().any(|word| first.is_word(word))) {
                    return None;
                }
                self.subqueries(behind, &mut query.around)
            }
            [first, rest @ ..] if first.is_word("values") => {
                let mut subqueries = Vec::new();
                self.subqueries(rest, &mut subqueries)?;
                query.arms.push(Arm::Rows(subqueries));
                Some(())
            }
            [first, ..] if first.is_word("select") => {
                let select = self.select(tokens)?;
                query.arms.push(Arm::Select(Box::new(select)));
                Some(())
            }
            _ => None,
        }
    }

    fn select(&mut self, tokens: Tokens<'_, '_>) -> Option<Select> {
        self.selects += 1;
        let mut select = Select::default();
        for (word, clause) in clauses(tokens)? {
            match word {
                "select" => {
                    for item in split(clause, |token| token.is(",")) {
                        let output = self.output(item);
                        select.outputs.push(output);
                    }
                    self.subqueries(clause, &mut select.subqueries)?;
                }
                "from" => self.from(clause, &mut select)?,
                "where" | "prewhere" => {
                    let all = 0..select.relations.len();
                    self.conjuncts(clause, &all, &mut select)?;
                }
                _ => self.subqueries(clause, &mut select.subqueries)?,
            }
        }
        Some(select)
    }

    /// A selected expression.
    fn output(&self, item: Tokens<'_, '_>) -> Output {
        let item = match item {
            [first, rest @ ..] if first.is_word("distinct") => rest,
            item => item,
        };
        match item {
            [star] if star.text == "*" => Output::All,
            [_, dot, star] if dot.is(".") && star.text == "*" => Output::All,
            // Options of `*`, such as `REPLACE`, give names too.
            [star, .., last] if star.text == "*" || last.is(")") && item.iter().any(|t| t.is_word("replace")) => {
                let named = item.windows(2).filter(|pair| matches!(pair, [as_word, _] if as_word.is_word("as")));
                let name = named.rev().find_map(|pair| self.name(pair.get(1)?));
                Output::Value(name, Operand::Other)
            }
            [value @ .., as_word, name] if as_word.is_word("as") => Output::Value(self.name(name), self.operand(value)),
            [value @ .., before, name]
                if matches!(name.kind, Kind::Word | Kind::Quoted) && !name.is_word("end") && !before.is(".") =>
            {
                let value = item.get(..value.len() + 1).unwrap_or_default();
                Output::Value(self.name(name), self.operand(value))
            }
            value => {
                let operand = self.operand(value);
                let name = match &operand {
                    Operand::Column { name, .. } => Some(name.clone()),
                    _ => None,
                };
                Output::Value(name, operand)
            }
        }
    }

    fn from(&mut self, tokens: Tokens<'_, '_>, select: &mut Select) -> Option<()> {
        let mut at = 0;
        let mut start = select.relations.len();
        loop {
            self.relation(tokens, &mut at, select)?;
            loop {
                let Some(token) = tokens.get(at) else { return Some(()) };
                if token.is(",") {
                    at += 1;
                    start = select.relations.len();
                    break;
                }
                if array_join(tokens, at).is_some() {
                    at = self.array_join(tokens, at, select)?;
                    continue;
                }
                let words = joining(tokens, at)?;
                at += words.len();
                let middle = select.relations.len();
                self.relation(tokens, &mut at, select)?;
                let (left, right) = (start..middle, middle..select.relations.len());
                let join = kind(words);
                at = self.constraint(tokens, at, join, (left.clone(), right.clone()), select)?;
                for relation in select.relations.get_mut(join.fills(left, right)).into_iter().flatten() {
                    relation.filled = true;
                }
            }
        }
    }

    /// `ON …` or `USING …` behind a join; returns what is behind it.
    fn constraint(
        &mut self,
        tokens: Tokens<'_, '_>,
        at: usize,
        join: Join,
        (left, right): (Range<usize>, Range<usize>),
        select: &mut Select,
    ) -> Option<usize> {
        let end = top(tokens, at)
            .find(|at| {
                tokens.get(*at).is_some_and(|t| t.is(","))
                    || joining(tokens, *at).is_some()
                    || array_join(tokens, *at).is_some()
            })
            .unwrap_or(tokens.len());
        if is_word(tokens, at, "on") {
            let kept = join.keeps(left, right);
            self.conjuncts(tokens.get(at + 1..end)?, &kept, select)?;
            return Some(end);
        }
        if is_word(tokens, at, "using") {
            let open = tokens.get(at + 1).is_some_and(|token| token.is("("));
            let columns = if open { inside(tokens, at + 1)? } else { return None };
            for column in columns.iter().filter(|token| !token.is(",")) {
                using(select, join, left.clone(), right.clone(), self.name(column)?);
            }
            return Some(at + columns.len() + 3);
        }
        Some(at)
    }

    /// The values of `ARRAY JOIN` belong to rows that are there already; their names may be meant by a bare one.
    fn array_join(&mut self, tokens: Tokens<'_, '_>, at: usize, select: &mut Select) -> Option<usize> {
        let begin = at + array_join(tokens, at)?;
        let end = top(tokens, begin)
            .find(|at| joining(tokens, *at).is_some() || array_join(tokens, *at).is_some())
            .unwrap_or(tokens.len());
        let list = tokens.get(begin..end)?;
        let mut names = Select::default();
        names.outputs.extend(split(list, |token| token.is(",")).into_iter().map(|item| self.output(item)));
        select.subqueries.push(Query { arms: vec![Arm::Select(Box::new(names))], ..Query::default() });
        self.subqueries(list, &mut select.subqueries)?;
        Some(end)
    }

    fn relation(&mut self, tokens: Tokens<'_, '_>, at: &mut usize, select: &mut Select) -> Option<()> {
        let lateral = is_word(tokens, *at, "lateral");
        *at += usize::from(lateral);
        let first = tokens.get(*at)?;
        let (item, place) = if first.is("(") {
            let inner = inside(tokens, *at)?;
            *at += inner.len() + 2;
            if !begins_query(inner) {
                // A join in parentheses has no name of its own, or the names inside would not be seen.
                let named = tokens.get(*at).is_some_and(|token| token.is_word("as"));
                return if named { None } else { self.from(inner, select) };
            }
            (Item::Query(self.query(inner)?), first.start..first.end())
        } else {
            let mut parts = vec![first];
            *at += 1;
            while tokens.get(*at).is_some_and(|token| token.is(".")) {
                parts.push(tokens.get(*at + 1)?);
                *at += 2;
            }
            let (last, before) = parts.split_last()?;
            let place = last.start..last.end();
            if tokens.get(*at).is_some_and(|token| token.is("(")) {
                let arguments = inside(tokens, *at)?;
                *at += arguments.len() + 2;
                self.subqueries(arguments, &mut select.subqueries)?;
                (Item::Function(last.text.to_owned()), place)
            } else {
                let schema = match before.last() {
                    Some(schema) => Some(self.name(schema)?),
                    None => None,
                };
                (Item::Table { schema, name: self.name(last)? }, place)
            }
        };
        let mut relation = Relation { item, alias: None, place, filled: false, renamed: false, lateral };
        loop {
            match tokens.get(*at..).unwrap_or_default() {
                [word, ..] if word.is_word("final") => *at += 1,
                [word, rest @ ..] if word.is_word("sample") || word.is_word("offset") => {
                    let number = |token: &&Token<'_>| {
                        matches!(token.kind, Kind::Number | Kind::Placeholder) || token.text == "/"
                    };
                    *at += 1 + rest.iter().take_while(number).count();
                }
                [word, name, ..] if word.is_word("as") => {
                    relation.alias = Some(self.name(name)?);
                    *at += 2;
                }
                [name, ..]
                    if matches!(name.kind, Kind::Word | Kind::Quoted)
                        && relation.alias.is_none()
                        && !name.is_word("on")
                        && !name.is_word("using")
                        && joining(tokens, *at).is_none()
                        && array_join(tokens, *at).is_none() =>
                {
                    relation.alias = Some(self.name(name)?);
                    *at += 1;
                }
                [open, ..] if open.is("(") && relation.alias.is_some() => {
                    relation.renamed = true;
                    *at += inside(tokens, *at)?.len() + 2;
                }
                _ => break,
            }
        }
        select.relations.push(relation);
        Some(())
    }

    /// The comparisons of a condition that hold for every row that is kept.
    fn conjuncts(&mut self, tokens: Tokens<'_, '_>, of: &Range<usize>, select: &mut Select) -> Option<()> {
        self.subqueries(tokens, &mut select.subqueries)?;
        self.comparisons(tokens, of, select);
        Some(())
    }

    fn comparisons(&self, tokens: Tokens<'_, '_>, of: &Range<usize>, select: &mut Select) {
        // What binds looser than AND is not taken apart.
        let loose = |at: usize| {
            let operator = |token: &Token<'_>| {
                token.is(":") || (token.kind == Kind::Operator && ["?", "->"].iter().any(|o| token.text.contains(o)))
            };
            is_word(tokens, at, "or") || is_word(tokens, at, "xor") || tokens.get(at).is_some_and(operator)
        };
        if top(tokens, 0).any(loose) {
            if let Some((left, right)) = self.or_null(tokens) {
                select.conditions.push(Condition { left, right, or_null: true, of: of.clone() });
            }
            return;
        }
        for part in and_parts(tokens) {
            if let Some(inner) = within_parentheses(part) {
                self.comparisons(inner, of, select);
            } else if let Some((left, right)) = self.equation(part) {
                select.conditions.push(Condition { left, right, or_null: false, of: of.clone() });
            }
        }
    }

    /// `a = b`
    fn equation(&self, tokens: Tokens<'_, '_>) -> Option<(Operand, Operand)> {
        if let Some(inner) = within_parentheses(tokens) {
            return self.equation(inner);
        }
        match split(tokens, |token| token.kind == Kind::Operator && ["=", "=="].contains(&token.text)).as_slice() {
            [left, right] => Some((self.operand(left), self.operand(right))),
            _ => None,
        }
    }

    /// `a = b OR a IS NULL`
    fn or_null(&self, tokens: Tokens<'_, '_>) -> Option<(Operand, Operand)> {
        let parts = split(tokens, |token| token.is_word("or"));
        let [first, second] = parts.as_slice() else { return None };
        let (equal, [column @ .., is, null]) =
            (if first.last()?.is_word("null") { (second, *first) } else { (first, *second) })
        else {
            return None;
        };
        let null = (is.is_word("is") && null.is_word("null")).then(|| self.operand(column))?;
        match self.equation(equal)? {
            (left, right) if left == null => Some((left, right)),
            (left, right) if right == null => Some((right, left)),
            _ => None,
        }
    }

    fn operand(&self, tokens: Tokens<'_, '_>) -> Operand {
        if let Some(inner) = within_parentheses(tokens) {
            return self.operand(inner);
        }
        match tokens {
            [value] if value.kind == Kind::Placeholder && value.text == ORGANISATION => Operand::Organisation,
            [value] if value.kind == Kind::Placeholder && value.text == WORKSPACE => Operand::Workspace,
            [name] => self.name(name).map_or(Operand::Other, |name| Operand::Column { qualifier: None, name }),
            [qualifier, dot, name] if dot.is(".") => match (self.name(qualifier), self.name(name)) {
                (Some(qualifier), Some(name)) => Operand::Column { qualifier: Some(qualifier), name },
                _ => Operand::Other,
            },
            [value @ .., cast, ty] if cast.is("::") && keeps_identity(ty.text) => self.operand(value),
            [function, open, ..] if open.is("(") && inside(tokens, 1).is_some_and(|i| i.len() + 3 == tokens.len()) => {
                match inside(tokens, 1) {
                    Some(inner) if is_cast(function.text) => self.operand(inner),
                    Some([value @ .., as_word, ty])
                        if function.is_word("cast") && as_word.is_word("as") && keeps_identity(ty.text) =>
                    {
                        self.operand(value)
                    }
                    _ => Operand::Other,
                }
            }
            _ => Operand::Other,
        }
    }

    /// Every `(SELECT …)` in an expression.
    fn subqueries(&mut self, tokens: Tokens<'_, '_>, found: &mut Vec<Query>) -> Option<()> {
        let mut at = 0;
        while at < tokens.len() {
            let inner = tokens.get(at).filter(|token| token.is("(")).and_then(|_| inside(tokens, at));
            match inner.filter(|inner| begins_query(inner) && !inner.first().is_some_and(|first| first.is("("))) {
                Some(inner) => {
                    found.push(self.query(inner)?);
                    at += inner.len() + 2;
                }
                None => at += 1,
            }
        }
        Some(())
    }
}
