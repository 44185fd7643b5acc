//! Pieces of longer texts: what stands before and behind a piece tells what in it is masked.

use std::{borrow::Cow, ops::Range};

use super::{
    MASK, Masking, joined,
    opened::{self, Before, Opened},
    without,
};

/// How much of a text is looked through before a piece of it, in bytes: as long as a private key may be.
pub const AROUND: usize = 128 << 10;

/// The same behind it: what tells of a value stands before, and only its own end behind.
pub const BEHIND: usize = 16 << 10;

/// Longest text that is looked through whole for each piece of it, in bytes: what names a value may stand anywhere before it.
pub const WHOLE: u64 = 4 << 20;

impl Masking {
    /// A piece of a text, masked as it would be in the whole of it, and how often that was. None: nothing is masked. `opened` is what
    /// stands open where the text before the piece begins.
    pub fn piece(&self, opened: &Opened, before: &str, piece: &str, after: &str) -> Option<(String, usize)> {
        let (far, near) = before.split_at(before.ceil_char_boundary(before.len().saturating_sub(AROUND)));
        let (after, behind) = after.split_at(after.floor_char_boundary(BEHIND));
        let after = match opened::kind_behind(behind) {
            Some(kind) => Cow::Owned(format!("{after}\n{kind}\n")),
            None => Cow::Borrowed(after),
        };
        if opened.is_empty() && far.is_empty() || !self.secrets {
            return self.of_whole(near, piece, &after);
        }
        let mut opened = opened.clone();
        opened.take(far.as_bytes());
        let line = |end: usize| Some((MASK.to_owned() + piece.get(end..)?, 1)).filter(|_| end > 0);
        match opened.before() {
            Before::Lines(said) => self.of_whole(&(said + near), piece, &after),
            Before::Line if near.contains('\n') => self.of_whole(near, piece, &after),
            Before::Line => {
                let (end, shown) = (piece.find('\n').unwrap_or(piece.len()), self.of_whole(near, piece, &after));
                line(end)
                    .map(|hidden| match piece.get(end..).and_then(|rest| self.of_whole("", rest, &after)) {
                        Some((rest, count)) => (MASK.to_owned() + &rest, count + 1),
                        None => hidden,
                    })
                    .or(shown)
            }
            Before::All => line(piece.trim_end().len()),
        }
    }

    /// The same of a text that is short enough to be looked through from its beginning to its end ([`WHOLE`]).
    pub fn of_whole(&self, before: &str, piece: &str, after: &str) -> Option<(String, usize)> {
        let whole = [before, piece, after].concat();
        let places = within(&self.places(&whole), before.len()..before.len() + piece.len());
        // What its context hides by chance is seen in the piece itself.
        let places = if places.is_empty() { self.places(piece) } else { places };
        (!places.is_empty()).then(|| (without(piece, &places), places.len()))
    }

    /// Bytes before a piece, below the lines that stand open where they begin. Letters of several bytes are left as they are.
    pub fn opened_before(&self, opened: &Opened, before: Vec<u8>) -> Vec<u8> {
        match opened.before() {
            Before::Lines(said) if self.secrets && !before.contains(&0) && !opened.is_empty() => {
                [said.as_bytes(), &before].concat()
            }
            _ => before,
        }
    }

    /// The lines of a text, masked as in the whole of it.
    pub fn lines<'t>(&self, text: &'t str) -> Lines<'t> {
        Lines::new(text, self.places(text))
    }

    /// The lines of a text, in which these places are masked, and of what becomes of it where as many bytes as `lengths` says first
    /// are replaced by as many as it says then, wherever `stands` says: what is masked in one is in the other, where it comes
    /// from it. None: it would not be masked any more once it is read again.
    pub fn sides<'t>(
        &self,
        (text, changed): (&'t str, &'t str),
        left: Vec<Range<usize>>,
        stands: &[usize],
        (old, new): (usize, usize),
    ) -> Option<Sides<'t>> {
        let right = self.places(changed);
        if left.is_empty() && right.is_empty() {
            return Some(Sides { left: Lines::new(text, left), right: Lines::new(changed, right), kept: Vec::new() });
        }
        // What stays, with where it moves to.
        let mut kept: Vec<(Range<usize>, usize)> = Vec::new();
        let (mut from, mut to) = (0, 0);
        for at in stands.iter().copied() {
            kept.push((from..at, to));
            to += at - from + new;
            from = at + old;
        }
        kept.push((from..text.len(), to));
        let moved = |places: &[Range<usize>], back: bool| -> Vec<Range<usize>> {
            let parts = kept.iter().flat_map(|(from, to)| {
                let to = *to..to + from.len();
                let (source, target) = if back { (to, from.clone()) } else { (from.clone(), to) };
                let begins = places.partition_point(|place| place.end <= source.start);
                let of =
                    places.get(begins..).unwrap_or_default().iter().take_while(move |place| place.start < source.end);
                let part = move |place: &Range<usize>| {
                    let start = place.start.max(source.start) - source.start;
                    let end = place.end.min(source.end) - source.start;
                    target.start + start..target.start + end
                };
                of.map(part).collect::<Vec<_>>()
            });
            parts.filter(|place| !place.is_empty()).collect()
        };
        let both = |own: &[Range<usize>], other: Vec<Range<usize>>| {
            let all: Vec<Range<usize>> = own.iter().cloned().chain(other).collect();
            joined(&[], &all)
        };
        let (to_right, to_left) = (moved(&left, false), moved(&right, true));
        let stays = |place: &Range<usize>| {
            let from = right.partition_point(|masked| masked.end <= place.start);
            right.get(from).is_some_and(|masked| masked.start <= place.start && place.end <= masked.end)
        };
        if !to_right.iter().all(stays) || !self.stays_by_its_place((text, changed), (&left, &to_right)) {
            return None;
        }
        let (left, right) = (both(&left, to_left), both(&right, to_right));
        Some(Sides { left: Lines::new(text, left), right: Lines::new(changed, right), kept })
    }
}

