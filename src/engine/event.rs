//! What happens to a running server that its clients may want to know.

use serde_json::Value;
use tokio::sync::broadcast;

use crate::{catalog::UriTemplate, definition::LogLevel};

/// Something that clients may have asked to be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    ToolsChanged,
    PromptsChanged,
    ResourcesChanged,
    /// The content behind a URI changed; of a URI template, behind every URI that it stands for. Whom it concerns
    /// is for [`Event::concerns`] to say.
    ResourceUpdated(String),
    /// A message of the server itself, such as the findings of a broken edit.
    Log {
        level: LogLevel,
        logger: String,
        data: Value,
    },
}

impl Event {
    /// Whether the content behind a URI, or behind a URI template, may have changed with it.
    pub fn concerns(&self, uri: &str) -> bool {
        let Self::ResourceUpdated(updated) = self else { return false };
        updated == uri || UriTemplate::parse(updated).is_ok_and(|template| template.matches(uri).is_some())
    }
}

/// Events that a slow listener may lag behind; beyond that it learns that it missed some.
const KEPT: usize = 256;

/// Tells events to whoever listens.
#[derive(Debug, Clone)]
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
