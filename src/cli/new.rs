//! `tfo-mcp new`: a definition that works, to be changed into what is wanted.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::{Outcome, arguments::SettingsArguments, bootstrap, outcome::hinted, output};
use crate::{
    check,
    definition::{Definition, Kind},
    load::Trust,
};

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
    /// Replace what has this name in an earlier pack, such as the built-in one
    #[arg(long = "override")]
    replace: bool,
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
        Kind::Columns => (include_str!("skeletons/columns.yaml"), "definitions"),
        Kind::Tables => (include_str!("skeletons/tables.yaml"), "definitions/tables"),
        Kind::Parameters => (include_str!("skeletons/parameters.yaml"), "definitions"),
    }
}

/// Who has a name already, besides the file that would be written: `validate` would refuse a second one.
fn taken(common: &SettingsArguments, kind: Kind, name: &str, pack: &Path) -> anyhow::Result<Option<String>> {
    let loaded = bootstrap::unattended(common)?;
    let mut packs = loaded.settings.packs.clone();
    packs.retain(|other| other.is_dir() && !same(other, pack));
    let checked = bootstrap::check(&loaded, packs, Vec::new(), check::Options::default());
    let found = checked.definitions.iter().find_map(|located| {
        let definition = &located.definition;
        let where_from = match located.document.trust {
            Trust::BuiltIn => "it is built in".to_owned(),
            Trust::Author => format!("see {}", located.file().path),
        };
        match definition {
            _ if definition.kind() == kind && definition.name() == name => {
                Some(format!("there is a {kind} `{name}` already: {where_from}"))
            }
            Definition::Context(context) if kind == Kind::Context && context.aliases.iter().any(|a| a.0 == name) => {
                Some(format!("`{name}` is another name of the {kind} `{}`: {where_from}", definition.name()))
            }
            _ => None,
        }
    });
    Ok(found)
}

fn same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real(one) == real(other)
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
    let mut text = text.replace("@NAME@", name);
    match (taken(common, arguments.kind, name, &pack)?, arguments.replace) {
        (Some(taken), false) => {
            return Err(hinted(taken, "choose another name, or write `--override` to put yours in its place"));
        }
        (Some(_), true) => {
            let line = format!("name: {name}\n");
            text = text.replacen(&line, &format!("{line}override: true\n"), 1);
        }
        (None, true) => {
            return Err(hinted(
                format!("no pack has a {} `{name}` to replace", arguments.kind),
                "leave `--override` out",
            ));
        }
        (None, false) => {}
    }
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, text));
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
