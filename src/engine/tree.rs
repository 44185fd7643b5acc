//! Rows that belong to each other as parents and children: depth first, with those that are alike folded into one.
//!
//! It takes rows as a database answered them and trusts them in nothing: a parent may be missing, or be its own
//! grandchild, and a name may be given twice. What a row means is the definition's business.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{
    cut::{Cut, Limit},
    document::{Heading, SectionAnswer, Total},
};
use crate::{definition::Tree, source::ColumnType, template::counted};

/// So many siblings that are alike are shown as one row.
const MANY: usize = 3;

/// Puts the rows of a section in the order of their tree.
pub(super) fn grow(tree: &Tree, answer: &mut SectionAnswer) {
    let column = |name: &String| answer.columns.iter().position(|column| column.name == *name);
    let (Some(id), Some(parent)) = (column(&tree.id), column(&tree.parent)) else { return };
    let columns = |names: &[String]| names.iter().filter_map(column).collect::<Vec<_>>();
    let shape = Shape {
        fold: columns(&tree.fold),
        sum: columns(&tree.sum),
        largest: columns(&tree.largest),
        keep: tree.keep.as_ref().and_then(column),
    };
    let family = Family::of(&answer.rows, id, parent);
    let nodes = family.nodes(&answer.rows, &shape.fold);
    let (room, why) = answer.room;
    let rows: Vec<Vec<Value>> = shape
        .order(&nodes, &answer.rows, room)
        .into_iter()
        .filter_map(|at| nodes.get(at))
        .map(|node| shape.row(node, &answer.rows, &family))
        .collect();
    let (read, total) = (answer.rows.len(), Total { count: rows.len(), more: answer.total.more });
    if rows.len() < read {
        answer
            .remarks
            .push(format!("{read} rows; siblings that are alike are shown as one, which leaves {}.", rows.len()));
    }
    if rows.len() > room
        && let Some(keep) = shape.keep.and_then(|keep| answer.columns.get(keep))
    {
        let title = &keep.title;
        answer.remarks.push(format!("Not all fit: shown are those with the most {title} and those above them."));
    }
    if total.more {
        answer.partial.push(format!("of the first {} only, since no more were read", counted(read, "row")));
    }
    answer.shown = rows.len().min(room);
    answer.cut = (rows.len() > room).then(|| Cut::new(why, Limit::Rows(room)).seeing(total));
    answer.total = total;
    answer.rows = rows;
    // The depth says it.
    answer.columns.remove(parent);
    answer.rows.iter_mut().for_each(|row| drop(row.remove(parent)));
    let depth = answer.columns.len();
    if let Some(heading) = answer.columns.iter_mut().find(|heading| Some(&heading.name) == tree.indent.as_ref()) {
        heading.indent = Some(depth);
    }
    let types = [ColumnType::Integer, ColumnType::Integer, ColumnType::Boolean];
    answer.columns.extend(Tree::COLUMNS.iter().zip(types).map(|(name, ty)| Heading::plain(name, ty)));
}

/// The columns that a tree reads, by their places.
struct Shape {
    fold: Vec<usize>,
    sum: Vec<usize>,
    largest: Vec<usize>,
    keep: Option<usize>,
}

/// Who is below whom, by the places of rows.
struct Family {
    children: Vec<Vec<usize>>,
    tops: Vec<usize>,
    lacking: HashSet<usize>,
}

/// A row of the answer: rows that are alike, and the node above.
struct Node {
    members: Vec<usize>,
    above: Option<usize>,
    depth: usize,
}

impl Family {
    fn of(rows: &[Vec<Value>], id: usize, parent: usize) -> Self {
        let named = |row: &Vec<Value>, at: usize| match row.get(at) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()).filter(|text| !text.is_empty()),
            Some(other) => Some(other.to_string()),
        };
        let mut places: HashMap<String, usize> = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            if let Some(name) = named(row, id) {
                places.entry(name).or_insert(at);
            }
        }
        let asked: Vec<Option<String>> = rows.iter().map(|row| named(row, parent)).collect();
        let mut parents: Vec<Option<usize>> = asked.iter().map(|name| places.get(name.as_ref()?).copied()).collect();
        let lacking =
            (0..rows.len()).filter(|at| asked.get(*at).is_some_and(Option::is_some) && above(&parents, *at).is_none());
        let lacking = lacking.collect();
        uncoil(&mut parents);
        let (mut children, mut tops) = (vec![Vec::new(); rows.len()], Vec::new());
        for at in 0..rows.len() {
            match above(&parents, at).and_then(|parent| children.get_mut(parent)) {
                Some(siblings) => siblings.push(at),
                None => tops.push(at),
            }
        }
        Self { children, tops, lacking }
    }

    /// The nodes, depth first.
    fn nodes(&self, rows: &[Vec<Value>], fold: &[usize]) -> Vec<Node> {
        let mut nodes: Vec<Node> = Vec::new();
        // Last in, first out, so siblings go in from behind. A chain may be as long as there are rows.
        let mut waiting: Vec<(Vec<usize>, Option<usize>, usize)> = Vec::new();
        let wait = |waiting: &mut Vec<_>, siblings: Vec<usize>, above, depth| {
            let groups = alike(siblings, rows, fold);
            waiting.extend(groups.into_iter().rev().map(|members| (members, above, depth)));
        };
        wait(&mut waiting, self.tops.clone(), None, 0);
        while let Some((members, above, depth)) = waiting.pop() {
            let below = members.iter().filter_map(|at| self.children.get(*at)).flatten().copied().collect();
            wait(&mut waiting, below, Some(nodes.len()), depth + 1);
            nodes.push(Node { members, above, depth });
        }
        nodes
    }
}

