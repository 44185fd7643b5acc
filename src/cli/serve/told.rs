//! What the log says when serving begins: which files rule, what is served and where, and what was set in vain.

use crate::{
    cli::vain,
    engine::Engine,
    settings::{ENV_PREFIX, Loaded, NoticeKind, Origin},
};

/// Says which file rules.
pub(super) fn settings_files(loaded: &Loaded) {
    let files: Vec<String> = loaded.files.iter().map(|file| file.display().to_string()).collect();
    match files.is_empty() {
        true => tracing::info!("No settings file is read."),
        false => tracing::info!(files = files.join(", "), "Settings are read from files."),
    }
}

/// Says what is served, and where.
pub(super) fn serving(engine: &Engine, loaded: &Loaded, place: &str) {
    let catalog = engine.catalog();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        tools = catalog.tools.len(),
        contexts = catalog.contexts.len(),
        prompts = catalog.prompts.len(),
        resources = catalog.resources.len(),
        "Serving MCP {place}."
    );
    for what in vain::told(&catalog, loaded) {
        tracing::warn!("{what}");
    }
    if let Some(clock) = loaded.settings.server.clock {
        let clock = crate::engine::stamp(clock);
        tracing::info!(%clock, origin = %loaded.origin("server.clock"), "The clock stands still: these are demo data.");
    }
}

/// Says once what was set in vain. Variables of other programs, such as a vendor's key, are nobody's mistake.
pub(super) fn notices(loaded: &Loaded) {
    let ours = |origin: &Origin| !matches!(origin, Origin::Env(name) if !name.starts_with(ENV_PREFIX));
    for kind in [NoticeKind::Unused, NoticeKind::Former] {
        let keys: Vec<&str> = loaded
            .notices
            .iter()
            .filter(|notice| notice.kind == kind && ours(&notice.origin))
            .map(|notice| notice.key.as_str())
            .collect();
        let keys = keys.join(", ");
        match kind {
            _ if keys.is_empty() => {}
            NoticeKind::Unused => tracing::warn!(%keys, "Settings are set but not used by this version."),
            _ => {
                tracing::warn!(%keys, "Settings of an earlier server are not read any more; `tfo-mcp info` says more.")
            }
        }
    }
    for notice in &loaded.notices {
        match notice.kind {
            NoticeKind::UnknownVariable => tracing::warn!("{notice}"),
            NoticeKind::ServiceLink => tracing::info!("{notice}"),
            _ => {}
        }
    }
}
