//! Places of a text that are masked: in order and apart.

use std::{borrow::Cow, ops::Range};

use super::MASK;

/// Places of a text, and further ones that were found in it when those were masked.
pub(super) fn joined(places: &[Range<usize>], new: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut all = places.to_vec();
    // How many of the first are passed, and what they took and gave until there.
    let (mut passed, mut taken, mut given) = (0, 0, 0);
    let mut original = |at: usize, is_end: bool| {
        while let Some(place) = places.get(passed) {
            let begins = place.start - taken + given;
            if at < begins || (at == begins && is_end) {
                break;
            }
            if at < begins + MASK.len() {
                return if is_end { place.end } else { place.start };
            }
            passed += 1;
            taken += place.len();
            given += MASK.len();
        }
        at + taken - given
    };
    for place in new {
        let start = original(place.start, false);
        all.push(start..original(place.end, true).max(start));
    }
    apart(all)
}

/// Places in order, those that overlap as one.
pub(super) fn apart(mut all: Vec<Range<usize>>) -> Vec<Range<usize>> {
    all.sort_by_key(|place| (place.start, place.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(all.len());
    for place in all {
        match apart.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => apart.push(place),
        }
    }
    apart
}

/// The text as it is, or with a mask in each of these places.
pub(super) fn shown<'t>(text: &'t str, places: &[Range<usize>]) -> Cow<'t, str> {
    if places.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(without(text, places)) }
}

/// The text with a mask in each of these places.
pub(super) fn without(text: &str, places: &[Range<usize>]) -> String {
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for place in places {
        shown.push_str(text.get(at..place.start).unwrap_or_default());
        shown.push_str(MASK);
        at = place.end;
    }
    shown + text.get(at..).unwrap_or_default()
}
