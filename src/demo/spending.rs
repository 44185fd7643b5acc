//! What the clouds and the language models cost, by day and by call: the only telemetry that begins before the data do.
//!
//! Everything is drawn from streams of its own, by organisation, line of the bill and day, so that a budget can sum what
//! the bills say. All rows of an organisation are emitted with its last slot.

use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{
    fleet::stable_id,
    generate::Generator,
    offset::{HOUR, MINUTE},
    people::Person,
    random::{Random, number},
    world::Organization,
};

const DAY: i64 = 24 * HOUR;
/// How many days of spending are on record.
const DAYS: i64 = 75;

/// What a cloud bills for one service and day.
#[derive(Debug, Clone)]
pub struct Cost {
    /// Midnight (UTC) of the day.
    pub timestamp: i64,
    pub provider: &'static str,
    pub service: &'static str,
    pub category: &'static str,
    pub region: String,
    pub pricing: &'static str,
    pub usd: f64,
    pub usage: f64,
}

/// One call of a language model.
#[derive(Debug, Clone)]
pub struct ModelCall {
    pub timestamp: i64,
    pub id: Uuid,
    pub provider_id: Uuid,
    pub provider: &'static str,
    pub model: &'static str,
    pub prompt_tokens: u32,
    pub completion_tokens: u32,
    /// Milliseconds.
    pub latency: u32,
    /// Millionths of a dollar, of the prompt and of what was answered.
    pub micros: (u64, u64),
    pub context: &'static str,
    pub error: Option<(&'static str, &'static str)>,
    pub user: Option<Uuid>,
}

/// A line of the bill: cloud, service, category, how it is priced, dollars a day in the first organisation.
struct Line(&'static str, &'static str, &'static str, &'static str, f64);

const CLOUDS: [&str; 3] = ["aws", "gcp", "azure"];
const LINES: [[Line; 7]; 3] = [
    [
        Line("aws", "AmazonEC2", "compute", "on_demand", 212.0),
        Line("aws", "AmazonEC2", "compute", "reserved", 96.0),
        Line("aws", "AmazonRDS", "database", "reserved", 138.0),
        Line("aws", "AmazonS3", "storage", "on_demand", 37.0),
        Line("aws", "NAT Gateway", "network", "on_demand", 23.0),
        Line("aws", "AmazonElastiCache", "database", "on_demand", 31.0),
        Line("gcp", "BigQuery", "analytics", "on_demand", 18.0),
    ],
    [
        Line("gcp", "Compute Engine", "compute", "on_demand", 240.0),
        Line("gcp", "Compute Engine", "compute", "spot", 41.0),
        Line("gcp", "Cloud SQL", "database", "on_demand", 120.0),
        Line("gcp", "Cloud Storage", "storage", "on_demand", 29.0),
        Line("gcp", "Cloud NAT", "network", "on_demand", 14.0),
        Line("gcp", "Memorystore", "database", "on_demand", 26.0),
        Line("gcp", "BigQuery", "analytics", "on_demand", 33.0),
    ],
    [
        Line("azure", "Virtual Machines", "compute", "on_demand", 230.0),
        Line("azure", "Virtual Machines", "compute", "spot", 22.0),
        Line("azure", "Azure Database", "database", "reserved", 110.0),
        Line("azure", "Blob Storage", "storage", "on_demand", 24.0),
        Line("azure", "NAT Gateway", "network", "on_demand", 12.0),
        Line("azure", "Azure Cache", "database", "on_demand", 21.0),
        Line("azure", "Log Analytics", "analytics", "on_demand", 17.0),
    ],
];

/// How much of the first organisation's bill the others have.
const SIZES: [f64; 3] = [1.0, 0.5, 0.2];

/// The cloud in which an organisation runs.
pub fn cloud(organization: &Organization) -> &'static str {
    CLOUDS.get(organization.index).copied().unwrap_or("aws")
}

/// Midnights (UTC) of the days on record, newest last; the newest day is not over.
fn midnights(generator: &Generator) -> impl Iterator<Item = i64> + use<> {
    let today = generator.end().div_euclid(DAY) * DAY;
    (0..DAYS).rev().map(move |ago| today - ago * DAY)
}

