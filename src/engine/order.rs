//! In what order the sections of a context are read: all at once, but for those that wait for rows of others.
//!
//! What a section leaves is told to those behind it as it is: rows, and how many there are beyond those; that it could
//! not be read, and then they are not read either; that it was left out, and then so are they. An empty answer is an
//! answer: their lists are empty. A section that does not need all of them is read with what there is.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::sync::watch;

use super::document::{SectionAnswer, Status};
use crate::{
    catalog::SectionEntry,
    definition::{ByteSize, Context},
    sql::rows::{self, Kept},
    template::counted,
};

/// A place for each section that another waits for.
pub(super) struct Order<'a>(HashMap<&'a str, watch::Sender<Option<Arc<Left>>>>);

/// What a section left.
enum Left {
    Rows {
        kept: Arc<Kept>,
        /// What its rows do not cover.
        partial: Vec<String>,
        samples: Vec<u32>,
    },
    /// Its condition did not hold.
    Nothing,
    Problem {
        title: String,
        blocked: Blocked,
    },
}

/// Why a section is not read: what it waits for could not be.
#[derive(Clone)]
pub(super) struct Blocked {
    pub status: Status,
    pub message: String,
    pub hint: Option<String>,
}

/// What a section gets of those that it waited for.
#[derive(Default)]
pub(super) struct Handed {
    /// The variable of its statements.
    pub rows: Option<minijinja::Value>,
    /// What it can therefore not cover.
    pub partial: Vec<String>,
    /// One trace in so many was read by those that it waited for.
    pub samples: Vec<u32>,
}

/// How it goes on with a section that has waited.
pub(super) enum Turn {
    Read(Handed),
    LeftOut,
    Blocked(Blocked),
}

/// Sections, and all that they wait for, directly or through others.
pub(super) fn with_awaited<'a>(definition: &'a Context, names: impl IntoIterator<Item = &'a str>) -> HashSet<&'a str> {
    let mut names: Vec<&str> = names.into_iter().collect();
    let mut at = 0;
    while let Some(name) = names.get(at) {
        let after = definition.sections.get(*name).into_iter().flat_map(|section| &section.after.0);
        let further: Vec<&str> = after.map(String::as_str).filter(|name| !names.contains(name)).collect();
        names.extend(further);
        at += 1;
    }
    names.into_iter().collect()
}

impl<'a> Order<'a> {
    pub fn of(sections: &'a [SectionEntry]) -> Self {
        let awaited = sections.iter().flat_map(|entry| &entry.definition.after.0);
        Self(awaited.map(|name| (name.as_str(), watch::Sender::default())).collect())
    }

    /// Waits until all that the section waits for has ended.
    pub async fn turn(&self, entry: &SectionEntry) -> Turn {
        let mut handed = Vec::new();
        let (mut partial, mut samples) = (Vec::new(), Vec::new());
        let mut left_out = false;
        let all = entry.definition.needs_all;
        for name in &entry.definition.after.0 {
            let Some(left) = self.left(name).await else { continue };
            match &*left {
                Left::Rows { kept, partial: more, samples: shares } => {
                    handed.push((name.clone(), Arc::clone(kept)));
                    samples.extend(shares);
                    partial.extend(more.iter().cloned());
                }
                Left::Nothing if all => left_out = true,
                Left::Problem { blocked, .. } if all => return Turn::Blocked(blocked.clone()),
                Left::Nothing => handed.push((name.clone(), nothing())),
                Left::Problem { title, blocked } => {
                    handed.push((name.clone(), nothing()));
                    let why = match blocked.status {
                        Status::Partial => "of which too little could be read",
                        _ => "which could not be read",
                    };
                    partial.push(format!("without \"{title}\", {why}"));
                }
            }
        }
        if left_out {
            return Turn::LeftOut;
        }
        let rows = (!handed.is_empty()).then(|| rows::rows(handed));
        Turn::Read(Handed { rows, partial, samples })
    }

    async fn left(&self, name: &str) -> Option<Arc<Left>> {
        let mut seen = self.0.get(name)?.subscribe();
        let left = seen.wait_for(Option::is_some).await.ok()?;
        left.clone()
    }

    /// Tells those that wait how a section ended; none where it was left out.
    pub fn ended(&self, name: &str, answer: Option<&SectionAnswer>) {
        if let Some(place) = self.0.get(name) {
            place.send_replace(Some(Arc::new(answer.map_or(Left::Nothing, left))));
        }
    }
}

/// What a section that needs not all gets of one that has no rows to hand on.
fn nothing() -> Arc<Kept> {
    Arc::new(Kept::Sample { empty: true })
}

fn left(answer: &SectionAnswer) -> Left {
    let title = &answer.title;
    if answer.status.is_problem() {
        let why = answer.message.as_deref().unwrap_or("no reason given");
        let blocked = Blocked {
            status: answer.status,
            message: match answer.status {
                Status::Partial => format!("it waits for \"{title}\", of which too little could be read: {why}"),
                _ => format!("it waits for \"{title}\", which could not be read: {why}"),
            },
            hint: answer.hint.clone(),
        };
        return Left::Problem { title: title.clone(), blocked };
    }
    let columns = answer.columns.iter().map(|column| column.name.clone()).collect();
    let kept = Kept::first(columns, &answer.rows);
    let (mut partial, samples) = (answer.partial.clone(), answer.samples.clone());
    let (count, total) = (kept.count(), answer.total);
    let asked = format!("asked about the first {} of \"{title}\" only, of {total}", counted(count, "row"));
    if count < answer.rows.len() {
        let (most, bytes) = (rows::MOST_ROWS, ByteSize(rows::MOST_BYTES as u64));
        partial.push(format!("{asked}: a list holds at most {most} rows and {bytes}"));
    } else if total.more {
        partial.push(format!("{asked}: the others were not read"));
    }
    Left::Rows { kept: Arc::new(kept), partial, samples }
}