impl Masking {
    /// Whether what is masked for where it stands still is, whatever it says: a text of letters in its place is masked in both.
    /// Without that the refusal of an edit would tell of what kind a secret is.
    fn stays_by_its_place(
        &self,
        (text, changed): (&str, &str),
        (places, moved): (&[Range<usize>], &[Range<usize>]),
    ) -> bool {
        let (before, after) = (lettered(text, places), lettered(changed, moved));
        let (before, after) = (self.places(&before), self.places(&after));
        let is_in = |all: &[Range<usize>], place: &Range<usize>| {
            let from = all.partition_point(|masked| masked.end <= place.start);
            all.get(from).is_some_and(|masked| masked.start <= place.start && place.end <= masked.end)
        };
        places.iter().zip(moved).all(|(was, is)| !is_in(&before, was) || is_in(&after, is))
    }
}

/// The text with letters of the same length in these places.
fn lettered(text: &str, places: &[Range<usize>]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        filled.push_str(text.get(from..place.start).unwrap_or_default());
        filled.extend("hunter".chars().cycle().take(place.len()));
        from = place.end;
    }
    filled + text.get(from..).unwrap_or_default()
}

/// The places that lie in a part of a text, as they are in that part.
pub(super) fn within(places: &[Range<usize>], part: Range<usize>) -> Vec<Range<usize>> {
    let cut = |place: &Range<usize>| {
        let (start, end) = (place.start.max(part.start), place.end.min(part.end));
        (start < end).then(|| start - part.start..end - part.start)
    };
    places.iter().filter_map(cut).collect()
}

/// Lines of a text, of which each is shown as it would be in the whole.
pub struct Lines<'t> {
    text: &'t str,
    /// Where each begins.
    begins: Vec<usize>,
    places: Vec<Range<usize>>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str, places: Vec<Range<usize>>) -> Self {
        let begins = match places.is_empty() {
            true => Vec::new(),
            false => std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect(),
        };
        Self { text, begins, places }
    }

    /// How many places of the text are masked.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// A line by its number from 0, without its end. None: nothing in it is masked.
    pub fn masked(&self, number: usize) -> Option<String> {
        let Range { start, end } = self.place(number)?;
        let first = self.places.partition_point(|place| place.end <= start);
        let near = self.places.get(first..)?;
        let near = near.get(..near.partition_point(|place| place.start < end))?;
        let places = within(near, start..end);
        (!places.is_empty()).then(|| without(self.text.get(start..end).unwrap_or_default(), &places))
    }

    /// Where a line stands, without its end.
    fn place(&self, number: usize) -> Option<Range<usize>> {
        let start = *self.begins.get(number)?;
        Some(start..self.begins.get(number + 1).map_or(self.text.len(), |next| next - 1))
    }

    /// The number of the line that stands there to the letter, and ends with a line end or with the text.
    fn at(&self, place: &Range<usize>, ends_the_text: bool) -> Option<usize> {
        let number = self.begins.binary_search(&place.start).ok()?;
        let found = self.place(number)?;
        (found == *place && (found.end == self.text.len()) == ends_the_text).then_some(number)
    }
}

/// The lines of a text and of what becomes of it, as they are shown.
pub struct Sides<'t> {
    pub left: Lines<'t>,
    pub right: Lines<'t>,
    /// What stays, with where it moves to.
    kept: Vec<(Range<usize>, usize)>,
}

