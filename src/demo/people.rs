//! The people of an organisation: who signs in, deploys, and appears in the audit trail.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    fleet::stable_id,
    random::{Random, number},
    world::Organization,
};

const FIRST: &[&str] = &[
    "Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farah", "Goran", "Hana", "Imani", "Jonas", "Keiko", "Luca", "Mei",
    "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Sven", "Tala", "Uma", "Viktor", "Wanjiru", "Yusuf", "Zoe",
];
const LAST: &[&str] = &[
    "Almeida",
    "Bergström",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fontana",
    "Gupta",
    "Haddad",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "O'Neill",
    "Petrov",
    "Quispe",
    "Rossi",
    "Schneider",
    "Tanaka",
];

/// The platform's roles, global, with a description.
pub const ROLES: &[(&str, &str)] = &[
    ("administrator", "Manages users, keys and settings"),
    ("developer", "Reads telemetry, edits dashboards and alert rules"),
    ("viewer", "Reads telemetry"),
    ("demo", "Sees a guided tour"),
];

/// Someone with an account.
#[derive(Debug)]
pub struct Person {
    pub id: Uuid,
    pub first: &'static str,
    pub last: &'static str,
    pub email: String,
    pub role: &'static str,
    pub mfa: bool,
    pub active: bool,
    /// Days since the last sign-in; none: never.
    pub idle_days: Option<u32>,
    pub failed_logins: u32,
    pub address: String,
}

impl Person {
    /// Whether it was there in the last week: nobody else does anything.
    pub fn came_lately(&self) -> bool {
        self.idle_days.is_some_and(|days| days < 7)
    }
}

/// Everybody in an organisation, the same whatever the seed.
pub fn people(organization: &Organization) -> Vec<Arc<Person>> {
    let mut random = Random::new(number("people"), &[organization.index as u64]);
    let mut people: Vec<Arc<Person>> = Vec::new();
    while people.len() < organization.spec.users {
        let (Some(first), Some(last)) = (random.pick(FIRST), random.pick(LAST)) else { return people };
        let email = format!("{}.{}@{}", ascii(first), ascii(last), organization.spec.domain);
        if people.iter().any(|person| person.email == email) {
            continue;
        }
        let role = match people.len() {
            0 | 1 => "administrator",
            index if index % 3 == 2 => "viewer",
            _ => "developer",
        };
        let idle_days = match random.below(10) {
            0 => None,
            1 => Some(120),
            _ => Some(random.below(6) as u32),
        };
        people.push(Arc::new(Person {
            id: stable_id(organization, "user", &email),
            first,
            last,
            email,
            role,
            mfa: random.chance(0.65),
            active: !random.chance(0.08),
            idle_days,
            failed_logins: if random.chance(0.1) { 5 } else { 0 },
            address: format!("198.51.{}.{}", 100 + organization.index, 10 + people.len()),
        }));
    }
    people
}

fn ascii(name: &str) -> String {
    let plain = name.chars().map(|c| if c == 'ö' { 'o' } else { c });
    plain.filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}
