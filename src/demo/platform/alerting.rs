//! Alert rules, their instances, and the channels that they notify.

use serde_json::json;
use uuid::Uuid;

use super::{Place, Table, at, integer, json, text, uuid};
use crate::{
    demo::{
        fleet::{Fleet, stable_id},
        generate::Generator,
        offset::{HOUR, MINUTE},
        random::{Random, number},
    },
    sql::Bind,
};

/// Rules that every organisation has: name, service, severity, target, query, threshold.
const RULES: &[(&str, &str, &str, &str, &str, f64)] = &[
    ("payment: card network errors above 3 %", "payment", "warning", "traces", "error_rate > 3", 3.0),
    ("search: p95 latency above 400 ms", "search", "warning", "traces", "p95(duration) > 400", 400.0),
    ("shipping: carrier errors above 5 %", "shipping", "warning", "traces", "error_rate > 5", 5.0),
    ("auth: failed logins above 30 a minute", "auth", "critical", "logs", "count(body ~ 'invalid') > 30", 30.0),
    (
        "nodes: filesystem above 85 %",
        "edge-gateway",
        "warning",
        "vm",
        "max(system.filesystem.utilization) > 0.85",
        0.85,
    ),
    ("storefront is down", "edge-gateway", "critical", "uptime", "success_ratio < 0.5", 0.5),
];

/// An alert as it is or was.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertFacts {
    pub id: Uuid,
    pub rule: String,
    pub service: String,
    pub severity: String,
    pub title: String,
    pub value: f64,
    pub threshold: f64,
    /// Nanoseconds.
    pub starts_at: i64,
    pub acknowledged_at: Option<i64>,
    pub resolved_at: Option<i64>,
}

impl AlertFacts {
    /// `firing`, `acknowledged` or `resolved`.
    pub fn status(&self) -> &'static str {
        match (self.resolved_at, self.acknowledged_at) {
            (Some(_), _) => "resolved",
            (None, Some(_)) => "acknowledged",
            (None, None) => "firing",
        }
    }
}

/// All alerts of an organisation over the day, oldest first.
pub fn alerts(generator: &Generator, fleet: &Fleet) -> Vec<AlertFacts> {
    let organization = fleet.organization;
    let mut random = Random::new(generator.seed(), &[number("alerts"), organization.index as u64]);
    let mut alerts = Vec::new();
    for number in 0..5 + 2 * organization.index {
        let Some((rule, service, severity, _, _, threshold)) = random.pick(RULES) else { break };
        let starts_at = generator.end() - (random.between(2.5, 23.5) * HOUR as f64) as i64;
        let lasted = (random.between(6.0, 50.0) * MINUTE as f64) as i64;
        alerts.push(AlertFacts {
            id: stable_id(organization, "alert", &format!("routine {number}")),
            rule: (*rule).to_owned(),
            service: (*service).to_owned(),
            severity: (*severity).to_owned(),
            title: format!("{rule} (now {:.2})", threshold * 1.2),
            value: threshold * 1.2,
            threshold: *threshold,
            starts_at,
            acknowledged_at: random.chance(0.4).then_some(starts_at + 3 * MINUTE),
            resolved_at: Some(starts_at + lasted),
        });
    }
    // The other organisations have a lasting trouble of their own.
    if let (Some((rule, service, severity, _, _, threshold)), true) = (RULES.get(2), organization.index > 0) {
        let starts_at = generator.end() - (2 * organization.index as i64) * HOUR - 13 * MINUTE;
        alerts.push(AlertFacts {
            id: stable_id(organization, "alert", "lasting"),
            rule: (*rule).to_owned(),
            service: (*service).to_owned(),
            severity: (*severity).to_owned(),
            title: format!("{rule} (now {:.1})", threshold * 1.4),
            value: threshold * 1.4,
            threshold: *threshold,
            starts_at,
            acknowledged_at: (organization.index == 1).then_some(starts_at + 9 * MINUTE),
            resolved_at: None,
        });
    }
    if let Some(incident) = generator.incident(organization) {
        for alert in &incident.scenario.alerts {
            let happened = |offset: i64| Some(incident.start + offset).filter(|time| *time < generator.end());
            let Some(starts_at) = happened(alert.at.0) else { continue };
            alerts.push(AlertFacts {
                id: stable_id(organization, "alert", &alert.rule),
                rule: alert.rule.clone(),
                service: alert.service.clone(),
                severity: alert.severity.clone(),
                title: alert.title.clone(),
                value: alert.value,
                threshold: alert.threshold,
                starts_at,
                acknowledged_at: alert.acknowledged.and_then(|offset| happened(offset.0)),
                resolved_at: Some(incident.finish).filter(|time| *time < generator.end()),
            });
        }
    }
    alerts.sort_by(|a, b| a.starts_at.cmp(&b.starts_at).then_with(|| a.id.cmp(&b.id)));
    alerts
}

