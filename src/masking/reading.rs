//! A text as somebody reads it who passes over what is written around it: what is to be masked of that is known by what it says,
//! and masked where it is written.

use std::ops::Range;

/// Another reading of a text, and where each part of it is written.
#[derive(Default)]
pub(super) struct Reading {
    text: String,
    /// Where each part begins here, and where it is written. A part that has another length there stands for all of that.
    parts: Vec<(usize, Range<usize>)>,
}

impl Reading {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Goes on with what some bytes of the text say.
    pub(super) fn push(&mut self, said: &str, written: Range<usize>) {
        let begins = self.text.len();
        self.text.push_str(said);
        match self.parts.last_mut() {
            // As it is written, on both sides of the seam.
            Some((at, last))
                if last.end == written.start && begins - *at == last.len() && said.len() == written.len() =>
            {
                last.end = written.end;
            }
            _ => self.parts.push((begins, written)),
        }
    }

    /// Ends a part: what follows says nothing of it.
    pub(super) fn part(&mut self) {
        let end = self.parts.last().map_or(0, |(_, last)| last.end);
        self.push("\n\u{1}\n", end..end);
    }

    /// Places of this reading where they are written: what was passed over stays, and blanks beside it.
    pub(super) fn written(&self, places: &[Range<usize>]) -> Vec<Range<usize>> {
        let mut all: Vec<Range<usize>> = Vec::new();
        for place in places {
            let first = self.parts.partition_point(|(at, _)| *at <= place.start).saturating_sub(1);
            // Where the last part of the place ends, and how many blanks it ends with.
            let mut open: Option<(usize, usize)> = None;
            for (number, (at, written)) in self.parts.iter().enumerate().skip(first) {
                if *at >= place.end {
                    break;
                }
                let end = self.parts.get(number + 1).map_or(self.text.len(), |(next, _)| *next);
                let (from, to) = (place.start.max(*at), place.end.min(end));
                let as_written = end - at == written.len();
                let said = self.text.get(from..to).unwrap_or_default();
                let part = match as_written {
                    true => written.start + from - at..written.start + to - at,
                    false => written.clone(),
                };
                let blanks = |trimmed: &str| if as_written { said.len() - trimmed.len() } else { 0 };
                let (before, behind) = (blanks(said.trim_start()), blanks(said.trim_end()));
                if part.is_empty() {
                    continue;
                }
                match open.filter(|(end, _)| *end == part.start).and(all.last_mut()) {
                    Some(last) => last.end = part.end,
                    None => {
                        if let (Some((_, blanks)), Some(last)) = (open, all.last_mut()) {
                            last.end -= blanks;
                        }
                        // Nothing but blanks is no secret.
                        if before == part.len() {
                            open = None;
                            continue;
                        }
                        all.push(part.start + before..part.end);
                    }
                }
                open = Some((part.end, behind));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_masked_where_it_is_written_and_what_was_passed_over_stays() {
        let mut reading = Reading::default();
        // `# a &amp; b⏎#  c`, without the signs of remarks.
        for (said, written) in [("a ", 2..4), ("&", 4..9), (" b\n", 9..12), ("  c", 13..16)] {
            reading.push(said, written);
        }
        assert_eq!(reading.text(), "a & b\n  c");
        for (said, written) in [(0..4, vec![(2, 10)]), (2..3, vec![(4, 9)]), (4..9, vec![(10, 11), (15, 16)])] {
            let places: Vec<_> = reading.written(&[said]).iter().map(|place| (place.start, place.end)).collect();
            assert_eq!(places, written);
        }
    }
}
