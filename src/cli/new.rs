//! `tfo-mcp new`: a definition that works, to be changed into what is wanted.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::{Outcome, arguments::SettingsArguments, outcome::hinted, output};
use crate::definition::Kind;

/// Write a definition that works, to start from
///
/// The file goes into the pack of `--pack`, else into the current folder as a pack.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to define
    #[arg(value_enum)]
    kind: Kind,
    /// Its name: letters, digits, `_` and `-`
    name: String,
    /// Overwrite the file
    #[arg(long)]
    force: bool,
}

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        &Kind::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.as_str()))
    }
}

/// The text of a kind, and where in a pack such definitions lie.
const fn skeleton(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Tool => (include_str!("skeletons/tool.yaml"), "definitions/tools"),
        Kind::Resource => (include_str!("skeletons/resource.yaml"), "definitions/resources"),
        Kind::Prompt => (include_str!("skeletons/prompt.yaml"), "prompts"),
        Kind::Context => (include_str!("skeletons/context.yaml"), "definitions/contexts"),
        Kind::Insight => (include_str!("skeletons/insight.yaml"), "definitions/insights"),
        Kind::Persona => (include_str!("skeletons/persona.yaml"), "personas"),
        Kind::Provider => (include_str!("skeletons/provider.yaml"), "definitions/providers"),
        Kind::Toolset => (include_str!("skeletons/toolset.yaml"), "definitions/toolsets"),
        Kind::Values => (include_str!("skeletons/values.yaml"), "definitions/values"),
        Kind::Fragment => (include_str!("skeletons/fragment.yaml"), "definitions/fragments"),
    }
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let name = &arguments.name;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
        return Err(hinted(format!("`{name}` is not a name"), "use letters, digits, `_` and `-`, at most 64"));
    }
    let (text, folder) = skeleton(arguments.kind);
    let pack = common.pack.first().cloned().unwrap_or_else(|| PathBuf::from("."));
    let folder = pack.join(folder);
    let path = folder.join(format!("{name}.yaml"));
    if path.exists() && !arguments.force {
        return Err(hinted(format!("`{}` exists", path.display()), "write `--force` to replace it"));
    }
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, text.replace("@NAME@", name)));
    written.with_context(|| format!("cannot write `{}`", path.display()))?;
    let shown = pack.strip_prefix(".").map_or(pack.as_path(), |rest| if rest == Path::new("") { &pack } else { rest });
    output::say(&format!("{}: written", path.strip_prefix(".").unwrap_or(&path).display()));
    if arguments.kind == Kind::Persona {
        output::hint_line(&format!(
            "a context type names it, with `persona: {name}`; until then `validate` warns of it"
        ));
    }
    output::hint_line(&format!(
        "`tfo-mcp validate {0}` checks it, `tfo-mcp schema {0}/schemas` lets your editor complete it",
        shown.display()
    ));
    Ok(Outcome::Done)
}
