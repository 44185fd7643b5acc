//! Values of a measure in the window and in the one before.

use std::collections::BTreeMap;

use super::View;

/// Values with their times, in the order of time.
#[derive(Debug, Default, Clone)]
pub struct Series(Vec<(i64, f64)>);

impl Series {
    pub fn add(&mut self, time: i64, value: f64) {
        self.0.push((time, value));
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.0.iter().map(|(_, value)| *value)
    }

    pub fn times(&self) -> impl Iterator<Item = i64> {
        self.0.iter().map(|(time, _)| *time)
    }

    pub fn sum(&self) -> f64 {
        self.values().sum()
    }

    pub fn mean(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.sum() / self.0.len() as f64)
    }

    pub fn highest(&self) -> Option<f64> {
        self.values().reduce(f64::max)
    }

    pub fn lowest(&self) -> Option<f64> {
        self.values().reduce(f64::min)
    }

    /// The first and the last by time.
    pub fn first(&self) -> Option<(i64, f64)> {
        self.0.iter().min_by_key(|(time, _)| *time).copied()
    }

    pub fn last(&self) -> Option<(i64, f64)> {
        self.0.iter().max_by_key(|(time, _)| *time).copied()
    }

    pub fn latest(&self) -> Option<f64> {
        self.last().map(|(_, value)| value)
    }

    /// What a counter rose by from sample to sample; unknown of fewer than two.
    pub fn rise(&self) -> Option<f64> {
        let mut points = self.0.clone();
        points.sort_by_key(|(time, _)| *time);
        let steps = points.windows(2).map(|pair| (pair[1].1 - pair[0].1).max(0.0));
        (points.len() > 1).then(|| steps.sum())
    }

    /// Element `floor(level * n)` of the sorted values, at most the last.
    pub fn percentile(&self, level: f64) -> Option<f64> {
        let mut values: Vec<f64> = self.values().collect();
        values.sort_by(f64::total_cmp);
        let index = (level * values.len() as f64) as usize;
        values.get(index.min(values.len().saturating_sub(1))).copied()
    }
}

/// Both sides of a comparison.
#[derive(Debug, Default, Clone)]
pub struct Sides {
    pub now: Series,
    pub before: Series,
}

impl Sides {
    /// Takes a value that lies in one of the windows; says whether it did.
    pub fn add(&mut self, view: &View, time: i64, value: f64) {
        match view.side(time) {
            Some(true) => self.now.add(time, value),
            Some(false) => self.before.add(time, value),
            None => {}
        }
    }

    /// The values of both, one after the other.
    pub fn whole(&self) -> Series {
        Series(self.before.0.iter().chain(&self.now.0).copied().collect())
    }

    /// By how much it grows in an hour along the straight line with the least squares; unknown of fewer than four values.
    pub fn slope(&self) -> Option<f64> {
        let points = self.whole().0;
        if points.len() < 4 {
            return None;
        }
        let start = points[0].0;
        let points: Vec<(f64, f64)> =
            points.into_iter().map(|(time, value)| ((time - start) as f64 / 3.6e12, value)).collect();
        let n = points.len() as f64;
        let mean = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / n;
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let above: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
        Some(above / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>())
    }
}

/// Sides by a key, of values of which at least one lies in the windows.
pub fn sides<K: Ord>(view: &View, values: impl Iterator<Item = (K, i64, f64)>) -> BTreeMap<K, Sides> {
    let mut all = BTreeMap::new();
    for (key, time, value) in values.filter(|(_, time, _)| view.side(*time).is_some()) {
        all.entry(key).or_insert_with(Sides::default).add(view, time, value);
    }
    all
}

/// The mean of those that are known.
pub fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let known: Vec<f64> = values.flatten().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

/// The highest of those that are known.
pub fn highest(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values.flatten().reduce(f64::max)
}
