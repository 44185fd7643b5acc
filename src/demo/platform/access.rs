//! What roles may do, what accounts hold beside their first role, and who is signed in.
//!
//! There is something to find in every organisation: an expired assignment that is still there, an administrator
//! who never comes, a right given to one account alone, an account with too many sessions, a session of an account
//! that was switched off.

use serde_json::json;
use uuid::Uuid;

use super::{Place, Table, at, json, security, text, uuid};
use crate::{
    demo::{
        generate::Generator,
        offset::{HOUR, MINUTE},
        people::Person,
        random::{Random, number},
    },
    sql::Bind,
};

const DAY: i64 = 24 * HOUR;

/// Roles that the organisations made themselves, beside the platform's.
pub const MADE_ROLES: &[(&str, &str)] =
    &[("auditor", "Reads the audit trail and who may do what"), ("billing", "Pays the bills")];

/// What may be done, as resource and actions.
const PERMISSIONS: &[(&str, &[&str])] = &[
    ("alert_rule", &["create", "delete", "read", "update"]),
    ("api_key", &["create", "read", "revoke"]),
    ("audit", &["export", "read"]),
    ("billing", &["read", "update"]),
    ("dashboard", &["create", "delete", "read", "update"]),
    ("export", &["create"]),
    ("masking", &["read", "update"]),
    ("retention", &["read", "update"]),
    ("role", &["assign", "read"]),
    ("status_page", &["update"]),
    ("telemetry", &["read"]),
    ("user", &["create", "delete", "read", "update"]),
];

/// Whether a role has a permission. Nobody may change status pages: that permission is in no role.
fn grants(role: &str, resource: &str, action: &str) -> bool {
    match role {
        "administrator" => resource != "status_page",
        "developer" => {
            matches!(resource, "alert_rule" | "dashboard" | "export" | "telemetry")
                || resource == "api_key" && action != "revoke"
        }
        "viewer" => matches!(resource, "alert_rule" | "dashboard" | "telemetry") && action == "read",
        "auditor" => resource == "audit" || matches!(resource, "role" | "user") && action == "read",
        "billing" => resource == "billing",
        _ => resource == "dashboard" && action == "read",
    }
}

pub fn role_id(name: &str) -> Uuid {
    Random::new(number("role"), &[number(name)]).uuid()
}

/// The permission of that name, such as `user:delete`; the same for every organisation.
pub fn permission_id(name: &str) -> Uuid {
    Random::new(number("permission"), &[number(name)]).uuid()
}

pub fn tables(generator: &Generator, roles: &[&str]) -> [Table; 4] {
    let [permissions, role_permissions] = rights(generator, roles);
    [permissions, role_permissions, direct(generator), sessions(generator)]
}

fn rights(generator: &Generator, roles: &[&str]) -> [Table; 2] {
    let mut permissions = Table::new("permissions", "id name description resource action created_at updated_at");
    let mut role_permissions = Table::new("role_permissions", "id role_id permission_id created_at");
    let founded = at(generator.end() - 400 * DAY);
    for (resource, actions) in PERMISSIONS {
        for action in *actions {
            let name = format!("{resource}:{action}");
            let about = format!("May {action} what is of the kind {resource}");
            permissions.push([
                uuid(permission_id(&name)),
                text(&name),
                text(&about),
                text(resource),
                text(action),
                founded.clone(),
                founded.clone(),
            ]);
            for role in roles.iter().filter(|role| grants(role, resource, action)) {
                let id = Random::new(number("role permission"), &[number(role), number(&name)]).uuid();
                let values = [uuid(id), uuid(role_id(role)), uuid(permission_id(&name)), founded.clone()];
                role_permissions.push(values);
            }
        }
    }
    [permissions, role_permissions]
}

/// The `n`th account of a first role among those that were used in the last week.
fn with_role<'p>(place: &Place<'p>, role: &str, n: usize) -> Option<&'p Person> {
    let people = place.estate.people.iter().map(|person| &**person);
    people.filter(|person| person.active && person.came_lately() && person.role == role).nth(n)
}

/// Someone who has not been there for months, or never was, and is no administrator by first role.
fn absent<'p>(place: &Place<'p>) -> Option<&'p Person> {
    let mut people = place.estate.people.iter().map(|person| &**person);
    people
        .find(|person| person.active && person.role != "administrator" && person.idle_days.is_none_or(|days| days > 90))
}

