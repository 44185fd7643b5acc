//! Queries: SQL templates whose `{{ }}` always binds, and the alternatives among which the engine picks.

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Name, Period};
use crate::sql::template::mentions_any;

/// One way to answer a query. The engine takes the first whose `requires` and `span` fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// Tables (`traces`) or columns (`traces.duration_ns`) that must exist in the bound source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Lengths of the asked window for which this alternative is meant, such as a rollup for long ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Width of the buckets of a rollup. `from` is moved down to a bucket's start before the query runs,
    /// and the answer states that effective window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub align: Option<Period>,
    /// A sentence that is shown with the rows, such as how a value was computed without its own table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why the statement does not bind `organization_id`, for tables that hold no tenant's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Tenant>,
    /// Why tables whose rows belong to workspaces are read without `workspace_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Workspace>,
    /// That it may be read from a sample of whole traces, and when. Default: always all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampled: Option<Sampled>,
    /// That it reads what was added up beforehand, and how that is proved to be whole. Such an alternative is taken in place
    /// of a sample. Default: it reads the rows themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// The statement: one text for all backends of the source, or a text per SQL dialect.
    pub sql: SqlText,
}

impl Alternative {
    /// A statement that needs and says nothing else.
    pub fn of(sql: SqlText) -> Self {
        Self {
            requires: Vec::new(),
            span: None,
            align: None,
            note: None,
            tenant: None,
            workspace: None,
            sampled: None,
            kept: None,
            sql,
        }
    }

    /// Of something with a list of ways, `query`: that the fields of its only way may stand in it instead.
    pub(super) fn or_one_way(schema: &mut Schema) {
        const FIELDS: [&str; 9] =
            ["requires", "span", "align", "note", "tenant", "workspace", "sampled", "kept", "sql"];
        let own =
            |field: &str| (field.to_owned(), json!({ "$ref": format!("#/$defs/Alternative/properties/{field}") }));
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.extend(FIELDS.into_iter().map(own));
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|field| field != "query");
        }
        schema.insert("if".to_owned(), json!({ "not": { "required": ["sql"] } }));
        schema.insert("then".to_owned(), json!({ "required": ["query"] }));
        schema.insert("else".to_owned(), json!({ "properties": { "query": false } }));
    }
}

/// Sums that were kept, such as those of each minute, instead of the rows that they were made of. They are read where these are
/// more than an earlier alternative reads all of, and only where they are proved to be whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// A fragment that selects one row, `holds`, `rows` and `said`: whether the sums are whole for the window, of how many rows
    /// they are, by which is decided whether all of these are read instead, and the sentence about them that is shown with the
    /// rows, or with those of the sample that is read instead of them.
    pub proof: Name,
    /// Most rows of which all are read instead. Default: as many as where no sums are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<u64>,
    /// The statement of the proof, once its fragments are written in.
    #[serde(skip)]
    pub sql: Option<SqlText>,
}

/// When a statement is read from a sample: it leaves rows out by a condition on `sample` and `sample_below`, and multiplies
/// what it counts by `sample`. The section then says which share was read and how exact that is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sampled {
    /// A fragment, `SELECT … AS part, count() AS number … GROUP BY part`, that counts the rows through which the statement
    /// goes, by parts of which each should be sampled alike, such as services. It has the same condition.
    pub weigh: Name,
    /// A fragment that counts the same by sums that were kept, and answers nothing where these are not whole. It is asked first
    /// where the tables are there that it `requires`. Default: rows are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sums: Option<Name>,
    /// The statement of `sums`, once its fragments are written in.
    #[serde(skip)]
    pub summed: Option<Summed>,
    /// Most rows of which all are read.
    pub above: u64,
    /// The statement that counts, once its fragments are written in.
    #[serde(skip)]
    pub sql: Option<SqlText>,
}

/// What counts rows by sums, and the tables that it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Summed {
    pub requires: Vec<String>,
    pub sql: SqlText,
}

/// Lengths of the asked window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Windows at least this long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Period>,
    /// Windows at most this long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Period>,
}

/// Declares that a statement needs no `organization_id`, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// The reason why no tenant's rows can be read, such as `server constants only`.
    pub none: String,
}

/// Declares that a statement means rows of all workspaces, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workspace {
    /// The reason why rows of other workspaces count, such as `a host serves all of them`.
    pub none: String,
}

/// A SQL template. `{{ value }}` becomes a bound parameter, never text; an identifier from a list of
/// choices is spliced with `{{ column | ident }}`.
///
/// Besides the declared parameters these are set: `organization_id`, `workspace_id`, `user_id`, `from`,
/// `to`, `prev_from`, `prev_to` (the same-length window before), `around_from`, `around_to` (the window, and in
/// sections that tell where the data lie more and more of the time around it), `now` and `limit`. Where one trace in so
/// many is read, `sample` is that number, and `sample_below` a text below which the ids of these traces are, if that is how
/// they are chosen. Timestamps take the filters `floor('1h')` and `minus('5m')`. `claims.name` is a claim of the caller's credential; a call whose
/// credential lacks it is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SqlText {
    /// One text for every dialect.
    Any(String),
    /// A text per dialect: `clickhouse`, `postgres`, `sqlite`.
    PerDialect(IndexMap<String, String>),
}

impl SqlText {
    /// Whether it binds an end of a window.
    pub fn is_of_window(&self) -> bool {
        const ENDS: [&str; 6] = ["from", "to", "prev_from", "prev_to", "around_from", "around_to"];
        self.texts().any(|text| mentions_any(text, &ENDS))
    }

    /// Whether it binds a variable.
    pub fn mentions(&self, variable: &str) -> bool {
        self.texts().any(|text| mentions_any(text, &[variable]))
    }

    /// Its text, or that of each dialect.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let (one, several) = match self {
            Self::Any(text) => (Some(text), None),
            Self::PerDialect(texts) => (None, Some(texts.values())),
        };
        one.into_iter().chain(several.into_iter().flatten()).map(String::as_str)
    }
}

impl JsonSchema for SqlText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SqlText".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let dialect = |name: &str| serde_json::json!({ "type": "string", "description": format!("The statement in the SQL of {name}.") });
        json_schema!({
            "description": "A SQL template: one text for all backends, or one per dialect. Every {{ value }} becomes a bound parameter, never text. PostgreSQL and SQLite share more than it seems: both know the collation \"C\", and `labels->>'name'`.",
            "type": ["string", "object"],
            "properties": {
                "clickhouse": dialect("ClickHouse"),
                "postgres": dialect("PostgreSQL"),
                "sqlite": dialect("SQLite"),
            },
            "additionalProperties": false,
            "minProperties": 1,
        })
    }
}
