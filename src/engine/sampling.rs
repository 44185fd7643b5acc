//! Samples of whole traces: how large one is, how it is chosen, and what is said of it.
//!
//! Which rows a sample leaves is the definitions' business (`sample`, `sample_below`); here is no name of a column.

use serde_json::Value;

use super::news::BEFORE;
use crate::source::Rows;

/// One trace in so many at the least.
const MOST: u32 = 4096;
/// One trace in so many, where nobody knows how many rows there are.
const USUAL: u32 = 16;
/// How far the share of an evenly spread sample may be off, all in all.
const TOLERANCE: f64 = 0.1;
/// A sample of fewer rows tells nothing.
const LEAST_ROWS: u64 = 10_000;
/// Of fewer that were counted nobody knows which is first, or whether there are none.
const HANDFUL: u64 = 15;
/// Spans that a trace has of one part, more or less: how much fewer things than rows were drawn.
const CLUSTER: f64 = 4.0;
/// With what the names of columns end that say how exact another is.
const WITHIN: &str = "_within";

/// A sample of one trace in `of`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sampling {
    of: u32,
    /// The ids of its traces are below this text; none where a hash of the id chooses.
    below: Option<String>,
    /// It is read because all rows, or a larger sample, were too much.
    given_up: bool,
}

impl Sampling {
    /// Enough of `rows` that at most `above` are read; none where all are.
    pub fn for_rows(rows: u64, above: u64) -> Option<Self> {
        let needed = u32::try_from(rows.div_ceil(above.max(1))).unwrap_or(MOST).min(MOST);
        (needed > 1).then(|| Self { of: needed.next_power_of_two(), below: None, given_up: false })
    }

    /// What is read after `before` was too much, by which all rows are meant where it is none: a sixteenth of it, or more
    /// where so little of `rows` would tell nothing. None: there is no less.
    pub fn after(before: Option<&Self>, rows: Option<u64>) -> Option<Self> {
        let read = before.map_or(1, |sample| sample.of);
        let telling = rows.map_or(USUAL, |rows| u32::try_from(rows / LEAST_ROWS / u64::from(read)).unwrap_or(USUAL));
        let of = read.checked_mul(1 << telling.min(USUAL).checked_ilog2()?)?;
        (of > read && of <= MOST).then_some(Self { of, below: None, given_up: true })
    }

    /// As many traces, chosen by the first digits of their ids. A digit is below a letter, however letters are written.
    pub fn by_prefix(&self) -> Self {
        let digits = format!("{:03x}", MOST / self.of);
        Self { below: Some(digits.trim_end_matches('0').to_owned()), ..self.clone() }
    }

    pub fn of(&self) -> u32 {
        self.of
    }

    pub fn below(&self) -> Option<&str> {
        self.below.as_deref()
    }

    /// Whether a sample of `sampled` rows by part is an even one of `all`: ids that are no random hexadecimal digits fill
    /// it with everything, or with nothing.
    pub fn is_even(&self, all: &Weight, sampled: &Weight) -> bool {
        let of = f64::from(self.of);
        let off = |all: u64, some: u64| (some as f64 * of / (all.max(1)) as f64 - 1.0).abs();
        let part = |(part, all): &(String, u64)| {
            let some = sampled.0.iter().find(|(other, _)| other == part).map_or(0, |(_, some)| *some);
            // Of fewer rows a random sample may hold none.
            let few = (*all as f64) < 25.0 * of;
            few || some > 0 && off(*all, some) <= TOLERANCE + 4.0 * (CLUSTER * (of - 1.0) / *all as f64).sqrt()
        };
        off(all.total(), sampled.total()) <= TOLERANCE && all.0.iter().all(part)
    }

    /// Half of the 99 % interval of a count, where each trace adds at most one to it.
    fn within(&self, count: f64) -> f64 {
        let of = f64::from(self.of);
        of * (3.3 + 2.576 * ((1.0 - 1.0 / of) * count / of + 1.66).sqrt())
    }

