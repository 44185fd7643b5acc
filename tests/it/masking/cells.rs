//! Rows: each cell is masked by itself and by its column, in the text as in the structured content, and takes no neighbour with it.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Answer, Call, Engine, EngineOptions, Format, Outcome, Sources, Tenancy},
    masking::{MASK, Masking},
};

use crate::{
    answers,
    support::{
        pack::catalog,
        scripted::{Reply, Scripted},
    },
};

const PEEK: &str = "
kind: tool
name: peek
title: Peek
description: Reads rows.
category: test
toolsets: [telemetry]
run: { action: sql, source: telemetry, sql: 'SELECT a FROM t WHERE organization_id = {{ organization_id }}' }
";

const CONTEXT: &str = "
kind: context
name: stock
category: test
title: Stock
description: What there is.
persona: observability-generalist
source: telemetry
sections:
  things:
    title: Things
    sql: SELECT a FROM t WHERE organization_id = {{ organization_id }} AND at >= {{ from }} AND at < {{ to }} ORDER BY a
";

fn engine(columns: &[&'static str], rows: Vec<Vec<Value>>) -> Engine {
    let files = [("definitions/peek.yaml", PEEK), ("definitions/contexts/stock.yaml", CONTEXT)];
    let source = Scripted::default().on("FROM t", Reply::Rows(columns.to_vec(), rows)).table("t", columns);
    let source = source.on("organizations", Reply::Rows(vec!["organization_id", "name"], vec![]));
    let source = Arc::new(source);
    let mut sources = Sources::default();
    sources.bind("telemetry", source.clone());
    sources.bind("platform", source);
    let organization = Some("11111111-1111-4111-8111-111111111111".to_owned());
    let tenancy = Tenancy { organization_id: organization, ..Tenancy::default() };
    Engine::new(
        catalog(&files, &CatalogOptions::default()),
        sources,
        EngineOptions { tenancy, ..EngineOptions::default() },
    )
}

async fn call(engine: &Engine, tool: &str, arguments: Value) -> Answer {
    let arguments = arguments.as_object().cloned().unwrap();
    engine.call_tool(tool, arguments, &Call::default()).await.and_then(Outcome::done).unwrap()
}

#[tokio::test]
async fn a_cell_is_masked_alike_in_text_and_structured_content_and_takes_no_neighbour_with_it() {
    // A statement with a parameter, what may be done with a key, and a sentence that names a password.
    let plain = [
        json!(["UPDATE sales_daily SET total = total + $2 WHERE day = $1", 401, 350, 0.111, 17, 2, 3]),
        json!(["api_key:create", "never", true, "yes", 4, 5, 6]),
        json!(["password=", "b", "c", "d", "e", "f", "g"]),
    ];
    let rows: Vec<Vec<Value>> = plain.iter().map(|row| row.as_array().cloned().unwrap()).collect();
    let wide = ["statement", "calls", "mean", "share", "n", "m", "k"];
    let answer = call(&engine(&wide, rows.clone()), "peek", json!({})).await;
    assert!(!answer.text().contains(MASK), "{}", answer.text());
    assert_eq!(answer.structured.unwrap()["rows"], json!(rows));

    for (columns, row, shown, text) in [
        (vec!["t (UTC)", "password"], json!(["now", "hunter2X9"]), json!(["now", MASK]), "now,***"),
        (vec!["count()", "password"], json!([7, "hunter2X9"]), json!([7, MASK]), "7,***"),
        (vec!["password"], json!(["hunter2X9"]), json!([MASK]), "***"),
        (vec!["password", "a"], json!(["hunter2X9,x", 1]), json!([MASK, 1]), "***,1"),
        (vec!["a b", "password"], json!(["hunter2", "hunter2X9"]), json!(["hunter2", MASK]), "hunter2,***"),
        (
            vec!["m"],
            json!([[["password", "hunter2X9"]]]),
            json!([[["password", MASK]]]),
            "\"[[\"\"password\"\",\"\"***\"\"]]\"",
        ),
        (
            vec!["m"],
            json!([{"password": "hunter2X9"}]),
            json!([{"password": MASK}]),
            "\"{\"\"password\"\":\"\"***\"\"}\"",
        ),
        (vec!["name", "value"], json!(["DB_PASSWORD", "hunter2X9"]), json!(["DB_PASSWORD", MASK]), "DB_PASSWORD,***"),
        (vec!["password", "n"], json!([48_391_776, 12]), json!([MASK, 12]), "***,12"),
        (vec!["note", "n"], json!(["password=hunter2X9", 12]), json!(["password=***", 12]), "password=***,12"),
    ] {
        let engine = engine(&columns, vec![row.as_array().cloned().unwrap()]);
        let answer = call(&engine, "peek", json!({})).await;
        assert_eq!(answer.structured.as_ref().unwrap()["rows"], json!([shown]), "{columns:?}");
        assert!(answer.text().contains(&format!("\n{text}\n")), "{}", answer.text());
        assert!(answer.notes.iter().any(|note| note.contains("Masked as")), "{:?}", answer.notes);
        for format in ["markdown", "csv", "json"] {
            let answer =
                call(&engine, "collect_telemetry_context", json!({"context_type": "stock", "format": format})).await;
            assert!(!format!("{answer:?}").contains("hunter2X9"), "{}", answer.text());
            assert!(format == "json" || answer.text().contains(&format!("\n{text}\n")), "{}", answer.text());
        }
    }
}

/// The demo's data hold no secret: whatever is masked of them is a cause that nobody sees.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn nothing_of_the_demo_is_masked_whichever_context_type_shows_it() {
    let filled = answers::filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let shows = answers::on_this_machine(filled, organization);
    let of = |masking: Masking| {
        let options = EngineOptions { masking: Arc::new(masking), max_chars: 100_000_000, ..EngineOptions::default() };
        Engine::new(catalog(&[], &CatalogOptions::default()), Sources::default(), options)
    };
    let (masked, plain) = (of(Masking::new(true, &[], &BTreeMap::new())), of(Masking::default()));
    let (mut wrong, mut cells) = (Vec::new(), 0);
    for name in shows.catalog().contexts.keys() {
        for range in ["1h", "24h"] {
            let document = answers::collect(&shows, name, json!({"time_range": range})).await;
            cells += document.sections.iter().map(|section| section.rows.len() * section.columns.len()).sum::<usize>();
            for format in [Format::Csv, Format::Markdown] {
                let (a, b) = (masked.render(&document, format, None), plain.render(&document, format, None));
                let differ = a.lines().zip(b.lines()).filter(|(a, b)| a != b);
                wrong.extend(differ.map(|(a, b)| format!("{name} {range}: {b}\n -> {a}")));
            }
            // A file or a command may hold the same table.
            let text = plain.render(&document, Format::Csv, None);
            let whole = Masking::secrets().masked(&text).0.into_owned();
            let differ = whole.lines().zip(text.lines()).filter(|(a, b)| a != b);
            wrong.extend(differ.map(|(a, b)| format!("{name} {range} as a text: {b}\n -> {a}")));
        }
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cells > 10_000, "{cells}");
}
