//! Events as rows of ClickHouse's RowBinary format: the densest form that the server reads, and the fastest.
//!
//! One function a table; the order of the columns is the order of the values.

mod tables;

use super::{
    event::{
        Anomaly, Attribute, Audit, Batch, Check, DatabaseMetric, Exemplar, KubernetesEvent, KubernetesMetric,
        LinkTraffic, Log, MapMetric, Metric, NodeTraffic, Prediction, Scraped, Span, Status, VmMetric,
    },
    fleet::Fleet,
    spending::{Cost, ModelCall},
    world::Organization,
};

pub use tables::{TARGETS, Target};

/// Rows in RowBinary.
#[derive(Debug, Default)]
pub struct Rows {
    pub bytes: Vec<u8>,
    pub count: usize,
}

impl Rows {
    fn span(&mut self, event: &Span, organization: &Organization) {
        self.begin();
        self.long(event.timestamp);
        self.trace(event.trace);
        self.span_id(event.id);
        self.span_id(event.parent);
        self.text(&event.name);
        self.byte(event.kind as u8);
        self.text(&event.service.name);
        self.byte(event.status as u8);
        self.text(&event.message);
        self.long(event.duration as i64);
        self.tenant(organization);
        self.pairs(&event.pod.resource, &[]);
        self.pairs(event.fixed, &event.attributes);
        if event.status == Status::Error {
            let message = serde_json::Value::String(event.message.to_string());
            self.text(&format!(r#"[{{"name":"exception","attributes":{{"exception.message":{message}}}}}]"#));
        } else {
            self.text("");
        }
    }

    fn log(&mut self, event: &Log, organization: &Organization) {
        self.begin();
        self.long(event.timestamp);
        self.long(event.timestamp + 40_000_000);
        self.trace(event.trace);
        self.span_id(event.span);
        self.number(u32::from(event.trace != 0));
        self.text(event.severity.as_str());
        self.byte(event.severity as u8);
        self.text(event.service);
        self.tenant(organization);
        self.text(&event.body);
        self.pairs(event.pod.as_ref().map_or(&[], |pod| &pod.resource), &[]);
        self.pairs(&[], &event.attributes);
        self.text("app");
        self.text("1.0.0");
    }

    fn metric(&mut self, event: &Metric, organization: &Organization) {
        self.begin();
        self.long(event.timestamp);
        self.text(&event.name);
        self.byte(event.kind as u8);
        self.float(event.value);
        self.text(event.service);
        self.tenant(organization);
        self.pairs(&event.pod.resource, &[]);
        self.pairs(&[], &event.attributes);
        self.text(&event.unit);
    }

    fn exemplar(&mut self, event: &Exemplar, organization: &Organization) {
        self.begin();
        self.long(event.timestamp);
        self.text(event.metric);
        self.float(event.value);
        self.trace(event.trace);
        self.span_id(event.span);
        self.pairs(&[], &[("operation", event.operation.into())]);
        self.pairs(&[], &[]);
        self.text(event.service);
        self.tenant(organization);
    }

    fn audit(&mut self, event: &Audit, organization: &Organization) {
        let (id, email, first, last) = event
            .user
            .as_ref()
            .map_or_else(Default::default, |user| (user.id.to_string(), user.email.as_str(), user.first, user.last));
        let millis = event.timestamp / 1_000_000;
        self.begin();
        self.uuid(event.id);
        self.long(millis);
        for value in [id.as_str(), email, first, last] {
            self.text(value);
        }
        self.byte(event.kind as u8);
        for value in [event.action, event.resource, &event.resource_id] {
            self.text(value);
        }
        self.byte(event.result as u8);
        self.text(event.error);
        self.text(if event.error.is_empty() { "" } else { "E_REFUSED" });
        let path = format!("/api/v2/{}s/{}", event.resource, event.resource_id);
        for value in [event.address.as_str(), "Mozilla/5.0", "POST", &path, "{}"] {
            self.text(value);
        }
        let region = organization.spec.region.id.to_string();
        let spec = [&organization.tenant_text, &organization.workspace_text, &organization.id_text, &region];
        spec.into_iter().for_each(|value| self.text(value));
        self.text("");
        self.text(&event.id.simple().to_string());
        self.number(event.duration_ms);
        self.long(millis);
    }

    fn check(&mut self, event: &Check, organization: &Organization) {
        let monitor = &event.monitor;
        self.begin();
        for value in [&monitor.id_text, &monitor.name, &monitor.url] {
            self.text(value);
        }
        self.text(monitor.region);
        self.text(event.status);
        self.bytes.extend_from_slice(&event.code.to_le_bytes());
        self.float(event.response_time);
        self.text(if event.error.is_empty() { "OK" } else { "check failed" });
        self.text(event.error);
        self.number(event.ssl_days as u32);
        self.long(event.timestamp / 1_000_000);
        self.tenant(organization);
    }

    fn vm_metric(&mut self, event: &VmMetric, organization: &Organization) {
        self.begin();
        self.long(event.timestamp / 1_000_000);
        self.uuid(event.vm.id);
        self.text(event.name);
        self.float(event.value);
        self.text(event.unit);
        self.pairs(&[], &[("host.name", event.vm.name.clone().into())]);
        self.tenant(organization);
    }

    fn kubernetes_metric(&mut self, event: &KubernetesMetric, fleet: &Fleet) {
        let millis = event.timestamp / 1_000_000;
        self.begin();
        self.long(millis);
        self.text(&fleet.cluster_id.to_string());
        self.text(event.resource_type);
        self.text(&event.resource_name);
        self.text(&event.namespace);
        self.text(event.name);
        self.float(event.value);
        self.pairs(&[], &[("cluster", fleet.organization.spec.cluster.clone().into())]);
        self.tenant(fleet.organization);
        self.text("sync_agent");
        self.long(millis + 2_000);
    }

    fn kubernetes_event(&mut self, event: &KubernetesEvent, fleet: &Fleet) {
        let millis = event.timestamp / 1_000_000;
        self.begin();
        self.long(millis);
        self.text(&fleet.cluster_id.to_string());
        self.text(&fleet.organization.id_text);
        self.text(&fleet.organization.workspace_text);
        for value in [&event.namespace, &event.kind, &event.reason, &event.message] {
            self.text(value);
        }
        self.text(event.source);
        self.text(&event.involved_kind);
        self.text(&event.involved_name);
        self.number(event.count);
        self.long(millis);
        self.long(millis);
    }

    fn anomaly(&mut self, event: &Anomaly, organization: &Organization) {
        self.begin();
        self.long(event.timestamp / 1_000_000);
        self.uuid(event.id);
        self.text("z-score-default");
        for value in [&event.metric, &event.signal, &event.severity] {
            self.text(value);
        }
        for value in [event.score, event.z_score, 3.0, event.observed, event.expected] {
            self.float(value);
        }
        self.text("z-score");
        self.pairs(&[], &[("service", event.service.clone().into())]);
        self.pairs(&[], &[("service.name", event.service.clone().into())]);
        self.length(0);
        self.text("");
        self.text(&organization.id_text);
        self.text(&organization.workspace_text);
    }

    fn map_metric(&mut self, event: &MapMetric, organization: &Organization) {
        self.begin();
        self.long(event.timestamp / 1_000_000);
        self.text(&event.service_id.to_string());
        self.text(event.service);
        for value in [event.health, event.uptime, event.latency, event.error_rate, event.request_rate] {
            self.float(value);
        }
        self.text(&organization.id_text);
    }

    fn node_traffic(&mut self, event: &NodeTraffic, organization: &Organization) {
        self.begin();
        self.long(event.timestamp / 1_000_000);
        self.text(&event.node_id.to_string());
        self.text(&event.node);
        for value in [event.cpu, event.memory, event.disk, event.received, event.sent, event.connections] {
            self.float(value);
        }
        self.float(event.request_rate);
        self.float(event.error_rate);
        self.text(&organization.id_text);
    }

    fn link_traffic(&mut self, event: &LinkTraffic, organization: &Organization) {
        self.begin();
        self.long(event.timestamp / 1_000_000);
        self.text(&event.link_id.to_string());
        for value in [event.bandwidth, event.latency, event.loss] {
            self.float(value);
        }
        for bytes in [event.bytes_sent, event.bytes_received] {
            self.long(bytes as i64);
        }
        for bytes in [event.bytes_sent, event.bytes_received] {
            self.long((bytes / 900) as i64);
        }
        self.text(&organization.id_text);
    }

    fn scraped(&mut self, event: &Scraped, organization: &Organization) {
        let millis = event.timestamp / 1_000_000;
        self.begin();
        self.long(millis);
        self.text(event.name);
        self.pairs(&[], &event.labels);
        self.float(event.value);
        self.tenant(organization);
        self.text("prometheus");
        self.long(millis + 1_000);
    }

    fn database_metrics(&mut self, batch: &Batch, kind: &str) {
        for event in batch.database_metrics.iter().filter(|event| event.kind == kind) {
            self.begin();
            self.long(event.timestamp / 1_000_000);
            self.text(&batch.organization.id_text);
            self.text(&batch.organization.workspace_text);
            self.text(&event.instance_id);
            self.text(event.name);
            self.float(event.value);
            self.database_labels(event);
        }
    }

    /// One value a minute: it is average, highest and lowest.
    fn aurora_metrics(&mut self, batch: &Batch) {
        for event in batch.database_metrics.iter().filter(|event| event.kind == "aurora") {
            self.begin();
            self.long(event.timestamp / 60_000_000_000 * 60_000);
            self.text(&batch.organization.id_text);
            self.text(&batch.organization.workspace_text);
            for value in [&event.instance_id, event.cluster, event.name] {
                self.text(value);
            }
            for _ in 0..3 {
                self.float(event.value);
            }
            self.database_labels(event);
        }
    }

    fn database_labels(&mut self, event: &DatabaseMetric) {
        let own = event.labels.into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()));
        let labels: Vec<_> = [("instance", event.instance), ("flavor", event.engine)].into_iter().chain(own).collect();
        self.length(labels.len());
        for (key, value) in labels {
            self.text(key);
            self.text(value);
        }
    }

