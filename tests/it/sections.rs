//! Sections over two sources: what waits for what, what is handed on, and rows shown beside each other. Over scripted
//! sources, for what real databases cannot be made to do on demand; `sections_live` has the real ones.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Call, Document, Engine, EngineOptions, Format, SectionAnswer, Sources, Status, Tenancy, texts},
    masking::MASK,
    source::SourceErrorKind,
    sql::{Bind, Dialect},
};

use crate::support::{
    pack::catalog,
    scripted::{Reply, Scripted, Seen},
};

const ORGANISATION: &str = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

/// `measured` waits for `promised`; `alone` waits for none; `listed` is shown beside `measured`.
const CONTEXT: &str = r#"
kind: context
name: probe
category: test
title: Probe
description: Sections over two sources.
persona: observability-generalist
parameters:
  skip: { type: boolean, description: Leaves the promises out., default: false }
  kind: { type: string, description: Only this kind. }
sections:
  promised:
    title: Promises
    source: platform
    when: not skip
    query:
      - sql: >-
          SELECT service, target, at FROM promises WHERE organization_id = {{ organization_id }}
          {% if kind %}AND kind = {{ kind }}{% endif %} LIMIT {{ limit }}
  measured:
    title: Measured
    source: telemetry
    after: promised
    query:
      - sql: >-
          SELECT service_name, n FROM measures WHERE organization_id = {{ organization_id }}
          AND service_name IN {{ rows.promised | column('service') }}
          AND n > arrayMax({{ rows.promised | column('target', 'number') }})
          AND t > arrayMax({{ rows.promised | column('at', 'timestamp') }}) LIMIT {{ limit }}
  alone:
    title: Alone
    source: telemetry
    query:
      - sql: SELECT a FROM alone WHERE organization_id = {{ organization_id }}
highlights:
  - each: measured
    when: row.n > 5
    say: "{{ row.service_name }} is at {{ row.n }}"
"#;

const JOINED: &str = r#"
kind: context
name: probe
category: test
title: Probe
description: Hosts of the inventory beside what they measured.
persona: observability-generalist
parameters:
  host: { type: string, description: Only this host. }
sections:
  hosts:
    title: Hosts
    source: platform
    limit: 4
    join: { section: load, on: host }
    query:
      - sql: >-
          SELECT host, model FROM hosts WHERE organization_id = {{ organization_id }}
          {% if host %}AND host = {{ host }}{% endif %} LIMIT {{ limit }}
  load:
    title: Load of hosts
    source: telemetry
    show: false
    query:
      - note: Mean of the window.
        sql: SELECT host, cpu FROM load WHERE organization_id = {{ organization_id }} LIMIT {{ limit }}
    columns:
      cpu: { unit: '%' }
highlights:
  - each: hosts
    when: row.found_in == 'only hosts' and row.host is not none
    severity: warning
    say: "{{ row.host }} is silent"
  - each: hosts
    when: row.cpu is not none and row.cpu > 90
    severity: critical
    say: "{{ row.host }} is at {{ row.cpu }}"
"#;

struct Probe {
    engine: Engine,
    seen: Seen,
}

fn probe(text: &str, platform: Option<Scripted>, telemetry: Scripted, max_rows: usize) -> Probe {
    within(Duration::from_secs(30), text, platform, telemetry, max_rows)
}

fn within(
    context_deadline: Duration,
    text: &str,
    platform: Option<Scripted>,
    telemetry: Scripted,
    max_rows: usize,
) -> Probe {
    let catalog = catalog(&[("definitions/probe.yaml", text)], &CatalogOptions::default());
    let telemetry = telemetry.speaks(Dialect::ClickHouse);
    let seen = telemetry.seen.clone();
    let mut sources = Sources::default();
    sources.bind("telemetry", Arc::new(telemetry));
    if let Some(platform) = platform {
        let listed = Reply::Rows(vec!["organization_id", "name"], vec![vec![json!(ORGANISATION), json!("Acme")]]);
        sources.bind("platform", Arc::new(platform.first("FROM organizations", listed)));
    }
    let options = EngineOptions {
        tenancy: Tenancy { organization_id: Some(ORGANISATION.into()), ..Tenancy::default() },
        context_deadline,
        max_rows,
        ..EngineOptions::default()
    };
    Probe { engine: Engine::new(catalog, sources, options), seen }
}

