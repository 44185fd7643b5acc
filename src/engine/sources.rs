//! Logical sources: the names that definitions use, bound to databases.

use std::{collections::BTreeMap, sync::Arc};

use crate::source::{Source, SourceError, SourceErrorKind};

/// Databases by logical name. Several names may share one.
#[derive(Clone, Default)]
pub struct Sources(BTreeMap<String, Arc<dyn Source>>);

impl Sources {
    pub fn bind(&mut self, name: &str, source: Arc<dyn Source>) {
        self.0.insert(name.to_owned(), source);
    }

    /// # Errors
    /// `Unavailable` for a name that is bound to nothing.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Source>, SourceError> {
        self.0.get(name).ok_or_else(|| {
            SourceError::new(SourceErrorKind::Unavailable, format!("the source `{name}` is not bound to a database"))
                .hint(format!("the operator binds it in the settings under `sources.{name}`"))
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<dyn Source>)> {
        self.0.iter().map(|(name, source)| (name.as_str(), source))
    }

    /// Ends connections and children of all of them.
    pub async fn close(&self) {
        for source in self.0.values() {
            source.close().await;
        }
    }
}
