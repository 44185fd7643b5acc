//! Collection of a context: all sections at once, each with its own outcome, within one deadline.

mod again;
mod statement;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::join_all;
use indexmap::IndexMap;
use serde_json::{Map, Value};

use self::statement::Found;
use super::{
    Call, CallError, CallErrorKind, Content, Engine, Produced, Spelling, arguments,
    arguments::typed,
    conclude::{conclude, overall},
    current,
    cut::{Cap, Cut, Limit, Movable},
    document::{Document, Heading, Organisation, SectionAnswer, Status, Total, zone},
    error::{Unread, told},
    forgotten, joined,
    known::Asking,
    links, missing,
    narrowed::{self, Narrowed},
    news::{self, News},
    order::{Blocked, Handed, Order, Turn},
    recorded::{Recorded, recorded},
    render::{self, Format},
    sampling::{self, Sampling},
    shown, structured,
    tenancy::{self, Unresolved},
    tree,
    wanted::{Wanted, compares},
    window::{Baseline, TimeWindow},
};
use crate::{
    catalog::{Catalog, SectionEntry},
    definition::{Action, CollectArguments},
    source::{SourceError, SourceErrorKind},
    template::jinja,
};

impl Engine {
    /// `context.collect`: reads the arguments, collects and renders.
    pub(super) async fn run_collect(
        &self,
        catalog: &Catalog,
        arguments: CollectArguments,
        movable: Movable,
        notes: &[String],
        call: &Call,
    ) -> Result<Produced, CallError> {
        let wanted = self.wanted(catalog, &arguments, notes)?;
        let format = Format::parse(arguments.format.as_deref().unwrap_or("markdown"))
            .ok_or_else(|| CallError::invalid("`format` takes `markdown`, `csv` or `json`"))?;
        let max_chars = self.max_chars(arguments.max_chars);
        let mut document = self.collect_kept(catalog, wanted, call, true).await?;
        document.bounded(movable.with(arguments.max_chars, &self.options));
        let (shown, masked) = document.masked(&self.options.masking);
        let (text, json) = render::answer(&shown, format, max_chars);
        let is_error = document.status.is_failure();
        // What a model reads stays the only thing that it is shown: values are for whoever asks for them.
        let structured = json.and_then(|json| structured::document(&shown, &json, self.options.most_chars));
        let content = vec![Content::of_masked(text)];
        Ok(Produced { content, structured, document: Some(document), is_error, masked, ..Produced::default() })
    }

    /// Collects a context by name, for the command line and embedding programs.
    ///
    /// # Errors
    /// `InvalidArguments`, `Cancelled`. Problems of data sources are part of the document, not errors.
    pub async fn collect_context(&self, arguments: Map<String, Value>, call: &Call) -> Result<Document, CallError> {
        let catalog = self.catalog();
        let arguments = typed(&arguments, &IndexMap::new())?;
        let wanted = self.wanted(&catalog, &arguments, &[])?;
        self.collect(&catalog, wanted, call).await
    }

    /// Holds a collection without a tool to the bounds of the tool that collects, where there is one.
    ///
    /// # Errors
    /// `InvalidArguments`.
    pub fn within_limits(&self, arguments: &Map<String, Value>) -> Result<(), CallError> {
        let catalog = self.catalog();
        let collects = |action: &Action| matches!(action, Action::ContextCollect { .. });
        let Some(tool) = catalog.tools.values().find(|tool| collects(&tool.definition.run)) else { return Ok(()) };
        let bounded = |name: &&str| tool.definition.parameters.contains_key(*name);
        let given = ["max_items", "max_chars"].into_iter().filter(bounded).filter_map(|name| {
            let value = arguments.get(name)?.clone();
            Some((name.to_owned(), value))
        });
        let parameters = tool.definition.parameters.iter().filter(|(_, parameter)| !parameter.required);
        let parameters = parameters.map(|(name, parameter)| (name.clone(), parameter.clone())).collect();
        arguments::check(&parameters, &given.collect(), &self.reading(&catalog, Spelling::Json)).map(drop)
    }

