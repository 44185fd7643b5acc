//! A scenario in absolute time: how strongly each effect acts at a moment.

use super::{
    effect::{Effect, LogEffect, MetricEffect, RequestLog, StoreEffect, Wait},
    fleet::Pod,
    offset::Offset,
    random::Random,
    scenario::Scenario,
};

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

    /// [`Self::strength`] of an effect on spans, which may come and go.
    fn acting(&self, effect: &Effect, time: i64) -> f64 {
        let away = effect.pulse.as_ref().is_some_and(|pulse| {
            (time - self.start - effect.after.0).rem_euclid(pulse.every.0.max(1)) >= pulse.lasts.0
        });
        if away { 0.0 } else { self.strength(effect.after.0, effect.ramp.0, time) }
    }

    /// [`Self::strength`] of something that begins anew after each `every`.
    fn recurring(&self, (after, ramp): (Offset, Offset), every: Option<Offset>, time: i64) -> f64 {
        let round = every.map_or(0, |every| (time - self.start - after.0).max(0) / every.0.max(1) * every.0);
        if time >= self.finish { 0.0 } else { self.strength(after.0, ramp.0, time.min(self.finish - 1) - round) }
    }

    pub fn impact(&self, service: &str, operation: &str, time: i64) -> Impact<'_> {
        let mut impact = Impact { factor: 1.0, errors: None };
        for effect in self.matching(service, operation) {
            let strength = self.acting(effect, time);
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
    pub fn wait(&self, service: &str, operation: &str, store: &str, time: i64) -> Option<(&Wait, f64)> {
        let mut waits = self.matching(service, operation).filter_map(|effect| {
            let wait = effect.wait.as_ref().filter(|wait| wait.store == store)?;
            Some((wait, self.acting(effect, time)))
        });
        waits.find(|(_, strength)| *strength > 0.0)
    }

    /// What happens to a statement of a store, with its strength.
    pub fn store(
        &self,
        (service, operation): (&str, &str),
        (store, statement): (&str, &str),
        time: i64,
    ) -> Option<(&StoreEffect, f64)> {
        let mut acting = self.matching(service, operation).filter_map(|effect| {
            let found = effect.store.as_ref().filter(|found| found.name == store)?;
            let meant = found.statement.as_ref().is_none_or(|begin| statement.starts_with(begin.as_str()));
            meant.then(|| (found, self.acting(effect, time)))
        });
        acting.find(|(_, strength)| *strength > 0.0)
    }

    /// How strongly the operation leaves out to publish to a topic.
    pub fn stopped(&self, service: &str, operation: &str, topic: &str, time: i64) -> f64 {
        let stops = self.matching(service, operation).filter(|effect| {
            effect.stops.as_ref().is_some_and(|stops| topic.strip_prefix("publish ") == Some(stops.publish.as_str()))
        });
        stops.map(|effect| self.acting(effect, time)).fold(0.0, f64::max)
    }

    /// How long messages wait for the operation.
    pub fn lag(&self, service: &str, operation: &str, time: i64) -> i64 {
        let lags = self
            .matching(service, operation)
            .filter_map(|effect| Some((effect.lag?.0 as f64 * self.acting(effect, time)) as i64));
        lags.max().unwrap_or(0)
    }

    /// Lines that requests of the operation write, with the strength of their effect.
    pub fn request_logs(&self, service: &str, operation: &str, time: i64) -> Vec<(&RequestLog, f64)> {
        let logs = self.matching(service, operation);
        let logs = logs.filter_map(|effect| Some((effect.log.as_ref()?, self.acting(effect, time))));
        logs.filter(|(_, strength)| *strength > 0.0).collect()
    }

    /// Factor on own time that the host of a pod brings about.
    pub fn crowding(&self, pod: &Pod, time: i64) -> f64 {
        let here = self.scenario.nodes.iter().filter(|effect| is_node(&pod.node, effect.node));
        here.map(|effect| 1.0 + (effect.latency_factor - 1.0) * self.strength(effect.after.0, effect.ramp.0, time))
            .product()
    }

    /// What is made of the usual `value` of a gauge of a host.
    pub fn host_gauge(&self, host: &str, metric: &str, value: f64, time: i64) -> f64 {
        let here = self.scenario.nodes.iter().filter(|effect| is_node(host, effect.node));
        here.fold(value, |value, effect| match effect.gauges.get(metric) {
            Some(to) => value + (to - value) * self.strength(effect.after.0, effect.ramp.0, time),
            None => value,
        })
    }

    /// What is made of the usual `value` of what the cluster measures of a service's pods.
    pub fn pod_gauge(&self, service: &str, metric: &str, value: f64, time: i64) -> f64 {
        let own = self.scenario.pods.iter().find(|effect| effect.service == service && effect.metric == metric);
        let Some(effect) = own else { return value };
        let moved = value + (effect.to - value) * self.recurring((effect.after, effect.ramp), effect.every, time);
        if effect.whole { moved.floor() } else { moved }
    }

    /// Metrics that a service has in this story only, at a moment.
    pub fn metrics(&self, service: &str, random: &mut Random, time: i64) -> Vec<(&MetricEffect, f64)> {
        let own = self.scenario.metrics.iter().filter(|effect| effect.service == service);
        own.filter_map(|effect| {
            let usual = effect.usual? * random.between(0.9, 1.1);
            Some((effect, self.gauge(service, &effect.metric, usual, random.between(-1.0, 1.0), time)))
        })
        .collect()
    }

    /// What an effect makes of the usual `value` of a gauge.
    pub fn gauge(&self, service: &str, metric: &str, value: f64, noise: f64, time: i64) -> f64 {
        let Some(effect) = self.metric(service, metric) else { return value };
        let strength = self.recurring((effect.after, effect.ramp), effect.every, time);
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

fn is_node(host: &str, number: usize) -> bool {
    host.rsplit_once("-node-").is_some_and(|(_, found)| found.parse() == Ok(number))
}
