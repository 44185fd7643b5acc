//! What an organisation has set up: sign-on, masking, channels for notices, and what became of the notices.

use serde_json::json;

use super::{Place, SECRET_CANARY, Table, at, integer, json, secret, text, uuid};
use crate::{
    demo::{
        generate::Generator,
        offset::{HOUR, MINUTE, SECOND},
        random::{Random, number},
    },
    sql::Bind,
};

const DAY: i64 = 24 * HOUR;
/// How many days of notices are on record.
const DAYS: i64 = 8;

pub fn tables(generator: &Generator) -> [Table; 4] {
    [sign_on(generator), masking(generator), channels(generator), notices(generator)]
}

fn sign_on(generator: &Generator) -> Table {
    let mut table = Table::new(
        "sso_providers",
        "id organization_id name provider_type provider_name enabled client_id client_secret certificate private_key \
             allowed_domains auto_create_users created_at updated_at",
    );
    // The third organisation has none.
    for place in Place::all(generator).take(2) {
        let spec = &place.fleet.organization.spec;
        let first = place.fleet.organization.index == 0;
        table.push([
            uuid(place.id("sign-on", "main")),
            place.organization(),
            text(if first { "Company sign-on" } else { "Trial of sign-on" }),
            text(if first { "saml" } else { "oidc" }),
            text(if first { "okta" } else { "google" }),
            Bind::Bool(first),
            text("tfo"),
            secret("client_secret"),
            secret("certificate"),
            secret("private_key"),
            json(if first { json!([spec.domain]) } else { json!([]) }),
            Bind::Bool(!first),
            place.founded(),
            at(place.generator.end() - 30 * DAY),
        ]);
    }
    table
}

fn masking(generator: &Generator) -> Table {
    let mut table = Table::new(
        "data_masking_policies",
        "id organization_id workspace_id name description is_enabled rules created_at updated_at",
    );
    let rule = |field: &str, strategy: &str| json!({ "field": field, "strategy": strategy });
    for place in Place::all(generator) {
        let index = place.fleet.organization.index;
        let cards = json!([rule("card.number", "hash"), rule("card.holder", "redact"), rule("iban", "partial")]);
        let mail = json!([rule("user.email", "hash"), rule("client.address", "partial")]);
        let plan = [
            ("Card data", "What the card industry asks for", true, cards, 390),
            ("Mail addresses", "Who our customers are", index == 1, mail, 2),
            ("Health data", "Nothing in it yet", index != 2, json!([]), 45),
        ];
        for (name, about, enabled, rules, days) in plan {
            table.push([
                uuid(place.id("masking", name)),
                place.organization(),
                place.workspace(),
                text(name),
                text(about),
                Bind::Bool(enabled),
                json(rules),
                place.founded(),
                at(place.generator.end() - days * DAY),
            ]);
        }
    }
    table
}

fn channels(generator: &Generator) -> Table {
    let mut table = Table::new(
        "ntf_channels",
        "id organization_id name type config enabled verified last_tested_at created_at updated_at",
    );
    for place in Place::all(generator) {
        let plan = [
            ("mail server", "email", true, true, Some(210)),
            ("notices", "slack", true, true, Some(12)),
            ("ticket hook", "webhook", true, false, None),
            ("old pager", "pagerduty", false, true, Some(330)),
        ];
        for (name, kind, enabled, verified, tested) in plan {
            table.push([
                uuid(place.id("notice channel", name)),
                place.organization(),
                text(name),
                text(kind),
                json(json!({ "token": format!("{SECRET_CANARY}-config") })),
                Bind::Bool(enabled),
                Bind::Bool(verified),
                tested.map_or(Bind::Null, |days: i64| at(place.generator.end() - days * DAY)),
                place.founded(),
                place.founded(),
            ]);
        }
    }
    table
}

/// One of the first nine people, or of those that there are.
fn recipient(place: &Place<'_>, nth: usize) -> Bind {
    let people = &place.estate.people;
    people.get(nth % people.len().max(1)).map_or(Bind::Null, |person| text(&person.email))
}

/// Kind of notice, channel, subject, template, how often of a hundred.
const NOTICES: &[(&str, &str, &str, &str, f64)] = &[
    ("alert", "slack", "An alert fired", "alert-fired", 0.46),
    ("alert", "pagerduty", "An alert fired", "alert-fired", 0.16),
    ("report", "email", "Your daily report", "report-ready", 0.22),
    ("invitation", "email", "You are invited", "invitation", 0.06),
    ("security", "email", "A new device signed in", "new-device", 0.10),
];

fn notices(generator: &Generator) -> Table {
    let mut table = Table::new(
        "notification_logs",
        "id organization_id type channel recipient subject template_name status error_message retry_count sent_at \
             delivered_at created_at updated_at",
    );
    for place in Place::all(generator) {
        let index = place.fleet.organization.index;
        let end = generator.end();
        let mut random = Random::new(number("notices"), &[index as u64]);
        for n in 0..DAYS * (48 - 12 * index as i64) {
            let made = end - (random.unit() * (DAYS * DAY) as f64) as i64 - MINUTE;
            let mut roll = random.unit();
            let chosen = NOTICES.iter().find(|notice| {
                roll -= notice.4;
                roll < 0.0
            });
            let Some(&(kind, channel, subject, template, _)) = chosen.or(NOTICES.first()) else { continue };
            let luck = random.unit();
            let delivery = (random.between(1.0, 9.0) * SECOND as f64) as i64;
            // The first organisation's password for the mail server ran out five hours ago.
            let refused = index == 0 && channel == "email" && made > end - 5 * HOUR;
            let full = channel == "email" && luck < 0.05;
            let busy = channel == "slack" && luck < 0.02;
            let error = match (refused, full, busy) {
                (true, ..) => Some("535 5.7.8 authentication credentials invalid"),
                (_, true, _) => Some("550 mailbox is full"),
                (_, _, true) => Some("429 rate limited"),
                _ => None,
            };
            // One that nobody ever sent.
            let stuck = error.is_none() && n == 7;
            let status = match (error, stuck) {
                (Some(_), _) => "failed",
                (None, true) => "pending",
                (None, false) => "delivered",
            };
            let done = |time: i64| if error.is_some() || stuck { Bind::Null } else { at(time) };
            table.push([
                uuid(place.id("notice", &n.to_string())),
                place.organization(),
                text(kind),
                text(channel),
                recipient(&place, random.below(9)),
                text(subject),
                text(template),
                text(status),
                error.map_or(Bind::Null, text),
                integer(if error.is_some() { 3 } else { i64::from(luck > 0.97) }),
                done(made + 2 * SECOND),
                done(made + 2 * SECOND + delivery),
                at(made),
                at(made + 2 * SECOND + delivery),
            ]);
        }
    }
    table
}