/// A role that was given: whose, which, by whom, so many days ago, and in how many days it ends.
type Given = (Uuid, &'static str, Option<Uuid>, i64, Option<i64>);

/// Roles beside the first one.
pub fn more_roles(place: &Place<'_>) -> Vec<Given> {
    let creator = place.estate.people.first().map(|person| person.id);
    let index = place.fleet.organization.index as i64;
    let mut more = Vec::new();
    let mut give = |person: Option<&Person>, role, by, days, ends| {
        more.extend(person.map(|person| (person.id, role, by, days, ends)));
    };
    // Helped out, and kept the role.
    give(with_role(place, "developer", 0), "administrator", creator, 20, Some(-(6 + index)));
    give(with_role(place, "developer", 1), "administrator", creator, 12, Some(2));
    give(absent(place), "administrator", creator, 240, None);
    let helper = with_role(place, "viewer", 0);
    give(helper, "auditor", helper.map(|person| person.id).filter(|_| index != 1).or(creator), 3, None);
    if index == 1 {
        // Audits what they do themselves.
        give(with_role(place, "administrator", 1), "auditor", creator, 100, None);
    }
    more
}

fn direct(generator: &Generator) -> Table {
    let mut table =
        Table::new("user_permissions", "id user_id permission_id tenant_id granted_by granted_at expires_at is_denied");
    for place in Place::all(generator) {
        let end = generator.end();
        let creator = place.estate.people.first().map_or(Bind::Null, |person| uuid(person.id));
        let plan = [
            (with_role(&place, "developer", 0), "user:delete", 5, None, false),
            (with_role(&place, "viewer", 1), "export:create", 200 * 24, None, false),
            (with_role(&place, "viewer", 0), "audit:read", 60 * 24, Some(-30), false),
            (with_role(&place, "developer", 2), "api_key:create", 15 * 24, None, true),
        ];
        for (person, permission, hours, ends, denied) in plan {
            let Some(person) = person else { continue };
            table.push([
                uuid(place.id("user permission", &format!("{} {permission}", person.email))),
                uuid(person.id),
                uuid(permission_id(permission)),
                uuid(place.fleet.organization.spec.tenant),
                creator.clone(),
                at(end - hours * HOUR),
                ends.map_or(Bind::Null, |days: i64| at(end + days * DAY)),
                Bind::Bool(denied),
            ]);
        }
    }
    table
}

/// Device, kind of device, browser and its version, system and its version.
const DEVICES: &[[&str; 6]] = &[
    ["MacBook Pro", "desktop", "Chrome", "141", "macOS", "15.6"],
    ["ThinkPad", "desktop", "Firefox", "144", "Linux", "6.12"],
    ["Surface", "desktop", "Edge", "141", "Windows", "11"],
    ["Pixel 9", "mobile", "Chrome", "141", "Android", "16"],
];

/// A session: whose, from where, made and last used so long before the end, and when it ends after the end.
struct Session<'p> {
    person: &'p Person,
    name: String,
    address: String,
    city: &'static str,
    made: i64,
    used: i64,
    ends: i64,
    remembered: bool,
    terminated: Option<&'static str>,
}

fn sessions(generator: &Generator) -> Table {
    let mut table = Table::new(
        "user_sessions",
        "id user_id session_token device_name device_type browser browser_version os os_version ip_address location \
             remember_me is_current last_activity_at expires_at created_at terminated_at terminated_reason",
    );
    for place in Place::all(generator) {
        let end = generator.end();
        for session in of_place(&place) {
            let mut random = Random::new(number("device"), &[number(&session.person.email), number(&session.name)]);
            let Some([device, kind, browser, version, os, os_version]) = random.pick(DEVICES) else { continue };
            let terminated = session.terminated.map_or(Bind::Null, |_| at(end - session.used + MINUTE));
            table.push([
                uuid(place.id("session", &format!("{} {}", session.person.email, session.name))),
                uuid(session.person.id),
                Bind::Text(format!(
                    "{}-session_token-{}",
                    super::SECRET_CANARY,
                    place.id("token", &format!("{} {}", session.person.email, session.name))
                )),
                text(device),
                text(kind),
                text(browser),
                text(version),
                text(os),
                text(os_version),
                text(&session.address),
                json(json!({ "city": session.city })),
                Bind::Bool(session.remembered),
                Bind::Bool(session.name == "first"),
                at(end - session.used),
                at(end + session.ends),
                at(end - session.made),
                terminated,
                session.terminated.map_or(Bind::Null, text),
            ]);
        }
    }
    table
}

fn of_place<'p>(place: &Place<'p>) -> Vec<Session<'p>> {
    let home = ["Hamburg", "Boston", "Pune"].get(place.fleet.organization.index).copied().unwrap_or("Hamburg");
    let mut sessions = Vec::new();
    let weakened = security::weakened(place);
    for (index, person) in place.estate.people.iter().enumerate() {
        let session = |name: String, made: i64, used: i64, ends: i64| Session {
            person,
            name,
            address: person.address.clone(),
            city: home,
            made,
            used,
            ends,
            remembered: false,
            terminated: None,
        };
        let Some(days) = person.idle_days.filter(|days| *days < 7).map(i64::from) else { continue };
        let made = days * DAY + 37 * MINUTE;
        let used = (made - 3 * HOUR).max((2 + index as i64) * MINUTE);
        // Whoever switches the second factor off is signed in.
        let used = if weakened == Some(index) { used.min(security::WEAKENED) } else { used };
        if !person.active {
            // Switched off, and still signed in.
            sessions.push(session("first".into(), made, used, 5 * DAY));
            continue;
        }
        sessions.push(session("first".into(), made, used, (7 - days) * DAY));
        let ended = session("earlier".into(), made + 8 * DAY, made + 7 * DAY, -days * DAY - HOUR);
        sessions.push(Session { terminated: (index % 2 == 0).then_some("signed out"), ..ended });
        if index == 0 {
            let kept = session("kept".into(), 140 * DAY, 92 * DAY, 40 * DAY);
            sessions.push(Session { remembered: true, ..kept });
        }
    }
    if let Some(person) = security::opened(place).and_then(|nth| place.estate.people.get(nth)) {
        sessions.push(Session {
            person,
            name: "guessed".into(),
            address: security::GUESSER.to_owned(),
            city: "unknown",
            made: 9 * HOUR + 3 * MINUTE,
            used: 8 * HOUR + 41 * MINUTE,
            ends: 6 * DAY,
            remembered: true,
            terminated: None,
        });
    }
    let busy = place.estate.people.iter().filter(|person| person.active && person.came_lately());
    for person in busy.filter(|person| person.role == "developer").take(1) {
        for (n, city) in ["Hamburg", "Lisbon", "Warsaw", "Lagos", "Manila"].into_iter().enumerate() {
            let made = (4 + 5 * n as i64) * HOUR;
            sessions.push(Session {
                person,
                name: format!("away {n}"),
                address: format!("203.0.113.{}", 120 + n),
                city,
                made,
                used: made - 2 * HOUR,
                ends: 6 * DAY,
                remembered: false,
                terminated: None,
            });
        }
    }
    sessions
}
