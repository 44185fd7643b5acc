//! Bounds that a hostile reader came past: memory that no look saw, a daemon whose first thread had ended, folders that were not there,
//! the server's own program, and processes that servers live by.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use tfo_mcp::{
    definition::{ByteSize, Period},
    settings,
};

use super::{Room, landlock, mark};
use crate::support::{
    client::{Client, serve_command},
    eventually::eventually,
};

const PYTHON: &str = "/usr/bin/python3";

async fn python(room: &Room, text: &str) -> String {
    let arguments = json!({"command": PYTHON, "args": ["-c", text]});
    room.answer("execute_command", arguments).await.map_or_else(|error| error, |answer| answer.text())
}

/// Ends the first thread of a program of Python, whose others go on with `goes_on`.
fn without_its_first_thread(goes_on: &str) -> String {
    format!(
        "import ctypes, mmap, os, threading, time\nc = ctypes.CDLL(None)\ndef goes_on():\n    time.sleep(0.2)\n    {goes_on}\n\
         threading.Thread(target=goes_on).start()\nc.syscall({}, 0)\n",
        nix::libc::SYS_exit
    )
}

const FILLS: &str = "for at in range(0, 300 << 20, 4096): m[at] = 1\n    time.sleep(20)";

#[tokio::test]
async fn memory_of_a_process_whose_first_thread_has_ended_is_counted() {
    let room = Room::with(|commands| commands.max_memory = ByteSize(64 << 20));
    for (kind, flags) in
        [("its own", "mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS"), ("shared", "mmap.MAP_SHARED | mmap.MAP_ANONYMOUS")]
    {
        let text = without_its_first_thread(&format!("m = mmap.mmap(-1, 300 << 20, {flags})\n    {FILLS}"));
        let said = python(&room, &text).await;
        assert!(said.contains("it held more memory than it may"), "{kind}: {said}");
    }
}

/// A process that does not let itself be read, which for a keeper of an ordinary account hides what it maps and has open.
#[tokio::test]
async fn memory_of_a_process_that_cannot_be_read_is_counted() {
    let room = Room::with(|commands| commands.max_memory = ByteSize(96 << 20));
    let hides = "import ctypes, mmap, socket, time\nctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n";
    let fills = "m = mmap.mmap(-1, 300 << 20)\nfor at in range(0, 300 << 20, 4096): m[at] = 1\ntime.sleep(20)";
    let said = python(&room, &format!("{hides}{fills}")).await;
    assert!(said.contains("it held more memory than it may"), "{said}");
    let said = python(&room, &format!("{hides}time.sleep(0.3); print('fine')")).await;
    assert!(said.contains("\nfine"), "{said}");
}

/// What the kernel holds for whoever asks, and no list of a process shows.
#[tokio::test]
async fn what_holds_memory_that_is_not_counted_is_refused() {
    let room = Room::new();
    let text = "import ctypes, fcntl, os, socket
c = ctypes.CDLL(None, use_errno=True)
def call(what, *arguments):
    ctypes.set_errno(0); print(what, c.syscall(*arguments), ctypes.get_errno())
def told(what, do):
    try: do(); print(what, 'done')
    except OSError as error: print(what, error.errno)
for number in (444, 445, 446): call('landlock', number, 0, 0, 0, 0)
call('watch', INOTIFY, 0)
call('thread', CLONE, 0x10f00 & ~0x400, 0, 0, 0, 0)
a, b = socket.socketpair()
told('more in a socket', lambda: a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20))
told('by force', lambda: a.setsockopt(socket.SOL_SOCKET, 32, 4 << 20))
told('asked', lambda: a.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))
told('more in a pipe', lambda: fcntl.fcntl(os.pipe()[0], 1031, 1 << 20))
";
    let text = text.replace("INOTIFY", &nix::libc::SYS_inotify_init1.to_string());
    let text = text.replace("CLONE", &nix::libc::SYS_clone.to_string());
    let said = python(&room, &text).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.iter().filter(|line| **line == "landlock -1 38").count(), 3, "{said}");
    for line in ["watch -1 38", "thread -1 1", "more in a socket 1", "by force 1", "asked done", "more in a pipe 1"] {
        assert!(lines.contains(&line), "{line}: {said}");
    }
}

