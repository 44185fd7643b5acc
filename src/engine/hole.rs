//! Holes in data that come all the time: a collector was down, and nothing of it was recorded.

use super::{
    document::SectionAnswer,
    recorded::INTERVALS,
    window::{TimeWindow, stamp},
};
use crate::definition::Period;

/// The parts of a time that tell whether there is a hole in its data. A hole has at least so many of them, and is so long.
const PARTS: usize = 240;
const EMPTY_PARTS: usize = 3;
const SHORTEST: time::Duration = time::Duration::minutes(3);
/// From so many intervals between parts with data on, these tell by themselves how far apart data come.
const ENOUGH: usize = 20;
/// The most holes of a time.
const MOST: usize = 3;
/// The part of a time, as its reciprocal, that is empty where what was counted in the rest of it is no measure.
const NO_MEASURE: usize = 4;
/// Of a hole so much, in percent, is one at the same place of the other time, where it is a habit, such as the night.
const HABIT: usize = 80;

/// Where none came of what comes all the time otherwise, as far as parts of the times tell it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Holes {
    /// Those that reach into the window, whole, and those that lie before it whole.
    within: Vec<TimeWindow>,
    before: Vec<TimeWindow>,
    /// How many parts of the window, and of the time that it is compared with, are in holes.
    lost: [usize; 2],
}

/// A time, and which of its parts have data.
#[derive(Debug, Clone)]
pub(super) struct Places {
    of: TimeWindow,
    there: Vec<bool>,
}

impl Places {
    /// Of an answer that says where data lie, by the bits of a hexadecimal number.
    pub(super) fn of(answer: &SectionAnswer, of: TimeWindow) -> Option<Self> {
        let at = answer.columns.iter().position(|column| column.name == "places")?;
        let digits = answer.rows.first()?.get(at)?.as_str()?;
        let bits = digits.chars().rev().map(|digit| digit.to_digit(16)).collect::<Option<Vec<u32>>>()?;
        let bit = |part: usize| bits.get(part / 4).is_some_and(|digit| digit >> (part % 4) & 1 == 1);
        Some(Self { of, there: (0..PARTS).map(bit).collect() })
    }

    /// The begin of one of its parts.
    fn time(&self, part: usize) -> time::OffsetDateTime {
        let (part, parts) = (i32::try_from(part).unwrap_or(0), i32::try_from(PARTS).unwrap_or(1));
        self.of.from + self.of.length() * part / parts
    }
}

/// A run of parts without data, of both times one behind the other: that of the window is the second.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Run {
    from: usize,
    to: usize,
}

impl Run {
    fn length(self) -> usize {
        self.to - self.from
    }
}

impl Holes {
    /// Finds them in a window, and in the time that it is compared with if that is asked for, where data come each `every`
    /// or so. `earlier` says that there are some before both, so that a hole may be at the begin of a time; where data end
    /// within the window is told otherwise.
    pub(super) fn find(within: Places, before: Option<Places>, every: Period, earlier: bool) -> Self {
        let before = before.filter(|before| before.of.length() == within.of.length() && before.of != within.of);
        let next_to_it = before.as_ref().is_some_and(|before| before.of.to == within.of.from);
        let first = if before.is_some() { 0 } else { PARTS };
        let there_before: &[bool] = before.as_ref().map_or(&[false; PARTS], |before| &before.there);
        let there = [there_before, &within.there].concat();
        let Some(last) = there.iter().skip(PARTS).rposition(|there| *there).map(|last| last + PARTS) else {
            return Self::default();
        };
        // What does not follow on one another is looked at by itself.
        let begins = if next_to_it || before.is_none() { vec![first] } else { vec![0, PARTS] };
        let (mut runs, mut intervals) = (Vec::new(), Vec::new());
        for begin in begins {
            let end = if begin == PARTS || next_to_it { last + 1 } else { PARTS };
            let mut since = None;
            for part in (begin..end).filter(|part| there.get(*part) == Some(&true)) {
                match since {
                    Some(since) => {
                        intervals.push(part - since);
                        runs.push(Run { from: since + 1, to: part });
                    }
                    None if earlier => runs.push(Run { from: begin, to: part }),
                    None => {}
                }
                since = Some(part);
            }
            if end == PARTS && earlier {
                runs.push(Run { from: since.map_or(begin, |since| since + 1), to: end });
            }
        }
        let long = usual(intervals, within.of, every) * usize::try_from(INTERVALS).unwrap_or(1);
        let long = long.max(EMPTY_PARTS).max(parts_of(SHORTEST, within.of));
        runs.retain(|run| run.length() >= long);
        let empty: usize = runs.iter().map(|run| run.length()).sum();
        let times = if before.is_some() { 2 } else { 1 };
        if runs.len() > 1 && (runs.len() > times * MOST || 2 * empty > last + 1 - first) {
            return Self::default();
        }
        let is_empty = |part: &usize| runs.iter().any(|run| (run.from..run.to).contains(part));
        let is_habit = |run: &Run| {
            let there_too = (run.from..run.to).filter(|part| is_empty(&((part + PARTS) % (2 * PARTS)))).count();
            100 * there_too >= HABIT * run.length()
        };
        let mut found = Self::default();
        for run in runs.iter().filter(|run| !is_habit(run)) {
            let time = |part: usize, end: bool| match &before {
                Some(before) if part < PARTS || (part == PARTS && end) => before.time(part),
                _ => within.time(part - PARTS),
            };
            let hole = TimeWindow { from: time(run.from, false), to: time(run.to, true) };
            let inside = run.to.saturating_sub(run.from.max(PARTS));
            found.lost[0] += inside;
            found.lost[1] += run.length() - inside;
            if inside > 0 { found.within.push(hole) } else { found.before.push(hole) }
        }
        found
    }

