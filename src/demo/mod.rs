//! The demo: the platform's schema, and believable telemetry to fill it with.
//!
//! `world` says who exists and who calls whom, `scenario` what goes wrong, `generate` turns both into batches of
//! raw events, `oracle` computes exact answers from those events, and `load` stores them. Everything is a pure
//! function of a seed, an end time, a scale and a scenario, so that tests can compare any answer with the oracle's.

pub mod canary;
mod control_plane;
pub mod databases;
pub mod effect;
pub mod event;
pub mod fleet;
mod forecast;
pub mod generate;
pub mod incident;
pub mod infrastructure;
pub mod inventory;
mod library;
pub mod load;
pub mod network;
pub mod offset;
pub mod oracle;
pub mod people;
pub mod platform;
pub mod random;
pub mod rowbinary;
pub mod scenario;
pub mod schema;
mod signals;
pub mod spending;
mod trace;
pub mod world;
mod world_file;

pub use generate::{Generator, Plan};
pub use scenario::Scenario;
