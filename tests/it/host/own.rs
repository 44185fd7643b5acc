//! What belongs to the server itself: no tool reads or changes it, by any name, moved or not there yet.

use serde_json::{Value, json};
use tfo_mcp::host::commands::{Commands, Wanted};

use super::{Caller, Room, contents};
use crate::support::client::{Client, serve_command};

/// What a caller may try with a path.
fn tries(path: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("read_file", json!({ "path": path })),
        ("read_file", json!({"path": path, "offset": 1, "limit": 1})),
        ("read_file", json!({"path": path, "encoding": "base64"})),
        ("write_file", json!({"path": path, "content": "x"})),
        ("edit_file", json!({"path": path, "old_text": "hunter2", "new_text": "x"})),
        ("edit_file", json!({"path": path, "old_text": "hunter2", "new_text": "x", "dry_run": true})),
        ("move_file", json!({"path": path, "destination": "taken"})),
        ("move_file", json!({"path": "mine", "destination": path, "overwrite": true})),
    ]
}

#[tokio::test]
async fn what_leads_to_a_file_of_the_server_is_not_moved_and_a_moved_one_is_known() {
    let room = Room::owning(&["root/top/conf/tfo-mcp.yaml"], |folder, _| {
        std::fs::create_dir_all(folder.join("root/top/conf")).unwrap();
        std::fs::write(folder.join("root/top/conf/tfo-mcp.yaml"), "state_key: hunter2").unwrap();
    });
    room.put("evil/tfo-mcp.yaml", "planted");
    room.put("top/other", "x");
    room.put("top/conf/other", "x");
    let before = contents(&room.root());
    for path in ["top", "top/conf", "top/../top/conf", "top/conf/tfo-mcp.yaml"] {
        for (from, to) in [(path, "elsewhere"), ("evil", path), ("evil/tfo-mcp.yaml", path)] {
            let arguments = json!({"path": from, "destination": to, "overwrite": true});
            let error = room.error("move_file", arguments).await;
            assert!(error.contains("belongs to this server"), "{from} {to}: {error}");
        }
    }
    assert_eq!(contents(&room.root()), before);
    // What else is there is moved.
    room.call("move_file", json!({"path": "top/conf/other", "destination": "top/conf/another"})).await.unwrap();
    // Whoever moves the folder by other means opens nothing, in either place.
    std::fs::rename(room.root().join("top/conf"), room.root().join("conf2")).unwrap();
    room.put("mine", "x");
    for (tool, arguments) in tries("conf2/tfo-mcp.yaml") {
        let error = room.error(tool, arguments.clone()).await;
        assert!(error.contains("belongs to this server") && !error.contains("hunter2"), "{tool} {arguments}: {error}");
    }
    room.error("move_file", json!({"path": "evil", "destination": "top/conf"})).await;
    room.call("create_directory", json!({"path": "top/conf"})).await.unwrap();
    room.error("write_file", json!({"path": "top/conf/tfo-mcp.yaml", "content": "planted"})).await;
    let deep = json!({"path": "top/conf/tfo-mcp.yaml/x", "content": "planted", "create_dirs": true});
    room.error("write_file", deep).await;
    room.error("create_directory", json!({"path": "top/conf/tfo-mcp.yaml"})).await;
    assert_eq!(contents(&room.root().join("top/conf")), []);
    let found = room.call("search_files", json!({"content": "hunter2"})).await.unwrap();
    assert!(found.starts_with("Nothing was found"), "{found}");
}

