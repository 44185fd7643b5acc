//! What becomes of every context type when one of its sources is killed, slow, refuses, or lacks its tables: the document
//! says so with the reason, and the sections of the other source are those of a day on which nothing is wrong.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Map, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    definition::Context,
    engine::{Call, Document, Engine, EngineOptions, SectionAnswer, Sources, Status, Tenancy},
    source::SourceErrorKind,
    sql::Dialect,
};

use crate::{
    answers::wants_service,
    support::{
        pack::catalog,
        recorded::{Fault, Mood, Recorded, Texts, Words, organisation},
    },
};

const SOURCES: [(&str, Dialect); 2] = [("telemetry", Dialect::ClickHouse), ("platform", Dialect::Sqlite)];

/// Each with words of the reason that the document gives.
const FAULTS: [(Fault, &[&str]); 4] = [
    (Fault::Gone, &["connection refused"]),
    (Fault::Slow, &["took too long"]),
    (Fault::Fails(SourceErrorKind::Forbidden, 0), &["cannot cast"]),
    // What waits for a section that lacks a table says what that says.
    (Fault::Bare, &["lacks `", "there is no such table"]),
];

fn engine(moods: &[Arc<Mutex<Mood>>; 2]) -> Engine {
    let catalog = catalog(&[], &CatalogOptions::default());
    let words = Arc::new(Words::of(&catalog));
    let texts = Texts { count: 9, text: |index| format!("word{index}") };
    let mut sources = Sources::default();
    for ((name, dialect), mood) in SOURCES.into_iter().zip(moods) {
        let (words, mood) = (words.clone(), mood.clone());
        sources.bind(name, Arc::new(Recorded { dialect, texts, words, mood }));
    }
    let (organization_id, user_id) = (Some(organisation(1)), Some(organisation(2)));
    let tenancy = Tenancy { organization_id, user_id, ..Tenancy::default() };
    let context_deadline = Duration::from_secs(60);
    // Each is collected again and again with another fault.
    let kept_bytes = None;
    Engine::new(catalog, sources, EngineOptions { tenancy, context_deadline, kept_bytes, ..EngineOptions::default() })
}

async fn collected(engine: &Engine, name: &str) -> Document {
    let mut arguments = Map::new();
    arguments.insert("context_type".into(), json!(name));
    if wants_service(engine, name) {
        arguments.insert("service".into(), json!("checkout"));
    }
    engine.collect_context(arguments, &Call::default()).await.unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

/// The sections of a type whose rows come from a source, or wait for such.
fn touched(context: &Context, source: &str) -> BTreeSet<String> {
    let mut touched = BTreeSet::new();
    loop {
        let before = touched.len();
        for (name, section) in &context.sections {
            let joined = section.join.iter().map(|join| &join.section);
            if *section.source == *source || section.after.0.iter().chain(joined).any(|name| touched.contains(name)) {
                touched.insert(name.clone());
            }
        }
        if touched.len() == before {
            return touched;
        }
    }
}

/// What is wrong with a document of a type whose source has a fault, beside that of a day without.
fn faults(context: &Context, source: &str, reasons: &[&str], plain: &Document, broken: &Document) -> Vec<String> {
    let touched = touched(context, source);
    let mut faults = Vec::new();
    let mut unread = 0;
    for answer in &broken.sections {
        let Some(section) = context.sections.get(&answer.name) else { continue };
        let was = plain.sections.iter().find(|plain| plain.name == answer.name);
        let lost = !matches!(answer.status, Status::Ok | Status::Empty | Status::Partial);
        let reads_tables = section.query.iter().any(|way| !way.requires.is_empty());
        if *section.source == *source && reads_tables {
            unread += 1;
            let said = format!("{:?} {:?}", answer.message, answer.hint);
            if !lost {
                faults.push(format!("{} is {:?}", answer.name, answer.status));
            } else if !reasons.iter().any(|reason| said.contains(reason)) {
                faults.push(format!("{} does not say why: {said}", answer.name));
            }
        } else if touched.contains(&answer.name) {
            // Nothing of what it waits for is not nothing.
            let honest = lost || !answer.remarks.is_empty() || !answer.partial.is_empty();
            if answer.status == Status::Empty && !honest {
                faults.push(format!("{} is empty without what it waits for", answer.name));
            }
        } else if was.map(shown) != Some(shown(answer)) {
            faults.push(format!("{} is another one: {:?}, {:?}", answer.name, answer.status, answer.message));
        }
    }
    let kept = |plain: &&SectionAnswer| !touched.contains(&plain.name) && !plain.hidden;
    for plain in plain.sections.iter().filter(kept) {
        if !broken.sections.iter().any(|answer| answer.name == plain.name) {
            faults.push(format!("{} is missing", plain.name));
        }
    }
    if unread > 0 {
        if !broken.summary.starts_with("[SYSTEM]") {
            faults.push(format!("the summary begins otherwise: {:.200}", broken.summary));
        }
        if matches!(broken.status, Status::Ok | Status::Empty) {
            faults.push(format!("the document is {:?}", broken.status));
        }
        let mut seen = broken.sections.iter().filter(|answer| answer.is_shown());
        if !broken.status.is_failure() && seen.all(|answer| answer.status.is_failure()) {
            faults.push(format!("nothing that is shown could be read, and the document is {:?}", broken.status));
        }
    }
    faults
}

/// What a reader sees of a section.
fn shown(answer: &SectionAnswer) -> (Status, &[Vec<serde_json::Value>]) {
    (answer.status, &answer.rows)
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_source_that_fails_costs_its_own_sections_and_no_others() {
    let moods = [Arc::default(), Arc::default()];
    let engine = engine(&moods);
    let mut wrong = Vec::new();
    let mut broken = 0;
    for (name, entry) in engine.catalog().contexts.iter() {
        let plain = collected(&engine, name).await;
        for ((source, _), mood) in SOURCES.iter().zip(&moods) {
            if entry.definition.sections.values().all(|section| *section.source != **source) {
                continue;
            }
            for (fault, reasons) in FAULTS {
                mood.lock().unwrap().fault = Some(fault);
                let document = collected(&engine, name).await;
                mood.lock().unwrap().fault = None;
                let found = faults(&entry.definition, source, reasons, &plain, &document);
                wrong.extend(found.into_iter().map(|found| format!("{name}, {source} {fault:?}: {found}")));
                broken += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{} faults in {broken} documents:\n{}", wrong.len(), wrong.join("\n"));
    assert!(broken > 400, "{broken}");
}
