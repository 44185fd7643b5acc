//! Names across files and packs: stem, duplicates, overrides, aliases; and which definitions are in effect.

use std::collections::HashMap;

use crate::{
    definition::Kind,
    diagnostic::{Code, Diagnostic},
    load::{Document, Pack, TemplateFile},
};

/// A document as far as its kind and name are known, whatever else is wrong with it.
pub(super) struct Named<'a> {
    pub(super) document: &'a Document,
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    /// Whether its own findings are wanted.
    pub(super) trusted: bool,
}

/// Which of the named documents are in effect.
pub(super) fn settle(all: &[Named<'_>], packs: &[Pack], out: &mut Vec<Diagnostic>) -> Vec<bool> {
    let mut effective = vec![false; all.len()];
    let mut seen: HashMap<(Kind, &str), usize> = HashMap::new();
    for (index, named) in all.iter().enumerate() {
        let Named { document, kind, name, trusted } = named;
        // Found out only for a finding: documents of the binary are parsed for it.
        let at = || document.span("/name");
        if *name != document.stem && !trusted {
            out.push(
                document
                    .finding(Code::NameStem, at(), format!("`{name}` is not the name of the file"))
                    .help(format!("rename the file to `{name}.yaml`, or write `name: {}`", document.stem)),
            );
        }
        let overrides = document.value.get("override").and_then(serde_json::Value::as_bool).unwrap_or_default();
        let Some(before) = seen.get(&(*kind, *name)).copied() else {
            if overrides {
                let message = format!("no earlier pack has a {kind} `{name}` to override");
                let mut finding = document.finding(Code::OverridesNothing, document.key_span("/override"), message);
                let known = all.iter().filter(|other| other.kind == *kind).map(|other| other.name);
                if let Some(meant) = crate::diagnostic::did_you_mean(name, known) {
                    finding = finding.help(format!("did you mean `{meant}`?"));
                } else {
                    finding = finding.help("correct the name, or remove `override:`");
                }
                out.push(finding);
            }
            seen.insert((*kind, name), index);
            mark(&mut effective, index, true);
            continue;
        };
        let Some(first) = all.get(before) else { continue };
        let stands_in = packs.get(document.pack).is_some_and(|pack| pack.stands_in);
        if first.document.pack == document.pack {
            out.push(
                document
                    .finding(Code::DuplicateName, at(), format!("a second {kind} is called `{name}`"))
                    .label("again here")
                    .related(&first.document.file, first.document.span("/name"), "first here")
                    .help("Rename one of them."),
            );
        } else if overrides || stands_in {
            mark(&mut effective, before, false);
            mark(&mut effective, index, true);
            seen.insert((*kind, name), index);
        } else {
            let pack = packs.get(first.document.pack).map_or("an earlier pack", |pack| pack.name.as_str());
            out.push(
                document
                    .finding(Code::MissingOverride, at(), format!("the {kind} `{name}` exists already in {pack}"))
                    .related(&first.document.file, first.document.span("/name"), "it stays in effect")
                    .help("Add `override: true` to replace it, or choose another name."),
            );
        }
    }
    aliases(all, &effective, out);
    effective
}

/// The templates in effect: the last of each name.
pub(super) fn settle_templates(templates: Vec<TemplateFile>, out: &mut Vec<Diagnostic>) -> Vec<TemplateFile> {
    let mut settled: Vec<TemplateFile> = Vec::with_capacity(templates.len());
    for template in templates {
        match settled.iter_mut().find(|other| other.name == template.name) {
            None => settled.push(template),
            Some(other) if other.pack != template.pack => *other = template,
            Some(other) => {
                let message = format!("a second template is called `{}`", template.name);
                out.push(
                    Diagnostic::new(Code::DuplicateName, &template.file, 0..0, message)
                        .related(&other.file, 0..0, "first here")
                        .help("Rename one of them."),
                );
            }
        }
    }
    settled
}

fn mark(effective: &mut [bool], index: usize, value: bool) {
    if let Some(slot) = effective.get_mut(index) {
        *slot = value;
    }
}

/// An alias that is the name or an alias of another context type.
fn aliases(all: &[Named<'_>], effective: &[bool], out: &mut Vec<Diagnostic>) {
    let contexts: Vec<&Named<'_>> = all
        .iter()
        .zip(effective)
        .filter(|(named, on)| **on && named.kind == Kind::Context)
        .map(|(named, _)| named)
        .collect();
    let names: HashMap<&str, &Named<'_>> = contexts.iter().map(|named| (named.name, *named)).collect();
    let mut seen: HashMap<&str, (&Document, String)> = HashMap::new();
    for named in &contexts {
        let list = named.document.value.get("aliases").and_then(serde_json::Value::as_array);
        for (n, alias) in list.into_iter().flatten().enumerate() {
            let Some(alias) = alias.as_str() else { continue };
            let pointer = format!("/aliases/{n}");
            let (other, at) = match (names.get(alias), seen.get(alias)) {
                (Some(other), _) => (other.document, "/name".to_owned()),
                (None, Some((other, at))) => (*other, at.clone()),
                (None, None) => {
                    seen.insert(alias, (named.document, pointer));
                    continue;
                }
            };
            let message = format!("the alias `{alias}` already names a context type");
            out.push(
                named
                    .document
                    .finding(Code::AliasCollision, named.document.span(&pointer), message)
                    .label("could never be asked for")
                    .related(&other.file, other.span(&at), "this one is found")
                    .help("Remove the alias from one of them."),
            );
        }
    }
}