fn above(parents: &[Option<usize>], at: usize) -> Option<usize> {
    parents.get(at).copied().flatten()
}

/// Takes the parent from one row of each circle, so that it stands at the top.
fn uncoil(parents: &mut [Option<usize>]) {
    let mut ends: HashSet<usize> = HashSet::new();
    for start in 0..parents.len() {
        let (mut path, mut at) = (HashSet::new(), Some(start));
        while let Some(here) = at.filter(|here| !ends.contains(here)) {
            path.insert(here);
            at = above(parents, here);
            if at.is_some_and(|parent| path.contains(&parent)) {
                if let Some(parent) = parents.get_mut(here) {
                    *parent = None;
                }
                at = None;
            }
        }
        ends.extend(path);
    }
}

/// Siblings, those that are alike together where they are many, in the order in which the first of each came.
fn alike(siblings: Vec<usize>, rows: &[Vec<Value>], fold: &[usize]) -> Vec<Vec<usize>> {
    if fold.is_empty() || siblings.len() < MANY {
        return siblings.into_iter().map(|at| vec![at]).collect();
    }
    let key = |at: usize| {
        let row = rows.get(at);
        let values = fold.iter().map(|column| row.and_then(|row| row.get(*column)).map(Value::to_string));
        values.collect::<Vec<_>>()
    };
    let mut groups: HashMap<Vec<Option<String>>, Vec<usize>> = HashMap::new();
    for at in &siblings {
        groups.entry(key(*at)).or_default().push(*at);
    }
    siblings
        .into_iter()
        .filter_map(|at| match groups.get(&key(at)) {
            Some(group) if group.len() < MANY => Some(vec![at]),
            Some(group) if group.first() == Some(&at) => Some(group.clone()),
            _ => None,
        })
        .collect()
}

impl Shape {
    /// In which order nodes are answered: those that are shown first, each part depth first.
    fn order(&self, nodes: &[Node], rows: &[Vec<Value>], room: usize) -> Vec<usize> {
        let all = 0..nodes.len();
        let Some(keep) = self.keep.filter(|_| nodes.len() > room) else { return all.collect() };
        let worth = |at: usize| nodes.get(at).and_then(|node| self.number(node, rows, keep)).unwrap_or(f64::MIN);
        let mut ranked: Vec<usize> = all.clone().collect();
        // Stable: of equal ones the first.
        ranked.sort_by(|a, b| worth(*b).total_cmp(&worth(*a)));
        let mut kept: HashSet<usize> = HashSet::new();
        for at in ranked {
            let line = std::iter::successors(Some(at), |at| nodes.get(*at)?.above);
            let new: Vec<usize> = line.take_while(|at| !kept.contains(at)).take(room + 1).collect();
            if kept.len() + new.len() <= room {
                kept.extend(new);
            }
        }
        let (shown, others): (Vec<usize>, Vec<usize>) = all.partition(|at| kept.contains(at));
        shown.into_iter().chain(others).collect()
    }

    fn row(&self, node: &Node, rows: &[Vec<Value>], family: &Family) -> Vec<Value> {
        let mut row = node.members.first().and_then(|first| rows.get(*first)).cloned().unwrap_or_default();
        if node.members.len() > 1 {
            for at in self.sum.iter().chain(&self.largest) {
                if let (Some(place), Some(number)) = (row.get_mut(*at), self.number(node, rows, *at)) {
                    // Sums of what was rounded have no more digits than what was rounded.
                    let number = (number * 1e6).round() / 1e6;
                    *place = if number.fract() == 0.0 && number.abs() < 9e15 {
                        Value::from(number as i64)
                    } else {
                        Value::from(number)
                    };
                }
            }
        }
        let lacks = node.members.iter().any(|at| family.lacking.contains(at));
        row.extend([Value::from(node.depth), Value::from(node.members.len()), Value::from(lacks)]);
        row
    }

