//! Totals, rates and percentiles of the catalogue's types against an oracle: what each number should be is computed here
//! from the records that the generator emits, never by SQL and never by code of the server.
//!
//! A room holds the types of a family. An oracle names a type, one of its sections and the columns that tell its rows
//! apart, and computes every row of it; rows that are missing, rows too many and numbers that differ by more than they
//! are rounded by are told all together. Each is asked on both stacks and in several windows. Every number is compared a
//! second time with a false one, so that what compares nothing fails.

mod courses;
mod database;
mod infrastructure;
mod kubernetes;
mod platform;
mod records;
mod series;
mod services;
mod telemetry;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tfo_mcp::{
    demo::{
        offset::{HOUR, MINUTE, SECOND},
        oracle::Window,
    },
    engine::{Document, Heading, SectionAnswer},
};

use crate::{
    answers::{collect, filled, on_this_machine, over_http, stamp},
    support::pack::catalog,
};
use records::Records;

/// What a section of a type should hold.
struct Oracle {
    of: &'static str,
    section: &'static str,
    /// The columns that tell its rows apart.
    keys: &'static [&'static str],
    expect: fn(&Records, &View) -> Rows,
}

/// A window and the one just before it, with which it is compared.
#[derive(Debug, Clone, Copy)]
struct View {
    now: Window,
    before: Window,
}

impl View {
    fn new(from: i64, to: i64) -> Self {
        let now = Window { from, to };
        Self { now, before: now.previous() }
    }

    fn hours(&self) -> f64 {
        (self.now.to - self.now.from) as f64 / HOUR as f64
    }

    fn seconds(&self) -> f64 {
        (self.now.to - self.now.from) as f64 / SECOND as f64
    }

    /// Whether a moment lies in the window, or in the one before; none outside of both.
    fn side(&self, time: i64) -> Option<bool> {
        if self.now.holds(time) { Some(true) } else { self.before.holds(time).then_some(false) }
    }
}

/// A value that a cell should have.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Number(f64),
    Nothing,
    Text(String),
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Cell::Number(number)
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Cell::Number(number as f64)
    }
}

