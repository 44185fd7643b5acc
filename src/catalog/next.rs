//! The texts of next steps, compiled.

use super::texts::Texts;
use crate::{
    definition::{Kind, Next},
    template::Flavour,
};

/// Keys of a next step's templates.
pub struct NextKeys {
    pub when: Option<String>,
    /// By the name of the filter.
    pub filters: Vec<(String, String)>,
    pub around: Option<String>,
    pub why: String,
}

/// The keys of the steps of a context type, in order.
pub(super) fn keys(texts: &mut impl Texts, name: &str, steps: &[Next]) -> Vec<NextKeys> {
    let mut compiled = Vec::with_capacity(steps.len());
    for (i, step) in steps.iter().enumerate() {
        let key = |part: &str| format!("context/{name}/next/{i}/{part}");
        let when = step.when.as_ref().map(|expression| {
            texts.condition(Kind::Context, name, &key("when"), expression);
            key("when")
        });
        let mut plain = |part: &str, text: &str| {
            texts.text(Flavour::Plain, Kind::Context, name, &key(part), text);
            key(part)
        };
        let filters = step.filters.iter();
        let filters = filters.map(|(filter, text)| (filter.clone(), plain(&format!("filters/{filter}"), text)));
        let filters = filters.collect();
        let around = step.around.as_ref().map(|text| plain("around", text));
        texts.text(Flavour::Evidence, Kind::Context, name, &key("why"), &step.why);
        compiled.push(NextKeys { when, filters, around, why: key("why") });
    }
    compiled
}
