//! Documents as Markdown for a model, and as plain comma-separated values.

use std::fmt::Write as _;

use super::{
    budget::{Cost, share},
    filters,
    table::{csv_header, csv_rows, fence},
};
use crate::{
    engine::{
        absent::upper_first,
        cut::{Cut, Limit},
        document::{Document, NextCall, Opens, SectionAnswer, Status, severity_word},
        window::stamp,
    },
    template::{counted, one_line, sentence},
};

/// Room for the sentence that says what was left out because it did not fit.
const OMISSION: usize = 80;
/// Longest note of a section, which explains what its columns mean and is the author's: what no definition reaches.
const NOTE: usize = 2_000;
/// Longest advice on what to do.
const ADVICE: usize = 400;

/// The whole document: heading, window, summary, highlights, sections.
pub fn document(document: &Document, max_chars: usize) -> String {
    let mut head = format!("# {} (`{}`)\n", document.title, document.context_type);
    let _ = write!(
        head,
        "Window: {} to {} UTC ({})",
        stamp(document.window.from),
        stamp(document.window.to),
        document.window.label()
    );
    if let Some(organisation) = &document.organisation {
        let _ = write!(head, " · Organisation: {}", organisation.label());
    }
    if let Some(workspace) = &document.workspace {
        let _ = write!(head, " · Workspace: {}", workspace.label());
    }
    if !document.filters.is_empty() {
        let _ = write!(head, " · Filters: {}", filters(&document.filters));
    }
    let _ = write!(head, " · Status: {}\n\nSummary: ", document.status.as_str());
    let left = max_chars.saturating_sub(chars(&head) + 2);
    let summary = sentence(&document.summary, left.min(max_chars / 2));
    head.push_str(&summary);
    head.push_str("\n\n");
    let left = max_chars.saturating_sub(chars(&head));
    head + &within(document, left, max_chars)
}

/// Highlights and sections only, for prompts that state the rest themselves.
pub fn body(document: &Document, max_chars: usize) -> String {
    within(document, max_chars, max_chars)
}

fn within(document: &Document, max_chars: usize, whole: usize) -> String {
    let mut text: String = document.notes.iter().map(|note| format!("Note: {note}.\n")).collect();
    if !text.is_empty() {
        text.push('\n');
    }
    let mut left = max_chars.saturating_sub(chars(&text));
    let lines = document.highlights.iter().map(|h| format!("- **{}** {}\n", severity_word(h.severity), h.text));
    let mut dropped = 0;
    for (i, line) in lines.enumerate() {
        let heading = if i == 0 { "## Highlights\n" } else { "" };
        let cost = chars(&line) + heading.len();
        // Highlights may take half of the room; a dropped one is still in its section's rows.
        let Some(rest) = left.checked_sub(cost).filter(|rest| dropped == 0 && *rest >= max_chars / 2) else {
            dropped += 1;
            continue;
        };
        text.push_str(heading);
        text.push_str(&line);
        left = rest;
    }
    let mut tail = String::new();
    if dropped > 0 {
        let _ = writeln!(tail, "({})", unsaid(document, dropped));
    }
    if !document.highlights.is_empty() {
        tail.push('\n');
    }
    if chars(&tail) <= left {
        left -= chars(&tail);
        text.push_str(&tail);
    }
    let next = document.next.iter().map(NextCall::line).collect();
    let links = document.links.iter().map(Opens::line).collect();
    for (heading, lines) in [("Next", next), ("Links", links)] {
        let list = list(heading, lines);
        if chars(&list) < left / 4 {
            left -= chars(&list);
            text.push_str(&list);
        }
    }
    text.push_str(&sections(document, left, whole, &Markdown::new(document)));
    let end = text.trim_end().len();
    text.truncate(end);
    text
}

/// Lines under a heading; nothing where there are none.
fn list(heading: &str, lines: Vec<String>) -> String {
    let lines: String = lines.iter().map(|line| format!("- {line}\n")).collect();
    if lines.is_empty() { lines } else { format!("## {heading}\n{lines}\n") }
}

/// `2 more highlights do not fit into max_chars`, as code.
fn unsaid(document: &Document, dropped: usize) -> String {
    let (verb, cap) = (if dropped == 1 { "does" } else { "do" }, document.movable.length().name());
    format!("{} {verb} not fit into `{cap}`", counted(dropped, "more highlight"))
}

