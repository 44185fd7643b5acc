//! What the generator emitted for the first organisation, in memory: batches of events as they are, and the rows of the
//! relational tables by the names of their columns.

use std::{collections::HashMap, sync::OnceLock};

use serde_json::Value;
use tfo_mcp::{
    demo::{
        Generator,
        event::{Batch, Log, Span},
        platform,
        world::Organization,
    },
    sql::Bind,
};

use crate::answers::generator;

pub struct Records {
    generator: Generator,
    pub batches: Vec<Batch>,
    tables: HashMap<&'static str, Vec<Line>>,
}

/// The records, made once for all tests.
pub fn records() -> &'static Records {
    static RECORDS: OnceLock<Records> = OnceLock::new();
    RECORDS.get_or_init(|| {
        let generator = generator();
        let own = generator.units().filter(|unit| unit.organization == 0);
        let batches = own.filter_map(|unit| generator.batch(unit)).collect();
        let mut tables: HashMap<&'static str, Vec<Line>> = HashMap::new();
        for table in platform::tables(&generator) {
            let lines = tables.entry(table.name).or_default();
            lines.extend(table.rows.into_iter().map(|row| Line(table.columns.iter().copied().zip(row).collect())));
        }
        Records { generator, batches, tables }
    })
}

impl Records {
    pub fn end(&self) -> i64 {
        self.generator.end()
    }

    pub fn generator(&self) -> &Generator {
        &self.generator
    }

    pub fn organization(&self) -> &'static Organization {
        &self.generator.world.organizations[0]
    }

    /// Rows of all organisations.
    pub fn all(&self, table: &str) -> impl Iterator<Item = &Line> {
        self.tables.get(table).unwrap_or_else(|| panic!("no records of {table}")).iter()
    }

    /// Own rows that are not deleted.
    pub fn kept(&self, table: &str) -> impl Iterator<Item = &Line> {
        let own = self.organization().id_text.as_str();
        self.all(table).filter(move |line| line.text("organization_id") == own && line.moment("deleted_at").is_none())
    }

    /// The own row with an id.
    pub fn named(&self, table: &str, id: &str) -> Option<&Line> {
        self.all(table).find(|line| line.text("id") == id)
    }

    pub fn spans(&self) -> impl Iterator<Item = &Span> {
        self.batches.iter().flat_map(|batch| &batch.spans)
    }

    pub fn logs(&self) -> impl Iterator<Item = &Log> {
        self.batches.iter().flat_map(|batch| &batch.logs)
    }
}

/// A row of a relational table.
#[derive(Debug)]
pub struct Line(HashMap<&'static str, Bind>);

impl Line {
    /// As text; empty where it is NULL or no column.
    pub fn text(&self, column: &str) -> String {
        match self.0.get(column) {
            Some(Bind::Text(text)) => text.clone(),
            Some(Bind::Uuid(id)) => id.to_string(),
            _ => String::new(),
        }
    }

    /// As a key of rows is compared.
    pub fn key(&self, column: &str) -> String {
        match self.0.get(column) {
            Some(Bind::Integer(number)) => number.to_string(),
            _ => self.text(column),
        }
    }

    pub fn number(&self, column: &str) -> Option<f64> {
        match self.0.get(column)? {
            Bind::Integer(number) => Some(*number as f64),
            Bind::Float(number) => Some(*number),
            Bind::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub fn is(&self, column: &str) -> bool {
        matches!(self.0.get(column), Some(Bind::Bool(true)))
    }

    /// Nanoseconds since 1970.
    pub fn moment(&self, column: &str) -> Option<i64> {
        let Bind::Timestamp(moment) = self.0.get(column)? else { return None };
        Some(moment.unix_timestamp_nanos() as i64)
    }

    pub fn json(&self, column: &str) -> Value {
        serde_json::from_str(&self.text(column)).unwrap_or(Value::Null)
    }
}