#[tokio::test]
async fn links_on_the_way_to_a_file_of_the_server_stay() {
    // As containers are given their secrets.
    let room = Room::owning(&["root/tls/key.pem"], |folder, _| {
        let tls = folder.join("root/tls");
        std::fs::create_dir_all(tls.join("..2026")).unwrap();
        std::fs::write(tls.join("..2026/key.pem"), "hunter2").unwrap();
        std::os::unix::fs::symlink("..2026", tls.join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/key.pem", tls.join("key.pem")).unwrap();
    });
    room.put("mine", "x");
    let before = contents(&room.root());
    for path in ["tls/key.pem", "tls/..data/key.pem", "tls/..2026/key.pem"] {
        for (tool, arguments) in tries(path) {
            let error = room.error(tool, arguments.clone()).await;
            assert!(error.contains("belongs to this server"), "{tool} {arguments}: {error}");
        }
    }
    for path in ["tls", "tls/..data", "tls/..2026", "tls/key.pem"] {
        let error = room.error("move_file", json!({"path": path, "destination": "taken"})).await;
        assert!(error.contains("belongs to this server"), "{path}: {error}");
    }
    assert_eq!(contents(&room.root()), before);
}

#[tokio::test]
async fn what_programs_put_beside_a_file_of_the_server_is_its_own_too() {
    let room = Room::owning(&["root/platform.sqlite", "root/logs/audit.log"], |_, _| {});
    room.put("mine", "x");
    for path in [
        "platform.sqlite",
        "platform.sqlite-wal",
        "platform.sqlite-shm",
        "platform.sqlite-journal",
        "platform.sqlite-mj5DF1",
        "logs/audit.log",
        "logs/audit.log.1",
        "logs/audit.log-20261129.gz",
        "logs/audit.log~",
    ] {
        // Before it is there, and when it is.
        room.put("logs/other", "x");
        let error = room.error("write_file", json!({"path": path, "content": "x"})).await;
        assert!(error.contains("belongs to this server"), "{path}: {error}");
        room.error("move_file", json!({"path": "mine", "destination": path})).await;
        room.error("create_directory", json!({ "path": path })).await;
        room.put(path, "hunter2");
        for (tool, arguments) in tries(path) {
            let error = room.error(tool, arguments.clone()).await;
            assert!(error.contains("belongs to this server") && !error.contains("hunter2"), "{tool} {path}: {error}");
        }
        assert_eq!(room.text(path), "hunter2");
    }
    room.put("platform.sqlite.example", "x");
    room.call("read_file", json!({"path": "platform.sqlite.example"})).await.unwrap();
    let found = room.call("search_files", json!({"content": "hunter2"})).await.unwrap();
    assert!(found.starts_with("Nothing was found") && found.contains("9 files could not be read"), "{found}");
}

#[tokio::test]
async fn a_folder_of_the_server_is_closed_unless_one_inside_of_it_is_opened() {
    let room = Room::owning(&["root/data"], |folder, files| {
        std::fs::create_dir_all(folder.join("root/data/clickhouse/parts")).unwrap();
        std::fs::create_dir_all(folder.join("root/data/work")).unwrap();
        std::fs::write(folder.join("root/data/clickhouse/parts/1.bin"), "hunter2").unwrap();
        std::os::unix::fs::symlink("data/clickhouse", folder.join("root/link")).unwrap();
        files.roots.push(folder.join("root/data/work"));
    });
    room.put("mine", "x");
    for path in ["data/clickhouse/parts/1.bin", "link/parts/1.bin", "link/../clickhouse/parts/1.bin"] {
        for (tool, arguments) in tries(path) {
            let error = room.error(tool, arguments.clone()).await;
            assert!(error.contains("belongs to this server"), "{tool} {arguments}: {error}");
        }
    }
    for path in ["data", "data/clickhouse", "link/parts"] {
        for (tool, more) in [
            ("list_directory", json!({})),
            ("search_files", json!({"content": "hunter2"})),
            ("create_directory", json!({})),
        ] {
            let mut arguments = json!({ "path": path });
            arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            let error = room.error(tool, arguments).await;
            assert!(error.contains("belongs to this server"), "{tool} {path}: {error}");
        }
    }
    let new = json!({"path": "data/clickhouse/new/file", "content": "x", "create_dirs": true});
    assert!(room.error("write_file", new).await.contains("belongs to this server"));
    for (tool, arguments) in
        [("search_files", json!({"content": "hunter2"})), ("list_directory", json!({"recursive": true}))]
    {
        let said = room.call(tool, arguments).await.unwrap();
        assert!(said.contains("1 folder could not be looked into") && !said.contains("1.bin"), "{said}");
    }
    room.call("write_file", json!({"path": "data/work/file", "content": "x"})).await.unwrap();
    assert_eq!(room.call("read_file", json!({"path": "data/work/file"})).await.unwrap(), "x");
}

#[tokio::test]
async fn no_command_runs_where_a_file_of_the_server_is_or_will_be() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        tfo_mcp::settings::Commands { roots: vec![folder.path().to_owned()], ..tfo_mcp::settings::Commands::default() };
    let wanted = Wanted { command: "no-such-program", ..Wanted::default() };
    for (own, why) in
        [("not/yet/key.pem", "`key.pem`, which belongs to this server"), ("../outside.pem", "there is no program")]
    {
        let commands = Commands::new(&settings, Caller::Here, &[folder.path().join(own)]);
        let error = commands.run(&wanted, None).await.err().unwrap();
        assert!(format!("{error:?}").contains(why), "{own}: {error:?}");
    }
}

