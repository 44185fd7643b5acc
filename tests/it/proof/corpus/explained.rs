//! The same attacks where they are only explained: what is refused to run is refused to be explained, in the same words,
//! and what is explained is the same on both twins and holds neither a word of others nor an organisation's id.

use super::*;

/// Everything that is said of a statement.
fn told(answer: &Result<tfo_mcp::source::Plan, tfo_mcp::source::SourceError>, names: &[String]) -> String {
    let text = match answer {
        Ok(plan) => format!("{plan:?}"),
        Err(error) => format!("{} {} {}", error.kind.as_str(), error.message, error.hint.as_deref().unwrap_or("")),
    };
    names.iter().fold(text, |text, name| text.replace(name.as_str(), "DATABASE"))
}

async fn run(twins: &Twins, attack: &Attack) -> (bool, Option<String>) {
    let explain = async |world: &World| {
        let attack = attack.of(&world.words);
        let binds = attack.params.iter().cloned().map(Bind::Text).collect();
        let statement = Statement { sql: attack.sql, binds };
        let author = Author::Caller { organization_id: &twins.organization_id };
        let limits = Limits { timeout: Duration::from_secs(10), ..LIMITS };
        let cancel = CancellationToken::new();
        world.source.explain(Query { statement: &statement, limits, author, cancel: &cancel, id: None }).await
    };
    let answer = ask(&twins.both, &twins.organization_id, &attack.of(&twins.both.words)).await;
    let (both, own) = (explain(&twins.both).await, explain(&twins.own).await);
    let (shown, alone) = (told(&both, &twins.names), told(&own, &twins.names));
    let asked = attack.of(&twins.both.words);
    let ids = [&twins.organization_id, &twins.both.words["foreign"]];
    let harm = match (&answer, &both) {
        _ if forbidden(&asked, &shown, &twins.forbidden).is_some() => Some("shows a word of others"),
        (_, Ok(_)) if ids.iter().any(|id| shown.contains(id.as_str()) && !asked.sql.contains(id.as_str())) => {
            Some("shows an id")
        }
        (Err(_), Ok(_)) if unread(&answer) => Some("is explained"),
        (Err(_), Err(_)) if unread(&answer) && said(&answer, &twins.names) != shown => Some("is refused otherwise"),
        (Ok(_), Err(error)) if unread(&Err(error.clone())) => Some("runs, and is not explained"),
        _ if shown != alone => Some("depends on what is others'"),
        _ => None,
    };
    let harm = harm.map(|harm| format!("{}\n    {harm}:\n    {shown:.900}\n    {alone:.900}", asked.sql));
    (both.is_ok(), harm)
}

async fn explained(database: &str, twins: &Twins, fewest: usize) {
    let attacks: Vec<Attack> = shapes(database).into_iter().flat_map(|shape| shape.attacks).collect();
    let cheap = attacks.iter().filter(|attack| !attack.cost);
    let ran: Vec<_> = stream::iter(cheap).map(|attack| run(twins, attack)).buffered(AT_ONCE).collect().await;
    let plans = ran.iter().filter(|(planned, _)| *planned).count();
    let harm: Vec<String> = ran.into_iter().filter_map(|(_, harm)| harm).collect();
    println!("{database}: {plans} explained");
    assert!(harm.is_empty(), "{} of {database} did harm:\n{}", harm.len(), harm.join("\n"));
    assert!(plans >= fewest, "only {plans} of {database} were explained");
    quiet(twins).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn attacks_that_are_explained_on_postgres_do_no_harm() {
    explained("postgres", &Twins::postgres().await, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn attacks_that_are_explained_behind_the_guard_do_no_harm() {
    explained("postgres", &Twins::guarded().await, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn attacks_that_are_explained_on_sqlite_do_no_harm() {
    explained("sqlite", &Twins::sqlite().await, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn attacks_that_are_explained_on_clickhouse_do_no_harm() {
    explained("clickhouse", &Twins::clickhouse().await, 200).await;
}
