//! One run for equal calls, whatever becomes of the call that runs; and memory with a bound and an end.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::poll;

use super::*;

fn kept(bytes: usize) -> Kept {
    Kept::new(Some(bytes))
}

fn sought(key: &str) -> Sought {
    Sought { key: key.into(), lifetime: Period::from_secs(600) }
}

fn made(text: &str, worth: Worth) -> Made {
    Made { thing: Thing::Answer(Box::new(Produced::text(text.into()))), worth, organizations: vec!["one".into()] }
}

fn text(found: &Found) -> String {
    match &found.entry.thing {
        Thing::Answer(produced) => crate::engine::texts(&produced.content),
        Thing::Document(document) => document.title.clone(),
    }
}

async fn run(runs: &AtomicUsize, ended: Result<Made, CallErrorKind>) -> Result<Made, CallError> {
    runs.fetch_add(1, Ordering::Relaxed);
    tokio::task::yield_now().await;
    ended.map_err(|kind| CallError::new(kind, "no"))
}

async fn ask(
    kept: &Kept,
    key: &str,
    runs: &AtomicUsize,
    ended: Result<Made, CallErrorKind>,
) -> Result<(String, Option<Use>, bool), CallError> {
    let ledger = Ledger::default();
    let found = kept.get(&sought(key), &ledger, OffsetDateTime::now_utc, run(runs, ended)).await?;
    let how = ledger.uses().first().copied();
    // Whoever runs enters them as it reads.
    let read: &[&str] = if how == Some(Use::Miss) { &[] } else { &["one"] };
    assert_eq!(ledger.organizations(), read, "the audit log knows whose rows it were");
    Ok((text(&found), how, found.age.is_some()))
}

#[tokio::test]
async fn equal_calls_run_once_and_the_answer_is_kept() {
    let (kept, runs) = (kept(1 << 20), AtomicUsize::new(0));
    let one = || ask(&kept, "a", &runs, Ok(made("said", Worth::Kept)));
    let (a, b, c) = tokio::join!(one(), one(), one());
    let said = |how, old| Ok(("said".to_owned(), Some(how), old));
    assert_eq!((a, b, c), (said(Use::Miss, false), said(Use::Wait, false), said(Use::Wait, false)));
    assert_eq!(one().await, said(Use::Hit, true));
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    assert!(locked(&kept.flights).is_empty());
    // Another key is another call.
    assert_eq!(ask(&kept, "b", &runs, Ok(made("other", Worth::Kept))).await.unwrap().0, "other");
    kept.forget();
    assert_eq!(one().await, said(Use::Miss, false));
}

