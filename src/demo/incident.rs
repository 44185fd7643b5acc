//! A scenario in absolute time: how strongly each effect acts at a moment.

use super::scenario::{Effect, LogEffect, MetricEffect, Scenario};

/// A scenario bound to the end of the data.
#[derive(Debug)]
pub struct Incident {
    pub scenario: Scenario,
    pub start: i64,
    pub finish: i64,
}

/// What the effects on one request amount to.
#[derive(Debug, Default)]
pub struct Impact<'i> {
    /// Factor on own processing time.
    pub factor: f64,
    /// Share of requests that fail by themselves, and their message.
    pub errors: Option<(f64, &'i str)>,
}

impl Incident {
    pub fn new(scenario: Scenario, end: i64) -> Self {
        let start = end + scenario.start.0;
        let finish = start + scenario.duration.0;
        Self { scenario, start, finish }
    }

    /// 0 before the effect begins and after the incident, 1 at full strength.
    pub fn strength(&self, after: i64, ramp: i64, time: i64) -> f64 {
        let begun = time - self.start - after;
        if begun < 0 || time >= self.finish {
            return 0.0;
        }
        if ramp <= 0 { 1.0 } else { (begun as f64 / ramp as f64).min(1.0) }
    }

    pub fn impact(&self, service: &str, operation: &str, time: i64) -> Impact<'_> {
        let mut impact = Impact { factor: 1.0, errors: None };
        for effect in self.matching(service, operation) {
            let strength = self.strength(effect.after.0, effect.ramp.0, time);
            if let Some(factor) = effect.latency_factor {
                impact.factor *= 1.0 + (factor - 1.0) * strength;
            }
            if let Some(errors) = &effect.errors {
                impact.errors = Some((errors.share * strength, &errors.message));
            }
        }
        impact
    }

    /// The wait before a store is used, with its strength, if there is one.
    pub fn wait(
        &self,
        service: &str,
        operation: &str,
        store: &str,
        time: i64,
    ) -> Option<(&super::scenario::Wait, f64)> {
        let mut waits = self.matching(service, operation).filter_map(|effect| {
            let wait = effect.wait.as_ref().filter(|wait| wait.store == store)?;
            Some((wait, self.strength(effect.after.0, effect.ramp.0, time)))
        });
        waits.find(|(_, strength)| *strength > 0.0)
    }

    /// What an effect makes of the usual `value` of a gauge.
    pub fn gauge(&self, service: &str, metric: &str, value: f64, noise: f64, time: i64) -> f64 {
        let Some(effect) = self.metric(service, metric) else { return value };
        let strength = self.strength(effect.after.0, effect.ramp.0, time);
        let target = if effect.limit.is_some() { effect.to } else { effect.to * (1.0 + 0.1 * noise) };
        let moved = value + (target - value) * strength;
        effect.limit.map_or(moved, |limit| moved.min(limit))
    }

    fn metric(&self, service: &str, metric: &str) -> Option<&MetricEffect> {
        self.scenario.metrics.iter().find(|effect| effect.service == service && effect.metric == metric)
    }

    /// Log lines that are due in `[from, to)`, as effect, number of the line, and time.
    pub fn lines(&self, from: i64, to: i64) -> Vec<(&LogEffect, u64, i64)> {
        let mut due = Vec::new();
        for effect in &self.scenario.logs {
            let begin = self.start + effect.after.0;
            let every = effect.every.0.max(1);
            let mut number = ((from - begin) / every).max(0);
            while begin + number * every < to.min(self.finish) {
                let time = begin + number * every;
                if time >= from {
                    due.push((effect, number as u64, time));
                }
                number += 1;
            }
        }
        due
    }

    fn matching<'i, 'n>(
        &'i self,
        service: &'n str,
        operation: &'n str,
    ) -> impl Iterator<Item = &'i Effect> + use<'i, 'n> {
        self.scenario.effects.iter().filter(move |effect| {
            effect.service == service && effect.operation.as_ref().is_none_or(|name| name == operation)
        })
    }
}