    /// Whether so much of the window or of the time that it is compared with is lost that they cannot be compared.
    pub(super) fn is_no_measure(&self) -> bool {
        self.lost.iter().any(|lost| lost * NO_MEASURE >= PARTS)
    }

    /// Whether at least such a part of the time that the window is compared with is lost, as its reciprocal.
    pub(super) fn lacks(&self, part: usize) -> bool {
        self.lost[1] * part >= PARTS
    }

    /// What is said of those in a window, of data that are called so.
    pub(super) fn said_within(&self, title: &str) -> Option<String> {
        let none = none(&self.within, title)?;
        let nothing = if self.is_no_measure() { ", and nothing is compared with the time before" } else { "" };
        Some(format!("{none}: what seems to begin, to stop or to be rarer may only not have been recorded{nothing}."))
    }

    /// The same of the time that a window is compared with.
    pub(super) fn said_before(&self, title: &str) -> Option<String> {
        let none = none(&self.before, title)?;
        Some(match self.is_no_measure() {
            true => {
                format!("{none}, in the time that this window would be compared with: it is compared with nothing.")
            }
            false => format!(
                "{none}, in the time that this window is compared with: what seems to be more now, or to begin behind \
                 that, may be so because of it."
            ),
        })
    }

    /// The same of one of two windows that a caller compares.
    pub(super) fn said_of_side(&self, title: &str, called: &str) -> Option<String> {
        let none = none(&self.within, title)?;
        Some(format!("{none}, in {called}: what is rarer there may only not have been recorded."))
    }
}

/// How many parts data are apart, as far as intervals between parts with data tell it: the longest are those with holes. Few
/// tell less than what is declared.
fn usual(mut intervals: Vec<usize>, window: TimeWindow, every: Period) -> usize {
    intervals.sort_unstable_by(|one, other| other.cmp(one));
    let seen = intervals.get(MOST).copied().unwrap_or(PARTS);
    let declared = parts_of(time::Duration::try_from(every.0).unwrap_or(time::Duration::MAX), window);
    if intervals.len() >= ENOUGH + MOST { seen } else { seen.max(declared) }
}

/// How many parts of a window are as long as that, the last one begun.
fn parts_of(length: time::Duration, window: TimeWindow) -> usize {
    (length.as_seconds_f64() * PARTS as f64 / window.length().as_seconds_f64()).ceil() as usize
}

