//! Whether every relation of a statement that holds tenants' rows is confined to the organisation.
//!
//! A table is confined by a comparison that no row of it passes unless it is the organisation's: of its own column
//! with the bound organisation, or of its column or declared path with one of a table that is confined already. What
//! is not understood confines nothing.

use std::{collections::HashMap, ops::Range};

use super::{
    super::jinja::SPLICED,
    query::{Arm, Condition, Item, Operand, Output, Query, Relation, Select},
};
use crate::sql::{
    Dialect,
    tenancy::{self, Belongs, ORGANIZATION, TableRules, Through},
};

/// What is wrong with a statement, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) place: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FaultKind {
    /// A table that is read without a comparison that confines it.
    Unconfined {
        table: String,
        /// Whether a comparison would count if it named its table.
        unqualified: bool,
    },
    /// A rollup that mixes organisations, and what to read instead.
    Folded { table: String, instead: String },
    /// A column that nobody may see, or a whole table.
    Secret { table: String, column: Option<String> },
    /// Something that may read rows which no condition confines.
    Unknown(String),
}

/// What is wrong with a query. `renamed`: whether something in it is called like the organisation's column and is not.
pub(super) fn prove(query: &Query, dialect: Dialect, renamed: bool, rules: &TableRules) -> Vec<Fault> {
    let renamed = renamed || (dialect != Dialect::Postgres && renames(query));
    let mut prover = Prover { dialect, renamed, rules, faults: Vec::new() };
    prover.query(query, &HashMap::new(), &[]);
    prover.faults
}

/// What a column of a confined relation holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    /// The organisation itself.
    Organisation,
    /// A column of a confined table.
    Column { table: String, column: String },
}

/// What a query answers.
#[derive(Debug, Clone, Default)]
struct Answer {
    columns: Vec<(Option<String>, Option<Origin>)>,
    /// Whether there are columns whose names are not known.
    open: bool,
}

impl Answer {
    fn has(&self, column: &str) -> bool {
        self.open || self.columns.iter().any(|(name, _)| name.as_deref() == Some(column))
    }

    /// What a column holds, unless two have its name.
    fn origin(&self, column: &str) -> Option<Origin> {
        let mut named = self.columns.iter().filter(|(name, _)| name.as_deref() == Some(column));
        let (_, origin) = named.next()?;
        origin.clone().filter(|_| named.next().is_none())
    }
}

type Answers = HashMap<String, Answer>;

/// A relation as expressions see it.
#[derive(Debug)]
struct Seen {
    /// The name before its columns.
    name: Option<String>,
    rows: Rows,
    filled: bool,
    renamed: bool,
}

#[derive(Debug)]
enum Rows {
    /// A table with tenants' rows, and whether it is confined.
    Table { name: String, confined: bool },
    /// A subquery, each part of which is judged by itself.
    Answer(Answer),
    /// Nobody's rows.
    Free,
}

struct Prover<'r> {
    dialect: Dialect,
    rules: &'r TableRules,
    /// Whether something else is called like the organisation's column, so that the bare name may mean that.
    renamed: bool,
    faults: Vec<Fault>,
}