    /// Renders a document with this engine's budget.
    pub fn render(&self, document: &Document, format: Format, max_chars: Option<usize>) -> String {
        let (shown, _) = document.masked(&self.options.masking);
        render::document(&shown, format, max_chars.unwrap_or(self.options.max_chars))
    }

    /// Longest rendering of a call, in characters.
    pub(super) fn max_chars(&self, asked: Option<usize>) -> usize {
        asked.unwrap_or(self.options.max_chars).min(self.options.most_chars)
    }

    /// Collects a context, or takes what is kept of it, for whoever has a turn already.
    pub(super) async fn collect(
        &self,
        catalog: &Catalog,
        wanted: Wanted<'_>,
        call: &Call,
    ) -> Result<Document, CallError> {
        self.collect_kept(catalog, wanted, call, false).await
    }

    /// Collects all sections concurrently; returns what is finished at the deadline, which is so long after the start.
    pub(super) async fn collect_from(
        &self,
        catalog: &Catalog,
        wanted: Wanted<'_>,
        call: &Call,
        started: Instant,
    ) -> Result<Document, CallError> {
        let definition = &wanted.entry.definition;
        if let Some(parameter) = &definition.composes {
            return Box::pin(self.compose(catalog, wanted, parameter, call)).await;
        }
        let deadline = started + self.options.context_deadline;
        let mut document = wanted.document(self.now());
        let tenancy = &self.options.tenancy;
        let resolved = tenancy::organisation(
            tenancy,
            &self.directory,
            &self.sources,
            call,
            wanted.organization_id,
            self.options.context_deadline,
        );
        let organisation = match resolved.await {
            Ok(organisation) => organisation,
            Err(Unresolved::Refused(why)) => {
                return Err(
                    CallError::new(CallErrorKind::Forbidden, why).hint("leave the organisation out of the call")
                );
            }
            Err(unresolved) => {
                let (what, hint) = unresolved.explain();
                document.summary = format!("[SYSTEM] Nothing was read: {what}. What to do: {hint}.");
                document.elapsed = started.elapsed();
                return Ok(document);
            }
        };
        let (workspace, user) = tenancy::workspace_and_user(tenancy, &call.principal);
        let (workspace_id, user_id) = match tenancy.allow_argument {
            true if call.principal.has_credential() => {
                tenancy::same("workspace_id", wanted.workspace_id, workspace)?;
                tenancy::same("user_id", wanted.user_id, user)?;
                (workspace, user)
            }
            true => (wanted.workspace_id.or(workspace), wanted.user_id.or(user)),
            false => (workspace, user),
        };
        if let Some(parameter) = &definition.of_account
            && user_id.is_none()
            && wanted.filters.get(parameter).is_none_or(Value::is_null)
        {
            let name = wanted.name;
            let message =
                format!("No account is named: `{name}` is about one, and the server knows no user of this call");
            return Err(CallError::invalid(message).hint(format!("name the account with `{parameter}`")));
        }
        let place = news::Place::default();
        let run = Run {
            engine: self,
            catalog,
            wanted: &wanted,
            window: wanted.window,
            baseline: wanted.baseline,
            again: Some(&place),
            instead: None,
            organisation: &organisation,
            workspace_id,
            user_id,
            call,
        };
        let entries = |tell| wanted.entry.sections.iter().filter(move |entry| entry.definition.when_empty == tell);
        let order = Order::of(&wanted.entry.sections);
        let first = entries(false).filter(|entry| !news::is_reach(definition, &entry.name));
        let answers = join_all(first.map(|entry| run.in_turn(&order, entry, deadline)));
        // Sections wait for it, and go on without when it takes too long.
        let soon = started + self.options.context_deadline.mul_f64(0.75);
        let again = async {
            let again = run.again(soon).await.map(Arc::new);
            place.send_replace(Some(again.clone()));
            again
        };
        let compared = wanted.baseline.of(wanted.window);
        let lie = |entry, window| {
            let run = &run;
            let section = move |window, around, deadline| run.section(entry, window, around, deadline);
            let (back, of) = (definition.window.looks_back, &wanted.entry.sections);
            recorded(entry, window, compared, back, of, deadline, section)
        };
        let told = entries(true).map(|entry| lie(entry, wanted.window));
        // A second side is a window of its own.
        let of_b = entries(true).filter(|_| definition.window.sides.is_some()).map(|entry| lie(entry, compared));
        let named = async {
            let id = workspace_id?;
            Some(self.directory.workspace(id, &organisation.id, &self.sources, &call.ledger).await)
        };
        let (answers, told, of_b, workspace, again) =
            tokio::join!(answers, join_all(told), join_all(of_b), named, again);
        document.sections = answers.into_iter().flatten().collect();
        let recorded: Vec<Recorded> = told.into_iter().flatten().collect();
        let of_b: Vec<Recorded> = of_b.into_iter().flatten().collect();
        run.without_part(&recorded, &mut document.sections, deadline).await;
        if call.cancel.is_cancelled() {
            return Err(CallError::new(CallErrorKind::Cancelled, "the call was cancelled"));
        }
        narrowed::inherit(wanted.entry, &mut document.sections);
        forgotten::forget(&wanted.entry.sections, &recorded, compared, &mut document.sections);
        missing::tell(&wanted.entry.sections, &recorded, (wanted.window, self.now()), &mut document.sections);
        joined::join(wanted.entry, self.options.max_rows, &mut document.sections);
        shown::tell(&mut document.sections, &self.options.masking);
        document.status = overall(&document.sections);
        let asking = Asking {
            catalog,
            call,
            organization_id: &organisation.id,
            workspace_id,
            user_id,
            window: wanted.window,
            wait: Duration::ZERO,
            aside: true,
            since: None,
        };
        document.absent = self.absent(&wanted, &document, deadline, asking).await;
        let news = match &again {
            Some(again) => run.news(again, &document, deadline).await,
            None => News::default(),
        };
        document.workspace = workspace;
        document.organisation = Some(organisation);
        document.notes.extend(wanted.compared(again.as_deref()));
        conclude(catalog, &wanted, &recorded, &of_b, again.as_deref().map(|again| (again, &news)), &mut document);
        document.sections.retain(SectionAnswer::is_shown);
        document.sections.iter_mut().for_each(SectionAnswer::trim);
        // A stable sort: sections of one priority keep the order of the definition.
        document.sections.sort_by_key(|section| section.priority);
        document.links = links::of(&self.options.links, &document);
        document.elapsed = started.elapsed();
        Ok(document)
    }
}

