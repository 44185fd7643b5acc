//! Conditions of every shipped statement, broken one at a time: each mutant is refused by `check`, or shows no row of
//! another organisation when it runs among canaries.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    check::{self, tenancy},
    definition::{Definition, shipped_rules},
    demo::canary,
    diagnostic::Severity,
    engine::{Engine, Format},
    load::{self, Request},
    source::{clickhouse::ClickHouse, sqlite::Sqlite},
    sql::Dialect,
};

use crate::answers::{collect, engine_of, filled, postgres_source, stamp, window};

/// How every shipped statement says whose rows it reads, behind the name of a table and a dot or without.
const CONDITION: &str = "organization_id = {{ organization_id }}";
const VALUE: &str = "{{ organization_id }}";

/// What `check` says of a statement that may read rows of others.
const REFUSED: [&str; 4] = ["TFO0063", "TFO0071", "TFO0073", "TFO0074"];

/// A statement of the built-in pack in one dialect.
#[derive(Clone)]
struct Shipped {
    /// The definition, with this statement and nothing else in it.
    definition: Value,
    section: String,
    dialect: String,
    sql: String,
    place: String,
}

impl Shipped {
    /// The definition under another name and with another text.
    fn with(&self, name: &str, sql: &str, tenant: Option<Value>) -> Value {
        let mut definition = self.definition.clone();
        definition["name"] = json!(name);
        let query = &mut definition["sections"][&self.section]["query"][0];
        query["sql"] = json!({ self.dialect.as_str(): sql });
        if let Some(tenant) = tenant {
            query["tenant"] = tenant;
        }
        definition
    }
}

fn shipped() -> Vec<Shipped> {
    let loaded = load::load(&Request { built_in: true, ..Request::default() });
    let mut found = Vec::new();
    // With their fragments, as they run.
    for located in check::check(loaded, check::Options::default()).definitions {
        let Definition::Context(context) = &located.definition else { continue };
        let mut whole = serde_json::to_value(context).unwrap();
        whole["kind"] = json!("context");
        for (section, body) in whole["sections"].as_object().into_iter().flatten() {
            for (n, alternative) in body["query"].as_array().unwrap().iter().enumerate() {
                let texts: BTreeMap<String, String> = match &alternative["sql"] {
                    Value::String(text) if body["source"] == "telemetry" => {
                        [("clickhouse".into(), text.clone())].into()
                    }
                    Value::String(text) => {
                        ["postgres", "sqlite"].map(|dialect| (dialect.to_owned(), text.clone())).into()
                    }
                    texts => serde_json::from_value(texts.clone()).unwrap(),
                };
                for (dialect, sql) in texts {
                    let mut definition = whole.clone();
                    for key in
                        ["aliases", "presets", "of_account", "highlights", "next", "summary", "examples", "notes"]
                    {
                        definition.as_object_mut().unwrap().remove(key);
                    }
                    let mut query = alternative.clone();
                    query.as_object_mut().unwrap().remove("span");
                    let mut sections =
                        json!({ section: { "title": "Rows", "source": body["source"], "query": [query] } });
                    let mut texts = sql.clone();
                    // With what it waits for, directly or through others.
                    let names = |after: &Value| -> Vec<String> {
                        let several = after.as_array().into_iter().flatten().chain(std::iter::once(after));
                        several.filter_map(Value::as_str).map(str::to_owned).collect()
                    };
                    let mut waiting = names(&body["after"]);
                    if !waiting.is_empty() {
                        sections[section]["after"] = body["after"].clone();
                    }
                    while let Some(awaited) = waiting.pop() {
                        if sections.get(&awaited).is_some() {
                            continue;
                        }
                        let mut other = whole["sections"][&awaited].clone();
                        for key in ["join", "news", "paired"] {
                            other.as_object_mut().unwrap().remove(key);
                        }
                        for way in other["query"].as_array().unwrap() {
                            let each = way["sql"].as_object().into_iter().flat_map(|texts| texts.values());
                            let each = each.chain([&way["sql"]]).filter_map(Value::as_str);
                            texts.extend(each);
                        }
                        waiting.extend(names(&other["after"]));
                        sections[&awaited] = other;
                    }
                    definition["sections"] = sections;
                    let used = used(&texts);
                    if let Some(parameters) = definition["parameters"].as_object_mut() {
                        parameters.retain(|name, _| used.contains(&name.as_str()));
                    }
                    let place = format!("{}.{section}[{n}] in {dialect}", whole["name"].as_str().unwrap());
                    found.push(Shipped { definition, section: section.clone(), dialect, sql, place });
                }
            }
        }
    }
    found
}

