//! Text templates and expressions.
