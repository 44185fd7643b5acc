//! A session of the revisions before 2026-07-28: its lifecycle as a value, and what it keeps.
//!
//! The transport reports what it sees pass; the server asks whether the session is ending. Later revisions have
//! no session: their requests leave the phase where it is, and only the end of the connection moves it.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio_util::sync::CancellationToken;

use super::connection::Connection;

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// Connected; `initialize` has not been seen.
    Created,
    /// `initialize` has been asked; `notifications/initialized` has not been seen. Requests are served already:
    /// the revisions say SHOULD NOT, and clients do.
    Initializing,
    /// The client confirmed.
    Ready,
    /// Nothing more is read; what was asked is still answered.
    Closing,
    /// Everything is answered.
    Closed,
}

/// What moves a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An `initialize` request arrived; a second one negotiates anew.
    Initialize,
    /// `notifications/initialized` arrived.
    Initialized,
    /// End of input, an answered `shutdown`, or the operator's stop.
    End,
    /// The transport is closed.
    Close,
}

impl Phase {
    const ALL: [Phase; 5] = [Phase::Created, Phase::Initializing, Phase::Ready, Phase::Closing, Phase::Closed];

    /// A word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Created => "created",
            Phase::Initializing => "initializing",
            Phase::Ready => "ready",
            Phase::Closing => "closing",
            Phase::Closed => "closed",
        }
    }

    /// The phase after an event. Events that mean nothing in a phase leave it as it is.
    pub fn after(self, event: Event) -> Phase {
        match (self, event) {
            (_, Event::Close) => Phase::Closed,
            (Phase::Created | Phase::Initializing | Phase::Ready, Event::End) => Phase::Closing,
            (Phase::Created | Phase::Initializing | Phase::Ready, Event::Initialize) => Phase::Initializing,
            (Phase::Initializing, Event::Initialized) => Phase::Ready,
            (phase, _) => phase,
        }
    }
}

/// A session that several tasks look at.
#[derive(Debug)]
pub struct Session {
    phase: AtomicU8,
    ending: CancellationToken,
    stop: CancellationToken,
    /// What it wants to be told.
    pub connection: Arc<Connection>,
}

impl Session {
    /// A session that also ends when `stop` is cancelled.
    pub fn new(stop: &CancellationToken) -> Self {
        Self {
            phase: AtomicU8::new(Phase::Created as u8),
            ending: stop.child_token(),
            stop: stop.clone(),
            connection: Arc::default(),
        }
    }

    /// Where the session stands.
    pub fn phase(&self) -> Phase {
        let phase = self.phase.load(Ordering::Acquire);
        Phase::ALL.into_iter().find(|p| *p as u8 == phase).unwrap_or(Phase::Closed)
    }

    /// Moves the session.
    pub fn on(&self, event: Event) {
        let before = self.phase();
        let after = before.after(event);
        self.phase.store(after as u8, Ordering::Release);
        if after >= Phase::Closing {
            self.ending.cancel();
        }
        if before != after {
            tracing::debug!(?before, ?after, "session moves on");
        }
    }

    /// Cancelled as soon as nothing more is read.
    pub fn ending(&self) -> &CancellationToken {
        &self.ending
    }

    /// Cancelled by the operator.
    pub fn stopped(&self) -> &CancellationToken {
        &self.stop
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_the_events_of_a_session() {
        use Event::*;
        let cases: [(&[Event], Phase); 8] = [
            (&[], Phase::Created),
            (&[Initialized], Phase::Created),
            (&[Initialize], Phase::Initializing),
            (&[Initialize, Initialized], Phase::Ready),
            (&[Initialize, Initialized, Initialize], Phase::Initializing),
            (&[End, Initialize], Phase::Closing),
            (&[Initialize, Initialized, End, Initialized], Phase::Closing),
            (&[Initialize, Initialized, End, Close, End, Initialize], Phase::Closed),
        ];
        for (events, phase) in cases {
            let session = Session::new(&CancellationToken::new());
            events.iter().for_each(|event| session.on(*event));
            assert_eq!(session.phase(), phase, "{events:?}");
            assert_eq!(session.ending().is_cancelled(), phase >= Phase::Closing, "{events:?}");
        }
    }
}
