//! The context types, each compiled. Those of the built-in pack are put together when somebody asks for them: a server
//! knows their heads from its start, and most are never asked for.

use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;

use super::{
    CompiledSql,
    next::{self, NextKeys},
    texts::{Deferred, Texts},
};
use crate::{
    definition::{Context, Kind, Section},
    template::Flavour,
};

/// A context type that is put together when somebody asks for it.
#[derive(Clone)]
pub struct Later {
    /// What lists show of it: no highlights, next steps, summary and examples, and sections without their statements.
    pub head: Context,
    /// Puts it together; nothing where that fails, which a test rules out for all that are built in.
    pub whole: Arc<dyn Fn() -> Option<Context> + Send + Sync>,
}

/// A context type and its compiled sections.
pub struct ContextEntry {
    pub definition: Context,
    pub sections: Vec<SectionEntry>,
    /// Keys of the conditions and sentences of `highlights`, in order.
    pub highlights: Vec<HighlightKeys>,
    /// Keys of the texts of `next`, in order.
    pub next: Vec<NextKeys>,
    /// Key of the summary template.
    pub summary: Option<String>,
}

/// Keys of a highlight's templates.
pub struct HighlightKeys {
    pub when: String,
    pub say: String,
}

/// A section and its compiled alternatives.
pub struct SectionEntry {
    pub name: String,
    pub definition: Section,
    /// Key of the condition `when`.
    pub when: Option<String>,
    pub alternatives: Vec<CompiledSql>,
}

/// Context types by name.
#[derive(Default)]
pub struct Contexts {
    types: IndexMap<String, Type>,
    /// Where the texts go of those that are put together later.
    pub(super) deferred: Deferred,
}

enum Type {
    Made(Box<ContextEntry>),
    Later(Box<Later>, OnceLock<Box<ContextEntry>>),
}

impl Contexts {
    pub(super) fn insert(&mut self, entry: ContextEntry) {
        let name = entry.definition.name.0.clone();
        self.types.insert(name, Type::Made(Box::new(entry)));
    }

    pub(super) fn insert_later(&mut self, later: Later) {
        let name = later.head.name.0.clone();
        self.types.insert(name, Type::Later(Box::new(later), OnceLock::new()));
    }

    pub(super) fn sort_keys(&mut self) {
        self.types.sort_keys();
    }

    pub fn len(&self) -> usize {
        self.types.len()
    }

    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.types.keys()
    }

    /// What lists show of all of them: of those that nobody has asked for yet, their heads.
    pub fn heads(&self) -> impl Iterator<Item = &Context> {
        self.types.values().map(|of| match of {
            Type::Made(entry) => &entry.definition,
            Type::Later(later, made) => made.get().map_or(&later.head, |entry| &entry.definition),
        })
    }

    pub fn get(&self, name: &str) -> Option<&ContextEntry> {
        self.types.get(name).map(|of| self.whole(of))
    }

    /// All of them, put together.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &ContextEntry> {
        self.types.values().map(|of| self.whole(of))
    }

    /// As [`values`](Self::values), with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &ContextEntry)> {
        self.types.iter().map(|(name, of)| (name, self.whole(of)))
    }

    fn whole<'t>(&'t self, of: &'t Type) -> &'t ContextEntry {
        match of {
            Type::Made(entry) => entry,
            Type::Later(later, made) => made.get_or_init(|| {
                let context = (later.whole)().unwrap_or_else(|| later.head.clone());
                Box::new(entry(&mut self.deferred.clone(), context))
            }),
        }
    }
}

/// A context type whose texts are given away to be compiled.
pub(super) fn entry(texts: &mut impl Texts, definition: Context) -> ContextEntry {
    let name = definition.name.0.clone();
    let mut sections = Vec::with_capacity(definition.sections.len());
    for (section_name, section) in &definition.sections {
        let key = format!("context/{name}/{section_name}");
        let alternatives = section.query.iter().enumerate();
        let alternatives = alternatives
            .map(|(i, way)| texts.alternative(Kind::Context, &name, &format!("{key}/{i}"), &section.source, way));
        let alternatives = alternatives.collect();
        let when = section.when.as_ref().map(|expression| {
            let key = format!("{key}/when");
            texts.condition(Kind::Context, &name, &key, expression);
            key
        });
        sections.push(SectionEntry { name: section_name.clone(), definition: section.clone(), when, alternatives });
    }
    let mut highlights = Vec::with_capacity(definition.highlights.len());
    for (i, highlight) in definition.highlights.iter().enumerate() {
        let keys = HighlightKeys { when: format!("context/{name}/when/{i}"), say: format!("context/{name}/say/{i}") };
        texts.condition(Kind::Context, &name, &keys.when, &highlight.when);
        texts.text(Flavour::Evidence, Kind::Context, &name, &keys.say, &highlight.say);
        highlights.push(keys);
    }
    let next = next::keys(texts, &name, &definition.next);
    let summary = definition.summary.as_ref().map(|text| {
        let key = format!("context/{name}/summary");
        texts.text(Flavour::Evidence, Kind::Context, &name, &key, text);
        key
    });
    ContextEntry { definition, sections, highlights, next, summary }
}
