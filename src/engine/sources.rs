//! Logical sources: the names that definitions use, bound to databases.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use time::OffsetDateTime;

use super::intake;
use crate::{
    source::{Ping, Plan, Query, Remark, Rows, Source, SourceError, SourceErrorKind, TableDescription, Tables},
    sql::{Dialect, Statement, tenancy::TableRules},
};

/// Databases by logical name. Several names may share one.
#[derive(Clone, Default)]
pub struct Sources {
    bound: BTreeMap<String, (Arc<dyn Source>, Arc<Witness>)>,
    /// Names that are bound to nothing, and why.
    left_out: BTreeMap<String, SourceError>,
}

/// The last that was heard of a source, and who is told when it is another thing than before.
#[derive(Default)]
pub(super) struct Witness {
    heard: Mutex<Option<Heard>>,
    told: OnceLock<Told>,
}

/// Is told that a source answers, fails or answers again.
pub(super) type Told = Arc<dyn Fn() + Send + Sync>;

/// How a source answered.
#[derive(Clone)]
pub(super) struct Heard {
    pub at: OffsetDateTime,
    pub took: Duration,
    /// The failure, without secrets; none for an answer.
    pub error: Option<SourceError>,
}

impl Sources {
    pub fn bind(&mut self, name: &str, source: Arc<dyn Source>) {
        let witness = Arc::new(Witness::default());
        let witnessed: Arc<dyn Source> = Arc::new(Witnessed { source, witness: witness.clone() });
        self.bound.insert(name.to_owned(), (witnessed, witness));
    }

    /// Binds a name to nothing; whoever asks for it is told why.
    pub fn leave_out(&mut self, name: &str, why: SourceError) {
        self.left_out.insert(name.to_owned(), why);
    }

    /// Whether no name is bound.
    pub fn is_empty(&self) -> bool {
        self.bound.is_empty()
    }

    /// # Errors
    /// `Unavailable` for a name that is bound to nothing.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Source>, SourceError> {
        self.bound.get(name).map(|(source, _)| source).ok_or_else(|| {
            if let Some(error) = self.left_out.get(name) {
                return error.clone();
            }
            SourceError::new(SourceErrorKind::Unavailable, format!("the source `{name}` is not bound to a database"))
                .hint(format!("the operator binds it in the settings under `sources.{name}`"))
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<dyn Source>)> {
        self.bound.iter().map(|(name, (source, _))| (name.as_str(), source))
    }

    /// The last that was heard of each source; none: nobody has asked it anything yet.
    pub(super) fn heard(&self) -> impl Iterator<Item = (&str, &Arc<dyn Source>, Option<Heard>)> {
        self.bound.iter().map(|(name, (source, witness))| {
            let heard = witness.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
            (name.as_str(), source, heard)
        })
    }

    /// Says who is told of changes; the first who wants to be.
    pub(super) fn tell(&self, told: &Told) {
        for (_, witness) in self.bound.values() {
            // Two engines over the same sources are an affair of tests.
            let _ = witness.told.set(told.clone());
        }
    }

    /// Tells all of them what packs say of tables.
    pub(super) fn know(&self, rules: &TableRules) {
        self.bound.values().for_each(|(source, _)| source.know(rules));
    }

    /// Ends connections and children of all of them.
    pub(super) async fn close(&self) {
        for (source, _) in self.bound.values() {
            source.close().await;
        }
    }
}

/// A source whose answers come in through `intake`, and that remembers how it last answered.
struct Witnessed {
    source: Arc<dyn Source>,
    witness: Arc<Witness>,
}

impl Witnessed {
    async fn watch<T>(&self, work: impl Future<Output = Result<T, SourceError>> + Send) -> Result<T, SourceError> {
        let began = std::time::Instant::now();
        let result = work.await.map_err(intake::error);
        // A wrong statement or an impatient caller says nothing about the database.
        let error = match &result {
            Ok(_) => None,
            Err(error) => match error.kind {
                SourceErrorKind::Unavailable | SourceErrorKind::Timeout | SourceErrorKind::Exhausted => {
                    Some(error.clone())
                }
                _ => return result,
            },
        };
        let heard = Heard { at: OffsetDateTime::now_utc(), took: began.elapsed(), error };
        let failed = heard.error.is_some();
        let before = self.witness.heard.lock().unwrap_or_else(PoisonError::into_inner).replace(heard);
        if before.is_none_or(|before| before.error.is_some() != failed)
            && let Some(told) = self.witness.told.get()
        {
            told();
        }
        result
    }
}

#[async_trait]
impl Source for Witnessed {
    fn dialect(&self) -> Dialect {
        self.source.dialect()
    }

    async fn query(&self, query: Query<'_>) -> Result<Rows, SourceError> {
        let limits = query.limits;
        let rows = self.watch(self.source.query(query)).await?;
        Ok(intake::rows(rows, limits))
    }

    async fn explain(&self, query: Query<'_>) -> Result<Plan, SourceError> {
        self.watch(self.source.explain(query)).await
    }

    async fn tables(&self) -> Result<Arc<Tables>, SourceError> {
        // Mostly answered from memory: only a failure says something.
        match self.source.tables().await {
            Err(error) => self.watch(async { Err(error) }).await,
            found => found,
        }
    }

    async fn tables_again(&self, seen: &Arc<Tables>) -> Result<Arc<Tables>, SourceError> {
        match self.source.tables_again(seen).await {
            Err(error) => self.watch(async { Err(error) }).await,
            found => found,
        }
    }

    async fn describe_tables(&self) -> Result<Vec<TableDescription>, SourceError> {
        self.source.describe_tables().await.map_err(intake::error)
    }

    async fn prepare(&self, statement: &Statement) -> Result<(), SourceError> {
        self.source.prepare(statement).await.map_err(intake::error)
    }

    async fn confined(&self, statement: &Statement) -> Result<(), SourceError> {
        self.source.confined(statement).await.map_err(intake::error)
    }

    async fn ping(&self) -> Result<Ping, SourceError> {
        self.watch(self.source.ping()).await
    }

    async fn remarks(&self) -> Result<Vec<Remark>, SourceError> {
        self.source.remarks().await.map_err(intake::error)
    }

    fn describe(&self) -> String {
        self.source.describe()
    }

    fn know(&self, rules: &TableRules) {
        self.source.know(rules);
    }

    async fn close(&self) {
        self.source.close().await;
    }
}