/// Every word in a tag of a template that stands in no quotes.
fn used(sql: &str) -> BTreeSet<&str> {
    let tags = sql.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let bare = tags.flat_map(|tag| tag.split('\'').step_by(2));
    bare.flat_map(|text| text.split(|c: char| !(c.is_alphanumeric() || c == '_'))).collect()
}

/// The conditions of a text: where each begins, behind its qualifier's first letter, and the column as it is written.
fn conditions(sql: &str) -> Vec<(usize, &str)> {
    sql.match_indices(CONDITION)
        .map(|(at, _)| {
            let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
            let start = sql[..at].rfind(|c| !word(c)).map_or(0, |before| before + 1);
            (start, &sql[start..at + "organization_id".len()])
        })
        .collect()
}

/// Every way to break one condition.
fn broken(sql: &str, at: usize, column: &str) -> Vec<(&'static str, String)> {
    let own = format!("{column} = {VALUE}");
    let rest = &sql[at + own.len()..];
    let replaced = |by: &str| format!("{}{by}{rest}", &sql[..at]);
    let always = replaced("1 = 1");
    let mut mutants = vec![
        ("removed", always.clone()),
        ("negated", replaced(&format!("NOT ({own})"))),
        ("unequal", replaced(&format!("{column} <> {VALUE}"))),
        ("at least", replaced(&format!("{column} >= {VALUE}"))),
        ("beside what always holds", replaced(&format!("({own} OR 1 = 1)"))),
        ("beside another condition", replaced(&format!("({own} OR {{{{ limit }}}} > 0)"))),
        ("beside NULL", replaced(&format!("({own} OR {column} IS NOT NULL)"))),
        ("beside, looser than what follows", replaced(&format!("1 = 1 OR {own}"))),
        ("with itself", replaced(&format!("{VALUE} = {VALUE}"))),
        ("column with itself", replaced(&format!("{column} = {column}"))),
        ("another constant", replaced(&format!("{column} <> 'x'"))),
        ("another column", replaced(&format!("{} <> {VALUE}", column.replace("organization", "workspace")))),
        ("in CASE", replaced(&format!("CASE WHEN {own} THEN 1 = 1 ELSE 1 = 1 END"))),
        ("whether it is known", replaced(&format!("({own}) IS NOT NULL"))),
        ("in a call", replaced(&format!("coalesce({own}, 1 = 1)"))),
        ("in a branch", replaced(&format!("{{% if limit %}}1 = 1{{% else %}}{own}{{% endif %}}"))),
        ("beside, in a branch", replaced(&format!("({own}{{% if limit == 'rare' %}} OR 1 = 1{{% endif %}})"))),
        ("in the select list", always.replacen("SELECT", &format!("SELECT {own} AS own_row,"), 1)),
        ("by another value", replaced(&format!("{column} = {{{{ workspace_id }}}}"))),
    ];
    for word in ["HAVING ", "ON "] {
        if always.contains(word) {
            let name = if word == "ON " { "in the first ON" } else { "in HAVING" };
            mutants.push((name, always.replacen(word, &format!("{word}{own} AND "), 1)));
        }
    }
    // The condition of one side of a join, said of another.
    let others: BTreeSet<&str> =
        conditions(sql).into_iter().map(|(_, other)| other).filter(|other| *other != column).collect();
    mutants.extend(others.into_iter().map(|other| ("on another side", replaced(&format!("{other} = {VALUE}")))));
    mutants
}