/// The bills of an organisation.
pub fn costs(generator: &Generator, organization: &Organization) -> Vec<Cost> {
    let end = generator.end();
    let size = SIZES.get(organization.index).copied().unwrap_or(0.1);
    let mut costs = Vec::new();
    for midnight in midnights(generator) {
        // The second organisation's import stopped four days ago.
        if organization.index == 1 && midnight > end - 5 * DAY {
            continue;
        }
        let share = (end - midnight).min(DAY) as f64 / DAY as f64;
        for (nth, line) in LINES.get(organization.index).into_iter().flatten().enumerate() {
            let path = [organization.index as u64, nth as u64, (midnight / DAY) as u64];
            let mut random = Random::new(number("cost"), &path);
            let weekend = if matches!((midnight / DAY + 3).rem_euclid(7), 5 | 6) { 0.82 } else { 1.0 };
            let weekend = if line.3 == "reserved" { 1.0 } else { weekend };
            // Since six days everything that a new export writes leaves through the gateway of the first organisation.
            let leak = organization.index == 0 && line.2 == "network" && midnight > end - 7 * DAY;
            let usd = line.4 * size * weekend * random.between(0.95, 1.05) * if leak { 4.2 } else { 1.0 } * share;
            costs.push(Cost {
                timestamp: midnight,
                provider: line.0,
                service: line.1,
                category: line.2,
                region: organization.spec.region.code.clone(),
                pricing: line.3,
                usd: (usd * 100.0).round() / 100.0,
                usage: (usd * 24.0).round(),
            });
        }
    }
    costs
}

/// The first moment of the month of a moment, and that of the next.
pub fn month(moment: i64) -> (i64, i64) {
    let nanos = |date: Date| date.midnight().assume_utc().unix_timestamp() * 1_000_000_000;
    let date = OffsetDateTime::from_unix_timestamp(moment.div_euclid(1_000_000_000)).map(OffsetDateTime::date);
    let date = date.unwrap_or(Date::MIN);
    let first = date.replace_day(1).unwrap_or(date);
    let next = (first + time::Duration::days(31)).replace_day(1).unwrap_or(first);
    (nanos(first), nanos(next))
}

/// Millionths of a dollar for a thousand tokens asked and answered.
const LARGE: (&str, &str, &str, u64, u64) = ("Main assistant", "anthropic", "large", 3_000, 15_000);
const SMALL: (&str, &str, &str, u64, u64) = ("Batch summaries", "openai", "small", 150, 600);

/// What assistants are asked about, with a share of the calls.
const ABOUT: [(&str, f64); 4] = [("errors", 0.35), ("logs", 0.3), ("kubernetes-pods", 0.2), ("latency", 0.15)];

/// The calls of language models of an organisation.
pub fn model_calls(
    generator: &Generator,
    organization: &Organization,
    people: &[impl AsRef<Person>],
) -> Vec<ModelCall> {
    let end = generator.end();
    let a_day = 44.0 / (1 + organization.index) as f64;
    let mut calls = Vec::new();
    for day in (0..DAYS).rev() {
        let mut random = Random::new(number("model calls"), &[organization.index as u64, day as u64]);
        // The newest day asks the large model for far more than the days before.
        let busy = organization.index == 0 && day == 0;
        for n in 0..random.poisson(if busy { 1.6 * a_day } else { a_day }) {
            let time = end - day * DAY - MINUTE - (random.unit() * (DAY - 2 * MINUTE) as f64) as i64;
            let large = random.chance(if busy { 0.75 } else { 0.6 });
            let (name, provider, model, asked, answered) = if large { LARGE } else { SMALL };
            let mut roll = random.unit();
            let about = ABOUT.iter().find(|about| {
                roll -= about.1;
                roll < 0.0
            });
            let context = if busy && large { "ai-root-cause" } else { about.map_or("errors", |about| about.0) };
            let prompt = random.skewed(if context == "ai-root-cause" { 9_000.0 } else { 3_200.0 }, 0.4) as u32;
            let luck = random.unit();
            // The small model's account is out of requests since the morning.
            let throttled = organization.index == 0 && !large && time > end - 6 * HOUR && luck < 0.7;
            let error = match (throttled, luck) {
                (true, _) => Some(("rate_limit", "429 requests of the day are used up")),
                (_, 0.0..0.012) => Some(("timeout", "no answer within 60 s")),
                _ => None,
            };
            let answer = if error.is_some() { 0 } else { random.skewed(620.0, 0.5) as u32 };
            let prompt_paid = if error.is_some() { 0 } else { prompt };
            let user = random.pick(people).map(|person| person.as_ref().id);
            calls.push(ModelCall {
                timestamp: time,
                id: stable_id(organization, "model call", &format!("{day} {n}")),
                provider_id: stable_id(organization, "llm provider", name),
                provider,
                model,
                prompt_tokens: prompt_paid,
                completion_tokens: answer,
                latency: random.skewed(if large { 6_200.0 } else { 1_900.0 }, 0.35) as u32,
                micros: (u64::from(prompt_paid) * asked / 1000, u64::from(answer) * answered / 1000),
                context,
                error,
                user,
            });
        }
    }
    calls
}
