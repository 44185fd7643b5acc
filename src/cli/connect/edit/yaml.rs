//! YAML: lines are put in, replaced or taken out, and all others stay.
//!
//! Reads by columns where the servers stand: block mappings, as everybody writes them. Other ways to write the same are
//! refused by who calls this, because the new text would say something else.

use std::ops::Range;

use anyhow::bail;
use serde_json::{Map, Value};

use super::Change;

pub(super) fn read(text: &str) -> anyhow::Result<Value> {
    Ok(serde_saphyr::from_str(text)?)
}

pub(super) fn apply(text: &str, change: &Change<'_>) -> anyhow::Result<String> {
    let [section] = change.at else { bail!("servers in YAML stand one level deep") };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(heading) = lines.iter().position(|line| is_key(line, 0, section)) else {
        let Some(value) = change.value else { return Ok(text.to_owned()) };
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return Ok(format!("{text}{gap}{section}:\n{}", block(change.name, value, 2)?));
    };
    let body = below(&lines, heading, 0);
    let indent = body.clone().filter_map(|at| lines.get(at)).find_map(|line| column(line)).unwrap_or(2);
    let entry = body.clone().find(|at| lines.get(*at).is_some_and(|line| is_key(line, indent, change.name)));
    let replaced = match entry {
        Some(entry) => entry..below(&lines, entry, indent).end,
        None => heading + 1..heading + 1,
    };
    let new = match (change.value, entry) {
        (Some(value), Some(entry)) => match in_place(&lines, entry, indent, change.name, value) {
            Some(merged) => merged,
            None => block(change.name, value, indent)?,
        },
        (Some(value), None) => block(change.name, value, indent)?,
        (None, _) => String::new(),
    };
    let others = body.clone().filter(|at| !replaced.contains(at)).filter_map(|at| column(lines.get(at)?));
    let alone = others.count() == 0;
    let mut out = String::with_capacity(text.len() + new.len());
    for (at, line) in lines.iter().enumerate() {
        if at == replaced.start {
            out += &new;
        }
        match at == heading {
            true if alone && change.value.is_some() => out += &ended(&without_nothing(line)),
            // The last one is gone: an empty section says so.
            true if alone && entry.is_some() => out += &line.replacen(':', ": {}", 1),
            true => out += &ended(line),
            false if replaced.contains(&at) => {}
            false => out += line,
        }
    }
    if replaced.start == lines.len() {
        out = if new.is_empty() { out } else { ended(&out) } + &new;
    }
    Ok(out)
}

/// The heading of a section without the words that say that it holds nothing.
fn without_nothing(heading: &str) -> String {
    let Some((key, rest)) = heading.split_once(':') else { return heading.to_owned() };
    let blank = rest.len() - rest.trim_start().len();
    let (gap, said) = rest.split_at_checked(blank).unwrap_or(("", rest));
    let after = ["{}", "null", "Null", "NULL", "~"].iter().find_map(|word| said.strip_prefix(word));
    match after.filter(|after| after.is_empty() || after.starts_with([' ', '\r', '\n'])) {
        Some(after) if after.trim().is_empty() => format!("{key}:{after}"),
        Some(after) => format!("{key}:{gap}{}", after.trim_start()),
        None => heading.to_owned(),
    }
}

/// The lines of an entry that say what is wanted, of which those that say so already stay, comments with them. None: it is
/// written in a way in which lines cannot be told apart.
fn in_place(lines: &[&str], key: usize, indent: usize, name: &str, value: &Value) -> Option<String> {
    let merged = merged(lines, key, indent, value.as_object()?)?;
    // Alone in a document it must say what was wanted.
    let said: Value = serde_saphyr::from_str(&merged).ok()?;
    (said.get(name) == Some(value)).then_some(merged)
}

