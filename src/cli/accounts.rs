//! Who accounts for the calls of a server: the audit log, and the metrics where somebody can ask for them.

use std::sync::Arc;

use crate::server::{
    audit::Audit,
    calls::{Calls, Sink},
    metrics::Metrics,
};

/// Who accounts for calls.
pub(super) struct Accounts {
    pub audit: Option<Audit>,
    pub metrics: Arc<Metrics>,
    pub calls: Calls,
}

impl Accounts {
    /// Only over HTTP somebody can ask for the metrics.
    pub fn of(audit: Option<Audit>, http: bool) -> Self {
        let metrics = Arc::new(Metrics::new(audit.as_ref().map(Audit::failures).unwrap_or_default()));
        let log = audit.clone().map(|audit| Arc::new(audit) as Arc<dyn Sink>);
        let counts = http.then(|| metrics.clone() as Arc<dyn Sink>);
        Self { audit, metrics, calls: Calls::told_to(log.into_iter().chain(counts)) }
    }

    /// Waits for the calls that are under way, then for what was written of them.
    pub async fn close(&self) {
        self.calls.close().await;
        if let Some(audit) = &self.audit {
            audit.close().await;
        }
    }
}
