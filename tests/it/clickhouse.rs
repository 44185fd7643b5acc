//! ClickHouse as a source, against a real server: the embedded one.

mod embedded;
mod install;
mod limits;
mod tenants;
mod values;