/// The heading and the members of a block, made to say what is wanted.
fn merged(lines: &[&str], key: usize, indent: usize, wanted: &Map<String, Value>) -> Option<String> {
    let heading = *lines.get(key)?;
    let (_, behind) = heading.split_once(':')?;
    let body = below(lines, key, indent);
    let inner = body.clone().find_map(|at| column(lines.get(at)?))?;
    if !behind.trim().is_empty() && !behind.trim_start().starts_with('#') {
        return None;
    }
    let mut out = ended(heading);
    let mut missing: Vec<&String> = wanted.keys().collect();
    let mut at = body.start;
    while at < body.end {
        let line = *lines.get(at)?;
        if column(line) != Some(inner) {
            out += &ended(line);
            at += 1;
            continue;
        }
        let end = member_end(lines, at, inner, body.end);
        let text: String = lines.get(at..end)?.concat();
        if let Some(name) = wanted.keys().find(|name| is_key(line, inner, name)) {
            missing.retain(|missing| *missing != name);
            let value = wanted.get(name)?;
            let said: Value = serde_saphyr::from_str(&text).ok()?;
            let deeper = || merged(lines, at, inner, value.as_object().filter(|members| !members.is_empty())?);
            out += &match said.get(name) == Some(value) {
                true => ended(&text),
                false => deeper().unwrap_or_else(|| member(inner, name, value, comment(line))),
            };
        }
        at = end;
    }
    for name in missing {
        out += &member(inner, name, wanted.get(name)?, "");
    }
    Some(out)
}

/// The end of a member's lines. A list may stand at the column of its key.
fn member_end(lines: &[&str], at: usize, indent: usize, most: usize) -> usize {
    let mut end = below(lines, at, indent).end;
    while end < most && lines.get(end).is_some_and(|line| column(line) == Some(indent) && line.trim().starts_with('-'))
    {
        end = below(lines, end, indent).end;
    }
    end.min(most)
}

fn member(indent: usize, name: &str, value: &Value, comment: &str) -> String {
    format!("{:indent$}{name}: {value}{comment}\n", "")
}

/// The comment at the end of a line, with the blanks before it: what can go without changing what the line says.
fn comment(line: &str) -> &str {
    let line = line.trim_end();
    let said = |text: &str| serde_saphyr::from_str::<Value>(text).ok();
    let whole = said(line);
    let starts = line.match_indices(" #").map(|(at, _)| line.split_at_checked(at));
    let found = starts.flatten().find(|(before, _)| whole.is_some() && said(before) == whole);
    found.map_or("", |(before, _)| line.get(before.trim_end().len()..).unwrap_or_default())
}

fn ended(text: &str) -> String {
    format!("{text}{}", if text.ends_with('\n') { "" } else { "\n" })
}

/// The lines of what stands deeper than a key, without the blank lines and comments that lead to the next one.
fn below(lines: &[&str], key: usize, indent: usize) -> Range<usize> {
    let deeper = |line: &&&str| column(line).is_none_or(|column| column > indent);
    let all = lines.iter().skip(key + 1).take_while(deeper).count();
    let body = lines.get(key + 1..key + 1 + all).unwrap_or_default();
    let kept = body.iter().rposition(|line| column(line).is_some()).map_or(0, |last| last + 1);
    key + 1..key + 1 + kept
}

/// Where a line begins; none for blank lines and comments.
fn column(line: &str) -> Option<usize> {
    let content = line.trim_start_matches(' ');
    (!content.trim().is_empty() && !content.starts_with('#')).then(|| line.len() - content.len())
}

fn is_key(line: &str, indent: usize, key: &str) -> bool {
    let Some(content) = line.get(indent..).filter(|_| column(line) == Some(indent)) else { return false };
    let quoted = [key.to_owned(), format!("'{key}'"), format!("\"{key}\"")];
    quoted.iter().any(|key| {
        content.strip_prefix(key.as_str()).is_some_and(|rest| {
            rest.trim_start()
                .strip_prefix(':')
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\n', '\r']))
        })
    })
}

/// An entry as a block; its values in flow form, which is JSON and needs no care for columns.
fn block(name: &str, value: &Value, indent: usize) -> anyhow::Result<String> {
    let Value::Object(members) = value else { bail!("an entry is an object") };
    let members = members.iter().map(|(key, value)| member(indent + 2, key, value, ""));
    Ok(format!("{:indent$}{name}:\n{}", "", members.collect::<String>()))
}
