//! Calls that go on as tasks (extension `io.modelcontextprotocol/tasks`, 2026-07-28).
//!
//! rmcp keeps the tasks and their results; here stands who may see which, how many there may be, and how a call runs
//! inside one. A task ends with its call, whose timeout is the tool's; what it ended with is kept for a while.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rmcp::{
    ErrorData,
    model::{CallToolResult, GetTaskResult, InputResponses, JsonObject, Task},
    task_manager::{TaskContext, TaskExit, TaskManager, TaskOptions},
};
use tracing::Instrument as _;

use super::{
    Api, Core,
    calls::{Ended, Record},
    client::{Declared, InTask},
    contained::guarded,
    conversation::{Conversation, missing_capability},
    convert,
};
use crate::{
    definition::{Standing, TaskSupport},
    engine::{Call, CallError, CallErrorKind, Outcome, Owner, Principal, Resume},
};

/// How long a task is kept beyond the longest run of its call: a person is waited for, and results are fetched.
const KEPT: Duration = Duration::from_secs(30 * 60);
/// How long a run takes at most where the tool does not say.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// How often a client is advised to look.
const POLL: Duration = Duration::from_millis(500);
/// Most tasks that are kept, and most of one caller: running and finished ones.
const MAX_TASKS: usize = 1024;
const MAX_TASKS_OF_ONE: usize = 128;

/// The tasks of a server.
#[derive(Default)]
pub struct Tasks {
    tasks: TaskManager,
    owners: Mutex<HashMap<String, Owner>>,
}

/// How a call of a tool may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As a plain call.
    Plain,
    /// As a task from the start.
    Task,
    /// As a plain call that becomes a task at a step of its own.
    Later,
    /// Not at all: it needs a client that knows tasks.
    Refused,
}

impl Tasks {
    fn owners(&self) -> MutexGuard<'_, HashMap<String, Owner>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another caller's task is as unknown as one that never was.
    fn owned(&self, id: &str, by: &Principal) -> Result<(), ErrorData> {
        match self.owners().get(id) {
            Some(owner) if *owner == by.owner() => Ok(()),
            _ => Err(unknown(id)),
        }
    }

    pub fn get(&self, id: &str, by: &Principal) -> Result<GetTaskResult, ErrorData> {
        self.owned(id, by)?;
        self.tasks.get_task(id).map(GetTaskResult::new).map_err(|_| unknown(id))
    }

    pub fn update(&self, id: &str, responses: InputResponses, by: &Principal) -> Result<(), ErrorData> {
        self.owned(id, by)?;
        self.tasks.update_task(id, responses).map_err(|_| unknown(id))
    }

    pub fn cancel(&self, id: &str, by: &Principal) -> Result<(), ErrorData> {
        self.owned(id, by)?;
        self.tasks.cancel_task(id).map_err(|_| unknown(id))
    }

    /// Makes sure that there is room for one more of this owner.
    fn make_room(&self, owner: &Owner) -> Result<(), CallError> {
        let mut owners = self.owners();
        let of_one = |owners: &HashMap<String, Owner>| owners.values().filter(|other| *other == owner).count();
        if owners.len() < MAX_TASKS && of_one(&owners) < MAX_TASKS_OF_ONE {
            return Ok(());
        }
        // rmcp forgets what is over; so is it forgotten here.
        owners.retain(|id, _| self.tasks.get_task(id).is_ok());
        if owners.len() < MAX_TASKS && of_one(&owners) < MAX_TASKS_OF_ONE {
            return Ok(());
        }
        let mut full = CallError::new(CallErrorKind::Unavailable, "there are too many tasks already")
            .hint("wait until some of them are over; results are kept for some minutes");
        full.retry_after = Some(KEPT);
        Err(full)
    }
}

fn unknown(id: &str) -> ErrorData {
    let message = format!("unknown task `{}`; it may be over for too long", crate::template::bare(id, 80));
    ErrorData::invalid_params(message, None)
}

impl<A: Api> Core<A> {
    /// How a call of a tool runs for a client. An unknown tool is a plain call, which says so.
    pub(super) fn mode(&self, tool: &str, knows_tasks: bool, caller: &Principal) -> Mode {
        let catalog = self.api.catalog();
        let entry = catalog.tools.get(tool).filter(|entry| entry.access().within(caller.toolsets.as_deref()));
        let Some(definition) = entry.map(|entry| &entry.definition) else { return Mode::Plain };
        match definition.task {
            TaskSupport::None => Mode::Plain,
            TaskSupport::Optional if !knows_tasks => Mode::Plain,
            TaskSupport::Required if !knows_tasks => Mode::Refused,
            TaskSupport::Optional | TaskSupport::Required => {
                let later = definition.run.any(&mut |facts| facts.place == Standing::StepOfTask);
                if later { Mode::Later } else { Mode::Task }
            }
        }
    }