impl From<Option<f64>> for Cell {
    fn from(number: Option<f64>) -> Self {
        number.map_or(Cell::Nothing, Cell::Number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

/// Columns and what they should hold.
type Cells = Vec<(&'static str, Cell)>;

/// Rows by the values of their keys.
#[derive(Debug, Default)]
struct Rows(BTreeMap<Vec<String>, Cells>);

impl Rows {
    fn add<const N: usize>(&mut self, keys: [&str; N], cells: Cells) {
        let known = self.0.insert(keys.map(str::to_owned).into(), cells);
        assert!(known.is_none(), "{keys:?} is there twice");
    }

    fn numbers(&self) -> usize {
        self.0.values().flatten().filter(|(_, cell)| matches!(cell, Cell::Number(_))).count()
    }

    /// The same rows with other numbers.
    fn falsified(&self) -> Rows {
        let falsified = |(column, cell): &(&'static str, Cell)| match cell {
            Cell::Number(number) => (*column, Cell::Number(number + number.abs() / 50.0 + 1.1)),
            other => (*column, other.clone()),
        };
        Rows(self.0.iter().map(|(keys, cells)| (keys.clone(), cells.iter().map(falsified).collect())).collect())
    }
}

/// `cells!["column" => value, …]`
macro_rules! cells {
    ($($column:literal => $value:expr),* $(,)?) => {
        vec![$(($column, $crate::oracles::Cell::from($value))),*]
    };
}
use cells;

const ROOMS: [&[Oracle]; 7] = [
    courses::ORACLES,
    database::ORACLES,
    infrastructure::ORACLES,
    kubernetes::ORACLES,
    platform::ORACLES,
    services::ORACLES,
    telemetry::ORACLES,
];

/// The last hour, one that begins and ends at no full minute, and one that is long enough for sums of hours.
fn views(records: &Records) -> [View; 3] {
    let end = records.end();
    [
        View::new(end - HOUR, end),
        View::new(end - 3 * HOUR - 41 * MINUTE, end - 73 * MINUTE - 27 * SECOND),
        View::new(end - 8 * HOUR, end),
    ]
}

/// Compares all sections of a room on both stacks and in both windows.
async fn compare(room: &[Oracle]) {
    let (filled, records) = (filled().await, records::records());
    let organization = &records.organization().id_text;
    let engines = [on_this_machine(filled, organization), over_http(filled, organization)];
    let types: BTreeSet<&str> = room.iter().map(|oracle| oracle.of).collect();
    let (mut wrong, mut numbers) = (Vec::new(), 0);
    for name in types {
        for view in views(records) {
            let bounds = json!({ "from": stamp(view.now.from), "to": stamp(view.now.to), "baseline": "previous" });
            let documents =
                tokio::join!(collect(&engines[0], name, bounds.clone()), collect(&engines[1], name, bounds));
            for oracle in room.iter().filter(|oracle| oracle.of == name) {
                let rows = (oracle.expect)(records, &view);
                for (stack, document) in [("here", &documents.0), ("remote", &documents.1)] {
                    let place = format!("{name}.{} of {:.2} h, {stack}", oracle.section, view.hours());
                    let found = differences(document, oracle, &rows);
                    let noticed = differences(document, oracle, &rows.falsified()).len();
                    if found.is_empty() && noticed != rows.numbers() {
                        wrong.push(format!("{place}: {noticed} of {} numbers are compared", rows.numbers()));
                    }
                    numbers += noticed;
                    wrong.extend(found.into_iter().map(|one| format!("{place}: {one}")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(numbers > 100, "{numbers}");
}

fn differences(document: &Document, oracle: &Oracle, rows: &Rows) -> Vec<String> {
    let Some(section) = document.sections.iter().find(|section| section.name == oracle.section) else {
        return vec!["no such section".to_owned()];
    };
    let index = |name: &str| section.columns.iter().position(|column| column.name == name);
    let Some(keys) = oracle.keys.iter().map(|key| index(key)).collect::<Option<Vec<usize>>>() else {
        return if section.rows.is_empty() && rows.0.is_empty() {
            Vec::new()
        } else {
            vec![format!("the keys are no columns: {:?} {}", section.status, told(section))]
        };
    };
    let mut wrong = Vec::new();
    let mut shown = BTreeSet::new();
    for row in &section.rows {
        let key: Vec<String> = keys.iter().map(|index| text(&row[*index])).collect();
        let Some(cells) = rows.0.get(&key) else {
            wrong.push(format!("{key:?} should not be there: {}", json!(row)));
            continue;
        };
        for (name, expected) in cells {
            match index(name) {
                None => wrong.push(format!("no column {name}")),
                Some(at) if !is(&row[at], expected, &section.columns[at]) => {
                    wrong.push(format!("{key:?} {name} is {}, expected {expected:?}", row[at]));
                }
                Some(_) => {}
            }
        }
        if !shown.insert(key.clone()) {
            wrong.push(format!("{key:?} is there twice"));
        }
    }
    // Where rows were cut, the total still tells how many there are.
    if section.cut.is_none() && section.unread.is_none() {
        wrong.extend(rows.0.keys().filter(|key| !shown.contains(*key)).map(|key| format!("{key:?} is missing")));
    } else if !told(section).contains(&rows.0.len().to_string()) {
        wrong.push(format!("{} rows expected, but {}", rows.0.len(), told(section)));
    }
    wrong
}

fn told(section: &SectionAnswer) -> String {
    format!("{:?} {:?}", section.total, section.message)
}

/// A key as it is compared.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a cell is what it should be, as exactly as its column is told.
fn is(found: &Value, expected: &Cell, heading: &Heading) -> bool {
    match expected {
        Cell::Nothing => found.is_null(),
        Cell::Text(text) => found.as_str() == Some(text),
        Cell::Number(number) => found.as_f64().is_some_and(|found| {
            let rounded = heading.decimals.map_or(0.0, |decimals| {
                // A small number is told with three significant digits.
                let leading = if *number == 0.0 { 0 } else { number.abs().log10().floor() as i32 };
                0.51 * 10f64.powi(-i32::from(decimals).max(2 - leading))
            });
            (found - number).abs() <= rounded + 1e-9 * number.abs()
        }),
    }
}

macro_rules! rooms {
    ($($test:ident: $room:ident),* $(,)?) => {
        $(
            #[tokio::test]
            #[ignore = "slow: scripts/test.sh runs it"]
            async fn $test() {
                compare($room::ORACLES).await;
            }
        )*
    };
}

rooms! {
    numbers_of_courses_equal_the_events: courses,
    numbers_of_databases_equal_the_records: database,
    numbers_of_machines_equal_the_records: infrastructure,
    numbers_of_clusters_equal_the_records: kubernetes,
    numbers_of_the_platform_equal_the_records: platform,
    numbers_of_services_equal_the_events: services,
    numbers_of_telemetry_equal_the_events: telemetry,
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn at_least_sixty_types_have_an_oracle_and_each_of_several_numbers() {
    let catalog = catalog(&[], &Default::default());
    let records = records::records();
    let mut numbers = BTreeMap::<&str, usize>::new();
    for oracle in ROOMS.iter().copied().flatten() {
        let entry = catalog.contexts.get(oracle.of).unwrap_or_else(|| panic!("there is no type {}", oracle.of));
        assert_eq!(entry.definition.name.0, oracle.of, "another name of a type is no type");
        let of_views = views(records).iter().map(|view| (oracle.expect)(records, view).numbers()).sum::<usize>();
        assert!(of_views > 0, "{}.{} compares nothing", oracle.of, oracle.section);
        *numbers.entry(oracle.of).or_default() += of_views;
    }
    let few: Vec<_> = numbers.iter().filter(|(_, count)| **count < 3).collect();
    assert!(few.is_empty(), "fewer than three numbers: {few:?}");
    assert!(numbers.len() >= 60, "{} types have an oracle", numbers.len());
}
