//! The compiled form of all definitions.