impl<'t> Sides<'t> {
    /// What the lines of both are compared by: what they say, and where something in them is masked the place that they come from.
    /// Compared by what they say, they would tell which of many guesses is a secret.
    pub fn keys(&self) -> (Vec<Cow<'t, str>>, Vec<Cow<'t, str>>) {
        // No line has its end in front.
        let own = |lines: &Lines<'t>, sign: char| -> Vec<Cow<'t, str>> {
            let all = lines.text.split_inclusive('\n').enumerate();
            let key = |(number, line)| match lines.masked(number) {
                Some(_) => Cow::Owned(format!("\n{sign}{number}")),
                None => Cow::Borrowed(line),
            };
            all.map(key).collect()
        };
        let (left, mut right) = (own(&self.left, '-'), own(&self.right, '+'));
        for (number, key) in left.iter().enumerate().filter(|(_, key)| matches!(key, Cow::Owned(_))) {
            let same = self.moved(number).and_then(|same| right.get_mut(same));
            if let Some(same) = same.filter(|same| matches!(same, Cow::Owned(_))) {
                same.clone_from(key);
            }
        }
        (left, right)
    }

    /// The number that a line has then, if it stays whole.
    fn moved(&self, number: usize) -> Option<usize> {
        let place = self.left.place(number)?;
        let (from, to) = self.kept.get(self.kept.partition_point(|(from, _)| from.end < place.end))?;
        let begins = to + place.start.checked_sub(from.start)?;
        self.right.at(&(begins..begins + place.len()), place.end == self.left.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "user: ann\npassword: hunter2345\nport: 1\n";

    #[test]
    fn a_piece_is_masked_as_it_would_be_in_the_whole() {
        let masking = Masking::secrets();
        let (before, piece) = TEXT.split_at(TEXT.find("hunter").unwrap());
        let shown = Some(("***\nport: 1\n".to_owned(), 1));
        assert_eq!(masking.of_whole(before, piece, ""), shown);
        assert_eq!(masking.piece(&Opened::default(), before, piece, ""), shown);
        assert_eq!(masking.of_whole("", "port: 1\n", ""), None);
        // Far before, nothing stands open that tells of it.
        let far = "x\n".repeat(AROUND);
        assert_eq!(masking.piece(&Opened::default(), &(far.clone() + before), piece, ""), shown);
        assert_eq!(masking.piece(&Opened::default(), &far, "port: 1\n", ""), None);
        assert_eq!(masking.opened_before(&Opened::default(), b"a: 1\n".to_vec()), b"a: 1\n");
    }

    #[test]
    fn lines_are_masked_as_in_the_whole_text() {
        let masking = Masking::secrets();
        let lines = masking.lines(TEXT);
        assert_eq!(lines.count(), 1);
        let shown: Vec<Option<String>> = (0..5).map(|number| lines.masked(number)).collect();
        assert_eq!(shown, [None, Some("password: ***".to_owned()), None, None, None]);
        let none = masking.lines("port: 1\n");
        assert_eq!((none.count(), none.masked(0)), (0, None));
    }

    #[test]
    fn both_sides_of_a_change_are_compared_by_what_may_be_shown() {
        let masking = Masking::secrets();
        let stands = TEXT.find('1').unwrap();
        let changed = TEXT.replace('1', "20");
        let sides = masking.sides((TEXT, &changed), masking.places(TEXT), &[stands], (1, 2)).unwrap();
        assert_eq!(sides.right.masked(1).as_deref(), Some("password: ***"));
        let (left, right) = sides.keys();
        assert_eq!(left, ["user: ann\n", "\n-1", "port: 1\n"]);
        assert_eq!(right, ["user: ann\n", "\n-1", "port: 20\n"], "a line that stays is the same, whatever it says");
        // What would not be masked any more is not changed.
        let renamed = TEXT.replace("password", "comments");
        let stands = TEXT.find("password").unwrap();
        assert!(masking.sides((TEXT, &renamed), masking.places(TEXT), &[stands], (8, 8)).is_none());
        // Where nothing is masked, lines are what they say.
        let plain = masking.sides(("a\n", "b\n"), Vec::new(), &[0], (1, 1)).unwrap();
        assert_eq!(plain.keys(), (vec!["a\n".into()], vec!["b\n".into()]));
    }

    #[test]
    fn letters_stand_where_places_are() {
        assert_eq!(lettered("a: 12345678, b: 12", &[3..11, 16..18]), "a: hunterhu, b: hu");
        assert_eq!(within(&[0..4, 6..9, 12..14], 2..8), [0..2, 4..6]);
    }
}
