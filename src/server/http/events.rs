//! The events of one stream, kept for a client whose connection breaks: it comes back and names the last one that it
//! has (`Last-Event-ID`), and gets all that came after it.
//!
//! Events are numbered from 1 within their stream, and streams within their session, so that an id says both:
//! `3/2` is the third event of the second stream, `0/2` is where that begins. One reader is served at a time: a message
//! goes to one connection, and whoever shows that its connection broke is served from then on.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::Stream;
use rmcp::{model::ServerJsonRpcMessage, transport::streamable_http_server::session::ServerSseMessage};
use tokio::sync::Notify;

/// Events that are kept of a stream: a reader that is connected is waited for, one that is gone misses the oldest.
const KEPT: usize = 256;
/// The stream of what belongs to no call.
pub const STANDALONE: u64 = 0;
/// How soon a client should come back.
pub const RETRY: Duration = Duration::from_secs(3);

/// Where a client left off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub event: u64,
    pub stream: u64,
}

impl FromStr for Place {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (event, stream) = text.split_once('/').unwrap_or((text, ""));
        Ok(Self { event: event.parse()?, stream: stream.parse()? })
    }
}

/// The events of one stream.
#[derive(Debug)]
pub struct Events {
    /// Its number within the session.
    pub stream: u64,
    log: Mutex<Log>,
    /// Told when the reader has taken something, or has gone.
    room: Notify,
}

#[derive(Debug, Default)]
struct Log {
    kept: VecDeque<ServerSseMessage>,
    /// How many there were before those that are kept.
    dropped: u64,
    /// The last one that a reader was given.
    given: u64,
    ended: bool,
    readers: u64,
    /// The reader that is served.
    serving: Option<u64>,
    waiting: Vec<Waker>,
}

impl Log {
    fn last(&self) -> u64 {
        self.dropped + self.kept.len() as u64
    }

