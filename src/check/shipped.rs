//! The built-in pack for a server that has no other. The tests of this repository have proven it, so nothing is judged, and
//! its context types are put together when somebody asks for them.

use std::{collections::BTreeSet, sync::Arc};

use indexmap::IndexMap;

use super::{Read, put_together, reuse};
use crate::{
    catalog::Later,
    definition::{Context, Definition, Kind},
    load::{self, BUILT_IN, BuiltInFile, Document},
};

/// What a catalog of the built-in pack alone is compiled from.
pub struct Shipped {
    pub definitions: Vec<Definition>,
    pub contexts: Vec<Later>,
    /// Prompt templates by name.
    pub templates: IndexMap<String, String>,
}

/// The built-in pack. None: a file of it is broken, and only `check` can say how.
pub fn shipped() -> Option<Shipped> {
    let (mut wanted, mut contexts) = (BTreeSet::new(), Vec::new());
    for (at, file) in BUILT_IN.iter().enumerate().filter(|(_, file)| file.path.ends_with(".yaml")) {
        match Kind::parse(file.kind)? {
            Kind::Context => {
                let whole = Arc::new(move || context(at));
                contexts.push(Later { head: file.head()?, whole });
            }
            // They are parts of others.
            Kind::Fragment | Kind::Parameters => {}
            _ => wanted.extend(file.parts.iter().copied().chain([at])),
        }
    }
    let definitions = read(wanted)?.into_iter().filter_map(|read| read.definition).collect();
    Some(Shipped { definitions, contexts, templates: load::built_in_templates().collect() })
}

/// The context type of a file, with everything that it uses.
fn context(at: usize) -> Option<Context> {
    let file = BUILT_IN.get(at)?;
    let read = read(file.parts.iter().copied().chain([at]).collect())?;
    read.into_iter().filter_map(|read| read.definition).find_map(|definition| match definition {
        Definition::Context(context) if *context.name == *file.name => Some(context),
        _ => None,
    })
}

/// The definitions of files, put together with each other and with the dictionaries of parameters. None: something is
/// wrong with one of them.
fn read(files: BTreeSet<usize>) -> Option<Vec<Read>> {
    let dictionaries = BUILT_IN.iter().filter(|file| file.kind == Kind::Parameters.as_str());
    let files: Vec<&BuiltInFile> = files.into_iter().filter_map(|at| BUILT_IN.get(at)).chain(dictionaries).collect();
    let documents = files.iter().map(|file| file.document().map(Arc::new)).collect::<Option<Vec<Arc<Document>>>>()?;
    let mut donors = reuse::Donors::default();
    for (file, document) in files.iter().zip(&documents) {
        donors.add(Kind::parse(file.kind)?, file.name, document);
    }
    let mut faults = Vec::new();
    let effective = vec![true; documents.len()];
    let read = put_together(&documents, &effective, &donors, |_| true, &mut faults);
    let right = faults.is_empty() && read.iter().all(|read| read.whole && read.diagnostics.is_empty());
    right.then_some(read)
}
