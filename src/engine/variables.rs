//! The variables of SQL templates: declared parameters with their types, and the engine's own.

use minijinja::Value;
use serde_json::Map;
use time::OffsetDateTime;

use super::{
    query::lacks_claim,
    sampling::Sampling,
    window::{Baseline, TimeWindow, parsed},
};
use crate::{
    catalog::{Catalog, CompiledSql},
    definition::{Parameter, ParameterType, Parameters},
    source::{SourceError, SourceErrorKind},
    sql::{
        Bind, Dialect, Statement,
        claims::{CLAIMS, Claims},
        rows::ROWS,
        template::{identity, moment, no_items, tenant},
    },
    template::jinja,
};

/// The engine's variables of one statement.
pub struct EngineVariables<'a> {
    pub organization_id: &'a str,
    pub workspace_id: Option<&'a str>,
    pub user_id: Option<&'a str>,
    pub window: TimeWindow,
    /// What it is compared with.
    pub baseline: Baseline,
    /// The window, or more of the time around it where data are looked for that it does not hold.
    pub around: TimeWindow,
    pub now: OffsetDateTime,
    /// One more than is shown, so that a full answer proves that there is more.
    pub limit: usize,
    /// What the caller's credential says of them.
    pub claims: &'a Claims,
    /// The rows of sections that were waited for, where a statement may ask for any.
    pub rows: Option<Value>,
    /// The sample that is read; none for all rows.
    pub sample: Option<&'a Sampling>,
}

/// A statement of a definition with its values, or why it is not run.
pub fn bound(
    catalog: &Catalog,
    dialect: Dialect,
    sql: &CompiledSql,
    parameters: &Parameters,
    arguments: &Map<String, serde_json::Value>,
    engine: &EngineVariables<'_>,
) -> Result<Statement, SourceError> {
    let defect = |message: String| SourceError::new(SourceErrorKind::Failed, message);
    let key = sql.key(dialect).ok_or_else(|| defect(format!("it has no statement for {dialect}")))?;
    let rendered = catalog.sql.render(dialect, key, of_statement(parameters, arguments, engine));
    if let Some(claim) = engine.claims.missing() {
        return Err(lacks_claim(&claim));
    }
    let rendered = rendered.map_err(|error| defect(format!("the statement cannot be built: {error}")))?;
    if sql.tenant && !rendered.binds_tenant {
        return Err(defect("the statement does not bind the organisation and was not run".into()));
    }
    Ok(rendered.statement)
}

/// All variables of a statement. The engine's win over parameters of the same name.
pub fn of_statement(
    parameters: &Parameters,
    arguments: &Map<String, serde_json::Value>,
    engine: &EngineVariables<'_>,
) -> Value {
    let declared = arguments.iter().map(|(name, value)| {
        (name.clone(), parameters.get(name).map_or_else(|| jinja(value), |parameter| typed(parameter, value)))
    });
    let optional = |id: Option<&str>| id.map_or_else(|| Value::from(()), identity);
    let previous = engine.baseline.of(engine.window);
    let own = [
        ("organization_id", tenant(engine.organization_id)),
        ("workspace_id", optional(engine.workspace_id)),
        ("user_id", optional(engine.user_id)),
        ("from", moment(engine.window.from)),
        ("to", moment(engine.window.to)),
        ("prev_from", moment(previous.from)),
        ("prev_to", moment(previous.to)),
        ("around_from", moment(engine.around.from)),
        ("around_to", moment(engine.around.to)),
        ("now", moment(engine.now)),
        ("limit", Value::from(engine.limit)),
        ("sample", engine.sample.map_or_else(|| Value::from(()), |sample| Value::from(sample.of()))),
        ("sample_below", Value::from(engine.sample.and_then(Sampling::below))),
        (CLAIMS, engine.claims.value()),
    ];
    let own = own.into_iter().chain(engine.rows.clone().map(|rows| (ROWS, rows)));
    Value::from_pairs(declared.chain(own.map(|(name, value)| (name.to_owned(), value))))
}

