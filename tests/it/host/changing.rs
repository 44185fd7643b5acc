//! Writing, editing, moving, making folders; what is only read; what belongs to the server.

use std::{
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::{fs::XattrFlags, io::Errno};
use serde_json::json;
use tfo_mcp::{
    host::files::{Caller, Edit, FileError, Files, Write, Written},
    settings,
};

use super::{Room, contents};

fn opened(root: &Path, read_only: Option<&Path>, own: Option<&Path>) -> Files {
    let settings = settings::Files {
        roots: vec![root.to_owned()],
        read_only_roots: read_only.into_iter().map(Path::to_owned).collect(),
        ..settings::Files::default()
    };
    Files::new(&settings, Caller::Here, own.into_iter().map(Path::to_owned).collect())
}

fn write(files: &Files, path: &str, create_dirs: bool) -> Result<Written, FileError> {
    files.write(Write { path, content: "new", create_dirs, ..Write::default() })
}

#[tokio::test]
async fn a_file_is_written_whole_and_keeps_its_mode() {
    let room = Room::new();
    let text = room.call("write_file", json!({"path": "new.txt", "content": "ä\n"})).await.unwrap();
    assert_eq!(text, "Wrote 3 bytes to the new file `new.txt`.");
    assert_eq!(room.text("new.txt"), "ä\n");
    for mode in [0o640, 0o755, 0o600] {
        std::fs::set_permissions(room.root().join("new.txt"), std::fs::Permissions::from_mode(mode)).unwrap();
        let text = room.call("write_file", json!({"path": "new.txt", "content": ""})).await.unwrap();
        assert!(text.starts_with("Wrote 0 bytes to `new.txt` in place of"), "{text}");
        assert_eq!(std::fs::metadata(room.root().join("new.txt")).unwrap().mode() & 0o7777, mode);
    }
    let error = room.error("write_file", json!({"path": "a/b/c", "content": "x"})).await;
    assert!(error.contains("the folder of `a/b/c` does not exist") && error.contains("create_dirs"), "{error}");
    room.call("write_file", json!({"path": "a/b/c", "content": "x", "create_dirs": true})).await.unwrap();
    assert_eq!(room.text("a/b/c"), "x");
    // A link keeps leading to its file, which has the new content.
    std::os::unix::fs::symlink("b/c", room.root().join("a/link")).unwrap();
    room.call("write_file", json!({"path": "a/link", "content": "y"})).await.unwrap();
    assert_eq!(room.text("a/b/c"), "y");
    assert!(room.root().join("a/link").is_symlink());
    for (path, why) in [("a", "is a folder"), ("a/", "ends with no name"), ("a/b/..", "ends with no name")] {
        let error = room.error("write_file", json!({"path": path, "content": "x"})).await;
        assert!(error.contains(why), "{path}: {error}");
    }
    let left: Vec<_> = contents(&room.root()).into_iter().filter(|(path, _)| path.contains(".tmp")).collect();
    assert_eq!(left, []);
}

#[tokio::test]
async fn an_edit_replaces_what_is_expected_or_nothing() {
    let room = Room::new();
    let before = "fn a() {\n    let x = 1;\n}\nfn b() {\n    let x = 1;\n}\n";
    room.put("code.rs", before);
    let edit = async |more: serde_json::Value| {
        let mut arguments = json!({"path": "code.rs"});
        arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        room.call("edit_file", arguments).await
    };
    let error = edit(json!({"old_text": "let x = 1;", "new_text": "let x = 2;"})).await.unwrap_err();
    assert!(
        error.contains("stands 2 times") && error.contains("lines 2, 5") && error.contains("1 was expected"),
        "{error}"
    );
    let error = edit(json!({"old_text": "    let x = 11;", "new_text": ""})).await.unwrap_err();
    assert!(error.contains("does not stand in `code.rs`") && error.contains("Closest is from line 2"), "{error}");
    assert!(error.contains("-    let x = 11;\n+    let x = 1;"), "{error}");
    let error = edit(json!({"old_text": "", "new_text": "x"})).await.unwrap_err();
    assert!(error.contains("`old_text` is empty") && error.contains("write the file whole"), "{error}");
    let error = edit(json!({"old_text": "nothing like this at all", "new_text": ""})).await.unwrap_err();
    assert!(error.contains("nothing in the file is like it"), "{error}");
    let error = edit(json!({"old_text": "fn a", "new_text": "fn a"})).await.unwrap_err();
    assert!(error.contains("are the same"), "{error}");
    assert_eq!(room.text("code.rs"), before);
    let wanted = json!({"old_text": "x = 1", "new_text": "y = 2", "expected_replacements": 2, "dry_run": true});
    let said = edit(wanted.clone()).await.unwrap();
    let diff = "--- a/code.rs\n+++ b/code.rs\n@@ -1,6 +1,6 @@\n fn a() {\n-    let x = 1;\n+    let y = 2;\n }\n fn b() {\n\
                -    let x = 1;\n+    let y = 2;\n }";
    assert_eq!(said, format!("Would make 2 replacements in `code.rs`; nothing was changed:\n{diff}"));
    assert_eq!(room.text("code.rs"), before);
    let mut wanted = wanted;
    wanted["dry_run"] = json!(false);
    assert_eq!(edit(wanted).await.unwrap(), format!("Made 2 replacements in `code.rs`:\n{diff}"));
    assert_eq!(room.text("code.rs"), before.replace("x = 1", "y = 2"));
    room.put("code.rs", "one\r\ntwo\r\nthree\r\n");
    let said = edit(json!({"old_text": "one\ntwo\n", "new_text": "1\n2\n"})).await.unwrap();
    assert!(said.contains("CRLF"), "{said}");
    assert_eq!(room.text("code.rs"), "1\r\n2\r\nthree\r\n");
    edit(json!({"old_text": "2\r\n", "new_text": ""})).await.unwrap();
    assert_eq!(room.text("code.rs"), "1\r\nthree\r\n");
    room.put("code.rs", b"caf\xe9");
    let error = edit(json!({"old_text": "a", "new_text": "b"})).await.unwrap_err();
    assert!(error.contains("is not UTF-8"), "{error}");
}

#[tokio::test]
async fn files_and_folders_are_moved_and_made() {
    let room = Room::new();
    room.put("a.txt", "a");
    room.put("b.txt", "b");
    let move_to = async |path: &str, destination: &str, overwrite: bool| {
        room.call("move_file", json!({"path": path, "destination": destination, "overwrite": overwrite})).await
    };
    let error = move_to("a.txt", "b.txt", false).await.unwrap_err();
    assert!(error.contains("`b.txt` exists already") && error.contains("overwrite"), "{error}");
    assert_eq!((room.text("a.txt"), room.text("b.txt")), ("a".into(), "b".into()));
    assert_eq!(move_to("a.txt", "b.txt", true).await.unwrap(), "Moved `a.txt` to `b.txt`.");
    assert_eq!(room.text("b.txt"), "a");
    assert_eq!(room.call("create_directory", json!({"path": "x/y"})).await.unwrap(), "Made the folder `x/y`.");
    let again = room.call("create_directory", json!({"path": "x/y"})).await.unwrap();
    assert_eq!(again, "There was already a folder `x/y`.");
    let error = room.error("create_directory", json!({"path": "b.txt"})).await;
    assert!(error.contains("`b.txt` is there and no folder"), "{error}");
    for (path, destination, why) in [
        ("nothing", "z", "`nothing` does not exist"),
        ("x", "x/y/z", "into itself"),
        ("b.txt", "x", "exists already"),
        ("b.txt", "no/where", "does not exist"),
        ("b.txt", "../outside/b.txt", "outside of the folders"),
    ] {
        let error = move_to(path, destination, false).await.unwrap_err();
        assert!(error.contains(why), "{path} {destination}: {error}");
    }
    assert!(move_to("b.txt", "x", true).await.unwrap_err().contains("is a folder"));
    move_to("x", "renamed", false).await.unwrap();
    assert!(room.root().join("renamed/y").is_dir());
}

#[tokio::test]
async fn what_is_only_read_is_not_changed() {
    let room = Room::new();
    let kept = room.folder.path().join("kept/file");
    std::fs::write(&kept, "kept").unwrap();
    let path = kept.display().to_string();
    assert_eq!(room.call("read_file", json!({ "path": path })).await.unwrap(), "kept");
    let all_read_only = Room::with(|files| files.read_only = Some(true));
    all_read_only.put("file", "kept");
    for (room, path) in [(&room, path.as_str()), (&all_read_only, "file")] {
        for (tool, arguments) in [
            ("write_file", json!({"path": path, "content": "x"})),
            ("edit_file", json!({"path": path, "old_text": "kept", "new_text": "x"})),
            ("move_file", json!({"path": path, "destination": "moved"})),
            ("create_directory", json!({"path": format!("{path}-folder")})),
        ] {
            let error = room.error(tool, arguments).await;
            assert!(error.contains("may be read and not changed") && error.contains("files.read_only"), "{error}");
        }
    }
    // Nor is anything put there.
    room.put("mine", "x");
    let error = room.error("move_file", json!({"path": "mine", "destination": format!("{path}2")})).await;
    assert!(error.contains("may be read and not changed"), "{error}");
    assert_eq!(contents(&room.folder.path().join("kept")), [("file".to_owned(), b"kept".to_vec())]);
    // What would be changed may be asked.
    let dry = json!({"path": path, "old_text": "kept", "new_text": "x", "dry_run": true});
    assert!(room.call("edit_file", dry).await.unwrap().contains("+x"));
}

#[tokio::test]
async fn what_the_server_is_set_up_with_is_nobodys_business_whatever_its_name() {
    let room = Room::new();
    room.put("tfo-mcp.yaml", "password: hunter2\n");
    std::os::unix::fs::symlink("tfo-mcp.yaml", room.root().join("link")).unwrap();
    for path in ["tfo-mcp.yaml", "link", "./tfo-mcp.yaml"] {
        for (tool, arguments) in [
            ("read_file", json!({ "path": path })),
            ("write_file", json!({"path": path, "content": "x"})),
            ("edit_file", json!({"path": path, "old_text": "password", "new_text": "x"})),
        ] {
            let error = room.error(tool, arguments).await;
            assert!(error.contains("belongs to this server") && !error.contains("hunter2"), "{tool} {path}: {error}");
        }
    }
    room.error("move_file", json!({"path": "tfo-mcp.yaml", "destination": "x"})).await;
    room.put("other", "x");
    room.error("move_file", json!({"path": "other", "destination": "tfo-mcp.yaml", "overwrite": true})).await;
    // Nor is it made where it is not yet.
    std::fs::remove_file(room.root().join("tfo-mcp.yaml")).unwrap();
    for (tool, arguments) in [
        ("write_file", json!({"path": "./tfo-mcp.yaml", "content": "x"})),
        ("move_file", json!({"path": "other", "destination": "tfo-mcp.yaml"})),
    ] {
        let error = room.error(tool, arguments).await;
        assert!(error.contains("belongs to this server"), "{tool}: {error}");
    }
    assert!(!room.root().join("tfo-mcp.yaml").exists());
    room.put("tfo-mcp.yaml", "password: hunter2\n");
    let found = room.call("search_files", json!({"content": "hunter2"})).await.unwrap();
    assert!(found.starts_with("Nothing was found"), "{found}");
    assert_eq!(room.text("tfo-mcp.yaml"), "password: hunter2\n");
}

#[tokio::test]
async fn an_edit_that_would_grow_beyond_bounds_is_refused_before_it_is_made() {
    let room = Room::new();
    room.put("e", "e".repeat(64 << 10));
    let arguments = |new: usize, dry: bool| json!({"path": "e", "old_text": "e", "new_text": "x".repeat(new), "expected_replacements": 65536, "dry_run": dry});
    for dry_run in [true, false] {
        let error = room.error("edit_file", arguments(1 << 20, dry_run)).await;
        assert!(error.contains("`e` would have 68719476736 bytes") && error.contains("16777216"), "{error}");
        room.error("edit_file", arguments(257, dry_run)).await;
    }
    assert_eq!(room.text("e"), "e".repeat(64 << 10));
    room.call("edit_file", arguments(256, false)).await.unwrap();
    assert_eq!(room.text("e").len(), 16 << 20);
    // Nor is a diff made of lines beyond number.
    room.put("lines", format!("{}end\n", "\n".repeat((16 << 20) - 10)));
    let edit = json!({"path": "lines", "old_text": "end", "new_text": "END"});
    let said = room.call("edit_file", edit).await.unwrap();
    assert!(said.contains("no diff is made of more than 200000 lines"), "{said}");
    assert!(room.text("lines").ends_with("\nEND\n"));
}

#[tokio::test]
async fn a_failed_edit_shows_no_more_than_a_diff_that_was_made() {
    let room = Room::new();
    room.put("long", format!("begin {} end\nlast\n", "word ".repeat(1_200_000)));
    let edit = json!({"path": "long", "old_text": "begin word word word word x", "new_text": ""});
    let error = room.error("edit_file", edit).await;
    assert!(error.contains("Closest is from line 1") && error.contains("+begin word word"), "{}", error.len());
    assert!(error.len() < 25_000 && error.contains("… the rest of the diff is left out"), "{}", error.len());
    // And an edit that is made shows its beginning.
    let said = room.call("edit_file", json!({"path": "long", "old_text": "begin", "new_text": "BEGIN"})).await.unwrap();
    assert!(said.len() < 25_000 && said.contains("… the rest of the diff is left out"), "{}", said.len());
    // A text of very many lines is compared with its first ones.
    let many = format!("begin word\n{}", "x\n".repeat(200_000));
    let error = room.error("edit_file", json!({"path": "long", "old_text": many, "new_text": ""})).await;
    assert!(error.len() < 25_000, "{}", error.len());
}

#[tokio::test]
async fn what_lets_a_program_run_as_its_owner_is_not_given_to_other_content() {
    let room = Room::new();
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    for (given, left) in [(0o4755, 0o755), (0o2755, 0o755), (0o6711, 0o711), (0o1644, 0o644)] {
        for (tool, arguments) in [
            ("write_file", json!({"path": "program", "content": "#!/bin/sh\nid\n"})),
            ("edit_file", json!({"path": "program", "old_text": "true", "new_text": "id"})),
        ] {
            room.put("program", "#!/bin/sh\ntrue\n");
            std::fs::set_permissions(room.root().join("program"), mode(given)).unwrap();
            room.call(tool, arguments).await.unwrap();
            assert_eq!(
                std::fs::metadata(room.root().join("program")).unwrap().mode() & 0o7777,
                left,
                "{tool} {given:o}"
            );
            std::fs::remove_file(room.root().join("program")).unwrap();
        }
    }
}

/// A name that is a link to a closed folder for a moment, and leads nowhere before.
#[test]
fn no_folder_is_made_behind_a_link_that_changes() {
    let room = tempfile::tempdir().unwrap();
    let root = room.path();
    for closed in ["prot", "data"] {
        std::fs::create_dir(root.join(closed)).unwrap();
    }
    let files = opened(root, Some(&root.join("prot")), Some(&root.join("data")));
    symlink("nowhere", root.join("new")).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let target = ["nowhere", "prot", "nowhere", "data"][n % 4];
                symlink(target, root.join("swap")).unwrap();
                std::fs::rename(root.join("swap"), root.join("new")).unwrap();
            }
        });
        let mut refused = 0;
        for n in 0..600 {
            refused += usize::from(write(&files, &format!("new/evil{n}"), true).is_err());
            refused += usize::from(files.create_directory(&format!("new/folder{n}")).is_err());
        }
        stop.store(true, Ordering::Relaxed);
        assert_eq!(refused, 1200);
    });
    assert_eq!((contents(&root.join("prot")), contents(&root.join("data"))), (Vec::new(), Vec::new()));
    assert!(std::fs::read_dir(root.join("prot")).unwrap().next().is_none());
}