impl Prover<'_> {
    fn query(&mut self, query: &Query, known: &Answers, outer: &[&[Seen]]) -> Answer {
        let mut known = known.clone();
        if query.recursive {
            // What an expression holds is not known while it is defined by itself.
            known.extend(query.ctes.iter().map(|(name, _)| (name.clone(), Answer { open: true, ..Answer::default() })));
        }
        for (name, expression) in &query.ctes {
            let answer = self.query(expression, &known, outer);
            known.insert(name.clone(), answer);
        }
        for subquery in &query.around {
            self.query(subquery, &known, outer);
        }
        let mut arms = query.arms.iter().map(|arm| match arm {
            Arm::Select(select) => self.select(select, &known, outer),
            Arm::Query(query) => self.query(query, &known, outer),
            Arm::Rows(subqueries) => {
                for subquery in subqueries {
                    self.query(subquery, &known, outer);
                }
                Answer { open: true, ..Answer::default() }
            }
        });
        let unknown = Answer { open: true, ..Answer::default() };
        let Some(mut answer) = arms.next() else { return unknown };
        for arm in arms {
            // The parts of a UNION meet by position, under the names of the first.
            let apart = answer.open || arm.open || answer.columns.len() != arm.columns.len();
            for (at, (_, origin)) in answer.columns.iter_mut().enumerate() {
                if apart || arm.columns.get(at).is_none_or(|(_, other)| other != origin) {
                    *origin = None;
                }
            }
        }
        if query.renamed { unknown } else { answer }
    }

    fn select(&mut self, select: &Select, known: &Answers, outer: &[&[Seen]]) -> Answer {
        let mut seen: Vec<Seen> =
            select.relations.iter().map(|relation| self.relation(relation, known, outer)).collect();
        while let Some(next) = self.next_confined(&select.conditions, &seen, outer) {
            if let Some(Seen { rows: Rows::Table { confined, .. }, .. }) = seen.get_mut(next) {
                *confined = true;
            }
        }
        for (relation, found) in select.relations.iter().zip(&seen) {
            if let Rows::Table { name, confined: false } = &found.rows {
                let bare =
                    |side: &Operand| matches!(side, Operand::Column { qualifier: None, name } if name == ORGANIZATION);
                let unseen = self.renamed || !outer.is_empty() || seen.len() > 1;
                let unqualified =
                    unseen && select.conditions.iter().any(|condition| bare(&condition.left) || bare(&condition.right));
                let kind = FaultKind::Unconfined { table: name.clone(), unqualified };
                self.faults.push(Fault { kind, place: relation.place.clone() });
            }
        }
        let mut levels = outer.to_vec();
        // A `SELECT` without `FROM` has no columns that a bare name could mean.
        levels.extend((!seen.is_empty()).then_some(seen.as_slice()));
        for subquery in &select.subqueries {
            self.query(subquery, known, &levels);
        }
        self.answer(select, &seen, outer)
    }

    fn relation(&mut self, relation: &Relation, known: &Answers, outer: &[&[Seen]]) -> Seen {
        let mut name = relation.alias.clone();
        let rows = match &relation.item {
            Item::Query(query) => {
                // A lateral subquery sees its neighbours: a bare name in it may be theirs.
                let neighbours: &[Seen] = &[];
                let mut levels = outer.to_vec();
                if relation.lateral {
                    levels.push(neighbours);
                }
                Rows::Answer(self.query(query, known, &levels))
            }
            Item::Function(function) => {
                if !tenancy::makes_rows(function) {
                    let kind = FaultKind::Unknown(format!("the function `{function}` in `FROM` may read tables"));
                    self.faults.push(Fault { kind, place: relation.place.clone() });
                }
                Rows::Free
            }
            Item::Table { schema, name: table } => {
                name.get_or_insert_with(|| table.clone());
                match known.get(table).filter(|_| schema.is_none()) {
                    Some(answer) => Rows::Answer(answer.clone()),
                    None => self.table(schema.as_deref(), table, relation),
                }
            }
        };
        Seen { name, rows, filled: relation.filled, renamed: relation.renamed }
    }

    fn table(&mut self, schema: Option<&str>, table: &str, relation: &Relation) -> Rows {
        if tenancy::is_system(schema, table) {
            return Rows::Free;
        }
        if table == SPLICED {
            let kind = FaultKind::Unknown("an argument names the table".to_owned());
            self.faults.push(Fault { kind, place: relation.place.clone() });
            return Rows::Free;
        }
        if self.dialect == Dialect::ClickHouse
            && let Some(instead) = self.rules.instead_of_folded(table)
        {
            let kind = FaultKind::Folded { table: table.to_owned(), instead: instead.to_owned() };
            self.faults.push(Fault { kind, place: relation.place.clone() });
            return Rows::Free;
        }
        let own = schema.is_none() || schema == Some("public") && self.dialect != Dialect::ClickHouse;
        if own && self.rules.belongs(table, &[]) == Some(Belongs::Global) {
            return Rows::Free;
        }
        Rows::Table { name: table.to_owned(), confined: false }
    }

    /// A table that a condition confines, and that is not yet known to be.
    fn next_confined(&self, conditions: &[Condition], seen: &[Seen], outer: &[&[Seen]]) -> Option<usize> {
        conditions.iter().find_map(|condition| {
            self.confines(&condition.left, &condition.right, condition, seen, outer)
                .or_else(|| self.confines(&condition.right, &condition.left, condition, seen, outer))
        })
    }

    fn confines(
        &self,
        column: &Operand,
        other: &Operand,
        condition: &Condition,
        seen: &[Seen],
        outer: &[&[Seen]],
    ) -> Option<usize> {
        let (at, column) = self.own(column, seen, outer)?;
        let Some(Seen { rows: Rows::Table { name, confined: false }, renamed: false, .. }) = seen.get(at) else {
            return None;
        };
        if !condition.of.contains(&at) {
            return None;
        }
        let confines = if condition.or_null {
            let defaults = self.rules.belongs(name, &[ORGANIZATION.to_owned()]) == Some(Belongs::DirectlyOrDefault);
            defaults && column == ORGANIZATION && *other == Operand::Organisation
        } else {
            match self.origin(other, seen, outer) {
                Some(Origin::Organisation) => column == ORGANIZATION,
                Some(Origin::Column { table, column: of }) => path(self.rules, name).is_some_and(|path| {
                    (path.column.as_str(), &path.parent, &path.parent_column) == (column, &table, &of)
                }),
                None => false,
            }
        };
        confines.then_some(at)
    }

    /// The relation of this `SELECT` that a column belongs to.
    fn own<'o>(&self, operand: &'o Operand, seen: &[Seen], outer: &[&[Seen]]) -> Option<(usize, &'o str)> {
        match operand {
            Operand::Of(at, name) => Some((*at, name)),
            Operand::Column { qualifier: Some(qualifier), name } => Some((named(seen, qualifier)?, name)),
            Operand::Column { qualifier: None, name } => {
                // In a subquery the bare name may be a column of what is around it.
                if !outer.is_empty() || (name == ORGANIZATION && self.renamed) {
                    return None;
                }
                let mut possible = seen.iter().enumerate().filter(|(_, relation)| relation.may_have(name, self.rules));
                let (at, _) = possible.next()?;
                possible.next().is_none().then_some((at, name))
            }
            Operand::Organisation | Operand::Workspace | Operand::Other => None,
        }
    }

    /// What a value is, where that is known.
    fn origin(&self, operand: &Operand, seen: &[Seen], outer: &[&[Seen]]) -> Option<Origin> {
        if *operand == Operand::Organisation {
            return Some(Origin::Organisation);
        }
        if let Some((at, column)) = self.own(operand, seen, outer) {
            return self.of_relation(seen.get(at)?, column);
        }
        let Operand::Column { qualifier: Some(qualifier), name } = operand else { return None };
        if seen.iter().any(|relation| relation.name.as_ref() == Some(qualifier)) {
            return None;
        }
        let around = outer.iter().rev().find_map(|level| Some(level.get(named(level, qualifier)?)))?;
        self.of_relation(around?, name)
    }

    fn of_relation(&self, relation: &Seen, column: &str) -> Option<Origin> {
        // ClickHouse fills in empty texts, not NULL: they equal each other.
        if relation.renamed || (relation.filled && self.dialect == Dialect::ClickHouse) {
            return None;
        }
        match &relation.rows {
            Rows::Table { confined: true, .. } if column == ORGANIZATION => Some(Origin::Organisation),
            Rows::Table { name, confined: true } => {
                Some(Origin::Column { table: name.clone(), column: column.to_owned() })
            }
            Rows::Table { .. } | Rows::Free => None,
            Rows::Answer(answer) => answer.origin(column),
        }
    }

    fn answer(&self, select: &Select, seen: &[Seen], outer: &[&[Seen]]) -> Answer {
        let mut answer = Answer::default();
        // Whether a column may have the name of another that is not seen.
        let mut vague = false;
        for output in &select.outputs {
            match output {
                Output::Value(name, operand) => {
                    answer.columns.push((name.clone(), self.origin(operand, seen, outer)));
                }
                Output::All => {
                    // Of a single relation all columns are passed on; of several it is not known which.
                    match seen {
                        [Seen { rows: Rows::Answer(inner), renamed: false, .. }] => {
                            answer.columns.extend(inner.columns.clone());
                            answer.open |= inner.open;
                            vague |= inner.open && inner.columns.is_empty();
                        }
                        [only] => {
                            let origin = self.of_relation(only, ORGANIZATION);
                            answer.columns.push((Some(ORGANIZATION.to_owned()), origin));
                            answer.open = true;
                        }
                        _ => {
                            answer.open = true;
                            vague = true;
                        }
                    }
                }
            }
        }
        if vague {
            answer.columns.iter_mut().for_each(|(_, origin)| *origin = None);
        }
        answer
    }
}

