//! Shared set-up of the integration tests: services, folders, clients.

pub mod pack;
pub mod scripted;
pub mod postgres;