#[tokio::test]
async fn what_was_shown_masked_is_not_written_back() {
    let room = Room::new();
    let kept = "DB_PASSWORD=hunter2X9\nLOG=info\n";
    room.put(".env", kept);
    let shown = room.call("read_file", json!({"path": ".env"})).await.unwrap();
    assert!(shown.starts_with("DB_PASSWORD=***\nLOG=info"), "{shown}");
    let whole = json!({"path": ".env", "content": "DB_PASSWORD=***\nLOG=debug\n"});
    let error = room.error("write_file", whole).await;
    assert!(error.contains("holds what answers show as `***`") && error.contains("`edit_file`"), "{error}");
    let shown = json!({"path": ".env", "old_text": "DB_PASSWORD=***\nLOG=info", "new_text": "LOG=debug"});
    let error = room.error("edit_file", shown).await;
    assert!(error.contains("`***` is what answers show of a secret"), "{error}");
    let put = json!({"path": ".env", "old_text": "LOG=info", "new_text": "DB_PASSWORD=***"});
    assert!(room.error("edit_file", put).await.contains("nothing was changed"));
    assert_eq!(contents(&room.root()), [(".env".to_owned(), kept.as_bytes().to_vec())]);
    room.call("edit_file", json!({"path": ".env", "old_text": "info", "new_text": "debug"})).await.unwrap();
    // Who means three asterisks may write them where nothing is masked.
    room.call("write_file", json!({"path": "a.md", "content": "***\n"})).await.unwrap();
    room.call("write_file", json!({"path": "a.md", "content": "***\n***\n"})).await.unwrap();
}