pub fn tables(generator: &Generator) -> [Table; 3] {
    [channels(generator), rules(generator), instances(generator)]
}

fn rules(generator: &Generator) -> Table {
    let mut table = Table::new(
        "alert_rules",
        "id organization_id workspace_id name description severity conditions notification_channels labels \
             enabled state last_evaluated_at last_triggered_at created_at updated_at query_language query_string \
             query_target source_type",
    );
    for place in Place::all(generator) {
        let alerts = alerts(generator, place.fleet);
        let usual = RULES
            .iter()
            .map(|(name, service, severity, target, query, _)| (*name, *service, *severity, *target, *query));
        // Everybody watches what breaks in the incident; only one organisation sees it alerting.
        let scenario = generator.plan().scenario.iter().flat_map(|scenario| &scenario.alerts);
        // One that everybody has already is not made twice.
        let scenario = scenario
            .filter(|alert| RULES.iter().all(|(name, ..)| *name != alert.rule))
            .map(|a| (a.rule.as_str(), a.service.as_str(), a.severity.as_str(), a.target.as_str(), a.query.as_str()));
        for (name, service, severity, target, query) in usual.chain(scenario) {
            let own = || alerts.iter().filter(|alert| alert.rule == name);
            let open = own().any(|alert| alert.resolved_at.is_none());
            let last = own().map(|alert| alert.starts_at).max();
            table.push([
                uuid(place.id("alert rule", name)),
                place.organization(),
                place.workspace(),
                text(name),
                text(&format!("Watches {service}")),
                text(severity),
                json(json!([{ "query": query }])),
                json(json!(["on-call"])),
                json(json!({ "service": service })),
                Bind::Bool(true),
                text(if open { "alerting" } else { "ok" }),
                at(generator.end() - MINUTE / 2),
                last.map_or(Bind::Null, at),
                place.founded(),
                place.founded(),
                text("tfql"),
                text(query),
                text(target),
                text("tfo-collector"),
            ]);
        }
    }
    table
}

fn instances(generator: &Generator) -> Table {
    let mut table = Table::new(
        "alert_instances",
        "id alert_rule_id organization_id workspace_id status severity title description current_value \
             threshold labels starts_at ends_at acknowledged_at acknowledged_by resolved_at resolved_by \
             fingerprint created_at updated_at",
    );
    for place in Place::all(generator) {
        let someone = place.estate.people.first().map(|person| person.id);
        for alert in alerts(generator, place.fleet) {
            let or_null = |time: Option<i64>| time.map_or(Bind::Null, at);
            let fingerprint = place.id("fingerprint", &alert.rule).simple().to_string();
            let changed = alert.resolved_at.or(alert.acknowledged_at).unwrap_or(alert.starts_at);
            table.push([
                uuid(alert.id),
                uuid(place.id("alert rule", &alert.rule)),
                place.organization(),
                place.workspace(),
                text(alert.status()),
                text(&alert.severity),
                text(&alert.title),
                text(&format!("{} breached its threshold", alert.rule)),
                Bind::Float(alert.value),
                Bind::Float(alert.threshold),
                json(json!({ "service": alert.service, "environment": "production" })),
                at(alert.starts_at),
                or_null(alert.resolved_at),
                or_null(alert.acknowledged_at),
                someone.filter(|_| alert.acknowledged_at.is_some()).map_or(Bind::Null, uuid),
                or_null(alert.resolved_at),
                if alert.resolved_at.is_some() { text("system") } else { Bind::Null },
                text(&fingerprint),
                at(alert.starts_at),
                at(changed),
            ]);
        }
    }
    table
}

fn channels(generator: &Generator) -> Table {
    let mut table = Table::new(
        "notification_channels",
        "id organization_id name description type config enabled last_used_at last_error error_count \
             created_at updated_at is_default",
    );
    for place in Place::all(generator) {
        let end = generator.end();
        let plan: [(&str, &str, Option<&str>, i64); 3] = [
            ("on-call", "pagerduty", None, 20),
            ("team chat", "slack", None, 22),
            ("finance mail", "email", Some("550 mailbox is full"), 60 * 30),
        ];
        for (index, (name, kind, error, minutes)) in plan.into_iter().enumerate() {
            table.push([
                uuid(place.id("channel", name)),
                place.organization(),
                text(name),
                text("Where alerts go"),
                text(kind),
                json(json!({ "token": format!("{}-config", super::SECRET_CANARY) })),
                Bind::Bool(true),
                at(end - minutes * MINUTE),
                error.map_or(Bind::Null, text),
                integer(if error.is_some() { 4 } else { 0 }),
                place.founded(),
                place.end(),
                Bind::Bool(index == 0),
            ]);
        }
    }
    table
}
