//! Commands as actions: what a call wants to the host, its output as it comes to the client, and its end as a text.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{Call, CallError, CallErrorKind, Cap, Engine, Produced, arguments::typed, intake, window::stamp};
use crate::{
    definition::{CommandRunArguments, CommandSessionArguments, CommandVerb},
    host::commands::{
        CommandError, CommandErrorKind, Commands, Confinement, Ended, GRACE, Kept, Part, Session, Wanted, Why,
    },
    masking::Masking,
    template::{bare, counted, message},
};

/// Longest sentence about a command, and longest line of it in one, in characters.
const MESSAGE: usize = 600;
const LINE: usize = 200;

/// How much is said of a command beside its output, in characters.
const SAID: usize = 500;

/// What is left of a call's time when its command has ended.
const REST: Duration = Duration::from_millis(500);

/// How often a client is told how far a command is.
const TOLD: Duration = Duration::from_millis(500);

impl Engine {
    /// Runs a verb on commands. `argv` are the words that the definition writes.
    pub(super) async fn run_command(
        &self,
        verb: CommandVerb,
        argv: Vec<String>,
        variables: &Map<String, Value>,
        with: &IndexMap<String, Value>,
        left: Duration,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let commands = &self.options.commands;
        let owner = owner(call);
        match verb {
            CommandVerb::Run => {
                let arguments: CommandRunArguments = typed(variables, with)?;
                // What is a text for a shell is the author's decision, never the caller's.
                let shell = with.get("shell") == Some(&Value::Bool(true));
                let mut argv = argv.into_iter().filter(|word| !word.is_empty());
                let (command, words) = match argv.next() {
                    Some(program) => (Some(program), Some(argv.collect())),
                    None => (arguments.command, arguments.args),
                };
                let command = command.ok_or_else(|| CallError::invalid("`command` is required"))?;
                let background = arguments.background.unwrap_or_default();
                let asked = arguments.timeout;
                let timeout = asked.map(|seconds| seconds_of(seconds, "timeout")).transpose()?;
                let spent = left.saturating_sub(GRACE + REST).max(REST);
                let timeout = if background { timeout } else { Some(timeout.unwrap_or(spent).min(spent)) };
                let folder = arguments.working_dir.as_deref();
                let folders = self.folders(call).await?.commands;
                let folders = folders.as_deref();
                let (output, by) = longest_output(commands.max_output(), self.options.most_chars);
                let (command, arguments) = (&command, words.as_deref());
                let wanted = Wanted { command, arguments, shell, folder, timeout, folders, output };
                let (longest, setting) = commands.longest(background);
                // What ends it, if not what the call said.
                let given = asked.is_some_and(|asked| timeout.is_some_and(|timeout| asked <= timeout.as_secs_f64()));
                let bound = match timeout.is_none_or(|timeout| timeout > longest) {
                    true => Some(setting),
                    false if given => None,
                    false => Some("the time of this call"),
                };
                match background {
                    true => {
                        let bound = bound.filter(|_| timeout.is_some()).map(|setting| (longest, setting));
                        Ok(started(&commands.start(&wanted, owner).await?, bound, &self.options.masking))
                    }
                    false => {
                        foreground(commands, &self.options.masking, &wanted, (bound, by), (owner.as_deref(), call))
                            .await
                    }
                }
            }
            CommandVerb::Sessions => {
                commands.open()?;
                Ok(sessions(&commands.sessions(owner.as_deref()), &self.options.masking))
            }
            CommandVerb::Output => {
                commands.open()?;
                let read = commands.output(&session_id(variables, with)?, owner.as_deref())?;
                let (text, masked) = shown(&read.kept, &self.options.masking);
                let session = &read.session;
                let state = session.ended.as_ref().map_or_else(
                    || format!("it runs, since {}", seconds(session.took)),
                    |ended| said_later(ended, session.took),
                );
                let said = if text.trim().is_empty() { "no new output".to_owned() } else { text.clone() };
                let members = json!({
                    "output": text, "session_id": session.id, "ended": session.ended.as_ref().map(|ended| ended.why.as_str()),
                    "exit_code": session.ended.as_ref().and_then(|ended| ended.code),
                });
                let notes = written_over(&read.kept).into_iter().collect();
                Ok(Produced { masked, notes, ..output(format!("{state}\n\n{said}"), members) })
            }
            CommandVerb::Terminate => {
                commands.open()?;
                let session = commands.terminate(&session_id(variables, with)?, owner.as_deref()).await?;
                let ended = session.ended.as_ref();
                let state = ended.map_or_else(String::new, |ended| said_later(ended, session.took));
                let members = json!({ "session_id": session.id, "ended": ended.map(|ended| ended.why.as_str()) });
                let text = format!("`{}`: {state}", line_of(&session, &self.options.masking));
                Ok(Produced { notes: ended.into_iter().flat_map(notes).collect(), ..output(text, members) })
            }
        }
    }
}

/// Who may see what a call starts in the background.
pub(super) fn owner(call: &Call) -> Option<String> {
    call.principal.subject.as_ref().map(ToString::to_string).or_else(|| call.caller.as_deref().map(str::to_owned))
}

