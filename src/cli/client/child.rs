//! A server as a child: messages over its standard input and output.

use std::{process::Stdio, time::Duration};

use anyhow::Context;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// How long a server gets to end with its input.
const CLOSING: Duration = Duration::from_secs(10);

pub(super) struct Child {
    child: tokio::process::Child,
    input: ChildStdin,
    output: tokio::io::Lines<BufReader<ChildStdout>>,
}

impl Child {
    pub(super) fn start(mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let program = command.as_std().get_program().to_owned();
        let mut child = command.spawn().with_context(|| format!("cannot start `{}`", program.display()))?;
        let input = child.stdin.take().context("the server has no standard input")?;
        let output = child.stdout.take().context("the server has no standard output")?;
        Ok(Self { child, input, output: BufReader::new(output).lines() })
    }

    pub(super) async fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        let line = format!("{message}\n");
        self.input.write_all(line.as_bytes()).await.context("the server does not read")?;
        self.input.flush().await.context("the server does not read")
    }

    /// The next message; none at the end.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Value>> {
        let Some(line) = self.output.next_line().await? else { return Ok(None) };
        serde_json::from_str(&line).map(Some).context("the server wrote a line that is not JSON")
    }

    /// Ends the server by closing its input, as clients do.
    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        drop(self.input);
        timeout(CLOSING, self.child.wait()).await.context("the server did not end with its input")??;
        Ok(())
    }
}
