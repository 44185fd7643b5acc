//! Searching: globs, contents, what is left out, bounds.

use serde_json::json;

use super::Room;

fn filled() -> Room {
    let room = Room::new();
    room.put("src/a.rs", "fn one() {}\n// TODO: two\nfn three() {}\nfn four() {}\n");
    room.put("src/deep/b.rs", "// todo\n");
    room.put("README.md", "TODO\n");
    room.put("target/c.rs", "TODO\n");
    room.put("src/kept.log", "TODO\n");
    room.put("src/lost.log", "TODO\n");
    room.put(".hidden/d.rs", "TODO\n");
    room.put(".git/e.rs", "TODO\n");
    room.put(".gitignore", "/target\n*.log\n");
    room.put("src/.gitignore", "!kept.log\n");
    room.put("src/binary.rs", b"\x00TODO\n");
    room
}

#[tokio::test]
async fn names_are_found_by_a_glob_and_what_git_leaves_out_is_not() {
    let room = filled();
    let search = async |arguments| room.call("search_files", arguments).await.unwrap();
    assert_eq!(search(json!({"pattern": "*.rs"})).await, "src/a.rs\nsrc/binary.rs\nsrc/deep/b.rs");
    assert_eq!(search(json!({"pattern": "src/*.{rs,log}"})).await, "src/a.rs\nsrc/binary.rs\nsrc/kept.log");
    assert_eq!(search(json!({"pattern": "**/deep/*"})).await, "src/deep/b.rs");
    assert_eq!(search(json!({"pattern": "*.log", "path": "src"})).await, "src/kept.log");
    assert_eq!(search(json!({"pattern": "*.rs", "path": "src/deep/"})).await, "src/deep/b.rs");
    let hidden = search(json!({"pattern": "*.rs", "include_hidden": true})).await;
    assert!(hidden.contains(".hidden/d.rs") && !hidden.contains(".git/"), "{hidden}");
    let absolute = format!("{}/src/a.rs", room.root().display());
    let path = format!("{}/src", room.root().display());
    assert!(search(json!({"pattern": "a.rs", "path": path})).await.starts_with(&absolute));
}

#[tokio::test]
async fn lines_are_found_with_those_around_them() {
    let room = filled();
    let search = async |arguments| room.call("search_files", arguments).await.unwrap();
    let unread = "1 file could not be read as text and was left out";
    assert_eq!(
        search(json!({"content": "TODO"})).await,
        format!("README.md:1:TODO\nsrc/a.rs:2:// TODO: two\nsrc/kept.log:1:TODO\n{unread}")
    );
    let all = search(json!({"content": "(?i)todo", "pattern": "*.rs"})).await;
    assert_eq!(all, format!("src/a.rs:2:// TODO: two\nsrc/deep/b.rs:1:// todo\n{unread}"));
    assert_eq!(
        search(json!({"content": "^fn (one|four)", "path": "src/a.rs", "context_lines": 1})).await,
        "src/a.rs:1:fn one() {}\nsrc/a.rs-2-// TODO: two\nsrc/a.rs-3-fn three() {}\nsrc/a.rs:4:fn four() {}"
    );
    assert_eq!(search(json!({"content": "nowhere", "path": "README.md"})).await, "Nothing was found in 1 file.");
}

#[tokio::test]
async fn a_search_is_bounded_and_says_so() {
    let room = Room::new();
    room.put("many", "x\n".repeat(5000));
    room.put("wide", format!("y{}\n", "z".repeat(100_000)));
    let found = room.call("search_files", json!({"content": "x", "max_results": 3})).await.unwrap();
    assert!(found.starts_with("many:1:x\nmany:2:x\nmany:3:x\nthere may be more: "), "{found}");
    let found = room.call("search_files", json!({"content": "y"})).await.unwrap();
    assert!(found.chars().count() < 400 && found.ends_with('…'), "{found}");
    let error = room.error("search_files", json!({})).await;
    assert!(error.contains("`pattern`") && error.contains("`content`"), "{error}");
    let error = room.error("search_files", json!({"content": "(a"})).await;
    assert!(error.contains("`content` is no regular expression: unclosed group"), "{error}");
    let error = room.error("search_files", json!({"content": r"(\w{100}){100}"})).await;
    assert!(error.contains("`content` is no regular expression"), "{error}");
    let error = room.error("search_files", json!({"pattern": "[a"})).await;
    assert!(error.contains("`pattern` is no glob"), "{error}");
}

