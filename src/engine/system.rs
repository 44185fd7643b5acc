//! This machine as actions: what a call asks to the host, off the threads that serve, and its answers as texts.

use std::{
    cell::OnceCell,
    time::{Duration, Instant},
};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::{
    Call, CallError, CallErrorKind, Engine, Produced,
    arguments::typed,
    commands::{output, owner, seconds, seconds_of},
    credential,
};
use crate::{
    definition::{
        SystemInfoArguments, SystemKillArguments, SystemProcessesArguments, SystemVerb, SystemWatchArguments,
    },
    host::{
        commands::CommandError,
        system::{self, Look, Measure, Part, Process, Watch},
    },
    masking::Masking,
    template::{bare, clean, counted},
};

/// Most processes of an answer.
const MOST: usize = 50;

/// Longest command line of a process in an answer, in characters.
const COMMAND: usize = 120;

/// What a watch takes where the call does not say it, and at least.
const DURATION: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_secs(1);

/// What is left of a call's time when a watch has ended.
const REST: Duration = Duration::from_millis(500);

impl Engine {
    /// Runs a verb on the machine.
    pub(super) async fn run_system(
        &self,
        verb: SystemVerb,
        variables: &Map<String, Value>,
        with: &IndexMap<String, Value>,
        left: Duration,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let commands = &self.options.commands;
        match verb {
            SystemVerb::Info => {
                let SystemInfoArguments { include } = typed(variables, with)?;
                let parts = parts(include)?;
                let told = off_thread(move || system::info(&parts)).await?;
                let text = told.iter().map(|(part, value)| format!("{part}: {}", plain(value))).collect::<Vec<_>>();
                Ok(output(text.join("\n"), Value::Object(told)))
            }
            SystemVerb::Processes => {
                let SystemProcessesArguments { filter } = typed(variables, with)?;
                // What stands behind a program's name may be anything, and is told only where commands may be run as well.
                let open = commands.are_open();
                let wanted = filter.clone();
                let (commands, owner) = (commands.clone(), owner(call));
                let (before, after) = (commands.keepers(), OnceCell::new());
                let look = move || {
                    // Who looks for a part of a secret must not find it, so it is gone before anything is looked for.
                    let shown = |words: &[String]| {
                        let line = Masking::command(words).join(" ");
                        credential::masked(&Masking::secrets().masked(&line).0).into_owned()
                    };
                    let keepers = || after.get_or_init(|| before.clone().and(commands.keepers()));
                    let hidden =
                        |pid: u32, parent: &system::Parent<'_>| keepers().is_of_another(pid, owner.as_deref(), parent);
                    let mut all =
                        system::processes(&Look { filter: wanted.as_deref(), open, shown: &shown, hidden: &hidden })?;
                    for process in all.iter_mut().filter(|process| keepers().has(process.pid)) {
                        "this server, which keeps a command".clone_into(&mut process.command);
                    }
                    Ok(all)
                };
                Ok(processes(&off_thread(look).await?, filter.as_deref()))
            }
            SystemVerb::Kill => {
                commands.allow_ends()?;
                let SystemKillArguments { pid } = typed(variables, with)?;
                let pid = pid.ok_or_else(|| CallError::invalid("`pid` is required"))?;
                let (commands, owner) = (commands.clone(), owner(call));
                let kill = move || {
                    commands.judge_end(pid, owner.as_deref())?;
                    system::kill(pid)
                };
                let killed = off_thread(kill).await?;
                let how = if killed.by_force { "was killed, since it did not end when asked" } else { "has ended" };
                let text = format!("The process {pid} (`{}`) {how}.", bare(&killed.name, COMMAND));
                Ok(output(text, json!({ "killed": true })))
            }
            SystemVerb::Watch => {
                let SystemWatchArguments { duration, interval } = typed(variables, with)?;
                let given = |seconds: Option<f64>, name, default| {
                    seconds.map_or(Ok(default), |seconds| seconds_of(seconds, name))
                };
                let paced = interval.is_some();
                let interval = given(interval, "interval", INTERVAL)?.max(system::LOOK);
                let whole = given(duration, "duration", DURATION)?;
                let interval = if paced { interval } else { interval.min(whole).max(system::LOOK) };
                if duration.is_some() && paced && whole < interval {
                    return Err(CallError::invalid(format!(
                        "`duration` is {}, in which nothing is seen at an `interval` of {}",
                        seconds(whole),
                        seconds(interval)
                    )));
                }
                let duration = whole.max(interval);
                watch(duration, interval, left, call).await
            }
        }
    }
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CommandError> + Send + 'static,
) -> Result<T, CallError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| CallError::new(CallErrorKind::Internal, format!("it failed: {error}")))?;
    Ok(done?)
}

