//! From what was typed to a running engine: settings, packs, catalog, sources. Every command goes through here.

use std::{future::Future, io::IsTerminal, path::PathBuf, sync::Arc};

use anyhow::Context;

use super::{arguments::SettingsArguments, bind, outcome::Reported, output, own, packs, problems};
use crate::{
    catalog::{Catalog, CatalogOptions},
    check::{self, Checked},
    definition::{Definition, Kind},
    diagnostic::Format,
    engine::{Engine, EngineOptions, Finding, Sources},
    host::{
        commands::Commands,
        files::{Caller, Files},
        http::Services,
    },
    load,
    reload::{self, Definitions},
    settings::{self, Inputs, Loaded, NoticeKind},
};

/// Reads the settings; mistakes are printed, all of them, with an excerpt where they stand in a file, and so is that
/// the file of the working folder does not count.
pub(super) fn settings(common: &SettingsArguments) -> anyhow::Result<Loaded> {
    read_settings(&common.inputs())
}

/// As [`settings`], for a command that opens nothing and must run where nobody can trust a file, such as in CI.
pub(super) fn unattended(common: &SettingsArguments) -> anyhow::Result<Loaded> {
    read_settings(&Inputs { unattended: true, ..common.inputs() })
}

fn read_settings(inputs: &Inputs) -> anyhow::Result<Loaded> {
    let loaded = settings::load(inputs).map_err(|found| {
        problems::print(&found);
        anyhow::Error::from(Reported(2))
    })?;
    for notice in loaded.notices.iter().filter(|notice| notice.kind == NoticeKind::Untrusted) {
        output::warning(&notice.to_string());
    }
    Ok(loaded)
}

/// Compiles the built-in pack and the packs of the settings. A broken pack is printed whole and ends the program:
/// a server that starts without a part of its tools is found out too late.
pub(super) fn catalog(loaded: &Loaded) -> anyhow::Result<Catalog> {
    read(loaded).map(|(catalog, _)| catalog)
}

/// As [`catalog`], with the warnings.
pub(super) fn read(loaded: &Loaded) -> anyhow::Result<(Catalog, Vec<Finding>)> {
    let packs = loaded.settings.packs.clone();
    let alone = packs.is_empty() && !loaded.settings.packs_only;
    let (catalog, problems, warnings) = if let Some(shipped) = alone.then(check::shipped).flatten() {
        let (catalog, problems) =
            Catalog::compile_with(shipped.definitions, shipped.contexts, &shipped.templates, &catalog_options(loaded));
        (catalog, problems.iter().map(ToString::to_string).collect(), Vec::new())
    } else {
        let checked = check(loaded, packs, Vec::new(), check::Options::default());
        if checked.has_errors() {
            let colour = std::io::stderr().is_terminal();
            output::say(Format::Text.print(&checked.diagnostics, colour).trim_end());
            output::hint_line(
                "mend the pack or leave it out; `tfo-mcp validate` checks packs without starting anything",
            );
            return Err(Reported(1).into());
        }
        let warnings = reload::findings(&checked.diagnostics);
        tell_left_out(&checked, loaded);
        let (catalog, problems) = compile(checked, loaded);
        (catalog, problems, warnings)
    };
    for problem in &problems {
        output::error(problem, None);
    }
    if !problems.is_empty() {
        return Err(Reported(1).into());
    }
    if let Some(unknown) = loaded.settings.toolsets.iter().flatten().find(|name| !catalog.toolsets.contains_key(*name))
    {
        let known: Vec<String> = catalog.toolsets.keys().map(|name| format!("`{name}`")).collect();
        let hint = format!("toolsets: {}; those of a pack are known with `--pack DIR`", known.join(", "));
        let origin = loaded.place("toolsets");
        return Err(super::outcome::hinted(format!("there is no toolset `{unknown}` ({origin})"), hint));
    }
    Ok((catalog, warnings))
}

/// Tells of what packs define in no toolset where the settings name the toolsets that are offered: nothing else would.
fn tell_left_out(checked: &Checked, loaded: &Loaded) {
    if loaded.settings.toolsets.is_none() {
        return;
    }
    let own = checked.definitions.iter().filter(|located| located.document.trust == load::Trust::Author);
    let left_out = own.filter(|located| match &located.definition {
        Definition::Tool(tool) => tool.toolsets.is_empty(),
        Definition::Prompt(prompt) => prompt.toolsets.is_empty(),
        Definition::Resource(resource) => resource.toolsets.is_empty(),
        _ => false,
    });
    let left_out: Vec<String> = left_out.map(|located| format!("`{}`", located.definition.name())).collect();
    if !left_out.is_empty() {
        let (names, origin) = (left_out.join(", "), loaded.place("toolsets"));
        output::warning(&format!(
            "not offered, for they are in no toolset and `toolsets` names which are ({origin}): {names}; give them \
             `toolsets: [NAME]` and name that too"
        ));
    }
}

