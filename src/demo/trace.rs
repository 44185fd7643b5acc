//! One request, followed through the call graph: its spans, the logs they leave, and its exemplars.
//!
//! A trace is simulated depth first with a clock: an entry span takes its own time, and each step moves the clock
//! on by what the callee needs. Messages are consumed after their producer ended, in the same trace.

use std::sync::Arc;

use super::{
    event::{Attribute, Batch, Exemplar, Log, Severity, Span, SpanKind, Status, Text},
    fleet::{Fleet, Pod},
    incident::Incident,
    offset::{MINUTE, SECOND},
    random::Random,
    signals::filled,
    world::{Operation, Step, Store},
};

/// A request slower than this is worth a log line.
const SLOW: i64 = SECOND;

/// Simulates the traces of one batch.
pub struct Tracer<'a> {
    pub fleet: &'a Fleet,
    pub incident: Option<&'a Incident>,
    pub random: Random,
    pub batch: &'a mut Batch,
    /// Factor on latencies that stands for the load of the hour.
    pub pressure: f64,
    /// Beginning of the batch's slot.
    pub slot: i64,
    /// Requests and their total time by service and minute of the slot.
    pub tally: &'a mut Tally,
    /// Address of whoever sends the requests, where it is told.
    pub client: Option<Text>,
    trace: u128,
    messages: Vec<Message>,
}

/// A message that waits for its consumer.
struct Message {
    consumer: &'static Operation,
    parent: u64,
    at: i64,
    /// Whether it waits longer than usual: it may outlast the data, and the trace still has been exported.
    late: bool,
}

/// Requests and their total time by service and minute.
#[derive(Debug, Default)]
pub struct Tally {
    cells: Vec<(u32, u64)>,
    minutes: usize,
}

/// How a request ended.
struct Outcome {
    end: i64,
    failure: Option<Text>,
}

/// The place where a step happens.
#[derive(Clone)]
struct Site<'p> {
    operation: &'static Operation,
    span: u64,
    pod: &'p Arc<Pod>,
    /// Factor on own time that the pod's host brings about.
    crowding: f64,
}

/// A span below an entry span.
struct Draft {
    name: Text,
    kind: SpanKind,
    fixed: &'static [(String, String)],
    attributes: Vec<Attribute>,
    start: i64,
    end: i64,
    failure: Option<Text>,
}

impl Draft {
    fn new(name: &'static str, kind: SpanKind, start: i64, end: i64) -> Self {
        Self { name: Text::Borrowed(name), kind, fixed: &[], attributes: Vec::new(), start, end, failure: None }
    }
}

impl Tally {
    pub fn new(services: usize, minutes: usize) -> Self {
        Self { cells: vec![(0, 0); services * minutes], minutes }
    }

    fn add(&mut self, service: usize, minute: usize, duration: u64) {
        let index = service * self.minutes + minute.min(self.minutes.saturating_sub(1));
        if let Some((count, total)) = self.cells.get_mut(index) {
            *count += 1;
            *total += duration;
        }
    }

