//! `values.list`: what exists in the data, by the lists of known values.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use futures::future::join_all;
use indexmap::IndexMap;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{
    Call, CallError, CallErrorKind, Engine, Produced, Status, arguments,
    error::span,
    known::{Asking, Known, KnownValue},
    render::fenced,
    tenancy,
    window::{TimeWindow, stamp},
};
use crate::{
    catalog::{Catalog, PlaceEntry, Reach, ValuesEntry},
    definition::{Period, ValuesArguments, Window},
    template::clean,
};

/// Values shown of each of several lists, and of one.
const SOME: usize = 10;
const MANY: usize = 200;
/// How far back the newest record is looked for where the window holds none.
const BEFORE: time::Duration = time::Duration::days(30);
/// The parameter by which a list may be narrowed through the action.
const SERVICE: &str = "service_name";
/// What the lists call it.
const NARROWS: &str = "service";

impl Engine {
    /// One list, or the beginning of each.
    pub(super) async fn run_values(
        &self,
        catalog: &Catalog,
        arguments: ValuesArguments,
        left: Duration,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let asked = match arguments.of.as_deref() {
            None => None,
            Some(name) => Some(catalog.known_values.get(name).ok_or_else(|| {
                let known = catalog.known_values.keys().map(String::as_str);
                CallError::unknown(CallErrorKind::InvalidArguments, "list", name, known)
            })?),
        };
        let limits = Window { max: Period::from_secs(31 * 86_400), ..Window::default() };
        let mut notes = Vec::new();
        let ValuesArguments { time_range, start, end, .. } = &arguments;
        let (range, start, end) = (time_range.as_deref(), start.as_deref(), end.as_deref());
        let window = TimeWindow::resolve(self.now(), &limits, range, start, end, &mut notes)?;
        let organisation = self.organisation(arguments.organization_id.as_deref(), call).await?;
        let (workspace_id, user_id) = tenancy::workspace_and_user(&self.options.tenancy, &call.principal);
        let wait = left.min(self.options.query_timeout);
        let organization_id = &*organisation.id;
        let asking =
            Asking { catalog, call, organization_id, workspace_id, user_id, window, wait, aside: false, since: None };

        let mut narrowed = Map::new();
        if let Some(service) = arguments.service_name.as_deref() {
            narrowed.insert(NARROWS.into(), service.into());
        }
        let takes = |list: &&ValuesEntry| narrowed.is_empty() || list.definition.parameters.contains_key(NARROWS);
        let lists: Vec<&ValuesEntry> = match asked {
            Some(list) if !takes(&list) => {
                let message = format!("the list `{}` is not narrowed by `{SERVICE}`", list.definition.name);
                return Err(CallError::invalid(message).hint(format!("leave `{SERVICE}` out")));
            }
            Some(list) => vec![list],
            None => catalog.known_values.values().filter(|list| list.definition.overview).filter(takes).collect(),
        };
        let query = arguments.query.as_deref().map(|query| arguments::named("query", query, &mut notes));
        let query = query.map(arguments::unquoted);
        if let (Some(list), None) = (asked.filter(|list| list.definition.by_name), query) {
            let name = &list.definition.name;
            return Err(CallError::invalid(format!("there are too many {name} to list"))
                .hint("pass a `query`: one of them, or how it begins or ends".to_owned()));
        }
        let mut found = join_all(lists.iter().map(|list| self.known(&asking, list, query, &narrowed))).await;
        if let Some(query) = query.map(str::to_lowercase) {
            // What answers mask is not looked through: what is found would tell it letter by letter.
            let shows = |value: &KnownValue| {
                let (shown, masked) = self.options.masking.masked(&value.value);
                masked == 0 || shown.to_lowercase().contains(&query)
            };
            found.iter_mut().for_each(|known| known.values.retain(shows));
        }
        let most = arguments.max_items.unwrap_or(if asked.is_some() { MANY } else { SOME });

        let mut out = organisation.remark().map(|remark| format!("{remark}\n")).unwrap_or_default();
        out.push_str(&of_time(&lists, &found, window));
        if let Some(query) = query {
            let whole = asked.is_none_or(|list| !list.definition.by_name);
            let place = if whole { "in the name" } else { "at the begin or the end" };
            let _ = write!(out, ", with {} {place}", span(query, 80));
        }
        out.push_str(":\n");
        out.push_str(&fenced("text", &lines(&lists, &found, most, query.is_some())));
        let mut remarks = remarks(asked.filter(|_| query.is_none()), &lists, &found, most);
        if let Some(query) =
            query.filter(|_| found.iter().all(|known| known.values.is_empty() && known.failed.is_none()))
        {
            let whole = join_all(lists.iter().map(|list| self.known(&asking, list, None, &narrowed))).await;
            remarks.push(without(query, &lists, &whole));
        }
        let further = catalog.known_values.values().filter(|list| !list.definition.overview);
        let further: Vec<String> = further.map(|list| format!("`{}`", list.definition.name)).collect();
        if asked.is_none() && !further.is_empty() {
            remarks.push(format!("Further lists: {}.", further.join(", ")));
        }
        if let (Some(service), true) =
            (arguments.service_name.as_deref(), found.iter().all(|known| known.values.is_empty()))
        {
            let services = catalog.known_values.values();
            let mut services =
                services.filter(|list| list.definition.for_parameters.iter().any(|name| name == SERVICE));
            if let Some(list) = services.next() {
                let absence = self.absence(&asking, list, SERVICE, service, window, Status::Empty).await;
                remarks.extend(absence.map(|absence| absence.text));
            }
        }
        if query.is_none() {
            remarks.extend(self.outside(&asking, &lists, &found, &narrowed).await);
        }
        for remark in remarks {
            let _ = write!(out, "\n{remark}");
        }
        let is_error = found.iter().all(|known| known.failed.is_some() && known.values.is_empty()) && !found.is_empty();
        let wanting = found.iter().any(|known| known.failed.is_some());
        Ok(Produced { is_error, wanting, notes, ..Produced::text(out) })
    }
}

