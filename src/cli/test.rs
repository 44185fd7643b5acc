//! `tfo-mcp test`: the examples of the definitions as tests.

use clap::Args;
use serde_json::{Value, json};

use super::{
    Outcome,
    arguments::{Form, SettingsArguments},
    bootstrap,
    output::{self, BAD, BOLD, DIM, GOOD},
};
use crate::engine::{Call, ExampleOutcome};

/// Run the examples of the definitions
///
/// An example calls its definition and compares the answer. Examples of the built-in pack are written for the data
/// that `tfo-mcp demo` loads. Where the settings file of the working folder is not trusted, its packs are tested without
/// any source, and examples that need one are left out.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only definitions whose name contains this
    name: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Ask the sources that are bound in the settings, and take the file of the working folder only if it is trusted
    #[arg(long)]
    live: bool,
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let loaded = if arguments.live { bootstrap::settings(common) } else { bootstrap::unattended(common) }?;
    let (outcomes, left_out): (Vec<ExampleOutcome>, Vec<_>) = bootstrap::with_engine_of(&loaded, async |engine| {
        Ok(engine.run_examples(arguments.name.as_deref(), &Call::default()).await)
    })?
    .into_iter()
    .partition(|outcome| !outcome.unbound);
    let failed = outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    match arguments.format {
        Form::Json => {
            let object = |outcome: &ExampleOutcome| -> Value {
                json!({
                    "kind": outcome.kind, "name": outcome.name, "title": outcome.title,
                    "passed": outcome.failures.is_empty(), "failures": outcome.failures,
                })
            };
            output::json(&outcomes.iter().map(object).collect::<Vec<_>>())?;
        }
        Form::Text if outcomes.is_empty() => {}
        Form::Text => output::write(&outcomes.iter().map(line).collect::<Vec<_>>().join("\n"))?,
    }
    output::say(&match (outcomes.len(), failed) {
        (0, _) => "no examples".to_owned(),
        (all, 0) => format!("{all} examples passed"),
        (all, failed) => format!("{failed} of {all} examples failed"),
    });
    if !left_out.is_empty() {
        output::say(&format!("{} examples need a source and were left out: `--live` asks the sources", left_out.len()));
    }
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Findings })
}

fn line(outcome: &ExampleOutcome) -> String {
    let name = format!("{} {BOLD}{}{BOLD:#}: {}", outcome.kind, outcome.name, outcome.title);
    if outcome.failures.is_empty() {
        return format!("{GOOD}ok{GOOD:#}      {name}");
    }
    let mut out = format!("{BAD}failed{BAD:#}  {name}");
    for failure in &outcome.failures {
        out += &format!("\n          {}", failure.replace('\n', "\n          "));
    }
    // The beginning of the answer says most; the whole of it would bury the failures.
    for text in outcome.text.lines().take(12) {
        out += &format!("\n          {DIM}| {text}{DIM:#}");
    }
    out
}
