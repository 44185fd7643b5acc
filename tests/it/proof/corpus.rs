//! The corpus of attacks of `tests/attacks`, written without a look at the guard: each statement runs as a caller's
//! on twin databases. It is refused, or its answer holds nothing of others and no secret, is the same where the
//! others and the secrets are different, changes nothing, and comes in time.
//!
//! `TFO_ATTACKS=all` also runs all attacks on time and memory; else the first ones of each shape. `TFO_ATTACKS=name`
//! runs one shape and prints what became of each statement. The table of results is compared exactly;
//! `UPDATE=1` writes it anew.

mod explained;
mod judge;
mod requests;
mod text;
mod worlds;

use crate::support::eventually::eventually;
use std::{
    fmt::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream};
use tfo_mcp::{
    source::{Author, Limits, Query},
    sql::{Bind, Statement},
};
use tokio_util::sync::CancellationToken;

use judge::{Answer, Outcome, comparable, forbidden, outcome, said, unread};
use text::{Attack, Shape, shapes};
use worlds::{Twins, World};

const LIMITS: Limits = Limits { timeout: Duration::from_secs(2), max_rows: 10_000, max_bytes: 4 << 20 };

/// How much later than its limit a statement may end: the machine is busy.
const SLACK: Duration = Duration::from_secs(8);

const AT_ONCE: usize = 8;

/// Attacks on time and memory that run of each shape when not all do.
const COSTLY: usize = 1;

/// What became of a shape.
struct Told<'s> {
    shape: &'s Shape,
    outcomes: Vec<Outcome>,
    /// Statements that did harm, and how.
    harm: Vec<String>,
}

async fn ask(world: &World, organization_id: &str, attack: &Attack) -> Answer {
    ask_as(world, Author::Caller { organization_id }, attack).await
}

async fn ask_as(world: &World, author: Author<'_>, attack: &Attack) -> Answer {
    let binds = attack.params.iter().cloned().map(Bind::Text).collect();
    let statement = Statement { sql: attack.sql.clone(), binds };
    let cancel = CancellationToken::new();
    world.source.query(Query { statement: &statement, limits: LIMITS, author, cancel: &cancel, id: None }).await
}

/// Runs an attack; tells its outcome and, if it did harm, how.
async fn run(twins: &Twins, attack: &Attack) -> (Outcome, Option<String>) {
    let begun = Instant::now();
    let on = async |world: &World| ask(world, &twins.organization_id, &attack.of(&world.words)).await;
    let both = on(&twins.both).await;
    let late = (begun.elapsed() > LIMITS.timeout + SLACK).then(|| format!("took {:?}", begun.elapsed()));
    let shown = said(&both, &twins.names);
    let asked = attack.of(&twins.both.words);
    let mut harm = late;
    if let Some(word) = forbidden(&asked, &shown, &twins.forbidden) {
        harm = Some(format!("shows {word}: {shown:.600}"));
    } else if !attack.cost && !unread(&both) {
        let own = on(&twins.own).await;
        let alone = said(&own, &twins.names);
        if shown != alone && comparable(attack, &both, &own) {
            // What is never the same twice tells nothing by being different.
            let again = said(&on(&twins.both).await, &twins.names);
            if again == shown {
                harm = Some(format!("depends on what is others':\n    {shown:.600}\n    {alone:.600}"));
            }
        }
    }
    (outcome(&both), harm.map(|harm| format!("{}\n    {harm}", asked.sql)))
}

