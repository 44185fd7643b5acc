//! Fragments: what statements become that include them, and where mistakes in them are found.

use tfo_mcp::{
    check::{self, Checked, Options},
    definition::{Alternative, Definition, SqlText},
    diagnostic::{self, Code, Diagnostic},
    load::{self, Request},
};

fn checked(files: &[(&str, &str)]) -> Checked {
    let loaded = load::load(&Request { built_in: true, ..Request::default() });
    let loaded = files.iter().fold(loaded, |loaded, (path, text)| loaded.with_text(path, (*text).to_owned()));
    check::check(loaded, Options::default())
}

fn own(checked: &Checked) -> Vec<Diagnostic> {
    // That statements here read no window is another test's mistake.
    let about = |found: &&Diagnostic| found.at.file.path.starts_with("definitions/") && found.code != Code::OpenWindow;
    checked.diagnostics.iter().filter(about).cloned().collect()
}

fn fragment(name: &str, rest: &str) -> String {
    format!("kind: fragment\nname: {name}\ndescription: For the test.\n{rest}")
}

/// A context type `failed` with one section that runs a statement.
fn context(source: &str, query: &str) -> String {
    format!(
        "kind: context\nname: failed\ncategory: observability\ntitle: Failed requests\n\
         description: Which requests failed, and where, by service.\npersona: latency-analyst\nsections:\n  failed:\n    \
         title: Failed\n    source: {source}\n    query:\n{query}"
    )
}

