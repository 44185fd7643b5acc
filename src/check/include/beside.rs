//! Statements that stand beside another: what counts its rows, and what proves the sums that it reads.

use super::{Chosen, Work, Written, including};
use crate::definition::{Alternative, LogicalSource, Name, SqlText, Summed};

impl Work<'_> {
    /// The fragments that are statements of their own beside this one.
    pub(super) fn beside(&self, written: &Alternative, chosen: &Chosen) -> Vec<Name> {
        let sampled = self.said(written, chosen, |way| way.sampled.as_ref());
        let weigh = sampled.map(|sampled| &sampled.weigh);
        let sums = sampled.and_then(|sampled| sampled.sums.as_ref());
        let proof = self.said(written, chosen, |way| way.kept.as_ref().map(|kept| &kept.proof));
        weigh.into_iter().chain(sums).chain(proof).cloned().collect()
    }

    /// The fragment that counts by sums, without whose tables the statement can be run.
    pub(super) fn counts<'w>(&'w self, written: &'w Alternative, chosen: &Chosen) -> Option<&'w str> {
        self.said(written, chosen, |way| way.sampled.as_ref()?.sums.as_ref()).map(|name| &**name)
    }

    /// Writes them out. None: they are written for other dialects.
    pub(super) fn write_beside(
        &self,
        made: &mut Alternative,
        owner: &str,
        source: &str,
        chosen: &Chosen,
    ) -> Option<()> {
        if let Some(sampled) = &mut made.sampled {
            sampled.sql = Some(self.alone(&sampled.weigh, owner, source, chosen)?);
            if let Some(sums) = &sampled.sums {
                let sql = self.alone(sums, owner, source, chosen)?;
                let way = self.fragments.way(sums, *chosen.get(&**sums)?)?;
                sampled.summed = Some(Summed { requires: way.part.requires.clone(), sql });
            }
        }
        if let Some(kept) = &mut made.kept {
            kept.sql = Some(self.alone(&kept.proof, owner, source, chosen)?);
        }
        Some(())
    }

    /// A fragment as a statement of its own.
    fn alone(&self, name: &str, owner: &str, source: &str, chosen: &Chosen) -> Option<SqlText> {
        let mut out = Written::default();
        let dialect = LogicalSource::dialects_of(source).first().copied();
        self.write(&including(name), &self.origin(owner, ""), dialect, chosen, &mut out)
            .then_some(SqlText::Any(out.sql))
    }
}
