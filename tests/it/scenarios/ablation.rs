//! What each of the twelve points of finding a cause brings: the same scenarios are told once more with one of them
//! taken out of the definitions, and then fewer facts are told, fewer origins come first, more others are blamed,
//! or a quiet day is loud.
//!
//! `TFO_PROOF=full` plays them (`scripts/proof.sh`), each asked about an hour and about half an hour, since what a look
//! back brings shows only where the change lies before the window. That the texts still stand where they are taken out
//! is tested always.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    definition::Severity,
    demo::{Scenario, scenario::FactKind},
    load::BUILT_IN,
};

use crate::support::pack::{compiled, overlaid};

use super::{END, Played, Stage, holds, label, names, rows, told};

/// The windows that are asked about.
const RANGES: [&str; 2] = ["1h", "30m"];

/// A file below `definitions`, a text of it, and what stands in its place when the point is switched off.
type Patch = (&'static str, &'static str, &'static str);

/// A point, and what takes its effect out of the document; no patches where nothing of it is in this document.
struct Ablation {
    point: &'static str,
    patches: &'static [Patch],
}

const ABLATIONS: [Ablation; 13] = [
    Ablation {
        point: "1 own time: whole durations instead, also of calls",
        patches: &[
            ("fragments/own_time", "greatest(0, end_ns - begin_ns - entered_ns)", "end_ns - begin_ns"),
            ("fragments/own_time", "- toInt64(arrayReduce(", "- 0 * toInt64(arrayReduce("),
        ],
    },
    Ablation {
        point: "2 folding before cutting: texts cut at 300 characters, then folded",
        patches: &[(
            "fragments/folded_body",
            "replaceRegexpAll(body,",
            "replaceRegexpAll(substringUTF8(body, 1, 300),",
        )],
    },
    Ablation {
        point: "3 severity from change: numbers against none, whatever was before",
        patches: &[("fragments/surprises", "w * (count_all - c)", "0 * w * (count_all - c)")],
    },
    Ablation {
        point: "4 slots: the window as one stretch",
        patches: &[
            ("fragments/surprises", "arrayReduce('argMax', range(1, 301), surprises) AS rise", "300 AS rise"),
            ("fragments/surprises", "arrayReduce('argMin', range(1, 301), surprises) AS fall", "300 AS fall"),
            ("fragments/furthest_values", "arrayReduce('argMax', range(1, 301), distances) AS best", "300 AS best"),
            ("fragments/gauge_changes", "AND tupleElement(p, 3) >= (mean + direction * usual) / 2,", ","),
        ],
    },
    Ablation {
        point: "5 what stopped: no fewer calls, no texts or operations that stopped",
        patches: &[
            ("fragments/step_findings", "fall_z <= -4 AND", "fall_z <= -1e18 AND"),
            ("fragments/text_changes", "comes = 1 AND surprises[fall]", "comes = 2 AND surprises[fall]"),
            ("contexts/ai/ai-root-cause", "WHERE rare_before < 48 - slot_nr", "WHERE rare_before < 0"),
        ],
    },
    Ablation {
        point: "6 edges: nobody calls another, and no caller waits",
        patches: &[
            ("contexts/ai/ai-root-cause", "AND caller != callee", "AND caller = callee"),
            ("fragments/own_time", "greatest(0, end_ns - begin_ns - entered_ns)", "0"),
            (
                "fragments/step_findings",
                "kind NOT IN ('SERVER', 'CONSUMER') AS is_call",
                "kind NOT IN ('SERVER', 'CONSUMER') AND NOT answered AS is_call",
            ),
            ("fragments/failure_slots", "span_kind = 'CLIENT' AND notEmpty(by_service[target])", "0"),
        ],
    },
    Ablation {
        point: "7 metrics: no changes of them",
        patches: &[("fragments/gauge_changes", "WHERE z >= 4", "WHERE z >= 1e18")],
    },
    // It reads no detector's table and none that a detector would have written.
    Ablation { point: "8 anomalies that are computed: not part of this document", patches: &[] },
    Ablation {
        point: "9 changes before the window: only those within",
        patches: &[("contexts/ai/ai-root-cause", "{{ prev_from | minus('3h') }}", "{{ from }}")],
    },
    Ablation {
        point: "10 growth and maxima of hosts: by the mean of the window",
        patches: &[
            ("contexts/ai/ai-root-cause", "ORDER BY used_pct - prev_used_pct DESC", "ORDER BY used_pct DESC"),
            ("contexts/ai/ai-root-cause", "WHERE average_now > average_before", "WHERE average_now >= 0"),
            ("contexts/ai/ai-root-cause", "scale * highest AS", "scale * average_now AS"),
        ],
    },
    Ablation {
        point: "11 WARN lines: ERROR and above alone",
        patches: &[(
            "fragments/line_texts",
            r#"{% include "log_lines" %}"#,
            r#"{% include "log_lines" %} AND severity_number >= 17"#,
        )],
    },
    Ablation {
        point: "12 one ranking by effect: suspects and findings by name",
        patches: &[
            ("contexts/ai/ai-root-cause", "ORDER BY score DESC, since, suspect", "ORDER BY suspect"),
            (
                "contexts/ai/ai-root-cause",
                "ORDER BY score DESC, suspect, place, strength DESC, finding",
                "ORDER BY suspect, finding",
            ),
        ],
    },
    // Each may make up for the other.
    Ablation {
        point: "1 and 6 together: whole durations, and nobody calls another",
        patches: &[
            ("fragments/own_time", "greatest(0, end_ns - begin_ns - entered_ns)", "end_ns - begin_ns"),
            ("fragments/own_time", "- toInt64(arrayReduce(", "- 0 * toInt64(arrayReduce("),
            ("contexts/ai/ai-root-cause", "AND caller != callee", "AND caller = callee"),
            ("fragments/failure_slots", "span_kind = 'CLIENT' AND notEmpty(by_service[target])", "0"),
        ],
    },
];

/// Without which nothing is lost that is measured here, by its name, and why.
const IDLE: &[(&str, &str)] =
    &[("1 own time", "who calls whom tells a wait from a cause as well; what both bring shows where both are off")];

/// What long texts end with, which no scenario states as a fact: scenario, service, and a piece that a row must hold.
const ENDS: [(&str, &str, &str); 3] = [
    ("dns-failure", "shipping", "Failed to resolve 'api.carrier.example'"),
    ("expired-key", "shipping", "Client Error: Unauthorized for url"),
    ("memory-leak", "catalog", "MemoryError: Unable to allocate"),
];

const LEGEND: &str = "Facts told, origins that come first, others that warnings blame, ends of long texts, and \
    warnings on the quiet day, asked about an hour and about half an hour.";

/// The score from which on a suspect is named in a warning.
const BAD: f64 = 7.0;

impl Ablation {
    fn name(&self) -> &str {
        self.point.split(':').next().unwrap()
    }

    /// Files of a pack that takes the place of what is shipped; panics where a text does not stand there any more.
    fn files(&self) -> Vec<(String, String)> {
        let mut files = BTreeMap::new();
        for (file, text, replacement) in self.patches {
            let path = format!("definitions/{file}.yaml");
            let file = files.entry(path).or_insert_with_key(|path| {
                let shipped = BUILT_IN.iter().find(|file| file.path == path);
                let shipped = shipped.unwrap_or_else(|| panic!("{}: there is no {path}", self.point)).text;
                shipped.replacen("\nkind: ", "\noverride: true\nkind: ", 1)
            });
            assert!(file.contains(text), "{}: `{text}` is not in definitions/{file} any more", self.point);
            *file = file.replace(text, replacement);
        }
        files.into_iter().collect()
    }
}

/// Compiles what is shipped, overlaid with files, as often as it is wanted, and checks it once.
fn catalogs(files: &[(String, String)]) -> impl Fn() -> Catalog + use<> {
    let (definitions, templates) = overlaid(files);
    let options = CatalogOptions { lazy: true, ..CatalogOptions::default() };
    move || compiled(definitions.clone(), &templates, &options)
}

/// What the documents about one window come to.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    told: usize,
    /// Origins that are the first suspect.
    first: usize,
    /// Suspects that warnings blame and that are not the origin.
    others: usize,
    /// Of [`ENDS`].
    ends: usize,
    /// On the quiet day.
    warnings: usize,
}