async fn attacked(database: &str, twins: &Twins) {
    let all = shapes(database);
    let wanted = std::env::var("TFO_ATTACKS").ok();
    let (every, only) = (wanted.as_deref() == Some("all"), wanted.as_deref().filter(|wanted| *wanted != "all"));
    let before = twins.admin.fingerprint().await;
    let begun = Instant::now();
    let mut told = Vec::new();
    for shape in all.iter().filter(|shape| only.is_none_or(|only| shape.name == only)) {
        let cheap = shape.attacks.iter().filter(|attack| !attack.cost);
        let costly = shape.attacks.iter().filter(|attack| attack.cost);
        let chosen = cheap.chain(costly.take(if every || only.is_some() { usize::MAX } else { COSTLY }));
        let started = Instant::now();
        let mut ran: Vec<_> =
            stream::iter(chosen.clone()).map(|attack| run(twins, attack)).buffered(AT_ONCE).collect().await;
        for (attack, ran) in chosen.zip(&mut ran) {
            // On a busy machine what should come at once may take its two seconds; alone it does not.
            if !attack.cost && matches!(ran, (Outcome::Bounded, None)) {
                *ran = run(twins, attack).await;
            }
        }
        if only.is_some() {
            for (attack, (outcome, _)) in shape.attacks.iter().zip(&ran) {
                println!("{outcome:?} {}", attack.sql);
            }
        }
        println!("{} took {:.1?}", shape.name, started.elapsed());
        let (outcomes, harm): (Vec<_>, Vec<_>) = ran.into_iter().unzip();
        told.push(Told { shape, outcomes, harm: harm.into_iter().flatten().collect() });
    }
    let count = told.iter().map(|told| told.outcomes.len()).sum::<usize>();
    println!("{database}: {count} attacks in {:.1?}", begun.elapsed());
    quiet(twins).await;
    let harm: Vec<String> =
        told.iter().flat_map(|told| told.harm.iter().map(|harm| format!("[{}] {harm}", told.shape.name))).collect();
    assert!(harm.is_empty(), "{} attacks did harm:\n{}", harm.len(), harm.join("\n"));
    assert_eq!(twins.admin.fingerprint().await, before, "an attack changed the database");
    for left in ["/tmp/tfo-attack", "/tmp/tfo-attack.csv", "/tmp/tfo-attack.sqlite"] {
        assert!(!Path::new(left).exists(), "an attack wrote {left}");
    }
    if only.is_none() {
        compare(database, &table(database, &told));
    }
}

/// Waits until the database works on nothing any more.
async fn quiet(twins: &Twins) {
    eventually("no statement outlives its caller", async || twins.admin.running().await == 0).await;
}

/// The results by shape. Attacks on time and memory have no outcome that is the same on every machine.
fn table(database: &str, told: &[Told]) -> String {
    let mut text = format!(
        "# Attacks on {database}\n\nWritten by `tests/it/proof/corpus.rs` (`UPDATE=1`). No statement showed a row of \
         another organisation or a secret,\nanswered otherwise where those are different, changed anything, or \
         outlived its time. *Bounded* are attacks on time\nand memory: the first of each shape runs always, all with \
         `TFO_ATTACKS=all`.\n\n| shape | statements | refused | answered | bounded |\n|---|---|---|---|---|\n"
    );
    let mut sums = [0; 4];
    for Told { shape, outcomes, .. } in told {
        let costly = shape.attacks.iter().filter(|attack| attack.cost).count();
        let cheap = &outcomes[..shape.attacks.len() - costly];
        let refused = cheap.iter().filter(|outcome| **outcome == Outcome::Refused).count();
        let bounded = costly + cheap.iter().filter(|outcome| **outcome == Outcome::Bounded).count();
        let row = [shape.attacks.len(), refused, shape.attacks.len() - refused - bounded, bounded];
        for (sum, count) in sums.iter_mut().zip(row) {
            *sum += count;
        }
        let [statements, refused, answered, bounded] = row;
        writeln!(
            text,
            "| {}: {} | {statements} | {refused} | {answered} | {bounded} |",
            shape.name,
            shape.why.replace('|', "\\|")
        )
        .unwrap();
    }
    let [statements, refused, answered, bounded] = sums;
    writeln!(text, "| **{} shapes** | {statements} | {refused} | {answered} | {bounded} |", told.len()).unwrap();
    text
}

fn compare(database: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/attacks/{database}/RESULTS.md"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "the results are others than {}; look, then UPDATE=1:\n{text}", path.display());
}

