//! One try of what was written: the server is started, or called, as the client will do it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    sync::mpsc,
    time::Duration,
};

use anyhow::Context;
use tokio::{process::Command, time::timeout};

use super::entry::{Target, Variable};
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

/// `headers` are those of the entry, `more` the values of variables that stood in it already.
pub(super) async fn run(
    target: &Target,
    headers: &[(String, String)],
    more: &BTreeMap<String, String>,
    folder: &Path,
) -> anyhow::Result<Tried> {
    let mut said = None;
    let tried = async {
        let (mut client, greeting) = match target {
            Target::Stdio { command, args, env } => {
                let mut server = server(command, args, env, more, folder);
                said = Some(Said::of(&mut server)?);
                Client::start(server).await?
            }
            Target::Http { url, .. } => Client::reach(url, headers).await?,
        };
        let tools = client.list("tools", "tools").await?.len();
        client.close().await?;
        Ok(Tried { greeting, tools })
    };
    let tried = timeout(PATIENCE, tried).await.context("no answer in time").flatten();
    match (tried, said.and_then(Said::last)) {
        (Err(error), Some(line)) => Err(anyhow::anyhow!("{error:#}; it says: {line}")),
        (tried, _) => tried,
    }
}

/// What a server writes to its standard error.
struct Said(mpsc::Receiver<String>);

impl Said {
    /// From now on. Read as it comes: a full pipe would hold the server.
    fn of(server: &mut Command) -> anyhow::Result<Self> {
        let (reader, writer) = std::io::pipe().context("cannot listen to the server")?;
        server.stderr(writer);
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // Bytes that are no text end what is read; so does nobody who listens.
            BufReader::new(reader).lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        Ok(Self(lines))
    }

    /// The line that says why it failed: the last that begins so, else the last.
    fn last(self) -> Option<String> {
        let mut last: Option<String> = None;
        // Its children may keep the pipe open.
        while let Ok(line) = self.0.recv_timeout(Duration::from_millis(300)) {
            let failed = last.as_ref().is_some_and(|last| last.starts_with("error"));
            match line.trim_start() {
                // Where it is, as reports about files say it.
                place
                    if failed
                        && place.starts_with("-->")
                        && !last.as_ref().is_some_and(|last| last.contains("-->")) =>
                {
                    last = last.map(|last| format!("{last} {}", place.trim_end()));
                }
                text if !text.is_empty() && (!failed || line.starts_with("error")) => last = Some(line),
                _ => {}
            }
        }
        last.map(|line| crate::template::message(&line, 300))
    }
}

/// The server with the little that clients hand on, so that what is missing in the entry is found out now.
fn server(command: &str, args: &[String], env: &[Variable], more: &BTreeMap<String, String>, folder: &Path) -> Command {
    let mut server = Command::new(command);
    server.args(args).env_clear().current_dir(folder);
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
