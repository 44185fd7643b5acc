//! Rows of a section that belong to each other as parents and children.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which columns tell the parent of a row, and how rows that are alike become one. Rows have the columns `depth`, 0 at the
/// top, `alike`, how many rows one stands for, and `lacks_parent`, whether it names a parent that is not there, so that
/// it stands at the top. Up to 10,000 rows are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// The column that names a row.
    pub id: String,
    /// The column that names its parent, empty or null at the top. It is not shown.
    pub parent: String,
    /// Columns in which three siblings or more are alike that are shown as one row, with what is below them. The other
    /// columns are those of the first. Default: none are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fold: Vec<String>,
    /// Columns of numbers that are added up over rows that are alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sum: Vec<String>,
    /// Columns of numbers of which the largest of rows that are alike is shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub largest: Vec<String>,
    /// The column whose texts are moved in by the depth of their row where rows are shown as a table. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indent: Option<String>,
    /// Where not all rows are shown, those with the largest numbers in this column, and those above them. Default: the
    /// first rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<String>,
}

impl Tree {
    /// How far below the top a row stands.
    pub const DEPTH: &'static str = "depth";
    /// How many rows one stands for.
    pub const ALIKE: &'static str = "alike";
    /// Whether the parent that a row names is not there.
    pub const LACKS_PARENT: &'static str = "lacks_parent";

    /// The columns that it adds.
    pub const COLUMNS: [&'static str; 3] = [Self::DEPTH, Self::ALIKE, Self::LACKS_PARENT];

    /// The columns that it reads, with the key that names each.
    pub fn reads(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let lists = [("fold", &self.fold), ("sum", &self.sum), ("largest", &self.largest)];
        let of_lists = lists.into_iter().flat_map(|(key, names)| names.iter().map(move |name| (key, name.as_str())));
        let keep = self.keep.iter().map(|name| ("keep", name.as_str()));
        let keep = keep.chain(self.indent.iter().map(|name| ("indent", name.as_str())));
        [("id", self.id.as_str()), ("parent", self.parent.as_str())].into_iter().chain(of_lists).chain(keep)
    }
}