/// In any encoding, and however many marks were there before.
#[tokio::test]
async fn no_secret_is_lost_by_a_mask_that_was_read_before() {
    let room = Room::new();
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let (secret, mask) = ("a=1\nDB_PASSWORD=hunter2X9\n", "a=1\nDB_PASSWORD=***\n");
    let marked = |text: &str| wide(&format!("\u{feff}{text}"));
    let latin = |text: &str| [b"n=caf\xe9\n", text.as_bytes()].concat();
    let base64 = |bytes: Vec<u8>| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let generated = "# *** generated ***\nDB_PASSWORD=hunter2X9\nLOG=info\n";
    for (was, content, encoding) in [
        (generated.as_bytes().to_vec(), "DB_PASSWORD=***\nLOG=info\n".to_owned(), "utf-8"),
        (latin(secret), format!("n=café\n{mask}"), "windows-1252"),
        (latin(secret), mask.to_owned(), "utf-8"),
        (marked(secret), base64(marked(mask)), "base64"),
        (wide(secret), mask.to_owned(), "utf-16le"),
        (secret.as_bytes().to_vec(), mask.to_owned(), "utf-16le"),
    ] {
        room.put("f", &was);
        let error = room.error("write_file", json!({"path": "f", "content": content, "encoding": encoding})).await;
        assert!(error.contains("holds what answers show as `***`"), "{encoding} {content}: {error}");
        assert_eq!(std::fs::read(room.root().join("f")).unwrap(), was, "{encoding}");
    }
    // Emphasis is no mask.
    room.put("README.md", "Set `password=hunter2X9`.\n");
    for content in ["Set `password=hunter2X9`. This is ***bold***.\n", "This is ***very bold***.\n"] {
        room.call("write_file", json!({"path": "README.md", "content": content})).await.unwrap();
    }
    // What cannot be read may hold one.
    room.put("long", "x".repeat((16 << 20) + 1));
    let error = room.error("write_file", json!({"path": "long", "content": mask})).await;
    assert!(error.contains("cannot be read whole"), "{error}");
    room.call("write_file", json!({"path": "long", "content": "a=1\n"})).await.unwrap();
}

