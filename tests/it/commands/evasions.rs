//! Ways around the rules and out of the folders, each of which is refused or runs in vain (`tests/attacks/commands.txt`).

use std::{collections::BTreeMap, io::Read as _, os::unix::net::UnixListener, process::Command};

use serde_json::json;
use tfo_mcp::engine::Call;

use super::{Room, SECRET, keeper, landlock};

const TABLE: &str = include_str!("../../attacks/commands.txt");

const PYTHON: &str = "/usr/bin/python3";

/// Content, mode, owner and time, and attributes of a file.
type Whole = (Vec<u8>, [i64; 4], Vec<u8>);

/// Everything in a folder, as it is: contents, and what is told of them.
fn contents(folder: &std::path::Path) -> BTreeMap<String, Whole> {
    use std::os::unix::fs::MetadataExt as _;
    let entry = |entry: std::fs::DirEntry| {
        let meta = entry.path().symlink_metadata().unwrap();
        let content = if meta.is_file() { std::fs::read(entry.path()).unwrap_or_default() } else { Vec::new() };
        let told = [i64::from(meta.mode()), meta.uid().into(), meta.gid().into(), meta.mtime()];
        let mut names = vec![0; 4096];
        let length = rustix::fs::llistxattr(entry.path(), &mut names[..]).unwrap_or_default();
        names.truncate(length);
        (entry.file_name().to_string_lossy().into_owned(), (content, told, names))
    };
    std::fs::read_dir(folder).unwrap().map(|found| entry(found.unwrap())).collect()
}