/// One collection under way.
struct Run<'a> {
    engine: &'a Engine,
    catalog: &'a Catalog,
    wanted: &'a Wanted<'a>,
    /// What statements read, and what they compare it with.
    window: TimeWindow,
    baseline: Baseline,
    /// Where what is read against another time comes to, for sections that ask both.
    again: Option<&'a news::Place>,
    /// What sections are compared with instead, of which the data begin within that time.
    instead: Option<&'a HashMap<&'a str, Baseline>>,
    organisation: &'a Organisation,
    workspace_id: Option<&'a str>,
    user_id: Option<&'a str>,
    call: &'a Call,
}

impl Run<'_> {
    /// Reads a section once those that it waits for have ended; none where it is left out.
    async fn in_turn(&self, order: &Order<'_>, entry: &SectionEntry, deadline: Instant) -> Option<SectionAnswer> {
        let started = Instant::now();
        let mut answer = match self.is_asked(entry) {
            Ok(false) => None,
            Ok(true) => match tokio::time::timeout_at(deadline.into(), order.turn(entry)).await {
                Ok(Turn::Read(handed)) => {
                    let window = self.window;
                    Some(self.read(entry, &handed, window, window, deadline).await)
                }
                Ok(Turn::LeftOut) => None,
                Ok(Turn::Blocked(Blocked { status, message, hint })) => {
                    Some(SectionAnswer { message: Some(message), hint, ..self.blank(entry, status, started) })
                }
                Err(_) => Some(self.failed(entry, self.late(deadline.saturating_duration_since(started)), started)),
            },
            Err(error) => Some(self.failed(entry, error, started)),
        };
        if let (Some(answer), Some(news), Some(place)) = (&mut answer, &entry.definition.news, self.again)
            && !answer.status.is_problem()
            && let Some(again) = news::waited(place).await
        {
            again.leave(news, answer);
        }
        order.ended(&entry.name, answer.as_ref());
        answer
    }

    /// Reads a section that waits for none; none where its condition does not hold.
    async fn section(
        &self,
        entry: &SectionEntry,
        window: TimeWindow,
        around: TimeWindow,
        deadline: Instant,
    ) -> Option<SectionAnswer> {
        match self.is_asked(entry) {
            Ok(true) => Some(self.read(entry, &Handed::default(), window, around, deadline).await),
            Ok(false) => None,
            Err(error) => Some(self.failed(entry, error, Instant::now())),
        }
    }

    /// Whether the condition of a section holds.
    fn is_asked(&self, entry: &SectionEntry) -> Result<bool, SourceError> {
        let Some(key) = &entry.when else { return Ok(true) };
        let mut variables: Map<String, Value> = self.wanted.filters.clone();
        let window = self.wanted.window;
        let about = serde_json::json!({ "hours": window.hours(), "ends_now": window.ends_now(self.engine.now()) });
        variables.insert("window".into(), about);
        self.catalog.templates.holds(key, jinja(&variables)).map_err(|error| {
            let message = format!("the condition of the section failed: {error}");
            SourceError::new(SourceErrorKind::Failed, message)
        })
    }

    async fn read(
        &self,
        entry: &SectionEntry,
        handed: &Handed,
        window: TimeWindow,
        around: TimeWindow,
        deadline: Instant,
    ) -> SectionAnswer {
        let started = Instant::now();
        let query = self.query(entry, handed, window, around, deadline);
        let outcome = tokio::time::timeout_at(deadline.into(), query).await;
        match outcome.unwrap_or_else(|_| Err(self.late(deadline.saturating_duration_since(started)))) {
            Ok(found) => {
                let own = found.sample.clone();
                let mut partial: Vec<String> = Vec::new();
                handed.partial.iter().for_each(|said| {
                    if !partial.contains(said) {
                        partial.push(said.clone());
                    }
                });
                let samples = handed.samples.iter().copied().chain(own.as_ref().map(Sampling::of)).collect();
                let mut answer = SectionAnswer { partial, samples, ..self.found(entry, found, started) };
                if let Some(sample) = own.filter(Sampling::is_given_up) {
                    cramped(&mut answer, sample.of());
                }
                answer
            }
            Err(unread) => self.failed(entry, unread, started),
        }
    }

    /// The time that there was for it is over: `had` of that of the whole document.
    fn late(&self, had: Duration) -> Unread {
        let cut = self.deadline();
        let (to_do, name) = (cut.cap.what_to_do(), cut.cap.name());
        let message = match u64::try_from(had.as_millis()).unwrap_or(u64::MAX) {
            0 => cut.used_up(),
            _ if had >= self.engine.options.context_deadline.mul_f64(0.8) => {
                format!("not finished within {}", cut.limit)
            }
            millis => format!("not finished within {}", Limit::Time(Duration::from_millis(millis))),
        };
        let error = SourceError::new(SourceErrorKind::Timeout, message);
        Unread { error: error.hint(format!("{to_do}, or let the operator raise `{name}`")), ended: Some(cut) }
    }

    /// The time of the whole document was over before a statement was asked.
    fn unasked(&self) -> Unread {
        self.late(Duration::ZERO)
    }

    fn deadline(&self) -> Cut {
        Cut::new(Cap::Deadline, Limit::Time(self.engine.options.context_deadline))
    }

    fn found(&self, entry: &SectionEntry, found: Found<'_>, started: Instant) -> SectionAnswer {
        let status = if found.rows.rows.is_empty() { Status::Empty } else { Status::Ok };
        let columns = found.rows.columns.iter().enumerate();
        let shown =
            |column: &crate::source::Column| self.catalog.columns.column(&entry.definition.columns, &column.name);
        let columns = columns.map(|(at, column)| Heading::of(shown(column), column, zone(&found.rows, at))).collect();
        let (total, shown, cut) = found.extent.answered(&found.rows);
        let unread = found.extent.unread(&found.rows);
        let (parameters, sql) = (&self.wanted.entry.definition.parameters, &found.alternative.sql);
        // Of a window to come there is nothing yet: what is found is as of now, unless it is of the time before.
        let is_to_come = self.wanted.window.from >= self.engine.now() && status == Status::Ok;
        let current =
            self.wanted.entry.definition.is_current(&entry.definition) || is_to_come && !compares(&entry.definition);
        let mut remarks = found.remarks;
        let now = self.engine.now();
        remarks.extend((current && !self.wanted.window.ends_now(now)).then(|| current::remark(now)));
        let mut answer = SectionAnswer {
            note: found.alternative.note.clone(),
            tables: found.alternative.requires.clone(),
            remarks,
            current,
            narrowed: Narrowed::of(parameters, &self.wanted.filters, sql),
            window: (found.window != self.wanted.window).then_some(found.window),
            columns,
            rows: found.rows.rows,
            shown,
            room: found.extent.room(),
            total,
            cut,
            unread,
            ..self.blank(entry, status, started)
        };
        if let Some(tree) = &entry.definition.tree {
            tree::grow(tree, &mut answer);
        }
        answer
    }

    fn failed(&self, entry: &SectionEntry, unread: impl Into<Unread>, started: Instant) -> SectionAnswer {
        let Unread { error, ended } = unread.into();
        let (context, section, kind) = (self.wanted.name, &entry.name, error.kind.as_str());
        // A database may quote a row or an argument in its text, which is the caller's and not the log's.
        let message = match error.kind {
            SourceErrorKind::Invalid
            | SourceErrorKind::Value
            | SourceErrorKind::Exhausted
            | SourceErrorKind::Failed => None,
            _ => Some(error.message.as_str()),
        };
        tracing::warn!(context, section, kind, message, "A section could not be read.");
        let answer = self.blank(entry, Status::from(error.kind), started);
        let error = told(error);
        SectionAnswer { message: Some(error.message), hint: error.hint, ended, ..answer }
    }

    fn blank(&self, entry: &SectionEntry, status: Status, started: Instant) -> SectionAnswer {
        SectionAnswer {
            name: entry.name.clone(),
            title: entry.definition.title.clone(),
            source: entry.definition.source.0.clone(),
            priority: entry.definition.priority,
            status,
            message: None,
            hint: None,
            note: None,
            remarks: Vec::new(),
            current: self.wanted.entry.definition.is_current(&entry.definition),
            unrecorded: false,
            incomparable: false,
            is_missing: false,
            lacks: None,
            is_never: false,
            besides: Vec::new(),
            ends_early: false,
            tables: Vec::new(),
            lent: Vec::new(),
            lent_by: Vec::new(),
            hidden: !entry.definition.show,
            partial: Vec::new(),
            samples: Vec::new(),
            is_handful: false,
            usual: Vec::new(),
            narrowed: Narrowed::default(),
            window: None,
            columns: Vec::new(),
            rows: Vec::new(),
            masked: 0,
            shown: 0,
            room: (0, Cap::Usual),
            total: Total::default(),
            cut: None,
            unread: None,
            ended: None,
            elapsed: started.elapsed(),
        }
    }
}

/// Tells of what was read from a sample because all of it was too much: nothing in it is no finding, and a few are not many.
fn cramped(answer: &mut SectionAnswer, of: u32) {
    if !answer.rows.is_empty() {
        let columns: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
        answer.is_handful = sampling::is_handful(&columns, &answer.rows, of);
        return;
    }
    answer.status = Status::Partial;
    answer.message = sampling::share(&answer.samples).map(|share| sampling::none_of(&share));
    answer.hint = Some("ask for a shorter window, or again while the database has less to do".to_owned());
}