/// It leaves its session, its parents and its environment, ends its first thread, and loses its keeper.
#[tokio::test]
async fn a_daemon_whose_first_thread_has_ended_is_ended_when_the_keeper_is_killed() {
    let room = Room::new();
    let beats = without_its_first_thread(
        "[(open('beat', 'w').write(str(os.getpid())), time.sleep(0.02)) for _ in range(3000)]",
    );
    room.put("beats.py", beats);
    let script = format!(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.setsid()\n        \
         os.execve('{PYTHON}', ['python3', 'beats.py'], {{}})\n    os._exit(0)\ntime.sleep({})",
        mark()
    );
    room.put("away.py", script);
    let arguments = json!({"command": PYTHON, "args": ["away.py"], "background": true});
    room.call("execute_command", arguments).await.unwrap();
    let stat = |pid: i32| fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let words = |pid: i32| {
        stat(pid).rsplit_once(')').map(|(_, rest)| rest.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    };
    let pid: i32 = eventually("it goes on without its first thread", async || {
        let pid = fs::read_to_string(room.root().join("beat")).ok()?.parse().ok()?;
        (words(pid)?[0] == "Z").then_some(pid)
    })
    .await;
    let keeper: i32 = eventually("its keeper has taken it in", async || {
        let parent: i32 = words(pid)?[1].parse().ok()?;
        let line = fs::read(format!("/proc/{parent}/cmdline")).ok()?;
        line.ends_with(b"internal-command\0").then_some(parent)
    })
    .await;
    rustix::process::kill_process(Pid::from_raw(keeper).unwrap(), Signal::KILL).unwrap();
    let is_gone = async || words(pid).is_none_or(|words| words[17] == "0" || words[17] == "1");
    eventually("all its threads are gone", is_gone).await;
}

/// A folder that is named as read-only and is not there: whoever makes it would decide what is in it.
#[tokio::test]
async fn a_read_only_folder_that_is_not_there_is_not_made_by_a_command() {
    let of_files = Room::beside(|room| {
        let root = room.join("root");
        settings::Files { read_only_roots: vec![root.join("packs")], roots: vec![root], ..settings::Files::default() }
    });
    let of_commands = Room::with(|commands| commands.read_only_roots = vec![commands.roots[0].join("packs")]);
    for (room, setting) in [(of_files, "files.read_only_roots"), (of_commands, "commands.read_only_roots")] {
        let error = room.error("execute_command", json!({"command": "mkdir packs"})).await;
        assert!(error.contains("packs` is read-only") && error.contains("is not there"), "{error}");
        assert!(error.contains(setting) && error.contains("restarts this server"), "{error}");
        assert!(!room.root().join("packs").exists());
    }
    // One that lies elsewhere stands in nobody's way.
    let room = Room::with(|commands| commands.read_only_roots = vec!["/no-such-folder-4711".into()]);
    room.call("execute_command", json!({"command": "true"})).await.unwrap();
}

/// A program of the server's own in a folder of the folder `work`, and its size.
fn installed(data: &Path, bin: &str) -> (PathBuf, u64) {
    let bin = data.join("work").join(bin);
    fs::create_dir_all(&bin).unwrap();
    let program = bin.join("tfo-mcp");
    if fs::hard_link(super::keeper(), &program).is_err() {
        fs::copy(super::keeper(), &program).unwrap();
    }
    let size = fs::metadata(&program).unwrap().len();
    (program, size)
}

/// A server in the folder `work` that is started by this name.
async fn started_by(name: impl AsRef<OsStr>, data: &Path, path: Option<&Path>) -> Client {
    let mut command = tokio::process::Command::new(name);
    let given = serve_command(data);
    let given = given.as_std();
    command.args(given.get_args()).current_dir(data.join("work")).args(["--toolsets", "system,files"]);
    command.envs(given.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("TELEMETRYFLOW_MCP_COMMANDS__UNCONFINED", "true");
    if let Some(path) = path {
        command.env("PATH", format!("{}:{}", path.display(), std::env::var("PATH").unwrap()));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    client
}

/// A server that is installed in the very folder that is open.
#[tokio::test]
async fn the_program_of_the_server_stays_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let (program, size) = installed(data.path(), "node_modules/.bin");
    let mut client = started_by(&program, data.path(), None).await;
    let text = "cd node_modules/.bin; mv tfo-mcp old; rm -f tfo-mcp; echo evil > tfo-mcp; cd ..; mv .bin b; mv ../node_modules ../n; echo x > ../y; echo ran";
    let answer = client.call("execute_command", json!({"command": "sh", "args": ["-c", text]})).await;
    let said = answer["content"][0]["text"].as_str().unwrap();
    // Who has not the right to mount runs nothing.
    assert!(said.contains("\nran") || said.contains("is read-only and lies inside"), "{said}");
    let arguments = json!({"path": "node_modules/.bin/tfo-mcp", "content": "evil"});
    let answer = client.call("write_file", arguments).await;
    assert_eq!(answer["isError"], Value::Bool(true), "{answer}");
    assert_eq!(fs::metadata(&program).unwrap().len(), size);
}

/// As environments of Python, packages of Node, and builds of Nix put it there.
#[tokio::test]
async fn a_link_by_which_the_server_is_started_stays_as_it_is() {
    for by_path in [false, true] {
        let data = tempfile::tempdir().unwrap();
        let (program, size) = installed(data.path(), "lib/deep");
        let work = data.path().join("work");
        fs::create_dir_all(work.join("env")).unwrap();
        symlink("../result/tfo-mcp", work.join("env/tfo-mcp")).unwrap();
        symlink("lib/deep", work.join("result")).unwrap();
        let link = work.join("env/tfo-mcp");
        let mut client = match by_path {
            true => started_by("tfo-mcp", data.path(), Some(&work.join("env"))).await,
            false => started_by(&link, data.path(), None).await,
        };
        let text = "mv env/tfo-mcp env/old; rm -f env/tfo-mcp; ln -sf /bin/true env/tfo-mcp; echo evil > env/tfo-mcp; mv env e2; \
                    mv result r2; rm result; mv lib l2; touch env/other; echo ran";
        let answer = client.call("execute_command", json!({"command": "sh", "args": ["-c", text]})).await;
        let said = answer["content"][0]["text"].as_str().unwrap();
        // Who has not the right to mount runs nothing.
        match said.contains("\nran") {
            true => assert!(work.join("env/other").exists(), "{said}"),
            false => assert!(said.contains("lies inside of what commands may change"), "{said}"),
        }
        for (tool, arguments) in [
            ("move_file", json!({"path": "env/tfo-mcp", "destination": "taken"})),
            ("move_file", json!({"path": "env", "destination": "taken"})),
            ("move_file", json!({"path": "result", "destination": "taken"})),
            ("write_file", json!({"path": "env/tfo-mcp", "content": "evil"})),
        ] {
            let answer = client.call(tool, arguments).await;
            assert_eq!(answer["isError"], Value::Bool(true), "{answer}");
        }
        assert!(link.is_symlink() && link.canonicalize().unwrap() == program.canonicalize().unwrap(), "{said}");
        assert_eq!(fs::metadata(&link).unwrap().len(), size);
    }
}

/// A file in a folder of `PATH` before that of the program would be started in its place.
#[tokio::test]
async fn nothing_takes_the_place_of_the_program_in_path() {
    // Folders before it, whether they are there, and whether the program is started by its name alone.
    for (before, is_there, by_name) in [
        ("tools/bin", true, true),
        ("tools/bin", false, true),
        ("", true, true),
        ("leads", true, true),
        ("tools/bin", true, false),
    ] {
        let data = tempfile::tempdir().unwrap();
        let (program, _) = installed(data.path(), "../bin");
        let work = data.path().join("work");
        if is_there {
            fs::create_dir_all(work.join("tools/bin")).unwrap();
            symlink("tools/bin", work.join("leads")).unwrap();
        }
        fs::write(work.join("mine"), "x").unwrap();
        let path = format!("{}:{}", work.join(before).display(), program.parent().unwrap().display());
        let name = if by_name { Path::new("tfo-mcp") } else { &program };
        let mut client = started_by(name, data.path(), Some(Path::new(&path))).await;
        let text = format!(
            "mkdir -p tools/bin; cp /bin/true ./{before}/tfo-mcp; mv leads led; mv tools t2 && mkdir -p tools/bin && cp /bin/true \
             ./{before}/tfo-mcp; touch other; echo ran"
        );
        let answer = client.call("execute_command", json!({"command": "sh", "args": ["-c", text]})).await;
        let said = answer["content"][0]["text"].as_str().unwrap();
        match said.contains("\nran") {
            true => assert!(is_there && !before.is_empty() && work.join("other").exists(), "{before}: {said}"),
            false => assert!(said.contains("by the path of its program"), "{before}: {said}"),
        }
        let planted = work.join(before).join("tfo-mcp");
        assert_eq!(planted.exists(), !by_name, "{before}: {said}");
        let file = planted.strip_prefix(&work).unwrap().to_owned();
        let mut tries = vec![
            ("write_file", json!({"path": file, "content": "evil", "create_dirs": true})),
            ("move_file", json!({"path": "mine", "destination": file})),
            ("move_file", json!({"path": "leads", "destination": "taken"})),
        ];
        tries.truncate(if before == "leads" { 3 } else { 2 });
        for (tool, arguments) in tries.into_iter().filter(|_| by_name) {
            let answer = client.call(tool, arguments).await;
            assert_eq!(answer["isError"], Value::Bool(true), "{before}: {answer}");
        }
        assert_eq!(planted.exists(), !by_name, "{before}");
    }
}

/// A server that is started below the folder of its commands, and opens the folder in which it is started.
#[tokio::test]
async fn the_working_folder_of_a_server_keeps_its_name() {
    for relative in [false, true] {
        let data = tempfile::tempdir().unwrap();
        let work = data.path().join("work");
        fs::create_dir_all(work.join("deep/sub")).unwrap();
        fs::create_dir(data.path().join("outside")).unwrap();
        let settings = json!({"commands": {"roots": [work], "unconfined": true}});
        fs::write(data.path().join("settings.yaml"), settings.to_string()).unwrap();
        let mut command = serve_command(data.path());
        command.current_dir(work.join("deep/sub")).args(["--toolsets", "system,files", "--config"]);
        command.arg(data.path().join("settings.yaml"));
        if relative {
            command.env("TELEMETRYFLOW_MCP_FILES__ROOTS", ".");
        }
        let mut client = Client::spawn(command);
        client.initialize("2025-11-25").await;
        let text = "mv deep/sub old && ln -s ../../outside deep/sub; mv deep d2; touch deep/sub/new; echo ran";
        let answer = client.call("execute_command", json!({"command": "sh", "args": ["-c", text]})).await;
        let said = answer["content"][0]["text"].as_str().unwrap();
        match said.contains("\nran") {
            true => assert!(work.join("deep/sub/new").exists(), "{said}"),
            false => assert!(said.contains("lies inside of what commands may change"), "{said}"),
        }
        assert!(work.join("deep/sub").is_dir() && !work.join("deep/sub").is_symlink(), "{said}");
    }
}

/// What a server lives by is named by its first argument, whichever server it is.
#[tokio::test]
async fn the_database_of_a_server_is_not_ended() {
    let room = Room::new();
    fs::write(room.root().join("internal-clickhouse"), "read line\n").unwrap();
    // As `ps` shows it: the name of the program, and its arguments.
    let mut child = Command::new("bash")
        .args(["-c", "exec -a tfo-mcp sh internal-clickhouse"])
        .current_dir(room.root())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let line = format!("/proc/{}/cmdline", child.id());
    eventually("it has its name", async || {
        fs::read(&line).is_ok_and(|line| line.starts_with(b"tfo-mcp\0internal-clickhouse\0"))
    })
    .await;
    let error = room.error("kill_process", json!({"pid": child.id()})).await;
    assert!(error.contains("a server of this kind lives by it"), "{error}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_folder_inside_of_another_one_shuts_nobody_out_when_it_is_moved() {
    let room = Room::with(|commands| {
        let inside = commands.roots[0].join("B");
        fs::create_dir(&inside).unwrap();
        commands.roots.push(inside);
    });
    room.shell("mv B C && ln -s / B").await;
    let said = room.call("execute_command", json!({"command": "echo", "args": ["still"]})).await.unwrap();
    assert!(said.contains("\nstill"), "{said}");
    let said = room.shell("cat B/etc/shadow ../outside/secret.txt; rm -f B; mv C B").await;
    assert!(landlock().is_none() || !said.contains(super::SECRET) && !said.contains("root:"), "{said}");
}

#[tokio::test]
async fn who_is_ended_earlier_than_asked_is_told_by_which_setting() {
    let room = Room::with(|commands| {
        commands.timeout = Period::from_secs(1);
        commands.background_timeout = Period::from_secs(2);
    });
    for arguments in [json!({"command": "sleep 30", "timeout": 86400}), json!({"command": "sleep 30"})] {
        let said = room.answer("execute_command", arguments).await.unwrap().text();
        assert!(said.contains("which was its time (1.0 s, the most by `commands.timeout`)"), "{said}");
    }
    let said = room.answer("execute_command", json!({"command": "sleep 30", "timeout": 0.3})).await.unwrap().text();
    assert!(said.contains("which was its time (300 ms)"), "{said}");
    let said =
        room.call("execute_command", json!({"command": "sleep 30", "timeout": 60, "background": true})).await.unwrap();
    assert!(said.contains("ended after 2.0 s, the most by `commands.background_timeout`"), "{said}");
    let said =
        room.call("execute_command", json!({"command": "sleep 1", "timeout": 1, "background": true})).await.unwrap();
    assert!(!said.contains("the most by"), "{said}");
    room.engine.close().await;
}

#[tokio::test]
async fn what_a_carriage_return_writes_over_is_said_to_be_left_out() {
    let room = Room::new();
    let said = room.shell("printf 'ERROR disk full\\r     ok\\n50%%\\r100%%\\r\\nplain\\r\\n'").await;
    assert!(
        said.contains("\n     ok\n100%\nplain") && said.contains("2 lines had text before a carriage return"),
        "{said}"
    );
    let said = room.shell("printf 'plain\\r\\nother\\n'").await;
    assert!(!said.contains("carriage return"), "{said}");
}
