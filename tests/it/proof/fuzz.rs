//! 100,000 mutated messages over each transport: the server lives, stays small, and answers each request once.

use std::{collections::HashMap, path::Path};

use serde_json::{Value, json};

use super::mutation::{Due, Mutations, judge};
use crate::support::client::{Client, serve_command};

const MESSAGES: usize = 100_000;
/// Messages that are under way at once.
const WINDOW: usize = 200;
/// What the server may grow by from the first windows to the last: caches fill, nothing piles up.
const GROWTH_KIB: u64 = 48 << 10;

/// Resident memory of a process, in KiB.
pub fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Counts answers against what messages deserve.
#[derive(Default)]
pub struct Ledger {
    due: HashMap<String, (Due, usize, String)>,
    waiting: usize,
    pub requests: usize,
}

impl Ledger {
    /// A message is sent.
    pub fn sent(&mut self, line: &[u8]) {
        let due = judge(line);
        let (Due::One(id) | Due::AtMostOne(id)) = &due else { return };
        let (id, one) = (id.clone(), matches!(due, Due::One(_)));
        // Two messages of one id, by chance of the mutation: neither can be told from the other.
        if let Some((before, ..)) = self.due.get_mut(&id) {
            if matches!(before, Due::One(_)) {
                self.waiting -= 1;
            }
            *before = Due::Nothing;
            return;
        }
        self.waiting += usize::from(one);
        self.requests += usize::from(one);
        self.due.insert(id, (due, 0, String::from_utf8_lossy(line).into_owned()));
    }

    /// Something came back.
    pub fn came(&mut self, answer: &Value) {
        assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
        if answer.get("method").is_some() {
            return;
        }
        assert!(answer.get("result").is_some() != answer.get("error").is_some(), "{answer}");
        let id = match &answer["id"] {
            Value::Null => return assert!(answer["error"]["code"].is_i64(), "{answer}"),
            Value::String(id) => format!("{id:?}"),
            id => id.to_string(),
        };
        let Some((due, count, line)) = self.due.get_mut(&id) else { panic!("nobody asked for {answer}") };
        *count += 1;
        match due {
            Due::One(_) => {
                assert_eq!(*count, 1, "a second answer {answer} to {line}");
                self.waiting -= 1;
            }
            Due::AtMostOne(_) => assert_eq!(*count, 1, "a second answer {answer} to {line}"),
            Due::Nothing => {}
        }
    }

    pub fn settled(&self) -> bool {
        self.waiting == 0
    }

    pub fn unanswered(&self) -> Vec<&str> {
        let open = self.due.values().filter(|(due, count, _)| matches!(due, Due::One(_)) && *count == 0);
        open.map(|(_, _, line)| line.as_str()).collect()
    }

    /// Forgets what is settled; late answers to it would be found out as answers that nobody asked for.
    pub fn forget(&mut self) {
        self.due.retain(|_, (due, ..)| !matches!(due, Due::One(_)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_mutated_messages_over_stdio() {
    let data = tempfile::tempdir().unwrap();
    let mut client = Client::spawn(serve_command(data.path()));
    client.initialize("2025-11-25").await;
    let mut mutations = Mutations::new(20_261_121);
    let mut ledger = Ledger::default();
    let mut small = 0;
    for window in 0..MESSAGES / WINDOW {
        for _ in 0..WINDOW {
            let line = mutations.next();
            ledger.sent(&line);
            client.send(&line).await;
        }
        let sync = format!("sync-{window}");
        client.send_json(json!({"jsonrpc": "2.0", "id": sync, "method": "ping"})).await;
        let mut synced = false;
        while !synced || !ledger.settled() {
            let line = tokio::time::timeout(crate::support::client::DEADLINE, client.line())
                .await
                .unwrap_or_else(|_| panic!("no answer to {:#?}", ledger.unanswered()))
                .expect("the server lives");
            if line["id"] == sync { synced = true } else { ledger.came(&line) }
        }
        ledger.forget();
        if window == 50 {
            small = resident(client.pid());
        }
    }
    let large = resident(client.pid());
    println!("{MESSAGES} messages, {} requests answered once each; {small} KiB grew to {large} KiB", ledger.requests);
    assert!(large < small + GROWTH_KIB, "{small} KiB grew to {large} KiB");
    let (_, code) = client.finish().await;
    assert_eq!(code, Some(0));
}
