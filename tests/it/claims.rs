//! What sentences of the shipped types claim of more than their rows are: of all where a filter leaves some out, of the time
//! that is compared with, of what is not known, and of now.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::{CatalogOptions, ContextEntry},
    definition::{Join, ParameterType},
    engine::{Document, Engine},
};

use crate::{
    answers::{collect, filled, on_this_machine, over_http},
    own_rows::rows,
    support::pack::catalog,
};

/// The sentences of a type, and what follows in its next steps.
fn sentences(entry: &ContextEntry) -> impl Iterator<Item = &str> {
    let definition = &entry.definition;
    let said = definition.highlights.iter().map(|rule| rule.say.as_str());
    let steps = definition.next.iter().map(|step| step.why.as_str());
    said.chain(steps).chain(definition.summary.iter().map(|text| text.as_str()))
}

#[test]
fn the_time_that_is_compared_with_is_named_as_the_call_chose_it() {
    let catalog = catalog(&[], &CatalogOptions::default());
    let mut fixed = Vec::new();
    for (name, entry) in catalog.contexts.iter() {
        for said in sentences(entry) {
            let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
            if ["window before", "in the one before", "of the one before"].iter().any(|fixed| words.contains(fixed)) {
                fixed.push(format!("{name}: {words}"));
            }
        }
    }
    assert_eq!(fixed, Vec::<String>::new(), "with `baseline: day` it is not: write `{{{{ window.before }}}}`");
}

#[test]
fn what_is_not_known_is_not_told_as_nought() {
    let catalog = catalog(&[], &CatalogOptions::default());
    let of = catalog.contexts.iter().flat_map(|(name, entry)| sentences(entry).map(move |said| (name, said)));
    let nought: Vec<_> = of.filter(|(_, said)| said.contains(" or 0 }}")).collect();
    assert_eq!(nought, Vec::new(), "say nothing of it, or make it a nought in the statement");
}

/// What begins a claim about the one that stands out.
const MOST: [&str; 12] = [
    "Most ",
    "most ",
    "Least ",
    "Highest ",
    "highest ",
    "Lowest ",
    "lowest ",
    "Largest ",
    "Longest ",
    "Slowest ",
    "Farthest ",
    "Fullest ",
];

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_is_not_known_is_nobodys_most() {
    let filled = filled().await;
    let engine = on_this_machine(filled, &filled.generator.world.organizations[0].id_text);
    let names: Vec<String> = listed(&engine, |_| true);
    let mut wrong = Vec::new();
    // Counters that are read every five minutes have not risen yet that anybody knew.
    for window in
        [json!({ "time_range": "5m" }), json!({ "start": "2026-11-20T11:35:00Z", "end": "2026-11-20T11:36:00Z" })]
    {
        for name in &names {
            let document = collect(&engine, name, window.clone()).await;
            let texts = document.highlights.iter().map(|remark| remark.text.as_str()).chain([&*document.summary]);
            let sentences = texts.flat_map(|text| text.split_inclusive([';', '.']).map(str::to_owned));
            let claims = sentences.filter(|said| MOST.iter().any(|most| said.contains(most)));
            wrong.extend(claims.filter(|said| said.contains("unknown")).map(|said| format!("{name}: {said}")));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

fn listed(engine: &Engine, wanted: impl Fn(&ContextEntry) -> bool) -> Vec<String> {
    let catalog = engine.catalog();
    let of = catalog.contexts.iter().filter(|(_, entry)| entry.definition.listed && wanted(entry));
    of.map(|(name, _)| name.to_string()).collect()
}

/// Values that a filter of that name may have: those of columns that are called like it, as both ends of a link are.
fn values(document: &Document, parameter: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for section in &document.sections {
        for row in rows(document, &section.name) {
            let cells = row.as_object().cloned().unwrap_or_default();
            let (named, end) = (format!("{parameter}_name"), format!("_{parameter}"));
            let like = |name: &str| name == parameter || name == named || name.ends_with(&end);
            found.extend(
                cells.iter().filter(|(name, _)| like(name)).filter_map(|(_, value)| value.as_str().map(str::to_owned)),
            );
        }
    }
    found
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_filter_of_one_side_makes_nothing_missing_on_the_other() {
    let filled = filled().await;
    let organisation = &filled.generator.world.organizations[0].id_text;
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for engine in [on_this_machine(filled, organisation), over_http(filled, organisation)] {
        let names = listed(&engine, |entry| entry.definition.sections.values().any(|section| section.join.is_some()));
        for name in &names {
            let entry = engine.catalog().context(name).unwrap().definition.clone();
            let joined: Vec<(String, Join)> = entry
                .sections
                .iter()
                .filter_map(|(section, definition)| Some((section.clone(), definition.join.clone()?)))
                .collect();
            let all = collect(&engine, name, json!({ "time_range": "1h" })).await;
            let parameters =
                entry.parameters.iter().filter(|(_, of)| of.ty == ParameterType::String && of.choices.is_none());
            for (parameter, _) in parameters {
                for value in values(&all, parameter).into_iter().take(4) {
                    let filters: Map<String, Value> = [(parameter.clone(), json!(value))].into_iter().collect();
                    let one = collect(&engine, name, json!({ "time_range": "1h", "filters": filters })).await;
                    asked += 1;
                    for (section, join) in &joined {
                        let of = |document: &Document| rows(document, section);
                        for row in of(&one).iter().filter(|row| row["found_in"].as_str().is_some_and(is_alone)) {
                            let met = of(&all)
                                .iter()
                                .any(|other| other[&join.on] == row[&join.on] && other["found_in"] == json!("both"));
                            if met {
                                wrong.push(format!("{name} with {parameter}={value}: {row}"));
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(asked > 40, "{asked}");
    assert_eq!(wrong, Vec::<String>::new());
}

fn is_alone(found_in: &str) -> bool {
    found_in.starts_with("only ")
}