/// The parts that a call names; none: all.
fn parts(include: Option<Vec<String>>) -> Result<Vec<Part>, CallError> {
    let Some(include) = include.filter(|include| !include.is_empty()) else { return Ok(Part::ALL.to_vec()) };
    let part = |name: &String| {
        Part::of(name).ok_or_else(|| {
            let known = Part::ALL.map(Part::as_str).join("`, `");
            CallError::invalid(format!("`include` takes `{known}`, and not `{}`", bare(name, COMMAND)))
        })
    };
    let mut parts: Vec<Part> = Vec::new();
    for name in &include {
        let part = part(name)?;
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    Ok(parts)
}

/// What is told of a part, in words: numbers by the ends of their names.
fn plain(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let known = fields.iter().filter(|(_, value)| !value.is_null());
            known.map(|(name, value)| field(name, value)).collect::<Vec<_>>().join(", ")
        }
        Value::Array(items) => items.iter().map(|item| format!("\n  {}", plain(item))).collect(),
        Value::String(text) => clean(text),
        other => other.to_string(),
    }
}

fn field(name: &str, value: &Value) -> String {
    let words = |end: &str| name.trim_end_matches(end).replace('_', " ");
    match value {
        Value::Number(number) if name.ends_with("_bytes") => {
            format!("{} {}", words("_bytes"), size(number.as_u64().unwrap_or_default()))
        }
        Value::Number(number) if name.ends_with("_percent") => format!("{} {number} %", words("_percent")),
        Value::Number(number) if name.ends_with("_seconds") => format!("{} {number} s", words("_seconds")),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            format!("{} {}", words(""), if items.is_empty() { "none".to_owned() } else { items.join(" ") })
        }
        _ => format!("{} {}", words(""), plain(value)),
    }
}

/// A size to a tenth of its unit.
#[expect(clippy::cast_precision_loss)]
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} B"),
    }
}

fn processes(all: &[Process], filter: Option<&str>) -> Produced {
    let shown = all.get(..MOST).unwrap_or(all);
    let command = |process: &Process| match process.command.is_empty() {
        true => bare(&process.name, COMMAND),
        false => bare(&process.command, COMMAND),
    };
    let line = |process: &Process| {
        let Process { pid, cpu, memory, state, age, .. } = process;
        format!("{pid}  {cpu:.1} % cpu, {}, {state}, {}: `{}`", size(*memory), seconds(*age), command(process))
    };
    let text = match (all.is_empty(), filter) {
        (true, Some(filter)) => format!("No process has `{}` in its name.", bare(filter, COMMAND)),
        (true, None) => "No process can be seen.".to_owned(),
        (false, _) => shown.iter().map(line).collect::<Vec<_>>().join("\n"),
    };
    let member = |process: &Process| {
        json!({
            "pid": process.pid, "parent": process.parent, "name": process.name, "command": command(process),
            "cpu_percent": process.cpu, "memory_bytes": process.memory, "state": process.state,
            "age_seconds": process.age.as_secs(),
        })
    };
    let mut notes = Vec::new();
    if shown.len() < all.len() {
        notes.push(format!(
            "the busiest {} of {} are shown; name a part of a name in `filter`",
            shown.len(),
            all.len()
        ));
    }
    let members = json!({ "processes": shown.iter().map(member).collect::<Vec<_>>() });
    Produced { notes, ..output(text, members) }
}

/// Looks at the machine again and again, and tells the client each time.
async fn watch(duration: Duration, interval: Duration, left: Duration, call: &Call) -> Result<Produced, CallError> {
    let most = left.saturating_sub(REST).max(interval);
    let whole = duration.min(most);
    let mut watch = off_thread(Watch::begin).await?;
    let begun = Instant::now();
    let mut samples = 0_u32;
    while begun.elapsed() + interval <= whole + interval / 10 {
        tokio::time::sleep(interval).await;
        watch = off_thread(move || {
            watch.look();
            Ok(watch)
        })
        .await?;
        samples += 1;
        let now =
            watch.measures().iter().take(3).map(|measure| format!("{} {}", measure.name, shown(measure, measure.last)));
        let now = now.collect::<Vec<_>>().join(", ");
        call.client.progress(begun.elapsed().as_secs_f64(), Some(whole.as_secs_f64()), Some(&now)).await;
    }
    let line = |measure: &Measure| {
        let [min, mean, max] = [measure.min, measure.mean(), measure.max].map(|value| shown(measure, value));
        format!("{}: min {min}, avg {mean}, max {max}", measure.name)
    };
    let lines: Vec<String> = watch.measures().iter().map(line).collect();
    let looks = counted(samples, "sample");
    let text = format!("{looks} in {}\n\n{}", seconds(begun.elapsed()), lines.join("\n"));
    let member = |measure: &Measure| {
        let Measure { name, unit, min, max, .. } = measure;
        json!({ "name": name, "unit": unit, "min": min, "avg": measure.mean(), "max": max })
    };
    let measures: Vec<Value> = watch.measures().iter().map(member).collect();
    let cut = (whole < duration)
        .then(|| format!("it ended after {}, for this tool may not take longer", seconds(begun.elapsed())));
    Ok(Produced {
        notes: cut.into_iter().collect(),
        ..output(text, json!({ "samples": samples, "measures": measures }))
    })
}

fn shown(measure: &Measure, value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let bytes = value.max(0.0) as u64;
    match measure.unit {
        "%" => format!("{value:.1} %"),
        "bytes" => size(bytes),
        "bytes/s" => format!("{}/s", size(bytes)),
        _ => format!("{value:.2}"),
    }
}
