//! API keys, made as an operator makes them.

use std::{path::Path, process::Command};

/// An organisation, where it does not matter which.
pub const SOME: &str = "11111111-1111-4111-8111-111111111111";

/// Makes a key of organisations (UUIDs with commas between them) in a data folder.
pub fn create(data: &Path, name: &str, organizations: &str, more: &[&str]) -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_tfo-mcp"))
        .args(["keys", "create", "--name", name, "--organization", organizations])
        .args(more)
        .current_dir(data)
        .env("TELEMETRYFLOW_MCP_DATA_DIR", data)
        .env("HOME", data)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}
