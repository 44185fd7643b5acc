//! A source that has whatever the catalog asks for: for what must hold of every context type without a list kept by hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};
use tfo_mcp::{
    catalog::Catalog,
    source::{Column, ColumnType, Ping, Query, Rows, Source, SourceError, SourceErrorKind, Tables},
    sql::{Dialect, Statement},
};

/// A source whose every table has every column, and rows by chance.
pub struct Recorded {
    pub dialect: Dialect,
    pub texts: Texts,
    pub words: Arc<Words>,
    pub mood: Arc<Mutex<Mood>>,
}

/// What texts are recorded.
#[derive(Clone, Copy)]
pub struct Texts {
    pub count: usize,
    pub text: fn(usize) -> String,
}

/// The organisation whose name is the text of this number.
pub fn organisation(index: usize) -> String {
    format!("6f9619ff-8b86-4d01-b42d-{index:012}")
}

/// What it answers just now.
#[derive(Clone, Copy, Default)]
pub struct Mood {
    pub seed: u64,
    pub fault: Option<Fault>,
}

/// What goes wrong instead.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Statements fail, with the text of this number.
    Fails(SourceErrorKind, usize),
    /// Nobody is there, at all.
    Gone,
    /// Statements end at their limit of time.
    Slow,
    /// There is no table.
    Bare,
}

/// What the definitions say about rows.
#[derive(Default)]
pub struct Words {
    tables: Tables,
    columns: BTreeSet<String>,
    numbers: BTreeSet<String>,
    /// What a section hands on to another, and as what if not as text.
    handed: BTreeMap<String, Option<String>>,
    /// Words that conditions compare a column with.
    constants: BTreeMap<String, Vec<String>>,
}

impl Words {
    pub fn of(catalog: &Catalog) -> Self {
        let mut words = Self::default();
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let columns = regex::Regex::new(r"\.([a-z_][a-z0-9_]*)").unwrap();
        let numbers = regex::Regex::new(r"\.([a-z_][a-z0-9_]*) *(?:[<>]|[!=]= *-?[0-9])").unwrap();
        let compared =
            regex::Regex::new(r"\.([a-z_][a-z0-9_]*) *(?:==|!=|in|not in) *([\[(]?(?:'[^']*'[, ]*)+)").unwrap();
        let constants = regex::Regex::new("'([^']*)'").unwrap();
        let handed = regex::Regex::new(r"column\('([a-z_]+)'(?:, '(integer|number|timestamp)')?\)").unwrap();
        for entry in catalog.contexts.values() {
            let definition = &entry.definition;
            let statements = format!("{:?}", definition.sections);
            words.handed.extend(
                handed.captures_iter(&statements).map(|c| (c[1].to_owned(), c.get(2).map(|ty| ty.as_str().to_owned()))),
            );
            words.columns.extend(words.handed.keys().cloned());
            let requires = definition.sections.values().flat_map(|s| &s.query).flat_map(|way| &way.requires);
            for requirement in requires {
                let (table, column) = requirement.split_once('.').unwrap_or((requirement, ""));
                tables.entry(table.to_owned()).or_default().push(column.to_owned());
            }
            let texts = definition.highlights.iter().flat_map(|h| [json!(h.when), json!(h.say)]);
            for text in texts.chain([json!(definition.summary)]) {
                let text = text.as_str().unwrap_or_default();
                words.columns.extend(columns.captures_iter(text).map(|c| c[1].to_owned()));
                words.numbers.extend(numbers.captures_iter(text).map(|c| c[1].to_owned()));
                for found in compared.captures_iter(text) {
                    let known = words.constants.entry(found[1].to_owned()).or_default();
                    known.extend(constants.captures_iter(&found[2]).map(|c| c[1].to_owned()));
                }
            }
        }
        words.tables = Tables(tables.into_iter().collect(), Default::default());
        words
    }
}

impl Recorded {
    fn text(&self, index: usize) -> String {
        (self.texts.text)(index)
    }

