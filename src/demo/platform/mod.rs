//! Rows of the relational tables: organisations and their people, alerts, inventory, objectives, changes.
//!
//! The same rows go to PostgreSQL and to SQLite. Tables come in an order in which every foreign key finds its row.

mod access;
mod account;
mod alerting;
mod databases;
mod findings;
mod identity;
mod keys;
mod kubernetes;
mod objects;
mod plans;
mod reports;
mod security;
mod settings;
mod status;
mod topology;
mod troubled;
mod upkeep;

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{fleet::Fleet, generate::Generator, infrastructure::Estate, offset::HOUR};
use crate::sql::Bind;

pub use access::permission_id;
pub use alerting::{AlertFacts, alerts};
pub use plans::plan_id;

/// Stands in every secret column, followed by the column's name. No answer may ever hold it.
pub const SECRET_CANARY: &str = "tfo-canary-secret";

/// Rows of one table.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: &'static str,
    pub columns: Vec<&'static str>,
    /// One value per column.
    pub rows: Vec<Vec<Bind>>,
}

impl Table {
    /// `columns` are names separated by spaces.
    fn new(name: &'static str, columns: &'static str) -> Self {
        Self { name, columns: columns.split_whitespace().collect(), rows: Vec::new() }
    }

    fn push<const N: usize>(&mut self, values: [Bind; N]) {
        self.rows.push(values.into());
    }
}

/// All tables.
pub fn tables(generator: &Generator) -> Vec<Table> {
    let mut tables = identity::tables(generator);
    tables.extend(alerting::tables(generator));
    tables.extend(kubernetes::tables(generator));
    tables.extend(objects::tables(generator));
    tables.extend(topology::tables(generator));
    tables.extend(status::tables(generator));
    tables.extend(settings::tables(generator));
    tables.extend(security::tables(generator));
    tables.extend(databases::tables(generator));
    tables.extend(account::tables(generator));
    tables.extend(plans::tables(generator));
    tables.extend(reports::tables(generator));
    tables.extend(findings::tables(generator));
    tables.extend(upkeep::tables(generator));
    tables
}

/// What a builder of rows is given for each organisation.
struct Place<'g> {
    generator: &'g Generator,
    fleet: &'g Fleet,
    estate: &'g Estate,
}

impl<'g> Place<'g> {
    fn all(generator: &'g Generator) -> impl Iterator<Item = Place<'g>> {
        generator.fleets().iter().map(move |(fleet, estate)| Place { generator, fleet, estate })
    }

    fn organization(&self) -> Bind {
        Bind::Uuid(self.fleet.organization.id)
    }

    fn workspace(&self) -> Bind {
        Bind::Uuid(self.fleet.organization.spec.workspace)
    }

    fn id(&self, kind: &str, name: &str) -> Uuid {
        super::fleet::stable_id(self.fleet.organization, kind, name)
    }

    /// When things that have always been there were made.
    fn founded(&self) -> Bind {
        at(self.generator.end() - 400 * 24 * HOUR)
    }

    fn end(&self) -> Bind {
        at(self.generator.end())
    }
}

fn text(value: &str) -> Bind {
    Bind::Text(value.to_owned())
}

fn secret(column: &str) -> Bind {
    Bind::Text(format!("{SECRET_CANARY}-{column}"))
}

fn uuid(value: Uuid) -> Bind {
    Bind::Uuid(value)
}

fn json(value: Value) -> Bind {
    Bind::Text(value.to_string())
}

fn integer(value: impl Into<i64>) -> Bind {
    Bind::Integer(value.into())
}

/// A moment in nanoseconds since 1970, cut to milliseconds.
fn at(nanos: i64) -> Bind {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanos / 1_000_000 * 1_000_000));
    moment.map_or(Bind::Null, Bind::Timestamp)
}
