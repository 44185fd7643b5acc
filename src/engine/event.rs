//! What happens to a running server that its clients may want to know.

use serde_json::Value;
use tokio::sync::broadcast;

use crate::definition::LogLevel;

/// Something that clients may have asked to be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    ToolsChanged,
    PromptsChanged,
    ResourcesChanged,
    /// The content behind a URI changed.
    ResourceUpdated(String),
    /// A message of the server itself, such as the findings of a broken edit.
    Log {
        level: LogLevel,
        logger: String,
        data: Value,
    },
}

/// Events that a slow listener may lag behind; beyond that it learns that it missed some.
const KEPT: usize = 256;

/// Tells events to whoever listens.
#[derive(Debug)]
pub struct Events(broadcast::Sender<Event>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::channel(KEPT).0)
    }
}

impl Events {
    pub fn send(&self, event: Event) {
        // Nobody listening is no mistake.
        let _ = self.0.send(event);
    }

    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}
