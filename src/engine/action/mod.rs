//! Runs the action of a definition: one leaf, one question or a pipeline of them, within its time and until cancelled.
//!
//! A run of a prompt goes through the actions of its messages, one after the other; tools and resources have one.
//! Where the client answers by calling again, the run ends as [`Flow::Waits`] and its state is saved; the repeated
//! call begins at that step. Knows nothing of what asks: that is the [`Client`](super::Client)'s.

mod ask;
mod content;
mod expression;
mod leaf;
mod pipeline;
mod saved;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};

use super::{
    Call, CallError, CallErrorKind, Checked, Content, Engine, Outcome, Pending, Produced, Question,
    cut::{Movable, Reach},
    kept::Sought,
    request::told,
};
use crate::{
    catalog::{
        Catalog, CompiledAction, CompiledStep, Leaf, PromptEntry, ResourceEntry, Text, ToolEntry, Verb, property_names,
    },
    definition::{CLIENT, Parameters, TaskSupport},
    sql::tenancy::ORGANIZATION,
    template::{Flavour, jinja},
};

pub(super) use content::as_resource;
use saved::{Before, Saved};

/// What a run may take beyond its timeout: a statement is ended in the database by its own deadline, and says why.
const GRACE: Duration = Duration::from_millis(250);

/// Whose action is run.
#[derive(Clone, Copy)]
pub(super) enum Of<'a> {
    Tool(&'a ToolEntry),
    Prompt(&'a PromptEntry),
    /// With the URI that is read.
    Resource(&'a ResourceEntry, &'a str),
}

impl<'a> Of<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::Tool(entry) => &entry.definition.name,
            Self::Prompt(entry) => &entry.definition.name,
            Self::Resource(entry, _) => &entry.definition.name,
        }
    }

    fn actions(self) -> &'a [CompiledAction] {
        match self {
            Self::Tool(entry) => std::slice::from_ref(&entry.action),
            Self::Prompt(entry) => &entry.actions,
            Self::Resource(entry, _) => std::slice::from_ref(&entry.action),
        }
    }

    fn parameters(self) -> &'a Parameters {
        match self {
            Self::Tool(entry) => &entry.definition.parameters,
            Self::Prompt(entry) => &entry.definition.arguments,
            Self::Resource(entry, _) => &entry.definition.parameters,
        }
    }

    /// What the reader of a document can ask for otherwise. Who reads a prompt or a resource has the tools for that.
    fn movable(self, variables: &Map<String, Value>) -> Movable {
        match self {
            Self::Tool(_) => Movable::by(|name| self.reach(name, variables)),
            Self::Prompt(_) | Self::Resource(..) => Movable::ALL,
        }
    }

    /// Whether an argument could ask for more than it does.
    fn reach(self, name: &str, variables: &Map<String, Value>) -> Reach {
        let Some(parameter) = self.parameters().get(name) else { return Reach::No };
        let asked = variables.get(name).and_then(Value::as_f64);
        let most = asked.zip(parameter.maximum).is_some_and(|(asked, most)| asked >= most);
        if most { Reach::Most } else { Reach::More }
    }

    /// Whether a call can name an organisation.
    fn takes_organisation(self) -> bool {
        match self {
            Self::Tool(entry) if entry.own_schema.is_some() => {
                property_names(&entry.input_schema).iter().any(|name| name == ORGANIZATION)
            }
            _ => self.parameters().contains_key(ORGANIZATION),
        }
    }

    /// How many steps of a pipeline may ask a service at once with others of it; none where each waits for the one before.
    fn at_once(self, service: &str) -> usize {
        let pipelines = self.actions().iter().filter_map(|action| match action {
            CompiledAction::Pipeline(steps) if steps.iter().any(|step| step.beside) => Some(steps),
            _ => None,
        });
        let asks = |step: &&CompiledStep| matches!(&step.run, CompiledAction::Leaf(Leaf { verb: Verb::Http(request), .. }) if request.service == service);
        pipelines.map(|steps| steps.iter().filter(asks).count()).max().unwrap_or_default()
    }

    fn may_be_task(self) -> bool {
        matches!(self, Self::Tool(entry) if entry.definition.task != TaskSupport::None)
    }
}

/// How far an action came.
// Lives for a moment, one a step: a box would cost more than the copy.
#[expect(clippy::large_enum_variant)]
enum Flow {
    Done(Produced),
    Waits(Box<Waits>),
}

/// What a run waits for.
#[derive(Default)]
struct Waits {
    questions: indexmap::IndexMap<String, Question>,
    /// Answers to other questions of the same step.
    answers: Map<String, Value>,
    /// The step to go on with, and what became of the steps before it.
    step: usize,
    before: Before,
    /// It goes on as a task.
    as_task: bool,
}

