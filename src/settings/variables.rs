//! Environment variables with our prefix that are no settings: misspelt ones, and those that Kubernetes sets.
//!
//! Neither stops the program. Kubernetes puts `NAME_PORT=tcp://…` and its siblings into every pod for each Service of
//! the namespace, and a Service may be called so that one of them is the name of a setting.

use super::{
    explain::env_name,
    findings::{Notice, NoticeKind},
    layers::{ENV_PREFIX, Inputs, Origin},
    load::keys,
    names::NAMES,
};
use crate::written::did_you_mean;

/// How the values of service links begin.
const LINKS: [&str; 3] = ["tcp://", "udp://", "sctp://"];

/// Whether Kubernetes has set a variable, for a Service of the namespace.
pub(super) fn is_service_link(inputs: &Inputs, name: &str) -> bool {
    let links = |name: &str| inputs.var(name).is_some_and(|value| LINKS.iter().any(|link| value.starts_with(link)));
    if name.ends_with("_PORT") && links(name) {
        return true;
    }
    let of_service = |service: &str| {
        let own = format!("{service}_");
        own == ENV_PREFIX
            || inputs.var(&format!("{service}_SERVICE_HOST")).is_some()
            || links(&format!("{service}_PORT"))
    };
    ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"]
        .iter()
        .any(|part| name.rfind(part).and_then(|at| name.get(..at)).is_some_and(of_service))
}

/// What is to be said of a variable with our prefix and without a section.
pub(super) fn notice(inputs: &Inputs, name: &str) -> Option<Notice> {
    let is_setting = NAMES.environment.values().flatten().any(|known| known == name);
    let link = is_service_link(inputs, name);
    let (kind, text) = match (is_setting, link) {
        (true, true) => {
            let text = "it is Kubernetes' own, of a Service with such a name; `enableServiceLinks: false` in the pod keeps \
                        it out, and another name of the setting sets it";
            (NoticeKind::ServiceLink, text.to_owned())
        }
        (true, false) | (false, true) => return None,
        (false, false) if NAMES.other_variables.iter().any(|other| other == name) => return None,
        (false, false) if name.strip_prefix(ENV_PREFIX) == Some("PORT") => return None,
        (false, false) => (NoticeKind::UnknownVariable, meant(name)),
    };
    Some(Notice { kind, key: name.to_owned(), origin: Origin::Env(name.to_owned()), text })
}

/// Which variable may have been meant.
pub(super) fn meant(name: &str) -> String {
    let keys = keys();
    let nested: Vec<String> = keys.iter().map(|key| env_name(key)).collect();
    let flat = NAMES.environment.values().flatten().filter(|known| known.starts_with(ENV_PREFIX));
    let known: Vec<&str> = flat.map(String::as_str).chain(nested.iter().map(String::as_str)).collect();
    let rest = |name: &str| name.strip_prefix(ENV_PREFIX).unwrap_or(name).to_owned();
    let letters = |name: &str| rest(name).replace('_', "");
    let said = rest(name);
    // The same with one `_` where two belong; else a key of a section, without it; else a slip of the keyboard.
    let same = known.iter().find(|known| letters(known) == letters(name)).map(|known| (*known).to_owned());
    let key = keys.iter().find(|key| key.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(&said)));
    let rests: Vec<String> = known.iter().map(|known| rest(known)).collect();
    let near = || did_you_mean(&said, rests.iter().map(String::as_str)).map(|near| format!("{ENV_PREFIX}{near}"));
    match same.or(key.map(|key| env_name(key))).or_else(near) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "see `tfo-mcp info --all` for the settings there are".to_owned(),
    }
}
