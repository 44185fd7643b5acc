//! ClickHouse as a source, against a real server: the embedded one.

mod limits;
mod tenants;
mod values;
