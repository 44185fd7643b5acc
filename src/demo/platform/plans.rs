//! What an organisation has subscribed to and used of it, its clouds, their budgets, and what could be saved.

use serde_json::json;
use uuid::Uuid;

use super::{Place, Table, at, integer, json, text, uuid};
use crate::{
    demo::{
        generate::Generator,
        offset::HOUR,
        random::{Random, number},
        spending,
    },
    sql::Bind,
};

const DAY: i64 = 24 * HOUR;

pub fn tables(generator: &Generator) -> Vec<Table> {
    let [plans, subscriptions] = subscribed(generator);
    vec![plans, subscriptions, used(generator), clouds(generator), budgets(generator), savings(generator)]
}

pub fn plan_id(kind: &str) -> Uuid {
    Random::new(number("plan"), &[number(kind)]).uuid()
}

fn subscribed(generator: &Generator) -> [Table; 2] {
    let mut plans = Table::new("plans", "id name type is_active trial_days features created_at updated_at");
    let mut subscriptions = Table::new(
        "subscriptions",
        "id organization_id plan_id status billing_cycle current_period_start current_period_end trial_end \
             cancel_at_period_end created_at updated_at",
    );
    let founded = at(generator.end() - 400 * DAY);
    for (name, kind, trial) in
        [("Starter", "STARTER", 14), ("Professional", "PROFESSIONAL", 30), ("Enterprise", "ENTERPRISE", 30)]
    {
        plans.push([
            uuid(plan_id(kind)),
            text(name),
            text(kind),
            Bind::Bool(true),
            integer(trial),
            json(json!(["alerts", "reports"])),
            founded.clone(),
            founded.clone(),
        ]);
    }
    for place in Place::all(generator) {
        let end = generator.end();
        let (begins, ends) = spending::month(end);
        let (kind, status, trial, cancelled) = match place.fleet.organization.index {
            0 => ("PROFESSIONAL", "ACTIVE", None, false),
            1 => ("ENTERPRISE", "PAST_DUE", None, false),
            _ => ("STARTER", "TRIALING", Some(end + 4 * DAY), true),
        };
        subscriptions.push([
            uuid(place.id("subscription", kind)),
            place.organization(),
            uuid(plan_id(kind)),
            text(status),
            text("monthly"),
            at(begins),
            at(ends),
            trial.map_or(Bind::Null, at),
            Bind::Bool(cancelled),
            place.founded(),
            at(begins),
        ]);
    }
    [plans, subscriptions]
}

/// What is counted, the limit, and which share of it a whole month takes in the first organisation.
const COUNTED: [(&str, Option<f64>, f64); 6] = [
    ("logs_gib", Some(500.0), 1.45),
    ("spans_million", Some(120.0), 0.62),
    ("metric_series", Some(60_000.0), 0.71),
    ("hosts", Some(40.0), 0.5),
    ("users", Some(25.0), 0.72),
    ("assistant_tokens_million", None, 0.0),
];

fn used(generator: &Generator) -> Table {
    let mut table = Table::new(
        "usage_records",
        "id organization_id metric_type current_usage usage_limit period_start period_end created_at updated_at",
    );
    for place in Place::all(generator) {
        let size = [1.0, 0.8, 0.4].get(place.fleet.organization.index).copied().unwrap_or(0.4);
        let mut moment = generator.end();
        for month in 0..4 {
            let (begins, ends) = spending::month(moment);
            moment = begins - DAY;
            for (counted, limit, share) in COUNTED {
                let mut random = Random::new(
                    number("usage"),
                    &[number(&place.fleet.organization.spec.code), number(counted), month],
                );
                // What is measured at a moment does not grow with the days of a month.
                let standing = matches!(counted, "metric_series" | "hosts" | "users");
                let over = ((generator.end().min(ends) - begins) as f64 / (ends - begins) as f64).min(1.0);
                let part = if standing { 1.0 } else { over };
                // Logs have grown by half since the month before.
                let grown = if counted == "logs_gib" && month > 0 { 0.62 } else { 1.0 };
                let whole = limit.map_or(3.2, |limit| limit * share) * size * grown * random.between(0.97, 1.03);
                let usage = if standing { whole.floor() } else { (whole * part * 100.0).floor() / 100.0 };
                table.push([
                    uuid(place.id("usage", &format!("{counted} {month}"))),
                    place.organization(),
                    text(counted),
                    Bind::Float(usage),
                    limit.map_or(Bind::Null, Bind::Float),
                    at(begins),
                    at(ends),
                    at(begins),
                    at(generator.end().min(ends)),
                ]);
            }
        }
    }
    table
}