    /// Whether it is read because more was too much, so that nobody chose how much it is.
    pub fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// How it was chosen, why, and how exact numbers are.
    pub fn remark(&self) -> String {
        let how = match self.below {
            Some(_) => "the first digits of their ids",
            None => "a hash of their ids",
        };
        let why = if self.given_up { " (more were too much to read)" } else { "" };
        let [few, small, large] = [1e2, 1e3, 1e5].map(|count| self.within(count).round());
        format!(
            "Whole traces by {how}{why}. Counts are those read times {}: ± {few} at 100, ± {small} at 1,000, ± {large} at \
             100,000 (99 %, where a trace counts once). Shares and percentiles are of the traces read.",
            self.of
        )
    }
}

/// From one trace in how many something was read, its own sample or those of what it reads, to stand in a sentence.
pub(super) fn share(samples: &[u32]) -> Option<String> {
    match (samples.iter().min()?, samples.iter().max()?) {
        (least, most) if least == most => Some(format!("1 of {most} traces")),
        (least, most) => Some(format!("1 of {least} to 1 of {most} traces")),
    }
}

/// What is said where a sample of that share has nothing of something, to follow "the query ran".
pub(super) fn none_of(share: &str) -> String {
    format!("nothing was found in a sample of {share}, which does not mean that there is none")
}

/// What is said of rows that count [a handful](is_handful).
pub(super) fn handful() -> String {
    format!(
        "fewer than {HANDFUL} of what is counted were read, so that what is first, and what is lacking, may be chance"
    )
}

/// Whether next to nothing stands behind the rows of a sample of one trace in `of`: of something that is counted all rows
/// together, or the first, were made of a few. What was counted are whole numbers that are all multiples of `of`.
pub(super) fn is_handful(columns: &[&str], rows: &[Vec<Value>], of: u32) -> bool {
    let of = u64::from(of.max(2));
    columns.iter().enumerate().filter(|(_, name)| !name.starts_with(BEFORE) && !name.ends_with(WITHIN)).any(
        |(at, _)| {
            let values = rows.iter().filter_map(|row| row.get(at)).filter(|value| !value.is_null());
            let counted: Option<Vec<u64>> = values
                .map(|value| value.as_u64().filter(|number| number % of == 0).map(|number| number / of))
                .collect();
            let Some(counted) = counted else { return false };
            let first = counted.first().is_some_and(|first| (1..HANDFUL).contains(first));
            first || counted.iter().max().is_some_and(|most| *most < HANDFUL)
        },
    )
}

/// How many rows each part of something has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Weight(Vec<(String, u64)>);

