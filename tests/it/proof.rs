//! Proofs at scale: what must hold for every one of many thousand messages, calls, edits.

mod balancer;
mod conditions;
mod editing;
mod foreign;
mod fuzz;
mod load;
mod mutation;
mod references;
mod tenants;
