//! Names that stand before the texts of a value: of members, of columns, and of pairs that a list or a row makes.
//!
//! The value may be one of memory or one that is written: both are walked alike, and their texts are counted in the order in
//! which they stand.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;

use super::names;

/// What a value is.
pub(super) enum Branch<'t, T> {
    Text,
    Items(&'t [T]),
    Members(Vec<(Cow<'t, str>, &'t T)>),
    Other,
}

/// A value that is walked.
pub(super) trait Tree: Sized {
    fn branch(&self) -> Branch<'_, Self>;
    /// What a text says.
    fn said(&self) -> Cow<'_, str>;
}

impl Tree for Value {
    fn branch(&self) -> Branch<'_, Self> {
        match self {
            Self::String(_) => Branch::Text,
            Self::Array(items) => Branch::Items(items),
            Self::Object(members) => {
                Branch::Members(members.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), value)).collect())
            }
            Self::Null | Self::Bool(_) | Self::Number(_) => Branch::Other,
        }
    }

    fn said(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.as_str().unwrap_or_default())
    }
}

/// The names of those texts of a value of which a name tells something, by the number of the text.
pub(super) fn names<T: Tree>(tree: &T) -> BTreeMap<usize, String> {
    let mut walk = Walk::default();
    walk.tree("", tree);
    walk.names
}

/// The same of what stands below a name.
pub(super) fn below<T: Tree>(name: &str, tree: &T) -> BTreeMap<usize, String> {
    let mut walk = Walk::default();
    walk.tree(name, tree);
    walk.names
}

/// The same of the cells of a row, of which the columns are known.
pub(super) fn of_row<T: Tree>(columns: &[String], cells: &[T]) -> BTreeMap<usize, String> {
    let mut walk = Walk::default();
    walk.cells(columns, cells);
    walk.names
}

#[derive(Default)]
struct Walk {
    at: usize,
    names: BTreeMap<usize, String>,
}

impl Walk {
    fn tree<T: Tree>(&mut self, name: &str, tree: &T) {
        match tree.branch() {
            Branch::Text => {
                if names::tells(name) || (tree.said().starts_with("key-") && !name.is_empty()) {
                    self.names.insert(self.at, name.to_owned());
                }
                self.at += 1;
            }
            Branch::Items(items) if is_pairs(items) => {
                for item in items {
                    let Branch::Items([first, second]) = item.branch() else { continue };
                    self.tree(name, first);
                    let said = first.said();
                    let of = if names::tells(&said) { &said } else { name };
                    // A pair of two names is no name and its value.
                    let names = matches!(second.branch(), Branch::Text) && names::is_name(&second.said());
                    self.tree(if names { "" } else { of }, second);
                }
            }
            Branch::Items(items) => items.iter().for_each(|item| self.tree(name, item)),
            Branch::Members(members) => self.members(name, &members, is_of(&members, "Secret")),
            Branch::Other => {}
        }
    }