impl Seen {
    /// Whether a bare name may be one of its columns.
    fn may_have(&self, column: &str, rules: &TableRules) -> bool {
        self.renamed
            || match &self.rows {
                // A table that reaches its organisation through another has no column for it.
                Rows::Table { name, .. } => column != ORGANIZATION || path(rules, name).is_none(),
                Rows::Answer(answer) => answer.has(column),
                Rows::Free => column != ORGANIZATION,
            }
    }
}

/// The only relation of a name.
fn named(seen: &[Seen], name: &str) -> Option<usize> {
    let mut found = seen.iter().enumerate().filter(|(_, relation)| relation.name.as_deref() == Some(name));
    let (at, _) = found.next()?;
    found.next().is_none().then_some(at)
}

/// The column by which a table reaches its organisation, the other table, and that one's column.
fn path<'r>(rules: &'r TableRules, table: &str) -> Option<&'r Through> {
    match rules.belongs(table, &[])? {
        Belongs::Through(through) => Some(through),
        _ => None,
    }
}

/// Whether a selected value that is not the organisation's column is called like it.
fn renames(query: &Query) -> bool {
    let select = |select: &Select| {
        select.outputs.iter().any(|output| {
            matches!(output, Output::Value(Some(name), operand)
                if name.rsplit('.').next() == Some(ORGANIZATION) && !operand.is_organisation_column())
        }) || select.subqueries.iter().any(renames)
            || select.relations.iter().any(|relation| matches!(&relation.item, Item::Query(query) if renames(query)))
    };
    query.ctes.iter().any(|(_, query)| renames(query))
        || query.around.iter().any(renames)
        || query.arms.iter().any(|arm| match arm {
            Arm::Select(inner) => select(inner),
            Arm::Query(query) => renames(query),
            Arm::Rows(subqueries) => subqueries.iter().any(renames),
        })
}
