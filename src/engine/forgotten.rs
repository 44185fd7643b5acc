//! Numbers of a time before which data begin: what counted nothing there tells nothing.

use serde_json::Value;

use super::{about::about, document::SectionAnswer, news::BEFORE, recorded::Recorded, window::TimeWindow};
use crate::catalog::SectionEntry;

/// Has no number of a time before which its data begin: what counted nothing there tells nothing, and is no nought.
pub(super) fn forget(of: &[SectionEntry], recorded: &[Recorded], compared: TimeWindow, sections: &mut [SectionAnswer]) {
    let is_later = |recorded: &Recorded| recorded.is_unknown_before(compared);
    if !recorded.iter().any(|one| is_later(one) || one.first_within(compared).is_some()) {
        return;
    }
    for section in sections {
        let Some(entry) = of.iter().find(|entry| entry.name == section.name) else { continue };
        let asked = about(entry, recorded);
        // What was never recorded says nothing of that time either.
        let mut known = asked.iter().filter(|recorded| !recorded.is_nowhere()).peekable();
        // Where one kind of data is set against another, what is not known of either is not known of both.
        let paired = !entry.definition.paired.is_empty();
        section.incomparable = known.peek().is_some()
            && if paired { known.any(|one| is_later(one)) } else { known.all(|one| is_later(one)) };
        section.incomparable |= recorded.iter().any(|one| one.is_first_for(entry, compared));
        let is_unknown =
            if paired { asked.iter().any(|one| is_later(one)) } else { asked.iter().all(|one| is_later(one)) };
        if asked.is_empty() || !is_unknown {
            continue;
        }
        let before = section.columns.iter_mut().enumerate().filter(|(_, column)| column.name.starts_with(BEFORE));
        for (at, column) in before {
            // Conditions see again what was counted, where it is known from what never had a number.
            column.forgotten = section.rows.iter().filter_map(|row| row.get(at)).all(|cell| !cell.is_null());
            for cell in section.rows.iter_mut().filter_map(|row| row.get_mut(at)) {
                if cell.as_f64() == Some(0.0) {
                    *cell = Value::Null;
                }
            }
        }
    }
}

/// The rows of a section as conditions judge them, where that is otherwise than they are told: what was not there counts
/// as nought, as statements have it.
pub(super) fn judged(section: &SectionAnswer) -> Option<Value> {
    let forgotten = || section.columns.iter().filter(|column| column.forgotten);
    forgotten().next()?;
    let mut records = section.records();
    for record in records.as_array_mut().into_iter().flatten() {
        for column in forgotten() {
            if let Some(cell) = record.get_mut(&column.name).filter(|cell| cell.is_null()) {
                *cell = 0.into();
            }
        }
    }
    Some(records)
}
