//! YAML: lines are put in, replaced or taken out, and all others stay.
//!
//! Reads by columns where the servers stand: block mappings, as everybody writes them. Other ways to write the same are
//! refused by who calls this, because the new text would say something else.

use std::{fmt::Write as _, ops::Range};

use anyhow::{Context, bail};
use serde_json::Value;

use super::Change;

pub(super) fn read(text: &str) -> anyhow::Result<Value> {
    Ok(serde_yaml::from_str(text)?)
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
    let new = match change.value {
        Some(value) => block(change.name, value, indent)?,
        None => String::new(),
    };
    let mut out = String::with_capacity(text.len() + new.len());
    out.extend(lines.get(..replaced.start).unwrap_or_default().iter().copied());
    // `extensions: {}` and `extensions:` both hold nothing yet.
    let holds_nothing = body.clone().filter_map(|at| lines.get(at)).all(|line| column(line).is_none());
    if holds_nothing && let Some(at) = out.rfind("{}") {
        out.replace_range(at..at + 2, "");
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out += &new;
    out.extend(lines.get(replaced.end..).unwrap_or_default().iter().copied());
    // The last one is gone: an empty section says so.
    let others = body.filter(|at| !replaced.contains(at)).filter_map(|at| lines.get(at));
    if change.value.is_none() && entry.is_some() && others.filter_map(|line| column(line)).next().is_none() {
        let heading = lines.get(heading).context("the section vanished")?;
        let colon = heading.rfind(':').context("the section has no colon")?;
        let empty = format!(
            "{}: {{}}{}",
            heading.get(..colon).unwrap_or_default(),
            heading.get(colon + 1..).unwrap_or_default()
        );
        out = out.replacen(heading, &empty, 1);
    }
    Ok(out)
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
    let mut out = format!("{:indent$}{name}:\n", "");
    for (key, value) in members {
        writeln!(out, "{:1$}{key}: {value}", "", indent + 2)?;
    }
    Ok(out)
}
