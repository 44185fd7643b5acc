//! Shared set-up of the integration tests: services, folders, clients.

pub mod clickhouse;
pub mod client;
pub mod double;
pub mod eventually;
pub mod generated;
pub mod http;
pub mod key;
pub mod node;
pub mod pack;
pub mod pooler;
pub mod postgres;
pub mod python;
pub mod recorded;
pub mod scripted;
pub mod scripted_client;
pub mod served;
