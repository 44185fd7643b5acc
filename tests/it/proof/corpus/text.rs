//! How the attacks in `tests/attacks` are written: a file of shapes, and under each its statements, one a line.
//!
//! ```text
//! == name-of-the-shape: what it tries, in one line
//! % word: one | another            words that stand for each other in the statements of this shape
//! SELECT <<word>> FROM t           two statements
//! esc SELECT 1\x00\u{a0}\n         escapes are read; so are they in `esc` lines with words
//! params ["a"] SELECT $1           values of placeholders
//! loose SELECT f FROM t            the answer depends on the order of rows on disk; only its words are judged
//! cost SELECT 1                    costs time or memory; must end within its bounds
//! deep 300 SELECT <<( >>1<<) >>    what is marked, so many times
//! ```

use std::{collections::BTreeMap, path::Path};

/// One attack.
#[derive(Debug, Clone)]
pub struct Attack {
    pub sql: String,
    pub params: Vec<String>,
    /// Only what the answer holds is judged, not whether it is the same without the others' rows.
    pub loose: bool,
    /// Must end within its bounds; what it answers is not compared.
    pub cost: bool,
}

/// A kind of attack.
#[derive(Debug)]
pub struct Shape {
    pub name: String,
    pub why: String,
    pub attacks: Vec<Attack>,
}

/// The lines of a shape, with its words.
#[derive(Debug)]
pub struct Lines {
    pub name: String,
    pub why: String,
    /// Each line with every choice of words.
    pub lines: Vec<String>,
}

/// The shapes of all files of a folder.
pub fn shapes(folder: &str) -> Vec<Shape> {
    let read = |lines: Lines| Shape {
        attacks: lines.lines.iter().map(|line| attack(line)).collect(),
        name: lines.name,
        why: lines.why,
    };
    lines(folder).into_iter().map(read).collect()
}

/// The lines of all files of a folder, by shape.
pub fn lines(folder: &str) -> Vec<Lines> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_none_or(|extension| extension != "md"));
    files.sort();
    let mut all: Vec<Lines> = Vec::new();
    for file in files {
        let text = format!("\n{}", std::fs::read_to_string(&file).unwrap());
        for part in text.split("\n== ").skip(1) {
            let (head, body) = part.split_once('\n').unwrap();
            let (name, why) = head.split_once(": ").unwrap_or_else(|| panic!("{head}: no explanation"));
            assert!(all.iter().all(|lines| lines.name != name), "{name} is the name of two shapes");
            all.push(Lines { name: name.to_owned(), why: why.to_owned(), lines: expand(body) });
        }
    }
    all
}

/// Every line with every choice of words.
fn expand(body: &str) -> Vec<String> {
    let (tables, lines): (Vec<&str>, Vec<&str>) =
        body.lines().filter(|line| !line.trim().is_empty()).partition(|line| line.starts_with("% "));
    let tables: Vec<(String, Vec<&str>)> = tables
        .iter()
        .map(|table| {
            let (word, choices) = table[2..].split_once(": ").unwrap();
            (format!("<<{word}>>"), choices.split(" | ").collect())
        })
        .collect();
    let mut done = Vec::new();
    for line in lines {
        let mut open = vec![line.to_owned()];
        for _ in 0..2 {
            // Twice, for a word may hold another.
            for (word, choices) in &tables {
                let all = open.iter().flat_map(|line| -> Vec<String> {
                    if line.contains(word.as_str()) {
                        choices.iter().map(|choice| line.replace(word.as_str(), choice)).collect()
                    } else {
                        vec![line.clone()]
                    }
                });
                open = all.collect();
            }
        }
        done.extend(open);
    }
    done
}

fn attack(line: &str) -> Attack {
    let plain = Attack { sql: line.to_owned(), params: Vec::new(), loose: false, cost: false };
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "esc" => Attack { sql: unescape(rest), ..plain },
        "loose" => Attack { loose: true, ..attack(rest) },
        "cost" => Attack { cost: true, ..attack(rest) },
        "deep" => {
            let (times, text) = rest.split_once(' ').unwrap();
            Attack { sql: nested(text, times.parse().unwrap()), cost: true, ..plain }
        }
        "params" => {
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Vec<String>>();
            let params = values.next().unwrap().unwrap_or_else(|error| panic!("{line}: {error}"));
            let sql = rest[values.byte_offset()..].trim_start().to_owned();
            Attack { sql, params, ..plain }
        }
        _ => plain,
    }
}

/// `a<<b>>c` with `b` so many times, for both marked parts.
fn nested(text: &str, times: usize) -> String {
    let mut parts = text.split("<<");
    let mut built = parts.next().unwrap().to_owned();
    for part in parts {
        let (unit, rest) = part.split_once(">>").unwrap();
        built += &unit.repeat(times);
        built += rest;
    }
    built
}

/// `\n`, `\r`, `\t`, `\\`, `\xNN` and `\u{…}`; others stay as they are.
pub fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out += before;
        let mut after = after.chars();
        let code = |hex: &str| char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap();
        match after.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('x') => {
                let hex: String = after.by_ref().take(2).collect();
                out.push(code(&hex));
            }
            Some('u') if after.as_str().starts_with('{') => {
                let hex: String = after.by_ref().skip(1).take_while(|c| *c != '}').collect();
                out.push(code(&hex));
            }
            Some('\\') => out.push('\\'),
            // Not ours: an escape of SQL or JSON.
            other => {
                out.push('\\');
                out.extend(other);
            }
        }
        rest = after.as_str();
    }
    out + rest
}

impl Attack {
    /// The attack with the names of a world.
    pub fn of(&self, words: &BTreeMap<&str, String>) -> Attack {
        let fill = |text: &str| {
            words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(&format!("<<{word}>>"), value))
        };
        Attack { sql: fill(&self.sql), params: self.params.iter().map(|value| fill(value)).collect(), ..self.clone() }
    }
}