/// A folder that the settings keep from changes is kept before it is there, and where a link takes its place.
#[tokio::test]
async fn a_folder_that_is_only_read_is_so_before_it_is_there_and_behind_a_link() {
    let room = Room::owning(&[], |folder, files| {
        files.read_only_roots.extend(["root/prot", "root/current"].map(|path| folder.join(path)));
        for name in ["r1", "r2"] {
            std::fs::create_dir_all(folder.join("root").join(name)).unwrap();
        }
        symlink("r1", folder.join("root/current")).unwrap();
    });
    let refused = async |path: &str| {
        for arguments in [json!({"path": path, "content": "x", "create_dirs": true})] {
            let error = room.error("write_file", arguments).await;
            assert!(error.contains("may be read and not changed"), "{path}: {error}");
        }
    };
    refused("prot/x").await;
    refused("prot").await;
    assert!(room.error("create_directory", json!({"path": "prot"})).await.contains("may be read and not changed"));
    assert!(!room.root().join("prot").exists());
    for path in ["current/n", "r1/n"] {
        refused(path).await;
    }
    // Somebody else makes it, as a link, and turns the other one.
    symlink("r2", room.root().join("prot")).unwrap();
    refused("prot/x").await;
    refused("r2/x").await;
    std::fs::remove_file(room.root().join("prot")).unwrap();
    room.call("write_file", json!({"path": "r2/x", "content": "x"})).await.unwrap();
    std::fs::remove_file(room.root().join("current")).unwrap();
    symlink("r2", room.root().join("current")).unwrap();
    for path in ["current/n", "r2/n", "r1/n"] {
        refused(path).await;
    }
}

