//! Words of a command that a caller could turn into options of the program.
//!
//! Found by putting an option in: a parameter is a whole word, or the beginning of one, if the word then begins with it.

use super::statements;
use crate::{
    definition::{Action, Definition, Parameter, ParameterType},
    diagnostic::{Code, Diagnostic},
    load::Document,
    template::{Flavour, Templates, jinja},
};

/// What a caller could pass as an option.
const OPTIONS: [&str; 3] = ["-x", "--option", "--option=x"];

pub(super) fn check(document: &Document, definition: &Definition, out: &mut Vec<Diagnostic>) {
    let Some(parameters) = statements::parameters(definition) else { return };
    for site in statements::sites(definition) {
        let Action::CommandRun { argv, .. } = site.action else { continue };
        let words = argv.iter().enumerate().skip(1).take_while(|(_, word)| word.as_str() != "--");
        for (at, word) in words.filter(|(_, word)| word.as_str().contains("{{")) {
            let open = parameters.iter().find(|(name, parameter)| {
                OPTIONS.iter().any(|option| takes(parameter, option) && begins(word.as_str(), parameters, name, option))
            });
            if let Some((name, _)) = open {
                let span = document.span(&format!("{}/argv/{at}", site.pointer));
                let message = format!("a caller can make an option of the program of the parameter `{name}`");
                out.push(document.finding(Code::OptionWord, span, message).help(format!(
                    "put `--` before it, if the program knows that; write `--{name}={{{{ {name} }}}}`; or let the parameter \
                     have `pattern: ^[^-]` or `enum:`"
                )));
            }
        }
    }
}

/// Whether a call may pass this text.
fn takes(parameter: &Parameter, text: &str) -> bool {
    parameter.ty == ParameterType::String
        && parameter.choices.is_none()
        && parameter.pattern.as_ref().is_none_or(|pattern| pattern.matches(text))
}

/// Whether the word begins with what a call passes, with all other parameters or with none of them.
fn begins(word: &str, parameters: &crate::definition::Parameters, name: &str, option: &str) -> bool {
    let mut templates = Templates::default();
    if templates.add(Flavour::Plain, "word", word).is_err() {
        // Said elsewhere.
        return false;
    }
    [false, true].into_iter().any(|filled| {
        let variables = parameters.iter().map(|(other, parameter)| {
            (other.clone(), if other == name { option.into() } else { jinja(parameter.sample(filled)) })
        });
        let rendered = templates.render(Flavour::Plain, "word", minijinja::Value::from_pairs(variables));
        rendered.is_ok_and(|rendered| rendered.starts_with(option))
    })
}