impl Tally {
    fn is_worse_than(self, whole: Self) -> bool {
        self.told < whole.told
            || self.first < whole.first
            || self.others > whole.others
            || self.ends < whole.ends
            || self.warnings > whole.warnings
    }
}

/// The tallies of a catalog by window, and what is not told, with its window and scenario.
#[derive(Debug, Default)]
struct Row {
    tallies: [Tally; RANGES.len()],
    missing: Vec<String>,
}

impl Row {
    fn add(&mut self, at: usize, played: &Played) {
        let tally = &mut self.tallies[at];
        for fact in &played.scenario.facts {
            let told = told(fact, played);
            match fact.kind {
                FactKind::Quiet => {
                    let loud = played.document.highlights.iter().filter(|said| said.severity != Severity::Info);
                    tally.warnings += loud.count();
                }
                FactKind::Origin | FactKind::Host => {
                    tally.told += usize::from(told);
                    tally.first += usize::from(told);
                    let origin = fact.service.as_deref().or(fact.is.as_deref()).unwrap();
                    tally.others += blamed(played).iter().filter(|suspect| *suspect != origin).count();
                }
                _ => tally.told += usize::from(told),
            }
            if !told {
                self.missing.push(format!("{} {} {}", RANGES[at], played.scenario.name, label(fact)));
            }
        }
        for (_, service, piece) in ENDS.iter().filter(|(name, ..)| *name == played.scenario.name) {
            let told = rows(&played.answer).iter().any(|(_, row)| names(row, service) && holds(row, piece));
            tally.ends += usize::from(told);
        }
    }
}