impl Engine {
    /// Where what a source recorded ends or begins, where the window holds none of it: a sentence for each such source.
    async fn outside(
        &self,
        asking: &Asking<'_>,
        lists: &[&ValuesEntry],
        found: &[Known],
        narrowed: &Map<String, Value>,
    ) -> Vec<String> {
        let lists = lists.iter().zip(found).filter(|(list, known)| !list.definition.by_name && known.failed.is_none());
        let lists: Vec<(&ValuesEntry, &Known)> = lists.map(|(list, known)| (*list, known)).collect();
        let silent = |source: &str| lists.iter().all(|(_, known)| !known.newest.contains_key(source));
        let sources: BTreeSet<&str> =
            lists.iter().flat_map(|(list, _)| list.timed()).filter(|name| silent(name)).collect();
        let window = asking.window;
        let Some(from) = window.from.checked_sub(BEFORE).filter(|_| !sources.is_empty()) else { return Vec::new() };
        let elsewhere = lists.iter().filter(|(list, _)| list.timed().any(|source| sources.contains(source)));
        let elsewhere: Vec<&ValuesEntry> = elsewhere.map(|(list, _)| *list).collect();
        let newest = async |window: TimeWindow, sources: &BTreeSet<&str>| -> BTreeMap<String, OffsetDateTime> {
            let asking = Asking { window, ..*asking };
            let found = join_all(elsewhere.iter().map(|list| self.known(&asking, list, None, narrowed))).await;
            let newest = |source: &str| found.iter().filter_map(|known| known.newest.get(source)).max().copied();
            sources.iter().filter_map(|source| Some(((*source).to_owned(), newest(source)?))).collect()
        };
        let earlier = newest(TimeWindow { from, to: window.from }, &sources).await;
        let none: BTreeSet<&str> = sources.into_iter().filter(|source| !earlier.contains_key(*source)).collect();
        let now = self.now();
        let later = match none.is_empty() || window.to >= now {
            true => BTreeMap::new(),
            false => newest(TimeWindow { from: window.to, to: now }, &none).await,
        };
        let what = match lists.as_slice() {
            [(list, _)] => &*list.definition.name,
            _ => "these",
        };
        let earlier = earlier.iter().map(|(source, newest)| {
            let newest = stamp(*newest);
            format!(
                "What the source `{source}` recorded last of {what} is of {newest} UTC, before this window: pass an earlier one to see it."
            )
        });
        let later = later.iter().map(|(source, newest)| {
            let newest = stamp(*newest);
            format!(
                "Nothing that the source `{source}` has of {what} is dated in this window or in the 30 days before it, but some after it; the \
                 newest is of {newest} UTC: pass a later window to see them."
            )
        });
        earlier.chain(later).collect()
    }
}

/// A line for each list, and one for all that could not be read for the same reason. Of several lists in which a text
/// is looked for, those that do not have it are left out.
fn lines(lists: &[&ValuesEntry], found: &[Known], most: usize, searched: bool) -> String {
    let mut lines = String::new();
    let mut failed: IndexMap<String, Vec<&str>> = IndexMap::new();
    let some = found.iter().any(|known| !known.values.is_empty());
    let of_all = !found.iter().flat_map(|known| &known.values).any(|value| value.reach == Reach::Window);
    for (list, known) in lists.iter().zip(found) {
        match &known.failed {
            Some((_, error)) if known.values.is_empty() => {
                let why = super::error::told(error.clone()).message;
                failed.entry(why).or_default().push(&list.definition.name);
            }
            _ if searched && some && known.values.is_empty() => {}
            _ => lines.push_str(&line(list, known, most, of_all)),
        }
    }
    for (why, names) in failed {
        let _ = writeln!(lines, "{}: [SYSTEM] could not be read: {why}", names.join(", "));
    }
    lines
}

