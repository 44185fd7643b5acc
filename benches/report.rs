//! What the server costs, as CPU time, ratios and memory; `cargo bench --bench report` writes `benches/REPORT.md`.
//!
//! Machines are noisy, so CPU time of the server process counts where it can (from the kernel's accounting), and the
//! best of several rounds where only wall time means anything. Each line of the report has its limit; a broken limit
//! ends the run with a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

#[path = "../tests/it/support/postgres.rs"]
#[allow(dead_code)]
mod postgres;
#[path = "report/client.rs"]
mod client;
#[path = "report/http.rs"]
mod http;
#[path = "report/locks.rs"]
mod locks;
#[path = "../tests/it/support/pooler.rs"]
#[allow(dead_code)]
mod pooler;
#[path = "../tests/it/support/scripted.rs"]
#[allow(dead_code)]
mod scripted;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::Arc,
    time::{Duration, Instant},
};

use client::Client;
use serde_json::{Value, json};
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    check,
    engine::{Call, Engine, EngineOptions, Sources, Tenancy},
    load,
};

const SERVER: &str = env!("CARGO_BIN_EXE_tfo-mcp");
const ROUNDS: usize = 5;
const CALLS: usize = 20_000;
const IN_FLIGHT: usize = 32;
const ORGANISATION: &str = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

/// One line of the report.
struct Line {
    what: &'static str,
    measured: f64,
    limit: f64,
    unit: &'static str,
    how: String,
}

