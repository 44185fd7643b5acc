//! The host that this server runs on, for actions: files today. The only module that may touch files for callers.
//!
//! Knows nothing of definitions, protocols or callers: it is given what a call wants and answers with plain values.

pub mod files;