/// What is said where no name has the text in it: how many there are, and which is like it.
fn without(query: &str, lists: &[&ValuesEntry], whole: &[Known]) -> String {
    if let [list] = lists
        && list.definition.by_name
    {
        return format!("No {} of that time is {}, or begins or ends so.", list.definition.noun, span(query, 80));
    }
    let count = |(list, known): (&&ValuesEntry, &Known)| match known.is_whole() {
        true => format!("{} {}", known.values.len(), list.definition.name),
        false => format!("{} or more {}", known.values.len(), list.definition.name),
    };
    let counts: Vec<String> = lists.iter().zip(whole).map(count).collect();
    let near = super::nearest(query, whole.iter().flat_map(Known::names));
    let near = near.map(|near| format!("; did you mean {}?", span(near, 80))).unwrap_or_else(|| ".".into());
    format!("None of the {} has {} in its name{near}", counts.join(", "), span(query, 80))
}

/// Which time all that was found is of, as far as lists do not say it themselves.
fn of_time(lists: &[&ValuesEntry], found: &[Known], window: TimeWindow) -> String {
    let reaches: BTreeSet<Reach> = found.iter().flat_map(|known| &known.values).map(|value| value.reach).collect();
    let reaches = match reaches.is_empty() {
        // What a list looks for where it has nothing.
        true => lists.iter().flat_map(|list| &list.places).map(PlaceEntry::reach).min().into_iter().collect(),
        false => reaches,
    };
    let (from, to) = (stamp(window.from), stamp(window.to));
    match reaches.iter().copied().collect::<Vec<_>>().as_slice() {
        [Reach::Always] => "On record now, whatever the window".to_owned(),
        [Reach::End] => format!("On record, made before {to} UTC"),
        [Reach::End, Reach::Always] => format!("On record, made before {to} UTC or whenever"),
        [Reach::Window] | [] => format!("Recorded between {from} and {to} UTC"),
        _ => format!("Recorded between {from} and {to} UTC, or only on record where that is said"),
    }
}

/// How many of the values of a list were not recorded in the window, where others of it or of other lists were.
fn on_record(known: &Known) -> Option<String> {
    let only = known.values.iter().filter(|value| value.reach != Reach::Window).count();
    match only {
        0 => None,
        _ if only == known.values.len() => Some("only on record".to_owned()),
        _ => Some(format!("{only} of them only on record")),
    }
}

/// `services (15): cart, checkout, …`; `of_all`: whether all that is told is of one time, which is said once.
fn line(list: &ValuesEntry, known: &Known, most: usize, of_all: bool) -> String {
    let name = &list.definition.name;
    let shown: Vec<String> = known.names().take(most).map(written).collect();
    let more = if shown.len() < known.values.len() { ", …" } else { "" };
    let all = known.values.len();
    let mut count = if known.is_whole() { all.to_string() } else { format!("{all} or more") };
    if let Some(said) = on_record(known).filter(|_| !of_all) {
        let _ = write!(count, ", {said}");
    }
    match all {
        0 => format!("{name} (0)\n"),
        _ => format!("{name} ({count}): {}{more}\n", shown.join(", ")),
    }
}

/// A value that can be told from its neighbours.
fn written(value: &str) -> String {
    let value = clean(value);
    match value.contains([',', '"', '`']) || value.trim() != value || value.is_empty() {
        true => Value::String(value).to_string(),
        false => value,
    }
}

fn remarks(asked: Option<&ValuesEntry>, lists: &[&ValuesEntry], found: &[Known], most: usize) -> Vec<String> {
    let mut remarks = Vec::new();
    let cut = found.iter().any(|known| known.values.len() > most);
    match asked {
        None if cut => remarks.push(
            "The most frequent are shown first. `of` shows one list whole, `query` only names with a text in them."
                .into(),
        ),
        Some(_) if cut => remarks.push("`query` shows only names with a text in them.".into()),
        _ => {}
    }
    for (list, known) in lists.iter().zip(found) {
        if let (Some((source, error)), false) = (&known.failed, known.values.is_empty()) {
            let why = super::error::told(error.clone()).message;
            let name = &list.definition.name;
            remarks.push(format!("[SYSTEM] {name}: what the source `{source}` has of them could not be read: {why}."));
        }
    }
    if let (Some(list), [known]) = (asked, found)
        && known.values.is_empty()
        && known.failed.is_none()
    {
        let (noun, about) = (&list.definition.noun, list.definition.description.trim());
        let none = if list.places.iter().any(|place| place.reach() == Reach::Window) {
            "was recorded there"
        } else {
            "is on record"
        };
        remarks.push(format!("No {noun} {none}. What the list holds otherwise: {about}"));
    }
    remarks
}