#[tokio::test]
async fn an_open_folder_whose_link_is_turned_is_neither_read_nor_written() {
    let room = Room::owning(&[], |folder, files| {
        for name in ["r1", "r2"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            std::fs::write(folder.join(name).join("v"), name).unwrap();
        }
        symlink("r1", folder.join("current")).unwrap();
        files.roots = vec![folder.join("current")];
    });
    let absolute = room.folder.path().join("current").display().to_string();
    assert_eq!(room.call("read_file", json!({"path": "v"})).await.unwrap(), "r1");
    std::fs::remove_file(&absolute).unwrap();
    symlink("r2", &absolute).unwrap();
    for path in ["v", &format!("{absolute}/v")] {
        let read = room.error("read_file", json!({ "path": path })).await;
        let written = room.error("write_file", json!({"path": path, "content": "x"})).await;
        assert!([&read, &written].iter().all(|error| error.contains("leads elsewhere")), "{path}: {read} {written}");
    }
    assert_eq!(std::fs::read_to_string(room.folder.path().join("r1/v")).unwrap(), "r1");
}

/// What was told as not done is not done later, and one folder that somebody holds keeps nobody from the others.
#[test]
fn a_change_that_was_given_up_never_comes_and_others_do_not_wait_for_it() {
    let room = tempfile::tempdir().unwrap();
    std::fs::create_dir(room.path().join("held")).unwrap();
    let files = opened(room.path(), None, None);
    let held = std::fs::File::open(room.path().join("held")).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let bounds = super::bounds();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| write(&files.within(&bounds), "held/f", false));
        write(&files, "other", false).unwrap();
        assert!(!waits.is_finished(), "it waits while the other one is written");
        bounds.given_up.store(true, Ordering::Relaxed);
        assert!(waits.join().unwrap().unwrap_err().message.contains("cancelled"));
    });
    drop(held);
    assert!(!room.path().join("held/f").exists());
    let over = tfo_mcp::host::files::Bounds { until: std::time::Instant::now(), ..super::bounds() };
    let late = files.within(&over);
    let edit = Edit { path: "other", old: "new", new: "x", expected: 1, dry_run: false };
    assert!(late.edit(edit).unwrap_err().message.contains("the time of the call was over"));
    for error in [write(&late, "late", false).unwrap_err(), late.create_directory("late").unwrap_err()] {
        assert!(error.message.contains("the time of the call was over"), "{error:?}");
    }
    assert_eq!(contents(room.path()), [("held".to_owned(), Vec::new()), ("other".to_owned(), b"new".to_vec())]);
}

