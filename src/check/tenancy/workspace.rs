//! Whether a statement narrows each table whose rows belong to workspaces to the caller's.
//!
//! No proof: workspaces divide an organisation for people's eyes, and whoever forgets one has numbers that say too much.
//! A table is narrowed by a comparison of its column with the bound workspace or another table's, or by a join of its `id`
//! with what is narrowed: one row has one workspace, and what points to it may be of another.

use std::{collections::HashSet, ops::Range};

use super::query::{Arm, Condition, Item, Operand, Query, Relation, Select};

const WORKSPACE: &str = "workspace_id";

/// The tables of `in_workspaces` that a query reads without narrowing them, each with its place.
pub(super) fn forgotten(query: &Query, in_workspaces: &HashSet<String>) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    Reader { in_workspaces, found: &mut found }.query(query, &[]);
    found
}

struct Reader<'a> {
    in_workspaces: &'a HashSet<String>,
    found: &'a mut Vec<(String, Range<usize>)>,
}

impl Reader<'_> {
    /// `named`: what common table expressions are called, which are read where they are written.
    fn query(&mut self, query: &Query, named: &[&str]) {
        let named: Vec<&str> = named.iter().copied().chain(query.ctes.iter().map(|(name, _)| name.as_str())).collect();
        query.ctes.iter().for_each(|(_, inner)| self.query(inner, &named));
        query.around.iter().for_each(|inner| self.query(inner, &named));
        for arm in &query.arms {
            match arm {
                Arm::Select(select) => self.select(select, &named),
                Arm::Query(inner) => self.query(inner, &named),
                Arm::Rows(inner) => inner.iter().for_each(|inner| self.query(inner, &named)),
            }
        }
    }

    fn select(&mut self, select: &Select, named: &[&str]) {
        let mut seen: Vec<Seen> = select.relations.iter().map(|relation| self.relation(relation, named)).collect();
        let links: Vec<Link> = select.conditions.iter().filter_map(|condition| link(condition, select)).collect();
        while let Some(at) = links.iter().find_map(|link| link.narrows(&seen)) {
            if let Some(seen) = seen.get_mut(at) {
                *seen = Seen::Narrowed;
            }
        }
        for (relation, seen) in select.relations.iter().zip(seen) {
            if let (Item::Table { name, .. }, Seen::Open) = (&relation.item, seen) {
                self.found.push((name.clone(), relation.place.clone()));
            }
        }
        for relation in &select.relations {
            if let Item::Query(inner) = &relation.item {
                self.query(inner, named);
            }
        }
        select.subqueries.iter().for_each(|inner| self.query(inner, named));
    }

    fn relation(&self, relation: &Relation, named: &[&str]) -> Seen {
        match &relation.item {
            Item::Table { name, .. } if named.contains(&name.as_str()) => Seen::Narrowed,
            Item::Table { name, .. } if self.in_workspaces.contains(name) => Seen::Open,
            Item::Query(_) => Seen::Narrowed,
            Item::Table { .. } | Item::Function(_) => Seen::Free,
        }
    }
}

/// What is known of the rows of a relation.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    /// They belong to workspaces, and may be of any.
    Open,
    /// They are of the caller's workspace, or that is judged where they are made.
    Narrowed,
    /// They belong to no workspace.
    Free,
}

/// A comparison that narrows a relation: always, or if another one is narrowed.
struct Link {
    ends: [End; 2],
    /// Which of them it narrows: the row that an identifier is of, and no row that points to it.
    narrowable: [bool; 2],
    of: Range<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Relation(usize),
    /// A bare name, in a `SELECT` of several relations.
    Any,
    /// The bound workspace, or a column of what is around.
    Narrowed,
}

fn link(condition: &Condition, select: &Select) -> Option<Link> {
    let (left, right) = (&condition.left, &condition.right);
    let is = |operand: &Operand, column: &str| matches!(operand, Operand::Column { name, .. } | Operand::Of(_, name) if name == column);
    let workspace = |operand: &Operand| *operand == Operand::Workspace || is(operand, WORKSPACE);
    let ends = [end(left, select)?, end(right, select)?];
    let (narrowable, alike) = ([is(left, "id"), is(right, "id")], workspace(left) && workspace(right));
    let narrowable = narrowable.map(|identified| identified || alike);
    narrowable.contains(&true).then(|| Link { ends, narrowable, of: condition.of.clone() })
}

