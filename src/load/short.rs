//! What a definition may leave out is written in, value and place alike, before anything looks at it: where there is one way to
//! ask, it stands in the list of ways; sections have a source, and come in the order in which they are written.
//!
//! `build.rs` compiles this file too, as it does the reader: so it uses nothing else of the crate.

use std::ops::Range;

use serde_json::{Map, Value};

use super::yaml::{Children, Entry, Node, Parsed, Style};

/// What belongs to a way, and stands beside what else is said where there is one.
const WAY: [&str; 9] = ["requires", "span", "align", "note", "tenant", "workspace", "sampled", "kept", "sql"];

/// Writes a definition out.
pub fn write_out(parsed: &mut Parsed) {
    let (Some(fields), Some(places)) = (parsed.value.as_object_mut(), entries(&mut parsed.root)) else { return };
    match fields.get("kind").and_then(Value::as_str) {
        Some("fragment") => one_way(fields, places),
        Some("values") => each(fields, places, "places", |_, place, at, _| one_way(place, at)),
        Some("context") => {
            let written = places.iter().find(|entry| entry.key == "source").map(|entry| entry.node.clone());
            let source = fields.get("source").cloned().zip(written);
            each(fields, places, "sections", |rank, section, at, key| {
                one_way(section, at);
                section.entry("priority").or_insert_with(|| Value::from(u8::try_from(rank).unwrap_or(u8::MAX)));
                let own = section.contains_key("use") || section.contains_key("source");
                if let Some((source, node)) = source.clone().filter(|_| !own) {
                    section.insert("source".to_owned(), source);
                    at.push(Entry { key: "source".to_owned(), key_span: key, node });
                }
            });
        }
        _ => {}
    }
}

/// Does something with each mapping below a key, with its number, from 1, and where its key stands.
fn each(
    fields: &mut Map<String, Value>,
    places: &mut [Entry],
    key: &str,
    with: impl Fn(usize, &mut Map<String, Value>, &mut Vec<Entry>, Range<usize>),
) {
    let below = fields.get_mut(key).and_then(Value::as_object_mut);
    let places = places.iter_mut().find(|entry| entry.key == key).and_then(|entry| entries(&mut entry.node));
    let (Some(below), Some(places)) = (below, places) else { return };
    for (number, (name, value)) in (1..).zip(below) {
        let Some(entry) = places.iter_mut().find(|entry| entry.key == *name) else { continue };
        let key = entry.key_span.clone();
        if let (Some(value), Some(at)) = (value.as_object_mut(), entries(&mut entry.node)) {
            with(number, value, at, key);
        }
    }
}

/// Moves the one way of something into a list of ways.
fn one_way(fields: &mut Map<String, Value>, at: &mut Vec<Entry>) {
    if !fields.contains_key("sql") || fields.contains_key("query") {
        return;
    }
    let mut way = Map::new();
    for key in WAY {
        way.extend(fields.shift_remove(key).map(|value| (key.to_owned(), value)));
    }
    fields.insert("query".to_owned(), Value::Array(vec![Value::Object(way)]));
    let (moved, kept): (Vec<_>, Vec<_>) = at.drain(..).partition(|entry| WAY.contains(&entry.key.as_str()));
    at.extend(kept);
    let key_span = moved.iter().find(|entry| entry.key == "sql").map_or(0..0, |entry| entry.key_span.clone());
    let holds = |children| Node { span: key_span.clone(), style: Style::Collection, children };
    let node = holds(Children::Items(vec![holds(Children::Entries(moved))]));
    at.push(Entry { key: "query".to_owned(), key_span, node });
}

fn entries(node: &mut Node) -> Option<&mut Vec<Entry>> {
    match &mut node.children {
        Children::Entries(entries) => Some(entries),
        _ => None,
    }
}
