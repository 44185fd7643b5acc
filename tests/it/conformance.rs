//! The official conformance suite against the built binary over HTTP, with definitions of `packs/conformance` alone.
//!
//! What a scenario must pass stands in `tests/conformance/*.json`, counted as the suite counts: checks that succeeded.
//! A failed check, a warning and a missing or additional scenario are all a difference.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::support::{
    node::{self, Run},
    served::Served,
};

/// The released suite, which ends with 2025-11-25, and the one that knows 2026-07-28.
const RELEASED: &str = "0.1.16";
const NEXT: &str = "0.2.0-alpha.12";

/// What is run, and the file that says what must come of it.
struct Suite {
    version: &'static str,
    arguments: [&'static str; 2],
    expected: &'static str,
}

const SUITES: [Suite; 4] = [
    Suite { version: RELEASED, arguments: ["--suite", "all"], expected: "released" },
    Suite { version: NEXT, arguments: ["--requirements", "2025-11-25"], expected: "2025-11-25" },
    Suite { version: NEXT, arguments: ["--requirements", "2026-07-28"], expected: "2026-07-28" },
    Suite { version: NEXT, arguments: ["--suite", "all"], expected: "all" },
];

/// What came of the scenarios.
#[derive(Default)]
struct Outcome {
    /// Checks that succeeded, by scenario.
    passed: BTreeMap<String, u64>,
    /// What went wrong, by scenario.
    failed: BTreeMap<String, Vec<String>>,
    code: Option<i32>,
}

impl Suite {
    fn run(&self, server: &Served) -> Outcome {
        let package = format!("@modelcontextprotocol/conformance@{}", self.version);
        let modules = node::install(&format!("conformance-{}", self.version), &[&package]);
        let results = tempfile::tempdir().unwrap();
        let mut command = node::node(&modules.join("@modelcontextprotocol/conformance/dist/index.js"));
        command.args(["server", "--url", &server.url]).args(self.arguments).arg("-o").arg(results.path());
        let Run { code, stdout, stderr } = node::run(&mut command);
        let mut outcome = Outcome { code, ..Outcome::default() };
        for folder in fs::read_dir(results.path()).unwrap().map(Result::unwrap) {
            outcome.read(&folder.path());
        }
        assert!(!outcome.passed.is_empty(), "the suite ran nothing:\n{stdout}{stderr}");
        outcome
    }

    fn expected(&self) -> BTreeMap<String, u64> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
        serde_json::from_str(&fs::read_to_string(folder.join(self.expected).with_extension("json")).unwrap()).unwrap()
    }

    /// All that differs from what must come of it; nothing if all is well.
    fn differences(&self, outcome: &Outcome) -> Vec<String> {
        let expected = self.expected();
        let mut found = Vec::new();
        for (scenario, wanted) in &expected {
            match outcome.passed.get(scenario) {
                Some(passed) if passed == wanted => {}
                passed => found.push(format!("{scenario}: {} checks passed, not {wanted}", passed.unwrap_or(&0))),
            }
        }
        found.extend(
            outcome.passed.keys().filter(|name| !expected.contains_key(*name)).map(|name| format!("{name}: new")),
        );
        found.extend(outcome.failed.iter().map(|(scenario, failures)| format!("{scenario}: {}", failures.join("; "))));
        if outcome.code != Some(0) {
            found.push(format!("the suite ended with {:?}", outcome.code));
        }
        found
    }

    fn report(&self, who: &str, outcome: &Outcome) {
        let (scenarios, checks) = (outcome.passed.len(), outcome.passed.values().sum::<u64>());
        let failures: usize = outcome.failed.values().map(Vec::len).sum();
        println!(
            "conformance {} {}, {who}: {}/{scenarios} scenarios, {checks}/{} checks",
            self.version,
            self.arguments.join(" "),
            scenarios - outcome.failed.len(),
            checks as usize + failures,
        );
    }
}

impl Outcome {
    /// Reads the folder that the suite wrote for a scenario: `server-<scenario>-<time>`.
    fn read(&mut self, folder: &Path) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let name = name.strip_prefix("server-").unwrap_or(name);
        let time = "-2026-11-21T02-59-21-374Z".len();
        let scenario = name[..name.len() - time].to_owned();
        let Ok(text) = fs::read_to_string(folder.join("checks.json")) else {
            self.failed.insert(scenario.clone(), vec!["the suite could not run it".to_owned()]);
            self.passed.insert(scenario, 0);
            return;
        };
        let checks: Value = serde_json::from_str(&text).unwrap();
        for check in checks.as_array().unwrap() {
            let passed = self.passed.entry(scenario.clone()).or_default();
            match check["status"].as_str().unwrap() {
                "SUCCESS" => *passed += 1,
                "FAILURE" | "WARNING" => {
                    let failure = format!("{}: {}", check["id"], check["errorMessage"]);
                    self.failed.entry(scenario.clone()).or_default().push(failure);
                }
                _ => {}
            }
        }
        self.passed.entry(scenario).or_default();
    }
}

fn passes(suite: &Suite) {
    let server = Served::conformance();
    let outcome = suite.run(&server);
    suite.report("the conformance pack", &outcome);
    let differences = suite.differences(&outcome);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_released_suite_passes() {
    passes(&SUITES[0]);
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn what_2025_11_25_requires_passes() {
    passes(&SUITES[1]);
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn what_2026_07_28_requires_passes() {
    passes(&SUITES[2]);
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_whole_suite_passes_with_its_extensions() {
    passes(&SUITES[3]);
}

/// What passes without a single definition says nothing about the definitions.
#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn a_server_without_definitions_fails_the_same_comparison() {
    let server = Served::start(&["--packs-only"]);
    for suite in &SUITES {
        let outcome = suite.run(&server);
        suite.report("no definitions", &outcome);
        assert!(!suite.differences(&outcome).is_empty(), "{}", suite.expected);
        assert!(
            outcome.failed.len() * 2 > outcome.passed.len(),
            "{}: most scenarios need no definition",
            suite.expected
        );
    }
}