#[tokio::test]
async fn a_server_keeps_every_file_that_its_settings_name() {
    let data = tempfile::tempdir().unwrap();
    let work = data.path().join("work");
    let names = [
        "conf/tfo-mcp.yaml",
        "tls/cert.pem",
        "tls/key.pem",
        "tls/ca.pem",
        "keys.yaml",
        "audit.jsonl",
        "server.log",
        "platform.sqlite",
        "platform.sqlite-wal",
        "chdb/data/part.bin",
    ];
    for name in names {
        std::fs::create_dir_all(work.join(name).parent().unwrap()).unwrap();
        std::fs::write(work.join(name), "").unwrap();
    }
    let at = |name: &str| work.join(name).display().to_string();
    let settings = json!({
        "files": {"roots": [work]},
        "server": {"http": {"tls_certificate": at("tls/cert.pem"), "tls_key": at("tls/key.pem")}},
        "auth": {"keys_file": at("keys.yaml")},
        "audit": {"output": at("audit.jsonl")},
        "logging": {"output": at("server.log")},
        "http": {"services": {"one": {"url": "https://example.com", "ca_file": at("tls/ca.pem")}}},
        "sources": {
            "platform": {"type": "sqlite", "path": at("platform.sqlite")},
            "telemetry": {"type": "embedded-clickhouse", "path": at("chdb")},
        },
    });
    std::fs::write(work.join(names[0]), settings.to_string()).unwrap();
    std::fs::write(work.join("mine"), "x").unwrap();
    let mut command = serve_command(data.path());
    command.args(["--toolsets", "files", "--config"]).arg(work.join(names[0]));
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    for name in names {
        for (tool, arguments) in tries(name) {
            let answer = client.call(tool, arguments.clone()).await.to_string();
            assert!(answer.contains("belongs to this server"), "{tool} {arguments}: {answer}");
        }
    }
    // Nor is anything planted where the next start looks for settings.
    let answer = client.call("write_file", json!({"path": "mine", "content": "y"})).await.to_string();
    assert!(answer.contains("Wrote 1 byte"), "{answer}");
}

/// What a process was started with stands in its folder: that of this server, of its threads, and of whoever started it.
#[tokio::test]
async fn folders_of_processes_are_closed() {
    for root in ["/", "/proc"] {
        let room = Room::owning(&[], |_, files| files.roots = vec![root.into()]);
        let (me, thread) = (std::process::id(), rustix::thread::gettid().as_raw_nonzero());
        let parent = std::os::unix::process::parent_id();
        for folder in [
            "/proc/self".to_owned(),
            "/proc/thread-self".to_owned(),
            format!("/proc/{me}"),
            format!("/proc/{thread}"),
            format!("/proc/self/task/{thread}"),
            format!("/proc/{parent}"),
        ] {
            for name in ["environ", "cmdline", "maps", "net/../environ"] {
                let path = format!("{folder}/{name}");
                let error = room.error("read_file", json!({ "path": path })).await;
                let closed = ["belongs to a process", "outside of the folders", "does not exist"];
                assert!(closed.iter().any(|why| error.contains(why)), "{path}: {error}");
            }
            for (tool, more) in [("list_directory", json!({})), ("search_files", json!({"content": "."}))] {
                let mut arguments = json!({ "path": folder });
                arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
                let error = room.error(tool, arguments).await;
                assert!(error.contains("belongs to a process"), "{tool} {folder}: {error}");
            }
        }
        let environ = format!("/proc/{me}/environ");
        assert!(room.error("read_file", json!({ "path": environ })).await.contains("belongs to a process"));
        // What the machine says of itself is a file like others.
        assert!(room.call("read_file", json!({"path": "/proc/version"})).await.unwrap().contains("Linux"));
    }
    let room = Room::owning(&[], |_, files| files.roots = vec!["/proc/self".into()]);
    assert!(room.error("read_file", json!({"path": "environ"})).await.contains("belongs to a process"));
}

