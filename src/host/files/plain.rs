//! Texts in which nothing is masked, so that searching a folder again does not mask all of it again.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, PoisonError},
};

use crate::masking::{Lines, Masking};

/// As many texts are remembered.
const MOST: usize = 200_000;

/// What is known of texts, by a keyed hash of all that they say: a text that was changed is another one.
#[derive(Debug, Clone, Default)]
pub(super) struct Plain(Arc<(RandomState, Mutex<HashSet<u64>>)>);

impl Plain {
    /// The lines of a text as answers show them; none where nothing in it is masked.
    pub(super) fn lines<'t>(&self, masking: &Masking, text: &'t str) -> Option<Lines<'t>> {
        let (state, known) = &*self.0;
        let hash = state.hash_one(text);
        let known = || known.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains(&hash) {
            return None;
        }
        let lines = masking.lines(text);
        if lines.count() > 0 {
            return Some(lines);
        }
        let mut known = known();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(hash);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_to_be_plain_only_as_it_is_and_one_that_is_masked_never() {
        let plain = Plain::default();
        let masked = |text: &str| plain.lines(Masking::secrets(), text).map(|lines| lines.count());
        for _ in 0..2 {
            assert_eq!(masked("LOG=info\n"), None);
            assert_eq!(masked("DB_PASSWORD=hunter2X9\n"), Some(1));
            assert_eq!(masked("LOG=info\nDB_PASSWORD=hunter2X9\n"), Some(1));
        }
        assert_eq!(plain.0.1.lock().unwrap().len(), 1);
    }
}
