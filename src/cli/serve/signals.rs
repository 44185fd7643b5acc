//! Signals: one that reloads, and those that stop.

use std::sync::Arc;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;

use crate::server::audit::Audit;

/// `SIGHUP` reloads the definitions, whatever is watched, and opens the audit log anew.
pub(super) async fn reload(mut signal: Signal, force: Arc<Notify>, audit: Option<Audit>) {
    while signal.recv().await.is_some() {
        tracing::info!("Reloading the definitions: a signal asked for it.");
        force.notify_one();
        if let Some(audit) = &audit {
            audit.reopen();
        }
    }
}

/// The signals that end a process stop the server in order.
pub(super) async fn stop(stop: CancellationToken) {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
    tracing::info!("Stopping: a signal asked for it.");
    stop.cancel();
}
