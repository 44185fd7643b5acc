//! What can be typed: the commands, and the flags that are settings.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{
    call, completions, connect, demo, docs, doctor, explain, info, init_config, keys, list, migrate, new, schema,
    serve, setup, test, trust, validate,
};
use crate::settings::{Flag, Inputs, Level};

const EXIT_CODES: &str = "\
Exit codes:
  0  done, and nothing was found wrong
  1  findings: a broken definition, a failed example, an answer that is an error, a source that is down
  2  wrong usage or settings, or the command could not run

Without a command it serves MCP on standard input and output, as `tfo-mcp serve` does.
Standard output carries only what a pipe may want; everything else goes to standard error.
Settings come from flags, TELEMETRYFLOW_MCP_* variables, tfo-mcp.yaml and defaults: see `tfo-mcp info --all`.";

/// Look at your telemetry through any MCP client: contexts, personas and prompts from YAML.
#[derive(Debug, Parser)]
#[command(name = "tfo-mcp", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub settings: SettingsArguments,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(demo::Arguments),
    Serve(serve::Arguments),
    Connect(connect::Arguments),
    Doctor(doctor::Arguments),
    List(list::Arguments),
    Call(call::CallArguments),
    Context(call::ContextArguments),
    Prompt(call::PromptArguments),
    Explain(explain::Arguments),
    Docs(docs::Arguments),
    Validate(validate::Arguments),
    Test(test::Arguments),
    New(new::Arguments),
    Schema(schema::Arguments),
    Keys(keys::Arguments),
    Info(info::Arguments),
    InitConfig(init_config::Arguments),
    Trust(trust::Arguments),
    Setup(setup::Arguments),
    Migrate(migrate::Arguments),
    Completions(completions::Arguments),
}

/// Flags that are settings; they may stand before or after the command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings")]
pub struct SettingsArguments {
    /// Settings file [default: ./tfo-mcp.yaml if it is trusted, else tfo-mcp/tfo-mcp.yaml in the user's configuration folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of definitions that is laid over the built-in ones; may be repeated
    #[arg(long, global = true, value_name = "DIR")]
    pub pack: Vec<PathBuf>,
    /// Leave the built-in definitions out
    #[arg(long, global = true)]
    pub packs_only: bool,
    /// Toolsets to offer, separated by commas
    #[arg(long, global = true, value_name = "NAMES", value_delimiter = ',')]
    pub toolsets: Vec<String>,
    /// Organisation whose data is answered
    #[arg(long, global = true, value_name = "UUID")]
    pub organization: Option<String>,
    /// Folder of the embedded databases
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Least important messages that are logged
    #[arg(long, global = true, value_name = "LEVEL", value_enum, ignore_case = true)]
    pub log_level: Option<Level>,
    /// Same as `--log-level debug`
    #[arg(long, global = true)]
    pub debug: bool,
}

impl SettingsArguments {
    /// The flags as words of a command line that means the same in every folder.
    pub(super) fn typed(&self) -> anyhow::Result<Vec<String>> {
        let path = |path: &PathBuf| -> anyhow::Result<String> {
            let path = std::path::absolute(path)?;
            path.into_os_string().into_string().map_err(|path| anyhow::anyhow!("{} is not UTF-8", path.display()))
        };
        let mut words = Vec::new();
        let mut flag = |name: &str, value: String| words.extend([name.to_owned(), value]);
        if let Some(config) = &self.config {
            flag("--config", path(config)?);
        }
        for pack in &self.pack {
            flag("--pack", path(pack)?);
        }
        if !self.toolsets.is_empty() {
            flag("--toolsets", self.toolsets.join(","));
        }
        if let Some(organization) = &self.organization {
            flag("--organization", organization.clone());
        }
        if let Some(data_dir) = &self.data_dir {
            flag("--data-dir", path(data_dir)?);
        }
        if let Some(level) = self.log_level {
            flag("--log-level", level.as_str().to_owned());
        }
        let switches = [(self.packs_only, "--packs-only"), (self.debug, "--debug")];
        words.extend(switches.into_iter().filter(|(on, _)| *on).map(|(_, name)| name.to_owned()));
        Ok(words)
    }

    /// The flags as settings.
    pub(super) fn inputs(&self) -> Inputs {
        let mut inputs = Inputs { config: self.config.clone(), ..Inputs::from_process() };
        let text = |path: &PathBuf| inputs.working_dir.join(path).to_string_lossy().into_owned();
        let packs: Vec<String> = self.pack.iter().map(text).collect();
        let data_dir = self.data_dir.as_ref().map(text);
        let mut flags = Vec::new();
        let mut set = |name, key, value: serde_json::Value| flags.push(Flag { name, key, value });
        if !packs.is_empty() {
            set("--pack", "packs", packs.into());
        }
        if self.packs_only {
            set("--packs-only", "packs_only", true.into());
        }
        if !self.toolsets.is_empty() {
            set("--toolsets", "toolsets", self.toolsets.clone().into());
        }
        if let Some(organization) = &self.organization {
            set("--organization", "tenancy.organization_id", organization.as_str().into());
        }
        if let Some(data_dir) = data_dir {
            set("--data-dir", "data_dir", data_dir.into());
        }
        if let Some(level) = self.log_level {
            set("--log-level", "logging.level", level.as_str().into());
        }
        if self.debug {
            set("--debug", "server.debug", true.into());
        }
        inputs.flags = flags;
        inputs
    }
}

impl ValueEnum for Level {
    fn value_variants<'a>() -> &'a [Self] {
        &[Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        let value = clap::builder::PossibleValue::new(self.as_str());
        Some(if *self == Level::Warn { value.alias("warning") } else { value })
    }
}

/// The form of an answer on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Form {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}
