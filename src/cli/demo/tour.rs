//! The tour: what an LLM client asks and what it gets, from the server's own answers.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::process::Command;

use super::{
    chart,
    prepare::{Prepared, Wanted, done, group, seconds},
};
use crate::{
    cli::{
        client::Client,
        outcome::hinted,
        output::{self, BAD, BOLD, DIM, GOOD, NOTE},
    },
    demo::Scenario,
    load,
    settings::{ENV_PREFIX, FILE_NAME},
    source::embedded::LIBRARY_VARIABLE,
};

/// `demo/tour.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// The scenario that is played unless another is named.
    pub scenario: String,
    list: String,
    collect: String,
    time_range: String,
    chart: Chart,
    prompt: Prompt,
    calm: Vec<String>,
    clients: Vec<ClientLine>,
    question: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientLine {
    name: String,
    line: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chart {
    title: String,
    context: String,
    section: String,
    time: String,
    value: String,
    unit: String,
    /// Equal slots into which the section divides the time range.
    slots: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prompt {
    name: String,
    context: String,
    show_from: String,
}

/// Height of the chart of the service where it begins.
const HEIGHT: usize = 6;

/// Lines of the prompt that are shown.
const EXCERPT: usize = 14;

/// Longest line that is shown of an answer.
const WIDTH: usize = 110;

pub(super) fn script() -> anyhow::Result<Script> {
    load::plain(include_str!("../../demo/tour.yaml")).context("the tour cannot be read")
}

pub(super) async fn run(wanted: &Wanted, prepared: &Prepared) -> anyhow::Result<()> {
    let script = script()?;
    let (mut client, greeting) = Client::start(server(&wanted.data_dir)?).await?;
    let mut counts = Vec::new();
    for what in ["tools", "prompts", "resources"] {
        counts.push(format!("{} {what}", client.list(what, what).await?.len()));
    }
    let contexts = client.tool(&script.list, json!({})).await?;
    counts.push(contexts.lines().next().unwrap_or_default().to_owned());
    let facts = format!(
        "{} {} speaks MCP {} after {}",
        greeting.name,
        greeting.version,
        greeting.protocol,
        seconds(greeting.after)
    );
    done("Server", &format!("{facts}: {}", counts.join(", ")));

    match &wanted.scenario {
        Some(scenario) if !scenario.blast_radius.is_empty() => {
            incident(&mut client, &script, scenario, prepared.end).await?;
            evidence(&mut client, &script, scenario).await?;
        }
        _ => calm(&mut client, &script).await?,
    }
    prompt(&mut client, &script, &wanted.data_dir).await?;
    client.close().await?;
    connect(&script, &wanted.data_dir)
}

/// A server on the demo's data, whatever the environment binds elsewhere.
fn server(data_dir: &Path) -> anyhow::Result<Command> {
    let mut server = Command::new(std::env::current_exe().context("cannot find the running program")?);
    server.arg("serve").arg("--data-dir").arg(data_dir).arg("--config").arg(data_dir.join(FILE_NAME));
    server.args(["--log-level", "error"]).stderr(Stdio::inherit());
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| name.starts_with(ENV_PREFIX) && name != LIBRARY_VARIABLE);
        if ours {
            server.env_remove(name);
        }
    }
    // Whoever waits here waits for the whole: a busy machine is no reason to show half of it.
    server.env(format!("{ENV_PREFIX}LIMITS_CONTEXT_DEADLINE"), "45s");
    Ok(server)
}

/// A heading of the tour.
fn heading(title: &str, note: &str) -> anyhow::Result<()> {
    Ok(output::write(&format!("\n{BOLD}{title}{BOLD:#}  {DIM}{note}{DIM:#}"))?)
}

/// The course of the incident in the services that it hurt.
async fn incident(
    client: &mut Client,
    script: &Script,
    scenario: &Scenario,
    end: OffsetDateTime,
) -> anyhow::Result<()> {
    heading("What the telemetry shows", &script.chart.title)?;
    let mut origin = true;
    let width = scenario.blast_radius.iter().map(|service| service.chars().count()).max().unwrap_or(0).max(10);
    let begin = end - Duration::HOUR;
    for service in &scenario.blast_radius {
        let values = course(client, script, service, (begin, end)).await?;
        let Some(first) = values.iter().copied().find(|value| *value > 0.0) else { continue };
        let ends = format!("{} → {} {}", chart::short(first), chart::short(peak(&values)), script.chart.unit);
        if !origin {
            output::write(&format!("  {service:>width$}  {}{DIM}{ends}{DIM:#}", chart::line(&values)))?;
            continue;
        }
        output::write(&format!("  {service:>width$}  {DIM}{ends}{DIM:#}"))?;
        for line in chart::columns(&values, HEIGHT, width + 2, &script.chart.unit) {
            output::write(&line)?;
        }
        let clock = |at: OffsetDateTime| format!("{:02}:{:02}", at.hour(), at.minute());
        let change = end + Duration::nanoseconds(scenario.start.0);
        let share = (change - begin) / (end - begin);
        let what = scenario.changes.first().map_or("begin", |change| change.kind.as_str());
        let (from, mark, to) = (clock(begin), format!("↑ {what} {}", clock(change)), clock(end));
        let marks = chart::marks(values.len(), &[(0.0, &from), (share, &mark), (1.0, &to)]);
        output::write(&format!("{:1$}  {NOTE}{marks}{NOTE:#}", "", width + 2))?;
        origin = false;
    }
    Ok(())
}