impl Weight {
    /// Of an answer with the columns `part` and `number`.
    pub fn of(rows: &Rows) -> Self {
        let column = |name: &str| rows.columns.iter().position(|column| column.name == name);
        let (part, number) = (column("part"), column("number"));
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let row = |row: &Vec<Value>| {
            let number = row.get(number?)?;
            let number = number.as_u64().or_else(|| number.as_str()?.parse().ok())?;
            Some((part.and_then(|at| row.get(at)).map(text).unwrap_or_default(), number))
        };
        Self(rows.rows.iter().filter_map(row).collect())
    }

    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, number)| number).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(parts: &[(&str, u64)]) -> Weight {
        Weight(parts.iter().map(|(part, number)| ((*part).to_owned(), *number)).collect())
    }

    #[test]
    fn a_sample_reads_at_most_so_many_rows_and_none_where_all_fit() {
        for (rows, above, of) in
            [(0, 10, None), (10, 10, None), (11, 10, Some(2)), (160, 10, Some(16)), (161, 10, Some(32))]
        {
            assert_eq!(Sampling::for_rows(rows, above).map(|sample| sample.of), of, "{rows} {above}");
        }
        assert_eq!(Sampling::for_rows(u64::MAX, 1).map(|sample| sample.of), Some(4096));
    }

    #[test]
    fn what_was_too_much_is_read_from_a_sixteenth_of_it_until_there_is_no_less() {
        let steps = |rows| {
            let less = move |sample: &Sampling| Sampling::after(Some(sample), rows);
            std::iter::successors(Sampling::after(None, rows), less).map(|sample| sample.of).collect::<Vec<_>>()
        };
        assert_eq!(steps(None), [16, 256, 4096]);
        // What many others' rows make slow is sampled too, as long as enough is left of it.
        assert_eq!(steps(Some(104_000)), [8]);
        assert_eq!(steps(Some(1_000_000)), [16, 64]);
        assert_eq!(steps(Some(19_999)), [0; 0]);
    }

    #[test]
    fn a_handful_is_told_by_the_numbers_that_were_multiplied_and_by_no_others() {
        let rows = |rows: Value| serde_json::from_value::<Vec<Vec<Value>>>(rows).unwrap();
        let of = |columns: &[&str], numbers: Value| is_handful(columns, &rows(numbers), 16);
        let edge = ["edge", "calls", "errors"];
        assert!(of(&edge, serde_json::json!([["a", 384, 16], ["b", 16_000, 0]])), "one failure was read");
        assert!(of(&edge, serde_json::json!([["a", 16_000, 0], ["b", 1_600, 0]])), "none failed, of those read");
        assert!(of(&edge, serde_json::json!([["a", 32, 32], ["b", 3_200, 3_200]])), "the first of two calls");
        assert!(!of(&edge, serde_json::json!([["a", 16_000, 480], ["b", 1_600, 16]])));
        assert!(!of(&["service", "share"], serde_json::json!([["a", 7], ["b", 9]])), "nothing was multiplied");
        assert!(!of(&["service", "share"], serde_json::json!([["a", 0.5]])));
        assert!(!of(&["prev_errors", "errors_within"], serde_json::json!([[16, 32]])));
    }

    #[test]
    fn samples_of_several_shares_are_told_once() {
        for (samples, said) in
            [(vec![], None), (vec![16, 16], Some("1 of 16 traces")), (vec![4, 2, 4], Some("1 of 2 to 1 of 4 traces"))]
        {
            assert_eq!(share(&samples).as_deref(), said);
        }
    }

    #[test]
    fn the_prefix_of_a_share_is_that_share_of_all_hexadecimal_ids_in_both_cases() {
        for of in (1..=12).map(|power| 1_u32 << power) {
            let sample = Sampling { of, below: None, given_up: false }.by_prefix();
            let below = sample.below().unwrap();
            let ids = (0..4096_u32).map(|id| format!("{id:03x}a"));
            let upper = (0..4096_u32).map(|id| format!("{id:03X}A"));
            assert_eq!(ids.filter(|id| id.as_str() < below).count(), 4096 / of as usize, "{of} {below}");
            assert_eq!(upper.filter(|id| id.as_str() < below).count(), 4096 / of as usize, "{of} {below}");
        }
    }

    #[test]
    fn a_part_that_a_prefix_takes_whole_or_not_at_all_makes_the_sample_uneven() {
        let sample = Sampling { of: 16, below: None, given_up: false };
        let all = weight(&[("web", 160_000), ("cart", 4_000), ("rare", 30)]);
        assert!(sample.is_even(&all, &weight(&[("web", 10_100), ("cart", 260)])));
        assert!(!sample.is_even(&all, &weight(&[("web", 10_000)])), "of cart nothing");
        assert!(!sample.is_even(&all, &weight(&[("web", 10_000), ("cart", 4_000)])), "of cart everything");
        assert!(!sample.is_even(&all, &weight(&[("web", 12_000), ("cart", 250)])), "more than a tenth too much");
        assert!(!sample.is_even(&all, &weight(&[])));
    }
}