fn room() -> Room {
    let room = Room::with(|commands| commands.deny.push("rm".to_owned()));
    let rm = std::fs::canonicalize(
        ["/bin/rm", "/usr/bin/rm"].into_iter().find(|rm| std::path::Path::new(rm).exists()).unwrap(),
    );
    let rm = rm.unwrap();
    for name in ["victim", "victim2", "file"] {
        room.put(name, "content\n");
    }
    room.put(
        "script.sh",
        "#!/bin/sh\ncat ../outside/secret.txt\nrm -f ../outside/secret.txt\necho x > ../outside/new\n",
    );
    room.put("Makefile", "all:\n\tcat ../outside/secret.txt; rm ../outside/secret.txt; touch ../outside/new\n");
    std::fs::copy(&rm, room.root().join("copied")).unwrap();
    std::os::unix::fs::symlink(&rm, room.root().join("linked")).unwrap();
    std::os::unix::fs::symlink(room.outside(), room.root().join("leads-out")).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(room.root().join("script.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    room
}

/// A process that is nobody's business.
struct Bystander(std::process::Child);

impl Bystander {
    fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// How it comes to its turns and its memory: how much it gives way, its policy, its processors, its limits.
    fn turn(&self) -> Vec<String> {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", self.0.id())).unwrap();
        let stat = read("stat");
        let words: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let allowed = read("status").lines().find(|line| line.starts_with("Cpus_allowed:")).unwrap().to_owned();
        vec![words[16].to_owned(), words[38].to_owned(), allowed, read("limits"), read("oom_score_adj")]
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn every_evasion_is_refused_or_runs_in_vain() {
    let room = room();
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = std::net::UdpSocket::bind(tcp.local_addr().unwrap()).unwrap();
    let unix = UnixListener::bind(room.outside().join("socket")).unwrap();
    tcp.set_nonblocking(true).unwrap();
    udp.set_nonblocking(true).unwrap();
    unix.set_nonblocking(true).unwrap();
    let mut bystander = Bystander(
        Command::new(keeper())
            .arg("serve")
            .env("HOME", room.folder.path())
            .env("BYSTANDER", SECRET)
            .env("TELEMETRYFLOW_MCP_DATA_DIR", room.folder.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap(),
    );
    let (before, version, turn) = (contents(&room.outside()), landlock(), bystander.turn());
    let told = room.call("execute_command", json!({"command": "true"})).await.unwrap();
    let keeps_modes = rustix::process::geteuid().is_root() && !told.contains("but for the modes");
    let (mut refused, mut held, mut wrong) = (0, 0, Vec::new());
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let (kind, rest) = line.split_once(' ').unwrap();
        let of_signals = ["kill", "PPID"].iter().any(|word| rest.contains(word));
        if kind == "held" && version.is_none_or(|version| of_signals && version < 6) {
            continue;
        }
        if kind == "kept" && !keeps_modes {
            continue;
        }
        let rest = rest
            .replace("@OUT@", &room.outside().display().to_string())
            .replace("@PORT@", &tcp.local_addr().unwrap().port().to_string())
            .replace("@PID@", &bystander.0.id().to_string());
        let words: Vec<String> = shlex::split(&rest)
            .unwrap_or_else(|| panic!("{line}"))
            .iter()
            .map(|word| word.replace("\\n", "\n"))
            .collect();
        // The one of the system, whichever another comes first here.
        let program = if words[0] == "python3" { PYTHON } else { &words[0] };
        let arguments = json!({"command": program, "args": words[1..], "timeout": 10});
        let answer = room.call("execute_command", arguments).await;
        let (said, is_forbidden) = match &answer {
            Ok(text) => (text.clone(), false),
            Err(error) => (
                error.clone(),
                ["denies it", "cannot be judged", "known only when it runs", "make names mean", "sets what names"]
                    .iter()
                    .any(|why| error.contains(why)),
            ),
        };
        match kind {
            "refused" => refused += 1,
            "held" | "kept" => held += 1,
            _ => panic!("{line}"),
        }
        if kind == "refused" && !is_forbidden {
            wrong.push(format!("not refused: {line}\n{said}"));
        }
        if kind != "refused" && is_forbidden {
            wrong.push(format!("refused, so that nothing is proven: {line}\n{said}"));
        }
        if said.contains(SECRET) {
            wrong.push(format!("it tells: {line}\n{said}"));
        }
        if contents(&room.outside()) != before {
            wrong.push(format!("it changed something outside: {line}\n{said}"));
            break;
        }
        assert!(room.root().join("victim").exists(), "{line}\n{said}");
        assert!(bystander.lives(), "it ended another process: {line}\n{said}");
        if bystander.turn() != turn {
            wrong.push(format!("it took another process's turn: {line}\n{said}"));
            break;
        }
        let runs_as_owner =
            |(name, (_, [mode, ..], _)): (&String, &(_, [i64; 4], _))| (mode & 0o6000 != 0).then(|| name.clone());
        if let Some(name) = contents(&room.root()).iter().find_map(runs_as_owner) {
            wrong.push(format!("it made `{name}`, which runs with its owner's rights: {line}\n{said}"));
            break;
        }
        if tcp.accept().is_ok() || unix.accept().is_ok() || udp.recv(&mut [0; 8]).is_ok() {
            wrong.push(format!("it reached the network: {line}\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), refused + held, wrong.join("\n\n"));
    // What this kernel cannot hold is said in docs/adr/0053, and not tried.
    let least = match version {
        Some(6..) => 90,
        Some(_) => 85,
        None => 0,
    };
    assert!(refused > 150 && held >= least, "{refused} and {held}");
}

/// What was proven above would be worth nothing if the attacks did not work where nothing is in their way.
#[tokio::test]
async fn without_the_wall_the_same_attacks_succeed() {
    let room = room();
    let run = |program: &str, arguments: &[&str]| {
        let done = Command::new(program).args(arguments).current_dir(room.root()).output().unwrap();
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    assert!(run("sh", &["script.sh"]).contains(SECRET));
    assert!(!room.outside().join("secret.txt").exists() && room.outside().join("new").exists());
    assert!(run("sh", &["-c", "cd leads-out; cat new"]).contains('x'));
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    run("bash", &["-c", &format!("echo out > /dev/tcp/127.0.0.1/{}", tcp.local_addr().unwrap().port())]);
    let mut said = String::new();
    tcp.accept().unwrap().0.read_to_string(&mut said).unwrap();
    assert_eq!(said, "out\n");
    // Modes, rights of the owner, and turns of others.
    let mut bystander =
        Bystander(Command::new(PYTHON).args(["-c", "input()"]).stdin(std::process::Stdio::piped()).spawn().unwrap());
    let (turn, pid) = (bystander.turn(), bystander.0.id().to_string());
    std::fs::write(room.outside().join("secret.txt"), SECRET).unwrap();
    let before = contents(&room.outside());
    run("chmod", &["604", "../outside/secret.txt"]);
    assert!(contents(&room.outside()) != before);
    run(PYTHON, &["-c", "import os; os.open('suid', os.O_CREAT | os.O_RDWR, 0o4755)"]);
    assert_eq!(contents(&room.root())["suid"].1[0] & 0o4000, 0o4000);
    run(PYTHON, &["-c", &format!("import os; os.setpriority(0, {pid}, 19)")]);
    assert!(bystander.turn() != turn && bystander.lives());
}

#[tokio::test]
async fn with_an_open_network_the_sockets_of_this_machine_stay_closed() {
    let room = Room::with(|commands| commands.network = true);
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let text = format!("echo out > /dev/tcp/127.0.0.1/{port} && echo done");
    let text = room.call("execute_command", json!({"command": "bash", "args": ["-c", text]})).await.unwrap();
    assert!(text.contains("\ndone\n") && text.contains("with network"), "{text}");
    let _unix = UnixListener::bind(room.root().join("socket")).unwrap();
    let script = "import socket; s=socket.socket(socket.AF_UNIX); s.connect('socket'); print('reached')";
    let text = room.call("execute_command", json!({"command": PYTHON, "args": ["-c", script]})).await.unwrap();
    assert!(text.contains("Operation not permitted") && !text.contains("reached\n"), "{text}");
}

#[tokio::test]
async fn what_is_allowed_runs_and_what_is_not_does_not() {
    let room = Room::with(|commands| commands.allow = ["echo", "git status", "sh", "ls -?"].map(str::to_owned).into());
    std::os::unix::fs::symlink("/bin/cat", room.root().join("ls")).unwrap();
    for (command, arguments) in [("echo", json!(["a"])), ("ls", json!(["-l"])), ("sh", json!(["-c", "cd . && echo b"]))]
    {
        let text = room.call("execute_command", json!({"command": command, "args": arguments})).await.unwrap();
        assert!(text.starts_with("exit code 0"), "{text}");
    }
    for (command, arguments) in [
        ("cat", json!(["x"])),
        ("ls", json!([])),
        ("./ls", json!(["-l"])),
        ("git", json!(["push"])),
        ("git", json!(["-c", "core.pager=x", "status"])),
        ("sh", json!(["-c", "echo a; cat x"])),
        ("env", json!(["echo", "a"])),
    ] {
        let error = room.error("execute_command", json!({"command": command, "args": arguments})).await;
        assert!(error.contains("is not among what may be run here") && error.contains("git status"), "{error}");
    }
    let broken = Room::with(|commands| commands.deny = vec!["a[".to_owned()]);
    let error = broken.error("execute_command", json!({"command": "true"})).await;
    assert!(error.contains("the rule `a[`") && error.contains("commands.deny"), "{error}");
}

/// A kernel without Landlock, as a program sees it: the call is not there.
#[tokio::test]
async fn where_the_kernel_confines_nothing_a_command_needs_somebody_who_says_so() {
    let without = |unconfined: bool| {
        // Whoever starts from this thread has no such call; the thread ends with the test.
        let filter = json!({ "command": { "mismatch_action": "allow", "match_action": { "errno": 38 },
            "filter": [{ "syscall": "landlock_create_ruleset" }] } });
        let work = move || {
            let filters = seccompiler::compile_from_json(
                filter.to_string().as_bytes(),
                std::env::consts::ARCH.try_into().unwrap(),
            );
            filters.unwrap().values().for_each(|filter| seccompiler::apply_filter(filter).unwrap());
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let room = Room::with(|commands| commands.unconfined = unconfined);
                let answer = room.answer_to("execute_command", json!({"command": "echo ran"}), &Call::default()).await;
                answer.map(|answer| [answer.text()].into_iter().chain(answer.notes).collect::<Vec<_>>().join("\n"))
            })
        };
        std::thread::spawn(work).join().unwrap()
    };
    let error = without(false).unwrap_err();
    assert!(error.contains("it has no Landlock") && error.contains("`commands.unconfined: true`"), "{error}");
    let text = without(true).unwrap();
    assert!(
        text.contains("\nran\n") && text.contains("not confined to its folders") && text.contains("without network"),
        "{text}"
    );
}