/// Two servers, and a program that saves by renaming: what was said to be done is there.
#[test]
fn an_edit_loses_nothing_that_others_save_meanwhile() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("file");
    let filling = "x".repeat(20_000);
    std::fs::write(&file, format!("A0\nB0\n{filling}\n")).unwrap();
    let servers = ["A", "B"].map(|name| (name, opened(room.path(), None, None)));
    let done: Vec<usize> = std::thread::scope(|scope| {
        let edits = servers.iter().map(|(name, files)| {
            scope.spawn(move || {
                let mut done = 0;
                for _ in 0..60 {
                    let (old, new) = (format!("{name}{done}\n"), format!("{name}{}\n", done + 1));
                    let edit = Edit { path: "file", old: &old, new: &new, expected: 1, dry_run: false };
                    match files.edit(edit) {
                        Ok(_) => done += 1,
                        Err(error) => assert!(error.message.contains("changed while"), "{}", error.message),
                    }
                }
                done
            })
        });
        edits.collect::<Vec<_>>().into_iter().map(|edit| edit.join().unwrap()).collect()
    });
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, format!("A{}\nB{}\n{filling}\n", done[0], done[1]));
    assert!(done.iter().sum::<usize>() > 40, "{done:?}");
}

#[test]
fn a_new_content_has_the_attributes_of_the_old_one() {
    let room = tempfile::tempdir().unwrap();
    let files = opened(room.path(), None, None);
    let file = room.path().join("file");
    std::fs::write(&file, "old").unwrap();
    // user::rw, user:1234:rw, group::---, mask::rw, other::---
    let entries: [(u16, u16, u32); 5] = [(1, 6, !0), (2, 6, 1234), (4, 0, !0), (16, 6, !0), (32, 0, !0)];
    let bytes = |(tag, may, of): (u16, u16, u32)| {
        [tag.to_le_bytes().to_vec(), may.to_le_bytes().to_vec(), of.to_le_bytes().to_vec()].concat()
    };
    let list: Vec<u8> = 2_u32.to_le_bytes().into_iter().chain(entries.into_iter().flat_map(bytes)).collect();
    let names = ["system.posix_acl_access", "user.origin"];
    let set = |path: &Path, name: &str, value: &[u8]| match rustix::fs::setxattr(path, name, value, XattrFlags::empty())
    {
        Ok(()) => true,
        // A file system without them.
        Err(error) => error != Errno::OPNOTSUPP && panic!("{name}: {error}"),
    };
    let had = [set(&file, names[0], &list), set(&file, names[1], b"elsewhere")];
    let all = || {
        names.map(|name| {
            let mut buffer = [0; 256];
            rustix::fs::getxattr(&file, name, &mut buffer[..]).map(|length| buffer[..length].to_vec()).ok()
        })
    };
    let before = (all(), file.metadata().unwrap().mode());
    assert_eq!(before.0.each_ref().map(Option::is_some), had);
    write(&files, "file", false).unwrap();
    assert_eq!((all(), file.metadata().unwrap().mode()), before);
    let edit = Edit { path: "file", old: "new", new: "newer", expected: 1, dry_run: false };
    files.edit(edit).unwrap();
    assert_eq!((all(), file.metadata().unwrap().mode()), before);
    // What a folder gives its new files is not given to those that were there without.
    std::fs::write(room.path().join("plain"), "old").unwrap();
    let plain = room.path().join("plain");
    if set(room.path(), "system.posix_acl_default", &list) {
        let mode = plain.metadata().unwrap().mode();
        write(&files, "plain", false).unwrap();
        assert_eq!(plain.metadata().unwrap().mode(), mode);
        assert_eq!(rustix::fs::getxattr(&plain, names[0], &mut [0; 256][..]), Err(Errno::NODATA));
    }
}