/// A client, or whoever chose the working folder, opens none of the server's own folders: the settings alone do.
#[test]
fn a_client_opens_no_folder_of_the_server() {
    use tfo_mcp::{
        host::{
            ClientFolders,
            files::{Caller as Who, Files, Listing, Range, Write},
        },
        settings,
    };
    let room = tempfile::tempdir().unwrap();
    let root = room.path().canonicalize().unwrap();
    let data = root.join("D");
    std::fs::create_dir_all(data.join("clickhouse/deep")).unwrap();
    std::fs::create_dir_all(root.join("open")).unwrap();
    std::fs::write(data.join("clickhouse/users.xml"), "hunter2").unwrap();
    let own = vec![data.clone(), data.join("clickhouse")];
    let named = |roots: Vec<std::path::PathBuf>| settings::Files { roots, ..settings::Files::default() };
    let client = |path: std::path::PathBuf| ClientFolders { found: vec![path], refused: Vec::new() };
    for settings in [named(vec![root.clone()]), named(Vec::new())] {
        let files = Files::new(&settings, Who::Here, own.clone());
        for (folder, below) in
            [("D/clickhouse", "users.xml"), ("D", "clickhouse/users.xml"), ("D/clickhouse/deep", "f")]
        {
            let files = files.of_client(&client(root.join(folder)));
            let write = files.write(Write { path: below, content: "x", ..Write::default() }).unwrap_err();
            let listing = Listing { path: ".", recursive: true, hidden: true };
            let list = files.list(listing, &super::bounds()).unwrap_err();
            let read = files.read(below, None, Range::default(), &super::bounds()).unwrap_err();
            let errors = [write, list, read];
            let missing = |error: &&tfo_mcp::host::files::FileError| !error.message.contains("does not exist");
            for error in errors.iter().filter(missing) {
                assert!(error.message.contains("belongs to this server"), "{folder} {below}: {error:?}");
            }
        }
        let open = files.of_client(&client(root.join("open")));
        open.write(Write { path: "f", content: "x", ..Write::default() }).unwrap();
    }
    assert_eq!(std::fs::read_to_string(data.join("clickhouse/users.xml")).unwrap(), "hunter2");
    // Who opens it in the settings means it.
    let files = Files::new(&named(vec![data.join("clickhouse/deep")]), Who::Here, own);
    files.write(Write { path: "f", content: "x", ..Write::default() }).unwrap();
}

#[tokio::test]
async fn what_links_in_a_folder_of_the_server_lead_to_is_its_own_whether_it_is_there_or_not() {
    // As those have it who keep the settings of their programs in one folder.
    let room = Room::owning(&["conf", "conf/tfo-mcp.yaml"], |folder, _| {
        std::fs::create_dir_all(folder.join("conf/deep")).unwrap();
        std::fs::write(folder.join("root/trusted.json"), "hunter2").unwrap();
        std::os::unix::fs::symlink("../../root/trusted.json", folder.join("conf/deep/trusted.json")).unwrap();
        std::os::unix::fs::symlink("../root/cfg.yaml", folder.join("conf/tfo-mcp.yaml")).unwrap();
    });
    room.put("mine", "x");
    for path in ["trusted.json", "cfg.yaml"] {
        for (tool, arguments) in tries(path) {
            let error = room.error(tool, arguments.clone()).await;
            let is_missing = path == "cfg.yaml" && error.contains("does not exist");
            assert!(error.contains("belongs to this server") || is_missing, "{tool} {arguments}: {error}");
        }
    }
    assert!(room.text("trusted.json") == "hunter2" && !room.root().join("cfg.yaml").exists());
}

#[tokio::test]
async fn a_file_in_a_folder_of_the_server_is_its_own_by_a_further_name() {
    let room = Room::owning(&["data"], |folder, files| {
        files.hard_links = true;
        std::fs::create_dir_all(folder.join("data/parts")).unwrap();
        std::fs::write(folder.join("data/parts/1.bin"), "hunter2").unwrap();
        std::fs::hard_link(folder.join("data/parts/1.bin"), folder.join("root/part")).unwrap();
        std::fs::hard_link(folder.join("outside/secret.txt"), folder.join("root/other")).unwrap();
    });
    room.put("mine", "x");
    for (tool, arguments) in tries("part") {
        let error = room.error(tool, arguments.clone()).await;
        assert!(error.contains("belongs to this server"), "{tool} {arguments}: {error}");
    }
    room.call("read_file", json!({"path": "other"})).await.unwrap();
}