    /// Mean duration in seconds of the minutes `[from, to)`, if there were requests.
    pub fn mean(&self, service: usize, from: usize, to: usize) -> Option<f64> {
        let first = service * self.minutes;
        let cells = self.cells.get(first + from..first + to.min(self.minutes))?;
        let (count, total) = cells.iter().fold((0, 0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
        (count > 0).then(|| total as f64 / f64::from(count) / SECOND as f64)
    }
}

impl<'a> Tracer<'a> {
    pub fn new(
        fleet: &'a Fleet,
        incident: Option<&'a Incident>,
        random: Random,
        batch: &'a mut Batch,
        tally: &'a mut Tally,
        slot: i64,
        pressure: f64,
    ) -> Self {
        Self { fleet, incident, random, batch, pressure, slot, tally, client: None, trace: 0, messages: Vec::new() }
    }

    /// Simulates one trace. One that would not be over by `end` has not been exported yet: it leaves nothing.
    pub fn run(&mut self, operation: &'static Operation, start: i64, end: i64) {
        let marks = self.marks();
        self.trace = self.random.wide().max(1);
        self.entry(operation, 0, start);
        while let Some(Message { consumer, parent, at, late }) = self.messages.pop() {
            let (own, waiting) = (self.marks(), self.messages.len());
            self.entry(consumer, parent, at);
            if late && self.batch.spans.iter().skip(own.0).any(|span| span.end() >= end) {
                self.forget(own);
                self.messages.truncate(waiting);
            }
        }
        if self.batch.spans.iter().skip(marks.0).any(|span| span.end() >= end) {
            self.forget(marks);
            return;
        }
        for span in self.batch.spans.iter().skip(marks.0).filter(|span| span.kind.is_entry()) {
            let minute = ((span.timestamp - self.slot) / MINUTE).max(0) as usize;
            self.tally.add(span.service.index, minute, span.duration);
        }
    }

    fn marks(&self) -> (usize, usize, usize) {
        (self.batch.spans.len(), self.batch.logs.len(), self.batch.exemplars.len())
    }

    fn forget(&mut self, (spans, logs, exemplars): (usize, usize, usize)) {
        self.batch.spans.truncate(spans);
        self.batch.logs.truncate(logs);
        self.batch.exemplars.truncate(exemplars);
    }

    fn entry(&mut self, operation: &'static Operation, parent: u64, start: i64) -> Outcome {
        let service = operation.service.as_ref();
        let fleet = self.fleet;
        let pick = self.random.below(1 << 16);
        let Some(pod) = fleet.pod(service, start, pick) else {
            return Outcome { end: start, failure: Some("no endpoints available".into()) };
        };
        let impact = self.incident.map(|incident| incident.impact(&service.name, &operation.name, start));
        let crowding = self.incident.map_or(1.0, |incident| incident.crowding(pod, start));
        let factor = impact.as_ref().map_or(1.0, |impact| impact.factor) * crowding;
        let own = self.time(operation.own * factor, 0.35);
        let span = self.id();
        let site = Site { operation, span, pod, crowding };
        let mut clock = start + own * 2 / 5;
        let mut failure: Option<Text> = None;
        let mut upstream = false;
        for step in &operation.steps {
            let (end, failed) = self.step(&site, step, clock);
            clock = end;
            if let Some(message) = failed {
                upstream = matches!(step, Step::Call { .. });
                failure = Some(message);
                break;
            }
        }
        let extra = impact.as_ref().and_then(|impact| impact.errors);
        if failure.is_none() {
            let usual = operation.errors * fleet.organization.spec.errors;
            if self.random.chance(usual) {
                failure = Some(Text::Borrowed(&operation.message));
            } else if let Some((share, message)) = extra
                && self.random.chance(share)
            {
                failure = Some(Text::Owned(message.to_owned()));
            }
        }
        let end = clock + own - own * 2 / 5;
        let mut attributes = Vec::new();
        if operation.http {
            let status = match (&failure, upstream) {
                (None, _) => "200",
                (Some(_), true) => "502",
                (Some(_), false) => "500",
            };
            attributes.push(("http.response.status_code", Text::Borrowed(status)));
        }
        if let Some(client) = self.client.clone().filter(|_| parent == 0) {
            attributes.push(("client.address", client));
        }
        self.notice(&site, end, end - start, failure.as_ref(), upstream);
        self.tell(&site, start, end, failure.is_some() && !upstream);
        self.batch.spans.push(Span {
            timestamp: start,
            trace: self.trace,
            id: span,
            parent,
            name: Text::Borrowed(&operation.name),
            kind: if operation.consumer { SpanKind::Consumer } else { SpanKind::Server },
            service,
            status: if failure.is_some() { Status::Error } else { Status::Ok },
            message: failure.clone().unwrap_or_default(),
            duration: (end - start) as u64,
            pod: Arc::clone(pod),
            fixed: &operation.attributes,
            attributes,
        });
        Outcome { end, failure }
    }

    /// Does one step at `clock`; gives the time when it is over and, if the operation fails by it, the message.
    fn step(&mut self, site: &Site<'_>, step: &'static Step, clock: i64) -> (i64, Option<Text>) {
        match step {
            Step::Call { share, .. } if *share < 1.0 && !self.random.chance(*share) => (clock, None),
            Step::Store { store, attributes, share, .. } if self.skips(site, (store, attributes), *share, clock) => {
                (clock, None)
            }
            Step::Call { operation, optional, retries, .. } => self.call(site, operation, *optional, *retries, clock),
            Step::Store { store, name, attributes, .. } => self.store(site, store, (name, attributes), clock),
            Step::Work { name, time } => {
                let end = clock + self.time(*time * site.crowding, 0.3);
                self.child(site, Draft::new(name, SpanKind::Internal, clock, end));
                (end, None)
            }
            Step::Publish { name, .. } if self.stops(site, name, clock) => (clock, None),
            Step::Publish { store, name, consumers, attributes } => {
                let end = clock + self.time(store.spec.time.0 as f64, 0.4);
                let draft = Draft { fixed: attributes, ..Draft::new(name, SpanKind::Producer, clock, end) };
                let span = self.child(site, draft);
                for consumer in consumers {
                    let at = end + self.time(25_000_000.0, 0.8);
                    let lag = self.incident.map_or(0, |i| i.lag(&consumer.service.name, &consumer.name, at));
                    let at = if lag > 0 { at + (lag as f64 * self.random.between(0.9, 1.1)) as i64 } else { at };
                    self.messages.push(Message { consumer, parent: span, at, late: lag > 0 });
                }
                (end, None)
            }
        }
    }

    fn call(
        &mut self,
        site: &Site<'_>,
        callee: &'static Operation,
        optional: bool,
        retries: u32,
        start: i64,
    ) -> (i64, Option<Text>) {
        let mut clock = start;
        for attempt in 0..=retries {
            let network = self.time(350_000.0, 0.4);
            let span = self.id();
            let outcome = self.entry(callee, span, clock + network);
            let end = outcome.end + network;
            let mut attributes = Vec::new();
            if attempt > 0 {
                attributes.push(("http.request.resend_count", Text::Owned(attempt.to_string())));
            }
            let failure = outcome.failure.map(|root| match root.split_once(" failed: ") {
                Some((_, cause)) => Text::Owned(format!("{} failed: {cause}", callee.service.name)),
                None => Text::Owned(format!("{} failed: {root}", callee.service.name)),
            });
            let draft = Draft::new(&callee.client_name, SpanKind::Client, clock, end);
            let fixed = &callee.client_attributes;
            self.span(site, span, Draft { fixed, attributes, failure: failure.clone(), ..draft });
            clock = end;
            let Some(message) = failure else { return (clock, None) };
            if attempt < retries {
                self.log(site, clock, Severity::Warn, Text::Owned(format!("{message}; trying again")));
                clock += self.time(60_000_000.0, 0.3);
            } else if optional {
                self.log(site, clock, Severity::Warn, Text::Owned(format!("{message}; going on without it")));
                return (clock, None);
            } else {
                return (clock, Some(message));
            }
        }
        (clock, None)
    }

    fn store(
        &mut self,
        site: &Site<'_>,
        store: &'static Store,
        (name, fixed): (&'static str, &'static [(String, String)]),
        start: i64,
    ) -> (i64, Option<Text>) {
        let mut clock = start;
        let operation = site.operation;
        let wait = self.incident.and_then(|i| i.wait(&operation.service.name, &operation.name, &store.name, start));
        if let Some((wait, strength)) = wait
            && self.random.chance(wait.share * strength)
        {
            let waited = self.random.exponential(wait.mean.0 as f64 * strength) as i64;
            let failed = (waited >= wait.timeout.0).then(|| Text::Owned(wait.message.clone()));
            let end = clock + waited.min(wait.timeout.0);
            let draft = Draft::new("", SpanKind::Internal, clock, end);
            self.child(site, Draft { name: Text::Owned(wait.span.clone()), failure: failed.clone(), ..draft });
            clock = end;
            if failed.is_some() {
                return (clock, failed);
            }
        }
        let spec = &store.spec;
        let names = (operation.service.name.as_str(), operation.name.as_str());
        let effect = self.incident.and_then(|i| i.store(names, (&store.name, statement(fixed)), clock));
        let (effect, strength) = effect.map_or((None, 0.0), |(effect, strength)| (Some(effect), strength));
        let slower = effect.and_then(|effect| effect.latency_factor).map_or(1.0, |f| 1.0 + (f - 1.0) * strength);
        if let Some(errors) = effect.and_then(|effect| effect.errors.as_ref())
            && self.random.chance(errors.share * strength)
        {
            let usual = self.time(spec.time.0 as f64 * slower, 0.45);
            let end = clock + errors.after.map_or(usual, |after| after.0);
            let failure = Some(Text::Owned(errors.message.clone()));
            let draft = Draft::new(name, SpanKind::Client, clock, end);
            self.child(site, Draft { fixed, failure: failure.clone(), ..draft });
            return (end, failure);
        }
        let calls =
            effect.and_then(|effect| effect.calls).map_or(1, |calls| 1 + ((calls.max(1) - 1) as f64 * strength) as u32);
        for _ in 1..calls {
            let end = clock + self.time(spec.time.0 as f64 * slower, 0.45);
            self.child(site, Draft { fixed, ..Draft::new(name, SpanKind::Client, clock, end) });
            clock = end;
        }
        let end = clock + self.time(spec.time.0 as f64 * slower, 0.45);
        let failure = self.random.chance(spec.errors * self.fleet.organization.spec.errors);
        let failure = failure.then_some(Text::Borrowed(spec.message.as_str()));
        let draft = Draft::new(name, SpanKind::Client, clock, end);
        self.child(site, Draft { fixed, failure: failure.clone(), ..draft });
        (end, failure)
    }

    /// Whether a request does without a statement that not every request needs.
    fn skips(
        &mut self,
        site: &Site<'_>,
        (store, fixed): (&Store, &[(String, String)]),
        share: f64,
        clock: i64,
    ) -> bool {
        let names = (site.operation.service.name.as_str(), site.operation.name.as_str());
        let effect = self.incident.and_then(|i| i.store(names, (&store.name, statement(fixed)), clock));
        let share = effect.and_then(|(effect, _)| effect.share).unwrap_or(share);
        share < 1.0 && !self.random.chance(share)
    }

    fn stops(&mut self, site: &Site<'_>, name: &str, clock: i64) -> bool {
        let operation = site.operation;
        let strength = self.incident.map_or(0.0, |i| i.stopped(&operation.service.name, &operation.name, name, clock));
        self.random.chance(strength)
    }

    /// Lines that requests write while an effect acts.
    fn tell(&mut self, site: &Site<'_>, start: i64, end: i64, failed: bool) {
        let Some(incident) = self.incident else { return };
        let operation = site.operation;
        for (log, strength) in incident.request_logs(&operation.service.name, &operation.name, start) {
            let severity = Severity::parse(&log.severity).unwrap_or(Severity::Info);
            if (failed || severity < Severity::Error) && self.random.chance(log.share * strength) {
                let body = filled(&log.body, (log.low, log.high), &mut self.random);
                self.log(site, end, severity, Text::Owned(body));
            }
        }
    }

    /// Adds a span under the site's entry span and gives its id.
    fn child(&mut self, site: &Site<'_>, draft: Draft) -> u64 {
        let id = self.id();
        self.span(site, id, draft);
        id
    }

    fn span(&mut self, site: &Site<'_>, id: u64, draft: Draft) {
        self.batch.spans.push(Span {
            timestamp: draft.start,
            trace: self.trace,
            id,
            parent: site.span,
            name: draft.name,
            kind: draft.kind,
            service: &site.operation.service,
            status: if draft.failure.is_some() { Status::Error } else { Status::Unset },
            message: draft.failure.unwrap_or_default(),
            duration: (draft.end - draft.start) as u64,
            pod: Arc::clone(site.pod),
            fixed: draft.fixed,
            attributes: draft.attributes,
        });
    }

    /// What a finished request leaves besides its span.
    fn notice(&mut self, site: &Site<'_>, end: i64, duration: i64, failure: Option<&Text>, upstream: bool) {
        let operation = site.operation;
        let millis = duration / 1_000_000;
        if let Some(message) = failure {
            let body = if upstream {
                format!("{} answered 502: {message}", operation.name)
            } else {
                format!("{} failed: {message}", operation.name)
            };
            self.log(site, end, Severity::Error, Text::Owned(body));
        } else if duration > SLOW {
            self.log(
                site,
                end,
                Severity::Warn,
                Text::Owned(format!("slow request: {} took {millis} ms", operation.name)),
            );
        } else if self.random.chance(0.2) {
            self.log(site, end, Severity::Info, Text::Owned(format!("{} done in {millis} ms", operation.name)));
        }
        let share = if failure.is_some() || duration > SLOW { 0.2 } else { 0.01 };
        if self.random.chance(share) {
            self.batch.exemplars.push(Exemplar {
                timestamp: end,
                metric: if operation.consumer { "messaging.process.duration" } else { "http.server.request.duration" },
                value: duration as f64 / SECOND as f64,
                trace: self.trace,
                span: site.span,
                service: &operation.service.name,
                operation: &operation.name,
            });
        }
    }

    fn log(&mut self, site: &Site<'_>, timestamp: i64, severity: Severity, body: Text) {
        let attributes = vec![("operation", Text::Borrowed(site.operation.name.as_str()))];
        self.batch.logs.push(Log {
            timestamp,
            trace: self.trace,
            span: site.span,
            severity,
            service: &site.operation.service.name,
            body,
            pod: Some(Arc::clone(site.pod)),
            attributes,
        });
    }

    /// A skewed time around `median` under the organisation's and the hour's factor; at least a microsecond.
    fn time(&mut self, median: f64, sigma: f64) -> i64 {
        let factor = self.fleet.organization.spec.latency * self.pressure;
        self.random.skewed(median * factor, sigma).max(1_000.0) as i64
    }

    fn id(&mut self) -> u64 {
        self.random.bits().max(1)
    }
}

/// The statement among the attributes of a call of a store.
fn statement(fixed: &[(String, String)]) -> &str {
    fixed.iter().find(|(key, _)| key == "db.statement").map_or("", |(_, value)| value.as_str())
}
