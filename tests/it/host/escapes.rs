//! Nothing leads out: no path, link, second name, special file or swap on the way. The host is asked without a tool around
//! it, for speed; what a caller is told is asked of the tools.

use std::{
    os::unix::fs::symlink,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode, RenameFlags, mkfifoat, mknodat, renameat_with};
use serde_json::json;
use tfo_mcp::{
    host::ClientFolders,
    host::files::{Caller, Content, Edit, FileError, FileErrorKind, Files, Listing, Move, Range, Search, Write},
    settings,
};

use super::{Room, SECRET, bounds, contents};

/// A folder full of ways out.
fn farm(room: &Path) {
    let root = room.join("root");
    std::fs::create_dir_all(&root).unwrap();
    // The folder itself stays, for it is open.
    for entry in std::fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let is_folder = path.symlink_metadata().unwrap().is_dir();
        if is_folder { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
    }
    std::fs::create_dir_all(root.join("a/b")).unwrap();
    std::fs::write(root.join("file"), "inside").unwrap();
    std::fs::write(root.join("a/b/file"), "inside").unwrap();
    let outside = room.join("outside");
    for (name, target) in [
        ("up", Path::new("..")),
        ("out", Path::new("../outside")),
        ("absolute", outside.as_path()),
        ("secret", &outside.join("secret.txt")),
        ("in", Path::new("a/b")),
        ("circle", Path::new("circle")),
        ("chain", Path::new("a/../up/outside")),
        ("proc", Path::new("/proc/self/root")),
        ("a/up", Path::new("../..")),
        ("a/b/out", Path::new("../../out")),
    ] {
        symlink(target, root.join(name)).unwrap();
    }
    std::fs::hard_link(outside.join("secret.txt"), root.join("second")).unwrap();
    mkfifoat(CWD, root.join("pipe"), Mode::from_bits_truncate(0o600)).unwrap();
    drop(std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap());
}

fn world() -> (tempfile::TempDir, Files) {
    let room = tempfile::tempdir().unwrap();
    std::fs::create_dir(room.path().join("outside")).unwrap();
    std::fs::write(room.path().join("outside/secret.txt"), SECRET).unwrap();
    farm(room.path());
    let settings = settings::Files { roots: vec![room.path().join("root")], ..settings::Files::default() };
    let files = Files::new(&settings, Caller::Here, Vec::new());
    (room, files)
}

/// What every verb answers about a path, and about two.
fn all_verbs(files: &Files, path: &str, other: &str) -> Vec<(&'static str, Result<String, FileError>)> {
    let bounds = bounds();
    let edit = |dry_run| Edit { path, old: "inside", new: "changed", expected: 1, dry_run };
    let shown = |answer: Result<Box<dyn std::fmt::Debug>, FileError>| answer.map(|answer| format!("{answer:?}"));
    macro_rules! asked {
        ($($verb:literal: $answer:expr),* $(,)?) => {
            vec![$(($verb, shown($answer.map(|answer| Box::new(answer) as Box<dyn std::fmt::Debug>)))),*]
        };
    }
    let read = files.read(path, None, Range::default(), &bounds).map(|read| match read.content {
        Content::Text(text) => text,
        Content::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
    });
    asked! {
        "read": read,
        "info": files.info(path),
        "list": files.list(Listing { path, recursive: true, hidden: true }, &bounds),
        "search": files.search(Search {
            path, pattern: None, content: Some("."), context: 1, hidden: true, max_results: 100,
        }, &bounds),
        "dry edit": files.edit(edit(true)),
        "edit": files.edit(edit(false)),
        "write": files.write(Write { path, content: "written", create_dirs: true, ..Write::default() }),
        "create": files.create_directory(path),
        "move": files.rename(Move { path, destination: other, overwrite: false }),
        "move over": files.rename(Move { path: other, destination: path, overwrite: true }),
    }
}

