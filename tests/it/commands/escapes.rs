//! Ways out of the folders by what changes between two commands, or by what the kernel keeps for all: each was found by a hostile
//! reader once, and stands here with its kind.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::{fs::symlink, net::UnixDatagram},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use serde_json::json;
use tfo_mcp::{definition::ByteSize, settings};

use super::{Room, SECRET, keeper, landlock};
use crate::support::client::{Client, serve_command};

const PYTHON: &str = "/usr/bin/python3";

async fn python(room: &Room, text: &str) -> String {
    let arguments = json!({"command": PYTHON, "args": ["-c", text]});
    room.answer("execute_command", arguments).await.map_or_else(|error| error, |answer| answer.text())
}

/// A server whose folder of temporary files is the open folder itself.
#[tokio::test]
async fn a_command_is_at_home_where_no_command_comes_to() {
    let data = tempfile::tempdir().unwrap();
    let work = data.path().join("work");
    fs::create_dir(&work).unwrap();
    let mut command = serve_command(data.path());
    command.current_dir(&work).args(["--toolsets", "system"]).env("TMPDIR", &work);
    command.env("TELEMETRYFLOW_MCP_COMMANDS__UNCONFINED", "true");
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    let text = "echo at=$HOME=; ls -a; echo x > $HOME/x && echo mine";
    let answer = client.call("execute_command", json!({"command": "sh", "args": ["-c", text]})).await;
    let text = answer["content"][0]["text"].as_str().unwrap();
    let home = text.split("at=").nth(1).and_then(|rest| rest.split('=').next()).unwrap_or_else(|| panic!("{text}"));
    assert!(home.starts_with('/') && !Path::new(home).starts_with(&work), "{text}");
    assert!(text.contains("\nmine") && text.matches("tfo-mcp-").count() == 1, "{text}");
}

/// Even where it is not so, whoever puts a link in the place of a command's folder opens nothing by it.
#[test]
fn a_link_in_the_place_of_the_folder_of_a_command_opens_nothing() {
    if landlock().is_none() {
        return;
    }
    let room = tempfile::tempdir().unwrap();
    let (work, outside) = (room.path().join("work"), room.path().join("outside"));
    fs::create_dir(&work).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret.txt"), SECRET).unwrap();
    let system = ["/bin", "/lib", "/lib64", "/usr"].map(|path| Path::new(path).canonicalize().ok());
    // Of what stands in the settings of this machine and its folders, too.
    for name in ["system", "public"] {
        symlink(&outside, work.join(name)).unwrap();
    }
    let system: Vec<_> = system.into_iter().flatten().chain([work.join("system")]).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // What a command in the background would do in its folder.
        scope.spawn(|| {
            while !done.load(Relaxed) {
                for entry in fs::read_dir(&work).unwrap().flatten() {
                    let path = entry.path();
                    if path.file_name().unwrap().to_string_lossy().starts_with("own-") && !path.is_symlink() {
                        let _ = fs::rename(&path, path.with_extension("gone"));
                        let _ = symlink("/", &path);
                    }
                }
            }
        });
        for round in 0..12 {
            let text = format!("cat {0}/secret.txt; echo evil >> {0}/secret.txt; echo ran", outside.display());
            let spec = json!({
                "program": "/bin/sh", "name": "sh", "arguments": ["-c", text], "folder": work, "environment": [],
                "own": work.join(format!("own-{round}")), "writable": [work], "readable": [], "kept": [], "system": system,
                "public": [work.join("public")], "account": null, "network": false, "unconfined": false, "timeout": 5000, "max_processes": 8,
                "max_memory": 1 << 30, "max_file": 1 << 20,
            });
            let mut child = Command::new(keeper());
            child.arg("internal-command").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut child = child.spawn().unwrap();
            let mut input = child.stdin.take().unwrap();
            writeln!(input, "{spec}").unwrap();
            let mut said = String::new();
            child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
            child.wait().unwrap();
            assert!(!said.contains(SECRET), "{round}: {said}");
        }
        done.store(true, Relaxed);
    });
    assert_eq!(fs::read_to_string(outside.join("secret.txt")).unwrap(), SECRET);
}