fn typed(parameter: &Parameter, value: &serde_json::Value) -> Value {
    match (parameter.ty, parameter.items, value) {
        (ParameterType::Array, Some(items), serde_json::Value::Array(values)) if values.is_empty() => {
            no_items(match items {
                ParameterType::Integer => Bind::Integer(0),
                ParameterType::Number => Bind::Float(0.0),
                ParameterType::Boolean => Bind::Bool(false),
                ParameterType::Timestamp => Bind::Timestamp(OffsetDateTime::UNIX_EPOCH),
                _ => Bind::Text(String::new()),
            })
        }
        (ParameterType::Array, Some(items), serde_json::Value::Array(values)) => {
            values.iter().map(|value| of_type(items, value)).collect()
        }
        (ty, _, value) => of_type(ty, value),
    }
}

/// A value of a declared type, so that it is bound as that type whatever a client made of it: `5` of a number is 5.0.
fn of_type(ty: ParameterType, value: &serde_json::Value) -> Value {
    match (ty, value.as_str(), value.as_f64()) {
        (ParameterType::Uuid, Some(text), _) => identity(text),
        (ParameterType::Timestamp, Some(text), _) => parsed(text).map_or_else(|| Value::from(text), moment),
        (ParameterType::Number, _, Some(number)) => Value::from(number),
        _ => jinja(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::sql::{Bind, Dialect, template::SqlTemplates};

    #[test]
    fn values_are_bound_as_the_types_of_their_parameters() {
        let id = "00000000-0000-4000-8000-000000000007";
        let uuid = Bind::Uuid(Uuid::parse_str(id).unwrap());
        let at = Bind::Timestamp(datetime!(2026-11-20 10:00 UTC));
        for (declared, value, expected) in [
            (json!({"type": "uuid"}), json!(id), uuid.clone()),
            (json!({"type": "timestamp"}), json!("2026-11-20T10:00:00Z"), at.clone()),
            (json!({"type": "number"}), json!(5), Bind::Float(5.0)),
            (json!({"type": "integer"}), json!(5), Bind::Integer(5)),
            (json!({"type": "boolean"}), json!(true), Bind::Bool(true)),
            (json!({"type": "string"}), json!(id), Bind::Text(id.into())),
            (json!({"type": "uuid"}), json!(null), Bind::Null),
            (json!({"type": "array", "items": "uuid"}), json!([id]), Bind::List(vec![uuid])),
            (json!({"type": "array", "items": "timestamp"}), json!(["2026-11-20T10:00:00Z"]), Bind::List(vec![at])),
            (
                json!({"type": "array", "items": "number"}),
                json!([1, 2.5]),
                Bind::List(vec![Bind::Float(1.0), Bind::Float(2.5)]),
            ),
            (json!({"type": "array", "items": "string"}), json!([id]), Bind::List(vec![Bind::Text(id.into())])),
        ] {
            let parameter: Parameter = serde_json::from_value(declared.clone()).unwrap();
            let mut templates = SqlTemplates::default();
            templates.add(Dialect::Postgres, "q", "{{ x }}").unwrap();
            let variables = Value::from_pairs([("x", typed(&parameter, &value))]);
            let rendered = templates.render(Dialect::Postgres, "q", variables).unwrap();
            assert_eq!(rendered.statement.binds, [expected], "{declared} {value}");
        }
    }

    #[test]
    fn an_empty_list_has_the_type_of_its_items() {
        for (items, expected) in [
            ("integer", "Int64"),
            ("number", "Float64"),
            ("boolean", "Bool"),
            ("timestamp", "DateTime64(9, 'UTC')"),
            ("string", "String"),
            ("uuid", "String"),
        ] {
            let parameter: Parameter = serde_json::from_value(json!({"type": "array", "items": items})).unwrap();
            let mut templates = SqlTemplates::default();
            let text = "{{ x }}{% if x %} and more{% endif %}{% for one in x %}{{ one }}{% endfor %} {{ x | length }}";
            templates.add(Dialect::ClickHouse, "q", text).unwrap();
            let variables = Value::from_pairs([("x", typed(&parameter, &json!([])))]);
            let statement = templates.render(Dialect::ClickHouse, "q", variables).unwrap().statement;
            assert_eq!(statement.sql, format!("{{p1:Array({expected})}} {{p2:Int64}}"));
            assert_eq!(statement.binds, [Bind::List(Vec::new()), Bind::Integer(0)]);
        }
    }
}
