//! Values for parameters, so that a statement can be rendered and read as the database would see it.

use std::cell::RefCell;

use minijinja::Value;
use time::OffsetDateTime;

use super::statements::StatementSite;
use crate::{
    definition::{Parameter, ParameterType},
    sql::{
        Dialect,
        claims::{CLAIMS, Claims},
        rows::{ROWS, sample_rows},
        template::{SqlTemplates, TemplateError, identity, moment, tenant},
    },
    template::jinja,
};

const UUID: &str = "00000000-0000-4000-8000-000000000000";

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
    let optional = || if filled { identity(UUID) } else { Value::from(()) };
    let at = moment(OffsetDateTime::UNIX_EPOCH);
    let engine = [
        (CLAIMS, Claims::sample().value()),
        ("organization_id", tenant(UUID)),
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
    ];
    let declared = site.parameters.iter().map(|(name, parameter)| (name.clone(), value(parameter, filled)));
    let others = site.names.iter().map(|name| (name.clone(), Value::from("x")));
    let engine = engine.into_iter().chain(sample_rows(site.after, !filled).map(|rows| (ROWS, rows)));
    Value::from_pairs(declared.chain(others).chain(engine.map(|(name, value)| (name.to_owned(), value))))
}

fn value(parameter: &Parameter, filled: bool) -> Value {
    if let Some(default) = &parameter.default {
        return typed(parameter.ty, jinja(default));
    }
    if !filled && !parameter.required {
        return Value::from(());
    }
    if let Some(first) = parameter.choices.as_ref().and_then(|choices| choices.first()) {
        return typed(parameter.ty, jinja(first));
    }
    match (parameter.ty, parameter.items) {
        (ParameterType::Array, Some(items)) => Value::from(vec![of_type(items)]),
        (ty, _) => of_type(ty),
    }
}

fn of_type(ty: ParameterType) -> Value {
    match ty {
        ParameterType::String | ParameterType::TimeRange => Value::from("x"),
        ParameterType::Integer => Value::from(1),
        ParameterType::Number => Value::from(1.5),
        ParameterType::Boolean => Value::from(true),
        ParameterType::Array => Value::from(vec!["x"]),
        ParameterType::Object => Value::from_pairs([("x", 1)]),
        ParameterType::Timestamp => moment(OffsetDateTime::UNIX_EPOCH),
        ParameterType::Uuid => identity(UUID),
    }
}

fn typed(ty: ParameterType, value: Value) -> Value {
    match ty {
        ParameterType::Timestamp => moment(OffsetDateTime::UNIX_EPOCH),
        ParameterType::Uuid => identity(UUID),
        _ => value,
    }
}
