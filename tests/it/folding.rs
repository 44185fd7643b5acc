//! Long error texts, as programs in Java, Python, Go, Node and .NET write them, fold by their cause: what differs in ids, times
//! and numbers is one text, and another cause is another.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tfo_mcp::load::BUILT_IN;

use crate::support::clickhouse;

/// Each begins with a line that names its cause.
const TEXTS: &str = include_str!("../fixtures/error_texts.txt");

/// The expression of a fragment, of the column `body`.
fn expression(fragment: &str) -> String {
    let path = format!("definitions/fragments/{fragment}.yaml");
    let file = BUILT_IN.iter().find(|file| file.path == path).unwrap();
    file.text.split_once("\nsql: |\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_hundred_error_texts_fold_by_their_cause() {
    let texts: Vec<(&str, &str)> = TEXTS.split("=== ").skip(1).map(|text| text.split_once('\n').unwrap()).collect();
    assert_eq!(texts.len(), 100);
    assert!(texts.iter().filter(|(_, text)| text.chars().count() > 400).count() > 70);
    let database = clickhouse::clickhouse().await;
    let mut folded: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (cause, text) in &texts {
        let text = text.trim_end().replace('\\', "\\\\").replace('\'', "\\'");
        let rows = database
            .rows(&format!("SELECT {} AS text FROM (SELECT '{text}' AS body)", expression("folded_body")))
            .await;
        let Value::String(text) = &rows[0][0] else { panic!("{rows:?}") };
        folded.entry(cause).or_default().insert(text.clone());
    }
    let scattered: Vec<_> = folded.iter().filter(|(_, texts)| texts.len() > 1).collect();
    assert!(scattered.is_empty(), "{scattered:#?}");
    let all: BTreeSet<&String> = folded.values().flatten().collect();
    assert_eq!(all.len(), folded.len(), "different causes are one text: {folded:#?}");
    let shown: Vec<String> =
        folded.iter().map(|(cause, texts)| format!("{cause}: {}", texts.first().unwrap())).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

/// Kept sums and what is read from all lines are added up by the same texts.
#[test]
fn sums_fold_as_definitions_do() {
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    let sums = plain(include_str!("../../src/source/clickhouse/rollups/texts.sql"));
    assert!(sums.contains(&plain(&expression("folded_body"))));
}
