//! Where every byte of an expanded statement was written.

use std::{collections::HashMap, ops::Range, sync::Arc};

use super::ways::Way;
use crate::{
    diagnostic::{Code, Diagnostic},
    load::Document,
};

/// What is said at the places that include a fragment.
pub(crate) const INCLUDED: &str = "included here";

/// Where the expanded texts of a definition come from.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// By JSON pointer of the text.
    pub(super) texts: HashMap<String, Vec<Piece>>,
    /// The pointer that was written, by pointer of an alternative.
    pub(super) owners: HashMap<String, String>,
    /// Files of which something else than a text was taken over.
    pub(in crate::check) others: Vec<Arc<Document>>,
}

/// A part of an expanded text.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// Where it begins in the expanded text.
    at: usize,
    origin: Origin,
    /// Where it begins in the text that was written.
    from: usize,
}

/// A text that somebody wrote, and what includes it.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub document: Arc<Document>,
    pub pointer: String,
    pub included: Option<Arc<(Origin, Range<usize>)>>,
}

/// The JSON pointer of a text below what it belongs to; one for all dialects has none of their names.
pub(super) fn pointer(owner: &str, dialect: &str) -> String {
    match dialect {
        "" => format!("{owner}/sql"),
        dialect => format!("{owner}/sql/{dialect}"),
    }
}

impl Origins {
    pub(in crate::check) fn besides(self, others: Vec<Arc<Document>>) -> Self {
        Self { others, ..self }
    }

    /// The finding at a part of an expanded text: in the file where that part was written, with the places that include
    /// it.
    pub(crate) fn finding(
        &self,
        document: &Document,
        pointer: &str,
        part: Range<usize>,
        code: Code,
        message: String,
    ) -> Diagnostic {
        let Some((piece, next)) = self.piece(pointer, part.start) else {
            return document.finding(code, document.text_span(self.written(pointer).as_str(), part), message);
        };
        let end = next.map_or(part.end, |next| part.end.min(next)).max(part.start);
        let range = piece.from + (part.start - piece.at)..piece.from + (end - piece.at);
        let origin = &piece.origin;
        origin.finding(code, range, message)
    }

    /// The pointer of what was written, for one of what it has become.
    pub fn written(&self, pointer: &str) -> String {
        let mut owner = pointer;
        loop {
            if let Some(written) = self.owners.get(owner) {
                return format!("{written}{}", pointer.get(owner.len()..).unwrap_or_default());
            }
            match owner.rfind('/') {
                Some(at) => owner = owner.get(..at).unwrap_or_default(),
                None => return pointer.to_owned(),
            }
        }
    }

    /// Whether a key stands beside `sql:` where a byte of a text was written, or where that is included.
    pub(crate) fn says(&self, document: &Document, pointer: &str, at: usize, key: &str) -> bool {
        // `…/sql`, or `…/sql/postgres`; what says `use:` is no statement.
        let beside = |document: &Document, pointer: &str| {
            let above = pointer.rsplit_once('/').and_then(|(above, _)| above.strip_suffix("/sql"));
            pointer.strip_suffix("/sql").or(above).is_some_and(|owner| document.has(&format!("{owner}/{key}")))
        };
        let Some((piece, _)) = self.piece(pointer, at) else { return beside(document, &self.written(pointer)) };
        let mut around = Some(&piece.origin);
        while let Some(origin) = around {
            if beside(&origin.document, &origin.pointer) {
                return true;
            }
            around = origin.included.as_deref().map(|(outer, _)| outer);
        }
        false
    }

    /// Whether a text holds fragments.
    pub(crate) fn includes(&self, pointer: &str) -> bool {
        self.texts.contains_key(pointer)
    }

    /// Files that something of the definition comes from.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &Arc<Document>> {
        self.texts.values().flatten().map(|piece| &piece.origin.document).chain(&self.others)
    }

    fn piece(&self, pointer: &str, at: usize) -> Option<(&Piece, Option<usize>)> {
        let pieces = self.texts.get(pointer)?;
        let index = pieces.iter().rposition(|piece| piece.at <= at)?;
        Some((pieces.get(index)?, pieces.get(index + 1).map(|next| next.at)))
    }
}

/// An expanded text.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub sql: String,
    pub pieces: Vec<Piece>,
}

impl Written {
    pub fn copy(&mut self, text: &str, range: Range<usize>, origin: &Origin) {
        if range.is_empty() {
            return;
        }
        self.pieces.push(Piece { at: self.sql.len(), origin: origin.clone(), from: range.start });
        self.sql.push_str(text.get(range).unwrap_or_default());
    }
}

impl Origin {
    pub(super) fn of_fragment(way: &Way, dialect: &str, at: Option<(Origin, Range<usize>)>) -> Self {
        let pointer = pointer(&format!("/query/{}", way.at), dialect);
        Self { document: way.document.clone(), pointer, included: at.map(Arc::new) }
    }

    pub fn finding(&self, code: Code, range: Range<usize>, message: String) -> Diagnostic {
        let span = self.document.text_span(&self.pointer, range);
        let mut finding = self.document.finding(code, span, message);
        let mut around = self.included.as_deref();
        while let Some((outer, tag)) = around {
            let span = outer.document.text_span(&outer.pointer, tag.clone());
            finding = finding.related(&outer.document.file, span, INCLUDED);
            around = outer.included.as_deref();
        }
        finding
    }
}
