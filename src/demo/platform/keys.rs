//! Keys to the platform's API: some in order, some to be told of.

use serde_json::json;

use super::{Place, Table, at, integer, json, secret, text, uuid};
use crate::{
    demo::{
        generate::Generator,
        offset::{HOUR, MINUTE},
    },
    sql::Bind,
};

const DAY: i64 = 24 * HOUR;

/// What became of a key.
#[derive(Clone, Copy)]
struct Life {
    /// So many days ago.
    made: i64,
    /// In so many days.
    expires: Option<i64>,
    /// So many hours ago.
    used: Option<i64>,
    /// So many days ago.
    rotated: Option<i64>,
    revoked: bool,
}

impl Life {
    const fn new(made: i64, expires: Option<i64>, used: Option<i64>) -> Self {
        Self { made, expires, used, rotated: None, revoked: false }
    }
}

/// Name, kind, what it may do, life.
const PLAN: &[(&str, &str, &str, Life)] = &[
    ("collector", "service", "telemetry:write", Life { rotated: Some(34), ..Life::new(400, None, Some(0)) }),
    ("ci pipeline", "service", "telemetry:read", Life { rotated: Some(69), ..Life::new(400, Some(21), Some(3)) }),
    ("dashboards", "standard", "telemetry:read", Life::new(175, Some(190), Some(30))),
    ("old laptop", "standard", "telemetry:read", Life::new(377, Some(-12), Some(24 * 130))),
    ("leaked in a ticket", "standard", "telemetry:read", Life { revoked: true, ..Life::new(290, Some(80), None) }),
    // May do everything, never ends and was never renewed.
    ("terraform", "service", "*", Life::new(400, None, Some(5))),
    ("import of last year", "standard", "telemetry:write", Life::new(240, Some(125), None)),
    // Somebody still tries it.
    ("partner webhook", "service", "telemetry:write", Life::new(370, Some(-5), Some(1))),
];

pub fn table(generator: &Generator) -> Table {
    let mut table = Table::new(
        "api_keys",
        "id organization_id workspace_id name description key_type key_prefix api_key_secret key_hint \
             permissions scopes rate_limit is_active expires_at last_used_at last_used_ip usage_count created_by \
             revoked_at revocation_reason rotated_at rotation_count created_at updated_at encrypt_key",
    );
    for place in Place::all(generator) {
        let end = place.generator.end();
        for (index, (name, kind, may, Life { made, expires, used, rotated, revoked })) in PLAN.iter().enumerate() {
            let id = place.id("api key", name);
            let hint: String = id.simple().to_string().chars().take(4).collect();
            let owner = place.estate.people.get(index % 5);
            table.push([
                uuid(id),
                place.organization(),
                place.workspace(),
                text(name),
                text("Made for the demo"),
                text(kind),
                text("tfk"),
                secret("api_key_secret"),
                text(&format!("…{hint}")),
                json(json!([may])),
                json(json!([])),
                integer(600),
                Bind::Bool(!revoked),
                expires.map_or(Bind::Null, |days| at(end + days * DAY)),
                used.map_or(Bind::Null, |hours| at(end - hours * HOUR - MINUTE)),
                if used.is_some() { text("203.0.113.7") } else { Bind::Null },
                integer(used.map_or(0, |hours| 100_000 / (1 + hours))),
                owner.map_or(Bind::Null, |person| uuid(person.id)),
                if *revoked { at(end - 3 * DAY) } else { Bind::Null },
                if *revoked { text("found in a support ticket") } else { Bind::Null },
                rotated.map_or(Bind::Null, |days| at(end - days * DAY)),
                integer(if rotated.is_some() { 4 } else { 0 }),
                at(end - made * DAY),
                at(end - DAY),
                secret("encrypt_key"),
            ]);
        }
    }
    table
}
