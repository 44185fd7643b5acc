//! Which filters of a call narrow a section, and which stand in the heading of the document without narrowing it.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{document::SectionAnswer, order::with_awaited, render};
use crate::{
    catalog::ContextEntry,
    definition::{Parameter, ParameterType, Parameters, Section, SqlText},
    sql::template::mentions,
};

/// What the filters of a call do to one section.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Narrowed {
    /// Those that its statement uses.
    pub by: IndexMap<String, Value>,
    /// Those that it does not use.
    pub not_by: Vec<String>,
}

impl Narrowed {
    /// Of the filters that were asked for: a default is how the section always is.
    pub(super) fn of(parameters: &Parameters, filters: &Map<String, Value>, sql: &SqlText) -> Self {
        let mut narrowed = Self::default();
        for (name, value) in filters {
            if !parameters.get(name).is_some_and(|parameter| narrows(parameter, value)) {
                continue;
            }
            let used = match sql {
                SqlText::Any(text) => mentions(text, name),
                SqlText::PerDialect(texts) => texts.values().any(|text| mentions(text, name)),
            };
            match used {
                true => drop(narrowed.by.insert(name.clone(), value.clone())),
                false => narrowed.not_by.push(name.clone()),
            }
        }
        narrowed
    }

    /// Takes over what narrowed a section whose rows this one reads.
    fn inherit(&mut self, other: &Self) {
        self.not_by.retain(|name| match other.by.get(name) {
            Some(value) => {
                self.by.insert(name.clone(), value.clone());
                false
            }
            None => true,
        });
    }

    /// As seen from a sentence about values that some filters do narrow.
    pub(super) fn without(&self, obeyed: &[String]) -> Self {
        let not_by = self.not_by.iter().filter(|name| !obeyed.contains(name)).cloned().collect();
        Self { by: self.by.clone(), not_by }
    }

    /// ` with service=cart, operation=GET /`, to follow a noun; empty without filters.
    pub fn with(&self) -> String {
        if self.by.is_empty() { String::new() } else { format!(" with {}", render::filters(&self.by)) }
    }

    /// `` `severity`, `contains` ``; none where all filters are obeyed.
    pub fn ignored(&self) -> Option<String> {
        (!self.not_by.is_empty())
            .then(|| self.not_by.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
    }
}

/// A section that reads the rows of another is narrowed by what narrowed those.
pub(super) fn inherit(entry: &ContextEntry, answers: &mut [SectionAnswer]) {
    let sections = &entry.definition.sections;
    let is_read = |answer: &&SectionAnswer| sections.values().any(|section| section.after.has(&answer.name));
    let read: Vec<(String, Narrowed)> =
        answers.iter().filter(is_read).map(|answer| (answer.name.clone(), answer.narrowed.clone())).collect();
    for answer in answers {
        let behind = with_awaited(&entry.definition, [answer.name.as_str()]);
        for (_, other) in read.iter().filter(|(name, _)| *name != answer.name && behind.contains(name.as_str())) {
            answer.narrowed.inherit(other);
        }
        // Rows that others read and nobody sees, not even beside theirs, are no rows that a reader could take for narrowed.
        let seen = |name: &str, section: &Section| {
            section.show || sections.values().any(|other| other.join.as_ref().is_some_and(|join| join.section == name))
        };
        if sections.get(&answer.name).is_some_and(|section| !seen(&answer.name, section)) {
            answer.narrowed.not_by.clear();
        }
    }
}

/// Whether a value was asked for by which rows are chosen. A number with a default is a measure, such as a target.
fn narrows(parameter: &Parameter, value: &Value) -> bool {
    let number = matches!(parameter.ty, ParameterType::Integer | ParameterType::Number);
    !value.is_null() && parameter.default.as_ref() != Some(value) && !(number && parameter.default.is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_filter_counts_where_a_tag_of_the_statement_has_it() {
        let parameters: Parameters = serde_json::from_value(json!({
            "service": {"type": "string", "description": "x"},
            "kind": {"type": "string", "description": "x"},
            "level": {"type": "string", "description": "x", "default": "error"},
            "target_pct": {"type": "number", "description": "x", "default": 99.9},
        }))
        .unwrap();
        let sql = SqlText::Any("SELECT kind FROM t WHERE {% if service %}s = {{ service }}{% endif %}".into());
        let of = |filters: Value| Narrowed::of(&parameters, filters.as_object().unwrap(), &sql);
        let asked = of(json!({"service": "cart", "kind": "x", "level": "error", "target_pct": 99.5}));
        assert_eq!(asked.with(), " with service=cart");
        assert_eq!(asked.ignored().as_deref(), Some("`kind`"), "a column of that name is no filter");
        let asked = of(json!({"service": null, "level": "fatal"}));
        assert_eq!((asked.with().as_str(), asked.ignored().as_deref()), ("", Some("`level`")));
    }
}
