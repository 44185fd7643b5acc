//! What is scraped of a cluster's control plane: its API servers, their store, and its name servers.
//!
//! Counters follow from the load since the start of the data, so nothing is drawn: they only grow, and their sums can
//! be told in advance. The first organisation is well. In the second the store became slow, in the third one name
//! server answers slowly and with errors, and a client of the API servers is turned away.

use super::{
    event::{Attribute, Batch, Scraped, Text},
    fleet::Fleet,
    generate::{Generator, Slot},
    offset::MINUTE,
    world::Organization,
};

/// Verb, resource, code, requests a second of each server.
const REQUESTS: [(&str, &str, &str, f64); 12] = [
    ("GET", "leases", "200", 9.0),
    ("PUT", "leases", "200", 7.0),
    ("GET", "configmaps", "200", 1.5),
    ("GET", "secrets", "200", 0.6),
    ("LIST", "pods", "200", 0.6),
    ("LIST", "endpointslices", "200", 0.2),
    ("WATCH", "pods", "200", 0.3),
    ("PATCH", "events", "200", 1.0),
    ("POST", "events", "201", 0.7),
    ("POST", "subjectaccessreviews", "201", 0.9),
    ("GET", "deployments", "404", 0.03),
    ("PUT", "leases", "409", 0.01),
];
/// Verb, requests a second, their median in seconds.
const VERBS: [(&str, f64, f64); 4] =
    [("GET", 11.1, 0.004), ("LIST", 0.8, 0.03), ("POST", 1.6, 0.006), ("PUT", 7.0, 0.008)];
const REQUEST_BOUNDS: [f64; 6] = [0.005, 0.025, 0.1, 0.5, 1.0, 5.0];
/// Operation on the store, a second, and its median in seconds.
const OPERATIONS: [(&str, f64, f64); 3] = [("get", 3.0, 0.002), ("list", 0.5, 0.004), ("update", 7.5, 0.003)];
const STORE_BOUNDS: [f64; 6] = [0.005, 0.01, 0.025, 0.1, 0.5, 1.0];
/// What is answered, and how many a second.
const ANSWERS: [(&str, f64); 3] = [("NOERROR", 38.0), ("NXDOMAIN", 21.0), ("SERVFAIL", 0.01)];
const ANSWER_BOUNDS: [f64; 6] = [0.001, 0.004, 0.016, 0.064, 0.256, 1.024];
/// How steeply a distribution rises around its median.
const STEEP: f64 = 3.0;

/// When what is wrong in an organisation began, before the end.
const STORE_SLOW: i64 = 47 * MINUTE;
const TURNED_AWAY: i64 = 38 * MINUTE;
const NAMES_SLOW: i64 = 33 * MINUTE;

/// Writes what is scraped in one slot.
pub fn emit(generator: &Generator, fleet: &Fleet, slot: &Slot, batch: &mut Batch) {
    for at in generator.gauge_ticks(slot) {
        for index in 0..2 {
            let mut scrape = Scrape { generator, organization: fleet.organization, index, at, batch };
            scrape.api_server();
            scrape.name_server();
        }
    }
}

struct Scrape<'a> {
    generator: &'a Generator,
    organization: &'static Organization,
    index: usize,
    at: i64,
    batch: &'a mut Batch,
}

