//! The one integration-test binary. A module an area; shared set-up in `support`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

mod access;
mod answers;
mod audit;
mod caller;
mod check;
mod check_packs;
mod cli;
mod cli_demo;
mod clickhouse;
mod conformance;
mod context;
mod definitions;
mod demo;
mod demo_load;
mod identity;
mod http;
mod http_held;
mod http_sse;
mod inspector;
mod paging;
mod interaction;
mod postgres;
mod prompts;
mod reload;
mod proof;
mod protocol;
mod protocol_ends;
mod protocol_over_http;
mod protocol_questions;
mod protocol_tasks;
mod protocol_told;
mod settings;
mod sqlite;
mod text;
mod tidy;
mod tour;
mod transcripts;
mod trust;
mod turns;