fn peak(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// The values of the chart's column for a service, oldest first.
async fn course(
    client: &mut Client,
    script: &Script,
    service: &str,
    window: (OffsetDateTime, OffsetDateTime),
) -> anyhow::Result<Vec<f64>> {
    let chart = &script.chart;
    let arguments = json!({
        "context_type": chart.context, "service": service, "time_range": script.time_range,
        "format": "json", "max_chars": 100_000,
    });
    let text = client.tool(&script.collect, arguments).await?;
    // The fence around it begins and ends with a line of its own.
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("```")).collect();
    let document: Value = serde_json::from_str(&lines.join("\n")).context("the document is not JSON")?;
    slots(&document, chart, window)
}

/// The values of the chart's column in a document.
fn slots(document: &Value, chart: &Chart, (begin, end): (OffsetDateTime, OffsetDateTime)) -> anyhow::Result<Vec<f64>> {
    let section = document.get("sections").and_then(|sections| sections.get(&chart.section));
    let section = section.with_context(|| format!("the context `{}` has no `{}`", chart.context, chart.section))?;
    let text = |key: &str| section.get(key).and_then(Value::as_str).unwrap_or_default();
    if !["ok", "empty"].contains(&text("status")) {
        let message = format!("`{}` of `{}` was not answered: {}", chart.section, chart.context, text("message"));
        return Err(hinted(message, "the machine may be busy: run `tfo-mcp demo` again, what it has stored is kept"));
    }
    let columns = section.get("columns").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let position = |name: &str| {
        let found = columns.iter().position(|column| column.get("name").and_then(Value::as_str) == Some(name));
        found.with_context(|| format!("`{}` has no column `{name}`", chart.section))
    };
    let (time, value) = (position(&chart.time)?, position(&chart.value)?);
    let rows = section.get("rows").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    // A slot in which nothing was recorded has no row, and stays 0.
    let mut values = vec![0.0; chart.slots];
    for row in rows {
        let at = row.get(time).and_then(Value::as_str).and_then(|at| OffsetDateTime::parse(at, &Rfc3339).ok());
        let (Some(at), Some(found)) = (at, row.get(value).and_then(Value::as_f64)) else { continue };
        let slot = ((at - begin) / (end - begin) * chart.slots as f64 + 0.5).max(0.0) as usize;
        if let Some(value) = values.get_mut(slot) {
            *value = found;
        }
    }
    Ok(values)
}

/// What a reader should be able to find, looked up through the server.
async fn evidence(client: &mut Client, script: &Script, scenario: &Scenario) -> anyhow::Result<()> {
    heading("What a model can find", &format!("each line is one call of {}", script.collect))?;
    for evidence in &scenario.evidence {
        let arguments = json!({ "context_type": evidence.context, "time_range": script.time_range });
        let text = client.tool(&script.collect, arguments).await?;
        let there = evidence.shows.iter().all(|piece| text.contains(piece.as_str()));
        let mark = if there { format!("{GOOD}✓{GOOD:#}") } else { format!("{BAD}✗{BAD:#}") };
        output::write(&format!("  {mark} {:<72} {DIM}{}{DIM:#}", evidence.statement, evidence.context))?;
        if let Some(line) = proof(&text, &evidence.shows) {
            output::write(&format!("      {DIM}{}{DIM:#}", cut(line.trim())))?;
        }
    }
    Ok(())
}

/// The line of an answer that says most of what was looked for; of equals the first.
fn proof<'t>(text: &'t str, shows: &[String]) -> Option<&'t str> {
    let score = |line: &str| shows.iter().filter(|piece| line.contains(piece.as_str())).count();
    let best = text.lines().map(score).max().filter(|best| *best > 0)?;
    text.lines().find(|line| score(line) == best)
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

