//! Reports that are made on a schedule.

use serde_json::json;

use super::{Place, Table, at, integer, json, text, uuid};
use crate::{
    demo::{
        generate::Generator,
        offset::{HOUR, SECOND},
        random::{Random, number},
    },
    sql::Bind,
};

const DAY: i64 = 24 * HOUR;

pub fn tables(generator: &Generator) -> Vec<Table> {
    let [definitions, executions] = reports(generator);
    vec![definitions, executions]
}

/// Name, kind, schedule, whether it is made, days between two, seconds that it takes.
type Report = (&'static str, &'static str, &'static str, bool, Option<i64>, f64);

const REPORTS: [Report; 6] = [
    ("Morning summary", "executive", "daily", true, Some(1), 14.0),
    ("Reliability of the week", "reliability", "weekly", true, Some(7), 41.0),
    ("Alerts of the week", "alerting", "weekly", true, Some(7), 9.0),
    ("Use of machines", "utilization", "monthly", true, Some(30), 66.0),
    ("Uptime for customers", "uptime", "weekly", false, Some(7), 8.0),
    ("Who has access", "user_management", "on_demand", true, None, 5.0),
];

fn reports(generator: &Generator) -> [Table; 2] {
    let mut definitions = Table::new(
        "report_definitions",
        "id organization_id workspace_id name type schedule enabled format recipients created_by created_at updated_at",
    );
    let mut executions = Table::new(
        "report_executions",
        "id organization_id workspace_id report_definition_id status started_at completed_at period_start period_end \
             error execution_time_ms triggered_by created_at updated_at",
    );
    for place in Place::all(generator) {
        let end = generator.end();
        let index = place.fleet.organization.index;
        for (nth, (name, kind, schedule, enabled, every, takes)) in REPORTS.into_iter().enumerate() {
            let id = place.id("report", name);
            let recipients: Vec<&str> =
                place.estate.people.iter().take(1 + nth % 3).map(|person| person.email.as_str()).collect();
            definitions.push([
                uuid(id),
                place.organization(),
                place.workspace(),
                text(name),
                text(kind),
                text(schedule),
                Bind::Bool(enabled),
                text("pdf"),
                json(json!(recipients)),
                place.estate.people.get(nth % 4).map_or(Bind::Null, |person| uuid(person.id)),
                at(end - 300 * DAY),
                at(end - 50 * DAY),
            ]);
            let Some(every) = every else { continue };
            // The one about machines was forgotten in the first organisation: its last turn did not come.
            let newest = match (enabled, kind, index) {
                (false, ..) => 60 * DAY,
                (_, "utilization", 0) => 52 * DAY,
                _ => every.min(3) * DAY / 3 + 5 * HOUR,
            };
            for turn in 0..(90 / every) {
                let mut random = Random::new(
                    number("report"),
                    &[number(&place.fleet.organization.spec.code), number(name), turn as u64],
                );
                let began = end - newest - turn * every * DAY;
                let stuck = index == 0 && kind == "alerting" && turn == 0;
                // For three days the morning summary asks for more than it gets in time.
                let late = index == 0 && kind == "executive" && turn < 3;
                let unlucky = !late && !stuck && random.chance(0.03);
                let took = if late { 120.0 } else { takes * random.between(0.8, 1.3) };
                let error = match (late, unlucky) {
                    (true, _) => Some("the store did not answer within 120 s"),
                    (_, true) => Some("a recipient was refused by the mail server"),
                    _ => None,
                };
                let done = began + (took * SECOND as f64) as i64;
                let status = match (stuck, error) {
                    (true, _) => "running",
                    (_, Some(_)) => "failed",
                    _ => "completed",
                };
                executions.push([
                    uuid(place.id("report execution", &format!("{name} {turn}"))),
                    place.organization(),
                    place.workspace(),
                    uuid(id),
                    text(status),
                    at(began),
                    if stuck { Bind::Null } else { at(done) },
                    at(began - every * DAY),
                    at(began),
                    error.map_or(Bind::Null, text),
                    if stuck { Bind::Null } else { integer((took * 1000.0) as i64) },
                    text("schedule"),
                    at(began),
                    at(done),
                ]);
            }
        }
    }
    [definitions, executions]
}