    fn cost(&mut self, event: &Cost, organization: &Organization) {
        self.begin();
        self.long(event.timestamp / 1_000_000);
        for value in [event.provider, event.service, event.category, &event.region, event.pricing] {
            self.text(value);
        }
        self.float(event.usd);
        self.float(event.usage);
        self.text(&organization.id_text);
    }

    fn model_call(&mut self, event: &ModelCall, organization: &Organization) {
        let millis = event.timestamp / 1_000_000;
        let (asked, answered) = event.micros;
        let (error, message) = event.error.unwrap_or_default();
        self.begin();
        self.long(millis);
        self.uuid(event.id);
        self.text(&event.id.to_string());
        self.text(&event.provider_id.to_string());
        self.text(event.provider);
        self.text(event.model);
        let tokens = [event.prompt_tokens, event.completion_tokens, event.prompt_tokens + event.completion_tokens];
        tokens.into_iter().for_each(|number| self.number(number));
        self.number(event.latency);
        [asked, answered, asked + answered].into_iter().for_each(|micros| self.long(micros as i64));
        self.text("assistant");
        self.text(event.context);
        self.byte(0);
        self.text(if event.error.is_some() { "error" } else { "success" });
        self.text(error);
        self.text(message);
        self.text(&event.user.map(|user| user.to_string()).unwrap_or_default());
        self.tenant(organization);
        self.long(millis);
    }

