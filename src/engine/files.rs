//! Files as actions: arguments to the host, off the threads that serve, and its answers as texts.
//!
//! The content of a file is answered as it is, for it is edited by its exact text; names and what is said about them are
//! one line each ([ADR 0056](../../docs/adr/0056-files-are-reached-through-capabilities.md)).

mod found;

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use base64::Engine as _;
use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{
    Body, Call, CallError, CallErrorKind, Cap, Content, Engine, Produced, ResourceContent, arguments::typed,
    window::stamp,
};
use crate::{
    definition::{
        ByteSize, FileEditArguments, FileListArguments, FileMoveArguments, FilePathArguments, FileReadArguments,
        FileSearchArguments, FileUnit, FileVerb, FileWriteArguments,
    },
    host::files::{
        self, Became, Bounds, Edit, Edited, Entry, FileError, FileErrorKind, Files, Info, LineEnds, Listed, Listing,
        Move, Range, Read, Search, Sort, Unit, Write, Written,
    },
    template::{bare, clean, counted, message},
};

/// Longest sentence about a file, and longest name in it, in characters.
const MESSAGE: usize = 600;
const NAME: usize = 300;

/// Shortest page of a file, in bytes: as long as one character may be.
const LEAST: usize = 4;

/// How long before the end of a call a search stops, so that what it found is answered.
const REST: Duration = Duration::from_millis(500);

/// Matches of a search that says no number, and the most that one may ask for.
const MATCHES: usize = 100;
const MOST_MATCHES: usize = 1000;
const MOST_CONTEXT: usize = 20;

/// Tells the host that nobody waits any more.
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Engine {
    /// Runs a verb on files. `uri` is that of the resource that is read, if one is.
    pub(super) async fn run_file(
        &self,
        verb: FileVerb,
        variables: &Map<String, Value>,
        with: &IndexMap<String, Value>,
        left: Duration,
        uri: Option<&str>,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let began = Instant::now();
        let files = self.folders(call).await?.files;
        let left = left.saturating_sub(began.elapsed());
        let given_up = GivenUp(Arc::default());
        let bounds = Bounds { given_up: given_up.0.clone(), until: Instant::now() + left.saturating_sub(REST) };
        let (variables, with, uri) = (variables.clone(), with.clone(), uri.map(str::to_owned));
        let most = self.options.most_chars;
        let work = move || run(&files, verb, (&variables, &with), &bounds, uri.as_deref(), most);
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| CallError::new(CallErrorKind::Internal, format!("the file tool failed: {error}")))?
    }
}

fn run(
    files: &Files,
    verb: FileVerb,
    (variables, with): (&Map<String, Value>, &IndexMap<String, Value>),
    bounds: &Bounds,
    uri: Option<&str>,
    most: usize,
) -> Result<Produced, CallError> {
    let files = &files.within(bounds);
    match verb {
        FileVerb::Read => read(files, typed(variables, with)?, bounds, uri, most),
        FileVerb::Write => {
            // An empty text is a content like any other.
            let content = with.get("content").or_else(|| variables.get("content")).and_then(Value::as_str);
            let FileWriteArguments { path, create_dirs, encoding, .. } = typed(variables, with)?;
            let path = required(path, "path")?;
            let Some(content) = content else { return Err(CallError::invalid("`content` is required")) };
            let (encoding, create_dirs) = (encoding.as_deref(), create_dirs.unwrap_or_default());
            let written = files.write(Write { path: &path, content, encoding, create_dirs })?;
            Ok(wrote(&path, &written))
        }
        FileVerb::Edit => {
            let said = |name| with.get(name).or_else(|| variables.get(name)).and_then(Value::as_str);
            let (old, new) = (said("old_text"), said("new_text"));
            let arguments: FileEditArguments = typed(variables, with)?;
            let path = required(arguments.path, "path")?;
            // One that is empty is told as such.
            let old = required(arguments.old_text.or_else(|| old.map(str::to_owned)), "old_text")?;
            let dry_run = arguments.dry_run.unwrap_or_default();
            let expected = arguments.expected_replacements.unwrap_or(1);
            let Some(new) = new else { return Err(CallError::invalid("`new_text` is required")) };
            let edited = files.edit(Edit { path: &path, old: &old, new, expected, dry_run })?;
            Ok(edit(&path, &edited, dry_run))
        }
        FileVerb::List => {
            let FileListArguments { path, recursive, include_hidden } = typed(variables, with)?;
            let path = path.unwrap_or_else(|| ".".to_owned());
            let hidden = include_hidden.unwrap_or_default();
            let listing = Listing { path: &path, recursive: recursive.unwrap_or_default(), hidden };
            Ok(list(&path, &files.list(listing, bounds)?))
        }
        FileVerb::CreateDirectory => {
            let FilePathArguments { path } = typed(variables, with)?;
            let path = required(path, "path")?;
            let created = files.create_directory(&path)?;
            let what = if created { "Made the folder" } else { "There was already a folder" };
            let text = format!("{what} `{}`.", bare(&path, NAME));
            Ok(output(text, json!({ "created": created })))
        }
        FileVerb::Move => {
            let FileMoveArguments { path, destination, overwrite } = typed(variables, with)?;
            let (path, destination) = (required(path, "path")?, required(destination, "destination")?);
            let overwrite = overwrite.unwrap_or_default();
            files.rename(Move { path: &path, destination: &destination, overwrite })?;
            let text = format!("Moved `{}` to `{}`.", bare(&path, NAME), bare(&destination, NAME));
            Ok(output(text, json!({})))
        }
        FileVerb::Info => {
            let FilePathArguments { path } = typed(variables, with)?;
            let path = required(path, "path")?;
            Ok(info(&path, &files.info(&path)?))
        }
        FileVerb::Search => {
            let arguments: FileSearchArguments = typed(variables, with)?;
            let path = arguments.path.unwrap_or_else(|| ".".to_owned());
            let search = Search {
                path: &path,
                pattern: arguments.pattern.as_deref(),
                content: arguments.content.as_deref(),
                context: arguments.context_lines.unwrap_or_default().min(MOST_CONTEXT),
                hidden: arguments.include_hidden.unwrap_or_default(),
                max_results: arguments.max_results.unwrap_or(MATCHES).clamp(1, MOST_MATCHES),
            };
            Ok(found::found(&files.search(search, bounds)?, (files.max_read(), most)))
        }
    }
}