    /// Members below a name, which may be those of a secret of a cluster.
    fn members<T: Tree>(&mut self, above: &str, members: &[(Cow<'_, str>, &T)], of_a_cluster: bool) {
        // `{"name": "DB_PASSWORD", "value": "hunter2"}`, as variables and headers are written.
        let said = members.iter().find(|(name, value)| names_another(name) && matches!(value.branch(), Branch::Text));
        let said = said.map(|(_, value)| value.said());
        let lists_secrets = is_of(members, "SecretList");
        let columns = members.iter().find_map(|(name, value)| columns(name, *value)).unwrap_or_default();
        for (name, value) in members {
            match value.branch() {
                Branch::Items(rows) if !columns.is_empty() && is_rows(rows) => {
                    rows.iter().for_each(|row| self.row(&columns, row));
                }
                // What a cluster lists says once of what it is.
                Branch::Items(items) if lists_secrets && name == "items" => {
                    items.iter().for_each(|item| match item.branch() {
                        Branch::Members(members) => self.members("", &members, true),
                        _ => self.tree("", item),
                    })
                }
                // Data of a secret of a cluster, whatever they are named.
                Branch::Members(data) if of_a_cluster && matches!(name.as_ref(), "data" | "stringData") => {
                    data.iter().for_each(|(_, value)| self.tree("password", *value));
                }
                _ if is_value(name) || (names::tells(above) && is_part(name)) => {
                    self.tree(said.as_deref().unwrap_or(above), *value)
                }
                _ => self.tree(name, *value),
            }
        }
    }

    fn row<T: Tree>(&mut self, columns: &[String], row: &T) {
        let Branch::Items(cells) = row.branch() else { return self.tree("", row) };
        self.cells(columns, cells);
    }

    fn cells<T: Tree>(&mut self, columns: &[String], cells: &[T]) {
        let cell = |at: usize| cells.get(at).map(Tree::said).unwrap_or_default();
        let of: Vec<String> = (0..cells.len()).map(|at| name_of(columns, at, &cell).into_owned()).collect();
        of.iter().zip(cells).for_each(|(name, cell)| self.tree(name, cell));
    }
}

/// Whether members are those of a manifest of this kind.
fn is_of<T: Tree>(members: &[(Cow<'_, str>, &T)], kind: &str) -> bool {
    members.iter().any(|(name, value)| name == "kind" && value.said() == kind)
}

/// What stands before a cell: the name of its column, or what a row says that its value is of.
pub(super) fn name_of<'t>(columns: &'t [String], at: usize, cell: &dyn Fn(usize) -> Cow<'t, str>) -> Cow<'t, str> {
    let column = columns.get(at).map_or("", String::as_str);
    if !is_value(column) {
        return Cow::Borrowed(column);
    }
    columns.iter().position(|column| names_another(column)).map_or(Cow::Borrowed(column), cell)
}

/// Whether a member says what another one is of.
pub(super) fn names_another(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "name",
        "key",
        "header",
        "variable",
        "setting",
        "parameter",
        "parameterkey",
        "property",
        "option",
        "attribute",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a member is what another one names, as OpenTelemetry writes attributes too.
pub(super) fn is_value(name: &str) -> bool {
    const VALUES: [&str; 14] = [
        "plain",
        "plaintext",
        "cleartext",
        "value",
        "values",
        "stringvalue",
        "string_value",
        "bytesvalue",
        "bytes_value",
        "arrayvalue",
        "array_value",
        "parametervalue",
        "current_value",
        "defaultvalue",
    ];
    VALUES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a member of what is named as a secret is one of several of it.
fn is_part(name: &str) -> bool {
    const PARTS: [&str; 9] = ["current", "new", "old", "previous", "raw", "clear", "text", "repeat", "confirm"];
    PARTS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The names of columns, where a member lists them: as texts, or as objects with a name.
fn columns<T: Tree>(name: &str, value: &T) -> Option<Vec<String>> {
    const COLUMNS: [&str; 6] = ["columns", "fields", "header", "headers", "column_names", "meta"];
    if !COLUMNS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return None;
    }
    let Branch::Items(items) = value.branch() else { return None };
    let column = |item: &T| match item.branch() {
        Branch::Text => Some(item.said().into_owned()),
        Branch::Members(members) => {
            let name = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("name"))?.1;
            matches!(name.branch(), Branch::Text).then(|| name.said().into_owned())
        }
        Branch::Items(_) | Branch::Other => None,
    };
    items.iter().map(column).collect()
}

/// Whether a list holds rows.
fn is_rows<T: Tree>(items: &[T]) -> bool {
    !items.is_empty() && items.iter().all(|item| matches!(item.branch(), Branch::Items(_)))
}

/// Whether a list holds pairs of a name and what it is of, and a name of them tells something.
fn is_pairs<T: Tree>(items: &[T]) -> bool {
    let pair = |item: &T| match item.branch() {
        Branch::Items([first, _]) => matches!(first.branch(), Branch::Text),
        _ => false,
    };
    !items.is_empty() && items.iter().all(pair)
}