fn session_id(variables: &Map<String, Value>, with: &IndexMap<String, Value>) -> Result<String, CallError> {
    let CommandSessionArguments { session_id } = typed(variables, with)?;
    session_id.ok_or_else(|| CallError::invalid("`session_id` is required"))
}

/// Seconds of a call as a time.
pub(super) fn seconds_of(seconds: f64, name: &str) -> Result<Duration, CallError> {
    let refused = || CallError::invalid(format!("`{name}` is a number of seconds above 0"));
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).ok_or_else(refused)
}

/// How much of an output is kept, in bytes, and the setting that says so: an answer that is cut once more loses its tail. What is said
/// of a command stands beside its output.
fn longest_output(most: usize, most_chars: usize) -> (usize, &'static str) {
    let room = most_chars.saturating_sub(SAID.min(most_chars / 2));
    if room < most { (room, Cap::Tokens.name()) } else { (most, "commands.max_output") }
}

/// Runs a command to its end, and tells the client on the way.
async fn foreground(
    commands: &Commands,
    masking: &Masking,
    wanted: &Wanted<'_>,
    (bound, by): (Option<&str>, &str),
    (owner, call): (Option<&str>, &Call),
) -> Result<Produced, CallError> {
    let mut running = commands.run(wanted, owner).await?;
    let mut kept = Kept::new(wanted.output);
    let (begun, most) = (Instant::now(), running.timeout().as_secs_f64());
    let mut told = begun;
    while let Some(bytes) = running.next().await {
        kept.take(bytes);
        if told.elapsed() >= TOLD {
            told = Instant::now();
            // A line that is not at its end may be the half of a secret.
            let line = kept.last_line().map(|part| bare(&of_its_stream(&part, masking).0, LINE));
            let line = line.as_deref().map(|line| masking.masked(line).0);
            call.client.progress(begun.elapsed().as_secs_f64(), Some(most), line.as_deref()).await;
        }
    }
    let timeout = running.timeout();
    let (confinement, ended) = running.ended().await;
    let (shown, masked) = shown(&kept, masking);
    let mut state = said(&ended, Duration::from_millis(ended.took));
    if ended.why == Why::Timeout {
        let _ = match bound {
            None => write!(state, ", which was its time ({})", seconds(timeout)),
            Some(setting) => write!(state, ", which was its time ({}, the most by {setting})", seconds(timeout)),
        };
    }
    let body = if shown.trim().is_empty() { "no output" } else { shown.trim_end_matches('\n') };
    let members = json!({
        "output": shown, "exit_code": ended.code, "ended": ended.why.as_str(), "signal": ended.signal,
        "processes_ended": ended.swept, "output_bytes": kept.total(), "confinement": told_of(confinement),
    });
    let mut notes = notes(&ended);
    notes.extend(written_over(&kept));
    if kept.lost() > 0 {
        let all = counted(kept.total(), "byte");
        notes.push(format!("it wrote {all}, of which the first and the last are shown (`{by}`)"));
    }
    notes.push(told_of(confinement));
    let is_error = ended.why != Why::Exited;
    Ok(Produced { notes, is_error, masked, ..output(format!("{state}\n\n{body}"), members) })
}

/// A part of an output, masked by what came before it, and how often that was.
fn of_its_stream(part: &Part, masking: &Masking) -> (String, usize) {
    let text = intake::output(&part.text);
    masking.piece(&part.opened, &intake::output(&part.before), &text, &intake::output(&part.after)).unwrap_or((text, 0))
}

/// That lines were written over in place, of which only the last is shown.
fn written_over(kept: &Kept) -> Option<String> {
    let lines = intake::written_over(&kept.text());
    (lines > 0).then(|| {
        format!(
            "{} had text before a carriage return, as progress has, and only what stands behind the last one is shown",
            counted(lines as u64, "line")
        )
    })
}

/// What is kept of an output. What is all of it is masked where it leaves.
fn shown(kept: &Kept, masking: &Masking) -> (String, usize) {
    match kept.parts() {
        (whole, None) if whole.before.is_empty() => (intake::output(&whole.text), 0),
        (part, None) => of_its_stream(&part, masking),
        (head, Some((said, tail))) => {
            let ((head, first), (tail, last)) = (of_its_stream(&head, masking), of_its_stream(&tail, masking));
            (format!("{head}\n{said}\n{tail}"), first + last)
        }
    }
}

/// How a command in the background ended, of whose time nobody else says that it was over.
fn said_later(ended: &Ended, took: Duration) -> String {
    let said = said(ended, took);
    if ended.why == Why::Timeout { format!("{said}, when its time was over") } else { said }
}

