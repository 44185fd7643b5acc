//! The tenant guard: what a caller's SQL may say, and the rewriting that shows it only its organisation's rows.
