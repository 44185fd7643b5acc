//! Who has how many requests in flight, and the ids that are taken within a session.

use std::{
    collections::{HashMap, HashSet},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use rmcp::model::RequestId;

/// The requests in flight of all clients.
#[derive(Debug)]
pub struct Turns {
    state: Mutex<State>,
    per_client: usize,
}

#[derive(Debug, Default)]
struct State {
    clients: HashMap<(String, Of), usize>,
    ids: HashSet<(String, RequestId)>,
}

/// What a turn is taken for. Each is counted apart, or the streams of a client, which last, would shut out its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Of {
    Request,
    Stream,
}

/// Why a request gets no turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The client has too many already.
    Busy,
    /// The id is taken within its session.
    Taken,
}

/// A request's turn; given back when dropped.
#[derive(Debug)]
pub struct Turn {
    turns: Arc<Turns>,
    client: (String, Of),
    id: Option<(String, RequestId)>,
}

impl Turns {
    pub fn new(per_client: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), per_client: per_client.max(1) })
    }

    pub fn begin(self: &Arc<Self>, client: &str, of: Of, id: Option<(String, RequestId)>) -> Result<Turn, Refused> {
        let client = (client.to_owned(), of);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.clients.get(&client).is_some_and(|count| *count >= self.per_client) {
            return Err(Refused::Busy);
        }
        if let Some(id) = &id
            && !state.ids.insert(id.clone())
        {
            return Err(Refused::Taken);
        }
        *state.clients.entry(client.clone()).or_default() += 1;
        Ok(Turn { turns: self.clone(), client, id })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turns.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = &self.id {
            state.ids.remove(id);
        }
        if let Some(count) = state.clients.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                state.clients.remove(&self.client);
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
    fn turns_are_counted_by_client_and_ids_by_session() {
        let turns = Turns::new(2);
        let id = |n| Some(("session".to_owned(), RequestId::Number(n)));
        let begin = |client, id| turns.begin(client, Of::Request, id);
        let first = begin("a", id(1)).unwrap();
        assert_eq!(begin("a", id(1)).unwrap_err(), Refused::Taken);
        let second = begin("a", None).unwrap();
        assert_eq!(begin("a", None).unwrap_err(), Refused::Busy);
        let _other = begin("b", None).unwrap();
        let _stream = turns.begin("a", Of::Stream, None).unwrap();
        drop((first, second));
        assert!(begin("a", id(1)).is_ok());
    }
}
