//! `subscriptions/listen` of 2026-07-28: one stream of what the client asked for, until it or the server ends.

use rmcp::{
    model::SubscriptionFilter,
    service::{SubscriptionContext, SubscriptionSendError, SubscriptionSink},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::engine::Event;

/// Tells a stream what happens, until the events end or the client is gone; of resources only those that it is `concerned` with.
pub async fn tell(context: &SubscriptionContext, mut events: Receiver<Event>, concerned: impl Fn(&str) -> bool) {
    let (sink, accepted) = (context.sink(), context.accepted());
    loop {
        let told = match events.recv().await {
            Ok(event) => tell_one(sink, accepted, &event, &concerned).await,
            Err(RecvError::Lagged(missed)) => {
                tracing::debug!(missed, "a stream missed events; it is told that everything changed");
                tell_all(sink, accepted, &concerned).await
            }
            Err(RecvError::Closed) => return,
        };
        if told.is_err() {
            return;
        }
    }
}

async fn tell_one(
    sink: &SubscriptionSink,
    accepted: &SubscriptionFilter,
    event: &Event,
    concerned: &impl Fn(&str) -> bool,
) -> Result<(), SubscriptionSendError> {
    match event {
        Event::ToolsChanged if accepted.tools_list_changed == Some(true) => sink.notify_tool_list_changed().await,
        Event::PromptsChanged if accepted.prompts_list_changed == Some(true) => sink.notify_prompt_list_changed().await,
        Event::ResourcesChanged if accepted.resources_list_changed == Some(true) => {
            sink.notify_resource_list_changed().await
        }
        Event::ResourceUpdated(_) => {
            for uri in
                accepted.resource_subscriptions.iter().flatten().filter(|uri| event.concerns(uri) && concerned(uri))
            {
                sink.notify_resource_updated(uri.clone()).await?;
            }
            Ok(())
        }
        // Log messages travel with requests here.
        _ => Ok(()),
    }
}

async fn tell_all(
    sink: &SubscriptionSink,
    accepted: &SubscriptionFilter,
    concerned: &impl Fn(&str) -> bool,
) -> Result<(), SubscriptionSendError> {
    for event in [Event::ToolsChanged, Event::PromptsChanged, Event::ResourcesChanged] {
        tell_one(sink, accepted, &event, concerned).await?;
    }
    for uri in accepted.resource_subscriptions.iter().flatten().filter(|uri| concerned(uri)) {
        sink.notify_resource_updated(uri.clone()).await?;
    }
    Ok(())
}
