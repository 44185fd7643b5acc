//! The demo: schema, generator, scenarios.
