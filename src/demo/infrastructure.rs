//! Signals of machines, clusters and monitors, the audit trail, and the log lines that the platform writes about
//! them under its synthetic service names.

use std::sync::Arc;

use super::{
    control_plane,
    event::{
        Anomaly, Audit, AuditResult, AuditType, Batch, Check, KubernetesEvent, KubernetesMetric, Log, MapMetric,
        Severity, Text, VmMetric,
    },
    fleet::{Fleet, NODES, node_name, stable_id},
    generate::{Generator, Slot},
    inventory::{self, Host, Monitor},
    network,
    offset::{MINUTE, SECOND},
    people::Person,
    random::{Random, number},
};

/// What people do: kind, action, resource, share of it, share that fails, share that is denied.
const DEEDS: &[(AuditType, &str, &str, f64, f64, f64)] = &[
    (AuditType::Auth, "login", "session", 0.26, 0.07, 0.0),
    (AuditType::Auth, "logout", "session", 0.10, 0.0, 0.0),
    (AuditType::Auth, "mfa.verify", "session", 0.12, 0.04, 0.0),
    (AuditType::Authz, "permission.check", "api_key", 0.06, 0.0, 0.35),
    (AuditType::Data, "dashboard.read", "dashboard", 0.20, 0.0, 0.01),
    (AuditType::Data, "dashboard.update", "dashboard", 0.07, 0.01, 0.03),
    (AuditType::Data, "alert_rule.update", "alert_rule", 0.05, 0.01, 0.05),
    (AuditType::Data, "export.create", "export", 0.03, 0.05, 0.08),
    (AuditType::System, "retention.enforce", "retention_policy", 0.05, 0.01, 0.0),
    (AuditType::System, "agent.register", "agent", 0.06, 0.02, 0.0),
];

/// What people do, by name.
pub fn actions() -> Vec<&'static str> {
    DEEDS.iter().map(|deed| deed.1).collect()
}

/// The people, machines and monitors of one organisation.
#[derive(Debug)]
pub struct Estate {
    pub people: Vec<Arc<Person>>,
    pub hosts: Vec<Arc<Host>>,
    pub monitors: Vec<Arc<Monitor>>,
}

/// Writes everything of this module for one slot.
pub fn emit(
    generator: &Generator,
    fleet: &Fleet,
    estate: &Estate,
    slot: &Slot,
    random: &mut Random,
    batch: &mut Batch,
) {
    let mut emitter = Emitter { generator, fleet, slot, random, batch };
    emitter.audits(estate);
    emitter.tried(estate);
    emitter.checks(estate);
    emitter.machines(estate);
    emitter.cluster();
    emitter.volumes_and_autoscalers();
    emitter.events();
    emitter.anomalies();
    emitter.service_map();
    network::emit(generator, fleet, slot, batch);
    control_plane::emit(generator, fleet, slot, batch);
}

struct Emitter<'a> {
    generator: &'a Generator,
    fleet: &'a Fleet,
    slot: &'a Slot,
    random: &'a mut Random,
    batch: &'a mut Batch,
}

