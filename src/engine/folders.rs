//! The folders of a call: those of the settings, narrowed to where its client works or in the place of the default.

use std::sync::Arc;

use serde_json::Value;

use super::{Call, CallError, CallErrorKind, Engine};
use crate::{
    definition::LogLevel,
    host::{commands, files::Files},
    template::message,
};

/// Longest sentence about a folder, in characters.
const MESSAGE: usize = 600;

/// What a call may touch on this machine.
#[derive(Clone)]
pub(super) struct Opened {
    pub files: Arc<Files>,
    /// None: those of the settings.
    pub commands: Option<Arc<commands::Folders>>,
}

impl Engine {
    /// The folders of a call. A call keeps those that it began with.
    pub(super) async fn folders(&self, call: &Call) -> Result<Opened, CallError> {
        let own = || Opened { files: self.options.files.clone(), commands: None };
        // Whoever works in no folder has said nothing about which.
        let Some(roots) = call.client.roots().await.filter(|roots| !roots.addresses.is_empty()) else {
            return Ok(own());
        };
        if let Some(opened) = roots.opened.get() {
            return Ok(opened.clone());
        }
        let (files, commands) = (self.options.files.clone(), self.options.commands.clone());
        let open = move || {
            let mut news = Vec::new();
            let opened = roots.opened.get_or_init(|| {
                let client = files.client(&roots.addresses);
                let files = files.of_client(&client);
                let commands = commands.folders_of(&client, &files);
                news = files.refused().to_vec();
                if files.are_of_client() {
                    news.extend(client.behind_links(&roots.addresses));
                }
                Opened { files: Arc::new(files), commands: Some(commands) }
            });
            (opened.clone(), news)
        };
        let done = tokio::task::spawn_blocking(open).await;
        let failed = |error| CallError::new(CallErrorKind::Internal, format!("the client's folders: {error}"));
        let (opened, news) = done.map_err(failed)?;
        for refused in news {
            let refused = message(&self.options.masking.masked(&refused).0, MESSAGE);
            tracing::warn!("{refused}");
            call.client.log(LogLevel::Warning, "roots", Value::String(refused)).await;
        }
        Ok(opened)
    }
}
