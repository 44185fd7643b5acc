//! What is kept of sessions while they are open, as a value: who they are of, what goes on in them, and the events that
//! their clients can come back for.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use rmcp::{model::RequestId, transport::streamable_http_server::session::SessionId};
use tokio_util::sync::DropGuard;

use super::{
    super::{
        direct::Answers,
        events::{Events, STANDALONE},
    },
    Pipe,
};
use crate::engine::Owner;

/// How long the events of a call that has ended are kept.
const KEPT: Duration = Duration::from_secs(120);
/// Most bytes of them, over all sessions.
const MAX_BYTES: usize = 16 << 20;

/// All sessions.
#[derive(Default)]
pub struct Kept {
    pub of: HashMap<SessionId, OfSession>,
    /// Calls that have ended, the oldest first, with their bytes.
    ended: VecDeque<(Instant, SessionId, u64, usize)>,
    bytes: usize,
    /// How often a session was used.
    pub uses: u64,
}

/// One session.
#[derive(Default)]
pub struct OfSession {
    /// Whose it is, where callers have credentials: for others it does not exist.
    pub owner: Option<Owner>,
    /// Who opened it; none until it is open.
    pub client: Option<String>,
    /// The last use of it, among those of all sessions.
    pub used: u64,
    /// Whether its client knows priming events.
    pub primed: bool,
    /// Whether its revision has batches.
    pub batches: bool,
    pub streams: HashMap<u64, Arc<Events>>,
    pub last: u64,
    /// Who answers in it; none until it is open.
    pub answers: Option<Answers>,
    /// Calls that are answered where they arrived. They are cancelled with the session.
    pub calls: HashMap<u64, (RequestId, DropGuard)>,
    /// The ids of its requests that are not answered yet.
    pub taken: HashSet<RequestId>,
    /// Its ends, where it is one stream (2024-11-05).
    pub pipe: Option<Pipe>,
    /// When rmcp was last told that it is used.
    pub told: Option<Instant>,
}

impl Kept {
    pub fn touch(&mut self, id: &str) {
        self.uses += 1;
        if let Some(of) = self.of.get_mut(id) {
            of.used = self.uses;
        }
    }

    /// Takes out the session that gives way to a new one of a client: of those in which nothing goes on and whose client
    /// has more than this one, or is this one, that of the client with the most that was used longest ago.
    pub fn give_way(&mut self, client: &str) -> Option<SessionId> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for client in self.of.values().filter_map(|of| of.client.as_deref()) {
            *counts.entry(client).or_default() += 1;
        }
        let count = |client: &str| counts.get(client).copied().unwrap_or_default();
        let least = count(client);
        let in_use = |of: &OfSession| !of.calls.is_empty() || of.streams.values().any(|events| events.is_in_use());
        let idle = self.of.iter().filter(|(_, of)| !in_use(of));
        let found = idle.filter_map(|(id, of)| {
            let whose = of.client.as_deref()?;
            let own = whose == client;
            (own || count(whose) > least).then(|| ((count(whose), own, Reverse(of.used)), id))
        });
        let id = found.max_by_key(|(rank, _)| *rank).map(|(_, id)| id.clone())?;
        self.of.remove(&id);
        Some(id)
    }

    /// A stream of a session, a new one where none is named; and whether the session is primed. Nothing is kept of a
    /// session that has just been closed.
    pub fn open(&mut self, id: &SessionId, stream: Option<u64>) -> (Arc<Events>, bool) {
        self.touch(id);
        let Some(of) = self.of.get_mut(id) else { return (Events::new(STANDALONE), false) };
        let stream = stream.unwrap_or_else(|| {
            of.last += 1;
            of.last
        });
        (of.streams.entry(stream).or_insert_with(|| Events::new(stream)).clone(), of.primed)
    }

    /// A call has ended: its events are kept where a client may come back for them.
    pub fn end(&mut self, id: &SessionId, stream: u64, size: Option<usize>) {
        self.touch(id);
        match size {
            Some(size) if size <= MAX_BYTES => {
                self.bytes += size;
                self.ended.push_back((Instant::now(), id.clone(), stream, size));
                self.forget();
            }
            _ => self.close(id, stream),
        }
    }

    fn close(&mut self, id: &SessionId, stream: u64) {
        if let Some(of) = self.of.get_mut(id) {
            of.streams.remove(&stream);
        }
    }

    /// Forgets the calls that ended too long ago, and the oldest where there are too many bytes.
    pub fn forget(&mut self) {
        while let Some((ended, ..)) = self.ended.front()
            && (self.bytes > MAX_BYTES || ended.elapsed() > KEPT)
            && let Some((_, id, stream, size)) = self.ended.pop_front()
        {
            self.bytes -= size;
            self.close(&id, stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(streams: &mut Kept, id: &str, client: &str) {
        streams.of.insert(id.into(), OfSession { client: Some(client.into()), ..OfSession::default() });
        streams.touch(id);
    }

    #[test]
    fn whoever_has_the_most_sessions_gives_way_and_nobody_to_the_greedy() {
        let mut streams = Kept::default();
        let mut open = |id: &str, client: &str| opened(&mut streams, id, client);
        ["g1", "g2", "g3", "g4"].into_iter().for_each(|id| open(id, "greedy"));
        ["a1", "a2"].into_iter().for_each(|id| open(id, "a"));
        streams.of.insert("opening".into(), OfSession::default());
        streams.touch("g1");
        // A call that goes on, and one that has ended.
        let (call, _) = streams.open(&"g3".into(), None);
        let mut gives_way = |client: &str| streams.give_way(client).map(|id| id.to_string());
        assert_eq!(gives_way("greedy").as_deref(), Some("g2"), "its own, the one used longest ago");
        assert_eq!(gives_way("b").as_deref(), Some("g4"), "in g3 a call goes on, and g1 was used since");
        assert_eq!(gives_way("a").as_deref(), Some("a1"), "both have two: it is its own");
        assert_eq!(gives_way("b").as_deref(), Some("g1"));
        assert_eq!(gives_way("greedy").as_deref(), None, "another has no more than it has");
        assert_eq!(gives_way("b").as_deref(), Some("a2"));
        assert_eq!(gives_way("b").as_deref(), None, "what is in use stays, and what is being opened");
        call.end();
        assert_eq!(gives_way("greedy").as_deref(), Some("g3"));
        opened(&mut streams, "s", "c");
        let (standalone, _) = streams.open(&"s".into(), Some(STANDALONE));
        let reader = standalone.reader(false);
        assert_eq!(streams.give_way("c"), None, "its stream is read");
        drop(reader);
        assert_eq!(streams.give_way("c").as_deref(), Some("s"));
    }

    #[test]
    fn what_is_kept_is_bounded_in_bytes() {
        let mut streams = Kept::default();
        let id: SessionId = "a".into();
        streams.of.insert(id.clone(), OfSession::default());
        let numbers: Vec<u64> = (0..5).map(|_| streams.open(&id, None).0.stream).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5]);
        streams.end(&id, 1, Some(MAX_BYTES / 2));
        streams.end(&id, 2, Some(MAX_BYTES / 2));
        streams.end(&id, 3, Some(1));
        streams.end(&id, 4, None);
        streams.end(&id, 5, Some(MAX_BYTES + 1));
        let mut kept: Vec<u64> = streams.of[&id].streams.keys().copied().collect();
        kept.sort_unstable();
        assert_eq!(kept, [2, 3], "the oldest goes first; nothing is kept of what was no stream, or is too large");
        assert_eq!(streams.bytes, MAX_BYTES / 2 + 1);
    }
}
