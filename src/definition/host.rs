//! What is asked of this machine: commands and its state, the verbs and the arguments that they read by name.
//!
//! Names and types alone; what a command may do is the host's.

use schemars::JsonSchema;
use serde::Deserialize;

/// What is done with commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandVerb {
    Run,
    Sessions,
    Output,
    Terminate,
}

/// What is asked of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemVerb {
    Info,
    Processes,
    Kill,
    Watch,
}

/// Arguments of `command.run`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CommandRunArguments {
    pub command: Option<String>,
    pub args: Option<Vec<String>>,
    pub working_dir: Option<String>,
    /// Seconds.
    pub timeout: Option<f64>,
    pub background: Option<bool>,
    /// Only where the definition fixes it: `command` is a text for `/bin/sh`.
    pub shell: Option<bool>,
}

/// Arguments of `command.output` and `command.terminate`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CommandSessionArguments {
    pub session_id: Option<String>,
}

/// Arguments of `command.sessions`, which reads none.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CommandSessionsArguments {}

/// Arguments of `system.info`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SystemInfoArguments {
    /// Of `os`, `cpu`, `memory`, `disk`, `network`, `process`.
    pub include: Option<Vec<String>>,
}

/// Arguments of `system.processes`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SystemProcessesArguments {
    pub filter: Option<String>,
}

/// Arguments of `system.kill`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SystemKillArguments {
    pub pid: Option<i64>,
}

/// Arguments of `system.watch`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SystemWatchArguments {
    /// Seconds.
    pub duration: Option<f64>,
    /// Seconds.
    pub interval: Option<f64>,
}