#[tokio::test]
async fn a_read_only_folder_that_becomes_a_link_opens_nothing() {
    let settings = |commands: &mut settings::Commands| {
        let tools = commands.roots[0].join("tools");
        fs::create_dir(&tools).unwrap();
        commands.read_only_roots = vec![tools];
    };
    let room = Room::with(settings);
    let (first, second) =
        ("mv tools t2 && ln -s / tools; echo x > tools/x", "cat ../outside/secret.txt; head -c 40 /etc/shadow");
    for text in [first, second] {
        let arguments = json!({"command": "sh", "args": ["-c", text]});
        let said = room.call("execute_command", arguments).await.unwrap_or_else(|error| error);
        assert!(!said.contains(SECRET) && !said.contains("root:"), "{said}");
    }
    assert!(!room.root().join("tools").is_symlink() && !room.root().join("tools/x").exists());
    // Somebody else did it, such as an editor; and the same with a folder beside, and with one to be changed.
    let beside = tempfile::tempdir().unwrap();
    for (name, is_root) in [("tools", false), ("read", false), ("other", true)] {
        let path = beside.path().canonicalize().unwrap().join(name);
        fs::create_dir(&path).unwrap();
        let room = Room::with(|commands| match is_root {
            true => commands.roots.push(path.clone()),
            false => commands.read_only_roots = vec![path.clone()],
        });
        fs::remove_dir(&path).unwrap();
        symlink(room.outside(), &path).unwrap();
        let arguments = json!({"command": "cat", "args": [path.join("secret.txt")]});
        let said = room.call("execute_command", arguments).await.unwrap_or_else(|error| error);
        assert!(landlock().is_none() || said.contains("has become a link"), "{said}");
        assert!(!said.contains(SECRET), "{said}");
    }
}

/// A command put a link in the place of a root that lies in another one, and the server was started again.
#[tokio::test]
async fn a_root_to_which_a_link_in_an_open_folder_leads_is_not_opened() {
    let secret = |room: &Room| json!({"command": "cat", "args": [room.outside().join("secret.txt")]});
    let link = |root: &Path| symlink("../outside", root.join("data")).unwrap();
    for read_only in [false, true] {
        let room = Room::with(|commands| {
            link(&commands.roots[0]);
            let data = commands.roots[0].join("data");
            if read_only { &mut commands.read_only_roots } else { &mut commands.roots }.push(data);
        });
        let said = room.call("execute_command", secret(&room)).await.unwrap_or_else(|error| error);
        assert!(landlock().is_none() || !said.contains(SECRET), "{said}");
    }
    // A folder that file tools change.
    let only = |commands: &mut settings::Commands| {
        link(&commands.roots[0]);
        commands.roots = vec![commands.roots[0].join("data")];
    };
    let files = |room: &Path| settings::Files { roots: vec![room.join("root")], ..settings::Files::default() };
    let room = Room::made(&[], only, |commands, folder| commands.beside(&files(folder)).kept_by(keeper()));
    let said = room.error("execute_command", secret(&room)).await;
    assert!(said.contains("leads out of a folder that is changed"), "{said}");
}