async fn calm(client: &mut Client, script: &Script) -> anyhow::Result<()> {
    for context in &script.calm {
        heading("What a model reads", context)?;
        let arguments = json!({ "context_type": context, "time_range": script.time_range });
        excerpt(&client.tool(&script.collect, arguments).await?)?;
    }
    Ok(())
}

async fn prompt(client: &mut Client, script: &Script, data_dir: &Path) -> anyhow::Result<()> {
    let Prompt { name, context, show_from } = &script.prompt;
    let arguments = json!({ "context_type": context, "time_range": script.time_range });
    let answer = client.request("prompts/get", json!({ "name": name, "arguments": arguments })).await?;
    let text = answer.pointer("/messages/0/content/text").and_then(Value::as_str).unwrap_or_default();
    let size = group(text.chars().count() as u64);
    let note = format!("{size} characters: an expert's persona, rules, the live data, the task");
    heading(&format!("What a model reads when you pick the prompt `{name}`"), &note)?;
    excerpt(text.find(show_from).and_then(|at| text.get(at..)).unwrap_or(text))?;
    output::write(&format!(
        "  {DIM}│ … all of it: {}{DIM:#}",
        typed(data_dir, &format!("prompt {name} context_type={context} time_range={}", script.time_range))
    ))?;
    Ok(())
}

/// A command of this program, as a shell in any folder takes it.
pub(super) fn typed(data_dir: &Path, command: &str) -> String {
    let words = flags(data_dir).into_iter().map(|word| output::quoted(&word));
    let words: Vec<String> = [output::quoted(&program()), command.to_owned()].into_iter().chain(words).collect();
    words.join(" ")
}

fn program() -> String {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("tfo-mcp")).display().to_string()
}

/// What a command needs to find the data. Without settings it looks into the usual folder by itself.
fn flags(data_dir: &Path) -> Vec<String> {
    if dirs::data_dir().is_some_and(|usual| usual.join("tfo-mcp") == data_dir) {
        return Vec::new();
    }
    let full = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    vec!["--data-dir".to_owned(), full.display().to_string()]
}

/// The first lines of an answer, none longer than the terminal is likely to be wide.
fn excerpt(text: &str) -> anyhow::Result<()> {
    for line in text.lines().filter(|line| !line.trim().is_empty()).take(EXCERPT) {
        output::write(&format!("  {DIM}│{DIM:#} {}", cut(line)))?;
    }
    Ok(())
}

/// The lines to paste into a client's configuration.
fn connect(script: &Script, data_dir: &Path) -> anyhow::Result<()> {
    let arguments: Vec<String> = std::iter::once("serve".to_owned()).chain(flags(data_dir)).collect();
    let words: Vec<String> = flags(data_dir).iter().map(|word| output::quoted(word)).collect();
    let list = arguments.iter().map(|argument| json!(argument).to_string()).collect::<Vec<_>>().join(", ");
    heading("Connect your client", "it starts the server itself")?;
    for client in &script.clients {
        let line = client.line.replace("\"@PROGRAM@\"", &json!(program()).to_string());
        let line = line.replace("\"@ARGUMENTS@\"", &list).replace("@PROGRAM@", &output::quoted(&program()));
        let line = line.replace("@FLAGS@", &words.join(" "));
        output::write(&format!("  {:<15} {}", client.name, line.trim_end()))?;
    }
    output::write(&format!("\nThen ask: {BOLD}{}{BOLD:#}", script.question))?;
    output::write(&format!("{DIM}Other stories: {}{DIM:#}", typed(data_dir, "demo --choose")))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::outcome::hint_of;

    #[test]
    fn a_section_that_was_not_answered_says_why() {
        let script = script().unwrap();
        let of = |section: Value| {
            let document = json!({ "sections": { script.chart.section.as_str(): section } });
            let end = OffsetDateTime::UNIX_EPOCH + Duration::HOUR;
            slots(&document, &script.chart, (OffsetDateTime::UNIX_EPOCH, end))
        };
        let late = of(json!({ "title": "x", "status": "timeout", "message": "no answer within 5s" })).unwrap_err();
        assert!(late.to_string().ends_with("was not answered: no answer within 5s"), "{late}");
        assert!(hint_of(&late).is_some_and(|hint| hint.contains("again")), "{late:?}");
        let columns = json!([{ "name": script.chart.time }, { "name": script.chart.value }]);
        let read = of(json!({ "status": "ok", "columns": columns, "rows": [["1970-01-01T00:00:00Z", 7.5]] })).unwrap();
        assert_eq!((read.len(), read[0]), (script.chart.slots, 7.5));
    }
}
