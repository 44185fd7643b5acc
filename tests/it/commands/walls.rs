//! What a hostile reader came through once, each as a whole kind: turns of the processor, memory, what outlives a command, root's files.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

use serde_json::json;
use tfo_mcp::definition::ByteSize;

use super::{Room, landlock, mark, running};

const PYTHON: &str = "/usr/bin/python3";

impl Room {
    /// Runs a text of Python, and answers what is said of it, whether it ended in order or not.
    async fn python(&self, text: &str) -> String {
        let arguments = json!({"command": PYTHON, "args": ["-c", text]});
        self.answer("execute_command", arguments).await.map(|answer| answer.text()).unwrap_or_else(|error| error)
    }
}

#[tokio::test]
async fn the_keeper_gets_its_turn_whatever_its_command_does() {
    let room = Room::new();
    // Of a process: its session, how much it gives way, and who made it.
    let text = "for pid in $$ $PPID; do sed 's/.*) //' /proc/$pid/stat | cut -d' ' -f4,17; done";
    let text = room.shell(text).await;
    let rows: Vec<Vec<i32>> = text
        .lines()
        .filter_map(|line| line.split(' ').map(|word| word.parse().ok()).collect::<Option<Vec<i32>>>())
        .filter(|row| row.len() == 2)
        .collect();
    let [command, keeper] = rows.as_slice() else { panic!("{text}") };
    // The kernel shares the processor out among sessions first.
    assert!(command[0] != keeper[0] && command[1] > keeper[1], "{text}");
}

#[tokio::test]
async fn a_bomb_whose_processes_leave_their_session_is_ended_as_a_whole() {
    let room = Room::with(|commands| commands.max_processes = 48);
    // Bounded by itself: 2^9 processes, for half a minute.
    for step in ["pass", "os.setsid()", "os.fork() and os._exit(0); os.setsid()"] {
        let mark = mark();
        let text =
            format!("import os, time\nfor _ in range(9):\n    if os.fork() == 0:\n        {step}\ntime.sleep({mark})");
        let text = room.python(&text).await;
        assert!(text.contains("it had more than 48 processes at once"), "{step}: {text}");
        assert_eq!(running(&mark), [] as [i32; 0], "{step}");
    }
}

#[tokio::test]
async fn a_bomb_of_threads_is_ended_like_one_of_processes() {
    let room = Room::with(|commands| commands.max_processes = 8);
    let text = "import threading, time\nthreading.stack_size(65536)\n\
                for _ in range(300): threading.Thread(target=time.sleep, args=(30,), daemon=True).start()\ntime.sleep(30)";
    let text = room.python(text).await;
    // For an account the kernel refuses them before the keeper counts them.
    assert!(text.contains("or more threads than so many have") || text.contains("can't start new thread"), "{text}");
}

#[tokio::test]
async fn memory_that_is_shared_is_counted() {
    let room = Room::with(|commands| commands.max_memory = ByteSize(64 << 20));
    let touch = "import mmap, os, time\nm = mmap.mmap(-1, 200 << 20)\n";
    for (kind, then) in [
        ("as it is", "for at in range(0, 200 << 20, 4096): m[at] = 1\ntime.sleep(20)"),
        // What one process has filled and given back is still there for the other.
        (
            "let go of",
            "for at in range(0, 200 << 20, 1 << 20):\n    for page in range(at, at + (1 << 20), 4096): m[page] = 1\n    \
             m.madvise(mmap.MADV_DONTNEED, at, 1 << 20)\ntime.sleep(20)",
        ),
    ] {
        let text = room.python(&format!("{touch}{then}")).await;
        assert!(text.contains("it held more memory than it may"), "{kind}: {text}");
    }
    // Shared by four and held once.
    let room = Room::with(|commands| commands.max_memory = ByteSize(120 << 20));
    let text = "import mmap, os, time\nm = mmap.mmap(-1, 48 << 20)\nfor at in range(0, 48 << 20, 4096): m[at] = 1\n\
                for _ in range(2): os.fork()\nsum(m[at] for at in range(0, 48 << 20, 4096))\ntime.sleep(1)";
    let text = room.python(text).await;
    assert!(text.starts_with("exit code 0"), "{text}");
    let text = room.python("import os; os.memfd_create('held')").await;
    assert!(text.contains("Function not implemented"), "{text}");
}

/// What the kernel keeps for nobody in particular.
const OUTLIVES: &str = "import ctypes
c = ctypes.CDLL(None, use_errno=True)
def told(name, *arguments):
    ctypes.set_errno(0)
    print(name, getattr(c, name)(*arguments) >= 0, ctypes.get_errno())
told('shmget', 0, 4096, 0o1600)
told('msgget', 0, 0o1600)
told('semget', 0, 1, 0o1600)
told('mq_open', b'/tfo-mcp-held', 0o102, 0o600, None)
";

