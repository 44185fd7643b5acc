//! ClickHouse as a source, against a real server: the embedded one.

mod bounds;
mod embedded;
mod install;
mod limits;
mod organisations;
mod rollups;
mod tenants;
mod values;
