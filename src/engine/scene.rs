//! What the rules of a context see of its document.

use minijinja::context;
use serde_json::Value;

use super::{
    document::{Document, SectionAnswer},
    wanted::Wanted,
};
use crate::{
    catalog::{Catalog, HighlightKeys},
    template::{jinja, wording},
};

/// The variables of rules and summaries.
pub(super) struct Scene {
    pub sections: minijinja::Value,
    pub window: minijinja::Value,
    pub parameters: minijinja::Value,
}

impl Scene {
    pub fn of(document: &Document, wanted: &Wanted<'_>) -> Self {
        let value = document.to_value();
        Self {
            sections: sections(document, &value),
            window: window(wanted, value.get("window")),
            parameters: jinja(&wanted.filters),
        }
    }

    /// The variables of a rule about `row`.
    pub fn around(&self, row: &minijinja::Value) -> minijinja::Value {
        context! { row, sections => &self.sections, window => &self.window, parameters => &self.parameters }
    }

    /// Whether a rule says something of `row`.
    pub fn fires(&self, catalog: &Catalog, keys: &HighlightKeys, row: &minijinja::Value) -> bool {
        catalog.templates.holds(&keys.when, self.around(row)).unwrap_or(false)
    }
}

/// Records as the rules of definitions see them.
pub(super) fn values(records: serde_json::Value) -> Vec<minijinja::Value> {
    jinja(records).try_iter().map(Iterator::collect).unwrap_or_default()
}

/// The sections as sentences see them.
fn sections(document: &Document, value: &Value) -> minijinja::Value {
    let section = |section: &SectionAnswer| {
        let answered = value.get("sections").and_then(|sections| sections.get(&section.name)?.as_object());
        let answered = answered.into_iter().flatten().map(|(name, value)| (name.clone(), jinja(value)));
        let filtered = wording(section.narrowed.with());
        let all = answered.filter(|(name, _)| name != FILTERED).chain([(FILTERED.to_owned(), filtered)]);
        (section.name.clone(), minijinja::Value::from_pairs(all))
    };
    minijinja::Value::from_pairs(document.sections.iter().map(section))
}

/// The window as sentences see it, with what it is compared with.
fn window(wanted: &Wanted<'_>, told: Option<&Value>) -> minijinja::Value {
    let told = told.and_then(Value::as_object).into_iter().flatten().map(|(name, value)| (name.clone(), jinja(value)));
    let before = wording(wanted.baseline.called());
    minijinja::Value::from_pairs(told.chain([("before".to_owned(), before)]))
}

/// What a section was narrowed by: our own words around values that are clean already.
const FILTERED: &str = "filtered";
