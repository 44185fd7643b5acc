//! Which story the demo tells: by name, by the path of a file, or picked from a list.

use std::{
    io::{BufRead as _, IsTerminal as _},
    path::Path,
};

use anyhow::Context as _;

use super::Arguments;
use crate::{
    cli::{
        outcome::{Reported, hinted},
        output::{self, BOLD, DIM},
    },
    demo::Scenario,
    diagnostic,
};

/// The word for a day without a scenario.
const NONE: &str = "none";

/// A story, and whether it came from a file: one may have changed under the same name.
pub(super) struct Story {
    pub scenario: Option<Scenario>,
    pub from_file: bool,
}

/// The story that the arguments ask for.
pub(super) fn wanted(arguments: &Arguments) -> anyhow::Result<Story> {
    let embedded = |name: &str| Ok(Story { scenario: Some(Scenario::embedded(name)?), from_file: false });
    let name = match arguments.scenario.as_deref() {
        _ if arguments.choose => &choose()?,
        Some(name) => name,
        None => return embedded(&super::tour::script()?.scenario),
    };
    if name == NONE {
        return Ok(Story { scenario: None, from_file: false });
    }
    let path = Path::new(name);
    if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") || name.contains(['/', '\\']) {
        return Ok(Story { scenario: Some(file(path)?), from_file: true });
    }
    let names = Scenario::names();
    if !names.iter().any(|known| known == name) {
        let known: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        return Err(hinted(
            format!("there is no scenario `{name}`"),
            format!(
                "scenarios: {}, `{NONE}`; a file of your own is named by its path, such as `./{name}.yaml`",
                known.join(", ")
            ),
        ));
    }
    embedded(name)
}

/// A scenario of a file; what is wrong with it has been printed.
fn file(path: &Path) -> anyhow::Result<Scenario> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Scenario::named(&path.display().to_string(), &text).map_err(|findings| {
        output::say(diagnostic::render_all(&findings, std::io::stderr().is_terminal()).trim_end());
        Reported(2).into()
    })
}

/// Prints the stories that there are.
pub(super) fn list() -> anyhow::Result<()> {
    let first = super::tour::script()?.scenario;
    let names = Scenario::names();
    let width = names.iter().map(String::len).max().unwrap_or_default();
    for name in names {
        let scenario = Scenario::embedded(&name)?;
        let mark = if name == first { " (played unless another is named)" } else { "" };
        output::write(&format!("{BOLD}{name:<width$}{BOLD:#}  {}{DIM}{mark}{DIM:#}", scenario.title))?;
    }
    output::write(&format!("{BOLD}{NONE:<width$}{BOLD:#}  An uneventful day"))?;
    Ok(())
}

/// Asks a person.
fn choose() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        return Err(hinted(
            "there is nobody to choose: the input is no terminal",
            "name a story with `--scenario`, such as those of `--list`",
        ));
    }
    let mut names = Scenario::names();
    for (number, name) in names.iter().enumerate() {
        let scenario = Scenario::embedded(name)?;
        output::say(&format!("  {BOLD}{:>2}{BOLD:#}  {}  {DIM}{name}{DIM:#}", number + 1, scenario.title));
    }
    names.push(NONE.to_owned());
    output::say(&format!("  {BOLD}{:>2}{BOLD:#}  An uneventful day", names.len()));
    output::say("Which one? Its number or name:");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(picked(line.trim(), &names))
}

/// The name of what was answered: a number of the list, or a word that is looked up like `--scenario`.
fn picked(answer: &str, names: &[String]) -> String {
    let numbered = answer.parse::<usize>().ok().and_then(|number| names.get(number.checked_sub(1)?));
    numbered.cloned().unwrap_or_else(|| answer.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_number_of_the_list_or_a_name() {
        let names = ["a".to_owned(), "b".to_owned()];
        assert_eq!(["2", "a", "0", "3"].map(|answer| picked(answer, &names)), ["b", "a", "0", "3"]);
    }
}