#[tokio::test]
async fn what_is_to_be_the_servers_is_not_made_with_the_folders_above_it() {
    let own = [
        "root/.home/.config/tfo-mcp",
        "root/.home/.config/tfo-mcp/tfo-mcp.yaml",
        "root/a/b/data",
        "root/t/trusted.json",
    ];
    let room = Room::owning(&own, |folder, _| {
        std::fs::create_dir_all(folder.join("root/.home")).unwrap();
        std::os::unix::fs::symlink("u/v/cfg.yaml", folder.join("root/link.yaml")).unwrap();
    });
    room.put("mine", "x");
    let before = contents(&room.root());
    for path in [
        ".home/.config/tfo-mcp/tfo-mcp.yaml",
        ".home/.config/tfo-mcp/other",
        ".home/.config/tfo-mcp",
        "a/b/data/tfo-mcp.yaml",
        "a/b/data/deep/er/x",
        "t/trusted.json",
        "t/trusted.json~",
    ] {
        let arguments = json!({"path": path, "content": "planted", "create_dirs": true});
        let error = room.error("write_file", arguments).await;
        assert!(error.contains("belongs to this server"), "{path}: {error}");
        if !path.ends_with('~') {
            room.error("create_directory", json!({ "path": path })).await;
        }
    }
    assert_eq!(contents(&room.root()), before);
    // What lies beside is made, and then the rest is known by the folder that was made.
    room.call("write_file", json!({"path": "a/b/other", "content": "x", "create_dirs": true})).await.unwrap();
    room.call("create_directory", json!({"path": ".home/.config/others"})).await.unwrap();
    for path in ["a/b/data/tfo-mcp.yaml", ".home/.config/tfo-mcp/tfo-mcp.yaml"] {
        let arguments = json!({"path": path, "content": "planted", "create_dirs": true});
        let error = room.error("write_file", arguments).await;
        assert!(error.contains("belongs to this server"), "{path}: {error}");
    }
}

/// Whoever may change the folder around a root may have put a link in its place, and the next start would open what it leads to.
#[tokio::test]
async fn a_root_to_which_a_link_in_an_open_folder_leads_is_not_opened() {
    let room = Room::owning(&[], |folder, files| {
        for (to, link) in [("../outside", "data"), ("../outside", "kept"), ("real", "inner"), ("../outside", "way")] {
            std::os::unix::fs::symlink(to, folder.join("root").join(link)).unwrap();
        }
        std::fs::create_dir_all(folder.join("root/real")).unwrap();
        std::fs::create_dir_all(folder.join("outside/deep")).unwrap();
        std::fs::write(folder.join("outside/deep/secret.txt"), super::SECRET).unwrap();
        files.roots.extend(["data", "inner", "way/deep"].map(|name| folder.join("root").join(name)));
        files.read_only_roots = vec![folder.join("root/kept")];
    });
    let root = room.root();
    for folder in
        [root.join("data"), root.join("kept"), root.join("way/deep"), room.outside(), room.outside().join("deep")]
    {
        let path = folder.join("secret.txt");
        let error = room.error("read_file", json!({ "path": path })).await;
        assert!(error.contains("leads out of a folder that is changed") || error.contains("outside of"), "{error}");
    }
    room.put("real/x", "still");
    assert_eq!(room.call("read_file", json!({"path": root.join("inner/x")})).await.unwrap(), "still");
}