fn required(argument: Option<String>, name: &str) -> Result<String, CallError> {
    argument.ok_or_else(|| CallError::invalid(format!("`{name}` is required")))
}

/// A text, and beside it what later steps see.
fn output(text: String, mut members: Value) -> Produced {
    if let Some(members) = members.as_object_mut() {
        members.insert("text".to_owned(), Value::String(text.clone()));
    }
    Produced { output: Some(members), ..Produced::text(text) }
}

fn read(
    files: &Files,
    arguments: FileReadArguments,
    bounds: &Bounds,
    uri: Option<&str>,
    most: usize,
) -> Result<Produced, CallError> {
    let FileReadArguments { path, encoding, unit, offset, limit } = arguments;
    let path = required(path, "path")?;
    // The path of a URI has no slash at its beginning: it is an absolute one if that is one of ours.
    let absolute = uri.map(|_| format!("/{path}")).filter(|absolute| files.covers(absolute));
    let path = absolute.unwrap_or(path);
    let unit = match unit.unwrap_or_default() {
        FileUnit::Lines => Unit::Lines,
        FileUnit::Bytes => Unit::Bytes,
    };
    // What an answer cannot hold is not read: it goes on where it was left.
    let range = Range { unit, offset, limit, most: uri.is_none().then_some(most) };
    let read = page(files, &path, encoding.as_deref(), range, bounds);
    let read = read.map_err(|error| match (uri, error.kind) {
        (Some(_), FileErrorKind::Missing) => {
            CallError { kind: CallErrorKind::UnknownResource, ..CallError::from(error) }
        }
        _ => error.into(),
    })?;
    if uri.is_some() && read.capped {
        let (size, most) = (ByteSize(read.size), ByteSize(files.max_read() as u64));
        let message = format!("`{}` has {size}, and a resource is read whole up to {most}", bare(&path, NAME));
        let hint = "read it in parts with a file tool, or the operator raises `files.max_read`";
        return Err(CallError::new(CallErrorKind::Failed, message).hint(hint));
    }
    let is_text = matches!(read.content, files::Content::Text(_));
    let by_tokens = uri.is_none() && files.longest_page(is_text, Some(most)) < files.max_read();
    let cap = match by_tokens {
        true => format!("{} (`{}`)", counted(most, "character"), Cap::Tokens.name()),
        false => format!("{} (`files.max_read`)", ByteSize(files.max_read() as u64)),
    };
    let notes = vec![of_file(&read, &cap, encoding.is_some())].into_iter().flatten().collect();
    let next = read.next.map(|(_, at)| at);
    Ok(match read.content {
        files::Content::Text(text) => {
            Produced { notes, masked: read.masked, ..output(text, json!({ "next_offset": next })) }
        }
        files::Content::Bytes(bytes) => {
            let uri = uri.map_or_else(|| address(&path), str::to_owned);
            let mime_type = Some(media_type(&bytes).to_owned());
            let body = Body::Blob(base64::engine::general_purpose::STANDARD.encode(&bytes));
            let content = Content::Embedded(ResourceContent { uri, mime_type, body, meta: None });
            let output = Some(json!({ "text": "", "next_offset": next }));
            Produced { content: vec![content], notes, output, masked: read.masked, ..Produced::default() }
        }
    })
}

