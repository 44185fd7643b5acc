//! A message that is being answered, for the counts: from its arrival until its answer has been sent.

use std::{sync::Arc, time::Instant};

use rmcp::{model::ClientNotification, transport::streamable_http_server::session::SessionId};

use super::{Shared, sessions::Taken, turns::Turn};

/// Counted for a client that left before its answer began.
pub const CLOSED_BY_CLIENT: u16 = 499;

/// A message that is being answered: counted when its answer has been sent, or nobody wants it any more.
pub struct Answering {
    pub shared: Arc<Shared>,
    pub method: &'static str,
    pub started: Instant,
    pub status: u16,
    pub unfinished: bool,
    pub ends: Option<SessionId>,
    pub _turn: (Turn, Option<Taken>),
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.shared.metrics.answered(self.method, self.status, self.started.elapsed().as_secs_f64());
        if self.unfinished {
            self.shared.metrics.in_flight.dec();
        }
        if let Some(session) = self.ends.take().filter(|_| self.status < 300) {
            self.shared.close(session);
        }
    }
}

/// The method of a notification, for the counts.
pub fn notified(notification: &ClientNotification) -> &'static str {
    match notification {
        ClientNotification::CancelledNotification(_) => "notifications/cancelled",
        ClientNotification::ProgressNotification(_) => "notifications/progress",
        ClientNotification::InitializedNotification(_) => "notifications/initialized",
        _ => "",
    }
}
