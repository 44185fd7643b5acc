//! The strict line transport: one JSON-RPC message a line, every line answered that deserves an answer.
//!
//! It does what rmcp's own line transport leaves open: malformed lines get their error, oversized ones are
//! skipped within bounded memory, an id cannot be used twice at once, and the end of input is held back while what is in
//! flight is answered. It ends in bounded time, whatever the client does: calls are cancelled, and what it does not read is
//! dropped. rmcp polls [`Transport::receive`] inside a `select!`, so whatever must survive a dropped future lives in `self`.

use std::{io, time::Duration};

use rmcp::{
    ErrorData, RoleServer,
    model::{GetExtensions as _, JsonRpcMessage},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    gate::Gate,
    session::Event,
    wire::{self, Line, Lines},
};

/// Lines waiting for the client to read them; senders wait beyond that.
const OUTBOX: usize = 1024;
/// Longest wait for room for one more request.
const ROOM: Duration = Duration::from_secs(1);
/// Bytes that one write collects before it goes out.
const WRITE: usize = 256 << 10;

/// What bounds a connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest line in bytes (`mcp.max_message_size`).
    pub max_message_size: usize,
    /// Most requests that wait for their answers; further ones are refused.
    pub max_requests: usize,
    /// Longest wait for the next answer after the end of input; then what is in flight is cancelled
    /// (`mcp.drain_timeout`).
    pub drain: Duration,
    /// How long what is in flight may take after the operator's stop.
    pub stop: Duration,
}

/// How long a client that reads nothing is waited for when it has ended its input, or the operator stops.
const UNREAD: Duration = Duration::from_secs(2);

/// The transport of one connection.
#[derive(Debug)]
pub struct LineTransport<R> {
    lines: Lines<R>,
    outbox: Option<mpsc::Sender<Vec<u8>>>,
    gate: Gate,
    shared: Shared,
    limits: Limits,
    /// The HTTP request that every message belongs to, where there is one.
    caller: Option<::http::request::Parts>,
    /// Since when there is no room for another request.
    full_since: Option<Instant>,
    /// When the input ended, and when the operator stopped.
    ended: Option<Instant>,
    stopped: Option<Instant>,
    /// Whether requests were given up on: they are cancelled once their errors are on their way.
    gave_up: bool,
}

/// Takes lines to the client: one write for all that are ready. Ends when every sender is gone, or when a client that is
/// `leaving` does not read.
pub fn writer<W: AsyncWrite + Unpin + Send + 'static>(
    mut write: W,
    leaving: CancellationToken,
) -> (mpsc::Sender<Vec<u8>>, JoinHandle<()>) {
    let (outbox, mut lines) = mpsc::channel::<Vec<u8>>(OUTBOX);
    let task = tokio::spawn(async move {
        let mut batch = Vec::with_capacity(64 << 10);
        while let Some(line) = lines.recv().await {
            batch.extend_from_slice(&line);
            while batch.len() < WRITE
                && let Ok(line) = lines.try_recv()
            {
                batch.extend_from_slice(&line);
            }
            if let Err(error) = write_out(&mut write, &batch, &leaving).await {
                tracing::info!(%error, "the client no longer reads");
                return;
            }
            batch.clear();
            batch.shrink_to(WRITE);
        }
    });
    (outbox, task)
}

/// Writes all of it, as long as it moves on.
async fn write_out(
    write: &mut (impl AsyncWrite + Unpin),
    mut bytes: &[u8],
    leaving: &CancellationToken,
) -> io::Result<()> {
    let too_long = || async {
        leaving.cancelled().await;
        tokio::time::sleep(UNREAD).await;
        io::Error::new(io::ErrorKind::TimedOut, "it is leaving, and does not read the last answers")
    };
    while !bytes.is_empty() {
        let count = tokio::select! {
            count = write.write(bytes) => count?,
            error = too_long() => return Err(error),
        };
        match bytes.get(count..) {
            Some(rest) if count > 0 => bytes = rest,
            _ => return Err(io::ErrorKind::WriteZero.into()),
        }
    }
    tokio::select! {
        flushed = write.flush() => flushed,
        error = too_long() => Err(error),
    }
}

/// A message of the HTTP request that it came with, where there is one.
fn of(
    mut message: RxJsonRpcMessage<RoleServer>,
    caller: Option<&::http::request::Parts>,
) -> RxJsonRpcMessage<RoleServer> {
    if let (JsonRpcMessage::Request(request), Some(caller)) = (&mut message, caller) {
        request.request.extensions_mut().insert(caller.clone());
    }
    message
}

/// Ends when the client no longer reads.
async fn unread(outbox: Option<&mpsc::Sender<Vec<u8>>>) {
    if let Some(outbox) = outbox {
        outbox.closed().await;
    }
}

impl<R: AsyncRead + Unpin + Send> LineTransport<R> {
    pub fn new(
        read: R,
        outbox: mpsc::Sender<Vec<u8>>,
        shared: Shared,
        limits: Limits,
        caller: Option<::http::request::Parts>,
    ) -> Self {
        Self {
            lines: Lines::new(read, limits.max_message_size),
            outbox: Some(outbox),
            gate: Gate::new(shared.clone(), limits.max_requests),
            shared,
            limits,
            caller,
            full_since: None,
            ended: None,
            stopped: None,
            gave_up: false,
        }
    }

