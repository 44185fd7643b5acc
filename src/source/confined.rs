//! Definitions' statements with the organisation written into them once more, made once for each text.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{SourceError, refused};
use crate::sql::{
    Bind, Dialect, Statement,
    guard::{Guarded, Scope, confine},
};

/// The organisation for which a statement is planned and not run.
pub(super) const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// Most texts that are kept. A definition has one for each combination of its optional parts.
const MOST: usize = 1000;

/// What became of each text. It lives as long as what is known of the tables.
#[derive(Default)]
pub(super) struct Confined(Mutex<HashMap<Text, Option<Arc<Guarded>>>>);

/// A text and the number of its values.
type Text = (String, usize);

impl Confined {
    /// The statement confined to an organisation; none where it reads nobody's rows.
    pub fn confine(
        &self,
        dialect: Dialect,
        statement: &Statement,
        scope: &Scope<'_>,
        organization_id: impl FnOnce() -> Bind,
    ) -> Result<Option<Statement>, SourceError> {
        let key = (statement.sql.clone(), statement.binds.len());
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let guarded = match known {
            Some(known) => known,
            None => {
                let guarded = confine(dialect, &statement.sql, scope).map_err(|error| refused(&error))?.map(Arc::new);
                let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                if texts.len() >= MOST {
                    texts.clear();
                }
                texts.insert(key, guarded.clone());
                guarded
            }
        };
        let Some(guarded) = guarded else { return Ok(None) };
        let mut binds = statement.binds.clone();
        if guarded.binds_organization {
            binds.push(organization_id());
        }
        Ok(Some(Statement { sql: guarded.sql.clone(), binds }))
    }
}
