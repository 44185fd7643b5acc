//! The program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    // The child that serves the embedded ClickHouse starts before anything else is set up.
    if arguments.next_if(|first| first == tfo_mcp::source::embedded::SUBCOMMAND).is_some() {
        return tfo_mcp::source::embedded::run_child(arguments);
    }
    tfo_mcp::cli::run(std::env::args_os())
}
