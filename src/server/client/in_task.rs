//! The client of a task: its questions wait in the task until the client fetches and answers them.
//!
//! The request that started the task is answered, so there is nowhere to send messages to: progress becomes the
//! task's status message, and log messages go to the server's own log.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use futures::future::try_join_all;
use indexmap::IndexMap;
use rmcp::task_manager::{TaskContext, TaskExit};
use serde_json::Value;

use super::{Declared, question};
use crate::{
    definition::LogLevel,
    engine::{Abilities, Asked, CallError, CallErrorKind, Client, Question},
};

pub struct InTask {
    context: TaskContext,
    declared: Declared,
    /// How often a name was asked: keys are unique within a task.
    asked: Mutex<HashMap<String, usize>>,
}

impl InTask {
    pub fn new(context: TaskContext, declared: Declared) -> Self {
        Self { context, declared, asked: Mutex::default() }
    }

    async fn answer(&self, name: &str, question: &Question) -> Result<Value, CallError> {
        let request = question::input_request(name, question)?;
        let times = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let times = asked.entry(name.to_owned()).or_default();
            *times += 1;
            *times
        };
        let key = if times == 1 { name.to_owned() } else { format!("{name}-{times}") };
        match self.context.request_input(key, request).await {
            Ok(answer) => question::reply(name, question, answer),
            Err(TaskExit::Cancelled) => Err(CallError::new(CallErrorKind::Cancelled, "the task was cancelled")),
            Err(TaskExit::Error(error)) => Err(CallError::new(CallErrorKind::Internal, error.message)),
        }
    }
}

#[async_trait::async_trait]
impl Client for InTask {
    fn abilities(&self) -> Abilities {
        self.declared.abilities()
    }

    async fn log(&self, level: LogLevel, logger: &str, data: Value) {
        tracing::debug!(?level, logger, %data, "a definition logs within a task");
    }

    async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let done = total.map_or_else(|| progress.to_string(), |total| format!("{progress} of {total}"));
        self.context.set_status_message(message.map_or_else(|| done.clone(), |message| format!("{message} ({done})")));
    }

    async fn ask(&self, questions: &IndexMap<String, Question>) -> Result<Asked, CallError> {
        self.declared.check(questions)?;
        let answers = try_join_all(questions.iter().map(|(name, question)| self.answer(name, question))).await?;
        Ok(Asked::Replies(questions.keys().cloned().zip(answers).collect()))
    }
}
