//! One try of what was written: the server is started, or called, as the client will do it.

use std::{collections::BTreeMap, path::Path, process::Stdio, time::Duration};

use anyhow::Context;
use tokio::{process::Command, time::timeout};

use super::entry::{Key, Target, Variable};
use crate::cli::client::{Client, Greeting};

/// Longest try. The most impatient client waits 5 s, so what takes longer is told.
const PATIENCE: Duration = Duration::from_secs(30);

/// What clients hand on of their own environment.
const HANDED_ON: [&str; 6] = ["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"];

/// How it went.
pub(super) struct Tried {
    pub greeting: Greeting,
    pub tools: usize,
}

/// `more`: values of variables that stood in the entry already.
pub(super) async fn run(target: &Target, more: &BTreeMap<String, String>, folder: &Path) -> anyhow::Result<Tried> {
    let tried = async {
        let (mut client, greeting) = match target {
            Target::Stdio { command, args, env } => Client::start(server(command, args, env, more, folder)).await?,
            Target::Http { url, key } => Client::reach(url, value(key.as_ref())?.as_deref()).await?,
        };
        let tools = client.list("tools", "tools").await?.len();
        client.close().await?;
        Ok(Tried { greeting, tools })
    };
    timeout(PATIENCE, tried).await.context("no answer in time")?
}

fn value(key: Option<&Key>) -> anyhow::Result<Option<String>> {
    match key {
        None => Ok(None),
        Some(Key::Literal(key)) => Ok(Some(key.clone())),
        Some(Key::Named(name)) => std::env::var(name).map(Some).with_context(|| format!("`{name}` is not set here")),
    }
}

/// The server with the little that clients hand on, so that what is missing in the entry is found out now.
fn server(command: &str, args: &[String], env: &[Variable], more: &BTreeMap<String, String>, folder: &Path) -> Command {
    let mut server = Command::new(command);
    server.args(args).env_clear().current_dir(folder).stderr(Stdio::null());
    for name in HANDED_ON {
        if let Some(value) = std::env::var_os(name) {
            server.env(name, value);
        }
    }
    server.envs(more);
    for variable in env {
        match &variable.value {
            Some(value) => drop(server.env(&variable.name, value)),
            None => {
                if let Some(value) = std::env::var_os(&variable.name) {
                    server.env(&variable.name, value);
                }
            }
        }
    }
    server
}