#[tokio::test]
async fn every_way_out_is_refused_in_the_words_of_the_caller() {
    let room = Room::new();
    farm(room.folder.path());
    let before = contents(&room.outside());
    let root = room.root().display().to_string();
    let outside = room.outside().join("secret.txt").display().to_string();
    let dotted = format!("{root}/../outside/secret.txt");
    for path in [
        "../outside/secret.txt",
        "a/../../outside/secret.txt",
        "out/secret.txt",
        "absolute/secret.txt",
        "secret",
        "chain/secret.txt",
        "up/outside/secret.txt",
        "a/up/outside/secret.txt",
        "a/b/out/secret.txt",
        "in/../../../outside/secret.txt",
        "proc/etc/passwd",
        "/etc/passwd",
        "/proc/self/environ",
        &outside,
        &dotted,
        "second",
        "..",
        "/",
        "circle",
        "a\0b",
    ] {
        for (tool, more) in [
            ("read_file", json!({})),
            ("write_file", json!({"content": "x", "create_dirs": true})),
            ("edit_file", json!({"old_text": SECRET, "new_text": "x"})),
            ("move_file", json!({"destination": "taken"})),
            ("move_file", json!({"destination": "a/taken", "overwrite": true})),
        ] {
            // A link may be moved, and a second name is a name below the root.
            let is_name = ["secret", "second", "circle"].contains(&path);
            if is_name && (tool == "move_file" || (path == "second" && tool == "write_file")) {
                continue;
            }
            let mut arguments = json!({ "path": path });
            arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            let error = room.error(tool, arguments).await;
            assert!(!error.contains(SECRET), "{tool} {path}: {error}");
            // The path of what is outside is told only to whoever wrote it.
            let told = error.contains(&room.outside().display().to_string());
            assert!(!told || path == outside, "{tool} {path}: {error}");
        }
        let info = room.call("get_file_info", json!({ "path": path })).await.unwrap_or_else(|error| error);
        let told = info.contains(&room.outside().display().to_string());
        assert!(!info.contains(SECRET) && (path == outside || !told), "{path}: {info}");
    }
    assert_eq!(contents(&room.outside()), before);
    let error = room.error("read_file", json!({"path": "/etc/passwd"})).await;
    assert!(error.contains("`/etc/passwd` leads outside of the folders that file tools may touch"), "{error}");
    let error = room.error("read_file", json!({"path": "second"})).await;
    assert!(error.contains("has 2 names (hard links)") && error.contains("files.hard_links"), "{error}");
    // What replaces a second name leaves the other one as it was.
    room.call("write_file", json!({"path": "second", "content": "mine"})).await.unwrap();
    assert_eq!((contents(&room.outside()), room.text("second").as_str()), (before, "mine"));
}

#[tokio::test]
async fn pipes_sockets_and_devices_are_refused_at_once() {
    let room = Room::new();
    farm(room.folder.path());
    let mut special = vec!["pipe", "socket"];
    // Only root makes devices: this one is `/dev/zero`, which never ends.
    let zero = rustix::fs::makedev(1, 5);
    if mknodat(CWD, room.root().join("device"), FileType::CharacterDevice, Mode::from_bits_truncate(0o600), zero)
        .is_ok()
    {
        special.push("device");
    }
    for path in special {
        for (tool, more) in [
            ("read_file", json!({})),
            ("write_file", json!({"content": "x"})),
            ("edit_file", json!({"old_text": "a", "new_text": "b"})),
        ] {
            let mut arguments = json!({ "path": path });
            arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            let error = room.error(tool, arguments).await;
            assert!(error.contains("no plain file but a pipe, a device or a socket"), "{tool} {path}: {error}");
        }
    }
    let found = room.call("search_files", json!({"content": "inside"})).await.unwrap();
    assert!(found.starts_with("a/b/file:1:inside\nfile:1:inside"), "{found}");
}

#[tokio::test]
async fn without_a_folder_there_are_no_files() {
    let room = Room::with(|files| (files.roots.clear(), files.read_only_roots.clear()).0);
    // The working folder of this test stands in for none; over a network nothing does.
    let nothing = Files::new(&settings::Files::default(), Caller::Elsewhere, Vec::new());
    for path in ["Cargo.toml", "/etc/passwd", ".", "/"] {
        for (verb, answer) in all_verbs(&nothing, path, "x") {
            let error = answer.expect_err(verb);
            assert_eq!(error.kind, FileErrorKind::Forbidden, "{verb} {path}: {error:?}");
        }
    }
    assert!(room.call("read_file", json!({"path": "Cargo.toml"})).await.unwrap().contains("[package]"));
}