/// Ways to write the same, and joins that keep more rows.
fn rewritten(sql: &str) -> Vec<(&'static str, String)> {
    let mut swapped = sql.to_owned();
    let mut wrapped = sql.to_owned();
    for (at, column) in conditions(sql).into_iter().rev() {
        let range = at..at + column.len() + " = ".len() + VALUE.len();
        swapped.replace_range(range.clone(), &format!("{VALUE} = {column}"));
        // Beside the rows that are everybody's it has one form.
        if !sql[range.end..].starts_with(" OR organization_id IS NULL)") {
            wrapped.replace_range(range, &format!("(({column} = {VALUE}) AND 1 = 1)"));
        }
    }
    let mut mutants = vec![("swapped", swapped), ("wrapped", wrapped)];
    for (at, _) in sql.match_indices("JOIN ") {
        let before = sql[..at].trim_end();
        let kind = ["LEFT", "INNER", "ARRAY"].into_iter().find(|kind| before.ends_with(kind));
        if kind != Some("ARRAY") {
            let start = kind.map_or(at, |kind| before.len() - kind.len());
            for other in ["LEFT", "RIGHT", "FULL"] {
                mutants.push(("another join", format!("{}{other} {}", &sql[..start], &sql[at..])));
            }
        }
    }
    mutants
}

struct Mutant {
    kind: &'static str,
    shipped: usize,
    definition: Value,
    /// Whether the condition that is broken is about rows of a subquery, which has its own.
    of_subquery: bool,
}

fn is_of_subquery(sql: &str, at: usize, column: &str) -> bool {
    match column.strip_suffix(".organization_id") {
        Some(alias) => sql[..at].contains(&format!(") AS {alias}\n")),
        None => sql[..at].strip_suffix("WHERE ").is_some_and(|before| ends_with_subquery(before.trim_end())),
    }
}

/// Whether a text ends with `FROM (SELECT …)`.
fn ends_with_subquery(text: &str) -> bool {
    let Some(inside) = text.strip_suffix(')') else { return false };
    let mut open = 1;
    for (at, c) in inside.char_indices().rev() {
        open += match c {
            ')' => 1,
            '(' => -1,
            _ => 0,
        };
        if open == 0 {
            return inside[..at].ends_with("FROM ") && inside[at + 1..].trim_start().starts_with("SELECT");
        }
    }
    false
}

fn name(n: usize) -> String {
    format!("mutant-{n:05}")
}

/// What of the mutants is refused, by place in the list, and the definitions of the others.
fn judge(mutants: &[Mutant]) -> (BTreeSet<usize>, Vec<Definition>) {
    let folder = tempfile::tempdir().unwrap();
    let definitions = folder.path().join("definitions");
    std::fs::create_dir(&definitions).unwrap();
    for (n, mutant) in mutants.iter().enumerate() {
        std::fs::write(definitions.join(name(n) + ".yaml"), mutant.definition.to_string()).unwrap();
    }
    let request = Request { built_in: true, packs: vec![folder.path().to_owned()], files: Vec::new() };
    let checked = check::check(load::load(&request), check::Options::default());
    let mut refused = BTreeSet::new();
    for finding in checked.diagnostics.iter().filter(|finding| finding.severity == Severity::Error) {
        let n = finding.at.file.path.split("mutant-").nth(1).and_then(|rest| rest[..5].parse().ok()).unwrap();
        let mutant: &Mutant = &mutants[n];
        let code = finding.code.as_str();
        assert!(
            REFUSED.contains(&code),
            "{} is broken otherwise: {code} {}\n{}",
            mutant.kind,
            finding.message,
            mutant.definition
        );
        refused.insert(n);
    }
    (refused, checked.definitions.into_iter().map(|located| located.definition).collect())
}

fn dialect(name: &str) -> Dialect {
    Dialect::ALL.into_iter().find(|dialect| dialect.as_str() == name).unwrap()
}