#[test]
fn a_link_that_a_command_may_have_put_there_opens_nothing() {
    use tfo_mcp::{
        host::{
            ClientFolders,
            files::{Caller as Who, Files, Range},
        },
        settings,
    };
    let room = tempfile::tempdir().unwrap();
    let path = |name: &str| room.path().join(name);
    for folder in ["work", "outside"] {
        std::fs::create_dir(path(folder)).unwrap();
    }
    std::fs::write(path("outside/secret.txt"), super::SECRET).unwrap();
    std::os::unix::fs::symlink("../outside", path("work/data")).unwrap();
    let named = settings::Files { roots: vec![path("work/data")], ..settings::Files::default() };
    let read = |changed: &[std::path::PathBuf]| {
        let files = Files::beside(&named, Who::Here, Vec::new(), changed, &[]);
        files.read("secret.txt", None, Range::default(), &super::bounds()).map(|_| ())
    };
    assert!(read(&[]).is_ok());
    assert!(read(&[path("work")]).unwrap_err().message.contains("leads out of a folder that is changed"));
    let addresses = ["work", "work/data"].map(|name| format!("file://{}", path(name).display()));
    let client = ClientFolders::read(&addresses, &[]);
    assert_eq!(client.found, [path("work").canonicalize().unwrap()]);
    assert!(client.refused[0].contains("leads out of a folder that is changed"), "{client:?}");
    // What the client named before, and what somebody else said is changed.
    let files = Files::beside(&settings::Files::default(), Who::Here, Vec::new(), &[], &[]);
    let client = |name: &str| files.client(&[format!("file://{}", path(name).display())]);
    assert_eq!(client("work/data").found, [path("outside").canonicalize().unwrap()]);
    assert_eq!(client("work").found.len(), 1);
    for folders in [client("work/data"), ClientFolders::read(&addresses[1..], &[path("work")])] {
        assert!(folders.found.is_empty(), "{folders:?}");
        assert!(folders.refused[0].contains("leads out of a folder that is changed"), "{folders:?}");
    }
}

/// Inside of what is only read a root is open again; a link that leads there may have been turned to it by whoever changes what is
/// around the link.
#[tokio::test]
async fn a_root_to_which_a_link_leads_in_what_is_only_read_is_not_opened() {
    let room = Room::owning(&[], |folder, files| {
        let root = folder.join("root");
        std::fs::create_dir_all(root.join("kept/sub/deep")).unwrap();
        for (to, link) in [("kept/sub", "cur"), ("kept", "whole"), ("sub/deep", "kept/inner")] {
            std::os::unix::fs::symlink(to, root.join(link)).unwrap();
        }
        files.roots.extend([root.join("cur"), root.join("whole"), root.join("kept/inner")]);
        files.read_only_roots = vec![root.join("kept")];
    });
    for path in ["kept/sub/x", "kept/x", "cur/x", "whole/x", "whole/sub/x"] {
        for path in [path.to_owned(), room.root().join(path).display().to_string()] {
            let error = room.error("write_file", json!({"path": path, "content": "x"})).await;
            let why = ["may be read and not changed", "leads into one that is not"];
            assert!(why.iter().any(|why| error.contains(why)), "{path}: {error}");
        }
    }
    // A link in it is nobody's to turn.
    room.call("write_file", json!({"path": "kept/sub/deep/x", "content": "x"})).await.unwrap();
}

/// What a link, or a folder that a path leaves again, leads to is kept from commands by the name of the link.
#[test]
fn what_names_a_folder_that_commands_keep_is_not_moved() {
    use tfo_mcp::{
        host::files::{Caller as Who, Files, Move, Write},
        settings,
    };
    let room = tempfile::tempdir().unwrap();
    let root = room.path().canonicalize().unwrap();
    for folder in ["rel1", "rel2", "a", "d"] {
        std::fs::create_dir(root.join(folder)).unwrap();
    }
    for (to, link) in [("../mid", "a/cur"), ("d/../rel1", "mid"), ("rel2", "other")] {
        std::os::unix::fs::symlink(to, root.join(link)).unwrap();
    }
    let named = settings::Files { roots: vec![root.clone()], ..settings::Files::default() };
    let files = Files::beside(&named, Who::Here, Vec::new(), &[], &[root.join("a/cur")]);
    for path in ["a/cur", "a", "mid", "d", "rel1"] {
        for (path, destination) in [(path, "taken"), ("other", path)] {
            let moved = files.rename(Move { path, destination, overwrite: true }).unwrap_err();
            assert!(moved.message.contains("stays as it is"), "{path} to {destination}: {moved:?}");
        }
    }
    files.write(Write { path: "rel1/x", content: "x", ..Write::default() }).unwrap();
    files.rename(Move { path: "other", destination: "taken", overwrite: false }).unwrap();
}
