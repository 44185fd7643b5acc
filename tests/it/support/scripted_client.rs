//! A client whose answers a test scripts, of a session or of a revision in which it calls again.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use indexmap::IndexMap;
use serde_json::{Map, Value};
use tfo_mcp::{
    definition::LogLevel,
    engine::{Abilities, Asked, CallError, Client, Question},
};

/// What a client was told, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    Log(LogLevel, String, Value),
    Progress(f64, Option<f64>, Option<String>),
    Asked(IndexMap<String, Question>),
}

#[derive(Default)]
pub struct ScriptedClient {
    abilities: Abilities,
    /// None: it answers by calling again. Empty: it never answers.
    rounds: Option<Mutex<VecDeque<Map<String, Value>>>>,
    pub told: Arc<Mutex<Vec<Told>>>,
}

impl ScriptedClient {
    /// Over a session: answers at once, round by round, and then never again.
    pub fn at_once(abilities: Abilities, rounds: impl IntoIterator<Item = Value>) -> Self {
        let rounds = rounds.into_iter().map(|round| round.as_object().cloned().unwrap()).collect();
        Self { abilities, rounds: Some(Mutex::new(rounds)), told: Arc::default() }
    }

    /// Answers by calling again.
    pub fn later(abilities: Abilities) -> Self {
        Self { abilities, rounds: None, told: Arc::default() }
    }
}

#[async_trait::async_trait]
impl Client for ScriptedClient {
    fn abilities(&self) -> Abilities {
        self.abilities
    }

    async fn log(&self, level: LogLevel, logger: &str, data: Value) {
        self.told.lock().unwrap().push(Told::Log(level, logger.to_owned(), data));
    }

    async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        self.told.lock().unwrap().push(Told::Progress(progress, total, message.map(str::to_owned)));
    }

    async fn ask(&self, questions: &IndexMap<String, Question>) -> Result<Asked, CallError> {
        self.told.lock().unwrap().push(Told::Asked(questions.clone()));
        let Some(rounds) = &self.rounds else { return Ok(Asked::Later) };
        let round = rounds.lock().unwrap().pop_front();
        match round {
            Some(replies) => Ok(Asked::Replies(replies)),
            None => std::future::pending().await,
        }
    }
}