/// One run.
struct Run<'a> {
    engine: &'a Engine,
    catalog: &'a Catalog,
    call: &'a Call,
    of: Of<'a>,
    timeout: Duration,
    /// Time left to the current action, without the time in which the client was asked.
    left: Duration,
    /// The arguments as the caller wrote them: what a repeated call must not change.
    given: &'a Map<String, Value>,
    /// What was made of them.
    notes: Vec<String>,
    /// Arguments, kept outputs and `client`.
    variables: Map<String, Value>,
    /// The same for templates, made when the first of them asks.
    shown: OnceLock<minijinja::Value>,
    /// Kept outputs.
    kept: Map<String, Value>,
    /// What the client answers to the first questions.
    replies: Map<String, Value>,
    as_task: bool,
}

impl Engine {
    /// Runs the actions of a definition with checked arguments, beside which stand those that the caller wrote; or answers
    /// with what an equal call was told, where that is sought. What it answers with is masked, and so is what is kept.
    pub(super) async fn perform(
        &self,
        catalog: &Catalog,
        of: Of<'_>,
        given: &Map<String, Value>,
        checked: Checked,
        timeout: Duration,
        (call, sought): (&Call, Option<Sought>),
    ) -> Result<Outcome<Vec<Produced>>, CallError> {
        call.ledger.takes_organisation(of.takes_organisation());
        let resume = call.resume.as_ref();
        let saved = resume.map(|resume| saved::read(&resume.state, of, given, call)).transpose()?.flatten();
        let notes = if sought.is_some() { checked.notes.clone() } else { Vec::new() };
        let mut run = Run {
            engine: self,
            catalog,
            call,
            of,
            timeout,
            left: timeout,
            given,
            notes: checked.notes,
            variables: Map::new(),
            shown: OnceLock::new(),
            kept: Map::new(),
            replies: resume.map(|resume| resume.replies.clone()).unwrap_or_default(),
            as_task: saved.as_ref().is_some_and(|saved| saved.as_task),
        };
        // Boxed: whatever waits for it is moved several times on its way, and would carry the largest of all actions.
        let actions = Box::pin(run.actions(&checked.values, saved));
        let masking = &self.options.masking;
        let masked = async {
            match actions.await {
                Ok(outcome) => Ok(outcome.map(|all| all.into_iter().map(|one| one.masked(masking)).collect())),
                Err(error) => Err(error.masked(masking)),
            }
        };
        let answered = async {
            match (sought, of) {
                (Some(sought), Of::Tool(entry)) => {
                    Box::pin(self.tool_kept(&sought, entry, (notes, timeout), call, masked)).await
                }
                _ => masked.await,
            }
        };
        let cancelled = |what: &str| Err(CallError::new(CallErrorKind::Cancelled, what));
        if self.ending.has_begun() {
            return cancelled("the server ends");
        }
        let ended = async {
            tokio::select! {
                // Most calls wait for nothing.
                biased;
                result = answered => result,
                () = call.cancel.cancelled() => cancelled("the call was cancelled"),
                () = self.ending.begun() => cancelled("the server ends"),
            }
        };
        self.ending.waits_for(ended).await
    }
}

