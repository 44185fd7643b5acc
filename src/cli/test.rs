//! `tfo-mcp test`: the examples of the definitions as tests.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{
    Outcome,
    arguments::{Form, SettingsArguments},
    bootstrap::{self, Named},
    names,
    outcome::hinted,
    output::{self, BAD, BOLD, DIM, GOOD},
    packs,
};
use crate::{
    definition::Kind,
    engine::{Call, ExampleOutcome, nearest, span},
};

/// Run the examples of the definitions
///
/// An example calls its definition and compares the answer. With packs, those of the packs are run; without, those of the
/// built-in definitions, which are written for the data that `tfo-mcp demo` loads. Where the settings file of the working folder is not trusted, its packs are tested without
/// any source, and examples that need one are left out.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only definitions whose name contains this; no such definition is an error
    #[arg(add = names::definitions())]
    name: Option<String>,
    /// Also run the examples of built-in definitions beside those of packs
    #[arg(long)]
    built_in: bool,
    /// Also the pack that this folder is, or the packs that lie below it
    #[arg(long = "in", value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Leave out the examples that need a database
    #[arg(long, conflicts_with = "live")]
    without_sources: bool,
    /// Ask the sources that are bound in the settings, and take the file of the working folder only if it is trusted
    #[arg(long)]
    live: bool,
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let mut loaded = if arguments.live { bootstrap::settings(common) } else { bootstrap::unattended(common) }?;
    // As for the definitions of a stranger.
    loaded.untrusted |= arguments.without_sources;
    if let Some(folder) = &arguments.folder {
        loaded.settings.packs.extend(packs::at(folder));
        packs::once(&mut loaded.settings.packs);
        if loaded.settings.packs.is_empty() {
            let hint = "a pack is a folder with `definitions/`, `personas/` or `prompts/`: name it with `--pack DIR`";
            return Err(hinted(format!("`{}` is no pack, and none lies below it", folder.display()), hint));
        }
    }
    packs::tell_unread(&loaded.settings.packs);
    let wanted = match wanted(&bootstrap::names(&loaded), arguments) {
        Ok(wanted) => wanted,
        Err(unknown) => {
            // What is not there may stand in a file that could not be read.
            bootstrap::with_engine_of(&loaded, async |_| Ok(()))?;
            return Err(unknown);
        }
    };
    let wanted = |kind: Kind, name: &str| wanted.iter().any(|(k, n)| *k == kind && n == name);
    let (outcomes, left_out): (Vec<ExampleOutcome>, Vec<_>) =
        bootstrap::with_engine_of(&loaded, async |engine| Ok(engine.run_examples(wanted, &Call::default()).await))?
            .into_iter()
            .partition(|outcome| outcome.left_out.is_none());
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
        (1, 0) => "1 example passed".to_owned(),
        (all, 0) => format!("{all} examples passed"),
        (1, _) => "1 example failed".to_owned(),
        (all, failed) => format!("{failed} of {all} examples failed"),
    });
    for (needs, how) in [
        ("a source", ": `--live` asks the sources"),
        ("commands", ": they run where the settings are trusted and `commands.enabled` is not false"),
    ] {
        let count = left_out.iter().filter(|outcome| outcome.left_out == Some(needs)).count();
        let (need, were) = match count {
            0 => continue,
            1 => ("1 example needs".to_owned(), "was"),
            _ => (format!("{count} examples need"), "were"),
        };
        let how = if arguments.without_sources { "" } else { how };
        output::say(&format!("{need} {needs} and {were} left out{how}"));
    }
    if let Some(name) = arguments.name.as_ref().filter(|_| outcomes.is_empty() && left_out.is_empty()) {
        output::hint_line(&format!(
            "nothing was tested: write `examples:` into the definition that is called `{name}`"
        ));
        return Ok(Outcome::Findings);
    }
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Findings })
}

/// The definitions whose examples are run. Built-in ones are only where there are no packs, where they are asked for, or
/// where nothing of a pack has the name.
fn wanted(all: &[Named], arguments: &Arguments) -> anyhow::Result<Vec<(Kind, String)>> {
    let called = |named: &&Named| arguments.name.as_ref().is_none_or(|name| named.name.contains(name));
    let found: Vec<&Named> = all.iter().filter(called).collect();
    if let (Some(name), true) = (&arguments.name, found.is_empty()) {
        let hint = match nearest(name, all.iter().map(|named| named.name.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`tfo-mcp list` shows all names".to_owned(),
        };
        return Err(hinted(format!("no definition is called {}", span(name, 80)), hint));
    }
    let own = found.iter().any(|named| named.own) && !arguments.built_in;
    let wanted = found.into_iter().filter(|named| named.own || !own);
    Ok(wanted.map(|named| (named.kind, named.name.clone())).collect())
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
