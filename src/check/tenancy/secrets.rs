//! What a statement names that nobody may see: tables that are secrets as a whole, and columns of tables that it reads.
//!
//! Said only of what is certain. A database that leaves such a column out of its views knows only that there is none, and
//! ClickHouse, whose tables are read as they are, would answer it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    proof::{Fault, FaultKind},
    query::{Arm, Item, Query, Relation, fold},
};
use crate::sql::{
    Dialect,
    lex::{Kind, Token},
    tenancy::TableRules,
};

/// The secrets that a query names.
pub(super) fn named(query: &Query, dialect: Dialect, tokens: &[Token<'_>], rules: &TableRules) -> Vec<Fault> {
    let mut read = Read::default();
    read.query(query, &[]);
    let hidden = read.tables.iter().filter(|(table, _)| rules.is_hidden(table)).map(|(table, relation)| Fault {
        kind: FaultKind::Secret { table: (*table).to_owned(), column: None },
        place: relation.place.clone(),
    });
    let mut faults: Vec<Fault> = hidden.collect();
    let pairs = tokens.windows(2).filter_map(|pair| match pair {
        [word, token] if word.is_word("as") => name(dialect, token),
        _ => None,
    });
    let given: BTreeSet<String> = pairs.collect();
    for (at, token) in tokens.iter().enumerate() {
        let before = |distance: usize| at.checked_sub(distance).and_then(|at| tokens.get(at));
        let Some(folded) = name(dialect, token) else { continue };
        if read.tables.iter().any(|(_, relation)| relation.place.contains(&token.start))
            || tokens.get(at + 1).is_some_and(|next| next.is("(") || next.is("."))
            || before(1).is_some_and(|t| t.is_word("as"))
        {
            continue;
        }
        let qualifier =
            before(1).filter(|dot| dot.is(".")).and_then(|_| before(2)).and_then(|token| name(dialect, token));
        let table = match &qualifier {
            Some(qualifier) => read.of(qualifier),
            None => read.only().filter(|_| !given.contains(&folded)),
        };
        // SQLite takes a name in any case, and what words it is made of tells whether it is called as a secret.
        let column = if dialect == Dialect::Sqlite { token.text.trim_matches(['"', '`']).to_owned() } else { folded };
        if let Some(table) = table.filter(|table| rules.is_secret(table, &column)) {
            let kind = FaultKind::Secret { table: table.to_owned(), column: Some(column) };
            faults.push(Fault { kind, place: token.start..token.end() });
        }
    }
    faults
}

/// What a token names, if it may be a name.
fn name(dialect: Dialect, token: &Token<'_>) -> Option<String> {
    let quoted = token.kind == Kind::Quoted;
    (quoted || token.kind == Kind::Word).then(|| fold(dialect, token.text.trim_matches(['"', '`']), quoted))
}

/// The relations of a statement, wherever they stand.
#[derive(Default)]
struct Read<'q> {
    tables: Vec<(&'q str, &'q Relation)>,
    /// What else has rows: common table expressions, subqueries, functions.
    others: usize,
    /// Tables by what they are called, where a name is given once.
    called: BTreeMap<&'q str, Option<&'q str>>,
}

impl<'q> Read<'q> {
    fn query(&mut self, query: &'q Query, named: &[&'q str]) {
        let named: Vec<&str> = named.iter().copied().chain(query.ctes.iter().map(|(name, _)| name.as_str())).collect();
        query.ctes.iter().for_each(|(_, inner)| self.query(inner, &named));
        query.around.iter().for_each(|inner| self.query(inner, &named));
        for arm in &query.arms {
            match arm {
                Arm::Select(select) => {
                    select.relations.iter().for_each(|relation| self.relation(relation, &named));
                    select.subqueries.iter().for_each(|inner| self.query(inner, &named));
                }
                Arm::Query(inner) => self.query(inner, &named),
                Arm::Rows(inner) => inner.iter().for_each(|inner| self.query(inner, &named)),
            }
        }
    }

    fn relation(&mut self, relation: &'q Relation, named: &[&'q str]) {
        let table = match &relation.item {
            Item::Table { name, .. } if !named.contains(&name.as_str()) => Some(name.as_str()),
            Item::Table { .. } | Item::Function(_) => None,
            Item::Query(inner) => {
                self.query(inner, named);
                None
            }
        };
        let called = match &relation.item {
            Item::Table { name, .. } => Some(relation.alias.as_deref().unwrap_or(name)),
            _ => relation.alias.as_deref(),
        };
        if let Some(called) = called {
            self.called.entry(called).and_modify(|of| *of = of.filter(|of| Some(*of) == table)).or_insert(table);
        }
        match table {
            // Whose aliases name their columns anew, they are called otherwise.
            Some(table) if !relation.renamed => self.tables.push((table, relation)),
            _ => self.others += 1,
        }
    }

    /// The table that is called so.
    fn of(&self, qualifier: &str) -> Option<&'q str> {
        self.called.get(qualifier).copied().flatten()
    }

    /// The table that a name without one belongs to, if it can be no other's and the statement gives nothing that name.
    fn only(&self) -> Option<&'q str> {
        let [(table, _), rest @ ..] = self.tables.as_slice() else { return None };
        (self.others == 0 && rest.iter().all(|(other, _)| other == table)).then_some(*table)
    }
}
