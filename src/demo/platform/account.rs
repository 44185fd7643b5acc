//! What belongs to one account alone: the devices that it is known from, and which notices it wants.

use super::{Place, Table, at, integer, security, text, uuid};
use crate::{
    demo::{
        generate::Generator,
        offset::{HOUR, MINUTE},
        random::{Random, number},
    },
    sql::Bind,
};

const DAY: i64 = 24 * HOUR;

pub fn tables(generator: &Generator) -> [Table; 2] {
    [devices(generator), wishes(generator)]
}

fn devices(generator: &Generator) -> Table {
    let mut table = Table::new(
        "known_devices",
        "id user_id device_fingerprint device_name device_type browser os ip_address is_trusted login_count \
             first_seen_at last_seen_at",
    );
    for place in Place::all(generator) {
        let opened = security::opened(&place);
        for (index, person) in place.estate.people.iter().enumerate() {
            let Some(idle) = person.idle_days.map(i64::from) else { continue };
            let came = idle * DAY + 37 * MINUTE;
            let own = person.address.as_str();
            let mut devices =
                vec![("MacBook Pro", "desktop", "Chrome", "macOS", own, true, 12 + 7 * index as i64, 380 * DAY, came)];
            if index % 2 == 0 {
                let seen = came + 3 * DAY;
                devices.push(("Pixel 9", "mobile", "Chrome", "Android", own, true, 4, 60 * DAY + seen, seen));
            }
            if index % 5 == 0 {
                // A machine that was given back.
                devices.push(("ThinkPad", "desktop", "Firefox", "Linux", own, true, 31, 700 * DAY, 290 * DAY));
            }
            if opened == Some(index) {
                let (first, last) = (9 * HOUR + 3 * MINUTE, 8 * HOUR + 41 * MINUTE);
                devices.push(("", "unknown", "python-requests", "Linux", security::GUESSER, false, 1, first, last));
            }
            for (name, kind, browser, os, address, trusted, logins, first, last) in devices {
                let print = place.id("device", &format!("{} {name} {browser}", person.email));
                table.push([
                    uuid(print),
                    uuid(person.id),
                    text(&print.simple().to_string()),
                    if name.is_empty() { Bind::Null } else { text(name) },
                    text(kind),
                    text(browser),
                    text(os),
                    text(address),
                    Bind::Bool(trusted),
                    integer(logins),
                    at(generator.end() - first),
                    at(generator.end() - last),
                ]);
            }
        }
    }
    table
}

/// Kind of notice, channel, how often of a hundred it is wanted.
const KINDS: [(&str, &str, f64); 6] = [
    ("alert", "slack", 0.8),
    ("alert", "pagerduty", 0.4),
    ("alert", "email", 0.3),
    ("report", "email", 0.7),
    ("invitation", "email", 0.9),
    ("security", "email", 0.85),
];

fn wishes(generator: &Generator) -> Table {
    let mut table = Table::new(
        "user_notification_preferences",
        "id user_id kind channel enabled digest quiet_from quiet_to created_at updated_at",
    );
    for place in Place::all(generator) {
        for (index, person) in place.estate.people.iter().enumerate() {
            let mut random = Random::new(number("wishes"), &[number(&person.email)]);
            // Who was never there has chosen nothing.
            if person.idle_days.is_none() {
                continue;
            }
            for (kind, channel, share) in KINDS {
                // Whose password was guessed has also lost the notices that would tell of it.
                let silenced = kind == "security" && security::opened(&place) == Some(index);
                let wanted = random.chance(share) && !silenced;
                let digest = if kind == "report" { "daily" } else { "immediate" };
                let quiet = (kind == "alert" && index % 3 == 0).then_some(("22:00", "07:00"));
                let changed = if silenced { 8 * HOUR + 50 * MINUTE } else { (30 + 5 * index as i64) * DAY };
                table.push([
                    uuid(place.id("wish", &format!("{} {kind} {channel}", person.email))),
                    uuid(person.id),
                    text(kind),
                    text(channel),
                    Bind::Bool(wanted),
                    text(digest),
                    quiet.map_or(Bind::Null, |(from, _)| text(from)),
                    quiet.map_or(Bind::Null, |(_, to)| text(to)),
                    place.founded(),
                    at(generator.end() - changed),
                ]);
            }
        }
    }
    table
}