fn main() -> ExitCode {
    // `cargo test --benches` and `cargo clippy` only want it to build.
    if std::env::args().any(|argument| argument == "--test") {
        return ExitCode::SUCCESS;
    }
    // `cargo bench --bench report -- list` measures the lists alone and writes no report.
    if std::env::args().any(|argument| argument == "list") {
        let line = listing();
        eprintln!("{}", render(&[line]));
        return ExitCode::SUCCESS;
    }
    // `-- echo` measures what a call costs over a pipe and over HTTP.
    if std::env::args().any(|argument| argument == "echo") {
        let lines: Vec<Line> = std::iter::once(echo()).chain(http::echo()).collect();
        eprintln!("{}", render(&lines));
        return ExitCode::SUCCESS;
    }
    // `-- start` measures what a start takes.
    if std::env::args().any(|argument| argument == "start") {
        eprintln!("{}", render(&start_up()));
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // `-- locks` measures those of PostgreSQL alone.
    if std::env::args().any(|argument| argument == "locks") {
        let lines = runtime.block_on(locks::locks());
        eprintln!("{}", render(&lines));
        return ExitCode::SUCCESS;
    }
    let mut lines = Vec::new();
    let mut add = |measured: Vec<Line>| {
        // What was measured is seen, even where something later ends the run.
        eprint!("{}", measured.iter().map(row).collect::<String>());
        lines.extend(measured);
    };
    add(start_up());
    add(vec![echo()]);
    add(http::echo());
    add(runtime.block_on(statements()));
    add(runtime.block_on(locks::locks()));
    add(vec![runtime.block_on(collection())]);
    add(vec![definitions()]);
    add(vec![listing()]);
    let report = render(&lines);
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/REPORT.md"), &report).unwrap();
    eprintln!("{report}");
    if lines.iter().all(|line| line.measured <= line.limit) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn best(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(f64::INFINITY, f64::min)
}

fn serve(data: &Path) -> Command {
    served_by(Path::new(SERVER), data)
}

fn served_by(server: &Path, data: &Path) -> Command {
    let mut command = Command::new(server);
    command.arg("serve").env("TELEMETRYFLOW_MCP_DATA_DIR", data).env("TELEMETRYFLOW_MCP_ORGANIZATION", ORGANISATION);
    command
}

/// Spawn to the reply to `initialize`, with the whole shipped catalogue and before a source is touched.
fn start_up() -> Vec<Line> {
    let data = tempfile::tempdir().unwrap();
    let (mut millis, mut first, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS * 8 {
        let started = Instant::now();
        let client = Client::start(serve(data.path()));
        millis.push(started.elapsed().as_secs_f64() * 1e3);
        first.push(client.mib("RssAnon:"));
        // Its first lines of log are written when nobody waits for it.
        std::thread::sleep(Duration::from_millis(500));
        idle.push(client.mib("RssAnon:"));
    }
    for measured in [&mut millis, &mut first, &mut idle] {
        measured.sort_by(f64::total_cmp);
    }
    let starts = millis.len();
    let memory = |what, of: &[f64], limit, when| Line {
        what,
        measured: of[starts / 2],
        limit,
        unit: "MiB",
        how: format!("RssAnon {when}; median of {starts} starts, largest {:.1} MiB", of[starts - 1]),
    };
    vec![
        Line {
            what: "serve, all that is shipped: spawn to initialize reply",
            measured: millis[starts / 2],
            limit: 15.0,
            unit: "ms",
            how: format!("median of {starts} starts, wall; best {:.1} ms", millis[0]),
        },
        memory("serve: anonymous memory at the initialize reply", &first, 10.0, "when the reply is there"),
        memory("serve: anonymous memory of an idle server", &idle, 30.0, "half a second later"),
    ]
}

/// `echo` against a bare rmcp server on rmcp's own transport.
fn echo() -> Line {
    let data = tempfile::tempdir().unwrap();
    let bare = bare_server();
    let call = |_: usize| ("echo", json!({ "message": "Why is checkout slow?" }));
    let cost = |command: fn(&Path, &Path) -> Command| {
        best(
            (0..ROUNDS).map(|_| Client::start(command(data.path(), &bare)).cpu_micros_per_call(CALLS, IN_FLIGHT, call)),
        )
    };
    let floor = cost(|_, bare| Command::new(bare));
    let ours = cost(|data, _| serve(data));
    Line {
        what: "echo: CPU per call, ratio to a bare rmcp server",
        measured: ours / floor,
        limit: 1.5,
        unit: "×",
        how: format!("{ours:.1} µs against {floor:.1} µs; {CALLS} calls, {IN_FLIGHT} in flight, best of {ROUNDS}"),
    }
}

/// The program of the bare server.
fn bare_server() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--example", "bare_server"])
        .status()
        .unwrap();
    assert!(built.success());
    Path::new(SERVER).parent().unwrap().join("examples/bare_server")
}

const TOOLS: [(&str, &str); 3] = [
    ("point", "SELECT id, customer, region, amount, note FROM orders WHERE id = {{ id }}"),
    ("wait", "SELECT pg_sleep(0.1)::text AS slept, {{ id }}::bigint AS id"),
    (
        "dump",
        "SELECT id, customer, region, amount, note, id + 1 AS b, id * 2 AS c, placed_at, amount / 3 AS d, region || customer AS e \
         FROM orders WHERE id > {{ id }} ORDER BY id LIMIT 5000",
    ),
];

/// Statements of YAML tools on PostgreSQL.
async fn statements() -> Vec<Line> {
    let database = postgres::database().await;
    database
        .execute(
            "CREATE TABLE orders (id bigint PRIMARY KEY, customer text, region text, amount double precision, note text, placed_at timestamptz);
             INSERT INTO orders SELECT i, 'customer ' || i % 977, 'region ' || i % 10, i * 1.25, 'note of order ' || i,
                 timestamptz '2026-11-20 00:00:00Z' + i * interval '1 second' FROM generate_series(1, 100000) i;
             ANALYZE orders",
        )
        .await;
    let (data, pack) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (name, sql) in TOOLS {
        let tool = json!({
            "kind": "tool", "name": name, "title": name, "description": "For the benchmark.", "category": "bench",
            "parameters": { "id": { "type": "integer", "description": "Number of the order.", "required": true } },
            "annotations": { "read_only": true, "destructive": false, "idempotent": true, "open_world": false },
            "run": { "action": "sql", "source": "platform", "tenant": { "none": "a table of the benchmark" }, "sql": sql,
                     "output": { "max_rows": 5000 } },
        });
        std::fs::create_dir_all(pack.path().join("definitions")).unwrap();
        std::fs::write(pack.path().join(format!("definitions/{name}.yaml")), tool.to_string()).unwrap();
    }
    let configured = |mut command: Command| {
        command.arg("--pack").arg(pack.path()).env("TELEMETRYFLOW_MCP_POSTGRES_URL", &database.url);
        command.env("TELEMETRYFLOW_MCP_POSTGRES_MAX_CONNS", "32").env("TELEMETRYFLOW_MCP_LIMITS__MAX_ROWS", "5000");
        command
    };
    let mut client = Client::start(configured(serve(data.path())));
    let id = |i: usize| json!({ "id": i % 90_000 });
    let text = client.call("point", id(7));
    assert!(text.contains("note of order 7"), "{text}");
    let point = best((0..ROUNDS).map(|_| client.cpu_micros_per_call(CALLS, IN_FLIGHT, |i| ("point", id(i)))));
    let over_http = http::calls(configured(http::over_http(data.path())), |i| ("point", id(i)));
    let wait = best((0..ROUNDS).map(|_| {
        let started = Instant::now();
        client.cpu_micros_per_call(IN_FLIGHT, IN_FLIGHT, |i| ("wait", id(i)));
        started.elapsed().as_secs_f64()
    }));
    let text = client.call("dump", id(0));
    assert!(text.contains("of 5000 rows"), "{}", &text[..80]);
    let dump = best((0..ROUNDS).map(|_| client.cpu_micros_per_call(40, 1, |i| ("dump", id(i))) / 1e3));
    vec![
        Line {
            what: "point query on PostgreSQL through a YAML tool: CPU per call",
            measured: point,
            limit: 80.0,
            unit: "µs",
            how: format!("server process; {CALLS} calls, {IN_FLIGHT} in flight, best of {ROUNDS}"),
        },
        Line {
            what: "the same over HTTP, in a session: CPU per call",
            measured: over_http,
            limit: 110.0,
            unit: "µs",
            how: format!("server process; {CALLS} calls on {IN_FLIGHT} connections, best of {ROUNDS}"),
        },
        Line {
            what: "32 concurrent pg_sleep(0.1)",
            measured: wait,
            limit: 0.2,
            unit: "s",
            how: format!("wall, best of {ROUNDS}"),
        },
        Line {
            what: "5,000 rows of 10 columns, of which a full answer shows the first: CPU per call",
            measured: dump,
            limit: 10.0,
            unit: "ms",
            how: format!(
                "decoded from PostgreSQL, rendered up to the bound of an answer, sent; server process, best of {ROUNDS}"
            ),
        },
    ]
}

/// What collecting a context adds to its slowest query.
async fn collection() -> Line {
    let slowest = Duration::from_millis(20);
    let (catalog, source) = probe(slowest);
    let mut sources = Sources::default();
    sources.bind("telemetry", Arc::new(source));
    let tenancy = Tenancy { organization_id: Some(ORGANISATION.into()), ..Tenancy::default() };
    let engine = Engine::new(catalog, sources, EngineOptions { tenancy, ..EngineOptions::default() });
    let mut over = Vec::new();
    for _ in 0..50 {
        let arguments = json!({ "context_type": "probe" });
        let started = Instant::now();
        let document = engine.collect_context(arguments.as_object().cloned().unwrap(), &Call::default()).await.unwrap();
        let text = engine.render(&document, tfo_mcp::engine::Format::Markdown, None);
        over.push((started.elapsed() - slowest).as_secs_f64() * 1e3);
        assert!(text.contains("service-19"));
    }
    over.sort_by(f64::total_cmp);
    Line {
        what: "collecting and rendering a context: over its slowest query",
        measured: over[over.len() / 2],
        limit: 2.0,
        unit: "ms",
        how: "five sections of 20 rows, highlights; median of 50, wall, timer included".into(),
    }
}

fn probe(slowest: Duration) -> (Catalog, scripted::Scripted) {
    let sections: serde_json::Map<String, Value> = (0..5)
        .map(|i| {
            let sql = format!("SELECT name, value FROM part{i} WHERE organization_id = {{{{ organization_id }}}} LIMIT {{{{ limit }}}}");
            let section = json!({ "title": format!("Part {i}"), "source": "telemetry", "query": [{ "sql": sql }] });
            (format!("part{i}"), section)
        })
        .collect();
    let context = json!({
        "kind": "context", "name": "probe", "category": "bench", "title": "Probe", "description": "Five sections.",
        "persona": "observability-generalist", "sections": sections,
        "highlights": [{ "each": "part0", "when": "row.value > 3", "say": "{{ row.name }} is at {{ row.value }}" }],
    });
    let pack = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(pack.path().join("definitions")).unwrap();
    std::fs::write(pack.path().join("definitions/probe.yaml"), context.to_string()).unwrap();
    let request = load::Request { built_in: true, packs: vec![pack.path().to_owned()], files: Vec::new() };
    let (definitions, templates) = check::check(load::load(&request), check::Options::default()).into_parts();
    let (catalog, problems) = Catalog::compile(definitions, &templates, &CatalogOptions::default());
    assert!(problems.is_empty() && catalog.contexts.get("probe").is_some(), "{problems:?}");
    let rows = (0..20).map(|i| vec![json!(format!("service-{i}")), json!(i)]).collect();
    let reply = scripted::Reply::Rows(vec!["name", "value"], rows);
    let source = scripted::Scripted::default().after(slowest);
    (
        catalog,
        (0..5).fold(source, |source, i| source.on(["part0", "part1", "part2", "part3", "part4"][i], reply.clone())),
    )
}

/// The shipped contexts, tools and personas.
fn shipped() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders =
        ["definitions/contexts/observability", "definitions/tools/telemetry", "definitions/tools/utility", "personas"];
    let mut shipped = Vec::new();
    for folder in folders {
        let mut files: Vec<_> =
            std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        shipped.extend(files);
    }
    shipped
}

/// A copy of a definition: its new name, and its text.
fn renamed(path: &Path, i: usize) -> (String, String) {
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    // Names are new; aliases and the one fallback persona cannot be there twice.
    let lines = text.lines().filter(|line| !line.starts_with("aliases:") && !line.starts_with("fallback:"));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let name = format!("{stem}-{i}");
    let text = text.replacen(&format!("name: {stem}\n"), &format!("name: {name}\n"), 1);
    (name, text)
}

/// Load and check of a large catalogue: the shipped contexts, tools and personas, each many times under new names.
fn definitions() -> Line {
    const COUNT: usize = 5000;
    let pack = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = shipped();
    let mut bytes = 0;
    for i in 0..COUNT {
        let path = &shipped[i % shipped.len()];
        let (stem, text) = renamed(path, i);
        bytes += text.len();
        let folder = if path.starts_with(root.join("personas")) { "personas" } else { "definitions" };
        std::fs::create_dir_all(pack.path().join(folder)).unwrap();
        std::fs::write(pack.path().join(format!("{folder}/{stem}.yaml")), text).unwrap();
    }
    let seconds = best((0..3).map(|_| {
        let started = Instant::now();
        let request = load::Request { built_in: true, packs: vec![pack.path().to_owned()], files: Vec::new() };
        let checked = check::check(load::load(&request), check::Options::default());
        assert!(!checked.has_errors(), "{:?}", checked.diagnostics.first());
        assert!(checked.definitions.len() > COUNT);
        started.elapsed().as_secs_f64()
    }));
    Line {
        what: "5,000 definitions: load and check",
        measured: seconds,
        limit: 2.0,
        unit: "s",
        how: format!("copies of the shipped contexts, tools and personas, {} MB; wall, best of 3", bytes / 1_000_000),
    }
}

/// A list of 5,000 tools, page by page: copies of the shipped tools of telemetry under new names, of which some are in no toolset
/// that is on.
fn listing() -> Line {
    const COUNT: usize = 6000;
    let (data, pack) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("definitions/tools/telemetry");
    let mut shipped: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    shipped.sort();
    std::fs::create_dir_all(pack.path().join("definitions")).unwrap();
    for i in 0..COUNT {
        let path = &shipped[i % shipped.len()];
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let text = text.replacen(&format!("name: {stem}\n"), &format!("name: {stem}_{i}\n"), 1);
        std::fs::write(pack.path().join(format!("definitions/{stem}_{i}.yaml")), text).unwrap();
    }
    let mut command = serve(data.path());
    command.arg("--pack").arg(pack.path());
    let mut client = Client::start(command);
    // The first list makes the entries; later ones, of any client, share them.
    let first = client.cpu_micros_per_page();
    let (pages, tools) = (first.1, first.2);
    assert!(tools > 5000 && pages > 5, "{tools} tools on {pages} pages");
    let page = best((0..ROUNDS * 4).map(|_| client.cpu_micros_per_page().0)) / 1e3;
    Line {
        what: "5,000 tools listed over stdio: CPU per page",
        measured: page,
        limit: 5.0,
        unit: "ms",
        how: format!(
            "server process; {tools} tools on {pages} pages, best of {} lists; the first {:.2} ms a page",
            ROUNDS * 4,
            first.0 / 1e3
        ),
    }
}

fn row(line: &Line) -> String {
    let Line { what, measured, limit, unit, how } = line;
    let verdict = if measured <= limit { "" } else { " **over**" };
    format!("| {what} | {measured:.2} {unit}{verdict} | {limit} {unit} | {how} |\n")
}

fn render(lines: &[Line]) -> String {
    let mut text = String::from(
        "# Benchmark report\n\nWritten by `cargo bench --bench report`; the last run. CPU time is that of the server process, \
         from the kernel's accounting.\n\n| what | measured | limit | how |\n|---|---|---|---|\n",
    );
    text.extend(lines.iter().map(row));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let _ = writeln!(text, "\nMachine: {cores} cores, {}.", std::env::consts::ARCH);
    text
}