/// A page of a file. A mask may be longer than what it stands for: what is then longer than an answer may be is read anew, shorter.
fn page(files: &Files, path: &str, encoding: Option<&str>, range: Range, bounds: &Bounds) -> Result<Read, FileError> {
    let (longest, mut range) = (range.most, range);
    loop {
        let read = files.read(path, encoding, range, bounds)?;
        let (files::Content::Text(text), Some(longest), Some(most)) = (&read.content, longest, range.most) else {
            return Ok(read);
        };
        let over = text.chars().count().saturating_sub(longest);
        if over == 0 || most <= LEAST {
            return Ok(read);
        }
        range.most = Some((most - over.min(most / 2)).max(LEAST));
    }
}

/// Which part of a file an answer holds, if it is not all of it, and how to go on. `asked`: its encoding was named.
fn of_file(read: &Read, cap: &str, asked: bool) -> Option<String> {
    let size = read.size;
    let Some((first, last)) = read.range else {
        return (size == 0).then(|| "the file is empty".to_owned());
    };
    let begins = if read.unit == Unit::Lines { 1 } else { 0 };
    if read.next.is_none() && first == begins {
        return match &read.content {
            files::Content::Bytes(_) if asked => {
                Some(format!("its {} are answered as they are, as `encoding` asks", counted(size, "byte")))
            }
            files::Content::Bytes(_) => {
                Some(format!("this is no text, so its {} are answered as they are", counted(size, "byte")))
            }
            files::Content::Text(_) => None,
        };
    }
    let what = if read.unit == Unit::Lines { "line" } else { "byte" };
    let shown = if first == last { format!("{what} {first}") } else { format!("{what}s {first} to {last}") };
    let mut note = format!("{shown} of a file of {}", counted(size, "byte"));
    if read.capped {
        let _ = write!(note, "; one answer holds at most {cap}");
    }
    match read.next {
        Some((Unit::Lines, at)) => drop(write!(note, "; go on with `offset: {at}`")),
        Some((Unit::Bytes, at)) => drop(write!(note, "; go on with `unit: bytes` and `offset: {at}`")),
        None => note.push_str("; it ends here"),
    }
    Some(note)
}

/// The address of a file for a client, below its folder.
fn address(path: &str) -> String {
    const KEPT: percent_encoding::AsciiSet =
        percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');
    let path = path.trim_start_matches("./").trim_start_matches('/');
    format!("file:///{}", percent_encoding::utf8_percent_encode(path, &KEPT))
}

/// By the first bytes.
fn media_type(bytes: &[u8]) -> &'static str {
    const KNOWN: [(&[u8], &str); 8] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"%PDF-", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b", "application/gzip"),
        (b"\x28\xb5\x2f\xfd", "application/zstd"),
        (b"SQLite format 3\0", "application/vnd.sqlite3"),
    ];
    let known = KNOWN.iter().find(|(begin, _)| bytes.starts_with(begin));
    known.map_or("application/octet-stream", |(_, media_type)| media_type)
}

fn wrote(path: &str, written: &Written) -> Produced {
    let (path, bytes) = (bare(path, NAME), counted(written.bytes, "byte"));
    let text = match written.before {
        Some(before) => format!("Wrote {bytes} to `{path}` in place of {before}."),
        None => format!("Wrote {bytes} to the new file `{path}`."),
    };
    let note = |became: &Became| match became {
        Became::Kept(encoding) => format!("the file keeps its encoding, {encoding} with a mark at its beginning"),
        Became::Utf8 => "the file was no UTF-8 and is now; `encoding` writes another one".to_owned(),
        Became::LineEnds => {
            "the file ended its lines with CRLF, and now not all of them do: write them in `content`".to_owned()
        }
    };
    let notes = written.became.iter().map(note).collect();
    Produced { notes, ..output(text, json!({ "bytes": written.bytes })) }
}

fn edit(path: &str, edited: &Edited, dry_run: bool) -> Produced {
    let count = counted(edited.replacements, "replacement");
    let path = bare(path, NAME);
    let said = match dry_run {
        true => format!("Would make {count} in `{path}`; nothing was changed:"),
        false => format!("Made {count} in `{path}`:"),
    };
    let diff = edited.diff.trim_end();
    let ends = edited.line_ends.map(LineEnds::as_str);
    let notes = ends.map(|ends| format!("the file ends its lines with {ends}, and so does what was put in"));
    let members = json!({ "replacements": edited.replacements, "diff": edited.diff });
    let notes = notes.into_iter().collect();
    Produced { notes, masked: edited.masked, ..output(format!("{said}\n{diff}"), members) }
}