/// Settings with a folder that is read-only, for commands or for files, by one of its names.
async fn named_by(name: &str, of_files: bool, text: &str) -> (Room, String) {
    let kept = |root: &Path| vec![root.join(name)];
    let change = |commands: &mut settings::Commands| {
        let root = commands.roots[0].clone();
        for folder in ["rel1", "rel2", "a", "d", "kept/sub"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for (to, link) in
            [("rel1", "cur"), ("rel1", "mid"), ("../mid", "a/chain"), ("d/../rel1", "back"), ("kept/sub", "into")]
        {
            symlink(to, root.join(link)).unwrap();
        }
        fs::write(root.join("rel1/x"), "as it was\n").unwrap();
        if name == "kept" {
            commands.roots.push(root.join("into"));
        }
        commands.read_only_roots = if of_files { Vec::new() } else { kept(&root) };
    };
    let files = |room: &Path| {
        let root = room.join("root");
        let read_only_roots = if of_files { kept(&root) } else { Vec::new() };
        settings::Files { read_only_roots, roots: vec![root], ..settings::Files::default() }
    };
    let room = Room::made(&[], change, |commands, folder| commands.beside(&files(folder)).kept_by(keeper()));
    let arguments = json!({"command": "sh", "args": ["-c", text]});
    let said = room.call("execute_command", arguments).await.unwrap_or_else(|error| error);
    (room, said)
}

/// A command turned the link by which a read-only folder is named, and the server was started again.
#[tokio::test]
async fn a_link_that_names_what_is_read_only_stays_as_it_is() {
    for (name, turned) in [("cur", "cur"), ("a/chain", "a/chain"), ("a/chain", "mid"), ("a/chain", "a"), ("back", "d")]
    {
        for of_files in [false, true] {
            let text = format!("mv {turned} old; rm -rf {turned}; ln -sfn rel2 {turned}; touch made; echo ran");
            let (room, said) = named_by(name, of_files, &text).await;
            match said.contains("\nran") {
                true => assert!(room.root().join("made").exists(), "{said}"),
                // Who has not the right to mount runs nothing.
                false => assert!(said.contains("lies inside"), "{said}"),
            }
            let leads = room.root().join(name).canonicalize().unwrap();
            assert_eq!(leads, room.root().join("rel1").canonicalize().unwrap(), "{name}, {turned}: {said}");
            assert!(!room.root().join("d").is_symlink() && !room.root().join("a").is_symlink(), "{turned}: {said}");
            // Somebody else turned it.
            if turned == name {
                fs::rename(room.root().join(name), room.root().join("aside")).unwrap();
                symlink("/", room.root().join(name)).unwrap();
                let error = room.error("execute_command", json!({"command": "true"})).await;
                assert!(error.contains("is not the one that it was"), "{error}");
            }
        }
    }
}

/// A command turned the link by which one of its folders is named to what it may not change, and the server was started again.
#[tokio::test]
async fn a_root_to_which_a_link_leads_in_what_is_read_only_is_not_opened() {
    for of_files in [false, true] {
        let (room, said) = named_by("kept", of_files, "echo x > kept/sub/x; echo x > into/y; echo ran").await;
        assert!(said.contains("\nran") || said.contains("lies inside"), "{said}");
        assert_eq!(fs::read_dir(room.root().join("kept/sub")).unwrap().count(), 0, "{said}");
    }
}

/// Settings of files that keep a folder of the room as it is.
fn keeping(room: &Path, kept: &str) -> settings::Files {
    let root = room.join("root");
    fs::create_dir_all(root.join(kept)).unwrap();
    fs::write(root.join(kept).join("x"), "as it was\n").unwrap();
    settings::Files { read_only_roots: vec![root.join(kept)], roots: vec![root], ..settings::Files::default() }
}

#[tokio::test]
async fn what_files_may_not_change_no_command_changes() {
    for kept in ["packs", "a/b/packs"] {
        let room = Room::beside(|path| keeping(path, kept));
        let top = kept.split('/').next().unwrap();
        let text = format!(
            "echo y > {kept}/x; mv {kept} p2; mv {top} t2; rm -rf {kept}; chmod 777 {kept}/x; mkdir -p {kept}; echo y > {kept}/x; \
             touch work && mkdir -p {top}-2 && cat {kept}/x"
        );
        let arguments = json!({"command": "sh", "args": ["-c", text]});
        match room.call("execute_command", arguments).await {
            Ok(said) => assert!(said.starts_with("exit code 0") && said.contains("\nas it was\n"), "{said}"),
            // Who has not the right to mount runs nothing.
            Err(error) => {
                assert!(error.contains("is read-only and lies inside") && error.contains("commands.roots"), "{error}")
            }
        }
        assert_eq!(fs::read_to_string(room.root().join(kept).join("x")).unwrap(), "as it was\n");
        // In its place stands another one.
        fs::rename(room.root().join(kept), room.root().join("moved")).unwrap();
        fs::create_dir(room.root().join(kept)).unwrap();
        let error = room.error("execute_command", json!({"command": "true"})).await;
        assert!(error.contains("is not the one that it was"), "{error}");
    }
    // A folder of commands that lies in one, or is one.
    for (kept, runs) in [(".", false), ("..", false), ("../outside", true)] {
        let room = Room::beside(|path| settings::Files { roots: vec![path.join("outside")], ..keeping(path, kept) });
        match room.call("execute_command", json!({"command": "true"})).await {
            Ok(said) => assert!(runs, "{kept}: {said}"),
            Err(error) => assert!(!runs && error.contains("is read-only (`files.read_only_roots`)"), "{kept}: {error}"),
        }
    }
    // Inside of it files are open again.
    let room = Room::beside(|path| settings::Files { roots: vec![path.join("root")], ..keeping(path, "..") });
    room.call("execute_command", json!({"command": "true"})).await.unwrap();
}

/// Sockets that come in pairs reach each other and nobody else.
#[tokio::test]
async fn no_pair_of_sockets_reaches_another_program() {
    for network in [false, true] {
        let room = Room::with(|commands| commands.network = network);
        let service = UnixDatagram::bind(room.outside().join("ctl")).unwrap();
        service.set_nonblocking(true).unwrap();
        let text = format!(
            "import os, socket, ctypes\nfor kind in (1, 2, 3, 4, 5, 2 | socket.SOCK_CLOEXEC):\n    try:\n        \
             a, b = socket.socketpair(socket.AF_UNIX, kind)\n    except OSError as error:\n        print(kind, error.errno)\n        continue\n    \
             a.send(b'x'); print(kind, b.recv(1))\n    for way in ('sendto', 'connect', 'fd'):\n        try:\n            \
             if way == 'sendto': a.sendto(b'x', '{0}')\n            elif way == 'connect': a.connect('{0}'); a.send(b'x')\n            \
             else: a.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, b'\\1\\0\\0\\0')], 0, '{0}')\n            \
             print(way, 'done')\n        except OSError as error:\n            print(way, error.errno)\n\
             try: print('netlink', socket.socket(16, 3, 2))\nexcept OSError as error: print('netlink', error.errno)\n",
            room.outside().join("ctl").display()
        );
        let said = python(&room, &text).await;
        assert!(said.contains("\n1 b'x'") && said.contains("\n5 b'x'") && said.contains("\n2 1\n3 1\n"), "{said}");
        // A pair of the second kind does not look at the name, and sends to its other end.
        let (stream, _) = said.split_once("\n5 ").unwrap();
        assert!(!stream.contains("done") && !said.contains("connect done") && said.contains("\nnetlink 1"), "{said}");
        assert!(service.recv(&mut [0; 8]).is_err(), "{said}");
    }
}

/// What the kernel keeps for all: leases make others wait, contexts of asynchronous reads and pages in pipes are counted to nobody.
#[tokio::test]
async fn nothing_of_the_machine_is_taken_that_others_need() {
    let room = Room::new();
    let text = "import ctypes, fcntl, os\nc = ctypes.CDLL(None, use_errno=True)\n\
                def told(what, do):\n    try: do(); print(what, 'done')\n    except OSError as error: print(what, error.errno)\n\
                file = os.open('/etc/services' if os.path.exists('/etc/services') else '/etc/passwd', os.O_RDONLY)\n\
                told('lease', lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK))\n\
                told('shared', lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK))\n\
                told('news', lambda: fcntl.fcntl(os.open('.', os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_CREATE))\n\
                told('flags', lambda: fcntl.fcntl(file, fcntl.F_GETFL))\n\
                told('locked', lambda: fcntl.lockf(os.open('own', os.O_CREAT | os.O_RDWR), fcntl.LOCK_EX))\n\
                def call(what, *arguments):\n    ctypes.set_errno(0); print(what, c.syscall(*arguments), ctypes.get_errno())\n\
                call('io_setup', 206, 1, ctypes.byref(ctypes.c_ulong(0)))\ncall('vmsplice', 278, 1, 0, 0, 0)\n";
    let said = python(&room, text).await;
    for line in ["lease 1", "shared 1", "news 1", "flags done", "locked done"] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    if cfg!(target_arch = "x86_64") {
        assert!(said.contains("io_setup -1 38") && said.contains("vmsplice -1 38"), "{said}");
    }
}

#[tokio::test]
async fn memory_of_the_kernel_is_counted() {
    let room = Room::with(|commands| commands.max_memory = ByteSize(64 << 20));
    for (kind, text) in [
        (
            "sockets",
            "import socket, time\nheld = []\nfor _ in range(450):\n    a, b = socket.socketpair()\n    held.append((a, b))\n    \
             for end in (a, b):\n        end.setblocking(False)\n        try:\n            \
             while True: end.send(bytes(65536))\n        except OSError: pass\ntime.sleep(20)",
        ),
        (
            "tables",
            "import mmap, time\nheld = [mmap.mmap(-1, 32 << 30, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, mmap.PROT_READ) \
             for _ in range(3)]\nfor m in held:\n    m.madvise(15)\n    for at in range(0, 32 << 30, 2 << 20): m[at]\ntime.sleep(20)",
        ),
    ] {
        let said = python(&room, text).await;
        assert!(said.contains("it held more memory than it may"), "{kind}: {said}");
    }
    // What programs have open every day is nothing.
    let text = "import os, socket\nheld = [os.pipe() for _ in range(40)] + [socket.socketpair() for _ in range(8)]\n\
                import time; time.sleep(0.3); print('fine')";
    let said = python(&room, text).await;
    assert!(said.contains("\nfine"), "{said}");
}

/// A keeper that ends in order, while somebody else writes to the output of its command without end.
#[tokio::test]
async fn nobody_speaks_in_an_answer_when_the_command_has_ended() {
    use std::os::unix::fs::PermissionsExt as _;
    let script = r#"#!/bin/sh
read line
echo '{"runs":{"confinement":{"landlock":null,"seccomp":true,"no_new_privs":true,"network":false},"session":0}}' >&2
echo said
(n=0; while [ $n -lt 3000000 ] && echo another; do n=$((n+1)); PACE; done) &
echo '{"why":"exited","code":0,"signal":null,"swept":0,"left":0,"took":1,"processes":1,"folder_stays":false}' >&2
"#;
    // Now and then, and without end.
    for pace in ["/bin/sleep 0.1", ":"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keeper");
        fs::write(&path, script.replace("PACE", pace)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let room = Room::kept_by(path);
        let begun = std::time::Instant::now();
        let answer = room.answer("execute_command", json!({"command": "true", "timeout": 20})).await.unwrap();
        // More than twice as long without a bound.
        assert!(begun.elapsed() < std::time::Duration::from_secs(18), "{pace}: {:?}", begun.elapsed());
        let text = answer.text();
        assert!(text.starts_with("exit code 0") && text.contains("\nsaid") && text.len() < 100_000, "{pace}: {text}");
    }
}
