//! Who has how many requests in flight.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};

/// The requests in flight of all clients.
#[derive(Debug)]
pub struct Turns {
    clients: Mutex<HashMap<(Arc<str>, Of), usize>>,
    per_client: usize,
}

/// What a turn is taken for. Each is counted apart, or the streams of a client, which last, would shut out its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Of {
    Request,
    Stream,
}

/// A request's turn; given back when dropped.
#[derive(Debug)]
pub struct Turn {
    turns: Arc<Turns>,
    client: (Arc<str>, Of),
}

impl Turns {
    pub fn new(per_client: usize) -> Arc<Self> {
        Arc::new(Self { clients: Mutex::default(), per_client: per_client.max(1) })
    }

    /// None: the client has too many already.
    pub fn begin(self: &Arc<Self>, client: impl Into<Arc<str>>, of: Of) -> Option<Turn> {
        let client = (client.into(), of);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let count = clients.entry(client.clone()).or_default();
        if *count >= self.per_client {
            return None;
        }
        *count += 1;
        Some(Turn { turns: self.clone(), client })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut clients = self.turns.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = clients.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                clients.remove(&self.client);
            }
        }
    }
}

/// A body that keeps something until it has been sent or is given up.
pub struct Guarded<T> {
    body: Body,
    kept: Option<T>,
}

impl<T> Guarded<T> {
    pub fn new(body: Body, kept: T) -> Self {
        Self { body, kept: Some(kept) }
    }
}

impl<T: Unpin> HttpBody for Guarded<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            this.kept = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_counted_by_client_and_by_what_they_are_for() {
        let turns = Turns::new(2);
        let begin = |client| turns.begin(client, Of::Request);
        let (first, second) = (begin("a").unwrap(), begin("a").unwrap());
        assert!(begin("a").is_none());
        let _other = begin("b").unwrap();
        let _stream = turns.begin("a", Of::Stream).unwrap();
        drop((first, second));
        assert!(begin("a").is_some() && turns.clients.lock().unwrap().len() == 2);
    }
}