#[tokio::test]
async fn rows_that_nobody_is_shown_are_nothing_found() {
    let text = JOINED.replace("    join: { section: load, on: host }\n", "");
    let text = text.split("highlights:").next().unwrap();
    let none = || Reply::Rows(vec!["host", "model"], Vec::new());
    let load = || Reply::Rows(vec!["host", "cpu"], vec![vec![json!("a"), json!(1)]]);
    let asked = |text: &str| {
        probe(
            text,
            Some(Scripted::default().on("FROM hosts", none())),
            Scripted::default().on("FROM load", load()),
            100,
        )
    };
    let document = asked(text).collect(json!({})).await;
    assert_eq!(document.status, Status::Empty);
    assert!(document.summary.starts_with("Nothing was found for probe"), "{}", document.summary);
    // Its definition knows better what that means.
    let document = asked(&format!("{text}summary: \"{{{{ sections.load.total }}}} hosts have a load.\"\n"))
        .collect(json!({}))
        .await;
    assert_eq!((document.status, document.summary.as_str()), (Status::Empty, "1 host has a load."));
}

impl Probe {
    async fn collect(&self, extra: Value) -> Document {
        let mut arguments: Map<String, Value> = extra.as_object().cloned().unwrap();
        arguments.insert("context_type".into(), "probe".into());
        self.engine.collect_context(arguments, &Call::default()).await.unwrap()
    }

    /// Statements with a marker, with their binds.
    fn asked(&self, marker: &str) -> Vec<(String, Vec<Bind>)> {
        self.seen.lock().unwrap().iter().filter(|(sql, _)| sql.contains(marker)).cloned().collect()
    }
}

fn section<'a>(document: &'a Document, name: &str) -> Option<&'a SectionAnswer> {
    document.sections.iter().find(|section| section.name == name)
}

const PROMISES: [&str; 3] = ["service", "target", "at"];

fn promises(rows: Vec<Vec<Value>>) -> Reply {
    Reply::Rows(PROMISES.to_vec(), rows)
}

fn measures() -> Scripted {
    let measured = vec![vec![json!("cart"), json!(9)], vec![json!("pay"), json!(1)]];
    Scripted::default()
        .on("FROM measures", Reply::Rows(vec!["service_name", "n"], measured))
        .on("FROM alone", Reply::Rows(vec!["a"], vec![vec![json!(1)]]))
}

/// The key has a character that nobody sees, and that no text of ours shows.
const HIDDEN: &str = "ca\u{200b}rt";

