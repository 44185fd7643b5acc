//! Outputs of steps that are not there when they are read: of a step that was not run, and of one that failed.

use super::{jinja::Analysis, templates::Site};
use crate::{
    definition::Step,
    diagnostic::{Code, Diagnostic},
};

/// Outputs of steps that may not run, where neither the `own` condition nor a text of the step asks whether they did.
pub(super) fn check(
    kept: &[(&str, &Step)],
    own: Option<&str>,
    read: &[(&Site<'_>, Analysis)],
    out: &mut Vec<Diagnostic>,
) {
    for (name, when) in kept.iter().filter_map(|(name, step)| Some((*name, step.when.as_deref()?))) {
        let always = kept.iter().any(|(other, step)| *other == name && step.when.is_none());
        if always || own.is_some_and(|own| own.contains(when.trim())) {
            continue;
        }
        let uses = read.iter().flat_map(|(site, found)| found.variables.iter().map(move |variable| (site, variable)));
        let uses: Vec<_> = uses.filter(|(_, variable)| variable.name == name).collect();
        if let Some((site, variable)) = uses.first().filter(|_| !uses.iter().any(|(_, variable)| variable.optional)) {
            let span = site.document.text_span(&site.pointer, variable.range.clone());
            let message = format!("the output `{name}` is not there when the `when:` of its step does not hold");
            let finding = site.document.finding(Code::AbsentSection, span, message);
            out.push(finding.help(format!("ask first: `{name} is defined`, in `when:` or in the text")));
        }
    }
}

/// Members of outputs of steps that may fail, and have `error` instead then, where no text of the step asks whether they did.
pub(super) fn check_failed(kept: &[(&str, &Step)], read: &[(&Site<'_>, Analysis)], out: &mut Vec<Diagnostic>) {
    for (name, _) in kept.iter().filter(|(_, step)| step.optional) {
        if kept.iter().any(|(other, step)| other == name && !step.optional) {
            continue;
        }
        let uses = read.iter().flat_map(|(site, found)| found.variables.iter().map(move |variable| (site, variable)));
        let uses = uses.filter(|(_, variable)| variable.name == *name);
        let uses: Vec<_> = uses.filter_map(|(site, used)| Some((site, used, used.attributes.first()?))).collect();
        if uses.iter().any(|(_, variable, member)| variable.optional || *member == "error") {
            continue;
        }
        if let Some((site, variable, member)) = uses.first() {
            let span = site.document.text_span(&site.pointer, variable.range.clone());
            let message = format!("the output `{name}` has `error` instead of `{member}` when its step fails");
            let finding = site.document.finding(Code::AbsentSection, span, message);
            out.push(finding.help(format!("ask first: `{name}.{member} is defined`, in `when:` or in the text")));
        }
    }
}