/// Paths of what is there and what is not, in any order.
fn path() -> impl Strategy<Value = String> {
    // What is there comes more often, or nothing would be answered.
    let part = prop::sample::select(vec![
        ".",
        ".",
        "a",
        "a",
        "a",
        "b",
        "b",
        "in",
        "in",
        "file",
        "file",
        "file",
        "new",
        "new",
        "ä",
        "..",
        "",
        "up",
        "out",
        "absolute",
        "secret",
        "circle",
        "chain",
        "proc",
        "second",
        "pipe",
        "socket",
        "root",
        "outside",
        "secret.txt",
        "etc",
        "passwd",
        "\0",
    ]);
    let parts = prop::collection::vec(part, 1..5);
    (
        prop::sample::select(vec!["", "", "", "", "ROOT/", "ROOT/", "./", "a/", "in/", "/", "//", "ROOT/../", "../"]),
        parts,
    )
        .prop_map(|(before, parts)| format!("{before}{}", parts.join("/")))
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn no_generated_path_leads_out() {
    let (room, files) = world();
    let outside = contents(&room.path().join("outside"));
    let root = room.path().join("root").display().to_string();
    let answered = AtomicUsize::new(0);
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(one in path(), other in path())| {
        farm(room.path());
        let (one, other) = (one.replace("ROOT", &root), other.replace("ROOT", &root));
        for (verb, answer) in all_verbs(&files, &one, &other) {
            let shown = match &answer {
                Ok(answer) => {
                    answered.fetch_add(1, Ordering::Relaxed);
                    answer.clone()
                }
                Err(error) => format!("{error:?}"),
            };
            prop_assert!(!shown.contains(SECRET) && !shown.contains("root:x:0"), "{} {:?} {:?}: {}", verb, one, other, shown);
        }
        prop_assert_eq!(contents(&room.path().join("outside")), outside.clone());
        let mut beside: Vec<_> = std::fs::read_dir(room.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        beside.sort();
        prop_assert_eq!(beside, ["outside", "root"]);
    });
    // Else nothing was tried.
    let answered = answered.into_inner();
    assert!(answered > 100, "{answered}");
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn a_folder_that_becomes_a_link_while_calls_run_leads_nowhere() {
    let (room, files) = world();
    let root = room.path().join("root");
    std::fs::create_dir(root.join("swap")).unwrap();
    std::fs::write(root.join("swap/secret.txt"), "inside").unwrap();
    symlink(room.path().join("outside"), root.join("link")).unwrap();
    let before = contents(&room.path().join("outside"));
    let stop = AtomicBool::new(false);
    let (inside, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                renameat_with(CWD, root.join("swap"), CWD, root.join("link"), RenameFlags::EXCHANGE).unwrap();
            }
        });
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            for path in ["swap/secret.txt", "link/secret.txt", "swap/new", "swap/", "."] {
                for (verb, answer) in all_verbs(&files, path, "a/moved") {
                    match answer {
                        Ok(answer) => {
                            assert!(!answer.contains(SECRET), "{verb} {path}: {answer}");
                            inside.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => {
                            assert!(!format!("{error:?}").contains(SECRET), "{verb} {path}: {error:?}");
                            let outside = error.message.contains("outside of the folders");
                            refused.fetch_add(usize::from(outside), Ordering::Relaxed);
                        }
                    }
                }
            }
            // What was moved or made goes back.
            drop(std::fs::remove_dir_all(root.join("a/moved")));
            drop(std::fs::remove_file(root.join("a/moved")));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(contents(&room.path().join("outside")), before);
    let (inside, refused) = (inside.into_inner(), refused.into_inner());
    assert!(inside > 100 && refused > 20, "the swap was not met: {inside} answered, {refused} refused");
}

/// A folder that takes the place of an open one is opened, and nothing is written where the old one went.
#[test]
fn what_takes_the_place_of_an_open_folder_is_opened_anew() {
    let room = tempfile::tempdir().unwrap();
    let (root, old) = (room.path().join("root"), room.path().join("old"));
    std::fs::create_dir_all(root.join("kept")).unwrap();
    let settings = settings::Files {
        roots: vec![root.clone()],
        read_only_roots: vec![root.join("kept")],
        ..settings::Files::default()
    };
    let own = vec![room.path().join("data")];
    std::fs::create_dir(&own[0]).unwrap();
    let files = Files::new(&settings, Caller::Here, own.clone());
    let client = ClientFolders { found: vec![root.canonicalize().unwrap()], refused: Vec::new() };
    let all = [files.of_client(&client), files];
    let write = |files: &Files, path: &str| files.write(Write { path, content: "x", ..Write::default() });
    for files in &all {
        write(files, "first").unwrap();
    }
    std::fs::rename(&root, &old).unwrap();
    let before = contents(&old);
    for files in &all {
        let error = write(files, "second").unwrap_err();
        assert!(error.message.contains("no longer what it was"), "{error:?}");
    }
    std::fs::create_dir_all(root.join("kept")).unwrap();
    for files in &all {
        write(files, "second").unwrap();
        assert_eq!(std::fs::read(root.join("second")).unwrap(), b"x");
        // A folder inside of it that is only read is so again, by any path.
        for path in ["kept/new", "./kept/../kept/new"] {
            assert!(write(files, path).unwrap_err().message.contains("may be read and not changed"), "{path}");
        }
    }
    assert_eq!(contents(&old), before);
    // A link, or a folder of the server, opens nothing.
    std::fs::remove_dir_all(&root).unwrap();
    symlink(room.path().join("old"), &root).unwrap();
    for files in &all {
        assert!(write(files, "third").unwrap_err().message.contains("no longer what it was"));
    }
    std::fs::remove_file(&root).unwrap();
    std::fs::rename(&own[0], &root).unwrap();
    for files in &all {
        assert!(write(files, "third").unwrap_err().message.contains("belongs to this server"));
    }
    assert_eq!((contents(&old), contents(&root)), (before, Vec::new()));
}