/// The engines of each dialect over the canaries.
async fn engines(definitions: Vec<Definition>) -> [(&'static [&'static str], Engine); 2] {
    let filled = filled().await;
    let own = &filled.generator.world.organizations[0].id_text;
    let compile = || {
        let (catalog, problems) =
            Catalog::compile(definitions.clone(), &Default::default(), &CatalogOptions::default());
        assert!(problems.is_empty(), "{problems:?}");
        catalog
    };
    let telemetry = || ClickHouse::remote(filled.canaries.clone());
    let postgres = postgres_source(&filled.canary_postgres);
    let sqlite = Arc::new(Sqlite::new(&filled.canary_sqlite));
    [
        (&["clickhouse", "postgres"], engine_of(compile(), telemetry(), postgres, own)),
        (&["sqlite"], engine_of(compile(), telemetry(), sqlite, own)),
    ]
}

/// What a mutant answers about the window in which canaries are planted, and whether its statement ran.
async fn answer(engines: &[(&'static [&'static str], Engine)], dialect: &str, name: &str) -> (String, bool) {
    let bounds = window(&filled().await.generator);
    let question = json!({ "from": stamp(bounds.from), "to": stamp(bounds.to) });
    let (_, engine) = engines.iter().find(|(dialects, _)| dialects.contains(&dialect)).unwrap();
    let document = collect(engine, name, question).await;
    (engine.render(&document, Format::Json, Some(50_000_000)), !document.status.is_problem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn no_mutant_of_a_condition_shows_a_foreign_row() {
    let begun = Instant::now();
    let all = std::env::var("MUTANTS").is_ok_and(|which| which == "all");
    let shipped = shipped();
    assert!(shipped.len() > 100, "{}", shipped.len());
    let mut mutants = Vec::new();
    for (at, statement) in shipped.iter().enumerate() {
        let places = conditions(&statement.sql);
        let query = &statement.definition["sections"][&statement.section]["query"][0];
        assert!(
            !places.is_empty() || query["tenant"]["none"].is_string(),
            "{} says whose rows it reads in another way",
            statement.place
        );
        let broken = places.into_iter().enumerate().flat_map(|(n, (place, column))| {
            // Every condition in one or two of the ways, every way for many of them; with MUTANTS=all the whole product.
            let broken = broken(&statement.sql, place, column).into_iter().enumerate();
            let of_subquery = is_of_subquery(&statement.sql, place, column);
            let broken = broken.filter(move |(way, _)| all || (at + n + way).is_multiple_of(12));
            broken.map(move |(_, (kind, sql))| (kind, sql, of_subquery))
        });
        let rewritten = rewritten(&statement.sql).into_iter().enumerate();
        let rewritten = rewritten.filter(|(way, _)| all || (at + way).is_multiple_of(4));
        let rewritten = rewritten.map(|(_, (kind, sql))| (kind, sql, false));
        for (kind, sql, of_subquery) in broken.chain(rewritten) {
            let definition = statement.with(&name(mutants.len()), &sql, None);
            mutants.push(Mutant { kind, shipped: at, definition, of_subquery });
        }
    }
    // Those of a statement that reads rows of organisations.
    let reads = |mutant: &Mutant| !conditions(&shipped[mutant.shipped].sql).is_empty();
    let written = |kind: &str| mutants.iter().filter(|mutant| mutant.kind == kind && reads(mutant)).count();
    let same = [written("swapped"), written("wrapped")];
    // The proof alone first: a whole check of each would take minutes.
    let proved = |mutant: &Mutant| {
        let statement = &shipped[mutant.shipped];
        let sql = mutant.definition["sections"][&statement.section]["query"][0]["sql"][&statement.dialect].as_str();
        tenancy::prove(sql.unwrap(), dialect(&statement.dialect), false, &shipped_rules(), &Default::default())
            .findings
            .is_empty()
    };
    let halves = mutants.len().div_ceil(2);
    let accepted: Vec<bool> = std::thread::scope(|scope| {
        let halves: Vec<_> =
            mutants.chunks(halves).map(|half| scope.spawn(|| half.iter().map(proved).collect::<Vec<_>>())).collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let count = mutants.len();
    let mut accepted = accepted.into_iter();
    mutants.retain(|_| accepted.next().unwrap());
    for (n, mutant) in mutants.iter_mut().enumerate() {
        mutant.definition["name"] = json!(name(n));
    }
    let judged = begun.elapsed();
    let (refused, definitions) = judge(&mutants);
    assert_eq!(refused, BTreeSet::new(), "the proof and `check` differ");

    // What is not refused runs.
    let engines = engines(definitions).await;
    let foreign = foreign_words().await;
    let (mut ran, mut kinds) = (0, BTreeMap::<&str, usize>::new());
    for chunk in mutants.chunks(8) {
        let answers = chunk.iter().map(|mutant| {
            let (engines, dialect) = (&engines, &shipped[mutant.shipped].dialect);
            let name = mutant.definition["name"].as_str().unwrap();
            async move { (mutant, answer(engines, dialect, name).await) }
        });
        for (mutant, (text, fine)) in futures::future::join_all(answers).await {
            for word in &foreign {
                let place = &shipped[mutant.shipped].place;
                assert!(!text.contains(word), "{place}, {}: shows {word}\n{}", mutant.kind, mutant.definition);
            }
            ran += usize::from(fine);
            *kinds.entry(mutant.kind).or_default() += 1;
        }
    }
    let refused = count - mutants.len();
    println!("{count} mutants, {refused} refused in {judged:?}, {ran} ran, all in {:?}: {kinds:?}", begun.elapsed());
    assert!(refused > if all { 3_000 } else { 800 } && ran > 200, "{refused} refused, {ran} ran");
    // The ways to write the same are accepted, all of them, and the databases understand them.
    assert_eq!([kinds["swapped"], kinds["wrapped"]], same);
    for kind in ["removed", "negated", "beside what always holds", "in CASE", "in the select list", "with itself"] {
        // What is said once more of rows that a subquery has confined may go; nothing foreign showed above.
        let accepted = mutants.iter().filter(|mutant| mutant.kind == kind && !mutant.of_subquery);
        let accepted: Vec<&str> = accepted.map(|mutant| shipped[mutant.shipped].place.as_str()).collect();
        assert!(accepted.is_empty(), "{kind} is accepted: {accepted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn without_the_proof_the_same_mutants_show_foreign_rows() {
    let shipped = shipped();
    let mut mutants = Vec::new();
    for dialect in ["clickhouse", "postgres", "sqlite"] {
        let of_dialect = shipped.iter().enumerate().filter(|(_, statement)| statement.dialect == dialect);
        for (at, statement) in of_dialect.take(12) {
            let sql = statement.sql.replace(CONDITION, "organization_id IS NOT NULL");
            // What an author vouches for is not looked at.
            let tenant = Some(json!({ "none": "the control of a proof" }));
            let definition = statement.with(&name(mutants.len()), &sql, tenant);
            mutants.push(Mutant { kind: "unbound", shipped: at, definition, of_subquery: false });
        }
    }
    let (refused, definitions) = judge(&mutants);
    assert_eq!(refused, BTreeSet::new());
    let engines = engines(definitions).await;
    let foreign = foreign_words().await;
    let mut shown = BTreeMap::<&str, usize>::new();
    for (n, mutant) in mutants.iter().enumerate() {
        let dialect = shipped[mutant.shipped].dialect.as_str();
        let (text, _) = answer(&engines, dialect, &name(n)).await;
        *shown.entry(dialect).or_default() += usize::from(foreign.iter().any(|word| text.contains(word)));
    }
    assert!(shown.len() == 3 && shown.values().all(|shown| *shown > 0), "{shown:?}");
}

/// What stands in rows of the other organisations.
async fn foreign_words() -> Vec<String> {
    let filled = filled().await;
    let own = &filled.generator.world.organizations[0];
    let mut words = canary::foreign_names(&filled.generator, own);
    words.push(canary::FOREIGN.to_owned());
    words
}