#[tokio::test]
async fn nothing_of_a_command_stays_in_the_kernel() {
    let room = Room::new();
    let text = room.python(OUTLIVES).await;
    for call in ["shmget", "msgget", "semget", "mq_open"] {
        assert!(text.lines().any(|line| line == format!("{call} False 1")), "{text}");
    }
    // Where nothing is in its way, the same calls succeed. What they make is taken away again.
    let free = "import ctypes
c = ctypes.CDLL(None)
print(c.shmctl(c.shmget(0, 4096, 0o1600), 0, None), c.msgctl(c.msgget(0, 0o1600), 0, None),
      c.semctl(c.semget(0, 1, 0o1600), 0, 0, None))";
    let done = std::process::Command::new(PYTHON).args(["-c", free]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&done.stdout), "0 0 0\n");
}

/// Calls that came after the filter was written do what older kernels do: nothing.
#[tokio::test]
async fn a_call_that_nobody_has_looked_at_is_not_there() {
    let room = Room::new();
    let text = "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\n\
                for call in (463, 466, 467, 469, 470, 471, 511, 100000, 0x40000027):\n    \
                print(c.syscall(call, -100, b'x', 0, 0, 0, 0), ctypes.get_errno())";
    let text = room.python(text).await;
    assert_eq!(text.matches("-1 38\n").count() + usize::from(text.ends_with("-1 38")), 9, "{text}");
}

#[tokio::test]
async fn what_is_open_to_be_read_keeps_its_attributes() {
    let beside = tempfile::tempdir().unwrap();
    std::fs::write(beside.path().join("file"), "x").unwrap();
    let room = Room::with(|commands| commands.read_only_roots = vec![beside.path().to_owned()]);
    let text = "import fcntl, os, struct, sys
def told(what, do):
    try: do(); print(what, 'done')
    except OSError as error: print(what, error.errno)
file = os.open(sys.argv[1], os.O_RDONLY)
told('attribute', lambda: os.setxattr(file, 'user.x', b'y'))
told('removed', lambda: os.removexattr(file, 'user.x'))
told('flags', lambda: fcntl.ioctl(file, 0x40086602, struct.pack('L', 0x40)))
told('version', lambda: fcntl.ioctl(file, 0x40087602, struct.pack('L', 1)))
told('verity', lambda: fcntl.ioctl(file, 0x40806685, bytes(128)))
told('subvolume', lambda: fcntl.ioctl(file, 0x5000940e, 0))
told('owner', lambda: os.fchown(file, -1, os.getgid()))
";
    let path = beside.path().join("file").display().to_string();
    let text = room.call("execute_command", json!({"command": PYTHON, "args": ["-c", text, path]})).await.unwrap();
    for line in ["attribute 95", "removed 95", "flags 1", "version 1", "verity 1", "subvolume 1", "owner 1"] {
        assert!(text.lines().any(|said| said == line), "{line}: {text}");
    }
}

/// What developers' tools do all day: make, copy, link, and change modes in their own folder.
#[tokio::test]
async fn modes_are_the_commands_own_in_its_folders() {
    let room = Room::new();
    let text = "umask 022; echo x > a && chmod 755 a && cp -p a b && install -m 700 a c && mv c d && ln a e && \
                mkdir -p x/y && touch -d 2001-01-01 a && tar -cf x.tar a x && mkdir z && tar -xf x.tar -C z --no-same-owner && \
                stat -c '%a %n' a b d z/a";
    let text = room.shell(text).await;
    assert!(text.contains("755 a\n755 b\n700 d\n755 z/a\n"), "{text}");
    let script = "import os, threading\nt = threading.Thread(target=print, args=('a thread',)); t.start(); t.join()\n\
                  os.setpriority(0, 0, 10); os.sched_setaffinity(0, os.sched_getaffinity(0)); print('its own turn')";
    let text = room.python(script).await;
    assert!(text.contains("a thread\n") && text.contains("its own turn"), "{text}");
}

/// The server is root, and its folder belongs to somebody: so do its commands, and root's files are not theirs.
#[tokio::test]
async fn a_command_of_a_root_server_is_the_account_of_its_folder() {
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() || landlock().is_none() {
        return;
    }
    let room = Room::new();
    std::fs::set_permissions(room.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    chown(room.root(), Some(NOBODY), Some(NOBODY)).unwrap();
    let text =
        room.shell("id -u; id -G; touch made $HOME/x && echo mine; grep 'Max processes' /proc/self/limits").await;
    assert!(text.contains("65534\n65534\nmine\n") && text.contains("as account 65534"), "{text}");
    assert!(!text.contains("unlimited"), "the kernel counts its processes: {text}");
    assert_eq!(std::fs::metadata(room.root().join("made")).unwrap().uid(), NOBODY);
    let text = room.shell("chmod 644 ../outside/secret.txt; sleep 0 & wait; echo end").await;
    assert!(text.contains("not permitted") || text.contains("Read-only"), "{text}");
    // A folder that this account does not come to.
    std::fs::set_permissions(room.folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let error = room.error("execute_command", json!({"command": "true"})).await;
    assert!(error.contains("as account 65534, to whom it belongs"), "{error}");
}
