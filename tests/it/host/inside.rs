//! Folders of the settings inside each other: the innermost has its own rules, by whatever path something is named.

use serde_json::json;

use super::{Room, contents};

/// A folder that is only read inside one that is not, and in it one that is again.
fn nested() -> Room {
    let room = Room::owning(&[], |folder, files| {
        std::fs::create_dir_all(folder.join("root/a/prot/open")).unwrap();
        std::fs::create_dir_all(folder.join("root/sub")).unwrap();
        std::fs::write(folder.join("root/a/prot/k.txt"), "kept").unwrap();
        std::os::unix::fs::symlink("a/prot", folder.join("root/link")).unwrap();
        std::os::unix::fs::symlink("a/prot/k.txt", folder.join("root/file-link")).unwrap();
        files.roots.push(folder.join("root/a/prot/open"));
        files.read_only_roots.push(folder.join("root/a/prot"));
    });
    room.put("mine", "mine");
    room
}

#[tokio::test]
async fn a_folder_that_is_only_read_inside_another_is_not_changed_by_any_path() {
    let room = nested();
    let absolute = room.root().display().to_string();
    let before = contents(&room.root().join("a"));
    for folder in [
        "a/prot",
        "sub/../a/prot",
        "link",
        "./a/./prot",
        &format!("{absolute}/sub/../a/prot"),
        &format!("{absolute}/link"),
    ] {
        assert_eq!(room.call("read_file", json!({"path": format!("{folder}/k.txt")})).await.unwrap(), "kept");
        let (old, new) = (format!("{folder}/k.txt"), format!("{folder}/new.txt"));
        for (tool, arguments) in [
            ("write_file", json!({"path": old, "content": "x"})),
            ("write_file", json!({"path": new, "content": "x"})),
            ("write_file", json!({"path": format!("{folder}/x/y"), "content": "x", "create_dirs": true})),
            ("edit_file", json!({"path": old, "old_text": "kept", "new_text": "x"})),
            ("create_directory", json!({"path": new})),
            ("move_file", json!({"path": old, "destination": "taken"})),
            ("move_file", json!({"path": "mine", "destination": new})),
            ("move_file", json!({"path": "mine", "destination": old, "overwrite": true})),
        ] {
            let error = room.error(tool, arguments.clone()).await;
            assert!(error.contains("may be read and not changed"), "{tool} {arguments}: {error}");
        }
        let info = room.call("get_file_info", json!({ "path": old })).await.unwrap();
        assert!(info.contains("may be read and not changed"), "{info}");
        // What is opened inside of it again is changed.
        room.call("write_file", json!({"path": format!("{folder}/open/n"), "content": "x"})).await.unwrap();
        std::fs::remove_file(room.root().join("a/prot/open/n")).unwrap();
    }
    let error = room.error("write_file", json!({"path": "file-link", "content": "x"})).await;
    assert!(error.contains("may be read and not changed"), "{error}");
    let up = json!({"path": "fresh/../a/prot/x/y", "content": "x", "create_dirs": true});
    let error = room.error("write_file", up).await;
    assert!(error.contains("goes up (`..`)"), "{error}");
    assert_eq!(contents(&room.root().join("a")), before);
    assert!(!room.root().join("fresh").exists() && !room.root().join("taken").exists());
    let info = room.call("get_file_info", json!({"path": "mine"})).await.unwrap();
    assert!(!info.contains("may be read and not changed"), "{info}");
}

#[tokio::test]
async fn a_folder_of_the_settings_stays_where_it_is_and_so_do_those_above() {
    let room = nested();
    for path in ["a", "a/prot/../../a"] {
        let error = room.error("move_file", json!({"path": path, "destination": "elsewhere"})).await;
        assert!(error.contains("a folder that the settings open, and stays as it is"), "{path}: {error}");
    }
    // In the folder above, what is only read may not be taken away as a whole.
    for (path, destination) in [("a/prot", "prot9"), ("a/prot/open", "open9"), ("sub", "a/prot/open")] {
        room.error("move_file", json!({"path": path, "destination": destination, "overwrite": true})).await;
    }
    assert!(room.root().join("a/prot/open").is_dir() && !room.root().join("prot9").exists());
    room.call("move_file", json!({"path": "sub", "destination": "sub9"})).await.unwrap();
}
