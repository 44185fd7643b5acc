//! Whoever looks at a file that is written, at any moment and after any end of the writer, sees the old or the new one.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use rustix::process::Signal;
use serde_json::json;
use tfo_mcp::{
    host::files::{Caller, Edit, Files, Listing, Write},
    settings,
};

use super::bounds;
use crate::support::client::{Client, serve_command};

const LENGTH: usize = 300_000;

fn content(n: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(n % 26).unwrap());
    letter.to_string().repeat(LENGTH)
}

fn write(files: &Files, n: usize) {
    files.write(Write { path: "file", content: &content(n), ..Write::default() }).unwrap();
}

/// The file is one content from its beginning to its end.
fn is_whole(path: &Path) -> bool {
    let text = std::fs::read(path).unwrap();
    text.len() == LENGTH && text.iter().all(|byte| Some(byte) == text.first())
}

#[test]
fn a_reader_never_sees_half_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings::Files { roots: vec![folder.path().to_owned()], ..settings::Files::default() };
    let files = Files::new(&settings, Caller::Here, Vec::new());
    write(&files, 0);
    let (stop, looks) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                assert!(is_whole(&folder.path().join("file")));
                looks.fetch_add(1, Ordering::Relaxed);
            }
        });
        // On a busy machine the reader gets its turn late.
        for n in (1..5_000).take_while(|n| *n < 50 || looks.load(Ordering::Relaxed) <= 10) {
            write(&files, n);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(looks.into_inner() > 10);
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_server_that_is_killed_while_it_writes_leaves_the_old_or_the_new_file() {
    let data = tempfile::tempdir().unwrap();
    let (work, own) = (data.path().join("work"), data.path().join("own"));
    std::fs::create_dir(&work).unwrap();
    std::fs::create_dir(&own).unwrap();
    std::fs::write(work.join("file"), content(25)).unwrap();
    let mut changed = 0;
    for round in 0..12_u64 {
        let before = std::fs::read(work.join("file")).unwrap();
        let mut command = serve_command(&own);
        command.current_dir(&work).args(["--toolsets", "files"]);
        let mut client = Client::spawn(command);
        client.initialize("2025-11-25").await;
        for n in 0..12_usize {
            let arguments = json!({"path": "file", "content": content(usize::try_from(round).unwrap() + n)});
            let params = json!({"name": "write_file", "arguments": arguments});
            client.send_json(json!({"jsonrpc": "2.0", "id": 100 + n, "method": "tools/call", "params": params})).await;
        }
        // Another moment each time: from before the first to after many.
        tokio::time::sleep(Duration::from_millis(round * round * 3 % 97)).await;
        client.signal(Signal::KILL);
        client.finish().await;
        assert!(is_whole(&work.join("file")), "round {round}");
        changed += usize::from(std::fs::read(work.join("file")).unwrap() != before);
    }
    assert!(changed > 3, "it was killed before it wrote anything, {changed} times not");
    // What was being written lies there under a name of its own, and is no more than one for each end.
    let left = std::fs::read_dir(&work).unwrap().count() - 1;
    assert!(left <= 12, "{left}");
}

/// What a killed server left is taken away by the next one that writes there, and nothing else is.
#[test]
fn what_killed_writers_left_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let left = ".tfo-mcp-6f9619ff-8b86-4d01-b42d-00cf4fc964ff.tmp";
    for name in [left, ".tfo-mcp-notes.tmp", "notes.tmp", "file"] {
        std::fs::write(folder.path().join(name), "x").unwrap();
    }
    let settings = settings::Files { roots: vec![folder.path().to_owned()], ..settings::Files::default() };
    let files = Files::new(&settings, Caller::Here, Vec::new());
    files.list(Listing { path: ".", recursive: false, hidden: true }, &bounds()).unwrap();
    assert!(folder.path().join(left).exists());
    let edit = Edit { path: "file", old: "x", new: "y", expected: 1, dry_run: false };
    files.edit(edit).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [".tfo-mcp-notes.tmp", "file", "notes.tmp"]);
}

/// Another server that writes in a folder is waited for.
#[test]
fn who_writes_in_a_folder_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings::Files { roots: vec![folder.path().to_owned()], ..settings::Files::default() };
    let files = Files::new(&settings, Caller::Here, Vec::new());
    let held = std::fs::File::open(folder.path()).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let free = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            free.store(true, Ordering::SeqCst);
            drop(held);
        });
        write(&files, 1);
        assert!(free.load(Ordering::SeqCst));
    });
}
