//! What the platform notes about sign-ins and accounts: the ordinary days, guessed passwords, a locked account, a
//! second factor that was switched off.

use super::{Place, Table, at, text, uuid};
use crate::{
    demo::{
        generate::Generator,
        offset::{HOUR, MINUTE, SECOND},
        random::{Random, number},
    },
    sql::Bind,
};

const DAY: i64 = 24 * HOUR;
/// How many days are on record.
const DAYS: i64 = 14;
/// From where passwords are guessed.
pub const GUESSER: &str = "203.0.113.99";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/144.0";
const SCRIPT: &str = "python-requests/2.32";

pub fn tables(generator: &Generator) -> [Table; 1] {
    let columns = "id user_id event_type ip_address user_agent success error_message created_at";
    let mut table = Table::new("security_logs", columns);
    for place in Place::all(generator) {
        let mut notes = Notes { place: &place, table: &mut table, count: 0 };
        notes.ordinary();
        notes.locked();
        notes.guessed();
        notes.weakened();
    }
    [table]
}

/// Whose password was guessed in the first organisation, by place: someone who has no second factor.
pub fn opened(place: &Place<'_>) -> Option<usize> {
    let mut people = place.estate.people.iter().enumerate().skip(2).take(10);
    people
        .find(|(_, person)| person.active && !person.mfa && person.idle_days == Some(0))
        .map(|(nth, _)| nth)
        .filter(|_| place.fleet.organization.index == 0)
}

/// How long before the end a second factor was switched off.
pub const WEAKENED: i64 = 31 * HOUR;

/// Whose second factor was switched off, by place: someone who comes, has none any more, and had it until then.
pub fn weakened(place: &Place<'_>) -> Option<usize> {
    let (opened, people) = (opened(place), &place.estate.people);
    let fits = |nth: &usize| {
        let person = people.get(*nth);
        opened != Some(*nth) && person.is_some_and(|person| person.active && !person.mfa && person.came_lately())
    };
    (3..people.len()).chain(0..3).find(fits)
}

struct Notes<'a, 'p> {
    place: &'a Place<'p>,
    table: &'a mut Table,
    count: usize,
}

impl Notes<'_, '_> {
    /// `nth`: whose, by place among the organisation's people; nobody's without.
    fn note(&mut self, nth: Option<usize>, event: &str, address: &str, agent: &str, error: Option<&str>, when: i64) {
        let person = nth.and_then(|nth| self.place.estate.people.get(nth));
        if when >= self.place.generator.end() || (nth.is_some() && person.is_none()) {
            return;
        }
        self.count += 1;
        self.table.push([
            uuid(self.place.id("security log", &self.count.to_string())),
            person.map_or(Bind::Null, |person| uuid(person.id)),
            text(event),
            text(address),
            text(agent),
            Bind::Bool(error.is_none()),
            error.map_or(Bind::Null, text),
            at(when),
        ]);
    }

    /// Everybody who comes signs in once or twice a day, and mistypes now and then.
    fn ordinary(&mut self) {
        let end = self.place.generator.end();
        let weakened = weakened(self.place);
        for (nth, person) in self.place.estate.people.iter().enumerate() {
            let mut random = Random::new(number("security logs"), &[number(&person.email)]);
            let Some(idle) = person.idle_days else { continue };
            for day in i64::from(idle)..DAYS {
                let hours = random.between(1.0, 9.5);
                // The last time is that of `users`.
                let ago = if day == i64::from(idle) { 37 * MINUTE } else { (hours * HOUR as f64) as i64 };
                let came = end - day * DAY - ago;
                let address = person.address.clone();
                if random.chance(0.12) {
                    let wrong = Some("invalid credentials");
                    self.note(Some(nth), "login_failure", &address, BROWSER, wrong, came - 25 * SECOND);
                }
                self.note(Some(nth), "login_success", &address, BROWSER, None, came);
                if person.mfa || weakened == Some(nth) && came < end - WEAKENED {
                    if random.chance(0.05) {
                        let wrong = Some("code does not match");
                        self.note(Some(nth), "mfa_failure", &address, BROWSER, wrong, came + 9 * SECOND);
                    }
                    self.note(Some(nth), "mfa_success", &address, BROWSER, None, came + 20 * SECOND);
                }
                if random.chance(0.5) {
                    let left = came + (random.between(1.0, 6.0) * HOUR as f64) as i64;
                    self.note(Some(nth), "logout", &address, BROWSER, None, left);
                }
            }
        }
    }

    /// Who failed five times is locked out; `users` says the same.
    fn locked(&mut self) {
        let last = self.place.generator.end() - 11 * MINUTE;
        for (nth, person) in self.place.estate.people.iter().enumerate() {
            let times = i64::from(person.failed_logins);
            for n in 0..times {
                let when = last - (times - 1 - n) * 70 * SECOND;
                let wrong = Some("invalid credentials");
                self.note(Some(nth), "login_failure", &person.address, BROWSER, wrong, when);
            }
            if times > 0 {
                let why = Some("too many failed logins");
                self.note(Some(nth), "account_lockout", &person.address, BROWSER, why, last + SECOND);
            }
        }
    }

    /// One address tries ten accounts in turn and gets into one that has no second factor.
    fn guessed(&mut self) {
        let index = self.place.fleet.organization.index;
        if index == 2 {
            return;
        }
        let begin = self.place.generator.end() - 9 * HOUR - (14 + 11 * index as i64) * MINUTE;
        let wrong = Some("invalid credentials");
        for n in 0..32 {
            let when = begin + n as i64 * 19 * SECOND;
            self.note(Some(2 + n % 10), "login_failure", GUESSER, SCRIPT, wrong, when);
            if n % 4 == 0 {
                self.note(None, "login_failure", GUESSER, SCRIPT, Some("no such account"), when + 3 * SECOND);
            }
        }
        let Some(nth) = opened(self.place) else { return };
        let got_in = begin + 11 * MINUTE;
        self.note(Some(nth), "login_success", GUESSER, SCRIPT, None, got_in);
        self.note(Some(nth), "password_change", GUESSER, SCRIPT, None, got_in + 4 * MINUTE);
    }

    /// A second factor switched off, a device withdrawn, something the platform found odd.
    fn weakened(&mut self) {
        let end = self.place.generator.end();
        if let Some(nth) = weakened(self.place) {
            let address = self.place.estate.people.get(nth).map(|person| person.address.clone()).unwrap_or_default();
            self.note(Some(nth), "mfa_disabled", &address, BROWSER, None, end - WEAKENED);
        }
        self.note(Some(4), "device_revoked", "198.51.100.201", BROWSER, None, end - 52 * HOUR);
        if self.place.fleet.organization.index == 2 {
            let odd = Some("signed in from two countries within an hour");
            self.note(Some(0), "suspicious_activity", "203.0.113.140", BROWSER, odd, end - 4 * HOUR);
        }
    }
}
