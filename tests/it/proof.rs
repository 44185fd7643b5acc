//! Proofs at scale: what must hold for every one of many thousand messages, calls, edits.

mod fuzz;
mod mutation;
