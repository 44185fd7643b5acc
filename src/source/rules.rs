//! What packs say of tables, as a source knows it: what is shipped, until it is told more.

use std::sync::{Arc, PoisonError, RwLock};

use crate::{definition::shipped_rules, sql::tenancy::TableRules};

pub(super) struct Rules(RwLock<Arc<TableRules>>);

impl Default for Rules {
    fn default() -> Self {
        Self(RwLock::new(shipped_rules()))
    }
}

impl Rules {
    pub fn get(&self) -> Arc<TableRules> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whoever is told forgets nothing that is shipped.
    pub fn set(&self, rules: &TableRules) {
        let rules = (*shipped_rules()).clone().with(rules);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if **known != rules {
            *known = Arc::new(rules);
        }
    }
}