/// The first lines that fit, and how many do not.
fn fitting(lines: impl Iterator<Item = String>, max_chars: usize) -> (String, usize) {
    let (mut text, mut left, mut dropped) = (String::new(), max_chars, 0);
    for line in lines {
        match left.checked_sub(chars(&line)).filter(|_| dropped == 0) {
            Some(rest) => {
                left = rest;
                text.push_str(&line);
            }
            None => dropped += 1,
        }
    }
    (text, dropped)
}

/// What is said of the whole document, and sections as comma-separated values, under `#` lines.
pub fn csv(document: &Document, max_chars: usize) -> String {
    let mut head = format!(
        "# {} from={} to={} status={}",
        document.context_type,
        stamp(document.window.from),
        stamp(document.window.to),
        document.status.as_str(),
    );
    if let Some(organisation) = &document.organisation {
        let _ = write!(head, " organization_id={}", one_line(&organisation.id, 80));
    }
    if let Some(workspace) = &document.workspace {
        let _ = write!(head, " workspace_id={}", one_line(&workspace.id, 80));
    }
    head.push('\n');
    if !document.filters.is_empty() {
        let _ = writeln!(head, "# filters: {}", filters(&document.filters));
    }
    let _ = writeln!(head, "# {}", sentence(&document.summary, max_chars / 2));
    for note in &document.notes {
        let _ = writeln!(head, "# note: {note}");
    }
    let left = max_chars.saturating_sub(chars(&head));
    let lines = document.highlights.iter().map(|h| format!("# {}: {}\n", severity_word(h.severity), h.text));
    let (lines, dropped) = fitting(lines, left / 2);
    head.push_str(&lines);
    if dropped > 0 {
        let _ = writeln!(head, "# {}", unsaid(document, dropped));
    }
    let left = max_chars.saturating_sub(chars(&head));
    let next = document.next.iter().map(|call| format!("# next: {}\n", call.line()));
    let links = document.links.iter().map(|link| format!("# link: {}\n", link.line()));
    let (lines, _) = fitting(next.chain(links), left / 4);
    head.push_str(&lines);
    let left = max_chars.saturating_sub(chars(&head));
    head.push_str(&sections(document, left, max_chars, &Csv));
    head
}

/// How the frame of a section looks.
trait Frame {
    fn open(&self, section: &SectionAnswer) -> String;
    fn close(&self, section: &SectionAnswer) -> String;
    fn omission(&self, text: &str) -> String;
}

struct Markdown {
    fence: String,
}

impl Markdown {
    fn new(document: &Document) -> Self {
        let lines = |section: &SectionAnswer| {
            let header = std::iter::once(csv_header(&section.columns));
            header.chain(csv_rows(&section.columns, &section.rows)).collect::<Vec<_>>()
        };
        let lines: Vec<String> = document.sections.iter().flat_map(lines).collect();
        Self { fence: fence(lines.iter().map(String::as_str)) }
    }
}

impl Frame for Markdown {
    fn open(&self, section: &SectionAnswer) -> String {
        let mut text = format!("## {} [{}]\n", section.title, section.word());
        match section.status {
            Status::Ok => {}
            Status::Empty => {
                let _ = writeln!(text, "The query ran; {}.", section.nothing());
            }
            _ => {
                let message = sentence(section.message.as_deref().unwrap_or("no reason given"), 300);
                let begin =
                    if section.status == Status::Partial { "Too little could be read" } else { "Could not be read" };
                let _ = writeln!(text, "{begin}: {message}.");
                if let Some(hint) = &section.hint {
                    let _ = writeln!(text, "What to do: {}.", sentence(hint, ADVICE));
                }
            }
        }
        if let Some(ignored) = section.narrowed.ignored() {
            let _ = writeln!(text, "Not narrowed by {ignored}.");
        }
        for said in section.covered() {
            let _ = writeln!(text, "{}.", upper_first(&sentence(&said, 300)));
        }
        for remark in &section.remarks {
            let _ = writeln!(text, "{}", sentence(remark, 500));
        }
        if let Some(window) = &section.window {
            let _ = writeln!(text, "Read from {} to {} UTC (whole buckets).", stamp(window.from), stamp(window.to));
        }
        if let Some(note) = &section.note {
            let _ = writeln!(text, "Note: {}", sentence(note, NOTE));
        }
        if !section.rows.is_empty() {
            let _ = write!(text, "{}csv\n{}", self.fence, csv_header(&section.columns));
        }
        text
    }