fn query(checked: &Checked, name: &str) -> Vec<Alternative> {
    let found = checked.definitions.iter().find_map(|located| match &located.definition {
        Definition::Context(context) if context.name.0 == name => Some(context.sections["failed"].query.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{}", diagnostic::render_all(&own(checked), false)))
}

const OWN: &str = "source: telemetry\nquery:\n  - sql: |\n      organization_id = {{ organization_id }}\n      \
                   {% if workspace_id %}AND workspace_id = {{ workspace_id }}{% endif %}\n";

const SPANS: &str = r#"source: telemetry
parameters:
  service: { type: string, description: Only this service., max_length: 255, examples: [checkout] }
query:
  - requires: [service_traces]
    span: { min: 2h }
    align: 1m
    note: From the rollup.
    sql: |
      SELECT service_name, errors AS n FROM traces
      WHERE {% include "own" %} AND service_name != '' -- all of them
  - requires: [traces, traces.status_code]
    sql: |
      SELECT service_name, 1 AS n FROM traces
      WHERE {% include 'own' %} AND status_code = 'ERROR'
        {% if service %}AND service_name = {{ service }}{% endif %}
"#;

const FAILED: &str = r#"      - requires: [traces]
        span: { max: 12h }
        sql: |
          SELECT service_name, sum(n) AS failed FROM ({% include "failed_spans" %})
          GROUP BY service_name ORDER BY failed DESC, service_name LIMIT {{ limit }}
      - note: All of them.
        sql: |
          SELECT count() AS failed FROM ({%- include "failed_spans" -%})
"#;

#[test]
fn every_alternative_of_a_fragment_makes_one_of_the_query() {
    let (own_rows, spans) = (fragment("own", OWN), fragment("failed_spans", SPANS));
    let checked = checked(&[
        ("definitions/own.yaml", &own_rows),
        ("definitions/failed_spans.yaml", &spans),
        ("definitions/failed.yaml", &context("telemetry", FAILED)),
    ]);
    let query = query(&checked, "failed");
    let told: Vec<String> = query
        .iter()
        .map(|a| {
            let span = a
                .span
                .as_ref()
                .map(|span| format!("{:?}..{:?}", span.min.map(|p| p.to_string()), span.max.map(|p| p.to_string())));
            format!("{:?} {span:?} {:?} {:?}", a.requires, a.align.map(|p| p.to_string()), a.note)
        })
        .collect();
    assert_eq!(
        told,
        [
            r#"["traces", "service_traces"] Some("Some(\"2h\")..Some(\"12h\")") Some("1m") Some("From the rollup.")"#,
            r#"["traces", "traces.status_code"] Some("None..Some(\"12h\")") None None"#,
            r#"["service_traces"] Some("Some(\"2h\")..None") Some("1m") Some("All of them.")"#,
            r#"["traces", "traces.status_code"] None None Some("All of them.")"#,
        ]
    );
    // Written out, with what stood behind a comment on a line of its own.
    let SqlText::Any(first) = &query[0].sql else { panic!("{:?}", query[0].sql) };
    assert_eq!(
        first,
        "SELECT service_name, sum(n) AS failed FROM (SELECT service_name, errors AS n FROM traces\n\
         WHERE organization_id = {{ organization_id }}\n\
         {% if workspace_id %}AND workspace_id = {{ workspace_id }}{% endif %} AND service_name != '' -- all of them\n)\n\
         GROUP BY service_name ORDER BY failed DESC, service_name LIMIT {{ limit }}\n"
    );
    // What the fragment takes, its includers take.
    let takes = checked.definitions.iter().any(|located| {
        matches!(&located.definition, Definition::Context(c) if c.name.0 == "failed" && c.parameters.contains_key("service"))
    });
    assert!(takes);
}

#[test]
fn a_text_for_each_dialect_makes_texts_for_each_of_what_includes_it() {
    let week = fragment(
        "week_ago",
        "source: platform\nquery:\n  - sql:\n      postgres: \"{{ to }} - interval '7 days'\"\n      \
         sqlite: \"strftime('%Y-%m-%dT%H:%M:%fZ', {{ to }}, '-7 days')\"\n",
    );
    let statement = "      - requires: [alert_instances]\n        sql: |\n          SELECT id FROM alert_instances\n          \
                     WHERE organization_id = {{ organization_id }} AND starts_at >= {% include \"week_ago\" %}\n          \
                     ORDER BY id LIMIT {{ limit }}\n";
    let checked =
        checked(&[("definitions/week_ago.yaml", &week), ("definitions/failed.yaml", &context("platform", statement))]);
    let query = query(&checked, "failed");
    let [Alternative { sql: SqlText::PerDialect(texts), .. }] = query.as_slice() else { panic!("{query:?}") };
    assert_eq!(texts.keys().collect::<Vec<_>>(), ["postgres", "sqlite"]);
    assert!(texts["postgres"].contains("starts_at >= {{ to }} - interval '7 days'\n"), "{}", texts["postgres"]);
    assert!(texts["sqlite"].contains("starts_at >= strftime("), "{}", texts["sqlite"]);
}

/// A mistake in a fragment is its own, however many statements include it; one that only a statement makes of it is told
/// of the fragment's line, with the place that includes it.
#[test]
fn a_mistake_is_found_where_it_was_written() {
    let spans = SPANS.replace("{% include 'own' %} AND ", "").replace("{% if service %}", "{% if servise %}");
    let (own_rows, spans) = (fragment("own", OWN), fragment("failed_spans", &spans));
    let twice = FAILED.replace("LIMIT {{ limit }}", "LIMIT {{ limmit }}");
    let checked = checked(&[
        ("definitions/own.yaml", &own_rows),
        ("definitions/failed_spans.yaml", &spans),
        ("definitions/failed.yaml", &context("telemetry", &twice)),
    ]);
    insta::assert_snapshot!(diagnostic::render_all(&own(&checked), false));
}

#[test]
fn what_cannot_be_included_is_said() {
    let own_rows = fragment("own", OWN);
    let relation = |name: &str, inner: &str, ways: usize| {
        let way = format!("  - sql: |\n      SELECT 1 AS n FROM traces WHERE {{% include \"own\" %}} {inner}\n");
        fragment(name, &format!("source: telemetry\nquery:\n{}", way.repeat(ways)))
    };
    let statement = |include: &str| {
        let query = format!(
            "      - requires: [traces]\n        sql: |\n          SELECT n AS failed FROM ({{% include {include} %}})\n"
        );
        context("telemetry", &query)
    };
    let both = "      - sql: |\n          SELECT a.n AS failed FROM ({% include \"three\" %}) AS a, ({% include \"four\" %}) AS b\n";
    let tool = "kind: tool\nname: t\ntitle: T\ndescription: For the test of fragments.\ncategory: test\nannotations: { read_only: true, \
                destructive: false, idempotent: true, open_world: false }\nrun:\n  action: sql\n  source: telemetry\n  \
                sql: SELECT n AS n FROM ({% include \"three\" %})\n";
    let deep: Vec<String> =
        (1..=7).map(|n| relation(&format!("d{n}"), &format!("AND 1 IN ({{% include \"d{}\" %}})", n + 1), 1)).collect();
    for (what, files, said) in [
        ("a misspelt name", vec![statement("\"ownn\"")], "there is no fragment `ownn`"),
        ("no name", vec![statement("own")], "a statement includes fragments by their name in quotes"),
        (
            "another source",
            vec![context("platform", "      - sql: SELECT 1 AS n WHERE {% include \"own\" %}\n")],
            "the fragment `own` is of `telemetry`, and this reads `platform`",
        ),
        (
            "itself",
            vec![relation("loop", "AND 1 IN ({% include \"loop\" %})", 1), statement("\"loop\"")],
            "the fragment `loop` includes itself",
        ),
        (
            "too many",
            vec![relation("three", "", 3), relation("four", "", 6), context("telemetry", both)],
            "make more than 16 alternatives",
        ),
        (
            "an action",
            vec![relation("three", "", 3), tool.to_owned()],
            "a fragment of this statement has several ways to be written",
        ),
        (
            "too deep",
            [deep, vec![relation("d8", "", 1), statement("\"d1\"")]].concat(),
            "fragments stand in each other more than 6 deep",
        ),
    ] {
        let named: Vec<(String, String)> = files
            .iter()
            .map(|text| {
                let name = text.lines().find_map(|line| line.strip_prefix("name: ")).unwrap();
                (format!("definitions/{name}.yaml"), text.clone())
            })
            .collect();
        let mut all: Vec<(&str, &str)> = named.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        all.push(("definitions/own.yaml", &own_rows));
        let found = own(&checked(&all));
        let told = diagnostic::render_all(&found, false);
        assert!(found.iter().any(|found| found.message.contains(said)), "{what}: {told}");
        let errors = found.iter().filter(|found| found.severity == diagnostic::Severity::Error).count();
        let of_several = ["itself", "too deep"].contains(&what);
        assert!(errors == 1 || of_several, "{what}: {told}");
    }
}

#[test]
fn a_pack_may_put_another_fragment_in_the_place_of_one() {
    let (own_rows, spans) = (fragment("own", OWN), fragment("failed_spans", SPANS));
    let otel = fragment(
        "failed_spans",
        "override: true\nsource: telemetry\nquery:\n  - requires: [otel_traces]\n    sql: |\n      SELECT ServiceName AS service_name, 1 AS n FROM otel_traces\n      WHERE organization_id = {{ organization_id }}\n",
    );
    let checked = checked(&[
        ("definitions/own.yaml", &own_rows),
        ("definitions/failed_spans.yaml", &spans),
        ("definitions/failed.yaml", &context("telemetry", FAILED)),
        ("otel/definitions/failed_spans.yaml", &otel),
    ]);
    let query = query(&checked, "failed");
    assert_eq!(query.len(), 2);
    for alternative in &query {
        assert!(alternative.requires.contains(&"otel_traces".to_owned()), "{alternative:?}");
    }
}

#[test]
fn a_pack_may_add_its_ways_to_a_fragment() {
    let (own_rows, spans) = (fragment("own", OWN), fragment("failed_spans", SPANS));
    let added = |rest: &str| {
        fragment(
            "otel_failed_spans",
            &format!(
                "adds_to: failed_spans\nsource: telemetry\nparameters:\n  kind: {{ type: string, description: Only this kind., \
                 max_length: 9, examples: [Server] }}\nquery:\n  - requires: [otel_traces.SpanKind]\n    sql: |\n      \
                 SELECT ServiceName AS service_name, 1 AS n FROM otel_traces\n      WHERE {rest}\n        \
                 {{% if kind %}}AND SpanKind = {{{{ kind }}}}{{% endif %}}\n"
            ),
        )
    };
    let files = |added: &str| {
        checked(&[
            ("definitions/own.yaml", &own_rows),
            ("definitions/failed_spans.yaml", &spans),
            ("definitions/failed.yaml", &context("telemetry", FAILED)),
            ("otel/definitions/otel_failed_spans.yaml", added),
        ])
    };
    let right = files(&added("{% include \"own\" %}"));
    let requires: Vec<String> = query(&right, "failed").iter().map(|way| way.requires.join(" ")).collect();
    assert_eq!(
        requires,
        [
            "traces service_traces",
            "traces traces.status_code",
            "traces otel_traces.SpanKind",
            "service_traces",
            "traces traces.status_code",
            "otel_traces.SpanKind"
        ]
    );
    // Its parameters come along to whoever includes the other.
    let takes = right.definitions.iter().any(|located| {
        matches!(&located.definition, Definition::Context(c) if c.name.0 == "failed" && c.parameters.contains_key("kind"))
    });
    assert!(takes);
    // A mistake is told in its file, once, and what reads everybody's rows through it is nobody's to use.
    let wrong = files(&added("SpanKind != ''"));
    let found: Vec<&Diagnostic> = wrong.diagnostics.iter().filter(|found| found.code != Code::OpenWindow).collect();
    assert_eq!(found.len(), 1, "{}", diagnostic::render_all(&wrong.diagnostics, false));
    assert_eq!(
        (&*found[0].at.file.path, found[0].code),
        ("otel/definitions/otel_failed_spans.yaml", Code::UnboundTenant)
    );
    for (adds_to, source, said) in [
        ("failed_span", "telemetry", "there is no fragment `failed_span`"),
        ("failed_spans", "platform", "the fragment `failed_spans` is of `telemetry`, and this is of `platform`"),
        ("otel_failed_spans", "telemetry", "the fragment `otel_failed_spans` adds to another itself"),
    ] {
        let other = added("{% include \"own\" %}").replace("adds_to: failed_spans", &format!("adds_to: {adds_to}"));
        let other = other.replace("source: telemetry", &format!("source: {source}"));
        let told = files(&other).diagnostics;
        assert!(told.iter().any(|found| found.message == said), "{}", diagnostic::render_all(&told, false));
    }
}

/// Statements beside a section were nowhere: what counts its rows, what proves its sums, and its form for a sample.
#[test]
fn explain_shows_what_is_asked_beside_a_statement() {
    let cli = super::cli::Cli::new();
    let run = cli.run(&["explain", "context", "latency", "--sql", "--dialect", "clickhouse"]);
    assert_eq!(run.code, 0, "{run:?}");
    let services = run.stdout.split("\noperations ").next().unwrap();
    for said in [
        "a sample of more than 2000000 rows",
        "in place of more than 200000 rows",
        "-- counts its rows by sums; needs tfo_requests_1m",
        "-- counts its rows, where sums do not:",
        "-- the same of a sample, here of 1 of 16 traces:",
        "trace_id < ",
        "-- proves the sums:",
        "FROM tfo_rollups",
    ] {
        assert!(services.contains(said), "{said}: {services}");
    }
}

/// `explain` shows each statement as it runs: fragments written out, values bound, the alternative that the database has
/// tables for.
#[tokio::test]
async fn explain_shows_what_runs() {
    let cli = super::cli::Cli::new();
    let folder = cli.folder.path();
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let orders = "source: platform\nquery:\n  - requires: [archived_orders]\n    sql: SELECT id AS n FROM orders WHERE organization_id = {{ organization_id }}\n  - requires: [orders]\n    \
                  span: { max: 6h }\n    sql: SELECT id AS n FROM orders WHERE organization_id = {{ organization_id }} AND at >= {{ from }}\n";
    let query = "      - sql: |\n          SELECT n FROM ({% include \"orders\" %})\n          {% if note %}WHERE n = {{ note }}{% endif %}\n          \
                 ORDER BY n LIMIT {{ limit }}\n    limit: 7\nparameters: { note: { type: string, description: Only this., max_length: 9 } }\n";
    write("pack/definitions/fragments/orders.yaml", &fragment("orders", orders));
    write("pack/definitions/contexts/failed.yaml", &context("platform", query));
    let mut database = tfo_mcp::source::sqlite::Writer::open(&folder.join("p.sqlite")).await.unwrap();
    database.execute_script("CREATE TABLE orders (organization_id TEXT, id TEXT, at TEXT)").await.unwrap();
    database.close().await.unwrap();
    let explain = |more: &[&str]| {
        let mut command = cli.command(&[&["explain", "context", "failed", "--pack", "pack"], more].concat());
        command.env("TELEMETRYFLOW_MCP_SOURCES__PLATFORM__TYPE", "sqlite");
        command.env("TELEMETRYFLOW_MCP_SOURCES__PLATFORM__PATH", folder.join("p.sqlite"));
        let run = super::cli::Run::of(command.output().unwrap(), folder);
        assert_eq!(run.code, 0, "{run:?}");
        run.stdout
    };
    assert_eq!(
        explain(&["--sql", "note=x"]),
        "failed platform, sqlite\n       1. needs archived_orders\n  runs 2. needs orders; windows up to 6h\n\n\
         SELECT n FROM (SELECT id AS n FROM orders WHERE organization_id = ?1 AND at >= ?2)\nWHERE n = ?3\n\
         ORDER BY n LIMIT ?4\n-- bound: 1: uuid, 2: timestamp, 3: string, 4: integer\n\n"
    );
    let long = explain(&["time_range=12h"]);
    assert!(!long.contains("runs") && long.contains("lacks `archived_orders`"), "{long}");
    let other = explain(&["--dialect", "postgres", "--sql"]);
    assert!(other.contains("organization_id = $1 AND at >= $2)\nORDER BY n LIMIT $3"), "{other}");
}

/// The fragment brings the parameter with it, and the statement of the section need not have it.
#[test]
fn a_parameter_that_only_the_weighing_statement_reads_is_no_unread_one() {
    let weighed = "      - requires: [logs]\n        sampled: { weigh: line_weight, above: 1000 }\n        sql: |\n          \
                   SELECT service_name, count() * {% include \"one_of\" %} AS n FROM logs\n          \
                   WHERE {% include \"compared_rows\" %} {% include \"sampled_lines\" %}\n          \
                   GROUP BY service_name ORDER BY service_name LIMIT {{ limit }}\n";
    let checked = checked(&[("definitions/failed.yaml", &context("telemetry", weighed))]);
    assert_eq!(diagnostic::render_all(&own(&checked), false), "");
    let read = checked.definitions.iter().find_map(|located| match &located.definition {
        Definition::Context(context) if context.name.0 == "failed" => Some(context.parameters.contains_key("service")),
        _ => None,
    });
    assert_eq!(read, Some(true));
}

/// It says so of itself; what includes it is judged as a whole.
#[test]
fn a_fragment_may_read_what_is_nobodys() {
    let text = "source: platform\nquery:\n  - tenant: { none: the same for everybody }\n    sql: SELECT id, name FROM price_list\n";
    let statement = "      - tenant: { none: the same for everybody }\n        sql: SELECT name FROM ({% include \"prices\" %}) p\n";
    let prices = fragment("prices", text);
    let checked =
        checked(&[("definitions/prices.yaml", &prices), ("definitions/failed.yaml", &context("platform", statement))]);
    assert_eq!(diagnostic::render_all(&own(&checked), false), "");
    assert_eq!(
        query(&checked, "failed")[0].sql,
        SqlText::Any("SELECT name FROM (SELECT id, name FROM price_list) p".to_owned())
    );
}
