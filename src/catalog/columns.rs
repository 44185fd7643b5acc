//! How a column is shown: by its section, else by the dictionaries of the packs.

use indexmap::IndexMap;

use crate::definition::{Column, Columns};

/// The dictionaries of all packs; what later ones say wins.
#[derive(Debug, Default)]
pub struct Dictionary {
    names: IndexMap<String, Column>,
    prefixes: IndexMap<String, Column>,
    suffixes: IndexMap<String, Column>,
}

impl Dictionary {
    pub(super) fn add(&mut self, columns: Columns) {
        self.names.extend(columns.names);
        self.prefixes.extend(columns.prefixes);
        self.suffixes.extend(columns.suffixes);
    }

    /// Whether a text is what some column shows where there is none.
    pub fn stands_for_nothing(&self, text: &str) -> bool {
        self.names
            .values()
            .any(|column| column.empty.as_deref().is_some_and(|empty| !empty.is_empty() && empty == text))
    }

    /// How a column of a section is shown. `own` is what the section says of its columns.
    pub fn column(&self, own: &IndexMap<String, Column>, name: &str) -> Column {
        let mut found = own.get(name).cloned().unwrap_or_default();
        if let Some(known) = self.names.get(name) {
            fill(&mut found, known.clone());
        }
        let longest = |parts: &IndexMap<String, Column>, split: &dyn Fn(&str) -> Option<String>| {
            let split = parts.iter().filter_map(|(part, column)| Some((part.len(), split(part)?, column.clone())));
            split.filter(|(_, rest, _)| !rest.is_empty()).max_by_key(|(length, ..)| *length)
        };
        if let Some((_, rest, prefix)) = longest(&self.prefixes, &|part| Some(name.strip_prefix(part)?.to_owned())) {
            let whole = self.column(own, &rest);
            let title = whole.title.unwrap_or_else(|| spaced(&rest));
            fill(&mut found, Column { title: prefix.title.map(|text| text.replace("{}", &title)), ..prefix });
            // What the rest means is not what this means: its description stays away.
            let Column { unit, decimals, empty, max_length, keep, .. } = whole;
            fill(&mut found, Column { unit, decimals, empty, max_length, keep, ..Column::default() });
        }
        if let Some((_, rest, suffix)) = longest(&self.suffixes, &|part| Some(name.strip_suffix(part)?.to_owned())) {
            let title = suffix.title.map(|text| text.replace("{}", &spaced(&rest)));
            fill(&mut found, Column { title, ..suffix });
        }
        found
    }
}

/// Takes what is not said yet.
fn fill(column: &mut Column, more: Column) {
    let Column { title, unit, description, decimals, empty, max_length, keep } = more;
    column.title = column.title.take().or(title);
    column.unit = column.unit.take().or(unit);
    column.description = column.description.take().or(description);
    column.decimals = column.decimals.or(decimals);
    column.empty = column.empty.take().or(empty);
    column.max_length = column.max_length.or(max_length);
    column.keep = column.keep.or(keep);
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dictionary() -> Dictionary {
        let mut dictionary = Dictionary::default();
        for text in [
            r#"{"name": "a", "names": {"error_pct": {"title": "errors"}, "last_at": {"title": "last"}},
                "prefixes": {"prev_": {"title": "{} before", "description": "In the window before."}},
                "suffixes": {"_pct": {"unit": "%", "title": "{}"}, "_ms": {"unit": "ms", "title": "{}"}, "_per_s": {"unit": "/s"}}}"#,
            r#"{"name": "b", "names": {"error_pct": {"title": "error share"}}}"#,
        ] {
            dictionary.add(serde_json::from_str(text).unwrap());
        }
        dictionary
    }

    #[test]
    fn a_column_is_shown_as_its_section_says_then_its_name_then_its_parts() {
        let own = serde_json::from_str(
            r#"{"requests_per_s": {"unit": "req/s", "title": "rate"}, "errors": {"title": "lines", "max_length": 9}}"#,
        )
        .unwrap();
        let shown = |name: &str| {
            let Column { title, unit, description, max_length, .. } = dictionary().column(&own, name);
            format!("{title:?} {unit:?} {description:?} {max_length:?}")
                .replace("Some", "")
                .replace(['(', ')', '"'], "")
        };
        for (name, expected) in [
            ("requests_per_s", "rate req/s None None"),
            ("calls_per_s", "None /s None None"),
            ("last_at", "last None None None"),
            ("error_pct", "error share % None None"),
            ("prev_error_pct", "error share before % In the window before. None"),
            ("prev_errors", "lines before None In the window before. 9"),
            ("prev_p95_ms", "p95 before ms In the window before. None"),
            ("typical_p95_ms", "typical p95 ms None None"),
            ("prev_", "None None None None"),
            ("plain", "None None None None"),
        ] {
            assert_eq!(shown(name), expected, "{name}");
        }
    }
}
