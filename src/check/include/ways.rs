//! The fragments that count, each with the ways to write it: its own, then those that fragments of other names add.

use std::{collections::HashMap, sync::Arc};

use crate::{
    definition::{Alternative, Fragment, Parameters},
    diagnostic::{Code, Diagnostic, did_you_mean},
    load::Document,
};

/// Fragments by name.
#[derive(Default)]
pub(in crate::check) struct Fragments(HashMap<String, Ways>);

/// A fragment as statements include it.
pub(super) struct Ways {
    pub(super) source: String,
    /// Those of whoever adds to it included.
    pub(super) parameters: Parameters,
    pub(super) all: Vec<Way>,
}

/// One way to write a fragment.
pub(super) struct Way {
    pub(super) part: Alternative,
    /// Where it was written, and as which alternative there.
    pub(super) document: Arc<Document>,
    pub(super) at: usize,
}

impl Fragments {
    /// The fragments in effect, in the order of packs.
    pub(in crate::check) fn new(effective: &[(&Fragment, &Arc<Document>)], out: &mut Vec<Diagnostic>) -> Self {
        let own = effective.iter().map(|(fragment, document)| {
            let ways = Ways {
                source: fragment.source.0.clone(),
                parameters: fragment.parameters.clone(),
                all: ways(fragment, document).collect(),
            };
            (fragment.name.0.clone(), ways)
        });
        let mut found = Self(own.collect());
        for (fragment, document) in effective {
            let Some(to) = &fragment.adds_to else { continue };
            let target = effective.iter().find(|(other, _)| other.name == *to);
            let fault = match (target, found.0.get_mut(&**to)) {
                (Some((target, _)), Some(ways)) if target.adds_to.is_none() && target.source == fragment.source => {
                    for (name, parameter) in &fragment.parameters {
                        ways.parameters.entry(name.clone()).or_insert_with(|| parameter.clone());
                    }
                    ways.all.extend(self::ways(fragment, document));
                    continue;
                }
                (Some((target, _)), _) if target.adds_to.is_some() => {
                    let message = format!("the fragment `{to}` adds to another itself");
                    document.finding(Code::FragmentUse, document.span("/adds_to"), message)
                }
                (Some((target, _)), _) => {
                    let message =
                        format!("the fragment `{to}` is of `{}`, and this is of `{}`", target.source, fragment.source);
                    document.finding(Code::FragmentUse, document.span("/adds_to"), message)
                }
                (None, _) => {
                    let message = format!("there is no fragment `{to}`");
                    let finding = document.finding(Code::UnknownReference, document.span("/adds_to"), message);
                    let known = effective.iter().map(|(other, _)| &*other.name).filter(|name| *name != &*fragment.name);
                    match did_you_mean(to, known) {
                        Some(meant) => finding.label(format!("did you mean `{meant}`?")),
                        None => finding,
                    }
                }
            };
            out.push(fault);
        }
        found
    }

    pub(super) fn get(&self, name: &str) -> Option<&Ways> {
        self.0.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A way to write a fragment, by its place among them.
    pub(super) fn way(&self, name: &str, way: usize) -> Option<&Way> {
        self.0.get(name)?.all.get(way)
    }
}

fn ways<'f>(fragment: &'f Fragment, document: &'f Arc<Document>) -> impl Iterator<Item = Way> + 'f {
    let way = |(at, part): (usize, &Alternative)| Way { part: part.clone(), document: document.clone(), at };
    fragment.query.iter().enumerate().map(way)
}