    /// The same choices for hostile and harmless texts.
    fn value(&self, random: &mut SmallRng, column: &str) -> Value {
        let text = random.random_range(0..self.texts.count);
        let constants = self.words.constants.get(column).map_or(&[][..], Vec::as_slice);
        let constant = random.random_range(0..constants.len().max(1));
        let number = [0.0, 1.0, 42.5, 1e6][random.random_range(0..4)];
        let kind = random.random_range(0..10);
        match (self.words.numbers.contains(column), kind) {
            _ if self.words.handed.contains_key(column) => match self.words.handed[column].as_deref() {
                Some("timestamp") => json!("2026-11-20T11:00:00Z"),
                Some(_) => json!(number as i64 % 91),
                None => json!(self.text(text)),
            },
            (true, 0) | (false, 0) => Value::Null,
            (true, _) | (false, 1) => json!(number),
            (false, 2..8) if !constants.is_empty() => json!(constants[constant]),
            (false, 4) => json!({ self.text(text): [self.text(text)] }),
            (false, _) => json!(self.text(text)),
        }
    }
}

fn gone() -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable, "connection refused")
}

#[async_trait::async_trait]
impl Source for Recorded {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    async fn query(&self, query: Query<'_>) -> Result<Rows, SourceError> {
        let sql = &query.statement.sql;
        let column = |name: &String| Column { name: name.clone(), ty: ColumnType::Other };
        let mood = *self.mood.lock().unwrap();
        match mood.fault {
            Some(Fault::Gone) => return Err(gone()),
            // Without the wait: whoever waits is judged elsewhere.
            Some(Fault::Slow) => return Err(SourceError::new(SourceErrorKind::Timeout, "the statement took too long")),
            _ => {}
        }
        if sql.contains("AS retired FROM organizations") {
            let columns = ["organization_id", "name"].map(|name| column(&name.to_owned())).to_vec();
            let rows =
                (0..self.texts.count).map(|index| vec![json!(organisation(index)), json!(self.text(index))]).collect();
            return Ok(Rows { columns, rows, ..Rows::default() });
        }
        match mood.fault {
            Some(Fault::Fails(kind, index)) => {
                let text = self.text(index);
                return Err(SourceError::new(kind, format!("cannot cast \"{text}\" to a number")).hint(text));
            }
            // What only reads rows of other sections needs none.
            Some(Fault::Bare) if self.words.tables.0.keys().any(|table| sql.contains(table.as_str())) => {
                return Err(SourceError::new(SourceErrorKind::Missing, "there is no such table"));
            }
            _ => {}
        }
        let mut random = SmallRng::seed_from_u64(mood.seed ^ sql.len() as u64);
        // What the sentences of a context speak of is what its statements answer.
        let words: BTreeSet<&str> = sql.split(|c: char| c != '_' && !c.is_alphanumeric()).collect();
        let named = self.words.columns.iter().filter(|name| words.contains(name.as_str()));
        let mut columns: Vec<Column> = named.map(column).collect();
        columns.push(column(&self.text(random.random_range(0..self.texts.count))));
        let row = |_| columns.iter().map(|column| self.value(&mut random, &column.name)).collect();
        let rows = (0..3).map(row).collect();
        Ok(Rows { columns, rows, ..Rows::default() })
    }

    async fn tables(&self) -> Result<Arc<Tables>, SourceError> {
        match self.mood.lock().unwrap().fault {
            Some(Fault::Gone) => Err(gone()),
            Some(Fault::Bare) => Ok(Arc::default()),
            _ => Ok(Arc::new(self.words.tables.clone())),
        }
    }

    async fn prepare(&self, _: &Statement) -> Result<(), SourceError> {
        Ok(())
    }

    async fn ping(&self) -> Result<Ping, SourceError> {
        Ok(Ping { version: "recorded".into(), latency: Duration::ZERO })
    }

    fn describe(&self) -> String {
        "recorded".into()
    }

    async fn close(&self) {}
}