impl Emitter<'_> {
    fn audits(&mut self, estate: &Estate) {
        let organization = self.fleet.organization;
        let daily = organization.spec.users as f64 * 130.0 * self.generator.scale().clamp(0.3, 3.0);
        let share = (self.slot.to - self.slot.from) as f64 / (24.0 * 60.0 * MINUTE as f64);
        let load = self.generator.load(organization, self.slot.from);
        let about: Vec<&Arc<Person>> = estate.people.iter().filter(|person| person.came_lately()).collect();
        for _ in 0..self.random.poisson(daily * share * load) {
            let mut roll = self.random.unit();
            let chosen = DEEDS.iter().find(|deed| {
                roll -= deed.3;
                roll < 0.0
            });
            let Some(&(kind, action, resource, _, fails, denied)) = chosen.or(DEEDS.first()) else { return };
            let user =
                if kind == AuditType::System { None } else { self.random.pick(&about).map(|&user| Arc::clone(user)) };
            let clumsy = user.as_ref().is_some_and(|user| user.failed_logins > 0);
            let result = if self.random.chance(if clumsy { fails * 5.0 } else { fails }) {
                AuditResult::Failure
            } else if self.random.chance(denied) {
                AuditResult::Denied
            } else {
                AuditResult::Success
            };
            let error = match (result, kind) {
                (AuditResult::Success, _) => "",
                (AuditResult::Failure, AuditType::Auth) => "invalid credentials",
                (AuditResult::Failure, _) => "the operation could not be completed",
                (AuditResult::Denied, _) => "permission denied",
            };
            let timestamp = self.moment() / 1_000_000 * 1_000_000;
            let address = user.as_ref().map_or("127.0.0.1".to_owned(), |user| user.address.clone());
            let who = user.as_ref().map_or("system", |user| user.email.as_str());
            let severity = if result == AuditResult::Success { Severity::Info } else { Severity::Warn };
            self.platform_log("audit", severity, format!("{action} by {who}: {result:?}"), timestamp);
            self.batch.audits.push(Audit {
                id: self.random.uuid(),
                timestamp,
                user,
                kind,
                result,
                action,
                resource,
                resource_id: format!("{resource}-{}", 100 + self.random.below(40)),
                error,
                address,
                duration_ms: self.random.skewed(24.0, 0.6) as u32,
            });
        }
    }

    /// Entries of the incident, from a stream of their own.
    fn tried(&mut self, estate: &Estate) {
        let Some(incident) = self.generator.incident(self.fleet.organization) else { return };
        for effect in &incident.scenario.audits {
            let deed = DEEDS.iter().find(|deed| deed.1 == effect.action);
            let Some(&(kind, action, resource, ..)) = deed else { continue };
            for at in ticks((incident.start + effect.after.0, incident.finish), effect.every.0, self.slot) {
                let mut random = Random::new(self.generator.seed(), &[number(action), at as u64]);
                let user = random.pick(&estate.people).cloned();
                let who = user.as_ref().map_or("nobody", |user| user.email.as_str());
                self.platform_log("audit", Severity::Warn, format!("{action} by {who}: Failure"), at);
                self.batch.audits.push(Audit {
                    id: random.uuid(),
                    timestamp: at / 1_000_000 * 1_000_000,
                    user,
                    kind,
                    result: AuditResult::Failure,
                    action,
                    resource,
                    resource_id: format!("{resource}-{}", 100 + random.below(40)),
                    error: "invalid credentials",
                    address: effect.address.clone(),
                    duration_ms: random.skewed(24.0, 0.6) as u32,
                });
            }
        }
    }

    fn checks(&mut self, estate: &Estate) {
        let interval = self.generator.metric_interval();
        for (index, monitor) in estate.monitors.iter().enumerate() {
            let mut at = self.slot.from + 7 * SECOND * (index as i64 + 1);
            while at < self.slot.to {
                // A service that is slow in an incident answers checks slowly, and sometimes not at all.
                let factor = self
                    .generator
                    .incident(self.fleet.organization)
                    .map_or(1.0, |incident| incident.impact(monitor.service, "", at).factor);
                let trouble = (factor - 1.0).clamp(0.0, 1.0) * 0.3;
                let (status, code, error) = if self.random.chance(monitor.failures + trouble) {
                    match self.random.below(3) {
                        0 => ("timeout", 0, "no answer within 10 s"),
                        1 => ("error", 0, "connection reset by peer"),
                        _ => ("failure", 503, "status 503, expected 200"),
                    }
                } else {
                    ("success", 200, "")
                };
                let usual = self.random.skewed(monitor.response * factor, 0.3);
                let response_time = if status == "timeout" { 10_000.0 } else { (usual * 10.0).round() / 10.0 };
                if status != "success" {
                    self.platform_log(
                        "tfo.uptime",
                        Severity::Error,
                        format!("{} is not up: {error}", monitor.name),
                        at,
                    );
                }
                let monitor = Arc::clone(monitor);
                let ssl_days = monitor.ssl_days;
                self.batch.checks.push(Check { timestamp: at, monitor, status, code, response_time, error, ssl_days });
                at += interval;
            }
        }
    }

    fn machines(&mut self, estate: &Estate) {
        for host in &estate.hosts {
            for at in self.generator.gauge_ticks(self.slot) {
                if host.silent_for.is_some_and(|minutes| at > self.generator.end() - minutes * MINUTE) {
                    continue;
                }
                let load = self.generator.load(self.fleet.organization, at);
                let cpu = (host.idle + 0.22 * load * self.random.between(0.8, 1.2)).min(0.97);
                let day = (at - self.generator.start()) as f64 / (24.0 * 60.0 * MINUTE as f64);
                let traffic = 40.0e6 * load * self.random.between(0.7, 1.3);
                let rows = [
                    ("system.cpu.utilization", cpu, "1"),
                    ("system.cpu.load_average.1m", cpu * f64::from(host.cores) * 1.1, "1"),
                    ("system.memory.utilization", (0.42 + 0.2 * cpu + 0.03 * self.random.unit()).min(0.98), "1"),
                    ("system.filesystem.utilization", (host.disk - 0.015 * (1.0 - day)).min(0.99), "1"),
                    ("system.network.io", traffic.round(), "By/s"),
                    ("system.network.errors", if self.random.chance(0.01) { 1.0 } else { 0.0 }, "{error}"),
                ];
                for (name, value, unit) in rows {
                    let value = self.on_host(&host.name, name, value, at);
                    let value = (value * 1e4).round() / 1e4;
                    self.batch.vm_metrics.push(VmMetric { timestamp: at, vm: Arc::clone(host), name, value, unit });
                }
                self.platform_log("tfo.agent", Severity::Info, format!("heartbeat of {}", host.name), at + SECOND);
            }
        }
    }

    /// What the agent of a machine measured at a moment.
    fn measured(&self, host: &str, metric: &str, at: i64) -> f64 {
        let mut rows = self.batch.vm_metrics.iter().rev();
        let found = rows.find(|row| row.timestamp == at && row.name == metric && row.vm.name == host);
        found.map_or(0.0, |row| row.value)
    }

    fn cluster(&mut self) {
        for at in self.generator.gauge_ticks(self.slot) {
            let load = self.generator.load(self.fleet.organization, at);
            for index in 0..NODES {
                let name = node_name(self.fleet.organization, index);
                // What follows is drawn as it was before nodes told what their machines measure.
                self.random.unit();
                // Of what can be allocated, which is less than what the machine has.
                let cpu = self.measured(&name, "system.cpu.utilization", at) * 8.0 / 7.8;
                let memory = self.measured(&name, "system.memory.utilization", at) * 32.0 / 30.0;
                let shown = self.on_host(&name, "k8s.node.cpu.utilization", cpu, at);
                self.gauge(at, "node", &name, "", "k8s.node.cpu.utilization", shown);
                self.gauge(at, "node", &name, "", "k8s.node.memory.utilization", memory);
            }
            for deployed in &self.fleet.services {
                let service = deployed.service;
                for slot in 0..service.spec.replicas as usize {
                    let Some(pod) = self.fleet.pod(service, at, slot) else { continue };
                    let memory =
                        (0.3 + 0.02 * service.index as f64 + 0.15 * load * self.random.between(0.9, 1.1)).min(0.99);
                    let rows = [
                        ("k8s.pod.memory.limit_utilization", memory),
                        ("k8s.pod.cpu.utilization", memory * 0.6),
                        ("k8s.container.restarts", 0.0),
                    ];
                    for (metric, value) in rows {
                        let incident = self.generator.incident(self.fleet.organization);
                        let value = incident.map_or(value, |i| i.pod_gauge(&service.name, metric, value, at));
                        self.gauge(at, "pod", &pod.name, &service.spec.namespace, metric, value);
                    }
                }
            }
        }
    }

    /// They draw nothing, so that what follows is what it was without them.
    fn volumes_and_autoscalers(&mut self) {
        let organization = self.fleet.organization;
        for at in self.generator.gauge_ticks(self.slot) {
            let before_end = self.generator.end() - at;
            for volume in inventory::volumes(organization) {
                let (size, free) = volume.bytes(before_end);
                self.gauge(at, "volume", volume.claim, volume.namespace, "k8s.volume.capacity", size);
                self.gauge(at, "volume", volume.claim, volume.namespace, "k8s.volume.available", free);
            }
            for scaler in inventory::autoscalers(organization) {
                let service = self.generator.world.service(scaler.service);
                let Some(namespace) = service.map(|service| service.spec.namespace.as_str()) else { continue };
                let (current, desired) = scaler.replicas(before_end);
                let rows = [
                    ("k8s.hpa.min_replicas", scaler.min),
                    ("k8s.hpa.max_replicas", scaler.max),
                    ("k8s.hpa.current_replicas", current),
                    ("k8s.hpa.desired_replicas", desired),
                ];
                for (metric, value) in rows {
                    self.gauge(at, "hpa", scaler.service, namespace, metric, value as f64);
                }
            }
        }
    }

    fn gauge(&mut self, at: i64, kind: &'static str, name: &str, namespace: &str, metric: &'static str, value: f64) {
        self.batch.kubernetes_metrics.push(KubernetesMetric {
            timestamp: at,
            resource_type: kind,
            resource_name: name.to_owned(),
            namespace: namespace.to_owned(),
            name: metric,
            value: (value * 1e4).round() / 1e4,
        });
    }

    /// Events of roll-outs that fall into the slot, and those of the incident.
    fn events(&mut self) {
        for deployed in &self.fleet.services {
            let service = deployed.service;
            let hurt = self.generator.incident(self.fleet.organization).is_some_and(|incident| {
                incident.scenario.kubernetes_events.iter().any(|event| event.service == service.name)
            });
            for release in deployed.releases.iter().filter(|release| self.slot.holds(release.from) && !hurt) {
                let text = format!(
                    "Scaled up replica set of {} {} to {}",
                    service.name, release.version, service.spec.replicas
                );
                self.event(release.from, service, "Deployment", ("Normal", "ScalingReplicaSet", text), 1);
            }
        }
        if self.random.chance(0.06) {
            let at = self.moment();
            let service = self.random.pick(&self.generator.world.services);
            let text = "Readiness probe failed: context deadline exceeded".to_owned();
            if let Some(service) = service {
                self.event(at, service, "Pod", ("Warning", "Unhealthy", text), 1);
            }
        }
        let Some(incident) = self.generator.incident(self.fleet.organization) else { return };
        for event in &incident.scenario.kubernetes_events {
            let at = incident.start + event.at.0;
            if let Some(service) = self.generator.world.service(&event.service).filter(|_| self.slot.holds(at)) {
                self.event(
                    at,
                    service,
                    &event.object,
                    (&event.kind, &event.reason, event.message.clone()),
                    event.count,
                );
            }
        }
    }

    fn event(
        &mut self,
        at: i64,
        service: &'static super::world::Service,
        object: &str,
        (kind, reason, message): (&str, &str, String),
        count: u32,
    ) {
        let pod = self.fleet.pod(service, at, 0).map_or(service.name.as_str(), |pod| pod.name.as_str());
        let involved_name = if object == "Pod" { pod } else { &service.name }.to_owned();
        let severity = if kind == "Warning" { Severity::Warn } else { Severity::Info };
        self.platform_log("k8s.events", severity, format!("{reason} {object}/{involved_name}: {message}"), at);
        self.batch.kubernetes_events.push(KubernetesEvent {
            timestamp: at / 1_000_000 * 1_000_000,
            namespace: service.spec.namespace.clone(),
            kind: kind.to_owned(),
            reason: reason.to_owned(),
            message,
            source: if object == "Pod" { "kubelet" } else { "deployment-controller" },
            involved_kind: object.to_owned(),
            involved_name,
            count,
        });
    }

    fn anomalies(&mut self) {
        let organization = self.fleet.organization;
        if self.random.chance(0.03) {
            let timestamp = self.moment() / 1_000_000 * 1_000_000;
            let z_score = self.random.between(3.1, 4.6);
            let service =
                self.random.pick(&self.generator.world.services).map_or(String::new(), |service| service.name.clone());
            let expected = self.random.between(0.2, 0.5);
            self.batch.anomalies.push(Anomaly {
                timestamp,
                id: self.random.uuid(),
                service,
                metric: "system.cpu.utilization".to_owned(),
                signal: "metric".to_owned(),
                severity: "warning".to_owned(),
                score: (z_score * 10.0).round(),
                z_score,
                observed: expected * 1.9,
                expected,
            });
        }
        let Some(incident) = self.generator.incident(organization) else { return };
        for anomaly in &incident.scenario.anomalies {
            let timestamp = incident.start + anomaly.at.0;
            if self.slot.holds(timestamp) {
                self.batch.anomalies.push(Anomaly {
                    timestamp: timestamp / 1_000_000 * 1_000_000,
                    id: stable_id(organization, "anomaly", &format!("{}{}", anomaly.metric, anomaly.at.0)),
                    service: anomaly.service.clone(),
                    metric: anomaly.metric.clone(),
                    signal: anomaly.signal.clone(),
                    severity: anomaly.severity.clone(),
                    score: (anomaly.z_score * 10.0).min(100.0),
                    z_score: anomaly.z_score,
                    observed: anomaly.observed,
                    expected: anomaly.expected,
                });
            }
        }
    }

    fn service_map(&mut self) {
        let organization = self.fleet.organization;
        for at in self.generator.gauge_ticks(self.slot) {
            for service in &self.generator.world.services {
                let incident = self.generator.incident(organization);
                let factor = incident.map_or(1.0, |incident| incident.impact(&service.name, "", at).factor);
                let rate = organization.spec.traffic * self.generator.visits(service) / 86_400.0;
                let noise = self.random.between(0.9, 1.1);
                self.batch.map_metrics.push(MapMetric {
                    timestamp: at,
                    service_id: stable_id(organization, "service", &service.name),
                    service: &service.name,
                    health: (100.0 - 18.0 * (factor - 1.0)).max(20.0),
                    uptime: 100.0,
                    latency: 20.0 * organization.spec.latency * factor * noise,
                    error_rate: 0.15 * organization.spec.errors * factor * factor * noise,
                    request_rate: rate * self.generator.load(organization, at) * self.generator.scale(),
                });
            }
        }
    }

    fn on_host(&self, host: &str, metric: &str, value: f64, at: i64) -> f64 {
        let incident = self.generator.incident(self.fleet.organization);
        incident.map_or(value, |incident| incident.host_gauge(host, metric, value, at))
    }

    fn moment(&mut self) -> i64 {
        self.slot.from + self.random.below((self.slot.to - self.slot.from) as usize) as i64
    }

    fn platform_log(&mut self, service: &'static str, severity: Severity, body: String, timestamp: i64) {
        let attributes = vec![("source", Text::Borrowed("platform"))];
        let body = Text::Owned(body);
        self.batch.logs.push(Log { timestamp, trace: 0, span: 0, severity, service, body, pod: None, attributes });
    }
}

/// Moments of a slot that are a multiple of `every` after `begin`, before `end`.
fn ticks((begin, end): (i64, i64), every: i64, slot: &Slot) -> Vec<i64> {
    let every = every.max(1);
    let first = ((slot.from - begin).max(0) + every - 1) / every;
    let to = slot.to.min(end);
    (first..).map(|number| begin + number * every).take_while(|at| *at < to).collect()
}
