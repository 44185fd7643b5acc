//! What a server costs whose binary holds 400 definitions: those of today, and copies of them under other names.
//!
//! They are built in, since that is how a catalogue grows: a copy of this repository with more files is built, in a folder
//! of its own below `target`, where what it depends on is compiled once.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use super::{Line, ROUNDS, client::Client, renamed, served_by, shipped};

const DEFINITIONS: usize = 400;
/// Folders of the pack that is built in.
const PACK: [&str; 3] = ["definitions", "personas", "prompts"];

pub fn catalogue() -> Vec<Line> {
    let server = build();
    let data = tempfile::tempdir().unwrap();
    let (mut millis, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS * 4 {
        let started = Instant::now();
        let client = Client::start(served_by(&server, data.path()));
        millis.push(started.elapsed().as_secs_f64() * 1e3);
        memory.push(client.mib("RssAnon:"));
    }
    millis.sort_by(f64::total_cmp);
    vec![
        Line {
            what: "serve with 400 definitions: spawn to initialize reply",
            measured: millis[millis.len() / 2],
            limit: 15.0,
            unit: "ms",
            how: format!(
                "built in, copies of the shipped; median of {} starts, wall; best {:.1} ms",
                millis.len(),
                millis[0]
            ),
        },
        Line {
            what: "serve with 400 definitions: anonymous memory after initialize",
            measured: memory.iter().copied().fold(0.0, f64::max),
            limit: 10.0,
            unit: "MiB",
            how: "RssAnon, largest of all starts".into(),
        },
    ]
}

/// The server with so many definitions.
fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(root).unwrap() {
        let (path, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
        let name = name.to_str().unwrap().to_owned();
        if PACK.contains(&name.as_str()) {
            copied(&path, &copy.path().join(name));
        } else if name != "target" && !name.starts_with('.') {
            symlink(path, copy.path().join(name)).unwrap();
        }
    }
    let present: usize = PACK.iter().map(|folder| count(&copy.path().join(folder))).sum();
    let shipped = shipped();
    for i in 0..DEFINITIONS.saturating_sub(present) {
        let path = &shipped[i % shipped.len()];
        let (stem, text) = renamed(path, i);
        let folder = copy.path().join(path.parent().unwrap().strip_prefix(root).unwrap());
        fs::write(folder.join(format!("{stem}.yaml")), text).unwrap();
    }
    let target = root.join("target/catalogue");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--bin", "tfo-mcp", "--manifest-path"])
        .arg(copy.path().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(built.success());
    target.join("release/tfo-mcp")
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copied(&path, &to);
        } else {
            fs::copy(&path, to).unwrap();
        }
    }
}

/// The definitions below a folder.
fn count(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(
            |path| {
                if path.is_dir() {
                    count(&path)
                } else {
                    usize::from(path.extension().is_some_and(|end| end == "yaml"))
                }
            },
        )
        .sum()
}