    fn prediction(&mut self, event: &Prediction, organization: &Organization) {
        self.begin();
        self.long(event.timestamp / 1_000_000);
        self.text(&format!("{}-default", event.algorithm));
        for value in [event.kind, &event.resource, event.algorithm, event.horizon] {
            self.text(value);
        }
        self.float(event.value);
        self.float(event.probability);
        // A value that may be absent has a mark before it.
        self.byte(u8::from(event.seconds.is_none()));
        event.seconds.iter().for_each(|seconds| self.long(*seconds));
        for value in [event.upper, event.lower, event.fit, event.health] {
            self.float(value);
        }
        self.text(event.status);
        self.length(0);
        self.text(&organization.id_text);
        self.text(&organization.workspace_text);
    }

    fn begin(&mut self) {
        self.count += 1;
    }

    fn tenant(&mut self, organization: &Organization) {
        self.text(&organization.id_text);
        self.text(&organization.workspace_text);
        self.text(&organization.tenant_text);
    }

    fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    fn number(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn long(&mut self, value: i64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn float(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// ClickHouse keeps a UUID as two little-endian halves, the high one first.
    fn uuid(&mut self, value: uuid::Uuid) {
        let (high, low) = value.as_u64_pair();
        self.bytes.extend_from_slice(&high.to_le_bytes());
        self.bytes.extend_from_slice(&low.to_le_bytes());
    }

    fn text(&mut self, value: &str) {
        self.length(value.len());
        self.bytes.extend_from_slice(value.as_bytes());
    }

    fn length(&mut self, mut value: usize) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn pairs(&mut self, fixed: &[(String, String)], varying: &[Attribute]) {
        self.length(fixed.len() + varying.len());
        for (key, value) in fixed {
            self.text(key);
            self.text(value);
        }
        for (key, value) in varying {
            self.text(key);
            self.text(value);
        }
    }

    fn trace(&mut self, id: u128) {
        if id == 0 {
            return self.length(0);
        }
        self.length(32);
        self.hex(&id.to_be_bytes());
    }

    fn span_id(&mut self, id: u64) {
        if id == 0 {
            return self.length(0);
        }
        self.length(16);
        self.hex(&id.to_be_bytes());
    }

    fn hex(&mut self, bytes: &[u8]) {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
        for byte in bytes {
            self.bytes.push(digit(byte >> 4));
            self.bytes.push(digit(byte & 0xf));
        }
    }
}
