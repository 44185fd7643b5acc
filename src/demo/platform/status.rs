//! Status pages: what customers are told, and where that is stale or does not fit what monitors see.

use serde_json::json;

use super::{Place, Table, at, json, text, uuid};
use crate::{
    demo::{
        generate::Generator,
        offset::{HOUR, MINUTE},
    },
    sql::Bind,
};

const DAY: i64 = 24 * HOUR;

/// Title, impact, status, what was said last, monitors, and how long ago it was made and told of last.
type Told = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], i64, i64);

const SLOW_SEARCH: Told = (
    "Slow search results",
    "minor",
    "resolved",
    "Search answers as quickly as before since 11:20 UTC.",
    &["Search (eu-west)"],
    4 * DAY + 2 * HOUR,
    4 * DAY,
);
const LATE_EXPORTS: Told = (
    "Exports are late",
    "minor",
    "monitoring",
    "The queue is being worked off. We look on until it is empty.",
    &[],
    31 * HOUR,
    26 * HOUR,
);
const FAILING_PAYMENTS: Told = (
    "Some card payments fail",
    "major",
    "investigating",
    "We are looking into failures of card payments.",
    &["Checkout (eu-west)", "Checkout (us-east)"],
    44 * MINUTE,
    39 * MINUTE,
);
const LOST_REGION: Told = (
    "Shop cannot be reached",
    "critical",
    "resolved",
    "All regions answer again.",
    &["Storefront (eu-west)", "Storefront (us-east)"],
    9 * DAY,
    9 * DAY - 3 * HOUR,
);

/// Pages and their incidents. The first organisation left an incident without a word, the third forgot to say that
/// all is well again.
pub fn tables(generator: &Generator) -> [Table; 2] {
    let mut pages = Table::new(
        "status_pages",
        "id organization_id workspace_id title slug is_public overall_status created_at updated_at",
    );
    let mut incidents = Table::new(
        "status_page_incidents",
        "id organization_id workspace_id status_page_id title impact status message affected_monitors updates \
             created_at updated_at",
    );
    for place in Place::all(generator) {
        let spec = &place.fleet.organization.spec;
        let (public, incident) = match place.fleet.organization.index {
            0 => ("operational", SLOW_SEARCH),
            1 => ("partial_outage", FAILING_PAYMENTS),
            _ => ("major_outage", LOST_REGION),
        };
        let mut page = |title: &str, slug: &str, is_public, status: &str, incidents: &mut Table, told: &[Told]| {
            let id = uuid(place.id("status page", slug));
            let said = told.iter().map(|told| told.6).min().unwrap_or(100 * DAY);
            pages.push([
                id.clone(),
                place.organization(),
                place.workspace(),
                text(title),
                text(slug),
                Bind::Bool(is_public),
                text(status),
                place.founded(),
                at(generator.end() - said),
            ]);
            for (title, impact, status, message, monitors, made, said) in told {
                let (made, said) = (generator.end() - made, generator.end() - said);
                incidents.push([
                    uuid(place.id("status page incident", title)),
                    place.organization(),
                    place.workspace(),
                    id.clone(),
                    text(title),
                    text(impact),
                    text(status),
                    text(message),
                    json(json!(monitors)),
                    json(json!([{ "status": status, "message": message }])),
                    at(made),
                    at(said),
                ]);
            }
        };
        let title = format!("{} status", spec.name);
        page(&title, &spec.code, true, public, &mut incidents, &[incident]);
        if place.fleet.organization.index == 0 {
            page("Platform for employees", "internal", false, "degraded", &mut incidents, &[LATE_EXPORTS]);
        }
    }
    [pages, incidents]
}
