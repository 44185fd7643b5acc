//! The demo: the platform's schema, and believable telemetry to fill it with.
//!
//! `schema` holds the tables in three dialects. Everything is a pure function of a seed, an end time, a scale and
//! an incident scenario, so that tests can compute every answer from the same events.

pub mod schema;