fn end(operand: &Operand, select: &Select) -> Option<End> {
    match operand {
        Operand::Workspace => Some(End::Narrowed),
        Operand::Of(at, _) => Some(End::Relation(*at)),
        Operand::Column { qualifier: Some(qualifier), .. } => {
            let called = |relation: &Relation| match (&relation.alias, &relation.item) {
                (Some(alias), _) => alias == qualifier,
                (None, Item::Table { name, .. }) => name == qualifier,
                (None, _) => false,
            };
            Some(select.relations.iter().position(called).map_or(End::Narrowed, End::Relation))
        }
        Operand::Column { qualifier: None, .. } => Some(End::Any),
        Operand::Organisation | Operand::Other => None,
    }
}

impl Link {
    /// A relation that is narrowed by this and is not known to be.
    fn narrows(&self, seen: &[Seen]) -> Option<usize> {
        let is_open = |at: &usize| seen.get(*at) == Some(&Seen::Open) && self.of.contains(at);
        let narrowed = |end: End| match end {
            End::Relation(at) => seen.get(at) == Some(&Seen::Narrowed),
            End::Narrowed => true,
            End::Any => false,
        };
        let ([one, other], [first, second]) = (self.ends, self.narrowable);
        let ways = [(one, other, first), (other, one, second)].into_iter();
        ways.filter(|(_, other, narrowable)| *narrowable && narrowed(*other)).find_map(|(end, ..)| match end {
            End::Relation(at) => Some(at).filter(is_open),
            End::Any => (0..seen.len()).find(is_open),
            End::Narrowed => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Dialect, lex, read},
        *,
    };

    #[test]
    fn a_table_is_narrowed_by_its_workspace_or_by_an_identifier_of_what_is() {
        let tables = HashSet::from(["traces", "services", "links"].map(str::to_owned));
        for (sql, expected) in [
            ("SELECT 1 FROM traces WHERE workspace_id = $3", ""),
            ("SELECT 1 FROM traces WHERE workspace_id = $2", "traces"),
            ("SELECT 1 FROM traces", "traces"),
            ("SELECT 1 FROM users", ""),
            ("SELECT workspace_id = $3 AS own FROM traces", "traces"),
            ("SELECT 1 FROM traces WHERE workspace_id = $3 OR span_id = 'x'", "traces"),
            ("WITH traces AS (SELECT 1 FROM users) SELECT 1 FROM traces", ""),
            ("WITH t AS (SELECT 1 FROM traces) SELECT 1 FROM t", "traces"),
            ("SELECT 1 FROM (SELECT 1 FROM traces) AS t WHERE workspace_id = $3", "traces"),
            ("SELECT 1 FROM users WHERE id IN (SELECT id FROM traces WHERE workspace_id = $3)", ""),
            ("SELECT 1 FROM traces WHERE workspace_id = $3 UNION ALL SELECT 2 FROM traces AS u", "traces"),
            ("SELECT 1 FROM services AS s JOIN links AS l ON l.source = s.id WHERE s.workspace_id = $3", "links"),
            ("SELECT 1 FROM services AS s LEFT JOIN links AS l ON l.id = s.link WHERE s.workspace_id = $3", ""),
            (
                "SELECT 1 FROM services AS s JOIN links AS l ON l.source = s.id JOIN traces AS t ON t.id = s.trace WHERE \
                 s.workspace_id = $3 AND l.workspace_id = $3",
                "",
            ),
            (
                "SELECT 1 FROM services AS s LEFT JOIN links AS l ON l.source = s.id AND s.workspace_id = $3",
                "links services",
            ),
            ("SELECT 1 FROM services AS s JOIN links AS l ON l.name = s.name WHERE s.workspace_id = $3", "links"),
            (
                "SELECT 1 FROM services AS s JOIN links AS l ON l.workspace_id = s.workspace_id WHERE s.workspace_id = $3",
                "",
            ),
            ("SELECT 1 FROM services AS s JOIN links AS l ON l.workspace_id = s.workspace_id", "links services"),
            ("SELECT 1 FROM services AS s JOIN users AS u ON u.id = s.owner", "services"),
            (
                "SELECT (SELECT count(*) FROM links AS l WHERE l.source = s.id) FROM services AS s WHERE s.workspace_id = $3",
                "links",
            ),
            (
                "SELECT (SELECT count(*) FROM links AS l WHERE l.id = s.link) FROM services AS s WHERE s.workspace_id = $3",
                "",
            ),
        ] {
            for dialect in Dialect::ALL {
                let tokens = lex::tokens(dialect, sql).unwrap();
                let (query, _) = read(dialect, sql, &tokens);
                let mut found: Vec<String> =
                    forgotten(&query.unwrap(), &tables).into_iter().map(|(table, _)| table).collect();
                found.sort();
                assert_eq!(found.join(" "), expected, "{dialect}: {sql}");
            }
        }
    }
}