#[tokio::test]
async fn failures_are_told_to_those_who_wait_and_kept_for_nobody() {
    let (kept, runs) = (kept(1 << 20), AtomicUsize::new(0));
    let fails = || ask(&kept, "a", &runs, Err(CallErrorKind::Unavailable));
    let (a, b) = tokio::join!(fails(), fails());
    assert_eq!((a.unwrap_err().kind, b.unwrap_err().kind), (CallErrorKind::Unavailable, CallErrorKind::Unavailable));
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    let part = || ask(&kept, "a", &runs, Ok(made("a part", Worth::Shared)));
    let (a, b) = tokio::join!(part(), part());
    assert_eq!((a.unwrap().1, b.unwrap().1, runs.load(Ordering::Relaxed)), (Some(Use::Miss), Some(Use::Wait), 2));
    assert_eq!(ask(&kept, "a", &runs, Ok(made("whole", Worth::Kept))).await.unwrap().0, "whole");
    assert_eq!(runs.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_leader_that_goes_away_or_is_late_leaves_the_run_to_the_next() {
    let (kept, runs) = (kept(1 << 20), AtomicUsize::new(0));
    let mut gone = Box::pin(ask(&kept, "a", &runs, Ok(made("gone", Worth::Kept))));
    assert!(poll!(&mut gone).is_pending());
    let mut second = Box::pin(ask(&kept, "a", &runs, Err(CallErrorKind::Cancelled)));
    let mut third = Box::pin(ask(&kept, "a", &runs, Ok(made("late", Worth::Own))));
    let fourth = ask(&kept, "a", &runs, Ok(made("said", Worth::Kept)));
    assert!(poll!(&mut second).is_pending() && poll!(&mut third).is_pending());
    drop(gone);
    let (second, third, fourth) = tokio::join!(second, third, fourth);
    assert_eq!(second.unwrap_err().kind, CallErrorKind::Cancelled);
    assert_eq!(third.unwrap().0, "late");
    assert_eq!(fourth, Ok(("said".into(), Some(Use::Miss), false)));
    assert_eq!(runs.load(Ordering::Relaxed), 4, "each ran for itself");
    assert!(locked(&kept.flights).is_empty(), "nobody is waited for");
}

#[tokio::test]
async fn whoever_waits_goes_when_its_own_time_is_over() {
    let (kept, runs) = (kept(1 << 20), AtomicUsize::new(0));
    let never = async {
        std::future::pending::<()>().await;
        unreachable!("nobody ends it")
    };
    let (ledger, key) = (Ledger::default(), sought("a"));
    let mut leader = Box::pin(kept.get(&key, &ledger, OffsetDateTime::now_utc, never));
    assert!(poll!(&mut leader).is_pending());
    let waits = ask(&kept, "a", &runs, Ok(made("said", Worth::Kept)));
    assert!(tokio::time::timeout(Duration::from_millis(20), waits).await.is_err());
    assert_eq!((runs.load(Ordering::Relaxed), locked(&kept.flights).len()), (0, 1));
    drop(leader);
    assert!(locked(&kept.flights).is_empty());
}

/// Those who cancel one after the other do not tire out the one who stays.
#[tokio::test]
async fn five_hundred_leaders_that_go_away_poison_nobody() {
    let (kept, runs) = (kept(1 << 20), AtomicUsize::new(0));
    let mut leaders: std::collections::VecDeque<_> =
        (0..500).map(|_| Box::pin(ask(&kept, "a", &runs, Ok(made("gone", Worth::Kept))))).collect();
    for leader in &mut leaders {
        assert!(poll!(leader).is_pending());
    }
    let mut stays = Box::pin(ask(&kept, "a", &runs, Ok(made("said", Worth::Kept))));
    assert!(poll!(&mut stays).is_pending());
    while let Some(leader) = leaders.pop_front() {
        drop(leader);
        if let Some(next) = leaders.front_mut() {
            assert!(poll!(next).is_pending());
        }
        assert!(poll!(&mut stays).is_pending());
    }
    assert_eq!(stays.await.unwrap().0, "said");
}

#[tokio::test]
async fn memory_is_bounded_and_what_is_too_large_is_not_kept() {
    let (kept, runs) = (kept(256 << 10), AtomicUsize::new(0));
    for n in 0..200 {
        ask(&kept, &n.to_string(), &runs, Ok(made(&"x".repeat(8 << 10), Worth::Kept))).await.unwrap();
    }
    let store = kept.store.as_ref().unwrap();
    store.run_pending_tasks();
    assert!(store.weighted_size() <= 256 << 10, "{}", store.weighted_size());
    assert!(store.entry_count() > 20, "{}", store.entry_count());
    // The newest are kept.
    assert_eq!(ask(&kept, "199", &runs, Err(CallErrorKind::Failed)).await.unwrap().1, Some(Use::Hit));
    let large = || ask(&kept, "large", &runs, Ok(made(&"x".repeat(64 << 10), Worth::Kept)));
    assert_eq!((large().await.unwrap().1, large().await.unwrap().1), (Some(Use::Miss), Some(Use::Miss)));
}

#[tokio::test]
async fn an_answer_ends_by_itself() {
    let (kept, runs) = (kept(1 << 20), AtomicUsize::new(0));
    let short = Sought { key: "a".into(), lifetime: Period(Duration::from_millis(1)) };
    let ledger = Ledger::default();
    for _ in 0..2 {
        let found = kept.get(&short, &ledger, OffsetDateTime::now_utc, run(&runs, Ok(made("said", Worth::Kept))));
        found.await.unwrap();
        let store = kept.store.as_ref().unwrap();
        while store.contains_key("a") {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(ledger.uses(), [Use::Miss, Use::Miss]);
}
