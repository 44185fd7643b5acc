//! The host that this server runs on, for actions: its files, commands, and how it is. The only module that may touch files
//! and processes for callers.
//!
//! Knows nothing of definitions, protocols or callers: it is given what a call wants and answers with plain values.

pub mod commands;
pub mod files;
pub mod system;
