//! The host that this server runs on, for actions: its files, commands, how it is, and the services that it may ask over HTTP.
//! The only module that may touch files and processes for callers and speak HTTP for definitions.
//!
//! Knows nothing of definitions, protocols or callers: it is given what a call wants and answers with plain values.

pub mod commands;
pub mod files;
mod folders;
mod further;
pub mod http;
mod own;
pub mod system;

pub use folders::ClientFolders;
