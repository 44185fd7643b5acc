//! Tracing of the server itself.