fn none(holes: &[TimeWindow], title: &str) -> Option<String> {
    let times = holes.iter().map(|hole| format!("{} and {}", stamp(hole.from), stamp(hole.to)));
    let times = times.collect::<Vec<_>>().join(", ");
    (!times.is_empty()).then(|| format!("No {title} were recorded between {times} UTC"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::macros::datetime;

    use super::*;

    const HOUR: TimeWindow = TimeWindow { from: datetime!(2026-11-20 11:00 UTC), to: datetime!(2026-11-20 12:00 UTC) };
    const FIVE: Period = Period(Duration::from_secs(300));

    /// Parts of an hour with data in all minutes of which that is true.
    fn minutes(there: impl Fn(usize) -> bool) -> Vec<bool> {
        (0..PARTS).map(|part| there(part / 4)).collect()
    }

    fn all() -> Vec<bool> {
        vec![true; PARTS]
    }

    fn without(holes: &[(usize, usize)]) -> Vec<bool> {
        minutes(|minute| !holes.iter().any(|(from, to)| (*from..*to).contains(&minute)))
    }

    /// Minutes of holes as seen from the begin of the window, those within it and those before it.
    fn holes(there: Vec<bool>, before: Option<Vec<bool>>, earlier: bool) -> [Vec<(i64, i64)>; 2] {
        let before = before.map(|there| Places { of: HOUR.previous(), there });
        let found = Holes::find(Places { of: HOUR, there }, before, FIVE, earlier);
        let minute = |time: time::OffsetDateTime| (time - HOUR.from).whole_minutes();
        [found.within, found.before]
            .map(|holes| holes.iter().map(|hole| (minute(hole.from), minute(hole.to))).collect())
    }

    fn within(there: Vec<bool>) -> Vec<(i64, i64)> {
        holes(there, None, false)[0].clone()
    }

    #[test]
    fn holes_are_long_and_lie_among_what_comes_all_the_time() {
        assert_eq!(within(without(&[(20, 40)])), [(20, 40)]);
        assert_eq!(within(without(&[(10, 45)])), [(10, 45)]);
        assert_eq!(within(without(&[(2, 3), (10, 25), (40, 50)])), [(10, 25), (40, 50)]);
        // What comes all the time is missing after three minutes.
        assert_eq!(within(without(&[(20, 23)])), [(20, 23)]);
        // Where data begin and end is told otherwise, in the window itself.
        assert_eq!(within(without(&[(0, 20)])), []);
        assert_eq!(holes(without(&[(0, 20)]), None, true)[0], [(0, 20)]);
        assert_eq!(holes(without(&[(40, 60)]), None, true)[0], []);
        // Short ones, and what comes now and then or never.
        let now_and_then = |minute: usize| [0, 7, 9, 20, 26, 31, 43, 50, 58].contains(&minute);
        let bursts = without(&[(1, 20), (21, 40), (41, 60)]);
        for none in
            [all(), vec![false; PARTS], minutes(|at| at == 0), without(&[(20, 22)]), minutes(now_and_then), bursts]
        {
            assert_eq!(within(none.clone()), [], "{none:?}");
        }
        // What comes each five minutes is not there in most of the parts.
        let each_fifth =
            |holes: &[usize]| (0..PARTS).map(|part| part % 20 == 0 && !holes.contains(&(part / 20))).collect();
        assert_eq!(within(each_fifth(&[])), []);
        assert_eq!(within(each_fifth(&[4, 5, 6, 7])), [(15, 40)]);
    }

    #[test]
    fn the_time_before_tells_what_comes_all_the_time() {
        let both = |there, before| holes(there, Some(before), true);
        // Of most of a window, of all of the time before, of several at once.
        assert_eq!(both(without(&[(4, 56)]), all()), [vec![(4, 56)], vec![]]);
        assert_eq!(both(all(), vec![false; PARTS]), [vec![], vec![(-60, 0)]]);
        assert_eq!(both(all(), without(&[(5, 55)])), [vec![], vec![(-55, -5)]]);
        assert_eq!(both(without(&[(10, 30), (40, 58)]), all()), [vec![(10, 30), (40, 58)], vec![]]);
        // Across the begin of the window it is one.
        assert_eq!(both(without(&[(0, 12)]), without(&[(50, 60)])), [vec![(-10, 12)], vec![]]);
        assert_eq!(both(all(), without(&[(0, 20)])), [vec![], vec![(-60, -40)]]);
        assert_eq!(holes(all(), Some(without(&[(0, 20)])), false), [vec![], vec![]]);
        // What is missing each hour at this time is a habit.
        let pause = without(&[(20, 40)]);
        assert_eq!(both(pause.clone(), pause), [vec![], vec![]]);
        let batch = without(&[(0, 30), (45, 60)]);
        assert_eq!(both(batch.clone(), batch), [vec![], vec![]]);
        // The same hour of another day is no neighbour.
        let day = time::Duration::days(1);
        let day_before = TimeWindow { from: HOUR.from - day, to: HOUR.to - day };
        let before = Places { of: day_before, there: without(&[(40, 60)]) };
        let found = Holes::find(Places { of: HOUR, there: without(&[(0, 10)]) }, Some(before), FIVE, true);
        assert_eq!(found.within[0].to, datetime!(2026-11-20 11:10 UTC));
        assert_eq!(found.before[0].from, datetime!(2026-11-19 11:40 UTC));
        assert!(found.is_no_measure());
        assert_eq!(found.lost, [40, 80]);
    }
}
