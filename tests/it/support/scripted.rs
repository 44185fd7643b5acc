//! A source whose answers a test scripts: for what real databases cannot be made to do on demand (hang, vanish).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tfo_mcp::{
    source::{
        Column, ColumnType, Ping, Query, Rows, Source, SourceError, SourceErrorKind, TableDescription, Tables,
        Truncation,
    },
    sql::{Bind, Dialect, Statement},
};

/// What a statement that contains a marker does.
#[derive(Clone)]
pub enum Reply {
    Rows(Vec<&'static str>, Vec<Vec<Value>>),
    /// The first row is longer than an answer may be.
    TooLong(Vec<&'static str>),
    /// Cut by the source.
    Cut(Vec<&'static str>, Vec<Vec<Value>>, Truncation),
    /// All of them, whatever the limits are.
    TooMany(Vec<&'static str>, Vec<Vec<Value>>),
    Fail(SourceErrorKind),
    /// One after the other, the last for good.
    Turns(Vec<Reply>),
    /// Fails in these words, also when a statement is planned.
    Says(SourceErrorKind, String),
    /// Ends at its deadline, as databases do.
    Late,
    Hang,
}

/// Statements in the order in which they came, with their binds.
pub type Seen = Arc<Mutex<Vec<(String, Vec<Bind>)>>>;

#[derive(Default)]
pub struct Scripted {
    replies: Vec<(&'static str, Reply)>,
    tables: Tables,
    delay: Duration,
    dialect: Option<Dialect>,
    described: Vec<TableDescription>,
    pub seen: Seen,
    /// How long each statement could have taken.
    pub timeouts: Arc<Mutex<Vec<Duration>>>,
    /// Statements that were given up, and the end of the source, in the order in which they came.
    pub ends: Arc<Mutex<Vec<&'static str>>>,
}

/// A statement that hangs.
struct Hanging(Arc<Mutex<Vec<&'static str>>>);

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("given up");
    }
}

impl Scripted {
    pub fn on(mut self, marker: &'static str, reply: Reply) -> Self {
        self.replies.push((marker, reply));
        self
    }

    /// Like `on`, before all others.
    pub fn first(mut self, marker: &'static str, reply: Reply) -> Self {
        self.replies.insert(0, (marker, reply));
        self
    }

    /// Every answer comes so much later.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Of this dialect instead of SQLite's.
    pub fn speaks(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    pub fn describes(mut self, table: TableDescription) -> Self {
        self.described.push(table);
        self
    }

    pub fn table(mut self, name: &str, columns: &[&str]) -> Self {
        self.tables.0.insert(name.to_owned(), columns.iter().map(|c| (*c).to_owned()).collect());
        self
    }
}

fn whole(names: &[&str], rows: Vec<Vec<Value>>) -> Rows {
    let column = |name: &&str| Column { name: (*name).to_owned(), ty: ColumnType::Text };
    Rows { columns: names.iter().map(column).collect(), rows, ..Rows::default() }
}

#[async_trait::async_trait]
impl Source for Scripted {
    fn dialect(&self) -> Dialect {
        self.dialect.unwrap_or(Dialect::Sqlite)
    }

    async fn query(&self, query: Query<'_>) -> Result<Rows, SourceError> {
        let Statement { sql, binds } = query.statement.clone();
        let found = self.replies.iter().find(|(marker, _)| sql.contains(marker));
        let reply = found.and_then(|(marker, reply)| match reply {
            Reply::Turns(turns) => {
                let before = self.seen.lock().unwrap().iter().filter(|(sql, _)| sql.contains(marker)).count();
                turns.get(before).or(turns.last()).cloned()
            }
            reply => Some(reply.clone()),
        });
        // From the moment on at which it is seen, or whoever gives it up at once is not noticed.
        let _given_up = matches!(reply, Some(Reply::Hang)).then(|| Hanging(self.ends.clone()));
        self.seen.lock().unwrap().push((sql.clone(), binds));
        self.timeouts.lock().unwrap().push(query.limits.timeout);
        tokio::time::sleep(self.delay).await;
        match reply.unwrap_or_else(|| panic!("no reply for {sql}")) {
            Reply::Rows(names, mut rows) => {
                let truncated = (rows.len() > query.limits.max_rows).then_some(Truncation::Rows);
                rows.truncate(query.limits.max_rows);
                Ok(Rows { truncated, ..whole(&names, rows) })
            }
            Reply::TooLong(names) => Ok(Rows { truncated: Some(Truncation::Bytes), ..whole(&names, Vec::new()) }),
            Reply::Cut(names, rows, cut) => Ok(Rows { truncated: Some(cut), ..whole(&names, rows) }),
            Reply::TooMany(names, rows) => Ok(whole(&names, rows)),
            Reply::Says(kind, text) => Err(SourceError::new(kind, text.clone()).hint(text)),
            Reply::Late => {
                tokio::time::sleep(query.limits.timeout).await;
                Err(SourceError::new(SourceErrorKind::Timeout, "scripted Timeout").hint("ask for less"))
            }
            Reply::Fail(kind) => Err(SourceError::new(kind, format!("scripted {kind:?}"))),
            Reply::Hang => std::future::pending().await,
            Reply::Turns(_) => panic!("a turn has turns"),
        }
    }

    async fn tables(&self) -> Result<Arc<Tables>, SourceError> {
        Ok(Arc::new(Tables(BTreeMap::clone(&self.tables.0), Default::default())))
    }

    async fn describe_tables(&self) -> Result<Vec<TableDescription>, SourceError> {
        Ok(self.described.clone())
    }

    async fn prepare(&self, _: &Statement) -> Result<(), SourceError> {
        match self.replies.first() {
            Some((_, Reply::Says(kind, text))) => Err(SourceError::new(*kind, text.clone()).hint(text.clone())),
            _ => Ok(()),
        }
    }

    async fn ping(&self) -> Result<Ping, SourceError> {
        Ok(Ping { version: "scripted".into(), latency: Duration::ZERO })
    }

    fn describe(&self) -> String {
        "scripted".into()
    }

    async fn close(&self) {
        self.ends.lock().unwrap().push("closed");
    }
}