#[tokio::test]
async fn nothing_is_found_is_not_said_of_what_was_not_looked_at() {
    let room = Room::new();
    let deep = format!("{}needle.txt", "d/".repeat(70));
    room.put(&deep, "needle\n");
    for arguments in [json!({"pattern": "needle.txt"}), json!({"content": "needle"})] {
        let found = room.call("search_files", arguments.clone()).await.unwrap();
        assert!(found.starts_with("Nothing was found in 0 files, which are not all."), "{arguments}: {found}");
        assert!(found.contains("1 folder could not be looked into") && found.contains("64 deep"), "{found}");
    }
    // From below it is reached.
    let below = room.call("search_files", json!({"pattern": "needle.txt", "path": "d/".repeat(30)})).await.unwrap();
    assert!(below.ends_with("d/needle.txt"), "{below}");
    // A name that is not UTF-8 is looked at as any other.
    use std::os::unix::ffi::OsStrExt as _;
    let odd = |name: &[u8]| room.root().join(std::ffi::OsStr::from_bytes(name));
    std::fs::create_dir(odd(b"caf\xe9")).unwrap();
    std::fs::write(odd(b"caf\xe9/men\xfc.txt"), "soup\n").unwrap();
    let note = "a name with `\u{fffd}` is not UTF-8 on the disk, and no path leads to it";
    let found = room.call("search_files", json!({"content": "soup"})).await.unwrap();
    assert!(found.starts_with("caf\u{fffd}/men\u{fffd}.txt:1:soup\n") && found.contains(note), "{found}");
    let list = room.call("list_directory", json!({"recursive": true})).await.unwrap();
    assert!(list.contains("caf\u{fffd}/\ncaf\u{fffd}/men\u{fffd}.txt (5 bytes)\n") && list.contains(note), "{list}");
    // A link has a name, and is not followed.
    std::os::unix::fs::symlink(&deep, room.root().join("short.txt")).unwrap();
    let found = room.call("search_files", json!({"pattern": "short.*"})).await.unwrap();
    assert!(found.starts_with("short.txt\n"), "{found}");
    let found = room.call("search_files", json!({"content": "needle", "pattern": "short.*"})).await.unwrap();
    assert!(found.contains("which are not all") && found.contains("1 link not followed"), "{found}");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn the_first_names_of_a_folder_of_very_many_are_the_first_and_all_are_searched() {
    let room = Room::new();
    room.put("many/f000000", "");
    for n in 1..160_000 {
        std::fs::hard_link(room.root().join("many/f000000"), room.root().join(format!("many/f{n:06}"))).unwrap_or_else(
            // Some file systems let a file have few names.
            |_| std::fs::write(room.root().join(format!("many/f{n:06}")), "").unwrap(),
        );
    }
    let found = room.call("search_files", json!({"pattern": "f1499*"})).await.unwrap();
    assert!(found.starts_with("many/f149900\n"), "{found}");
    assert_eq!(found.lines().filter(|line| line.starts_with("many/f1499")).count(), 100, "{found}");
    let list = room.call("list_directory", json!({"path": "many"})).await.unwrap();
    let expected: Vec<String> = (0..1000).map(|n| format!("f{n:06} (0 bytes)")).collect();
    assert!(list.starts_with(&format!("{}\nthere are more: the first 1000 entries", expected.join("\n"))), "{list}");
    let found = room.call("search_files", json!({"pattern": "*", "max_results": 1000})).await.unwrap();
    assert!(found.contains("there may be more"), "{found}");
    let found = room.call("search_files", json!({"content": "x"})).await.unwrap();
    assert!(found.starts_with("Nothing was found in 160000 files, which are not all."), "{found}");
}

#[tokio::test]
async fn what_was_left_out_is_told_where_nothing_was_found() {
    let room = Room::new();
    room.put(".cfg/app.toml", "needle\n");
    room.put("app.log", "needle\n");
    room.put("a.txt", "hay\n");
    room.put(".gitignore", "*.log\n");
    let search = async |arguments| room.call("search_files", arguments).await.unwrap();
    let found = search(json!({"content": "needle"})).await;
    assert!(found.starts_with("Nothing was found in 1 file.\n3 files and folders were not looked at"), "{found}");
    assert!(found.contains("`include_hidden: true`") && found.contains("`.gitignore`"), "{found}");
    // Of a search that found something that is no news.
    assert_eq!(search(json!({"content": "hay"})).await, "a.txt:1:hay");
}

/// An automaton of 180,000 patterns took 2 GB.
#[tokio::test]
async fn rules_that_would_fill_the_memory_are_not_read_and_told() {
    let room = Room::new();
    room.put("a.log", "needle\n");
    let search = async || room.call("search_files", json!({"content": "needle"})).await.unwrap();
    room.put(".gitignore", format!("*.log\n{}", "#\n".repeat(1_900)));
    assert!(search().await.starts_with("Nothing was found"));
    for rules in [format!("*.log\n{}", "x\n".repeat(2_001)), format!("*.log\n# {}\n", "x".repeat(70 << 10))] {
        room.put(".gitignore", rules);
        let found = search().await;
        assert!(found.starts_with("a.log:1:needle\na `.gitignore` or `.ignore` has more than 64 KiB"), "{found}");
    }
}

#[tokio::test]
async fn marks_and_line_ends_hide_nothing_and_a_match_is_in_what_is_shown() {
    let room = Room::new();
    room.put("mark.txt", "\u{feff}needle\n");
    room.put("old.txt", "first\rneedle\rlast");
    let utf_16: Vec<u8> = "\u{feff}ä\r\nneedle\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    room.put("utf16.ps1", utf_16);
    let search = async |arguments| room.call("search_files", arguments).await.unwrap();
    let found = search(json!({"content": "^needle$"})).await;
    assert_eq!(found, "mark.txt:1:needle\nold.txt:2:needle\nutf16.ps1:2:needle");
    room.put("wide", format!("{}thread{}\n", "x".repeat(1000), "y".repeat(1000)));
    let found = search(json!({"content": "thread"})).await;
    assert!(found.starts_with("wide:1:…x") && found.contains("xthready") && found.ends_with("y…"), "{found}");
    assert!(found.chars().count() < 330, "{found}");
    let found = search(json!({"content": "first\\nneedle"})).await;
    assert!(found.starts_with("Nothing was found") && found.contains("names a line break"), "{found}");
    let found = search(json!({"content": "^[^\\n]*nothing"})).await;
    assert!(!found.contains("line break"), "{found}");
}

#[tokio::test]
async fn it_is_said_why_nothing_can_be_found() {
    let room = Room::new();
    room.put("a/f.txt", "foo\nbar\n");
    let search = async |arguments| room.call("search_files", arguments).await.unwrap();
    for content in [r"foo[\n]bar", r"foo\x0abar", r"foo[\r\n]+bar", "(?s)foo.bar"] {
        let found = search(json!({ "content": content })).await;
        assert!(found.starts_with("Nothing was found") && found.contains("names a line break"), "{content}: {found}");
    }
    for pattern in [format!("{}/a/*.txt", room.root().display()), "../a/*.txt".to_owned()] {
        let found = search(json!({ "pattern": pattern })).await;
        assert!(found.contains("`pattern` is held against names below `path`"), "{pattern}: {found}");
    }
    room.put("long.log", "x\n".repeat((8 << 20) + 1));
    let found = search(json!({"content": "nowhere"})).await;
    assert!(found.starts_with("Nothing was found in 2 files, which are not all."), "{found}");
    assert!(found.contains("1 file is longer than 16 MiB") && !found.contains("as text"), "{found}");
}

#[tokio::test]
async fn rules_with_a_mark_are_read_and_those_behind_a_link_are_told() {
    let room = Room::new();
    room.put("a.log", "needle\n");
    room.put(".gitignore", "\u{feff}*.log\n");
    let search = async || room.call("search_files", json!({"content": "needle"})).await.unwrap();
    assert!(search().await.starts_with("Nothing was found"));
    std::fs::rename(room.root().join(".gitignore"), room.root().join("rules")).unwrap();
    std::os::unix::fs::symlink("rules", room.root().join(".gitignore")).unwrap();
    let found = search().await;
    assert!(found.starts_with("a.log:1:needle\n") && found.contains("cannot be read (a link"), "{found}");
}

#[tokio::test]
async fn braces_in_rules_of_a_repository_stand_for_themselves() {
    let room = Room::new();
    for name in ["a.txt", "b.log", "c.{txt,log}"] {
        room.put(name, "needle\n");
    }
    room.put(".gitignore", "*.{txt,log}\n");
    let found = room.call("search_files", json!({"content": "needle"})).await.unwrap();
    assert!(found.contains("a.txt:") && found.contains("b.log:") && !found.contains("c.{"), "{found}");
}

#[tokio::test]
async fn a_name_that_is_not_what_it_looks_like_is_told() {
    let room = Room::new();
    room.put("zw\u{200d}j.txt", "x");
    let list = room.call("list_directory", json!({})).await.unwrap();
    assert!(list.contains(r#""zw\u{200d}j.txt""#) && list.contains("signs that are not seen"), "{list}");
}

#[tokio::test]
async fn braces_that_nest_without_end_are_refused_and_take_no_other_rule_with_them() {
    let room = Room::new();
    let nested = format!("{}a{}", "{a,".repeat(150), "}".repeat(150));
    room.put("kept.txt", "here");
    room.put("left.log", "here");
    let error = room.error("search_files", json!({"pattern": nested})).await;
    assert!(error.contains("nests braces deeper than 20 times"), "{error}");
    room.put(".gitignore", format!("{nested}\n*.log\n"));
    let found = room.call("search_files", json!({"content": "here"})).await.unwrap();
    assert!(found.contains("kept.txt") && !found.contains("left.log"), "{found}");
}