/// The suspects that warnings name, without those against which another suspect is named, for which they may only wait.
fn blamed(played: &Played) -> Vec<String> {
    let section = &played.answer["sections"]["suspects"];
    let columns: Vec<_> = section["columns"].as_array().into_iter().flatten().map(|column| &column["name"]).collect();
    let at = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let rows: Vec<&Value> = section["rows"].as_array().into_iter().flatten().collect();
    let suspects: Vec<&str> = rows.iter().map(|row| row[at("suspect")].as_str().unwrap()).collect();
    let named = rows.iter().zip(&suspects).filter(|(row, suspect)| {
        let against = [&row[at("evidence_against")]];
        let excused = suspects.iter().any(|other| other != *suspect && names(&against, other));
        row[at("score")].as_f64().unwrap() >= BAD && !excused
    });
    named.map(|(_, suspect)| (*suspect).to_owned()).collect()
}

#[test]
fn what_is_switched_off_stands_in_the_definitions() {
    for (at, ablation) in ABLATIONS.iter().enumerate() {
        assert!(at >= 12 || ablation.point.starts_with(&format!("{} ", at + 1)), "{}", ablation.point);
        ablation.files();
    }
    for (name, why) in IDLE {
        let known = ABLATIONS.iter().any(|ablation| ablation.name() == *name && !ablation.patches.is_empty());
        assert!(known && !why.is_empty(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/proof.sh runs it"]
async fn without_any_of_its_points_the_document_tells_less() {
    if std::env::var("TFO_PROOF").is_ok_and(|word| word == "full") {
        let only = std::env::var("TFO_PROOF_ONLY").ok();
        let scenarios: Vec<String> = Scenario::names()
            .into_iter()
            .filter(|name| only.as_ref().is_none_or(|only| only.contains(name.as_str())))
            .collect();
        let off: Vec<_> = ABLATIONS.iter().filter(|ablation| !ablation.patches.is_empty()).collect();
        let mut catalogs_of = vec![catalogs(&[])];
        catalogs_of.extend(off.iter().map(|ablation| catalogs(&ablation.files())));
        let mut rows: Vec<Row> = catalogs_of.iter().map(|_| Row::default()).collect();
        let (mut all, mut origins) = (0, 0);
        for name in scenarios {
            let stage = Stage::load(&name, 7, END).await;
            for (row, catalog) in rows.iter_mut().zip(&catalogs_of) {
                let engine = stage.engine(catalog());
                for (at, range) in RANGES.iter().enumerate() {
                    row.add(at, &stage.ask(&engine, range).await);
                }
            }
            let facts = stage.scenario.facts.iter().filter(|fact| fact.kind != FactKind::Quiet);
            all += facts.clone().count();
            origins += facts.filter(|fact| matches!(fact.kind, FactKind::Origin | FactKind::Host)).count();
            stage.clear().await;
        }
        println!("{}", table(&off, &rows, (all, origins)));
        if only.is_none() {
            let whole = rows[0].tallies;
            let is_idle = |row: &Row| !row.tallies.iter().zip(whole).any(|(tally, whole)| tally.is_worse_than(whole));
            let idle = off.iter().zip(&rows[1..]).filter(|(_, row)| is_idle(row));
            let idle: Vec<&str> = idle.map(|(ablation, _)| ablation.name()).collect();
            let known: Vec<&str> = IDLE.iter().map(|(name, _)| *name).collect();
            assert_eq!(idle, known, "without these nothing is lost (left), and these are known for it (right)");
        }
    }
}

/// What is told by point, of an hour and then of half an hour, and below what is not told without one that is with all.
fn table(off: &[&Ablation], rows: &[Row], (all, origins): (usize, usize)) -> String {
    let mut table = format!("{:<68}", "switched off");
    for range in RANGES {
        write!(table, "  {range:>3}: facts  first  others   ends  quiet").unwrap();
    }
    table.push('\n');
    let mut played = off.iter().zip(&rows[1..]);
    let mut lost = String::new();
    let whole = std::iter::once(("all points", Some(&rows[0])));
    let points = ABLATIONS.iter().map(|ablation| match ablation.patches {
        [] => (ablation.point, None),
        _ => (ablation.point, played.next().map(|(_, row)| row)),
    });
    for (point, row) in whole.chain(points) {
        write!(table, "{point:<68}").unwrap();
        for tally in row.iter().flat_map(|row| row.tallies) {
            let (told, first) = (format!("{}/{all}", tally.told), format!("{}/{origins}", tally.first));
            let ends = format!("{}/{}", tally.ends, ENDS.len());
            write!(table, "  {told:>10}  {first:>5}  {:>6}  {ends:>5}  {:>5}", tally.others, tally.warnings).unwrap();
        }
        table.push('\n');
        let missing = row.iter().flat_map(|row| &row.missing).filter(|fact| !rows[0].missing.contains(fact));
        for fact in missing {
            writeln!(lost, "{}: {fact}", point.split(':').next().unwrap()).unwrap();
        }
    }
    for (name, why) in IDLE {
        writeln!(table, "Nothing is lost without {name}: {why}.").unwrap();
    }
    let whole = rows[0].missing.join("\n");
    format!("{LEGEND}\n{table}\nnot told with all points:\n{whole}\n\nnot told without one of them:\n{lost}")
}
