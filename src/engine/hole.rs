//! Holes in data that come all the time: a collector was down, and nothing of it was recorded.

use super::{
    document::SectionAnswer,
    recorded::INTERVALS,
    window::{TimeWindow, stamp},
};
use crate::definition::Period;

/// The parts of a window that tell whether there is a hole in its data, and how many have to be empty one after another.
const PARTS: u32 = 60;
const EMPTY_PARTS: u32 = 3;
/// The part of the time outside of a hole in which data came, where they come all the time.
const MOSTLY: f64 = 0.8;

/// The most holes that are told.
const MOST: usize = 3;

/// The times of a window in which none came of what comes all the time otherwise, as far as its sixty parts tell them, of an
/// answer that says where data lie. `edges` says whether the begin and the end of the window may be such.
pub(super) fn holes(answer: &SectionAnswer, window: TimeWindow, every: Period, edges: [bool; 2]) -> Vec<TimeWindow> {
    let places = || {
        let at = answer.columns.iter().position(|column| column.name == "places")?;
        let cell = answer.rows.first()?.get(at)?;
        cell.as_u64().or_else(|| cell.as_str()?.parse().ok())
    };
    places().and_then(|places| found(places, window, every, edges)).unwrap_or_default()
}

fn found(places: u64, window: TimeWindow, every: Period, [begin, end]: [bool; 2]) -> Option<Vec<TimeWindow>> {
    let there: Vec<u32> = (0..PARTS).filter(|part| places >> part & 1 == 1).collect();
    let (first, last) = (if begin { 0 } else { *there.first()? }, if end { PARTS } else { there.last()? + 1 });
    let part = window.length() / i32::try_from(PARTS).ok()?;
    let every = time::Duration::try_from(every.0).ok()?.saturating_mul(INTERVALS);
    let is_long = |parts: u32| parts >= EMPTY_PARTS && part * parts >= every;
    let from = std::iter::once(first).chain(there.iter().map(|part| part + 1));
    let gaps: Vec<(u32, u32)> = from.zip(there.iter().copied().chain([last])).filter(|(a, b)| is_long(b - a)).collect();
    let empty: u32 = gaps.iter().map(|(from, to)| to - from).sum();
    // What comes now and then comes now and then: outside of holes each time in which some were due has some.
    let due = (1..=PARTS).find(|parts| part * *parts * INTERVALS >= every).unwrap_or(PARTS);
    let is_outside = |at: &u32| !gaps.iter().any(|(from, to)| *from < at + due && *at < *to);
    let outside: Vec<u32> = (first..last.saturating_sub(due - 1)).filter(is_outside).collect();
    let is_there = |at: &&u32| (**at..**at + due).any(|part| places >> part & 1 == 1);
    let came = u32::try_from(outside.iter().filter(is_there).count()).ok()?;
    let all_the_time = f64::from(came) >= MOSTLY * f64::from(u32::try_from(outside.len()).ok()?);
    let few = gaps.len() == 1 || gaps.len() <= MOST && 2 * empty <= last - first;
    let time = |nth: u32| window.from.checked_add(part * nth);
    (all_the_time && few && came > 0)
        .then(|| gaps.iter().filter_map(|(from, to)| Some(TimeWindow { from: time(*from)?, to: time(*to)? })).collect())
}

/// What is said of holes in a window, of data that are called so.
pub(super) fn within(holes: &[TimeWindow], title: &str) -> Option<String> {
    let none = none(holes, title)?;
    Some(format!("{none}: what seems to begin, to stop or to be rarer may only not have been recorded."))
}

/// The same of the time that a window is compared with.
pub(super) fn before(holes: &[TimeWindow], title: &str) -> Option<String> {
    let none = none(holes, title)?;
    let so = "what seems to be more now may be so because of that";
    Some(format!("{none}, in the time that this window is compared with: {so}."))
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

    #[test]
    fn holes_are_long_and_lie_among_what_comes_all_the_time() {
        let hour = TimeWindow { from: datetime!(2026-11-20 11:00 UTC), to: datetime!(2026-11-20 12:00 UTC) };
        let day = TimeWindow { to: datetime!(2026-11-21 11:00 UTC), ..hour };
        let five = Period(Duration::from_secs(300));
        let all = (1u64 << 60) - 1;
        let without = |from: u32, to: u32| (from..to).fold(all, |places, part| places & !(1 << part));
        let minute = |time: time::OffsetDateTime| (time - hour.from).whole_minutes();
        let holes = |places, edges| {
            let found = found(places, hour, five, edges).unwrap_or_default();
            found.iter().map(|hole| (minute(hole.from), minute(hole.to))).collect::<Vec<_>>()
        };
        let (inside, both) = ([false, false], [true, true]);
        assert_eq!(holes(without(20, 40), inside), [(20, 40)]);
        assert_eq!(holes(without(10, 45), inside), [(10, 45)]);
        assert_eq!(holes(without(2, 3) & without(10, 25) & without(40, 55), inside), [(10, 25), (40, 55)]);
        // Where data begin and end is told otherwise, in the window itself.
        assert_eq!(holes(without(0, 20), inside), []);
        assert_eq!(holes(without(0, 20), both), [(0, 20)]);
        assert_eq!(holes(without(40, 60), both), [(40, 60)]);
        // Short ones, and what comes now and then or never.
        let bursts = without(1, 20) & without(21, 40) & without(41, 60);
        for none in [all, 0, 1, without(20, 34), 0x0421_0842_1084_2108, bursts] {
            assert_eq!(holes(none, inside), [], "{none:x}");
        }
        assert_eq!(holes(0, both), []);
        // What comes each five minutes is not there in most of the parts.
        let each_fifth = (0..60).step_by(5).fold(0, |places, part| places | 1u64 << part);
        assert_eq!(holes(each_fifth, inside), []);
        assert_eq!(holes(each_fifth & without(20, 40), inside), [(16, 40)]);
        // Fifteen minutes are no three parts of a day.
        assert_eq!(found(without(20, 22), day, five, inside), Some(Vec::new()));
        assert_eq!(found(without(20, 23), day, five, inside).map(|holes| holes.len()), Some(1));
    }
}