/// How a command ended, in a few words.
fn said(ended: &Ended, took: Duration) -> String {
    let after = seconds(took);
    match (ended.why, ended.code, ended.signal) {
        (Why::Exited, Some(code), _) => format!("exit code {code} after {after}"),
        (Why::Exited, None, Some(signal)) => format!("ended by signal {signal} after {after}"),
        (Why::Exited, None, None) => format!("ended after {after}"),
        (Why::Timeout, ..) => format!("ended from here after {after}"),
        (Why::Terminated, ..) => format!("ended on demand after {after}"),
        (Why::Processes, ..) => format!(
            "ended after {after}: it had more than {} processes at once, or more threads than so many have \
             (`commands.max_processes`)",
            ended.processes.saturating_sub(1)
        ),
        (Why::Memory, ..) => format!("ended after {after}: it held more memory than it may (`commands.max_memory`)"),
        (Why::Abandoned, ..) => format!("ended after {after}, with what had started it"),
        (Why::Lost, ..) => format!("ended after {after}: what kept it is gone"),
    }
}

fn notes(ended: &Ended) -> Vec<String> {
    let mut notes = Vec::new();
    if ended.swept > 0 {
        let were = if ended.swept == 1 { "was" } else { "were" };
        // Whoever ended when asked to, and was waited for by another, was never seen.
        let least = if matches!(ended.why, Why::Timeout | Why::Terminated) { "at least " } else { "" };
        notes.push(format!(
            "{least}{} that it had started {were} ended with it",
            counted(ended.swept, "process").replace("processs", "processes")
        ));
    }
    if ended.left > 0 {
        notes.push(format!("{} could not be ended and may still be there", ended.left));
    }
    if ended.folder_stays {
        notes.push("what it left in its own folder, its `HOME`, is so much that it is still being removed".to_owned());
    }
    notes
}

/// How far the kernel kept it in.
fn told_of(confinement: Confinement) -> String {
    let files = match confinement.landlock {
        Some(version) if confinement.keeps_signals() => format!("confined to its folders (Landlock {version})"),
        Some(version) => {
            format!("confined to its folders (Landlock {version}, which lets it send signals to other processes)")
        }
        None => "not confined to its folders, since this kernel has no Landlock".to_owned(),
    };
    // An account changes its own files only; what is root's is that of the whole machine.
    let outside = match (confinement.outside, confinement.account) {
        (_, Some(account)) => format!(" as account {account}"),
        (false, None) if confinement.keeps_files() && rustix::process::geteuid().is_root() => {
            ", but for the modes and times of root's other files".to_owned()
        }
        _ => String::new(),
    };
    let network = match (confinement.network, confinement.seccomp) {
        (false, _) => "without network",
        (true, true) => "with network",
        (true, false) => "with network and all calls to the system",
    };
    format!("{files}{outside}, {network}")
}

/// What was run, masked before it is cut.
fn line_of(session: &Session, masking: &Masking) -> String {
    bare(&masking.masked(&session.command).0, LINE)
}

/// `bound`: what ends it earlier than the call said.
fn started(session: &Session, bound: Option<(Duration, &str)>, masking: &Masking) -> Produced {
    let text = format!(
        "`{}` runs in the background as `{}`. That is its `session_id`, by which its output is read and it is ended; it ends \
         with this server too.",
        line_of(session, masking),
        session.id
    );
    let members = json!({ "session_id": session.id, "confinement": told_of(session.confinement) });
    let bound = bound.map(|(most, setting)| format!("it is ended after {}, the most by {setting}", seconds(most)));
    Produced { notes: bound.into_iter().chain([told_of(session.confinement)]).collect(), ..output(text, members) }
}

fn sessions(all: &[Session], masking: &Masking) -> Produced {
    let line = |session: &Session| {
        let state = match &session.ended {
            None => format!("runs, since {}", seconds(session.took)),
            Some(ended) => said_later(ended, session.took),
        };
        let unread = counted(session.unread, "byte");
        format!("{}  {state}, {unread} unread: `{}`", session.id, line_of(session, masking))
    };
    let text = match all.is_empty() {
        true => "No command runs in the background, and none ended of late.".to_owned(),
        false => all.iter().map(line).collect::<Vec<_>>().join("\n"),
    };
    let member = |session: &Session| {
        json!({
            "session_id": session.id, "command": session.command, "began": stamp(OffsetDateTime::from(session.began)),
            "ended": session.ended.as_ref().map(|ended| ended.why.as_str()),
            "exit_code": session.ended.as_ref().and_then(|ended| ended.code), "unread": session.unread,
        })
    };
    output(text, json!({ "sessions": all.iter().map(member).collect::<Vec<_>>() }))
}

/// A text, and beside it what later steps see.
pub(super) fn output(text: String, mut members: Value) -> Produced {
    if let Some(members) = members.as_object_mut() {
        members.insert("text".to_owned(), Value::String(text.clone()));
    }
    Produced { output: Some(members), ..Produced::text(text) }
}

pub(super) fn seconds(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

impl From<CommandError> for CallError {
    fn from(error: CommandError) -> Self {
        let kind = match error.kind {
            CommandErrorKind::Invalid => CallErrorKind::InvalidArguments,
            CommandErrorKind::Forbidden => CallErrorKind::Forbidden,
            CommandErrorKind::Failed => CallErrorKind::Failed,
        };
        Self {
            hint: error.hint.map(|hint| message(&hint, MESSAGE)),
            ..Self::new(kind, message(&error.message, MESSAGE))
        }
    }
}
