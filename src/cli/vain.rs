//! What settings name that no definition has, and what definitions ask for that no setting has: each alone is right.

use crate::{catalog::Catalog, engine::nearest, settings::Loaded, template::bare};

/// Sentences about both, for the log of the server and for `doctor`.
pub(super) fn told(catalog: &Catalog, loaded: &Loaded) -> Vec<String> {
    let mut told = Vec::new();
    let limits = &loaded.settings.limits;
    for tool in limits.tool_rates.keys().filter(|tool| !catalog.tools.contains_key(*tool)) {
        let origin = loaded.place(&format!("limits.tool_rates.{tool}"));
        let near = meant(tool, catalog.tools.keys().map(String::as_str));
        told.push(format!(
            "`limits.tool_rates` limits `{}`, a tool that is not on offer ({origin}){near}",
            bare(tool, 80)
        ));
    }
    let asked = catalog.services();
    let set = &loaded.settings.http.services;
    for name in set.keys().filter(|name| !asked.contains_key(name.as_str())) {
        let origin = loaded.place(&format!("http.services.{name}"));
        let unset = asked.keys().copied().filter(|asked| !set.contains_key(*asked));
        let near = meant(name, unset);
        told.push(format!("no definition on offer asks `http.services.{}` ({origin}){near}", bare(name, 80)));
    }
    for (name, by) in asked.iter().filter(|(name, _)| !set.contains_key(**name)) {
        told.push(format!(
            "{} cannot work: the operator has not said where `{name}` is, which is `http.services.{name}.url`",
            names(by)
        ));
    }
    told
}

fn meant<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    nearest(name, known).map(|near| format!("; did you mean `{}`?", bare(near, 80))).unwrap_or_default()
}

/// The first of some names.
fn names(all: &[&str]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = all.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match all.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
