//! `tfo-mcp`: a declarative MCP server engine for observability.
//!
//! ```text
//!  definitions/ personas/ prompts/ (+ packs)                tfo-mcp.yaml + environment + flags
//!         | bytes                                                     |
//!      load ── documents with spans ──> check ── definitions       settings
//!                                        |                            |
//!             schemas/*.json <─ schemars ┘    catalog (immutable) ──> engine
//!                                                                  |       |
//!                                              source/*  <─────────┘       v
//!                                              (the only I/O)           server (the only rmcp)
//!                                                                 stdio, HTTP
//! ```
//!
//! Which module may use which is written down, and tested, in `tests/it/tidy.rs`.

pub mod arithmetic;
pub mod catalog;
pub mod check;
pub mod cli;
pub mod definition;
pub mod demo;
pub mod diagnostic;
pub mod engine;
pub mod host;
pub mod load;
pub mod masking;
pub mod reload;
pub mod server;
pub mod settings;
pub mod source;
pub mod sql;
pub mod telemetry;
pub mod template;
pub mod written;
