//! The client of 2026-07-28: it is told during the call, and answers by calling again.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Declared, Telling};
use crate::{
    definition::LogLevel,
    engine::{Abilities, Asked, CallError, Client, Question},
};

pub struct Retrying {
    pub telling: Telling,
    pub declared: Declared,
}

#[async_trait::async_trait]
impl Client for Retrying {
    fn abilities(&self) -> Abilities {
        self.declared.abilities()
    }

    async fn log(&self, level: LogLevel, logger: &str, data: Value) {
        self.telling.log(level, logger, data).await;
    }

    async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        self.telling.progress(progress, total, message).await;
    }

    async fn ask(&self, questions: &IndexMap<String, Question>) -> Result<Asked, CallError> {
        self.declared.check(questions)?;
        Ok(Asked::Later)
    }
}