/// The runner finds what it looks for: past the product the same questions show canaries and secrets.
async fn sees_leaks(twins: &Twins, statements: &[(&str, &str)]) {
    for (sql, expected) in statements {
        let shown = twins.admin.unguarded(sql).await;
        assert!(shown.contains(expected), "{sql}: no {expected} in {shown:.300}");
        let attack = Attack { sql: (*sql).to_owned(), params: Vec::new(), loose: false, cost: false };
        assert!(forbidden(&attack, &shown, &twins.forbidden).is_some(), "{sql}: {shown:.300}");
    }
    // The twins differ in what the caller must not notice: one who may see it gets two answers.
    let table = if matches!(twins.admin, worlds::Admin::ClickHouse(_)) { "logs" } else { "agents" };
    let question =
        Attack { sql: format!("SELECT count(*) AS n FROM {table}"), params: Vec::new(), loose: false, cost: false };
    let foreign = &twins.both.words["foreign"];
    let theirs = said(&ask(&twins.both, foreign, &question).await, &twins.names);
    assert!(theirs.contains("\"rows\""), "{theirs}");
    assert_ne!(theirs, said(&ask(&twins.own, foreign, &question).await, &twins.names));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn attacks_on_postgres_do_no_harm() {
    let twins = Twins::postgres().await;
    sees_leaks(
        &twins,
        &[
            ("SELECT email FROM users", "saffron"),
            ("SELECT password FROM users", "tfo-canary-secret"),
            ("SELECT ts_stat.ts_stat FROM unnest(ARRAY['SELECT array_to_tsvector(ARRAY[title]) FROM alert_instances']) AS ts_stat(x)", "LEAK2"),
        ],
    )
    .await;
    attacked("postgres", &twins).await;
}

/// The second lock by itself: no parser looks at a definition's statement, and the guard in the database holds. What
/// the catalogues tell of sizes is not its business, so words are all that is judged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn attacks_past_the_parser_do_no_harm_behind_the_guard() {
    let twins = Twins::guarded().await;
    let before = twins.admin.fingerprint().await;
    let author = Author::Definition { organization_id: Some(&twins.organization_id) };
    let attacks: Vec<Attack> = shapes("postgres").into_iter().flat_map(|shape| shape.attacks).collect();
    let attacks = attacks.iter().filter(|attack| !attack.cost).map(|attack| attack.of(&twins.both.words));
    let twins = &twins;
    let ran: Vec<(Outcome, Option<String>)> = stream::iter(attacks)
        .map(|attack| async move {
            let answer = ask_as(&twins.both, author, &attack).await;
            let shown = said(&answer, &twins.names);
            let found = forbidden(&attack, &shown, &twins.forbidden);
            (outcome(&answer), found.map(|word| format!("{}\n    shows {word}: {shown:.600}", attack.sql)))
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let answered = ran.iter().filter(|(outcome, _)| *outcome == Outcome::Answered).count();
    let harm: Vec<String> = ran.into_iter().filter_map(|(_, harm)| harm).collect();
    println!("past the parser: {answered} answered");
    assert!(harm.is_empty(), "{} attacks did harm:\n{}", harm.len(), harm.join("\n"));
    // Far more than the parser lets pass, so that the guard was really asked.
    assert!(answered > 400, "{answered}");
    // Definitions keep their sessions, and with them locks that they took.
    twins.both.source.close().await;
    quiet(twins).await;
    assert_eq!(twins.admin.fingerprint().await, before, "an attack changed the database");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn attacks_on_sqlite_do_no_harm() {
    let twins = Twins::sqlite().await;
    sees_leaks(
        &twins,
        &[("SELECT email FROM users", "saffron"), ("SELECT config FROM notification_channels", "tfo-canary")],
    )
    .await;
    attacked("sqlite", &twins).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn attacks_on_clickhouse_do_no_harm() {
    let twins = Twins::clickhouse().await;
    sees_leaks(
        &twins,
        &[("SELECT body FROM logs", "LEAK2"), ("SELECT DISTINCT organization_id FROM logs_1h", "c5e803aa")],
    )
    .await;
    attacked("clickhouse", &twins).await;
}
