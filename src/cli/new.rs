//! `tfo-mcp new`: a definition that works, to be changed into what is wanted.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::{Outcome, arguments::SettingsArguments, bootstrap, outcome::hinted, output};
use crate::{
    check::{self, Checked},
    definition::{Definition, Kind},
    diagnostic::all_of,
    engine::nearest,
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
    /// Its name: letters, digits, `_` and `-`; behind the folder that it goes into, if any, such as `database/slow-queries`
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

/// What is defined already, besides the pack that would be written to.
fn others(common: &SettingsArguments, pack: &Path) -> anyhow::Result<Checked> {
    let loaded = bootstrap::unattended(common)?;
    let mut packs = loaded.settings.packs.clone();
    packs.retain(|other| other.is_dir() && !same(other, pack));
    Ok(bootstrap::check(&loaded, packs, Vec::new(), check::Options::default()))
}

/// That a category is a new one: a misspelt one founds one as well.
fn founds(others: &Checked, category: &str) -> Option<String> {
    let contexts = others.definitions.iter().filter_map(|located| match &located.definition {
        Definition::Context(context) => Some(&*context.category.0),
        _ => None,
    });
    let known: BTreeSet<&str> = contexts.collect();
    let rest = match nearest(category, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", all_of(known.iter().copied(), 20)),
    };
    (!known.is_empty() && !known.contains(category)).then(|| format!("`{category}` is a new category; {rest}"))
}

/// Who has a name already: `validate` would refuse a second one.
fn taken(others: &Checked, kind: Kind, name: &str) -> Option<String> {
    others.definitions.iter().find_map(|located| {
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
    })
}

fn same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real(one) == real(other)
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let (inside, name) = match arguments.name.split_once('/') {
        Some((inside, name)) => (Some(inside), name),
        None => (None, arguments.name.as_str()),
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let is_name = |text: &str| !text.is_empty() && text.len() <= 64 && text.bytes().all(allowed);
    if let Some(wrong) = inside.into_iter().chain([name]).find(|text| !is_name(text)) {
        return Err(hinted(format!("`{wrong}` is not a name"), "use letters, digits, `_` and `-`, at most 64"));
    }
    let (text, folder) = skeleton(arguments.kind);
    let pack = common.pack.first().cloned().unwrap_or_else(|| PathBuf::from("."));
    let folder = pack.join(folder).join(inside.unwrap_or_default());
    let path = folder.join(format!("{name}.yaml"));
    if path.exists() && !arguments.force {
        return Err(hinted(format!("`{}` exists", path.display()), "write `--force` to replace it"));
    }
    let mut text = text.replace("@NAME@", name);
    if let Some(inside) = inside {
        text = text.replacen("$schema=../", "$schema=../../", 1);
        // Of a context type the folder is its category.
        if let (Kind::Context, Some(line)) = (arguments.kind, text.lines().find(|line| line.starts_with("category: ")))
        {
            text = text.replacen(&format!("{line}\n"), &format!("category: {inside}\n"), 1);
        }
    }
    let others = others(common, &pack)?;
    match (taken(&others, arguments.kind, name), arguments.replace) {
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
    if let Some(hint) = inside.filter(|_| arguments.kind == Kind::Context).and_then(|name| founds(&others, name)) {
        output::hint_line(&hint);
    }
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
