//! Events as rows of ClickHouse's RowBinary format: the densest form that the server reads, and the fastest.
//!
//! One function a table; the order of the columns is the order of the values.

use super::{
    event::{
        Anomaly, Attribute, Audit, Batch, Check, Exemplar, KubernetesEvent, KubernetesMetric, Log, MapMetric, Metric,
        Span, Status, VmMetric,
    },
    fleet::Fleet,
    world::Organization,
};

/// A table that is filled: its name, its columns, and how a batch becomes rows of it.
#[derive(Clone, Copy)]
pub struct Target {
    pub table: &'static str,
    pub columns: &'static str,
    encode: fn(&Batch, &Fleet, &mut Rows),
}

/// Rows in RowBinary.
#[derive(Debug, Default)]
pub struct Rows {
    pub bytes: Vec<u8>,
    pub count: usize,
}

impl Target {
    /// The rows of a batch for this table.
    pub fn encode(&self, batch: &Batch, fleet: &Fleet) -> Rows {
        let mut rows = Rows::default();
        (self.encode)(batch, fleet, &mut rows);
        rows
    }
}

/// All tables that are filled directly; the rest are views over them.
pub const TARGETS: [Target; 11] = [
    Target {
        table: "traces",
        columns: "timestamp, trace_id, span_id, parent_span_id, span_name, span_kind, service_name, status_code, \
                  status_message, duration_ns, organization_id, workspace_id, tenant_id, resource_attributes, \
                  span_attributes, events",
        encode: |batch, _, rows| batch.spans.iter().for_each(|event| rows.span(event, batch.organization)),
    },
    Target {
        table: "logs",
        columns: "timestamp, observed_timestamp, trace_id, span_id, trace_flags, severity_text, severity_number, \
                  service_name, organization_id, workspace_id, tenant_id, body, resource_attributes, log_attributes, \
                  scope_name, scope_version",
        encode: |batch, _, rows| batch.logs.iter().for_each(|event| rows.log(event, batch.organization)),
    },
    Target {
        table: "metrics",
        columns: "timestamp, metric_name, metric_type, value, service_name, organization_id, workspace_id, tenant_id, \
                  resource_attributes, metric_attributes, unit",
        encode: |batch, _, rows| batch.metrics.iter().for_each(|event| rows.metric(event, batch.organization)),
    },
    Target {
        table: "exemplars",
        columns: "timestamp, metric_name, value, trace_id, span_id, labels, filtered_labels, service_name, \
                  organization_id, workspace_id, tenant_id",
        encode: |batch, _, rows| batch.exemplars.iter().for_each(|event| rows.exemplar(event, batch.organization)),
    },
    Target {
        table: "audit_logs",
        columns: "id, timestamp, user_id, user_email, user_first_name, user_last_name, event_type, action, resource, \
                  resource_id, result, error_message, error_code, ip_address, user_agent, request_method, \
                  request_path, metadata, tenant_id, workspace_id, organization_id, region_id, session_id, \
                  correlation_id, duration_ms, created_at",
        encode: |batch, _, rows| batch.audits.iter().for_each(|event| rows.audit(event, batch.organization)),
    },
    Target {
        table: "uptime_checks",
        columns: "monitor_id, monitor_name, target_url, region, status, status_code, response_time, message, error, \
                  ssl_days_remaining, checked_at, organization_id, workspace_id, tenant_id",
        encode: |batch, _, rows| batch.checks.iter().for_each(|event| rows.check(event, batch.organization)),
    },
    Target {
        table: "vm_metrics",
        columns: "timestamp, vm_id, metric_name, value, unit, labels, organization_id, workspace_id, tenant_id",
        encode: |batch, _, rows| batch.vm_metrics.iter().for_each(|event| rows.vm_metric(event, batch.organization)),
    },
    Target {
        table: "kubernetes_metrics",
        columns: "timestamp, cluster_id, resource_type, resource_name, namespace, metric_name, value, labels, \
                  organization_id, workspace_id, tenant_id, ingestion_source, ingestion_time",
        encode: |batch, fleet, rows| {
            batch.kubernetes_metrics.iter().for_each(|event| rows.kubernetes_metric(event, fleet))
        },
    },
    Target {
        table: "kubernetes_events",
        columns: "timestamp, cluster_id, organization_id, workspace_id, namespace, type, reason, message, source, \
                  involved_kind, involved_name, count, first_timestamp, last_timestamp",
        encode: |batch, fleet, rows| {
            batch.kubernetes_events.iter().for_each(|event| rows.kubernetes_event(event, fleet))
        },
    },
    Target {
        table: "anomaly_events",
        columns: "timestamp, id, detection_rule_id, metric_name, signal_type, severity, anomaly_score, z_score, \
                  sigma_level, observed_value, expected_value, detection_method, labels, resource_attributes, \
                  correlated_signals, llm_analysis, organization_id, workspace_id",
        encode: |batch, _, rows| batch.anomalies.iter().for_each(|event| rows.anomaly(event, batch.organization)),
    },
    Target {
        table: "service_map_metrics",
        columns: "timestamp, service_id, service_name, health_score, uptime, avg_latency, error_rate, request_rate, \
                  organization_id",
        encode: |batch, _, rows| batch.map_metrics.iter().for_each(|event| rows.map_metric(event, batch.organization)),
    },
];

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