    fn wake(&mut self) {
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

impl Events {
    pub fn new(stream: u64) -> Arc<Self> {
        Arc::new(Self { stream, log: Mutex::default(), room: Notify::new() })
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self, event: u64) -> String {
        format!("{event}/{}", self.stream)
    }

    /// Adds an event; waits while the reader that is connected has too many before it.
    pub async fn push(&self, message: Arc<ServerJsonRpcMessage>) {
        loop {
            let room = self.room.notified();
            {
                let mut log = self.log();
                if log.serving.is_none() || log.last() - log.given < KEPT as u64 {
                    let event = log.last() + 1;
                    let mut kept = ServerSseMessage::default();
                    (kept.event_id, kept.message) = (Some(self.id(event)), Some(message));
                    log.kept.push_back(kept);
                    if log.kept.len() > KEPT {
                        log.kept.pop_front();
                        log.dropped += 1;
                    }
                    log.wake();
                    return;
                }
            }
            room.await;
        }
    }

    /// Nothing more will come.
    pub fn end(&self) {
        let mut log = self.log();
        log.ended = true;
        log.wake();
    }

    /// Whether a client reads it, or waits for the answer that it will bring.
    pub fn is_in_use(&self) -> bool {
        let log = self.log();
        log.serving.is_some() || self.stream != STANDALONE && !log.ended
    }

    /// Whether the last event is the answer to a request.
    pub fn is_answered(&self) -> bool {
        let log = self.log();
        let last = log.kept.back().and_then(|event| event.message.as_deref());
        matches!(last, Some(ServerJsonRpcMessage::Response(_) | ServerJsonRpcMessage::Error(_)))
    }

    /// Bytes of all that is kept.
    pub fn size(&self) -> usize {
        let messages: Vec<_> = self.log().kept.iter().filter_map(|event| event.message.clone()).collect();
        let mut size = Count(0);
        for message in messages {
            // Counting does not fail.
            let _ = serde_json::to_writer(&mut size, &*message);
        }
        size.0
    }

    /// Whether all that came after an event is still there.
    pub fn has_all_after(&self, event: u64) -> bool {
        let log = self.log();
        (log.dropped..=log.last()).contains(&event)
    }

    /// A reader of all that nobody was given yet. It waits for its turn while another one is served.
    pub fn reader(self: &Arc<Self>, primed: bool) -> Reader {
        let mut log = self.log();
        log.readers += 1;
        let (me, next) = (log.readers, log.given + 1);
        log.serving.get_or_insert(me);
        let priming = primed.then(|| ServerSseMessage::priming(self.id(log.given), RETRY));
        Reader { events: self.clone(), me, next, priming }
    }

    /// A reader of all that came after an event, served in the place of any other.
    pub fn reader_after(self: &Arc<Self>, event: u64) -> Reader {
        let mut log = self.log();
        log.readers += 1;
        let me = log.readers;
        log.serving = Some(me);
        log.wake();
        Reader { events: self.clone(), me, next: event + 1, priming: None }
    }
}

/// What is sent on one connection.
#[derive(Debug)]
pub struct Reader {
    events: Arc<Events>,
    me: u64,
    next: u64,
    /// Gives the client an id before there is anything to send (2025-11-25).
    priming: Option<ServerSseMessage>,
}

impl Stream for Reader {
    type Item = ServerSseMessage;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ServerSseMessage>> {
        if let Some(priming) = self.priming.take() {
            return Poll::Ready(Some(priming));
        }
        let events = self.events.clone();
        let mut log = events.log();
        if log.serving.is_none() {
            log.serving = Some(self.me);
            self.next = self.next.max(log.given + 1);
        }
        let served = log.serving == Some(self.me);
        self.next = self.next.max(log.dropped + 1);
        let event = usize::try_from(self.next - log.dropped - 1).ok().and_then(|at| log.kept.get(at)).cloned();
        match event.filter(|_| served) {
            Some(event) => {
                log.given = log.given.max(self.next);
                self.next += 1;
                events.room.notify_one();
                Poll::Ready(Some(event))
            }
            None if log.ended => Poll::Ready(None),
            None => {
                log.waiting.retain(|waker| !waker.will_wake(context.waker()));
                log.waiting.push(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut log = self.events.log();
        if log.serving == Some(self.me) {
            log.serving = None;
            log.wake();
            self.events.room.notify_one();
        }
    }
}

struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, StreamExt as _};
    use rmcp::model::{EmptyResult, RequestId, ServerResult};

    use super::*;

    async fn push(events: &Events, id: i64) {
        let result = ServerResult::EmptyResult(EmptyResult {});
        events.push(Arc::new(ServerJsonRpcMessage::response(result, RequestId::Number(id)))).await;
    }

    /// The ids of all that a reader can be given at once; `end` where its stream ends.
    fn given(reader: &mut Reader) -> Vec<String> {
        let mut ids = Vec::new();
        while let Some(next) = reader.next().now_or_never() {
            match next {
                Some(event) => ids.push(event.event_id.unwrap()),
                None => {
                    ids.push("end".into());
                    break;
                }
            }
        }
        ids
    }

    #[tokio::test]
    async fn what_was_not_given_is_given_after_the_end_too() {
        let events = Events::new(4);
        let mut first = events.reader(true);
        push(&events, 1).await;
        assert_eq!(given(&mut first), ["0/4", "1/4"]);
        drop(first);
        push(&events, 2).await;
        events.end();
        assert!(events.is_answered() && !Events::new(4).is_answered());
        let place: Place = "1/4".parse().unwrap();
        assert_eq!((place.event, place.stream), (1, 4));
        for _ in 0..2 {
            assert_eq!(given(&mut events.reader_after(1)), ["2/4", "end"], "as often as it is asked for");
        }
        assert_eq!(given(&mut events.reader_after(0)), ["1/4", "2/4", "end"]);
        assert!(events.has_all_after(0) && events.has_all_after(2) && !events.has_all_after(3));
        assert!(events.size() > 60);
        assert!(["", "1", "1/", "/1", "x/1", "-1/1", "1/1/1"].iter().all(|id| id.parse::<Place>().is_err()));
    }

    #[tokio::test]
    async fn one_reader_is_served_at_a_time() {
        let events = Events::new(0);
        let (mut first, mut second) = (events.reader(false), events.reader(false));
        push(&events, 1).await;
        assert_eq!((given(&mut second), given(&mut first)), (vec![], vec!["1/0".to_owned()]));
        // Whoever lost its connection is served; the connection that it lost is not.
        let mut again = events.reader_after(1);
        push(&events, 2).await;
        assert_eq!((given(&mut first), given(&mut again)), (vec![], vec!["2/0".to_owned()]));
        drop(again);
        push(&events, 3).await;
        assert_eq!(given(&mut second), ["3/0"], "it takes over");
    }

    #[tokio::test]
    async fn the_oldest_go_where_nobody_reads_and_a_reader_is_waited_for() {
        let events = Events::new(0);
        for id in 0..KEPT as i64 + 3 {
            push(&events, id).await;
        }
        assert!(!events.has_all_after(2) && events.has_all_after(3));
        let mut reader = events.reader(false);
        assert!(push(&events, 0).now_or_never().is_none(), "the reader has enough before it");
        assert_eq!(given(&mut reader).len(), KEPT);
        push(&events, 0).await;
        assert_eq!(given(&mut reader), [format!("{}/0", KEPT + 4)]);
    }
}
