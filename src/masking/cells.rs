//! Cells of rows that are also shown as a text: a column without a name that a text could tell, as one alone or a call of a
//! function, is masked there as in the rows.

use std::{borrow::Cow, collections::BTreeSet};

use serde_json::{Value, json};

use super::{MASK, Masking, named, table, without};

/// Texts of cells that nobody should read.
#[derive(Debug, Default)]
pub struct Cells(BTreeSet<String>);

impl Masking {
    /// The cells that are masked by the names of their columns, as a text writes them: `written` says how.
    pub fn cells(&self, columns: &[&str], rows: &[Vec<Value>], written: impl Fn(&str) -> String) -> Cells {
        let tells = columns.iter().any(|name| named::tells(name) || super::tree::is_value(name));
        if !self.secrets || !tells {
            return Cells::default();
        }
        let mut masked = json!({ "columns": columns, "rows": rows });
        self.mask(&mut masked);
        let shown = masked.pointer("/rows").and_then(Value::as_array).into_iter().flatten();
        let cells =
            rows.iter().zip(shown).flat_map(|(row, shown)| row.iter().zip(shown.as_array().into_iter().flatten()));
        let texts = cells.filter_map(|(cell, shown)| Some((cell.as_str()?, shown.as_str()?)));
        Cells(texts.filter(|(cell, shown)| cell != shown).map(|(cell, _)| written(cell)).collect())
    }
}

impl Cells {
    /// A text with those cells masked in its lines of comma-separated values, and how many.
    pub fn masked_in<'t>(&self, text: &'t str) -> (Cow<'t, str>, usize) {
        if self.0.is_empty() {
            return (Cow::Borrowed(text), 0);
        }
        let mut shown = String::with_capacity(text.len());
        let mut count = 0;
        for line in text.split_inclusive('\n') {
            let cells = table::record(line, 0, ',').map_or_else(Vec::new, |(cells, _)| cells);
            let secret = |cell: &std::ops::Range<usize>| {
                let said = line.get(cell.clone()).unwrap_or_default().replace("\"\"", "\"");
                self.holds(&said)
            };
            let places: Vec<_> = cells.into_iter().filter(secret).collect();
            count += places.len();
            shown.push_str(&without(line, &places));
        }
        (Cow::Owned(shown), count)
    }

    /// Whether a cell, or the beginning of one that was cut, is one of them.
    fn holds(&self, said: &str) -> bool {
        let cut = said.strip_suffix('…').filter(|cut| !cut.is_empty());
        let begins = |cut: &str| {
            let next = self.0.range(cut.to_owned()..).next();
            next.is_some_and(|cell| cell.starts_with(cut))
        };
        said != MASK && (self.0.contains(said) || cut.is_some_and(begins))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_masked_in_the_text_as_in_the_rows() {
        let rows = [vec![json!("hunter2X9")], vec![json!("let,me\"in")], vec![json!("a long one")]];
        let cells = Masking::secrets().cells(&["any(password)"], &rows, str::to_owned);
        let text = "3 rows\n```csv\nany(password)\nhunter2X9\n\"let,me\"\"in\"\na lo…\n```\n";
        assert_eq!(cells.masked_in(text), ("3 rows\n```csv\nany(password)\n***\n\"***\"\n***\n```\n".into(), 3));
        let cells = Masking::secrets().cells(&["name"], &rows, str::to_owned);
        assert_eq!(cells.masked_in(text), (text.into(), 0));
    }
}
