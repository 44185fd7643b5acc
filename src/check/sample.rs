//! Values for parameters, so that a statement can be rendered and read as the database would see it.

use std::cell::RefCell;

use minijinja::Value;
use time::OffsetDateTime;

use super::statements::StatementSite;
use crate::{
    definition::{ParameterType, SAMPLE_ID},
    sql::{
        Dialect,
        claims::{CLAIMS, Claims},
        rows::{ROWS, sample_rows},
        template::{SqlTemplates, TemplateError, identity, moment, tenant},
    },
    template::jinja,
};

/// The statement without optional parameters, and with all of them.
pub(super) fn render(site: &StatementSite<'_>, dialect: Dialect) -> Vec<Result<String, TemplateError>> {
    thread_local! {
        /// Made once: an environment with its filters costs more than rendering a statement.
        static TEMPLATES: RefCell<SqlTemplates> = RefCell::default();
    }
    TEMPLATES.with_borrow_mut(|templates| {
        if let Err(error) = templates.add(dialect, "statement", site.text) {
            return vec![Err(error)];
        }
        let variants: &[bool] = if site.text.contains("{%") { &[false, true] } else { &[true] };
        let render = |filled| Ok(templates.render(dialect, "statement", variables(site, filled))?.statement.sql);
        variants.iter().map(|filled| render(*filled)).collect()
    })
}

fn variables(site: &StatementSite<'_>, filled: bool) -> Value {
    let optional = || if filled { identity(SAMPLE_ID) } else { Value::from(()) };
    let at = moment(OffsetDateTime::UNIX_EPOCH);
    let engine = [
        (CLAIMS, Claims::sample().value()),
        ("organization_id", tenant(SAMPLE_ID)),
        ("workspace_id", optional()),
        ("user_id", optional()),
        ("from", at.clone()),
        ("to", at.clone()),
        ("prev_from", at.clone()),
        ("prev_to", at.clone()),
        ("around_from", at.clone()),
        ("around_to", at.clone()),
        ("now", at),
        ("limit", Value::from(2)),
        ("sample", if filled { Value::from(16) } else { Value::from(()) }),
        ("sample_below", if filled { Value::from("1") } else { Value::from(()) }),
    ];
    let declared = site
        .parameters
        .iter()
        .map(|(name, parameter)| (name.clone(), typed(parameter.ty, parameter.items, &parameter.sample(filled))));
    let others = site.names.iter().map(|name| (name.clone(), Value::from("x")));
    let engine = engine.into_iter().chain(sample_rows(site.after, !filled).map(|rows| (ROWS, rows)));
    Value::from_pairs(declared.chain(others).chain(engine.map(|(name, value)| (name.to_owned(), value))))
}

/// As the engine types the value of a call, whatever a default says: that it says what it should is another rule.
fn typed(ty: ParameterType, items: Option<ParameterType>, value: &serde_json::Value) -> Value {
    match (ty, items, value) {
        (_, _, serde_json::Value::Null) => Value::from(()),
        (ParameterType::Array, Some(items), serde_json::Value::Array(values)) => {
            values.iter().map(|value| typed(items, None, value)).collect()
        }
        (ParameterType::Timestamp, ..) => moment(OffsetDateTime::UNIX_EPOCH),
        (ParameterType::Uuid, ..) => identity(SAMPLE_ID),
        _ => jinja(value),
    }
}