impl Scrape<'_> {
    fn api_server(&mut self) {
        for (verb, resource, code, rate) in REQUESTS {
            let labels = [("verb", verb), ("resource", resource), ("code", code)];
            self.counter("apiserver_request_total", &labels, rate * self.seconds(None));
        }
        let away = if self.organization.index == 2 { self.seconds(Some(TURNED_AWAY)) } else { 0.0 };
        let labels = [("verb", "LIST"), ("resource", "secrets"), ("code", "429")];
        self.counter("apiserver_request_total", &labels, 1.7 * away);
        for level in ["global-default", "workload-low"] {
            let rejected = if level == "workload-low" { 1.7 * away } else { 0.0 };
            self.counter("apiserver_flowcontrol_rejected_requests_total", &[("priority_level", level)], rejected);
        }
        let slow = (self.organization.index == 1).then_some(STORE_SLOW);
        for (verb, rate, median) in VERBS {
            let waits = slow.filter(|_| verb != "GET").map(|since| (since, 0.15 + median));
            let name = "apiserver_request_duration_seconds_bucket";
            self.buckets(name, &REQUEST_BOUNDS, ("verb", verb), (rate, median, waits));
        }
        for (operation, rate, median) in OPERATIONS {
            let waits = slow.map(|since| (since, 30.0 * median));
            let name = "etcd_request_duration_seconds_bucket";
            self.buckets(name, &STORE_BOUNDS, ("operation", operation), (rate, median, waits));
        }
        let load = self.generator.load(self.organization, self.at);
        for (kind, usual) in [("mutating", 4.0), ("readOnly", 11.0)] {
            self.gauge("apiserver_current_inflight_requests", &[("request_kind", kind)], (usual * load).round());
        }
        let days = self.seconds(None) / 86_400.0;
        for (resource, usual) in [("events", 5_200.0), ("pods", 61.0), ("secrets", 118.0), ("leases", 42.0)] {
            let growth = if resource == "events" { 60.0 * days } else { 0.0 };
            self.gauge("apiserver_storage_objects", &[("resource", resource)], (usual + growth).round());
        }
        if self.organization.index == 0 {
            let labels = [
                ("group", "admissionregistration.k8s.io"),
                ("version", "v1beta1"),
                ("resource", "validatingadmissionpolicies"),
                ("removed_release", "1.34"),
            ];
            self.gauge("apiserver_requested_deprecated_apis", &labels, 1.0);
        }
    }

    fn name_server(&mut self) {
        // The requests of the second server.
        let ill = self.organization.index == 2 && self.index == 1;
        let since = ill.then_some(NAMES_SLOW);
        for (code, rate) in ANSWERS {
            let failed = if code == "SERVFAIL" && ill { 2.6 * self.seconds(since) } else { 0.0 };
            let count = rate * self.seconds(None) + failed;
            self.counter("coredns_dns_responses_total", &[("rcode", code), ("zone", ".")], count);
        }
        let usual = self.seconds(None);
        for (kind, rate) in [("success", 33.0), ("denial", 17.0)] {
            self.counter("coredns_cache_hits_total", &[("type", kind), ("zones", ".")], rate * usual);
        }
        let missed = if ill { 2.6 * self.seconds(since) } else { 0.0 };
        self.counter("coredns_cache_misses_total", &[("zones", ".")], 9.0 * usual + missed);
        for (code, rate) in [("NOERROR", 2.1), ("NXDOMAIN", 0.8), ("SERVFAIL", 0.005)] {
            let failed = if code == "SERVFAIL" && ill { 2.6 * self.seconds(since) } else { 0.0 };
            let to = format!("10.{}.0.2:53", 20 + self.organization.index);
            let labels = [("rcode", code), ("to", to.as_str())];
            self.counter("coredns_forward_responses_total", &labels, rate * usual + failed);
        }
        let waits = since.map(|since| (since, 0.3));
        let name = "coredns_dns_request_duration_seconds_bucket";
        self.buckets(name, &ANSWER_BOUNDS, ("zone", "."), (59.01, 0.0006, waits));
        self.counter("coredns_panics_total", &[], 0.0);
    }

    /// Seconds of mean load since the start of the data, or since so long before its end.
    fn seconds(&self, before_end: Option<i64>) -> f64 {
        let counted = |at| self.generator.load_since_start(self.organization, at);
        before_end.map_or_else(
            || counted(self.at),
            |before| (counted(self.at) - counted(self.generator.end() - before)).max(0.0),
        )
    }

    /// A distribution with a rate and a median, and since when so much longer a tenth of it takes.
    fn buckets(
        &mut self,
        name: &'static str,
        bounds: &[f64],
        label: (&'static str, &str),
        (rate, median, waits): (f64, f64, Option<(i64, f64)>),
    ) {
        let below = |bound: f64, median: f64| 1.0 / (1.0 + (median / bound).powf(STEEP));
        let slow = waits.map_or(0.0, |(since, _)| 0.1 * rate * self.seconds(Some(since)));
        let usual = rate * self.seconds(None) - slow;
        for bound in bounds {
            let slow = waits.map_or(0.0, |(_, median)| slow * below(*bound, median));
            let count = usual * below(*bound, median) + slow;
            self.counter(name, &[label, ("le", bound.to_string().as_str())], count);
        }
        self.counter(name, &[label, ("le", "+Inf")], usual + slow);
    }

    fn counter(&mut self, name: &'static str, labels: &[(&'static str, &str)], count: f64) {
        self.gauge(name, labels, count.floor());
    }

    fn gauge(&mut self, name: &'static str, labels: &[(&'static str, &str)], value: f64) {
        let (job, port) = if name.starts_with("coredns") { ("coredns", 9153) } else { ("apiserver", 6443) };
        let instance = format!("10.{}.1.{}:{port}", 20 + self.organization.index, 2 + self.index);
        let mut all: Vec<Attribute> = vec![
            ("cluster", self.organization.spec.cluster.clone().into()),
            ("instance", instance.into()),
            ("job", Text::Borrowed(job)),
        ];
        all.extend(labels.iter().map(|(label, value)| (*label, Text::Owned((*value).to_owned()))));
        self.batch.scraped.push(Scraped { timestamp: self.at, name, labels: all, value });
    }
}