    /// What a column says of a node.
    fn number(&self, node: &Node, rows: &[Vec<Value>], column: usize) -> Option<f64> {
        let numbers = node.members.iter().filter_map(|at| rows.get(*at)?.get(column)?.as_f64());
        match self.sum.contains(&column) {
            true => numbers.reduce(|a, b| a + b),
            false if self.largest.contains(&column) => numbers.reduce(f64::max),
            false => node.members.first().and_then(|at| rows.get(*at)?.get(column)?.as_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Rows of name, parent, kind and weight, as they come out: name, depth, alike, weight, lacks parent.
    fn grown(rows: &[(&str, &str, &str, f64)], fold: &[usize], keep: Option<usize>, room: usize) -> Vec<String> {
        let rows: Vec<Vec<Value>> =
            rows.iter().map(|(id, parent, kind, ms)| vec![json!(id), json!(parent), json!(kind), json!(ms)]).collect();
        let shape = Shape { fold: fold.to_vec(), sum: vec![3], largest: Vec::new(), keep };
        let family = Family::of(&rows, 0, 1);
        let nodes = family.nodes(&rows, fold);
        let order = shape.order(&nodes, &rows, room);
        order
            .into_iter()
            .map(|at| {
                let row = shape.row(&nodes[at], &rows, &family);
                let text: Vec<String> = [0, 4, 5, 3, 6].iter().map(|at| row[*at].to_string()).collect();
                text.join(" ").replace('"', "")
            })
            .collect()
    }

    #[test]
    fn rows_stand_depth_first_below_their_parents_in_the_order_in_which_they_came() {
        let rows = [("c", "b", "x", 1.0), ("a", "", "x", 1.0), ("d", "a", "x", 1.5), ("b", "a", "x", 1.0)];
        assert_eq!(
            grown(&rows, &[], None, 9),
            ["a 0 1 1.0 false", "d 1 1 1.5 false", "b 1 1 1.0 false", "c 2 1 1.0 false"]
        );
    }

    #[test]
    fn what_names_no_row_or_itself_or_its_own_child_stands_at_the_top_and_nothing_is_lost() {
        let rows = [
            ("a", "gone", "x", 1.0),
            ("b", "c", "x", 1.0),
            ("c", "b", "x", 1.0),
            ("d", "d", "x", 1.0),
            ("e", "b", "x", 1.0),
            ("e", "a", "x", 1.0),
        ];
        let grown = grown(&rows, &[], None, 9);
        assert_eq!(grown.len(), rows.len(), "{grown:?}");
        assert_eq!(grown[..2], ["a 0 1 1.0 true", "e 1 1 1.0 false"]);
        assert_eq!(grown[2..], ["c 0 1 1.0 false", "b 1 1 1.0 false", "e 2 1 1.0 false", "d 0 1 1.0 false"]);
    }

    #[test]
    fn many_siblings_that_are_alike_are_one_row_with_what_is_below_them_and_two_are_two() {
        let mut rows = vec![("root".to_owned(), String::new(), "x", 0.0)];
        for n in 0..1000 {
            rows.push((format!("q{n}"), "root".into(), "query", 0.5));
            rows.push((format!("r{n}"), format!("q{n}"), if n < 2 { "rare" } else { "read" }, 0.25));
        }
        let rows: Vec<(&str, &str, &str, f64)> =
            rows.iter().map(|(a, b, c, d)| (a.as_str(), b.as_str(), *c, *d)).collect();
        assert_eq!(
            grown(&rows, &[2], None, 9),
            [
                "root 0 1 0.0 false",
                "q0 1 1000 500 false",
                "r0 2 1 0.25 false",
                "r1 2 1 0.25 false",
                "r2 2 998 249.5 false"
            ]
        );
    }

    #[test]
    fn where_not_all_fit_the_heaviest_are_kept_with_those_above_them() {
        let rows = [
            ("a", "", "x", 0.0),
            ("b", "a", "x", 1.0),
            ("c", "b", "x", 1.0),
            ("d", "a", "x", 2.0),
            ("e", "d", "x", 9.0),
            ("f", "", "x", 3.0),
        ];
        let kept: Vec<String> = grown(&rows, &[], Some(3), 4).into_iter().take(4).collect();
        assert_eq!(kept, ["a 0 1 0.0 false", "d 1 1 2.0 false", "e 2 1 9.0 false", "f 0 1 3.0 false"]);
    }

    #[test]
    fn a_chain_of_ten_thousand_rows_does_no_harm() {
        let names: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
        let parent = |n: usize| if n == 0 { "" } else { names[n - 1].as_str() };
        let rows: Vec<(&str, &str, &str, f64)> =
            (0..10_000).map(|n| (names[n].as_str(), parent(n), "x", 1.0)).collect();
        let grown = grown(&rows, &[2], Some(3), 50);
        assert_eq!(grown[0], "0 0 1 1.0 false");
        assert_eq!(grown[9_999], "9999 9999 1 1.0 false");
    }
}
