//! Lists of known values with their statements compiled.

use super::{CompiledSql, Compiler, texts::Texts};
use crate::definition::{Kind, Place, Values};

/// The variable of their statements with which the values asked for contain it.
pub const CONTAINS: &str = "contains";

/// A list of known values.
pub struct ValuesEntry {
    pub definition: Values,
    pub places: Vec<PlaceEntry>,
}

/// A place where they are found, and its compiled alternatives.
pub struct PlaceEntry {
    pub name: String,
    pub definition: Place,
    pub alternatives: Vec<CompiledSql>,
}

impl ValuesEntry {
    /// Whether they are known by when they were recorded. Others are on record, whatever the window.
    pub fn has_times(&self) -> bool {
        self.timed().next().is_some()
    }

    /// The sources that say of them when they were recorded.
    pub fn timed(&self) -> impl Iterator<Item = &str> {
        let has_times = |place: &&PlaceEntry| {
            let queries = place.definition.query.iter();
            queries.flat_map(|alternative| alternative.sql.texts()).any(|text| text.contains(LAST_SEEN))
        };
        self.places.iter().filter(has_times).map(|place| &*place.definition.source.0)
    }
}

impl PlaceEntry {
    /// Which time the values of it are of.
    pub fn reach(&self) -> Reach {
        let texts = || self.definition.query.iter().map(|alternative| &alternative.sql);
        match (texts().any(|sql| sql.mentions("from")), texts().any(|sql| sql.mentions("to"))) {
            (true, _) => Reach::Window,
            (false, true) => Reach::End,
            (false, false) => Reach::Always,
        }
    }
}

/// Which time values are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// They were recorded in the window.
    Window,
    /// They were on record by its end.
    End,
    /// Whatever the window.
    Always,
}

/// The column of their statements that says when a value was last recorded.
const LAST_SEEN: &str = "last_seen";

impl Compiler<'_> {
    pub(super) fn values(&mut self, definition: Values) {
        let name = definition.name.0.clone();
        let mut places = Vec::with_capacity(definition.places.len());
        for (place_name, place) in &definition.places {
            let alternatives = place.query.iter().enumerate().map(|(n, alternative)| {
                let key = format!("values/{name}/{place_name}/{n}");
                self.alternative(Kind::Values, &name, &key, &place.source, alternative)
            });
            let alternatives = alternatives.collect();
            places.push(PlaceEntry { name: place_name.clone(), definition: place.clone(), alternatives });
        }
        self.catalog.known_values.insert(name, ValuesEntry { definition, places });
    }
}