/// A program that saves by renaming, as editors do: what it saved stays, whatever an edit that began before it says.
#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn what_others_save_by_renaming_is_not_replaced() {
    let room = tempfile::tempdir().unwrap();
    let root = room.path();
    let files = opened(root, None, None);
    let filling = "x".repeat(200_000);
    std::fs::write(root.join("file"), format!("A0\nS0\n{filling}\n")).unwrap();
    let stop = AtomicBool::new(false);
    let read = || std::fs::read_to_string(root.join("file")).unwrap();
    std::thread::scope(|scope| {
        let saver = scope.spawn(|| {
            let mut saved = 0;
            while !stop.load(Ordering::Relaxed) {
                // An edit that came too late is there for a moment before it is taken back.
                let kept = (0..1000).map(|_| read()).find(|text| text.contains(&format!("\nS{saved}\n")));
                let text = kept.unwrap_or_else(|| panic!("save {saved} is lost"));
                let text = text.replace(&format!("\nS{saved}\n"), &format!("\nS{}\n", saved + 1));
                std::fs::write(root.join("draft"), text).unwrap();
                std::fs::rename(root.join("draft"), root.join("file")).unwrap();
                saved += 1;
            }
            saved
        });
        let (mut done, mut refused) = (0, 0);
        for _ in 0..150 {
            let text = read();
            let now = text.lines().next().unwrap().to_owned();
            let edit =
                Edit { path: "file", old: &format!("{now}\n"), new: &format!("{now}0\n"), expected: 1, dry_run: false };
            match files.edit(edit) {
                Ok(_) => done += 1,
                Err(_) => refused += 1,
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert!(saver.join().unwrap() > 10 && done + refused == 150);
    });
}

#[tokio::test]
async fn an_edit_fits_the_line_ends_of_the_file_where_they_are_all_the_same() {
    let room = Room::new();
    let edit = async |old: &str, new: &str| {
        room.call("edit_file", json!({"path": "f", "old_text": old, "new_text": new})).await.unwrap()
    };
    room.put("f", "call x\r\nend\r\n");
    let said = edit("call x", "call x\ncall y").await;
    assert!(said.contains("ends its lines with CRLF, and so does what was put in"), "{said}");
    assert_eq!(room.text("f"), "call x\r\ncall y\r\nend\r\n");
    let said = edit("call y\r\nend", "end\r\nmore").await;
    assert!(!said.contains("CRLF"), "{said}");
    assert_eq!(room.text("f"), "call x\r\nend\r\nmore\r\n");
    room.put("f", "one\ntwo\n");
    let said = edit("one\r\ntwo", "1\r\n2").await;
    assert!(said.contains("ends its lines with LF"), "{said}");
    assert_eq!(room.text("f"), "1\n2\n");
    // Where they are mixed, nothing is made of what the caller wrote.
    room.put("f", "one\r\ntwo\nthree\n");
    edit("one\r\ntwo\n", "1\n2\r\n").await;
    assert_eq!(room.text("f"), "1\n2\r\nthree\n");
    let written = json!({"path": "f", "content": "a\nb\n"});
    room.put("f", "one\r\ntwo\r\n");
    let said = room.call("write_file", written.clone()).await.unwrap();
    assert!(said.contains("ended its lines with CRLF, and now not all"), "{said}");
    assert!(!room.call("write_file", written).await.unwrap().contains("CRLF"));
}

#[tokio::test]
async fn a_file_keeps_its_encoding_and_its_mark_or_has_the_one_that_is_named() {
    let room = Room::new();
    let bytes = |path: &str| std::fs::read(room.root().join(path)).unwrap();
    let utf_16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    room.put("a.ps1", utf_16("\u{feff}eins\r\nzwei\r\n"));
    let said = room.call("edit_file", json!({"path": "a.ps1", "old_text": "zwei", "new_text": "zwei\ndrei ä"})).await;
    assert!(said.unwrap().contains("+drei ä"));
    assert_eq!(bytes("a.ps1"), utf_16("\u{feff}eins\r\nzwei\r\ndrei ä\r\n"));
    // Read and written back it is what it was.
    for (path, before) in [("a.ps1", bytes("a.ps1")), ("mark.txt", "\u{feff}text\n".into())] {
        room.put(path, &before);
        let answer = room.answer("read_file", json!({ "path": path })).await.unwrap();
        let said = room.call("write_file", json!({"path": path, "content": answer.text()})).await.unwrap();
        assert!(said.contains("keeps its encoding"), "{said}");
        assert_eq!(bytes(path), before, "{path}");
    }
    room.call("edit_file", json!({"path": "mark.txt", "old_text": "text", "new_text": "words"})).await.unwrap();
    assert_eq!(bytes("mark.txt"), "\u{feff}words\n".as_bytes());
    for (encoding, content, expected) in [
        ("windows-1252", "café €", b"caf\xe9 \x80".to_vec()),
        ("latin-1", "café", b"caf\xe9".to_vec()),
        ("shift_jis", "日本", b"\x93\xfa\x96\x7b".to_vec()),
        ("utf-16le", "ä", utf_16("\u{feff}ä")),
        ("utf-16be", "ä", b"\xfe\xff\x00\xe4".to_vec()),
        ("utf-8", "ä", "ä".into()),
        ("base64", "AAEC\n/w==", vec![0, 1, 2, 255]),
    ] {
        let arguments = json!({"path": encoding, "content": content, "encoding": encoding});
        room.call("write_file", arguments.clone()).await.unwrap();
        assert_eq!(bytes(encoding), expected, "{encoding}");
        // Over itself too.
        room.call("write_file", arguments).await.unwrap();
        assert_eq!(bytes(encoding), expected, "{encoding}");
        if encoding != "base64" {
            let read = room.answer("read_file", json!({"path": encoding, "encoding": encoding})).await.unwrap();
            assert_eq!(read.text(), content);
        }
    }
    for (encoding, content, why) in [
        ("latin-1", "日", "`日` (U+65E5) cannot be written in windows-1252"),
        ("base64", "§", "`content` is no base64"),
        ("klingon", "x", "`encoding` is `klingon`"),
    ] {
        let arguments = json!({"path": "latin-1", "content": content, "encoding": encoding});
        let error = room.error("write_file", arguments).await;
        assert!(error.contains(why), "{error}");
    }
    assert_eq!(bytes("latin-1"), b"caf\xe9");
    let said = room.call("write_file", json!({"path": "latin-1", "content": "café"})).await.unwrap();
    assert!(said.contains("was no UTF-8 and is now"), "{said}");
    assert_eq!(bytes("latin-1"), "café".as_bytes());
    // A mask of bytes is one as well.
    room.put(".env", "DB_PASSWORD=hunter2X9\n");
    let masked = json!({"path": ".env", "content": "REJfUEFTU1dPUkQ9KioqCg==", "encoding": "base64"});
    assert!(room.error("write_file", masked).await.contains("nothing was changed"));
}
