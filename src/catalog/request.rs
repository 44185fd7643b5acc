//! A request over HTTP with its texts compiled, each where it stands.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::action::{Place, Text};
use crate::definition::{
    Action, HttpColumn, HttpFailure, HttpJson, HttpMethod, HttpNote, HttpShape, HttpValue, Output, RowsPointer,
};

/// A request, and where the rows are in its answer.
pub struct CompiledRequest {
    pub service: String,
    pub method: HttpMethod,
    /// The parts of the path.
    pub path: Vec<Text>,
    pub query: Vec<(String, RequestValue)>,
    pub headers: Vec<(String, Text)>,
    pub json: Option<RequestJson>,
    pub form: Option<Vec<(String, RequestValue)>>,
    pub rows: RowsPointer,
    pub columns: IndexMap<String, HttpColumn>,
    pub shapes: Vec<HttpShape>,
    /// Where it says that it failed.
    pub fails: Vec<HttpFailure>,
    /// Where the service says something beside the rows.
    pub notes: Vec<HttpNote>,
    pub output: Output,
}

/// What stands behind a name of a query or a form.
pub enum RequestValue {
    One(Text),
    /// A JSON array of texts.
    Each(Text),
}

/// A body in JSON.
pub enum RequestJson {
    Value(Value),
    Text(Text),
    /// The value of a parameter, as it came.
    Parameter(String),
    List(Vec<RequestJson>),
    Object(Vec<(String, RequestJson)>),
}

impl Place<'_, '_, '_> {
    /// None for what is no request.
    pub(super) fn request(&mut self, key: &str, action: &Action) -> Option<CompiledRequest> {
        let Action::HttpRequest {
            service,
            method,
            path,
            query,
            headers,
            json,
            form,
            rows,
            columns,
            shapes,
            fails,
            notes,
            output,
        } = action
        else {
            return None;
        };
        let path = path.parts().enumerate().map(|(n, part)| self.part(&format!("{key}/path/{n}"), part)).collect();
        let query = self.values(&format!("{key}/query"), query);
        let headers =
            headers.iter().map(|(name, text)| (name.clone(), self.part(&format!("{key}/headers/{name}"), text)));
        Some(CompiledRequest {
            service: service.0.clone(),
            method: *method,
            path,
            query,
            headers: headers.collect(),
            json: json.as_ref().map(|HttpJson(value)| self.json(&format!("{key}/json"), value)),
            form: form.as_ref().map(|form| self.values(&format!("{key}/form"), form)),
            rows: rows.clone(),
            columns: columns.clone(),
            shapes: shapes.clone(),
            fails: fails.clone(),
            notes: notes.clone(),
            output: output.clone(),
        })
    }

    /// A text of which a parameter that is not given leaves nothing, where it stands alone.
    fn part(&mut self, key: &str, text: &str) -> Text {
        match HttpJson::parameter(text) {
            Some(name) => self.text(key, &format!("{{{{ '' if {name} is none else {name} }}}}")),
            None => self.text(key, text),
        }
    }

    fn values(&mut self, key: &str, values: &IndexMap<String, HttpValue>) -> Vec<(String, RequestValue)> {
        let compiled = values.iter().map(|(name, value)| {
            let (_, text) = value.text();
            let text = self.part(&format!("{key}/{name}"), text);
            let value = match value {
                HttpValue::One(_) => RequestValue::One(text),
                HttpValue::Each(_) => RequestValue::Each(text),
            };
            (name.clone(), value)
        });
        compiled.collect()
    }

    fn json(&mut self, key: &str, value: &Value) -> RequestJson {
        match value {
            Value::String(text) => match HttpJson::parameter(text) {
                Some(name) => RequestJson::Parameter(name.to_owned()),
                None => RequestJson::Text(self.text(key, text)),
            },
            Value::Array(items) => RequestJson::List(
                items.iter().enumerate().map(|(n, item)| self.json(&format!("{key}/{n}"), item)).collect(),
            ),
            Value::Object(members) => RequestJson::Object(self.members(key, members)),
            Value::Null | Value::Bool(_) | Value::Number(_) => RequestJson::Value(value.clone()),
        }
    }

    fn members(&mut self, key: &str, members: &Map<String, Value>) -> Vec<(String, RequestJson)> {
        members.iter().map(|(name, item)| (name.clone(), self.json(&format!("{key}/{name}"), item))).collect()
    }
}