fn clouds(generator: &Generator) -> Table {
    let mut table = Table::new(
        "cloud_accounts",
        "id organization_id workspace_id name provider status last_sync_at last_sync_error created_at updated_at",
    );
    for place in Place::all(generator) {
        let organization = place.fleet.organization;
        let failing = organization.index == 1;
        let mut accounts = vec![("shop", spending::cloud(organization), if failing { 4 * 24 } else { 2 }, failing)];
        if organization.index == 0 {
            accounts.push(("analytics", "gcp", 3, false));
        }
        for (name, provider, hours, failing) in accounts {
            table.push([
                uuid(place.id("cloud account", name)),
                place.organization(),
                place.workspace(),
                text(name),
                text(provider),
                text(if failing { "error" } else { "connected" }),
                at(generator.end() - hours * HOUR),
                if failing { text("403 the billing export is not readable") } else { Bind::Null },
                place.founded(),
                at(generator.end() - hours * HOUR),
            ]);
        }
    }
    table
}

fn budgets(generator: &Generator) -> Table {
    let mut table = Table::new(
        "cost_budgets",
        "id organization_id workspace_id name provider amount currency period period_start period_end current_spend \
             owner created_at updated_at",
    );
    for place in Place::all(generator) {
        let organization = place.fleet.organization;
        let (begins, ends) = spending::month(generator.end());
        let days = (ends - begins) as f64 / DAY as f64;
        let costs = spending::costs(generator, organization);
        let spent = |of: &str| -> f64 {
            let own = costs.iter().filter(|cost| cost.timestamp >= begins && (of.is_empty() || cost.category == of));
            own.map(|cost| cost.usd).sum()
        };
        let size = [1.0, 0.5, 0.2].get(organization.index).copied().unwrap_or(0.1);
        // Dollars a day that were planned in the first organisation.
        for (name, of, planned) in
            [("All clouds", "", 620.0), ("Network", "network", 32.0), ("Storage", "storage", 44.0)]
        {
            table.push([
                uuid(place.id("budget", name)),
                place.organization(),
                place.workspace(),
                text(name),
                Bind::Null,
                Bind::Float((planned * size * days).round()),
                text("USD"),
                text("monthly"),
                at(begins),
                at(ends),
                Bind::Float((spent(of) * 100.0).round() / 100.0),
                place.estate.people.get(1).map_or(Bind::Null, |person| text(&person.email)),
                place.founded(),
                at(generator.end() - 2 * HOUR),
            ]);
        }
    }
    table
}

/// Category, title, resource, dollars a month in the first organisation, confidence, state, days ago.
const SAVINGS: [(&str, &str, &str, f64, f64, &str, i64); 7] = [
    (
        "network",
        "Reach object storage through an endpoint instead of the NAT gateway",
        "nat-0",
        1490.0,
        0.92,
        "open",
        4,
    ),
    (
        "rightsizing",
        "Halve the search nodes: 18 % of their processors are used",
        "search-nodes",
        1180.0,
        0.81,
        "open",
        33,
    ),
    ("commitment", "Commit to what runs all night for a year", "compute", 1640.0, 0.55, "open", 12),
    ("waste", "Delete volumes that nothing is attached to", "vol-orphaned", 214.0, 0.98, "open", 96),
    ("storage", "Move exports older than 90 days to cold storage", "exports", 96.0, 0.9, "open", 51),
    ("scheduling", "Stop the load test at night", "load-test", 310.0, 0.88, "implemented", 70),
    ("architecture", "Replace the cache cluster by one node", "session-cache", 420.0, 0.35, "dismissed", 64),
];

fn savings(generator: &Generator) -> Table {
    let mut table = Table::new(
        "cost_recommendations",
        "id organization_id workspace_id category title resource_name provider estimated_monthly_savings \
             confidence_score status created_at updated_at",
    );
    for place in Place::all(generator) {
        let organization = place.fleet.organization;
        let size = [1.0, 0.5, 0.2].get(organization.index).copied().unwrap_or(0.1);
        // The leak of the first organisation is its own.
        for (category, title, resource, usd, confidence, status, days) in
            SAVINGS.into_iter().skip(organization.index.min(1))
        {
            let judged = if status == "open" { days } else { days - 20 };
            table.push([
                uuid(place.id("saving", resource)),
                place.organization(),
                place.workspace(),
                text(category),
                text(title),
                text(resource),
                text(spending::cloud(organization)),
                Bind::Float((usd * size).round()),
                Bind::Float(confidence),
                text(status),
                at(generator.end() - days * DAY),
                at(generator.end() - judged * DAY),
            ]);
        }
    }
    table
}