    fn close(&self, section: &SectionAnswer) -> String {
        if section.rows.is_empty() { "\n".into() } else { format!("{}\n\n", self.fence) }
    }

    fn omission(&self, text: &str) -> String {
        format!("({text})\n\n")
    }
}

struct Csv;

impl Frame for Csv {
    fn open(&self, section: &SectionAnswer) -> String {
        let mut text = format!("\n# section={} status={}", section.name, section.word());
        if let Some(window) = &section.window {
            let _ = write!(text, " from={} to={}", stamp(window.from), stamp(window.to));
        }
        if !section.narrowed.not_by.is_empty() {
            let _ = write!(text, " not_narrowed_by={}", section.narrowed.not_by.join(","));
        }
        if let Some(message) = section.message.clone().or_else(|| section.unsaid()) {
            let _ = write!(text, " message={}", sentence(&message, 300));
        }
        text.push('\n');
        if let Some(hint) = &section.hint {
            let _ = writeln!(text, "# what to do: {}", sentence(hint, ADVICE));
        }
        if let Some(note) = &section.note {
            let _ = writeln!(text, "# note: {}", sentence(note, NOTE));
        }
        for said in section.covered().iter().chain(&section.remarks) {
            let _ = writeln!(text, "# {}", sentence(said, 500));
        }
        if !section.rows.is_empty() {
            text.push_str(&csv_header(&section.columns));
        }
        text
    }

    fn close(&self, _: &SectionAnswer) -> String {
        String::new()
    }

    fn omission(&self, text: &str) -> String {
        format!("# {text}\n")
    }
}

/// The sections in `max_chars` characters, of the `whole` that the document may have.
fn sections(document: &Document, max_chars: usize, whole: usize, frame: &dyn Frame) -> String {
    let parts: Vec<(String, Vec<String>, String)> = document
        .sections
        .iter()
        .map(|section| (frame.open(section), csv_rows(&section.columns, &section.rows).collect(), frame.close(section)))
        .collect();
    let costs: Vec<Cost> = parts
        .iter()
        .zip(&document.sections)
        .map(|((open, rows, close), section)| (open, rows, close, room(section)))
        .map(|(open, rows, close, room)| Cost {
            frame: chars(open) + chars(close) + room,
            rows: rows.iter().map(|row| chars(row)).collect(),
        })
        .collect();
    // One omission line is reserved for sections that do not fit at all.
    let kept = share(max_chars.saturating_sub(OMISSION), &costs);
    let mut text = String::new();
    let (mut left_out, mut dropped) = (Vec::new(), false);
    for (((open, rows, close), kept), section) in parts.iter().zip(&kept).zip(&document.sections) {
        let Some(kept) = *kept else {
            left_out.push(section.title.as_str());
            continue;
        };
        text.push_str(open);
        rows.iter().take(kept).for_each(|row| text.push_str(row));
        let more = if kept < rows.len() {
            Some(format!("{kept} of {} rows: the others do not fit{}", section.total, section.limited()))
        } else {
            section.shortfall()
        };
        dropped |= kept < rows.len();
        match more {
            Some(more) => {
                text.push_str(close.trim_end_matches('\n'));
                if !close.is_empty() {
                    text.push('\n');
                }
                text.push_str(&frame.omission(&more));
            }
            None => text.push_str(close),
        }
    }
    if !left_out.is_empty() && max_chars >= OMISSION {
        let titles = sentence(&left_out.join(", "), OMISSION - 48);
        let cap = document.movable.length().name();
        text.push_str(&frame.omission(&format!("sections that do not fit into `{cap}`: {titles}")));
    } else if dropped && max_chars >= OMISSION {
        let cut = Cut::new(document.movable.length(), Limit::Chars(whole));
        text.push_str(&frame.omission(&format!("{}: {}", cut.why(), cut.cap.what_to_do())));
    }
    text
}

/// What the sentence about rows that are not shown takes at most.
fn room(section: &SectionAnswer) -> usize {
    match section.shortfall() {
        Some(text) => OMISSION.max(chars(&text) + 30),
        None if section.rows.is_empty() => 0,
        None => OMISSION,
    }
}

fn chars(text: &str) -> usize {
    text.chars().count()
}
