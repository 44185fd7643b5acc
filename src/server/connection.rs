//! What a session of the revisions before 2026-07-28 keeps, and what it is told of events.
//!
//! One [`Connection`] per handler: on a pipe as long as the pipe, over HTTP as long as the session. Events come from
//! a bounded broadcast; a session that reads too slowly misses some, and is then told that everything may have
//! changed, which is always true enough.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rmcp::{RoleServer, ServiceError, model::ResourceUpdatedNotificationParam, service::Peer};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::{Offers, client};
use crate::{
    definition::LogLevel,
    engine::{ClientRoots, Event},
};

/// Most URIs that one session, or one stream of 2026-07-28, may subscribe to.
pub const MAX_SUBSCRIPTIONS: usize = 1000;
/// Most streams of `subscriptions/listen` on one pipe.
pub const MAX_STREAMS: usize = 100;

/// The state of a session.
#[derive(Debug)]
pub struct Connection {
    /// The revisions leave open what is sent before `logging/setLevel`: what is of interest to a person.
    level: Mutex<LogLevel>,
    subscribed: Mutex<BTreeSet<String>>,
    /// Events since `initialize`, until somebody listens; nothing that happens in between is lost.
    since_initialize: Mutex<Option<Receiver<Event>>>,
    pub roots: Roots,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            level: Mutex::new(LogLevel::Info),
            subscribed: Mutex::default(),
            since_initialize: Mutex::default(),
            roots: Roots::default(),
        }
    }
}

/// The folders of the client, as far as it was asked.
#[derive(Debug, Default)]
pub struct Roots {
    /// How often the client said that they changed. Counted where messages are read, so that a call behind the news knows it.
    changes: AtomicU64,
    /// The answer, and how many changes there had been when it was asked for. None: the client has none to tell.
    known: tokio::sync::Mutex<Option<(u64, Option<Arc<ClientRoots>>)>>,
}

impl Roots {
    /// The next call that needs them asks again.
    pub fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// What is known, or what the client answers now; calls at the same time ask once.
    pub async fn known(&self, ask: impl Future<Output = Option<Arc<ClientRoots>>>) -> Option<Arc<ClientRoots>> {
        let mut known = self.known.lock().await;
        let changes = self.changes.load(Ordering::Acquire);
        match &*known {
            Some((then, roots)) if *then == changes => roots.clone(),
            _ => {
                let roots = ask.await;
                *known = Some((changes, roots.clone()));
                roots
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    /// From which level on the session wants log messages.
    pub fn level(&self) -> LogLevel {
        *locked(&self.level)
    }

    pub fn set_level(&self, level: LogLevel) {
        *locked(&self.level) = level;
    }

    /// False: there are too many already.
    pub fn subscribe(&self, uri: &str) -> bool {
        let mut subscribed = locked(&self.subscribed);
        if subscribed.len() >= MAX_SUBSCRIPTIONS && !subscribed.contains(uri) {
            return false;
        }
        subscribed.insert(uri.to_owned());
        true
    }

    pub fn unsubscribe(&self, uri: &str) {
        locked(&self.subscribed).remove(uri);
    }

    /// Remembers the events from now on, for [`listen`](Self::listen).
    pub fn expect(&self, events: Receiver<Event>) {
        *locked(&self.since_initialize) = Some(events);
    }

    /// Tells the session what happens, until `closed`. A second call does nothing, unless a session began anew.
    pub fn listen(self: &Arc<Self>, peer: Peer<RoleServer>, offers: Offers, closed: CancellationToken) {
        let Some(mut events) = locked(&self.since_initialize).take() else { return };
        let connection = self.clone();
        tokio::spawn(closed.run_until_cancelled_owned(async move {
            loop {
                let told = match events.recv().await {
                    Ok(event) => connection.tell(&peer, offers, event).await,
                    Err(RecvError::Lagged(missed)) => {
                        tracing::debug!(missed, "a session missed events; it is told that everything changed");
                        connection.tell_all(&peer, offers).await
                    }
                    Err(RecvError::Closed) => return,
                };
                if told.is_err() {
                    return;
                }
            }
        }));
    }

    async fn tell(&self, peer: &Peer<RoleServer>, offers: Offers, event: Event) -> Result<(), ServiceError> {
        match event {
            Event::ToolsChanged if offers.tools => peer.notify_tool_list_changed().await,
            Event::PromptsChanged if offers.prompts => peer.notify_prompt_list_changed().await,
            Event::ResourcesChanged if offers.resources => peer.notify_resource_list_changed().await,
            Event::ResourceUpdated(_) if offers.resources => {
                let concerned: Vec<String> =
                    locked(&self.subscribed).iter().filter(|uri| event.concerns(uri)).cloned().collect();
                self.tell_updated(peer, concerned).await
            }
            Event::Log { level, logger, data } if offers.logging && level >= self.level() => {
                client::log_to(peer, level, &logger, data).await
            }
            _ => Ok(()),
        }
    }

    async fn tell_all(&self, peer: &Peer<RoleServer>, offers: Offers) -> Result<(), ServiceError> {
        for event in [Event::ToolsChanged, Event::PromptsChanged, Event::ResourcesChanged] {
            self.tell(peer, offers, event).await?;
        }
        let all = locked(&self.subscribed).iter().cloned().collect();
        self.tell_updated(peer, all).await
    }

    async fn tell_updated(&self, peer: &Peer<RoleServer>, uris: Vec<String>) -> Result<(), ServiceError> {
        for uri in uris {
            peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await?;
        }
        Ok(())
    }
}
