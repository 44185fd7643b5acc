//! What a search found, and what it did not look at, as a text.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Cap, Produced, closed, one_line, output, unnamed};
use crate::{
    definition::ByteSize,
    host::files::{Found, Match},
    template::{clean, counted},
};

/// Matches as `grep` writes them: `path:line:text`, and `path-line-text` for the lines around.
pub(super) fn found(found: &Found, (read, most): (usize, usize)) -> Produced {
    let cap = read.min(most);
    let mut text = String::new();
    let mut shown = 0;
    let mut last: Option<(&str, usize)> = None;
    for Match { path, line, before, after } in &found.matches {
        let mut piece = String::new();
        let name = one_line(path);
        match line {
            None => piece.push_str(&name),
            Some((number, line)) => {
                let first = number - before.len();
                let seen = last.filter(|(of, _)| of == path).map_or(0, |(_, line)| line);
                if !text.is_empty() && (!before.is_empty() || !after.is_empty()) && first > seen + 1 {
                    piece.push_str("--\n");
                }
                for (at, line) in before.iter().enumerate().filter(|(at, _)| first + at > seen) {
                    let _ = writeln!(piece, "{name}-{}-{}", first + at, clean(line));
                }
                let _ = write!(piece, "{name}:{number}:{}", clean(line));
                // Lines that match themselves are shown as such, in their turn.
                let next = found.matches.get(shown + 1).filter(|next| next.path == *path);
                let next = next.and_then(|next| next.line.as_ref()).map_or(usize::MAX, |(number, _)| *number);
                let after = after.iter().zip(number + 1..).take_while(|(_, at)| *at < next);
                let mut end = *number;
                for (line, at) in after {
                    let _ = write!(piece, "\n{name}-{at}-{}", clean(line));
                    end = at;
                }
                last = Some((path, end));
            }
        }
        if text.len() + piece.len() > cap {
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&piece);
        shown += 1;
    }
    let cut = shown < found.matches.len();
    let mut notes = Vec::new();
    if cut {
        notes.push(format!(
            "{shown} of {} matches are shown: one answer holds at most {} (`{}`); narrow the search",
            found.matches.len(),
            ByteSize(cap as u64),
            if cap < read { Cap::Tokens.name() } else { "files.max_read" }
        ));
    } else if let Some(why) = found.stopped {
        notes.push(format!("there may be more: {why}; narrow the search"));
    }
    if found.unread > 0 {
        notes.push(format!(
            "{} could not be read as text and {} left out",
            counted(found.unread, "file"),
            if found.unread == 1 { "was" } else { "were" }
        ));
    }
    if found.too_long > 0 {
        let were = if found.too_long == 1 { "is" } else { "are" };
        notes.push(format!(
            "{} {were} longer than 16 MiB and not searched: read in parts with `unit: bytes`",
            counted(found.too_long, "file")
        ));
    }
    if found.unruled > 0 {
        let what = match found.unruled {
            1 => "a `.gitignore` or `.ignore` has".to_owned(),
            more => format!("{more} files `.gitignore` or `.ignore` have"),
        };
        notes.push(format!(
            "{what} more than 64 KiB or 2,000 lines, or cannot be read (a link, another name), and leaves nothing out here"
        ));
    }
    notes.extend(closed(found.closed));
    notes.extend(unnamed(found.matches.iter().map(|one| one.path.as_str())));
    if text.is_empty() {
        let all = found.closed + found.unread + found.too_long == 0 && found.stopped.is_none();
        let rest = if all { "" } else { ", which are not all" };
        text = format!("Nothing was found in {}{rest}.", counted(found.files, "file"));
        if found.line_break {
            notes.push(
                "`content` names a line break, and each line is matched alone: search for what stands in one"
                    .to_owned(),
            );
        }
        if found.whole_path {
            notes.push(
                "`pattern` is held against names below `path`, without a slash before them and without `..`: name the folder in \
                 `path`"
                    .to_owned(),
            );
        }
        if found.links > 0 {
            notes.push(format!("{} not followed", counted(found.links, "link")));
        }
        if found.left_out > 0 {
            notes.push(format!(
                "{} not looked at, of those whose names begin with a dot (`include_hidden: true`) and those that `.gitignore` or \
                 `.ignore` leave out",
                match found.left_out {
                    1 => "1 file or folder was".to_owned(),
                    more => format!("{more} files and folders were"),
                }
            ));
        }
    }
    let matches = found.matches.iter().map(|one| {
        let line = one.line.as_ref();
        json!({ "path": one.path, "line": line.map(|line| line.0), "text": line.map(|line| line.1.as_str()) })
    });
    let matches: Vec<Value> = matches.collect();
    let truncated = cut || found.stopped.is_some() || found.closed > 0;
    Produced { notes, masked: found.masked, ..output(text, json!({ "matches": matches, "truncated": truncated })) }
}