    /// Lets a call run, or go on, as a task.
    pub(super) fn start_task(
        self: &Arc<Self>,
        tool: &str,
        arguments: JsonObject,
        of: &Conversation,
        resume: Option<Resume>,
    ) -> Result<Task, CallError> {
        let owner = of.call.principal.owner();
        self.tasks.make_room(&owner)?;
        let catalog = self.api.catalog();
        let timeout = catalog.tools.get(tool).and_then(|entry| entry.definition.timeout).map_or(LONGEST, |t| t.0);
        let ttl = u64::try_from((timeout + KEPT).as_millis()).unwrap_or(u64::MAX);
        let options = TaskOptions::new().with_ttl_ms(ttl).with_poll_interval_ms(POLL.as_millis() as u64);
        let (core, tool, declared) = (self.clone(), tool.to_owned(), of.declared);
        let (principal, caller, trace_id) =
            (of.call.principal.clone(), of.call.caller.clone(), of.call.trace_id.clone());
        let (record, ledger) = (of.record.clone(), of.call.ledger.clone());
        let span = tracing::Span::current();
        let mut owners = self.tasks.owners();
        let task = self.tasks.tasks.spawn(options, move |context| {
            let call = Call {
                cancel: core.ending.child_token(),
                principal,
                caller,
                client: Arc::new(InTask::new(context.clone(), declared)),
                resume,
                trace_id,
                ledger,
            };
            let running = core.running.clone();
            let run = core.run_task(tool, arguments, call, context, declared, record).instrument(span);
            Box::pin(running.track_future(run))
        });
        of.record.goes_on(&task.task_id);
        owners.insert(task.task_id.clone(), owner);
        Ok(task)
    }

    async fn run_task(
        self: Arc<Self>,
        tool: String,
        arguments: JsonObject,
        mut call: Call,
        context: TaskContext,
        declared: Declared,
        record: Arc<Record>,
    ) -> Result<CallToolResult, TaskExit> {
        // However this ends, the call ends with it, in the database too.
        let cancel = call.cancel.clone();
        let _ends = cancel.clone().drop_guard();
        record.goes_on(context.task_id());
        let outcome = loop {
            let outcome = {
                let mut run = std::pin::pin!(guarded(self.api.call_tool(&tool, arguments.clone(), &call)));
                tokio::select! {
                    outcome = run.as_mut() => outcome,
                    () = context.cancelled() => {
                        cancel.cancel();
                        run.as_mut().await
                    }
                }
            };
            match outcome {
                // The step at which it may become a task: it is one.
                Ok(Outcome::Asks(pending)) if pending.questions.is_empty() => {
                    call.resume = Some(Resume { state: pending.state, ..Resume::default() });
                }
                Ok(outcome) => break outcome.done(),
                Err(error) => break Err(error),
            }
        };
        let outcome = outcome.map_err(|error| declared.explain(error));
        if let Ok(answer) = &outcome {
            record.shows(answer);
        }
        record.saw(Ended::of_tool(&outcome));
        record.task_ended().await;
        match outcome {
            Err(error) if error.kind == CallErrorKind::Unable => Err(TaskExit::Error(missing_capability(&error))),
            Err(error) if error.kind == CallErrorKind::Cancelled && context.is_cancel_requested() => {
                Err(TaskExit::Cancelled)
            }
            outcome => convert::tool_result(&tool, outcome).map_err(TaskExit::Error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(subject: &str) -> Principal {
        Principal { subject: Some(subject.to_owned()), ..Principal::default() }
    }

    #[tokio::test]
    async fn a_caller_sees_its_own_tasks_only() {
        let tasks = Tasks::default();
        let work = || Box::pin(std::future::pending::<Result<CallToolResult, TaskExit>>());
        let task = tasks.tasks.spawn(TaskOptions::new(), |_| work());
        tasks.owners().insert(task.task_id.clone(), caller("ada").owner());
        let id = task.task_id.as_str();
        assert!(tasks.get(id, &caller("ada")).is_ok());
        let elsewhere = Principal { organizations: Some(vec!["o".into()]), ..caller("ada") };
        let namesake = Principal { credential: Some("another key".into()), ..caller("ada") };
        for other in [caller("bob"), Principal::default(), elsewhere, namesake] {
            let unknown = tasks.get("no such task", &caller("ada")).unwrap_err();
            let refused = tasks.get(id, &other).unwrap_err();
            assert_eq!(refused.code, unknown.code);
            assert_eq!(refused.message.replace(id, "no such task"), unknown.message, "nobody learns that it exists");
            assert!(tasks.cancel(id, &other).is_err() && tasks.update(id, InputResponses::new(), &other).is_err());
        }
    }

    #[tokio::test]
    async fn tasks_are_bounded_for_each_caller_and_room_comes_back() {
        let tasks = Tasks::default();
        let (ada, bob) = (caller("ada").owner(), caller("bob").owner());
        for _ in 0..MAX_TASKS_OF_ONE {
            tasks.make_room(&ada).unwrap();
            let task = tasks.tasks.spawn(TaskOptions::new(), |_| Box::pin(std::future::pending()));
            tasks.owners().insert(task.task_id, ada.clone());
        }
        assert_eq!(tasks.make_room(&ada).unwrap_err().kind, CallErrorKind::Unavailable);
        tasks.make_room(&bob).unwrap();
        // What rmcp has forgotten counts no more.
        tasks.tasks.shutdown();
        tasks.make_room(&ada).unwrap();
        assert!(tasks.owners().is_empty());
    }
}