impl Run<'_> {
    async fn actions(
        &mut self,
        arguments: &Map<String, Value>,
        mut saved: Option<Saved>,
    ) -> Result<Outcome<Vec<Produced>>, CallError> {
        let before = saved.as_mut().map(|saved| std::mem::take(&mut saved.done)).unwrap_or_default();
        let mut done: Vec<Produced> = before.into_iter().map(Produced::from).collect();
        for action in self.of.actions().iter().skip(done.len()) {
            self.begin(arguments);
            let flow = match action {
                CompiledAction::Pipeline(steps) => self.pipeline(steps, saved.take()).await?,
                action => {
                    let answers = saved.take().map(|saved| saved.answers).unwrap_or_default();
                    self.step(action, None, answers).await?
                }
            };
            match flow {
                Flow::Done(produced) => done.push(match (self.of, action) {
                    // Documents and rows are made no longer.
                    (Of::Tool(entry), _) if produced.document.is_none() && produced.rows.is_none() => {
                        produced.bounded(self.engine.options.most_chars, entry.output_schema.is_some(), self.given)?
                    }
                    _ => produced,
                }),
                Flow::Waits(waits) => {
                    let done = done.into_iter().map(Before::from).collect();
                    let kept = std::mem::take(&mut self.kept);
                    let (questions, state) = saved::write(*waits, done, kept, self.of, self.given, self.call)?;
                    return Ok(Outcome::Asks(Pending { questions, state }));
                }
            }
        }
        Ok(Outcome::Done(done))
    }

    fn begin(&mut self, arguments: &Map<String, Value>) {
        self.left = self.timeout;
        self.kept.clear();
        self.variables.clone_from(arguments);
        if !self.variables.contains_key(CLIENT) {
            self.variables.insert(CLIENT.to_owned(), json!(self.call.client.abilities()));
        }
        self.shown.take();
    }

    /// The variables of a template.
    fn variables(&self) -> minijinja::Value {
        self.shown.get_or_init(|| jinja(&self.variables)).clone()
    }

    /// Runs what is not a pipeline. `key` is the name under which the output is kept, if it is.
    async fn step(
        &mut self,
        action: &CompiledAction,
        key: Option<&str>,
        answers: Map<String, Value>,
    ) -> Result<Flow, CallError> {
        match action {
            CompiledAction::AskOne(question) => {
                let key = key.unwrap_or("answer");
                self.ask(&[(key, question)], true, answers).await
            }
            CompiledAction::AskSeveral(questions) => {
                let questions: Vec<_> = questions.iter().map(|(key, question)| (key.as_str(), question)).collect();
                self.ask(&questions, false, answers).await
            }
            CompiledAction::Task => {
                let as_task = self.of.may_be_task() && self.call.client.abilities().tasks && !self.as_task;
                Ok(match as_task {
                    true => Flow::Waits(Box::new(Waits { as_task, ..Waits::default() })),
                    false => Flow::Done(Produced::default()),
                })
            }
            CompiledAction::Leaf(leaf) => self.timed(leaf).await.map(Flow::Done),
            // What `check` reports and a pack that was not checked may still hold.
            CompiledAction::Pipeline(_) => Err(CallError::definition("a pipeline stands in a pipeline")),
        }
    }

    /// Runs a leaf, and takes its time from what is left.
    async fn timed(&mut self, leaf: &Leaf) -> Result<Produced, CallError> {
        let began = Instant::now();
        let result = self.alone(leaf).await;
        self.left = self.left.saturating_sub(began.elapsed());
        result
    }

    /// Runs a leaf within what is left.
    async fn alone(&self, leaf: &Leaf) -> Result<Produced, CallError> {
        // Whoever is asked for no time at all blames its own limits.
        if self.left.is_zero() && leaf.asks() {
            return Err(self.too_late());
        }
        let began = Instant::now();
        let result =
            tokio::time::timeout(self.left + GRACE, self.leaf(leaf)).await.unwrap_or_else(|_| Err(self.too_late()));
        match result {
            // Whoever was given the rest of a call's time blames that rest for what the steps before took.
            Err(error)
                if error.kind == CallErrorKind::Timeout
                    && self.left < self.timeout
                    && began.elapsed() >= self.left.mul_f64(0.9) =>
            {
                Err(self.too_late())
            }
            result => result,
        }
    }

    fn too_late(&self) -> CallError {
        let message = format!("not finished within {:?}", self.timeout);
        let spent = told(self.timeout.saturating_sub(self.left));
        let message = match spent.0.is_zero() {
            true => message,
            false => format!("{message}, the time of the whole call, of which the steps before took {spent}"),
        };
        CallError::new(CallErrorKind::Timeout, message).hint("ask for a shorter window or fewer rows")
    }

    fn text(&self, text: &Text) -> Result<String, CallError> {
        match text {
            Text::Fixed(text) => Ok(text.clone()),
            Text::Template(key) => {
                let text = self.catalog.templates.render(Flavour::Plain, key, self.variables());
                text.map_err(CallError::definition)
            }
        }
    }

    /// A word of a command: what is not there is no text in it.
    fn word(&self, text: &Text) -> Result<String, CallError> {
        match text {
            Text::Fixed(text) => Ok(text.clone()),
            Text::Template(key) => {
                self.catalog.templates.render_word(key, self.variables()).map_err(CallError::definition)
            }
        }
    }

    /// A text that the client is told before the call ends.
    fn said(&self, text: &Text) -> Result<String, CallError> {
        Ok(self.engine.options.masking.masked(&self.text(text)?).0.into_owned())
    }

    fn optional(&self, text: Option<&Text>) -> Result<Option<String>, CallError> {
        text.map(|text| self.text(text)).transpose()
    }

    fn holds(&self, condition: Option<&str>) -> Result<bool, CallError> {
        let Some(key) = condition else { return Ok(true) };
        self.catalog.templates.holds(key, self.variables()).map_err(CallError::definition)
    }
}

impl Produced {
    fn of(content: Vec<Content>) -> Self {
        Self { content, ..Self::default() }
    }

    fn one(content: Content) -> Self {
        Self::of(vec![content])
    }
}