/// What is read, and how it is compiled, for reading it again.
pub(super) fn definitions(loaded: &Loaded) -> Definitions {
    let built_in = !loaded.settings.packs_only;
    Definitions { built_in, packs: loaded.settings.packs.clone(), options: catalog_options(loaded) }
}

fn catalog_options(loaded: &Loaded) -> CatalogOptions {
    CatalogOptions {
        all: false,
        lazy: true,
        toolsets: loaded.settings.toolsets.clone(),
        allow_tenancy_argument: loaded.settings.tenancy.allow_argument,
    }
}

/// Loads and checks packs and lone files on top of the built-in pack, where the settings do not leave that out.
pub(super) fn check(loaded: &Loaded, packs: Vec<PathBuf>, files: Vec<PathBuf>, options: check::Options) -> Checked {
    let built_in = !loaded.settings.packs_only;
    check::check(load::load(&load::Request { built_in, packs, files }), options)
}

/// A definition by name, and whether it is of somebody's pack.
pub(super) struct Named {
    pub kind: Kind,
    pub name: String,
    pub own: bool,
}

/// The definitions of the built-in pack and of the packs of the settings, right or not.
pub(super) fn names(loaded: &Loaded) -> Vec<Named> {
    let checked = check(loaded, loaded.settings.packs.clone(), Vec::new(), check::Options::default());
    let named = |located: &check::Located| Named {
        kind: located.definition.kind(),
        name: located.definition.name().to_owned(),
        own: located.document.trust == load::Trust::Author,
    };
    checked.definitions.iter().map(named).collect()
}

/// Compiles what was found right. What cannot be compiled although it was found right is a defect of the check.
pub(super) fn compile(checked: Checked, loaded: &Loaded) -> (Catalog, Vec<String>) {
    let (definitions, templates) = checked.into_parts();
    let (catalog, problems) = Catalog::compile(definitions, &templates, &catalog_options(loaded));
    (catalog, problems.iter().map(ToString::to_string).collect())
}

/// All definitions, in a toolset or in none, offered or not. None: they are broken, which is another command's business.
pub(super) fn all_definitions(loaded: &Loaded) -> Option<Catalog> {
    let checked = check(loaded, loaded.settings.packs.clone(), Vec::new(), check::Options::default());
    if checked.has_errors() {
        return None;
    }
    let (definitions, templates) = checked.into_parts();
    let options = CatalogOptions { all: true, ..catalog_options(loaded) };
    Some(Catalog::compile(definitions, &templates, &options).0)
}

/// An engine over a catalog and the sources of the settings. Nothing is connected yet.
pub(super) fn engine(loaded: &Loaded, catalog: Catalog, caller: Caller) -> anyhow::Result<Engine> {
    // Definitions of a stranger have no source to read, not even the operator's own.
    let sources = if loaded.untrusted { Sources::default() } else { bind::sources(loaded)? };
    Ok(Engine::new(catalog, sources, options(loaded, caller)))
}

fn options(loaded: &Loaded, caller: Caller) -> EngineOptions {
    // Nor have they files or services, and they run nothing.
    let (files, commands, services) = match loaded.untrusted {
        true => (Files::default(), Commands::default(), Services::default()),
        false => {
            let program = own::program();
            let (files, commands) = (bind::files(loaded, caller, &program), bind::commands(loaded, caller, &program));
            (files, commands, bind::services(loaded))
        }
    };
    let of = loaded.clone();
    let config = Arc::new(move || super::info::settings(&of));
    let (files, commands, services) = (Arc::new(files), Arc::new(commands), Arc::new(services));
    EngineOptions { config, files, commands, services, ..EngineOptions::from(&loaded.settings) }
}

/// Everything of a command that makes one call: settings, catalog, engine, the call, and an orderly end of the
/// connections.
pub(super) fn with_engine<T>(
    common: &SettingsArguments,
    work: impl AsyncFnOnce(&Engine) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_engine_of(&settings(common)?, work)
}

/// As [`with_engine`], with settings that were read already.
pub(super) fn with_engine_of<T>(
    loaded: &Loaded,
    work: impl AsyncFnOnce(&Engine) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    bind::logging(loaded, crate::telemetry::Level::WARN)?;
    packs::tell_unread(&loaded.settings.packs);
    let engine = engine(loaded, catalog(loaded)?, Caller::Here)?;
    block_on(async {
        let result = work(&engine).await;
        engine.close().await;
        result
    })
}

/// Runs a future on one thread: starting more costs more than a single call gains.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    runtime.block_on(work)
}