fn list(path: &str, listed: &Listed) -> Produced {
    let line = |entry: &Entry| {
        let name = one_line(&entry.path);
        match (entry.sort, entry.size) {
            (Sort::Folder, _) => format!("{name}/"),
            (Sort::File, Some(size)) => format!("{name} ({})", counted(size, "byte")),
            (Sort::File, None) => name,
            (Sort::Link, _) => format!("{name} (link)"),
            (Sort::Other, _) => format!("{name} (no plain file)"),
        }
    };
    let lines: Vec<String> = listed.entries.iter().map(line).collect();
    let text = if lines.is_empty() { format!("`{}` is empty.", bare(path, NAME)) } else { lines.join("\n") };
    let mut notes = Vec::new();
    if listed.truncated {
        let count = counted(listed.entries.len(), "entry").replace("entrys", "entries");
        notes.push(match listed.unordered {
            false => format!("there are more: the first {count} are shown; list a folder below, or search for names"),
            true => format!("there are more: the time of the call was over after {count}; list a folder below"),
        });
    }
    if listed.hidden > 0 {
        notes.push(format!("{} left out; `include_hidden: true` shows them", counted(listed.hidden, "hidden name")));
    }
    notes.extend(closed(listed.closed));
    notes.extend(unnamed(listed.entries.iter().map(|entry| entry.path.as_str())));
    let entries = listed
        .entries
        .iter()
        .map(|entry| json!({ "path": entry.path, "type": entry.sort.as_str(), "size": entry.size }));
    let entries: Vec<Value> = entries.collect();
    Produced { notes, ..output(text, json!({ "entries": entries, "truncated": listed.truncated })) }
}

/// That folders were left out, whatever was asked of them.
fn closed(folders: usize) -> Option<String> {
    let why = "closed to this server, its own, or more than 64 deep";
    (folders > 0).then(|| format!("{} could not be looked into: {why}", counted(folders, "folder")))
}

/// That names are shown as nobody can write them, or are not what they look like.
fn unnamed<'a>(paths: impl Iterator<Item = &'a str>) -> impl Iterator<Item = String> {
    let (mut odd, mut unseen) = (false, false);
    for path in paths {
        odd |= path.contains(char::REPLACEMENT_CHARACTER);
        unseen |= clean(path) != path;
    }
    let odd = odd.then(|| "a name with `\u{fffd}` is not UTF-8 on the disk, and no path leads to it".to_owned());
    let note = "a name in quotes holds signs that are not seen, written there as `\\u{…}`: a path to it holds the signs themselves";
    odd.into_iter().chain(unseen.then(|| note.to_owned()))
}

fn info(path: &str, info: &Info) -> Produced {
    let kind = info.special.unwrap_or(info.sort.as_str());
    let modified = info.modified.map(|time| stamp(OffsetDateTime::from(time)));
    let mut lines = vec![format!("path: {}", one_line(path)), format!("type: {kind}")];
    if info.sort == Sort::File {
        lines.push(format!("size: {}", counted(info.size, "byte")));
    }
    lines.extend(modified.as_ref().map(|time| format!("modified: {time}")));
    lines.push(format!("mode: {:04o}", info.mode));
    if info.sort == Sort::Link {
        lines.push(match &info.leads_to {
            Some(to) => format!("leads to: {}", one_line(to)),
            None => "leads to: nothing that file tools may touch".to_owned(),
        });
    }
    if info.sort == Sort::File && info.names > 1 {
        lines.push(format!("names: {} (hard links)", info.names));
    }
    if !info.may_change {
        lines.push("may be read and not changed".to_owned());
    }
    let mode = format!("{:04o}", info.mode);
    let members = json!({ "type": kind, "size": info.size, "modified": modified, "mode": mode });
    output(lines.join("\n"), members)
}

/// A name as it is, unless it would be more than a name in a list.
fn one_line(name: &str) -> String {
    let shown = clean(name);
    match () {
        () if name.chars().any(char::is_control) => format!("{name:?}"),
        () if shown == name => shown,
        // What is taken out of it would leave another name.
        () => clean(&format!("{name:?}")),
    }
}

impl From<FileError> for CallError {
    fn from(error: FileError) -> Self {
        let kind = match error.kind {
            FileErrorKind::Invalid => CallErrorKind::InvalidArguments,
            FileErrorKind::Forbidden => CallErrorKind::Forbidden,
            FileErrorKind::Cancelled => CallErrorKind::Cancelled,
            FileErrorKind::Missing | FileErrorKind::Failed => CallErrorKind::Failed,
        };
        let said = message(&error.message, MESSAGE);
        let said = match &error.shown {
            Some(shown) => format!("{said}\n{}", shown.lines().map(clean).collect::<Vec<_>>().join("\n")),
            None => said,
        };
        Self { hint: error.hint.map(|hint| message(&hint, MESSAGE)), ..Self::new(kind, said) }
    }
}