#[tokio::test]
async fn rows_of_one_source_are_bound_as_typed_lists_in_a_statement_of_another() {
    let at = json!("2026-11-20T10:00:00.000Z");
    let promised = vec![vec![json!(HIDDEN), json!("99.5"), at], vec![json!("pay"), json!(95), json!(null)]];
    let platform = Scripted::default().on("FROM promises", promises(promised));
    let probe = probe(CONTEXT, Some(platform), measures(), 100);
    let document = probe.collect(json!({})).await;
    assert_eq!(document.status, Status::Ok, "{document:?}");
    let asked = probe.asked("FROM measures");
    let [(sql, binds)] = asked.as_slice() else { panic!("{asked:?}") };
    for placeholder in ["{p2:Array(String)}", "{p3:Array(Float64)}", "{p4:Array(Nullable(DateTime64(9, 'UTC')))}"] {
        assert!(sql.contains(placeholder), "{sql}");
    }
    assert!(!sql.contains("rt") || !sql.contains(HIDDEN), "no value is part of the text: {sql}");
    assert_eq!(binds[1], Bind::List(vec![Bind::Text(HIDDEN.into()), Bind::Text("pay".into())]), "as it was answered");
    assert_eq!(binds[2], Bind::List(vec![Bind::Float(99.5), Bind::Float(95.0)]));
    let shown = probe.engine.render(&document, Format::Markdown, None);
    assert!(shown.contains("cart,99.5") && !shown.contains('\u{200b}'), "what is printed is cleaned: {shown}");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_becomes_of_a_section_follows_from_what_it_waits_for() {
    use SourceErrorKind::{Invalid, Unavailable};
    let waits = "it waits for \"Promises\", which could not be read: ";
    for (reply, status, message) in [
        (Some(Reply::Fail(Unavailable)), Status::Unavailable, "scripted Unavailable"),
        (Some(Reply::Fail(Invalid)), Status::Error, "scripted Invalid"),
        (Some(Reply::Hang), Status::Timeout, ""),
        (None, Status::Unavailable, "the source `platform` is not bound"),
    ] {
        let deadline = Duration::from_secs(if status == Status::Timeout { 1 } else { 30 });
        let platform = reply.map(|reply| Scripted::default().on("FROM promises", reply));
        let probe = within(deadline, CONTEXT, platform, measures(), 100);
        let document = probe.collect(json!({})).await;
        let measured = section(&document, "measured").unwrap();
        assert_eq!(measured.status, status, "{measured:?}");
        let said = measured.message.as_deref().unwrap();
        assert!(status == Status::Timeout || said.starts_with(waits) && said.contains(message), "{said}");
        assert_eq!(probe.asked("FROM measures"), [], "it was not asked in vain");
        assert_eq!(section(&document, "alone").unwrap().status, Status::Ok, "who waits for none does not wait");
        assert_eq!(document.status, Status::Partial);
        assert!(document.summary.starts_with("[SYSTEM] 2 of 3 sections could not be read"), "{}", document.summary);
    }
}

#[tokio::test]
async fn an_empty_answer_is_an_answer_and_a_section_left_out_leaves_out_those_behind_it() {
    let platform = || Some(Scripted::default().on("FROM promises", promises(Vec::new())));
    let probe = probe(CONTEXT, platform(), measures(), 100);
    let document = probe.collect(json!({})).await;
    assert_eq!(section(&document, "promised").unwrap().status, Status::Empty);
    let asked = probe.asked("FROM measures");
    assert_eq!(asked[0].1[1], Bind::List(Vec::new()));
    assert!(asked[0].0.contains("{p2:Array(String)}") && asked[0].0.contains("{p3:Array(Float64)}"), "{asked:?}");

    let document = probe.collect(json!({"filters": {"skip": true}})).await;
    let names: Vec<&str> = document.sections.iter().map(|section| section.name.as_str()).collect();
    assert_eq!((names, document.status), (vec!["alone"], Status::Ok));
    assert_eq!(probe.asked("FROM measures").len(), 1, "only the first call asked");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_was_asked_about_a_part_only_says_so_wherever_it_is_said() {
    let promised = |n: usize| promises((0..n).map(|i| vec![json!(format!("s{i}")), json!(1), json!(null)]).collect());
    let cut = "sked about the first 3 rows of \"Promises\" only, of 3 or more: the others were not read";
    let list =
        "sked about the first 5000 rows of \"Promises\" only, of 6000: a list holds at most 5000 rows and 100KiB";
    for (rows, max_rows, said) in [(3, 3, None), (4, 3, Some(cut)), (6_000, 10_000, Some(list))] {
        let platform = Scripted::default().on("FROM promises", promised(rows));
        let probe = probe(CONTEXT, Some(platform), measures(), max_rows);
        let document = probe.collect(json!({})).await;
        let shown = probe.engine.render(&document, Format::Markdown, None);
        let csv = probe.engine.render(&document, Format::Csv, None);
        let value: Value = serde_json::from_str(&probe.engine.render(&document, Format::Json, None)).unwrap();
        let partial = &value["sections"]["measured"]["partial"];
        let Some(said) = said else {
            assert!(!shown.contains("sked about") && partial.is_null(), "{shown}");
            continue;
        };
        assert!(shown.contains(&format!("\nA{said}.\n")), "{shown}");
        assert!(document.highlights[0].text.ends_with(&format!("(a{said})")), "{:?}", document.highlights);
        assert!(document.summary.ends_with(&format!("\"Measured\": a{said}.")), "{}", document.summary);
        assert!(csv.contains(&format!("# a{said}")), "{csv}");
        assert!(partial[0].as_str().unwrap().contains(said), "{value}");
    }
}

fn hosts(rows: Vec<Vec<Value>>) -> Option<Scripted> {
    Some(Scripted::default().on("FROM hosts", Reply::Rows(vec!["host", "model"], rows)))
}

fn load(reply: Reply) -> Scripted {
    Scripted::default().on("FROM load", reply)
}

fn cpu(rows: &[(Value, i64)]) -> Reply {
    Reply::Rows(vec!["host", "cpu"], rows.iter().map(|(host, cpu)| vec![host.clone(), json!(cpu)]).collect())
}

/// What joins is what the databases answered: a key that is masked where it is shown, and has a character that nobody sees.
#[tokio::test]
async fn a_masked_key_with_a_hidden_character_joins_and_is_not_shown() {
    let secret = format!("AKIA{}", "IOSFODNN7EXAMPLQ");
    let (before, after) = secret.split_at(10);
    let key = json!(format!("{before}\u{200b}{after}"));
    let probe = probe(JOINED, hosts(vec![vec![key.clone(), json!("m7g")]]), load(cpu(&[(key, 95)])), 100);
    let arguments = [("context_type".to_owned(), json!("probe"))].into_iter().collect();
    let answer = probe.engine.call_tool("collect_telemetry_context", arguments, &Call::default()).await;
    let answer = answer.unwrap().done().unwrap();
    let structured = answer.structured.map(|value| value.to_string()).unwrap_or_default();
    let shown = texts(&answer.content) + &structured;
    assert!(shown.contains(",m7g,95,both"), "{shown}");
    assert!(shown.contains(MASK) && !shown.contains(after) && !shown.contains(before), "{shown}");
}

#[tokio::test]
async fn rows_are_shown_beside_those_of_another_source_in_both_directions() {
    let inventory =
        vec![vec![json!(HIDDEN), json!("m7g")], vec![json!("idle"), json!("t4g")], vec![json!(null), json!("spare")]];
    let measured = cpu(&[(json!(HIDDEN), 95), (json!("ghost"), 7), (json!(null), 1)]);
    let probe = probe(JOINED, hosts(inventory), load(measured), 100);
    let document = probe.collect(json!({})).await;
    let names: Vec<&str> = document.sections.iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names, ["hosts"], "the other is shown beside it and not again");
    let hosts = &document.sections[0];
    let columns: Vec<String> = hosts.columns.iter().map(|column| column.label()).collect();
    assert_eq!(columns, ["host", "model", "cpu (%)", "found_in"]);
    assert_eq!(
        hosts.rows,
        [
            vec![json!(HIDDEN), json!("m7g"), json!(95), json!("both")],
            vec![json!("idle"), json!("t4g"), json!(null), json!("only hosts")],
            vec![json!(null), json!("spare"), json!(null), json!("only hosts")],
            vec![json!("ghost"), json!(null), json!(7), json!("only load")],
        ],
        "NULL is equal to nothing; what is hidden in a key joins"
    );
    assert_eq!((hosts.total.to_string().as_str(), hosts.shown), ("5", 4), "the limit holds for what is joined");
    let shown = probe.engine.render(&document, Format::Markdown, None);
    for said in [
        "Joined with \"Load of hosts\" on host; rows in both: 1, only hosts: 2, only load: 2.",
        "\"Load of hosts\": Mean of the window.",
        "4 of 5 rows",
        "\ncart,m7g,95,both\n",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert!(!shown.contains('\u{200b}'));
    let said: Vec<&str> = document.highlights.iter().map(|remark| remark.text.as_str()).collect();
    assert_eq!(said, ["cart is at 95", "idle is silent"]);
}

#[tokio::test]
async fn a_join_says_of_what_was_not_read_that_it_is_not_known() {
    let inventory = |n: usize| (0..n).map(|i| vec![json!(format!("h{i}")), json!("m")]).collect::<Vec<_>>();
    let of = |n: usize| cpu(&(0..n).map(|i| (json!(format!("h{}", i + 1)), 5)).collect::<Vec<_>>());
    let found = |document: &Document| -> Vec<String> {
        let rows = &section(document, "hosts").unwrap().rows;
        rows.iter()
            .map(|row| format!("{} {}", row[0].as_str().unwrap(), row.last().unwrap().as_str().unwrap()))
            .collect()
    };
    // The loads are cut at three: h0 may be among those that were not read.
    let cut = probe(JOINED, hosts(inventory(2)), load(of(4)), 3);
    let document = cut.collect(json!({})).await;
    assert_eq!(found(&document), ["h0 not known", "h1 both", "h2 only load"], "no more rows than the server reads");
    let hosts_of = section(&document, "hosts").unwrap();
    assert_eq!((hosts_of.total.to_string().as_str(), hosts_of.partial.len()), ("3 or more", 1), "{hosts_of:?}");
    assert!(hosts_of.partial[0].contains("first 3 rows of \"Load of hosts\""), "{:?}", hosts_of.partial);
    // The inventory is narrowed, the loads are not: what is only among these may be in the inventory all the same.
    let narrowed = probe(JOINED, hosts(inventory(1)), load(of(1)), 100);
    let document = narrowed.collect(json!({"filters": {"host": "h0"}})).await;
    assert_eq!(found(&document), ["h0 only hosts", "h1 not known"]);
    let remarks = &section(&document, "hosts").unwrap().remarks;
    assert!(remarks.iter().any(|said| said == "\"Load of hosts\" is not narrowed by `host`."), "{remarks:?}");
}

#[tokio::test]
async fn a_join_with_what_could_not_be_read_is_none_and_says_so() {
    let inventory = vec![vec![json!("a"), json!("m")]];
    let probe = probe(JOINED, hosts(inventory), load(Reply::Fail(SourceErrorKind::Unavailable)), 100);
    let document = probe.collect(json!({})).await;
    assert_eq!(document.status, Status::Partial);
    assert_eq!(section(&document, "load").unwrap().status, Status::Unavailable, "a failure is shown, if rows are not");
    let hosts = section(&document, "hosts").unwrap();
    assert_eq!((hosts.status, &hosts.rows), (Status::Ok, &vec![vec![json!("a"), json!("m")]]));
    assert_eq!(hosts.partial, ["not joined with \"Load of hosts\", which could not be read"]);
    assert!(
        document.highlights.is_empty(),
        "nobody is silent because nobody could be heard: {:?}",
        document.highlights
    );
}
