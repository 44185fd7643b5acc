//! The command line: one file a command.
//!
//! Standard output carries only what a pipe may want; everything else goes to standard error. A command returns an
//! [`Outcome`] or an error; `main` turns both into the exit codes that `--help` documents. This module may use every
//! other one and binds settings to them in `bootstrap`.

mod accounts;
mod arguments;
mod bind;
mod bootstrap;
mod call;
mod client;
mod completions;
mod connect;
mod demo;
mod docs;
mod doctor;
mod explain;
mod generated;
mod info;
mod init_config;
mod keys;
mod list;
mod migrate;
mod names;
mod new;
mod outcome;
mod output;
mod own;
mod packs;
mod problems;
mod remote;
mod schema;
mod serve;
mod setup;
mod stumble;
mod tables;
mod test;
mod tokens;
mod trust;
mod vain;
mod validate;

use std::{ffi::OsString, io::IsTerminal, process::ExitCode};

use clap::{CommandFactory, Parser};

pub use arguments::{Cli, Command};
pub use outcome::Outcome;

/// Runs the program with its arguments, the name of the program first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    if completions::answer() {
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        // clap prints help to standard output and mistakes to standard error, and knows the exit code.
        Err(answer) => {
            let _ = answer.print();
            if let Some(hint) = call::hint_for(&answer, &arguments) {
                output::hint_line(&hint);
            }
            return ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2));
        }
    };
    outcome::exit_code(dispatch(cli))
}

fn dispatch(cli: Cli) -> anyhow::Result<Outcome> {
    let common = cli.settings;
    // The earlier servers were started without a subcommand, and clients are configured that way. A person who types
    // only the name wants to know what there is.
    let Some(command) = cli.command else {
        if std::io::stdin().is_terminal() && std::env::args_os().len() < 2 {
            output::write(&Cli::command().render_help().ansi().to_string())?;
            return Ok(Outcome::Done);
        }
        return serve::run(&common, &serve::Arguments::default());
    };
    match command {
        Command::Serve(arguments) => serve::run(&common, &arguments),
        Command::Connect(arguments) => connect::run(&common, &arguments),
        Command::Doctor(arguments) => doctor::run(&common, &arguments),
        Command::Demo(arguments) => demo::run(&common, &arguments),
        Command::Setup(arguments) => setup::run(&common, &arguments),
        Command::New(arguments) => new::run(&common, &arguments),
        Command::Validate(arguments) => validate::run(&common, &arguments),
        Command::Test(arguments) => test::run(&common, &arguments),
        Command::List(arguments) => list::run(&common, &arguments),
        Command::Call(arguments) => call::call(&common, &arguments),
        Command::Context(arguments) => call::context(&common, &arguments),
        Command::Explain(arguments) => explain::run(&common, &arguments),
        Command::Docs(arguments) => docs::run(&common, &arguments),
        Command::Prompt(arguments) => call::prompt(&common, &arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Migrate(arguments) => migrate::run(&common, &arguments),
        Command::Keys(arguments) => keys::run(&common, &arguments),
        Command::Info(arguments) => info::run(&common, &arguments),
        Command::InitConfig(arguments) => init_config::run(&arguments),
        Command::Trust(arguments) => trust::run(&common, &arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}