    /// Hands the transport's own lines to the writer. None: nobody reads, so nobody should work on an answer either.
    async fn flushed(&mut self) -> Option<()> {
        let flushed = self.flush_replies().await;
        if flushed.is_none() {
            self.shared.abort.cancel();
        }
        flushed
    }

    async fn flush_replies(&mut self) -> Option<()> {
        while !self.gate.replies.is_empty() {
            let room = self.outbox.as_ref()?.reserve().await.ok()?;
            if let Some(line) = self.gate.replies.pop_front() {
                room.send(line);
            }
        }
        Some(())
    }

    /// Waits a moment for room for one more request: a client that writes faster than small requests are answered is
    /// slowed down, one that leaves no room is refused. Whatever else it sends, such as a cancellation, is read.
    async fn room(&mut self) {
        let max = self.gate.most();
        if self.shared.in_flight.len() < max {
            self.full_since = None;
            return;
        }
        // Kept, because rmcp begins to receive anew whenever it has something to send.
        let since = *self.full_since.get_or_insert_with(Instant::now);
        if tokio::time::timeout_at(since + ROOM, self.shared.in_flight.until_fewer(max)).await.is_ok() {
            self.full_since = None;
        }
    }

    /// Waits for what is in flight: after the end of input as long as answers keep coming, after the operator's stop a
    /// moment. What is not answered by then is cancelled and gets an error.
    async fn drain(&mut self) {
        let ended = *self.ended.get_or_insert_with(Instant::now);
        let stop = self.shared.session.stopped();
        let idle = loop {
            if stop.is_cancelled() {
                self.stopped.get_or_insert_with(Instant::now);
            }
            let deadline = match self.stopped {
                Some(stopped) => stopped + self.limits.stop,
                None => self.shared.in_flight.last_answer().map_or(ended, |last| last.max(ended)) + self.limits.drain,
            };
            if deadline <= Instant::now() {
                break false;
            }
            tokio::select! {
                () = self.shared.in_flight.until_idle() => break true,
                () = tokio::time::sleep_until(deadline) => {}
                () = stop.cancelled(), if self.stopped.is_none() => {}
                () = unread(self.outbox.as_ref()) => break false,
            }
        };
        if !idle {
            let what = match self.stopped {
                Some(_) => "the server was stopped before the request was finished",
                None => {
                    "the input ended before the request was finished; keep it open until the answers are there \
                     (mcp.drain_timeout)"
                }
            };
            let error = ErrorData::internal_error(what, None);
            for id in self.shared.in_flight.give_up() {
                tracing::warn!(%id, "gave up on a request at the end of input");
                self.gate.refuse(id, &error);
            }
            self.gave_up = true;
        }
    }
}

impl<R: AsyncRead + Unpin + Send + 'static> Transport<RoleServer> for LineTransport<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let (id, ok) = match &message {
            JsonRpcMessage::Response(response) => (Some(response.id.clone()), true),
            JsonRpcMessage::Error(error) => (error.id.clone(), false),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => (None, true),
        };
        let in_flight = self.shared.in_flight.clone();
        let wanted = id.as_ref().is_none_or(|id| in_flight.awaits(id));
        if let Some(id) = &id {
            self.gate.answered(id, ok);
        }
        let outbox = self.outbox.clone().filter(|_| wanted);
        let line = wire::line_of(&message);
        async move {
            let Some(outbox) = outbox else { return Ok(()) };
            let sent = match line {
                Ok(line) => outbox.send(line).await.map_err(|_| io::ErrorKind::BrokenPipe.into()),
                Err(error) => Err(error.into()),
            };
            // Only now: the end of input waits for the last line to be on its way.
            if let Some(id) = &id {
                in_flight.answered(id);
            }
            sent
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            self.flushed().await?;
            if let Some(id) = self.gate.barrier() {
                self.shared.in_flight.until_answered(id).await;
            }
            if self.shared.session.ending().is_cancelled() {
                self.shared.session.on(Event::End);
                self.drain().await;
                self.flushed().await?;
                // Not before: rmcp asks for no further line of what is cancelled, and a flush may take several turns.
                if self.gave_up {
                    self.shared.abort.cancel();
                }
                return None;
            }
            self.room().await;
            if let Some(line) = self.gate.waiting.pop_front() {
                match self.gate.read(&line) {
                    Some(message) => return Some(of(message, self.caller.as_ref())),
                    None => continue,
                }
            }
            let line = tokio::select! {
                biased;
                line = self.lines.next() => line,
                () = self.shared.session.ending().cancelled() => continue,
                () = unread(self.outbox.as_ref()) => {
                    // Nobody will see an answer, so nobody should work on one.
                    self.shared.abort.cancel();
                    return None;
                }
            };
            match line {
                Ok(Line::Whole(line)) => {
                    if let Some(message) = self.gate.read(line) {
                        return Some(of(message, self.caller.as_ref()));
                    }
                }
                Ok(Line::Oversized(line)) => {
                    self.gate.replies.extend(wire::answer_to_oversized(line, self.limits.max_message_size));
                }
                Ok(Line::End) => self.shared.session.on(Event::End),
                Err(error) => {
                    tracing::warn!(%error, "the input cannot be read");
                    self.shared.session.on(Event::End);
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.outbox = None;
        self.shared.session.on(Event::Close);
        Ok(())
    }
}
