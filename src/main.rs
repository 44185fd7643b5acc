//! The program: everything is in the library.

/// Checking a large catalogue and rendering big answers are mostly small allocations on several threads: a quarter of
/// the CPU time less than with the system's allocator. Without huge pages, which would double an idle server's memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    // The child that serves the embedded ClickHouse starts before anything else is set up.
    if arguments.next_if(|first| first == tfo_mcp::source::embedded::SUBCOMMAND).is_some() {
        return tfo_mcp::source::embedded::run_child(arguments);
    }
    // And the one that keeps a command.
    if arguments.next_if(|first| first == tfo_mcp::host::commands::SUBCOMMAND).is_some() {
        return tfo_mcp::host::commands::run_keeper(arguments);
    }
    tfo_mcp::cli::run(std::env::args_os())
}
