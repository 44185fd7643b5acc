//! The variables of SQL templates: declared parameters with their types, and the engine's own.

use minijinja::Value;
use serde_json::Map;
use time::OffsetDateTime;

use super::window::TimeWindow;
use crate::{
    definition::{ParameterType, Parameters},
    sql::{
        claims::{CLAIMS, Claims},
        template::{identity, moment, tenant},
    },
    template::jinja,
};

/// The engine's variables of one statement.
pub struct EngineVariables<'a> {
    pub organization_id: &'a str,
    pub workspace_id: Option<&'a str>,
    pub user_id: Option<&'a str>,
    pub window: TimeWindow,
    pub now: OffsetDateTime,
    /// One more than is shown, so that a full answer proves that there is more.
    pub limit: usize,
    /// What the caller's credential says of them.
    pub claims: &'a Claims,
}

/// All variables of a statement. The engine's win over parameters of the same name.
pub fn of_statement(
    parameters: &Parameters,
    arguments: &Map<String, serde_json::Value>,
    engine: &EngineVariables<'_>,
) -> Value {
    let declared = arguments.iter().map(|(name, value)| {
        let ty = parameters.get(name).map(|parameter| parameter.ty);
        (name.clone(), typed(ty, value))
    });
    let optional = |id: Option<&str>| id.map_or_else(|| Value::from(()), identity);
    let previous = engine.window.previous();
    let own = [
        ("organization_id", tenant(engine.organization_id)),
        ("workspace_id", optional(engine.workspace_id)),
        ("user_id", optional(engine.user_id)),
        ("from", moment(engine.window.from)),
        ("to", moment(engine.window.to)),
        ("prev_from", moment(previous.from)),
        ("prev_to", moment(previous.to)),
        ("now", moment(engine.now)),
        ("limit", Value::from(engine.limit)),
        (CLAIMS, engine.claims.value()),
    ];
    Value::from_pairs(declared.chain(own.map(|(name, value)| (name.to_owned(), value))))
}

fn typed(ty: Option<ParameterType>, value: &serde_json::Value) -> Value {
    match (ty, value.as_str()) {
        (Some(ParameterType::Uuid), Some(text)) => identity(text),
        (Some(ParameterType::Timestamp), Some(text)) => {
            super::arguments::timestamp(text).map_or_else(|_| Value::from(text), moment)
        }
        _ => jinja(value),
    }
}
